"""A member reads their statement: balance, what waits, what moved, page after page; and takes it home."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.declarations import operations
from exchange.sheets import harmless
from exchange.statements import queries
from ledger.statements import breaks
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.counting import counted
from tests.exchange.declarations.test_declarations_operations import said


def exchanges(session: Session, cast: Cast, number: int, description: str = "Jardinage") -> None:
    """Alice helps Bruno so many times, an hour apart."""
    for place in range(number):
        operations.declare(
            session, said(cast.alice, cast.bruno, 10 + place % 5, description=f"{description} {place}"), answer_days=30,
            today=SATURDAY, by=cast.bruno.by, at=NOON + timedelta(hours=place),
        )  # fmt: skip


def page(person: Person, end: str = "") -> str:
    assert person.account is not None
    return f"/comptes/{person.account.token}{end}"


def test_the_balance_is_read_in_marrons_and_in_hours(client: FlaskClient, session: Session, cast: Cast) -> None:
    exchanges(session, cast, 2)
    seen = sign_in(client, cast.bruno).get(page(cast.bruno)).text
    assert "−21" in seen
    assert "Alice vous a aidé" in seen
    assert "Jardinage 1" in seen


def test_an_empty_statement_invites(client: FlaskClient, cast: Cast) -> None:
    assert "Déclarer un premier échange" in sign_in(client, cast.chloe).get(page(cast.chloe)).text


def test_pages_follow_each_other_without_a_gap(session: Session, cast: Cast) -> None:
    exchanges(session, cast, 60)
    assert cast.alice.account is not None
    lines, before = [], None
    while True:
        found = queries.page(session, cast.alice.account.id, before=before)
        lines += [row.line for row in found.rows]
        before = found.older
        if before is None:
            break
    assert len(lines) == 60
    assert breaks(lines[::-1]) == []


@pytest.mark.parametrize("cursor", ["0", "-1", "abc", "9" * 18, "9" * 40, "１２", "1 OR 1=1", ""])
def test_any_cursor_gives_a_page(client: FlaskClient, session: Session, cast: Cast, cursor: str) -> None:
    exchanges(session, cast, 1)
    answer = sign_in(client, cast.alice).get(page(cast.alice), query_string={"avant": cursor, "fait": cursor})
    assert answer.status_code == 200


def test_the_statement_costs_as_many_queries_with_fifty_lines_as_with_one(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    alice = sign_in(client, cast.alice)

    def asked() -> int:
        with counted() as made:
            assert alice.get(page(cast.alice)).status_code == 200
        return len(made)

    exchanges(session, cast, 1)
    asked()  # what is kept for a minute is known from now on
    with_one = asked()
    exchanges(session, cast, 50, "Couture")
    assert asked() == with_one
    assert 0 < with_one <= 12


def test_anothers_statement_is_not_found(client: FlaskClient, app: Flask, cast: Cast) -> None:
    chloe = sign_in(client, cast.chloe)
    for end in ("", "/releve.csv"):
        assert chloe.get(page(cast.alice, end)).status_code == 404
    olga = sign_in(app.test_client(), cast.olga)
    assert olga.get(page(cast.alice)).status_code == 404


def test_the_statement_taken_home_is_whole_oldest_first_and_harmless(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    exchanges(session, cast, 30, "=HYPERLINK(\"http://mal.example\")")
    answer = sign_in(client, cast.bruno).get(page(cast.bruno, "/releve.csv"))
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert len(rows) == 31
    assert [row[0] for row in rows[1:4]] == ["1", "2", "3"]
    assert all(row[4].startswith("'=HYPERLINK") for row in rows[1:])
    assert rows[-1][6] == str(-sum(10 + place % 5 for place in range(30)))


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_no_text_becomes_a_formula(sign: str) -> None:
    assert harmless(f"{sign}cmd") == f"'{sign}cmd"
    assert harmless("Jardinage = utile") == "Jardinage = utile"
