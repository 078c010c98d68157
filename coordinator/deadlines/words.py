"""What each kind of obligation asks of whom, in one table: the sentence, and whether a person may say that it is done.

A deadline keeps its `task` and facts in codes and ids; the sentence is made at the door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of obligation. `by_hand`: no event tells that it was done, so a person does."""

    sentence: str
    by_hand: bool = False


TASKS: dict[str, Task] = {
    "initial-visit": Task("Hold the initial visit."),
    "resumption-visit": Task("Hold the resumption visit: the patient is home again."),
    "confirm-discharge": Task("Ask the hospital on which day the patient goes home."),
    "complete-referral": Task("Ask the referring practitioner for what the referral lacks: {missing}."),
    "late-initial-visit": Task("The initial visit was not held in time: record why, as an incident.", by_hand=True),
    "criterion-lost": Task("{criterion} is no longer met: decide what follows. Visits stand until then.", by_hand=True),
    "criterion-review": Task("Answer {criterion} again."),
    "sign-order": Task("The practitioner signs the order."),
    "redraft-order": Task("The practitioner declined the order: call, and send a new one or withdraw its visits."),
    "renew-order": Task("The order ends on {ends_on}: renew it, or settle that care ends.", by_hand=True),
    "tell-practitioner": Task("Tell the practitioner of the missed visit ({reason}).", by_hand=True),
    "decide-missed": Task("Tell the practitioner of the missed visit ({reason}), who decides about it."),
    "welfare-check": Task("The patient was not found at home twice within a week: make a welfare check.", by_hand=True),
    "team-review": Task(
        "{missed} visits missed in {days} days, {refusals} refused: the team discusses why.", by_hand=True
    ),
    "supervise-aide": Task("A nurse or therapist supervises the aide."),
    "observe-aide": Task("Observe the aide at work in the home: a concern was noted.", by_hand=True),
    "comprehensive-assessment": Task("Complete the comprehensive assessment.", by_hand=True),
    "recertify": Task("Make the recertification assessment, from {window_from} to {window_to}.", by_hand=True),
    "authorisation-ends": Task(
        "The payer's authorisation of {discipline} visits ends on {ends_on}: ask for the next, or settle that none is "
        "needed.",
        by_hand=True,
    ),
    "authorisation-visits": Task(
        "{left} of the {maximum} {discipline} visits that the payer authorised until {ends_on} are left: ask for more, "
        "or settle that none are needed.",
        by_hand=True,
    ),
    "renew-credential": Task("Renew the {kind} of clinician {clinician}, which ends on {ends_on}."),
}


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def by_hand(facts: Mapping[str, Any]) -> bool:
    """Whether a person may say that it is done."""
    task = TASKS.get(str(facts.get("task")))
    return task is not None and task.by_hand


def sentence(facts: Mapping[str, Any]) -> str:
    """What is to be done, as a sentence."""
    task = TASKS.get(str(facts.get("task")))
    if task is None:
        return "See to it."
    plain = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in facts.items()}
    return task.sentence.format_map(_Facts(plain))
