"""The family's page behind its link, what they are told when a visit changes, and what they ask for."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Work
from coordinator.domain.care import InstrumentCode
from coordinator.domain.events import VisitCancelled, VisitMoved
from coordinator.domain.family import FamilyLanguage, RequestTopic, VisitChange, family_language
from coordinator.domain.teamwork import Desk, TaskKind, TaskStatus
from coordinator.domain.vocabulary import Discipline, Role, VisitStatus
from coordinator.family import words
from coordinator.family.limits import MOST_CALLERS, Limiter
from coordinator.family.model import CareRequest, FamilyLink, FamilyNotice
from coordinator.notify.model import Notice
from coordinator.patients.model import Caregiver
from coordinator.teamwork.model import Task
from coordinator.visits.model import Visit
from tests.care.conftest import TUESDAY, ZONE, Scene, scene
from tests.conftest import WorkAs
from tests.people import Browser, at, browser, pointers

__all__ = ["scene"]
WEDNESDAY_NINE = datetime(2026, 11, 11, 9, tzinfo=ZONE)


@pytest.fixture
def published(database: Database, scene: Scene) -> int:
    """The aide's visit of Wednesday at nine is published; the daughter reads Chinese, and the patient agreed."""
    with database.transaction() as session:
        visit = session.execute(sa.select(Visit).where(Visit.discipline == Discipline.HHA)).scalar_one()
        visit.published_at = TUESDAY - timedelta(days=2)
        caregiver = session.get_one(Caregiver, scene.caregiver)
        caregiver.language, caregiver.consent_to_share, caregiver.may_contact = "yue", True, True
        return int(visit.id)


@pytest.fixture
def office(app: Coordinator, database: Database, scene: Scene) -> Browser:
    return browser(app, database, Role.SCHEDULER, Role.INTAKE, branch_ids=[scene.branch])


def link(office: Browser, scene: Scene, **body: Any) -> Any:
    return office.post(f"/patients/{scene.patient}/family-links", {"caregiver_id": scene.caregiver} | body)


def test_the_page_says_when_and_who_in_the_familys_language_and_nothing_else(
    app: Coordinator, database: Database, scene: Scene, published: int, office: Browser
) -> None:
    with at(TUESDAY):
        made = link(office, scene)
        assert (made.status_code, made.json["language"]) == (201, "zh-Hant"), made.json
        visitor = app.test_client()
        opened = visitor.get(made.json["path"])
        assert (opened.status_code, opened.headers["Location"]) == (303, "/family/")
        secret = made.json["path"].rpartition("/")[2]
        cookie = opened.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "Path=/family" in cookie
        page = visitor.get("/family/")
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store, private"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page.headers["X-Robots-Tag"]
        for said in ("11月11日（星期三）", "上午9:00", "居家照護員", "Ana", "約45分鐘"):
            assert said in page.text, said
        for secretly in ("Reyes", "Lee", "Mei", "Noe", "C34", "DNR", "lung", secret):
            assert secretly not in page.text, secretly
        assert "<script" not in page.text
        assert "style=" not in page.text
        printed = visitor.get("/family/calendar")
        assert "11/11" in printed.text
        assert "上午9:00" in printed.text
        assert office.get(f"/patients/{scene.patient}/family-links").json["items"][0].get("path") is None
        revoked = office.post(f"/family-links/{made.json['id']}/revoke")
        assert revoked.json["revoked_at"] is not None
        gone = visitor.get("/family/")
        assert gone.status_code == 404
        assert "此連結已失效" in gone.text
    with database.transaction() as session:
        row = session.execute(sa.select(FamilyLink)).scalar_one()
        assert secret not in row.token_hash
        trail = session.execute(sa.select(AuditEvent.action, AuditEvent.actor, AuditEvent.facts)).all()
        assert ("family.schedule-read", f"family-link:{row.id}") in {(one.action, one.actor) for one in trail}
        assert secret not in str(trail)


