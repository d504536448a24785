"""Pages of the lender's office about one document of a request: look at it, refuse it, note that it was seen."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.bookings import filing
from exchange.bookings.filing import Asked, asked_paper
from exchange.bookings.giving import bookings
from exchange.bookings.papers import RefusalForm, SeenForm
from exchange.bookings.telling import tell
from exchange.db import db, transaction
from exchange.documents import queries as documents
from exchange.documents.queries import DocumentView
from exchange.errors import AlreadyAnswered, status_of
from exchange.idempotency import Done
from exchange.security import auth_required
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


@bookings.get("/preteurs/<lender>/reservations/<booking>/documents/<document_kind>")
@auth_required()
def request_paper(lender: str, booking: str, document_kind: str) -> str:
    """One document that a request asks for."""
    return _page(asked_paper(lender, booking, document_kind))


def _page(asked: Asked, refusal: RefusalForm | None = None, seen: SeenForm | None = None) -> str:
    refusal = refusal or RefusalForm(formdata=None, document=asked.paper.document)
    seen = seen or SeenForm(formdata=None)
    told = tell([asked.booking], typed_by=False)[0]
    return render_template("bookings/request_paper.html", told=told, booking=asked.booking, lender=asked.lender,
                           paper=asked.paper, refusal=refusal, seen=seen,
                           form=refusal if refusal.errors else seen)  # fmt: skip


def _read(asked: Asked, token: str | None) -> DocumentView:
    """The document that was read. Raises AlreadyAnswered when another took its place meanwhile."""
    found = documents.by_token(db.session(), token or "") if token == asked.paper.document else None
    if found is None or found.refused or found.source != "file":
        raise AlreadyAnswered
    return found


@bookings.post("/preteurs/<lender>/reservations/<booking>/documents/<document_kind>/verification")
@auth_required()
def verify_paper(lender: str, booking: str, document_kind: str) -> Response:
    """It is what was asked for."""
    asked = asked_paper(lender, booking, document_kind)
    found = _read(asked, request.form.get("document"))
    with transaction() as session:
        filing.verify(session, asked, found, at=clock.now())
    flash(_("C’est vérifié."), "success")
    return _back(asked)


def _back(asked: Asked) -> Response:
    address = url_for("bookings.request_", lender=asked.lender.token, booking=asked.booking.token)
    return redirect(f"{address}#dossier", 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/documents/<document_kind>/refus")
@auth_required()
def refuse_paper(lender: str, booking: str, document_kind: str) -> Response | tuple[str, int]:
    """It won't do, for a reason that its party reads."""
    asked, form = asked_paper(lender, booking, document_kind), RefusalForm()
    if not form.validate():
        return _page(asked, refusal=form), 422
    found = _read(asked, form.document.data)
    with transaction() as session:
        filing.refuse(session, asked, found, reason=form.reason.data or "", at=clock.now())
    flash(_("C’est refusé. La personne en est avertie, et peut en donner un autre."), "success")
    return _back(asked)


@bookings.post("/preteurs/<lender>/reservations/<booking>/documents/<document_kind>/papier")
@auth_required()
def note_paper_seen(lender: str, booking: str, document_kind: str) -> Response | tuple[str, int]:
    """The office has it in its hands, once for one key."""
    asked, form = asked_paper(lender, booking, document_kind), SeenForm()
    if not form.validate():
        return _page(asked, seen=form), 422

    def note(session: Session, at: datetime) -> Done:
        filing.note_paper(session, asked, valid_until=form.valid_until.data, at=at)
        return Done(_back(asked).location)

    content = idempotency.digest(request.path, {"until": form.valid_until.data})
    try:
        done = idempotency.once(note, party=asked.by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(asked, seen=form), status_of(error)
    flash(_("C’est noté : vu sur papier."), "success")
    return redirect(done.location or "/", 303)
