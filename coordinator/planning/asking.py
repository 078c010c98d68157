"""Questions about one visit in the plan as it stands.

A question is read from the rows, searched with nothing open, and told afterwards, which puts it on record: nobody waits
for a connection or for the writer while somebody else's question is thought over.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from coordinator.core.errors import Conflict, Invalid, TooMany
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import VisitStatus
from coordinator.planner import ProblemError, explain, relax, suggest
from coordinator.planning import words
from coordinator.planning.decode import reasons
from coordinator.planning.live import MOVERS, Question, question

#: Seconds that a search for relaxations may take in a request, and at the command line.
MOST_SECONDS, MOST_SECONDS_ALONE = 10, 60
MOST_SUGGESTIONS = 20
#: Questions that one process thinks over at a time; what else it has to do must not wait for them.
MOST_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and whom it shows."""

    action: str
    visit_id: int
    #: The patient of the visit that was asked about.
    patient_id: int
    body: dict[str, Any]
    facts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question as it was read from the rows; its answer needs the database no more."""

    action: str
    asked: Question
    think: Callable[[Question], tuple[dict[str, Any], dict[str, int]]]

    def search(self) -> Found:
        """The answer. TooMany when the process has its hands full, Conflict where visits are not tried one by one."""
        with _turn(), _in_words():
            body, facts = self.think(self.asked)
        visit = self.asked.visit
        return Found(self.action, visit.id, visit.patient_id, body, facts)


_turns = threading.BoundedSemaphore(MOST_AT_ONCE)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        raise TooMany(
            f"{MOST_AT_ONCE} questions are being thought over already. Ask again in some seconds.",
            code="too-many-questions",
            retry_after=MOST_SECONDS // 2,
        )
    try:
        yield
    finally:
        _turns.release()


@contextmanager
def _in_words() -> Iterator[None]:
    """What the planner does not plan is said to people as something that stands in the way."""
    try:
        yield
    except ProblemError as error:
        raise Conflict(
            f"What stands around the visit cannot be tried visit by visit ({error}). Place the visit by hand.",
            code="not-answerable",
        ) from error


def _read(work: Work, visit_id: int, *, other_days: bool = False, movers: int = 0) -> Question:
    with _turn():
        pass  # who would be refused afterwards is refused before anything is read
    with _in_words():
        return question(work, visit_id, other_days=other_days, movers=movers)


# ------------------------------------------------------------------------------------ the questions


@permitted("visit:explain")
def explanation(work: Work, visit_id: int) -> Inquiry:
    """Where the visit is and what the next best would cost; or, of one without a place, what stops each clinician."""
    return Inquiry("visit.explained", _read(work, visit_id), _explain)


def _explain(asked: Question) -> tuple[dict[str, Any], dict[str, int]]:
    (entry,) = explain(asked.problem, asked.plan, only=[asked.number]).visits
    other = entry.alternative
    scene = asked.bridge.scene
    body = _head(asked) | {
        "placed": entry.assignment is not None,
        "clinician_id": asked.visit.clinician_id,
        "starts_at": asked.visit.starts_at,
        "alternative": None
        if other is None
        else {
            "clinician_id": scene.clinicians[other.clinician].id,
            "starts_at": scene.horizon.instant(other.start_minute).isoformat(),
            "extra_cost": other.extra_cost,
        },
        "reasons": reasons(asked.bridge, asked.number, entry.obstacles) if entry.assignment is None else [],
    }
    return body, {}


@permitted("visit:explain")
def suggestions(work: Work, visit_id: int, limit: int = 5) -> Inquiry:
    """Who could take the visit, when, at what cost, and what else would move; best first."""
    if not 1 <= limit <= MOST_SUGGESTIONS:
        raise Invalid(f"From 1 to {MOST_SUGGESTIONS} suggestions.", pointer="/query/limit")
    return Inquiry("visit.suggested", _read(work, visit_id, movers=MOVERS), partial(_suggest, limit=limit))


def _suggest(asked: Question, limit: int) -> tuple[dict[str, Any], dict[str, int]]:
    found = suggest(asked.problem, asked.plan, asked.number, limit)
    body = _head(asked) | {"suggestions": [words.suggestion(asked, one) for one in found]}
    return body, {"found": len(found)}


@permitted("visit:explain")
def relaxations(work: Work, visit_id: int, seconds: int = MOST_SECONDS) -> Inquiry:
    """Which changes would place a visit that has no place, each tried; what was not tried in time is said."""
    if not 1 <= seconds <= MOST_SECONDS_ALONE:
        raise Invalid(f"From 1 to {MOST_SECONDS_ALONE} seconds.", pointer="/query/seconds")
    asked = _read(work, visit_id, other_days=True)
    if asked.visit.status is not VisitStatus.PROPOSED:
        raise Invalid("The visit has a place. Ask for suggestions instead.", pointer="/visit_id")
    return Inquiry("visit.relaxations-sought", asked, partial(_relax, seconds=seconds))


def _relax(asked: Question, seconds: int) -> tuple[dict[str, Any], dict[str, int]]:
    until = time.monotonic() + seconds
    found = relax(asked.problem, asked.plan, asked.number, stop=lambda: time.monotonic() > until)
    return _head(asked) | words.relaxations(asked, found), {"tried": found.tried}


def _head(asked: Question) -> dict[str, Any]:
    return {
        "visit": asked.visit.id,
        "version": asked.visit.version,
        "zone": asked.bridge.scene.horizon.zone.key,
        "unlocated_patients": sorted(asked.bridge.places.unlocated),
    }


# ------------------------------------------------------------------------------------ telling


@permitted("visit:explain")
def tell(work: Work, found: Found) -> dict[str, Any]:
    """The answer is told: it is on record for the visit, and for every other patient whom it shows."""
    about = f"visit:{found.visit_id}"
    work.record(found.action, about, patient_id=found.patient_id, outcome="ok", **found.facts)
    for patient_id in sorted(_shown(found.body) - {found.patient_id}):
        work.record("visit.answer-shows-patient", about, patient_id=patient_id)
    return found.body


def _shown(body: dict[str, Any]) -> set[int]:
    """Patients who are named in an answer."""
    offers = [*body.get("suggestions", ()), *body.get("relaxations", ())]
    moved = {move["patient_id"] for offer in offers for move in offer["moves"]}
    return moved | set(body["unlocated_patients"])
