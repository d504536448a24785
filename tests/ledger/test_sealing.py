"""Everything that was committed gets one leaf, whoever commits when; heads are signed, and nobody chooses a leaf.

The order of numbers is not that of commits (T10: a smaller number is committed after a larger was sealed). Sessions are
interleaved by hand, then raced; each guard is taken away in turn, and a fact is lost, or the sealers meet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from io import BytesIO
from itertools import combinations, permutations
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.config import LEDGER_ROLE, ROOT
from ledger import exports, seals, signatures, verify
from ledger.entries import Entry, Transfer
from ledger.errors import EntryMalformed
from ledger.exports import Proof
from ledger.seals import Frontier, leaf_hash
from ledger.signatures import Checkpoint, SigningKey
from ledger.store import sealing, writing
from ledger.store.sealing import Head, KeyUnknown
from tests.cast import NOON, SATURDAY, Cast, Person, committed
from tests.databases import Database, Postgres, as_owner
from tests.ledger import exported
from tests.ledger.conftest import LATER, Books
from tests.ledger.exported import KEY, NAME, NEXT, STRANGER, export, fact_of
from tests.ledger.racing import Track, counted, seeded

FULL = bool(os.environ.get("MARRONNIER_FULL"))


# -- in one session


@pytest.fixture
def named(books: Books) -> Books:
    """Books that name the key."""
    sealing.register(books.session, KEY.public, at=NOON)
    return books


def seal(session: Session, *, still: bool = False) -> Head:
    head = sealing.seal(session, KEY, at=LATER, still=still)
    assert head is not None
    return head


def leaves(session: Session) -> list[tuple[int, int, bytes]]:
    rows = session.execute(text("SELECT place, fact_id, hash FROM books.leaves ORDER BY place"))
    return [(row.place, row.fact_id, bytes(row.hash)) for row in rows]


def facts(session: Session) -> dict[int, str]:
    return {row.id: row.line for row in session.execute(text("SELECT id, line FROM books.facts"))}


def each_fact_has_one_leaf(session: Session) -> None:
    """As many as there are facts, at places without a gap, each the hash of its line."""
    found, written = leaves(session), facts(session)
    assert [place for place, _fact, _hash in found] == list(range(len(written)))
    assert sorted(fact for _place, fact, _hash in found) == sorted(written)
    assert [hash_ for _place, _fact, hash_ in found] == [leaf_hash(written[fact].encode()) for _, fact, _ in found]
    assert sealing.waiting(session) == 0


def verified(session: Session, folder: Path, earlier: Head | None = None) -> Head:
    """The export of the newest head agrees with itself, and with an earlier head."""
    head = sealing.last_head(session)
    assert head is not None
    path = folder / "export"
    path.write_bytes(export(session, head))
    report = verify.verify(path, earlier=earlier.note if earlier else None, keys=[KEY.public, NEXT.public])
    assert report.finding is None
    assert report.signed is not None
    assert (report.size, report.root, report.signed.name) == (head.size, head.root, NAME)
    return head


def test_each_fact_gets_its_leaf_in_the_order_of_the_numbers(named: Books, cast: Cast, tmp_path: Path) -> None:
    named.give(cast.alice, cast.bruno, 90)
    assert sealing.waiting(named.session) == len(facts(named.session))
    head = seal(named.session)
    assert head.size == len(facts(named.session))
    each_fact_has_one_leaf(named.session)
    assert [fact for _place, fact, _hash in leaves(named.session)] == sorted(facts(named.session))
    verified(named.session, tmp_path)


def test_what_is_sealed_stays_and_what_is_new_follows(named: Books, cast: Cast, tmp_path: Path) -> None:
    named.give(cast.alice, cast.bruno, 90)
    first = seal(named.session)
    before = leaves(named.session)
    assert sealing.seal(named.session, KEY, at=LATER) is None
    assert sealing.last_head(named.session) == first
    lesson = named.post(named.move((cast.alice, cast.bruno, 30), (cast.alice, cast.chloe, 30))).id
    hold = named.hold(cast.bruno, cast.alice, 60)
    second = seal(named.session)
    assert leaves(named.session)[: first.size] == before
    assert [fact for _place, fact, _hash in leaves(named.session)[first.size :]] == [lesson, hold]
    assert verified(named.session, tmp_path, first) == second


def test_a_head_is_signed_by_the_key_over_the_root_of_all_lines(named: Books, cast: Cast) -> None:
    named.give(cast.alice, cast.bruno, 90)
    head = seal(named.session)
    tree = Frontier()
    tree.extend(hash_ for _place, _fact, hash_ in leaves(named.session))
    assert (head.size, head.root) == (tree.size, tree.root())
    checked = signatures.verify(head.note, [KEY.public, NEXT.public])
    assert [one.key for one in checked.signed] == [KEY.public]
    assert Checkpoint.parse(checked.text) == Checkpoint(NAME, head.size, head.root)
    assert sealing.last_head(named.session) == sealing.head_of(named.session, head.size) == head
    assert sealing.heads(named.session) == [head]


def test_a_key_that_the_books_do_not_name_signs_nothing(named: Books, cast: Cast) -> None:
    named.give(cast.alice, cast.bruno, 90)
    for other in (NEXT, STRANGER):
        with pytest.raises(KeyUnknown):
            sealing.seal(named.session, other, at=LATER)
    assert leaves(named.session) == []
    assert sealing.last_head(named.session) is None


def test_a_new_key_is_sealed_and_heads_of_before_and_after_are_known(named: Books, cast: Cast, tmp_path: Path) -> None:
    named.give(cast.alice, cast.bruno, 90)
    before = seal(named.session)
    sealing.register(named.session, NEXT.public, at=LATER)
    sealing.register(named.session, NEXT.public, at=LATER + timedelta(days=1))  # it stays as it is
    named.give(cast.bruno, cast.alice, 30)
    after = sealing.seal(named.session, NEXT, at=LATER)
    assert after is not None
    assert sealing.keys(named.session) == [KEY.public, NEXT.public]
    keys = [fact["key"] for fact in map(fact_of, exported_lines(named.session, after)) if fact["fact"] == "key"]
    assert keys == [str(KEY.public), str(NEXT.public)]
    assert verified(named.session, tmp_path, before) == after
    assert signatures.verify(before.note, [KEY.public])
    assert signatures.verify(after.note, [NEXT.public])


def exported_lines(session: Session, head: Head) -> list[bytes]:
    return BytesIO(export(session, head)).readlines()[:-1]


def test_each_fact_is_proven_from_what_is_stored(named: Books, cast: Cast) -> None:
    for minutes in range(1, 20):
        named.give(cast.alice, cast.bruno, minutes)
    early = seal(named.session)
    number = named.give(cast.chloe, cast.bruno, 60)
    assert sealing.sealed(named.session, number) is None  # until it is sealed
    late = seal(named.session)
    grown = sealing.consistency(named.session, early.size, late.size)
    for fact, line in facts(named.session).items():
        found = sealing.sealed(named.session, fact)
        assert found is not None
        assert (found.line, found.head) == (line, late)
        proof = exports.written(Proof(found.line, found.place, found.proof, found.head.note, early.size, grown))
        told = verify.verify_entry(proof, earlier=early.note, keys=[KEY.public])
        assert told == (fact_of(line.encode()), late.size, NAME, early.size)
    assert sealing.sealed(named.session, 10**9) is None


# -- the tree that is kept


def many(books: Books, count: int) -> None:
    """So many mandates, granted in one statement: facts that touch no account."""
    bruno = books.cast.bruno
    assert bruno.sign_in is not None
    books.session.execute(
        text("""
        INSERT INTO mandates (sign_in_id, party_id, role, starts_on, granted_at)
        SELECT :sign_in, :party, 'delegate', :on, :at FROM generate_series(1, :count)
        """),
        {"sign_in": bruno.sign_in.id, "party": bruno.party.id, "on": SATURDAY, "at": LATER, "count": count},
    )


SIZES = [255, 256, 257, 511, 513, 1100]
LARGE = [65_535, 65_536, 65_537, 66_100] if FULL else []


@pytest.mark.parametrize(("together", "sizes"), [(100, SIZES), (sealing.TOGETHER, SIZES + LARGE)])
def test_tiles_are_those_of_the_tree_of_all_leaves(
    named: Books, together: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever sizes a tree had on its way, and however many statements sealed it."""
    monkeypatch.setattr(sealing, "TOGETHER", together)
    session, heads, chance = named.session, [], seeded()
    for size in sizes:
        many(named, size - len(facts(session)))
        heads.append(seal(session))
        assert heads[-1].size == size
    hashes = [hash_ for _place, _fact, hash_ in leaves(session)]
    assert [leaf_hash(line[:-1]) for line in exported_lines(session, heads[-1])] == hashes
    for head in heads:
        tree = Frontier()
        tree.extend(hashes[: head.size])
        assert head.root == tree.root()
    for level in (8, 16, 24):
        stored = session.execute(text("SELECT place, hash FROM books.tiles WHERE level = :level ORDER BY place"),
                                 {"level": level}).all()  # fmt: skip
        assert [row.place for row in stored] == list(range(sizes[-1] >> level))
        for place, hash_ in stored:
            assert bytes(hash_) == seals.complete(hashes[place << level : (place + 1) << level])
    assert session.scalar(text("SELECT count(*) FROM books.tiles WHERE level NOT IN (8, 16, 24)")) == 0
    subtree, last = sealing.tree(session).subtree, heads[-1]
    for place in {0, 255, 256, last.size - 1, *chance.sample(range(last.size), 30)}:
        proof = seals.inclusion(subtree, place, last.size)
        assert seals.check_inclusion(hashes[place], place, last.size, proof, last.root)
    for old, new in combinations(heads, 2):
        proof = sealing.consistency(session, old.size, new.size)
        assert seals.check_consistency(old.size, old.root, new.size, new.root, proof)


