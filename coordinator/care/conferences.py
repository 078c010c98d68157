"""The team conference about one patient: opened, seats taken and signed, closed; and the domains of the plan (IDT)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.care.asking import flags
from coordinator.care.model import Conference, ConferenceSeat, PlanDomain
from coordinator.core.db import locked, touch
from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.care import SEAT_OF, CareDomain, ConferenceStatus, Presence, TeamRole
from coordinator.domain.events import ConferenceClosed
from coordinator.patients.model import Episode, Patient
from coordinator.patients.queries import current_episode, for_change
from coordinator.patients.scope import require_sight
from coordinator.rules import conference as rules
from coordinator.rules.terms import Finding
from coordinator.staff.model import Clinician, Physician
from coordinator.teams.members import team_of

MOST_SEATS = 40
#: Seats that are nobody's profession: taken by name.
_BY_NAME = frozenset({TeamRole.PHARMACIST, TeamRole.VOLUNTEER, TeamRole.PATIENT, TeamRole.FAMILY, TeamRole.OUTSIDE})


@permitted("conference:record")
def open_conference(
    work: Work, patient_id: int, *, held_on: date, seats: Sequence[Mapping[str, Any]] = (), summary: str | None = None
) -> Conference:
    """The team's review of the patient on that day is being recorded; an episode has one a day.

    A seat is {role, presence, clinician_id | physician_id | name}.
    """
    patient = for_change(work, patient_id)
    if held_on > agency.today(work, patient.branch_id):
        raise Invalid("A conference is recorded when it is held.", pointer="/held_on")
    episode = current_episode(work, patient.id, held_on)
    if episode is None:
        raise Invalid("The patient was in no episode of care on that day.", pointer="/held_on")
    already = work.session.execute(
        sa.select(Conference.id).where(Conference.episode_id == episode.id, Conference.held_on == held_on)
    ).scalar()
    if already is not None:
        raise Conflict(
            "There is a conference of that day. Open that one.", code="conference-exists",
            blocking=[{"conference": already}],
        )  # fmt: skip
    row = Conference(
        branch_id=patient.branch_id, patient_id=patient.id, episode_id=episode.id, held_on=held_on,
        status=ConferenceStatus.OPEN, summary=summary, flags=[], opened_by=work.actor.user_id, opened_at=work.now,
        seats=_seats(work, patient, seats),
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # its number is in the answer and in the trail
    work.record("conference.opened", f"conference:{row.id}", patient_id=patient.id, seats=len(row.seats))
    return row


def _seats(work: Work, patient: Patient, given: Sequence[Mapping[str, Any]]) -> list[ConferenceSeat]:
    if len(given) > MOST_SEATS:
        raise Invalid(f"A conference has at most {MOST_SEATS} seats.", pointer="/seats")
    made: list[ConferenceSeat] = []
    taken: set[tuple[TeamRole, int | None, int | None, str | None]] = set()
    for number, one in enumerate(given):
        seat = _seat(work, patient, one, f"/seats/{number}")
        who = (seat.role, seat.clinician_id, seat.physician_id, seat.name)
        if who in taken:
            raise Invalid("This seat is named twice.", pointer=f"/seats/{number}")
        taken.add(who)
        made.append(seat)
    return made


def _seat(work: Work, patient: Patient, given: Mapping[str, Any], pointer: str) -> ConferenceSeat:
    """A seat, checked: nobody sits as what they are not."""
    role, presence = TeamRole(given["role"]), Presence(given["presence"])
    clinician_id, physician_id, name = given.get("clinician_id"), given.get("physician_id"), given.get("name")
    if sum(one is not None for one in (clinician_id, physician_id, name)) > 1:
        raise Invalid("A seat is one person's: a clinician's, a physician's, or somebody's by name.", pointer=pointer)
    seat = ConferenceSeat(
        role=role, presence=presence, clinician_id=clinician_id, physician_id=physician_id, name=name, performer=None
    )
    if clinician_id is not None:
        clinician = work.session.get(Clinician, clinician_id)
        if clinician is None or clinician.branch_id != patient.branch_id:
            raise Invalid("There is no such clinician at this branch.", pointer=f"{pointer}/clinician_id")
        seat.performer = clinician.performer
        if presence is Presence.PRESENT and SEAT_OF[clinician.performer] is not role:
            raise Invalid(
                f"A {clinician.performer.value} takes the seat of the {SEAT_OF[clinician.performer].value}.",
                pointer=f"{pointer}/role",
            )
    elif physician_id is not None:
        if work.session.get(Physician, physician_id) is None:
            raise Invalid("There is no such physician.", pointer=f"{pointer}/physician_id")
        if role is not TeamRole.PHYSICIAN:
            raise Invalid("A physician takes the physician's seat.", pointer=f"{pointer}/role")
    elif presence is not Presence.ABSENT and (name is None or role not in _BY_NAME):
        raise Invalid("Say who took the seat, or spoke for it.", pointer=pointer)
    return seat


def conference_for_change(work: Work, conference_id: int) -> Conference:
    """The conference, if the actor may see its patient, locked; the patient's row is locked first, as everywhere."""
    row = work.session.get(Conference, conference_id)
    if row is not None:
        require_sight(work, row.patient_id)
        locked(work.session, Patient, row.patient_id, "patient")
    return locked(work.session, Conference, conference_id, "conference")


