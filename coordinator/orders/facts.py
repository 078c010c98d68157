"""An order as the rules see it: once for becoming live, once for a visit under it, once for signing."""

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from coordinator.access.model import User
from coordinator.core.work import Work
from coordinator.domain.frequency import Frequency, implied_daily_run, parse
from coordinator.domain.frequency import OrderWeek as Window
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import certification_period, certification_period_of
from coordinator.domain.vocabulary import Discipline, Eligibility, OrderStatus, Performer
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import ENDED_ORDER, LAST_DAY, last_day
from coordinator.patients.model import Episode
from coordinator.rules.facts import (
    ActivationFacts,
    OrderFacts,
    OrderWeekFacts,
    PrnFacts,
    SigningFacts,
    VerbalReceipt,
)
from coordinator.staff.model import Clinician, Physician

#: Therapies, and whose evaluation their assistants work from (ORD-09).
_THERAPIST = {Discipline.PT: Performer.PT, Discipline.OT: Performer.OT, Discipline.SLP: Performer.SLP}


def frequency_of(order: Order) -> Frequency | None:
    """The order's frequency, read from its canonical text; None for evaluate-and-treat or while it is not written."""
    return None if order.frequency is None else parse(order.frequency)


def certification_of(episode: Episode, day: date) -> tuple[int, date | None]:
    """Number and last day of the certification period that holds `day`; (1, None) while care has not started."""
    if episode.soc_date is None:
        return 1, None
    number = 1 if day < episode.soc_date else certification_period_of(episode.soc_date, day)
    return number, certification_period(episode.soc_date, number).last


# ------------------------------------------------------------------------------------ a visit under the order


def order_facts(
    order: Order,
    week: OrderWeek | None,
    *,
    used: int = 0,
    used_on_day: int = 0,
    prn_used: int = 0,
    evaluation_used: bool = False,
    evaluation_complete: bool = False,
    goals_by_therapist: bool = False,
) -> OrderFacts:
    """The order that a visit would be made under, with what other visits use of it.

    An evaluate-and-treat order has a week row for the ledger and none for the rules: one evaluation is all (ORD-03).
    """
    weekly = None
    if week is not None and not order.evaluate_and_treat:
        weekly = OrderWeekFacts(
            index=week.number,
            starts_on=week.starts_on,
            ends_on=week.ends_on,
            minimum=week.minimum,
            maximum=week.maximum,
            used=used,
            used_on_day=used_on_day,
            per_day=order.visits_per_day,
        )
    return OrderFacts(
        discipline=order.discipline,
        status=order.status,
        effective_from=order.effective_from,
        effective_to=last_day(order),
        certification_number=order.certification_number,
        order_id=order.id,
        week=weekly,
        prn=PrnFacts(order.prn_limit, prn_used, order.prn_signs or "") if order.prn_limit else None,
        evaluate_and_treat=order.evaluate_and_treat,
        evaluation_used=evaluation_used,
        evaluation_complete=evaluation_complete,
        goals_set_by_therapist=goals_by_therapist,
        required_skills=frozenset(order.required_skills),
        received_at=order.verbal_received_at,
    )


def goals_set_by_therapist(work: Work, orders: Iterable[Order]) -> dict[int, bool]:
    """For each order, whether a therapist of its discipline wrote it or took it by word of mouth (ORD-09)."""
    orders = list(orders)
    users = sorted({order.drafted_by_id for order in orders if order.drafted_by_id is not None})
    clinician_of: dict[int, int | None] = {
        row.id: row.clinician_id
        for row in work.session.execute(sa.select(User.id, User.clinician_id).where(User.id.in_(users)))
    }
    involved: dict[int, set[int]] = {
        order.id: {
            key
            for key in (
                clinician_of.get(order.drafted_by_id or 0),
                order.verbal_received_by_id,
                order.responsible_clinician_id,
            )
            if key is not None
        }
        for order in orders
    }
    performers: dict[int, Performer] = {
        row.id: row.performer
        for row in work.session.execute(
            sa.select(Clinician.id, Clinician.performer).where(
                Clinician.id.in_(sorted(set().union(*involved.values())))
            )
        )
    }
    return {
        order.id: order.discipline in _THERAPIST
        and any(performers.get(key) is _THERAPIST[order.discipline] for key in involved[order.id])
        for order in orders
    }


