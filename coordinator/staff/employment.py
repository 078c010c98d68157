"""How somebody is employed and checked: exclusion lists (CRD-01), and the meals they took (LAB-02)."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from coordinator.agency.service import today
from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.core.work import Work, permitted
from coordinator.domain.events import ExclusionChecked
from coordinator.domain.vocabulary import ExclusionList
from coordinator.staff.clinicians import changed, for_change, get_clinician
from coordinator.staff.model import ExclusionCheck, MealPeriod

LONGEST_MEAL = timedelta(hours=4)


@permitted("credential:edit")
def record_exclusion_check(
    work: Work, clinician_id: int, *, source: ExclusionList, checked_on: date, matched: bool
) -> ExclusionCheck:
    """The list was asked for the clinician that day. Whoever is found on one visits nobody until it is clear of them.

    The clinician counts as checked on the earlier of the last days on which each list was asked.
    """
    clinician = for_change(work, clinician_id)
    if checked_on > today(work, clinician.branch_id):
        raise Invalid("The day of the check lies in the future.", pointer="/checked_on")
    row = ExclusionCheck(
        clinician_id=clinician.id, source=source, checked_on=checked_on, matched=matched,
        recorded_by_id=work.actor.user_id,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # it is among the checks that are looked at next
    checks = work.session.scalars(
        sa.select(ExclusionCheck)
        .where(ExclusionCheck.clinician_id == clinician.id)
        .order_by(ExclusionCheck.checked_on, ExclusionCheck.id)
    )
    latest = {check.source: check for check in checks}
    found = [check.checked_on for check in latest.values() if check.matched]
    clinician.excluded_on = min(found, default=None)
    clinician.exclusions_checked_on = (
        min(check.checked_on for check in latest.values()) if set(latest) == set(ExclusionList) else None
    )
    changed(work, clinician, "clinician.exclusion-checked", source=source.value, matched=matched)
    work.publish(ExclusionChecked(clinician.id, clinician.branch_id, source.value, checked_on, matched))
    return row


@permitted("meal:record")
def record_meal(work: Work, clinician_id: int, *, starts_at: datetime, ends_at: datetime) -> MealPeriod:
    """The clinician took a meal off duty between the two instants, as they say themselves; nothing is rounded."""
    clinician = get_clinician(work, clinician_id)
    if work.actor.clinician_id != clinician.id and not work.actor.may("clinician:edit"):
        raise Forbidden("A clinician records their own meals.", permission="clinician:edit")
    if starts_at.tzinfo is None or ends_at.tzinfo is None or not timedelta() < ends_at - starts_at <= LONGEST_MEAL:
        raise Invalid("A meal ends after it begins, within four hours.", pointer="/ends_at")
    if ends_at > work.now:
        raise Invalid("The meal is not over yet.", pointer="/ends_at")
    clash = work.session.execute(
        sa.select(MealPeriod.id).where(
            MealPeriod.clinician_id == clinician.id, MealPeriod.starts_at < ends_at, MealPeriod.ends_at > starts_at
        )
    ).first()
    if clash is not None:
        raise Conflict("A meal is recorded at that time already.", code="meal-overlap")
    row = MealPeriod(clinician_id=clinician.id, starts_at=starts_at, ends_at=ends_at, recorded_by_id=work.actor.user_id)
    work.session.add(row)
    work.session.flush()  # the meal's number is in the audit line
    work.record("meal.recorded", f"meal:{row.id}", clinician=clinician.id)
    return row
