"""The visit itself: on the way, begun, finished, signed for, and the verification of it (EVV-01 to EVV-04).

A telephone that was out of reach says things late and may say them twice: the same call again is answered, not refused.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from coordinator.core.db import UtcDateTime
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import (
    MissedVisitDecided,
    NoteSigned,
    VisitCompleted,
    VisitCorrected,
    VisitStarted,
)
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import (
    THERAPIES,
    Discipline,
    EvvCircumstanceKind,
    EvvMethod,
    MissedDecision,
    MissedReason,
    MswPurpose,
    Performer,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.episodes.model import InpatientStay
from coordinator.orders.aides import instructions_on
from coordinator.patients import enrolments
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.rules.aides import ask_aide_tasks
from coordinator.rules.certification import ask_period_given
from coordinator.rules.evv import ask_elements, ask_integrity
from coordinator.rules.facts import EvvFacts, Moment, VisitCase
from coordinator.rules.frequencies import ask_prn_completion
from coordinator.rules.profiles import EvvUse
from coordinator.rules.programmes import ask_concurrent
from coordinator.rules.qualifying import ask_dependent_done, ask_social_work_done, is_dependent
from coordinator.rules.terms import Finding, Severity
from coordinator.rules.therapy import QUALIFIED_THERAPISTS, REASSESSING, ask_therapy_done
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.travel.times import straight_metres
from coordinator.visits import cases, handed, placing, queries, units
from coordinator.visits.asking import judge, refusal
from coordinator.visits.dependents import ask_qualified
from coordinator.visits.model import EvvCorrection, Visit

#: A telephone's clock may be this much ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)
#: A visit may begin this much before or after its hour even if that is another day.
AROUND_MIDNIGHT = timedelta(hours=4)
LONGEST_VISIT = timedelta(hours=24)
#: Why `weeks.close_week` took a row out of the plan, as it writes it.
CLOSED = "week-closed"

#: HCPCS by who performs (rules 21.1): a vocational nurse's visit is G0300 even where the order says SN.
_CODES: dict[Performer, str] = {
    Performer.RN: "G0299",
    Performer.LVN: "G0300",
    Performer.PT: "G0151",
    Performer.PTA: "G0157",
    Performer.OT: "G0152",
    Performer.COTA: "G0158",
    Performer.SLP: "G0153",
    Performer.MSW: "G0155",
    Performer.CHHA: "G0156",
}
_TEACHING = {Performer.RN: "G0495", Performer.LVN: "G0496"}
#: What is neither personal nor home health care in the sense of EVV-03.
_NEVER_CLAIMED = frozenset({Discipline.CHAP, Discipline.MDV})
_CORRECTABLE = frozenset({"actual_start_at", "actual_end_at", "evv_address", "service_code"})


def service_code(performer: Performer, kind: VisitKind, programme: Programme) -> str:
    """The code of the service as performed; what is never claimed has a word of ours instead of a code."""
    if kind is VisitKind.SUPERVISION:
        return "SUPERVISE"
    if kind is VisitKind.TEACHING and performer in _TEACHING:
        return _TEACHING[performer]
    if performer is Performer.CHAPLAIN:
        return "G9473" if programme is Programme.HOSPICE else "CHAPLAIN"
    return _CODES.get(performer, "PRACTITION")


# ------------------------------------------------------------------------------------ verbs


@permitted("visit:perform")
def en_route(work: Work, visit_id: int, at: datetime | None = None) -> Visit:
    """The clinician is on the way."""
    visit = _own(work, visit_id)
    if visit.status is VisitStatus.EN_ROUTE:
        return visit
    if visit.status is not VisitStatus.BOOKED:
        raise placing.not_in_state(visit, "gone to")
    _check_instant(work, at or work.now)
    visit.status = VisitStatus.EN_ROUTE
    work.session.flush()  # the new version is in the answer
    work.record("visit.en-route", f"visit:{visit.id}", patient_id=visit.patient_id)
    return visit


@permitted("visit:perform")
def start(
    work: Work,
    visit_id: int,
    at: datetime,
    place: Mapping[str, Any] | None = None,
    method: EvvMethod = EvvMethod.MOBILE,
    over_handoff: StartOverHandoff | None = None,
    override: Mapping[str, str] | None = None,
    *,
    device_zone: str | None = None,
) -> Visit:
    """The visit has begun at `at`, here, by this clinician: five of the six elements are captured (EVV-01).

    Patient, order, allowance, profession and licence are asked about again: they may have changed since the booking.
    Over a handoff that was not read it begins for a reason alone, which is on record.
    `override`: why whoever begins it, if they may, sets aside what refuses it and may be set aside. `device_zone`: the
    IANA zone in which the device's clock goes: an instant is believed as it was sent, and is asked about where the
    home's clocks go otherwise.
    """
    if device_zone is not None and device_zone not in available_timezones():
        raise Invalid("There is no such zone of time.", pointer="/device_zone")
    visit = _made_after_all(work, _own(work, visit_id), at)
    if visit.actual_start_at is not None:
        if visit.actual_start_at == at:
            return visit
        raise Conflict("The visit has begun at another time already.", code="already-started", at=visit.actual_start_at)
    if visit.status not in (VisitStatus.BOOKED, VisitStatus.EN_ROUTE, VisitStatus.ARRIVED):
        raise placing.not_in_state(visit, "begun")
    clinician = _me(work)
    _check_instant(work, at)
    planned = visit.starts_at or at
    asked_at = at if _right_day(work, visit, at, planned) else planned
    book = cases.load(work, [visit], [clinician])
    case = book.case(visit, clinician, asked_at, asked_at + timedelta(minutes=visit.minutes))
    findings = ask(case, Moment.CHECK_IN, work.policy)
    unread = handed.unread_card(work, visit, clinician.id)
    if unread is not None and over_handoff is None:
        raise placing.all_at_once([handed.unread_refusal(unread)], findings)
    verdict = judge(work, visit, findings, clinician_id=clinician.id, starts_at=visit.starts_at, override=override)
    where = dict(place or {})
    visit.status = VisitStatus.IN_PROGRESS
    visit.actual_start_at = at
    visit.start_lat, visit.start_lon = where.get("lat"), where.get("lon")
    visit.evv_address = where.get("address") or _address(book.patient(visit))
    visit.evv_method, visit.device_zone = method, device_zone
    visit.service_code = service_code(clinician.performer, visit.kind, case.episode.programme)
    visit.hold_bill = sorted({*visit.hold_bill, *verdict.hold_bill})
    visit.warnings = sorted({*visit.warnings, *verdict.warnings})
    work.session.flush()  # the new version is in the answer
    work.record("visit.started", f"visit:{visit.id}", patient_id=visit.patient_id, method=method.value)
    over = over_handoff.value if unread is not None and over_handoff is not None else None
    if unread is not None:
        work.record(
            "visit.started-over-handoff", f"visit:{visit.id}", patient_id=visit.patient_id, handoff=unread.id,
            reason=over,
        )  # fmt: skip
    work.publish(VisitStarted(visit_id=visit.id, over_handoff=over))
    return visit


@permitted("visit:perform")
def finish(
    work: Work,
    visit_id: int,
    at: datetime,
    *,
    reassessed: bool = False,
    admit: bool = True,
    trigger: str | None = None,
    tasks: Sequence[str] | None = None,
    purpose: MswPurpose | None = None,
) -> Visit:
    """The visit has ended at `at`: the sixth element is captured, and what it lacks holds its bill.

    The first visit begins care, unless `admit` is false. `reassessed`: the therapist measured function (THX-01).
    """
    visit = _latest(work, _own(work, visit_id))
    if visit.actual_end_at is not None:
        if visit.actual_end_at == at:
            return visit
        raise Conflict("The visit has ended at another time already.", code="already-finished", at=visit.actual_end_at)
    if visit.status is not VisitStatus.IN_PROGRESS or visit.actual_start_at is None:
        raise Conflict("The visit has not begun. Start it first.", code="not-started", state=visit.status)
    _check_instant(work, at)
    if at <= visit.actual_start_at:
        raise Invalid("A visit ends after it begins.", pointer="/at")
    if at - visit.actual_start_at > LONGEST_VISIT:
        raise Invalid("A visit does not last longer than a day.", pointer="/at")
    if trigger and visit.kind is VisitKind.PRN:
        visit.prn_trigger = trigger
    unexplained = ask_prn_completion(visit.kind, visit.prn_trigger or "")
    if unexplained is not None:
        raise refusal([unexplained])
    clinician = _me(work)
    if reassessed and visit.discipline in THERAPIES:
        if clinician.performer not in QUALIFIED_THERAPISTS:
            raise Forbidden("Only the therapist reassesses, never an assistant.", code="assistant-not-allowed")
        if visit.kind is VisitKind.ROUTINE:
            visit.kind = VisitKind.REASSESSMENT
    unqualified = _qualified(work, visit) if visit.kind is VisitKind.INITIAL and admit else None
    if unqualified is not None and unqualified.refuses:
        raise refusal([unqualified])
    if tasks is not None and visit.discipline is Discipline.HHA:
        visit.tasks_done = sorted({task.strip().upper() for task in tasks if task.strip()})
    if purpose is not None and visit.discipline is Discipline.MSW:
        visit.purpose = purpose.value
    visit.actual_end_at = at
    visit.status = VisitStatus.COMPLETED
    work.session.flush()  # from here on it counts as done, for the rules asked next too
    case = cases.load(work, [visit]).case(visit)
    _note_findings(visit, (*verification(work, visit), *of_the_bill(work, case), *of_the_trade(work, visit, case)))
    if unqualified is not None:
        _note_findings(visit, (unqualified,))
    if visit.kind is VisitKind.INITIAL and admit:
        _begin_care(work, visit)
    work.session.flush()  # the new version is in the answer
    work.record("visit.finished", f"visit:{visit.id}", patient_id=visit.patient_id)
    work.publish(VisitCompleted(visit_id=visit.id))
    return visit


@permitted("visit:perform")
def note(work: Work, visit_id: int) -> Visit:
    """The clinician has signed the note of the visit."""
    visit = _latest(work, _own(work, visit_id))
    if visit.status is VisitStatus.NOTE_SIGNED:
        return visit
    if visit.status is not VisitStatus.COMPLETED:
        raise placing.not_in_state(visit, "signed for")
    visit.status, visit.note_signed_at = VisitStatus.NOTE_SIGNED, work.now
    visit.hold_bill = [rule for rule in visit.hold_bill if rule != "VIS-03"]
    work.session.flush()  # the new version is in the answer
    work.record("visit.note-signed", f"visit:{visit.id}", patient_id=visit.patient_id)
    work.publish(NoteSigned(visit_id=visit.id))
    return visit


@permitted("visit:correct-evv")
def verify(work: Work, visit_id: int) -> Visit:
    """The office has looked at the record of the visit and stands for it."""
    visit = queries.claim(work, visit_id)
    if visit.status is not VisitStatus.NOTE_SIGNED:
        raise placing.not_in_state(visit, "verified")
    visit.status = VisitStatus.VERIFIED
    work.session.flush()  # the new version is in the answer
    work.record("visit.verified", f"visit:{visit.id}", patient_id=visit.patient_id)
    return visit


@permitted("visit:correct-evv")
def correct_evv(work: Work, visit_id: int, element: str, value: Any, reason: str) -> Visit:
    """A captured element says something else, with the original, the reason and the editor kept (EVV-04)."""
    if element not in _CORRECTABLE:
        raise Invalid(f"These can be corrected: {', '.join(sorted(_CORRECTABLE))}.", pointer="/element")
    if not reason.strip():
        raise Invalid("Say why it is corrected.", pointer="/reason")
    visit = queries.claim(work, visit_id)
    if visit.actual_start_at is None:
        raise Conflict("Nothing of this visit was captured yet.", code="not-started")
    if element == "actual_end_at" and visit.actual_end_at is None:
        raise Conflict("The visit has not ended yet.", code="not-finished")
    value = _meant(work, element, value)
    original = getattr(visit, element)
    work.session.add(
        EvvCorrection(
            visit_id=visit.id,
            element=element,
            original=_plain(original),
            corrected=_plain(value) or "",
            reason=reason[:300],
            user_id=_user(work),
            at=work.now,
        )
    )
    setattr(visit, element, value)
    visit.hold_bill = [rule for rule in visit.hold_bill if not rule.startswith("EVV-")]
    visit.warnings = [rule for rule in visit.warnings if not rule.startswith("EVV-")]
    findings = verification(work, visit, edited=reason)
    if any(finding.refuses for finding in findings):
        raise refusal(findings)
    _note_findings(visit, findings)
    work.session.flush()  # the new version is in the answer
    work.record("visit.evv-corrected", f"visit:{visit.id}", patient_id=visit.patient_id, element=element)
    work.publish(VisitCorrected(visit_id=visit.id))
    return visit


def corrections(work: Work, visit: Visit) -> list[EvvCorrection]:
    """What was corrected of the visit's record, oldest first."""
    query = sa.select(EvvCorrection).where(EvvCorrection.visit_id == visit.id).order_by(EvvCorrection.id)
    return list(work.session.scalars(query))


