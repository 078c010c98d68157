"""`flask plan explain`, `relax`, `suggest`, `compare`: why not, what would help, who could, which plan is better."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from coordinator.access.service import installer_actor
from coordinator.cli.common import command_work
from coordinator.cli.planning import group, reason_lines
from coordinator.planner import warm_up
from coordinator.planning import asking, comparing, service

#: The numbers of rows that a database can hold.
NUMBER = click.IntRange(1, 2**63 - 1)


def _print(answer: Any, page: str, as_json: bool) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, default=_plain) if as_json else page)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return getattr(value, "value", str(value))


@group.command("explain")
@click.argument("run", type=NUMBER)
@click.option("--visit", type=NUMBER, help="Only this visit.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def explain(run: int, visit: int | None, as_json: bool) -> None:
    """Say why RUN has each visit where it is, or nowhere."""
    with command_work("plan-explain", actor=installer_actor("plan-explain")) as work:
        answer = service.explanation(work, run, visit)
    lines = []
    for entry in answer:
        if entry["placed"]:
            other = entry["alternative"]
            next_best = (
                f"; next best: clinician {other['clinician_id']}, {_cents(other['extra_cost'])}" if other else ""
            )
            lines.append(
                f"Visit {entry['visit']}: clinician {entry['clinician_id']} at {_plain(entry['starts_at'])}{next_best}."
            )
        else:
            lines += [f"Visit {entry['visit']} is left out:", *reason_lines(entry["reasons"])]
    _print(answer, "\n".join(lines), as_json)


@group.command("suggest")
@click.argument("visit", type=NUMBER)
@click.option("--limit", type=click.IntRange(1, asking.MOST_SUGGESTIONS), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def suggest(visit: int, limit: int, as_json: bool) -> None:
    """Say who could take VISIT as things stand, when, at what cost, and what else would move."""
    warm_up()
    with command_work("plan-suggest", actor=installer_actor("plan-suggest")) as work:
        answer = asking.suggestions(work, visit, limit)
    zone = ZoneInfo(answer["zone"])
    lines = [line for one in answer["suggestions"] for line in _offer(one, zone)]
    _print(answer, "\n".join(lines) or f"Nobody can take visit {visit} as things are.", as_json)


@group.command("relax")
@click.argument("visit", type=NUMBER)
@click.option("--seconds", type=click.IntRange(1, asking.MOST_SECONDS), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def relax(visit: int, seconds: int, as_json: bool) -> None:
    """Say which change would give VISIT a place: each was planned anew, none is a guess."""
    warm_up()
    with command_work("plan-relax", actor=installer_actor("plan-relax")) as work:
        answer = asking.relaxations(work, visit, seconds)
    zone = ZoneInfo(answer["zone"])
    lines = [answer["sentence"]]
    for one in answer["relaxations"]:
        lines += [change["sentence"] for change in one["changes"]] or ["Nothing has to change."]
        lines += [f"  {line}" for line in _offer(one, zone)]
    _print(answer, "\n".join(lines), as_json)


@group.command("compare")
@click.argument("left", type=NUMBER)
@click.argument("right", type=NUMBER)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def compare(left: int, right: int, as_json: bool) -> None:
    """Set run RIGHT against run LEFT."""
    with command_work("plan-compare", actor=installer_actor("plan-compare")) as work:
        answer = comparing.compare_runs(work, left, right)
    zone = ZoneInfo(answer["zone"])
    lines = [f"{'':16}{'run ' + str(left):>12}{'run ' + str(right):>12}{'difference':>12}"]
    for name, difference in answer["difference"].items():
        one, other = answer["left"][name], answer["right"][name]
        lines.append(f"{name.replace('_', ' '):16}{one:>12}{other:>12}{difference:>+12}")
    for patient in answer["by_patient"]:
        for change in patient["changes"]:
            lines.append(
                f"Patient {patient['patient_id']}, visit {change['visit']}: {_where(change['left'], zone)} -> "
                f"{_where(change['right'], zone)}. {change['right_cause']['sentence']}"
            )
    _print(answer, "\n".join(lines), as_json)


def _offer(one: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """A place with its price and what it moves."""
    return [f"{_where(one, zone)}, {_cents(one['extra_cost'])}.", *_moves(one["moves"], zone)]


def _moves(moves: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[str]:
    lines = []
    for one in moves:
        way = f"{_where(one['before'], zone)} -> {_where(one['after'], zone)}"
        lines.append(f"  visit {one['visit']}: {way}. {one['cause']['sentence']}")
    return lines


def _where(place: Mapping[str, Any] | None, zone: ZoneInfo) -> str:
    if place is None:
        return "nowhere"
    return f"clinician {place['clinician_id']} on {place['starts_at'].astimezone(zone):%Y-%m-%d at %H:%M}"


def _cents(cents: int) -> str:
    return f"cost {'+' if cents >= 0 else '-'}{abs(cents) / 100:.2f}"
