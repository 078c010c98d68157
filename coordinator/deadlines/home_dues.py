"""What the patient's home and plan ask of the office: outings that look like no effort, orders from outside the plan,
papers that the patient cannot read.

HB-02, ELG-8 and LNG-01. All come from facts that a day's work leaves behind.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.core.db import UtcDateTime
from coordinator.deadlines.cases import Scope, number_of
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import Criterion, Programme
from coordinator.episodes.model import HomeAbsence, HomeboundAssessment
from coordinator.orders.model import Order
from coordinator.patients.model import Episode, Patient
from coordinator.rules.eligibility import ask_absences, ask_outside_orders
from coordinator.rules.facts import Absence
from coordinator.rules.language import ask_document
from coordinator.rules.terms import Severity
from coordinator.staff.model import Physician
from coordinator.visits.oversight_model import WrittenSchedule

# ------------------------------------------------------------------------------------ outings


@dataclass(frozen=True, slots=True)
class Outings:
    """The absences of an open episode since its homebound status was last assessed, as they were recorded."""

    patient_id: int
    episode_id: int
    #: The day on which each was recorded, and the absence.
    recorded: Sequence[tuple[date, Absence]]


def outings(scope: Scope) -> list[Outings]:
    """The absences that nobody has looked at yet, by episode, in the order in which they were recorded."""
    return [
        Outings(patient_id, episode_id, recorded)
        for (patient_id, episode_id), recorded in _absences(scope, seen=False).items()
    ]


def _absences(scope: Scope, *, seen: bool) -> dict[tuple[int, int], list[tuple[date, Absence]]]:
    """The absences after the latest assessment of each open episode; with `seen`, those up to it."""
    assessed = (
        sa.select(sa.func.max(HomeboundAssessment.assessed_on))
        .where(HomeboundAssessment.episode_id == HomeAbsence.episode_id)
        .scalar_subquery()
    )
    later = HomeAbsence.day > sa.func.coalesce(assessed, date(1900, 1, 1))
    rows = scope.work.session.execute(
        sa.select(
            HomeAbsence.patient_id, HomeAbsence.episode_id, HomeAbsence.recorded_at, HomeAbsence.day,
            HomeAbsence.purpose, HomeAbsence.minutes, HomeAbsence.taxing_effort,
        )
        .join(Episode, Episode.id == HomeAbsence.episode_id)
        .where(
            scope.has(HomeAbsence.patient_id), Episode.discharged_on.is_(None), HomeAbsence.withdrawn_at.is_(None),
            sa.not_(later) if seen else later,
        )
        .order_by(HomeAbsence.recorded_at, HomeAbsence.id)
    )  # fmt: skip
    found = defaultdict(list)
    for row in rows:
        absence = Absence(row.day, row.purpose.value, row.minutes, row.taxing_effort)
        found[row.patient_id, row.episode_id].append((scope.day(row.recorded_at), absence))
    return found


def homebound_review(seen: Outings, _asked: Asked) -> Iterator[Owed]:
    """HB-02: homebound status is looked at again on the day on which the log first showed a pattern."""
    due_on = _noticed_on(seen.recorded)
    if due_on is not None:
        yield Owed(f"episode:{seen.episode_id}:homebound", due_on, seen.patient_id)


def _noticed_on(recorded: Sequence[tuple[date, Absence]]) -> date | None:
    for count, (day, _) in enumerate(recorded, start=1):
        for finding in ask_absences([absence for _, absence in recorded[:count]], day):
            if finding.severity is Severity.TASK and isinstance(finding.due, date):
                return finding.due
    return None


def assessed_since(scope: Scope, subjects: Sequence[str]) -> dict[str, str]:
    """Which of these reviews are asked for no more because homebound status was assessed after the pattern."""
    seen = {
        episode_id
        for (_, episode_id), recorded in _absences(scope, seen=True).items()
        if _noticed_on(recorded) is not None
    }
    return {subject: "assessed" for subject in subjects if number_of(subject) in seen}


# ------------------------------------------------------------------------------------ orders from outside the plan


@dataclass(frozen=True, slots=True)
class OutsideOrder:
    """A live order by a practitioner outside the plan, for a patient whose programme asks for the plan's own."""

    id: int
    patient_id: int
    #: The day from which care was given under it.
    since: date


