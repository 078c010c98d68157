"""What visits, aides, therapy, notes, orders and licences owe, and by when: pure (SUP, THX, INT, VIS, ORD, CRD)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from coordinator.deadlines.cases import Ahead, AideCare, Answer, Concern, Licence, Line, Note, Run, Stay, Therapy
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import OrderStatus
from coordinator.rules.aides import supervision_due
from coordinator.rules.eligibility import criterion_lost
from coordinator.rules.facts import SupervisionFacts
from coordinator.rules.intermittent import aide_review_due
from coordinator.rules.notes import note_due, note_limit
from coordinator.rules.orders import countersignature_due
from coordinator.rules.staffing import credential_reminders
from coordinator.rules.supervision import ask_concern
from coordinator.rules.therapy import reassessment_due

#: Days before a visit waits for the signature at which the signature is asked for once more.
NEEDED_SOON = timedelta(days=2)
_SUCCEEDS = LIVE_ORDER | {OrderStatus.SENT_FOR_SIGNATURE}


def of_patient(patient_id: int) -> str:
    """The subject under which a patient's obligations stand."""
    return f"patient:{patient_id}"


def of_order(order_id: int) -> str:
    """The subject under which an order's obligations stand."""
    return f"order:{order_id}"


# ------------------------------------------------------------------------------------ aides


def supervision(care: AideCare, asked: Asked) -> Iterator[Owed]:
    """SUP-01: fourteen days from the first aide visit, or from the last supervision, beside a skilled service."""
    if care.skilled:
        yield from _supervision(care, asked)


def unskilled_supervision(care: AideCare, asked: Asked) -> Iterator[Owed]:
    """SUP-04: sixty days where the aide is the only service."""
    if not care.skilled:
        yield from _supervision(care, asked)


def _supervision(care: AideCare, asked: Asked) -> Iterator[Owed]:
    if care.first_on is None:
        return
    facts = SupervisionFacts(
        last_on=care.supervised_on, first_aide_visit_on=care.first_on, skilled_service=care.skilled
    )
    due_on = supervision_due(facts, asked.policy)
    assert due_on is not None
    settings = asked.policy.on(care.supervised_on or care.first_on).aides
    ahead = timedelta(days=settings.supervision_days - settings.supervision_warning_days)
    yield Owed(
        of_patient(care.patient_id), due_on, care.patient_id, remind_on=(due_on - ahead,),
        counted_from=care.supervised_on, facts={"since": care.first_on.isoformat()},
    )  # fmt: skip


def observation(concern: Concern, asked: Asked) -> Iterator[Owed]:
    """SUP-02: a concern is looked into in the home within three days."""
    due_on = ask_concern(concern.noted_on, asked.policy).due
    assert isinstance(due_on, date)
    yield Owed(f"supervision:{concern.id}", due_on, concern.patient_id)


def aide_review(care: AideCare, asked: Asked) -> Iterator[Owed]:
    """INT-03: on day 45 of aide care the team reviews whether it goes on past sixty days."""
    if care.first_on is not None:
        due_on = aide_review_due(care.first_on, asked.policy)
        opens_on = due_on - timedelta(days=14)
        yield Owed(
            f"{of_patient(care.patient_id)}:aide", due_on, care.patient_id, opens_on=opens_on, remind_on=(opens_on,)
        )


# ------------------------------------------------------------------------------------ therapy, nursing


def reassessment(therapy: Therapy, asked: Asked) -> Iterator[Owed]:
    """THX-01: the therapist reassesses within thirty days; certification and hospital pause nothing."""
    if therapy.last_on is None:
        return
    due_on = reassessment_due(therapy.last_on, asked.policy)
    warn_on = due_on - timedelta(days=asked.policy.on(therapy.last_on).therapy.reassessment_warning_days)
    patient_id = therapy.stay.patient_id
    yield Owed(
        f"{of_patient(patient_id)}:{therapy.discipline}", due_on, patient_id, remind_on=(warn_on,),
        counted_from=therapy.last_on, facts={"discipline": therapy.discipline.value},
    )  # fmt: skip


def daily_nursing(run: Run, asked: Asked) -> Iterator[Owed]:
    """INT-02: from day 18 of daily nursing it is settled, by day 21, when it ends."""
    settings = asked.policy.on(run.first_on).intermittent
    if run.excused:
        return
    due_on = run.first_on + timedelta(days=settings.daily_run_days - 1)
    opens_on = run.first_on + timedelta(days=settings.daily_run_task_day - 1)
    subject, since = f"{of_patient(run.patient_id)}:nursing", run.first_on.isoformat()
    yield Owed(subject, due_on, run.patient_id, opens_on=opens_on, facts={"since": since})


# ------------------------------------------------------------------------------------ notes


def note(made: Note, asked: Asked) -> Iterator[Owed]:
    """VIS-03: the note is signed 24 hours after the visit, 48 after one at the weekend."""
    due_at = note_due(made.made_at, asked.zone, asked.policy)
    yield Owed(
        f"visit:{made.id}", local_day(due_at, asked.zone), made.patient_id, due_at=due_at,
        facts={"discipline": made.discipline.value},
    )  # fmt: skip


