"""T3: eight people write at once; then the facts, taken in the order of their numbers, are told to the model.

Every accepted act must be one that the model accepts there, with the same lines, and both must end alike. Every refusal
must be explained: between the last number given before the call and the last one given when it ended, there is a
position at which the model refuses by the same rule, with the same figures. The locks are then taken away.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.config import LEDGER_ROLE, ROOT
from ledger import verify
from ledger.store import auditing, reading, sealing
from tests.databases import Database
from tests.ledger.acts import COMMON, SYSTEM, Act, Outcome, World, done, foreseen, founded, founder
from tests.ledger.exported import KEY, export
from tests.ledger.model import Model, after
from tests.ledger.racing import Track
from tests.proofs import figure, proving, seeded

pytestmark = pytest.mark.race
PEOPLE, EACH, RUNS = 8, 150, figure(5, 200)
NAMES = ("Alice", "Bruno", "Chloé", "Denise", "Fanny")
NEIGHBOURS = tuple(f"Voisine n° {number}" for number in range(1, 41))
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
FLOOR = -300
JANUARY = date(2026, 1, 1)
WEIGHTS = {
    "post": 20, "several": 12, "hold": 16, "post_hold": 10, "release": 7, "reverse": 8, "limit": 4, "open": 4,
    "leave": 2, "settle": 2, "close": 4, "close_month": 1, "again": 10,
}  # fmt: skip
USUAL = {"written", "replayed", "floor-reached", "account-leaving", "account-not-settled", "account-exists",
         "hold-resolved", "hold-exceeded", "entry-corrected-already", "account-closed"}  # fmt: skip


class Done(NamedTuple):
    """An act, what came of it, and the last number that was given before it began and when it had ended."""

    act: Act
    outcome: Outcome
    since: int
    until: int


class Fact(NamedTuple):
    """A row of the books: its number, what tells which act wrote it, and when it was recorded."""

    number: int
    wrote: tuple[Any, ...]
    recorded_at: datetime


class Crowd:
    """Eight people, what they know of each other's acts, and all that they did."""

    def __init__(self, database: Database, session: Session, weights: dict[str, int], each: int) -> None:
        self.model, self.weights, self.each = Model(), weights, each
        with founder(database) as owner:
            self.world = founded(owner, self.model, (*NAMES, *NEIGHBOURS), at=NOON)
        self.entries: deque[str] = deque(maxlen=12)
        self.holds: deque[str] = deque(maxlen=8)
        self.keyed: deque[Act] = deque(maxlen=6)  # begun: they may not have ended
        self.gone: set[str] = set()
        self.done: list[Done] = []
        self.faults: list[str] = []
        floor = {"kind": "person", "account": None, "floor": FLOOR, "ceiling": None, "starts": NOON, "ends": None,
                 "reason": "Assemblée"}  # fmt: skip
        self._first(session, Act("floor", "limit", SYSTEM, NOON, floor))
        for name in NAMES:
            self._first(session, Act(name, "open", SYSTEM, NOON, {"party": name, "kind": "person"}))
        self.before = last_number(session)

    def _first(self, session: Session, act: Act) -> None:
        outcome = done(session, self.world, act)
        session.commit()
        assert foreseen(self.model, self.world, act, outcome.number) == outcome
        self.world.note(act, outcome)

    def runs(self, chance: Random) -> list[Callable[[Session], None]]:
        """What each of the eight does."""
        return [Person(self, Random(chance.random()), f"{number}").live for number in range(PEOPLE)]


