"""The facts that rules are asked about, as small frozen values.

Every default means "nothing known". Where nothing known is itself a reason to refuse or to warn, the rule says so;
where a fact may be absent because it does not concern the visit, the field is `None` and the rule is silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from coordinator.domain.frequency import Frequency
from coordinator.domain.npi import NpiKind
from coordinator.domain.vocabulary import (
    Conversation,
    Criterion,
    Determination,
    Discipline,
    Eligibility,
    EvvMethod,
    Gender,
    HomeSafety,
    InterpreterMode,
    OrderStatus,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    ReferralDeclineReason,
    ReferralSetting,
    VisitKind,
)
from coordinator.rules.work_facts import WorkFacts


class Moment(StrEnum):
    """When the rules are asked about a visit."""

    #: A tentative slot is held (`pending`) or a plan is sought: unsigned orders are tolerated.
    HOLD = "hold"
    #: The visit is confirmed or its roster published (`booked`).
    CONFIRM = "confirm"
    #: The clinician is at the door: Appendix A rows 1, 4, 5, 8 and 9 are asked again.
    CHECK_IN = "check_in"


# ------------------------------------------------------------------------------------------ visit


@dataclass(frozen=True, slots=True)
class LocalWindow:
    """A stretch of local wall-clock time, on one `day` or on one `weekday` (Monday = 0), or daily when both are `None`.

    `ends` not after `starts` means that the window runs past midnight into the next day.
    """

    starts: time
    ends: time
    weekday: int | None = None
    day: date | None = None
    #: After sunset at a home whose visits end before it (LAB-06), not a time that the patient keeps free.
    dark: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """One period of membership or insurance, both bounds inclusive; `last_day` `None` means open-ended."""

    payer: Payer
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A programme that the patient is in on these days, here or elsewhere, both included; `last_day` `None`: still.

    `condition`: ICD-10-CM code of the illness it is for; empty: not known.
    """

    programme: Programme
    payer: Payer
    first_day: date
    last_day: date | None = None
    condition: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class CaregiverFacts:
    """Somebody who takes part in the care. `available` `None`: nobody has asked when."""

    willing: bool = False
    available: tuple[LocalWindow, ...] | None = None


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What is known of the patient on the day of the visit."""

    #: Accepted or admitted, and neither discharged nor dead.
    active: bool = False
    #: Transferred to an inpatient stay or otherwise on hold (ASM-02).
    on_hold: bool = False
    #: Home from a qualifying inpatient stay, resumption visit not yet made (ASM-02).
    awaiting_resumption: bool = False
    #: The start-of-care visit has been made.
    admitted: bool = False
    #: `None`: coverage has not been recorded at all.
    coverage: tuple[Coverage, ...] | None = None
    eligibility: Eligibility = Eligibility.PENDING
    #: The criteria that are not met or not known, for the sentence.
    open_criteria: tuple[Criterion, ...] = ()
    #: `None`: the care address has not been checked against the service area.
    address_in_area: bool | None = None
    home_safety: HomeSafety = HomeSafety.NOT_ASSESSED
    mitigations_done: bool = False
    #: Coded hazards of the home, such as `VIOLENCE` or `FIREARM`.
    hazards: frozenset[str] = frozenset()
    #: BCP-47 code of the preferred spoken language.
    spoken_language: str | None = None
    interpreter_needed: bool = False
    #: The patient declined an interpreter, and that is documented.
    interpreter_declined: bool = False
    preferred_gender: Gender | None = None
    #: The preference is a requirement for every visit, not only for personal care.
    gender_required: bool = False
    no_visit_windows: tuple[LocalWindow, ...] = ()
    caregivers: tuple[CaregiverFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """The episode of care that the visit belongs to."""

    programme: Programme
    payer: Payer
    #: Start of care, day 1 of the first certification period; `None` before admission.
    soc_date: date | None = None
    #: Every discipline ordered at referral or now: decides who may open the case (ASM-01).
    ordered_disciplines: frozenset[Discipline] = frozenset()
    #: Every other programme that the patient is or was in (PRG-02).
    enrolments: tuple[Enrolment, ...] = ()
    birth_date: date | None = None
    #: ICD-10-CM code of what the care is for, the primary diagnosis; empty: not known.
    condition: str = ""
    #: Since the first day on which the comprehensive assessment of the start was late, if it is not complete (ASM-03).
    assessment_late_from: date | None = None


@dataclass(frozen=True, slots=True)
class OrderWeekFacts:
    """The window of the order that contains the visit's day, and how much of it other visits use.

    `used` counts visits done and booked in the window, `used_on_day` those on the visit's local day; neither counts the
    visit asked about, nor supervision-only, telehealth, cancelled or attempted visits (FRQ-03).
    """

    index: int
    starts_on: date
    ends_on: date
    minimum: int
    maximum: int
    used: int = 0
    used_on_day: int = 0
    per_day: int = 1


@dataclass(frozen=True, slots=True)
class PrnFacts:
    """The as-needed allowance of the order (FRQ-05). `used` does not count the visit asked about."""

    limit: int
    used: int = 0
    #: The symptoms named in the order.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The order that the visit would be made under."""

    discipline: Discipline
    status: OrderStatus
    effective_from: date | None = None
    effective_to: date | None = None
    #: The certification period that the order was written for (1, 2, ...).
    certification_number: int | None = None
    order_id: int | str | None = None
    #: `None`: the order gives no scheduled visits on that day.
    week: OrderWeekFacts | None = None
    prn: PrnFacts | None = None
    evaluate_and_treat: bool = False
    #: The one evaluation that an evaluate-and-treat order allows is done or booked by another visit.
    evaluation_used: bool = False
    #: A PT (for PTA) or OT (for COTA) has completed the evaluation (ORD-09).
    evaluation_complete: bool = False
    #: The order's goals were set by the PT or OT (ORD-09).
    goals_set_by_therapist: bool = False
    required_skills: frozenset[str] = frozenset()
    #: When a verbal order was received; `None` for a written one.
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InterpreterFacts:
    """How patient and clinician will understand each other at this visit. `companion_age` in years."""

    mode: InterpreterMode | None = None
    #: A relative or friend is meant to interpret.
    companion: bool = False
    companion_age: int | None = None
    #: The patient asked in private, with an interpreter present, and it is documented.
    companion_requested: bool = False
    #: Imminent threat and no interpreter to be had.
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The visit itself. Instants are aware UTC and `None` while only the day is known; `day` is local to `zone`."""

    kind: VisitKind
    discipline: Discipline
    day: date
    minutes: int
    zone: ZoneInfo
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    #: How many clinicians go together.
    clinicians: int = 1
    interpreter: InterpreterFacts = field(default_factory=InterpreterFacts)
    #: Why an as-needed visit is made (FRQ-05).
    prn_trigger: str = ""
    #: Bathing, dressing and the like by whatever discipline; aide visits always are personal care (CUL-01).
    personal_care: bool = False
    #: What must be understood word for word at this visit (LNG-01).
    conversation: Conversation | None = None
    #: A clinician's check-in is watched by a timer (LAB-06).
    check_in_timer: bool = False
    #: What a social worker's visit is for (QUAL-03): a value of MswPurpose.
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class LoneWorkFacts:
    """A visit as the office watches it (LAB-06). Instants are aware; `minutes` is how long it is planned for."""

    booked_at: datetime
    minutes: int
    begun_at: datetime | None = None
    #: When the clinician last said that all is well.
    heard_at: datetime | None = None
    hazards: frozenset[str] = frozenset()
    #: How often the clinician says so while there; `None`: not at all.
    check_in_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class CaseReview:
    """An approved case-by-case review of up to 35 hours a week (INT-01), bounds inclusive."""

    approved_by: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A payer's limit on the number of visits of one discipline (INT-04). `used` does not count this visit."""

    maximum: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """In-home minutes of nurse and aide care together, of the patient's other visits (INT-01), and daily runs (INT-02).

    `next_day_minutes` and `next_week_minutes` matter only to a visit that crosses local midnight.
    """

    day_minutes: int = 0
    week_minutes: int = 0
    next_day_minutes: int = 0
    next_week_minutes: int = 0
    review: CaseReview | None = None
    #: Consecutive days with a nursing visit that end on the day before, and that begin on the day after.
    nursing_days_before: int = 0
    nursing_days_after: int = 0
    #: The practitioner documented a finite and predictable end of daily nursing.
    daily_nursing_ends_on: date | None = None
    #: Daily insulin, and no able caregiver.
    daily_insulin: bool = False
    #: PT, SLP or continuing OT qualifies the patient besides nursing.
    other_qualifying_service: bool = False
    authorisation: Authorisation | None = None


