"""The first week over HTTP, on both engines: from a referral to a signed order, a roster, and what is still owed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from coordinator.core.audit import verify
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Performer
from coordinator.jobs.worker import Worker
from tests import builders
from tests.builders import PASSWORD

pytestmark = pytest.mark.slow

MONDAY_EIGHT = datetime(2026, 11, 9, 16, 0, tzinfo=UTC)


class Agency:
    """The people of the story, the ids they know, and what time it is."""

    def __init__(self, app: Coordinator, database: Database) -> None:
        self.app, self.moment = app, MONDAY_EIGHT
        with database.transaction() as session:
            hashed = app.extensions["doorman"].hash(PASSWORD)
            branch = builders.make_branch(session, code="SF")
            physician = builders.make_physician(session)
            nurse = builders.make_clinician(session, branch, Performer.RN, languages=("en", "yue"))
            therapist = builders.make_clinician(session, branch, Performer.PT, languages=("en", "yue"))
            self.branch, self.npi, self.physician_id = branch.id, physician.npi, physician.id
            self.nurse_id, self.therapist_id = nurse.id, therapist.id
            for name, role, identity in (
                ("intake", "intake", {}),
                ("scheduler", "scheduler", {}),
                ("nurse", "clinician", {"clinician_id": nurse.id}),
                ("therapist", "clinician", {"clinician_id": therapist.id}),
                ("physician", "physician", {"physician_id": physician.id}),
            ):
                builders.make_user(session, hashed, role, username=name, branch_ids=[branch.id], **identity)
        self.intake, self.scheduler = Person(self, "intake"), Person(self, "scheduler")
        self.nurse, self.therapist = Person(self, "nurse"), Person(self, "therapist")
        self.physician = Person(self, "physician")

    def work_off(self) -> None:
        """Let the worker do what is in the queue; its own machinery needs a clock that runs."""
        moment = self.moment
        Worker(replace(self.app.extensions["workshop"], now=lambda: moment), concurrency=1).run_once()


class Person:
    """Somebody at work: signs in when asked to, and speaks JSON."""

    def __init__(self, agency: Agency, username: str) -> None:
        self.agency, self.username = agency, username
        self.client = agency.app.test_client()

    def get(self, path: str, *, expect: int = 200) -> Any:
        return self.send("GET", path, expect=expect)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.send("POST", path, body or {}, **how)

    def send(self, method: str, path: str, body: Any = None, *, match: int | None = None, expect: int = 200) -> Any:
        headers = {} if match is None else {"If-Match": f'"{match}"'}
        with freeze_time(self.agency.moment):
            if self.client.get("/api/v1/me").status_code == 401:
                pair = {"username": self.username, "password": PASSWORD}
                assert self.client.post("/api/v1/sessions", json=pair).status_code == 201
            answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json


@pytest.fixture
def agency(app: Coordinator, database: Database) -> Agency:
    return Agency(app, database)


def _referral(agency: Agency) -> dict[str, Any]:
    return {
        "branch_id": agency.branch, "programme": "KP_HBPC", "received_at": "2026-11-09T15:00:00Z",
        "given_name": "Mei Ling", "family_name": "Wong", "birth_date": "1944-05-01", "gender": "female",
        "phone": "+1 415 555 0100", "address": "500 Noe Street", "city": "San Francisco", "state": "CA",
        "zip": "94114", "lat": 37.7601, "lon": -122.4331, "spoken_language": "yue", "written_language": "zh-Hant",
        "interpreter_needed": True, "diagnosis_code": "C34.90", "reason": "Lung cancer, breathless, wants to be home",
        "disciplines": ["SN", "PT"], "payer": "KP", "member_id": "KP0012345", "coverage_from": "2026-01-01",
        "practitioner_name": "Ada Okafor", "practitioner_npi": agency.npi, "practitioner_type": "MD",
        "practitioner_organisation": "Kaiser Permanente", "practitioner_is_kp": True, "setting": "home",
    }  # fmt: skip


def _criteria(agency: Agency) -> list[dict[str, Any]]:
    homebound = {
        "needs_supportive_device": True, "normal_inability_to_leave": True, "considerable_and_taxing_effort": True,
    }  # fmt: skip
    return [
        {"criterion": "ELG-1", "result": "met", "evidence": "Membership looked up"},
        {
            "criterion": "ELG-2", "evidence": "Referral letter and telephone call",
            "facts": {
                "progressive_advanced": True, "symptom_needs": ["SHORTNESS_OF_BREATH"], "desires_home_care": True,
            },
            "result": "met",
        },
        {"criterion": "ELG-3", "result": "met", "evidence": "Patient and daughter agree"},
        {
            "criterion": "ELG-4", "result": "met", "evidence": "Telephone assessment",
            "facts": {
                "homebound": homebound, "narratives": dict.fromkeys(homebound, "Walker; breathless after ten steps"),
                "certified": True, "certified_by": agency.physician_id, "certification": "verbal",
            },
        },
        {"criterion": "ELG-5", "result": "met", "evidence": "ZIP in the area"},
        {"criterion": "ELG-6", "result": "met", "evidence": "Checklist with the daughter", "facts": {}},
        {"criterion": "ELG-7", "result": "met", "evidence": "Letter of the physician"},
        {"criterion": "ELG-8", "result": "met", "evidence": "No other prescriber"},
    ]  # fmt: skip


def test_from_a_referral_to_the_ledger(agency: Agency, database: Database) -> None:
    patient = _admit(agency)
    nursing, therapy = _order(agency, patient)
    _plan_without_therapy(agency, therapy)
    _sign(agency, therapy)
    _plan_and_publish(agency, nursing, therapy)
    _make_and_miss(agency, patient, nursing, therapy)
    with database.transaction(write=False) as session:
        assert verify(session).ok


def _admit(agency: Agency) -> int:
    """Intake takes the referral, determines the criteria and accepts; the nurse makes the first visit."""
    referral = agency.intake.post("/referrals", _referral(agency), expect=201)
    number = referral["id"]
    assert referral["missing"] == []
    assert referral["due_at"] == "2026-11-11T15:00:00Z"
    early = agency.intake.post(f"/referrals/{number}/accept", match=referral["version"], expect=422)
    assert early["findings"][0]["rule"].startswith("ELG")
    for criterion in _criteria(agency):
        agency.intake.post(f"/referrals/{number}/determinations", criterion, expect=201)
    checklist = agency.intake.get(f"/referrals/{number}/checklist")
    assert checklist["eligibility"] == "eligible"
    version = agency.intake.get(f"/referrals/{number}")["version"]
    accepted = agency.intake.post(f"/referrals/{number}/accept", match=version)
    patient: int = accepted["patient_id"]
    first = agency.scheduler.get(f"/visits?patient_id={patient}")["items"]
    assert [(visit["kind"], visit["status"], visit["discipline"]) for visit in first] == [("initial", "proposed", "SN")]
    booked = agency.scheduler.post(
        f"/visits/{first[0]['id']}/assign",
        {"clinician_id": agency.nurse_id, "starts_at": "2026-11-09T18:00:00Z"},
        match=first[0]["version"],
    )
    assert booked["status"] == "booked"
    agency.moment = datetime(2026, 11, 9, 18, 2, tzinfo=UTC)
    agency.nurse.post(
        f"/visits/{booked['id']}/start", {"at": "2026-11-09T18:01:00Z", "place": {"lat": 37.7601, "lon": -122.4331}}
    )
    agency.moment = datetime(2026, 11, 9, 19, 31, tzinfo=UTC)
    agency.nurse.post(f"/visits/{booked['id']}/finish", {"at": "2026-11-09T19:30:00Z"})
    assert agency.intake.get(f"/referrals/{number}")["status"] == "admitted"
    assert agency.nurse.get(f"/patients/{patient}")["episodes"][0]["soc_date"] == "2026-11-09"
    return patient


def _order(agency: Agency, patient: int) -> tuple[int, int]:
    """The nurse takes a nursing order by word of mouth and drafts therapy, which is sent and waits."""
    draft = {
        "discipline": "SN", "frequency": "2w3", "effective_from": "2026-11-10", "physician_id": agency.physician_id,
        "treatments": ["symptom assessment", "teaching of caregivers"], "goals_text": "Breath easy at rest",
    }  # fmt: skip
    nursing = agency.nurse.post(f"/patients/{patient}/orders", draft, expect=201)
    agency.nurse.post(
        f"/orders/{nursing['id']}/verbal",
        {"received_at": "2026-11-09T19:20:00Z", "read_back": True, "responsible_clinician_id": agency.nurse_id},
        match=nursing["version"],
    )
    live = agency.nurse.post(f"/orders/{nursing['id']}/receipt")
    assert live["status"] == "active_verbal"
    therapy = agency.nurse.post(
        f"/patients/{patient}/orders",
        draft | {
            "discipline": "PT", "frequency": "2w2", "goals_text": "Safe on the stairs",
            "treatments": ["gait training", "therapeutic exercise"],
        },
        expect=201,
    )  # fmt: skip
    sent = agency.nurse.post(f"/orders/{therapy['id']}/send", match=therapy["version"])
    assert sent["status"] == "sent_for_signature"
    return nursing["id"], therapy["id"]


def _run(agency: Agency) -> dict[str, Any]:
    started = agency.scheduler.post(
        "/plan-runs",
        {"branch_id": agency.branch, "start_on": "2026-11-10", "days": 5, "seconds": 5, "iterations": 300, "seed": 7},
        expect=202,
    )
    agency.work_off()
    run: dict[str, Any] = agency.scheduler.get(f"/plan-runs/{started['id']}")
    assert run["status"] == "proposed", run
    return run


def _plan_without_therapy(agency: Agency, therapy: int) -> None:
    """Nothing of an unsigned therapy order is planned, by the planner or by hand, and both say what would help."""
    run = _run(agency)
    assert run["result"]["wanted"] == run["result"]["placed"] == 2
    assert [entry["order"] for entry in run["result"]["waiting"]] == [therapy]
    assert "ORD-01" in str(run["result"]["waiting"])
    patient = agency.scheduler.get(f"/orders/{therapy}")["patient_id"]
    slot = {
        "order_id": therapy,
        "kind": "routine",
        "clinician_id": agency.therapist_id,
        "starts_at": "2026-11-11T22:00:00Z",
    }
    held = agency.scheduler.post(f"/patients/{patient}/visits", slot, expect=201)
    assert held["status"] == "pending"
    refused = agency.scheduler.post(f"/visits/{held['id']}/confirm", match=held["version"], expect=422)
    assert refused["type"] == "/problems/order-not-active"
    finding = next(finding for finding in refused["findings"] if finding["rule"] == "ORD-01")
    assert finding["severity"] == "BLOCK"
    assert finding["citation"]
    assert finding["cure"]
    agency.scheduler.post(f"/visits/{held['id']}/cancel", {"reason": "unsigned"}, match=held["version"])


def _sign(agency: Agency, therapy: int) -> None:
    """The physician reviews both orders and signs; a wrong password signs nothing; the office is told at once."""
    queue = agency.physician.get("/signing-queue")["items"]
    assert therapy in {card["order"]["id"] for card in queue}
    items = []
    for card in queue:
        agency.physician.post(f"/orders/{card['order']['id']}/review", {"version": card["version"]})
        items.append({"id": card["order"]["id"], "version": card["version"], "content_hash": card["content_hash"]})
    wrong = agency.physician.post("/signature-batches", {"items": items, "password": "not the password"}, expect=403)
    assert wrong["type"] == "/problems/step-up-required"
    results = agency.physician.post("/signature-batches", {"items": items, "password": PASSWORD})["results"]
    assert {result["code"] for result in results} == {"signed"}
    assert agency.nurse.get(f"/orders/{therapy}")["status"] == "active_signed"
    told = {notice["kind"] for notice in agency.scheduler.get("/notices")["items"]}
    assert "order.signed" in told


def _plan_and_publish(agency: Agency, nursing: int, therapy: int) -> None:
    """Now therapy is planned too. Nothing is on a roster until it is published; then it is, for both."""
    run = _run(agency)
    assert run["result"]["wanted"] == run["result"]["placed"]
    assert run["result"]["waiting"] == []
    assert run["result"]["violations"] == []
    diff = agency.scheduler.get(f"/plan-runs/{run['id']}/diff")
    assert {change["change"] for entry in diff["by_patient"] for change in entry["changes"]} == {"added"}
    assert _stops(agency, agency.nurse) == []
    agency.scheduler.post(f"/plan-runs/{run['id']}/publish", match=run["version"] - 1, expect=412)
    agency.scheduler.post(f"/plan-runs/{run['id']}/publish", match=run["version"])
    disciplines = {stop["discipline"] for stop in _stops(agency, agency.nurse) + _stops(agency, agency.therapist)}
    assert disciplines == {"SN", "PT"}
    assert _balanced(agency, nursing)[0]["planned"] == 2
    assert _balanced(agency, therapy)[0]["planned"] == 2


def _stops(agency: Agency, person: Person) -> list[dict[str, Any]]:
    days = [MONDAY_EIGHT.date() + timedelta(days=number) for number in range(1, 6)]
    return [stop for day in days for stop in person.get(f"/rosters/me/{day}")["stops"]]


def _balanced(agency: Agency, order: int) -> list[dict[str, Any]]:
    weeks: list[dict[str, Any]] = agency.nurse.get(f"/orders/{order}/ledger")["weeks"]
    for week in weeks:
        assert week["ordered"] == week["planned"] + week["done"] + week["waived"] + week["owed"]
    return weeks


def _make_and_miss(agency: Agency, patient: int, nursing: int, therapy: int) -> None:
    """One nursing visit is made; one of therapy is missed, the physician decides, and the ledger says so."""
    stop = _stops(agency, agency.nurse)[0]
    begins = datetime.fromisoformat(stop["starts_at"])
    agency.moment = begins + timedelta(minutes=1)
    agency.nurse.post(f"/visits/{stop['visit_id']}/start", {"at": begins.isoformat()})
    again = agency.nurse.post(f"/visits/{stop['visit_id']}/start", {"at": begins.isoformat()})
    assert again["status"] == "in_progress"
    agency.moment = begins + timedelta(minutes=46)
    agency.nurse.post(f"/visits/{stop['visit_id']}/finish", {"at": (begins + timedelta(minutes=45)).isoformat()})
    assert _balanced(agency, nursing)[0]["done"] == 1

    missed = _stops(agency, agency.therapist)[0]
    agency.moment = max(datetime.fromisoformat(missed["starts_at"]), begins + timedelta(minutes=50)) + timedelta(
        minutes=5
    )
    agency.therapist.post(
        f"/visits/{missed['visit_id']}/missed", {"reason": "not_home_not_found", "clinical_impact": False}
    )
    assert _balanced(agency, therapy)[0]["missed"] == 1
    waiting = agency.physician.get("/missed-visits")["items"]
    assert [visit["id"] for visit in waiting] == [missed["visit_id"]]
    agency.physician.post(f"/visits/{missed['visit_id']}/decision", {"decision": "skip", "note": "Enough this week"})
    week = _balanced(agency, therapy)[0]
    assert (week["waived"], week["missed"], week["owed"]) == (1, 0, 0)
    usage = agency.nurse.get(f"/patients/{patient}/intermittent-usage?week=2026-11-10")
    assert usage["minutes"] > 0