class Person:
    """Does by chance what others do at the same moment."""

    def __init__(self, crowd: Crowd, chance: Random, name: str) -> None:
        self.crowd, self.chance, self.name = crowd, chance, name
        self.coming: list[Act] = []

    def live(self, session: Session) -> None:
        for turn in range(self.crowd.each):
            act = self.coming.pop() if self.coming else self._choose(session, f"{self.name}:{turn}")
            if "key" in act.what:
                self.crowd.keyed.append(act)
            since = last_number(session)
            try:
                outcome = done(session, self.crowd.world, act)
                session.commit() if outcome.rule is None else session.rollback()
            except DBAPIError as fault:
                session.rollback()
                self.crowd.faults.append(f"{act}: {fault.orig}")
                continue
            self.crowd.done.append(Done(act, outcome, since, last_number(session)))
            self._tell(act, outcome)

    def _tell(self, act: Act, outcome: Outcome) -> None:
        self.crowd.world.note(act, outcome)
        if act.label in self.crowd.world.written:
            if act.verb in {"post", "post_hold", "reverse"}:
                self.crowd.entries.append(act.label)
            if act.verb == "hold":
                self.crowd.holds.append(act.label)
        if act.verb in {"leave", "close"} and outcome.rule is None:
            self.crowd.gone.add(act.what["account"])

    def _choose(self, session: Session, label: str) -> Act:
        [verb] = self.chance.choices(list(self.crowd.weights), list(self.crowd.weights.values()))
        choose: Callable[[Session, str], Act] = getattr(self, f"_{verb}")
        return choose(session, label)

    def _made(self, label: str, verb: str, by: str = SYSTEM, **what: Any) -> Act:
        late = timedelta(seconds=self.chance.randrange(-20, 20))  # eight clocks
        return Act(label, verb, by, NOON + timedelta(minutes=1) + late, what)

    def _someone(self) -> str:
        return self._two()[0]

    def _two(self) -> list[str]:
        known = list(self.crowd.world.accounts)
        here = [name for name in known if name not in self.crowd.gone]
        return self.chance.sample(known if self.chance.random() < 0.05 else here, 2)

    def _day(self) -> date:
        return NOON.date() - timedelta(days=self.chance.randrange(320))

    def _recent(self, labels: deque[str]) -> str:
        known = list(labels)
        return self.chance.choice(known) if known else "nothing"

    def _post(self, session: Session, label: str, moves: int = 1) -> Act:
        pairs = [self._two() for _ in range(moves)]
        return self._entry(label, *((payer, payee, self.chance.randrange(1, 200)) for payer, payee in pairs))

    def _entry(self, label: str, *moves: tuple[str, str, int]) -> Act:
        return self._made(label, "post", moves=moves, kind="exchange", on=self._day(), cause=None, note="",
                          key=f"key of {label}")  # fmt: skip

    def _several(self, session: Session, label: str) -> Act:
        return self._post(session, label, self.chance.randrange(2, 5))

    def _hold(self, session: Session, label: str) -> Act:
        payer, payee = self._two()
        return self._made(label, "hold", payer=payer, payee=payee, minutes=self.chance.randrange(1, 200),
                          cause=("booking", 1), key=f"key of {label}")  # fmt: skip

    def _post_hold(self, session: Session, label: str) -> Act:
        return self._made(label, "post_hold", hold=self._recent(self.crowd.holds),
                          minutes=self.chance.randrange(1, 120), on=self._day(), note="")  # fmt: skip

    def _release(self, session: Session, label: str) -> Act:
        return self._made(label, "release", hold=self._recent(self.crowd.holds), expired=self.chance.random() < 0.5)

    def _reverse(self, session: Session, label: str) -> Act:
        return self._made(label, "reverse", self.chance.choice((SYSTEM, SYSTEM, "Alice")), on=self._day(),
                          entry=self._recent(self.crowd.entries), reason="Erreur", key=f"key of {label}")  # fmt: skip

    def _limit(self, session: Session, label: str) -> Act:
        mine = self.chance.random() < 0.6
        floor = self.chance.choice((FLOOR, FLOOR, FLOOR, 0, -100, -1000))
        return self._made(
            label, "limit", kind=None if mine else "person", account=self._someone() if mine else None, floor=floor,
            ceiling=None, starts=NOON - timedelta(days=1), ends=NOON + timedelta(days=1), reason="Décidé",
        )  # fmt: skip

    def _open(self, session: Session, label: str) -> Act:
        return self._made(label, "open", party=self.chance.choice(NEIGHBOURS), kind="person")

    def _leave(self, session: Session, label: str) -> Act:
        return self._made(label, "leave", account=self._newcomer(), reason="Déménage")

    def _newcomer(self) -> str:
        known = list(self.crowd.world.accounts)
        return self.chance.choice([name for name in known if name not in {*NAMES[:3], COMMON}])

    def _settle(self, session: Session, label: str) -> Act:
        """Somebody reads a balance, brings it to zero, and closes; others write meanwhile."""
        name = self._newcomer()
        account = reading.account(session, self.crowd.world.community, self.crowd.world.account(name))
        assert account is not None
        self.coming = [self._made(f"{label}, then closed", "close", account=name, reason="Déménage")]
        minutes = abs(account.balance) or 1
        return self._entry(label, (name, COMMON, minutes) if account.balance > 0 else (COMMON, name, minutes))

    def _close(self, session: Session, label: str) -> Act:
        return self._made(label, "close", account=self._newcomer(), reason="Déménage")

    def _close_month(self, session: Session, label: str) -> Act:
        found = session.scalar(
            text("SELECT max(month) FROM books.months WHERE community_id = :id"), {"id": self.crowd.world.community}
        )
        due = after(found) if found else JANUARY
        return self._made(label, "close_month", month=self.chance.choice((due, due, due, after(due))))

    def _again(self, session: Session, label: str) -> Act:
        """What somebody has just asked, or asks at this moment: a page sent twice."""
        known = list(self.crowd.keyed)
        return self.chance.choice(known)._replace(label=label) if known else self._post(session, label)


