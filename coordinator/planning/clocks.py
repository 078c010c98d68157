"""Clocks become demand: dated obligations ride on visits that are wanted anyway, and only else ask for one.

Before a run reads its days, each open obligation that a visit can meet is given to one (`attach`); the bridge then
keeps that visit on days on which it counts and with somebody who may do it (`narrow`). When the visit is made and the
obligation closes, the next look ends what the visit carried.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.work import Work
from coordinator.deadlines.cases import batched
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import VisitBooked, VisitCancelled, VisitMissed, VisitMoved
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import DeadlineStatus, Discipline, Performer, VisitKind, VisitStatus, WaiveReason
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.planning.answers import Answers
from coordinator.planning.horizon import Horizon
from coordinator.planning.scene import Scene
from coordinator.rules.carrying import (
    CARRIED,
    Candidate,
    Carrying,
    ask_carried_by,
    ask_carried_day,
    carrying,
    choose,
    days_of,
    fits,
    performers_of,
)
from coordinator.rules.terms import Policy
from coordinator.staff.model import Clinician
from coordinator.visits import units
from coordinator.visits.duty_model import VisitDuty
from coordinator.visits.model import Visit

#: Minutes of a visit that is made for a supervision alone.
SUPERVISION_MINUTES = 30
#: Visits that one statement changes.
_PIECE = 500
_OPEN = units.AHEAD | {VisitStatus.PROPOSED}
Changed = VisitBooked | VisitMoved | VisitCancelled | VisitMissed


# ------------------------------------------------------------------------------------ giving obligations to visits


def attach(work: Work, branch_id: int, horizon: Horizon) -> None:
    """Every open obligation of the branch that comes up in these days rides on a visit, where one can carry it.

    Asked by the run before it reads, in a transaction of its own; asked twice, nothing changes.
    """
    today = agency.today(work, branch_id)
    rows = _open_rows(work, branch_id)
    carried = _carried(work, branch_id)
    nursing = _nursing(work, {row.patient_id for row in rows})
    ways = {row.id: _way(row, today, work.policy, nursing) for row in rows}
    visits = _visits(work, {row.patient_id for row in rows} | {visit.patient_id for _, visit in carried})
    standing = _settle(work, carried, ways, visits)
    # Visit -> rules whose obligations it carries: kept along, for looking through all that stands costs its square.
    taken: dict[int, set[str]] = defaultdict(set)
    for visit_id, rule in standing.values():
        taken[visit_id].add(rule)
    given: list[tuple[Deadline, Carrying, Candidate]] = []
    alone: list[tuple[Deadline, Carrying]] = []
    for row in rows:
        wanted = ways[row.id]
        if wanted is None or row.id in standing or wanted.best_from > horizon.end_on:
            continue
        mine = {one.visit_id: one for one in visits.get(row.patient_id or 0, ())}
        chosen = choose(wanted, [one for one in mine.values() if _is_free(wanted, one, taken)])
        if chosen is not None:
            given.append((row, wanted, chosen))
            taken[chosen.visit_id].add(wanted.rule)
        elif wanted.alone and wanted.last_on >= horizon.start_on:
            alone.append((row, wanted))
    work.session.flush()  # what is carried no more is over before another visit carries it
    _carry(work, given)
    _raise(work, alone)


def _is_free(wanted: Carrying, one: Candidate, taken: Mapping[int, set[str]]) -> bool:
    """A visit is planned as one thing: the reassessment and the recertification are not made in one breath."""
    return wanted.kind is None or one.kind is wanted.kind or not taken.get(one.visit_id, set()) - {wanted.rule}


def _open_rows(work: Work, branch_id: int) -> list[Deadline]:
    query = sa.select(Deadline).where(
        Deadline.branch_id == branch_id,
        Deadline.status == DeadlineStatus.OPEN,
        Deadline.rule.in_(CARRIED),
        Deadline.patient_id.is_not(None),
    )
    return list(work.session.scalars(query.order_by(Deadline.due_on, Deadline.id)))


def _carried(work: Work, branch_id: int) -> list[tuple[VisitDuty, Visit]]:
    # Visits before what they carry: whoever books one by hand takes them in that order.
    work.session.execute(
        sa.select(Visit.id)
        .where(
            Visit.branch_id == branch_id,
            Visit.id.in_(sa.select(VisitDuty.visit_id).where(VisitDuty.ended_at.is_(None))),
        )
        .order_by(Visit.id)
        .with_for_update(key_share=True)
    ).all()
    rows = work.session.execute(
        sa.select(VisitDuty, Visit)
        .join(Visit, Visit.id == VisitDuty.visit_id)
        .where(Visit.branch_id == branch_id, VisitDuty.ended_at.is_(None))
        .order_by(VisitDuty.id)
        .with_for_update(of=VisitDuty)
    )
    return [(row.VisitDuty, row.Visit) for row in rows]


def _nursing(work: Work, patients: Iterable[int | None]) -> set[int]:
    """Those of the patients who have a live nursing order: the nurse supervises their aide."""
    query = sa.select(Order.patient_id).where(
        Order.patient_id.in_(sorted({number for number in patients if number is not None})),
        Order.discipline == Discipline.SN,
        Order.status.in_(LIVE_ORDER),
    )
    return set(work.session.scalars(query))


def _way(row: Deadline, today: date, policy: Policy, nursing: set[int]) -> Carrying | None:
    facts = row.facts
    if facts.get("task") == "observe-aide-here":
        return None  # both the nurse and the aide have to be there: no visit of one of them carries it
    discipline, performer, begins = facts.get("discipline"), facts.get("performer"), facts.get("window_from")
    return carrying(
        row.rule, row.due_on, today, policy,
        discipline=Discipline(discipline) if discipline else None,
        performer=Performer(performer) if performer else None,
        nursing_active=row.patient_id in nursing,
        window_from=date.fromisoformat(begins) if begins else None,
    )  # fmt: skip


def _visits(work: Work, patients: Iterable[int | None]) -> Mapping[int, list[Candidate]]:
    """What the patients have ahead: wanted, held or booked, but for second persons' visits."""
    rows = work.session.execute(
        sa.select(Visit, Clinician.performer)
        .outerjoin(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            Visit.patient_id.in_(sorted({number for number in patients if number is not None})),
            Visit.is_current,
            Visit.status.in_(_OPEN),
            Visit.joint_with_id.is_(None),
            sa.or_(Visit.starts_at.is_(None), Visit.starts_at > work.now),
        )
        .order_by(Visit.id)
        .with_for_update(of=Visit, key_share=True),
        execution_options={"populate_existing": True},
    )
    found: dict[int, list[Candidate]] = defaultdict(list)
    for visit, performer in rows:
        zone = agency.zone_of(work, visit.branch_id)
        found[visit.patient_id].append(
            Candidate(
                visit.id, visit.discipline, visit.kind, visit.window_from, visit.window_to, visit.is_optional,
                local_day(visit.starts_at, zone) if visit.starts_at is not None else None, performer,
            )
        )  # fmt: skip
    return found


