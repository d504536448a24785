"""What is kept for a time only: answers of requests that wrote no entry, letters that left, documents that are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import clock
from exchange.db import transaction
from exchange.documents import operations as documents

KEPT = timedelta(days=30)
_ANSWERS = text("DELETE FROM kept_answers WHERE NOT has_entry AND kept_at < :before")
_LETTERS = text("DELETE FROM outbox WHERE sent_at < :before")


class Forgotten(NamedTuple):
    """How many rows went."""

    answers: int
    letters: int
    documents: int = 0


def forget(session: Session, *, at: datetime) -> Forgotten:
    """Forget what is more than thirty days old, and the files of documents after the delays of their policy.

    A letter that never left stays, for who looks for the reason.
    """
    before = {"before": at - KEPT}
    answers, letters = (session.execute(old, before).rowcount for old in (_ANSWERS, _LETTERS))  # type: ignore[attr-defined]
    return Forgotten(answers, letters, documents.discard(session, today=at.date(), at=at))


@click.command("forget")
def command() -> None:
    """Effacer ce qui ne se garde que trente jours : lettres parties, réponses aux formulaires."""
    with transaction() as session:
        gone = forget(session, at=clock.now())
    click.echo(f"{gone.letters} lettres, {gone.answers} réponses, {gone.documents} documents effacés.")
