"""The directory of onward help: loaded from a file, searched by need, setting, referral and words in both languages."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from coordinator.core.errors import Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory.model import Resource

KINDS = ("medical_provider", "community_support")
SETTINGS = ("inpatient", "outpatient_clinic", "outpatient_unspecified", "home", "telehealth")
STATED = ("yes", "no", "not_stated")
LANGUAGES = ("en", "zh-Hant")
SERVICES = (
    "palliative_care", "coaching", "expectation_setting", "self_advocacy_training", "decision_support",
    "bereavement_support", "advance_care_planning", "caregiver_support", "emotional_support", "spiritual_support",
    "social_service_referral",
)  # fmt: skip
REFERRERS = ("self", "nurse", "physician", "va_provider")
#: Referral rule -> who may start it. What is not stated is nobody's by right; the organisation is asked.
WHO_REFERS: dict[str, frozenset[str]] = {
    "default_own_system_physician": frozenset({"physician"}),
    "va_primary_or_specialty_provider": frozenset({"va_provider"}),
    "patient_asks_doctor_or_nurse": frozenset({"physician", "nurse"}),
    "primary_physician_or_any_specialty_physician_or_nurse": frozenset({"physician", "nurse"}),
    "self_no_doctor_referral": frozenset({"self"}),
    "not_stated": frozenset(),
}
#: Words of a service in both languages, for those who search by words.
_SERVICE_WORDS = {
    "palliative_care": "palliative care 緩和療護",
    "advance_care_planning": "advance care planning 預立醫療照護計畫",
    "caregiver_support": "caregiver support 照護者支持",
    "emotional_support": "emotional support 情緒支持",
    "spiritual_support": "spiritual support 精神支持 靈性關懷",
    "social_service_referral": "social services referral 社會服務轉介",
    "bereavement_support": "bereavement grief 哀傷支持",
}
_SETTING_WORDS = {
    "inpatient": "inpatient hospital 住院",
    "outpatient_clinic": "outpatient clinic 門診",
    "outpatient_unspecified": "outpatient 門診",
    "home": "home 居家",
    "telehealth": "telehealth online 遠距醫療 網上",
}
#: Different words for one thing: both scripts' names of palliative care, and of the city.
_SYNONYMS = (
    ("安寧療護", "緩和療護"),
    ("安寧緩和", "緩和療護"),
    ("緩和醫藥", "緩和療護"),
    ("緩和醫療", "緩和療護"),
    ("palliative medicine", "palliative care"),
    ("舊金山", "三藩市"),
    ("重症", "嚴重疾病"),
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_REQUIRED = ("key", "kind", "name_en", "settings", "population", "services", "referral_rule", "is_medical_care")
_COLUMNS = (*_REQUIRED, "name_zh_hant")


# ------------------------------------------------------------------------------------ loading


@permitted("import:run")
def load(work: Work, path: Path) -> int:
    """The directory is what the file says; the number of its organisations. Loading twice changes nothing.

    An organisation that left the file stays as a row, because a referral may name it, and is offered no more.
    """
    with path.open("rb") as file:
        entries = tomllib.load(file).get("resources", [])
    for place, entry in enumerate(entries):
        _check(entry, f"/resources/{place}")
    keys = [entry["key"] for entry in entries]
    if len(set(keys)) != len(keys):
        raise Invalid("A key occurs twice in the directory.", pointer="/resources")
    known = {row.key: row for row in work.session.execute(sa.select(Resource)).scalars()}
    for entry in entries:
        row = known.pop(entry["key"], None)
        values: dict[str, Any] = {name: entry.get(name) for name in _COLUMNS}
        values["extra"] = {name: value for name, value in entry.items() if name not in _COLUMNS}
        if row is None:
            work.session.add(Resource(**values))
        else:
            for name, value in values.items():
                if getattr(row, name) != value:
                    setattr(row, name, value)
    for row in known.values():
        row.extra = {**row.extra, "withdrawn": True}
    work.session.flush()  # what was loaded is searched in the same transaction
    work.record("directory.loaded", "directory:all", resources=len(entries))
    return len(entries)


def _check(entry: Mapping[str, Any], pointer: str) -> None:
    for name in _REQUIRED:
        if name not in entry:
            raise Invalid(f"{name} is needed.", pointer=f"{pointer}/{name}")
    if not _KEY.fullmatch(entry["key"]):
        raise Invalid("A key is small letters, digits and underscores.", pointer=f"{pointer}/key")
    if entry["kind"] not in KINDS:
        raise Invalid(f"kind is one of: {', '.join(KINDS)}.", pointer=f"{pointer}/kind")
    if entry["referral_rule"] not in WHO_REFERS:
        raise Invalid(f"referral_rule is one of: {', '.join(WHO_REFERS)}.", pointer=f"{pointer}/referral_rule")
    for name, value in entry["settings"].items():
        if name not in SETTINGS or value not in STATED:
            raise Invalid("A setting is yes, no or not_stated.", pointer=f"{pointer}/settings/{name}")
    for service in entry["services"]:
        if service not in SERVICES:
            raise Invalid(f"There is no service {service!r}.", pointer=f"{pointer}/services")


# ------------------------------------------------------------------------------------ reading


def _all(work: Work) -> list[Resource]:
    rows = work.session.execute(sa.select(Resource).order_by(Resource.key)).scalars()
    return [row for row in rows if not row.extra.get("withdrawn")]


@permitted("resource:read")
def by_key(work: Work, key: str) -> Resource:
    """The organisation of that key."""
    found = None
    if _KEY.fullmatch(key):
        found = work.session.execute(sa.select(Resource).where(Resource.key == key)).scalar()
    if found is None:
        raise NotFound("resource")
    return found


@permitted("resource:read")
def search(
    work: Work,
    need: str | None = None,
    setting: str | None = None,
    include_not_stated: bool = False,
    who_refers: str | None = None,
    text: str | None = None,
    language: str = "en",
) -> list[Resource]:
    """Organisations that meet every condition given, providers first, then by name in `language`.

    need: a service. setting: where care is given; one that the page does not state counts only with
    `include_not_stated`. who_refers: self, nurse, physician or va_provider may start it. text: every word occurs in a
    name, description, service or setting, in either language, synonyms counted as one.
    """
    for value, known, pointer in (
        (need, SERVICES, "/query/need"),
        (setting, SETTINGS, "/query/setting"),
        (who_refers, REFERRERS, "/query/who_refers"),
        (language, LANGUAGES, "/query/language"),
    ):
        if value is not None and value not in known:
            raise Invalid(f"This must be one of: {', '.join(known)}.", pointer=pointer)
    wanted = _folded(text or "").split()
    found = [
        row
        for row in _all(work)
        if (need is None or need in row.services)
        and (setting is None or _offers(row, setting, include_not_stated))
        and (who_refers is None or who_refers in WHO_REFERS[row.referral_rule])
        and (not wanted or all(word in _words(row) for word in wanted))
    ]
    return sorted(found, key=lambda row: (KINDS.index(row.kind), shown(row, language).name.casefold(), row.key))


def _offers(row: Resource, setting: str, include_not_stated: bool) -> bool:
    stated = row.settings.get(setting, "not_stated")
    return stated == "yes" or (include_not_stated and stated == "not_stated")


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    for word, instead in _SYNONYMS:
        plain = plain.replace(word, instead)
    return plain


def _words(row: Resource) -> str:
    extra = row.extra
    parts = [
        row.name_en,
        row.name_zh_hant or "",
        *(str(extra.get(name, "")) for name in ("short_name_en", "short_name_zh_hant", "area")),
        *(str(extra.get(name, "")) for name in ("description_en", "description_zh_hant")),
        *(program["name_en"] for program in extra.get("programs", [])),
        *(_SERVICE_WORDS.get(service, service.replace("_", " ")) for service in row.services),
        *(_SETTING_WORDS[setting] for setting in SETTINGS if row.settings.get(setting) == "yes"),
    ]
    return _folded(" ".join(parts))


@dataclass(frozen=True, slots=True)
class Shown:
    """An organisation's words in one language. Where they are missing, English stands in and says so (LNG-02)."""

    name: str
    description: str
    language: str
    translation_missing: bool
    #: Somebody who reads both languages must look at the source's translation before it is relied on.
    translation_review: bool


