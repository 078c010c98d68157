"""Organisations matched for one patient, by what is known: membership, service, physician, health system, county.

Nothing here reads what the patient has said of race or ethnicity (CUL-01).
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.errors import Invalid
from coordinator.core.work import Work, permitted
from coordinator.directory import service as directory
from coordinator.directory.model import Resource
from coordinator.directory.terms import HEALTH_SYSTEMS
from coordinator.domain.vocabulary import Payer
from coordinator.patients.model import Patient
from coordinator.patients.queries import for_change, require_visible
from coordinator.rules import resources as rules
from coordinator.staff.model import Physician
from coordinator.teamwork.resource_model import ResourceProfile


def profile_of(work: Work, patient_id: int) -> ResourceProfile | None:
    """What somebody has asked the patient for the sake of help elsewhere. Asked by other verbs, never by a door."""
    return work.session.execute(sa.select(ResourceProfile).where(ResourceProfile.patient_id == patient_id)).scalar()


def seeker_of(work: Work, patient: Patient) -> rules.Seeker:
    """The patient as the rules see who looks for help. Asked by other verbs, never by a door.

    A member's own health system is Kaiser. The county is what was recorded, or the city where it is a county as well.
    """
    day = agency.today(work, patient.branch_id)
    payers = {
        coverage.payer
        for coverage in patient.coverages
        if coverage.starts_on <= day and (coverage.ends_on is None or day <= coverage.ends_on)
    }
    profile = profile_of(work, patient.id)
    physician = None
    if patient.managing_physician_id is not None:
        physician = work.session.get(Physician, patient.managing_physician_id)
    member = Payer.KP in payers
    own = profile.health_system if profile is not None else None
    if own is None and (member or (physician is not None and physician.is_kp)):
        own = "kaiser"
    veteran = True if Payer.VA in payers else (profile.is_veteran if profile is not None else None)
    county = profile.county if profile is not None else None
    return rules.Seeker(
        is_kp_member=member, is_veteran=veteran, has_physician=physician is not None, health_system=own,
        county=county or _county_of_city(work, patient.home.city),
    )  # fmt: skip


def _county_of_city(work: Work, city: str) -> str | None:
    """The county that an entry names and that is called like the city: San Francisco is both."""
    named = {county for row in directory.rows_in_force(work) for county in row.extra.get("counties", ())}
    return next((county for county in sorted(named) if county.casefold() == city.strip().casefold()), None)


@dataclass(frozen=True, slots=True)
class Matched:
    """What a search for a patient found: those open to them, best first, each with what is to be asked before; those
    left out, each with why; and what is not known of the patient and might open another door.
    """

    found: tuple[tuple[Resource, tuple[str, ...]], ...]
    left_out: tuple[tuple[Resource, str], ...]
    unknown: tuple[str, ...]


@permitted("resource-referral:read")
def search(work: Work, patient_id: int, **asked: Any) -> Matched:
    """Organisations that meet what is asked (see `directory.service.search`), matched for the patient."""
    patient = require_visible(work, patient_id)
    seeker = seeker_of(work, patient)
    rows = {row.key: row for row in directory.search(work, **asked)}
    offers = {key: directory.offer_of(row) for key, row in rows.items()}
    closed = {key: why for key, offer in offers.items() if (why := rules.why_closed(offer, seeker)) is not None}
    needs = frozenset(word for name in ("need", "topic") if (word := asked.get(name)) is not None)
    open_ = rules.in_order([offer for key, offer in offers.items() if key not in closed], needs)
    work.record("resource.matched", f"patient:{patient.id}", patient_id=patient.id, found=len(open_))
    return Matched(
        tuple((rows[offer.key], rules.to_ask(offer, seeker)) for offer in open_),
        tuple((rows[key], why) for key, why in closed.items()),
        rules.unknown(seeker),
    )


@permitted("resource-referral:edit")
def set_profile(work: Work, patient_id: int, **facts: Any) -> ResourceProfile:
    """What was asked of the patient is on record: veteran or not, health system, county. None: not known."""
    patient = for_change(work, patient_id)
    if facts.get("health_system") not in {None, *HEALTH_SYSTEMS}:
        raise Invalid(f"This must be one of: {', '.join(HEALTH_SYSTEMS)}.", pointer="/health_system")
    row = profile_of(work, patient.id)
    if row is None:
        row = ResourceProfile(patient_id=patient.id)
        work.session.add(row)
    for name, value in facts.items():
        setattr(row, name, value)
    row.recorded_by_id, row.recorded_at = work.actor.user_id, work.now
    work.session.flush()  # what was recorded is matched with at once
    work.record("resource.profile-set", f"patient:{patient.id}", patient_id=patient.id, fields=sorted(facts))
    return row


@permitted("resource-referral:read")
def read_profile(work: Work, patient_id: int) -> ResourceProfile:
    """What was asked of the patient for the sake of help elsewhere; all unknown, if nobody has."""
    patient = require_visible(work, patient_id)
    work.record("resource.profile-read", f"patient:{patient.id}", patient_id=patient.id)
    return profile_of(work, patient.id) or ResourceProfile(patient_id=patient.id)
