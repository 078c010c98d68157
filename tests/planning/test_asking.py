"""Questions about one visit as the plan stands: why not, who could, what would help, and doing what was offered."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Forbidden, Invalid, NotFound, StaleVersion
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor, Work
from coordinator.domain.vocabulary import OrderStatus, Role, VisitKind, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.planner import ProblemError
from coordinator.planning import asking, offers, service
from coordinator.planning.live import question
from coordinator.planning.search import search_here
from coordinator.staff.model import Exclusion
from coordinator.visits.model import Visit
from tests.builders import make_user
from tests.conftest import WorkAs, actor_with
from tests.people import Browser, at, browser, pointers
from tests.planning.conftest import EVE, TestAgency, make_agency


@pytest.fixture
def agency(session: Session) -> TestAgency:
    made = make_agency(session)
    made.hire()
    made.admit(visits=2)
    session.commit()
    return made


@pytest.fixture
def sam(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "scheduler", branch_ids=[agency.branch.id])


@pytest.fixture
def mia(app: Coordinator, database: Database, agency: TestAgency) -> Browser:
    return browser(app, database, "clinical_manager", branch_ids=[agency.branch.id])


def _told(work: Work, inquiry: asking.Inquiry) -> dict[str, Any]:
    return asking.tell(work, inquiry.search())


def _of(agency: TestAgency, role: Role = Role.SCHEDULER) -> Actor:
    return actor_with(role, branch_ids=frozenset({agency.branch.id}))


def _crowd(agency: TestAgency, session: Session, **given: Any) -> Visit:
    """Everybody may make one visit a day, and has one: the first patient's first visit has no place."""
    wanted = agency.people[0].visits[0]
    agency.clinicians[0].max_visits_per_day = 1
    days = (wanted.window_to - EVE.date()).days
    for day in range(days + 1):
        person = agency.admit(visits=1)
        starts_at = EVE.replace(hour=18) + timedelta(days=day)
        if starts_at > EVE:
            agency.book(person.visits[0], agency.clinicians[0], starts_at, **given)
    session.commit()
    return wanted


def test_a_suggestion_is_asked_for_and_done(agency: TestAgency, sam: Browser) -> None:
    visit = agency.people[0].visits[0].id
    with at(EVE):
        answer = sam.get(f"/visits/{visit}/suggestions?limit=3")
        assert answer.status_code == 200, answer.json
        assert [one["clinician_id"] for one in answer.json["suggestions"]] == [agency.clinicians[0].id] * 3
        best = answer.json["suggestions"][0]
        assert best["moves"] == []
        assert best["extra_cost"] == sum(part["extra_cost"] for part in best["parts"]) < 0
        path = f"/visits/{visit}/place"
        rehearsed = sam("POST", f"{path}?dry_run=true", best["steps"], match=sam.etag(f"/visits/{visit}"))
        assert rehearsed.status_code == 200, rehearsed.json
        assert sam.get(f"/visits/{visit}").json["status"] == "proposed"
        done = sam.change("POST", path, best["steps"], of=f"/visits/{visit}")
        assert done.status_code == 200, done.json
        assert (done.json["status"], done.json["starts_at"]) == ("booked", best["starts_at"])
        again = sam.change("POST", path, best["steps"], of=f"/visits/{visit}")
        assert (again.status_code, again.json["visits"]) == (412, [visit])
        elsewhere = sam.get(f"/visits/{visit}/suggestions").json["suggestions"]
        assert elsewhere
        assert all(one["starts_at"] != best["starts_at"] for one in elsewhere)


def test_why_not_says_who_is_stopped_by_what(agency: TestAgency, session: Session, sam: Browser) -> None:
    visit = _crowd(agency, session, locked=True)
    with at(EVE):
        answer = sam.get(f"/visits/{visit.id}/explanation")
        assert answer.status_code == 200, answer.json
        assert not answer.json["placed"]
        reasons = [one for one in answer.json["reasons"] if agency.clinicians[0].id in one["clinician_ids"]]
        full = next(one for one in reasons if one["code"] == "max-visits")
        assert (full["facts"]["fact"], full["facts"]["limit"]) == (1, 1)
        assert sam.get(f"/visits/{visit.id}/suggestions").json["suggestions"] == []


