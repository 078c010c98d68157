"""The team conference: who belongs to it, when it is due, whether it counts, and what a plan must speak of (IDT)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from coordinator.domain.care import CareDomain, Presence, TeamRole
from coordinator.domain.vocabulary import Performer, Programme
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "conference"

#: Which professions fill a core seat. A nurse is a registered nurse: a vocational nurse sits in, and fills no seat.
FILLS: Mapping[TeamRole, frozenset[Performer]] = {
    TeamRole.PHYSICIAN: frozenset({Performer.MD, Performer.NP}),
    TeamRole.NURSE: frozenset({Performer.RN}),
    TeamRole.SOCIAL_WORKER: frozenset({Performer.MSW}),
    TeamRole.CHAPLAIN: frozenset({Performer.CHAPLAIN}),
}
#: Who may not speak for a seat that is not their own: assistants, aides and vocational nurses.
CANNOT_REPRESENT = frozenset({Performer.LVN, Performer.PTA, Performer.COTA, Performer.CHHA})


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat: taken in person, or represented by somebody of the profession `performer` (None: not of the staff)."""

    role: TeamRole
    presence: Presence
    performer: Performer | None = None
    #: A physician on file, who has no profession among the staff.
    physician: bool = False


def _fills(seat: Seat) -> bool:
    """Whether the seat is taken by somebody who may take it, or is spoken for by somebody who may speak for it."""
    if seat.presence is Presence.ABSENT:
        return False
    if seat.physician and seat.role is TeamRole.PHYSICIAN:
        return True
    if seat.performer is None:
        return False
    if seat.presence is Presence.REPRESENTED:
        return seat.performer not in CANNOT_REPRESENT
    return seat.performer in FILLS.get(seat.role, frozenset())


@rule(
    "IDT-01",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 418.56(a)(1); San Francisco page",
    verification="P",
    sentence="The team has a physician or nurse practitioner, a registered nurse, a social worker and a chaplain.",
    settings=("conference.core_roles",),
    sentence_zh="緩和療護團隊有醫生或執業護士、註冊護士、社工和靈性關懷師。",
    asked_on=("care",),
)
def ask_composition(members: Iterable[Performer], managing_physician: bool, policy: Policy) -> Finding | None:
    """Which core roles nobody holds. A managing physician on file holds the physician's."""
    missing = missing_roles(members, managing_physician, policy)
    if not missing:
        return None
    return found(
        "IDT-01", "The care team has no {roles}.", cure="Intake or the clinical manager assigns one.",
        roles=", ".join(role.value.replace("_", " ") for role in missing), facts={"missing": missing},
    )  # fmt: skip


def missing_roles(members: Iterable[Performer], managing_physician: bool, policy: Policy) -> list[TeamRole]:
    """The core roles that none of these professions holds, in the order of the list."""
    professions = set(members)
    return [
        role
        for role in TeamRole
        if role in policy.conference.core_roles
        and not (role is TeamRole.PHYSICIAN and managing_physician)
        and not professions & FILLS.get(role, frozenset())
    ]


@rule(
    "IDT-02",
    family=FAMILY,
    severity=Severity.TASK,
    citation="42 CFR 418.56(d)",
    verification="V",
    sentence="The team reviews the plan at least every 15 days, with its core roles present or represented.",
    settings=(
        "conference.warning_days", "conference.core_roles",
        "conference.therapy_representatives",
    ),
    sentence_zh="團隊至少每15天開會檢討計畫，四個核心角色都須出席或有人代表。",
    asked_on=("care",),
)  # fmt: skip
def ask_cadence(
    programme: Programme, soc: date, last_on: date | None, today: date, policy: Policy
) -> Finding | None:  # fmt: skip
    """When the next conference is due: from the last that counted (day 0), or from the start of care.

    A task; with a warning from three days before, and when it is late. None where the programme owes no conference.
    """
    policy = policy.on(today)
    due = conference_due(programme, soc, last_on, policy)
    if due is None:
        return None
    late = today > due
    near = today >= due - timedelta(days=policy.conference.warning_days)
    return found(
        "IDT-02",
        "The team conference was due by {due_on}: it is late." if late else "A team conference is due by {due_on}.",
        severity=Severity.WARN if near or late else None, due=due, owner="case_manager",
        cure="Hold a conference with the core roles present or represented.", due_on=due,
        facts={"last_on": last_on, "late": late},
    )  # fmt: skip


def conference_due(programme: Programme, soc: date, last_on: date | None, policy: Policy) -> date | None:
    """The last day for the next conference; None where the programme owes none."""
    last = soc if last_on is None else max(last_on, soc)
    days = policy.profile(programme, last).idt_interval_days
    return last + timedelta(days=days) if days else None


@also("IDT-02")
def ask_quorum(seats: Sequence[Seat], policy: Policy) -> tuple[Finding, ...]:
    """Why a meeting does not count as the review that is owed; empty if it does. It is on record all the same."""
    settings = policy.conference
    empty = [
        role
        for role in TeamRole
        if role in settings.core_roles and not any(seat.role is role and _fills(seat) for seat in seats)
    ]
    findings = []
    if empty:
        findings.append(
            found(
                "IDT-02", "The meeting does not count: nobody took or represented the seat of the {roles}.",
                severity=Severity.WARN, cure="Hold a conference with every core role by the day it is due.",
                roles=", ".join(role.value.replace("_", " ") for role in empty), facts={"missing": empty},
            )
        )  # fmt: skip
    therapists = [seat for seat in seats if seat.role is TeamRole.THERAPY and seat.presence is not Presence.ABSENT]
    if therapists and not any(seat.performer in settings.therapy_representatives for seat in therapists):
        findings.append(
            found(
                "IDT-02", "The meeting does not count: an assistant alone cannot speak for therapy.",
                severity=Severity.WARN, cure="A physical, occupational or speech therapist takes the seat.",
                facts={"performers": [seat.performer for seat in therapists if seat.performer is not None]},
            )
        )  # fmt: skip
    return tuple(findings)


@rule(
    "IDT-03",
    family=FAMILY,
    severity=Severity.WARN,
    citation="National Consensus Project, Clinical Practice Guidelines for Quality Palliative Care, 4th edition",
    verification="V",
    sentence="By the first conference, the plan has an entry or `no need identified` in each of eight domains.",
    sentence_zh="首次團隊會議前，照護計畫對八個領域都須有內容，或寫明沒有需要。",
    asked_on=("care",),
)
def ask_domains(written: Iterable[CareDomain], held: bool) -> Finding | None:
    """Which domains the plan is silent about, once a first conference is held (or is being closed)."""
    known = set(written)
    missing = [domain for domain in CareDomain if domain not in known]
    if not missing or not held:
        return None
    return found(
        "IDT-03", "The plan is silent about: {domains}.",
        cure="Write an entry for each, or that no need was identified.",
        domains=", ".join(domain.value.replace("_", " ") for domain in missing), facts={"missing": missing},
    )  # fmt: skip
