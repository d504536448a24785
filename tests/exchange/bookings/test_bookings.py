"""A loan from the request to the return, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import queries
from exchange.bookings.operations import accept, ask, cancel, decline, expire, hand_over, settle_started, take_back
from exchange.bookings.wanted import quote
from exchange.errors import (
    BorrowerCannotPay,
    Closed,
    NotBookable,
    PoolExhausted,
    RuleRefuses,
    SlotTaken,
    TooManyPeople,
    WrongState,
)
from ledger.store import reading
from tests.cast import NOON, Cast
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent

PARIS = "Europe/Paris"


def balance(session: Session, cast: Cast, party: int) -> tuple[int, int]:
    account = reading.account_of(session, cast.community.id, party)
    assert account is not None
    return account.balance, account.held


def occupied(session: Session) -> int:
    both = "SELECT (SELECT count(*) FROM occupancy) + (SELECT count(*) FROM pool_occupancy)"
    return int(session.execute(text(both)).scalar_one())


def test_the_club_asks_for_the_hall_and_its_chairs_in_one_request(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.club.id, lent.hall, (lent.chairs, 5)), zone=PARIS, by=cast.delegate, at=NOON)
    view = queries.view(session, booking.id, at=NOON)
    assert view.state == "pending"
    assert [(item.resource_id, item.quantity) for item in view.items] == [(lent.hall.id, 1), (lent.chairs.id, 5)]
    assert occupied(session) == 3  # both halves, and the chairs


def test_the_hall_takes_its_halves_and_a_half_takes_the_hall(session: Session, cast: Cast, lent: Lent) -> None:
    ask(session, wanting(cast.alice.party.id, lent.half), zone=PARIS, by=cast.alice.by, at=NOON)
    with pytest.raises(SlotTaken), session.begin_nested():
        ask(session, wanting(cast.bruno.party.id, lent.hall), zone=PARIS, by=cast.bruno.by, at=NOON)
    ask(session, wanting(cast.bruno.party.id, lent.other_half), zone=PARIS, by=cast.bruno.by, at=NOON)


def test_touching_bookings_are_fine(session: Session, cast: Cast, lent: Lent) -> None:
    ask(session, wanting(cast.alice.party.id, lent.drill, hours=2), zone=PARIS, by=cast.alice.by, at=NOON)
    ask(session, wanting(cast.bruno.party.id, lent.drill, starts=NEXT_WEEK + timedelta(hours=2)), zone=PARIS,
        by=cast.bruno.by, at=NOON)  # fmt: skip


def test_all_or_nothing_when_the_chairs_are_lacking(session: Session, cast: Cast, lent: Lent) -> None:
    ask(session, wanting(cast.alice.party.id, (lent.chairs, 3)), zone=PARIS, by=cast.alice.by, at=NOON)
    with pytest.raises(PoolExhausted) as refused, session.begin_nested():
        ask(session, wanting(cast.club.id, lent.hall, (lent.chairs, 3)), zone=PARIS, by=cast.delegate, at=NOON)
    assert refused.value.facts["left"] == 2
    assert occupied(session) == 1


def test_a_pool_counts_the_peak_and_never_the_sum(session: Session, cast: Cast, lent: Lent) -> None:
    for hour in (0, 2):
        ask(session, wanting(cast.alice.party.id, (lent.chairs, 3), starts=NEXT_WEEK + timedelta(hours=hour), hours=2),
            zone=PARIS, by=cast.alice.by, at=NOON)  # fmt: skip
    ask(session, wanting(cast.bruno.party.id, (lent.chairs, 2), hours=4), zone=PARIS, by=cast.bruno.by, at=NOON)
    with pytest.raises(PoolExhausted), session.begin_nested():
        ask(session, wanting(cast.chloe.party.id, (lent.chairs, 1), hours=1), zone=PARIS, by=cast.chloe.by, at=NOON)


def test_a_room_too_small_a_closed_day_and_two_lenders_are_refused(session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    with pytest.raises(TooManyPeople):
        ask(session, wanting(alice.party.id, lent.half, people=61), zone=PARIS, by=alice.by, at=NOON)
    sunday = NEXT_WEEK + timedelta(days=1)
    with pytest.raises(Closed):
        ask(session, wanting(alice.party.id, lent.dojo, starts=sunday), zone=PARIS, by=alice.by, at=NOON)
    with pytest.raises(NotBookable):
        ask(session, wanting(alice.party.id, lent.half, lent.dojo), zone=PARIS, by=alice.by, at=NOON)


def test_the_towns_hall_is_free_and_needs_no_account(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.zoe.party.id, lent.hall), zone=PARIS, by=cast.zoe.by, at=NOON)
    assert booking.minutes == 0
    view = accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert queries.view(session, view.id, at=NOON).state == "accepted"


def test_a_private_hall_costs_minutes_held_then_posted(session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    booking = ask(session, wanting(alice.party.id, lent.dojo), zone=PARIS, by=alice.by, at=NOON)
    assert booking.minutes == 120
    assert balance(session, cast, alice.party.id) == (0, 0)  # a request holds the slot, not the minutes
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    assert balance(session, cast, alice.party.id) == (0, 120)
    sel, before = cast.community.id, NEXT_WEEK - timedelta(seconds=1)
    assert settle_started(session, community=sel, by=cast.system, at=before) == 0
    assert settle_started(session, community=sel, by=cast.system, at=NEXT_WEEK) == 1
    assert balance(session, cast, alice.party.id) == (-120, 0)
    assert balance(session, cast, cast.club.id) == (120, 0)
    assert settle_started(session, community=cast.community.id, by=cast.system, at=NEXT_WEEK) == 0


def test_what_was_explained_is_kept_with_the_request(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.dojo), zone=PARIS, by=cast.alice.by, at=NOON)
    codes = [finding["code"] for finding in booking.explanation["findings"]]
    assert codes == ["tariff", "within-floor"]
    assert booking.explanation["minutes"] == 120


def test_who_has_no_account_is_told_so_before_asking(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(RuleRefuses) as refused:
        ask(session, wanting(cast.zoe.party.id, lent.dojo), zone=PARIS, by=cast.zoe.by, at=NOON)
    assert refused.value.facts["findings"][0]["code"] == "account-needed"


def test_cancelling_in_time_gives_the_minutes_back(session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    booking = ask(session, wanting(alice.party.id, lent.dojo), zone=PARIS, by=alice.by, at=NOON)
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    in_time = cancel(session, booking.token, parties=[alice.party.id], reason="", by=alice.by, at=NOON)
    assert in_time
    assert balance(session, cast, alice.party.id) == (0, 0)
    assert occupied(session) == 0


def test_cancelling_too_late_costs_the_minutes_all_the_same(session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    booking = ask(session, wanting(alice.party.id, lent.dojo), zone=PARIS, by=alice.by, at=NOON)
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    late = NEXT_WEEK - timedelta(hours=23)
    assert not cancel(session, booking.token, parties=[alice.party.id], reason="", by=alice.by, at=late)
    assert balance(session, cast, alice.party.id) == (-120, 0)
    assert occupied(session) == 0


def test_a_booking_that_has_begun_is_not_cancelled(session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    booking = ask(session, wanting(alice.party.id, lent.dojo), zone=PARIS, by=alice.by, at=NOON)
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    with pytest.raises(WrongState):
        cancel(session, booking.token, parties=[alice.party.id], reason="", by=alice.by, at=NEXT_WEEK)


def test_another_persons_booking_is_not_found(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON)
    with pytest.raises(NotBookable):
        cancel(session, booking.token, parties=[cast.bruno.party.id], reason="", by=cast.bruno.by, at=NOON)
    with pytest.raises(NotBookable):
        accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)


def test_a_refusal_names_its_ground_and_frees_the_slot(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON)
    ground = {"ground": "services", "text": "Vaccination"}
    decline(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON, **ground)
    assert queries.view(session, booking.id, at=NOON).state == "declined"
    assert occupied(session) == 0
    with pytest.raises(WrongState):
        accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)


def test_approval_runs_the_floor_again(session: Session, cast: Cast, lent: Lent) -> None:
    alice, at = cast.alice, NOON
    requests = [
        ask(session, wanting(alice.party.id, lent.dojo, starts=NEXT_WEEK + timedelta(weeks=week), hours=8), zone=PARIS,
            by=alice.by, at=at)
        for week in range(9)
    ]  # fmt: skip
    for booking in requests[:8]:
        accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=at)
    with pytest.raises(BorrowerCannotPay) as refused:  # 8 x 240 are held: 80 are left of 2,000
        accept(session, requests[8].token, lender=cast.club.id, by=cast.delegate, at=at)
    assert refused.value.facts == {}  # an office is told nothing of a balance


def test_a_request_without_an_answer_expires_and_frees_the_slot(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON)
    assert expire(session, by=cast.system, at=booking.answer_before - timedelta(seconds=1)) == 0
    assert expire(session, by=cast.system, at=booking.answer_before) == 1
    assert queries.view(session, booking.id, at=NOON).state == "expired"
    assert occupied(session) == 0


def test_a_town_without_a_sel_lets_requests_expire_too(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.zoe.party.id, lent.hall), zone=PARIS, by=cast.zoe.by, at=NOON)
    assert expire(session, by=None, at=booking.answer_before) == 1
    decision = queries.view(session, booking.id, at=NOON).decision
    assert decision is not None
    assert decision.by_party == cast.town.id


def test_a_thing_goes_out_comes_back_late_and_stops_new_requests_meanwhile(
    session: Session, cast: Cast, lent: Lent
) -> None:
    alice = cast.alice
    booking = ask(session, wanting(alice.party.id, lent.drill), zone=PARIS, by=alice.by, at=NOON)
    accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    hand_over(session, booking.token, lender=cast.town.id, remarks="", by=cast.olga.by, at=NEXT_WEEK)
    late = NEXT_WEEK + timedelta(days=3)
    assert queries.view(session, booking.id, at=late).state == "late"
    later = wanting(alice.party.id, lent.hall, starts=late + timedelta(days=7))
    with pytest.raises(RuleRefuses) as refused:
        ask(session, later, zone=PARIS, by=alice.by, at=late)
    assert refused.value.facts["findings"][0]["code"] == "nothing-overdue"
    take_back(session, booking.token, lender=cast.town.id, remarks="Mèche usée", by=cast.olga.by, at=late)
    assert queries.view(session, booking.id, at=late).state == "returned"
    ask(session, later, zone=PARIS, by=alice.by, at=late)


def test_a_quote_writes_nothing(session: Session, cast: Cast, lent: Lent) -> None:
    quoted = quote(session, wanting(cast.alice.party.id, lent.dojo), zone=PARIS, at=NOON)
    assert (quoted.minutes, quoted.allowed) == (120, True)
    assert occupied(session) == 0
