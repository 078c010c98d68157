"""The demo agency: the same for the same seed, with its hard cases, through the same verbs as everybody."""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.access.service import installer_actor
from coordinator.agency.model import Branch
from coordinator.agency.service import today
from coordinator.core.http import Coordinator
from coordinator.core.work import Work
from coordinator.demo.agency import Loaded, OnceDoorman, is_loaded, load
from coordinator.domain.vocabulary import Discipline, OrderStatus, Performer
from coordinator.orders.model import Order
from coordinator.patients.model import Patient
from coordinator.referrals.model import Referral
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit
from tests.conftest import WorkAs

SIZE = {"number_of_patients": 12, "number_of_clinicians": 16}


def _load(app: Coordinator, work: Work, **given: Any) -> Loaded:
    settings = app.extensions["settings"]
    return load(work, OnceDoorman(settings), settings.directory_path, **(SIZE | given))


def _print(work: Work) -> list[Any]:
    """What the agency looks like, without what differs by nature: numbers of rows, hashes, instants."""
    people = [
        (p.given_name, p.family_name, p.birth_date, p.home.address, p.spoken_language, p.diagnoses[0].code)
        for p in work.session.execute(sa.select(Patient).order_by(Patient.id)).scalars()
    ]  # fmt: skip
    staff = [
        (c.employee_no, c.family_name, c.start_lat, [x.expires_on for x in c.credentials])
        for c in work.session.execute(sa.select(Clinician).order_by(Clinician.id)).scalars()
    ]
    orders = [
        (o.discipline, o.frequency, o.status)
        for o in work.session.execute(sa.select(Order).order_by(Order.id)).scalars()
    ]
    return [people, staff, orders]


def test_the_same_seed_gives_the_same_agency_and_another_seed_another(app: Coordinator, work_as: WorkAs) -> None:
    seen = []
    for seed in (1, 1, 2):
        with work_as(installer_actor("demo")) as work:
            _load(app, work, seed=seed)
            seen.append(_print(work))
            work.session.rollback()
            work.trail.clear()
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_the_hard_cases_are_there(app: Coordinator, work_as: WorkAs) -> None:
    with work_as(installer_actor("demo")) as work:
        assert not is_loaded(work)
        loaded = _load(app, work)
        assert is_loaded(work)
        session = work.session
        assert (loaded.patients, loaded.clinicians) == (12, 16)
        day = today(work, loaded.branch_id)
        performers = Counter(session.execute(sa.select(Clinician.performer)).scalars())
        assert set(performers) >= set(Performer) - {Performer.MD, Performer.NP, Performer.COTA}
        unsigned = session.execute(sa.select(Order).where(Order.status == OrderStatus.SENT_FOR_SIGNATURE)).scalars()
        assert Discipline.PT in {order.discipline for order in unsigned}
        expired = [
            clinician.employee_no
            for clinician in session.execute(sa.select(Clinician)).scalars()
            if any(c.expires_on is not None and c.expires_on < day for c in clinician.credentials)
        ]
        assert expired == ["D016"]
        patients = list(session.execute(sa.select(Patient).order_by(Patient.id)).scalars())
        assert any(p.spoken_language == "yue" and p.interpreter_needed and p.interpreter_mode is None for p in patients)
        visits = list(session.execute(sa.select(Visit)).scalars())
        assert any(visit.joint_with_id is not None for visit in visits)
        assert {90, 240} <= {visit.minutes for visit in visits if visit.patient_id == patients[1].id}
        referral = session.execute(sa.select(Referral)).scalar_one()
        assert referral.due_at is not None
        assert all(user.demo for user in session.execute(sa.select(User)).scalars())
        assert session.execute(sa.select(Branch.code)).scalar_one() == "SF"
