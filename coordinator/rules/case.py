"""Small questions about a case or an order that several families of rules ask."""

from datetime import date

from coordinator.domain.frequency import Expansion, expand
from coordinator.domain.vocabulary import Payer, Programme, VisitKind
from coordinator.rules.facts import ActivationFacts, OrderFacts, VisitCase
from coordinator.rules.policy import Policy

#: Visits that stand on the referral or on the plan, not on a frequency order (ORD-01).
ORDERLESS_KINDS = frozenset({VisitKind.INITIAL, VisitKind.SUPERVISION})


def is_medicare(programme: Programme, payer: Payer, policy: Policy, day: date | None = None) -> bool:
    """Whether Medicare's own conditions of payment apply."""
    policy = policy.on(day)
    return payer in policy.payers.medicare or policy.profile(programme, day).medicare_conditions


def needs_order(case: VisitCase, policy: Policy) -> bool:
    """Whether the visit stands on an order at all."""
    policy = policy.on(case.visit.day)
    return case.visit.kind not in ORDERLESS_KINDS and case.visit.discipline not in policy.orders.exempt_disciplines


def order_name(order: OrderFacts) -> str:
    """How a sentence names the order."""
    return "of this visit" if order.order_id is None else str(order.order_id)


def laid_out(order: ActivationFacts, policy: Policy) -> Expansion | None:
    """The order on the calendar; `None` while frequency or effective date is missing."""
    policy = policy.on(order.effective_from)
    if order.frequency is None or order.effective_from is None:
        return None
    return expand(
        order.frequency,
        order.effective_from,
        effective_to=order.effective_to,
        certification_end=order.certification_end,
        anchor=policy.weeks.visit_week_anchor,
        soc=order.soc_date or order.effective_from,
    )
