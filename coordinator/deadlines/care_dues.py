"""What an episode of care owes, and by when: pure, from its dates (ASM, CERT, DIS, ELG-1)."""

from collections.abc import Iterator
from datetime import date, timedelta

from coordinator.deadlines.cases import Covered, Seen, Stay
from coordinator.deadlines.obligation import Asked, Owed
from coordinator.domain.lifecycle import LIVE_ORDER
from coordinator.domain.timeline import (
    ONE_DAY,
    add_business_days,
    assessment_due,
    certification_period,
    certification_period_of,
    recertification_window,
)
from coordinator.domain.vocabulary import OrderStatus
from coordinator.rules.certification import plan_idle_until, plan_idle_warned_from, plan_review_due

_COMING = LIVE_ORDER | {OrderStatus.SENT_FOR_SIGNATURE}


def of_episode(stay: Stay, part: str = "") -> str:
    """The subject under which an episode's obligations stand; a part, where there are several of one rule."""
    return f"episode:{stay.id}:{part}" if part else f"episode:{stay.id}"


# ------------------------------------------------------------------------------------ admission


def comprehensive_assessment(stay: Stay, _asked: Asked) -> Iterator[Owed]:
    """ASM-01: the comprehensive assessment is complete five days after start of care, which is day 0."""
    if stay.soc is not None and stay.in_care:
        due_on = assessment_due(stay.soc)
        yield Owed(of_episode(stay), due_on, stay.patient_id, remind_on=(due_on - ONE_DAY,))


# ------------------------------------------------------------------------------------ certification periods


def recertification(seen: Seen, asked: Asked) -> Iterator[Owed]:
    """CERT-02: every period that has begun ends with an assessment in its window; a late one serves it late."""
    soc = seen.stay.soc
    assert soc is not None
    for number in range(1, _period(soc, asked) + 1):
        window, first = recertification_window(soc, number), certification_period(soc, number).first
        made = next((day for day in seen.assessed_on if day >= window.first), None)
        yield Owed(
            of_episode(seen.stay), window.last, seen.stay.patient_id,
            remind_on=[first + timedelta(days=day - 1) for day in asked.policy.deadlines.recertification_days],
            met=None if made is None else "assessed late" if made > window.last else "assessed",
            facts={"period": number, "window_from": window.first.isoformat(), "window_to": window.last.isoformat()},
        )  # fmt: skip


