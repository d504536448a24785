"""Letters: written with the facts that they tell, in the same transaction, and sent after the commit by the worker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import force_locale
from sqlalchemy.orm import Mapped, Session, mapped_column

from exchange import jobs
from exchange.db import Base, Id, table_of


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


_WRITE = table_of(Letter).insert().returning(table_of(Letter).c.id)


def write(
    session: Session, recipients: Iterable[tuple[str, str]], template: str, *, at: datetime, **facts: Any
) -> None:
    """Write a letter to each (address, language) from ``templates/mail/``; its first line is the subject.

    It knows these facts alone: nothing of the page, nor of who reads it.
    """
    written = current_app.jinja_env.get_template(f"mail/{template}.txt")
    for recipient, language in recipients:
        with force_locale(language):
            subject, _, body = written.render(facts).partition("\n")
        send_later(session, recipient, subject.strip(), body.strip() + "\n", at=at)


def send_later(session: Session, recipient: str, subject: str, body: str, *, at: datetime) -> None:
    """Keep a letter, and queue its departure."""
    letter = {"recipient": recipient, "subject": subject, "body": body, "written_at": at}
    jobs.defer(session, "send_letter", letter=session.scalar(_WRITE, letter))
