"""What is taken from a bundle, and what is left and why. Pure: rows are made elsewhere."""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from coordinator.domain.npi import is_valid
from coordinator.domain.vocabulary import Gender, Payer
from coordinator.fhir.bundle import Bundle, BundleError, Resource, day_at, text_at

SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = "http://hl7.org/fhir/sid/us-npi"

#: Words in a payer's name, in the order in which they are looked for.
PAYERS: tuple[tuple[str, Payer], ...] = (
    ("kaiser", Payer.KP),
    ("medicare advantage", Payer.MEDICARE_ADVANTAGE),
    ("medicare", Payer.MEDICARE),
    ("medicaid", Payer.MEDI_CAL),
    ("medi-cal", Payer.MEDI_CAL),
    ("veterans", Payer.VA),
    ("dual eligible", Payer.MEDICARE),
)
#: Kinds that are never taken, each with the reason that is reported.
LEFT: dict[str, str] = {
    "Encounter": "past encounters elsewhere are not home visits",
    "MedicationRequest": "medication is not kept here; every one of them lacks its requester",
    "AllergyIntolerance": "allergies are not kept here yet",
    "Goal": "a goal's text must be a person's words; these are measurement rules",
    "CarePlan": "plans of other organisations are not the plan of care at home",
    "Device": "devices are not kept here",
    "Organization": "organisations are not kept here",
    "Location": "places of other organisations are not kept here",
    "PractitionerRole": "roles at other organisations are not kept here",
    "Claim": "claims are not kept here",
    "ExplanationOfBenefit": "claims are not kept here",
    "Observation": "observations are not kept here yet",
    "Immunization": "immunisations are not kept here",
    "DiagnosticReport": "reports are not kept here",
    "Procedure": "past procedures are not kept here",
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A SNOMED CT concept in ICD-10-CM; `role` is diagnosis, history or social."""

    icd10cm: str
    role: str


@dataclass(frozen=True, slots=True)
class HomePoint:
    """A known address with its point."""

    address: str
    city: str
    state: str
    zip: str
    lat: float
    lon: float


@dataclass(slots=True)
class Taken:
    """What one bundle gives: fields for `patients.service.create`, and what was left."""

    source_id: str
    digest: str
    patient: dict[str, Any]
    home: dict[str, Any]
    coverages: list[dict[str, Any]] = field(default_factory=list)
    diagnoses: list[dict[str, Any]] = field(default_factory=list)
    caregivers: list[dict[str, Any]] = field(default_factory=list)
    physicians: list[dict[str, Any]] = field(default_factory=list)
    #: Outside participants: name, role, source_id.
    team: list[dict[str, Any]] = field(default_factory=list)
    deceased_on: date | None = None
    taken: Counter[str] = field(default_factory=Counter)
    #: (kind, reason) -> how many.
    left: Counter[tuple[str, str]] = field(default_factory=Counter)


def load_code_map(path: Path) -> dict[str, Mapped]:
    """SNOMED CT code -> ICD-10-CM, from the project's own table."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["snomed"]: Mapped(row["icd10cm"], row["role"]) for row in csv.DictReader(file)}


def load_homes(path: Path) -> tuple[HomePoint, ...]:
    """Known addresses from a CSV with line, city, state, zip, lat, lon; ValueError names the line that is wrong."""
    homes = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"line", "city", "state", "zip", "lat", "lon"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path.name} line 1: the columns {', '.join(sorted(missing))} are missing")
        for number, row in enumerate(reader, 2):
            try:
                lat, lon = float(row["lat"]), float(row["lon"])
            except (TypeError, ValueError):
                raise ValueError(f"{path.name} line {number}: lat and lon must be numbers") from None
            if not (-90 <= lat <= 90 and -180 <= lon <= 180) or not row["line"] or not row["zip"]:
                raise ValueError(f"{path.name} line {number}: this is not an address with a point")
            homes.append(HomePoint(row["line"], row["city"], row["state"], row["zip"], lat, lon))
    if not homes:
        raise ValueError(f"{path.name}: there are no addresses in it")
    return tuple(homes)


def home_for(source_id: str, zip_code: str, homes: Sequence[HomePoint], taken: set[str]) -> HomePoint | None:
    """A home for the patient: in their ZIP if there is one, always the same for the same patient, never shared."""
    same_zip = [home for home in homes if home.zip == zip_code and home.address not in taken]
    free = same_zip or [home for home in homes if home.address not in taken]
    if not free:
        return None
    number = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:8])
    return free[number % len(free)]


