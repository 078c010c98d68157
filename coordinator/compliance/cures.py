"""What would make a refused visit possible: every finding in the order in which it can be cured, by whom and where."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from string import Formatter
from typing import Any

from coordinator.access import overrides
from coordinator.core.errors import Conflict
from coordinator.core.work import Work, permitted
from coordinator.domain.lifecycle import BEGUN_VISIT
from coordinator.domain.vocabulary import VisitStatus
from coordinator.patients.model import Episode
from coordinator.rules.cures import cure_of, in_order, remaining
from coordinator.rules.facts import Moment
from coordinator.rules.terms import Finding, Severity
from coordinator.rules.visit import ask
from coordinator.visits import cases, placing, queries
from coordinator.visits.asking import left_after
from coordinator.visits.model import Visit

_API = "/api/v1"
#: What stands in a visit's way besides the rules: after them, for whoever makes the roster.
_CONFLICT_DOORS = {
    "double-booking": ("GET /visits/{visit_id}/suggestions",),
    "clinician-unavailable": ("GET /visits/{visit_id}/suggestions",),
    "clinician-inactive": ("GET /visits/{visit_id}/suggestions",),
}


@permitted("visit:explain")
def of_visit(
    work: Work, visit_id: int, clinician_id: int | None = None, starts_at: datetime | None = None
) -> dict[str, Any]:
    """What refuses the visit where it stands or is meant to stand, step by step; nothing is changed.

    Without a clinician only what depends on the patient, the order and the day is asked: on the first day of its window
    that is not over. Of each step: who can cure it, through which doors, what remains refused if it alone is cured, and
    if it and all before it are. `remains` is null where the facts do not say what the cure would be.
    """
    visit = queries.the_visit(work, visit_id)
    if visit.status in BEGUN_VISIT or visit.status not in _OPEN:
        raise placing.not_in_state(visit, "made possible")
    clinician_id, starts_at = clinician_id or visit.clinician_id, starts_at or visit.starts_at
    clinician = None if clinician_id is None else queries.the_clinician(work, clinician_id, visit.branch_id)
    conflicts: list[dict[str, Any]] = []
    outside: list[Finding] = []
    if clinician is not None and starts_at is not None:
        ends_at = starts_at + timedelta(minutes=placing.length(visit))
        case = placing.case_there(work, visit, clinician, starts_at, ends_at)
        outside = placing.outside_window(work, visit, starts_at)
        for one in placing.obstacles(work, visit, clinician, starts_at, ends_at):
            if isinstance(one, Conflict):
                conflicts.append(
                    {"code": one.problem_code, "sentence": one.detail, "doors": _conflict_doors(visit, one)}
                )
    else:
        day = min(max(visit.window_from, queries.today(work, visit)), visit.window_to)
        case = cases.load(work, [visit], [] if clinician is None else [clinician]).case(visit, clinician, day=day)
    findings = ask(case, Moment.CONFIRM, work.policy)
    left = left_after(work, visit, (*outside, *findings), clinician_id, starts_at)
    settled = [finding for finding in findings if finding.refuses and finding not in left]
    steps = in_order(left)
    known = _known(work, visit, clinician_id)
    answers = remaining(case, steps, Moment.CONFIRM, work.policy, settled)
    work.record("visit.cures-read", f"visit:{visit.id}", patient_id=visit.patient_id, steps=len(steps))
    return {
        "visit": visit.id,
        "version": visit.version,
        "possible": not steps and not conflicts,
        "clinician_id": clinician_id,
        "starts_at": starts_at,
        "day": case.visit.day,
        "steps": [
            _step(work, number, step, known)
            | {
                "remains": _rules(answer.alone, [one for one in outside if one is not step]),
                "remains_after": _rules(answer.after, [one for one in outside if one not in steps[:number]]),
            }
            for number, (step, answer) in enumerate(zip(steps, answers, strict=True), 1)
        ],
        "conflicts": conflicts,
        "set_aside": sorted({finding.rule for finding in settled}),
    }


_OPEN = frozenset({VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.BOOKED, VisitStatus.ON_HOLD})


def _step(work: Work, number: int, finding: Finding, known: dict[str, int]) -> dict[str, Any]:
    cure = cure_of(finding)
    may = [] if finding.severity is Severity.BLOCK else overrides.permitted_roles(work, [finding.rule])[finding.rule]
    doors = [door for template in cure.doors if (door := _filled(template, known))]
    if may:
        doors.append(_filled("POST /visits/{visit_id}/overrides", known) or "")
    said = finding.as_dict()
    return {
        "step": number,
        **{name: said[name] for name in ("rule", "severity", "citation", "sentence", "facts", "cure")},
        "roles": sorted(role.value for role in cure.roles),
        "doors": doors,
        "may_override": may,
    }


def _rules(findings: Sequence[Finding] | None, besides: Sequence[Finding]) -> list[str] | None:
    if findings is None:
        return None
    return sorted({finding.rule for finding in (*findings, *besides)})


def _known(work: Work, visit: Visit, clinician_id: int | None) -> dict[str, int]:
    """What the doors concern, as far as there is one."""
    episode = work.session.get_one(Episode, visit.episode_id)
    known = {
        "visit_id": visit.id,
        "patient_id": visit.patient_id,
        "episode_id": visit.episode_id,
        "order_id": visit.order_id,
        "clinician_id": clinician_id,
        "referral_id": episode.referral_id,
    }
    return {name: number for name, number in known.items() if number is not None}


def _filled(template: str, known: dict[str, int]) -> str | None:
    """The door with its numbers; what the caller chooses (a caregiver) stays in braces; None if there is no such."""
    method, path = template.split(" ")
    for _, name, _, _ in Formatter().parse(path):
        if name is None:
            continue
        if name in known:
            path = path.replace(f"{{{name}}}", str(known[name]))
        elif name in ("order_id", "referral_id", "clinician_id"):
            return None
    return f"{method} {_API}{path}"


def _conflict_doors(visit: Visit, conflict: Conflict) -> list[str]:
    templates = _CONFLICT_DOORS.get(conflict.problem_code, ("POST /visits/{visit_id}/move",))
    return [door for template in templates if (door := _filled(template, {"visit_id": visit.id}))]
