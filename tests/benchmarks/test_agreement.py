"""The planner's score and the independent checker agree on random instances and random routes, good and bad."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.formats.uhhc import read
from benchmarks.formats.uhhc_file import HARD, IN_MINUTES, MUST_BE_ZERO
from tests.benchmarks.test_uhhc import checker


def random_instance(rng: random.Random) -> dict[str, Any]:
    """A small day with any weights, hard ones too, and everything that the format has."""
    depots, patients, people = rng.randint(1, 2), rng.randint(1, 5), rng.randint(1, 4)
    size = depots + patients
    origin = rng.choice(("generated", "bazirha", "bazirha-caie", "small"))
    services = [{"id": f"s{n}", "type": f"t{n}", "default_duration": 10 + n} for n in range(3)]
    shifts = origin.startswith("bazirha") or rng.random() < 0.8
    names = sorted(IN_MINUTES | MUST_BE_ZERO)
    weights = {name: rng.choice((None, HARD, 0, 1, 2, 7, 0.5)) for name in names if rng.random() < 0.7}

    def windows() -> list[Any]:
        found, at = [], rng.randint(0, 60)
        for _ in range(rng.randint(1, 3)):
            found.append({"start": at, "end": at + rng.randint(1, 80)})
            at = found[-1]["end"] + rng.choice((0, 20, 60))
        return found

    def synchronization(count: int) -> dict[str, Any]:
        kind = rng.choice(("simultaneous", "sequential", "independent"))
        low = rng.randint(0, 30)
        distance = {"distance": {"min": low, "max": low + rng.randint(0, 60)}} if kind == "sequential" else {}
        return {"synchronization": {"type": kind} | distance} if count > 1 else {}

    wanted = [rng.sample(range(3), k=rng.choice((1, 1, 2, 3))) for _ in range(patients)]
    raw = {
        "metadata": {
            "time_window_met": rng.choice(("at_service_start", "at_service_end")),
            "cost_components": weights,
            "origin": origin,
            "horizon": 400,
        },
        "distances": [[0 if i == j else rng.randint(0, 30) for j in range(size)] for i in range(size)],
        "terminal_points": [{"id": f"d{n}", "distance_matrix_index": n} for n in range(depots)],
        "caregivers": [
            {
                "id": f"c{n}",
                "abilities": rng.sample(["s0", "s1", "s2"], k=rng.randint(0, 3)),
                "departing_point": f"d{rng.randrange(depots)}",
                "lunch_break": rng.random() < 0.6,
            }
            | ({"arrival_point": f"d{rng.randrange(depots)}"} if rng.random() < 0.3 else {})
            | ({"working_shift": [rng.randint(0, 60), rng.randint(150, 400)]} if shifts else {})
            for n in range(people)
        ],
        "services": services,
        "patients": [
            {
                "id": f"p{n}",
                "distance_matrix_index": depots + n,
                "required_services": [
                    {"service": f"s{s}"} | ({"duration": rng.randint(5, 40)} if rng.random() < 0.8 else {})
                    for s in wanted[n]
                ],
                "time_windows": windows(),
                "optional": rng.random() < 0.5,
            }
            | synchronization(len(wanted[n]))
            | ({"preferred_caregivers": [f"c{rng.randrange(people)}"]} if rng.random() < 0.5 else {})
            | ({"incompatible_caregivers": [f"c{rng.randrange(people)}"]} if rng.random() < 0.4 else {})
            for n in range(patients)
        ],
    }  # fmt: skip
    if rng.random() < 0.8:
        raw["lunch_breaks"] = {"start": 100, "end": rng.randint(130, 220), "min_duration": 30}
    if weights.get("workload_balance") == 0.5:
        weights["workload_balance"] = 1
    return raw


def stop(patient: str, service: str, minutes: int, earliest: int, rng: random.Random) -> dict[str, Any]:
    """One stop, often as early as it may be."""
    start = earliest + rng.choice((0, 0, 0, 15))
    return {"patient": patient, "service": service, "arrival_time": start, "departure_time": start + minutes}


def random_solution(raw: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Every caregiver starts each stop when there, or some time later; services and lunches fall where they may."""
    way = raw["distances"]
    at = {t["id"]: t["distance_matrix_index"] for t in raw["terminal_points"]}
    minutes = {s["id"]: s["default_duration"] for s in raw["services"]}
    jobs: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for patient in raw["patients"]:
        if rng.random() < 0.75:
            jobs += [
                (patient["time_windows"][0]["start"], patient, service) for service in patient["required_services"]
            ]
    jobs.sort(key=lambda job: job[0] + rng.randint(0, 40))
    routes: dict[str, list[tuple[Any, ...]]] = {c["id"]: [] for c in raw["caregivers"]}
    for _, patient, service in jobs:
        able = [c["id"] for c in raw["caregivers"] if service["service"] in c["abilities"]]
        who = rng.choice(able) if able and rng.random() < 0.9 else rng.choice(list(routes))
        routes[who].append((patient, service))
    written = []
    for caregiver in raw["caregivers"]:
        here, free = at[caregiver["departing_point"]], caregiver.get("working_shift", [0])[0]
        stops: list[dict[str, Any]] = []
        wanted = routes[caregiver["id"]]
        eaten = not caregiver["lunch_break"] or "lunch_breaks" not in raw or rng.random() < 0.2
        for patient, service in wanted:
            free += way[here][patient["distance_matrix_index"]] if rng.random() < 0.97 else 0
            here = patient["distance_matrix_index"]
            if not eaten and free > 80:
                stops.append(stop(patient["id"], "lunch_break", 30, max(free, 100), rng))
                free, eaten = stops[-1]["departure_time"], True
            length = service.get("duration", minutes[service["service"]])
            opens = patient["time_windows"][0]["start"] if rng.random() < 0.95 else 0
            stops.append(stop(patient["id"], service["service"], length, max(free, opens), rng))
            free = stops[-1]["departure_time"]
        if stops and not eaten:
            stops.append(stop(stops[-1]["patient"], "lunch_break", 30, max(free, 100), rng))
        written.append({"caregiver_id": caregiver["id"]} | ({"locations": stops} if stops else {}))
    return {"cost_components": {}, "routes": written}


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1_000_000_000))
def test_score_and_checker_agree_on_any_routes(seed: int):
    rng = random.Random(seed)
    raw = random_instance(rng)
    solution = random_solution(raw, rng)
    check = checker()
    case = read(raw, "random")
    plan = case.plan_of(solution)
    result = case.result(plan)
    report = check.check(check.read_instance(raw), check.read_solution(solution))
    assert bool(report.violations) == bool(result.violations), (report.violations, result.violations)
    impossible = {"shift_start", "overlap", "travel", "malformed"}
    if not impossible & {violation["rule"] for violation in report.violations}:
        assert result.components == report.components
        assert result.weighted == report.weighted
        assert result.cost == report.objective
