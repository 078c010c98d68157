"""An independent check of every hard rule, minute by minute; shares nothing with the planner but its dataclasses."""

from __future__ import annotations

from itertools import pairwise

from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import LinkKind, Problem


def minutes_of(problem: Problem, a: Assignment) -> int:
    visit = problem.visits[a.visit]
    return visit.minutes_by_clinician.get(a.clinician, visit.minutes)


def ride(problem: Problem, origin: int | None, target: int | None) -> int:
    if origin is None or target is None:
        return 0
    seconds = int(problem.travel_seconds[origin][target])
    return seconds // 60 + (1 if seconds % 60 else 0)


def busy_minutes(problem: Problem, a: Assignment) -> set[int]:
    return set(range(a.start_minute, a.start_minute + minutes_of(problem, a)))


def day_faults(problem: Problem, plan: Plan, clinician: int, day: int) -> tuple[list[str], int]:
    """What is wrong with one clinician's day, and its worked minutes."""
    name = f"clinician {clinician} day {day}"
    shifts = [slot for slot in problem.slots if (slot.clinician, slot.day) == (clinician, day)]
    route = sorted(
        (a for a in plan.assignments if (a.clinician, a.day) == (clinician, day)), key=lambda a: a.start_minute
    )
    if not route:
        owed = [rule for shift in shifts for rule in shift.breaks if rule.owed_after_minutes < 0]
        return [f"{name}: no break on a day without visits" for rule in owed if rule.skip_cost is None], 0
    if len(shifts) != 1:
        return [f"{name}: works without a shift"], 0
    shift = shifts[0]
    faults = []
    off: set[int] = set()
    for interval in shift.unavailable:
        off |= set(range(interval.start_minute, interval.end_minute))
    taken = {rest.number: rest for rest in plan.rests if (rest.clinician, rest.day) == (clinician, day)}
    for number, rest in taken.items():
        rule = shift.breaks[number]
        stretch = set(range(rest.start_minute, rest.start_minute + rule.minutes))
        if not rule.earliest_start <= rest.start_minute <= rule.latest_start:
            faults.append(f"{name}: break {number} at a wrong time")
        if stretch & off:
            faults.append(f"{name}: break {number} overlaps other rest")
        off |= stretch
    caring: set[int] = set()
    for a in route:
        mine = busy_minutes(problem, a)
        if mine & caring:
            faults.append(f"{name}: two visits at once")
        if mine & off:
            faults.append(f"{name}: visit {a.visit} in time off or a break")
        caring |= mine
    # Driving: between two visits there must be enough minutes that are neither care nor rest.
    where = shift.start_place
    stops = []
    for a in route:
        place = problem.visits[a.visit].place
        target = where if place is None else place
        stops.append((where, target))
        where = target
    whole = any(not rule.splits_drive for rule in shift.breaks)

    def can_drive(begin: int, end: int, origin: int | None, target: int | None) -> bool:
        """Whether the way fits between, in one piece where breaks may not split it."""
        free, longest, run = 0, 0, 0
        for m in range(begin, end):
            run = 0 if m in off else run + 1
            free, longest = free + (m not in off), max(longest, run)
        return (longest if whole else free) >= ride(problem, origin, target)

    for (a, b), (origin, target) in zip(pairwise(route), stops[1:], strict=True):
        if not can_drive(a.start_minute + minutes_of(problem, a), b.start_minute, origin, target):
            faults.append(f"{name}: no time to drive to visit {b.visit}")
    first, forgiven = route[0].start_minute, 0
    opening = min((rest.start_minute for rest in taken.values() if rest.start_minute < first), default=None)
    if whole and opening is not None:
        # The first way ends where the break begins, and the wait straight after the break is forgiven.
        first = opening
        end = first + next(shift.breaks[n].minutes for n, rest in taken.items() if rest.start_minute == opening)
        later = [rest.start_minute for rest in taken.values() if rest.start_minute > opening]
        forgiven = max(0, min([route[0].start_minute, *later]) - end)
    leave = first - ride(problem, *stops[0])
    if shift.leaves_at_shift_start:
        leave = shift.shift_start
        if first < leave or not can_drive(leave, first, *stops[0]):
            faults.append(f"{name}: no time to drive to the first visit")
    elif set(range(leave, first)) & off:
        faults.append(f"{name}: drives to the first visit in time off or a break")
    if leave < shift.shift_start:
        faults.append(f"{name}: leaves at {leave}, before the shift")
    home = route[-1].start_minute + minutes_of(problem, route[-1])
    if whole:
        home = max([home, *(r.start_minute + shift.breaks[n].minutes for n, r in taken.items())])
    left = ride(problem, where, shift.end_place)
    while left > 0:
        if home not in off:
            left -= 1
        home += 1
    if home > shift.shift_end:
        faults.append(f"{name}: not home by the end of the shift")
    worked = len([m for m in range(leave, home) if m not in off]) - forgiven
    if shift.max_minutes is not None and worked > shift.max_minutes:
        faults.append(f"{name}: works {worked} minutes")
    if shift.max_visits is not None and len(route) > shift.max_visits:
        faults.append(f"{name}: {len(route)} visits")
    for number, rule in enumerate(shift.breaks):
        if number not in taken and rule.skip_cost is None and worked > rule.owed_after_minutes:
            faults.append(f"{name}: no break {number}")
    return faults, worked


