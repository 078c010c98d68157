"""Aides are watched, assistants stood behind, tasks and purposes recorded, the missed told, the schedule given."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.core.http import Coordinator
from coordinator.deadlines.book import open_deadline
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.remind import look_after
from coordinator.domain.events import OrderEnded
from coordinator.domain.vocabulary import (
    DeadlineStatus,
    Discipline,
    MissedReason,
    MswPurpose,
    OrderStatus,
    Payer,
    Performer,
    Programme,
    VisitKind,
    VisitStatus,
)
from coordinator.jobs.context import JobContext
from coordinator.orders import aides as instructions
from coordinator.orders.model import AideCarePlan, Order
from coordinator.patients.model import Episode, Patient
from coordinator.staff import aides as competence
from coordinator.staff.model import TimeOff
from coordinator.teams.model import CareTeamMember
from coordinator.visits import afterwards, dependents, doing, missed, service, supervision, watching
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.visits.conftest import MONDAY, TUESDAY, WEDNESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]
NINE = local(TUESDAY, 9)


def book(work: Any, rule: str) -> list[tuple[date, str, str | None]]:
    rows = work.session.scalars(sa.select(Deadline).where(Deadline.rule == rule).order_by(Deadline.due_on, Deadline.id))
    return [(row.due_on, row.status.value, row.close_reason) for row in rows]


@pytest.fixture(autouse=True)
def team(scene: Scene, work_as: WorkAs) -> None:
    """Everybody of the scene cares for the patient, and so may see the record."""
    with work_as(now=NOW) as work:
        for number in scene.people.values():
            work.session.add(
                CareTeamMember(
                    patient_id=scene.patient, clinician_id=number, role="care", is_primary=False,
                    starts_on=date(2026, 10, 26),
                )
            )  # fmt: skip


@pytest.fixture
def cared_for(ordered: OrderMaker) -> int:
    """The aide's order, beside nursing."""
    ordered(Discipline.SN)
    return ordered(Discipline.HHA)


def made(
    work: Any, scene: Scene, name: str, discipline: Discipline, order_id: int | None = None, **given: Any
) -> Visit:
    """A visit that was made on Monday by that person."""
    begins = local(MONDAY, 7)
    values: dict[str, Any] = {
        "discipline": discipline, "status": VisitStatus.COMPLETED, "clinician_id": scene[name], "starts_at": begins,
        "ends_at": begins + timedelta(minutes=30), "actual_start_at": begins, "order_id": order_id,
        "actual_end_at": begins + timedelta(minutes=30), "window_from": MONDAY, "window_to": MONDAY,
    } | given  # fmt: skip
    patient = work.session.get_one(Patient, scene.patient)
    return builders.make_visit(work.session, patient, work.session.get_one(Episode, scene.episode), **values)


# ------------------------------------------------------------------------------------ instructions


def test_an_aide_who_has_not_read_the_new_instructions_is_warned_of(
    scene: Scene, work_as: WorkAs, cared_for: int, wanted: Wanted
) -> None:
    visit = wanted(cared_for)[0]
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        assert "AID-02" in service.assign(work, visit, scene["aide"], NINE).warnings
    with work_as(scene.actor("aide"), now=NOW) as work:
        first = instructions.acknowledge(work, scene.patient, 1)
        assert first.acknowledged_at == NOW
    with work_as(scene.actor("aide"), now=NOW + timedelta(hours=1)) as work:
        assert instructions.acknowledge(work, scene.patient, 1).acknowledged_at == NOW  # the first time stands
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        assert "AID-02" not in service.ask_about(work, visit, scene["aide"], NINE, None).warnings
    with work_as(scene.actor("nurse"), now=NOW) as work, pytest.raises(Forbidden):
        instructions.acknowledge(work, scene.patient, 1)


# ------------------------------------------------------------------------------------ concerns


