"""Agency, branch and service area."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coordinator.core.db import Base, Versioned, refers_to, row_id


class Agency(Base):
    """The home care agency that runs this installation."""

    __tablename__ = "agency"
    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    npi: Mapped[str | None] = mapped_column(sa.String(10))


class Branch(Versioned, Base):
    """An office of the agency: everything that has a day has it in the branch's zone."""

    __tablename__ = "branch"
    id: Mapped[int] = row_id()
    agency_id: Mapped[int] = refers_to("agency.id")
    code: Mapped[str] = mapped_column(sa.String(20), nullable=False, unique=True)
    name: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    zone: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    office_address: Mapped[str] = mapped_column(sa.String(300), nullable=False)
    office_lat: Mapped[float] = mapped_column(sa.Float, nullable=False)
    office_lon: Mapped[float] = mapped_column(sa.Float, nullable=False)
    #: Optional GeoJSON polygon of the service area; the ZIP list decides where there is none.
    polygon: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    service_zips: Mapped[list["ServiceZip"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class ServiceZip(Base):
    """A ZIP code that the branch serves, from a day on (ELG-5: the area is effective-dated)."""

    __tablename__ = "service_zip"
    id: Mapped[int] = row_id()
    branch_id: Mapped[int] = refers_to("branch.id")
    zip: Mapped[str] = mapped_column(sa.String(10), nullable=False)
    effective_from: Mapped[date] = mapped_column(sa.Date, nullable=False)
    effective_to: Mapped[date | None] = mapped_column(sa.Date)
    __table_args__ = (sa.UniqueConstraint("branch_id", "zip", "effective_from"),)
