"""What has happened, as the rooms tell each other. `wiring.py` says who answers; handlers run in the same transaction.

Events carry ids and facts that handlers need to decide, never a patient's words.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, named in the past tense."""


@dataclass(frozen=True, slots=True)
class ReferralReceived(Event):
    referral_id: int


@dataclass(frozen=True, slots=True)
class ReferralAccepted(Event):
    referral_id: int
    patient_id: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReferralDeclined(Event):
    referral_id: int


@dataclass(frozen=True, slots=True)
class ReferralChanged(Event):
    """Its content was edited: what it lacks, or when the first visit is due, may be another thing now."""

    referral_id: int


@dataclass(frozen=True, slots=True)
class ReferralWithdrawn(Event):
    referral_id: int


@dataclass(frozen=True, slots=True)
class ReferralNotAdmitted(Event):
    """Accepted, and then closed without admission."""

    referral_id: int


@dataclass(frozen=True, slots=True)
class HoldExpired(Event):
    """A slot that was held for a referral is anybody's again, and nobody let it go by hand."""

    hold_id: int


@dataclass(frozen=True, slots=True)
class CriterionDetermined(Event):
    """Somebody answered a criterion (ELG-00). `old` and `new` are values of Determination."""

    referral_id: int
    criterion: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DeadlineReminded:
    """A reminder of an open deadline came due. `stage`: reminder, warning, or overdue when its time is past."""

    deadline_id: int
    stage: str


@dataclass(frozen=True, slots=True)
class DeadlinesReminded(Event):
    """Reminders that came due together; one event, so that a night of many is told in few statements."""

    reminders: tuple[DeadlineReminded, ...]


@dataclass(frozen=True, slots=True)
class PatientAdmitted(Event):
    """The start-of-care visit was made: the certification clock runs from `soc_date`."""

    patient_id: int
    episode_id: int
    soc_date: date


@dataclass(frozen=True, slots=True)
class AdmissionNoticeSubmitted(Event):
    """The notice of admission of the episode went out (PAY-02)."""

    patient_id: int
    episode_id: int


@dataclass(frozen=True, slots=True)
class PatientDischarged(Event):
    """The episode ended on `on`: nothing of it may be given on a later day, nor on that day after a death."""

    patient_id: int
    episode_id: int
    on: date
    reason: str


@dataclass(frozen=True, slots=True)
class ManagingPhysicianChanged(Event):
    """Care is under another physician than before, or under one at all; the patient's row says so already (ELG-8)."""

    patient_id: int
    old_physician_id: int | None
    physician_id: int | None


@dataclass(frozen=True, slots=True)
class CarePlanChanged(Event):
    """The plan of care says something else than before: its first day, its physician, its goals or problems."""

    plan_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class PrimaryChanged(Event):
    """From `on` the discipline's primary is somebody else, or nobody: what was known is to be handed over."""

    patient_id: int
    discipline: str
    old_clinician_id: int | None
    clinician_id: int | None
    on: date


@dataclass(frozen=True, slots=True)
class CoverChanged(Event):
    """Somebody stands in for somebody from a day to a day, or does so no more."""

    cover_id: int


@dataclass(frozen=True, slots=True)
class AbsenceRecorded(Event):
    """A clinician does not work between the two instants: who is primary there wants cover."""

    clinician_id: int
    time_off_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AbsenceTakenBack(Event):
    """The clinician works in that stretch after all."""

    time_off_id: int


@dataclass(frozen=True, slots=True)
class AuthorisationChanged(Event):
    """A payer's leave for visits was recorded, widened or ended (INT-04)."""

    patient_id: int


@dataclass(frozen=True, slots=True)
class EpisodeHeld(Event):
    """The patient is away from home (an inpatient stay): visits wait until `EpisodeResumed`."""

    patient_id: int
    episode_id: int
    since: datetime


@dataclass(frozen=True, slots=True)
class EpisodeResumed(Event):
    patient_id: int
    episode_id: int
    #: When the patient was home again, from which the 48 hours run (ASM-02); None: not known, they run from now.
    home_at: datetime | None = None
    #: The day for the resumption that the practitioner ordered instead, where there is one.
    ordered_on: date | None = None


