"""Two plans side by side: what each leaves out, drives, works and costs, and by how much they differ. Pure."""

from collections import Counter, defaultdict
from typing import Any

from coordinator.planner import score
from coordinator.planner.plan import Plan
from coordinator.planning.bridge import Bridge
from coordinator.planning.decode import OTHER_PROFESSION, decode
from coordinator.planning.search import Found

#: Numbers that are set against each other.
COMPARED = (
    "wanted", "placed", "unplaced", "travel_minutes", "overtime_minutes", "worked_minutes", "waiting_minutes",
    "continuity", "patients_moved", "visits_moved", "held_slots", "violations", "cost",
)  # fmt: skip


def summary(bridge: Bridge, found: Found) -> dict[str, Any]:
    """How good one of the two plans is; visits are counted, and named only where they are left out."""
    outcome = found.outcome
    decoded = decode(bridge, outcome, found.explanation)
    result, measures = decoded.result, outcome.score.measures
    moved = _moved(bridge, outcome.plan)
    return {
        "clinicians": sum(1 for _ in {slot.clinician for slot in bridge.problem.slots}),
        "wanted": result["wanted"],
        "placed": result["placed"],
        "unplaced": result["left_out"],
        "fixed": result["fixed"],
        "travel_minutes": result["travel_minutes"],
        "overtime_minutes": result["overtime_minutes"],
        "worked_minutes": measures.worked_minutes,
        "waiting_minutes": measures.waiting_minutes,
        "continuity": result["continuity"],
        "patients_moved": len({bridge.visits[number].patient_id for number in moved}),
        "visits_moved": len(moved),
        "held_slots": sum(1 for visit in bridge.visits if bridge.scene.is_held(visit)),
        "violations": len(result["violations"]),
        "cost": result["cost"],
        "parts": result["score"],
        "left_out": _left_out(bridge, decoded.unplaced),
        "iterations": outcome.iterations,
        "seconds": round(outcome.seconds, 2),
        "seed": outcome.seed,
        "stopped_by": outcome.stopped_by,
        "fingerprint": outcome.fingerprint,
    }


def compare(base: tuple[Bridge, Found], variant: tuple[Bridge, Found], *, same_prices: bool) -> dict[str, Any]:
    """Both summaries and the difference, variant less base.

    Costs at other prices are not set against each other: then the difference is None, and where only prices differ
    `cost_at_base_prices` is what the variant's plan costs at the prices that hold now.
    """
    before, after = summary(*base), summary(*variant)
    result: dict[str, Any] = {
        "base": before,
        "variant": after,
        "difference": {name: after[name] - before[name] for name in COMPARED},
    }
    if not same_prices:
        result["difference"]["cost"] = None
    same_rows = [visit.id for visit in base[0].visits] == [visit.id for visit in variant[0].visits]
    same_people = [one.id for one in base[0].scene.clinicians] == [one.id for one in variant[0].scene.clinicians]
    if same_rows and same_people and not variant[0].scene.gone:
        result["cost_at_base_prices"] = score(base[0].problem, variant[1].outcome.plan).cost
    return result


def _moved(bridge: Bridge, plan: Plan) -> list[int]:
    """Positions of the visits that stand and that the plan puts elsewhere or nowhere."""
    chosen = plan.by_visit()
    moved = []
    for number in bridge.wanted:
        now = bridge.problem.visits[number].current
        if now is None:
            continue
        at = chosen.get(number)
        if at is None or (at.clinician, at.day, at.start_minute) != (now.clinician, now.day, now.start_minute):
            moved.append(number)
    return moved


def _left_out(bridge: Bridge, unplaced: Any) -> list[dict[str, Any]]:
    """What is left out by discipline: how many, of whom it is known, and the reasons with their frequency."""
    disciplines = {visit.id: visit.discipline for visit in bridge.visits}
    visits: dict[str, list[int]] = defaultdict(list)
    why: dict[str, Counter[str]] = defaultdict(Counter)
    said: dict[tuple[str, str], tuple[int, str]] = {}
    for left in unplaced:
        discipline = disciplines[left.visit_id].value
        visits[discipline].append(left.visit_id)
        telling = [one for one in left.reasons if not one["facts"].get(OTHER_PROFESSION)] or left.reasons
        for code in {one["code"] for one in telling}:
            why[discipline][code] += 1
        for one in telling:
            said.setdefault((discipline, one["code"]), (left.visit_id, one["sentence"]))
    return [
        {
            "discipline": discipline,
            "visits": len(numbers),
            "visit_ids": sorted(number for number in numbers if number > 0),
            "imagined": sum(1 for number in numbers if number < 0),
            "reasons": [
                {"code": code, "visits": many, **_example(*said[discipline, code])}
                for code, many in sorted(why[discipline].items(), key=lambda entry: (-entry[1], entry[0]))
            ],
        }
        for discipline, numbers in sorted(visits.items())
    ]


def _example(visit_id: int, sentence: str) -> dict[str, Any]:
    """What the reason says of one of its visits, and of which: of another it may name other people and numbers."""
    return {"visit_id": visit_id if visit_id > 0 else None, "sentence": sentence}
