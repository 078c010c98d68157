"""What would be otherwise in a scenario: a scene in, another scene out. Pure; no row is changed or added.

Changes are plain values as they are kept with the scenario, checked before they come here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from random import Random
from typing import Any

from coordinator.core.work import Work
from coordinator.domain.frequency import parse
from coordinator.domain.lifecycle import BEGUN_VISIT
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import Discipline, Gender, Payer, Performer, Programme
from coordinator.patients.model import Patient
from coordinator.planner.plan import Plan
from coordinator.planning.answers import Answers, ask_all
from coordinator.planning.bridge import Bridge, assemble
from coordinator.planning.imagined import USUAL_MINUTES, Guest, GuestBook, Persona, Service, hire, invite, seat
from coordinator.planning.prices import SCENARIO_PRICES, Prices
from coordinator.planning.scene import Scene
from coordinator.rules.terms import Policy
from coordinator.staff.model import Clinician
from coordinator.visits.book import CaseBook
from coordinator.visits.model import Visit

Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """A scene as the scenario has it, with its prices and the people it brings."""

    scene: Scene
    prices: Prices
    guests: tuple[Guest, ...]


def apply(scene: Scene, changes: Changes, policy: Policy, *, seed: int = 0) -> Variant:
    """The scene with every change made. `seed` draws the patients whose pattern is copied: same seed, same guests."""
    guests = _guests(scene, changes.get("more_referrals", ()), policy, seed)
    gone = {entry["clinician_id"]: date.fromisoformat(entry["from"]) for entry in changes.get("without_clinicians", ())}
    changed = replace(
        seat(scene, guests),
        clinicians=(*scene.clinicians, *_hired(scene, changes.get("new_clinicians", ()))),
        gone=dict(scene.gone) | gone,
    )
    # A slot that was held of somebody's time is nobody else's to take over: it is lost, and counted as such.
    changed.visits = tuple(v for v in changed.visits if not (changed.is_held(v) and _is_orphaned(changed, v)))
    # Whoever is gone keeps nothing that has not begun, locked or not: somebody must take it over.
    changed.settle((visit.id for visit in scene.visits if _is_orphaned(changed, visit)), fixed=False)
    return Variant(changed, priced(changes.get("prices", {}), policy.prices), guests)


def priced(given: Mapping[str, int], prices: Prices) -> Prices:
    """The prices with those named set anew."""
    named: dict[str, Any] = {name: given[name] for name in SCENARIO_PRICES if name in given}
    return replace(prices, **named)


def build(work: Work, variant: Variant) -> Bridge:
    """The variant's problem. What stood with somebody who is gone has no start, but keeps the price of its move."""

    def ask(work: Work, scene: Scene, book: CaseBook, days: Mapping[int, Sequence[date]]) -> dict[int, Answers]:
        guests = GuestBook(work, scene.horizon.zone, variant.guests)
        rows = {number: days[number] for number in days if number > 0}
        return ask_all(work, scene, book, rows) | guests.answers(scene, days)

    bridge = assemble(work, variant.scene, variant.prices, ask)
    at_work = {(slot.clinician, slot.day) for slot in bridge.problem.slots}
    return replace(
        bridge, start=Plan.of([one for one in bridge.start.assignments if (one.clinician, one.day) in at_work])
    )


def _is_orphaned(scene: Scene, visit: Visit) -> bool:
    return (
        visit.clinician_id is not None
        and visit.starts_at is not None
        and visit.status not in BEGUN_VISIT
        and visit.starts_at > scene.now
        and visit.branch_id == scene.branch.id
        and scene.is_gone(visit.clinician_id, scene.horizon.day_of(visit.starts_at))
    )


# ------------------------------------------------------------------------------------ new people


def _hired(scene: Scene, entries: Sequence[Mapping[str, Any]]) -> list[Clinician]:
    today = local_day(scene.now, scene.horizon.zone)
    hired: list[Clinician] = []
    for entry in entries:
        for _ in range(entry["count"]):
            hired.append(
                hire(
                    len(hired) + 1,
                    scene.branch,
                    scene.horizon.zone,
                    performer=Performer(entry["performer"]),
                    point=(entry["lat"], entry["lon"]),
                    languages=entry["languages"],
                    skills=entry["skills"],
                    gender=Gender(entry["gender"]),
                    weekdays=entry["weekdays"],
                    hours=(time.fromisoformat(entry["starts"]), time.fromisoformat(entry["ends"])),
                    today=today,
                    from_day=max(today, date.fromisoformat(entry["from"])),
                    weekly_minutes=entry["weekly_minutes"],
                    max_visits_per_day=entry["max_visits_per_day"],
                )
            )
    return hired


def _guests(
    scene: Scene, entries: Sequence[Mapping[str, Any]], policy: Policy, seed: int
) -> tuple[Guest, ...]:  # fmt: skip
    guests: list[Guest] = []
    random = Random(seed)  # noqa: S311  (draws patterns to copy; nothing is guarded by it)
    first = max(scene.horizon.start_on, local_day(scene.now, scene.horizon.zone))
    for entry in entries:
        for persona, services in _wishes(scene, entry, random):
            guests.append(
                invite(
                    len(guests) + 1,
                    scene.branch,
                    persona,
                    services,
                    starts_on=max(first, date.fromisoformat(entry["from"])),
                    last=scene.horizon.end_on,
                    anchor=policy.on(first).weeks.visit_week_anchor,
                )
            )
    return tuple(guests)


def _wishes(scene: Scene, entry: Mapping[str, Any], random: Random) -> list[tuple[Persona, list[Service]]]:
    """What each of the entry's referrals wants: the services that are named, or those of a patient drawn by lot."""
    if entry["services"]:
        services = [
            Service(
                Discipline(one["discipline"]),
                parse(one["frequency"]),
                one["minutes"] or USUAL_MINUTES[Discipline(one["discipline"])],
                tuple(one["skills"]),
            )
            for one in entry["services"]
        ]
        persona = Persona(
            Programme.KP_HBPC, Payer.KP, entry["lat"], entry["lon"], language=entry["language"],
            interpreter_needed=False,
        )  # fmt: skip
        return [(persona, services)] * int(entry["count"])
    patterns = _patterns(scene)
    if not patterns:
        return []
    drawn = [random.choice(patterns) for _ in range(entry["count"])]
    return [(_like(scene.patients[number]), services) for number, services in drawn]


def _patterns(scene: Scene) -> list[tuple[int, list[Service]]]:
    """For each patient of the scene, by number, the visits that orders ask for in these days, as weekly services."""
    counted: dict[int, dict[tuple[Discipline, int], dict[int, int]]] = {}
    for visit in scene.visits:
        if visit.order_week_id is not None and visit.joint_with_id is None:
            weeks = counted.setdefault(visit.patient_id, {}).setdefault((visit.discipline, visit.minutes), {})
            weeks[visit.order_week_id] = weeks.get(visit.order_week_id, 0) + 1
    return [
        (
            number,
            [
                Service(discipline, parse(f"{min(21, max(weeks.values()))}w5"), minutes)
                for (discipline, minutes), weeks in sorted(kinds.items())
            ],
        )
        for number, kinds in sorted(counted.items())
    ]


def _like(patient: Patient) -> Persona:
    home, episode = patient.home, patient.episodes[-1]
    return Persona(
        episode.programme, episode.payer, home.lat, home.lon, language=patient.spoken_language,
        interpreter_needed=patient.interpreter_needed, interpreter_mode=patient.interpreter_mode,
        gender=patient.gender,
    )  # fmt: skip
