"""What `relax` and `suggest` found, in rows and in words: no names, wall clock of the branch."""

from typing import Any

from coordinator.planner.easing import Easing
from coordinator.planner.moves import Move
from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.relax import Relaxation, Relaxations
from coordinator.planner.suggest import Suggestion
from coordinator.planning.causes import say
from coordinator.planning.live import Question

#: Each change by the permission that making it takes, besides booking the visit.
PERMISSIONS = {
    "unlock": "visit:assign",
    "clinician": "visit:override",
    "day": "visit:override",
    "day-hours": "visit:override",
    "week-hours": "visit:override",
}
#: Changes by which somebody is asked for more than the agency's limit: no rule, and so put on record when it is done.
AGREED = ("shift-end", "day-hours", "week-hours", "max-visits")


def suggestion(asked: Question, found: Suggestion) -> dict[str, Any]:
    """One place for the visit: who, when, what it costs, what else moves, and the steps that make it so."""
    return _place(asked, found.assignment) | {
        "extra_cost": found.extra_cost,
        "parts": [{"name": name, "extra_cost": cents} for name, cents in found.parts],
        "moves": [move(asked, one) for one in found.moves],
        "steps": steps(asked, found.plan, ()),
    }


def relaxations(asked: Question, found: Relaxations) -> dict[str, Any]:
    """Everything that would place the visit, or that nothing tried does."""
    offers = [one for one in (found.as_it_is, *found.singles, *found.pairs) if one is not None]
    if found.none and found.complete:
        said = f"Nothing helps: {found.tried} single changes and {found.pairs_tried} pairs were tried."
    elif found.none:
        pairs = f" and {found.pairs_tried} of {found.pairs_possible} pairs" if found.pairs_possible else ""
        said = f"Nothing was found so far: {found.tried} of {found.possible} single changes{pairs} were tried."
    elif found.as_it_is is not None:
        said = "It can be placed without changing anything" + (
            ", for more than leaving it out is said to cost." if found.as_it_is.extra_cost > 0 else "."
        )
    else:
        said = "One change is enough." if found.singles else "No single change works; two together do."
    return {
        "visit": asked.visit.id,
        "sentence": said,
        "relaxations": [relaxation(asked, one) for one in offers],
        "tried": found.tried,
        "possible": found.possible,
        "pairs_tried": found.pairs_tried,
        "pairs_possible": found.pairs_possible,
        "complete": found.complete,
    }


def relaxation(asked: Question, found: Relaxation) -> dict[str, Any]:
    """One offer: what changes, from which limit to which, who may do it, and the steps that make it so."""
    return _place(asked, found.assignment) | {
        "changes": [change(asked, easing) for easing in found.easings],
        "extra_cost": found.extra_cost,
        "parts": [{"name": name, "extra_cost": cents} for name, cents in found.parts],
        "moves": [move(asked, one) for one in found.moves],
        "steps": steps(asked, found.plan, found.easings),
    }


def change(asked: Question, easing: Easing) -> dict[str, Any]:
    """One change of a rule, a person or a day, in words, with its limits."""
    scene = asked.bridge.scene
    person = None if easing.clinician is None else scene.clinicians[easing.clinician].id
    day = None if easing.day is None else scene.horizon.days[easing.day].isoformat()
    limit: Any = easing.limit
    new_limit: Any = easing.new_limit
    if easing.kind in ("window-earlier", "window-later", "shift-end", "day"):
        limit, new_limit = _clock(asked, easing.limit), _clock(asked, easing.new_limit)
    rule = _rule_of(asked, easing)
    about = None if easing.visit is None else asked.bridge.visits[easing.visit].id
    sentences = {
        "window-earlier": f"Start up to {easing.amount} minutes earlier on {day}, from {new_limit} and not {limit}.",
        "window-later": f"Start up to {easing.amount} minutes later on {day}, until {new_limit} and not {limit}.",
        "day": f"Make it on {day}, which is kept free.",
        "unlock": f"Unlock visit {about}.",
        "clinician": f"Let clinician {person} make it" + ("." if day is None else f" on {day}."),
        "shift-end": f"Ask clinician {person} to work {easing.amount} minutes longer on {day}, to {new_limit}.",
        "day-hours": f"Let clinician {person} work {easing.amount} minutes more on {day}, {new_limit} in all.",
        "week-hours": f"Let clinician {person} work {easing.amount} minutes more in the week, {new_limit} in all.",
        "max-visits": f"Ask clinician {person} to make {new_limit} visits on {day} instead of {limit}.",
    }
    return {
        "kind": easing.kind,
        "sentence": sentences[easing.kind],
        "visit": about,
        "clinician_id": person,
        "day": day,
        "limit": limit,
        "new_limit": new_limit,
        "amount": easing.amount,
        "overrides": rule,
        "permission": "visit:override" if rule else PERMISSIONS.get(easing.kind, "visit:confirm"),
    }


