"""ORD-01 to ORD-09, FRQ-03, FRQ-05 to FRQ-07."""

from dataclasses import replace

import pytest

from coordinator.domain.frequency import OrderWeek, Prn, parse
from coordinator.domain.vocabulary import (
    Discipline,
    Eligibility,
    OrderStatus,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    VisitKind,
)
from coordinator.rules import frequencies, orders, qualifying
from coordinator.rules.facts import Moment, PrnFacts, SigningFacts, VerbalReceipt
from coordinator.rules.visit import ask
from tests.rules.cases import (
    DAY,
    POLICY,
    at,
    day,
    local,
    make_activation,
    make_case,
    make_clinician,
    make_order,
    make_visit,
    make_week,
    rules_of,
    worst,
)

S = OrderStatus


def therapy(**order):
    return make_case(Discipline.PT, order=make_order(discipline=Discipline.PT, **order))


# ------------------------------------------------------------------------------------ ORD-01


@pytest.mark.example("ORD-01", 1)
def test_ord_01_example_1_a_draft_holds_a_slot_and_confirms_nothing():
    for status in (S.DRAFT, S.SENT_FOR_SIGNATURE):
        case = therapy(status=status)
        assert ask(case, Moment.HOLD, POLICY) == ()
        for moment in (Moment.CONFIRM, Moment.CHECK_IN):
            (refusal,) = ask(case, moment, POLICY)
            assert (refusal.rule, refusal.severity.value) == ("ORD-01", "BLOCK")
            assert refusal.cure_sentence() == (
                "A physician signs order 7, or a nurse takes a verbal order with read-back."
            )


@pytest.mark.example("ORD-01", 2)
def test_ord_01_example_2_verbal_order_of_the_same_day():
    case = therapy(status=S.ACTIVE_VERBAL, effective_from=DAY, received_at=local("2026-11-10 10:05"))
    assert ask(at(case, "2026-11-10 14:00"), Moment.CONFIRM, POLICY) == ()
    assert ask(at(case, "2026-11-10 14:00"), Moment.CHECK_IN, POLICY) == ()


@pytest.mark.example("ORD-01", 3)
def test_ord_01_example_3_discontinued_at_noon():
    case = at(therapy(status=S.DISCONTINUED), "2026-11-10 15:00")
    for moment in Moment:
        assert rules_of(ask(case, moment, POLICY)) == [("ORD-01", "BLOCK")]


@pytest.mark.parametrize("status", [S.DECLINED, S.SUPERSEDED, S.EXPIRED, S.COMPLETED, S.VOID])
def test_ord_01_an_ended_order_holds_no_slot(status):
    assert rules_of(ask(therapy(status=status), Moment.HOLD, POLICY)) == [("ORD-01", "BLOCK")]


def test_ord_01_no_order_wrong_discipline_or_wrong_day():
    assert rules_of(ask(make_case(order=None), Moment.HOLD, POLICY)) == [("ORD-01", "BLOCK")]
    wrong = make_case(order=make_order(discipline=Discipline.PT))
    assert rules_of(ask(wrong, Moment.HOLD, POLICY)) == [("ORD-01", "BLOCK")]
    later, earlier = {"effective_from": day("2026-11-11")}, {"effective_to": day("2026-11-09")}
    for change in (later, earlier, {"effective_from": None}):
        found = ask(make_case(order=make_order(**change)), Moment.CONFIRM, POLICY)
        assert [finding.rule for finding in found] == ["ORD-01"]
        assert found[0].sentence()


@pytest.mark.parametrize("kind", [VisitKind.INITIAL, VisitKind.SUPERVISION])
def test_ord_01_visits_that_stand_on_no_order(kind):
    assert ask(make_case(order=None, visit=make_visit(kind=kind)), Moment.CONFIRM, POLICY) == ()


def test_ord_01_chaplains_need_no_order():
    case = make_case(
        order=None, visit=make_visit(discipline=Discipline.CHAP), clinician=make_clinician(Performer.CHAPLAIN)
    )
    assert ask(case, Moment.CONFIRM, POLICY) == ()