@dataclass(frozen=True, slots=True)
class FaceToFaceRecorded(Event):
    """An encounter was recorded or corrected. `valid`: it serves the initial certification (F2F-01, F2F-02)."""

    patient_id: int
    episode_id: int
    encounter_on: date
    valid: bool


@dataclass(frozen=True, slots=True)
class CertificationSent(Event):
    """A certification waits for its practitioner's signature. `number`: of the certification period."""

    patient_id: int
    episode_id: int
    certification_id: int
    number: int


@dataclass(frozen=True, slots=True)
class CertificationSigned(Event):
    """A period is certified: for number 1 the initial certification, else the recertification (CERT-01, CERT-02)."""

    patient_id: int
    episode_id: int
    certification_id: int
    number: int
    signed_on: date


@dataclass(frozen=True, slots=True)
class CertificationWithdrawn(Event):
    """An unsigned certification waits no more."""

    patient_id: int
    episode_id: int
    certification_id: int
    number: int


@dataclass(frozen=True, slots=True)
class CertificationSuperseded(Event):
    """A certification that was signed by mistake says nothing any more; `replaced_by_id` is the draft in its place."""

    patient_id: int
    episode_id: int
    certification_id: int
    number: int
    replaced_by_id: int


@dataclass(frozen=True, slots=True)
class IntervalJustified(Event):
    """The practitioner said why no covered skilled visit is needed up to `until` (CERT-05)."""

    patient_id: int
    episode_id: int
    until: date


@dataclass(frozen=True, slots=True)
class CoverageNoticeChanged(Event):
    """A notice that nobody had delivered has another day, or is owed no more (DIS-04)."""

    patient_id: int
    episode_id: int
    notice_id: int


@dataclass(frozen=True, slots=True)
class CertificationAsked(Event):
    """The certification of one period was asked anew. `holds`: every rule that keeps it from being billed now.

    An empty `holds` clears what these rules held before (F2F-01, F2F-02, CERT-01, CERT-02, CERT-06).
    """

    patient_id: int
    episode_id: int
    number: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HomeboundAssessed(Event):
    """The homebound test was answered (HB-01). `result` is a value of Determination."""

    patient_id: int
    episode_id: int
    assessed_on: date
    result: str


@dataclass(frozen=True, slots=True)
class AbsencePatternNoticed(Event):
    """The absences from home call for a review of homebound status by `due_on` (HB-02)."""

    patient_id: int
    episode_id: int
    last_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class HomeAbsenceWithdrawn(Event):
    """An absence from home was entered in error: what was counted is counted anew (HB-02)."""

    patient_id: int
    episode_id: int


@dataclass(frozen=True, slots=True)
class TransferNoticed(Event):
    """An inpatient stay counts as a transfer, published once a stay and before EpisodeHeld (ASM-02, DIS-02).

    `transferred_on` is day 0 of the transfer's assessment; the summary counts from `learned_on` if `planned` is not.
    """

    patient_id: int
    episode_id: int
    stay_id: int
    transferred_on: date
    learned_on: date
    planned: bool


@dataclass(frozen=True, slots=True)
class SummarySent(Event):
    """A summary went to the practitioner (DIS-02): of a `transfer` (then `stay_id`), or of a `discharge`."""

    patient_id: int
    episode_id: int
    kind: str
    sent_on: date
    stay_id: int | None = None


@dataclass(frozen=True, slots=True)
class AssessmentCompleted(Event):
    """A comprehensive assessment was completed. `kind` is a value of AssessmentKind, `event_on` day 0 of its event.

    `serves_period`: the certification period whose recertification it is, made in its window or late (CERT-02).
    """

    patient_id: int
    episode_id: int
    kind: str
    event_on: date
    completed_on: date
    late: bool
    serves_period: int | None = None


@dataclass(frozen=True, slots=True)
class DischargePlanned(Event):
    """The patient, or with `discipline` one discipline, is to leave on `planned_on` (DIS-01, DIS-03, DIS-04)."""

    patient_id: int
    episode_id: int
    discharge_id: int
    planned_on: date
    discipline: str | None


@dataclass(frozen=True, slots=True)
class DischargeWithdrawn(Event):
    """The planned discharge does not take place."""

    patient_id: int
    episode_id: int
    discharge_id: int


