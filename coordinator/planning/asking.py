"""Questions about one visit in the plan as it stands, and doing what was offered.

Every answer is found on the rows as they are; what is offered is done through the verbs of visits, which ask every rule
again and keep their own permissions.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coordinator.core.errors import Forbidden, Invalid, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import VisitStatus
from coordinator.planner import explain, relax, suggest
from coordinator.planning import words
from coordinator.planning.decode import reasons
from coordinator.planning.live import WISHES, Question, question
from coordinator.visits import queries, service
from coordinator.visits.asking import refusal
from coordinator.visits.model import Visit
from coordinator.visits.publishing import BookRequest, book_many

#: Seconds that a search for relaxations may take in a request, and what it takes unless asked otherwise.
MOST_SECONDS, DEFAULT_SECONDS = 60, 10
MOST_SUGGESTIONS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """Where one visit is put, in the version in which it was read."""

    visit_id: int
    version: int
    clinician_id: int
    starts_at: datetime
    ends_at: datetime


@permitted("visit:explain")
def explanation(work: Work, visit_id: int) -> dict[str, Any]:
    """Where the visit is and what the next best would cost; or, of one without a place, what stops each clinician."""
    asked = question(work, visit_id)
    (entry,) = explain(asked.problem, asked.plan, only=[asked.number]).visits
    work.record("visit.explained", f"visit:{visit_id}", patient_id=asked.visit.patient_id)
    other = entry.alternative
    scene = asked.bridge.scene
    return {
        "visit": visit_id,
        "version": asked.visit.version,
        "placed": entry.assignment is not None,
        "clinician_id": asked.visit.clinician_id,
        "starts_at": asked.visit.starts_at,
        "alternative": None
        if other is None
        else {
            "clinician_id": scene.clinicians[other.clinician].id,
            "starts_at": scene.horizon.instant(other.start_minute).isoformat(),
            "extra_cost": other.extra_cost,
        },
        "reasons": reasons(asked.bridge, asked.number, entry.obstacles) if entry.assignment is None else [],
    }


@permitted("visit:explain")
def suggestions(work: Work, visit_id: int, limit: int = 5) -> dict[str, Any]:
    """Who could take the visit, when, at what cost, and what else would move; best first."""
    if not 1 <= limit <= MOST_SUGGESTIONS:
        raise Invalid(f"From 1 to {MOST_SUGGESTIONS} suggestions.", pointer="/query/limit")
    asked = question(work, visit_id)
    found = suggest(asked.problem, asked.plan, asked.number, limit)
    work.record("visit.suggested", f"visit:{visit_id}", patient_id=asked.visit.patient_id, found=len(found))
    return _head(asked) | {"suggestions": [words.suggestion(asked, one) for one in found]}


@permitted("visit:explain")
def relaxations(work: Work, visit_id: int, seconds: int = DEFAULT_SECONDS) -> dict[str, Any]:
    """Which changes would place a visit that has no place, each tried; what was not tried in time is said."""
    if not 1 <= seconds <= MOST_SECONDS:
        raise Invalid(f"From 1 to {MOST_SECONDS} seconds.", pointer="/query/seconds")
    asked = question(work, visit_id, other_days=True)
    if asked.visit.status is not VisitStatus.PROPOSED:
        raise Invalid("The visit has a place. Ask for suggestions instead.", pointer="/visit_id")
    until = time.monotonic() + seconds
    found = relax(asked.problem, asked.plan, asked.number, stop=lambda: time.monotonic() > until)
    work.record("visit.relaxations-sought", f"visit:{visit_id}", patient_id=asked.visit.patient_id, tried=found.tried)
    return _head(asked) | words.relaxations(asked, found)


def _head(asked: Question) -> dict[str, Any]:
    return {
        "visit": asked.visit.id,
        "version": asked.visit.version,
        "zone": asked.bridge.scene.horizon.zone.key,
        "unlocated_patients": sorted(asked.bridge.places.unlocated),
    }


# ------------------------------------------------------------------------------------ doing what was offered


@permitted("visit:confirm")
def carry_out(
    work: Work,
    visit_id: int,
    place: Sequence[Step],
    *,
    unlock: Mapping[int, int] | None = None,
    override: Mapping[str, str] | None = None,
) -> Visit:
    """The visit is booked where it was offered, with what had to be unlocked or moved for it; all of it or nothing.

    `unlock`: versions by visit. Every rule is asked again. StaleVersion names rows that changed since the offer, the
    rules refuse with their findings, and setting a wish aside needs `visit:override` and a coded reason.
    """
    visit = queries.the_visit(work, visit_id)
    mine = [step for step in place if step.visit_id == visit_id]
    others = [step for step in place if step.visit_id != visit_id]
    if len(mine) != 1:
        raise Invalid("Say exactly once where the visit itself is put.", pointer="/place")
    if len({step.visit_id for step in place}) != len(place):
        raise Invalid("A visit is named twice.", pointer="/place")
    _refuse_stale(work, {step.visit_id: step.version for step in place} | dict(unlock or {}))
    if override is not None and not work.actor.may("visit:override"):
        raise Forbidden("Only a clinical manager may set a rule aside, with a reason.", permission="visit:override")
    for number in sorted(unlock or {}):
        service.unlock(work, number)
    held = [step for step in others if queries.the_visit(work, step.visit_id).status is VisitStatus.PENDING]
    for step in held:
        service.move(work, step.visit_id, step.clinician_id, step.starts_at)
    batch = [step for step in others if step not in held] + ([] if override else mine)
    book_many(
        work,
        [
            BookRequest(
                step.visit_id,
                queries.the_visit(work, step.visit_id).version,
                step.clinician_id,
                step.starts_at,
                step.ends_at,
            )
            for step in batch
        ],
    )
    if override:
        (step,) = mine
        answer = service.ask_about(work, visit_id, step.clinician_id, step.starts_at)
        if any(finding.refuses and finding.rule not in WISHES for finding in answer.findings):
            raise refusal(answer.findings)  # a law among them: an offer never asks for that
        if visit.status is VisitStatus.BOOKED:
            service.move(work, visit_id, step.clinician_id, step.starts_at, override=override)
        else:
            service.assign(work, visit_id, step.clinician_id, step.starts_at, override=override)
    work.session.flush()  # the new version is in the answer
    work.record(
        "visit.offer-carried-out",
        f"visit:{visit_id}",
        patient_id=visit.patient_id,
        moved=len(others),
        unlocked=len(unlock or {}),
    )
    return visit


def _refuse_stale(work: Work, versions: Mapping[int, int]) -> None:
    stale = [number for number, version in versions.items() if queries.the_visit(work, number).version != version]
    if stale:
        raise StaleVersion(
            f"{len(stale)} of the visits changed since this was offered. Ask again.",
            visits=sorted(stale),
            blocking=[{"visit": number} for number in sorted(stale)],
        )
