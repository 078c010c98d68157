"""Receiving a referral and completing it (REF-01, REF-02)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa

from coordinator.access.scope import require_branch
from coordinator.agency import area
from coordinator.agency import service as agency
from coordinator.agency.programmes import require_programme
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ReferralChanged, ReferralReceived
from coordinator.domain.npi import is_valid
from coordinator.domain.vocabulary import (
    Discipline,
    Gender,
    Payer,
    PractitionerType,
    Programme,
    ReferralSetting,
    ReferralStatus,
)
from coordinator.patients import checks
from coordinator.patients.diagnoses import diagnosis_code
from coordinator.referrals import content
from coordinator.referrals.model import Referral
from coordinator.referrals.queries import visible
from coordinator.referrals.states import AWAITING_VISIT, OPEN, episode_of, move
from coordinator.staff import service as staff
from coordinator.staff.model import Physician

W = TypeVar("W", bound=StrEnum)

CONTENT = frozenset(
    {
        "setting", "expected_discharge_on", "returned_home_at", "ordered_soc_date", "soc_date_changed_to",
        "soc_date_change_ordered_at", "requester_relationship", "given_name", "family_name", "birth_date", "gender",
        "phone", "address", "city", "state", "zip", "lat", "lon", "spoken_language", "written_language",
        "interpreter_needed", "diagnosis_code", "reason", "disciplines", "payer", "member_id", "coverage_from",
        "coverage_to", "practitioner_name", "practitioner_npi", "practitioner_type", "practitioner_organisation",
        "practitioner_phone", "practitioner_is_kp",
    }
)  # fmt: skip
#: What may still change once the patient is accepted: the rest is the patient's record, and is edited there.
CLOCK_CONTENT = frozenset(
    {
        "setting", "expected_discharge_on", "returned_home_at", "ordered_soc_date", "soc_date_changed_to",
        "soc_date_change_ordered_at",
    }
)  # fmt: skip
#: Fields that hold one word of a closed list.
_CLOSED_LISTS: dict[str, type[StrEnum]] = {
    "setting": ReferralSetting,
    "gender": Gender,
    "payer": Payer,
    "practitioner_type": PractitionerType,
}
_NEVER_EMPTY = {"requester_relationship": "practitioner", "gender": Gender.UNKNOWN, "disciplines": []}


@permitted("referral:edit")
def receive(work: Work, branch_id: int, programme: Programme, received_at: datetime, **given: Any) -> Referral:
    """The referral is in the book with whatever it holds, and the 48 hours run from `received_at` (REF-02).

    Fields are the columns in `CONTENT`; anything may be missing (REF-01), and what is wrong is Invalid.
    """
    require_branch(work, branch_id)
    programme = require_programme(work, programme)
    if received_at > work.now:
        raise Invalid("The instant at which the referral was received lies in the future.", pointer="/received_at")
    referral = Referral(
        branch_id=branch_id, programme=programme, status=ReferralStatus.RECEIVED, received_at=received_at,
        determinations=[], **_NEVER_EMPTY,
    )  # fmt: skip
    _fill(work, referral, given)
    work.session.add(referral)
    work.session.flush()  # the referral's number is in the audit line and in the event
    work.record("referral.received", f"referral:{referral.id}", missing=list(content.missing(referral)))
    work.publish(ReferralReceived(referral_id=referral.id))
    return referral


@permitted("referral:edit")
def edit(work: Work, referral_id: int, **changes: Any) -> Referral:
    """The referral with those fields changed; what it lacks and when the first visit is due are known anew."""
    referral = visible(work, referral_id, lock=True)
    if referral.status not in OPEN and referral.status not in AWAITING_VISIT:
        raise Conflict("This referral is closed.", code="referral-closed", status_now=referral.status.value)
    if referral.status in AWAITING_VISIT:
        for name in sorted(changes.keys() - CLOCK_CONTENT):
            raise Conflict(
                f"The patient is accepted: change {name} in the patient's record.",
                code="referral-accepted",
                blocking=[{"patient": referral.patient_id}],
            )
    _fill(work, referral, changes)
    if referral.status in OPEN:
        move(referral, ReferralStatus.SCREENING if referral.complete_at else ReferralStatus.PENDING_INFO)
    else:
        episode = episode_of(work, referral)
        if episode is not None and episode.soc_date is None:
            episode.initial_visit_due_at, episode.ordered_soc_date = referral.due_at, referral.ordered_soc_date
    work.session.flush()  # the new version is in the answer
    work.record(
        "referral.edited", f"referral:{referral.id}", patient_id=referral.patient_id, fields=sorted(changes),
        missing=list(content.missing(referral)),
    )  # fmt: skip
    work.publish(ReferralChanged(referral_id=referral.id))
    return referral


def _fill(work: Work, referral: Referral, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in CONTENT:
            raise Invalid(f"{name} cannot be set here.", pointer=f"/{name}")
    values = {name: _NEVER_EMPTY.get(name) if value is None else value for name, value in given.items()}
    _check(work, referral, values)
    for name, value in values.items():
        setattr(referral, name, value)
    _link_physician(work, referral)
    missing = content.missing(referral)
    if missing:
        referral.complete_at = None
    elif referral.complete_at is None:
        referral.complete_at = work.now
    referral.due_at = content.due(referral, agency.zone_of(work, referral.branch_id), work.policy).due_at


def _check(work: Work, referral: Referral, values: dict[str, Any]) -> None:
    """Refuse what cannot be meant; what is merely missing is REF-01's."""
    for name in ("spoken_language", "written_language"):
        if values.get(name):
            values[name] = checks.language_tag(values[name], f"/{name}")
    if values.get("zip"):
        area.zip5(values["zip"], "/zip")
    if values.get("state"):
        checks.home_fields({"state": values["state"]}, "")
        values["state"] = values["state"].upper()
    if values.get("diagnosis_code"):
        values["diagnosis_code"] = diagnosis_code(values["diagnosis_code"], "/diagnosis_code")[0]
    for name, words in _CLOSED_LISTS.items():
        if values.get(name) is not None:
            values[name] = _word(words, values[name], name)
    if "disciplines" in values:
        values["disciplines"] = sorted({_word(Discipline, one, "disciplines").value for one in values["disciplines"]})

    def said(name: str) -> Any:
        return values.get(name, getattr(referral, name))

    area.check_point(said("lat"), said("lon"))
    today = agency.today(work, referral.branch_id)
    if said("birth_date") is not None and said("birth_date") > today:
        raise Invalid("This day lies in the future.", pointer="/birth_date")
    if said("coverage_from") is not None:
        checks.days_in_order(said("coverage_from"), said("coverage_to"), "/coverage_to")
    if said("returned_home_at") is not None and said("returned_home_at") > work.now:
        raise Invalid("Record the return home when it has happened; until then expect it.", pointer="/returned_home_at")
    if (said("soc_date_changed_to") is None) != (said("soc_date_change_ordered_at") is None):
        raise Invalid(
            "A later start of care needs its day and the instant at which the practitioner agreed to it.",
            pointer="/soc_date_change_ordered_at",
        )
    if said("soc_date_change_ordered_at") is not None and said("soc_date_change_ordered_at") > work.now:
        raise Invalid(
            "The instant at which the practitioner agreed lies in the future.", pointer="/soc_date_change_ordered_at"
        )


