"""Of an order week that reaches past the run, only its share is wanted now."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus
from coordinator.planning.horizon import Horizon
from coordinator.planning.share import share, this_run
from coordinator.visits.model import Visit

MONDAY, SUNDAY = date(2026, 11, 9), date(2026, 11, 15)
RUN = Horizon(ZoneInfo("America/Los_Angeles"), MONDAY, SUNDAY)


@pytest.mark.parametrize(
    ("units", "inside", "after", "expected"),
    [(2, 1, 6, 0), (3, 1, 6, 0), (5, 1, 6, 1), (7, 1, 6, 1), (2, 5, 1, 2), (3, 5, 1, 3), (1, 5, 1, 1), (1, 7, 7, 1)],
)
def test_a_share_is_by_days_and_halves_count_up(units: int, inside: int, after: int, expected: int) -> None:
    assert share(units, inside, after) == expected


def _visit(number: int, *, unit: int, first: date, last: date, week: int = 1, **given: object) -> Visit:
    values = {
        "id": number, "order_week_id": week, "unit": unit, "window_from": first, "window_to": last, "minutes": 45,
        "status": VisitStatus.PROPOSED, "kind": VisitKind.ROUTINE, "discipline": Discipline.SN, "is_optional": False,
    } | given  # fmt: skip
    return Visit(**values)


def test_the_next_week_is_not_crowded_onto_the_run_s_last_day() -> None:
    mine = [_visit(n, unit=n, first=date(2026, 11, 8), last=date(2026, 11, 14)) for n in (1, 2)]
    next_week = [_visit(n, unit=n - 2, first=SUNDAY, last=date(2026, 11, 21), week=2) for n in (3, 4)]
    kept, later = this_run(mine + next_week, RUN, MONDAY)
    assert [visit.id for visit in kept] == [1, 2]
    assert later == [3, 4]


def test_what_is_due_and_what_stands_never_waits_and_a_second_person_goes_with_the_first() -> None:
    first = _visit(1, unit=1, first=SUNDAY, last=date(2026, 11, 21), kind=VisitKind.PRN)
    stands = _visit(2, unit=1, first=SUNDAY, last=date(2026, 11, 21), week=2, status=VisitStatus.BOOKED)
    lead = _visit(3, unit=1, first=SUNDAY, last=date(2026, 11, 21), week=3)
    second = _visit(4, unit=None, first=SUNDAY, last=date(2026, 11, 21), week=None, joint_with_id=3)
    kept, later = this_run([first, stands, lead, second], RUN, MONDAY)
    assert [visit.id for visit in kept] == [1, 2]
    assert later == [3, 4]


def test_what_is_beyond_the_floor_waits_first() -> None:
    units = [
        _visit(1, unit=1, first=MONDAY, last=date(2026, 11, 22), is_optional=True),
        _visit(2, unit=2, first=MONDAY, last=date(2026, 11, 22)),
    ]
    kept, later = this_run(units, RUN, MONDAY)
    assert ([visit.id for visit in kept], later) == ([2], [1])
