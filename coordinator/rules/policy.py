"""The numbers and choices that rules read, as one tree of values; each comes from `config/policy.toml` with its source.

A setting may have several values, each from its day: `Policy.on(day)` has those that are in force on the day. Whoever
reads a number asks for the day that is judged: a visit by its own day, a clock by the day that winds it, a paper by the
day it speaks of. Nothing here opens a file: the caller hands in the parsed TOML.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar, get_type_hints

from coordinator.domain.care import SafetyStep, TeamRole
from coordinator.domain.frequency import FrequencyError, MidweekChange, RangeTarget, parse
from coordinator.domain.timeline import HolidayCalendar, WeekAnchor
from coordinator.domain.vocabulary import (
    Conversation,
    Discipline,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    Role,
    VisitKind,
)
from coordinator.rules.profiles import Profile, Programmes

#: Who may do a thing about a rule, by the rule's id.
RoleTable = Mapping[str, frozenset[Role]]


class PolicyError(ValueError):
    """A setting that is missing, unknown or of the wrong kind. `key` is its dotted name."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"policy setting {key}: {problem}")
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force, with where it comes from, since when, and how well that was checked (V, P, K or D)."""

    key: str
    value: object
    source: str
    effective_from: date
    verification: str


@dataclass(frozen=True, slots=True)
class Weeks:
    """Where weeks begin: three settings that happen to agree (rule book 0.2)."""

    visit_week_anchor: WeekAnchor
    hours_week_anchor: WeekAnchor
    workweek_anchor: WeekAnchor


@dataclass(frozen=True, slots=True)
class Payers:
    """What payers are to the rules (rule book 0.5)."""

    medicare: frozenset[Payer]


@dataclass(frozen=True, slots=True)
class Referrals:
    """Intake (REF-01, REF-02). Hours are elapsed."""

    initial_visit_hours: int
    initial_visit_warning_hours: int


@dataclass(frozen=True, slots=True)
class PromiseSettings:
    """What is promised of a referral before it is accepted. Hours are elapsed; frequencies as they are written."""

    hold_hours: int
    weeks: int
    default_frequencies: Mapping[Discipline, str]


@dataclass(frozen=True, slots=True)
class EligibilitySettings:
    """The eight criteria at work (ELG-00)."""

    lost_criterion_business_days: int


@dataclass(frozen=True, slots=True)
class CertificationSettings:
    """Certification and the encounter before it (F2F, CERT). Days are calendar days."""

    face_to_face_days_before: int
    face_to_face_days_after: int
    face_to_face_warning_days: int
    face_to_face_widened_on: date
    face_to_face_performers: frozenset[PractitionerType]
    #: Codes of the programmes whose initial certification rests on an encounter.
    face_to_face_programmes: frozenset[str]
    plan_review_days: int
    qualifying_visit_warning_day: int
    qualifying_visit_days: int


@dataclass(frozen=True, slots=True)
class AssessmentSettings:
    """Comprehensive assessments (ASM)."""

    comprehensive_days: int
    event_days: int
    resumption_hours: int
    qualifying_stay_hours: int


@dataclass(frozen=True, slots=True)
class DischargeSettings:
    """How a patient or a discipline leaves (DIS-01 to DIS-04). Business days are of `business_calendar`."""

    summary_business_days: int
    transfer_summary_business_days: int
    business_calendar: HolidayCalendar
    record_days: int
    discipline_days: int
    notice_days: int


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """Orders (ORD)."""

    verbal_receivers: frozenset[Performer]
    verbal_receivers_to_counter_note: frozenset[Performer]
    verbal_signature_hours: int
    exempt_disciplines: frozenset[Discipline]
    countersign_working_days: int
    countersign_calendar: HolidayCalendar
    countersign_reminder_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FrequencySettings:
    """Frequencies (FRQ)."""

    range_target: RangeTarget
    midweek_change: MidweekChange


@dataclass(frozen=True, slots=True)
class Intermittent:
    """Part-time or intermittent (INT). Minutes in the home."""

    day_maximum_minutes: int
    week_maximum_minutes: int
    week_reviewed_minutes: int
    daily_run_days: int
    daily_run_task_day: int
    aide_visit_warning_minutes: int
    aide_review_day: int
    authorisation_warning_visits: int
    authorisation_reminder_days: int


@dataclass(frozen=True, slots=True)
class Aides:
    """Home health aides and those who supervise them (AID, SUP)."""

    lapse_months: int
    in_service_hours: int
    in_service_task_month: int
    supervision_days: int
    supervision_warning_days: int
    supervisors: frozenset[Performer]
    supervision_virtual_maximum: int
    supervision_unskilled_days: int
    observation_unskilled_months: int
    plan_authors: frozenset[Performer]
    lvn_supervision_days: int
    cota_supervision_days: int
    concern_observation_days: int
    annual_observation_days: int


@dataclass(frozen=True, slots=True)
class Therapy:
    """Therapy reassessment (THX-01)."""

    reassessment_days: int
    reassessment_warning_days: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Missed visits (VIS-01)."""

    notify_business_days: int
    notify_calendar: HolidayCalendar
    miss_count_for_team: int
    miss_window_days: int
    refusal_count_for_team: int


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of visits in time (VIS-03)."""

    hours: int
    weekend_hours: int
    working_days: int


@dataclass(frozen=True, slots=True)
class Evv:
    """Electronic visit verification (EVV)."""

    personal_care_from: date
    home_health_from: date
    duration_flag_minutes: int
    distance_flag_metres: int


@dataclass(frozen=True, slots=True)
class Language:
    """Language access (LNG-01)."""

    interpreter_required_kinds: frozenset[VisitKind]
    interpreter_required_conversations: frozenset[Conversation]
    adult_age: int
    document_days: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """Licences (CRD-01)."""

    verified_within_days: int
    licensed_performers: frozenset[Performer]
    reminder_days: tuple[int, ...]
    exclusion_check_months: int


@dataclass(frozen=True, slots=True)
class Travel:
    """Travel between visits (LAB-04)."""

    buffer_minutes: int


@dataclass(frozen=True, slots=True)
class Labour:
    """The day and week of somebody employed (LAB-01, LAB-02). Minutes; those of meals count from the shift's start."""

    daily_overtime_after_minutes: int
    daily_doubletime_after_minutes: int
    daily_maximum_minutes: int
    weekly_overtime_after_minutes: int
    meal_minutes: int
    meal_owed_after_minutes: int
    meal_earliest_minute: int
    meal_latest_minute: int
    second_meal_owed_after_minutes: int
    second_meal_earliest_minute: int
    second_meal_latest_minute: int
    seventh_day_overtime_minutes: int
    alternative_ten_minutes: int
    alternative_twelve_minutes: int
    exempt_performers: frozenset[Performer]
    first_meal_waivable_to_minutes: int
    second_meal_waivable_to_minutes: int
    health_care_performers: frozenset[Performer]
    premium_minutes: int
    rest_minutes: int
    rest_block_minutes: int
    rest_owed_from_minutes: int
    #: Thousandths of a dollar a mile, by the day from which they hold.
    mileage_mills_per_mile: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Planning:
    """What the agency asks of plans besides the law and its prices."""

    notice_minutes: int
    patient_visits_per_day: int
    usual_time_tolerance_minutes: int
    fair_share_percent: int


