"""Receiving and completing referrals: anything may be missing, and the clock runs from the first (REF-01, REF-02)."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.domain.vocabulary import Programme, ReferralSetting, ReferralStatus
from coordinator.referrals import content, service
from coordinator.staff.model import Physician
from tests.builders import NPIS
from tests.conftest import NOW, WorkAs
from tests.referrals.kit import Scene, receive


def test_a_whole_referral_is_complete_and_due_in_48_hours(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, at=NOW - timedelta(hours=1))
        assert content.missing(referral) == ()
        assert referral.complete_at == NOW
        assert referral.status is ReferralStatus.RECEIVED
        assert referral.due_at == NOW + timedelta(hours=47)


def test_a_referral_with_nothing_in_it_is_received_and_its_clock_runs(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = service.receive(work, scene.branch_id, Programme.KP_HBPC, NOW)
        missing = content.missing(referral)
        assert {"patient_name", "date_of_birth", "practitioner_npi", "disciplines", "setting", "payer"} <= set(missing)
        assert referral.complete_at is None
        assert referral.due_at == NOW + timedelta(hours=48)
        assert referral.physician_id is None


def test_the_48_hours_are_elapsed_over_the_autumn_change(work_as: WorkAs, scene: Scene) -> None:
    """REF-02 example 2: Saturday 10:00 PDT is due on Monday 09:00 PST."""
    received = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
    with work_as(scene.intake, now=received) as work:
        referral = receive(work, scene, at=received)
        assert referral.due_at == datetime(2026, 11, 2, 17, 0, tzinfo=UTC)  # 09:00 in California by then


def test_the_48_hours_are_elapsed_over_the_spring_change(work_as: WorkAs, scene: Scene) -> None:
    received = datetime(2027, 3, 13, 18, 0, tzinfo=UTC)  # Saturday 10:00 PST
    with work_as(scene.intake, now=received) as work:
        assert receive(work, scene, at=received).due_at == datetime(2027, 3, 15, 18, 0, tzinfo=UTC)  # 11:00 PDT


def test_an_ordered_day_is_due_at_its_end(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, ordered_soc_date=date(2026, 11, 17))
        assert referral.due_at == datetime(2026, 11, 18, 8, 0, tzinfo=UTC)  # midnight in California


def test_an_inpatient_has_no_due_time_until_home_again(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, setting=ReferralSetting.INPATIENT)
        assert referral.due_at is None
        assert content.missing(referral) == ("expected_discharge_on",)
        home = NOW - timedelta(hours=2)
        service.edit(work, referral.id, returned_home_at=home)
        assert referral.due_at == home + timedelta(hours=48)
        assert referral.status is ReferralStatus.SCREENING


def test_a_later_start_counts_only_if_agreed_before_the_first_due_time(work_as: WorkAs, scene: Scene) -> None:
    received = NOW - timedelta(hours=72)
    with work_as(scene.intake) as work:
        referral = receive(work, scene, at=received)
        first_due = referral.due_at
        late = {"soc_date_changed_to": date(2026, 11, 12), "soc_date_change_ordered_at": NOW - timedelta(hours=1)}
        assert service.edit(work, referral.id, **late).due_at == first_due
        in_time = late | {"soc_date_change_ordered_at": NOW - timedelta(hours=30)}
        assert service.edit(work, referral.id, **in_time).due_at == datetime(2026, 11, 13, 8, 0, tzinfo=UTC)


def test_completing_a_referral_moves_it_on_and_emptying_it_moves_it_back(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene, phone=None)
        assert referral.complete_at is None
        service.edit(work, referral.id, phone="+1 415 555 0101")
        assert (referral.status, referral.complete_at) == (ReferralStatus.SCREENING, NOW)
        service.edit(work, referral.id, phone=None)
        assert (referral.status, referral.complete_at) == (ReferralStatus.PENDING_INFO, None)


def test_a_practitioner_is_made_once_and_found_again_by_npi(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        first = receive(work, scene)
        second = receive(work, scene, family_name="Wong", practitioner_name=None, practitioner_type=None)
        assert first.physician_id == second.physician_id is not None
        # What is known of the practitioner fills the gap.
        assert second.practitioner_name == "Ada Okafor"
        known = work.session.get_one(Physician, first.physician_id)
        assert (known.given_name, known.family_name, known.is_kp) == ("Ada", "Okafor", True)


def test_a_number_that_fails_its_check_digit_links_nobody(work_as: WorkAs, scene: Scene) -> None:
    wrong = NPIS[0][:-1] + str((int(NPIS[0][-1]) + 1) % 10)
    with work_as(scene.intake) as work:
        before = work.session.execute(sa.select(sa.func.count()).select_from(Physician)).scalar_one()
        referral = receive(work, scene, practitioner_npi=wrong)
        assert referral.physician_id is None
        assert content.missing(referral) == ("practitioner_npi",)
        assert work.session.execute(sa.select(sa.func.count()).select_from(Physician)).scalar_one() == before
        service.edit(work, referral.id, practitioner_npi=NPIS[1])
        assert referral.physician_id is not None
        assert content.missing(referral) == ()


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"diagnosis_code": "Z99.XYZ"}, "/diagnosis_code"),
        ({"spoken_language": "not a language"}, "/spoken_language"),
        ({"zip": "9411"}, "/zip"),
        ({"lat": 37.0}, "/lon"),
        ({"setting": "moon"}, "/setting"),
        ({"disciplines": ["XX"]}, "/disciplines"),
        ({"birth_date": date(2027, 1, 1)}, "/birth_date"),
        ({"coverage_to": date(2025, 1, 1)}, "/coverage_to"),
        ({"returned_home_at": NOW + timedelta(hours=1)}, "/returned_home_at"),
        ({"soc_date_changed_to": date(2026, 11, 12)}, "/soc_date_change_ordered_at"),
        ({"status": "admitted"}, "/status"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(work_as: WorkAs, scene: Scene, wrong: dict, pointer: str) -> None:
    with pytest.raises(Invalid) as refused, work_as(scene.intake) as work:
        receive(work, scene, **wrong)
    assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_nothing_is_received_from_the_future_or_for_another_branch(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        with pytest.raises(Invalid):
            receive(work, scene, at=NOW + timedelta(seconds=1))
        with pytest.raises(NotFound):
            service.receive(work, scene.other_branch_id, Programme.KP_HBPC, NOW)


def test_another_branchs_referral_sounds_like_a_missing_one(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral_id = receive(work, scene).id
    with work_as(scene.stranger) as work:
        with pytest.raises(NotFound) as theirs:
            service.get(work, referral_id)
        with pytest.raises(NotFound) as missing:
            service.get(work, referral_id + 1000)
    assert theirs.value.detail == missing.value.detail
    with work_as(scene.stranger) as work:
        assert work.session.execute(service.search(work)).all() == []
    with work_as(scene.scheduler) as work:
        assert [row.id for row in work.session.execute(service.search(work)).scalars()] == [referral_id]


def test_a_withdrawn_referral_is_closed_for_good(work_as: WorkAs, scene: Scene) -> None:
    with work_as(scene.intake) as work:
        referral = receive(work, scene)
        service.withdraw(work, referral.id, "The practitioner chose a nursing facility")
        assert referral.status is ReferralStatus.WITHDRAWN
        with pytest.raises(Conflict):
            service.edit(work, referral.id, phone=None)
        with pytest.raises(Conflict):
            service.accept(work, referral.id)
