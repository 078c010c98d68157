"""The places of a run and the ways between them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coordinator.agency.model import Branch
from coordinator.patients.model import IMPRECISE, Patient
from coordinator.staff.model import Clinician
from coordinator.travel.times import Point
from coordinator.travel.ways import Ways

#: Answers with the time between all points: `travel.ways.matrix`, with a `Work` in its hand.
Ask = Callable[[Sequence[Point]], Ways]


def points_of(branch: Branch, patients: Iterable[Patient], clinicians: Iterable[Clinician]) -> list[Point]:
    """Every point between which a run may want to know the way, each once."""
    points = [(branch.office_lat, branch.office_lon)]
    points += [
        (patient.home.lat, patient.home.lon)
        for patient in patients
        if patient.home is not None and patient.home.lat is not None and patient.home.lon is not None
    ]
    for clinician in clinicians:
        points += [(clinician.start_lat, clinician.start_lon), (clinician.end_lat, clinician.end_lon)]
    return list(dict.fromkeys(points))


class Places:
    """Every home and every start and end of a day, with the time between them.

    `seconds` are on the road. `planned_seconds` add the buffer that LAB-04 wants between two stops to every way that
    ends at a home: the same for each, so that it takes time and favours nobody.
    """

    def __init__(
        self,
        branch: Branch,
        patients: Iterable[Patient],
        clinicians: Iterable[Clinician],
        *,
        buffer_minutes: int,
        ask: Ask,
    ) -> None:
        self.points: list[Point] = []
        #: Patients whose home has no point: the branch's office stands in, and the result says so. Of those who are no
        #: rows (guests, and whom a slot is held for) the referral or scenario says it: their numbers name nobody.
        self.unlocated: list[int] = []
        #: Patients whose point is not their own front door's block -> how precise it is.
        self.imprecise: dict[int, str] = {}
        self._homes: dict[int, int] = {}
        self._known: dict[Point, int] = {}
        office = (branch.office_lat, branch.office_lon)
        for patient in patients:
            home = patient.home
            if home is None or home.lat is None or home.lon is None:
                if patient.id > 0:
                    self.unlocated.append(patient.id)
                point = office
            else:
                point = (home.lat, home.lon)
                if home.point_precision in IMPRECISE:
                    self.imprecise[patient.id] = home.point_precision
            self._homes[patient.id] = len(self.points)
            self.points.append(point)
        homes = len(self.points)
        self._ends: Mapping[int, tuple[int, int]] = {
            clinician.id: (
                self._place((clinician.start_lat, clinician.start_lon)),
                self._place((clinician.end_lat, clinician.end_lon)),
            )
            for clinician in clinicians
        }
        #: Per pair of points how long the way takes, and by whose word.
        self.ways: Ways = ask(self.points)
        self.seconds: NDArray[np.int32] = self.ways.seconds
        self.planned_seconds: NDArray[np.int32] = self.seconds.copy()
        self.planned_seconds[:, :homes] += buffer_minutes * 60

    def _place(self, point: Point) -> int:
        if point not in self._known:
            self._known[point] = len(self.points)
            self.points.append(point)
        return self._known[point]

    def home(self, patient_id: int) -> int:
        """Where the patient is visited."""
        return self._homes[patient_id]

    def start(self, clinician: Clinician) -> int:
        """Where the clinician's day begins."""
        return self._ends[clinician.id][0]

    def end(self, clinician: Clinician) -> int:
        """Where the clinician's day ends."""
        return self._ends[clinician.id][1]

    def minutes(self, here: int, there: int) -> int:
        """Minutes to plan for the way, rounded up, buffer included."""
        return -(-int(self.planned_seconds[here, there]) // 60)

    def road_minutes(self, here: int, there: int) -> int:
        """Minutes on the road, rounded up."""
        return -(-int(self.seconds[here, there]) // 60)
