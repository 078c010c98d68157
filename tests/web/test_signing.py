"""The physician's day at the screens: cards, changes, rejections, questions, the sheet, decisions, cover, history."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.access import service as access
from coordinator.access.model import User
from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, NotFound
from coordinator.core.http import Coordinator
from coordinator.domain.team import CoverReason
from coordinator.domain.teamwork import TaskOutcome
from coordinator.domain.vocabulary import Discipline, MissedDecision, MissedReason, OrderStatus, Role, VisitStatus
from coordinator.notify.model import Notice
from coordinator.orders import amending
from coordinator.orders.model import Order, Signature
from coordinator.patients.model import Episode, Patient
from coordinator.staff.model import Physician
from coordinator.teams import covers
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.teamwork import tasks
from coordinator.teamwork.model import Task
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import at
from tests.web.visitor import PASSWORD, Visitor, visitor

QUEUE = "/orders-to-sign/"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at():
        yield


@dataclass
class Day:
    """Mei Lee, her physician at a screen, and the nurse who writes her orders."""

    doctor: Visitor
    physician: int
    patient: int
    episode: int
    branch: int
    nurse: User
    orders: list[int]


@pytest.fixture
def day(app: Coordinator, database: Database) -> Day:
    with database.transaction() as session:
        branch = builders.make_branch(session)
        physician = builders.make_physician(session)
        patient = builders.make_patient(
            session, branch, given_name="Mei", family_name="Lee", managing_physician_id=physician.id
        )
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        nurse = builders.make_clinician(session, branch)
        session.add(
            CareTeamMember(
                patient_id=patient.id, clinician_id=nurse.id, role="team", is_primary=True, starts_on=date(2026, 10, 26)
            )
        )
        author = builders.make_user(
            session, "none", Role.CLINICIAN, display_name="Ana Reyes", branch_ids=[branch.id], clinician_id=nurse.id
        )
        builders.make_order(session, episode, plan, Discipline.PT, frequency="3w4", effective_from=date(2026, 10, 26))
        sent = [
            builders.make_order(
                session, episode, plan, discipline, frequency=frequency, status=OrderStatus.SENT_FOR_SIGNATURE,
                effective_from=date(2026, 11, day), needed_by=date(2026, 11, day), sent_at=NOW, drafted_by_id=author.id,
                goals_text="Stairs with one rail",
            )
            for discipline, frequency, day in (
                (Discipline.OT, "1w4", 20), (Discipline.PT, "2w4", 13), (Discipline.SN, "2w2", 27),
            )
        ]  # fmt: skip
        numbers = (branch.id, physician.id, patient.id, episode.id, [order.id for order in sent])
    doctor = visitor(app, database, "physician", physician_id=numbers[1], branch_ids=[numbers[0]])
    return Day(doctor, numbers[1], numbers[2], numbers[3], numbers[0], author, numbers[4])


def order(database: Database, number: int) -> Order:
    with database.session(write=False) as session:
        return session.get_one(Order, number)


def review(day: Day, number: int) -> Any:
    day.doctor.open(f"{QUEUE}order/{number}")
    return day.doctor.send(f"{QUEUE}order/{number}/reviewed")


# ------------------------------------------------------------------------------------ the queue and its cards


def test_the_queue_is_the_physicians_first_screen_sorted_by_need(day: Day) -> None:
    doctor, (ot, pt, sn) = day.doctor, day.orders
    assert doctor.open("/").location == QUEUE
    text = doctor.open(QUEUE).text
    assert [int(number) for number in re.findall(r'<li>\s*<a href="/orders-to-sign/order/(\d+)"', text)] == [pt, ot, sn]
    assert text.count("holds a visit") == 4, "each in the list, and the first again on its card"
    assert "PT 2 visits a week for 4 weeks, from 13 Nov" in text
    assert "Was: PT 3 visits a week for 4 weeks, from 26 Oct" in text
    assert "<del>3 visits a week for 4 weeks</del>" in text
    assert "<ins>2 visits a week for 4 weeks</ins>" in text
    for said in ("Stairs with one rail", "Ana Reyes", "Mei Lee", "visits from Fri, Nov 13", "frequency:"):
        assert said in text, said
    second = doctor.open(f"{QUEUE}order/{ot}").text
    assert f'href="/orders-to-sign/order/{pt}" data-key="k"' in second
    assert f'href="/orders-to-sign/order/{sn}" data-key="j"' in second
    doctor.headers["Accept-Language"] = "zh-Hant"
    chinese = doctor.open(QUEUE).text
    assert "PT 每週 2 次，共 4 週，自 11月13日 起" in chinese
    assert "有探訪等候" in chinese


def test_the_queue_is_read_in_few_queries_however_long_it_is(day: Day, database: Database) -> None:
    short = _queries(database, day.doctor)
    with database.transaction() as session:
        branch, physician = session.get_one(Branch, day.branch), session.get_one(Physician, day.physician)
        for _ in range(6):
            episode = builders.make_episode(
                session, builders.make_patient(session, branch, managing_physician_id=physician.id)
            )
            builders.make_order(
                session, episode, builders.make_care_plan(session, episode, physician), Discipline.SN,
                status=OrderStatus.SENT_FOR_SIGNATURE, needed_by=date(2026, 12, 1), sent_at=NOW,
            )  # fmt: skip
    assert _queries(database, day.doctor) == short
    assert short <= 60


def _queries(database: Database, doctor: Visitor) -> int:
    """Statements of one opening of the queue, the door's and the audit's among them."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        assert doctor.open(QUEUE).status_code == 200
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)
    return len([one for one in heard if not one.startswith(("INSERT", "BEGIN", "SAVEPOINT", "RELEASE"))])


