"""Telling people: a notice to a user or to a role at a branch, once per key; and reading one's own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.access.model import User
from coordinator.access.scope import branches_of, own_lists
from coordinator.core.errors import NotFound
from coordinator.core.work import Work, permitted
from coordinator.jobs.queue import insert_once
from coordinator.notify import chasing, mail
from coordinator.notify.model import Notice


def tell_role(work: Work, *, role: str, branch_id: int, kind: str, subject: str, key: str, **facts: Any) -> None:
    """Everybody who holds `role` at the branch has the notice, and whoever wants it a message; twice changes nothing.

    Asked by other rooms and by handlers, never by a door.
    """
    key = f"{key}:{role}@{branch_id}"
    if _tell(work, kind, subject, key, facts, branch_id=branch_id, role=role):
        mail.post_to_roles(work, [(role, branch_id, kind, _number(work, key))])


def tell_roles(work: Work, notices: Sequence[dict[str, Any]]) -> None:
    """As `tell_role` for each of these (`role`, `branch_id`, `kind`, `subject`, `key`, `facts`), in one statement.

    Asked by other rooms and by handlers, never by a door.
    """
    if not notices:
        return
    make = postgresql.insert if work.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = cast(sa.Table, Notice.__table__)
    fresh = work.session.connection().execute(
        make(table).on_conflict_do_nothing().returning(table.c.role, table.c.branch_id, table.c.kind, table.c.id),
        [
            notice
            | {
                "key": f"{notice['key']}:{notice['role']}@{notice['branch_id']}", "created_at": work.now,
                "facts": {name: value for name, value in notice["facts"].items() if value is not None},
            }
            for notice in notices
        ],
    )  # fmt: skip
    mail.post_to_roles(work, [(role, branch_id, kind, number) for role, branch_id, kind, number in fresh])


def tell_user(
    work: Work, *, user_id: int, kind: str, subject: str, key: str, branch_id: int | None = None, **facts: Any
) -> None:
    """The user has the notice, and a mail if they want any; a second time with the same key changes nothing.

    Asked by other rooms and by handlers, never by a door.
    """
    tell_person(work, user_id, kind=kind, subject=subject, key=key, branch_id=branch_id, facts=facts)


def tell_person(
    work: Work, user_id: int, *, kind: str, subject: str, key: str, branch_id: int | None, facts: dict[str, Any]
) -> None:
    """As `tell_user`, where facts may have any name. Asked by other rooms and by handlers, never by a door."""
    key = f"{key}:user{user_id}"
    if _tell(work, kind, subject, key, facts, branch_id=branch_id, user_id=user_id):
        mail.post(work, user_id=user_id, kind=kind, notice_id=_number(work, key), branch_id=branch_id)


def _number(work: Work, key: str) -> int:
    return work.session.execute(sa.select(Notice.id).where(Notice.key == key)).scalar_one()


def _tell(work: Work, kind: str, subject: str, key: str, facts: dict[str, Any], **whom: Any) -> bool:
    plain = {name: value for name, value in facts.items() if value is not None}
    return insert_once(
        work.session, Notice, kind=kind, subject=subject, key=key, facts=plain, created_at=work.now, **whom
    )  # fmt: skip


def settle(work: Work, *, subjects: Iterable[str], kinds: Iterable[str]) -> int:
    """Unread notices of those kinds about those subjects are read, by nobody: what they ask for is over. How many.

    Asked by other rooms and by handlers, never by a door.
    """
    settled = work.session.execute(
        sa.update(Notice)
        .where(Notice.subject.in_(sorted(set(subjects))), Notice.kind.in_(sorted(set(kinds))), Notice.read_at.is_(None))
        .values(read_at=work.now)
        .returning(Notice.id)
        .execution_options(synchronize_session="fetch")
    )
    return len(settled.all())


def forget(work: Work, subjects: Collection[str]) -> None:
    """Notices about those subjects are gone, read or not. Asked by other rooms and by handlers, never by a door."""
    work.session.execute(sa.delete(Notice).where(Notice.subject.in_(subjects)))


def users_of(
    work: Work, *, clinician_ids: Iterable[int] = (), physician_ids: Iterable[int] = ()
) -> dict[tuple[str, int], list[int]]:
    """The accounts of those clinicians and physicians, by ("clinician" or "physician", number), in one query.

    Asked by other rooms and by handlers, never by a door.
    """
    clinicians, physicians = sorted(set(clinician_ids)), sorted(set(physician_ids))
    rows = work.session.execute(
        sa.select(User.id, User.clinician_id, User.physician_id)
        .where(User.active, sa.or_(User.clinician_id.in_(clinicians), User.physician_id.in_(physicians)))
        .order_by(User.id)
    )
    found: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        if row.clinician_id in clinicians:
            found.setdefault(("clinician", row.clinician_id), []).append(row.id)
        if row.physician_id in physicians:
            found.setdefault(("physician", row.physician_id), []).append(row.id)
    return found


# ------------------------------------------------------------------------------------ reading


def _mine(work: Work) -> sa.ColumnElement[bool]:
    """Notices to oneself, to a role that one holds at a branch that one works for, and to one's profession's list."""
    mine = branches_of(work.actor)
    here = sa.true() if mine is None else sa.or_(Notice.branch_id.is_(None), Notice.branch_id.in_(sorted(mine)))
    to_role = sa.and_(Notice.role.in_(sorted(work.actor.roles)), here)
    lists, branch = own_lists(work.actor)
    to_list = sa.and_(Notice.role.in_(sorted(lists)), Notice.branch_id.in_(branch))
    return sa.or_(Notice.user_id == (work.actor.user_id or 0), to_role, to_list)


@permitted("notice:read")
def search(work: Work, *, unread: bool | None = True, kind: str | None = None) -> sa.Select[Any]:
    """One's notices as a select for `page`, to be ordered by `Notice.newest_first`."""
    query = sa.select(Notice).where(_mine(work))
    if unread is not None:
        query = query.where(Notice.read_at.is_(None) if unread else Notice.read_at.is_not(None))
    if kind is not None:
        query = query.where(Notice.kind == kind)
    return query


@permitted("notice:read")
def read(work: Work, notice_id: int) -> Notice:
    """The notice is read; one to a role is then read for everybody, and says by whom. Twice changes nothing."""
    notice = work.session.execute(
        sa.select(Notice)
        .where(Notice.id == notice_id, _mine(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar()
    if notice is None:
        raise NotFound("notice")
    if notice.read_at is None:
        notice.read_at, notice.read_by_id = work.now, work.actor.user_id
        work.session.flush()  # the answer says when it was read
        work.record("notice.read", f"notice:{notice.id}", kind=notice.kind)
        chasing.on_read(work, notice)
    return notice
