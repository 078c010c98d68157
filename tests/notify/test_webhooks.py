"""Programs of others hear of events: signed, tried again, given up loudly, told again, and never within the house.

The receiver is a real one, over TLS, that is killed and comes back.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from freezegun import freeze_time
from standardwebhooks.webhooks import Webhook as Checker
from standardwebhooks.webhooks import WebhookVerificationError

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.events import VisitBooked, VisitCancelled, VisitMoved
from coordinator.domain.vocabulary import Role
from coordinator.jobs.context import JobContext
from coordinator.jobs.model import QueuedJob
from coordinator.notify import hook_sending, hooks, posting
from coordinator.notify.hook_model import Webhook, WebhookDelivery
from coordinator.teamwork.model import Task
from coordinator.visits.model import Visit
from coordinator.wiring import CLOCK, HANDLERS, JOBS
from tests.builders import make_branch, make_clinician, make_episode, make_job_context, make_patient, make_visit
from tests.conftest import WorkAs
from tests.notify.receiver import Receiver
from tests.people import at, browser, pointers

NOON = datetime(2026, 11, 10, 12, tzinfo=ZoneInfo("America/Los_Angeles"))
BODY = {"url": "https://hooks.example.org/x", "kinds": ["visit.moved", "visit.booked"]}


class Scene:
    """A branch with one visit, an administrator, and a receiver that is down until it is opened."""

    def __init__(self, app: Coordinator, database: Database, work_as: WorkAs, receiver: Receiver) -> None:
        self.app, self.database, self.work_as, self.receiver = app, database, work_as, receiver
        with database.transaction() as session:
            branch = make_branch(session)
            patient = make_patient(session, branch)
            nurse = make_clinician(session, branch)
            visit = make_visit(session, patient, make_episode(session, patient))
            self.branch, self.visit, self.nurse = branch.id, visit.id, nurse.id
        self.admin = browser(app, database, Role.ADMINISTRATOR, branch_ids=[])
        with receiver.open():
            pass  # it has a port, and is dead now

    def register(self, *, branch_id: int | None = None, url: str | None = None) -> tuple[int, str]:
        """A webhook whose address is the receiver's, which nobody could register: it is of the house."""
        with at(NOON):
            made = self.admin.post("/webhooks", BODY | {"branch_id": branch_id})
        assert made.status_code == 201, made.json
        with self.database.transaction() as session:
            session.get_one(Webhook, made.json["id"]).url = url or self.receiver.url
        return int(made.json["id"]), str(made.json["secret"])

    def happens(self, *kinds: type, now: datetime = NOON, edits: bool = True) -> None:
        with self.work_as(now=now) as work:
            work.handlers = dict.fromkeys(kinds, (hooks.on_event,))
            visit = work.session.get_one(Visit, self.visit)
            for kind in kinds:
                if edits:
                    visit.minutes += 1
                more = {"old_clinician_id": None} if kind is VisitMoved else {}
                work.publish(kind(visit_id=visit.id, clinician_id=self.nurse, **more))

    def deliver(self, now: datetime, *, admits: posting.Admits | None = None) -> int:
        send = partial(posting.post, admits=admits, context=self.receiver.context)
        return hook_sending.deliver(self.context(now), self.branch, send)

    def context(self, now: datetime) -> JobContext:
        return make_job_context(self.app, hooks.JOB, now=now)

    def rows(self) -> list[WebhookDelivery]:
        with self.database.session(write=False) as session:
            return list(session.execute(sa.select(WebhookDelivery).order_by(WebhookDelivery.id)).scalars())

    def states(self) -> list[tuple[str, int]]:
        return [(row.status.value, row.attempts) for row in self.rows()]


@pytest.fixture
def scene(app: Coordinator, database: Database, work_as: WorkAs, tmp_path: Path) -> Scene:
    return Scene(app, database, work_as, Receiver(tmp_path))


