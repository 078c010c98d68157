"""Who may be sent: profession, licence, skill (ASM-01, ORD-09, CRD-01, CRD-02)."""

from datetime import date, timedelta

from coordinator.domain.timeline import add_months
from coordinator.domain.vocabulary import DISCIPLINE_OF, PERFORMERS, Discipline, Performer, VisitKind
from coordinator.rules.case import is_medicare, order_name
from coordinator.rules.facts import CredentialFacts, EpisodeFacts, Moment, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "staffing"

#: Assessments after the start of care, which any of the four skilled professions may make (ASM-01).
_ASSESSMENTS = frozenset({VisitKind.RECERTIFICATION, VisitKind.RESUMPTION, VisitKind.DISCHARGE})
#: The professions that may make a comprehensive assessment after the start of care (ASM-01).
ASSESSORS = frozenset({Performer.RN, Performer.PT, Performer.SLP, Performer.OT})
#: Disciplines whose discharge or follow-up is no comprehensive assessment and is made by their own profession.
_UNASSESSED = frozenset({Discipline.MSW, Discipline.CHAP, Discipline.MDV, Discipline.HHA})


def may_open_case(performer: Performer, episode: EpisodeFacts, policy: Policy, day: date | None = None) -> bool:
    """Who may make the initial visit and start-of-care assessment (42 CFR 484.55(a)(1)-(2), (b)(2)-(3)).

    Nursing ordered: the RN. Therapy only: PT or SLP whose discipline is ordered; OT when ordered with PT or SLP, or
    alone where the payer is not Medicare. Nothing ordered that is skilled: the RN.
    """
    ordered = episode.ordered_disciplines
    if performer is Performer.RN:
        return True
    if Discipline.SN in ordered:
        return False
    if performer in (Performer.PT, Performer.SLP):
        return DISCIPLINE_OF[performer] in ordered
    if performer is Performer.OT and Discipline.OT in ordered:
        with_therapy = bool(ordered & {Discipline.PT, Discipline.SLP})
        return with_therapy or not is_medicare(episode.programme, episode.payer, policy, day)
    return False


