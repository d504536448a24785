"""What an organisation is, beside being a party."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base


class Organisation(Base):
    """An association, a firm, a school, a local authority or a social centre; its class decides its tariffs."""

    __tablename__ = "organisations"
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    kind: Mapped[str]
    class_: Mapped[str] = mapped_column("class")
    about: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