@dataclass(frozen=True, slots=True)
class MovePrice:
    """What it costs to change where a visit stands, by what is changed: cents; minutes that are no change."""

    clinician: int
    day: int
    time: int
    tolerance_minutes: int


@dataclass(frozen=True, slots=True)
class Prices:
    """What the planner is told things cost, in cents."""

    travel_minute: int
    waiting_minute: int
    overtime_minute: int
    doubletime_minute: int
    fairness_minute: int
    missed_meal: int
    repair_missed_meal: int

    unplaced_standing: int
    unplaced_due: int
    unplaced_prn: int
    unplaced_needed: int
    unplaced_can_wait: int
    unplaced_optional: int
    due_day: int
    prn_day: int

    seen_before: int
    stranger: int
    other_language: int
    other_gender: int
    new_face: int
    crowded_day: int
    stray_minute: int

    held: MovePrice
    booked: MovePrice
    published: MovePrice
    told: MovePrice
    touched_told_patient: int
    touched_told_day: int


@dataclass(frozen=True, slots=True)
class DeadlineSettings:
    """Dated obligations: how long one that was missed is made up for, who is told when, and due days of the office."""

    catch_up_days: int
    grace_days: dict[str, int]
    recertification_days: tuple[int, ...]
    renewal_reminder_days: tuple[int, ...]
    criterion_review_days: int
    coverage_reminder_days: tuple[int, ...]
    noncoverage_ahead_days: int
    certify_again_business_days: int
    audit_review_days: int