def late_note(made: Note, asked: Asked) -> Iterator[Owed]:
    """VIS-03: seven working days after the visit an unsigned note is an incident (22 CCR 74735(a)(5))."""
    due_on = note_limit(local_day(made.made_at, asked.zone), asked.policy)
    yield Owed(
        f"visit:{made.id}:incident",
        due_on,
        made.patient_id,
        opens_on=due_on,
        facts={"discipline": made.discipline.value},
    )


# ------------------------------------------------------------------------------------ orders


def countersignature(line: Line, asked: Asked) -> Iterator[Owed]:
    """ORD-06: thirty working days from when the order was taken or sent; reminded on days 7, 14 and 21."""
    since = line.verbal_at or line.sent_at
    if since is None or not (line.awaits or line.signed):
        return
    answer = countersignature_due(local_day(since, asked.zone), asked.policy)
    reminders = set(answer.reminders)
    if line.needed_by is not None:
        reminders.add(line.needed_by - NEEDED_SOON)
    yield Owed(
        of_order(line.id), answer.due_on, line.patient_id, remind_on=sorted(reminders),
        met="signed" if line.signed else None,
        facts={"how": "written" if line.verbal_at is None else "verbal", "physician": line.physician_id},
    )  # fmt: skip


def verbal_receipt(line: Line, asked: Asked) -> Iterator[Owed]:
    """ORD-05: who answers for a verbal order signs its receipt within a day."""
    if line.verbal_at is None or (line.status is not OrderStatus.VERBAL_RECEIVED and not line.receipt_signed):
        return
    policy = asked.policy.on(local_day(line.verbal_at, asked.zone))
    due_at: datetime = line.verbal_at + timedelta(hours=policy.orders.verbal_signature_hours)
    yield Owed(
        of_order(line.id), local_day(due_at, asked.zone), line.patient_id, due_at=due_at,
        met="signed" if line.receipt_signed else None,
    )  # fmt: skip


def renewal(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """ORD-01: an order that ends without a successor is brought up fourteen, seven and two days before."""
    days = asked.policy.deadlines.renewal_reminder_days
    for line in stay.lines:
        if not line.live or line.ended_on is not None or line.evaluate_and_treat or stay.discharged_on is not None:
            continue
        succeeded = any(
            other.discipline is line.discipline
            and other.id != line.id
            and other.status in _SUCCEEDS
            and other.effective_to > line.effective_to
            for other in stay.lines
        )
        reminders = sorted(line.effective_to - timedelta(days=ahead) for ahead in days)
        yield Owed(
            of_order(line.id), line.effective_to, line.patient_id, opens_on=reminders[0], remind_on=reminders,
            met="renewed" if succeeded else None,
            facts={"discipline": line.discipline.value, "ends_on": line.effective_to.isoformat()},
        )  # fmt: skip


def written_schedule(ahead: Ahead, asked: Asked) -> Iterator[Owed]:
    """VIS-05: the patient has the new schedule at the first visit under the order, at the latest a week after it."""
    stay = ahead.stay
    if stay.discharged_on is not None:
        return
    for line in stay.lines:
        if line.live and not line.evaluate_and_treat and asked.today <= line.last:
            latest = min(line.effective_from + timedelta(days=6), line.last)
            due_on = min(ahead.first_on.get(line.id, latest), latest)
            yield Owed(
                f"{of_order(line.id)}:schedule", due_on, line.patient_id, facts={"discipline": line.discipline.value}
            )


# ------------------------------------------------------------------------------------ criteria


def lost_criterion(answer: Answer, asked: Asked) -> Iterator[Owed]:
    """ELG-00: a criterion that is met no more is the clinical manager's by the next business day."""
    if answer.lost:
        due = criterion_lost(answer.criterion, local_day(answer.answered_at, asked.zone), asked.policy).due
        assert isinstance(due, date)
        yield Owed(
            f"referral:{answer.referral_id}:{answer.criterion}", due, answer.patient_id,
            facts={"criterion": answer.criterion.value},
        )  # fmt: skip


def criterion_review(answer: Answer, asked: Asked) -> Iterator[Owed]:
    """ELG-00: an answer is given again by its review day."""
    if answer.review_on is not None:
        opens_on = answer.review_on - timedelta(days=asked.policy.deadlines.criterion_review_days)
        yield Owed(
            f"referral:{answer.referral_id}:{answer.criterion}:review", answer.review_on, answer.patient_id,
            opens_on=opens_on, remind_on=(answer.review_on,), facts={"criterion": answer.criterion.value},
        )  # fmt: skip


# ------------------------------------------------------------------------------------ licences


def licence(one: Licence, asked: Asked) -> Iterator[Owed]:
    """CRD-01: what runs out is brought up ninety, sixty and thirty days before; the last day is a valid day."""
    days: Sequence[date] = credential_reminders(one.expires_on, asked.policy)
    yield Owed(
        f"credential:{one.id}", one.expires_on, opens_on=days[0] if days else None, remind_on=days,
        met="renewed" if one.renewed else None,
        facts={"kind": one.kind, "clinician": one.clinician_id, "ends_on": one.expires_on.isoformat()},
    )  # fmt: skip
