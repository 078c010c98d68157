"""`?dry_run=true` gives the answer of the change, word for word, and leaves every table as it was."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.http import SAFE, Coordinator
from coordinator.domain.vocabulary import Discipline, OrderStatus, Role
from coordinator.schema import metadata
from tests.conftest import NOW
from tests.people import Browser, at, browser
from tests.visits.conftest import FRIDAY, TUESDAY, OrderMaker, Scene, local

pytestmark = pytest.mark.long_on("postgresql")
Wanted = Callable[..., list[int]]
#: What may differ between a rehearsal and the change: numbers of new rows, for a sequence never goes back.
NUMBERS = {"id", "replaces_id"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with at(NOW):
        yield


@pytest.fixture
def digest(database: Database) -> Callable[[], dict[str, str]]:
    """A digest of every table."""

    def of_all() -> dict[str, str]:
        with database.transaction(write=False) as session:
            return {
                table.name: hashlib.sha256(
                    repr(sorted(map(repr, session.execute(sa.select(table)).all()))).encode()
                ).hexdigest()
                for table in metadata.sorted_tables
            }

    return of_all


@pytest.fixture
def people(app: Coordinator, database: Database, scene: Scene) -> dict[str, Browser]:
    here = [scene.branch]
    return {
        "scheduler": browser(app, database, Role.SCHEDULER, branch_ids=here),
        "manager": browser(app, database, Role.CLINICAL_MANAGER, branch_ids=here),
        "intake": browser(app, database, Role.INTAKE, branch_ids=here),
        "nurse": browser(app, database, Role.CLINICIAN, branch_ids=here, clinician_id=scene["nurse"]),
        "physician": browser(app, database, Role.PHYSICIAN, physician_id=scene.physician),
    }


@pytest.fixture
def rehearsed(people: dict[str, Browser], digest: Callable[[], dict[str, str]]) -> Callable[..., Any]:
    """Rehearse a change, see that nothing is different, make it, and see that the answer is the same."""

    def both(who: str, method: str, path: str, body: Any = None, *, of: str | None = None, status: int = 200) -> Any:
        person = people[who]
        match = person.etag(of) if of is not None else None
        before = digest()
        tried = person(method, f"{path}?dry_run=true", body, match=match)
        assert digest() == before, path
        assert tried.status_code == status, tried.json
        assert (tried.headers.get("Dry-Run") == "true") is (status < 400)
        done = person(method, path, body, match=match)
        assert (done.status_code, _plain(done.json)) == (tried.status_code, _plain(tried.json)), path
        assert (digest() == before) is (status >= 400), path
        return done.json

    return both


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in NUMBERS}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _slot(scene: Scene, day: Any = TUESDAY, hour: int = 9, who: str = "nurse") -> dict[str, Any]:
    return {"clinician_id": scene[who], "starts_at": local(day, hour).isoformat()}


def test_the_doors_of_the_office_to_a_visit(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, rehearsed: Callable[..., Any]
) -> None:
    order = ordered(prn_limit=2, prn_signs="pain")
    first, second, *_ = wanted(order)
    one, other = f"/visits/{first}", f"/visits/{second}"
    rehearsed("scheduler", "POST", f"{one}/hold", _slot(scene), of=one)
    rehearsed("scheduler", "POST", f"{one}/confirm", {}, of=one)
    rehearsed("scheduler", "POST", f"{one}/lock", of=one)
    rehearsed("scheduler", "POST", f"{one}/move", _slot(scene, FRIDAY), of=one, status=409)
    rehearsed("scheduler", "POST", f"{one}/unlock", of=one)
    rehearsed("scheduler", "POST", f"{one}/move", _slot(scene, FRIDAY), of=one)
    rehearsed("scheduler", "POST", f"{one}/interpreter", {"mode": "video"}, of=one)
    rehearsed("scheduler", "POST", f"{one}/kind", {"kind": "reassessment"}, of=one)
    rehearsed("scheduler", "POST", f"{one}/unassign", of=one)
    rehearsed("scheduler", "POST", f"{one}/assign", _slot(scene, FRIDAY), of=one)
    rehearsed("scheduler", "POST", f"{one}/cancel", {"reason": "family-away"}, of=one)
    rehearsed("scheduler", "POST", f"{other}/assign", _slot(scene, who="assistant"), of=other, status=422)
    asked = {"order_id": order, "kind": "prn", "trigger": "pain 8"}
    rehearsed("manager", "POST", f"/patients/{scene.patient}/visits", asked, status=201)
    supervision = {
        "patient_id": scene.patient, "supervisor_id": scene["nurse"], "aide_id": scene["aide"],
        "supervised_on": "2026-11-09", "method": "on_site",
    }  # fmt: skip
    rehearsed("manager", "POST", "/supervisions", supervision, status=201)


def test_setting_a_rule_aside(scene: Scene, ordered: OrderMaker, wanted: Wanted, rehearsed: Callable[..., Any]) -> None:
    number = wanted(ordered(required_skills=["wound-vac"]))[0]
    reason = {"reason_code": "supervised", "text": "The wound nurse is on the telephone."}
    rehearsed("scheduler", "POST", f"/visits/{number}/assign", _slot(scene), of=f"/visits/{number}", status=422)
    body = {"rule": "CRD-02", **reason, **_slot(scene)}
    rehearsed("manager", "POST", f"/visits/{number}/overrides", body, status=201)
    rehearsed("scheduler", "POST", f"/visits/{number}/assign", _slot(scene), of=f"/visits/{number}")


def test_the_doors_of_whoever_makes_the_visit_and_of_whoever_looks_at_its_record(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, rehearsed: Callable[..., Any]
) -> None:
    number, second, *_ = wanted(ordered())
    path, other = f"/visits/{number}", f"/visits/{second}"
    rehearsed("scheduler", "POST", f"{path}/assign", _slot(scene), of=path)
    rehearsed("scheduler", "POST", f"{other}/assign", _slot(scene, FRIDAY), of=other)
    begun = local(TUESDAY, 9)
    with at(begun):
        rehearsed("nurse", "POST", f"{path}/en-route")
        rehearsed("nurse", "POST", f"{path}/start", {"at": begun.isoformat(), "place": {"lat": 37.76, "lon": -122.43}})
    with at(begun + timedelta(minutes=50)):
        ended = {"at": (begun + timedelta(minutes=40)).isoformat(), "event_id": "e-1"}
        rehearsed("nurse", "POST", f"{path}/finish", ended)
        rehearsed("nurse", "POST", f"{path}/note")
        earlier = (begun + timedelta(minutes=35)).isoformat()
        mended = {"element": "actual_end_at", "value": earlier, "reason": "left earlier"}
        rehearsed("manager", "POST", f"{path}/evv-corrections", mended, of=path)
        rehearsed("manager", "POST", f"{path}/verify", of=path)
        rehearsed("nurse", "POST", f"{other}/missed", {"reason": "patient_cancelled", "note": "guests"})
        rehearsed("physician", "POST", f"{other}/decision", {"decision": "make_up"})


def test_the_doors_of_an_order(scene: Scene, ordered: OrderMaker, rehearsed: Callable[..., Any]) -> None:
    draft = {
        "discipline": "SN", "physician_id": scene.physician, "effective_from": "2026-11-09", "frequency": "2w2",
        "treatments": ["Wound care"], "goals_text": "The wound closes", "visit_minutes": 45,
    }  # fmt: skip
    made = rehearsed("manager", "POST", f"/patients/{scene.patient}/orders", draft, status=201)
    path = f"/orders/{made['id']}"
    rehearsed("manager", "PATCH", path, {"frequency": "1w2"}, of=path)
    rehearsed("manager", "POST", f"{path}/send")
    rehearsed("manager", "POST", f"{path}/recall")
    rehearsed("manager", "POST", f"{path}/void", {"reason": "Written for the wrong patient"})
    live = f"/orders/{ordered()}"
    rehearsed("manager", "POST", f"{live}/discontinue", {"reason": "Goals are met"})
    sent = f"/orders/{ordered(Discipline.PT, weeks=(), status=OrderStatus.SENT_FOR_SIGNATURE)}"
    rehearsed("physician", "POST", f"{sent}/review", {"version": 1})
    declined = {"version": 1, "reason": "frequency_too_high", "note": "Once a week."}
    rehearsed("physician", "POST", f"{sent}/decline", declined)


def test_whatever_is_sent_to_whatever_door_a_rehearsal_changes_nothing(
    app: Coordinator, scene: Scene, ordered: OrderMaker, wanted: Wanted, people: dict[str, Browser],
    digest: Callable[[], dict[str, str]],
) -> None:  # fmt: skip
    number = wanted(ordered())[0]
    numbers = {"visit_id": number, "patient_id": scene.patient, "clinician_id": scene["nurse"]}
    before = digest()
    tried = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/"):
            continue
        path = rule.rule.removeprefix("/api/v1")
        for name in rule.arguments:
            kept = str(numbers.get(name, 1))
            path = "/".join(kept if part.endswith(f":{name}>") else part for part in path.split("/"))
        for method in sorted((rule.methods or set()) - SAFE):
            for person in people.values():
                person(method, f"{path}?dry_run=true", {}, match="*")
                tried += 1
    assert digest() == before
    assert tried > 300
