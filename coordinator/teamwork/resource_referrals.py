"""The closed loop: help is identified, referred to, accepted, and secured or failed with a reason (K-S1, QUAL-03).

Every step is kept with who made it and when. While the loop is open somebody is reminded to ask how it stands.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from coordinator.access.scope import patients_in_sight, require_sight
from coordinator.agency import service as agency
from coordinator.core.db import locked, touch
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.directory import service as directory
from coordinator.directory.model import Resource
from coordinator.directory.terms import REFERRAL_RULES, REFERRERS, SERVICES
from coordinator.domain.linkage import LINK, SHARES, ConsentBy, ConsentForm, LinkFailure, LinkStatus, LinkWay
from coordinator.domain.teamwork import Desk, TaskKind, TaskSource
from coordinator.domain.timeline import HolidayCalendar, add_business_days
from coordinator.domain.vocabulary import Performer
from coordinator.patients.model import Caregiver, Patient
from coordinator.patients.queries import for_change
from coordinator.rules.suggestions import Handing, ask_consent, ask_referrer
from coordinator.teamwork import resource_suggestions, tasks
from coordinator.teamwork.resource_model import ResourceReferral, ResourceReferralStep
from coordinator.visits.model import Visit


def _caregiver(patient: Patient, caregiver_id: int | None) -> Caregiver | None:
    if caregiver_id is None:
        return None
    found = next((one for one in patient.caregivers if one.id == caregiver_id), None)
    if found is None:
        raise Invalid("The patient has no such caregiver.", pointer="/caregiver_id")
    return found


@permitted("resource-referral:edit")
def identify(
    work: Work, patient_id: int, *, resource_key: str, need: str, caregiver_id: int | None = None,
    visit_id: int | None = None, suggestion_id: int | None = None,
) -> ResourceReferral:  # fmt: skip
    """An organisation was found that may meet a need of the patient or of a caregiver; nothing has left the agency.

    A suggestion that it came from is taken.
    """
    patient = for_change(work, patient_id)
    _caregiver(patient, caregiver_id)
    if need not in SERVICES:
        raise Invalid(f"This must be one of: {', '.join(SERVICES)}.", pointer="/need")
    try:
        resource = directory.by_key(work, resource_key)
    except NotFound as missing:
        raise Invalid(missing.detail, pointer="/resource_key") from None
    if not resource.active:
        raise Invalid("This organisation is offered no more. Choose another.", pointer="/resource_key")
    if visit_id is not None:
        visit = work.session.get(Visit, visit_id)
        if visit is None or visit.patient_id != patient.id:
            raise Invalid("The patient has no such visit.", pointer="/visit_id")
    row = ResourceReferral(
        patient_id=patient.id, caregiver_id=caregiver_id, resource_id=resource.id, need=need, visit_id=visit_id,
        status=LinkStatus.IDENTIFIED, follow_up_on=_in_days(work, patient, work.policy.directory.refer_business_days),
        steps=[_step(work, LinkStatus.IDENTIFIED)],
    )  # fmt: skip
    if suggestion_id is not None:
        resource_suggestions.take(work, suggestion_id, patient.id)
        row.suggestion_id = suggestion_id
    work.session.add(row)
    work.session.flush()  # its number is in the answer, in the trail and in the task
    work.record("resource-referral.identified", f"resource-referral:{row.id}", patient_id=patient.id, need=need)
    _remind(work, row)
    return row


def _step(work: Work, status: LinkStatus) -> ResourceReferralStep:
    return ResourceReferralStep(status=status, at=work.now, by_id=work.actor.user_id)


def _in_days(work: Work, patient: Patient, days: int) -> date:
    return add_business_days(agency.today(work, patient.branch_id), days, HolidayCalendar.US_FEDERAL)


def _ref(row: ResourceReferral, status: LinkStatus) -> str:
    return f"resource-referral:{row.id}:{status.value}"


def _remind(work: Work, row: ResourceReferral) -> None:
    """Somebody asks by the day how it stands: the social worker who made the step, else the desk."""
    assert row.follow_up_on is not None
    own = work.actor.user_id if work.actor.performer == Performer.MSW.value else None
    tasks.open_task(
        work, patient_id=row.patient_id, kind=TaskKind.FOLLOW_UP_RESOURCE, source=TaskSource.SYSTEM,
        source_ref=_ref(row, row.status), due=row.follow_up_on, owner_role=Desk.SOCIAL_WORKER, owner_id=own,
        about=f"resource-referral:{row.id}",
    )  # fmt: skip


def for_step(work: Work, referral_id: int) -> ResourceReferral:
    """The referral, if the actor may see its patient, locked; the patient's row is locked first, as everywhere."""
    row = work.session.get(ResourceReferral, referral_id)
    if row is not None:
        require_sight(work, row.patient_id)
        locked(work.session, Patient, row.patient_id, "patient")
    return locked(work.session, ResourceReferral, referral_id, "resource referral")


def _move(work: Work, row: ResourceReferral, status: LinkStatus) -> None:
    if status not in LINK[row.status]:
        able = ", ".join(sorted(one.value for one in LINK[row.status])) or "nothing: it is closed"
        raise Conflict(
            f"A referral that is {row.status.value} may become {able}.", code="resource-referral-state",
            status_now=row.status.value,
        )  # fmt: skip
    tasks.finish_tasks(
        work, source=TaskSource.SYSTEM, source_ref=_ref(row, row.status), kind=TaskKind.FOLLOW_UP_RESOURCE
    )
    row.status = status
    row.steps.append(_step(work, status))
    touch(row)


