"""Whether whoever comes next has read what was handed over. Cards are kept in a room above; a door asks here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from coordinator.core.db import ROW_ID
from coordinator.core.errors import Conflict
from coordinator.core.work import Work
from coordinator.domain.handoffs import LIVE_HANDOFF, UNREAD_HANDOFF, HandoffStatus
from coordinator.domain.team import CoverRole
from coordinator.domain.vocabulary import DISCIPLINE_OF, Discipline, VisitKind
from coordinator.staff.model import Clinician
from coordinator.teams.model import CareTeamMember, Cover
from coordinator.visits.model import Visit

_card = sa.table(
    "handoff",
    *(sa.column(name, ROW_ID) for name in ("id", "patient_id", "from_clinician_id", "to_clinician_id")),
    sa.column("discipline", sa.String()),
    sa.column("status", sa.String()),
)


@dataclass(frozen=True, slots=True)
class CardShown:
    """A card as a roster shows it."""

    id: int
    status: HandoffStatus
    from_clinician_id: int

    @property
    def unread(self) -> bool:
        return self.status in UNREAD_HANDOFF


def cards_for(work: Work, clinician_id: int, patients: Iterable[int]) -> dict[tuple[int, Discipline], CardShown]:
    """The live cards that were given to the clinician, by patient and discipline."""
    rows = work.session.execute(
        sa.select(_card).where(
            _card.c.to_clinician_id == clinician_id,
            _card.c.patient_id.in_(sorted(set(patients))),
            _card.c.status.in_(sorted(status.value for status in LIVE_HANDOFF)),
        )
    )
    return {
        (row.patient_id, Discipline(row.discipline)): CardShown(
            row.id, HandoffStatus(row.status), row.from_clinician_id
        )
        for row in rows
    }


def is_handed_over(visit: Visit) -> bool:
    """A second person's visit, and one that only watches, take nothing over."""
    return visit.joint_with_id is None and visit.kind is not VisitKind.SUPERVISION


def unread_card(work: Work, visit: Visit, clinician_id: int) -> CardShown | None:
    """The card that the clinician has still to read before this visit, if there is one."""
    if not is_handed_over(visit):
        return None
    card = cards_for(work, clinician_id, [visit.patient_id]).get((visit.patient_id, visit.discipline))
    return card if card is not None and card.unread else None


def unread_refusal(card: CardShown) -> Conflict:
    """Why the visit does not begin, and both ways out."""
    if card.status is HandoffStatus.FINISHED:
        way = "Read and acknowledge it, or begin with a reason."
    else:
        way = "Ask who was there last to finish it, or begin with a reason."
    return Conflict(
        f"Handoff {card.id} is unread: somebody else came last. {way}",
        code="handoff-unread",
        blocking=[{"handoff": card.id, "status": card.status.value, "from_clinician": card.from_clinician_id}],
        way_out={"acknowledge": f"/api/v1/handoffs/{card.id}/acknowledge", "or": "over_handoff"},
    )


def standing_in(
    work: Work, clinician_id: int, day: date, patients: Iterable[int]
) -> dict[tuple[int, Discipline], tuple[int, str]]:
    """For whom the clinician stands in that day, by patient and discipline: number and name of the primary."""
    rows = work.session.execute(
        sa.select(CareTeamMember.patient_id, Clinician)
        .join(Clinician, Clinician.id == CareTeamMember.clinician_id)
        .join(Cover, Cover.clinician_id == CareTeamMember.clinician_id)
        .where(
            Cover.role == CoverRole.PRIMARY,
            Cover.by_clinician_id == clinician_id,
            Cover.withdrawn_at.is_(None),
            Cover.starts_on <= day,
            Cover.ends_on >= day,
            sa.or_(Cover.patient_id.is_(None), Cover.patient_id == CareTeamMember.patient_id),
            CareTeamMember.is_primary,
            CareTeamMember.starts_on <= day,
            sa.or_(CareTeamMember.ends_on.is_(None), CareTeamMember.ends_on >= day),
            CareTeamMember.patient_id.in_(sorted(set(patients))),
        )
        .options(sa.orm.lazyload("*"))
    )
    return {
        (patient_id, DISCIPLINE_OF[away.performer]): (away.id, f"{away.given_name} {away.family_name}")
        for patient_id, away in rows
    }
