"""Cause and effect, on one page: which event is answered by whom, and which job is done by whom.

Handlers run in the transaction of what happened, in the order written here; what reaches outside that transaction
writes a job or a notice instead.
"""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.agency.model import Branch
from coordinator.compliance import answering
from coordinator.compliance import holds as bill_holds
from coordinator.core.work import Work
from coordinator.deadlines import (
    authorisation_clock,
    care_clock,
    month,
    order_clock,
    oversight_clock,
    privacy_clock,
    referral_clock,
    remind,
    sweep,
    visit_clock,
    watch,
)
from coordinator.domain import events
from coordinator.episodes import service as episodes
from coordinator.family import telling
from coordinator.jobs.context import Job, Place
from coordinator.jobs.timetable import ClockEntry
from coordinator.notify import care_handlers as notify_care
from coordinator.notify import chasing, hook_sending, hooks, mail
from coordinator.notify import handlers as notify
from coordinator.orders import plans
from coordinator.orders import service as orders
from coordinator.planning import clocks, promise, rosters, what_if
from coordinator.planning import service as planning
from coordinator.planning.repairs import service as repairs
from coordinator.referrals import service as referrals
from coordinator.teams import service as teams
from coordinator.teamwork import (
    care_tasks,
    cover_asks,
    handoff_events,
    physician_handoffs,
    resource_clock,
    tasks,
    teaching,
)
from coordinator.visits import afterwards, demand, dependents, holds, lone_work, precautions, weeks

