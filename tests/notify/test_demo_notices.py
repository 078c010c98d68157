"""Who opens the demo finds notices of what is still to be done, and a referral that lacks nothing."""

import sqlalchemy as sa

from coordinator.access.service import installer_actor
from coordinator.core.http import Coordinator
from coordinator.demo.agency import OnceDoorman, load
from coordinator.notify.model import Notice
from coordinator.orders.model import Order
from coordinator.referrals.content import facts_of
from coordinator.referrals.model import Referral
from coordinator.rules.referrals import missing_content
from tests.conftest import WorkAs


def test_only_orders_that_still_wait_are_on_a_physicians_list(app: Coordinator, work_as: WorkAs) -> None:
    settings = app.extensions["settings"]
    with work_as(installer_actor("demo")) as work:
        load(work, OnceDoorman(settings), settings.directory_path, number_of_patients=6, number_of_clinicians=8)
        unread = set(work.session.scalars(sa.select(Notice.subject).where(Notice.read_at.is_(None))))
        waits = set(work.session.scalars(sa.select(Order.id).where(Order.signed_at.is_(None))))
        assert {subject for subject in unread if subject.startswith("order:")} == {
            f"order:{number}" for number in waits
        }
        assert waits
        read = work.session.scalars(sa.select(Notice.kind).where(Notice.read_at.is_not(None)))
        assert set(read) == {"order.sent", "order.signed"}
        referral = work.session.scalars(sa.select(Referral)).one()
        assert missing_content(facts_of(referral)) == ()
