"""Everything a run reads, in a handful of queries: one branch, its days, and whoever and whatever is in them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload

from coordinator.agency.model import Branch
from coordinator.core.db import fetch, filled
from coordinator.core.work import Work
from coordinator.domain.lifecycle import BEGUN_VISIT, DONE_VISIT, LIVE_VISIT
from coordinator.domain.team import CoverRole
from coordinator.domain.timeline import WeekAnchor, local_day, week_start
from coordinator.domain.vocabulary import Discipline, VisitKind, VisitStatus
from coordinator.orders.model import CaseReview, Order, OrderWeek
from coordinator.patients.model import Episode, Home, Patient
from coordinator.planning.horizon import Horizon
from coordinator.planning.share import this_run
from coordinator.planning.targets import aimed_for
from coordinator.referrals.place import place_of
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.visits.book import UNCOUNTED
from coordinator.visits.held import standing
from coordinator.visits.model import Visit

#: How far back "has been here before" reaches, and how far around the run visits of an order keep their distance.
MEMORY = timedelta(days=90)
AROUND = timedelta(days=14)

#: What a run does not ask of everybody in it. Whom the rules are asked about is read in full by `visits.cases`.
LEFT_UNREAD = tuple(
    lazyload(relation)
    for relation in (
        Patient.caregivers,
        Patient.coverages,
        Patient.diagnoses,
        Patient.no_visit_windows,
        Patient.unavailabilities,
    )
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A live visit outside the run that its caps, gaps and weeks still count."""

    patient_id: int
    clinician_id: int
    order_id: int | None
    discipline: Discipline
    #: One of an order's weekly visits, not a second person's.
    is_ordered: bool
    day: date
    minutes: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A slot held for a referral, as those name it who may release it."""

    hold_id: int
    referral_id: int


@dataclass(slots=True)
class Scene:
    """One branch and its days, as rows. `visits` are what the run is about, by id: wanted ones and those that stand."""

    branch: Branch
    horizon: Horizon
    now: datetime
    visits: tuple[Visit, ...]
    #: Wanted visits whose week reaches past the run and that may wait for a later one.
    later: tuple[int, ...]
    clinicians: tuple[Clinician, ...]
    patients: Mapping[int, Patient]
    orders: Mapping[int, Order]
    #: Weekly numbers by order week.
    weeks: Mapping[int, OrderWeek]
    standing: tuple[Standing, ...]
    #: (patient, clinician) -> visits done together of late.
    met: Mapping[tuple[int, int], int]
    #: Care team rows in force at some time in the run, by patient.
    team: Mapping[int, tuple[CareTeamMember, ...]]
    reviews: Mapping[int, tuple[CaseReview, ...]]
    #: Clinicians who, in this scene, are not there from a day on: a scenario's, the rows know nothing of it.
    gone: Mapping[int, date] = field(default_factory=dict)
    #: Slots that are held for referrals: the number of such a visit, which is no row's -> what it stands for.
    held: Mapping[int, HeldSlot] = field(default_factory=dict)
    #: Who stands in for primaries on some days of the run.
    covers: tuple[Cover, ...] = ()
    _fixed: dict[int, bool] = field(default_factory=dict)

    def is_fixed(self, visit: Visit) -> bool:
        """Whether the visit stays exactly where it is: begun, about to begin, locked, or not this branch's."""
        known = self._fixed.get(visit.id)
        if known is None:
            known = visit.status in LIVE_VISIT and (
                visit.status in BEGUN_VISIT
                or visit.locked
                or visit.branch_id != self.branch.id
                or (visit.starts_at is not None and visit.starts_at <= self.now)
            )
            self._fixed[visit.id] = known
        return known

    def is_held(self, visit: Visit) -> bool:
        """Whether it is a slot held for a referral: no row, and free for others only when somebody releases it."""
        return visit.id in self.held

    def settle(self, visit_ids: Iterable[int], *, fixed: bool) -> None:
        """In this scene these visits stay where they are, or may move, whatever their rows say."""
        self._fixed.update(dict.fromkeys(visit_ids, fixed))

    def is_gone(self, clinician_id: int, day: date) -> bool:
        """Whether the scene does without the clinician on that day."""
        return clinician_id in self.gone and day >= self.gone[clinician_id]

    def pay_week(self, day: date, anchor: WeekAnchor) -> int:
        """Which week of the run a day is in, counting from 0; -1 for one before, and so on."""
        first = week_start(self.horizon.start_on, anchor, self.horizon.start_on)
        return (week_start(day, anchor, self.horizon.start_on) - first).days // 7