#: Event -> handlers (work, event), in order: first the rooms that act, then the book of deadlines, then who is told.
HANDLERS: dict[type, tuple[Callable[[Work, Any], None], ...]] = {
    events.ReferralReceived: (referral_clock.on_referral_received,),
    events.ReferralChanged: (
        demand.follow_referral,
        referral_clock.on_referral_changed,
    ),
    events.ReferralAccepted: (
        demand.raise_initial,
        holds.on_referral_accepted,
        referral_clock.on_referral_accepted,
        notify.on_referral_accepted,
    ),
    events.ReferralDeclined: (
        holds.on_referral_closed,
        referral_clock.on_referral_closed,
        resource_clock.on_referral_closed,
    ),
    events.ReferralWithdrawn: (
        holds.on_referral_closed,
        referral_clock.on_referral_closed,
    ),
    events.ReferralNotAdmitted: (
        holds.on_referral_closed,
        referral_clock.on_referral_closed,
        resource_clock.on_referral_closed,
    ),
    events.HoldExpired: (notify.on_hold_expired,),
    events.CriterionDetermined: (
        referral_clock.on_criterion_determined,
        sweep.on_event,
    ),
    events.ManagingPhysicianChanged: (
        teams.on_managing_physician_changed,
        plans.on_managing_physician_changed,
        physician_handoffs.on_managing_physician_changed,
    ),
    events.CarePlanChanged: (notify_care.on_plan_changed,),
    events.PatientAdmitted: (
        referrals.note_admitted,
        referral_clock.on_patient_admitted,
        sweep.on_event,
    ),
    events.AdmissionNoticeSubmitted: (sweep.on_event,),
    events.AuthorisationChanged: (authorisation_clock.on_authorisation_changed,),
    events.EpisodeHeld: (
        demand.rest,
        handoff_events.on_patient_gone,
        visit_clock.on_episode_held,
        sweep.on_event,
    ),
    events.EpisodeResumed: (
        demand.wake,
        visit_clock.on_episode_resumed,
        sweep.on_event,
    ),
    events.PatientDischarged: (
        demand.end_with_episode,
        handoff_events.on_patient_gone,
        physician_handoffs.on_patient_discharged,
        orders.end_for_discharge,
        episodes.on_patient_discharged,
        visit_clock.on_patient_discharged,
        care_clock.on_patient_discharged,
        resource_clock.on_patient_discharged,
        sweep.on_event,
    ),
    events.FaceToFaceRecorded: (sweep.on_event,),
    events.CertificationSent: (sweep.on_event,),
    events.CertificationWithdrawn: (sweep.on_event,),
    events.HomeboundAssessed: (sweep.on_event,),
    events.AbsencePatternNoticed: (sweep.on_event,),
    events.HomeAbsenceWithdrawn: (sweep.on_event,),
    events.AssessmentCompleted: (sweep.on_event,),
    events.SummarySent: (sweep.on_event,),
    events.DischargeStepDone: (sweep.on_event,),
    events.CoverageNoticeOwed: (sweep.on_event,),
    events.CoverageNoticeDelivered: (sweep.on_event,),
    events.CoverageNoticeChanged: (sweep.on_event,),
    events.CertificationSuperseded: (sweep.on_event,),
    events.CertificationSigned: (sweep.on_event,),
    events.IntervalJustified: (sweep.on_event,),
    events.DisciplineDischarged: (dependents.on_discipline_discharged,),
    events.OrderSent: (
        order_clock.on_order_sent,
        sweep.on_event,
        notify.on_order_sent,
    ),
    events.OrderAmended: (
        sweep.on_event,
        notify.on_order_amended,
    ),
    events.OrderActivated: (
        demand.raise_from_order,
        sweep.on_event,
    ),
    events.OrderSigned: (
        sweep.on_event,
        notify.on_order_signed,
    ),
    events.OrderDeclined: (
        demand.decline,
        order_clock.on_order_declined,
        sweep.on_event,
        notify.on_order_declined,
    ),
    events.OrderEnded: (
        demand.withdraw_for_order,
        dependents.on_order_ended,
        order_clock.on_order_ended,
        sweep.on_event,
        notify.on_order_ended,
    ),
    events.VisitBooked: (
        rosters.on_visit_changed,
        handoff_events.on_visit_changed,
        telling.on_visit_placed,
        clocks.on_visit_changed,
        referral_clock.on_initial_visit,
    ),
    events.VisitMoved: (
        rosters.on_visit_changed,
        handoff_events.on_visit_changed,
        telling.on_visit_placed,
        clocks.on_visit_changed,
        referral_clock.on_initial_visit,
        notify.on_visit_moved,
    ),
    events.VisitCancelled: (
        rosters.on_visit_changed,
        handoff_events.on_visit_changed,
        telling.on_visit_cancelled,
        clocks.on_visit_changed,
        referral_clock.on_initial_visit,
        notify.on_visit_cancelled,
    ),
    events.VisitsPlanned: (handoff_events.on_visits_planned,),
    events.VisitStarted: (
        handoff_events.on_visit_started,
        notify.on_clinician_heard,
    ),
    events.PrimaryChanged: (handoff_events.on_primary_changed,),
    events.CoverChanged: (
        handoff_events.on_cover_changed,
        cover_asks.on_cover_changed,
    ),
    events.AbsenceRecorded: (cover_asks.on_absence_recorded,),
    events.AbsenceTakenBack: (cover_asks.on_absence_taken_back,),
    events.PrecautionsChanged: (precautions.follow_precautions,),
    events.ClinicianNotHeard: (notify.on_clinician_not_heard,),
    events.ClinicianHeard: (notify.on_clinician_heard,),
    events.ClinicianLate: (notify.on_clinician_late,),
    events.VisitCompleted: (
        notify.on_clinician_heard,
        visit_clock.on_visit_completed,
        sweep.on_event,
    ),
    events.VisitMissed: (
        rosters.on_visit_changed,
        handoff_events.on_visit_changed,
        clocks.on_visit_changed,
        referral_clock.on_initial_visit,
        visit_clock.on_visit_missed,
        notify.on_visit_missed,
    ),
    events.MissedVisitDecided: (
        visit_clock.on_missed_decided,
        notify.on_missed_decided,
    ),
    events.AideSupervised: (sweep.on_event,),
    events.CareTaskRaised: (
        care_clock.on_care_task_raised,
        notify.on_care_task_raised,
    ),
    events.NoteSigned: (sweep.on_event,),
    events.CareTaskSettled: (care_clock.on_care_task_settled,),
    events.AssessmentRecorded: (
        care_clock.on_assessment_recorded,
        resource_clock.on_assessment_recorded,
        sweep.on_event,
    ),
    events.AssessmentWithdrawn: (sweep.on_event,),
    events.VisitProposed: (
        care_tasks.on_visit_proposed,
        notify_care.on_visit_proposed,
    ),
    events.ProposalDecided: (care_tasks.on_proposal_decided,),
    events.SafetyProtocolOpened: (
        care_tasks.on_safety_protocol_opened,
        notify_care.on_safety_protocol_opened,
    ),
    events.SafetyProtocolClosed: (care_tasks.on_safety_protocol_closed,),
    events.CareRequestRaised: (care_tasks.on_request_raised,),
    events.CareRequestClosed: (care_tasks.on_request_closed,),
    events.FamilyNoticeRaised: (
        care_tasks.on_family_notice_raised,
        notify_care.on_family_notice_raised,
    ),
    events.FamilyNoticeSettled: (
        care_tasks.on_family_notice_settled,
        notify_care.on_family_notice_settled,
    ),
    events.ConferenceDecided: (care_tasks.on_conference_decided,),
    events.ConferenceClosed: (
        care_clock.on_conference_closed,
        sweep.on_event,
    ),
    events.RightsExplained: (sweep.on_event,),
    events.AideObserved: (
        oversight_clock.on_aide_observed,
        sweep.on_event,
    ),
    events.AssistantSupervised: (sweep.on_event,),
    events.InServiceRecorded: (sweep.on_event,),
    events.MissedVisitTold: (oversight_clock.on_missed_told,),
    events.WrittenScheduleGiven: (
        telling.on_written_schedule_given,
        oversight_clock.on_schedule_given,
        sweep.on_event,
    ),
    events.RosterPublished: (notify.on_roster_published,),
    events.RepairProposed: (notify.on_repair_proposed,),
    events.RepairRejected: (notify.on_repair_rejected,),
    events.RepairApproved: (notify.on_repair_approved,),
    events.RecordRequested: (privacy_clock.on_record_requested,),
    events.RecordRequestClosed: (privacy_clock.on_record_request_closed,),
    events.RecordDestroyed: (notify.on_record_destroyed,),
    events.BreachDetected: (privacy_clock.on_breach_detected,),
    events.BreachNotified: (privacy_clock.on_breach_notified,),
    events.EmergencyAccessOpened: (privacy_clock.on_emergency_opened,),
    events.EmergencyAccessReviewed: (privacy_clock.on_emergency_reviewed,),
    events.ResourceChecked: (resource_clock.on_resource_checked,),
    events.ExclusionChecked: (privacy_clock.on_exclusion_checked,),
    events.DeadlinesReminded: (notify.on_deadlines_reminded,),
    events.TeachingChanged: (teaching.on_teaching_changed,),
    events.NoteAddressed: (notify.on_note_addressed,),
    events.TaskHandedOver: (notify.on_task_handed_over,),
    events.TaskEscalated: (notify.on_task_escalated,),
}

