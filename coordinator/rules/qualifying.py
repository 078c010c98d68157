"""Which services make a patient eligible for home health, and which only accompany them (QUAL-01, QUAL-02)."""

from datetime import date

from coordinator.domain.vocabulary import DEPENDENT, QUALIFYING, Discipline, MswPurpose, Payer, Programme, VisitKind
from coordinator.rules.case import is_medicare
from coordinator.rules.facts import QualifyingFacts, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "qualifying"

#: Why a dependent visit after the last skilled one is covered nevertheless.
EXCEPTIONS = frozenset({"INPATIENT", "DEATH", "UNANTICIPATED"})


@rule(
    "QUAL-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.42(c), 409.45(a)",
    verification="V",
    sentence="Nursing, physical or speech therapy is needed, or occupational therapy that continues after one of them.",
    sentence_zh="病人須需要護理、物理治療或言語治療，或在其中一項之後繼續的職業治療。",
    settings=("payers.medicare",),
    asked_on=("visit", "afterwards"),
)
def ask_qualifying_service(
    disciplines: frozenset[Discipline],
    programme: Programme,
    payer: Payer,
    policy: Policy,
    *,
    ot_continuing: bool = False,
    venipuncture_only: bool = False,
    day: date | None = None,
) -> Finding | None:
    """Whether the ordered disciplines establish, or keep, eligibility. A refusal for Medicare, elsewhere a warning.

    `ot_continuing`: another discipline established eligibility in this or the previous certification period. `day`: on
    which it is asked; the rules of today if `None`.
    """
    if not policy.profile(programme, day).skilled_need_required:
        return None
    establishing = QUALIFYING - {Discipline.SN} if venipuncture_only else QUALIFYING
    if disciplines & establishing or (ot_continuing and Discipline.OT in disciplines):
        return None
    return found(
        "QUAL-01",
        "No ordered service makes the patient eligible for home health: {disciplines}.",
        cure="A physician orders nursing, physical therapy or speech therapy if it is needed.",
        severity=Severity.BLOCK if is_medicare(programme, payer, policy, day) else Severity.WARN,
        disciplines=", ".join(sorted(disciplines)) or "none",
    )


def is_dependent(discipline: Discipline, qualifying: QualifyingFacts) -> bool:
    """Aide and social work always, occupational therapy until it continues on its own."""
    return discipline in DEPENDENT or (discipline is Discipline.OT and not qualifying.ot_continuing)


@rule(
    "QUAL-02",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 CFR 409.45(a)",
    verification="V",
    sentence="Dependent services end no later than the last qualifying skilled visit.",
    sentence_zh="附屬服務不得晚於最後一次符合資格的專業探訪。",
    asked_on=("promise", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def ask_dependent(case: VisitCase, policy: Policy) -> Finding | None:
    """A dependent visit after the last planned or ordered skilled visit is refused unless the manager decides."""
    qualifying, visit = case.qualifying, case.visit
    if (
        qualifying is None
        or not is_dependent(visit.discipline, qualifying)
        or not policy.profile(case.episode.programme, visit.day).skilled_need_required
        or (qualifying.last_on is not None and visit.day <= qualifying.last_on)
    ):
        return None
    return found(
        "QUAL-02",
        "No skilled visit is planned on or after {day}: the last is on {last}."
        if qualifying.last_on
        else "No skilled visit is planned or ordered; {discipline} depends on one.",
        cure="Move the visit to {last} or before, or a physician orders skilled visits beyond {day}."
        if qualifying.last_on
        else "A physician orders nursing or therapy if it is needed.",
        discipline=visit.discipline,
        day=visit.day,
        last=qualifying.last_on,
    )


@also("QUAL-02")
def ask_dependent_done(done_on: date, last_qualifying_on: date | None, exception: str = "") -> Finding | None:
    """A dependent visit made after the last skilled one is not billed without a coded exception."""
    if (last_qualifying_on is not None and done_on <= last_qualifying_on) or exception in EXCEPTIONS:
        return None
    return found(
        "QUAL-02",
        "The visit of {done_on} came after the last skilled visit.",
        cure="The clinical manager records why: {exceptions}.",
        severity=Severity.HOLD_BILL,
        done_on=done_on,
        exceptions=", ".join(sorted(EXCEPTIONS)),
    )


@rule(
    "QUAL-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.45(c)",
    verification="K",
    sentence="A social worker visits on an order, and for a purpose that needs one.",
    sentence_zh="社工依醫囑探訪，且探訪目的須屬社工專業。",
    asked_on=("promise", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def ask_social_work(case: VisitCase) -> Finding | None:
    """No social worker's visit without an order; one without a purpose in a code is flagged, and held when made."""
    visit = case.visit
    if visit.discipline is not Discipline.MSW or visit.kind is VisitKind.SUPERVISION:
        return None
    if case.order is None:
        return found(
            "QUAL-03",
            "There is no order for social work.",
            cure="A physician orders social work, and the social worker names the purpose: {purposes}.",
            purposes=_PURPOSES,
        )
    if visit.purpose in _KNOWN:
        return None
    return found(
        "QUAL-03",
        "The visit names no purpose that needs a social worker.",
        cure="The social worker or the office names one: {purposes}.",
        severity=Severity.WARN,
        purposes=_PURPOSES,
    )


@also("QUAL-03")
def ask_social_work_done(purpose: str) -> Finding | None:
    """A social worker's visit without a purpose is not billed."""
    if purpose in _KNOWN:
        return None
    return found(
        "QUAL-03",
        "The visit was made for no purpose that needs a social worker.",
        cure="The social worker or the office names one: {purposes}.",
        severity=Severity.HOLD_BILL,
        purposes=_PURPOSES,
    )


_KNOWN = frozenset(purpose.value for purpose in MswPurpose)
_PURPOSES = ", ".join(sorted(_KNOWN))
