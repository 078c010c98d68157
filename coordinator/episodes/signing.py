"""A practitioner's own certifications: to read, to mark as read, and to sign, each at a version and a hash (CERT-01).

As with orders: the password is asked for again, what changed since it was read is not signed, and nobody signs with
another's name: who stands in for the practitioner today signs with their own, and the rules ask about them (ORD-04).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from coordinator.access.proof import Proof, prove_again
from coordinator.access.service import Doorman
from coordinator.agency import service as agency
from coordinator.core.errors import Conflict, Forbidden, NotFound, Refusal, RuleBroken, StaleVersion
from coordinator.core.work import Work, permitted
from coordinator.domain.events import CertificationSigned
from coordinator.domain.timeline import local_day
from coordinator.domain.vocabulary import CertificationStatus
from coordinator.episodes.asking import ask_anew
from coordinator.episodes.certifying import require_complete
from coordinator.episodes.model import Certification, CertificationSignature
from coordinator.episodes.reading import certifier_facts
from coordinator.patients.model import Episode, Patient
from coordinator.rules.certification import ask_certifier
from coordinator.staff.model import Physician
from coordinator.teams.service import acts_for, covering_physicians

#: What a practitioner puts a name to, in the order of the signed text.
SIGNED_FIELDS = (
    "homebound", "skilled_need", "plan_established", "under_care", "face_to_face_on", "estimated_further_duration",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignItem:
    """What a practitioner says they sign: a certification at a version, with the hash of its text."""

    id: int
    version: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class SignResult:
    """What became of one item. `code` is `signed`, or why not."""

    id: int
    code: str
    status: int
    detail: str


def signed_text(row: Certification) -> str:
    """Everything that a signature covers, one item a line, the same for the same content for ever."""
    lines = [
        f"certification {row.id}",
        f"patient {row.patient_id}, episode {row.episode_id}, certification period {row.number}",
        f"practitioner {row.physician_id}",
    ]
    for name in SIGNED_FIELDS:
        value = getattr(row, name)
        said = "yes" if value is True else "no" if value is False else "-" if value is None else str(value)
        lines += [f"{name}:", *(f"  {line}" for line in said.split("\n"))]
    return "\n".join(lines) + "\n"


def content_hash(row: Certification) -> str:
    """SHA-256 of the signed text, in hexadecimal."""
    return hashlib.sha256(signed_text(row).encode()).hexdigest()


@permitted("certification:sign")
def certification_queue(work: Work) -> list[Certification]:
    """What waits for the actor's signature, or for one's for whom they stand in today; longest first."""
    _signer(work)
    rows = list(
        work.session.execute(
            sa.select(Certification)
            .where(
                acts_for(work, Certification.physician_id, Certification.patient_id),
                Certification.status == CertificationStatus.SENT_FOR_SIGNATURE,
            )
            .order_by(Certification.sent_at, Certification.id)
        ).scalars()
    )
    for row in rows:
        work.record("certification.read", f"certification:{row.id}", patient_id=row.patient_id)
    return rows


@permitted("certification:sign")
def review_certification(work: Work, certification_id: int, version: int) -> Certification:
    """The actor has read the statement at that version. Reading is no edit: the version stays."""
    row = _own(work, certification_id)
    if row.version != version:
        raise StaleVersion("The certification was changed since you read it. Read it again.", etag=f'"{row.version}"')
    work.session.flush()  # nothing of the row may wait while it is written past the unit of work
    work.session.execute(
        sa.update(Certification.__table__)  # type: ignore[arg-type]
        .where(Certification.__table__.c.id == row.id)
        .values(reviewed_at=work.now, reviewed_version=version)
    )
    set_committed_value(row, "reviewed_at", work.now)
    set_committed_value(row, "reviewed_version", version)
    work.record("certification.reviewed", f"certification:{row.id}", patient_id=row.patient_id, version=version)
    return row


@permitted("certification:sign")
def sign_certifications(work: Work, doorman: Doorman, items: Sequence[SignItem], proof: Proof) -> list[SignResult]:
    """Sign what was read, item by item. Whoever signs proves again who they are; else nothing is signed (SEC-07).

    Forbidden `step-up-required` for a wrong proof, which the door keeps, so that the attempt is counted.
    """
    signer = work.session.get_one(Physician, _signer(work))
    method = prove_again(work, doorman, proof)
    return [_sign_item(work, signer, item, method) for item in items]


def _sign_item(work: Work, signer: Physician, item: SignItem, method: str) -> SignResult:
    """One item in a savepoint of its own: what is refused leaves nothing behind, not even an audit line."""
    so_far = len(work.trail)
    try:
        with work.session.begin_nested():
            _sign(work, signer, item, method)
            work.session.flush()  # what the database refuses is refused for this item alone
        return SignResult(item.id, "signed", 200, "Signed.")
    except Refusal as refusal:
        result = SignResult(item.id, refusal.problem_code, refusal.status, refusal.detail)
    except StaleDataError:
        result = SignResult(item.id, "stale-version", 412, "Somebody changed it in the same moment. Read it again.")
    del work.trail[so_far:]
    work.record("certification.not-signed", f"certification:{item.id}", outcome="deny", code=result.code)
    return result


def _sign(work: Work, signer: Physician, item: SignItem, method: str) -> None:
    row = _own(work, item.id)
    if row.version != item.version or content_hash(row) != item.content_hash:
        raise StaleVersion("The certification was changed since you read it. Read it again; it was not signed.")
    if row.reviewed_version != item.version:
        raise Conflict("It was not read at this version. Open and read it first.", code="not-reviewed")
    episode = work.session.get_one(Episode, row.episode_id)
    patient = work.session.get_one(Patient, row.patient_id)
    today = local_day(work.now, agency.zone_of(work, patient.branch_id))
    require_complete(work, episode, row)
    refused = ask_certifier(certifier_facts(work, episode, signer, today), work.policy)
    if refused is not None:
        raise RuleBroken([refused], code="certifier-not-accepted")
    signature = CertificationSignature(
        certification_id=row.id,
        physician_id=signer.id,
        user_id=work.actor.user_id or 0,
        certification_version=row.version,
        content_hash=content_hash(row),
        text=signed_text(row),
        method=method,
        at=work.now,
    )
    work.session.add(signature)
    row.status, row.signed_at = CertificationStatus.SIGNED, work.now
    work.session.flush()  # the signature is there before others act on it
    work.record(
        "certification.signed", f"certification:{row.id}", patient_id=row.patient_id,
        version=signature.certification_version, hash=signature.content_hash,
        covering_for=None if row.physician_id == signer.id else row.physician_id,
    )  # fmt: skip
    work.publish(
        CertificationSigned(
            patient_id=row.patient_id, episode_id=row.episode_id, certification_id=row.id, number=row.number,
            signed_on=today,
        )
    )  # fmt: skip
    ask_anew(work, episode, row.number)


def _signer(work: Work) -> int:
    if work.actor.physician_id is None:
        raise Forbidden("Only a practitioner with an account of their own certifies.", code="not-a-practitioner")
    return work.actor.physician_id


def _own(work: Work, certification_id: int) -> Certification:
    """The actor's own statement, or of one for whom they stand in today, sent and unsigned, locked.

    Another practitioner's sounds like a missing one.
    """
    signer = _signer(work)
    row = work.session.execute(
        sa.select(Certification)
        .where(Certification.id == certification_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar()
    if row is None or row.sent_at is None:
        raise NotFound("certification")
    if row.physician_id != signer and signer not in covering_physicians(work, row.physician_id, row.patient_id):
        raise NotFound("certification")
    if row.status is not CertificationStatus.SENT_FOR_SIGNATURE:
        raise Conflict("It does not wait for a signature.", code="not-signable", status_now=row.status.value)
    return row
