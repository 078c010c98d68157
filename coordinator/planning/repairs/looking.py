"""From what happened to a proposal: rows read once, searched with nothing open, and put into plain values.

`look` reads, in a reading transaction; what it hands out needs the database no more. `Search.run` may happen in this
process or in another; `describe` puts what was found into words.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import hypot
from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.lifecycle import LIVE_VISIT
from coordinator.domain.timeline import day_bounds
from coordinator.domain.vocabulary import PERFORMERS, RepairDeed, RepairKind
from coordinator.planner import score, warm_up
from coordinator.planner.disruption import Disruption, strike
from coordinator.planner.plan import Assignment, Plan, Progress, VisitExplanation
from coordinator.planner.problem import Problem, Touch
from coordinator.planner.repair import CURVE, Budget, Point, Repair, Workshop, why_left
from coordinator.planner.search import running_cost
from coordinator.planning.bridge import Bridge, assemble
from coordinator.planning.decode import reasons, standing_reasons
from coordinator.planning.horizon import Horizon
from coordinator.planning.repairs import events
from coordinator.planning.repairs.events import Happening
from coordinator.planning.scene import Scene, load
from coordinator.rules.terms import Policy
from coordinator.visits.model import Visit

#: Visits besides those hit about whom the rules are asked, for the first answer and for the longer search.
NEAR_FIRST, NEAR_LATER = 24, 60


@dataclass(frozen=True, slots=True)
class Look:
    """What was read: the event, the problem as rows have it, and what the event leaves of the plan."""

    branch_id: int
    event: Happening
    bridge: Bridge
    disruption: Disruption
    #: Cents of what stood, before anything happened.
    cost_before: int
    parts_before: dict[str, int]
    #: Visits that the event hits after the days that were looked at.
    beyond: tuple[Visit, ...] = ()
    #: Everything that stands on the clinician-days of those.
    beside: tuple[Visit, ...] = ()


def look(work: Work, branch_id: int, event: Happening, *, near: int = NEAR_FIRST) -> Look:
    """Read what the event concerns, and ask the rules about the visits that may move. Asked by the verbs, which name
    the permission themselves.
    """
    hit = events.hits(work, branch_id, event)
    horizon = events.horizon(work, branch_id, hit, event)
    beyond = events.beyond(hit, horizon)
    scene = load(work, branch_id, horizon)
    policy: Policy = work.policy
    prices = replace(policy.prices, missed_meal=policy.prices.repair_missed_meal)
    bridge = assemble(work, scene, prices, loose=_loose(scene, {visit.id for visit in hit}, near))
    # A repair counts whom it touches by itself, against its budget.
    bridge = replace(bridge, problem=replace(bridge.problem, touch=Touch()))
    stood = with_rests(bridge.problem, bridge.start)
    now = horizon.minute_up(work.now)
    if events.strikes_anybody(event, bridge):
        broken = strike(
            bridge.problem,
            stood,
            events.for_planner(event, bridge),
            now=now,
            notice=policy.planning.notice_minutes,
        )
    else:
        broken = Disruption(bridge.problem, bridge.problem, stood, stood, hit=())
    before = score(broken.calm, stood)
    return Look(
        branch_id=branch_id,
        event=event,
        bridge=bridge,
        disruption=broken,
        cost_before=before.cost,
        parts_before={part.name: part.cost for part in before.parts}
        | {"travel-minutes": before.measures.travel_minutes},
        beyond=tuple(beyond),
        beside=tuple(_on_days(work, _days_of(beyond, horizon), horizon)),
    )


def with_rests(problem: Problem, plan: Plan) -> Plan:
    """The plan with its breaks, which no row keeps: as the planner would take them on days that it holds as they are.

    A day that stands against a rule, and so cannot be held, keeps its visits and is given no break.
    """
    held, _ = running_cost(problem, plan)
    days: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for at in plan.assignments:
        days[at.clinician, at.day].append(at)
    kept: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for at in held.assignments:
        kept[at.clinician, at.day].append(at)
    same = {day for day, route in days.items() if kept[day] == route}
    return Plan.of(list(plan.assignments), [rest for rest in held.rests if (rest.clinician, rest.day) in same])


def _loose(scene: Scene, hit: set[int], near: int) -> set[int]:
    """The visits that are hit, all others of their patients, and the nearest of those that could make room."""
    mine = [visit for visit in scene.visits if visit.id in hit]
    patients = {visit.patient_id for visit in mine}
    loose = hit | {visit.id for visit in scene.visits if visit.patient_id in patients}
    homes = [home for visit in mine if (home := _home(scene, visit)) is not None]
    able = frozenset().union(*(PERFORMERS[visit.discipline] for visit in mine)) if mine else frozenset()
    ranked = sorted(
        (_apart(_home(scene, visit), homes), visit.id)
        for visit in scene.visits
        if visit.id not in loose and not scene.is_fixed(visit) and able & PERFORMERS[visit.discipline]
    )
    loose |= {number for _, number in ranked[:near]}
    second = {visit.id: visit.joint_with_id for visit in scene.visits if visit.joint_with_id is not None}
    loose |= {visit for visit, first in second.items() if first in loose}
    return loose | {first for visit, first in second.items() if visit in loose and first is not None}


def _home(scene: Scene, visit: Visit) -> tuple[float, float] | None:
    home = scene.patients[visit.patient_id].home
    return None if home is None or home.lat is None or home.lon is None else (home.lat, home.lon)


def _apart(home: tuple[float, float] | None, others: list[tuple[float, float]]) -> float:
    if home is None or not others:
        return 0.0
    return min(hypot(home[0] - lat, 0.8 * (home[1] - lon)) for lat, lon in others)


# ------------------------------------------------------------------------------------ searching


@dataclass(frozen=True, slots=True)
class Answer:
    """The best repair found, the reasons of what has no place, and the curve."""

    repair: Repair
    why: dict[int, VisitExplanation]
    curve: tuple[Point, ...]
    searches: int


@dataclass(frozen=True, slots=True)
class Search:
    """What is to be searched; it can be handed to another process. `scale` shortens every round, for tests."""

    disruption: Disruption
    budget: Budget
    #: None: until there is nothing left to try, whatever the time; that can be repeated.
    seconds: float | None
    seed: int = 0
    scale: float = 1.0

    def run(self, listen: Callable[[Progress], None] | None = None) -> Answer:
        """Search, telling of what is better."""
        warm_up()  # compiling, the first time, is not time to search
        workshop = Workshop(self.disruption, seed=self.seed, scale=self.scale)
        workshop.first()

        def tell(found: Repair) -> None:
            if listen is not None:
                listen(Progress(0.0, workshop.searches, found.score.cost, len(found.plan.assignments)))

        best = workshop.improve(self.budget, self.seconds, tell)
        curve = workshop.curve(CURVE, self.budget.max_visits)
        return Answer(best, why_left(self.disruption, best), curve, workshop.searches)


# ------------------------------------------------------------------------------------ in plain values


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal in plain values: what the rows of a repair hold."""

    start_on: date
    end_on: date
    base: dict[str, str]
    result: dict[str, Any]
    changes: tuple[dict[str, Any], ...]


