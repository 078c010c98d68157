"""What a promise says: yes, yes but, or no, in a sentence, and what it rests on. Pure; no names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coordinator.travel.ways import Source, Ways

YES, YES_BUT, NO = "yes", "yes_but", "no"

#: What is taken for granted, and is asked again when it is due.
ASSUMPTIONS = (
    "The referral is accepted and the orders are signed as written here: both are asked when visits are confirmed.",
    "What stands and what is held stays where it is; visits that are wanted and not planned yet come before these.",
)


def ways_sentence(ways: Ways, home: int) -> str:
    """Whether the ways to the referral's home (its position) are by road or by estimate."""
    sources = ways.sources[:, home]
    asked = sources != Source.NONE
    estimated, total = int((asked & (sources != Source.ROAD)).sum()), int(asked.sum())
    if not estimated:
        return "The ways to the home are by road."
    if estimated == total:
        return "The ways to the home are by estimate."
    return f"{estimated} of the {total} ways to the home are by estimate, the others by road."


def conclude(result: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, str]:
    """The conclusion and its sentence, from offers, services and what stands against them."""
    offers, buts = result["offers"], list(result["but"])
    helped = result.get("with_interpreter")
    more = "" if helped is None else (
        f" With an interpreter booked: {_when(helped, zone)} by clinician {helped['clinician_id']}."
    )  # fmt: skip
    if not offers:
        why = _first(result["first_visit_reasons"])
        return NO, f"No: nobody can make the first visit in the days looked at. {why}".strip() + more
    first = offers[0]
    when = f"{_when(first, zone)} by clinician {first['clinician_id']}"
    if not first["in_time"]:
        return NO, f"No, because nobody can start by {_due(result, zone)}; earliest {when}.{more}"
    nothing = [one["discipline"] for one in result["services"] if one["wanted"] and not one["fits"]]
    if nothing:
        why = _first([reason for one in result["services"] if not one["fits"] for reason in one["reasons"]])
        return NO, f"No, because no visit of {', '.join(nothing)} fits. {why} Earliest start {when}."
    for one in result["services"]:
        if one["fits"] < one["wanted"]:
            why = _first(one["reasons"])
            buts.append(f"{one['fits']} of {one['wanted']} {one['discipline']} visits fit. {why}".strip())
    wanted = sum(one["wanted"] for one in result["services"])
    weeks = result["weeks"]
    if buts:
        return YES_BUT, f"Yes, but: {' '.join(buts)} Start {when}."
    return YES, f"Yes: start {when}; all {wanted} visits of {weeks} weeks fit."


def _when(offer: Mapping[str, Any], zone: ZoneInfo) -> str:
    begins, ends = (datetime.fromisoformat(offer[name]).astimezone(zone) for name in ("arrive_from", "arrive_to"))
    clock = f"{begins:%H:%M}" if begins == ends else f"between {begins:%H:%M} and {ends:%H:%M}"
    return f"{begins:%A} {begins.date().isoformat()}, arriving {clock},"


def _due(result: Mapping[str, Any], zone: ZoneInfo) -> str:
    if result["due_on"] is not None:
        return f"the ordered day, {result['due_on']}"
    due = datetime.fromisoformat(result["due_at"]).astimezone(zone)
    return f"{due:%A} {due.date().isoformat()} {due:%H:%M}"


def _first(reasons: Sequence[Mapping[str, Any]]) -> str:
    """The sentence of the reason that tells most: the first that is not merely another profession."""
    telling = [one for one in reasons if not one["facts"].get("other_profession")] or list(reasons)
    return str(telling[0]["sentence"]) if telling else ""
