"""Pages of a lender's office: the documents that it asks for, those to look at, those that expire."""

from __future__ import annotations

from collections.abc import Sequence
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
from exchange.documents import operations, queries
from exchange.documents.forms import CLASSES, SUGGESTIONS, KindForm
from exchange.documents.queries import KindView
from exchange.errors import NotFound, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office, today
from ledger.errors import Refused

documents = Blueprint("documents", __name__)
MOST = 500  # resources to choose from


@documents.get("/preteurs/<lender>/documents")
@auth_required()
def index(lender: str) -> str:
    """What this lender asks for, what it is to look at, and what expires soon."""
    desk, session, at = office("booking.decide", lender), db.session(), clock.now()
    waiting = queries.to_verify(session, desk.party.id, at=at)
    expiring = queries.expiring(session, today=today(), at=at, lender=desk.party.id)
    kinds = queries.kinds_of(session, desk.party.id)
    known = {each.name for each in kinds}
    return render_template(
        "documents/index.html", lender=desk.party, kinds=kinds, waiting=waiting, expiring=expiring, classes=CLASSES,
        people=members.parties(session, {*(each.party_id for each in waiting), *(each.party_id for each in expiring)}),
        resources=catalogue.views(session, {id_ for each in kinds for id_ in each.resources}),
        suggestions={code: each for code, each in SUGGESTIONS.items() if str(each.name) not in known},
    )  # fmt: skip


@documents.post("/preteurs/<lender>/documents/suggestions")
@auth_required()
def suggest(lender: str) -> Response:
    """Ask for one of those that most lenders ask for; once is enough."""
    desk = office("rules.write", lender)
    chosen = SUGGESTIONS.get(request.form.get("which", ""))
    if chosen is not None:
        wording = chosen.wording()
        with transaction() as session:
            if all(each.name != wording.name for each in queries.kinds_of(session, desk.party.id)):
                operations.write(session, wording, lender=desk.party.id, by=desk.by, at=clock.now())
        flash(_("« %(name)s » est demandé à partir de maintenant. Ce qui est déjà réservé ne change pas.",
                name=wording.name), "success")  # fmt: skip
    return redirect(url_for("documents.index", lender=lender), 303)


@documents.get("/preteurs/<lender>/documents/nouveau")
@auth_required()
def new(lender: str) -> str:
    """The form of a kind of document."""
    return _page(office("rules.write", lender), KindForm(formdata=None), None)


@documents.get("/preteurs/<lender>/documents/<document_kind>")
@auth_required()
def edit(lender: str, document_kind: str) -> str:
    """A kind of document, to word it otherwise, or not to ask for it any more."""
    desk, kept = _kept(lender, document_kind)
    rows = _rows(desk)
    tokens = [it.token for it in rows if it.id in kept.resources]
    form = KindForm(
        formdata=None, name=kept.name, help=kept.help, expires=kept.expires, verified=kept.verified,
        classes=kept.classes, categories=kept.categories, resources=tokens, asked=kept.asked, version=str(kept.number),
    )  # fmt: skip
    return _page(desk, form, kept, rows)


def _kept(lender: str, token: str) -> tuple[Office, KindView]:
    desk = office("rules.write", lender)
    found = queries.kind_by_token(db.session(), token)
    if found is None or found.lender_id != desk.party.id:
        raise NotFound
    return desk, found


def _rows(desk: Office) -> list[ResourceView]:
    return catalogue.of_lender(db.session(), desk.party.id, size=MOST).rows


def _offer(form: KindForm, rows: Sequence[ResourceView]) -> None:
    """What may be ticked."""
    form.resources.choices = [(row.token, row.name) for row in rows]
    form.categories.choices = [(each, each) for each in sorted({row.category for row in rows if row.category})]


def _page(desk: Office, form: KindForm, kept: KindView | None, rows: Sequence[ResourceView] | None = None) -> str:
    _offer(form, _rows(desk) if rows is None else rows)
    return render_template("documents/kind.html", lender=desk.party, form=form, kept=kept)


@documents.post("/preteurs/<lender>/documents/nouveau")
@auth_required()
def create(lender: str) -> Response | tuple[str, int]:
    """Ask for a kind of document, once for one key."""
    return _written(office("rules.write", lender), None)


@documents.post("/preteurs/<lender>/documents/<document_kind>")
@auth_required()
def rewrite(lender: str, document_kind: str) -> Response | tuple[str, int]:
    """Word it otherwise, once for one key."""
    return _written(*_kept(lender, document_kind))


def _written(desk: Office, kept: KindView | None) -> Response | tuple[str, int]:
    form, rows = KindForm(), _rows(desk)
    _offer(form, rows)
    if not form.validate():
        return _page(desk, form, kept, rows), 422
    try:
        location = _once(desk, form, kept, {row.token: row.id for row in rows})
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, form, kept, rows), status_of(error)
    flash(_("C’est enregistré. Cela vaut pour les demandes à venir ; ce qui est déjà réservé ne change pas."),
          "success")  # fmt: skip
    return redirect(location, 303)


def _once(desk: Office, form: KindForm, kept: KindView | None, resources: dict[str, int]) -> str:
    wording = form.wording(resources)
    read = kept._replace(number=_number(form)) if kept else None

    def write(session: Session, at: datetime) -> Done:
        operations.write(session, wording, lender=desk.party.id, after=read, by=desk.by, at=at)
        return Done(url_for("documents.index", lender=desk.party.token))

    said: dict[str, Any] = {**wording._asdict(), "version": form.version.data}
    content = idempotency.digest(request.path, said)
    return idempotency.once(write, party=desk.by.party, key=form.key.data, content=content).location or "/"


def _number(form: KindForm) -> int:
    """The version that the person read; what no page wrote is none."""
    said = form.version.data or ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0
