"""The closed lists of home care that every room shares, and the one open list: programmes.

Each enum's value is what is stored and what the API speaks. Sources are the sections of `docs/rules.md`
and, for FHIR, the R4 value sets named there.
"""

import re
from enum import StrEnum
from typing import ClassVar
from weakref import WeakValueDictionary


class Discipline(StrEnum):
    """A service that is ordered and visited for (rules 0.4)."""

    SN = "SN"
    PT = "PT"
    OT = "OT"
    SLP = "SLP"
    MSW = "MSW"
    HHA = "HHA"
    CHAP = "CHAP"
    MDV = "MDV"


class Performer(StrEnum):
    """Who makes the visit: the clinician's own profession, which decides what they may do (rules 0.4)."""

    RN = "RN"
    LVN = "LVN"
    PT = "PT"
    PTA = "PTA"
    OT = "OT"
    COTA = "COTA"
    SLP = "SLP"
    MSW = "MSW"
    CHHA = "CHHA"
    CHAPLAIN = "CHAPLAIN"
    MD = "MD"
    NP = "NP"


#: Which professions may furnish a discipline (rules 0.4).
PERFORMERS: dict[Discipline, frozenset[Performer]] = {
    Discipline.SN: frozenset({Performer.RN, Performer.LVN}),
    Discipline.PT: frozenset({Performer.PT, Performer.PTA}),
    Discipline.OT: frozenset({Performer.OT, Performer.COTA}),
    Discipline.SLP: frozenset({Performer.SLP}),
    Discipline.MSW: frozenset({Performer.MSW}),
    Discipline.HHA: frozenset({Performer.CHHA}),
    Discipline.CHAP: frozenset({Performer.CHAPLAIN}),
    Discipline.MDV: frozenset({Performer.MD, Performer.NP}),
}

#: The discipline a profession works in: the inverse of `PERFORMERS`.
DISCIPLINE_OF: dict[Performer, Discipline] = {
    performer: discipline for discipline, performers in PERFORMERS.items() for performer in performers
}

THERAPIES = frozenset({Discipline.PT, Discipline.OT, Discipline.SLP})
#: Disciplines whose need establishes that home health may be furnished (QUAL-01); OT only while continuing.
QUALIFYING = frozenset({Discipline.SN, Discipline.PT, Discipline.SLP})
#: Disciplines that depend on a qualifying one (QUAL-02).
DEPENDENT = frozenset({Discipline.HHA, Discipline.MSW})
#: Disciplines whose in-home minutes are counted together against the part-time or intermittent limit (INT-01).
INTERMITTENT = frozenset({Discipline.SN, Discipline.HHA})


class PractitionerType(StrEnum):
    """Credential of somebody who refers, certifies or orders (ORD-04)."""

    MD = "MD"
    DO = "DO"
    DPM = "DPM"
    NP = "NP"
    CNS = "CNS"
    PA = "PA"
    CNM = "CNM"
    OTHER = "OTHER"


class Programme(str):
    """The code of a programme profile that a patient is served under (rules 0.5).

    Which programmes there are is said by files (`rules.profile_files`), not by this program: the names below are those
    of the shipped ones. One code is one object, so that `is` says what `==` says. ValueError if it is no code at all.
    """

    KP_HBPC: ClassVar["Programme"]
    MEDICARE_HH: ClassVar["Programme"]
    MA_HH: ClassVar["Programme"]
    MEDI_CAL_HH: ClassVar["Programme"]
    MEDI_CAL_PC: ClassVar["Programme"]
    HOSPICE: ClassVar["Programme"]

    def __new__(cls, code: str) -> "Programme":
        known = _PROGRAMMES.get(code)
        if known is not None:
            return known
        if not _PROGRAMME_CODE.fullmatch(code):
            raise ValueError(f"{code[:40]!r} is no code: 2 to 40 capital letters, digits and underscores")
        return _PROGRAMMES.setdefault(str(code), super().__new__(cls, code))

    def __reduce__(self) -> tuple[type["Programme"], tuple[str]]:
        return Programme, (str(self),)

    @property
    def value(self) -> str:
        """The code, as members of an enum say it."""
        return str.__str__(self)


