"""`flask plan promise`: when care of a referral could start, and whether its frequencies fit for four weeks."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import flask

from coordinator.access.service import installer_actor
from coordinator.cli.common import command_work
from coordinator.core.errors import Invalid
from coordinator.domain.vocabulary import Discipline, InterpreterMode, RunStatus
from coordinator.jobs.context import JobContext, Workshop
from coordinator.planning import promise
from coordinator.planning.apart import here


@click.command("promise")
@click.argument("referral", type=click.IntRange(1, 2**53 - 1))
@click.option("--service", multiple=True, metavar="'SN 3w2 2w3'", help="Instead of what the referral asks for.")
@click.option("--interpreter", type=click.Choice([mode.value for mode in InterpreterMode]), help="Count on one.")
@click.option("--offers", type=click.IntRange(1, promise.MOST_OFFERS), default=3, show_default=True)
@click.option("--seconds", type=click.IntRange(1, promise.MOST_SECONDS), default=promise.DEFAULT_SECONDS)
@click.option("--iterations", type=click.IntRange(1, 100_000), help="Instead of seconds: the same answer each time.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@flask.cli.with_appcontext
def promise_command(
    referral: int, service: tuple[str, ...], interpreter: str | None, offers: int, seconds: int,
    iterations: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Ask about REFERRAL before it is accepted. Nothing is held and nothing is changed."""
    workshop: Workshop = flask.current_app.extensions["workshop"]
    with command_work("promise", actor=installer_actor("promise")) as work:
        try:
            row = promise.ask(
                work, referral, services=[_service(text) for text in service], offers=offers, seconds=seconds,
                interpreter=None if interpreter is None else InterpreterMode(interpreter), iterations=iterations,
                queue=False,
            )  # fmt: skip
        except Invalid as refusal:
            raise click.BadParameter(refusal.detail, param_hint="--service") from None
        number = row.id
    context = JobContext(workshop=workshop, name=promise.JOB, key=promise.job_key(number))
    promise.perform(context, number, here)
    with command_work("promise", actor=installer_actor("promise")) as work:
        row = promise.get(work, number)
        if row.status is not RunStatus.ANSWERED or row.result is None:
            raise click.ClickException(f"The promise {row.id} is {row.status.value}. {row.error or ''}".strip())
        answer = {"promise": row.id, "referral": row.referral_id} | row.result
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _page(answer))


def _service(text: str) -> dict[str, Any]:
    """`SN 3w2 2w3` as the API takes it."""
    word, _, frequency = text.strip().partition(" ")
    try:
        return {"discipline": Discipline(word.upper()), "frequency": frequency.strip() or None}
    except ValueError:
        known = ", ".join(Discipline)
        raise click.BadParameter(f"A service begins with one of {known}.", param_hint="--service") from None


def _page(answer: dict[str, Any]) -> str:
    zone = ZoneInfo(answer["zone"])
    lines = [answer["sentence"], "Start of care:"]
    for offer in answer["offers"]:
        begins, ends = (datetime.fromisoformat(offer[name]).astimezone(zone) for name in ("arrive_from", "arrive_to"))
        late = "" if offer["in_time"] else "  too late"
        lines.append(
            f"  {offer['number']}  {begins:%a} {offer['day']}  {begins:%H:%M}-{ends:%H:%M}  "
            f"clinician {offer['clinician_id']} ({offer['performer']}), {offer['way_minutes']} min away{late}"
        )
    for one in answer["services"]:
        weeks = "  ".join(f"{week['fits']}/{week['wanted']}" for week in one["weeks"])
        usual = " (usual)" if one["defaulted"] else ""
        whom = ", ".join(f"clinician {by['clinician_id']}: {by['visits']}" for by in one["by"])
        lines.append(f"{one['discipline']} {one['frequency']}{usual}: {one['fits']} of {one['wanted']}   {weeks}")
        lines += [f"  by {whom}"] if whom else []
        lines += [f"  {reason['code']}: {reason['sentence']}" for reason in one["reasons"][:5]]
    return "\n".join([*lines, *answer["but"], *answer["assumptions"]])