@rule(
    "ASM-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.55(a)-(b), (d)",
    verification="V",
    sentence="Each kind of visit is made by a profession that may make it.",
    sentence_zh="每種探訪都由可以進行該種探訪的專業人員負責。",
    settings=("payers.medicare",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_performer(case: VisitCase, policy: Policy) -> Finding | None:
    """Whether the clinician's profession furnishes the discipline and may make this kind of visit."""
    clinician, visit = case.clinician, case.visit
    if clinician is None:
        return None
    performer = clinician.performer
    if visit.kind is VisitKind.INITIAL:
        if may_open_case(performer, case.episode, policy):
            return None
        return found(
            "ASM-01",
            "{performer} may not make the initial visit when {ordered} is ordered.",
            cure="Assign a registered nurse, or for therapy alone the therapist whom the rule allows.",
            performer=performer,
            ordered=", ".join(sorted(case.episode.ordered_disciplines)) or "nothing",
        )
    if visit.kind is VisitKind.SUPERVISION:
        # Who supervises is SUP-01's question.
        return None
    if performer not in PERFORMERS[visit.discipline]:
        return found(
            "ASM-01",
            "{performer} does not furnish {discipline}.",
            cure="Assign one of {allowed}.",
            performer=performer,
            discipline=visit.discipline,
            allowed=", ".join(sorted(PERFORMERS[visit.discipline])),
        )
    assessment = visit.kind in _ASSESSMENTS and visit.discipline not in _UNASSESSED and performer not in ASSESSORS
    if assessment or (visit.kind is VisitKind.EVALUATION and performer is Performer.LVN):
        return found(
            "ASM-01",
            "{performer} may not make a {kind} visit.",
            cure="Assign a registered nurse or the therapist.",
            performer=performer,
            kind=visit.kind,
        )
    return None


@rule(
    "ORD-09",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="16 CCR 1398.44(d)(1), (4)",
    verification="V",
    sentence="An assistant treats only after the therapist has evaluated and set the goals.",
    sentence_zh="治療師評估並訂立目標之後，治療助理才可治療。",
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_assistant_plan(case: VisitCase) -> Finding | None:
    """No PTA or COTA before the evaluation is complete and the goals are the therapist's."""
    clinician, order = case.clinician, case.order
    if clinician is None or clinician.performer not in (Performer.PTA, Performer.COTA):
        return None
    if order is not None and order.evaluation_complete and order.goals_set_by_therapist:
        return None
    return found(
        "ORD-09",
        "{performer} may not be assigned: the therapist has not {lacking}.",
        cure="Assign the therapist, who evaluates and sets the goals.",
        performer=clinician.performer,
        lacking="evaluated" if order is None or not order.evaluation_complete else "set the goals",
        facts={"order": None if order is None else order_name(order)},
    )


# ------------------------------------------------------------------------------------ credentials


@rule(
    "CRD-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.115; California licensing boards; OIG LEIE, SAM",
    verification="K",
    sentence="Every credential is active, unexpired and verified on the visit date; the last day is a valid day.",
    sentence_zh="每項執照和證書在探訪當日都須有效、未過期並已核實；到期日當天仍屬有效。",
    settings=(
        "credentials.verified_within_days",
        "credentials.licensed_performers",
        "credentials.reminder_days",
        "credentials.exclusion_check_months",
    ),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "clock", "question"),
)
def ask_credentials(case: VisitCase, moment: Moment, policy: Policy) -> tuple[Finding, ...]:
    """Every credential that does not hold on the day: a warning when a slot is held, a refusal when it is confirmed.

    An excluded person is refused at once.
    """
    policy = policy.on(case.visit.day)
    clinician, visit = case.clinician, case.visit
    if clinician is None:
        return ()
    findings = []
    if clinician.excluded:
        findings.append(
            found(
                "CRD-01",
                "The clinician is on a federal exclusion list.",
                cure="Assign somebody else; the administrator clears the match.",
            )
        )
    severity = Severity.WARN if moment is Moment.HOLD else Severity.BLOCK
    if not clinician.credentials and clinician.performer in policy.credentials.licensed_performers:
        findings.append(
            found(
                "CRD-01",
                "No licence of the clinician is on file.",
                cure="The administrator records and verifies the licence.",
                severity=severity,
                performer=clinician.performer,
            )
        )
    for credential in clinician.credentials:
        problem = _problem(credential, visit.day, visit.kind, policy)
        if problem:
            message, cure = problem
            findings.append(
                found(
                    "CRD-01",
                    message,
                    cure=cure,
                    severity=severity,
                    credential=credential.name,
                    day=visit.day,
                    expires_on=credential.expires_on or "an unknown day",
                    issued_on=credential.issued_on or "an unknown day",
                    kind=visit.kind,
                    within=policy.credentials.verified_within_days,
                )
            )
    return tuple(findings)


def _problem(credential: CredentialFacts, day: date, kind: VisitKind, policy: Policy) -> tuple[str, str] | None:
    """Message and cure of the first thing that is wrong with the credential on `day`."""
    renew = "Assign somebody else, or the administrator records the renewed {credential}."
    if not credential.active:
        return "{credential} is not active.", renew
    if credential.expires_on is None or day > credential.expires_on:
        return "{credential} is valid to {expires_on}, not on {day}.", renew
    if credential.issued_on is None or day < credential.issued_on:
        return "{credential} is valid from {issued_on}, not on {day}.", renew
    if kind in credential.restricted_kinds:
        return "A restriction on {credential} forbids {kind} visits.", "Assign somebody else."
    verified = credential.verified_on
    if verified is None or day - verified > timedelta(days=policy.credentials.verified_within_days):
        return (
            "{credential} has not been verified with its issuer within {within} days.",
            "The administrator verifies {credential} with its issuer.",
        )
    return None


@also("CRD-01")
def credential_reminders(expires_on: date, policy: Policy) -> tuple[date, ...]:
    """The days on which to remind of an expiry, earliest first."""
    policy = policy.on(expires_on)
    return tuple(expires_on - timedelta(days=days) for days in sorted(policy.credentials.reminder_days, reverse=True))


@also("CRD-01")
def exclusion_check_due(checked_on: date, policy: Policy) -> date:
    """The day by which an exclusion list is asked again."""
    policy = policy.on(checked_on)
    return add_months(checked_on, policy.credentials.exclusion_check_months)


@rule(
    "CRD-02",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 CFR 484.105(i), 484.75(b)",
    verification="K",
    sentence="The clinician has the skills that the order's treatments need.",
    sentence_zh="人員須具備醫囑治療所需的技能。",
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_skills(case: VisitCase) -> Finding | None:
    """Skills that the order needs and the clinician lacks."""
    clinician, order = case.clinician, case.order
    if clinician is None or order is None or order.required_skills <= clinician.skills:
        return None
    return found(
        "CRD-02",
        "The order needs skills that the clinician lacks: {skills}.",
        cure="Assign somebody with {skills}, or the clinical manager allows it with a reason.",
        skills=", ".join(sorted(order.required_skills - clinician.skills)),
    )