@permitted("conference:record")
def edit(work: Work, conference_id: int, **changes: Any) -> Conference:
    """The open conference has these seats, or this summary. A signature stays with a seat that stays."""
    row = _open(work, conference_id)
    if "seats" in changes:
        patient = locked(work.session, Patient, row.patient_id, "patient")
        made = _seats(work, patient, changes["seats"])
        signed = {
            (seat.role, seat.clinician_id, seat.physician_id): (seat.signed_at, seat.signed_by)
            for seat in row.seats
            if seat.signed_at is not None
        }
        for seat in made:
            seat.signed_at, seat.signed_by = signed.get((seat.role, seat.clinician_id, seat.physician_id), (None, None))
        row.seats = made
    if "summary" in changes:
        row.summary = changes["summary"]
    touch(row)
    work.session.flush()  # the new version and the seats' numbers are in the answer
    work.record("conference.edited", f"conference:{row.id}", patient_id=row.patient_id, fields=sorted(changes))
    return row


def _open(work: Work, conference_id: int) -> Conference:
    row = conference_for_change(work, conference_id)
    if row.status is not ConferenceStatus.OPEN:
        raise Conflict("This conference is closed: what it says stands.", code="conference-closed")
    return row


@permitted("conference:sign")
def sign(work: Work, conference_id: int) -> Conference:
    """Whoever sat, or spoke for a seat, has signed what they took part in; before it is closed or afterwards."""
    row = conference_for_change(work, conference_id)
    mine = [
        seat
        for seat in row.seats
        if seat.presence is not Presence.ABSENT
        and (
            (seat.clinician_id is not None and seat.clinician_id == work.actor.clinician_id)
            or (seat.physician_id is not None and seat.physician_id == work.actor.physician_id)
        )
    ]
    if not mine:
        raise Forbidden("You had no seat at this conference.", code="no-seat")
    if all(seat.signed_at is not None for seat in mine):
        raise Conflict("You have signed it already.", code="already-signed")
    for seat in mine:
        if seat.signed_at is None:
            seat.signed_at, seat.signed_by = work.now, work.actor.user_id
    touch(row)
    work.session.flush()  # the new version is in the answer
    work.record("conference.signed", f"conference:{row.id}", patient_id=row.patient_id, seats=len(mine))
    return row


@permitted("conference:record")
def close(work: Work, conference_id: int) -> Conference:
    """The conference is closed and not changed any more. It counts if its seats make the quorum (IDT-02).

    Without a quorum it stays on record, and the review is owed as before. ConferenceClosed is published.
    """
    row = _open(work, conference_id)
    if not row.seats:
        raise Invalid("Say who took part.", pointer="/seats")
    quorum = ask_quorum(work, row)
    findings = [*quorum, *_about_patient(work, row.patient_id, row.episode_id, row.held_on, held=True)]
    row.status, row.counts = ConferenceStatus.CLOSED, not quorum
    row.flags = flags(findings)
    row.closed_by, row.closed_at = work.actor.user_id, work.now
    work.session.flush()  # the new version is in the answer
    work.record("conference.closed", f"conference:{row.id}", patient_id=row.patient_id, counts=row.counts)
    work.publish(
        ConferenceClosed(
            conference_id=row.id, patient_id=row.patient_id, episode_id=row.episode_id, held_on=row.held_on,
            counts=row.counts,
        )
    )  # fmt: skip
    return row


def ask_quorum(work: Work, row: Conference) -> tuple[Finding, ...]:
    """Why the conference would not count as its seats are now; empty if it would. Asked by other verbs of this room."""
    return rules.ask_quorum([_fact(seat) for seat in row.seats], work.policy.on(row.held_on))


def _fact(seat: ConferenceSeat) -> rules.Seat:
    return rules.Seat(seat.role, seat.presence, seat.performer, seat.physician_id is not None)


