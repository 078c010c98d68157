"""A record is destroyed after its years, whole, with what was signed; the trail stays (SEC-12)."""

import json
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from coordinator.access.model import Override
from coordinator.core.audit import AuditEvent, verify
from coordinator.core.db import Base
from coordinator.core.errors import Forbidden, NotFound, RuleBroken
from coordinator.core.idempotency import IdempotencyRecord
from coordinator.core.work import Actor, Work
from coordinator.domain.vocabulary import DisclosurePurpose, OrderStatus, Role
from coordinator.notify.model import Notice
from coordinator.notify.service import tell_role
from coordinator.orders.model import Order, Signature
from coordinator.patients.model import Patient
from coordinator.privacy import destruction, service
from coordinator.privacy.model import Destruction, LegalHold
from coordinator.visits.model import Visit
from tests import builders
from tests.access.conftest import Scene
from tests.conftest import NOW, WorkAs, actor_with
from tests.people import at

#: Discharged so long ago that the seven years ended yesterday.
GONE = date(2019, 11, 8)


def _administrator(scene: Scene) -> Actor:
    return actor_with(Role.ADMINISTRATOR, branch_ids=frozenset({scene.branch.id}))


def _old_record(work: Work, scene: Scene, discharged_on: date = GONE, **person: object) -> int:
    """A discharged patient with a signed order, two visits of which one replaces the other, and a hold that is over."""
    session = work.session
    branch = session.merge(scene.branch)
    patient = builders.make_patient(session, branch, birth_date=date(1944, 5, 1), **person)
    episode = builders.make_episode(session, patient, soc_date=date(2019, 9, 10), discharged_on=discharged_on)
    physician = builders.make_physician(session)
    plan = builders.make_care_plan(session, episode, physician)
    order = builders.make_order(session, episode, plan, status=OrderStatus.EXPIRED)
    order.signed_at = NOW
    user = builders.make_user(session, "-", Role.PHYSICIAN)
    session.add(
        Signature(
            order_id=order.id, physician_id=physician.id, user_id=user.id, order_version=1, content_hash="0" * 64,
            text="SN 2w4", method="password", at=NOW,
        )
    )  # fmt: skip
    first = builders.make_visit(session, patient, episode, order_id=order.id)
    builders.make_visit(session, patient, episode, order_id=order.id, replaces_id=first.id)
    session.add(
        LegalHold(
            patient_id=patient.id, reason="claim", placed_on=GONE, placed_by_id=user.id, released_on=GONE,
            released_by_id=user.id,
        )
    )  # fmt: skip
    session.flush()
    return patient.id


def _left_of(work: Work, patient_id: int) -> list[str]:
    """Tables in which a row names the patient by a foreign key."""
    return [
        table.name
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "patient"
        and work.session.scalar(sa.select(sa.func.count()).select_from(table).where(key.parent == patient_id))
    ]


def test_after_its_years_the_whole_record_goes_and_nobody_elses(scene: Scene, work_as: WorkAs) -> None:
    with work_as() as work:
        old, other = _old_record(work, scene), _old_record(work, scene, date(2019, 11, 9))
        standing = sorted(_left_of(work, other))
        orders = work.session.scalar(sa.select(sa.func.count()).select_from(Order))
    with work_as(_administrator(scene)) as work:
        assert [one.patient_id for one in destruction.over_age(work, scene.branch.id)] == [old]
        counted = destruction.destroy(work, old)  # what is not asked for is not done
        assert counted.dry_run
        assert (counted.rows["visit"], counted.rows["signature"], counted.rows["patient"]) == (2, 1, 1)
    with work_as(_administrator(scene)) as work:
        assert work.session.get(Patient, old) is not None
        assert destruction.destroy(work, old, dry_run=False).rows == counted.rows
    with work_as(_administrator(scene)) as work:
        assert work.session.get(Patient, old) is None
        assert _left_of(work, old) == []
        assert sorted(_left_of(work, other)) == standing
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Order)) == orders - 1
        kept = work.session.scalars(sa.select(Destruction)).one()
        assert (kept.patient_number, kept.kept_until, kept.rows, kept.finished_at) == (
            old,
            GONE.replace(year=2026),
            counted.rows,
            NOW,
        )
        line = work.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "record.destroyed")).one()
        assert (line.patient_id, line.facts["rows"]) == (old, sum(counted.rows.values()))
        assert verify(work.session).ok
        with pytest.raises(NotFound):
            destruction.destroy(work, old)


