"""Branches: their zone, their day, and the area they serve."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from coordinator.agency import area
from coordinator.agency.model import Agency, Branch, ServiceZip
from coordinator.core.db import fetch, locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain import npi as national_number
from coordinator.domain.timeline import local_day

_ZONES = "agency.zones"
_EDITABLE = frozenset({"name", "zone", "office_address", "office_lat", "office_lon", "polygon"})
_MOST_ZIPS = 5_000


# ------------------------------------------------------------------------------------ what every room asks


def zone_of(work: Work, branch_id: int) -> ZoneInfo:
    """The zone in which the branch has its days; read once per session. Asked by other rooms."""
    known: dict[int, ZoneInfo] = work.session.info.setdefault(_ZONES, {})
    zone = known.get(branch_id)
    if zone is None:
        name = work.session.execute(sa.select(Branch.zone).where(Branch.id == branch_id)).scalar()
        if name is None:
            raise NotFound("branch")
        zone = known[branch_id] = ZoneInfo(name)
    return zone


def today(work: Work, branch_id: int) -> date:
    """The branch's calendar day at this instant. Asked by other rooms."""
    return local_day(work.now, zone_of(work, branch_id))


def serves(
    work: Work,
    branch_id: int,
    zip: str | None,  # noqa: A002
    day: date,
    lat: float | None = None,
    lon: float | None = None,
) -> bool:
    """Whether the branch serves that address on that day (ELG-5).

    Where the branch has a polygon and the point is known, the polygon decides; otherwise the ZIP list of the day does.
    Asked by other rooms.
    """
    branch = fetch(work.session, Branch, branch_id, "branch")
    if branch.polygon is not None and lat is not None and lon is not None:
        return area.contains(branch.polygon, lat, lon)
    if not zip:
        return False
    wanted = zip[:5]
    return any(
        row.zip == wanted and row.effective_from <= day and (row.effective_to is None or day <= row.effective_to)
        for row in branch.service_zips
    )


# ------------------------------------------------------------------------------------ reading


@permitted("agency:read")
def get_branch(work: Work, branch_id: int) -> Branch:
    """The branch of that number."""
    return fetch(work.session, Branch, branch_id, "branch")


@permitted("agency:read")
def branch_by_code(work: Work, code: str) -> Branch:
    """The branch of that code."""
    found = work.session.execute(sa.select(Branch).where(Branch.code == code)).scalar()
    if found is None:
        raise NotFound("branch")
    return found


@permitted("agency:read")
def branches(work: Work) -> list[Branch]:
    """Every branch, by code."""
    return list(work.session.execute(sa.select(Branch).order_by(Branch.code)).scalars())


# ------------------------------------------------------------------------------------ changing


@permitted("agency:edit")
def create_branch(
    work: Work,
    *,
    code: str,
    name: str,
    zone: str,
    office_address: str,
    office_lat: float,
    office_lon: float,
    polygon: dict[str, Any] | None = None,
    zips: Iterable[str] = (),
    effective_from: date | None = None,
    agency_name: str | None = None,
    agency_npi: str | None = None,
) -> Branch:
    """A new branch of the agency, which comes into being with its first; `zips` are served from `effective_from` on."""
    _check_place(zone, office_lat, office_lon)
    polygon = None if polygon is None else area.polygon_from(polygon)
    if work.session.execute(sa.select(Branch.id).where(Branch.code == code)).scalar() is not None:
        raise Conflict("There is a branch with that code already.", code="branch-exists")
    agency = work.session.execute(sa.select(Agency).order_by(Agency.id).limit(1)).scalar()
    if agency is None:
        if agency_npi is not None and not national_number.is_valid(agency_npi):
            raise Invalid("The NPI is ten digits whose last is a check digit.", pointer="/agency_npi")
        agency = Agency(name=agency_name or name, npi=agency_npi)
        work.session.add(agency)
        work.session.flush()  # the branch needs the agency's number
    branch = Branch(
        agency_id=agency.id,
        code=code,
        name=name,
        zone=zone,
        office_address=office_address,
        office_lat=office_lat,
        office_lon=office_lon,
        polygon=polygon,
        service_zips=[],
    )
    work.session.add(branch)
    work.session.flush()  # the branch's number is in the audit line
    work.record("branch.created", f"branch:{branch.id}")
    served = list(zips)
    if served:
        _serve_from(branch, served, effective_from or today(work, branch.id))
        work.session.flush()  # the ZIP rows are wanted by whoever asks next
    return branch


@permitted("agency:edit")
def edit_branch(work: Work, branch_id: int, **changes: Any) -> Branch:
    """The branch with those fields changed: name, zone, office_address, office_lat, office_lon, polygon."""
    branch = fetch(work.session, Branch, branch_id, "branch")
    _refuse_unknown(changes, _EDITABLE)
    _check_place(
        changes.get("zone", branch.zone),
        changes.get("office_lat", branch.office_lat),
        changes.get("office_lon", branch.office_lon),
    )
    for name in sorted(changes):
        if changes[name] is None and name != "polygon":
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    if changes.get("polygon") is not None:
        changes["polygon"] = area.polygon_from(changes["polygon"])
    for name, value in changes.items():
        setattr(branch, name, value)
    work.session.info.pop(_ZONES, None)
    work.session.flush()  # the new version is in the answer
    work.record("branch.edited", f"branch:{branch.id}", fields=sorted(changes))
    return branch


def for_change(work: Work, branch_id: int) -> Branch:
    """The branch, locked until this transaction ends: versions are compared after this. Asked by other rooms."""
    return locked(work.session, Branch, branch_id, "branch")


@permitted("agency:edit")
def set_service_area(work: Work, branch_id: int, zips: Iterable[str], effective_from: date) -> Branch:
    """From that day on the branch serves exactly these ZIP codes; what held on earlier days stays as it was."""
    branch = for_change(work, branch_id)
    _serve_from(branch, list(zips), effective_from)
    # A change of the area is a change of the branch: whoever edits by version must see it.
    touch(branch)
    work.session.flush()  # the new version is in the answer
    work.record("branch.service-area", f"branch:{branch.id}", zips=len(set(zips)), effective_from=str(effective_from))
    return branch


def _serve_from(branch: Branch, zips: list[str], effective_from: date) -> None:
    if len(zips) > _MOST_ZIPS:
        raise Invalid(f"At most {_MOST_ZIPS} ZIP codes make a service area.", pointer="/zips")
    wanted = {area.zip5(code, f"/zips/{place}") for place, code in enumerate(zips)}
    for row in list(branch.service_zips):
        if row.effective_from >= effective_from:
            if row.effective_from == effective_from and row.zip in wanted:
                row.effective_to = None
                wanted.discard(row.zip)
            else:
                branch.service_zips.remove(row)  # it was to begin later: the new list replaces it
        elif row.effective_to is None or row.effective_to >= effective_from:
            if row.zip in wanted:
                row.effective_to = None
                wanted.discard(row.zip)
            else:
                row.effective_to = effective_from - timedelta(days=1)
    for code in sorted(wanted):
        branch.service_zips.append(ServiceZip(zip=code, effective_from=effective_from))


def _check_place(zone: str, lat: float, lon: float) -> None:
    if zone not in available_timezones():
        raise Invalid("This must be a zone of the IANA list, such as America/Los_Angeles.", pointer="/zone")
    area.check_point(lat, lon)


def _refuse_unknown(changes: dict[str, Any], known: frozenset[str]) -> None:
    for name in changes:
        if name not in known:
            raise Invalid(f"{name} cannot be changed here.", pointer=f"/{name}")
