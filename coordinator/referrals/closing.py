"""How a referral ends: declined, not admitted, withdrawn, or led to admission (REF-03)."""

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.errors import Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.directory import service as directory
from coordinator.domain.events import PatientAdmitted, ReferralDeclined, ReferralNotAdmitted, ReferralWithdrawn
from coordinator.domain.lifecycle import REFERRAL, may_become
from coordinator.domain.vocabulary import ReferralDeclineReason, ReferralStatus
from coordinator.patients import service as patients
from coordinator.patients.model import Episode
from coordinator.referrals.model import Referral
from coordinator.referrals.queries import visible
from coordinator.referrals.states import episode_of, move, refuse_move
from coordinator.rules.facts import ReferralClosing
from coordinator.rules.referrals import ask_close


@permitted("referral:decide")
def decline(
    work: Work,
    referral_id: int,
    reason: ReferralDeclineReason | None,
    onward_resource_key: str | None,
    note: str | None = None,
) -> Referral:
    """The referral ends before acceptance, for a coded reason and with somewhere else to turn to (REF-03)."""
    referral = visible(work, referral_id, lock=True)
    _close(work, referral, ReferralStatus.DECLINED, reason, onward_resource_key, note)
    work.publish(ReferralDeclined(referral_id=referral.id))
    return referral


@permitted("referral:decide")
def not_admit(
    work: Work,
    referral_id: int,
    reason: ReferralDeclineReason | None,
    onward_resource_key: str | None,
    note: str | None = None,
) -> Referral:
    """The accepted patient is not admitted; the episode ends without care, and REF-03 holds as for a refusal."""
    referral = visible(work, referral_id, lock=True)
    _close(work, referral, ReferralStatus.NOT_ADMITTED, reason, onward_resource_key, note)
    _end_episode(work, referral)
    work.publish(ReferralNotAdmitted(referral_id=referral.id))
    return referral


@permitted("referral:edit")
def withdraw(work: Work, referral_id: int, reason: str) -> Referral:
    """Whoever sent the referral took it back; if the patient was accepted, the episode ends without care."""
    referral = visible(work, referral_id, lock=True)
    if not reason.strip():
        raise Invalid("Say why it was withdrawn.", pointer="/reason")
    move(referral, ReferralStatus.WITHDRAWN)
    referral.withdraw_reason, referral.decided_at = reason, work.now
    work.session.flush()  # the new version is in the answer
    work.record("referral.withdrawn", f"referral:{referral.id}", patient_id=referral.patient_id)
    _end_episode(work, referral)
    work.publish(ReferralWithdrawn(referral_id=referral.id))
    return referral


def _close(
    work: Work,
    referral: Referral,
    status: ReferralStatus,
    reason: ReferralDeclineReason | None,
    onward_resource_key: str | None,
    note: str | None,
) -> None:
    if not may_become(REFERRAL, referral.status, status):
        refuse_move(referral, status)
    findings = ask_close(ReferralClosing(reason=reason, onward_resources=1 if onward_resource_key else 0))
    if findings:
        raise RuleBroken(findings)
    assert reason is not None
    assert onward_resource_key is not None
    try:
        directory.by_key(work, onward_resource_key)
    except NotFound as missing:
        raise Invalid(missing.detail, pointer="/onward_resource_key") from None
    move(referral, status)
    referral.decline_reason, referral.decline_note = ReferralDeclineReason(reason), note
    referral.onward_resource_key, referral.decided_at = onward_resource_key, work.now
    work.session.flush()  # the new version is in the answer
    work.record(
        f"referral.{status.value.replace('_', '-')}", f"referral:{referral.id}", patient_id=referral.patient_id,
        reason=referral.decline_reason.value, onward=onward_resource_key,
    )  # fmt: skip


def _end_episode(work: Work, referral: Referral) -> None:
    episode = episode_of(work, referral)
    if episode is not None and episode.discharged_on is None:
        patients.discharge(
            work, episode.id, agency.today(work, referral.branch_id), patients.DischargeReason.NOT_ADMITTED
        )


# ------------------------------------------------------------------------------------ told by other rooms


def note_initial_visit(work: Work, referral_id: int, *, booked: bool) -> None:
    """The accepted referral says whether its initial visit is booked. Nothing changes once the patient is admitted."""
    referral = fetch(work.session, Referral, referral_id, "referral")
    wanted = ReferralStatus.INITIAL_VISIT_BOOKED if booked else ReferralStatus.ACCEPTED
    if referral.status is not wanted and referral.status in (
        ReferralStatus.ACCEPTED,
        ReferralStatus.INITIAL_VISIT_BOOKED,
    ):
        move(referral, wanted)
        work.record("referral.initial-visit", f"referral:{referral.id}", patient_id=referral.patient_id, booked=booked)


def note_admitted(work: Work, event: PatientAdmitted) -> None:
    """The referral from which the episode came has led to admission."""
    episode = fetch(work.session, Episode, event.episode_id, "episode")
    if episode.referral_id is None:
        return
    referral = fetch(work.session, Referral, episode.referral_id, "referral")
    if may_become(REFERRAL, referral.status, ReferralStatus.ADMITTED):
        move(referral, ReferralStatus.ADMITTED)
        work.record("referral.admitted", f"referral:{referral.id}", patient_id=event.patient_id)
