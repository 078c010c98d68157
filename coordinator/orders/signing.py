"""A physician's own queue, the mark that an item was read, and signing: each order at a version and a hash (ORD-04).

A signature covers exactly the text that was reviewed. An item that changed drops out of the batch and says so; the
others are signed. Nobody signs for somebody else, but who stands in for the order's practitioner that day, in their own
name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from coordinator.access.model import User
from coordinator.access.proof import Proof, prove_again
from coordinator.access.service import Doorman
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Forbidden, NotFound, Refusal, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import OrderActivated, OrderDeclined, OrderSigned
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.vocabulary import OrderDeclineReason, OrderStatus
from coordinator.orders.cards import Card, cards, content_hash, signed_text
from coordinator.orders.drafting import COPIED
from coordinator.orders.endings import become, stop, wrong_state
from coordinator.orders.facts import signing_facts
from coordinator.orders.model import Order, Signature
from coordinator.orders.queries import AWAITS_SIGNATURE, ENDED_ORDER, awaits_signature
from coordinator.orders.service import findings_about, go_live, settled, wait_for_plan
from coordinator.patients.model import Episode
from coordinator.rules.orders import STATE_WORDS, ask_signing
from coordinator.staff.model import Physician
from coordinator.teams.service import acts_for, covering_physicians

LARGEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class SignItem:
    """What a physician says they sign: an order at a version, with the hash of its text."""

    id: int
    version: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class SignResult:
    """What became of one item. `code` is `signed`, or why not."""

    id: int
    code: str
    status: int
    detail: str
    order: Order | None = None
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def signed(self) -> bool:
        return self.code == "signed"


# ------------------------------------------------------------------------------------ reading


@permitted("order:sign")
def queue(work: Work) -> list[Card]:
    """What waits for the actor's signature, most urgent first: by the day it is needed, then by when it was sent.

    What is another practitioner's, for whom the actor stands in today, is there as well.
    """
    mine = _signer(work)
    found = work.session.execute(
        sa.select(Order)
        .where(acts_for(work, Order.physician_id, Order.patient_id), AWAITS_SIGNATURE)
        .order_by(
            sa.func.coalesce(Order.needed_by, Order.effective_from),
            sa.func.coalesce(Order.sent_at, Order.responsible_signed_at),
            Order.id,
        )
    ).scalars()
    orders = list(found)
    for order in orders:
        work.record("order.read", f"order:{order.id}", patient_id=order.patient_id)
    return [
        replace(card, covering_for=None if card.order.physician_id == mine else card.order.physician_id)
        for card in cards(work, orders)
    ]


@permitted("order:sign")
def mark_reviewed(work: Work, order_id: int, version: int) -> Order:
    """The actor has read the order at that version. Reading is no edit: the version stays; a later one is unread."""
    order = own_order(work, order_id)
    if not awaits_signature(order):
        raise wrong_state(order, OrderStatus.ACTIVE_SIGNED)
    if order.version != version:
        raise StaleVersion("The order was changed since you read it. Read it again.", etag=f'"{order.version}"')
    work.session.flush()  # nothing of the row may wait while it is written past the unit of work
    work.session.execute(
        sa.update(Order.__table__)  # type: ignore[arg-type]
        .where(Order.__table__.c.id == order.id)
        .values(reviewed_at=work.now, reviewed_version=version)
    )
    set_committed_value(order, "reviewed_at", work.now)
    set_committed_value(order, "reviewed_version", version)
    work.record("order.reviewed", f"order:{order.id}", patient_id=order.patient_id, version=version)
    return order


# ------------------------------------------------------------------------------------ signing


@permitted("order:sign")
def sign_batch(work: Work, doorman: Doorman, items: Sequence[SignItem], proof: Proof) -> list[SignResult]:
    """Sign what was reviewed, item by item. Whoever signs proves again who they are; else nothing is signed (SEC-07).

    Forbidden `step-up-required` for a wrong proof, which the door keeps, so that the attempt is counted.
    """
    signer = fetch(work.session, Physician, _signer(work), "physician")
    method = prove_again(work, doorman, proof)
    return [_sign_item(work, signer, item, method) for item in items]


def _sign_item(work: Work, signer: Physician, item: SignItem, method: str) -> SignResult:
    """One item in a savepoint of its own: what is refused leaves nothing behind, not even an audit line."""
    so_far = len(work.trail)
    try:
        with work.session.begin_nested():
            order = own_order(work, item.id)
            _check_item(work, signer, order, item)
            _sign(work, order, signer_id=signer.id, user_id=work.actor.user_id or 0, method=method)
            work.session.flush()  # what the database refuses is refused for this item alone
        return SignResult(item.id, "signed", 200, "Signed.", order)
    except Refusal as refusal:
        result = SignResult(
            item.id,
            refusal.problem_code,
            refusal.status,
            refusal.detail,
            findings=tuple(finding.as_dict() for finding in getattr(refusal, "findings", ())),
        )
    except StaleDataError:
        result = SignResult(item.id, "stale-version", 412, "Somebody changed it in the same moment. Read it again.")
    except IntegrityError:
        result = SignResult(item.id, "conflict", 409, "Something that is already there stands against it.")
    del work.trail[so_far:]
    work.record("order.not-signed", f"order:{item.id}", outcome="deny", code=result.code)
    return result


def _check_item(work: Work, signer: Physician, order: Order, item: SignItem) -> None:
    if not awaits_signature(order):
        raise Conflict(f"The order {STATE_WORDS[order.status]}; it does not wait for a signature.", code="not-signable")
    if order.version != item.version or content_hash(order) != item.content_hash:
        raise StaleVersion("The order was changed since you reviewed it. Read it again; it was not signed.")
    if order.reviewed_version != item.version:
        raise Conflict("The order was not reviewed at this version. Open and read it first.", code="not-reviewed")
    episode = fetch(work.session, Episode, order.episode_id, "episode")
    covering = signer.id != order.physician_id  # `own_order` has found the cover
    findings = ask_signing(signing_facts(order, episode, signer, opened=True, covering=covering), work.policy)
    if order.status not in LIVE_ORDER | ENDED_ORDER:
        findings += findings_about(work, order)  # signing makes it live: all that refuses is said at once
    settled(work, order, findings)


def _sign(
    work: Work, order: Order, *, signer_id: int, user_id: int, method: str, as_written: bool = False
) -> Signature:
    """A name under the text as it stands. An order that was not live becomes so, with its weeks."""
    has_ended = order.status in ENDED_ORDER
    was_live = has_ended or order.status in LIVE_ORDER
    if not was_live:
        wait_for_plan(work, order)
    signature = Signature(
        order_id=order.id,
        physician_id=signer_id,
        user_id=user_id,
        order_version=order.version,
        content_hash=content_hash(order),
        text=signed_text(order),
        method=method,
        at=work.now,
    )
    work.session.add(signature)
    if not has_ended:  # a verbal order whose days are over is signed for what was given; it does not live again
        become(order, OrderStatus.ACTIVE_SIGNED)
    if not was_live:
        go_live(work, order, as_written=as_written)
    order.signed_at = work.now
    work.session.flush()  # the signature is there before others act on it
    work.record(
        "order.signed",
        f"order:{order.id}",
        patient_id=order.patient_id,
        version=signature.order_version,
        hash=signature.content_hash,
        method=method,
        for_physician=order.physician_id,
    )
    if not was_live:
        work.publish(OrderActivated(order_id=order.id, verbal=False))
    work.publish(OrderSigned(order_id=order.id, was_live=was_live))
    return signature


@permitted("order:sign")
def sign_demo(work: Work, order_id: int) -> Signature:
    """An order of the demonstration is signed as by its practitioner; any other is refused (method `demo`)."""
    order = _locked(work, order_id)
    if order is None:
        raise NotFound("order")
    if not order.demo:
        raise Forbidden("Only orders of the demonstration are signed without their practitioner.", code="not-a-demo")
    if not awaits_signature(order):
        raise wrong_state(order, OrderStatus.ACTIVE_SIGNED)
    user_id = work.session.execute(
        sa.select(User.id)
        .where(User.physician_id.is_not(None))
        .order_by(sa.case((User.physician_id == order.physician_id, 0), else_=1), User.id)
        .limit(1)
    ).scalar()
    if user_id is None:
        raise Conflict("There is no physician's account to sign with.", code="no-signer")
    return _sign(work, order, signer_id=order.physician_id, user_id=user_id, method="demo", as_written=True)


# ------------------------------------------------------------------------------------ refusing to sign


@permitted("order:decline")
def decline(
    work: Work, order_id: int, *, version: int, reason: OrderDeclineReason, note: str | None = None
) -> tuple[Order, Order]:
    """The order is declined with a coded reason, and its author has a linked draft with the same content to mend.

    If it was live, nothing more is given under it from now on.
    """
    order = own_order(work, order_id)
    if not awaits_signature(order):
        raise wrong_state(order, OrderStatus.DECLINED)
    if order.version != version:
        raise StaleVersion("The order was changed since you read it. Read it again.", etag=f'"{order.version}"')
    order.decline_reason, order.decline_note = reason, note
    replacement = Order(
        status=OrderStatus.DRAFT,
        replaces_id=order.id,
        treatments=list(order.treatments),
        required_skills=list(order.required_skills),
        **{name: getattr(order, name) for name in COPIED},
    )
    work.session.add(replacement)
    work.session.flush()  # the replacement's number is in the event
    if order.status in LIVE_ORDER:
        stop(work, order, OrderStatus.DECLINED, reason="declined")
    elif order.status not in ENDED_ORDER:
        become(order, OrderStatus.DECLINED)
    work.session.flush()  # the order is declined before others are told
    work.record(
        "order.declined",
        f"order:{order.id}",
        patient_id=order.patient_id,
        reason=reason.value,
        version=version,
        replacement=replacement.id,
    )
    work.publish(OrderDeclined(order_id=order.id, replacement_id=replacement.id))
    return order, replacement


# ------------------------------------------------------------------------------------ whose


def _signer(work: Work) -> int:
    if work.actor.physician_id is None:
        raise Forbidden("Only a practitioner with an account of their own signs orders.", code="not-a-practitioner")
    return work.actor.physician_id


def own_order(work: Work, order_id: int) -> Order:
    """The actor's own order, or of one for whom they stand in today, locked.

    Another practitioner's sounds like a missing one, and so does one never sent.
    """
    signer = _signer(work)
    order = _locked(work, order_id)
    unsent = (OrderStatus.DRAFT, OrderStatus.VOID)
    if order is None or (order.status in unsent and order.signed_at is None):
        raise NotFound("order")
    if order.physician_id != signer and signer not in covering_physicians(work, order.physician_id, order.patient_id):
        raise NotFound("order")
    return order


def _locked(work: Work, order_id: int) -> Order | None:
    return work.session.execute(
        sa.select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    ).scalar()