@pytest.mark.example("QUAL-03", 1)
def test_qual_03_social_work_needs_an_order_and_a_purpose():
    visit = make_visit(discipline=Discipline.MSW)
    case = make_case(order=None, visit=visit, clinician=make_clinician(Performer.MSW))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [("ORD-01", "BLOCK"), ("QUAL-03", "BLOCK")]
    ordered = replace(case, order=make_order(discipline=Discipline.MSW))
    assert rules_of(ask(ordered, Moment.CONFIRM, POLICY)) == [("QUAL-03", "WARN")]
    meant = replace(ordered, visit=replace(visit, purpose="counseling"))
    assert ask(meant, Moment.CONFIRM, POLICY) == ()
    assert rules_of(qualifying.ask_social_work_done("")) == [("QUAL-03", "HOLD-BILL")]
    assert qualifying.ask_social_work_done("acp") is None


# ------------------------------------------------------------------------------------ ORD-02, ORD-03


@pytest.mark.example("ORD-02", 1)
def test_ord_02_therapy_without_modalities():
    found = orders.ask_activation(make_activation(treatments=(" ",)), POLICY)
    assert rules_of(found) == [("ORD-02", "BLOCK")]
    assert "treatments" in found[0].sentence()


def test_ord_02_everything_there():
    assert orders.ask_activation(make_activation(), POLICY) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"frequency": None}, "frequency and duration"),
        ({"effective_from": None}, "effective date"),
        ({"orderer_type": None}, "ordering practitioner"),
        ({"discipline": Discipline.HHA, "duties": ()}, "duties"),
    ],
)
def test_ord_02_what_is_missing_is_named(change, word):
    found = orders.ask_order_content(make_activation(**change))
    assert (found.severity.value, word in found.sentence()) == ("BLOCK", True)


def test_ord_02_an_order_without_goal_is_warned_of():
    assert rules_of(orders.ask_order_content(make_activation(goals_linked=False))) == [("ORD-02", "WARN")]


@pytest.mark.example("ORD-03", 1)
@pytest.mark.example("ORD-03", 2)
def test_ord_03_example():
    evaluate = {"evaluate_and_treat": True, "week": None}
    evaluation = replace(therapy(**evaluate), visit=make_visit(discipline=Discipline.PT, kind=VisitKind.EVALUATION))
    assert ask(evaluation, Moment.CONFIRM, POLICY) == ()
    follow_up = therapy(**evaluate, evaluation_used=True)
    assert rules_of(ask(follow_up, Moment.CONFIRM, POLICY)) == [("ORD-03", "BLOCK")]
    second = replace(evaluation, order=follow_up.order)
    assert rules_of(ask(second, Moment.CONFIRM, POLICY)) == [("ORD-03", "BLOCK")]
    # A verbal "2w4 effective 11-04" makes the follow-up possible.
    assert ask(therapy(status=S.ACTIVE_VERBAL, effective_from=day("2026-11-04")), Moment.CONFIRM, POLICY) == ()


def test_ord_03_evaluate_and_treat_needs_neither_frequency_nor_treatments():
    bare = make_activation(evaluate_and_treat=True, frequency=None, treatments=())
    assert orders.ask_activation(bare, POLICY) == ()
    assert rules_of(orders.ask_activation(make_activation(evaluate_and_treat=True), POLICY)) == [("ORD-03", "BLOCK")]


# ------------------------------------------------------------------------------------ ORD-04


@pytest.mark.example("ORD-04", 1)
def test_ord_04_chiropractor():
    found = orders.ask_activation(make_activation(orderer_type=PractitionerType.OTHER), POLICY)
    assert rules_of(found) == [("ORD-04", "BLOCK")]


@pytest.mark.example("ORD-04", 2)
def test_ord_04_podiatrist():
    wound = {
        "programme": Programme.MEDICARE_HH,
        "payer": Payer.MEDICARE,
        "discipline": Discipline.SN,
        "orderer_type": PractitionerType.DPM,
    }
    assert orders.ask_activation(make_activation(**wound, foot_or_ankle=True), POLICY) == ()
    heart = orders.ask_activation(make_activation(**wound, foot_or_ankle=False), POLICY)
    assert rules_of(heart) == [("ORD-04", "WARN")]


@pytest.mark.parametrize(
    ("programme", "kind", "allowed"),
    [
        (Programme.KP_HBPC, PractitionerType.MD, True),
        (Programme.KP_HBPC, PractitionerType.NP, False),
        (Programme.MEDICARE_HH, PractitionerType.NP, True),
        (Programme.MEDICARE_HH, PractitionerType.CNM, False),
        (Programme.MEDI_CAL_HH, PractitionerType.DPM, False),
    ],
)
def test_ord_04_by_programme(programme, kind, allowed):
    found = orders.ask_orderer(make_activation(programme=programme, orderer_type=kind), POLICY)
    assert rules_of(found) == ([] if allowed else [("ORD-04", "BLOCK")])


