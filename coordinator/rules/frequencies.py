"""How often a visit may be made under its order (FRQ-03, FRQ-05 to FRQ-07)."""

from datetime import date

from coordinator.domain.frequency import FrequencyError, OrderWeek, parse, shortfall, target
from coordinator.domain.vocabulary import VisitKind
from coordinator.rules.case import laid_out, needs_order, order_name
from coordinator.rules.facts import ActivationFacts, Moment, OrderWeekFacts, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "frequency"


@rule(
    "FRQ-01",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Medicare Benefit Policy Manual ch. 7, 30.2.2",
    verification="K",
    sentence="A frequency is written so that everybody reads the same: 3w2 is three visits a week for two weeks.",
    sentence_zh="探訪頻率的寫法人人讀來一樣：3w2即每週三次，共兩週。",
    asked_on=("order",),
)
def ask_text(text: str) -> Finding | None:
    """Why the text is no frequency; the facts hold the code and the position."""
    try:
        parse(text)
    except FrequencyError as error:
        return found(
            "FRQ-01",
            "The frequency cannot be read at character {character}: {problem}.",
            cure="Write it like 1w1, 3w2, 2 PRN for dyspnea.",
            problem=error.message,
            character=error.position + 1,
            facts={"code": error.code, "position": error.position},
        )
    return None


@rule(
    "FRQ-02",
    family=FAMILY,
    severity=Severity.WARN,
    citation="42 CFR 409.43(b)",
    verification="V",
    sentence="A frequency is laid out in weeks from its effective date and ends with its certification.",
    sentence_zh="頻率由生效日起按週排列，並隨核證期結束。",
    settings=("weeks.visit_week_anchor",),
    asked_on=("order",),
)
def ask_layout(order: ActivationFacts, policy: Policy) -> tuple[Finding, ...]:
    """What is odd about the order on the calendar: weeks outside the certification, visits that cannot fit."""
    laid = laid_out(order, policy)
    return tuple(
        found(
            "FRQ-02",
            "{warning}",
            cure="Whoever wrote the order adapts frequency or dates.",
            warning=warning.sentence(),
            facts={"code": warning.code},
        )
        for warning in (laid.warnings if laid else ())
    )


@rule(
    "FRQ-04",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Medicare Benefit Policy Manual ch. 7, 30.2.2",
    verification="K",
    sentence="Of a range the upper limit is the ordered frequency; below the lower limit a visit is missed.",
    sentence_zh="頻率若是範圍，以上限為準；少於下限即為漏訪。",
    settings=("frequency.range_target",),
    asked_on=("planning", "promise", "question"),
)
def planned_visits(week: OrderWeek, policy: Policy) -> int:
    """How many visits of the week the planner aims for."""
    policy = policy.on(week.starts_on)
    return target(week, policy.frequency.range_target)