def test_leaves_given_without_a_head_are_under_the_next_one(named: Books, tmp_path: Path) -> None:
    """Who holds the web role's password can call the function alone: nothing is lost by it."""
    first = seal(named.session)
    many(named, 600)
    assert len(named.session.execute(text("SELECT * FROM books.seal(600, false)")).all()) == 600
    head = seal(named.session)
    assert head.size == first.size + 600
    many(named, 1)
    last = seal(named.session)
    subtree = sealing.tree(named.session).subtree
    for place, _fact, hash_ in leaves(named.session)[::37]:
        assert seals.check_inclusion(hash_, place, last.size, seals.inclusion(subtree, place, last.size), last.root)
    assert verified(named.session, tmp_path, head) == last


def test_the_search_is_shortened_once_it_would_be_long(
    named: Books, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "FAR", 20)
    assert sealing.far(named.session)
    seal(named.session)
    assert sealing.far(named.session)
    named.give(cast.alice, cast.bruno, 90)
    seal(named.session, still=True)
    assert not sealing.far(named.session)
    assert below(named.session) == max(facts(named.session))
    each_fact_has_one_leaf(named.session)


def below(session: Session) -> int:
    found = session.scalar(text("SELECT below FROM books.sealing"))
    assert found is not None
    return int(found)


