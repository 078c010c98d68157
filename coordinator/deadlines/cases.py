"""What the table of obligations looks at, read in bulk: a few queries for a branch, however many patients it has.

Each reader answers for a `Scope`, a whole branch or some of its patients, and is read once per scope.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

import sqlalchemy as sa

from coordinator.core.db import UtcDateTime
from coordinator.core.work import Work
from coordinator.deadlines.obligation import Asked
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER, LIVE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import (
    QUALIFYING,
    THERAPIES,
    Criterion,
    Determination,
    Discipline,
    OrderStatus,
    Payer,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import ComprehensiveAssessment, IdleInterval
from coordinator.orders.model import Order
from coordinator.orders.queries import AWAITS_SIGNATURE
from coordinator.patients.model import Coverage, Episode, Patient
from coordinator.referrals.model import CriterionDetermination, Referral
from coordinator.rules.therapy import QUALIFIED_THERAPISTS
from coordinator.staff.model import Clinician, Credential
from coordinator.visits.model import Supervision, Visit

#: Disciplines beside which an aide is supervised every fourteen days, and whose visits keep a plan of care alive.
SKILLED = QUALIFYING | {Discipline.OT}
#: Orders under which care was or may be given.
GIVEN = LIVE_ORDER | {OrderStatus.SUPERSEDED, OrderStatus.DISCONTINUED, OrderStatus.EXPIRED, OrderStatus.COMPLETED}
#: How long what ended is still looked at: what ending it asks for is due within.
_AFTERWARDS = timedelta(days=120)
#: How long a signature that came is still seen as the answer to what was asked.
_ANSWERED = timedelta(days=7)
#: Patients that one statement names.
_PIECE = 500

R = TypeVar("R")


@dataclass(slots=True)
class Scope:
    """Whose obligations are looked at: a branch's, or those of some of its patients."""

    work: Work
    branch_id: int
    asked: Asked
    patient_ids: frozenset[int] | None = None
    known: dict[Any, Any] = field(default_factory=dict)

    def has(self, column: Any) -> sa.ColumnElement[bool]:
        """Whether the column names a patient of this scope."""
        if self.patient_ids is not None:
            return column.in_(sorted(self.patient_ids))  # type: ignore[no-any-return]
        return column.in_(sa.select(Patient.id).where(Patient.branch_id == self.branch_id))  # type: ignore[no-any-return]

    def day(self, instant: datetime | None) -> date:
        """The branch's day of an instant that the query has asked to be there."""
        assert instant is not None
        return local_day(instant, self.asked.zone)


def _made(of: Callable[..., R], rows: Iterable[Any]) -> list[R]:
    """Each row as what it stands for; its columns are in the order of the fields."""
    return [of(*row) for row in rows]


