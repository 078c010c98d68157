"""What is known of an episode's payment: periods with their forecast, the notice of admission, units (PAY-01 to -03).

For the manager to see coming. Nothing in the planning rooms reads it, and a test sees to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import AdmissionNoticeSubmitted
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT
from coordinator.domain.timeline import DateSpan, local_day, payment_period
from coordinator.patients.model import Episode
from coordinator.rules.payment import PeriodFacts, ask_lupa, ask_notice, counts, units
from coordinator.rules.terms import Finding
from coordinator.visits.model import Visit
from coordinator.visits.payment_model import AdmissionNotice, PaymentPeriod

#: A year of periods is as far as anybody looks.
MOST_PERIODS = 13


@dataclass(frozen=True, slots=True)
class Period:
    """One payment period with what was made and what is planned; `units` are those of the visits made."""

    facts: PeriodFacts
    span: DateSpan
    case_mix_group: str | None
    units: int
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The periods of an episode until the one of today, and the next; the notice of admission."""

    episode_id: int
    soc_date: date | None
    periods: tuple[Period, ...]
    notice_submitted_on: date | None
    notice: Finding | None


def _episode(work: Work, episode_id: int, *, for_change: bool = False) -> Episode:
    episode = work.session.get(Episode, episode_id, with_for_update=for_change or None)
    if episode is None:
        raise NotFound("episode")
    require_sight(work, episode.patient_id)
    return episode


@permitted("payment:read")
def outlook(work: Work, episode_id: int) -> Outlook:
    """How the episode's payment periods stand today; the reading is in the trail."""
    episode = _episode(work, episode_id)
    work.record("episode.payment-read", f"episode:{episode.id}", patient_id=episode.patient_id)
    submitted_on = work.session.scalar(
        sa.select(AdmissionNotice.submitted_on).where(AdmissionNotice.episode_id == episode.id)
    )
    if episode.soc_date is None:
        return Outlook(episode.id, None, (), submitted_on, None)
    today = agency.today(work, require_sight(work, episode.patient_id))
    notice = ask_notice(episode.programme, episode.payer, episode.soc_date, submitted_on, today, work.policy)
    return Outlook(episode.id, episode.soc_date, _periods(work, episode, episode.soc_date, today), submitted_on, notice)


def _periods(work: Work, episode: Episode, soc: date, today: date) -> tuple[Period, ...]:
    known = {
        row.number: row
        for row in work.session.scalars(sa.select(PaymentPeriod).where(PaymentPeriod.episode_id == episode.id))
    }
    last = min(episode.discharged_on or today + timedelta(days=30), today + timedelta(days=30))
    numbers = [number for number in range(1, MOST_PERIODS + 1) if payment_period(soc, number).first <= last]
    made, planned, units_made = _visits(work, episode, {number: payment_period(soc, number) for number in numbers})
    periods = []
    for number in numbers:
        row = known.get(number)
        facts = PeriodFacts(number, made[number], planned[number], None if row is None else row.threshold)
        span = payment_period(soc, number)
        group = None if row is None else row.case_mix_group
        periods.append(Period(facts, span, group, units_made[number], ask_lupa(facts)))
    return tuple(periods)


def _visits(
    work: Work, episode: Episode, spans: Mapping[int, DateSpan]
) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Visits made, visits ahead and units made, by period."""
    made, planned, billed = dict.fromkeys(spans, 0), dict.fromkeys(spans, 0), dict.fromkeys(spans, 0)
    zone = agency.zone_of(work, require_sight(work, episode.patient_id))
    query = sa.select(Visit).where(
        Visit.episode_id == episode.id, Visit.status.in_(LIVE_VISIT), Visit.joint_with_id.is_(None)
    )
    for visit in work.session.scalars(query):
        if not counts(visit.discipline, visit.kind):
            continue
        begins = visit.actual_start_at or visit.starts_at
        if begins is None:
            continue
        day = local_day(begins, zone)
        number = next((number for number, span in spans.items() if span.first <= day <= span.last), None)
        if number is None:
            continue
        if visit.status not in DONE_VISIT:
            planned[number] += 1
            continue
        made[number] += 1
        if visit.actual_start_at is not None and visit.actual_end_at is not None:
            minutes = int((visit.actual_end_at - visit.actual_start_at).total_seconds()) // 60
            billed[number] += units(minutes, work.policy.on(day))
    return made, planned, billed


@permitted("payment:edit")
def set_period(work: Work, episode_id: int, number: int, *, case_mix_group: str, threshold: int) -> PaymentPeriod:
    """The period's case-mix group and its threshold, as the grouper gave them."""
    episode = _episode(work, episode_id, for_change=True)
    payment = work.policy.on(episode.soc_date).payment
    least, most = payment.lupa_minimum, payment.lupa_maximum
    if not least <= threshold <= most:
        raise Invalid(f"A threshold is from {least} to {most} visits.", pointer="/threshold")
    if not 1 <= number <= MOST_PERIODS:
        raise Invalid(f"Periods are from 1 to {MOST_PERIODS}.", pointer="/number")
    row = work.session.scalar(
        sa.select(PaymentPeriod).where(PaymentPeriod.episode_id == episode.id, PaymentPeriod.number == number)
    )
    if row is None:
        row = PaymentPeriod(episode_id=episode.id, number=number)
        work.session.add(row)
    row.case_mix_group, row.threshold = case_mix_group, threshold
    work.session.flush()  # its number is in the answer
    work.record("episode.payment-period", f"episode:{episode.id}", patient_id=episode.patient_id, number=number)
    return row


@permitted("payment:edit")
def submit_notice(work: Work, episode_id: int, submitted_on: date) -> AdmissionNotice:
    """The notice of admission went out on that day, once (PAY-02). AdmissionNoticeSubmitted is published."""
    episode = _episode(work, episode_id, for_change=True)
    if episode.soc_date is None or submitted_on < episode.soc_date:
        raise Invalid("A notice follows the start of care.", pointer="/submitted_on")
    if submitted_on > agency.today(work, require_sight(work, episode.patient_id)):
        raise Invalid("A notice is recorded when it went out, not ahead.", pointer="/submitted_on")
    if work.session.scalar(sa.select(AdmissionNotice.id).where(AdmissionNotice.episode_id == episode.id)) is not None:
        raise Conflict("The notice of admission is on record already.", code="notice-on-record")
    row = AdmissionNotice(
        episode_id=episode.id, submitted_on=submitted_on, recorded_by_id=work.actor.user_id, recorded_at=work.now
    )
    work.session.add(row)
    work.session.flush()  # its number is in the answer
    work.record("episode.notice-submitted", f"episode:{episode.id}", patient_id=episode.patient_id)
    work.publish(AdmissionNoticeSubmitted(patient_id=episode.patient_id, episode_id=episode.id))
    return row
