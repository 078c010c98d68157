"""The agency's own licensed wording of instruments: loaded from a file, whole or not at all, and read by language."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from coordinator.care import shelf
from coordinator.care.model import InstrumentText
from coordinator.core.work import Work, permitted
from coordinator.domain.care import InstrumentCode
from coordinator.rules.questionnaires import wordings_from


@permitted("instrument:load")
def load(work: Work, mapping: Mapping[str, Any]) -> dict[tuple[InstrumentCode, str], int]:
    """The texts of the file stand in place of those that were there, by instrument and language; how many of each.

    InstrumentsError names the place that is missing, unknown or wrong; then nothing is changed.
    """
    wordings = wordings_from(mapping, shelf.instruments())
    counted: dict[tuple[InstrumentCode, str], int] = {}
    for one in wordings:
        counted[one.instrument, one.language] = counted.get((one.instrument, one.language), 0) + 1
    for code, language in counted:
        work.session.execute(
            sa.delete(InstrumentText).where(InstrumentText.instrument == code, InstrumentText.language == language)
        )
        work.record("instrument.loaded", f"instrument:{code.value}", language=language, texts=counted[code, language])
    for one in wordings:
        work.session.add(
            InstrumentText(
                instrument=one.instrument, item=one.item, language=one.language, text=one.text, licence=one.licence,
                loaded_at=work.now,
            )
        )  # fmt: skip
    return counted


@permitted("instrument:read")
def texts(work: Work, code: InstrumentCode, language: str) -> dict[str, str]:
    """The agency's words by item in that language; empty where it has loaded none."""
    rows = work.session.execute(
        sa.select(InstrumentText.item, InstrumentText.text).where(
            InstrumentText.instrument == code, InstrumentText.language == language
        )
    )
    return {row.item: row.text for row in rows}