def _pairs(rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Rows of two columns as pairs."""
    return ((row[0], row[1]) for row in rows)


def number_of(subject: str) -> int:
    """The number of the row that a subject names first: 7 of `referral:7:ELG-3`."""
    return int(subject.split(":")[1])


def batched(numbers: Sequence[R], size: int) -> Iterator[Sequence[R]]:
    """The numbers, or names, in lists that a statement can carry."""
    for begin in range(0, len(numbers), size):
        yield numbers[begin : begin + size]


def once(read: Callable[[Scope], R]) -> Callable[[Scope], R]:
    """Read once per scope."""

    @wraps(read)
    def reading(scope: Scope) -> R:
        if read not in scope.known:
            scope.known[read] = read(scope)
        found: R = scope.known[read]
        return found

    return reading


# ------------------------------------------------------------------------------------ episodes and their orders


@dataclass(frozen=True, slots=True)
class Line:
    """An order, as far as a due day depends on it. Days are the branch's."""

    id: int
    patient_id: int
    episode_id: int
    physician_id: int
    drafted_by_id: int | None
    replaces_id: int | None
    discipline: Discipline
    status: OrderStatus
    evaluate_and_treat: bool
    effective_from: date
    effective_to: date
    ended_on: date | None
    certification_number: int
    needed_by: date | None
    verbal_at: datetime | None
    receipt_signed: bool
    sent_at: datetime | None
    signed: bool
    awaits: bool

    @property
    def last(self) -> date:
        """The last day on which it holds."""
        return self.ended_on or self.effective_to

    @property
    def live(self) -> bool:
        """Whether care may be given under it."""
        return self.status in LIVE_ORDER

    def holds(self, day: date) -> bool:
        """Whether it is live on that day or from a later one."""
        return self.live and day <= self.last


@dataclass(frozen=True, slots=True)
class Stay:
    """An episode with its orders, oldest first."""

    id: int
    patient_id: int
    programme: Programme
    payer: Payer
    soc: date | None
    held_on: date | None
    discharged_on: date | None
    lines: Sequence[Line]

    @property
    def in_care(self) -> bool:
        return self.soc is not None and self.discharged_on is None


@once
def stays(scope: Scope) -> list[Stay]:
    """The episodes that are open, or ended lately."""
    ended = scope.asked.today - _AFTERWARDS
    rows = scope.work.session.execute(
        sa.select(
            Episode.id, Episode.patient_id, Episode.programme, Episode.payer, Episode.soc_date, Episode.on_hold_since,
            Episode.discharged_on,
        )
        .where(scope.has(Episode.patient_id), sa.or_(Episode.discharged_on.is_(None), Episode.discharged_on >= ended))
        .order_by(Episode.id)
    )  # fmt: skip
    of = defaultdict(list)
    for line in lines(scope):
        of[line.episode_id].append(line)
    return [
        Stay(
            row.id, row.patient_id, row.programme, row.payer, row.soc_date,
            None if row.on_hold_since is None else scope.day(row.on_hold_since), row.discharged_on, of[row.id],
        )
        for row in rows
    ]  # fmt: skip


@once
def lines(scope: Scope) -> list[Line]:
    """The orders that a due day may depend on: of open episodes, of those that ended lately, and all that wait for a
    signature or were given one lately.
    """
    since = scope.asked.today - _AFTERWARDS
    last = sa.func.coalesce(Order.ended_on, Order.effective_to)
    rows = scope.work.session.execute(
        sa.select(
            Order.id, Order.patient_id, Order.episode_id, Order.physician_id, Order.drafted_by_id, Order.replaces_id,
            Order.discipline, Order.status, Order.evaluate_and_treat, Order.effective_from, Order.effective_to,
            Order.ended_on, Order.certification_number, Order.needed_by, Order.verbal_received_at,
            sa.type_coerce(Order.responsible_signed_at.is_not(None), sa.Boolean), Order.sent_at,
            sa.type_coerce(Order.signed_at.is_not(None), sa.Boolean), sa.type_coerce(AWAITS_SIGNATURE, sa.Boolean),
        )
        .join(Episode, Episode.id == Order.episode_id)
        .where(
            scope.has(Order.patient_id),
            sa.or_(
                Episode.discharged_on.is_(None), last >= since, AWAITS_SIGNATURE,
                Order.signed_at >= scope.asked.now - _ANSWERED,
            ),
        )
        .order_by(Order.effective_from, Order.id)
    )  # fmt: skip
    return _made(Line, rows)


@dataclass(frozen=True, slots=True)
class Ahead:
    """An episode, and the day of the first visit under each of its orders that is made or stands on a roster."""

    stay: Stay
    first_on: Mapping[int, date]


def schedules(scope: Scope) -> list[Ahead]:
    """The episodes with the first visit of each live order: the patient has its schedule by then (VIS-05)."""
    rows = scope.work.session.execute(
        sa.select(
            Visit.order_id,
            sa.func.min(sa.func.coalesce(Visit.actual_start_at, Visit.starts_at), type_=UtcDateTime()),
        )
        .join(Order, Order.id == Visit.order_id)
        .where(
            scope.has(Visit.patient_id), Order.status.in_(sorted(LIVE_ORDER)),
            Visit.status.in_(sorted(LIVE_VISIT - {VisitStatus.PENDING})),
        )
        .group_by(Visit.order_id)
    )  # fmt: skip
    first_on = {row[0]: scope.day(row[1]) for row in rows}
    return [
        Ahead(stay, {line.id: first_on[line.id] for line in stay.lines if line.id in first_on}) for stay in stays(scope)
    ]


# ------------------------------------------------------------------------------------ what visits have shown


@dataclass(frozen=True, slots=True)
class Tally:
    """The first and last day on which visits of one kind were made."""

    first: date
    last: date


@once
def _tallies(scope: Scope) -> dict[tuple[int, int, int | None, Discipline, VisitKind, bool], Tally]:
    """By patient, episode, order, discipline, kind, and whether a therapist came: one row each, not one a visit."""
    qualified = Clinician.performer.in_(sorted(QUALIFIED_THERAPISTS)).label("therapist")
    kinds: tuple[Any, ...] = (
        Visit.patient_id, Visit.episode_id, Visit.order_id, Visit.discipline, Visit.kind, qualified,
    )  # fmt: skip
    rows = scope.work.session.execute(
        sa.select(
            *kinds,
            sa.func.min(Visit.actual_start_at, type_=UtcDateTime()),
            sa.func.max(Visit.actual_start_at, type_=UtcDateTime()),
        )
        .join(Clinician, Clinician.id == Visit.clinician_id)
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            scope.has(Visit.patient_id),
            Episode.discharged_on.is_(None),
            Visit.status.in_(sorted(DONE_VISIT)),
            Visit.actual_start_at.is_not(None),
        )
        .group_by(*kinds)
    )
    return {(*row[:5], bool(row[5])): Tally(scope.day(row[6]), scope.day(row[7])) for row in rows}


