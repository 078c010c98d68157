"""What may be done with an order: draft, take by word of mouth, send, make live, end. Signing is in `signing`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from coordinator.access import overrides
from coordinator.access.model import Override
from coordinator.agency import service as agency
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import OrderActivated, OrderSent
from coordinator.domain.lifecycle import LIVE_ORDER, ORDER, may_become
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, OrderStatus, Role
from coordinator.orders import weeks
from coordinator.orders.drafting import fill
from coordinator.orders.endings import (
    become,
    cut_off,
    discontinue,
    end_for_discharge,
    expire,
    expire_due,
    require_step,
    void,
    wrong_state,
)
from coordinator.orders.facts import activation_facts, order_facts, verbal_receipt
from coordinator.orders.model import CarePlan, Order
from coordinator.orders.queries import (
    branch_of,
    get,
    last_day,
    live_orders,
    open_episode,
    plan_of_episode,
    search,
    today_of,
    visible_order,
    week_on,
    weeks_of,
)
from coordinator.orders.weeks import count_whole_week
from coordinator.patients.model import Episode
from coordinator.patients.scope import require_sight
from coordinator.rules.facts import VerbalReceipt
from coordinator.rules.orders import ask_activation, ask_edit, countersignature_due, superseded_last_day
from coordinator.rules.terms import Finding, Severity
from coordinator.staff.model import Clinician

__all__ = [
    "count_whole_week",
    "discontinue",
    "draft",
    "edit_draft",
    "end_for_discharge",
    "expire",
    "expire_due",
    "findings_about",
    "get",
    "go_live",
    "last_day",
    "live_orders",
    "order_facts",
    "recall",
    "search",
    "send",
    "set_aside",
    "set_aside_so_far",
    "settled",
    "sign_receipt",
    "take_verbal",
    "void",
    "wait_for_plan",
    "warnings_of",
    "week_on",
    "weeks_of",
]


# ------------------------------------------------------------------------------------ drafting


@permitted("order:draft")
def draft(
    work: Work,
    *,
    patient_id: int,
    discipline: Discipline,
    physician_id: int,
    effective_from: date,
    frequency_text: str | None = None,
    evaluate_and_treat: bool = False,
    effective_to: date | None = None,
    treatments: Any = (),
    required_skills: Any = (),
    goals_text: str | None = None,
    visit_minutes: int | None = None,
    visits_per_day: int = 1,
    two_person: bool = False,
    taper_plan: str | None = None,
    daily_nursing_ends_on: date | None = None,
    daily_insulin: bool = False,
    replaces_id: int | None = None,
    demo: bool = False,
) -> Order:
    """A draft under the patient's open episode and its plan. As-needed visits are read from the notation (FRQ-05).

    Without `effective_to` it runs to the end of the certification period, or for sixty days before start of care.
    """
    require_sight(work, patient_id)
    episode = open_episode(work, patient_id)
    plan = plan_of_episode(work, episode.id)
    if plan is None:
        raise Conflict("The episode has no care plan yet. Open one first.", code="no-care-plan")
    order = Order(
        patient_id=patient_id,
        episode_id=episode.id,
        care_plan_id=plan.id,
        discipline=Discipline(discipline),
        status=OrderStatus.DRAFT,
        drafted_by_id=work.actor.user_id,
        demo=demo,
        prn_limit=0,
        visits_per_day=1,
    )
    given = {
        "frequency_text": frequency_text,
        "evaluate_and_treat": evaluate_and_treat,
        "effective_from": effective_from,
        "effective_to": effective_to,
        "physician_id": physician_id,
        "treatments": treatments,
        "required_skills": required_skills,
        "goals_text": goals_text,
        "visit_minutes": visit_minutes,
        "visits_per_day": visits_per_day,
        "two_person": two_person,
        "taper_plan": taper_plan,
        "daily_nursing_ends_on": daily_nursing_ends_on,
        "daily_insulin": daily_insulin,
        "replaces_id": replaces_id,
    }
    fill(work, order, episode, given)
    _check_replaced(work, order)
    work.session.add(order)
    work.session.flush()  # the order's number is in the audit line
    work.record("order.drafted", f"order:{order.id}", patient_id=patient_id, discipline=order.discipline.value)
    return order


@permitted("order:draft")
def edit_draft(work: Work, order_id: int, *, version: int, **changes: Any) -> Order:
    """The draft says what is given. What somebody put a name to is not edited: a correction is a new order (ORD-08)."""
    order = visible_order(work, order_id, lock=True)
    if order.signed_at is not None:
        raise Conflict(
            "The text was signed and stays as it is. Write a new order that supersedes this one.",
            code="signed-text-immutable",
        )
    refused = ask_edit(order.status)
    if refused is not None:
        raise RuleBroken([refused])
    if order.version != version:
        raise StaleVersion("The order was changed since you read it. Read it again and repeat your change.")
    fill(work, order, fetch(work.session, Episode, order.episode_id, "episode"), changes)
    _check_replaced(work, order)
    work.session.flush()  # the new version is in the answer
    work.record("order.edited", f"order:{order.id}", patient_id=order.patient_id, fields=sorted(changes))
    return order


def _check_replaced(work: Work, order: Order) -> None:
    if order.replaces_id is None:
        return
    other = work.session.get(Order, order.replaces_id)
    same = other is not None and (other.patient_id, other.discipline) == (order.patient_id, order.discipline)
    if not same or order.replaces_id == order.id:
        raise Invalid("An order replaces one of the same patient and discipline.", pointer="/replaces_id")


# ------------------------------------------------------------------------------------ asking the rules


def findings_about(work: Work, order: Order, *, verbal: VerbalReceipt | None = None) -> tuple[Finding, ...]:
    """Asked by other rooms and by the verbs here: every finding about making the order live now (ORD-02 to ORD-07)."""
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    _, overlapping = weeks.in_the_way(work, order)
    facts = activation_facts(
        work,
        order,
        episode,
        overlapping=overlapping,
        daily=weeks.lay_out(work, order, episode).weeks,
        verbal=verbal,
    )
    return ask_activation(facts, work.policy)


def warnings_of(work: Work, order: Order) -> list[dict[str, object]]:
    """Asked by other rooms and the door: what is odd about an order not yet live, and what would keep it from that."""
    if order.status in LIVE_ORDER or not may_become(ORDER, order.status, OrderStatus.VOID):
        return []
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    superseded, _ = weeks.in_the_way(work, order)
    odd = weeks.lay_out(work, order, episode).warnings
    midweek = weeks.midweek_warning(work, order, superseded, episode)
    signed = work.now if order.verbal_received_at else None
    said: list[dict[str, object]] = [
        {"code": warning.code, "severity": "WARN", "sentence": warning.sentence(), "cure": ""} for warning in odd
    ]
    for finding in (*midweek, *findings_about(work, order, verbal=verbal_receipt(work, order, signed_at=signed))):
        said.append(
            {
                "code": finding.rule,
                "severity": finding.severity.value,
                "sentence": finding.sentence(),
                "cure": finding.cure_sentence(),
            }
        )
    return said


def _require(work: Work, order: Order, *, verbal: VerbalReceipt | None = None) -> None:
    """Refuse with every finding, unless all that refuses was set aside for these facts."""
    settled(work, order, findings_about(work, order, verbal=verbal))


def settled(work: Work, order: Order, findings: Sequence[Finding], override: Mapping[str, str] | None = None) -> None:
    """Nothing that was found refuses the order, or somebody sets it aside now (BLOCK-OVR). Asked by other rooms and the
    verbs here, which name the permission themselves.
    """
    about = overrides.About(order.patient_id, order_id=order.id)
    overrides.settle(work, about, findings, override, lambda found: _refusal(work, found))


def _refusal(work: Work, findings: Sequence[Finding]) -> RuleBroken:
    hard = any(finding.severity is Severity.BLOCK for finding in findings)
    rules = [finding.rule for finding in findings if finding.refuses]
    who: dict[str, Any] = {} if hard else {"may_override": overrides.permitted_roles(work, rules)}
    return RuleBroken(sorted(findings, key=lambda finding: not finding.refuses), overridable=not hard, **who)


@permitted("rule:set-aside")
def set_aside(work: Work, order_id: int, rule: str, override: Mapping[str, str]) -> list[Override]:
    """A rule that keeps the order from becoming live is set aside for what it finds now; when the text changes, not.

    The rows of everything that was set aside for the order. Conflict if the rule refuses nothing.
    """
    order = visible_order(work, order_id, lock=True)
    signed = work.now if order.verbal_received_at else None
    found = findings_about(work, order, verbal=verbal_receipt(work, order, signed_at=signed))
    about = overrides.About(order.patient_id, order_id=order.id)
    overrides.settle_one(work, about, rule, found, override, lambda all_of_it: _refusal(work, all_of_it))
    return overrides.rows_about(work, about)


@permitted("override:read")
def set_aside_so_far(work: Work, order_id: int) -> list[Override]:
    """What was set aside for the order, by whom and why, oldest first."""
    order = visible_order(work, order_id)
    work.record("order.overrides-read", f"order:{order.id}", patient_id=order.patient_id)
    return overrides.rows_about(work, overrides.About(order.patient_id, order_id=order.id))


# ------------------------------------------------------------------------------------ by word of mouth


@permitted("order:take-verbal")
def take_verbal(
    work: Work,
    order_id: int,
    *,
    received_at: datetime,
    read_back: bool,
    responsible_clinician_id: int,
    received_by_clinician_id: int | None = None,
) -> Order:
    """The draft was given by word of mouth and waits for its receipt to be signed (ORD-05).

    Whoever took the call writes it down: `received_by_clinician_id` is the acting clinician. A clinical manager may
    name another, or nobody when the office took the call; the responsible clinician is then told by it.
    """
    order = visible_order(work, order_id, lock=True)
    if not work.actor.has_role(Role.CLINICAL_MANAGER.value):
        if received_by_clinician_id not in (None, work.actor.clinician_id):
            raise Invalid(
                "A verbal order is written down by the clinician who received it.", pointer="/received_by_clinician_id"
            )
        received_by_clinician_id = work.actor.clinician_id
    if received_at > work.now:
        raise Invalid("An order cannot be received in the future.", pointer="/received_at")
    performers = _performers(work, responsible_clinician_id, received_by_clinician_id)
    settings = work.policy.on(local_day(received_at, agency.zone_of(work, branch_of(work, order.patient_id)))).orders
    if (
        performers[responsible_clinician_id]
        not in settings.verbal_receivers - settings.verbal_receivers_to_counter_note
    ):
        raise Invalid(
            "The receipt is signed by the nurse or therapist who is responsible for the service.",
            pointer="/responsible_clinician_id",
        )
    require_step(order, OrderStatus.VERBAL_RECEIVED)
    _require_open(work, order)
    with work.session.no_autoflush:  # one change, one version
        become(order, OrderStatus.VERBAL_RECEIVED)
        order.verbal_received_at = received_at
        order.verbal_received_by_id = received_by_clinician_id
        order.verbal_read_back = read_back
        order.responsible_clinician_id = responsible_clinician_id
        # What would keep the receipt from being signed is said now, while the text can still be changed.
        _require(work, order, verbal=verbal_receipt(work, order, signed_at=work.now))
    work.session.flush()  # the new version is in the answer
    work.record("order.verbal-received", f"order:{order.id}", patient_id=order.patient_id, read_back=read_back)
    return order


def _performers(work: Work, responsible_id: int, receiver_id: int | None) -> dict[int, Any]:
    named = {"/responsible_clinician_id": responsible_id, "/received_by_clinician_id": receiver_id}
    found: dict[int, Any] = {}
    for pointer, key in named.items():
        if key is None:
            continue
        clinician = work.session.get(Clinician, key)
        if clinician is None or not clinician.active:
            raise Invalid("There is no such clinician, or they no longer work here.", pointer=pointer)
        found[key] = clinician.performer
    return found


@permitted("order:take-verbal")
def sign_receipt(work: Work, order_id: int) -> Order:
    """The responsible clinician has signed, dated and timed the verbal order: it is live, and its signature is owed."""
    order = visible_order(work, order_id, lock=True)
    if work.actor.clinician_id is None or work.actor.clinician_id != order.responsible_clinician_id:
        raise Forbidden(
            "The receipt is signed by the clinician who is responsible for this order.", code="not-responsible"
        )
    if order.status is not OrderStatus.VERBAL_RECEIVED or order.verbal_received_at is None:
        raise wrong_state(order, OrderStatus.ACTIVE_VERBAL)
    wait_for_plan(work, order)
    order.responsible_signed_at = work.now
    receipt = verbal_receipt(work, order)
    assert receipt is not None
    _require(work, order, verbal=receipt)
    zone = agency.zone_of(work, branch_of(work, order.patient_id))
    order.needed_by = countersignature_due(local_day(order.verbal_received_at, zone), work.policy).due_on
    become(order, OrderStatus.ACTIVE_VERBAL)
    go_live(work, order, verbal=receipt)
    work.record("order.receipt-signed", f"order:{order.id}", patient_id=order.patient_id)
    work.publish(OrderActivated(order_id=order.id, verbal=True))
    return order


# ------------------------------------------------------------------------------------ to the practitioner and back


@permitted("order:send")
def send(work: Work, order_id: int) -> Order:
    """The order is in its practitioner's queue. A live verbal order stays live while it waits."""
    order = visible_order(work, order_id, lock=True)
    if order.status is OrderStatus.ACTIVE_VERBAL:
        if order.sent_at is not None:
            raise Conflict("The order was sent for signature already.", code="already-sent")
    else:
        require_step(order, OrderStatus.SENT_FOR_SIGNATURE)
        _require_open(work, order)
        _require(work, order)
        become(order, OrderStatus.SENT_FOR_SIGNATURE)
        order.needed_by = order.effective_from
    order.sent_at = work.now
    work.session.flush()  # the new version is in the answer
    work.record("order.sent", f"order:{order.id}", patient_id=order.patient_id, physician=order.physician_id)
    work.publish(OrderSent(order_id=order.id))
    return order


