"""One plan laid out for the kernel, on which things are tried: where a visit fits, and at what price."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordinator.planner import kernel as k
from coordinator.planner.arrays import Arrays, build
from coordinator.planner.candidates import Ints
from coordinator.planner.engines import Engine, choose
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Linked, Problem, ProblemError
from coordinator.planner.states import state_of


class Trial:
    """A problem and a plan of it as arrays; what does not stand in the plan is not in `state`.

    Raises ProblemError for a problem that the calendar engine does not plan.
    """

    def __init__(self, problem: Problem, plan: Plan) -> None:
        if choose(problem) is not Engine.CALENDAR:
            raise ProblemError("links", "days of linked visits with shared times are not tried visit by visit")
        self.problem = problem
        self.arrays: Arrays = build(problem, near=False)
        self.state: Ints = state_of(self.arrays, plan)
        self.slot_at = {(slot.clinician, slot.day): index for index, slot in enumerate(problem.slots)}
        self.links: dict[int, Linked] = {v: link for link in problem.links for v in (link.first, link.second)}
        self.data = self.arrays.data
        self.random: NDArray[np.uint64] = np.ones(1, dtype=np.uint64)

    def get(self, state: Ints, field: int, index: int) -> int:
        """One number of a state."""
        return int(state[self.arrays.at(field) + index])

    def candidate(self, visit: int, slot: int) -> int | None:
        """The visit's candidate entry for this slot."""
        first = self.get(self.data, k.V_CANDIDATES, visit)
        last = self.get(self.data, k.V_CANDIDATES, visit + 1)
        for entry in range(first, last):
            if self.get(self.data, k.CANDIDATE_SLOT, entry) == slot:
                return entry
        return None

    def slot_of(self, visit: int) -> int:
        """The slot that the visit is in; -1 if it is out."""
        return self.get(self.state, k.S_SLOT, visit)

    def partner(self, visit: int) -> int:
        """The visit that this one is linked to; -1 if none."""
        link = self.links.get(visit)
        return -1 if link is None else link.second if visit == link.first else link.first

    def entries(self, visit: int) -> range:
        """The visit's candidate entries."""
        first, last = (self.get(self.data, k.V_CANDIDATES, visit + i) for i in range(2))
        return range(first, last)

    def bound_by_partner(self, state: Ints, visit: int) -> None:
        """Bind a visit to the reach of its linked partner where that is placed."""
        partner = self.partner(visit)
        if partner < 0 or self.get(state, k.S_SLOT, partner) < 0:
            return
        begin = self.get(state, k.S_START, partner)
        state[self.arrays.at(k.S_LOW) + visit] = begin - self.get(self.data, k.LINK_HIGH, visit)
        state[self.arrays.at(k.S_HIGH) + visit] = begin - self.get(self.data, k.LINK_LOW, visit)

    def partner_refuses(self, state: Ints, visit: int, clinician: int) -> bool:
        """Whether the link wants another person than `clinician` beside the placed partner."""
        link = self.links.get(visit)
        if link is None:
            return False
        slot = self.get(state, k.S_SLOT, self.partner(visit))
        if slot < 0:
            return False
        same = self.problem.slots[slot].clinician == clinician
        return (link.different_clinicians and same) or (link.same_clinician and not same)

    def price(self, state: Ints, visit: int, entry: int) -> tuple[int, int] | None:
        """(cents, position) of the cheapest place in this candidate's slot, ties and wishes included; None if none."""
        data, scratch = self.data, self.arrays.scratch
        slot = self.get(data, k.CANDIDATE_SLOT, entry)
        minutes = self.get(data, k.CANDIDATE_MINUTES, entry)
        shift = self.problem.slots[slot]
        self.bound_by_partner(state, visit)
        if self.partner_refuses(state, visit, shift.clinician):
            return None
        if not k.may_hold(data, state, visit, slot, minutes):
            return None
        state[self.arrays.at(k.S_MINUTES) + visit] = minutes
        cost, position = k.slot_insertion(data, state, scratch, self.random, visit, slot, entry, 0, k.INF)
        if position < 0:
            return None
        fixed = self.get(data, k.CANDIDATE_COST, entry) + int(k.spacing_change(data, state, visit, shift.day))
        week = self.problem.days[shift.day].week
        fixed += int(k.faces_change(data, state, visit, shift.clinician, week))
        return int(cost) + fixed - int(k.longest_relief(data, state, slot)), int(position)

    def put(self, state: Ints, visit: int, entry: int, position: int) -> bool:
        """Place the visit there; False if it does not fit."""
        slot, cost, minutes = (
            self.get(self.data, field, entry) for field in (k.CANDIDATE_SLOT, k.CANDIDATE_COST, k.CANDIDATE_MINUTES)
        )
        return bool(k.place(self.data, state, self.arrays.scratch, visit, slot, position, cost, minutes))
