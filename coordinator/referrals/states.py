"""Where a referral stands and what it may become (REF-03), and the episode that came of it."""

from typing import NoReturn

import sqlalchemy as sa

from coordinator.core.errors import Conflict
from coordinator.core.work import Work
from coordinator.domain.lifecycle import REFERRAL, may_become
from coordinator.domain.vocabulary import ReferralStatus
from coordinator.patients.model import Episode
from coordinator.referrals.model import Referral

#: Not yet decided.
OPEN = frozenset({ReferralStatus.RECEIVED, ReferralStatus.SCREENING, ReferralStatus.PENDING_INFO})
#: Accepted, and the initial visit has not led to admission yet: its clock may still be set.
AWAITING_VISIT = frozenset({ReferralStatus.ACCEPTED, ReferralStatus.INITIAL_VISIT_BOOKED})
#: The person is a patient.
IN_CARE = frozenset({ReferralStatus.ACCEPTED, ReferralStatus.INITIAL_VISIT_BOOKED, ReferralStatus.ADMITTED})


def episode_of(work: Work, referral: Referral) -> Episode | None:
    """The latest episode of care that came of the referral."""
    return work.session.execute(
        sa.select(Episode).where(Episode.referral_id == referral.id).order_by(Episode.id.desc()).limit(1)
    ).scalar()


def move(referral: Referral, status: ReferralStatus) -> None:
    """The referral has that status, or a Conflict says why it cannot."""
    if referral.status is status:
        return
    if not may_become(REFERRAL, referral.status, status):
        refuse_move(referral, status)
    referral.status = status


def refuse_move(referral: Referral, status: ReferralStatus) -> NoReturn:
    """Say that a referral in its state cannot take that step."""
    raise Conflict(
        f"A referral that is {referral.status.value.replace('_', ' ')} cannot become {status.value.replace('_', ' ')}.",
        code="referral-state",
        status_now=referral.status.value,
    )
