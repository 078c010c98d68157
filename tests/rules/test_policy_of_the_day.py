"""A policy that changes in the middle of a period: every day is judged by the numbers that were in force on it."""

import copy
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from coordinator.domain.vocabulary import PractitionerType
from coordinator.rules import aides, certification, notes, therapy
from coordinator.rules.facts import FaceToFaceFacts, Moment, SupervisionFacts, UsageFacts
from coordinator.rules.terms import Policy, PolicyError, policy_from
from coordinator.rules.visit import ask
from tests.rules import cases

TURN = date(2026, 11, 10)
BEFORE, AFTER = TURN - timedelta(days=1), TURN


def changed(**values: object) -> Policy:
    """The shipped policy, in which these settings (`section__name`) have another value from the turn on."""
    tree = copy.deepcopy(tomllib.loads(cases.POLICY_FILE.read_text(encoding="utf-8")))
    for key, value in values.items():
        section, name = key.split("__")
        row = tree[section][name]
        # The newest stands first: the order in the file says nothing.
        tree[section][name] = [{**row, "value": value, "effective_from": TURN}, row]
    return policy_from(tree, programmes=cases.POLICY.programmes)


def test_a_policy_answers_for_its_own_day():
    policy = changed(aides__supervision_days=10, aides__lapse_months=12, evv__duration_flag_minutes=1)
    assert policy.aides.supervision_days == policy.on(AFTER).aides.supervision_days == 10
    assert policy.on(BEFORE).aides.supervision_days == 14
    assert policy.on(date(1999, 1, 1)).aides.supervision_days == 14, "before its first value the first value holds"
    assert policy.on(None) is policy
    assert policy.on(BEFORE).on(AFTER) == policy.on(AFTER) != policy.on(BEFORE)
    assert policy.on(BEFORE) == cases.POLICY
    assert policy.on(BEFORE).settings["aides.supervision_days"].value == 14
    assert policy.on(BEFORE) is policy.on(BEFORE - timedelta(days=30)), "it is made once"
    assert cases.POLICY.on(BEFORE) is cases.POLICY


def test_two_values_from_the_same_day_are_refused():
    tree = tomllib.loads(cases.POLICY_FILE.read_text(encoding="utf-8"))
    row = tree["aides"]["supervision_days"]
    tree["aides"]["supervision_days"] = [row, dict(row)]
    with pytest.raises(PolicyError, match="two values from"):
        policy_from(tree)
    tree["aides"]["supervision_days"] = []
    with pytest.raises(PolicyError, match="missing"):
        policy_from(tree)


def test_visits_of_one_week_are_asked_by_the_numbers_of_their_own_days():
    policy = changed(intermittent__day_maximum_minutes=30)

    def said(day: date) -> set[str]:
        begins = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        case = cases.make_case()
        visit = replace(case.visit, day=day, minutes=60, starts_at=begins, ends_at=begins + timedelta(hours=1))
        return {finding.rule for finding in ask(replace(case, visit=visit, usage=UsageFacts()), Moment.CONFIRM, policy)}

    assert "INT-01" not in said(BEFORE)
    assert "INT-01" in said(AFTER)


@pytest.mark.parametrize(
    ("setting", "value", "due", "was"),
    [
        ("therapy__reassessment_days", 20, therapy.reassessment_due, 30),
        ("aides__supervision_unskilled_days", 30, aides.unskilled_supervision_due, 60),
        (
            "aides__supervision_days", 7,
            lambda day, policy: aides.supervision_due(SupervisionFacts(day, day), policy), 14,
        ),
        ("assessment__event_days", 9, certification.event_assessment_due, 2),
        ("certification__face_to_face_days_after", 3, lambda d, p: certification.face_to_face_window(d, p).last, 30),
    ],
)  # fmt: skip
def test_a_clock_is_counted_by_the_number_of_the_day_that_winds_it(setting, value, due, was):
    policy = changed(**{setting: value})
    assert due(BEFORE, policy) == BEFORE + timedelta(days=was), "also where it runs out after the change"
    assert due(AFTER, policy) == AFTER + timedelta(days=value)


def test_a_late_note_is_late_by_the_limit_of_its_own_visit():
    policy = changed(notes__working_days=1)
    asked_on = TURN + timedelta(days=6)
    assert notes.ask_note(BEFORE, None, asked_on, policy) is None
    assert notes.ask_note(AFTER, None, asked_on, policy).rule == "VIS-03"


@pytest.mark.parametrize(("soc", "wanting"), [(date(2025, 12, 31), True), (date(2026, 1, 1), False)])
def test_the_encounter_of_2025_and_that_of_2026_answer_for_their_own_dates(soc, wanting):
    facts = FaceToFaceFacts(encounter_on=soc, performer_type=PractitionerType.NP, same_practice=True)
    assert (certification.ask_face_to_face_performer(facts, soc, cases.POLICY) is not None) is wanting