def test_a_concern_keeps_the_task_from_the_aide_until_somebody_has_watched(
    scene: Scene, work_as: WorkAs, cared_for: int, wanted: Wanted
) -> None:
    visit = wanted(cared_for)[0]
    with work_as(scene.actor("nurse"), now=NOW) as work:
        supervision.record(
            work, scene.patient, supervised_on=MONDAY, aide_id=scene["aide"], concern=True, concern_tasks=["bathing"]
        )
        (concern,) = watching.concerns_of(work, scene.patient)
        assert concern.tasks == ["BATHING"]
        assert book(work, "SUP-02") == [(MONDAY + timedelta(days=3), "open", None)]
        number = concern.id
    with work_as(scene.actor("scheduler"), now=NOW) as work, pytest.raises(RuleBroken) as refused:
        service.assign(work, visit, scene["aide"], NINE)
    assert [finding.rule for finding in refused.value.findings if finding.refuses] == ["SUP-02"]
    with work_as(scene.actor("nurse"), now=NOW) as work:
        watching.observe(work, scene.patient, aide_id=scene["aide"], observed_on=MONDAY, passed=True, concern_id=number)
        assert book(work, "SUP-02")[0][1:] == ("done", "observed")
        assert book(work, "SUP-03") == [(date(2027, 11, 9), "open", None)]
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        assert service.assign(work, visit, scene["aide"], NINE).status is VisitStatus.BOOKED


def test_a_deficiency_takes_in_related_skills_until_an_evaluation_is_passed(
    scene: Scene, work_as: WorkAs, cared_for: int
) -> None:
    with work_as(scene.actor("nurse"), now=NOW) as work:
        supervision.record(
            work, scene.patient, supervised_on=MONDAY, aide_id=scene["aide"], concern=True, concern_tasks=["TRANSFERS"]
        )
        number = watching.concerns_of(work, scene.patient)[0].id
    with work_as(scene.actor("manager"), now=NOW) as work, pytest.raises(Conflict) as refused:
        watching.clear(work, number, cleared_on=MONDAY)
    assert refused.value.problem_code == "not-observed"
    with work_as(scene.actor("nurse"), now=NOW) as work:
        watching.observe(
            work, scene.patient, aide_id=scene["aide"], observed_on=MONDAY, passed=False, concern_id=number
        )
        assert watching.concerns_of(work, scene.patient)[0].tasks == ["AMBULATION", "POSITIONING", "TRANSFERS"]
    with work_as(scene.actor("manager"), now=NOW) as work:
        assert watching.clear(work, number, cleared_on=MONDAY).cleared_on == MONDAY
    with work_as(scene.actor("manager"), now=NOW) as work, pytest.raises(Conflict):
        watching.clear(work, number, cleared_on=MONDAY)


def test_an_assistant_observes_nobody(scene: Scene, work_as: WorkAs) -> None:
    for name in ("vocational", "aide", "assistant"):
        with work_as(scene.actor(name), now=NOW) as work, pytest.raises(Forbidden):
            watching.observe(work, scene.patient, aide_id=scene["aide"], observed_on=MONDAY, passed=True)


# ------------------------------------------------------------------------------------ assistants


def test_a_vocational_nurses_first_visit_winds_the_thirty_days(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Wanted
) -> None:
    visit = wanted(ordered(Discipline.SN))[0]
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        service.assign(work, visit, scene["vocational"], NINE)
    with work_as(scene.actor("vocational"), now=NINE) as work:
        doing.start(work, visit, NINE)
    with work_as(scene.actor("vocational"), now=NINE + timedelta(minutes=45)) as work:
        doing.finish(work, visit, NINE + timedelta(minutes=45))
        assert book(work, "SUP-05") == [(TUESDAY + timedelta(days=30), "open", None)]
    later = local(WEDNESDAY, 12)
    with work_as(scene.actor("therapist"), now=later) as work, pytest.raises(Forbidden):
        watching.supervise_assistant(work, scene.patient, assistant_id=scene["vocational"], supervised_on=WEDNESDAY)
    with work_as(scene.actor("nurse"), now=later) as work:
        watching.supervise_assistant(work, scene.patient, assistant_id=scene["vocational"], supervised_on=WEDNESDAY)
        assert book(work, "SUP-05")[0][1:] == ("done", "supervised")


