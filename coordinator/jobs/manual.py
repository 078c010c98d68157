"""A clock that is moved by hand, for tests and rehearsals: time stands still until it is told to go on."""

from dataclasses import replace
from datetime import datetime

from coordinator.jobs.clock import tick
from coordinator.jobs.context import Workshop
from coordinator.jobs.timetable import slots_due
from coordinator.jobs.worker import Worker


class ManualScheduler:
    """Drives the real timetable, tick and worker through time, one slot after the other."""

    def __init__(self, workshop: Workshop, start: datetime) -> None:
        self.now = start
        self.workshop = replace(workshop, now=lambda: self.now)
        self.worker = Worker(self.workshop)

    def advance(self, to: datetime, *, perform: bool = True) -> int:
        """Live through every slot up to and with `to`, doing the jobs as they fall due; the number of jobs queued."""
        if to < self.now:
            raise ValueError(f"time does not run backwards, from {self.now} to {to}")
        with self.workshop.database.transaction(write=False) as session:
            places = self.workshop.places(session)
        slots = {
            slot
            for place in places
            for entry in self.workshop.clock
            for slot in slots_due(entry, place.zone, self.now, to)
        }
        queued = 0
        for moment in sorted(slots | {to}):
            self.now = moment
            queued += tick(self.workshop, moment)
            if perform:
                self.worker.run_once()
        return queued