@once
def _by_episode(scope: Scope) -> dict[int, list[tuple[int | None, Discipline, VisitKind, bool, Tally]]]:
    found = defaultdict(list)
    for (_, episode_id, order_id, discipline, kind, therapist), tally in _tallies(scope).items():
        found[episode_id].append((order_id, discipline, kind, therapist, tally))
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """An episode with the days on which certain visits were made."""

    stay: Stay
    #: The last covered skilled visit (CERT-05).
    skilled_on: date | None
    #: Recertification and resumption assessments, earliest first.
    assessed_on: Sequence[date]
    #: The latest day up to which a practitioner held an interval without such a visit to be right (CERT-05).
    justified_until: date | None


@once
def seen(scope: Scope) -> list[Seen]:
    """The episodes in care with what visits have shown."""
    assessments = _assessments(scope)
    visits = _by_episode(scope)
    rows = scope.work.session.execute(
        sa.select(IdleInterval.episode_id, sa.func.max(IdleInterval.until))
        .where(scope.has(IdleInterval.patient_id))
        .group_by(IdleInterval.episode_id)
    )
    justified: dict[int, date] = dict(_pairs(rows))
    return [
        Seen(
            stay,
            max((one[4].last for one in visits.get(stay.id, ()) if one[1] in SKILLED), default=None),
            assessments.get(stay.id, ()),
            justified.get(stay.id),
        )
        for stay in stays(scope)
        if stay.in_care
    ]


def _assessments(scope: Scope) -> dict[int, list[date]]:
    rows = scope.work.session.execute(
        sa.select(Visit.episode_id, Visit.actual_start_at)
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            scope.has(Visit.patient_id),
            Episode.discharged_on.is_(None),
            Visit.kind.in_([VisitKind.RECERTIFICATION, VisitKind.RESUMPTION]),
            Visit.status.in_(sorted(DONE_VISIT)),
            Visit.actual_start_at.is_not(None),
        )
        .order_by(Visit.actual_start_at, Visit.id)
    )
    found = defaultdict(list)
    for episode_id, began in rows:
        found[episode_id].append(scope.day(began))
    filed = scope.work.session.execute(
        sa.select(ComprehensiveAssessment.episode_id, ComprehensiveAssessment.completed_on).where(
            scope.has(ComprehensiveAssessment.patient_id), ComprehensiveAssessment.serves_period.is_not(None)
        )
    )
    for episode_id, completed_on in filed:
        found[episode_id].append(completed_on)
    return {episode_id: sorted(days) for episode_id, days in found.items()}


@dataclass(frozen=True, slots=True)
class Therapy:
    """A therapy that is ordered for an episode, and when a therapist last evaluated or reassessed (THX-01)."""

    stay: Stay
    discipline: Discipline
    last_on: date | None


