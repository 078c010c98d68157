"""UHHC instances load without loss, and come back as the authors publish them."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.formats.reading import FormatError
from benchmarks.formats.uhhc import UhhcCase, load, read
from benchmarks.formats.uhhc_file import HARD
from benchmarks.published import best_known, main
from coordinator.planner import score
from coordinator.planner.plan import Plan
from coordinator.planner.problem import LinkKind, Window
from tests.benchmarks.files import DATA, UHHC_AMOUNTS, UHHC_SOLUTION, uhhc

INSTANCES = sorted((DATA / "uhhc" / "instances").glob("*.json"))
CHECKER = DATA.parent / "tools" / "uhhc_check.py"
without_data = pytest.mark.skipif(not INSTANCES, reason="no published UHHC instances beside the project")


def checker() -> ModuleType:
    """The independent checker, where somebody has put it beside the project."""
    if not CHECKER.is_file():
        pytest.skip("no UHHC checker beside the project")
    spec = importlib.util.spec_from_file_location("uhhc_check", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agree(raw: Any, case: UhhcCase, solution: Any) -> None:
    """The checker accepts the solution and counts what the score counts, before and after it came through a plan."""
    check = checker()
    plan = case.plan_of(solution)
    result = case.result(plan)
    for form in (solution, case.solution_of(plan)):
        report = check.check(check.read_instance(raw), check.read_solution(form))
        assert report.violations == []
        assert report.components | result.components == report.components
        assert report.weighted == result.weighted
        assert report.objective == result.cost
    assert result.violations == ()
    scale = case.unit.size * case.price.size
    assert score(case.problem, plan).cost == pytest.approx(scale * result.cost)
    assert case.plan_of(case.solution_of(plan)) == plan


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The small instance with another value at the path."""
    raw = uhhc()
    inner: Any = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return raw


def test_a_small_solution_costs_what_it_costs_by_hand():
    case = read(uhhc(), "small")
    result = case.result(case.plan_of(UHHC_SOLUTION))
    assert result.violations == ()
    assert result.components == UHHC_AMOUNTS
    assert result.cost == 102 + 50 * 8 + 40 * 5 + 48 * 7 + 148 * 2


def test_the_checker_counts_the_same():
    agree(uhhc(), read(uhhc(), "small"), UHHC_SOLUTION)


@pytest.mark.parametrize(
    "weights",
    [
        {"travel_time": 1, "working_time": 2, "workload_balance": 3, "missed_lunch_break": 0},
        {
            "max_waiting_time": 1,
            "total_tardiness": 2,
            "missed_lunch_break": 4,
            "qualification": 5,
            "incompabilities": 6,
        },
        {"travel_time": 0.5, "max_idle_time": 0.25, "missed_lunch_break": HARD, "caregiver_preferences": 1.5},
        {"travel_time": HARD, "total_waiting_time": HARD, "total_extra_time": HARD, "missed_lunch_break": None},
    ],
    ids=["work", "soft", "fractions", "hard"],
)
def test_all_weights_are_priced_as_the_checker_does(weights: dict[str, Any]):
    raw = uhhc(cost_components=weights)
    agree(raw, read(raw, "small"), UHHC_SOLUTION)


def test_in_the_old_families_caregivers_leave_when_the_shift_starts():
    raw = uhhc(origin="bazirha-caie")
    case = read(raw, "small")
    amounts = case.result(case.plan_of(UHHC_SOLUTION)).components
    # Ann reaches p0 at 10, Bob his lunch at 50.
    assert amounts["total_waiting_time"] == 48 + 50 + 50
    agree(raw, case, UHHC_SOLUTION)


