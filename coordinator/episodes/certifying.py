"""Certifications and recertifications: drafted by the office, sent, withdrawn, and read with their findings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from coordinator.core.db import fetch
from coordinator.core.errors import Conflict, Invalid, NotFound, RuleBroken
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CertificationSent, CertificationSuperseded, CertificationWithdrawn
from coordinator.domain.lifecycle import STANDING_CERTIFICATION
from coordinator.domain.timeline import DateSpan, certification_period, certification_period_of
from coordinator.domain.vocabulary import CertificationStatus, Role
from coordinator.episodes.asking import ask_anew
from coordinator.episodes.model import Certification, PractitionerCheck
from coordinator.episodes.reading import (
    best_encounter,
    certification_of,
    certifier_facts,
    certifier_id,
    certifier_of,
    episode_to_change,
    findings_of,
    statement_facts,
    statement_finding,
    today_of,
    visible_episode,
)
from coordinator.orders.queries import plan_of_episode
from coordinator.patients.model import Episode
from coordinator.rules.certification import ask_certifier
from coordinator.rules.facts import CertificationFacts
from coordinator.rules.terms import Finding
from coordinator.staff.model import Physician

STATEMENT = frozenset(
    {
        "homebound", "skilled_need", "plan_established", "under_care", "face_to_face_on", "estimated_further_duration",
    }
)  # fmt: skip
_OPEN = (CertificationStatus.DRAFT, CertificationStatus.SENT_FOR_SIGNATURE)


@dataclass(frozen=True, slots=True)
class PeriodAnswer:
    """One certification period with its statement, if there is one, and everything that is to be said of it today."""

    number: int
    #: `None` before start of care.
    span: DateSpan | None
    statement: Certification | None
    findings: tuple[Finding, ...]


@permitted("certification:draft")
def draft_certification(
    work: Work, episode_id: int, *, number: int = 1, physician_id: int | None = None, **statement: Any
) -> Certification:
    """A statement for that period waits to be completed and sent; refused for a practitioner who may not certify.

    The practitioner is the one who manages the plan unless another is named; the encounter's day is that on file.
    """
    episode = episode_to_change(work, episode_id)
    _require_period(work, episode, number)
    if certification_of(work, episode.id, number) is not None:
        raise Conflict("This period has a certification. Withdraw it, or edit it.", code="certification-exists")
    row = Certification(
        patient_id=episode.patient_id,
        episode_id=episode.id,
        number=number,
        status=CertificationStatus.DRAFT,
        physician_id=_certifier(work, episode, physician_id),
        drafted_by_id=work.actor.user_id,
        drafted_at=work.now,
    )
    _state(work, episode, row, statement)
    if number == 1 and row.face_to_face_on is None:
        found, against = best_encounter(work, episode, certifier_of(work, episode), today_of(work, episode))
        row.face_to_face_on = found.encounter_on if found is not None and not against else None
    work.session.add(row)
    _record(work, "certification.drafted", row)
    ask_anew(work, episode, number)
    return row


@permitted("certification:draft")
def edit_certification(work: Work, certification_id: int, **changes: Any) -> Certification:
    """The draft says what is given; what was sent is a draft again, since the practitioner read another text."""
    row, episode = for_change(work, certification_id)
    physician_id = changes.pop("physician_id", None)
    if physician_id is not None:
        row.physician_id = _certifier(work, episode, physician_id)
    _state(work, episode, row, changes)
    if row.status is CertificationStatus.SENT_FOR_SIGNATURE:
        row.status, row.sent_at = CertificationStatus.DRAFT, None
        work.publish(_withdrawn(row))
    _record(work, "certification.edited", row, fields=sorted(changes))
    ask_anew(work, episode, row.number)
    return row


@permitted("certification:draft")
def send_certification(work: Work, certification_id: int) -> Certification:
    """It waits for its practitioner's signature; refused while a part of the statement is missing."""
    row, episode = for_change(work, certification_id)
    if row.status is not CertificationStatus.DRAFT:
        raise Conflict("This certification was sent already.", code="certification-sent")
    require_complete(work, episode, row)
    row.status, row.sent_at = CertificationStatus.SENT_FOR_SIGNATURE, work.now
    _record(work, "certification.sent", row)
    work.publish(
        CertificationSent(
            patient_id=row.patient_id, episode_id=row.episode_id, certification_id=row.id, number=row.number
        )
    )
    return row


