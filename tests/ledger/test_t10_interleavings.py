"""T10: two sessions write in the books, step by step, in every order that there is; it is as if one had come first.

A session begins, acts once or twice, and commits or not. What becomes of both, and the books afterwards, must be what
the model says when one session is told to it whole, and then the other. The books are then sealed, and their lines read
again. The locks are then taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest
from psycopg import errors
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.config import LEDGER_ROLE, ROOT
from ledger import seals, verify
from ledger.store import auditing, sealing
from tests.databases import Database, Postgres
from tests.interleaving import Stage, Step, begin, orders
from tests.ledger.acts import SYSTEM, Act, Outcome, World, done, foreseen, founded, founder
from tests.ledger.exported import KEY
from tests.ledger.model import Model
from tests.proofs import FULL, proving

pytestmark = pytest.mark.race
NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)
SATURDAY, LATE, OCTOBER = date(2026, 11, 21), date(2026, 10, 15), date(2026, 10, 1)
NAMES = ("Alice", "Bruno", "Chloé", "Denise")
FLOOR = -100
NOTHING = Outcome()


class Pair(NamedTuple):
    """What two sessions do, after what was done before; with ``more``, each does a second thing."""

    one: Act
    other: Act
    before: tuple[Act, ...] = ()
    more: tuple[Act | None, Act | None] = (None, None)


def act(label: str, verb: str, by: str = SYSTEM, **what: Any) -> Act:
    return Act(label, verb, by, NOON, what)


def pay(label: str, payer: str, payee: str, minutes: int, *others: tuple[str, str, int], **what: Any) -> Act:
    usual = {"kind": "exchange", "on": SATURDAY, "cause": None, "note": "", "key": label}
    return act(label, "post", moves=((payer, payee, minutes), *others), **{**usual, **what})


def hold(label: str, payer: str, payee: str, minutes: int, *, key: str = "") -> Act:
    return act(label, "hold", payer=payer, payee=payee, minutes=minutes, cause=("booking", 1), key=key or label)


def post_hold(label: str, of: str, minutes: int, *, on: date = SATURDAY) -> Act:
    return act(label, "post_hold", hold=of, minutes=minutes, on=on, note="")


def release(label: str, of: str, *, expired: bool = False) -> Act:
    return act(label, "release", hold=of, expired=expired)


def reverse(label: str, entry: str, *, key: str = "", on: date = SATURDAY) -> Act:
    return act(label, "reverse", entry=entry, reason="Erreur", on=on, key=key or label)


def limit(label: str, floor: int, whose: str | None = None) -> Act:
    ends = None if whose is None else datetime(2027, 1, 1, tzinfo=UTC)
    return act(label, "limit", kind=None if whose else "person", account=whose, floor=floor, ceiling=None, starts=NOON,
               ends=ends, reason="Décidé")  # fmt: skip


def opened(label: str, party: str) -> Act:
    return act(label, "open", party=party, kind="person")


def leave(label: str, whose: str) -> Act:
    return act(label, "leave", account=whose, reason="Déménage")


def close(label: str, whose: str) -> Act:
    return act(label, "close", account=whose, reason="Déménage")


def close_month(label: str, month: date = OCTOBER) -> Act:
    return act(label, "close_month", month=month)


def seal(label: str, *, still: bool = False) -> Act:
    return act(label, "still" if still else "seal")


HELD = (hold("held", "Bruno", "Alice", 60),)
GIVEN = (pay("given", "Bruno", "Alice", 90),)
GIVEN_BACK = (*GIVEN, pay("back", "Alice", "Bruno", 90))
PAIRS = {
    "two payments, of which one is affordable": Pair(
        pay("a", "Bruno", "Alice", 60), pay("b", "Bruno", "Chloé", 60),
        more=(pay("a2", "Bruno", "Alice", 40), pay("b2", "Bruno", "Chloé", 1)),
    ),
    "a payment and a class": Pair(
        pay("a", "Bruno", "Alice", 60), pay("b", "Alice", "Chloé", 10, ("Bruno", "Chloé", 60)),
        more=(pay("a2", "Alice", "Bruno", 60), pay("b2", "Bruno", "Alice", 5, ("Chloé", "Alice", 5))),
    ),
    "payments that cross": Pair(
        pay("a", "Alice", "Bruno", 100), pay("b", "Bruno", "Alice", 150),
        more=(pay("a2", "Alice", "Bruno", 60), pay("b2", "Bruno", "Alice", 60)),
    ),
    "a payment and the payer's closing": Pair(
        pay("a", "Bruno", "Alice", 10), close("b", "Bruno"),
        more=(pay("a2", "Alice", "Bruno", 10), leave("b2", "Bruno")),
    ),
    "a payment and the payee's closing": Pair(
        pay("a", "Bruno", "Alice", 10), close("b", "Alice"),
        more=(pay("a2", "Alice", "Bruno", 10), leave("b2", "Alice")),
    ),
    "a class and the closing of one of it": Pair(
        pay("a", "Bruno", "Alice", 10, ("Chloé", "Alice", 10)), close("b", "Chloé"),
        more=(pay("a2", "Alice", "Bruno", 10, ("Alice", "Chloé", 10)), None),
    ),
    "a payment and the payer's leaving": Pair(
        pay("a", "Bruno", "Alice", 10), leave("b", "Bruno"),
        more=(pay("a2", "Alice", "Bruno", 5), close("b2", "Bruno")),
    ),
    "a payment toward zero and the payer's leaving": Pair(
        pay("a", "Alice", "Bruno", 90), leave("b", "Alice"), GIVEN, more=(None, close("b2", "Alice")),
    ),
    "a hold and a payment": Pair(
        hold("a", "Bruno", "Alice", 60), pay("b", "Bruno", "Chloé", 60),
        more=(post_hold("a2", "a", 30), pay("b2", "Bruno", "Chloé", 40)),
    ),
    "two holds, of which one is affordable": Pair(
        hold("a", "Bruno", "Alice", 60), hold("b", "Bruno", "Chloé", 60),
        more=(release("a2", "a"), post_hold("b2", "b", 60)),
    ),
    "a hold and the payer's closing": Pair(
        hold("a", "Bruno", "Alice", 10), close("b", "Bruno"), more=(release("a2", "a"), None),
    ),
    "a hold and the payee's closing": Pair(
        hold("a", "Bruno", "Alice", 10), close("b", "Alice"), more=(release("a2", "a"), None),
    ),
    "a hold and the payee's leaving": Pair(
        hold("a", "Bruno", "Alice", 10), leave("b", "Alice"), more=(post_hold("a2", "a", 10), None),
    ),
    "a hold posted and released": Pair(
        post_hold("a", "held", 30), release("b", "held"), HELD,
        more=(reverse("a2", "a"), pay("b2", "Bruno", "Alice", 100)),
    ),
    "a hold posted twice": Pair(
        post_hold("a", "held", 30), post_hold("b", "held", 30), HELD, more=(reverse("a2", "a"), release("b2", "held")),
    ),
    "a hold posted, all of it and a part": Pair(post_hold("a", "held", 30), post_hold("b", "held", 60), HELD),
    "a hold released and expired": Pair(
        release("a", "held"), release("b", "held", expired=True), HELD, more=(release("a2", "held"), None),
    ),
    "a hold released and a payment of what it frees": Pair(
        release("a", "held"), pay("b", "Bruno", "Chloé", 100), HELD, more=(pay("a2", "Bruno", "Alice", 10), None),
    ),
    "a hold posted and a payment": Pair(
        post_hold("a", "held", 10), pay("b", "Bruno", "Chloé", 60), HELD, more=(None, pay("b2", "Bruno", "Chloé", 40)),
    ),
    "a hold released and the payee's closing": Pair(release("a", "held"), close("b", "Alice"), HELD),
    "two corrections of one entry": Pair(
        reverse("a", "given"), reverse("b", "given"), GIVEN, more=(pay("a2", "Bruno", "Alice", 80), None),
    ),
    "one correction asked twice": Pair(reverse("a", "given", key="k"), reverse("b", "given", key="k"), GIVEN),
    "a correction and a payment of what it gives back": Pair(
        reverse("a", "given"), pay("b", "Bruno", "Chloé", 60), GIVEN, more=(pay("a2", "Bruno", "Alice", 60), None),
    ),
    "a correction and a closing": Pair(reverse("a", "given"), close("b", "Bruno"), GIVEN_BACK),
    "a correction and a leaving": Pair(
        reverse("a", "given"), leave("b", "Bruno"), GIVEN_BACK, more=(reverse("a2", "back"), close("b2", "Bruno")),
    ),
    "a settlement with the closing that follows, and a correction": Pair(
        pay("a", "Alice", "Bruno", 90, kind="settlement"), reverse("b", "given"), (*GIVEN, leave("left", "Bruno")),
        more=(close("a2", "Bruno"), pay("b2", "Bruno", "Alice", 5)),
    ),
    "an exception and a payment that it forbids": Pair(
        limit("a", -10, "Bruno"), pay("b", "Bruno", "Alice", 60), more=(limit("a2", -60, "Bruno"), None),
    ),
    "an exception and a payment that it lets pass": Pair(
        limit("a", -1000, "Bruno"), pay("b", "Bruno", "Alice", 600), more=(limit("a2", -10, "Bruno"), None),
    ),
    "a default and a payment": Pair(
        limit("a", -10), pay("b", "Bruno", "Alice", 60), more=(None, pay("b2", "Bruno", "Alice", 1)),
    ),
    "a default and a class": Pair(limit("a", -10), pay("b", "Bruno", "Alice", 60, ("Chloé", "Alice", 5))),
    "a default and a hold": Pair(limit("a", -1000), hold("b", "Bruno", "Alice", 600), more=(None, release("b2", "b"))),
    "a default and an exception": Pair(limit("a", -10), limit("b", -1000, "Bruno")),
    "two defaults": Pair(limit("a", -10), limit("b", -50), more=(limit("a2", -20), limit("b2", -60))),
    "an opening and a default": Pair(
        opened("a", "Denise"), limit("b", -10), more=(pay("a2", "Denise", "Bruno", 60), None),
    ),
    "one account opened twice": Pair(opened("a", "Denise"), opened("b", "Denise")),
    "a month and a payment of that month": Pair(
        close_month("a"), pay("b", "Bruno", "Alice", 10, on=LATE), more=(None, pay("b2", "Bruno", "Alice", 5, on=LATE)),
    ),
    "a month and a class of that month": Pair(
        close_month("a"), pay("b", "Bruno", "Alice", 10, ("Chloé", "Alice", 10), on=LATE),
    ),
    "a month and a correction of that month": Pair(close_month("a"), reverse("b", "given", on=LATE), GIVEN),
    "a month and a hold posted in that month": Pair(close_month("a"), post_hold("b", "held", 30, on=LATE), HELD),
    "one month closed twice": Pair(close_month("a"), close_month("b")),
    "two months": Pair(
        close_month("a", date(2026, 9, 1)), close_month("b"), more=(None, pay("b2", "Bruno", "Alice", 10, on=LATE)),
    ),
    "one key, one payment": Pair(
        pay("a", "Bruno", "Alice", 60, key="k"), pay("b", "Bruno", "Alice", 60, key="k"),
        more=(pay("a2", "Bruno", "Alice", 60), None),
    ),
    "one key, two payments": Pair(pay("a", "Bruno", "Alice", 60, key="k"), pay("b", "Bruno", "Alice", 61, key="k")),
    "one key, two payments of other people": Pair(
        pay("a", "Bruno", "Alice", 60, key="k"), pay("b", "Chloé", "Denise", 60, key="k"), (opened("new", "Denise"),),
    ),
    "one key, one class": Pair(
        pay("a", "Bruno", "Alice", 60, ("Bruno", "Chloé", 5), key="k"),
        pay("b", "Bruno", "Alice", 60, ("Bruno", "Chloé", 5), key="k"),
    ),
    "one key, one hold": Pair(hold("a", "Bruno", "Alice", 60, key="k"), hold("b", "Bruno", "Alice", 60, key="k")),
    "one key, two holds": Pair(hold("a", "Bruno", "Alice", 60, key="k"), hold("b", "Chloé", "Alice", 60, key="k")),
    "the key of a hold, and its posting": Pair(
        post_hold("a", "held", 30), pay("b", "Chloé", "Alice", 5, key="hold:@held"), HELD,
    ),
    "one account left twice": Pair(leave("a", "Bruno"), leave("b", "Bruno")),
    "one account closed twice": Pair(close("a", "Bruno"), close("b", "Bruno")),
    "a leaving and a closing": Pair(leave("a", "Bruno"), close("b", "Bruno")),
    "a seal and a payment": Pair(
        seal("a"), pay("b", "Bruno", "Alice", 10), more=(None, pay("b2", "Bruno", "Alice", 1)),
    ),
    "a payment sealed before another of a smaller number": Pair(
        pay("a", "Bruno", "Alice", 10), pay("b", "Chloé", "Denise", 10), (opened("new", "Denise"),),
        more=(None, seal("b2")),
    ),
    "two seals": Pair(seal("a"), seal("b"), GIVEN, more=(None, pay("b2", "Bruno", "Alice", 1))),
    "a seal and a hold posted": Pair(seal("a"), post_hold("b", "held", 30), HELD),
    "a seal and a month": Pair(seal("a"), close_month("b"), GIVEN),
    "a still seal and a payment": Pair(
        seal("a", still=True), pay("b", "Bruno", "Alice", 10), more=(None, pay("b2", "Bruno", "Alice", 1)),
    ),
    "a still seal and a class": Pair(seal("a", still=True), pay("b", "Bruno", "Alice", 1, ("Chloé", "Alice", 1))),
    "a still seal and a hold": Pair(
        seal("a", still=True), hold("b", "Bruno", "Alice", 1), more=(None, release("b2", "b")),
    ),
    "a still seal and a limit": Pair(seal("a", still=True), limit("b", -10)),
    "a still seal and an opening": Pair(seal("a", still=True), opened("b", "Denise")),
    "a still seal and a month": Pair(
        seal("a", still=True), close_month("b"), GIVEN, more=(None, pay("b2", "Bruno", "Alice", 1)),
    ),
    "a still seal and a seal": Pair(seal("a", still=True), seal("b"), GIVEN),
}  # fmt: skip


BOTH = (True, True)
ONE = ((True, False), (False, True))
FREE = {"a seal and a payment", "a payment sealed before another of a smaller number", "a seal and a hold posted",
        "a seal and a month"}  # fmt: skip


class Play(NamedTuple):
    """Whose turn it is at each step, who commits, and whether each does a second thing."""

    order: tuple[int, ...]
    ends: tuple[bool, bool]
    more: bool


class Part:
    """What one session does in one play: its acts until one is refused, then its commit or not."""

    def __init__(self, world: World, acts: Sequence[Act], *, commits: bool) -> None:
        self.world, self.acts, self.commits = world, acts, commits
        self.outcomes: list[Outcome] = []
        self.cut = False  # refused, or met a fault: nothing more is done, nothing is kept

    def steps(self) -> list[Step]:
        return [begin, *(self._doing(each) for each in self.acts), self._end]

    def _doing(self, each: Act) -> Step:
        def step(session: Session) -> None:
            if self.cut:
                return
            self.cut = True
            outcome = self._sealed(session, each) if each.verb in {"seal", "still"} else done(session, self.world, each)
            self.outcomes.append(outcome)
            self.world.note(each, outcome)
            self.cut = outcome.rule is not None

        return step

    def _sealed(self, session: Session, each: Act) -> Outcome:
        if each.verb == "still":  # as the sealer does; it gives up, and another time will do
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
        try:
            sealing.seal(session, KEY, at=NOON, still=each.verb == "still")
        except DBAPIError as busy:
            if each.verb != "still" or not isinstance(busy.orig, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
            session.rollback()
        return NOTHING

    def _end(self, session: Session) -> None:
        if self.commits and not self.cut:
            session.commit()
        else:
            session.rollback()

    def told(self, model: Model, given: dict[str, int]) -> tuple[Model, list[Outcome]]:
        """The model after the whole session, and the outcomes that it foresees."""
        kept, outcomes = deepcopy(model), []
        for each in self.acts:
            if each.verb in {"seal", "still"}:
                outcomes.append(NOTHING)
                continue
            outcomes.append(foreseen(model, self.world, each, given[each.label]))
            if outcomes[-1].rule is not None:
                return kept, outcomes
        return (model if self.commits else kept), outcomes


class Theatre:
    """A database, two actors, who opens communities, who reads the books, and what was read of them so far."""

    def __init__(self, database: Database, stage: Stage, owner: Session, session: Session) -> None:
        self.stage, self.owner, self.session = stage, owner, session
        self.fold, self.tree, self.head = verify.Fold(), seals.Frontier(), 0
        sealing.register(session, KEY.public, at=NOON)
        session.commit()

    def anomalies(self, pair: Pair, play: Play) -> list[str]:
        """Play once in a new community; what is wrong then."""
        model = Model()
        world = founded(self.owner, model, NAMES, at=NOON)
        for each in (limit("floor", FLOOR), *(opened(name, name) for name in NAMES[:3]), *pair.before):
            outcome = done(self.session, world, each)
            assert outcome == foreseen(model, world, each, outcome.number)
            world.note(each, outcome)
        self.session.commit()
        parts = [
            Part(world, [first, second] if play.more and second else [first], commits=commits)
            for first, second, commits in zip((pair.one, pair.other), pair.more, play.ends, strict=True)
        ]
        steps = (part.steps()[-play.order.count(who) :] for who, part in enumerate(parts))
        met = self.stage.play(play.order, *steps)
        faults = [f"a fault reached somebody: {each!r}" for each in (*met[0], *met[1]) if each is not None]
        return faults + self._no_order_explains(model, world, parts)

    def _no_order_explains(self, model: Model, world: World, parts: list[Part]) -> list[str]:
        given = {each.label: 10**13 + place for place, each in enumerate((*parts[0].acts, *parts[1].acts))}
        for part in parts:
            for each, outcome in zip(part.acts, part.outcomes, strict=False):
                if outcome.number is not None and not outcome.replayed:
                    given[each.label] = outcome.number
        happened = ([part.outcomes for part in parts], as_written(self.session, world))
        told = []
        for first, second in ((0, 1), (1, 0)):
            then, outcomes = parts[first].told(deepcopy(model), given)
            last, others = parts[second].told(then, given)
            told.append(([outcomes, others] if first == 0 else [others, outcomes], as_told(last)))
            if told[-1] == happened:
                return []
        return [f"happened: {happened}", *(f"one after the other: {each}" for each in told)]

    def unhealthy(self) -> list[str]:
        """Seal, and read what is new; what is wrong with the books."""
        findings = auditing.run(self.session, auditing.CHECKS)
        found = [str(finding) for finding in findings if finding.wrong]
        sealing.seal(self.session, KEY, at=NOON)
        heads = {head.size: head for head in sealing.heads(self.session, most=10**6) if head.size > self.head}
        lines = self.session.scalars(
            text("SELECT f.line FROM books.leaves l JOIN books.facts f ON f.id = l.fact_id WHERE l.place >= :read"
                 " ORDER BY l.place"), {"read": self.tree.size},
        ).all()  # fmt: skip
        if waiting := sealing.waiting(self.session):
            found.append(f"{waiting} facts have no leaf")
        sealing.seal(self.session, KEY, at=NOON, still=True)  # the next searches are shorter
        unsealed = "SELECT (SELECT count(*) FROM books.facts) - (SELECT count(*) FROM books.leaves)"
        if passed := self.session.scalar(text(unsealed)):
            found.append(f"{passed} facts were passed for good")
        self.session.commit()
        try:
            for line in lines:
                self.fold.take(json.loads(line))
                self.tree.append(seals.leaf_hash(line.encode()))
                head = heads.pop(self.tree.size, None)
                if head is not None:
                    self.fold.end()
                    self.head = head.size
                if head is not None and head.root != self.tree.root():
                    found.append(f"the head of {head.size} lines is not theirs")
        except verify.Wrong as wrong:
            found.append(f"line {self.tree.size + 1}: {wrong}")
        return found + [f"a head of {size} lines" for size in heads]


def as_written(session: Session, world: World) -> dict[str, Any]:
    """What a community's books hold, without the numbers of what was written."""
    values = {"community": world.community}

    def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in session.execute(text(query), values)]

    return {
        "accounts": rows("""
            SELECT party_id, balance, held, seq, leaving_at IS NOT NULL, closed_at IS NOT NULL, floor
              FROM books.accounts WHERE community_id = :community ORDER BY party_id"""),
        "entries": rows("""
            SELECT kind, key, (SELECT sum(minutes)::bigint FROM books.transfers t WHERE t.entry_id = e.id)
              FROM books.entries e WHERE community_id = :community ORDER BY key"""),
        "holds": rows("""
            SELECT h.from_account, h.minutes, r.kind FROM books.holds h
              LEFT JOIN books.hold_resolutions r ON r.hold_id = h.id WHERE h.community_id = :community
             ORDER BY h.key"""),
        "months": rows("""
            SELECT month, entries, minutes, late FROM books.months WHERE community_id = :community ORDER BY month"""),
    }