# ------------------------------------------------------------------------------------ whose visit, and when


def _me(work: Work) -> Clinician:
    found = work.session.get(Clinician, work.actor.clinician_id or 0)
    if found is None:
        raise Forbidden("Only somebody who makes visits can do this.", code="not-a-clinician")
    return found


def _user(work: Work) -> int:
    if work.actor.user_id is None:
        raise Forbidden("A correction carries the name of whoever makes it.")
    return work.actor.user_id


def _own(work: Work, visit_id: int) -> Visit:
    """The clinician's own visit, held; a colleague's sounds like a missing one."""
    _me(work)
    visit = queries.claim(work, visit_id)
    if visit.clinician_id != work.actor.clinician_id:
        raise NotFound("visit")
    return visit


def _latest(work: Work, visit: Visit) -> Visit:
    """The row that took over after a closed week, if this one was begun after all."""
    if visit.is_current or visit.cancel_reason != CLOSED:
        return visit
    successor = work.session.scalar(
        sa.select(Visit).where(Visit.replaces_id == visit.id, Visit.clinician_id == visit.clinician_id).limit(1)
    )
    return visit if successor is None else queries.reread(work, [successor.id])[0]


def _made_after_all(work: Work, visit: Visit, at: datetime) -> Visit:
    """A visit that the week's close had given up, and whose clinician was there in time and only out of reach.

    The given-up row becomes history, and the one that took its unit is begun.
    """
    visit = _latest(work, visit)
    given_up = visit.cancel_reason == CLOSED and visit.decision is None and visit.is_current
    if not given_up or visit.clinician_id is None or visit.starts_at is None or visit.ends_at is None:
        return visit
    if not visit.window_from <= local_day(at, queries.zone(work, visit)) <= visit.window_to:
        return visit
    was_missed = visit.missed_reason == MissedReason.WEEK_CLOSED
    fresh = units.hand_over(work, visit, visit.status)
    visit.waive_reason = None
    with placing.guarded(work, fresh, visit.clinician_id, visit.starts_at, visit.ends_at):
        fresh.clinician_id, fresh.starts_at, fresh.ends_at = visit.clinician_id, visit.starts_at, visit.ends_at
        fresh.status, fresh.published_at = VisitStatus.BOOKED, visit.published_at
    work.record("visit.reported-late", f"visit:{fresh.id}", patient_id=visit.patient_id, replaces=visit.id)
    if was_missed:
        work.publish(MissedVisitDecided(visit_id=visit.id, decision=MissedDecision.MAKE_UP.value))
    return fresh