@dataclass(frozen=True, slots=True)
class QualifyingFacts:
    """The last day for which a qualifying skilled visit is planned or ordered (QUAL-02); `None`: there is none."""

    last_on: date | None = None
    #: Occupational therapy continues after PT, SLP or nursing established eligibility.
    ot_continuing: bool = False


@dataclass(frozen=True, slots=True)
class AidePlanFacts:
    """The aide care plan in force (AID-02); `effective_from` `None`: there is none."""

    effective_from: date | None = None
    prepared_by: Performer | None = None
    tasks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AssistantFacts:
    """What stands behind an LVN, PTA or COTA with this patient (SUP-05). Days are local.

    `counted_from`: the last supervision, or the first visit by such an assistant; `None` before that.
    """

    counted_from: date | None = None
    #: The therapist of record is at work on that day, or can be telephoned; `None`: not a therapy, or nobody evaluated.
    therapist_reachable: bool | None = None


@dataclass(frozen=True, slots=True)
class SupervisionFacts:
    """Supervision of the patient's aide care (SUP-01, SUP-04). Days are local."""

    last_on: date | None = None
    first_aide_visit_on: date | None = None
    #: A skilled service is active besides the aide.
    skilled_service: bool = True


@dataclass(frozen=True, slots=True)
class TherapyFacts:
    """The reassessment clock of the visit's discipline (THX-01); `last_qualifying_on` `None`: not yet evaluated."""

    last_qualifying_on: date | None = None


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """A licence, certificate or registration (CRD-01). `expires_on` is the last valid day."""

    name: str
    active: bool = False
    issued_on: date | None = None
    expires_on: date | None = None
    verified_on: date | None = None
    #: Visit kinds that a restriction on the licence forbids.
    restricted_kinds: frozenset[VisitKind] = frozenset()


