"""Reads of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.catalogue import queries as catalogue
from exchange.pictures.models import Picture


class PictureView(NamedTuple):
    """A picture, without its bytes; ``width`` and ``height`` (points) are those of the large one."""

    token: str
    words: str
    width: int
    height: int


class Shown(NamedTuple):
    """The bytes of a picture, the lender of what it shows, and whether everybody may see that."""

    data: bytes
    lender: int
    published: bool


def of_resource(session: Session, resource: int) -> Sequence[PictureView]:
    """The pictures of a resource, in order."""
    found = session.execute(
        select(Picture.token, Picture.words, Picture.width, Picture.height)
        .where(Picture.resource_id == resource)
        .order_by(Picture.position)
    )
    return [PictureView(*row) for row in found]


def shown(session: Session, token: str, *, large: bool) -> Shown | None:
    """One picture in one of its sizes."""
    row = session.execute(
        select(Picture.large if large else Picture.small, Picture.resource_id).where(Picture.token == token)
    ).one_or_none()
    if row is None:
        return None
    data, resource = row
    of = catalogue.views(session, [resource])[resource]
    return Shown(data, of.lender_id, of.status == "published")
