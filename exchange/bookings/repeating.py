"""Pages of what comes back: ask for many days at once, choose among them, and decide or cancel them together."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.bookings import rhythm
from exchange.bookings import series as together
from exchange.bookings.asking import Asking, asking_of, charters_to_tick, prefilled, refuse, understood
from exchange.bookings.forms import GROUNDS, DeclineForm, OpinionForm, RemarksForm, SeriesForm, ask_form
from exchange.bookings.models import Series
from exchange.bookings.offering import bookings
from exchange.bookings.office import way_of
from exchange.bookings.telling import (
    asked_series_of,
    community_of,
    days_of,
    own_series,
    tell,
    write_series,
    write_turn,
)
from exchange.bookings.wanted import Request
from exchange.db import db, transaction
from exchange.formats import local_day
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import auth_required, own, territory
from exchange.sentences import sentence_of
from ledger.entries import Acting
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


class Wish(NamedTuple):
    """What the form asks for: the request on its first day, its hours, and the days on which it comes back."""

    request: Request
    hours: together.Hours
    rhythm: rhythm.Rhythm
    days: list[date]
    left_out: int  # days that are holidays


class Ticks(NamedTuple):
    """The days that the page of days showed, and those that were ticked there: they follow the form around."""

    shown: list[str]
    days: list[str]

    def left_out(self) -> set[str]:
        """Days that were shown and not ticked."""
        return set(self.shown) - set(self.days)


def _ticks() -> Ticks:
    return Ticks(request.form.getlist("shown"), request.form.getlist("days"))


@bookings.get("/salles/<resource>/serie")
@auth_required()
def new_series(resource: str) -> str:
    """The form of what comes back, filled with what was searched."""
    asking = asking_of(resource)
    return _form_page(asking, _form(asking, formdata=None, **prefilled(asking)), Ticks([], []))


def _form(asking: Asking, **given: Any) -> SeriesForm:
    form = ask_form(asking.resource, asking.beside, SeriesForm)(**given)
    form.party.choices = [(party.token, party.name) for party in asking.parties]
    return form


def _form_page(asking: Asking, form: SeriesForm, ticks: Ticks) -> str:
    return render_template(
        "bookings/new_series.html", asking=asking, form=form, school_zone=territory().school_zone, ticks=ticks,
        charters=charters_to_tick(asking, form),
    )  # fmt: skip


@bookings.post("/salles/<resource>/serie/dates")
@auth_required()
def check_series(resource: str) -> str | tuple[str, int]:
    """Every day of it: what is free, what isn't and why. Writes nothing."""
    asking = asking_of(resource)
    form, ticks = _form(asking), _ticks()
    if "correct" in request.form:
        form.validate()
        for field in form:
            field.errors = ()
        return _form_page(asking, form, ticks)
    wish = _wished(asking, form)
    if wish is None:
        return _form_page(asking, form, ticks), 422
    left = ticks.left_out()
    return _days_page(asking, form, wish, chosen=[day for day in wish.days if day.isoformat() not in left])


def _wished(asking: Asking, form: SeriesForm) -> Wish | None:
    """What the form asks for, or None with the reasons beside its fields."""
    wanted = understood(asking, form)
    if wanted is None:
        return None
    try:
        found = rhythm.days(form.rhythm())
        zone = territory().school_zone if form.without_school_holidays.data else None
        kept = rhythm.without_holidays(found, school_zone=zone, public=form.without_public_holidays.data)
    except Refused as error:
        form.refuse(error)
        return None
    hours = together.Hours(form.starts.data or time(), form.ends.data or time())
    return Wish(wanted, hours, form.rhythm(), kept, len(found) - len(kept))


def _days_page(
    asking: Asking, form: SeriesForm, wish: Wish, *, chosen: list[date], said: str = ""
) -> str:
    zone, at = territory().zone, clock.now()
    found = together.look(db.session(), wish.request, wish.days, wish.hours, zone=zone, at=at)
    free = [each for each in found if each.evaluation is not None]
    paid = next((each.evaluation for each in free if each.evaluation and each.evaluation.minutes), None)
    return render_template(
        "bookings/check_series.html", asking=asking, form=form, wish=wish, found=found, free=free, said=said,
        chosen=set(chosen), sentence_of=sentence_of,
        party=asking.chosen(form.party.data), community=community_of(paid) if paid else None,
        minutes=sum(each.evaluation.minutes for each in free if each.evaluation),
    )  # fmt: skip


