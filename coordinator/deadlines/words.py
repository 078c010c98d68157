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
    "coverage-ends": Task(
        "Coverage ends on {ends_on}: find out who pays from then on; visits after it are refused.", by_hand=True
    ),
    "transfer-assessment": Task("Make the transfer assessment.", by_hand=True),
    "discharge-assessment": Task("Make the discharge assessment.", by_hand=True),
    "order-next-period": Task("A new certification period began without an order: get one, verbally or in writing."),
    "review-plan": Task("Review the plan of care with the practitioner.", by_hand=True),
    "idle-plan": Task(
        "No covered skilled visit since {last}: book an ordered one, or have the practitioner say why the interval is "
        "right.",
        by_hand=True,
    ),
    "notice-of-admission": Task("Submit the notice of admission.", by_hand=True),
    "transfer-summary": Task("Send the transfer summary to the facility.", by_hand=True),
    "discharge-summary": Task("Send the discharge summary to the practitioner.", by_hand=True),
    "close-record": Task("Complete the record of the discharged patient.", by_hand=True),
    "discharge-discipline": Task(
        "{discipline} ended on {ends_on}: summarise it, update the plan, and give the patient the new schedule.",
        by_hand=True,
    ),
    "noncoverage-notice": Task(
        "Give the patient the notice of Medicare non-coverage: the last covered day is {ends_on}.", by_hand=True
    ),
    "certify-again": Task("A certification was signed by mistake: have the period certified anew."),
    "deliver-notice": Task("Deliver the {kind} to the patient: what it tells of ends on {ends_on}."),
    "review-homebound": Task(
        "The patient goes out without taxing effort: look again at whether the patient is homebound.", by_hand=True
    ),
    "outside-order": Task(
        "A practitioner outside the plan gave an order: ask the managing physician to take it over.", by_hand=True
    ),
    "late-assessment": Task(
        "The comprehensive assessment was not complete in time: record why, as an incident.", by_hand=True
    ),
    "sign-receipt": Task("Sign the receipt of the verbal order."),
    "written-schedule": Task("Give the patient the visit schedule in writing, in their language.", by_hand=True),
    "translate-papers": Task(
        "What the patient was given in writing is not in their language: give it again in {language}."
    ),
    "review-aide-care": Task("The team reviews whether aide care goes on past sixty days.", by_hand=True),
    "reassess-therapy": Task("The therapist reassesses {discipline}."),
    "end-daily-nursing": Task(
        "A nurse has come every day since {since}: have the practitioner say when daily nursing ends, or plan a day "
        "without.",
    ),
    "sign-note": Task("Sign the note of the visit."),
    "late-note": Task("The note of the visit is not signed after seven working days: record why.", by_hand=True),
    "supervise-aide": Task("A nurse or therapist supervises the aide."),
    "observe-aide-yearly": Task("Watch aide {clinician} give care: a year has passed since the last time."),
    "observe-aide-here": Task("A nurse watches aide {clinician} give care in this home, as every six months."),
    "supervise-assistant": Task("The nurse or therapist sees to the work of the {performer} with this patient."),
    "in-service": Task(
        "Aide {clinician} lacks in-service training: twelve hours are due in the aide's year.", by_hand=True
    ),
    "observe-aide": Task("Observe the aide at work in the home: a concern was noted.", by_hand=True),
    "comprehensive-assessment": Task("Complete the comprehensive assessment."),
    "obtain-encounter": Task("Obtain a face-to-face encounter about the reason for home care."),
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
    "severe-symptom": Task("A symptom is severe: a nurse makes contact today.", by_hand=True),
    "recontact": Task("A symptom is moderate: rate it again."),
    "hospice-readiness": Task(
        "The performance level is low: review whether the patient is ready for hospice.", by_hand=True
    ),
    "performance-fell": Task("The performance level fell fast: the team discusses it.", by_hand=True),
    "take-phq-9": Task("Take the PHQ-9: the two items screened positive."),
    "safety-protocol": Task("Begin the safety protocol now, tell the practitioner, and close it with its outcome."),
    "conference-decision": Task("The team conference decided on something by this day: see its minutes.", by_hand=True),
    "answer-proposal": Task("A score proposes an as-needed visit: accept or decline it."),
    "ask-for-order": Task("A score asks for a visit and no order has one left: order it, or say why not."),
    "score-after-treatment": Task("Rate the symptom again: it was treated and has no score since."),
    "mood-follow-up": Task("The social worker makes contact, and the practitioner is told.", by_hand=True),
    "caregiver-strain": Task("The social worker makes contact with the caregiver.", by_hand=True),
    "caregiver-high-strain": Task("The team discusses the caregiver's strain."),
    "take-burden-interview": Task("Take the ZBI-12: the caregiver's check found too little."),
    "take-up-physical": Task("The body's suffering weighs much on the patient: take it up.", by_hand=True),
    "take-up-psychosocial": Task("Mind or feelings weigh much on the patient: take it up.", by_hand=True),
    "chaplain-referral": Task("The chaplain makes contact with the patient.", by_hand=True),
    "tell-of-change": Task("Tell the practitioner today of a change beyond the patient's limits.", by_hand=True),
    "take-instrument": Task("Take the {instrument}."),
    "team-conference": Task("Hold a team conference with the core roles present or represented."),
    "directives-differ": Task("Documents differ about resuscitation: ask the patient, and settle which holds."),
    "tell-of-rights": Task("Tell the patient of the right to make an advance directive."),
    "give-record": Task("Give the patient the record that was asked for."),
    "tell-of-breach": Task("Tell of the breach: {whom}."),
    "review-emergency": Task("Look at why the record was opened in an emergency."),
    "outside-area": Task(
        "The patient's home is not in the service area any more: settle whether care goes on.", by_hand=True
    ),
    "review-audit": Task(
        "Look at the audit trail of {month}: {lines} lines, {refused} refusals, {emergencies} records opened in an "
        "emergency.",
        by_hand=True,
    ),
    "check-exclusion": Task("Look for clinician {clinician} on the exclusion list {kind}."),
    "renew-credential": Task("Renew the {kind} of clinician {clinician}, which ends on {ends_on}."),
}


