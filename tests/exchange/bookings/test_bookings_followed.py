"""What the worker does about bookings while nobody looks."""

from __future__ import annotations

from datetime import timedelta

from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange import tasks
from exchange.bookings import queries
from exchange.bookings.operations import accept, ask
from ledger.store import reading
from tests.cast import NOON, Cast
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent


def test_the_worker_counts_a_room_that_is_used_and_closes_what_nobody_answered(
    session: Session, cast: Cast, lent: Lent
) -> None:
    alice, zone = cast.alice, "Europe/Paris"
    used = ask(session, wanting(alice.party.id, lent.dojo), zone=zone, by=alice.by, at=NOON)
    accept(session, used.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    forgotten = ask(session, wanting(alice.party.id, lent.hall), zone=zone, by=alice.by, at=NOON)
    session.commit()
    later = NEXT_WEEK + timedelta(minutes=5)
    with freeze_time(later):
        tasks.follow_bookings(0)
        tasks.follow_bookings(1)  # the next round finds nothing more to do
    assert queries.view(session, forgotten.id, at=later).state == "expired"
    account = reading.account_of(session, cast.community.id, alice.party.id)
    assert account is not None
    assert (account.balance, account.held) == (-120, 0)
