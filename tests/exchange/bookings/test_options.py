"""Who hesitates holds it without a firm request: for some days, never longer, and nobody else has it meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import availability, options, policy, queries
from exchange.bookings.changes import change
from exchange.bookings.models import Booking, BookingDecision
from exchange.bookings.operations import accept, ask, cancel, decline, expire
from exchange.db import signed
from exchange.errors import (
    AskedTooLate,
    NoOption,
    NotBookable,
    OptionTooLate,
    OutOfService,
    PoolExhausted,
    RuleRefuses,
    SlotTaken,
    TooManyOptions,
    UnderOption,
    WrongState,
    refusal_of,
)
from tests.cast import NOON, Cast, Person
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.holding import DAY, PARIS, became, take, wish, with_options
from tests.exchange.bookings.test_bookings import balance, occupied
from tests.exchange.bookings.test_bookings_closed import close
from tests.exchange.bookings.test_bookings_offered import spend_all
from tests.lent import Lent

LATER = NOON + 5 * DAY  # when the option of five days is over


@pytest.fixture
def lent(session: Session, lent: Lent) -> Lent:
    return with_options(session, lent)


def confirm(session: Session, person: Person, booking: Booking, *, at: object = NOON) -> Booking:
    return options.confirm(session, booking.token, parties=[person.party.id], by=person.by, at=at)  # type: ignore[arg-type]


def release(session: Session, person: Person, booking: Booking) -> None:
    options.release(session, booking.token, parties=[person.party.id], by=person.by, at=NOON)


def asks(session: Session, person: Person, it: object, *, at: object = NOON) -> Booking:
    return ask(session, wish(person, it), zone=PARIS, by=person.by, at=at)  # type: ignore[arg-type]


def test_an_option_holds_the_hall_costs_nothing_and_waits_for_nobody(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    assert (became(session, option), option.held_until) == ("option", LATER)
    assert queries.to_decide(session, cast.town.id, at=NOON) == []
    assert queries.undecided(session, [cast.town.id], sign_in=cast.olga.by.sign_in or 0, on=NOON.date()) == ([], 0)
    with pytest.raises(UnderOption) as refused, session.begin_nested():
        asks(session, cast.bruno, lent.half)
    assert refused.value.facts["until"] == LATER.isoformat()


def test_what_it_would_cost_is_set_aside_when_it_is_confirmed(session: Session, cast: Cast, lent: Lent) -> None:
    session.execute(text("UPDATE resources SET decided_by = 'nobody'"))
    option = take(session, cast.alice, lent.dojo._replace(decided_by="nobody"))
    assert balance(session, cast, cast.alice.party.id) == (0, 0)
    confirm(session, cast.alice, option)
    assert became(session, option) == "accepted"
    assert balance(session, cast, cast.alice.party.id) == (0, 120)


def test_confirmed_it_is_a_request_that_never_let_go(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    confirm(session, cast.alice, option, at=NOON + DAY)
    assert (became(session, option), option.held_until) == ("pending", None)
    assert option.answer_before == policy.answer_before(NEXT_WEEK, NOON + DAY)
    assert occupied(session) == 2
    accept(session, option.token, lender=cast.town.id, by=cast.olga.by, at=NOON + DAY)
    assert became(session, option) == "accepted"


def test_the_rules_are_run_again_when_it_is_confirmed(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.dojo)
    spend_all(session, cast)
    with pytest.raises(RuleRefuses), session.begin_nested():
        confirm(session, cast.alice, option)
    assert became(session, option) == "option"
    session.refresh(option)
    assert option.held_until == LATER


def test_what_was_closed_meanwhile_is_not_confirmed(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.half)
    close(session, cast, lent.hall)
    with pytest.raises(OutOfService):
        confirm(session, cast.alice, option)


def test_given_up_it_is_free_at_once(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    release(session, cast.alice, option)
    assert became(session, option) == "cancelled"
    assert occupied(session) == 0
    asks(session, cast.bruno, lent.hall)
    with pytest.raises(WrongState):
        confirm(session, cast.alice, option)


def test_its_day_passed_it_refuses_nobody_whether_the_worker_came_or_not(
    session: Session, cast: Cast, lent: Lent
) -> None:
    option = take(session, cast.alice, lent.hall)
    assert became(session, option, at=LATER) == "expired"
    with pytest.raises(WrongState):
        confirm(session, cast.alice, option, at=LATER)
    asks(session, cast.bruno, lent.half, at=LATER)
    verdict = session.get_one(BookingDecision, option.id).verdict
    assert (verdict, occupied(session)) == ("expired", 1)


def test_of_a_pool_too(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, (lent.chairs, 4))
    with pytest.raises(UnderOption), session.begin_nested():
        asks(session, cast.bruno, (lent.chairs, 3))
    with pytest.raises(PoolExhausted), session.begin_nested():  # without the option they would be too few all the same
        asks(session, cast.bruno, (lent.chairs, 6))
    asks(session, cast.bruno, (lent.chairs, 3), at=LATER)


def test_what_is_read_knows_it_before_the_worker_does(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    take(session, cast.alice, (lent.chairs, 5))
    ends = NEXT_WEEK + timedelta(hours=4)
    everything = [it.lendable for it in lent[:4]]
    wanted = {it.id for it in everything}

    def free(at: object) -> set[int]:
        return availability.free_among(session, everything, NEXT_WEEK, ends, zone=PARIS, at=at)  # type: ignore[arg-type]

    before = LATER - timedelta(seconds=1)
    assert (free(before), free(LATER)) == (set(), wanted)
    for at, left, taken in ((before, 0, 2), (LATER, 5, 0)):
        assert queries.left_in(session, [lent.chairs.id], NEXT_WEEK, ends, at=at) == {lent.chairs.id: left}
        assert len(queries.taken(session, [lent.half.id, lent.other_half.id], NEXT_WEEK, ends, at=at)) == taken
        table = availability.Timetable(session, lent[:4], NEXT_WEEK, ends, at=at)
        assert table.has(lent.hall.lendable, 1, NEXT_WEEK, ends) is (taken == 0)
        assert table.has(lent.chairs.lendable, 1, NEXT_WEEK, ends) is (left == 5)


def test_the_worker_closes_it_at_its_day(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    before = LATER - timedelta(seconds=1)
    assert options.lapse_due(session, by=cast.system, at=before) == 0
    assert expire(session, by=cast.system, at=LATER) == 0  # nobody asked for anything
    assert options.lapse_due(session, by=cast.system, at=LATER) == 1
    assert (became(session, option, at=before), occupied(session)) == ("expired", 0)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_it_ends_before_its_lender_wants_to_know(session: Session, cast: Cast, lent: Lent) -> None:
    session.execute(text("UPDATE resources SET notice_hours = 72"))
    hall = lent.hall._replace(notice_hours=72)
    assert take(session, cast.alice, hall).held_until == NEXT_WEEK - 3 * DAY
    tuesday = NEXT_WEEK - 3 * DAY - timedelta(minutes=30)
    with pytest.raises(OptionTooLate):
        take(session, cast.bruno, hall, at=tuesday)
    with pytest.raises(AskedTooLate):
        asks(session, cast.bruno, hall, at=tuesday + DAY)


def test_only_what_its_lender_lends_so(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(NoOption) as refused:
        take(session, cast.alice, lent.drill._replace(option_days=None))
    assert refused.value.facts["name"] == "Perceuse"


def test_nobody_holds_what_they_could_not_ask_for(session: Session, cast: Cast, lent: Lent) -> None:
    spend_all(session, cast)
    with pytest.raises(RuleRefuses):
        take(session, cast.alice, lent.dojo)


def test_three_at_a_time_with_a_lender(session: Session, cast: Cast, lent: Lent) -> None:
    first, *_others = [take(session, cast.alice, lent.drill, starts=NEXT_WEEK + n * DAY) for n in range(3)]
    with pytest.raises(TooManyOptions), session.begin_nested():
        take(session, cast.alice, lent.hall)
    take(session, cast.bruno, lent.hall)
    take(session, cast.alice, lent.dojo)
    release(session, cast.alice, first)
    take(session, cast.alice, lent.drill)


def test_its_office_may_refuse_it_on_a_ground(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    decline(session, option.token, lender=cast.town.id, ground="services", text="Vote", by=cast.olga.by, at=NOON)
    assert (became(session, option), occupied(session)) == ("declined", 0)


def test_nothing_else_is_done_with_it(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    with pytest.raises(WrongState):
        accept(session, option.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    with pytest.raises(WrongState):
        cancel(session, option.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    with pytest.raises(NotBookable):  # it is Alice's
        confirm(session, cast.bruno, option)


def test_a_party_has_what_it_has_and_hears_of_it_once(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    assert options.remind(session, at=NOON + DAY) is None
    soon = options.remind(session, at=NOON + 3 * DAY)
    assert soon is not None
    assert (soon.kind, soon.view.party_id) == ("soon", cast.alice.party.id)
    assert options.remind(session, at=NOON + 3 * DAY) is None
    options.lapse_due(session, by=cast.system, at=LATER)
    over = options.remind(session, at=LATER)
    assert over is not None
    assert over.kind == "over"
    assert options.remind(session, at=LATER) is None


@pytest.mark.parametrize("change", [
    "UPDATE bookings SET held_until = held_until + interval '1 hour' WHERE id = :id",
    "UPDATE bookings SET held_until = starts_at + interval '1 hour' WHERE id = :id",
    "UPDATE bookings SET held_until = NULL WHERE id = :id",
    "INSERT INTO booking_decisions (booking_id, verdict, by_party, decided_at)"
    " SELECT id, 'accepted', party_id, now() FROM bookings WHERE id = :id",
    "UPDATE options SET until = now() WHERE booking_id = :id",
])  # fmt: skip
def test_the_database_itself_refuses(session: Session, cast: Cast, lent: Lent, change: str) -> None:
    option = take(session, cast.alice, lent.hall)

    def changes() -> None:
        session.execute(text(change), {"id": option.id})
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError), session.begin_nested():
        changes()


def test_two_options_never_hold_the_same(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    with pytest.raises(SlotTaken), session.begin_nested():
        take(session, cast.bruno, lent.half)
    item = session.scalar(text("SELECT min(id) FROM booking_items"))
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        session.execute(
            text("INSERT INTO occupancy (booking_item_id, unit_id, during) SELECT :item, unit_id,"
                 " tstzrange(lower(during) + interval '1 hour', upper(during)) FROM occupancy LIMIT 1"), {"item": item},
        )  # fmt: skip
    assert isinstance(refusal_of(refused.value), SlotTaken)


def test_a_decision_of_who_asked_is_signed(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    confirm(session, cast.alice, option)
    row = session.execute(text("SELECT by_sign_in, by_party, by_mandate FROM option_confirmations")).mappings().one()
    assert dict(row) == signed(cast.alice.by)


def test_a_change_takes_what_an_option_let_go(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.other_half)
    mine = asks(session, cast.bruno, lent.half)
    made = change(session, mine.token, wanting(cast.bruno.party.id, lent.hall), parties=[cast.bruno.party.id],
                  by=cast.bruno.by, at=LATER)  # fmt: skip
    assert became(session, made, at=LATER) == "pending"