#: Codes as people say them, by the fact that carries them. What is in no table is said without its underscores.
SAID: dict[str, dict[str, str]] = {
    "reason": {
        "patient_refused": "the patient refused it",
        "patient_cancelled": "the patient cancelled it",
        "not_home_not_found": "nobody was at home",
        "md_appointment": "the patient had a medical appointment",
        "inpatient_er": "the patient was in hospital or the emergency room",
        "family_request": "the family asked for it",
        "unsafe_conditions": "it was not safe to go in",
        "weather_disaster": "weather or disaster",
        "staff_illness": "the clinician was ill",
        "no_staff_available": "nobody was free to go",
        "interpreter_unavailable": "there was no interpreter",
        "agency_error": "an error of the agency",
        "deceased": "the patient has died",
        "on_hold": "the episode is on hold",
        "week_closed": "it was not given in its week",
        "goal_not_measurable": "a goal cannot be measured",
        "frequency_too_high": "too many visits",
        "frequency_too_low": "too few visits",
        "wrong_discipline": "the wrong discipline",
        "treatment_not_indicated": "the treatment is not indicated",
        "not_my_patient": "not the practitioner's patient",
        "duplicate": "there is such an order already",
        "needs_discussion": "it needs to be talked about",
        "other": "another reason",
    },
    "decision": {"skip": "leave it out", "make_up": "make it up", "other": "something else, see the visit"},
    "criterion": {
        "ELG-1": "criterion ELG-1 (member)",
        "ELG-2": "criterion ELG-2 (condition, need and desire)",
        "ELG-3": "criterion ELG-3 (willing)",
        "ELG-4": "criterion ELG-4 (homebound)",
        "ELG-5": "criterion ELG-5 (service area)",
        "ELG-6": "criterion ELG-6 (safe home)",
        "ELG-7": "criterion ELG-7 (referred)",
        "ELG-8": "criterion ELG-8 (directed by a physician)",
    },
}
#: Facts that are codes even where no table has words for them.
_CODES = frozenset({*SAID, "missing", "kind"})


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def said(name: str, value: Any) -> str:
    """What the fact of that name says, in words."""
    if isinstance(value, list):
        return ", ".join(said(name, one) for one in value)
    if name == "about":
        return about(str(value))
    if name in _CODES:
        return SAID.get(name, {}).get(str(value)) or str(value).replace("_", " ")
    return str(value)


def about(subject: str) -> str:
    """What a subject names: `episode 33` for `episode:33`, and the same for what is only a part of it."""
    kind, _, number = subject.partition(":")
    return f"{kind} {number.partition(':')[0]}".strip()


def fill(text: str, facts: Mapping[str, Any]) -> str:
    """The sentence with its facts in words; what is not known is left open. A fact that begins it has a capital."""
    filled = text.format_map(_Facts({name: said(name, value) for name, value in facts.items()}))
    return filled[:1].upper() + filled[1:] if text.startswith("{") else filled


def by_hand(facts: Mapping[str, Any]) -> bool:
    """Whether a person may say that it is done."""
    task = TASKS.get(str(facts.get("task")))
    return task is not None and task.by_hand


def sentence(facts: Mapping[str, Any]) -> str:
    """What is to be done, as a sentence."""
    task = TASKS.get(str(facts.get("task")))
    return fill(task.sentence, facts) if task is not None else "See to it."
