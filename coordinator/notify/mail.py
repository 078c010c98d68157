"""The outbox: a message stands in the transaction of its cause, is sent later, and nothing waits for the server.

Nothing is lost: a mail is a row until it is sent or given up, and what is given up is a task of the clinical manager.
Nothing is doubled: a key has one row, a row one number, which the letter bears however often it is tried (a server
that took it and died before it said so is given the same letter again). Nothing is blocked: each channel is a queue of
its own. Messages say that something waits, never what.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.scope import LISTED, branches_of
from coordinator.access.service import Doorman
from coordinator.agency import service as agency
from coordinator.core.db import ROW_ID
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.teamwork import Desk, TaskKind, TaskPriority, TaskSource, desks_of
from coordinator.domain.timeline import ONE_DAY, at_wall_clock, local_day
from coordinator.domain.vocabulary import Role
from coordinator.jobs.context import JobContext
from coordinator.jobs.queue import insert_once
from coordinator.notify.carriers import Carrier, CarrierDown, CarrierRefused, Letter, NotCarried, carriers_of
from coordinator.notify.digest_links import make_link
from coordinator.notify.mail_model import Channel, Contact, Mail, MailStatus
from coordinator.notify.words import letter_words
from coordinator.teamwork.tasks import open_task

#: Kinds of notices that wait neither for the morning nor for the digest.
URGENT = frozenset({"visit.decide", "visit.asked", "visit.unheard", "directives.differ", "safety.opened"})
#: How many mails are claimed at once, and for how long whoever claimed them is taken to be alive.
BATCH, LEASE = 20, timedelta(minutes=10)
JOB = "notify.deliver"
_clinician = sa.table(
    "clinician", sa.column("id", ROW_ID), sa.column("branch_id", ROW_ID), sa.column("performer", sa.String())
)


# ------------------------------------------------------------------------------------ writing


def post(work: Work, *, user_id: int, kind: str, notice_id: int, branch_id: int | None) -> None:
    """A message about the notice waits for its hour, if the user wants any; a physician's go into one a day.

    Asked by this room alone, when a notice is new.
    """
    found = work.session.execute(
        sa.select(User, Contact).join(Contact, Contact.user_id == User.id).where(User.id == user_id, User.active)
    ).one_or_none()
    if found is None:
        return
    user, contact = found
    branch = branch_id or _branch_of(work, user)
    if branch is None:
        return
    if user.physician_id is not None and kind not in URGENT:
        due_at = _digest_at(work, branch)
        of_day = local_day(due_at, agency.zone_of(work, branch))
        _gathered(work, contact, branch, "digest", f"digest:{user_id}:{of_day}", due_at)
        return
    due_at = work.now if kind in URGENT else _by_day(work, branch, work.now)
    _single(work, contact, branch, notice_id, f"notice:{notice_id}", due_at)


def post_to_roles(work: Work, told: Iterable[tuple[str, int, str, int]]) -> None:
    """Whoever holds the role at the branch, and wants to, hears that something came: (role, branch, kind, notice).

    What is urgent goes at once, a message each; all else is gathered into one mail for each person and stretch of time.
    Asked by this room alone, when notices are new.
    """
    new = sorted(set(told))
    if not new:
        return
    for row in _who_wants(work):
        mine = [(branch, kind, number) for role, branch, kind, number in new if _holds(row, role, branch)]
        for branch, _, number in [one for one in mine if one[1] in URGENT]:
            _single(work, row.Contact, branch, number, f"notice:{number}:user{row.id}", work.now)
        rest = [branch for branch, kind, _ in mine if kind not in URGENT]
        if rest:
            stretch = work.policy.notify.role_mail_minutes * 60
            end = datetime.fromtimestamp((int(work.now.timestamp()) // stretch + 1) * stretch, tz=work.now.tzinfo)
            due_at = _by_day(work, rest[0], end)
            _gathered(work, row.Contact, rest[0], "roles", f"roles:{row.id}:{due_at.isoformat()}", due_at)


def _who_wants(work: Work) -> list[Any]:
    return list(
        work.session.execute(
            sa.select(
                Contact, User.id, User.roles, User.branch_ids, _clinician.c.branch_id.label("home"),
                _clinician.c.performer,
            )
            .join(User, User.id == Contact.user_id)
            .outerjoin(_clinician, _clinician.c.id == User.clinician_id)
            .where(User.active, Contact.of_roles)
            .order_by(User.id)
        )
    )  # fmt: skip


def _holds(row: Any, role: str, branch_id: int) -> bool:
    """As `service._mine` shows notices to a role: whoever holds it there, and whose profession's list it is."""
    if role in row.roles and (branch_id in row.branch_ids or (role == Role.ADMINISTRATOR and not row.branch_ids)):
        return True
    lists = desks_of({Role.CLINICIAN.value} & set(row.roles), row.performer) & LISTED
    return branch_id == row.home and role in lists


def _single(work: Work, contact: Contact, branch_id: int, number: int, key: str, due_at: datetime) -> None:
    """One notice, by every way that the person has named."""
    for channel in [Channel.EMAIL] * bool(contact.email) + [Channel.SMS] * bool(contact.phone):
        ending = "" if channel is Channel.EMAIL else f":{channel.value}"
        _write(work, contact, branch_id, channel, "notice", number, key + ending, due_at)


def _gathered(work: Work, contact: Contact, branch_id: int, kind: str, key: str, due_at: datetime) -> None:
    """Several notices in one: by mail alone."""
    if contact.email:
        _write(work, contact, branch_id, Channel.EMAIL, kind, None, key, due_at)