#: Words of a patient that nobody else has.
NAME, STREET, SAID = "Quillfeather", "17 Wisteriabrook Lane", "keeps a parrot named Zanzibar"


def _tables_that_say(work: Work, *words: str) -> list[str]:
    """Tables in which any of the words stands, in whichever column: text, JSON, codes."""
    found = set()
    for table in Base.metadata.tables.values():
        for row in work.session.execute(sa.select(table)):
            text = repr(tuple(row)).casefold()
            if any(word.casefold() in text for word in words):
                found.add(table.name)
    return sorted(found)


def test_no_table_says_the_name_or_the_words_of_who_is_gone_and_keys_of_requests_stay_taken(
    scene: Scene, work_as: WorkAs
) -> None:
    with work_as() as work:
        old = _old_record(work, scene, family_name=NAME)
        patient = work.session.get_one(Patient, old)
        patient.home.address = STREET
        visit, order = patient.episodes[0].id, work.session.scalars(sa.select(Order.id)).first()
        visit = work.session.scalars(sa.select(Visit.id).where(Visit.episode_id == visit)).first()
        user = builders.make_user(work.session, "-", Role.CLINICAL_MANAGER)
        for about in ({"visit_id": visit}, {"order_id": order}):
            work.session.add(
                Override(
                    **about, rule="CUL-01", reason_code="other", text=f"{NAME} {SAID}", user_id=user.id, at=NOW,
                    facts={"found": {"said": SAID}},
                )
            )  # fmt: skip
        tell_role(
            work, role=Role.SCHEDULER.value, branch_id=scene.branch.id, kind="visit.unconfirmed",
            subject=f"visit:{visit}", key="k", patient=old,
        )  # fmt: skip
        work.session.flush()
        work.session.add_all(
            IdempotencyRecord(caller="user:1", key=key, request_hash="0" * 64, at=NOW, status=200, body=body)
            for key, body in (
                ("by number", json.dumps({"items": [{"patient_id": old, "text": SAID}]})),
                ("by name", f"<p>Ms. {NAME.upper()} {SAID}</p>"),
                ("another's", json.dumps({"patient_id": old + 10_000, "family_name": f"{NAME}son"})),
            )
        )
        assert {"patient", "home", "override", "idempotency_record"} <= set(_tables_that_say(work, NAME, STREET, SAID))
    with work_as(_administrator(scene)) as work:
        destruction.destroy(work, old, dry_run=False)
    with work_as() as work:
        assert _tables_that_say(work, STREET, SAID, f"{NAME} ", f"'{NAME}'") == []
        kept = dict(work.session.execute(sa.select(IdempotencyRecord.key, IdempotencyRecord.body)).all())
        assert (kept["by number"], kept["by name"]) == (None, None)
        assert f"{NAME}son" in str(kept["another's"])
        assert work.session.scalars(sa.select(Notice).where(Notice.subject == f"visit:{visit}")).all() == []


def test_nothing_goes_before_its_years_or_in_care_or_under_a_hold_and_all_that_stands_against_it_is_said(
    scene: Scene, work_as: WorkAs
) -> None:
    with work_as() as work:
        late = _old_record(work, scene, date(2019, 11, 9))
        held = _old_record(work, scene)
    who = _administrator(scene)
    with work_as(who) as work:
        service.place_hold(work, held, "claim")
        service.place_hold(work, late, "claim")
        for patient_id, said in ((scene.patient.id, 1), (held, 1), (late, 2)):
            for dry_run in (True, False):
                with pytest.raises(RuleBroken) as refused:
                    destruction.destroy(work, patient_id, dry_run=dry_run)
                assert [finding.rule for finding in refused.value.findings] == ["SEC-12"] * said
        assert destruction.over_age(work, scene.branch.id) == []
    with work_as(who) as work:
        assert work.session.get(Patient, held) is not None
        assert work.session.scalars(sa.select(Destruction)).all() == []


