"""What is known of payment, for the manager (PAY-01 to PAY-03), and what else bears on a bill (PRG-02, EVV-03)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.http import Coordinator
from coordinator.deadlines.book import open_deadline
from coordinator.domain.handoffs import StartOverHandoff
from coordinator.domain.vocabulary import DeadlineStatus, EvvCircumstanceKind, Payer, Programme, Role
from coordinator.episodes.model import InpatientStay
from coordinator.patients.enrolment_model import EnrolmentRow, EvvCircumstance
from coordinator.patients.model import Episode
from coordinator.visits import doing, payment, service
from coordinator.visits.model import Visit
from tests import builders
from tests.conftest import NOW, WorkAs
from tests.people import at, browser, pointers
from tests.visits.conftest import TUESDAY, OrderMaker, Scene, local

Wanted = Callable[..., list[int]]
Made = Callable[..., Visit]
HOME = {"lat": 37.76, "lon": -122.43}


@pytest.fixture
def made(scene: Scene, work_as: WorkAs, database: Database) -> Made:
    """The visit, booked for its hour, begun then and finished forty minutes later; `code` its service's."""

    def visit(number: int, starts_at: datetime, code: str | None = None) -> Visit:
        with work_as(scene.actor("scheduler"), now=NOW) as work:
            service.assign(work, number, scene["nurse"], starts_at)
        with work_as(scene.actor("nurse"), now=starts_at) as work:
            doing.start(work, number, starts_at, HOME, over_handoff=StartOverHandoff.TOLD_IN_PERSON)
            if code is not None:
                work.session.get_one(Visit, number).service_code = code
        with work_as(scene.actor("nurse"), now=starts_at + timedelta(minutes=40)) as work:
            doing.finish(work, number, starts_at + timedelta(minutes=40))
        with database.transaction(write=False) as session:
            return session.get_one(Visit, number)

    return visit


@pytest.fixture
def medicare(scene: Scene, database: Database) -> date:
    """The episode is Medicare's; its start of care."""
    return _becomes(scene, database, Programme.MEDICARE_HH, Payer.MEDICARE)


def _becomes(scene: Scene, database: Database, programme: Programme, payer: Payer) -> date:
    with database.transaction() as session:
        episode = session.get_one(Episode, scene.episode)
        episode.programme, episode.payer = programme, payer
        patient = session.get_one(builders.Patient, scene.patient)
        patient.coverages.append(builders.Coverage(payer=payer, starts_on=date(2020, 1, 1)))
        assert episode.soc_date is not None
        return episode.soc_date


def test_a_period_counts_what_was_made_and_what_stands_ahead(
    scene: Scene, medicare: date, ordered: OrderMaker, wanted: Wanted, made: Made, work_as: WorkAs
) -> None:
    first, second = wanted(ordered())[:2]
    made(first, local(TUESDAY, 9))
    number = (TUESDAY - medicare).days // 30 + 1
    with work_as(scene.actor("manager"), now=local(TUESDAY, 18)) as work:
        payment.set_period(work, scene.episode, number, case_mix_group="1HB21", threshold=4)
        seen = {period.facts.number: period for period in payment.outlook(work, scene.episode).periods}
    period = seen[number]
    assert (period.facts.made, period.facts.threshold, period.case_mix_group) == (1, 4, "1HB21")
    assert period.units == 3  # forty minutes
    assert period.finding is not None
    assert period.finding.rule == "PAY-01"
    assert period.span.first <= TUESDAY <= period.span.last
    assert second


def _visits(database: Database) -> list[tuple[int, int, str]]:
    with database.transaction(write=False) as session:
        return [(one.id, one.version, one.status.value) for one in session.scalars(sa.select(Visit).order_by(Visit.id))]


