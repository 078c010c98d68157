"""The team: who belongs to it, when it meets, whether a meeting counts, and what a plan speaks of (IDT)."""

from datetime import date

import pytest

from coordinator.domain.care import CareDomain, Presence, TeamRole
from coordinator.domain.vocabulary import Performer, Programme
from coordinator.rules import conference
from coordinator.rules.conference import Seat
from tests.rules.cases import POLICY

PRESENT, REPRESENTED, ABSENT = Presence.PRESENT, Presence.REPRESENTED, Presence.ABSENT
THURSDAY = date(2026, 11, 5)
SOC = date(2026, 10, 21)


def full() -> list[Seat]:
    """Physician, nurse, social worker and chaplain, all there."""
    return [
        Seat(TeamRole.PHYSICIAN, PRESENT, physician=True),
        Seat(TeamRole.NURSE, PRESENT, Performer.RN),
        Seat(TeamRole.SOCIAL_WORKER, PRESENT, Performer.MSW),
        Seat(TeamRole.CHAPLAIN, PRESENT, Performer.CHAPLAIN),
    ]


@pytest.mark.example("IDT-01", 1)
def test_a_team_without_a_social_worker_is_warned_of():
    members = [Performer.RN, Performer.CHAPLAIN, Performer.PT]
    finding = conference.ask_composition(members, True, POLICY)
    assert finding is not None
    assert (finding.rule, finding.severity, finding.facts["missing"]) == ("IDT-01", "WARN", [TeamRole.SOCIAL_WORKER])
    assert conference.ask_composition([*members, Performer.MSW], True, POLICY) is None


def test_a_vocational_nurse_is_not_the_teams_nurse():
    finding = conference.ask_composition([Performer.LVN, Performer.CHAPLAIN, Performer.MSW], False, POLICY)
    assert finding is not None
    assert finding.facts["missing"] == [TeamRole.PHYSICIAN, TeamRole.NURSE]
    assert (
        conference.ask_composition([Performer.NP, Performer.RN, Performer.CHAPLAIN, Performer.MSW], False, POLICY)
        is None
    )


@pytest.mark.example("IDT-02", 1)
def test_fifteen_days_after_the_last():
    assert conference.conference_due(Programme.KP_HBPC, SOC, THURSDAY, POLICY) == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("today", "severity", "late"),
    [
        (date(2026, 11, 16), "TASK", False),
        (date(2026, 11, 17), "WARN", False),
        (date(2026, 11, 20), "WARN", False),
        pytest.param(date(2026, 11, 21), "WARN", True, marks=pytest.mark.example("IDT-02", 2)),
    ],
)
def test_the_task_the_warning_and_the_late_one(today: date, severity: str, late: bool) -> None:
    finding = conference.ask_cadence(Programme.KP_HBPC, SOC, THURSDAY, today, POLICY)
    assert finding is not None
    assert (finding.severity, finding.due, finding.facts["late"]) == (severity, date(2026, 11, 20), late)


@pytest.mark.example("IDT-02", 3)
def test_a_meeting_without_a_chaplain_does_not_count():
    (finding,) = conference.ask_quorum(full()[:3], POLICY)
    assert (finding.rule, finding.facts["missing"]) == ("IDT-02", [TeamRole.CHAPLAIN])
    (finding,) = conference.ask_quorum([*full()[:3], Seat(TeamRole.CHAPLAIN, ABSENT, Performer.CHAPLAIN)], POLICY)
    assert finding.facts["missing"] == [TeamRole.CHAPLAIN]
    assert conference.ask_quorum(full(), POLICY) == ()


def test_a_programme_without_an_interval_owes_no_conference():
    assert conference.ask_cadence(Programme.MEDICARE_HH, SOC, None, THURSDAY, POLICY) is None


def test_the_first_is_counted_from_the_start_of_care():
    assert conference.conference_due(Programme.HOSPICE, SOC, None, POLICY) == date(2026, 11, 5)
    # A conference of an earlier stay does not put this one's first off, or on.
    assert conference.conference_due(Programme.HOSPICE, SOC, date(2026, 10, 1), POLICY) == date(2026, 11, 5)


@pytest.mark.parametrize(
    ("performer", "presence", "fills"),
    [
        (Performer.CHAPLAIN, PRESENT, True),
        (Performer.MSW, REPRESENTED, True),
        (Performer.MSW, PRESENT, False),
        (Performer.CHHA, REPRESENTED, False),
        (Performer.PTA, REPRESENTED, False),
        (None, REPRESENTED, False),
    ],
)
def test_who_takes_or_speaks_for_the_chaplains_seat(performer: Performer, presence: Presence, fills: bool) -> None:
    seats = [*full()[:3], Seat(TeamRole.CHAPLAIN, presence, performer)]
    assert (conference.ask_quorum(seats, POLICY) == ()) is fills


@pytest.mark.parametrize("assistant", [Performer.PTA, Performer.COTA])
def test_an_assistant_alone_does_not_speak_for_therapy(assistant: Performer) -> None:
    seats = [*full(), Seat(TeamRole.THERAPY, PRESENT, assistant)]
    (finding,) = conference.ask_quorum(seats, POLICY)
    assert finding.facts["performers"] == [assistant]
    assert conference.ask_quorum([*seats, Seat(TeamRole.THERAPY, PRESENT, Performer.PT)], POLICY) == ()
    assert len(conference.ask_quorum([*seats, Seat(TeamRole.THERAPY, ABSENT, Performer.PT)], POLICY)) == 1


@pytest.mark.example("IDT-03", 1)
def test_a_plan_silent_about_culture_at_the_first_conference_is_warned_of():
    written = set(CareDomain) - {CareDomain.CULTURAL}
    finding = conference.ask_domains(written, held=True)
    assert finding is not None
    assert (finding.rule, finding.severity, finding.facts["missing"]) == ("IDT-03", "WARN", [CareDomain.CULTURAL])
    assert conference.ask_domains(written, held=False) is None
    assert conference.ask_domains(CareDomain, held=True) is None