_PROGRAMME_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}", re.ASCII)
#: Weak: a code that nobody holds any more, such as one that somebody mistyped, is forgotten.
_PROGRAMMES: WeakValueDictionary[str, Programme] = WeakValueDictionary()
for _name in ("KP_HBPC", "MEDICARE_HH", "MA_HH", "MEDI_CAL_HH", "MEDI_CAL_PC", "HOSPICE"):
    setattr(Programme, _name, Programme(_name))


class Payer(StrEnum):
    """Who pays, as far as a rule asks."""

    KP = "KP"
    MEDICARE = "MEDICARE"
    MEDICARE_ADVANTAGE = "MEDICARE_ADVANTAGE"
    MEDI_CAL = "MEDI_CAL"
    VA = "VA"
    COMMERCIAL = "COMMERCIAL"
    SELF = "SELF"
    OTHER = "OTHER"


class OrderStatus(StrEnum):
    """Life of an order (ORD-08)."""

    DRAFT = "draft"
    VERBAL_RECEIVED = "verbal_received"
    ACTIVE_VERBAL = "active_verbal"
    SENT_FOR_SIGNATURE = "sent_for_signature"
    ACTIVE_SIGNED = "active_signed"
    DECLINED = "declined"
    SUPERSEDED = "superseded"
    DISCONTINUED = "discontinued"
    EXPIRED = "expired"
    COMPLETED = "completed"
    VOID = "void"


class VisitStatus(StrEnum):
    """Life of a visit (VIS-04). `proposed` is a wanted visit, `pending` a held slot, `booked` a confirmed one."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    EN_ROUTE = "en_route"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NOTE_SIGNED = "note_signed"
    VERIFIED = "verified"
    CANCELLED = "cancelled"
    MISSED = "missed"
    NO_SHOW = "no_show"
    ON_HOLD = "on_hold"
    ENTERED_IN_ERROR = "entered_in_error"


class VisitKind(StrEnum):
    """What a visit is for, as far as a rule asks (ASM-01, SUP-05, ORD-03)."""

    ROUTINE = "routine"
    INITIAL = "initial"
    EVALUATION = "evaluation"
    REASSESSMENT = "reassessment"
    RECERTIFICATION = "recertification"
    RESUMPTION = "resumption"
    DISCHARGE = "discharge"
    SUPERVISION = "supervision"
    PRN = "prn"
    TEACHING = "teaching"


class ReferralStatus(StrEnum):
    """Life of a referral (REF-03)."""

    RECEIVED = "received"
    SCREENING = "screening"
    PENDING_INFO = "pending_info"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    INITIAL_VISIT_BOOKED = "initial_visit_booked"
    ADMITTED = "admitted"
    NOT_ADMITTED = "not_admitted"
    WITHDRAWN = "withdrawn"


class HoldStatus(StrEnum):
    """Life of a slot held for a referral: `taken` when it became the start-of-care visit."""

    HELD = "held"
    TAKEN = "taken"
    RELEASED = "released"
    EXPIRED = "expired"


class ReferralSetting(StrEnum):
    """Where the patient is when referred (REF-02)."""

    HOME = "home"
    INPATIENT = "inpatient"


class Criterion(StrEnum):
    """The eight criteria of the home based palliative care programme (ELG-1 to ELG-8)."""

    MEMBER = "ELG-1"
    CONDITION_NEED_DESIRE = "ELG-2"
    WILLING = "ELG-3"
    HOMEBOUND = "ELG-4"
    SERVICE_AREA = "ELG-5"
    SAFE_HOME = "ELG-6"
    REFERRED = "ELG-7"
    DIRECTED = "ELG-8"


class Determination(StrEnum):
    """Answer to one criterion (ELG-00)."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


class Eligibility(StrEnum):
    """Answer to all criteria together (ELG-00)."""

    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    PENDING = "pending"