@dataclass(frozen=True, slots=True)
class DisciplineDischarged(Event):
    """One discipline has ended on `on` and the case goes on (DIS-03): what depends on it is asked anew (QUAL-02)."""

    patient_id: int
    episode_id: int
    discharge_id: int
    discipline: str
    on: date


@dataclass(frozen=True, slots=True)
class DischargeStepDone(Event):
    """A step of a discharge was done: a word of `rules.discharge`, such as `summary` or `written_schedule`."""

    patient_id: int
    episode_id: int
    discharge_id: int
    step: str
    done_on: date


@dataclass(frozen=True, slots=True)
class CoverageNoticeOwed(Event):
    """A NOMNC or HHCCN is to be delivered by `due_on` (DIS-04)."""

    patient_id: int
    episode_id: int
    notice_id: int
    kind: str
    due_on: date


@dataclass(frozen=True, slots=True)
class CoverageNoticeDelivered(Event):
    patient_id: int
    episode_id: int
    notice_id: int
    delivered_on: date


@dataclass(frozen=True, slots=True)
class OrderSent(Event):
    order_id: int


@dataclass(frozen=True, slots=True)
class OrderActivated(Event):
    """A verbal order was taken properly, or a sent order signed: visits may be raised from it."""

    order_id: int
    verbal: bool


@dataclass(frozen=True, slots=True)
class OrderSigned(Event):
    order_id: int
    was_live: bool


@dataclass(frozen=True, slots=True)
class OrderDeclined(Event):
    order_id: int
    replacement_id: int


@dataclass(frozen=True, slots=True)
class OrderAmended(Event):
    """A practitioner changed what they are asked to sign: it is at that version now."""

    order_id: int
    version: int


@dataclass(frozen=True, slots=True)
class OrderEnded(Event):
    """Superseded, discontinued, expired or voided: nothing may be given under it on or after `from_day`."""

    order_id: int
    status: str
    from_day: date


@dataclass(frozen=True, slots=True)
class VisitBooked(Event):
    visit_id: int
    clinician_id: int
    #: One of a whole plan's visits; `VisitsPlanned` follows when all are booked.
    of_plan: bool = False


@dataclass(frozen=True, slots=True)
class VisitMoved(Event):
    visit_id: int
    old_clinician_id: int | None
    clinician_id: int | None
    #: Where it was before; the roster of that day changes too.
    old_starts_at: datetime | None = None
    #: One of a whole plan's visits, as in `VisitBooked`.
    of_plan: bool = False


@dataclass(frozen=True, slots=True)
class VisitsPlanned(Event):
    """Visits of a plan were booked or moved, all of them by now."""

    visit_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VisitCancelled(Event):
    visit_id: int
    clinician_id: int | None


@dataclass(frozen=True, slots=True)
class VisitStarted(Event):
    visit_id: int
    #: Why it began over a handoff that was not read; None: it did not.
    over_handoff: str | None = None


@dataclass(frozen=True, slots=True)
class PrecautionsChanged(Event):
    """What the office wants of whoever goes to the home is another now (LAB-06)."""

    patient_id: int


@dataclass(frozen=True, slots=True)
class ClinicianNotHeard(Event):
    """Nobody heard by `due_at` from whoever makes a watched visit: `stage` begin or end (LAB-06)."""

    visit_id: int
    due_at: datetime
    stage: str


@dataclass(frozen=True, slots=True)
class ClinicianLate(Event):
    """Whoever makes the visit comes so many minutes after its hour, and said so."""

    visit_id: int
    minutes: int


@dataclass(frozen=True, slots=True)
class ClinicianHeard(Event):
    """Whoever makes the visit said that all is well."""

    visit_id: int


@dataclass(frozen=True, slots=True)
class VisitCompleted(Event):
    visit_id: int


@dataclass(frozen=True, slots=True)
class VisitCorrected(Event):
    """A captured element of a visit says something else (EVV-04): what held its bill may hold it no more."""

    visit_id: int


@dataclass(frozen=True, slots=True)
class VisitMissed(Event):
    visit_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class MissedVisitDecided(Event):
    visit_id: int
    decision: str


