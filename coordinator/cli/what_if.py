"""`flask plan what-if`: name a scenario, compare it with what stands, and print both side by side."""

import json
from datetime import datetime
from typing import Any

import click
import flask
import sqlalchemy as sa
from marshmallow import ValidationError

from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.cli.common import command_work
from coordinator.cli.planning import DAY
from coordinator.core.errors import Invalid
from coordinator.core.work import Work
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext, Workshop
from coordinator.planning import what_if
from coordinator.planning.limits import LONGEST_DAYS, MOST_ITERATIONS, MOST_SECONDS
from coordinator.planning.search import search_here
from coordinator.planning.what_if_changes import ChangesSchema
from coordinator.planning.what_if_model import Scenario
from coordinator.staff.model import Clinician


@click.command("what-if")
@click.option("--branch", "code", required=True, metavar="CODE", help="The branch's code.")
@click.option("--name", required=True, help="The scenario's name; one that is there already is run again.")
@click.option("--start", type=DAY, metavar="DATE", help="First day, in the branch's zone; needed for a new scenario.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=7, show_default=True)
@click.option("--hire", multiple=True, metavar="RN@94110", help="One more of the profession, living there.")
@click.option("--without", multiple=True, metavar="D001", help="Do without the clinician of that employee number.")
@click.option("--more", type=click.IntRange(1, 50), help="So many more referrals, like patients the branch has.")
@click.option("--price", multiple=True, metavar="NAME=CENTS", help="Another price.")
@click.option("--changes", metavar="JSON", help="All of it, as the API takes it: POST /scenarios.")
@click.option("--seconds", type=click.IntRange(1, MOST_SECONDS), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--iterations", type=click.IntRange(1, MOST_ITERATIONS), help="For each plan, whatever the time.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@flask.cli.with_appcontext
def what_if_command(
    code: str, name: str, start: datetime | None, days: int, hire: tuple[str, ...], without: tuple[str, ...],
    more: int | None, price: tuple[str, ...], changes: str | None, seconds: int, seed: int, iterations: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Compare a scenario with the days as they are, both searched alike. No visit is touched."""
    workshop: Workshop = flask.current_app.extensions["workshop"]
    with command_work("what-if", actor=installer_actor("what-if")) as work:
        branch_id = work.session.execute(sa.select(Branch.id).where(Branch.code == code)).scalar()
        if branch_id is None:
            raise click.BadParameter(f"There is no branch {code}.", param_hint="--branch")
        scenario = work.session.scalar(
            sa.select(Scenario).where(Scenario.branch_id == branch_id, Scenario.name == name)
        )  # fmt: skip
        asked = bool(hire or without or more or price or changes)
        if scenario is not None and asked:
            raise click.BadParameter("There is a scenario of that name: run it as it is, or choose another name.",
                                     param_hint="--name")  # fmt: skip
        if scenario is None:
            if start is None:
                raise click.BadParameter("A new scenario needs its first day.", param_hint="--start")
            given = _changes(work, branch_id, hire, without, more, price, changes)
            try:
                scenario = what_if.create(work, branch_id, name, start.date(), given, days=days)
            except Invalid as refusal:
                raise click.BadParameter(refusal.detail, param_hint=_option(refusal)) from None
        run = what_if.start_run(
            work, scenario.id, seconds=seconds, seed=seed, iterations=iterations, queue=False
        )  # fmt: skip
        scenario_id, run_id = scenario.id, run.id
    context = JobContext(workshop=workshop, name=what_if.JOB, key=what_if.job_key(run_id))
    what_if.perform(context, run_id, search_here)
    with command_work("what-if", actor=installer_actor("what-if")) as work:
        scenario, run = what_if.get(work, scenario_id), what_if.newest_run(work, scenario_id)
        if run.status is not RunStatus.ANSWERED or run.result is None:
            raise click.ClickException(f"The comparison {run.id} is {run.status.value}. {run.error or ''}".strip())
        answer = {
            "scenario": scenario.id, "name": scenario.name, "from": scenario.start_on.isoformat(),
            "to": scenario.end_on.isoformat(), "changes": scenario.changes,
        } | run.result  # fmt: skip
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _page(answer))


def _option(refusal: Invalid) -> str:
    """The option that a refusal's pointer is about."""
    pointer = str((refusal.extra.get("errors") or [{"pointer": "/start_on"}])[0]["pointer"])
    kinds = {"new_clinicians": "--hire", "without_clinicians": "--without", "more_referrals": "--more"}
    named = next((option for kind, option in kinds.items() if kind in pointer), "--changes")
    return {"/start_on": "--start", "/end_on": "--days"}.get(pointer, named)


def _changes(
    work: Work, branch_id: int, hire: tuple[str, ...], without: tuple[str, ...], more: int | None,
    price: tuple[str, ...], text: str | None,
) -> dict[str, Any]:  # fmt: skip
    """What the options say, in the shape that the API takes."""
    try:
        given: Any = {} if text is None else json.loads(text)
    except ValueError:
        raise click.BadParameter("This is no JSON.", param_hint="--changes") from None
    if not isinstance(given, dict):
        raise click.BadParameter("This is no JSON object.", param_hint="--changes")
    for entry in hire:
        performer, _, place = entry.partition("@")
        wanted = {"performer": performer, "zip": place or None, "starts": "08:00", "ends": "16:30"}
        given.setdefault("new_clinicians", []).append(wanted)
    for number in without:
        found = work.session.scalar(
            sa.select(Clinician.id).where(Clinician.employee_no == number, Clinician.branch_id == branch_id)
        )
        if found is None:
            raise click.BadParameter(f"The branch has no clinician {number}.", param_hint="--without")
        given.setdefault("without_clinicians", []).append({"clinician_id": found})
    if more is not None:
        given.setdefault("more_referrals", []).append({"count": more})
    for entry in price:
        name, _, cents = entry.partition("=")
        given.setdefault("prices", {})[name] = int(cents) if cents.isascii() and cents.isdigit() else cents
    try:
        loaded: dict[str, Any] = ChangesSchema().load(given)
    except ValidationError as error:
        option = next((name for name, used in (("--hire", hire), ("--price", price)) if used), "--changes")
        raise click.BadParameter(json.dumps(error.messages), param_hint=option) from None
    return loaded


#: Rows of the table: what is said, the name of the number, its unit.
_ROWS = (
    ("Clinicians with a day", "clinicians", ""), ("Visits wanted", "wanted", ""), ("Visits placed", "placed", ""),
    ("Visits left out", "unplaced", ""), ("Travel", "travel_minutes", " min"),
    ("Overtime", "overtime_minutes", " min"), ("Worked", "worked_minutes", " min"), ("Continuity", "continuity", " %"),
    ("Patients moved", "patients_moved", ""), ("Visits moved", "visits_moved", ""),
    ("Held slots", "held_slots", ""), ("Cost", "cost", " c"),
)  # fmt: skip


def _why(reason: dict[str, Any]) -> str:
    """A reason with how many visits it concerns, and what it says of one of them."""
    whose = f"of visit {reason['visit_id']}" if reason["visit_id"] is not None else "of one that is imagined"
    return f"{reason['code']} ({reason['visits']}), {whose}: {reason['sentence']}"


def _page(answer: dict[str, Any]) -> str:
    before, after = answer["base"], answer["variant"]
    comparable = answer["difference"]["cost"] is not None
    lines = [
        f"{answer['name']}, {answer['from']} to {answer['to']} (scenario {answer['scenario']}).",
        f"{'':<24}{'as it is':>14}{'scenario':>14}{'difference':>14}",
    ]
    for words, name, unit in _ROWS:
        apart = f"{after[name] - before[name]:+}{unit}" if comparable or name != "cost" else ""
        cells = (f"{before[name]}{unit}", f"{after[name]}{unit}", apart)
        lines.append((f"{words:<24}" + "".join(f"{cell:>14}" for cell in cells)).rstrip())
    costs = [{part["name"]: part["cost"] for part in plan["parts"]} for plan in (before, after)]
    for name in sorted({*costs[0], *costs[1]}):
        old, new = (cost.get(name, 0) for cost in costs)
        apart = f"{new - old:+} c" if comparable else ""
        lines.append(f"  {name:<22}{f'{old} c':>14}{f'{new} c':>14}{apart:>14}".rstrip())
    if "cost_at_base_prices" in answer:
        lines.append(f"At the prices that hold now the scenario's plan costs {answer['cost_at_base_prices']} c.")
    for title, plan in (("As it is", before), ("In the scenario", after)):
        for left in plan["left_out"]:
            why = "; ".join(_why(one) for one in left["reasons"][:3])
            lines.append(f"{title}, {left['visits']} {left['discipline']} left out: {why}")
    return "\n".join(lines)