def test_one_more_visit_a_day_is_offered_and_done(agency: TestAgency, session: Session, sam: Browser) -> None:
    visit = _crowd(agency, session, locked=True)
    with at(EVE):
        answer = sam.get(f"/visits/{visit.id}/relaxations?seconds=10")
        assert answer.status_code == 200, answer.json
        assert answer.json["complete"]
        found = [one for one in answer.json["relaxations"] if one["changes"][0]["kind"] == "max-visits"]
        assert found
        change = found[0]["changes"][0]
        assert (change["limit"], change["new_limit"], change["permission"]) == (1, 2, "visit:confirm")
        path, of, steps = f"/visits/{visit.id}/place", f"/visits/{visit.id}", found[0]["steps"]
        assert [(one["kind"], one["amount"]) for one in steps["agreed"]] == [("max-visits", 1)]
        assert pointers(sam.change("POST", path, steps, of=of)) == {"/agreed_reason"}
        said = sam.change("POST", path, steps | {"agreed_reason": "Mrs Lee asked"}, of=of)
        assert pointers(said) == {"/agreed_reason"}
        done = sam.change("POST", path, steps | {"agreed_reason": "clinician-agreed"}, of=of)
        assert (done.status_code, done.json.get("status")) == (200, "booked"), done.json
    line = session.execute(sa.select(AuditEvent).where(AuditEvent.action == "visit.limit-agreed")).scalar_one()
    assert line.patient_id == visit.patient_id
    assert line.user_id is not None
    assert (line.facts["kind"], line.facts["amount"], line.facts["reason"]) == ("max-visits", 1, "clinician-agreed")
    assert line.facts["clinician"] == agency.clinicians[0].id


def _one_a_day(agency: TestAgency, session: Session) -> tuple[Visit, Visit]:
    """A visit of one day on which the only nurse has another one, locked, and makes no more."""
    wanted, stands = agency.people[0].visits
    wanted.window_to = wanted.window_from = (EVE + timedelta(days=3)).date()
    nurse = agency.clinicians[0]
    nurse.max_visits_per_day = 1
    locked = agency.admit(visits=1).visits[0]
    agency.book(locked, nurse, EVE + timedelta(days=3), locked=True)
    stands.status = VisitStatus.CANCELLED
    stands.is_current = False
    session.commit()
    return wanted, locked


def test_unlocking_is_done_by_the_lock_verb_and_moves_who_was_locked(
    agency: TestAgency, session: Session, work_as: WorkAs
) -> None:
    wanted, locked = _one_a_day(agency, session)
    with work_as(_of(agency), now=EVE) as work:
        answer = _told(work, asking.relaxations(work, wanted.id, 60))
    offer = next(one for one in answer["relaxations"] if [c["kind"] for c in one["changes"]] == ["unlock"])
    assert offer["changes"][0]["visit"] == locked.id
    assert [move["visit"] for move in offer["moves"]] == [locked.id]
    steps = offers.offer_of(offer["steps"])
    with work_as(_of(agency), now=EVE) as work:
        with pytest.raises(StaleVersion):
            offers.carry_out(work, wanted.id, replace(steps, place=[replace(one, version=9) for one in steps.place]))
        offers.carry_out(work, wanted.id, steps)
    session.refresh(locked)
    session.refresh(wanted)
    assert not locked.locked
    assert locked.starts_at == offer["moves"][0]["after"]["starts_at"]
    assert wanted.status is VisitStatus.BOOKED


def _declined(agency: TestAgency, session: Session) -> Visit:
    """The patient has declined the only nurse: a wish, not a law."""
    person = agency.people[0]
    agency.clinicians[0].exclusions.append(Exclusion(patient_id=person.patient.id, reason="patient-asked"))
    session.commit()
    return person.visits[0]


