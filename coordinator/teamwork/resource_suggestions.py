"""Suggestions of help elsewhere: found by rules, once for each cause; taken or dismissed."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of, patients_in_sight, require_sight
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import service as directory
from coordinator.domain.linkage import Dismissal, SuggestionReason, SuggestionStatus
from coordinator.domain.teamwork import Desk, TaskCancel, TaskKind, TaskOutcome, TaskSource
from coordinator.jobs.queue import insert_once
from coordinator.patients.model import Patient
from coordinator.rules.resources import Seeker
from coordinator.rules.suggestions import suggested
from coordinator.rules.terms import Finding
from coordinator.teamwork import tasks
from coordinator.teamwork.resource_model import ResourceSuggestion
from coordinator.teamwork.resource_seekers import seeker_of

#: Its very reason tells how somebody answered: for those who may read answers (SEC-08).
TELLS_ANSWERS = frozenset({SuggestionReason.CAREGIVER_STRAIN})


def suggest(
    work: Work, finding: Finding | None, *, source_ref: str, branch_id: int, patient: Patient | None,
    seeker: Seeker | None,
) -> bool:  # fmt: skip
    """What the rule found is suggested, once for its reason and cause, with a task; whether it is new.

    Asked by handlers and jobs, never by a door. `seeker` is for somebody who has no record yet.
    """
    if finding is None:
        return False
    reason = SuggestionReason(str(finding.facts["reason"]))
    if seeker is None:
        seeker = Seeker() if patient is None else seeker_of(work, patient)
    offers = [directory.offer_of(row) for row in directory.rows_in_force(work)]
    keys = [offer.key for offer in suggested(reason, offers, seeker)]
    assert isinstance(finding.due, date)
    fresh = insert_once(
        work.session, ResourceSuggestion,
        branch_id=branch_id, patient_id=None if patient is None else patient.id, reason=reason, source_ref=source_ref,
        finding=finding.as_dict(), resource_keys=keys, due_on=finding.due, status=SuggestionStatus.OPEN,
        opened_at=work.now, version=1,
    )  # fmt: skip
    if not fresh:
        return False
    row = work.session.execute(
        sa.select(ResourceSuggestion).where(
            ResourceSuggestion.reason == reason, ResourceSuggestion.source_ref == source_ref
        )
    ).scalar_one()
    patient_id = None if patient is None else patient.id
    work.record("resource.suggested", f"resource-suggestion:{row.id}", patient_id=patient_id, reason=reason.value)
    tasks.open_task(
        work, patient_id=patient_id, branch_id=branch_id, kind=TaskKind.FIND_RESOURCE, source=TaskSource.RULE,
        source_ref=_ref(row), due=finding.due, about=_ref(row),
        owner_role=Desk.INTAKE if patient is None else Desk.SOCIAL_WORKER,
    )  # fmt: skip
    return True


def _ref(row: ResourceSuggestion) -> str:
    return f"resource-suggestion:{row.id}"


def _mine(work: Work) -> sa.ColumnElement[bool]:
    mine = branches_of(work.actor)
    about_none: sa.ColumnElement[bool] = ResourceSuggestion.patient_id.is_(None)
    if mine is not None:
        about_none = sa.and_(about_none, ResourceSuggestion.branch_id.in_(sorted(mine)))
    seen: sa.ColumnElement[bool] = sa.or_(about_none, ResourceSuggestion.patient_id.in_(patients_in_sight(work)))
    if not work.actor.may("assessment:read"):
        seen = sa.and_(seen, ResourceSuggestion.reason.not_in(sorted(TELLS_ANSWERS)))
    return seen


@permitted("resource-referral:read")
def search(work: Work, *, patient_id: int | None = None, status: SuggestionStatus | None = None) -> sa.Select[Any]:
    """Suggestions that the actor may see, as a select for `page`."""
    query = sa.select(ResourceSuggestion).where(_mine(work))
    if patient_id is not None:
        require_sight(work, patient_id)
        query = query.where(ResourceSuggestion.patient_id == patient_id)
    if status is not None:
        query = query.where(ResourceSuggestion.status == status)
    about = "all" if patient_id is None else str(patient_id)
    work.record("resource-suggestion.listed", f"patient:{about}", patient_id=patient_id)
    return query


@permitted("resource-referral:read")
def get(work: Work, suggestion_id: int) -> ResourceSuggestion:
    """One suggestion; the reading is on record."""
    row = work.session.execute(
        sa.select(ResourceSuggestion).where(ResourceSuggestion.id == suggestion_id, _mine(work))
    ).scalar()
    if row is None:
        raise NotFound("suggestion")
    work.record("resource-suggestion.read", _ref(row), patient_id=row.patient_id)
    return row


@permitted("resource-referral:edit")
def dismiss(work: Work, suggestion_id: int, reason: Dismissal) -> ResourceSuggestion:
    """Nothing comes of the suggestion, for this reason; the same cause suggests nothing again."""
    row = locked(work.session, ResourceSuggestion, get(work, suggestion_id).id, "suggestion")
    if row.status is not SuggestionStatus.OPEN:
        raise Conflict(f"This suggestion was {row.status.value} already.", code="suggestion-settled")
    _settle(work, row, SuggestionStatus.DISMISSED)
    row.dismissal = reason
    tasks.cancel_tasks(
        work, source=TaskSource.RULE, source_ref=_ref(row), kind=TaskKind.FIND_RESOURCE,
        reason=TaskCancel.NO_LONGER_NEEDED,
    )  # fmt: skip
    work.session.flush()  # the new version is in the answer
    work.record("resource-suggestion.dismissed", _ref(row), patient_id=row.patient_id, reason=reason.value)
    return row


def take(work: Work, suggestion_id: int, patient_id: int) -> None:
    """A referral for the patient came of the suggestion. Asked by `resource_referrals.identify`, never by a door."""
    row = work.session.execute(
        sa.select(ResourceSuggestion).where(ResourceSuggestion.id == suggestion_id, _mine(work)).with_for_update()
    ).scalar()
    if row is None or row.patient_id != patient_id:
        raise Invalid("The patient has no such suggestion.", pointer="/suggestion_id")
    if row.status is SuggestionStatus.DISMISSED:
        raise Conflict("This suggestion was dismissed.", code="suggestion-settled")
    if row.status is SuggestionStatus.OPEN:
        _settle(work, row, SuggestionStatus.TAKEN)
        tasks.finish_tasks(
            work, source=TaskSource.RULE, source_ref=_ref(row), kind=TaskKind.FIND_RESOURCE,
            outcome=TaskOutcome.REFERRED_ON,
        )  # fmt: skip


def _settle(work: Work, row: ResourceSuggestion, status: SuggestionStatus) -> None:
    row.status, row.settled_at, row.settled_by_id = status, work.now, work.actor.user_id
