"""The directory of onward help: loaded from a file, searched by need, setting, referral and words in both languages."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.errors import Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.directory import books, words
from coordinator.directory.entry import COLUMNS, KEY, key_mistake, mistakes
from coordinator.directory.model import Resource, ResourceVersion
from coordinator.directory.terms import (
    FOCUS,
    HEALTH_SYSTEMS,
    KINDS,
    LANGUAGES,
    POPULATIONS,
    REFERRAL_RULES,
    REFERRERS,
    SERVICES,
    SETTINGS,
    TOPICS,
)
from coordinator.rules import resources as rules
from coordinator.rules.language import localised

# ------------------------------------------------------------------------------------ loading


@permitted("import:run")
def load(work: Work, path: Path) -> int:
    """The directory is what the file says; the number of its organisations. Loading twice changes nothing.

    What the agency has edited since stays as the agency has it. An organisation that left the file stays as a row,
    because a referral may name it, and is offered no more. Translation differences and education come along.
    """
    with path.open("rb") as file:
        given = tomllib.load(file)
    entries = given.get("resources", [])
    errors = []
    for place, entry in enumerate(entries):
        wrong = [*filter(None, [key_mistake(entry.get("key"))]), *mistakes(_without_key(entry))]
        errors += [{"pointer": f"/resources/{place}/{one.field}", "detail": one.says} for one in wrong]
    if errors:
        raise Invalid("The directory's file has mistakes; nothing was loaded.", errors=errors)
    keys = [entry["key"] for entry in entries]
    if len(set(keys)) != len(keys):
        raise Invalid("A key occurs twice in the directory.", pointer="/resources")
    books.check(given, frozenset(keys))
    known = {row.key: row for row in work.session.execute(sa.select(Resource).with_for_update()).scalars()}
    for entry in entries:
        row = known.pop(entry["key"], None)
        values = _without_key(entry)
        if row is None:
            put(work, _added(work, entry["key"], values, "shipped"), {}, "loaded")
        else:
            own = set(row.edited_fields)
            values |= {name: value for name, value in entry_of(row).items() if name in own}
            kept = {name: None for name in entry_of(row) if name not in values and name not in own}
            put(work, row, values | kept, "loaded", active=True if "active" not in own else row.active)
    for row in known.values():
        if row.origin == "shipped":
            put(work, row, {}, "loaded", active=False)
    books.load(work, given)
    work.session.flush()  # what was loaded is searched in the same transaction
    work.record("directory.loaded", "directory:all", resources=len(entries))
    return len(entries)


def _without_key(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "key"}


def _added(work: Work, key: str, values: Mapping[str, Any], origin: str) -> Resource:
    row = Resource(
        key=key,
        origin=origin,
        active=True,
        edited_fields=[],
        extra={name: value for name, value in values.items() if name not in COLUMNS and value is not None},
        **{name: values.get(name) for name in COLUMNS},
    )
    work.session.add(row)
    work.session.flush()  # its history names its number
    write_down(work, row, "loaded" if origin == "shipped" else "added", sorted(values))
    return row


def add_row(work: Work, key: str, values: Mapping[str, Any], act: str) -> Resource:
    """A new entry of the agency's own, checked by the caller. Asked by other rooms' verbs, never by a door."""
    row = _added(work, key, values, "agency")
    work.record("directory.added", f"resource:{row.id}", act=act)
    return row


def put(work: Work, row: Resource, values: Mapping[str, Any], act: str, **columns: Any) -> list[str]:
    """The entry has these values (None: not said any more) and its history a line, if anything changed; which did.

    Asked by other rooms' verbs, never by a door.
    """
    before = entry_of(row)
    changed = [name for name, value in values.items() if before.get(name) != value]
    changed += [name for name, value in columns.items() if getattr(row, name) != value]
    if not changed:
        return []
    for name in COLUMNS.keys() & set(changed):
        setattr(row, name, values[name])
    extra = {**row.extra, **{name: value for name, value in values.items() if name not in COLUMNS}}
    row.extra = {name: value for name, value in extra.items() if value is not None}
    for name, value in columns.items():
        setattr(row, name, value)
    work.session.flush()  # the history carries the new version
    write_down(work, row, act, sorted(changed))
    return sorted(changed)


def write_down(work: Work, row: Resource, act: str, changed: list[str]) -> None:
    """The entry as it is now stands in its history. Asked by other rooms' verbs, never by a door."""
    said = entry_of(row) | {"active": row.active, "checked_on": row.checked_on and row.checked_on.isoformat()}
    work.session.add(
        ResourceVersion(
            resource_id=row.id, number=row.version, act=act, at=work.now, user_id=work.actor.user_id, changed=changed,
            entry=said,
        )
    )  # fmt: skip


