"""`flask rules list`, `show` and `document`: the rules that the product asks."""

import json
from datetime import date

import click
from flask.cli import AppGroup

from coordinator.cli.common import door
from coordinator.rules.catalogue import RULES, in_order
from coordinator.web.rules_words import MARKS, VERIFY, document, entry

group = AppGroup("rules", help="The rules that the product asks.")


@group.command("list")
@click.option("--family", help="Only this family.")
@click.option("--unverified", is_flag=True, help="Only those to be verified before go-live.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def list_command(family: str | None, unverified: bool, as_json: bool) -> None:
    """List every rule, one a line."""
    policy = door().policy
    found = [
        entry(known, policy)
        for known in in_order()
        if family in (None, known.family) and (known.verify_before_go_live or not unverified)
    ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=date.isoformat))
        return
    for one in found:
        note = f"  ({VERIFY})" if one["verify_before_go_live"] else ""
        click.echo(f"{one['id']:8} {one['severity']:9} {one['sentence']}{note}")


@group.command("show")
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def show_command(rule: str, as_json: bool) -> None:
    """Show RULE with its source, its numbers and when it is asked."""
    known = RULES.get(rule.upper())
    if known is None:
        raise click.BadParameter(f"There is no rule {rule}; `flask rules list` names them.", param_hint="RULE")
    one = entry(known, door().policy)
    if as_json:
        click.echo(json.dumps(one, ensure_ascii=False, default=date.isoformat))
        return
    lines = [
        f"{one['id']} ({one['family']}, {one['severity']})",
        one["sentence"],
        one["sentence_zh"],
        f"Source: {one['citation']} ({MARKS[known.verification]})",
        f"Asked on: {', '.join(one['asked_on'])}",
        *(
            f"{setting['key']} = {setting['value']}  ({setting['source']}; since {setting['effective_from']})"
            for setting in one["settings"]
        ),
    ]
    click.echo("\n".join(lines))


@group.command("document")
def document_command() -> None:
    """Print docs/rules.md."""
    click.echo(document(door().policy), nl=False)
