"""Orders that nobody has signed: what they would ask for in the days of a run, and cannot (ORD-01)."""

from typing import Any

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.frequency import FrequencyError
from coordinator.domain.vocabulary import VisitKind
from coordinator.orders.model import Order
from coordinator.orders.weeks import lay_out
from coordinator.patients.model import Episode, Patient
from coordinator.planning.horizon import Horizon
from coordinator.rules.facts import EpisodeFacts, Moment, OrderFacts, PatientFacts, VisitCase, VisitFacts
from coordinator.rules.orders import TENTATIVE_ORDER, ask_live_order


def waiting_orders(work: Work, branch_id: int, horizon: Horizon) -> list[dict[str, Any]]:
    """One entry for each order of the branch that waits for a name and begins, or would go on, in these days.

    {order, patient_id, discipline, status, code, sentence, cure, citation, needed_by, visits, weeks: [{from, to,
    minimum, maximum}]}
    """
    rows = work.session.execute(
        sa.select(Order, Episode)
        .join(Patient, Patient.id == Order.patient_id)
        .join(Episode, Episode.id == Order.episode_id)
        .where(
            Patient.branch_id == branch_id,
            Patient.active.is_(True),
            Order.status.in_(sorted(TENTATIVE_ORDER)),
            Order.effective_from <= horizon.end_on,
            Order.effective_to >= horizon.start_on,
            Episode.discharged_on.is_(None),
        )
        .order_by(Order.effective_from, Order.id)
    ).unique()
    found = []
    for order, episode in rows:
        weeks = _weeks(work, order, episode, horizon)
        entry = _entry(work, order, episode, horizon, weeks) if weeks else None
        if entry is not None:
            found.append(entry)
    return found


def _weeks(work: Work, order: Order, episode: Episode, horizon: Horizon) -> list[dict[str, Any]]:
    try:
        laid = lay_out(work, order, episode).weeks
    except FrequencyError:
        return []
    return [
        {
            "from": week.starts_on.isoformat(),
            "to": week.ends_on.isoformat(),
            "minimum": week.minimum,
            "maximum": week.maximum,
        }
        for week in laid
        if week.starts_on <= horizon.end_on and week.ends_on >= horizon.start_on and week.maximum
    ]


def _entry(work: Work, order: Order, episode: Episode, horizon: Horizon, weeks: list[dict[str, Any]]) -> Any:
    """What the rule says of a visit under the order as it is; None where the discipline needs no order."""
    finding = ask_live_order(
        VisitCase(
            patient=PatientFacts(),
            episode=EpisodeFacts(episode.programme, episode.payer, episode.soc_date),
            visit=VisitFacts(
                kind=VisitKind.ROUTINE,
                discipline=order.discipline,
                day=max(order.effective_from, horizon.start_on),
                minutes=order.visit_minutes,
                zone=horizon.zone,
            ),
            order=OrderFacts(
                discipline=order.discipline,
                status=order.status,
                effective_from=order.effective_from,
                effective_to=order.effective_to,
                order_id=order.id,
            ),
        ),
        Moment.CONFIRM,
        work.policy,
    )
    if finding is None:
        return None
    return {
        "order": order.id,
        "patient_id": order.patient_id,
        "discipline": order.discipline.value,
        "status": order.status.value,
        "code": finding.rule,
        "sentence": finding.sentence(),
        "cure": finding.cure_sentence(),
        "citation": finding.citation,
        "needed_by": None if order.needed_by is None else order.needed_by.isoformat(),
        "visits": sum(week["maximum"] for week in weeks),
        "weeks": weeks,
    }