def last_number(session: Session) -> int:
    """The last number that was given to a fact, committed or not."""
    number = int(session.scalar(text("SELECT last_value FROM books.fact_ids")) or 0)
    session.rollback()
    return number


def facts(session: Session, crowd: Crowd) -> list[Fact]:
    """What was written after the beginning, in the order of its numbers; a hold is posted when its entry is written."""
    rows = session.execute(text("""
        SELECT id, 'number' AS verb, id::text AS what, recorded_at FROM books.entries
         WHERE community_id = :community AND id > :before
        UNION ALL
        SELECT id, 'number', id::text, recorded_at FROM books.holds WHERE community_id = :community AND id > :before
        UNION ALL
        SELECT id, 'number', id::text, recorded_at FROM books.limits WHERE community_id = :community AND id > :before
        UNION ALL
        SELECT id, 'release', hold_id::text, recorded_at FROM books.hold_resolutions
         WHERE community_id = :community AND id > :before AND entry_id IS NULL
        UNION ALL
        SELECT id, CASE kind WHEN 'opened' THEN 'open' WHEN 'leaving' THEN 'leave' ELSE 'close' END, account_id::text,
               recorded_at FROM books.account_events WHERE community_id = :community AND id > :before
        UNION ALL
        SELECT id, 'close_month', month::text, recorded_at FROM books.months
         WHERE community_id = :community AND id > :before
         ORDER BY 1"""), {"community": crowd.world.community, "before": crowd.before})
    return [Fact(row.id, (row.verb, row.what), row.recorded_at) for row in rows]


def what_wrote(world: World, each: Done) -> tuple[str, str]:
    """By what its fact knows an act."""
    act = each.act
    match act.verb:
        case "release":
            return "release", str(world.number(act.what["hold"]))
        case "open":
            return "open", str(each.outcome.number)
        case "leave" | "close":
            return act.verb, str(world.account(act.what["account"]))
        case "close_month":
            return "close_month", act.what["month"].isoformat()
        case _:
            return "number", str(each.outcome.number)


def replay(session: Session, crowd: Crowd) -> list[str]:
    """What the model doesn't understand of what happened."""
    found, model, world = list(crowd.faults), crowd.model, crowd.world
    written = {
        what_wrote(world, each): each for each in crowd.done if each.outcome.rule is None and not each.outcome.replayed
    }
    waiting = sorted((each for each in crowd.done if each.outcome.rule or each.outcome.replayed),
                     key=lambda each: each.since)  # fmt: skip
    told = facts(session, crowd)
    if {fact.wrote for fact in told} != set(written):
        found.append(f"written without an act, or the contrary: {({fact.wrote for fact in told} ^ set(written))}")
    place = crowd.before
    for fact in [*told, None]:
        next_ = fact.number if fact else 2**62
        waiting = [each for each in waiting if not explained(model, world, each, place, next_)]
        unexplained = [each for each in waiting if each.until < next_]
        found += [f"nothing explains {each}" for each in unexplained]
        waiting = [each for each in waiting if each.until >= next_]
        if fact and fact.wrote in written:
            found += accepted(model, world, fact, written[fact.wrote])
            place = fact.number
    return found + compared(session, crowd)


def explained(model: Model, world: World, each: Done, place: int, next_: int) -> bool:
    """Whether the act could have ended so after the fact of number ``place`` and before the ``next_``."""
    if each.since >= next_ or each.until < place:
        return False
    with model.asked():
        return foreseen(model, world, each.act, each.outcome.number) == each.outcome


def accepted(model: Model, world: World, fact: Fact, each: Done) -> list[str]:
    """How the model says something else of a fact; it was recorded at ``at``, or later when an account's clock was."""
    if fact.recorded_at < each.act.at:
        return [f"{each} was recorded before it happened"]
    outcome = foreseen(model, world, each.act._replace(at=fact.recorded_at), each.outcome.number)
    if outcome != each.outcome:
        return [f"{each}: the model says {outcome}"]
    return []


