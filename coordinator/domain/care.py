"""The closed lists of the care team's work: instruments, conferences, and documents for when one cannot speak.

Each enum's value is what is stored and what the API speaks. Sources are sections 12 to 14 of the rule book.
"""

from enum import StrEnum

from coordinator.domain.vocabulary import Performer


class InstrumentCode(StrEnum):
    """An instrument whose structure ships in `config/instruments.toml` (rule book, section 13)."""

    ESAS_R = "ESAS-r"
    PPS = "PPSv2"
    PHQ_2 = "PHQ-2"
    PHQ_9 = "PHQ-9"
    ZBI_12 = "ZBI-12"
    FICA = "FICA"
    KPS = "KPS"
    HOME_SAFETY = "HOME-SAFETY"
    FALLS = "FALLS"
    CAREGIVER_CHECK = "CAREGIVER-CHECK"
    #: Of body, mind, feelings, psyche and spirit, as the San Francisco page names them (S1-P5).
    SUFFERING = "SUFFERING"


class Respondent(StrEnum):
    """Whose answers they are."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"
    PROXY = "proxy"
    CLINICIAN = "clinician"


class ContactMode(StrEnum):
    """How the answers were taken."""

    HOME = "home"
    PHONE = "phone"
    VIDEO = "video"


class AssessmentStatus(StrEnum):
    """Life of a set of answers: it is never changed; what was wrong is marked so, with a reason."""

    FINAL = "final"
    ENTERED_IN_ERROR = "entered_in_error"


class ProposalStatus(StrEnum):
    """Life of a visit that a score proposes."""

    #: An order has an as-needed visit left: a nurse accepts or declines.
    PROPOSED = "proposed"
    #: No order has one left: the physician is asked for an order.
    ASKED = "asked"
    ACCEPTED = "accepted"
    #: The physician gave an order that schedules the visit itself.
    ORDERED = "ordered"
    DECLINED = "declined"
    #: The answers were entered in error.
    WITHDRAWN = "withdrawn"


class SafetyStep(StrEnum):
    """A step of the safety protocol after an answer about self-harm."""

    STAYED_WITH_PATIENT = "stayed_with_patient"
    ASKED_ABOUT_RISK = "asked_about_risk"
    MEANS_REMOVED = "means_removed"
    PRACTITIONER_TOLD = "practitioner_told"
    CRISIS_LINE_OFFERED = "crisis_line_offered"
    SAFETY_PLAN_MADE = "safety_plan_made"
    FAMILY_TOLD = "family_told"


class SafetyOutcome(StrEnum):
    """How a safety protocol ended; without one of these it is not closed."""

    NO_PRESENT_RISK = "no_present_risk"
    SAFETY_PLAN_AGREED = "safety_plan_agreed"
    PRACTITIONER_TAKES_OVER = "practitioner_takes_over"
    EMERGENCY_SERVICES = "emergency_services"
    TAKEN_TO_HOSPITAL = "taken_to_hospital"
    ENTERED_IN_ERROR = "entered_in_error"


class Direction(StrEnum):
    """Which way a score went, as the patient feels it."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


class Measure(StrEnum):
    """What is measured at home and has limits of the patient's own (VIS-02)."""

    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    PULSE = "pulse"
    SPO2 = "spo2"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    #: Any symptom of an ESAS-r: the limit is one of 0 to 10.
    SYMPTOM = "symptom"


class TeamRole(StrEnum):
    """As what somebody sits in the team conference (IDT-01)."""

    PHYSICIAN = "physician"
    NURSE = "nurse"
    SOCIAL_WORKER = "social_worker"
    CHAPLAIN = "chaplain"
    THERAPY = "therapy"
    AIDE = "aide"
    PHARMACIST = "pharmacist"
    VOLUNTEER = "volunteer"
    PATIENT = "patient"
    FAMILY = "family"
    OUTSIDE = "outside"


