"""Loading what the rules ask about visits: a fixed number of queries, however many visits there are.

`load` makes the book of cases (`book.CaseBook`); `Days` knows who comes before and after on a clinician's day.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.work import Work
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_VISIT, OWED_VISIT
from coordinator.domain.timeline import (
    local_day,
    minutes_by_day,
    week_start,
)
from coordinator.domain.vocabulary import (
    AssessmentKind,
    Criterion,
    Determination,
    Discipline,
    Eligibility,
    OrderStatus,
    OvertimeProfile,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import ComprehensiveAssessment
from coordinator.orders.facts import goals_set_by_therapist
from coordinator.orders.model import AideCarePlan, Order
from coordinator.orders.model import CaseReview as CaseReviewRow
from coordinator.orders.weeks import lay_out, rows_of
from coordinator.patients.enrolments import enrolled_elsewhere
from coordinator.patients.model import Authorisation, Episode, Home, Patient
from coordinator.referrals.model import CriterionDetermination, Referral
from coordinator.referrals.place import place_of
from coordinator.rules.facts import (
    CaseReview,
    NeighbourFacts,
)
from coordinator.rules.orders import TENTATIVE_ORDER
from coordinator.rules.work_facts import Stretch, Waivers, WorkFacts
from coordinator.rules.workday import worked_minutes
from coordinator.staff.model import Clinician
from coordinator.travel import ways
from coordinator.visits import held, oversight
from coordinator.visits.book import CaseBook, Instructions, Lookups, PatientBook, Placed
from coordinator.visits.model import Supervision, Visit
from coordinator.visits.oversight_model import AssistantSupervision, TherapistOfRecord

Point = tuple[float, float]


# ------------------------------------------------------------------------------------ loading

_FRESH = {"populate_existing": True}


def load(work: Work, visits: Iterable[Visit], clinicians: Iterable[Clinician] | None = None) -> CaseBook:
    """The book about these visits; a fixed number of queries however many there are.

    Rows are read afresh, so that what another transaction committed before our locks were had is seen. `clinicians` are
    read afresh as well; any clinician may be asked about.
    """
    session = work.session
    visits = list(visits)
    if clinicians is not None and (numbers := sorted({clinician.id for clinician in clinicians})):
        list(session.scalars(sa.select(Clinician).where(Clinician.id.in_(numbers)), execution_options=_FRESH))
    ids = sorted({visit.patient_id for visit in visits})
    books: dict[int, PatientBook] = {}
    for patient in session.scalars(sa.select(Patient).where(Patient.id.in_(ids)), execution_options=_FRESH).unique():
        books[patient.id] = PatientBook(patient, agency.zone_of(work, patient.branch_id))
    episodes = {episode.id: episode for book in books.values() for episode in book.patient.episodes}
    orders: dict[int, Order] = {}
    for order in session.scalars(
        sa.select(Order).where(Order.patient_id.in_(ids), Order.status != OrderStatus.VOID).order_by(Order.id),
        execution_options=_FRESH,
    ):
        orders[order.id] = order
        books[order.patient_id].orders.append(order)
    _load_placed(work, books, ids)
    _load_aide_care(work, books, ids)
    for leave in session.scalars(
        sa.select(Authorisation).where(Authorisation.patient_id.in_(ids)).order_by(Authorisation.id),
        execution_options=_FRESH,
    ):
        books[leave.patient_id].authorisations.append(leave)
    for patient_id, enrolled in enrolled_elsewhere(work, ids).items():
        books[patient_id].enrolments = enrolled
    visit_ids = [visit.id for visit in visits if visit.id is not None]
    extra = Lookups(
        episodes=episodes,
        orders=orders,
        referred={
            number: frozenset(Discipline(word) for word in words)
            for number, words in session.execute(
                sa.select(Referral.id, Referral.disciplines).where(
                    Referral.id.in_(sorted({episode.referral_id or 0 for episode in episodes.values()}))
                )
            )
        },
        open_criteria=_open_criteria(
            work, [episode for episode in episodes.values() if episode.eligibility != "eligible"]
        ),
        goals=goals_set_by_therapist(work, orders.values()),
        with_companion=set(
            session.scalars(
                sa.select(Visit.joint_with_id).where(
                    Visit.joint_with_id.in_(visit_ids), Visit.is_current, Visit.status.in_(LIVE_VISIT)
                )
            )
        )
        - {None},  # type: ignore[arg-type]
        assessed=set(
            session.scalars(
                sa.select(ComprehensiveAssessment.episode_id).where(
                    ComprehensiveAssessment.patient_id.in_(ids),
                    ComprehensiveAssessment.kind == AssessmentKind.START_OF_CARE,
                )
            )
        ),
        branches={
            branch.id: branch
            for branch in session.scalars(
                sa.select(Branch).where(Branch.id.in_({book.patient.branch_id for book in books.values()}))
            )
        },
        laid_out={
            order.id: rows_of(lay_out(work, order, episodes[order.episode_id]).weeks)
            for order in orders.values()
            if order.status in TENTATIVE_ORDER and not order.weeks
        },
    )
    oversight.look_up(work, books.values(), extra)
    return CaseBook(work, books, extra)


def _load_placed(work: Work, books: dict[int, PatientBook], ids: list[int]) -> None:
    """Whatever counts: placed visits, as-needed visits asked for, and resumption visits still to be made."""
    rows = work.session.execute(
        sa.select(
            Visit.id, Visit.patient_id, Visit.episode_id, Visit.order_id, Visit.order_week_id, Visit.discipline,
            Visit.kind, Visit.status, Visit.starts_at, Visit.ends_at, Visit.actual_start_at, Visit.actual_end_at,
            Visit.joint_with_id, Visit.window_from, Visit.clinician_id, Clinician.performer,
        )
        .outerjoin(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            Visit.patient_id.in_(ids),
            sa.or_(
                Visit.status.in_(LIVE_VISIT),
                sa.and_(Visit.status == VisitStatus.PROPOSED, Visit.kind == VisitKind.PRN),
                sa.and_(Visit.kind == VisitKind.RESUMPTION, Visit.is_current, Visit.status.in_(OWED_VISIT)),
            ),
        )
        .order_by(Visit.id)
    )  # fmt: skip
    for row in rows:
        book = books[row.patient_id]
        begins, ends = row.starts_at, row.ends_at
        if row.status in DONE_VISIT and row.actual_start_at and row.actual_end_at:
            begins, ends = row.actual_start_at, row.actual_end_at
        book.placed.append(
            Placed(
                id=row.id,
                episode_id=row.episode_id,
                order_id=row.order_id,
                order_week_id=row.order_week_id,
                discipline=row.discipline,
                kind=row.kind,
                status=row.status,
                day=local_day(begins, book.zone) if begins is not None else None,
                joint=row.joint_with_id is not None,
                clinician_id=row.clinician_id,
                performer=row.performer,
                minutes=minutes_by_day(begins, ends, book.zone) if begins is not None and begins < ends else {},
            )
        )
    for book in books.values():
        book.count()


def _load_aide_care(work: Work, books: dict[int, PatientBook], ids: list[int]) -> None:
    session = work.session
    plans = sa.select(AideCarePlan, Clinician.performer).join(Clinician, Clinician.id == AideCarePlan.prepared_by_id)
    for plan, performer in session.execute(plans.where(AideCarePlan.patient_id.in_(ids))):
        books[plan.patient_id].plans.append(
            Instructions(plan.id, plan.number, plan.effective_from, performer, frozenset(plan.tasks))
        )
    stood_behind = sa.select(
        AssistantSupervision.patient_id, Clinician.performer, AssistantSupervision.supervised_on
    ).join(Clinician, Clinician.id == AssistantSupervision.assistant_id)
    for patient_id, performer, day in session.execute(stood_behind.where(AssistantSupervision.patient_id.in_(ids))):
        books[patient_id].assistants_supervised.append((performer, day))
    for row in session.scalars(sa.select(TherapistOfRecord).where(TherapistOfRecord.patient_id.in_(ids))):
        books[row.patient_id].therapists.append((row.discipline, row.starts_on, row.clinician_id))
    supervised = sa.select(Supervision.patient_id, Supervision.supervised_on)
    for patient_id, day in session.execute(supervised.where(Supervision.patient_id.in_(ids))):
        books[patient_id].supervised.append(day)
    for review in session.scalars(sa.select(CaseReviewRow).where(CaseReviewRow.patient_id.in_(ids))):
        books[review.patient_id].reviews.append(
            CaseReview(f"user:{review.approved_by_id}", review.starts_on, review.ends_on)
        )


def _open_criteria(work: Work, episodes: Iterable[Episode]) -> dict[int, tuple[Criterion, ...]]:
    """The criteria that the newest determinations leave open, for the sentence that refuses."""
    by_referral = {
        episode.referral_id: episode
        for episode in episodes
        if episode.referral_id is not None and episode.eligibility != Eligibility.ELIGIBLE
    }
    newest: dict[int, dict[Criterion, Determination]] = defaultdict(dict)
    rows = work.session.execute(
        sa.select(CriterionDetermination.referral_id, CriterionDetermination.criterion, CriterionDetermination.result)
        .where(CriterionDetermination.referral_id.in_(sorted(number for number in by_referral if number is not None)))
        .order_by(CriterionDetermination.id)
    )
    for referral_id, criterion, result in rows:
        newest[referral_id][criterion] = result
    return {
        episode.id: tuple(
            criterion
            for criterion in work.policy.profile(episode.programme).criteria
            if newest[number or 0].get(criterion) is not Determination.MET
        )
        for number, episode in by_referral.items()
    }


# ------------------------------------------------------------------------------------ the clinician's day


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where a clinician is for a while."""

    #: Negative for a slot that is held for a referral.
    visit_id: int
    starts_at: datetime
    ends_at: datetime
    point: Point | None
    day: date


