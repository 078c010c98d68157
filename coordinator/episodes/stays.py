"""Stays in hospital: the transfer that lets visits rest, and the return that asks for resumption first (ASM-02)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import SummarySent, TransferNoticed
from coordinator.domain.timeline import local_day
from coordinator.episodes.model import InpatientStay
from coordinator.episodes.reading import episode_to_change, visible_episode
from coordinator.jobs.context import JobContext
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.rules.certification import is_transfer


@permitted("episode:hold")
def record_stay(
    work: Work,
    episode_id: int,
    *,
    left_home_at: datetime,
    admitted_at: datetime | None = None,
    diagnostic_only: bool = False,
    planned: bool = False,
    facility: str | None = None,
) -> InpatientStay:
    """The patient is in hospital. Observation leaves every visit where it is; a qualifying admission is a transfer.

    An admission that has not lasted long enough yet becomes one when it has (`watch_stays`).
    """
    episode = episode_to_change(work, episode_id)
    if _open_stay(work, episode.id) is not None:
        raise Conflict("The patient is away already. Record the return first.", code="stay-open")
    if not episode.accepted_at <= left_home_at <= work.now:
        raise Invalid("The patient left between acceptance and now.", pointer="/left_home_at")
    row = InpatientStay(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        left_home_at=left_home_at,
        diagnostic_only=diagnostic_only,
        planned=planned,
        facility=facility,
        learned_at=work.now,
        recorded_by_id=work.actor.user_id,
    )
    _admitted(work, row, admitted_at)
    work.session.add(row)
    _record(work, "stay.recorded", row, inpatient=admitted_at is not None)
    _transfer_if_due(work, row, episode)
    return row


@permitted("episode:hold")
def admit_stay(work: Work, stay_id: int, *, admitted_at: datetime, diagnostic_only: bool = False) -> InpatientStay:
    """What began as observation has become an inpatient admission."""
    row, episode = _for_change(work, stay_id)
    if row.admitted_at is not None or row.home_at is not None:
        raise Conflict("The stay was admitted, or has ended, already.", code="stay-admitted")
    row.diagnostic_only = diagnostic_only
    _admitted(work, row, admitted_at)
    _record(work, "stay.admitted", row)
    _transfer_if_due(work, row, episode)
    return row


@permitted("episode:hold")
def end_stay(
    work: Work, stay_id: int, *, home_at: datetime, ordered_resumption_on: date | None = None
) -> InpatientStay:
    """The patient is home. After a transfer the episode resumes: the resumption visit is due 48 hours from then."""
    row, episode = _for_change(work, stay_id)
    if row.home_at is not None:
        raise Conflict("The patient is home already.", code="stay-ended")
    if not (row.admitted_at or row.left_home_at) <= home_at <= work.now:
        raise Invalid("The return lies between the stay's beginning and now.", pointer="/home_at")
    returned_on = local_day(home_at, _zone(work, row))
    if ordered_resumption_on is not None and ordered_resumption_on < returned_on:
        raise Invalid("The ordered day comes after the return.", pointer="/ordered_resumption_on")
    row.discharged_at = row.home_at = home_at
    row.ordered_resumption_on = ordered_resumption_on
    _transfer_if_due(work, row, episode)
    _record(work, "stay.ended", row, transfer=row.transferred_at is not None)
    if row.transferred_at is not None and episode.on_hold_since is not None:
        patients.resume(work, episode.id, home_at=home_at, ordered_on=ordered_resumption_on)
    return row


@permitted("episode:hold")
def send_transfer_summary(work: Work, stay_id: int) -> InpatientStay:
    """The transfer summary went to the facility that goes on with the care (DIS-02)."""
    row, _ = _for_change(work, stay_id)
    if row.transferred_at is None:
        raise Conflict("This stay is no transfer, and owes no summary.", code="no-transfer")
    if row.summary_sent_at is not None:
        raise Conflict("The summary was sent already.", code="summary-sent")
    row.summary_sent_at = work.now
    _record(work, "stay.summary-sent", row)
    work.publish(
        SummarySent(
            patient_id=row.patient_id, episode_id=row.episode_id, kind="transfer",
            sent_on=local_day(work.now, _zone(work, row)), stay_id=row.id,
        )
    )  # fmt: skip
    return row


@permitted("certification:read")
def stays(work: Work, episode_id: int) -> Sequence[InpatientStay]:
    """The stays of the episode, oldest first."""
    episode = visible_episode(work, episode_id)
    work.record("stay.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    found = work.session.execute(
        sa.select(InpatientStay).where(InpatientStay.episode_id == episode.id).order_by(InpatientStay.left_home_at)
    )
    return found.scalars().all()


def watch_stays(context: JobContext, arguments: dict[str, Any]) -> None:
    """The job `episodes.watch-stays`: an admission that has now lasted long enough is a transfer. Twice is once."""
    with context.work() as work:
        rows = work.session.execute(
            sa.select(InpatientStay.id)
            .join(Patient, Patient.id == InpatientStay.patient_id)
            .where(
                Patient.branch_id == arguments["branch_id"],
                InpatientStay.transferred_at.is_(None),
                InpatientStay.admitted_at.is_not(None),
                InpatientStay.home_at.is_(None),
                InpatientStay.diagnostic_only.is_(False),
            )
            .order_by(InpatientStay.id)
        )
        for stay_id in rows.scalars().all():
            row, episode = _for_change(work, stay_id)
            if episode.discharged_on is None:
                _transfer_if_due(work, row, episode)


# ------------------------------------------------------------------------------------ what they share


def _open_stay(work: Work, episode_id: int) -> InpatientStay | None:
    return work.session.execute(
        sa.select(InpatientStay).where(InpatientStay.episode_id == episode_id, InpatientStay.home_at.is_(None))
    ).scalar()


def _for_change(work: Work, stay_id: int) -> tuple[InpatientStay, Episode]:
    row = work.session.get(InpatientStay, stay_id)
    if row is None:
        raise NotFound("stay")
    try:
        episode = episode_to_change(work, row.episode_id, ended=True)
    except NotFound:
        raise NotFound("stay") from None
    work.session.refresh(row, with_for_update=True)
    return row, episode


def _admitted(work: Work, row: InpatientStay, admitted_at: datetime | None) -> None:
    if admitted_at is not None and not row.left_home_at <= admitted_at <= work.now:
        raise Invalid("The admission lies between leaving home and now.", pointer="/admitted_at")
    row.admitted_at = admitted_at


def _transfer_if_due(work: Work, row: InpatientStay, episode: Episode) -> None:
    """Let the episode rest from the admission on, once the stay is a qualifying one."""
    if row.transferred_at is not None or row.admitted_at is None or episode.discharged_on is not None:
        return
    if not is_transfer(row.admitted_at, row.discharged_at, row.diagnostic_only, work.now, work.policy):
        return
    row.transferred_at = row.admitted_at
    _record(work, "stay.transferred", row)
    zone = _zone(work, row)
    work.publish(
        TransferNoticed(
            patient_id=row.patient_id, episode_id=row.episode_id, stay_id=row.id,
            transferred_on=local_day(row.admitted_at, zone), learned_on=local_day(row.learned_at, zone),
            planned=row.planned,
        )
    )  # fmt: skip
    if episode.on_hold_since is None:
        patients.hold(work, episode.id, row.admitted_at)


def _zone(work: Work, row: InpatientStay) -> Any:
    return agency.zone_of(work, require_sight(work, row.patient_id))


def _record(work: Work, action: str, row: InpatientStay, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.record(action, f"stay:{row.id}", patient_id=row.patient_id, **facts)
