"""What scores are and what they ask for (rule book, section 13, and VIS-02)."""

import tomllib
from copy import deepcopy
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from coordinator.core.settings import ROOT
from coordinator.domain.care import InstrumentCode, Measure
from coordinator.rules import alerts, instruments
from coordinator.rules.instruments import Earlier
from coordinator.rules.questionnaires import InstrumentsError, instruments_from, score, wordings_from
from tests.rules.cases import CALIFORNIA, POLICY, SOC, local

FILE = tomllib.loads((ROOT / "config" / "instruments.toml").read_text(encoding="utf-8"))
ALL = instruments_from(FILE)
ESAS, PPS, PHQ_2, PHQ_9 = (
    ALL[code] for code in (InstrumentCode.ESAS_R, InstrumentCode.PPS, InstrumentCode.PHQ_2, InstrumentCode.PHQ_9)
)
ZBI, FICA = ALL[InstrumentCode.ZBI_12], ALL[InstrumentCode.FICA]
NINE = ("pain", "tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")
TODAY = date(2026, 11, 10)


def branch_time(text: str) -> datetime:
    """An instant by the branch's wall clock, by which alerts are asked."""
    return local(text).astimezone(CALIFORNIA)


# ------------------------------------------------------------------------------------ the examples of the book


@pytest.mark.example("INS-01", 1)
def test_nine_symptoms_of_four_are_36_and_nine_moderate_flags():
    answers = dict.fromkeys(NINE, 4)
    assert score(ESAS, answers).total == 36
    findings = instruments.ask_symptoms(answers, TODAY, POLICY)
    assert len(findings) == 9
    assert {one.facts["band"] for one in findings} == {"moderate"}
    assert {one.due for one in findings} == {TODAY + timedelta(days=2)}


@pytest.mark.example("INS-01", 2)
def test_without_wellbeing_there_is_no_total():
    answers = dict.fromkeys(NINE[:-1], 4)
    partial = score(ESAS, answers)
    assert (partial.total, partial.missing) == (None, ("wellbeing",))
    warning = instruments.ask_missing(ESAS, answers)
    assert warning is not None
    assert (warning.severity, warning.facts["items"]) == ("WARN", ("wellbeing",))
    assert instruments.ask_missing(ESAS, dict.fromkeys(NINE, 0)) is None


@pytest.mark.example("INS-01", 3)
def test_pain_of_seven_is_a_task_of_the_same_day():
    (finding,) = instruments.ask_symptoms({"pain": 7}, TODAY, POLICY)
    assert (finding.rule, finding.severity, finding.due, finding.facts["band"]) == ("INS-02", "TASK", TODAY, "severe")


@pytest.mark.example("INS-01", 4)
def test_a_screen_of_three_requires_nine_items():
    assert instruments.ask_screen(2, TODAY, POLICY) is None
    finding = instruments.ask_screen(3, TODAY, POLICY)
    assert finding is not None
    assert finding.facts["task"] == "take-phq-9"


@pytest.mark.example("INS-01", 5)
def test_self_harm_opens_the_safety_protocol_at_a_low_total():
    answers = {item.code: 0 for item in PHQ_9.items} | {"sleep": 3, "self_harm": 1}
    total = score(PHQ_9, answers).total
    assert total == 4
    assert instruments.band(InstrumentCode.PHQ_9, total, POLICY) == "minimal"
    (finding,) = instruments.ask_depression(total, answers["self_harm"], TODAY, POLICY)
    assert (finding.severity, finding.due, finding.facts["task"]) == ("TASK", TODAY, "safety-protocol")
    assert finding.facts["at_once"] is True


def test_self_harm_is_asked_of_a_partial_set_too():
    (finding,) = instruments.ask_depression(None, 2, TODAY, POLICY)
    assert finding.facts["task"] == "safety-protocol"
    assert instruments.ask_depression(None, 0, TODAY, POLICY) == ()


@pytest.mark.example("INS-01", 6)
def test_a_performance_level_of_55_does_not_exist():
    (finding,) = instruments.ask_answers(PPS, {"level": 55})
    assert (finding.rule, finding.severity, finding.facts["item"]) == ("INS-01", "BLOCK", "level")
    assert "steps of 10" in finding.sentence()
    assert instruments.ask_answers(PPS, {"level": 50}) == ()