@dataclass(frozen=True, slots=True)
class Employed:
    """How a clinician is employed, and where their day begins and ends if that is the office, which is work."""

    profile: OvertimeProfile
    first_waived_on: date | None
    second_waived_on: date | None
    begins_at: Point | None
    ends_at: Point | None


class Days:
    """The days of some clinicians, for who comes before and after and for how long they work (LAB-01 to LAB-04).

    Read after their locks are had.
    """

    def __init__(self, work: Work, clinician_ids: Iterable[int], begins: datetime, ends: datetime) -> None:
        self._work = work
        clinician_ids = sorted(set(clinician_ids))
        self._stops: dict[int, list[Stop]] = defaultdict(list)
        self._ways: dict[tuple[Point | None, Point | None], int] = {}
        self._worked: dict[tuple[int, date], int] = {}
        #: The workweeks of both ends, whatever the zone and the weekday on which they begin.
        slack = timedelta(days=8)
        rows = work.session.execute(
            sa.select(Visit.id, Visit.clinician_id, Visit.starts_at, Visit.ends_at, Visit.branch_id, Home.lat, Home.lon)
            .outerjoin(Home, Home.patient_id == Visit.patient_id)
            .where(
                Visit.clinician_id.in_(clinician_ids),
                Visit.status.in_(LIVE_VISIT),
                Visit.starts_at < ends + slack,
                Visit.ends_at > begins - slack,
            )
            .order_by(Visit.starts_at, Visit.id)
        )
        for row in rows:
            if row.clinician_id is None or row.starts_at is None or row.ends_at is None:
                continue
            zone = agency.zone_of(work, row.branch_id)
            point = None if row.lat is None or row.lon is None else (row.lat, row.lon)
            day = local_day(row.starts_at, zone)
            self._stops[row.clinician_id].append(Stop(row.id, row.starts_at, row.ends_at, point, day))
        for hold, referral in held.standing(work, clinician_ids, begins - slack, ends + slack):
            point = place_of(work, referral)
            zone = agency.zone_of(work, hold.branch_id)
            self._stops[hold.clinician_id].append(
                Stop(-hold.id, hold.starts_at, hold.ends_at, point, local_day(hold.starts_at, zone))
            )
        self._employed = _employed(work, clinician_ids)

    def around(
        self,
        clinician_id: int,
        starts_at: datetime,
        ends_at: datetime,
        point: Point | None,
        day: date,
        without: frozenset[int] = frozenset(),
    ) -> NeighbourFacts:
        """The stops before and after that time on that day, how far off, and the day at work with and without it; 0
        minutes where a place is unknown.
        """
        every = self._stops.get(clinician_id, ())
        stops = [stop for stop in every if stop.visit_id not in without and stop.day == day]
        before = max(
            (stop for stop in stops if stop.starts_at < starts_at), key=lambda stop: stop.ends_at, default=None
        )
        after = min((stop for stop in stops if stop.starts_at >= starts_at), key=lambda s: s.starts_at, default=None)
        return NeighbourFacts(
            previous_ends_at=before.ends_at if before else None,
            travel_from_previous=self._way(before.point, point) if before else 0,
            next_starts_at=after.starts_at if after else None,
            travel_to_next=self._way(point, after.point) if after else 0,
            work=self._work_facts(clinician_id, Stop(0, starts_at, ends_at, point, day), stops, without),
        )

    def _way(self, here: Point | None, there: Point | None) -> int:
        known = self._ways.get((here, there))
        if known is None:
            known = self._ways[here, there] = ways.minutes(self._work, here, there)
        return known

    def _work_facts(
        self, clinician_id: int, asked: Stop, others: list[Stop], without: frozenset[int]
    ) -> WorkFacts | None:
        employed = self._employed.get(clinician_id)
        if employed is None or employed.profile is OvertimeProfile.EXEMPT:
            return None
        first = week_start(asked.day, self._work.policy.on(asked.day).weeks.workweek_anchor)
        days = {stop.day for stop in self._stops.get(clinician_id, ()) if stop.visit_id not in without} - {asked.day}
        with_it, lead, tail = self._stretches(employed, [*others, asked])
        without_it, others_lead, others_tail = self._stretches(employed, others)
        return WorkFacts(
            day=asked.day,
            week_first=first,
            stops=with_it,
            others=without_it,
            lead=lead,
            tail=tail,
            others_lead=others_lead,
            others_tail=others_tail,
            week_minutes={
                day: self._minutes_of(clinician_id, employed, day, without)
                for day in sorted(days)
                if first <= day < first + timedelta(days=7)
            },
            profile=employed.profile,
            waivers=_waivers(employed, asked.day),
        )

    def _minutes_of(self, clinician_id: int, employed: Employed, day: date, without: frozenset[int]) -> int:
        here = [stop for stop in self._stops.get(clinician_id, ()) if stop.day == day]
        kept = [stop for stop in here if stop.visit_id not in without]
        if len(kept) == len(here) and (clinician_id, day) in self._worked:
            return self._worked[clinician_id, day]
        stretches, lead, tail = self._stretches(employed, kept)
        labour = self._work.policy.on(day).labour
        minutes = worked_minutes(stretches, lead, tail, _waivers(employed, day), labour)
        if len(kept) == len(here):
            self._worked[clinician_id, day] = minutes
        return minutes

    def _stretches(self, employed: Employed, stops: Iterable[Stop]) -> tuple[tuple[Stretch, ...], int, int]:
        """The stops in order with the ways between them, and the minutes from and to the office."""
        ordered = sorted(stops, key=lambda stop: (stop.starts_at, stop.ends_at))
        if not ordered:
            return (), 0, 0
        stretches = [Stretch(ordered[0].starts_at, ordered[0].ends_at)]
        for before, after in pairwise(ordered):
            stretches.append(Stretch(after.starts_at, after.ends_at, self._way(before.point, after.point)))
        lead = 0 if employed.begins_at is None else self._way(employed.begins_at, ordered[0].point)
        tail = 0 if employed.ends_at is None else self._way(ordered[-1].point, employed.ends_at)
        return tuple(stretches), lead, tail