def _word(words: type[W], value: Any, name: str) -> W:
    try:
        return words(value)
    except ValueError:
        known = ", ".join(member.value for member in words)
        raise Invalid(f"This must be one of: {known}.", pointer=f"/{name}") from None


def _link_physician(work: Work, referral: Referral) -> None:
    """The practitioner is known by NPI: found, or made once all about them is there. A wrong NPI links nobody."""
    npi = referral.practitioner_npi or ""
    referral.physician_id = None
    if not is_valid(npi):
        return
    physician = work.session.execute(sa.select(Physician).where(Physician.npi == npi)).scalar()
    if physician is None:
        physician = _new_physician(work, referral, npi)
    if physician is None:
        return
    referral.physician_id = physician.id
    # What we know of them answers what the referral left out, and never contradicts what it says.
    referral.practitioner_name = referral.practitioner_name or f"{physician.given_name} {physician.family_name}"
    referral.practitioner_type = referral.practitioner_type or physician.practitioner_type
    referral.practitioner_organisation = referral.practitioner_organisation or physician.organisation


def _new_physician(work: Work, referral: Referral, npi: str) -> Physician | None:
    given, _, family = (referral.practitioner_name or "").strip().rpartition(" ")
    if not family or referral.practitioner_type is None or not referral.practitioner_organisation:
        return None
    return staff.create_physician(
        work,
        npi=npi,
        given_name=given.strip() or family,
        family_name=family,
        practitioner_type=referral.practitioner_type,
        organisation=referral.practitioner_organisation,
        is_kp=bool(referral.practitioner_is_kp),
        phone=referral.practitioner_phone,
    )
