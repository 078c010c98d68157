"""Where a home is, by the branch's street file: asked when an address is saved, and again when the files change."""

from typing import Any

import sqlalchemy as sa

from coordinator.agency.model import Branch
from coordinator.core.work import Work, permitted
from coordinator.patients.model import Home
from coordinator.patients.queries import for_change
from coordinator.patients.record import changed
from coordinator.travel.atlas import atlas_of

#: What is known of a home's point when nothing is.
UNKNOWN_POINT: dict[str, Any] = {
    "lat": None, "lon": None, "point_source": None, "point_precision": None, "point_note": None,
}  # fmt: skip
#: The source of a point that a person, or a record from elsewhere, gave. No file overrules it.
GIVEN = "given"


def locate(work: Work, branch_id: int, address: str, zip_code: str) -> dict[str, Any]:
    """The columns of a home that say where this address is; all None if the branch has no files or they do not know.

    Asked by the verbs that save an address.
    """
    geocoders = atlas_of(work).geocoders
    if not geocoders:
        return dict(UNKNOWN_POINT)
    code = work.session.execute(sa.select(Branch.code).where(Branch.id == branch_id)).scalar_one()
    found = geocoders[code].locate(address, zip_code) if code in geocoders else None
    if found is None:
        return dict(UNKNOWN_POINT)
    return {
        "lat": found.point[0],
        "lon": found.point[1],
        "point_source": found.source,
        "point_precision": found.precision,
        "point_note": found.note,
    }


def has_given_point(home: Home) -> bool:
    """Whether somebody said where the home is, so that no file needs to."""
    return home.lat is not None and home.point_source not in ("street-file", "zip-centroid")


@permitted("patient:edit")
def locate_home(work: Work, patient_id: int) -> Home:
    """The patient's home has the point that the branch's files know for its address; a point that was given stays.

    What the files no longer know keeps the point it had.
    """
    patient = for_change(work, patient_id)
    home = patient.home
    found = locate(work, patient.branch_id, home.address, home.zip)
    now = {name: getattr(home, name) for name in found}
    if not has_given_point(home) and found["lat"] is not None and found != now:
        for name, value in found.items():
            setattr(home, name, value)
        changed(work, patient, "patient.located", precision=found["point_precision"])
    return home