def _waivers(employed: Employed, day: date) -> Waivers:
    return Waivers(
        first=employed.first_waived_on is not None and employed.first_waived_on <= day,
        second=employed.second_waived_on is not None and employed.second_waived_on <= day,
    )


def _employed(work: Work, clinician_ids: Sequence[int]) -> dict[int, Employed]:
    rows = work.session.execute(
        sa.select(
            Clinician.id, Clinician.ot_profile, Clinician.first_meal_waived_on, Clinician.second_meal_waived_on,
            Clinician.start_lat, Clinician.start_lon, Clinician.end_lat, Clinician.end_lon,
            Branch.office_lat, Branch.office_lon,
        )
        .join(Branch, Branch.id == Clinician.branch_id)
        .where(Clinician.id.in_(clinician_ids))
    )  # fmt: skip
    found = {}
    for row in rows:
        office = (row.office_lat, row.office_lon)
        found[row.id] = Employed(
            row.ot_profile,
            row.first_meal_waived_on,
            row.second_meal_waived_on,
            office if (row.start_lat, row.start_lon) == office else None,
            office if (row.end_lat, row.end_lon) == office else None,
        )
    return found


def point_of(patient: Patient) -> Point | None:
    """Where the patient lives, if it is known."""
    home = patient.home
    return None if home is None or home.lat is None or home.lon is None else (home.lat, home.lon)