def test_what_is_anothers_is_not_in_the_queue_and_sounds_like_nothing(
    day: Day, app: Coordinator, database: Database
) -> None:
    with database.transaction() as session:
        other = builders.make_physician(session).id
    stranger = visitor(app, database, "physician", physician_id=other)
    assert "Nothing waits for your signature" in stranger.open(QUEUE).text
    stranger.headers["Accept-Language"] = "en"
    assert stranger.open(f"{QUEUE}order/{day.orders[0]}").location == QUEUE
    assert visitor(app, database, "scheduler", branch_ids=[day.branch]).open(QUEUE).status_code == 403


# ------------------------------------------------------------------------------------ reading and signing


def test_what_was_read_is_signed_after_proving_who_signs(day: Day, database: Database) -> None:
    doctor, (ot, pt, sn) = day.doctor, day.orders
    assert review(day, pt).location == f"{QUEUE}order/{ot}", "on to the next that was not read"
    assert review(day, sn).location == f"{QUEUE}order/{ot}"
    sheet = doctor.open(f"{QUEUE}sign").text
    assert "You sign exactly these 2:" in sheet
    assert "1 is not reviewed and stays." in sheet
    chosen = re.findall(r'name="item" value="([^"]+)"', sheet)
    assert [one.split(":")[0] for one in chosen] == [f"order-{pt}", f"order-{sn}"]
    wrong = doctor.send(f"{QUEUE}sign", item=chosen, password="not this")
    assert wrong.status_code == 403
    assert "is not right" in wrong.text
    assert "not this" not in wrong.text
    assert order(database, pt).signed_at is None
    doctor.page = wrong
    done = doctor.send(f"{QUEUE}sign", item=chosen, password=PASSWORD)
    assert (done.status_code, done.location) == (303, QUEUE)
    assert "2 signed." in doctor.open(QUEUE).text
    with database.session(write=False) as session:
        kept = session.execute(sa.select(Signature.order_id, Signature.content_hash).order_by(Signature.id)).all()
        assert [f"order-{number}:{digest}" for number, digest in kept] == [
            f"{one.split(':')[0]}:{one.split(':')[2]}" for one in chosen
        ]
        assert session.scalars(sa.select(User.failed_attempts).where(User.physician_id.is_not(None))).all() == [0]
    listed = doctor.open(f"{QUEUE}signed").text
    assert listed.index("SN 2 visits") < listed.index("PT 2 visits"), "the newest first"
    assert "password" in listed
    whole = doctor.open(f"{QUEUE}signed/{pt}").text
    assert f"order {pt}" in whole
    assert chosen[0].split(":")[2] in whole
    assert doctor.open(f"{QUEUE}signed/{ot}").status_code == 404


