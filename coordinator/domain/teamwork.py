"""The closed lists of what the care team asks of each other: tasks, whose list they are on, and how they end.

Each enum's value is what is stored and what the API speaks; their words are in `teamwork/words.py`.
"""

from collections.abc import Iterable
from enum import StrEnum

from coordinator.domain.vocabulary import Performer, Role


class Desk(StrEnum):
    """Whose list something is on when it is nobody's in person: a role of the office, or a profession of the team."""

    SCHEDULER = "scheduler"
    INTAKE = "intake"
    CLINICAL_MANAGER = "clinical_manager"
    ADMINISTRATOR = "administrator"
    PHYSICIAN = "physician"
    NURSE = "nurse"
    THERAPIST = "therapist"
    SOCIAL_WORKER = "social_worker"
    CHAPLAIN = "chaplain"
    AIDE = "aide"


#: Which desk a profession sits at.
DESK_OF: dict[Performer, Desk] = {
    Performer.RN: Desk.NURSE,
    Performer.LVN: Desk.NURSE,
    Performer.PT: Desk.THERAPIST,
    Performer.PTA: Desk.THERAPIST,
    Performer.OT: Desk.THERAPIST,
    Performer.COTA: Desk.THERAPIST,
    Performer.SLP: Desk.THERAPIST,
    Performer.MSW: Desk.SOCIAL_WORKER,
    Performer.CHAPLAIN: Desk.CHAPLAIN,
    Performer.CHHA: Desk.AIDE,
    Performer.MD: Desk.PHYSICIAN,
    Performer.NP: Desk.PHYSICIAN,
}
_OFFICE = {
    Role.SCHEDULER: Desk.SCHEDULER,
    Role.INTAKE: Desk.INTAKE,
    Role.CLINICAL_MANAGER: Desk.CLINICAL_MANAGER,
    Role.ADMINISTRATOR: Desk.ADMINISTRATOR,
    Role.PHYSICIAN: Desk.PHYSICIAN,
}


def desks_of(roles: Iterable[str], performer: str | None) -> frozenset[Desk]:
    """The desks at which somebody with these roles and this profession sits."""
    held = frozenset(Role(role) for role in roles)
    desks = {desk for role, desk in _OFFICE.items() if role in held}
    if performer is not None and Role.CLINICIAN in held:
        desks.add(DESK_OF[Performer(performer)])
    return frozenset(desks)


def next_desk(desk: Desk | None) -> Desk | None:
    """Who hears of what `desk` left lying; None after the last. What is a person's alone goes to the manager."""
    if desk is Desk.ADMINISTRATOR:
        return None
    return Desk.ADMINISTRATOR if desk is Desk.CLINICAL_MANAGER else Desk.CLINICAL_MANAGER


class TaskKind(StrEnum):
    """What is to be done."""

    # symptoms, scores and what they ask for
    FOLLOW_UP_SYMPTOM = "follow-up-symptom"
    SCORE_AGAIN = "score-again"
    PROPOSE_VISIT = "propose-visit"
    ASK_FOR_ORDER = "ask-for-order"
    INFORM_PHYSICIAN = "inform-physician"
    REVIEW_DECLINE = "review-decline"
    SAFETY_PROTOCOL = "safety-protocol"
    FOLLOW_UP_MOOD = "follow-up-mood"
    SUPPORT_CAREGIVER = "support-caregiver"
    OFFER_SPIRITUAL_CARE = "offer-spiritual-care"
    # orders and the plan
    ANSWER_QUESTION = "answer-question"
    DRAFT_ORDER = "draft-order"
    CHANGE_PLAN = "change-plan"
    # handoffs and the team
    WRITE_HANDOFF = "write-handoff"
    READ_HANDOFF = "read-handoff"
    ARRANGE_COVER = "arrange-cover"
    CARRY_OUT_DECISION = "carry-out-decision"
    REVIEW_DIRECTIVES = "review-directives"
    # patient, family, community
    ANSWER_REQUEST = "answer-request"
    TELL_FAMILY = "tell-family"
    TEACH_AGAIN = "teach-again"
    CALL_PATIENT = "call-patient"
    CALL_PRACTITIONER = "call-practitioner"
    FIND_RESOURCE = "find-resource"
    FOLLOW_UP_RESOURCE = "follow-up-resource"
    CHECK_RESOURCE = "check-resource"
    OBTAIN_SUPPLIES = "obtain-supplies"
    # the product itself
    REACH_OTHERWISE = "reach-otherwise"
    OTHER = "other"


#: Tasks whose very kind tells how a patient or caregiver answered: for those alone who may read answers (SEC-08).
TELLS_ANSWERS = frozenset(
    {
        TaskKind.SAFETY_PROTOCOL, TaskKind.FOLLOW_UP_MOOD, TaskKind.SUPPORT_CAREGIVER, TaskKind.OFFER_SPIRITUAL_CARE,
    }
)  # fmt: skip


