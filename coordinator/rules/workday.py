"""Hours, meals, rests and miles of an employed clinician's day (LAB-01 to LAB-03, LAB-05). Minutes unless said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from coordinator.domain.vocabulary import OvertimeProfile, Performer
from coordinator.rules.facts import VisitCase
from coordinator.rules.terms import Finding, Labour, Policy, Severity, also, found, rule
from coordinator.rules.work_facts import Leg, Stretch, Waivers, WorkFacts

FAMILY = "labour"


# ------------------------------------------------------------------------------------ LAB-01


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many minutes more is paid; None: never. `seventh`: how much of a seventh day is not yet double."""

    daily: int | None
    double: int | None
    weekly: int | None
    seventh: int | None


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes by what they are paid: once, once and a half, twice."""

    regular: int = 0
    overtime: int = 0
    double: int = 0

    def __add__(self, other: "Hours") -> "Hours":
        return Hours(self.regular + other.regular, self.overtime + other.overtime, self.double + other.double)

    @property
    def worked(self) -> int:
        return self.regular + self.overtime + self.double


def limits_of(labour: Labour, profile: OvertimeProfile, contracted: int | None = None) -> Limits:
    """The limits that hold for an employee. `contracted`: plan no more than these minutes a week at the usual price,
    where that is less than the law's week; what is owed as pay is asked without it.
    """
    weekly = labour.weekly_overtime_after_minutes
    if contracted is not None:
        weekly = min(weekly, contracted)
    if profile is OvertimeProfile.EXEMPT:
        return Limits(None, None, None, None)
    if profile is OvertimeProfile.AGREEMENT:
        return Limits(None, None, weekly, None)
    daily = {
        OvertimeProfile.ALTERNATIVE_10: labour.alternative_ten_minutes,
        OvertimeProfile.ALTERNATIVE_12: labour.alternative_twelve_minutes,
    }.get(profile, labour.daily_overtime_after_minutes)
    return Limits(daily, labour.daily_doubletime_after_minutes, weekly, labour.seventh_day_overtime_minutes)


@rule(
    "LAB-01",
    family=FAMILY,
    severity=Severity.WARN,
    citation="California Labor Code 510, 511, 514",
    verification="V",
    sentence="Beyond eight hours a day, forty a week or six days a week more is paid; beyond twelve a day, twice.",
    sentence_zh="每日逾八小時、每週逾四十小時或連續第七日，須付加班費；每日逾十二小時加倍。",
    asked_on=(
        "visit",
        "publication",
        "question",
    ),
    settings=(
        "labour.daily_overtime_after_minutes",
        "labour.daily_doubletime_after_minutes",
        "labour.weekly_overtime_after_minutes",
        "labour.seventh_day_overtime_minutes",
        "labour.alternative_ten_minutes",
        "labour.alternative_twelve_minutes",
        "labour.daily_maximum_minutes",
        "weeks.workweek_anchor",
        "prices.overtime_minute",
        "prices.doubletime_minute",
        "labour.exempt_performers",
        "labour.meal_minutes",
    ),
)
def week_hours(minutes: Mapping[date, int], week_first: date, limits: Limits) -> dict[date, Hours]:
    """How the worked minutes of the seven days from `week_first` are paid, by day.

    No pyramiding: what a day has paid as overtime does not count towards the week's forty hours. Whoever works on all
    seven days of one workweek is paid more from the first minute of the seventh.
    """
    days = [week_first + timedelta(days=step) for step in range(7)]
    everyday = all(minutes.get(day, 0) > 0 for day in days)
    paid: dict[date, Hours] = {}
    straight = 0
    for day in days:
        worked = minutes.get(day, 0)
        if not worked:
            continue
        if everyday and day == days[-1] and limits.seventh is not None:
            overtime = min(worked, limits.seventh)
            paid[day] = Hours(0, overtime, worked - overtime)
            continue
        double = 0 if limits.double is None else max(0, worked - limits.double)
        overtime = 0 if limits.daily is None else max(0, worked - double - limits.daily)
        regular = worked - double - overtime
        if limits.weekly is not None:
            beyond = max(0, min(regular, straight + regular - limits.weekly))
            regular, overtime = regular - beyond, overtime + beyond
        straight += regular
        paid[day] = Hours(regular, overtime, double)
    return paid


def in_sum(paid: Iterable[Hours]) -> Hours:
    """All of them together."""
    total = Hours()
    for hours in paid:
        total += hours
    return total


@also("LAB-01")
def may_be_exempt(performer: Performer, policy: Policy) -> bool:
    """Whether somebody of this profession may be employed without overtime: never a registered nurse as such."""
    return performer in policy.labour.exempt_performers


@also("LAB-01")
def ask_overtime(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """Whether the visit makes the day or the week dearer, and by how much; who makes a day too long is refused.

    A day that is too long without the visit already is only warned of: the visit is not what is wrong with it.
    """
    policy = policy.on(case.visit.day)
    facts = None if case.neighbours is None else case.neighbours.work
    if facts is None or facts.profile is OvertimeProfile.EXEMPT:
        return ()
    worked = worked_minutes(facts.stops, facts.lead, facts.tail, facts.waivers, policy.labour)
    before = worked_minutes(facts.others, facts.others_lead, facts.others_tail, facts.waivers, policy.labour)
    findings = []
    longest = policy.labour.daily_maximum_minutes
    if worked > longest:
        findings.append(
            found(
                "LAB-01",
                "The clinician would work {worked} on {day}; more than {longest} are not planned.",
                cure="Move the visit to another day, or assign somebody else.",
                severity=Severity.BLOCK_OVR if worked > max(before, longest) else Severity.WARN,
                worked=_hours(worked),
                day=facts.day,
                longest=_hours(longest),
                facts={"minutes": worked, "limit": longest},
            )
        )
    limits = limits_of(policy.labour, facts.profile)
    then = in_sum(week_hours({**facts.week_minutes, facts.day: worked}, facts.week_first, limits).values())
    now = in_sum(week_hours({**facts.week_minutes, facts.day: before}, facts.week_first, limits).values())
    overtime, double = then.overtime - now.overtime, then.double - now.double
    if overtime + double > 0:
        cents = (overtime + double) * policy.prices.overtime_minute + double * policy.prices.doubletime_minute
        findings.append(
            found(
                "LAB-01",
                "The visit adds {overtime} of overtime and {double} of double time to the week of {week}.",
                cure="Assign somebody whose week has room, or move it to a shorter day.",
                overtime=_hours(max(0, overtime)),
                double=_hours(max(0, double)),
                week=facts.week_first,
                facts={"overtime_minutes": overtime, "double_minutes": double, "cost_cents": cents, "minutes": worked},
            )
        )
    return tuple(findings)


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d} h"


# ------------------------------------------------------------------------------------ LAB-02


@dataclass(frozen=True, slots=True)
class Meal:
    """A meal that a day owes: the instant by which it has begun, and whether it is waived."""

    number: int
    latest_at: datetime
    waived: bool


@rule(
    "LAB-02",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="California Labor Code 512, 226.7; Wage Order 4; Gerard v. Orange Coast (2018)",
    verification="V",
    sentence="Half an hour off duty begins before the end of the fifth hour, a second before the end of the tenth.",
    sentence_zh="第五小時結束前開始半小時離崗用餐，第十小時結束前開始第二次。",
    asked_on=(
        "visit",
        "publication",
        "question",
    ),
    settings=(
        "labour.meal_minutes",
        "labour.meal_owed_after_minutes",
        "labour.meal_latest_minute",
        "labour.second_meal_owed_after_minutes",
        "labour.second_meal_latest_minute",
        "labour.first_meal_waivable_to_minutes",
        "labour.second_meal_waivable_to_minutes",
        "labour.health_care_performers",
        "labour.premium_minutes",
    ),
)
def meals_owed(
    begins_at: datetime, worked: int, waivers: Waivers, labour: Labour, performer: Performer | None = None
) -> tuple[Meal, ...]:
    """The meals that so many minutes of work, begun then, owe. A waived meal is in the list, marked.

    The first may be waived up to six hours of work; the second up to twelve, and by health-care employees beyond, if
    the first is taken: of the two at most one is waived.
    """
    meals = []
    if worked > labour.meal_owed_after_minutes:
        waived = waivers.first and worked <= labour.first_meal_waivable_to_minutes
        meals.append(Meal(1, begins_at + timedelta(minutes=labour.meal_latest_minute), waived))
    if worked > labour.second_meal_owed_after_minutes:
        beyond = performer is not None and performer in labour.health_care_performers
        waived = waivers.second and (worked <= labour.second_meal_waivable_to_minutes or beyond)
        meals.append(Meal(2, begins_at + timedelta(minutes=labour.second_meal_latest_minute), waived))
    return tuple(meals)


@also("LAB-02")
def meals_missed(
    begins_at: datetime,
    worked: int,
    taken: Sequence[tuple[datetime, datetime]],
    waivers: Waivers,
    labour: Labour,
    performer: Performer | None = None,
) -> tuple[Meal, ...]:
    """The meals that were owed, not waived, and neither begun in time nor long enough: no punch is rounded.

    A second meal cannot be waived on a day whose first was not taken.
    """
    left = sorted(taken)
    missed: list[Meal] = []
    for meal in meals_owed(begins_at, worked, waivers, labour, performer):
        good = next(
            (
                one
                for one in left
                # The last minute in which a meal may begin counts to its end.
                if one[0] < meal.latest_at + timedelta(minutes=1)
                and one[1] - one[0] >= timedelta(minutes=labour.meal_minutes)
            ),
            None,
        )
        if good is not None:
            left.remove(good)
        elif not meal.waived or (meal.number == 2 and missed):
            missed.append(meal)
    return tuple(missed)


@also("LAB-02")
def premium_minutes(missed: Sequence[Meal], labour: Labour) -> int:
    """Minutes of premium pay that a day owes for its meals: one hour, however many were missed (LC 226.7)."""
    return labour.premium_minutes if missed else 0


@dataclass(frozen=True, slots=True)
class _Room:
    """What of a planned day's meals has room: how many are taken, and the numbers of those that have none."""

    span: int
    taken: int
    lacking: tuple[int, ...]