def _about_patient(work: Work, patient_id: int, episode_id: int, day: date, *, held: bool) -> list[Finding]:
    """What the team lacks (IDT-01), and what the plan is silent about (IDT-03)."""
    patient = work.session.get(Patient, patient_id)
    members = [member.clinician.performer for member in team_of(work, patient_id, day)]
    written = work.session.execute(sa.select(PlanDomain.domain).where(PlanDomain.episode_id == episode_id)).scalars()
    managed = patient is not None and patient.managing_physician_id is not None
    found = [rules.ask_composition(members, managed, work.policy.on(day)), rules.ask_domains(written.all(), held)]
    return [finding for finding in found if finding is not None]


# ------------------------------------------------------------------------------------ reading


@permitted("conference:read")
def get(work: Work, conference_id: int) -> Conference:
    """One conference; the reading is on record."""
    row = work.session.get(Conference, conference_id)
    if row is None:
        raise NotFound("conference")
    require_sight(work, row.patient_id)
    work.record("conference.read", f"conference:{row.id}", patient_id=row.patient_id)
    return row


@permitted("conference:read")
def search(work: Work, patient_id: int) -> sa.Select[Any]:
    """The patient's conferences, as a select for `page`."""
    require_sight(work, patient_id)
    work.record("conference.listed", f"patient:{patient_id}", patient_id=patient_id)
    return sa.select(Conference).where(Conference.patient_id == patient_id)


@dataclass(frozen=True, slots=True)
class TeamStanding:
    """Where the patient's team review stands today: the last that counted, the next, and what is lacking."""

    episode_id: int | None
    last_on: date | None
    due_on: date | None
    findings: list[Finding]


@permitted("conference:read")
def standing(work: Work, patient_id: int) -> TeamStanding:
    """When the next conference is due (IDT-02), who is missing in the team (IDT-01), which domains (IDT-03)."""
    branch_id = require_sight(work, patient_id)
    work.record("conference.standing-read", f"patient:{patient_id}", patient_id=patient_id)
    today = agency.today(work, branch_id)
    episode = current_episode(work, patient_id, today)
    if episode is None or episode.discharged_on is not None:
        return TeamStanding(None, None, None, [])
    last = last_counted(work, episode)
    findings = _about_patient(work, patient_id, episode.id, today, held=last is not None)
    due_on = None
    if episode.soc_date is not None:
        asked = rules.ask_cadence(episode.programme, episode.soc_date, last, today, work.policy)
        due_on = rules.conference_due(episode.programme, episode.soc_date, last, work.policy)
        findings = ([asked] if asked is not None else []) + findings
    return TeamStanding(episode.id, last, due_on, findings)


def last_counted(work: Work, episode: Episode) -> date | None:
    """The day of the episode's last conference that had its quorum."""
    return work.session.execute(
        sa.select(sa.func.max(Conference.held_on)).where(
            Conference.episode_id == episode.id, Conference.counts.is_(True)
        )
    ).scalar()


# ------------------------------------------------------------------------------------ domains of the plan


@permitted("plan:edit")
def write_domain(
    work: Work, episode_id: int, domain: CareDomain, *, entry: str | None = None, no_need: bool = False
) -> PlanDomain:
    """The plan speaks of the domain: by an entry, or by saying that no need was identified (IDT-03)."""
    episode = work.session.get(Episode, episode_id)
    if episode is None:
        raise NotFound("episode")
    require_sight(work, episode.patient_id)
    locked(work.session, Patient, episode.patient_id, "patient")
    entry = entry.strip() if entry is not None else None
    if bool(entry) == no_need:
        raise Invalid("Write an entry, or say that no need was identified.", pointer="/entry")
    if episode.discharged_on is not None:
        raise Conflict("This episode has ended.", code="episode-ended")
    row = work.session.execute(
        sa.select(PlanDomain).where(PlanDomain.episode_id == episode.id, PlanDomain.domain == domain)
    ).scalar()
    if row is None:
        row = PlanDomain(patient_id=episode.patient_id, episode_id=episode.id, domain=domain)
        work.session.add(row)
    row.entry, row.no_need = entry or None, no_need
    row.written_by, row.written_at = work.actor.user_id, work.now
    work.session.flush()  # its number and version are in the answer
    work.record(
        "plan-domain.written", f"episode:{episode.id}", patient_id=episode.patient_id, domain=domain.value,
        no_need=no_need,
    )  # fmt: skip
    return row


@permitted("plan:read")
def domains(work: Work, episode_id: int) -> list[PlanDomain]:
    """What the plan says in each domain that it speaks of."""
    episode = work.session.get(Episode, episode_id)
    if episode is None:
        raise NotFound("episode")
    require_sight(work, episode.patient_id)
    work.record("plan-domain.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    query = sa.select(PlanDomain).where(PlanDomain.episode_id == episode.id).order_by(PlanDomain.id)
    return list(work.session.execute(query).scalars())
