"""T10, of who hesitates and who waits: two people act step by step, in every order that there is.

And twenty workers at once, when something frees for two who wait: exactly one has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings import operations, options, policy, waiting, wishes
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as resources
from exchange.catalogue.queries import ResourceView
from exchange.errors import PoolExhausted, SlotTaken, WrongState
from tests.cast import NOON, SATURDAY, Cast, Person, committed
from tests.databases import Database, Postgres
from tests.exchange.bookings.conftest import NEXT_WEEK
from tests.exchange.bookings.holding import became, join, with_options
from tests.exchange.bookings.test_t9_double_booking import OVERLAPS, PEAK, count, furnished, race
from tests.exchange.bookings.test_t10_lending import (
    ASKED,
    ENDS,
    ORDERS,
    PARIS,
    Act,
    Ground,
    Pair,
    Theatre,
    alice,
    ask,
    cancels,
    changes,
    closes,
    declines,
)
from tests.interleaving import Stage
from tests.proofs import figure, record, seeded

pytestmark = pytest.mark.race
OVER = NOON + timedelta(days=5)  # the day of an option of five days


def wanted(ground: Ground, who: str, room: str, many: int) -> tuple[Person, Request]:
    person: Person = getattr(ground.cast, who)
    room_ = ground.rooms[room]._replace(option_days=5)
    return person, Request(person.party.id, (Wanted(room_, many),), NEXT_WEEK, ENDS, who)


def takes(who: str, room: str, many: int = 1) -> Act:
    """Somebody takes an option."""

    def act(session: Session, ground: Ground) -> None:
        person, request = wanted(ground, who, room, many)
        ground.tokens[who] = options.take(session, request, zone=PARIS, by=person.by, at=NOON).token

    return plainly(act)


def waits(who: str, room: str, many: int = 1) -> Act:
    """Somebody joins the waiting list."""

    def act(session: Session, ground: Ground) -> None:
        person, request = wanted(ground, who, room, many)
        made = wishes.join(session, request, zone=PARIS, by=person.by, at=NOON).wish
        ground.tokens[f"wish of {who}"] = made.token

    return act


def leaves(who: str) -> Act:
    """Somebody leaves it."""

    def act(session: Session, ground: Ground) -> None:
        person: Person = getattr(ground.cast, who)
        wishes.leave(session, ground.tokens[f"wish of {who}"], parties=[person.party.id], by=person.by, at=NOON)

    return act


def turns(at: datetime = NOON) -> Act:
    """The worker comes."""

    def act(session: Session, ground: Ground) -> None:
        given = wishes.give_turns(session, ground.cast.town.id, by=ground.cast.system, at=at, today=SATURDAY).given
        here = {room.id for room in ground.rooms.values()}
        ground.tokens |= {
            f"turn of {view.purpose}": view.token for view in given if view.items[0].resource_id in here
        }

    return act


def late(who: str, room: str) -> Act:
    """Somebody asks, once the option's day has passed, before the worker comes."""

    def act(session: Session, ground: Ground) -> None:
        person, request = wanted(ground, who, room, 1)
        ground.tokens[who] = operations.ask(session, request, zone=PARIS, by=person.by, at=OVER).token

    return plainly(act)


def lapses(session: Session, ground: Ground) -> None:
    """The worker comes, once the option's day has passed; another one may be at it, which it leaves to it."""
    options.lapse_due(session, by=ground.cast.system, at=OVER)


def plainly(act: Act) -> Act:
    """Taken is taken: whether it was seen before it was tried or not."""

    def plain(session: Session, ground: Ground) -> object:
        try:
            return act(session, ground)
        except (SlotTaken, PoolExhausted) as refused:
            raise SlotTaken(**refused.facts) from refused

    return plain


confirms, releases = alice(options.confirm), alice(options.release)
HELD = (takes("alice", "half"),)
AWAITED = (*ASKED, waits("chloe", "half"), waits("bruno", "half"))
FREED = (*AWAITED, cancels)