def test_ord_04_a_discipline_of_its_own_goes_first():
    profile = POLICY.profile(Programme.KP_HBPC)
    table = {**profile.orderer_types, "PT": frozenset({PractitionerType.NP})}
    switched = replace(POLICY, programmes=POLICY.programmes.replaced(replace(profile, orderer_types=table)))
    nurse = make_activation(orderer_type=PractitionerType.NP)
    assert orders.ask_orderer(nurse, switched) is None
    assert orders.ask_orderer(replace(nurse, discipline=Discipline.SN), switched) is not None


def signing(**changes):
    facts = SigningFacts(
        Programme.KP_HBPC, Payer.KP, Discipline.PT, S.SENT_FOR_SIGNATURE, 1, 1, PractitionerType.MD, opened=True
    )
    return replace(facts, **changes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"status": S.ACTIVE_VERBAL}, []),
        ({"signer_id": 2}, [("ORD-04", "BLOCK")]),
        ({"signer_id": 2, "covering": True}, []),
        ({"signer_type": PractitionerType.NP}, [("ORD-04", "BLOCK")]),
        ({"opened": False}, [("ORD-04", "BLOCK")]),
        ({"status": S.ACTIVE_SIGNED}, [("ORD-08", "BLOCK")]),
    ],
)
def test_ord_04_signing(change, expected):
    assert rules_of(orders.ask_signing(signing(**change), POLICY)) == expected


# ------------------------------------------------------------------------------------ ORD-05


def receipt(**changes):
    taken = VerbalReceipt(
        local("2026-11-10 08:30"), Performer.RN, receiver_signed_at=local("2026-11-10 08:35"), read_back=True
    )
    return replace(taken, **changes)


@pytest.mark.example("ORD-05", 1)
def test_ord_05_assistant_enters_verbal_order():
    found = orders.ask_activation(make_activation(verbal=receipt(received_by=Performer.PTA)), POLICY)
    assert rules_of(found) == [("ORD-05", "BLOCK")]


@pytest.mark.example("ORD-05", 2)
def test_ord_05_the_office_takes_the_call_and_tells_the_nurse():
    relayed = receipt(
        received_by=None,
        receiver_signed_at=None,
        responsible=Performer.RN,
        responsible_notified_at=local("2026-11-10 09:00"),
    )
    # Live at ten, signed at three: until then a task, never a refusal.
    assert rules_of(orders.ask_verbal_receipt(relayed, POLICY)) == [("ORD-05", "TASK")]
    assert orders.ask_received_before(relayed, local("2026-11-10 10:00")) == ()
    signed = replace(relayed, responsible_signed_at=local("2026-11-10 15:00"))
    assert orders.ask_verbal_receipt(signed, POLICY) == ()
    untold = replace(relayed, responsible_notified_at=None)
    assert rules_of(orders.ask_verbal_receipt(untold, POLICY)) == [("ORD-05", "BLOCK")]


@pytest.mark.example("ORD-05", 3)
def test_ord_05_an_order_received_after_the_visit_began():
    late = receipt(received_at=local("2026-11-10 14:00"))
    found = orders.ask_received_before(late, local("2026-11-10 13:30"))
    assert rules_of(found) == [("ORD-05", "HOLD-BILL"), ("ORD-05", "TASK")]
    case = at(make_case(order=make_order(received_at=local("2026-11-10 14:00"))), "2026-11-10 13:30")
    assert rules_of(ask(case, Moment.CHECK_IN, POLICY)) == [("ORD-05", "HOLD-BILL"), ("ORD-05", "TASK")]


def test_ord_05_read_back_and_signature():
    assert rules_of(orders.ask_verbal_receipt(receipt(read_back=False), POLICY)) == [("ORD-05", "BLOCK")]
    assert rules_of(orders.ask_verbal_receipt(receipt(receiver_signed_at=None), POLICY)) == [("ORD-05", "BLOCK")]
    assert orders.ask_verbal_receipt(receipt(), POLICY) == ()


def test_ord_05_the_nurse_counter_notes_what_a_vocational_nurse_took():
    taken = receipt(received_by=Performer.LVN)
    assert rules_of(orders.ask_verbal_receipt(taken, POLICY)) == [("ORD-05", "TASK")]
    noted = replace(taken, responsible=Performer.RN, responsible_signed_at=local("2026-11-10 12:00"))
    assert orders.ask_verbal_receipt(noted, POLICY) == ()


