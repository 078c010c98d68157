"""The homebound test as it is answered, and the log of absences (HB-01, HB-02)."""

from datetime import date, timedelta

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.domain.events import AbsencePatternNoticed, HomeboundAssessed
from coordinator.domain.vocabulary import AbsencePurpose, Determination, Role
from coordinator.episodes import service
from tests.conftest import actor_with
from tests.episodes.conftest import TODAY, Scene

TOLD = {
    "leaving_medically_contraindicated": "oxygen day and night",
    "normal_inability_to_leave": "has not left since August",
    "considerable_and_taxing_effort": "rests twice on the stairs",
}


@pytest.mark.parametrize(
    ("leaves", "result"),
    [
        (TOLD, Determination.MET),
        (TOLD | {"normal_inability_to_leave": " "}, Determination.UNKNOWN),
        ({"needs_supportive_device": "a frame", "considerable_and_taxing_effort": "yes"}, Determination.NOT_MET),
    ],
)
def test_the_answer_follows_from_the_leaves_and_their_words(
    scene: Scene, leaves: dict[str, str], result: Determination
) -> None:
    with scene.work() as work:
        row = service.assess_homebound(work, scene.episode.id, assessed_on=TODAY, leaves=leaves)
        assert row.result is result
        assert [event.result for event in scene.ears.of(HomeboundAssessed)] == [result.value]


def test_a_leaf_that_is_none_and_a_day_ahead_are_refused(scene: Scene) -> None:
    with scene.work() as work:
        with pytest.raises(Invalid):
            service.assess_homebound(work, scene.episode.id, assessed_on=TODAY, leaves={"old age": "eighty"})
        with pytest.raises(Invalid, match="future"):
            service.assess_homebound(work, scene.episode.id, assessed_on=TODAY + timedelta(days=1), leaves=TOLD)
        assert service.homebound_status(work, scene.episode.id).assessments == []


def out(work, scene, ago: int, purpose: AbsencePurpose = AbsencePurpose.OTHER, *, effort: bool = False):
    return service.record_home_absence(
        work, scene.episode.id, day=TODAY - timedelta(days=ago), purpose=purpose, minutes=60, taxing_effort=effort
    )


def test_no_number_of_absences_for_care_or_worship_or_with_effort_says_anything(scene: Scene) -> None:
    with scene.work() as work:
        for ago in range(1, 29):
            assert out(work, scene, ago, AbsencePurpose.HEALTH_CARE)[1] == ()
            assert out(work, scene, ago, effort=True)[1] == ()
        for ago in range(0, 28, 7):
            assert out(work, scene, ago, AbsencePurpose.RELIGIOUS)[1] == ()
        assert scene.ears.of(AbsencePatternNoticed) == []


def test_a_pattern_without_effort_asks_for_a_review_which_settles_it(scene: Scene) -> None:
    with scene.work() as work:
        assert out(work, scene, 3)[1] == ()
        findings = out(work, scene, 2)[1]
        assert [(one.rule, one.severity.value) for one in findings] == [("HB-02", "WARN"), ("HB-02", "TASK")]
        (noticed,) = scene.ears.of(AbsencePatternNoticed)
        assert (noticed.last_on, noticed.due_on) == (TODAY - timedelta(days=2), TODAY)
        service.assess_homebound(work, scene.episode.id, assessed_on=TODAY, leaves=TOLD)
        assert service.homebound_status(work, scene.episode.id).findings == ()


def test_an_absence_that_was_entered_in_error_says_nothing(scene: Scene) -> None:
    with scene.work() as work:
        out(work, scene, 3)
        wrong, _ = out(work, scene, 2)
        service.withdraw_home_absence(work, wrong.id)
        answer = service.homebound_status(work, scene.episode.id)
        assert (len(answer.absences), answer.findings) == (1, ())
        with pytest.raises(Conflict):
            service.withdraw_home_absence(work, wrong.id)


def test_an_assistant_does_not_judge_homebound_status(scene: Scene) -> None:
    assistant = actor_with(Role.CLINICIAN, clinician_id=scene.assistant.id, performer="PTA")
    with scene.work(assistant) as work, pytest.raises(Forbidden):
        service.assess_homebound(work, scene.episode.id, assessed_on=date(2026, 11, 9), leaves=TOLD)
