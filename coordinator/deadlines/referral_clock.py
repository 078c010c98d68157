"""The clocks of intake: what a referral lacks, the first visit in 48 hours, criteria that are lost, and admission."""

from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.db import UtcDateTime, fetch
from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines, end, open_deadline, open_rows
from coordinator.deadlines.model import Deadline
from coordinator.domain.events import (
    CriterionDetermined,
    PatientAdmitted,
    ReferralAccepted,
    ReferralChanged,
    ReferralDeclined,
    ReferralNotAdmitted,
    ReferralReceived,
    ReferralWithdrawn,
    VisitBooked,
    VisitCancelled,
    VisitMissed,
    VisitMoved,
)
from coordinator.domain.timeline import (
    HolidayCalendar,
    add_business_days,
    local_day,
)
from coordinator.domain.vocabulary import (
    DeadlineStatus,
    Determination,
    ReferralStatus,
    VisitKind,
    VisitStatus,
)
from coordinator.patients.model import Episode
from coordinator.referrals import service as referrals
from coordinator.referrals.content import due, facts_of
from coordinator.referrals.model import Referral
from coordinator.rules.referrals import ask_content
from coordinator.visits.model import Visit

REF_01, REF_02, LATE_SOC = "REF-01", "REF-02", "late_soc"
ELIGIBILITY = "ELG-00"
#: States in which a referral still asks for its first visit.
_OPEN = frozenset(
    {
        ReferralStatus.RECEIVED, ReferralStatus.SCREENING, ReferralStatus.PENDING_INFO, ReferralStatus.ACCEPTED,
        ReferralStatus.INITIAL_VISIT_BOOKED,
    }
)  # fmt: skip


def of_referral(referral_id: int) -> str:
    """The subject under which a referral's obligations stand."""
    return f"referral:{referral_id}"


# ------------------------------------------------------------------------------------ what a referral asks for


def on_referral_received(work: Work, event: ReferralReceived) -> None:
    """The 48 hours run (REF-02), and what is missing is asked for today (REF-01)."""
    _follow(work, fetch(work.session, Referral, event.referral_id, "referral"))


def on_referral_changed(work: Work, event: ReferralChanged) -> None:
    """What is missing and when the first visit is due are looked at again."""
    _follow(work, fetch(work.session, Referral, event.referral_id, "referral"))


def _follow(work: Work, referral: Referral) -> None:
    _content(work, referral)
    if not _held(work, referral):
        open_initial_visit(work, referral)


def follow_referrals(work: Work, branch_id: int) -> None:
    """No referral that is open is without its line, however it came in."""
    known = sa.select(Deadline.id).where(
        Deadline.rule == REF_02, Deadline.subject == sa.literal("referral:") + sa.cast(Referral.id, sa.String)
    )
    rows = work.session.execute(
        sa.select(Referral).where(Referral.branch_id == branch_id, Referral.status.in_(sorted(_OPEN)), ~known.exists())
    ).scalars()
    for referral in rows.all():
        _follow(work, referral)


def _content(work: Work, referral: Referral) -> None:
    subject, today = of_referral(referral.id), agency.today(work, referral.branch_id)
    finding = ask_content(facts_of(referral), today)
    if finding is None:
        close_deadlines(work, subject=subject, rule=REF_01, reason="complete")
        return
    standing = open_rows(work, subject=subject, rules=(REF_01,))
    missing = list(finding.facts["missing_fields"])  # type: ignore[call-overload]
    if standing:
        standing[0].facts = {**standing[0].facts, "missing": missing}
        return
    open_deadline(
        work, rule=REF_01, subject=subject, due_on=today, owner_role=finding.owner, branch_id=referral.branch_id,
        patient_id=referral.patient_id, task="complete-referral", missing=missing,
    )  # fmt: skip


def open_initial_visit(work: Work, referral: Referral) -> Deadline:
    """The one open REF-02 obligation is the one that holds now: the visit by its hour, or to ask for the discharge."""
    subject, zone = of_referral(referral.id), agency.zone_of(work, referral.branch_id)
    answer = due(referral, zone, work.policy)
    if answer.due_at is None:
        day, task, role = local_day(work.now, zone), "confirm-discharge", "intake"
    else:
        # An ordered day ends at midnight, which is already the next day.
        day, task, role = answer.on_day or local_day(answer.due_at, zone), "initial-visit", "scheduler"
    for row in open_rows(work, subject=subject, rules=(REF_02,)):
        if row.due_on != day:
            end(work, row, "due at another time", DeadlineStatus.SUPERSEDED)
    if answer.due_at is None or answer.due_at > work.now:
        close_deadlines(
            work, subject=subject, rule=LATE_SOC, reason="due at another time", status=DeadlineStatus.SUPERSEDED
        )
    return open_deadline(
        work, rule=REF_02, subject=subject, due_on=day, due_at=answer.due_at, owner_role=role,
        branch_id=referral.branch_id, patient_id=referral.patient_id, task=task,
        warn_at=answer.warn_at.isoformat() if answer.warn_at else None,
    )  # fmt: skip


