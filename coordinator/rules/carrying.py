"""Which visit meets a dated obligation on its way: same discipline, right profession, inside the window.

Supervision, reassessment and recertification ask for no journey of their own where somebody who may do it is in the
home anyway. Pure: the planning room reads the rows and writes what is chosen here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from coordinator.domain.vocabulary import THERAPIES, Discipline, Performer, VisitKind
from coordinator.rules.terms import Finding, Policy, Severity, found
from coordinator.rules.therapy import QUALIFIED_THERAPISTS

#: Rules whose obligations a visit carries.
CARRIED = ("SUP-01", "SUP-04", "SUP-05", "THX-01", "CERT-02")
#: An obligation that is overdue is met within so many days from today.
SOON = timedelta(days=6)
#: Who assesses for recertification, in the order in which a case gives it to them (ASM-01).
_ASSESSORS = (Discipline.SN, Discipline.PT, Discipline.SLP, Discipline.OT)
#: Kinds of visit that have room for a supervision: somebody qualified is there, and the patient can be asked.
_ROOM = frozenset(
    {
        VisitKind.ROUTINE, VisitKind.TEACHING, VisitKind.REASSESSMENT, VisitKind.RECERTIFICATION, VisitKind.RESUMPTION,
        VisitKind.SUPERVISION,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Carrying:
    """How a visit would meet an obligation. Days are local and included.

    From `best_from` on is when it is best met; from `first_on` on it counts. `kind`: what the visit is then planned as,
    if that changes. `alone`: where no visit is wanted anyway, one may be asked for without an order.
    """

    rule: str
    disciplines: tuple[Discipline, ...]
    performers: frozenset[Performer]
    kinds: frozenset[VisitKind]
    first_on: date
    best_from: date
    last_on: date
    kind: VisitKind | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visit that is wanted or placed. `day` and `performer` are None while it has no place."""

    visit_id: int
    discipline: Discipline
    kind: VisitKind
    first_on: date
    last_on: date
    is_optional: bool = False
    day: date | None = None
    performer: Performer | None = None


def carrying(
    rule: str,
    due_on: date,
    today: date,
    policy: Policy,
    *,
    discipline: Discipline | None = None,
    performer: Performer | None = None,
    nursing_active: bool = True,
    window_from: date | None = None,
) -> Carrying | None:
    """How a visit meets the open obligation; None where no visit does.

    `discipline` is the therapy's (THX-01), `performer` the assistant's (SUP-05), `nursing_active` decides who
    supervises the aide, and `window_from` begins the recertification window. Overdue, it is met as soon as may be.
    """
    policy = policy.on(due_on)
    late = due_on < today
    last_on = today + SOON if late else due_on
    if rule in ("SUP-01", "SUP-04"):
        settings = policy.aides
        best = due_on - timedelta(days=settings.supervision_days - settings.supervision_warning_days)
        nurse = nursing_active or rule == "SUP-04"
        return Carrying(
            rule,
            (Discipline.SN,) if nurse else tuple(one for one in _ASSESSORS if one in THERAPIES),
            policy.aides.supervisors & ({Performer.RN} if nurse else QUALIFIED_THERAPISTS),
            _ROOM,
            today, max(today, today if late else best), last_on, alone=True,
        )  # fmt: skip
    if rule == "SUP-05" and performer in (Performer.LVN, Performer.COTA):
        of = Discipline.SN if performer is Performer.LVN else Discipline.OT
        who = Performer.RN if performer is Performer.LVN else Performer.OT
        best = today if late else max(today, due_on - timedelta(days=policy.therapy.reassessment_warning_days))
        return Carrying(rule, (of,), frozenset({who}), _ROOM, today, best, last_on, alone=True)
    if rule == "THX-01" and discipline is not None and discipline in THERAPIES:
        best = due_on - timedelta(days=policy.therapy.reassessment_warning_days)
        return Carrying(
            rule, (discipline,), QUALIFIED_THERAPISTS & {Performer(discipline.value)},
            frozenset({VisitKind.ROUTINE, VisitKind.REASSESSMENT, VisitKind.EVALUATION}),
            today, today if late else max(today, best), last_on, VisitKind.REASSESSMENT,
        )  # fmt: skip
    if rule == "CERT-02" and window_from is not None:
        first = max(today, window_from)
        return Carrying(
            rule, _ASSESSORS, QUALIFIED_THERAPISTS | {Performer.RN},
            frozenset({VisitKind.ROUTINE, VisitKind.RECERTIFICATION, VisitKind.RESUMPTION}),
            first, first, max(first, last_on), VisitKind.RECERTIFICATION,
        )  # fmt: skip
    return None