@bookings.post("/salles/<resource>/series")
@auth_required()
def create_series(resource: str) -> Response | tuple[str, int]:
    """Ask for the chosen days, all or nothing, once for one key."""
    asking = asking_of(resource)
    form, ticks = _form(asking), _ticks()
    wish = _wished(asking, form)
    if wish is None:
        return _form_page(asking, form, ticks), 422
    chosen = [day for day in wish.days if day.isoformat() in set(ticks.days)]
    if not chosen:
        return _days_page(asking, form, wish, chosen=[], said=_("Cochez au moins un jour.")), 422
    try:
        return redirect(_ask_once(asking, form, wish, chosen), 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        refuse(asking, form, error)
        said = _("Rien n’a été demandé : un des jours cochés ne peut plus l’être.")
        if moment := error.facts.get("starts_at"):
            chosen = [day for day in chosen if day != local_day(datetime.fromisoformat(moment))]
        return _days_page(asking, form, wish, chosen=chosen, said=f"{said} {sentence_of(error).what}"), 422


def _ask_once(asking: Asking, form: SeriesForm, wish: Wish, chosen: list[date]) -> str:
    zone = territory().zone
    wanted = [together.on(wish.request, day, wish.hours, zone=zone) for day in chosen]
    by = asking.scope.acting(wish.request.party)

    def ask(session: Session, at: datetime) -> Done:
        made = together.ask(session, wanted, wish.rhythm, zone=zone, by=by, at=at)
        write_series(session, made.lender_id, "series_asked", made, days_of(session, made, at=at), at=at)
        return Done(url_for("bookings.show_series", series=made.token))

    values = {"party": wish.request.party, "days": chosen, "hours": wish.hours, "purpose": wish.request.purpose,
              "people": wish.request.people, "accepts": sorted(wish.request.accepts),
              "items": [[each.resource.id, each.quantity] for each in wish.request.wanted]}  # fmt: skip
    content = idempotency.digest(request.path, values)
    return idempotency.once(ask, party=by.party, key=form.key.data, content=content).location or "/"


# -- a series as who asked for it reads it


@bookings.get("/reservations/series/<series>")
@auth_required()
def show_series(series: str) -> str:
    """The days of a series, and what became of each."""
    return _own_page(own_series(series), RemarksForm(formdata=None))


def _own_page(of: Series, form: RemarksForm) -> str:
    at = clock.now()
    told = days_of(db.session(), of, at=at)
    coming = [each for each in told if each.booking.state in {"pending", "accepted"} and each.booking.starts_at > at]
    return render_template("bookings/series.html", told=told, series=of, form=form, coming=coming,
                           address=lambda booking: url_for("bookings.show", booking=booking.token))  # fmt: skip


@bookings.post("/reservations/series/<series>/annulation")
@auth_required()
def cancel_series(series: str) -> Response | tuple[str, int]:
    """I need none of the days to come any more."""
    of, form = own_series(series), RemarksForm()
    if not form.validate():
        return _own_page(of, form), 422
    with transaction() as session:
        at = clock.now()
        by = own("booking.read").acting(of.party_id)
        done = together.cancel(session, of, reason=form.remarks.data or "", by=by, at=at)
        if done:
            write_series(session, of.lender_id, "series_cancelled", of, tell(done), at=at)
    flash(ngettext("%(num)s jour est annulé.", "%(num)s jours sont annulés.", len(done)), "success")
    return redirect(url_for("bookings.show_series", series=series), 303)


# -- a series as its lender's office reads it


@bookings.get("/preteurs/<lender>/series/<series>")
@auth_required()
def asked_series(lender: str, series: str) -> str:
    """The days of a series, for the lender's officer: all that waits is decided at once, or day by day."""
    return _asked_page(*asked_series_of(lender, series))


def _asked_page(
    of: Series, by: Acting, lender: members.PartyView, *, decline: DeclineForm | None = None,
    opinion: OpinionForm | None = None,
) -> str:  # fmt: skip
    told = days_of(db.session(), of, at=clock.now())
    waiting = [each for each in told if each.booking.state == "pending"]
    way = way_of((waiting or told)[0].booking, by, opinion or OpinionForm(formdata=None), at=clock.now())
    return render_template(
        "bookings/asked_series.html", told=told, series=of, lender=lender, waiting=waiting, **way,
        decline=decline or DeclineForm(formdata=None), form=opinion or decline or DeclineForm(formdata=None),
        address=lambda booking: url_for("bookings.request_", lender=lender.token, booking=booking.token),
    )  # fmt: skip


@bookings.post("/preteurs/<lender>/series/<series>/acceptation")
@auth_required()
def accept_series(lender: str, series: str) -> Response:
    """The officer accepts each day that waits; what can't be is said, and stays."""
    of, by, _party = asked_series_of(lender, series)
    with transaction() as session:
        at = clock.now()
        outcome = together.accept(session, of, by=by, at=at)
        if outcome.done:
            write_series(session, of.party_id, "series_accepted", of, tell(outcome.done), at=at)
    if outcome.done:
        flash(ngettext("%(num)s jour est accepté. Le demandeur en est averti.",
                       "%(num)s jours sont acceptés. Le demandeur en est averti.", len(outcome.done)),
              "success")  # fmt: skip
    if outcome.refused:
        said = sentence_of(outcome.refused[0][1])
        flash(ngettext("%(num)s jour n’a pas pu l’être : %(why)s", "%(num)s jours n’ont pas pu l’être : %(why)s",
                       len(outcome.refused), why=said.what), "warning")  # fmt: skip
    return redirect(url_for("bookings.asked_series", lender=lender, series=series), 303)


@bookings.post("/preteurs/<lender>/series/<series>/refus")
@auth_required()
def decline_series(lender: str, series: str) -> Response | tuple[str, int]:
    """The officer refuses every day that waits, on one ground."""
    of, by, party = asked_series_of(lender, series)
    form = DeclineForm()
    if not form.validate():
        return _asked_page(of, by, party, decline=form), 422
    with transaction() as session:
        at = clock.now()
        done = together.decline(session, of, ground=form.ground.data, text=form.text.data, by=by, at=at)
        if done:
            write_series(session, of.party_id, "series_declined", of, tell(done), at=at,
                         ground=GROUNDS[form.ground.data], text=form.text.data)  # fmt: skip
    flash(_("C’est refusé. Le demandeur reçoit le motif et les voies de recours."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/series/<series>/avis")
@auth_required()
def give_opinion_of_series(lender: str, series: str) -> Response | tuple[str, int]:
    """The step whose turn it is says what it thinks of every day that waits."""
    of, by, party = asked_series_of(lender, series)
    form = OpinionForm()
    if not form.validate():
        return _asked_page(of, by, party, opinion=form), 422
    with transaction() as session:
        at = clock.now()
        done = together.give_opinion(session, of, **form.said(), by=by, at=at)
        write_turn(session, done, by=by, at=at)
    flash(_("Votre avis est noté. La demande passe à l’étape suivante."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)
