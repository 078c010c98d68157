"""Drafts: the notation is read, days are filled in, what cannot be meant is refused by name."""

from datetime import date

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken, StaleVersion
from coordinator.domain.vocabulary import Discipline, OrderStatus
from coordinator.orders import service
from coordinator.orders.cards import plain_line
from tests import builders
from tests.conftest import WorkAs
from tests.orders.conftest import CERTIFICATION_END, Draft, Scene, get, listen


def test_a_draft_is_read_from_its_notation(draft: Draft, database, scene: Scene) -> None:
    order = get(database, draft(Discipline.SN, "sn 3x/wk x2wks then 1-2w4 + 2 PRN for dyspnea"))
    assert order.status is OrderStatus.DRAFT
    assert order.frequency == "3w2, 1-2w4, 2 PRN for dyspnea"
    assert (order.prn_limit, order.prn_signs) == (2, "dyspnea")
    assert (order.effective_to, order.certification_number) == (CERTIFICATION_END, 1)
    assert (order.visit_minutes, order.visits_per_day) == (45, 1)
    assert (order.episode_id, order.care_plan_id) == (scene.episode, scene.plan)
    assert order.drafted_by_id == scene.users["nurse"].id
    assert order.weeks == []
    assert plain_line(order) == (
        "SN 3 visits a week for 2 weeks, then 1 to 2 visits a week for 4 weeks, "
        "and up to 2 as-needed visits for dyspnea, from 9 Nov"
    )
    assert "dyspnea" not in plain_line(order, clinical=False)


def test_the_minutes_of_a_visit_follow_the_discipline(draft: Draft, database) -> None:
    assert get(database, draft(Discipline.MSW, "1w2")).visit_minutes == 60
    assert get(database, draft(Discipline.MSW, "1w2", visit_minutes=90)).visit_minutes == 90


def test_two_visits_a_day_are_two_a_day(draft: Draft, database) -> None:
    assert get(database, draft(Discipline.SN, "2d14")).visits_per_day == 2


def test_before_start_of_care_an_order_runs_sixty_days(draft: Draft, database, scene: Scene) -> None:
    with database.transaction() as session:
        session.get(builders.Episode, scene.episode).soc_date = None
    order = get(database, draft())
    assert order.effective_to == date(2027, 1, 7)


