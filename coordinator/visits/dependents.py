"""Whether what qualifies a patient is still ordered (QUAL-01, QUAL-02): at admission, and when a service ends."""

from collections.abc import Iterable

import sqlalchemy as sa

from coordinator.core.work import Work
from coordinator.domain.events import DisciplineDischarged, OrderEnded
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER
from coordinator.domain.vocabulary import DEPENDENT, QUALIFYING, Discipline
from coordinator.orders.model import Order
from coordinator.patients.model import Episode
from coordinator.rules.qualifying import ask_dependent, ask_qualifying_service
from coordinator.rules.terms import Finding
from coordinator.visits import cases, units
from coordinator.visits.model import Visit

#: The treatment that alone makes no skilled need (42 CFR 409.42(c)(1)).
_VENIPUNCTURE = "venipuncture"
_DEPENDENT_RULE = "QUAL-02"


def ask_qualified(work: Work, episode: Episode, disciplines: Iterable[Discipline]) -> Finding | None:
    """What the rule says of an episode for which these disciplines are ordered."""
    ordered = frozenset(disciplines)
    nursing = [
        row.treatments
        for row in work.session.execute(
            sa.select(Order.treatments).where(
                Order.episode_id == episode.id, Order.discipline == Discipline.SN, Order.status.in_(LIVE_ORDER)
            )
        )
    ]
    return ask_qualifying_service(
        ordered,
        episode.programme,
        episode.payer,
        work.policy,
        ot_continuing=_established(work, episode),
        venipuncture_only=bool(nursing) and all(_only_venipuncture(treatments) for treatments in nursing),
    )


def _established(work: Work, episode: Episode) -> bool:
    """Whether nursing, PT or SLP has been given in this episode, so that OT continues what they established."""
    query = sa.select(Visit.id).where(
        Visit.episode_id == episode.id,
        Visit.discipline.in_(QUALIFYING),
        Visit.status.in_(DONE_VISIT),
        # What begins care does not establish it: that is the question.
        Visit.order_id.is_not(None),
    )
    return work.session.scalar(query.limit(1)) is not None


def _only_venipuncture(treatments: Iterable[str]) -> bool:
    named = [treatment.strip().casefold() for treatment in treatments]
    return bool(named) and all(treatment == _VENIPUNCTURE for treatment in named)


def on_order_ended(work: Work, event: OrderEnded) -> None:
    """When nothing that is ordered qualifies the patient any more, planned dependent visits say so."""
    order = work.session.get_one(Order, event.order_id)
    episode = work.session.get_one(Episode, order.episode_id)
    if episode.discharged_on is not None or order.discipline in DEPENDENT:
        return
    live = set(
        work.session.scalars(
            sa.select(Order.discipline).where(
                Order.episode_id == episode.id, Order.status.in_(LIVE_ORDER), Order.id != order.id
            )
        )
    )
    finding = ask_qualified(work, episode, live)
    if finding is None or not live:
        return
    rows = work.session.scalars(
        sa.select(Visit)
        .where(
            Visit.episode_id == episode.id,
            Visit.discipline.in_(DEPENDENT),
            Visit.is_current,
            Visit.status.in_(units.AHEAD),
        )
        .order_by(Visit.id)
        .with_for_update(key_share=True)
    )
    marked = 0
    for visit in rows.all():
        if finding.rule not in visit.warnings:
            visit.warnings, marked = sorted({*visit.warnings, finding.rule}), marked + 1
    work.record("episode.unqualified", f"episode:{episode.id}", patient_id=episode.patient_id, visits=marked)


def on_discipline_discharged(work: Work, event: DisciplineDischarged) -> None:
    """Every placed visit ahead that no skilled visit carries any more shows QUAL-02; one that is carried does not.

    Nothing is cancelled: a person decides, and publication and check-in ask again.
    """
    work.session.flush()  # the order that ended is asked about as ended
    visits = list(
        work.session.scalars(
            sa.select(Visit)
            .where(Visit.episode_id == event.episode_id, Visit.is_current, Visit.status.in_(units.AHEAD))
            .order_by(Visit.id)
            .with_for_update(key_share=True),
            execution_options={"populate_existing": True},
        )
    )
    if not visits:
        return
    book = cases.load(work, visits)
    for visit in visits:
        others = [rule for rule in visit.warnings if rule != _DEPENDENT_RULE]
        finding = ask_dependent(book.case(visit), work.policy)
        shown = sorted({*others, _DEPENDENT_RULE}) if finding is not None else others
        if shown != visit.warnings:
            visit.warnings = shown
            work.record("visit.asked-again", f"visit:{visit.id}", patient_id=visit.patient_id, warnings=shown)
    work.session.flush()  # whoever answers next sees what is shown
