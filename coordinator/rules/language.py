"""Language, culture and family (LNG-01, LNG-02, CUL-01, CAR-01)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from coordinator.domain.language import reads
from coordinator.domain.vocabulary import Conversation, Discipline, InterpreterMode, MswPurpose, VisitKind
from coordinator.rules.facts import ClinicianFacts, LocalWindow, Moment, VisitCase, VisitFacts
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "language"


def speaks(clinician: ClinicianFacts, language: str, day: date) -> bool:
    """Whether the clinician was found qualified in exactly this language and still is on `day`.

    Cantonese (`yue`) and Mandarin (`cmn`) share a script and are different languages.
    """
    return any(
        skill.code.lower() == language.lower()
        and skill.qualified_on is not None
        and skill.qualified_on <= day
        and (skill.expires_on is None or day <= skill.expires_on)
        for skill in clinician.languages
    )


@rule(
    "LNG-01",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="45 CFR 92.201; 42 USC 18116; 42 CFR 484.50(f)",
    verification="V",
    sentence="A patient who needs an interpreter has a qualified clinician or an interpreter; never a minor.",
    sentence_zh="需要口譯的病人，須有合資格的同語言人員或口譯員；絕不可由未成年人口譯。",
    settings=(
        "language.interpreter_required_kinds",
        "language.interpreter_required_conversations",
        "language.adult_age",
        "language.document_days",
    ),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "clock", "question"),
)
def ask_understood(case: VisitCase, moment: Moment, policy: Policy) -> Finding | None:
    """Whether patient and clinician will understand each other, by a qualified clinician or a booked interpreter."""
    policy = policy.on(case.visit.day)
    patient, visit, clinician = case.patient, case.visit, case.clinician
    if not patient.interpreter_needed or patient.interpreter_declined:
        return None
    if clinician is not None and patient.spoken_language and speaks(clinician, patient.spoken_language, visit.day):
        return None
    booked = visit.interpreter
    language = patient.spoken_language or "the patient's language"
    if booked.companion:
        if booked.companion_age is None or booked.companion_age < policy.language.adult_age:
            if booked.emergency:
                return None
            return found(
                "LNG-01",
                "A minor, or somebody of unknown age, may not interpret.",
                cure="The scheduler books a qualified interpreter for {language}.",
                severity=Severity.BLOCK,
                language=language,
                facts={"companion_age": booked.companion_age},
            )
        if booked.companion_requested or booked.emergency:
            return None
    elif booked.mode is not None and booked.mode is not InterpreterMode.BILINGUAL_CLINICIAN:
        return None
    conversations = policy.language.interpreter_required_conversations
    on_words = (
        visit.kind in policy.language.interpreter_required_kinds
        or visit.conversation in conversations
        or (visit.purpose == MswPurpose.ACP and Conversation.ADVANCE_CARE_PLANNING in conversations)
    )
    strict = on_words and moment is not Moment.HOLD
    return found(
        "LNG-01",
        "No interpreter for {language} is booked and the clinician is not qualified in it.",
        cure="The scheduler books an interpreter for {language}, or assigns a clinician qualified in it.",
        severity=Severity.BLOCK_OVR if strict else Severity.WARN,
        language=language,
        kind=visit.kind,
    )


@also("LNG-01")
def ask_document(given_in: str, written_language: str, given_on: date, policy: Policy) -> Finding | None:
    """The task that a document makes which the patient cannot read: it is given again in the language they read."""
    if reads(written_language, given_in):
        return None
    due = given_on + timedelta(days=policy.on(given_on).language.document_days)
    return found(
        "LNG-01",
        "What the patient was given on {given_on} is in {given_in}; the patient reads {reads}.",
        cure="Have it translated, and give it again by {due_on}.",
        severity=Severity.TASK,
        due=due,
        owner="case_manager",
        given_on=given_on,
        given_in=given_in,
        reads=written_language,
        due_on=due,
    )


# ------------------------------------------------------------------------------------ texts


@dataclass(frozen=True, slots=True)
class Localised:
    """A text as somebody reads it: the language it is in, and whether English stands in for a missing translation."""

    text: str
    language: str
    translation_missing: bool


@rule(
    "LNG-02",
    family=FAMILY,
    severity=Severity.WARN,
    citation="45 CFR 92.201; agency policy",
    verification="D",
    sentence="Where a text is missing in the reader's language, English stands in and says so, never silently.",
    sentence_zh="讀者語言的譯文缺漏時以英文代替，並明確標示，不可默默代替。",
    asked_on=("record", "care"),
)
def localised(texts: Mapping[str, str | None], language: str) -> Localised:
    """The text in the language of the reader, or in English with the missing translation marked.

    `texts`: by language tag; what is not there in English either is missing in no language.
    """
    for tag, text in texts.items():
        if text and reads(language, tag):
            return Localised(text, tag, False)
    english = texts.get("en") or ""
    return Localised(english, "en", bool(english))


# ------------------------------------------------------------------------------------ windows


def _windows_on(window: LocalWindow, day: date) -> bool:
    if window.day is not None:
        return window.day == day
    return window.weekday is None or window.weekday == day.weekday()


def overlaps(window: LocalWindow, begins: datetime, ends: datetime) -> bool:
    """Whether [begins, ends), local and without zone, meets the window on its own day or on the day before."""
    for day in (begins.date() - timedelta(days=1), begins.date(), ends.date()):
        if not _windows_on(window, day):
            continue
        first = datetime.combine(day, window.starts)
        last = datetime.combine(day if window.ends > window.starts else day + timedelta(days=1), window.ends)
        if begins < last and first < ends:
            return True
    return False


def _inside(window: LocalWindow, begins: datetime, ends: datetime) -> bool:
    for day in (begins.date() - timedelta(days=1), begins.date()):
        if not _windows_on(window, day):
            continue
        first = datetime.combine(day, window.starts)
        last = datetime.combine(day if window.ends > window.starts else day + timedelta(days=1), window.ends)
        if first <= begins and ends <= last:
            return True
    return False


def wall_clock(visit: VisitFacts) -> tuple[datetime, datetime] | None:
    """Begin and end of the visit as clocks in its zone show them; `None` while the time is open."""
    if visit.starts_at is None:
        return None
    ends_at = visit.ends_at or visit.starts_at + timedelta(minutes=visit.minutes)
    return (
        visit.starts_at.astimezone(visit.zone).replace(tzinfo=None),
        ends_at.astimezone(visit.zone).replace(tzinfo=None),
    )


def _clock(moment: time) -> str:
    return f"{moment:%H:%M}"


@rule(
    "CUL-01",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 CFR 484.50(c); programme page: respect for cultural and spiritual traditions",
    verification="P",
    sentence="Times that the patient keeps free of visits, and wishes about who gives personal care, are kept.",
    sentence_zh="尊重病人不接受探訪的時段，以及由誰提供個人照護的意願。",
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_observances(case: VisitCase) -> Finding | None:
    """A visit in a window that the patient keeps free is refused unless agreed.

    While the time of the visit is open, only a window that takes the whole day is in its way.
    """
    if not case.patient.no_visit_windows:
        return None
    times = wall_clock(case.visit)
    midnight = datetime.combine(case.visit.day, time())
    for window in case.patient.no_visit_windows:
        if window.dark:
            continue
        if overlaps(window, *times) if times else _inside(window, midnight, midnight + timedelta(days=1)):
            return found(
                "CUL-01",
                "The patient asks for no visit from {starts} to {ends}.",
                cure="Move the visit out of that time, or the patient agrees and it is recorded.",
                starts=_clock(window.starts),
                ends=_clock(window.ends),
                facts={"starts_at": case.visit.starts_at},
            )
    return None


@also("CUL-01")
def ask_wished_clinician(case: VisitCase) -> tuple[Finding, ...]:
    """A declined clinician is refused; one of another gender than wished too for personal care, else warned of."""
    clinician, patient, visit = case.clinician, case.patient, case.visit
    if clinician is None:
        return ()
    findings = []
    if clinician.declined_by_patient:
        findings.append(
            found(
                "CUL-01",
                "The patient asked not to be visited by this clinician.",
                cure="Assign somebody else, or the patient agrees and it is recorded.",
            )
        )
    wished = patient.preferred_gender
    if wished is not None and clinician.gender is not wished:
        personal = patient.gender_required or visit.personal_care or visit.discipline is Discipline.HHA
        findings.append(
            found(
                "CUL-01",
                "The patient asks for a {wished} clinician.",
                cure="Assign a {wished} clinician, or the patient agrees and it is recorded.",
                severity=Severity.BLOCK_OVR if personal else Severity.WARN,
                wished=wished,
                facts={"discipline": visit.discipline},
            )
        )
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """What the patient said about telling a caregiver; `consent` is None until asked. Days are included."""

    consent: bool | None
    first: date | None = None
    last: date | None = None


@rule(
    "CAR-01",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 CFR 484.60(d)(5); 45 CFR 164.510(b)",
    verification="K",
    sentence="A teaching visit is made when a willing caregiver is there; one is told what the patient agrees to.",
    sentence_zh="教學探訪須在願意參與的照護者在場時進行；只在病人同意的範圍內告知照護者。",
    asked_on=("care", "promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_caregiver(case: VisitCase) -> Finding | None:
    """Whether a willing caregiver is free throughout a teaching visit; a warning while nobody has asked when."""
    if case.visit.kind is not VisitKind.TEACHING:
        return None
    willing = [caregiver for caregiver in case.patient.caregivers if caregiver.willing]
    cure = "The scheduler agrees a time with the caregiver."
    if not willing:
        return found("CAR-01", "No willing caregiver is known for this teaching visit.", cure=cure)
    times = wall_clock(case.visit)
    if times is None:
        return None
    asked = [caregiver.available for caregiver in willing if caregiver.available is not None]
    if any(_inside(window, *times) for windows in asked for window in windows):
        return None
    if len(asked) < len(willing):
        return found("CAR-01", "Nobody has asked when the caregiver is at home.", cure=cure, severity=Severity.WARN)
    return found(
        "CAR-01",
        "No caregiver is at home for this teaching visit.",
        cure=cure,
        facts={"starts_at": case.visit.starts_at},
    )


@also("CAR-01")
def ask_share(facts: ShareFacts, today: date) -> Finding | None:
    """Why nothing about the patient may be said to this caregiver today (45 CFR 164.510(b)). Nobody sets it aside."""
    cure = "Ask the patient, or who decides, and record what they agree to."
    if facts.consent is None:
        return found(
            "CAR-01", "Nobody has asked whether this caregiver may be told.", cure=cure, severity=Severity.BLOCK
        )
    if not facts.consent:
        return found(
            "CAR-01", "The patient does not agree that this caregiver is told.", cure=cure, severity=Severity.BLOCK
        )
    if (facts.first is not None and today < facts.first) or (facts.last is not None and today > facts.last):
        return found(
            "CAR-01", "The patient's consent to tell this caregiver does not hold on {day}.", cure=cure,
            severity=Severity.BLOCK, day=today, facts={"from": facts.first, "until": facts.last},
        )  # fmt: skip
    return None