def test_a_link_dies_with_its_day_and_with_the_patients_consent(
    app: Coordinator, database: Database, scene: Scene, published: int, office: Browser
) -> None:
    visitor = app.test_client()
    with at(TUESDAY):
        kept = office.client.post(
            f"/api/v1/patients/{scene.patient}/family-links", json={},
            headers={"Authorization": f"Bearer {office.token}", "Idempotency-Key": "kept"},
        )  # fmt: skip
        assert kept.status_code == 422, "its answer would be kept with the secret in it"
        assert pointers(link(office, scene, days=0)) == {"/days"}
        assert pointers(link(office, scene, days=91)) == {"/days"}
        assert link(office, scene, caregiver_id=10**6).status_code == 422
        visitor.get(link(office, scene, days=3).json["path"])
        assert visitor.get("/family/").status_code == 200
        assert app.test_client().get("/family/").status_code == 404
        assert app.test_client().get("/family/open/" + "x" * 400).status_code == 404
    with at(TUESDAY + timedelta(days=3)):
        assert visitor.get("/family/").status_code == 404
    with at(TUESDAY):
        again = app.test_client()
        again.get(link(office, scene).json["path"])
        manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
        one = f"/patients/{scene.patient}/caregivers/{scene.caregiver}"
        withdrawn = manager.change("PATCH", one, {"consent_to_share": False}, of=f"/patients/{scene.patient}")
        assert withdrawn.status_code == 200
        assert again.get("/family/").status_code == 404
        refused = link(office, scene)
        assert [finding["rule"] for finding in refused.json["findings"]] == ["CAR-01"]
        bad = manager.change(
            "PATCH", one, {"consent_from": "2026-11-10", "consent_until": "2026-11-09"}, of=f"/patients/{scene.patient}"
        )
        assert pointers(bad) == {"/consent_until"}


def test_who_opens_the_page_too_often_is_asked_to_wait_a_minute_in_their_language(
    app: Coordinator, database: Database, scene: Scene, published: int, office: Browser
) -> None:
    stranger = f"/family/open/{secrets.token_urlsafe(8)}"
    with at(TUESDAY):
        path = link(office, scene).json["path"]
        visitor = app.test_client()
        visitor.get(path)
        answers = [app.test_client().get(stranger) for _ in range(60)]
        assert {answer.status_code for answer in answers} == {404}
        refused = visitor.get(stranger)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert "請一分鐘後再試" in refused.text
        assert "Vuelva a intentarlo en un minuto" in refused.text
        assert refused.headers["Cache-Control"] == "no-store, private"
        assert visitor.get("/family/").status_code == 200, "one link's visitor keeps nobody else out, and no cookie"
    with at(TUESDAY + timedelta(minutes=1)):
        assert visitor.get(stranger).status_code == 404


def test_the_family_asks_by_the_form_and_the_request_is_on_a_list(
    app: Coordinator, database: Database, scene: Scene, published: int, office: Browser
) -> None:
    with at(TUESDAY):
        visitor = app.test_client()
        visitor.get(link(office, scene).json["path"])
        token = re.search(r'name="form_token" value="([0-9a-f]+)"', visitor.get("/family/").text)
        assert token is not None
        form = {"form_token": token[1], "topic": "help_for_caregiver", "words": "我很累", "concern": "self"}
        assert visitor.post("/family/requests", data=form | {"form_token": "0" * 64}).status_code == 403
        for wrong in ({"topic": "gossip"}, {"words": "  "}, {"words": "x" * 1001}, {"concern": "nobody"}):
            assert visitor.post("/family/requests", data=form | wrong).status_code == 422
        sent = visitor.post("/family/requests", data=form)
        assert (sent.status_code, sent.headers["Location"]) == (303, "/family/?sent=1")
        assert "我們已收到您的訊息" in visitor.get("/family/?sent=1").text
        for _ in range(4):
            assert visitor.post("/family/requests", data=form).status_code == 303
        many = visitor.post("/family/requests", data=form)
        assert many.status_code == 429
        assert "請致電辦公室" in many.text
        listed = office.get(f"/patients/{scene.patient}/care-requests?waiting=true").json["items"]
        assert len(listed) == 5
        assert listed[0]["words"] == "我很累"
        path = f"/care-requests/{listed[0]['id']}"
        assert pointers(office.change("POST", f"{path}/close", {"outcome": "answered"}, of=path)) == {"/note"}
        closed = office.change(
            "POST", f"{path}/close", {"outcome": "answered", "note": "Rang", "shared": True}, of=path
        )
        assert closed.json["shared"] is True
        assert office.change("POST", f"{path}/close", {"outcome": "done"}, of=path).status_code == 409
    with database.transaction() as session:
        tasks = session.execute(sa.select(Task).where(Task.kind == TaskKind.ANSWER_REQUEST).order_by(Task.id)).scalars()
        assert [(task.owner_role, task.status) for task in tasks][:2] == [
            (Desk.SOCIAL_WORKER, TaskStatus.DONE), (Desk.SOCIAL_WORKER, TaskStatus.OPEN),
        ]  # fmt: skip
        said = str(session.execute(sa.select(AuditEvent.facts)).all()) + str(
            session.execute(sa.select(Task.note)).all()
        )
        assert "我很累" not in said