def therapies(scope: Scope) -> list[Therapy]:
    """The therapies under a live order; where nobody evaluated, the first visit winds the clock."""
    visits, found = _by_episode(scope), []
    for stay in stays(scope):
        ordered = {line.discipline for line in stay.lines if line.holds(scope.asked.today)} & THERAPIES
        for discipline in sorted(ordered) if stay.in_care else ():
            own = [one for one in visits.get(stay.id, ()) if one[1] is discipline]
            qualifying = [
                one[4].last for one in own if one[3] and one[2] in (VisitKind.EVALUATION, VisitKind.REASSESSMENT)
            ]
            last_on = max(qualifying) if qualifying else min((one[4].first for one in own), default=None)
            found.append(Therapy(stay, discipline, last_on))
    return found


@dataclass(frozen=True, slots=True)
class AideCare:
    """Aide care of a patient without a gap: since when, the first visit of it, and when it was last supervised."""

    patient_id: int
    first_on: date | None
    supervised_on: date | None
    #: A skilled service goes on beside it, or the programme asks for the short interval all the same.
    skilled: bool


def aide_care(scope: Scope) -> list[AideCare]:
    """Every patient for whom an aide order holds today or from a later day. A day without one winds the clock anew."""
    today, visits = scope.asked.today, _by_episode(scope)
    supervised = _supervised(scope)
    care: dict[int, list[Stay]] = defaultdict(list)
    for stay in stays(scope):
        if stay.discharged_on is None:
            care[stay.patient_id].append(stay)
    found = []
    for patient_id, own in care.items():
        every = [line for stay in own for line in stay.lines]
        aide = [line for line in every if line.discipline is Discipline.HHA]
        if not any(line.holds(today) for line in aide):
            continue
        since = _since(aide, today)
        first_on = None
        for stay in own:
            for _, discipline, kind, _, tally in visits.get(stay.id, ()):
                if discipline is Discipline.HHA and kind is not VisitKind.SUPERVISION:
                    day = tally.first if tally.first >= since else tally.last
                    if day >= since and (first_on is None or day < first_on):
                        first_on = day
        last = [day for day in supervised.get(patient_id, ()) if day >= since]
        skilled = any(line.discipline in SKILLED and line.holds(today) for line in every)
        closely = any(
            scope.asked.policy.profile(stay.programme, today).supervises_closely(skilled_service=skilled)
            for stay in own
            if any(line.discipline is Discipline.HHA for line in stay.lines)
        )
        found.append(AideCare(patient_id, first_on, max(last, default=None), closely))
    return found


def _since(lines: Sequence[Line], today: date) -> date:
    """The first day of the stretch of orders without a gap that holds today, or is the next to."""
    began: date | None = None
    upto = date.min
    for line in sorted((line for line in lines if line.status in GIVEN), key=lambda line: line.effective_from):
        if began is None or (line.effective_from - upto).days > 1:
            if began is not None and upto >= today:
                break
            began = line.effective_from
        upto = max(upto, line.last)
    return began or today


def _supervised(scope: Scope) -> dict[int, list[date]]:
    """The latest supervision of each patient's aides, by aide."""
    rows = scope.work.session.execute(
        sa.select(Supervision.patient_id, sa.func.max(Supervision.supervised_on))
        .where(scope.has(Supervision.patient_id))
        .group_by(Supervision.patient_id, Supervision.aide_id)
    )
    found = defaultdict(list)
    for patient_id, day in rows:
        found[patient_id].append(day)
    return found


@dataclass(frozen=True, slots=True)
class Concern:
    """A supervision at which a concern about the aide was noted."""

    id: int
    patient_id: int
    noted_on: date


def concerns(scope: Scope) -> list[Concern]:
    """The concerns of late."""
    rows = scope.work.session.execute(
        sa.select(Supervision.id, Supervision.patient_id, Supervision.supervised_on).where(
            scope.has(Supervision.patient_id),
            Supervision.concern.is_(True),
            Supervision.supervised_on >= scope.asked.today - _AFTERWARDS,
        )
    )
    return _made(Concern, rows)


