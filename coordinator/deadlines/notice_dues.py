"""Notices: of admission, to the payer (PAY-02); of coverage, to the patient, written or still asked for (DIS-04)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from coordinator.deadlines.care_dues import of_episode
from coordinator.deadlines.cases import SKILLED, Scope, Stay, batched, stays
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import LIVE_ORDER, LIVE_VISIT
from coordinator.domain.timeline import ONE_DAY, notice_of_admission_due
from coordinator.domain.vocabulary import NoticeKind, OrderStatus, VisitKind, VisitStatus
from coordinator.episodes.model import CoverageNotice
from coordinator.patients.model import Episode
from coordinator.rules.case import is_medicare
from coordinator.rules.discharge import NoticeFacts, Reason, notice_due
from coordinator.visits.model import Visit
from coordinator.visits.payment_model import AdmissionNotice

_COMING = LIVE_ORDER | {OrderStatus.SENT_FOR_SIGNATURE}
#: How long a delivered notice is still seen as the answer to what was asked.
_ANSWERED = timedelta(days=7)
_PIECE = 500


# ------------------------------------------------------------------------------------ of admission


@dataclass(frozen=True, slots=True)
class Admission:
    """An episode, and the day on which its payer was told of it."""

    stay: Stay
    submitted_on: date | None


def admissions(scope: Scope) -> list[Admission]:
    """Every episode, with its notice of admission."""
    rows = scope.work.session.execute(
        sa.select(AdmissionNotice.episode_id, AdmissionNotice.submitted_on)
        .join(Episode, Episode.id == AdmissionNotice.episode_id)
        .where(scope.has(Episode.patient_id))
    ).all()
    submitted = {row.episode_id: row.submitted_on for row in rows}
    return [Admission(stay, submitted.get(stay.id)) for stay in stays(scope)]


def admission(one: Admission, asked: Asked) -> Iterator[Owed]:
    """PAY-02: Medicare is told of the admission within five days; each day later costs a thirtieth of the payment."""
    stay = one.stay
    if stay.soc is not None and stay.in_care and is_medicare(stay.programme, stay.payer, asked.policy, asked.today):
        due_on = notice_of_admission_due(stay.soc)
        late = one.submitted_on is not None and one.submitted_on > due_on
        met = None if one.submitted_on is None else "submitted late" if late else "submitted"
        yield Owed(of_episode(stay), due_on, stay.patient_id, remind_on=(due_on - ONE_DAY,), met=met)


# ------------------------------------------------------------------------------------ written, and to be delivered


@dataclass(frozen=True, slots=True)
class Notice:
    """A written notice, its last day, and whether the patient has it."""

    id: int
    patient_id: int
    kind: NoticeKind
    due_on: date
    last_covered_on: date
    delivered_on: date | None


def notices(scope: Scope) -> list[Notice]:
    """The notices that wait for their patient, and those delivered lately; nobody gives one to a patient who died."""
    rows = scope.work.session.execute(
        sa.select(
            CoverageNotice.id, CoverageNotice.patient_id, CoverageNotice.kind, CoverageNotice.due_on,
            CoverageNotice.last_covered_on, CoverageNotice.delivered_on,
        )
        .join(Episode, Episode.id == CoverageNotice.episode_id)
        .where(
            scope.has(CoverageNotice.patient_id),
            CoverageNotice.withdrawn_at.is_(None),
            sa.or_(
                CoverageNotice.delivered_on.is_(None), CoverageNotice.delivered_on >= scope.asked.today - _ANSWERED
            ),
            sa.or_(Episode.discharge_reason.is_(None), Episode.discharge_reason != Reason.DEATH.value),
        )
        .order_by(CoverageNotice.id)
    )  # fmt: skip
    return [Notice(*row) for row in rows]


def delivery(notice: Notice, _asked: Asked) -> Iterator[Owed]:
    """DIS-04: a written notice is in the patient's hands by its day; it stays owed until it is."""
    yield Owed(
        f"notice:{notice.id}", notice.due_on, notice.patient_id, remind_on=(notice.due_on,),
        met=None if notice.delivered_on is None else "delivered late" if notice.delivered_on > notice.due_on
        else "delivered",
        facts={"kind": notice.kind.value, "ends_on": notice.last_covered_on.isoformat()},
    )  # fmt: skip


