"""Answers to instruments: recorded once, scored by the server, read by those whose work needs them (section 13)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care import proposals, safety, shelf
from coordinator.care.asking import flags, raise_tasks
from coordinator.care.model import AlertLimit, Assessment
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.care import AssessmentStatus, ContactMode, Direction, InstrumentCode, Measure, Respondent
from coordinator.domain.events import AssessmentRecorded, AssessmentWithdrawn, CareTaskSettled
from coordinator.domain.timeline import local_day
from coordinator.patients.model import Caregiver, Patient
from coordinator.patients.queries import current_episode, for_change
from coordinator.patients.scope import patients_in_sight, require_sight
from coordinator.rules import alerts, instruments
from coordinator.rules.instruments import Earlier
from coordinator.rules.questionnaires import Instrument, score
from coordinator.rules.terms import Finding
from coordinator.visits.queries import the_visit

#: How far a device's clock may run ahead, and how late answers may still be entered.
CLOCK_SKEW = timedelta(minutes=5)
LATEST_ENTRY = timedelta(days=30)
#: So many answers to items that do not exist are named one by one.
MOST_STRANGE = 20
#: What a trend calls the whole among its items.
TOTAL = "total"
#: Points of a trend.
MOST_POINTS = 200


@permitted("assessment:record")
def record(
    work: Work, patient_id: int, *, instrument: InstrumentCode, answers: Mapping[str, Any],
    respondent: Respondent = Respondent.PATIENT, mode: ContactMode = ContactMode.HOME,
    assessed_at: datetime | None = None, visit_id: int | None = None, caregiver_id: int | None = None,
) -> Assessment:  # fmt: skip
    """The answers are on record with the server's score, and everything that they ask for is in the book.

    RuleBroken (INS-01) with every answer that cannot be meant. A partial set is kept without a total, and is asked for
    alarms all the same. AssessmentRecorded is published, and CareTaskRaised for each task. A score that calls for a
    visit proposes one (`proposals`), and the item on self-harm opens the safety protocol.
    """
    tool = shelf.instruments()[instrument]
    shelf.require_recorder(work, tool)
    patient = for_change(work, patient_id)
    at = assessed_at or work.now
    if not work.now - LATEST_ENTRY <= at <= work.now + CLOCK_SKEW:
        raise Invalid("Answers are entered within 30 days, and not before they are given.", pointer="/assessed_at")
    _check_whose(work, patient, tool, visit_id, caregiver_id)
    if not 0 < len(answers) <= len(tool.items) + MOST_STRANGE:
        raise Invalid(f"{instrument.value} has from 1 to {len(tool.items)} answers.", pointer="/answers")
    refused = instruments.ask_answers(tool, answers)
    if refused:
        errors = [{"pointer": f"/answers/{one.facts['item']}", "detail": one.sentence()} for one in refused]
        raise RuleBroken(refused, errors=errors)
    on = local_day(at, agency.zone_of(work, patient.branch_id))
    made = score(tool, answers)
    episode = current_episode(work, patient.id, on)
    row = Assessment(
        patient_id=patient.id, episode_id=None if episode is None else episode.id, visit_id=visit_id,
        caregiver_id=caregiver_id, instrument=instrument, structure=tool.version, assessed_at=at, assessed_on=on,
        respondent=respondent, mode=mode, answers=dict(answers), total=made.total,
        band=instruments.band(instrument, made.total, work.policy.on(on)), complete=made.complete,
        status=AssessmentStatus.FINAL, recorded_by=work.actor.user_id, clinician_id=work.actor.clinician_id,
        recorded_at=work.now,
    )  # fmt: skip
    findings = _ask(work, patient, tool, row)
    row.flags = flags(findings)
    work.session.add(row)
    work.session.flush()  # its number is in the trail, and in what is asked of others
    work.record(
        "assessment.recorded", f"assessment:{row.id}", patient_id=patient.id, instrument=instrument.value,
        complete=row.complete,
    )  # fmt: skip
    work.publish(
        AssessmentRecorded(
            assessment_id=row.id, patient_id=patient.id, episode_id=row.episode_id, instrument=instrument.value,
            assessed_on=on, complete=row.complete, performer=work.actor.performer,
        )
    )  # fmt: skip
    raise_tasks(work, patient.id, f"assessment:{row.id}", findings)
    if row.total is not None and caregiver_id is not None:
        _keep_burden(work, row)
    if any(finding.facts.get("task") == "safety-protocol" for finding in findings):
        safety.open_for(work, row)
    proposals.propose(work, patient, row, findings)
    return row


def _check_whose(
    work: Work, patient: Patient, tool: Instrument, visit_id: int | None, caregiver_id: int | None
) -> None:
    if (tool.about == "caregiver") != (caregiver_id is not None):
        said = "Say which caregiver it is about." if tool.about == "caregiver" else "It is about the patient."
        raise Invalid(said, pointer="/caregiver_id")
    if caregiver_id is not None:
        caregiver = work.session.get(Caregiver, caregiver_id)
        if caregiver is None or caregiver.patient_id != patient.id:
            raise Invalid("The patient has no such caregiver.", pointer="/caregiver_id")
    if visit_id is not None and the_visit(work, visit_id).patient_id != patient.id:
        raise Invalid("This visit is another patient's.", pointer="/visit_id")


def _ask(work: Work, patient: Patient, tool: Instrument, row: Assessment) -> list[Finding]:
    """Everything that the rules say of the answers."""
    policy, on = work.policy, row.assessed_on
    wall_clock = row.assessed_at.astimezone(agency.zone_of(work, patient.branch_id))
    owner = alerts.on_duty(wall_clock, policy)
    findings: list[Finding | None] = [instruments.ask_missing(tool, row.answers)]
    if tool.code is InstrumentCode.ESAS_R:
        ratings = instruments.numbers(row.answers, [item.code for item in tool.items if item.is_number])
        before = _earlier(work, tool, row, latest_only=True)
        findings += instruments.ask_symptoms(ratings, on, policy, before=before[0] if before else None, owner=owner)
        findings += alerts.ask_symptom_alert(ratings, _symptom_limit(work, patient.id), wall_clock, policy)
    elif tool.code is InstrumentCode.PPS and row.total is not None:
        findings += instruments.ask_performance(row.total, on, policy, before=_earlier(work, tool, row))
    elif tool.code is InstrumentCode.PHQ_2 and row.total is not None:
        findings.append(instruments.ask_screen(row.total, on, policy))
    elif tool.code is InstrumentCode.PHQ_9:
        findings += instruments.ask_depression(row.total, row.answers.get("self_harm"), on, policy, owner=owner)
    elif tool.code is InstrumentCode.ZBI_12 and row.total is not None:
        findings += instruments.ask_burden(row.total, on, policy)
    elif tool.code is InstrumentCode.CAREGIVER_CHECK:
        findings += instruments.ask_caregiver_check(row.answers, on, policy)
    elif tool.code is InstrumentCode.SUFFERING:
        ratings = instruments.numbers(row.answers, [item.code for item in tool.items if item.is_number])
        findings += instruments.ask_suffering(ratings, on, policy)
    elif tool.code is InstrumentCode.FICA:
        findings.append(instruments.ask_spiritual(row.answers.get("address"), on, policy))
    return [finding for finding in findings if finding is not None]


def _keep_burden(work: Work, row: Assessment) -> None:
    """The caregiver's record says the latest score and its day; the series is the trend."""
    caregiver = work.session.get(Caregiver, row.caregiver_id)
    if caregiver is not None and (caregiver.burden_scored_on or row.assessed_on) <= row.assessed_on:
        caregiver.burden_score, caregiver.burden_scored_on = row.total, row.assessed_on


