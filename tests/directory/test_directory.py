"""The directory answers the seven questions of its source, in both languages, over HTTP."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.access.service import installer_actor
from coordinator.core.db import Database
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.http import Coordinator
from coordinator.core.settings import ROOT
from coordinator.directory import education, service
from coordinator.directory.model import EducationItem, Resource, ResourceVersion, TranslationDifference
from coordinator.domain.vocabulary import Role
from tests.conftest import WorkAs, actor_with
from tests.people import Browser, browser, pointers

FILE = ROOT / "config" / "directory.toml"
INTAKE = actor_with(Role.INTAKE)


@pytest.fixture(autouse=True)
def _loaded(work_as: WorkAs) -> None:
    with work_as(installer_actor("test")) as work:
        assert service.load(work, FILE) == 7


@pytest.fixture
def nurse(app: Coordinator, database: Database) -> Browser:
    return browser(app, database, "clinician")


def keys(found: list[Resource]) -> set[str]:
    return {row.key for row in found}


def listed(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.json
    return {row["key"] for row in answer.json["items"]}


# ------------------------------------------------------------------------------------ the seven tests of the source


def test_1_only_one_states_a_programme_at_home_and_silence_is_not_no(nurse: Browser) -> None:
    home = nurse.get("/resources?setting=home")
    assert listed(home) == {"sutter_cpmc"}
    assert home.json["items"][0]["programs"][0]["name_en"] == "Advanced Illness Management"
    assert listed(nurse.get("/resources?setting=home&include_not_stated=true")) == {
        "sutter_cpmc", "ucsf", "sfva", "kp_sf", "zsfg", "acca",
    }  # fmt: skip
    assert listed(nurse.get("/resources?setting=telehealth")) == {"mettle"}


def test_2_one_takes_people_without_a_referral(nurse: Browser) -> None:
    assert listed(nurse.get("/resources?who_refers=self")) == {"mettle"}


def test_3_two_take_a_referral_that_a_nurse_starts(nurse: Browser) -> None:
    assert listed(nurse.get("/resources?who_refers=nurse")) == {"sutter_cpmc", "kp_sf"}
    assert listed(nurse.get("/resources?who_refers=va_provider")) == {"sfva"}
    assert listed(nurse.get("/resources?who_refers=physician")) == {"sutter_cpmc", "kp_sf", "ucsf", "zsfg"}
    assert listed(nurse.get("/resources?who_refers=own_system_physician")) == {"ucsf", "zsfg"}
    spoken = nurse.get("/resources/sutter_cpmc?language=zh-Hant").json
    assert spoken["referral"] == "病人可請醫生或護士轉介。", "from the rule, which the source's Chinese leaves out"


def test_4_somebody_without_a_physician_is_sent_to_the_community(nurse: Browser) -> None:
    asked = "is_veteran=false&is_kp_member=false&has_physician=false&county=San%20Francisco"
    assert listed(nurse.get(f"/resources/onward?{asked}")) == {"mettle", "acca"}
    assert listed(nurse.get("/resources/onward?county=Alameda")) == {"mettle"}


def test_5_any_word_for_palliative_care_or_the_city_finds_the_same(nurse: Browser) -> None:
    one, other, third, english = (
        listed(nurse.get(f"/resources?q={word}")) for word in ("安寧療護", "緩和療護", "緩和醫藥", "Palliative%20CARE")
    )
    assert one == other == third == english >= {"ucsf", "sfva", "sutter_cpmc", "kp_sf", "zsfg"}
    assert listed(nurse.get("/resources?q=舊金山 支援")) == listed(nurse.get("/resources?q=三藩市 支援")) >= {"acca"}
    assert (
        listed(nurse.get("/resources?q=護理人員 支持")) == listed(nurse.get("/resources?q=caregiver 支持")) >= {"acca"}
    )
    assert listed(nurse.get("/resources?q=advanced illness MANAGEMENT")) == {"sutter_cpmc"}
    assert (
        listed(nurse.get("/resources?q=主診醫生 專科")) == listed(nurse.get("/resources?q=家庭醫生 專科")) >= {"kp_sf"}
    )
    assert listed(nurse.get("/resources?q=palli"))
    assert listed(nurse.get("/resources?q=no such words")) == set()


def test_6_nobody_is_asked_for_race_and_the_alliance_serves_everybody(nurse: Browser) -> None:
    alliance = nurse.get("/resources/acca").json
    assert alliance["focus_communities"] == ["black", "latinx"]
    assert "all_with_serious_illness" in alliance["population"]
    for asked in ("", "is_veteran=true", "is_kp_member=true", "has_physician=true"):
        plain = listed(nurse.get(f"/resources/onward?{asked}"))
        assert "acca" in plain
        assert listed(nurse.get(f"/resources/onward?race_ethnicity=white&{asked}")) == plain, (
            "there is no such question"
        )


def test_7_each_organisation_is_there_once_however_often_it_is_named_and_loaded(
    database: Database, work_as: WorkAs, nurse: Browser
) -> None:
    with work_as(installer_actor("test")) as work:
        before = {row.key: (row.id, row.version) for row in work.session.execute(sa.select(Resource)).scalars()}
        service.load(work, FILE)
    with database.transaction(write=False) as session:
        rows = list(session.execute(sa.select(Resource)).scalars())
        assert {row.key: (row.id, row.version) for row in rows} == before
        assert session.scalar(sa.select(sa.func.count()).select_from(ResourceVersion)) == 7
        assert all(row.version == 1 for row in session.scalars(sa.select(TranslationDifference)))
        assert all(row.version == 1 for row in session.scalars(sa.select(EducationItem)))
    assert [row["key"] for row in nurse.get("/resources?q=Mettle Health").json["items"]] == ["mettle"]
    assert nurse.get("/resources/mettle").json["kind"] == "community_support"


# ------------------------------------------------------------------------------------ besides


def test_onward_help_depends_on_membership_service_and_physician_alone(work_as: WorkAs) -> None:
    with work_as(INTAKE) as work:
        with_doctor = service.suggest_onward(work, has_physician=True)
        assert keys(with_doctor) == {"mettle", "acca", "sutter_cpmc", "ucsf", "zsfg"}
        assert with_doctor[0].key == "sutter_cpmc", "the one that comes home is first"
        own = service.suggest_onward(work, has_physician=True, health_system="ucsf")
        assert keys(own) == {"mettle", "acca", "ucsf"}
        assert "kp_sf" in keys(service.suggest_onward(work, is_kp_member=True))
        assert "sfva" in keys(service.suggest_onward(work, is_veteran=True))
        grieving = service.suggest_onward(work, needs=frozenset({"grief"}))
        assert [row.key for row in grieving] == ["mettle", "acca"]
        assert [row.key for row in service.suggest_onward(work)] == ["acca", "mettle"]


def test_an_organisation_that_left_the_file_is_offered_no_more(work_as: WorkAs, tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    shorter = tmp_path / "directory.toml"
    left = text[: text.index('[[resources]]\nkey = "acca"')] + text[text.index("# Where the page's two languages") :]
    shorter.write_text(left.replace('["mettle", "acca"]', '["mettle"]'), encoding="utf-8")
    with work_as(installer_actor("test")) as work:
        service.load(work, shorter)
        assert "acca" not in keys(service.suggest_onward(work))
        assert service.by_key(work, "acca").key == "acca", "a referral may still name it"
        service.load(work, FILE)
        assert "acca" in keys(service.suggest_onward(work))


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ('home = "yes"', 'home = "maybe"', "/resources/2/settings"),
        ('kind = "medical_provider"', 'kind = "shop"', "/resources/0/kind"),
        ('key = "sfva"', 'key = "ucsf"', "/resources"),
        ('referral_rule = "not_stated"', 'referral_rule = "magic"', "/resources/6/referral_rule"),
        ('population = ["not_stated"]', "population = []", "/resources/2/population"),
        ('kind = "omission"', 'kind = "guess"', "/differences/2/kind"),
        ('type = "video"', 'type = "song"', "/education/0/type"),
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
        item = EducationItem(title_en="A", title_zh_hant="甲", body_en="B", body_zh_hant=None)
        told = [education.shown(item, language) for language in ("en", "zh-Hant", "es")]
        assert [(one.title, one.body, one.translation_missing) for one in told] == [
            ("A", "B", False), ("甲", "B", True), ("A", "B", True),
        ]  # fmt: skip


def test_an_unknown_word_is_refused_and_all_are_told(nurse: Browser) -> None:
    wrong = nurse.get("/resources?setting=moon&need=gold&who_refers=cat&population=cats&topic=weather&kind=shop")
    assert (wrong.status_code, pointers(wrong)) == (
        422,
        {f"/query/{name}" for name in ("setting", "need", "who_refers", "population", "topic", "kind")},
    )
    assert nurse.get("/resources?language=tlh").status_code == 422
    assert nurse.get("/resources?q=%00").status_code == 422


def test_search_by_need_population_topic_language_and_system(nurse: Browser) -> None:
    assert listed(nurse.get("/resources?need=caregiver_support")) == {"acca"}
    assert listed(nurse.get("/resources?need=decision_support")) == {"mettle"}
    assert listed(nurse.get("/resources?population=cancer")) == {"ucsf", "zsfg"}
    assert listed(nurse.get("/resources?topic=grief")) == {"mettle"}
    assert listed(nurse.get("/resources?health_system=kaiser")) == {"kp_sf"}
    assert listed(nurse.get("/resources?kind=community_support")) == {"acca", "mettle"}
    assert listed(nurse.get("/resources?speaks=yue")) == set()
    assert len(listed(nurse.get("/resources?speaks=yue&include_not_stated=true"))) == 7
    kaiser = nurse.get("/resources/kp_sf?language=zh-Hant").json
    assert (kaiser["name"], kaiser["language"], kaiser["is_kp"]) == ("三藩市凱撒醫院", "zh-Hant", True)
    short = nurse.get("/resources/acca?language=zh-Hant").json
    assert (short["name"], short["short_name"]) == ("阿拉米達縣護理聯盟", "AC 護理聯盟")
    assert nurse.get("/resources/terms").json["services"][0]["zh_hant"] == "緩和療護"


def test_an_unknown_key_is_missing(work_as: WorkAs, nurse: Browser) -> None:
    with work_as(INTAKE) as work, pytest.raises(NotFound):
        service.by_key(work, "Nowhere")
    assert nurse.get("/resources/nowhere").status_code == 404
    assert nurse.get("/resources/a%00b").status_code == 404