#: Which seat a profession takes.
SEAT_OF: dict[Performer, TeamRole] = {
    Performer.MD: TeamRole.PHYSICIAN,
    Performer.NP: TeamRole.PHYSICIAN,
    Performer.RN: TeamRole.NURSE,
    Performer.LVN: TeamRole.NURSE,
    Performer.MSW: TeamRole.SOCIAL_WORKER,
    Performer.CHAPLAIN: TeamRole.CHAPLAIN,
    Performer.PT: TeamRole.THERAPY,
    Performer.PTA: TeamRole.THERAPY,
    Performer.OT: TeamRole.THERAPY,
    Performer.COTA: TeamRole.THERAPY,
    Performer.SLP: TeamRole.THERAPY,
    Performer.CHHA: TeamRole.AIDE,
}


class Presence(StrEnum):
    """Whether a seat was taken: by the person, or by somebody who speaks for that role."""

    PRESENT = "present"
    REPRESENTED = "represented"
    ABSENT = "absent"


class ConferenceStatus(StrEnum):
    """Life of a team conference about one patient; a closed one is not changed."""

    OPEN = "open"
    CLOSED = "closed"


class DecisionKind(StrEnum):
    """What a decision of the team becomes."""

    ORDER = "order"
    TASK = "task"
    DEADLINE = "deadline"


class CareDomain(StrEnum):
    """The eight domains of a palliative plan (IDT-03; National Consensus Project, 4th edition)."""

    STRUCTURE = "structure"
    PHYSICAL = "physical"
    PSYCHOLOGICAL = "psychological"
    SOCIAL = "social"
    SPIRITUAL = "spiritual"
    CULTURAL = "cultural"
    END_OF_LIFE = "end_of_life"
    ETHICAL_LEGAL = "ethical_legal"


class DirectiveKind(StrEnum):
    """A document that speaks for the patient (ACP-01)."""

    POLST = "polst"
    AHCD = "ahcd"
    PREHOSPITAL_DNR = "prehospital_dnr"
    MENTAL_HEALTH = "mental_health_directive"
    CONSERVATORSHIP = "conservatorship"


class DirectiveStatus(StrEnum):
    """Life of such a document; `valid` and `invalid` are what the rule answers, never what somebody types."""

    DISCUSSED = "discussed"
    IN_PROGRESS = "in_progress"
    VALID = "valid"
    INVALID = "invalid"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class DirectiveSigner(StrEnum):
    """Who signed for the patient's side."""

    PATIENT = "patient"
    DECISION_MAKER = "decision_maker"
    #: Another adult, in the patient's presence and at the patient's direction (AHCD).
    AT_DIRECTION = "at_direction"


class Resuscitation(StrEnum):
    """What a document says about resuscitation."""

    ATTEMPT = "attempt"
    DO_NOT_ATTEMPT = "do_not_attempt"
    UNSTATED = "unstated"


class CodeStatus(StrEnum):
    """What is to be done if the heart stops, as documents in force say it; in dispute, the most recent one controls."""

    NOT_RECORDED = "not_recorded"
    FULL_CODE = "full_code"
    DNR = "dnr"
    FULL_CODE_DISPUTED = "full_code_disputed"
    DNR_DISPUTED = "dnr_disputed"


#: How a roster says it.
CODE_STATUS_WORDS: dict[CodeStatus, str] = {
    CodeStatus.NOT_RECORDED: "Code status not recorded",
    CodeStatus.FULL_CODE: "Full code",
    CodeStatus.DNR: "DNR: do not attempt resuscitation",
    CodeStatus.FULL_CODE_DISPUTED: "Full code by the most recent document; documents differ",
    CodeStatus.DNR_DISPUTED: "DNR by the most recent document; documents differ",
}


class WitnessBar(StrEnum):
    """What keeps somebody from witnessing a directive (Probate Code 4674(c), (d))."""

    PROVIDER = "provider"
    PROVIDER_EMPLOYEE = "provider_employee"
    FACILITY_OPERATOR = "facility_operator"
    FACILITY_EMPLOYEE = "facility_employee"
    AGENT = "agent"
