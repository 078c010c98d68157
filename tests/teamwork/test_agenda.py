"""What changed since the last conference that counted is on the next one's agenda, for all who are due at once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.care.model import Conference, Directive
from coordinator.care.response_model import ConferenceDecision
from coordinator.core.db import Database
from coordinator.directory.model import Resource
from coordinator.domain.care import ConferenceStatus, DecisionKind, DirectiveKind, DirectiveStatus, Resuscitation
from coordinator.domain.handoffs import HandoffCause, HandoffStatus
from coordinator.domain.linkage import LinkStatus
from coordinator.domain.teamwork import Desk
from coordinator.domain.vocabulary import OrderStatus, VisitStatus
from coordinator.episodes.model import InpatientStay
from coordinator.patients.model import Caregiver, Episode, Patient
from coordinator.staff.model import Physician
from coordinator.teamwork.handoff_model import Handoff
from coordinator.teamwork.resource_model import ResourceReferral
from tests import builders
from tests.people import at
from tests.teamwork.conftest import TUESDAY, ZONE, Scene

LAST = date(2026, 11, 3)
ITEMS = ("pain", "tiredness", "drowsiness", "nausea", "appetite", "breath", "depression", "anxiety", "wellbeing")


def _on(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=ZONE)


@pytest.fixture
def busy(scene: Scene, database: Database) -> dict[str, int]:
    """A conference counted on 3 November; before it and since then something of everything happened."""
    made: dict[str, int] = {}
    with database.transaction() as session:
        patient, episode = session.get_one(Patient, scene.patient), session.get_one(Episode, scene.episode)
        held = Conference(
            branch_id=scene.branch, patient_id=patient.id, episode_id=episode.id, held_on=LAST, counts=True,
            status=ConferenceStatus.CLOSED, flags=[], opened_at=_on(3), closed_at=_on(3),
        )  # fmt: skip
        session.add(held)
        session.flush()
        session.add(
            ConferenceDecision(
                conference_id=held.id, kind=DecisionKind.DEADLINE, words="Bed by Friday", owner=Desk.SOCIAL_WORKER,
                due_on=date(2026, 11, 6), made_at=_on(3),
            )
        )  # fmt: skip
        nurse = scene.clinicians["nurse"]
        for name, day, status, more in (
            ("early", 2, VisitStatus.VERIFIED, {}), ("made", 5, VisitStatus.VERIFIED, {}),
            ("missed", 6, VisitStatus.MISSED, {"missed_reason": "refused"}),
        ):  # fmt: skip
            made[name] = builders.make_visit(
                session, patient, episode, status=status, clinician_id=nurse, starts_at=_on(day), ends_at=_on(day, 10),
                **more,
            ).id  # fmt: skip
        plan = builders.make_care_plan(session, episode, session.get_one(Physician, scene.physician))
        for name, status, more in (
            ("signed", OrderStatus.ACTIVE_SIGNED, {"signed_at": _on(5)}),
            ("old", OrderStatus.ACTIVE_SIGNED, {"signed_at": _on(1)}),
            ("awaits", OrderStatus.SENT_FOR_SIGNATURE, {"sent_at": _on(1)}),
            ("draft", OrderStatus.DRAFT, {}),
        ):  # fmt: skip
            made[name] = builders.make_order(session, episode, plan, status=status, **more).id
        session.add(
            InpatientStay(
                patient_id=patient.id, episode_id=episode.id, left_home_at=_on(7), admitted_at=_on(7, 15),
                learned_at=_on(8), home_at=_on(9),
            )
        )  # fmt: skip
        for kind, day in ((DirectiveKind.AHCD, 1), (DirectiveKind.POLST, 8)):
            session.add(
                Directive(
                    patient_id=patient.id, kind=kind, status=DirectiveStatus.VALID, recorded_at=_on(day),
                    resuscitation=Resuscitation.UNSTATED, witnesses=[], agents=[], choices={}, flags=[],
                )
            )  # fmt: skip
        session.add(
            Handoff(
                branch_id=scene.branch, patient_id=patient.id, discipline="SN", cause=HandoffCause.NEXT_VISIT,
                status=HandoffStatus.DRAFT, from_clinician_id=nurse, to_clinician_id=scene.clinicians["nurse2"],
                due_at=_on(12), opened_at=_on(9), turn=0,
            )
        )  # fmt: skip
        caregiver = Caregiver(
            patient_id=patient.id, name="Wei", relation="daughter", language="yue", availability=[], willing=True,
            burden_score=18, burden_scored_on=date(2026, 11, 9),
        )  # fmt: skip
        entry = Resource(
            key="meals", kind="COMMUNITY_SUPPORT", name_en="Meals", settings={}, population=[], services=[],
            referral_rule="NOT_STATED", is_medical_care=False, extra={}, edited_fields=[],
        )  # fmt: skip
        session.add_all([caregiver, entry])
        session.flush()
        session.add(
            ResourceReferral(
                patient_id=patient.id, resource_id=entry.id, need="caregiver_support", status=LinkStatus.REFERRED,
                follow_up_on=date(2026, 11, 12),
            )
        )  # fmt: skip
    for day, pain in ((2, 4), (9, 8)):
        with at(_on(day, 12)):
            scored = scene.as_("nurse").post(
                f"/patients/{scene.patient}/assessments",
                {"instrument": "ESAS-r", "answers": dict.fromkeys(ITEMS, 1) | {"pain": pain}},
            )
            assert scored.status_code == 201, scored.json
    with at(_on(9, 13)):
        asked = scene.as_("nurse").post(
            "/tasks",
            {"patient_id": scene.patient, "kind": "call-patient", "owner_role": "nurse", "due_on": "2026-11-09"},
        )
        assert asked.status_code == 201, asked.json
    return made


def test_everything_since_the_last_conference_is_on_the_agenda(scene: Scene, busy: dict[str, int]) -> None:
    with at(TUESDAY):
        answer = scene.as_("nurse").get(f"/conference-agenda?branch_id={scene.branch}&due_by=2026-11-20")
        assert answer.status_code == 404, "a nurse is of no branch"
        (item,) = scene.as_("nurse").get("/conference-agenda?due_by=2026-11-18").json["items"]
        assert scene.as_("nurse").get("/conference-agenda").json["items"] == []
        told: dict[str, Any] = item
        head = (told["patient_id"], told["last_on"], told["due_on"], told["late"], told["since"], told["code_status"])
        assert head == (scene.patient, "2026-11-03", "2026-11-18", False, "2026-11-03", "not_recorded")
        assert [(row["words"], row["task_status"]) for row in told["decided"]] == [("Bed by Friday", None)]
        assert [(row["visit"], row["made"], row["missed_reason"]) for row in told["visits"]] == [
            (busy["made"], True, None), (busy["missed"], False, "refused"),
        ]  # fmt: skip
        assert [(row["order"], row["standing"]) for row in told["orders"]] == [
            (busy["signed"], "signed"), (busy["awaits"], "awaits"),
        ]  # fmt: skip
        assert [(row["admitted"], row["planned"]) for row in told["stays"]] == [(True, False)]
        (score,) = told["scores"]
        assert (score["before_on"], score["change"], score["direction"]) == ("2026-11-02", {"pain": 4}, "worse")
        assert [(row["burden_score"], row["willing"]) for row in told["caregivers"]] == [(18, True)]
        assert [row["kind"] for row in told["directives"]] == ["polst"]
        assert told["missing_roles"] == []
        late = {row["kind"]: (row["new"], row["late"]) for row in told["tasks"]}
        assert late["call-patient"] == (True, True)
        assert "INS-02" in {row["rule"] for row in told["deadlines"]}
        assert [row["cause"] for row in told["handoffs"]] == ["next-visit"]
        assert [(row["need"], row["status"]) for row in told["referrals"]] == [("caregiver_support", "referred")]
        one = scene.as_("doctor").get(f"/patients/{scene.patient}/conference-agenda").json["items"]
        assert one == [item]
        office = scene.as_("intake").get(f"/patients/{scene.patient}/conference-agenda").json["items"][0]
        assert (office["scores"], office["caregivers"][0]["burden_score"]) == ([], None), "no answers for the office"
        for name, status in (("aide", 403), ("scheduler", 403), ("far", 404)):
            assert scene.as_(name).get(f"/patients/{scene.patient}/conference-agenda").status_code == status, name
        assert scene.as_("manager").get(f"/patients/{scene.stranger}/conference-agenda").json["items"] == []
    read = scene.trail("conference.agenda-read")
    assert (scene.users["nurse"], scene.patient) in read


def test_a_meeting_about_many_takes_no_more_statements(scene: Scene, busy: dict[str, int], database: Database) -> None:
    def statements() -> tuple[int, int]:
        said: list[str] = []

        def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            said.append(statement)

        sa.event.listen(database.engine, "before_cursor_execute", hear)
        try:
            with at(TUESDAY):
                listed = scene.as_("manager").get(f"/conference-agenda?branch_id={scene.branch}&due_by=2026-11-18")
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", hear)
        return len(listed.json["items"]), len([text for text in said if "INSERT INTO audit_event" not in text])

    patients, few = statements()
    assert patients == 1
    with database.transaction() as session:
        branch = session.get_one(builders.Branch, scene.branch)
        for _ in range(6):
            patient = builders.make_patient(session, branch)
            episode = builders.make_episode(session, patient)
            builders.make_visit(
                session, patient, episode, status=VisitStatus.VERIFIED, clinician_id=scene.clinicians["nurse"],
                starts_at=_on(5, 11) + timedelta(hours=_ * 2), ends_at=_on(5, 12) + timedelta(hours=_ * 2),
            )  # fmt: skip
    assert statements() == (7, few)
    assert few <= 40
