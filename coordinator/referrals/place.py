"""Where the patient of a referral is cared for, before there is a home on record."""

from coordinator.core.work import Work
from coordinator.patients.locating import locate
from coordinator.referrals.model import Referral
from coordinator.travel.times import Point


def place_of(work: Work, referral: Referral) -> Point | None:
    """The referral's own point, or the one that the branch's street file knows for its address; None if neither."""
    if referral.lat is not None and referral.lon is not None:
        return referral.lat, referral.lon
    found = locate(work, referral.branch_id, referral.address or "", referral.zip or "")
    return None if found["lat"] is None else (found["lat"], found["lon"])