def _carry(work: Work, given: Sequence[tuple[Deadline, Carrying, Candidate]]) -> None:
    """Each of these visits carries the obligation, and is planned as what meets it."""
    kinds: dict[int, VisitKind] = {}
    duties = []
    for row, wanted, chosen in given:
        changes = wanted.kind is not None and kinds.get(chosen.visit_id, chosen.kind) is VisitKind.ROUTINE
        if changes and wanted.kind is not None:
            kinds[chosen.visit_id] = wanted.kind
        before = VisitKind.ROUTINE if changes else None
        duties.append(_duty(work, row, chosen.visit_id, days_of(wanted, chosen), before=before))
    of_kind: dict[VisitKind, list[int]] = defaultdict(list)
    for visit_id, kind in sorted(kinds.items()):
        of_kind[kind].append(visit_id)
    for kind, numbers in of_kind.items():
        for some in batched(numbers, _PIECE):
            work.session.execute(
                sa.update(Visit).where(Visit.id.in_(some)).values(kind=kind, version=Visit.version + 1)
            )
    if duties:
        work.session.execute(sa.insert(VisitDuty), duties)


def _duty(
    work: Work, row: Deadline, visit_id: int, days: tuple[date, date], *, before: VisitKind | None = None,
    raised: bool = False,
) -> dict[str, Any]:  # fmt: skip
    work.record("visit.carries", f"visit:{visit_id}", patient_id=row.patient_id, rule=row.rule, deadline=row.id)
    return {
        "visit_id": visit_id, "deadline_id": row.id, "rule": row.rule, "first_on": days[0], "last_on": days[1],
        "kind_before": before, "raised": raised, "attached_at": work.now,
    }  # fmt: skip


