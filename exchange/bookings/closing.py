"""Pages of the lender's office: what is closed for a time, why, and the bookings that it displaces."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.bookings import moving, policy, queries
from exchange.bookings.forms import CLOSING, ClosingForm, PoolClosingForm
from exchange.bookings.handing import bookings
from exchange.bookings.telling import tell
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations
from exchange.closures import policy as rules
from exchange.closures import queries as closures
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office, territory
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``

Span = tuple[datetime, datetime | None]


@bookings.get("/preteurs/<lender>/fermetures")
@auth_required()
def closed(lender: str) -> str:
    """What is closed now or later, then what is lent again."""
    desk, session, at = office("booking.decide", lender), db.session(), clock.now()
    coming, over = closures.of_lender(session, desk.party.id, at=at), closures.over(session, desk.party.id, at=at)
    return render_template(
        "bookings/closed.html", lender=desk.party, coming=coming, over=over, at=at, kinds=CLOSING,
        resources=catalogue.views(session, [each.resource_id for each in (*coming, *over)]),
    )  # fmt: skip


def _closing(lender: str, resource: str) -> tuple[Office, ResourceView]:
    desk = office("booking.decide", lender)
    found = catalogue.mine_by_token(db.session(), desk.party.id, resource)
    if found is None or found.retired_at is not None:
        raise NotFound
    return desk, found


def _form(it: ResourceView, **given: Any) -> ClosingForm:
    return PoolClosingForm(**given) if it.kind == "pool" else ClosingForm(**given)


def _many(form: ClosingForm) -> int | None:
    found: int | None = form.quantity.data if "quantity" in form else None
    return found


@bookings.get("/preteurs/<lender>/ressources/<resource>/fermeture")
@auth_required()
def closing(lender: str, resource: str) -> str:
    """The form that closes something for a time."""
    desk, it = _closing(lender, resource)
    return _closing_page(desk, it, _form(it, formdata=None))


def _closing_page(desk: Office, it: ResourceView, form: ClosingForm) -> str:
    return render_template("bookings/closing.html", lender=desk.party, resource=it, form=form)


@bookings.post("/preteurs/<lender>/ressources/<resource>/fermeture")
@auth_required()
def check_closing(lender: str, resource: str) -> str | tuple[str, int]:
    """Say which bookings would be displaced. Writes nothing."""
    desk, it = _closing(lender, resource)
    form = _form(it)
    span = _understood(it, form)
    if span is None:
        return _closing_page(desk, it, form), 422
    session, at = db.session(), clock.now()
    closing_ = rules.check_quantity(it.kind, _many(form), it.quantity) or 0
    found = moving.displaced(session, it, *span, closing=closing_, at=at)
    return render_template("bookings/check_closing.html", lender=desk.party, resource=it, form=form, span=span,
                           told=tell(found), kinds=CLOSING, closing=closing_)  # fmt: skip


def _understood(it: ResourceView, form: ClosingForm) -> Span | None:
    """From when to when, or None with the reasons beside the fields."""
    if not form.validate():
        return None
    zone, at = territory().zone, clock.now()
    try:
        starts = policy.instant(form.day.data, form.starts.data or time(0), zone)
        if form.starts.data is None:
            starts = max(starts, min(at, policy.instant(form.day.data + timedelta(days=1), time(0), zone)))
        ends = None
        if form.ends.data is not None:
            ends = policy.instant(form.end_day.data or form.day.data, form.ends.data, zone)
        elif form.end_day.data is not None:
            ends = policy.instant(form.end_day.data + timedelta(days=1), time(0), zone)
        rules.check(starts, ends, at=at)
        rules.check_quantity(it.kind, _many(form), it.quantity)
    except Refused as error:
        form.refuse(error)
        return None
    return starts, ends


@bookings.post("/preteurs/<lender>/ressources/<resource>/fermetures")
@auth_required()
def close(lender: str, resource: str) -> Response | tuple[str, int]:
    """Close it, once for one key; what is booked then is listed, to be moved."""
    desk, it = _closing(lender, resource)
    form = _form(it)
    span = _understood(it, form)
    if span is None:
        return _closing_page(desk, it, form), 422

    def shut(session: Session, at: datetime) -> Done:
        made = operations.close(
            session, it, kind=form.kind.data, reason=form.reason.data or "", starts_at=span[0], ends_at=span[1],
            quantity=_many(form), by=desk.by, at=at,
        )  # fmt: skip
        return Done(url_for("bookings.closure", lender=lender, closure=made.token))

    content = idempotency.digest(url_for("bookings.close", lender=lender, resource=resource), {
        name: str(form[name].data) for name in ("kind", "day", "starts", "end_day", "ends", "reason")
    } | {"quantity": _many(form)})  # fmt: skip
    done = idempotency.once(shut, party=desk.by.party, key=form.key.data, content=content)
    return redirect(done.location or "/", 303)


@bookings.get("/preteurs/<lender>/fermetures/<closure>")
@auth_required()
def closure(lender: str, closure: str) -> str:
    """One closure, and the bookings that are still to be moved."""
    desk = office("booking.decide", lender)
    session, at = db.session(), clock.now()
    found = closures.mine(session, closure, desk.party.id)
    if found is None:
        raise NotFound
    it = catalogue.views(session, [found.resource_id])[found.resource_id]
    displaced = [] if found.over(at) else moving.displaced(
        session, it, found.starts_at, found.ends_at, closing=0, at=at
    )  # fmt: skip
    return render_template(
        "bookings/closure.html", lender=desk.party, closure=found, resource=it, told=tell(displaced), kinds=CLOSING,
        over=found.over(at), offers=queries.offers_for(session, [each.id for each in displaced], at=at),
        typed=members.sign_in_names(session, [found.by_sign_in]).get(found.by_sign_in or 0),
    )  # fmt: skip


@bookings.post("/preteurs/<lender>/fermetures/<closure>/fin")
@auth_required()
def lift(lender: str, closure: str) -> Response:
    """Lend it again, now."""
    desk = office("booking.decide", lender)
    with transaction() as session:
        operations.lift(session, closure, lender=desk.party.id, by=desk.by, at=clock.now())
    flash(_("C’est de nouveau prêté."), "success")
    return redirect(url_for("bookings.closed", lender=lender), 303)
