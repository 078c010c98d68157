"""The commands of the benchmarks: what they take, what they write."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import all as everything
from benchmarks import scale, week


def test_a_week_is_planned_twice_and_its_rows_say_where_the_plans_are(tmp_path, capsys):
    week.main(["--clinicians", "4", "--seconds", "0.5", "--seeds", "2", "--json", "--out", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["kind"], row["seed"]) for row in rows] == [("rich", 1), ("relaxed", 1), ("rich", 2), ("relaxed", 2)]
    assert len({row["instance"] for row in rows}) == 4
    for row in rows:
        assert row["hard_violations"] == 0
        assert row["cost"] == sum(row["components"].values())
        saved = json.loads(Path(row["solution"]).read_text(encoding="utf-8"))
        assert len(saved["assignments"]) == row["visits"] - row["unplaced"]
        assert saved["instance"] == row["instance"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--peers", "hexaly"], "no such peer"),
        (["--kinds", "rich", "--peers", "vroom"], "relaxed"),
        (["--kinds", "poor"], "poor"),
        (["--clinicians", "3"], "at least 4"),
        (["--seeds", "none"], "--seeds"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_by_name(given, said, capsys):
    with pytest.raises(SystemExit):
        week.arguments(given)
    assert said in capsys.readouterr().err


def test_our_gap_is_to_the_best_peer_that_breaks_no_rule():
    def row(solver: str, cost: int, hard: int = 0) -> dict[str, object]:
        return {"kind": "relaxed", "clinicians": 10, "visits": 120, "seed": 1, "solver": solver, "cost": cost} | {
            "hard_violations": hard
        }

    rows = [row(week.OURS, 970), row("vroom", 1000), row("pyvrp", 1100), row("ortools", 500, hard=1)]
    assert week.gaps(rows)[0]["gap_percent"] == -3.0


def test_the_plot_has_a_spot_for_each_size_and_line():
    rows = [
        {"visits": size, "cost": 1500 * size, "first_plan": size / 1000, "within_1_percent": size / 100}
        for size in (100, 500, 5000)
    ]
    drawing = ElementTree.fromstring(scale.plot(rows))
    spots = [element for element in drawing if element.tag.endswith("circle")]
    assert len(spots) == 9
    assert all(0 < float(spot.get("cx")) < 760 and 0 < float(spot.get("cy")) < 320 for spot in spots)


def test_the_budget_is_shared_by_all_plans_that_are_to_be_made(tmp_path, capsys):
    (tmp_path / "hhcrsp").mkdir()
    for name in ("one.txt", "two.txt"):
        (tmp_path / "hhcrsp" / name).write_text("", encoding="utf-8")
    todo = everything.steps(tmp_path, [1, 2], ["vroom"], tmp_path / "out")
    assert {step.name: step.plans for step in todo} == {
        "hhcrsp": 4, "week": 12, "sweep": 0, "repair": 10, "scale": 12,
    }  # fmt: skip
    with pytest.raises(SystemExit):
        everything.main(["--minutes", "0.1", "--out", str(tmp_path / "out"), "--data", str(tmp_path)])
    assert "need at least" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