def test_for_some_minutes_nothing_is_asked_again(day: Day, database: Database) -> None:
    doctor, (ot, pt, _) = day.doctor, day.orders
    review(day, pt)
    sheet = doctor.open(f"{QUEUE}sign").text
    assert 'name="password"' in sheet
    doctor.send(f"{QUEUE}sign", item=re.findall(r'name="item" value="([^"]+)"', sheet), password=PASSWORD)
    review(day, ot)
    sheet = doctor.open(f"{QUEUE}sign").text
    assert 'name="password"' not in sheet
    doctor.send(f"{QUEUE}sign", item=re.findall(r'name="item" value="([^"]+)"', sheet))
    assert order(database, ot).signed_at is not None
    with at(NOW + timedelta(minutes=6)):
        review(day, day.orders[2])
        assert 'name="password"' in doctor.open(f"{QUEUE}sign").text


def test_what_changed_meanwhile_is_not_signed_and_says_so(day: Day, database: Database) -> None:
    doctor, (ot, pt, _) = day.doctor, day.orders
    review(day, pt)
    review(day, ot)
    sheet = doctor.open(f"{QUEUE}sign").text
    chosen = re.findall(r'name="item" value="([^"]+)"', sheet)
    with database.transaction() as session:
        session.get_one(Order, pt).goals_text = "Another goal"
    answer = doctor.send(f"{QUEUE}sign", item=chosen, password=PASSWORD)
    assert answer.status_code == 200
    assert "1 signed." in answer.text
    assert "Not signed: PT 2 visits a week" in answer.text
    assert "changed since you reviewed it" in answer.text
    assert [order(database, number).signed_at is not None for number in (pt, ot)] == [False, True]
    stale = doctor.open(f"{QUEUE}order/{pt}")
    assert "Another goal" in stale.text
    late = doctor.send(f"{QUEUE}order/{pt}/reviewed", _version="1")
    assert late.status_code == 412
    assert "Changed since you read it" in late.text


def test_a_sheet_that_was_made_up_signs_nothing(day: Day, database: Database) -> None:
    doctor, pt = day.doctor, day.orders[1]
    review(day, pt)
    for answer in ("[", "[]", '{"id": 1}', "x" * 30_000):
        doctor.open(f"{QUEUE}sign")
        assert doctor.send(f"{QUEUE}sign", item=_ready(doctor), passkey=answer).status_code == 403, answer[:10]
    doctor.open(f"{QUEUE}sign")
    for made_up in ("order-1", "order-x:1:", f"order-{pt}:2:{'0' * 64}", f"certification-{pt}:1:{'0' * 64}", "\x00"):
        answer = doctor.send(f"{QUEUE}sign", item=made_up, password=PASSWORD)
        assert answer.status_code in (200, 403, 404), made_up
    assert order(database, pt).signed_at is None


def _ready(doctor: Visitor) -> list[str]:
    """What the sheet that is open offers to sign."""
    return re.findall(r'name="item" value="([^"]+)"', doctor.page.text)


# ------------------------------------------------------------------------------------ reject, change, ask


def test_a_rejection_is_one_tap_and_its_author_has_a_draft(day: Day, database: Database) -> None:
    doctor, (ot, pt, _) = day.doctor, day.orders
    doctor.open(f"{QUEUE}order/{pt}")
    action = f"{QUEUE}order/{pt}/reject"
    typed = doctor.hidden(action)
    unsaid = doctor.send(action, note="Kept words", **typed)
    assert unsaid.status_code == 422
    assert "Kept words" in unsaid.text, "what was typed is not lost"
    assert order(database, pt).status is OrderStatus.SENT_FOR_SIGNATURE
    doctor.open(f"{QUEUE}order/{pt}")
    answer = doctor.send(action, reason="goal_not_measurable", note="How many steps?")
    assert answer.location == f"{QUEUE}order/{ot}"
    kept = order(database, pt)
    assert (kept.status, kept.decline_reason, kept.decline_note) == (
        OrderStatus.DECLINED, "goal_not_measurable", "How many steps?",
    )  # fmt: skip
    assert f"order/{pt}" not in doctor.open(QUEUE).text


