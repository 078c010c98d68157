"""A conference with its quorum winds the clock; one without is on record and does not (IDT)."""

from datetime import date, timedelta
from typing import Any

import pytest

from coordinator.care import assessments, conferences
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.deadlines.remind import look_after
from coordinator.domain.care import CareDomain, ConferenceStatus, InstrumentCode, Presence, TeamRole
from coordinator.domain.events import ConferenceClosed
from coordinator.domain.vocabulary import DeadlineStatus
from tests.care.conftest import SOC, TODAY, TUESDAY, Scene, owed
from tests.conftest import WorkAs

DONE = DeadlineStatus.DONE
DUE = SOC + timedelta(days=15)


def seats(scene: Scene, *without: str) -> list[dict[str, Any]]:
    all_of_them = {
        "physician": {"role": TeamRole.PHYSICIAN, "presence": Presence.PRESENT, "physician_id": scene.physician},
        "rn": {"role": TeamRole.NURSE, "presence": Presence.PRESENT, "clinician_id": scene.people["rn"]},
        "msw": {"role": TeamRole.SOCIAL_WORKER, "presence": Presence.PRESENT, "clinician_id": scene.people["msw"]},
        "chaplain": {
            "role": TeamRole.CHAPLAIN, "presence": Presence.REPRESENTED, "clinician_id": scene.people["msw"],
        },
    }  # fmt: skip
    return [seat for name, seat in all_of_them.items() if name not in without]


def test_a_conference_with_its_quorum_counts_and_the_next_is_due_in_fifteen_days(scene: Scene, work_as: WorkAs) -> None:
    with work_as(now=TUESDAY) as work:
        look_after(work, scene.branch)
        assert owed(work, "IDT-02") == [("team-conference", DUE)]
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        heard: list[Any] = []
        work.handlers = {
            **work.handlers, ConferenceClosed: (*work.handlers[ConferenceClosed], lambda _, event: heard.append(event))
        }  # fmt: skip
        row = conferences.open_conference(work, scene.patient, held_on=TODAY, seats=seats(scene))
        assert (row.status, row.counts) == (ConferenceStatus.OPEN, None)
        conferences.close(work, row.id)
        assert (row.status, row.counts) == (ConferenceStatus.CLOSED, True)
        assert [(event.held_on, event.counts) for event in heard] == [(TODAY, True)]
        assert owed(work, "IDT-02") == [("team-conference", TODAY + timedelta(days=15))]
        assert owed(work, "IDT-02", DONE) == [("team-conference", DUE)]
        assert [flag["rule"] for flag in row.flags] == ["IDT-03"]  # the plan says nothing yet
        found = conferences.standing(work, scene.patient)
        assert (found.last_on, found.due_on) == (TODAY, TODAY + timedelta(days=15))


def test_a_meeting_without_a_chaplain_is_recorded_and_does_not_count(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=TUESDAY) as work:
        row = conferences.open_conference(work, scene.patient, held_on=TODAY, seats=seats(scene, "chaplain"))
        conferences.close(work, row.id)
        assert row.counts is False
        assert [flag["facts"]["missing"] for flag in row.flags if flag["rule"] == "IDT-02"] == [["chaplain"]]
        assert owed(work, "IDT-02") == [("team-conference", DUE)]
        assert conferences.standing(work, scene.patient).last_on is None


def test_an_assistant_alone_does_not_speak_for_therapy(scene: Scene, work_as: WorkAs) -> None:
    therapy = {"role": TeamRole.THERAPY, "presence": Presence.PRESENT, "clinician_id": scene.people["pta"]}
    therapist = therapy | {"clinician_id": scene.people["pt"]}
    with work_as(scene.actor("manager"), now=TUESDAY) as work:
        alone = conferences.open_conference(
            work, scene.patient, held_on=TODAY - timedelta(days=1), seats=[*seats(scene), therapy]
        )
        assert conferences.close(work, alone.id).counts is False
        both = conferences.open_conference(
            work, scene.patient, held_on=TODAY, seats=[*seats(scene), therapy, therapist]
        )
        assert conferences.close(work, both.id).counts is True


def test_a_conference_recorded_late_does_not_put_the_next_one_forward(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("manager"), now=TUESDAY) as work:
        for held_on in (TODAY, TODAY - timedelta(days=7)):
            row = conferences.open_conference(work, scene.patient, held_on=held_on, seats=seats(scene))
            conferences.close(work, row.id)
        assert owed(work, "IDT-02") == [("team-conference", TODAY + timedelta(days=15))]


def test_what_waited_for_the_team_is_discussed_where_it_counts(scene: Scene, work_as: WorkAs) -> None:
    answers = {f"q{number}": 2 for number in range(1, 13)}
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        assessments.record(
            work, scene.patient, instrument=InstrumentCode.ZBI_12, answers=answers, caregiver_id=scene.caregiver
        )
        row = conferences.open_conference(work, scene.patient, held_on=TODAY, seats=seats(scene))
        conferences.close(work, row.id)
        assert [task for task, _ in owed(work, "INS-06")] == ["caregiver-strain"]
        assert [task for task, _ in owed(work, "INS-06", DONE)] == ["caregiver-high-strain"]


