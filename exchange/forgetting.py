"""What is kept for a time only: the answers of requests that wrote no entry, and the letters that left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import clock
from exchange.db import transaction

KEPT = timedelta(days=30)
_ANSWERS = text("DELETE FROM kept_answers WHERE NOT has_entry AND kept_at < :before")
_LETTERS = text("DELETE FROM outbox WHERE sent_at < :before")


class Forgotten(NamedTuple):
    """How many rows went."""

    answers: int
    letters: int


def forget(session: Session, *, at: datetime) -> Forgotten:
    """Forget what is more than thirty days old. A letter that never left stays, for who looks for the reason."""
    before = {"before": at - KEPT}
    answers, letters = (session.execute(old, before).rowcount for old in (_ANSWERS, _LETTERS))  # type: ignore[attr-defined]
    return Forgotten(answers, letters)


@click.command("forget")
def command() -> None:
    """Effacer ce qui ne se garde que trente jours : lettres parties, réponses aux formulaires."""
    with transaction() as session:
        gone = forget(session, at=clock.now())
    click.echo(f"{gone.letters} lettres, {gone.answers} réponses effacées.")
