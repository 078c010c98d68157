"""The plan of care of an episode: opened with it, with its goals and problems, under one managing physician."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import fetch, locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CarePlanChanged, ManagingPhysicianChanged
from coordinator.domain.vocabulary import GoalCategory
from coordinator.orders.model import CarePlan, Goal, Problem
from coordinator.patients.model import Episode, Patient
from coordinator.patients.scope import require_sight
from coordinator.patients.service import put_under
from coordinator.staff.model import Physician


@permitted("plan:edit")
def open_plan(
    work: Work,
    *,
    episode_id: int,
    patient_id: int,
    managing_physician_id: int,
    starts_on: date,
    goals: Iterable[Mapping[str, Any]] = (),
    problems: Iterable[Mapping[str, Any]] = (),
) -> CarePlan:
    """The episode's plan of care. Goals are {category, text, language}, problems {text, code}.

    Conflict for another physician than who manages the patient's care: plan, patient and team name one (ELG-8).
    """
    require_sight(work, patient_id)
    episode = work.session.get(Episode, episode_id)
    if episode is None or episode.patient_id != patient_id:
        raise NotFound("episode")
    if work.session.execute(sa.select(CarePlan.id).where(CarePlan.episode_id == episode_id)).scalar() is not None:
        raise Conflict("The episode has its care plan already.", code="plan-exists")
    require_physician(work, managing_physician_id, "/managing_physician_id")
    managing = work.session.get_one(Patient, patient_id).managing_physician_id
    if managing != managing_physician_id:
        raise Conflict(
            "All care is under one physician, and this patient's is under another (ELG-8). Open the plan under that "
            "one; or, if the care has changed hands, put the patient under the new physician first.",
            code="managed-by-another",
            rule="ELG-8",
            managing_physician_id=managing,
            cure=f"PUT /api/v1/patients/{patient_id}/managing-physician",
        )
    plan = CarePlan(
        patient_id=patient_id,
        episode_id=episode_id,
        managing_physician_id=managing_physician_id,
        starts_on=starts_on,
        goals=[_goal(**goal) for goal in goals],
        problems=[_problem(**problem) for problem in problems],
    )
    work.session.add(plan)
    work.session.flush()  # the plan's number is in the audit line
    work.record("plan.opened", f"plan:{plan.id}", patient_id=patient_id, physician=managing_physician_id)
    return plan


@permitted("plan:read")
def get_plan(work: Work, patient_id: int) -> CarePlan:
    """The patient's plan of care: of the latest episode that has one."""
    plan = _plan(work, patient_id)
    work.record("plan.read", f"plan:{plan.id}", patient_id=patient_id)
    return plan


@permitted("plan:edit")
def edit_plan(work: Work, patient_id: int, *, starts_on: date) -> CarePlan:
    """The plan begins on that day."""
    plan = _plan(work, patient_id, lock=True)
    plan.starts_on = starts_on
    return _changed(work, plan, "plan.edited")


@permitted("plan:edit")
def add_goal(
    work: Work, patient_id: int, *, category: GoalCategory, text: str, language: str = "en"
) -> tuple[CarePlan, Goal]:
    """The plan has one goal more; what matters most is written in the patient's own words and language."""
    plan = _plan(work, patient_id, lock=True)
    goal = _goal(category=category, text=text, language=language)
    plan.goals.append(goal)
    return _changed(work, plan, "plan.goal-added"), goal


@permitted("plan:edit")
def edit_goal(
    work: Work,
    patient_id: int,
    goal_id: int,
    *,
    category: GoalCategory | None = None,
    text: str | None = None,
    language: str | None = None,
) -> CarePlan:
    """The goal says what is given; what is None stays."""
    plan = _plan(work, patient_id, lock=True)
    goal = next((goal for goal in plan.goals if goal.id == goal_id), None)
    if goal is None:
        raise NotFound("goal")
    goal.category = category or goal.category
    goal.text = text or goal.text
    goal.language = language or goal.language
    return _changed(work, plan, "plan.goal-edited", goal=goal.id)


