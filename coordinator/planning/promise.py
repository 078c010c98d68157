"""The promise: before a referral is accepted, when care could start, by whom, and whether the frequencies fit.

What stands stays where it is; nothing is planned anew. Two short readings, two short searches apart, no transaction
open while they go on. An offered slot can be held: then it is nobody else's until it expires, is released, or is
the start of care.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import branches_of
from coordinator.agency.model import Branch
from coordinator.agency.service import zone_of
from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.frequency import FrequencyError, parse
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, HoldStatus, InterpreterMode, RunStatus
from coordinator.jobs.context import JobContext
from coordinator.planning.apart import Call, Room, apart
from coordinator.planning.horizon import Horizon
from coordinator.planning.imagined import USUAL_MINUTES, FirstVisit, Guest, GuestBook, invite
from coordinator.planning.learning import learn_between
from coordinator.planning.life import AT_WORK, Life, Write
from coordinator.planning.places import points_of
from coordinator.planning.promise_case import (
    first_case,
    first_reasons,
    offers_of,
    persona_of,
    services_fitted,
    services_of,
    start_of,
    weeks_case,
)
from coordinator.planning.promise_model import Promise
from coordinator.planning.promise_search import earliest, fit
from coordinator.planning.promise_words import ASSUMPTIONS, conclude, ways_sentence
from coordinator.planning.scene import load
from coordinator.referrals.model import Referral
from coordinator.referrals.place import place_of
from coordinator.referrals.queries import visible as visible_referral
from coordinator.referrals.states import OPEN
from coordinator.rules.facts import Moment
from coordinator.rules.terms import refusals
from coordinator.rules.visit import ask_clinician_side
from coordinator.travel.times import Point
from coordinator.visits import cases, holds, queries
from coordinator.visits.asking import refusal
from coordinator.visits.hold_model import SlotHold

JOB = "plan.promise"
MOST_OFFERS, MOST_SECONDS, DEFAULT_SECONDS = 5, 5, 2
#: A promise is answered within seconds: so long it may wait for the road server.
LEARNING_SECONDS = 3.0
#: Promises of a branch that may be asked for at one time.
MOST_WAITING = 20


# ------------------------------------------------------------------------------------ asking


@permitted("referral:promise")
def ask(
    work: Work,
    referral_id: int,
    *,
    services: Sequence[Mapping[str, Any]] = (),
    offers: int = 3,
    interpreter: InterpreterMode | None = None,
    seconds: int = DEFAULT_SECONDS,
    iterations: int | None = None,
    queue: bool = True,
) -> Promise:
    """The question is in the queue (`queue=False`: the caller answers it); the same one while it waits is the same.

    `services`: discipline, frequency, minutes and skills of each; what is not said is the discipline's usual, and none
    at all are the disciplines that the referral asks for.
    """
    referral = visible_referral(work, referral_id)
    if referral.status not in OPEN:
        raise Conflict(
            "A promise is made before a referral is decided.", code="referral-closed",
            status_now=referral.status.value,
        )  # fmt: skip
    request = {
        "services": _services(work, referral, services),
        "offers": offers,
        "interpreter": None if interpreter is None else interpreter.value,
        "seconds": seconds,
        "iterations": iterations,
    }
    waiting = list(
        work.session.scalars(
            sa.select(Promise)
            .where(
                Promise.branch_id == referral.branch_id,
                Promise.status.in_(AT_WORK),
                Promise.requested_at > work.now - timedelta(minutes=10),
            )
            .order_by(Promise.id)
        )
    )
    for other in waiting:
        if other.referral_id == referral.id and other.request == request:
            work.record("promise.asked-again", f"referral:{referral.id}", promise=other.id)
            return other
    if len(waiting) >= MOST_WAITING:
        raise Conflict(f"{len(waiting)} promises of this branch are being worked on. Wait.", code="too-many-runs")
    promise = Promise(
        branch_id=referral.branch_id, referral_id=referral.id, request=request, status=RunStatus.QUEUED,
        requested_by_id=work.actor.user_id, requested_at=work.now,
    )  # fmt: skip
    work.session.add(promise)
    work.session.flush()  # the number names its job
    work.record("promise.asked", f"referral:{referral.id}", promise=promise.id)
    if queue:
        work.later(JOB, job_key(promise.id), promise_id=promise.id)
    return promise


def job_key(promise_id: int) -> str:
    """Key of the job that answers a promise."""
    return f"{JOB}:{promise_id}"


def _services(work: Work, referral: Referral, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is wanted of each discipline, every default filled in; Invalid by its place in what was given."""
    asked = list(given) or [{"discipline": Discipline(code)} for code in referral.disciplines]
    if not asked:
        raise Invalid("The referral names no discipline: say what is wanted.", pointer="/services")
    found: list[dict[str, Any]] = []
    for number, one in enumerate(asked):
        discipline = Discipline(one["discipline"])
        if discipline.value in {other["discipline"] for other in found}:
            raise Invalid("This discipline is named twice.", pointer=f"/services/{number}/discipline")
        text = one.get("frequency")
        try:
            frequency = parse(text or work.policy.promise.default_frequencies[discipline])
        except FrequencyError as error:
            raise Invalid(
                f"This is no frequency: {error.code}.", pointer=f"/services/{number}/frequency",
                position=error.position,
            ) from None  # fmt: skip
        if not frequency.segments:
            raise Invalid("Only visits by the week can be promised.", pointer=f"/services/{number}/frequency")
        found.append(
            {
                "discipline": discipline.value,
                "frequency": frequency.render(),
                "defaulted": text is None,
                "minutes": one.get("minutes") or USUAL_MINUTES[discipline],
                "skills": list(one.get("skills") or ()),
            }
        )
    return found


