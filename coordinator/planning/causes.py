"""Why a visit is where the plan puts it, in a sentence; and the planner's reasons in words for people."""

from typing import Any

from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Current, Reason
from coordinator.planner.reasons import SENTENCES
from coordinator.planning.bridge import Bridge

#: Facts of the planner's reasons that are minutes of the run, by code: they are said as wall-clock time.
_TIMES: dict[str, tuple[str, ...]] = {
    "outside-shift": ("shift_start", "shift_end", "earliest", "latest", "fact", "limit"),
    "shift-full": ("fact", "limit"),
    "window-missed": ("earliest", "latest"),
    "patient-busy": ("fact", "limit"),
}


def say(bridge: Bridge, reason: Reason) -> tuple[str, str, dict[str, Any]]:
    """Code, sentence and facts of a reason: ours hold their sentence, the planner's are put into words here."""
    facts: dict[str, Any] = dict(reason.facts())
    given = facts.pop("sentence", None)
    if given is not None:
        return reason.code, str(given), facts
    for name in _TIMES.get(reason.code, ()):
        if name in facts:
            facts[name] = (
                f"{bridge.scene.horizon.instant(int(facts[name])).astimezone(bridge.scene.horizon.zone):%H:%M}"
            )
    if reason.code == "partner":
        facts["partner"] = bridge.visits[int(facts["partner"])].id
    template = SENTENCES.get(reason.code)
    return reason.code, reason.code if template is None else template.format(**facts), facts


def cause_of(bridge: Bridge, plan: Plan, at: Assignment) -> dict[str, Any]:
    """Why the visit is here: it is wanted, it stays, or what drove it from where it was."""
    wanted = bridge.problem.visits[at.visit]
    now = wanted.current
    if now is None:
        return _wanted(bridge, at)
    if (now.clinician, now.day, now.start_minute) == (at.clinician, at.day, at.start_minute):
        return {"code": "kept", "sentence": "It stays where it is."}
    reason = wanted.forbidden.get(now.clinician) or wanted.forbidden_days.get((now.clinician, now.day))
    inside = any(w.earliest_start <= now.start_minute <= w.latest_start for w in wanted.windows.get(now.day, ()))
    if reason is None and not inside:
        reason = wanted.closed_days.get(now.day)
        if reason is None:
            return {"code": "patient-not-free", "sentence": "The patient is not free at the time it had."}
    if reason is not None:
        code, sentence, _ = say(bridge, reason)
        return {"code": code, "sentence": sentence}
    return _driven_away(bridge, plan, at, now, wanted.minutes)


def _wanted(bridge: Bridge, at: Assignment) -> dict[str, Any]:
    visit = bridge.visits[at.visit]
    if visit.order_id is not None:
        sentence = f"Order {visit.order_id} asks for it between {visit.window_from} and {visit.window_to}."
        return {"code": "ordered", "sentence": sentence}
    return {
        "code": "wanted",
        "sentence": f"The {visit.kind.value} visit is wanted between {visit.window_from} and {visit.window_to}.",
    }


def _driven_away(bridge: Bridge, plan: Plan, at: Assignment, now: Current, minutes: int) -> dict[str, Any]:
    """The clinician does not work then, or the time went to another visit, or the day is better driven otherwise."""
    shift = next((s for s in bridge.problem.slots if (s.clinician, s.day) == (now.clinician, now.day)), None)
    end = now.start_minute + minutes
    away = shift is None or not shift.shift_start <= now.start_minute <= end <= shift.shift_end
    if shift is not None:
        away = away or any(off.start_minute < end and now.start_minute < off.end_minute for off in shift.unavailable)
    if away:
        return {"code": "clinician-away", "sentence": "The clinician does not work at the time it had."}
    for other in plan.route(now.clinician, now.day):
        finish = other.start_minute + bridge.problem.visits[other.visit].minutes
        if other.visit != at.visit and other.start_minute < end and now.start_minute < finish:
            number = bridge.visits[other.visit].id
            if number < 0:
                return {"code": "makes-room", "sentence": "Its time is held for a referral."}
            return {"code": "makes-room", "sentence": f"Its time is given to visit {number}.", "visit": number}
    return {"code": "better-day", "sentence": "The plan as a whole is better with the visit here."}