# ------------------------------------------------------------------------------------ becoming live


def verbal_receipt(work: Work, order: Order, *, signed_at: datetime | None = None) -> VerbalReceipt | None:
    """How the verbal order was taken; `signed_at` stands for the responsible clinician's signature if it is not there.

    The signature of whoever is responsible for the service is what dates and times the receipt; being asked for it is
    how they are told of an order that the office took.
    """
    if order.verbal_received_at is None:
        return None
    performers = {
        row.id: row.performer
        for row in work.session.execute(
            sa.select(Clinician.id, Clinician.performer).where(
                Clinician.id.in_([order.verbal_received_by_id or 0, order.responsible_clinician_id or 0])
            )
        )
    }
    signed = order.responsible_signed_at or signed_at
    return VerbalReceipt(
        received_at=order.verbal_received_at,
        received_by=performers.get(order.verbal_received_by_id or 0),
        receiver_signed_at=signed,
        read_back=order.verbal_read_back,
        responsible=performers.get(order.responsible_clinician_id or 0),
        responsible_notified_at=signed,
        responsible_signed_at=signed,
    )


def activation_facts(
    work: Work,
    order: Order,
    episode: Episode,
    *,
    overlapping: Order | None,
    daily: Iterable[Window],
    verbal: VerbalReceipt | None = None,
) -> ActivationFacts:
    """An order that is about to become live. `daily` are the weeks it would have."""
    physician = work.session.get(Physician, order.physician_id)
    _, certification_end = certification_of(episode, order.effective_from)
    return ActivationFacts(
        programme=episode.programme,
        payer=episode.payer,
        discipline=order.discipline,
        orderer_type=physician.practitioner_type if physician else None,
        frequency=frequency_of(order),
        effective_from=order.effective_from,
        effective_to=order.effective_to,
        certification_end=certification_end,
        treatments=tuple(order.treatments),
        duties=tuple(order.treatments) if order.discipline is Discipline.HHA else (),
        goals_linked=bool((order.goals_text or "").strip()),
        evaluate_and_treat=order.evaluate_and_treat,
        verbal=verbal,
        eligibility=Eligibility(episode.eligibility),
        admitted=episode.soc_date is not None,
        taper_plan=bool((order.taper_plan or "").strip()),
        overlapping_order_id=overlapping.id if overlapping else None,
        daily_run=implied_daily_run(daily),
        daily_nursing_ends_on=order.daily_nursing_ends_on,
        daily_insulin=order.daily_insulin,
        other_qualifying_service=_therapy_qualifies(work, order),
        order_id=order.id,
    )


def _therapy_qualifies(work: Work, order: Order) -> bool:
    """Whether a live therapy order over these days qualifies the patient besides nursing (INT-02)."""
    found = work.session.execute(
        sa.select(Order.id)
        .where(
            Order.patient_id == order.patient_id,
            Order.discipline.in_((Discipline.PT, Discipline.SLP, Discipline.OT)),
            Order.evaluate_and_treat.is_(False),
            Order.status.in_(sorted(LIVE_ORDER)),
            Order.effective_from <= order.effective_to,
            order.effective_from <= LAST_DAY,
        )
        .limit(1)
    )
    return found.scalar() is not None


# ------------------------------------------------------------------------------------ signing


def signing_facts(
    order: Order, episode: Episode, signer: Physician, *, opened: bool, covering: bool = False
) -> SigningFacts:
    """A practitioner about to sign. A verbal order whose days are over is signed as what it was while they ran."""
    return SigningFacts(
        programme=episode.programme,
        payer=episode.payer,
        discipline=order.discipline,
        status=OrderStatus.ACTIVE_VERBAL if order.status in ENDED_ORDER else order.status,
        practitioner_id=order.physician_id,
        signer_id=signer.id,
        signer_type=signer.practitioner_type,
        covering=covering,
        opened=opened,
        order_id=order.id,
    )
