"""Webhooks: administrators name programs that hear of events, and what happens is written down for them.

A delivery stands in the transaction of its cause, once for each webhook, subject and version. It says which row has
which version now, and nothing of what the row says: the receiver reads it, if it may, through the API.
"""

import base64
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from coordinator.access.scope import branch_of_patient, branches_of, require_branch
from coordinator.core.db import Base, locked
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain import events
from coordinator.episodes.model import Certification
from coordinator.jobs.queue import insert_once
from coordinator.notify.hook_model import Webhook, WebhookDelivery
from coordinator.notify.mail_model import MailStatus
from coordinator.notify.posting import why_not
from coordinator.orders.model import CarePlan, Order
from coordinator.patients.model import Episode
from coordinator.referrals.model import Referral
from coordinator.visits.model import Visit

JOB = "notify.webhooks"
#: Beyond so many, somebody is using webhooks as a list of addresses.
MOST = 50
_CACHE = "notify.webhooks"


class Told(NamedTuple):
    """How an event is told: its kind, the noun and row that it is about, and the event's field with the number."""

    kind: str
    noun: str
    row: type[Base]
    field: str


TOLD: dict[type, Told] = {
    events.ReferralReceived: Told("referral.received", "referral", Referral, "referral_id"),
    events.ReferralChanged: Told("referral.changed", "referral", Referral, "referral_id"),
    events.ReferralAccepted: Told("referral.accepted", "referral", Referral, "referral_id"),
    events.ReferralDeclined: Told("referral.declined", "referral", Referral, "referral_id"),
    events.ReferralWithdrawn: Told("referral.withdrawn", "referral", Referral, "referral_id"),
    events.PatientAdmitted: Told("episode.started", "episode", Episode, "episode_id"),
    events.EpisodeHeld: Told("episode.held", "episode", Episode, "episode_id"),
    events.EpisodeResumed: Told("episode.resumed", "episode", Episode, "episode_id"),
    events.PatientDischarged: Told("episode.ended", "episode", Episode, "episode_id"),
    events.CertificationSigned: Told("certification.signed", "certification", Certification, "certification_id"),
    events.CarePlanChanged: Told("plan.changed", "plan", CarePlan, "plan_id"),
    events.OrderSent: Told("order.sent", "order", Order, "order_id"),
    events.OrderSigned: Told("order.signed", "order", Order, "order_id"),
    events.OrderDeclined: Told("order.declined", "order", Order, "order_id"),
    events.OrderEnded: Told("order.ended", "order", Order, "order_id"),
    events.VisitBooked: Told("visit.booked", "visit", Visit, "visit_id"),
    events.VisitMoved: Told("visit.moved", "visit", Visit, "visit_id"),
    events.VisitCancelled: Told("visit.cancelled", "visit", Visit, "visit_id"),
    events.VisitStarted: Told("visit.started", "visit", Visit, "visit_id"),
    events.VisitCompleted: Told("visit.completed", "visit", Visit, "visit_id"),
    events.VisitMissed: Told("visit.missed", "visit", Visit, "visit_id"),
}
KINDS = tuple(sorted(told.kind for told in TOLD.values()))


# ------------------------------------------------------------------------------------ what happens


class _Hook(NamedTuple):
    id: int
    branch_id: int | None
    kinds: frozenset[str]


def on_event(work: Work, event: Any) -> None:
    """Every webhook that asked for such events has a delivery; the same again at the same version changes nothing."""
    told = TOLD[type(event)]
    wanted = [hook for hook in _hooks(work) if told.kind in hook.kinds]
    if not wanted:
        return
    work.session.flush()  # the version is that which a reader will find
    row: Any = work.session.get_one(told.row, getattr(event, told.field))
    branch_id = getattr(row, "branch_id", None) or branch_of_patient(work, row.patient_id)
    fresh = [
        insert_once(
            work.session, WebhookDelivery,
            key=f"{hook.id}:{told.kind}:{row.id}:{row.version}", webhook_id=hook.id, branch_id=branch_id,
            kind=told.kind, noun=told.noun, number=row.id, of_version=row.version, happened_at=work.now,
            status=MailStatus.WAITING, next_try_at=work.now, due_at=work.now, attempts=0, log=[],
        )
        for hook in wanted
        if hook.branch_id in (None, branch_id)
    ]  # fmt: skip
    if any(fresh) and (_CACHE, branch_id) not in work.session.info:
        # One job for whatever this transaction tells of the branch.
        work.session.info[(_CACHE, branch_id)] = True
        work.later(JOB, f"{JOB}:{told.kind}:{row.id}:{row.version}", branch_id=branch_id)


def _hooks(work: Work) -> tuple[_Hook, ...]:
    """Asked once in a transaction, however much it tells."""
    if _CACHE not in work.session.info:
        rows = work.session.execute(
            sa.select(Webhook.id, Webhook.branch_id, Webhook.kinds).where(Webhook.active).order_by(Webhook.id)
        )
        work.session.info[_CACHE] = tuple(_Hook(row.id, row.branch_id, frozenset(row.kinds)) for row in rows)
    found: tuple[_Hook, ...] = work.session.info[_CACHE]
    return found


# ------------------------------------------------------------------------------------ keeping them


def secret_of(hook: Webhook, digest: Callable[[str], str]) -> str:
    """What a receiver checks signatures with, as Standard Webhooks writes it. `digest`: of this installation's key."""
    return "whsec_" + base64.b64encode(bytes.fromhex(digest(f"webhook:{hook.id}:{hook.salt}"))).decode()


