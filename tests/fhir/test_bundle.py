"""A bundle is taken whole or refused whole, and the refusal names the place."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import simple_icd_10_cm as icd10cm

from coordinator.core.settings import ROOT
from coordinator.domain.vocabulary import Payer
from coordinator.fhir.bundle import BundleError, parse_bundle, read_bundle
from coordinator.fhir.mapping import home_for, load_code_map, load_homes, map_bundle

TODAY = date(2026, 11, 21)
CODES = load_code_map(ROOT / "config" / "snomed-to-icd10cm.csv")
SHARED = ROOT.parent / "shared" / "data" / "fhir"


def test_every_code_of_the_table_is_a_billable_icd_10_cm_code() -> None:
    assert [entry.icd10cm for entry in CODES.values() if not icd10cm.is_leaf(entry.icd10cm)] == []


def test_what_is_taken_and_what_is_left(raw_bundle: dict[str, Any]) -> None:
    taken = map_bundle(parse_bundle(raw_bundle, "b"), CODES, TODAY)
    assert [d["code"] for d in taken.diagnoses] == ["J43.9"]
    assert [(c["payer"], c["starts_on"]) for c in taken.coverages] == [(Payer.MEDICARE, date(2011, 1, 5))]
    assert taken.patient["spoken_language"] == "es"
    assert taken.patient["interpreter_needed"] is True
    assert [t["name"] for t in taken.team] == ["Dr. Priya Smith"]
    assert [c["relation"] for c in taken.caregivers] == ["daughter"]
    assert taken.home["lat"] is None
    assert dict(taken.left) == {
        ("Condition", "the same condition is there already"): 1,
        ("Condition", "it is a finding without a diagnosis code for home care"): 1,
        ("Condition", "it is resolved or inactive"): 1,
        ("Coverage", "it has ended or was cancelled"): 1,
        ("Practitioner", "the NPI does not pass its check digit"): 1,
        ("MedicationRequest", "medication is not kept here; every one of them lacks its requester"): 1,
    }


def _spoil(raw: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set the element at a dotted path to `value`, or remove it."""
    *way, last = path.split(".")
    place: Any = raw
    for part in way:
        place = place[int(part)] if part.isdigit() else place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("resourceType", "Patient", "b.resourceType"),
        ("type", "history", "b.type"),
        ("entry", [], "b.entry"),
        ("entry.1.resource", ..., "b.entry[1].resource"),
        ("entry.1.resource.id", "", "b.entry[1].resource.id"),
        ("entry.2.resource.id", "00000001-0000-4000-8000-000000000000", "b.entry[2].resource.id"),
        ("entry.1.resource.subject.reference", "urn:uuid:somebody-else", "b.entry[1].resource.subject"),
        ("entry.0.resource.birthDate", "1944-02-30", "b.entry[0].resource.birthDate"),
        ("entry.0.resource.birthDate", ..., "b.entry[0].resource.birthDate"),
        ("entry.0.resource.gender", "robot", "b.entry[0].resource.gender"),
        ("entry.0.resource.name.0.family", "A\x00B", "b.entry[0].resource.name.family"),
        ("entry.0.resource.address", [], "b.entry[0].resource.address"),
        ("entry.1.resource.code", {"text": "cough"}, "b.entry[1].resource.code"),
        ("entry.5.resource.period", {}, "b.entry[5].resource.period.start"),
    ],
)
def test_a_broken_bundle_is_refused_with_its_place(
    raw_bundle: dict[str, Any], path: str, value: Any, place: str
) -> None:
    with pytest.raises(BundleError) as refusal:
        map_bundle(parse_bundle(_spoil(raw_bundle, path, value), "b"), CODES, TODAY)
    assert refusal.value.place == place


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"resourceType": "Bundle"}', b"[" * 100_000])
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        read_bundle(path)


def test_a_home_is_the_same_each_time_in_the_patients_zip_and_never_shared(tmp_path: Path) -> None:
    path = tmp_path / "homes.csv"
    rows = "".join(f"{n} Oak St,San Francisco,CA,{94110 + n % 2},37.7{n},-122.4\n" for n in range(6))
    path.write_text("line,city,state,zip,lat,lon\n" + rows, encoding="utf-8")
    homes = load_homes(path)
    first = home_for("p1", "94111", homes, set())
    assert first is not None
    assert first.zip == "94111"
    assert home_for("p1", "94111", homes, set()) == first
    assert home_for("p1", "94111", homes, {first.address}) != first
    assert home_for("p1", "94111", homes, {home.address for home in homes}) is None


def test_a_wrong_line_of_homes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "homes.csv"
    path.write_text("line,city,state,zip,lat,lon\n1 Oak,SF,CA,94110,37.7,-122\n2 Oak,SF,CA,94110,x,-122\n", "utf-8")
    with pytest.raises(ValueError, match="line 3"):
        load_homes(path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared bundles are not here")
def test_the_shared_bundles_can_all_be_taken() -> None:
    taken = [map_bundle(read_bundle(path), CODES, TODAY) for path in sorted(SHARED.glob("*.json"))]
    assert len(taken) == 20
    assert sum(entry.deceased_on is not None for entry in taken) == 3
    assert all(entry.diagnoses for entry in taken)