@dataclass(frozen=True, slots=True)
class Safety:
    """Safety of the clinician (LAB-06)."""

    violence_hazards: frozenset[str]
    check_in_grace_minutes: int
    check_out_grace_minutes: int
    extension_minutes: int


@dataclass(frozen=True, slots=True)
class Records:
    """Access to records, what was given out, breaches and retention (SEC-02, SEC-09 to SEC-12)."""

    emergency_hours: int
    emergency_review_business_days: int
    request_business_days: int
    request_calendar: HolidayCalendar
    inspect_working_days: int
    copy_days: int
    access_days: int
    disclosure_years: int
    unaccounted_purposes: frozenset[str]
    breach_business_days: int
    breach_days: int
    retention_years: int
    majority_age: int
    minor_years: int


@dataclass(frozen=True, slots=True)
class InstrumentSettings:
    """When a score asks for something, and how often it is taken (section 13). Days are calendar days."""

    esas_act_from: int
    esas_severe_from: int
    esas_contact_days: int
    esas_rise: int
    esas_bands: Mapping[str, int]
    esas_cadence_days: int
    pps_review_at: int
    pps_review_days: int
    pps_drop: int
    pps_drop_days: int
    phq2_positive_from: int
    phq9_after_days: int
    phq9_bands: Mapping[str, int]
    phq9_act_from: int
    phq9_act_days: int
    phq9_safety_from: int
    safety_steps: frozenset[SafetyStep]
    safety_roles: frozenset[Role]
    after_treatment_minutes: int
    zbi_screen_from: int
    zbi_high_from: int
    zbi_business_days: int
    zbi_calendar: HolidayCalendar
    zbi_cadence_days: int
    #: So many things that a caregiver lacks call for the whole interview.
    caregiver_check_from: int
    #: From which rating of 0 to 3 a dimension of suffering is taken up, and within how many days.
    suffering_from: int
    suffering_days: int
    fica_days: int
    chaplain_referral_days: int
    start_days: int


@dataclass(frozen=True, slots=True)
class ConferenceSettings:
    """The team conference (IDT). Days are calendar days; after how many it is owed is in the programme's profile.

    `agenda_days`: a meeting talks about those whose review is due within so many days.
    """

    warning_days: int
    agenda_days: int
    core_roles: frozenset[TeamRole]
    therapy_representatives: frozenset[Performer]


@dataclass(frozen=True, slots=True)
class FamilySettings:
    """What patient and family see and may ask. Days are calendar days; `first_names`: 1 if clinicians' are shown."""

    link_days: int
    page_days: int
    pages_a_minute: int
    requests_a_day: int
    request_days: int
    first_names: int


@dataclass(frozen=True, slots=True)
class AdvanceCare:
    """Documents that speak for the patient (ACP-01)."""

    polst_practitioners: frozenset[PractitionerType]
    witnesses: int
    unrelated_witnesses: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """When a practitioner is told the same day, and by whom (VIS-02). Wall clock of the branch, hours of the day."""

    symptom_from: int
    office_opens_at: int
    office_closes_at: int


@dataclass(frozen=True, slots=True)
class Overrides:
    """Who may set a rule aside that may be (BLOCK-OVR): the roles of its own row, else the default ones."""

    default_roles: frozenset[Role]
    roles: RoleTable

    def may(self, rule: str) -> frozenset[Role]:
        """The roles that may set this rule aside."""
        return self.roles.get(rule, self.default_roles)


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """Where patients can be sent on to (REF-03, K-S1). Days are calendar days, unless they are business days."""

    #: Without a medical provider's acceptance for so long, the community's help is suggested.
    no_acceptance_days: int
    suggestion_business_days: int
    bereavement_days: int
    #: From one step of a referral to the reminder of the next.
    refer_business_days: int
    follow_up_business_days: int
    secured_days: int
    check_business_days: int
    #: After how many days without a check an entry is to be checked.
    stale_days: int


@dataclass(frozen=True, slots=True)
class Payment:
    """Payment concepts (PAY). Visits of a period, minutes of a unit, parts that a late day costs one of."""

    lupa_minimum: int
    lupa_maximum: int
    late_notice_divisor: int
    unit_minutes: int


