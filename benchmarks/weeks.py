"""Weeks of a home health and palliative care agency, made up from a seed: nothing in them is anybody's.

The geometry is a city of about seven by seven miles (San Francisco's land, roughly): patients live in clusters,
clinicians start from home, driving is 1.3 times the straight line at 24 km/h plus three minutes to park.

`make_week` draws a week of wants, `published` gives it a plan that is already known to people, with locks, and
`relaxed` is the same week less what other solvers cannot express.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from coordinator.planner.plan import Assignment, Plan, Rest
from coordinator.planner.problem import (
    Break,
    Clinician,
    Current,
    DailyLimit,
    Day,
    FacesLimit,
    GroupCap,
    Interval,
    Linked,
    Preference,
    Problem,
    Reason,
    Slot,
    Spacing,
    Visit,
    Weights,
    Window,
)

DAY = 1440
DISCIPLINES = (("nurse", 60, 0.5), ("aide", 75, 0.25), ("therapist", 45, 0.25))
"""Name, usual minutes, share of the staff."""
LANGUAGES = ("en", "en", "en", "zh", "zh", "es")


Spot = tuple[float, float]


def _home(rng: random.Random, centres: list[Spot]) -> Spot:
    """A place in metres, near one of the centres."""
    x, y = rng.choice(centres)
    return (min(11_500, max(0, rng.gauss(x, 1300))), min(11_500, max(0, rng.gauss(y, 1300))))


def _near(rng: random.Random, able: list[int], spots: list[Spot], spot: Spot) -> int:
    """One of the four clinicians who live nearest: whoever has been coming so far."""
    by_way = sorted(able, key=lambda c: (spots[c][0] - spot[0]) ** 2 + (spots[c][1] - spot[1]) ** 2)
    return rng.choice(by_way[:4])


def _matrices(places: list[Spot]) -> tuple[np.ndarray, np.ndarray]:
    at = np.array(places)
    metres = np.hypot(at[:, None, 0] - at[None, :, 0], at[:, None, 1] - at[None, :, 1]) * 1.3
    seconds = metres / (24_000 / 3600) + 180
    np.fill_diagonal(seconds, 0)
    return seconds.astype(np.int32), metres.astype(np.int32)


def make_week(clinicians: int = 25, visits_per_clinician: int = 12, seed: int = 1) -> Problem:
    """One week: skills, windows, languages, continuity, spacing, caps, two-person visits, lunches, time off."""
    rng = random.Random(seed)
    wanted = clinicians * visits_per_clinician
    disciplines = [name for name, _, share in DISCIPLINES for _ in range(max(1, round(share * clinicians)))][
        :clinicians
    ]
    disciplines += ["nurse"] * (clinicians - len(disciplines))
    speaks = [{"en", rng.choice(LANGUAGES)} for _ in range(clinicians)]
    days = tuple(Day(d * DAY, (d + 1) * DAY, label) for d, label in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri")))
    people = tuple(
        Clinician(
            f"{disciplines[c]}-{c}", week_overtime_after_minutes=2400, week_max_minutes=2700, fair_share_minutes=1900
        )
        for c in range(clinicians)
    )
    centres = [(rng.uniform(0, 11_000), rng.uniform(0, 11_000)) for _ in range(8)]
    spots = [_home(rng, centres) for _ in range(clinicians)]
    patients: list[tuple[str, int]] = []
    visits: list[Visit] = []
    spacings: list[Spacing] = []
    faces: list[FacesLimit] = []
    caps: list[GroupCap] = []
    limits: list[DailyLimit] = []
    links: list[Linked] = []
    busy: dict[str, tuple[Interval, ...]] = {}
    minutes_of = {name: minutes for name, minutes, _ in DISCIPLINES}
    by_discipline = {name: [c for c in range(clinicians) if disciplines[c] == name] for name in minutes_of}
    while len(visits) < wanted:
        patient = f"patient-{len(patients)}"
        place = clinicians + len(patients)
        spots.append(_home(rng, centres))
        language = rng.choice(LANGUAGES)
        orders = rng.sample(list(minutes_of), k=rng.choice((1, 1, 2)))
        mine: list[int] = []
        for discipline in orders:
            weekly = min(rng.choice((1, 1, 2, 2, 3)), wanted - len(visits))
            able = by_discipline[discipline]
            known = _near(rng, able, spots, spots[place])
            order: list[int] = []
            forbidden = {c: Reason.of("skill", discipline=discipline) for c in range(clinicians) if c not in able}
            others = [c for c in able if c != known]
            if others and rng.random() < 0.1:
                forbidden[rng.choice(others)] = Reason.of("exclusion", patient=patient)
            for _ in range(weekly):
                lot = rng.random()
                low, high = (480, 960) if lot < 0.6 else (480, 660) if lot < 0.8 else (780, 960)
                open_days = range(5) if rng.random() < 0.8 else rng.sample(range(5), 3)
                remote = discipline == "nurse" and rng.random() < 0.08
                order.append(len(visits))
                visits.append(
                    Visit(
                        key=f"visit-{len(visits)}",
                        patient=patient,
                        place=None if remote else place,
                        minutes=20 if remote else minutes_of[discipline] + rng.choice((-15, 0, 0, 15)),
                        windows={d: (Window(d * DAY + low, d * DAY + high),) for d in open_days},
                        discipline=discipline,
                        unplaced_cost=rng.choice((20_000, 50_000, 50_000, 100_000)),
                        preferred={d: (Window(d * DAY + low, d * DAY + min(high, low + 180)),) for d in open_days},
                        late_cost=10,
                        preferences=(
                            Preference("continuity", {known: 0}, 1500),
                            Preference("language", {c: 0 for c in able if language in speaks[c]}, 1500),
                        ),
                        forbidden=forbidden,
                    )
                )
            mine += order
            if len(order) > 1:
                spacings.append(Spacing(tuple(order), 1, 2, cost=800))
            faces.append(FacesLimit(tuple(order), 600))
        if len(mine) > 1:
            limits.append(DailyLimit(tuple(mine), 2))
            caps.append(GroupCap(tuple(mine), day_cap_minutes=210, week_cap_minutes=1680))
        if rng.random() < 0.1:
            day = rng.randrange(5)
            busy[patient] = (Interval(day * DAY + 540, day * DAY + 780),)
        patients.append((patient, place))
    # A few visits need two people at once: the second is an aide's.
    for index in range(0, wanted, 60):
        visit = visits[index]
        if visit.place is None:
            continue
        links.append(Linked(index, len(visits)))
        able = by_discipline["aide"]
        visits.append(
            Visit(
                key=f"visit-{len(visits)}",
                patient=visit.patient,
                place=visit.place,
                minutes=visit.minutes,
                windows=visit.windows,
                discipline="aide",
                unplaced_cost=50_000,
                forbidden={c: Reason.of("skill", discipline="aide") for c in range(clinicians) if c not in able},
            )
        )
    slots = []
    for c in range(clinicians):
        off = rng.randrange(5) if rng.random() < 0.3 else -1
        for d in range(5):
            if d == off:
                continue
            begin = d * DAY + 480
            lunch = Break(begin + 180, begin + 300, 30, owed_after_minutes=300)
            away = (Interval(begin + 300, begin + 360),) if rng.random() < 0.05 else ()
            slots.append(Slot(c, d, c, c, begin, begin + 540, 480, 600, 8, (lunch,), away))
    seconds, metres = _matrices(spots)
    return Problem(
        name=f"week-{clinicians}x{visits_per_clinician}-{seed}",
        days=days,
        travel_seconds=seconds,
        clinicians=people,
        slots=tuple(slots),
        visits=tuple(visits),
        travel_metres=metres,
        spacings=tuple(spacings),
        daily_limits=tuple(limits),
        faces_limits=tuple(faces),
        group_caps=tuple(caps),
        links=tuple(links),
        patient_busy=busy,
    )


LUNCH = (12 * 60, 12 * 60 + 30)
"""When everyone has lunch in the published plan, by time of day."""


def published(week: Problem, seed: int = 1) -> tuple[Problem, Plan]:
    """The week as it stands on Friday before: three quarters of the patients have their times, a few of them fixed.

    The published plan is made by a simple rule (whoever has been coming, the day that costs least, after what is there
    already), not by the planner, so that it stays the same however the planner changes. It keeps every hard rule.
    Visits of new patients and those for two people are not in it.
    """
    rng = random.Random(f"published {seed}")
    diaries = {(s.clinician, s.day): _Diary(week, s) for s in week.slots if not s.unavailable}
    two = {visit for link in week.links for visit in (link.first, link.second)}
    patients = sorted({visit.patient for visit in week.visits}, key=lambda name: int(name.rpartition("-")[2]))
    known = {patient for patient in patients if rng.random() < 0.75}
    taken: dict[str, set[int]] = {}
    placed: list[Assignment] = []
    for number, visit in enumerate(week.visits):
        if number in two or visit.patient not in known:
            continue
        used = taken.setdefault(visit.patient, set())
        wishes = next((wish.costs for wish in visit.preferences if wish.name == "continuity"), {})
        for people in (list(wishes), [c for c in range(len(week.clinicians)) if c not in wishes]):
            offers = [
                offer
                for clinician in people
                if clinician not in visit.forbidden
                for day in visit.windows
                if day not in used
                and (clinician, day) in diaries
                and (offer := diaries[clinician, day].offer(number)) is not None
            ]
            if offers:
                _, clinician, day, start = min(offers)
                diaries[clinician, day].add(number, start)
                used.add(day)
                placed.append(Assignment(number, clinician, day, start))
                break
    visits = list(week.visits)
    for a in placed:
        told = rng.random() < 0.5
        price = 2 if told else 1
        visits[a.visit] = replace(
            visits[a.visit],
            current=Current(a.clinician, a.day, a.start_minute, told, 1000 * price, 1000 * price, 300 * price, 30),
            locked=rng.random() < 0.08,
        )
    rests = [
        Rest(clinician, day, 0, week.days[day].start_minute + LUNCH[0])
        for clinician, day in sorted({(a.clinician, a.day) for a in placed})
    ]
    return replace(week, visits=tuple(visits)), Plan.of(placed, rests)


class _Diary:
    """One clinician's day while it is filled from morning to evening."""

    def __init__(self, week: Problem, slot: Slot) -> None:
        self.week, self.slot = week, slot
        self.here, self.free, self.count = slot.start_place, slot.shift_start, 0
        self.noon = week.days[slot.day].start_minute + LUNCH[0]
        self.lunch = LUNCH[1] - LUNCH[0]

    def _way(self, origin: int | None, target: int | None) -> int:
        if origin is None or target is None:
            return 0
        return -(-int(self.week.travel_seconds[origin, target]) // 60)

    def offer(self, number: int) -> tuple[int, int, int, int] | None:
        """(minutes of driving and waiting, clinician, day, start) for this visit as the next; None if it cannot be."""
        visit, slot = self.week.visits[number], self.slot
        target = self.here if visit.place is None else visit.place
        way, back = self._way(self.here, target), self._way(target, slot.end_place)
        busy = self.week.patient_busy.get(visit.patient, ())
        starts = []
        for span in visit.windows[slot.day]:
            start = max(self.free + way, span.earliest_start)
            if self.free <= self.noon and start + visit.minutes > self.noon:
                start = max(start, self.noon + self.lunch + way)
            clear = all(b.end_minute <= start or b.start_minute >= start + visit.minutes for b in busy)
            fits = start <= span.latest_start and start + visit.minutes + back <= slot.shift_end
            if clear and fits and (slot.max_visits is None or self.count < slot.max_visits):
                starts.append(start)
        if not starts:
            return None
        return (min(starts) - self.free + back, slot.clinician, slot.day, min(starts))

    def add(self, number: int, start: int) -> None:
        """Write the visit down."""
        visit = self.week.visits[number]
        self.here = self.here if visit.place is None else visit.place
        self.free, self.count = start + visit.minutes, self.count + 1


def relaxed(week: Problem) -> Problem:
    """The part of a week that every peer can express, made harder nowhere.

    Kept: places, the same driving in whole minutes, shifts, who may go to whom, days, windows, visits a day, the price
    of a visit left out. Hours at which a patient is busy become gaps in the windows. A visit by telephone is made at
    the patient's home, a visit for two people is two visits. Everything else is taken out, so that the cost is driving
    and visits left out.
    """
    home = {visit.patient: visit.place for visit in week.visits if visit.place is not None}
    first_patient = len(week.clinicians)
    visits = []
    for visit in week.visits:
        place = home.get(visit.patient, first_patient + int(visit.patient.rpartition("-")[2]))
        busy = week.patient_busy.get(visit.patient, ())
        windows = {day: _without(spans, busy, visit.minutes) for day, spans in visit.windows.items()}
        visits.append(
            Visit(
                key=visit.key,
                patient=visit.key,
                place=place,
                minutes=visit.minutes,
                windows={day: spans for day, spans in windows.items() if spans},
                discipline=visit.discipline,
                unplaced_cost=visit.unplaced_cost,
                forbidden=visit.forbidden,
            )
        )
    slots = tuple(
        Slot(s.clinician, s.day, s.start_place, s.end_place, s.shift_start, s.shift_end, max_visits=s.max_visits)
        for s in week.slots
    )
    minutes = -(-week.travel_seconds.astype(np.int32) // 60)
    return Problem(
        name=f"{week.name}-relaxed",
        days=week.days,
        travel_seconds=minutes * 60,
        clinicians=tuple(Clinician(clinician.key) for clinician in week.clinicians),
        slots=slots,
        visits=tuple(visits),
        weights=Weights(waiting_minute=0, overtime_minute=0, fairness_minute=0),
    )


def _without(windows: tuple[Window, ...], busy: tuple[Interval, ...], minutes: int) -> tuple[Window, ...]:
    """The windows less every start at which a visit of so many minutes would meet one of the busy times."""
    left = list(windows)
    for span in busy:
        first, last = span.start_minute - minutes, span.end_minute
        kept: list[Window] = []
        for window in left:
            if window.earliest_start <= min(first, window.latest_start):
                kept.append(Window(window.earliest_start, min(first, window.latest_start)))
            if max(last, window.earliest_start) <= window.latest_start:
                kept.append(Window(max(last, window.earliest_start), window.latest_start))
        left = kept
    return tuple(left)
