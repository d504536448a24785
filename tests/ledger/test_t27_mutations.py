"""T27: an export that was changed anywhere is refused, and the line that was touched is named.

Two forgers. The first changes the file, and can't sign it. The second holds the key, and signs what was rewritten as if
nothing had happened: whoever kept one earlier head sees it; without one, what the lines say of themselves must still
agree. Each check is then taken away, and the same forgeries must pass: otherwise they proved nothing.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger import verify
from ledger.__main__ import main, sentence
from ledger.replay import Fold
from ledger.verify import Report
from tests.databases import Postgres
from tests.ledger import exported
from tests.ledger.exported import Rich, fact_of, line_of, signed
from tests.ledger.racing import seeded

FULL = bool(os.environ.get("MARRONNIER_FULL"))
CHANGED, REWRITTEN = (10_000, 2_000) if FULL else (1_200, 300)
TOLD = 60  # of them, also through the command
pytestmark = pytest.mark.campaign

Change = Callable[[list[bytes], Random], bytes]  # the lines of an export, its head last -> another file


@pytest.fixture(scope="module")
def rich(postgres: Postgres) -> Rich:
    return exported.rich(postgres)


def in_lines(content: bytes) -> list[bytes]:
    return BytesIO(content).readlines()


def first_difference(before: bytes, after: bytes) -> int:
    """The first line that isn't the same in both, from 1."""
    pairs = zip_longest(in_lines(before), in_lines(after))
    return next(number for number, (one, other) in enumerate(pairs, 1) if one != other)


# -- what a file can suffer


def some(lines: list[bytes], chance: Random) -> int:
    return chance.randrange(len(lines))


def with_line(lines: list[bytes], place: int, line: bytes) -> bytes:
    return b"".join([*lines[:place], line, *lines[place + 1 :]])


def another_byte(lines: list[bytes], chance: Random) -> bytes:
    content = bytearray(b"".join(lines))
    content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    return bytes(content)


def another_digit(lines: list[bytes], chance: Random) -> bytes:
    content = bytearray(b"".join(lines))
    places = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    content[chance.choice(places)] = ord(chance.choice("0123456789"))
    return bytes(content)


ODD: list[Any] = [
    None, True, False, 0, 1, -1, 60, 1.0, 0.5, 1e300, 10**18, -(2**63), 10**4000, "", "x", "\ud800", "2026-02-30", [],
    {}, [1], {"minutes": 1}, float("nan"), float("inf"), "9" * 5000, "é\u202f",
]  # fmt: skip


def another_value(lines: list[bytes], chance: Random) -> bytes:
    """Some value of a fact, however deep, is another one."""
    place = some(lines, chance)
    fact = fact_of(lines[place])
    return with_line(lines, place, line_with(fact, chance))


def line_with(fact: dict[str, Any], chance: Random) -> bytes:
    holders = [fact, *(each for each in fact.get("transfers") or [] if isinstance(each, dict))]
    within = chance.choice(holders)
    name = chance.choice(sorted(within))
    old = within[name]
    usual = [old + chance.choice((-60, -1, 1, 60)), -old] if type(old) is int else []
    within[name] = chance.choice(usual) if usual and chance.random() < 0.7 else chance.choice(ODD)
    return json.dumps(fact, ensure_ascii=chance.random() < 0.1).encode("utf-8", "surrogatepass") + b"\n"


def a_field_more(lines: list[bytes], chance: Random) -> bytes:
    place = some(lines, chance)
    fact = fact_of(lines[place]) | {chance.choice(("x", "minutes", "transfers ", "id")): chance.choice(ODD[:10])}
    return with_line(lines, place, line_of(fact))


def a_field_less(lines: list[bytes], chance: Random) -> bytes:
    place = some(lines, chance)
    fact = fact_of(lines[place])
    del fact[chance.choice(sorted(fact))]
    return with_line(lines, place, line_of(fact))


def other_spelling(lines: list[bytes], chance: Random) -> bytes:
    """The same values, not as the books write them: other spaces, other order, escapes, a name twice."""
    place = some(lines, chance)
    fact = fact_of(lines[place])
    written = chance.choice((
        json.dumps(fact, separators=(",", ":")), json.dumps(fact) + " ", json.dumps(dict(sorted(fact.items()))),
        json.dumps(fact).replace("a", "\\u0061", 1), f'{{"id": 1, {json.dumps(fact)[1:]}', json.dumps(fact) + "\r",
        "\ufeff" + json.dumps(fact), json.dumps([fact]), json.dumps(fact) * 2,
    ))  # fmt: skip
    return with_line(lines, place, written.encode() + b"\n")


def deleted(lines: list[bytes], chance: Random) -> bytes:
    place = some(lines, chance)
    return b"".join(lines[:place] + lines[place + chance.choice((1, 1, 2, 10)) :])