class ReferralDeclineReason(StrEnum):
    """Why a referral is not accepted (REF-03). Each failed criterion is a reason of its own."""

    ELG_1 = "ELG-1"
    ELG_2 = "ELG-2"
    ELG_3 = "ELG-3"
    ELG_4 = "ELG-4"
    ELG_5 = "ELG-5"
    ELG_6 = "ELG-6"
    ELG_7 = "ELG-7"
    ELG_8 = "ELG-8"
    CAPACITY = "capacity"
    PATIENT_DECLINED = "patient_declined"
    UNSAFE_HOME = "unsafe_home"
    DIED = "died"
    DUPLICATE = "duplicate"


class OrderDeclineReason(StrEnum):
    """Why a practitioner does not sign an order."""

    GOAL_NOT_MEASURABLE = "goal_not_measurable"
    FREQUENCY_TOO_HIGH = "frequency_too_high"
    FREQUENCY_TOO_LOW = "frequency_too_low"
    WRONG_DISCIPLINE = "wrong_discipline"
    TREATMENT_NOT_INDICATED = "treatment_not_indicated"
    NOT_MY_PATIENT = "not_my_patient"
    DUPLICATE = "duplicate"
    NEEDS_DISCUSSION = "needs_discussion"
    OTHER = "other"


class MissedReason(StrEnum):
    """Why a visit was missed (VIS-01)."""

    PATIENT_REFUSED = "patient_refused"
    PATIENT_CANCELLED = "patient_cancelled"
    NOT_HOME_NOT_FOUND = "not_home_not_found"
    MD_APPOINTMENT = "md_appointment"
    INPATIENT_ER = "inpatient_er"
    FAMILY_REQUEST = "family_request"
    UNSAFE_CONDITIONS = "unsafe_conditions"
    WEATHER_DISASTER = "weather_disaster"
    STAFF_ILLNESS = "staff_illness"
    NO_STAFF_AVAILABLE = "no_staff_available"
    INTERPRETER_UNAVAILABLE = "interpreter_unavailable"
    AGENCY_ERROR = "agency_error"
    DECEASED = "deceased"
    ON_HOLD = "on_hold"
    WEEK_CLOSED = "week_closed"


class MissedDecision(StrEnum):
    """What the practitioner decides about a missed visit (VIS-01)."""

    SKIP = "skip"
    MAKE_UP = "make_up"
    OTHER = "other"


class HomeSafety(StrEnum):
    """Result of the home safety assessment (ELG-6)."""

    NOT_ASSESSED = "not_assessed"
    SAFE = "safe"
    SAFE_WITH_MITIGATION = "safe_with_mitigation"
    UNSAFE = "unsafe"


class InterpreterMode(StrEnum):
    """How the patient and the clinician understand each other (LNG-01)."""

    BILINGUAL_CLINICIAN = "bilingual_clinician"
    IN_PERSON = "in_person"
    VIDEO = "video"
    PHONE = "phone"
    ASL = "asl"


class Gender(StrEnum):
    """FHIR administrative gender."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class OvertimeProfile(StrEnum):
    """By which law an employee's overtime is counted (LAB-01)."""

    #: Labor Code 510: eight hours a day, forty a week.
    STANDARD = "standard"
    #: A validly adopted alternative workweek of ten or twelve hours a day (Labor Code 511, Wage Orders 4 and 5).
    ALTERNATIVE_10 = "alternative_10"
    ALTERNATIVE_12 = "alternative_12"
    #: A collective agreement that pays its own premium (Labor Code 514): forty hours a week remain.
    AGREEMENT = "agreement"
    #: Exempt from overtime, meals and rests; never a registered nurse as such (Labor Code 515(f)).
    EXEMPT = "exempt"


class ExclusionList(StrEnum):
    """A federal list of those who may not be paid by its programmes (CRD-01)."""

    LEIE = "leie"
    SAM = "sam"


class GoalCategory(StrEnum):
    """What a care goal is for; `WHAT_MATTERS_MOST` is the patient's own words and leads the plan."""

    WHAT_MATTERS_MOST = "what_matters_most"
    COMFORT = "comfort"
    QUALITY_OF_LIFE = "quality_of_life"
    SAFETY = "safety"
    PATIENT_SUPPORT = "patient_support"
    CAREGIVER_SUPPORT = "caregiver_support"