@dataclass(frozen=True, slots=True)
class PalliativeThresholds:
    """The numbers of SB-01. Percent, litres a minute, tenths of g/dl and of the INR; counts and classes as they are.

    `heart_admissions` 0: the state's own wording, an admission with no further invasive intervention planned; else so
    many admissions within `heart_admission_months`.
    """

    heart_admissions: int
    heart_admission_months: int
    nyha_from: int
    ejection_fraction_below: int
    fev1_below: int
    oxygen_litres: int
    karnofsky_to: int
    failed_lines: int
    albumin_tenths_below: int
    inr_tenths_above: int
    meld_above: int


@dataclass(frozen=True, slots=True)
class Palliative:
    """Medi-Cal palliative care (SB-01): the state's thresholds, and those of managed care plans that differ."""

    thresholds: PalliativeThresholds
    plans: Mapping[str, PalliativeThresholds]
    adult_age: int


@dataclass(frozen=True, slots=True)
class TeamworkSettings:
    """What the team asks of each other. Hours are elapsed."""

    escalate_again_hours: int
    #: Calendar days from a teach-back that failed to the next teaching.
    teach_again_days: int


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Messages about notices: hours of the branch's wall clock, elapsed hours and minutes."""

    quiet_from_hour: int
    quiet_until_hour: int
    digest_hour: int
    give_up_hours: int
    first_wait_minutes: int
    longest_wait_minutes: int
    #: What comes for a role is gathered for so long before whoever holds it hears of it.
    role_mail_minutes: int
    #: So long before a visit somebody asks for a clinician who has not read that it changed.
    chase_hours: int
    #: So long after a change nobody asks yet.
    chase_after_minutes: int
    webhook_give_up_hours: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Every setting in force on one day. `settings` gives each with its source, by dotted name.

    `dated` has the settings that change, with all their values, the oldest first.
    """

    weeks: Weeks
    payers: Payers
    referrals: Referrals
    promise: PromiseSettings
    eligibility: EligibilitySettings
    certification: CertificationSettings
    assessment: AssessmentSettings
    discharge: DischargeSettings
    orders: OrderSettings
    frequency: FrequencySettings
    intermittent: Intermittent
    aides: Aides
    therapy: Therapy
    missed: Missed
    notes: Notes
    evv: Evv
    language: Language
    credentials: Credentials
    travel: Travel
    labour: Labour
    planning: Planning
    prices: Prices
    safety: Safety
    records: Records
    instruments: InstrumentSettings
    family: FamilySettings
    conference: ConferenceSettings
    advance_care: AdvanceCare
    alerts: Alerts
    overrides: Overrides
    deadlines: DeadlineSettings
    teamwork: TeamworkSettings
    directory: DirectorySettings
    notify: NotifySettings
    payment: Payment
    palliative: Palliative
    settings: Mapping[str, Setting] = field(default_factory=dict, compare=False)
    programmes: Programmes = field(default_factory=Programmes, compare=False)
    dated: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict, compare=False)
    _then: dict[int, "Policy"] = field(init=False, default_factory=dict, compare=False, repr=False)
    _turns: list[date] = field(init=False, default_factory=list, compare=False, repr=False)

    def on(self, day: date | None) -> "Policy":
        """The policy in force on the day; before a setting's first value, that first value holds. None: this one.

        The one way in which numbers are read.
        """
        if day is None or not self.dated:
            return self
        if not self._turns:
            self._turns.extend(sorted({row.effective_from for rows in self.dated.values() for row in rows}))
        turn = bisect_right(self._turns, day)
        known = self._then.get(turn)
        if known is None:
            known = self._then[turn] = self._made(day)
        return known

    def _made(self, day: date) -> "Policy":
        sections: dict[str, dict[str, object]] = {}
        settings = dict(self.settings)
        for key, rows in self.dated.items():
            section, _, name = key.partition(".")
            settings[key] = next((row for row in reversed(rows) if row.effective_from <= day), rows[0])
            sections.setdefault(section, {})[name] = settings[key].value
        parts: dict[str, Any] = {
            section: replace(getattr(self, section), **values) for section, values in sections.items()
        }
        return replace(self, settings=settings, **parts)

    def profile(self, programme: Programme, day: date | None = None) -> Profile:
        """What holds under the programme on the day, the latest when `None`; UnknownProgramme if there is none such.

        The one way in which rules ask about a programme.
        """
        return self.programmes.of(programme, day)


#: What is handed in beside the sections of the file.
_BESIDE = ("settings", "programmes", "dated", "_then", "_turns")
_NOTES = frozenset({"value", "source", "effective_from", "verification"})


def policy_from(mapping: Mapping[str, Any], on: date | None = None, programmes: Programmes | None = None) -> Policy:
    """The policy in force on the day `on` (the latest of everything when `None`), from parsed TOML.

    Each setting is a table with `value`, `source`, `effective_from` and `verification`, or a list of such tables of
    which the latest in force counts. PolicyError names the setting that is missing, unknown or wrong. `programmes` come
    from files of their own (`rules.profile_files`).
    """
    settings: dict[str, Setting] = {}
    dated: dict[str, tuple[Setting, ...]] = {}
    sections = {name: kind for name, kind in get_type_hints(Policy).items() if name not in _BESIDE}
    for name in mapping:
        if name not in sections:
            raise PolicyError(name, "no such section")
    built = {name: _section(name, kind, mapping, on, settings, dated) for name, kind in sections.items()}
    return Policy(**built, settings=settings, programmes=programmes or Programmes(), dated=dated)


def _section(
    name: str,
    kind: Any,
    mapping: Mapping[str, Any],
    on: date | None,
    settings: dict[str, Setting],
    dated: dict[str, tuple[Setting, ...]],
) -> Any:
    table = mapping.get(name)
    if not isinstance(table, Mapping):
        raise PolicyError(name, "the section is missing" if table is None else "a section must be a table")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise PolicyError(f"{name}.{key}", "no such setting")
    values = {}
    for item in fields(kind):
        key = f"{name}.{item.name}"
        if item.name not in table:
            raise PolicyError(key, "missing")
        rows = _rows(key, table[item.name], _READERS[hints[item.name]])
        in_force = [row for row in rows if on is None or row.effective_from <= on]
        if not in_force:
            raise PolicyError(key, f"nothing in force on {on}")
        settings[key] = in_force[-1]
        values[item.name] = in_force[-1].value
        if len(rows) > 1:
            dated[key] = rows
    return kind(**values)


def _rows(key: str, raw: object, read: Callable[[str, object], object]) -> tuple[Setting, ...]:
    """Every value of a setting, the oldest first; two from the same day are refused."""
    given = [_one(key, item) for item in (raw if isinstance(raw, list) else [raw])]
    if not given:
        raise PolicyError(key, "missing")
    rows = sorted((replace(row, value=read(key, row.value)) for row in given), key=lambda row: row.effective_from)
    twice = next((one.effective_from for one, two in pairwise(rows) if one.effective_from == two.effective_from), None)
    if twice is not None:
        raise PolicyError(key, f"two values from {twice}")
    return tuple(rows)


def _one(key: str, raw: object) -> Setting:
    if not isinstance(raw, Mapping):
        raise PolicyError(key, "must be a table with value, source, effective_from and verification")
    if set(raw) != _NOTES:
        odd = sorted(set(raw) ^ _NOTES)
        raise PolicyError(key, f"missing or unknown: {', '.join(map(str, odd))}")
    source, since, verification = raw["source"], raw["effective_from"], raw["verification"]
    if not isinstance(source, str) or not source.strip():
        raise PolicyError(key, "source must say where the value comes from")
    if type(since) is not date:
        raise PolicyError(key, "effective_from must be a date")
    if verification not in ("V", "P", "K", "D"):
        raise PolicyError(key, "verification must be V, P, K or D")
    return Setting(key, raw["value"], source, since, verification)


# ------------------------------------------------------------------------------- readers of single values


def _integer(key: str, value: object) -> int:
    if type(value) is not int:
        raise PolicyError(key, f"must be a whole number, not {value!r}")
    if value < 0:
        raise PolicyError(key, f"must not be negative, not {value}")
    return value


def _day(key: str, value: object) -> date:
    if type(value) is not date:
        raise PolicyError(key, f"must be a date, not {value!r}")
    return value


def _list(key: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise PolicyError(key, f"must be a list, not {value!r}")
    return value


def _integers(key: str, value: object) -> tuple[int, ...]:
    return tuple(_integer(key, item) for item in _list(key, value))


def _codes(key: str, value: object) -> frozenset[str]:
    codes = _list(key, value)
    for code in codes:
        if not isinstance(code, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", code):
            raise PolicyError(key, f"{code!r} is no code in capital letters")
    return frozenset(str(code) for code in codes)


E = TypeVar("E", bound=StrEnum)


def _word(kind: type[E], key: str, value: object) -> E:
    try:
        return kind(str(value))
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise PolicyError(key, f"{value!r} is not one of {allowed}") from None


def _words(kind: type[StrEnum]) -> Callable[[str, object], object]:
    def read(key: str, value: object) -> object:
        return frozenset(_word(kind, key, item) for item in _list(key, value))

    return read


def _choice(kind: type[StrEnum]) -> Callable[[str, object], object]:
    def read(key: str, value: object) -> object:
        return _word(kind, key, value)

    return read


def _table(key: str, value: object) -> Iterable[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise PolicyError(key, f"must be a table, not {value!r}")
    return value.items()


def _roles(key: str, value: object) -> RoleTable:
    return {
        name: frozenset(_word(Role, f"{key}.{name}", item) for item in _list(key, roles))
        for name, roles in _table(key, value)
    }


def _dated(key: str, value: object) -> Mapping[date, int]:
    table = {}
    for name, number in _table(key, value):
        try:
            table[date.fromisoformat(name)] = _integer(f"{key}.{name}", number)
        except ValueError as error:
            raise error if isinstance(error, PolicyError) else PolicyError(key, f"{name!r} is no date") from None
    if not table:
        raise PolicyError(key, "no day at all")
    return table


def _move_price(key: str, value: object) -> MovePrice:
    given = dict(_table(key, value))
    names = [item.name for item in fields(MovePrice)]
    for name in names:
        if name not in given:
            raise PolicyError(f"{key}.{name}", "missing")
    for name in given:
        if name not in names:
            raise PolicyError(f"{key}.{name}", "no such part")
    return MovePrice(**{name: _integer(f"{key}.{name}", given[name]) for name in names})


def _bands(key: str, value: object) -> Mapping[str, int]:
    """Names of bands with the least score of each, rising: `{ mild = 5, moderate = 10 }`."""
    bands = {name: _integer(f"{key}.{name}", least) for name, least in _table(key, value)}
    if not bands or sorted(set(bands.values())) != list(bands.values()):
        raise PolicyError(key, "bands must rise from the first to the last")
    return bands


def _days_by_rule(key: str, value: object) -> dict[str, int]:
    return {name: _integer(f"{key}.{name}", days) for name, days in _table(key, value)}


def _thresholds(key: str, value: object) -> PalliativeThresholds:
    given = dict(_table(key, value))
    names = [item.name for item in fields(PalliativeThresholds)]
    odd = sorted(set(names) ^ set(given))
    if odd:
        raise PolicyError(f"{key}.{odd[0]}", "missing" if odd[0] in names else "no such part")
    return PalliativeThresholds(**{name: _integer(f"{key}.{name}", given[name]) for name in names})


def _plan_thresholds(key: str, value: object) -> Mapping[str, PalliativeThresholds]:
    return {name: _thresholds(f"{key}.{name}", one) for name, one in _table(key, value)}


def _frequencies(key: str, value: object) -> Mapping[Discipline, str]:
    table = {}
    for name, text in _table(key, value):
        try:
            table[_word(Discipline, key, name)] = parse(str(text)).render()
        except FrequencyError as error:
            raise PolicyError(f"{key}.{name}", f"{text!r} is no frequency: {error.code}") from None
    lacking = set(Discipline) - set(table)
    if lacking:
        raise PolicyError(key, f"missing: {', '.join(sorted(lacking))}")
    return table


_READERS: dict[Any, Callable[[str, object], object]] = {
    int: _integer,
    MovePrice: _move_price,
    PalliativeThresholds: _thresholds,
    Mapping[str, PalliativeThresholds]: _plan_thresholds,
    date: _day,
    tuple[int, ...]: _integers,
    frozenset[str]: _codes,
    RoleTable: _roles,
    Mapping[Discipline, str]: _frequencies,
    Mapping[date, int]: _dated,
    Mapping[str, int]: _bands,
    dict[str, int]: _days_by_rule,
    **{kind: _choice(kind) for kind in (WeekAnchor, HolidayCalendar, RangeTarget, MidweekChange)},
    **{
        frozenset[kind]: _words(kind)  # type: ignore[valid-type]
        for kind in (
            Payer,
            Performer,
            Discipline,
            PractitionerType,
            VisitKind,
            TeamRole,
            Role,
            SafetyStep,
            Conversation,
        )
    },
}