def test_a_wish_is_set_aside_by_a_clinical_manager_with_a_reason_and_by_nobody_else(
    agency: TestAgency, session: Session, sam: Browser, mia: Browser
) -> None:
    visit = _declined(agency, session)
    with at(EVE):
        answer = mia.get(f"/visits/{visit.id}/relaxations?seconds=10")
        (offer,) = [one for one in answer.json["relaxations"] if one["changes"][0]["kind"] == "clinician"]
        assert (offer["changes"][0]["overrides"], offer["changes"][0]["permission"]) == ("CUL-01", "visit:override")
        path, of = f"/visits/{visit.id}/place", f"/visits/{visit.id}"
        bare = mia.change("POST", path, offer["steps"], of=of)
        assert (bare.status_code, bare.json["overridable"]) == (422, True)
        given = offer["steps"] | {
            "override": {"reason_code": "patient-agreed", "text": "Asked and agreed by telephone."}
        }
        assert sam.change("POST", path, given, of=of).status_code == 403
        done = mia.change("POST", path, given, of=of)
        assert (done.status_code, done.json.get("status")) == (200, "booked"), done.json


def test_a_law_is_never_lifted(agency: TestAgency, session: Session, work_as: WorkAs) -> None:
    person = agency.admit(visits=1)
    person.order.status = OrderStatus.SENT_FOR_SIGNATURE
    session.commit()
    with work_as(_of(agency, Role.CLINICAL_MANAGER), now=EVE) as work:
        answer = _told(work, asking.relaxations(work, person.visits[0].id))
    assert answer["relaxations"] == []
    assert answer["sentence"].startswith("Nothing helps")


def test_who_is_not_of_the_branch_or_may_not_hears_nothing(
    app: Coordinator, database: Database, agency: TestAgency, session: Session
) -> None:
    other = make_agency(session)
    session.commit()
    stranger = browser(app, database, "scheduler", branch_ids=[other.branch.id])
    visit = agency.people[0].visits[0].id
    with at(EVE):
        for path in ("explanation", "suggestions", "relaxations"):
            assert stranger.get(f"/visits/{visit}/{path}").status_code == 404
            assert (
                stranger.get(f"/visits/{visit + 999}/{path}").json["detail"]
                == stranger.get(f"/visits/{visit}/{path}").json["detail"]
            )
        physician = browser(app, database, "administrator", branch_ids=[agency.branch.id])
        assert physician.get(f"/visits/{visit}/suggestions").status_code == 403
        step = {
            "visit": visit, "version": 1, "clinician_id": agency.clinicians[0].id,
            "starts_at": (EVE + timedelta(days=2)).isoformat(), "ends_at": (EVE + timedelta(days=3)).isoformat(),
        }  # fmt: skip
        assert physician.post(f"/visits/{visit}/place", {"place": [step]}).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/visits/{visit}/suggestions?limit=0", 422),
        ("/visits/{visit}/suggestions?limit=x%00", 422),
        (f"/visits/{{visit}}/suggestions?limit={10**30}", 422),
        ("/visits/{visit}/relaxations?seconds=11", 422),
        (f"/visits/{10**30}/explanation", 404),
        ("/plan-runs/compare?left=1", 422),
        ("/plan-runs/compare?left=1&right=a%00b", 422),
        (f"/plan-runs/compare?left=1&right={10**40}", 422),
        ("/plan-runs/compare?left=77777&right=77778", 404),
    ],
)
def test_bad_questions_are_refused(agency: TestAgency, sam: Browser, path: str, status: int) -> None:
    with at(EVE):
        assert sam.get(path.format(visit=agency.people[0].visits[0].id)).status_code == status


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"place": []}, "/place"),
        ({"place": [{"visit": 1}]}, "/place/0/version"),
        ({}, "/place"),
        ({"place": "a\x00b"}, "/place"),
        ({"place": [], "unlock": [{"visit": 10**30, "version": 1}]}, "/unlock/0/visit"),
    ],
)
def test_steps_that_make_no_sense_change_nothing(
    agency: TestAgency, sam: Browser, given: dict[str, Any], pointer: str
) -> None:
    visit = agency.people[0].visits[0].id
    with at(EVE):
        refused = sam.change("POST", f"/visits/{visit}/place", given, of=f"/visits/{visit}")
        assert refused.status_code == 422
        assert pointer in pointers(refused)
        assert sam.post(f"/visits/{visit}/place", {"place": []}).status_code in (422, 428)