# ------------------------------------------------------------------------------------ ORD-06 to ORD-09


@pytest.mark.parametrize(("taken_on", "due_on"), [("2026-10-01", "2026-11-13"), ("2026-11-02", "2026-12-17")])
@pytest.mark.example("ORD-06", 1)
@pytest.mark.example("ORD-06", 2)
def test_ord_06_examples(taken_on, due_on):
    due = orders.countersignature_due(day(taken_on), POLICY)
    assert due.due_on == day(due_on)
    assert [(reminder - day(taken_on)).days for reminder in due.reminders] == [7, 14, 21]


@pytest.mark.example("ORD-06", 3)
def test_ord_06_unsigned_holds_the_bill_and_a_late_signature_is_a_breach():
    taken = day("2026-10-01")
    found = orders.ask_countersigned(taken, None, None, POLICY)
    assert rules_of(found) == [("ORD-06", "TASK"), ("ORD-06", "HOLD-BILL")]
    assert found[0].due == day("2026-11-13")
    assert orders.ask_countersigned(taken, day("2026-10-20"), day("2026-11-01"), POLICY) == ()
    breach = orders.ask_countersigned(taken, day("2026-11-02"), day("2026-11-01"), POLICY)
    assert rules_of(breach) == [("ORD-06", "HOLD-BILL")]


@pytest.mark.example("ORD-07", 1)
def test_ord_07_a_third_visit_needs_a_new_order_first():
    full = therapy(week=make_week(used=2))
    assert rules_of(ask(full, Moment.CONFIRM, POLICY)) == [("FRQ-03", "BLOCK")]
    more = therapy(status=S.ACTIVE_VERBAL, week=make_week(maximum=3, used=2), effective_from=DAY)
    assert ask(more, Moment.CONFIRM, POLICY) == ()


def test_ord_07_two_scheduled_orders_do_not_run_side_by_side():
    found = orders.ask_activation(make_activation(overlapping_order_id=3), POLICY)
    assert rules_of(found) == [("ORD-07", "BLOCK")]
    as_needed = make_activation(overlapping_order_id=3, frequency=parse("2 PRN for falls"))
    assert orders.ask_activation(as_needed, POLICY) == ()
    assert orders.superseded_last_day(day("2026-11-11")) == day("2026-11-10")


@pytest.mark.example("ORD-08", 1)
def test_ord_08_a_signed_text_is_not_edited():
    assert rules_of(orders.ask_edit(S.ACTIVE_SIGNED)) == [("ORD-08", "BLOCK")]
    assert orders.ask_edit(S.SENT_FOR_SIGNATURE).sentence() == (
        "The order waits for its signature; its text cannot be edited."
    )
    assert set(orders.STATE_WORDS) == set(S)
    assert orders.ask_edit(S.DRAFT) is None


@pytest.mark.example("ORD-08", 2)
def test_ord_08_declined_after_two_visits():
    found = orders.ask_declined(2, 4, DAY)
    assert rules_of(found) == [("ORD-08", "TASK"), ("ORD-08", "HOLD-BILL"), ("ORD-08", "BLOCK")]
    assert found[0].due == DAY
    assert rules_of(ask(therapy(status=S.DECLINED), Moment.CONFIRM, POLICY)) == [("ORD-01", "BLOCK")]


@pytest.mark.parametrize("change", [{"evaluation_complete": False}, {"goals_set_by_therapist": False}])
@pytest.mark.example("ORD-09", 1)
def test_ord_09_assistant_before_evaluation_or_goals(change):
    order = make_order(discipline=Discipline.OT, **change)
    case = make_case(Discipline.OT, order=order, clinician=make_clinician(Performer.COTA))
    assert rules_of(ask(case, Moment.CONFIRM, POLICY)) == [("ORD-09", "BLOCK")]


# ------------------------------------------------------------------------------------ FRQ


def test_frq_03_third_nursing_visit_whoever_makes_it():
    third = make_case(order=make_order(week=make_week(used=2)), visit=make_visit(day=day("2026-11-13")))
    assert rules_of(ask(third, Moment.CONFIRM, POLICY)) == [("FRQ-03", "BLOCK")]