def move(asked: Question, found: Move) -> dict[str, Any]:
    """Another visit that would not stay where it is, and why."""
    row = asked.bridge.visits[found.change.visit]
    facts = dict(found.cause.facts())
    if "visit" in facts:
        facts["visit"] = asked.bridge.visits[int(facts["visit"])].id
    code, sentence, _ = say(asked.bridge, type(found.cause).of(found.cause.code, **facts))
    return {
        "visit": row.id,
        "patient_id": row.patient_id,
        "what": list(found.change.kinds),
        "before": None if found.change.before is None else _place(asked, found.change.before),
        "after": None if found.change.after is None else _place(asked, found.change.after),
        "told": found.change.told,
        "cause": {"code": code, "sentence": sentence},
    }


def steps(asked: Question, plan: Plan, easings: tuple[Easing, ...]) -> dict[str, Any]:
    """What has to be done, with the version that each row was read in: unlock these, put those here."""
    bridge, old = asked.bridge, asked.plan.by_visit()
    changed = [at for at in plan.assignments if old.get(at.visit) != at]
    unlocked = [easing.visit for easing in easings if easing.kind == "unlock" and easing.visit is not None]
    return {
        "unlock": [{"visit": bridge.visits[n].id, "version": bridge.visits[n].version} for n in unlocked],
        "place": [
            {"visit": bridge.visits[at.visit].id, "version": bridge.visits[at.visit].version} | _place(asked, at)
            for at in changed
        ],
        "overrides": sorted({rule for easing in easings if (rule := _rule_of(asked, easing))}),
        "agreed": [
            {
                "kind": easing.kind,
                "clinician_id": bridge.scene.clinicians[easing.clinician].id,
                "day": None if easing.day is None else bridge.scene.horizon.days[easing.day],
                "amount": easing.amount,
            }
            for easing in easings
            if easing.kind in AGREED and easing.clinician is not None
        ],
    }


def _rule_of(asked: Question, easing: Easing) -> str | None:
    """The rule that has to be set aside for a change; None where it takes no rule."""
    if easing.kind in ("window-earlier", "window-later"):
        return "CUL-01"
    if easing.kind not in ("clinician", "day") or easing.visit is None:
        return None
    wanted = asked.problem.visits[easing.visit]
    if easing.kind == "day":
        reason = wanted.closed_days.get(easing.day or 0)
    elif easing.day is None:
        reason = wanted.forbidden.get(easing.clinician or 0)
    else:
        reason = wanted.forbidden_days.get((easing.clinician or 0, easing.day))
    return None if reason is None else str(reason.facts().get("rule", "")) or None


def _place(asked: Question, at: Assignment) -> dict[str, Any]:
    wanted, horizon = asked.problem.visits[at.visit], asked.bridge.scene.horizon
    minutes = wanted.minutes_by_clinician.get(at.clinician, wanted.minutes)
    return {
        "clinician_id": asked.bridge.scene.clinicians[at.clinician].id,
        "starts_at": horizon.instant(at.start_minute),
        "ends_at": horizon.instant(at.start_minute + minutes),
    }


def _clock(asked: Question, minute: int) -> str:
    horizon = asked.bridge.scene.horizon
    return f"{horizon.instant(minute).astimezone(horizon.zone):%H:%M}"
