"""The hard rules: what a plan may never do, each checked on the plan's own times.

What is locked is a fact, published or already happening: windows, forbidden pairs and ties are not held against it.
A tie
is broken only if a visit that is not locked takes part, and a locked visit may stand without its linked partner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from coordinator.planner.ledger import Ledger
from coordinator.planner.plan import Assignment, Violation
from coordinator.planner.problem import GroupCap
from coordinator.planner.scope import Scope

Found = Iterator[Violation]


def _free(ledger: Ledger, visits: list[int]) -> bool:
    """Whether any of these visits is not locked."""
    return any(not ledger.problem.visits[visit].locked for visit in visits)


def _get(values: tuple[int, ...], index: int) -> int:
    return values[index] if index < len(values) else 0


def no_slot(ledger: Ledger, scope: Scope) -> Found:
    """A visit by somebody who does not work that day."""
    for a in ledger.made(scope):
        if (a.clinician, a.day) not in ledger.sheets:
            yield Violation("no-slot", (a.visit,), a.clinician, a.day)


def _of_the_day(rule: str) -> Callable[[Ledger, Scope], Found]:
    """Found while the days were written out."""

    def found(ledger: Ledger, scope: Scope) -> Found:
        for sheet in ledger.sheets_in(scope):
            yield from (violation for violation in sheet.broken if violation.rule == rule)

    return found


def forbidden(ledger: Ledger, scope: Scope) -> Found:
    """A clinician that may not make the visit, on any day or on this one."""
    for a in ledger.made(scope):
        visit = ledger.problem.visits[a.visit]
        if not visit.locked and (a.clinician in visit.forbidden or (a.clinician, a.day) in visit.forbidden_days):
            yield Violation("forbidden", (a.visit,), a.clinician, a.day)


def window(ledger: Ledger, scope: Scope) -> Found:
    """A start outside every window of its day."""
    for a in ledger.made(scope):
        visit = ledger.problem.visits[a.visit]
        inside = any(w.earliest_start <= a.start_minute <= w.latest_start for w in visit.windows.get(a.day, ()))
        if not visit.locked and not inside:
            yield Violation("window", (a.visit,), a.clinician, a.day, a.start_minute)


def locked(ledger: Ledger, scope: Scope) -> Found:
    """A locked visit that is not exactly where it is locked."""
    for index in scope.visits:
        visit = ledger.problem.visits[index]
        if not visit.locked or visit.current is None:
            continue
        now = visit.current
        a = ledger.placed.get(index)
        if a is None or (a.clinician, a.day, a.start_minute) != (now.clinician, now.day, now.start_minute):
            yield Violation(
                "locked", (index,), now.clinician, now.day, -1 if a is None else a.start_minute, now.start_minute
            )


def mandatory(ledger: Ledger, scope: Scope) -> Found:
    """A mandatory visit that is left out."""
    for index in scope.visits:
        visit = ledger.problem.visits[index]
        if visit.mandatory and not visit.locked and index not in ledger.placed:
            yield Violation("mandatory", (index,))


def overlap(ledger: Ledger, scope: Scope) -> Found:
    """A patient in two places: two visits at once that are not linked to each other."""
    for name in scope.patients:
        placed = [ledger.placed[v] for v in ledger.index.by_patient[name] if v in ledger.placed]
        mine = sorted(placed, key=lambda a: (a.start_minute, a.visit))
        for i, one in enumerate(mine):
            end = one.start_minute + ledger.minutes(one)
            for other in mine[i + 1 :]:
                pair = (one.visit, other.visit)
                if other.start_minute < end and frozenset(pair) not in ledger.index.linked:
                    yield Violation("patient-overlap", pair, other.clinician, other.day, other.start_minute, end)


def busy(ledger: Ledger, scope: Scope) -> Found:
    """A visit while the patient is busy."""
    for a in ledger.made(scope):
        visit = ledger.problem.visits[a.visit]
        if visit.locked:
            continue
        for interval in ledger.problem.patient_busy.get(visit.patient, ()):
            if a.start_minute < interval.end_minute and a.start_minute + ledger.minutes(a) > interval.start_minute:
                yield Violation("patient-busy", (a.visit,), a.clinician, a.day, a.start_minute, interval.start_minute)


def spacing(ledger: Ledger, scope: Scope) -> Found:
    """Two visits of one order on days that are too close."""
    for tie in scope.spacings:
        least = max(tie.min_gap_days, 1 if tie.at_most_one_per_day else 0)
        days = sorted((ledger.placed[v].day, v) for v in tie.visits if v in ledger.placed)
        for i, (day, visit) in enumerate(days):
            for other_day, other in days[i + 1 :]:
                if other_day - day < least and _free(ledger, [visit, other]):
                    yield Violation("spacing", (visit, other), None, other_day, other_day - day, least)
            for held in tie.held_days:
                if abs(held - day) < least and _free(ledger, [visit]):
                    yield Violation("spacing", (visit,), None, day, abs(held - day), least)


def pattern(ledger: Ledger, scope: Scope) -> Found:
    """Visits of one order on days that follow none of its patterns."""
    for tie in scope.patterns:
        made = {n: ledger.placed[v].day for n, v in enumerate(tie.visits) if v in ledger.placed}
        follows = any(all(days[n] == day for n, day in made.items()) for days in tie.patterns)
        if made and not follows and _free(ledger, [tie.visits[n] for n in made]):
            yield Violation("pattern", tuple(tie.visits[n] for n in made))


def daily_limit(ledger: Ledger, scope: Scope) -> Found:
    """More visits of a group on one day than it allows."""
    for tie in scope.daily_limits:
        by_day: dict[int, list[int]] = {}
        for v in tie.visits:
            if v in ledger.placed:
                by_day.setdefault(ledger.placed[v].day, []).append(v)
        for day, visits in sorted(by_day.items()):
            count = len(visits) + _get(tie.held, day)
            if count > tie.max_per_day and _free(ledger, visits):
                yield Violation("day-limit", tuple(visits), None, day, count, tie.max_per_day)


def cap_day(ledger: Ledger, scope: Scope) -> Found:
    """More minutes of a group on a day than it allows."""
    for tie in scope.group_caps:
        yield from _capped(ledger, tie, "cap-day", lambda a: a.day, tie.used_by_day, tie.day_cap_minutes)


def cap_week(ledger: Ledger, scope: Scope) -> Found:
    """More minutes of a group in a week than it allows."""
    for tie in scope.group_caps:
        yield from _capped(
            ledger, tie, "cap-week", lambda a: ledger.week(a.day), tie.used_by_week, tie.week_cap_minutes
        )


def _capped(
    ledger: Ledger,
    tie: GroupCap,
    rule: str,
    bucket_of: Callable[[Assignment], int],
    used: tuple[int, ...],
    limit: int | None,
) -> Found:
    if limit is None:
        return
    buckets: dict[int, list[int]] = {}
    for v in tie.visits:
        if v in ledger.placed:
            buckets.setdefault(bucket_of(ledger.placed[v]), []).append(v)
    for bucket, visits in sorted(buckets.items()):
        minutes = _get(used, bucket) + sum(ledger.minutes(ledger.placed[v]) for v in visits)
        if minutes > limit and _free(ledger, visits):
            yield Violation(rule, tuple(visits), None, bucket if rule == "cap-day" else None, minutes, limit)


def link(ledger: Ledger, scope: Scope) -> Found:
    """Linked visits: one without the other, at the wrong distance, or by the wrong people."""
    for tie in scope.links:
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


def week_max(ledger: Ledger, scope: Scope) -> Found:
    """More worked minutes in a week than the clinician may work."""
    for (clinician, week), sheets in sorted(ledger.weeks(scope).items()):
        limit = ledger.problem.clinicians[clinician].week_max_minutes
        worked = ledger.already(clinician, week) + sum(sheet.worked for sheet in sheets)
        if limit is not None and worked > limit:
            yield Violation("week-max", (), clinician, None, worked, limit)


def changed(ledger: Ledger, visits: Iterable[int]) -> list[int]:
    """Those that are no longer where the published plan has them, by more than their tolerance."""
    found = []
    for index in visits:
        now, a = ledger.problem.visits[index].current, ledger.placed.get(index)
        if now is None:
            continue
        stays = a is not None and (a.clinician, a.day) == (now.clinician, now.day)
        if a is None or not stays or abs(a.start_minute - now.start_minute) > now.time_tolerance_minutes:
            found.append(index)
    return found


def touched(ledger: Ledger, patients: Iterable[str]) -> dict[str, list[int]]:
    """Their changed visits, of those whom such changes concern and whom the event itself has not touched."""
    exempt = ledger.problem.touch.exempt_patients
    by_patient = {name: changed(ledger, ledger.index.by_patient[name]) for name in patients if name not in exempt}
    return {name: visits for name, visits in by_patient.items() if visits}


def touch_budget(ledger: Ledger, _scope: Scope) -> Found:
    """More patients touched than the change may touch."""
    limit = ledger.problem.touch.max_patients
    if limit is None:
        return
    found = touched(ledger, ledger.whole.patients)
    if len(found) > limit:
        visits = tuple(sorted(v for mine in found.values() for v in mine))
        yield Violation("touch-budget", visits, None, None, len(found), limit)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that no plan may do."""

    name: str
    """That of its violations."""
    sentence: str
    check: Callable[[Ledger, Scope], Found]

    def full(self, ledger: Ledger) -> tuple[Violation, ...]:
        """Every time the plan does it."""
        return tuple(self.check(ledger, ledger.whole))

    def delta(self, before: Ledger, after: Ledger, scope: Scope) -> int:
        """How many times more it does after a change that reaches no further than the scope."""
        return sum(1 for _ in self.check(after, scope)) - sum(1 for _ in self.check(before, scope))