@dataclass(frozen=True, slots=True)
class LanguageSkill:
    """A language (BCP-47) that the clinician was tested in; unqualified when `qualified_on` is `None`."""

    code: str
    qualified_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class ClinicianFacts:
    """What is known of the clinician on the day of the visit."""

    performer: Performer
    credentials: tuple[CredentialFacts, ...] = ()
    skills: frozenset[str] = frozenset()
    languages: tuple[LanguageSkill, ...] = ()
    gender: Gender = Gender.UNKNOWN
    #: On the OIG LEIE or SAM exclusion list.
    excluded: bool = False
    #: The patient asked not to be visited by this clinician.
    declined_by_patient: bool = False
    #: An aide has acknowledged the care plan's version in force (AID-02).
    aide_plan_acknowledged: bool = False
    #: Last day of paid work as an aide, and last requalification (AID-03).
    last_paid_aide_work_on: date | None = None
    requalified_on: date | None = None
    #: Tasks that are not this aide's until a concern is settled (SUP-02); `ALL` for every task.
    blocked_tasks: frozenset[str] = frozenset()
    #: Last day on which this aide was watched at work, or their first visit here (SUP-03).
    last_observed_on: date | None = None


@dataclass(frozen=True, slots=True)
class NeighbourFacts:
    """The clinician's stops before and after on the same day (LAB-04). Minutes; buffer from policy if `None`."""

    previous_ends_at: datetime | None = None
    travel_from_previous: int = 0
    next_starts_at: datetime | None = None
    travel_to_next: int = 0
    buffer_minutes: int | None = None
    #: The whole day at work with and without the visit (LAB-01, LAB-02); `None` where nobody has looked at it.
    work: WorkFacts | None = None


