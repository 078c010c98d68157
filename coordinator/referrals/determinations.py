"""Answering a programme's criteria, one at a time; an answer is never changed, only followed by another (ELG-00)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from coordinator.agency import service as agency
from coordinator.core.db import fetch, touch
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CriterionDetermined
from coordinator.domain.vocabulary import Criterion, Determination, Payer, ReferralStatus
from coordinator.patients import service as patients
from coordinator.referrals.eligibility import Suggestion, answer_of, criteria_of, in_force, suggest
from coordinator.referrals.evidence import NEEDS_FACTS, certifier, computed
from coordinator.referrals.model import CriterionDetermination, Referral
from coordinator.referrals.queries import get, visible
from coordinator.referrals.states import IN_CARE, OPEN, episode_of, move
from coordinator.rules.certification import ask_certifier
from coordinator.rules.eligibility import EligibilityAnswer
from coordinator.rules.facts import CertifierFacts
from coordinator.rules.terms import found
from coordinator.staff.model import Physician


@permitted("eligibility:determine")
def determine(
    work: Work,
    referral_id: int,
    criterion: Criterion,
    result: Determination | None,
    evidence: str,
    facts: Mapping[str, Any] | None = None,
    effective_from: date | None = None,
    review_on: date | None = None,
) -> CriterionDetermination:
    """One more answer to a criterion, by whoever acts, now; it holds from today or an earlier day on (ELG-00).

    Where facts are given the result follows from them, and one that contradicts them is refused. After acceptance the
    episode carries the new answer to everything.
    """
    if work.actor.user_id is None:
        raise Invalid("A determination has a person's name to it.", pointer="/determined_by")
    referral = visible(work, referral_id, lock=True)
    if referral.status not in OPEN and referral.status not in IN_CARE:
        raise Conflict("This referral is closed.", code="referral-closed", status_now=referral.status.value)
    criterion = Criterion(criterion)
    if criterion not in criteria_of(referral, work.policy):
        raise Invalid(f"{referral.programme.value} does not ask for {criterion.value}.", pointer="/criterion")
    today = agency.today(work, referral.branch_id)
    holds_from = effective_from or today
    if holds_from > today:
        raise Invalid("An answer holds from today or earlier; record a later one when it comes.",
                      pointer="/effective_from")  # fmt: skip
    if review_on is not None and review_on < holds_from:
        raise Invalid("The review comes after the answer.", pointer="/review_on")
    if not evidence.strip():
        raise Invalid("Say what the answer rests on.", pointer="/evidence")
    answer = _answer(work, referral, criterion, result, facts or {})
    before = in_force(referral).get(criterion)
    row = CriterionDetermination(
        criterion=criterion,
        result=answer,
        facts=dict(facts or {}),
        evidence=evidence,
        determined_by_id=work.actor.user_id,
        determined_at=work.now,
        effective_from=holds_from,
        review_on=review_on,
    )
    referral.determinations.append(row)
    if referral.status is ReferralStatus.RECEIVED:
        move(referral, ReferralStatus.SCREENING)
    touch(referral)  # whoever accepts or declines by version must have seen this answer
    work.session.flush()  # the answer's number is in the audit line, and the newest is found by it
    work.record(
        "eligibility.determined", f"referral:{referral.id}", patient_id=referral.patient_id,
        criterion=criterion.value, result=answer.value, determination=row.id,
    )  # fmt: skip
    _carry(work, referral)
    old = before.result if before is not None else Determination.UNKNOWN
    work.publish(CriterionDetermined(referral.id, criterion.value, old.value, answer.value))
    return row


def _answer(
    work: Work, referral: Referral, criterion: Criterion, result: Determination | None, facts: Mapping[str, Any]
) -> Determination:
    implied = computed(criterion, facts, referral.programme, work.policy)
    if result is None:
        if implied is None:
            raise Invalid("Say the result, or the facts from which it follows.", pointer="/result")
        result = implied
    result = Determination(result)
    if implied is not None and implied is not result:
        contradiction = found(
            criterion.value,
            "The facts answer {implied}, not {result}.",
            cure="Correct the facts, or record the result that follows from them.",
            implied=implied.value,
            result=result.value,
        )
        raise RuleBroken([contradiction], code="determination-contradicts-facts")
    if implied is None and result is Determination.MET and criterion in NEEDS_FACTS:
        bare = found(
            criterion.value,
            "{criterion} is met only part by part, each told in words.",
            cure="Record the facts of {criterion}: bare check boxes are no evidence.",
            criterion=criterion.value,
        )
        raise RuleBroken([bare], code="determination-without-facts")
    certified_by = certifier(facts) if criterion is Criterion.HOMEBOUND else None
    if certified_by is not None and facts.get("certified"):
        _require_certifier(work, referral, certified_by)
    return result


def _require_certifier(work: Work, referral: Referral, physician_id: int) -> None:
    try:
        physician = fetch(work.session, Physician, physician_id, "practitioner")
    except NotFound as missing:
        raise Invalid(missing.detail, pointer="/facts/certified_by") from None
    asked = CertifierFacts(
        programme=referral.programme,
        payer=referral.payer or Payer.OTHER,
        practitioner_type=physician.practitioner_type,
        npi=physician.npi,
        certified_on=agency.today(work, referral.branch_id),
    )
    finding = ask_certifier(asked, work.policy)
    if finding is not None:
        raise RuleBroken([finding], code="certifier-not-accepted")


def _carry(work: Work, referral: Referral) -> None:
    """The episode, if there is one, carries the answer to all criteria together."""
    episode = episode_of(work, referral)
    answer = answer_of(referral, work.policy).status
    if episode is not None and episode.discharged_on is None and episode.eligibility != answer.value:
        patients.record_eligibility(work, episode.id, answer)


@permitted("referral:read")
def eligibility(work: Work, referral_id: int) -> EligibilityAnswer:
    """Everything together: eligible, not, or pending, and which criteria stand in the way (ELG-00)."""
    return answer_of(get(work, referral_id), work.policy)


@permitted("referral:read")
def suggest_determinations(work: Work, referral_id: int) -> tuple[Suggestion, ...]:
    """What the records at hand answer by themselves; a person records it."""
    return suggest(work, get(work, referral_id))