def test_the_visit_itself_is_placed_once(agency: TestAgency, work_as: WorkAs) -> None:
    one, other = agency.people[0].visits
    step = offers.Step(other.id, other.version, agency.clinicians[0].id, EVE, EVE + timedelta(minutes=45))
    mine = replace(step, visit_id=one.id, version=one.version)
    reason = {"reason_code": "x", "text": "y"}
    more = offers.Agreed("week-hours", agency.clinicians[0].id, None, 30)
    with work_as(_of(agency), now=EVE) as work:
        with pytest.raises(Invalid):
            offers.carry_out(work, one.id, offers.Offer([step]))
        with pytest.raises(Invalid):
            offers.carry_out(work, other.id, offers.Offer([step, step]))
        with pytest.raises(NotFound):
            asking.suggestions(work, 10**15)
        with pytest.raises(Invalid):
            asking.suggestions(work, one.id, 0)
        with pytest.raises(Forbidden):
            offers.carry_out(work, one.id, offers.Offer([mine], overrides=frozenset({"CUL-01"})), override=reason)
        with pytest.raises(Invalid, match="never a law"):
            offers.carry_out(work, one.id, offers.Offer([mine], overrides=frozenset({"LAB-04"})))
        with pytest.raises(Forbidden, match="more hours"):
            offers.carry_out(work, one.id, offers.Offer([mine], agreed=[more]), agreed_reason="asked")
        stranger = replace(more, clinician_id=10**9)
        with pytest.raises(Invalid, match="given no visit"):
            offers.carry_out(work, one.id, offers.Offer([mine], agreed=[stranger]), agreed_reason="asked")
    with work_as(_of(agency, Role.CLINICAL_MANAGER), now=EVE) as work, pytest.raises(Invalid, match="which rules"):
        offers.carry_out(work, one.id, offers.Offer([mine]), override=reason)


def test_two_runs_are_set_side_by_side(
    app: Coordinator, agency: TestAgency, session: Session, sam: Browser, database: Database
) -> None:
    def run() -> int:
        with at(EVE):
            asked = sam.post(
                "/plan-runs",
                {"start_on": "2026-11-08", "end_on": "2026-11-14", "iterations": 40, "branch_id": agency.branch.id},
            )
        number: int = asked.json["id"]
        workshop = replace(app.extensions["workshop"], now=lambda: EVE)
        context = JobContext(workshop=workshop, name=service.JOB, key=service.job_key(number))
        service.perform(context, number, search_here)
        return number

    first = run()
    agency.clinicians[0].max_visits_per_day = 1
    agency.admit(visits=2)
    session.commit()
    second = run()
    with at(EVE):
        same = sam.get(f"/plan-runs/compare?left={first}&right={first}").json
        assert same["by_patient"] == []
        assert set(same["difference"].values()) == {0}
        answer = sam.get(f"/plan-runs/compare?left={first}&right={second}")
        assert answer.status_code == 200, answer.json
        assert answer.json["difference"]["wanted"] == 2
        changes = [change for one in answer.json["by_patient"] for change in one["changes"]]
        shown = sa.select(AuditEvent.patient_id).where(AuditEvent.action == "run.comparison-shows-patient")
        assert set(session.scalars(shown)) == {one["patient_id"] for one in answer.json["by_patient"]}
        fresh = {visit.id for visit in agency.people[1].visits}
        assert fresh <= {change["visit"] for change in changes}
        assert {change["left_cause"]["code"] for change in changes if change["visit"] in fresh} == {"not-in-run"}
        other = make_agency(session)
        session.commit()
        stranger = browser(app, database, "scheduler", branch_ids=[other.branch.id])
        assert stranger.get(f"/plan-runs/compare?left={first}&right={second}").status_code == 404


def test_the_commands_say_it_in_words(app: Coordinator, agency: TestAgency, session: Session) -> None:
    register(app)
    visit = _crowd(agency, session, locked=True)
    runner = app.test_cli_runner()
    with at(EVE):
        said = runner.invoke(args=["plan", "relax", str(visit.id), "--seconds", "60"])
        assert said.exit_code == 0, said.output
        assert "One change is enough." in said.output
        assert "to make 2 visits on" in said.output
        none = runner.invoke(args=["plan", "suggest", str(visit.id)])
        assert (none.exit_code, none.output.strip()) == (0, f"Nobody can take visit {visit.id} as things are.")
        for command in (["explain", "99999"], ["suggest", "99999"], ["relax", "99999"], ["compare", "1", "99999"]):
            missing = runner.invoke(args=["plan", *command])
            assert missing.exit_code == 1
            assert "Traceback" not in missing.output
        assert runner.invoke(args=["plan", "suggest", str(10**30)]).exit_code == 2


