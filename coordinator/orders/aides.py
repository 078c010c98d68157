"""What an aide works by: written instructions of a nurse or therapist (AID-02); and reviews of long hours (INT-01)."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.core.errors import Forbidden, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.vocabulary import Performer
from coordinator.jobs.queue import insert_once
from coordinator.orders.model import AideAcknowledgement, AideCarePlan, CaseReview
from coordinator.orders.queries import open_episode
from coordinator.patients.model import Patient
from coordinator.patients.scope import require_sight
from coordinator.staff.model import Clinician

_MOST_TASKS = 60


@permitted("aide-plan:write")
def write_instructions(
    work: Work,
    patient_id: int,
    *,
    tasks: Sequence[str],
    precautions: str | None = None,
    effective_from: date,
) -> AideCarePlan:
    """A new version of the aide's written instructions, prepared by the actor. Earlier versions stay as they were."""
    require_sight(work, patient_id)
    author = work.session.get(Clinician, work.actor.clinician_id or 0)
    authors = work.policy.on(effective_from).aides.plan_authors
    if author is None or author.performer not in authors:
        raise Forbidden(
            f"An aide's instructions are prepared by one of {', '.join(sorted(authors))} (42 CFR 484.80(g)).",
            code="not-a-plan-author",
            rule="AID-02",
        )
    named = list(dict.fromkeys(task.strip() for task in tasks if task.strip()))
    if not named or len(named) > _MOST_TASKS:
        raise Invalid(f"Instructions name from 1 to {_MOST_TASKS} tasks.", pointer="/tasks")
    # One version after the other: the patient's row is the gate.
    work.session.execute(sa.select(Patient.id).where(Patient.id == patient_id).with_for_update()).scalar_one()
    number = work.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(AideCarePlan.number), 0)).where(AideCarePlan.patient_id == patient_id)
    ).scalar_one()
    written = AideCarePlan(
        patient_id=patient_id,
        number=number + 1,
        prepared_by_id=author.id,
        effective_from=effective_from,
        tasks=named,
        precautions=precautions,
        recorded_at=work.now,
    )
    work.session.add(written)
    work.session.flush()  # the number is in the audit line
    work.record("aide-plan.written", f"aide-plan:{written.id}", patient_id=patient_id, number=written.number)
    return written


@permitted("aide-plan:acknowledge")
def acknowledge(work: Work, patient_id: int, number: int) -> AideAcknowledgement:
    """The acting aide has read that version of the patient's instructions. Said twice, the first time stands."""
    require_sight(work, patient_id)
    aide = work.session.get(Clinician, work.actor.clinician_id or 0)
    if aide is None or aide.performer is not Performer.CHHA:
        raise Forbidden("An aide acknowledges the instructions they work by.", rule="AID-02")
    versions = work.session.scalars(sa.select(AideCarePlan).where(AideCarePlan.patient_id == patient_id))
    plan = next((one for one in versions if one.number == number), None)
    if plan is None:
        raise NotFound("aide instructions")
    insert_once(work.session, AideAcknowledgement, plan_id=plan.id, clinician_id=aide.id, acknowledged_at=work.now)
    row = work.session.execute(
        sa.select(AideAcknowledgement).where(
            AideAcknowledgement.plan_id == plan.id, AideAcknowledgement.clinician_id == aide.id
        )
    ).scalar_one()
    work.record("aide-plan.acknowledged", f"aide-plan:{plan.id}", patient_id=patient_id, number=number)
    return row


def instructions_on(work: Work, patient_id: int, day: date) -> AideCarePlan | None:
    """Asked by other rooms: the version in force on `day`, the latest written for it; None if there is none."""
    return work.session.execute(
        sa.select(AideCarePlan)
        .where(AideCarePlan.patient_id == patient_id, AideCarePlan.effective_from <= day)
        .order_by(AideCarePlan.number.desc())
        .limit(1)
    ).scalar()


@permitted("aide-plan:read")
def current_instructions(work: Work, patient_id: int, day: date) -> AideCarePlan | None:
    """The aide's written instructions in force on `day`; None if there are none."""
    require_sight(work, patient_id)
    found = instructions_on(work, patient_id, day)
    work.record("aide-plan.read", f"patient:{patient_id}", patient_id=patient_id)
    return found


@permitted("aide-plan:read")
def all_instructions(work: Work, patient_id: int) -> list[AideCarePlan]:
    """Every version of the aide's instructions, latest first."""
    require_sight(work, patient_id)
    work.record("aide-plan.read", f"patient:{patient_id}", patient_id=patient_id)
    return list(
        work.session.execute(
            sa.select(AideCarePlan).where(AideCarePlan.patient_id == patient_id).order_by(AideCarePlan.number.desc())
        ).scalars()
    )


# ------------------------------------------------------------------------------------ long hours


@permitted("case:review")
def approve_case_review(work: Work, patient_id: int, *, need: str, starts_on: date, ends_on: date) -> CaseReview:
    """From `starts_on` to `ends_on`, nurse and aide may exceed 28 hours a week, up to 35, for the stated need."""
    require_sight(work, patient_id)
    open_episode(work, patient_id)
    if ends_on < starts_on:
        raise Invalid("The review would end before it begins.", pointer="/ends_on")
    if not need.strip():
        raise Invalid("A review states the need for care.", pointer="/need")
    if work.actor.user_id is None:
        raise Forbidden("A review is approved by a person.", permission="case:review")
    review = CaseReview(
        patient_id=patient_id,
        approved_by_id=work.actor.user_id,
        need=need,
        starts_on=starts_on,
        ends_on=ends_on,
        facts={"rule": "INT-01", "week_maximum_minutes": work.policy.on(starts_on).intermittent.week_reviewed_minutes},
    )
    work.session.add(review)
    work.session.flush()  # the review's number is in the audit line
    work.record("case.reviewed", f"case-review:{review.id}", patient_id=patient_id)
    return review


@permitted("plan:read")
def case_reviews(work: Work, patient_id: int) -> list[CaseReview]:
    """Every review of the patient's hours, latest first."""
    require_sight(work, patient_id)
    work.record("case.read", f"patient:{patient_id}", patient_id=patient_id)
    return list(
        work.session.execute(
            sa.select(CaseReview).where(CaseReview.patient_id == patient_id).order_by(CaseReview.id.desc())
        ).scalars()
    )
