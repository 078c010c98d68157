"""Two runs side by side: their numbers, what each leaves out, and every visit that they put elsewhere, and why."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from coordinator.agency.service import zone_of
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.planning.model import Placement, PlanRun, Unplaced
from coordinator.planning.service import placements_of, require_result, unplaced_of, visible_run
from coordinator.visits.model import Visit

#: Numbers of a result that are set against each other.
COMPARED = (
    "wanted", "placed", "left_out", "fixed", "travel_minutes", "waiting_minutes", "overtime_minutes", "continuity",
    "cost",
)  # fmt: skip


@permitted("run:read")
def compare_runs(work: Work, left_id: int, right_id: int) -> dict[str, Any]:
    """What the right run does otherwise than the left one; both of one branch, both with a result."""
    left = require_result(visible_run(work, left_id))
    right = require_result(visible_run(work, right_id))
    if left.branch_id != right.branch_id:
        raise Invalid("The two runs are of different branches.", pointer="/query/right")
    were, are = _by_visit(work, left), _by_visit(work, right)
    changes = [
        _difference(visit, were.get(visit), are.get(visit))
        for visit in sorted(were.keys() | are.keys())
        if _where(were.get(visit)) != _where(are.get(visit))
    ]
    by_clinician: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        for clinician_id in sorted({place["clinician_id"] for place in (change["left"], change["right"]) if place}):
            by_clinician[clinician_id].append(change)
    patients = _patients(work, [change["visit"] for change in changes])
    by_patient: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        by_patient[patients[change["visit"]]].append(change)
    for run in (left, right):
        work.record("run.compared", f"run:{run.id}", branch=run.branch_id, differences=len(changes))
    for number in sorted(by_patient):
        work.record("run.comparison-shows-patient", f"run:{right.id}", patient_id=number)
    numbers = [_numbers(run) for run in (left, right)]
    return {
        "zone": zone_of(work, left.branch_id).key,
        "left": numbers[0],
        "right": numbers[1],
        "difference": {name: numbers[1][name] - numbers[0][name] for name in COMPARED},
        "parts": _parts(left, right),
        "only_left_out_left": sorted(v for v, row in were.items() if _where(row) is None and _where(are.get(v))),
        "only_left_out_right": sorted(v for v, row in are.items() if _where(row) is None and _where(were.get(v))),
        "by_patient": [{"patient_id": number, "changes": mine} for number, mine in sorted(by_patient.items())],
        "by_clinician": [{"clinician_id": number, "changes": mine} for number, mine in sorted(by_clinician.items())],
    }


Row = Placement | Unplaced


def _by_visit(work: Work, run: PlanRun) -> dict[int, Row]:
    placed: dict[int, Row] = {row.visit_id: row for row in placements_of(work, run.id)}
    return placed | {row.visit_id: row for row in unplaced_of(work, run.id)}


def _where(row: Row | None) -> tuple[Any, ...] | None:
    return (row.clinician_id, row.starts_at) if isinstance(row, Placement) else None


def _place(row: Row | None) -> dict[str, Any] | None:
    if not isinstance(row, Placement):
        return None
    return {"clinician_id": row.clinician_id, "starts_at": row.starts_at, "ends_at": row.ends_at}


def _cause(row: Row | None) -> dict[str, Any]:
    """Why the run has the visit where it is, in its own words."""
    if isinstance(row, Placement):
        return {"code": row.cause.get("code"), "sentence": row.cause.get("sentence")}
    if row is not None and row.reasons:
        return {"code": row.reasons[0]["code"], "sentence": row.reasons[0]["sentence"]}
    return {"code": "not-in-run", "sentence": "The visit is not part of this run."}


def _difference(visit: int, left: Row | None, right: Row | None) -> dict[str, Any]:
    return {
        "visit": visit,
        "left": _place(left),
        "right": _place(right),
        "left_cause": _cause(left),
        "right_cause": _cause(right),
    }


def _numbers(run: PlanRun) -> dict[str, Any]:
    result = run.result or {}
    return {
        "run": run.id,
        "status": run.status,
        "start_on": run.start_on.isoformat(),
        "end_on": run.end_on.isoformat(),
        "violations": len(result.get("violations", ())),
    } | {name: result.get(name, 0) for name in COMPARED}


def _parts(left: PlanRun, right: PlanRun) -> list[dict[str, Any]]:
    """Each part of the cost that is not the same in both."""
    were, are = ({part["name"]: part["cost"] for part in (run.result or {}).get("score", ())} for run in (left, right))
    return [
        {
            "name": name,
            "left": were.get(name, 0),
            "right": are.get(name, 0),
            "difference": are.get(name, 0) - were.get(name, 0),
        }
        for name in sorted(were.keys() | are.keys())
        if were.get(name, 0) != are.get(name, 0)
    ]


def _patients(work: Work, visits: list[int]) -> dict[int, int]:
    rows = work.session.execute(sa.select(Visit.id, Visit.patient_id).where(Visit.id.in_(visits)))
    return {row.id: row.patient_id for row in rows}
