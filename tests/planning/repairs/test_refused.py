"""What cannot have happened, and who may not ask."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from coordinator.domain.vocabulary import Role, VisitStatus
from coordinator.planning.repairs import service
from coordinator.planning.repairs.model import Repair
from tests.conftest import WorkAs, actor_with
from tests.planning.conftest import EVE, MONDAY, TestAgency, make_agency
from tests.planning.repairs.conftest import AWAY, ELEVEN, EVENING, NINE, ONE, SIX, Propose, booked


@pytest.mark.parametrize(
    ("kind", "event", "pointer"),
    [
        ("absence", {"clinician_id": "nurse", "ends_at": SIX - timedelta(hours=1), "starts_at": EVE}, "/event/ends_at"),
        ("absence", {"clinician_id": "nurse", "starts_at": NINE, "ends_at": NINE}, "/event/ends_at"),
        ("absence", {"clinician_id": "nurse"}, "/event/ends_at"),
        ("absence", {"ends_at": EVENING}, "/event/clinician_id"),
        ("absence", {"clinician_id": "nurse", "ends_at": SIX + timedelta(days=900)}, "/event/ends_at"),
        ("absence", {"clinician_id": "nurse", "ends_at": EVENING, "reason": "She has the flu"}, "/event/reason"),
        ("absence", {"clinician_id": "nurse", "ends_at": EVENING, "visit_id": 1}, "/event/visit_id"),
        ("absence", {"clinician_id": "nurse", "first_day": MONDAY, "last_day": date(2026, 11, 1)}, "/event/last_day"),
        ("urgent", {"visit_id": "wanted", "latest_at": SIX - timedelta(minutes=1)}, "/event/latest_at"),
        ("urgent", {"visit_id": "wanted", "latest_at": SIX + timedelta(days=90)}, "/event/latest_at"),
        ("overrun", {"visit_id": "visit", "minutes": 0}, "/event/minutes"),
        ("overrun", {"visit_id": "visit", "minutes": 5000}, "/event/minutes"),
        ("hospital", {"patient_id": "patient", "starts_at": NINE}, "/event/starts_at"),
    ],
)
def test_an_event_that_cannot_have_happened_names_its_field(
    agency: TestAgency, propose: Propose, kind: str, event: dict[str, Any], pointer: str
) -> None:
    nurse = agency.hire()
    person, waiting = agency.admit(visits=1), agency.admit(visits=1)
    visit = booked(agency, person, nurse, NINE)
    names = {"nurse": nurse.id, "visit": visit.id, "wanted": waiting.visits[0].id, "patient": person.patient.id}
    given = {name: names.get(value, value) if isinstance(value, str) else value for name, value in event.items()}
    with pytest.raises(Invalid) as refused:
        propose(kind, given)
    assert refused.value.extra["errors"][0]["pointer"] == pointer
    assert agency.session.execute(sa.select(Repair)).first() is None


def test_who_is_not_there_or_of_another_branch_sounds_the_same(
    agency: TestAgency, propose: Propose, session: Session
) -> None:
    elsewhere = make_agency(session, code="OTHER")
    nurse = elsewhere.hire()
    person = elsewhere.admit(visits=1)
    visit = booked(elsewhere, person, nurse, NINE)
    for kind, event in (
        ("absence", {"clinician_id": nurse.id, "ends_at": EVENING}),
        ("absence", {"clinician_id": 10**12, "ends_at": EVENING}),
        ("cancelled", {"visit_id": visit.id}),
        ("urgent", {"visit_id": 10**12, "latest_at": ONE}),
        ("overrun", {"visit_id": visit.id, "minutes": 10}),
        ("hospital", {"patient_id": person.patient.id}),
    ):
        with pytest.raises(NotFound):
            propose(kind, event)


def test_a_visit_that_was_made_or_stands_early_enough_is_refused(agency: TestAgency, propose: Propose) -> None:
    nurse = agency.hire()
    made = booked(agency, agency.admit(visits=1), nurse, NINE, status=VisitStatus.COMPLETED)
    early = booked(agency, agency.admit(visits=1), nurse, ELEVEN)
    with pytest.raises(Refusal) as refused:
        propose("cancelled", {"visit_id": made.id}, now=ELEVEN)
    assert refused.value.problem_code == "visit-begun"
    with pytest.raises(Conflict) as refused:
        propose("urgent", {"visit_id": early.id, "latest_at": ONE})
    assert refused.value.problem_code == "early-enough"


def test_somebody_without_the_role_proposes_and_reads_nothing(
    agency: TestAgency, propose: Propose, work_as: WorkAs
) -> None:
    ill = agency.hire()
    booked(agency, agency.admit(visits=1), ill, NINE)
    nurse = actor_with(Role.CLINICIAN, clinician_id=ill.id, performer="RN")
    with pytest.raises(Forbidden):
        propose("absence", AWAY | {"clinician_id": ill.id}, actor=nurse)
    repair = propose("absence", AWAY | {"clinician_id": ill.id})
    with pytest.raises(Forbidden), work_as(nurse, now=SIX) as work:
        service.get(work, repair.id)
    stranger = actor_with(Role.SCHEDULER, branch_ids=frozenset({10**6}))
    with pytest.raises(NotFound), work_as(stranger, now=SIX) as work:
        service.get(work, repair.id)