# -- words and names


def test_no_name_and_no_word_is_in_the_export(postgres: Postgres) -> None:
    rich = exported.rich(postgres)
    lines = b"".join(line for line in rich.lines if fact_of(line)["fact"] != "key").decode()
    assert len(rich.said) > 60
    assert [word for word in rich.said if word in lines or word in rich.late.note] == []
    for part in ("Alice", "Étienne", "haie", "Voisine", "@", "SEL", "example.com"):
        assert part not in lines


def test_the_words_of_a_fact_are_shown_to_be_its_own_until_they_are_erased(
    database: Database, tmp_path: Path
) -> None:
    cast = committed(database.app())
    with web(database) as session:
        books = Books(session, cast)
        sealing.register(session, KEY.public, at=NOON)
        number = books.post(replace(books.move((cast.alice, cast.bruno, 60)), note="Taille de la haie")).id
        assert number is not None
        head = seal(session)
        session.commit()
        kept = session.execute(text("SELECT salt, note FROM books.notes WHERE fact_id = :id"), {"id": number}).one()
        line = fact_of(facts(session)[number].encode())
        assert sha256(bytes(kept.salt) + kept.note.encode()).hexdigest() == line["note"]
        before, proof = export(session, head), sealing.sealed(session, number)
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        erased = owner.execute("DELETE FROM books.notes").rowcount
    assert erased == sum(fact_of(line)["note"] is not None for line in before.splitlines()[:-1] if b'"note"' in line)
    with web(database) as session:
        assert export(session, head) == before
        assert sealing.sealed(session, number) == proof
        Books(session, cast, iter(range(1000, 2000))).give(cast.bruno, cast.alice, 20)
        seal(session)
        verified(session, tmp_path, head)


