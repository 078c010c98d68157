"""The agency keeps its directory: entries with history, checks, sheets, translation reviews, education, feedback."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from coordinator.access.service import installer_actor
from coordinator.cli import register
from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.settings import ROOT
from coordinator.directory import service
from coordinator.directory.hsds import TABLES
from coordinator.directory.sheet import COLUMNS, read
from tests.builders import make_branch
from tests.conftest import NOW, WorkAs
from tests.people import Browser, at, browser, pointers

FILE = ROOT / "config" / "directory.toml"
HUB = {
    "key": "mission_food_hub", "kind": "community_support", "name_en": "Mission Food Hub",
    "settings": {"home": "yes"}, "population": ["anyone"], "services": ["food"], "referral_rule": "anyone",
    "is_medical_care": False, "counties": ["San Francisco"], "languages": ["es", "en"], "phone": "+1 415 555 0100",
    "required_documents": ["Proof of address"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _loaded(work_as: WorkAs) -> None:
    with work_as(installer_actor("test")) as work:
        service.load(work, FILE)


@pytest.fixture
def intake(app: Coordinator, database: Database) -> Browser:
    return browser(app, database, "intake")


def test_an_entry_is_added_edited_checked_and_withdrawn_with_its_history(
    app: Coordinator, database: Database, intake: Browser, work_as: WorkAs
) -> None:
    added = intake.post("/resources", HUB)
    assert (added.status_code, added.json["origin"], added.json["stale"]) == (201, "agency", True)
    assert intake.post("/resources", HUB).json["type"].endswith("entry-exists")
    wrong = intake.post("/resources", HUB | {"key": "Other!", "kind": "shop", "services": ["gold"], "email": "nobody"})
    assert (wrong.status_code, pointers(wrong)) == (422, {"/key", "/kind", "/services", "/email"})
    assert pointers(intake.post("/resources", HUB | {"key": "stale"})) == {"/key"}
    path = "/resources/mission_food_hub"
    assert intake("PATCH", path, {"fees": "None"}).status_code == 428
    assert intake("PATCH", path, {"fees": "None"}, match='"9"').status_code == 412
    edited = intake.change("PATCH", path, {"fees": "None", "phone": None, "name_zh_hant": "米慎區食物中心"})
    assert (edited.status_code, edited.json["fees"], edited.json["phone"]) == (200, "None", None)
    assert pointers(intake.change("PATCH", path, {"name_en": None})) == {"/name_en"}
    with at(NOW):
        checked = intake.change("POST", f"{path}/check", of=path)
    assert (checked.json["checked_on"], checked.json["stale"]) == (NOW.date().isoformat(), False)
    assert intake.change("POST", f"{path}/restore", of=path).json["type"].endswith("nothing-to-change")
    assert intake.change("POST", f"{path}/withdraw", of=path).json["active"] is False
    assert "mission_food_hub" not in {row["key"] for row in intake.get("/resources?need=food").json["items"]}
    assert intake.change("POST", f"{path}/restore", of=path).json["active"] is True
    told = intake.get(f"{path}/history").json["items"]
    assert [(one["number"], one["act"]) for one in told] == [
        (1, "added"), (2, "edited"), (3, "checked"), (4, "withdrawn"), (5, "restored"),
    ]  # fmt: skip
    assert told[1]["changed"] == ["fees", "name_zh_hant", "phone"]
    assert (told[0]["entry"]["phone"], "phone" in told[1]["entry"]) == ("+1 415 555 0100", False)
    assert all(one["user_id"] for one in told)
    # What the agency knows better stays when the shipped file is loaded again; the source's own words always do.
    intake.change("PATCH", "/resources/kp_sf", {"phone": "+1 415 555 0199", "name_en": "KP San Francisco"})
    intake.change("POST", "/resources/zsfg/withdraw", of="/resources/zsfg")
    with work_as(installer_actor("test")) as work:
        service.load(work, FILE)
    again = intake.get("/resources/kp_sf").json
    assert (again["phone"], again["name_en"]) == ("+1 415 555 0199", "KP San Francisco")
    assert again["source_names"]["en"] == "Kaiser Permanente San Francisco"
    assert intake.get("/resources/zsfg").json["active"] is False
    assert intake.get(path).json["active"] is True, "the file does not know it, and does not withdraw it"
    nurse = browser(app, database, "clinician")
    assert nurse.change("PATCH", path, {"fees": "x"}).status_code == 403
    assert nurse.change("POST", f"{path}/check", of=path).status_code == 200
    aide = browser(app, database, "scheduler")
    assert aide.change("POST", f"{path}/check", of=path).status_code == 403


def test_entries_that_nobody_asked_for_half_a_year_are_named(intake: Browser) -> None:
    with at(NOW):
        assert len(intake.get("/resources/stale").json["items"]) == 7, "nobody has asked yet"
        intake.change("POST", "/resources/acca/check", of="/resources/acca")
        assert "acca" not in {row["key"] for row in intake.get("/resources/stale").json["items"]}
    with at(NOW + timedelta(days=180)):
        assert "acca" not in {row["key"] for row in intake.get("/resources/stale").json["items"]}
    with at(NOW + timedelta(days=181)):
        stale = [row["key"] for row in intake.get("/resources/stale").json["items"]]
        assert stale[-1] == "acca", "never asked comes first"
        assert intake.get("/resources/acca").json["stale"]


# ------------------------------------------------------------------------------------ sheets


def sheet(*lines: dict[str, str]) -> str:
    names = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


GOOD = {
    "key": "night_respite", "kind": "community_support", "name_en": "Night Respite", "setting_home": "yes",
    "population": "caregivers; anyone", "services": "respite", "referral_rule": "health_or_social_worker",
    "is_medical_care": "no", "phone": "'+1 415 555 0111", "checked_on": "2026-10-01", "name_zh_hant": "夜間喘息服務",
}  # fmt: skip


def test_a_sheet_goes_in_once_and_comes_out_as_it_went_in(intake: Browser) -> None:
    text = "\ufeff" + sheet(GOOD)
    rehearsed = intake("POST", "/resources/import?dry_run=true", {"csv": text})
    assert (rehearsed.status_code, rehearsed.json["added"]) == (200, ["night_respite"])
    assert intake.get("/resources/night_respite").status_code == 404
    assert intake.post("/resources/import", {"csv": text}).json["added"] == ["night_respite"]
    again = intake.post("/resources/import", {"csv": text}).json
    assert again == {"added": [], "changed": [], "unchanged": ["night_respite"]}
    kept = intake.get("/resources/night_respite").json
    assert (kept["phone"], kept["population"], kept["checked_on"]) == (
        "+1 415 555 0111", ["caregivers", "anyone"], "2026-10-01",
    )  # fmt: skip
    whole = intake.get("/resources/export").json["csv"]
    assert "'+1 415 555 0111" in whole, "no cell is a formula"
    answer = intake.post("/resources/import", {"csv": whole}).json
    assert (answer["added"], answer["changed"], len(answer["unchanged"])) == ([], [], 8)
    own = read(intake.get("/resources/export?own_alone=true").json["csv"])
    assert [line.key for line in own[0]] == ["night_respite"]
    changed = intake.post("/resources/import", {"csv": sheet({"key": "night_respite", "phone": "", "fees": "Free"})})
    assert changed.json["changed"] == ["night_respite"]
    kept = intake.get("/resources/night_respite").json
    assert (kept["phone"], kept["fees"], kept["name_en"]) == (None, "Free", "Night Respite")


def test_every_mistake_of_a_sheet_is_told_by_line_and_column_and_nothing_changes(intake: Browser) -> None:
    wrong = intake.post(
        "/resources/import",
        {
            "csv": sheet(
                GOOD,
                GOOD | {"key": "Wrong Key", "kind": "shop", "setting_home": "maybe", "checked_on": "yesterday"},
                GOOD | {"name_en": "Twice", "name_zh_hant": "兩\n行", "is_medical_care": "perhaps"},
                GOOD | {"key": "third", "services": "respite; gold", "phone": "1" * 41, "referral_rule": ""},
                GOOD | {"key": "fifth", "checked_on": "2199-12-31"},
            )
        },
    )
    assert wrong.status_code == 422
    assert pointers(wrong) == {
        "/csv/3/key", "/csv/3/kind", "/csv/3/setting_home", "/csv/3/checked_on", "/csv/4/key",
        "/csv/4/is_medical_care", "/csv/6/services", "/csv/6/phone", "/csv/6/referral_rule", "/csv/7/checked_on",
    }  # fmt: skip
    assert {"line": 3, "column": "kind", "detail": "This must be one of: medical_provider, community_support."} in (
        wrong.json["mistakes"]
    )
    assert intake.get("/resources/night_respite").status_code == 404


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", [(1, "key")]),
        ("name_en\nX\n", [(1, "key")]),
        ("key,colour,key\nx,red,y\n", [(1, "colour"), (1, "key")]),
        ("key,phone\nx\n", [(2, "key")]),
        ('key,phone\nx,"1\n', [(2, "key")]),
        ("key\nx\x00\n", [(1, "key")]),
        ("key\n" + "\n".join(f"k{number}" for number in range(2001)), [(2002, "key")]),
    ],
    ids=["empty", "no key", "unknown and double", "short line", "open quote", "NUL", "too many"],
)
def test_a_sheet_that_is_none_says_where(text: str, told: list[tuple[int, str]]) -> None:
    assert [(one.line, one.column) for one in read(text)[1]] == told


def test_the_columns_of_a_sheet_hold_every_field() -> None:
    lines, wrong = read(",".join(COLUMNS) + "\r\n" + ",".join("x" if name == "key" else "" for name in COLUMNS))
    assert wrong == []
    assert lines[0].values["services"] == []


def test_the_commands_load_import_export_and_name_what_is_to_be_checked(app: Coordinator, tmp_path: Path) -> None:
    register(app)
    runner, file = app.test_cli_runner(), tmp_path / "own.csv"
    assert runner.invoke(args=["directory", "load"]).output == "7 organisations are loaded.\n"
    file.write_text(sheet(GOOD), encoding="utf-8-sig")
    rehearsed = runner.invoke(args=["directory", "import", str(file), "--dry-run"])
    assert rehearsed.output == "1 added, 0 changed, 0 unchanged.\n"
    assert "night_respite" not in runner.invoke(args=["directory", "export"]).output
    runner.invoke(args=["directory", "import", str(file)])
    assert runner.invoke(args=["directory", "import", str(file)]).output == "0 added, 0 changed, 1 unchanged.\n"
    assert runner.invoke(args=["directory", "export", "--own-alone"]).output.count("night_respite") == 1
    assert '"Night Respite"' in runner.invoke(args=["directory", "export", "--hsds"]).output
    assert len(runner.invoke(args=["directory", "stale"]).output.splitlines()) >= 7
    file.write_text(sheet(GOOD | {"kind": "shop"}), encoding="utf-8")
    wrong = runner.invoke(args=["directory", "import", str(file)])
    assert wrong.exit_code == 1
    assert "line 2, kind: This must be one of" in wrong.output
    file.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in runner.invoke(args=["directory", "import", str(file)]).output


# ------------------------------------------------------------------------------------ translations, education, feedback


def test_a_reader_of_both_languages_says_what_is_shown_and_the_source_stays(intake: Browser) -> None:
    found = intake.get("/resources/differences").json["items"]
    assert {row["key"] for row in found} == {f"E-{number}" for number in range(1, 12)}
    assert (found[0]["key"], found[0]["safety"], found[0]["review"]) == ("E-1", True, "required")
    assert intake.get("/resources/mettle?language=zh-Hant").json["translation_review"]
    path = "/resources/differences/E-1"
    assert intake("POST", f"{path}/review", {}).status_code == 428
    done = intake.change("POST", f"{path}/review", {"display_zh": "全人照護"}, of=path)
    assert (done.json["review"], done.json["display_zh"], done.json["source_zh"]) == (
        "reviewed", "全人照護", "緩和療護以及臨終關懷",
    )  # fmt: skip
    assert done.json["reviewed_by_id"]
    assert not intake.get("/resources/mettle?language=zh-Hant").json["translation_review"]
    assert intake.get("/resources/mettle/history").json["items"][-1]["act"] == "reviewed"
    assert intake.get("/resources/sutter_cpmc?language=zh-Hant").json["translation_review"], "another difference"
    path = "/resources/differences/E-7"
    assert intake.change("POST", f"{path}/review", {}, of=path).status_code == 422
    assert intake.get("/resources/differences/E-99").status_code == 404


def test_things_to_watch_and_read_in_two_languages(intake: Browser) -> None:
    video = intake.get("/education-items?type=video&language=zh-Hant").json["items"][0]
    assert (video["title"], video["producer_zh_hant"], video["url"]) == (
        "為重症患者提供額外支持", "加州醫療保健基金會", None,
    )  # fmt: skip
    questions = intake.get("/education-items?type=faq").json["items"]
    assert all(row["title_zh_hant"] and row["body_zh_hant"] and row["body_en"] for row in questions)
    assert {row["key"] for row in intake.get("/education-items?q=安寧療護 什麼是").json["items"]} == {
        "what_is_palliative_care"
    }
    own = {"key": "own_leaflet", "type": "leaflet", "title_en": "Mouth care", "url": "ftp://nowhere"}
    assert pointers(intake.post("/education-items", own)) == {"/url"}
    added = intake.post("/education-items", own | {"url": "https://example.org/mouth"})
    assert (added.status_code, added.json["origin"]) == (201, "agency")
    assert intake.post("/education-items", own | {"url": None}).status_code == 409
    path = "/education-items/own_leaflet"
    assert intake.get("/education-items?type=leaflet&language=zh-Hant").json["items"][0]["translation_missing"]
    assert intake.change("PATCH", path, {"active": False}).json["active"] is False
    assert intake.get("/education-items?type=leaflet").json["items"] == []
    assert pointers(intake.change("PATCH", path, {"title_en": None})) == {"/title_en"}


def test_what_the_community_says_is_kept_and_passed_on(app: Coordinator, database: Database, intake: Browser) -> None:
    with database.transaction() as session:
        branch, other = make_branch(session), make_branch(session)
    said: dict[str, Any] = {
        "branch_id": branch.id, "theme": "culture", "language": "zh-Hant", "voice": "community",
        "words": "請先問家人。", "received_on": date(2026, 11, 1).isoformat(), "resource_key": "acca",
    }  # fmt: skip
    nurse = browser(app, database, "clinician", branch_ids=[branch.id])
    manager = browser(app, database, "clinical_manager", branch_ids=[branch.id])
    elsewhere = browser(app, database, "clinical_manager", branch_ids=[other.id])
    with at(NOW):
        kept = nurse.post("/feedback", said)
        assert kept.status_code == 201
        assert nurse.post("/feedback", said | {"branch_id": other.id}).status_code == 404
        assert pointers(nurse.post("/feedback", said | {"received_on": "2027-01-01"})) == {"/received_on"}
        assert pointers(nurse.post("/feedback", said | {"resource_key": "nobody"})) == {"/resource_key"}
        assert pointers(nurse.post("/feedback", said | {"theme": "weather"})) == {"/theme"}
        assert len(manager.get("/feedback?theme=culture&language=zh-Hant&resource_key=acca").json["items"]) == 1
        assert manager.get("/feedback?theme=access").json["items"] == []
        assert elsewhere.get("/feedback").json["items"] == []
        path = f"/feedback/{kept.json['id']}/share"
        assert nurse.post(path).status_code == 403
        assert elsewhere.post(path).status_code == 404
        assert manager.post(path).json["shared_at"]
        assert manager.post(path).status_code == 409


# ------------------------------------------------------------------------------------ the export

#: What each list of HSDS 3 must say (its schemas: `required` and `tabular_required`), and where its ids point.
NEEDED = {
    "organization": {"id", "name", "description"},
    "program": {"id", "name", "description", "organization_id"},
    "service": {"id", "name", "status", "organization_id"},
    "attribute": {"id", "link_id", "taxonomy_term_id", "link_entity"},
    "service_at_location": {"id", "service_id", "location_id"},
    "location": {"id", "location_type"},
    "address": {"id", "address_1", "city", "state_province", "postal_code", "country", "address_type"},
    "phone": {"id", "number"},
    "service_area": {"id"},
    "required_document": {"id"},
    "language": {"id"},
    "taxonomy": {"id", "name", "description"},
    "taxonomy_term": {"id", "name", "description"},
}
#: What each may say besides.
NAMES = {
    "organization": {"alternate_name", "email", "website"},
    "program": {"alternate_name"},
    "service": {
        "program_id", "alternate_name", "description", "url", "email", "application_process", "fees_description",
        "eligibility_description", "assured_date", "alert",
    },
    "attribute": {"link_type", "value", "label"},
    "service_at_location": {"description"},
    "location": {"url", "organization_id", "name", "alternate_name", "description"},
    "address": {"location_id", "attention", "address_2", "region"},
    "phone": {"location_id", "service_id", "organization_id", "extension", "type", "description"},
    "service_area": {"service_id", "name", "description", "extent", "extent_type", "uri"},
    "required_document": {"service_id", "document", "uri"},
    "language": {"service_id", "location_id", "phone_id", "name", "code", "note"},
    "taxonomy": {"uri", "version"},
    "taxonomy_term": {"code", "parent_id", "taxonomy", "taxonomy_id", "language", "term_uri"},
}  # fmt: skip
POINTS = {
    "organization_id": "organization", "service_id": "service", "location_id": "location", "program_id": "program",
    "taxonomy_term_id": "taxonomy_term", "taxonomy_id": "taxonomy", "link_id": "service",
}  # fmt: skip


def test_the_export_has_the_shape_of_hsds(intake: Browser) -> None:
    intake.post("/resources", HUB | {"address": "1 Mission St, San Francisco, CA 94105", "url": "https://example.org"})
    vague = HUB | {"key": "vague", "name_en": "Somewhere", "address": "Church Street, ask at the door"}
    assert intake.post("/resources", vague).status_code == 201
    out = intake.get("/resources/hsds").json
    assert set(out) == set(TABLES) == set(NEEDED)
    ids = {name: [row["id"] for row in rows] for name, rows in out.items()}
    for name, rows in out.items():
        assert rows, f"{name} is empty"
        assert len(set(ids[name])) == len(rows), f"{name} has an id twice"
        for row in rows:
            assert NEEDED[name] <= set(row), (name, row)
            assert all(row[field] in ids[table] for field, table in POINTS.items() if field in row)
            assert set(row) <= NAMES[name] | NEEDED[name], f"{name} has a field that the specification does not know"
            assert all(isinstance(value, str) and value for value in row.values())
            assert all(UUID(value).version == 5 for field, value in row.items() if field == "id" or field in POINTS)
    assert {row["status"] for row in out["service"]} <= {"active", "inactive", "defunct", "temporarily closed"}
    assert {row["link_entity"] for row in out["attribute"]} == {"service"}
    assert all(date.fromisoformat(row["assured_date"]) for row in out["service"] if "assured_date" in row)
    (address,) = out["address"]  # one that does not tell its parts is said of the place
    assert (address["city"], address["state_province"], address["postal_code"]) == ("San Francisco", "CA", "94105")
    assert [row["description"] for row in out["location"] if "description" in row] == [vague["address"]]
    assert len(out["organization"]) == 9
    hub = next(row for row in out["service"] if row["name"] == "Mission Food Hub")
    assert (hub["status"], "alert" in hub) == ("active", True)
    assert {row["code"] for row in out["language"]} == {"es", "en"}
    assert out["required_document"][0]["document"] == "Proof of address"
    assert {row["location_type"] for row in out["location"]} == {"physical", "virtual"}
    assert intake.get("/resources/hsds").json == out, "the same each time"