# ------------------------------------------------------------------------------------ reading


def visible(work: Work, promise_id: int) -> Promise:
    """The promise, if its referral is the actor's to see; NotFound otherwise. Asked by the verbs here."""
    promise = fetch(work.session, Promise, promise_id, "promise")
    mine = branches_of(work.actor)
    if mine is not None and promise.branch_id not in mine:
        raise NotFound("promise")
    return promise


@permitted("referral:read")
def get(work: Work, promise_id: int) -> Promise:
    """One promise: how far it is, or its answer."""
    promise = visible(work, promise_id)
    work.record("promise.read", f"promise:{promise.id}", referral=promise.referral_id)
    return promise


# ------------------------------------------------------------------------------------ holding an offered slot


@permitted("referral:hold")
def hold(work: Work, referral_id: int, promise_id: int, number: int) -> SlotHold:
    """The offered slot is held for the referral; the rules are asked again about its clinician and that time.

    Conflict names who was faster; NotFound a promise of another referral; Invalid an offer that was not made.
    """
    referral = visible_referral(work, referral_id, lock=True)
    promise = visible(work, promise_id)
    if promise.referral_id != referral.id:
        raise NotFound("promise")
    if promise.result is None:
        raise Conflict(f"The promise is {promise.status.value}: it offers nothing.", code="run-without-result")
    offer = next((one for one in promise.result["offers"] if one["number"] == number), None)
    if offer is None:
        raise Invalid("The promise has no offer of that number.", pointer="/offer")
    starts_at, ends_at = (datetime.fromisoformat(offer[name]) for name in ("starts_at", "ends_at"))
    held = holds.take(work, referral.id, offer["clinician_id"], starts_at, offer["minutes"])
    _ask_again(work, referral, promise.request, held.id, offer["clinician_id"], starts_at, ends_at)
    return held


