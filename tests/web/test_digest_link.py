"""The link in a physician's mail of the day: it opens what waits after signing in, once, for its reader alone."""

import re
from datetime import timedelta

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.notify import mail
from coordinator.notify.carriers import Letter
from coordinator.notify.mail_model import Contact
from coordinator.notify.service import tell_user
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import at
from tests.web.visitor import PASSWORD, Visitor, visitor

DAY_AFTER = NOW + timedelta(days=1, hours=12)


class Kept:
    """A carrier that keeps what it was given."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def carry(self, letter: Letter) -> None:
        self.letters.append(letter)


def test_the_link_opens_the_queue_once_after_signing_in(app: Coordinator, database: Database, work_as: WorkAs) -> None:
    with database.transaction() as session:
        branch = builders.make_branch(session).id
        physician, other = builders.make_physician(session).id, builders.make_physician(session).id
    with at():
        visitor(app, database, "physician", physician_id=physician, branch_ids=[branch])
    with database.transaction() as session:
        user = session.scalars(sa.select(User).where(User.physician_id == physician)).one()
        number, name = user.id, user.username
        session.add(Contact(user_id=number, email="doctor@example.org", language="en"))
    kept = Kept()
    for day in (0, 1):
        with work_as(now=NOW + timedelta(days=day)) as work:
            tell_user(work, user_id=number, kind="order.sent", subject="order:1", key=f"a:{day}", branch_id=branch)
        due = NOW + timedelta(days=day + 1)
        assert mail.deliver(builders.make_job_context(app, mail.JOB, now=due), branch, kept) == 1
    first, second = (re.findall(r"https://\S+/q/\S+", letter.text)[0].removeprefix(
        "https://coordinator.example.org") for letter in kept.letters)  # fmt: skip
    assert first != second
    with database.session(write=False) as session:
        assert first.removeprefix("/q/") not in str(session.execute(sa.text("SELECT * FROM sign_in_step")).all())

    with at(DAY_AFTER):
        stranger = Visitor(app)
        page = stranger.open(first)
        assert page.status_code == 200, "the page itself uses nothing up"
        assert "Open what waits for me" in page.text
        asked = stranger.send(first)
        assert asked.location == f"/sign-in?next={first}&ended=1"
        stranger.open(asked.location)
        assert stranger.send("/sign-in", username=name, password=PASSWORD).location == first
        assert "0 orders, 0 decisions" in stranger.open(first).text
        assert stranger.send(first).location == "/orders-to-sign/"
        stranger.open(first)
        replayed = stranger.send(first)
        assert (replayed.status_code, "was used already" in replayed.text) == (410, True)

        colleague = visitor(app, database, "physician", physician_id=other, branch_ids=[branch])
        colleague.open(second)
        assert colleague.send(second).status_code == 410, "somebody else's"
        colleague.open("/q/made-up")
        assert colleague.send("/q/made-up").status_code == 410
    with at(NOW + timedelta(days=6)):
        late = visitor(app, database, "scheduler", branch_ids=[branch])
        late.open(second)
        assert late.send(second).status_code == 410
    with database.session(write=False) as session:
        told = session.execute(
            sa.select(AuditEvent.action, AuditEvent.subject).where(AuditEvent.action.like("digest-link.%"))
        ).all()
    assert told[0] == ("digest-link.followed", f"user:{number}")
    assert [action for action, _ in told[1:]] == ["digest-link.refused"] * 4
