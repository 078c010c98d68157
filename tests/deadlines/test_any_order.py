"""No order of events loses or doubles an obligation: what is in the book is what the facts and people's words say."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.deadlines import service
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.obligation import Asked, Obligation, Owed
from coordinator.deadlines.sweep import follow
from coordinator.domain.vocabulary import DeadlineWaiver
from tests.builders import (
    make_branch,
)
from tests.conftest import WorkAs, actor_with

_SETTINGS = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FIRST = datetime(2026, 11, 9, 20, tzinfo=UTC)
_run = count(1)

# ------------------------------------------------------------------------------------ facts that come and go


@dataclass
class Facts:
    """What is owed by subject, in two kinds: one closed by facts alone, one that asks no more once a person said so."""

    run: int
    owed: dict[tuple[str, str], tuple[date, bool]] = field(default_factory=dict)

    def entries(self) -> list[Obligation]:
        def cases(kind: str) -> Callable[[Any], Iterable[Any]]:
            return lambda _: [(name, due, met) for (of, name), (due, met) in sorted(self.owed.items()) if of == kind]

        def owes(case: tuple[str, date, bool], _: Asked) -> Iterator[Owed]:
            name, due, met = case
            yield Owed(f"{name}:{self.run}", due, met="met" if met else None)

        return [
            Obligation("ANY-1", "close-record", "clinical_manager", cases("ANY-1"), owes),
            Obligation("ANY-2", "close-record", "clinical_manager", cases("ANY-2"), owes, once=True),
        ]


KINDS, NAMES = st.sampled_from(["ANY-1", "ANY-2"]), st.sampled_from(["a", "b", "c"])
DEEDS = st.one_of(
    st.tuples(st.just("owe"), KINDS, NAMES, st.integers(-40, 40)),
    st.tuples(st.just("meet"), KINDS, NAMES),
    st.tuples(st.just("drop"), KINDS, NAMES),
    st.tuples(st.sampled_from(["done", "waive"]), st.integers(0, 5)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("days"), st.integers(0, 20)),
)


@given(deeds=st.lists(DEEDS, min_size=4, max_size=25))
@_SETTINGS
def test_the_book_is_what_facts_and_people_say_in_any_order(
    database: Database, work_as: WorkAs, deeds: list[tuple[Any, ...]]
) -> None:
    """Kept beside the book: what each person closed, and what is owed. Nothing else may be in it, and nothing twice."""
    with database.transaction() as session:
        branch_id = make_branch(session).id
    facts, now = Facts(next(_run)), FIRST
    manager = actor_with("clinical_manager", branch_ids=frozenset({branch_id}))
    said: dict[tuple[str, str, date], str] = {}
    with work_as(now=now) as work:
        for deed in [*deeds, ("sweep",), ("sweep",)]:
            name, *given_ = deed
            if name == "owe":
                facts.owed[given_[0], given_[1]] = now.date() + timedelta(days=given_[2]), False
            elif name == "meet" and tuple(given_) in facts.owed:
                facts.owed[given_[0], given_[1]] = facts.owed[given_[0], given_[1]][0], True
            elif name == "drop":
                facts.owed.pop((given_[0], given_[1]), None)
            elif name == "days":
                now += timedelta(days=given_[0])
                work.now = now
            elif name in ("done", "waive"):
                _by_person(work, manager, branch_id, given_[0], name, said)
            elif name == "sweep":
                follow(work, branch_id, entries=facts.entries())
                _holds(work, branch_id, facts, said, now.date())
                again = follow(work, branch_id, entries=facts.entries())
                assert (again.opened, again.closed, again.amended) == (0, 0, 0)


def _rows(work: Work, branch_id: int) -> list[Deadline]:
    work.session.flush()
    return work.session.query(Deadline).filter_by(branch_id=branch_id).order_by(Deadline.id).all()


def _by_person(
    work: Work, manager: Actor, branch_id: int, which: int, how: str, said: dict[tuple[str, str, date], str]
) -> None:
    rows = [row for row in _rows(work, branch_id) if row.status.value == "open"]
    if not rows:
        return
    row = rows[which % len(rows)]
    acting = Work(work.session, manager, work.now, work.policy, trail=work.trail)
    if how == "done":
        service.done(acting, row.id, "done")
    else:
        service.waive(acting, row.id, DeadlineWaiver.NOT_APPLICABLE, "does not apply")
    said[row.rule, row.subject, row.due_on] = "done" if how == "done" else "waived"


def _holds(work: Work, branch_id: int, facts: Facts, said: dict[tuple[str, str, date], str], today: date) -> None:
    rows = _rows(work, branch_id)
    book = {(row.rule, row.subject, row.due_on): row for row in rows}
    assert len(book) == len(rows)
    settled = {(rule, subject) for rule, subject, _ in said if rule == "ANY-2"}
    wanted = {
        (kind, f"{name}:{facts.run}", due)
        for (kind, name), (due, met) in facts.owed.items()
        if not met
    }  # fmt: skip
    for key in wanted:
        history = key[2] < today - timedelta(days=work.policy.deadlines.catch_up_days)
        if key in said or key[:2] in settled or (history and key not in book):
            continue
        assert book[key].status.value == "open", f"lost: {key}"
    for key, row in book.items():
        assert row.status.value == said.get(key, row.status.value), "what a person said stays"
        assert (row.closed_at is None) == (row.status.value == "open")
        if row.status.value == "open":
            assert key in wanted, f"owed to nobody: {key}"
