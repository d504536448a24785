"""The page where an office answers several requests at once."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import opinions, queries
from exchange.bookings import series as together
from exchange.bookings.agenda import bookings
from exchange.bookings.forms import ManyForm
from exchange.bookings.queries import BookingView
from exchange.bookings.series import Outcome
from exchange.bookings.telling import Told, tell, write_accepted, write_all_declined
from exchange.db import db, transaction
from exchange.security import Office, auth_required, office
from exchange.sentences import GROUNDS, sentence_of

__all__ = ["bookings"]  # with these pages beside those of ``views``

SAID = 5  # refusals that are told one by one


@bookings.get("/preteurs/<lender>/demandes/ensemble")
@auth_required()
def answer_many(lender: str) -> str:
    """What waits for this officer, to be ticked."""
    desk, form = office("booking.decide", lender), ManyForm(formdata=None)
    return _page(desk, form, _offer(desk, form))


def _offer(desk: Office, form: ManyForm) -> list[Told]:
    """Let the form choose among the requests that wait for this officer's decision."""
    session, at = db.session(), clock.now()
    found = queries.to_decide(session, desk.party.id, at=at)
    turns = opinions.turns(session, found, by=desk.by, at=at)
    mine = [view for view in found if (turn := turns.get(view.id)) is None or (turn.mine and turn.last)]
    told = tell(mine)
    form.chosen.choices = [(each.booking.token, _("%(what)s, pour %(name)s", what=each.what, name=each.party.name))
                           for each in told]  # fmt: skip
    return told


def _page(desk: Office, form: ManyForm, told: list[Told]) -> str:
    return render_template("bookings/many.html", lender=desk.party, form=form, waiting=told)


@bookings.post("/preteurs/<lender>/demandes/ensemble")
@auth_required()
def decide_many(lender: str) -> Response | tuple[str, int]:
    """Each ticked request is answered as far as it can be; what can't be is said, and stays."""
    desk, form = office("booking.decide", lender), ManyForm()
    told = _offer(desk, form)
    if not form.validate():
        return _page(desk, form, told), 422
    ticked = [each.booking for each in told if each.booking.token in (form.chosen.data or ())]
    with transaction() as session:
        at = clock.now()
        outcome = _answer(session, together.waiting_with(session, ticked, at=at), desk, form, at=at)
    _say(outcome, declined=form.declines)
    return redirect(url_for("bookings.requests", lender=lender), 303)


def _answer(session: Session, found: list[BookingView], desk: Office, form: ManyForm, *, at: datetime) -> Outcome:
    if not form.declines:
        outcome = together.accept_each(session, found, by=desk.by, at=at)
        write_accepted(session, outcome.done, at=at)
        return outcome
    ground, text = form.ground.data, form.text.data or ""
    outcome = together.decline_each(session, found, ground=ground, text=text, by=desk.by, at=at)
    write_all_declined(session, outcome.done, ground=GROUNDS[ground], text=text, at=at)
    return outcome


def _say(outcome: Outcome, *, declined: bool) -> None:
    if many := len(outcome.done):
        flash(ngettext("%(num)s demande refusée. Le demandeur en est averti.",
                       "%(num)s demandes refusées. Les demandeurs en sont avertis.", many) if declined else
              ngettext("%(num)s demande acceptée. Le demandeur en est averti.",
                       "%(num)s demandes acceptées. Les demandeurs en sont avertis.", many), "success")  # fmt: skip
    told = tell([view for view, _error in outcome.refused])
    for each, (_view, error) in list(zip(told, outcome.refused, strict=True))[:SAID]:
        flash(_("%(what)s, pour %(name)s : %(why)s", what=each.what, name=each.party.name,
                why=sentence_of(error).what), "warning")  # fmt: skip
    if more := len(told[SAID:]):
        flash(ngettext("Et %(num)s autre n’a pas pu l’être.", "Et %(num)s autres n’ont pas pu l’être.", more),
              "warning")  # fmt: skip