@pytest.mark.parametrize(
    ("total", "band", "asked"),
    [
        pytest.param(12, "none", [], marks=pytest.mark.example("INS-01", 7)),
        pytest.param(13, "screen", ["caregiver-strain"], marks=pytest.mark.example("INS-01", 8)),
        (16, "screen", ["caregiver-strain"]),
        pytest.param(17, "high", ["caregiver-strain", "caregiver-high-strain"], marks=pytest.mark.example("INS-01", 9)),
    ],
)
def test_a_caregivers_burden(total: int, band: str, asked: list[str]) -> None:
    assert instruments.band(InstrumentCode.ZBI_12, total, POLICY) == band
    found = instruments.ask_burden(total, TODAY, POLICY)
    assert [one.facts["task"] for one in found] == asked
    # Five business days from Tuesday, over Veterans Day: the next Wednesday.
    assert {one.due for one in found} <= {date(2026, 11, 18)}


@pytest.mark.example("VIS-02", 1)
def test_dyspnoea_of_eight_at_eight_in_the_evening_goes_to_the_nurse_on_call():
    at = branch_time("2026-11-10 20:00")
    (finding,) = alerts.ask_symptom_alert({"breath": 8, "pain": 3}, None, at, POLICY)
    assert (finding.rule, finding.severity, finding.due, finding.owner) == ("VIS-02", "TASK", TODAY, "on_call_nurse")


# ------------------------------------------------------------------------------------ scores


def test_an_instrument_with_one_number_is_never_a_sum():
    columns = {"level": 50, "ambulation": 60, "activity": 50, "self_care": 50, "intake": 90, "conscious": 100}
    assert score(PPS, columns).total == 50


def test_words_have_no_score():
    assert score(FICA, {"address": "yes"}) == score(FICA, {"address": "no", "faith": "…"})
    assert score(FICA, {"address": "yes"}).total is None
    assert score(FICA, {"faith": "…"}).missing == ("address",)


def test_the_other_symptom_is_flagged_and_not_counted():
    answers = dict.fromkeys(NINE, 0) | {"other": 9, "other_name": "itch"}
    assert score(ESAS, answers).total == 0
    found = instruments.ask_symptoms(instruments.numbers(answers, ("pain", "other", "other_name")), TODAY, POLICY)
    assert [one.facts["symptom"] for one in found] == ["other"]


@pytest.mark.parametrize(
    "answer",
    [-1, 11, 4.0, "4", True, None, [4]],
    ids=["below", "above", "fraction", "text", "truth", "nothing", "list"],
)
def test_what_cannot_be_an_answer_is_refused(answer: Any) -> None:
    (finding,) = instruments.ask_answers(ESAS, {"pain": answer})
    assert finding.refuses


def test_all_that_is_wrong_is_said_at_once():
    found = instruments.ask_answers(ESAS, {"pain": 11, "soul": 3, "nausea": 4, "other_name": "\x00"})
    assert [one.facts["item"] for one in found] == ["pain", "soul", "other_name"]


# ------------------------------------------------------------------------------------ thresholds


def test_a_rise_is_shown_and_a_fall_is_not():
    before = Earlier(date(2026, 11, 3), 9, {"pain": 1, "nausea": 9, "anxiety": 2})
    found = instruments.ask_symptoms({"pain": 3, "nausea": 0, "anxiety": 5}, TODAY, POLICY, before=before)
    assert [(one.severity, one.facts["symptom"]) for one in found] == [("TASK", "anxiety"), ("WARN", "anxiety")]


def test_a_symptom_that_was_not_rated_before_has_not_risen():
    assert instruments.ask_symptoms({"pain": 3}, TODAY, POLICY, before=Earlier(TODAY, None, {})) == ()


def earlier(*levels: tuple[int, int]) -> list[Earlier]:
    return [Earlier(TODAY - timedelta(days=days), level, {"level": level}) for days, level in levels]


@pytest.mark.parametrize(
    ("level", "before", "asked"),
    [
        (60, [], []),
        (50, [], ["hospice-readiness"]),
        (60, [(30, 80)], ["performance-fell"]),
        (60, [(31, 80)], []),
        (70, [(10, 80)], []),
        (40, [(20, 60), (5, 50)], ["hospice-readiness", "performance-fell"]),
    ],
)
def test_performance(level: int, before: list[tuple[int, int]], asked: list[str]) -> None:
    found = instruments.ask_performance(level, TODAY, POLICY, before=earlier(*before))
    assert [one.facts["task"] for one in found] == asked


@pytest.mark.parametrize(
    ("total", "band", "asked"),
    [(9, "mild", []), (10, "moderate", ["mood-follow-up"]), (15, "moderately_severe", ["mood-follow-up"]),
     (20, "severe", ["mood-follow-up"]), (4, "minimal", []), (5, "mild", [])],
)  # fmt: skip
def test_nine_items(total: int, band: str, asked: list[str]) -> None:
    assert instruments.band(InstrumentCode.PHQ_9, total, POLICY) == band
    assert [one.facts["task"] for one in instruments.ask_depression(total, 0, TODAY, POLICY)] == asked