def test_an_order_for_the_next_period_belongs_to_it(draft: Draft, database) -> None:
    order = get(database, draft(effective_from=date(2026, 12, 25)))
    assert (order.certification_number, order.effective_to) == (2, date(2027, 2, 22))


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [("3w", "DURATION_MISSING", 0), ("2w4 nonsense", "UNREADABLE", 4), ("2w4 PRN for pain", "PRN_NUMBER_MISSING", 4)],
)
def test_an_unreadable_frequency_says_where(draft: Draft, text: str, reason: str, position: int) -> None:
    with pytest.raises(Invalid) as refused:
        draft(Discipline.SN, text)
    assert refused.value.extra["errors"][0]["pointer"] == "/frequency"
    assert (refused.value.extra["reason"], refused.value.extra["position"]) == (reason, position)
    assert f"character {position + 1}" in refused.value.detail


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"frequency": "OT 2w4"}, "/frequency"),
        ({"frequency": "2w4 effective 11/10/2026"}, "/frequency"),
        ({"frequency": "2w4", "evaluate_and_treat": True}, "/frequency"),
        ({"frequency": "2w4 2 PRN for " + "x" * 390}, "/frequency"),
        ({"effective_to": date(2026, 11, 8)}, "/effective_to"),
        ({"effective_to": date(2026, 12, 25)}, "/effective_to"),
        ({"visit_minutes": 721}, "/visit_minutes"),
        ({"physician_id": 99_999}, "/physician_id"),
        ({"replaces_id": 99_999}, "/replaces_id"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(draft: Draft, given: dict, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft(Discipline.PT, **{"frequency": "2w4"} | given)
    assert refused.value.extra["errors"][0]["pointer"] == pointer


def test_weeks_past_the_certification_are_a_warning(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft(Discipline.SN, "1w9")
    with work_as(scene.actor("nurse")) as work:
        said = {line["code"]: line["sentence"] for line in service.warnings_of(work, service.get(work, number))}
    assert said["OUTSIDE_PERIOD"] == "2 weeks fall outside the period"


def test_a_draft_says_what_keeps_it_from_being_sent(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft(Discipline.PT, None, treatments=[])
    with work_as(scene.actor("nurse")) as work:
        (said,) = service.warnings_of(work, service.get(work, number))
        assert (said["code"], said["severity"]) == ("ORD-02", "BLOCK")
        assert said["sentence"] == "The PT order lacks frequency and duration, treatments."
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, number)
    assert [finding.rule for finding in refused.value.findings] == ["ORD-02"]


def test_an_edited_draft_is_read_anew(draft: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = draft(Discipline.SN, "2w4 2 PRN for pain")
    with work_as(scene.actor("nurse")) as work:
        service.edit_draft(work, number, version=1, frequency_text="1w2", effective_from=date(2026, 12, 27))
    order = get(database, number)
    assert (order.frequency, order.prn_limit, order.prn_signs) == ("1w2", 0, None)
    assert (order.certification_number, order.effective_to) == (2, date(2027, 2, 22))
    assert order.version == 2
    with pytest.raises(StaleVersion), work_as(scene.actor("nurse")) as work:
        service.edit_draft(work, number, version=1, goals_text="other")


def test_what_was_sent_is_not_edited_and_what_was_signed_never(
    sent: Draft, signed: Draft, scene: Scene, work_as: WorkAs
) -> None:
    waiting, done = sent(Discipline.PT), signed(Discipline.SN)
    with work_as(scene.actor("nurse")) as work:
        with pytest.raises(RuleBroken) as refused:
            service.edit_draft(work, waiting, version=2, goals_text="other")
        assert refused.value.findings[0].rule == "ORD-08"
        with pytest.raises(Conflict) as immutable:
            service.edit_draft(work, done, version=3, goals_text="other")
        assert immutable.value.problem_code == "signed-text-immutable"


def test_a_recalled_order_is_a_draft_again(sent: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = sent()
    with work_as(scene.actor("intake")) as work:
        service.recall(work, number)
    order = get(database, number)
    assert (order.status, order.sent_at, order.needed_by) == (OrderStatus.DRAFT, None, None)


def test_a_stranger_finds_no_patient_and_no_order(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft()
    for name in ("stranger", "elsewhere", "colleague"):
        with pytest.raises(NotFound), work_as(scene.actor(name)) as work:
            service.get(work, number)
    with pytest.raises(NotFound):
        draft(by="stranger")
    with pytest.raises(Forbidden):
        draft(by="scheduler")


def test_a_patient_without_a_plan_or_an_episode_has_no_orders(draft: Draft, scene: Scene, database) -> None:
    with database.transaction() as session:
        session.get(builders.Episode, scene.episode).discharged_on = date(2026, 11, 1)
    with pytest.raises(Conflict) as refused:
        draft()
    assert refused.value.problem_code == "no-open-episode"
    with database.transaction() as session:
        builders.make_episode(session, session.get(builders.Patient, scene.patient))
    with pytest.raises(Conflict) as refused:
        draft()
    assert refused.value.problem_code == "no-care-plan"


def test_evaluate_and_treat_is_one_visit(signed: Draft, database) -> None:
    order = get(database, signed(Discipline.PT, None, evaluate_and_treat=True, treatments=[]))
    assert [(week.starts_on, week.ends_on, week.minimum, week.maximum) for week in order.weeks] == [
        (builders.MONDAY, CERTIFICATION_END, 1, 1)
    ]
    facts = service.order_facts(order, order.weeks[0])
    assert facts.week is None  # ORD-03 would be silent otherwise
    assert facts.evaluate_and_treat


def test_daily_nursing_for_a_month_needs_its_end(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    endless, finite = (
        draft(Discipline.SN, "1d30"),
        draft(Discipline.SN, "1d30", daily_nursing_ends_on=date(2026, 12, 8)),
    )
    with work_as(scene.actor("nurse")) as work:
        listen(work)
        service.send(work, finite)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, endless)
    assert [finding.rule for finding in refused.value.findings] == ["INT-02"]


def test_an_aide_order_without_duties_or_admission_is_refused(
    draft: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = draft(Discipline.HHA, "2w4", treatments=[])
    with database.transaction() as session:
        session.get(builders.Episode, scene.episode).eligibility = "pending"
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, number)
    assert sorted(finding.rule for finding in refused.value.findings if finding.refuses) == ["INT-03", "ORD-02"]
    assert [row.rule for row in refused.value.findings if not row.refuses] == ["INT-03"]  # no taper: said beside


def test_a_nurse_practitioner_may_not_order_under_the_programme(draft: Draft, scene: Scene, work_as: WorkAs) -> None:
    number = draft(Discipline.PT, physician_id=scene.users["np"].physician_id)
    with pytest.raises(RuleBroken) as refused, work_as(scene.actor("nurse")) as work:
        service.send(work, number)
    assert [finding.rule for finding in refused.value.findings] == ["ORD-04"]
