"""A certification is signed as an order is: by its practitioner, what was read, with the password again (CERT-01)."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from coordinator.access.proof import Proof
from coordinator.access.service import actor_of
from coordinator.core.db import Database
from coordinator.core.errors import Conflict, Forbidden, NotFound, StaleVersion
from coordinator.core.http import Coordinator
from coordinator.core.work import Actor, Work
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import CertificationAsked, CertificationSigned, CertificationSuperseded
from coordinator.domain.team import CoverReason, CoverRole
from coordinator.domain.vocabulary import CertificationStatus, EncounterModality, PractitionerType
from coordinator.episodes import service
from coordinator.episodes.model import Certification, CertificationSignature
from coordinator.episodes.signing import SignItem, content_hash, signed_text
from coordinator.staff.model import Physician
from coordinator.teams import service as teams
from tests.builders import PASSWORD, make_user
from tests.conftest import NOW
from tests.episodes.conftest import Scene
from tests.people import at, browser

WHOLE = {"homebound": True, "skilled_need": True, "plan_established": True, "under_care": True}


@pytest.fixture
def people(app: Coordinator, database: Database, scene: Scene) -> dict[str, Actor]:
    """The certifying physician and the partner, with accounts."""
    hashed = app.extensions["doorman"].hash(PASSWORD)
    with database.transaction() as session:
        return {
            name: actor_of(make_user(session, hashed, "physician", physician_id=physician.id), None)
            for name, physician in (("physician", scene.physician), ("partner", scene.partner))
        }


def certified(work: Work, scene: Scene) -> Certification:
    """A complete certification that waits for its practitioner."""
    service.record_encounter(
        work, scene.episode.id, encounter_on=date(2026, 9, 20), modality=EncounterModality.IN_PERSON,
        performer_type=PractitionerType.MD, performer_npi=scene.physician.npi, related_to_primary_reason=True,
    )  # fmt: skip
    service.check_practitioner(
        work, scene.physician.id, checked_on=date(2026, 10, 1), npi_kind=1, enrolled_from=date(2015, 1, 1)
    )
    row = service.draft_certification(work, scene.episode.id, **WHOLE)
    return service.send_certification(work, row.id)


def item(row: Certification) -> SignItem:
    return SignItem(row.id, row.version, content_hash(row))


def test_what_was_read_is_signed_and_clears_the_bill(app: Coordinator, scene: Scene, people: dict[str, Actor]) -> None:
    with scene.work() as work:
        sent = item(certified(work, scene))
    with scene.work(people["physician"]) as work:
        assert [row.id for row in service.certification_queue(work)] == [sent.id]
        service.review_certification(work, sent.id, sent.version)
        text = signed_text(work.session.get_one(Certification, sent.id))
        (result,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
        assert (result.code, result.status) == ("signed", 200)
        (signed,) = scene.ears.of(CertificationSigned)
        assert (signed.number, signed.signed_on) == (1, date(2026, 11, 9))
        assert scene.ears.of(CertificationAsked)[-1].holds == ()
        row = work.session.get_one(Certification, sent.id)
        assert (row.status, row.signed_at) == (CertificationStatus.SIGNED, NOW)
        signature = work.session.execute(sa.select(CertificationSignature)).scalar_one()
        assert (signature.text, signature.content_hash) == (text, sent.content_hash)
        assert service.certification_queue(work) == []


def test_unread_changed_foreign_and_missing_are_not_signed_and_say_so(
    app: Coordinator, scene: Scene, people: dict[str, Actor]
) -> None:
    with scene.work() as work:
        sent = item(certified(work, scene))
    with scene.work(people["physician"]) as work:
        (unread,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
        assert unread.code == "not-reviewed"
        service.review_certification(work, sent.id, sent.version)
        with pytest.raises(StaleVersion):
            service.review_certification(work, sent.id, sent.version - 1)
    with scene.work() as work:
        service.edit_certification(work, sent.id, under_care=True, plan_established=True)
        service.send_certification(work, sent.id)
    with scene.work(people["physician"]) as work:
        results = service.sign_certifications(
            work, app.extensions["doorman"], [sent, SignItem(99_999, 1, "0" * 64)], Proof(PASSWORD)
        )
        assert [one.code for one in results] == ["stale-version", "not-found"]
        assert [line.outcome for line in work.trail] == ["ok", "deny", "deny"], "who signs was proved"
    with scene.work(people["partner"]) as work:
        assert service.certification_queue(work) == []
        (foreign,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
        assert foreign.code == "not-found"


def test_who_stands_in_signs_with_their_own_name_and_the_bill_asks_about_them(
    app: Coordinator, scene: Scene, people: dict[str, Actor]
) -> None:
    """The partner's cover ends on Tuesday.

    Nobody has asked the registries about the partner (CERT-06), who did not meet the patient either: the encounter was
    another's, and nothing shows that the two spoke (F2F-02).
    """
    with scene.work() as work:
        sent = item(certified(work, scene))
        teams.arrange(
            work, role=CoverRole.MANAGING_PHYSICIAN, away_id=scene.physician.id, by_id=scene.partner.id,
            starts_on=date(2026, 11, 9), ends_on=date(2026, 11, 10), reason=CoverReason.SICK,
            patient_id=scene.patient.id,
        )  # fmt: skip
    with scene.work(people["partner"], now=NOW + timedelta(days=2)) as work:
        assert service.certification_queue(work) == []
        with pytest.raises(NotFound):
            service.review_certification(work, sent.id, sent.version)
    with scene.work(people["partner"]) as work:
        assert [row.id for row in service.certification_queue(work)] == [sent.id]
        service.review_certification(work, sent.id, sent.version)
        (result,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
        assert result.code == "signed"
        (line,) = [line for line in work.trail if line.action == "certification.signed"]
        assert line.facts["covering_for"] == scene.physician.id
        signature = work.session.execute(sa.select(CertificationSignature)).scalar_one()
        assert signature.physician_id == scene.partner.id
        assert f"practitioner {scene.physician.id}" in signature.text
        assert scene.ears.of(CertificationAsked)[-1].holds == ("CERT-06", "F2F-02")
    with scene.work(people["physician"]) as work, pytest.raises(NotFound):
        service.supersede_certification(work, sent.id, "Not what I would have said")
    with scene.work(people["partner"]) as work:
        assert service.supersede_certification(work, sent.id, "Too early").physician_id == scene.physician.id


def test_a_wrong_password_signs_nothing_and_the_office_signs_for_nobody(
    app: Coordinator, scene: Scene, people: dict[str, Actor]
) -> None:
    with scene.work() as work:
        sent = item(certified(work, scene))
        with pytest.raises(Forbidden):
            service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
    with scene.work(people["physician"]) as work:
        service.review_certification(work, sent.id, sent.version)
        with pytest.raises(Forbidden) as refusal:
            service.sign_certifications(work, app.extensions["doorman"], [sent], Proof("a guess"))
        assert refusal.value.problem_code == "step-up-required"
        assert work.session.get_one(Certification, sent.id).signed_at is None


def test_the_database_itself_keeps_what_was_signed(
    app: Coordinator, database: Database, scene: Scene, people: dict[str, Actor]
) -> None:
    with scene.work() as work:
        sent = item(certified(work, scene))
    with scene.work(people["physician"]) as work:
        service.review_certification(work, sent.id, sent.version)
        service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
    for statement in (
        "UPDATE certification SET homebound = NOT homebound",
        "DELETE FROM certification",
        "UPDATE certification_signature SET text = 'other'",
        "DELETE FROM certification_signature",
    ):
        with pytest.raises(DBAPIError, match="signed_text_is_immutable"), database.transaction() as session:
            session.execute(sa.text(statement))


def test_what_was_signed_by_mistake_is_superseded_and_certified_anew(
    app: Coordinator, database: Database, scene: Scene, people: dict[str, Actor]
) -> None:
    """Signed on Monday, found wrong: the text stays, the bill is held again, and by Tuesday it is to be signed anew."""
    again = ("CERT-01", "certify-again")

    def book(work: Work) -> dict[tuple[str, str], tuple[date, str]]:
        work.session.flush()
        rows = work.session.query(Deadline)
        return {(row.rule, row.task): (row.due_on, row.status.value) for row in rows}

    def sign(row: Certification) -> None:
        with scene.work(people["physician"]) as work:
            sent = item(row)
            service.review_certification(work, sent.id, sent.version)
            (result,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
            assert result.code == "signed"

    with scene.work() as work:
        first = certified(work, scene)
        with pytest.raises(Conflict, match="Only what was signed"):
            service.supersede_certification(work, first.id, "wrong patient's narrative")
    sign(first)
    with scene.work(people["partner"]) as work, pytest.raises(NotFound):
        service.supersede_certification(work, first.id, "not mine")
    with scene.work(scene.intake) as work, pytest.raises(Forbidden):
        service.supersede_certification(work, first.id, "no")
    with scene.work(people["physician"]) as work:
        draft = service.supersede_certification(work, first.id, "wrong patient's narrative")
        assert (draft.status, draft.number, draft.homebound) == (CertificationStatus.DRAFT, 1, True)
        assert scene.ears.of(CertificationSuperseded)[-1].replaced_by_id == draft.id
        assert "CERT-01" in scene.ears.of(CertificationAsked)[-1].holds
        assert book(work)[again] == (date(2026, 11, 10), "open")
        lines = {line.action: line.facts for line in work.trail}
        assert lines["certification.superseded"] == {"number": 1, "replaced_by": draft.id}
    with scene.work() as work:
        (answer, *_) = service.certifications(work, scene.episode.id)
        assert answer.statement is not None
        assert answer.statement.id == draft.id
        row = service.get_certification(work, first.id)
        assert (row.status, row.withdrawn_reason) == (CertificationStatus.SUPERSEDED, "wrong patient's narrative")
        assert row.signed_at == NOW
        with pytest.raises(Conflict, match="Only what was signed"):
            service.supersede_certification(work, first.id, "twice")
        draft = service.send_certification(work, draft.id)
    sign(draft)
    with scene.work() as work:
        assert book(work)[again] == (date(2026, 11, 10), "done")
        assert scene.ears.of(CertificationAsked)[-1].holds == ()
    with pytest.raises(DBAPIError, match="signed_text_is_immutable"), database.transaction() as session:
        session.execute(sa.text("UPDATE certification SET status = 'signed' WHERE status = 'superseded'"))


def test_who_may_no_longer_certify_does_not_sign(app: Coordinator, scene: Scene, people: dict[str, Actor]) -> None:
    with scene.work() as work:
        sent = item(certified(work, scene))
        work.session.get_one(Physician, scene.physician.id).practitioner_type = PractitionerType.OTHER
    with scene.work(people["physician"]) as work:
        service.review_certification(work, sent.id, sent.version)
        (result,) = service.sign_certifications(work, app.extensions["doorman"], [sent], Proof(PASSWORD))
        assert result.code == "certifier-not-accepted"


# ------------------------------------------------------------------------------------ over HTTP


def test_from_encounter_to_signature_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    hashed = app.extensions["doorman"].hash(PASSWORD)
    office = browser(app, database, "clinical_manager", branch_ids=[scene.branch.id])
    physician = browser(app, database, "physician", physician_id=scene.physician.id)
    with database.transaction() as session:
        session.execute(sa.text("UPDATE app_user SET password_hash = :hashed"), {"hashed": hashed})
    path = f"/episodes/{scene.episode.id}"
    with at(NOW):
        made: Any = office.post(
            f"{path}/face-to-face-encounters",
            {"encounter_on": "2026-09-20", "modality": "in_person", "performer_type": "MD",
             "performer_npi": scene.physician.npi, "related_to_primary_reason": True},
        )  # fmt: skip
        assert (made.status_code, made.json["valid"]) == (201, True)
        drafted = office.post(f"{path}/certifications", WHOLE)
        assert drafted.status_code == 201
        number = drafted.json["id"]
        assert office("PATCH", f"/certifications/{number}", {"homebound": True}).status_code == 428
        edited = office.change("PATCH", f"/certifications/{number}", {"homebound": False})
        assert edited.status_code == 200
        refused = office.post(f"/certifications/{number}/send")
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/statement-incomplete")
        office.change("PATCH", f"/certifications/{number}", {"homebound": True})
        assert office.post(f"/certifications/{number}/send").status_code == 200
        (waiting,) = physician.get("/certification-queue").json["items"]
        assert physician.post(f"/certifications/{number}/review", {"version": waiting["version"]}).json["reviewed"]
        signing = {"items": [{name: waiting[name] for name in ("id", "version", "content_hash")}]}
        wrong = physician.post("/certification-signature-batches", signing | {"password": "a guess"})
        assert (wrong.status_code, wrong.json["type"]) == (403, "/problems/step-up-required")
        signed = physician.post("/certification-signature-batches", signing | {"password": PASSWORD})
        assert [one["code"] for one in signed.json["results"]] == ["signed"]
        (period,) = office.get(f"{path}/certifications").json["items"]
        assert (period["certification"]["status"], period["first_day"]) == ("signed", "2026-10-01")
        assert {finding["rule"] for finding in period["findings"]} == {"CERT-06"}


def test_the_other_papers_over_http(app: Coordinator, database: Database, scene: Scene) -> None:
    office = browser(app, database, "clinical_manager", branch_ids=[scene.branch.id])
    path = f"/episodes/{scene.episode.id}"
    with at(NOW):
        told = {"assessed_on": "2026-11-09", "leaves": {"needs_another_person": "her son"}}
        assert office.post(f"{path}/homebound-assessments", told).json["result"] == "not_met"
        out = {"day": "2026-11-08", "purpose": "OTHER", "minutes": 60, "taxing_effort": False}
        absence = office.post(f"{path}/absences-from-home", out)
        assert absence.json["findings"] == []
        assert office.post(f"/absences-from-home/{absence.json['absence']['id']}/withdraw").status_code == 200
        assert office.get(f"{path}/homebound").json["absences"] == []
        done = {"kind": "start_of_care", "event_on": "2026-10-01", "completed_on": "2026-10-05"}
        assert office.post(f"{path}/comprehensive-assessments", done).status_code == 422
        made = office.post(f"{path}/comprehensive-assessments", done | {"clinician_id": scene.nurse.id})
        assert (made.status_code, made.json["assessment"]["due_on"]) == (201, "2026-10-06")
        assert len(office.get(f"{path}/comprehensive-assessments").json["items"]) == 1
        stay = office.post(f"{path}/inpatient-stays", {"left_home_at": "2026-11-09T10:00:00Z"})
        assert (stay.status_code, stay.json["transferred_at"]) == (201, None)
        number = stay.json["id"]
        admitted = office.post(f"/inpatient-stays/{number}/admission", {"admitted_at": "2026-11-09T12:00:00Z"})
        assert admitted.json["transferred_at"] is None
        assert office.post(f"/inpatient-stays/{number}/summary").status_code == 409
        home = office.post(f"/inpatient-stays/{number}/return", {"home_at": "2026-11-09T15:00:00Z"})
        assert home.json["home_at"] is not None
        assert len(office.get(f"{path}/inpatient-stays").json["items"]) == 1
        leaving = office.post(f"{path}/discharges", {"planned_on": "2026-11-09", "reason": "cause"})
        refused = office.post(f"/discharges/{leaving.json['id']}/final")
        assert (refused.status_code, refused.json["type"]) == (422, "/problems/discharge-not-documented")
        assert {finding["severity"] for finding in refused.json["findings"]} == {"BLOCK", "TASK"}
        step = {"step": "practitioner_notified", "done_on": "2026-11-09"}
        assert "practitioner_notified" in office.post(f"/discharges/{leaving.json['id']}/steps", step).json["steps"]
        edited = office("PATCH", f"/discharges/{leaving.json['id']}", {"reason": "goals_met"}, match='"2"')
        assert edited.status_code == 200
        (notice,) = office.get(f"{path}/coverage-notices").json["items"]
        assert notice["kind"] == "NOMNC"
        delivered = office.post(f"/coverage-notices/{notice['id']}/delivery", {"delivered_on": "2026-11-09"})
        assert delivered.json["delivered_on"] == "2026-11-09"
        final = office.post(f"/discharges/{leaving.json['id']}/final")
        assert final.json["status"] == "final"
        assert len(office.get(f"{path}/discharges").json["items"]) == 1
