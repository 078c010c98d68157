"""Which visit carries a dated obligation: same discipline, right profession, inside the window."""

from dataclasses import replace
from datetime import date

import pytest

from coordinator.domain.vocabulary import Discipline, Performer, VisitKind
from coordinator.rules.carrying import Candidate, ask_carried_by, ask_carried_day, carrying, choose, days_of
from tests.rules.cases import POLICY, rules_of

TODAY = date(2026, 11, 7)


def day(number: int) -> date:
    return date(2026, 11, number)


#: A week of nursing: Sunday the 8th to Saturday the 14th.
NURSING = Candidate(1, Discipline.SN, VisitKind.ROUTINE, day(8), day(14))
#: Supervision of the aide due on Thursday the 12th; best from Monday the 9th, its eleventh day.
SUPERVISION = carrying("SUP-01", day(12), TODAY, POLICY)
REASSESSMENT = carrying("THX-01", day(20), TODAY, POLICY, discipline=Discipline.PT)


def test_a_nurses_visit_of_the_week_carries_the_supervision():
    assert SUPERVISION is not None
    chosen = choose(SUPERVISION, [NURSING])
    assert chosen == NURSING
    assert days_of(SUPERVISION, NURSING) == (day(9), day(12))


@pytest.mark.parametrize(
    "change",
    [
        {"discipline": Discipline.PT},
        {"first_on": day(13)},
        {"kind": VisitKind.PRN},
        {"day": day(10), "performer": Performer.LVN},
        {"day": day(13), "performer": Performer.RN},
    ],
)
def test_what_does_not_fit_carries_nothing(change):
    assert SUPERVISION is not None
    assert choose(SUPERVISION, [replace(NURSING, **change)]) is None


def test_what_is_booked_with_the_right_person_goes_first_and_optional_visits_last():
    assert SUPERVISION is not None
    booked = replace(NURSING, visit_id=2, day=day(10), performer=Performer.RN)
    optional = replace(NURSING, visit_id=0, is_optional=True)
    assert choose(SUPERVISION, [NURSING, booked, optional]) == booked
    assert choose(SUPERVISION, [NURSING, optional]) == NURSING
    asked_for = replace(NURSING, visit_id=9, kind=VisitKind.SUPERVISION)
    assert choose(SUPERVISION, [booked, asked_for]) == asked_for


def test_without_a_visit_at_the_best_time_the_closest_before_it_counts_too():
    assert REASSESSMENT is not None
    assert (REASSESSMENT.best_from, REASSESSMENT.last_on) == (day(13), day(20))
    early = Candidate(1, Discipline.PT, VisitKind.ROUTINE, day(8), day(9))
    later = Candidate(2, Discipline.PT, VisitKind.ROUTINE, day(8), day(12))
    assert choose(REASSESSMENT, [early, later]) == later
    assert days_of(REASSESSMENT, later) == (TODAY, day(20))
    best = Candidate(3, Discipline.PT, VisitKind.ROUTINE, day(15), day(21))
    assert choose(REASSESSMENT, [early, later, best]) == best
    assert days_of(REASSESSMENT, best) == (day(13), day(20))


def test_the_therapist_and_never_the_assistant_reassesses():
    assert REASSESSMENT is not None
    assert REASSESSMENT.performers == {Performer.PT}
    assert REASSESSMENT.kind is VisitKind.REASSESSMENT
    assert not REASSESSMENT.alone


def test_where_only_therapy_is_given_the_therapist_supervises_the_aide():
    found = carrying("SUP-01", day(12), TODAY, POLICY, nursing_active=False)
    assert found is not None
    assert found.performers == {Performer.PT, Performer.OT, Performer.SLP}
    assert choose(found, [replace(NURSING, discipline=Discipline.PT)]) is not None


def test_recertification_waits_for_its_window():
    found = carrying("CERT-02", day(29), TODAY, POLICY, window_from=day(25))
    assert found is not None
    assert choose(found, [replace(NURSING, first_on=day(22), last_on=day(24))]) is None
    assert choose(found, [replace(NURSING, first_on=day(22), last_on=day(28))]) is not None
    assert carrying("CERT-02", day(29), TODAY, POLICY) is None


def test_what_is_overdue_is_met_within_the_week():
    found = carrying("SUP-01", day(5), TODAY, POLICY)
    assert found is not None
    assert (found.best_from, found.last_on) == (TODAY, day(13))


@pytest.mark.parametrize(("performer", "who"), [(Performer.LVN, Performer.RN), (Performer.COTA, Performer.OT)])
def test_assistants_are_supervised_by_their_own(performer, who):
    found = carrying("SUP-05", day(20), TODAY, POLICY, performer=performer)
    assert found is not None
    assert found.performers == {who}
    assert carrying("SUP-05", day(20), TODAY, POLICY, performer=Performer.PTA) is None


def test_the_words_with_which_a_day_and_a_person_are_closed():
    assert ask_carried_day("SUP-01", day(10), day(9), day(12)) is None
    closed = ask_carried_day("SUP-01", day(13), day(9), day(12))
    assert rules_of(closed) == [("SUP-01", "WARN")]
    assert closed is not None
    assert closed.sentence() == (
        "The visit carries the supervision of the aide, to be made from 2026-11-09 to 2026-11-12."
    )
    assert ask_carried_by("THX-01", Performer.PT, frozenset({Performer.PT})) is None
    assert rules_of(ask_carried_by("THX-01", Performer.PTA, frozenset({Performer.PT}))) == [("THX-01", "WARN")]
