"""T10, of lending: two people act on the same rooms, chairs and bookings, step by step, in every order that there is.

What becomes of both, and what is booked and closed afterwards, must be what it is when one has acted whole before the
other. Eight of the twenty orders are drawn each time; MARRONNIER_FULL=1 plays them all. The locks and the constraint
are then taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings import damages, extending, moving, operations, queries
from exchange.bookings.changes import change
from exchange.bookings.models import Booking
from exchange.bookings.offers import consent, dismiss, offer, revoke, withdraw_offer
from exchange.bookings.policy import Back
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from exchange.errors import refusal_of
from exchange.keys import operations as keys
from ledger.errors import Refused
from tests.cast import NOON, Cast, Person, committed
from tests.databases import Database, Postgres
from tests.exchange.bookings.conftest import NEXT_WEEK
from tests.interleaving import Stage, Step, begin, orders
from tests.proofs import figure, record, seeded

pytestmark = pytest.mark.race
PARIS, HOURS = "Europe/Paris", timedelta(hours=4)
ENDS = NEXT_WEEK + HOURS
ORDERS = list(orders(3, 3))

OCCUPIED = text("""
    SELECT r.name, b.token, NULL::bigint AS quantity FROM occupancy o JOIN resources r ON r.id = o.unit_id
      JOIN booking_items i ON i.id = o.booking_item_id JOIN bookings b ON b.id = i.booking_id
     WHERE r.id = ANY (:units)
     UNION ALL
    SELECT r.name, b.token, o.quantity FROM pool_occupancy o JOIN resources r ON r.id = o.pool_id
      JOIN booking_items i ON i.id = o.booking_item_id JOIN bookings b ON b.id = i.booking_id
     WHERE r.id = ANY (:units)
     UNION ALL
    SELECT r.name, 'closed', NULL FROM closed_units c JOIN resources r ON r.id = c.unit_id WHERE r.id = ANY (:units)
     UNION ALL
    SELECT r.name, 'closed', c.quantity FROM closed_things c JOIN resources r ON r.id = c.pool_id
     WHERE r.id = ANY (:units)