def load(work: Work, branch_id: int, horizon: Horizon) -> Scene:
    """The scene of a run. NotFound if there is no such branch."""
    session = work.session
    branch = fetch(session, Branch, branch_id, "branch")
    own = set(
        session.execute(
            sa.select(Clinician.id).where(Clinician.branch_id == branch_id, Clinician.active.is_(True))
        ).scalars()
    )
    found = _visits(session, branch_id, horizon, own)
    week_ids = {visit.order_week_id for visit in found if visit.order_week_id is not None}
    weeks = {
        week.id: week for week in session.execute(sa.select(OrderWeek).where(OrderWeek.id.in_(week_ids))).scalars()
    }
    visits, later = this_run(aimed_for(work, found, weeks), horizon, local_day(work.now, horizon.zone))
    held = holds_of(work, own, horizon)
    people = own | {visit.clinician_id for visit in visits if visit.clinician_id is not None}
    patient_ids = {visit.patient_id for visit in visits}
    order_ids = {visit.order_id for visit in visits if visit.order_id is not None}
    return Scene(
        branch=branch,
        horizon=horizon,
        now=work.now,
        visits=(*visits, *(visit for visit, _, _ in held)),
        later=tuple(later),
        clinicians=tuple(
            session.execute(sa.select(Clinician).where(Clinician.id.in_(people)).order_by(Clinician.id)).scalars()
        ),
        patients={
            patient.id: patient
            for patient in session.execute(
                # In the order of their numbers: homes are numbered by it, and the same facts make the same problem.
                sa.select(Patient).where(Patient.id.in_(patient_ids)).options(*LEFT_UNREAD).order_by(Patient.id)
            ).scalars()
        }
        | {patient.id: patient for _, patient, _ in held},
        orders={
            order.id: order
            for order in session.execute(
                sa.select(Order).where(Order.id.in_(order_ids)).options(lazyload(Order.weeks))
            ).scalars()
        },
        weeks=weeks,
        standing=_standing(session, horizon, {visit.id for visit in visits}, patient_ids, people),
        met=_met(session, horizon, patient_ids),
        team=_team(session, horizon, patient_ids),
        covers=_covers(session, horizon),
        reviews=_reviews(session, horizon, patient_ids),
        held={visit.id: slot for visit, _, slot in held},
    )


#: Slots held for referrals are visits and patients of the scene under numbers below this one.
HELD = -1_000_000_000


def holds_of(work: Work, own: Iterable[int], horizon: Horizon) -> list[tuple[Visit, Patient, HeldSlot]]:
    """The slots that are held for referrals, as visits that stay where they are, each to somebody who is no row yet."""
    found = []
    for hold, referral in standing(work, own, horizon.starts_at, horizon.ends_at):
        number = HELD - hold.id
        lat, lon = place_of(work, referral) or (None, None)
        home = Home(zip=referral.zip or "", lat=lat, lon=lon, hazards=[])
        visit = Visit(
            id=number, version=0, branch_id=hold.branch_id, patient_id=number, episode_id=number,
            discipline=Discipline.SN, kind=VisitKind.INITIAL, status=VisitStatus.PENDING, locked=True,
            clinician_id=hold.clinician_id, starts_at=hold.starts_at, ends_at=hold.ends_at,
            minutes=int((hold.ends_at - hold.starts_at).total_seconds()) // 60, is_current=True,
            window_from=horizon.day_of(hold.starts_at), window_to=horizon.day_of(hold.starts_at),
        )  # fmt: skip
        patient = filled(Patient(id=number, branch_id=hold.branch_id, home=filled(home)))
        found.append((filled(visit), patient, HeldSlot(hold.id, referral.id)))
    return found


