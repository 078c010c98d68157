"""`flask plan` and `flask roster`: plan a branch's days now, and print a clinician's day."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import flask
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.cli.common import command_work, say
from coordinator.core.errors import Invalid, NotFound, RuleBroken
from coordinator.core.fields import FIRST_YEAR, LAST_YEAR
from coordinator.core.work import Work
from coordinator.domain.care import CODE_STATUS_WORDS
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext, Workshop
from coordinator.planning import publication, service
from coordinator.planning.decode import OTHER_PROFESSION
from coordinator.planning.limits import LONGEST_DAYS, MOST_ITERATIONS, MOST_SECONDS
from coordinator.planning.model import PlanRun
from coordinator.planning.search import Found, Heard, Look, Task, search_here
from coordinator.staff.model import Clinician
from coordinator.visits.roster import Roster, roster

group = AppGroup("plan", help="Plan visits.")

DAY = click.DateTime(["%Y-%m-%d"])


@group.command("week")
@click.option("--branch", "code", required=True, metavar="CODE", help="The branch's code.")
@click.option("--start", required=True, type=DAY, metavar="DATE", help="First day, in the branch's zone.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=7, show_default=True)
@click.option("--seconds", type=click.IntRange(1, MOST_SECONDS), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option(
    "--iterations",
    type=click.IntRange(1, MOST_ITERATIONS),
    help="Stop after so many, whatever the time: the same plan each time.",
)
@click.option("--publish", "and_publish", is_flag=True, help="Put the plan on the rosters as well.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def week(
    code: str, start: datetime, days: int, seconds: int, seed: int, iterations: int | None, and_publish: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Plan a branch's week now, and print what came of it. Nothing is changed without --publish."""
    answer = plan_days(
        code, start.date(), days=days, seconds=seconds, seed=seed, iterations=iterations, and_publish=and_publish
    )
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else page_of(answer))