def test_faith_addressed_in_care_asks_for_the_chaplain():
    finding = instruments.ask_spiritual("yes", TODAY, POLICY)
    assert finding is not None
    assert (finding.owner, finding.facts["discipline"]) == ("chaplain", "CHAP")
    assert instruments.ask_spiritual("no", TODAY, POLICY) is None
    assert instruments.ask_spiritual(None, TODAY, POLICY) is None


@pytest.mark.example("INS-09", 1)
def test_a_caregiver_who_lacks_much_is_asked_by_the_whole_interview():
    fine = dict.fromkeys(("sleep", "health", "relief", "knows", "time", "go_on"), "yes")
    assert instruments.ask_caregiver_check(fine | {"sleep": "no", "time": "not_asked"}, TODAY, POLICY) == ()
    (finding,) = instruments.ask_caregiver_check(fine | {"sleep": "no", "relief": "no"}, TODAY, POLICY)
    assert (finding.facts["task"], finding.owner, finding.due) == (
        "take-burden-interview", "social_worker", date(2026, 11, 18),
    )  # fmt: skip
    (today,) = instruments.ask_caregiver_check(fine | {"go_on": "no"}, TODAY, POLICY)
    assert (today.facts["task"], today.due) == ("caregiver-strain", TODAY)


@pytest.mark.example("INS-09", 2)
def test_each_dimension_of_suffering_is_taken_up_by_whoever_answers_for_it():
    codes = [item.code for item in ALL[InstrumentCode.SUFFERING].items if item.is_number]
    assert codes == ["physical", "mental", "emotional", "psychological", "spiritual"]
    assert instruments.ask_suffering(dict.fromkeys(codes, 1), TODAY, POLICY) == ()
    (spirit,) = instruments.ask_suffering({"spiritual": 2}, TODAY, POLICY)
    assert (spirit.owner, spirit.facts["discipline"], spirit.due) == ("chaplain", "CHAP", date(2026, 11, 12))
    every = instruments.ask_suffering(dict.fromkeys(codes, 3), TODAY, POLICY)
    assert [one.owner for one in every] == ["case_manager", *["social_worker"] * 3, "chaplain"]


# ------------------------------------------------------------------------------------ the patient's own limits


@pytest.mark.parametrize(
    ("value", "limit", "told"),
    [
        (89.0, alerts.Limit(low=90), True),
        (90.0, alerts.Limit(low=90), False),
        (161.0, alerts.Limit(high=160), True),
        (160.0, alerts.Limit(high=160), False),
        (500.0, None, False),
    ],
)
def test_a_reading_beyond_the_limit_is_told_the_same_day(value: float, limit: alerts.Limit, told: bool) -> None:
    found = alerts.ask_reading(Measure.SPO2, value, limit, branch_time("2026-11-10 10:00"), POLICY)
    assert [(one.due, one.owner) for one in found] == ([(TODAY, "case_manager")] if told else [])


def test_weight_that_rose_within_its_days_is_told():
    limit = alerts.Limit(rise=2.0, rise_days=3)
    at = branch_time("2026-11-10 10:00")
    before = [(date(2026, 11, 7), 70.0), (date(2026, 11, 6), 60.0)]
    assert len(alerts.ask_reading(Measure.WEIGHT, 72.0, limit, at, POLICY, before=before)) == 1
    assert alerts.ask_reading(Measure.WEIGHT, 71.9, limit, at, POLICY, before=before) == ()


def test_a_patients_own_limit_of_symptoms_replaces_the_usual_one():
    at = branch_time("2026-11-10 10:00")
    assert len(alerts.ask_symptom_alert({"pain": 5}, alerts.Limit(high=5), at, POLICY)) == 1
    assert alerts.ask_symptom_alert({"pain": 7}, alerts.Limit(high=8), at, POLICY) == ()


@pytest.mark.parametrize(
    ("when", "owner"),
    [("2026-11-10 07:59", "on_call_nurse"), ("2026-11-10 08:00", "case_manager"), ("2026-11-10 16:59", "case_manager"),
     ("2026-11-10 17:00", "on_call_nurse"), ("2026-11-14 12:00", "on_call_nurse")],
)  # fmt: skip
def test_who_is_on_duty(when: str, owner: str) -> None:
    assert alerts.on_duty(branch_time(when), POLICY) == owner