def outside_orders(scope: Scope) -> list[OutsideOrder]:
    """The live orders of practitioners outside the plan, where a programme directs all care by its own (ELG-8)."""
    rows = scope.work.session.execute(
        sa.select(
            Order.id, Order.patient_id, Episode.programme, Order.effective_from,
            sa.func.coalesce(Order.verbal_received_at, Order.signed_at, type_=UtcDateTime()).label("live_at"),
        )
        .join(Episode, Episode.id == Order.episode_id)
        .join(Physician, Physician.id == Order.physician_id)
        .where(
            scope.has(Order.patient_id), Order.status.in_(sorted(LIVE_ORDER)), Physician.is_kp.is_(False),
            Episode.discharged_on.is_(None),
        )
        .order_by(Order.id)
    )  # fmt: skip
    directed: dict[Programme, bool] = {}
    found = []
    for row in rows:
        if row.programme not in directed:
            profile = scope.asked.policy.profile(row.programme, scope.asked.today)
            directed[row.programme] = Criterion.DIRECTED in profile.criteria
        if directed[row.programme]:
            since = row.effective_from if row.live_at is None else scope.day(row.live_at)
            found.append(OutsideOrder(row.id, row.patient_id, since))
    return found


def outside_order(order: OutsideOrder, _asked: Asked) -> Iterator[Owed]:
    """ELG-8: on the day of such an order intake asks the managing physician to take it over."""
    for finding in ask_outside_orders(1, order.since):
        if finding.severity is Severity.TASK and isinstance(finding.due, date):
            yield Owed(f"order:{order.id}:outside", finding.due, order.patient_id)


# ------------------------------------------------------------------------------------ papers in another language


@dataclass(frozen=True, slots=True)
class Papers:
    """What a patient in care was given in writing, in the order of the days, and the language that they read."""

    patient_id: int
    written_language: str
    #: The day, and the language of what was given.
    given: Sequence[tuple[date, str]]


def papers(scope: Scope) -> list[Papers]:
    """The written schedules of patients in care."""
    rows = scope.work.session.execute(
        sa.select(
            WrittenSchedule.patient_id, Patient.written_language, WrittenSchedule.given_on, WrittenSchedule.language
        )
        .join(Patient, Patient.id == WrittenSchedule.patient_id)
        .where(
            scope.has(WrittenSchedule.patient_id),
            sa.exists().where(Episode.patient_id == Patient.id, Episode.discharged_on.is_(None)),
        )
        .order_by(WrittenSchedule.patient_id, WrittenSchedule.given_on, WrittenSchedule.id)
    )
    found: dict[tuple[int, str], list[tuple[date, str]]] = defaultdict(list)
    for patient_id, reads, given_on, language in rows:
        found[patient_id, reads].append((given_on, language))
    return [Papers(patient_id, reads, given) for (patient_id, reads), given in found.items()]


def unread(papers: Papers, asked: Asked) -> Iterator[Owed]:
    """LNG-01: what was given in a language that the patient does not read is given again in one that they do.

    It is owed from the first such paper on, and done with the first that the patient reads.
    """
    first = None
    for given_on, language in papers.given:
        found = ask_document(language, papers.written_language, given_on, asked.policy)
        if found is None:
            if first is not None:
                yield _translated(papers, first, met="given")
            first = None
        elif first is None:
            assert isinstance(found.due, date)
            first = found.due
    if first is not None:
        yield _translated(papers, first)


def _translated(papers: Papers, due_on: date, *, met: str | None = None) -> Owed:
    return Owed(
        f"patient:{papers.patient_id}:language", due_on, papers.patient_id, met=met,
        facts={"language": papers.written_language},
    )  # fmt: skip