def shown(row: Resource, language: str) -> Shown:
    """The organisation in that language, or in English with the missing translation marked."""
    review = row.extra.get("translation_review") == "required"
    english = str(row.extra.get("description_en", ""))
    if language == "zh-Hant":
        name, description = row.name_zh_hant, row.extra.get("description_zh_hant")
        missing = not name or not description
        return Shown(name or row.name_en, str(description or english), "en" if missing else language, missing, review)
    return Shown(row.name_en, english, "en", language != "en", False)


@permitted("resource:read")
def suggest_onward(
    work: Work,
    *,
    is_kp_member: bool = False,
    is_veteran: bool = False,
    has_physician: bool = False,
    health_system: str | None = None,
    needs: frozenset[str] = frozenset(),
) -> list[Resource]:
    """Where somebody whose referral was declined can turn (REF-03): never empty while the directory is loaded.

    Community resources are offered to everybody. A provider is offered to those it serves who have somebody to refer
    them: Kaiser's to members, the VA's to veterans, others to patients with a physician (of that health system, if it
    is known: the key of one of the providers). Providers that state a home programme come first; `needs` (services)
    only changes the order. Nothing here asks who a person is by race or ethnicity (CUL-01).
    """
    offered = [row for row in _all(work) if _open_to(row, is_kp_member, is_veteran, has_physician, health_system)]
    return sorted(
        offered,
        key=lambda row: (
            KINDS.index(row.kind),
            row.settings.get("home") != "yes",
            -len(needs & set(row.services)),
            row.name_en.casefold(),
        ),
    )


def _open_to(
    row: Resource, is_kp_member: bool, is_veteran: bool, has_physician: bool, health_system: str | None
) -> bool:
    if row.kind == "community_support":
        return True
    if "kaiser_members_with_serious_illness" in row.population:
        return is_kp_member
    if "veterans_va" in row.population:
        return is_veteran
    return has_physician and health_system in (None, row.key)