def test_frq_03_supervision_in_a_full_week():
    week = make_order(week=make_week(used=2))
    supervision = make_case(order=week, visit=make_visit(kind=VisitKind.SUPERVISION))
    assert ask(supervision, Moment.CONFIRM, POLICY) == ()


def test_frq_03_one_visit_a_day_unless_the_order_says_more():
    twice = make_case(order=make_order(week=make_week(used=1, used_on_day=1)))
    assert rules_of(ask(twice, Moment.CONFIRM, POLICY)) == [("FRQ-03", "BLOCK-OVR")]
    twice_daily = make_order(week=make_week(starts_on=DAY, ends_on=DAY, used=1, used_on_day=1, per_day=2))
    assert ask(make_case(order=twice_daily), Moment.CONFIRM, POLICY) == ()


def test_frq_03_a_day_for_which_nothing_is_ordered():
    assert rules_of(ask(make_case(order=make_order(week=None)), Moment.HOLD, POLICY)) == [("FRQ-03", "BLOCK")]


@pytest.mark.example("ORD-02", 2)
def test_frq_03_shortfall_and_ord_02_video_does_not_count():
    week = OrderWeek(1, day("2026-11-08"), day("2026-11-14"), 1, 1)
    # A visit is made in the home: there is no kind of visit by video that could be counted.
    assert not [kind for kind in VisitKind if "video" in kind or "tele" in kind]
    assert frequencies.missed_at_close(week, done=0) == 1


def prn_case(**changes):
    visit = make_visit(kind=VisitKind.PRN, prn_trigger="4 lb since yesterday")
    order = make_order(prn=PrnFacts(2, 1, "weight gain >3 lb/day"), week=make_week(used=2, used_on_day=1))
    return make_case(visit=visit, order=replace(order, **changes))


@pytest.mark.example("FRQ-05", 1)
def test_frq_05_third_as_needed_visit():
    assert ask(prn_case(), Moment.CONFIRM, POLICY) == ()
    used_up = prn_case(prn=PrnFacts(2, 2, "weight gain >3 lb/day"))
    assert rules_of(ask(used_up, Moment.CONFIRM, POLICY)) == [("FRQ-05", "BLOCK")]
    assert rules_of(ask(prn_case(prn=None), Moment.CONFIRM, POLICY)) == [("FRQ-05", "BLOCK")]


@pytest.mark.example("FRQ-05", 2)
def test_frq_05_an_as_needed_visit_without_trigger_cannot_be_completed():
    assert rules_of(frequencies.ask_prn_completion(VisitKind.PRN, " ")) == [("FRQ-05", "BLOCK")]
    assert frequencies.ask_prn_completion(VisitKind.PRN, "pain 8/10") is None
    assert frequencies.ask_prn_completion(VisitKind.ROUTINE, "") is None
    untold = replace(prn_case(), visit=make_visit(kind=VisitKind.PRN))
    assert rules_of(ask(untold, Moment.CONFIRM, POLICY)) == [("FRQ-05", "WARN")]


def test_frq_05_an_order_without_symptoms_stays_inactive():
    vague = replace(parse("2w4"), prn=(Prn(2, " "),))
    assert rules_of(orders.ask_activation(make_activation(frequency=vague), POLICY)) == [("FRQ-05", "BLOCK")]


@pytest.mark.example("FRQ-06", 1)
@pytest.mark.example("FRQ-06", 2)
def test_frq_06_example():
    week_a = OrderWeek(1, day("2026-11-08"), day("2026-11-14"), 2, 2)
    assert frequencies.ask_move(week_a, day("2026-11-14")) is None
    assert frequencies.missed_at_close(week_a, done=2) == 0, "Thursday's visit, made on Saturday, is compliant"
    elsewhere = frequencies.ask_move(week_a, day("2026-11-16"))
    assert rules_of(elsewhere) == [("FRQ-06", "WARN")]
    assert elsewhere.sentence() == (
        f"2026-11-16 lies outside the order week {week_a.starts_on} to {week_a.ends_on}. "
        "There the visit would count as missed, and it would use one of the visits of the other week."
    )
    assert frequencies.missed_at_close(week_a, done=1) == 1
    week_b = make_week(starts_on=day("2026-11-15"), ends_on=day("2026-11-21"), used=1)
    therapy = make_order(discipline=Discipline.PT, week=week_b)
    last = make_case(Discipline.PT, order=therapy, visit=make_visit(discipline=Discipline.PT, day=day("2026-11-18")))
    assert ask(last, Moment.CONFIRM, POLICY) == ()
    full = replace(last, order=replace(therapy, week=replace(week_b, used=2)))
    assert rules_of(ask(full, Moment.CONFIRM, POLICY)) == [("FRQ-03", "BLOCK")]


