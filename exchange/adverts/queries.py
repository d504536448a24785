"""Reads of adverts, within the communities of who asks; and of threads, within the parties that they act for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, literal, or_, select, text, true, tuple_
from sqlalchemy.orm import Session

from exchange.adverts.models import Advert, AdvertChange, Category, Message, Thread
from exchange.members.queries import words

# of 1: "jardinage" finds "jardin" (0.60) and "plonberie" finds "plomberie" (0.54), but "pain" not "main" (0.40)
LIKE_ENOUGH = 0.45


class Wanted(NamedTuple):
    """What somebody looks for in the list; None is "any"."""

    searched: str = ""
    kind: str | None = None
    nature: str | None = None
    category: str | None = None


class Row(NamedTuple):
    """An advert as the list shows it."""

    advert: Advert
    category: str


class Page(NamedTuple):
    """A page of the list. ``nearest``: no advert holds every word, these hold one or look like it."""

    rows: list[Row]
    after: str | None
    nearest: bool = False


class Talk(NamedTuple):
    """A thread as the list of messages shows it, with its last message."""

    thread: Thread
    title: str
    text: str
    by_party: int
    sent_at: datetime


def categories(session: Session, community: int) -> Sequence[Category]:
    """The categories of a community, by name."""
    return session.scalars(
        select(Category).where(Category.community_id == community).order_by(func.sort_key(Category.name))
    ).all()


def search(session: Session, community: int, wanted: Wanted, *, after: str | None = None, size: int = 20) -> Page:
    """A page of the open adverts of a community: the nearest first when words are searched, else the newest.

    Accents, plurals and small mistakes are forgiven. When no advert holds every word, those that hold one are given.
    """
    said = words(wanted.searched)
    order: list[SQLColumnExpression[Any]] = [Advert.published_at, Advert.id]
    if said:
        # the threshold of the operator ``<%``, which the trigram index serves; for this transaction only
        enough = {"enough": str(LIKE_ENOUGH)}
        session.execute(text("SELECT set_config('pg_trgm.word_similarity_threshold', :enough, true)"), enough)
        order.insert(0, _nearness(said))
    start = _start(session, community, order, after)
    page = _page(session, _open(community, wanted).where(*(_holds(word) for word in said)), order, start, size)
    if page.rows or len(said) < 2:
        return page
    some = _open(community, wanted).where(or_(*(_holds(word) for word in said)))
    return _page(session, some, order, start, size)._replace(nearest=True)


def _open(community: int, wanted: Wanted) -> Select[Advert, str]:
    """The open adverts of a community that pass the filters."""
    query = (
        select(Advert, Category.name)
        .join(Category, Category.id == Advert.category_id)
        .where(Advert.community_id == community, Advert.closed_at.is_(None))
    )
    for column, value in ((Advert.kind, wanted.kind), (Advert.nature, wanted.nature), (Category.name, wanted.category)):
        if value is not None:
            query = query.where(column == value)
    return query


def _holds(word: str) -> ColumnElement[bool]:
    key = func.sort_key(word)
    return or_(Advert.searched.contains(key), key.op("<%", is_comparison=True)(Advert.searched))


def _nearness(said: Sequence[str]) -> ColumnElement[Any]:
    """How well an advert answers: the likeness of each word to the whole, and once more to the title."""
    likeness: ColumnElement[Any] = literal(0.0)
    for word in said:
        key = func.sort_key(word)
        for where in (Advert.searched, func.sort_key(Advert.title)):
            # squared: one word found is worth more than two half found
            likeness += func.power(func.word_similarity(key, where), 2)
    return likeness


def _start(session: Session, community: int, order: Sequence[SQLColumnExpression[Any]], after: str | None) -> Any:
    """Where the advert of this random identifier stands in the order; None for no advert: the first page."""
    if not after or not after.isprintable():
        return None
    found: Select[Any] = select(*order).where(Advert.token == after, Advert.community_id == community)
    row = session.execute(found).one_or_none()
    return tuple(row) if row else None


def _page(
    session: Session, query: Select[Advert, str], order: Sequence[SQLColumnExpression[Any]], start: Any, size: int
) -> Page:
    if start is not None:
        query = query.where(tuple_(*order) < start)
    query = query.order_by(*(key.desc() for key in order)).limit(size + 1)
    rows = [Row(*row) for row in session.execute(query)]
    return Page(rows[:size], rows[size - 1].advert.token if len(rows) > size else None)


def advert(session: Session, token: str, communities: Collection[int]) -> Row | None:
    """One advert, open or closed, if it is of one of these communities."""
    row = session.execute(
        select(Advert, Category.name)
        .join(Category, Category.id == Advert.category_id)
        .where(Advert.token == token, Advert.community_id.in_(communities))
    ).one_or_none()
    return Row(*row) if row else None


def own_advert(
    session: Session, token: str, *, parties: Collection[int], communities: Collection[int] = ()
) -> Advert | None:
    """One advert, if it is of one of these parties, or in one of these communities (the counter's)."""
    return session.scalar(
        select(Advert).where(Advert.token == token)
        .where(or_(Advert.party_id.in_(parties), Advert.community_id.in_(communities)))
    )  # fmt: skip


def adverts_of(session: Session, party: int, *, limit: int = 50) -> Sequence[Advert]:
    """The open adverts of a party, the newest first."""
    return session.scalars(
        select(Advert).where(Advert.party_id == party, Advert.closed_at.is_(None))
        .order_by(Advert.published_at.desc(), Advert.id.desc()).limit(limit)
    ).all()  # fmt: skip


def newest_of_others(
    session: Session, communities: Collection[int], *, mine: Collection[int], size: int
) -> Sequence[Advert]:
    """The newest open adverts of these communities that are not of these parties."""
    return session.scalars(
        select(Advert).where(Advert.community_id.in_(communities), Advert.party_id.not_in(mine))
        .where(Advert.closed_at.is_(None)).order_by(Advert.published_at.desc(), Advert.id.desc()).limit(size)
    ).all()  # fmt: skip


def last_change(session: Session, advert: int) -> AdvertChange | None:
    """Who changed an advert last."""
    return session.scalar(
        select(AdvertChange).where(AdvertChange.advert_id == advert).order_by(AdvertChange.id.desc()).limit(1)
    )


def threads(
    session: Session, parties: Collection[int], *, before: str | None = None, size: int = 20
) -> tuple[list[Talk], str | None]:
    """A page of the threads of these parties, the newest message first, and the thread before which the next starts."""
    last = (
        select(Message.id, Message.text, Message.by_party, Message.sent_at)
        .where(Message.thread_id == Thread.id)
        .order_by(Message.id.desc()).limit(1).lateral()
    )  # fmt: skip
    query = (
        select(Thread, Advert.title, last.c.text, last.c.by_party, last.c.sent_at)
        .join(Advert, Advert.id == Thread.advert_id)
        .join(last, true())
        .where(_mine(parties))
        .order_by(last.c.id.desc())
        .limit(size + 1)
    )
    if before and before.isprintable():
        start = (
            select(func.max(Message.id)).join(Thread, Thread.id == Message.thread_id)
            .where(Thread.token == before, _mine(parties)).correlate(None).scalar_subquery()
        )  # fmt: skip
        query = query.where(last.c.id < start)
    rows = [Talk(*row) for row in session.execute(query)]
    return rows[:size], rows[size - 1].thread.token if len(rows) > size else None


def _mine(parties: Collection[int]) -> ColumnElement[bool]:
    return or_(Thread.author_party.in_(parties), Thread.asking_party.in_(parties))


def thread(session: Session, token: str, parties: Collection[int]) -> Thread | None:
    """One thread, if one of its two sides is among these parties."""
    return session.scalar(select(Thread).where(Thread.token == token, _mine(parties)))


def thread_about(session: Session, advert: int, parties: Collection[int]) -> Thread | None:
    """The first thread that one of these parties opened about an advert."""
    return session.scalar(
        select(Thread).where(Thread.advert_id == advert, Thread.asking_party.in_(parties)).order_by(Thread.id).limit(1)
    )


def advert_of(session: Session, thread: Thread) -> Advert:
    """What a thread is about."""
    return session.get_one(Advert, thread.advert_id)


def messages(session: Session, thread: int, *, limit: int = 100) -> Sequence[Message]:
    """The last messages of a thread, in the order in which they were sent."""
    newest = session.scalars(
        select(Message).where(Message.thread_id == thread).order_by(Message.id.desc()).limit(limit)
    ).all()
    return list(reversed(newest))
