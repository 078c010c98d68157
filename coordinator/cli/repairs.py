"""`flask plan repair ...`: say what happened, see what to do about it, approve or reject it."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.agency.service import zone_of
from coordinator.cli.common import command_work, units
from coordinator.core.errors import Invalid, RuleBroken
from coordinator.core.work import Work
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import RepairKind
from coordinator.planning.repairs import approval, calls, service
from coordinator.planning.repairs.model import Repair, RepairChange
from coordinator.staff.model import Clinician

ACTOR = "plan-repair"
CLOCK = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"])
#: Options that say what happened, by the name of the field.
_OPTIONS = {
    "clinician_id": "--clinician", "starts_at": "--from", "ends_at": "--until", "reason": "--reason",
    "visit_id": "VISIT", "latest_at": "--by", "minutes": "MINUTES", "patient_id": "PATIENT",
    "max_patients": "--patients", "max_visits": "--visits", "seconds": "--seconds",
}  # fmt: skip


group = AppGroup("repair", help="Repair a published plan when the day breaks. Nothing is changed before `approve`.")


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every event."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
        click.option("--seconds", type=click.IntRange(0, service.MOST_SECONDS), default=2, show_default=True),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True),
        click.option("--visits", "max_visits", type=click.IntRange(0), help="Touch at most so many other visits."),
        click.option(
            "--patients", "max_patients", type=click.IntRange(0), default=service.DEFAULT_PATIENTS, show_default=True,
            help="Touch at most so many other patients.",
        ),
        click.option("--any-patients", is_flag=True, help="Touch as many other patients as it takes."),
        click.option("--branch", "code", required=True, metavar="CODE", help="The branch's code."),
    ):  # fmt: skip
        command = option(command)
    return command


@group.command("absence")
@click.option("--clinician", required=True, metavar="WHO", help="Employee number, or a row's number.")
@click.option("--from", "start", type=CLOCK, metavar="TIME", help="Branch time; now if left out.")
@click.option("--until", "end", type=CLOCK, required=True, metavar="TIME", help="Branch time.")
@click.option("--reason", default="sick", show_default=True, metavar="CODE")
@_common
def absence(clinician: str, start: datetime | None, end: datetime, reason: str, **given: Any) -> None:
    """A clinician is away."""

    def event(work: Work, zone: ZoneInfo) -> dict[str, Any]:
        said = {"clinician_id": _clinician(work, clinician), "ends_at": _instant(end, zone), "reason": reason}
        return said | ({"starts_at": _instant(start, zone)} if start is not None else {})

    _propose(RepairKind.ABSENCE, event, **given)


@group.command("cancelled")
@click.argument("visit", type=click.IntRange(1))
@click.option("--reason", default="patient-asked", show_default=True, metavar="CODE")
@_common
def cancelled(visit: int, reason: str, **given: Any) -> None:
    """VISIT is not made where it stands."""
    _propose(RepairKind.CANCELLED, lambda _work, _zone: {"visit_id": visit, "reason": reason}, **given)


@group.command("urgent")
@click.argument("visit", type=click.IntRange(1))
@click.option("--by", "latest", type=CLOCK, required=True, metavar="TIME", help="Begins by then, branch time.")
@_common
def urgent(visit: int, latest: datetime, **given: Any) -> None:
    """VISIT cannot wait."""
    _propose(RepairKind.URGENT, lambda _work, zone: {"visit_id": visit, "latest_at": _instant(latest, zone)}, **given)


@group.command("overrun")
@click.argument("visit", type=click.IntRange(1))
@click.argument("minutes", type=click.IntRange(1, 480))
@_common
def overrun(visit: int, minutes: int, **given: Any) -> None:
    """VISIT runs MINUTES longer than planned."""
    _propose(RepairKind.OVERRUN, lambda _work, _zone: {"visit_id": visit, "minutes": minutes}, **given)


@group.command("hospital")
@click.argument("patient", type=click.IntRange(1))
@_common
def hospital(patient: int, **given: Any) -> None:
    """PATIENT (a row's number) is in hospital from now on."""
    _propose(RepairKind.HOSPITAL, lambda _work, _zone: {"patient_id": patient}, **given)


@group.command("show")
@click.argument("repair_id", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def show(repair_id: int, as_json: bool) -> None:
    """Print a repair."""
    with command_work(ACTOR, actor=installer_actor(ACTOR)) as work:
        _print(_answer(work, service.get(work, repair_id)), as_json)


@group.command("approve")
@click.argument("repair_id", type=click.IntRange(1))
@click.option("--version", type=click.IntRange(1), required=True, help="The version that `show` printed.")
@click.option("--patient", "patient_ids", type=click.IntRange(1), multiple=True, help="Only what concerns this one.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def approve(repair_id: int, version: int, patient_ids: tuple[int, ...], as_json: bool) -> None:
    """Do it: record what happened, and put the changes on the rosters.

    What is approved is the version that was read: a better one may have been found since.
    """
    with command_work(ACTOR, actor=installer_actor(ACTOR)) as work:
        try:
            done = approval.approve(work, repair_id, version, list(patient_ids) or None)
        except RuleBroken as refusal:
            said = "\n".join(f"  {finding.rule}: {finding.sentence()}" for finding in refusal.findings)
            raise click.ClickException(f"The rules do not allow it.\n{said}") from None
        _print(_answer(work, done), as_json)


@group.command("reject")
@click.argument("repair_id", type=click.IntRange(1))
def reject(repair_id: int) -> None:
    """Let it go: nothing is changed."""
    with command_work(ACTOR, actor=installer_actor(ACTOR)) as work:
        repair = service.get(work, repair_id)
        approval.reject(work, repair.id, repair.version)
    click.echo(f"Repair {repair_id}: rejected. Nothing was changed.")


# ------------------------------------------------------------------------------------ asking


def _propose(
    kind: RepairKind, event: Callable[[Work, ZoneInfo], dict[str, Any]], *, code: str, as_json: bool, seconds: int,
    max_patients: int, any_patients: bool, max_visits: int | None, seed: int,
) -> None:  # fmt: skip
    with command_work(ACTOR, write=False, actor=installer_actor(ACTOR)) as work:
        branch_id = work.session.execute(sa.select(Branch.id).where(Branch.code == code)).scalar()
        if branch_id is None:
            raise click.BadParameter(f"There is no branch {code}.", param_hint="--branch")
        try:
            prepared = service.prepare(
                work, branch_id, kind, event(work, zone_of(work, branch_id)),
                max_patients=None if any_patients else max_patients, max_visits=max_visits, seconds=seconds, seed=seed,
                first_seconds=float(seconds),
            )  # fmt: skip
        except Invalid as refusal:
            raise click.BadParameter(refusal.detail, param_hint=_option(refusal)) from None
    thought = prepared.think()  # with nothing open: nobody waits
    with command_work(ACTOR, actor=installer_actor(ACTOR)) as work:
        _print(_answer(work, service.propose(work, thought, queue=False)), as_json)


def _option(refusal: Invalid) -> str:
    """The option that a refusal's pointer is about."""
    pointer = str((refusal.extra.get("errors") or [{"pointer": "/"}])[0]["pointer"])
    return _OPTIONS.get(pointer.rsplit("/", 1)[-1], pointer)


def _instant(clock: datetime, zone: ZoneInfo) -> datetime:
    return at_wall_clock(clock.date(), clock.time(), zone)


def _clinician(work: Work, name: str) -> int:
    found = work.session.execute(sa.select(Clinician.id).where(Clinician.employee_no == name)).scalar()
    if found is not None:
        return int(found)
    if name.isascii() and name.isdigit() and len(name) <= 15:
        return int(name)
    raise click.BadParameter(f"There is no clinician {name}.", param_hint="--clinician")


# ------------------------------------------------------------------------------------ saying


def _answer(work: Work, repair: Repair) -> dict[str, Any]:
    zone = zone_of(work, repair.branch_id)
    told = calls.listed(work, repair)
    return {
        "repair": repair.id,
        "version": repair.version,
        "status": repair.status.value,
        "searching": service.is_searching(repair, work.now),
        "event": repair.event,
        "budget": {"max_patients": repair.max_patients, "max_visits": repair.max_visits},
        "counts": repair.result["counts"],
        "touched": repair.result["touched"],
        "held_slots": repair.result.get("held_slots", []),
        "cost": repair.result["cost"],
        "curve": repair.result["curve"],
        "changes": [_change(change, zone) for change in sorted(repair.changes, key=_when)],
        "calls": [_call(call, zone) for call in told],
        "remaining": [row | {"starts_at": _local(row["starts_at"], zone)} for row in approval.remaining(work, repair)],
    }


def _when(change: RepairChange) -> tuple[datetime, int]:
    """The soonest hour of a change; what was never given one comes last."""
    hours = [at for at in (change.old_starts_at, change.starts_at) if at is not None]
    return min(hours, default=datetime.max.replace(tzinfo=ZoneInfo("UTC"))), change.visit_id


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else f"{at.astimezone(zone):%a %d %b %H:%M}"


def _change(change: RepairChange, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "visit": change.visit_id, "patient": change.patient_id, "change": change.change, "what": change.what,
        "hit": change.hit, "told": change.told, "face": change.face,
        "before": [change.old_clinician_id, _local(change.old_starts_at, zone)],
        "after": [change.clinician_id, _local(change.starts_at, zone)],
        "cause": change.cause, "reasons": change.reasons, "approved": change.approved,
    }  # fmt: skip


def _call(call: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    messages = [
        {
            "kind": message["kind"],
            "visit": message["visit"],
            "before": _place(message["before"], zone),
            "after": _place(message["after"], zone),
        }
        for message in call["messages"]
    ]
    return call | {"soonest": _local(call["soonest"], zone), "messages": messages}


def _place(place: dict[str, Any] | None, zone: ZoneInfo) -> list[Any] | None:
    return None if place is None else [place["clinician_id"], _local(place["starts_at"], zone)]


def _print(answer: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else page_of(answer))


def page_of(answer: dict[str, Any]) -> str:
    """A repair as people read it."""
    touched, cost, budget = answer["touched"], answer["cost"], answer["budget"]
    counts = ", ".join(f"{word} {number}" for word, number in answer["counts"].items() if number) or "nothing"
    lines = [
        (
            f"Repair {answer['repair']} ({answer['event']['kind']}), version {answer['version']}: {answer['status']}"
            f"{', a worker looks for a better one' if answer['searching'] else ''}."
        ),
        f"Visits: {counts}. Hit by the event: {touched['hit_visits']} visits of {touched['hit_patients']} patients.",
        (
            f"Others touched: {touched['patients']} patients (at most {_limit(budget['max_patients'])}), "
            f"{touched['visits']} visits (at most {_limit(budget['max_visits'])})."
        ),
        f"Cost of the change {units(cost['total'])}, travel {cost['travel_minutes']:+d} min.",
    ]
    for change in answer["changes"]:
        mark = "" if change["hit"] else " (makes room)"
        told = ", told" if change["told"] else ""
        before, after = _at(change["before"]), _at(change["after"])
        lines.append(f"Visit {change['visit']}{told}: {change['change']}{mark}, {before} -> {after}")
        lines.append(f"  why: {change['cause'].get('sentence', '')}")
        lines += [f"  not: {reason['code']}: {reason['sentence']}" for reason in change["reasons"]]
    lines += [f"{slot['sentence']} (hold {slot['hold']})" for slot in answer["held_slots"]]
    for row in answer["remaining"]:
        lines.append(f"Visit {row['visit']} is still with clinician {row['clinician_id']}, {row['starts_at']}.")
    if answer["remaining"]:
        lines.append("Ask again with the same event for these.")
    if answer["calls"]:
        lines.append("Call in this order:")
    for call in answer["calls"]:
        whom = f"patient {call['patient_id']} ({call['language']})" if call["whom"] == "patient" else (
            f"clinician {call['clinician_id']}"
        )  # fmt: skip
        kinds = ", ".join(f"{message['kind']} (visit {message['visit']})" for message in call["messages"])
        lines.append(f"  {call['order']}. {whom}: {kinds}")
    lines.append("What one more patient buys:")
    for point in answer["curve"]:
        lines.append(
            f"  at most {_limit(point['max_patients'])}: cost {units(point['cost'])}, without a place {point['open']}, "
            f"touched {point['patients']} patients, {point['visits']} visits"
        )
    return "\n".join(lines)


def _limit(number: int | None) -> str:
    return "any number" if number is None else str(number)


def _at(place: list[Any]) -> str:
    return "nowhere" if place[0] is None else f"clinician {place[0]} {place[1]}"