def test_a_therapy_assistant_needs_a_therapist_of_record_within_reach(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Wanted
) -> None:
    order = ordered(Discipline.PT)
    visit = wanted(order)[1]
    with work_as(now=NOW) as work:
        made(work, scene, "therapist", Discipline.PT, order, kind=VisitKind.EVALUATION)
        row = work.session.get_one(Visit, visit)
        row.kind = VisitKind.ROUTINE
        drafted = work.session.get_one(Order, order)
        assert drafted.discipline is Discipline.PT
        away = TimeOff(
            clinician_id=scene["therapist"], starts_at=local(TUESDAY, 0), ends_at=local(WEDNESDAY, 0), reason="leave"
        )
        work.session.add(away)
        work.session.flush()
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        found = service.ask_about(work, visit, scene["assistant"], NINE, None).findings
        assert ("SUP-05", "BLOCK-OVR") in [(one.rule, one.severity.value) for one in found]
    with work_as(now=NOW) as work:
        branch = work.session.get_one(builders.Branch, scene.branch)
        other = builders.make_clinician(work.session, branch, Performer.PT).id
    with work_as(scene.actor("manager"), now=NOW) as work:
        watching.reassign_therapist(
            work, scene.patient, discipline=Discipline.PT, clinician_id=other, starts_on=TUESDAY, reason="On leave"
        )
        with pytest.raises(Invalid):
            watching.reassign_therapist(
                work, scene.patient, discipline=Discipline.PT, clinician_id=scene["nurse"], starts_on=TUESDAY,
                reason="On leave",
            )  # fmt: skip
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        found = service.ask_about(work, visit, scene["assistant"], NINE, None).findings
        assert "SUP-05" not in [one.rule for one in found]


# ------------------------------------------------------------------------------------ competence


def test_an_aide_who_did_no_paid_work_for_two_years_requalifies_first(
    scene: Scene, work_as: WorkAs, cared_for: int, wanted: Wanted
) -> None:
    visit = wanted(cared_for)[0]
    with work_as(scene.actor("manager"), now=NOW) as work:
        competence.record_competence(work, scene["aide"], last_paid_work_on=date(2024, 11, 9))
    with work_as(scene.actor("scheduler"), now=NOW) as work, pytest.raises(RuleBroken) as refused:
        service.assign(work, visit, scene["aide"], NINE)
    assert [finding.rule for finding in refused.value.findings if finding.refuses] == ["AID-03"]
    with work_as(scene.actor("manager"), now=NOW) as work:
        competence.record_competence(work, scene["aide"], requalified_on=MONDAY)
        with pytest.raises(Invalid):
            competence.record_competence(work, scene["nurse"], requalified_on=MONDAY)
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        assert service.assign(work, visit, scene["aide"], NINE).status is VisitStatus.BOOKED


def test_in_service_hours_of_the_year_are_counted(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=NOW) as work:
        competence.record_competence(work, scene["aide"], year_began_on=date(2024, 1, 5))
        competence.add_in_service(work, scene["aide"], held_on=date(2026, 1, 4), minutes=600, topic="Last year's")
        competence.add_in_service(work, scene["aide"], held_on=date(2026, 3, 1), minutes=600, topic="Transfers")
        _, attended, task = competence.competence(work, scene["aide"])
        assert len(attended) == 2
        assert task is not None
        assert (task.due, task.params["hours"]) == (date(2027, 1, 4), 10)
        assert book(work, "AID-03") == [(date(2027, 1, 4), "open", None)]
        competence.add_in_service(work, scene["aide"], held_on=MONDAY, minutes=120, topic="Infection control")
        assert competence.competence(work, scene["aide"])[2] is None
        assert book(work, "AID-03")[0][1:] == ("done", "attended")


def test_training_that_nobody_records_is_brought_up_in_month_ten_and_stays(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=NOW) as work:
        competence.record_competence(work, scene["aide"], year_began_on=date(2026, 1, 15))
        assert book(work, "AID-03") == []
    with work_as(now=NOW + timedelta(days=7)) as work:
        look_after(work, scene.branch)
        assert book(work, "AID-03") == [(date(2027, 1, 14), "open", None)]
    with work_as(now=NOW + timedelta(days=70)) as work:
        look_after(work, scene.branch)
        assert book(work, "AID-03") == [(date(2027, 1, 14), "open", None)]


@pytest.mark.parametrize(
    ("began", "today", "year"),
    [
        (date(2024, 1, 5), date(2026, 1, 4), date(2025, 1, 5)),
        (date(2024, 1, 5), date(2026, 1, 5), date(2026, 1, 5)),
        (date(2024, 2, 29), date(2025, 2, 28), date(2025, 2, 28)),
    ],
)
def test_the_training_year_begins_anew_every_twelve_months(began: date, today: date, year: date) -> None:
    assert competence.year_of(began, today) == year


# ------------------------------------------------------------------------------------ what was done


