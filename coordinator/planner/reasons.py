"""The planner's own reasons: each code with the facts it comes with and a sentence in English.

Every reason has `fact` (what was found) and `limit` (what would have been allowed); times are minutes of the horizon.
Reasons that were given with the problem (skill, credential, exclusion, ...) pass through and are not listed here.
"""

from __future__ import annotations

from coordinator.planner.problem import Reason

SENTENCES: dict[str, str] = {
    "no-shift": "Does not work on that day.",
    "no-window": "The visit has no allowed time on that day.",
    "outside-shift": "No allowed start fits between {shift_start} and {shift_end}: windows {earliest} to {latest}.",
    "too-far": "Even alone on that day the way there and back does not fit; {fact} minutes of driving.",
    "patient-busy": "The patient is busy whenever the visit could be made; until {fact}.",
    "spacing": "Only {fact} days from another visit of the order; at least {limit} are needed.",
    "pattern": "With the order's {fact} other visits where they are, none of its {limit} patterns has it that day.",
    "day-limit": "Would be visit {fact} to the patient that day; the limit is {limit}.",
    "cap": "Needs {fact} minutes; the cap leaves {limit}.",
    "max-visits": "The clinician has {fact} visits that day already; the limit is {limit}.",
    "locked": "What is locked on that day leaves no room.",
    "locked-elsewhere": "The visit is locked to another clinician or day.",
    "day-max": "Would work {fact} minutes that day; the limit is {limit}.",
    "week-max": "Would work {fact} minutes that week, as its days are timed; the limit is {limit}.",
    "shift-full": "Would be back at {fact}; the shift ends at {limit}.",
    "break": "No room for the break or time off as well.",
    "travel": "The driving between the other visits leaves no room.",
    "window-missed": "The other visits leave no start between {earliest} and {latest}.",
    "partner": "The linked visit {partner} finds no place to match.",
    "cost": "Would fit, but costs {fact} cents more; leaving it out costs {limit}.",
    "possible": "Would fit as the plan is, for {fact} cents more; leaving it out costs {limit}.",
    # Why a visit moves when another is placed.
    "makes-room": "Makes room for visit {visit}.",
    "moves-on": "Moves on so that all fit.",
    "goes-along": "Goes along with visit {visit}.",
    "later": "Starts {fact} minutes later: the day is timed anew.",
    "earlier": "Starts {fact} minutes earlier: the day is timed anew.",
}


def reason(code: str, fact: int = 0, limit: int = 0, **more: int) -> Reason:
    """One of the planner's own reasons. Raises KeyError for a code that is not in `SENTENCES`."""
    if code not in SENTENCES:
        raise KeyError(code)
    return Reason.of(code, fact=fact, limit=limit, **more)


def sentence(given: Reason) -> str:
    """The reason in English; a reason that came with the problem is its code."""
    template = SENTENCES.get(given.code)
    return given.code if template is None else template.format(**given.facts())
