"""The outbox before a mail server that dies and comes back: nothing lost, nothing doubled, nothing blocked."""

import email
import email.policy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import SettingsError, load_settings
from coordinator.jobs.context import JobContext
from coordinator.jobs.model import QueuedJob
from coordinator.notify import mail
from coordinator.notify.carriers import LogCarrier, SmsCarrier, SmtpCarrier, carriers_of
from coordinator.notify.mail_model import Channel, Contact, Mail, MailStatus
from coordinator.notify.service import tell_role, tell_roles, tell_user
from coordinator.notify.words import LETTER_LANGUAGES, NOT_TRANSLATED, letter_words
from coordinator.teamwork.model import Task
from coordinator.wiring import CLOCK, JOBS
from tests.builders import make_branch, make_clinician, make_job_context, make_physician, make_user
from tests.conftest import WorkAs
from tests.notify.receiver import Receiver
from tests.people import at, browser, pointers

ZONE = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 11, 10, 12, tzinfo=ZONE)
SCRIPT = Path(__file__).with_name("script_smtp.py")


class PostOffice:
    """A mail server in a process of its own, that can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, 0

    @contextmanager
    def open(self, how: str = "plain") -> Iterator[None]:
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.folder), str(self.port), how], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            self.port = int(process.stdout.readline())
            try:
                yield
            finally:
                process.kill()
                process.wait()

    @property
    def carrier(self) -> SmtpCarrier:
        return SmtpCarrier(f"smtp://127.0.0.1:{self.port}", "coordinator@example.org")

    def letters(self) -> list[Any]:
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self.folder.iterdir())
        ]


@pytest.fixture
def office(tmp_path: Path) -> PostOffice:
    return PostOffice(tmp_path / "post")


class Scene:
    def __init__(self, app: Coordinator, database: Database, work_as: WorkAs) -> None:
        self.app, self.database, self.work_as = app, database, work_as
        with database.transaction() as session:
            branch = make_branch(session)
            nurse = make_user(session, "-", "clinician", branch_ids=[branch.id])
            doctor = make_user(session, "-", "physician", physician_id=make_physician(session).id)
            quiet = make_user(session, "-", "scheduler", branch_ids=[branch.id])
            session.add_all(
                [
                    Contact(user_id=nurse.id, email="nurse@example.org", language="en"),
                    Contact(user_id=doctor.id, email="doctor@example.org", language="zh-Hant"),
                ]
            )
            self.branch, self.nurse, self.doctor, self.quiet = branch.id, nurse.id, doctor.id, quiet.id

    def tell(self, user_id: int, key: str, *, now: datetime = NOON, kind: str = "visit.given") -> None:
        with self.work_as(now=now) as work:
            tell_user(
                work, user_id=user_id, kind=kind, subject="visit:1", key=key, branch_id=self.branch, visit=1,
                day="2026-11-11",
            )  # fmt: skip

    def context(self, now: datetime) -> JobContext:
        return make_job_context(self.app, mail.JOB, now=now)

    def rows(self) -> list[Mail]:
        with self.database.session(write=False) as session:
            return list(session.execute(sa.select(Mail).order_by(Mail.id)).scalars())

    def states(self) -> list[tuple[str, int]]:
        return [(row.status.value, row.attempts) for row in self.rows()]


@pytest.fixture
def scene(app: Coordinator, database: Database, work_as: WorkAs) -> Scene:
    return Scene(app, database, work_as)


def _local(row: Mail) -> str:
    return row.due_at.astimezone(ZONE).isoformat()[:16]


def test_a_mail_server_that_dies_loses_nothing_doubles_nothing_and_blocks_nothing(
    scene: Scene, office: PostOffice
) -> None:
    with office.open():
        pass  # it has a port, and is dead now
    for number in range(3):
        scene.tell(scene.nurse, f"a:{number}")
        scene.tell(scene.nurse, f"a:{number}")  # the same event twice
    scene.tell(scene.quiet, "b:1")  # who wants no mail has the notice alone
    assert scene.states() == [("waiting", 0)] * 3
    assert mail.deliver(scene.context(NOON), scene.branch, office.carrier) == 0
    assert scene.states() == [("waiting", 1)] * 3
    assert {row.problem for row in scene.rows()} == {"server-down"}
    # Not asked again before its time; then twice as long, and no longer than an hour.
    assert mail.deliver(scene.context(NOON + timedelta(seconds=59)), scene.branch, office.carrier) == 0
    assert scene.states() == [("waiting", 1)] * 3
    moment, waits = NOON + timedelta(minutes=1), []
    for _ in range(8):
        assert mail.deliver(scene.context(moment), scene.branch, office.carrier) == 0
        following = scene.rows()[0].next_try_at
        waits.append(int((following - moment).total_seconds()) // 60)
        moment = following
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    # Meanwhile others go on writing, and their mail waits its turn.
    scene.tell(scene.nurse, "a:3", now=moment)
    with office.open():
        assert mail.deliver(scene.context(moment), scene.branch, office.carrier) == 4
        assert mail.deliver(scene.context(moment), scene.branch, office.carrier) == 0
    assert scene.states() == [("sent", 10)] * 3 + [("sent", 1)]
    letters = office.letters()
    assert len({letter["Message-ID"] for letter in letters}) == len(letters) == 4
    for letter in letters:
        assert (letter["To"], letter["Subject"]) == ("nurse@example.org", "Something waits for you in the coordinator")
        assert "visit" not in letter.get_content()


def test_a_server_that_dies_before_it_answers_is_given_the_same_letter_again(scene: Scene, office: PostOffice) -> None:
    scene.tell(scene.nurse, "a:1")
    with office.open("dies-before-answer"):
        assert mail.deliver(scene.context(NOON), scene.branch, office.carrier) == 0
    with office.open():
        assert mail.deliver(scene.context(NOON + timedelta(minutes=1)), scene.branch, office.carrier) == 1
    first, second = office.letters()
    assert first["Message-ID"] == second["Message-ID"]
    assert scene.states() == [("sent", 2)]


def test_a_sender_that_dies_is_followed_by_another_and_two_do_not_send_the_same(
    scene: Scene, office: PostOffice
) -> None:
    class Dies:
        def carry(self, letter: Any) -> None:
            raise KeyboardInterrupt  # the process is told to end

    scene.tell(scene.nurse, "a:1")
    with pytest.raises(KeyboardInterrupt):
        mail.deliver(scene.context(NOON), scene.branch, Dies())
    with office.open():
        early = NOON + mail.LEASE - timedelta(seconds=1)
        assert mail.deliver(scene.context(early), scene.branch, office.carrier) == 0
        assert mail.deliver(scene.context(NOON + mail.LEASE), scene.branch, office.carrier) == 1
    assert len(office.letters()) == 1


def test_what_is_refused_or_waits_a_day_is_given_up_loudly(scene: Scene, office: PostOffice) -> None:
    scene.tell(scene.nurse, "a:1")
    scene.tell(scene.doctor, "d:1", kind="visit.decide")
    with office.open("busy"):
        # What one address does not take now keeps nobody else's.
        assert mail.deliver(scene.context(NOON), scene.branch, office.carrier) == 1
        assert [row.problem for row in scene.rows()] == ["recipient-refused-450", None]
        mail.deliver(scene.context(NOON + timedelta(hours=24)), scene.branch, office.carrier)
    scene.tell(scene.nurse, "a:2", now=NOON + timedelta(hours=24))
    with office.open("refuses"):
        mail.deliver(scene.context(NOON + timedelta(hours=24)), scene.branch, office.carrier)
    assert scene.states() == [("given_up", 2), ("sent", 1), ("given_up", 1)]
    with scene.database.session(write=False) as session:
        asked = session.execute(sa.select(Task).order_by(Task.id)).scalars().all()
        assert [(task.kind.value, str(task.owner_role), task.about) for task in asked] == [
            ("reach-otherwise", "clinical_manager", f"user:{scene.nurse}")
        ] * 2
    with at(NOON + timedelta(hours=24)):
        manager = browser(scene.app, scene.database, "clinical_manager", branch_ids=[scene.branch])
        assert manager.get("/inbox").json["tasks"] == 2
        log = manager.get("/deliveries?status=given_up").json["items"]
        assert [row["problem"] for row in log] == ["recipient-refused-550", "recipient-refused-450"]
        assert pointers(manager.get("/deliveries?status=lost")) == {"/query/status"}
        far = browser(scene.app, scene.database, "clinical_manager", branch_ids=[])
        assert far.get("/deliveries").json["items"] == []
        assert browser(scene.app, scene.database, "scheduler").get("/deliveries").status_code == 403


def test_at_night_it_waits_for_the_morning_and_physicians_get_one_a_day(scene: Scene) -> None:
    night = NOON.replace(hour=21)
    scene.tell(scene.nurse, "n:1", now=night)
    scene.tell(scene.nurse, "n:2", now=NOON.replace(hour=6))
    scene.tell(scene.nurse, "n:3", now=night, kind="visit.decide")
    for number in range(3):
        scene.tell(scene.doctor, f"d:{number}", now=NOON)
    scene.tell(scene.doctor, "d:9", now=NOON.replace(hour=18))
    scene.tell(scene.doctor, "d:10", now=night, kind="visit.decide")
    told = [(row.kind, _local(row)) for row in scene.rows()]
    assert told == [
        ("notice", "2026-11-11T07:00"), ("notice", "2026-11-10T07:00"), ("notice", "2026-11-10T21:00"),
        ("digest", "2026-11-10T17:00"), ("digest", "2026-11-11T17:00"), ("notice", "2026-11-10T21:00"),
    ]  # fmt: skip
    with scene.database.session(write=False) as session:
        queued = session.execute(sa.select(QueuedJob.name).where(QueuedJob.name == mail.JOB)).scalars().all()
    assert len(queued) == 2  # at once for what is urgent; the clock finds the rest
    assert next(entry for entry in CLOCK if entry.job == mail.JOB).every == 5


def test_whose_account_is_closed_gets_no_mail_and_the_job_runs_without_a_server(scene: Scene) -> None:
    scene.tell(scene.nurse, "a:1")
    with scene.database.transaction() as session:
        session.execute(sa.delete(Contact).where(Contact.user_id == scene.nurse))
    assert {type(carrier) for carrier in carriers_of(scene.app.extensions["settings"]).values()} == {LogCarrier}
    JOBS[mail.JOB](scene.context(NOON), {"branch_id": scene.branch})
    assert scene.states() == [(MailStatus.WITHDRAWN.value, 1)]


def test_everybody_says_where_they_hear_of_notices(scene: Scene) -> None:
    with at(NOON):
        nurse = browser(scene.app, scene.database, "clinician", branch_ids=[scene.branch])
        assert nurse.get("/notices/contact").status_code == 404
        told = {"email": "ana@example.org", "phone": None, "language": "zh-Hant", "of_roles": False}
        assert nurse("PUT", "/notices/contact", told).json == told
        assert nurse("PUT", "/notices/contact", told | {"language": "en"}).json["language"] == "en"
        for wrong in (
            None,
            "ana",
            "ana@",
            "a b@example.org",
            "ana@example.org\nBcc: x@example.org",
            "ana@localhost",
            "",
        ):
            assert pointers(nurse("PUT", "/notices/contact", {"email": wrong})) == {"/email"}, wrong
        assert pointers(nurse("PUT", "/notices/contact", told | {"language": "fr"})) == {"/language"}
        for number in ("4155550100", "+0155550100", "+1 415 555 0100", "+1415555010000000", "+1415555\n", ""):
            assert pointers(nurse("PUT", "/notices/contact", told | {"phone": number})) == {"/phone"}, number
        alone = {"phone": "+14155550100", "of_roles": True}
        assert pointers(nurse("PUT", "/notices/contact", alone)) == {"/email"}, "what is gathered goes by mail"
        assert nurse.get("/notices/contact").json == told | {"language": "en"}
        assert nurse("PUT", "/notices/contact", {"phone": "+14155550100"}).json["email"] is None
        assert nurse("DELETE", "/notices/contact").status_code == 204
        assert nurse.get("/notices/contact").status_code == 404


def test_letters_say_that_something_waits_and_never_what() -> None:
    said = {letter_words(kind, 7, language) for kind in ("notice", "digest", "roles") for language in LETTER_LANGUAGES}
    assert len(said) == 6
    for subject, text in said:
        assert "7" not in subject
        assert len(text.strip()) <= 160, "one text message"
        assert NOT_TRANSLATED not in subject + text
        assert not re.search("patient|visit|order|score|病|家訪|醫囑|症狀", (subject + text).lower())
    missing = letter_words("notice", 7, "es")
    assert all(words.startswith(NOT_TRANSLATED) for words in missing), "English, and marked so"
    assert "Sign in" in missing[1]


def test_who_wants_it_hears_by_text_message_and_a_dead_gateway_keeps_no_mail(scene: Scene, tmp_path: Path) -> None:
    gateway = Receiver(tmp_path / "gateway", secure=False)
    with gateway.open():
        pass  # it has a port, and is dead now
    with scene.database.transaction() as session:
        for contact in session.execute(sa.select(Contact)).scalars():
            contact.phone = f"+1415555{contact.user_id:04d}"
    scene.tell(scene.nurse, "a:1")
    scene.tell(scene.doctor, "d:1")  # gathered into the day's mail: no text message
    scene.tell(scene.doctor, "d:2", kind="visit.decide")
    told = [(row.channel.value, row.kind, row.user_id) for row in scene.rows()]
    assert told == [
        ("email", "notice", scene.nurse), ("sms", "notice", scene.nurse), ("email", "digest", scene.doctor),
        ("email", "notice", scene.doctor), ("sms", "notice", scene.doctor),
    ]  # fmt: skip
    folder = tmp_path / "out"
    folder.mkdir()
    base = replace(scene.app.extensions["settings"], smtp_url=f"file://{folder}", sms_from="Agency", sms_key="k")
    carriers = carriers_of(replace(base, sms_url=gateway.url))
    assert mail.deliver(scene.context(NOON), scene.branch, carriers[Channel.SMS], Channel.SMS) == 0
    assert mail.deliver(scene.context(NOON), scene.branch, carriers[Channel.EMAIL]) == 2
    texts = [json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()]
    assert {text["to"] for text in texts} == {"nurse@example.org", "doctor@example.org"}
    moment = NOON + timedelta(minutes=1)
    with gateway.open("dies-before-answer"):
        assert mail.deliver(scene.context(moment), scene.branch, carriers[Channel.SMS], Channel.SMS) == 0
    moment += timedelta(minutes=2)
    with gateway.open("503"):
        assert mail.deliver(scene.context(moment), scene.branch, carriers[Channel.SMS], Channel.SMS) == 0
    moment += timedelta(minutes=4)
    with gateway.open():
        assert mail.deliver(scene.context(moment), scene.branch, carriers[Channel.SMS], Channel.SMS) == 2
    sent = [json.loads(request["body"]) for request in gateway.requests()]
    assert len({one["id"] for one in sent}) == 2, "what was sent twice bears the same number"
    assert {(one["to"], one["from"]) for one in sent} == {
        (f"+1415555{number:04d}", "Agency") for number in (scene.nurse, scene.doctor)
    }  # fmt: skip
    for one, request in zip(sent, gateway.requests(), strict=True):
        assert request["headers"]["idempotency-key"] == one["id"]
        assert request["headers"]["authorization"] == "Bearer k"
        assert re.fullmatch(r"(Coordinator: notice|協調系統：通知) \d+ .*", one["text"].strip())
    scene.tell(scene.nurse, "a:2", now=moment)
    with gateway.open("422"):
        mail.deliver(scene.context(moment), scene.branch, carriers[Channel.SMS], Channel.SMS)
    assert (scene.rows()[-1].status.value, scene.rows()[-1].problem) == ("given_up", "gateway-answered-422")
    with at(moment):
        manager = browser(scene.app, scene.database, "clinical_manager", branch_ids=[scene.branch])
        assert [row["status"] for row in manager.get("/deliveries?channel=sms").json["items"]] == [
            "given_up", "sent", "sent",
        ]  # fmt: skip


def test_who_holds_a_role_and_wants_it_hears_of_what_came_for_it_once_an_hour(scene: Scene) -> None:
    with scene.database.transaction() as session:
        nurse = make_clinician(session, session.get_one(Branch, scene.branch))
        people = {
            "scheduler": make_user(session, "-", "scheduler", branch_ids=[scene.branch]),
            "elsewhere": make_user(session, "-", "scheduler", branch_ids=[]),
            "manager": make_user(session, "-", "clinical_manager", branch_ids=[scene.branch]),
            "registered": make_user(session, "-", "clinician", clinician_id=nurse.id),
            "closed": make_user(session, "-", "scheduler", branch_ids=[scene.branch], active=False),
        }
        for name, user in people.items():
            email = f"{name}@example.org"
            session.add(Contact(user_id=user.id, email=email, language="en", of_roles=name != "manager"))
        names = {user.id: name for name, user in people.items()}

    def tell(role: str, key: str, *, now: datetime = NOON, kind: str = "visit.missed") -> None:
        with scene.work_as(now=now) as work:
            tell_role(
                work, role=role, branch_id=scene.branch, kind=kind, subject="visit:1", key=key, visit=1, patient=1,
                discipline="SN", reason="patient-refused", clinician=1, stage="begin", due="-",
            )  # fmt: skip

    for minute in (5, 20, 50):
        tell("scheduler", f"a:{minute}", now=NOON.replace(minute=minute))
        tell("scheduler", f"a:{minute}", now=NOON.replace(minute=minute))
    tell("clinical_manager", "m:1")  # who does not want it
    tell("nurse", "n:1")  # the nurses' list of the branch
    tell("scheduler", "u:1", kind="visit.unheard")
    tell("scheduler", "late:1", now=NOON.replace(hour=20, minute=30))
    tell("scheduler", "late:2", now=NOON.replace(hour=23))
    with scene.work_as(now=NOON) as work:  # as the night writes them, in one statement
        many = [
            {"role": "scheduler", "branch_id": scene.branch, "kind": "deadline.reminder", "subject": f"deadline:{n}",
             "key": f"deadline:{n}", "facts": {}} for n in range(3)
        ]  # fmt: skip
        tell_roles(work, many)
        tell_roles(work, many)
    told = [(names[row.user_id], row.kind, _local(row)) for row in scene.rows()]
    assert told == [
        ("scheduler", "roles", "2026-11-10T13:00"), ("registered", "roles", "2026-11-10T13:00"),
        ("scheduler", "notice", "2026-11-10T12:00"), ("scheduler", "roles", "2026-11-11T07:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        # Clocks go forward on Sunday 14 March 2027, and back on Sunday 7 November 2027.
        ("2027-03-13T22:00-08:00", "2027-03-14T07:00-07:00"),
        ("2027-03-14T03:00-07:00", "2027-03-14T07:00-07:00"),
        ("2027-11-06T22:00-07:00", "2027-11-07T07:00-08:00"),
        ("2027-11-07T01:30-07:00", "2027-11-07T07:00-08:00"),
        ("2027-11-07T01:30-08:00", "2027-11-07T07:00-08:00"),
    ],
)
def test_the_morning_is_seven_by_the_clock_on_the_wall_when_clocks_change(scene: Scene, now: str, morning: str) -> None:
    moment = datetime.fromisoformat(now)
    scene.tell(scene.nurse, "n:1", now=moment)
    scene.tell(scene.doctor, "d:1", now=moment)
    nurses, doctors = scene.rows()
    assert nurses.due_at == datetime.fromisoformat(morning)
    local = doctors.due_at.astimezone(ZONE)
    assert (local.hour, local.minute) == (17, 0)
    assert timedelta(0) < doctors.due_at - moment < timedelta(hours=25)


def test_the_mail_server_is_a_setting() -> None:
    base = {
        "COORDINATOR_PROFILE": "test", "COORDINATOR_DATABASE_URL": "sqlite:////nowhere/x.sqlite3",
        "COORDINATOR_SECRET_KEY": "a-secret-of-the-tests-alone-0123456789",
    }  # fmt: skip
    good = {"COORDINATOR_SMTP_URL": "smtp+starttls://me:p%40ss@mail.example.org", "COORDINATOR_MAIL_FROM": "a@b.org"}
    settings = load_settings(base | good)
    assert "p%40ss" not in repr(settings)
    carrier = carriers_of(settings)[Channel.EMAIL]
    assert isinstance(carrier, SmtpCarrier)
    assert (carrier.user, carrier.password, carrier.host, carrier.port) == ("me", "p@ss", "mail.example.org", None)
    for wrong in (
        {"COORDINATOR_SMTP_URL": "http://mail.example.org"}, {"COORDINATOR_SMTP_URL": "smtp://"},
        {"COORDINATOR_SMTP_URL": "smtp://x:99999999"}, {"COORDINATOR_MAIL_FROM": ""},
        {"COORDINATOR_MAIL_FROM": "a@b.org\nBcc: c@d.org"},
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            load_settings(base | good | wrong)
    text = {"COORDINATOR_SMS_URL": "https://sms.example.org/m", "COORDINATOR_SMS_FROM": "+14155550100"}
    settings = load_settings(base | good | text | {"COORDINATOR_SMS_KEY": "hidden-key"})
    assert "hidden-key" not in repr(settings)
    gateway = carriers_of(settings)[Channel.SMS]
    assert isinstance(gateway, SmsCarrier)
    assert (gateway.url, gateway.key, gateway.sender) == ("https://sms.example.org/m", "hidden-key", "+14155550100")
    for wrong in (
        {"COORDINATOR_SMS_URL": "http://sms.example.org/m"}, {"COORDINATOR_SMS_URL": "https://me:p@sms.example.org/"},
        {"COORDINATOR_SMS_URL": "file:///nowhere/at/all"}, {"COORDINATOR_SMTP_URL": "file:///nowhere/at/all"},
        {"COORDINATOR_SMS_FROM": ""}, {"COORDINATOR_SMS_FROM": "a\nb"}, {"COORDINATOR_SMS_KEY": "a b"},
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            load_settings(base | good | text | wrong)