# -- two sessions, by hand


@contextmanager
def web(database: Database) -> Iterator[Session]:
    """A session of one's own, as the web role."""
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def town(database: Database) -> Cast:
    """The cast, committed, in books that name the key."""
    cast = committed(database.app())
    with web(database) as session:
        sealing.register(session, KEY.public, at=NOON)
        session.commit()
    return cast


def helped(session: Session, giver: Person, receiver: Person, key: str, cast: Cast, *, lines: int = 1) -> int:
    assert giver.account is not None
    assert receiver.account is not None
    entry = Entry("exchange", (Transfer(receiver.account.id, giver.account.id, 1),) * lines, SATURDAY)
    written = writing.post(session, entry, community=cast.community.id, key=key, by=cast.system, at=LATER)
    assert written.id is not None
    return written.id


def orders(*sessions: str) -> list[tuple[str, ...]]:
    """Every order in which these sessions can do their two steps."""
    return sorted(set(permutations([name for name in sessions for _ in range(2)])))


def interleaved(database: Database, cast: Cast) -> Iterator[Session]:
    """Two exchanges between different people and a sealer, each in two steps: what it does, and its commit.

    Every order of these steps in turn; after each, what is left is sealed, and the session that did it is given.
    """
    with web(database) as one, web(database) as other, web(database) as sealer:
        for key, order in enumerate(orders("one", "other", "sealer")):
            steps: dict[str, Iterator[Callable[[], object]]] = {
                "one": iter((partial(helped, one, cast.alice, cast.bruno, f"{key}:1", cast), one.commit)),
                "other": iter((partial(helped, other, cast.chloe, cast.denise, f"{key}:2", cast), other.commit)),
                "sealer": iter((partial(sealing.seal, sealer, KEY, at=LATER), sealer.commit)),
            }
            for name in order:
                next(steps[name])()
            sealing.seal(sealer, KEY, at=LATER)
            sealer.commit()
            yield sealer


def out_of_order(session: Session) -> bool:
    numbers = [fact for _place, fact, _hash in leaves(session)]
    return numbers != sorted(numbers)


def test_whatever_the_order_of_two_commits_and_a_seal_nothing_is_lost(
    database: Database, town: Cast, tmp_path: Path
) -> None:
    last: Head | None = None
    for turn, session in enumerate(interleaved(database, town)):
        assert sealing.waiting(session) == 0
        last = last if turn % 10 else verified(session, tmp_path, last)
    with web(database) as session:
        each_fact_has_one_leaf(session)
        assert out_of_order(session)  # a smaller number did come after a larger
        verified(session, tmp_path, last)


def rewrite(database: Database, name: str, *changes: tuple[str, str]) -> None:
    """Install a function of the books without one of its guards."""
    source = (ROOT / "migrations" / "sql" / f"{name}.v1.sql").read_text(encoding="utf-8")
    for guard, instead in changes:
        assert guard in source
        source = source.replace(guard, instead)
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute(source)


SEARCHED = "f.id > v_below AND NOT EXISTS (SELECT FROM leaves l WHERE l.fact_id = f.id)"


def test_control_a_sealer_that_goes_on_from_the_last_number_loses_a_fact(database: Database, town: Cast) -> None:
    rewrite(database, "books_seal", (SEARCHED, "f.id > (SELECT coalesce(max(l.fact_id), 0) FROM leaves l)"))
    assert any(sealing.waiting(session) for session in interleaved(database, town))


# -- the still sealer


def waiting_for_a_lock(database: Database) -> bool:
    with database.connected("superuser") as superuser:
        found = superuser.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()
    return found != (0,)