def plan_days(
    code: str, start: date, *, days: int = 7, seconds: int = 20, seed: int = 0, iterations: int | None = None,
    and_publish: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Plan those days of the branch in this process, and say what came of it."""
    run_id = _ask(code, start, days, seconds, seed, iterations)
    workshop: Workshop = flask.current_app.extensions["workshop"]
    context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(run_id))
    service.perform(context, run_id, _search_aloud)
    with command_work("plan-week", actor=installer_actor("plan-week")) as work:
        run = service.get(work, run_id)
        if run.status is not RunStatus.PROPOSED:
            raise click.ClickException(f"The run {run_id} is {run.status.value}. {run.error or ''}".strip())
        if and_publish:
            _publish(work, run)
        return _answer(work, run)


def _ask(code: str, start: date, days: int, seconds: int, seed: int, iterations: int | None) -> int:
    with command_work("plan-week", actor=installer_actor("plan-week")) as work:
        branch_id = work.session.execute(sa.select(Branch.id).where(Branch.code == code)).scalar()
        if branch_id is None:
            known = ", ".join(work.session.execute(sa.select(Branch.code).order_by(Branch.code)).scalars())
            raise click.BadParameter(
                f"There is no branch {code}. There is: {known or 'none yet'}.", param_hint="--branch"
            )
        try:
            run = service.start_run(
                work, branch_id, start, days=days, seconds=seconds, seed=seed, iterations=iterations, queue=False
            )
        except Invalid as refusal:
            raise click.BadParameter(refusal.detail, param_hint=_option(refusal)) from None
        return run.id


def _option(refusal: Invalid) -> str:
    """The option that a refusal's pointer is about."""
    pointer = str((refusal.extra.get("errors") or [{"pointer": "/start_on"}])[0]["pointer"])
    return {"/start_on": "--start", "/end_on": "--days"}.get(pointer, f"--{pointer.lstrip('/')}")


def _search_aloud(task: Task, look: Look) -> Found:
    """Search here, telling a terminal how far it is."""

    def tell(heard: Heard | None) -> bool:
        if heard is not None:
            say(f"{heard.seconds:5.1f} s  {heard.placed} of {len(task.problem.visits)} placed  cost {heard.cost}")
        return look(heard)

    return search_here(task, tell)


def _publish(work: Work, run: PlanRun) -> None:
    try:
        publication.publish(work, run.id, run.version)
    except RuleBroken as refusal:
        said = "\n".join(f"  {finding.rule}: {finding.sentence()}" for finding in refusal.findings)
        raise click.ClickException(f"--publish: the rules do not allow this plan.\n{said}") from None


def _answer(work: Work, run: PlanRun) -> dict[str, Any]:
    result = {name: value for name, value in (run.result or {}).items() if name != "alternatives"}
    unplaced = [{"visit": row.visit_id, "reasons": row.reasons} for row in service.unplaced_of(work, run.id)]
    return {
        "run": run.id,
        "status": run.status.value,
        "from": run.start_on.isoformat(),
        "to": run.end_on.isoformat(),
    } | result | {"unplaced": unplaced}  # fmt: skip


def page_of(answer: dict[str, Any]) -> str:
    """What came of a run, as people read it."""
    left_out, broken_rules = len(answer["unplaced"]), len(answer["violations"])
    lines = [
        f"Run {answer['run']}, {answer['from']} to {answer['to']}: {answer['status']}.",
        f"Wanted {answer['wanted']}, placed {answer['placed']}, left out {left_out}, fixed {answer['fixed']}."
        + (f" {answer['later']} can wait for a later run." if answer["later"] else ""),
        f"Travel {answer['travel_minutes']} min, overtime {answer['overtime_minutes']} min.",
        f"Continuity {answer['continuity']} %, violations {broken_rules}.",
    ]
    lines += _grounds(answer)
    lines += [f"  violation: {broken['rule']} of visits {broken['visits']}" for broken in answer["violations"]]
    for left in answer["unplaced"]:
        lines.append(f"Visit {left['visit']} is left out:")
        lines += reason_lines(left["reasons"])
    for order in answer["waiting"]:
        lines.append(f"Order {order['order']} ({order['discipline']}, {order['visits']} visits) cannot be planned:")
        lines.append(f"  {order['code']}: {order['sentence']} {order['cure']}")
    for kept in answer["unconfirmable"]:
        why = kept["reasons"][0]["sentence"] if kept["reasons"] else ""
        lines.append(f"Visit {kept['visit']} stands and needs a decision: {why}")
    return "\n".join(lines)


def _grounds(answer: dict[str, Any]) -> list[str]:
    """What the travel times stand on, and homes whose place is not well known."""
    ways = answer["travel_sources"]
    known = f"{ways['by_road']} by road, {ways['remembered']} remembered"
    guessed = f"{ways['estimated']} estimated ({ways['no_road']} of them without a road)"
    lines = [f"Ways between places: {known}, {guessed}, at {ways['traffic']} times free flow."]
    if ways["note"]:
        lines.append(f"  {ways['note']}")
    if answer["unlocated_patients"]:
        lines.append(f"  No point, the office stands in: patients {_numbers(answer['unlocated_patients'])}.")
    vague = [row["patient_id"] for row in answer["imprecise_patients"]]
    if vague:
        lines.append(f"  The point may be streets away: patients {_numbers(vague)}.")
    return lines


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def reason_lines(reasons: list[dict[str, Any]]) -> list[str]:
    """What stops a visit, a line for each reason with whom and when it concerns."""
    return [f"  {reason['code']}: {reason['sentence']}{_whom(reason)}" for reason in _telling(reasons)]


def _telling(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reasons without those of other professions, unless there are no others."""
    return [reason for reason in reasons if not reason["facts"].get(OTHER_PROFESSION)] or reasons


def _whom(reason: dict[str, Any]) -> str:
    people, days = reason["clinician_ids"], reason["days"]
    whom = f" (clinician{'s' if len(people) > 1 else ''} {', '.join(map(str, people))})" if people else ""
    when = f" on {', '.join(days)}" if days else ""
    return whom + when + (f"; closest on {reason['at_best_on']}" if reason.get("at_best_on") else "")


# ------------------------------------------------------------------------------------ a clinician's day


def _within_memory(_context: click.Context, _option: click.Parameter, value: datetime) -> datetime:
    """A day of the calendar that the product keeps."""
    if not FIRST_YEAR < value.year < LAST_YEAR:
        raise click.BadParameter(f"The year lies between {FIRST_YEAR} and {LAST_YEAR}.")
    return value


@click.command("roster")
@click.argument("clinician")
@click.option(
    "--date",
    "day",
    required=True,
    type=DAY,
    metavar="DATE",
    callback=_within_memory,
    help="The day, in the branch's zone.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@flask.cli.with_appcontext
def roster_command(clinician: str, day: datetime, as_json: bool) -> None:
    """Print the day of CLINICIAN, an employee number or a row's number."""
    with command_work("roster") as work:
        found = _find(work, clinician)
        try:
            mine = roster(work, found.id, day.date())
        except NotFound as refusal:
            raise click.BadParameter(refusal.detail, param_hint="CLINICIAN") from None
        answer = _roster(found, mine)
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _roster_page(answer))


def _find(work: Work, name: str) -> Clinician:
    found = work.session.execute(sa.select(Clinician).where(Clinician.employee_no == name)).scalar()
    if found is None and name.isascii() and name.isdigit() and len(name) <= 15:
        found = work.session.get(Clinician, int(name))
    if found is None:
        raise click.BadParameter(f"There is no clinician {name}.", param_hint="CLINICIAN")
    return found


def _roster(clinician: Clinician, mine: Roster) -> dict[str, Any]:
    return {
        "clinician": {
            "id": clinician.id,
            "employee_no": clinician.employee_no,
            "name": f"{clinician.given_name} {clinician.family_name}",
            "performer": clinician.performer.value,
        },
        "day": mine.day.isoformat(),
        "zone": mine.zone,
        "fingerprint": mine.fingerprint,
        "visits": [_entry(entry) for entry in mine.entries],
    }


def _entry(entry: Any) -> dict[str, Any]:
    visit, patient, zone = entry.visit, entry.patient, ZoneInfo(entry.zone)
    home = patient.home
    return {
        "visit": visit.id,
        "starts_at": _utc(visit.starts_at),
        "ends_at": _utc(visit.ends_at),
        "local_start": f"{visit.starts_at.astimezone(zone):%H:%M}",
        "local_end": f"{visit.ends_at.astimezone(zone):%H:%M}",
        "status": visit.status.value,
        "discipline": visit.discipline.value,
        "kind": visit.kind.value,
        "order_id": visit.order_id,
        "order_line": entry.order_line,
        "patient": {
            "id": patient.id,
            "name": f"{patient.given_name} {patient.family_name}",
            "address": f"{home.address}, {home.city} {home.zip}",
            "language": patient.spoken_language,
            "code_status": CODE_STATUS_WORDS[patient.code_status],
        },
        "joint": entry.joint,
        "aide_tasks": entry.aide_tasks,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _roster_page(answer: dict[str, Any]) -> str:
    who = answer["clinician"]
    lines = [f"{who['name']} ({who['performer']}, {who['employee_no']}), {answer['day']}, {answer['zone']}"]
    for entry in answer["visits"]:
        patient = entry["patient"]
        lines.append(
            f"{entry['local_start']}-{entry['local_end']}  {entry['discipline']} {entry['kind']}  {patient['name']}, "
            f"{patient['address']}  [{entry['status']}, visit {entry['visit']}]  {patient['code_status']}"
        )
    if not answer["visits"]:
        lines.append("No visits.")
    return "\n".join(lines)


__all__ = ["group", "page_of", "plan_days", "reason_lines", "roster_command"]
