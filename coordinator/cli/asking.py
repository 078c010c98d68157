"""`flask plan explain`, `why`, `relax`, `suggest`, `place`, `compare`: why not, what would help, who could, do it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from coordinator.access.service import installer_actor
from coordinator.cli.common import command_work, units
from coordinator.cli.planning import group, reason_lines
from coordinator.core.errors import Refusal
from coordinator.core.work import Work
from coordinator.planner import warm_up
from coordinator.planning import asking, comparing, offers, service

#: The numbers of rows that a database can hold.
NUMBER = click.IntRange(1, 2**63 - 1)


def _print(answer: Any, page: str, as_json: bool) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, default=_plain) if as_json else page)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return getattr(value, "value", str(value))


def _ask(command: str, ask: Callable[[Work], asking.Inquiry]) -> dict[str, Any]:
    """Read, search with nothing open, and put on record what is told."""
    warm_up()
    actor = installer_actor(command)
    with command_work(command, write=False, actor=actor) as work:
        inquiry = ask(work)
    try:
        found = inquiry.search()
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from None
    with command_work(command, actor=actor) as work:
        return asking.tell(work, found)


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
    answer = _ask("plan-suggest", lambda work: asking.suggestions(work, visit, limit))
    zone = ZoneInfo(answer["zone"])
    lines = []
    for number, one in enumerate(answer["suggestions"], 1):
        first, *more = _offer(one, zone)
        lines += [f"{number}. {first}", *(f"   {line}" for line in more)]
    _print(answer, "\n".join(lines) or f"Nobody can take visit {visit} as things are.", as_json)


@group.command("relax")
@click.argument("visit", type=NUMBER)
@click.option("--seconds", type=click.IntRange(1, asking.MOST_SECONDS_ALONE), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def relax(visit: int, seconds: int, as_json: bool) -> None:
    """Say which change would give VISIT a place: each was planned anew, none is a guess."""
    answer = _ask("plan-relax", lambda work: asking.relaxations(work, visit, seconds))
    zone = ZoneInfo(answer["zone"])
    lines = [answer["sentence"]]
    for number, one in enumerate(answer["relaxations"], 1):
        first, *more = [*_changes(one), *_offer(one, zone)]
        lines += [f"{number}. {first}", *(f"   {line}" for line in more)]
    _print(answer, "\n".join(lines), as_json)


@group.command("why")
@click.argument("visit", type=NUMBER)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def why(visit: int, as_json: bool) -> None:
    """Say why VISIT has no place as things stand now, or who would be the next best."""
    answer = _ask("plan-why", lambda work: asking.explanation(work, visit))
    zone = ZoneInfo(answer["zone"])
    if answer["placed"]:
        lines = [f"Visit {visit}: {_where(answer, zone)}."]
        other = answer["alternative"]
        if other is not None:
            other = other | {"starts_at": datetime.fromisoformat(other["starts_at"])}
            lines.append(f"Next best: {_where(other, zone)}, {_cents(other['extra_cost'])}.")
    else:
        lines = [f"Visit {visit} has no place:", *reason_lines(answer["reasons"])]
    _print(answer, "\n".join(lines), as_json)


@group.command("place")
@click.argument("visit", type=NUMBER)
@click.option("--offer", "number", type=click.IntRange(1, 500), required=True, help="Which one, counted as printed.")
@click.option(
    "--from", "source", type=click.Choice(["relax", "suggest"]), default="relax", show_default=True,
    help="The command that printed it.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, asking.MOST_SUGGESTIONS), default=5, show_default=True)
@click.option("--seconds", type=click.IntRange(1, asking.MOST_SECONDS_ALONE), default=30, show_default=True)
@click.option("--reason", default="clinician-agreed", show_default=True, help="Code: why more was agreed, if it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def place(visit: int, number: int, source: str, limit: int, seconds: int, reason: str, yes: bool) -> None:
    """Carry out an offer for VISIT, after showing what it changes. What sets a rule aside takes a person's sign-in."""
    if not offers.is_code(reason):
        raise click.BadParameter("Small letters, digits and dashes, 40 at most.", param_hint="--reason")
    if source == "relax":
        answer = _ask("plan-place", lambda work: asking.relaxations(work, visit, seconds))
        found = answer["relaxations"]
    else:
        answer = _ask("plan-place", lambda work: asking.suggestions(work, visit, limit))
        found = answer["suggestions"]
    if number > len(found):
        raise click.BadParameter(f"There are {len(found)} offers.", param_hint="--offer")
    one = found[number - 1]
    if one["steps"]["overrides"]:
        rules = ", ".join(one["steps"]["overrides"])
        raise click.ClickException(
            f"The offer sets {rules} aside. A clinical manager does that signed in, with a reason."
        )
    click.echo("\n".join([*(_changes(one) if "changes" in one else []), *_offer(one, ZoneInfo(answer["zone"]))]))
    if not yes:
        click.confirm("Do this?", abort=True)
    with command_work("plan-place", actor=installer_actor("plan-place")) as work:
        offers.carry_out(work, visit, offers.offer_of(one["steps"]), agreed_reason=reason)
    click.echo(f"Visit {visit} is booked.")


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


def _changes(one: Mapping[str, Any]) -> list[str]:
    return [change["sentence"] for change in one["changes"]] or ["Nothing has to change."]


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
    return f"cost {'+' if cents >= 0 else '-'}{units(abs(cents))}"