class Meanwhile:
    """Something that waits for another session, done in a thread; what it returned, or the fault that it met."""

    def __init__(self, database: Database, act: Callable[[Session], Any]) -> None:
        self.result: Any = None
        self._database, self._act = database, act
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        with web(self._database) as session:
            try:
                self.result = self._act(session)
                session.commit()
            except DBAPIError as met:
                self.result = met

    def __enter__(self) -> Meanwhile:
        self._thread.start()
        while self._thread.is_alive() and not waiting_for_a_lock(self._database):
            sleep(0.01)
        assert self._thread.is_alive(), self.result  # it does wait
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def test_a_still_sealer_waits_for_who_is_writing_and_seals_it_too(
    database: Database, town: Cast, tmp_path: Path
) -> None:
    with web(database) as writer:
        late = helped(writer, town.alice, town.bruno, "late", town)
        with web(database) as session:
            assert helped(session, town.chloe, town.denise, "soon", town) > late
            session.commit()
            first = seal(session)
            session.commit()
            assert below(session) == 0  # somebody may still be writing
        with Meanwhile(database, lambda session: seal(session, still=True)) as still:
            writer.commit()
        assert (still.result.size, first.size) == (first.size + 1, first.size)
    with web(database) as session:
        each_fact_has_one_leaf(session)
        assert out_of_order(session)
        assert below(session) == max(facts(session))
        verified(session, tmp_path, first)


def test_a_still_sealer_gives_up_rather_than_wait_and_skips_nothing(
    database: Database, town: Cast, tmp_path: Path
) -> None:
    with web(database) as writer:
        helped(writer, town.alice, town.bruno, "late", town)
        with web(database) as sealer:
            sealer.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(DBAPIError) as busy:
                sealing.seal(sealer, KEY, at=LATER, still=True)
            assert isinstance(busy.value.orig, errors.LockNotAvailable)
            sealer.rollback()
            assert below(sealer) == 0
            assert leaves(sealer) == []
            first = seal(sealer)  # without being still: what is there
            sealer.commit()
            assert below(sealer) == 0
        writer.commit()
    with web(database) as session:
        assert sealing.waiting(session) == 1
        seal(session, still=True)
        session.commit()
        each_fact_has_one_leaf(session)
        verified(session, tmp_path, first)


def test_who_writes_under_a_still_sealer_waits_and_is_sealed_the_next_time(
    database: Database, town: Cast, tmp_path: Path
) -> None:
    with web(database) as sealer:
        first = seal(sealer, still=True)
        with Meanwhile(database, lambda session: helped(session, town.alice, town.bruno, "next", town)) as writer:
            sealer.commit()
        assert isinstance(writer.result, int)
    with web(database) as session:
        assert below(session) < writer.result
        assert seal(session).size == first.size + 1
        session.commit()
        each_fact_has_one_leaf(session)
        verified(session, tmp_path, first)


def test_numbers_that_were_taken_back_are_passed(database: Database, town: Cast) -> None:
    with web(database) as session:
        taken_back = helped(session, town.alice, town.bruno, "wrong", town)
        session.rollback()
        head = seal(session, still=True)
        session.commit()
        assert below(session) == taken_back
        assert helped(session, town.alice, town.bruno, "right", town) > taken_back
        session.commit()
        assert seal(session).size == head.size + 1


def test_a_still_sealer_with_more_to_seal_than_it_may_moves_nothing(named: Books) -> None:
    rows = named.session.execute(text("SELECT * FROM books.seal(3, true)")).all()
    assert len(rows) == 3
    assert below(named.session) == 0


def test_a_sealer_whose_view_is_older_than_its_locks_is_refused(database: Database, town: Cast) -> None:
    """Under REPEATABLE READ what was committed meanwhile is not seen, and would be passed for good."""
    with web(database) as old:
        old.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        sealing.keys(old)  # its view begins here
        with web(database) as session:
            helped(session, town.alice, town.bruno, "meanwhile", town)
            session.commit()
        with pytest.raises(DBAPIError) as refused:
            sealing.seal(old, KEY, at=LATER, still=True)
        assert isinstance(refused.value.orig, psycopg.Error)
        assert refused.value.orig.diag.message_primary == "entry-malformed"
        old.rollback()
    with web(database) as session:
        seal(session, still=True)
        each_fact_has_one_leaf(session)


def test_a_month_is_not_closed_in_a_view_older_than_its_lock(database: Database, town: Cast) -> None:
    with web(database) as old:
        old.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        sealing.keys(old)
        with pytest.raises(EntryMalformed):
            writing.close_month(old, date(2026, 10, 1), community=town.community.id, by=town.system, at=LATER)


