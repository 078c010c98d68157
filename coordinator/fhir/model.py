"""What has been imported from where, so that the same file twice changes nothing."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, UtcDateTime, refers_to, row_id


class FhirLink(Base):
    """The row that a FHIR resource became, and the hash of what was taken from it."""

    __tablename__ = "fhir_link"
    id: Mapped[int] = row_id()
    resource_type: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    resource_id: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    patient_id: Mapped[int] = refers_to("patient.id")
    content_hash: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    __table_args__ = (sa.UniqueConstraint("resource_type", "resource_id"),)
