"""Questions about one visit as the plan stands: why not, who could, what would help, and doing what was offered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.errors import Forbidden, Invalid, NotFound, StaleVersion
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import OrderStatus, Role, VisitStatus
from coordinator.jobs.context import JobContext
from coordinator.planning import asking, service
from coordinator.planning.search import search_here
from coordinator.staff.model import Exclusion
from coordinator.visits.model import Visit
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
        answer = sam.get(f"/visits/{visit.id}/relaxations?seconds=60")
        assert answer.status_code == 200, answer.json
        assert answer.json["complete"]
        offers = [one for one in answer.json["relaxations"] if one["changes"][0]["kind"] == "max-visits"]
        assert offers
        change = offers[0]["changes"][0]
        assert (change["limit"], change["new_limit"], change["permission"]) == (1, 2, "visit:confirm")
        done = sam.change("POST", f"/visits/{visit.id}/place", offers[0]["steps"], of=f"/visits/{visit.id}")
        assert (done.status_code, done.json.get("status")) == (200, "booked"), done.json


def test_unlocking_is_done_by_the_lock_verb_and_moves_who_was_locked(
    agency: TestAgency, session: Session, work_as: WorkAs
) -> None:
    wanted, stands = agency.people[0].visits
    wanted.window_to = wanted.window_from = (EVE + timedelta(days=3)).date()
    nurse = agency.clinicians[0]
    nurse.max_visits_per_day = 1
    agency.admit(visits=1)
    locked = agency.people[1].visits[0]
    agency.book(locked, nurse, EVE + timedelta(days=3), locked=True)
    stands.status = VisitStatus.CANCELLED
    stands.is_current = False
    session.commit()
    with work_as(_of(agency), now=EVE) as work:
        answer = asking.relaxations(work, wanted.id, 60)
    offer = next(one for one in answer["relaxations"] if [c["kind"] for c in one["changes"]] == ["unlock"])
    assert offer["changes"][0]["visit"] == locked.id
    assert [move["visit"] for move in offer["moves"]] == [locked.id]
    steps = [
        asking.Step(one["visit"], one["version"], one["clinician_id"], one["starts_at"], one["ends_at"])
        for one in offer["steps"]["place"]
    ]
    unlock = {one["visit"]: one["version"] for one in offer["steps"]["unlock"]}
    with work_as(_of(agency), now=EVE) as work:
        with pytest.raises(StaleVersion):
            asking.carry_out(work, wanted.id, [replace(one, version=9) for one in steps])
        asking.carry_out(work, wanted.id, steps, unlock=unlock)
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
        answer = mia.get(f"/visits/{visit.id}/relaxations?seconds=60")
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
        answer = asking.relaxations(work, person.visits[0].id)
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
        ("/visits/{visit}/relaxations?seconds=61", 422),
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
    step = asking.Step(other.id, other.version, agency.clinicians[0].id, EVE, EVE + timedelta(minutes=45))
    mine = replace(step, visit_id=one.id, version=one.version)
    reason = {"reason_code": "x", "text": "y"}
    with work_as(_of(agency), now=EVE) as work:
        with pytest.raises(Invalid):
            asking.carry_out(work, one.id, [step])
        with pytest.raises(Invalid):
            asking.carry_out(work, other.id, [step, step])
        with pytest.raises(NotFound):
            asking.suggestions(work, 10**15)
        with pytest.raises(Invalid):
            asking.suggestions(work, one.id, 0)
        with pytest.raises(Forbidden):
            asking.carry_out(work, one.id, [mine], override=reason)


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
        asking.suggestions(work, visit, 1)
        asking.explanation(work, visit)
        assert [line.action for line in work.trail] == ["visit.suggested", "visit.explained"]