def test_frq_07_a_change_in_mid_week_is_warned_of():
    sunday = day("2026-11-08")
    assert rules_of(frequencies.ask_effective_day(day("2026-11-11"), sunday, True)) == [("FRQ-07", "WARN")]
    assert frequencies.ask_effective_day(sunday, sunday, True) is None
    assert frequencies.ask_effective_day(day("2026-11-11"), sunday, False) is None


# ------------------------------------------------------------------------------------ INT-02, INT-03 at activation


@pytest.mark.parametrize(("text", "expected"), [("1d30", "BLOCK-OVR"), ("7w4", "BLOCK-OVR"), ("6w4", None)])
def test_int_02_the_run_is_worked_out_from_the_frequency(text, expected):
    order = make_activation(
        discipline=Discipline.SN, frequency=parse(text), effective_from=day("2026-11-01"), effective_to=None,
        certification_end=None,
    )  # fmt: skip
    assert worst(orders.ask_activation(order, POLICY)) == expected


@pytest.mark.example("FRQ-05", 3)
def test_frq_01_a_text_that_cannot_be_read():
    refusal = frequencies.ask_text("PRN as needed")
    assert (refusal.severity.value, refusal.facts["code"]) == ("BLOCK", "PRN_NUMBER_MISSING")
    assert frequencies.ask_text("3w2") is None


def test_frq_02_weeks_outside_and_visits_that_cannot_fit_are_warned_of():
    # Of week 5 only Sunday is left before the certification ends, of weeks 6 and 7 nothing.
    outside = orders.ask_activation(make_activation(frequency=parse("2w7")), POLICY)
    assert rules_of(outside) == [("FRQ-02", "WARN"), ("FRQ-02", "WARN")]
    assert [finding.facts["code"] for finding in outside] == ["CANNOT_FIT", "OUTSIDE_PERIOD"]
    assert outside[1].sentence() == "2 weeks fall outside the period"
    crowded = make_activation(frequency=parse("3w1"), effective_from=day("2026-11-13"))
    assert rules_of(orders.ask_activation(crowded, POLICY)) == [("FRQ-02", "WARN")]


@pytest.mark.example("FRQ-04", 1)
def test_frq_04_the_third_visit_of_one_to_two_is_refused():
    week = make_week(starts_on=day("2026-11-08"), ends_on=day("2026-11-14"), maximum=2, used=2)
    third = make_case(order=make_order(week=week), visit=make_visit(day=day("2026-11-13")))
    assert rules_of(ask(third, Moment.CONFIRM, POLICY)) == [("FRQ-03", "BLOCK")]
    second = replace(third, order=make_order(week=replace(week, used=1)))
    assert ask(second, Moment.CONFIRM, POLICY) == ()


def test_frq_04_the_planner_aims_for_the_upper_limit():
    assert frequencies.planned_visits(OrderWeek(1, DAY, DAY, 1, 2), POLICY) == 2


@pytest.mark.parametrize(
    ("run", "expected"), [(30, [("INT-02", "BLOCK-OVR")]), (28, [("INT-02", "BLOCK-OVR")]), (21, [])]
)
def test_int_02_an_order_for_more_than_three_weeks_of_daily_nursing(run, expected):
    order = make_activation(discipline=Discipline.SN, daily_run=run)
    assert rules_of(orders.ask_activation(order, POLICY)) == expected
    for excuse in ({"daily_nursing_ends_on": DAY}, {"daily_insulin": True}, {"other_qualifying_service": True}):
        assert orders.ask_activation(replace(order, **excuse), POLICY) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        pytest.param({"effective_to": None}, [("INT-03", "BLOCK")], marks=pytest.mark.example("INT-03", 2)),
        ({"effective_to": day("2026-11-30")}, [("INT-03", "BLOCK")]),
        ({"admitted": False}, [("INT-03", "BLOCK")]),
        ({"eligibility": Eligibility.PENDING}, [("INT-03", "BLOCK")]),
        ({"taper_plan": False}, [("INT-03", "WARN")]),
    ],
)
def test_int_03_aide_orders(change, expected):
    assert rules_of(orders.ask_activation(make_activation(discipline=Discipline.HHA, **change), POLICY)) == expected
