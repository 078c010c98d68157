"""Webhooks on their way: signed as Standard Webhooks 1.0 has it, tried again with longer waits, given up loudly.

Nothing is lost: a delivery is a row until it was taken or given up. Nothing is doubled for a receiver that looks at
`webhook-id`, which stays the same however often one delivery is tried. Nothing is blocked: a receiver that is down is
asked about one delivery at a time and keeps nobody else's waiting; no transaction is open while it is asked.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from standardwebhooks.webhooks import Webhook as Signer

from coordinator.access.service import Doorman
from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.domain.teamwork import Desk, TaskKind, TaskPriority, TaskSource
from coordinator.jobs.context import JobContext
from coordinator.notify import posting
from coordinator.notify.hook_model import Webhook, WebhookDelivery
from coordinator.notify.hooks import secret_of
from coordinator.notify.mail_model import MailStatus
from coordinator.teamwork.tasks import open_task

BATCH, LEASE = 20, timedelta(minutes=10)
#: Sends a body with headers to an address and answers with the status; NoAnswer if nobody answers.
Post = Callable[[str, bytes, Mapping[str, str]], int]
_GONE = 410


@dataclass(frozen=True, slots=True)
class _Claimed:
    delivery_id: int
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one attempt: a status, or why there is none."""

    answer: int | None
    problem: str | None

    @property
    def taken(self) -> bool:
        return self.answer is not None and 200 <= self.answer < 300

    @property
    def of_receiver(self) -> bool:
        """Whether the receiver as a whole is not to be had, rather than this delivery not wanted."""
        return self.answer is None or self.answer == 429 or self.answer >= 500


