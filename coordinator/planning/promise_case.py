"""A referral as the planner sees it before anybody accepts it: who it is, when care must start, what is wanted then."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from coordinator.agency.service import today, zone_of
from coordinator.core.work import Work
from coordinator.domain.frequency import parse
from coordinator.domain.lifecycle import LIVE_VISIT
from coordinator.domain.timeline import local_day, week_start
from coordinator.domain.vocabulary import (
    PERFORMERS,
    Discipline,
    InterpreterMode,
    Payer,
    Performer,
    ReferralSetting,
    VisitKind,
    VisitStatus,
)
from coordinator.planner.plan import Assignment, Obstacle
from coordinator.planning.answers import Answers, ask_all
from coordinator.planning.bridge import Bridge, assemble
from coordinator.planning.decode import reasons
from coordinator.planning.horizon import ONE_DAY, Horizon
from coordinator.planning.imagined import FirstVisit, Guest, GuestBook, Persona, Service, invite, seat
from coordinator.planning.promise_search import Earliest, Fitted
from coordinator.planning.scene import HELD, Scene, load
from coordinator.referrals import content
from coordinator.referrals.model import Referral
from coordinator.referrals.place import place_of
from coordinator.rules.referrals import InitialVisitDue
from coordinator.staff.model import Clinician
from coordinator.visits.book import CaseBook
from coordinator.visits.hold_model import SlotHold

#: Days beyond the one on which the first visit is due in which a slot is looked for all the same.
DAYS_BEYOND = 7
#: A patient is told an hour, not a minute; less where what follows leaves less.
ARRIVAL_MINUTES = 60
#: The number of the one guest.
_GUEST = 1


@dataclass(frozen=True, slots=True)
class Start:
    """When care may and must start. `in_time` without a clock running: any day will do."""

    due: InitialVisitDue
    first: date
    last: date

    def in_time(self, starts_at: datetime, day: date) -> bool:
        """Whether a first visit then is when the rule or the practitioner wants it (REF-02)."""
        if self.due.on_day is not None:
            return day == self.due.on_day
        return self.due.due_at is None or starts_at <= self.due.due_at


def start_of(work: Work, referral: Referral) -> Start:
    """When the referral's care may start: from now, from the expected discharge, or on the ordered day (REF-02)."""
    zone = zone_of(work, referral.branch_id)
    due = content.due(referral, zone, work.policy)
    first = today(work, referral.branch_id)
    away = referral.setting is ReferralSetting.INPATIENT and referral.returned_home_at is None
    if away and referral.expected_discharge_on is not None:
        first = max(first, referral.expected_discharge_on)
    if due.on_day is not None:
        first = max(first, due.on_day)
    last = first if due.due_at is None else max(first, local_day(due.due_at - timedelta(microseconds=1), zone))
    return Start(due, first, last + timedelta(days=DAYS_BEYOND))


def persona_of(work: Work, referral: Referral, interpreter: str | None) -> Persona:
    """Who it is, as far as who could go depends on it."""
    covered, point = None, place_of(work, referral)
    if referral.payer is not None and referral.coverage_from is not None:
        covered = (referral.payer, referral.coverage_from, referral.coverage_to)
    return Persona(
        programme=referral.programme,
        payer=referral.payer or Payer.OTHER,
        lat=None if point is None else point[0],
        lon=None if point is None else point[1],
        zip=referral.zip or "",
        language=referral.spoken_language or "en",
        interpreter_needed=bool(referral.interpreter_needed),
        interpreter_mode=None if interpreter is None else InterpreterMode(interpreter),
        gender=referral.gender,
        coverage=covered,
    )


def services_of(request: Mapping[str, Any]) -> list[Service]:
    """What the request wants of each discipline."""
    return [
        Service(Discipline(one["discipline"]), parse(one["frequency"]), one["minutes"], tuple(one["skills"]))
        for one in request["services"]
    ]


# ------------------------------------------------------------------------------------ the first visit


@dataclass(frozen=True, slots=True)
class FirstCase:
    """The problem of the first visit alone among everything that stands."""

    bridge: Bridge
    number: int
    guest: Guest
    start: Start


def first_case(work: Work, referral: Referral, request: Mapping[str, Any], hold: SlotHold | None) -> FirstCase:
    """The first visit and what stands in the days in which it could be made."""
    start = start_of(work, referral)
    horizon = Horizon(zone_of(work, referral.branch_id), start.first, start.last)
    scene = _narrowed(load(work, referral.branch_id, horizon), hold, [Discipline.SN], None)
    guest = invite(
        _GUEST, scene.branch, persona_of(work, referral, request["interpreter"]), services_of(request),
        starts_on=start.first, last=start.last, anchor=work.policy.on(start.first).weeks.visit_week_anchor,
        first=FirstVisit(start.first, start.last),
    )  # fmt: skip
    only = replace(guest, visits=guest.visits[:1])
    bridge = _assembled(work, scene, only)
    return FirstCase(bridge, len(bridge.visits) - 1, only, start)


