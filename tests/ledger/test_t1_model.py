"""T1: whatever happens to the books, they say what a model of them in plain dicts says, and keep what it keeps.

People do by chance all that can be done, and what is refused is refused by the same rule with the same figures. The
guards are then taken away one by one, and the two must part: otherwise they proved nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.config import LEDGER_ROLE, ROOT
from ledger import verify
from ledger.store import auditing, reading
from tests.databases import Database
from tests.ledger.acts import Act, Outcome, done, foreseen, founded, founder
from tests.ledger.choosing import NAMED, NEIGHBOURS, STRANGER, Chooser
from tests.ledger.exported import KEY, export, sealed
from tests.ledger.model import Model
from tests.proofs import figure, proving, seeded

pytestmark = pytest.mark.campaign
ROUNDS = figure(1, 50)
LIVES, STEPS, EVERY = 20, 1000, 250  # communities of a round, acts of each, acts between two comparisons of everything
START = datetime(2026, 9, 1, 8, tzinfo=UTC)

MOVED = {"entry-malformed", "account-unknown", "key-reused", "account-closed", "account-leaving", "floor-reached"}
REFUSED = {
    "post": MOVED,
    "several": MOVED,
    "hold": MOVED,
    "post_hold": {"hold-unknown", "hold-resolved", "hold-exceeded", "entry-malformed", "key-reused"},
    "release": {"hold-unknown", "hold-resolved"},
    "reverse": {"reason-missing", "entry-unknown", "correction-of-correction", "correction-gains", "entry-malformed",
                "entry-corrected-already", "key-reused", "account-closed"},
    "default": {"reason-missing", "entry-malformed", "limit-ends-before"},
    "exception": {"reason-missing", "entry-malformed", "limit-ends-before", "account-unknown"},
    "open": {"account-exists"},
    "leave": {"reason-missing", "account-unknown", "account-closed", "account-leaving"},
    "close": {"reason-missing", "account-unknown", "account-closed", "account-not-settled"},
    "close_month": {"entry-malformed", "month-not-over", "month-closed", "month-skipped"},
}  # fmt: skip
REPLAYED = {"post", "several", "hold", "post_hold", "release", "reverse"}
HAPPENS = {
    *((verb, "written") for verb in REFUSED), *((verb, "replayed") for verb in REPLAYED), ("post", "late"),
    *((verb, rule) for verb, rules in REFUSED.items() for rule in rules),
}  # fmt: skip


class Parted(AssertionError):
    """The database and the model say different things."""


class Life:
    """A community, in the database and in the model."""

    def __init__(self, database: Database, session: Session, other: Life | None) -> None:
        self.session, self.model = session, Model()
        with founder(database) as owner:
            self.world = founded(owner, self.model, (*NAMED, *NEIGHBOURS), at=START)
        self.counted: Counter[tuple[str, str]] = Counter()
        if other is not None:
            self._hears_of(other)

    def _hears_of(self, other: Life) -> None:
        """Somebody of another community, an entry and a hold: all unknown in this one."""
        account, entry = other.model.accounts[other.world.account("Alice")], next(iter(other.model.entries.values()))
        hold = next(iter(other.model.holds.values()))
        self.world.elsewhere = {STRANGER: account.number, "an entry": entry.number, "a hold": hold.number}
        self.model.accounts[account.number] = account
        self.model.entries[entry.number] = entry
        self.model.holds[hold.number] = hold

    def lived(self, act: Act) -> None:
        """Do it in both."""
        outcome = done(self.session, self.world, act)
        if outcome.rule is None:
            self.session.commit()
        else:
            self.session.rollback()
        expected = foreseen(self.model, self.world, act, outcome.number)
        if outcome != expected:
            raise Parted(f"{act}\nthe database: {outcome}\nthe model:    {expected}")
        self.world.note(act, outcome)
        self._count(act, outcome)

    def _count(self, act: Act, outcome: Outcome) -> None:
        verb = act.verb
        if verb == "post" and len(act.what["moves"]) > 1:
            verb = "several"
        if verb == "limit":
            verb = "exception" if act.what["account"] else "default"
        self.counted[verb, outcome.rule or ("replayed" if outcome.replayed else "written")] += 1
        if verb == "post" and outcome.rule is None and not outcome.replayed:
            entry = self.model.entries[outcome.number or 0]
            self.counted[verb, "late"] += entry.period > entry.content.happened_on

    def compare(self) -> None:
        """Everything that both keep, and what each says of itself."""
        mine = [each for each in self.model.accounts.values() if each.community == self.world.community]
        self._same("accounts", [
            (each.number, each.kind, each.balance, each.held, each.seq, each.clock, each.leaving, each.closed)
            for each in mine
        ], """SELECT id, kind, balance, held, seq, clock, leaving_at IS NOT NULL, closed_at IS NOT NULL
                FROM books.accounts WHERE community_id = :community ORDER BY id""")  # fmt: skip
        fresh = self._rows("""
            SELECT id, floor, ceiling FROM books.accounts
             WHERE community_id = :community AND (limits_until IS NULL OR limits_until > clock) ORDER BY id""")
        accounts = self.model.accounts
        limits = [(row[0], *self.model.limits_at(accounts[row[0]], accounts[row[0]].clock)) for row in fresh]
        if fresh != limits:
            raise Parted(f"limits in force\nthe database: {fresh}\nthe model:    {limits}")
        self._same("holds", [
            (hold.number, hold.payer, hold.payee, hold.minutes, hold.recorded_at, hold.resolution, hold.entry)
            for hold in self.model.holds.values() if hold.community == self.world.community
        ], """SELECT h.id, h.from_account, h.to_account, h.minutes, h.recorded_at, r.kind, r.entry_id FROM books.holds h
                LEFT JOIN books.hold_resolutions r ON r.hold_id = h.id WHERE h.community_id = :community
               ORDER BY h.id""")  # fmt: skip
        self._same("months", [(each.month, each.entries, each.minutes, each.late) for each in self.model.months],
                   "SELECT month, entries, minutes, late FROM books.months WHERE community_id = :community ORDER BY id")
        for account in mine:
            lines, expected = reading.statement(self.session, account.number, size=10**6), self.model.statement(account)
            place, size = len(lines) // 2, 7
            page = reading.statement(self.session, account.number, before=place + size, size=size)
            if lines != expected or page != expected[-(place + size - 1) :][:size]:
                raise Parted(f"statement of {account.number}\nthe database: {lines}\nthe model:    {expected}")
        findings = auditing.run(self.session, auditing.CHECKS, self.world.community)
        wrong = [*self.model.broken(self.world.community), *(finding for finding in findings if finding.wrong)]
        if wrong:
            raise Parted(f"{wrong}")
        self.session.rollback()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.session.execute(text(query), {"community": self.world.community})]

    def _same(self, what: str, expected: list[tuple[Any, ...]], query: str) -> None:
        found = self._rows(query)
        if found != expected:
            different = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
            raise Parted(f"{what}: {len(found)} and {len(expected)}, the database and the model: {different[:3]}")


@contextmanager
def web(database: Database) -> Iterator[Session]:
    engine = create_engine(database.web_url, poolclass=NullPool)
    with engine.connect() as connection, Session(connection) as session:
        yield session


def live(database: Database, session: Session, chance: Random, other: Life | None) -> Life:
    """One community from its opening on. Raises Parted, with the shortest way there that was found."""
    life = Life(database, session, other)
    chooser = Chooser(chance, life.world, life.model, at=START)
    acts = []
    try:
        for step in range(1, STEPS + 1):
            acts.append(chooser.act(f"act {step}"))
            life.lived(acts[-1])
            chooser.noted(acts[-1])
            if step % EVERY == 0:
                life.compare()
    except Parted as parted:
        session.rollback()
        short, why = shortened(acts, lambda fewer: parts(database, session, fewer, other), str(parted))
        raise Parted("\n".join([*map(str, short), why])) from parted
    return life


def parts(database: Database, session: Session, acts: Sequence[Act], other: Life | None) -> str | None:
    """How the two part when only these acts are lived, in a community of their own; None when they don't."""
    life = Life(database, session, other)
    try:
        for act in acts:
            life.lived(act)
        life.compare()
    except Parted as parted:
        session.rollback()
        return str(parted)
    return None