@permitted("certification:draft")
def withdraw_certification(work: Work, certification_id: int, reason: str) -> Certification:
    """The unsigned statement is owed to nobody any more; the period is without one until another is drafted."""
    row, episode = for_change(work, certification_id)
    row.status, row.withdrawn_reason = CertificationStatus.WITHDRAWN, reason
    _record(work, "certification.withdrawn", row)
    work.publish(_withdrawn(row))
    ask_anew(work, episode, row.number)
    return row


@permitted("certification:supersede")
def supersede_certification(work: Work, certification_id: int, reason: str) -> Certification:
    """What was signed by mistake says nothing any more, and a draft of the same words is in its place, to be corrected.

    The signed text and the signature stay as they are. A practitioner supersedes what they signed themselves; Conflict
    for what nobody has signed, which is withdrawn or edited instead. Returns the draft.
    """
    row = _found(work, certification_id)
    episode = _episode_of(work, row)
    physician_id = work.actor.physician_id
    if not work.actor.has_role(Role.CLINICAL_MANAGER.value) and certifier_id(work, row) != physician_id:
        raise NotFound("certification")
    if row.status is not CertificationStatus.SIGNED:
        raise Conflict("Only what was signed is superseded. Withdraw or edit it.", code="certification-not-signed",
                       status_now=row.status.value)  # fmt: skip
    if not reason.strip():
        raise Invalid("Say what the mistake was.", pointer="/reason")
    row.status, row.superseded_at, row.withdrawn_reason = CertificationStatus.SUPERSEDED, work.now, reason.strip()
    work.session.flush()  # the period is free for the draft
    draft = Certification(
        patient_id=row.patient_id,
        episode_id=row.episode_id,
        number=row.number,
        status=CertificationStatus.DRAFT,
        physician_id=row.physician_id,
        drafted_by_id=work.actor.user_id,
        drafted_at=work.now,
        **{name: getattr(row, name) for name in STATEMENT},
    )
    work.session.add(draft)
    _record(work, "certification.drafted", draft, replaces=row.id)
    _record(work, "certification.superseded", row, replaced_by=draft.id)
    work.publish(
        CertificationSuperseded(
            patient_id=row.patient_id, episode_id=row.episode_id, certification_id=row.id, number=row.number,
            replaced_by_id=draft.id,
        )
    )  # fmt: skip
    ask_anew(work, episode, row.number)
    return draft


def _withdrawn(row: Certification) -> CertificationWithdrawn:
    return CertificationWithdrawn(
        patient_id=row.patient_id, episode_id=row.episode_id, certification_id=row.id, number=row.number
    )


def require_complete(work: Work, episode: Episode, row: Certification) -> None:
    """Conflict that names what a signature would not cover: a signed statement is never completed afterwards."""
    unsigned = statement_finding(_as_signed(statement_facts(work, episode, row), today_of(work, episode)), row.number)
    if unsigned is not None:
        raise Conflict(unsigned.sentence() + " Complete it first.", code="statement-incomplete",
                       findings=[unsigned.as_dict()])  # fmt: skip


def _as_signed(facts: CertificationFacts, today: date) -> CertificationFacts:
    return replace(facts, signed_on=today)


def for_change(work: Work, certification_id: int) -> tuple[Certification, Episode]:
    """The unsigned statement with its episode, both locked."""
    row = _found(work, certification_id)
    episode = _episode_of(work, row)
    if row.status not in _OPEN:
        raise Conflict("What was signed or withdrawn is not changed.", code="certification-closed",
                       status_now=row.status.value)  # fmt: skip
    return row, episode


def _found(work: Work, certification_id: int) -> Certification:
    row = work.session.get(Certification, certification_id)
    if row is None:
        raise NotFound("certification")
    return row


def _episode_of(work: Work, row: Certification) -> Episode:
    """The statement's episode, both locked and read afresh."""
    try:
        episode = episode_to_change(work, row.episode_id, ended=True)
    except NotFound:
        raise NotFound("certification") from None
    work.session.refresh(row, with_for_update=True)
    return episode


def _require_period(work: Work, episode: Episode, number: int) -> None:
    if number == 1:
        return
    if episode.soc_date is None:
        raise Invalid("Before the start of care there is only period 1.", pointer="/number")
    current = certification_period_of(episode.soc_date, today_of(work, episode))
    if number > current + 1:
        raise Invalid(f"Period {current} runs now; the next one may be certified, not a later one.", pointer="/number")


