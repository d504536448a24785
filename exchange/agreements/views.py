"""Pages of an agreement for its two sides: read it, accept it, print it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from exchange import clock, paper
from exchange.agreements import queries
from exchange.agreements.forms import AcceptForm
from exchange.agreements.queries import Standing
from exchange.agreements.telling import Reading, accept, printable, reading_of, sentence
from exchange.bookings.queries import BookingView
from exchange.db import db, transaction
from exchange.errors import status_of
from exchange.members import queries as members
from exchange.security import auth_required, own_name
from ledger.errors import Refused

agreements = Blueprint("agreements", __name__)


@agreements.app_template_global("agreement_of")
def agreement_of(booking: BookingView) -> Standing | None:
    """The agreement of a loan, for the pages of the loan itself, which know nothing of agreements."""
    return queries.standing(db.session(), booking.id)


@agreements.get("/conventions/<agreement>")
@auth_required()
def show(agreement: str) -> str:
    """An agreement, and whose turn it is to accept it."""
    reading = reading_of(agreement)
    return _page(reading, AcceptForm(formdata=None, digest=reading.agreement.digest.hex()))


def _page(reading: Reading, form: AcceptForm) -> str:
    agreement = reading.agreement
    noted = [each.by_sign_in for each in agreement.signatures.values() if each.how == "paper"]
    return render_template(
        "agreements/show.html", reading=reading, agreement=agreement, loan=reading.loan, form=form,
        others=[each for each in queries.all_of(db.session(), agreement.booking_id) if each.id != agreement.id],
        names=members.sign_in_names(db.session(), noted),
        sentence=sentence(reading.side, reading.loan, agreement.called, own_name()),
    )  # fmt: skip


@agreements.post("/conventions/<agreement>/acceptation")
@auth_required()
def accept_(agreement: str) -> Response | tuple[str, int]:
    """I accept the text that I was shown."""
    reading, form = reading_of(agreement), AcceptForm()
    if not form.validate():
        return _page(reading, form), 422
    try:
        with transaction() as session:
            accept(session, reading, digest_of(form.digest.data), at=clock.now())
    except Refused as error:
        reading = reading_of(agreement)
        form.digest.data = reading.agreement.digest.hex()
        form.refuse(error)
        return _page(reading, form), status_of(error)
    flash(_("C’est accepté."), "success")
    return redirect(url_for("agreements.show", agreement=agreement), 303)


def digest_of(said: str | None) -> bytes:
    """The digest that a page or a program sends back; anything else is no digest."""
    try:
        return bytes.fromhex(said or "")
    except ValueError:
        return b""


@agreements.get("/conventions/<agreement>/papier")
@auth_required()
def printed(agreement: str) -> Response:
    """The same on paper, at any time."""
    reading = reading_of(agreement)
    answer = Response(paper.pdf("agreements/agreement", printable(reading)), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{reading.agreement.called}.pdf"'
    return answer
