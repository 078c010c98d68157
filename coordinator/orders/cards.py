"""An order in the words of a person: the plain line, what changed since the last signed one, and the text signed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from coordinator.access.model import User
from coordinator.core.work import Work, permitted
from coordinator.domain.frequency import Frequency, Prn, Segment, Unit
from coordinator.domain.vocabulary import OrderStatus
from coordinator.orders.facts import frequency_of
from coordinator.orders.model import Order
from coordinator.orders.queries import awaits_signature, last_signed, names, visible_order
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {Unit.DAY: "day", Unit.WEEK: "week", Unit.MONTH: "month"}
#: What a practitioner puts a name to, in the order of the signed text; the database refuses to change it afterwards.
SIGNED_FIELDS = (
    "discipline", "frequency", "frequency_text", "evaluate_and_treat", "effective_from", "effective_to",
    "visit_minutes", "visits_per_day", "two_person", "treatments", "required_skills", "goals_text", "prn_limit",
    "prn_signs", "taper_plan", "daily_nursing_ends_on", "daily_insulin",
)  # fmt: skip
#: What a difference is shown of; how the notation was typed is none.
_COMPARED = tuple(name for name in SIGNED_FIELDS if name not in ("discipline", "frequency_text"))


# ------------------------------------------------------------------------------------ in plain words


def plain_line(order: Order, *, clinical: bool = True) -> str:
    """`PT 2 visits a week for 4 weeks, from 24 Nov`; without symptoms unless the reader may know them."""
    begins = f"from {order.effective_from.day} {_MONTHS[order.effective_from.month - 1]}"
    frequency = frequency_of(order)
    if order.evaluate_and_treat:
        what = "one evaluation visit"
    elif frequency is None:
        what = "no frequency yet"
    else:
        what = plain_frequency(frequency, clinical=clinical)
    return f"{order.discipline} {what}, {begins}"


def plain_frequency(frequency: Frequency, *, clinical: bool = True) -> str:
    """`3 visits a week for 2 weeks, then 1 visit a week for 4 weeks, and up to 2 as-needed visits for dyspnea`."""
    scheduled = ", then ".join(_plain_segment(segment) for segment in frequency.segments)
    needed = ", ".join(_plain_prn(line, clinical) for line in frequency.prn)
    return ", and ".join(part for part in (scheduled, needed) if part)


def _plain_segment(segment: Segment) -> str:
    unit = _UNITS[segment.unit]
    count = str(segment.maximum) if segment.minimum == segment.maximum else f"{segment.minimum} to {segment.maximum}"
    visits = "visit" if segment.maximum == 1 else "visits"
    each = f"a {unit}" if segment.every == 1 else f"every {segment.every} {unit}s"
    length = f"{segment.duration} {unit}{'' if segment.duration == 1 else 's'}"
    return f"{count} {visits} {each} for {length}"


def _plain_prn(line: Prn, clinical: bool) -> str:
    visits = "visit" if line.limit == 1 else "visits"
    return f"up to {line.limit} as-needed {visits}" + (f" for {line.reason}" if clinical else "")


def notation(order: Order, *, clinical: bool = True) -> str | None:
    """The canonical notation; for readers of the office without the symptoms of its as-needed lines."""
    frequency = frequency_of(order)
    if frequency is None or clinical or not frequency.prn:
        return order.frequency
    scheduled = replace(frequency, prn=()).render()
    return ", ".join(part for part in (scheduled, *(f"{line.limit} PRN" for line in frequency.prn)) if part)


# ------------------------------------------------------------------------------------ what is signed


def signed_text(order: Order) -> str:
    """Everything that a signature covers, one item a line, the same for the same content for ever.

    A value's own lines are indented, so that no value can be read as another item.
    """
    lines = [
        f"order {order.id}",
        f"patient {order.patient_id}, episode {order.episode_id}, certification period {order.certification_number}",
        f"practitioner {order.physician_id}",
    ]
    for name in SIGNED_FIELDS:
        value = _written(getattr(order, name))
        lines += [f"{name}:", *(f"  {line}" for line in value)]
    if order.verbal_received_at is not None:
        lines.append(f"received by word of mouth at {order.verbal_received_at.isoformat()}")
    return "\n".join(lines) + "\n"


def _written(value: Any) -> list[str]:
    if value is None:
        return ["-"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list):
        return [f"* {line}" if at == 0 else f"  {line}" for item in value for at, line in enumerate(_lines(str(item)))]
    return [f"= {line}" for line in _lines(str(value))]


def _lines(text: str) -> list[str]:
    return text.split("\n")


def content_hash(order: Order) -> str:
    """SHA-256 of the signed text, in hexadecimal."""
    return hashlib.sha256(signed_text(order).encode()).hexdigest()


# ------------------------------------------------------------------------------------ cards


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs from the last signed order of the discipline."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Card:
    """An order that can be read in a minute."""

    order: Order
    patient: Patient
    plain: str
    #: The last signed order of the discipline, and its plain line.
    previous_id: int | None
    previous: str | None
    previous_order: Order | None
    changes: tuple[Change, ...]
    #: Who wrote the order, and who took it by word of mouth.
    asked_by: str | None
    received_by: str | None
    version: int
    content_hash: str
    #: The physician has read exactly this version.
    reviewed: bool
    #: Visits cannot be confirmed before this is signed.
    holds_visits: bool
    awaits_signature: bool
    #: The practitioner whose order it is, where whoever reads the queue stands in for them.
    covering_for: int | None = None


def compare(before: Order, after: Order) -> tuple[Change, ...]:
    """What differs, field by field."""
    return tuple(
        Change(name, getattr(before, name), getattr(after, name))
        for name in _COMPARED
        if getattr(before, name) != getattr(after, name)
    )


def cards(work: Work, orders: Iterable[Order]) -> list[Card]:
    """A card for each order, in the same sequence and in few queries. Not audited: see `card` and the queue."""
    orders = list(orders)
    signed = last_signed(work, ((order.patient_id, order.discipline) for order in orders))
    patients = names(work, Patient, (order.patient_id for order in orders))
    users = names(work, User, (order.drafted_by_id for order in orders))
    clinicians = names(work, Clinician, (order.verbal_received_by_id for order in orders))
    made = []
    for order in orders:
        previous = next(
            (
                other
                for other in signed.get((order.patient_id, order.discipline), ())
                if other.id != order.id
                and (order.signed_at is None or (other.signed_at is not None and other.signed_at < order.signed_at))
            ),
            None,
        )
        author, receiver = users.get(order.drafted_by_id or 0), clinicians.get(order.verbal_received_by_id or 0)
        made.append(
            Card(
                order=order,
                patient=patients[order.patient_id],
                plain=plain_line(order),
                previous_id=previous.id if previous else None,
                previous=plain_line(previous) if previous else None,
                previous_order=previous,
                changes=compare(previous, order) if previous else (),
                asked_by=author.display_name if author else None,
                received_by=f"{receiver.given_name} {receiver.family_name}, {receiver.performer}" if receiver else None,
                version=order.version,
                content_hash=content_hash(order),
                reviewed=order.reviewed_version == order.version,
                holds_visits=order.status is OrderStatus.SENT_FOR_SIGNATURE,
                awaits_signature=awaits_signature(order),
            )
        )
    return made


@permitted("plan:read")
def card(work: Work, order_id: int) -> Card:
    """The order's card."""
    order = visible_order(work, order_id)
    work.record("order.read", f"order:{order.id}", patient_id=order.patient_id)
    return cards(work, [order])[0]