def choose(wanted: Carrying, visits: Iterable[Candidate]) -> Candidate | None:
    """The visit that is to carry it: one that does already, else one at the best time, else the closest before."""
    fitting = [visit for visit in visits if fits(wanted, visit)]
    return min(fitting, key=lambda visit: _rank(wanted, visit), default=None)


def fits(wanted: Carrying, visit: Candidate) -> bool:
    """Whether the visit may carry it at all."""
    if visit.discipline not in wanted.disciplines or visit.kind not in wanted.kinds:
        return False
    if visit.day is not None:
        return visit.performer in wanted.performers and wanted.first_on <= visit.day <= wanted.last_on
    return visit.first_on <= wanted.last_on and visit.last_on >= wanted.first_on


def _rank(wanted: Carrying, visit: Candidate) -> tuple[bool | int, ...]:
    purpose = wanted.kind or VisitKind.SUPERVISION
    last = visit.day or min(visit.last_on, wanted.last_on)
    best = last >= wanted.best_from
    first = visit.day or max(visit.first_on, wanted.best_from if best else wanted.first_on)
    return (
        visit.kind is not purpose,
        not best,
        visit.day is None,
        visit.is_optional,
        wanted.disciplines.index(visit.discipline),
        first.toordinal() if best else -last.toordinal(),
        visit.visit_id,
    )


def days_of(wanted: Carrying, visit: Candidate) -> tuple[date, date]:
    """First and last day on which the visit, once it carries it, may be made; its own window is not looked at."""
    best = (visit.day or visit.last_on) >= wanted.best_from
    return (wanted.best_from if best else wanted.first_on), wanted.last_on


def performers_of(rule: str, discipline: Discipline, policy: Policy) -> frozenset[Performer]:
    """Who may make a visit of that discipline which carries an obligation of that rule."""
    if rule in ("SUP-01", "SUP-04"):
        return policy.aides.supervisors
    if rule == "SUP-05":
        return frozenset({Performer.OT if discipline is Discipline.OT else Performer.RN})
    return QUALIFIED_THERAPISTS | {Performer.RN}


_WHAT = {
    "SUP-01": "the supervision of the aide",
    "SUP-04": "the supervision of the aide",
    "SUP-05": "the supervision of the assistant",
    "THX-01": "the therapist's reassessment",
    "CERT-02": "the recertification assessment",
}


def ask_carried_day(rule: str, day: date, first_on: date, last_on: date) -> Finding | None:
    """Why a visit that carries an obligation is not planned on that day. Never a refusal at a door."""
    if first_on <= day <= last_on:
        return None
    return found(
        rule,
        "The visit carries {what}, to be made from {first_on} to {last_on}.",
        cure="Let another visit from {first_on} to {last_on} carry it.",
        severity=Severity.WARN,
        what=_WHAT[rule],
        first_on=first_on,
        last_on=last_on,
        facts={"day": day},
    )


def ask_carried_by(rule: str, performer: Performer, allowed: frozenset[Performer]) -> Finding | None:
    """Why somebody is not planned for a visit that carries an obligation. Never a refusal at a door."""
    if performer in allowed:
        return None
    return found(
        rule,
        "The visit carries {what}, which {performer} does not make.",
        cure="Assign one of {allowed}, or let another visit carry it.",
        severity=Severity.WARN,
        what=_WHAT[rule],
        performer=performer,
        allowed=", ".join(sorted(allowed)),
    )