def map_bundle(bundle: Bundle, code_map: Mapping[str, Mapped], today: date) -> Taken:
    """Everything that the bundle gives and leaves; BundleError if what must be there is not."""
    taken = _patient(bundle.patient)
    taken.taken["Patient"] += 1
    for resource in bundle.resources:
        if resource.kind == "Condition":
            _condition(taken, resource, code_map)
        elif resource.kind == "Coverage":
            _coverage(taken, resource, today)
        elif resource.kind == "RelatedPerson":
            _caregiver(taken, resource)
        elif resource.kind == "CareTeam":
            _care_team(taken, resource, bundle)
        elif resource.kind == "Practitioner":
            _practitioner(taken, resource)
        elif resource.kind != "Patient":
            taken.left[resource.kind, LEFT.get(resource.kind, "this kind of resource is not read")] += 1
    _rank(taken)
    return taken


def _patient(resource: Resource) -> Taken:
    body, place = resource.body, resource.place
    names = resource.need("name")
    official = next((n for n in names if isinstance(n, dict) and n.get("use") == "official"), names[0])
    given = official.get("given") if isinstance(official, dict) else None
    if not isinstance(given, list) or not given:
        raise BundleError(f"{place}.name", "a given name must be there")
    addresses = body.get("address") or []
    address = addresses[0] if addresses and isinstance(addresses[0], dict) else {}
    if not address:
        raise BundleError(f"{place}.address", "care is given at a home: an address must be there")
    gender = str(body.get("gender") or "unknown")
    if gender not in {member.value for member in Gender}:
        raise BundleError(f"{place}.gender", "this is not an administrative gender")
    phone = next(
        (t.get("value") for t in body.get("telecom") or [] if isinstance(t, dict) and t.get("system") == "phone"), None
    )
    language = "en"
    for spoken in body.get("communication") or []:
        codings = spoken.get("language", {}).get("coding") if isinstance(spoken, dict) else None
        if codings:
            language = text_at(f"{place}.communication", codings[0].get("code"), 20)
            break
    language = "en" if language.lower().startswith("en") else language
    deceased = body.get("deceasedDateTime")
    zip_code = text_at(f"{place}.address[0].postalCode", address.get("postalCode"), 10)[:5]
    return Taken(
        source_id=resource.id,
        digest=resource.digest,
        patient={
            "given_name": text_at(f"{place}.name.given", " ".join(str(g) for g in given), 100),
            "family_name": text_at(f"{place}.name.family", official.get("family"), 100),
            "birth_date": day_at(f"{place}.birthDate", resource.need("birthDate")),
            "gender": Gender(gender),
            "phone": None if phone is None else text_at(f"{place}.telecom", phone, 40),
            "spoken_language": language,
            "written_language": language,
            "interpreter_needed": language != "en",
        },
        home={
            "address": text_at(f"{place}.address[0].line", " ".join(map(str, address.get("line") or [])), 300),
            "city": text_at(f"{place}.address[0].city", address.get("city"), 100),
            "state": {"California": "CA", "Massachusetts": "MA"}.get(
                str(address.get("state")), str(address.get("state") or "CA")
            )[:2],
            "zip": zip_code,
            # The bundles' own points are noise: fewer than one in fifty lies in its own ZIP.
            "lat": None,
            "lon": None,
            "point_source": None,
        },
        deceased_on=None if deceased is None else day_at(f"{place}.deceasedDateTime", deceased),
    )


def _condition(taken: Taken, resource: Resource, code_map: Mapping[str, Mapped]) -> None:
    clinical = resource.body.get("clinicalStatus")
    status = "active" if clinical is None else resource.coding("clinicalStatus")["code"]
    coding = resource.coding()
    onset = resource.body.get("onsetDateTime") or resource.body.get("recordedDate")
    recorded = None if onset is None else day_at(f"{resource.place}.onsetDateTime", onset)
    if status not in {"active", "recurrence", "relapse"}:
        taken.left["Condition", "it is resolved or inactive"] += 1
        return
    system, code = coding.get("system"), coding["code"]
    if system == ICD10CM:
        mapped: Mapped | None = Mapped(code, "diagnosis")
    else:
        mapped = code_map.get(code) if system == SNOMED else None
    if mapped is None:
        taken.left["Condition", "it is a finding without a diagnosis code for home care"] += 1
        return
    if any(d["code"] == mapped.icd10cm for d in taken.diagnoses):
        taken.left["Condition", "the same condition is there already"] += 1
        return
    taken.taken["Condition"] += 1
    taken.diagnoses.append(
        {
            "code": mapped.icd10cm,
            "snomed": code if system == SNOMED else None,
            "recorded_on": recorded,
            "role": mapped.role,
            "source_id": resource.id,
        }
    )


#: Chapters of ICD-10-CM by how much they speak for care at home: cancer, heart and lung, brain, then the rest.
_LEADING = ("C", "I5", "I2", "J4", "G3", "G2", "N18", "I6", "E1", "I", "J", "M", "N", "E")