def _check_instant(work: Work, at: datetime) -> None:
    if at > work.now + CLOCK_SKEW:
        raise Invalid("That is still to come.", pointer="/at")


def _right_day(work: Work, visit: Visit, at: datetime, planned: datetime) -> bool:
    """Whether `at` is on the booked day; else it must be close to the booked hour, across midnight."""
    zone = queries.zone(work, visit)
    day = local_day(at, zone)
    if day == local_day(planned, zone):
        return True
    if abs(at - planned) <= AROUND_MIDNIGHT:
        return False
    if day < visit.window_from:
        raise Conflict(
            f"The visit may be made from {visit.window_from} on, not before.",
            code="too-early",
            window={"from": str(visit.window_from), "to": str(visit.window_to)},
        )
    raise Conflict(
        f"The visit is booked for {local_day(planned, zone)}, not for {day}. The office moves it first.",
        code="not-the-booked-day",
    )


# ------------------------------------------------------------------------------------ verification


def _address(patient: Patient) -> str:
    home = patient.home
    return f"{home.address}, {home.city}, {home.state} {home.zip}"[:300]


def _metres_from_home(patient: Patient, visit: Visit) -> int | None:
    point = cases.point_of(patient)
    if point is None or visit.start_lat is None or visit.start_lon is None:
        return None
    return math.ceil(straight_metres((visit.start_lat, visit.start_lon), point) - 1e-6)


