"""The plan as it stands around one visit, as a problem: only what an answer about that visit needs.

The rules are asked in full about the visit itself (and who goes with it). Of the others that somebody able to make it
has, they are asked for the one who has them, on their days; of the nearest few for everybody of the profession, so that
they may go to somebody else. Everything else stays where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import hypot, inf

from coordinator.agency.service import today, zone_of
from coordinator.core.errors import Conflict
from coordinator.core.work import Work
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import PERFORMERS, VisitStatus
from coordinator.planner.plan import Plan
from coordinator.planner.problem import Problem, Reason, Window
from coordinator.planner.problem import Visit as Wanted
from coordinator.planning.answers import Answers, ask_all, without_others
from coordinator.planning.bridge import Bridge, assemble
from coordinator.planning.horizon import Horizon
from coordinator.planning.openings import openings
from coordinator.planning.scene import Scene, load
from coordinator.rules.facts import Moment
from coordinator.rules.terms import Finding, Severity, refusals
from coordinator.rules.visit import ask_clinician_side, ask_patient_side
from coordinator.visits import placing, queries, units
from coordinator.visits.book import CaseBook
from coordinator.visits.model import Visit

#: A question looks at so many days: others may make room by going to another day than the visit may.
LEAST_DAYS, MOST_DAYS = 7, 14
#: So many visits, the nearest ones, may go to somebody else where another has to make room: to ask the rules about each
#: with everybody takes its time.
MOVERS = 12
#: Rules that keep a wish and not a law: a clinical manager may set them aside, with a coded reason.
WISHES = frozenset({"CUL-01", "LNG-01"})
#: What stands for them in the question, and the only code of the rules that may be lifted.
MAY_OVERRIDE = "may-override"
#: Besides, an agency may ask its own people for more: a longer shift, one more visit, a lock undone; and, where a
#: clinical manager agrees, more hours in the week than the agency's most, or more than twelve in a day. By law these
#: hours are paid as overtime and not forbidden (LAB-01: Labor Code 510; beyond twelve BLOCK-OVR).
LIFTABLE = frozenset({MAY_OVERRIDE, "window", "locked", "shift-full", "max-visits", "day-max", "week-max"})
_STAYS = Finding("stays", Severity.BLOCK, "", "The visit stays with who has it.")


@dataclass(frozen=True, slots=True)
class Question:
    """One visit among all that stands: the problem, the plan as it is, and the visit's position in both."""

    bridge: Bridge
    problem: Problem
    plan: Plan
    number: int
    visit: Visit


