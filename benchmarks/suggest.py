"""How long it takes to say who could take one visit, and what would place one that is left out.

    python -m benchmarks.suggest --clinicians 40 --visits 12 --ask 20 [--relax 3] [--door] [--json]

The week is the one of `benchmarks.week`. Suggestions are asked for visits spread over the plan; relaxations for visits
that a week with too much in it (`--full` visits for each clinician) leaves out. With `--door` suggestions are asked for
over HTTP as well: the demo agency in an SQLite file, its week planned and published, the rules asked about real rows.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.week import machine, make_week
from coordinator.access.model import ApiToken, User
from coordinator.agency.model import Branch
from coordinator.app import create_app
from coordinator.cli.db import upgrade_database
from coordinator.cli.demo import load_demo
from coordinator.cli.planning import plan_days
from coordinator.core.settings import load_settings
from coordinator.domain.vocabulary import VisitStatus
from coordinator.planner import Stop, relax, solve, suggest, warm_up
from coordinator.visits.model import Visit


def ask_suggestions(clinicians: int, visits: int, rounds: int, ask: int) -> dict[str, object]:
    """Seconds for one visit's five best places, of visits spread over the plan."""
    problem = make_week(clinicians, visits)
    plan = solve(problem, Stop(iterations=rounds), seed=1).plan
    step = max(1, len(problem.visits) // ask)
    took, worked, found = [], [], []
    for visit in range(0, len(problem.visits), step):
        began, busy = time.perf_counter(), time.process_time()
        found.append(len(suggest(problem, plan, visit)))
        took.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
    return {
        "question": "suggest",
        "problem": problem.name,
        "visits": len(problem.visits),
        "asked": len(took),
        "answered": sum(1 for count in found if count),
        "median_seconds": round(statistics.median(took), 3),
        "worst_seconds": round(max(took), 3),
        "median_cpu_seconds": round(statistics.median(worked), 3),
    }


def ask_relaxations(clinicians: int, full: int, rounds: int, ask: int) -> dict[str, object]:
    """Seconds for one visit that is left out of a week with too much in it."""
    problem = make_week(clinicians, full)
    plan = solve(problem, Stop(iterations=rounds), seed=1).plan
    left = [visit for visit in range(len(problem.visits)) if visit not in plan.by_visit()][:ask]
    took, worked, helped, tried = [], [], 0, 0
    for visit in left:
        began, busy = time.perf_counter(), time.process_time()
        answer = relax(problem, plan, visit)
        took.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
        helped += not answer.none
        tried += answer.tried + answer.pairs_tried
    return {
        "question": "relax",
        "problem": problem.name,
        "visits": len(problem.visits),
        "asked": len(took),
        "answered": helped,
        "median_seconds": round(statistics.median(took), 3) if took else 0.0,
        "worst_seconds": round(max(took, default=0.0), 3),
        "median_cpu_seconds": round(statistics.median(worked), 3) if worked else 0.0,
        "changes_tried": tried,
    }


def ask_at_the_door(clinicians: int, patients: int, seconds: int, ask: int) -> dict[str, object]:
    """Seconds of `GET /visits/{id}/suggestions`, from the request to the whole answer, as a scheduler asks it."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            load_settings(
                {
                    "COORDINATOR_PROFILE": "test",
                    "COORDINATOR_DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.sqlite3'}",
                    "COORDINATOR_SECRET_KEY": "a-secret-of-this-benchmark-alone-0123456789",
                }
            )
        )
        database = app.extensions["database"]
        upgrade_database(database)
        now = datetime.now(UTC)
        with app.app_context(), contextlib.redirect_stdout(io.StringIO()):
            load_demo(patients, clinicians, 1)
            plan_days("SF", now.date() + timedelta(days=1), seconds=seconds, and_publish=True)
        token = "a-token-of-this-benchmark-alone"  # noqa: S105  (it opens a folder that is gone a minute later)
        with database.transaction() as session:
            branches = list(session.scalars(sa.select(Branch.id)))
            scheduler = User(username="benchmark", display_name="Benchmark", roles=["scheduler"], branch_ids=branches)
            scheduler.password_hash = "none"  # noqa: S105  (nobody signs in with a password here)
            session.add(scheduler)
            session.flush()  # the token names its number
            session.add(
                ApiToken(
                    user_id=scheduler.id, label="benchmark", token_hash=app.extensions["doorman"].digest(token),
                    created_at=now, expires_at=now + timedelta(days=1),
                )
            )  # fmt: skip
            ahead = list(
                session.scalars(
                    sa.select(Visit.id)
                    .where(Visit.status == VisitStatus.BOOKED, Visit.starts_at > now + timedelta(days=1))
                    .order_by(Visit.id)
                )
            )
        client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
        took, worked, found = [], [], []
        for visit in ahead[:: max(1, len(ahead) // ask)]:
            began, busy = time.perf_counter(), time.process_time()
            answer = client.get(f"/api/v1/visits/{visit}/suggestions", headers=headers)
            took.append(time.perf_counter() - began)
            worked.append(time.process_time() - busy)
            if answer.status_code != 200:
                raise SystemExit(f"{answer.status_code}: {answer.json}")
            found.append(len(answer.json["suggestions"]))
        database.dispose()
    return {
        "question": "suggest at the door",
        "clinicians": clinicians,
        "visits": len(ahead),
        "asked": len(took),
        "answered": sum(1 for count in found if count),
        "median_seconds": round(statistics.median(took), 3),
        "worst_seconds": round(max(took), 3),
        "median_cpu_seconds": round(statistics.median(worked), 3),
    }


def main() -> None:
    """Print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description="Ask about single visits and print how long the answers take.")
    parser.add_argument("--clinicians", type=int, default=40)
    parser.add_argument("--visits", type=int, default=12, help="visits per clinician")
    parser.add_argument("--rounds", type=int, default=3000, help="rounds of search that the plan is given")
    parser.add_argument("--ask", type=int, default=20, help="suggestions asked for")
    parser.add_argument("--relax", type=int, default=0, help="relaxations asked for")
    parser.add_argument("--full", type=int, default=28, help="visits per clinician of the week with too much in it")
    parser.add_argument("--door", action="store_true", help="ask over HTTP too, of the demo agency")
    parser.add_argument("--patients", type=int, default=240, help="of the demo agency")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warm_up()
    rows = [ask_suggestions(options.clinicians, options.visits, options.rounds, options.ask)]
    if options.relax:
        rows.append(ask_relaxations(max(1, options.clinicians // 2), options.full, options.rounds, options.relax))
    if options.door:
        rows.append(ask_at_the_door(options.clinicians, options.patients, 15, options.ask))
    about = machine()
    if options.json:
        json.dump({"about": about, "rows": rows}, sys.stdout, indent=1)
        print()
        return
    print("  ".join(f"{key} {value}" for key, value in about.items()))
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