@permitted("plan:edit")
def remove_goal(work: Work, patient_id: int, goal_id: int) -> CarePlan:
    """The plan has that goal no longer."""
    plan = _plan(work, patient_id, lock=True)
    goal = next((goal for goal in plan.goals if goal.id == goal_id), None)
    if goal is None:
        raise NotFound("goal")
    plan.goals.remove(goal)
    return _changed(work, plan, "plan.goal-removed", goal=goal_id)


@permitted("plan:edit")
def add_problem(work: Work, patient_id: int, *, text: str, code: str | None = None) -> tuple[CarePlan, Problem]:
    """The plan addresses one problem more."""
    plan = _plan(work, patient_id, lock=True)
    problem = _problem(text=text, code=code)
    plan.problems.append(problem)
    return _changed(work, plan, "plan.problem-added"), problem


@permitted("plan:edit")
def change_managing_physician(work: Work, patient_id: int, physician_id: int) -> CarePlan:
    """All care is under that physician from now on, and the patient's record and team say so too (ELG-8)."""
    plan = _plan(work, patient_id, lock=True)
    require_physician(work, physician_id, "/managing_physician_id")
    patient = locked(work.session, Patient, patient_id, "patient")
    old, plan.managing_physician_id = plan.managing_physician_id, physician_id
    put_under(work, patient, physician_id, "/managing_physician_id")
    return _changed(work, plan, "plan.physician-changed", old=old, new=physician_id)


def on_managing_physician_changed(work: Work, event: ManagingPhysicianChanged) -> None:
    """The plans of the patient's open episodes are under the physician who manages the care."""
    if event.physician_id is None:
        return
    plans = work.session.execute(
        sa.select(CarePlan)
        .join(Episode, Episode.id == CarePlan.episode_id)
        .where(
            CarePlan.patient_id == event.patient_id,
            CarePlan.managing_physician_id != event.physician_id,
            Episode.discharged_on.is_(None),
        )
        .order_by(CarePlan.id)
        .with_for_update(of=CarePlan)
    ).scalars()
    for plan in plans.all():
        old, plan.managing_physician_id = plan.managing_physician_id, event.physician_id
        _changed(work, plan, "plan.physician-changed", old=old, new=event.physician_id)


def require_physician(work: Work, physician_id: int, pointer: str) -> Physician:
    """The practitioner of that number; Invalid at `pointer` if there is none or they no longer practise here."""
    try:
        physician = fetch(work.session, Physician, physician_id, "physician")
    except NotFound as missing:
        raise Invalid(missing.detail, pointer=pointer) from None
    if not physician.active:
        raise Invalid("This physician no longer practises with the agency. Name another.", pointer=pointer)
    return physician


def _plan(work: Work, patient_id: int, *, lock: bool = False) -> CarePlan:
    require_sight(work, patient_id)
    query = sa.select(CarePlan).where(CarePlan.patient_id == patient_id).order_by(CarePlan.episode_id.desc()).limit(1)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    plan = work.session.execute(query).scalar()
    if plan is None:
        raise NotFound("care plan")
    return plan


def _changed(work: Work, plan: CarePlan, action: str, **facts: Any) -> CarePlan:
    touch(plan)  # goals and problems are rows of their own; whoever edits the plan by version must see them change
    work.session.flush()  # the new version, and a new goal's number, are in the answer
    work.record(action, f"plan:{plan.id}", patient_id=plan.patient_id, **facts)
    work.publish(CarePlanChanged(plan_id=plan.id, patient_id=plan.patient_id))
    return plan


def _goal(*, category: GoalCategory | str, text: str, language: str = "en") -> Goal:
    if not text.strip():
        raise Invalid("A goal says what the care is for.", pointer="/text")
    return Goal(category=GoalCategory(category), text=text, language=language)


def _problem(*, text: str, code: str | None = None) -> Problem:
    if not text.strip():
        raise Invalid("A problem has a name.", pointer="/text")
    return Problem(text=text, code=code)