def describe(seen: Look, answer: Answer) -> Draft:
    """The proposal as rows keep it."""
    bridge, broken, repair = seen.bridge, seen.disruption, answer.repair
    after = repair.plan.by_visit()
    before = broken.before.by_visit()
    excused = {*broken.hit, *broken.gone, *broken.stuck}
    slots = [number for number in sorted(excused) if bridge.scene.is_held(bridge.visits[number])]
    excused -= set(slots)
    patients = broken.patients - {bridge.problem.visits[number].patient for number in slots}
    changes = []
    for number in sorted({*excused, *repair.visits}):
        said = _change(seen, answer, number, before.get(number), after.get(number))
        if said is not None:
            changes.append(said)
    changes += [_beyond(seen, visit) for visit in seen.beyond]
    kept = sum(1 for visit, at in before.items() if after.get(visit) == at)
    counts = {word.value: sum(1 for change in changes if change["change"] is word) for word in RepairDeed}
    result = {
        "counts": counts | {"decide": counts["decide"] + len(slots), "kept": kept},
        "held_slots": [_held_slot(bridge, number) for number in slots],
        "touched": {
            "patients": len(repair.patients),
            "visits": len(repair.visits),
            "hit_patients": len(patients | {str(visit.patient_id) for visit in seen.beyond}),
            "hit_visits": len(excused) + len(seen.beyond),
        },
        "cost": _cost(seen, repair),
        "curve": [_point(seen, point) for point in answer.curve],
        "violations": len(repair.score.hard) - len(score(broken.problem, broken.start).hard),
        "searches": answer.searches,
    }
    days = {
        (side["clinician_id"], day)
        for change in changes
        for side in (_side(change, "old_"), _side(change, ""))
        if side is not None
        for day in [bridge.scene.horizon.day_of(side["starts_at"])]
    }
    stands = [visit for visit in bridge.visits if not bridge.scene.is_held(visit)]
    return Draft(
        start_on=bridge.scene.horizon.start_on,
        end_on=bridge.scene.horizon.end_on,
        base=_base(bridge.scene.horizon, [*stands, *seen.beside], days),
        result=result,
        changes=tuple(changes),
    )


