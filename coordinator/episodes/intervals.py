"""Intervals without a covered skilled visit that a practitioner holds to be right: the plan goes on (CERT-05)."""

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.core.errors import Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import IntervalJustified
from coordinator.domain.vocabulary import Role
from coordinator.episodes.model import IdleInterval
from coordinator.episodes.reading import episode_to_change, today_of, visible_episode
from coordinator.staff.model import Physician


@permitted("interval:justify")
def justify_interval(
    work: Work, episode_id: int, *, said_on: date, until: date, reason: str, physician_id: int | None = None
) -> IdleInterval:
    """The plan goes on up to that day without a covered skilled visit, because the practitioner says why.

    `physician_id`: whose word it is; a practitioner gives none but their own. Not for longer than a plan lasts without
    being reviewed: 42 CFR 409.43(e), (f).
    """
    episode = episode_to_change(work, episode_id)
    mine = work.actor.physician_id if work.actor.has_role(Role.PHYSICIAN.value) else None
    if mine is not None and physician_id not in (None, mine):
        raise Forbidden("A practitioner gives no word but their own.", code="not-your-word")
    physician = work.session.get(Physician, physician_id or mine or 0)
    if physician is None or not physician.active:
        raise Invalid("Name the practitioner who said so.", pointer="/physician_id")
    if said_on > today_of(work, episode):
        raise Invalid("What the practitioner says is recorded when it was said.", pointer="/said_on")
    longest = said_on + timedelta(days=work.policy.on(said_on).certification.qualifying_visit_days)
    if not said_on < until <= longest:
        raise Invalid(f"The interval ends after {said_on} and not after {longest}.", pointer="/until")
    if not reason.strip():
        raise Invalid("Say why the interval is right.", pointer="/reason")
    row = IdleInterval(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        physician_id=physician.id,
        said_on=said_on,
        until=until,
        reason=reason.strip(),
        recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # the number is in the answer and in the trail
    work.record("interval.justified", f"episode:{episode.id}", patient_id=episode.patient_id, interval=row.id)
    work.publish(IntervalJustified(patient_id=row.patient_id, episode_id=row.episode_id, until=until))
    return row


@permitted("certification:read")
def intervals(work: Work, episode_id: int) -> Sequence[IdleInterval]:
    """What practitioners said of intervals in this episode, newest first."""
    episode = visible_episode(work, episode_id)
    work.record("interval.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    return (
        work.session.execute(
            sa.select(IdleInterval).where(IdleInterval.episode_id == episode.id).order_by(IdleInterval.id.desc())
        )
        .scalars()
        .all()
    )
