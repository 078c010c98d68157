"""What the community says about care, kept for those who give it (S1-M2): theme, language, organisation; no patient."""

from datetime import date

import sqlalchemy as sa

from coordinator.access.scope import branches_of
from coordinator.agency import service as agency
from coordinator.core.db import locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import service
from coordinator.directory.model import CommunityFeedback

VOICES = ("patient", "caregiver", "community", "staff")


def _is_mine(work: Work, branch_id: int) -> bool:
    mine = branches_of(work.actor)
    return mine is None or branch_id in mine | work.actor.branch_ids


@permitted("feedback:record")
def record(
    work: Work, *, branch_id: int, theme: str, language: str, voice: str, words: str, received_on: date,
    resource_key: str | None = None,
) -> CommunityFeedback:  # fmt: skip
    """What somebody said is kept. It is about care, not about a patient: nothing here names one."""
    if not _is_mine(work, branch_id):
        raise NotFound("branch")
    if received_on > agency.today(work, branch_id):
        raise Invalid("What was said was said by today.", pointer="/received_on")
    resource = None
    if resource_key is not None:
        try:
            resource = service.by_key(work, resource_key)
        except NotFound as missing:
            raise Invalid(missing.detail, pointer="/resource_key") from None
    row = CommunityFeedback(
        branch_id=branch_id, theme=theme, language=language, voice=voice, words=words, received_on=received_on,
        resource_id=None if resource is None else resource.id, recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("feedback.recorded", f"feedback:{row.id}", theme=theme)
    return row


@permitted("feedback:read")
def search(
    work: Work, *, theme: str | None = None, language: str | None = None, resource_key: str | None = None
) -> sa.Select[CommunityFeedback]:
    """What was said to the actor's branches, as a select for `page`."""
    query = sa.select(CommunityFeedback)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(CommunityFeedback.branch_id.in_(sorted(mine | work.actor.branch_ids)))
    if theme is not None:
        query = query.where(CommunityFeedback.theme == theme)
    if language is not None:
        query = query.where(CommunityFeedback.language == language)
    if resource_key is not None:
        query = query.where(CommunityFeedback.resource_id == service.by_key(work, resource_key).id)
    work.record("feedback.listed", "feedback:all")
    return query


@permitted("feedback:share")
def share(work: Work, feedback_id: int) -> CommunityFeedback:
    """It has been passed on to those it is about."""
    row = locked(work.session, CommunityFeedback, feedback_id, "feedback")
    if not _is_mine(work, row.branch_id):
        raise NotFound("feedback")
    if row.shared_at is not None:
        raise Conflict("It has been passed on already.", code="already-shared")
    row.shared_at, row.shared_by_id = work.now, work.actor.user_id
    work.session.flush()  # the new version is in the answer
    work.record("feedback.shared", f"feedback:{row.id}")
    return row
