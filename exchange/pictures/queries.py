"""Reads of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
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
    """The bytes of a picture and their type, the lender of what it shows, and whether everybody may see that."""

    data: bytes
    type: str
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


def firsts(session: Session, resources: Iterable[int]) -> dict[int, str]:
    """The token of the first picture of each of these resources that has one."""
    wanted = list(resources)
    rows = session.execute(
        select(Picture.resource_id, Picture.token)
        .where(Picture.resource_id.in_(wanted))
        .ext(distinct_on(Picture.resource_id))
        .order_by(Picture.resource_id, Picture.position)
    ) if wanted else ()  # fmt: skip
    return {row[0]: row[1] for row in rows}


# The sizes of a picture, by the word of its address, with the type of each.
SCALES = {
    "grande": (Picture.large, "image/jpeg"), "petite": (Picture.small, "image/jpeg"),
    "vignette": (Picture.miniature, "image/webp"),
}  # fmt: skip


def shown(session: Session, token: str, scale: str) -> Shown | None:
    """One picture in one of its sizes; None for a size that there isn't."""
    if scale not in SCALES:
        return None
    column, type_ = SCALES[scale]
    row = session.execute(select(column, Picture.resource_id).where(Picture.token == token)).one_or_none()
    if row is None:
        return None
    data, resource = row
    of = catalogue.views(session, [resource])[resource]
    return Shown(data, type_, of.lender_id, of.status == "published")