def test_reading_is_on_record(agency: TestAgency, work_as: WorkAs) -> None:
    visit = agency.people[0].visits[0].id
    with work_as(_of(agency), now=EVE) as work:
        _told(work, asking.suggestions(work, visit, 1))
        _told(work, asking.explanation(work, visit))
        assert [line.action for line in work.trail] == ["visit.suggested", "visit.explained"]


def test_every_patient_whom_an_answer_shows_is_on_record(agency: TestAgency, session: Session, work_as: WorkAs) -> None:
    wanted, locked = _one_a_day(agency, session)
    with work_as(_of(agency), now=EVE) as work:
        answer = _told(work, asking.relaxations(work, wanted.id, 60))
        moved = {move["patient_id"] for one in answer["relaxations"] for move in one["moves"]}
        assert locked.patient_id in moved
        shown = (moved | set(answer["unlocated_patients"])) - {wanted.patient_id}
        assert [line.patient_id for line in work.trail] == [wanted.patient_id, *sorted(shown)]


def test_a_question_is_thought_over_with_nothing_open(
    app: Coordinator, agency: TestAgency, sam: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(app)
    visit = agency.people[0].visits[0].id
    database: Database = app.extensions["database"]
    open_at_search: list[int] = []

    def spied(verb: Any) -> Any:
        def search(*given: Any, **more: Any) -> Any:
            open_at_search.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
            with database.transaction() as session:  # SQLite has one writer, and it is to be had
                session.execute(sa.text("UPDATE branch SET name = name"))
            return verb(*given, **more)

        return search

    before = database.engine.pool.checkedout()  # type: ignore[attr-defined]
    for name in ("explain", "suggest", "relax"):
        monkeypatch.setattr(asking, name, spied(getattr(asking, name)))
    with at(EVE):
        for path in ("explanation", "suggestions", "relaxations?seconds=1"):
            assert sam.get(f"/visits/{visit}/{path}").status_code == 200
        runner = app.test_cli_runner()
        for command in ("why", "suggest", "relax"):
            said = runner.invoke(args=["plan", command, str(visit)])
            assert said.exit_code == 0, said.output
    assert open_at_search == [before] * 6


def test_too_many_questions_at_once_are_refused_with_the_way_out(
    agency: TestAgency, sam: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = agency.people[0].visits[0].id
    monkeypatch.setattr(asking, "_turns", threading.BoundedSemaphore(1))
    with at(EVE):
        with asking._turn():
            answer = sam.get(f"/visits/{visit}/suggestions")
        assert (answer.status_code, answer.json["type"]) == (429, "/problems/too-many-questions")
        assert int(answer.headers["Retry-After"]) > 0
        assert sam.get(f"/visits/{visit}/suggestions").status_code == 200


def test_a_question_takes_no_key(agency: TestAgency, app: Coordinator, sam: Browser) -> None:
    visit = agency.people[0].visits[0].id
    headers = {"Authorization": f"Bearer {sam.token}", "Idempotency-Key": "once"}
    with at(EVE):
        client, body = app.test_client(), {"start_on": "2026-11-08", "end_on": "2026-11-14", "iterations": 1}
        made = client.post("/api/v1/plan-runs", json=body | {"branch_id": agency.branch.id}, headers=headers)
        assert made.status_code == 202, made.json
        assert client.get(f"/api/v1/visits/{visit}/suggestions", headers=headers).status_code == 422


def _taken(agency: TestAgency, session: Session) -> tuple[Visit, Visit]:
    """A visit of one day that only one nurse may make, who has another that day, which her colleague could take."""
    wanted, other = _one_a_day(agency, session)
    other.locked = False
    other.window_from = other.window_to = wanted.window_from
    colleague = agency.hire()
    colleague.exclusions.append(Exclusion(patient_id=wanted.patient_id, reason="patient-asked"))
    session.commit()
    return wanted, other


def test_somebody_else_may_take_a_visit_that_is_in_the_way(
    agency: TestAgency, session: Session, work_as: WorkAs
) -> None:
    wanted, other = _taken(agency, session)
    nurse, colleague = agency.clinicians
    with work_as(_of(agency), now=EVE) as work:
        (one,) = _told(work, asking.suggestions(work, wanted.id))["suggestions"]
    assert one["clinician_id"] == nurse.id
    assert [(move["visit"], move["after"]["clinician_id"]) for move in one["moves"]] == [(other.id, colleague.id)]
    with work_as(_of(agency), now=EVE) as work:
        offers.carry_out(work, wanted.id, offers.offer_of(one["steps"]))
    session.refresh(other)
    assert other.clinician_id == colleague.id


def test_nobody_takes_over_whom_the_rules_refuse(agency: TestAgency, session: Session, work_as: WorkAs) -> None:
    wanted, other = _taken(agency, session)
    agency.clinicians[1].exclusions.append(Exclusion(patient_id=other.patient_id, reason="patient-asked"))
    session.commit()
    with work_as(_of(agency), now=EVE) as work:
        assert _told(work, asking.suggestions(work, wanted.id))["suggestions"] == []


@pytest.mark.parametrize("where", ["question", "explain"])
def test_what_is_not_tried_visit_by_visit_is_a_conflict_and_no_fault(
    agency: TestAgency, sam: Browser, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def refused(*_given: Any, **_more: Any) -> None:
        raise ProblemError("links[0]", "a visit in several links: not planned by any engine together with the rest")

    monkeypatch.setattr(asking, where, refused)
    with at(EVE):
        answer = sam.get(f"/visits/{agency.people[0].visits[0].id}/explanation")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/not-answerable"), answer.json
    assert "by hand" in answer.json["detail"]


def test_a_visit_far_ahead_in_a_long_window_is_asked_about_around_where_it_stands(
    agency: TestAgency, session: Session, work_as: WorkAs
) -> None:
    visit = agency.people[0].visits[0]
    visit.order_week_id = visit.order_id = visit.unit = None
    visit.kind = VisitKind.PRN
    visit.window_to = visit.window_from + timedelta(days=60)
    agency.book(visit, agency.clinicians[0], EVE + timedelta(days=51))
    session.commit()
    with work_as(_of(agency), now=EVE) as work:
        days = question(work, visit.id).bridge.scene.horizon.days
    assert len(days) == 14
    assert visit.starts_at is not None
    assert days[0] < visit.starts_at.date() < days[-1]


def test_who_may_not_place_hears_no_version(agency: TestAgency, app: Coordinator, database: Database) -> None:
    nurse = browser(app, database, "clinician", branch_ids=[agency.branch.id], clinician_id=agency.clinicians[0].id)
    visit = agency.people[0].visits[0]
    body = {"place": [{"visit": visit.id, "version": 1, "clinician_id": 1, "starts_at": EVE.isoformat(),
                       "ends_at": EVE.isoformat()}]}  # fmt: skip
    with at(EVE):
        for number in (visit.id, visit.id + 999):
            refused = nurse("POST", f"/visits/{number}/place", body, match='"99"')
            assert refused.status_code == 403
            assert "ETag" not in refused.headers


def test_two_trade_places_while_a_wish_is_set_aside(agency: TestAgency, session: Session, work_as: WorkAs) -> None:
    one, other = _declined(agency, session), agency.admit(visits=1).visits[0]
    nurse, early, late = agency.clinicians[0], EVE + timedelta(days=2), EVE + timedelta(days=3)
    agency.book(one, nurse, early)
    agency.book(other, nurse, late, status=VisitStatus.PENDING)
    session.commit()
    manager = _of(agency, Role.CLINICAL_MANAGER)
    user = make_user(session, "no password", "clinical_manager")
    session.commit()
    length = timedelta(minutes=45)
    offer = offers.Offer(
        [
            offers.Step(one.id, one.version, nurse.id, late, late + length),
            offers.Step(other.id, other.version, nurse.id, early, early + length),
        ],
        overrides=frozenset({"CUL-01"}),
    )
    reason = {"reason_code": "patient-agreed", "text": "Asked."}
    with work_as(replace(manager, user_id=user.id), now=EVE) as work:
        offers.carry_out(work, one.id, offer, override=reason)
    session.refresh(one)
    session.refresh(other)
    assert (one.starts_at, one.status) == (late, VisitStatus.BOOKED)
    assert (other.starts_at, other.status) == (early, VisitStatus.PENDING)


def _tired(agency: TestAgency, session: Session) -> Visit:
    """The only nurse may work no more this week than she does."""
    nurse, wanted = agency.clinicians[0], agency.people[0].visits[0]
    agency.people[0].visits[1].status, agency.people[0].visits[1].is_current = VisitStatus.CANCELLED, False
    wanted.window_from = wanted.window_to = (EVE + timedelta(days=3)).date()
    stands = agency.admit(visits=1).visits[0]
    agency.book(stands, nurse, EVE + timedelta(days=3, hours=1), locked=True)
    # Both visits are of 45 minutes: one always fits with its ways, two never do, wherever the homes are.
    nurse.weekly_minutes = nurse.weekly_maximum_minutes = 90
    session.commit()
    return wanted


def test_more_hours_than_the_agency_s_most_take_a_clinical_manager_and_are_on_record(
    agency: TestAgency, session: Session, sam: Browser, mia: Browser
) -> None:
    visit = _tired(agency, session)
    with at(EVE):
        why = sam.get(f"/visits/{visit.id}/explanation").json["reasons"]
        assert any(one["code"] == "week-max" for one in why)
        answer = sam.get(f"/visits/{visit.id}/relaxations").json
        found = [one for one in answer["relaxations"] if "week-hours" in {c["kind"] for c in one["changes"]}]
        assert found, answer
        change = next(c for c in found[0]["changes"] if c["kind"] == "week-hours")
        assert change["permission"] == "visit:override"
        assert f"work {change['amount']} minutes more in the week" in change["sentence"]
        path, of = f"/visits/{visit.id}/place", f"/visits/{visit.id}"
        given = found[0]["steps"] | {"agreed_reason": "clinician-agreed"}
        assert sam.change("POST", path, given, of=of).status_code == 403
        done = mia.change("POST", path, given, of=of)
        assert (done.status_code, done.json.get("status")) == (200, "booked"), done.json
    lines = session.execute(sa.select(AuditEvent).where(AuditEvent.action == "visit.limit-agreed")).scalars().all()
    assert {line.facts["kind"] for line in lines} == {change["kind"] for change in found[0]["changes"]}


def test_an_offer_is_carried_out_at_the_command_line(app: Coordinator, agency: TestAgency, session: Session) -> None:
    register(app)
    visit = _crowd(agency, session, locked=True)
    runner, number = app.test_cli_runner(), visit.id
    session.rollback()
    with at(EVE):
        why = runner.invoke(args=["plan", "why", str(number)])
        assert (why.exit_code, "max-visits" in why.output) == (0, True), why.output
        asked = ["plan", "place", str(number), "--offer", "1"]
        no = runner.invoke(args=asked, input="n\n")
        assert no.exit_code == 1
        assert "make 2 visits on" in no.output
        session.refresh(visit)
        assert visit.status is VisitStatus.PROPOSED
        session.rollback()
        assert runner.invoke(args=["plan", "place", str(number), "--offer", "99"]).exit_code == 2
        assert runner.invoke(args=[*asked, "--reason", "Mrs Lee", "--yes"]).exit_code == 2
        yes = runner.invoke(args=asked, input="y\n")
        assert (yes.exit_code, yes.output.endswith(f"Visit {number} is booked.\n")) == (0, True), yes.output
        session.refresh(visit)
        assert visit.status is VisitStatus.BOOKED
        session.rollback()
        missing = runner.invoke(args=["plan", "why", "99999"])
        assert (missing.exit_code, "Traceback" in missing.output) == (1, False)
        stands = runner.invoke(args=["plan", "why", str(number)])
        assert f"Visit {number}: clinician" in stands.output
        moved = runner.invoke(args=["plan", "place", str(number), "--offer", "1", "--from", "suggest", "--yes"])
        assert moved.exit_code in (0, 2), moved.output


def test_an_offer_that_sets_a_rule_aside_takes_a_person(app: Coordinator, agency: TestAgency, session: Session) -> None:
    register(app)
    visit = _declined(agency, session)
    with at(EVE):
        said = app.test_cli_runner().invoke(args=["plan", "place", str(visit.id), "--offer", "1", "--yes"])
    assert said.exit_code == 1
    assert "CUL-01" in said.output