def plan_review(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """CERT-04: the plan is reviewed by the last day of every period; brought up when recertification is prepared."""
    if stay.soc is None or not stay.in_care:
        return
    ahead = min(asked.policy.deadlines.recertification_days)
    for number in range(1, _period(stay.soc, asked) + 1):
        first, due_on = (
            certification_period(stay.soc, number).first,
            plan_review_due(stay.soc, number, asked.policy).due,
        )
        assert isinstance(due_on, date)
        opens_on = first + timedelta(days=ahead - 1)
        yield Owed(
            of_episode(stay),
            due_on,
            stay.patient_id,
            opens_on=opens_on,
            remind_on=(opens_on,),
            facts={"period": number},
        )


def _period(soc: date, asked: Asked) -> int:
    """The number of the period that runs today; none has begun before start of care."""
    return certification_period_of(soc, asked.today) if asked.today >= soc else 0


def order_gap(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """CERT-03: on the first day of a period, somebody in care without an order of the period is brought up."""
    if stay.soc is None or not stay.in_care or stay.held_on is not None:
        return
    number = _period(stay.soc, asked)
    if number < 2 or not any(line.status in LIVE_ORDER or line.ended_on or line.signed for line in stay.lines):
        return  # no order before, so no gap
    first = certification_period(stay.soc, number).first
    there = any(line.live and line.certification_number == number and asked.today <= line.last for line in stay.lines)
    yield Owed(of_episode(stay), first, stay.patient_id, met="ordered" if there else None, facts={"period": number})


def idle_plan(seen: Seen, asked: Asked) -> Iterator[Owed]:
    """CERT-05: sixty days after the last covered skilled visit the plan ends; brought up from day 45."""
    last = seen.skilled_on or seen.stay.soc
    assert last is not None
    due_on = plan_idle_until(last, asked.policy, seen.justified_until)
    opens_on = plan_idle_warned_from(due_on, asked.policy.on(last))
    facts = {"last": last.isoformat()}
    yield Owed(
        of_episode(seen.stay), due_on, seen.stay.patient_id, opens_on=opens_on, remind_on=(opens_on,), facts=facts
    )
    before = plan_idle_until(last, asked.policy)
    if before < due_on:
        yield Owed(of_episode(seen.stay), before, seen.stay.patient_id, met="justified", facts=facts)


# ------------------------------------------------------------------------------------ away, and leaving


def transfer_summary(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """DIS-02: while the patient is an inpatient, the summary is there two business days after that was learnt."""
    if stay.in_care and stay.held_on is not None:
        settings = asked.policy.on(stay.held_on).discharge
        due_on = add_business_days(stay.held_on, settings.transfer_summary_business_days, settings.business_calendar)
        yield Owed(of_episode(stay, "transfer"), due_on, stay.patient_id)


def transfer_assessment(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """ASM-01: the transfer is assessed within two calendar days."""
    if stay.in_care and stay.held_on is not None:
        due_on = stay.held_on + timedelta(days=asked.policy.on(stay.held_on).assessment.event_days)
        yield Owed(of_episode(stay, "transfer"), due_on, stay.patient_id)


def discharge_assessment(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """ASM-01: discharge or death is assessed within two calendar days."""
    if stay.soc is not None and stay.discharged_on is not None:
        due_on = stay.discharged_on + timedelta(days=asked.policy.on(stay.discharged_on).assessment.event_days)
        yield Owed(of_episode(stay, "discharge"), due_on, stay.patient_id)


def discharge_summary(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """DIS-02: the summary is with the practitioner five business days after discharge."""
    if stay.soc is not None and stay.discharged_on is not None:
        settings = asked.policy.on(stay.discharged_on).discharge
        due_on = add_business_days(stay.discharged_on, settings.summary_business_days, settings.business_calendar)
        yield Owed(of_episode(stay, "summary"), due_on, stay.patient_id)


def closed_record(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """DIS-02: the record is complete thirty days after discharge (22 CCR 74731(c))."""
    if stay.soc is not None and stay.discharged_on is not None:
        due_on = stay.discharged_on + timedelta(days=asked.policy.on(stay.discharged_on).discharge.record_days)
        yield Owed(of_episode(stay, "record"), due_on, stay.patient_id, remind_on=(due_on - timedelta(days=7),))


def discipline_discharge(stay: Stay, asked: Asked) -> Iterator[Owed]:
    """DIS-03: a discipline whose orders ended, while the case stays open, is closed within two calendar days."""
    if not stay.in_care:
        return
    for discipline in sorted({line.discipline for line in stay.lines}):
        own = [line for line in stay.lines if line.discipline is discipline]
        if any(line.status in _COMING and asked.today <= line.last for line in own):
            continue
        given = [line for line in own if line.live or line.status in _GIVEN]
        if given:
            ended = max(line.last for line in given)
            due_on = ended + timedelta(days=asked.policy.on(ended).discharge.discipline_days)
            yield Owed(
                of_episode(stay, discipline.value), due_on, stay.patient_id, opens_on=ended + ONE_DAY,
                facts={"discipline": discipline.value, "ends_on": ended.isoformat()},
            )  # fmt: skip


#: Orders that were live once and ended.
_GIVEN = frozenset({OrderStatus.EXPIRED, OrderStatus.COMPLETED, OrderStatus.DISCONTINUED})


def coverage_end(covered: Covered, asked: Asked) -> Iterator[Owed]:
    """ELG-1: the end of coverage is known before it comes; visits after it are refused."""
    stay, ends_on = covered.stay, covered.ends_on
    if ends_on is None:
        return
    days = [ends_on - timedelta(days=ahead) for ahead in asked.policy.deadlines.coverage_reminder_days]
    yield Owed(
        of_episode(stay, "coverage"), ends_on, stay.patient_id, opens_on=min(days), remind_on=sorted(days),
        facts={"ends_on": ends_on.isoformat(), "payer": stay.payer.value},
    )  # fmt: skip
