"""Part-time or intermittent care: hours, daily runs, short-term aide care, and plan limits (INT-01 to INT-04)."""

from datetime import date, timedelta

from coordinator.domain.frequency import implied_daily_run
from coordinator.domain.timeline import minutes_by_day, week_start
from coordinator.domain.vocabulary import INTERMITTENT, Discipline, Eligibility, VisitKind
from coordinator.rules.case import laid_out
from coordinator.rules.facts import ActivationFacts, CaseReview, VisitCase
from coordinator.rules.terms import Finding, Policy, Severity, also, found, rule

FAMILY = "intermittent"


@rule(
    "INT-01",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 USC 1395x(m); Medicare Benefit Policy Manual ch. 7, 50.7",
    verification="V",
    sentence="Nurse and aide together stay under 8 hours a day and within 28 a week, 35 with a review.",
    sentence_zh="護士和助理合計每天少於8小時、每週不超過28小時；經審核可到35小時。",
    settings=(
        "intermittent.day_maximum_minutes",
        "intermittent.week_maximum_minutes",
        "intermittent.week_reviewed_minutes",
        "weeks.hours_week_anchor",
    ),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_hours(case: VisitCase, policy: Policy) -> tuple[Finding, ...]:
    """Whether this visit's minutes still fit into its day and its week; a visit across midnight is split there."""
    policy = policy.on(case.visit.day)
    usage, visit = case.usage, case.visit
    if (
        usage is None
        or visit.discipline not in INTERMITTENT
        or not policy.profile(case.episode.programme, case.visit.day).skilled_need_required
    ):
        return ()
    own, own_next = visit.minutes, 0
    if visit.starts_at is not None and visit.ends_at is not None and visit.starts_at < visit.ends_at:
        parts = minutes_by_day(visit.starts_at, visit.ends_at, visit.zone)
        if len(parts) > 1:
            own = parts.get(visit.day, 0)
            own_next = sum(parts.values()) - own
    following = visit.day + timedelta(days=1)
    anchor = policy.weeks.hours_week_anchor
    new_week = own_next > 0 and week_start(following, anchor, case.episode.soc_date or visit.day) == following
    findings = list(_day(visit.day, usage.day_minutes + own, policy))
    findings += _week(visit.day, usage.week_minutes + own + (0 if new_week else own_next), usage.review, policy)
    if own_next:
        findings += _day(following, usage.next_day_minutes + own_next, policy)
        if new_week:
            findings += _week(following, usage.next_week_minutes + own_next, usage.review, policy)
    return tuple(findings)


def _day(day: date, minutes: int, policy: Policy) -> tuple[Finding, ...]:
    maximum = policy.intermittent.day_maximum_minutes
    if minutes <= maximum:
        return ()
    return (
        found(
            "INT-01",
            "Nurse and aide would be in the home {minutes} minutes on {day}; {maximum} are allowed.",
            cure="Shorten or move a visit of {day}, or the clinical manager puts the excess on another payer.",
            minutes=minutes,
            day=day,
            maximum=maximum,
        ),
    )


def _week(day: date, minutes: int, review: CaseReview | None, policy: Policy) -> tuple[Finding, ...]:
    settings = policy.intermittent
    if minutes <= settings.week_maximum_minutes:
        return ()
    if minutes > settings.week_reviewed_minutes:
        return (
            found(
                "INT-01",
                "Nurse and aide would be in the home {minutes} minutes in the week of {day}; {maximum} are the most.",
                cure="Shorten or move a visit of that week, or the clinical manager puts the excess on another payer.",
                minutes=minutes,
                day=day,
                maximum=settings.week_reviewed_minutes,
            ),
        )
    if review is not None and review.approved_by.strip() and review.first_day <= day <= review.last_day:
        return ()
    return (
        found(
            "INT-01",
            "Nurse and aide would be in the home {minutes} minutes in the week of {day}: above {maximum} is reviewed.",
            cure="The clinical manager approves a review of the need for that week.",
            severity=Severity.WARN,
            minutes=minutes,
            day=day,
            maximum=settings.week_maximum_minutes,
        ),
    )


@rule(
    "INT-02",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="42 USC 1395x(m); Medicare Benefit Policy Manual ch. 7, 40.1.3, 50.7.3",
    verification="V",
    sentence="Daily nursing lasts at most 21 days unless a finite, predictable end is documented.",
    sentence_zh="每天的護理最多連續21天，除非記錄了有限而可預期的結束日期。",
    settings=("intermittent.daily_run_days", "intermittent.daily_run_task_day", "weeks.visit_week_anchor"),
    asked_on=("promise", "order", "visit", "check-in", "planning", "publication", "question"),
)
def ask_daily_run(order: ActivationFacts, policy: Policy) -> Finding | None:
    """A nursing order that implies a longer daily run needs the practitioner's statement of its end."""
    policy = policy.on(order.effective_from)
    limit = policy.intermittent.daily_run_days
    if order.discipline is not Discipline.SN:
        return None
    run = order.daily_run
    if run is None:
        laid = laid_out(order, policy)
        run = implied_daily_run(laid.weeks) if laid else 0
    if (
        run <= limit
        or order.other_qualifying_service
        or order.daily_insulin
        or order.daily_nursing_ends_on is not None
        or not policy.profile(order.programme, order.effective_from).skilled_need_required
    ):
        return None
    return found(
        "INT-02",
        "The order implies {run} days of daily nursing; {limit} are the limit.",
        cure="The practitioner documents when daily nursing will end.",
        run=run,
        limit=limit,
    )


@rule(
    "INT-03",
    family=FAMILY,
    severity=Severity.BLOCK,
    citation="Programme page: short term intermittent personal care",
    verification="P",
    sentence="Aide care is short-term and intermittent, for admitted patients, with an end and a handover.",
    sentence_zh="助理照護是短期、間歇的，只給已收案的病人，並有結束日期和交接安排。",
    settings=("intermittent.aide_visit_warning_minutes", "intermittent.aide_review_day"),
    asked_on=("promise", "order", "visit", "check-in", "planning", "publication", "question"),
)
def ask_aide_order(order: ActivationFacts, policy: Policy) -> tuple[Finding, ...]:
    """Every finding about an aide order: eligibility and admission (a), end date within certification and taper (c)."""
    if order.discipline is not Discipline.HHA:
        return ()
    findings = []
    if policy.profile(order.programme, order.effective_from).criteria and not (
        order.admitted and order.eligibility is Eligibility.ELIGIBLE
    ):
        findings.append(
            found(
                "INT-03",
                "Aide care needs an admitted and eligible patient.",
                cure="Intake settles eligibility, and the nurse admits the patient.",
                facts={"admitted": order.admitted, "eligibility": order.eligibility},
            )
        )
    if order.effective_to is None:
        findings.append(
            found("INT-03", "The aide order has no end date.", cure="Whoever wrote the order adds its last day.")
        )
    elif order.certification_end is not None and order.effective_to > order.certification_end:
        findings.append(
            found(
                "INT-03",
                "The aide order runs to {last}, past the certification's end on {end}.",
                cure="Whoever wrote the order ends it by {end}.",
                last=order.effective_to,
                end=order.certification_end,
            )
        )
    if not order.taper_plan:
        findings.append(
            found(
                "INT-03",
                "The aide order has no plan for tapering or handing over.",
                cure="The nurse writes how aide care will end and who takes over.",
                severity=Severity.WARN,
            )
        )
    return tuple(findings)


@also("INT-02")
def ask_nursing_run(case: VisitCase, policy: Policy) -> Finding | None:
    """Whether this nursing visit makes a run of daily nursing too long, or long enough to see its end coming."""
    policy = policy.on(case.visit.day)
    usage, visit = case.usage, case.visit
    if (
        usage is None
        or visit.discipline is not Discipline.SN
        or visit.kind is VisitKind.SUPERVISION
        or usage.other_qualifying_service
        or usage.daily_insulin
        or not policy.profile(case.episode.programme, case.visit.day).skilled_need_required
    ):
        return None
    settings = policy.intermittent
    run = usage.nursing_days_before + 1 + usage.nursing_days_after
    if run < settings.daily_run_task_day:
        return None
    ends_on = usage.daily_nursing_ends_on
    if ends_on is not None and visit.day <= ends_on:
        return None
    last_allowed = visit.day + timedelta(days=settings.daily_run_days - usage.nursing_days_before - 1)
    beyond = run > settings.daily_run_days
    return found(
        "INT-02",
        "The visit makes {run} days of daily nursing in a row; {limit} are the limit."
        if beyond
        else "Daily nursing reaches its limit of {limit} days on {last_allowed}.",
        cure="The practitioner documents when daily nursing will end, or a day without a nurse is planned.",
        severity=Severity.BLOCK_OVR if beyond else Severity.TASK,
        due=None if beyond else last_allowed,
        owner="" if beyond else "case_manager",
        run=run,
        limit=settings.daily_run_days,
        last_allowed=last_allowed,
        facts={"day": visit.day},
    )


@also("INT-03")
def ask_aide_length(case: VisitCase, policy: Policy) -> Finding | None:
    """A long aide visit is a warning: intermittent care is visits, not shifts."""
    policy = policy.on(case.visit.day)
    limit = policy.intermittent.aide_visit_warning_minutes
    if case.visit.discipline is not Discipline.HHA or case.visit.minutes <= limit:
        return None
    return found(
        "INT-03",
        "An aide visit of {minutes} minutes is longer than {limit}.",
        cure="Split the visit or shorten it.",
        severity=Severity.WARN,
        minutes=case.visit.minutes,
        limit=limit,
    )


@also("INT-03")
def aide_review_due(first_aide_visit_on: date, policy: Policy) -> date:
    """The day by which the team reviews whether aide care goes on past the certification period."""
    policy = policy.on(first_aide_visit_on)
    return first_aide_visit_on + timedelta(days=policy.intermittent.aide_review_day)


@rule(
    "INT-04",
    family=FAMILY,
    severity=Severity.BLOCK_OVR,
    citation="Health plan's evidence of coverage",
    verification="V",
    sentence="Visits stay within the payer's limit for the discipline.",
    sentence_zh="各專業的探訪次數不超過付款方的上限。",
    settings=("intermittent.authorisation_warning_visits",),
    asked_on=("promise", "visit", "check-in", "planning", "publication", "question"),
)
def ask_authorisation(case: VisitCase, policy: Policy) -> Finding | None:
    """Whether the payer's limit has a visit left; the last ones are a warning."""
    policy = policy.on(case.visit.day)
    limit = case.usage.authorisation if case.usage else None
    if limit is None or case.visit.kind is VisitKind.SUPERVISION:
        return None
    remaining = limit.maximum - limit.used
    if remaining > policy.intermittent.authorisation_warning_visits:
        return None
    return found(
        "INT-04",
        "The plan has {remaining} of {maximum} {discipline} visits left."
        if remaining > 0
        else "All {maximum} {discipline} visits of the plan are used.",
        cure="Intake asks the payer for more visits, or the patient consents to the cost in writing.",
        severity=Severity.WARN if remaining > 0 else Severity.BLOCK_OVR,
        remaining=max(0, remaining),
        maximum=limit.maximum,
        discipline=case.visit.discipline,
    )
