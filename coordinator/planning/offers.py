"""Doing what was suggested or offered: all of it in one transaction, or nothing.

The verbs of visits ask every rule again and keep their own permissions. What somebody agreed to beyond their shift,
hours or number of visits is no rule: it is put on record with the booking, by whom and for what reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from coordinator.core.errors import Forbidden, Invalid, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import VisitStatus
from coordinator.planning.live import WISHES
from coordinator.planning.words import PERMISSIONS
from coordinator.visits import queries, service
from coordinator.visits.model import Visit
from coordinator.visits.publishing import BookRequest, SetAside, book_many

#: A reason that may stand in the record.
CODE = r"[a-z0-9][a-z0-9-]{0,39}"


@dataclass(frozen=True, slots=True)
class Step:
    """Where one visit is put, in the version in which it was read."""

    visit_id: int
    version: int
    clinician_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a clinician is asked for beyond a limit of the agency: minutes, or visits."""

    kind: str
    clinician_id: int
    #: None: in the week.
    day: date | None
    amount: int


@dataclass(frozen=True, slots=True)
class Offer:
    """The steps of an offer, as the answer gave them."""

    place: Sequence[Step]
    #: Versions by visit.
    unlock: Mapping[int, int] = field(default_factory=dict)
    #: Rules that are set aside for the visit itself.
    overrides: frozenset[str] = frozenset()
    agreed: Sequence[Agreed] = ()


def offer_of(steps: Mapping[str, list[dict[str, object]]]) -> Offer:
    """The offer whose `steps` an answer holds."""
    return Offer(
        place=[
            Step(one["visit"], one["version"], one["clinician_id"], one["starts_at"], one["ends_at"])  # type: ignore[arg-type]
            for one in steps["place"]
        ],
        unlock={one["visit"]: one["version"] for one in steps["unlock"]},  # type: ignore[misc]
        overrides=frozenset(steps["overrides"]),  # type: ignore[arg-type]
        agreed=[
            Agreed(one["kind"], one["clinician_id"], one["day"], one["amount"])  # type: ignore[arg-type]
            for one in steps["agreed"]
        ],
    )


def is_code(said: str) -> bool:
    """Whether it may stand in the record as a reason: a code, and nobody's words."""
    return re.fullmatch(CODE, said) is not None


@permitted("visit:confirm")
def carry_out(
    work: Work,
    visit_id: int,
    offer: Offer,
    *,
    override: Mapping[str, str] | None = None,
    agreed_reason: str | None = None,
) -> Visit:
    """The visit is booked where it was offered, with what had to be unlocked or moved for it; all of it or nothing.

    Every rule is asked again. StaleVersion names rows that changed since the offer, the rules refuse with their
    findings, and setting a wish aside needs `visit:override` and a coded reason.
    """
    visit = queries.the_visit(work, visit_id)
    _check(work, visit_id, offer, override, agreed_reason)
    _refuse_stale(work, {step.visit_id: step.version for step in offer.place} | dict(offer.unlock))
    for number in sorted(offer.unlock):
        service.unlock(work, number)
    requests = []
    for step in offer.place:
        row = queries.the_visit(work, step.visit_id)
        held = step.visit_id != visit_id and row.status is VisitStatus.PENDING
        requests.append(
            BookRequest(step.visit_id, row.version, step.clinician_id, step.starts_at, step.ends_at, tentative=held)
        )
    asides = [] if override is None else [SetAside(visit_id, offer.overrides, override)]
    book_many(work, requests, asides)
    for one in offer.agreed:
        work.record(
            "visit.limit-agreed",
            f"visit:{visit_id}",
            patient_id=visit.patient_id,
            kind=one.kind,
            clinician=one.clinician_id,
            day=None if one.day is None else one.day.isoformat(),
            amount=one.amount,
            reason=agreed_reason,
        )
    work.record(
        "visit.offer-carried-out",
        f"visit:{visit_id}",
        patient_id=visit.patient_id,
        moved=len(offer.place) - 1,
        unlocked=len(offer.unlock),
    )
    return visit


def _check(
    work: Work, visit_id: int, offer: Offer, override: Mapping[str, str] | None, agreed_reason: str | None
) -> None:
    """Refuse steps that cannot be meant, and what the actor may not agree to."""
    numbers = [step.visit_id for step in offer.place]
    if numbers.count(visit_id) != 1:
        raise Invalid("Say exactly once where the visit itself is put.", pointer="/place")
    if len(set(numbers)) != len(numbers):
        raise Invalid("A visit is named twice.", pointer="/place")
    if offer.overrides - WISHES:
        raise Invalid("Only a patient's wish is set aside with an offer, never a law.", pointer="/overrides")
    if override is not None and not work.actor.may("visit:override"):
        raise Forbidden("Only a clinical manager may set a rule aside, with a reason.", permission="visit:override")
    if override is not None and not offer.overrides:
        raise Invalid("Say in `overrides` which rules the reason sets aside, as the offer does.", pointer="/overrides")
    if not offer.agreed:
        return
    if not {one.clinician_id for one in offer.agreed} <= {step.clinician_id for step in offer.place}:
        raise Invalid("Somebody agrees to more who is given no visit.", pointer="/agreed")
    if agreed_reason is None:
        raise Invalid("Say for what reason more was agreed, as a code.", pointer="/agreed_reason")
    for one in offer.agreed:
        needed = PERMISSIONS.get(one.kind)
        if needed is not None and not work.actor.may(needed):
            raise Forbidden(
                "Only a clinical manager may agree to more hours than a day's or a week's most.", permission=needed
            )


def _refuse_stale(work: Work, versions: Mapping[int, int]) -> None:
    stale = [number for number, version in versions.items() if queries.the_visit(work, number).version != version]
    if stale:
        raise StaleVersion(
            f"{len(stale)} of the visits changed since this was offered. Ask again.",
            visits=sorted(stale),
            blocking=[{"visit": number} for number in sorted(stale)],
        )
