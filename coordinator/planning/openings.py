"""When, on each day, a visit may begin: between now and its deadline, outside what the patient keeps free."""

from collections.abc import Iterable
from datetime import datetime

from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import VisitKind
from coordinator.planner.problem import Window
from coordinator.planning.horizon import ONE_DAY, Horizon
from coordinator.rules.facts import CaregiverFacts, LocalWindow, VisitCase


def stretches(windows: Iterable[LocalWindow], horizon: Horizon) -> list[tuple[int, int, LocalWindow]]:
    """The windows as minutes of the run, for each of its days and for the evening before."""
    windows = list(windows)
    if not windows:
        return []
    found = []
    for day in (horizon.start_on - ONE_DAY, *horizon.days):
        for window in windows:
            on = window.day == day if window.day is not None else window.weekday in (None, day.weekday())
            if not on:
                continue
            last_day = day if window.ends > window.starts else day + ONE_DAY
            # Where the clock shows a time twice, the longer reading is the careful one.
            ends_at = at_wall_clock(last_day, window.ends, horizon.zone, later=True)
            found.append((horizon.at(day, window.starts), horizon.minute_up(ends_at), window))
    return found


def openings(
    case: VisitCase,
    minutes: int,
    bounds: tuple[int, int],
    horizon: Horizon,
    *,
    not_before: int,
    due_at: datetime | None,
) -> tuple[Window, ...]:
    """When the visit may begin on the day with these bounds, so that all of it lies within the day; in order."""
    first, after = bounds
    spans = [(max(first, not_before), after - minutes)]
    if due_at is not None:
        spans = [(low, min(high, horizon.minute(due_at))) for low, high in spans]
    for begins, ends, _ in stretches(case.patient.no_visit_windows, horizon):
        spans = list(_cut(spans, begins - minutes + 1, ends - 1))
    if case.visit.kind is VisitKind.TEACHING:
        at_home = caregiver_times(case.patient.caregivers, horizon)
        if at_home is not None:
            spans = [(max(low, begins), min(high, ends - minutes)) for low, high in spans for begins, ends in at_home]
    return merged(spans)


def caregiver_times(caregivers: Iterable[CaregiverFacts], horizon: Horizon) -> list[tuple[int, int]] | None:
    """When a willing caregiver is at home; None while somebody who is willing has not been asked (CAR-01)."""
    willing = [caregiver for caregiver in caregivers if caregiver.willing]
    times = []
    for caregiver in willing:
        if caregiver.available is None:
            return None
        times += [(begins, ends) for begins, ends, _ in stretches(caregiver.available, horizon)]
    return times


def _cut(spans: Iterable[tuple[int, int]], low: int, high: int) -> Iterable[tuple[int, int]]:
    """The spans without the minutes from `low` to `high`, both included."""
    for first, last in spans:
        if high < first or low > last:
            yield first, last
            continue
        if first < low:
            yield first, low - 1
        if high < last:
            yield high + 1, last


def merged(spans: Iterable[tuple[int, int]]) -> tuple[Window, ...]:
    """Spans that hold anything, in order, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(span for span in spans if span[0] <= span[1]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(Window(low, high) for low, high in joined)