class Role(StrEnum):
    """What a signed-in person is there to do; decides what they may see and change."""

    SCHEDULER = "scheduler"
    CLINICIAN = "clinician"
    PHYSICIAN = "physician"
    INTAKE = "intake"
    CLINICAL_MANAGER = "clinical_manager"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class EmergencyReason(StrEnum):
    """Why a record is opened in an emergency (SEC-02); what happened stands beside it in words."""

    LIFE_THREAT = "life-threat"
    FALL = "fall"
    SYMPTOM_CRISIS = "symptom-crisis"
    #: Violence, or somebody who may harm themselves.
    SAFETY = "safety"
    #: Nobody answers at the home, or a clinician is not heard of.
    NOT_HEARD_OF = "not-heard-of"
    DISASTER = "disaster"
    OTHER = "other"


class OverrideReason(StrEnum):
    """Why somebody permitted sets a rule aside (BLOCK-OVR); the explanation in words stands beside it."""

    PATIENT_AGREED = "patient-agreed"
    FAMILY_AGREED = "family-agreed"
    PAYER_AGREED = "payer-agreed"
    PRACTITIONER_AGREED = "practitioner-agreed"
    CLINICIAN_AGREED = "clinician-agreed"
    #: The excess is on another payer's line (INT-01).
    OTHER_PAYER = "other-payer"
    #: Somebody who has what is lacking goes along or is at hand.
    SUPERVISED = "supervised"
    #: What is lacking is known to be there and not recorded yet.
    DOCUMENTED_ELSEWHERE = "documented-elsewhere"
    #: Waiting would harm the patient.
    URGENT_NEED = "urgent-need"


class MswPurpose(StrEnum):
    """What a medical social worker's visit is for (QUAL-03)."""

    RESOURCE_LINKAGE = "resource_linkage"
    COUNSELING = "counseling"
    ACP = "acp"
    CAREGIVER_SUPPORT = "caregiver_support"


class Conversation(StrEnum):
    """What is talked about at a visit that must be understood word for word (LNG-01)."""

    CONSENT = "consent"
    ADVANCE_CARE_PLANNING = "advance_care_planning"


class EvvCircumstanceKind(StrEnum):
    """What excuses a visit in the home from electronic verification (EVV-03)."""

    LIVE_IN_CAREGIVER = "live_in_caregiver"
    CONGREGATE_24H = "congregate_24h"


class EvvMethod(StrEnum):
    """How a visit's time and place were captured (EVV-01)."""

    MOBILE = "mobile"
    TELEPHONY = "telephony"
    MANUAL = "manual"


class RecordRequestKind(StrEnum):
    """What a patient asks of their record (SEC-09)."""

    #: The clinical record, of a home health agency (42 CFR 484.110(e)).
    CLINICAL_RECORD = "clinical_record"
    #: To look at it (California HSC 123110(a)).
    INSPECT = "inspect"
    #: To be given copies of it (California HSC 123110(b)).
    COPY = "copy"


class RecordRequestStatus(StrEnum):
    """Life of a patient's request for their record."""

    OPEN = "open"
    FULFILLED = "fulfilled"
    WITHDRAWN = "withdrawn"


class DisclosurePurpose(StrEnum):
    """Why something of a record was given out (SEC-10). The first three need no line in the accounting of 164.528."""

    TREATMENT = "treatment"
    PAYMENT = "payment"
    OPERATIONS = "operations"
    PUBLIC_HEALTH = "public_health"
    ABUSE_REPORT = "abuse_report"
    OVERSIGHT = "oversight"
    COURT = "court"
    LAW_ENFORCEMENT = "law_enforcement"
    CORONER = "coroner"
    RESEARCH = "research"
    THREAT = "threat"
    AUTHORISED = "authorised"
    OTHER = "other"


