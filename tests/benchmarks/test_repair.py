"""The benchmark of repairs, on a small week."""

import json

from benchmarks import repair
from coordinator.planner.plan import Assignment


def test_every_event_is_repaired_within_the_budget_and_checked(capsys, tmp_path):
    small = ["--clinicians", "8", "--visits", "6", "--seconds", "0.5", "--planning", "0.5", "--patients", "1"]
    repair.main([*small, "--json", "--out", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["event"] for row in rows] == ["sick call", "cancelled", "urgent", "runs long", "hospital"]
    for row in rows:
        assert row["wrong"] == []
        assert row["hard_violations"] == 0
        assert row["patients"] <= 1
        assert [point["max_patients"] for point in row["curve"]] == [0, 1, 2, 3, 5, None]
        assert json.loads((tmp_path / row["solution"].rpartition("/")[2]).read_text())["assignments"]


def test_the_checks_see_what_a_repair_must_not_do():
    problem, plan = repair.publish(8, 6, 0.3, 1)
    name, event, now = next(repair.events(problem, plan, 1))
    assert name == "sick call"
    broken = repair.strike(problem, plan, event, now=now)
    workshop = repair.Workshop(broken, scale=0.05)
    good = workshop.first()
    assert repair.checks(broken, good, repair.Budget(0), now) == []
    other = next(a for a in good.plan.assignments if a.visit not in broken.hit and a.day == 0)
    moved = repair.Plan.of(
        [
            Assignment(a.visit, a.clinician, a.day, a.start_minute + 1) if a == other else a
            for a in good.plan.assignments
        ]
    )
    assert repair.checks(broken, repair.replace(good, plan=moved), repair.Budget(0), now) == [
        f"visit {other.visit} had begun", "1 patients touched"
    ]  # fmt: skip
