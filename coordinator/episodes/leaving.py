"""The way out: a discharge is planned, its steps are recorded, and it is final when no rule refuses it (DIS-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import (
    DischargePlanned,
    DischargeStepDone,
    DischargeWithdrawn,
    DisciplineDischarged,
    PatientDischarged,
    SummarySent,
)
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import DischargeStatus, Discipline
from coordinator.episodes.model import Discharge
from coordinator.episodes.notices import follow_discharge, owe_notice
from coordinator.episodes.reading import episode_to_change, today_of, visible_episode
from coordinator.orders.model import Order
from coordinator.orders.queries import LAST_DAY
from coordinator.patients import service as patients
from coordinator.patients.model import Episode
from coordinator.patients.queries import accepted_day
from coordinator.rules import discharge as rules
from coordinator.rules.discharge import DischargeFacts, DisciplineFacts, Reason, Step
from coordinator.rules.terms import Finding, refusals


@dataclass(frozen=True, slots=True)
class Leaving:
    """A discharge with everything that is to be said of it."""

    row: Discharge
    findings: tuple[Finding, ...]


@permitted("discharge:plan")
def plan_discharge(
    work: Work, episode_id: int, *, planned_on: date, reason: Reason | None = None, discipline: Discipline | None = None
) -> Leaving:
    """The patient, or one discipline, is to leave on that day; the notice that Medicare asks for is owed (DIS-04)."""
    episode = episode_to_change(work, episode_id)
    if any(row.discipline is discipline for row in _of(work, episode.id) if row.status is DischargeStatus.PLANNED):
        raise Conflict("This discharge is planned already.", code="discharge-planned")
    _check(work, episode, planned_on)
    row = Discharge(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        discipline=discipline,
        status=DischargeStatus.PLANNED,
        planned_on=planned_on,
        reason=Reason(reason).value if reason is not None and discipline is None else None,
        steps={},
        drafted_by_id=work.actor.user_id,
        drafted_at=work.now,
    )
    work.session.add(row)
    _record(work, "discharge.planned", row)
    work.publish(
        DischargePlanned(
            patient_id=row.patient_id, episode_id=row.episode_id, discharge_id=row.id, planned_on=planned_on,
            discipline=discipline.value if discipline is not None else None,
        )
    )  # fmt: skip
    if reason not in (Reason.DEATH, Reason.NOT_ADMITTED):
        owe_notice(work, episode, planned_on, discipline)
    return Leaving(row, _findings(work, row))


@permitted("discharge:plan")
def edit_discharge(
    work: Work, discharge_id: int, *, planned_on: date | None = None, reason: Reason | None = None
) -> Leaving:
    """The planned discharge has another day or reason."""
    row, episode = planned_for_change(work, discharge_id)
    if planned_on is not None:
        _check(work, episode, planned_on)
        was_on, row.planned_on = row.planned_on, planned_on
        if was_on != planned_on:
            follow_discharge(work, episode.id, row.discipline, was_on, planned_on)
    if reason is not None and row.discipline is None:
        row.reason = Reason(reason).value
    _record(work, "discharge.edited", row)
    return Leaving(row, _findings(work, row))


@permitted("discharge:plan")
def record_discharge_step(work: Work, discharge_id: int, *, step: Step, done_on: date) -> Leaving:
    """One step was done on that day; summary and record come after the discharge itself (DIS-02)."""
    row, episode = _for_change(work, discharge_id)
    step = Step(step)
    if row.status is DischargeStatus.WITHDRAWN:
        raise Conflict("This discharge was withdrawn.", code="discharge-withdrawn")
    if done_on > today_of(work, episode):
        raise Invalid("A step is recorded when it is done, not ahead.", pointer="/done_on")
    if step in (Step.SUMMARY, Step.RECORD) and row.status is not DischargeStatus.FINAL:
        raise Conflict("Summary and record follow the discharge.", code="discharge-not-final")
    row.steps = {**row.steps, step.value: done_on.isoformat()}
    _record(work, "discharge.step", row, step=step.value, on=str(done_on))
    work.publish(
        DischargeStepDone(
            patient_id=row.patient_id, episode_id=row.episode_id, discharge_id=row.id, step=step.value, done_on=done_on
        )
    )
    if step is Step.SUMMARY and row.discipline is None:
        work.publish(
            SummarySent(patient_id=row.patient_id, episode_id=row.episode_id, kind="discharge", sent_on=done_on)
        )
    return Leaving(row, _findings(work, row))


@permitted("episode:discharge")
def finalise_discharge(work: Work, discharge_id: int) -> Leaving:
    """The patient has left, or the discipline has ended; refused with every finding while a rule refuses it.

    What is only owed goes with the answer and does not keep anybody.
    """
    row, episode = planned_for_change(work, discharge_id)
    if row.planned_on > today_of(work, episode):
        raise Invalid("A discharge is final when its day has come.", pointer="/planned_on")
    findings = _findings(work, row)
    if refusals(findings):
        raise RuleBroken(findings, code="discharge-not-documented")
    if row.discipline is None:
        assert row.reason is not None  # DIS-01 has asked
        patients.discharge(work, episode.id, row.planned_on, row.reason, steps=_steps(row))
        # `on_patient_discharged` has made the row final, as it does for whoever leaves by another door
    else:
        row.status, row.finalised_at = DischargeStatus.FINAL, work.now
        _record(work, "discharge.final", row)
        work.publish(
            DisciplineDischarged(
                patient_id=row.patient_id, episode_id=row.episode_id, discharge_id=row.id,
                discipline=row.discipline.value, on=row.planned_on,
            )
        )  # fmt: skip
    return Leaving(row, _findings(work, row))


@permitted("discharge:plan")
def withdraw_discharge(work: Work, discharge_id: int) -> Discharge:
    """The patient, or the discipline, stays."""
    row, _ = planned_for_change(work, discharge_id)
    row.status = DischargeStatus.WITHDRAWN
    _record(work, "discharge.withdrawn", row)
    follow_discharge(work, row.episode_id, row.discipline, row.planned_on, None)
    work.publish(DischargeWithdrawn(patient_id=row.patient_id, episode_id=row.episode_id, discharge_id=row.id))
    return row


@permitted("certification:read")
def discharges(work: Work, episode_id: int) -> list[Leaving]:
    """Every discharge of the episode and of its disciplines, oldest first, with what is to be said of each."""
    episode = visible_episode(work, episode_id)
    work.record("discharge.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    return [Leaving(row, _findings(work, row)) for row in _of(work, episode.id)]


def on_patient_discharged(work: Work, event: PatientDischarged) -> None:
    """Answers `PatientDischarged`: whoever left has a final discharge, for the steps that follow it."""
    rows = [row for row in _of(work, event.episode_id) if row.status is DischargeStatus.PLANNED]
    own = next((row for row in rows if row.discipline is None), None)
    for row in rows:
        if row is not own:
            row.status = DischargeStatus.WITHDRAWN
    if own is None:
        own = Discharge(
            patient_id=event.patient_id,
            episode_id=event.episode_id,
            steps={},
            drafted_by_id=work.actor.user_id,
            drafted_at=work.now,
        )
        work.session.add(own)
    own.status, own.finalised_at = DischargeStatus.FINAL, work.now
    own.planned_on, own.reason = event.on, event.reason
    _record(work, "discharge.final", own)


# ------------------------------------------------------------------------------------ what they share


def _of(work: Work, episode_id: int) -> Sequence[Discharge]:
    return (
        work.session.execute(sa.select(Discharge).where(Discharge.episode_id == episode_id).order_by(Discharge.id))
        .scalars()
        .all()
    )


def _steps(row: Discharge) -> dict[Step, date]:
    return {Step(name): date.fromisoformat(day) for name, day in row.steps.items()}


def _findings(work: Work, row: Discharge) -> tuple[Finding, ...]:
    if row.status is DischargeStatus.WITHDRAWN:
        return ()
    steps = _steps(row)
    if row.discipline is not None:
        until = _held_until(work, row.episode_id, row.discipline)
        goes_on = row.status is DischargeStatus.PLANNED and until is not None and until > row.planned_on
        return rules.ask_discipline(
            DisciplineFacts(row.discipline, row.planned_on, until, order_continues=goes_on, steps=steps), work.policy
        )
    reason = Reason(row.reason) if row.reason is not None else None
    findings = rules.ask_discharge(DischargeFacts(row.planned_on, reason, steps))
    if row.status is DischargeStatus.FINAL and reason is not Reason.NOT_ADMITTED:
        findings += rules.ask_summaries(row.planned_on, work.policy, frozenset(steps))
    return findings


def _held_until(work: Work, episode_id: int, discipline: Discipline) -> date | None:
    """Last day on which a live order of the discipline holds."""
    return work.session.execute(
        sa.select(sa.func.max(LAST_DAY)).where(
            Order.episode_id == episode_id, Order.discipline == discipline, Order.status.in_(sorted(LIVE_ORDER))
        )
    ).scalar()


def _check(work: Work, episode: Episode, planned_on: date) -> None:
    if planned_on < (episode.soc_date or accepted_day(work, episode)):
        raise Invalid("Nobody leaves before care began.", pointer="/planned_on")


def _for_change(work: Work, discharge_id: int) -> tuple[Discharge, Episode]:
    row = work.session.get(Discharge, discharge_id)
    if row is None:
        raise NotFound("discharge")
    try:
        episode = episode_to_change(work, row.episode_id, ended=True)
    except NotFound:
        raise NotFound("discharge") from None
    work.session.refresh(row, with_for_update=True)
    return row, episode


def planned_for_change(work: Work, discharge_id: int) -> tuple[Discharge, Episode]:
    """The planned discharge with its episode, both locked."""
    row, episode = _for_change(work, discharge_id)
    if row.status is not DischargeStatus.PLANNED:
        raise Conflict("This discharge is final or withdrawn.", code="discharge-closed", status_now=row.status.value)
    return row, episode


def _record(work: Work, action: str, row: Discharge, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.record(
        action, f"discharge:{row.id}", patient_id=row.patient_id,
        discipline=row.discipline.value if row.discipline is not None else None, **facts,
    )  # fmt: skip
