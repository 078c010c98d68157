"""The outbox: a mail stands in the transaction of its cause, is sent later, and nothing waits for the mail server.

Nothing is lost: a mail is a row until it is sent or given up, and what is given up is a task of the clinical manager.
Nothing is doubled: a key has one row, a row one number, which the letter bears however often it is tried (a server
that took it and died before it said so is given the same letter again). Mails say that something waits, never what.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import branches_of
from coordinator.agency import service as agency
from coordinator.core.db import ROW_ID
from coordinator.core.work import Work, permitted
from coordinator.domain.teamwork import Desk, TaskKind, TaskPriority, TaskSource
from coordinator.domain.timeline import ONE_DAY, at_wall_clock, local_day
from coordinator.jobs.context import JobContext
from coordinator.jobs.queue import insert_once
from coordinator.notify.carriers import Carrier, CarrierDown, CarrierRefused, Letter, NotCarried, carrier_of
from coordinator.notify.mail_model import Contact, Mail, MailStatus
from coordinator.notify.words import letter_words
from coordinator.teamwork.tasks import open_task

#: Kinds of notices that wait neither for the morning nor for the digest.
URGENT = frozenset({"visit.decide", "visit.asked", "directives.differ", "safety.opened"})
#: How many mails are claimed at once, and for how long whoever claimed them is taken to be alive.
BATCH, LEASE = 20, timedelta(minutes=10)
JOB = "notify.deliver"
_clinician = sa.table("clinician", sa.column("id", ROW_ID), sa.column("branch_id", ROW_ID))


# ------------------------------------------------------------------------------------ writing


def post(work: Work, *, user_id: int, kind: str, notice_id: int, branch_id: int | None) -> None:
    """A mail about the notice waits for its hour, if the user wants any; a physician's go into one a day.

    Asked by this room alone, when a notice is new.
    """
    found = work.session.execute(
        sa.select(User, Contact.id).join(Contact, Contact.user_id == User.id).where(User.id == user_id, User.active)
    ).one_or_none()
    if found is None:
        return
    branch = branch_id or _branch_of(work, found.User)
    if branch is None:
        return
    urgent = kind in URGENT
    due_at = work.now if urgent else _hour(work, branch, digest=found.User.physician_id is not None)
    if found.User.physician_id is not None and not urgent:
        of_day = local_day(due_at, agency.zone_of(work, branch))
        values: dict[str, Any] = {"key": f"digest:{user_id}:{of_day}", "kind": "digest", "number": None}
    else:
        values = {"key": f"notice:{notice_id}", "kind": "notice", "number": notice_id}
    fresh = insert_once(
        work.session, Mail,
        **values, branch_id=branch, user_id=user_id, status=MailStatus.WAITING, created_at=work.now, due_at=due_at,
        next_try_at=due_at, attempts=0,
    )  # fmt: skip
    if fresh and due_at <= work.now:
        work.later(JOB, f"{JOB}:{values['key']}", branch_id=branch)


def _branch_of(work: Work, user: User) -> int | None:
    if user.branch_ids:
        return int(min(user.branch_ids))
    if user.clinician_id is None:
        return None
    return work.session.execute(
        sa.select(_clinician.c.branch_id).where(_clinician.c.id == user.clinician_id)
    ).scalar()  # fmt: skip


def _hour(work: Work, branch_id: int, *, digest: bool) -> datetime:
    """When it may go, by the branch's wall clock: at the hour of the digest; else now, or in the morning."""
    settings, zone = work.policy.notify, agency.zone_of(work, branch_id)
    today = local_day(work.now, zone)
    if digest:
        at = at_wall_clock(today, time(settings.digest_hour), zone)
        return at if at > work.now else at_wall_clock(today + ONE_DAY, time(settings.digest_hour), zone)
    hour = work.now.astimezone(zone).hour
    if hour >= settings.quiet_from_hour:
        return at_wall_clock(today + ONE_DAY, time(settings.quiet_until_hour), zone)
    if hour < settings.quiet_until_hour:
        return at_wall_clock(today, time(settings.quiet_until_hour), zone)
    return work.now


# ------------------------------------------------------------------------------------ sending


@dataclass(frozen=True, slots=True)
class _Claimed:
    mail_id: int
    letter: Letter | None


