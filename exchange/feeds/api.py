"""Addresses of calendars for programs: one's own, and that of each thing that is lent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session

from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import NotFound, WrongFields
from exchange.feeds import operations, queries
from exchange.feeds.queries import FeedView
from exchange.feeds.schemas import FeedName, FeedPage, FeedShape, NewFeed, ResourceFeed
from exchange.feeds.telling import address_of, sides_of
from exchange.members.queries import Held
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, sliced
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import held
from exchange.sentences import N
from ledger.entries import Acting

resources = Resources("feeds", N("Agendas"))
Followed = tuple[FeedView, Held]


def _mine() -> list[Followed]:
    """The addresses that one has open, but for those whose mandate ended."""
    sides = sides_of(held())
    found = queries.of_sign_in(db.session(), current_user.id)
    return [(feed, sides[feed.party_id, feed.side]) for feed in found if (feed.party_id, feed.side) in sides]


def _one(token: str) -> Followed:
    for feed, through in _mine():
        if feed.token == token:
            return feed, through
    raise NotFound


def _named(feed: FeedView, through: Held) -> dict[str, Any]:
    return {"id": feed.token, "party": shapes.party(through.party), "of": feed.side, "opened_at": feed.opened_at}


def _told(feed: FeedView, through: Held) -> dict[str, Any]:
    return _named(feed, through) | {"address": address_of(feed.secret)}


@resources.reads("/feeds", N("Mes agendas ouverts"), query=PageQuery, gives=FeedPage)
def mine(query: dict[str, Any]) -> dict[str, Any]:
    """The first opened first."""
    page = sliced(_mine(), query, lambda each: each[0].token)
    return {"items": [_told(*each) for each in page.rows], "next": page.last[0].token if page.last else None}


@resources.reads("/feeds/<feed>", N("Un de mes agendas"), gives=FeedShape)
def show(feed: str) -> dict[str, Any]:
    """With its address, which is made anew at each reading and kept nowhere."""
    return _told(*_one(feed))


@resources.acts("/feeds", N("Ouvrir un agenda"), takes=NewFeed, gives=FeedName, status=201)
def create(given: dict[str, Any]) -> Deed:
    """Opened again, it has another address, and the one before leads nowhere."""
    for (_party, side), through in sides_of(held()).items():
        if through.party_token == given["party"] and side == given["of"]:
            return _opening(through, side)
    raise WrongFields(errors={"party": [_("Vous ne pouvez pas agir en ce nom.")]})


@resources.acts("/feeds/<feed>/renewal", N("Changer l’adresse d’un agenda"), gives=FeedName)
def renew(_given: dict[str, Any], feed: str) -> Deed:
    """The address before leads nowhere any more."""
    kept, through = _one(feed)
    return _opening(through, kept.side)


def _opening(through: Held, side: str) -> Deed:
    by = _acting(through)

    def write(session: Session, at: datetime) -> Done:
        feed = operations.open_(session, side, by=by, at=at)
        return Done(_named(feed, through), url_for("api_feeds.show", feed=feed.token))

    return Deed(by, write)


@resources.acts("/feeds/<feed>/end", N("Fermer un agenda"), gives=FeedName)
def end(_given: dict[str, Any], feed: str) -> Deed:
    """Its address leads nowhere any more."""
    kept, through = _one(feed)
    by = _acting(through)

    def write(session: Session, _at: datetime) -> Done:
        operations.close(session, kept.side, by=by)
        return Done(_named(kept, through))

    return Deed(by, write)


def _acting(through: Held) -> Acting:
    return Acting(through.sign_in_id, through.party_id, through.id)


@resources.reads("/resources/<resource>/feed", N("L’agenda public d’une salle ou de matériel"), gives=ResourceFeed)
def of_resource(resource: str) -> dict[str, Any]:
    """Of a published resource; everybody may follow it."""
    found = catalogue.published_by_token(db.session(), resource)
    if found is None:
        raise NotFound
    return {"address": address_of(found.token)}