def as_told(model: Model) -> dict[str, Any]:
    """The same, of a model that knows of one community."""
    return {
        "accounts": [
            (each.party, each.balance, each.held, each.seq, each.leaving, each.closed,
             model.limits_at(each, each.clock)[0])
            for each in sorted(model.accounts.values(), key=lambda each: each.party)
        ],
        "entries": [
            (each.content.kind, each.key, sum(move[2] for move in each.content.moves))
            for each in sorted(model.entries.values(), key=lambda each: each.key)
        ],
        "holds": [
            (each.payer, each.minutes, each.resolution)
            for each in (model.holds[number] for _key, number in sorted(model.hold_keys.items()))
        ],
        "months": [tuple(each[1:]) for each in sorted(model.months)],
    }  # fmt: skip


@contextmanager
def theatre_of(database: Database) -> Iterator[Theatre]:
    engine = create_engine(database.web_url, poolclass=NullPool)
    with (
        engine.connect() as connection, Session(connection) as session, founder(database) as owner,
        Stage(database) as stage,
    ):  # fmt: skip
        yield Theatre(database, stage, owner, session)


@pytest.fixture(scope="module")
def theatre(postgres: Postgres) -> Iterator[Theatre]:
    """One for all pairs: each play has a community of its own."""
    database = postgres.copy()
    with theatre_of(database) as made:
        yield made
    postgres.drop(database)


