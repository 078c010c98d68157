"""The clinicians' days as the planner's slots: shift, time off, meals, overtime, and room for what is fixed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from coordinator.domain.vocabulary import OvertimeProfile
from coordinator.planner.problem import Break, Interval, SeventhDay, Slot
from coordinator.planner.problem import Clinician as Person
from coordinator.planning.places import Places
from coordinator.planning.scene import Scene
from coordinator.rules.terms import Labour, Policy, Prices
from coordinator.rules.work_facts import Waivers
from coordinator.rules.workday import limits_of
from coordinator.staff.model import Clinician
from coordinator.staff.service import availability
from coordinator.visits.model import Visit

NOTHING_WAIVED = Waivers()


def people(scene: Scene, policy: Policy) -> tuple[Person, ...]:
    """The clinicians with their week's numbers, in the scene's order."""
    policy = policy.on(scene.horizon.start_on)
    anchor = policy.weeks.workweek_anchor
    weeks = scene.pay_week(scene.horizon.end_on, anchor) + 1
    spans = _around(scene)
    worked: dict[int, list[int]] = defaultdict(lambda: [0] * weeks)
    extra: dict[int, list[int]] = defaultdict(lambda: [0] * weeks)
    limits = {one.id: limits_of(policy.labour, one.ot_profile, one.weekly_minutes) for one in scene.clinicians}
    for (clinician_id, day), times in spans.items():
        if clinician_id not in limits:
            continue
        week = scene.pay_week(day, anchor)
        if 0 <= week < weeks:
            # From the first visit to the end of the last: what lies between is travel and waiting, which is work.
            minutes = max(end for _, end in times) - min(start for start, _ in times)
            worked[clinician_id][week] += minutes
            extra[clinician_id][week] += max(0, minutes - (limits[clinician_id].daily or minutes))
    return tuple(
        Person(
            key=str(clinician.id),
            week_overtime_after_minutes=limits[clinician.id].weekly,
            fair_share_minutes=clinician.weekly_minutes * policy.planning.fair_share_percent // 100,
            week_max_minutes=max(clinician.weekly_minutes, clinician.weekly_maximum_minutes)
            - max(extra.get(clinician.id, (0,))),
            # What a day has paid as overtime does not count towards the week's limit (LAB-01): it is taken off the
            # week's maximum instead, which is then a little narrow in other weeks of the run.
            already_worked_minutes=tuple(a - b for a, b in zip(worked[clinician.id], extra[clinician.id], strict=True))
            if clinician.id in worked
            else (),
        )
        for clinician in scene.clinicians
    )


def _around(scene: Scene) -> dict[tuple[int, date], list[tuple[int, int]]]:
    """Minutes of what stands outside the run, by clinician and day."""
    spans: dict[tuple[int, date], list[tuple[int, int]]] = defaultdict(list)
    for one in scene.standing:
        if one.day not in scene.horizon:
            spans[one.clinician_id, one.day].append(
                (scene.horizon.minute(one.starts_at), scene.horizon.minute_up(one.ends_at))
            )
    return spans


def seventh_days(scene: Scene, slots: Sequence[Slot], policy: Policy, prices: Prices) -> tuple[SeventhDay, ...]:
    """For each clinician who may come to work on all seven days of a workweek, what the last costs more (LAB-01).

    Its last day must be in the run; the others are, or something stands on them.
    """
    policy = policy.on(scene.horizon.start_on)
    shifts = {(slot.clinician, slot.day) for slot in slots}
    around = _around(scene)
    anchor = policy.weeks.workweek_anchor
    found = []
    for number, clinician in enumerate(scene.clinicians):
        after = limits_of(policy.labour, clinician.ot_profile).seventh
        if after is None:
            continue
        for last, day in enumerate(scene.horizon.days):
            week = [day - timedelta(days=step) for step in range(6, 0, -1)]
            if (number, last) not in shifts or len({scene.pay_week(other, anchor) for other in (*week, day)}) > 1:
                continue
            inside = [scene.horizon.index(other) for other in week if other in scene.horizon]
            outside = [other for other in week if other not in scene.horizon]
            if all((number, other) in shifts for other in inside) and all(
                (clinician.id, other) in around for other in outside
            ):
                found.append(
                    SeventhDay(number, tuple(inside), last, prices.overtime_minute, after, prices.doubletime_minute)
                )
    return tuple(found)


def slots(
    scene: Scene, places: Places, fixed: Sequence[Visit], policy: Policy, prices: Prices
) -> tuple[Slot, ...]:  # fmt: skip
    """One slot for each clinician and day with a shift, or with something fixed in it."""
    pinned: dict[tuple[int, date], list[Visit]] = defaultdict(list)
    for visit in fixed:
        assert visit.clinician_id is not None
        assert visit.starts_at is not None
        pinned[visit.clinician_id, scene.horizon.day_of(visit.starts_at)].append(visit)
    open_from = scene.horizon.minute_up(scene.now)
    found = []
    for number, clinician in enumerate(scene.clinicians):
        own = clinician.branch_id == scene.branch.id and clinician.active
        free = working_minutes(clinician, scene) if own else {}
        for index, day in enumerate(scene.horizon.days):
            held = pinned.get((clinician.id, day), [])
            here = scene.horizon.bounds(day)[1] > open_from and not scene.is_gone(clinician.id, day)
            hours = free.get(day, []) if here else []
            if hours or held:
                labour = policy.on(day).labour
                found.append(_slot(scene, places, clinician, (number, index), hours, held, labour, prices))
    return tuple(found)


def working_minutes(clinician: Clinician, scene: Scene) -> Mapping[date, list[tuple[int, int]]]:
    """Minutes of the run in which the clinician works, by the day on which the stretch begins."""
    horizon = scene.horizon
    hours: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for day in horizon.days:
        for begins, ends in availability(clinician, day, horizon.zone):
            low, high = horizon.minute_up(begins), horizon.minute(ends)
            if low < high:
                hours[day].append((low, high))
    return {day: sorted(stretches) for day, stretches in hours.items()}


def _slot(
    scene: Scene,
    places: Places,
    clinician: Clinician,
    position: tuple[int, int],
    hours: Sequence[tuple[int, int]],
    held: Sequence[Visit],
    labour: Labour,
    prices: Prices,
) -> Slot:
    number, index = position
    limits = limits_of(labour, clinician.ot_profile)
    waived = waivers_of(clinician, scene.horizon.days[index])
    start_place, end_place = places.start(clinician), places.end(clinician)
    shift = (hours[0][0], max(high for _, high in hours)) if hours else None
    reach = _reach(scene, places, held, start_place, end_place) if held else None
    if shift is None:
        assert reach is not None
        low, high = reach
    else:
        # What is fixed is a fact: the day is as long as it needs.
        low = shift[0] if reach is None else min(shift[0], reach[0])
        high = shift[1] if reach is None else max(shift[1], reach[1])
    gaps = tuple(Interval(before[1], after[0]) for before, after in pairwise(hours) if before[1] < after[0])
    fixed_times = [_minutes(scene, visit) for visit in held]
    gaps = tuple(
        gap
        for gap in gaps
        if not any(begins < gap.end_minute and ends > gap.start_minute for begins, ends in fixed_times)
    )
    return Slot(
        clinician=number,
        day=index,
        start_place=start_place,
        end_place=end_place,
        shift_start=low,
        shift_end=high,
        overtime_after_minutes=limits.daily,
        doubletime_after_minutes=limits.double,
        max_minutes=max(labour.daily_maximum_minutes, high - low) if held else labour.daily_maximum_minutes,
        # Where there is no shift, nothing is added to what is fixed.
        max_visits=len(held) if shift is None else max(clinician.max_visits_per_day, len(held)),
        breaks=meals(low, high, labour, prices.missed_meal if held else None, waived) if shift is not None else (),
        unavailable=gaps,
    )


def waivers_of(clinician: Clinician, day: date) -> Waivers | None:
    """The meals that the clinician has waived on that day; None for somebody who is owed none."""
    if clinician.ot_profile is OvertimeProfile.EXEMPT:
        return None
    first, second = clinician.first_meal_waived_on, clinician.second_meal_waived_on
    return Waivers(first is not None and first <= day, second is not None and second <= day)


def meals(
    low: int, high: int, labour: Labour, skip_cost: int | None, waived: Waivers | None = NOTHING_WAIVED
) -> tuple[Break, ...]:
    """The meals that a shift from `low` to `high` may owe (LAB-02), at what they cost where fixed visits may leave no
    room; None: they must be taken. A waived meal is owed only where it may not be waived.
    """
    if waived is None:
        return ()
    found = []
    owed_after = labour.first_meal_waivable_to_minutes if waived.first else labour.meal_owed_after_minutes
    if high - low > owed_after:
        found.append(
            Break(
                low + labour.meal_earliest_minute,
                low + labour.meal_latest_minute,
                labour.meal_minutes,
                skip_cost,
                owed_after,
            )
        )
    # In health care the second of two may be waived however long the day is, since the first is taken.
    if high - low > labour.second_meal_owed_after_minutes and not waived.second:
        found.append(
            Break(
                low + labour.second_meal_earliest_minute,
                low + labour.second_meal_latest_minute,
                labour.meal_minutes,
                skip_cost,
                labour.second_meal_owed_after_minutes,
            )
        )
    return tuple(found)


def _minutes(scene: Scene, visit: Visit) -> tuple[int, int]:
    assert visit.starts_at is not None
    assert visit.ends_at is not None
    return scene.horizon.minute(visit.starts_at), scene.horizon.minute_up(visit.ends_at)


def _reach(scene: Scene, places: Places, held: Sequence[Visit], start_place: int, end_place: int) -> tuple[int, int]:
    """From leaving for the first fixed visit to being back from the last."""
    first = min(held, key=lambda visit: _minutes(scene, visit))
    last = max(held, key=lambda visit: _minutes(scene, visit)[1])
    return (
        _minutes(scene, first)[0] - places.minutes(start_place, places.home(first.patient_id)),
        _minutes(scene, last)[1] + places.minutes(places.home(last.patient_id), end_place),
    )
