"""The words of a care team: posts that one person holds, who is covered for what, and who takes part from outside."""

from enum import StrEnum

from coordinator.domain.vocabulary import Discipline


class TeamPost(StrEnum):
    """What one person holds for a patient, besides the primaries of the disciplines."""

    #: Under whose direction all care is given (ELG-8); without one no episode is opened.
    MANAGING_PHYSICIAN = "managing_physician"
    #: Who holds the threads together: a nurse or somebody of the office.
    COORDINATOR = "coordinator"


class CareRole(StrEnum):
    """As whom somebody of a patient's team is addressed; who that is on a day says `teams.holders`."""

    MANAGING_PHYSICIAN = "managing_physician"
    COORDINATOR = "coordinator"
    PRIMARY_NURSE = "primary_nurse"
    PHYSICAL_THERAPIST = "physical_therapist"
    OCCUPATIONAL_THERAPIST = "occupational_therapist"
    SPEECH_THERAPIST = "speech_therapist"
    SOCIAL_WORKER = "social_worker"
    AIDE = "aide"
    CHAPLAIN = "chaplain"


#: Which discipline's primary answers to a role; roles that are not here are posts.
PRIMARY_OF: dict[CareRole, Discipline] = {
    CareRole.PRIMARY_NURSE: Discipline.SN,
    CareRole.PHYSICAL_THERAPIST: Discipline.PT,
    CareRole.OCCUPATIONAL_THERAPIST: Discipline.OT,
    CareRole.SPEECH_THERAPIST: Discipline.SLP,
    CareRole.SOCIAL_WORKER: Discipline.MSW,
    CareRole.AIDE: Discipline.HHA,
    CareRole.CHAPLAIN: Discipline.CHAP,
}


class CoverRole(StrEnum):
    """For what somebody stands in."""

    MANAGING_PHYSICIAN = "managing_physician"
    COORDINATOR = "coordinator"
    #: A clinician's patients of whom they are the primary.
    PRIMARY = "primary"


class CoverReason(StrEnum):
    """Why somebody is covered."""

    TIME_OFF = "time-off"
    SICK = "sick"
    TRAINING = "training"
    CASELOAD = "caseload"
    OTHER = "other"


class OutsideKind(StrEnum):
    """What somebody outside the agency is to the patient's care."""

    PHYSICIAN = "physician"
    OUTPATIENT_CLINIC = "outpatient_clinic"
    COMMUNITY_CLINIC = "community_clinic"
    AGENCY = "agency"
    FAITH = "faith"
    OTHER_PROFESSIONAL = "other_professional"


class ConsentGiver(StrEnum):
    """Who agreed that something may be shared."""

    PATIENT = "patient"
    #: Who decides for a patient who cannot: an agent, a conservator, a parent of a minor.
    REPRESENTATIVE = "representative"


class SharedContent(StrEnum):
    """What may be shared with somebody outside."""

    SCHEDULE = "schedule"
    CONTACT = "contact"
    CARE_PLAN = "care_plan"
    ORDERS = "orders"
    SCORES = "scores"
    VISIT_SUMMARIES = "visit_summaries"
    ADVANCE_CARE = "advance_care"
    SPIRITUAL_CARE = "spiritual_care"