def shortened(acts: list[Act], parts: Callable[[Sequence[Act]], str | None], why: str) -> tuple[list[Act], str]:
    """Leave out what isn't needed to part: halves first, then single acts."""
    size = len(acts) // 2
    while size:
        place = 0
        while place < len(acts):
            fewer = acts[:place] + acts[place + size :]
            if (found := parts(fewer)) is not None:
                acts, why = fewer, found
            else:
                place += size
        size //= 2
    return acts, why


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_whatever_happens_the_books_and_the_model_say_the_same(
    database: Database, tmp_path: Path, round_: int
) -> None:
    chance = Random(f"{seeded().random()} {round_}")
    counted: Counter[tuple[str, str]] = Counter()
    file, earlier, life = tmp_path / "export.jsonl", None, None
    with web(database) as session, proving("T1", "acts of the model of the books", goal=LIVES * STEPS) as proof:
        for _ in range(LIVES):
            life = live(database, session, chance, life)
            counted += life.counted
            head = sealed(session, at=START)
            file.write_bytes(export(session, head))
            assert verify.verify(file, earlier=earlier, keys=[KEY.public]).finding is None
            earlier = head.note
            session.rollback()
            proof.reached += STEPS
    for (verb, what), times in sorted(counted.items()):
        print(f"{verb:12} {what:24} {times:6}")
    assert HAPPENS - set(counted) == set()
    assert set(counted) - HAPPENS == set()


