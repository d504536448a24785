"""Two years of help between neighbours: who gave what to whom, how it was declared, and what became of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from exchange.declarations import operations as declarations
from exchange.declarations.models import Declaration
from exchange.demo.people import LEAVER, OPENED
from exchange.demo.world import Somebody, World, texts

ANSWER_DAYS = 30
LOWEST, HIGHEST = -1500, 1700  # minutes: an ordinary neighbour stays well within what the SEL allows
LOWEST_OF_ASSOCIATIONS = -1000  # minutes: the firm lends its room above -1500
CALM = 650  # minutes: beyond, people think of giving (or of asking) before the next exchange
BUSIEST = {5: 2.6, 6: 1.4, 2: 1.2}  # Saturday, Sunday, Wednesday; other days less
LEAVES = -160  # days from today: when the one who leaves stops exchanging


class Service(NamedTuple):
    """Something that neighbours do for each other."""

    key: str
    nature: str
    minutes: list[int]
    months: list[int]
    weight: float
    words: list[str]


def services() -> dict[str, Service]:
    """Everything that is done in Saint-Marron, by key."""
    return {row[0]: Service(*row) for row in texts("exchanges")["services"]}


class Neighbours:
    """Draws the exchanges of each day, and follows the balances as the books write them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services = services()
        self.together = texts("exchanges")["together"]
        self.met: Counter[tuple[str, str]] = Counter()

    def plan(self) -> None:
        """Every day since the SEL opened, more and more exchanges, most of them on Saturdays."""
        for days in range(OPENED + 9, 1):
            day = self.world.calendar.today + timedelta(days=days)
            self.world.story.plan(self.world.calendar.on(day, 12), self._a_day, day)

    def _a_day(self, day: date, *, at: datetime) -> None:
        """Draw what happens during a day, and plan when it is said."""
        chance = self.world.chance
        growing = 0.45 + 0.55 * min(1.0, len(self.world.members) / 90)
        expected = 2.15 * growing * BUSIEST.get(day.weekday(), 0.75) * (0.6 if day.month in (1, 8) else 1.0)
        for _ in range(_how_many(chance.random(), expected)):
            self._draw(day)
        if chance.random() < 0.14:
            self._with_an_association(day)

    def _draw(self, day: date) -> None:
        """Somebody needs something that is done in this season; somebody who does it is asked."""
        chance = self.world.chance
        wanted = [s for s in self.services.values() if not s.months or day.month in s.months]
        service = chance.choices(wanted, [s.weight for s in wanted])[0]
        there = self._exchanging(day)
        giver = self._one_of([m for m in there if service.key in m.skills], lambda m: m.busy * _lean(-m.balance))
        if giver is None:
            return
        receiver = self._one_of(
            [m for m in there if m is not giver],
            lambda m: m.busy**0.7 * _lean(m.balance) * (1 + 3 * min(self.met[giver.name, m.name], 3))
            * (2.5 if m.area == giver.area else 1),
        )  # fmt: skip
        minutes = chance.choice(service.minutes)
        if receiver is None or receiver.balance - minutes < LOWEST or giver.balance + minutes > HIGHEST:
            return
        self.met[giver.name, receiver.name] += 1
        words = chance.choice(service.words)
        self._declare(giver, receiver, minutes, day, service.nature, words)

    def _with_an_association(self, day: date) -> None:
        """An association helps a member, or is helped by one."""
        rows = [row for row in self.together if (not row[3] or day.month in row[3])]
        rows = [row for row in rows if row[0] in self.world.organisations]
        if not rows:
            return
        name, who, minutes, _months, words = self.world.chance.choice(rows)
        organisation = self.world.organisations[name]
        member = self._one_of(self._exchanging(day), lambda m: m.busy)
        if member is None or not organisation.signs_in or organisation.by.sign_in == member.by.sign_in:
            return
        giver, receiver = (organisation, member) if who == "it" else (member, organisation)
        took = self.world.chance.choice(minutes)
        floor = LOWEST if who == "it" else LOWEST_OF_ASSOCIATIONS
        if receiver.balance - took >= floor and giver.balance + took <= 5000:
            self._declare(giver, receiver, took, day, "service", self.world.chance.choice(words))

    def _exchanging(self, day: date) -> list[Somebody]:
        left = day >= self.world.calendar.today + timedelta(days=LEAVES)
        return [m for m in self.world.members.values() if m.busy and not (left and m.name == LEAVER)]

    def _one_of(self, people: Sequence[Somebody], weight: Callable[[Somebody], float]) -> Somebody | None:
        weights = [weight(m) for m in people]
        return self.world.chance.choices(people, weights)[0] if people and sum(weights) > 0 else None

    def _declare(
        self, giver: Somebody, receiver: Somebody, minutes: int, day: date, nature: str, words: str
    ) -> None:
        """Plan how it is declared: by who was helped, by who helped, or on a paper slip at the counter."""
        chance = self.world.chance
        said = (giver, receiver, minutes, day, nature, words)
        evening = self.world.calendar.on(day, 18, chance.randrange(60)) + timedelta(
            hours=chance.randrange(4), days=chance.choice((0, 0, 0, 1, 1, 2, 4))
        )
        draw = chance.random()
        if not receiver.signs_in or (draw < 0.06 and "facilitator" in self.world.offices):
            saturday = day + timedelta(days=(5 - day.weekday()) % 7 or 7)
            keyed = self.world.calendar.on(saturday, 10, chance.randrange(60))
            self.world.story.plan(max(keyed, evening), self._told, on_behalf, *said)
        elif draw < 0.6 or not giver.signs_in or LEAVER in (giver.name, receiver.name):
            self.world.story.plan(evening, self._told, by_who_was_helped, *said)
        else:
            self.world.story.plan(evening, by_who_helped, self.world, *said)


    def _told(
        self, how: Callable[..., Declaration], giver: Somebody, receiver: Somebody, minutes: int, *said: Any,
        at: datetime,
    ) -> None:  # fmt: skip
        """Declare it, unless who was helped has received too much in the meantime: then it was a present."""
        if receiver.balance - minutes >= LOWEST - 300:
            how(self.world, giver, receiver, minutes, *said, at=at)