@dataclass(frozen=True, slots=True)
class Note:
    """A visit that was made, whose note nobody has signed."""

    id: int
    patient_id: int
    made_at: datetime
    discipline: Discipline


def unsigned_notes(scope: Scope) -> list[Note]:
    """Visits made whose notes are not signed."""
    rows = scope.work.session.execute(
        sa.select(
            Visit.id, Visit.patient_id,
            sa.func.coalesce(Visit.actual_end_at, Visit.actual_start_at, type_=UtcDateTime()), Visit.discipline,
        )
        .where(
            scope.has(Visit.patient_id), Visit.status == VisitStatus.COMPLETED,
            sa.or_(Visit.actual_end_at.is_not(None), Visit.actual_start_at.is_not(None)),
        )
        .order_by(Visit.id)
    )  # fmt: skip
    return _made(Note, rows)


def signed_notes(scope: Scope, subjects: Sequence[str]) -> dict[str, str]:
    """Which of these visits have a signed note."""
    signed: dict[str, str] = {}
    for numbers in batched(sorted(number_of(subject) for subject in subjects), 500):
        rows = scope.work.session.execute(
            sa.select(Visit.id).where(
                Visit.id.in_(numbers), Visit.status.in_([VisitStatus.NOTE_SIGNED, VisitStatus.VERIFIED])
            )
        )
        signed |= {f"visit:{number}": "signed" for number in rows.scalars()}
    return signed


@dataclass(frozen=True, slots=True)
class Run:
    """Nursing on days without a gap up to today or yesterday (INT-02)."""

    patient_id: int
    first_on: date
    last_on: date
    #: A practitioner has said when it ends, or daily insulin is given.
    excused: bool


def nursing_runs(scope: Scope) -> list[Run]:
    """Runs of daily nursing that may reach the limit; who has had too few visits for that is not read."""
    today = scope.asked.today
    policy = scope.asked.policy.on(today).intermittent
    since = scope.asked.now - timedelta(days=policy.daily_run_days + 10)
    nursing = (
        scope.has(Visit.patient_id), Visit.discipline == Discipline.SN, Visit.status.in_(sorted(DONE_VISIT)),
        Visit.actual_start_at >= since,
    )  # fmt: skip
    # Counted first and read then: as one statement, a database that has no statistics yet counts anew for every row.
    many = scope.work.session.scalars(
        sa.select(Visit.patient_id)
        .where(*nursing)
        .group_by(Visit.patient_id)
        .having(sa.func.count() >= policy.daily_run_task_day - 3)
        .order_by(Visit.patient_id)
    ).all()
    days = defaultdict(set)
    for some in batched(many, _PIECE):
        rows = scope.work.session.execute(
            sa.select(Visit.patient_id, Visit.actual_start_at).where(*nursing, Visit.patient_id.in_(some))
        )
        for patient_id, began in rows:
            days[patient_id].add(scope.day(began))
    excused = _excused(scope) if days else set()
    found = []
    for patient_id, made in days.items():
        last = max(made)
        first = last
        while first - timedelta(days=1) in made:
            first -= timedelta(days=1)
        if (today - last).days <= 1:
            found.append(Run(patient_id, first, last, patient_id in excused))
    return found


def _excused(scope: Scope) -> set[int]:
    rows = scope.work.session.execute(
        sa.select(Order.patient_id)
        .where(
            scope.has(Order.patient_id),
            Order.discipline == Discipline.SN,
            Order.status.in_(sorted(LIVE_ORDER)),
            sa.or_(Order.daily_nursing_ends_on >= scope.asked.today, Order.daily_insulin.is_(True)),
        )
        .distinct()
    )
    return set(rows.scalars())


# ------------------------------------------------------------------------------------ criteria


@dataclass(frozen=True, slots=True)
class Answer:
    """The newest answer to a criterion of a patient in care."""

    referral_id: int
    patient_id: int
    criterion: Criterion
    answered_at: datetime
    review_on: date | None
    lost: bool