def _ask_again(
    work: Work,
    referral: Referral,
    request: Mapping[str, Any],
    hold_id: int,
    clinician_id: int,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Refuse what the rules would not confirm of that clinician at that time, as things stand now."""
    zone = zone_of(work, referral.branch_id)
    day = local_day(starts_at, zone)
    clinician = queries.the_clinician(work, clinician_id, referral.branch_id)
    branch = fetch(work.session, Branch, referral.branch_id, "branch")
    guest = invite(
        1, branch, persona_of(work, referral, request["interpreter"]), services_of(request), starts_on=day, last=day,
        anchor=work.policy.on(day).weeks.visit_week_anchor, first=FirstVisit(day, day, None, clinician_id, starts_at),
    )  # fmt: skip
    point = place_of(work, referral)
    days = cases.Days(work, [clinician_id], starts_at, ends_at)
    near = days.around(clinician_id, starts_at, ends_at, point, day, frozenset({-hold_id}))
    book = GuestBook(work, zone, [guest])
    case = book.case(guest.visits[0], day, clinician, starts_at=starts_at, ends_at=ends_at, neighbours=near)
    refused = (
        *book.closed(guest.visits[0], day),
        *refusals(ask_clinician_side(case, Moment.CONFIRM, work.policy)),
    )
    if refused:
        raise refusal(refused)


# ------------------------------------------------------------------------------------ answering


def _record(work: Work, promise: Promise, status: RunStatus) -> None:
    result = promise.result
    facts = {} if result is None else {"conclusion": result["conclusion"], "offers": len(result["offers"])}
    work.record(f"promise.{status.value}", f"promise:{promise.id}", referral=promise.referral_id, **facts)


LIFE = Life(Promise, "promise", _record)


def execute(context: JobContext, arguments: dict[str, Any]) -> None:
    """Answer the promise `arguments["promise_id"]`; the job `plan.promise`."""
    perform(context, arguments["promise_id"], apart)


def perform(context: JobContext, promise_id: int, room: Room) -> None:
    """Read, search, read, search, write. A promise that is over already is left as it is."""
    LIFE.live(context, promise_id, lambda: _promised(context, promise_id, room))


def _promised(context: JobContext, promise_id: int, room: Room) -> Write[Promise]:
    with room(context.heartbeat) as call:
        result = _answer(context, promise_id, call)

    def write(_work: Work, promise: Promise) -> RunStatus:
        promise.result = result
        return RunStatus.ANSWERED

    return write


def _answer(context: JobContext, promise_id: int, call: Call) -> dict[str, Any]:
    began = time.monotonic()
    learn_between(
        context,
        lambda work: _points(work, promise_id),
        about=lambda work: _own_point(work, promise_id),
        seconds=LEARNING_SECONDS,
    )
    with context.work(write=False) as work:
        promise = fetch(work.session, Promise, promise_id, "promise")
        referral = fetch(work.session, Referral, promise.referral_id, "referral")
        request = promise.request
        zone = zone_of(work, referral.branch_id)
        own = _own_hold(work, referral.id)
        first = first_case(work, referral, request, own)
        work.record("promise.read-records", f"promise:{promise.id}", branch=promise.branch_id)
    slots = call(earliest, first.bridge.problem, first.number, request["offers"])
    due = first.start.due
    result: dict[str, Any] = {
        "zone": zone.key,
        "due_at": None if due.due_at is None else due.due_at.isoformat(),
        "due_on": None if due.on_day is None else due.on_day.isoformat(),
        "offers": offers_of(first, slots),
        "first_visit_reasons": [] if slots.offers else first_reasons(first, slots.obstacles),
        "weeks": 0,
        "services": [],
        "others_left_out": 0,
        "but": _buts(first.guest, referral, request),
        "assumptions": [
            *ASSUMPTIONS,
            ways_sentence(first.bridge.places.ways, first.bridge.places.home(first.guest.patient.id)),
        ],
    }
    result["offers"].sort(key=lambda offer: (offer["starts_at"], offer["clinician_id"]))
    for number, offer in enumerate(result["offers"], 1):
        offer["number"] = number
    if result["offers"]:
        with context.work(write=False) as work:
            referral = fetch(work.session, Referral, referral.id, "referral")
            weeks = weeks_case(work, referral, request, result["offers"][0], own)
            result["weeks"] = work.policy.promise.weeks
        fitted = call(fit, weeks.bridge.problem, weeks.numbers, float(request["seconds"]), request["iterations"])
        result["services"] = services_fitted(weeks, request, fitted)
        result["others_left_out"] = fitted.others_after
    late = not any(offer["in_time"] for offer in result["offers"])
    if late and referral.interpreter_needed and request["interpreter"] is None:
        result["with_interpreter"] = _with_interpreter(context, referral.id, request, own, call)
    result["conclusion"], result["sentence"] = conclude(result, zone)
    result["seconds"] = round(time.monotonic() - began, 2)
    return result


def _own_point(work: Work, promise_id: int) -> Point | None:
    """Where the referral's patient lives, if that is known."""
    promise = fetch(work.session, Promise, promise_id, "promise")
    return place_of(work, fetch(work.session, Referral, promise.referral_id, "referral"))


def _points(work: Work, promise_id: int) -> list[Point]:
    """The places of the days in which care could start; the ways between the others are asked for by the runs."""
    promise = fetch(work.session, Promise, promise_id, "promise")
    referral = fetch(work.session, Referral, promise.referral_id, "referral")
    start = start_of(work, referral)
    scene = load(work, referral.branch_id, Horizon(zone_of(work, referral.branch_id), start.first, start.last))
    return points_of(scene.branch, scene.patients.values(), scene.clinicians)


def _with_interpreter(
    context: JobContext, referral_id: int, request: Mapping[str, Any], own: SlotHold | None, call: Call
) -> dict[str, Any] | None:
    """The earliest slot if an interpreter were booked, for saying so; to hold it, ask again counting on one."""
    with context.work(write=False) as work:
        referral = fetch(work.session, Referral, referral_id, "referral")
        asked = dict(request) | {"interpreter": InterpreterMode.PHONE.value}
        case = first_case(work, referral, asked, own)
    return next(iter(offers_of(case, call(earliest, case.bridge.problem, case.number, 1))), None)


def _own_hold(work: Work, referral_id: int) -> SlotHold | None:
    return work.session.scalar(
        sa.select(SlotHold).where(SlotHold.referral_id == referral_id, SlotHold.status == HoldStatus.HELD)
    )


def _buts(guest: Guest, referral: Referral, request: Mapping[str, Any]) -> list[str]:
    """What the referral leaves open that the answer had to guess."""
    found = []
    if guest.patient.home.lat is None:
        found.append("The address has no point: the branch's office stands in, and the ways are guesses.")
    if request["interpreter"] is not None and referral.interpreter_needed:
        found.append(f"An interpreter ({request['interpreter'].replace('_', ' ')}) must be booked.")
    return found


__all__ = ["JOB", "ask", "execute", "get", "hold", "job_key", "perform"]
