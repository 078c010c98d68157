"""Reading what an episode rests on, and the facts that rules are asked about."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.access.scope import require_sight
from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.work import Work
from coordinator.domain.lifecycle import STANDING_CERTIFICATION
from coordinator.domain.npi import NpiKind
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.episodes.model import Certification, CertificationSignature, FaceToFace, PractitionerCheck
from coordinator.orders.model import Order
from coordinator.orders.queries import plan_of_episode
from coordinator.patients import service as patients
from coordinator.patients.model import Episode
from coordinator.referrals.model import Referral
from coordinator.rules import certification as rules
from coordinator.rules.facts import CertificationFacts, CertifierFacts, EpisodeFacts, FaceToFaceFacts
from coordinator.rules.terms import Finding
from coordinator.staff.model import Physician


def visible_episode(work: Work, episode_id: int) -> Episode:
    """The episode, if the actor may see its patient; another's sounds like a missing one."""
    episode = work.session.get(Episode, episode_id)
    if episode is None:
        raise NotFound("episode")
    try:
        require_sight(work, episode.patient_id)
    except NotFound:
        raise NotFound("episode") from None
    return episode


def episode_to_change(work: Work, episode_id: int, *, ended: bool = False) -> Episode:
    """The same, locked; Conflict if it has ended, unless `ended` ones may be changed too."""
    visible_episode(work, episode_id)
    episode = patients.episode_for_change(work, episode_id)
    if episode.discharged_on is not None and not ended:
        raise Conflict("This episode has ended.", code="episode-ended", discharged_on=episode.discharged_on)
    return episode


def today_of(work: Work, episode: Episode) -> date:
    """The calendar day at the branch of the episode's patient."""
    return agency.today(work, require_sight(work, episode.patient_id))


def episode_facts(work: Work, episode: Episode) -> EpisodeFacts:
    """The episode with every discipline that its referral asked for or that was ordered since."""
    ordered = set(
        work.session.scalars(
            sa.select(Order.discipline).where(Order.episode_id == episode.id, Order.status != OrderStatus.VOID)
        )
    )
    referral = work.session.get(Referral, episode.referral_id) if episode.referral_id is not None else None
    if referral is not None:
        ordered |= {Discipline(word) for word in referral.disciplines}
    return EpisodeFacts(episode.programme, episode.payer, episode.soc_date, frozenset(ordered))


# ------------------------------------------------------------------------------------ certification


def is_certified(work: Work, episode: Episode) -> bool:
    """Whether the programme asks a practitioner to certify at all: its profile says who may."""
    return bool(work.policy.profile(episode.programme, episode.soc_date).certifiers())


def certification_of(work: Work, episode_id: int, number: int) -> Certification | None:
    """The statement of that period that was neither withdrawn nor superseded."""
    return work.session.execute(
        sa.select(Certification).where(
            Certification.episode_id == episode_id,
            Certification.number == number,
            Certification.status.in_(sorted(STANDING_CERTIFICATION)),
        )
    ).scalar()


def encounters_of(work: Work, episode_id: int) -> Sequence[FaceToFace]:
    """The encounters that count, latest first."""
    return (
        work.session.execute(
            sa.select(FaceToFace)
            .where(FaceToFace.episode_id == episode_id, FaceToFace.replaced_by_id.is_(None))
            .order_by(FaceToFace.encounter_on.desc(), FaceToFace.id.desc())
        )
        .scalars()
        .all()
    )


def certifier_id(work: Work, statement: Certification) -> int:
    """Whose name stands under the statement; while nobody's does, whose is asked for.

    The two differ where somebody signed who stood in for the practitioner (ORD-04): the rules then ask about them.
    """
    signer = work.session.execute(
        sa.select(CertificationSignature.physician_id).where(CertificationSignature.certification_id == statement.id)
    ).scalar()
    return statement.physician_id if signer is None else signer


def certifier_of(work: Work, episode: Episode) -> Physician | None:
    """Who certifies the first period, or else manages the plan of care."""
    statement = certification_of(work, episode.id, 1)
    plan = plan_of_episode(work, episode.id)
    physician_id = certifier_id(work, statement) if statement else plan.managing_physician_id if plan else None
    return work.session.get(Physician, physician_id) if physician_id is not None else None


def face_to_face_facts(row: FaceToFace, certifier: Physician | None) -> FaceToFaceFacts:
    """The encounter as the rules see it."""
    return FaceToFaceFacts(
        encounter_on=row.encounter_on,
        performer_type=row.performer_type,
        related_to_primary_reason=row.related_to_primary_reason,
        performer_is_certifier=certifier is not None and certifier.npi == row.performer_npi,
        from_inpatient_or_collaborating=row.from_inpatient_or_collaborating,
        same_practice=row.same_practice,
        coordination_evidence=bool(row.coordination_evidence),
    )