def test_a_forecast_changes_no_visit(
    scene: Scene, medicare: date, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    wanted(ordered())
    before = _visits(database)
    with work_as(scene.actor("manager"), now=NOW) as work:
        payment.set_period(work, scene.episode, 1, case_mix_group="1HB21", threshold=6)
        payment.outlook(work, scene.episode)
    assert _visits(database) == before
    assert len(before) == 4


def test_the_notice_of_admission_goes_out_once(scene: Scene, medicare: date, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=NOW) as work:
        owed = payment.outlook(work, scene.episode).notice
        assert owed is not None
        assert (owed.due, owed.owner) == (medicare + timedelta(days=5), "billing")
        for day in (medicare - timedelta(days=1), date(2199, 1, 1)):
            with pytest.raises(Invalid):
                payment.submit_notice(work, scene.episode, day)
        payment.submit_notice(work, scene.episode, medicare + timedelta(days=5))
        assert payment.outlook(work, scene.episode).notice is None
        with pytest.raises(Conflict):
            payment.submit_notice(work, scene.episode, medicare)


def test_the_notice_that_went_out_is_chased_no_longer(scene: Scene, medicare: date, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=NOW) as work:
        owed = open_deadline(
            work, rule="PAY-02", subject=f"episode:{scene.episode}", due_on=medicare + timedelta(days=5),
            owner_role="billing", branch_id=scene.branch, patient_id=scene.patient, task="notice-of-admission",
        )  # fmt: skip
        other = open_deadline(
            work, rule="CERT-02", subject=f"episode:{scene.episode}", due_on=medicare, owner_role="case_manager",
            branch_id=scene.branch, patient_id=scene.patient, task="recertify",
        )  # fmt: skip
        payment.submit_notice(work, scene.episode, medicare)
        assert (owed.status, other.status) == (DeadlineStatus.DONE, DeadlineStatus.OPEN)


def test_payment_is_the_managers_and_thresholds_have_bounds(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("scheduler"), now=NOW) as work, pytest.raises(Forbidden):
        payment.outlook(work, scene.episode)
    with work_as(scene.actor("manager"), now=NOW) as work:
        for threshold in (1, 7):
            with pytest.raises(Invalid):
                payment.set_period(work, scene.episode, 1, case_mix_group="1HB21", threshold=threshold)


def test_the_door_shows_the_outlook(app: Coordinator, database: Database, scene: Scene, medicare: date) -> None:
    manager = browser(app, database, Role.CLINICAL_MANAGER, branch_ids=[scene.branch])
    path = f"/episodes/{scene.episode}/payment"
    with at(NOW):
        answer = manager("PUT", f"{path}/periods/1", {"case_mix_group": "1HB21", "threshold": 4})
        assert answer.status_code == 200, answer.json
        assert answer.json["periods"][0]["finding"]["rule"] == "PAY-01"
        assert manager.post(f"{path}/notice", {"submitted_on": medicare.isoformat()}).status_code == 201
        assert manager.get(path).json["notice_submitted_on"] == medicare.isoformat()


def test_a_visit_beside_a_hospice_election_is_flagged_and_not_billed(
    scene: Scene, medicare: date, ordered: OrderMaker, wanted: Wanted, made: Made, database: Database
) -> None:
    with database.transaction() as session:
        session.add(
            EnrolmentRow(
                patient_id=scene.patient, programme=Programme.HOSPICE, payer=Payer.MEDICARE, starts_on=medicare
            )
        )
    visit = made(wanted(ordered())[0], local(TUESDAY, 9))
    assert "PRG-02" in visit.hold_bill
    assert "PRG-02" in visit.warnings


@pytest.mark.parametrize(
    ("excuse", "held"),
    [
        (None, True), ("pace", False), ("exempt", False), ("claimed", True), ("another", True), ("inpatient", False),
        ("home again", True), ("observed", True),
    ],
)  # fmt: skip
def test_who_is_excused_from_verification_is_not_held_for_want_of_it(
    scene: Scene, ordered: OrderMaker, wanted: Wanted, made: Made, database: Database,
    excuse: str | None, held: bool,
) -> None:  # fmt: skip
    soc = _becomes(scene, database, Programme.MEDI_CAL_HH, Payer.MEDI_CAL)
    who = {"exempt": scene["nurse"], "claimed": scene["nurse"], "another": scene["vocational"]}.get(excuse or "")
    with database.transaction() as session:
        if excuse == "pace":
            pace = Programme("PACE")
            session.add(EnrolmentRow(patient_id=scene.patient, programme=pace, payer=Payer.MEDI_CAL, starts_on=soc))
        elif excuse in {"inpatient", "home again", "observed"}:
            left = local(TUESDAY, 3)
            session.add(
                InpatientStay(
                    patient_id=scene.patient, episode_id=scene.episode, left_home_at=left, learned_at=left,
                    admitted_at=None if excuse == "observed" else left + timedelta(hours=2),
                    home_at=local(TUESDAY, 9) if excuse == "home again" else None,
                )
            )  # fmt: skip
        elif who is not None:
            session.add(
                EvvCircumstance(
                    patient_id=scene.patient, kind=EvvCircumstanceKind.LIVE_IN_CAREGIVER, clinician_id=who,
                    starts_on=soc, exemption_on=None if excuse == "claimed" else soc,
                )
            )  # fmt: skip
    visit = made(wanted(ordered())[0], local(TUESDAY, 9), code="")
    assert ("EVV-01" in visit.hold_bill) is held
    assert ("EVV-03" in visit.hold_bill) is (excuse == "claimed")


def test_a_visit_begun_by_a_clock_of_another_zone_is_looked_at_again(
    app: Coordinator, scene: Scene, ordered: OrderMaker, wanted: Wanted, work_as: WorkAs, database: Database
) -> None:
    """The telephone came from New York; the hour is believed as it was sent, and the office asks (EVV-04)."""
    first, second = wanted(ordered(frequency="2w1"))[:2]
    nurse = browser(app, database, Role.CLINICIAN, clinician_id=scene["nurse"], branch_ids=[scene.branch])
    for number, hour, zone in ((first, 9, "America/New_York"), (second, 14, "America/Los_Angeles")):
        begun = local(TUESDAY if number == first else TUESDAY + timedelta(days=2), hour)
        with work_as(scene.actor("scheduler"), now=NOW) as work:
            service.assign(work, number, scene["nurse"], begun)
        path = f"/visits/{number}"
        body = {"at": begun.isoformat(), "over_handoff": "told-in-person"}
        with at(begun):
            if number == first:
                refused = nurse.post(f"{path}/start", body | {"device_zone": "Mars/Olympus"})
                assert (refused.status_code, pointers(refused)) == (422, {"/device_zone"})
            started = nurse.post(f"{path}/start", body | {"device_zone": zone})
            assert (started.status_code, started.json["device_zone"]) == (200, zone)
        with at(begun + timedelta(minutes=40)):
            finished = nurse.post(f"{path}/finish", {"at": (begun + timedelta(minutes=40)).isoformat()})
            assert ("EVV-04" in finished.json["warnings"]) is (number == first)