class BreachNotice(StrEnum):
    """Who is told of a breach (SEC-11)."""

    STATE = "state"
    PATIENTS = "patients"
    FEDERAL = "federal"


class WaiveReason(StrEnum):
    """Why an ordered visit is no longer owed, as the ledger counts it."""

    PRACTITIONER_SKIP = "practitioner_skip"
    MADE_UP_ELSEWHERE = "made_up_elsewhere"
    RANGE_FLOOR_MET = "range_floor_met"
    ORDER_ENDED = "order_ended"
    PATIENT_DISCHARGED = "patient_discharged"
    ON_HOLD = "on_hold"


class DeadlineStatus(StrEnum):
    """Life of a dated obligation."""

    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"
    SUPERSEDED = "superseded"


class ClosedBy(StrEnum):
    """Who closed a dated obligation: the facts, or a person whose word stands."""

    FACTS = "facts"
    PERSON = "person"


class DeadlineWaiver(StrEnum):
    """Why an obligation is waived."""

    NOT_APPLICABLE = "not_applicable"
    DONE_ELSEWHERE = "done_elsewhere"
    PATIENT_DECLINED = "patient_declined"
    PATIENT_AWAY = "patient_away"
    CARE_ENDS = "care_ends"
    PRACTITIONER_DECIDED = "practitioner_decided"
    ENTERED_IN_ERROR = "entered_in_error"
    OTHER = "other"


class RunStatus(StrEnum):
    """Life of a planning run, of a comparison and of a promise; these two end `answered`, with nothing to publish."""

    QUEUED = "queued"
    RUNNING = "running"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    FAILED = "failed"
    STALE = "stale"
    ANSWERED = "answered"


class RepairKind(StrEnum):
    """What broke a published plan."""

    ABSENCE = "absence"
    CANCELLED = "cancelled"
    URGENT = "urgent"
    OVERRUN = "overrun"
    HOSPITAL = "hospital"


class RepairDeed(StrEnum):
    """What a repair does with one visit."""

    MOVED = "moved"
    ADDED = "added"
    #: It has no place any more and is wanted again.
    REMOVED = "removed"
    CANCELLED = "cancelled"
    #: Its patient is in hospital.
    RESTS = "rests"
    #: It had no place and has none: it is wanted still.
    OPEN = "open"
    #: It is pinned, or beyond the days that are planned: a person decides.
    DECIDE = "decide"


class RepairStatus(StrEnum):
    """Life of a repair."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class EncounterModality(StrEnum):
    """How a face-to-face encounter took place (F2F-01); audio and video together count, audio alone does not."""

    IN_PERSON = "in_person"
    TELEHEALTH = "telehealth"


class CertificationStatus(StrEnum):
    """Life of a certification statement (CERT-01, CERT-02)."""

    DRAFT = "draft"
    SENT_FOR_SIGNATURE = "sent_for_signature"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"
    #: Signed by mistake: another takes its place.
    SUPERSEDED = "superseded"


class AbsencePurpose(StrEnum):
    """Why a patient left the home (HB-02); the first two never speak against homebound status."""

    HEALTH_CARE = "HEALTH_CARE"
    RELIGIOUS = "RELIGIOUS"
    OTHER = "OTHER"


class AssessmentKind(StrEnum):
    """The event that a comprehensive assessment belongs to: the reasons for assessment of OASIS (ASM-01)."""

    START_OF_CARE = "start_of_care"
    RESUMPTION = "resumption"
    RECERTIFICATION = "recertification"
    FOLLOW_UP = "follow_up"
    TRANSFER = "transfer"
    DEATH = "death"
    DISCHARGE = "discharge"


class DischargeStatus(StrEnum):
    """Life of a discharge."""

    PLANNED = "planned"
    FINAL = "final"
    WITHDRAWN = "withdrawn"


class NoticeKind(StrEnum):
    """Written notices of coverage (DIS-04)."""

    #: Notice of Medicare Non-Coverage: covered services end.
    NOMNC = "NOMNC"
    #: Home Health Change of Care Notice: services are reduced or ended.
    HHCCN = "HHCCN"