def test_a_patient_left_out_and_an_unused_caregiver_are_counted():
    raw = uhhc()
    raw["caregivers"].append({"id": "eve", "abilities": [], "departing_point": "d0", "lunch_break": True,
                              "working_shift": {"start": 0, "end": 600}})  # fmt: skip
    solution = copy.deepcopy(UHHC_SOLUTION)
    del solution["routes"][0]["locations"][2:]
    solution["routes"].append({"caregiver_id": "eve"})
    case = read(raw, "small")
    amounts = case.result(case.plan_of(solution)).components
    assert (amounts["optional_patients"], amounts["missed_lunch_break"], amounts["max_idle_time"]) == (1, 2, 600)
    agree(raw, case, solution)


def test_lateness_that_is_forbidden_makes_windows_of_its_own():
    raw = uhhc(cost_components={"travel_time": 1, "total_tardiness": HARD, "missed_lunch_break": 1})
    case = read(raw, "small")
    assert case.problem.visits[1].windows == {0: (Window(90, 100), Window(150, 180))}
    raw["metadata"]["time_window_met"] = "at_service_end"
    ending = read(raw, "small").problem.visits[1]
    # Fifteen minutes of care do not end in a window of ten.
    assert ending.windows == {0: (Window(150, 165),)}
    raw["patients"][1]["time_windows"] = [[90, 120], [105, 180]]
    with pytest.raises(FormatError, match="patient p1: time_windows"):
        read(raw, "small")
    raw["metadata"]["time_window_met"] = None
    raw["patients"][1]["time_windows"] = [[90, 120], [120, 180]]
    assert read(raw, "small").problem.visits[1].windows == {0: (Window(90, 180),)}


def test_care_that_must_end_in_its_window_agrees_too():
    raw = uhhc(time_window_met="at_service_end")
    agree(raw, read(raw, "small"), UHHC_SOLUTION)


def test_three_services_are_tied_two_by_two():
    raw = uhhc()
    raw["services"].append({"id": "talk", "type": "chat", "default_duration": 5})
    raw["patients"][1]["required_services"].append({"service": "talk"})
    links = read(raw, "small").problem.links
    assert [(link.first, link.second, link.kind) for link in links] == [
        (1, 2, LinkKind.GAP),
        (1, 3, LinkKind.BOTH),
        (2, 3, LinkKind.GAP),
    ]


def test_nobody_without_hours_is_idle_or_late_home():
    raw = uhhc()
    for caregiver in raw["caregivers"]:
        del caregiver["working_shift"]
    agree(raw, read(raw, "small"), UHHC_SOLUTION)


def test_a_lunch_that_is_due_without_a_rule_is_missed_by_everybody():
    raw = uhhc()
    del raw["lunch_breaks"]
    solution = copy.deepcopy(UHHC_SOLUTION)
    del solution["routes"][0]["locations"][2], solution["routes"][1]["locations"][0]
    case = read(raw, "small")
    result = case.result(case.plan_of(solution))
    assert result.components["missed_lunch_break"] == 2
    report = checker().check(checker().read_instance(raw), checker().read_solution(solution))
    assert report.components == result.components
    assert report.objective == result.cost


def test_fractions_are_kept_in_thousandths():
    raw = changed("distances", 0, 1, to=9.25)
    case = read(raw, "small")
    plan = case.plan_of(UHHC_SOLUTION)
    assert case.result(plan).components["travel_time"] == 102 - 0.75
    agree(raw, case, UHHC_SOLUTION)


def test_older_names_of_keys_are_understood():
    raw = uhhc()
    raw["departing_points"] = raw.pop("terminal_points")
    for caregiver in raw["caregivers"]:
        caregiver["starting_point_id"] = caregiver.pop("departing_point")
    raw["patients"][0]["time_window"] = raw["patients"][0].pop("time_windows")[0]
    old = read(raw, "small")
    assert old.result(old.plan_of(UHHC_SOLUTION)).components == UHHC_AMOUNTS


