"""Pages of charters: the text that everybody may read, and the lender's office that writes it."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import idempotency
from exchange.catalogue import queries as catalogue
from exchange.charters import operations, queries
from exchange.charters.forms import CharterForm
from exchange.charters.queries import CharterView
from exchange.db import db
from exchange.errors import Invalid, NotFound, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office
from ledger.errors import Refused

charters = Blueprint("charters", __name__)


@charters.get("/chartes/<charter>")
def show(charter: str) -> str:
    """One version of a charter, for everybody."""
    found = queries.version(db.session(), charter)
    if found is None:
        raise NotFound
    lender = members.parties(db.session(), [found.lender_id])[found.lender_id]
    return render_template("charters/show.html", charter=found, lender=lender)


@charters.get("/preteurs/<lender>/chartes")
@auth_required()
def index(lender: str) -> str:
    """The charters of a lender: for all its places, and those that have their own."""
    desk, session = office("rules.write", lender), db.session()
    return render_template(
        "charters/index.html", lender=desk.party, charters=queries.of_lender(session, desk.party.id),
        places={place.id: place for place in catalogue.places_of(session, desk.party.id)},
    )  # fmt: skip


@charters.get("/preteurs/<lender>/chartes/nouvelle")
@auth_required()
def new(lender: str) -> str:
    """The form of a charter."""
    return _page(office("rules.write", lender), CharterForm(formdata=None), None)


@charters.get("/preteurs/<lender>/chartes/<charter>")
@auth_required()
def edit(lender: str, charter: str) -> str:
    """A charter, to write its next version, and who accepted this one."""
    desk, kept = _kept(lender, charter)
    form = CharterForm(formdata=None, title=kept.title, text=kept.text, asked=kept.asked, version=str(kept.number))
    return _page(desk, form, kept)


def _kept(lender: str, charter: str) -> tuple[Office, CharterView]:
    desk = office("rules.write", lender)
    found = queries.of_token(db.session(), desk.party.id, charter)
    if found is None:
        raise NotFound
    return desk, found


def _page(desk: Office, form: CharterForm, kept: CharterView | None) -> str:
    session = db.session()
    places = catalogue.places_of(session, desk.party.id)
    form.place.choices = [("", _("Tous nos lieux, sauf ceux qui ont la leur")),
                          *((place.token, place.name) for place in places)]  # fmt: skip
    found, in_all = queries.acceptances(session, kept.id) if kept else ([], 0)
    return render_template(
        "charters/charter.html", lender=desk.party, form=form, kept=kept, accepted=found, in_all=in_all,
        parties=members.parties(session, [each.party_id for each in found]),
        names=members.sign_in_names(session, [each.by_sign_in for each in found]),
    )  # fmt: skip


@charters.post("/preteurs/<lender>/chartes/nouvelle")
@auth_required()
def create(lender: str) -> Response | tuple[str, int]:
    """Write a charter, once for one key."""
    return _written(office("rules.write", lender), None)


@charters.post("/preteurs/<lender>/chartes/<charter>")
@auth_required()
def rewrite(lender: str, charter: str) -> Response | tuple[str, int]:
    """Write its next version, once for one key."""
    return _written(*_kept(lender, charter))


def _written(desk: Office, kept: CharterView | None) -> Response | tuple[str, int]:
    form = CharterForm()
    if not form.validate():
        return _page(desk, form, kept), 422
    try:
        location = _once(desk, form, kept)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, form, kept), status_of(error)
    flash(_("La charte est enregistrée. Elle est demandée à partir de maintenant.") if form.asked.data
          else _("La charte est enregistrée. Elle n’est pas demandée."), "success")  # fmt: skip
    return redirect(location, 303)


def _once(desk: Office, form: CharterForm, kept: CharterView | None) -> str:
    place = kept.place_id if kept else _place(desk, form)
    said = {"title": form.title.data, "text": form.text.data, "asked": bool(form.asked.data), "place": place}
    read = kept._replace(number=_number(form)) if kept else None

    def write(session: Session, at: datetime) -> Done:
        operations.write(session, lender=desk.party.id, after=read, by=desk.by, at=at, **said)
        return Done(url_for("charters.index", lender=desk.party.token))

    content = idempotency.digest(request.path, said)
    return idempotency.once(write, party=desk.by.party, key=form.key.data, content=content).location or "/"


def _place(desk: Office, form: CharterForm) -> int | None:
    """The place that was chosen. Raises Invalid for one that isn't the lender's."""
    if not form.place.data:
        return None
    found = catalogue.place_by_token(db.session(), desk.party.id, form.place.data)
    if found is None:
        raise Invalid(field="place", why="unknown")
    return found.id


def _number(form: CharterForm) -> int:
    """The version that the person read; what no page wrote is none."""
    said = form.version.data or ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0
