"""The verbs of a picture: add, remove."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.db import signed
from exchange.errors import NotFound, PicturesFull
from exchange.pictures.drawing import Drawn, drawn
from exchange.pictures.models import Picture
from ledger.entries import Acting

__all__ = ["MOST", "Drawn", "add", "drawn", "remove"]  # how a picture is drawn again, for whatever it shows
MOST = 6
"""Pictures of one resource."""


def add(session: Session, resource: int, *, lender: int, data: bytes, words: str, by: Acting, at: datetime) -> Picture:
    """Add a picture to what a lender lends, in the first place that is free; ``words`` says what it shows.

    Raises NotFound for another's resource, PictureUnreadable, PictureTooLarge, PicturesFull.
    """
    picture = drawn(data)
    catalogue.note(session, resource, "pictured", lender=lender, by=by, at=at)  # its row is locked: one after the other
    taken = set(session.scalars(select(Picture.position).where(Picture.resource_id == resource)))
    free = next((position for position in range(1, MOST + 1) if position not in taken), None)
    if free is None:
        raise PicturesFull(most=MOST)
    added = Picture(
        token=secrets.token_urlsafe(16), resource_id=resource, position=free, words=words, added_at=at,
        **picture._asdict(), **signed(by),
    )  # fmt: skip
    session.add(added)
    session.flush()
    return added


def remove(session: Session, token: str, resource: int, *, lender: int, by: Acting, at: datetime) -> None:
    """Take a picture away, for good: it may show somebody who asks for it. Raises NotFound."""
    found = session.scalar(select(Picture).where(Picture.token == token, Picture.resource_id == resource))
    if found is None:
        raise NotFound
    catalogue.note(session, resource, "unpictured", lender=lender, by=by, at=at)
    session.delete(found)
    session.flush()