def test_control_a_still_sealer_that_locks_nobody_out_passes_a_fact_for_good(database: Database, town: Cast) -> None:
    rewrite(database, "books_seal", (
        "LOCK TABLE accounts, account_events, limits, mandates, months, seal_keys, holds, entries, hold_resolutions\n"
        "            IN SHARE MODE;", ""))  # fmt: skip
    with web(database) as writer:
        late = helped(writer, town.alice, town.bruno, "late", town)
        with web(database) as sealer:
            seal(sealer, still=True)
            sealer.commit()
        writer.commit()
    with web(database) as session:
        assert below(session) == late
        assert sealing.waiting(session) == 0  # so it says
        assert sealing.seal(session, KEY, at=LATER) is None
        assert late not in {fact for _place, fact, _hash in leaves(session)}


# -- several at once


def second_sealer(database: Database, cast: Cast) -> Any:
    """What a second sealer meets, while the first is about to commit; somebody wrote in between."""
    with web(database) as first:
        assert sealing.seal(first, KEY, at=LATER)
        with web(database) as writer:
            helped(writer, cast.alice, cast.bruno, "between", cast)
            writer.commit()
        with Meanwhile(database, lambda session: sealing.seal(session, KEY, at=LATER)) as second:
            first.commit()
    return second.result


def test_a_second_sealer_waits_and_seals_what_is_left(database: Database, town: Cast, tmp_path: Path) -> None:
    head = second_sealer(database, town)
    with web(database) as session:
        assert head == sealing.last_head(session)
        assert len(sealing.heads(session)) == 2
        each_fact_has_one_leaf(session)
        verified(session, tmp_path, sealing.heads(session)[1])


def test_control_sealers_that_do_not_wait_for_each_other_meet(database: Database, town: Cast) -> None:
    rewrite(database, "books_seal", ("FROM sealing s FOR UPDATE;", "FROM sealing s;"))
    met = second_sealer(database, town)
    assert isinstance(met, DBAPIError)
    assert isinstance(met.orig, errors.UniqueViolation)


@pytest.mark.race
def test_while_four_people_write_several_sealers_give_each_fact_one_leaf(
    database: Database, town: Cast, tmp_path: Path
) -> None:
    """Entries of one transfer and of two take their locks in another order: no fault of the sealers' reaches people."""
    chance, many_each = seeded(), 1000 if FULL else 60
    people = [town.alice, town.bruno, town.chloe, town.denise, town.tibo]
    pairs = [[(*chance.sample(people, 2), chance.choice((1, 2))) for _ in range(many_each)] for _ in range(4)]
    over = Event()

    def write(number: int) -> Callable[[Session], int]:
        def run(session: Session) -> int:
            for turn, (giver, receiver, lines) in enumerate(pairs[number]):
                helped(session, giver, receiver, f"{number}:{turn}", town, lines=lines)
                session.commit()
            return many_each

        return run

    def keep_sealing(still: bool) -> Callable[[Session], int]:
        def run(session: Session) -> int:
            sealed = 0
            while not over.is_set():
                if still:
                    session.execute(text("SET LOCAL lock_timeout = '100ms'"))
                try:
                    sealed += sealing.seal(session, KEY, at=LATER, still=still) is not None
                    session.commit()
                except DBAPIError as busy:
                    if not still or not isinstance(busy.orig, errors.LockNotAvailable | errors.DeadlockDetected):
                        raise
                    session.rollback()
            return sealed

        return run

    with Track(database) as track:
        sealers = Thread(target=lambda: sealed.extend(track.race([keep_sealing(False)] * 2 + [keep_sealing(True)])))
        sealed: list[Any] = []
        sealers.start()
        written = track.race([write(number) for number in range(4)])
        over.set()
        sealers.join()
    assert written == [many_each] * 4
    assert set(counted(sealed)) == {"written"}
    assert sum(sealed) > 2
    with web(database) as session:
        sealing.seal(session, KEY, at=LATER)
        session.commit()
        each_fact_has_one_leaf(session)
        heads = sealing.heads(session, most=1000)
        assert len({head.size for head in heads}) == len(heads)
        for head in heads[:: max(1, len(heads) // 5)]:
            verified(session, tmp_path, head)


# -- somebody holds the web role's password

TABLES = ("mandates", "months", "seal_keys", "leaves", "tiles", "heads", "cosignatures", "sealing")


@pytest.fixture(scope="module")
def sealed_books(postgres: Postgres) -> Iterator[Database]:
    """One database for all attacks: each leaves it as it was, or fails."""
    made = postgres.copy()
    cast = committed(made.app())
    with web(made) as session:
        sealing.register(session, KEY.public, at=NOON)
        many(Books(session, cast), 300)
        head = seal(session)
        line = STRANGER.cosign(signatures.Note.parse(head.note).text, 1)
        sealing.keep_cosignature(session, head, STRANGER.witness, line, at=LATER)
        writing.close_month(session, date(2026, 10, 1), community=cast.community.id, by=cast.system, at=LATER)
        session.commit()
    yield made
    postgres.drop(made)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO books.{} DEFAULT VALUES", "UPDATE books.{} SET {} = {}", "DELETE FROM books.{}",
        "TRUNCATE books.{} CASCADE", "ALTER TABLE books.{} DISABLE TRIGGER ALL", "DROP TABLE books.{} CASCADE",
        "BEGIN; LOCK TABLE books.{} IN EXCLUSIVE MODE", "SELECT * FROM books.{} FOR UPDATE", "COPY books.{} FROM STDIN",
        "CREATE RULE r AS ON INSERT TO books.{} DO INSTEAD NOTHING",
    ],
)  # fmt: skip
def test_the_web_role_writes_nothing_that_is_sealed(sealed_books: Database, table: str, attack: str) -> None:
    column = {"mandates": "role", "seal_keys": "key", "sealing": "below", "months": "minutes"}.get(table, "size")
    column = {"leaves": "hash", "tiles": "hash"}.get(table, column)
    with sealed_books.connected("web") as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute(attack.format(table, column, column))


