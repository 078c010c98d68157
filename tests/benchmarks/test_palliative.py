"""Weeks of palliative care load without loss; the command plans them and says what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.formats.palliative import load, read
from benchmarks.formats.reading import FormatError
from benchmarks.published import main
from coordinator.planner.plan import Assignment, Plan
from tests.benchmarks.files import DATA

WEEK = """\
5 2 2 6
101 1 2 0 0
102 1 2 1 1
103 2 0 1 0
104 2 3 0 0
1 1 8
2 2 6
3 20
21 5
0 1 1 0 0
1 0 0 0 1
1 0 1 0 2
0 0 2 0 0
1 1 1 0 0
0 1 1 0 1
"""
"""Two operators, the second of skill 2; patient 101 on days 2 and 3 or on 1 and 5, 104 on 2 and 3 and either 1 or 5."""
INSTANCES = sorted((DATA / "palliative-week").glob("*.txt"))


def rules(plan: list[Assignment]) -> set[str]:
    return {violation.rule for violation in read(WEEK, "small").result(Plan.of(plan)).violations}


def test_a_week_is_read_word_for_word():
    case = read(WEEK, "small")
    problem = case.problem
    assert [visit.key for visit in problem.visits[:3]] == ["p101/1", "p101/2", "p102/1"]
    assert [len(patient.skills) for patient in case.patients] == [2, 3, 1, 3]
    # Another patient of the same municipality is 3 minutes away, one of the other 20 there and 21 back.
    assert problem.travel_seconds[0, 2] == 180
    assert (problem.travel_seconds[0, 1], problem.travel_seconds[1, 0]) == (1200, 1260)
    assert problem.travel_seconds[0, 0] == 0
    assert [slot.shift_end - slot.shift_start for slot in problem.slots[::5]] == [480, 360]
    # Only the third visit of 102 and the one of 103 need the second operator.
    assert [key for key, visit in enumerate(problem.visits) if visit.forbidden] == [4, 5]
    assert [(tie.visits, tie.free_faces) for tie in problem.faces_limits] == [
        ((0, 1), 1),
        ((2, 3, 4), 1),
        ((5,), 2),
        ((6, 7, 8), 2),
    ]


def test_patterns_become_windows_where_windows_can_say_them():
    case = read(WEEK, "small")
    (tie,) = case.problem.patterns
    assert (tie.visits, set(tie.patterns)) == ((0, 1), {(1, 2), (0, 4)})
    assert [sorted(visit.windows) for visit in case.problem.visits[6:]] == [[1], [2], [0, 4]]


def test_a_plan_is_judged_by_the_patterns_it_was_given():
    def at(visit: int, day: int) -> Assignment:
        return Assignment(visit, 0, day, day * 1440 + 600)

    assert rules([at(0, 1), at(1, 2)]) == set()
    assert rules([at(0, 0), at(1, 2)]) == {"pattern"}


def test_the_command_plans_and_writes_what_it_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "week.txt"
    path.write_text(WEEK, encoding="utf-8")
    out = tmp_path / "out"
    assert main("Weeks", load, [str(path), "--seconds", "0.2", "--seeds", "2", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"machine", "python", "numpy", "numba"} <= told["about"].keys()
    assert [(row["instance"], row["seed"]) for row in told["rows"]] == [("week", 1), ("week", 2)]
    case = load(path)
    for row in told["rows"]:
        assert row["feasible"]
        assert row["violations"] == []
        assert row["components"]["left_out"] == 0
        again = case.result(case.plan_of(json.loads(Path(row["solution"]).read_text(encoding="utf-8"))))
        assert again.cost == row["cost"] == pytest.approx(sum(row["weighted"].values()))
    assert main("Weeks", load, [str(path), "--seconds", "0.1", "--seeds", "7,9", "--out", str(out)]) == 0
    assert "operators_too_many" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--seeds", "0"], ["--seeds", "x"], ["--seconds", "0"], ["--seconds", "nan"]])
def test_bad_options_are_refused(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        main("Weeks", load, ["week.txt", "--out", str(tmp_path), *options])
    assert refused.value.code == 2
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "old", "new"),
    [
        ("line 1: must be", "5 2 2 6", "5 2 2"),
        ("line 1: promises", "5 2 2 6", "5 2 2 7"),
        ("line 2: is no line of a patient", "101 1 2 0 0", "101 1 2 0"),
        ("line 2: patient 101 lives in municipality 7 of 2", "101 1 2 0 0", "101 1 2 0 7"),
        ("line 2: no pattern has the visits of patient 101", "101 1 2 0 0", "101 1 5 0 0"),
        ("line 8: must be whole numbers", "3 20", "3 far"),
        ("a patient is there twice", "102 1 2 1 1", "101 1 2 1 1"),
        ("an operator has skill 1 or 2", "1 1 8", "1 3 8"),
    ],
)
def test_a_bad_file_is_refused(message: str, old: str, new: str):
    with pytest.raises(FormatError, match=message):
        read(WEEK.replace(old, new, 1), "odd")


@pytest.mark.skipif(not INSTANCES, reason="no published palliative weeks beside the project")
@pytest.mark.parametrize("path", INSTANCES, ids=[path.stem for path in INSTANCES])
def test_published_weeks_say_how_many_patients_they_have(path: Path):
    case = load(path)
    patients, operators = (int(word) for word in path.stem.split("-")[2:4])
    assert (len(case.patients), len(case.operators), case.days) == (patients, operators, 5)
    wanted = sum(sum(map(int, line.split()[2:4])) for line in path.read_text().splitlines()[1 : patients + 1])
    assert len(case.problem.visits) == wanted