PAIRS: Mapping[str, Pair] = {
    "two options": Pair(takes("alice", "half"), takes("bruno", "hall")),
    "an option and a request": Pair(takes("alice", "half"), plainly(ask("bruno", "half"))),
    "options on more chairs than there are": Pair(takes("alice", "chairs", 3), plainly(ask("bruno", "chairs", 3))),
    "an option and works": Pair(takes("alice", "half"), closes("hall")),
    "confirmed twice": Pair(confirms, confirms, HELD),
    "confirmed and given up": Pair(confirms, releases, HELD),
    "confirmed, and somebody after its day": Pair(confirms, late("bruno", "half"), HELD),
    "confirmed and declined": Pair(confirms, declines, HELD),
    "two after its day": Pair(late("bruno", "half"), late("chloe", "hall"), HELD),
    "given up, and asked for": Pair(releases, plainly(ask("bruno", "half")), HELD),
    "confirmed, and somebody waits for it": Pair(confirms, waits("bruno", "hall"), HELD),
    "a cancellation, and who slips in": Pair(cancels, plainly(ask("zoe", "half")), AWAITED),
    "a change, and who slips in": Pair(changes("other half"), plainly(ask("zoe", "half")), AWAITED),
    "the worker twice": Pair(turns(), turns(), FREED),
    "the worker, and who slips in": Pair(turns(), plainly(ask("zoe", "half")), FREED),
    "the worker, and who leaves": Pair(turns(), leaves("bruno"), FREED),
    "the worker, and works": Pair(turns(), closes("hall"), FREED),
    "joined twice": Pair(waits("bruno", "half"), waits("bruno", "half"), ASKED),
}


