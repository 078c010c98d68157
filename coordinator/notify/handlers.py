"""Who is told what when something happens. Notices carry codes and ids; whoever reads them opens the record itself."""

from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines import owners
from coordinator.deadlines.cases import batched
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import (
    CareTaskRaised,
    ClinicianHeard,
    ClinicianLate,
    ClinicianNotHeard,
    DeadlinesReminded,
    HoldExpired,
    MissedVisitDecided,
    NoteAddressed,
    OrderAmended,
    OrderDeclined,
    OrderEnded,
    OrderSent,
    OrderSigned,
    RecordDestroyed,
    ReferralAccepted,
    RepairApproved,
    RepairProposed,
    RepairRejected,
    RosterPublished,
    TaskEscalated,
    TaskHandedOver,
    VisitCancelled,
    VisitCompleted,
    VisitMissed,
    VisitMoved,
    VisitStarted,
)
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import MissedReason, Role
from coordinator.notify.service import forget, settle, tell_person, tell_role, tell_roles, tell_user, users_of
from coordinator.orders.model import CarePlan, Order
from coordinator.orders.queries import awaits_signature
from coordinator.patients.model import Patient
from coordinator.referrals.model import Referral
from coordinator.rules.missed import decision_needed
from coordinator.staff.model import Clinician
from coordinator.teamwork.model import Task
from coordinator.teamwork.notes_model import Note
from coordinator.visits.hold_model import SlotHold
from coordinator.visits.model import Visit

_SCHEDULER, _MANAGER, _INTAKE = Role.SCHEDULER.value, Role.CLINICAL_MANAGER.value, Role.INTAKE.value
#: Desks that are roles as well: who holds one at the branch is told.
_ROLES = frozenset(role.value for role in Role) - {Role.PHYSICIAN.value}
#: Facts of a deadline that nobody reads in a notice, or that would be taken for the notice's own.
_NOT_TOLD = frozenset({"remind_on", "warn_at", "role", "kind", "subject", "key", "branch_id", "user_id", "work"})


# ------------------------------------------------------------------------------------ referrals and deadlines


def on_referral_accepted(work: Work, event: ReferralAccepted) -> None:
    """The scheduler books the initial visit."""
    referral = fetch(work.session, Referral, event.referral_id, "referral")
    due = ""
    if event.due_at is not None:
        zone = agency.zone_of(work, referral.branch_id)
        due = f" by {event.due_at.astimezone(zone).isoformat(timespec='minutes')}"
    tell_role(
        work, role=_SCHEDULER, branch_id=referral.branch_id, kind="referral.accepted",
        subject=f"referral:{referral.id}", key=f"referral.accepted:{referral.id}", referral=referral.id,
        patient=event.patient_id, due=due,
    )  # fmt: skip


def on_hold_expired(work: Work, event: HoldExpired) -> None:
    """Intake, which counted on the slot, asks for another or lets the referral go."""
    hold = fetch(work.session, SlotHold, event.hold_id, "hold")
    day = local_day(hold.starts_at, agency.zone_of(work, hold.branch_id))
    tell_role(
        work, role=_INTAKE, branch_id=hold.branch_id, kind="hold.expired", subject=f"referral:{hold.referral_id}",
        key=f"hold.expired:{hold.id}", referral=hold.referral_id, day=day.isoformat(),
    )  # fmt: skip


def on_deadlines_reminded(work: Work, event: DeadlinesReminded) -> None:
    """Whose list it is on is reminded, or whoever of the patient's care team answers for it; what is overdue the
    clinical manager hears of as well. Roles in few statements.
    """
    stages = {reminder.deadline_id: reminder.stage for reminder in event.reminders}
    notices = []
    for numbers in batched(sorted(stages), 500):
        rows = work.session.scalars(sa.select(Deadline).where(Deadline.id.in_(numbers)).order_by(Deadline.id)).all()
        people = owners.people_of(work, rows)
        for row in rows:
            own, stage = people.get(row.id, ()), stages[row.id]
            notice = _of_deadline(work, row, stage)
            for user_id in own:
                tell_person(work, user_id, **notice)
            roles = (set() if own else {row.owner_role}) | ({_MANAGER} if stage == "overdue" else set())
            notices += [notice | {"role": role} for role in sorted(roles)]
    tell_roles(work, notices)


def _of_deadline(work: Work, row: Deadline, stage: str) -> dict[str, Any]:
    """The notice, whoever hears of it."""
    zone = agency.zone_of(work, row.branch_id)
    due_on = row.due_at.astimezone(zone).isoformat(timespec="minutes") if row.due_at else row.due_on.isoformat()
    # What the task's sentence speaks of; what the notice itself says comes after, so that it stands.
    told = {name: value for name, value in row.facts.items() if name not in _NOT_TOLD}
    told |= {"rule": row.rule, "about": row.subject, "due_on": due_on, "patient": row.patient_id}
    return {
        "branch_id": row.branch_id, "kind": f"deadline.{stage}", "subject": f"deadline:{row.id}",
        "key": f"deadline:{row.id}:{due_on}:{stage}:{local_day(work.now, zone)}", "facts": told,
    }  # fmt: skip