def _symptom_limit(work: Work, patient_id: int) -> alerts.Limit | None:
    high = work.session.execute(
        sa.select(AlertLimit.high).where(AlertLimit.patient_id == patient_id, AlertLimit.measure == Measure.SYMPTOM)
    ).scalar()
    return None if high is None else alerts.Limit(high=high)


def _series(patient_id: int, instrument: InstrumentCode, caregiver_id: int | None = None) -> sa.Select[Assessment]:
    return sa.select(Assessment).where(
        Assessment.patient_id == patient_id,
        Assessment.instrument == instrument,
        Assessment.status == AssessmentStatus.FINAL,
        Assessment.caregiver_id.is_(None) if caregiver_id is None else Assessment.caregiver_id == caregiver_id,
    )


def _earlier(work: Work, tool: Instrument, row: Assessment, *, latest_only: bool = False) -> list[Earlier]:
    """What was recorded before of the same thing, newest first: the last set, or those of the policy's days."""
    query = _series(row.patient_id, tool.code).where(Assessment.assessed_at < row.assessed_at)
    query = query.order_by(Assessment.assessed_at.desc(), Assessment.id.desc())
    if latest_only:
        query = query.limit(1)
    else:
        since = row.assessed_on - timedelta(days=work.policy.on(row.assessed_on).instruments.pps_drop_days)
        query = query.where(Assessment.assessed_on >= since)
    codes = [item.code for item in tool.items]
    return [
        Earlier(one.assessed_on, one.total, instruments.numbers(one.answers, codes))
        for one in work.session.execute(query).scalars()
    ]