def _write(
    work: Work, contact: Contact, branch_id: int, channel: Channel, kind: str, number: int | None, key: str,
    due_at: datetime,
) -> None:  # fmt: skip
    fresh = insert_once(
        work.session, Mail,
        key=key, kind=kind, number=number, branch_id=branch_id, user_id=contact.user_id, channel=channel,
        status=MailStatus.WAITING, created_at=work.now, due_at=due_at, next_try_at=due_at, attempts=0,
    )  # fmt: skip
    if fresh and due_at <= work.now:
        work.later(JOB, f"{JOB}:{key}", branch_id=branch_id)


def _branch_of(work: Work, user: User) -> int | None:
    if user.branch_ids:
        return int(min(user.branch_ids))
    if user.clinician_id is None:
        return None
    return work.session.execute(
        sa.select(_clinician.c.branch_id).where(_clinician.c.id == user.clinician_id)
    ).scalar()  # fmt: skip


def _digest_at(work: Work, branch_id: int) -> datetime:
    """The next hour of the digest, by the branch's wall clock."""
    zone, hour = agency.zone_of(work, branch_id), time(work.policy.notify.digest_hour)
    today = local_day(work.now, zone)
    at = at_wall_clock(today, hour, zone)
    return at if at > work.now else at_wall_clock(today + ONE_DAY, hour, zone)


def _by_day(work: Work, branch_id: int, moment: datetime) -> datetime:
    """That moment, or the morning after it where it is night by the branch's wall clock."""
    settings, zone = work.policy.notify, agency.zone_of(work, branch_id)
    day, hour = local_day(moment, zone), moment.astimezone(zone).hour
    if hour >= settings.quiet_from_hour:
        return at_wall_clock(day + ONE_DAY, time(settings.quiet_until_hour), zone)
    if hour < settings.quiet_until_hour:
        return at_wall_clock(day, time(settings.quiet_until_hour), zone)
    return moment


# ------------------------------------------------------------------------------------ sending


@dataclass(frozen=True, slots=True)
class _Claimed:
    mail_id: int
    letter: Letter | None


def deliver_job(context: JobContext, arguments: dict[str, Any]) -> None:
    """Job `notify.deliver`: what is due at the branch is sent, with no transaction open while the server is asked."""
    for channel, carrier in carriers_of(context.settings).items():
        deliver(context, int(arguments["branch_id"]), carrier, channel)


def deliver(context: JobContext, branch_id: int, carrier: Carrier, channel: Channel = Channel.EMAIL) -> int:
    """Send what is due, a batch at a time, until nothing is or the server is down; how many went out."""
    sent = 0
    while True:
        with context.work() as work:
            claimed = _claim(work, Doorman(context.settings), branch_id, channel)
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


def _claim(work: Work, doorman: Doorman, branch_id: int, channel: Channel) -> list[_Claimed]:
    rows = (
        work.session.execute(
            sa.select(Mail)
            .where(
                Mail.branch_id == branch_id,
                Mail.channel == channel,
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
    return [_Claimed(mail_id=row.id, letter=_letter(work, doorman, row)) for row in rows if _lease(row, work.now)]


def _lease(row: Mail, now: datetime) -> bool:
    row.status, row.next_try_at = MailStatus.SENDING, now + LEASE
    return True


def _letter(work: Work, doorman: Doorman, row: Mail) -> Letter | None:
    """What is sent, to where its reader wants it now; None if nobody does any more."""
    found = work.session.execute(
        sa.select(Contact).join(User, User.id == Contact.user_id).where(User.id == row.user_id, User.active)
    ).scalar()
    to = None if found is None else found.email if row.channel is Channel.EMAIL else found.phone
    if found is None or to is None:
        return None
    link = make_link(work, doorman, row.user_id) if row.kind == "digest" else None
    subject, text = letter_words(row.kind, row.number, found.language, link)
    number = hashlib.sha256(row.key.encode()).hexdigest()[:32]
    return Letter(to=to, subject=subject, text=text, number=number, at=work.now)


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
def set_contact(
    work: Work, *, email: str | None = None, phone: str | None = None, language: str = "en", of_roles: bool = False
) -> Contact:  # fmt: skip
    """The actor hears of their notices there, from now on; with `of_roles`, of what their roles are told as well."""
    if email is None and phone is None:
        raise Invalid("Name a mail address, a telephone number, or both.", pointer="/email")
    if of_roles and email is None:
        raise Invalid("What comes for a role is gathered into mails: name a mail address.", pointer="/email")
    found = my_contact(work)
    if found is None:
        insert_once(
            work.session, Contact,
            user_id=work.actor.user_id, email=email, phone=phone, language=language, of_roles=of_roles, version=1,
        )  # fmt: skip
        found = my_contact(work)
        assert found is not None
    found.email, found.phone, found.language, found.of_roles = email, phone, language, of_roles
    work.record("contact.set", f"user:{work.actor.user_id}")
    return found


@permitted("notice:read")
def forget_contact(work: Work) -> None:
    """The actor hears of their notices in the product alone; what waits for them is withdrawn when its hour comes."""
    work.session.execute(sa.delete(Contact).where(Contact.user_id == work.actor.user_id))
    work.record("contact.forgotten", f"user:{work.actor.user_id}")


@permitted("delivery:read")
def deliveries(
    work: Work, *, status: MailStatus | None = None, user_id: int | None = None, channel: Channel | None = None
) -> sa.Select[Any]:
    """The log of messages to people of the actor's branches, as a select for `page`, newest first."""
    query = sa.select(Mail)
    mine = branches_of(work.actor)
    if mine is not None:
        query = query.where(Mail.branch_id.in_(sorted(mine)))
    if status is not None:
        query = query.where(Mail.status == status)
    if user_id is not None:
        query = query.where(Mail.user_id == user_id)
    if channel is not None:
        query = query.where(Mail.channel == channel)
    work.record("delivery.listed", "mail:list")
    return query