def deliver_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `notify.deliver`: what is due at the branch is sent, with no transaction open while the server is asked."""
    deliver(context, int(arguments["branch_id"]), carrier_of(context.settings))


def deliver(context: JobContext, branch_id: int, carrier: Carrier) -> int:
    """Send what is due, a batch at a time, until nothing is or the server is down; how many went out."""
    sent = 0
    while True:
        with context.work() as work:
            claimed = _claim(work, branch_id)
        if not claimed:
            return sent
        for place, one in enumerate(claimed):
            context.heartbeat()
            problem: NotCarried | None = None
            try:
                if one.letter is not None:
                    carrier.carry(one.letter)
            except NotCarried as failed:
                problem = failed
            down = isinstance(problem, CarrierDown)
            with context.work() as work:
                if problem is None:
                    _done(work, one)
                    sent += one.letter is not None
                # A server that is down is down for all of them: they wait, and nobody asks it again now.
                for left in [] if problem is None else claimed[place:] if down else [one]:
                    assert problem is not None
                    _postpone(work, left.mail_id, problem.code, for_good=isinstance(problem, CarrierRefused))
            if down:
                return sent


def _claim(work: Work, branch_id: int) -> list[_Claimed]:
    rows = (
        work.session.execute(
            sa.select(Mail)
            .where(
                Mail.branch_id == branch_id,
                Mail.status.in_([MailStatus.WAITING, MailStatus.SENDING]),
                Mail.next_try_at <= work.now,
            )
            .order_by(Mail.next_try_at, Mail.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        .scalars()
        .all()
    )
    return [_Claimed(mail_id=row.id, letter=_letter(work, row)) for row in rows if _lease(row, work.now)]


def _lease(row: Mail, now: datetime) -> bool:
    row.status, row.next_try_at = MailStatus.SENDING, now + LEASE
    return True


def _letter(work: Work, row: Mail) -> Letter | None:
    """What is sent, to where its reader wants it now; None if nobody does any more."""
    found = work.session.execute(
        sa.select(Contact).join(User, User.id == Contact.user_id).where(User.id == row.user_id, User.active)
    ).scalar()
    if found is None:
        return None
    subject, text = letter_words(row.kind, row.number, found.language)
    number = hashlib.sha256(row.key.encode()).hexdigest()[:32]
    return Letter(to=found.email, subject=subject, text=text, number=number, at=work.now)


def _locked(work: Work, mail_id: int) -> Mail | None:
    """The mail, if it is still being sent: another may have taken it over."""
    return work.session.execute(
        sa.select(Mail).where(Mail.id == mail_id, Mail.status == MailStatus.SENDING).with_for_update()
    ).scalar()


def _done(work: Work, one: _Claimed) -> None:
    row = _locked(work, one.mail_id)
    if row is None:
        return
    row.status = MailStatus.SENT if one.letter is not None else MailStatus.WITHDRAWN
    row.ended_at, row.problem = work.now, None
    row.attempts += 1
    work.record(f"mail.{row.status.value}", f"mail:{row.id}", attempts=row.attempts)


def _postpone(work: Work, mail_id: int, problem: str, *, for_good: bool) -> None:
    row = _locked(work, mail_id)
    if row is None:
        return
    settings = work.policy.notify
    row.attempts += 1
    row.problem = problem
    if for_good or work.now >= row.due_at + timedelta(hours=settings.give_up_hours):
        _give_up(work, row)
        return
    wait = min(settings.first_wait_minutes * 2 ** min(row.attempts - 1, 16), settings.longest_wait_minutes)
    row.status, row.next_try_at = MailStatus.WAITING, work.now + timedelta(minutes=wait)


def _give_up(work: Work, row: Mail) -> None:
    """Nobody waits any longer: the clinical manager is asked to reach the person otherwise, today."""
    row.status, row.ended_at = MailStatus.GIVEN_UP, work.now
    work.record("mail.given-up", f"mail:{row.id}", outcome="fail", problem=row.problem, attempts=row.attempts)
    open_task(
        work, patient_id=None, branch_id=row.branch_id, kind=TaskKind.REACH_OTHERWISE, source=TaskSource.SYSTEM,
        source_ref=f"mail:{row.id}", owner_role=Desk.CLINICAL_MANAGER, due=agency.today(work, row.branch_id),
        priority=TaskPriority.URGENT, about=f"user:{row.user_id}",
    )  # fmt: skip


# ------------------------------------------------------------------------------------ at the doors


@permitted("notice:read")
def my_contact(work: Work) -> Contact | None:
    """Where the actor wants to hear of notices; None: in the product alone."""
    return work.session.execute(sa.select(Contact).where(Contact.user_id == work.actor.user_id)).scalar()


@permitted("notice:read")
def set_contact(work: Work, email: str, language: str) -> Contact:
    """The actor hears of their notices at that address, from now on."""
    found = my_contact(work)
    if found is None:
        insert_once(
            work.session, Contact, user_id=work.actor.user_id, email=email, language=language, version=1
        )  # fmt: skip
        found = my_contact(work)
        assert found is not None
    found.email, found.language = email, language
    work.record("contact.set", f"user:{work.actor.user_id}")
    return found


@permitted("notice:read")
def forget_contact(work: Work) -> None:
    """The actor hears of their notices in the product alone; what waits for them is withdrawn when its hour comes."""
    work.session.execute(sa.delete(Contact).where(Contact.user_id == work.actor.user_id))
    work.record("contact.forgotten", f"user:{work.actor.user_id}")


@permitted("delivery:read")
def deliveries(work: Work, *, status: MailStatus | None = None, user_id: int | None = None) -> sa.Select[Any]:
    """The log of mails to people of the actor's branches, as a select for `page`, newest first."""
    query = sa.select(Mail)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(Mail.branch_id.in_(sorted(mine)))
    if status is not None:
        query = query.where(Mail.status == status)
    if user_id is not None:
        query = query.where(Mail.user_id == user_id)
    work.record("delivery.listed", "mail:list")
    return query