@permitted("webhook:edit")
def register(
    work: Work, digest: Callable[[str], str], *, url: str, kinds: Iterable[str], branch_id: int | None = None,
    note: str | None = None,
) -> tuple[Webhook, str]:  # fmt: skip
    """The address hears of those kinds from now on. With its secret, which nobody is shown again."""
    _require_place(work, branch_id)
    _require_address(url)
    if work.session.execute(sa.select(sa.func.count(Webhook.id)).where(Webhook.active)).scalar_one() >= MOST:
        raise Conflict(f"There are {MOST} webhooks. Switch off what nobody listens to.", code="too-many-webhooks")
    hook = Webhook(
        branch_id=branch_id, url=url, note=note, kinds=_known(kinds), salt=secrets.token_hex(16), active=True,
        created_at=work.now, created_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(hook)
    _changed(work, hook, "webhook.registered")
    return hook, secret_of(hook, digest)


def _require_place(work: Work, branch_id: int | None) -> None:
    if branch_id is not None:
        require_branch(work, branch_id)
    elif branches_of(work.actor) is not None:
        raise Invalid("Name the branch: you do not work for all of them.", pointer="/branch_id")


def _require_address(url: str) -> None:
    said = why_not(url)
    if said is not None:
        raise Invalid(said, pointer="/url")


def _known(kinds: Iterable[str]) -> list[str]:
    asked = set(kinds)
    if not asked or not asked <= set(KINDS):
        raise Invalid(f"Kinds are some of: {', '.join(KINDS)}.", pointer="/kinds")
    return sorted(asked)


def _changed(work: Work, hook: Webhook, action: str, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.session.info.pop(_CACHE, None)  # what else happens in this transaction is told by what holds now
    work.record(action, f"webhook:{hook.id}", **facts)


def hook_for_change(work: Work, hook_id: int) -> Webhook:
    """The webhook, if it is the actor's to change, locked."""
    found = work.session.execute(sa.select(Webhook.id).where(Webhook.id == hook_id, _mine(work))).scalar()
    if found is None:
        raise NotFound("webhook")
    return locked(work.session, Webhook, hook_id, "webhook")


def _mine(work: Work) -> sa.ColumnElement[bool]:
    mine = branches_of(work.actor)
    return sa.true() if mine is None else Webhook.branch_id.in_(sorted(mine))


@permitted("webhook:edit")
def edit(
    work: Work, hook_id: int, *, url: str | None = None, kinds: Iterable[str] | None = None,
    active: bool | None = None, note: str | None = None,
) -> Webhook:  # fmt: skip
    """The webhook is as it is said; what is None stays. What waits while it is off is told once it is on."""
    hook = hook_for_change(work, hook_id)
    if url is not None:
        _require_address(url)
        hook.url = url
    if kinds is not None:
        hook.kinds = _known(kinds)
    if note is not None:
        hook.note = note
    if active is not None:
        hook.active, hook.off_because = active, None if active else "switched-off"
    _changed(work, hook, "webhook.edited", active=hook.active)
    return hook


@permitted("webhook:edit")
def renew_secret(work: Work, hook_id: int, digest: Callable[[str], str]) -> tuple[Webhook, str]:
    """The old secret signs nothing any more. With the new one, which nobody is shown again."""
    hook = hook_for_change(work, hook_id)
    hook.salt = secrets.token_hex(16)
    _changed(work, hook, "webhook.secret-renewed")
    return hook, secret_of(hook, digest)


@permitted("webhook:read")
def search(work: Work) -> sa.Select[Any]:
    """The webhooks of the actor's branches, without their secrets, as a select for `page`."""
    work.record("webhook.listed", "webhook:list")
    return sa.select(Webhook).where(_mine(work))


# ------------------------------------------------------------------------------------ the log


@permitted("webhook:read")
def deliveries(
    work: Work, *, webhook_id: int | None = None, status: MailStatus | None = None, kind: str | None = None
) -> sa.Select[Any]:
    """What was told, waits or was given up, as a select for `page`, newest first."""
    query = sa.select(WebhookDelivery).join(Webhook, Webhook.id == WebhookDelivery.webhook_id).where(_mine(work))
    if webhook_id is not None:
        query = query.where(WebhookDelivery.webhook_id == webhook_id)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    if kind is not None:
        query = query.where(WebhookDelivery.kind == kind)
    work.record("webhook-delivery.listed", "webhook-delivery:list")
    return query


@permitted("webhook:edit")
def redeliver(work: Work, delivery_id: int) -> WebhookDelivery:
    """What has ended is told once more, now: under the same number, so that the receiver knows it."""
    found = work.session.get(WebhookDelivery, delivery_id)
    if found is None:
        raise NotFound("delivery")
    try:
        hook = hook_for_change(work, found.webhook_id)
    except NotFound:
        raise NotFound("delivery") from None
    row = locked(work.session, WebhookDelivery, delivery_id, "delivery")
    if not hook.active:
        raise Conflict("The webhook is off. Switch it on first.", code="webhook-off", webhook_id=hook.id)
    if row.ended_at is None:
        raise Conflict("It waits to be told already.", code="delivery-waits", next_try_at=row.next_try_at)
    row.status, row.ended_at = MailStatus.WAITING, None
    row.due_at = row.next_try_at = work.now
    work.session.flush()  # the answer says that it waits
    work.record("webhook-delivery.asked-again", f"webhook-delivery:{row.id}")
    work.later(JOB, f"{JOB}:again:{row.id}:{_stamp(work.now)}", branch_id=row.branch_id)
    return row


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
