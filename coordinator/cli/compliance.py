"""`flask patient compliance`, `flask visit cures`, `flask visit claim`: what the rules say, at a terminal."""

import json
from datetime import UTC, date, datetime
from typing import Any

import click
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.cli.common import command_work
from coordinator.compliance import claims, cures, standing
from coordinator.compliance.standing import State

NUMBER = click.IntRange(1, 2**63 - 1)


patient_group = AppGroup("patient", help="What the rules say of a patient.")
visit_group = AppGroup("visit", help="What the rules say of a visit.")


@patient_group.command("compliance")
@click.argument("number", type=NUMBER)
@click.option("--all", "everything", is_flag=True, help="Rules that do not apply, too.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def compliance(number: int, everything: bool, as_json: bool) -> None:
    """Say how patient NUMBER stands with every rule today, the most urgent first."""
    with command_work("patient-compliance", actor=installer_actor("patient-compliance")) as work:
        answer = standing.of_patient(work, number)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, default=_plain))
        return
    for family in answer["families"]:
        shown = [rule for rule in family["rules"] if everything or rule["state"] != State.NOT_APPLICABLE.value]
        if not shown:
            continue
        click.echo(family["family"])
        for rule in shown:
            due = f", by {rule['next_date']}" if rule["next_date"] else ""
            late = ", overdue" if rule["overdue"] else ""
            said = " ".join(one["sentence"] for one in rule["findings"]) or rule["why_not"] or rule["sentence"]
            click.echo(f"  {rule['rule']:8} {rule['state']}{due}{late}: {said} [{rule['citation']}]")


@visit_group.command("cures")
@click.argument("number", type=NUMBER)
@click.option("--clinician", type=NUMBER, help="Who would make it; else who has it.")
@click.option("--at", "moment", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="When, in UTC; else where it stands.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def visit_cures(number: int, clinician: int | None, moment: datetime | None, as_json: bool) -> None:
    """Say what would make visit NUMBER possible, step by step."""
    at = None if moment is None else moment.replace(tzinfo=UTC)
    with command_work("visit-cures", actor=installer_actor("visit-cures")) as work:
        answer = cures.of_visit(work, number, clinician, at)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, default=_plain))
        return
    if answer["possible"]:
        click.echo(f"Nothing refuses visit {number}.")
    for step in answer["steps"]:
        left = step["remains_after"]
        then = "not computed" if left is None else ", ".join(left) or "nothing"
        click.echo(f"{step['step']}. {step['rule']}: {step['sentence']} {step['cure']}")
        click.echo(f"   {', '.join(step['roles'])}; {'; '.join(step['doors']) or 'no door'}; then refuses: {then}")
    for one in answer["conflicts"]:
        click.echo(f"-  {one['sentence']} {'; '.join(one['doors'])}")


@visit_group.command("claim")
@click.argument("number", type=NUMBER)
def visit_claim(number: int) -> None:
    """Say whether visit NUMBER may be claimed, and if not, every reason why not."""
    with command_work("visit-claim", actor=installer_actor("visit-claim")) as work:
        answer = claims.of_visit(work, number)
    click.echo(f"Visit {number} may {'' if answer.exportable else 'not '}be claimed.")
    for reason in answer.reasons:
        click.echo(f"  {reason['rule'] or '-'}: {reason['sentence']} {reason['cure']}")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else getattr(value, "value", str(value))