def entry_of(row: Resource) -> dict[str, Any]:
    """Everything that is said of the organisation, by field, without its key."""
    said = {name: getattr(row, name) for name in COLUMNS if getattr(row, name) is not None}
    return said | dict(row.extra)


# ------------------------------------------------------------------------------------ reading


def today(work: Work) -> date:
    """The agency's day: that of the actor's branch, else of the first. Asked by other rooms' verbs, never by a door."""
    branch_id = min(work.actor.branch_ids, default=None)
    if branch_id is None:
        branch_id = work.session.execute(sa.select(sa.func.min(Branch.id))).scalar()
    return work.now.date() if branch_id is None else agency.today(work, branch_id)


def rows_in_force(work: Work) -> list[Resource]:
    """Every organisation that is offered, by key. Asked by other rooms' verbs, never by a door."""
    return list(
        work.session.execute(sa.select(Resource).where(Resource.active).order_by(Resource.key)).scalars()
    )  # fmt: skip


@permitted("resource:read")
def by_key(work: Work, key: str) -> Resource:
    """The organisation of that key, whether or not it is still offered."""
    found = None
    if KEY.fullmatch(key):
        found = work.session.execute(sa.select(Resource).where(Resource.key == key)).scalar()
    if found is None:
        raise NotFound("resource")
    return found


def checked_since(work: Work) -> date:
    """The first day on which a check still counts. Asked by other rooms' verbs, never by a door."""
    return today(work) - timedelta(days=work.policy.directory.stale_days)


def is_stale(row: Resource, since: date) -> bool:
    """Whether nobody has asked the organisation since that day, or ever."""
    return row.checked_on is None or row.checked_on < since


def asked_as(row: Resource) -> str:
    """What asks for a check of the entry: the same from one check to the next."""
    return f"resource:{row.id}:since:{row.checked_on.isoformat() if row.checked_on else 'never'}"


@permitted("resource:read")
def stale(work: Work) -> list[Resource]:
    """Organisations whose entry is to be checked: never checked first, then the longest ago."""
    since = checked_since(work)
    found = [row for row in rows_in_force(work) if is_stale(row, since)]
    return sorted(found, key=lambda row: (row.checked_on or date.min, row.key))


@permitted("resource:read")
def search(
    work: Work,
    need: str | None = None,
    setting: str | None = None,
    include_not_stated: bool = False,
    who_refers: str | None = None,
    text: str | None = None,
    language: str = "en",
    speaks: str | None = None,
    population: str | None = None,
    topic: str | None = None,
    kind: str | None = None,
    health_system: str | None = None,
) -> list[Resource]:
    """Organisations that meet every condition given, providers first, then by name in `language`.

    need: a service. setting: where care is given. speaks: a language in which people are served. A setting or language
    that nobody states counts only with `include_not_stated`. who_refers: may start a referral. text: every word occurs
    in a name, description, service or setting, in either language, synonyms counted as one.
    """
    _closed(
        need=(need, SERVICES), setting=(setting, SETTINGS), who_refers=(who_refers, REFERRERS),
        language=(language, LANGUAGES), population=(population, POPULATIONS), topic=(topic, TOPICS), kind=(kind, KINDS),
        health_system=(health_system, HEALTH_SYSTEMS),
    )  # fmt: skip
    wanted = words.wanted(text or "")
    found = [
        row
        for row in rows_in_force(work)
        if (need is None or need in row.services)
        and (setting is None or _offers(row, setting, include_not_stated))
        and (speaks is None or _speaks(row, speaks, include_not_stated))
        and (who_refers is None or who_refers in REFERRAL_RULES[row.referral_rule].who)
        and (population is None or population in row.population)
        and (topic is None or topic in row.extra.get("topics", ()))
        and (kind is None or kind == row.kind)
        and (health_system is None or health_system == row.extra.get("health_system"))
        and (not wanted or all(word in words_of(row) for word in wanted))
    ]
    order = list(KINDS)
    return sorted(found, key=lambda row: (order.index(row.kind), shown(row, language).name.casefold(), row.key))