@pytest.mark.parametrize(
    "attack",
    [
        "CREATE OR REPLACE VIEW books.facts AS SELECT 1::bigint AS id, ''::text AS line", "DROP VIEW books.facts",
        "GRANT EXECUTE ON FUNCTION books.period_of TO PUBLIC", "SELECT books.period_of(1, '2026-11-21', 1)",
        "SELECT books.mandate_written()", "SELECT books.tile(8, 0)", "DROP FUNCTION books.seal(integer, boolean)",
        "ALTER TABLE mandates DISABLE TRIGGER enters_the_books", "UPDATE mandates SET role = 'administrator'",
        "DELETE FROM mandates", "SELECT setval('books.fact_ids', 1)", "SELECT nextval('books.fact_ids')",
    ],
)  # fmt: skip
def test_the_web_role_has_no_way_around(sealed_books: Database, attack: str) -> None:
    with sealed_books.connected("web") as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute(attack)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "sealing"])
def test_even_the_servers_superuser_changes_nothing_that_was_sealed(sealed_books: Database, table: str) -> None:
    with sealed_books.connected("superuser") as superuser:
        for attack in (f"DELETE FROM books.{table}", f"TRUNCATE books.{table} CASCADE",
                       f"UPDATE books.{table} SET {'hash = hash' if table in {'leaves', 'tiles'} else same(table)}"):
            with pytest.raises(psycopg.Error) as refused:
                superuser.execute(attack)
            assert refused.value.diag.message_primary == "written-once", attack


def same(table: str) -> str:
    column = {"heads": "note", "cosignatures": "line", "seal_keys": "key"}.get(table, "id")
    return f"{column} = {column}"


def test_nothing_that_the_web_role_hides_or_sets_chooses_a_leaf(sealed_books: Database) -> None:
    """Tables, functions and settings of the caller: a leaf is the hash of the line that everybody else reads."""
    with sealed_books.connected("web") as session:
        session.execute("BEGIN")
        session.execute("CREATE TEMP TABLE facts (id bigint, line text)")
        session.execute("INSERT INTO facts VALUES (1000000, 'choisi')")
        session.execute("CREATE TEMP TABLE leaves AS SELECT * FROM books.leaves WITH NO DATA")
        session.execute("CREATE TEMP TABLE sealing AS SELECT true AS one, 0::bigint AS below")
        session.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea'")
        session.execute("SET search_path = pg_temp, public")
        for odd in ("SET datestyle = 'German, DMY'", "SET timezone = 'Asia/Kathmandu'", "SET bytea_output = 'escape'",
                    "SET client_encoding = 'LATIN1'", "SET standard_conforming_strings = off",
                    "SET escape_string_warning = off"):
            session.execute(odd)
        session.execute("SELECT books.register_key(%s, '2026-11-21 12:00+00')", [str(NEXT.public)])
        rows = session.execute("SELECT * FROM books.seal(100, false)").fetchall()
        assert len(rows) == 2  # the month and this key
        session.execute("SET client_encoding = 'UTF8'")
        lines = session.execute(
            "SELECT f.line FROM books.leaves l JOIN books.facts f ON f.id = l.fact_id WHERE l.place = ANY (%s)"
            " ORDER BY l.place", [[place for place, _hash in rows]],
        ).fetchall()  # fmt: skip
        assert [hash_ for _place, hash_ in rows] == [leaf_hash(line.encode()) for (line,) in lines]
        session.execute("ROLLBACK")


