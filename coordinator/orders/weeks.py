"""What an order allows week by week: its rows when it becomes live, and their cutting when another takes over."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.core.errors import Conflict
from coordinator.core.work import Work
from coordinator.domain.frequency import (
    Expansion,
    FrequencyWarning,
    MidweekChange,
    expand,
    split_week,
)
from coordinator.domain.frequency import OrderWeek as Window
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import WeekAnchor, week_start
from coordinator.orders.facts import certification_of, frequency_of
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import LAST_DAY, last_day
from coordinator.patients.model import Episode
from coordinator.rules.frequencies import ask_effective_day
from coordinator.rules.terms import Finding


def is_scheduled(order: Order) -> bool:
    """Whether the order gives visits week by week; as-needed lines alone and evaluations do not (ORD-07)."""
    frequency = frequency_of(order)
    return frequency is not None and bool(frequency.segments)


def lay_out(work: Work, order: Order, episode: Episode) -> Expansion:
    """The order on the calendar, cut at its own end and at the certification's (FRQ-02)."""
    frequency = frequency_of(order)
    if frequency is None:
        if not order.evaluate_and_treat:
            return Expansion(())
        return Expansion((Window(1, order.effective_from, order.effective_to, 1, 1),))
    _, certification_end = certification_of(episode, order.effective_from)
    return expand(
        frequency,
        order.effective_from,
        effective_to=order.effective_to,
        certification_end=certification_end,
        anchor=work.policy.on(order.effective_from).weeks.visit_week_anchor,
        soc=episode.soc_date or order.effective_from,
    )


def rows_of(windows: Sequence[Window]) -> list[OrderWeek]:
    """Windows as rows, under the same numbers."""
    return [
        OrderWeek(
            number=window.index,
            starts_on=window.starts_on,
            ends_on=window.ends_on,
            minimum=window.minimum,
            maximum=window.maximum,
        )
        for window in windows
    ]


# ------------------------------------------------------------------------------------ one order after another


def in_the_way(work: Work, order: Order, *, lock: bool = False) -> tuple[list[Order], Order | None]:
    """Live orders of the discipline that this one supersedes, and the one that stands against it, if any (ORD-07).

    A scheduled order takes over from those that began no later than itself, and from the one that it says it replaces.
    One that begins later is somebody's plan for then: it is not undone in passing. As-needed lines coexist.
    """
    if not is_scheduled(order):
        return [], None
    query = sa.select(Order).where(
        Order.patient_id == order.patient_id,
        Order.discipline == order.discipline,
        Order.status.in_(sorted(LIVE_ORDER)),
        Order.id != order.id,
        Order.effective_from <= order.effective_to,
        order.effective_from <= LAST_DAY,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    others = [
        other
        for other in work.session.execute(query.order_by(Order.id)).scalars()
        if is_scheduled(other) or other.evaluate_and_treat
    ]
    superseded = [
        other for other in others if other.effective_from <= order.effective_from or other.id == order.replaces_id
    ]
    return superseded, next((other for other in others if other not in superseded and is_scheduled(other)), None)


def take_over(
    work: Work, windows: Sequence[Window], old: Sequence[Order], from_day: date, episode: Episode
) -> tuple[list[Window], list[FrequencyWarning]]:
    """The new order's windows when it takes over from `old` on `from_day` (FRQ-07).

    Windows wholly before that day are left out, for the old order ran then; the one that holds it is counted from it.
    """
    if not old:
        return list(windows), []
    anchor: WeekAnchor = work.policy.on(from_day).weeks.visit_week_anchor
    soc = episode.soc_date or from_day
    kept = [window for window in windows if window.ends_on >= from_day]
    warnings: list[FrequencyWarning] = []
    if not kept or kept[0].starts_on > from_day:
        return kept, warnings
    first = kept[0]
    first = Window(first.index, from_day, first.ends_on, first.minimum, first.maximum, first.per_day)
    for order in old:
        week = next((week for week in order.weeks if week.starts_on < from_day <= week.ends_on), None)
        if week is None or order.evaluate_and_treat:
            continue
        split = split_week(
            Window(week.number, week.starts_on, week.ends_on, week.minimum, week.maximum),
            first,
            0,  # visits already made are counted by `count_whole_week`, where the policy asks for it
            MidweekChange.COUNT_FROM_CHANGE,
            anchor,
            soc,
        )
        first = split.new_week
        warnings += split.warnings
    return [first, *kept[1:]], warnings


def cut(order: Order, end: date) -> None:
    """No week of the order goes past `end`: the one it falls into ends there and has no floor (FRQ-07), nor have later.

    Later weeks keep their rows, for visits may name them; nothing of them is owed any more.
    """
    for week in order.weeks:
        if week.starts_on > end:
            week.minimum = 0
        elif week.ends_on > end:
            week.ends_on, week.minimum = end, 0


def count_whole_week(work: Work, order: Order, done_before: int) -> OrderWeek | None:
    """Let visits made earlier in the calendar week use up the first week too, where the policy says so (FRQ-07).

    `done_before` counts visits of the discipline made in that calendar week before the week row begins. Call it before
    visits are raised from the week.
    """
    setting = work.policy.on(order.effective_from).frequency.midweek_change
    if setting is not MidweekChange.COUNT_WHOLE_WEEK or not order.weeks:
        return None
    first = order.weeks[0]
    if first.closed_at is not None:
        raise Conflict("That order week is closed.", code="week-closed")
    first.maximum = max(0, first.maximum - done_before)
    first.minimum = min(first.minimum, first.maximum)
    work.record("order.week-counted", f"order:{order.id}", patient_id=order.patient_id, done_before=done_before)
    return first


def midweek_warning(work: Work, order: Order, old: Sequence[Order], episode: Episode) -> list[Finding]:
    """What FRQ-07 says of the day on which this order would take over from live ones."""
    anchor: WeekAnchor = work.policy.on(order.effective_from).weeks.visit_week_anchor
    soc = episode.soc_date or order.effective_from
    begins = week_start(order.effective_from, anchor, soc)
    cuts = [other for other in old if other.effective_from < order.effective_from <= last_day(other)]
    said = ask_effective_day(order.effective_from, begins, bool(cuts))
    return [] if said is None else [said]