def test_a_change_is_a_new_version_that_is_read_again_and_told(day: Day, database: Database) -> None:
    doctor, pt = day.doctor, day.orders[1]
    review(day, pt)
    doctor.open(f"{QUEUE}order/{pt}")
    action = f"{QUEUE}order/{pt}/change"
    words = {"treatments": "assessment\n", "goals": "Stairs with one rail"}
    before = order(database, pt)
    unread = doctor.send(action, frequency="often", **words)
    assert unread.status_code == 422
    assert 'value="often"' in unread.text
    doctor.open(f"{QUEUE}order/{pt}")
    same = doctor.send(action, frequency="2w4", **words)
    assert (same.status_code, "Nothing is different" in same.text) == (422, True)
    assert order(database, pt).version == before.version
    doctor.open(f"{QUEUE}order/{pt}")
    assert doctor.send(action, frequency="2w3 1w1", **words).location == f"{QUEUE}order/{pt}"
    kept = order(database, pt)
    assert (kept.frequency, kept.status) == ("2w3, 1w1", OrderStatus.SENT_FOR_SIGNATURE)
    assert (kept.version, kept.reviewed_version) == (before.version + 1, None)
    with database.session(write=False) as session:
        told = session.execute(sa.select(Notice.user_id, Notice.facts).where(Notice.kind == "order.amended")).one()
    assert told[0] == day.nurse.id
    assert told[1] == {"order": pt, "discipline": "PT", "patient": day.patient}
    card = doctor.open(f"{QUEUE}order/{pt}").text
    assert "2 visits a week for 3 weeks, then 1 visit a week for 1 week" in card
    assert "Reviewed, next" in card


def test_words_that_care_is_given_under_are_not_changed(day: Day, database: Database, work_as: WorkAs) -> None:
    pt = day.orders[1]
    with database.transaction() as session:
        row = session.get_one(Order, pt)
        row.status, row.verbal_received_at, row.responsible_signed_at = OrderStatus.ACTIVE_VERBAL, NOW, NOW
    card = day.doctor.open(f"{QUEUE}order/{pt}").text
    assert "given by word of mouth" in card
    assert f"{QUEUE}order/{pt}/change" not in card
    with database.session(write=False) as session:
        doctor = session.scalars(sa.select(User).where(User.physician_id == day.physician)).one()
    with pytest.raises(Conflict) as refused, work_as(access.actor_of(doctor, None)) as work:
        amending.amend(work, pt, version=row.version, frequency_text="1w4")
    assert refused.value.problem_code == "order-live"
    assert "reject it" in refused.value.detail


def test_a_question_is_a_task_and_its_answer_is_on_the_card(day: Day, database: Database, work_as: WorkAs) -> None:
    doctor, pt = day.doctor, day.orders[1]
    doctor.open(f"{QUEUE}order/{pt}")
    action = f"{QUEUE}order/{pt}/ask"
    assert doctor.send(action, question=" ").status_code == 422
    doctor.open(f"{QUEUE}order/{pt}")
    assert doctor.send(action, question="Does she use the stairs alone?").location == f"{QUEUE}order/{pt}"
    assert "waits for an answer" in doctor.open(f"{QUEUE}order/{pt}").text
    with database.session(write=False) as session:
        task = session.scalars(sa.select(Task)).one()
        assert (task.owner_id, task.about, task.kind) == (day.nurse.id, f"order:{pt}", "answer-question")
        assert task.due_on == NOW.date() + timedelta(days=1)
        nurse = access.actor_of(session.get_one(User, day.nurse.id), "RN")
    with work_as(nurse) as work:
        tasks.finish(work, task.id, TaskOutcome.DONE, "With her son behind her.")
    card = doctor.open(f"{QUEUE}order/{pt}").text
    assert "With her son behind her." in card
    assert "Ana Reyes" in card
    assert order(database, pt).status is OrderStatus.SENT_FOR_SIGNATURE


# ------------------------------------------------------------------------------------ beside the queue


