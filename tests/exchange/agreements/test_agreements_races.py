"""Many agreements made at once have the numbers one to many; of many who accept at once, one does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.agreements import operations, policy, queries
from exchange.agreements.operations import Wording
from exchange.agreements.queries import VersionView
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from ledger.errors import Refused
from tests.cast import NOON, Cast, committed
from tests.databases import Database
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.ledger.racing import RACERS, Run, Track, counted
from tests.lent import lend

pytestmark = pytest.mark.race
VALUES = dict.fromkeys(policy.FIELDS, "x")


def prepared(session: Session, cast: Cast, loans: int) -> tuple[list[int], VersionView]:
    """So many accepted loans of the hall, and a template for them."""
    lent, ids = lend(session, cast), []
    for day in range(loans):
        wanted = wanting(cast.alice.party.id, lent.hall, starts=NEXT_WEEK + timedelta(days=day))
        booking = bookings.ask(session, wanted, zone="Europe/Paris", by=cast.alice.by, at=NOON)
        bookings.accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
        ids.append(booking.id)
    operations.write_template(session, Wording("Convention", "{numero}"), lender=cast.town.id, by=cast.olga.by,
                              at=NOON)  # fmt: skip
    return ids, queries.templates(session, cast.town.id)[0]


def making(cast: Cast, booking: int, version: VersionView) -> Run:
    def make(session: Session) -> int:
        view = booked.view(session, booking, at=NOON)
        return operations.make(session, view, version, VALUES, year=2026, by=cast.olga.by, at=NOON).number

    return make


def test_agreements_made_at_once_leave_no_number_out(database: Database) -> None:
    cast = committed(database.app(), at=NOON)
    with Track(database) as track:
        with track.make() as session:
            ids, version = prepared(session, cast, RACERS)
            session.commit()

        def broken(session: Session) -> None:
            making(cast, ids[0], version)(session)
            raise Refused  # what fails gives its number back

        results = track.race([making(cast, booking, version) for booking in ids[1:]] + [broken])
    assert sorted(number for number in results if isinstance(number, int)) == list(range(1, RACERS))
    with database.connected() as web:
        assert web.execute("SELECT count(*), max(number) FROM agreements").fetchone() == (RACERS - 1, RACERS - 1)


def test_of_all_who_make_one_for_the_same_loan_one_does(database: Database) -> None:
    cast = committed(database.app(), at=NOON)
    with Track(database) as track:
        with track.make() as session:
            ids, version = prepared(session, cast, 1)
            session.commit()
        results = track.race([making(cast, ids[0], version)] * RACERS)
    assert counted(results) == {"written": 1, "agreement-exists": RACERS - 1}


def test_of_all_who_accept_cancel_and_remake_at_once_the_order_is_kept(database: Database) -> None:
    cast = committed(database.app(), at=NOON)
    with Track(database) as track:
        with track.make() as session:
            ids, version = prepared(session, cast, 10)
            session.commit()
        for booking in ids:
            with track.make() as session:
                making(cast, booking, version)(session)
                session.commit()
                agreement, view = queries.of_booking(session, booking), booked.view(session, booking, at=NOON)
                assert agreement is not None

            def accept(session: Session, agreement: queries.AgreementView = agreement) -> None:
                operations.accept(session, agreement, "lender", digest=agreement.digest, name="Olga", sentence="Oui",
                                  on=NOON.date(), by=cast.olga.by, at=NOON)  # fmt: skip

            def cancel(session: Session, token: str = view.token) -> None:
                bookings.cancel(session, token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)

            results = track.race([accept, accept, accept, cancel, accept])
            told = counted(results)
            assert told["written"] == 2 or told["agreement-void"] > 0 or "fault" in str(told), told
            with track.make() as session:
                kept = session.execute(
                    text("SELECT count(*) FROM agreement_signatures WHERE agreement_id = :id"), {"id": agreement.id}
                ).scalar_one()
            assert kept <= 1
            assert sum(result is None for result in results) == 1 + kept  # the cancellation, and whoever came before