def plays(pair: Pair) -> Iterator[Play]:
    """Every order of the steps.

    In the full figure to begin is a step of its own, though it changes nothing yet, and who acts twice may give up too.
    """
    for more in (False, True) if any(pair.more) else (False,):
        steps = [2 + FULL + (more and second is not None) for second in pair.more]
        for ends in (BOTH,) if more and not FULL else (BOTH, *ONE):
            for order in orders(*steps):
                yield Play(order, ends, more)


@pytest.mark.parametrize("name", PAIRS)
def test_in_whatever_order_it_is_as_if_one_had_come_first(theatre: Theatre, name: str) -> None:
    pair, waited = PAIRS[name], 0
    coming = list(plays(pair))
    with proving("T10", "plays of two sessions in the books", goal=len(coming)) as proof:
        for play in coming:
            assert theatre.anomalies(pair, play) == []
            waited += any(actor.waited for actor in theatre.stage.actors)
            proof.reached += 1
        assert theatre.unhealthy() == []
    print(f"{len(coming)} plays, in {waited} of which one waited for the other")
    assert bool(waited) == (name not in FREE)


# a guard of a function, what it is without, and the pair that shows it
CONTROLS = {
    "a hold reads without a lock": ("books_hold", "FOR NO KEY UPDATE", "", "a hold and a payment"),
    "a class reads without a lock": ("books_write_entry", "FOR NO KEY UPDATE", "", "a payment and a class"),
    "a resolution reads without a lock": ("books_resolve_hold", "FOR NO KEY UPDATE", "", "a hold posted and released"),
    "a correction reads without a lock": (
        "books_reverse", "ORDER BY a.id FOR NO KEY UPDATE", "", "two corrections of one entry",
    ),
    "a closing reads without a lock": (
        "books_close_account", "FOR NO KEY UPDATE", "", "a payment and the payer's closing",
    ),
    "a leaving reads without a lock": (
        "books_leave_account", "FOR NO KEY UPDATE", "", "one account left twice",
    ),
    "a limit reads without a lock": ("books_set_limit", "ORDER BY id FOR NO KEY UPDATE", "", "a default and a payment"),
    "an opening doesn't wait for a default": (
        "books_open_account", "pg_advisory_xact_lock_shared(hashtextextended('books.limits', p_community))", "1",
        "an opening and a default",
    ),
    "a month doesn't wait for who writes": (
        "books_close_month", "LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE;", "",
        "a month and a payment of that month",
    ),
    "a seal goes on from the last number": (
        "books_seal", "f.id > v_below AND NOT EXISTS (SELECT FROM leaves l WHERE l.fact_id = f.id)",
        "f.id > (SELECT coalesce(max(l.fact_id), 0) FROM leaves l)",
        "a payment sealed before another of a smaller number",
    ),
    "a still seal keeps nobody out": (
        "books_seal", "IN SHARE MODE", "IN ACCESS SHARE MODE", "a still seal and a payment",
    ),
}  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS)
def test_control_without_its_guard_some_order_shows_it(database: Database, control: str) -> None:
    function, guard, instead, name = CONTROLS[control]
    source = (ROOT / "migrations" / "sql" / f"{function}.v1.sql").read_text(encoding="utf-8")
    assert guard in source
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute(source.replace(guard, instead))
    with theatre_of(database) as theatre:
        found = next(filter(None, (theatre.anomalies(PAIRS[name], play) for play in plays(PAIRS[name]))), None)
        found = found or theatre.unhealthy()
    assert found
    print(*found, sep="\n")