def _room(
    stops: Sequence[Stretch], lead: int, tail: int, waivers: Waivers, labour: Labour, performer: Performer | None = None
) -> _Room:
    """Lay the owed meals into the gaps between stops, the earliest that will do first; travel may follow a meal."""
    if not stops:
        return _Room(0, 0, ())
    begins_at = stops[0].starts_at - timedelta(minutes=lead)
    ends_at = max(stop.ends_at for stop in stops) + timedelta(minutes=tail)
    span = _minutes(ends_at - begins_at)
    gaps: list[tuple[datetime, int]] = []
    free_from = stops[0].ends_at
    for stop in stops[1:]:
        gaps.append((free_from, _minutes(stop.starts_at - free_from) - stop.way))
        free_from = max(free_from, stop.ends_at)
    taken = 0
    lacking: list[int] = []
    for number in (1, 2):
        worked = span - taken * labour.meal_minutes
        owed = {meal.number: meal for meal in meals_owed(begins_at, worked, waivers, labour, performer)}
        meal = owed.get(number)
        if meal is None or (meal.waived and not lacking):
            continue
        place = next(
            (at for at, (begins, free) in enumerate(gaps) if free >= labour.meal_minutes and begins <= meal.latest_at),
            None,
        )
        if place is None:
            lacking.append(number)
        else:
            begins, free = gaps[place]
            gaps[place] = (begins + timedelta(minutes=labour.meal_minutes), free - labour.meal_minutes)
            taken += 1
    return _Room(span, taken, tuple(lacking))


