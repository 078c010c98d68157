"""The least cost of a tiny rich week, proved by CP-SAT from a model of its own; shares nothing with the planner.

Knows windows, skills, shifts, visits a day, waiting, daily overtime, preferred times, wishes for clinicians, at most
one visit of an order a day, a patient who cannot be in two places, and pairs that start together.
"""

from __future__ import annotations

from itertools import combinations

from ortools.sat.python import cp_model

from coordinator.planner.plan import Assignment, Plan
from coordinator.planner.problem import Problem


def best_plan(problem: Problem) -> tuple[Plan, int]:
    """The best plan and its cents. Raises AssertionError when it cannot be proved within a minute."""
    model = cp_model.CpModel()
    end = problem.days[-1].end_minute
    minutes = -(-problem.travel_seconds // 60)
    visits, slots, weights = problem.visits, problem.slots, problem.weights
    start = [model.new_int_var(0, end, f"start {v}") for v in range(len(visits))]
    placed = [model.new_bool_var(f"placed {v}") for v in range(len(visits))]
    made = {
        (v, s): model.new_bool_var(f"{v} in {s}")
        for v, visit in enumerate(visits)
        for s, slot in enumerate(slots)
        if slot.day in visit.windows and slot.clinician not in visit.forbidden
    }
    cost = []
    for v, visit in enumerate(visits):
        mine = [literal for (w, _), literal in made.items() if w == v]
        model.add(sum(mine) == placed[v])
        cost.append(visit.unplaced_cost * (1 - placed[v]))
        late = model.new_int_var(0, end, f"late {v}")
        cost.append(visit.late_cost * late)
        for s, slot in enumerate(slots):
            if (v, s) not in made:
                continue
            spans = cp_model.Domain.from_intervals(
                [[w.earliest_start, w.latest_start] for w in visit.windows[slot.day]]
            )
            model.add_linear_expression_in_domain(start[v], spans).only_enforce_if(made[v, s])
            if slot.day in visit.preferred:
                limit = visit.preferred[slot.day][-1].latest_start
                model.add(late >= start[v] - limit).only_enforce_if(made[v, s])
            for wish in visit.preferences:
                cost.append(wish.costs.get(slot.clinician, wish.otherwise) * made[v, s])
    for s, slot in enumerate(slots):
        cost += _route(model, problem, minutes, s, [v for v in range(len(visits)) if (v, s) in made], made, start)
        mine = [made[v, s] for v in range(len(visits)) if (v, s) in made]
        if slot.max_visits is not None:
            model.add(sum(mine) <= slot.max_visits)
    for tie in problem.spacings:
        for day in range(len(problem.days)):
            model.add(sum(x for (v, s), x in made.items() if v in tie.visits and slots[s].day == day) <= 1)
    together = {frozenset((link.first, link.second)) for link in problem.links}
    for one, other in together:
        model.add(placed[one] == placed[other])
        model.add(start[one] == start[other]).only_enforce_if(placed[one])
        for (v, s), x in made.items():
            if v == one and (other, s) in made:
                model.add(x + made[other, s] <= 1)
    for one, other in combinations(range(len(visits)), 2):
        if visits[one].patient == visits[other].patient and frozenset((one, other)) not in together:
            spans = [
                model.new_optional_fixed_size_interval_var(
                    start[v], visits[v].minutes, placed[v], f"care {v} {one}{other}"
                )
                for v in (one, other)
            ]
            model.add_no_overlap(spans)
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 60
    solver.parameters.num_workers = 2
    assert solver.solve(model) == cp_model.OPTIMAL, problem.name
    assert weights.travel_kilometre == weights.fairness_minute == 0
    assignments = [
        Assignment(v, slots[s].clinician, slots[s].day, solver.value(start[v]))
        for (v, s), literal in made.items()
        if solver.value(literal)
    ]
    return Plan.of(assignments), round(solver.objective_value)


def _route(model, problem, minutes, s, mine, made, start):
    """One slot's tour as a circuit through home (node 0); what its driving, waiting and overtime cost."""
    slot, visits, weights = problem.slots[s], problem.visits, problem.weights
    leave = model.new_int_var(slot.shift_start, slot.shift_end, f"leave {s}")
    back = model.new_int_var(slot.shift_start, slot.shift_end, f"back {s}")
    idle = model.new_bool_var(f"idle {s}")
    model.add(leave == back).only_enforce_if(idle)
    arcs, driving = [(0, 0, idle)], []
    for i, v in enumerate(mine, start=1):
        visit = visits[v]
        arcs.append((i, i, made[v, s].negated()))
        first, last = model.new_bool_var(""), model.new_bool_var("")
        there = int(minutes[slot.start_place, visit.place])
        home = int(minutes[visit.place, slot.end_place])
        arcs += [(0, i, first), (i, 0, last)]
        driving += [there * first, home * last]
        model.add(leave == start[v] - there).only_enforce_if(first)
        model.add(back == start[v] + visit.minutes + home).only_enforce_if(last)
        for j, w in enumerate(mine, start=1):
            if i != j:
                follows = model.new_bool_var("")
                way = int(minutes[visit.place, visits[w].place])
                arcs.append((i, j, follows))
                driving.append(way * follows)
                model.add(start[w] >= start[v] + visit.minutes + way).only_enforce_if(follows)
    model.add_circuit(arcs)
    care = sum(visits[v].minutes * made[v, s] for v in mine)
    waiting = back - leave - sum(driving) - care
    cost = [weights.travel_minute * sum(driving), weights.waiting_minute * waiting]
    if slot.overtime_after_minutes is not None:
        over = model.new_int_var(0, 1440, f"over {s}")
        model.add(over >= back - leave - slot.overtime_after_minutes)
        cost.append(weights.overtime_minute * over)
    return cost
