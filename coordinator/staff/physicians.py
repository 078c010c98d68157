"""Practitioners who refer, certify and order."""

from typing import Any

import sqlalchemy as sa

from coordinator.core.db import fetch, locked
from coordinator.core.errors import Conflict, Invalid
from coordinator.core.pages import page
from coordinator.core.work import Work, permitted
from coordinator.domain import npi as national_number
from coordinator.domain.vocabulary import PractitionerType
from coordinator.staff import sheet
from coordinator.staff.model import Physician

_EDITABLE = frozenset({"given_name", "family_name", "practitioner_type", "organisation", "is_kp", "phone", "active"})


@permitted("physician:read")
def get_physician(work: Work, physician_id: int) -> Physician:
    """The practitioner of that number."""
    return fetch(work.session, Physician, physician_id, "physician")


@permitted("physician:read")
def search_physicians(
    work: Work,
    *,
    text: str | None = None,
    npi: str | None = None,
    is_kp: bool | None = None,
    active: bool | None = True,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """One page of practitioners by name: {items, next}."""
    query = sa.select(Physician)
    if npi is not None:
        query = query.where(Physician.npi == npi)
    if is_kp is not None:
        query = query.where(Physician.is_kp == is_kp)
    if active is not None:
        query = query.where(Physician.active == active)
    for word in (text or "").split():
        query = query.where(
            sa.or_(
                Physician.family_name.icontains(word, autoescape=True),
                Physician.given_name.icontains(word, autoescape=True),
                Physician.organisation.icontains(word, autoescape=True),
            )
        )
    keys = (Physician.family_name, Physician.given_name, Physician.id)
    return page(work.session, query, keys, {"limit": limit, "cursor": cursor})


@permitted("physician:edit")
def create_physician(
    work: Work, *, npi: str, given_name: str, family_name: str, practitioner_type: PractitionerType,
    organisation: str, is_kp: bool = False, phone: str | None = None, demo: bool = False,
) -> Physician:  # fmt: skip
    """A new practitioner, whose NPI passes its check digit and is nobody else's."""
    if not national_number.is_valid(npi):
        raise Invalid("An NPI is ten digits whose last is a check digit; this one does not pass.", pointer="/npi")
    if work.session.execute(sa.select(Physician.id).where(Physician.npi == npi)).scalar() is not None:
        raise Conflict("Another practitioner has this NPI.", code="npi-exists")
    physician = Physician(
        npi=npi, given_name=given_name, family_name=family_name, practitioner_type=PractitionerType(practitioner_type),
        organisation=organisation, is_kp=is_kp, phone=phone, active=True, demo=demo,
    )  # fmt: skip
    work.session.add(physician)
    work.session.flush()  # the physician's number is in the audit line
    work.record("physician.created", f"physician:{physician.id}")
    return physician


def physician_for_change(work: Work, physician_id: int) -> Physician:
    """The practitioner, whom nobody else changes until this transaction ends; compare versions only after this."""
    return locked(work.session, Physician, physician_id, "physician")


@permitted("physician:edit")
def edit_physician(work: Work, physician_id: int, **changes: Any) -> Physician:
    """The practitioner with those fields changed. The NPI never changes: another number is another person."""
    physician = physician_for_change(work, physician_id)
    sheet.refuse_unknown(changes, _EDITABLE)
    for name in sorted(changes):
        if changes[name] is None and name != "phone":
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
        setattr(physician, name, changes[name])
    work.session.flush()  # the new version is in the answer
    work.record("physician.edited", f"physician:{physician.id}", fields=sorted(changes))
    return physician
