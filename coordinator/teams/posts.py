"""The managing physician and the coordinator: named for a patient, and who held the post before.

Who manages a patient now stands on the patient's own row, which every room below reads; here is since when, and who did
before. Whoever changes it, by whatever door, the history follows by `ManagingPhysicianChanged`.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ManagingPhysicianChanged
from coordinator.domain.team import TeamPost
from coordinator.domain.vocabulary import Role
from coordinator.patients.model import Patient
from coordinator.patients.queries import for_change
from coordinator.patients.service import put_under
from coordinator.teams.model import PostHeld

#: Who may hold the threads together.
COORDINATING = frozenset({Role.CLINICIAN.value, Role.INTAKE.value, Role.CLINICAL_MANAGER.value, Role.SCHEDULER.value})


def post_held(work: Work, patient_id: int, post: TeamPost) -> PostHeld | None:
    """Who holds the post now, as the row that says since when. Asks for no permission."""
    return work.session.execute(
        sa.select(PostHeld).where(PostHeld.patient_id == patient_id, PostHeld.post == post, PostHeld.ends_at.is_(None))
    ).scalar()


def posts_of(work: Work, patient_id: int) -> Sequence[PostHeld]:
    """Who held which post, first to last. Asks for no permission."""
    return (
        work.session.execute(
            sa.select(PostHeld).where(PostHeld.patient_id == patient_id).order_by(PostHeld.starts_at, PostHeld.id)
        )
        .scalars()
        .all()
    )


def held_for_change(work: Work, patient_id: int, post: TeamPost) -> PostHeld | None:
    """Like `post_held`, if the actor may see the patient, whom nobody else changes until this transaction ends."""
    for_change(work, patient_id)
    return post_held(work, patient_id, post)


@permitted("team:edit")
def name_managing_physician(work: Work, patient_id: int, physician_id: int) -> PostHeld:
    """All care is under that physician from now on: patient, open plans of care and history say so (ELG-8).

    The same physician again changes nothing. Invalid for one who is unknown or no longer practises here.
    """
    patient = for_change(work, patient_id)
    held = post_held(work, patient_id, TeamPost.MANAGING_PHYSICIAN)
    if held is not None and held.physician_id == physician_id == patient.managing_physician_id:
        return held
    put_under(work, patient, physician_id, "/physician_id")
    return post_held(work, patient_id, TeamPost.MANAGING_PHYSICIAN) or _hold(
        work, patient_id, TeamPost.MANAGING_PHYSICIAN, physician_id=physician_id
    )


def on_managing_physician_changed(work: Work, event: ManagingPhysicianChanged) -> None:
    """The history says who managed the patient until now, and who does from now on."""
    held = post_held(work, event.patient_id, TeamPost.MANAGING_PHYSICIAN)
    if held is not None and held.physician_id == event.physician_id:
        return
    _release(work, held)
    if event.physician_id is not None:
        _hold(work, event.patient_id, TeamPost.MANAGING_PHYSICIAN, physician_id=event.physician_id)


@permitted("team:edit")
def name_coordinator(work: Work, patient_id: int, user_id: int) -> PostHeld:
    """That person of the office, or that nurse, coordinates the patient's care from now on.

    The same person again changes nothing. Invalid for an account that is closed, of no such role, or of another branch.
    """
    patient = for_change(work, patient_id)
    held = post_held(work, patient_id, TeamPost.COORDINATOR)
    if held is not None and held.user_id == user_id:
        return held
    require_coordinator(work, patient, user_id, "/user_id")
    _release(work, held)
    return _hold(work, patient_id, TeamPost.COORDINATOR, user_id=user_id)


@permitted("team:edit")
def release_coordinator(work: Work, patient_id: int) -> PostHeld:
    """Nobody coordinates the patient's care from now on. There is no such verb for the managing physician."""
    for_change(work, patient_id)
    held = post_held(work, patient_id, TeamPost.COORDINATOR)
    if held is None:
        raise Conflict("Nobody coordinates this patient's care.", code="post-vacant")
    _release(work, held)
    return held


def require_coordinator(work: Work, patient: Patient, user_id: int, pointer: str) -> User:
    """The account of somebody who may coordinate for that patient; Invalid at `pointer` otherwise."""
    user = work.session.get(User, user_id)
    able = user is not None and user.active and not COORDINATING.isdisjoint(user.roles)
    if user is None or not able or not (user.clinician_id is not None or patient.branch_id in user.branch_ids):
        raise Invalid("Nobody of that number coordinates care in this patient's branch.", pointer=pointer)
    return user


def _release(work: Work, held: PostHeld | None) -> None:
    if held is None:
        return
    held.ends_at = work.now
    work.session.flush()  # the post is free before somebody else takes it
    work.record("team.post-left", f"team-post:{held.id}", patient_id=held.patient_id, post=held.post.value)


def _hold(
    work: Work, patient_id: int, post: TeamPost, *, physician_id: int | None = None, user_id: int | None = None
) -> PostHeld:
    held = PostHeld(
        patient_id=patient_id, post=post, physician_id=physician_id, user_id=user_id, starts_at=work.now,
        recorded_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(held)
    work.session.flush()  # its number is in the answer and in the trail
    who = {"physician": physician_id} if physician_id is not None else {"user": user_id}
    work.record("team.post-taken", f"team-post:{held.id}", patient_id=patient_id, post=post.value, **who)
    return held
