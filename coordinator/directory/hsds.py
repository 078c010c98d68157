"""The directory in the shape of the Human Services Data Specification 3 (Open Referral): objects by their names. Pure.

Tabular form: a list for each object, linked by ids, as the specification's datapackage has them. Ids are made from the
entries' keys, so that the same organisation has the same id in every export. A language tag is given as its ISO code,
and what nobody states is not there.

Source: https://docs.openreferral.org, schema 3.0 and later (organization, program, service, location,
service_at_location, phone, language, service_area, required_document, attribute, taxonomy, taxonomy_term).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from coordinator.directory.terms import FOCUS, POPULATIONS, REFERRAL_RULES, SERVICES, SETTINGS, TOPICS, Label

#: Lists of the export, in the specification's order.
TABLES = (
    "organization", "program", "service", "attribute", "service_at_location", "location", "address", "phone",
    "service_area", "required_document", "language", "taxonomy", "taxonomy_term",
)  # fmt: skip
#: Code of the product -> name of its language, as people read it.
_LANGUAGES = {"en": "English", "zh": "Chinese", "yue": "Cantonese", "cmn": "Mandarin", "es": "Spanish"}
#: An address as people write it in one line: street, city, state and ZIP code.
_ADDRESS = re.compile(r"(?P<street>.+),\s*(?P<city>[^,]+),\s*(?P<state>[A-Z]{2})\s+(?P<zip>\d{5}(?:-\d{4})?)", re.ASCII)
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:coordinator:directory")
_VOCABULARIES: Mapping[str, Mapping[str, Label]] = {
    "services": SERVICES, "settings": SETTINGS, "population": POPULATIONS, "topics": TOPICS, "focus": FOCUS,
}  # fmt: skip


class Listed(NamedTuple):
    """An entry to be exported: its key, its values, the day of its last check, and whether it is still offered."""

    key: str
    entry: Mapping[str, Any]
    checked_on: date | None
    active: bool


def _id(*parts: str) -> str:
    return str(uuid5(_NAMESPACE, "/".join(parts)))


def export(entries: Iterable[Listed]) -> dict[str, list[dict[str, Any]]]:
    """Every list of `TABLES`; a field that nobody states is left out."""
    out: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    used: dict[str, set[str]] = {name: set() for name in _VOCABULARIES}
    for listed in entries:
        _organisation(out, used, listed)
    for name, codes in used.items():
        if codes:
            out["taxonomy"].append(
                {"id": _id("taxonomy", name), "name": name, "description": f"The directory's own list of {name}."}
            )
        out["taxonomy_term"] += [
            {
                "id": _id("term", name, code),
                "code": code,
                "name": _VOCABULARIES[name][code].en,
                "description": _VOCABULARIES[name][code].zh,
                "taxonomy": name,
                "taxonomy_id": _id("taxonomy", name),
                "language": "eng",
            }
            for code in sorted(codes)
        ]
    return out


def _organisation(out: dict[str, list[dict[str, Any]]], used: dict[str, set[str]], listed: Listed) -> None:
    key, entry = listed.key, listed.entry
    organisation, service = _id("organization", key), _id("service", key)
    description = entry.get("description_en") or entry["name_en"]
    out["organization"].append(
        _stated(
            id=organisation, name=entry["name_en"], alternate_name=entry.get("name_zh_hant"), description=description,
            email=entry.get("email"), website=entry.get("url"),
        )
    )  # fmt: skip
    programs = [
        (_id("program", key, one["name_en"]), one) for one in entry.get("programs", ())
    ]  # fmt: skip
    out["program"] += [
        _stated(
            id=number, organization_id=organisation, name=one["name_en"], alternate_name=one.get("name_zh_hant"),
            description=", ".join(SETTINGS[setting].en for setting in one.get("settings", ())) or one["name_en"],
        )
        for number, one in programs
    ]  # fmt: skip
    out["service"].append(
        _stated(
            id=service, organization_id=organisation, program_id=programs[0][0] if len(programs) == 1 else None,
            name=entry.get("short_name_en") or entry["name_en"], alternate_name=entry.get("name_zh_hant"),
            description=description, url=entry.get("url"), email=entry.get("email"),
            status="active" if listed.active else "inactive",
            application_process=REFERRAL_RULES[entry["referral_rule"]].says.en, fees_description=entry.get("fees"),
            eligibility_description="; ".join(POPULATIONS[code].en for code in entry["population"]),
            assured_date=None if listed.checked_on is None else listed.checked_on.isoformat(),
            alert=None if entry["is_medical_care"] else "This stands beside medical care and does not replace it.",
        )
    )  # fmt: skip
    _places(out, listed, organisation, service)
    for tag in entry.get("languages", ()):
        code = tag.split("-")[0]
        out["language"].append(
            _stated(
                id=_id("language", key, tag), service_id=service, name=_LANGUAGES.get(code, tag), code=code,
                note="Traditional characters" if "Hant" in tag else None,
            )
        )  # fmt: skip
    areas = [*entry.get("counties", ())] or ([entry["area"]] if entry.get("area") else [])
    if "anyone_living_in_us" in entry["population"] and not areas:
        areas = ["United States"]
    out["service_area"] += [{"id": _id("area", key, name), "service_id": service, "name": name} for name in areas]
    out["required_document"] += [
        {"id": _id("document", key, text), "service_id": service, "document": text}
        for text in entry.get("required_documents", ())
    ]
    codes = {
        "services": entry["services"],
        "settings": [name for name, stated in entry["settings"].items() if stated == "yes"],
        "population": entry["population"],
        "topics": entry.get("topics", ()),
        "focus": entry.get("focus_communities", ()),
    }
    for vocabulary, words in codes.items():
        used[vocabulary].update(words)
        out["attribute"] += [
            {
                "id": _id("attribute", key, vocabulary, word),
                "link_id": service,
                "link_entity": "service",
                "link_type": vocabulary,
                "taxonomy_term_id": _id("term", vocabulary, word),
            }
            for word in words
        ]


def _places(out: dict[str, list[dict[str, Any]]], listed: Listed, organisation: str, service: str) -> None:
    """Where it is reached: an address where one is known, and a virtual place where it serves from afar."""
    key, entry = listed.key, listed.entry
    phone_at = None
    if entry.get("address"):
        phone_at = _id("location", key, "address")
        parts = _ADDRESS.fullmatch(entry["address"].strip())
        out["location"].append(
            _stated(
                id=phone_at, location_type="physical", organization_id=organisation, name=entry["name_en"],
                description=None if parts else entry["address"],
            )
        )  # fmt: skip
        # The specification asks for all parts of an address. A line that does not tell them is said of the place.
        if parts:
            out["address"].append(
                {
                    "id": _id("address", key),
                    "location_id": phone_at,
                    "address_1": parts["street"],
                    "city": parts["city"],
                    "state_province": parts["state"],
                    "postal_code": parts["zip"],
                    "country": "US",
                    "address_type": "physical",
                }
            )
        _at(out, key, service, phone_at)
    if entry["settings"].get("telehealth") == "yes":
        virtual = _id("location", key, "virtual")
        out["location"].append(
            _stated(
                id=virtual, location_type="virtual", url=entry.get("url"), organization_id=organisation,
                name=entry["name_en"],
            )
        )  # fmt: skip
        _at(out, key, service, virtual)
    if entry.get("phone"):
        out["phone"].append(
            _stated(
                id=_id("phone", key), location_id=phone_at, service_id=service, organization_id=organisation,
                number=entry["phone"], type="voice",
            )
        )  # fmt: skip


def _at(out: dict[str, list[dict[str, Any]]], key: str, service: str, location: str) -> None:
    out["service_at_location"].append(
        {"id": _id("service-at", key, location), "service_id": service, "location_id": location}
    )


def _stated(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}