def _held_slot(bridge: Bridge, number: int) -> dict[str, Any]:
    """A slot that the event hits and that is no visit yet: nothing is done with it before a person has decided."""
    visit = bridge.visits[number]
    slot = bridge.scene.held[visit.id]
    return {
        "hold": slot.hold_id,
        "referral": slot.referral_id,
        "clinician_id": visit.clinician_id,
        "starts_at": _iso(visit.starts_at),
        "ends_at": _iso(visit.ends_at),
        "sentence": f"A slot held for referral {slot.referral_id} is hit: a person decides, and releases or keeps it.",
    }


def _side(change: dict[str, Any], prefix: str) -> dict[str, Any] | None:
    clinician_id, starts_at = change[f"{prefix}clinician_id"], change[f"{prefix}starts_at"]
    return None if clinician_id is None or starts_at is None else {"clinician_id": clinician_id, "starts_at": starts_at}


def _change(
    seen: Look, answer: Answer, number: int, before: Assignment | None, after: Assignment | None
) -> dict[str, Any] | None:
    bridge, broken = seen.bridge, seen.disruption
    visit = bridge.visits[number]
    if number in broken.gone:
        if before is None:
            return None  # wanted only: it rests with the others and nobody expects it
        word = RepairDeed.RESTS if seen.event.kind is RepairKind.HOSPITAL else RepairDeed.CANCELLED
    elif number in broken.stuck:
        word = RepairDeed.DECIDE
    elif before is None:
        word = RepairDeed.ADDED if after is not None else RepairDeed.OPEN
    elif after is None:
        word = RepairDeed.REMOVED
    elif (before.clinician, before.day, before.start_minute) == (after.clinician, after.day, after.start_minute):
        return None
    else:
        word = RepairDeed.MOVED
    instant = bridge.scene.horizon.instant
    people = bridge.scene.clinicians
    wanted = bridge.problem.visits[number]
    ends = None
    if after is not None:
        ends = instant(after.start_minute + wanted.minutes_by_clinician.get(after.clinician, wanted.minutes))
    hit = number in broken.hit or number in broken.gone or number in broken.stuck
    return {
        "visit_id": visit.id,
        "visit_version": visit.version,
        "patient_id": visit.patient_id,
        "change": word,
        "what": _what(before, after),
        "hit": hit,
        "told": visit.told_patient_at is not None,
        "old_clinician_id": None if before is None else people[before.clinician].id,
        "old_starts_at": None if before is None else instant(before.start_minute),
        "clinician_id": None if after is None else people[after.clinician].id,
        "starts_at": None if after is None else instant(after.start_minute),
        "ends_at": ends,
        "face": None if after is None else _face(bridge, after),
        "cause": _cause(seen, answer, number, before) if not hit else _own_cause(seen),
        "reasons": _reasons(seen, answer, number, word),
    }