def test_missed_visits_are_decided_with_one_tap(day: Day, database: Database) -> None:
    doctor = day.doctor
    with database.transaction() as session:
        patient, episode = session.get_one(Patient, day.patient), session.get_one(Episode, day.episode)
        numbers = [
            builders.make_visit(
                session, patient, episode, order_id=day.orders[2], status=VisitStatus.MISSED, missed_at=NOW,
                missed_reason=MissedReason.PATIENT_CANCELLED,
            ).id
            for _ in range(2)
        ]  # fmt: skip
    assert 'Decisions <span class="count">2</span>' in doctor.open(QUEUE).text
    page = doctor.open(f"{QUEUE}decisions").text
    assert page.count("the patient cancelled") == 2
    first, second = (f"{QUEUE}decisions/{number}" for number in numbers)
    assert doctor.send(first, decision="skip").status_code == 303
    doctor.open(f"{QUEUE}decisions")
    unsaid = doctor.send(second, decision="other")
    assert (unsaid.status_code, "Say what is to be done instead" in unsaid.text) == (422, True)
    doctor.open(f"{QUEUE}decisions")
    assert doctor.send(second, decision="other", note="Ring her daughter").status_code == 303
    assert "No missed visit waits" in doctor.open(f"{QUEUE}decisions").text
    with database.session(write=False) as session:
        kept = session.execute(sa.select(Visit.decision, Visit.decision_note).order_by(Visit.id)).all()
    assert kept == [(MissedDecision.SKIP, None), (MissedDecision.OTHER, "Ring her daughter")]


def test_a_colleague_stands_in_signs_in_their_own_name_and_is_withdrawn(
    day: Day, app: Coordinator, database: Database, work_as: WorkAs
) -> None:
    doctor, pt = day.doctor, day.orders[1]
    with database.transaction() as session:
        absent = builders.make_physician(session, given_name="No", family_name="Account").id
        colleague = builders.make_physician(session, given_name="Daniel", family_name="Levin").id
        absentee = session.get_one(Physician, day.physician)
        mine = f"{absentee.given_name} {absentee.family_name}"
    other = visitor(app, database, "physician", physician_id=colleague, branch_ids=[day.branch])
    page = doctor.open(f"{QUEUE}cover").text
    assert "Daniel Levin" in page
    assert "No Account" not in page, "whoever cannot sign in cannot stand in"
    typed = {"starts_on": "2026-11-09", "ends_on": "2026-11-14"}
    for by, problem in ((absent, "Choose a colleague who can sign in"), ("x", "Choose a colleague")):
        refused = doctor.send(f"{QUEUE}cover", by=str(by), **typed)
        assert (refused.status_code, problem in refused.text) == (422, True)
        doctor.open(f"{QUEUE}cover")
    assert doctor.send(f"{QUEUE}cover", by=str(colleague), **typed).status_code == 303
    assert "Daniel Levin: Mon, Nov 9 to Sat, Nov 14" in doctor.open(f"{QUEUE}cover").text
    queue = other.open(QUEUE).text
    assert "PT 2 visits a week" in queue
    assert queue.count(f"for {mine}") == 4, "each says whose it is, and the first again on its card"
    other.open(f"{QUEUE}order/{pt}")
    other.send(f"{QUEUE}order/{pt}/reviewed")
    sheet = other.open(f"{QUEUE}sign").text
    other.send(f"{QUEUE}sign", item=re.findall(r'name="item" value="([^"]+)"', sheet), password=PASSWORD)
    with database.session(write=False) as session:
        assert session.scalars(sa.select(Signature.physician_id)).all() == [colleague]
        cover = session.scalars(sa.select(Cover)).one()
        assert cover.reason is CoverReason.TIME_OFF
    assert "For whom you stand in" in other.open(f"{QUEUE}cover").text
    with database.session(write=False) as session:
        them = access.actor_of(session.scalars(sa.select(User).where(User.physician_id == colleague)).one(), None)
    with pytest.raises(NotFound), work_as(them) as work:
        covers.withdraw_own(work, cover.id)
    doctor.open(f"{QUEUE}cover")
    assert doctor.send(f"{QUEUE}cover/{cover.id}/withdraw").status_code == 303
    assert "PT 2" not in other.open(QUEUE).text
    assert "OT 1" not in other.open(QUEUE).text
