"""The syntax of a template: what it says, what it refuses, and that a value is never read as a mark or a field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.agreements.policy import FIELDS, check, digest, filled, state, turn
from exchange.blocks import Block, on_one_line, read, written
from exchange.errors import BraceAlone, FieldUnknown

VALUES = dict.fromkeys(FIELDS, "x")


def test_headings_paragraphs_and_lists_are_read() -> None:
    text = "# Convention\nEntre nous\net vous.\n\n## Prix\n- rien\n- ou peu,\n  selon\nEt voilà.\n"
    assert read(text) == [
        Block("title", "Convention"), Block("paragraph", "Entre nous et vous."), Block("heading", "Prix"),
        Block("item", "rien"), Block("item", "ou peu, selon Et voilà."),
    ]  # fmt: skip


def test_a_field_is_said_whatever_its_capitals() -> None:
    assert filled("Pour { Demandeur }.", {**VALUES, "demandeur": "Alice"}) == "Pour Alice.\n"


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [("{demandeuse}", 1, "demandeuse"), ("{objet}\n\n{}", 3, ""), ("a\r\nb {prix.__class__}", 2, "prix.__class__"),
     ("{0}", 1, "0"), ("{objet!r}", 1, "objet!r")],
)  # fmt: skip
def test_an_unknown_field_is_refused_with_its_line(text: str, line: int, name: str) -> None:
    with pytest.raises(FieldUnknown) as refused:
        check(text)
    assert refused.value.facts == {"name": name, "line": line}


@pytest.mark.parametrize(("text", "line"), [("{objet", 1), ("{objet}\nobjet}", 2), ("{objet}}", 1)])
def test_a_lonely_brace_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(BraceAlone) as refused:
        check(text)
    assert refused.value.facts == {"line": line}


def test_every_field_of_the_list_is_known() -> None:
    check("\n".join(f"{{{name}}}" for name in FIELDS))


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["# Titre", "## Autre", "- point", "\\# Titre", "\\", "{preteur}", "#", "a\n# b", "a\u2028- b",
                     "a\x85# b", "a\x0b\x0c# b", "{", "}"]),
)  # fmt: skip


@given(HOSTILE)
def test_what_a_value_holds_stays_words(value: str) -> None:
    """Whatever somebody is called, the text has the blocks of its template, and the value stands in each as it is."""
    template = "{demandeur}\n\n# {demandeur}\n\n- {demandeur}\n\nAvec {demandeur}."
    got = read(filled(template, {**VALUES, "demandeur": value}))
    said = on_one_line(value)
    expected = [Block(kind, words) for kind, words in
                (("paragraph", said), ("title", said), ("item", said), ("paragraph", f"Avec {said}.")) if words]
    assert got == expected


@given(st.lists(st.builds(Block, st.sampled_from(["title", "heading", "item", "paragraph"]),
                          HOSTILE.map(on_one_line).filter(bool))))  # fmt: skip
def test_a_text_reads_as_it_was_written(blocks: list[Block]) -> None:
    text = written(blocks)
    assert read(text) == blocks
    assert written(read(text)) == text or not blocks


def test_the_digest_is_of_the_very_text() -> None:
    assert digest("Été\n").hex() == "5c0d39d561f80f6a16f196f63866bd0e3e79e4640bf5a01d3bb44d7827b17056"


def test_what_became_of_it() -> None:
    both, none = frozenset({"lender", "borrower"}), frozenset[str]()
    plain = {"erased": False, "cancelled": None, "replaced": False, "signed": both}
    assert state(**plain) == "signed"
    assert state(**{**plain, "signed": none}) == "open"
    assert state(**{**plain, "erased": True}) == "erased"
    assert state(**{**plain, "cancelled": ""}) == "void"
    assert state(**{**plain, "cancelled": "services"}) == "void"
    assert state(**{**plain, "cancelled": "changed"}) == "superseded"
    assert state(**{**plain, "replaced": True, "cancelled": ""}) == "superseded"


def test_whose_turn_it_is() -> None:
    assert turn("lender", frozenset()) == "lender"
    assert turn("borrower", frozenset()) == "borrower"
    assert turn("lender", frozenset({"lender"})) == "borrower"
    assert turn("lender", frozenset({"lender", "borrower"})) is None