def _raise(work: Work, alone: Sequence[tuple[Deadline, Carrying]]) -> None:
    """A supervisory visit of its own for each, where nothing is wanted that could carry the supervision."""
    patients = sorted({row.patient_id for row, _ in alone if row.patient_id is not None})
    query = sa.select(Episode.patient_id, Episode.id).where(
        Episode.patient_id.in_(patients),
        Episode.discharged_on.is_(None),
        Episode.on_hold_since.is_(None),
        Episode.soc_date.is_not(None),
    )
    # The latest of each patient.
    episodes: dict[int, int] = {row.patient_id: row.id for row in work.session.execute(query.order_by(Episode.id))}
    therapies = _therapies(work, episodes.values())
    raised = [
        (
            row,
            wanted,
            units.wanted(
                work, branch_id=row.branch_id, patient_id=row.patient_id, episode_id=episodes[row.patient_id],
                # A therapy that has a live order, for a case without nursing.
                discipline=next(
                    (one for one in wanted.disciplines if one in therapies[episodes[row.patient_id]]),
                    wanted.disciplines[0],
                ),
                kind=VisitKind.SUPERVISION, window_from=wanted.best_from, window_to=wanted.last_on,
                minutes=SUPERVISION_MINUTES,
            ),
        )
        for row, wanted in alone
        if row.patient_id in episodes
    ]  # fmt: skip
    work.session.flush()  # what they carry names their numbers
    duties = []
    for row, wanted, visit in raised:
        work.record("visit.requested", f"visit:{visit.id}", patient_id=visit.patient_id, kind=visit.kind.value)
        duties.append(_duty(work, row, visit.id, (wanted.best_from, wanted.last_on), raised=True))
    if duties:
        work.session.execute(sa.insert(VisitDuty), duties)


def _therapies(work: Work, episodes: Iterable[int]) -> Mapping[int, set[Discipline]]:
    """The disciplines that have a live order, by episode."""
    found: dict[int, set[Discipline]] = defaultdict(set)
    query = sa.select(Order.episode_id, Order.discipline).where(
        Order.episode_id.in_(sorted(episodes)), Order.status.in_(LIVE_ORDER)
    )
    for episode_id, discipline in work.session.execute(query):
        found[episode_id].add(discipline)
    return found


# ------------------------------------------------------------------------------------ ending what is carried


def _settle(
    work: Work,
    carried: Sequence[tuple[VisitDuty, Visit]],
    ways: Mapping[int, Carrying | None],
    visits: Mapping[int, Sequence[Candidate]],
) -> dict[int, tuple[int, str]]:
    """End what is over or cannot be met where it is; the rest, by deadline: (visit, rule)."""
    standing: dict[int, tuple[int, str]] = {}
    over = sorted({duty.deadline_id for duty, _ in carried if ways.get(duty.deadline_id) is None})
    query = sa.select(Deadline.id, Deadline.status).where(Deadline.id.in_(over))
    statuses = {row.id: row.status for row in work.session.execute(query)}
    for duty, visit in carried:
        wanted = ways.get(duty.deadline_id)
        now = next((one for one in visits.get(visit.patient_id, ()) if one.visit_id == visit.id), None)
        if wanted is None:
            met = statuses[duty.deadline_id] is DeadlineStatus.DONE and visit.status in DONE_VISIT
            _end(work, duty, visit, "met" if met else "released")
        elif visit.status in DONE_VISIT or now is None or not _still(wanted, duty, now):
            _end(work, duty, visit, "released")
        else:
            standing[duty.deadline_id] = (visit.id, duty.rule)
    return standing


def _still(wanted: Carrying, duty: VisitDuty, now: Candidate) -> bool:
    """Whether the visit can still meet it, where it is placed and as it is planned by now."""
    as_planned = wanted.kind is None or duty.kind_before is None or now.kind is wanted.kind
    in_time = wanted.first_on <= duty.last_on <= wanted.last_on
    return as_planned and in_time and fits(wanted, now)


def _end(work: Work, duty: VisitDuty, visit: Visit, outcome: str) -> None:
    duty.ended_at, duty.outcome = work.now, outcome
    if outcome == "released" and duty.kind_before is not None and visit.status in _OPEN:
        visit.kind = duty.kind_before
    if duty.raised and visit.status is VisitStatus.PROPOSED and visit.unit is None and visit.is_current:
        units.withdraw(work, visit, WaiveReason.MADE_UP_ELSEWHERE)
    work.record(
        "visit.carried", f"visit:{visit.id}", patient_id=visit.patient_id, rule=duty.rule, outcome_of_it=outcome
    )


