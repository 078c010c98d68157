"""A resource of the directory; loaded from `config/directory.toml`."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from coordinator.core.db import Base, row_id


class Resource(Base):
    """An organisation that a patient can be sent on to."""

    __tablename__ = "resource"
    id: Mapped[int] = row_id()
    key: Mapped[str] = mapped_column(sa.String(40), nullable=False, unique=True)
    kind: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    name_en: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    name_zh_hant: Mapped[str | None] = mapped_column(sa.String(200))
    #: Setting -> yes, no or not_stated.
    settings: Mapped[dict[str, str]] = mapped_column(sa.JSON, nullable=False)
    population: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    services: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    referral_rule: Mapped[str] = mapped_column(sa.String(60), nullable=False)
    is_medical_care: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(sa.JSON, nullable=False, default=dict)