@pytest.fixture(autouse=True)
def _as_many_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same people play on many grounds."""
    monkeypatch.setattr(policy, "MOST_OPTIONS", 10_000)
    monkeypatch.setattr(policy, "MOST_WISHES", 10_000)


@pytest.fixture(scope="module")
def theatre(postgres: Postgres) -> Iterator[Theatre]:
    database = postgres.copy()
    cast = committed(database.app())
    with Stage(database) as stage:
        yield Theatre(database, stage, cast)
    postgres.drop(database)


@pytest.mark.parametrize("name", PAIRS)
def test_in_whatever_order_it_is_as_if_one_had_come_first(name: str, theatre: Theatre) -> None:
    pair = PAIRS[name]
    among = seeded().sample(ORDERS, figure(8, len(ORDERS)))
    assert theatre.strange(pair, theatre.alone(pair), among) == []
    record("T10", "orders of two who hesitate or wait", goal=len(among), reached=len(among))


def test_the_worker_and_who_comes_after_its_day_free_it_once(theatre: Theatre) -> None:
    """The worker leaves alone what somebody is at: who asked then has it, or the worker freed it and so have they."""
    for order in seeded().sample(ORDERS, 8):
        played = theatre.played(Pair(lapses, late("bruno", "half"), HELD), order)
        assert played.outcomes == ("done", "done")
        assert played.state == ([("half", "bruno", 1)], [("alice", "expired"), ("bruno", "pending")])


# -- many at once


def committing(database: Database, do: Callable[[Session], object]) -> Any:
    """Do something, committed."""
    with Session(create_engine(database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        found = do(session)
        session.commit()
    return found


def awaited(database: Database) -> tuple[Cast, Any, list[int]]:
    """Chloé had the hall, Alice and Bruno waited for it, and she cancels."""
    cast, lent = furnished(database)
    lent = committing(database, lambda session: with_options(session, lent))
    request = Request(cast.chloe.party.id, (Wanted(lent.hall),), NEXT_WEEK, ENDS, "Fête")
    had = committing(database, lambda session: operations.ask(session, request, zone=PARIS, by=cast.chloe.by, at=NOON))
    made = [committing(database, lambda session, who=who: join(session, who, lent.hall).id)
            for who in (cast.alice, cast.bruno)]  # fmt: skip
    committing(database, lambda session: operations.cancel(
        session, had.token, parties=[cast.chloe.party.id], reason="", by=cast.chloe.by, at=NOON
    ))  # fmt: skip
    return cast, lent, made


def test_twenty_workers_and_twenty_who_slip_in_leave_one_turn(database: Database) -> None:
    cast, lent, (first, second) = awaited(database)
    request = Request(cast.zoe.party.id, (Wanted(lent.half),), NEXT_WEEK, ENDS, "Fête")
    gives = [lambda session: wishes.give_turns(session, cast.town.id, by=cast.system, at=NOON, today=SATURDAY)] * 20
    asks = [lambda session: operations.ask(session, request, zone=PARIS, by=cast.zoe.by, at=NOON)] * 20
    outcome = race(database, [*gives, *asks])
    assert outcome["won"] == 20, outcome  # the workers; nobody slipped in
    assert count(database, OVERLAPS) == 0
    assert count(database, "SELECT count(*) FROM wish_turns") == 1
    seen = committing(database, lambda session: waiting.by_ids(session, [first, second], at=NOON))
    assert [(one.turn is not None, one.before) for one in seen] == [(True, 0), (False, 1)]
    record("T10", "races of 20 workers and 20 who slip in", goal=1, reached=1)


def seven(cast: Cast, it: ResourceView, many: int = 1) -> list[Callable[[Session], object]]:
    """Seven people take an option on the same."""

    def takes_it(person: Person) -> Callable[[Session], object]:
        request = Request(person.party.id, (Wanted(it, many),), NEXT_WEEK, ENDS, "Fête")
        return lambda session: options.take(session, request, zone=PARIS, by=person.by, at=NOON)

    people = (cast.alice, cast.bruno, cast.chloe, cast.fanny, cast.tibo, cast.aicha, cast.zoe)
    return [takes_it(person) for person in people]


def test_one_of_seven_has_the_option(database: Database) -> None:
    cast, lent = furnished(database)
    lent = committing(database, lambda session: with_options(session, lent))
    assert race(database, seven(cast, lent.hall))["won"] == 1
    assert count(database, OVERLAPS) == 0


def test_control_without_the_constraint_several_have_it(database: Database) -> None:
    cast, lent = furnished(database)
    lent = committing(database, lambda session: with_options(session, lent))
    with database.connected("superuser") as connection:
        connection.execute("ALTER TABLE occupancy DROP CONSTRAINT occupancy_once")
    assert race(database, seven(cast, lent.hall))["won"] > 1


def test_of_chairs_no_more_are_held_than_there_are(database: Database) -> None:
    cast, lent = furnished(database)
    lent = committing(database, lambda session: with_options(session, lent))
    outcome = race(database, seven(cast, lent.chairs, 2))
    assert outcome["won"] == 2, outcome
    assert count(database, PEAK) == 4


def test_confirmed_by_one_hand_and_over_for_the_other(database: Database) -> None:
    """At the instant of its day, an option is a request, or somebody else's: never both, never neither."""
    cast, lent = furnished(database)
    lent = committing(database, lambda session: with_options(session, lent))
    mine = Request(cast.alice.party.id, (Wanted(lent.hall),), NEXT_WEEK, ENDS, "Fête")
    option = committing(database, lambda session: options.take(session, mine, zone=PARIS, by=cast.alice.by, at=NOON))
    before, theirs = OVER - timedelta(seconds=1), mine._replace(party=cast.bruno.party.id)

    def confirms_it(session: Session) -> None:
        try:
            options.confirm(session, option.token, parties=[cast.alice.party.id], by=cast.alice.by, at=before)
        except WrongState as refused:
            raise SlotTaken from refused

    outcome = race(database, [
        confirms_it, *[lambda session: operations.ask(session, theirs, zone=PARIS, by=cast.bruno.by, at=OVER)] * 10,
        *[lambda session: options.lapse_due(session, by=cast.system, at=OVER)] * 5,
    ])  # fmt: skip
    state = committing(database, lambda session: became(session, option, at=OVER))
    assert state in {"pending", "expired"}
    assert outcome["won"] == 6, outcome  # the workers, and Alice or Bruno
    assert count(database, OVERLAPS) == 0
    assert count(database, "SELECT count(DISTINCT booking_item_id) FROM occupancy") == 1


def test_resources_of_the_ground_may_be_held(theatre: Theatre) -> None:
    with Session(theatre.engine) as session:
        ground = Ground(session, theatre.cast)
        views = resources.views(session, [room.id for room in ground.rooms.values()])
        assert {view.option_days for view in views.values()} == {5}