# ------------------------------------------------------------------------------------ cadence


@pytest.mark.parametrize(
    ("code", "last", "today", "due"),
    [
        (InstrumentCode.ESAS_R, None, SOC, date(2026, 10, 6)),
        (InstrumentCode.ESAS_R, date(2026, 11, 3), TODAY, date(2026, 11, 10)),
        (InstrumentCode.ZBI_12, date(2026, 10, 6), TODAY, date(2026, 12, 5)),
        (InstrumentCode.FICA, None, SOC, date(2026, 10, 15)),
        (InstrumentCode.FICA, date(2026, 10, 10), TODAY, None),
        (InstrumentCode.PHQ_2, date(2026, 10, 2), TODAY, date(2026, 11, 29)),
        (InstrumentCode.PHQ_2, date(2026, 11, 26), date(2026, 11, 26), date(2027, 1, 28)),
        (InstrumentCode.PHQ_2, date(2026, 10, 2), date(2026, 12, 5), date(2027, 1, 28)),
        (InstrumentCode.PPS, date(2026, 10, 2), TODAY, None),
        (InstrumentCode.ESAS_R, date(2026, 9, 1), SOC, date(2026, 10, 6)),
    ],
)
def test_cadence(code: InstrumentCode, last: date | None, today: date, due: date | None) -> None:
    finding = instruments.ask_cadence(code, SOC, last, today, POLICY)
    assert (finding.due if finding else None) == due


# ------------------------------------------------------------------------------------ the file


def test_every_instrument_ships_with_the_range_its_items_make():
    made = {code.value: one.range for code, one in ALL.items()}
    assert made == {
        "ESAS-r": (0, 90), "PPSv2": (0, 100), "PHQ-2": (0, 6), "PHQ-9": (0, 27), "ZBI-12": (0, 48), "FICA": None,
        "KPS": (0, 100), "HOME-SAFETY": None, "FALLS": None, "CAREGIVER-CHECK": None, "SUFFERING": None,
    }  # fmt: skip
    assert [item.loinc for item in PHQ_9.items][8] == "44260-8"
    assert len(ZBI.items) == 12
    assert len(PHQ_2.items) == 2


def test_what_others_own_ships_without_its_words():
    own = {"HOME-SAFETY", "FALLS", "CAREGIVER-CHECK", "SUFFERING"}
    assert {code.value for code, one in ALL.items() if one.ships_text} == own


def test_aides_read_what_keeps_them_and_the_patient_safe_and_nothing_else():
    assert {code.value for code, one in ALL.items() if "CHHA" in one.read} == {"HOME-SAFETY", "FALLS"}
    assert all("CHHA" not in one.record for one in ALL.values())


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("PHQ-2", "range"), [0, 9], "PHQ-2.range"),
        (("PHQ-2", "items", 0, "high"), "3", "PHQ-2.items[0].high"),
        (("PHQ-2", "items", 0, "hihg"), 3, "PHQ-2.items[0].hihg"),
        (("PHQ-2", "items", 1, "code"), "interest", "PHQ-2.items"),
        (("PHQ-2", "score"), "mean", "PHQ-2.score"),
        (("PHQ-2", "record"), ["DOG"], "PHQ-2.record"),
        (("PHQ-2", "record"), ["CHHA"], "PHQ-2.read"),
        (("PHQ-2", "licence"), " ", "PHQ-2.licence"),
        (("PPSv2", "items", 1, "counts"), True, "PPSv2.items"),
        (("MINE",), {}, "MINE"),
        (("FICA",), None, "FICA"),
    ],
)
def test_a_file_that_cannot_be_meant_says_where(path: tuple[Any, ...], value: Any, key: str) -> None:
    tree = deepcopy(FILE)
    place: Any = tree
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(InstrumentsError) as error:
        instruments_from(tree)
    assert error.value.key == key


def test_texts_are_whole_or_refused():
    texts = {"PHQ-2": {"licence": "ours", "en": {"interest": "A", "mood": "B"}, "zh-Hant": {"interest": "甲"}}}
    with pytest.raises(InstrumentsError) as error:
        wordings_from(texts, ALL)
    assert error.value.key == "PHQ-2.zh-Hant.mood"
    texts["PHQ-2"]["zh-Hant"]["mood"] = "乙"  # type: ignore[index]
    assert len(wordings_from(texts, ALL)) == 4
    with pytest.raises(InstrumentsError):
        wordings_from({"PHQ-2": {"en": {"interest": "A", "mood": "B"}}}, ALL)
