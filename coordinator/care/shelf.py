"""The instruments that ship with the product, read from `config/instruments.toml` once, and who may use which."""

import tomllib
from collections.abc import Mapping
from functools import cache

from coordinator.core.errors import Forbidden
from coordinator.core.settings import ROOT
from coordinator.core.work import Actor, Work
from coordinator.domain.care import InstrumentCode
from coordinator.domain.vocabulary import Performer, Role
from coordinator.rules.questionnaires import Instrument, instruments_from


@cache
def instruments() -> Mapping[InstrumentCode, Instrument]:
    """Every instrument by its code; InstrumentsError if the file cannot be meant."""
    with (ROOT / "config" / "instruments.toml").open("rb") as file:
        return instruments_from(tomllib.load(file))


def _performer(actor: Actor) -> Performer | None:
    """As what somebody takes or reads answers: their own profession, or a physician's."""
    if actor.performer is not None and actor.has_role(Role.CLINICIAN.value):
        return Performer(actor.performer)
    return Performer.MD if actor.has_role(Role.PHYSICIAN.value) else None


def may_read(work: Work, instrument: Instrument) -> bool:
    """Whether the actor's role and profession include these answers (SEC-08)."""
    if work.actor.has_role(Role.CLINICAL_MANAGER.value, Role.SYSTEM.value, Role.PHYSICIAN.value):
        return True
    return _performer(work.actor) in instrument.read


def readable(work: Work) -> list[InstrumentCode]:
    """Instruments whose answers the actor may read."""
    return [code for code, instrument in instruments().items() if may_read(work, instrument)]


def require_reader(work: Work, instrument: Instrument) -> None:
    """Refuse whoever may not read these answers."""
    if not may_read(work, instrument):
        raise Forbidden(
            f"Your profession does not read answers to {instrument.code.value}. Ask the nurse or a clinical manager.",
            permission=f"assessment:read:{instrument.code.value}",
        )


def may_record(work: Work, instrument: Instrument) -> bool:
    """Whether the actor's profession takes these answers."""
    return _performer(work.actor) in instrument.record


def require_recorder(work: Work, instrument: Instrument) -> None:
    """Refuse whoever may not take these answers."""
    if not may_record(work, instrument):
        able = ", ".join(sorted(instrument.record))
        raise Forbidden(
            f"{instrument.code.value} is taken by one of: {able}.",
            permission=f"assessment:record:{instrument.code.value}",
        )