def open_late_start(work: Work, referral: Referral, deadline: Deadline) -> None:
    """A first visit that was not held in time is an incident, to be recorded by the next business day. Care goes on."""
    open_deadline(
        work, rule=LATE_SOC, subject=deadline.subject,
        due_on=add_business_days(deadline.due_on, 1, HolidayCalendar.CA_STATE), owner_role="clinical_manager",
        branch_id=referral.branch_id, patient_id=referral.patient_id, task="late-initial-visit",
        was_due=deadline.due_at.isoformat() if deadline.due_at else None,
    )  # fmt: skip


def on_referral_accepted(work: Work, event: ReferralAccepted) -> None:
    """What is open about the referral is the patient's from now on."""
    for row in open_rows(work, subject=of_referral(event.referral_id)):
        row.patient_id = event.patient_id


def on_referral_closed(work: Work, event: ReferralDeclined | ReferralWithdrawn | ReferralNotAdmitted) -> None:
    """Nothing is owed for a referral that ended; an incident that happened stays to be recorded."""
    for row in _all_of(work, event.referral_id):
        if row.rule != LATE_SOC:
            end(work, row, "referral closed", DeadlineStatus.SUPERSEDED)


def _all_of(work: Work, referral_id: int) -> list[Deadline]:
    subject = of_referral(referral_id)
    query = sa.select(Deadline).where(
        sa.or_(Deadline.subject == subject, Deadline.subject.startswith(f"{subject}:", autoescape=True)),
        Deadline.status == DeadlineStatus.OPEN,
    )
    return list(work.session.execute(query.order_by(Deadline.id).with_for_update()).scalars())


# ------------------------------------------------------------------------------------ criteria


def on_criterion_determined(work: Work, event: CriterionDetermined) -> None:
    """A new answer ends the old review, and one that is met again the loss; a loss is opened by the table."""
    referral = fetch(work.session, Referral, event.referral_id, "referral")
    subject = f"{of_referral(referral.id)}:{event.criterion}"
    close_deadlines(work, subject=f"{subject}:review", rule=ELIGIBILITY, reason="answered again")
    if event.new == Determination.MET.value:
        close_deadlines(work, subject=subject, rule=ELIGIBILITY, reason="met again")


# ------------------------------------------------------------------------------------ the initial visit and admission


def _initial(work: Work, visit_id: int) -> tuple[Visit, Referral] | None:
    """The visit and its referral, if it is the initial visit of one."""
    found = work.session.execute(
        sa.select(Visit, Referral)
        .join(Episode, Episode.id == Visit.episode_id)
        .join(Referral, Referral.id == Episode.referral_id)
        .where(Visit.id == visit_id, Visit.kind == VisitKind.INITIAL)
    ).one_or_none()
    return (found[0], found[1]) if found else None


def _held(work: Work, referral: Referral) -> bool:
    """Whether the initial visit of the referral has been made."""
    query = (
        sa.select(Visit.id)
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            Episode.referral_id == referral.id,
            Visit.kind == VisitKind.INITIAL,
            Visit.status.in_([VisitStatus.COMPLETED, VisitStatus.NOTE_SIGNED, VisitStatus.VERIFIED]),
        )
    )
    return work.session.execute(query.limit(1)).scalar() is not None


def on_initial_visit(work: Work, event: VisitBooked | VisitMoved | VisitCancelled | VisitMissed) -> None:
    """The referral knows whether its initial visit is booked, however that came about."""
    found = _initial(work, event.visit_id)
    if found is not None:
        referrals.note_initial_visit(work, found[1].id, booked=found[0].status is VisitStatus.BOOKED)


def on_initial_visit_made(work: Work, visit: Visit) -> None:
    """The initial visit was held: its clock stops, and if it was late that is an incident."""
    found = _initial(work, visit.id)
    if found is not None:
        _settle(work, found[1], None)


def _settle(work: Work, referral: Referral, admitted_on: date | None) -> None:
    """Close the 48 hours by when the first visit began; by the day of admission where no visit of ours was it."""
    began = work.session.execute(
        sa.select(sa.func.min(Visit.actual_start_at, type_=UtcDateTime()))
        .join(Episode, Episode.id == Visit.episode_id)
        .where(
            Episode.referral_id == referral.id,
            Visit.kind == VisitKind.INITIAL,
            Visit.status != VisitStatus.ENTERED_IN_ERROR,
        )
    ).scalar()
    for row in open_rows(work, subject=of_referral(referral.id), rules=(REF_02,)):
        if row.due_at is None:
            late = False
        elif began is not None:
            late = began > row.due_at
        else:
            late = admitted_on is not None and admitted_on > row.due_on
        if late:
            open_late_start(work, referral, row)
        end(work, row, "held late" if late else "held")


def on_patient_admitted(work: Work, event: PatientAdmitted) -> None:
    """Admission ends the 48 hours; what it begins is in the table."""
    episode = fetch(work.session, Episode, event.episode_id, "episode")
    if episode.referral_id is not None:
        _settle(work, fetch(work.session, Referral, episode.referral_id, "referral"), event.soc_date)