# ------------------------------------------------------------------------------------ an end that nobody announced


@dataclass(frozen=True, slots=True)
class Ending:
    """Covered services that end soon: the last covered day, and the visit before the last, where it is known."""

    stay: Stay
    last_on: date
    before_on: date | None
    #: A written notice tells of the end already.
    announced: bool


def endings(scope: Scope) -> list[Ending]:
    """Medicare's episodes whose covered orders run out soon, with the last two days on which somebody is to come."""
    soon = scope.asked.today + timedelta(days=2 * scope.asked.policy.deadlines.noncoverage_ahead_days)
    near: list[tuple[Stay, date]] = []
    for stay in stays(scope):
        if stay.in_care and is_medicare(stay.programme, stay.payer, scope.asked.policy):
            last = max(
                (line.last for line in stay.lines if line.status in _COMING and line.discipline in SKILLED),
                default=None,
            )
            if last is not None and scope.asked.today <= last <= soon:
                near.append((stay, last))
    if not near:
        return []
    announced = set(
        scope.work.session.execute(
            sa.select(CoverageNotice.episode_id).where(
                scope.has(CoverageNotice.patient_id),
                CoverageNotice.kind == NoticeKind.NOMNC,
                CoverageNotice.withdrawn_at.is_(None),
                CoverageNotice.last_covered_on >= scope.asked.today,
            )
        ).scalars()
    )
    visits = _visits(scope, [stay.id for stay, _ in near])
    return [Ending(stay, *_last_two(visits.get(stay.id), last, scope), stay.id in announced) for stay, last in near]


def _last_two(days: Sequence[date] | None, until: date, scope: Scope) -> tuple[date, date | None]:
    """The last covered day and the one before: of visits where all are placed, else the last day of the orders."""
    if not days or days[-1] < scope.asked.today:
        return until, None
    return days[-1], days[-2] if len(days) > 1 else None


def _visits(scope: Scope, episode_ids: Sequence[int]) -> dict[int, list[date]]:
    """The days of covered visits, earliest first, of the episodes of which every visit to come has its day."""
    days: dict[int, set[date]] = defaultdict(set)
    open_ones: set[int] = set()
    for numbers in batched(sorted(episode_ids), _PIECE):
        rows = scope.work.session.execute(
            sa.select(Visit.episode_id, Visit.status, Visit.starts_at, Visit.actual_start_at).where(
                Visit.episode_id.in_(numbers),
                Visit.discipline.in_(sorted(SKILLED)),
                Visit.kind != VisitKind.SUPERVISION,
                Visit.status.in_(sorted(LIVE_VISIT | {VisitStatus.PROPOSED, VisitStatus.ON_HOLD})),
            )
        )
        for episode_id, _, starts_at, began_at in rows:
            if began_at is None and starts_at is None:
                open_ones.add(episode_id)
            else:
                days[episode_id].add(scope.day(began_at or starts_at))
    return {number: sorted(found) for number, found in days.items() if number not in open_ones}


def unannounced(ending: Ending, asked: Asked) -> Iterator[Owed]:
    """DIS-04: two days before the last covered visit, or at the one before it where visits lie further apart."""
    if ending.announced:
        return
    facts = NoticeFacts(NoticeKind.NOMNC, ending.last_on, next_to_last_visit_on=ending.before_on)
    due_on = notice_due(facts, asked.policy)
    yield Owed(
        of_episode(ending.stay, "notice"), due_on, ending.stay.patient_id,
        opens_on=min(due_on, ending.last_on - timedelta(days=asked.policy.deadlines.noncoverage_ahead_days)),
        facts={"ends_on": ending.last_on.isoformat()},
    )  # fmt: skip
