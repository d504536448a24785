"""What comes back, for programs: look at its days, ask for those that are free, decide or cancel them together."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from exchange import clock
from exchange.bookings import rhythm
from exchange.bookings import series as together
from exchange.bookings.api import as_asked, as_mine, asked_for, resources
from exchange.bookings.models import Series
from exchange.bookings.schemas import (
    AskedSeriesShape,
    CancellationReason,
    NewDecision,
    SeriesDays,
    SeriesShape,
    WantedDays,
    WantedSeries,
)
from exchange.bookings.telling import asked_series_of, days_of, own_series, tell, write_series
from exchange.bookings.wanted import Request
from exchange.db import db
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.resources import Deed, Done
from exchange.security import own, territory
from exchange.sentences import GROUNDS, N, sentence_of
from ledger.entries import Acting

__all__ = ["resources"]  # with what ``api`` offers


@resources.acts(
    "/series/quotes", N("Voir les jours d’une série avant de la demander"), takes=WantedDays, gives=SeriesDays
)
def look(given: dict[str, Any]) -> Deed:
    """Each day of it: free and at which price, or why not. Nothing is taken."""
    by, first = _first(given)

    def estimate(session: Session, at: datetime) -> Done:
        zone, days = territory().zone, _days(given)
        found = together.look(session, first, days, _hours(given), zone=zone, at=at)
        return Done({"days": [_told(each) for each in found]})

    return Deed(by, estimate)


def _first(given: dict[str, Any]) -> tuple[Acting, Request]:
    """Who asks what, on the first day. Raises what a request alone does, HourMissing."""
    instants = {"starts_at": clock.now(), "ends_at": clock.now()}  # of no day yet: each has its own hours
    return asked_for({**given, **instants})


def _hours(given: dict[str, Any]) -> together.Hours:
    return together.Hours(given["starts"], given["ends"])


def _rhythm(given: dict[str, Any]) -> rhythm.Rhythm:
    weekdays = tuple(sorted({number - 1 for number in given["weekdays"]}))
    return rhythm.Rhythm(given["every"], given["first"], given["until"], weekdays)


def _days(given: dict[str, Any]) -> list[date]:
    """The days that are asked for. Raises SeriesEmpty, SeriesTooLong."""
    zone = territory().school_zone if given["without_school_holidays"] else None
    kept = rhythm.without_holidays(
        rhythm.days(_rhythm(given)), school_zone=zone, public=given["without_public_holidays"]
    )
    left_out = set(given.get("leave_out", ()))
    return [day for day in kept if day not in left_out]


def _told(each: together.Day) -> dict[str, Any]:
    said = sentence_of(each.refused) if each.refused else None
    return {
        "day": each.day, "free": each.refused is None, "minutes": each.evaluation.minutes if each.evaluation else None,
        "code": each.refused.rule if each.refused else None, "detail": said.what if said else None,
    }  # fmt: skip


@resources.acts("/series", N("Demander une série"), takes=WantedSeries, gives=SeriesShape, status=201)
def create_series(given: dict[str, Any]) -> Deed:
    """All its days but those that are left out, or none."""
    by, first = _first(given)

    def ask(session: Session, at: datetime) -> Done:
        zone, hours = territory().zone, _hours(given)
        wanted = [together.on(first, day, hours, zone=zone) for day in _days(given)]
        made = together.ask(session, wanted, _rhythm(given), zone=zone, by=by, at=at)
        write_series(session, made.lender_id, "series_asked", made, days_of(session, made, at=at), at=at)
        return Done(_as_mine(session, made, at), url_for("api_bookings.show_series", series=made.token))

    return Deed(by, ask)


@resources.reads("/series/<series>", N("Une de mes séries"), gives=SeriesShape)
def show_series(series: str) -> dict[str, Any]:
    """Its days, and what became of each."""
    return _as_mine(db.session(), own_series(series), clock.now())


@resources.acts("/series/<series>/cancellation", N("Annuler une série"), takes=CancellationReason, gives=SeriesShape)
def cancel_series(given: dict[str, Any], series: str) -> Deed:
    """None of the days to come is needed any more."""
    of = own_series(series)
    by = own("booking.read").acting(of.party_id)

    def renounce(session: Session, at: datetime) -> Done:
        done = together.cancel(session, of, reason=given["reason"], by=by, at=at)
        if done:
            write_series(session, of.lender_id, "series_cancelled", of, tell(done), at=at)
        return Done(_as_mine(session, of, at))

    return Deed(by, renounce)


@resources.reads("/lenders/<lender>/series/<series>", N("Une série demandée à un prêteur"), gives=AskedSeriesShape)
def asked_series(lender: str, series: str) -> dict[str, Any]:
    """Its days, as the lender's office reads them."""
    return _as_asked(db.session(), asked_series_of(lender, series)[0], clock.now())


@resources.acts(
    "/lenders/<lender>/series/<series>/decision", N("Accepter ou refuser une série"), takes=NewDecision,
    gives=AskedSeriesShape,
)  # fmt: skip
def decide_series(given: dict[str, Any], lender: str, series: str) -> Deed:
    """Each day that waits; accepted, what stands against some of them leaves those as they are."""
    of, by, _party = asked_series_of(lender, series)

    def answer(session: Session, at: datetime) -> Done:
        if given["verdict"] == "accepted":
            done = together.accept(session, of, by=by, at=at).done
            more = {}
        else:
            more = {"ground": given["ground"], "text": given["text"]}
            done = together.decline(session, of, by=by, at=at, **more)
            more["ground"] = GROUNDS[given["ground"]]
        if done:
            write_series(session, of.party_id, f"series_{given['verdict']}", of, tell(done), at=at, **more)
        return Done(_as_asked(session, of, at))

    return Deed(by, answer)


def _as_mine(session: Session, of: Series, at: datetime) -> dict[str, Any]:
    return {**_series(session, of), "bookings": [as_mine(told) for told in days_of(session, of, at=at)]}


def _as_asked(session: Session, of: Series, at: datetime) -> dict[str, Any]:
    return {**_series(session, of), "bookings": [as_asked(told) for told in days_of(session, of, at=at)]}


def _series(session: Session, of: Series) -> dict[str, Any]:
    parties = members.parties(session, [of.lender_id, of.party_id])
    return {
        "id": of.token, "lender": shapes.party(parties[of.lender_id]), "party": shapes.party(parties[of.party_id]),
        "asked_at": of.asked_at,
    }  # fmt: skip
