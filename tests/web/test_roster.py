"""The roster on a telephone, without a browser: today and tomorrow, one tap each, and what stands in the way."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.access.model import SignInSession, User
from coordinator.care.response_model import VisitProposal
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.handoffs import HandoffCause, HandoffStatus
from coordinator.domain.vocabulary import Discipline, MissedReason, Performer, VisitKind, VisitStatus
from coordinator.notify.model import Notice
from coordinator.orders.model import AideCarePlan
from coordinator.patients.model import Episode, Patient
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.notes_model import Note
from coordinator.visits.model import Supervision, Visit
from tests import builders
from tests.conftest import NOW
from tests.people import at
from tests.web.visitor import PASSWORD, Visitor, visitor

TODAY = builders.MONDAY
#: The first visit is near: a session that nobody uses for a quarter of an hour is over.
SOON = timedelta(minutes=10)
PLAIN = {"Accept": "application/json"}


@dataclass
class Ward:
    """Numbers of who is there, and a nurse with her telephone."""

    branch: int = 0
    patient: int = 0
    nurse: int = 0
    colleague: int = 0
    aide: int = 0
    order: int = 0
    visits: list[int] = field(default_factory=list)
    phone: Visitor = None  # type: ignore[assignment]


def _put(session: Any, ward: Ward, patient: Patient, starts_at: datetime, **given: Any) -> int:
    episode = session.scalars(sa.select(Episode).where(Episode.patient_id == patient.id)).one()
    values = {
        "status": VisitStatus.BOOKED, "clinician_id": ward.nurse, "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=45), "published_at": NOW - timedelta(days=1), "order_id": ward.order,
    } | given  # fmt: skip
    return int(builders.make_visit(session, patient, episode, **values).id)


@pytest.fixture
def ward(app: Coordinator, database: Database) -> Iterator[Ward]:
    made = Ward()
    with at(), database.transaction() as session:
        branch = builders.make_branch(session)
        physician = builders.make_physician(session)
        patient = builders.make_patient(
            session, branch, family_name="Lee", spoken_language="yue", managing_physician_id=physician.id,
            phone="415-555-0101",
            home={"access_notes": "Gate 4711", "hazards": ["AGGRESSIVE_DOG"], "address": "12 Noe Street"},
        )  # fmt: skip
        episode = builders.make_episode(session, patient)
        plan = builders.make_care_plan(session, episode, physician)
        order = builders.make_order(
            session, episode, plan, frequency="2w4 +2 PRN for pain", prn_limit=2, prn_signs="pain",
            effective_from=date(2026, 10, 26), certification_number=1,
            weeks=((date(2026, 11, 8), date(2026, 11, 14), 2, 2),),
        )  # fmt: skip
        week = order.weeks[0].id
        session.add(
            AideCarePlan(
                patient_id=patient.id, number=1, prepared_by_id=builders.make_clinician(session, branch).id,
                effective_from=date(2026, 10, 26), tasks=["BATHING", "GROOMING"], recorded_at=NOW,
            )
        )  # fmt: skip
        made.branch, made.patient, made.order = branch.id, patient.id, order.id
        made.nurse = builders.make_clinician(session, branch, given_name="Ana", family_name="Reyes").id
        made.colleague = builders.make_clinician(session, branch, given_name="Grace", family_name="Wong").id
        made.aide = builders.make_clinician(session, branch, Performer.CHHA, family_name="Cheng").id
        made.visits = [
            _put(session, made, patient, NOW + SOON, order_week_id=week, unit=1),
            _put(session, made, patient, NOW + timedelta(days=1), order_week_id=week, unit=2),
        ]
    with at():
        made.phone = visitor(
            app, database, "clinician", clinician_id=made.nurse, branch_ids=[made.branch], display_name="Ana Reyes"
        )
        with database.transaction() as session:
            session.execute(sa.update(User).where(User.clinician_id == made.nurse).values(username="ana"))
        yield made


def _visit(database: Database, visit_id: int) -> Visit:
    with database.session(write=False) as session:
        found = session.get_one(Visit, visit_id)
        session.expunge(found)
        return found


def test_the_day_opens_with_what_the_door_asks_for(ward: Ward) -> None:
    assert ward.phone.open("/").location == "/roster/"
    page = ward.phone.open("/roster/")
    assert page.status_code == 200
    for said in ("Mei Lee", "12 Noe Street", "Gate 4711", "Aggressive dog", "Cantonese", "Code status not recorded",
                 "SN 2w4", "2 as-needed visits left", "1 visit today", "Tomorrow", "Malignant neoplasm"):  # fmt: skip
        assert said in page.text, said
    assert page.headers["Keep-For"] == "43200", "never longer than the session"
    ward.phone.headers["Accept-Language"] = "zh-Hant"
    chinese = ward.phone.open(f"/roster/visits/{ward.visits[0]}").text
    for said in ("粵語", "有攻擊性的狗", "未記錄急救意願", "出發"):
        assert said in chinese, said


def test_a_day_is_worked_with_taps_and_a_second_tap_changes_nothing(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    phone.open("/roster/")
    steps = {
        "on-my-way": VisitStatus.EN_ROUTE, "start": VisitStatus.IN_PROGRESS, "finish": VisitStatus.COMPLETED,
        "sign-note": VisitStatus.NOTE_SIGNED,
    }  # fmt: skip
    for minutes, (tap, becomes) in enumerate(steps.items()):
        with at(NOW + timedelta(minutes=5 + 5 * minutes)):
            phone.open(f"/roster/visits/{first}")
            action = f"/roster/visits/{first}/{tap}"
            typed = phone.hidden(action)
            answers = [phone.send(action, **typed) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [303, 303], answers[0].text
            assert answers[1].headers["Idempotency-Replayed"] == "true"
        assert _visit(database, first).status is becomes
    assert _visit(database, first).actual_start_at == NOW + timedelta(minutes=10)
    with at(NOW + timedelta(minutes=21)):
        done = phone.open(f"/roster/visits/{first}").text
    assert "done, note signed" in done
    assert "Begun at 8:10" in done


def test_an_unread_handoff_stands_before_the_door_and_both_ways_out_are_there(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    with database.transaction() as session:
        card = Handoff(
            branch_id=ward.branch, patient_id=ward.patient, discipline=Discipline.SN, cause=HandoffCause.NEXT_VISIT,
            status=HandoffStatus.FINISHED, from_clinician_id=ward.colleague, to_clinician_id=ward.nurse, visit_id=first,
            due_at=NOW + timedelta(hours=1), opened_at=NOW - timedelta(days=1), turn=0, finished_at=NOW,
            watch="Pain after the dressing", content=None,
        )  # fmt: skip
        session.add(card)
        session.flush()
        number = card.id
    assert "handoff unread" in phone.open("/roster/").text
    with at(NOW + SOON):
        phone.open("/roster/")
        refused = phone.send(f"/roster/visits/{first}/start")
        assert refused.status_code == 409
        assert f"/roster/handoffs/{number}" in refused.text
        assert "I was told in person" in refused.text
        assert _visit(database, first).status is VisitStatus.BOOKED
        page = phone.open(f"/roster/handoffs/{number}")
        assert "Pain after the dressing" in page.text
        assert "From Grace Wong" in page.text
        stale = phone.send(f"/roster/handoffs/{number}/acknowledge", _version="0")
        assert stale.status_code == 412
        assert phone.send(f"/roster/handoffs/{number}/acknowledge").status_code == 303
        phone.open("/roster/")
        assert phone.send(f"/roster/visits/{first}/start").status_code == 303
    assert _visit(database, first).status is VisitStatus.IN_PROGRESS
    with database.transaction() as session:
        session.get_one(Visit, first).status = VisitStatus.BOOKED
        session.get_one(Visit, first).actual_start_at = None
        session.get_one(Handoff, number).status = HandoffStatus.FINISHED
    with at(NOW + SOON):
        phone.open("/roster/")
        told = phone.send(f"/roster/visits/{first}/start", over_handoff="told-in-person")
        assert told.status_code == 303, told.text


def _outbox(phone: Visitor, path: str, body: dict[str, Any], key: str, mark: str) -> Any:
    headers = PLAIN | {"Idempotency-Key": key, "X-CSRFToken": mark}
    return phone.client.post(path, data=body, headers=headers)


def test_the_outbox_says_late_what_was_tapped_and_is_answered_in_plain_values(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    tapped = NOW + SOON
    phone.open("/roster/")
    with at(tapped + timedelta(minutes=50)):
        late = phone.client.get("/roster/pulse", headers=PLAIN)
        assert (late.status_code, late.json["code"]) == (401, "sign-in-required"), "nobody used it for an hour"
        phone.open("/sign-in")
        assert phone.send("/sign-in", username="ana", password=PASSWORD).status_code == 303
        mark = phone.client.get("/roster/pulse", headers=PLAIN).json["mark"]
        start = f"/roster/visits/{first}/start"
        body = {"at": tapped.isoformat()}
        said = _outbox(phone, start, body, "one", mark)
        assert (said.status_code, said.json["to"]) == (200, f"/roster/visits/{first}"), said.text
        fresh = phone.client.get("/roster/pulse", headers=PLAIN).json["mark"]
        again = _outbox(phone, start, body, "one", fresh)
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
        assert _visit(database, first).actual_start_at == tapped
        other = _outbox(phone, start, {"at": (tapped + timedelta(minutes=5)).isoformat()}, "two", mark)
        assert (other.status_code, other.json["code"]) == (409, "already-started")
        assert other.json["detail"] == "This visit has begun at another time already."
        for number, wrong in enumerate(("yesterday", "2026-11-09T17:00:00", "a\x00")):
            answer = _outbox(phone, start, {"at": wrong}, f"wrong-{number}", mark)
            assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/at")
        expired = _outbox(phone, start, body, "three", "made-up")
        assert (expired.status_code, expired.json["code"]) == (400, "form-expired")
        foreign = phone.client.post(
            start, data=body, headers=PLAIN | {"Origin": "https://example.org", "X-CSRFToken": mark}
        )
        assert foreign.status_code == 403
        phone.open("/roster/")
        phone.send("/sign-out")
        gone = phone.client.get("/roster/pulse", headers=PLAIN)
        assert (gone.status_code, gone.json["code"]) == (401, "sign-in-required")
        assert phone.open("/roster/").status_code == 303


def test_late_and_missed_are_a_tap_each_and_reach_the_office(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    phone.open("/roster/")
    late, miss = f"/roster/visits/{first}/late", f"/roster/visits/{first}/missed"
    for wrong in (None, "x", "3", "999999", "²"):
        assert phone.send(late, minutes=wrong).status_code == 422
    for minutes in ("15", "30"):
        phone.open("/roster/")
        assert phone.send(late, minutes=minutes).status_code == 303
    with database.session(write=False) as session:
        told = session.execute(sa.select(Notice.facts, Notice.read_at).where(Notice.kind == "visit.late")).all()
    assert sorted((row.facts["minutes"], row.read_at is None) for row in told) == [(15, False), (30, True)]
    early = phone.send(miss, reason="not_home_not_found")
    assert early.status_code == 409
    assert "tap On my way first" in early.text
    assert phone.send(miss, reason="week_closed").status_code == 422
    assert phone.send(miss, reason=None).status_code == 422
    assert phone.send(miss, reason="patient_refused").status_code == 303
    row = _visit(database, first)
    assert (row.status, row.missed_reason) == (VisitStatus.MISSED, MissedReason.PATIENT_REFUSED)
    assert "Noted as missed" in phone.open("/roster/").text


def test_changes_say_what_and_who_and_are_acknowledged_as_they_were_shown(ward: Ward, database: Database) -> None:
    phone = ward.phone
    with database.transaction() as session:
        by = builders.make_user(session, "-", "scheduler", display_name="Sam Ortiz", branch_ids=[ward.branch]).id
        me = session.execute(sa.text("SELECT id FROM app_user WHERE clinician_id = :n"), {"n": ward.nurse}).scalar_one()

        def tell(kind: str, key: str, **facts: Any) -> None:
            session.add(Notice(kind=kind, subject="visit:1", key=key, facts=facts, created_at=NOW, user_id=me))

        tell("visit.moved", "one", visit=ward.visits[0], day="2026-11-10", by=by)
        tell("note.to-you", "other", note=1)
    page = phone.open("/roster/").text
    assert "1 change since you last looked" in page
    assert "A visit was moved; it is on Tue, Nov 10 now" in page
    assert "Sam Ortiz" in page
    with database.transaction() as session:
        tell("visit.taken", "two", visit=ward.visits[1], day="2026-11-10")
    assert phone.send("/roster/changes/acknowledge").status_code == 303
    after = phone.open("/roster/").text
    assert "is no longer yours" in after
    assert "was moved" not in after


def test_a_score_is_made_by_the_server_and_what_it_opens_is_decided_there(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    page = phone.open(f"/roster/visits/{first}/symptoms/ESAS-r")
    assert page.text.count('name="pain"') == 11
    record = f"/roster/visits/{first}/symptoms/ESAS-r"
    assert phone.send(record).status_code == 422
    assert phone.send(record, pain="11").status_code == 422
    items = ("tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")
    answer = phone.send(record, pain="8", **dict.fromkeys(items, "0"))
    assert answer.status_code == 303, answer.text
    opened = phone.open(answer.location).text
    assert "ESAS-r: 8" in opened
    assert "Propose an as-needed visit? 2 left" in opened
    with database.session(write=False) as session:
        proposal = session.scalars(sa.select(VisitProposal.id)).one()
    decide = f"/roster/visits/{first}/proposals/{proposal}"
    assert "proposes an as-needed visit" in phone.open(f"/roster/visits/{first}").text
    phone.open(answer.location)
    assert phone.send(decide, decision="accept").status_code == 303
    with database.session(write=False) as session:
        assert session.scalars(sa.select(Visit.kind).order_by(Visit.id.desc()).limit(1)).one() is VisitKind.PRN
    seen = phone.open(f"/roster/visits/{first}").text
    assert "Pain 8" in seen
    assert "1 as-needed visit left" in seen
    assert phone.open(f"/roster/visits/{first}/symptoms/no-such").status_code == 404


def test_supervision_and_a_note_are_kept_with_the_visit(ward: Ward, database: Database) -> None:
    first, phone = ward.visits[0], ward.phone
    with database.transaction() as session:
        patient = session.get_one(Patient, ward.patient)
        _put(
            session, ward, patient, NOW + timedelta(hours=3), clinician_id=ward.aide, discipline=Discipline.HHA,
            order_id=None,
        )  # fmt: skip
    with at(NOW + SOON):
        phone.open(f"/roster/visits/{first}")
        early = phone.send(f"/roster/visits/{first}/supervision", aide=str(ward.aide))
        assert early.status_code == 409
        phone.send(f"/roster/visits/{first}/start")
        phone.open(f"/roster/visits/{first}")
        assert phone.send(f"/roster/visits/{first}/supervision", aide=str(ward.aide)).status_code == 303
        assert phone.send(f"/roster/visits/{first}/note", text="  ").status_code == 422
        assert phone.send(f"/roster/visits/{first}/note", text="Dressing changed").status_code == 303
    with database.session(write=False) as session:
        row = session.scalars(sa.select(Supervision)).one()
        assert (row.aide_id, row.visit_id, row.concern, row.supervised_on) == (ward.aide, first, False, TODAY)
        assert session.scalars(sa.select(Note.visit_id)).one() == first


def test_an_aide_ticks_the_written_tasks_and_reads_nothing_clinical(
    app: Coordinator, ward: Ward, database: Database
) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, ward.patient)
        visit_id = _put(
            session, ward, patient, NOW + timedelta(hours=2), clinician_id=ward.aide, discipline=Discipline.HHA,
            order_id=None, status=VisitStatus.IN_PROGRESS, actual_start_at=NOW,
        )  # fmt: skip
    aide = visitor(app, database, "clinician", clinician_id=ward.aide, branch_ids=[ward.branch])
    with at(NOW + timedelta(minutes=10)):
        page = aide.open(f"/roster/visits/{visit_id}")
        assert page.status_code == 200, page.text
        assert 'value="BATHING"' in page.text
        assert "Malignant" not in page.text
        assert "ESAS-r" not in page.text
        assert aide.send(f"/roster/visits/{visit_id}/finish", task="BATHING").status_code == 303
    assert _visit(database, visit_id).tasks_done == ["BATHING"]
    assert aide.open(f"/roster/visits/{visit_id}/symptoms/ESAS-r").status_code == 403


def test_a_telephone_keeps_today_and_tomorrow_and_no_other_day(ward: Ward, database: Database) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, ward.patient)
        later = _put(session, ward, patient, NOW + timedelta(days=2), order_id=None)
    for visit_id, seconds in ((ward.visits[0], "43200"), (ward.visits[1], "43200"), (later, None)):
        assert ward.phone.open(f"/roster/visits/{visit_id}").headers.get("Keep-For") == seconds
    with at(NOW + timedelta(hours=11)), database.transaction() as session:
        session.execute(sa.update(SignInSession).values(last_used_at=NOW + timedelta(hours=11)))
    with at(NOW + timedelta(hours=11)):
        assert ward.phone.open("/roster/").headers["Keep-For"] == "3600", "the session ends in an hour"
    worker = Visitor(ward.phone.client.application).client.get("/roster/sw.js")
    assert (worker.status_code, worker.mimetype) == (200, "text/javascript")
    assert worker.headers["Service-Worker-Allowed"] == "/roster/"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "No signal" in Visitor(ward.phone.client.application).open("/roster/no-signal").text


def test_others_have_no_roster_and_see_none(app: Coordinator, ward: Ward, database: Database) -> None:
    colleague = visitor(app, database, "clinician", clinician_id=ward.colleague, branch_ids=[ward.branch])
    assert "No visit." in colleague.open("/roster/").text
    assert colleague.open(f"/roster/visits/{ward.visits[0]}").status_code == 404
    office = visitor(app, database, "scheduler", branch_ids=[ward.branch])
    assert office.open("/roster/").status_code == 403
    assert "/roster/" not in office.open("/inbox/").text
    assert Visitor(app).open("/roster/").location == "/sign-in?next=/roster/"
    assert PASSWORD not in colleague.page.text


def test_a_long_day_takes_no_more_queries_than_a_short_one(ward: Ward, database: Database) -> None:
    def asked() -> int:
        told: list[str] = []

        def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            told.append(statement)

        sa.event.listen(database.engine, "before_cursor_execute", hear)
        try:
            assert ward.phone.open("/roster/").status_code == 200
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", hear)
        return len([one for one in told if one.startswith("SELECT")])

    ward.phone.open("/roster/")
    few = asked()
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, ward.branch)
        for number in range(6):
            patient = builders.make_patient(session, branch)
            builders.make_episode(session, patient)
            _put(session, ward, patient, NOW + timedelta(hours=2 + number), order_id=None)
    assert asked() == few
    assert few < 60


def test_what_opens_is_small(ward: Ward) -> None:
    """Bytes on the line for the page, its style sheets and its scripts, without a store: under 100 kB."""
    page = ward.phone.open("/roster/")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text))
    assert len(files) >= 5
    sent = {path: ward.phone.client.get(path, headers={"Accept-Encoding": "gzip"}) for path in files}
    assert {answer.headers["Content-Encoding"] for answer in sent.values()} == {"gzip"}
    assert sum(len(answer.data) for answer in sent.values()) + len(page.data) < 100_000
    with ward.phone.client.get("/static/screens/roster.css") as plain:
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(sent["/static/screens/roster.css"].data) == plain.data
    with ward.phone.client.get("/static/screens/roster.css", headers={"If-None-Match": plain.headers["ETag"]}) as again:
        assert again.status_code == 304