def test_a_receiver_that_dies_loses_nothing_doubles_nothing_and_blocks_nothing(scene: Scene, tmp_path: Path) -> None:
    other = Receiver(tmp_path / "other")
    _, secret = scene.register()
    with other.open():
        scene.register(branch_id=scene.branch, url=other.url)
        scene.happens(VisitBooked, VisitMoved)
        scene.happens(VisitBooked, edits=False)  # another kind, of the version that there is
        scene.happens(VisitMoved, VisitCancelled, edits=False)  # heard of already; and one that nobody asked for
        assert scene.states() == [("waiting", 0)] * 6
        trusts = partial(posting.post, admits=None, context=other.context)
        assert hook_sending.deliver(scene.context(NOON), scene.branch, trusts) == 3
    assert len(other.requests()) == 3, "one that is down keeps nobody else's waiting"
    # The dead one was asked once for all of its three, and is not asked again before its time.
    waiting = [row for row in scene.rows() if row.ended_at is None]
    assert [(row.attempts, len(row.log)) for row in waiting] == [(1, 1), (0, 0), (0, 0)]
    assert waiting[0].log[0]["problem"] == "server-down"
    assert scene.deliver(NOON + timedelta(seconds=59)) == 0
    moment, waits = NOON + timedelta(minutes=1), []
    for _ in range(7):
        assert scene.deliver(moment) == 0
        tried = max((row for row in scene.rows() if row.ended_at is None), key=lambda row: len(row.log))
        waits.append(int((tried.next_try_at - moment).total_seconds()) // 60)
        moment = tried.next_try_at
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    with scene.receiver.open("dies-before-answer"):
        assert scene.deliver(moment) == 0
    moment += timedelta(hours=1)
    with scene.receiver.open():
        assert scene.deliver(moment) == 3
        assert scene.deliver(moment + timedelta(hours=2)) == 0
    taken = scene.receiver.requests()
    numbers = [request["headers"]["webhook-id"] for request in taken]
    assert (len(numbers), len(set(numbers))) == (4, 3), "what was told twice bears the same number"
    assert {status for status, _ in scene.states()} == {"sent"}
    _checked(taken, secret, moment)


def _checked(taken: list[dict[str, Any]], secret: str, moment: datetime) -> None:
    """Signed as the library of the receivers wants it, and nothing but kinds, numbers and versions in it."""
    with freeze_time(moment):
        for request in taken[1:]:
            said = Checker(secret).verify(request["body"], request["headers"])
            assert set(said) == {"type", "timestamp", "data"}
            assert set(said["data"]) == {"visit_id", "version"}
            assert said["timestamp"] == "2026-11-10T20:00:00+00:00"
        with pytest.raises(WebhookVerificationError):
            Checker("whsec_" + "A" * 44).verify(taken[1]["body"], taken[1]["headers"])
        with pytest.raises(WebhookVerificationError):
            Checker(secret).verify(taken[1]["body"].replace("visit", "vizit"), taken[1]["headers"])
    assert taken[0]["path"] == "/hook?of=test"
    assert sorted(json.loads(request["body"])["type"] for request in taken[1:]) == [
        "visit.booked", "visit.booked", "visit.moved",
    ]  # fmt: skip


def test_what_nobody_takes_for_three_days_is_given_up_loudly_and_told_again_when_asked(scene: Scene) -> None:
    number, _ = scene.register()
    scene.happens(VisitBooked, VisitMoved)
    with scene.receiver.open("302"):  # leads elsewhere, where nobody goes
        assert scene.deliver(NOON) == 0
    assert [row.log[-1]["answer"] for row in scene.rows()] == [302, 302], "of this one alone: the next is asked for too"
    late = NOON + timedelta(hours=72)
    with scene.receiver.open("500"):
        assert scene.deliver(late) == 0
        assert scene.deliver(late + timedelta(hours=1)) == 0
    assert [row.status.value for row in scene.rows()] == ["given_up", "given_up"]
    with scene.database.session(write=False) as session:
        (task,) = session.execute(sa.select(Task)).scalars().all()
        assert (task.kind.value, str(task.owner_role), task.about) == (
            "reach-otherwise", "administrator", f"webhook:{number}",
        )  # fmt: skip
    after = late + timedelta(hours=2)
    with at(after):
        log = scene.admin.get(f"/webhook-deliveries?webhook_id={number}&status=given_up").json["items"]
        assert [len(row["log"]) for row in log] == [row["attempts"] for row in log]
        again = f"/webhook-deliveries/{log[0]['id']}/redeliver"
        assert scene.admin.post(again).json["status"] == "waiting"
        assert scene.admin.post(again).json["type"] == "/problems/delivery-waits"
        assert scene.admin.post("/webhook-deliveries/999999/redeliver").status_code == 404
    with scene.receiver.open("410"):
        assert scene.deliver(after) == 0
    with at(after):
        (hook,) = scene.admin.get("/webhooks").json["items"]
        assert (hook["active"], hook["off_because"]) == (False, "gone")
        assert scene.admin.post(f"/webhook-deliveries/{log[1]['id']}/redeliver").json["type"] == "/problems/webhook-off"
        back = scene.admin("PATCH", f"/webhooks/{number}", {"active": True}, match=f'"{hook["version"]}"')
        assert back.json["active"] is True, back.json
        assert scene.admin.post("/webhook-deliveries?limit=1").status_code == 405
    with scene.receiver.open():
        assert scene.deliver(after + timedelta(hours=1)) == 1
    sent = scene.receiver.requests()[-1]["headers"]["webhook-id"]
    assert sent == log[0]["message_id"] == scene.receiver.requests()[1]["headers"]["webhook-id"]


def test_an_administrator_registers_addresses_of_the_internet_alone_and_sees_a_secret_once(
    scene: Scene, app: Coordinator, database: Database
) -> None:
    with at(NOON):
        for url in (
            "http://hooks.example.org/x", "https://user:word@hooks.example.org/", "https://127.0.0.1/", "https://[::1]/",
            "https://localhost/x", "https://2130706433/", "https://0x7f.1/", "https://db.internal/x", "https://intranet/x",
            "https://printer.local/", "https://169.254.169.254/latest", "https://hooks.example.org/#x", "ftp://x.org/",
            "https://hooks.example.org:0/", "https://hooks.example.org:99999/", "https://a b.example.org/", "https://",
            "https://hooks.example.org\r\nX: y/", "https://еxample.org/",
        ):  # fmt: skip
            assert pointers(scene.admin.post("/webhooks", BODY | {"url": url})) == {"/url"}, url
        assert pointers(scene.admin.post("/webhooks", BODY | {"kinds": []})) == {"/kinds"}
        assert scene.admin.post("/webhooks", BODY | {"kinds": ["patient.name"]}).status_code == 422
        kept = scene.admin.client.post(
            "/api/v1/webhooks", json=BODY,
            headers={"Authorization": f"Bearer {scene.admin.token}", "Idempotency-Key": "kept"},
        )  # fmt: skip
        assert kept.status_code == 422, "its answer would be kept with the secret in it"
        made = scene.admin.post("/webhooks", BODY).json
        assert made["secret"].startswith("whsec_")
        assert "secret" not in scene.admin.get("/webhooks").json["items"][0]
        renewed = scene.admin.post(f"/webhooks/{made['id']}/secret").json
        assert renewed["secret"] != made["secret"]
        with database.session(write=False) as session:
            row = session.get_one(Webhook, made["id"])
            assert renewed["secret"] not in f"{row.salt} {row.url}"
        path = f"/webhooks/{made['id']}"
        assert scene.admin("PATCH", path, {"active": False}).status_code == 428
        bad = scene.admin("PATCH", path, {"url": "https://10.0.0.1/"}, match="*")
        assert pointers(bad) == {"/url"}
        assert scene.admin("PATCH", path, {"active": False}, match="*").json["off_because"] == "switched-off"
        local = browser(app, database, Role.ADMINISTRATOR, branch_ids=[scene.branch])
        assert local.get("/webhooks").json["items"] == []
        assert pointers(local.post("/webhooks", BODY)) == {"/branch_id"}
        assert local("PATCH", path, {"active": True}, match="*").status_code == 404
        assert local.post("/webhooks", BODY | {"branch_id": scene.branch}).status_code == 201
        manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
        for refused in (manager.get("/webhooks"), manager.post("/webhooks", BODY), manager.get("/webhook-deliveries")):
            assert refused.status_code == 403
    scene.happens(VisitBooked)
    assert len(scene.rows()) == 1, "one that is off hears nothing"


def test_a_name_that_leads_into_the_house_is_not_called(scene: Scene) -> None:
    """`localhost` stands for a public name whose address was changed after it was registered."""
    scene.register()
    scene.happens(VisitBooked)
    with scene.receiver.open():
        assert scene.deliver(NOON, admits=posting.is_public) == 0
        assert scene.receiver.requests() == []
        assert scene.rows()[0].log[-1]["problem"] == "address-not-public"
        # So does the job itself; and what it does not know the certificate of, it does not talk to.
        JOBS[hooks.JOB](scene.context(NOON + timedelta(minutes=1)), {"branch_id": scene.branch})
        distrusts = partial(posting.post, admits=None)
        assert hook_sending.deliver(scene.context(NOON + timedelta(hours=1)), scene.branch, distrusts) == 0
    assert [line["problem"] for line in scene.rows()[0].log] == [
        "address-not-public", "address-not-public", "certificate-refused",
    ]  # fmt: skip
    assert scene.receiver.requests() == []
    assert next(entry for entry in CLOCK if entry.job == hooks.JOB).every == 5
    with scene.database.session(write=False) as session:
        queued = session.execute(sa.select(QueuedJob.name).where(QueuedJob.name == hooks.JOB)).scalars().all()
    assert len(queued) == 1


def test_a_sender_that_dies_is_followed_by_another(scene: Scene) -> None:
    def dies(_url: str, _body: bytes, _headers: Mapping[str, str]) -> int:
        raise KeyboardInterrupt  # the process is told to end

    scene.register()
    scene.happens(VisitBooked)
    with pytest.raises(KeyboardInterrupt):
        hook_sending.deliver(scene.context(NOON), scene.branch, dies)
    with scene.receiver.open():
        assert scene.deliver(NOON + hook_sending.LEASE - timedelta(seconds=1)) == 0
        assert scene.deliver(NOON + hook_sending.LEASE) == 1


# ------------------------------------------------------------------------------------ without rows


def test_every_kind_has_a_row_with_a_version_and_is_told_last() -> None:
    for event, told in hooks.TOLD.items():
        assert told.field in event.__dataclass_fields__  # type: ignore[attr-defined]
        assert {"version", "id"} <= set(told.row.__table__.columns.keys())
        assert {"branch_id", "patient_id"} & set(told.row.__table__.columns.keys())
        assert HANDLERS[event][-1] is hooks.on_event
    assert len(set(hooks.KINDS)) == len(hooks.TOLD)


def test_which_addresses_are_public() -> None:
    house = (
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::",
    )  # fmt: skip
    assert [one for one in house if posting.is_public(ip_address(one))] == []
    assert all(posting.is_public(ip_address(one)) for one in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"))


def test_an_answer_that_never_ends_is_left_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "PATIENCE", 0.2)
    receiver = Receiver(tmp_path, secure=False)
    with receiver.open("drips"), pytest.raises(posting.NoAnswer):
        posting.post(receiver.url, b"{}", {}, admits=None)
    with pytest.raises(posting.NoAnswer, match="server-down"):
        posting.post(receiver.url, b"{}", {}, admits=None)