def _beyond(seen: Look, visit: Visit) -> dict[str, Any]:
    """A visit that the event hits after the last day that was looked at: it rests, or a person decides."""
    rests = seen.event.kind is RepairKind.HOSPITAL
    last = seen.bridge.scene.horizon.end_on
    later: dict[str, Any] = {
        "code": "beyond-repair",
        "sentence": f"A repair looks at the days up to {last.isoformat()}: plan the week of visit {visit.id} anew.",
        "clinician_id": None, "clinician_ids": [], "day": None, "days": [], "at_best_on": None, "facts": {},
    }  # fmt: skip
    return {
        "visit_id": visit.id,
        "visit_version": visit.version,
        "patient_id": visit.patient_id,
        "change": RepairDeed.RESTS if rests else RepairDeed.DECIDE,
        "what": [],
        "hit": True,
        "told": visit.told_patient_at is not None,
        "old_clinician_id": visit.clinician_id,
        "old_starts_at": visit.starts_at,
        "clinician_id": None,
        "starts_at": None,
        "ends_at": None,
        "face": None,
        "cause": _own_cause(seen),
        "reasons": [] if rests else [later],
    }


def _what(before: Assignment | None, after: Assignment | None) -> list[str]:
    if before is None or after is None:
        return []
    what = ["clinician"] if before.clinician != after.clinician else []
    if before.day != after.day:
        what.append("day")
    elif before.start_minute != after.start_minute:
        what.append("time")
    return what


def _face(bridge: Bridge, after: Assignment) -> str | None:
    """Whether the patient knows who comes, as far as the wish for continuity says."""
    for wish in bridge.problem.visits[after.visit].preferences:
        if wish.name == "continuity":
            if after.clinician not in wish.costs:
                return "new"
            return "known" if wish.costs[after.clinician] else "primary"
    return None


_OWN = {
    RepairKind.ABSENCE: ("clinician-away", "Clinician {clinician_id} is away."),
    RepairKind.CANCELLED: ("visit-cancelled", "Visit {visit_id} was cancelled."),
    RepairKind.URGENT: ("visit-urgent", "Visit {visit_id} cannot wait."),
    RepairKind.OVERRUN: ("ran-long", "Visit {visit_id} runs {minutes} minutes long."),
    RepairKind.HOSPITAL: ("patient-away", "The patient is in hospital."),
}


def _own_cause(seen: Look) -> dict[str, Any]:
    code, template = _OWN[seen.event.kind]
    return {"code": code, "sentence": template.format(**seen.event.as_json())}


def _cause(seen: Look, answer: Answer, number: int, before: Assignment | None) -> dict[str, Any]:
    """Why somebody moves whom the event does not hit: for whose sake, if that can be told."""
    if before is None:
        return {"code": "time-free", "sentence": "Time has come free for it."}
    bridge = seen.bridge
    minutes = bridge.problem.visits[number].minutes
    moved = {*seen.disruption.hit, *answer.repair.visits} - {number}
    near = [
        (max(0, at.start_minute - before.start_minute - minutes, before.start_minute - at.start_minute), at.visit)
        for at in answer.repair.plan.assignments
        if at.visit in moved and (at.clinician, at.day) == (before.clinician, before.day)
    ]
    # The event's own visits first: what else is there moved for their sake as well.
    hit = [pair for pair in near if pair[1] in seen.disruption.hit]
    if near:
        other = bridge.visits[min(hit or near)[1]].id
        return {"code": "makes-room", "sentence": f"It makes room for visit {other}.", "visit": other}
    return {"code": "better-day", "sentence": "The day as a whole is better with the visit here."}


