"""What a thing may become: the one table of transitions for visits, orders and referrals (VIS-04, ORD-08, REF-03)."""

from coordinator.domain.vocabulary import CertificationStatus
from coordinator.domain.vocabulary import OrderStatus as O
from coordinator.domain.vocabulary import ReferralStatus as R
from coordinator.domain.vocabulary import VisitStatus as V

#: A visit in one of these holds its clinician's and its patient's time: the database lets no two overlap.
LIVE_VISIT = frozenset(
    {V.PENDING, V.BOOKED, V.EN_ROUTE, V.ARRIVED, V.IN_PROGRESS, V.COMPLETED, V.NOTE_SIGNED, V.VERIFIED}
)
#: Counted as `planned` in the ledger.
PLANNED_VISIT = frozenset({V.PENDING, V.BOOKED, V.EN_ROUTE, V.ARRIVED, V.IN_PROGRESS})
#: Counted as `done` in the ledger.
DONE_VISIT = frozenset({V.COMPLETED, V.NOTE_SIGNED, V.VERIFIED})
#: Counted as `owed` in the ledger: still to be given, on hold, or missed and not yet decided.
OWED_VISIT = frozenset({V.PROPOSED, V.ON_HOLD, V.MISSED, V.NO_SHOW})
#: What has begun cannot be moved by anybody.
BEGUN_VISIT = frozenset({V.EN_ROUTE, V.ARRIVED, V.IN_PROGRESS}) | DONE_VISIT

VISIT: dict[V, frozenset[V]] = {
    V.PROPOSED: frozenset({V.PENDING, V.BOOKED, V.CANCELLED, V.MISSED, V.ON_HOLD, V.ENTERED_IN_ERROR}),
    V.PENDING: frozenset({V.PROPOSED, V.PENDING, V.BOOKED, V.CANCELLED, V.MISSED, V.ON_HOLD, V.ENTERED_IN_ERROR}),
    V.BOOKED: frozenset(
        {
            V.PROPOSED, V.BOOKED, V.EN_ROUTE, V.ARRIVED, V.IN_PROGRESS, V.CANCELLED, V.MISSED, V.NO_SHOW, V.ON_HOLD,
            V.ENTERED_IN_ERROR,
        }
    ),
    V.EN_ROUTE: frozenset({V.ARRIVED, V.IN_PROGRESS, V.BOOKED, V.MISSED, V.NO_SHOW}),
    V.ARRIVED: frozenset({V.IN_PROGRESS, V.MISSED, V.NO_SHOW}),
    V.IN_PROGRESS: frozenset({V.COMPLETED, V.ENTERED_IN_ERROR}),
    V.COMPLETED: frozenset({V.NOTE_SIGNED, V.ENTERED_IN_ERROR}),
    V.NOTE_SIGNED: frozenset({V.VERIFIED, V.ENTERED_IN_ERROR}),
    V.VERIFIED: frozenset({V.ENTERED_IN_ERROR}),
    V.ON_HOLD: frozenset({V.PROPOSED, V.CANCELLED, V.MISSED}),
    V.CANCELLED: frozenset(),
    V.MISSED: frozenset(),
    V.NO_SHOW: frozenset(),
    V.ENTERED_IN_ERROR: frozenset(),
}  # fmt: skip

#: An order under which care may be given (ORD-01).
LIVE_ORDER = frozenset({O.ACTIVE_VERBAL, O.ACTIVE_SIGNED})
#: An order that may still be edited, because nobody has put their name to it.
EDITABLE_ORDER = frozenset({O.DRAFT})
#: An order whose text a practitioner can be asked to sign now. A verbal order stays live while it waits.
SIGNABLE_ORDER = frozenset({O.SENT_FOR_SIGNATURE, O.ACTIVE_VERBAL})

#: A certification that says something: neither withdrawn nor superseded.
STANDING_CERTIFICATION = frozenset(
    {CertificationStatus.DRAFT, CertificationStatus.SENT_FOR_SIGNATURE, CertificationStatus.SIGNED}
)

ORDER: dict[O, frozenset[O]] = {
    O.DRAFT: frozenset({O.VERBAL_RECEIVED, O.SENT_FOR_SIGNATURE, O.VOID}),
    O.VERBAL_RECEIVED: frozenset({O.ACTIVE_VERBAL, O.VOID}),
    O.ACTIVE_VERBAL: frozenset(
        {O.ACTIVE_SIGNED, O.DECLINED, O.SUPERSEDED, O.DISCONTINUED, O.EXPIRED, O.COMPLETED, O.VOID}
    ),
    O.SENT_FOR_SIGNATURE: frozenset({O.ACTIVE_SIGNED, O.DECLINED, O.DRAFT, O.EXPIRED, O.VOID}),
    O.ACTIVE_SIGNED: frozenset({O.SUPERSEDED, O.DISCONTINUED, O.EXPIRED, O.COMPLETED, O.VOID}),
    O.DECLINED: frozenset(),
    O.SUPERSEDED: frozenset(),
    O.DISCONTINUED: frozenset(),
    O.EXPIRED: frozenset(),
    O.COMPLETED: frozenset(),
    O.VOID: frozenset(),
}

REFERRAL: dict[R, frozenset[R]] = {
    R.RECEIVED: frozenset({R.SCREENING, R.PENDING_INFO, R.ACCEPTED, R.DECLINED, R.WITHDRAWN}),
    R.SCREENING: frozenset({R.PENDING_INFO, R.ACCEPTED, R.DECLINED, R.WITHDRAWN}),
    R.PENDING_INFO: frozenset({R.SCREENING, R.ACCEPTED, R.DECLINED, R.WITHDRAWN}),
    R.ACCEPTED: frozenset({R.INITIAL_VISIT_BOOKED, R.ADMITTED, R.NOT_ADMITTED, R.WITHDRAWN}),
    R.INITIAL_VISIT_BOOKED: frozenset({R.ACCEPTED, R.ADMITTED, R.NOT_ADMITTED, R.WITHDRAWN}),
    R.DECLINED: frozenset(),
    R.ADMITTED: frozenset(),
    R.NOT_ADMITTED: frozenset(),
    R.WITHDRAWN: frozenset(),
}


def may_become(table: dict, old: object, new: object) -> bool:  # type: ignore[type-arg]
    """Whether `table` lets a thing in state `old` go to state `new`."""
    return new in table[old]
