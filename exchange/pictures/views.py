"""Pages of pictures: each one as an image; and, for the lender's office, adding and removing them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.forms import MOST_SENT, PictureForm
from exchange.idempotency import Done
from exchange.pictures import operations, queries
from exchange.security import Office, auth_required, in_office, office
from ledger.errors import Refused

pictures = Blueprint("pictures", __name__)


@pictures.url_value_preprocessor
def _what_a_camera_gives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A photograph that is too large is refused beside its field, with the words that were typed for it."""
    if endpoint == "pictures.create":
        request.max_content_length = MOST_SENT


@pictures.get("/photos/<picture>/<scale>")
def show(picture: str, scale: str) -> Response:
    """A picture of what is published, for everybody; of what isn't, for its lender's office."""
    found = queries.shown(db.session(), picture, scale)
    if found is None or not (found.published or in_office("catalogue.manage", found.lender)):
        raise NotFound
    answer = Response(found.data, mimetype=found.type)
    if found.published:
        answer.headers["Cache-Control"] = "public, max-age=86400, immutable"  # a day: it may be withdrawn
    return answer


@pictures.get("/preteurs/<lender>/ressources/<resource>/photos")
@auth_required()
def index(lender: str, resource: str) -> str:
    """The pictures of one resource, and a form for one more."""
    here, it = _mine(lender, resource)
    return _page(here, it, PictureForm(formdata=None))


def _mine(lender: str, resource: str) -> tuple[Office, ResourceView]:
    here = office("catalogue.manage", lender)
    found = catalogue.mine_by_token(db.session(), here.party.id, resource)
    if found is None:
        raise NotFound
    return here, found


def _page(here: Office, it: ResourceView, form: PictureForm) -> str:
    kept = queries.of_resource(db.session(), it.id)
    return render_template(
        "pictures/index.html", here=here, resource=it, form=form, kept=kept, full=len(kept) >= operations.MOST
    )


@pictures.post("/preteurs/<lender>/ressources/<resource>/photos")
@auth_required()
def create(lender: str, resource: str) -> Response | tuple[str, int]:
    """Add a picture, once for one key."""
    here, it = _mine(lender, resource)
    form = PictureForm()
    complete, data = form.validate(), form.given()
    if not complete or data is None:
        return _page(here, it, form), 422

    def add(session: Session, at: datetime) -> Done:
        operations.add(session, it.id, lender=here.party.id, data=data, words=form.words.data or "", by=here.by, at=at)
        return Done(url_for("pictures.index", lender=lender, resource=resource))

    content = idempotency.digest(request.path, {"file": hashlib.sha256(data).hexdigest(), "words": form.words.data})
    try:
        done = idempotency.once(add, party=here.party.id, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(here, it, form), 422
    flash(_("La photo est ajoutée."), "success")
    return redirect(done.location or "/", 303)


@pictures.post("/preteurs/<lender>/ressources/<resource>/photos/<picture>/retrait")
@auth_required()
def remove(lender: str, resource: str, picture: str) -> Response:
    """Remove a picture for good."""
    here, it = _mine(lender, resource)
    with transaction() as session:
        operations.remove(session, picture, it.id, lender=here.party.id, by=here.by, at=clock.now())
    flash(_("La photo est supprimée."), "success")
    return redirect(url_for("pictures.index", lender=lender, resource=resource), 303)
