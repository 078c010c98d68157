"""Reading a FHIR R4 bundle: it is taken whole or refused whole, with the place of the first fault named."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

#: A bundle larger than this is not one patient's record.
LARGEST_FILE = 64 * 1024 * 1024
TYPES = frozenset({"transaction", "collection", "batch", "document", "searchset"})


class BundleError(ValueError):
    """The bundle cannot be taken; `place` says where in the file, without a word of what stands there."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a bundle, and where it stands."""

    place: str
    kind: str
    id: str
    url: str
    body: dict[str, Any]

    @property
    def digest(self) -> str:
        """Hash of the whole resource, the same for the same content however it is laid out."""
        text = json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def need(self, key: str) -> Any:
        """The element `key`, which must be there."""
        if self.body.get(key) in (None, "", [], {}):
            raise BundleError(f"{self.place}.{key}", f"a {self.kind} must have it")
        return self.body[key]

    def coding(self, key: str = "code") -> dict[str, Any]:
        """The first coding of the CodeableConcept `key`."""
        concept = self.need(key)
        codings = concept.get("coding") if isinstance(concept, dict) else None
        if not isinstance(codings, list) or not codings or not isinstance(codings[0], dict):
            raise BundleError(f"{self.place}.{key}", "a coding must be there")
        if not isinstance(codings[0].get("code"), str):
            raise BundleError(f"{self.place}.{key}.coding[0].code", "a code must be there")
        return codings[0]

    def reference(self, key: str) -> str:
        """What `key` points to."""
        value = self.need(key)
        if not isinstance(value, dict) or not isinstance(value.get("reference"), str):
            raise BundleError(f"{self.place}.{key}", "a reference must be there")
        return str(value["reference"])


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle about exactly one patient."""

    name: str
    patient: Resource
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.kind == kind)


def read_bundle(path: Path) -> Bundle:
    """The bundle in the file; BundleError names the place of what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BundleError(path.name, "the file is larger than one patient's record can be")
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(path.name, f"the file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BundleError(path.name, "the file is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise BundleError(f"{path.name} line {error.lineno} column {error.colno}", "this is not JSON") from None
    except RecursionError:
        raise BundleError(path.name, "it is nested too deeply") from None
    return parse_bundle(raw, path.name)


def parse_bundle(raw: Any, name: str) -> Bundle:
    """Check the bundle as far as it is taken: kinds, ids, one patient, and subjects that are that patient."""
    if not isinstance(raw, dict) or raw.get("resourceType") != "Bundle":
        raise BundleError(f"{name}.resourceType", "this is not a Bundle")
    if raw.get("type") not in TYPES:
        raise BundleError(f"{name}.type", f"must be one of {', '.join(sorted(TYPES))}")
    entries = raw.get("entry")
    if not isinstance(entries, list) or not entries:
        raise BundleError(f"{name}.entry", "there is nothing in it")
    resources = tuple(_resource(entry, f"{name}.entry[{index}]") for index, entry in enumerate(entries))
    seen: dict[tuple[str, str], str] = {}
    for resource in resources:
        earlier = seen.setdefault((resource.kind, resource.id), resource.place)
        if earlier != resource.place:
            raise BundleError(f"{resource.place}.id", f"the same {resource.kind} stands at {earlier}")
    patients = [resource for resource in resources if resource.kind == "Patient"]
    if len(patients) != 1:
        raise BundleError(f"{name}.entry", f"one Patient is expected and {len(patients)} are there")
    bundle = Bundle(name, patients[0], resources)
    known = {patients[0].url, f"Patient/{patients[0].id}", f"urn:uuid:{patients[0].id}"}
    for kind, key in SUBJECTS.items():
        for resource in bundle.of(kind):
            if resource.reference(key) not in known:
                raise BundleError(f"{resource.place}.{key}", "it is about somebody who is not in the bundle")
    return bundle


#: Which element of a taken resource names the patient.
SUBJECTS = {"Condition": "subject", "Coverage": "beneficiary", "CareTeam": "subject", "RelatedPerson": "patient"}


def _resource(entry: Any, place: str) -> Resource:
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        raise BundleError(f"{place}.resource", "a resource must be there")
    body = entry["resource"]
    kind, number = body.get("resourceType"), body.get("id")
    if not isinstance(kind, str) or not kind.isalnum():
        raise BundleError(f"{place}.resource.resourceType", "the kind of resource must be there")
    if not isinstance(number, str) or not 1 <= len(number) <= 64:
        raise BundleError(f"{place}.resource.id", "an id of 1 to 64 characters must be there")
    return Resource(f"{place}.resource", kind, number, str(entry.get("fullUrl") or f"{kind}/{number}"), body)


def text_at(place: str, value: Any, longest: int) -> str:
    """Text without NUL, cut to nothing longer than `longest`: too long is a fault, not a silent cut."""
    if not isinstance(value, str) or not value.strip():
        raise BundleError(place, "text must be there")
    if "\x00" in value or len(value) > longest:
        raise BundleError(place, f"it must be text of at most {longest} characters without NUL")
    return value.strip()


def day_at(place: str, value: Any) -> date:
    """The day of a FHIR date or dateTime. A year or month alone is taken as its first day."""
    if not isinstance(value, str):
        raise BundleError(place, "a date must be there")
    try:
        if len(value) > 10:
            return datetime.fromisoformat(value).date()
        return date.fromisoformat({4: f"{value}-01-01", 7: f"{value}-01"}.get(len(value), value))
    except ValueError:
        raise BundleError(place, "this is not a date") from None
