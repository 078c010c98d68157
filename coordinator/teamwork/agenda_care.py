"""Of a conference's agenda, what the room of care knows: scores, caregivers, documents, and who is missing."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from coordinator.care.model import Assessment, Directive
from coordinator.care.shelf import instruments as shelf
from coordinator.core.work import Work
from coordinator.domain.care import AssessmentStatus, InstrumentCode, TeamRole
from coordinator.patients.model import Caregiver
from coordinator.rules import conference
from coordinator.rules.instruments import direction, numbers
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember
from coordinator.teamwork.agenda_subjects import Subject, by_patient, patients


def scores(
    work: Work, subjects: Sequence[Subject], readable: Sequence[InstrumentCode]
) -> dict[int, list[dict[str, Any]]]:
    """Of each instrument that was taken since then, the latest beside the last before: totals, and numbers by item.

    `caregiver_id`: whose burden it is; None: the patient's own.
    """
    if not readable:
        return {}
    since = {one.patient_id: one.since for one in subjects}
    series: dict[tuple[int, InstrumentCode, int | None], list[Assessment]] = defaultdict(list)
    for row in _taken(work, subjects, readable):
        series[row.patient_id, row.instrument, row.caregiver_id].append(row)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (patient_id, instrument, caregiver_id), rows in series.items():
        news = [row for row in rows if row.assessed_on >= since[patient_id]]
        if news:
            before = rows[len(news)] if len(rows) > len(news) else None
            if before is None and len(news) > 1:
                before = news[-1]  # the first since then stands for how it was
            found[patient_id].append(_trend(instrument, caregiver_id, news[0], before))
    return found


def _taken(work: Work, subjects: Sequence[Subject], readable: Sequence[InstrumentCode]) -> Sequence[Assessment]:
    """All since the first of the days, and of each series the last before it; the newest first."""
    numbered = patients(subjects)
    final = (Assessment.patient_id.in_(numbered), Assessment.status == AssessmentStatus.FINAL)
    place = sa.func.row_number().over(
        partition_by=(Assessment.patient_id, Assessment.instrument, Assessment.caregiver_id),
        order_by=(Assessment.assessed_at.desc(), Assessment.id.desc()),
    )
    days = {one.patient_id: one.since for one in subjects}
    since = sa.case(days, value=Assessment.patient_id, else_=min(days.values()))
    older = (
        sa.select(Assessment.id, place.label("place"))
        .where(*final, Assessment.instrument.in_(list(readable)), Assessment.assessed_on < since)
        .subquery()
    )
    return (
        work.session.execute(
            sa.select(Assessment)
            .where(
                *final,
                Assessment.instrument.in_(list(readable)),
                sa.or_(
                    Assessment.assessed_on >= since, Assessment.id.in_(sa.select(older.c.id).where(older.c.place == 1))
                ),
            )
            .order_by(Assessment.assessed_at.desc(), Assessment.id.desc())
        )
        .scalars()
        .all()
    )


def _trend(
    instrument: InstrumentCode, caregiver_id: int | None, latest: Assessment, before: Assessment | None
) -> dict[str, Any]:
    codes = [item.code for item in shelf()[instrument].items if item.is_number]
    now = numbers(latest.answers, codes)
    then = {} if before is None else numbers(before.answers, codes)
    change = {code: value - then[code] for code, value in now.items() if code in then and value != then[code]}
    totals = None if before is None or latest.total is None or before.total is None else latest.total - before.total
    return {
        "instrument": instrument.value, "caregiver_id": caregiver_id, "assessment": latest.id,
        "on": latest.assessed_on, "total": latest.total, "band": latest.band, "numbers": now,
        "before_on": None if before is None else before.assessed_on,
        "before_total": None if before is None else before.total, "change": change,
        "direction": None if totals is None else direction(instrument, totals).value,
    }  # fmt: skip


def caregivers(
    work: Work, subjects: Sequence[Subject], readable: Sequence[InstrumentCode]
) -> dict[int, list[dict[str, Any]]]:
    """How strained each caregiver is, since when nobody asked, and what they have still to learn."""
    burden = InstrumentCode.ZBI_12 in readable
    rows = work.session.execute(
        sa.select(
            Caregiver.id,
            Caregiver.patient_id,
            Caregiver.willing,
            Caregiver.burden_score,
            Caregiver.burden_scored_on,
            Caregiver.teaching,
        )
        .where(Caregiver.patient_id.in_(patients(subjects)), Caregiver.participating.is_(True))
        .order_by(Caregiver.id)
    )
    return by_patient(
        rows,
        lambda row: {
            "caregiver_id": row.id,
            "willing": row.willing,
            "burden_score": row.burden_score if burden else None,
            "burden_scored_on": row.burden_scored_on,
            "to_learn": [
                {name: goal.get(name) for name in ("goal", "result", "next_on")}
                for goal in row.teaching or ()
                if goal.get("result") != "shown"
            ],
        },
    )


def directives(work: Work, subjects: Sequence[Subject]) -> dict[int, list[dict[str, Any]]]:
    """Documents that speak for the patient and were recorded, or ended, since then."""
    since = {one.patient_id: (one.since, one.since_at) for one in subjects}
    rows = work.session.execute(
        sa.select(
            Directive.id, Directive.patient_id, Directive.kind, Directive.status, Directive.recorded_at,
            Directive.ended_on, Directive.settled_at,
        )
        .where(Directive.patient_id.in_(patients(subjects)))
        .order_by(Directive.recorded_at, Directive.id)
    ).all()  # fmt: skip
    news = []
    for row in rows:
        day, at = since[row.patient_id]
        ended = row.ended_on is not None and row.ended_on >= day
        if row.recorded_at >= at or ended or (row.settled_at is not None and row.settled_at >= at):
            news.append(row)
    return by_patient(
        news,
        lambda row: {"directive": row.id, "kind": row.kind.value, "status": row.status.value, "ended_on": row.ended_on},
    )


def missing_roles(work: Work, subjects: Sequence[Subject]) -> dict[int, list[TeamRole]]:
    """The core roles that nobody of the patient's team holds today (IDT-01): who is to be asked to the meeting."""
    rows = work.session.execute(
        sa.select(CareTeamMember.patient_id, Clinician.performer, CareTeamMember.starts_on, CareTeamMember.ends_on)
        .join(Clinician, Clinician.id == CareTeamMember.clinician_id)
        .where(CareTeamMember.patient_id.in_(patients(subjects)))
    ).all()
    found: dict[int, list[TeamRole]] = {}
    for one in subjects:
        there = [
            row.performer
            for row in rows
            if row.patient_id == one.patient_id
            and row.starts_on <= one.today
            and (row.ends_on is None or row.ends_on >= one.today)
        ]
        found[one.patient_id] = conference.missing_roles(there, one.managed, work.policy.on(one.today))
    return found
