"""`flask instruments load`: the agency's own words, whole or not at all."""

from pathlib import Path

from coordinator.care import texts
from coordinator.cli import register
from coordinator.core.http import Coordinator
from coordinator.domain.care import InstrumentCode
from tests.conftest import WorkAs


def test_a_file_is_loaded_whole(app: Coordinator, work_as: WorkAs, tmp_path: Path) -> None:
    file = tmp_path / "texts.toml"
    file.write_text(
        '["PHQ-2"]\nlicence = "Pfizer, free"\nzh-Hant = { interest = "甲", mood = "乙" }\n', encoding="utf-8"
    )
    register(app)
    answer = app.test_cli_runner().invoke(args=["instruments", "load", str(file)])
    assert (answer.exit_code, answer.output.strip()) == (0, "PHQ-2, zh-Hant: 2 texts.")
    with work_as() as work:
        assert texts.texts(work, InstrumentCode.PHQ_2, "zh-Hant") == {"interest": "甲", "mood": "乙"}


def test_half_a_file_is_refused_with_the_place(app: Coordinator, work_as: WorkAs, tmp_path: Path) -> None:
    file = tmp_path / "texts.toml"
    file.write_text('["PHQ-2"]\nlicence = "Pfizer, free"\nen = { interest = "A" }\n', encoding="utf-8")
    register(app)
    answer = app.test_cli_runner().invoke(args=["instruments", "load", str(file)])
    assert answer.exit_code == 1
    assert "PHQ-2.en.mood: missing" in answer.output
    with work_as() as work:
        assert texts.texts(work, InstrumentCode.PHQ_2, "en") == {}
