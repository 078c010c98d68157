"""From the planner's plan back to rows: who is where when, what is left out and why, and how good it is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from coordinator.domain.vocabulary import PERFORMERS
from coordinator.planner.plan import Assignment, Explanation, Obstacle, Outcome, Plan, Score, Violation
from coordinator.planner.problem import Reason
from coordinator.planner.reasons import SENTENCES
from coordinator.planning.bridge import Bridge
from coordinator.planning.causes import cause_of, say
from coordinator.rules.terms import Finding

#: The rule of the book that one of the planner's own reasons keeps.
_RULES = {
    "cap": "INT-01",
    "spacing": "FRQ-03",
    "day-limit": "FRQ-03",
    "travel": "LAB-04",
    "too-far": "LAB-04",
    "break": "LAB-02",
    "day-max": "LAB-01",
    "week-max": "LAB-01",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one visit is put."""

    visit_id: int
    visit_version: int
    clinician_id: int
    starts_at: datetime
    ends_at: datetime
    old_clinician_id: int | None
    old_starts_at: datetime | None
    travel_minutes: int
    cause: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """A visit that is left out."""

    visit_id: int
    visit_version: int
    old_clinician_id: int | None
    old_starts_at: datetime | None
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A plan as rows and plain values."""

    placed: tuple[Placed, ...]
    unplaced: tuple[Left, ...]
    result: dict[str, Any]


def decode(bridge: Bridge, outcome: Outcome, explanation: Explanation) -> Decoded:
    """What the run keeps of its outcome. Visits that are fixed are no news and are left out of the placements."""
    plan = outcome.plan
    ways = _ways(bridge, plan)
    chosen = plan.by_visit()
    placed = tuple(_placed(bridge, plan, chosen[number], ways) for number in bridge.wanted if number in chosen)
    left = [number for number in bridge.wanted if number not in chosen]
    obstacles = {entry.visit: entry.obstacles for entry in explanation.visits}
    unplaced = tuple(_left(bridge, number, obstacles.get(number, ())) for number in left)
    result = _result(bridge, outcome, len(placed), len(left), sum(ways.values()) + _homeward(bridge, plan))
    result["alternatives"] = _alternatives(bridge, explanation)
    return Decoded(placed, unplaced, result)


def _left(bridge: Bridge, number: int, obstacles: Iterable[Obstacle]) -> Left:
    visit = bridge.visits[number]
    stands = bridge.problem.visits[number].current is not None
    return Left(
        visit_id=visit.id,
        visit_version=visit.version,
        old_clinician_id=visit.clinician_id if stands else None,
        old_starts_at=visit.starts_at if stands else None,
        reasons=reasons(bridge, number, obstacles),
    )


def _placed(bridge: Bridge, plan: Plan, at: Assignment, ways: dict[int, int]) -> Placed:
    visit = bridge.visits[at.visit]
    starts_at = bridge.scene.horizon.instant(at.start_minute)
    wanted = bridge.problem.visits[at.visit]
    stands = wanted.current is not None
    return Placed(
        visit_id=visit.id,
        visit_version=visit.version,
        clinician_id=bridge.scene.clinicians[at.clinician].id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=wanted.minutes_by_clinician.get(at.clinician, wanted.minutes)),
        old_clinician_id=visit.clinician_id if stands else None,
        old_starts_at=visit.starts_at if stands else None,
        travel_minutes=ways[at.visit],
        cause=cause_of(bridge, plan, at),
    )


def _routes(plan: Plan) -> dict[tuple[int, int], list[Assignment]]:
    routes: dict[tuple[int, int], list[Assignment]] = defaultdict(list)
    for at in sorted(plan.assignments, key=lambda a: (a.start_minute, a.visit)):
        routes[at.clinician, at.day].append(at)
    return routes


def _ways(bridge: Bridge, plan: Plan) -> dict[int, int]:
    """Minutes on the road to each visit, from the stop before or the start of the day."""
    ways: dict[int, int] = {}
    for (clinician, _), route in _routes(plan).items():
        here = bridge.places.start(bridge.scene.clinicians[clinician])
        for at in route:
            there = bridge.places.home(bridge.visits[at.visit].patient_id)
            ways[at.visit] = bridge.places.road_minutes(here, there)
            here = there
    return ways


def _homeward(bridge: Bridge, plan: Plan) -> int:
    """Minutes on the road after the last visits."""
    total = 0
    for (clinician, _), route in _routes(plan).items():
        last = bridge.places.home(bridge.visits[route[-1].visit].patient_id)
        total += bridge.places.road_minutes(last, bridge.places.end(bridge.scene.clinicians[clinician]))
    return total


# ------------------------------------------------------------------------------------ why not


#: Among the facts of a reason that concerns nobody whose profession could make the visit.
OTHER_PROFESSION = "other_profession"


def reasons(bridge: Bridge, number: int, obstacles: Iterable[Obstacle]) -> list[dict[str, Any]]:
    """Why a visit is left out: first what concerns the patient and the days, then what stops each clinician.

    Reasons that come from a rule carry the rule's id and its own sentence; equal ones are said once, with everybody
    whom they concern.
    """
    visit = bridge.visits[number]
    said = _of_days(bridge, number)
    known = {(entry["code"], entry["sentence"]) for entry in said}
    # Per clinician and code: the days on which it holds, and the one that comes closest, which speaks.
    found: dict[tuple[int, str, str], list[tuple[int, int | None, str, dict[str, Any]]]] = defaultdict(list)
    for obstacle in obstacles:
        code, sentence, facts = say(bridge, obstacle.reason)
        if (code, sentence) not in known:
            own = code in SENTENCES
            key = (bridge.scene.clinicians[obstacle.clinician].id, code, "" if own else sentence)
            found[key].append((_excess(obstacle.reason) if own else 0, obstacle.day, sentence, facts))
    # Clinicians of whom the same holds on the same days are named together; nothing is said of anybody that is not so.
    together: dict[tuple[str, str, tuple[str, ...], str | None], dict[str, Any]] = {}
    for (clinician_id, code, _), entries in found.items():
        _, nearest, sentence, facts = min(entries, key=lambda entry: (entry[0], entry[1] or 0))
        days = tuple(_label(bridge, day) for day in sorted({day for _, day, *_ in entries if day is not None}))
        at_best = _label(bridge, nearest) if nearest is not None and len(days) > 1 and code in SENTENCES else None
        if len({sentence for _, _, sentence, _ in entries}) == 1:
            at_best = None
        entry = together.setdefault((code, sentence, days, at_best), _entry(code, sentence, None))
        entry["facts"] = facts | ({"rule": _RULES[code]} if code in _RULES else {})
        entry["clinician_ids"] = sorted({*entry["clinician_ids"], clinician_id})
        entry["days"], entry["at_best_on"] = list(days), at_best
    for entry in together.values():
        entry["clinician_id"] = entry["clinician_ids"][0] if len(entry["clinician_ids"]) == 1 else None
        entry["day"] = entry["days"][0] if len(entry["days"]) == 1 else None
    able = {
        clinician.id for clinician in bridge.scene.clinicians if clinician.performer in PERFORMERS[visit.discipline]
    }
    for entry in together.values():
        if able.isdisjoint(entry["clinician_ids"]):
            entry["facts"] = entry["facts"] | {OTHER_PROFESSION: True}
    # Those who could go are what a scheduler looks for; that a therapist is no nurse comes last.
    said += sorted(
        together.values(), key=lambda entry: (able.isdisjoint(entry["clinician_ids"]), entry["clinician_ids"])
    )
    if not said:
        said.append(_entry("no-clinician", f"Nobody of the branch can make visit {visit.id}.", None))
    return said


def _label(bridge: Bridge, day: int | None) -> str:
    return "" if day is None else bridge.scene.horizon.days[day].isoformat()


def _excess(reason: Reason) -> int:
    """By how much what was found passes what is allowed; 0 for reasons without numbers."""
    facts = reason.facts()
    fact, limit = facts.get("fact", 0), facts.get("limit", 0)
    return abs(fact - limit) if isinstance(fact, int) and isinstance(limit, int) else 0


def _of_days(bridge: Bridge, number: int) -> list[dict[str, Any]]:
    """What the rules say of the patient, the order and the day; once, if they say it of every day."""
    answers = bridge.answers[bridge.visits[number].id]
    horizon = bridge.scene.horizon
    closed = bridge.problem.visits[number].closed_days
    by_reason: dict[tuple[str, str], list[date]] = defaultdict(list)
    findings: dict[tuple[str, str], Finding] = {}
    for day, refused in answers.closed.items():
        for finding in refused:
            key = (finding.rule, finding.sentence())
            by_reason[key].append(day)
            findings[key] = finding
    for index, reason in sorted(closed.items()):
        day = horizon.days[index]
        if day not in answers.closed:
            code, sentence, _ = say(bridge, reason)
            by_reason[code, sentence].append(day)
    said = []
    for (code, sentence), days in by_reason.items():
        everywhere = len(days) == len(closed) and not bridge.problem.visits[number].windows
        entry = _entry(code, sentence, None)
        if not everywhere:
            entry["days"] = [day.isoformat() for day in days]
            entry["day"] = entry["days"][0] if len(days) == 1 else None
        known = findings.get((code, sentence))
        if known is not None:
            entry["facts"] = dict(known.as_dict()["facts"]) | {"cure": known.cure_sentence()}  # type: ignore[call-overload]
        said.append(entry)
    return said


def _entry(code: str, sentence: str, day: date | None) -> dict[str, Any]:
    """One reason. No days: it holds on all of them."""
    return {
        "code": code,
        "sentence": sentence,
        "clinician_id": None,
        "clinician_ids": [],
        "day": None if day is None else day.isoformat(),
        "days": [],
        "at_best_on": None,
        "facts": {},
    }


# ------------------------------------------------------------------------------------ how good


def _result(bridge: Bridge, outcome: Outcome, placed: int, left: int, travel: int) -> dict[str, Any]:
    score = outcome.score
    return {
        "wanted": placed + left,
        "placed": placed,
        "left_out": left,
        "fixed": len(bridge.fixed),
        "later": len(bridge.scene.later),
        "travel_minutes": travel,
        "waiting_minutes": score.measures.waiting_minutes,
        "overtime_minutes": score.measures.overtime_minutes,
        "continuity": score.measures.continuity_percent,
        "violations": [violation(bridge, broken) for broken in score.hard],
        "score": score_parts(score, travel),
        "cost": score.cost,
        "iterations": outcome.iterations,
        "seconds": round(outcome.seconds, 2),
        "stopped_by": outcome.stopped_by,
        "seed": outcome.seed,
        "problem_hash": bridge.problem_hash,
        "fingerprint": outcome.fingerprint,
        "unconfirmable": [_standing(bridge, number) for number in sorted(bridge.unconfirmable)],
        "unlocated_patients": sorted(bridge.places.unlocated),
        "imprecise_patients": [
            {"patient_id": patient, "precision": precision}
            for patient, precision in sorted(bridge.places.imprecise.items())
            if patient > 0
        ],
        "travel_sources": bridge.places.ways.said(),
    }


def _standing(bridge: Bridge, number: int) -> dict[str, Any]:
    """A visit that stands, that the rules would not confirm, and that the planner therefore leaves to a person."""
    return {"visit": bridge.visits[number].id, "reasons": standing_reasons(bridge, number)}


def standing_reasons(bridge: Bridge, number: int) -> list[dict[str, Any]]:
    """Why the rules would not confirm a visit that stands."""
    answers = bridge.answers[bridge.visits[number].id]
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for refused in (*answers.closed.values(), *answers.forbidden.values()):
        for finding in refused:
            seen.setdefault((finding.rule, finding.sentence()), _entry(finding.rule, finding.sentence(), None))
    return list(seen.values())


def violation(bridge: Bridge, broken: Violation) -> dict[str, Any]:
    """A broken hard rule with rows instead of positions."""
    return {
        "rule": broken.rule,
        "visits": [bridge.visits[number].id for number in broken.visits],
        "clinician_id": None if broken.clinician is None else bridge.scene.clinicians[broken.clinician].id,
        "day": None if broken.day is None else bridge.scene.horizon.days[broken.day].isoformat(),
        "fact": broken.fact,
        "limit": broken.limit,
    }


def score_parts(score: Score, road_minutes: int) -> list[dict[str, Any]]:
    """What each constraint costs; what was not found, or has no price here, is left out."""
    parts = [
        {"name": part.name, "weight": part.weight, "count": part.count, "cost": part.cost, "sentence": part.sentence}
        for part in score.parts
        if part.cost or (part.count and part.priced)
    ]
    for part in parts:
        if part["name"] == "travel":
            buffer = score.part("travel").count - road_minutes
            part["sentence"] = f"{road_minutes} minutes of driving and {buffer} of buffer before visits (LAB-04)."
    return parts


def _alternatives(bridge: Bridge, explanation: Explanation) -> dict[str, Any]:
    """For each placed visit the next best clinician: who, when, and how many cents more."""
    found: dict[str, Any] = {}
    for entry in explanation.visits:
        other = entry.alternative
        if other is not None and entry.visit not in bridge.fixed:
            found[str(bridge.visits[entry.visit].id)] = {
                "clinician_id": bridge.scene.clinicians[other.clinician].id,
                "starts_at": bridge.scene.horizon.instant(other.start_minute).isoformat(),
                "extra_cost": other.extra_cost,
            }
    return found