HARD: tuple[Rule, ...] = (
    Rule("no-slot", "Nobody makes visits on a day off.", no_slot),
    Rule("shift-start", "Nobody leaves before the shift starts.", _of_the_day("shift-start")),
    Rule("shift-end", "Everybody is back by the end of the shift.", _of_the_day("shift-end")),
    Rule("travel", "There is time to drive from each visit to the next.", _of_the_day("travel")),
    Rule("break", "Breaks that are owed are taken in their time; nobody works in one.", _of_the_day("break")),
    Rule("day-max", "Nobody works longer in a day than may be.", _of_the_day("day-max")),
    Rule("max-visits", "Nobody makes more visits in a day than may be.", _of_the_day("max-visits")),
    Rule("forbidden", "Only those make a visit who may.", forbidden),
    Rule("window", "Every visit starts in one of its windows.", window),
    Rule("locked", "What is locked stays.", locked),
    Rule("mandatory", "What is mandatory is made.", mandatory),
    Rule("patient-overlap", "No patient has two visits at once, but for linked ones.", overlap),
    Rule("patient-busy", "No visit is made while the patient is busy.", busy),
    Rule("spacing", "Visits of one order keep their distance in days.", spacing),
    Rule("pattern", "Visits of one order follow one of its patterns of days.", pattern),
    Rule("day-limit", "No day has more visits of a group than may be.", daily_limit),
    Rule("cap-day", "No day has more minutes of a group than may be.", cap_day),
    Rule("cap-week", "No week has more minutes of a group than may be.", cap_week),
    Rule("link", "Linked visits are both made, at their distance, by the right people.", link),
    Rule("week-max", "Nobody works longer in a week than may be.", week_max),
    Rule("touch-budget", "A change touches no more patients than it may.", touch_budget),
)