def _overlaps(work: Work, visit: Visit) -> bool:
    """Whether the same clinician was, by the record, in another home at the same time."""
    if visit.actual_start_at is None or visit.actual_end_at is None:
        return False
    query = sa.select(Visit.id).where(
        Visit.clinician_id == visit.clinician_id,
        Visit.id != visit.id,
        Visit.actual_start_at < visit.actual_end_at,
        Visit.actual_end_at > visit.actual_start_at,
        Visit.status != VisitStatus.ENTERED_IN_ERROR,
    )
    return work.session.scalar(query.limit(1)) is not None


def verification(work: Work, visit: Visit, *, edited: str = "") -> tuple[Finding, ...]:
    """What the six elements lack, and why they may not be believed."""
    patient = work.session.get_one(Patient, visit.patient_id)
    episode = work.session.get_one(Episode, visit.episode_id)
    begun = visit.actual_start_at
    day = None if begun is None else local_day(begun, queries.zone(work, visit))
    excused = [] if day is None else enrolments.circumstances_on(work, patient.id, day)
    living_in = [
        row
        for row in excused
        if row.kind is EvvCircumstanceKind.LIVE_IN_CAREGIVER and row.clinician_id == visit.clinician_id
    ]
    located = visit.start_lat is not None and visit.start_lon is not None
    facts = EvvFacts(
        payer=episode.payer,
        programme=episode.programme,
        service=visit.service_code or "",
        patient_id=visit.patient_id,
        day=day,
        location=f"{visit.start_lat},{visit.start_lon}" if located else visit.evv_address or "",
        clinician_id=visit.clinician_id,
        starts_at=begun,
        ends_at=visit.actual_end_at,
        method=visit.evv_method,
        in_exempt_programme=day is not None and _in_exempt_programme(work, patient, day),
        congregate_with_24h_service=any(row.kind is EvvCircumstanceKind.CONGREGATE_24H for row in excused),
        live_in_caregiver=bool(living_in),
        live_in_exemption_recorded=any(
            row.exemption_on is not None and day is not None and row.exemption_on <= day for row in living_in
        ),
        personal_or_home_health_care=visit.discipline not in _NEVER_CLAIMED and visit.kind is not VisitKind.SUPERVISION,
        edited=bool(edited),
        edit_reason=edited,
        editor=work.actor.name if edited else "",
        original_kept=bool(edited),
        inpatient=begun is not None and _in_hospital(work, patient.id, begun),
        metres_from_home=_metres_from_home(patient, visit),
        overlaps_other_visit=_overlaps(work, visit),
        home_zone=queries.zone(work, visit),
        device_zone=ZoneInfo(visit.device_zone) if visit.device_zone else None,
    )
    missing = ask_elements(facts, work.policy)
    return (*((missing,) if missing is not None else ()), *ask_integrity(facts, work.policy))