#: What may hold a bill or release it is asked again last, when all others have acted (HOLD-BILL).
_BILLS: dict[type, Callable[[Work, Any], None]] = {
    **dict.fromkeys(
        (
            events.VisitCompleted,
            events.VisitCorrected,
            events.NoteSigned,
            events.BillReleased,
            events.VisitMissed,
            events.MissedVisitDecided,
        ),
        answering.on_visit,
    ),
    **dict.fromkeys(
        (events.OrderActivated, events.OrderSigned, events.OrderDeclined, events.OrderEnded), answering.on_order
    ),
    **dict.fromkeys((events.EpisodeHeld, events.AuthorisationChanged), answering.on_patient),
    events.CertificationAsked: answering.on_certification,
}
HANDLERS |= {event: (*HANDLERS.get(event, ()), answer) for event, answer in _BILLS.items()}

#: Programs of others hear last, of what then stands in the rows.
HANDLERS |= {event: (*HANDLERS.get(event, ()), hooks.on_event) for event in hooks.TOLD}

#: Job -> what does it (context, arguments). A job may be done twice: `context.once(work)` makes its effect happen once.
JOBS: dict[str, Job] = {
    "plan.run": planning.execute_run,
    "plan.nightly": planning.nightly_plan,
    "plan.what-if": what_if.execute_run,
    "plan.repair": repairs.improve_job,
    "plan.promise": promise.execute,
    "orders.expire": orders.expire_due,
    "visits.close-week": weeks.close_week_job,
    "visits.late-notes": afterwards.hold_late_notes,
    "visits.watch-lone-work": lone_work.watch_job,
    "holds.expire": holds.expire_job,
    "episodes.watch-stays": episodes.watch_stays,
    "compliance.bill-holds": bill_holds.sweep_job,
    "deadlines.remind": remind.remind,
    "deadlines.begin-month": month.begin_month_job,
    "referrals.watch-48-hours": watch.watch_48_hours,
    "notify.deliver": mail.deliver_job,
    "notify.webhooks": hook_sending.deliver_job,
    "notify.chase": chasing.chase_job,
    "teamwork.escalate": tasks.escalate_job,
    "teamwork.resources": resource_clock.look_after_job,
}