def inserted(lines: list[bytes], chance: Random) -> bytes:
    place, new = some(lines, chance), chance.choice(lines)
    if chance.random() < 0.5:
        new = line_with(fact_of(new), chance)
    return b"".join([*lines[:place], new, *lines[place:]])


def doubled(lines: list[bytes], chance: Random) -> bytes:
    place = some(lines, chance)
    return b"".join([*lines[: place + 1], *lines[place:]])


def swapped(lines: list[bytes], chance: Random) -> bytes:
    one, other = some(lines, chance), some(lines, chance)
    moved = list(lines)
    moved[one], moved[other] = moved[other], moved[one]
    return b"".join(moved)


def moved(lines: list[bytes], chance: Random) -> bytes:
    rest = list(lines)
    line = rest.pop(some(rest, chance))
    rest.insert(some(rest, chance), line)
    return b"".join(rest)


def truncated(lines: list[bytes], chance: Random) -> bytes:
    content = b"".join(lines)
    return content[: chance.randrange(len(content))]


def cut_at_a_line(lines: list[bytes], chance: Random) -> bytes:
    """The tail goes, the head stays; or both go."""
    kept = some(lines, chance)
    return b"".join(lines[:kept] + chance.choice(([], lines[-1:])))


GARBAGE: list[bytes] = [
    b"", b"\n", b" \n", b"{}\n", b"[]\n", b"null\n", b"NaN\n", b"Infinity\n", b'"\n', b"-\n", b"1e999\n", b"\xff\xfe\n",
    b"\xed\xa0\x80\n", b"\x00\n", b'{"head": \n', b'{"head": null}\n', b'{"head": "x", "marks": 1}\n',
    b"[" * 100_000 + b"\n", b'{"fact": ' * 50_000 + b"\n", b"9" * 10_000 + b"\n", b'{"fact": ["entry"]}\n',
    b'{"fact": "entry"}\n', b'{"fact": "entry", "fact": {}}\n', b"\n\n\n", "{\u2028}\n".encode(),
]  # fmt: skip


def garbage(lines: list[bytes], chance: Random) -> bytes:
    return with_line(lines, some(lines, chance), chance.choice([*GARBAGE, chance.randbytes(40) + b"\n"]))


def another_head(lines: list[bytes], chance: Random) -> bytes:
    """The last line, in its note or in its marks. (Notes want lines of unknown keys passed over.)"""
    told = fact_of(lines[-1])
    note, marks = told["head"], told["marks"]
    name, size, root, *_ = note.split("\n")
    told |= chance.choice((
        {"head": note.replace(name, "autre.example.org")}, {"head": note.replace(size, str(int(size) + 1), 1)},
        {"head": note.replace(root, "A" * 43 + "=")}, {"head": note.replace("\n\n", "\nune extension\n\n")},
        {"head": note + note.splitlines(keepends=True)[-1].replace(name, "autre.example.org")[:-3] + "\n"},
        {"head": chance.choice(ODD)}, {"marks": marks[:-4]}, {"marks": ""}, {"marks": marks + "AAAA"},
        {"marks": marks[4:]}, {"marks": chance.choice(ODD)}, {"more": 1}, {"head": note[:-1]}, {"head": note + "\n"},
        {"head": ""}, {"marks": "AAAA" + marks[4:]},
    ))  # fmt: skip
    return with_line(lines, len(lines) - 1, json.dumps(told).encode() + chance.choice((b"\n", b"", b" \n", b"\r\n")))


CHANGES: tuple[Change, ...] = (
    another_byte, another_byte, another_digit, another_digit, another_value, another_value, another_value, a_field_more,
    a_field_less, other_spelling, deleted, inserted, doubled, swapped, moved, truncated, cut_at_a_line, garbage,
    another_head,
)  # fmt: skip


def changed(lines: list[bytes], chance: Random) -> tuple[str, bytes]:
    """A change by its name, and a file that isn't the one that it was made of."""
    before = b"".join(lines)
    while True:
        change = chance.choice(CHANGES)
        after = change(lines, chance)
        if after != before:
            return change.__name__, after


def read(path: Path, content: bytes, **asked: Any) -> Report:
    path.write_bytes(content)
    return verify.verify(path, **asked)


# -- by somebody who can't sign