def _in_exempt_programme(work: Work, patient: Patient, day: date) -> bool:
    """Whether the patient is in hospice, PACE or the like on that day, with whomever (EVV-03)."""
    held = enrolments.enrolled_elsewhere(work, [patient.id]).get(patient.id, ())
    held += enrolments.episodes_as_enrolments(patient)
    return any(
        one.holds_on(day) and work.policy.profile(one.programme, day).verification(one.payer) is EvvUse.EXEMPT
        for one in held
    )


def _in_hospital(work: Work, patient_id: int, at: datetime) -> bool:
    """Whether the patient was an inpatient at that instant: admitted, and not home again (EVV-03)."""
    home = sa.func.coalesce(InpatientStay.home_at, InpatientStay.discharged_at, type_=UtcDateTime())
    query = sa.select(InpatientStay.id).where(
        InpatientStay.patient_id == patient_id, InpatientStay.admitted_at <= at, sa.or_(home.is_(None), home > at)
    )
    return work.session.scalar(query.limit(1)) is not None


def of_the_bill(work: Work, case: VisitCase) -> tuple[Finding, ...]:
    """What holds the bill of a visit that was made: it came after the last skilled one (QUAL-02), another programme
    stands in its way (PRG-02), or it has no order of its period (CERT-03).
    """
    outside = ask_period_given(case)
    concurrent = (*ask_concurrent(case, work.policy), *([] if outside is None else [outside]))
    skilled_needed = work.policy.profile(case.episode.programme, case.visit.day).skilled_need_required
    if not skilled_needed or case.qualifying is None or not is_dependent(case.visit.discipline, case.qualifying):
        return concurrent
    finding = ask_dependent_done(case.visit.day, case.qualifying.last_on)
    return concurrent if finding is None else (finding, *concurrent)


