"""Documents that speak for the patient are tested, and what they say together is on every roster (ACP-01)."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.care import directives
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.deadlines.remind import look_after
from coordinator.domain.care import (
    CodeStatus,
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    Resuscitation,
)
from coordinator.domain.vocabulary import DeadlineStatus, PractitionerType
from coordinator.notify.model import Notice
from coordinator.patients.model import Patient
from coordinator.visits.roster import roster
from tests.care.conftest import SOC, TODAY, TUESDAY, Scene, owed
from tests.conftest import WorkAs

DNR, FULL = Resuscitation.DO_NOT_ATTEMPT, Resuscitation.ATTEMPT
VALID, INVALID = DirectiveStatus.VALID, DirectiveStatus.INVALID


def polst(day: date = date(2026, 11, 1), says: Resuscitation = DNR, **given: Any) -> dict[str, Any]:
    return {
        "kind": DirectiveKind.POLST, "signed_by": DirectiveSigner.PATIENT, "signed_on": day,
        "practitioner_type": PractitionerType.MD, "practitioner_signed_on": day, "resuscitation": says,
    } | given  # fmt: skip


def ahcd(day: date = date(2026, 11, 5), says: Resuscitation = FULL, **given: Any) -> dict[str, Any]:
    return {
        "kind": DirectiveKind.AHCD, "executed_on": day, "signed_by": DirectiveSigner.PATIENT, "notarised": True,
        "resuscitation": says, "agents": [{"name": "Wei Lee", "relation": "daughter"}],
    } | given  # fmt: skip


def test_a_polst_that_holds_is_on_every_roster_line(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        before = roster(work, scene.people["rn"], TODAY)
        assert [entry.patient.code_status for entry in before.entries] == [CodeStatus.NOT_RECORDED]
        row = directives.record(work, scene.patient, **polst())
        assert (row.status, row.executed_on, row.flags) == (VALID, date(2026, 11, 1), [])
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        after = roster(work, scene.people["rn"], TODAY)
        assert [entry.patient.code_status for entry in after.entries] == [CodeStatus.DNR]
        assert after.fingerprint != before.fingerprint


def test_what_does_not_hold_says_for_want_of_what_and_changes_no_code_status(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        unsigned = directives.record(work, scene.patient, **polst(practitioner_type=None, practitioner_signed_on=None))
        assert unsigned.status is INVALID
        assert [flag["facts"]["missing"] for flag in unsigned.flags] == ["practitioner_signature"]
        one_witness = ahcd(notarised=False, witnesses=[{"name": "A neighbour", "bars": []}])
        assert directives.record(work, scene.patient, **one_witness).status is INVALID
        assert work.session.get_one(Patient, scene.patient).code_status is CodeStatus.NOT_RECORDED
        directives.edit(
            work, unsigned.id, practitioner_type=PractitionerType.NP, practitioner_signed_on=date(2026, 11, 9)
        )
        assert unsigned.status is VALID
        assert work.session.get_one(Patient, scene.patient).code_status is CodeStatus.DNR


def test_a_barred_witness_beside_two_who_may_is_no_hindrance(scene: Scene, work_as: WorkAs) -> None:
    witnesses = [{"name": "A", "bars": []}, {"name": "B", "bars": []}, {"name": "C", "bars": ["agent"]}]
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        row = directives.record(work, scene.patient, **ahcd(notarised=False, witnesses=witnesses))
        assert row.status is VALID
        assert [flag["facts"]["missing"] for flag in row.flags] == ["witness_barred"]


def test_documents_that_differ_are_a_physicians_task_today_and_the_recent_one_controls(
    scene: Scene, work_as: WorkAs
) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        first = directives.record(work, scene.patient, **polst())
        second = directives.record(work, scene.patient, **ahcd())
        patient = work.session.get_one(Patient, scene.patient)
        assert patient.code_status is CodeStatus.FULL_CODE_DISPUTED
        assert ("directives-differ", TODAY) in owed(work, "ACP-01")
        told = work.session.execute(sa.select(Notice.user_id).where(Notice.kind == "directives.differ")).scalars()
        assert told.all() == [scene.users["physician"].id]
    with work_as(scene.actor("manager"), now=TUESDAY) as work, pytest.raises(Forbidden):
        directives.settle(work, second.id)
    with work_as(scene.actor("physician"), now=TUESDAY) as work:
        with pytest.raises(Conflict) as refusal:
            directives.settle(work, first.id)
        assert refusal.value.extra["blocking"] == [{"directive": second.id}]
        directives.settle(work, second.id)
        assert work.session.get_one(Patient, scene.patient).code_status is CodeStatus.FULL_CODE
        assert "directives-differ" not in [task for task, _ in owed(work, "ACP-01")]
        with pytest.raises(Conflict):
            directives.settle(work, second.id)


def test_taking_one_back_ends_the_dispute(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        directives.record(work, scene.patient, **polst())
        second = directives.record(work, scene.patient, **ahcd())
        with pytest.raises(Invalid):
            directives.revoke(work, second.id, on=TODAY + timedelta(days=1), reason="said so")
        directives.revoke(work, second.id, on=TODAY, reason="said so to the nurse")
        assert work.session.get_one(Patient, scene.patient).code_status is CodeStatus.DNR
        assert "directives-differ" not in [task for task, _ in owed(work, "ACP-01")]
        with pytest.raises(Conflict):
            directives.edit(work, second.id, instructions="more")


def test_of_one_kind_the_latest_stands_whichever_is_recorded_first(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        new = directives.record(work, scene.patient, **polst(date(2026, 11, 8), FULL))
        old = directives.record(work, scene.patient, **polst(date(2026, 11, 1), DNR))
        assert (old.status, old.superseded_by_id, new.status) == (DirectiveStatus.SUPERSEDED, new.id, VALID)
        assert work.session.get_one(Patient, scene.patient).code_status is CodeStatus.FULL_CODE


def test_nobody_types_that_a_document_holds(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        with pytest.raises(Invalid):
            directives.record(work, scene.patient, kind=DirectiveKind.POLST, stage=VALID)
        talked = directives.record(work, scene.patient, kind=DirectiveKind.AHCD, stage=DirectiveStatus.DISCUSSED)
        assert (talked.status, talked.flags) == (DirectiveStatus.DISCUSSED, [])
        with pytest.raises(Invalid):
            directives.record(work, scene.patient, **polst(TODAY + timedelta(days=1)))


@pytest.mark.parametrize("who", ["scheduler", "chha"])
def test_who_sees_the_code_status_and_not_the_document(scene: Scene, work_as: WorkAs, who: str) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = directives.record(work, scene.patient, **polst())
    with work_as(scene.actor(who), now=TUESDAY) as work:
        with pytest.raises(Forbidden):
            directives.get(work, row.id)
        with pytest.raises(Forbidden):
            directives.of_patient(work, scene.patient)
        found = roster(work, scene.people["chha"], date(2026, 11, 11))
        assert [entry.patient.code_status for entry in found.entries] == [CodeStatus.DNR]


def test_the_talk_about_rights_is_not_held_because_time_goes_by(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        look_after(work, scene.branch)
    for days in (20, 70):
        with work_as(now=TUESDAY + timedelta(days=days)) as work:
            look_after(work, scene.branch)
            assert ("tell-of-rights", SOC) in owed(work, "ACP-01")
            assert owed(work, "ACP-01", DeadlineStatus.DONE) == []


def test_the_patient_is_told_of_rights_at_the_start_of_care_once(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        look_after(work, scene.branch)
        assert owed(work, "ACP-01") == [("tell-of-rights", SOC)]
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        directives.tell_rights(work, scene.episode, told_on=TODAY, language="zh-Hant", written=True)
        assert owed(work, "ACP-01") == []
        assert owed(work, "ACP-01", DeadlineStatus.DONE) == [("tell-of-rights", SOC)]
        with pytest.raises(Conflict):
            directives.tell_rights(work, scene.episode, told_on=TODAY, language="en", written=True)