#: Clock -> job, for every branch in its own time; never between 01:00 and 03:00, which clock changes skip or repeat.
#: A job missed while the server was down is done once on start, for the latest slot (rule book, appendix B).
CLOCK: tuple[ClockEntry, ...] = (
    ClockEntry(name="nightly-plan", job="plan.nightly", at=time(0, 10), grace=timedelta(hours=20)),
    ClockEntry(name="order-expiry", job="orders.expire", at=time(0, 20), grace=timedelta(hours=23)),
    ClockEntry(name="week-close", job="visits.close-week", at=time(0, 30), weekday=6, grace=timedelta(days=6)),
    ClockEntry(name="reminders", job="deadlines.remind", at=time(3, 15), grace=timedelta(hours=20)),
    ClockEntry(name="late-notes", job="visits.late-notes", at=time(3, 20), grace=timedelta(hours=20)),
    ClockEntry(name="bill-holds", job="compliance.bill-holds", at=time(3, 30), grace=timedelta(hours=20)),
    ClockEntry(name="watch-lone-work", job="visits.watch-lone-work", every=5, grace=timedelta(hours=1)),
    ClockEntry(name="month-begin", job="deadlines.begin-month", at=time(3, 40), month_day=1, grace=timedelta(days=27)),
    ClockEntry(name="hold-expiry", job="holds.expire", every=15, grace=timedelta(hours=1)),
    ClockEntry(name="watch-stays", job="episodes.watch-stays", every=15, grace=timedelta(hours=1)),
    ClockEntry(name="resources", job="teamwork.resources", at=time(3, 40), grace=timedelta(hours=20)),
    ClockEntry(name="mail", job="notify.deliver", every=5, grace=timedelta(hours=1)),
    ClockEntry(name="webhooks", job="notify.webhooks", every=5, grace=timedelta(hours=1)),
    ClockEntry(name="unread-changes", job="notify.chase", every=15, grace=timedelta(hours=1)),
    ClockEntry(name="task-escalation", job="teamwork.escalate", every=15, grace=timedelta(hours=20)),
    ClockEntry(name="watch-48-hours", job="referrals.watch-48-hours", every=15, grace=timedelta(hours=1)),
)


def places(session: Session) -> list[Place]:
    """Every branch, as the clock sees it."""
    found = session.execute(sa.select(Branch.id, Branch.code, Branch.zone).order_by(Branch.id))
    return [Place(branch_id=row.id, code=row.code, zone=ZoneInfo(row.zone)) for row in found]