@dataclass(frozen=True, slots=True)
class AideSupervised(Event):
    patient_id: int
    supervised_on: date


@dataclass(frozen=True, slots=True)
class AideConcernNoted(Event):
    """Somebody doubts an aide's work with a patient: it is observed on site within days (SUP-02)."""

    concern_id: int
    patient_id: int
    aide_id: int
    noted_on: date


@dataclass(frozen=True, slots=True)
class AideObserved(Event):
    """An aide was watched on site while giving care (SUP-02, SUP-03, SUP-04). `concern_id`: what it answers, if any."""

    observation_id: int
    patient_id: int
    aide_id: int
    observed_on: date
    passed: bool
    concern_id: int | None


@dataclass(frozen=True, slots=True)
class AideCleared(Event):
    """After retraining and a passed evaluation an aide may do the tasks in question again (SUP-02)."""

    concern_id: int
    patient_id: int
    aide_id: int


@dataclass(frozen=True, slots=True)
class AssistantSupervised(Event):
    """The nurse or therapist saw to the work of an LVN, PTA or COTA with a patient (SUP-05)."""

    patient_id: int
    assistant_id: int
    performer: str
    supervised_on: date


@dataclass(frozen=True, slots=True)
class InServiceRecorded(Event):
    """An aide attended in-service training, or the record of their competence changed (AID-03)."""

    clinician_id: int


@dataclass(frozen=True, slots=True)
class NoteSigned(Event):
    """The clinician signed the note of a visit (VIS-03)."""

    visit_id: int


@dataclass(frozen=True, slots=True)
class MissedVisitTold(Event):
    """The practitioner or the patient was told of a missed visit (VIS-01). `told`: which of the two."""

    visit_id: int
    told: str


@dataclass(frozen=True, slots=True)
class WrittenScheduleGiven(Event):
    """The patient has the visits to come in writing (VIS-05)."""

    patient_id: int
    given_on: date


@dataclass(frozen=True, slots=True)
class BillReleased(Event):
    """A visit's bill is no longer held for a rule, under a listed exception (QUAL-02, THX-01)."""

    visit_id: int
    rule: str
    code: str


@dataclass(frozen=True, slots=True)
class RosterPublished(Event):
    run_id: int
    clinician_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RepairProposed(Event):
    """A repair waits for a decision that whoever proposed it may not make; holders of these roles may."""

    repair_id: int
    branch_id: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepairRejected(Event):
    repair_id: int


@dataclass(frozen=True, slots=True)
class RepairApproved(Event):
    """A repair is on the rosters of these clinicians."""

    repair_id: int
    clinician_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CareTaskRaised(Event):
    """A score, a reading or a document asks somebody for something by a day (sections 13, 14; VIS-02).

    `task` is a word of the deadlines' table; `subject` names the row that asks and is unique for the task;
    `at_once` means that whoever owns it is told now. No answers and no scores travel.
    """

    patient_id: int
    rule: str
    task: str
    subject: str
    due_on: date
    owner: str
    discipline: str | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class CareTaskSettled(Event):
    """What was asked of `subject` (of any of the patient's, if none) under `rule` is done, or was asked in error."""

    patient_id: int
    rule: str
    reason: str
    subject: str | None = None
    in_error: bool = False
    #: The settling one's own subject, whose own tasks stand.
    but: str | None = None


@dataclass(frozen=True, slots=True)
class TaskHandedOver(Event):
    """A task of the team is on somebody's list who did not put it there: newly asked, given back or reassigned."""

    task_id: int


@dataclass(frozen=True, slots=True)
class TeachingChanged(Event):
    """What a caregiver is to learn, how far they are, or when it is taught next, is another thing now."""

    patient_id: int
    caregiver_id: int


@dataclass(frozen=True, slots=True)
class NoteAddressed(Event):
    """A note of the team is addressed to people and desks."""

    note_id: int


@dataclass(frozen=True, slots=True)
class TaskEscalated(Event):
    """A task is late, and `desk` (a value of Desk) hears of it as well."""

    task_id: int
    desk: str