def _visits(session: Session, branch_id: int, horizon: Horizon, own: set[int]) -> tuple[Visit, ...]:
    """What is wanted in these days, and what stands in them: of the branch, or of its people for another branch."""
    wanted = sa.and_(
        Visit.status == VisitStatus.PROPOSED,
        Visit.is_current.is_(True),
        Visit.branch_id == branch_id,
        Visit.window_from <= horizon.end_on,
        Visit.window_to >= horizon.start_on,
    )
    stands = sa.and_(
        Visit.status.in_(LIVE_VISIT),
        sa.or_(Visit.branch_id == branch_id, Visit.clinician_id.in_(own)),
        Visit.starts_at < horizon.ends_at,
        Visit.starts_at >= horizon.starts_at,
    )
    found = session.execute(sa.select(Visit).where(sa.or_(wanted, stands)).order_by(Visit.id))
    return tuple(found.scalars())


def _standing(
    session: Session, horizon: Horizon, inside: set[int], patients: Iterable[int], people: Iterable[int]
) -> tuple[Standing, ...]:
    """Live visits around the run, of its patients and of its people."""
    rows = session.execute(
        sa.select(
            Visit.id,
            Visit.patient_id,
            Visit.clinician_id,
            Visit.order_id,
            Visit.discipline,
            Visit.kind,
            Visit.joint_with_id,
            Visit.starts_at,
            Visit.ends_at,
        )
        .where(
            Visit.status.in_(LIVE_VISIT),
            Visit.starts_at >= horizon.starts_at - AROUND,
            Visit.starts_at < horizon.ends_at + AROUND,
            sa.or_(Visit.patient_id.in_(set(patients)), Visit.clinician_id.in_(set(people))),
        )
        .order_by(Visit.starts_at, Visit.id)
    )
    return tuple(
        Standing(
            patient_id=row.patient_id,
            clinician_id=row.clinician_id,
            order_id=row.order_id,
            discipline=row.discipline,
            is_ordered=row.order_id is not None and row.kind not in UNCOUNTED and row.joint_with_id is None,
            day=horizon.day_of(row.starts_at),
            minutes=int((row.ends_at - row.starts_at).total_seconds()) // 60,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in rows
        if row.id not in inside
    )


def _met(session: Session, horizon: Horizon, patients: Iterable[int]) -> dict[tuple[int, int], int]:
    rows = session.execute(
        sa.select(Visit.patient_id, Visit.clinician_id, sa.func.count())
        .where(
            Visit.patient_id.in_(set(patients)),
            Visit.status.in_(DONE_VISIT),
            Visit.clinician_id.is_not(None),
            Visit.starts_at >= horizon.starts_at - MEMORY,
        )
        .group_by(Visit.patient_id, Visit.clinician_id)
    )
    return {(patient, clinician): count for patient, clinician, count in rows if clinician is not None}


def _team(session: Session, horizon: Horizon, patients: Iterable[int]) -> dict[int, tuple[CareTeamMember, ...]]:
    rows = session.execute(
        sa.select(CareTeamMember)
        .where(
            CareTeamMember.patient_id.in_(set(patients)),
            CareTeamMember.starts_on <= horizon.end_on,
            sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= horizon.start_on),
        )
        .order_by(CareTeamMember.id)
    ).scalars()
    team: dict[int, list[CareTeamMember]] = defaultdict(list)
    for row in rows:
        team[row.patient_id].append(row)
    return {patient: tuple(members) for patient, members in team.items()}


def _covers(session: Session, horizon: Horizon) -> tuple[Cover, ...]:
    rows = session.execute(
        sa.select(Cover)
        .where(
            Cover.role == CoverRole.PRIMARY,
            Cover.withdrawn_at.is_(None),
            Cover.starts_on <= horizon.end_on,
            Cover.ends_on >= horizon.start_on,
        )
        .order_by(Cover.id)
    ).scalars()
    return tuple(rows)


def _reviews(session: Session, horizon: Horizon, patients: Iterable[int]) -> dict[int, tuple[CaseReview, ...]]:
    rows = session.execute(
        sa.select(CaseReview)
        .where(
            CaseReview.patient_id.in_(set(patients)),
            CaseReview.starts_on <= horizon.end_on,
            CaseReview.ends_on >= horizon.start_on,
        )
        .order_by(CaseReview.id)
    ).scalars()
    reviews: dict[int, list[CaseReview]] = defaultdict(list)
    for row in rows:
        reviews[row.patient_id].append(row)
    return {patient: tuple(mine) for patient, mine in reviews.items()}


def episode_of(patient: Patient, visit: Visit) -> Episode | None:
    """The episode that the visit belongs to."""
    return next((episode for episode in patient.episodes if episode.id == visit.episode_id), None)