CONTROLS = {
    "a payment isn't held to the floor": (
        "books_post", "IF v_payer.balance - v_payer.held < v_floor THEN", "IF false THEN",
    ),
    "a line skips a number": ("books_post", "seq = a.seq + 1, clock = greatest(a.clock, p_at)",
                              "seq = a.seq + 2, clock = greatest(a.clock, p_at)"),
    "what was held isn't freed": ("books_resolve_hold", "held = held - v_hold.minutes", "held = held"),
    "a limit has no end": ("books_limits_at", "AND (l.ends_at IS NULL OR l.ends_at > p_at)", ""),
    "a correction may be corrected": ("books_reverse", "IF v_entry.reverses_id IS NOT NULL", "IF false"),
    "who gains corrects": ("books_reverse", "PERFORM refuse('correction-gains');", ""),
    "one key says two kinds of things": (
        "books_same_entry", "IS NOT DISTINCT FROM (p_kind", "IS NOT DISTINCT FROM (e.kind",
    ),
    "who leaves goes anywhere": ("books_refuse_ended", "IF v_account.leaving_at IS NOT NULL", "IF false"),
    "a late entry counts where it happened": ("books_period_of", "greatest(", "least("),
}  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS)
def test_control_when_a_rule_is_broken_the_two_part(database: Database, control: str) -> None:
    name, rule, broken = CONTROLS[control]
    source = (ROOT / "migrations" / "sql" / f"{name}.v1.sql").read_text(encoding="utf-8")
    assert rule in source
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute(source.replace(rule, broken))
    with pytest.raises(Parted) as parted:
        several_lives(database, seeded())
    assert len(str(parted.value).splitlines()) <= 20  # what is needed to see it, and no more


def several_lives(database: Database, chance: Random) -> None:
    life = None
    with web(database) as session:
        for _ in range(LIVES):
            life = live(database, session, chance, life)
