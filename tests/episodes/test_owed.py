"""An episode's papers in the book of deadlines: what they owe, and what they close."""

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.sweep import follow
from coordinator.domain.vocabulary import AssessmentKind, EncounterModality, PractitionerType
from coordinator.episodes import service
from coordinator.patients import service as patients
from coordinator.rules.discharge import Step
from tests.episodes.conftest import SOC, TODAY, Scene

SECOND_DAY = datetime(2026, 10, 2, 18, tzinfo=UTC)


def book(work: Work) -> dict[tuple[str, str], tuple[date, str]]:
    """Rule and task of every row, with its due day and state."""
    work.session.flush()
    rows = work.session.execute(sa.select(Deadline.rule, Deadline.task, Deadline.due_on, Deadline.status))
    return {(row.rule, row.task): (row.due_on, row.status.value) for row in rows}


def test_an_encounter_is_owed_by_the_thirtieth_day_until_one_serves(scene: Scene) -> None:
    owed = ("F2F-01", "obtain-encounter")
    due = SOC + timedelta(days=30)
    encounter = {
        "modality": EncounterModality.IN_PERSON, "performer_type": PractitionerType.MD,
        "performer_npi": scene.physician.npi, "related_to_primary_reason": True,
    }  # fmt: skip
    with scene.work(now=SECOND_DAY) as work:
        follow(work, scene.branch.id)
        assert book(work)[owed] == (due, "open")
        early = service.record_encounter(work, scene.episode.id, encounter_on=SOC - timedelta(days=91), **encounter)
        assert book(work)[owed] == (due, "open")
        service.correct_encounter(work, early.row.id, reason="typing error", encounter_on=SOC - timedelta(days=9))
        assert book(work)[owed] == (due, "done")


def test_assessments_close_what_they_answer(scene: Scene) -> None:
    owed = ("ASM-01", "comprehensive-assessment")
    with scene.work(now=SECOND_DAY) as work:
        follow(work, scene.branch.id)
        assert book(work)[owed] == (date(2026, 10, 6), "open")
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.START_OF_CARE, event_on=SOC, completed_on=SOC,
            clinician_id=scene.nurse.id,
        )  # fmt: skip
        assert book(work)[owed][1] == "done"
    with scene.work(now=datetime(2026, 11, 26, 18, tzinfo=UTC)) as work:
        follow(work, scene.branch.id)
        assert book(work)["CERT-02", "recertify"] == (date(2026, 11, 29), "open")
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.RECERTIFICATION, event_on=date(2026, 11, 26),
            completed_on=date(2026, 11, 26), clinician_id=scene.nurse.id,
        )  # fmt: skip
        assert book(work)["CERT-02", "recertify"] == (date(2026, 11, 29), "done")


def test_summary_and_record_close_what_a_discharge_owes(scene: Scene) -> None:
    with scene.work() as work:
        patients.discharge(work, scene.episode.id, TODAY, "goals_met")
        follow(work, scene.branch.id)
        assert book(work)["DIS-02", "discharge-summary"][1] == "open"
        (made,) = service.discharges(work, scene.episode.id)
        service.record_discharge_step(work, made.row.id, step=Step.SUMMARY, done_on=TODAY)
        after = book(work)
        assert (after["DIS-02", "discharge-summary"][1], after["DIS-02", "close-record"][1]) == ("done", "open")


def test_the_transfer_s_summary_and_assessment_are_owed_and_closed(scene: Scene) -> None:
    """Learned of on the Wednesday before Thanksgiving: the summary is due on Monday."""
    now = datetime(2026, 11, 25, 18, tzinfo=UTC)
    with scene.work(now=now) as work:
        admitted = now - timedelta(hours=30)
        stay = service.record_stay(work, scene.episode.id, left_home_at=admitted, admitted_at=admitted)
        assert book(work)["DIS-02", "transfer-summary"] == (date(2026, 11, 30), "open")
        assert book(work)["ASM-01", "transfer-assessment"] == (date(2026, 11, 26), "open")
        service.send_transfer_summary(work, stay.id)
        service.complete_assessment(
            work, scene.episode.id, kind=AssessmentKind.TRANSFER, event_on=date(2026, 11, 24),
            completed_on=date(2026, 11, 25), clinician_id=scene.nurse.id,
        )  # fmt: skip
        after = book(work)
        assert {after["DIS-02", "transfer-summary"][1], after["ASM-01", "transfer-assessment"][1]} == {"done"}