def test_what_was_given_out_is_accounted_for_six_years_before_the_record_goes(scene: Scene, work_as: WorkAs) -> None:
    with work_as() as work:
        old = _old_record(work, scene)
    given = {"recipient": "A court", "what": "The whole record", "statement": "Subpoena"}
    with work_as(
        actor_with(Role.ADMINISTRATOR, Role.CLINICAL_MANAGER, branch_ids=frozenset({scene.branch.id}))
    ) as work:
        for on, purpose in (("2026-11-08", "TREATMENT"), ("2020-11-08", "COURT")):
            service.record_disclosure(
                work, old, disclosed_on=date.fromisoformat(on), purpose=DisclosurePurpose[purpose], **given
            )
        assert destruction.destroy(work, old).dry_run  # care is not accounted for, and six years are over
        service.record_disclosure(work, old, disclosed_on=date(2020, 11, 10), purpose=DisclosurePurpose.COURT, **given)
        with pytest.raises(RuleBroken) as refused:
            destruction.destroy(work, old)
        assert [str(finding.params["after"]) for finding in refused.value.findings] == ["2026-11-11"]


def test_without_a_destruction_under_way_the_database_keeps_what_was_signed(scene: Scene, work_as: WorkAs) -> None:
    with work_as() as work:
        old = _old_record(work, scene)
        work.session.add(
            Destruction(
                branch_id=scene.branch.id, patient_number=scene.patient.id, kept_until=GONE, rows={}, begun_at=NOW
            )
        )  # fmt: skip
        signed = sa.select(Order.id).where(Order.patient_id == old)
        for forbidden in (
            sa.delete(Signature).where(Signature.order_id.in_(signed)), sa.delete(Order).where(Order.patient_id == old)
        ):  # fmt: skip
            with pytest.raises(IntegrityError), work.session.begin_nested():
                work.session.execute(forbidden)


def test_only_the_administrator_destroys(scene: Scene, work_as: WorkAs) -> None:
    manager = actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({scene.branch.id}))
    with work_as(manager) as work, pytest.raises(Forbidden):
        destruction.destroy(work, scene.patient.id)
    with work_as(manager) as work, pytest.raises(Forbidden):
        destruction.over_age(work, scene.branch.id)
    elsewhere = actor_with(Role.ADMINISTRATOR, branch_ids=frozenset({scene.branch.id + 1}))
    with work_as(elsewhere) as work, pytest.raises(NotFound):
        destruction.destroy(work, scene.patient.id)


def test_at_the_door_a_dry_run_lists_and_a_live_patient_is_refused(scene: Scene, work_as: WorkAs) -> None:
    with work_as() as work:
        old = _old_record(work, scene)
    who = scene.signed_in(Role.ADMINISTRATOR, branch_ids=[scene.branch.id])
    with at(NOW):
        listed = who.get(f"/records-over-age?branch_id={scene.branch.id}").json["items"]
        assert [(one["patient_id"], one["may_be_destroyed"]) for one in listed] == [(old, True)]
        assert who.post(f"/patients/{old}/destruction", {}).status_code == 422
        assert who.post(f"/patients/{old}/destruction", {"dry_run": True}).json["rows"]["visit"] == 2
        refused = who.post(f"/patients/{scene.patient.id}/destruction", {"dry_run": False})
        assert (refused.status_code, refused.json["findings"][0]["rule"]) == (422, "SEC-12")
        assert who.post(f"/patients/{old}/destruction", {"dry_run": False}).json["dry_run"] is False
        assert who.get(f"/patients/{old}").status_code == 404