def visit_faults(problem: Problem, plan: Plan) -> list[str]:
    """What is wrong with single visits."""
    faults = []
    where = {a.visit: a for a in plan.assignments}
    if len(where) != len(plan.assignments):
        faults.append("a visit is made twice")
    for index, visit in enumerate(problem.visits):
        a = where.get(index)
        if visit.locked:
            now = visit.current
            assert now is not None
            if a is None or (a.clinician, a.day, a.start_minute) != (now.clinician, now.day, now.start_minute):
                faults.append(f"visit {index}: not where it is locked")
            continue
        if a is None:
            if visit.mandatory:
                faults.append(f"visit {index}: mandatory and left out")
            continue
        if a.clinician in visit.forbidden or (a.clinician, a.day) in visit.forbidden_days:
            faults.append(f"visit {index}: forbidden clinician")
        windows = visit.windows.get(a.day, ())
        if all(a.start_minute < w.earliest_start or a.start_minute > w.latest_start for w in windows):
            faults.append(f"visit {index}: outside its windows")
        for interval in problem.patient_busy.get(visit.patient, ()):
            if busy_minutes(problem, a) & set(range(interval.start_minute, interval.end_minute)):
                faults.append(f"visit {index}: the patient is busy")
    return faults


def tie_faults(problem: Problem, plan: Plan) -> list[str]:
    """What is wrong between visits. Ties of locked visits alone are facts, not faults."""
    faults = []
    where = {a.visit: a for a in plan.assignments}

    def movable(*visits: int) -> bool:
        return not all(problem.visits[v].locked for v in visits)

    partners = {frozenset((link.first, link.second)) for link in problem.links}
    for i, one in where.items():
        for j, two in where.items():
            same = i < j and problem.visits[i].patient == problem.visits[j].patient
            if same and frozenset((i, j)) not in partners and busy_minutes(problem, one) & busy_minutes(problem, two):
                faults.append(f"visits {i} and {j}: the patient is in two places")
    for tie in problem.spacings:
        least = max(tie.min_gap_days, int(tie.at_most_one_per_day))
        made = [v for v in tie.visits if v in where]
        for i in made:
            for j in made:
                if i < j and movable(i, j) and abs(where[i].day - where[j].day) < least:
                    faults.append(f"visits {i} and {j}: too close")
            if movable(i) and any(abs(where[i].day - held) < least for held in tie.held_days):
                faults.append(f"visit {i}: too close to an earlier one")
    for limit in problem.daily_limits:
        for day in range(len(problem.days)):
            made = [v for v in limit.visits if v in where and where[v].day == day]
            held = limit.held[day] if day < len(limit.held) else 0
            if made and movable(*made) and len(made) + held > limit.max_per_day:
                faults.append(f"day {day}: more than {limit.max_per_day} visits of a group")
    weeks = sorted({day.week for day in problem.days})
    for cap in problem.group_caps:
        for day in range(len(problem.days)):
            made = [v for v in cap.visits if v in where and where[v].day == day]
            used = cap.used_by_day[day] if day < len(cap.used_by_day) else 0
            total = used + sum(minutes_of(problem, where[v]) for v in made)
            if made and movable(*made) and cap.day_cap_minutes is not None and total > cap.day_cap_minutes:
                faults.append(f"day {day}: cap broken with {total} minutes")
        for week in weeks:
            made = [v for v in cap.visits if v in where and problem.days[where[v].day].week == week]
            used = cap.used_by_week[week] if week < len(cap.used_by_week) else 0
            total = used + sum(minutes_of(problem, where[v]) for v in made)
            if made and movable(*made) and cap.week_cap_minutes is not None and total > cap.week_cap_minutes:
                faults.append(f"week {week}: cap broken with {total} minutes")
    for order in problem.patterns:
        made = [v for v in order.visits if v in where]
        days = {v: where[v].day for v in made}
        fits = [p for p in order.patterns if {**dict(zip(order.visits, p, strict=True)), **days}
                == dict(zip(order.visits, p, strict=True))]  # fmt: skip
        if made and movable(*made) and not fits:
            faults.append(f"visits {made}: on days that are no pattern")
    if problem.touch.max_patients is not None:
        hit = set()
        for index, visit in enumerate(problem.visits):
            now, a = visit.current, where.get(index)
            if now is not None and visit.patient not in problem.touch.exempt_patients:
                moved = a is None or (a.clinician, a.day) != (now.clinician, now.day)
                if moved or a is None or abs(a.start_minute - now.start_minute) > now.time_tolerance_minutes:
                    hit.add(visit.patient)
        if len(hit) > problem.touch.max_patients:
            faults.append(f"{len(hit)} patients are touched")
    for link in problem.links:
        one, two = where.get(link.first), where.get(link.second)
        if not movable(link.first, link.second) or (one is None and two is None):
            continue
        if one is None or two is None:
            alone = link.first if two is None else link.second
            if not problem.visits[alone].locked:
                faults.append(f"link {link.first}-{link.second}: one without the other")
            continue
        gap = two.start_minute - one.start_minute
        low, high = (0, 0) if link.kind is LinkKind.TOGETHER else (link.min_minutes, link.max_minutes)
        if link.kind is not LinkKind.BOTH and not low <= gap <= high:
            faults.append(f"link {link.first}-{link.second}: {gap} minutes apart")
        if link.different_clinicians and one.clinician == two.clinician:
            faults.append(f"link {link.first}-{link.second}: one clinician in both")
        if link.same_clinician and one.clinician != two.clinician:
            faults.append(f"link {link.first}-{link.second}: two clinicians")
    return faults


def faults_of(problem: Problem, plan: Plan) -> list[str]:
    """Every broken hard rule as a sentence; empty if the plan is allowed."""
    faults = visit_faults(problem, plan) + tie_faults(problem, plan)
    worked: dict[tuple[int, int], int] = {}
    for clinician in range(len(problem.clinicians)):
        for day in range(len(problem.days)):
            found, minutes = day_faults(problem, plan, clinician, day)
            faults += found
            key = (clinician, problem.days[day].week)
            worked[key] = worked.get(key, 0) + minutes
    for (clinician, week), minutes in worked.items():
        person = problem.clinicians[clinician]
        before = person.already_worked_minutes[week] if week < len(person.already_worked_minutes) else 0
        if minutes and person.week_max_minutes is not None and before + minutes > person.week_max_minutes:
            faults.append(f"clinician {clinician} week {week}: {before + minutes} minutes")
    return faults
