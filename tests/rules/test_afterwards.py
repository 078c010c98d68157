"""VIS-01, EVV-01, EVV-03, EVV-04."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from coordinator.domain.vocabulary import Discipline, EvvMethod, MissedReason, Payer, Programme
from coordinator.rules import evv, missed
from coordinator.rules.facts import EvvFacts
from tests.rules.cases import DAY, POLICY, day, local, rules_of

PACIFIC = ZoneInfo("America/Los_Angeles")

# ------------------------------------------------------------------------------------ VIS-01


@pytest.mark.example("VIS-01", 2)
def test_vis_01_a_visit_on_hold_is_not_missed():
    assert missed.ask_missed(MissedReason.ON_HOLD, Discipline.SN, DAY, POLICY) == ()
    assert not missed.decision_needed(MissedReason.ON_HOLD, None)


@pytest.mark.parametrize(
    ("discipline", "impact", "daily", "noticed", "due"),
    [
        (Discipline.SN, True, False, "2026-11-25", "2026-11-25"),
        (Discipline.HHA, True, False, "2026-11-25", "2026-11-27"),
        (Discipline.HHA, None, True, "2026-11-25", "2026-11-25"),
        # Thanksgiving between.
        (Discipline.PT, False, False, "2026-11-25", "2026-11-27"),
        (Discipline.PT, None, False, "2026-11-27", "2026-11-30"),
    ],
)
def test_vis_01_when_the_practitioner_is_told(discipline, impact, daily, noticed, due):
    (task,) = missed.ask_missed(
        MissedReason.STAFF_ILLNESS, discipline, day(noticed), POLICY, clinical_impact=impact, daily_order=daily
    )
    assert (task.severity.value, task.due) == ("TASK", day(due))
    assert task.facts["decision_needed"] is (impact is not False)


@pytest.mark.example("VIS-01", 1)
def test_vis_01_not_found_twice_in_a_week():
    found = missed.ask_missed(
        MissedReason.NOT_HOME_NOT_FOUND, Discipline.SN, DAY, POLICY, not_found_days=[DAY - timedelta(days=4)]
    )
    assert [finding.due for finding in found][-1] == DAY
    assert "welfare check" in found[-1].cure_sentence()
    once = missed.ask_missed(
        MissedReason.NOT_HOME_NOT_FOUND, Discipline.SN, DAY, POLICY, not_found_days=[DAY - timedelta(days=7)]
    )
    assert len(once) == 1


def test_vis_01_third_miss_or_second_refusal():
    ill, refused = MissedReason.STAFF_ILLNESS, MissedReason.PATIENT_REFUSED
    days = [DAY - timedelta(days=n) for n in (0, 10, 29, 30)]
    assert missed.ask_pattern([(days[0], ill), (days[1], ill)], DAY, POLICY) is None
    assert rules_of(missed.ask_pattern([(d, ill) for d in days[:3]], DAY, POLICY)) == [("VIS-01", "TASK")]
    assert missed.ask_pattern([(days[0], ill), (days[1], ill), (days[3], ill)], DAY, POLICY) is None
    assert rules_of(missed.ask_pattern([(days[0], refused), (days[1], refused)], DAY, POLICY)) == [("VIS-01", "TASK")]
    held = [(d, MissedReason.ON_HOLD) for d in days]
    assert missed.ask_pattern(held, DAY, POLICY) is None


# ------------------------------------------------------------------------------------ EVV


def captured(**changes):
    facts = EvvFacts(
        Payer.MEDI_CAL,
        Programme.MEDI_CAL_HH,
        service="G0156",
        patient_id=1,
        day=DAY,
        location="37.77,-122.42",
        clinician_id=2,
        starts_at=local("2026-11-10 09:00"),
        ends_at=local("2026-11-10 10:00"),
        method=EvvMethod.MOBILE,
    )
    return replace(facts, **changes)


@pytest.mark.example("EVV-01", 1)
@pytest.mark.example("EVV-04", 1)
@pytest.mark.example("EVV-04", 2)
def test_evv_01_example_no_end_time():
    found = evv.ask_elements(captured(ends_at=None), POLICY)
    assert rules_of(found) == [("EVV-01", "HOLD-BILL")]
    assert found.sentence() == "Visit verification lacks end."
    commercial = captured(ends_at=None, payer=Payer.KP, programme=Programme.KP_HBPC)
    assert rules_of(evv.ask_elements(commercial, POLICY)) == [("EVV-01", "WARN")]
    assert evv.ask_elements(captured(), POLICY) is None


@pytest.mark.parametrize(
    "change",
    [
        {"programme": Programme.HOSPICE},
        {"pace": True},
        {"inpatient": True},
        {"in_home": False},
        {"congregate_with_24h_service": True},
        {"payer": Payer.KP},
        {"live_in_caregiver": True, "live_in_exemption_recorded": True},
        {"personal_or_home_health_care": False},
    ],
)
@pytest.mark.example("EVV-04", 3)
def test_evv_03_exclusions(change):
    assert evv.is_required(captured(), POLICY)
    assert not evv.is_required(captured(**change), POLICY)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"ends_at": local("2026-11-10 09:00")}, [("EVV-04", "BLOCK")]),
        ({"ends_at": local("2026-11-10 17:00")}, []),
        ({"ends_at": local("2026-11-10 17:01")}, [("EVV-04", "WARN")]),
        ({"metres_from_home": 400}, []),
        ({"metres_from_home": 401}, [("EVV-04", "WARN")]),
        ({"overlaps_other_visit": True}, [("EVV-04", "WARN")]),
        ({"home_zone": PACIFIC, "device_zone": ZoneInfo("America/New_York")}, [("EVV-04", "WARN")]),
        ({"home_zone": PACIFIC, "device_zone": ZoneInfo("America/Tijuana")}, []),  # its clocks go alike
        ({"home_zone": PACIFIC, "device_zone": None}, []),
        ({"edited": True}, [("EVV-04", "BLOCK")]),
        ({"edited": True, "edit_reason": "phone died", "editor": "u7", "original_kept": True}, []),
    ],
)
def test_evv_04_integrity(change, expected):
    assert rules_of(evv.ask_integrity(captured(**change), POLICY)) == expected
