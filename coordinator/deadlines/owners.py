"""Whose an obligation is: what the book gives to a case manager or a therapist is a person's of the patient's team.

Where the team names nobody, or nobody who may do it, it is on the list of the role alone. Nothing is kept: who is asked
today is who has the post or the primary's place today, or stands in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.table import OBLIGATIONS
from coordinator.domain.team import CoverRole, TeamPost
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline, Performer
from coordinator.rules.therapy import QUALIFIED_THERAPISTS
from coordinator.staff.model import Clinician
from coordinator.teams.covers import covers_between
from coordinator.teams.model import CareTeamMember, Cover, PostHeld

_CASE_MANAGER, _THERAPIST = "case_manager", "therapist"
#: Kinds of obligations that are a person's of the care team, by rule and task.
_KINDS = {
    whose: sorted((entry.rule, entry.task) for entry in OBLIGATIONS if entry.owner == whose)
    for whose in (_CASE_MANAGER, _THERAPIST)
}
#: Primaries who may do what the book asks of a case manager or a therapist: no vocational nurse, no assistant.
_ABLE = frozenset({Performer.RN}) | QUALIFIED_THERAPISTS

#: Accounts by patient and discipline, the coordinator's under no discipline.
_Places = Mapping[tuple[int, Discipline | None], Sequence[int]]


def people_of(work: Work, rows: Iterable[Deadline]) -> dict[int, tuple[int, ...]]:
    """The accounts of whoever in the care team answers for each of these obligations, by its number, in a few queries.

    A coordinator is the case manager, else the primary nurse; of therapy it is the discipline's primary. Whoever stands
    in today goes before, and the one who is away is named as well. Rows that nobody of the team answers for are not in
    the answer.
    """
    asked = [(row, whose) for row in rows if row.patient_id is not None and (whose := _whose(row))]
    if not asked:
        return {}
    places = _places(work, {row.branch_id for row, _ in asked}, {row.patient_id or 0 for row, _ in asked})
    found = {}
    for row, whose in asked:
        people = _answering(places, row.patient_id or 0, whose, row.facts.get("discipline"))
        if people:
            found[row.id] = tuple(people)
    return found


def mine(work: Work) -> sa.ColumnElement[bool]:
    """Whether an obligation is the actor's own, as a condition on `Deadline`."""
    me = work.actor.user_id
    if me is None:
        return sa.false()
    patients = _where_i_answer(work)
    if not patients:
        return sa.false()
    places = _places(work, None, patients)
    ways = []
    for whose, disciplines in ((_CASE_MANAGER, (None,)), (_THERAPIST, tuple(Discipline))):
        for discipline in disciplines:
            own = [number for number in patients if me in _answering(places, number, whose, discipline)]
            if own:
                kinds = sa.tuple_(Deadline.rule, Deadline.task).in_(_KINDS[whose])
                about = Deadline.facts["discipline"].as_string() == discipline.value if discipline else sa.true()
                ways.append(sa.and_(kinds, Deadline.patient_id.in_(own), about))
    return sa.or_(*ways) if ways else sa.false()


def _whose(row: Deadline) -> str | None:
    return next((whose for whose, kinds in _KINDS.items() if (row.rule, row.task) in kinds), None)


def _answering(places: _Places, patient_id: int, whose: str, discipline: str | None) -> Sequence[int]:
    if whose == _THERAPIST:
        return places.get((patient_id, Discipline(discipline)), ()) if discipline else ()
    return places.get((patient_id, None), ()) or places.get((patient_id, Discipline.SN), ())