# ------------------------------------------------------------------------------------ what was wrong


def assessment_for_change(work: Work, assessment_id: int) -> Assessment:
    """The answers, if the actor may see and read them, locked."""
    row = work.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound("assessment")
    require_sight(work, row.patient_id)
    shelf.require_reader(work, shelf.instruments()[row.instrument])
    work.session.refresh(row, with_for_update=True)
    return row


@permitted("assessment:withdraw")
def withdraw(work: Work, assessment_id: int, reason: str) -> Assessment:
    """The answers were entered in error: they stay readable, count for nothing, and what they asked for is not owed.

    Whoever recorded them does so, or the clinical manager. AssessmentWithdrawn is published.
    """
    row = assessment_for_change(work, assessment_id)
    if row.status is AssessmentStatus.ENTERED_IN_ERROR:
        raise Conflict("It was marked as entered in error already.", code="entered-in-error")
    if not reason.strip():
        raise Invalid("Say what was wrong.", pointer="/reason")
    if row.recorded_by != work.actor.user_id and not work.actor.may("assessment:withdraw-any"):
        raise Conflict(
            "Somebody else recorded it. They mark it, or the clinical manager does.", code="recorded-by-another"
        )
    row.status, row.error_reason = AssessmentStatus.ENTERED_IN_ERROR, reason[:300]
    work.session.flush()  # the new version is in the answer
    work.record(
        "assessment.withdrawn", f"assessment:{row.id}", patient_id=row.patient_id, instrument=row.instrument.value
    )
    proposals.withdraw_for(work, row)
    safety.withdraw_for(work, row)
    for rule in sorted({flag["rule"] for flag in row.flags if flag["severity"] == "TASK"}):
        work.publish(
            CareTaskSettled(
                patient_id=row.patient_id, rule=rule, reason="entered in error", subject=f"assessment:{row.id}",
                in_error=True,
            )
        )  # fmt: skip
    work.publish(AssessmentWithdrawn(assessment_id=row.id, patient_id=row.patient_id, instrument=row.instrument.value))
    return row


# ------------------------------------------------------------------------------------ reading


@permitted("assessment:read")
def get(work: Work, assessment_id: int) -> Assessment:
    """One set of answers; the reading is on record."""
    row = work.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound("assessment")
    require_sight(work, row.patient_id)
    shelf.require_reader(work, shelf.instruments()[row.instrument])
    work.record("assessment.read", f"assessment:{row.id}", patient_id=row.patient_id, instrument=row.instrument.value)
    return row


@permitted("assessment:read")
def search(
    work: Work, patient_id: int, *, instrument: InstrumentCode | None = None, in_error: bool = False
) -> sa.Select[Any]:
    """The patient's sets of answers that the actor may read, as a select for `page`; one instrument, or all of them."""
    require_sight(work, patient_id)
    if instrument is not None:
        shelf.require_reader(work, shelf.instruments()[instrument])
    mine = [instrument] if instrument is not None else shelf.readable(work)
    query = sa.select(Assessment).where(Assessment.patient_id == patient_id, Assessment.instrument.in_(mine))
    if not in_error:
        query = query.where(Assessment.status == AssessmentStatus.FINAL)
    work.record(
        "assessment.listed", f"patient:{patient_id}", patient_id=patient_id, instruments=[one.value for one in mine]
    )
    return query


@dataclass(frozen=True, slots=True)
class Point:
    """One set of answers in a trend: numbers by item, the total and its band if the set was complete."""

    assessment_id: int
    assessed_at: datetime
    total: int | None
    band: str | None
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """How an instrument's answers went, first to last, and by how much the latest differ from the ones before.

    `direction` says of each item, and of `total`, whether that was for the better.
    """

    instrument: Instrument
    points: list[Point]
    change: Mapping[str, int]
    total_change: int | None
    direction: Mapping[str, Direction] = field(default_factory=dict)


