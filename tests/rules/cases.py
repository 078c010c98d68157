"""Facts with sensible silence: everything in order, so that a test names only what it is about."""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from coordinator.domain.frequency import parse
from coordinator.domain.vocabulary import (
    Discipline,
    Eligibility,
    Gender,
    HomeSafety,
    OrderStatus,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    ReferralSetting,
    VisitKind,
)
from coordinator.rules.facts import (
    ActivationFacts,
    AidePlanFacts,
    ClinicianFacts,
    Coverage,
    CredentialFacts,
    EpisodeFacts,
    OrderFacts,
    OrderWeekFacts,
    PatientFacts,
    ReferralFacts,
    VisitCase,
    VisitFacts,
)
from coordinator.rules.profile_files import programmes_from
from coordinator.rules.terms import Policy, Severity, policy_from

CALIFORNIA = ZoneInfo("America/Los_Angeles")
POLICY_FILE = Path(__file__).parents[2] / "config" / "policy.toml"
SOC = date(2026, 10, 1)
#: A Tuesday in the sixth week.
DAY = date(2026, 11, 10)


@lru_cache
def policy(on: date | None = None) -> Policy:
    """The policy that the product ships with."""
    folder = POLICY_FILE.parent / "programmes"
    programmes = programmes_from((path.name, path.read_text(encoding="utf-8")) for path in folder.glob("*.toml"))
    return policy_from(tomllib.loads(POLICY_FILE.read_text(encoding="utf-8")), on, programmes)


POLICY = policy()


def local(text: str) -> datetime:
    """`2026-11-10 14:00` in California, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=CALIFORNIA).astimezone(UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


def make_week(**changes) -> OrderWeekFacts:
    return replace(OrderWeekFacts(6, date(2026, 11, 8), date(2026, 11, 14), 2, 2), **changes)


def make_order(**changes) -> OrderFacts:
    order = OrderFacts(
        Discipline.SN,
        OrderStatus.ACTIVE_SIGNED,
        effective_from=SOC,
        effective_to=date(2026, 11, 29),
        certification_number=1,
        order_id=7,
        week=make_week(),
        evaluation_complete=True,
        goals_set_by_therapist=True,
    )
    return replace(order, **changes)


def make_visit(**changes) -> VisitFacts:
    return replace(VisitFacts(VisitKind.ROUTINE, Discipline.SN, DAY, 60, CALIFORNIA), **changes)


def make_patient(**changes) -> PatientFacts:
    patient = PatientFacts(
        active=True,
        admitted=True,
        coverage=(Coverage(Payer.KP, date(2020, 1, 1)), Coverage(Payer.MEDICARE, date(2020, 1, 1))),
        eligibility=Eligibility.ELIGIBLE,
        address_in_area=True,
        home_safety=HomeSafety.SAFE,
        spoken_language="en",
    )
    return replace(patient, **changes)


def make_episode(**changes) -> EpisodeFacts:
    episode = EpisodeFacts(Programme.KP_HBPC, Payer.KP, SOC, frozenset({Discipline.SN, Discipline.PT, Discipline.HHA}))
    return replace(episode, **changes)


MEDICARE = make_episode(programme=Programme.MEDICARE_HH, payer=Payer.MEDICARE)


def make_credential(**changes) -> CredentialFacts:
    licence = CredentialFacts("RN licence", True, date(2020, 1, 1), date(2027, 12, 31), date(2026, 10, 1))
    return replace(licence, **changes)


def make_clinician(performer: Performer = Performer.RN, **changes) -> ClinicianFacts:
    clinician = ClinicianFacts(
        performer, credentials=(make_credential(),), gender=Gender.FEMALE, aide_plan_acknowledged=True
    )
    return replace(clinician, **changes)


def make_case(discipline: Discipline | None = None, **changes) -> VisitCase:
    """A case with nothing against it; `discipline` sets visit, order and a fitting clinician at once."""
    case = VisitCase(make_patient(), make_episode(), make_visit(), make_order(), clinician=make_clinician())
    if discipline is not None:
        performer = {Discipline.SN: Performer.RN, Discipline.HHA: Performer.CHHA}.get(discipline)
        case = replace(
            case,
            visit=make_visit(discipline=discipline, purpose="counseling" if discipline is Discipline.MSW else ""),
            order=make_order(discipline=discipline),
            clinician=make_clinician(performer or Performer(discipline.value)),
            aide_plan=AidePlanFacts(SOC, Performer.RN) if discipline is Discipline.HHA else None,
        )
    return replace(case, **changes)


def at(case: VisitCase, text: str, minutes: int | None = None) -> VisitCase:
    """The case with its visit at a local time."""
    starts_at = local(text)
    length = case.visit.minutes if minutes is None else minutes
    visit = replace(
        case.visit,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=length),
        minutes=length,
        day=date.fromisoformat(text[:10]),
    )
    return replace(case, visit=visit)


def make_activation(**changes) -> ActivationFacts:
    order = ActivationFacts(
        Programme.KP_HBPC,
        Payer.KP,
        Discipline.PT,
        orderer_type=PractitionerType.MD,
        frequency=parse("2w4"),
        effective_from=date(2026, 11, 4),
        effective_to=date(2026, 11, 29),
        certification_end=date(2026, 11, 29),
        treatments=("Therapeutic exercise 30 min",),
        duties=("BATHING",),
        goals_linked=True,
        eligibility=Eligibility.ELIGIBLE,
        admitted=True,
        taper_plan=True,
    )
    return replace(order, **changes)


def make_referral(**changes) -> ReferralFacts:
    referral = ReferralFacts(
        received_at=local("2026-11-13 16:30"),
        patient_name_known=True,
        date_of_birth=date(1940, 1, 1),
        contact="415-555-0100",
        care_address="1 Main St",
        practitioner_name="Dr. Example",
        practitioner_npi="1234567893",
        practitioner_type=PractitionerType.MD,
        practitioner_organisation="Example Medical Group",
        reason="C34.90",
        disciplines=(Discipline.SN,),
        setting=ReferralSetting.HOME,
        payer=Payer.KP,
        preferred_language="en",
        interpreter_needed=False,
    )
    return replace(referral, **changes)


def rules_of(found) -> list[tuple[str, str]]:
    """Rule and severity of one finding, of several, or of none."""
    if found is None:
        return []
    findings = found if isinstance(found, tuple) else (found,)
    return [(finding.rule, finding.severity.value) for finding in findings]


def worst(found) -> str | None:
    """The severest severity, in the book's order."""
    severities = [severity for _, severity in rules_of(found)]
    return next((severity.value for severity in Severity if severity.value in severities), None)