def _how_many(draw: float, expected: float) -> int:
    """A Poisson count from a number between 0 and 1."""
    count, chance = 0, math.exp(-expected)
    total = chance
    while draw > total and count < 20:
        count += 1
        chance *= expected / count
        total += chance
    return count


def _lean(balance: int) -> float:
    """How much more likely somebody with this balance is to receive; with the sign turned, to give."""
    return 1 / (1 + math.exp(-balance / CALM))


def _say(
    world: World, giver: Somebody, receiver: Somebody, minutes: int, day: date, nature: str, words: str, *,
    by: Somebody, slip: str | None = None, at: datetime, counter: bool = False,
) -> Declaration:  # fmt: skip
    assert giver.account is not None
    assert receiver.account is not None
    said = declarations.Exchange(giver.account, receiver.account, minutes, day, nature, words, slip)
    acting = world.counter(by.party) if counter else by.by
    made = declarations.declare(
        world.session, said, answer_days=ANSWER_DAYS, today=at.date(), by=acting, at=at
    )
    if by is receiver:
        _moved(giver, receiver, minutes)
    return made


def _moved(giver: Somebody, receiver: Somebody, minutes: int) -> None:
    giver.balance += minutes
    receiver.balance -= minutes


def by_who_was_helped(
    world: World, giver: Somebody, receiver: Somebody, minutes: int, day: date, nature: str, words: str, *, at: datetime
) -> Declaration:
    """Who was helped says so: the minutes move at once."""
    return _say(world, giver, receiver, minutes, day, nature, words, by=receiver, at=at)


def on_behalf(
    world: World, giver: Somebody, receiver: Somebody, minutes: int, day: date, nature: str, words: str, *, at: datetime
) -> Declaration:
    """The facilitator keys in the paper slip that who was helped has signed."""
    slip = world.next_slip(at.year)
    return _say(world, giver, receiver, minutes, day, nature, words, by=receiver, slip=slip, at=at, counter=True)


def by_who_helped(
    world: World, giver: Somebody, receiver: Somebody, minutes: int, day: date, nature: str, words: str, *, at: datetime
) -> Declaration:
    """Who helped says so, and waits: most are confirmed within days, a few refused, a few forgotten."""
    made = _say(world, giver, receiver, minutes, day, nature, words, by=giver, at=at)
    draw = world.chance.random()
    later = at + timedelta(days=world.chance.choice((0, 1, 1, 2, 3, 5, 8)), hours=world.chance.randrange(1, 12))
    if draw < 0.95:
        world.story.plan(later, confirm, world, made, giver, receiver)
    elif draw < 0.975:
        world.story.plan(later, refuse, world, made, receiver)
    else:
        world.story.plan(made.answer_before + timedelta(hours=1), expire, world)
    return made


def declare_and_wait(
    world: World, giver: Somebody, receiver: Somebody, minutes: int, day: date, words: str, *, at: datetime
) -> Declaration:
    """Who helped says so; nobody has answered yet."""
    return _say(world, giver, receiver, minutes, day, "service", words, by=giver, at=at)


def confirm(world: World, made: Declaration, giver: Somebody, receiver: Somebody, *, at: datetime) -> None:
    """Who was helped agrees, unless it would take them too low: then it is left to expire."""
    if receiver.balance - made.minutes < LOWEST - 300 and receiver.account and receiver.account.kind == "person":
        world.story.plan(made.answer_before + timedelta(hours=1), expire, world)
        return
    declarations.confirm(world.session, made, payer_party=receiver.party, by=receiver.by, at=at)
    _moved(giver, receiver, made.minutes)


REASONS = (
    "Nous avions dit une heure, peux-tu refaire la déclaration ?",
    "Ce n'était pas chez nous, regarde dans ton carnet.",
    "C'était un cadeau pour ton anniversaire, rien à compter !",
    "Déjà noté sur un bon papier à la permanence.",
)


def refuse(world: World, made: Declaration, receiver: Somebody, *, at: datetime) -> None:
    """Who was helped doesn't agree, and says why."""
    reason = world.chance.choice(REASONS)
    declarations.refuse(world.session, made, payer_party=receiver.party, reason=reason, by=receiver.by, at=at)


def expire(world: World, *, at: datetime) -> None:
    """What nobody answered in time is closed."""
    declarations.expire(world.session, by=world.system, community=world.community, at=at)