@permitted("assessment:read")
def trend(work: Work, patient_id: int, instrument: InstrumentCode, caregiver_id: int | None = None) -> Trend:
    """The latest 200 sets of one instrument, first to last; sets entered in error are not among them."""
    require_sight(work, patient_id)
    tool = shelf.instruments()[instrument]
    shelf.require_reader(work, tool)
    query = _series(patient_id, instrument, caregiver_id)
    rows = work.session.execute(
        query.order_by(Assessment.assessed_at.desc(), Assessment.id.desc()).limit(MOST_POINTS)
    ).scalars()
    codes = [item.code for item in tool.items]
    points = [
        Point(row.id, row.assessed_at, row.total, row.band, instruments.numbers(row.answers, codes))
        for row in reversed(rows.all())
    ]
    work.record("assessment.trend-read", f"patient:{patient_id}", patient_id=patient_id, instrument=instrument.value)
    last, previous = (points[-1], points[-2]) if len(points) > 1 else (None, None)
    if last is None or previous is None:
        return Trend(tool, points, {}, None)
    change = {code: value - previous.numbers[code] for code, value in last.numbers.items() if code in previous.numbers}
    both = last.total is not None and previous.total is not None
    total_change = (last.total or 0) - (previous.total or 0) if both else None
    moved = change | ({} if total_change is None else {TOTAL: total_change})
    return Trend(
        tool, points, change, total_change,
        {code: instruments.direction(instrument, by) for code, by in moved.items()},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LastScore:
    """The latest answers to one instrument against the ones before. `items` are the numbers that moved most, or are
    highest where none moved: (code, now, before or None)."""

    instrument: InstrumentCode
    title: str
    assessed_on: date
    total: int | None
    before: int | None
    items: tuple[tuple[str, int, int | None], ...]


#: Of an instrument without a total, so many of its items are shown.
_FEW = 3


@permitted("assessment:read")
def last_scores(work: Work, patient_ids: Collection[int]) -> dict[int, list[LastScore]]:
    """Of each of these patients whom the actor may see, the latest score of each instrument; in one query for all."""
    ranked = (
        sa.select(
            Assessment.id,
            sa.func.row_number()
            .over(
                partition_by=(Assessment.patient_id, Assessment.instrument),
                order_by=(Assessment.assessed_at.desc(), Assessment.id.desc()),
            )
            .label("place"),
        )
        .where(
            Assessment.patient_id.in_(sorted(patient_ids)),
            Assessment.patient_id.in_(patients_in_sight(work)),
            Assessment.instrument.in_(shelf.readable(work)),
            Assessment.status == AssessmentStatus.FINAL,
            Assessment.caregiver_id.is_(None),
        )
        .subquery()
    )
    rows = work.session.execute(
        sa.select(Assessment)
        .join(ranked, ranked.c.id == Assessment.id)
        .where(ranked.c.place <= 2)
        .order_by(Assessment.patient_id, Assessment.instrument, Assessment.assessed_at, Assessment.id)
    ).scalars()
    series: dict[tuple[int, InstrumentCode], list[Assessment]] = {}
    for row in rows:
        series.setdefault((row.patient_id, row.instrument), []).append(row)
    found: dict[int, list[LastScore]] = {}
    for (patient_id, code), both in series.items():
        found.setdefault(patient_id, []).append(_last_score(code, both))
    for patient_id, scores in found.items():
        work.record(
            "assessment.scores-read", f"patient:{patient_id}", patient_id=patient_id,
            instruments=[one.instrument.value for one in scores],
        )  # fmt: skip
    return found


def _last_score(code: InstrumentCode, both: list[Assessment]) -> LastScore:
    tool, last = shelf.instruments()[code], both[-1]
    previous = both[0] if len(both) > 1 else None
    codes = [item.code for item in tool.items]
    numbers = instruments.numbers(last.answers, codes)
    earlier = instruments.numbers(previous.answers, codes) if previous is not None else {}
    items = sorted(numbers, key=lambda name: (-abs(numbers[name] - earlier.get(name, numbers[name])), -numbers[name]))
    return LastScore(
        code, tool.title, last.assessed_on, last.total, previous.total if previous is not None else None,
        tuple((name, numbers[name], earlier.get(name)) for name in items[:_FEW]) if last.total is None else (),
    )  # fmt: skip