""")


class Ground:
    """A hall in two halves and five chairs that nobody else touches, and what was done there, by its label."""

    def __init__(self, session: Session, cast: Cast) -> None:
        self.cast, town = cast, cast.olga.by

        def add(kind: str, name: str, **facts: Any) -> int:
            return catalogue.add_resource(
                session, lender=cast.town.id, kind=kind, name=name, by=town, at=NOON, option_days=5, **facts
            ).id

        half, other = (add("room", name, capacity=60) for name in ("half", "other half"))
        ids = {"half": half, "other half": other, "chairs": add("pool", "chairs", quantity=5),
               "hall": add("room", "hall", capacity=120, parts=[half, other])}  # fmt: skip
        catalogue.publish(session, lender=cast.town.id, capacities=dict.fromkeys(ids.values()), by=town, at=NOON)
        views = resources.views(session, ids.values())
        self.rooms: Mapping[str, ResourceView] = {name: views[id_] for name, id_ in ids.items()}
        self.tokens: dict[str, str] = {}  # of bookings and closures
        self.badge = keys.add(session, lender=cast.town.id, label=token_urlsafe(8), note="", place=None, opens=[],
                              by=town, at=NOON).token  # fmt: skip

    def state(self, session: Session) -> object:
        """What is booked and closed, and how each booking stands."""
        units = [room.id for room in self.rooms.values()]
        labels = {token: label for label, token in self.tokens.items()}
        held = [
            (room, labels.get(of, of), many or 1) for room, of, many in session.execute(OCCUPIED, {"units": units})
        ]
        made = session.scalars(select(Booking).where(Booking.token.in_(labels)))
        return sorted(held), sorted((labels[row.token], queries.view(session, row.id, at=NOON).state) for row in made)


Act = Callable[[Session, Ground], object]


def ask(who: str, room: str, many: int = 1) -> Act:
    def act(session: Session, ground: Ground) -> None:
        person: Person = getattr(ground.cast, who)
        request = Request(person.party.id, (Wanted(ground.rooms[room], many),), NEXT_WEEK, ENDS, who)
        ground.tokens[who] = operations.ask(session, request, zone=PARIS, by=person.by, at=NOON).token

    return act


def offers(room: str, label: str = "offer") -> Act:
    """Olga offers another room in place of what Alice has."""

    def act(session: Session, ground: Ground) -> None:
        cast = ground.cast
        made = offer(session, ground.tokens["alice"], lender=cast.town.id, wanted=[Wanted(ground.rooms[room])],
                     starts_at=NEXT_WEEK, ends_at=ENDS, word="Travaux", by=cast.olga.by, at=NOON)  # fmt: skip
        ground.tokens[label] = made.token

    return act


def changes(room: str, label: str = "change") -> Act:
    """Alice wants something else than what she has."""

    def act(session: Session, ground: Ground) -> None:
        mine = ground.cast.alice
        wanted = Request(mine.party.id, (Wanted(ground.rooms[room]),), NEXT_WEEK, ENDS, label)
        made = change(session, ground.tokens["alice"], wanted, parties=[mine.party.id], by=mine.by, at=NOON)
        ground.tokens[label] = made.token

    return act


def closes(room: str, many: int | None = None) -> Act:
    """Olga closes something, and is told which bookings are to be moved."""

    def act(session: Session, ground: Ground) -> list[str]:
        made = closures.close(session, ground.rooms[room], kind="works", reason="", starts_at=NEXT_WEEK, ends_at=ENDS,
                              quantity=many, by=ground.cast.olga.by, at=NOON)  # fmt: skip
        ground.tokens["closure"] = made.token
        found = moving.displaced(session, ground.rooms[room], NEXT_WEEK, ENDS, closing=0, at=NOON)
        return sorted(view.purpose for view in found)

    return act


def town(verb: Callable[..., object], label: str = "alice", **what: Any) -> Act:
    """Something that Olga does to a booking, for the town."""

    def act(session: Session, ground: Ground) -> None:
        cast = ground.cast
        verb(session, ground.tokens[label], lender=cast.town.id, by=cast.olga.by, **{"at": NOON, **what})

    return act


def alice(verb: Callable[..., object], label: str = "alice", **what: Any) -> Act:
    """Something that Alice does to a booking of hers."""

    def act(session: Session, ground: Ground) -> None:
        cast = ground.cast
        verb(session, ground.tokens[label], parties=[cast.alice.party.id], by=cast.alice.by, at=NOON, **what)

    return act


def expires(session: Session, ground: Ground) -> None:
    """The night comes, long after."""
    operations.expire(session, by=None, at=NEXT_WEEK)


accepts, declines = town(operations.accept), town(operations.decline, ground="services", text="")
hands_over = town(operations.hand_over, remarks="", at=NEXT_WEEK)
revokes = town(revoke, ground="services", text="")
cancels = alice(operations.cancel, reason="")
consents, dismisses = alice(consent, "offer"), alice(dismiss, "offer")
lifts = town(closures.lift, "closure")
ASKED = (ask("alice", "half"),)
ACCEPTED = (*ASKED, accepts)
OFFERED = (*ASKED, offers("other half"))
CHANGED = (*ACCEPTED, changes("other half"))
accepts_change, gives_up = town(operations.accept, "change"), alice(operations.cancel, "change", reason="")


class Pair(NamedTuple):
    """What two people do, after what was done before."""

    one: Act
    other: Act
    before: tuple[Act, ...] = ()


def gives(label: str) -> Act:
    """Olga hands something over, with the only badge."""

    def act(session: Session, ground: Ground) -> None:
        cast = ground.cast
        operations.hand_over(session, ground.tokens[label], lender=cast.town.id, remarks="", keys=[ground.badge],
                             by=cast.olga.by, at=NEXT_WEEK)  # fmt: skip

    return act


def gets_back(many: int) -> Act:
    """Olga counts so many chairs that Alice brings back."""

    def act(session: Session, ground: Ground) -> None:
        cast = ground.cast
        operations.take_back(session, ground.tokens["alice"], lender=cast.town.id, remarks="", by=cast.olga.by,
                             items={ground.rooms["chairs"].id: Back(many)}, at=NEXT_WEEK)  # fmt: skip

    return act


def keeps(hours: int = 2) -> Act:
    """Alice wants what she has for longer."""

    def act(session: Session, ground: Ground) -> bool:
        mine = ground.cast.alice
        until = ENDS + timedelta(hours=hours)
        return extending.ask(session, ground.tokens["alice"], until, parties=[mine.party.id], reason="", by=mine.by,
                             at=NEXT_WEEK).granted  # fmt: skip

    return act


def asks_for_what_follows(session: Session, ground: Ground) -> None:
    """Bruno wants the chairs or the room just after Alice."""
    bruno, room = ground.cast.bruno, ground.rooms["half"]
    request = Request(bruno.party.id, (Wanted(room),), ENDS, ENDS + HOURS, "bruno")
    ground.tokens["bruno"] = operations.ask(session, request, zone=PARIS, by=bruno.by, at=NOON).token


def night(session: Session, ground: Ground) -> None:
    """The worker lets what is late keep its place."""
    last: int | None = 0
    while last is not None:
        last = extending.keep_places(session, at=ENDS + timedelta(minutes=5), after=last)


CHAIRS_OUT = (ask("alice", "chairs", 5), accepts, hands_over)
HALF_OUT = (*ACCEPTED, hands_over)
TWO_READY = (*ACCEPTED, ask("bruno", "other half"), town(operations.accept, "bruno"))

def breaks(session: Session, ground: Ground) -> None:
    """Olga proposes half an hour for what Alice broke."""
    cast = ground.cast
    ground.tokens["damage"] = damages.propose(
        session, ground.tokens["alice"], lender=cast.town.id, words="Une vitre", minutes=30, cents=None,
        by=cast.olga.by, at=NEXT_WEEK,
    ).token  # fmt: skip


BROKEN_OUT = (*HALF_OUT, breaks)
pays, contests = alice(damages.accept, "damage"), alice(damages.contest, "damage", text="Non")

PAIRS = {
    "a damage accepted twice": Pair(pays, pays, BROKEN_OUT),
    "a damage accepted, and contested": Pair(pays, contests, BROKEN_OUT),
    "two returns at once": Pair(gets_back(2), gets_back(3), CHAIRS_OUT),
    "two returns of too many": Pair(gets_back(3), gets_back(4), CHAIRS_OUT),
    "one badge for two": Pair(gives("alice"), gives("bruno"), TWO_READY),
    "handed over twice": Pair(gives("alice"), gives("alice"), ACCEPTED),
    "a return and more time": Pair(town(operations.take_back, remarks="", at=NEXT_WEEK), keeps(), HALF_OUT),
    "a part back and more time": Pair(gets_back(2), keeps(), CHAIRS_OUT),
    "more time twice": Pair(keeps(), keeps(3), HALF_OUT),
    "more time, and who follows": Pair(keeps(), asks_for_what_follows, HALF_OUT),
    "more time, and works there": Pair(keeps(), closes("hall"), HALF_OUT),
    "what is late, and its return": Pair(night, town(operations.take_back, remarks="", at=ENDS), HALF_OUT),
    "a part back, and a request": Pair(gets_back(2), ask("bruno", "chairs", 2), CHAIRS_OUT),
    "two ask for one room": Pair(ask("alice", "half"), ask("bruno", "half")),
    "the hall and a half of it": Pair(ask("alice", "hall"), ask("bruno", "half")),
    "the two halves": Pair(ask("alice", "half"), ask("bruno", "other half")),
    "more chairs than there are": Pair(ask("alice", "chairs", 3), ask("bruno", "chairs", 3)),
    "chairs for both": Pair(ask("alice", "chairs", 3), ask("bruno", "chairs", 2)),
    "a request and works in the hall": Pair(ask("alice", "half"), closes("hall")),
    "a request and broken chairs": Pair(ask("alice", "chairs", 3), closes("chairs", 3)),
    "a request and the end of works": Pair(ask("alice", "half"), lifts, (closes("hall"),)),
    "a request and a cancellation": Pair(ask("bruno", "half"), cancels, ASKED),
    "accepted and cancelled": Pair(accepts, cancels, ASKED),
    "accepted and declined": Pair(accepts, declines, ASKED),
    "accepted twice": Pair(accepts, accepts, ASKED),
    "accepted and expired": Pair(accepts, expires, ASKED),
    "cancelled and expired": Pair(cancels, expires, ASKED),
    "handed over and cancelled": Pair(hands_over, cancels, ACCEPTED),
    "handed over and revoked": Pair(hands_over, revokes, ACCEPTED),
    "revoked and cancelled": Pair(revokes, cancels, ACCEPTED),
    "something else offered, and cancelled": Pair(offers("other half"), cancels, ASKED),
    "something else offered, and asked for": Pair(offers("other half"), ask("bruno", "other half"), ASKED),
    "something else offered, and works there": Pair(offers("other half"), closes("other half"), ASKED),
    "two offers": Pair(offers("other half"), offers("other half", "second"), ACCEPTED),
    "consent and dismissal": Pair(consents, dismisses, OFFERED),
    "consent twice": Pair(consents, consents, OFFERED),
    "consent and cancellation": Pair(consents, cancels, OFFERED),
    "consent and the offer taken back": Pair(consents, town(withdraw_offer), OFFERED),
    "consent and acceptance": Pair(consents, accepts, OFFERED),
    "consent and refusal": Pair(consents, declines, OFFERED),
    "consent and what it frees": Pair(consents, ask("bruno", "half"), OFFERED),
    "consent and works in the new room": Pair(consents, closes("other half"), OFFERED),
    "consent and expiry": Pair(consents, expires, OFFERED),
    "a demand changed, and accepted": Pair(changes("other half"), accepts, ASKED),
    "a demand changed, and cancelled": Pair(changes("other half"), cancels, ASKED),
    "a demand changed twice": Pair(changes("other half"), changes("hall", "second"), ASKED),
    "a demand changed, and what it frees": Pair(changes("other half"), ask("bruno", "half"), ASKED),
    "a demand changed, and something else offered": Pair(changes("other half"), offers("hall"), ASKED),
    "a change, and what it holds": Pair(changes("other half"), ask("bruno", "other half"), ACCEPTED),
    "a change, and something else offered": Pair(changes("other half"), offers("other half"), ACCEPTED),
    "a change, and the hand-over": Pair(changes("other half"), hands_over, ACCEPTED),
    "a change, and works there": Pair(changes("other half"), closes("other half"), ACCEPTED),
    "two changes": Pair(changes("hall"), changes("other half", "second"), ACCEPTED),
    "a change accepted, and given up": Pair(accepts_change, gives_up, CHANGED),
    "a change accepted, and another asked": Pair(accepts_change, changes("hall", "second"), CHANGED),
    "a change accepted, and its booking cancelled": Pair(accepts_change, cancels, CHANGED),
    "a change accepted, and its booking revoked": Pair(accepts_change, revokes, CHANGED),
    "a change accepted, and its booking handed over": Pair(accepts_change, hands_over, CHANGED),
    "a change accepted, and what it frees": Pair(accepts_change, ask("bruno", "half"), CHANGED),
    "a change accepted twice": Pair(accepts_change, accepts_change, CHANGED),
    "a change accepted, and expired": Pair(accepts_change, expires, CHANGED),
    "a change declined, and its booking cancelled": Pair(
        town(operations.decline, "change", ground="services", text=""), cancels, CHANGED
    ),
}


class Played(NamedTuple):
    """What became of both, and what was there in the end."""

    outcomes: tuple[str, str]
    state: object


class Theatre:
    """A database, two actors, and somebody who prepares and looks."""

    def __init__(self, database: Database, stage: Stage, cast: Cast) -> None:
        self.stage, self.cast = stage, cast
        self.engine = create_engine(database.web_url, poolclass=NullPool)

    def played(self, pair: Pair, order: tuple[int, ...]) -> Played:
        """One pair in one order, on a ground of its own."""
        with Session(self.engine, expire_on_commit=False) as session:
            ground = Ground(session, self.cast)
            for act in pair.before:
                act(session, ground)
            session.commit()
        outcomes = ["done", "done"]

        def steps(who: int, act: Act) -> list[Step]:
            def does(session: Session) -> None:
                try:
                    told = act(session, ground)
                    outcomes[who] = f"done, {told}" if told else "done"
                except Refused as refused:
                    outcomes[who] = refused.rule
                except DBAPIError as error:
                    refused_ = refusal_of(error)
                    outcomes[who] = refused_.rule if refused_ else f"error: {error.orig}"

            def ends(session: Session) -> None:
                if outcomes[who].startswith("done"):
                    session.commit()
                else:
                    session.rollback()

            return [begin, does, ends]

        met = self.stage.play(order, steps(0, pair.one), steps(1, pair.other))
        assert met == ([None] * 3, [None] * 3)
        with Session(self.engine) as session:
            return Played((outcomes[0], outcomes[1]), ground.state(session))

    def alone(self, pair: Pair) -> tuple[Played, Played]:
        """What it is when one has acted whole before the other."""
        found = (self.played(pair, (0, 0, 0, 1, 1, 1)), self.played(pair, (1, 1, 1, 0, 0, 0)))
        assert all("error" not in outcome for played in found for outcome in played.outcomes), found
        return found

    def strange(
        self, pair: Pair, alone: tuple[Played, Played], among: Sequence[tuple[int, ...]] = ORDERS
    ) -> list[tuple[tuple[int, ...], Played]]:
        """The orders after which it is neither, and what was met then."""
        mixed = ((order, self.played(pair, order)) for order in among)
        return [(order, played) for order, played in mixed if played not in alone]


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
    record("T10", "orders of two who lend and borrow", goal=len(among), reached=len(among))


BROKEN = {
    "two ask for one room": "ALTER TABLE occupancy DROP CONSTRAINT occupancy_once",
    "more chairs than there are": "DROP TRIGGER pool_never_exceeded ON pool_occupancy",
    "one badge for two": "ALTER TABLE keys_out DROP CONSTRAINT keys_out_pkey",
    "a request and works in the hall": "DROP TRIGGER alone ON closed_units",
}


@pytest.mark.parametrize("name", BROKEN)
def test_control_without_its_guard_an_order_goes_wrong(name: str, database: Database) -> None:
    pair, cast = PAIRS[name], committed(database.app())
    with Stage(database) as stage:
        theatre = Theatre(database, stage, cast)
        alone = theatre.alone(pair)
        with database.connected("superuser") as connection:
            connection.execute(BROKEN[name])
        assert theatre.strange(pair, alone) != []