def test_nothing_is_shared_with_a_caregiver_without_the_patients_consent(
    app: Coordinator, database: Database, scene: Scene, office: Browser
) -> None:
    with at(TUESDAY):
        body = {"topic": "medicine", "words": "What does she take?", "concern": "cared_for"}
        path = f"/patients/{scene.patient}/care-requests"
        assert pointers(office.post(path, body)) == {"/concern"}
        assert pointers(office.post(path, body | {"caregiver_id": 10**6})) == {"/caregiver_id"}
        made = office.post(path, body | {"caregiver_id": scene.caregiver})
        assert made.status_code == 201, made.json
        one = f"/care-requests/{made.json['id']}"
        told = {"outcome": "answered", "note": "Rang her"}
        refused = office.change("POST", f"{one}/close", told | {"shared": True}, of=one)
        assert [finding["rule"] for finding in refused.json["findings"]] == ["CAR-01"]
        assert "Nobody has asked" in refused.json["findings"][0]["sentence"]
        assert office.change("POST", f"{one}/close", told, of=one).status_code == 200
        aide = browser(app, database, Role.CLINICIAN, clinician_id=scene.people["chha"])
        assert aide.get(path).status_code == 403
    with database.transaction() as session:
        task = session.execute(sa.select(Task).where(Task.kind == TaskKind.ANSWER_REQUEST)).scalar_one()
        assert (task.owner_role, task.due_on) == (Desk.NURSE, TUESDAY.date())
        assert session.execute(sa.select(sa.func.count(CareRequest.id))).scalar() == 1


def _move(work: Work, visit_id: int, to: datetime) -> None:
    """As the visits' room does it, without its rules, which ask of more than this scene has."""
    visit = work.session.get_one(Visit, visit_id)
    old, length = visit.starts_at, timedelta(minutes=visit.minutes)
    visit.starts_at, visit.ends_at, visit.told_patient_at = to, to + length, None
    work.session.flush()
    work.publish(
        VisitMoved(
            visit_id=visit.id, old_clinician_id=visit.clinician_id, clinician_id=visit.clinician_id, old_starts_at=old
        )
    )


def test_a_family_that_was_told_a_time_is_told_in_chinese_when_it_changes(
    app: Coordinator, database: Database, scene: Scene, published: int, office: Browser, work_as: WorkAs
) -> None:
    with at(TUESDAY):
        made = link(office, scene)
        visitor = app.test_client()
        visitor.get(made.json["path"])
    with work_as(now=TUESDAY) as work:
        assert work.session.get_one(Visit, published).told_patient_at is not None
        _move(work, published, WEDNESDAY_NINE + timedelta(hours=5))
        assert len(work.session.execute(sa.select(FamilyNotice)).all()) == 2  # the patient, and the daughter
        _move(work, published, WEDNESDAY_NINE)  # and back: there is nothing to say
        rows = work.session.execute(sa.select(FamilyNotice)).scalars().all()
        assert all(row.void_at is not None for row in rows)
        assert work.session.execute(sa.select(Notice.read_at).where(Notice.kind == "family.tell")).scalars().all()[0]
        _move(work, published, WEDNESDAY_NINE + timedelta(hours=5))
    with at(TUESDAY):
        listed = office.get("/family-notices").json["items"]
        said = {one["language"]: one for one in listed}
        assert set(said) == {"en", "zh-Hant"}
        assert said["zh-Hant"]["sentence"] == "原定11月11日（星期三）上午9:00的家訪改為11月11日（星期三）下午2:00。"
        page = visitor.get("/family/").text
        assert "下午2:00" in page
        assert "原定：11月11日（星期三）上午9:00" in page
        for one in listed:
            path = f"/family-notices/{one['id']}/told"
            assert office.post(path, {"how": "pigeon"}).status_code == 422
            assert office.post(path, {"how": "call"}).status_code == 428
            told = office("POST", path, {"how": "call"}, match=f'"{one["version"]}"')
            assert told.json["told_how"] == "call"
            assert office("POST", path, {"how": "call"}, match=f'"{told.json["version"]}"').status_code == 409
        assert "原定" not in visitor.get("/family/").text
    with work_as(now=TUESDAY) as work:
        visit = work.session.get_one(Visit, published)
        visit.status, visit.cancel_reason = VisitStatus.CANCELLED, "family-request"
        work.session.flush()
        work.publish(VisitCancelled(visit_id=visit.id, clinician_id=visit.clinician_id))
        open_tasks = sa.select(sa.func.count(Task.id)).where(
            Task.kind == TaskKind.TELL_FAMILY, Task.status == TaskStatus.OPEN
        )
        assert work.session.execute(open_tasks).scalar() == 2
    with at(TUESDAY):
        assert "已取消" in visitor.get("/family/").text


