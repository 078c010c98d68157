"""What is done when a visit is over, or was not made: telling, releasing a bill, and the schedule in writing."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import BillReleased, MissedVisitTold, VisitCorrected, WrittenScheduleGiven
from coordinator.domain.lifecycle import DONE_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, MswPurpose, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.patients.model import Patient
from coordinator.patients.scope import require_sight
from coordinator.rules import qualifying, therapy
from coordinator.rules.notes import ask_note
from coordinator.rules.qualifying import ask_social_work_done
from coordinator.visits import placing, queries
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import BillException, MissedNotice, WrittenSchedule

#: Exceptions that release a bill, by rule.
EXCEPTIONS: dict[str, frozenset[str]] = {"QUAL-02": qualifying.EXCEPTIONS, "THX-01": therapy.EXCEPTIONS}
HOW = ("telephone", "secure-message", "fax", "in-person")
TOLD = ("practitioner", "patient")


@permitted("visit:miss")
def tell_of_missed(
    work: Work, visit_id: int, *, told: str, told_at: datetime, how: str, instruction: str | None = None
) -> MissedNotice:
    """The practitioner, or the patient, knows of the missed visit; what they instructed is kept (VIS-01)."""
    visit = queries.claim(work, visit_id)
    if visit.status not in (VisitStatus.MISSED, VisitStatus.NO_SHOW):
        raise placing.not_in_state(visit, "told of as missed")
    if told not in TOLD:
        raise Invalid(f"One of: {', '.join(TOLD)}.", pointer="/told")
    if how not in HOW:
        raise Invalid(f"One of: {', '.join(HOW)}.", pointer="/how")
    if told_at > work.now:
        raise Invalid("That is still to come.", pointer="/told_at")
    row = MissedNotice(
        visit_id=visit.id, told=told, told_at=told_at, how=how, instruction=instruction, told_by_id=_user(work),
        recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the answer
    work.record("visit.missed-told", f"visit:{visit.id}", patient_id=visit.patient_id, told=told, how=how)
    work.publish(MissedVisitTold(visit_id=visit.id, told=told))
    return row


@permitted("billing:except")
def release_bill(work: Work, visit_id: int, *, rule: str, code: str, text: str) -> Visit:
    """The visit's bill is no longer held for that rule, under a listed exception (QUAL-02, THX-01)."""
    visit = queries.claim(work, visit_id)
    known = EXCEPTIONS.get(rule)
    if known is None:
        raise Invalid(f"Exceptions are listed for: {', '.join(sorted(EXCEPTIONS))}.", pointer="/rule")
    if code not in known:
        raise Invalid(f"One of: {', '.join(sorted(known))}.", pointer="/code")
    if not text.strip():
        raise Invalid("Say what happened.", pointer="/text")
    if rule not in visit.hold_bill or visit.status not in DONE_VISIT:
        raise Conflict("The visit's bill is not held for that rule.", code="bill-not-held", held=visit.hold_bill)
    work.session.add(
        BillException(visit_id=visit.id, rule=rule, code=code, text=text.strip(), user_id=_user(work), at=work.now)
    )
    visit.hold_bill = [one for one in visit.hold_bill if one != rule]
    work.session.flush()  # the new version is in the answer
    work.record("visit.bill-released", f"visit:{visit.id}", patient_id=visit.patient_id, rule=rule, code=code)
    work.publish(BillReleased(visit_id=visit.id, rule=rule, code=code))
    return visit


@permitted("visit:perform")
def name_purpose(work: Work, visit_id: int, purpose: MswPurpose) -> Visit:
    """What the social worker's visit is for (QUAL-03); a bill that was held for want of it is held no more."""
    visit = queries.claim(work, visit_id)
    if visit.discipline is not Discipline.MSW or visit.clinician_id != work.actor.clinician_id:
        raise Forbidden("The social worker who makes the visit names its purpose.", rule="QUAL-03")
    visit.purpose = purpose.value
    if ask_social_work_done(visit.purpose) is None:
        visit.hold_bill = [rule for rule in visit.hold_bill if rule != "QUAL-03"]
        visit.warnings = [rule for rule in visit.warnings if rule != "QUAL-03"]
    work.session.flush()  # the new version is in the answer
    work.record("visit.purpose-named", f"visit:{visit.id}", patient_id=visit.patient_id, purpose=purpose.value)
    work.publish(VisitCorrected(visit_id=visit.id))
    return visit


@permitted("schedule:give")
def give_schedule(
    work: Work, patient_id: int, *, given_on: date, language: str | None = None, visit_id: int | None = None
) -> WrittenSchedule:
    """The patient has the visits to come in writing, in the language they read (VIS-05)."""
    branch_id = require_sight(work, patient_id)
    if given_on > agency.today(work, branch_id):
        raise Invalid("That day is still to come.", pointer="/given_on")
    if visit_id is not None and queries.the_visit(work, visit_id).patient_id != patient_id:
        raise Invalid("That visit is another patient's.", pointer="/visit_id")
    patient = work.session.get_one(Patient, patient_id)
    row = WrittenSchedule(
        patient_id=patient_id, given_on=given_on,
        language=language or patient.written_language or patient.spoken_language or "en",
        visit_id=visit_id, given_by_id=_user(work), recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the number is in the answer
    work.record("schedule.given", f"written-schedule:{row.id}", patient_id=patient_id)
    work.publish(WrittenScheduleGiven(patient_id=patient_id, given_on=given_on))
    return row


@permitted("visit:read")
def schedules_of(work: Work, patient_id: int) -> list[WrittenSchedule]:
    """When the patient was given a schedule in writing, newest first."""
    require_sight(work, patient_id)
    work.record("schedule.read", f"patient:{patient_id}", patient_id=patient_id)
    query = sa.select(WrittenSchedule).where(WrittenSchedule.patient_id == patient_id)
    return list(work.session.scalars(query.order_by(WrittenSchedule.given_on.desc(), WrittenSchedule.id.desc())))


def hold_late_notes(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `visits.late-notes`: what has no signed note after California's working days is not billed (VIS-03)."""
    with context.work() as work:
        branch_id = int(arguments["branch_id"])
        zone, today = agency.zone_of(work, branch_id), agency.today(work, branch_id)
        rows = work.session.scalars(
            sa.select(Visit)
            .where(
                Visit.branch_id == branch_id,
                Visit.status == VisitStatus.COMPLETED,
                Visit.note_signed_at.is_(None),
                Visit.actual_end_at < work.now - timedelta(days=work.policy.on(today).notes.working_days),
            )
            .order_by(Visit.id)
            .with_for_update(key_share=True)
        )
        for visit in rows.all():
            assert visit.actual_end_at is not None
            finding = ask_note(local_day(visit.actual_end_at, zone), None, today, work.policy)
            if finding is not None and finding.rule not in visit.hold_bill:
                visit.hold_bill = sorted({*visit.hold_bill, finding.rule})
                work.record("visit.bill-held", f"visit:{visit.id}", patient_id=visit.patient_id, rule=finding.rule)


def _user(work: Work) -> int:
    if work.actor.user_id is None:
        raise Forbidden("This carries the name of whoever does it.")
    return work.actor.user_id
