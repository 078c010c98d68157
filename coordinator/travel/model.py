"""Road times that were asked for once: between which points, by whose roads, and when."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import ROW_ID, Base, UtcDateTime, refers_to, row_id


class TravelPoint(Base):
    """A place on earth, to about a metre. It says nothing of who lives there, and several may."""

    __tablename__ = "travel_point"
    id: Mapped[int] = row_id()
    #: Hundred-thousandths of a degree, WGS 84: whole numbers are the same on every engine.
    lat_e5: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    lon_e5: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    __table_args__ = (sa.UniqueConstraint("lat_e5", "lon_e5"),)


class TravelLeg(Base):
    """What one road server said about the way from one point to another, on empty roads."""

    __tablename__ = "travel_leg"
    source: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    from_id: Mapped[int] = mapped_column(ROW_ID, sa.ForeignKey("travel_point.id"), primary_key=True)
    to_id: Mapped[int] = refers_to("travel_point.id", primary_key=True)
    #: Free flow. Both None: the server was asked and knows no way, so it is not asked again until this is old.
    seconds: Mapped[float | None] = mapped_column(sa.Float)
    metres: Mapped[float | None] = mapped_column(sa.Float)
    measured_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, index=True)