def _certifier(work: Work, episode: Episode, physician_id: int | None) -> int:
    """The practitioner asked for, or who manages the plan; HB-03 refuses whom the programme does not accept."""
    if physician_id is None:
        plan = plan_of_episode(work, episode.id)
        if plan is None:
            raise Invalid("There is no plan of care; name the practitioner.", pointer="/physician_id")
        physician_id = plan.managing_physician_id
    physician = work.session.get(Physician, physician_id)
    if physician is None or not physician.active:
        raise Invalid("There is no such practitioner.", pointer="/physician_id")
    refused = ask_certifier(certifier_facts(work, episode, physician, today_of(work, episode)), work.policy)
    if refused is not None:
        raise RuleBroken([refused], code="certifier-not-accepted")
    return physician.id


def _state(work: Work, episode: Episode, row: Certification, statement: Mapping[str, Any]) -> None:
    for name in sorted(statement):
        if name not in STATEMENT:
            raise Invalid("A certification has no such part.", pointer=f"/{name}")
        setattr(row, name, statement[name])
    if row.face_to_face_on is not None and row.face_to_face_on > today_of(work, episode):
        raise Invalid("The encounter lies in the future.", pointer="/face_to_face_on")


def _record(work: Work, action: str, row: Certification, **facts: Any) -> None:
    work.session.flush()  # the number and the new version are in the answer and in the trail
    work.record(action, f"certification:{row.id}", patient_id=row.patient_id, number=row.number, **facts)


# ------------------------------------------------------------------------------------ reading


@permitted("certification:read")
def certifications(work: Work, episode_id: int) -> list[PeriodAnswer]:
    """Every period that has begun, and those certified ahead, with all findings; the reading leaves a line."""
    episode = visible_episode(work, episode_id)
    rows = {
        row.number: row
        for row in work.session.execute(
            sa.select(Certification).where(
                Certification.episode_id == episode.id, Certification.status.in_(sorted(STANDING_CERTIFICATION))
            )
        ).scalars()
    }
    soc, last = episode.soc_date, 1
    if soc is not None:
        last = certification_period_of(soc, max(soc, episode.discharged_on or today_of(work, episode)))
    work.record("certification.read", f"episode:{episode.id}", patient_id=episode.patient_id)
    return [
        PeriodAnswer(
            number,
            certification_period(soc, number) if soc is not None else None,
            rows.get(number),
            findings_of(work, episode, number),
        )
        for number in sorted({*range(1, last + 1), *rows})
    ]


@permitted("certification:read")
def get_certification(work: Work, certification_id: int) -> Certification:
    """One statement."""
    row = work.session.get(Certification, certification_id)
    if row is None:
        raise NotFound("certification")
    try:
        visible_episode(work, row.episode_id)
    except NotFound:
        raise NotFound("certification") from None
    work.record("certification.read", f"certification:{row.id}", patient_id=row.patient_id)
    return row


# ------------------------------------------------------------------------------------ who certifies


@permitted("practitioner:check")
def check_practitioner(
    work: Work,
    physician_id: int,
    *,
    checked_on: date,
    npi_kind: int,
    enrolled_from: date | None = None,
    enrolled_to: date | None = None,
    financial_relationship: bool = False,
) -> PractitionerCheck:
    """What NPPES and PECOS said is on file (CERT-06); what the practitioner certified is asked again."""
    physician = fetch(work.session, Physician, physician_id, "physician")
    if enrolled_to is not None and (enrolled_from is None or enrolled_to < enrolled_from):
        raise Invalid("An enrolment ends after it began.", pointer="/enrolled_to")
    if checked_on > work.now.date():
        raise Invalid("The registries were asked today or earlier.", pointer="/checked_on")
    row = PractitionerCheck(
        physician_id=physician.id,
        checked_on=checked_on,
        npi_kind=npi_kind,
        enrolled_from=enrolled_from,
        enrolled_to=enrolled_to,
        financial_relationship=financial_relationship,
        checked_by_id=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # the number is in the trail, and it is the latest when it is asked for
    work.record("practitioner.checked", f"physician:{physician.id}", check=row.id)
    concerned = work.session.execute(
        sa.select(Certification.number, Episode)
        .join(Episode, Episode.id == Certification.episode_id)
        .where(Certification.physician_id == physician.id, Certification.status.in_(sorted(STANDING_CERTIFICATION)))
        .order_by(Certification.id)
    ).all()
    for number, episode in concerned:
        ask_anew(work, episode, number)
    return row
