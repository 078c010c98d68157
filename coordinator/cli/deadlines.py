"""`flask deadlines`: what is owed, and the night's sweep by hand. To waive is a person's, so it is no command."""

import json
from datetime import date
from time import perf_counter

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency import service as agency
from coordinator.cli.common import command_work
from coordinator.deadlines import remind, service
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.words import sentence
from coordinator.domain.vocabulary import DeadlineStatus

group = AppGroup("deadlines", help="Dated obligations.")


@group.command("list")
@click.option("--rule", help="Of this rule: CERT-02.")
@click.option("--owner", help="On the list of this role: intake.")
@click.option("--patient", type=click.IntRange(1, 2**53 - 1))
@click.option("--due-before", type=click.DateTime(["%Y-%m-%d"]), help="Due on an earlier day.")
@click.option("--status", type=click.Choice([one.value for one in DeadlineStatus]), default="open", show_default=True)
@click.option("--overdue", is_flag=True, help="Only what is past its day or hour.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def list_deadlines(
    rule: str | None, owner: str | None, patient: int | None, due_before: date | None, status: str, overdue: bool,
    limit: int, as_json: bool,
) -> None:  # fmt: skip
    """What is owed, earliest first. Codes and numbers, no names."""
    with command_work("deadlines", actor=installer_actor("deadlines")) as work:
        query = service.search(
            work, rule=rule, owner_role=owner, patient_id=patient, status=DeadlineStatus(status),
            due_before=None if due_before is None else date(due_before.year, due_before.month, due_before.day),
            overdue=True if overdue else None,
        )  # fmt: skip
        rows = work.session.execute(query.order_by(Deadline.due_on, Deadline.id).limit(limit)).scalars().all()
        shown = [
            {
                "id": row.id, "due_on": row.due_on.isoformat(), "rule": row.rule, "subject": row.subject,
                "owner_role": row.owner_role, "status": row.status.value, "sentence": sentence(row.facts),
            }
            for row in rows
        ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for one in shown:
        click.echo(
            f"{one['id']:>7}  {one['due_on']}  {one['rule']:<8}  {one['subject']:<24}  {one['owner_role']:<16}  "
            f"{one['sentence']}"
        )


@group.command("sweep")
@click.option("--branch", "code", required=True, help="Code of the branch.")
def sweep(code: str) -> None:
    """Do now what the night does: open, close and tell. Done twice, it changes nothing."""
    with command_work("deadlines.sweep") as work:
        branch = agency.branch_by_code(work, code)
        begun = perf_counter()
        change = remind.look_after(work, branch.id)
        left = work.session.execute(
            sa.select(sa.func.count())
            .select_from(Deadline)
            .where(Deadline.branch_id == branch.id, Deadline.status == DeadlineStatus.OPEN)
        ).scalar_one()
    click.echo(
        f"{change.opened} opened, {change.closed} closed, {change.amended} amended, {left} open; "
        f"{perf_counter() - begun:.1f} s."
    )