# ------------------------------------------------------------------------------------ tasks


def on_task_handed_over(work: Work, event: TaskHandedOver) -> None:
    """Whose list it is on knows: the person, or the office desk. Professions find it in their inbox."""
    task = fetch(work.session, Task, event.task_id, "task")
    work.session.flush()  # the version tells one handing over from the next
    key, subject = f"task.yours:{task.id}:{task.version}", f"task:{task.id}"
    if task.owner_id is not None:
        tell_user(
            work, user_id=task.owner_id, branch_id=task.branch_id, kind="task.yours", subject=subject, key=key,
            task=task.id, due_on=task.due_on.isoformat(),
        )  # fmt: skip
    elif task.owner_role is not None and task.owner_role.value in _ROLES:
        tell_role(
            work, role=task.owner_role.value, branch_id=task.branch_id, kind="task.yours", subject=subject, key=key,
            task=task.id, due_on=task.due_on.isoformat(),
        )  # fmt: skip


def on_note_addressed(work: Work, event: NoteAddressed) -> None:
    """Whom it is addressed to knows that it is there, and no more; professions find it in their inbox."""
    note = fetch(work.session, Note, event.note_id, "note")
    for one in note.to:
        if one.user_id is not None:
            tell_user(
                work, user_id=one.user_id, branch_id=note.branch_id, kind="note.to-you", subject=f"note:{note.id}",
                key=f"note.to-you:{note.id}", note=note.id,
            )  # fmt: skip
        elif one.desk is not None and one.desk.value in _ROLES:
            tell_role(
                work, role=one.desk.value, branch_id=note.branch_id, kind="note.to-you", subject=f"note:{note.id}",
                key=f"note.to-you:{note.id}", note=note.id,
            )  # fmt: skip


def on_task_escalated(work: Work, event: TaskEscalated) -> None:
    """The desk above knows that it is late."""
    task = fetch(work.session, Task, event.task_id, "task")
    tell_role(
        work, role=event.desk, branch_id=task.branch_id, kind="task.late", subject=f"task:{task.id}",
        key=f"task.late:{task.id}:{event.desk}:{work.now.isoformat()}", task=task.id, due_on=task.due_on.isoformat(),
    )  # fmt: skip


# ------------------------------------------------------------------------------------ orders


def _branch_of(work: Work, patient_id: int) -> int:
    return fetch(work.session, Patient, patient_id, "patient").branch_id


def on_care_task_raised(work: Work, event: CareTaskRaised) -> None:
    """The managing physician hears at once that documents differ; the deadline is on the list of all physicians."""
    if event.task != "directives-differ":
        return
    patient = fetch(work.session, Patient, event.patient_id, "patient")
    physician_id = patient.managing_physician_id
    if physician_id is None:
        return
    for user_id in users_of(work, physician_ids=[physician_id]).get(("physician", physician_id), []):
        tell_user(
            work, user_id=user_id, branch_id=patient.branch_id, kind="directives.differ", subject=event.subject,
            key=f"directives.differ:{patient.id}:{event.due_on}", patient=patient.id,
        )  # fmt: skip


def on_order_sent(work: Work, event: OrderSent) -> None:
    """The practitioner who is asked to sign knows, by one notice however often it was sent."""
    order = fetch(work.session, Order, event.order_id, "order")
    settle(work, subjects=[f"order:{order.id}"], kinds=["order.sent"])
    branch_id = _branch_of(work, order.patient_id)
    for user_id in users_of(work, physician_ids=[order.physician_id]).get(("physician", order.physician_id), []):
        tell_user(
            work, user_id=user_id, branch_id=branch_id, kind="order.sent", subject=f"order:{order.id}",
            key=f"order.sent:{order.id}:{work.now.isoformat()}", order=order.id, discipline=order.discipline.value,
            patient=order.patient_id,
        )  # fmt: skip


def on_order_signed(work: Work, event: OrderSigned) -> None:
    """The office and whoever drafted the order know at once: visits may be confirmed. It waits for nobody now."""
    order = fetch(work.session, Order, event.order_id, "order")
    settle(work, subjects=[f"order:{order.id}"], kinds=["order.sent"])
    branch_id = _branch_of(work, order.patient_id)
    key, subject = f"order.signed:{order.id}", f"order:{order.id}"
    facts = {"order": order.id, "discipline": order.discipline.value, "patient": order.patient_id}
    for role in (_SCHEDULER, _MANAGER):
        tell_role(work, role=role, branch_id=branch_id, kind="order.signed", subject=subject, key=key, **facts)
    if order.drafted_by_id is not None:
        tell_user(
            work, user_id=order.drafted_by_id, branch_id=branch_id, kind="order.signed", subject=subject, key=key,
            **facts,
        )  # fmt: skip