def _narrowed(scene: Scene, hold: SlotHold | None, disciplines: Iterable[Discipline], since: date | None) -> Scene:
    """The scene of those who could go, without the referral's own held slot.

    What others only want is in it if it is of these disciplines and may still be made on the day `since`; None: nothing
    of it. People of other professions can neither help nor be in the way.
    """
    wanted = frozenset(disciplines)
    able = frozenset[Performer]().union(*(PERFORMERS[discipline] for discipline in wanted))
    people = {clinician.id for clinician in scene.clinicians if clinician.performer in able}
    own = None if hold is None else HELD - hold.id
    kept = [
        visit
        for visit in scene.visits
        if (visit.id != own and visit.clinician_id in people and visit.status in LIVE_VISIT)
        or (
            since is not None
            and visit.status is VisitStatus.PROPOSED
            and visit.discipline in wanted
            and visit.window_to >= since
        )
    ]
    return replace(
        scene,
        visits=tuple(kept),
        clinicians=tuple(clinician for clinician in scene.clinicians if clinician.id in people),
        gone=dict(scene.gone),
        _fixed={},
    )


def _assembled(work: Work, scene: Scene, guest: Guest) -> Bridge:
    """The problem with everything that stands locked where it is."""
    seated = seat(scene, [guest])
    seated.settle((visit.id for visit in seated.visits if visit.status in LIVE_VISIT), fixed=True)

    def ask(work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
        return _thinly(work, scene, book, days) | GuestBook(work, scene.horizon.zone, [guest]).answers(scene, days)

    return assemble(work, seated, ask=ask)


def _thinly(work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
    """The rules' answers about what others want, asked of the first day of each visit and taken for all its days.

    These visits only stand for the time that they will need; where each goes is for the plan of its own week to say.
    """
    rows = {number: asked[:1] for number, asked in days.items() if number > 0}
    answers = ask_all(work, scene, book, rows)
    for number, answer in answers.items():
        more = days[number][1:]
        for refused in list(answer.closed.values()):
            answer.closed.update(dict.fromkeys(more, refused))
        for case in list(answer.cases.values()):
            answer.cases.update(dict.fromkeys(more, case))
    return answers


def offers_of(case: FirstCase, found: Earliest) -> list[dict[str, Any]]:
    """The slots as they are offered: who, when, between which times to expect them, and how far the way is."""
    return [_offer(case, number, at) for number, at in enumerate(found.offers, 1)]


def _offer(case: FirstCase, number: int, at: Assignment) -> dict[str, Any]:
    bridge, places = case.bridge, case.bridge.places
    horizon, clinician = bridge.scene.horizon, bridge.scene.clinicians[at.clinician]
    minutes = bridge.problem.visits[case.number].minutes
    home = places.home(case.guest.patient.id)
    stops = [
        stop for stop in bridge.start.route(at.clinician, at.day) if stop.visit != case.number
    ]  # fmt: skip
    before = [stop for stop in stops if stop.start_minute <= at.start_minute]
    after = [stop for stop in stops if stop.start_minute > at.start_minute]
    here = places.home(bridge.visits[before[-1].visit].patient_id) if before else places.start(clinician)
    slot = next(one for one in bridge.problem.slots if (one.clinician, one.day) == (at.clinician, at.day))
    until = slot.shift_end - places.minutes(home, places.end(clinician))
    if after:
        there = places.home(bridge.visits[after[0].visit].patient_id)
        until = min(until, after[0].start_minute - places.minutes(home, there))
    until = min([until, *(off.start_minute for off in slot.unavailable if off.start_minute >= at.start_minute)])
    latest = max(at.start_minute, min(until - minutes, at.start_minute + ARRIVAL_MINUTES))
    starts_at = horizon.instant(at.start_minute)
    day = horizon.days[at.day]
    return {
        "number": number,
        "clinician_id": clinician.id,
        "performer": clinician.performer.value,
        "day": day.isoformat(),
        "starts_at": _utc(starts_at),
        "ends_at": _utc(starts_at + timedelta(minutes=minutes)),
        "minutes": minutes,
        "arrive_from": _utc(starts_at),
        "arrive_to": _utc(horizon.instant(latest)),
        "way_minutes": places.road_minutes(here, home),
        "speaks_language": _speaks(clinician, case.guest.patient.spoken_language, day),
        "in_time": case.start.in_time(starts_at, day),
    }


def _speaks(clinician: Clinician, language: str, day: date) -> bool:
    """Whether the clinician is qualified in the patient's language on that day (LNG-01)."""
    return any(
        row.code.lower() == language.lower()
        and row.qualified_on is not None
        and row.qualified_on <= day
        and (row.expires_on is None or day <= row.expires_on)
        for row in clinician.languages
    )


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def first_reasons(case: FirstCase, obstacles: Sequence[Obstacle]) -> list[dict[str, Any]]:
    """Why nobody can make the first visit."""
    return reasons(case.bridge, case.number, obstacles)


# ------------------------------------------------------------------------------------ the weeks after it


@dataclass(frozen=True, slots=True)
class WeeksCase:
    """The problem of the weeks that follow: what stands, what others want, and what the referral would be ordered."""

    bridge: Bridge
    guest: Guest
    numbers: tuple[int, ...]


def weeks_case(
    work: Work, referral: Referral, request: Mapping[str, Any], offer: Mapping[str, Any], hold: SlotHold | None
) -> WeeksCase:
    """The weeks from the offered first visit on, as many as the policy says; the first visit stands where offered."""
    zone = zone_of(work, referral.branch_id)
    day = date.fromisoformat(offer["day"])
    anchor = work.policy.on(day).weeks.visit_week_anchor
    last = week_start(day + ONE_DAY, anchor, day) + timedelta(days=7 * work.policy.promise.weeks - 1)
    begins = max(today(work, referral.branch_id), day - timedelta(days=6))
    services = services_of(request)
    disciplines = {Discipline.SN, *(service.discipline for service in services)}
    scene = _narrowed(load(work, referral.branch_id, Horizon(zone, begins, last)), hold, disciplines, day)
    first = FirstVisit(day, day, None, offer["clinician_id"], datetime.fromisoformat(offer["starts_at"]))
    guest = invite(
        _GUEST, scene.branch, persona_of(work, referral, request["interpreter"]), services, starts_on=day,
        last=last, anchor=anchor, first=first,
    )  # fmt: skip
    bridge = _assembled(work, scene, guest)
    mine = {visit.id for visit in guest.visits if visit.kind is not VisitKind.INITIAL}
    return WeeksCase(bridge, guest, tuple(n for n, visit in enumerate(bridge.visits) if visit.id in mine))


def services_fitted(case: WeeksCase, request: Mapping[str, Any], found: Fitted) -> list[dict[str, Any]]:
    """For each discipline and week how many of the wanted visits fit, by whom, and why the others do not."""
    placed = found.plan.by_visit()
    numbers: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in case.numbers:
        visit = case.bridge.visits[number]
        numbers[visit.order_id or 0, visit.order_week_id or 0].append(number)
    answer = []
    for order, asked in zip(case.guest.orders, request["services"], strict=True):
        ordered = {week.number: week.maximum for week in order.weeks}
        weeks = []
        for week in order.weeks:
            mine = numbers[order.id, week.id]
            there = [placed[number] for number in mine if number in placed]
            out = [number for number in mine if number not in placed]
            weeks.append(
                {
                    "from": week.starts_on.isoformat(),
                    "to": week.ends_on.isoformat(),
                    "wanted": len(mine),
                    "fits": len(there),
                    "by": _by(case, there),
                    "reasons": reasons(case.bridge, out[0], found.obstacles.get(out[0], ())) if out else [],
                }
            )
        everywhere = [placed[n] for week in order.weeks for n in numbers[order.id, week.id] if n in placed]
        answer.append(
            {
                "discipline": order.discipline.value,
                "frequency": asked["frequency"],
                "defaulted": asked["defaulted"],
                "minutes": order.visit_minutes,
                "wanted": sum(ordered.values()),
                "fits": len(everywhere),
                "by": _by(case, everywhere),
                "weeks": weeks,
                "reasons": next((week["reasons"] for week in weeks if week["reasons"]), []),
            }
        )
    return answer


def _by(case: WeeksCase, there: Sequence[Assignment]) -> list[dict[str, int]]:
    counted = Counter(case.bridge.scene.clinicians[at.clinician].id for at in there)
    return [{"clinician_id": number, "visits": many} for number, many in sorted(counted.items())]


__all__ = [
    "FirstCase", "Start", "WeeksCase", "first_case", "first_reasons", "offers_of", "persona_of", "services_fitted",
    "services_of", "start_of", "weeks_case",
]  # fmt: skip
