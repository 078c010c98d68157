"""HHCRSP instances load without loss, and come back in the published form."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.formats.hhcrsp import HhcrspCase, earliest, load, read
from benchmarks.formats.reading import FormatError
from benchmarks.published import best_known, main
from coordinator.planner import score
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import LinkKind
from tests.benchmarks.files import DATA, HHCRSP, HHCRSP_SOLUTION

INSTANCES = sorted((DATA / "hhcrsp").glob("*.txt"))
leaves_files_open = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""The checker does."""
CHECKER = DATA.parent / "tools" / "hhcrsp_check.py"


def checker() -> ModuleType:
    """The independent checker, where somebody has put it beside the project."""
    if not CHECKER.is_file():
        pytest.skip("no HHCRSP checker beside the project")
    spec = importlib.util.spec_from_file_location("hhcrsp_check", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def some_plan(case: HhcrspCase) -> Plan:
    """Everything by somebody who can, in the order of the windows, as early as it goes."""
    turn: dict[int, int] = {}
    assignments = []
    for patient in sorted(case.services, key=lambda p: case.windows[p]):
        wanted = case.services[patient]
        able = [[n for n, abilities in enumerate(case.able) if abilities[s]] for s in wanted]
        crew: list[int] = []
        for people in sorted(able, key=len):
            crew.append(min((n for n in people if n not in crew), key=lambda n: turn.get(n, 0)))
        by_service = dict(zip(sorted(range(len(wanted)), key=lambda i: len(able[i])), crew, strict=True))
        for index, service in enumerate(wanted):
            who = by_service[index]
            turn[who] = turn.get(who, 0) + 1
            visit = case.visits.index((patient, service))
            assignments.append(Assignment(visit, who, 0, len(assignments)))
    plan = earliest(case, Plan.of(assignments))
    assert plan is not None
    return plan


def test_a_small_solution_costs_what_it_costs_by_hand():
    case = read(HHCRSP, "small")
    plan = case.plan_of(HHCRSP_SOLUTION)
    result = case.result(plan)
    assert result.violations == ()
    # 3 + 4.0004 + 5 and 4 + 3 + 5, the second leg rounded up to the thousandth; p2 is 2 late, p3 3.001 the second time.
    assert result.components == {"distance": 24.001, "tardiness": 5.001, "max_tardiness": 3.001}
    assert result.cost == pytest.approx((24.001 + 5.001 + 3.001) / 3)
    assert score(case.problem, plan).cost == pytest.approx(3000 * result.cost)


def test_both_services_are_tied_by_their_gap_and_by_different_people():
    case = read(HHCRSP, "small")
    (link,) = case.problem.links
    assert (link.kind, link.min_minutes, link.max_minutes) == (LinkKind.GAP, 4000, 9000)
    assert link.different_clinicians
    together = read(HHCRSP.replace("mind\n0 0 0 4 0", "mind\n0 0 0 0 0"), "small").problem.links[0]
    assert together.kind is LinkKind.TOGETHER


@leaves_files_open
def test_the_checker_counts_the_same_to_the_rounding(tmp_path: Path):
    check = checker()
    text, saved = tmp_path / "small.txt", tmp_path / "solution.json"
    text.write_text(HHCRSP, encoding="utf-8")
    case = load(text)
    plan = case.plan_of(HHCRSP_SOLUTION)
    saved.write_text(json.dumps(case.solution_of(plan)), encoding="utf-8")
    instance = check.Instance(text)
    given = check.check(instance, check.parse_solution(saved, instance))["given"]
    assert given["violations"] == []
    assert given["tard"] == pytest.approx(5.001)
    assert given["cost"] == pytest.approx(case.result(plan).cost, abs=0.001)
    assert case.plan_of(case.solution_of(plan)) == plan


def test_lists_by_caregiver_are_a_solution_too():
    case = read(HHCRSP, "small")
    lists = {"routes": [[[1, 0, 5.0], [3, 0, 19.001]], [[2, 1, 10.0], [3, 1, 23.001]]]}
    assert case.plan_of(lists) == case.plan_of(HHCRSP_SOLUTION)


def test_routes_without_times_are_as_early_as_they_can_be():
    case = read(HHCRSP, "small")
    plan = earliest(case, case.plan_of(HHCRSP_SOLUTION))
    assert plan is not None
    starts = {case.visits[a.visit]: a.start_minute for a in plan.assignments}
    assert starts == {(1, 0): 5000, (2, 1): 4000, (3, 0): 19001, (3, 1): 23001}


def test_routes_that_contradict_each_other_have_no_times():
    case = read(HHCRSP.replace("maxd\n0 0 0 9 0", "maxd\n0 0 0 4 0").replace("r\n1 1\n1 0", "r\n1 1\n0 1"), "small")
    # The second caregiver would come to patient 3 only after two others, and the first may not wait for that long.
    late = Plan.of([Assignment(2, 0, 0, 0), Assignment(3, 1, 0, 0), Assignment(0, 1, 0, 1), Assignment(1, 1, 0, 2)])
    assert earliest(case, late) is not None
    crossed = {"routes": [[[3, 0, 0]], [[3, 1, 0], [1, 1, 1], [2, 1, 2]]]}
    assert earliest(case, case.plan_of(crossed)) is not None


@pytest.mark.parametrize(
    ("message", "old", "new"),
    [
        ("the section 'mind' is missing", "mind\n0 0 0 4 0\n", ""),
        ("d: has 24 numbers instead of 25", "\n0 3.0 4.0 5.0 0\np", "\n0 3.0 4.0 5.0\np"),
        ("nbVehi: must be one whole number", "nbVehi\n2", "nbVehi\n2.5"),
        ("r: patient 1 asks for 2 services", "r\n1 1\n1 0", "r\n1 1\n1 1"),
        ("e: patient 2 has more than l", "e\n0 5 0", "e\n0 5 9"),
        ("mind: patient 3 has more than maxd", "mind\n0 0 0 4 0", "mind\n0 0 0 44 0"),
        ("is not all numbers", "0 3.0 4.0", "0 3,0 4.0"),
        ("line 1 stands before any name", "nbNodes\n5", "5\nnbNodes\n5"),
        ("d: must be from 0", "0 3.0 4.0", "0 -3.0 4.0"),
        ("d: must be a number", "0 3.0 4.0", "0 nan 4.0"),
    ],
)
def test_a_bad_file_is_refused_by_one_sentence_with_its_name(
    message: str, old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert old in HHCRSP
    path = tmp_path / "odd.txt"
    path.write_text(HHCRSP.replace(old, new, 1), encoding="utf-8")
    assert main("HHCRSP", load, [str(path), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"{path}: ")
    assert message in said
    assert "\n" not in said


def test_a_solution_that_names_what_is_not_there_is_refused():
    case = read(HHCRSP, "small")
    for routes in ([[[9, 0, 1.0]]], [[[1, 1, 1.0]]], [[], [], [[1, 0, 1.0]]], [[[1, 0]]]):
        with pytest.raises(FormatError, match=r"routes\["):
            case.plan_of({"routes": routes})
    with pytest.raises(FormatError, match="twice"):
        case.plan_of({"routes": [[[1, 0, 1.0], [1, 0, 50.0]]]})


def test_best_known_costs_are_read_from_the_list_beside_the_instance(tmp_path: Path):
    path = tmp_path / "small.txt"
    path.write_text(HHCRSP, encoding="utf-8")
    assert best_known(load, path) is None
    (tmp_path / "best-known.csv").write_text("instance,best_cost,source\nsmall,10.5,by hand\n", encoding="utf-8")
    assert best_known(load, path) == 10.5


@leaves_files_open
@pytest.mark.skipif(not INSTANCES, reason="no published HHCRSP instances beside the project")
@pytest.mark.parametrize("path", INSTANCES, ids=[path.stem for path in INSTANCES])
def test_the_checker_agrees_on_published_instances(path: Path, tmp_path: Path):
    check = checker()
    case = load(path)
    plan = some_plan(case)
    result = case.result(plan)
    assert result.violations == ()
    saved = tmp_path / "solution.json"
    saved.write_text(json.dumps(case.solution_of(plan)), encoding="utf-8")
    instance = check.Instance(path)
    found = check.check(instance, check.parse_solution(saved, instance))
    assert found["given"]["violations"] == []
    assert found["given"]["tard"] == pytest.approx(result.components["tardiness"], abs=1e-6)
    assert found["given"]["tmax"] == pytest.approx(result.components["max_tardiness"], abs=1e-6)
    # Each leg may have been rounded up by a thousandth.
    legs = len(plan.assignments) + len(case.able)
    assert 0 <= result.components["distance"] - found["given"]["dist"] + 1e-6 <= legs / 1000
