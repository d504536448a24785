"""The offers and wants of Saint-Marron, and what people write to each other about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from exchange.adverts import operations as adverts
from exchange.adverts.models import Advert
from exchange.demo.people import OPENED
from exchange.demo.world import Somebody, World, texts


class Notice(NamedTuple):
    """One advert as it will be published."""

    kind: str
    nature: str
    category: str
    about: str  # the key of what is done
    title: str
    text: str


def plan(world: World, names: list[str]) -> None:
    """Give each advert an author among these members, teach them what they offer, and plan the days when they are
    published, said better, closed and answered."""
    told = texts("adverts")
    notices = [Notice(*row) for row in told["adverts"]]
    authors = _authors(world, notices, told["authors"], names)
    world.skills = _skills(world, notices, authors, names)
    world.story.plan(world.calendar.moment(OPENED + 2, 9), _categories, world, notices)
    seen: set[tuple[str, str]] = set()
    for number, notice in enumerate(notices):
        rarely = world.chance.random() < (0.06 if notice.kind == "offer" else 0.3)
        ends = (notice.kind, notice.nature) not in seen or rarely
        seen.add((notice.kind, notice.nature))
        talk = told["talk"][number % len(told["talk"])]["messages"] if number % 4 == 1 else []
        day = _published(world, number, ends=ends)
        world.story.plan(day, _publish, world, notice, authors[number], ends=ends, talk=talk)


def _authors(world: World, notices: list[Notice], known: dict[str, str], names: list[str]) -> list[str]:
    """Those who could be nobody else, then the others in turn: no more than three adverts each."""
    count = dict.fromkeys(names, 0)
    for title in known:
        count[known[title]] += 1
    found = []
    for notice in notices:
        author = known.get(notice.title)
        if author is None:
            fewest = min(count.values())
            author = world.chance.choice([name for name in names if count[name] == fewest])
            count[author] += 1
        found.append(author)
    return found


def _skills(world: World, notices: list[Notice], authors: list[str], names: list[str]) -> dict[str, set[str]]:
    """What each member does: what they offer, and one or two other things."""
    every = sorted({notice.about for notice in notices})
    skills = {name: set(world.chance.sample(every, 2)) for name in names}
    for notice, author in zip(notices, authors, strict=True):
        if notice.kind == "offer":
            skills[author].add(notice.about)
    return skills


def _published(world: World, number: int, *, ends: bool) -> datetime:
    """Most of what is current was published during the last year; a few this week."""
    days = -world.chance.randrange(60, 400) if ends else -int(430 * world.chance.random() ** 2.2) - 1
    return world.calendar.moment(days, 8 + number % 13, number % 60)


def _categories(world: World, notices: list[Notice], *, at: datetime) -> None:
    """The first assembly sorts by these."""
    for name in sorted({notice.category for notice in notices}):
        world.categories[name] = adverts.add_category(world.session, community=world.community, name=name).id


def _publish(world: World, it: Notice, author: str, *, ends: bool, talk: list[str], at: datetime) -> None:
    """Published by its author, or at the counter; a newcomer publishes theirs a few days after joining."""
    who = world.members.get(author)
    if who is None:
        world.story.plan(at + timedelta(days=9), _publish, world, it, author, ends=ends, talk=talk)
        return
    assert who.account is not None
    content = adverts.Content(it.kind, it.nature, world.categories[it.category], it.title, it.text)
    by = who.by if who.signs_in else world.counter(who.party)
    advert = adverts.publish(world.session, content, account=who.account, by=by, at=at)
    if world.chance.random() < 0.12:
        better = content._replace(text=f"{it.text} Laissez un message, je réponds le soir.")
        world.story.plan(at + timedelta(hours=3), adverts.edit, world.session, advert, better, by=by)
    if talk and who.signs_in:
        world.story.plan(at + timedelta(hours=26), _first_word, world, advert, who, talk)
    if ends:
        current = timedelta(days=world.chance.randrange(12, 50))
        world.story.plan(at + current, adverts.close, world.session, advert, by=by)


def _first_word(world: World, advert: Advert, author: Somebody, talk: list[str], *, at: datetime) -> None:
    """Somebody writes through the relay, and the two answer each other within a day or so."""
    others = [m for m in world.members.values() if m.signs_in and m.party != author.party and m.busy]
    asking = world.chance.choices(others, [m.busy for m in others])[0]
    thread = adverts.write_about(world.session, advert, talk[0], by=asking.by, at=at)
    for number, text in enumerate(talk[1:], start=1):
        speaker = author if number % 2 else asking
        later = at + timedelta(hours=7 * number)
        world.story.plan(later, adverts.answer, world.session, thread, text, by=speaker.by)