def on_order_declined(work: Work, event: OrderDeclined) -> None:
    """Whoever drafted the order and the clinical manager know, with the reason. It waits for nobody now."""
    order = fetch(work.session, Order, event.order_id, "order")
    settle(work, subjects=[f"order:{order.id}"], kinds=["order.sent"])
    branch_id = _branch_of(work, order.patient_id)
    key, subject = f"order.declined:{order.id}", f"order:{order.id}"
    facts = {
        "order": order.id,
        "discipline": order.discipline.value,
        "patient": order.patient_id,
        "reason": str(order.decline_reason) if order.decline_reason else "other",
        "replacement": event.replacement_id,
    }
    tell_role(work, role=_MANAGER, branch_id=branch_id, kind="order.declined", subject=subject, key=key, **facts)
    if order.drafted_by_id is not None:
        tell_user(
            work, user_id=order.drafted_by_id, branch_id=branch_id, kind="order.declined", subject=subject, key=key,
            **facts,
        )  # fmt: skip


def on_order_amended(work: Work, event: OrderAmended) -> None:
    """Whoever drafted the order knows that its practitioner changed it."""
    order = fetch(work.session, Order, event.order_id, "order")
    if order.drafted_by_id is None:
        return
    tell_user(
        work, user_id=order.drafted_by_id, branch_id=_branch_of(work, order.patient_id), kind="order.amended",
        subject=f"order:{order.id}", key=f"order.amended:{order.id}:{event.version}", order=order.id,
        discipline=order.discipline.value, patient=order.patient_id,
    )  # fmt: skip


def on_order_ended(work: Work, event: OrderEnded) -> None:
    """Nobody is asked to sign an order that ended, but for one under which care was given."""
    order = fetch(work.session, Order, event.order_id, "order")
    if not awaits_signature(order):
        settle(work, subjects=[f"order:{order.id}"], kinds=["order.sent"])


# ------------------------------------------------------------------------------------ visits


def on_visit_missed(work: Work, event: VisitMissed) -> None:
    """The scheduler and the practitioner know; the practitioner is asked to decide where it may matter (VIS-01)."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    reason = MissedReason(event.reason)
    if reason is MissedReason.ON_HOLD:
        return
    key, subject = f"visit.missed:{visit.id}", f"visit:{visit.id}"
    facts = {
        "visit": visit.id,
        "patient": visit.patient_id,
        "discipline": visit.discipline.value,
        "reason": reason.value,
    }
    tell_role(work, role=_SCHEDULER, branch_id=visit.branch_id, kind="visit.missed", subject=subject, key=key, **facts)
    physician_id = _physician_of(work, visit)
    if physician_id is None:
        return
    kind = "visit.decide" if decision_needed(reason, visit.clinical_impact) else "visit.missed"
    for user_id in users_of(work, physician_ids=[physician_id]).get(("physician", physician_id), []):
        tell_user(work, user_id=user_id, branch_id=visit.branch_id, kind=kind, subject=subject, key=key, **facts)


def _physician_of(work: Work, visit: Visit) -> int | None:
    """Who is responsible: who ordered the visit, else who manages the plan of care."""
    if visit.order_id is not None:
        return fetch(work.session, Order, visit.order_id, "order").physician_id
    return work.session.execute(
        sa.select(CarePlan.managing_physician_id).where(CarePlan.episode_id == visit.episode_id)
    ).scalar()


def on_missed_decided(work: Work, event: MissedVisitDecided) -> None:
    """The scheduler acts on what the practitioner decided, who is asked no more."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    settle(work, subjects=[f"visit:{visit.id}"], kinds=["visit.decide"])
    tell_role(
        work, role=_SCHEDULER, branch_id=visit.branch_id, kind="visit.decided", subject=f"visit:{visit.id}",
        key=f"visit.decided:{visit.id}", visit=visit.id, patient=visit.patient_id, decision=event.decision,
    )  # fmt: skip


_UNHEARD, _LATE = "visit.unheard", "visit.late"