def _where_i_answer(work: Work) -> list[int]:
    """Patients whose coordinator or primary the actor is, or for one of those stands in: more rather than fewer."""
    found: set[int] = set()
    of_me = sa.or_(
        sa.and_(Cover.by_clinician_id.is_not(None), Cover.by_clinician_id == work.actor.clinician_id),
        sa.and_(Cover.by_user_id.is_not(None), Cover.by_user_id == work.actor.user_id),
    )
    covers = work.session.execute(
        sa.select(Cover.clinician_id, Cover.user_id).where(of_me, Cover.withdrawn_at.is_(None))
    ).all()
    clinicians = {row.clinician_id for row in covers} | {work.actor.clinician_id}
    users = {row.user_id for row in covers} | {work.actor.user_id}
    found.update(
        work.session.scalars(
            sa.select(PostHeld.patient_id).where(
                PostHeld.post == TeamPost.COORDINATOR, PostHeld.ends_at.is_(None),
                PostHeld.user_id.in_([number for number in users if number is not None]),
            )
        )
    )  # fmt: skip
    found.update(
        work.session.scalars(
            sa.select(CareTeamMember.patient_id).where(
                CareTeamMember.is_primary,
                CareTeamMember.clinician_id.in_([number for number in clinicians if number is not None]),
            )
        )
    )
    return sorted(found)


def _places(work: Work, branch_ids: set[int] | None, patient_ids: Iterable[int]) -> _Places:
    """Who has which place with these patients today, whoever stands in first, as accounts that are open.

    `branch_ids`: where they are; None: in the branch of the actor who is asked about.
    """
    numbers = sorted(set(patient_ids))
    today = _today(work, branch_ids)
    primaries = work.session.execute(
        sa.select(CareTeamMember.patient_id, CareTeamMember.clinician_id, Clinician.performer)
        .join(Clinician, Clinician.id == CareTeamMember.clinician_id)
        .where(
            CareTeamMember.patient_id.in_(numbers), CareTeamMember.is_primary, CareTeamMember.starts_on <= today,
            sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= today),
            Clinician.performer.in_(sorted(_ABLE)),
        )
        .order_by(CareTeamMember.id)
    ).all()  # fmt: skip
    posts = work.session.execute(
        sa.select(PostHeld.patient_id, PostHeld.user_id).where(
            PostHeld.patient_id.in_(numbers), PostHeld.post == TeamPost.COORDINATOR, PostHeld.ends_at.is_(None)
        )
    ).all()
    instead = covers_between(work, CoverRole.PRIMARY, [row.clinician_id for row in primaries], today, today)
    coordinators = [row.user_id for row in posts if row.user_id is not None]
    for_posts = covers_between(work, CoverRole.COORDINATOR, coordinators, today, today)
    clinicians = {row.clinician_id for row in primaries} | {cover.by_clinician_id for cover in instead}
    accounts = defaultdict(list)
    for user_id, clinician_id in work.session.execute(
        sa.select(User.id, User.clinician_id)
        .where(User.active, User.clinician_id.in_(sorted(number for number in clinicians if number is not None)))
        .order_by(User.id)
    ):
        accounts[clinician_id].append(user_id)
    found: dict[tuple[int, Discipline | None], list[int]] = {}
    for row in primaries:
        stands_in = _cover(instead, row.patient_id, clinician_id=row.clinician_id)
        people = [*(accounts[stands_in.by_clinician_id] if stands_in else ()), *accounts[row.clinician_id]]
        found[row.patient_id, DISCIPLINE_OF[row.performer]] = people
    for patient_id, holder in posts:
        stands_in = _cover(for_posts, patient_id, user_id=holder)
        found[patient_id, None] = [
            number for number in (stands_in.by_user_id if stands_in else None, holder) if number is not None
        ]
    return found


def _cover(covers: Sequence[Cover], patient_id: int, **away: int | None) -> Cover | None:
    """Who stands in for that person at the patient: a cover for the patient alone goes before one for all."""
    ((name, number),) = away.items()
    mine = [one for one in covers if getattr(one, name) == number and one.patient_id in (None, patient_id)]
    return next((one for one in mine if one.patient_id is not None), mine[0] if mine else None)


def _today(work: Work, branch_ids: set[int] | None) -> date:
    """The day of the branch; of several, which a night never asks about at once, that of the first."""
    if branch_ids is None:
        branch_ids = set(work.actor.branch_ids)
        if work.actor.clinician_id is not None:
            here = work.session.get(Clinician, work.actor.clinician_id)
            branch_ids = {here.branch_id} if here is not None else branch_ids
    return agency.today(work, min(branch_ids)) if branch_ids else work.now.date()