def of_the_trade(work: Work, visit: Visit, case: VisitCase) -> tuple[Finding, ...]:
    """An aide's tasks, a social worker's purpose, therapy before it was reassessed (AID-02, QUAL-03, THX-01)."""
    if visit.discipline is Discipline.MSW and visit.kind is not VisitKind.SUPERVISION:
        finding = ask_social_work_done(visit.purpose or "")
        return () if finding is None else (finding,)
    if visit.discipline in THERAPIES and visit.kind not in REASSESSING:
        last = case.therapy.last_qualifying_on if case.therapy is not None else None
        late = None if last is None else ask_therapy_done(case.visit.day, last, None, work.policy)
        return () if late is None else (late,)
    if visit.discipline is not Discipline.HHA or visit.tasks_done is None or visit.actual_start_at is None:
        return ()
    day = local_day(visit.actual_start_at, queries.zone(work, visit))
    plan = instructions_on(work, visit.patient_id, day)
    return ask_aide_tasks(plan.tasks if plan is not None else (), visit.tasks_done)


def _note_findings(visit: Visit, findings: tuple[Finding, ...]) -> None:
    held = {finding.rule for finding in findings if finding.severity is Severity.HOLD_BILL}
    warned = {finding.rule for finding in findings if finding.severity is Severity.WARN}
    visit.hold_bill = sorted({*visit.hold_bill, *held})
    visit.warnings = sorted({*visit.warnings, *warned})


def _qualified(work: Work, visit: Visit) -> Finding | None:
    """What is said of admitting a patient for whom these disciplines are ordered (QUAL-01)."""
    episode = work.session.get_one(Episode, visit.episode_id)
    if episode.soc_date is not None:
        return None
    ordered = cases.load(work, [visit]).case(visit).episode.ordered_disciplines
    return ask_qualified(work, episode, ordered) if ordered else None


def _begin_care(work: Work, visit: Visit) -> None:
    """The first visit begins care, on the day on which it was made."""
    episode = work.session.get_one(Episode, visit.episode_id)
    if episode.soc_date is None and visit.actual_start_at is not None:
        patients.start_of_care(work, episode.id, local_day(visit.actual_start_at, queries.zone(work, visit)))


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)[:60]


def _meant(work: Work, element: str, value: Any) -> Any:
    """The value as the element holds it; Invalid if it cannot be one."""
    if element in ("actual_start_at", "actual_end_at"):
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise Invalid("This must be an instant with its offset from UTC.", pointer="/value") from None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise Invalid("This must be an instant with its offset from UTC.", pointer="/value")
        if value > work.now:
            raise Invalid("That is still to come.", pointer="/value")
        return value
    limit = 10 if element == "service_code" else 300
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= limit:
        raise Invalid(f"This must be text of at most {limit} characters.", pointer="/value")
    return value.strip()


__all__ = [
    "CLOSED", "correct_evv", "corrections", "en_route", "finish", "note", "of_the_bill", "of_the_trade", "service_code",
    "start", "verification", "verify",
]  # fmt: skip