def _reasons(seen: Look, answer: Answer, number: int, word: RepairDeed) -> list[dict[str, Any]]:
    bridge = seen.bridge
    if word is RepairDeed.DECIDE:
        said = standing_reasons(bridge, number) if number in bridge.unconfirmable else []
        return said or [_locked(bridge.visits[number].id)]
    if word not in (RepairDeed.REMOVED, RepairDeed.OPEN):
        return []
    entry = answer.why.get(number)
    return reasons(bridge, number, () if entry is None else entry.obstacles)


def _locked(visit_id: int) -> dict[str, Any]:
    return {
        "code": "visit-locked",
        "sentence": f"Visit {visit_id} is locked where it is, or about to begin: a person decides.",
        "clinician_id": None, "clinician_ids": [], "day": None, "days": [], "at_best_on": None, "facts": {},
    }  # fmt: skip


def _cost(seen: Look, repair: Repair) -> dict[str, Any]:
    """What the change costs against what stood, in cents, as a whole and by constraint."""
    after = {part.name: part for part in repair.score.parts}
    parts = [
        {"name": name, "cost": part.cost - seen.parts_before.get(name, 0)}
        for name, part in after.items()
        if part.cost != seen.parts_before.get(name, 0)
    ]
    return {
        "total": repair.score.cost - seen.cost_before,
        "parts": parts,
        "travel_minutes": repair.score.measures.travel_minutes - seen.parts_before["travel-minutes"],
        "overtime_minutes": repair.score.measures.overtime_minutes,
    }


def _point(seen: Look, point: Point) -> dict[str, Any]:
    return {
        "max_patients": point.max_patients,
        "cost": point.cost - seen.cost_before,
        "open": point.left,
        "patients": point.patients,
        "visits": point.visits,
    }


# ------------------------------------------------------------------------------------ what it was made from


def _base(horizon: Horizon, visits: Iterable[Visit], days: Iterable[tuple[int, date]]) -> dict[str, str]:
    by_day: dict[tuple[int, date], list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.status in LIVE_VISIT and visit.clinician_id is not None and visit.starts_at is not None:
            by_day[visit.clinician_id, horizon.day_of(visit.starts_at)].append(visit)
    return {f"{who}/{day.isoformat()}": _hash(by_day[who, day]) for who, day in sorted(days)}


def _hash(visits: Iterable[Visit]) -> str:
    """What stands on a clinician's day: whom, from when to when. Who is on the way already does not matter here."""
    lines = sorted((visit.id, _iso(visit.starts_at), _iso(visit.ends_at)) for visit in visits)
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]


def _iso(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()


def changed_days(work: Work, base: dict[str, str], horizon: Horizon) -> list[tuple[int, date]]:
    """The clinician-days on which something else stands now than when the proposal was made."""
    days = [(int(key.partition("/")[0]), date.fromisoformat(key.partition("/")[2])) for key in sorted(base)]
    now = _base(horizon, _on_days(work, days, horizon), days)
    return [(who, day) for who, day in days if now[f"{who}/{day.isoformat()}"] != base[f"{who}/{day.isoformat()}"]]


def _days_of(visits: Iterable[Visit], horizon: Horizon) -> list[tuple[int, date]]:
    """The clinician-days on which they stand."""
    return sorted(
        {
            (visit.clinician_id, horizon.day_of(visit.starts_at))
            for visit in visits
            if visit.clinician_id is not None and visit.starts_at is not None
        }
    )


def _on_days(work: Work, days: list[tuple[int, date]], horizon: Horizon) -> list[Visit]:
    """What stands with these clinicians from the first of the days to the last."""
    if not days:
        return []
    first, last = min(day for _, day in days), max(day for _, day in days)
    return list(
        work.session.scalars(
            sa.select(Visit).where(
                Visit.clinician_id.in_(sorted({who for who, _ in days})),
                Visit.status.in_(LIVE_VISIT),
                Visit.starts_at >= day_bounds(first, horizon.zone)[0],
                Visit.starts_at < day_bounds(last, horizon.zone)[1],
            )
        )
    )


__all__ = ["Answer", "Draft", "Look", "Search", "changed_days", "describe", "look"]