def on_visit_changed(work: Work, event: Changed) -> None:
    """A visit that was booked, moved or lost, and cannot meet any more what it carried, carries it no longer.

    The obligation waits for the next run, or for whoever books a visit for it.
    """
    visit = fetch(work.session, Visit, event.visit_id, "visit")
    duties = duties_of(work, [visit]).get(visit.id)
    if not duties:
        return
    work.session.flush()  # where the visit stands now is read from the database
    today, nursing = agency.today(work, visit.branch_id), _nursing(work, [visit.patient_id])
    now = next(
        (one for one in _visits(work, [visit.patient_id]).get(visit.patient_id, ()) if one.visit_id == visit.id), None
    )
    for duty in duties:
        row = fetch(work.session, Deadline, duty.deadline_id, "deadline")
        wanted = _way(row, today, work.policy, nursing) if row.status is DeadlineStatus.OPEN else None
        if wanted is not None and (now is None or not _still(wanted, duty, now)):
            _end(work, duty, visit, "released")


# ------------------------------------------------------------------------------------ what the planner sees


def duties_of(work: Work, visits: Iterable[Visit]) -> dict[int, list[VisitDuty]]:
    """What each of these visits carries, by visit."""
    numbers = sorted(visit.id for visit in visits if visit.id > 0)
    if not numbers:
        return {}
    found: dict[int, list[VisitDuty]] = defaultdict(list)
    query = sa.select(VisitDuty).where(VisitDuty.visit_id.in_(numbers), VisitDuty.ended_at.is_(None))
    for duty in work.session.scalars(query.order_by(VisitDuty.id)):
        found[duty.visit_id].append(duty)
    return dict(found)


def narrow(
    scene: Scene, answers: Mapping[int, Answers], duties: Mapping[int, Sequence[VisitDuty]], policy: Policy
) -> None:
    """Days and people with whom a visit would not meet what it carries are closed to it, in the rule's words.

    Where nothing would be left, the visit matters more than the obligation: it is planned as if it carried nothing.
    """
    for visit in scene.visits:
        answer = answers.get(visit.id)
        if answer is None:
            continue
        for duty in duties.get(visit.id, ()):
            _keep_days(answer, duty)
            _keep_people(scene, visit, answer, duty, policy)


def _keep_days(answer: Answers, duty: VisitDuty) -> None:
    lost = {
        day: finding
        for day in answer.cases
        if (finding := ask_carried_day(duty.rule, day, duty.first_on, duty.last_on)) is not None
    }
    if len(lost) == len(answer.cases):
        return
    for day, finding in lost.items():
        del answer.cases[day]
        answer.closed[day] = (finding,)
    for clinician_id, day in [key for key in answer.forbidden_days if key[1] in lost]:
        del answer.forbidden_days[clinician_id, day]


def _keep_people(scene: Scene, visit: Visit, answer: Answers, duty: VisitDuty, policy: Policy) -> None:
    allowed = performers_of(duty.rule, visit.discipline, policy.on(duty.last_on))
    possible = [one for one in scene.clinicians if one.id not in answer.forbidden]
    lost = {
        one.id: finding
        for one in possible
        if (finding := ask_carried_by(duty.rule, one.performer, allowed)) is not None
    }
    if len(lost) == len(possible):
        return
    for clinician_id, finding in lost.items():
        answer.forbidden[clinician_id] = (finding,)
    for key in [key for key in answer.forbidden_days if key[0] in lost]:
        del answer.forbidden_days[key]


def told(work: Work, branch_id: int, horizon: Horizon) -> list[dict[str, Any]]:
    """One entry for each open obligation that is due by the end of the run: the visit that carries it, or None."""
    rows = work.session.execute(
        sa.select(
            Deadline.id, Deadline.rule, Deadline.subject, Deadline.patient_id, Deadline.due_on, VisitDuty.visit_id
        )
        .outerjoin(VisitDuty, sa.and_(VisitDuty.deadline_id == Deadline.id, VisitDuty.ended_at.is_(None)))
        .where(
            Deadline.branch_id == branch_id,
            Deadline.status == DeadlineStatus.OPEN,
            Deadline.rule.in_(CARRIED),
            Deadline.due_on <= horizon.end_on,
        )
        .order_by(Deadline.due_on, Deadline.id)
    )
    return [
        {
            "deadline": row.id, "rule": row.rule, "about": row.subject, "patient_id": row.patient_id,
            "due_on": row.due_on.isoformat(), "visit": row.visit_id,
        }
        for row in rows
    ]  # fmt: skip
