"""Tasks that scores, requests and changed visits ask for, opened and ended by events of the rooms below."""

from datetime import timedelta

from coordinator.access.scope import branch_of_patient
from coordinator.agency import service as agency
from coordinator.care.response_model import ConferenceDecision
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.domain.events import (
    CareRequestClosed,
    CareRequestRaised,
    ConferenceDecided,
    FamilyNoticeRaised,
    FamilyNoticeSettled,
    ProposalDecided,
    SafetyProtocolClosed,
    SafetyProtocolOpened,
    VisitProposed,
)
from coordinator.domain.family import RequestTopic
from coordinator.domain.teamwork import Desk, TaskKind, TaskPriority, TaskSource
from coordinator.domain.vocabulary import Discipline, Role
from coordinator.teamwork.tasks import finish_tasks, open_task

_DESK_OF_TOPIC = {
    RequestTopic.VISIT_TIME: Desk.SCHEDULER,
    RequestTopic.SYMPTOM: Desk.NURSE,
    RequestTopic.MEDICINE: Desk.NURSE,
    RequestTopic.EQUIPMENT: Desk.NURSE,
    RequestTopic.HELP_FOR_CAREGIVER: Desk.SOCIAL_WORKER,
    RequestTopic.SPIRITUAL: Desk.CHAPLAIN,
    RequestTopic.LANGUAGE: Desk.SCHEDULER,
    RequestTopic.OTHER: Desk.INTAKE,
}
#: What is answered the same day.
_TODAY = frozenset({RequestTopic.SYMPTOM, RequestTopic.MEDICINE})
_DESK_OF_DISCIPLINE = {Discipline.SN: Desk.NURSE, Discipline.MSW: Desk.SOCIAL_WORKER, Discipline.CHAP: Desk.CHAPLAIN}
_DESK_OF_ROLE = {
    Role.CLINICAL_MANAGER: Desk.CLINICAL_MANAGER, Role.PHYSICIAN: Desk.PHYSICIAN, Role.INTAKE: Desk.INTAKE,
    Role.SCHEDULER: Desk.SCHEDULER, Role.ADMINISTRATOR: Desk.ADMINISTRATOR, Role.CLINICIAN: Desk.NURSE,
}  # fmt: skip


def on_visit_proposed(work: Work, event: VisitProposed) -> None:
    """A nurse, or whose score it was, answers a proposal today; the physician answers where no order has one left."""
    desk = _DESK_OF_DISCIPLINE.get(Discipline(event.discipline), Desk.CLINICAL_MANAGER)
    open_task(
        work, patient_id=event.patient_id, kind=TaskKind.ASK_FOR_ORDER if event.asked else TaskKind.PROPOSE_VISIT,
        source=TaskSource.SCORE, source_ref=f"visit-proposal:{event.proposal_id}",
        due=agency.today(work, branch_of_patient(work, event.patient_id)),
        owner_role=Desk.PHYSICIAN if event.asked else desk, priority=TaskPriority.URGENT,
    )  # fmt: skip


def on_proposal_decided(work: Work, event: ProposalDecided) -> None:
    """What the proposal asked of people is answered."""
    finish_tasks(work, source=TaskSource.SCORE, source_ref=f"visit-proposal:{event.proposal_id}")


def on_safety_protocol_opened(work: Work, event: SafetyProtocolOpened) -> None:
    """It is on the first list of those that the policy names, now; all of them are told besides."""
    roles = sorted(work.policy.on(work.now.date()).instruments.safety_roles)
    open_task(
        work, patient_id=event.patient_id, kind=TaskKind.SAFETY_PROTOCOL, source=TaskSource.SCORE,
        source_ref=f"safety-protocol:{event.protocol_id}", due=work.now, priority=TaskPriority.AT_ONCE,
        owner_role=_DESK_OF_ROLE[roles[0]] if roles else Desk.CLINICAL_MANAGER,
    )  # fmt: skip


def on_safety_protocol_closed(work: Work, event: SafetyProtocolClosed) -> None:
    """The protocol has its outcome."""
    finish_tasks(work, source=TaskSource.SCORE, source_ref=f"safety-protocol:{event.protocol_id}")


def on_conference_decided(work: Work, event: ConferenceDecided) -> None:
    """Whom the team named carries it out, by the day that it said; the team's words are the task's note."""
    row = fetch(work.session, ConferenceDecision, event.decision_id, "decision")
    assert row.due_on is not None
    open_task(
        work, patient_id=event.patient_id, kind=TaskKind.CARRY_OUT_DECISION, source=TaskSource.CONFERENCE,
        source_ref=f"conference-decision:{row.id}", about=f"conference:{row.conference_id}", owner_role=row.owner,
        due=row.due_on, note=row.words,
    )  # fmt: skip


def on_request_raised(work: Work, event: CareRequestRaised) -> None:
    """Whom the topic concerns answers it: a symptom or medicine the same day, all else within the policy's days."""
    topic = RequestTopic(event.topic)
    today = agency.today(work, branch_of_patient(work, event.patient_id))
    soon = topic in _TODAY
    open_task(
        work, patient_id=event.patient_id, kind=TaskKind.ANSWER_REQUEST, source=TaskSource.REQUEST,
        source_ref=f"care-request:{event.request_id}", owner_role=_DESK_OF_TOPIC[topic],
        due=today if soon else today + timedelta(days=work.policy.family.request_days),
        priority=TaskPriority.URGENT if soon else TaskPriority.ROUTINE,
    )  # fmt: skip


def on_request_closed(work: Work, event: CareRequestClosed) -> None:
    """The request has its answer."""
    finish_tasks(work, source=TaskSource.REQUEST, source_ref=f"care-request:{event.request_id}")


def on_family_notice_raised(work: Work, event: FamilyNoticeRaised) -> None:
    """The scheduler tells them today."""
    open_task(
        work, patient_id=event.patient_id, kind=TaskKind.TELL_FAMILY, source=TaskSource.SYSTEM,
        source_ref=f"family-notice:{event.notice_id}", owner_role=Desk.SCHEDULER,
        due=agency.today(work, branch_of_patient(work, event.patient_id)), priority=TaskPriority.URGENT,
    )  # fmt: skip


def on_family_notice_settled(work: Work, event: FamilyNoticeSettled) -> None:
    """They know."""
    finish_tasks(work, source=TaskSource.SYSTEM, source_ref=f"family-notice:{event.notice_id}")
