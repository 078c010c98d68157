"""Comprehensive assessments that were completed (ASM-01, ASM-03, CERT-02)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid, RuleBroken
from coordinator.core.work import Work
from coordinator.domain.events import AssessmentCompleted
from coordinator.domain.vocabulary import AssessmentKind, Role
from coordinator.episodes import service
from coordinator.episodes.assessing import Assessed
from tests.conftest import actor_with
from tests.episodes.conftest import SOC, TODAY, Scene

LATER = datetime(2026, 12, 8, 18, tzinfo=UTC)
RECERTIFICATION, RESUMPTION = AssessmentKind.RECERTIFICATION, AssessmentKind.RESUMPTION


def completed(work: Work, scene: Scene, on: date, kind: AssessmentKind = RECERTIFICATION, **given: Any) -> Assessed:
    values = {"event_on": on, "clinician_id": scene.nurse.id} | given
    return service.complete_assessment(work, scene.episode.id, kind=kind, completed_on=on, **values)


@pytest.mark.parametrize(("on", "late"), [(date(2026, 10, 6), False), (date(2026, 10, 7), True)])
def test_the_assessment_of_the_start_is_in_time_for_five_days(scene: Scene, on: date, late: bool) -> None:
    with scene.work() as work:
        before = service.assessments(work, scene.episode.id)[1]
        assert [(one.rule, one.severity.value) for one in before] == [("ASM-03", "WARN"), ("ASM-03", "TASK")]
        made = completed(work, scene, on, AssessmentKind.START_OF_CARE, event_on=SOC)
        assert [finding.severity.value for finding in made.findings] == (["TASK"] if late else [])
        assert scene.ears.of(AssessmentCompleted)[-1].late is late
        with pytest.raises(Conflict, match="on file"):
            completed(work, scene, on, AssessmentKind.START_OF_CARE, event_on=SOC)


def test_who_may_not_assess_is_refused_and_nothing_is_on_file(scene: Scene) -> None:
    with scene.work() as work:
        for clinician in (scene.assistant, scene.aide):
            with pytest.raises(RuleBroken) as refusal:
                completed(work, scene, TODAY, AssessmentKind.FOLLOW_UP, clinician_id=clinician.id)
            assert [finding.rule for finding in refusal.value.findings] == ["ASM-01"]
        with pytest.raises(RuleBroken):  # nursing is ordered: the nurse opens the case
            completed(work, scene, SOC, AssessmentKind.START_OF_CARE, clinician_id=scene.therapist.id)
        assert service.assessments(work, scene.episode.id)[0] == []


@pytest.mark.parametrize(
    ("on", "kind", "serves", "findings"),
    [
        (date(2026, 11, 24), RECERTIFICATION, None, ["WARN"]),
        (date(2026, 11, 25), RECERTIFICATION, 1, []),
        (date(2026, 11, 29), RECERTIFICATION, 1, []),
        (date(2026, 11, 26), RESUMPTION, 1, []),
        (date(2026, 11, 20), RESUMPTION, None, []),
        (date(2026, 12, 2), RECERTIFICATION, 1, ["TASK"]),
    ],
)
def test_what_an_assessment_recertifies(
    scene: Scene, on: date, kind: AssessmentKind, serves: int | None, findings: list[str]
) -> None:
    with scene.work(now=LATER) as work:
        made = completed(work, scene, on, kind)
        assert (made.row.serves_period, [one.severity.value for one in made.findings]) == (serves, findings)
        assert scene.ears.of(AssessmentCompleted)[-1].serves_period == serves


def test_a_period_that_was_recertified_in_its_window_is_not_late_afterwards(scene: Scene) -> None:
    with scene.work(now=LATER) as work:
        completed(work, scene, date(2026, 11, 27))
        assert completed(work, scene, date(2026, 12, 2)).row.serves_period is None


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"on": date(2026, 12, 9)}, "/completed_on"),
        ({"on": date(2026, 11, 26), "event_on": date(2026, 11, 27)}, "/event_on"),
        ({"on": date(2026, 11, 26), "event_on": date(2026, 11, 25)}, "/event_on"),
        ({"on": date(2026, 11, 26), "clinician_id": 99_999}, "/clinician_id"),
    ],
)
def test_what_cannot_be_meant_is_named(scene: Scene, given: dict[str, Any], pointer: str) -> None:
    with scene.work(now=LATER) as work, pytest.raises(Invalid) as refusal:
        completed(work, scene, **given)
    assert refusal.value.extra["errors"][0]["pointer"] == pointer


def test_an_assistant_completes_no_assessment(scene: Scene) -> None:
    assistant = actor_with(Role.CLINICIAN, clinician_id=scene.assistant.id, performer="PTA")
    with scene.work(assistant) as work, pytest.raises(Forbidden):
        completed(work, scene, TODAY)
