"""The clocks of intake: what is missing, 48 elapsed hours, what begins with admission (REF-01, REF-02, ASM, CERT)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coordinator.agency.model import Branch
from coordinator.core.work import Work
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.watch import watch
from coordinator.domain import events
from coordinator.domain.vocabulary import ReferralDeclineReason, ReferralSetting, ReferralStatus, VisitKind, VisitStatus
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.referrals import service
from coordinator.referrals.model import Referral
from coordinator.visits.model import Visit
from tests.builders import make_clinician
from tests.conftest import NOW, WorkAs
from tests.deadlines.kit import DONE, OPEN, SUPERSEDED, book, listen, one
from tests.referrals.kit import Scene, judge, receive


def test_a_referral_has_its_48_hours_in_the_book(work_as: WorkAs, scene: Scene) -> None:
    """REF-02 example 1: Friday 16:30 at home is due on Sunday 16:30."""
    received = datetime(2026, 11, 14, 0, 30, tzinfo=UTC)
    with work_as(scene.intake, now=received) as work:
        referral = receive(work, scene, at=received)
        due = one(work, "REF-02")
        assert (due.subject, due.due_on, due.due_at, due.owner_role) == (
            f"referral:{referral.id}", date(2026, 11, 15), datetime(2026, 11, 16, 0, 30, tzinfo=UTC), "scheduler",
        )  # fmt: skip
        assert book(work, "REF-01") == []


def test_48_elapsed_hours_over_the_autumn_change(work_as: WorkAs, scene: Scene) -> None:
    """REF-02 example 2."""
    received = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
    with work_as(scene.intake, now=received) as work:
        receive(work, scene, at=received)
        due = one(work, "REF-02")
        assert (due.due_on, due.due_at) == (date(2026, 11, 2), datetime(2026, 11, 2, 17, 0, tzinfo=UTC))


def test_what_is_missing_is_a_task_of_today_until_it_is_there(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, phone=None, payer=None)
        task = one(work, "REF-01")
        assert (task.due_on, task.owner_role, task.facts["missing"]) == (
            date(2026, 11, 9), "intake", ["contact", "payer"],
        )  # fmt: skip
        service.edit(work, referral.id, phone="+1")
        assert one(work, "REF-01").facts["missing"] == ["payer"]
        service.edit(work, referral.id, payer="KP")
        assert one(work, "REF-01", None).status is DONE


def test_an_inpatient_is_asked_after_until_home_and_then_the_hours_run(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, setting=ReferralSetting.INPATIENT)
        ask = one(work, "REF-02")
        assert (ask.due_on, ask.due_at, ask.owner_role, ask.facts["task"]) == (
            date(2026, 11, 9), None, "intake", "confirm-discharge",
        )  # fmt: skip
    later = NOW + timedelta(days=3)
    with work_as(scene.intake, now=later) as work:
        service.edit(work, referral.id, returned_home_at=later)
        assert one(work, "REF-02").due_at == later + timedelta(hours=48)
        assert [row.status for row in book(work, "REF-02")] == [SUPERSEDED, OPEN]


def test_a_due_time_that_comes_back_is_the_same_line_again(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        first = one(work, "REF-02")
        service.edit(work, referral.id, ordered_soc_date=date(2026, 11, 20))
        assert one(work, "REF-02").due_on == date(2026, 11, 20)
        service.edit(work, referral.id, ordered_soc_date=None)
        assert one(work, "REF-02").id == first.id


@pytest.mark.parametrize("ending", ["declined", "withdrawn", "not_admitted"])
def test_nothing_is_owed_for_a_referral_that_ended(work_as: WorkAs, scene: Scene, ending: str) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, written_language=None, interpreter_needed=None)
        if ending == "declined":
            service.decline(work, referral.id, ReferralDeclineReason.CAPACITY, "mettle")
        elif ending == "withdrawn":
            service.withdraw(work, referral.id, "taken back")
        else:
            judge(work, scene, referral)
            service.accept(work, referral.id)
            service.not_admit(work, referral.id, ReferralDeclineReason.DIED, "mettle")
        assert {row.rule for row in book(work)} == {"REF-01", "REF-02"}
        assert {row.status for row in book(work)} == {SUPERSEDED}


def _accepted(work: Work, scene: Scene, **content: object) -> tuple[Referral, Patient, Episode]:
    referral = receive(work, scene, **content)
    judge(work, scene, referral)
    patient = service.accept(work, referral.id)
    return referral, patient, patient.episodes[0]


def _initial(work: Work, scene: Scene, episode: Episode, status: VisitStatus, starts_at: datetime) -> Visit:
    """The initial visit in that state, as the visits room would leave it."""
    visit = work.session.query(Visit).filter_by(episode_id=episode.id, kind=VisitKind.INITIAL).one()
    if visit.clinician_id is None:
        visit.clinician_id = make_clinician(work.session, work.session.get_one(Branch, scene.branch_id)).id
    visit.status, visit.starts_at, visit.ends_at = status, starts_at, starts_at + timedelta(minutes=90)
    if status is VisitStatus.COMPLETED:
        visit.actual_start_at, visit.actual_end_at = visit.starts_at, visit.ends_at
    work.session.flush()
    return visit


def test_the_patients_deadlines_are_theirs_from_acceptance(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, patient, _ = _accepted(work, scene)
        assert one(work, "REF-02").patient_id == patient.id


def test_the_referral_knows_whether_its_visit_is_booked(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral, _, episode = _accepted(work, scene)
        visit = _initial(work, scene, episode, VisitStatus.BOOKED, NOW + timedelta(hours=5))
        work.publish(events.VisitBooked(visit.id, visit.clinician_id or 0))
        assert referral.status is ReferralStatus.INITIAL_VISIT_BOOKED
        visit.status = VisitStatus.PROPOSED
        work.session.flush()
        work.publish(events.VisitMoved(visit.id, visit.clinician_id, None))
        assert referral.status is ReferralStatus.ACCEPTED


@pytest.mark.parametrize(("hours", "late"), [(47, False), (48, False), (48.02, True)])
def test_the_visit_ends_the_clock_and_a_late_one_is_an_incident(
    work_as: WorkAs, scene: Scene, hours: float, late: bool
) -> None:
    with work_as(scene.intake) as work:
        referral, _, episode = _accepted(work, scene)
        visit = _initial(work, scene, episode, VisitStatus.COMPLETED, NOW + timedelta(hours=hours))
    with work_as(now=NOW + timedelta(hours=50)) as work:
        work.publish(events.VisitCompleted(visit.id))
        closed = one(work, "REF-02", None)
        assert (closed.status, closed.close_reason) == (DONE, "held late" if late else "held")
        assert len(book(work, "late_soc", OPEN)) == int(late)
        assert referral.status is ReferralStatus.ACCEPTED


def test_admission_begins_the_assessment_and_the_certification_period(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral, patient, episode = _accepted(work, scene)
    with work_as(scene.manager, now=NOW + timedelta(days=1)) as work:
        patients.start_of_care(work, episode.id, date(2026, 11, 10))
        assert work.session.get_one(Referral, referral.id).status is ReferralStatus.ADMITTED
        assert one(work, "REF-02", None).status is DONE
        assert one(work, "ASM-01").due_on == date(2026, 11, 15)
        recert = one(work, "CERT-02")
        # Day 60 of a period whose day 1 is 10 November, and its window of five days.
        assert (recert.due_on, recert.facts["window_from"]) == (date(2027, 1, 8), "2027-01-04")
        assert recert.facts["remind_on"] == ["2026-12-24", "2026-12-29", "2027-01-03", "2027-01-04"]
        patients.discharge(work, episode.id, date(2026, 11, 10), "patient_elected")
        assert {row.rule: row.status for row in book(work) if row.rule in ("ASM-01", "CERT-02")} == {
            "ASM-01": SUPERSEDED, "CERT-02": SUPERSEDED,
        }  # fmt: skip
        assert patient.id


def test_admission_after_the_due_day_without_a_visit_of_ours_is_late(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, _, episode = _accepted(work, scene)
    with work_as(scene.manager, now=NOW + timedelta(days=3)) as work:
        patients.start_of_care(work, episode.id, date(2026, 11, 12))
        assert one(work, "REF-02", None).close_reason == "held late"
        assert one(work, "late_soc").due_on == date(2026, 11, 12)


# ------------------------------------------------------------------------------------ the watch


def _watched(work_as: WorkAs, scene: Scene, hours: float) -> tuple[list[events.DeadlineReminded], Deadline]:
    with work_as(now=NOW + timedelta(hours=hours)) as work:
        heard = listen(work)
        watch(work, scene.branch_id)
        return heard, one(work, "REF-02", None)


def test_the_watch_warns_twelve_hours_before_and_once(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        receive(work, scene)
    assert _watched(work_as, scene, 35.9)[0] == []
    heard, row = _watched(work_as, scene, 36)
    assert [(event.deadline_id, event.stage) for event in heard] == [(row.id, "warning")]
    assert _watched(work_as, scene, 36.25)[0] == []


def test_the_watch_raises_the_alarm_after_the_hour_and_once(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        receive(work, scene)
    assert _watched(work_as, scene, 48)[0][0].stage == "warning"
    heard, row = _watched(work_as, scene, 48.01)
    assert [event.stage for event in heard] == ["overdue"]
    assert row.escalated_at is not None
    assert _watched(work_as, scene, 49)[0] == []
    with work_as() as work:
        # Received Monday, due Wednesday, Veterans Day: the incident is for Thursday.
        incident = one(work, "late_soc")
        assert (incident.due_on, incident.owner_role) == (date(2026, 11, 12), "clinical_manager")


def test_the_watch_is_silent_while_a_visit_is_booked_in_time(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, _, episode = _accepted(work, scene)
        _initial(work, scene, episode, VisitStatus.BOOKED, NOW + timedelta(hours=47))
    assert _watched(work_as, scene, 40)[0] == []
    # It came and went without a visit.
    assert [event.stage for event in _watched(work_as, scene, 49)[0]] == ["overdue"]


def test_the_watch_speaks_up_for_a_booking_that_is_too_late(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, _, episode = _accepted(work, scene)
        _initial(work, scene, episode, VisitStatus.BOOKED, NOW + timedelta(hours=49))
    assert [event.stage for event in _watched(work_as, scene, 1)[0]] == ["warning"]


def test_the_watch_closes_what_was_held_and_nobody_said(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, _, episode = _accepted(work, scene)
        _initial(work, scene, episode, VisitStatus.COMPLETED, NOW + timedelta(hours=47))
    heard, row = _watched(work_as, scene, 49)
    assert (heard, row.status, row.close_reason) == ([], DONE, "held")


def test_the_watch_does_not_alarm_while_the_nurse_is_there(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        _, _, episode = _accepted(work, scene)
        visit = _initial(work, scene, episode, VisitStatus.IN_PROGRESS, NOW + timedelta(hours=47))
        visit.actual_start_at = visit.starts_at
    assert _watched(work_as, scene, 48.5)[0] == []