def test_a_caregivers_score_and_answer_are_kept_with_their_day(
    app: Coordinator, database: Database, scene: Scene
) -> None:
    with at(TUESDAY):
        worker = browser(app, database, Role.CLINICIAN, clinician_id=scene.people["msw"])
        manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
        answers = {f"q{number}": 1 for number in range(1, 13)}
        body = {"instrument": InstrumentCode.ZBI_12.value, "answers": answers, "caregiver_id": scene.caregiver}
        assert worker.post(f"/patients/{scene.patient}/assessments", body).status_code == 201
        path = f"/patients/{scene.patient}"
        changes = {
            "willing": True,
            "teaching": [{"goal": "Gives the evening dose", "result": "shown", "independence": "with_reminders"}],
        }
        assert manager.change("PATCH", f"{path}/caregivers/{scene.caregiver}", changes, of=path).status_code == 200
        (caregiver,) = manager.get(path).json["caregivers"]
        assert (caregiver["burden_score"], caregiver["willing_on"]) == (12, TUESDAY.date().isoformat())
        assert caregiver["teaching"][0]["independence"] == "with_reminders"
        assert manager.change("PATCH", path, {"concurrent_treatment": True}).json["concurrent_treatment"] is True


# ------------------------------------------------------------------------------------ words and limits alone


def test_every_word_of_the_page_is_there_in_every_language() -> None:
    for key, said in words.WORDS.items():
        assert set(said) == set(FamilyLanguage), key
        assert key == "unreviewed" or all(said.values()), key
        holes = {tuple(sorted(re.findall(r"\{(\w+)\}", one))) for one in said.values()}
        assert len(holes) == 1, key
    assert {one.value for one in Discipline} <= set(words.WORDS)
    assert [value for value, _ in words.topics(FamilyLanguage.SPANISH)] == [one.value for one in RequestTopic]
    assert [one for one in FamilyLanguage if words.say("unreviewed", one)] == [
        one for one in FamilyLanguage if one is not FamilyLanguage.ENGLISH
    ]


def test_days_and_times_in_the_readers_habit() -> None:
    noon = datetime(2026, 11, 11, 12, 5)  # noqa: DTZ001  (wall clock, as the page has it)
    assert words.moment(noon, FamilyLanguage.ENGLISH) == "Wednesday, November 11 at 12:05 PM"
    assert words.moment(noon.replace(hour=0), FamilyLanguage.CHINESE) == "11月11日（星期三）上午12:05"
    assert words.moment(noon.replace(hour=9), FamilyLanguage.SPANISH) == "miércoles 11 de noviembre a las 9:05 a. m."
    assert words.moment(noon.replace(hour=13), FamilyLanguage.SPANISH).endswith("noviembre a la 1:05 p. m.")
    assert words.notice(VisitChange.CANCELLED, FamilyLanguage.ENGLISH, noon, None).endswith("is cancelled.")
    tags = {"yue": "zh-Hant", "zh-Hans": "zh-Hant", "es-US": "es", "en": "en", "tl": "en", "": "en"}
    assert {tag: family_language(tag).value for tag in tags} == tags


def test_a_caller_is_admitted_so_often_a_minute() -> None:
    limiter = Limiter()
    assert [limiter.admits("a", TUESDAY, 2) for _ in range(3)] == [True, True, False]
    assert limiter.admits("b", TUESDAY, 2)
    assert limiter.admits("a", TUESDAY + timedelta(minutes=1), 2)
    for number in range(MOST_CALLERS):
        limiter.admits(f"stranger{number}", TUESDAY, 1)
    assert limiter.admits("b", TUESDAY, 1)  # forgotten, and admitted as new