def encounter_findings(
    work: Work, episode: Episode, row: FaceToFace | None, certifier: Physician | None, today: date
) -> tuple[Finding, ...]:
    """What is to be said of one encounter, or of none, for the initial certification; nothing before start of care."""
    programmes = work.policy.on(episode.soc_date).certification.face_to_face_programmes
    if episode.soc_date is None or episode.programme not in programmes:
        return ()
    facts = FaceToFaceFacts() if row is None else face_to_face_facts(row, certifier)
    performer = rules.ask_face_to_face_performer(facts, episode.soc_date, work.policy)
    timing = rules.ask_face_to_face(facts, episode.soc_date, today, work.policy)
    return timing if performer is None else (*timing, performer)


def best_encounter(
    work: Work, episode: Episode, certifier: Physician | None, today: date
) -> tuple[FaceToFace | None, tuple[Finding, ...]]:
    """The encounter with the least to be said against it, latest first, and what that is."""
    asked = [(row, encounter_findings(work, episode, row, certifier, today)) for row in encounters_of(work, episode.id)]
    if not asked:
        return None, encounter_findings(work, episode, None, certifier, today)
    return min(asked, key=lambda pair: len(pair[1]))


def certifier_facts(work: Work, episode: Episode, physician: Physician, on: date) -> CertifierFacts:
    """The certifier as the registries said when they were asked last (CERT-06)."""
    check = work.session.execute(
        sa.select(PractitionerCheck)
        .where(PractitionerCheck.physician_id == physician.id)
        .order_by(PractitionerCheck.checked_on.desc(), PractitionerCheck.id.desc())
        .limit(1)
    ).scalar()
    enrolled: bool | None = None
    if check is not None:
        since, until = check.enrolled_from, check.enrolled_to
        enrolled = since is not None and since <= on and (until is None or on <= until)
    return CertifierFacts(
        programme=episode.programme,
        payer=episode.payer,
        certified_on=on,
        practitioner_type=physician.practitioner_type,
        npi=physician.npi,
        # A person until a registry says otherwise: the register of practitioners takes nobody else.
        npi_kind=NpiKind(check.npi_kind) if check is not None else NpiKind.INDIVIDUAL,
        medicare_enrolled=enrolled,
        financial_relationship=check is not None and check.financial_relationship,
    )


def statement_facts(work: Work, episode: Episode, row: Certification | None) -> CertificationFacts:
    """The statement as the rules see it; a programme that does not ask for a part is content without it."""
    profile = work.policy.profile(episode.programme, episode.soc_date)
    homebound_asked, skilled_asked = profile.homebound_required, profile.skilled_need_required
    if row is None:
        return CertificationFacts(homebound=not homebound_asked, skilled_need=not skilled_asked)
    return CertificationFacts(
        homebound=row.homebound or not homebound_asked,
        skilled_need=row.skilled_need or not skilled_asked,
        plan_established=row.plan_established,
        under_care=row.under_care,
        face_to_face_on=row.face_to_face_on,
        signed_on=_signed_on(work, episode, row),
        estimated_further_duration=row.estimated_further_duration or "",
    )


def statement_finding(facts: CertificationFacts, number: int) -> Finding | None:
    """What the statement lacks: as a certification for period 1, else as a recertification."""
    return rules.ask_certification(facts) if number == 1 else rules.ask_recertification(facts)


def findings_of(work: Work, episode: Episode, number: int) -> tuple[Finding, ...]:
    """Everything that is to be said today of the certification of one period. Asked by other rooms: no permission.

    Under a programme that nobody certifies only the encounter is asked for, where even that is.
    """
    today = today_of(work, episode)
    statement = certification_of(work, episode.id, number)
    findings: list[Finding] = []
    if number == 1:
        findings += best_encounter(work, episode, certifier_of(work, episode), today)[1]
    if not is_certified(work, episode):
        return tuple(findings)
    lacking = statement_finding(statement_facts(work, episode, statement), number)
    if lacking is not None:
        findings.append(lacking)
    if statement is not None:
        physician = fetch(work.session, Physician, certifier_id(work, statement), "practitioner")
        signed = statement_facts(work, episode, statement).signed_on
        facts = certifier_facts(work, episode, physician, signed or today)
        barred = rules.ask_certifier(facts, work.policy)
        if barred is not None:
            findings.append(barred)
        findings += rules.ask_certifier_fitness(facts, work.policy)
    return tuple(findings)


def _signed_on(work: Work, episode: Episode, row: Certification) -> date | None:
    zone = agency.zone_of(work, require_sight(work, episode.patient_id))
    return local_day(row.signed_at, zone) if row.signed_at is not None else None
