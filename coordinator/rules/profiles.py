"""Which rules hold under which programme (rule book 0.5): one profile a programme, dated setting by setting.

There are as many programmes as there are files (`rules.profile_files` reads them); nothing here names one of them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from coordinator.domain.vocabulary import Criterion, Discipline, Payer, PractitionerType, Programme

#: Who practises beside physicians where law allows it: the "allowed practitioners" of 42 CFR 484.2.
ALLOWED_PRACTITIONERS = frozenset({PractitionerType.NP, PractitionerType.CNS, PractitionerType.PA})
#: The key that holds where a table has no row of its own.
DEFAULT = "default"


class EvvUse(StrEnum):
    """What becomes of a visit's electronic verification (EVV-03)."""

    RECORD = "record"
    SUBMIT = "submit"
    EXEMPT = "exempt"


class AideSupervision(StrEnum):
    """Which clock supervision of aides runs by."""

    #: The short one while a skilled service is active, the long one while none is (SUP-01, SUP-04).
    BY_SERVICE = "by_service"
    #: The short one, whatever services are active (42 CFR 418.76(h)).
    EVERY_14_DAYS = "every_14_days"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Another programme that an enrolment in this one stands in the way of.

    `payers` are those of the enrolment; `from_age` in years: below it both go on together.
    """

    programme: Programme
    payers: frozenset[Payer]
    terminal_condition_only: bool
    from_age: int


@dataclass(frozen=True, slots=True)
class Noted:
    """One value of one setting, with its source, first day and how well that was checked (V, P, K or D)."""

    value: object
    source: str
    effective_from: date
    verification: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds under one programme on one day. Empty lists of practitioners: the programme does not ask.

    `idt_interval_days` in days between team conferences, 0 where there need be none. `notes`: each setting's row.
    """

    code: Programme
    name: str
    payers: frozenset[Payer]
    medicare_conditions: bool
    criteria: tuple[Criterion, ...]
    homebound_required: bool
    skilled_need_required: bool
    referrer_types: frozenset[PractitionerType]
    certifier_types: frozenset[PractitionerType]
    orderer_types: Mapping[str, frozenset[PractitionerType]]
    allowed_practitioners: bool
    evv: Mapping[str, EvvUse]
    aide_supervision: AideSupervision
    idt_interval_days: int
    instruments_on_cadence: bool
    excludes: tuple[Exclusion, ...]
    notes: Mapping[str, Noted] = field(default_factory=dict, compare=False)

    def referrers(self) -> frozenset[PractitionerType]:
        """Who may refer; empty: anybody (ELG-7)."""
        return self._widened(self.referrer_types)

    def certifiers(self) -> frozenset[PractitionerType]:
        """Who may certify homebound status; empty: the programme does not ask (HB-03)."""
        return self._widened(self.certifier_types)

    def orderers(self, discipline: Discipline) -> frozenset[PractitionerType]:
        """Who may order and sign the discipline: its own row goes before the default (ORD-04)."""
        return self._widened(self.orderer_types.get(discipline.value, self.orderer_types[DEFAULT]))

    def verification(self, payer: Payer) -> EvvUse:
        """What becomes of a visit's verification where this payer pays: its own row goes before the default."""
        return self.evv.get(payer.value, self.evv[DEFAULT])

    def supervises_closely(self, *, skilled_service: bool) -> bool:
        """Whether aides are supervised at the short interval: beside a skilled service, or always (SUP-01, SUP-04)."""
        return skilled_service or self.aide_supervision is AideSupervision.EVERY_14_DAYS

    def _widened(self, types: frozenset[PractitionerType]) -> frozenset[PractitionerType]:
        return types | ALLOWED_PRACTITIONERS if types and self.allowed_practitioners else types


class UnknownProgramme(LookupError):  # noqa: N818  (as with refusals: it is an answer)
    """A code that no profile has. `code` is what was asked for, `known` are the codes there are."""

    def __init__(self, code: str, known: Iterable[str]) -> None:
        self.code, self.known = code, tuple(sorted(known))
        super().__init__(f"programme: there is no profile {code!r}; there are {', '.join(self.known) or 'none'}")


@dataclass(frozen=True, slots=True)
class ProfileHistory:
    """One programme over time: `profiles[i]` holds from `since[i]` until the next."""

    since: tuple[date, ...]
    profiles: tuple[Profile, ...]

    def on(self, day: date | None) -> Profile:
        """What holds on the day; before the first row of the file the first, for want of better; `None`: the latest."""
        return self.profiles[-1 if day is None else max(bisect_right(self.since, day) - 1, 0)]


class Programmes:
    """All programmes of the installation, by code."""

    def __init__(self, histories: Mapping[Programme, ProfileHistory] | None = None) -> None:
        self._histories = dict(sorted((histories or {}).items()))

    def of(self, programme: Programme, day: date | None = None) -> Profile:
        """The profile in force on the day (the latest when `None`); UnknownProgramme if no file has the code."""
        history = self._histories.get(programme)
        if history is None:
            raise UnknownProgramme(programme, self._histories)
        return history.on(day)

    def history(self, programme: Programme) -> ProfileHistory:
        """The programme from its first day on; UnknownProgramme if no file has the code."""
        self.of(programme)
        return self._histories[programme]

    def replaced(self, profile: Profile) -> "Programmes":
        """The same with one programme as said, on every day."""
        return Programmes({**self._histories, profile.code: ProfileHistory((date.min,), (profile,))})

    def __contains__(self, code: object) -> bool:
        return code in self._histories

    def __iter__(self) -> Iterator[Programme]:
        return iter(self._histories)

    def __len__(self) -> int:
        return len(self._histories)
