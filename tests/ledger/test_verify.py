"""The verifier finds what is wrong in an export or in a proof, says it in words, and is never broken by what it reads.

Most forgeries here are signed by the key of the books: what refuses them is that lines no longer agree with each other.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import getsource
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any, NamedTuple

import pytest

from exchange.config import ROOT
from ledger import exports, replay, seals, signatures, verify
from ledger.__main__ import main
from ledger.exports import Proof
from ledger.replay import Fold, Wrong
from ledger.sentences import SENTENCES, of_file, sentence
from ledger.signatures import SigningKey, VerifierKey
from tests.databases import Postgres
from tests.ledger import exported
from tests.ledger.exported import KEY, NEXT, STRANGER, Fact, Rich, leaves_of, line_of, note_of, signed
from tests.ledger.racing import seeded


@pytest.fixture(scope="module")
def rich(postgres: Postgres) -> Rich:
    return exported.rich(postgres)


class Forged(NamedTuple):
    """A file, the head that its reader kept, and where the fault is: 0 for the file as a whole, None where it shows.

    Of an export, the reader believes the keys that it names, or those given; of a proof, those of the books.
    """

    content: bytes
    kept: bytes | None = None
    line: int | None = 0
    proof: bool = False
    keys: tuple[VerifierKey, ...] = ()

    @property
    def believed(self) -> list[VerifierKey]:
        return list(self.keys or (OURS if self.proof else ()))

    @property
    def earlier(self) -> str | None:
        return None if self.kept is None else exports.kept(self.kept)


OURS = (KEY.public, NEXT.public)
Forgery = Callable[[Rich], Forged]
FORGERIES: list[tuple[str, Forgery]] = []
AMONG_LINES: list[tuple[str, Forgery]] = []  # those that only the fold can find


def forgery(rule: str) -> Callable[[Forgery], Forgery]:
    """What must be found by this rule."""

    def note(made: Forgery) -> Forgery:
        FORGERIES.append((rule, made))
        return made

    return note


def rewriting(rule: str) -> Callable[[Callable[[list[Fact]], int | None]], Forgery]:
    """Facts rewritten, then sealed and signed again with the key; the rewriting tells the place of the one at fault."""

    def note(rewrite: Callable[[list[Fact]], int | None]) -> Forgery:
        def made(rich: Rich) -> Forged:
            facts = rich.facts
            place = rewrite(facts)
            lines = [line_of(fact) for fact in facts]
            return Forged(signed(lines), line=place if place is None else place + 1)

        made.__name__ = rewrite.__name__
        AMONG_LINES.append((rule, made))
        return forgery(rule)(made)

    return note


WHOLE = -1  # not a line: the file as a whole


def where(facts: list[Fact], number: int = 0, **wanted: object) -> int:
    """The place of a fact with these values; of several, that of this number."""
    found = [place for place, fact in enumerate(facts) if wanted.items() <= fact.items()]
    return found[number]


def plain(facts: list[Fact], number: int = 0) -> int:
    """The place of an exchange of the cast that nobody corrects."""
    corrected = {fact["reverses"] for fact in facts if fact["fact"] == "entry"}
    exchange = {"fact": "entry", "kind": "exchange", "community": 1}
    places = [
        place for place, fact in enumerate(facts)
        if exchange.items() <= fact.items() and fact["id"] not in corrected
    ]  # fmt: skip
    return places[number]


# -- lines that don't agree


@rewriting("account-twice")
def an_account_opened_again(facts: list[Fact]) -> int:
    facts.append(facts[where(facts, fact="account", kind="opened")] | {"id": 10_000})
    return len(facts) - 1


@rewriting("account-unknown")
def minutes_from_nowhere(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"][0]["from"] = 10_000
    return place


@rewriting("account-unknown")
def minutes_to_another_community(facts: list[Fact]) -> int:
    place = where(facts, fact="entry", community=1)
    facts[place]["transfers"][0]["to"] = facts[where(facts, fact="entry", community=2)]["transfers"][0]["to"]
    return place


@rewriting("account-unknown")
def a_hold_of_another_community(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["community"] = 2
    return place


@rewriting("account-unknown")
def a_limit_for_nobody(facts: list[Fact]) -> int:
    place = where(facts, fact="limit", account_kind=None)
    facts[place]["account"] = 10_000
    return place


@rewriting("account-unknown")
def nobody_leaves(facts: list[Fact]) -> int:
    place = where(facts, fact="account", kind="leaving")
    facts[place]["account"] = 10_000
    return place


@rewriting("announced")
def minutes_set_aside_that_vanish(facts: list[Fact]) -> int:
    facts[where(facts, fact="resolution", kind="posted")]["entry"] = 10_000
    return WHOLE


@rewriting("balance")
def a_minute_more_for_who_helped(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"][0]["to_balance"] += 1
    return place


@rewriting("balance")
def an_hour_that_was_not_given(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"][0]["minutes"] += 60
    return place


@rewriting("clock")
def an_entry_before_the_one_before(facts: list[Fact]) -> int:
    place = plain(facts, 2)
    facts[place]["recorded_at"] = "2026-09-01T00:00:00.000000Z"
    return place


@rewriting("clock")
def a_hold_before_its_account(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["recorded_at"] = "2026-09-01T00:00:00.000000Z"
    return place


@rewriting("clock")
def an_account_closed_before_it_left(facts: list[Fact]) -> int:
    place = where(facts, fact="account", kind="closed")
    facts[place]["recorded_at"] = "2026-09-01T00:00:00.000000Z"
    return place


@rewriting("closed")
def an_account_closed_twice(facts: list[Fact]) -> int:
    facts.append(facts[where(facts, fact="account", kind="closed")] | {"id": 10_000})
    return len(facts) - 1


@rewriting("closed")
def minutes_of_who_is_gone(facts: list[Fact]) -> int:
    gone = facts[where(facts, fact="account", kind="closed")]["account"]
    last = facts[plain(facts, -1)]
    move = {"from": gone, "to": 1, "minutes": 1}
    seqs = {
        side: max(each[f"{side_}_seq"] for fact in facts if fact["fact"] == "entry" for each in fact["transfers"]
                  for side_ in ("from", "to") if each[side_] == account)
        for side, account in (("from", gone), ("to", 1))
    }  # fmt: skip
    balance = next(
        each[f"{side}_balance"] for fact in reversed(facts) if fact["fact"] == "entry"
        for each in reversed(fact["transfers"]) for side in ("from", "to") if each[side] == 1
    )  # fmt: skip
    move |= {"from_seq": seqs["from"] + 1, "from_balance": -1, "to_seq": seqs["to"] + 1, "to_balance": balance + 1}
    facts.append(last | {"id": 10_000, "transfers": [move]})
    return len(facts) - 1


@rewriting("closed-not-zero")
def an_account_closed_with_its_minutes(facts: list[Fact]) -> int:
    owing = facts[plain(facts)]["transfers"][0]["from"]
    closing = facts[where(facts, fact="account", kind="closed")]
    facts.append(closing | {"id": 10_000, "account": owing, "recorded_at": "2026-12-01T00:00:00.000000Z"})
    return len(facts) - 1


@rewriting("corrected")
def an_entry_corrected_twice(facts: list[Fact]) -> int:
    first, second = (where(facts, number, fact="entry", kind="correction") for number in (0, 1))
    facts[second]["reverses"] = facts[first]["reverses"]
    return second


@rewriting("corrected")
def a_correction_of_nothing(facts: list[Fact]) -> int:
    place = where(facts, fact="entry", kind="correction")
    facts[place]["reverses"] = None
    return place


@rewriting("date")
def an_instant_of_another_zone(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["recorded_at"] = facts[place]["recorded_at"].replace("Z", "+02:00")
    return place


@rewriting("date")
def a_day_in_words(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["happened_on"] = "samedi"
    return place


@rewriting("date")
def an_arabic_instant(facts: list[Fact]) -> int:
    place = where(facts, fact="limit", account=None)
    facts[place]["starts_at"] = "٢٠٢٦-09-01T00:00:00.000000Z"
    return place


@rewriting("floor")
def a_floor_that_was_higher(facts: list[Fact]) -> int:
    facts[where(facts, fact="limit", account_kind="person")]["floor"] = -1999
    return next(place for place, fact in enumerate(facts) if fact["fact"] == "entry"
                  and any(each["from_balance"] == -2000 for each in fact["transfers"]))  # fmt: skip


@rewriting("floor")
def minutes_set_aside_below_the_floor(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["minutes"] = 2000
    return place


@rewriting("floor")
def an_exception_that_ended_before(facts: list[Fact]) -> int | None:
    facts[where(facts, fact="limit", account_kind=None)]["ends_at"] = "2026-10-05T12:00:00.000000Z"
    return next(place for place, fact in enumerate(facts) if fact["fact"] == "entry"
                and any(each["from_balance"] < -2000 for each in fact["transfers"]))  # fmt: skip


@rewriting("floor")
def an_exception_that_was_not(facts: list[Fact]) -> int | None:
    del facts[where(facts, fact="limit", account_kind=None)]
    return None


@rewriting("hold-entry")
def more_posted_than_was_set_aside(facts: list[Fact]) -> int:
    facts[where(facts, fact="hold")]["minutes"] = 10
    return where(facts, fact="entry", id=facts[where(facts, fact="resolution", kind="posted")]["entry"])


@rewriting("hold-entry")
def released_and_counted(facts: list[Fact]) -> int:
    place = where(facts, fact="resolution", kind="posted")
    facts[place]["kind"] = "released"
    return place


@rewriting("hold-entry")
def posted_for_somebody_else(facts: list[Fact]) -> int | None:
    holds = [where(facts, number, fact="hold") for number in (0, 1)]
    facts[holds[0]]["to"] = 1  # the community's own account
    return where(facts, fact="entry", id=facts[where(facts, fact="resolution", kind="posted")]["entry"])


@rewriting("hold-unknown")
def minutes_given_back_twice(facts: list[Fact]) -> int:
    facts.append(facts[where(facts, fact="resolution", kind="released")] | {"id": 10_000})
    return len(facts) - 1


@rewriting("leaving")
def somebody_who_left_and_goes_on(facts: list[Fact]) -> int:
    leaving = facts[where(facts, fact="account", kind="leaving")]
    helped = facts[place := plain(facts)]
    facts.insert(place, leaving | {
        "id": 10_000, "account": helped["transfers"][0]["to"], "recorded_at": helped["recorded_at"],
    })  # fmt: skip
    return place + 1


@rewriting("leaving")
def somebody_who_left_and_sets_aside(facts: list[Fact]) -> int:
    leaving = facts[where(facts, fact="account", kind="leaving")]
    place = where(facts, 2, fact="hold")
    facts.insert(place, leaving | {
        "id": 10_000, "account": facts[place]["from"], "recorded_at": facts[place]["recorded_at"],
    })  # fmt: skip
    return place + 1


@rewriting("limit-backdated")
def a_floor_of_yesterday(facts: list[Fact]) -> int:
    place = where(facts, fact="limit", account_kind=None)
    facts[place]["starts_at"] = "2026-09-01T00:00:00.000000Z"
    return place


@rewriting("mandate")
def a_mandate_of_somebody_else(facts: list[Fact]) -> int:
    place = next(place for place, fact in enumerate(facts) if fact["fact"] == "entry" and fact["by_mandate"])
    facts[place]["by_sign_in"] += 1
    return place


@rewriting("mandate")
def a_mandate_that_nobody_granted(facts: list[Fact]) -> int:
    place = where(facts, fact="entry", by_sign_in=None)
    facts[place]["by_mandate"] = 10_000
    return place


@rewriting("mandate")
def a_mandate_granted_twice(facts: list[Fact]) -> int:
    facts.append(facts[where(facts, fact="mandate")] | {"id": 10_000, "sign_in": 1})
    return len(facts) - 1


@rewriting("mirror")
def a_correction_of_something_else(facts: list[Fact]) -> int:
    place = where(facts, fact="entry", kind="correction")
    facts[place]["reverses"] = facts[plain(facts)]["id"]
    return place


@rewriting("mirror")
def a_correction_of_what_never_was(facts: list[Fact]) -> int:
    place = where(facts, fact="entry", kind="correction")
    facts[place]["reverses"] = 10_000
    return place


@rewriting("mirror")
def a_correction_of_a_correction(facts: list[Fact]) -> int:
    """An entry of the same minutes as the one that is corrected, made a correction of something."""
    corrected = facts[where(facts, fact="entry", kind="correction")]["reverses"]
    place = where(facts, fact="entry", id=corrected)
    facts[place] |= {"kind": "correction", "reverses": facts[plain(facts)]["id"]}
    return place


@rewriting("month")
def a_minute_more_in_september(facts: list[Fact]) -> int:
    place = where(facts, fact="month", community=1)
    facts[place]["minutes"] += 1
    return place


@rewriting("month")
def nothing_late_in_october(facts: list[Fact]) -> int:
    place = where(facts, fact="month", month="2026-10")
    assert facts[place]["late"] == 1
    facts[place]["late"] = 0
    return place


@rewriting("month")
def an_entry_moved_to_the_month_before(facts: list[Fact]) -> int:
    facts[plain(facts)]["happened_on"] = "2026-08-01"
    return where(facts, fact="month", community=facts[plain(facts)]["community"])


@rewriting("month-order")
def a_month_skipped(facts: list[Fact]) -> int:
    place = where(facts, fact="month", month="2026-10")
    facts[place]["month"] = "2026-11"
    return place


@rewriting("month-order")
def a_month_that_is_none(facts: list[Fact]) -> int:
    place = where(facts, fact="month")
    facts[place]["month"] = "septembre"
    return place


@rewriting("seq")
def a_line_missing_from_an_account(facts: list[Fact]) -> int:
    place = plain(facts, 1)
    facts[place]["transfers"][0]["from_seq"] += 1
    return place


@rewriting("seq")
def a_line_too_few_for_who_helped(facts: list[Fact]) -> int:
    place = plain(facts, 1)
    facts[place]["transfers"][0]["to_seq"] -= 1
    return place


@rewriting("seq")
def minutes_set_aside_at_another_moment(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["after_seq"] -= 1
    return place


@rewriting("seq")
def an_entry_that_is_gone(facts: list[Fact]) -> int:
    del facts[place := plain(facts)]
    return place


@rewriting("transfer")
def nothing_given(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"][0]["minutes"] = 0
    return place


@rewriting("transfer")
def minutes_given_to_oneself(facts: list[Fact]) -> int:
    move = facts[place := plain(facts)]["transfers"][0]
    move["to"] = move["from"]
    return place


@rewriting("transfer")
def an_entry_without_a_movement(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"] = []
    return place


@rewriting("transfer")
def more_minutes_than_there_can_be(facts: list[Fact]) -> int:
    place = plain(facts)
    facts[place]["transfers"][0]["minutes"] = 10**4000
    return place


@rewriting("transfer")
def no_minute_set_aside(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["minutes"] = 0
    return place


@rewriting("twice")
def an_entry_with_the_number_of_another(facts: list[Fact]) -> int:
    facts.append(facts[plain(facts, 1)] | {"recorded_at": facts[-1]["recorded_at"]})
    return len(facts) - 1


@rewriting("twice")
def a_key_with_the_number_of_an_entry(facts: list[Fact]) -> int:
    facts.append(facts[where(facts, fact="key")] | {"id": facts[plain(facts)]["id"]})
    return len(facts) - 1


@rewriting("to-come")
def an_entry_of_the_day_after_tomorrow(facts: list[Fact]) -> int:
    place = plain(facts)
    assert facts[place]["recorded_at"].startswith("2026-09-03")
    facts[place]["happened_on"] = "2026-09-05"
    return place


@rewriting("mandate")
def a_hold_by_nobody(facts: list[Fact]) -> int:
    place = where(facts, fact="hold")
    facts[place]["by_mandate"] = 10_000
    return place


DATES: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"fact": "entry"}, {"happened_on": "2026-02-31"}), ({"fact": "entry"}, {"happened_on": "2026-13-01"}),
    ({"fact": "entry"}, {"happened_on": "2026-9-3"}),
    ({"fact": "entry"}, {"recorded_at": "2026-02-30T10:00:00.000000Z"}),
    ({"fact": "entry"}, {"recorded_at": "2026-09-03T24:00:00.000000Z"}),
    ({"fact": "hold"}, {"recorded_at": "2026-09-03T23:60:00.000000Z"}),
    ({"fact": "mandate"}, {"starts_on": "2026-00-01"}), ({"fact": "mandate"}, {"ends_on": "bientôt"}),
    ({"fact": "mandate"}, {"recorded_at": ""}), ({"fact": "month"}, {"recorded_at": "2026-10-32T10:00:00.000000Z"}),
    ({"fact": "limit"}, {"starts_at": "2026-09-31T10:00:00.000000Z"}), ({"fact": "limit"}, {"ends_at": "9999"}),
    ({"fact": "key"}, {"recorded_at": "hier"}),
]  # fmt: skip
KINDS: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"fact": "entry", "kind": "exchange"}, {"kind": "gift"}),
    ({"fact": "account", "kind": "closed"}, {"kind": "gone"}),
    ({"fact": "account", "kind": "opened"}, {"account_kind": "secret"}),
    ({"fact": "account", "kind": "closed"}, {"account_kind": "transit"}),
    ({"fact": "limit", "account": None}, {"account_kind": "secret"}),
    ({"fact": "resolution"}, {"kind": "forgotten"}),
]  # fmt: skip


UNREADABLE: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"fact": "entry"}, {"fact": "gift"}), ({"fact": "entry"}, {"fact": ["entry"]}), ({"fact": "entry"}, {"id": [1]}),
    ({"fact": "entry"}, {"id": 1.0}), ({"fact": "entry"}, {"id": True}), ({"fact": "entry"}, {"id": "1"}),
    ({"fact": "entry"}, {"transfers": None}), ({"fact": "entry"}, {"transfers": [1]}),
    ({"fact": "entry"}, {"happened_on": None}), ({"fact": "entry"}, {"recorded_at": 1}),
    ({"fact": "account"}, {"community": [1]}), ({"fact": "account"}, {"community": "1"}),
    ({"fact": "account"}, {"account": "1"}), ({"fact": "account", "kind": "closed"}, {"note": "a word"}),
    ({"fact": "hold"}, {"minutes": 0.5}), ({"fact": "hold"}, {"cause": ["booking"]}), ({"fact": "hold"}, {"more": 1}),
    ({"fact": "entry"}, {"cause": [1, 1]}), ({"fact": "entry"}, {"note": "A" * 64}),
    ({"fact": "entry"}, {"by_party": None}),
    ({"fact": "mandate"}, {"role": ["member"]}), ({"fact": "mandate"}, {"starts_on": float("nan")}),
    ({"fact": "month"}, {"recorded_at": [1]}), ({"fact": "month"}, {"entries": 1.0}),
    ({"fact": "limit"}, {"ceiling": True}),
    ({"fact": "limit", "account": None}, {"account": 1}), ({"fact": "limit", "account": None}, {"account_kind": None}),
    ({"fact": "limit"}, {"floor": "-2000"}), ({"fact": "limit"}, {"floor": -0.5}), ({"fact": "key"}, {"key": "x"}),
    ({"fact": "key"}, {"key": 1}), ({"fact": "hold"}, {"id": None}),
]  # fmt: skip


for rule_, wanted, other in [
    (named, *each) for named, cases in (("unreadable", UNREADABLE), ("date", DATES), ("kind", KINDS)) for each in cases
]:

    def something_else(facts: list[Fact], wanted: Any = wanted, other: Any = other) -> int:
        place = where(facts, **wanted)
        facts[place] |= other
        return place

    something_else.__name__ = f"{wanted}_with_{other}"
    rewriting(rule_)(something_else)


@forgery("unreadable")
def a_line_whose_names_are_in_another_order(rich: Rich) -> Forged:
    facts, place = rich.facts, plain(rich.facts)
    other = dict(reversed(facts[place].items()))
    return Forged(signed([*rich.lines[:place], line_of(other), *rich.lines[place + 1 :]]), line=place + 1)


@forgery("unreadable")
def a_transfer_that_says_more(rich: Rich) -> Forged:
    facts, place = rich.facts, plain(rich.facts)
    facts[place]["transfers"][0]["for"] = "love"
    return Forged(signed([*rich.lines[:place], line_of(facts[place]), *rich.lines[place + 1 :]]), line=place + 1)


@forgery("unreadable")
def a_line_that_begins_nothing(rich: Rich) -> Forged:
    return Forged(signed([*rich.lines[:5], b"bonjour\n", *rich.lines[5:]]), line=6)


@forgery("unreadable")
def an_empty_line(rich: Rich) -> Forged:
    return Forged(signed([*rich.lines[:5], b"\n", *rich.lines[5:]]), line=6)


@forgery("signature")
def a_head_that_a_witness_alone_signed(rich: Rich) -> Forged:
    head = note_of(rich.lines, STRANGER).partition("\n\n")[0] + "\n"
    note = signatures.signed(head, STRANGER.cosign(head, 1_800_000_000))
    marks = b"".join(leaf[: exports.MARK] for leaf in leaves_of(rich.lines))
    content = b"".join([*rich.lines, exports.last_line(note, marks)])
    return Forged(content, keys=(NEXT.public, STRANGER.witness))


@forgery("unreadable")
def an_entry_with_two_numbers(rich: Rich) -> Forged:
    """The last counts for who parses, the first for who only looks."""
    facts = rich.facts
    place = plain(facts)
    twice = rich.lines[place].replace(b'"id": ', b'"id": [1], "id": ', 1)
    return Forged(signed([*rich.lines[:place], twice, *rich.lines[place + 1 :]]), line=place + 1)


# -- the file and its head


def last_of(content: bytes) -> bytes:
    return content.splitlines(keepends=True)[-1]


@forgery("after-head")
def a_line_after_the_head(rich: Rich) -> Forged:
    return Forged(rich.content + rich.lines[0], line=len(rich.lines) + 2)


@forgery("after-head")
def two_heads(rich: Rich) -> Forged:
    return Forged(rich.content + last_of(rich.content), line=len(rich.lines) + 2)


@forgery("changed")
def other_words(rich: Rich) -> Forged:
    first = line_of(rich.facts[0] | {"note": "0" * 64})
    return Forged(b"".join([first, *rich.lines[1:], last_of(rich.content)]), line=1)


@forgery("count")
def lines_without_their_end(rich: Rich) -> Forged:
    return Forged(b"".join([*rich.lines[:-5], last_of(rich.content)]), line=len(rich.lines) - 4)


@forgery("count")
def a_line_more(rich: Rich) -> Forged:
    return Forged(b"".join([*rich.lines, rich.lines[0], last_of(rich.content)]), line=len(rich.lines) + 1)


@forgery("head-malformed")
def a_head_that_is_no_note(rich: Rich) -> Forged:
    return Forged(b"".join([*rich.lines, b'{"head": "bonjour", "marks": ""}\n']))


@forgery("head-malformed")
def a_head_of_another_type(rich: Rich) -> Forged:
    return Forged(b"".join([*rich.lines, b'{"head": 1, "marks": ""}\n']))


@forgery("head-malformed")
def marks_of_other_lines(rich: Rich) -> Forged:
    return Forged(b"".join([*rich.lines, exports.last_line(rich.late.note, b"abcd" * len(rich.lines))]))


@forgery("no-head")
def lines_alone(rich: Rich) -> Forged:
    return Forged(b"".join(rich.lines), line=len(rich.lines) + 1)


@forgery("no-head")
def an_empty_file(_rich: Rich) -> Forged:
    return Forged(b"", line=1)


@forgery("signature")
def signed_by_a_stranger(rich: Rich) -> Forged:
    return Forged(signed(rich.lines, STRANGER))


@forgery("signature")
def signed_by_nobody(rich: Rich) -> Forged:
    text, blank, _signature = rich.late.note.partition("\n\n")
    note = text + blank + STRANGER.sign(f"{text}\n").replace(exported.NAME, "autre")
    return Forged(b"".join([*rich.lines, exports.last_line(note, marks_of(rich.content))]))


def marks_of(content: bytes) -> bytes:
    return b64decode(json.loads(last_of(content))["marks"])


@forgery("tree")
def other_words_without_marks(rich: Rich) -> Forged:
    first = line_of(rich.facts[0] | {"note": "0" * 64})
    return Forged(b"".join([first, *rich.lines[1:], exports.last_line(rich.late.note, b"")]))


@forgery("tree")
def other_words_with_their_marks(rich: Rich) -> Forged:
    lines = [line_of(rich.facts[0] | {"note": "0" * 64}), *rich.lines[1:]]
    marks = b"".join(leaf[: exports.MARK] for leaf in leaves_of(lines))
    return Forged(b"".join([*lines, exports.last_line(rich.late.note, marks)]))


# -- against the head that the reader kept


@forgery("earlier-malformed")
def a_kept_head_that_is_a_photograph(rich: Rich) -> Forged:
    return Forged(rich.content, b"\x89PNG\r\n")


@forgery("earlier-other")
def a_kept_head_of_another_book(rich: Rich) -> Forged:
    other = SigningKey.generate("autre.example.org")
    return Forged(rich.content, note_of(rich.lines[:5], other).encode())


@forgery("earlier-signature")
def a_kept_head_of_a_stranger(rich: Rich) -> Forged:
    return Forged(rich.content, note_of(rich.lines[:5], STRANGER).encode())


@forgery("rewritten")
def other_words_signed(rich: Rich) -> Forged:
    lines = [line_of(rich.facts[0] | {"note": "0" * 64}), *rich.lines[1:]]
    return Forged(signed(lines), rich.early.note.encode())


@forgery("shorter")
def books_of_before(rich: Rich) -> Forged:
    return Forged(signed(rich.lines[: rich.early.size]), rich.late.note.encode())


# -- proofs


def proof_of(rich: Rich, place: int, since: int | None = None, head: str | None = None) -> Proof:
    """The proof that a line is under the newest head, and that it grew from one of so many lines."""
    leaves, size = leaves_of(rich.lines), len(rich.lines)

    def subtree(level: int, index: int) -> bytes:
        return seals.complete(leaves[index << level : (index + 1) << level])

    grown = () if since is None else seals.consistency(subtree, since, size)
    hashes = seals.inclusion(subtree, place, size)
    return Proof(rich.lines[place].decode()[:-1], place, hashes, head or rich.late.note, since, grown)


def forged_proof(rich: Rich, kept: str | None = None, since: int | None = None, **other: Any) -> Forged:
    proof = proof_of(rich, plain(rich.facts), since)._replace(**other)
    return Forged(exports.written(proof).encode(), kept.encode() if kept else None, proof=True)


@forgery("proof-malformed")
def a_proof_that_is_none(_rich: Rich) -> Forged:
    return Forged(b"{}", proof=True)


@forgery("proof-malformed")
def a_proof_in_another_encoding(_rich: Rich) -> Forged:
    return Forged(b"\xff\xfe", proof=True)


@forgery("not-included")
def another_line(rich: Rich) -> Forged:
    return forged_proof(rich, line=line_of(rich.facts[0] | {"note": "0" * 64}).decode()[:-1])


@forgery("not-included")
def another_place(rich: Rich) -> Forged:
    return forged_proof(rich, place=0)


@forgery("head-malformed")
def a_proof_without_a_head(rich: Rich) -> Forged:
    return forged_proof(rich, head="")


@forgery("no-growth")
def a_proof_that_says_nothing_of_growth(rich: Rich) -> Forged:
    return forged_proof(rich, rich.early.note)


@forgery("no-growth")
def a_proof_since_another_head(rich: Rich) -> Forged:
    return forged_proof(rich, rich.early.note, rich.early.size - 1)


@forgery("rewritten")
def a_proof_under_a_rewritten_tree(rich: Rich) -> Forged:
    kept = note_of([line_of(rich.facts[0] | {"note": "0" * 64}), *rich.lines[1 : rich.early.size]], KEY)
    return forged_proof(rich, kept, rich.early.size)


@forgery("rewritten")
def a_proof_under_another_tree_of_the_same_size(rich: Rich) -> Forged:
    kept = note_of([line_of(rich.facts[0] | {"note": "0" * 64}), *rich.lines[1:]], KEY)
    return forged_proof(rich, kept, len(rich.lines))


@forgery("earlier-signature")
def a_proof_since_a_head_of_a_stranger(rich: Rich) -> Forged:
    return forged_proof(rich, note_of(rich.lines[:5], STRANGER), 5)


@forgery("only-witness")
def a_proof_that_a_witness_alone_is_asked_about(rich: Rich) -> Forged:
    return forged_proof(rich)._replace(keys=(STRANGER.witness,))


@forgery("only-witness")
def an_export_that_a_witness_alone_is_asked_about(rich: Rich) -> Forged:
    return Forged(rich.content, keys=(STRANGER.witness,))


@forgery("shorter")
def a_proof_under_an_older_tree(rich: Rich) -> Forged:
    return forged_proof(rich, note_of([*rich.lines, rich.lines[0]], KEY))


@forgery("earlier-other")
def a_proof_of_another_book(rich: Rich) -> Forged:
    return forged_proof(rich, note_of(rich.lines[:5], SigningKey.generate("autre.example.org")))


@forgery("earlier-malformed")
def a_proof_against_a_photograph(rich: Rich) -> Forged:
    return forged_proof(rich, "bonjour")


@forgery("signature")
def a_proof_under_a_head_of_a_stranger(rich: Rich) -> Forged:
    return forged_proof(rich, head=note_of(rich.lines, STRANGER))


# -- what becomes of them


def called(case: object) -> str:
    return getattr(case, "__name__", str(case))


@pytest.mark.parametrize(("rule", "made"), FORGERIES, ids=called)
def test_what_is_wrong_is_found_by_its_rule_and_said_in_words(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str, made: Forgery
) -> None:
    forged = made(rich)
    path, kept = tmp_path / "export", tmp_path / "tête"
    path.write_bytes(forged.content)
    asked = ["verify-entry" if forged.proof else "verify", str(path)]
    if forged.kept is not None:
        kept.write_bytes(forged.kept)
        asked += ["--head", str(kept)]
    for key in forged.believed:
        asked += ["--key", str(key)]
    assert main(asked) == 1
    said = capsys.readouterr().out
    found_rule, facts = rule_of(forged, path)
    assert found_rule == rule, said
    assert said == f"{beginning(forged, path)}{sentence(rule, facts)}.\n"
    assert "{" not in said
    assert "None" not in said


def rule_of(forged: Forged, path: Path) -> tuple[str, dict[str, Any]]:
    if forged.proof and not is_text(forged.content):
        return "proof-malformed", {}
    if forged.proof:
        with pytest.raises(Wrong) as wrong:
            verify.verify_entry(forged.content.decode(), earlier=forged.earlier, keys=forged.believed)
        return wrong.value.rule, wrong.value.facts
    found = verify.verify(path, earlier=forged.earlier, keys=forged.believed).finding
    assert found is not None
    if forged.line is not None:
        assert found.line == forged.line
    return found.rule, found.facts


def is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def beginning(forged: Forged, path: Path) -> str:
    if forged.proof:
        return "Cette preuve ne vaut rien : "
    found = verify.verify(path, earlier=forged.earlier, keys=forged.believed).finding
    assert found is not None
    return f"Ligne {found.line} : " if found.line else "Ce livre ne se vérifie pas : "


def test_every_rule_is_reached_by_a_forgery() -> None:
    assert {rule for rule, _made in FORGERIES} == set(SENTENCES)


def raised() -> Iterator[tuple[str, set[str]]]:
    """Each rule that the verifier names in its own source, with the facts that it tells there."""
    for node in ast.walk(ast.parse(getsource(verify) + getsource(replay))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        told = [each for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if node.func.id == "Wrong" and told:
            yield str(told[0].value), {keyword.arg or "" for keyword in node.keywords}
        elif node.func.id == "Finding" and told:
            facts = next(each for each in node.args if isinstance(each, ast.Dict))
            yield str(told[0].value), {key.value for key in facts.keys if isinstance(key, ast.Constant)}
        elif node.func.id in {"_checkpoint"} and told:
            yield str(told[0].value), set()


def test_every_sentence_can_be_said_wherever_its_rule_is_raised() -> None:
    found = list(raised())
    assert len(found) > 40
    for rule, facts in found:
        wanted = {field for _text, field, _format, _conversion in Formatter().parse(SENTENCES[rule]) if field}
        assert wanted <= facts, rule


@pytest.mark.parametrize(("rule", "made"), AMONG_LINES, ids=called)
def test_control_without_the_fold_what_the_key_signed_again_passes(
    rich: Rich, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, made: Forgery
) -> None:
    path = tmp_path / "export"
    path.write_bytes(made(rich).content)
    monkeypatch.setattr(Fold, "take", lambda *_: None)
    monkeypatch.setattr(Fold, "end", lambda *_: None)
    assert verify.verify(path, keys=rich.keys).finding is None, rule


def test_what_a_forger_writes_for_the_terminal_is_not_obeyed(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, path = rich.facts, tmp_path / "export"
    for odd in ("\x1b[2J", "\ud800", "9" * 4000, "\n", 10**4299, ["x"], {"x": 1}, None):
        facts[plain(facts)]["transfers"][0]["from_seq"] = odd
        path.write_bytes(signed([json.dumps(fact).encode() + b"\n" for fact in facts]))
        assert main(["verify", str(path)]) == 1
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        assert said.strip().replace("\u202f", "").replace("\u00a0", "").isprintable()
        assert len(said) < 200


# -- what is right


def test_the_books_of_an_autumn_agree(rich: Rich, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(rich.content)
    report = verify.verify(path, earlier=rich.early.note, keys=rich.keys)
    assert report.finding is None
    assert (report.size, report.root, report.signed) == (rich.late.size, rich.late.root, NEXT.public)
    assert report.trusted
    assert report.earlier == rich.early.size
    assert report.witnesses == ()
    assert report.accounts == sum(1 for fact in rich.facts if fact.get("kind") == "opened")
    kinds = {"account", "entry", "hold", "key", "limit", "mandate", "month", "resolution"}
    assert set(report.facts) == kinds
    assert sum(report.facts.values()) == report.size


@pytest.mark.parametrize("kept", ["early", "late"])
def test_a_head_of_before_the_new_key_and_one_of_after_are_both_known_again(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    path, head = tmp_path / "export", tmp_path / "tête"
    path.write_bytes(rich.content)
    head.write_text(getattr(rich, kept).note, encoding="utf-8")
    assert main(["verify", str(path), "--head", str(head)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Tout concorde : {rich.late.size} lignes, ")
    size = getattr(rich, kept).size
    assert f"Rien n’a changé sous la tête que vous avez gardée ({size} lignes).\n" in said
    assert main(["verify", str(path), "--head", str(head), "--key", str(NEXT.public)]) == 0  # it names the one before


def test_a_key_that_only_the_file_names_is_shown_to_be_compared(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export"
    theirs = {"fact": "key", "id": 10_000, "key": str(STRANGER.public), "recorded_at": rich.facts[-1]["recorded_at"]}
    path.write_bytes(signed([*rich.lines, line_of(theirs)], STRANGER))  # a forger has a key too, and may name it
    assert main(["verify", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Donnez-la avec --key, sinon rien ne dit de qui vient ce fichier." in said
    assert said.endswith(f"\n{STRANGER.public}\n")
    assert main(["verify", str(path), "--key", str(NEXT.public)]) == 1
    path.write_bytes(rich.content)
    capsys.readouterr()
    assert main(["verify", str(path), "--key", f" {NEXT.public}\n"]) == 0
    assert "--key" not in capsys.readouterr().out


AS_KEPT: dict[str, Callable[[str], bytes]] = {
    "without its last newline": lambda note: note.rstrip("\n").encode(),
    "with the ends of lines of Windows": lambda note: note.replace("\n", "\r\n").encode(),
    "with a mark of its encoding": lambda note: note.encode("utf-8-sig"),
    "in the encoding that was called Unicode": lambda note: note.encode("utf-16"),
    "in the encoding of an older Windows": lambda note: note.encode("cp1252"),
    "with blanks at the ends of lines": lambda note: note.replace("\n", "  \n").encode(),
    "with a blank line between all lines": lambda note: note.replace("\n", "\n\n", 2).encode(),
    "without a blank line": lambda note: note.replace("\n\n", "\n").encode(),
    "with blank lines around it": lambda note: f"\n\n{note}\n\n".encode(),
    "in its letter": lambda note: f"Bonjour,\n\nVoici la tête du livre.\n\n{note}\n\nComment vérifier : ici\n".encode(),
    "set in from the margin": lambda note: note.replace("\n", "\n\t").encode(),
}


@pytest.mark.parametrize("how", AS_KEPT)
def test_a_head_is_known_again_whatever_a_mailbox_made_of_it(rich: Rich, tmp_path: Path, how: str) -> None:
    path, head = tmp_path / "export", tmp_path / "tête"
    path.write_bytes(rich.content)
    head.write_bytes(AS_KEPT[how](rich.early.note))
    assert exports.kept(head.read_bytes()) == rich.early.note
    assert main(["verify", str(path), "--head", str(head)]) == 0
    other = rich.early.note.replace(f"\n{rich.early.size}\n", f"\n{rich.early.size - 1}\n")
    head.write_bytes(AS_KEPT[how](other))
    assert main(["verify", str(path), "--head", str(head)]) == 1


def test_a_terminal_without_accents_is_told_all_the_same(rich: Rich, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(rich.content)
    for encoding in ("ascii", "latin-1", "utf-8"):
        done = subprocess.run(
            [sys.executable, "-m", "ledger", "verify", str(path)], cwd=ROOT, capture_output=True, check=False,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"Tout concorde")


def test_a_reader_who_believes_one_key_believes_no_other(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export"
    path.write_bytes(rich.content)
    assert main(["verify", str(path), "--key", str(NEXT.public)]) == 0
    assert main(["verify", str(path), "--key", str(KEY.public)]) == 1
    assert main(["verify", str(path), "--key", str(STRANGER.public)]) == 1
    assert "aucune des clés que vous donnez" in capsys.readouterr().out


def test_a_head_kept_from_before_the_first_line_binds_nobody(rich: Rich, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(rich.content)
    assert verify.verify(path, earlier=note_of([], KEY)).finding is None


def test_books_without_a_line_agree(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(signed([]))
    assert verify.verify(path, keys=[NEXT.public]).finding is None


def test_without_cryptography_the_lines_are_checked_and_it_says_that_the_signature_is_not(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "export"
    path.write_bytes(signed(rich.lines, STRANGER))
    monkeypatch.setattr(signatures, "CAN_CHECK", False)
    assert main(["verify", str(path)]) == 0
    assert "la signature n’a pas été vérifiée" in capsys.readouterr().out
    forged = an_account_opened_again(rich)
    path.write_bytes(forged.content)
    assert main(["verify", str(path)]) == 1


def test_an_export_of_too_many_lines_for_marks_is_verified_all_the_same(
    rich: Rich, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_MARKS", len(rich.lines) - 1)
    path = tmp_path / "export"
    path.write_bytes(signed(rich.lines))
    assert json.loads(last_of(path.read_bytes()))["marks"] == ""
    assert verify.verify(path).finding is None
    monkeypatch.setattr(exports, "MOST_MARKS", len(rich.lines))
    path.write_bytes(signed(rich.lines))
    assert len(marks_of(path.read_bytes())) == exports.MARK * len(rich.lines)
    assert verify.verify(path).finding is None


# -- one entry


def test_an_entry_is_proven_to_be_in_the_books(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, kept = tmp_path / "preuve", tmp_path / "tête"
    kept.write_text(rich.early.note, encoding="utf-8")
    place = plain(rich.facts)
    path.write_text(exports.written(proof_of(rich, place, rich.early.size)), encoding="utf-8")
    number = rich.facts[place]["id"]
    for asked in ([], ["--head", str(kept)]):
        assert main(["verify-entry", str(path), "--key", str(KEY.public), "--key", str(NEXT.public), *asked]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"Oui, l’écriture {number} du 2026-09-03 (")
        assert f"est dans le livre, sous une tête de {rich.late.size} lignes signée par {exported.NAME}." in said
        assert (f"que vous avez gardée ({rich.early.size} lignes)" in said) == bool(asked)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # an editor marked its encoding
    assert main(["verify-entry", str(path), "--key", str(NEXT.public)]) == 0


def test_without_a_key_it_says_that_the_signature_was_not_checked(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "preuve"
    path.write_text(exports.written(proof_of(rich, 0, head=note_of(rich.lines, STRANGER))), encoding="utf-8")
    assert main(["verify-entry", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Personne n’a encore vérifié la signature (donnez la clé du livre avec --key")
    assert "Si elle est bonne : le fait 1 est dans le livre" in said


def test_each_line_has_its_proof_and_grew_from_any_head(rich: Rich) -> None:
    for place in range(len(rich.lines)):
        since = place + 1
        kept = note_of(rich.lines[:since], KEY)
        text = exports.written(proof_of(rich, place, since))
        assert exports.written(exports.read(text)) == text
        told = verify.verify_entry(text, earlier=kept, keys=OURS)
        assert told == (rich.facts[place], rich.late.size, exported.NAME, since)


def test_no_change_of_a_proof_passes(rich: Rich) -> None:
    """Each value of the document, changed: refused by a rule, never broken."""
    chance, key = seeded(), OURS
    document = json.loads(exports.written(proof_of(rich, plain(rich.facts), rich.early.size)))
    verify.verify_entry(json.dumps(document), earlier=rich.early.note, keys=key)
    for _ in range(600):
        told = json.loads(json.dumps(document))
        name = chance.choice(sorted(told))
        told[name] = changed(told[name], chance)
        if told == document:
            continue
        with pytest.raises(Wrong) as wrong:
            verify.verify_entry(json.dumps(told), earlier=rich.early.note, keys=key)
        assert sentence(wrong.value.rule, wrong.value.facts)


def changed(value: Any, chance: Random) -> Any:
    odd: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", [], [1], {}, "A" * 44, ["A" * 43 + "="] * 7]
    if chance.random() < 0.3:
        return chance.choice(odd)
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    if isinstance(value, str):
        place = chance.randrange(len(value))
        return value[:place] + chr(ord(value[place]) ^ chance.randrange(1, 128)) + value[place + 1 :]
    place = chance.randrange(len(value))
    hash_ = chance.choice((changed(value[place], chance), b64encode(chance.randbytes(32)).decode()))
    return chance.choice((value[:place], value[:place] + value[place + 1 :], [*value, value[0]],
                          [*value[:place], hash_, *value[place + 1 :]]))  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "1", '"x"', "{", "[" * 100_000, '{"line": ' * 50_000, "NaN", '{"line": 1}', "9" * 5000,
     '{"line": "[[", "place": 0, "hashes": [], "head": "x"}', '{"line": "1", "place": 0, "hashes": [], "head": "x"}'],
)  # fmt: skip
def test_what_is_no_proof_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Wrong) as wrong:
        verify.verify_entry(text)
    assert wrong.value.rule == "proof-malformed"


@pytest.mark.parametrize(
    "line",
    [b'{"id": "\\ud800", "fact": "entry", "happened_on": "\\u001b[2J", "transfers": []}', b"{}",
     b'{"fact": "entry", "id": {}, "transfers": [1, {"minutes": true}, {"minutes": 1' + b"0" * 4000 + b"}]}",
     b'{"id": ' + b"[" * 900 + b"]" * 900 + b"}", b'{"fact": ["entry"], "transfers": {}}'],
)  # fmt: skip
def test_a_strange_fact_in_a_tree_of_its_own_is_told_without_harm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    path = tmp_path / "preuve"
    path.write_text(exports.written(Proof(line.decode(), 0, [], note_of([line], STRANGER))), encoding="utf-8")
    assert main(["verify-entry", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Personne n’a encore vérifié la signature" in said
    assert "sous une tête de 1 ligne." in said
    assert said.count("\n") == 1


# -- the command


def test_a_file_that_cannot_be_read_is_neither_right_nor_wrong(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "export"
    there.write_bytes(rich.content)
    for asked in (["verify", str(tmp_path / "absent")], ["verify", str(tmp_path)],
                  ["verify-entry", str(tmp_path / "absent")],
                  ["verify", str(there), "--head", str(tmp_path / "absent")]):  # fmt: skip
        assert main(asked) == 2
        told = capsys.readouterr()
        assert told.err.startswith("Impossible : « ")
        assert told.err.endswith((" n’existe pas.\n", " est un dossier.\n"))
        assert told.out == ""


def test_a_pipe_cannot_be_read_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with suppress(BrokenPipeError):
            pipe.write_bytes(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    assert main(["verify", str(pipe)]) == 2
    writer.join()
    assert capsys.readouterr().err == "Impossible : il faut un fichier, qui puisse se lire deux fois.\n"


def test_what_is_no_key_is_refused_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "export", "--key", "bonjour"])
    assert stopped.value.code == 2
    assert "ce n’est pas une clé" in capsys.readouterr().err


def test_a_file_that_can_t_be_used_is_named_between_its_signs() -> None:
    assert of_file(FileNotFoundError(errno.ENOENT, "", "a b.jsonl")) == "« a b.jsonl » n’existe pas"
    assert of_file(OSError(errno.EIO, "", "a b")) == "« a b » ne se laisse pas utiliser (EIO)"
    assert of_file(OSError(errno.EIO, "")) == "ce fichier ne se laisse pas utiliser (EIO)"