@permitted("order:send")
def recall(work: Work, order_id: int) -> Order:
    """The order that was sent, and not signed, is a draft again: whoever reviewed it will have to read it anew."""
    order = visible_order(work, order_id, lock=True)
    if order.status is not OrderStatus.SENT_FOR_SIGNATURE:
        raise wrong_state(order, OrderStatus.DRAFT)
    become(order, OrderStatus.DRAFT)
    order.sent_at = order.needed_by = order.reviewed_at = order.reviewed_version = None
    work.session.flush()  # the new version is in the answer
    work.record("order.recalled", f"order:{order.id}", patient_id=order.patient_id)
    return order


# ------------------------------------------------------------------------------------ live


def wait_for_plan(work: Work, order: Order) -> None:
    """Asked by other rooms and by signing, before a change: activations of a plan come one by one, each to its commit.

    Its rows' keys are not locked: whoever writes an order of the plan meanwhile need not wait.
    """
    with work.session.no_autoflush:
        work.session.execute(
            sa.select(CarePlan.id).where(CarePlan.id == order.care_plan_id).with_for_update(key_share=True)
        ).scalar_one()


def go_live(work: Work, order: Order, *, verbal: VerbalReceipt | None = None, as_written: bool = False) -> None:
    """Asked by other rooms and by signing: the order's weeks are there, and what it supersedes ends (ORD-07).

    The older order ends on the day before the new one begins, or where that day is past, on the day before this one:
    visits already made stood on it. `as_written` keeps the text's own day, for a history that is told at once.
    """
    wait_for_plan(work, order)
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    _require_open(work, order)
    _require(work, order, verbal=verbal)
    superseded, _ = weeks.in_the_way(work, order, lock=True)
    today = today_of(work, order.patient_id)
    from_day = order.effective_from if as_written else max(order.effective_from, today)
    windows, _ = weeks.take_over(work, weeks.lay_out(work, order, episode).weeks, superseded, from_day, episode)
    order.week_anchor = work.policy.on(order.effective_from).weeks.visit_week_anchor.value
    order.weeks = weeks.rows_of(windows)
    for old in superseded:
        cut_off(
            work, old, superseded_last_day(from_day), OrderStatus.SUPERSEDED, reason=f"superseded by order {order.id}"
        )
    work.session.flush()  # week numbers are wanted by whoever raises visits from them


def _require_open(work: Work, order: Order) -> None:
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    if episode.discharged_on is not None:
        raise Conflict("The patient was discharged from this episode of care.", code="no-open-episode")
