"""Pages of who gives documents: all of theirs, the form of one, and each as a file."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as Answer

from exchange import clock, idempotency
from exchange.bookings import filing, queries
from exchange.bookings.answering import bookings
from exchange.bookings.papers import GiveForm
from exchange.bookings.queries import BookingView
from exchange.db import db
from exchange.documents import operations
from exchange.documents import queries as documents
from exchange.documents.queries import File, KindView
from exchange.errors import NotFound, status_of
from exchange.forms import MOST_SENT
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import auth_required, own, today
from ledger.entries import Acting
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``

# a file is for whoever downloads it: no browser runs anything of it here
AS_A_FILE = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


@bookings.url_value_preprocessor
def _what_a_camera_gives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Photographs that are too large are refused beside their field."""
    if endpoint == "bookings.give_document":
        request.max_content_length = MOST_SENT


@bookings.app_template_global("file_of")
def file_of(booking: BookingView) -> File:
    """What a booking asks for, while that may still change something."""
    return documents.file(db.session(), booking.id)


@bookings.get("/mes-documents")
@auth_required()
def my_documents() -> str:
    """What I, and those I act for, gave or am asked for."""
    return render_template("bookings/my_documents.html", papers=filing.mine(), today=today())


@bookings.get("/mes-documents/<party>/<document_kind>")
@auth_required()
def giving_document(party: str, document_kind: str) -> str:
    """The form of one document."""
    whose, kind, _by = filing.party_and_kind(party, document_kind)
    return _page(whose, kind, GiveForm(formdata=None, booking=request.args.get("pour", "")))


def _page(whose: members.PartyView, kind: KindView, form: GiveForm) -> str:
    session, of = db.session(), _booking(form)
    parties = members.parties(session, [kind.lender_id])
    papers = documents.file(session, of.id).papers if of else ()
    paper = next((each for each in papers if each.kind_id == kind.id), None)
    return render_template("bookings/give_document.html", whose=whose, kind=kind, lender=parties[kind.lender_id],
                           form=form, of=of, paper=paper)  # fmt: skip


def _booking(form: GiveForm) -> BookingView | None:
    """The booking for which it is given, if it is one of theirs."""
    said = form.booking.data or ""
    if not (said.isascii() and said.isprintable()):
        return None
    return queries.within(db.session(), said, own("booking.read").parties, at=clock.now())


@bookings.post("/mes-documents/<party>/<document_kind>")
@auth_required()
def give_document(party: str, document_kind: str) -> Answer | tuple[str, int]:
    """Give it, once for one key."""
    whose, kind, by = filing.party_and_kind(party, document_kind)
    form = GiveForm()
    complete, files = form.validate(), form.given()
    if not complete or not files:
        return _page(whose, kind, form), 422
    try:
        location = _once(whose, kind, form, files, by)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(whose, kind, form), status_of(error)
    flash(_("Le document est donné. Merci !"), "success")
    return redirect(location, 303)


def _once(whose: members.PartyView, kind: KindView, form: GiveForm, files: list[bytes], by: Acting) -> str:
    clean, until = operations.cleaned(files), form.valid_until.data
    of = _booking(form)
    back = url_for("bookings.show", booking=of.token) if of else url_for("bookings.my_documents")

    def give(session: Session, at: datetime) -> Done:
        filing.give(session, whose.id, kind, clean, valid_until=until, by=by, at=at)
        return Done(back)

    said = {"files": [hashlib.sha256(data).hexdigest() for data in files], "until": until, "booking": form.booking.data}
    content = idempotency.digest(request.path, said)
    return idempotency.once(give, party=whose.id, key=form.key.data, content=content).location or "/"


@bookings.get("/documents/<document>")
@auth_required()
def document(document: str) -> Answer:
    """A document as a file, for its party and for the office that asks for it."""
    found, kind = filing.readable(document)
    data = documents.data_of(db.session(), found.id)
    if data is None:
        raise NotFound
    answer = Answer(data, mimetype="application/pdf", headers=AS_A_FILE)
    answer.headers.set("Content-Disposition", "attachment", filename=f"{secure_filename(kind.name) or 'document'}.pdf")
    return answer