@rule(
    "FRQ-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 484.60(b)(1); 409.43(b)",
    verification="V",
    sentence="Visits of an order week never exceed its maximum; fewer than its minimum are missed visits.",
    sentence_zh="醫囑一週內的探訪絕不超過上限；少於下限的即為漏訪。",
    settings=("orders.exempt_disciplines",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_allowance(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """Whether the order's week, and the day, have a visit left. As-needed and supervision visits never count."""
    order, visit = case.order, case.visit
    if (
        order is None
        or visit.kind is VisitKind.PRN
        or order.evaluate_and_treat
        or order.discipline is not visit.discipline
        or not needs_order(case, policy)
    ):
        return ()
    week = order.week
    if week is None or not week.starts_on <= visit.day <= week.ends_on:
        return (
            found(
                "FRQ-03",
                "Order {order} gives no {discipline} visit on {day}.",
                cure="Move the visit into a week of the order, or a physician orders the visit.",
                order=order_name(order),
                discipline=visit.discipline,
                day=visit.day,
            ),
        )
    if week.used >= week.maximum:
        return (
            found(
                "FRQ-03",
                "Order {order} allows {maximum} {discipline} visits from {first} to {last}; {used} are done or booked.",
                cure="Move the visit to another week, or a physician orders a higher frequency before it.",
                order=order_name(order),
                discipline=visit.discipline,
                maximum=week.maximum,
                used=week.used,
                first=week.starts_on,
                last=week.ends_on,
                facts={"day": visit.day},
            ),
        )
    if week.used_on_day >= week.per_day:
        return (
            found(
                "FRQ-03",
                "{used} {discipline} visit(s) are already on {day}; the order means {per_day} a day.",
                cure="Move the visit to another day of the week, or the clinical manager allows it with a reason.",
                severity=Severity.BLOCK_OVR,
                discipline=visit.discipline,
                day=visit.day,
                used=week.used_on_day,
                per_day=week.per_day,
            ),
        )
    return ()


@also("FRQ-03")
def missed_at_close(week: OrderWeek, done: int) -> int:
    """How many missed visits there are when the order week closes with `done` counted visits (Saturday 23:59 local)."""
    return shortfall(week, done)


@rule(
    "FRQ-05",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="42 CFR 409.43(b)",
    verification="V",
    sentence="As-needed visits name the symptoms that call for them and a limit; each records its trigger.",
    sentence_zh="按需探訪須寫明引起探訪的症狀和次數上限，每次都記錄原因。",
    asked_on=("promise", "order", "visit", "check-in", "afterwards", "planning", "publication", "question"),
)
def ask_prn_content(order: ActivationFacts) -> Finding | None:
    """An as-needed line without symptoms or limit keeps the order from becoming live."""
    lines = order.frequency.prn if order.frequency else ()
    if all(line.limit > 0 and line.reason.strip() for line in lines):
        return None
    return found(
        "FRQ-05",
        "An as-needed line names no symptoms or no number.",
        cure="The practitioner says for which symptoms and how often at most.",
    )


@also("FRQ-05")
def ask_prn(case: VisitCase, moment: Moment) -> Finding | None:
    """An as-needed visit needs an allowance with a visit left, and a recorded trigger by the time it is made."""
    visit, order = case.visit, case.order
    if visit.kind is not VisitKind.PRN or order is None or order.discipline is not visit.discipline:
        return None
    prn = order.prn
    if prn is None:
        return found(
            "FRQ-05",
            "Order {order} allows no as-needed visits.",
            cure="A physician orders as-needed visits, or this visit.",
            order=order_name(order),
        )
    if prn.used >= prn.limit:
        return found(
            "FRQ-05",
            "All {limit} as-needed visits of order {order} are used.",
            cure="A physician orders further as-needed visits.",
            order=order_name(order),
            limit=prn.limit,
            used=prn.used,
        )
    if not visit.prn_trigger.strip():
        return found(
            "FRQ-05",
            "The reason for the as-needed visit is not recorded; the order names: {reason}.",
            cure="Whoever asks for the visit records the patient's symptoms.",
            severity=Severity.WARN,
            reason=prn.reason or "nothing",
            facts={"moment": moment},
        )
    return None


@also("FRQ-05")
def ask_prn_completion(kind: VisitKind, trigger: str) -> Finding | None:
    """An as-needed visit cannot be completed without the trigger that called for it."""
    if kind is not VisitKind.PRN or trigger.strip():
        return None
    return found(
        "FRQ-05",
        "An as-needed visit needs the symptoms that called for it.",
        cure="The clinician records the symptoms.",
    )


@rule(
    "FRQ-06",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Agency policy; 42 CFR 484.60(b)(1)",
    verification="D",
    sentence="Within its order week a visit is rescheduled; into another week it is missed, and uses up that week.",
    sentence_zh="在同一醫囑週內改日子是改期；改到另一週則算漏訪，並占用那一週的次數。",
    asked_on=("promise", "visit", "publication", "question"),
)
def ask_move(week: OrderWeek | OrderWeekFacts, to_day: date) -> Finding | None:
    """Whether moving a visit of `week` to `to_day` makes it a missed visit."""
    if week.starts_on <= to_day <= week.ends_on:
        return None
    return found(
        "FRQ-06",
        "{to_day} lies outside the order week {first} to {last}. There the visit would count as missed, and it would "
        "use one of the visits of the other week.",
        cure="Move the visit within {first} to {last}.",
        to_day=to_day,
        first=week.starts_on,
        last=week.ends_on,
    )


@rule(
    "FRQ-07",
    family=FAMILY,
    severity=Severity.WARN,
    citation="Agency policy",
    verification="D",
    sentence="A new order is counted from its first day; a week that it cuts short has no floor.",
    sentence_zh="新醫囑從第一天起計算；被它截短的一週沒有下限。",
    settings=("frequency.midweek_change", "weeks.visit_week_anchor"),
    asked_on=("order",),
)
def ask_effective_day(effective_from: date, week_starts_on: date, supersedes: bool) -> Finding | None:
    """A change of order in mid-week is allowed, and a week's beginning is better. `week_starts_on`: of that week."""
    if not supersedes or effective_from == week_starts_on:
        return None
    return found(
        "FRQ-07",
        "The order changes in mid-week on {effective_from}.",
        cure="The practitioner may make it effective from the beginning of the next week.",
        effective_from=effective_from,
    )
