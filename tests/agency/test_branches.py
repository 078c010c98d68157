"""Branches have a zone, a day and a service area that remembers."""

from datetime import UTC, date, datetime

import pytest

from coordinator.agency import area, service
from coordinator.agency.model import Branch
from coordinator.core.db import Database
from coordinator.core.errors import Forbidden, Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role
from tests.builders import make_branch
from tests.conftest import WorkAs, actor_with
from tests.people import browser, pointers

SQUARE = {
    "type": "Polygon",
    "coordinates": [
        [[-122.5, 37.7], [-122.4, 37.7], [-122.4, 37.8], [-122.5, 37.8], [-122.5, 37.7]],
        [[-122.46, 37.74], [-122.44, 37.74], [-122.44, 37.76], [-122.46, 37.76], [-122.46, 37.74]],
    ],
}
BODY = {
    "code": "SF", "name": "San Francisco", "zone": "America/Los_Angeles", "office_address": "1 Main Street",
    "office_lat": 37.78, "office_lon": -122.42, "zips": ["94114", "94110-1234"], "effective_from": "2026-01-01",
}  # fmt: skip


@pytest.fixture
def branch(database: Database) -> Branch:
    with database.transaction() as session:
        return make_branch(session)


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        (datetime(2026, 11, 10, 7, 59, tzinfo=UTC), "America/Los_Angeles", date(2026, 11, 9)),
        (datetime(2026, 11, 10, 8, 0, tzinfo=UTC), "America/Los_Angeles", date(2026, 11, 10)),
        (datetime(2026, 7, 10, 7, 0, tzinfo=UTC), "America/Los_Angeles", date(2026, 7, 10)),
        (datetime(2026, 11, 10, 9, 0, tzinfo=UTC), "Pacific/Honolulu", date(2026, 11, 9)),
    ],
)
def test_today_is_the_day_of_the_branch(
    database: Database, work_as: WorkAs, now: datetime, zone: str, day: date
) -> None:
    with database.transaction() as session:
        branch = make_branch(session, zone=zone)
    with work_as(now=now) as work:
        assert service.today(work, branch.id) == day
        assert service.zone_of(work, branch.id).key == zone


def test_an_unknown_branch_has_no_day(work_as: WorkAs) -> None:
    with work_as() as work, pytest.raises(NotFound):
        service.today(work, 404)


def test_a_changed_zone_is_the_zone_at_once(branch: Branch, work_as: WorkAs) -> None:
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        assert service.zone_of(work, branch.id).key == "America/Los_Angeles"
        service.edit_branch(work, branch.id, zone="Pacific/Honolulu")
        assert service.zone_of(work, branch.id).key == "Pacific/Honolulu"


def test_the_service_area_remembers_what_it_was(branch: Branch, work_as: WorkAs) -> None:
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        service.set_service_area(work, branch.id, ["94114", "94199"], date(2026, 12, 1))
        before, after = date(2026, 11, 30), date(2026, 12, 1)
        assert [service.serves(work, branch.id, "94114", day) for day in (before, after)] == [True, True]
        assert [service.serves(work, branch.id, "94131", day) for day in (before, after)] == [True, False]
        assert [service.serves(work, branch.id, "94199-0001", day) for day in (before, after)] == [False, True]
        assert not service.serves(work, branch.id, None, after)
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        service.set_service_area(work, branch.id, ["94131"], date(2026, 12, 1))
        assert service.serves(work, branch.id, "94131", date(2026, 12, 1))
        assert not service.serves(work, branch.id, "94199", date(2027, 1, 1))
        assert not service.serves(work, branch.id, "94131", date(2019, 12, 31))
        once = [row for row in service.get_branch(work, branch.id).service_zips if row.zip == "94131"]
        assert sorted(row.effective_from for row in once) in ([date(2020, 1, 1)], [date(2020, 1, 1), date(2026, 12, 1)])
        assert sum(row.effective_to is None for row in once) == 1


def test_a_polygon_decides_where_the_point_is_known(branch: Branch, work_as: WorkAs) -> None:
    day = date(2026, 11, 9)
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        service.edit_branch(work, branch.id, polygon=SQUARE)
        assert service.serves(work, branch.id, "00000", day, 37.72, -122.45)
        assert not service.serves(work, branch.id, "94114", day, 37.75, -122.45), "the hole is outside"
        assert not service.serves(work, branch.id, "94114", day, 37.9, -122.45)
        assert service.serves(work, branch.id, "94114", day), "without a point the ZIP decides"


