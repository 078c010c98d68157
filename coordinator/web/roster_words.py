"""What the roster calls things that the record keeps as codes: in the reader's language."""

from babel import Locale
from flask_babel import gettext

from coordinator.core.i18n import LOCALES, language
from coordinator.domain.care import CodeStatus
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.teamwork import TaskKind
from coordinator.domain.vocabulary import Discipline, MissedReason, MswPurpose, RepairKind, VisitKind, VisitStatus
from coordinator.teamwork.words import TASKS

#: Marks words for the catalogue; they are spoken by `said`.
_ = str

#: State of a visit -> its word and the shape of its chip.
STATES: dict[VisitStatus, tuple[str, str]] = {
    VisitStatus.BOOKED: (_("planned"), "plain"),
    VisitStatus.EN_ROUTE: (_("on the way"), "wait"),
    VisitStatus.ARRIVED: (_("at the door"), "wait"),
    VisitStatus.IN_PROGRESS: (_("in the home"), "wait"),
    VisitStatus.COMPLETED: (_("finished, note to sign"), "wait"),
    VisitStatus.NOTE_SIGNED: (_("done, note signed"), "done"),
    VisitStatus.VERIFIED: (_("done"), "done"),
}
DISCIPLINES: dict[Discipline, str] = {
    Discipline.SN: _("Nursing"), Discipline.PT: _("Physical therapy"), Discipline.OT: _("Occupational therapy"),
    Discipline.SLP: _("Speech therapy"), Discipline.MSW: _("Social work"), Discipline.HHA: _("Aide"),
    Discipline.CHAP: _("Chaplain"), Discipline.MDV: _("Physician's visit"),
}  # fmt: skip
KINDS: dict[VisitKind, str] = {
    VisitKind.INITIAL: _("first visit"), VisitKind.EVALUATION: _("evaluation"),
    VisitKind.REASSESSMENT: _("reassessment"), VisitKind.RECERTIFICATION: _("recertification"),
    VisitKind.RESUMPTION: _("resumption of care"), VisitKind.DISCHARGE: _("discharge"),
    VisitKind.SUPERVISION: _("supervision"), VisitKind.PRN: _("as needed"), VisitKind.TEACHING: _("teaching"),
}  # fmt: skip
CODES: dict[CodeStatus, str] = {
    CodeStatus.NOT_RECORDED: _("Code status not recorded"), CodeStatus.FULL_CODE: _("Full code"),
    CodeStatus.DNR: _("DNR: do not attempt resuscitation"),
    CodeStatus.FULL_CODE_DISPUTED: _("Full code by the latest document; documents differ"),
    CodeStatus.DNR_DISPUTED: _("DNR by the latest document; documents differ"),
}  # fmt: skip
#: Reasons for a missed visit, in the order in which they are met at doors.
MISSED: dict[MissedReason, str] = {
    MissedReason.NOT_HOME_NOT_FOUND: _("Nobody answered, or not at home"),
    MissedReason.PATIENT_REFUSED: _("The patient refused the visit"),
    MissedReason.PATIENT_CANCELLED: _("The patient cancelled"),
    MissedReason.FAMILY_REQUEST: _("The family asked"),
    MissedReason.MD_APPOINTMENT: _("At a doctor's appointment"),
    MissedReason.INPATIENT_ER: _("In hospital or emergency"),
    MissedReason.UNSAFE_CONDITIONS: _("Not safe to go in"),
    MissedReason.WEATHER_DISASTER: _("Weather or disaster"),
    MissedReason.STAFF_ILLNESS: _("I am ill"),
    MissedReason.NO_STAFF_AVAILABLE: _("Nobody available"),
    MissedReason.INTERPRETER_UNAVAILABLE: _("No interpreter"),
    MissedReason.AGENCY_ERROR: _("An error of the agency"),
    MissedReason.DECEASED: _("The patient has died"),
}
OVER_HANDOFF: dict[StartOverHandoff, str] = {
    StartOverHandoff.TOLD_IN_PERSON: _("I was told in person"),
    StartOverHandoff.NOT_FINISHED: _("The card is not finished"),
    StartOverHandoff.OUT_OF_REACH: _("I could not reach the card"),
    StartOverHandoff.EMERGENCY: _("It is an emergency"),
}
PURPOSES: dict[MswPurpose, str] = {
    MswPurpose.RESOURCE_LINKAGE: _("Linking to resources"), MswPurpose.COUNSELING: _("Counselling"),
    MswPurpose.ACP: _("Advance care planning"), MswPurpose.CAREGIVER_SUPPORT: _("Support of the caregiver"),
}  # fmt: skip
HAZARDS: dict[str, str] = {
    "AGGRESSIVE_DOG": _("Aggressive dog"), "VIOLENCE": _("Violence in the home"), "WEAPONS": _("Weapons"),
    "SMOKING": _("Smoking"), "OXYGEN": _("Oxygen in use"), "PESTS": _("Pests"), "STAIRS": _("Many stairs"),
}  # fmt: skip
WITH_IT: dict[str, str] = {
    "supervision": _("supervision due"), "reassessment": _("reassessment due"),
    "recertification": _("recertification due"),
}  # fmt: skip
#: A change of the roster -> its sentence; `day` is filled in.
CHANGES: dict[str, str] = {
    "visit.given": _("A visit on %(day)s is yours now"),
    "visit.moved": _("A visit was moved; it is on %(day)s now"),
    "visit.taken": _("A visit on %(day)s is no longer yours"),
    "visit.cancelled": _("A visit on %(day)s was cancelled"),
    "roster.published": _("Your roster was published"),
    "roster.repaired": _("Your roster was changed by a repair"),
}
#: What made a repair necessary.
WHY: dict[RepairKind, str] = {
    RepairKind.ABSENCE: _("a colleague is absent"), RepairKind.CANCELLED: _("a visit was cancelled"),
    RepairKind.URGENT: _("an urgent visit came in"), RepairKind.OVERRUN: _("a visit took longer"),
    RepairKind.HOSPITAL: _("a patient is in hospital"),
}  # fmt: skip
#: Refusals by their codes, in words for somebody at a door.
REFUSALS: dict[str, str] = {
    "handoff-unread": _("Somebody else came last, and their handoff card is unread."),
    "handoff-not-finished": _("Nobody has finished this card yet. Ask who was there last."),
    "already-started": _("This visit has begun at another time already."),
    "already-finished": _("This visit has ended at another time already."),
    "not-started": _("The visit has not begun. Start it first."),
    "visit-not-due": _("It is too early for this reason. If you are at the door already, tap On my way first."),
    "too-early": _("The visit may not be made before its first day. Ring the office."),
    "not-the-booked-day": _("The visit is booked for another day. The office moves it first."),
    "not-found": _("This visit is no longer yours. Ring the office if you are there."),
    "stale-version": _("It was changed since you read it. Look at it again, and repeat what you did."),
}
INSTRUMENT_ITEMS: dict[str, str] = {
    "Pain": _("Pain"), "Tiredness": _("Tiredness"), "Drowsiness": _("Drowsiness"), "Nausea": _("Nausea"),
    "Lack of appetite": _("Lack of appetite"), "Shortness of breath": _("Shortness of breath"),
    "Depression": _("Depression"), "Anxiety": _("Anxiety"), "Wellbeing": _("Wellbeing"), "Other": _("Other"),
    "Which other": _("Which other"), "PPS level": _("PPS level"),
}  # fmt: skip


def said(words: str, **facts: object) -> str:
    """A marked word in the reader's language."""
    return str(gettext(words, **facts))


def item_label(label: str) -> str:
    """What an item of an instrument rates: ours is translated, an agency's own wording stands as it is."""
    return gettext(INSTRUMENT_ITEMS[label]) if label in INSTRUMENT_ITEMS else label


def language_name(tag: str) -> str:
    """How the reader calls a language; its tag where it has no name."""
    names = Locale.parse(LOCALES[language()]).languages
    return str(names.get(tag.replace("-", "_")) or names.get(tag.split("-")[0]) or tag)


def task_title(kind: str) -> str:
    """What somebody has to do, by its code."""
    return TASKS[TaskKind(kind)][1 if language() == "zh-Hant" else 0]


def code_status(code: str) -> str:
    """What is done if the heart stops, by its code."""
    return said(CODES[CodeStatus(code)])
