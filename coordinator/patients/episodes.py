"""Episodes of care: opened on acceptance, started by the first visit, held, resumed, and ended for a listed reason."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency.programmes import require_programme
from coordinator.agency.service import today, zone_of
from coordinator.core.db import ROW_ID, locked
from coordinator.core.errors import Conflict, Invalid, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import EpisodeHeld, EpisodeResumed, PatientAdmitted, PatientDischarged
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Eligibility, Payer, Programme
from coordinator.patients.enrolments import in_the_way
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import accepted_day, for_change
from coordinator.rules.discharge import DischargeFacts, Step, ask_discharge
from coordinator.rules.discharge import Reason as DischargeReason
from coordinator.rules.terms import refusals

# Physicians stand in the room beside this one.
_physician = sa.table("physician", sa.column("id", ROW_ID), sa.column("active", sa.Boolean()))


def episode_for_change(work: Work, episode_id: int) -> Episode:
    """The episode, if the actor may see its patient, locked. The patient's row is locked first, as everywhere."""
    episode = work.session.get(Episode, episode_id)
    if episode is not None:
        require_sight(work, episode.patient_id)
        locked(work.session, Patient, episode.patient_id, "patient")
    return locked(work.session, Episode, episode_id, "episode")


def _record(work: Work, action: str, episode: Episode, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.record(action, f"episode:{episode.id}", patient_id=episode.patient_id, **facts)


@permitted("episode:open")
def open_episode(
    work: Work,
    *,
    patient_id: int,
    programme: Programme,
    payer: Payer,
    accepted_at: datetime,
    referral_id: int | None = None,
    initial_visit_due_at: datetime | None = None,
    ordered_soc_date: date | None = None,
    eligibility: str = Eligibility.PENDING,
) -> Episode:
    """The patient is accepted under the programme; Conflict if an episode of it is open, or nobody manages the care.

    Another programme that excludes this one keeps nobody out: it is on record, and `in_the_way` says it (PRG-02).
    """
    programme = require_programme(work, programme)
    patient = for_change(work, patient_id)
    if not patient.active:
        raise Conflict("This patient's record is closed.", code="patient-inactive")
    _require_managed(work, patient)
    for other in patient.episodes:
        if other.programme == programme and other.discharged_on is None:
            raise Conflict(
                "The patient has an open episode of this programme. Discharge it first.",
                code="episode-open",
                blocking=[{"episode": other.id}],
            )
    episode = Episode(
        patient_id=patient.id,
        programme=programme,
        payer=Payer(payer),
        accepted_at=accepted_at,
        referral_id=referral_id,
        initial_visit_due_at=initial_visit_due_at,
        ordered_soc_date=ordered_soc_date,
        eligibility=Eligibility(eligibility).value,
    )
    patient.episodes.append(episode)
    work.session.flush()  # the episode is not in its own way, by its number
    findings = in_the_way(work, patient, programme, local_day(accepted_at, zone_of(work, patient.branch_id)), episode)
    excluded_by = sorted({str(finding.params["other"]) for finding in findings}) or None
    _record(
        work, "episode.opened", episode, programme=episode.programme.value, referral=referral_id,
        **({"excluded_by": excluded_by} if excluded_by else {}),
    )  # fmt: skip
    return episode


def _require_managed(work: Work, patient: Patient) -> None:
    """Refuse care under nobody: a managing physician is named, and practises here (ELG-8)."""
    manages = work.session.execute(
        sa.select(_physician.c.active).where(_physician.c.id == patient.managing_physician_id)
    ).scalar()
    if not manages:
        named = patient.managing_physician_id is not None
        raise Conflict(
            f"{'The managing physician practises here no longer' if named else 'Nobody manages this care'}. "
            "Name the patient's managing physician first.",
            code="managing-physician-needed",
            blocking=[{"patient": patient.id}],
        )


@permitted("eligibility:determine")
def record_eligibility(work: Work, episode_id: int, eligibility: Eligibility) -> Episode:
    """The episode carries the latest answer to all criteria (ELG-00)."""
    episode = episode_for_change(work, episode_id)
    episode.eligibility = Eligibility(eligibility).value
    _record(work, "episode.eligibility", episode, eligibility=episode.eligibility)
    return episode


@permitted("episode:start")
def start_of_care(work: Work, episode_id: int, soc_date: date) -> Episode:
    """Care has begun on that day, once and for all: the certification clock runs from it. PatientAdmitted is published.

    The same day again changes nothing; another day is a Conflict.
    """
    episode = episode_for_change(work, episode_id)
    if episode.soc_date == soc_date:
        return episode
    if episode.soc_date is not None:
        raise Conflict("Care began on another day already.", code="already-admitted", soc_date=episode.soc_date)
    if episode.discharged_on is not None:
        raise Conflict("This episode has ended.", code="episode-ended")
    patient = locked(work.session, Patient, episode.patient_id, "patient")
    _require_managed(work, patient)
    if soc_date > today(work, patient.branch_id):
        raise Invalid("The start of care lies in the future.", pointer="/soc_date")
    if soc_date < accepted_day(work, episode):
        raise Invalid("Care cannot begin before the patient was accepted.", pointer="/soc_date")
    episode.soc_date = soc_date
    _record(work, "episode.started", episode, soc_date=str(soc_date))
    work.publish(PatientAdmitted(patient_id=episode.patient_id, episode_id=episode.id, soc_date=soc_date))
    return episode


@permitted("episode:hold")
def hold(work: Work, episode_id: int, since: datetime) -> Episode:
    """The episode waits from that instant on, because the patient is away (ASM-02). EpisodeHeld is published."""
    episode = episode_for_change(work, episode_id)
    if episode.discharged_on is not None:
        raise Conflict("This episode has ended.", code="episode-ended")
    if episode.on_hold_since is not None:
        raise Conflict("This episode is on hold already.", code="episode-on-hold", since=episode.on_hold_since)
    if since > work.now or since < episode.accepted_at:
        raise Invalid("The hold begins between acceptance and now.", pointer="/since")
    episode.on_hold_since = since
    _record(work, "episode.held", episode)
    work.publish(EpisodeHeld(patient_id=episode.patient_id, episode_id=episode.id, since=since))
    return episode


@permitted("episode:hold")
def resume(work: Work, episode_id: int, *, home_at: datetime | None = None, ordered_on: date | None = None) -> Episode:
    """The episode goes on. EpisodeResumed is published, with when the patient was home and what day was ordered."""
    episode = episode_for_change(work, episode_id)
    if episode.on_hold_since is None or episode.discharged_on is not None:
        raise Conflict("This episode is not on hold.", code="episode-not-on-hold")
    episode.on_hold_since = None
    _record(work, "episode.resumed", episode)
    work.publish(
        EpisodeResumed(patient_id=episode.patient_id, episode_id=episode.id, home_at=home_at, ordered_on=ordered_on)
    )
    return episode


@permitted("episode:discharge")
def discharge(work: Work, episode_id: int, on: date, reason: str, steps: Mapping[Step, date] | None = None) -> Episode:
    """The episode's last day is `on`, for a listed reason (DIS-01); a death ends the patient's other episodes as well.

    Refused for a reason that asks for steps which are not among the documented `steps`. PatientDischarged is published
    for each episode.
    """
    episode = episode_for_change(work, episode_id)
    if reason in set(DischargeReason):
        findings = ask_discharge(DischargeFacts(on, DischargeReason(reason), steps or {}))
        if refusals(findings):
            raise RuleBroken(findings, code="discharge-not-documented")
    _end(work, episode, on, reason, "/on")
    if episode.discharge_reason == DischargeReason.DEATH:
        close_after_death(work, locked(work.session, Patient, episode.patient_id, "patient"), on, "/on")
    return episode


def close_after_death(work: Work, patient: Patient, on: date, pointer: str) -> None:
    """The record of a patient who died is closed, and so is every episode. For verbs that have asked already."""
    patient.deceased_on, patient.active = patient.deceased_on or on, False
    for episode in patient.episodes:
        if episode.discharged_on is None:
            _end(work, episode, on, DischargeReason.DEATH, pointer)
    work.session.flush()  # the new version is in the answer


def _end(work: Work, episode: Episode, on: date, reason: str, pointer: str) -> None:
    if episode.discharged_on is not None:
        raise Conflict("This episode has ended already.", code="episode-ended", discharged_on=episode.discharged_on)
    try:
        why = DischargeReason(reason)
    except ValueError:
        known = ", ".join(member.value for member in DischargeReason)
        raise Invalid(f"A discharge has a reason; one of: {known}.", pointer="/reason") from None
    if why is DischargeReason.NOT_ADMITTED and episode.soc_date is not None:
        raise Invalid("Care has begun: this patient was admitted.", pointer="/reason")
    if on < (episode.soc_date or accepted_day(work, episode)):
        raise Invalid("An episode cannot end before it began.", pointer=pointer)
    if on > today(work, require_sight(work, episode.patient_id)):
        raise Invalid("A discharge is recorded when it has happened, not ahead.", pointer=pointer)
    episode.discharged_on, episode.discharge_reason = on, why.value
    _record(work, "episode.discharged", episode, on=str(on), reason=why.value)
    work.publish(PatientDischarged(patient_id=episode.patient_id, episode_id=episode.id, on=on, reason=why.value))
