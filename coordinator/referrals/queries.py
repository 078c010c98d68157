"""Reading referrals: which are whose, one, many, and the checklist of what stands between a referral and a visit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of
from coordinator.agency import service as agency
from coordinator.core.errors import NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import Criterion, Determination, Programme, ReferralStatus
from coordinator.patients.scope import patients_in_sight
from coordinator.referrals import content
from coordinator.referrals.eligibility import Suggestion, answer_of, criteria_of, in_force, suggest
from coordinator.referrals.model import CriterionDetermination, Referral
from coordinator.rules.eligibility import EligibilityAnswer, ask_homebound_signature, ask_outside_orders
from coordinator.rules.referrals import InitialVisitDue
from coordinator.rules.terms import Finding


def in_sight(work: Work) -> sa.ColumnElement[bool]:
    """Which referrals the actor may see: their branch's; those of patients in sight; those they sent themselves."""
    mine = branches_of(work.actor)
    if mine is None:
        return sa.true()
    ways: list[sa.ColumnElement[bool]] = []
    if mine:
        ways.append(Referral.branch_id.in_(sorted(mine)))
    if work.actor.clinician_id is not None or work.actor.physician_id is not None:
        ways.append(Referral.patient_id.in_(patients_in_sight(work)))
    if work.actor.physician_id is not None:
        ways.append(Referral.physician_id == work.actor.physician_id)
    return sa.or_(*ways) if ways else sa.false()


def visible(work: Work, referral_id: int, *, lock: bool = False) -> Referral:
    """The referral, if it is the actor's to see; locked against other writers if asked. Not audited: see `get`."""
    query = sa.select(Referral).where(Referral.id == referral_id, in_sight(work))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = work.session.execute(query).scalar()
    if found is None:
        raise NotFound("referral")
    return found


@permitted("referral:read")
def get(work: Work, referral_id: int) -> Referral:
    """The referral with every determination."""
    referral = visible(work, referral_id)
    work.record("referral.read", f"referral:{referral.id}", patient_id=referral.patient_id)
    return referral


@permitted("referral:read")
def search(
    work: Work,
    *,
    branch_id: int | None = None,
    statuses: Iterable[ReferralStatus] = (),
    programme: Programme | None = None,
    due_before: datetime | None = None,
) -> sa.Select[Any]:
    """The referrals in sight that fit, as a select for `page`. `due_before`: the initial visit is due before then."""
    query = sa.select(Referral).where(in_sight(work))
    if branch_id is not None:
        query = query.where(Referral.branch_id == branch_id)
    if wanted := sorted(set(statuses)):
        query = query.where(Referral.status.in_(wanted))
    if programme is not None:
        query = query.where(Referral.programme == programme)
    if due_before is not None:
        query = query.where(Referral.due_at < due_before)
    work.record("referral.listed", "referral:list", branch=branch_id)
    return query


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion of the programme: its answer in force, and what the records at hand would answer."""

    criterion: Criterion
    result: Determination
    determination: CriterionDetermination | None
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """What stands between a referral and its first visit."""

    referral: Referral
    missing: tuple[str, ...]
    due: InitialVisitDue
    eligibility: EligibilityAnswer
    criteria: tuple[CriterionLine, ...]
    #: What is met and yet leaves something to do (ELG-4, ELG-8).
    findings: tuple[Finding, ...]


@permitted("referral:read")
def checklist(work: Work, referral_id: int) -> Checklist:
    """What the referral lacks, by when its visit is due, and how each criterion stands."""
    referral = visible(work, referral_id)
    work.record("referral.read", f"referral:{referral.id}", patient_id=referral.patient_id)
    zone = agency.zone_of(work, referral.branch_id)
    held = in_force(referral)
    suggested = {one.criterion: one for one in suggest(work, referral)}
    return Checklist(
        referral=referral,
        missing=content.missing(referral),
        due=content.due(referral, zone, work.policy),
        eligibility=answer_of(referral, work.policy),
        criteria=tuple(
            CriterionLine(
                criterion=criterion,
                result=held[criterion].result if criterion in held else Determination.UNKNOWN,
                determination=held.get(criterion),
                suggestion=suggested.get(criterion),
            )
            for criterion in criteria_of(referral, work.policy)
        ),
        findings=_left_to_do(held, agency.today(work, referral.branch_id)),
    )


def _left_to_do(held: Mapping[Criterion, CriterionDetermination], today: date) -> tuple[Finding, ...]:
    """A homebound certification that nobody signed yet, and orders of practitioners outside the plan."""
    found: list[Finding] = []
    homebound, directed = held.get(Criterion.HOMEBOUND), held.get(Criterion.DIRECTED)
    if homebound is not None and homebound.facts.get("certified"):
        written = homebound.facts.get("certification")
        unsigned = ask_homebound_signature(written == "verbal", written == "signed")
        found += [unsigned] if unsigned is not None else []
    if directed is not None:
        found += ask_outside_orders(int(directed.facts.get("outside_orders") or 0), today)
    return tuple(found)
