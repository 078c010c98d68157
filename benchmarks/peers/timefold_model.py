"""Timefold's model of a relaxed week: what is planned, and by which constraints (see `timefold.py`).

Its classes and functions are translated to Java, so they are written in the plain style that the translator knows, and
compare by identity: comparing by fields made three times fewer moves. Times in minutes of the horizon.
"""

from dataclasses import dataclass, field
from typing import Annotated, Optional

from timefold.solver.domain import (
    CascadingUpdateShadowVariable,
    InverseRelationShadowVariable,
    NextElementShadowVariable,
    PlanningEntityCollectionProperty,
    PlanningId,
    PlanningListVariable,
    PlanningScore,
    PreviousElementShadowVariable,
    ValueRangeProvider,
    planning_entity,
    planning_solution,
)
from timefold.solver.score import ConstraintFactory, HardSoftScore, constraint_provider


@planning_entity
@dataclass(eq=False)
class Stop:
    """One visit; the planner's word `Visit` is taken."""

    id: Annotated[int, PlanningId]
    minutes: int
    price: int
    place: int
    able: str
    """By slot: y or n. Text, because a list takes long to be handed to Java, and text does not."""
    openings: list[list[int]]
    """By day: earliest and latest start of each window, one after the other."""
    ways_here: str
    """Minutes of driving from each place to this one, a character each."""
    ways_on: str
    """Minutes of driving from this place to each."""
    route: Annotated[Optional["Route"], InverseRelationShadowVariable(source_variable_name="stops")] = field(
        default=None
    )
    previous: Annotated[Optional["Stop"], PreviousElementShadowVariable(source_variable_name="stops")] = field(
        default=None
    )
    next: Annotated[Optional["Stop"], NextElementShadowVariable(source_variable_name="stops")] = field(default=None)
    start: Annotated[int | None, CascadingUpdateShadowVariable(target_method_name="update_start")] = field(default=None)

    def update_start(self):
        if self.route is None:
            self.start = None
            return
        if self.previous is None:
            arrival = self.route.shift_start + ord(self.ways_here[self.route.home])
        elif self.previous.start is None:
            self.start = None
            return
        else:
            arrival = self.previous.start + self.previous.minutes + ord(self.ways_here[self.previous.place])
        begin = arrival
        openings = self.openings[self.route.day]
        i = 0
        while i < len(openings):
            if arrival <= openings[i + 1]:
                if arrival < openings[i]:
                    begin = openings[i]
                break
            i = i + 2
        self.start = begin

    def way(self) -> int:
        """Driving to here from the stop before or from home."""
        if self.previous is None:
            return ord(self.ways_here[self.route.home])
        return ord(self.ways_here[self.previous.place])

    def is_forbidden(self) -> bool:
        """In a route of somebody who may not come, or on a closed day."""
        return self.able[self.route.id] == "n"

    def lateness(self) -> int:
        """Minutes after the last window of the day."""
        openings = self.openings[self.route.day]
        if self.start is None or len(openings) == 0:
            return 0
        last = openings[len(openings) - 1]
        if self.start > last:
            return self.start - last
        return 0


@planning_entity
@dataclass(eq=False)
class Route:
    """One (clinician, day)."""

    id: Annotated[int, PlanningId]
    day: int
    home: int
    end: int
    """The place where the day ends."""
    shift_start: int
    shift_end: int
    max_visits: int
    price: int
    """Cents for a minute of driving."""
    stops: Annotated[list[Stop], PlanningListVariable(allows_unassigned_values=True)] = field(default_factory=list)

    def way_home(self) -> int:
        """Driving from the last stop."""
        if len(self.stops) == 0:
            return 0
        return ord(self.stops[len(self.stops) - 1].ways_on[self.end])

    def overrun(self) -> int:
        """Minutes that the way home ends after the shift."""
        if len(self.stops) == 0:
            return 0
        last = self.stops[len(self.stops) - 1]
        if last.start is None:
            return 0
        home = last.start + last.minutes + ord(last.ways_on[self.end])
        if home > self.shift_end:
            return home - self.shift_end
        return 0

    def too_many(self) -> int:
        """Visits beyond the most a day may have."""
        return len(self.stops) - self.max_visits


@planning_solution
@dataclass(eq=False)
class Week:
    """All routes and stops."""

    routes: Annotated[list[Route], PlanningEntityCollectionProperty]
    stops: Annotated[list[Stop], PlanningEntityCollectionProperty, ValueRangeProvider]
    score: Annotated[HardSoftScore | None, PlanningScore] = field(default=None)


@constraint_provider
def define_constraints(factory: ConstraintFactory):
    """Hard: who may come, windows, shifts, visits a day. Soft: cents."""
    return [
        factory.for_each(Stop)
        .filter(lambda stop: stop.is_forbidden())
        .penalize(HardSoftScore.of_hard(1000))
        .as_constraint("may not come"),
        factory.for_each(Stop)
        .filter(lambda stop: stop.lateness() > 0)
        .penalize(HardSoftScore.ONE_HARD, lambda stop: stop.lateness())
        .as_constraint("too late"),
        factory.for_each(Route)
        .filter(lambda route: route.overrun() > 0)
        .penalize(HardSoftScore.ONE_HARD, lambda route: route.overrun())
        .as_constraint("shift"),
        factory.for_each(Route)
        .filter(lambda route: route.too_many() > 0)
        .penalize(HardSoftScore.ONE_HARD, lambda route: 100 * route.too_many())
        .as_constraint("too many"),
        factory.for_each(Route)
        .filter(lambda route: len(route.stops) > 0)
        .penalize(HardSoftScore.ONE_SOFT, lambda route: route.price * route.way_home())
        .as_constraint("driving home"),
        factory.for_each(Stop)
        .penalize(HardSoftScore.ONE_SOFT, lambda stop: stop.route.price * stop.way())
        .as_constraint("driving"),
        factory.for_each_including_unassigned(Stop)
        .filter(lambda stop: stop.route is None)
        .penalize(HardSoftScore.ONE_SOFT, lambda stop: stop.price)
        .as_constraint("left out"),
    ]
