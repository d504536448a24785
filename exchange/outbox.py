"""Letters: written with the facts that they tell, in the same transaction, and sent after the commit by the worker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import force_locale
from sqlalchemy.orm import Mapped, Session, mapped_column

from exchange import jobs
from exchange.db import Base, Id


class Letter(Base):
    """One mail to one address; ``sent_at`` once it left."""

    __tablename__ = "outbox"
    id: Mapped[Id]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    failure: Mapped[str | None] = mapped_column(default=None)


def write(
    session: Session, recipients: Iterable[tuple[str, str]], template: str, *, at: datetime, **facts: Any
) -> None:
    """Write a letter to each (address, language) from ``templates/mail/``; its first line is the subject."""
    for recipient, language in recipients:
        with force_locale(language):
            subject, _, body = render_template(f"mail/{template}.txt", **facts).partition("\n")
        letter = Letter(recipient=recipient, subject=subject.strip(), body=body.strip() + "\n", written_at=at)
        send_later(session, letter)


def send_later(session: Session, letter: Letter) -> None:
    """Keep a letter, and queue its departure."""
    session.add(letter)
    session.flush()
    jobs.defer(session, "send_letter", letter=letter.id)