def question(work: Work, visit_id: int, *, other_days: bool = False, movers: int = 0) -> Question:
    """The question about a visit that is wanted or stands ahead. NotFound out of sight, Conflict when it is past.

    `other_days`: others may make room on any of their days, and not only on the one they have. `movers`: so many others
    may go to somebody else.
    """
    visit = queries.the_visit(work, visit_id)
    if visit.status not in units.AHEAD | {VisitStatus.PROPOSED}:
        raise placing.not_in_state(visit, "planned")
    scene = _scene(work, visit)
    asked = {row.id for row in scene.visits if visit.id in (row.id, row.joint_with_id) or row.id == visit.joint_with_id}

    def ask(work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
        own = {number: days[number] for number in days if number in asked}
        rest = {number: days[number] for number in days if number not in asked}
        if not other_days:
            rest = {row.id: [_day_of(scene, row)] for row in scene.visits if row.id in rest}
        near = _nearest(scene, visit, rest)[:movers]
        return ask_all(work, scene, book, own) | _ask_the_rest(work, scene, book, rest, frozenset(near))

    bridge = assemble(work, scene, ask=ask)
    number = next(n for n, row in enumerate(bridge.visits) if row.id == visit.id)
    notice = work.policy.planning.notice_minutes
    visits = [_liftable(bridge, n, notice, whole=row.id in asked or row.locked) for n, row in enumerate(bridge.visits)]
    problem = replace(bridge.problem, visits=tuple(visits), liftable=LIFTABLE)
    return Question(bridge, problem, bridge.start, number, visit)


def _scene(work: Work, visit: Visit) -> Scene:
    """The branch on the visit's days and around: it, who goes with it, and whatever stands."""
    zone = zone_of(work, visit.branch_id)
    first = max(today(work, visit.branch_id), visit.window_from)
    last = min(visit.window_to, first + timedelta(days=MOST_DAYS - 1))
    if visit.starts_at is not None:
        stands_on = local_day(visit.starts_at, zone)
        if not first <= stands_on <= last:
            # A window may be months long: the days around where it stands are looked at, and no more than of any other.
            first = max(min(first, stands_on), stands_on - timedelta(days=MOST_DAYS // 2))
            last = min(max(visit.window_to, stands_on), first + timedelta(days=MOST_DAYS - 1))
    if last < first:
        raise Conflict(
            f"The visit was wanted by {visit.window_to}: that is over. Record it as missed, or ask for a new one.",
            code="outside-window",
            window={"from": str(visit.window_from), "to": str(visit.window_to)},
        )
    last = max(last, first + timedelta(days=LEAST_DAYS - 1))
    scene = load(work, visit.branch_id, Horizon(zone, first, last))
    together = {visit.id, visit.joint_with_id} | {row.id for row in units.companions(work, [visit.id])}
    kept = [row for row in scene.visits if row.id in together or row.status is not VisitStatus.PROPOSED]
    if visit.id not in {row.id for row in kept}:
        kept.append(visit)
    scene.visits = tuple(sorted(kept, key=lambda row: row.id))
    able = {one.id for one in scene.clinicians if one.performer in PERFORMERS[visit.discipline]}
    scene.settle(
        [
            row.id
            for row in scene.visits
            if row.id not in together and (row.clinician_id not in able or row.joint_with_id is not None)
        ],
        fixed=True,
    )
    # Asked about like any other, so that it is known where it could go if it were unlocked.
    scene.settle([row.id for row in scene.visits if _may_unlock(row, scene) and row.clinician_id in able], fixed=False)
    return scene


def _day_of(scene: Scene, row: Visit) -> date:
    assert row.starts_at is not None
    return scene.horizon.day_of(row.starts_at)


def _may_unlock(row: Visit, scene: Scene) -> bool:
    """Whether somebody locked the visit, and it is still ahead and the branch's own. Of a held slot nobody may."""
    ahead = row.starts_at is not None and row.starts_at > scene.now and row.status in units.AHEAD
    mine = row.branch_id == scene.branch.id and row.joint_with_id is None and not scene.is_held(row)
    return row.locked and ahead and mine


def _nearest(scene: Scene, visit: Visit, others: Mapping[int, Sequence[date]]) -> list[int]:
    """The other visits on days that this one may be on, those to homes nearby first."""
    home = scene.patients[visit.patient_id].home

    def away(row: Visit) -> float:
        there = scene.patients[row.patient_id].home
        if home is None or there is None or home.lat is None or home.lon is None:
            return inf
        if there.lat is None or there.lon is None:
            return inf
        return hypot(home.lat - there.lat, 0.8 * (home.lon - there.lon))

    on = {row.id: row for row in scene.visits if row.id in others}
    mine = [row for row in on.values() if visit.window_from <= _day_of(scene, row) <= visit.window_to]
    return [row.id for row in sorted(mine, key=lambda row: (away(row), row.id))]


def _ask_the_rest(
    work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]], movers: frozenset[int]
) -> dict[int, Answers]:
    """For each visit that stands: its days, with the one who has it; of the `movers`, with all of the profession."""
    people = {one.id: one for one in scene.clinicians}
    answers: dict[int, Answers] = {}
    for visit in scene.visits:
        if visit.id not in days:
            continue
        assert visit.clinician_id is not None
        able = {
            number
            for number, one in people.items()
            if number == visit.clinician_id or (visit.id in movers and one.performer in PERFORMERS[visit.discipline])
        }
        answer = answers[visit.id] = Answers(forbidden={c: (_STAYS,) for c in people if c not in able})
        for day in days[visit.id]:
            case = without_others(book.case(visit, day=day))
            refused = refusals(ask_patient_side(case, Moment.CONFIRM, work.policy))
            if refused:
                answer.closed[day] = refused
                continue
            answer.cases[day] = case
            for number in sorted(able):
                case = book.case(visit, clinician=people[number], day=day)
                if refused := refusals(ask_clinician_side(case, Moment.CONFIRM, work.policy)):
                    answer.forbidden_days[number, day] = refused
    return answers


# ------------------------------------------------------------------------------------ what may be lifted


def _liftable(bridge: Bridge, number: int, notice: int, *, whole: bool) -> Wanted:
    """The visit with what may be lifted told apart: wishes from laws, a lock that somebody set from what has begun."""
    wanted, row = bridge.problem.visits[number], bridge.visits[number]
    if number in bridge.fixed:
        return replace(wanted, lock_reason=Reason.of("stays"))
    if not whole:
        return wanted  # nothing is lifted for it, and it is not locked
    answers = bridge.answers[row.id]
    people = {one.id: n for n, one in enumerate(bridge.scene.clinicians)}
    horizon = bridge.scene.horizon
    return replace(
        wanted,
        locked=row.locked,
        forbidden=dict(wanted.forbidden) | {people[c]: _wish(f) for c, f in answers.forbidden.items() if _is_wish(f)},
        forbidden_days=dict(wanted.forbidden_days)
        | {(people[c], horizon.index(d)): _wish(f) for (c, d), f in answers.forbidden_days.items() if _is_wish(f)},
        closed_days=dict(wanted.closed_days)
        | {horizon.index(day): _wish(f) for day, f in answers.closed.items() if _is_wish(f)},
        widest=_widest(bridge, row, wanted, notice),
    )


def _is_wish(findings: Sequence[Finding]) -> bool:
    return all(one.severity is Severity.BLOCK_OVR and one.rule in WISHES for one in findings)


def _wish(findings: Sequence[Finding]) -> Reason:
    first = findings[0]
    return Reason.of(MAY_OVERRIDE, rule=first.rule, sentence=first.sentence(), cure=first.cure_sentence())


def _widest(bridge: Bridge, row: Visit, wanted: Wanted, notice: int) -> dict[int, Window]:
    """How far the day's windows may open: as far as they would if the patient kept no time free. Nothing begins within
    `notice` minutes.
    """
    horizon = bridge.scene.horizon
    not_before = horizon.minute_up(bridge.scene.now + timedelta(minutes=notice))
    found = {}
    for index, day in enumerate(horizon.days):
        case = bridge.answers[row.id].cases.get(day)
        if case is None:
            if index in wanted.closed_days:
                first, after = horizon.bounds(day)
                found[index] = Window(max(first, not_before), max(first, not_before, after - wanted.minutes))
            continue
        dark = tuple(window for window in case.patient.no_visit_windows if window.dark)
        free = replace(case, patient=replace(case.patient, no_visit_windows=dark))
        windows = openings(free, wanted.minutes, horizon.bounds(day), horizon, not_before=not_before, due_at=row.due_at)
        if windows:
            found[index] = Window(windows[0].earliest_start, windows[-1].latest_start)
    return found