def _moved(work: Work, row: ResourceReferral, **facts: Any) -> ResourceReferral:
    work.session.flush()  # the new version and step are in the answer
    work.record(
        f"resource-referral.{row.status.value}", f"resource-referral:{row.id}", patient_id=row.patient_id, **facts
    )
    if row.follow_up_on is not None:
        _remind(work, row)
    return row


@permitted("resource-referral:edit")
def refer(
    work: Work,
    referral_id: int,
    *,
    way: LinkWay,
    referred_by: str,
    consent: Mapping[str, Any] | None = None,
    follow_up_on: date | None = None,
) -> ResourceReferral:
    """The organisation has heard, or will hear, of the person; before anything leaves, consent is on record (RES-02).

    consent: {given_by, form, on}. Who starts it must be somebody from whom the organisation takes it (RES-03).
    """
    row = for_step(work, referral_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    today = agency.today(work, patient.branch_id)
    if referred_by not in REFERRERS:
        raise Invalid(f"This must be one of: {', '.join(REFERRERS)}.", pointer="/referred_by")
    if consent is not None and consent["on"] > today:
        raise Invalid("Consent was given by today.", pointer="/consent/on")
    if follow_up_on is not None and follow_up_on < today:
        raise Invalid("This day is past.", pointer="/follow_up_on")
    if LinkStatus.REFERRED not in LINK[row.status]:
        _move(work, row, LinkStatus.REFERRED)  # says what it may become
    resource = work.session.get_one(Resource, row.resource_id)
    accepts = REFERRAL_RULES[resource.referral_rule].who
    handing = Handing(way, referred_by, accepts, consent["on"] if consent is not None else None)
    findings = [one for one in (ask_consent(handing, today), ask_referrer(handing)) if one is not None]
    if findings:
        raise RuleBroken(findings)
    if consent is not None:
        row.consent_by, row.consent_form = ConsentBy(consent["given_by"]), ConsentForm(consent["form"])
        row.consent_on, row.consent_recorded_by_id = consent["on"], work.actor.user_id
    row.way, row.referred_by = way, referred_by
    _move(work, row, LinkStatus.REFERRED)
    row.follow_up_on = follow_up_on or _in_days(work, patient, work.policy.directory.follow_up_business_days)
    return _moved(work, row, way=way.value, shared=way in SHARES)


@permitted("resource-referral:edit")
def accept(work: Work, referral_id: int, *, follow_up_on: date | None = None) -> ResourceReferral:
    """The organisation has accepted; somebody still asks whether help has come."""
    row = for_step(work, referral_id)
    patient = locked(work.session, Patient, row.patient_id, "patient")
    today = agency.today(work, patient.branch_id)
    if follow_up_on is not None and follow_up_on < today:
        raise Invalid("This day is past.", pointer="/follow_up_on")
    _move(work, row, LinkStatus.ACCEPTED)
    row.follow_up_on = follow_up_on or today + timedelta(days=work.policy.directory.secured_days)
    return _moved(work, row)


@permitted("resource-referral:edit")
def secure(work: Work, referral_id: int) -> ResourceReferral:
    """Help has come: the loop is closed."""
    row = for_step(work, referral_id)
    _move(work, row, LinkStatus.SECURED)
    row.follow_up_on = None
    return _moved(work, row)


@permitted("resource-referral:edit")
def fail(work: Work, referral_id: int, reason: LinkFailure) -> ResourceReferral:
    """No help came, for this reason: the loop is closed."""
    row = for_step(work, referral_id)
    _move(work, row, LinkStatus.FAILED)
    row.failure, row.follow_up_on = reason, None
    return _moved(work, row, reason=reason.value)


# ------------------------------------------------------------------------------------ reading


@permitted("resource-referral:read")
def get(work: Work, referral_id: int) -> ResourceReferral:
    """One referral with its steps; the reading is on record."""
    row = work.session.get(ResourceReferral, referral_id)
    if row is None:
        raise NotFound("resource referral")
    require_sight(work, row.patient_id)
    work.record("resource-referral.read", f"resource-referral:{row.id}", patient_id=row.patient_id)
    return row


@permitted("resource-referral:read")
def search(
    work: Work, *, patient_id: int | None = None, status: LinkStatus | None = None, is_kp: bool | None = None
) -> sa.Select[Any]:
    """Referrals of patients in sight, as a select for `page`; `is_kp`: to Kaiser's own resources, or to others'."""
    query = sa.select(ResourceReferral).where(ResourceReferral.patient_id.in_(patients_in_sight(work)))
    if patient_id is not None:
        require_sight(work, patient_id)
        query = query.where(ResourceReferral.patient_id == patient_id)
    if status is not None:
        query = query.where(ResourceReferral.status == status)
    if is_kp is not None:
        rows = work.session.execute(sa.select(Resource.id, Resource.extra)).all()
        kaiser = [number for number, extra in rows if extra.get("health_system") == "kaiser"]
        named = ResourceReferral.resource_id.in_(kaiser)
        query = query.where(named if is_kp else ~named)
    about = "all" if patient_id is None else str(patient_id)
    work.record("resource-referral.listed", f"patient:{about}", patient_id=patient_id)
    return query