def compared(session: Session, crowd: Crowd) -> list[str]:
    """How both end otherwise."""
    model, found = crowd.model, crowd.model.broken(crowd.world.community)
    rows = session.execute(text("""
        SELECT id, balance, held, seq, leaving_at IS NOT NULL, closed_at IS NOT NULL FROM books.accounts
         WHERE community_id = :community ORDER BY id"""), {"community": crowd.world.community})
    for row in rows:
        one = model.accounts.get(row[0])
        if one is None or tuple(row[1:]) != (one.balance, one.held, one.seq, one.leaving, one.closed):
            found.append(f"account {tuple(row)}: the model has {one}")
        elif reading.statement(session, one.number, size=10**6) != model.statement(one):
            found.append(f"the statements of account {one.number} differ")
    months = session.execute(text("SELECT month, entries, minutes, late FROM books.months WHERE community_id = :id"
                                  " ORDER BY id"), {"id": crowd.world.community}).all()  # fmt: skip
    if [tuple(row) for row in months] != [(each.month, each.entries, each.minutes, each.late) for each in model.months]:
        found.append(f"months {months}: the model has {model.months}")
    findings = auditing.run(session, auditing.CHECKS, crowd.world.community)
    return found + [str(finding) for finding in findings if finding.wrong]


def crowded(
    database: Database, track: Track, chance: Random, *, weights: dict[str, int] = WEIGHTS, each: int = EACH
) -> tuple[Crowd, list[str]]:
    """One crowd, with a sealer meanwhile; and what the model doesn't understand of it."""
    with track.make() as session:
        crowd = Crowd(database, session, weights, each)
        sealing.register(session, KEY.public, at=NOON)
        session.commit()
    over = threading.Event()

    def keep_sealing(session: Session) -> None:
        while not over.is_set():
            sealing.seal(session, KEY, at=NOON)
            session.commit()

    sealer = threading.Thread(target=lambda: track.race([keep_sealing]))
    sealer.start()
    try:
        results = track.race(crowd.runs(chance))
    finally:
        over.set()
        sealer.join()
    crowd.faults += [str(result) for result in results if result is not None]
    with track.make() as session:
        return crowd, replay(session, crowd)


def test_whatever_eight_people_do_at_once_it_happened_in_the_order_of_its_numbers(
    database: Database, tmp_path: Path
) -> None:
    chance, file, counted = seeded(), tmp_path / "export.jsonl", Counter[str]()
    goal = RUNS * PEOPLE * EACH
    with Track(database) as track, proving("T3", "acts of eight people at once, replayed", goal=goal) as proof:
        for _ in range(RUNS):
            crowd, found = crowded(database, track, chance)
            assert found == []
            with track.make() as session:
                sealing.seal(session, KEY, at=NOON)
                head = sealing.last_head(session)
                assert head is not None
                file.write_bytes(export(session, head))
                session.commit()
            assert verify.verify(file, keys=[KEY.public]).finding is None
            for each in crowd.done:
                counted[each.outcome.rule or ("replayed" if each.outcome.replayed else "written")] += 1
            proof.reached += len(crowd.done)
    for what, times in sorted(counted.items()):
        print(f"{what:24} {times:6}")
    assert set(counted) >= USUAL


# function -> the locks that it takes, and what everybody does then
CONTROLS = {
    "books_hold": ("FOR NO KEY UPDATE", "", {"hold": 8, "release": 3}),
    "books_write_entry": ("FOR NO KEY UPDATE", "", {"several": 1}),
    "books_resolve_hold": ("FOR NO KEY UPDATE", "", {"hold": 4, "release": 5, "post_hold": 5}),
    "books_reverse": ("ORDER BY a.id FOR NO KEY UPDATE", "", {"post": 2, "reverse": 6}),
    "books_close_account": ("FOR NO KEY UPDATE", "", {"post": 2, "open": 2, "settle": 8, "close": 8}),
    "books_close_month": ("IN SHARE ROW EXCLUSIVE MODE", "IN ACCESS SHARE MODE", {"post": 12, "close_month": 1}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_control_without_its_locks_a_function_does_what_no_order_explains(database: Database, name: str) -> None:
    lock, instead, weights = CONTROLS[name]
    source = (ROOT / "migrations" / "sql" / f"{name}.v1.sql").read_text(encoding="utf-8")
    assert lock in source
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute(source.replace(lock, instead))
    chance = seeded()
    with Track(database) as track:
        runs = (crowded(database, track, chance, weights=weights, each=EACH // 4)[1] for _ in range(40))
        found = next(filter(None, runs), None)
    assert found
    print(found[0])
