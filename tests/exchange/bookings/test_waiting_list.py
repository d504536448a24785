"""Who comes too late waits, in order; what frees is held for the first whose wish now fits, for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import options, queries, waiting, wishes
from exchange.bookings.changes import change
from exchange.bookings.operations import accept, ask, cancel, decline
from exchange.catalogue import operations as catalogue
from exchange.catalogue.models import Resource
from exchange.closures import operations as closures
from exchange.errors import (
    AskedTooLate,
    NotBookable,
    PoolExhausted,
    RuleRefuses,
    SlotAwaited,
    StillFree,
    TooManyWishes,
    WaitsAlready,
    WrongState,
)
from exchange.members.models import SignIn
from tests.cast import NOON, Cast
from tests.databases import as_owner
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.holding import (
    DAY,
    PARIS,
    became,
    join,
    outcome,
    take,
    turns,
    wish,
    with_options,
)
from tests.exchange.bookings.test_bookings import occupied
from tests.exchange.bookings.test_bookings_closed import close
from tests.exchange.bookings.test_bookings_offered import spend_all
from tests.lent import Lent

HOUR = timedelta(hours=1)


@pytest.fixture
def lent(session: Session, lent: Lent) -> Lent:
    return with_options(session, lent)


def books(session: Session, cast: Cast, lent: Lent) -> str:
    """Chloé has the hall."""
    return ask(session, wish(cast.chloe, lent.hall), zone=PARIS, by=cast.chloe.by, at=NOON).token


def cancels(session: Session, cast: Cast, token: str) -> None:
    cancel(session, token, parties=[cast.chloe.party.id], reason="", by=cast.chloe.by, at=NOON)


def test_the_first_who_waits_has_it_when_it_frees_and_nobody_else(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    first, second = join(session, cast.alice, lent.hall), join(session, cast.bruno, lent.hall)
    assert turns(session, cast) == []
    cancels(session, cast, had)
    assert turns(session, cast) == [cast.alice.party.id]
    assert turns(session, cast) == []
    assert occupied(session) == 2
    mine = waiting.within(session, first.token, [cast.alice.party.id], at=NOON)
    assert mine is not None
    assert mine.turn is not None
    options.confirm(session, mine.turn, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert (outcome(session, first), outcome(session, second)) == ("taken", None)
    accept(session, mine.turn, lender=cast.town.id, by=cast.olga.by, at=NOON)


def test_between_what_frees_and_the_worker_nobody_slips_in(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    join(session, cast.alice, lent.hall)
    second = join(session, cast.bruno, lent.half)
    cancels(session, cast, had)
    for person in (cast.bruno, cast.zoe):
        with pytest.raises(SlotAwaited), session.begin_nested():
            ask(session, wish(person, lent.half), zone=PARIS, by=person.by, at=NOON)
    with pytest.raises(SlotAwaited), session.begin_nested():
        take(session, cast.zoe, lent.half)
    ask(session, wish(cast.alice, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON)  # who is first has it
    assert outcome(session, second) is None
    assert waiting.of_lender(session, cast.town.id, at=NOON)[0].party_id == cast.bruno.party.id


def test_a_change_does_not_slip_in_either(session: Session, cast: Cast, lent: Lent) -> None:
    other = ask(session, wish(cast.zoe, lent.half, starts=NEXT_WEEK - 2 * HOUR, hours=2), zone=PARIS, by=cast.zoe.by,
                at=NOON)  # fmt: skip
    had = books(session, cast, lent)
    join(session, cast.alice, lent.half)
    cancels(session, cast, had)
    longer = wish(cast.zoe, lent.half, starts=NEXT_WEEK - 2 * HOUR, hours=3)
    with pytest.raises(SlotAwaited), session.begin_nested():
        change(session, other.token, longer, parties=[cast.zoe.party.id], by=cast.zoe.by, at=NOON)
    shorter = wish(cast.zoe, lent.half, starts=NEXT_WEEK - 2 * HOUR, hours=1)
    change(session, other.token, shorter, parties=[cast.zoe.party.id], by=cast.zoe.by, at=NOON)


@pytest.mark.parametrize("how", ["release", "expiry", "decline"])
def test_after_the_first_comes_the_next(session: Session, cast: Cast, lent: Lent, how: str) -> None:
    had = books(session, cast, lent)
    first, _second = join(session, cast.alice, lent.hall), join(session, cast.bruno, lent.hall)
    cancels(session, cast, had)
    turns(session, cast)
    mine = waiting.by_ids(session, [first.id], at=NOON)[0]
    assert mine.turn is not None
    assert mine.turn_until == NOON + 2 * DAY
    at = NOON
    if how == "release":
        wishes.leave(session, first.token, parties=[cast.alice.party.id], by=cast.alice.by, at=at)
    elif how == "decline":
        decline(session, mine.turn, lender=cast.town.id, ground="rule", text="Non", by=cast.olga.by, at=at)
    else:
        at = mine.turn_until
    assert turns(session, cast, at=at) == [cast.bruno.party.id]
    ended = {"release": "declined", "expiry": "expired", "decline": "refused"}[how]
    assert outcome(session, first) == ended
    with pytest.raises(WrongState):
        options.confirm(session, mine.turn, parties=[cast.alice.party.id], by=cast.alice.by, at=at)


def test_a_turn_is_shorter_when_the_day_is_near(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    first, second = join(session, cast.alice, lent.hall), join(session, cast.bruno, lent.hall)
    cancels(session, cast, had)
    at = NEXT_WEEK - 4 * HOUR
    turns(session, cast, at=at)
    assert waiting.by_ids(session, [first.id], at=at)[0].turn_until == NEXT_WEEK - 2 * HOUR
    turns(session, cast, at=NEXT_WEEK - 2 * HOUR)
    assert waiting.by_ids(session, [second.id], at=at)[0].turn_until == NEXT_WEEK - HOUR


def test_too_near_nobody_waits_any_more(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    first = join(session, cast.alice, lent.hall)
    cancels(session, cast, had)
    at = NEXT_WEEK - timedelta(minutes=10)
    ask(session, wish(cast.zoe, lent.hall), zone=PARIS, by=cast.zoe.by, at=at)  # and is no obstacle
    assert turns(session, cast, at=at) == []
    assert outcome(session, first) == "over"


@pytest.mark.parametrize("freed", ["option", "decline", "lifted", "moved", "more"])
def test_however_it_frees(session: Session, cast: Cast, lent: Lent, freed: str) -> None:
    it, at = (lent.chairs, 5) if freed == "more" else lent.half, NOON
    if freed == "lifted":
        closure = close(session, cast, lent.half)
    elif freed == "more":
        ask(session, wish(cast.chloe, (lent.chairs, 2)), zone=PARIS, by=cast.chloe.by, at=NOON)
    elif freed == "option":
        take(session, cast.chloe, lent.hall)
    else:
        had = books(session, cast, lent)
    join(session, cast.alice, it)
    if freed == "decline":
        decline(session, had, lender=cast.town.id, ground="rule", text="Non", by=cast.olga.by, at=NOON)
    elif freed == "lifted":
        closures.lift(session, closure.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    elif freed == "moved":
        change(session, had, wish(cast.chloe, lent.other_half), parties=[cast.chloe.party.id], by=cast.chloe.by,
               at=NOON)  # fmt: skip
    elif freed == "more":
        catalogue.edit(session, session.get_one(Resource, lent.chairs.id), {"quantity": 9}, by=cast.olga.by, at=NOON)
    else:
        at = NOON + 2 * DAY  # Alice's wish made it shorter
    assert turns(session, cast, at=at) == [cast.alice.party.id]


def test_who_holds_an_option_that_is_wanted_has_two_days_and_never_more(
    session: Session, cast: Cast, lent: Lent
) -> None:
    option = take(session, cast.chloe, lent.hall)
    joined = wishes.join(session, wish(cast.alice, lent.half), zone=PARIS, by=cast.alice.by, at=NOON + DAY)
    assert [view.party_id for view in joined.called] == [cast.chloe.party.id]
    assert queries.view(session, option.id, at=NOON).held_until == NOON + 3 * DAY
    again = wishes.join(session, wish(cast.bruno, lent.half), zone=PARIS, by=cast.bruno.by, at=NOON + 2 * DAY)
    assert again.called == []
    assert queries.view(session, option.id, at=NOON).held_until == NOON + 3 * DAY
    options.confirm(session, option.token, parties=[cast.chloe.party.id], by=cast.chloe.by, at=NOON + 2 * DAY)
    assert turns(session, cast, at=NOON + 3 * DAY) == []


def test_a_day_that_is_near_already_does_not_move_away(session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.chloe, lent.hall)
    joined = wishes.join(session, wish(cast.alice, lent.half), zone=PARIS, by=cast.alice.by, at=NOON + 4 * DAY)
    assert joined.called == []
    assert queries.view(session, option.id, at=NOON).held_until == NOON + 5 * DAY


def test_chairs_go_to_the_first_whose_wish_fits_whole(session: Session, cast: Cast, lent: Lent) -> None:
    four, one = (ask(session, wish(cast.chloe, (lent.chairs, many)), zone=PARIS, by=cast.chloe.by, at=NOON)
                 for many in (4, 1))  # fmt: skip
    wants_five = join(session, cast.alice, (lent.chairs, 5))
    wants_one, wants_two = join(session, cast.bruno, (lent.chairs, 1)), join(session, cast.fanny, (lent.chairs, 2))
    cancels(session, cast, one.token)
    assert turns(session, cast) == [cast.bruno.party.id]  # five aren't free: who wants one takes nothing from them
    wishes.leave(session, wants_one.token, parties=[cast.bruno.party.id], by=cast.bruno.by, at=NOON)
    cancels(session, cast, four.token)
    with pytest.raises(SlotAwaited), session.begin_nested():
        ask(session, wish(cast.zoe, (lent.chairs, 1)), zone=PARIS, by=cast.zoe.by, at=NOON)
    assert turns(session, cast) == [cast.alice.party.id]  # all five are: nobody overtakes who wants them
    assert (outcome(session, wants_five), outcome(session, wants_two)) == (None, None)


def test_who_leaves_chairs_enough_overtakes_nobody(session: Session, cast: Cast, lent: Lent) -> None:
    three, two = (ask(session, wish(cast.chloe, (lent.chairs, many)), zone=PARIS, by=cast.chloe.by, at=NOON)
                  for many in (3, 2))  # fmt: skip
    join(session, cast.alice, (lent.chairs, 3))
    for each in (three, two):
        cancels(session, cast, each.token)
    ask(session, wish(cast.zoe, (lent.chairs, 2)), zone=PARIS, by=cast.zoe.by, at=NOON)
    assert turns(session, cast) == [cast.alice.party.id]


def test_what_waits_for_several_things_has_all_or_nothing(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    both = wanting(cast.alice.party.id, lent.hall, (lent.chairs, 5))
    wishes.join(session, both, zone=PARIS, by=cast.alice.by, at=NOON)
    ask(session, wish(cast.zoe, (lent.chairs, 1)), zone=PARIS, by=cast.zoe.by, at=NOON)
    second = join(session, cast.bruno, lent.half)
    cancels(session, cast, had)
    assert turns(session, cast) == [cast.bruno.party.id]
    assert outcome(session, second) is None


def test_whom_a_rule_refuses_by_then_is_told_why_and_the_next_has_it(session: Session, cast: Cast, lent: Lent) -> None:
    had = ask(session, wish(cast.chloe, lent.dojo), zone=PARIS, by=cast.chloe.by, at=NOON)
    first = join(session, cast.alice, lent.dojo)
    join(session, cast.bruno, lent.dojo)
    spend_all(session, cast)
    cancels(session, cast, had.token)
    given = wishes.give_turns(session, cast.club.id, by=cast.system, at=NOON, today=NOON.date())
    assert [view.party_id for view in given.given] == [cast.bruno.party.id]
    assert [(one.id, one.finding and one.finding["code"]) for one in given.refused] == [(first.id, "within-floor")]
    assert outcome(session, first) == "refused"


def test_who_left_for_good_waits_no_more(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    first = join(session, cast.alice, lent.hall)
    join(session, cast.bruno, lent.hall)
    assert cast.alice.sign_in is not None
    with as_owner(session):
        session.get_one(SignIn, cast.alice.sign_in.id).active = False
        session.flush()
    cancels(session, cast, had)
    assert turns(session, cast) == [cast.bruno.party.id]
    assert outcome(session, first) == "over"


def test_who_joins(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(StillFree):
        join(session, cast.alice, lent.hall)
    books(session, cast, lent)
    join(session, cast.alice, lent.hall)
    with pytest.raises(WaitsAlready):
        join(session, cast.alice, lent.hall)
    with pytest.raises(PoolExhausted):
        join(session, cast.alice, (lent.chairs, 6))
    session.execute(text("UPDATE resources SET notice_hours = 300"))
    with pytest.raises(AskedTooLate):
        join(session, cast.bruno, lent.hall._replace(notice_hours=300))


def test_who_could_not_ask_does_not_wait(session: Session, cast: Cast, lent: Lent) -> None:
    ask(session, wish(cast.chloe, lent.dojo), zone=PARIS, by=cast.chloe.by, at=NOON)
    spend_all(session, cast)
    with pytest.raises(RuleRefuses):
        join(session, cast.alice, lent.dojo)


def test_a_party_has_twenty_places_at_most(session: Session, cast: Cast, lent: Lent) -> None:
    close(session, cast, lent.drill, hours=None)
    for hours in range(1, 21):
        join(session, cast.alice, lent.drill, hours=hours)
    with pytest.raises(TooManyWishes):
        join(session, cast.alice, lent.drill, hours=30)


def test_who_leaves_is_out_of_it_and_only_they_do(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    first = join(session, cast.alice, lent.hall)
    second = join(session, cast.bruno, lent.hall)
    seen = waiting.of_parties(session, [cast.bruno.party.id], at=NOON)
    assert [(one.id, one.before) for one in seen] == [(second.id, 1)]
    with pytest.raises(NotBookable):
        wishes.leave(session, first.token, parties=[cast.bruno.party.id], by=cast.bruno.by, at=NOON)
    wishes.leave(session, first.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    with pytest.raises(WrongState):
        wishes.leave(session, first.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    cancels(session, cast, had)
    assert turns(session, cast) == [cast.bruno.party.id]


def test_what_is_held_is_held_for_all_to_see(session: Session, cast: Cast, lent: Lent) -> None:
    had = books(session, cast, lent)
    join(session, cast.alice, lent.hall)
    cancels(session, cast, had)
    turns(session, cast)
    assert [view.option for view in queries.at_the_desk(session, cast.town.id, at=NOON, until=NOON)[0]] == ["turn"]
    coming = queries.coming(session, [cast.alice.party.id], at=NOON)
    assert [each.held_until for each in coming] == [NOON + 2 * DAY]
    assert became(session, queries.at_the_desk(session, cast.town.id, at=NOON, until=NOON)[0][0]) == "option"
