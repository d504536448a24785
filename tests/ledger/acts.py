"""What people do to the books, as values: done in the database, or foreseen by the model, and played again later.

An act names people, and what earlier acts wrote by their labels, so that it means the same in any community; a label
that was never written is a number that nothing has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.members import operations as members
from exchange.members.models import Party
from ledger.entries import Acting, Cause, Entry, Transfer
from ledger.errors import Refused
from ledger.limits import PERSON_CEILING, PERSON_FLOOR, Limits
from ledger.store import reading, writing
from tests.databases import Database
from tests.ledger.model import Content, Model, Refusal

NOWHERE = 10**12  # no account, entry or hold has this number
BARE = {"entry-malformed", "account-unknown"}  # rules whose figures say nothing of the books
SYSTEM, COMMON = "Marronnier", "SEL de Saint-Marron"


class Act(NamedTuple):
    """Somebody does something at some moment; ``label`` names what it writes."""

    label: str
    verb: str
    by: str
    at: datetime
    what: dict[str, Any]


class Outcome(NamedTuple):
    """What came of an act: what it wrote, or the rule that refused it and its figures."""

    rule: str | None = None
    facts: dict[str, Any] | None = None
    number: int | None = None
    recorded_at: datetime | None = None
    replayed: bool = False


class World:
    """A community with its people, and the numbers that the database gave."""

    def __init__(self, community: int) -> None:
        self.community = community
        self.parties: dict[str, int] = {}
        self.accounts: dict[str, int] = {}
        self.written: dict[str, int] = {}
        self.elsewhere: dict[str, int] = {}  # what is of another community

    def by(self, name: str) -> Acting:
        return Acting(None, self.parties[name])

    def account(self, name: str) -> int:
        return self.accounts.get(name, self.elsewhere.get(name, NOWHERE))

    def number(self, label: str) -> int:
        return self.written.get(label, self.elsewhere.get(label, NOWHERE))

    def key(self, key: str) -> str:
        """The key itself, or with the number of the hold that "hold:@label" names."""
        start, at, label = key.partition("@")
        return f"{start}{self.number(label)}" if at else key

    def moves(self, act: Act) -> tuple[tuple[int, int, int], ...]:
        return tuple((self.account(payer), self.account(payee), minutes) for payer, payee, minutes in act.what["moves"])

    def note(self, act: Act, outcome: Outcome) -> None:
        """Remember what an act wrote."""
        if outcome.rule is None and outcome.number is not None and not outcome.replayed:
            self.written[act.label] = outcome.number
            if act.verb == "open" and act.what["kind"] != "transit":
                self.accounts[act.what["party"]] = outcome.number


@contextmanager
def founder(database: Database) -> Iterator[Session]:
    """Who opens communities."""
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with engine.connect() as connection, Session(connection) as owner:
        yield owner


def founded(owner: Session, model: Model, people: Sequence[str], *, at: datetime) -> World:
    """A community just opened, that the model knows of, and people without an account yet."""
    community = members.open_community(owner, name=COMMON, system_name=SYSTEM, at=at)
    world = World(community.id)
    world.parties = {COMMON: community.party_id, SYSTEM: community.system_party_id}
    parties = [Party(token=members.token(), kind="person", name=name, created_at=at) for name in people]
    owner.add_all(parties)
    owner.flush()
    world.parties |= {party.name: party.id for party in parties}
    common = reading.account_of(owner, community.id, community.party_id)
    assert common is not None
    world.accounts[COMMON] = common.id
    owner.commit()
    model.set_limit(
        world.community, kind="person", account=None, floor=PERSON_FLOOR, ceiling=PERSON_CEILING, starts_at=at,
        ends_at=None, reason="Ouverture de la communauté", at=at, number=0,
    )  # fmt: skip
    model.open(world.community, world.parties[COMMON], "community", at=at, number=world.accounts[COMMON])
    return world


# -- in the database


def done(session: Session, world: World, act: Act) -> Outcome:
    """Do it for real; the caller commits, or rolls back what was refused."""
    try:
        answer = DONE[act.verb](session, world, act)
    except Refused as refused:
        return Outcome(refused.rule, {} if refused.rule in BARE else refused.facts)
    if isinstance(answer, writing.Written):
        return Outcome(None, None, *answer)
    return Outcome(number=answer)


def _about(world: World, act: Act) -> dict[str, Any]:
    return {"community": world.community, "by": world.by(act.by), "at": act.at}


def _post(session: Session, world: World, act: Act) -> writing.Written:
    what = act.what
    cause = Cause(*what["cause"]) if what["cause"] else None
    transfers = tuple(Transfer(*move) for move in world.moves(act))
    entry = Entry(what["kind"], transfers, what["on"], cause, what["note"])
    return writing.post(session, entry, key=world.key(what["key"]), **_about(world, act))


def _reverse(session: Session, world: World, act: Act) -> writing.Written:
    what = act.what
    return writing.reverse(
        session, world.number(what["entry"]), key=what["key"], reason=what["reason"], happened_on=what["on"],
        **_about(world, act),
    )  # fmt: skip


def _hold(session: Session, world: World, act: Act) -> writing.Written:
    what = act.what
    return writing.hold(
        session, from_account=world.account(what["payer"]), to_account=world.account(what["payee"]),
        minutes=what["minutes"], cause=what["cause"], key=what["key"], **_about(world, act),
    )  # fmt: skip


def _post_hold(session: Session, world: World, act: Act) -> writing.Written:
    what = act.what
    return writing.post_hold(
        session, world.number(what["hold"]), minutes=what["minutes"], happened_on=what["on"], note=what["note"],
        **_about(world, act),
    )  # fmt: skip


def _release(session: Session, world: World, act: Act) -> writing.Written:
    return writing.release_hold(
        session, world.number(act.what["hold"]), expired=act.what["expired"], **_about(world, act)
    )


def _limit(session: Session, world: World, act: Act) -> int:
    what = act.what
    account = what["account"] and world.account(what["account"])
    return writing.set_limit(
        session, Limits(what["floor"], what["ceiling"]), kind=what["kind"], account=account, starts_at=what["starts"],
        ends_at=what["ends"], reason=what["reason"], **_about(world, act),
    )  # fmt: skip


def _open(session: Session, world: World, act: Act) -> int:
    name = act.what["party"]
    party = world.parties.get(name, NOWHERE)
    return writing.open_account(session, party=party, kind=act.what["kind"], holder=name, **_about(world, act))


def _leave(session: Session, world: World, act: Act) -> None:
    writing.leave_account(
        session, world.account(act.what["account"]), reason=act.what["reason"], **_about(world, act)
    )


def _close(session: Session, world: World, act: Act) -> None:
    writing.close_account(
        session, world.account(act.what["account"]), reason=act.what["reason"], **_about(world, act)
    )


def _close_month(session: Session, world: World, act: Act) -> None:
    writing.close_month(session, act.what["month"], **_about(world, act))


DONE: dict[str, Callable[[Session, World, Act], Any]] = {
    "post": _post, "reverse": _reverse, "hold": _hold, "post_hold": _post_hold, "release": _release, "limit": _limit,
    "open": _open, "leave": _leave, "close": _close, "close_month": _close_month,
}  # fmt: skip


# -- in the model


def foreseen(model: Model, world: World, act: Act, number: int | None) -> Outcome:
    """What the model says of it; what it writes gets the ``number`` that the database gave."""
    what, community, at = act.what, world.community, act.at
    by, given = world.parties[act.by], number or NOWHERE
    try:
        match act.verb:
            case "post":
                content = Content(what["kind"], world.moves(act), what["on"], what["cause"], what["note"])
                answer = model.post(community, content, key=world.key(what["key"]), by=by, at=at, number=given)
            case "reverse":
                answer = model.reverse(
                    community, world.number(what["entry"]), key=what["key"], reason=what["reason"],
                    happened_on=what["on"], by=by, at=at, number=given,
                )  # fmt: skip
            case "hold":
                payer, payee = world.account(what["payer"]), world.account(what["payee"])
                answer = model.hold(
                    community, payer, payee, what["minutes"], cause=what["cause"], key=what["key"], by=by, at=at,
                    number=given,
                )  # fmt: skip
            case "post_hold":
                answer = model.post_hold(
                    community, world.number(what["hold"]), what["minutes"], happened_on=what["on"], note=what["note"],
                    by=by, at=at, number=given,
                )  # fmt: skip
            case "release":
                answer = model.release(community, world.number(what["hold"]), expired=what["expired"], at=at)
            case "limit":
                account = what["account"] and world.account(what["account"])
                answer = model.set_limit(
                    community, kind=what["kind"], account=account, floor=what["floor"], ceiling=what["ceiling"],
                    starts_at=what["starts"], ends_at=what["ends"], reason=what["reason"], at=at, number=given,
                )  # fmt: skip
            case "open":
                party = world.parties.get(what["party"], NOWHERE)
                answer = model.open(community, party, what["kind"], at=at, number=given)
            case "leave":
                answer = model.leave(community, world.account(what["account"]), reason=what["reason"], at=at)
            case "close":
                answer = model.close(community, world.account(what["account"]), reason=what["reason"], at=at)
            case _:
                answer = model.close_month(community, what["month"], at=at)
    except Refusal as refusal:
        return Outcome(refusal.rule, refusal.facts)
    return Outcome(None, None, *answer)