@pytest.mark.parametrize(
    "polygon",
    [
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 91], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], ["1", 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": 7},
        {"type": "MultiPolygon", "coordinates": [7]},
        "a polygon",
    ],
)
def test_what_is_no_polygon_is_refused(polygon: object) -> None:
    with pytest.raises(Invalid):
        area.polygon_from(polygon)


def test_what_stands_beside_a_polygon_is_left_out(branch: Branch, work_as: WorkAs) -> None:
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        decorated = SQUARE | {"bbox": float("nan"), "note": "a\x00b"}
        assert service.edit_branch(work, branch.id, polygon=decorated).polygon == SQUARE
        two = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"][:1], [[[0, 0], [1, 0], [1, 1], [0, 0]]]]}
        assert area.contains(area.polygon_from(two), 0.2, 0.5)
        assert service.edit_branch(work, branch.id, polygon=None).polygon is None


def test_only_an_administrator_opens_a_branch(work_as: WorkAs) -> None:
    fields = {name: value for name, value in BODY.items() if name not in ("zips", "effective_from")}
    with work_as(actor_with(Role.SCHEDULER)) as work, pytest.raises(Forbidden):
        service.create_branch(work, **fields)
    with work_as(actor_with(Role.ADMINISTRATOR)) as work:
        made = service.create_branch(work, **fields, agency_name="The Agency")
        assert service.branch_by_code(work, "SF").id == made.id
        assert [line.action for line in work.trail] == ["branch.created"]
        with pytest.raises(NotFound):
            service.branch_by_code(work, "LA")


# ------------------------------------------------------------------------------------ over HTTP


def test_a_branch_over_http(app: Coordinator, database: Database) -> None:
    admin = browser(app, database, "administrator")
    made = admin.post("/branches", BODY)
    assert made.status_code == 201, made.json
    path = f"/branches/{made.json['id']}"
    assert {row["zip"] for row in made.json["service_zips"]} == {"94114", "94110"}
    assert [row["code"] for row in admin.get("/branches").json["items"]] == ["SF"]
    renamed = admin("PATCH", path, {"name": "The City"}, match=made.headers["ETag"])
    assert (renamed.status_code, renamed.json["name"]) == (200, "The City")
    area_now = admin("PUT", f"{path}/service-area", {"zips": ["94131"], "effective_from": "2027-01-01"},
                     match=renamed.headers["ETag"])  # fmt: skip
    assert area_now.status_code == 200
    assert area_now.headers["ETag"] != renamed.headers["ETag"], "the area belongs to the branch's version"
    assert admin("PATCH", path, {"name": "x"}, match=renamed.headers["ETag"]).status_code == 412
    assert admin("PATCH", path, {"name": "x"}).status_code == 428
    assert admin.post("/branches", BODY).json["type"] == "/problems/branch-exists"
    assert browser(app, database, "clinician").get(path).status_code == 200
    assert (
        browser(app, database, "scheduler")("PATCH", path, {"name": "x"}, match=area_now.headers["ETag"]).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"zone": "America/San_Francisco"}, "/zone"),
        ({"office_lat": 91}, "/office_lat"),
        ({"office_lon": 10**400}, "/office_lon"),
        ({"zips": ["9411"]}, "/zips/0"),
        ({"zips": "94114"}, "/zips"),
        ({"name": "a\x00b"}, "/name"),
        ({"polygon": {"type": "Polygon", "coordinates": [[1]]}}, "/polygon/coordinates"),
        ({"effective_from": "2026-02-30"}, "/effective_from"),
        ({"agency_npi": "1234567890"}, "/agency_npi"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_bad_input_names_the_field(app: Coordinator, database: Database, change: dict, pointer: str) -> None:
    answer = browser(app, database, "administrator").post("/branches", BODY | change)
    assert answer.status_code == 422, answer.json
    assert pointer in pointers(answer)


def test_unknown_branches_are_missing(app: Coordinator, database: Database) -> None:
    admin = browser(app, database, "administrator")
    assert admin.get("/branches/404").status_code == 404
    assert admin.get("/branches/99999999999999999999").status_code == 404
    assert admin("PATCH", "/branches/404", {}, match='"1"').status_code == 404