def test_a_closed_conference_is_not_changed_and_may_still_be_signed(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = conferences.open_conference(work, scene.patient, held_on=TODAY, seats=seats(scene))
        conferences.sign(work, row.id)
        conferences.edit(work, row.id, seats=seats(scene), summary="Agreed")
        assert [seat.role for seat in row.seats if seat.signed_at] == [TeamRole.NURSE]
        conferences.close(work, row.id)
        for change in (lambda: conferences.edit(work, row.id, summary="no"), lambda: conferences.close(work, row.id)):
            with pytest.raises(Conflict):
                change()
        with pytest.raises(Conflict):
            conferences.sign(work, row.id)
    with work_as(scene.actor("msw"), now=TUESDAY) as work:
        signed = conferences.sign(work, row.id)
        assert {seat.role for seat in signed.seats if seat.signed_by == work.actor.user_id} == {
            TeamRole.SOCIAL_WORKER, TeamRole.CHAPLAIN,
        }  # fmt: skip
    with work_as(scene.actor("physician"), now=TUESDAY) as work:
        assert sum(seat.signed_at is not None for seat in conferences.sign(work, row.id).seats) == 4
    with work_as(scene.actor("pt"), now=TUESDAY) as work, pytest.raises(Forbidden):
        conferences.sign(work, row.id)


@pytest.mark.parametrize("who", ["scheduler", "intake", "chha"])
def test_who_records_no_conference(scene: Scene, work_as: WorkAs, who: str) -> None:
    with work_as(scene.actor(who), now=TUESDAY) as work, pytest.raises(Forbidden):
        conferences.open_conference(work, scene.patient, held_on=TODAY)


def test_seats_that_cannot_be_meant(scene: Scene, work_as: WorkAs) -> None:
    nurse = {"role": TeamRole.NURSE, "presence": Presence.PRESENT}
    wrong: list[dict[str, Any]] = [
        nurse | {"clinician_id": scene.people["msw"]},
        nurse | {"clinician_id": 10**9},
        nurse | {"physician_id": scene.physician},
        nurse | {"clinician_id": scene.people["rn"], "name": "Two people"},
        nurse,
        nurse | {"name": "Somebody"},
        {"role": TeamRole.PHYSICIAN, "presence": Presence.PRESENT, "name": "Dr Nobody"},
    ]
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        for seat in wrong:
            with pytest.raises(Invalid):
                conferences.open_conference(work, scene.patient, held_on=TODAY, seats=[seat])
        twice = nurse | {"clinician_id": scene.people["rn"]}
        with pytest.raises(Invalid):
            conferences.open_conference(work, scene.patient, held_on=TODAY, seats=[twice, twice])
        family = {"role": TeamRole.FAMILY, "presence": Presence.PRESENT, "name": "Wei Lee"}
        assert len(conferences.open_conference(work, scene.patient, held_on=TODAY, seats=[family]).seats) == 1


@pytest.mark.parametrize("held_on", [TODAY + timedelta(days=1), date(2026, 1, 1)])
def test_a_conference_is_held_within_an_episode_and_not_to_come(scene: Scene, work_as: WorkAs, held_on: date) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work, pytest.raises(Invalid):
        conferences.open_conference(work, scene.patient, held_on=held_on)


def test_an_episode_has_one_conference_a_day_and_none_closes_empty(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        row = conferences.open_conference(work, scene.patient, held_on=TODAY)
        with pytest.raises(Conflict) as refusal:
            conferences.open_conference(work, scene.patient, held_on=TODAY)
        assert refusal.value.extra["blocking"] == [{"conference": row.id}]
        with pytest.raises(Invalid):
            conferences.close(work, row.id)


def test_eight_domains_have_an_entry_or_no_need(scene: Scene, work_as: WorkAs) -> None:
    with work_as(scene.actor("rn"), now=TUESDAY) as work:
        for domain in CareDomain:
            if domain is not CareDomain.CULTURAL:
                conferences.write_domain(work, scene.episode, domain, no_need=True)
        first = conferences.open_conference(work, scene.patient, held_on=TODAY, seats=seats(scene))
        conferences.close(work, first.id)
        assert [flag["facts"]["missing"] for flag in first.flags] == [["cultural"]]
        conferences.write_domain(work, scene.episode, CareDomain.CULTURAL, entry="Cantonese; family decides together")
        conferences.write_domain(work, scene.episode, CareDomain.SOCIAL, entry="Lives with her daughter")
        assert conferences.standing(work, scene.patient).findings[1:] == []
        rows = {row.domain: row for row in conferences.domains(work, scene.episode)}
        assert len(rows) == 8
        assert (rows[CareDomain.SOCIAL].no_need, rows[CareDomain.SOCIAL].version) == (False, 2)
        for words in ({"entry": "x", "no_need": True}, {"entry": " "}, {}):
            with pytest.raises(Invalid):
                conferences.write_domain(work, scene.episode, CareDomain.SOCIAL, **words)  # type: ignore[arg-type]