def on_clinician_not_heard(work: Work, event: ClinicianNotHeard) -> None:
    """The office rings whoever should have been heard of from a watched home (LAB-06)."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    due = event.due_at.astimezone(agency.zone_of(work, visit.branch_id)).isoformat(timespec="minutes")
    for role in (_SCHEDULER, _MANAGER):
        tell_role(
            work, role=role, branch_id=visit.branch_id, kind=_UNHEARD, subject=f"visit:{visit.id}",
            key=f"{_UNHEARD}:{visit.id}:{due}", visit=visit.id, clinician=visit.clinician_id, stage=event.stage,
            due=due,
        )  # fmt: skip


def on_clinician_heard(work: Work, event: ClinicianHeard | VisitStarted | VisitCompleted) -> None:
    """Nobody needs to ring any more."""
    settle(work, subjects=[f"visit:{event.visit_id}"], kinds=[_UNHEARD, _LATE])


def on_clinician_late(work: Work, event: ClinicianLate) -> None:
    """The scheduler tells the family, and sees whom else it touches; the latest word stands alone."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    settle(work, subjects=[f"visit:{visit.id}"], kinds=[_LATE])
    tell_role(
        work, role=_SCHEDULER, branch_id=visit.branch_id, kind=_LATE, subject=f"visit:{visit.id}",
        key=f"{_LATE}:{visit.id}:{event.minutes}:{work.now.isoformat()}", visit=visit.id, patient=visit.patient_id,
        minutes=event.minutes,
    )  # fmt: skip


def on_visit_moved(work: Work, event: VisitMoved) -> None:
    """Clinicians whose published roster has changed know: whoever lost the visit, has it now, or has it elsewhere."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    if visit.published_at is None:
        return
    if event.old_clinician_id == event.clinician_id:
        kinds = {event.clinician_id: "visit.moved"}
    else:
        kinds = {event.old_clinician_id: "visit.taken", event.clinician_id: "visit.given"}
    for clinician_id, kind in kinds.items():
        if clinician_id is not None:
            _tell_clinician(work, visit, clinician_id, kind)


def on_visit_cancelled(work: Work, event: VisitCancelled) -> None:
    """The clinician on whose published roster it stood knows."""
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    if visit.published_at is not None and event.clinician_id is not None:
        _tell_clinician(work, visit, event.clinician_id, "visit.cancelled")


def _tell_clinician(work: Work, visit: Visit, clinician_id: int, kind: str) -> None:
    zone = agency.zone_of(work, visit.branch_id)
    day = local_day(visit.starts_at, zone) if visit.starts_at is not None else visit.window_from
    work.session.flush()  # the version tells one move of the same visit from the next
    for user_id in users_of(work, clinician_ids=[clinician_id]).get(("clinician", clinician_id), []):
        tell_user(
            work, user_id=user_id, branch_id=visit.branch_id, kind=kind, subject=f"visit:{visit.id}",
            key=f"{kind}:{visit.id}:{visit.version}", visit=visit.id, day=day.isoformat(), by=work.actor.user_id,
        )  # fmt: skip


def on_roster_published(work: Work, event: RosterPublished) -> None:
    """Every clinician whose roster was published knows."""
    _tell_rosters(work, event.clinician_ids, "roster.published", run=event.run_id)


def on_repair_proposed(work: Work, event: RepairProposed) -> None:
    """Those who may decide about the repair know that it waits for them."""
    for role in event.roles:
        tell_role(
            work, role=role, branch_id=event.branch_id, kind="repair.waits", subject=f"repair:{event.repair_id}",
            key=f"repair.waits:{event.repair_id}", repair=event.repair_id,
        )  # fmt: skip


def on_repair_rejected(work: Work, event: RepairRejected) -> None:
    """It waits for nobody now."""
    settle(work, subjects=[f"repair:{event.repair_id}"], kinds=["repair.waits"])


def on_repair_approved(work: Work, event: RepairApproved) -> None:
    """Every clinician whose roster a repair has changed knows. It waits for nobody now."""
    settle(work, subjects=[f"repair:{event.repair_id}"], kinds=["repair.waits"])
    _tell_rosters(work, event.clinician_ids, "roster.repaired", repair=event.repair_id)


def _tell_rosters(work: Work, clinician_ids: tuple[int, ...], kind: str, **about: int) -> None:
    """Each of these clinicians is told once of the run or repair."""
    rows = work.session.execute(
        sa.select(Clinician.id, Clinician.branch_id).where(Clinician.id.in_(sorted(clinician_ids)))
    )
    branches = {row.id: row.branch_id for row in rows}
    users = users_of(work, clinician_ids=clinician_ids)
    ((word, number),) = about.items()
    for clinician_id in sorted(clinician_ids):
        for user_id in users.get(("clinician", clinician_id), []):
            tell_user(
                work, user_id=user_id, branch_id=branches.get(clinician_id), kind=kind, subject=f"{word}:{number}",
                key=f"{kind}:{number}", by=work.actor.user_id, **about,
            )  # fmt: skip


def on_record_destroyed(work: Work, event: RecordDestroyed) -> None:
    """Nobody is told any more of what is gone."""
    for subjects in batched(sorted(event.subjects), 500):
        forget(work, subjects)
