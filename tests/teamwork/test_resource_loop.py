"""Bringing people to help elsewhere: matched, referred with consent, accepted, secured or failed; suggested; given."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.access.service import installer_actor
from coordinator.care import assessments
from coordinator.core.settings import ROOT
from coordinator.directory import service as directory
from coordinator.domain.care import InstrumentCode, Respondent
from coordinator.domain.vocabulary import Payer, ReferralDeclineReason
from coordinator.patients import service as patients
from coordinator.patients.model import Caregiver
from coordinator.referrals import service as referrals
from coordinator.rules.discharge import Reason as DischargeReason
from coordinator.staff.model import Physician
from coordinator.teamwork import resource_clock
from coordinator.teamwork.model import Task
from coordinator.teamwork.resource_model import ResourceSuggestion
from tests.conftest import WorkAs, actor_with
from tests.people import Browser, at, pointers
from tests.referrals.kit import FULL
from tests.teamwork.conftest import TUESDAY, Scene

CONSENT = {"given_by": "patient", "form": "spoken", "on": "2026-11-10"}


@pytest.fixture(autouse=True)
def _loaded(work_as: WorkAs) -> None:
    with work_as(installer_actor("test")) as work:
        directory.load(work, ROOT / "config" / "directory.toml")


def caregiver_of(scene: Scene, **given: Any) -> int:
    with scene.database.transaction() as session:
        row = Caregiver(patient_id=scene.patient, name="Wei Lee", relation="daughter", language="zh-Hant", **given)
        session.add(row)
        session.flush()
        return row.id


def tasks_of(scene: Scene, kind: str) -> list[tuple[str, str]]:
    """(status, last day) of the tasks of a kind, first to last."""
    with scene.database.session(write=False) as session:
        rows = session.execute(sa.select(Task).where(Task.kind == kind).order_by(Task.id)).scalars()
        return [(row.status.value, row.due_on.isoformat()) for row in rows]


def found(who: Browser, scene: Scene, key: str = "sutter_cpmc", **body: Any) -> dict[str, Any]:
    answer = who.post(
        f"/patients/{scene.patient}/resource-referrals", {"resource_key": key, "need": "palliative_care"} | body
    )
    assert answer.status_code == 201, answer.json
    row: dict[str, Any] = answer.json
    return row


def step(who: Browser, row: dict[str, Any], deed: str, body: Any = None) -> Any:
    path = f"/resource-referrals/{row['id']}"
    return who("POST", f"{path}/{deed}", body or {}, match=who.etag(path))


# ------------------------------------------------------------------------------------ the loop


def test_the_loop_from_found_to_secured_with_consent_reminders_and_history(scene: Scene) -> None:
    social = scene.as_("social")
    with at(TUESDAY):
        row = found(social, scene)
        assert (row["status"], row["is_kp"], row["follow_up_on"]) == ("identified", False, "2026-11-16")
        assert tasks_of(scene, "follow-up-resource") == [("open", "2026-11-16")]
        both = step(social, row, "refer", {"way": "agency_sends", "referred_by": "social_worker"})
        assert both.status_code == 422
        assert {one["rule"] for one in both.json["findings"]} == {"RES-02", "RES-03"}, "all that is lacking is told"
        assert all(one["cure"] for one in both.json["findings"])
        unsaid = step(social, row, "refer", {"way": "warm_handoff", "referred_by": "nurse"})
        assert [one["rule"] for one in unsaid.json["findings"]] == ["RES-02"]
        ahead = {"way": "agency_sends", "referred_by": "nurse", "consent": CONSENT | {"on": "2026-11-12"}}
        assert pointers(step(social, row, "refer", ahead)) == {"/consent/on"}
        assert step(social, row, "accept").json["type"].endswith("resource-referral-state")
        sent = step(social, row, "refer", {"way": "agency_sends", "referred_by": "nurse", "consent": CONSENT})
        assert (sent.status_code, sent.json["status"], sent.json["consent_by"]) == (200, "referred", "patient")
        assert (sent.json["consent_form"], sent.json["follow_up_on"]) == ("spoken", "2026-11-18")
        accepted = step(social, row, "accept").json
        assert accepted["follow_up_on"] == "2026-11-24"
        done = step(social, row, "secure").json
        assert [one["status"] for one in done["steps"]] == ["identified", "referred", "accepted", "secured"]
        assert {one["by_id"] for one in done["steps"]} == {scene.users["social"]}
        assert done["follow_up_on"] is None
        again = step(social, row, "fail", {"reason": "cost"})
        assert (again.status_code, again.json["status_now"]) == (409, "secured")
    assert [status for status, _ in tasks_of(scene, "follow-up-resource")] == ["done", "done", "done"]
    assert scene.trail("resource-referral.referred") == [(scene.users["social"], scene.patient)]


def test_a_failure_has_a_reason_and_kaisers_own_help_is_told_apart(scene: Scene) -> None:
    social = scene.as_("social")
    with at(TUESDAY):
        caregiver = caregiver_of(scene)
        kaiser = found(social, scene, "kp_sf")
        row = found(social, scene, "acca", need="caregiver_support", caregiver_id=caregiver)
        assert (kaiser["is_kp"], row["is_kp"]) == (True, False)
        # Nothing leaves where the caregiver turns to it herself; and this one does not say who may refer.
        told = step(social, row, "refer", {"way": "person_contacts", "referred_by": "self"})
        assert (told.json["status"], told.json["consent_on"]) == ("referred", None)
        assert pointers(step(social, row, "fail", {"reason": "because"})) == {"/reason"}
        failed = step(social, row, "fail", {"reason": "no_capacity"}).json
        assert (failed["status"], failed["failure"]) == ("failed", "no_capacity")
        path = f"/resource-referrals?patient_id={scene.patient}"
        assert [one["resource_key"] for one in social.get(f"{path}&is_kp=true").json["items"]] == ["kp_sf"]
        assert [one["resource_key"] for one in social.get(f"{path}&is_kp=false").json["items"]] == ["acca"]
        assert [one["id"] for one in social.get(f"{path}&status=failed").json["items"]] == [row["id"]]
        lacks = f"/patients/{scene.patient}/resource-referrals"
        wrong = {"resource_key": "nobody", "need": "food"}
        assert pointers(social.post(lacks, wrong)) == {"/resource_key"}
        assert pointers(social.post(lacks, wrong | {"need": "gold"})) == {"/need"}
        assert pointers(social.post(lacks, {"resource_key": "acca", "need": "food", "caregiver_id": 9**9})) == {
            "/caregiver_id"
        }
        assert pointers(social.post(lacks, {"resource_key": "acca", "need": "food", "visit_id": 9**9})) == {"/visit_id"}


def test_who_may_not_see_the_patient_sees_no_referral(scene: Scene) -> None:
    with at(TUESDAY):
        row = found(scene.as_("social"), scene)
        path = f"/resource-referrals/{row['id']}"
        for stranger in ("outsider", "far"):
            assert scene.as_(stranger).get(path).status_code == 404
            assert scene.as_(stranger).get("/resource-referrals").json["items"] == []
            assert scene.as_(stranger)("POST", f"{path}/secure", match="*").status_code == 404
        assert scene.as_("aide").get(path).status_code == 403
        assert scene.as_("scheduler").get(path).status_code == 403
        assert scene.as_("doctor").get(path).status_code == 200
        assert scene.as_("doctor")("POST", f"{path}/secure", match="*").status_code == 403


# ------------------------------------------------------------------------------------ matched


def test_a_patient_is_matched_by_system_service_and_county_and_by_nothing_else(scene: Scene) -> None:
    social = scene.as_("social")
    path = f"/patients/{scene.patient}/resources"

    def keys(answer: Any) -> list[str]:
        return [row["key"] for row in answer.json["items"]]

    with at(TUESDAY):
        member = social.get(path)
        assert keys(member) == ["kp_sf", "acca", "mettle"], "a member's own system, and the community"
        assert {row["key"]: row["why"] for row in member.json["left_out"]} == {
            "sutter_cpmc": "other_health_system", "ucsf": "other_health_system", "zsfg": "other_health_system",
            "sfva": "veterans_only",
        }  # fmt: skip
        assert member.json["not_known"] == ["is_veteran"]
        with scene.database.transaction() as session:
            patient = session.get_one(patients.Patient, scene.patient)
            patient.race_ethnicity = ["white"]
            patient.coverages[0].payer = Payer.MEDICARE
            session.get_one(Physician, scene.physician).is_kp = False
        assert keys(social.get(path)) == ["sutter_cpmc", "ucsf", "zsfg", "acca", "mettle"]
        first = social.get(path).json["items"][0]
        assert (first["key"], first["ask_first"]) == ("sutter_cpmc", ["health_system"])
        assert pointers(social("PUT", f"{path[:-1]}-profile", {"health_system": "moon"})) == {"/health_system"}
        known = {"is_veteran": True, "health_system": "ucsf", "county": "Alameda"}
        assert social("PUT", f"/patients/{scene.patient}/resource-profile", known).status_code == 200
        assert keys(social.get(path)) == ["sfva", "ucsf", "mettle"], "the alliance serves San Francisco"
        assert social.get(f"/patients/{scene.patient}/resource-profile").json["county"] == "Alameda"
        assert keys(social.get(f"{path}?setting=telehealth")) == ["mettle"]
        assert social.get(f"{path}?setting=moon").status_code == 422
        assert scene.as_("outsider").get(path).status_code == 404


# ------------------------------------------------------------------------------------ suggestions


def suggestions(who: Browser, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = who.get(f"/resource-suggestions{query}").json["items"]
    return rows


def test_a_declined_referral_suggests_once_and_is_dismissed_with_a_reason(scene: Scene, work_as: WorkAs) -> None:
    intake = scene.as_("intake")
    with work_as(scene.actor("intake"), now=TUESDAY) as work:
        first = referrals.receive(work, scene.branch, "KP_HBPC", TUESDAY, **FULL)
        second = referrals.receive(work, scene.branch, "KP_HBPC", TUESDAY, **FULL | {"member_id": "KP2"})
        referrals.decline(work, first.id, ReferralDeclineReason.ELG_5, "mettle")
        referrals.decline(work, second.id, ReferralDeclineReason.DUPLICATE, "mettle")
        number = first.id
    with at(TUESDAY):
        (row,) = suggestions(intake)
        assert (row["reason"], row["source_ref"], row["patient_id"]) == (
            "referral_declined", f"referral:{number}", None,
        )  # fmt: skip
        assert (row["finding"]["rule"], row["due_on"]) == ("RES-01", "2026-11-13")
        assert set(row["resource_keys"]) >= {"acca", "mettle", "kp_sf"}
        assert tasks_of(scene, "find-resource") == [("open", "2026-11-13")]
        assert suggestions(scene.as_("far")) == []
        path = f"/resource-suggestions/{row['id']}"
        assert scene.as_("far").get(path).status_code == 404
        assert pointers(intake.change("POST", f"{path}/dismiss", {"reason": "no"}, of=path)) == {"/reason"}
        done = intake.change("POST", f"{path}/dismiss", {"reason": "already_in_place"}, of=path)
        assert (done.json["status"], done.json["dismissal"]) == ("dismissed", "already_in_place")
        assert intake.change("POST", f"{path}/dismiss", {"reason": "not_wanted"}, of=path).status_code == 409
    assert tasks_of(scene, "find-resource") == [("cancelled", "2026-11-13")]


def test_a_strained_caregiver_is_suggested_help_which_a_referral_takes(scene: Scene, work_as: WorkAs) -> None:
    caregiver = caregiver_of(scene)
    for answer in (1, 2, 2):
        with work_as(scene.actor("social"), now=TUESDAY) as work:
            assessments.record(
                work, scene.patient, instrument=InstrumentCode.ZBI_12, caregiver_id=caregiver,
                answers={f"q{number}": answer for number in range(1, 13)}, respondent=Respondent.CAREGIVER,
            )  # fmt: skip
    with at(TUESDAY):
        social = scene.as_("social")
        (row,) = suggestions(social, f"?patient_id={scene.patient}&status=open")
        assert (row["reason"], row["resource_keys"]) == ("caregiver_strain", ["acca"])
        assert "score" in row["finding"]["message"]
        assert suggestions(scene.as_("intake")) == [], "it tells how somebody answered"
        taken = found(social, scene, "acca", need="caregiver_support", caregiver_id=caregiver, suggestion_id=row["id"])
        assert taken["suggestion_id"] == row["id"]
        assert suggestions(social, "?status=taken")[0]["id"] == row["id"]
        other = social.post(
            f"/patients/{scene.patient}/resource-referrals",
            {"resource_key": "acca", "need": "respite", "suggestion_id": 9**9},
        )
        assert pointers(other) == {"/suggestion_id"}
    assert [status for status, _ in tasks_of(scene, "find-resource")] == ["done"]


def test_the_night_finds_what_no_event_tells_and_doubles_nothing(scene: Scene, work_as: WorkAs) -> None:
    social = scene.as_("social")
    with at(TUESDAY):
        row = found(social, scene, "sutter_cpmc")
        step(social, row, "refer", {"way": "agency_sends", "referred_by": "physician", "consent": CONSENT})
        community = found(social, scene, "mettle", need="coaching")
        step(social, community, "refer", {"way": "person_contacts", "referred_by": "self"})
    with work_as(scene.actor("intake"), now=TUESDAY) as work:
        incoming = referrals.receive(work, scene.branch, "KP_HBPC", TUESDAY, **FULL).id

    def night(days: int) -> set[tuple[str, str]]:
        for _ in range(2):
            with work_as(now=TUESDAY + timedelta(days=days)) as work:
                resource_clock.look_after(work, scene.branch)
        with scene.database.session(write=False) as session:
            made = session.execute(sa.select(ResourceSuggestion)).scalars()
            return {(one.reason.value, one.source_ref) for one in made}

    assert night(6) == set()
    checks = tasks_of(scene, "check-resource")
    assert len(checks) == 7, "nobody has asked any organisation yet, and each is asked for once"
    week = {
        ("no_medical_acceptance", f"resource-referral:{row['id']}"), ("no_medical_acceptance", f"referral:{incoming}"),
    }  # fmt: skip
    assert night(7) == week
    assert night(8) == week
    with work_as(actor_with("intake", branch_ids=frozenset({scene.branch})), now=TUESDAY + timedelta(days=9)) as work:
        day = date(2026, 11, 19)
        patients.discharge(work, scene.episode, day, DischargeReason.DEATH)
    assert night(10) == week | {("bereavement", f"patient:{scene.patient}")}
    with at(TUESDAY + timedelta(days=10)):
        scene.as_("intake").change("POST", "/resources/acca/check", of="/resources/acca")
    night(11)
    assert sorted(status for status, _ in tasks_of(scene, "check-resource")) == ["done"] + ["open"] * 6


# ------------------------------------------------------------------------------------ education


def test_something_to_watch_is_meant_for_somebody_sent_and_seen(scene: Scene) -> None:
    social = scene.as_("social")
    path = f"/patients/{scene.patient}/education"
    with at(TUESDAY):
        caregiver = caregiver_of(scene, may_contact=False)
        video = {"item_key": "chcf_extra_supports", "caregiver_id": caregiver}
        given = social.post(path, video)
        assert (given.status_code, given.json["language"]) == (201, "zh-Hant")
        assert (given.json["title"], given.json["translation_missing"]) == ("為重症患者提供額外支持", False)
        assert social.post(path, video).status_code == 409
        assert social.post(path, {"item_key": "chcf_extra_supports"}).json["language"] == "en"
        assert pointers(social.post(path, {"item_key": "nothing"})) == {"/item_key"}
        assert pointers(social.post(path, video | {"caregiver_id": 9**9})) == {"/caregiver_id"}
        one = f"/education/{given.json['id']}"
        early = social.post(f"{one}/viewed", {"viewed_on": "2026-11-10"})
        assert early.json["type"].endswith("not-sent")
        unwanted = social.post(f"{one}/sent", {"way": "email", "sent_on": "2026-11-09"})
        assert unwanted.json["type"].endswith("no-contact")
        assert pointers(social.post(f"{one}/sent", {"way": "printed", "sent_on": "2026-11-11"})) == {"/sent_on"}
        assert social.post(f"{one}/sent", {"way": "printed", "sent_on": "2026-11-09"}).json["way"] == "printed"
        assert social.post(f"{one}/sent", {"way": "shown", "sent_on": "2026-11-09"}).status_code == 409
        assert pointers(social.post(f"{one}/viewed", {"viewed_on": "2026-11-08"})) == {"/viewed_on"}
        assert social.post(f"{one}/viewed", {"viewed_on": "2026-11-10"}).json["viewed_on"] == "2026-11-10"
        assert [row["viewed_on"] for row in scene.as_("nurse").get(path).json["items"]] == [None, "2026-11-10"]
        assert scene.as_("outsider").get(path).status_code == 404
        assert scene.as_("aide").get(path).status_code == 403


def test_reminders_count_from_the_branchs_own_day(scene: Scene) -> None:
    late = datetime(2026, 11, 10, 23, 30, tzinfo=TUESDAY.tzinfo)
    with at(late):
        row = found(scene.as_("social"), scene)
    assert row["follow_up_on"] == "2026-11-16"
