"""Pages of what is due in euros for a loan: the office notes what it receives and gives back, the borrower reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency, paper
from exchange.agreements.forms import MEANS, EndForm, ReceiptForm
from exchange.agreements.office import agreements, loan_of
from exchange.agreements.telling import PAPERS, Loan, as_read, loans
from exchange.bookings import queries as bookings
from exchange.db import db
from exchange.dues import operations, queries
from exchange.dues.policy import Due
from exchange.dues.queries import ReceiptView
from exchange.errors import NotFound, status_of
from exchange.formats import day, span
from exchange.formats import euros as in_euros
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, own, today
from ledger.errors import Refused

__all__ = ["agreements"]  # with these pages beside those of ``views``


@agreements.get("/preteurs/<lender>/reservations/<booking>/euros")
@auth_required()
def euros(lender: str, booking: str) -> str:
    """What a loan asks for in euros, what was received, and what is missing."""
    desk, loan = loan_of(lender, booking)
    return _page(desk, loan)


def _page(
    desk: Office, loan: Loan, form: ReceiptForm | None = None, *, ending: str = "", end: EndForm | None = None
) -> str:
    """The page; ``ending``: the receipt whose end was refused, which shows again what was typed."""
    session, of = db.session(), loan.booking.id
    missing = queries.missing(session, [of]).get(of, [])
    form = form or _blank(missing)
    received = queries.receipts(session, of)
    noted = [receipt.by_sign_in for receipt in received]
    noted += [each.by_sign_in for receipt in received for each in receipt.ends]
    return render_template(
        "agreements/euros.html", lender=desk.party, loan=loan, booking=loan.booking, form=form, receipts=received,
        missing=missing, means=MEANS,
        names=members.sign_in_names(session, noted), ending=ending, refused=end or form,
        end_form=lambda receipt: _apart(end, receipt) if end and receipt.token == ending else _end_of(receipt),
    )  # fmt: skip


def _end_of(receipt: ReceiptView) -> EndForm:
    """The form of what becomes of a receipt, filled with what is left of it."""
    form = EndForm(formdata=None, cents=receipt.left, ended_on=today(), outcome="returned")
    return _apart(form, receipt)


def _apart(form: EndForm, receipt: ReceiptView) -> EndForm:
    """The form of one receipt among several: its controls have identifiers of their own in the page."""
    for field in form:
        field.id = field.label.field_id = f"{field.name}-{receipt.token}"
    return form


def _blank(missing: Sequence[Due]) -> ReceiptForm:
    """The form of a sum, filled with what is missing."""
    first = missing[0] if missing else None
    return ReceiptForm(formdata=None, kind=first.kind if first else "deposit", cents=first.cents if first else None,
                       received_on=today())  # fmt: skip


@agreements.post("/preteurs/<lender>/reservations/<booking>/euros")
@auth_required()
def receive(lender: str, booking: str) -> Response | tuple[str, int]:
    """Note a sum, once for one key."""
    desk, loan = loan_of(lender, booking)
    form = ReceiptForm()
    if not form.validate():
        return _page(desk, loan, form), 422
    said = {"kind": form.kind.data, "means": form.means.data, "reference": form.reference.data or "",
            "cents": form.cents.data, "on": form.received_on.data}  # fmt: skip

    def write(session: Session, at: datetime) -> Done:
        operations.receive(session, loan.booking.id, lender=desk.party.id, today=today(), by=desk.by, at=at, **said)
        return Done(url_for("agreements.euros", lender=lender, booking=booking))

    try:
        done = _once(desk, form.key.data, write, said)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, loan, form), status_of(error)
    flash(_("C’est noté. Le reçu peut s’imprimer."), "success")
    return redirect(done, 303)


def _once(desk: Office, key: str | None, write: Any, said: dict[str, Any]) -> str:
    content = idempotency.digest(request.path, said)
    return idempotency.once(write, party=desk.by.party, key=key, content=content).location or "/"


@agreements.post("/preteurs/<lender>/reservations/<booking>/euros/<receipt>")
@auth_required()
def end_receipt(lender: str, booking: str, receipt: str) -> Response | tuple[str, int]:
    """Note that some of it was given back, or kept, once for one key."""
    desk, loan = loan_of(lender, booking)
    kept = next((each for each in queries.receipts(db.session(), loan.booking.id) if each.token == receipt), None)
    if kept is None:
        raise NotFound
    form = EndForm()
    if not form.validate():
        return _page(desk, loan, ending=receipt, end=form), 422
    said = {"outcome": form.outcome.data, "cents": form.cents.data, "on": form.ended_on.data,
            "reason": form.reason.data or ""}  # fmt: skip

    def write(session: Session, at: datetime) -> Done:
        operations.end(session, kept, today=today(), by=desk.by, at=at, **said)
        return Done(url_for("agreements.euros", lender=lender, booking=booking))

    try:
        done = _once(desk, form.key.data, write, said)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, loan, ending=receipt, end=form), status_of(error)
    flash(_("C’est noté."), "success")
    return redirect(done, 303)


@agreements.get("/reservations/<booking>/euros")
@auth_required()
def paid(booking: str) -> str:
    """What a loan of mine asks for in euros, and what the lender noted of it."""
    session = db.session()
    found = bookings.within(session, booking, own("booking.read").parties, at=clock.now())
    if found is None:
        raise NotFound
    return render_template(
        "agreements/paid.html", loan=loans(session, [found])[0], booking=found, means=MEANS,
        receipts=queries.receipts(session, found.id), missing=queries.missing(session, [found.id]).get(found.id, []),
    )  # fmt: skip


@agreements.get("/recus/<receipt>")
@auth_required()
def receipt(receipt: str) -> Response:
    """A receipt on paper, for its two sides."""
    session = db.session()
    kept = queries.receipt(session, receipt)
    if kept is None:
        raise NotFound
    loan, _sides = as_read(bookings.view(session, kept.booking_id, at=clock.now()))
    answer = Response(paper.pdf("agreements/receipt", _printable(session, kept, loan)), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{kept.called}.pdf"'
    return answer


def _printable(session: Session, kept: ReceiptView, loan: Loan) -> dict[str, Any]:
    """What the paper says, for Typst: every word is data, none is markup."""
    with force_locale(PAPERS):
        what = {"deposit": _("Caution, à rendre après le prêt"), "fee": _("Redevance")}[kept.kind]
        by = members.sign_in_names(session, [kept.by_sign_in]).get(kept.by_sign_in or 0, loan.lender.name)
        rows = [
            (_("Reçu de"), loan.party.name), (_("Somme"), in_euros(kept.cents)), (_("Pour"), what),
            (_("Moyen"), ", ".join(filter(None, [str(MEANS[kept.means]), kept.reference]))),
            (_("Le"), day(kept.received_on)), (_("Noté par"), by),
            (_("Le prêt"), f"{loan.what}, {span(loan.booking.starts_at, loan.booking.ends_at)}"),
            *((_ended(each.outcome), " – ".join(filter(None, [in_euros(each.cents), day(each.ended_on), each.reason])))
              for each in kept.ends),
        ]  # fmt: skip
        return {"lang": PAPERS, "title": _("Reçu %(number)s", number=kept.called), "lender": loan.lender.name,
                "rows": rows}  # fmt: skip


def _ended(outcome: str) -> str:
    return str({"returned": _("Rendu"), "kept": _("Gardé")}[outcome])
