"""Pages of a lender's office: its register of keys and badges, and where each of them is."""

from __future__ import annotations

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
from exchange.idempotency import Done
from exchange.keys import operations, queries
from exchange.keys.forms import KeyForm
from exchange.keys.queries import KeyView
from exchange.security import Office, auth_required, office
from ledger.errors import Refused

keys = Blueprint("keys", __name__)
MOST_ROOMS = 500


@keys.get("/preteurs/<lender>/cles")
@auth_required()
def index(lender: str) -> str:
    """The register, and a form for one more key."""
    desk = office("booking.decide", lender)
    form, _places, _rooms = _form(desk, formdata=None)
    return _page(desk, form)


def _form(desk: Office, **given: Any) -> tuple[KeyForm, dict[str, Any], dict[str, ResourceView]]:
    """The form with what a key may open, which is also returned by its random identifier."""
    session, form = db.session(), KeyForm(**given)
    places = {place.token: place for place in catalogue.places_of(session, desk.party.id)}
    lent = catalogue.of_lender(session, desk.party.id, size=MOST_ROOMS).rows
    rooms = {it.token: it for it in lent if it.kind == "room" and it.retired_at is None}
    form.place.choices = [("", _("Aucun")), *((token, place.name) for token, place in places.items())]
    form.opens.choices = [(token, it.name) for token, it in rooms.items()]
    return form, places, rooms


def _page(desk: Office, form: KeyForm) -> str:
    session = db.session()
    kept = queries.of_lender(session, desk.party.id)
    return render_template(
        "keys/index.html", lender=desk.party, form=form, kept=kept, out=queries.out_to(session, kept),
        opened=catalogue.views(session, {id_ for key in kept for id_ in key.opens}),
        places={place.id: place for place in catalogue.places_of(session, desk.party.id)},
    )  # fmt: skip


@keys.post("/preteurs/<lender>/cles")
@auth_required()
def create(lender: str) -> Response | tuple[str, int]:
    """Write down a key, once for one key of idempotency."""
    desk = office("booking.decide", lender)
    form, places, rooms = _form(desk)
    if not form.validate():
        return _page(desk, form), 422

    def write(session: Session, at: datetime) -> Done:
        operations.add(session, lender=desk.party.id, **_said(form, places, rooms), by=desk.by, at=at)
        return Done(url_for("keys.index", lender=lender))

    said = {"label": form.label.data, "place": form.place.data, "opens": form.opens.data, "note": form.note.data}
    try:
        done = idempotency.once(write, party=desk.party.id, key=form.key.data,
                                content=idempotency.digest(request.path, said))  # fmt: skip
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, form), 422
    flash(_("C’est ajouté."), "success")
    return redirect(done.location or "/", 303)


def _said(form: KeyForm, places: dict[str, Any], rooms: dict[str, ResourceView]) -> dict[str, Any]:
    place = places.get(form.place.data or "")
    opens = [rooms[token].id for token in form.opens.data or () if token in rooms]
    return {"label": form.label.data, "note": form.note.data or "", "place": place.id if place else None,
            "opens": opens}  # fmt: skip


@keys.get("/preteurs/<lender>/cles/<key>")
@auth_required()
def show(lender: str, key: str) -> str:
    """One key: what it opens, who has it."""
    desk, found = _mine(lender, key)
    form, places, rooms = _form(desk, formdata=None, label=found.label, note=found.note)
    form.place.data = next((token for token, place in places.items() if place.id == found.place_id), "")
    form.opens.data = [token for token, it in rooms.items() if it.id in found.opens]
    return _one(desk, found, form)


def _mine(lender: str, key: str) -> tuple[Office, KeyView]:
    desk = office("booking.decide", lender)
    found = queries.mine(db.session(), key, desk.party.id)
    if found is None:
        raise NotFound
    return desk, found


def _one(desk: Office, found: KeyView, form: KeyForm) -> str:
    out = queries.out_to(db.session(), [found]).get(found.id)
    return render_template("keys/show.html", lender=desk.party, key=found, form=form, out=out)


@keys.post("/preteurs/<lender>/cles/<key>")
@auth_required()
def update(lender: str, key: str) -> Response | tuple[str, int]:
    """Say otherwise what it is called and opens."""
    desk, found = _mine(lender, key)
    form, places, rooms = _form(desk)
    if not form.validate():
        return _one(desk, found, form), 422
    try:
        with transaction() as session:
            operations.edit(session, key, lender=desk.party.id, **_said(form, places, rooms))
    except Refused as error:
        form.refuse(error)
        return _one(desk, found, form), 422
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("keys.index", lender=lender), 303)


@keys.post("/preteurs/<lender>/cles/<key>/perte")
@auth_required()
def note_lost(lender: str, key: str) -> Response:
    """It is not in its drawer."""
    desk, _found = _mine(lender, key)
    with transaction() as session:
        operations.note_lost(session, key, lender=desk.party.id, at=clock.now())
    flash(_("C’est noté : elle ne sera plus proposée."), "success")
    return redirect(url_for("keys.show", lender=lender, key=key), 303)


@keys.post("/preteurs/<lender>/cles/<key>/retrouvee")
@auth_required()
def note_found(lender: str, key: str) -> Response:
    """It is there again."""
    desk, _found = _mine(lender, key)
    with transaction() as session:
        operations.note_found(session, key, lender=desk.party.id)
    flash(_("C’est noté : elle est de nouveau là."), "success")
    return redirect(url_for("keys.show", lender=lender, key=key), 303)


@keys.post("/preteurs/<lender>/cles/<key>/retrait")
@auth_required()
def retire(lender: str, key: str) -> Response:
    """It is in the register no more."""
    desk, _found = _mine(lender, key)
    with transaction() as session:
        operations.retire(session, key, lender=desk.party.id, at=clock.now())
    flash(_("Elle n’est plus dans la liste. Ce qui a été noté reste."), "success")
    return redirect(url_for("keys.index", lender=lender), 303)
