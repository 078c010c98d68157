"""When nobody is to come to a home, day by day: what the patient keeps free, absences, and darkness."""

from datetime import date, time
from zoneinfo import ZoneInfo

from coordinator.agency.model import Branch
from coordinator.domain.daylight import sunset
from coordinator.domain.timeline import ONE_DAY
from coordinator.patients.model import NoVisitWindow, Patient
from coordinator.rules.facts import LocalWindow

_LONGEST_ABSENCE_DAYS = 120
_MIDNIGHT = time()


def closed_windows(patient: Patient, zone: ZoneInfo, branch: Branch | None, day: date) -> tuple[LocalWindow, ...]:
    """What bears on visits of that day: windows of the patient's own, absences, and the evening where it counts.

    What hangs on the sun holds on that day and on its neighbours; the sun is the branch's.
    """
    windows: list[LocalWindow] = []
    for row in patient.no_visit_windows:
        if row.starts_at_sunset or row.ends_at_sunset:
            windows += _by_the_sun(row, zone, branch, day)
        else:
            windows.append(LocalWindow(row.starts, row.ends, row.weekday, row.on_date))
    for away in patient.unavailabilities:
        begins, ends = away.starts_at.astimezone(zone), away.ends_at.astimezone(zone)
        on = begins.date()
        while on <= ends.date() and (on - begins.date()).days <= _LONGEST_ABSENCE_DAYS:
            first = begins.time() if on == begins.date() else _MIDNIGHT
            last = ends.time() if on == ends.date() else _MIDNIGHT
            if not (on == ends.date() and ends.time() == _MIDNIGHT):
                windows.append(LocalWindow(first, last, None, on))
            on += ONE_DAY
    if patient.home is not None and patient.home.until_sunset:
        for on in (day - ONE_DAY, day, day + ONE_DAY):
            dusk = _dusk(branch, zone, on)
            if dusk is not None:
                windows.append(LocalWindow(dusk, _MIDNIGHT, None, on, dark=True))
    return tuple(windows)


def _by_the_sun(row: NoVisitWindow, zone: ZoneInfo, branch: Branch | None, day: date) -> list[LocalWindow]:
    found = []
    for on in (day - ONE_DAY, day, day + ONE_DAY):
        if row.on_date != on if row.on_date is not None else row.weekday not in (None, on.weekday()):
            continue
        dusk = _dusk(branch, zone, on)
        starts = dusk if row.starts_at_sunset and dusk is not None else row.starts
        ends = dusk if row.ends_at_sunset and dusk is not None else row.ends
        found.append(LocalWindow(starts, ends, None, on))
    return found


def _dusk(branch: Branch | None, zone: ZoneInfo, day: date) -> time | None:
    """What clocks of the zone show when the sun sets over the branch; None where it does not set."""
    at = None if branch is None else sunset(branch.office_lat, branch.office_lon, day, zone)
    return None if at is None else at.astimezone(zone).time()