@dataclass(frozen=True, slots=True)
class VisitCase:
    """All the facts about one visit. Parts that are `None` do not concern it, and their rules are silent.

    `clinician` is `None` while the question is only whether the patient may be visited on that day.
    """

    patient: PatientFacts
    episode: EpisodeFacts
    visit: VisitFacts
    order: OrderFacts | None = None
    usage: UsageFacts | None = None
    qualifying: QualifyingFacts | None = None
    aide_plan: AidePlanFacts | None = None
    supervision: SupervisionFacts | None = None
    therapy: TherapyFacts | None = None
    assistant: AssistantFacts | None = None
    clinician: ClinicianFacts | None = None
    neighbours: NeighbourFacts | None = None


# ------------------------------------------------------------------------------------------ orders


@dataclass(frozen=True, slots=True)
class VerbalReceipt:
    """How a verbal order was taken (ORD-05). `received_by` is `None` when somebody of the office took the call."""

    received_at: datetime
    received_by: Performer | None = None
    #: The receiver signed, dated and timed what was heard.
    receiver_signed_at: datetime | None = None
    read_back: bool = False
    #: The RN or therapist responsible for the service, when somebody else received the order.
    responsible: Performer | None = None
    responsible_notified_at: datetime | None = None
    responsible_signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """An order that is about to become live (ORD-02 to ORD-05, ORD-07, FRQ-05, INT-02, INT-03)."""

    programme: Programme
    payer: Payer
    discipline: Discipline
    orderer_type: PractitionerType | None = None
    frequency: Frequency | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    certification_end: date | None = None
    #: Start of care, where weeks are counted from its weekday.
    soc_date: date | None = None
    #: Procedures and modalities for therapy, with their amount.
    treatments: tuple[str, ...] = ()
    #: Personal care tasks of an aide order.
    duties: tuple[str, ...] = ()
    goals_linked: bool = False
    evaluate_and_treat: bool = False
    #: `None` for a written order.
    verbal: VerbalReceipt | None = None
    eligibility: Eligibility = Eligibility.PENDING
    admitted: bool = False
    #: The taper or handover plan of an aide order is written (INT-03c).
    taper_plan: bool = False
    #: For a podiatrist's order: the diagnosis is of foot or ankle; `None`: not known.
    foot_or_ankle: bool | None = None
    #: Another live scheduled order of the discipline whose days overlap and which this one does not supersede (ORD-07).
    overlapping_order_id: int | str | None = None
    #: Longest run of daily nursing that the order implies, in days; `None`: worked out from the frequency.
    daily_run: int | None = None
    daily_nursing_ends_on: date | None = None
    daily_insulin: bool = False
    other_qualifying_service: bool = False
    order_id: int | str | None = None


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """A practitioner about to sign an order (ORD-04, ORD-08)."""

    programme: Programme
    payer: Payer
    discipline: Discipline
    status: OrderStatus
    practitioner_id: int | str
    signer_id: int | str
    signer_type: PractitionerType
    #: The signer covers for the order's practitioner, and that is documented.
    covering: bool = False
    #: This very order was opened by the signer before signing.
    opened: bool = False
    order_id: int | str | None = None


# ------------------------------------------------------------------------------- referral, eligibility


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """A referral as received (REF-01, REF-02). Instants aware UTC."""

    received_at: datetime | None = None
    patient_name_known: bool = False
    date_of_birth: date | None = None
    contact: str = ""
    care_address: str = ""
    practitioner_name: str = ""
    practitioner_npi: str = ""
    practitioner_type: PractitionerType | None = None
    practitioner_organisation: str = ""
    reason: str = ""
    disciplines: tuple[Discipline, ...] = ()
    setting: ReferralSetting | None = None
    #: For an inpatient: the day of discharge that the hospital expects.
    expected_discharge_on: date | None = None
    returned_home_at: datetime | None = None
    payer: Payer | None = None
    preferred_language: str = ""
    interpreter_needed: bool | None = None
    ordered_soc_date: date | None = None
    #: The practitioner agreed to a later start of care, and when.
    soc_date_changed_to: date | None = None
    soc_date_change_ordered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReferralClosing:
    """How a referral is about to be closed without admission (REF-03)."""

    reason: ReferralDeclineReason | None = None
    onward_resources: int = 0


