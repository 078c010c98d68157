"""Orders: what must be in them, who may give and sign them, and by when (ORD-01 to ORD-09)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coordinator.domain.lifecycle import EDITABLE_ORDER, LIVE_ORDER, SIGNABLE_ORDER
from coordinator.domain.timeline import add_business_days
from coordinator.domain.vocabulary import (
    THERAPIES,
    Discipline,
    OrderStatus,
    PractitionerType,
    VisitKind,
)
from coordinator.rules.case import ORDERLESS_KINDS, needs_order, order_name
from coordinator.rules.facts import ActivationFacts, Moment, OrderFacts, SigningFacts, VerbalReceipt, VisitCase
from coordinator.rules.frequencies import ask_layout, ask_prn_content
from coordinator.rules.intermittent import ask_aide_order, ask_daily_run
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "orders"

#: Orders under which a slot may be held but no visit confirmed.
TENTATIVE_ORDER = frozenset({OrderStatus.DRAFT, OrderStatus.SENT_FOR_SIGNATURE, OrderStatus.VERBAL_RECEIVED})


@dataclass(frozen=True, slots=True)
class CountersignatureDue:
    """When a verbal order must be signed, and when to remind of it (ORD-06)."""

    due_on: date
    reminders: tuple[date, ...]


#: How an order's state is said to people.
STATE_WORDS = {
    OrderStatus.ACTIVE_VERBAL: "holds by a verbal order",
    OrderStatus.ACTIVE_SIGNED: "is signed and holds",
    OrderStatus.DRAFT: "is a draft",
    OrderStatus.VERBAL_RECEIVED: "was taken by word of mouth and its receipt is not signed",
    OrderStatus.SENT_FOR_SIGNATURE: "waits for its signature",
    OrderStatus.DECLINED: "was declined",
    OrderStatus.SUPERSEDED: "was replaced by a later one",
    OrderStatus.DISCONTINUED: "was discontinued",
    OrderStatus.EXPIRED: "has expired",
    OrderStatus.COMPLETED: "is completed",
    OrderStatus.VOID: "was entered in error",
}


@rule(
    "ORD-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.60(b)(1); 409.43(a)-(b)",
    verification="V",
    sentence="No visit without a live order of its discipline on its day.",
    sentence_zh="當日沒有該專業的有效醫囑，就不能探訪。",
    settings=("orders.exempt_disciplines",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_live_order(case: VisitCase, moment: Moment, policy: Policy) -> Finding | None:
    """No override, therapy or not. An unsigned order lets a slot be held, not confirmed."""
    if not needs_order(case, policy):
        return None
    order, visit = case.order, case.visit
    if order is None or order.discipline is not visit.discipline:
        return found(
            "ORD-01",
            "There is no {discipline} order for {day}.",
            cure="A physician signs an order for {discipline}, or a nurse takes a verbal order with read-back.",
            discipline=visit.discipline,
            day=visit.day,
        )
    if order.status not in LIVE_ORDER and not (moment is Moment.HOLD and order.status in TENTATIVE_ORDER):
        cure = (
            "A physician signs order {order}, or a nurse takes a verbal order with read-back."
            if order.status in TENTATIVE_ORDER
            else "A physician signs a new order for {discipline}, or a nurse takes a verbal order with read-back."
        )
        return found(
            "ORD-01",
            "Order {order} {state}: nothing may be given under it.",
            cure=cure,
            order=order_name(order),
            state=STATE_WORDS[order.status],
            facts={"status": order.status},
            discipline=visit.discipline,
            day=visit.day,
        )
    if (
        order.effective_from is None
        or visit.day < order.effective_from
        or (order.effective_to is not None and visit.day > order.effective_to)
    ):
        return found(
            "ORD-01",
            "Order {order} does not hold on {day}: it holds from {first} to {last}.",
            cure="Move the visit into those days, or a physician orders {discipline} for {day}.",
            order=order_name(order),
            day=visit.day,
            first=order.effective_from or "an unknown day",
            last=order.effective_to or "an open end",
            discipline=visit.discipline,
        )
    return None


@also("ORD-01")
def ask_treatment_order(
    order: OrderFacts | None, treatments: Collection[str], treatment: str, discipline: Discipline, day: date
) -> Finding | None:
    """Why the discipline may not give a treatment for a symptom that day; `treatments` are what the order names."""
    if order is None or order.status not in LIVE_ORDER:
        state = "is not the patient's" if order is None else STATE_WORDS[order.status]
        return found(
            "ORD-01", "The order {state}: no treatment may be given under it.",
            cure="A physician orders the treatment, or a nurse takes a verbal order with read-back.", state=state,
        )  # fmt: skip
    last = order.effective_to
    if order.effective_from is None or day < order.effective_from or (last is not None and day > last):
        return found(
            "ORD-01", "Order {order} does not hold on {day}.", cure="A physician orders the treatment for {day}.",
            order=order_name(order), day=day,
        )  # fmt: skip
    if order.discipline is not discipline:
        return found(
            "ORD-01", "Order {order} is for {ordered}, not for {discipline}.",
            cure="A physician orders the treatment for {discipline}, or {ordered} gives it.", order=order_name(order),
            ordered=order.discipline, discipline=discipline,
        )  # fmt: skip
    if treatment not in treatments:
        return found(
            "ORD-01", "Order {order} does not name this treatment.",
            cure="A physician adds the treatment to an order, or a nurse takes a verbal order with read-back.",
            order=order_name(order), facts={"ordered": sorted(treatments)},
        )  # fmt: skip
    return None


# ------------------------------------------------------------------------------------ becoming live


@rule(
    "ORD-02",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.43(a)(3), (b); 409.45(b)(1)",
    verification="V",
    sentence="An order names discipline, frequency, duration, effective date, orderer, and for therapy the treatments.",
    sentence_zh="醫囑須寫明專業、頻率、期間、生效日期和開立者；治療類還須寫明治療項目。",
    asked_on=("order",),
)
def ask_order_content(order: ActivationFacts) -> Finding | None:
    """What the order lacks. An evaluate-and-treat order needs no frequency: it allows one evaluation."""
    missing = []
    if not order.evaluate_and_treat and (
        order.frequency is None or not (order.frequency.segments or order.frequency.prn)
    ):
        missing.append("frequency and duration")
    if order.discipline in THERAPIES and not order.evaluate_and_treat and not any(map(str.strip, order.treatments)):
        missing.append("treatments")
    if order.discipline is Discipline.HHA and not any(map(str.strip, order.duties)):
        missing.append("duties")
    if order.effective_from is None:
        missing.append("effective date")
    if order.orderer_type is None:
        missing.append("ordering practitioner")
    if missing:
        return found(
            "ORD-02",
            "The {discipline} order lacks {missing}.",
            cure="Whoever wrote the order adds {missing}.",
            discipline=order.discipline,
            missing=", ".join(missing),
        )
    if not order.goals_linked:
        return found(
            "ORD-02",
            "The {discipline} order is not linked to a goal.",
            cure="Whoever wrote the order links a goal.",
            severity=Severity.WARN,
            discipline=order.discipline,
        )
    return None


@rule(
    "ORD-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.43(b)",
    verification="V",
    sentence="'Evaluate and treat' allows one evaluation visit; treatment needs a frequency order.",
    sentence_zh="「評估並治療」只准一次評估探訪；治療須另有頻率醫囑。",
    asked_on=("promise", "order", "visit", "check-in", "planning", "publication", "question"),
)
def ask_evaluate_and_treat(case: VisitCase) -> Finding | None:
    """A second visit under an evaluate-and-treat order is refused."""
    order = case.order
    if order is None or not order.evaluate_and_treat or order.discipline is not case.visit.discipline:
        return None
    if case.visit.kind in ORDERLESS_KINDS or (case.visit.kind is VisitKind.EVALUATION and not order.evaluation_used):
        return None
    return found(
        "ORD-03",
        "Order {order} allows one {discipline} evaluation and nothing after it.",
        cure="A physician orders a frequency after the evaluation, in writing or verbally.",
        order=order_name(order),
        discipline=order.discipline,
        facts={"evaluation_used": order.evaluation_used, "kind": case.visit.kind},
    )


@also("ORD-03")
def ask_evaluation_frequency(order: ActivationFacts) -> Finding | None:
    """An evaluate-and-treat order with a frequency would order visits before the evaluation: write two orders."""
    if not order.evaluate_and_treat or order.frequency is None or not order.frequency.segments:
        return None
    return found(
        "ORD-03",
        "An evaluate-and-treat order carries no frequency.",
        cure="Whoever wrote the order leaves the frequency to an order after the evaluation.",
    )


@rule(
    "ORD-04",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.2, 409.43; Cal. BPC 2835.7, 3502.3; programme page",
    verification="V",
    sentence="An order is given and signed by a practitioner whom law and programme allow, in person.",
    sentence_zh="醫囑須由法律和計劃准許的執業者本人開立及簽署。",
    asked_on=("order",),
)
def ask_orderer(order: ActivationFacts, policy: Policy) -> Finding | None:
    """Whether the orderer may order this discipline; a podiatrist outside foot and ankle is a warning."""
    if order.orderer_type is None:
        return None
    allowed = policy.profile(order.programme, order.effective_from).orderers(order.discipline)
    if order.orderer_type not in allowed:
        return _may_not("{type} may not order {discipline} under {programme}.", order.orderer_type, order, allowed)
    if order.orderer_type is PractitionerType.DPM and order.foot_or_ankle is False:
        return found(
            "ORD-04",
            "A podiatrist's order for a condition outside foot and ankle.",
            cure="A physician orders, or the office documents why state law allows it.",
            severity=Severity.WARN,
        )
    return None


def _may_not(
    message: str, kind: PractitionerType, facts: ActivationFacts | SigningFacts, allowed: frozenset[PractitionerType]
) -> Finding:
    return found(
        "ORD-04",
        message,
        cure="One of {allowed} orders and signs.",
        type=kind,
        discipline=facts.discipline,
        programme=facts.programme,
        allowed=", ".join(sorted(allowed)) or "nobody",
    )


@also("ORD-04")
def ask_signing(signing: SigningFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about this person signing this order now."""
    findings = []
    allowed = policy.profile(signing.programme).orderers(signing.discipline)
    if signing.signer_id != signing.practitioner_id and not signing.covering:
        findings.append(
            found(
                "ORD-04",
                "The order is another practitioner's.",
                cure="The order's practitioner signs, or the office documents who covers.",
            )
        )
    if signing.signer_type not in allowed:
        message = "{type} may not sign {discipline} orders under {programme}."
        findings.append(_may_not(message, signing.signer_type, signing, allowed))
    if not signing.opened:
        findings.append(
            found("ORD-04", "The order has not been opened.", cure="The practitioner opens the order and reads it.")
        )
    if signing.status not in SIGNABLE_ORDER:
        findings.append(
            found(
                "ORD-08",
                "The order {state}; it cannot be signed.",
                cure="The office sends the order for signature, or writes a new one.",
                state=STATE_WORDS[signing.status],
                facts={"status": signing.status},
            )
        )
    return tuple(findings)