BAD: list[tuple[str, dict[str, Any]]] = [
    ("the key 'patients' is missing", {k: v for k, v in uhhc().items() if k != "patients"}),
    ("metadata: must be an object", changed("metadata", to=[])),
    ("metadata.cost_components.comfort", changed("metadata", "cost_components", to={"comfort": 3})),
    ("metadata.cost_components.travel_time", changed("metadata", "cost_components", to={"travel_time": "soft"})),
    ("distances[0][1]", changed("distances", 0, 1, to="far")),
    ("distances: must be square", changed("distances", 0, to=[0])),
    ("places and rows of distances", changed("patients", 0, "distance_matrix_index", to=2)),
    ("patient p0: service 'swim'", changed("patients", 0, "required_services", to=[{"service": "swim"}])),
    ("neither a duration", changed("patients", 0, "required_services", to=[{"service": "inject"}])),
    ("patient p1: the key 'synchronization'", changed("patients", 1, "synchronization", to=None)),
    ("patient p0: time_windows: 120 is after 60", changed("patients", 0, "time_windows", to=[[120, 60]])),
    ("caregiver ann: departing_point", changed("caregivers", 0, "departing_point", to="moon")),
    ("the id p0 is there twice", changed("patients", 1, "id", to="p0")),
    ("time_window_met", changed("metadata", "time_window_met", to="at_noon")),
    ("needs times in whole minutes",
     changed("distances", 0, 1, to=0.5) | {"metadata": {"cost_components": {"workload_balance": 1}}}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "raw"), BAD, ids=[message for message, _ in BAD])
def test_a_bad_file_is_refused_by_one_sentence_with_its_name(
    message: str, raw: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert main("UHHC", load, [str(path), "--seconds", "1", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"{path}: ")
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"3"])
def test_what_is_no_json_object_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    assert main("UHHC", load, [str(path), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}: ")


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main("UHHC", load, [str(tmp_path / "none.json"), "--out", str(tmp_path)]) == 2
    assert "none.json: No such file" in capsys.readouterr().err


JUNK = st.sampled_from([None, True, -1, 0, 1.5, 10**12, float("nan"), "", "x", [], [1, 2], {}, {"id": 3}])


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, entry in inner for spot in spots(entry, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), JUNK)
def test_junk_anywhere_is_refused_or_makes_a_problem(seed: int, junk: Any):
    raw = uhhc()
    path = random.Random(seed).choice(spots(raw)[1:])
    raw = changed(*path, to=junk)
    with contextlib.suppress(FormatError):
        assert read(raw, "odd").problem.visits


def test_a_solution_that_names_what_is_not_there_is_refused():
    case = read(uhhc(), "small")
    for key, value in (("patient", "p9"), ("service", "inject"), ("arrival_time", None)):
        solution = copy.deepcopy(UHHC_SOLUTION)
        solution["routes"][0]["locations"][0][key] = value
        with pytest.raises(FormatError, match="route of ann"):
            case.plan_of(solution)
    assert case.plan_of({"routes": []}) == Plan()


def test_the_best_known_cost_is_that_of_a_solution_saved_beside(tmp_path: Path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(uhhc()), encoding="utf-8")
    assert best_known(load, path) is None
    (tmp_path / "sol-small-123.json").write_text(json.dumps(UHHC_SOLUTION), encoding="utf-8")
    assert best_known(load, path) == 1334


@without_data
@pytest.mark.parametrize("path", INSTANCES, ids=[path.stem for path in INSTANCES])
def test_published_solutions_cost_what_their_authors_say(path: Path):
    (saved,) = (DATA / "uhhc" / "solutions").glob(f"sol-{path.stem}-*.json")
    raw, solution = (json.loads(file.read_text(encoding="utf-8")) for file in (path, saved))
    case = load(path)
    result = case.result(case.plan_of(solution))
    assert result.violations == ()
    assert result.cost == solution["cost"]["objective"]
    theirs = {{"preferences": "caregiver_preferences", "unscheduled": "optional_patients"}.get(name, name): cost
              for name, cost in solution["cost_components"].items()}  # fmt: skip
    assert result.weighted == theirs
    agree(raw, case, solution)
