"""Beginning to lend, in three screens: what it is; when, how and where; and it is there for everybody."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import idempotency
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import NotFound
from exchange.forms import MOST_SENT
from exchange.idempotency import Done
from exchange.lending import operations, queries
from exchange.lending.forms import TermsForm, ThingForm
from exchange.members.queries import Held
from exchange.pictures import queries as pictures
from exchange.security import Office, auth_required, held, office, today
from ledger.errors import Refused

lending = Blueprint("lending", __name__)


@lending.url_value_preprocessor
def _what_a_camera_gives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A photograph that is too large is refused beside its field, with the words that were typed for it."""
    if endpoint == "lending.begin" and request.method == "POST":
        request.max_content_length = MOST_SENT


@lending.route("/preter", methods=["GET", "POST"])
@auth_required()
def begin() -> Response | str | tuple[str, int]:
    """What one lends: kept, and shown to nobody before its conditions are known."""
    mine = queries.lenders(db.session(), held(), on=today())
    if request.method != "POST":
        return _thing_page(mine, ThingForm(formdata=None, lender=mine[0].party_token if mine else None))
    form = ThingForm()
    form.lender.choices = _choices(mine)
    complete, photo = form.validate(), form.file.given()
    if not complete or form.file.errors:
        return _thing_page(mine, form), 422
    try:
        return redirect(_begin_once(mine, form, photo), 303)
    except Refused as error:
        if error.rule in {"key-reused", "not-allowed"}:
            raise
        form.refuse(error)
        return _thing_page(mine, form), 422


def _thing_page(mine: list[Held], form: ThingForm) -> str:
    form.lender.choices = _choices(mine)
    return render_template("lending/begin.html", form=form, mine=mine)


def _choices(mine: list[Held]) -> list[tuple[str, str]]:
    return [(each.party_token, each.party_name) for each in mine]


def _begin_once(mine: list[Held], form: ThingForm, photo: bytes | None) -> str:
    through = next(each for each in mine if each.party_token == form.lender.data)
    several = form.kind.data == "pool"
    it = operations.Thing(form.name.data or "", form.description.data or "", form.quantity.data if several else None,
                          photo, form.words.data or "")  # fmt: skip

    def write(session: Session, at: datetime) -> Done:
        kept = operations.begin(session, through, it, today=today(), at=at)
        return Done(url_for("lending.terms", lender=through.party_token, resource=kept))

    said = it._asdict() | {"photo": hashlib.sha256(photo or b"").hexdigest()}
    content = idempotency.digest(request.path, said)
    return idempotency.once(write, party=through.party_id, key=form.key.data, content=content).location or "/"


@lending.route("/preteurs/<lender>/ressources/<resource>/pret", methods=["GET", "POST"])
@auth_required()
def terms(lender: str, resource: str) -> Response | str | tuple[str, int]:
    """When, how and where it is lent; then everybody sees it. What is published already is changed on its own page."""
    here, it = _mine(lender, resource)
    if request.method != "POST" and it.status != "ready":
        return redirect(url_for("catalogue.edit", lender=lender, resource=resource), 303)
    if request.method != "POST":
        return _terms_page(here, it, TermsForm(formdata=None, conditions=it.conditions, decided_by=it.decided_by,
                                               **_where(here)))  # fmt: skip
    form = TermsForm()
    if not form.validate():
        return _terms_page(here, it, form), 422
    try:
        return redirect(_publish_once(here, it, form), 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _terms_page(here, it, form), 422


def _mine(lender: str, resource: str) -> tuple[Office, ResourceView]:
    """What an officer lends, but no room: that needs more than these questions. Raises NotFound, NotAllowed."""
    here = office("catalogue.manage", lender)
    found = catalogue.mine_by_token(db.session(), here.party.id, resource)
    if found is None or found.kind == "room":
        raise NotFound
    return here, found


def _where(here: Office) -> dict[str, str]:
    """Where the lender lent something from before, if they did."""
    known = catalogue.places_of(db.session(), here.party.id)
    return {"address": known[-1].address, "town": known[-1].town} if known else {}


def _terms_page(here: Office, it: ResourceView, form: TermsForm) -> str:
    return render_template("lending/terms.html", form=form, here=here, resource=it)


def _publish_once(here: Office, it: ResourceView, form: TermsForm) -> str:
    said = operations.Terms(form.address.data or "", form.town.data or "", form.facts)

    def write(session: Session, at: datetime) -> Done:
        operations.publish(session, here.party, it.token, said, by=here.by, at=at)
        return Done(url_for("lending.lent", lender=here.party.token, resource=it.token))

    content = idempotency.digest(request.path, said._asdict())
    return idempotency.once(write, party=here.party.id, key=form.key.data, content=content).location or "/"


@lending.get("/preteurs/<lender>/ressources/<resource>/publie")
@auth_required()
def lent(lender: str, resource: str) -> str:
    """It is published: what comes next."""
    here, it = _mine(lender, resource)
    if it.status != "published":
        raise NotFound
    return render_template("lending/lent.html", here=here, resource=it,
                           picture=pictures.firsts(db.session(), [it.id]).get(it.id))  # fmt: skip