def _closed(**asked: tuple[str | None, Iterable[str]]) -> None:
    errors = [
        {"pointer": f"/query/{name}", "detail": f"This must be one of: {', '.join(known)}."}
        for name, (value, known) in asked.items()
        if value is not None and value not in known
    ]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)


def _offers(row: Resource, setting: str, include_not_stated: bool) -> bool:
    stated = row.settings.get(setting, "not_stated")
    return stated == "yes" or (include_not_stated and stated == "not_stated")


def _speaks(row: Resource, language: str, include_not_stated: bool) -> bool:
    said = row.extra.get("languages", [])
    return language in said if said else include_not_stated


def words_of(row: Resource) -> str:
    """What a search by words looks in, in both languages. Asked by other rooms' verbs, never by a door."""
    extra = row.extra
    labels = (
        *(KINDS[row.kind],),
        *(SERVICES[service] for service in row.services),
        *(TOPICS[topic] for topic in extra.get("topics", ())),
        *(POPULATIONS[people] for people in row.population),
        *(SETTINGS[setting] for setting in SETTINGS if row.settings.get(setting) == "yes"),
        *(FOCUS[community] for community in extra.get("focus_communities", ())),
        REFERRAL_RULES[row.referral_rule].says,
    )
    texts = ("short_name_en", "short_name_zh_hant", "area", "description_en", "description_zh_hant")
    parts = [
        row.name_en,
        row.name_zh_hant or "",
        *extra.get("source_names", {}).values(),
        *(str(extra.get(name, "")) for name in texts),
        *extra.get("counties", ()),
        *(f"{program['name_en']} {program.get('name_zh_hant', '')}" for program in extra.get("programs", ())),
        *(f"{label.en} {label.zh}" for label in labels),
    ]
    return words.searchable(" ".join(parts))


@dataclass(frozen=True, slots=True)
class Shown:
    """An organisation's words in one language. Where they are missing, English stands in and says so (LNG-02)."""

    name: str
    short_name: str | None
    description: str
    language: str
    translation_missing: bool
    #: Somebody who reads both languages must look at the source's translation before it is relied on.
    translation_review: bool


def shown(row: Resource, language: str) -> Shown:
    """The organisation in that language, or in English with the missing translation marked."""
    extra = row.extra
    name = localised({"en": row.name_en, "zh-Hant": row.name_zh_hant}, language)
    short = localised({"en": extra.get("short_name_en"), "zh-Hant": extra.get("short_name_zh_hant")}, language)
    said = localised({"en": extra.get("description_en"), "zh-Hant": extra.get("description_zh_hant")}, language)
    missing = name.translation_missing or said.translation_missing
    return Shown(
        name.text, short.text or None, said.text, "en" if missing else name.language, missing,
        language == "zh-Hant" and extra.get("translation_review") == "required",
    )  # fmt: skip


# ------------------------------------------------------------------------------------ matched for somebody


def offer_of(row: Resource) -> rules.Offer:
    """The organisation as the rules see it."""
    return rules.Offer(
        key=row.key, kind=row.kind, population=frozenset(row.population), health_system=row.extra.get("health_system"),
        counties=frozenset(row.extra.get("counties", ())), services=frozenset(row.services),
        topics=frozenset(row.extra.get("topics", ())), comes_home=row.settings.get("home") == "yes",
    )  # fmt: skip


@permitted("resource:read")
def suggest_onward(
    work: Work,
    *,
    is_kp_member: bool = False,
    is_veteran: bool = False,
    has_physician: bool = False,
    health_system: str | None = None,
    county: str | None = None,
    needs: frozenset[str] = frozenset(),
) -> list[Resource]:
    """Where somebody whose referral was declined can turn (REF-03): never empty while the directory is loaded.

    Community resources are offered to everybody. A provider is offered to those it serves who have somebody to refer
    them: Kaiser's to members, the VA's to veterans, others to patients with a physician (of that health system, if it
    is known). Providers that state a home programme come first; `needs` (services and topics) only changes the order.
    Nothing here asks who a person is by race or ethnicity (CUL-01).
    """
    rows = {row.key: row for row in rows_in_force(work)}
    seeker = rules.Seeker(is_kp_member, is_veteran, has_physician, health_system, county)
    open_ = [offer for offer in map(offer_of, rows.values()) if rules.why_closed(offer, seeker) is None]
    return [rows[offer.key] for offer in rules.in_order(open_, needs)]