class TaskSource(StrEnum):
    """What asked for a task."""

    RULE = "rule"
    SCORE = "score"
    ORDER = "order"
    HANDOFF = "handoff"
    CONFERENCE = "conference"
    REQUEST = "request"
    PERSON = "person"
    SYSTEM = "system"


class TaskPriority(StrEnum):
    """How soon somebody must look at a task; its day or instant is said besides."""

    ROUTINE = "routine"
    URGENT = "urgent"
    AT_ONCE = "at_once"


class TaskStatus(StrEnum):
    """Life of a task. One that is declined is open again, on another list."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DONE = "done"
    CANCELLED = "cancelled"


#: Tasks that somebody still has to do.
LIVE_TASK = frozenset({TaskStatus.OPEN, TaskStatus.ACCEPTED})


class TaskDecline(StrEnum):
    """Why somebody does not take a task."""

    NOT_MY_PATIENT = "not_my_patient"
    NOT_MY_WORK = "not_my_work"
    NO_TIME = "no_time"
    AWAY = "away"
    NEEDS_ORDER = "needs_order"
    NEEDS_DISCUSSION = "needs_discussion"
    OTHER = "other"


class TaskOutcome(StrEnum):
    """What came of a task."""

    DONE = "done"
    DONE_IN_PART = "done_in_part"
    REFERRED_ON = "referred_on"
    PATIENT_DECLINED = "patient_declined"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"


class TaskCancel(StrEnum):
    """Why nobody has to do a task any more."""

    ASKED_IN_ERROR = "asked_in_error"
    DUPLICATE = "duplicate"
    NO_LONGER_NEEDED = "no_longer_needed"
    CARE_ENDED = "care_ended"


class TaskDeed(StrEnum):
    """What happened to a task, as its history says."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REASSIGNED = "reassigned"
    ESCALATED = "escalated"
    DONE = "done"
    CANCELLED = "cancelled"


class NoteKind(StrEnum):
    """What a note of the team records; each has parts of its own (`teamwork/parts.py`)."""

    MESSAGE = "message"
    VISIT_SUMMARY = "visit_summary"
    PHONE_CALL = "phone_call"
    #: Situation, background, assessment, recommendation.
    SBAR = "sbar"
    TEACHING = "teaching"
    COUNSELLING = "counselling"
    #: With physicians, clinics and others outside the agency.
    COORDINATION = "coordination"


#: Kinds whose text is for the author, social work, the clinical manager and physicians alone (SEC-08).
RESTRICTED = frozenset({NoteKind.COUNSELLING})
#: Kinds that say something of the patient's condition: written by those who care for her.
CLINICAL_NOTES = frozenset({NoteKind.VISIT_SUMMARY, NoteKind.SBAR, NoteKind.TEACHING, NoteKind.COUNSELLING})
#: Whose desks read what is restricted, besides its author.
READS_RESTRICTED = frozenset({Desk.SOCIAL_WORKER, Desk.CLINICAL_MANAGER, Desk.PHYSICIAN})
#: Who counsels, and so writes what is restricted (QUAL-03).
COUNSELS = frozenset({Desk.SOCIAL_WORKER, Desk.CHAPLAIN, Desk.PHYSICIAN})


class CallWith(StrEnum):
    """Whom somebody spoke with."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"
    PHYSICIAN = "physician"
    CLINIC = "clinic"
    PHARMACY = "pharmacy"
    AGENCY = "agency"
    OTHER = "other"


class Learner(StrEnum):
    """Who was taught."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"
    BOTH = "both"


class TeachBack(StrEnum):
    """What the learner could say or show in their own way after teaching."""

    SHOWN = "shown"
    SHOWN_WITH_HELP = "shown_with_help"
    NOT_SHOWN = "not_shown"
    DECLINED = "declined"
    NOT_ASKED = "not_asked"


class Independence(StrEnum):
    """How far the learner does it alone now."""

    INDEPENDENT = "independent"
    NEEDS_REMINDERS = "needs_reminders"
    NEEDS_HELP = "needs_help"
    CANNOT_YET = "cannot_yet"


class CounsellingTopic(StrEnum):
    """What counselling was about."""

    ILLNESS_IMPACT = "illness_impact"
    LONG_TERM_CARE = "long_term_care"
    GRIEF = "grief"
    FAMILY = "family"
    OTHER = "other"


class Retraction(StrEnum):
    """Why a note is taken back; its text stays for its author and the clinical manager."""

    ENTERED_IN_ERROR = "entered_in_error"
    WRONG_PATIENT = "wrong_patient"
    DUPLICATE = "duplicate"
