"""No order of events loses or doubles an obligation: what is in the book is what the facts and people's words say."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.core.db import Database
from coordinator.core.work import Actor, Work
from coordinator.deadlines import service
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.obligation import Asked, Obligation, Owed
from coordinator.deadlines.remind import look_after
from coordinator.deadlines.sweep import follow
from coordinator.domain.care import InstrumentCode
from coordinator.domain.timeline import at_wall_clock
from coordinator.domain.vocabulary import DeadlineWaiver, Discipline, Performer
from coordinator.staff.model import Physician
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_patient,
    make_physician,
)
from tests.conftest import WorkAs, actor_with
from tests.deadlines.kit import PACIFIC
from tests.deadlines.town import (
    Deed,
    Person,
    Town,
    assess,
    confer,
    go_out,
    meet,
    observe,
    stand_behind,
    supervise,
    take,
    tell_of_rights,
)

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


# ------------------------------------------------------------------------------------ what really happens

SOC, TODAY = date(2026, 10, 26), date(2026, 11, 9)
#: How an event of the story is told: as it happens, not at all, or twice.
TOLD = st.sampled_from(["once", "never", "twice"])


def _life(session: Any, branch: Any) -> Town:
    """Somebody to whom the story is about to happen, with staff of their own."""
    # One physician serves all examples: numbers that check are few.
    physician = session.query(Physician).order_by(Physician.id).first() or make_physician(session)
    patient = make_patient(session, branch, managing_physician_id=physician.id)
    episode = make_episode(session, patient, soc=None)
    plan = make_care_plan(session, episode, physician)
    nurse, aide, vocational = (
        make_clinician(session, branch, performer) for performer in (Performer.RN, Performer.CHHA, Performer.LVN)
    )
    assert physician.npi is not None
    person = Person(patient.id, episode.id, plan.id, nurse.id)
    manager = actor_with("clinical_manager", branch_ids=frozenset({branch.id}))
    return Town(
        SOC, TODAY, branch.id, manager, {"A": person}, aide.id, nurse.id, vocational.id, physician.npi
    )  # fmt: skip


def _story(town: Town) -> list[Deed]:
    """A fortnight: all of it is recorded on one day, at one instant, in whatever order."""
    town.admit("A", SOC)
    for key, discipline in (("SN", Discipline.SN), ("HHA", Discipline.HHA)):
        town.order("A", key, SOC, SOC, SOC + timedelta(days=59), 1, discipline=discipline)
    town.visit("A", SOC + timedelta(days=3), discipline=Discipline.HHA, by=town.aide_id, under="HHA")
    town.visit("A", SOC + timedelta(days=4), under="SN")
    town.visit("A", SOC + timedelta(days=5), by=town.vocational_id, hour=14, note=False, under="SN")
    for deed in (
        supervise(town, SOC + timedelta(days=7)), observe(town, "A"), stand_behind(town, "A"), assess(town, "A", SOC),
        meet(town, "A", SOC), tell_of_rights(town, "A"), go_out(town, "A"), go_out(town, "A"), confer(town, "A"),
        take(town, "A", InstrumentCode.ESAS_R),
    ):  # fmt: skip
        town.on(TODAY, deed)
    return [deed for _, deeds in sorted(town.deeds.items()) for deed in deeds]


DEEDS_OF_STORY = 16
#: Visits, and the order that each names: of these two the order is recorded first, whatever is told first otherwise.
UNDER = {3: 2, 4: 1, 5: 1}


def _in_turn(order: list[int]) -> list[int]:
    turn = list(order)
    for visit, its_order in UNDER.items():
        there, here = turn.index(its_order), turn.index(visit)
        if here < there:
            turn[here], turn[there] = its_order, visit
    return turn


def _owed(work: Work, town: Town) -> set[tuple[str, str, str, date]]:
    """What is open for that patient and that aide, with the same names whoever they are."""
    person = town.people["A"]
    # Orders and visits are numbered apart: an order may have the number of somebody's visit.
    names = {
        f"patient:{person.patient_id}": "patient", f"episode:{person.episode_id}": "episode",
        f"aide:{town.aide_id}": "aide",
        **{f"{'visit' if key.startswith('visit') else 'order'}:{row}": key for key, row in person.rows.items()},
    }  # fmt: skip
    found = set()
    for row in _rows(work, town.branch_id):
        kind, number, *part = row.subject.split(":")
        name = names.get(f"{kind}:{number}")
        if name is not None and row.status.value == "open":
            what = ":".join(part).replace(f"aide-{town.aide_id}", "the aide")
            found.add((row.rule, row.task, f"{name}:{what}", row.due_on))
    return found


@pytest.mark.long_on("postgresql")
@given(
    order=st.permutations(range(DEEDS_OF_STORY)),
    told=st.lists(TOLD, min_size=DEEDS_OF_STORY, max_size=DEEDS_OF_STORY),
    sweeps=st.sets(st.integers(0, DEEDS_OF_STORY), max_size=4),
)
@settings(_SETTINGS, max_examples=8)
def test_a_story_told_in_any_order_leaves_the_book_of_its_facts(
    database: Database, work_as: WorkAs, order: list[int], told: list[str], sweeps: set[int]
) -> None:
    """Told late, twice or never, with nights between: in the end there is what one night finds in the facts alone."""
    with database.transaction() as session:
        branch = make_branch(session)
        lives = [_life(session, branch) for _ in range(2)]
    stories = [_story(town) for town in lives]
    assert [len(story) for story in stories] == [DEEDS_OF_STORY] * 2
    noon = at_wall_clock(TODAY, time(12), PACIFIC)
    with work_as(now=noon) as work:
        handlers = work.handlers
        for place, number in enumerate(_in_turn(order)):
            if place in sweeps:
                look_after(work, branch.id)
            times = {"once": 1, "never": 0, "twice": 2}[told[number]]
            work.handlers = {event: hears * times for event, hears in handlers.items()}
            stories[0][number](work)
        work.handlers = {}
        for deed in stories[1]:
            deed(work)
        work.handlers = handlers
        look_after(work, branch.id)
        mine, plain = (_owed(work, town) for town in lives)
        assert (sorted(mine - plain), sorted(plain - mine)) == ([], [])
        assert {"F2F-01", "SUP-05", "ACP-01"}.isdisjoint(rule for rule, *_ in mine)
        assert {"SUP-01", "SUP-03", "HB-02", "ASM-03", "IDT-02", "INS-08", "VIS-03"} <= {rule for rule, *_ in mine}
        # The schedule is owed with the first visit under its order, whichever visit was told of first.
        assert {row for row in mine if row[0] == "VIS-05"} == {
            ("VIS-05", "written-schedule", "SN:schedule", SOC + timedelta(days=4)),
            ("VIS-05", "written-schedule", "HHA:schedule", SOC + timedelta(days=3)),
        }
        change = look_after(work, branch.id)
        assert (change.opened, change.closed, change.amended) == (0, 0, 0)
