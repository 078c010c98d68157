"""Users, sessions and bearer tokens, of which only hashes are stored; and which rules somebody set aside."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, Versioned, may_refer_to, refers_to, row_id


class User(Versioned, Base):
    """A person who signs in (SEC-01: no shared logins). `demo` accounts cannot sign in outside the demo profile."""

    __tablename__ = "app_user"
    id: Mapped[int] = row_id()
    username: Mapped[str] = mapped_column(sa.String(80), nullable=False, unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    display_name: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    roles: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    branch_ids: Mapped[list[int]] = mapped_column(sa.JSON, nullable=False)
    clinician_id: Mapped[int | None] = may_refer_to("clinician.id")
    physician_id: Mapped[int | None] = may_refer_to("physician.id")
    active: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    demo: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    failed_attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInSession(Base):
    """A signed-in browser: ended by idleness, by its absolute age, by sign-out or by revocation (SEC-03)."""

    __tablename__ = "sign_in_session"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    token_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: How the person proved who they are: password, password+totp, password+recovery-code, passkey, ...
    proved_by: Mapped[str] = mapped_column(sa.String(40), nullable=False, default="password")
    #: The browser and the machine in words, as they call themselves; None: unknown.
    device: Mapped[str | None] = mapped_column(sa.String(80))
    #: When and how they last proved it again, in this session.
    proved_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    proved_again_by: Mapped[str | None] = mapped_column(sa.String(20))


class SignInStep(Base):
    """Something asked of a browser that has an age and is answered once: the second factor, a passkey's challenge.

    A row is no session: whoever holds its secret can do nothing but give the answer.
    """

    __tablename__ = "sign_in_step"
    id: Mapped[int] = row_id()
    kind: Mapped[str] = mapped_column(sa.String(30), nullable=False)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False, unique=True)
    user_id: Mapped[int | None] = may_refer_to("app_user.id")
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Authenticator(Base):
    """An app that shows six digits every half minute (RFC 6238). Unconfirmed until the person has typed some."""

    __tablename__ = "authenticator"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    #: Readable with this installation's key alone.
    sealed_secret: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The half minute of the last code that was taken: neither it nor an earlier one is taken again.
    last_step: Mapped[int | None] = mapped_column(sa.BigInteger)


class Passkey(Base):
    """A key that a person's device or key ring keeps behind a PIN, a finger or a face; here is its public half."""

    __tablename__ = "passkey"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    credential_id: Mapped[str] = mapped_column(sa.String(1400), nullable=False, unique=True)
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary, nullable=False)
    #: How often it says it was used; many always say 0.
    sign_count: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    label: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    transports: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutsideIdentity(Base):
    """By which subject of the agency's own identity provider a person is known; their password may be switched off."""

    __tablename__ = "outside_identity"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id", index=False, unique=True)
    issuer: Mapped[str] = mapped_column(sa.String(500), nullable=False)
    subject: Mapped[str] = mapped_column(sa.String(255), nullable=False)
    password_off: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"),)


class RecoveryCode(Base):
    """One of the codes that open an account whose second factor is lost; each opens once."""

    __tablename__ = "recovery_code"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    code_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A bearer token for a program that acts for a user."""

    __tablename__ = "api_token"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    label: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    token_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Override(Base):
    """Somebody permitted set a rule aside for one visit or one order, and said why (BLOCK-OVR).

    It holds for the facts that were found then: `facts["found"]`, and for a visit the clinician and the hour.
    """

    __tablename__ = "override"
    id: Mapped[int] = row_id()
    visit_id: Mapped[int | None] = may_refer_to("visit.id")
    order_id: Mapped[int | None] = may_refer_to("care_order.id")
    rule: Mapped[str] = mapped_column(sa.String(20), nullable=False)
    reason_code: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    user_id: Mapped[int] = refers_to("app_user.id")
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
    __table_args__ = (sa.CheckConstraint("(visit_id IS NULL) <> (order_id IS NULL)", name="one_subject"),)


class EmergencyAccess(Base):
    """Somebody opened one patient's record in an emergency (SEC-02): for some hours, with a reason that is reviewed."""

    __tablename__ = "emergency_access"
    id: Mapped[int] = row_id()
    user_id: Mapped[int] = refers_to("app_user.id")
    patient_id: Mapped[int] = refers_to("patient.id")
    reason_code: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    review_due_on: Mapped[date] = mapped_column(sa.Date, nullable=False)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_by_id: Mapped[int | None] = may_refer_to("app_user.id")
    #: Whether the reviewer found that it was needed.
    justified: Mapped[bool | None] = mapped_column(sa.Boolean)
    review_text: Mapped[str | None] = mapped_column(sa.Text)
