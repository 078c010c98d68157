"""What a payer authorised is counted at every door: the last visits warn, and past the limit nobody books (INT-04)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from coordinator.core.db import Database
from coordinator.core.errors import RuleBroken
from coordinator.domain.vocabulary import Discipline, Payer, VisitKind, VisitStatus
from coordinator.patients.model import Authorisation, Episode, Patient
from coordinator.rules.facts import Authorisation as Limit
from coordinator.rules.facts import Moment
from coordinator.rules.terms import Severity
from coordinator.rules.visit import ask
from coordinator.staff.model import Clinician
from coordinator.visits import cases, service
from coordinator.visits.model import Visit
from tests.builders import make_visit
from tests.conftest import WorkAs
from tests.visits.conftest import NEXT_MONDAY, TUESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]
FIRST = date(2026, 10, 1)


def authorise(database: Database, scene: Scene, discipline: Discipline = Discipline.SN, **given: Any) -> int:
    values = {"payer": Payer.KP, "maximum_visits": 20, "starts_on": FIRST, "ends_on": date(2026, 12, 31)} | given
    with database.transaction() as session:
        row = Authorisation(patient_id=scene.patient, discipline=discipline, **values)
        session.add(row)
        session.flush()
        return row.id


def made(database: Database, scene: Scene, count: int, first: date = FIRST, **given: Any) -> None:
    """So many visits made, one a day from `first`."""
    values = {"discipline": Discipline.SN, "status": VisitStatus.VERIFIED, "clinician_id": scene["nurse"]} | given
    with database.transaction() as session:
        patient, episode = session.get_one(Patient, scene.patient), session.get_one(Episode, scene.episode)
        for number in range(count):
            day = first + timedelta(days=number)
            make_visit(
                session, patient, episode, window_from=day, window_to=day, starts_at=local(day, 9),
                ends_at=local(day, 9, 45), **values,
            )  # fmt: skip


def limit(work_as: WorkAs, number: int, day: date = TUESDAY) -> Limit | None:
    with work_as() as work:
        visit = work.session.get_one(Visit, number)
        usage = cases.load(work, [visit]).case(visit, day=day).usage
        return usage.authorisation if usage else None


def test_past_the_payers_limit_nobody_books_without_an_override(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    authorise(database, scene)
    made(database, scene, 20)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
    (finding,) = (one for one in refused.value.findings if one.rule == "INT-04")
    assert finding.severity is Severity.BLOCK_OVR
    assert finding.sentence() == "All 20 SN visits of the plan are used."
    with work_as(scene.actor("manager")) as work:
        visit = service.assign(
            work,
            number,
            scene["nurse"],
            local(TUESDAY, 9),
            override={"reason_code": "payer-agreed", "text": "The plan agreed on the telephone to two more visits."},
        )
        assert visit.status is VisitStatus.BOOKED


def test_the_last_two_visits_are_booked_with_a_warning(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    authorise(database, scene)
    made(database, scene, 18)
    with work_as(scene.actor("scheduler")) as work:
        visit = service.assign(work, number, scene["nurse"], local(TUESDAY, 9))
        assert visit.status is VisitStatus.BOOKED
        assert "INT-04" in visit.warnings
    # Booked is used; asked about again, it is not counted against itself.
    assert limit(work_as, number) == Limit(20, 18)
    assert limit(work_as, wanted(ordered())[-1]) == Limit(20, 19)


def test_seventeen_of_twenty_say_nothing(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    authorise(database, scene)
    made(database, scene, 17)
    with work_as() as work:
        visit, nurse = work.session.get_one(Visit, number), work.session.get_one(Clinician, scene["nurse"])
        case = cases.load(work, [visit]).case(visit, nurse, day=TUESDAY)
        rules = {finding.rule for finding in ask(case, Moment.HOLD, work.policy)}
        assert "INT-04" not in rules
        assert case.usage is not None
        nearly = replace(case, usage=replace(case.usage, authorisation=Limit(20, 18)))
        assert "INT-04" in {finding.rule for finding in ask(nearly, Moment.HOLD, work.policy)}


def test_only_visits_that_the_payer_would_pay_for_in_the_period_are_counted(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    authorise(database, scene, starts_on=date(2026, 10, 5), ends_on=date(2026, 11, 14))
    made(database, scene, 3, date(2026, 10, 5))  # counted, the first day too
    made(database, scene, 2, date(2026, 10, 3))  # before the period
    made(database, scene, 1, date(2026, 10, 12), discipline=Discipline.PT)
    made(database, scene, 1, date(2026, 10, 13), kind=VisitKind.SUPERVISION)
    made(database, scene, 1, date(2026, 10, 14), status=VisitStatus.CANCELLED)
    made(database, scene, 1, date(2026, 10, 15), status=VisitStatus.MISSED)
    assert limit(work_as, number) == Limit(20, 3)
    assert limit(work_as, number, date(2026, 11, 14)) == Limit(20, 3)
    assert limit(work_as, number, NEXT_MONDAY) is None


def test_another_payers_leave_is_no_leave(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered())[0]
    authorise(database, scene, payer=Payer.VA, maximum_visits=1)
    assert limit(work_as, number) is None


def test_therapy_is_counted_as_well(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    number = wanted(ordered(Discipline.PT))[0]
    assert limit(work_as, number) is None
    authorise(database, scene, Discipline.PT, maximum_visits=1)
    assert limit(work_as, number) == Limit(1, 0)
    made(database, scene, 1, discipline=Discipline.PT)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("scheduler")) as work:
        service.assign(work, number, scene["therapist"], local(TUESDAY, 9))
    assert "INT-04" in {finding.rule for finding in refused.value.findings}