@dataclass(frozen=True, slots=True)
class HomeboundFacts:
    """The leaves of the homebound test (HB-01); each `True` needs its `narratives` entry to count as evidence."""

    needs_supportive_device: bool = False
    needs_special_transport: bool = False
    needs_another_person: bool = False
    leaving_medically_contraindicated: bool = False
    normal_inability_to_leave: bool = False
    considerable_and_taxing_effort: bool = False
    narratives: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence from home (HB-02). `purpose` is coded: `HEALTH_CARE`, `RELIGIOUS`, `OTHER`. `minutes` long."""

    day: date
    purpose: str
    minutes: int
    taxing_effort: bool = True


@dataclass(frozen=True, slots=True)
class FaceToFaceFacts:
    """The encounter that certification rests on (F2F-01, F2F-02)."""

    encounter_on: date | None = None
    performer_type: PractitionerType | None = None
    related_to_primary_reason: bool = False
    performer_is_certifier: bool = False
    #: The performer cared for the patient in the acute or post-acute stay, or worked with the certifier.
    from_inpatient_or_collaborating: bool = False
    same_practice: bool = False
    coordination_evidence: bool = False


@dataclass(frozen=True, slots=True)
class CertificationFacts:
    """A certification or recertification statement (CERT-01, CERT-02)."""

    homebound: bool = False
    skilled_need: bool = False
    plan_established: bool = False
    under_care: bool = False
    face_to_face_on: date | None = None
    signed_on: date | None = None
    #: A recertification: how much longer services will be needed, in the practitioner's words.
    estimated_further_duration: str = ""


@dataclass(frozen=True, slots=True)
class CertifierFacts:
    """Who certifies (HB-03, CERT-06). `medicare_enrolled` `None`: not checked on the order date."""

    programme: Programme
    payer: Payer
    practitioner_type: PractitionerType | None = None
    npi: str = ""
    npi_kind: NpiKind | None = None
    medicare_enrolled: bool | None = None
    financial_relationship: bool = False
    #: The day of the certification; the rules of today if `None`.
    certified_on: date | None = None


@dataclass(frozen=True, slots=True)
class DeterminationFacts:
    """One criterion's answer with the evidence that a file must hold (ELG-00)."""

    criterion: Criterion
    answer: Determination = Determination.UNKNOWN
    evidence: str = ""
    determined_by: str = ""
    effective_from: date | None = None
    review_on: date | None = None


# ------------------------------------------------------------------------------------------ EVV


@dataclass(frozen=True, slots=True)
class EvvFacts:
    """What electronic visit verification captured (EVV-01 to EVV-04). Instants aware UTC; distance in metres."""

    payer: Payer
    programme: Programme
    service: str = ""
    patient_id: int | str | None = None
    day: date | None = None
    location: str = ""
    clinician_id: int | str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    method: EvvMethod | None = None
    personal_or_home_health_care: bool = True
    #: Personal care by the agency's own licence for it, not an aide of home health care (EVV-02).
    personal_care: bool = False
    in_home: bool = True
    congregate_with_24h_service: bool = False
    live_in_caregiver: bool = False
    live_in_exemption_recorded: bool = False
    pace: bool = False
    #: The patient is in a programme whose visits are exempt, with whomever: hospice, PACE (EVV-03).
    in_exempt_programme: bool = False
    inpatient: bool = False
    edited: bool = False
    edit_reason: str = ""
    editor: str = ""
    original_kept: bool = False
    metres_from_home: int | None = None
    overlaps_other_visit: bool = False
    #: In which the home's clocks go, and in which the device's said that it went.
    home_zone: ZoneInfo | None = None
    device_zone: ZoneInfo | None = None