NEWLINE = f"{NEXT.public}\n"
MALFORMED = [
    "", "bonjour à tous", f" {NEXT.public}", NEWLINE, str(NEXT.public)[:-1], f"{NEXT.public}A", f"é{NEXT.public}",
    str(NEXT.public).replace("livre", "autre"), str(NEXT.witness), str(NEXT.public).replace("+", " ", 1),
    f"{NEXT.public}".replace("livre", "l\u00a0ivre"), None,
]  # fmt: skip


@pytest.mark.parametrize("key", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_key_is_not_named(sealed_books: Database, key: str | None) -> None:
    """It would be sealed for good, and the books be unreadable from there on."""
    with sealed_books.connected("web") as session:
        with pytest.raises(psycopg.Error) as refused:
            session.execute("SELECT books.register_key(%s, '2026-11-21 12:00+00')", [key])
        assert refused.value.diag.message_primary == "entry-malformed"
        assert session.execute("SELECT count(*) FROM books.seal_keys").fetchone() == (1,)


@pytest.mark.parametrize("name", ["livre.example.org", "localhost/livre", "l:8000", "x", "!*,-~", "n" * 200])
def test_a_key_of_any_plain_name_is_named(session: Session, name: str) -> None:
    key = SigningKey.generate(name).public
    sealing.register(session, key, at=NOON)
    assert sealing.keys(session) == [key]


@pytest.mark.parametrize("size", [0, 1, 299, 10**6, None])
def test_a_head_is_kept_for_the_tree_as_it_stands_alone(sealed_books: Database, size: int | None) -> None:
    with sealed_books.connected("web") as session, pytest.raises(psycopg.Error) as refused:
        session.execute(
            "SELECT books.keep_head(%s, %s, 'x', '2026-11-21 12:00+00')", [size, bytes(32)]
        )
    assert refused.value.diag.message_primary == "entry-malformed"


def test_a_mandate_enters_the_books_when_it_is_granted(named: Books, cast: Cast) -> None:
    assert cast.zoe.sign_in is not None
    with as_owner(named.session):
        number = named.session.scalar(
            text("INSERT INTO mandates (sign_in_id, party_id, role, starts_on, ends_on, granted_at)"
                 " VALUES (:sign_in, :party, 'delegate', '2026-11-21', '2027-11-20', :at) RETURNING id"),
            {"sign_in": cast.zoe.sign_in.id, "party": cast.club.id, "at": LATER},
        )  # fmt: skip
    head = seal(named.session)
    [told] = [
        fact for fact in map(fact_of, exported_lines(named.session, head))
        if fact["fact"] == "mandate" and fact["mandate"] == number
    ]  # fmt: skip
    assert (told["sign_in"], told["party"], told["role"]) == (cast.zoe.sign_in.id, cast.club.id, "delegate")
    assert (told["starts_on"], told["ends_on"]) == ("2026-11-21", "2027-11-20")
    assert datetime.fromisoformat(told["recorded_at"]) == LATER


def test_a_tile_above_others_is_the_root_of_its_own_256(named: Books) -> None:
    """Of 65,536 leaves and more; their own tiles are said, here, rather than 131,072 facts written."""
    row = [leaf_hash(b"%d" % number) for number in range(512)]
    with as_owner(named.session):
        named.session.execute(
            text("INSERT INTO books.tiles (level, place, hash) VALUES (8, :place, :hash)"),
            [{"place": place, "hash": hash_} for place, hash_ in enumerate(row)],
        )
        for place in (0, 1):
            found = named.session.scalar(text("SELECT books.tile(16, :place)"), {"place": place})
            assert bytes(found or b"") == seals.complete(row[256 * place : 256 * (place + 1)])