def _minutes(stretch: timedelta) -> int:
    return int(stretch.total_seconds()) // 60


@also("LAB-02")
def ask_meal(case: VisitCase, policy: Policy) -> Finding | None:
    """Whether the day still has room for its meals; the visit that takes the room is refused, another is warned of."""
    policy = policy.on(case.visit.day)
    facts = None if case.neighbours is None else case.neighbours.work
    if facts is None or facts.profile is OvertimeProfile.EXEMPT:
        return None
    performer = None if case.clinician is None else case.clinician.performer
    then = _room(facts.stops, facts.lead, facts.tail, facts.waivers, policy.labour, performer)
    if not then.lacking:
        return None
    now = _room(facts.others, facts.others_lead, facts.others_tail, facts.waivers, policy.labour, performer)
    number = then.lacking[0]
    minute = policy.labour.meal_latest_minute if number == 1 else policy.labour.second_meal_latest_minute
    begins_at = facts.stops[0].starts_at - timedelta(minutes=facts.lead)
    return found(
        "LAB-02",
        "The day from {begins} has no {minutes} minutes free for its {meal} meal, which begins by {latest}.",
        cure="Move the visit so that {minutes} minutes are free by {latest}, or assign somebody else.",
        severity=Severity.BLOCK_OVR if len(then.lacking) > len(now.lacking) else Severity.WARN,
        begins=_clock(begins_at, case.visit.zone),
        minutes=policy.labour.meal_minutes,
        meal="first" if number == 1 else "second",
        latest=_clock(begins_at + timedelta(minutes=minute), case.visit.zone),
        facts={"work_minutes": then.span, "meals_without_room": then.lacking},
    )


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"


