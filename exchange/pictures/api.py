"""Pictures of what is lent, for programs."""

from __future__ import annotations

from typing import Any

from flask import url_for

from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import NotFound
from exchange.pictures import queries
from exchange.pictures.schemas import Pictures
from exchange.rest.resources import Resources
from exchange.sentences import N

resources = Resources("pictures", N("Photos"))


@resources.reads("/resources/<resource>/pictures", N("Les photos de ce qui se prête"), gives=Pictures)
def pictures(resource: str) -> dict[str, Any]:
    """Of a published resource; everybody may fetch them."""
    found = catalogue.published_by_token(db.session(), resource)
    if found is None:
        raise NotFound
    return {"items": [_told(picture) for picture in queries.of_resource(db.session(), found.id)]}


def _told(picture: queries.PictureView) -> dict[str, Any]:
    def at(scale: str) -> str:
        return url_for("pictures.show", picture=picture.token, scale=scale, _external=True)

    return {
        "words": picture.words, "large": at("grande"), "small": at("petite"), "miniature": at("vignette"),
        "width": picture.width, "height": picture.height,
    }  # fmt: skip
