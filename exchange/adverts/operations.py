"""The verbs of adverts: sort, publish, edit, close; and of the relay: write about one, answer."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from exchange.adverts.models import Advert, AdvertChange, Category, Message, Thread
from exchange.db import signed
from exchange.errors import AdvertClosed, CategoryExists, NotAllowed, WithOneself
from ledger.entries import Acting
from ledger.store.reading import AccountView


class Content(NamedTuple):
    """What an advert says: ``kind`` is "offer" or "want", ``nature`` "service", "knowledge" or "goods"."""

    kind: str
    nature: str
    category: int
    title: str
    text: str = ""


def add_category(session: Session, *, community: int, name: str) -> Category:
    """A new category of a community. Raises CategoryExists, accents and capitals apart."""
    same = func.sort_key(Category.name) == func.sort_key(name)
    if session.scalar(select(Category.id).where(Category.community_id == community, same)) is not None:
        raise CategoryExists
    category = Category(community_id=community, name=name)
    session.add(category)
    session.flush()
    return category


def publish(session: Session, content: Content, *, account: AccountView, by: Acting, at: datetime) -> Advert:
    """Publish an offer or a want of the holder of this account, in its community."""
    advert = Advert(
        token=secrets.token_urlsafe(16), community_id=account.community_id, account_id=account.id,
        party_id=account.party_id, kind=content.kind, nature=content.nature, category_id=content.category,
        title=content.title, text=content.text, **signed(by),
        published_at=at,
    )  # fmt: skip
    session.add(advert)
    session.flush()
    return advert


def edit(session: Session, advert: Advert, content: Content, *, by: Acting, at: datetime) -> None:
    """Say it better. Raises AdvertClosed."""
    _lock_open(session, advert)
    advert.kind, advert.nature, advert.category_id, advert.title, advert.text = content
    _changed(session, advert, "edited", by=by, at=at)


def close(session: Session, advert: Advert, *, by: Acting, at: datetime) -> None:
    """It is no longer current: it leaves the list, its threads stay. Raises AdvertClosed when it was closed before."""
    _lock_open(session, advert)
    advert.closed_at = at
    _changed(session, advert, "closed", by=by, at=at)


def _lock_open(session: Session, advert: Advert) -> None:
    session.refresh(advert, with_for_update=True)
    if advert.closed_at is not None:
        raise AdvertClosed


def _changed(session: Session, advert: Advert, kind: str, *, by: Acting, at: datetime) -> None:
    session.add(AdvertChange(
        advert_id=advert.id, kind=kind, **signed(by), changed_at=at
    ))  # fmt: skip
    session.flush()


def write_about(session: Session, advert: Advert, text: str, *, by: Acting, at: datetime) -> Thread:
    """Write to the author of an advert: a party has one thread about it, and writing again continues it.

    Raises WithOneself for the author, AdvertClosed when nothing was ever said and the advert is closed.
    """
    if by.party == advert.party_id:
        raise WithOneself
    thread = _thread(session, advert, by.party)
    if thread is None:
        if advert.closed_at is not None:
            raise AdvertClosed
        # Two tabs at once: the second waits for the first, then writes in its thread.
        session.execute(
            insert(Thread)
            .values(token=secrets.token_urlsafe(16), advert_id=advert.id, author_party=advert.party_id,
                    asking_party=by.party, opened_at=at)
            .on_conflict_do_nothing(index_elements=["advert_id", "asking_party"])
        )  # fmt: skip
        thread = _thread(session, advert, by.party)
        assert thread is not None
    answer(session, thread, text, by=by, at=at)
    return thread


def _thread(session: Session, advert: Advert, asking: int) -> Thread | None:
    return session.scalar(select(Thread).where(Thread.advert_id == advert.id, Thread.asking_party == asking))


def answer(session: Session, thread: Thread, text: str, *, by: Acting, at: datetime) -> Message:
    """Add a message to a thread. Raises NotAllowed for a party that is not one of its two."""
    if by.party not in (thread.author_party, thread.asking_party):
        raise NotAllowed
    message = Message(
        thread_id=thread.id, text=text, **signed(by), sent_at=at
    )
    session.add(message)
    session.flush()
    return message