# ------------------------------------------------------------------------------------ verbal orders


@rule(
    "ORD-05",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.43(d); 484.60(b)(3)",
    verification="V",
    sentence="A verbal order is taken by an authorised clinician, read back, signed, dated and timed.",
    sentence_zh="口頭醫囑須由獲授權的專業人員接受、覆誦、簽名，並註明日期和時間。",
    settings=(
        "orders.verbal_receivers",
        "orders.verbal_receivers_to_counter_note",
        "orders.verbal_signature_hours",
    ),
    asked_on=("promise", "order", "visit", "check-in", "planning", "publication", "question"),
)
def ask_verbal_receipt(receipt: VerbalReceipt, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about how the order was taken.

    Somebody of the office may take the call and pass it on: then the responsible clinician must have been told before
    the service, and may sign afterwards. Assistants, aides and chaplains may not take an order at all.
    """
    policy = policy.on(receipt.received_at.date())
    authorised = policy.orders.verbal_receivers
    findings = []
    if receipt.received_by is not None and receipt.received_by not in authorised:
        findings.append(
            found(
                "ORD-05",
                "{receiver} may not take a verbal order.",
                cure="One of {authorised} calls the practitioner and takes the order.",
                receiver=receipt.received_by,
                authorised=", ".join(sorted(authorised)),
            )
        )
    elif receipt.received_by is not None:
        if receipt.receiver_signed_at is None:
            findings.append(
                found(
                    "ORD-05",
                    "The receiver has not signed the verbal order.",
                    cure="{receiver} who took the order signs it with date and time.",
                    receiver=receipt.received_by,
                )
            )
        noted = receipt.responsible_signed_at is not None
        if receipt.received_by in policy.orders.verbal_receivers_to_counter_note and not noted:
            findings.append(
                found(
                    "ORD-05",
                    "A verbal order taken by {receiver} is to be counter-noted by the nurse.",
                    cure="The registered nurse counter-notes the order.",
                    severity=Severity.TASK,
                    due=receipt.received_at + timedelta(hours=policy.orders.verbal_signature_hours),
                    owner="case_manager",
                    receiver=receipt.received_by,
                )
            )
    else:
        findings += _relayed(receipt, policy)
    if not receipt.read_back:
        findings.append(
            found(
                "ORD-05",
                "The verbal order was not read back.",
                cure="Whoever took the order reads it back to the practitioner and records it.",
            )
        )
    return tuple(findings)


def _relayed(receipt: VerbalReceipt, policy: Policy) -> list[Finding]:
    if receipt.responsible not in policy.orders.verbal_receivers or receipt.responsible_notified_at is None:
        return [
            found(
                "ORD-05",
                "The office took the order, and no responsible clinician has been told.",
                cure="The office tells the responsible nurse or therapist before the service.",
            )
        ]
    if receipt.responsible_signed_at is None:
        return [
            found(
                "ORD-05",
                "{responsible}, who is responsible, has been told of the verbal order and is to sign it.",
                cure="{responsible} signs the order with date and time.",
                severity=Severity.TASK,
                due=receipt.responsible_notified_at + timedelta(hours=policy.orders.verbal_signature_hours),
                owner="orders_desk",
                responsible=receipt.responsible,
            )
        ]
    return []


@also("ORD-05")
def ask_received_before(receipt: VerbalReceipt, visit_started_at: datetime) -> tuple[Finding, ...]:
    """A visit that began before the order was received, or before the responsible clinician was told, is not billed."""
    told = receipt.responsible_notified_at if receipt.received_by is None else receipt.received_at
    if receipt.received_at <= visit_started_at and (told is None or told <= visit_started_at):
        return ()
    return tuple(
        found(
            "ORD-05",
            "The visit began at {started}, before the order was received at {received}. An order cannot be back-dated.",
            cure="The clinical manager reviews the incident.",
            severity=severity,
            due=visit_started_at if severity is Severity.TASK else None,
            owner="clinical_manager" if severity is Severity.TASK else "",
            started=visit_started_at,
            received=receipt.received_at,
        )
        for severity in (Severity.HOLD_BILL, Severity.TASK)
    )


@also("ORD-05")
def ask_order_before_visit(case: VisitCase, moment: Moment) -> tuple[Finding, ...]:
    """At the door: a visit that begins before its verbal order was received is not billed."""
    order, starts_at = case.order, case.visit.starts_at
    if moment is not Moment.CHECK_IN or order is None or order.received_at is None or starts_at is None:
        return ()
    if order.received_at <= starts_at:
        return ()
    return ask_received_before(VerbalReceipt(order.received_at, receiver_signed_at=order.received_at), starts_at)


# ------------------------------------------------------------------------------------ afterwards


@rule(
    "ORD-06",
    family=FAMILY,
    severity=Severity.TASK,
    citation="22 CCR 74697(a)(1); 42 CFR 409.43(d)",
    verification="V",
    sentence="A verbal order is signed within 30 working days, and before anything is billed.",
    sentence_zh="口頭醫囑須在30個工作日內簽署，並在申請付款之前完成。",
    settings=("orders.countersign_working_days", "orders.countersign_calendar", "orders.countersign_reminder_days"),
    asked_on=("order",),
)
def countersignature_due(taken_on: date, policy: Policy) -> CountersignatureDue:
    """When an order taken verbally on `taken_on` (local day) must be signed by its practitioner."""
    policy = policy.on(taken_on)
    settings = policy.orders
    return CountersignatureDue(
        add_business_days(taken_on, settings.countersign_working_days, settings.countersign_calendar),
        tuple(taken_on + timedelta(days=days) for days in settings.countersign_reminder_days),
    )


@also("ORD-06")
def ask_countersigned(
    taken_on: date, signed_on: date | None, claim_on: date | None, policy: Policy
) -> tuple[Finding, ...]:
    """The task to have the order signed and the hold on its bill; a signature after the claim is a breach."""
    due_on = countersignature_due(taken_on, policy).due_on
    if signed_on is not None:
        if claim_on is None or signed_on <= claim_on:
            return ()
        return (
            found(
                "ORD-06",
                "The order was signed on {signed_on}, after the claim of {claim_on}.",
                cure="Billing withdraws the claim and submits it anew.",
                severity=Severity.HOLD_BILL,
                signed_on=signed_on,
                claim_on=claim_on,
            ),
        )
    message = "The verbal order of {taken_on} is to be signed by {due_on}."
    cure = "The practitioner signs the order; the orders desk reminds."
    return (
        found("ORD-06", message, cure=cure, due=due_on, owner="orders_desk", taken_on=taken_on, due_on=due_on),
        found("ORD-06", message, cure=cure, severity=Severity.HOLD_BILL, taken_on=taken_on, due_on=due_on),
    )


@rule(
    "ORD-07",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Medicare Benefit Policy Manual ch. 7, 30.2.2, 30.2.5",
    verification="K",
    sentence="A new order of the discipline supersedes the old; two scheduled orders never run side by side.",
    sentence_zh="同一專業的新醫囑取代舊醫囑；兩份定期醫囑絕不同時生效。",
    asked_on=("order",),
)
def ask_overlap(order: ActivationFacts) -> Finding | None:
    """Another live scheduled order of the discipline over the same days stands in the way; PRN lines may coexist."""
    if order.overlapping_order_id is None or order.frequency is None or not order.frequency.segments:
        return None
    return found(
        "ORD-07",
        "Order {other} of the same discipline is live on these days.",
        cure="The order supersedes order {other} from its effective date, or order {other} is discontinued.",
        other=order.overlapping_order_id,
    )


@also("ORD-07")
def superseded_last_day(new_effective_from: date) -> date:
    """The last day of the order that a new one supersedes: the day before."""
    return new_effective_from - timedelta(days=1)


@rule(
    "ORD-08",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.110(b); agency policy",
    verification="D",
    sentence="A text that somebody put a name to is never changed; a correction is a new order.",
    sentence_zh="已簽名的文字絕不更改；更正須另立新醫囑。",
    asked_on=("order",),
)
def ask_edit(status: OrderStatus) -> Finding | None:
    """Why the text of an order in this state may not be edited."""
    if status in EDITABLE_ORDER:
        return None
    return found(
        "ORD-08",
        "The order {state}; its text cannot be edited.",
        cure="Write a new order that supersedes this one.",
        state=STATE_WORDS[status],
        facts={"status": status},
    )


@also("ORD-08")
def ask_declined(visits_made: int, visits_ahead: int, today: date) -> tuple[Finding, ...]:
    """What follows when a practitioner refuses to sign: made visits are not billed, later ones need a new order."""
    findings = [
        found(
            "ORD-08",
            "The practitioner declined the order.",
            cure="The orders desk calls the practitioner and writes a new order or withdraws the visits.",
            severity=Severity.TASK,
            due=today,
            owner="orders_desk",
        )
    ]
    if visits_made:
        findings.append(
            found(
                "ORD-08",
                "{visits} visit(s) were made under the declined order.",
                severity=Severity.HOLD_BILL,
                visits=visits_made,
            )
        )
    if visits_ahead:
        findings.append(
            found(
                "ORD-08",
                "{visits} visit(s) ahead have lost their order.",
                cure="A practitioner gives a new order.",
                severity=Severity.BLOCK,
                visits=visits_ahead,
            )
        )
    return tuple(findings)


def ask_activation(order: ActivationFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about making the order live; any that `refuses` keeps it from becoming so."""
    single = (
        ask_order_content(order),
        ask_evaluation_frequency(order),
        ask_orderer(order, policy),
        ask_prn_content(order),
        ask_overlap(order),
        ask_daily_run(order, policy),
    )
    verbal = ask_verbal_receipt(order.verbal, policy) if order.verbal else ()
    layout = ask_layout(order, policy)
    return (*(finding for finding in single if finding), *verbal, *ask_aide_order(order, policy), *layout)
