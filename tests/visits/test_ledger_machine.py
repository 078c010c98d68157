"""Whatever is done in whatever order, nothing ordered is lost or invented: ordered = planned + done + waived + owed."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coordinator.core.db import Database
from coordinator.core.errors import Refusal
from coordinator.core.work import Actor, Work
from coordinator.domain.events import OrderActivated
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.vocabulary import (
    Discipline,
    MissedDecision,
    MissedReason,
    OrderStatus,
    Performer,
    Role,
    VisitStatus,
)
from coordinator.orders.endings import cut_off, discontinue
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.visits import demand, doing, ledger, missed, service, weeks
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import WorkAs, actor_with
from tests.visits.conftest import ZONE, Scene, local

_HOURS = st.integers(8, 16)
_WHO = st.sampled_from(["nurse", "other_nurse", "vocational"])
_PICK = st.integers(0, 30)


class Ledger(RuleBasedStateMachine):
    """One patient's nursing over three weeks, at the hands of everybody."""

    work_as: ClassVar[Any]
    scene: ClassVar[Scene]
    database: ClassVar[Database]
    #: How often each step went through, over all runs: a machine that is always refused proves nothing.
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.now = local(date(2026, 11, 9), 6)
        with self.database.transaction() as session:
            branch = builders.make_branch(session)  # people of its own: what one run books is nothing to the next
            team = {"nurse": Performer.RN, "other_nurse": Performer.RN, "vocational": Performer.LVN}
            self.people = {name: builders.make_clinician(session, branch, who).id for name, who in team.items()}
            self.branch = branch.id
            patient = builders.make_patient(session, branch, managing_physician_id=self.scene.physician)
            episode = builders.make_episode(session, patient)
            plan = builders.make_care_plan(session, episode, session.get_one(builders.Physician, self.scene.physician))
            self.patient, self.episode, self.plan = patient.id, episode.id, plan.id
        #: What every order week asked for when it was raised.
        self.asked: dict[int, int] = {}
        self.steps = 0

    # ------------------------------------------------------------------------------------ helpers

    @contextlib.contextmanager
    def as_(self, who: str | None, step: str) -> Iterator[Work]:
        """One transaction; a refusal is an answer like any other, and changes nothing."""
        self.steps += 1
        try:
            with self.work_as(self.actor(who) if who else None, now=self.now) as work:
                yield work
            self.done[step] += 1
        except Refusal as refusal:
            self.done[f"refused {step}: {refusal.problem_code}"] += 1

    def actor(self, who: str) -> Actor:
        if who in self.people:
            return actor_with(Role.CLINICIAN, clinician_id=self.people[who])
        if who == "physician":
            return actor_with(Role.PHYSICIAN, physician_id=self.scene.physician)
        role = Role.CLINICAL_MANAGER if who == "manager" else Role.SCHEDULER
        return actor_with(role, branch_ids=frozenset({self.branch}))

    def visits(self, *statuses: VisitStatus) -> list[Visit]:
        with self.database.transaction(write=False) as session:
            query = sa.select(Visit).where(Visit.patient_id == self.patient, Visit.is_current)
            if statuses:
                query = query.where(Visit.status.in_(statuses))
            return list(session.scalars(query.order_by(Visit.id)))

    def pick(self, pick: int, *statuses: VisitStatus) -> Visit | None:
        found = self.visits(*statuses)
        return found[pick % len(found)] if found else None

    def live_orders(self) -> list[int]:
        with self.database.transaction(write=False) as session:
            query = sa.select(Order.id).where(
                Order.patient_id == self.patient, Order.status.in_([OrderStatus.ACTIVE_SIGNED])
            )
            return list(session.scalars(query.order_by(Order.id)))

    def at(self, visit: Visit, pick: int, hour: int) -> datetime:
        """An hour of a day that is still ahead in the visit's window, or its last one."""
        first = min(max(visit.window_from, (self.now + timedelta(hours=6)).astimezone(ZONE).date()), visit.window_to)
        return local(first + timedelta(days=pick % ((visit.window_to - first).days + 1)), hour)

    def order(self, frequency: tuple[int, int], *, prn: int = 0, two_person: bool = False) -> None:
        """A new order of two weeks from today on, which supersedes what is live."""
        today = self.now.astimezone(ZONE).date()
        low, high = frequency
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        with self.as_(None, "activate") as work:
            for old in self.live_orders():
                cut_off(
                    work,
                    work.session.get_one(Order, old),
                    today - timedelta(days=1),
                    OrderStatus.SUPERSEDED,
                    reason="new",
                )
            order = builders.make_order(
                work.session, work.session.get_one(Episode, self.episode),
                work.session.get_one(builders.CarePlan, self.plan), Discipline.SN,
                frequency=f"{low}-{high}w2", effective_from=today, effective_to=saturday + timedelta(days=7),
                weeks=(
                    (today, saturday, low, high),
                    (saturday + timedelta(days=1), saturday + timedelta(days=7), low, high),
                ),
                prn_limit=prn, prn_signs="pain", two_person=two_person, visits_per_day=3,
            )  # fmt: skip
            demand.raise_from_order(work, OrderActivated(order.id, verbal=False))
            demand.raise_from_order(work, OrderActivated(order.id, verbal=False))  # told twice
            self.asked |= {week.id: week.maximum for week in order.weeks}

    # ------------------------------------------------------------------------------------ steps

    @initialize(low=st.integers(1, 2), more=st.integers(0, 1), two=st.booleans())
    def begin(self, low: int, more: int, two: bool) -> None:
        self.order((low, low + more), prn=2, two_person=two)

    @precondition(lambda self: self.steps > 12)
    @rule(low=st.integers(0, 2), more=st.integers(0, 2), prn=st.integers(0, 2), two=st.booleans())
    def activate_or_supersede(self, low: int, more: int, prn: int, two: bool) -> None:
        self.order((low, max(1, low + more)), prn=prn, two_person=two)

    @rule(pick=_PICK, day=_PICK, hour=_HOURS, who=_WHO, tentative=st.booleans())
    def assign(self, pick: int, day: int, hour: int, who: str, tentative: bool) -> None:
        visit = self.pick(pick, VisitStatus.PROPOSED, VisitStatus.PENDING)
        if visit:
            with self.as_("scheduler", "assign") as work:
                service.assign(work, visit.id, self.people[who], self.at(visit, day, hour), tentative=tentative)

    @rule(pick=_PICK)
    def confirm(self, pick: int) -> None:
        visit = self.pick(pick, VisitStatus.PENDING)
        if visit:
            with self.as_("scheduler", "confirm") as work:
                service.confirm(work, visit.id)

    @rule(pick=_PICK, day=_PICK, hour=_HOURS, who=_WHO)
    def move(self, pick: int, day: int, hour: int, who: str) -> None:
        visit = self.pick(pick, VisitStatus.PENDING, VisitStatus.BOOKED)
        if visit:
            with self.as_("scheduler", "move") as work:
                service.move(work, visit.id, self.people[who], self.at(visit, day, hour))

    @rule(pick=_PICK, day=_PICK, hour=_HOURS, who=_WHO)
    def change_ones_mind(self, pick: int, day: int, hour: int, who: str) -> None:
        """A slot is held, confirmed, moved and given up."""
        self.assign(pick, day, hour, who, tentative=True)
        self.confirm(pick)
        self.move(pick, day + 1, hour, who)
        self.cancel(pick)

    @rule(pick=_PICK, day=_PICK, hour=_HOURS, who=_WHO)
    def go_at_once(self, pick: int, day: int, hour: int, who: str) -> None:
        """A visit from wanted to done, or as far as it gets."""
        self.assign(pick, day, hour, who, tentative=False)
        self.start(pick)
        self.finish(pick)

    @rule(pick=_PICK)
    def unassign(self, pick: int) -> None:
        visit = self.pick(pick, VisitStatus.PENDING, VisitStatus.BOOKED)
        if visit:
            with self.as_("scheduler", "unassign") as work:
                service.unassign(work, visit.id)

    @rule(pick=_PICK)
    def cancel(self, pick: int) -> None:
        visit = self.pick(pick)
        if visit:
            with self.as_("scheduler", "cancel") as work:
                service.cancel(work, visit.id, "away")

    def _who(self, visit: Visit) -> str:
        return next(name for name, number in self.people.items() if number == visit.clinician_id)

    @rule(pick=_PICK)
    def start(self, pick: int) -> None:
        """The clinician goes at the booked hour, if that is still ahead today or this week."""
        visit = self.pick(pick, VisitStatus.BOOKED, VisitStatus.EN_ROUTE)
        if visit and visit.starts_at and visit.starts_at >= self.now - timedelta(days=2):
            self.now = max(self.now, visit.starts_at)
            with self.as_(self._who(visit), "start") as work:
                doing.start(work, visit.id, visit.starts_at, over_handoff=StartOverHandoff.TOLD_IN_PERSON)

    @rule(pick=_PICK)
    def finish(self, pick: int) -> None:
        visit = self.pick(pick, VisitStatus.IN_PROGRESS)
        if visit and visit.actual_start_at:
            self.now = max(self.now, visit.actual_start_at + timedelta(minutes=30))
            with self.as_(self._who(visit), "finish") as work:
                doing.finish(work, visit.id, visit.actual_start_at + timedelta(minutes=30))

    @rule(pick=_PICK)
    def miss(self, pick: int) -> None:
        visit = self.pick(pick, VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.BOOKED)
        if visit:
            with self.as_("scheduler", "miss") as work:
                missed.miss(work, visit.id, MissedReason.PATIENT_REFUSED)

    @rule(pick=_PICK, decision=st.sampled_from(list(MissedDecision)))
    def decide(self, pick: int, decision: MissedDecision) -> None:
        visit = self.pick(pick, VisitStatus.MISSED)
        if visit:
            with self.as_("physician", f"decide {decision}") as work:
                missed.decide(work, visit.id, decision, "as agreed")

    @rule(today=st.booleans())
    @precondition(lambda self: self.steps > 8 and self.live_orders())
    def discontinue(self, today: bool) -> None:
        last = self.now.astimezone(ZONE).date()
        with self.as_("manager", "discontinue") as work:
            discontinue(work, self.live_orders()[-1], last_day=last if today else None, reason="goals met")

    @rule()
    @precondition(lambda self: self.steps % 6 == 5 and self.live_orders())
    def ask_as_needed(self) -> None:
        with self.as_("manager", "prn") as work:
            demand.request_prn(work, self.live_orders()[-1], "pain 8")

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def close(self) -> None:
        today = self.now.astimezone(ZONE).date()
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        with self.as_(None, "close") as work:
            weeks.close_week(work, self.branch, sunday - timedelta(days=1))

    # ------------------------------------------------------------------------------------ laws

    @invariant()
    def the_ledger_holds(self) -> None:
        with self.work_as(now=self.now) as work:
            for line in ledger.ledger(work, patient_id=self.patient):
                assert line.balances, line
                assert line.ordered == self.asked[line.order_week_id]
                if line.closed_at is not None:  # what is left of a closed week only waits for a decision
                    assert line.owed == line.missed, line
        current = {visit.id: visit for visit in self.visits()}
        held = Counter((visit.order_week_id, visit.unit) for visit in current.values() if visit.unit is not None)
        assert held == Counter({(week, unit): 1 for week, most in self.asked.items() for unit in range(1, most + 1)})
        for visit in current.values():
            if visit.joint_with_id is not None and visit.status in (VisitStatus.PENDING, VisitStatus.BOOKED):
                assert current[visit.joint_with_id].starts_at is not None, (visit.id, "stands alone")


@pytest.mark.slow
def test_nothing_ordered_is_ever_lost_or_invented(
    scene: Scene, work_as: WorkAs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("work_as", staticmethod(work_as)), ("scene", scene), ("database", database)):
        monkeypatch.setattr(Ledger, name, value, raising=False)
    Ledger.done.clear()
    machine: Callable[[], RuleBasedStateMachine] = Ledger
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=35,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    steps = {
        "activate",
        "assign",
        "confirm",
        "move",
        "cancel",
        "start",
        "finish",
        "miss",
        "discontinue",
        "prn",
        "close",
    }
    assert steps <= set(Ledger.done), Ledger.done
