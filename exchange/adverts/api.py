"""Adverts and the relay for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session

from exchange import rates
from exchange.adverts import operations, queries
from exchange.adverts.models import Advert
from exchange.adverts.schemas import (
    AdvertPage,
    AdvertShape,
    AdvertsQuery,
    CategoriesShape,
    NewAdvert,
    NewAnswer,
    NewMessage,
    TalkPage,
    ThreadDetail,
)
from exchange.adverts.telling import Talking, both_sides, own_advert, own_thread, people_of, shown_advert, tell_other
from exchange.db import db
from exchange.errors import WrongCursor, WrongFields
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.paging import PageQuery
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import community_of, counter_of, own
from exchange.sentences import N

resources = Resources("adverts", N("Annonces et messages"))


@resources.reads(
    "/communities/<community>/adverts", N("Les annonces d’une communauté"), query=AdvertsQuery, gives=AdvertPage
)
def search(query: dict[str, Any], community: str) -> dict[str, Any]:
    """The nearest first when words are looked for, else the newest."""
    session, found = db.session(), community_of("advert.read", community)
    wanted = queries.Wanted(query.get("q", ""), query.get("kind"), query.get("nature"), query.get("category"))
    cursor = query.get("cursor")
    if cursor and queries.advert(session, cursor, [found.id]) is None:
        raise WrongCursor
    page = queries.search(session, found.id, wanted, after=cursor, size=query["limit"])
    authors = members.parties(session, [row.advert.party_id for row in page.rows])
    items = [_told(row.advert, row.category, found, authors[row.advert.party_id]) for row in page.rows]
    return {"items": items, "next": page.after}


@resources.reads(
    "/communities/<community>/categories", N("Les catégories d’annonces d’une communauté"), gives=CategoriesShape
)
def categories(community: str) -> dict[str, Any]:
    """By name."""
    found = community_of("advert.read", community)
    return {"items": [category.name for category in queries.categories(db.session(), found.id)]}


@resources.reads("/adverts/<advert>", N("Une annonce"), gives=AdvertShape)
def show(advert: str) -> dict[str, Any]:
    """Open or closed, to the members of its community."""
    shown = shown_advert(advert)
    author = members.parties(db.session(), [shown.advert.party_id])[shown.advert.party_id]
    return _told(shown.advert, shown.category, shown.community, author)


def _told(
    advert: Advert, category: str, community: members.CommunityView, author: members.PartyView
) -> dict[str, Any]:
    said = ("kind", "nature", "title", "text", "published_at", "closed_at")
    return {
        "id": advert.token, "community": community.token, "author": shapes.party(author), "category": category,
        **{name: getattr(advert, name) for name in said},
    }  # fmt: skip


@resources.acts(
    "/accounts/<account>/adverts", N("Publier une annonce"), takes=NewAdvert, gives=AdvertShape, status=201
)
def create(given: dict[str, Any], account: str) -> Deed:
    """For the holder of an account, in its community."""
    counter = counter_of("advert.publish", account)
    ids = {category.name: category.id for category in queries.categories(db.session(), counter.community.id)}
    if given["category"] not in ids:
        raise WrongFields(errors={"category": [_("Choisissez l’une des catégories de la communauté.")]})
    content = operations.Content(
        given["kind"], given["nature"], ids[given["category"]], given["title"], given["text"]
    )

    def publish(session: Session, at: datetime) -> Done:
        made = operations.publish(session, content, account=counter.account, by=counter.by, at=at)
        body = _told(made, given["category"], counter.community, counter.holder)
        return Done(body, url_for("api_adverts.show", advert=made.token))

    return Deed(counter.by, publish)


@resources.acts("/adverts/<advert>/closure", N("Clore une annonce"), gives=AdvertShape)
def close(_given: dict[str, Any], advert: str) -> Deed:
    """It is no longer current: it leaves the list."""
    kept, by = own_advert(advert)

    def withdraw(session: Session, at: datetime) -> Done:
        operations.close(session, kept, by=by, at=at)
        return Done(show(advert))

    return Deed(by, withdraw)


# -- the relay


@resources.acts(
    "/adverts/<advert>/messages", N("Écrire à l’auteur d’une annonce"), takes=NewMessage, gives=ThreadDetail,
    status=201,
)  # fmt: skip
def write(given: dict[str, Any], advert: str) -> Deed:
    """Neither sees the other's address."""
    shown = shown_advert(advert)
    _author, writers = people_of(shown)
    writer = next((party for party in writers if party.token == given["party"]), None)
    if writer is None:
        raise WrongFields(errors={"party": [_("Vous ne pouvez pas écrire en ce nom.")]})
    rates.writing_to_somebody(current_user.id)
    by = own("thread.write").acting(writer.id)

    def send(session: Session, at: datetime) -> Done:
        thread = operations.write_about(session, shown.advert, given["text"], by=by, at=at)
        tell_other(thread, shown.advert, writer, given["text"])
        return Done(_detail(own_thread(thread.token)), url_for("api_adverts.thread", thread=thread.token))

    return Deed(by, send)


@resources.reads("/threads", N("Mes conversations"), query=PageQuery, gives=TalkPage)
def threads(query: dict[str, Any]) -> dict[str, Any]:
    """The newest message first."""
    session, mine = db.session(), own("thread.write").parties
    cursor = query.get("cursor")
    if cursor and queries.thread(session, cursor, mine) is None:
        raise WrongCursor
    talks, following = queries.threads(session, mine, before=cursor, size=query["limit"])
    people = both_sides([talk.thread for talk in talks])
    items = [_talk(talk, people, mine) for talk in talks]
    return {"items": items, "next": following}


def _talk(talk: queries.Talk, people: dict[int, members.PartyView], mine: list[int]) -> dict[str, Any]:
    author, asking = people[talk.thread.author_party], people[talk.thread.asking_party]
    me, other = (author, asking) if author.id in mine else (asking, author)
    return {
        "id": talk.thread.token, "title": talk.title, "me": shapes.party(me), "other": shapes.party(other),
        "text": talk.text, "mine": talk.by_party == me.id, "sent_at": talk.sent_at,
    }  # fmt: skip


def _detail(talking: Talking) -> dict[str, Any]:
    said = queries.messages(db.session(), talking.thread.id)
    return {
        "id": talking.thread.token,
        "title": talking.advert.title,
        "advert": talking.advert.token,
        "me": shapes.party(talking.me),
        "other": shapes.party(talking.other),
        "messages": [
            {"mine": one.by_party == talking.me.id, "text": one.text, "sent_at": one.sent_at} for one in said
        ],
    }


@resources.reads("/threads/<thread>", N("Une conversation"), gives=ThreadDetail)
def thread(thread: str) -> dict[str, Any]:
    """As one of its two sides reads it."""
    return _detail(own_thread(thread))


@resources.acts(
    "/threads/<thread>/messages", N("Répondre"), takes=NewAnswer, gives=ThreadDetail, status=201
)
def answer(given: dict[str, Any], thread: str) -> Deed:
    """The other side gets a letter."""
    talking = own_thread(thread)
    rates.writing_to_somebody(current_user.id)
    by = own("thread.write").acting(talking.me.id)

    def send(session: Session, at: datetime) -> Done:
        operations.answer(session, talking.thread, given["text"], by=by, at=at)
        tell_other(talking.thread, talking.advert, talking.me, given["text"])
        return Done(_detail(talking), url_for("api_adverts.thread", thread=thread))

    return Deed(by, send)
