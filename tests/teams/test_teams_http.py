"""A care team over HTTP: who manages and coordinates, who is primary, who stands in, who takes part from outside."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.audit import AuditEvent
from coordinator.core.db import Database
from coordinator.core.errors import Conflict
from coordinator.domain.vocabulary import OrderStatus, Payer, Performer, Programme, Role
from coordinator.patients import service as patients
from coordinator.patients.model import Patient
from tests.builders import MONDAY, make_care_plan, make_clinician, make_episode, make_order
from tests.conftest import NOW, WorkAs, actor_with
from tests.people import at, pointers
from tests.teams.conftest import People, Scene


def _holders(team: Any, role: str) -> list[tuple[int | None, int | None]]:
    return [
        (one["clinician_id"] or one["physician_id"] or one["user_id"], one["covering_for"])
        for one in team.json["holders"]
        if one["role"] == role
    ]


def test_an_episode_needs_somebody_who_manages_the_care(scene: Scene, work_as: WorkAs) -> None:
    intake = actor_with(Role.INTAKE, branch_ids=frozenset({scene.branch.id, scene.elsewhere.id}))
    opening: dict[str, Any] = {"programme": Programme.KP_HBPC, "payer": Payer.KP, "accepted_at": NOW}
    with work_as(intake) as work:
        with pytest.raises(Conflict) as refusal:
            patients.open_episode(work, patient_id=scene.stranger.id, **opening)
        assert refusal.value.problem_code == "managing-physician-needed"
        episode = patients.open_episode(work, patient_id=scene.patient.id, **opening)
        with pytest.raises(Conflict) as refusal:
            patients.edit(work, scene.patient.id, managing_physician_id=None)
        assert refusal.value.extra["blocking"] == [{"episode": episode.id}]
        patient = work.session.get_one(Patient, scene.patient.id)
        work.session.execute(sa.text("UPDATE physician SET active = false WHERE id = :id"), {"id": scene.doctor.id})
        with pytest.raises(Conflict, match="no longer"):
            patients.start_of_care(work, episode.id, MONDAY)
        patients.edit(work, patient.id, managing_physician_id=scene.partner.id)
        assert patients.start_of_care(work, episode.id, MONDAY).soc_date == MONDAY


def test_a_plan_of_care_is_opened_under_who_manages_the_patient(
    scene: Scene, people: People, database: Database
) -> None:
    with database.transaction() as session:
        make_episode(session, session.merge(scene.patient))
    home = f"/patients/{scene.patient.id}"
    body = {"managing_physician_id": scene.partner.id, "starts_on": "2026-11-09"}
    with at(NOW):
        refused = people.manager.post(f"{home}/care-plan", body)
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/managed-by-another")
        assert (refused.json["rule"], refused.json["managing_physician_id"]) == ("ELG-8", scene.doctor.id)
        assert people.manager.get(f"{home}/care-plan").status_code == 404
        people.manager.get(f"{home}/care-team")
        method, _, path = refused.json["cure"].partition(" /api/v1")
        named = people.manager(method, path, {"physician_id": scene.partner.id})
        assert named.status_code == 200, named.json
        opened = people.manager.post(f"{home}/care-plan", body)
        assert (opened.status_code, opened.json["managing_physician_id"]) == (201, scene.partner.id)
        # Whoever manages the care hears that the plan changed, once a day, and not what.
        assert people.partner.get("/notices?kind=plan.changed").json["items"] == []
        for text in ("Sleeps well", "Sits in the garden"):
            added = people.manager.post(f"{home}/care-plan/goals", {"category": "comfort", "text": text})
            assert added.status_code == 201, added.json
        (told,) = people.partner.get("/notices?kind=plan.changed").json["items"]
        assert (
            told["sentence"] == f"The plan of care of patient {scene.patient.id} was changed: look whether you agree."
        )
        assert people.doctor.get("/notices?kind=plan.changed").json["items"] == []


def test_posts_are_held_one_after_another_and_plans_follow(scene: Scene, people: People, database: Database) -> None:
    with database.transaction() as session:
        make_care_plan(session, make_episode(session, session.merge(scene.patient)), session.merge(scene.doctor))
    home = f"/patients/{scene.patient.id}"
    with at(NOW):
        team = people.manager.get(f"{home}/care-team")
        assert _holders(team, "managing_physician") == [(scene.doctor.id, None)]
        assert team.json["vacant"] == ["coordinator"]
        named = people.manager("PUT", f"{home}/managing-physician", {"physician_id": scene.partner.id})
        assert named.status_code == 200, named.json
        stale = people.manager("PUT", f"{home}/managing-physician", {"physician_id": scene.doctor.id}, match='"9"')
        assert stale.status_code == 412
        bare = people.manager("PUT", f"{home}/managing-physician", {"physician_id": scene.doctor.id})
        assert bare.status_code == 428
        tag = named.headers["ETag"]
        for body, pointer in (
            ({"physician_id": 99_999}, "/physician_id"),
            ({"physician_id": "one"}, "/physician_id"),
            ({"physician_id": None}, "/physician_id"),
            ({}, "/physician_id"),
        ):
            wrong = people.manager("PUT", f"{home}/managing-physician", body, match=tag)
            assert (wrong.status_code, pointers(wrong)) == (422, {pointer})
        again = people.manager("PUT", f"{home}/managing-physician", {"physician_id": scene.partner.id}, match=tag)
        assert again.json == named.json
    with at(NOW + timedelta(hours=1)):
        back = people.manager("PUT", f"{home}/managing-physician", {"physician_id": scene.doctor.id}, match=tag)
        assert back.status_code == 200, back.json
        posts = people.manager.get(f"{home}/care-team/history").json["posts"]
        assert [(row["physician_id"], row["ends_at"]) for row in posts] == [
            (scene.partner.id, "2026-11-09T17:00:00Z"), (scene.doctor.id, None),
        ]  # fmt: skip
        assert people.manager.get(f"{home}/care-plan").json["managing_physician_id"] == scene.doctor.id
        assert people.foreigner("PUT", f"{home}/managing-physician", {"physician_id": 1}).status_code == 404
        assert people.nurse("PUT", f"{home}/managing-physician", {"physician_id": 1}).status_code == 403


def test_a_coordinator_is_named_and_released(scene: Scene, people: People) -> None:
    home = f"/patients/{scene.patient.id}"
    with at(NOW):
        me = people.manager.get("/me").json["id"]
        other = people.foreigner.get("/me").json["id"]
        refused = people.manager("PUT", f"{home}/coordinator", {"user_id": other})
        assert (refused.status_code, pointers(refused)) == (422, {"/user_id"})
        assert people.manager("DELETE", f"{home}/coordinator").status_code == 409
        named = people.manager("PUT", f"{home}/coordinator", {"user_id": me})
        assert named.status_code == 200, named.json
        assert _holders(people.manager.get(f"{home}/care-team"), "coordinator") == [(me, None)]
        assert people.manager("DELETE", f"{home}/coordinator").status_code == 428
        gone = people.manager("DELETE", f"{home}/coordinator", match=named.headers["ETag"])
        assert gone.json["ends_at"] is not None
        assert people.manager.get(f"{home}/care-team").json["vacant"] == ["coordinator"]


def test_a_primary_follows_another_and_the_past_stays(scene: Scene, people: People) -> None:
    home = f"/patients/{scene.patient.id}"
    with at(NOW):
        first = people.manager(
            "PUT", f"{home}/primaries/SN", {"clinician_id": scene.nurse.id, "starts_on": "2026-11-01"}
        )
        assert first.status_code == 200, first.json
        # The week of a clock change is a week of days like any other.
        body = {"clinician_id": scene.colleague.id, "starts_on": "2027-03-14"}
        second = people.manager("PUT", f"{home}/primaries/SN", body)
        assert second.json["id"] != first.json["id"]
        assert people.manager("PUT", f"{home}/primaries/SN", body).json["id"] == second.json["id"]
        for day, clinician in (("2027-03-13", scene.nurse.id), ("2027-03-14", scene.colleague.id)):
            team = people.manager.get(f"{home}/care-team?day={day}")
            assert _holders(team, "primary_nurse") == [(clinician, None)]
        early = people.manager("PUT", f"{home}/primaries/SN", body | {"starts_on": "2026-12-01"})
        assert (early.status_code, early.json["type"]) == (409, "/problems/primary-arranged")
        wrong = people.manager("PUT", f"{home}/primaries/PT", body)
        assert (wrong.status_code, pointers(wrong)) == (422, {"/clinician_id"})
        assert people.manager("PUT", f"{home}/primaries/XX", body).status_code == 404
        nul = people.manager("PUT", f"{home}/primaries/SN", body | {"role": "a\x00b"})
        assert (nul.status_code, pointers(nul)) == (422, {"/role"})
        # Another role from today on: what was so until yesterday stays.
        edited = people.manager(
            "PATCH", f"{home}/team/{first.json['id']}", {"role": "case-manager"}, match=first.headers["ETag"]
        )
        assert edited.status_code == 412, "the handing over has changed the row"
        history = people.manager.get(f"{home}/care-team/history").json["members"]
        tag = f'"{history[0]["version"]}"'
        edited = people.manager("PATCH", f"{home}/team/{first.json['id']}", {"role": "case-manager"}, match=tag)
        assert edited.status_code == 200, edited.json
        history = people.manager.get(f"{home}/care-team/history").json["members"]
        assert [(row["role"], row["starts_on"], row["ends_on"]) for row in history] == [
            ("sn", "2026-11-01", "2026-11-08"),
            ("case-manager", "2026-11-09", "2027-03-13"),
            ("sn", "2027-03-14", None),
        ]  # fmt: skip
        over = people.manager("PATCH", f"{home}/team/{first.json['id']}", {"role": "other"}, match='"*"')
        assert over.status_code == 412
        over = people.manager("PATCH", f"{home}/team/{first.json['id']}", {"role": "other"}, match="*")
        assert (over.status_code, over.json["type"]) == (409, "/problems/team-place-over")


def test_who_stands_in_sees_and_shows_in_those_days_and_no_longer(
    scene: Scene, people: People, database: Database
) -> None:
    home = f"/patients/{scene.patient.id}"
    body = {
        "role": "primary", "away_id": scene.nurse.id, "by_id": scene.colleague.id, "starts_on": "2026-11-10",
        "ends_on": "2026-11-12", "reason": "time-off",
    }  # fmt: skip
    with at(NOW):
        people.manager("PUT", f"{home}/primaries/SN", {"clinician_id": scene.nurse.id, "starts_on": "2026-11-01"})
        assert people.colleague.get(f"{home}/care-team").status_code == 404
        made = people.scheduler.post("/covers", body)
        assert made.status_code == 201, made.json
        twice = people.scheduler.post("/covers", body)
        assert (twice.status_code, twice.json["type"]) == (409, "/problems/cover-overlaps")
        assert twice.json["blocking"][0]["row"] == made.json["id"]
        turned = people.scheduler.post("/covers", body | {"away_id": scene.colleague.id, "by_id": scene.nurse.id})
        assert turned.json["type"] == "/problems/cover-refused"
        assert {one["code"] for one in turned.json["blocking"]} == {"coverer-covered", "away-covers"}
        for change, pointer in (
            ({"by_id": scene.foreigner.id}, "/by_id"),
            ({"away_id": 99_999}, "/away_id"),
            ({"role": "boss"}, "/role"),
            ({"starts_on": "tomorrow"}, "/starts_on"),
            ({"reason": 5}, "/reason"),
        ):
            wrong = people.scheduler.post("/covers", body | change)
            assert (wrong.status_code, pointers(wrong)) == (422, {pointer})
        assert people.nurse.post("/covers", body).status_code == 403
        assert people.foreigner.get(f"/covers/{made.json['id']}").status_code == 404
        assert people.colleague.get(f"/covers/{made.json['id']}").status_code == 200
        assert [row["id"] for row in people.colleague.get("/covers?day=2026-11-12").json["items"]] == [made.json["id"]]
        assert people.aide.get("/covers").status_code == 403
    with at(NOW + timedelta(days=1)):
        team = people.colleague.get(f"{home}/care-team")
        assert _holders(team, "primary_nurse") == [(scene.colleague.id, scene.nurse.id), (scene.nurse.id, None)]
    with at(NOW + timedelta(days=4)):
        assert people.colleague.get(f"{home}/care-team").status_code == 404
    with at(NOW + timedelta(days=2)):
        assert people.scheduler("POST", f"/covers/{made.json['id']}/withdraw").status_code == 428
        gone = people.scheduler("POST", f"/covers/{made.json['id']}/withdraw", match=made.headers["ETag"])
        assert gone.status_code == 200, gone.json
        assert people.colleague.get(f"{home}/care-team").status_code == 404
        again = people.scheduler("POST", f"/covers/{made.json['id']}/withdraw", match="*")
        assert (again.status_code, again.json["type"]) == (409, "/problems/cover-withdrawn")
    with database.transaction(write=False) as session:
        actions = set(session.execute(sa.select(AuditEvent.action)).scalars())
    assert {"team.joined", "cover.arranged", "cover.withdrawn", "cover.listed", "patient.team-read"} <= actions


def test_a_covering_physician_signs_in_their_own_name_and_in_those_days_alone(
    scene: Scene, people: People, database: Database
) -> None:
    with database.transaction() as session:
        episode = make_episode(session, session.merge(scene.patient))
        plan = make_care_plan(session, episode, session.merge(scene.doctor))
        order = make_order(
            session, episode, plan, status=OrderStatus.SENT_FOR_SIGNATURE, signed_at=None, sent_at=NOW,
            needed_by=date(2026, 11, 12),
        )  # fmt: skip
        therapist = make_clinician(session, session.merge(scene.branch), Performer.PT)
    body = {
        "role": "managing_physician", "away_id": scene.doctor.id, "by_id": scene.partner.id, "starts_on": "2026-11-09",
        "ends_on": "2026-11-09", "reason": "sick", "patient_id": scene.patient.id,
    }  # fmt: skip
    with at(NOW):
        assert people.partner.get("/signing-queue").json["items"] == []
        assert people.partner.get(f"/patients/{scene.patient.id}").status_code == 404
        assert people.scheduler.post("/covers", body | {"by_id": therapist.id + 1_000}).status_code == 422
        made = people.scheduler.post("/covers", body)
        assert made.status_code == 201, made.json
        (card,) = people.partner.get("/signing-queue").json["items"]
        assert (card["order"]["id"], card["covering_for"]) == (order.id, scene.doctor.id)
        assert people.doctor.get("/signing-queue").json["items"][0]["covering_for"] is None
        assert people.partner.get(f"/patients/{scene.patient.id}").status_code == 200
        assert people.partner.get(f"/patients/{scene.stranger.id}").status_code == 404
    with at(NOW + timedelta(days=1)):
        assert people.partner.get("/signing-queue").json["items"] == []
        assert people.partner.get(f"/patients/{scene.patient.id}").status_code == 404


def test_what_may_be_told_outside_is_agreed_and_taken_back(scene: Scene, people: People) -> None:
    home = f"/patients/{scene.patient.id}/participants"
    body = {
        "kind": "outpatient_clinic", "name": "Dr. Wu", "role": "oncologist", "organisation": "Bay Oncology",
        "starts_on": "2026-11-01",
    }  # fmt: skip
    consent = {"given_by": "patient", "given_on": "2026-11-08", "scopes": ["schedule", "orders"]}
    with at(NOW):
        added = people.manager.post(home, body)
        assert added.status_code == 201, added.json
        one = f"{home}/{added.json['id']}"
        for change, pointer in (
            ({"kind": "friend"}, "/kind"), ({"name": "a\x00"}, "/name"), ({"npi": "1234567890"}, "/npi"),
            ({"ends_on": "2026-10-01"}, "/ends_on"), ({"starts_on": 5}, "/starts_on"), ({"extra": 1}, "/extra"),
        ):  # fmt: skip
            wrong = people.manager.post(home, body | change)
            assert (wrong.status_code, pointers(wrong)) == (422, {pointer})
        assert people.manager.post(f"{one}/consents", consent).status_code == 428
        tag = added.headers["ETag"]
        for change, pointer in (
            ({"given_on": "2026-11-10"}, "/given_on"), ({"scopes": []}, "/scopes"), ({"scopes": ["all"]}, "/scopes/0"),
            ({"given_by": "representative"}, "/giver_name"),
        ):  # fmt: skip
            wrong = people.manager("POST", f"{one}/consents", consent | change, match=tag)
            assert (wrong.status_code, pointers(wrong)) == (422, {pointer})
        agreed = people.manager("POST", f"{one}/consents", consent, match=tag)
        assert agreed.status_code == 201, agreed.json
        (given,) = agreed.json["consents"]
        assert given["scopes"] == ["orders", "schedule"]
        (told,) = people.manager.get(f"/patients/{scene.patient.id}/care-team").json["outside"]
        assert (told["participant"]["id"], told["may_be_told"]) == (added.json["id"], ["orders", "schedule"])
        back = {"withdrawn_by": "patient", "withdrawn_on": "2026-11-09"}
        path = f"{one}/consents/{given['id']}/withdraw"
        assert people.manager("POST", path, back, match=tag).status_code == 412
        gone = people.manager("POST", path, back, match=agreed.headers["ETag"])
        assert gone.json["consents"][0]["withdrawn_on"] == "2026-11-09"
        (told,) = people.manager.get(f"/patients/{scene.patient.id}/care-team").json["outside"]
        assert told["may_be_told"] == []
        assert people.manager("POST", path, back, match="*").json["type"] == "/problems/consent-withdrawn"
        assert people.manager("POST", f"{one}/consents/99999/withdraw", back, match="*").status_code == 404
        ended = people.manager("PATCH", one, {"ends_on": "2026-11-08"}, match="*")
        assert ended.status_code == 200, ended.json
        over = people.manager("PATCH", one, {"phone": "555"}, match="*")
        assert (over.status_code, over.json["type"]) == (409, "/problems/participant-over")
        assert people.scheduler.get(home).status_code == 403
        assert people.foreigner.get(home).status_code == 404
        other = f"/patients/{scene.stranger.id}/participants/{added.json['id']}"
        assert people.foreigner("PATCH", other, {"phone": "555"}, match="*").status_code == 404
        assert people.scheduler.get(f"/patients/{scene.patient.id}/care-team").json["outside"] == []
        assert [row["name"] for row in people.manager.get(home).json["items"]] == ["Dr. Wu"]
        assert people.manager.get(f"{home}?day=2026-11-09").json["items"] == []


def test_time_off_of_a_primary_asks_for_cover(scene: Scene, people: People, database: Database) -> None:
    with database.transaction() as session:
        make_episode(session, session.merge(scene.patient))
    # The week in which clocks go back: its days are days like any other.
    body = {
        "clinician_id": scene.nurse.id, "starts_at": "2027-10-31T07:00:00Z", "ends_at": "2027-11-13T08:00:00Z",
        "reason": "leave",
    }  # fmt: skip
    cover = {
        "role": "primary", "away_id": scene.nurse.id, "by_id": scene.colleague.id, "starts_on": "2027-10-31",
        "ends_on": "2027-11-08", "reason": "time-off",
    }  # fmt: skip
    with at(NOW):
        home = f"/patients/{scene.patient.id}"
        people.manager("PUT", f"{home}/primaries/SN", {"clinician_id": scene.nurse.id, "starts_on": "2026-11-01"})
        made = people.scheduler.post("/absences", body)
        assert made.status_code == 201, made.json
        (task,) = people.scheduler.get("/tasks?kind=arrange-cover").json["items"]
        assert (task["due_on"], task["owner_role"]) == ("2027-10-31", "scheduler")
        assert people.scheduler.post("/covers", cover).status_code == 201
        assert len(people.scheduler.get("/tasks?kind=arrange-cover").json["items"]) == 1, "not every day is covered"
        rest = cover | {"starts_on": "2027-11-09", "ends_on": "2027-11-12"}
        assert people.scheduler.post("/covers", rest).status_code == 201
        assert people.scheduler.get("/tasks?kind=arrange-cover").json["items"] == []
