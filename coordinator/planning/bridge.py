"""From rows to the planner's problem: the one place that knows both.

A visit that has begun, is locked, starts within the minute or belongs to another branch is fixed. So is one that stands
but that the rules would no longer confirm anywhere: taking it away is a person's decision, never the planner's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from coordinator.core.work import Work
from coordinator.domain.lifecycle import LIVE_VISIT
from coordinator.domain.vocabulary import VisitKind, VisitStatus
from coordinator.planner.fingerprint import fingerprint
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Current, Day, Problem, Reason, Window
from coordinator.planner.problem import Visit as Wanted
from coordinator.planning import clocks, shifts, wishes
from coordinator.planning.answers import Answers, ask_all, reason_of
from coordinator.planning.horizon import Horizon
from coordinator.planning.openings import openings, stretches
from coordinator.planning.places import Places
from coordinator.planning.prices import MovePrice, Prices, touch_of, weights_of
from coordinator.planning.scene import Scene, load
from coordinator.planning.ties import Ties
from coordinator.rules.facts import VisitCase
from coordinator.rules.labour import ask_daylight
from coordinator.rules.language import ask_observances
from coordinator.rules.terms import Policy
from coordinator.travel import ways
from coordinator.visits import cases
from coordinator.visits.book import CaseBook
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.model import Visit

#: Of what stays where it is.
NO_PRICE = MovePrice(0, 0, 0, 0)
#: Visits whose day must not wait.
FIRST_KINDS = frozenset({VisitKind.INITIAL, VisitKind.RESUMPTION})


@dataclass(frozen=True, slots=True)
class Bridge:
    """A problem with the way back: which row each of its numbers stands for."""

    problem: Problem
    scene: Scene
    visits: tuple[Visit, ...]
    places: Places
    answers: Mapping[int, Answers]
    #: Where everything that stands is now.
    start: Plan
    #: Positions of the visits that stay where they are.
    fixed: frozenset[int]
    #: Of those, the ones that the rules would not confirm today.
    unconfirmable: frozenset[int]

    @property
    def problem_hash(self) -> str:
        """Hash of the problem; worked out when it is asked for, for it takes a while and not everybody asks."""
        return fingerprint(self.problem, Plan())

    @property
    def wanted(self) -> tuple[int, ...]:
        """Positions of the visits that the planner is free to place."""
        return tuple(number for number in range(len(self.visits)) if number not in self.fixed)


#: Puts the rules' questions about the visits that are not fixed, on their days (by visit id).
Ask = Callable[[Work, Scene, CaseBook, Mapping[int, Sequence[date]]], dict[int, Answers]]


def build(work: Work, branch_id: int, horizon: Horizon, prices: Prices | None = None) -> Bridge:
    """The problem of a branch's days, with the rules' own words for everything that is not allowed."""
    return assemble(work, load(work, branch_id, horizon), prices)


def assemble(
    work: Work,
    scene: Scene,
    prices: Prices | None = None,
    ask: Ask = ask_all,
    *,
    loose: Collection[int] | None = None,
) -> Bridge:
    """The problem of a scene, which may hold people who are no rows: `ask` knows how the rules are asked of those.

    `prices` are the policy's unless given. With `loose` only these visits may move: others that stand are fixed, others
    that are wanted are left out, and the rules are asked about the loose ones alone.
    """
    policy: Policy = work.policy.on(scene.horizon.start_on)
    prices = policy.prices if prices is None else prices
    horizon = scene.horizon
    if loose is not None:
        scene = replace(scene, visits=tuple(v for v in scene.visits if v.status in LIVE_VISIT or v.id in loose))
    visits = scene.visits

    def is_fixed(visit: Visit) -> bool:
        return scene.is_fixed(visit) or (loose is not None and visit.id not in loose)

    book = cases.load(
        work,
        [visit for visit in visits if visit.id > 0 and (loose is None or not is_fixed(visit))],
    )  # the clinicians were read for the scene, in this transaction
    not_before = horizon.minute_up(scene.now + timedelta(minutes=policy.planning.notice_minutes))
    days = {visit.id: _days(visit, horizon, not_before) for visit in visits if not is_fixed(visit)}
    answers = ask(work, scene, book, days)
    duties = clocks.duties_of(work, [visit for visit in visits if visit.id in answers])
    clocks.narrow(scene, answers, duties, policy)
    places = Places(
        scene.branch,
        scene.patients.values(),
        scene.clinicians,
        buffer_minutes=policy.travel.buffer_minutes,
        ask=partial(ways.matrix, work),
    )
    people = {clinician.id: number for number, clinician in enumerate(scene.clinicians)}
    made = {
        visit.id: _Opening(visit, answers[visit.id], horizon, not_before) for visit in visits if visit.id in answers
    }
    unconfirmable = frozenset(
        number
        for number, visit in enumerate(visits)
        if visit.id in made and visit.status in LIVE_VISIT and not _anywhere(made[visit.id], people, answers[visit.id])
    )
    ties = Ties(scene, visits, policy, prices)
    # Nobody goes as the second without the first: who stands so stays, and who is wanted so is not planned by halves.
    fixed = unconfirmable | {
        number
        for number, visit in enumerate(visits)
        if is_fixed(visit) or (number in ties.alone and visit.status in LIVE_VISIT)
    }
    for number in ties.alone - fixed:
        made[visits[number].id].close(_without_first(visits[number]))
    slots = shifts.slots(scene, places, [visits[number] for number in sorted(fixed)], policy, prices)
    problem = Problem(
        name=f"branch {scene.branch.id}, {horizon.start_on} to {horizon.end_on}",
        days=tuple(
            Day(*horizon.bounds(day), label=day.isoformat(), week=scene.pay_week(day, policy.weeks.workweek_anchor))
            for day in horizon.days
        ),
        travel_seconds=places.planned_seconds,
        clinicians=shifts.people(scene, policy),
        slots=slots,
        visits=tuple(
            _fixed(visit, scene, places, people)
            if number in fixed
            else _wanted(visit, scene, places, people, answers[visit.id], made[visit.id], prices, duties)
            for number, visit in enumerate(visits)
        ),
        spacings=ties.spacings(),
        daily_limits=ties.daily_limits(),
        faces_limits=ties.faces_limits(),
        group_caps=ties.group_caps(),
        links=ties.links(),
        regularities=ties.regularities(),
        seventh_days=shifts.seventh_days(scene, slots, policy, prices),
        touch=touch_of(
            prices, told=any(one.told_patient_at is not None and n not in fixed for n, one in enumerate(visits))
        ),
        weights=weights_of(prices),
    )
    start = Plan.of(
        [
            Assignment(number, wanted.current.clinician, wanted.current.day, wanted.current.start_minute)
            for number, wanted in enumerate(problem.visits)
            if wanted.current is not None
        ]
    )
    return Bridge(
        problem=problem,
        scene=scene,
        visits=visits,
        places=places,
        answers=answers,
        start=start,
        fixed=fixed,
        unconfirmable=unconfirmable,
    )


def _days(visit: Visit, horizon: Horizon, not_before: int) -> list[date]:
    """Days of the run on which the visit may be made, the past left out."""
    return [
        day
        for day in horizon.days
        if visit.window_from <= day <= visit.window_to and horizon.bounds(day)[1] > not_before
    ]


class _Opening:
    """When a visit may begin, by day, and why not on the other days."""

    def __init__(self, visit: Visit, answers: Answers, horizon: Horizon, not_before: int) -> None:
        self.windows: dict[int, tuple[Window, ...]] = {}
        self.closed: dict[int, Reason] = {}
        self.minutes = duration(visit)
        for day, findings in answers.closed.items():
            self.closed[horizon.index(day)] = reason_of(findings)
        for day, case in answers.cases.items():
            windows = openings(
                case, self.minutes, horizon.bounds(day), horizon, not_before=not_before, due_at=visit.due_at
            )
            if windows:
                self.windows[horizon.index(day)] = windows
            else:
                self.closed[horizon.index(day)] = _why_closed(case, day, self.minutes, horizon)
        for index, day in enumerate(horizon.days):
            if visit.window_from <= day <= visit.window_to and index not in self.windows and index not in self.closed:
                self.closed[index] = Reason.of("day-past", sentence=f"{day.isoformat()} is over.", cure="")

    def close(self, reason: Reason) -> None:
        """No day is open, for this reason unless a day has one of its own."""
        self.closed = dict.fromkeys(self.windows, reason) | self.closed
        self.windows = {}


def _without_first(visit: Visit) -> Reason:
    return Reason.of(
        "second-alone",
        sentence=f"This is the second person's visit beside visit {visit.joint_with_id}, which these days do not hold "
        "or which another goes with already.",
        cure="Plan the days of both, or give the first one its time by hand.",
    )


def _why_closed(case: VisitCase, day: date, minutes: int, horizon: Horizon) -> Reason:
    """What leaves no time on a day that the rules do not close as a whole."""
    first, after = horizon.bounds(day)
    for begins, ends, _ in stretches(case.patient.no_visit_windows, horizon):
        if begins < after and ends > first:
            starts_at = horizon.instant(max(first, begins))
            timed = replace(
                case.visit, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), minutes=minutes
            )
            asked = replace(case, visit=timed)
            finding = ask_observances(asked) or ask_daylight(asked)
            if finding is not None:
                return reason_of([finding])
    return Reason.of(
        "too-late",
        sentence=f"There is no time left on {day.isoformat()} before the visit is due.",
        cure="Plan the visit by hand, or record why it is late.",
    )


def duration(visit: Visit) -> int:
    """Minutes to plan: as long as the visit is asked for, or as long as it was given where it stands."""
    if visit.status in LIVE_VISIT and visit.starts_at is not None and visit.ends_at is not None:
        return max(1, int((visit.ends_at - visit.starts_at).total_seconds()) // 60)
    return visit.minutes


def _anywhere(made: _Opening, people: Mapping[int, int], answers: Answers) -> bool:
    """Whether any clinician may make the visit on any day, as far as the rules are asked."""
    closed = {(clinician, day) for clinician, day in answers.forbidden_days}
    return any(
        clinician not in answers.forbidden and any((clinician, day) not in closed for day in answers.cases)
        for clinician in people
    ) and bool(made.windows)


def _current(visit: Visit, scene: Scene, people: Mapping[int, int], price: MovePrice) -> Current:
    assert visit.starts_at is not None
    assert visit.clinician_id is not None
    return Current(
        clinician=people[visit.clinician_id],
        day=scene.horizon.index(scene.horizon.day_of(visit.starts_at)),
        start_minute=scene.horizon.minute(visit.starts_at),
        told=visit.told_patient_at is not None,
        clinician_change_cost=price.clinician,
        day_change_cost=price.day,
        time_change_cost=price.time,
        time_tolerance_minutes=price.tolerance_minutes,
    )


def move_price(visit: Visit, prices: Prices) -> MovePrice:
    """Dear when others rely on it: the patient was told, the roster published, or the visit only held."""
    if visit.told_patient_at is not None:
        return prices.told
    if visit.published_at is not None:
        return prices.published
    return prices.held if visit.status is VisitStatus.PENDING else prices.booked


def _fixed(visit: Visit, scene: Scene, places: Places, people: Mapping[int, int]) -> Wanted:
    return Wanted(
        key=str(visit.id),
        patient=str(visit.patient_id),
        place=places.home(visit.patient_id),
        minutes=duration(visit),
        windows={},
        discipline=visit.discipline.value,
        current=_current(visit, scene, people, NO_PRICE),
        locked=True,
    )


def _wanted(
    visit: Visit,
    scene: Scene,
    places: Places,
    people: Mapping[int, int],
    answers: Answers,
    made: _Opening,
    prices: Prices,
    duties: Mapping[int, Sequence[VisitDuty]],
) -> Wanted:
    horizon = scene.horizon
    stands = visit.status in LIVE_VISIT
    return Wanted(
        key=str(visit.id),
        patient=str(visit.patient_id),
        place=places.home(visit.patient_id),
        minutes=made.minutes,
        windows=made.windows,
        discipline=visit.discipline.value,
        unplaced_cost=max(priority(visit, horizon, prices), _owed(duties.get(visit.id, ()), horizon, prices)),
        day_costs=_day_costs(visit, horizon, prices),
        preferences=wishes.of(visit, scene, people, prices),
        forbidden={people[clinician]: reason_of(found) for clinician, found in sorted(answers.forbidden.items())},
        forbidden_days={
            (people[clinician], horizon.index(day)): reason_of(found)
            for (clinician, day), found in sorted(answers.forbidden_days.items())
        },
        closed_days=made.closed,
        current=_current(visit, scene, people, move_price(visit, prices)) if stands else None,
    )


def priority(visit: Visit, horizon: Horizon, prices: Prices) -> int:
    """What it costs to leave the visit out: what stands and what is due first, what may wait or is optional last."""
    if visit.status in LIVE_VISIT and visit.status is not VisitStatus.PENDING:
        return prices.unplaced_standing
    if visit.kind in FIRST_KINDS or visit.due_at is not None:
        return prices.unplaced_due
    if visit.kind is VisitKind.PRN:
        return prices.unplaced_prn
    if visit.is_optional:
        return prices.unplaced_optional
    return prices.unplaced_can_wait if visit.window_to > horizon.end_on else prices.unplaced_needed


def _owed(duties: Sequence[VisitDuty], horizon: Horizon, prices: Prices) -> int:
    """What it costs to leave out a visit that carries an obligation which is due in the run: as one that is due."""
    return prices.unplaced_due if any(duty.last_on <= horizon.end_on for duty in duties) else 0


def _day_costs(visit: Visit, horizon: Horizon, prices: Prices) -> dict[int, int]:
    """Each day of waiting costs, where somebody waits."""
    if visit.kind in FIRST_KINDS or visit.due_at is not None:
        daily = prices.due_day
    elif visit.kind is VisitKind.PRN:
        daily = prices.prn_day
    else:
        return {}
    return {index: daily * index for index in range(1, len(horizon.days))}
