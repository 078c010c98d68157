"""Answers are scored by the server, ask for what they ask for at once, and are read by those whose work needs them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.care import assessments, readings, texts
from coordinator.care.model import Assessment, InstrumentText
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from coordinator.deadlines import service as deadlines
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.remind import look_after
from coordinator.deadlines.watch import watch
from coordinator.domain.care import AssessmentStatus, InstrumentCode, Measure
from coordinator.domain.vocabulary import DeadlineStatus
from coordinator.notify.model import Notice
from coordinator.patients import service as patients
from tests.care.conftest import TODAY, TUESDAY, ZONE, Scene, owed
from tests.conftest import WorkAs

NINE = ("pain", "tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")
CALM = dict.fromkeys(NINE, 1)
PHQ = ("interest", "mood", "sleep", "energy", "eating", "self_worth", "concentration", "movement", "self_harm")
ESAS, PPS, PHQ_2, PHQ_9 = InstrumentCode.ESAS_R, InstrumentCode.PPS, InstrumentCode.PHQ_2, InstrumentCode.PHQ_9
DONE, SUPERSEDED = DeadlineStatus.DONE, DeadlineStatus.SUPERSEDED


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


def test_the_server_scores_and_a_partial_set_has_no_total(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        whole = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM, visit_id=scene.visit)
        assert (whole.total, whole.complete, whole.flags, whole.episode_id) == (9, True, [], scene.episode)
        partial = assessments.record(work, scene.patient, instrument=ESAS, answers={"pain": 2})
        assert (partial.total, partial.complete) == (None, False)
        assert [flag["rule"] for flag in partial.flags] == ["INS-01"]
        lines = [line for line in work.trail if line.action == "assessment.recorded"]
        assert [line.facts for line in lines] == [
            {"instrument": "ESAS-r", "complete": True}, {"instrument": "ESAS-r", "complete": False},
        ]  # fmt: skip


def test_what_cannot_be_meant_is_refused_whole_and_named_by_item(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        with pytest.raises(RuleBroken) as refusal:
            assessments.record(work, scene.patient, instrument=PPS, answers={"level": 55, "soul": 1})
        assert [error["pointer"] for error in refusal.value.extra["errors"]] == ["/answers/level", "/answers/soul"]
        assert work.session.execute(sa.select(sa.func.count(Assessment.id))).scalar() == 0


def test_severe_pain_is_contact_today_and_told_and_a_nurses_new_rating_answers_it(
    scene: Scene, work_as: WorkAs
) -> None:
    with work_as(scene.actor("pt"), now=TUESDAY) as work:
        row = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 8, "nausea": 5})
        assert owed(work, "INS-02") == [("severe-symptom", TODAY), ("recontact", days(2))]
        assert owed(work, "VIS-02") == [("tell-of-change", TODAY)]
        assert {flag["rule"] for flag in row.flags} == {"INS-02", "VIS-02"}
    with work_as(scene.actor("pt"), now=TUESDAY + timedelta(hours=1)) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM)
        assert owed(work, "INS-02") == [("severe-symptom", TODAY)]  # a therapist's rating is no nurse's contact
    with work_as(scene.actor("rn"), now=TUESDAY + timedelta(hours=2)) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 4})
        assert owed(work, "INS-02") == [("recontact", days(2))]
        assert owed(work, "VIS-02") == [("tell-of-change", TODAY)]  # the practitioner was not told by that


def test_a_symptom_in_the_evening_is_of_the_branchs_day(scene: Scene, work_as: WorkAs) -> None:
    """20:00 in San Francisco is the next day in UTC."""
    with work_as(scene.actor("rn"), now=datetime(2026, 11, 10, 20, tzinfo=ZONE)) as work:
        row = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"breath": 8})
        assert row.assessed_on == TODAY
        assert owed(work, "VIS-02") == [("tell-of-change", TODAY)]
        assert {flag["owner"] for flag in row.flags if flag["rule"] == "VIS-02"} == {"on_call_nurse"}


def test_a_rise_since_the_last_is_shown(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM, assessed_at=TUESDAY - timedelta(days=3))
        row = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"anxiety": 4})
        assert [(flag["severity"], flag["facts"]["symptom"]) for flag in row.flags] == [
            ("TASK", "anxiety"), ("WARN", "anxiety"),
        ]  # fmt: skip


def test_two_items_ask_for_nine_and_nine_answer_them(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        two = assessments.record(work, scene.patient, instrument=PHQ_2, answers={"interest": 2, "mood": 1})
        assert (two.total, two.band) == (3, "positive")
        assert owed(work, "INS-04") == [("take-phq-9", days(2))]
        nine = assessments.record(
            work, scene.patient, instrument=PHQ_9, answers=dict.fromkeys(PHQ[:8], 1) | {"self_harm": 0}
        )
        assert (nine.total, nine.band) == (8, "mild")
        assert owed(work, "INS-04") == []
        assert owed(work, "INS-05") == []


def test_self_harm_opens_the_safety_protocol_at_once_whatever_the_total(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = assessments.record(work, scene.patient, instrument=PHQ_9, answers={"self_harm": 1})
        assert row.total is None
        assert owed(work, "INS-05") == [("safety-protocol", TODAY)]
        (told,) = work.session.execute(sa.select(Notice).where(Notice.kind == "deadline.reminder")).scalars()
        assert told.role == "clinical_manager"
        assert "self_harm" not in str(told.facts)
    with work_as(now=TUESDAY + timedelta(minutes=15)) as work:
        watch(work, scene.branch)
        watch(work, scene.branch)
        kinds = work.session.execute(sa.select(Notice.kind).where(Notice.subject.startswith("deadline:"))).scalars()
        assert sorted(kinds) == ["deadline.overdue", "deadline.reminder"]


def test_a_performance_level_that_falls_goes_to_the_team(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(
            work, scene.patient, instrument=PPS, answers={"level": 70}, assessed_at=TUESDAY - timedelta(days=20)
        )
        row = assessments.record(work, scene.patient, instrument=PPS, answers={"level": 50})
        assert row.total == 50
        assert owed(work, "INS-03") == [("hospice-readiness", days(7)), ("performance-fell", days(7))]


def test_a_caregivers_burden_is_about_a_caregiver(scene: Scene, work_as: WorkAs) -> None:
    answers = {f"q{number}": 1 for number in range(1, 13)} | {"q1": 4, "q2": 3}
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        with pytest.raises(Invalid):
            assessments.record(work, scene.patient, instrument=InstrumentCode.ZBI_12, answers=answers)
        row = assessments.record(
            work, scene.patient, instrument=InstrumentCode.ZBI_12, answers=answers, caregiver_id=scene.caregiver
        )
        assert (row.total, row.band) == (17, "high")
        # Two tasks of one rule and one day are two lines of the book.
        assert owed(work, "INS-06") == [("caregiver-strain", days(8)), ("caregiver-high-strain", days(8))]
        with pytest.raises(Invalid):
            assessments.record(work, scene.patient, instrument=ESAS, answers=CALM, caregiver_id=scene.caregiver)


def test_the_products_own_checks_ask_for_the_interview_and_for_whoever_takes_it_up(
    scene: Scene, work_as: WorkAs
) -> None:
    lacking = dict.fromkeys(("sleep", "health", "relief", "knows", "time"), "no") | {"go_on": "yes"}
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        row = assessments.record(
            work, scene.patient, instrument=InstrumentCode.CAREGIVER_CHECK, answers=lacking,
            caregiver_id=scene.caregiver,
        )  # fmt: skip
        assert (row.total, row.complete) == (None, True)
        assert owed(work, "INS-09") == [("take-burden-interview", days(8))]
        assessments.record(
            work, scene.patient, instrument=InstrumentCode.ZBI_12, caregiver_id=scene.caregiver,
            answers={f"q{number}": 0 for number in range(1, 13)},
        )  # fmt: skip
        assert owed(work, "INS-09") == [], "the interview was taken"
        suffering = {"physical": 1, "mental": 2, "emotional": 3, "psychological": 0, "spiritual": 2}
        assessments.record(work, scene.patient, instrument=InstrumentCode.SUFFERING, answers=suffering)
        assert set(owed(work, "INS-09")) == {("take-up-psychosocial", days(2)), ("chaplain-referral", days(2))}
        trend = assessments.trend(work, scene.patient, InstrumentCode.SUFFERING)
        assert trend.points[0].numbers == suffering
    with work_as(scene.actor("pt"), now=TUESDAY) as work, pytest.raises(Forbidden):
        assessments.trend(work, scene.patient, InstrumentCode.SUFFERING)


def test_who_wants_faith_addressed_is_referred_to_the_chaplain(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = assessments.record(
            work, scene.patient, instrument=InstrumentCode.FICA, answers={"address": "yes", "faith": "words"}
        )
        assert row.total is None
        assert owed(work, "INS-07") == [("chaplain-referral", days(5))]
        assert all("words" not in str(line.facts) for line in work.trail)


# ------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("who", "instrument"),
    [
        ("chha", InstrumentCode.FALLS),
        ("pt", PHQ_9),
        ("pta", PPS),
        ("chaplain", PPS),
        ("scheduler", ESAS),
        ("intake", ESAS),
    ],
)
def test_who_may_not_take_answers(scene: Scene, work_as: WorkAs, who: str, instrument: InstrumentCode) -> None:
    with work_as(scene.actor(who), now=TUESDAY) as work, pytest.raises(Forbidden):
        assessments.record(work, scene.patient, instrument=instrument, answers={"level": 50})


@pytest.mark.parametrize(("who", "sees"), [("rn", True), ("msw", True), ("physician", True), ("manager", True),
                                           ("pt", False), ("chha", False), ("scheduler", False)])  # fmt: skip
def test_who_reads_answers_about_mood(scene: Scene, work_as: WorkAs, who: str, sees: bool) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = assessments.record(work, scene.patient, instrument=PHQ_2, answers={"interest": 3, "mood": 3})
    with work_as(scene.actor(who), now=TUESDAY) as work:
        if sees:
            assert assessments.get(work, row.id).total == 6
            assert len(assessments.trend(work, scene.patient, PHQ_2).points) == 1
        else:
            for read in (
                lambda: assessments.get(work, row.id),
                lambda: assessments.trend(work, scene.patient, PHQ_2),
                lambda: assessments.search(work, scene.patient, instrument=PHQ_2),
            ):
                with pytest.raises(Forbidden):
                    read()


def test_a_list_leaves_out_what_a_profession_does_not_read(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=PHQ_2, answers={"interest": 0, "mood": 0})
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM)
        assessments.record(work, scene.patient, instrument=InstrumentCode.FALLS, answers={"falls_year": 1})
    seen = {}
    for who in ("rn", "pt", "chha"):
        with work_as(scene.actor(who), now=TUESDAY) as work:
            rows = work.session.execute(assessments.search(work, scene.patient)).scalars()
            seen[who] = {row.instrument.value for row in rows}
    assert seen == {"rn": {"PHQ-2", "ESAS-r", "FALLS"}, "pt": {"ESAS-r", "FALLS"}, "chha": {"FALLS"}}


def test_a_scheduler_sees_no_line_of_the_book_that_tells_how_somebody_answered(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=PHQ_9, answers={"self_harm": 2})
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
        number = work.session.execute(sa.select(Deadline.id).where(Deadline.rule == "INS-05")).scalar_one()
    for who, told in (("scheduler", False), ("manager", True), ("rn", True)):
        with work_as(scene.actor(who), now=TUESDAY) as work:
            rules = {row.rule for row in work.session.execute(deadlines.search(work)).scalars()}
            mine = {row.rule for row in work.session.execute(deadlines.of_patient(work, scene.patient)).scalars()}
            assert "INS-02" in rules & mine
            assert ("INS-05" in rules, "INS-05" in mine) == (told, told)
            if not told:
                with pytest.raises(NotFound):
                    deadlines.get(work, number)


# ------------------------------------------------------------------------------------ what was wrong


def test_answers_entered_in_error_count_for_nothing_and_ask_for_nothing(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
        assert owed(work, "INS-08", DONE) == []
        assessments.withdraw(work, row.id, "another patient's")
        assert row.status is AssessmentStatus.ENTERED_IN_ERROR
        assert (owed(work, "INS-02"), owed(work, "VIS-02")) == ([], [])
        assert owed(work, "INS-02", SUPERSEDED) == [("severe-symptom", TODAY)]
        assert assessments.trend(work, scene.patient, ESAS).points == []
        with pytest.raises(Conflict):
            assessments.withdraw(work, row.id, "again")
        assert work.session.execute(assessments.search(work, scene.patient)).scalars().all() == []
        assert len(work.session.execute(assessments.search(work, scene.patient, in_error=True)).scalars().all()) == 1


def test_nobody_withdraws_anothers_answers_but_the_clinical_manager(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM)
    with work_as(scene.actor("msw"), now=TUESDAY) as work, pytest.raises(Conflict):
        assessments.withdraw(work, row.id, "wrong")
    with work_as(scene.actor("manager"), now=TUESDAY) as work:
        assessments.withdraw(work, row.id, "wrong")


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(days=-31)])
def test_answers_have_a_time_that_can_be(scene: Scene, work_as: WorkAs, late: timedelta) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work, pytest.raises(Invalid):
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM, assessed_at=TUESDAY + late)


def test_a_trend_is_first_to_last_with_the_last_change(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        for back, pain in ((2, 4), (1, 8), (0, 3)):
            assessments.record(
                work, scene.patient, instrument=ESAS, answers=CALM | {"pain": pain},
                assessed_at=TUESDAY - timedelta(days=back),
            )  # fmt: skip
        found = assessments.trend(work, scene.patient, ESAS)
        assert [point.numbers["pain"] for point in found.points] == [4, 8, 3]
        assert (found.change["pain"], found.total_change) == (-5, -5)


# ------------------------------------------------------------------------------------ cadence


def test_cadences_stand_in_the_book_and_are_wound_by_what_is_taken(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        look_after(work, scene.branch)
        look_after(work, scene.branch)
        assert owed(work, "INS-08") == [
            ("take-instrument", date(2026, 10, 31)), ("take-instrument", date(2026, 10, 31)),
            ("take-instrument", date(2026, 10, 31)), ("take-instrument", date(2026, 11, 9)),
        ]  # fmt: skip
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers={"pain": 1})
        assert len(owed(work, "INS-08", DONE)) == 0  # a partial set was not taken
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM)
        assert owed(work, "INS-08", DONE) == [("take-instrument", date(2026, 10, 31))]
        assert days(7) in {due for _, due in owed(work, "INS-08")}
        assessments.record(work, scene.patient, instrument=InstrumentCode.FICA, answers={"address": "no"})
        assert len(owed(work, "INS-08", DONE)) == 2


def test_a_cadence_goes_back_with_answers_that_were_entered_in_error(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM, assessed_at=TUESDAY - timedelta(days=3))
        wrong = assessments.record(work, scene.patient, instrument=ESAS, answers=CALM)
        assert ("take-instrument", days(7)) in owed(work, "INS-08")
        assessments.withdraw(work, wrong.id, "another patient's")
        assert ("take-instrument", days(4)) in owed(work, "INS-08")
        assert ("take-instrument", days(7)) in owed(work, "INS-08", SUPERSEDED)


def test_nothing_is_asked_for_somebody_who_left(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        look_after(work, scene.branch)
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 9})
    with work_as(scene.actor("manager"), now=TUESDAY) as work:
        patients.discharge(work, scene.episode, TODAY, "death")
        for rule in ("INS-02", "INS-08", "IDT-02", "ACP-01", "VIS-02"):
            assert owed(work, rule) == [], rule


# ------------------------------------------------------------------------------------ readings


def test_a_reading_beyond_the_patients_limits_is_a_task_of_the_day(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        readings.set_limit(work, scene.patient, Measure.SYSTOLIC, low=90, high=160)
        readings.set_limit(work, scene.patient, Measure.WEIGHT, rise=2, rise_days=3)
        assert readings.record(work, scene.patient, measure=Measure.SYSTOLIC, value=160)[1] == ()
        readings.record(work, scene.patient, measure=Measure.WEIGHT, value=60, taken_at=TUESDAY - timedelta(days=2))
        assert owed(work, "VIS-02") == []
    with work_as(scene.actor("chha"), now=TUESDAY) as work:
        _, found = readings.record(work, scene.patient, measure=Measure.SYSTOLIC, value=172)
        assert [finding.due for finding in found] == [TODAY]
        readings.record(work, scene.patient, measure=Measure.WEIGHT, value=62)
        assert owed(work, "VIS-02") == [("tell-of-change", TODAY)] * 2
        with pytest.raises(Forbidden):
            readings.search(work, scene.patient)
        with pytest.raises(Forbidden):
            readings.set_limit(work, scene.patient, Measure.SYSTOLIC, high=200)


def test_a_patients_own_limit_of_symptoms_tells_earlier(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("physician"), now=TUESDAY) as work:
        readings.set_limit(work, scene.patient, Measure.SYMPTOM, high=4)
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        assessments.record(work, scene.patient, instrument=ESAS, answers=CALM | {"pain": 4})
        assert owed(work, "VIS-02") == [("tell-of-change", TODAY)]


@pytest.mark.parametrize(
    "limit",
    [{}, {"low": 200, "high": 100}, {"high": 500}, {"rise": 5}, {"rise": 5, "rise_days": 31}],
)
def test_limits_that_cannot_be_meant(scene: Scene, work_as: WorkAs, limit: dict[str, Any]) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work, pytest.raises(Invalid):
        readings.set_limit(work, scene.patient, Measure.SYSTOLIC, **limit)


# ------------------------------------------------------------------------------------ the agency's own words


def test_texts_are_loaded_whole_and_in_place_of_those_before(scene: Scene, work_as: WorkAs) -> None:
    first = {"PHQ-2": {"licence": "ours", "en": {"title": "Two", "interest": "A", "mood": "B"}}}
    with work_as(now=TUESDAY) as work:
        assert texts.load(work, first) == {(PHQ_2, "en"): 3}
        texts.load(work, {"PHQ-2": {"licence": "ours", "en": {"interest": "C", "mood": "D"}}})
        work.session.flush()
        assert texts.texts(work, PHQ_2, "en") == {"interest": "C", "mood": "D"}
        assert texts.texts(work, PHQ_2, "zh-Hant") == {}
        assert work.session.execute(sa.select(sa.func.count(InstrumentText.id))).scalar() == 2
    with work_as(scene.actor("manager"), now=TUESDAY) as work, pytest.raises(Forbidden):
        texts.load(work, first)