def worked_minutes(stops: Sequence[Stretch], lead: int, tail: int, waivers: Waivers, labour: Labour) -> int:
    """Minutes of work that a planned day holds: from its first stop to its last with the travel that is work (LAB-04),
    less the meals that have room.
    """
    room = _room(stops, lead, tail, waivers, labour)
    return room.span - room.taken * labour.meal_minutes


# ------------------------------------------------------------------------------------ LAB-03


@rule(
    "LAB-03",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Wage Order 4 section 12; Brinker v. Superior Court (2012)",
    verification="K",
    sentence="Ten minutes of paid rest are owed for every four hours of work or major fraction of them.",
    sentence_zh="每工作四小時或其大半，應有十分鐘帶薪休息。",
    asked_on=("visit",),
    settings=("labour.rest_minutes", "labour.rest_block_minutes", "labour.rest_owed_from_minutes"),
)
def rests_owed(worked: int, labour: Labour) -> int:
    """How many rests so many minutes of work owe: more than half of four hours counts as four hours."""
    if worked < labour.rest_owed_from_minutes:
        return 0
    return max(1, -((labour.rest_block_minutes // 2 - worked) // labour.rest_block_minutes))


@also("LAB-03")
def rest_minutes(worked: int, labour: Labour) -> int:
    """How many paid minutes of the day's work are its rests: no work is laid on them."""
    return rests_owed(worked, labour) * labour.rest_minutes


# ------------------------------------------------------------------------------------ LAB-05


@dataclass(frozen=True, slots=True)
class Mileage:
    """Miles that are paid, at so many thousandths of a dollar each, and what they come to in cents."""

    miles: Fraction
    mills_per_mile: int
    cents: int


@rule(
    "LAB-05",
    family=FAMILY,
    severity=Severity.TASK,
    citation="California Labor Code 2802; IRS Notice 2026-10",
    verification="V",
    sentence="Every mile that the work needs is paid at the rate of its day; ordinary commuting is not.",
    sentence_zh="工作所需的每一英里均按當日費率支付，一般通勤除外。",
    asked_on=("visit",),
    settings=("labour.mileage_mills_per_mile",),
)
def mileage(legs: Iterable[Leg], day: date, labour: Labour) -> Mileage:
    """What is owed for the day's ways at the rate of that day, rounded to the cent, half up.

    ValueError for a day before the first rate.
    """
    known = [since for since in labour.mileage_mills_per_mile if since <= day]
    if not known:
        raise ValueError(f"no mileage rate is known for {day}")
    rate = labour.mileage_mills_per_mile[max(known)]
    miles = sum((Fraction(str(leg.miles)) for leg in legs if not leg.commute), Fraction(0))
    return Mileage(miles, rate, int(miles * rate / 10 + Fraction(1, 2)))


__all__ = [
    "Hours", "Limits", "Meal", "Mileage", "WorkFacts", "ask_meal", "ask_overtime", "in_sum", "limits_of",
    "may_be_exempt", "meals_missed", "meals_owed", "mileage", "premium_minutes", "rest_minutes", "rests_owed",
    "week_hours", "worked_minutes",
]  # fmt: skip