def _rank(taken: Taken) -> None:
    """Put the diagnosis that most speaks for care at home first; history and social findings last."""

    def weight(entry: dict[str, Any]) -> tuple[int, int, str]:
        role = {"diagnosis": 0, "history": 1, "social": 2}[entry["role"]]
        place = next((i for i, start in enumerate(_LEADING) if entry["code"].startswith(start)), len(_LEADING))
        return role, place, entry["code"]

    taken.diagnoses.sort(key=weight)
    for number, entry in enumerate(taken.diagnoses, 1):
        entry["rank"] = number


def _coverage(taken: Taken, resource: Resource, today: date) -> None:
    payors = resource.need("payor")
    display = str((payors[0] if isinstance(payors, list) and isinstance(payors[0], dict) else {}).get("display") or "")
    period = resource.body.get("period") or {}
    start = period.get("start")
    if start is None:
        raise BundleError(f"{resource.place}.period.start", "coverage must say from when")
    starts_on = day_at(f"{resource.place}.period.start", start)
    ends_on = None if period.get("end") is None else day_at(f"{resource.place}.period.end", period["end"])
    if resource.body.get("status") != "active" or (ends_on is not None and ends_on < today):
        taken.left["Coverage", "it has ended or was cancelled"] += 1
        return
    lower = display.lower()
    payer = next((payer for word, payer in PAYERS if word in lower), Payer.COMMERCIAL)
    member = resource.body.get("subscriberId")
    taken.taken["Coverage"] += 1
    taken.coverages.append(
        {
            "payer": payer,
            "member_id": None if member is None else text_at(f"{resource.place}.subscriberId", member, 60),
            "starts_on": starts_on,
            "ends_on": ends_on,
        }
    )


def _caregiver(taken: Taken, resource: Resource) -> None:
    names = resource.need("name")
    first = names[0] if isinstance(names, list) and isinstance(names[0], dict) else {}
    whole = first.get("text") or " ".join([*map(str, first.get("given") or []), str(first.get("family") or "")])
    relation = "caregiver"
    for concept in resource.body.get("relationship") or []:
        codings = concept.get("coding") if isinstance(concept, dict) else None
        relation = str((codings or [{}])[0].get("display") or concept.get("text") or relation)[:60]
        break
    taken.taken["RelatedPerson"] += 1
    taken.caregivers.append({"name": text_at(f"{resource.place}.name", whole, 200), "relation": relation})


def _care_team(taken: Taken, resource: Resource, bundle: Bundle) -> None:
    """Members of active teams become outside participants, each once: they work elsewhere."""
    if resource.body.get("status") != "active":
        taken.left["CareTeam", "the team is no longer active"] += 1
        return
    practitioners = {r.url: r for r in bundle.of("Practitioner")} | {
        f"Practitioner/{r.id}": r for r in bundle.of("Practitioner")
    }
    found = False
    for participant in resource.body.get("participant") or []:
        if not isinstance(participant, dict) or "Patient" in _roles(participant):
            continue
        member = participant.get("member")
        target = practitioners.get(str(member.get("reference"))) if isinstance(member, dict) else None
        if target is None:
            continue
        found = True
        entry = {
            "name": _name_of(target)[:200],
            "role": next(iter(sorted(_roles(participant))), "Healthcare professional")[:80],
            "source_id": target.id,
        }
        if entry not in taken.team:
            taken.team.append(entry)
    if found:
        taken.taken["CareTeam"] += 1
    else:
        taken.left["CareTeam", "nobody but the patient is in it"] += 1


def _name_of(resource: Resource) -> str:
    names = resource.need("name")
    first = names[0] if isinstance(names, list) and isinstance(names[0], dict) else {}
    parts = [*map(str, first.get("prefix") or []), *map(str, first.get("given") or []), str(first.get("family") or "")]
    return text_at(f"{resource.place}.name", str(first.get("text") or " ".join(parts)), 200)


def _roles(participant: Mapping[str, Any]) -> set[str]:
    return {
        str(coding.get("display"))
        for role in participant.get("role") or []
        if isinstance(role, dict)
        for coding in role.get("coding") or []
        if isinstance(coding, dict)
    }


def _practitioner(taken: Taken, resource: Resource) -> None:
    number = next(
        (
            str(identifier.get("value"))
            for identifier in resource.body.get("identifier") or []
            if isinstance(identifier, dict) and identifier.get("system") == NPI
        ),
        None,
    )
    if number is None:
        taken.left["Practitioner", "there is no NPI"] += 1
        return
    if not is_valid(number):
        taken.left["Practitioner", "the NPI does not pass its check digit"] += 1
        return
    names = resource.need("name")
    first = names[0] if isinstance(names, list) and isinstance(names[0], dict) else {}
    taken.taken["Practitioner"] += 1
    taken.physicians.append(
        {
            "npi": number,
            "given_name": text_at(f"{resource.place}.name", " ".join(map(str, first.get("given") or ["?"])), 100),
            "family_name": text_at(f"{resource.place}.name.family", first.get("family"), 100),
        }
    )