def deliver_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `notify.webhooks`: what is due at the branch is told, to public addresses alone."""
    deliver(context, int(arguments["branch_id"]), partial(posting.post, admits=posting.is_public))


def deliver(context: JobContext, branch_id: int, post: Post) -> int:
    """Tell what is due, one receiver after another; how many deliveries were taken."""
    with context.work() as work:
        due = work.session.execute(
            sa.select(WebhookDelivery.webhook_id)
            .where(*_due(work, branch_id))
            .distinct()
            .order_by(WebhookDelivery.webhook_id)
        ).scalars().all()  # fmt: skip
    return sum(_deliver_to(context, branch_id, webhook_id, post) for webhook_id in due)


def _due(work: Work, branch_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        WebhookDelivery.branch_id == branch_id,
        WebhookDelivery.status.in_([MailStatus.WAITING, MailStatus.SENDING]),
        WebhookDelivery.next_try_at <= work.now,
    )


def _deliver_to(context: JobContext, branch_id: int, webhook_id: int, post: Post) -> int:
    taken = 0
    while True:
        with context.work() as work:
            claimed = _claim(work, branch_id, webhook_id, Doorman(context.settings).digest)
        if not claimed:
            return taken
        for place, one in enumerate(claimed):
            context.heartbeat()
            try:
                answer = post(one.url, one.body, one.headers)
                outcome = _Outcome(answer, None if 200 <= answer < 300 else f"answered-{answer}")
            except posting.NoAnswer as silent:
                outcome = _Outcome(None, silent.code)
            with context.work() as work:
                _note(work, one.delivery_id, outcome)
                if outcome.of_receiver or outcome.answer == _GONE:
                    # What was claimed with it waits for the same hour, without having been tried.
                    for left in claimed[place + 1 :]:
                        _put_back(work, left.delivery_id, one.delivery_id)
                if outcome.answer == _GONE:
                    _switch_off(work, webhook_id)
            taken += outcome.taken
            if outcome.of_receiver or outcome.answer == _GONE:
                return taken


def _claim(work: Work, branch_id: int, webhook_id: int, digest: Callable[[str], str]) -> list[_Claimed]:
    hook = work.session.get_one(Webhook, webhook_id)
    rows = (
        work.session.execute(
            sa.select(WebhookDelivery)
            .where(*_due(work, branch_id), WebhookDelivery.webhook_id == webhook_id)
            .order_by(WebhookDelivery.next_try_at, WebhookDelivery.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        .scalars()
        .all()
    )
    if not hook.active:
        for row in rows:
            _rest(work, row)
        return []
    signer = Signer(secret_of(hook, digest))
    claimed = []
    for row in rows:
        row.status, row.next_try_at = MailStatus.SENDING, work.now + LEASE
        claimed.append(_Claimed(row.id, hook.url, body := _body(row), _headers(row, signer, body, work.now)))
    return claimed


def _body(row: WebhookDelivery) -> bytes:
    """The same bytes at each attempt: what happened when, to which row, and its version then."""
    said = {
        "type": row.kind, "timestamp": row.happened_at.isoformat(),
        "data": {f"{row.noun}_id": row.number, "version": row.of_version},
    }  # fmt: skip
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def _headers(row: WebhookDelivery, signer: Signer, body: bytes, now: datetime) -> dict[str, str]:
    number = message_id(row.key)
    return {
        "Content-Type": "application/json",
        "User-Agent": "coordinator-webhooks",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(number, now, body.decode()),
    }


def message_id(key: str) -> str:
    """What a receiver knows a second copy by."""
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _sending(work: Work, delivery_id: int) -> WebhookDelivery | None:
    """The delivery, if it is still being sent: another may have taken it over."""
    return work.session.execute(
        sa.select(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.status == MailStatus.SENDING)
        .with_for_update()
    ).scalar()


def _note(work: Work, delivery_id: int, outcome: _Outcome) -> None:
    row = _sending(work, delivery_id)
    if row is None:
        return
    row.attempts += 1
    if not outcome.taken:
        _later(work, row, outcome.problem, outcome.answer)
        return
    row.log = [*row.log, {"at": work.now.isoformat(), "answer": outcome.answer, "problem": None}]
    row.status, row.ended_at = MailStatus.SENT, work.now
    work.record("webhook-delivery.sent", f"webhook-delivery:{row.id}", attempts=row.attempts)


def _later(work: Work, row: WebhookDelivery, problem: str | None, answer: int | None) -> None:
    settings = work.policy.notify
    row.log = [*row.log, {"at": work.now.isoformat(), "answer": answer, "problem": problem}]
    if work.now >= row.due_at + timedelta(hours=settings.webhook_give_up_hours):
        _give_up(work, row, problem)
        return
    wait = min(settings.first_wait_minutes * 2 ** min(max(row.attempts - 1, 0), 16), settings.longest_wait_minutes)
    row.status, row.next_try_at = MailStatus.WAITING, work.now + timedelta(minutes=wait)


def _rest(work: Work, row: WebhookDelivery) -> None:
    """Nobody is asked while the webhook is off; what was not told when its time is up is given up."""
    settings = work.policy.notify
    if work.now >= row.due_at + timedelta(hours=settings.webhook_give_up_hours):
        _give_up(work, row, "webhook-off")
        return
    row.status, row.next_try_at = MailStatus.WAITING, work.now + timedelta(minutes=settings.longest_wait_minutes)


def _put_back(work: Work, delivery_id: int, tried_id: int) -> None:
    row = _sending(work, delivery_id)
    if row is not None:
        tried = work.session.get_one(WebhookDelivery, tried_id)
        row.status, row.next_try_at = MailStatus.WAITING, max(tried.next_try_at, work.now)


def _give_up(work: Work, row: WebhookDelivery, problem: str | None) -> None:
    """It is told no more; once a day and receiver an administrator is asked to see to it, and may redeliver it."""
    row.status, row.ended_at = MailStatus.GIVEN_UP, work.now
    work.record(
        "webhook-delivery.given-up", f"webhook-delivery:{row.id}", outcome="fail", problem=problem,
        attempts=row.attempts,
    )  # fmt: skip
    today = agency.today(work, row.branch_id)
    open_task(
        work, patient_id=None, branch_id=row.branch_id, kind=TaskKind.REACH_OTHERWISE, source=TaskSource.SYSTEM,
        source_ref=f"webhook:{row.webhook_id}:{today}", owner_role=Desk.ADMINISTRATOR, due=today,
        priority=TaskPriority.URGENT, about=f"webhook:{row.webhook_id}",
    )  # fmt: skip


def _switch_off(work: Work, webhook_id: int) -> None:
    """The receiver says that it is gone for good: nothing is sent there until an administrator switches it on."""
    hook = work.session.get_one(Webhook, webhook_id)
    hook.active, hook.off_because = False, "gone"
    work.record("webhook.gone", f"webhook:{hook.id}", outcome="fail")
