"""Something else is offered in place of a booking: held for who had it, taken or left, and the minutes follow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from exchange.bookings import moving, policy, queries
from exchange.bookings.models import Booking
from exchange.bookings.offers import consent, dismiss, offer, revoke, withdraw_offer
from exchange.bookings.operations import accept, ask, cancel, expire, hand_over
from exchange.bookings.wanted import Wanted
from exchange.catalogue.queries import ResourceView
from exchange.errors import AlreadyOffered, NotBookable, OutOfService, PoolExhausted, RuleRefuses, SlotTaken, WrongState
from ledger.entries import Entry, Transfer
from ledger.store import reading, writing
from tests.cast import NOON, SATURDAY, Cast
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_bookings import balance, occupied
from tests.exchange.bookings.test_bookings_closed import close
from tests.lent import Lent

PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def asked(session: Session, cast: Cast, it: ResourceView, hours: float = 4) -> Booking:
    """Alice has it next Saturday from noon."""
    return ask(session, wanting(cast.alice.party.id, it, hours=hours), zone=PARIS, by=cast.alice.by, at=NOON)


def offered(
    session: Session, cast: Cast, booking: Booking, it: ResourceView, *, later: float = 0, hours: float = 4
) -> Booking:
    """The lender offers this in its place."""
    lender, by = (cast.club.id, cast.delegate) if it.lender_id == cast.club.id else (cast.town.id, cast.olga.by)
    starts = NEXT_WEEK + later * HOUR
    return offer(session, booking.token, lender=lender, wanted=[Wanted(it)], starts_at=starts,
                 ends_at=starts + hours * HOUR, word="Le parquet est refait.", by=by, at=NOON)  # fmt: skip


def state(session: Session, booking: Booking) -> str:
    return queries.view(session, booking.id, at=NOON).state


def test_alice_agrees_and_her_booking_moves(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.other_half)
    assert (state(session, before), state(session, after)) == ("pending", "offered")
    assert occupied(session) == 2
    consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert (state(session, before), state(session, after)) == ("cancelled", "accepted")
    assert occupied(session) == 1
    ask(session, wanting(cast.bruno.party.id, lent.half), zone=PARIS, by=cast.bruno.by, at=NOON)


def test_what_is_offered_is_held_until_it_is_answered(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.other_half)
    bruno = wanting(cast.bruno.party.id, lent.other_half)
    with pytest.raises(SlotTaken), session.begin_nested():
        ask(session, bruno, zone=PARIS, by=cast.bruno.by, at=NOON)
    dismiss(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert (state(session, before), state(session, after)) == ("pending", "expired")
    ask(session, bruno, zone=PARIS, by=cast.bruno.by, at=NOON)


@pytest.mark.parametrize(("later", "hours"), [(1, 4), (-1, 4), (1, 2), (-1, 6)])
def test_the_same_room_an_hour_later_is_no_conflict_with_oneself(
    session: Session, cast: Cast, lent: Lent, later: float, hours: float
) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.half, later=later, hours=hours)
    starts = NEXT_WEEK + later * HOUR
    for hour in {min(later, 0), max(later + hours, 4) - 1}:  # both ends of what the two hold together
        with pytest.raises(SlotTaken), session.begin_nested():
            ask(session, wanting(cast.bruno.party.id, lent.half, starts=NEXT_WEEK + hour * HOUR, hours=1), zone=PARIS,
                by=cast.bruno.by, at=NOON)  # fmt: skip
    consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    held = queries.held_by(session, after.id)[lent.half.id]
    assert (held.starts_at, held.ends_at) == (starts, starts + hours * HOUR)
    assert occupied(session) == 1


def test_minutes_are_given_back_and_the_new_price_is_held(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.dojo)
    accept(session, before.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    after = offered(session, cast, before, lent.dojo, later=1, hours=2)
    assert balance(session, cast, cast.alice.party.id) == (0, 120)
    consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert balance(session, cast, cast.alice.party.id) == (0, 60)


def test_an_account_that_cannot_pay_more_keeps_what_it_had(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.dojo)
    accept(session, before.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    after = offered(session, cast, before, lent.dojo, later=-3, hours=9)
    spend_all(session, cast)
    with pytest.raises(RuleRefuses), session.begin_nested():
        consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert state(session, before) == "accepted"
    assert balance(session, cast, cast.alice.party.id)[1] == 120


def test_what_is_set_aside_for_it_pays_for_what_replaces_it(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.dojo)
    accept(session, before.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    spend_all(session, cast)
    after = offered(session, cast, before, lent.dojo, later=1)
    consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert balance(session, cast, cast.alice.party.id)[1] == 120


def test_an_offer_is_answered_before_what_it_would_replace_begins(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.dojo)
    accept(session, before.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    after = offered(session, cast, before, lent.dojo, later=48)
    assert after.answer_before == before.starts_at
    with pytest.raises(WrongState):
        consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=before.starts_at)


def spend_all(session: Session, cast: Cast) -> None:
    """Alice gives Bruno all that her limit allows but what is set aside."""
    mine, other = (reading.account_of(session, cast.community.id, each.party.id) for each in (cast.alice, cast.bruno))
    assert mine is not None
    assert other is not None
    entry = Entry("exchange", (Transfer(mine.id, other.id, mine.core().available),), SATURDAY)
    writing.post(session, entry, community=cast.community.id, key="all", by=cast.alice.by, at=NOON)


def test_one_offer_at_a_time_which_its_lender_may_take_back(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.other_half)
    with pytest.raises(AlreadyOffered):
        offered(session, cast, before, lent.half, later=5)
    withdraw_offer(session, before.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert state(session, after) == "expired"
    with pytest.raises(WrongState):
        consent(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    offered(session, cast, before, lent.half, later=5)


def test_an_offer_ends_with_what_it_would_replace(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.other_half)
    cancel(session, before.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    assert state(session, after) == "expired"
    assert occupied(session) == 0


def test_an_offer_ends_when_what_it_would_replace_is_accepted(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = offered(session, cast, before, lent.other_half)
    accept(session, before.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert (state(session, before), state(session, after)) == ("accepted", "expired")
    assert occupied(session) == 1


def test_what_was_closed_meanwhile_is_not_accepted(session: Session, cast: Cast, lent: Lent) -> None:
    booking = asked(session, cast, lent.half)
    close(session, cast, lent.hall)
    with pytest.raises(OutOfService) as refused:
        accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert refused.value.facts["name"] == lent.half.name
    assert state(session, booking) == "pending"


def test_chairs_that_broke_meanwhile_are_not_accepted(session: Session, cast: Cast, lent: Lent) -> None:
    wanted = wanting(cast.alice.party.id, (lent.chairs, 4))
    booking = ask(session, wanted, zone=PARIS, by=cast.alice.by, at=NOON)
    close(session, cast, lent.chairs, quantity=1)
    accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)  # four of five are whole
    again = ask(session, wanting(cast.alice.party.id, (lent.chairs, 4), starts=NEXT_WEEK + 24 * HOUR), zone=PARIS,
                by=cast.alice.by, at=NOON)  # fmt: skip
    close(session, cast, lent.chairs, quantity=2, hours=None)
    with pytest.raises(PoolExhausted) as refused:
        accept(session, again.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert refused.value.facts["left"] == 3


def test_an_offer_ends_when_the_keys_leave(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    accept(session, before.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    after = offered(session, cast, before, lent.other_half)
    hand_over(session, before.token, lender=cast.town.id, remarks="", by=cast.olga.by, at=NOON)
    assert state(session, after) == "expired"
    assert occupied(session) == 1


def test_an_offer_that_nobody_answers_is_closed_and_the_booking_stays(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    accept(session, before.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    after = offered(session, cast, before, lent.other_half)
    late = after.answer_before
    assert expire(session, by=cast.system, at=late) == 1
    assert queries.view(session, after.id, at=late).state == "expired"
    assert occupied(session) == 1


def test_nobody_answers_for_alice_and_no_other_lender_offers(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    with pytest.raises(NotBookable):
        offer(session, before.token, lender=cast.club.id, wanted=[Wanted(lent.dojo)], starts_at=NEXT_WEEK,
              ends_at=NEXT_WEEK + HOUR, word="", by=cast.delegate, at=NOON)  # fmt: skip
    with pytest.raises(NotBookable):
        offer(session, before.token, lender=cast.town.id, wanted=[Wanted(lent.dojo)], starts_at=NEXT_WEEK,
              ends_at=NEXT_WEEK + HOUR, word="", by=cast.olga.by, at=NOON)  # fmt: skip
    after = offered(session, cast, before, lent.other_half)
    for act in (consent, dismiss):
        with pytest.raises(NotBookable):
            act(session, after.token, parties=[cast.bruno.party.id], by=cast.bruno.by, at=NOON)
        with pytest.raises(NotBookable):
            act(session, before.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)


def test_a_booking_under_works_keeps_its_hours_if_the_offer_is_left(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    close(session, cast, lent.half, hours=4)
    with pytest.raises(OutOfService), session.begin_nested():
        offered(session, cast, before, lent.half, later=-1, hours=6)
    after = offered(session, cast, before, lent.half, later=-2, hours=2)
    dismiss(session, after.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    held = queries.held_by(session, before.id)[lent.half.id]
    assert (held.starts_at, held.ends_at) == (NEXT_WEEK, NEXT_WEEK + 4 * HOUR)


def test_a_lender_takes_back_what_it_accepted_and_the_minutes_return(session: Session, cast: Cast, lent: Lent) -> None:
    booking = asked(session, cast, lent.dojo)
    with pytest.raises(WrongState):
        revoke(session, booking.token, lender=cast.club.id, ground="services", text="", by=cast.delegate, at=NOON)
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    revoke(session, booking.token, lender=cast.club.id, ground="services", text="Fuite.", by=cast.delegate, at=NOON)
    view = queries.view(session, booking.id, at=NOON)
    assert view.state == "cancelled"
    assert view.cancellation is not None
    assert (view.cancellation.ground, view.cancellation.reason) == ("services", "Fuite.")
    assert balance(session, cast, cast.alice.party.id) == (0, 0)
    assert occupied(session) == 0


def test_other_rooms_then_other_hours_are_proposed_nearest_first(session: Session, cast: Cast, lent: Lent) -> None:
    booking = asked(session, cast, lent.half)
    close(session, cast, lent.half)
    view = queries.view(session, booking.id, at=NOON)
    proposed = moving.alternatives(session, view, {lent.half.id: lent.half}, lent[:-1], at=NOON)
    found = [(each.resource.name, each.starts_at - NEXT_WEEK) for each in proposed]
    assert found[0] == ("Demi-salle nord", timedelta(0))
    assert found[1:] == [("Demi-salle sud", timedelta(hours=4)), ("Demi-salle sud", timedelta(hours=-4)),
                         ("Demi-salle sud", timedelta(days=1))]  # fmt: skip


def test_missing_pieces_of_a_hold() -> None:
    def hold(start: int, end: int, many: int = 1) -> policy.Hold:
        return policy.Hold(NOON + start * HOUR, NOON + end * HOUR, many)

    assert policy.missing_of(hold(0, 4), None) == [hold(0, 4)]
    assert policy.missing_of(hold(0, 4), hold(4, 6)) == [hold(0, 4)]
    assert policy.missing_of(hold(0, 4), hold(1, 2)) == [hold(0, 1), hold(2, 4)]
    assert policy.missing_of(hold(1, 2), hold(0, 4)) == []
    assert policy.missing_of(hold(0, 4, 20), hold(2, 6, 15)) == [hold(0, 2, 20), hold(2, 4, 5)]


def test_when_more_is_held_than_there_is() -> None:
    def hold(start: int, end: int, many: int) -> policy.Hold:
        return policy.Hold(NOON + start * HOUR, NOON + end * HOUR, many)

    assert policy.too_many([hold(0, 2, 3), hold(2, 4, 3)], 5) == []
    assert policy.too_many([hold(0, 2, 3), hold(1, 4, 3), hold(3, 5, 3)], 5) == [
        (NOON + HOUR, NOON + 2 * HOUR), (NOON + 3 * HOUR, NOON + 4 * HOUR)
    ]  # fmt: skip
