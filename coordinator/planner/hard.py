"""The hard rules: what a plan may never do, each checked on the plan's own times.

What is locked is a fact, published or already happening: windows, forbidden pairs and ties are not held against it.
A tie
is broken only if a visit that is not locked takes part, and a locked visit may stand without its linked partner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coordinator.planner.ledger import Ledger
from coordinator.planner.plan import Assignment, Violation


def _free(ledger: Ledger, visits: list[int]) -> bool:
    """Whether any of these visits is not locked."""
    return any(not ledger.problem.visits[visit].locked for visit in visits)


def _get(values: tuple[int, ...], index: int) -> int:
    return values[index] if index < len(values) else 0


def physical(ledger: Ledger) -> Iterator[Violation]:
    """Shift, travel, breaks, time off, day limits: found while the days were written out."""
    yield from ledger.broken


def forbidden(ledger: Ledger) -> Iterator[Violation]:
    """A clinician that may not make the visit, on any day or on this one."""
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        if not visit.locked and (a.clinician in visit.forbidden or (a.clinician, a.day) in visit.forbidden_days):
            yield Violation("forbidden", (a.visit,), a.clinician, a.day)


def window(ledger: Ledger) -> Iterator[Violation]:
    """A start outside every window of its day."""
    for a in ledger.plan.assignments:
        visit = ledger.problem.visits[a.visit]
        inside = any(w.earliest_start <= a.start_minute <= w.latest_start for w in visit.windows.get(a.day, ()))
        if not visit.locked and not inside:
            yield Violation("window", (a.visit,), a.clinician, a.day, a.start_minute)


def locked(ledger: Ledger) -> Iterator[Violation]:
    """A locked visit that is not exactly where it is locked."""
    for index, visit in enumerate(ledger.problem.visits):
        if not visit.locked or visit.current is None:
            continue
        now = visit.current
        a = ledger.placed.get(index)
        if a is None or (a.clinician, a.day, a.start_minute) != (now.clinician, now.day, now.start_minute):
            yield Violation(
                "locked", (index,), now.clinician, now.day, -1 if a is None else a.start_minute, now.start_minute
            )


def mandatory(ledger: Ledger) -> Iterator[Violation]:
    """A mandatory visit that is left out."""
    for index, visit in enumerate(ledger.problem.visits):
        if visit.mandatory and not visit.locked and index not in ledger.placed:
            yield Violation("mandatory", (index,))


def patient(ledger: Ledger) -> Iterator[Violation]:
    """A patient in two places: two unlinked visits at once, or a visit while the patient is busy."""
    linked = {frozenset((link.first, link.second)) for link in ledger.problem.links}
    by_patient: dict[str, list[Assignment]] = {}
    for a in ledger.plan.assignments:
        by_patient.setdefault(ledger.problem.visits[a.visit].patient, []).append(a)
    for name in sorted(by_patient):
        mine = sorted(by_patient[name], key=lambda a: (a.start_minute, a.visit))
        for i, one in enumerate(mine):
            end = one.start_minute + ledger.minutes(one)
            for other in mine[i + 1 :]:
                if other.start_minute < end and frozenset((one.visit, other.visit)) not in linked:
                    pair = (one.visit, other.visit)
                    yield Violation("patient-overlap", pair, other.clinician, other.day, other.start_minute, end)
            if ledger.problem.visits[one.visit].locked:
                continue
            for busy in ledger.problem.patient_busy.get(name, ()):
                if one.start_minute < busy.end_minute and end > busy.start_minute:
                    yield Violation(
                        "patient-busy", (one.visit,), one.clinician, one.day, one.start_minute, busy.start_minute
                    )


def spacing(ledger: Ledger) -> Iterator[Violation]:
    """Two visits of one order on days that are too close."""
    for tie in ledger.problem.spacings:
        least = max(tie.min_gap_days, 1 if tie.at_most_one_per_day else 0)
        days = sorted((ledger.placed[v].day, v) for v in tie.visits if v in ledger.placed)
        for i, (day, visit) in enumerate(days):
            for other_day, other in days[i + 1 :]:
                if other_day - day < least and _free(ledger, [visit, other]):
                    yield Violation("spacing", (visit, other), None, other_day, other_day - day, least)
            for held in tie.held_days:
                if abs(held - day) < least and _free(ledger, [visit]):
                    yield Violation("spacing", (visit,), None, day, abs(held - day), least)


def daily_limit(ledger: Ledger) -> Iterator[Violation]:
    """More visits of a group on one day than it allows."""
    for tie in ledger.problem.daily_limits:
        by_day: dict[int, list[int]] = {}
        for v in tie.visits:
            if v in ledger.placed:
                by_day.setdefault(ledger.placed[v].day, []).append(v)
        for day, visits in sorted(by_day.items()):
            count = len(visits) + _get(tie.held, day)
            if count > tie.max_per_day and _free(ledger, visits):
                yield Violation("day-limit", tuple(visits), None, day, count, tie.max_per_day)


def cap(ledger: Ledger) -> Iterator[Violation]:
    """More minutes of a group on a day or in a week than it allows."""
    for tie in ledger.problem.group_caps:
        by_day: dict[int, list[int]] = {}
        by_week: dict[int, list[int]] = {}
        for v in tie.visits:
            if v in ledger.placed:
                day = ledger.placed[v].day
                by_day.setdefault(day, []).append(v)
                by_week.setdefault(ledger.week(day), []).append(v)
        sides = (
            ("cap-day", by_day, tie.used_by_day, tie.day_cap_minutes),
            ("cap-week", by_week, tie.used_by_week, tie.week_cap_minutes),
        )
        for rule, groups, used, limit in sides:
            for bucket, visits in sorted(groups.items()):
                minutes = _get(used, bucket) + sum(ledger.minutes(ledger.placed[v]) for v in visits)
                if limit is not None and minutes > limit and _free(ledger, visits):
                    yield Violation(rule, tuple(visits), None, bucket if rule == "cap-day" else None, minutes, limit)


def link(ledger: Ledger) -> Iterator[Violation]:
    """Linked visits: one without the other, at the wrong distance, or by the wrong people."""
    for tie in ledger.problem.links:
        pair = (tie.first, tie.second)
        one, other = ledger.placed.get(tie.first), ledger.placed.get(tie.second)
        if not _free(ledger, list(pair)) or (one is None and other is None):
            continue
        if one is None or other is None:
            alone = tie.first if other is None else tie.second
            if not ledger.problem.visits[alone].locked:
                yield Violation("link", pair)
            continue
        least, most = (tie.min_minutes, tie.max_minutes) if tie.kind == "gap" else (0, 0)
        gap = other.start_minute - one.start_minute
        same = one.clinician == other.clinician
        if tie.kind != "both" and not least <= gap <= most:
            yield Violation("link", pair, other.clinician, other.day, gap, least if gap < least else most)
        if (tie.different_clinicians and same) or (tie.same_clinician and not same):
            yield Violation("link", pair, other.clinician, other.day)


def week_max(ledger: Ledger) -> Iterator[Violation]:
    """More worked minutes in a week than the clinician may work."""
    for (clinician, week), sheets in sorted(ledger.weeks().items()):
        limit = ledger.problem.clinicians[clinician].week_max_minutes
        worked = ledger.already(clinician, week) + sum(sheet.worked for sheet in sheets)
        if limit is not None and worked > limit:
            yield Violation("week-max", (), clinician, None, worked, limit)


def changed_visits(ledger: Ledger) -> list[int]:
    """Visits that are no longer where the published plan has them, by more than their tolerance."""
    changed = []
    for index, visit in enumerate(ledger.problem.visits):
        now, a = visit.current, ledger.placed.get(index)
        if now is None:
            continue
        stays = a is not None and (a.clinician, a.day) == (now.clinician, now.day)
        if a is None or not stays or abs(a.start_minute - now.start_minute) > now.time_tolerance_minutes:
            changed.append(index)
    return changed


def touched_patients(ledger: Ledger) -> list[str]:
    """Patients whom those changes concern, without those whom the event itself has touched."""
    visits, exempt = ledger.problem.visits, set(ledger.problem.touch.exempt_patients)
    return sorted({visits[index].patient for index in changed_visits(ledger)} - exempt)


def touch_budget(ledger: Ledger) -> Iterator[Violation]:
    """More patients touched than the change may touch."""
    limit = ledger.problem.touch.max_patients
    if limit is None:
        return
    touched = touched_patients(ledger)
    if len(touched) > limit:
        visits = tuple(v for v in changed_visits(ledger) if ledger.problem.visits[v].patient in touched)
        yield Violation("touch-budget", visits, None, None, len(touched), limit)


HARD: tuple[Callable[[Ledger], Iterator[Violation]], ...] = (
    physical,
    forbidden,
    window,
    locked,
    mandatory,
    patient,
    spacing,
    daily_limit,
    cap,
    link,
    week_max,
    touch_budget,
)
