"""The directory answers the seven questions of its source, in both languages."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from coordinator.access.service import installer_actor
from coordinator.core.db import Database
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.core.settings import ROOT
from coordinator.directory import service
from coordinator.directory.model import Resource
from coordinator.domain.vocabulary import Role
from tests.conftest import WorkAs, actor_with
from tests.people import browser, pointers

FILE = ROOT / "config" / "directory.toml"
INTAKE = actor_with(Role.INTAKE)


@pytest.fixture(autouse=True)
def _loaded(work_as: WorkAs) -> None:
    with work_as(installer_actor("test")) as work:
        assert service.load(work, FILE) == 7


def keys(found: list[Resource]) -> set[str]:
    return {row.key for row in found}


def test_only_one_states_a_programme_at_home_and_silence_is_not_no(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        assert keys(service.search(work, setting="home")) == {"sutter_cpmc"}
        assert keys(service.search(work, setting="home", include_not_stated=True)) == {
            "sutter_cpmc", "ucsf", "sfva", "kp_sf", "zsfg", "acca",
        }  # fmt: skip
        assert keys(service.search(work, setting="telehealth")) == {"mettle"}


def test_who_may_start_a_referral(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        assert keys(service.search(work, who_refers="self")) == {"mettle"}
        assert keys(service.search(work, who_refers="nurse")) == {"sutter_cpmc", "kp_sf"}
        assert keys(service.search(work, who_refers="va_provider")) == {"sfva"}
        assert keys(service.search(work, who_refers="physician")) == {"sutter_cpmc", "kp_sf", "ucsf", "zsfg"}


def test_somebody_without_a_physician_is_sent_to_the_community(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        assert keys(service.suggest_onward(work)) == {"mettle", "acca"}


def test_onward_help_depends_on_membership_service_and_physician_alone(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        with_doctor = service.suggest_onward(work, has_physician=True)
        assert keys(with_doctor) == {"mettle", "acca", "sutter_cpmc", "ucsf", "zsfg"}
        assert with_doctor[0].key == "sutter_cpmc", "the one that comes home is first"
        assert keys(service.suggest_onward(work, has_physician=True, health_system="ucsf")) == {
            "mettle",
            "acca",
            "ucsf",
        }
        assert "kp_sf" in keys(service.suggest_onward(work, is_kp_member=True))
        assert "sfva" in keys(service.suggest_onward(work, is_veteran=True))
        grieving = service.suggest_onward(work, needs=frozenset({"bereavement_support"}))
        assert [row.key for row in grieving] == ["mettle", "acca"]
        assert [row.key for row in service.suggest_onward(work)] == ["acca", "mettle"]


def test_nobody_is_asked_for_race_and_the_alliance_serves_everybody(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        alliance = service.by_key(work, "acca")
        assert alliance.extra["focus_communities"] == ["black", "latinx"]
        assert "all_with_serious_illness" in alliance.population
        for asked in ({}, {"is_veteran": True}, {"is_kp_member": True}, {"has_physician": True}):
            assert "acca" in keys(service.suggest_onward(work, **asked))


def test_two_words_for_palliative_care_find_the_same(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        one, other = (keys(service.search(work, text=word)) for word in ("安寧療護", "緩和療護"))
        assert one == other
        assert one >= {"ucsf", "sfva", "sutter_cpmc", "kp_sf", "zsfg"}
        assert (
            keys(service.search(work, text="舊金山 支援")) == keys(service.search(work, text="三藩市 支援")) >= {"acca"}
        )
        assert keys(service.search(work, text="advanced illness MANAGEMENT")) == {"sutter_cpmc"}
        assert keys(service.search(work, text="no such words")) == set()


def test_each_organisation_is_there_once_however_often_it_is_loaded(
    database: Database, work_as: WorkAs, tmp_path: Path
) -> None:
    with work_as(installer_actor("test")) as work:
        before = {row.key: row.id for row in work.session.execute(sa.select(Resource)).scalars()}
        service.load(work, FILE)
    with database.transaction(write=False) as session:
        rows = list(session.execute(sa.select(Resource)).scalars())
        assert {row.key: row.id for row in rows} == before
        assert sum(row.name_en == "Mettle Health" for row in rows) == 1


def test_an_organisation_that_left_the_file_is_offered_no_more(work_as: WorkAs, tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    shorter = tmp_path / "directory.toml"
    shorter.write_text(text[: text.index('[[resources]]\nkey = "acca"')], encoding="utf-8")
    with work_as(installer_actor("test")) as work:
        service.load(work, shorter)
        assert "acca" not in keys(service.suggest_onward(work))
        assert service.by_key(work, "acca").key == "acca", "a referral may still name it"
        service.load(work, FILE)
        assert "acca" in keys(service.suggest_onward(work))


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ('home = "yes"', 'home = "maybe"', "/resources/2/settings/home"),
        ('kind = "medical_provider"', 'kind = "shop"', "/resources/0/kind"),
        ('key = "sfva"', 'key = "ucsf"', "/resources"),
        ('referral_rule = "not_stated"', 'referral_rule = "magic"', "/resources/6/referral_rule"),
    ],
)
def test_a_wrong_file_is_refused_whole(work_as: WorkAs, tmp_path: Path, old: str, new: str, pointer: str) -> None:
    wrong = tmp_path / "directory.toml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with work_as(installer_actor("test")) as work, pytest.raises(Invalid) as refusal:
        service.load(work, wrong)
    assert refusal.value.extra["errors"][0]["pointer"] == pointer


@pytest.mark.example("LNG-02", 1)
def test_what_is_missing_in_a_language_says_so(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        ucsf, mettle = service.by_key(work, "ucsf"), service.by_key(work, "mettle")
        chinese = service.shown(ucsf, "zh-Hant")
        assert (chinese.name, chinese.translation_missing) == ("三藩市加大緩和醫藥部門", False)
        assert service.shown(mettle, "zh-Hant").translation_review
        assert not mettle.is_medical_care
        untranslated = Resource(name_en="X", name_zh_hant=None, extra={"description_en": "Y"})
        shown = service.shown(untranslated, "zh-Hant")
        assert (shown.name, shown.description, shown.language, shown.translation_missing) == ("X", "Y", "en", True)


@pytest.mark.parametrize("asked", [{"need": "gold"}, {"setting": "moon"}, {"who_refers": "cat"}, {"language": "tlh"}])
def test_an_unknown_word_is_refused_not_empty(work_as: WorkAs, asked: dict[str, str]) -> None:
    with work_as(INTAKE) as work, pytest.raises(Invalid):
        service.search(work, **asked)


def test_the_directory_over_http(app: Coordinator, database: Database) -> None:
    nurse = browser(app, database, "clinician")
    found = nurse.get("/resources?setting=home").json["items"]
    assert [row["key"] for row in found] == ["sutter_cpmc"]
    assert found[0]["who_refers"] == ["nurse", "physician"]
    assert found[0]["programs"][0]["name_en"] == "Advanced Illness Management"
    assert {row["key"] for row in nurse.get("/resources?need=caregiver_support").json["items"]} == {"acca"}
    assert len(nurse.get("/resources?q=安寧療護").json["items"]) >= 5
    one = nurse.get("/resources/kp_sf?language=zh-Hant").json
    assert (one["name"], one["language"]) == ("三藩市凱撒醫院", "zh-Hant")
    assert [row["key"] for row in nurse.get("/resources/onward").json["items"]] == ["acca", "mettle"]
    assert nurse.get("/resources/nowhere").status_code == 404
    assert nurse.get("/resources/a%00b").status_code == 404
    wrong = nurse.get("/resources?setting=moon")
    assert (wrong.status_code, pointers(wrong)) == (422, {"/query/setting"})
    assert nurse.get("/resources?q=%00").status_code == 422


def test_an_unknown_key_is_missing(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work, pytest.raises(NotFound):
        service.by_key(work, "Nowhere")
