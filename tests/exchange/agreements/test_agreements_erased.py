"""``marronnier erase-agreements``: what its installer erases when somebody asks for it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy.orm import Session

from exchange.agreements import operations, queries, telling
from exchange.agreements.commands import erase
from exchange.agreements.operations import Wording
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from tests.cast import NOON, Cast, committed
from tests.databases import Database
from tests.exchange.bookings.conftest import wanting
from tests.ledger.racing import Track
from tests.lent import lend


@pytest.fixture
def app(database: Database) -> Flask:
    return database.app()


def agreed(session: Session, cast: Cast) -> None:
    """An agreement of Alice's, made."""
    operations.write_template(session, Wording("Convention", "{demandeur}"), lender=cast.town.id, by=cast.olga.by,
                              at=NOON)  # fmt: skip
    hall = lend(session, cast).hall
    asked = bookings.ask(session, wanting(cast.alice.party.id, hall), zone="Europe/Paris", by=cast.alice.by, at=NOON)
    bookings.accept(session, asked.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    [loan] = telling.loans(session, [booked.view(session, asked.id, at=NOON)])
    version = queries.templates(session, cast.town.id)[0]
    operations.make(session, loan.booking, version, telling.values_of(session, loan, at=NOON), year=2026,
                    by=cast.olga.by, at=NOON)  # fmt: skip


def test_the_words_go_by_a_command_of_the_owner_of_the_tables(app: Flask, database: Database) -> None:
    cast = committed(app, at=NOON)
    with app.app_context(), Track(database) as track:
        with track.make() as session:
            agreed(session, cast)
            session.commit()
        nobody = CliRunner().invoke(erase, ["Personne"])
        assert (nobody.exit_code, "personne" in nobody.output) == (1, True)
        for name, gone in (("Chloé", 0), ("Alice", 1), ("alice", 0)):
            done = CliRunner().invoke(erase, [name])
            assert (done.exit_code, done.output) == (0, f"{gone} conventions effacées.\n")
        with track.make() as session:
            [left] = queries.of_lender(session, cast.town.id)
            assert (left.called, left.text, len(left.digest)) == ("C-2026-0001", None, 32)