def finish(scene: Scene, work_as: WorkAs, visit: int, who: str, **given: Any) -> list[str]:
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        service.assign(work, visit, scene[who], NINE)
    with work_as(scene.actor(who), now=NINE) as work:
        doing.start(work, visit, NINE)
    ends = NINE + timedelta(minutes=45)
    with work_as(scene.actor(who), now=ends) as work:
        done = doing.finish(work, visit, ends, **given)
        return [*done.hold_bill, *done.warnings]


def test_an_aides_tasks_are_held_against_the_instructions(
    scene: Scene, work_as: WorkAs, cared_for: int, wanted: Wanted
) -> None:
    incidental = finish(scene, work_as, wanted(cared_for)[0], "aide", tasks=["housekeeping"])
    assert incidental.count("AID-02") == 2  # not listed: shown; no personal care: held


def test_a_late_note_holds_the_bill_until_it_is_signed(
    app: Coordinator, scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Wanted
) -> None:
    visit = wanted(ordered(Discipline.SN))[0]
    finish(scene, work_as, visit, "nurse")

    def night(day: date) -> list[str]:
        now = local(day, 3, 20)
        workshop = replace(app.extensions["workshop"], now=lambda: now)
        context = JobContext(workshop=workshop, name="visits.late-notes", key=f"late:{day}")
        afterwards.hold_late_notes(context, {"branch_id": scene.branch})
        with work_as(now=now) as work:
            return list(work.session.get_one(Visit, visit).hold_bill)

    # Tuesday the 10th; the 11th is Veterans Day: seven working days end on Friday the 20th.
    assert "VIS-03" not in night(date(2026, 11, 20))
    assert "VIS-03" in night(date(2026, 11, 21))
    with work_as(scene.actor("nurse"), now=local(date(2026, 11, 21), 9)) as work:
        signed = doing.note(work, visit)
        assert (signed.note_signed_at, "VIS-03" in signed.hold_bill) == (local(date(2026, 11, 21), 9), False)


def test_a_listed_exception_releases_the_bill(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=NOW) as work:
        number = made(work, scene, "aide", Discipline.HHA, hold_bill=["QUAL-02"]).id
    with work_as(scene.actor("manager"), now=NOW) as work:
        for rule, code in (("QUAL-02", "HOLIDAY"), ("EVV-01", "INPATIENT")):
            with pytest.raises(Invalid):
                afterwards.release_bill(work, number, rule=rule, code=code, text="In hospital")
        with pytest.raises(Conflict):
            afterwards.release_bill(work, number, rule="THX-01", code="INPATIENT", text="In hospital")
        done = afterwards.release_bill(work, number, rule="QUAL-02", code="INPATIENT", text="In hospital")
        assert done.hold_bill == []
    with work_as(scene.actor("scheduler"), now=NOW) as work, pytest.raises(Forbidden):
        afterwards.release_bill(work, number, rule="QUAL-02", code="INPATIENT", text="In hospital")


def test_a_social_workers_visit_names_its_purpose(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=NOW) as work:
        number = made(work, scene, "nurse", Discipline.MSW, hold_bill=["QUAL-03"]).id
    with work_as(scene.actor("nurse"), now=NOW) as work:
        named = afterwards.name_purpose(work, number, MswPurpose.COUNSELING)
        assert named.purpose == "counseling"
        assert "QUAL-03" not in named.hold_bill
    with work_as(scene.actor("other_nurse"), now=NOW) as work, pytest.raises(Forbidden):
        afterwards.name_purpose(work, number, MswPurpose.ACP)


def test_telling_the_practitioner_closes_what_only_asked_for_that(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Wanted
) -> None:
    visit = wanted(ordered(Discipline.SN))[0]
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        with pytest.raises(Conflict):
            afterwards.tell_of_missed(work, visit, told="practitioner", told_at=NOW, how="telephone")
        missed.miss(work, visit, MissedReason.STAFF_ILLNESS, clinical_impact=False)
        assert [row[1] for row in book(work, "VIS-01")] == ["open"]
        with pytest.raises(Invalid):
            afterwards.tell_of_missed(work, visit, told="neighbour", told_at=NOW, how="telephone")
        afterwards.tell_of_missed(work, visit, told="patient", told_at=NOW, how="telephone")
        assert [row[1] for row in book(work, "VIS-01")] == ["open"]
        afterwards.tell_of_missed(
            work, visit, told="practitioner", told_at=NOW, how="telephone", instruction="Watch the wound"
        )
        assert book(work, "VIS-01")[0][1:] == ("done", "told")