@dataclass(frozen=True, slots=True)
class AssessmentRecorded(Event):
    """A set of answers to an instrument was recorded, complete or not, for the branch's day `assessed_on`."""

    assessment_id: int
    patient_id: int
    episode_id: int | None
    instrument: str
    assessed_on: date
    complete: bool
    #: The profession of whoever took them; None: a physician.
    performer: str | None = None


@dataclass(frozen=True, slots=True)
class AssessmentWithdrawn(Event):
    """A set of answers was marked as entered in error: cadences count from the one before it."""

    assessment_id: int
    patient_id: int
    instrument: str


@dataclass(frozen=True, slots=True)
class VisitProposed(Event):
    """A score proposes a visit. `asked`: no order has one left, so the physician is asked for an order."""

    proposal_id: int
    patient_id: int
    discipline: str
    asked: bool
    physician_id: int | None


@dataclass(frozen=True, slots=True)
class SafetyProtocolOpened(Event):
    """An answer about self-harm opened the safety protocol: whom the policy names is told now (INS-05)."""

    protocol_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class CareRequestRaised(Event):
    """A patient or caregiver asks for something; `topic` is a value of RequestTopic, and no words travel."""

    request_id: int
    patient_id: int
    topic: str


@dataclass(frozen=True, slots=True)
class CareRequestClosed(Event):
    request_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class FamilyNoticeRaised(Event):
    """Somebody is to be told, in their language, that a visit they were told of has changed."""

    notice_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class FamilyNoticeSettled(Event):
    """They were told, or the visit is again as they know it."""

    notice_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class ProposalDecided(Event):
    """A visit that a score proposed was accepted, declined, ordered or withdrawn: nobody is asked any more."""

    proposal_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class SafetyProtocolClosed(Event):
    protocol_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class ConferenceDecided(Event):
    """The team conference decided on a task; its words stay in the minutes and on the task."""

    decision_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class ConferenceClosed(Event):
    """The team's review of a patient was closed. `counts`: it had its quorum, and the next is due from `held_on` on."""

    conference_id: int
    patient_id: int
    episode_id: int
    held_on: date
    counts: bool


@dataclass(frozen=True, slots=True)
class CodeStatusChanged(Event):
    """Documents in force say another thing about resuscitation than before."""

    patient_id: int
    code_status: str


@dataclass(frozen=True, slots=True)
class RightsExplained(Event):
    """The patient was told of the right to make an advance directive (ACP-01)."""

    patient_id: int
    episode_id: int
    told_on: date


@dataclass(frozen=True, slots=True)
class ExclusionChecked(Event):
    """A clinician was looked for on a federal exclusion list (CRD-01); `matched`: and found there."""

    clinician_id: int
    branch_id: int
    source: str
    checked_on: date
    matched: bool


@dataclass(frozen=True, slots=True)
class EmergencyAccessOpened(Event):
    """Somebody opened a record in an emergency; somebody else looks at it by `review_due_on` (SEC-02)."""

    access_id: int
    patient_id: int
    branch_id: int
    user_id: int
    opened_at: datetime
    review_due_on: date


@dataclass(frozen=True, slots=True)
class EmergencyAccessReviewed(Event):
    access_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class RecordRequested(Event):
    """A patient asked for their record (SEC-09): `due_on` is the earliest day that any law names."""

    request_id: int
    patient_id: int
    branch_id: int
    requested_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class RecordRequestClosed(Event):
    request_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class RecordDestroyed(Event):
    """A record is gone after its years (SEC-12). `subjects`: what went, as notices name it: `visit:9`, `patient:3`."""

    patient_number: int
    subjects: frozenset[str]


@dataclass(frozen=True, slots=True)
class BreachDetected(Event):
    """Records of patients were seen by somebody who may not (SEC-11)."""

    breach_id: int
    branch_id: int
    detected_on: date
    state_due_on: date
    federal_due_on: date


@dataclass(frozen=True, slots=True)
class BreachNotified(Event):
    """`whom`: a value of BreachNotice."""

    breach_id: int
    branch_id: int
    whom: str
    on: date


@dataclass(frozen=True, slots=True)
class ResourceChecked(Event):
    """Somebody has asked an organisation whether its entry is still so; `was_asked_as`: what had asked for it."""

    resource_id: int
    was_asked_as: str