def test_whatever_is_changed_in_the_file_is_refused_and_the_line_is_named(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, path, lines = seeded(), tmp_path / "export", [*rich.lines, in_lines(rich.content)[-1]]
    tried: Counter[str] = Counter()
    for number in range(CHANGED):
        name, content = changed(lines, chance)
        tried[name] += 1
        asked = chance.choice(({}, {"earlier": rich.early.note}, {"keys": rich.keys}, {"earlier": rich.late.note}))
        found = read(path, content, **asked).finding
        assert found is not None, name
        assert sentence(found.rule, found.facts)
        differs = first_difference(rich.content, content)
        if found.rule == "after-head":
            assert found.line in {differs, differs + 1}, (name, found)
        elif found.line == 0:  # nothing but the head is at fault
            assert differs == len(lines), (name, found)
        else:
            assert found.line == differs, (name, found)
        if number < TOLD:
            assert main(["verify", str(path)]) == 1
            assert "Tout concorde" not in capsys.readouterr().out
    print(tried)
    assert set(tried) == {change.__name__ for change in CHANGES}


def test_the_file_cut_after_any_of_its_bytes_is_refused(rich: Rich, tmp_path: Path) -> None:
    path, size, chance = tmp_path / "export", len(rich.content), seeded()
    # around each end of line, the beginning and the end of the head, and a few others
    ends = {len(b"".join(rich.lines[:count])) + beside for count in range(len(rich.lines) + 1) for beside in (-1, 0, 1)}
    head = len(b"".join(rich.lines))
    others = range(size) if FULL else chance.sample(range(size), 100)
    for kept in sorted({*ends, *range(head, head + 30), *range(size - 30, size), *others} - {-1}):
        found = read(path, rich.content[:kept]).finding
        assert found is not None, kept
        assert found.line in {0, first_difference(rich.content, rich.content[:kept])}, kept


def test_control_without_the_comparison_of_roots_what_the_fold_cannot_judge_passes(
    rich: Rich, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = next(place for place, fact in enumerate(rich.facts) if fact["fact"] == "entry")
    other_words = line_of(rich.facts[place] | {"note": "0" * 64})
    content = with_line([*rich.lines, in_lines(rich.content)[-1]], place, other_words)
    path = tmp_path / "export"
    assert read(path, content).finding is not None
    monkeypatch.setattr(verify._Export, "_name_the_line", lambda *_: None)
    assert read(path, content).finding is None


# -- by somebody who holds the key


def rewritten(rich: Rich, chance: Random) -> tuple[str, list[bytes]]:
    """Other facts among those of the early head: what is left after it is as it was, or is gone."""
    before, after = rich.lines[: rich.early.size], rich.lines[rich.early.size :]
    changes = (another_digit, another_value, another_value, a_field_less, other_spelling, deleted, inserted, swapped,
               moved)  # fmt: skip
    while True:
        change = chance.choice(changes)
        lines = in_lines(change(before, chance))
        if lines != before:
            return change.__name__, [*lines, *after[: chance.choice((0, len(after) // 2, len(after)))]]


def test_no_rewriting_passes_a_verifier_that_kept_one_earlier_head(rich: Rich, tmp_path: Path) -> None:
    chance, path = seeded(), tmp_path / "export"
    rules: Counter[str] = Counter()
    for _ in range(REWRITTEN):
        name, lines = rewritten(rich, chance)
        found = read(path, signed(lines), earlier=rich.early.note).finding
        assert found is not None, name
        assert sentence(found.rule, found.facts)
        rules[found.rule] += 1
    print(rules)
    assert len(rules) > 5


def test_the_earlier_head_alone_refuses_every_rewriting(
    rich: Rich, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the fold: nothing but the tree tells that these lines are not those that were sealed."""
    without_the_fold(monkeypatch)
    chance, path = seeded(), tmp_path / "export"
    for _ in range(REWRITTEN):
        name, lines = rewritten(rich, chance)
        found = read(path, signed(lines), earlier=rich.early.note, keys=rich.keys).finding
        assert found is not None, name
        if found.rule == "unreadable":  # not even JSON
            continue
        assert found.rule == ("shorter" if len(lines) < rich.early.size else "rewritten"), name
        assert read(path, signed(lines), keys=rich.keys).finding is None  # and without that head, they pass


def test_control_without_the_comparison_with_the_earlier_head_a_rewriting_passes(
    rich: Rich, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_words = line_of(rich.facts[0] | {"note": "0" * 64})
    content, path = signed([other_words, *rich.lines[1:]]), tmp_path / "export"
    found = read(path, content, earlier=rich.early.note).finding
    assert found is not None
    assert found.rule == "rewritten"
    monkeypatch.setattr(verify._Export, "_check_growth", lambda *_: None)
    assert read(path, content, earlier=rich.early.note).finding is None


def test_a_tree_that_lost_its_tail_is_shorter_than_the_head_that_was_kept(rich: Rich, tmp_path: Path) -> None:
    path = tmp_path / "export"
    for size in range(rich.early.size, rich.late.size):
        content = signed(rich.lines[:size])
        found = read(path, content, earlier=rich.late.note, keys=rich.keys).finding
        assert found is not None
        assert found.rule in {"shorter", "announced"}
        grown = read(path, content, earlier=rich.early.note, keys=rich.keys).finding
        assert grown is None or grown.rule == "announced"


def without_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fold, "take", lambda *_: None)
    monkeypatch.setattr(Fold, "end", lambda *_: None)