@once
def answers(scope: Scope) -> list[Answer]:
    """The newest answers that ask for something: to be reviewed soon, or no longer met after they were."""
    newest = _newest(scope)
    before = sa.orm.aliased(CriterionDetermination)
    previous = (
        sa.select(before.result)
        .where(
            before.referral_id == CriterionDetermination.referral_id,
            before.criterion == CriterionDetermination.criterion,
            before.id < CriterionDetermination.id,
        )
        .order_by(before.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    lost = sa.and_(
        CriterionDetermination.result == Determination.NOT_MET,
        sa.func.coalesce(previous, "") == Determination.MET.value,
    )
    soon = scope.asked.today + timedelta(days=scope.asked.policy.deadlines.criterion_review_days)
    rows = scope.work.session.execute(
        sa.select(
            CriterionDetermination.referral_id, Referral.patient_id, CriterionDetermination.criterion,
            CriterionDetermination.determined_at, CriterionDetermination.review_on,
            sa.type_coerce(lost, sa.Boolean),
        )
        .join(Referral, Referral.id == CriterionDetermination.referral_id)
        .join(Episode, Episode.referral_id == Referral.id)
        .where(
            CriterionDetermination.id.in_(newest),
            Episode.discharged_on.is_(None),
            sa.or_(CriterionDetermination.review_on <= soon, lost),
        )
        .order_by(CriterionDetermination.id)
    )  # fmt: skip
    return _made(Answer, rows)


def _newest(scope: Scope) -> sa.Select[Any]:
    """Numbers of the newest answer to each criterion of each referral."""
    return (
        sa.select(sa.func.max(CriterionDetermination.id))
        .join(Referral, Referral.id == CriterionDetermination.referral_id)
        .where(Referral.branch_id == scope.branch_id, Referral.patient_id.is_not(None), scope.has(Referral.patient_id))
        .group_by(CriterionDetermination.referral_id, CriterionDetermination.criterion)
    )  # fmt: skip


# ------------------------------------------------------------------------------------ coverage, and staff


@dataclass(frozen=True, slots=True)
class Covered:
    """An episode, and until when its payer pays without a gap; None, without end or never."""

    stay: Stay
    ends_on: date | None


def coverages(scope: Scope) -> list[Covered]:
    """Until when each open episode's payer covers its patient."""
    rows = scope.work.session.execute(
        sa.select(Coverage.patient_id, Coverage.payer, Coverage.starts_on, Coverage.ends_on)
        .where(scope.has(Coverage.patient_id))
        .order_by(Coverage.starts_on)
    )
    ends: dict[tuple[int, Payer], date] = {}
    for patient_id, payer, starts_on, ends_on in rows:
        known = ends.get((patient_id, payer))
        if known is None or (starts_on - known).days <= 1:
            last = ends_on or date.max
            ends[patient_id, payer] = last if known is None else max(known, last)
            if ends[patient_id, payer] == date.max:
                continue
        elif known < scope.asked.today <= (ends_on or date.max):
            ends[patient_id, payer] = ends_on or date.max  # a gap that is over
    found = []
    for stay in stays(scope):
        if stay.discharged_on is None:
            last = ends.get((stay.patient_id, stay.payer), date.max)
            found.append(Covered(stay, None if last == date.max else last))
    return found


@dataclass(frozen=True, slots=True)
class Licence:
    """A credential that runs out, and whether a later one of its kind is there."""

    id: int
    clinician_id: int
    kind: str
    expires_on: date
    renewed: bool


def credentials(scope: Scope) -> list[Licence]:
    """The credentials of the branch's clinicians at work that run out, whether renewed or not."""
    rows = scope.work.session.execute(
        sa.select(Credential.id, Credential.clinician_id, Credential.kind, Credential.expires_on)
        .join(Clinician, Clinician.id == Credential.clinician_id)
        .where(Clinician.branch_id == scope.branch_id, Clinician.active, Credential.status == "active")
        .order_by(Credential.id)
    ).all()
    latest: dict[tuple[int, str], tuple[date, int]] = {}
    for number, clinician_id, kind, expires_on in rows:
        mine = (expires_on or date.max, number)
        latest[clinician_id, kind] = max(latest.get((clinician_id, kind), mine), mine)
    return [
        Licence(number, clinician_id, kind, expires_on, latest[clinician_id, kind][1] != number)
        for number, clinician_id, kind, expires_on in rows
        if expires_on is not None
    ]