def test_the_schedule_is_given_in_the_language_that_the_patient_reads(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=NOW) as work:
        work.session.get_one(Patient, scene.patient).written_language = "zh-Hant"
        open_deadline(
            work, rule="VIS-05", subject="order:1:schedule", due_on=TUESDAY, owner_role="case_manager",
            branch_id=scene.branch, patient_id=scene.patient, task="written-schedule",
        )  # fmt: skip
    with work_as(scene.actor("nurse"), now=NOW) as work:
        assert afterwards.give_schedule(work, scene.patient, given_on=MONDAY).language == "zh-Hant"
        assert [row.given_on for row in afterwards.schedules_of(work, scene.patient)] == [MONDAY]
        (row,) = work.session.scalars(sa.select(Deadline).where(Deadline.rule == "VIS-05"))
        assert row.status is DeadlineStatus.DONE


def test_instructions_in_force_are_the_latest_version_for_the_day(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=NOW) as work:
        work.session.add(
            AideCarePlan(
                patient_id=scene.patient, number=2, prepared_by_id=scene["nurse"], effective_from=WEDNESDAY,
                tasks=["FEEDING"], recorded_at=NOW,
            )
        )  # fmt: skip
    with work_as(scene.actor("nurse"), now=NOW) as work:
        found = instructions.current_instructions(work, scene.patient, TUESDAY)
        assert found is not None
        assert found.number == 1


# ------------------------------------------------------------------------------------ what qualifies


@pytest.mark.parametrize(("discipline", "admitted"), [(Discipline.OT, False), (Discipline.SN, True)])
def test_nobody_is_admitted_to_medicare_for_occupational_therapy_alone(
    scene: Scene, work_as: WorkAs, discipline: Discipline, admitted: bool
) -> None:
    """QUAL-01: occupational therapy establishes nothing; the visit ends without an admission."""
    with work_as(now=NOW) as work:
        episode = work.session.get_one(Episode, scene.episode)
        episode.soc_date, episode.programme, episode.payer = None, Programme.MEDICARE_HH, Payer.MEDICARE
        plan = work.session.get_one(builders.CarePlan, scene.plan)
        builders.make_order(work.session, episode, plan, discipline, status=OrderStatus.SENT_FOR_SIGNATURE)
        begun = made(work, scene, "nurse", Discipline.SN, kind=VisitKind.INITIAL, status=VisitStatus.IN_PROGRESS)
        begun.actual_end_at = None
        number, ends = begun.id, begun.ends_at
    assert ends is not None
    if admitted:
        with work_as(scene.actor("nurse"), now=ends) as work:
            doing.finish(work, number, ends)
            assert work.session.get_one(Episode, scene.episode).soc_date == MONDAY
        return
    with work_as(scene.actor("nurse"), now=ends) as work, pytest.raises(RuleBroken) as refused:
        doing.finish(work, number, ends)
    assert [(one.rule, one.severity.value) for one in refused.value.findings] == [("QUAL-01", "BLOCK")]
    with work_as(scene.actor("nurse"), now=ends) as work:
        assert doing.finish(work, number, ends, admit=False).status is VisitStatus.COMPLETED
        assert work.session.get_one(Episode, scene.episode).soc_date is None


def test_when_the_last_skilled_order_ends_planned_aide_visits_say_so(
    scene: Scene, work_as: WorkAs, ordered: OrderMaker, wanted: Wanted
) -> None:
    nursing, aide = ordered(Discipline.SN), ordered(Discipline.HHA)
    visit = wanted(aide)[0]
    with work_as(scene.actor("scheduler"), now=NOW) as work:
        service.assign(work, visit, scene["aide"], NINE)
        assert "QUAL-01" not in work.session.get_one(Visit, visit).warnings
    with work_as(now=NOW) as work:
        work.session.get_one(Order, nursing).status = OrderStatus.DISCONTINUED
        work.session.flush()
        dependents.on_order_ended(work, OrderEnded(nursing, OrderStatus.DISCONTINUED.value, MONDAY))
    with work_as(now=NOW) as work:
        assert "QUAL-01" in work.session.get_one(Visit, visit).warnings
