"""Written notices that covered services end or shrink (DIS-04)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CoverageNoticeChanged, CoverageNoticeDelivered, CoverageNoticeOwed
from coordinator.domain.vocabulary import Discipline, NoticeKind
from coordinator.episodes.model import CoverageNotice
from coordinator.episodes.reading import episode_to_change, today_of, visible_episode
from coordinator.patients.model import Episode
from coordinator.rules import discharge as rules
from coordinator.rules.discharge import NoticeFacts
from coordinator.rules.terms import Finding, refusals


def owe_notice(work: Work, episode: Episode, last_covered_on: date, discipline: Discipline | None) -> None:
    """The notice that Medicare asks for at this end is owed; none elsewhere. Asked by other verbs of the room."""
    kind = rules.notice_kind(
        episode.programme, episode.payer, ends=discipline is None, policy=work.policy, day=last_covered_on
    )
    if kind is not None:
        _write(work, episode, NoticeFacts(kind, last_covered_on), discipline)


def follow_discharge(
    work: Work, episode_id: int, discipline: Discipline | None, was_on: date, now_on: date | None
) -> None:
    """Notices that told of an end on `was_on` and that nobody delivered tell of `now_on`, or are owed no more.

    Asked by other verbs of the room.
    """
    rows = work.session.execute(
        sa.select(CoverageNotice)
        .where(
            CoverageNotice.episode_id == episode_id,
            CoverageNotice.discipline.is_(None) if discipline is None else CoverageNotice.discipline == discipline,
            CoverageNotice.last_covered_on == was_on,
            CoverageNotice.frequency.is_(None),
            CoverageNotice.delivered_on.is_(None),
            CoverageNotice.withdrawn_at.is_(None),
        )
        .order_by(CoverageNotice.id)
        .with_for_update()
    ).scalars()
    for row in rows.all():
        if now_on is None:
            row.withdrawn_at = work.now
        else:
            row.last_covered_on = now_on
            row.due_on = rules.notice_due(NoticeFacts(row.kind, now_on), work.policy)
        _record(work, "notice-of-coverage.withdrawn" if now_on is None else "notice-of-coverage.moved", row)
        work.publish(CoverageNoticeChanged(patient_id=row.patient_id, episode_id=row.episode_id, notice_id=row.id))


@permitted("discharge:plan")
def write_notice(
    work: Work,
    episode_id: int,
    *,
    kind: NoticeKind,
    last_covered_on: date,
    discipline: Discipline | None = None,
    frequency: str | None = None,
    next_to_last_visit_on: date | None = None,
) -> CoverageNotice:
    """The notice is owed; refused if it names a range where one number of visits belongs."""
    episode = episode_to_change(work, episode_id)
    if next_to_last_visit_on is not None and next_to_last_visit_on >= last_covered_on:
        raise Invalid("The visit before the last comes before it.", pointer="/next_to_last_visit_on")
    facts = NoticeFacts(
        NoticeKind(kind), last_covered_on, frequency=frequency or "", next_to_last_visit_on=next_to_last_visit_on
    )
    return _write(work, episode, facts, discipline)


def _write(work: Work, episode: Episode, facts: NoticeFacts, discipline: Discipline | None) -> CoverageNotice:
    refused = refusals(rules.ask_notice(facts, work.policy))
    if refused:
        raise RuleBroken(refused, code="notice-not-fixed")
    row = CoverageNotice(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        kind=facts.kind,
        discipline=discipline,
        last_covered_on=facts.last_covered_on,
        due_on=rules.notice_due(facts, work.policy),
        frequency=facts.frequency or None,
        recorded_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    _record(work, "notice-of-coverage.owed", row)
    work.publish(
        CoverageNoticeOwed(
            patient_id=row.patient_id, episode_id=row.episode_id, notice_id=row.id, kind=row.kind.value,
            due_on=row.due_on,
        )
    )  # fmt: skip
    return row


@permitted("discharge:plan")
def deliver_notice(work: Work, notice_id: int, delivered_on: date) -> CoverageNotice:
    """The notice was in the patient's hands on that day."""
    row = work.session.get(CoverageNotice, notice_id)
    if row is None:
        raise NotFound("notice")
    try:
        episode = episode_to_change(work, row.episode_id, ended=True)
    except NotFound:
        raise NotFound("notice") from None
    work.session.refresh(row, with_for_update=True)
    if row.delivered_on is not None:
        raise Conflict("This notice was delivered already.", code="notice-delivered")
    if row.withdrawn_at is not None:
        raise Conflict("This notice tells of an end that does not come.", code="notice-withdrawn")
    if delivered_on > today_of(work, episode):
        raise Invalid("A delivery is recorded when it has happened.", pointer="/delivered_on")
    row.delivered_on = delivered_on
    _record(work, "notice-of-coverage.delivered", row)
    work.publish(
        CoverageNoticeDelivered(
            patient_id=row.patient_id, episode_id=row.episode_id, notice_id=row.id, delivered_on=delivered_on
        )
    )
    return row


@permitted("certification:read")
def notices(work: Work, episode_id: int) -> Sequence[tuple[CoverageNotice, tuple[Finding, ...]]]:
    """The notices of the episode, oldest first, with what is to be said of each."""
    episode = visible_episode(work, episode_id)
    work.record("notice-of-coverage.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    rows = work.session.execute(
        sa.select(CoverageNotice).where(CoverageNotice.episode_id == episode.id).order_by(CoverageNotice.id)
    ).scalars()
    return [(row, _against(work, row)) for row in rows.all()]


def _against(work: Work, row: CoverageNotice) -> tuple[Finding, ...]:
    if row.withdrawn_at is not None:
        return ()
    # The visit before the last one decided the due day when the notice was written; it is asked back from it.
    facts = NoticeFacts(row.kind, row.last_covered_on, row.delivered_on, row.frequency or "", row.due_on)
    return rules.ask_notice(facts, work.policy)


def _record(work: Work, action: str, row: CoverageNotice, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.record(action, f"notice-of-coverage:{row.id}", patient_id=row.patient_id, kind=row.kind.value, **facts)
