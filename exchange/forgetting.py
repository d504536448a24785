"""What is kept for a time only: the answers of requests that wrote no entry, the letters that left, the places on
waiting lists, the documents that are over.
"""

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
_PLACES = [
    text(f"DELETE FROM {table} p USING wishes w WHERE w.id = p.wish_id AND w.ends_at < :before")  # noqa: S608
    for table in ("wish_ends", "wish_turns", "wish_items")
] + [text("DELETE FROM wishes w WHERE w.ends_at < :before")]  # fmt: skip


class Forgotten(NamedTuple):
    """How many rows went."""

    answers: int
    letters: int
    places: int
    documents: int = 0


def forget(session: Session, *, at: datetime) -> Forgotten:
    """Forget what is more than thirty days old, and the files of documents after the delays of their policy.

    A letter that never left stays, for who looks for the reason; of a place on a waiting list, what counts is the day
    that was waited for.
    """
    before = {"before": at - KEPT}
    done = [session.execute(old, before).rowcount for old in (_ANSWERS, _LETTERS, *_PLACES)]  # type: ignore[attr-defined]
    return Forgotten(done[0], done[1], done[-1], documents.discard(session, today=at.date(), at=at))


@click.command("forget")
def command() -> None:
    """Effacer ce qui ne se garde que trente jours : lettres parties, réponses aux formulaires, listes d’attente."""
    with transaction() as session:
        gone = forget(session, at=clock.now())
    click.echo(f"{gone.letters} lettres, {gone.answers} réponses, {gone.places} places d’attente,"
               f" {gone.documents} documents effacés.")  # fmt: skip
