"""Small published instances, made up here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Published instances, where somebody has put them beside the project."""


def uhhc(**metadata: Any) -> dict[str, Any]:
    """Two caregivers with a lunch each, three patients: one of them with two services, one optional, one twice open."""
    raw: dict[str, Any] = {
        "metadata": {
            "time_window_met": "at_service_start",
            "cost_components": {
                "travel_time": 1, "total_tardiness": 8, "highest_tardiness": 5, "total_waiting_time": 7,
                "total_extra_time": 3, "max_idle_time": 2, "caregiver_preferences": 9, "optional_patients": 200,
                "missed_lunch_break": 60,
            },
            "origin": "generated",
            "horizon": 600,
        },
        "distances": [[0, 10, 20, 30], [12, 0, 8, 25], [20, 9, 0, 14], [30, 26, 15, 0]],
        "terminal_points": [{"id": "d0", "distance_matrix_index": 0}],
        "caregivers": [
            {"id": "ann", "abilities": ["wash"], "departing_point": "d0", "lunch_break": True,
             "working_shift": {"start": 0, "end": 300}},
            {"id": "bob", "abilities": ["inject", "wash"], "departing_point": "d0", "lunch_break": True,
             "working_shift": {"start": 30, "end": 240}},
        ],
        "services": [
            {"id": "wash", "type": "care", "default_duration": 25}, {"id": "inject", "type": "cure"},
        ],
        "lunch_breaks": {"start": 100, "end": 200, "min_duration": 30},
        "patients": [
            {"id": "p0", "distance_matrix_index": 1, "preferred_caregivers": ["ann"],
             "required_services": [{"service": "wash"}], "time_windows": [{"start": 60, "end": 120}]},
            {"id": "p1", "distance_matrix_index": 2,
             "required_services": [{"service": "wash", "duration": 15}, {"service": "inject", "duration": 10}],
             "synchronization": {"type": "sequential", "distance": {"min": 5, "max": 40}},
             "time_windows": [{"start": 90, "end": 100}, {"start": 150, "end": 180}]},
            {"id": "p2", "distance_matrix_index": 3, "optional": True, "incompatible_caregivers": ["bob"],
             "required_services": [{"service": "wash", "duration": 20}], "time_windows": [[200, 230]]},
        ],
    }  # fmt: skip
    raw = copy.deepcopy(raw)
    raw["metadata"] |= metadata
    return raw


UHHC_SOLUTION: dict[str, Any] = {
    "cost_components": {},
    "routes": [
        {
            "caregiver_id": "ann",
            "locations": [
                {"patient": "p0", "service": "wash", "arrival_time": 60, "departure_time": 85},
                {"patient": "p1", "service": "wash", "arrival_time": 110, "departure_time": 125},
                {"patient": "p2", "service": "lunch_break", "arrival_time": 140, "departure_time": 170},
                {"patient": "p2", "service": "wash", "arrival_time": 200, "departure_time": 220},
            ],
        },
        {
            "caregiver_id": "bob",
            "locations": [
                {"patient": "p1", "service": "lunch_break", "arrival_time": 100, "departure_time": 130},
                {"patient": "p1", "service": "inject", "arrival_time": 140, "departure_time": 150},
            ],
        },
    ],
}
UHHC_AMOUNTS = {
    # Ann 10 + 8 + 14 + 30, Bob 20 + 20.
    "travel_time": 102,
    # p1 is late by 10 for washing and by 40 for injecting: the second window has not opened yet.
    "total_tardiness": 50,
    "highest_tardiness": 40,
    # Ann waits 110 - 93 before p1, 140 - 139 before lunch and 200 - 170 after it; Bob's wait after lunch is forgiven.
    "total_waiting_time": 17 + 1 + 30,
    "max_waiting_time": 30,
    "total_extra_time": 0,
    # Ann: 300 - 62 of travel - 60 of care - 30 of lunch; Bob: 210 - 40 - 10 - 30.
    "max_idle_time": 148,
    "caregiver_preferences": 0,
    "optional_patients": 0,
    "missed_lunch_break": 0,
    "qualification": 0,
    "incompabilities": 0,
    "working_time": 102 + 70,
    # Loads 122 and 50: each 36 from the mean.
    "workload_balance": 72,
}

HHCRSP = """\
nbNodes
5
nbVehi
2
nbServi
2
r
1 1
1 0
0 1
1 1
1 1
DS
4
a
1 0
0 1
x
0 3 0 3 0
y
0 0 4 4 0
d
0 3.0 4.0 5.0 0
3.0 0 5.0 4.0004 3.0
4.0 5.0 0 3.0 4.0
5.0 4.0004 3.0 0 5.0
0 3.0 4.0 5.0 0
p
0 0
0 0
10 10
10 10
10 10
10 10
12.5 12.5
12.5 12.5
0 0
0 0
mind
0 0 0 4 0
maxd
0 0 0 9 0
e
0 5 0 15 0
l
600 15 8 20 1000
"""
"""Two caregivers with one service each; patient 3 asks for both, the second 4 to 9 minutes after the first."""

HHCRSP_SOLUTION: dict[str, Any] = {
    "routes": [
        {"caregiver_id": "c1", "locations": [
            {"patient": "p1", "service": "s1", "arrival_time": 5.0},
            {"patient": "p3", "service": "s1", "arrival_time": 19.001},
        ]},
        {"caregiver_id": "c2", "locations": [
            {"patient": "p2", "service": "s2", "arrival_time": 10.0},
            {"patient": "p3", "service": "s2", "arrival_time": 23.001},
        ]},
    ]
}  # fmt: skip
