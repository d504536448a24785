"""What each function of the books writes and refuses, on a real PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from exchange.members import operations as members
from ledger.entries import Entry, Transfer
from ledger.errors import (
    AccountClosed,
    AccountExists,
    AccountLeaving,
    AccountNotSettled,
    AccountUnknown,
    CorrectionGains,
    CorrectionOfCorrection,
    EntryCorrectedAlready,
    EntryMalformed,
    EntryUnknown,
    FloorReached,
    HoldExceeded,
    HoldResolved,
    HoldUnknown,
    KeyReused,
    LimitEndsBefore,
    ReasonMissing,
)
from ledger.limits import Limits
from ledger.statements import breaks
from ledger.store import auditing, reading, writing
from tests.cast import NOON, SATURDAY, Cast
from tests.databases import as_owner
from tests.ledger.conftest import LATER, Books

FRIDAY = SATURDAY - timedelta(days=1)


def healthy(books: Books) -> None:
    """Everything that the audit recomputes agrees."""
    for finding in auditing.run(books.session, auditing.CHECKS):
        assert finding.wrong == [], finding.name


# -- posting


def test_alice_helps_bruno_and_the_books_say_so(books: Books, cast: Cast) -> None:
    number = books.give(cast.alice, cast.bruno, 90)
    assert (books.balance(cast.alice), books.balance(cast.bruno)) == (90, -90)
    [line] = reading.statement(books.session, books.account(cast.alice).id)
    assert (line.seq, line.entry, line.minutes, line.balance, line.recorded_at) == (1, number, 90, 90, LATER)
    healthy(books)


def test_a_class_of_three_is_one_entry_and_each_line_follows_the_one_before(books: Books, cast: Cast) -> None:
    pupils = (cast.bruno, cast.chloe, cast.denise)
    number = books.post(books.move(*((cast.alice, pupil, 60) for pupil in pupils))).id
    lines = reading.statement(books.session, books.account(cast.alice).id)
    assert {line.entry for line in lines} == {number}
    assert [(line.seq, line.balance) for line in lines] == [(3, 180), (2, 120), (1, 60)]
    assert breaks(lines[::-1]) == []
    healthy(books)


def test_a_chain_passes_a_floor_that_only_its_middle_would_cross(books: Books, cast: Cast) -> None:
    alice, bruno, chloe = cast.alice, cast.bruno, cast.chloe
    books.post(books.move((alice, bruno, 2500), (bruno, chloe, 1000), (bruno, alice, 900)))
    assert books.balance(cast.bruno) == -600
    healthy(books)


def test_the_floor_refuses_and_nothing_is_written(books: Books, cast: Cast) -> None:
    with pytest.raises(FloorReached) as refused, books.undone():
        books.give(cast.alice, cast.bruno, 2001)
    assert refused.value.facts == {
        "account": books.account(cast.bruno).id, "floor": -2000, "balance": 0, "held": 0, "minutes": 2001,
    }  # fmt: skip
    assert books.session.scalar(text("SELECT count(*) FROM books.entries")) == 0
    books.give(cast.alice, cast.bruno, 2000)


@pytest.mark.parametrize("who", ["alice", "bruno", "chloe"])
def test_the_floor_of_each_pupil_of_a_class_is_looked_at(books: Books, cast: Cast, who: str) -> None:
    """Whatever the place of their account among those of the entry."""
    moves = [
        (cast.denise, getattr(cast, name), 2001 if name == who else 10) for name in ("alice", "bruno", "chloe")
    ]  # fmt: skip
    with pytest.raises(FloorReached) as refused, books.undone():
        books.post(books.move(*moves))
    assert refused.value.facts["account"] == books.account(getattr(cast, who)).id


def test_a_class_said_again_under_its_key_is_the_same_and_another_one_is_refused(books: Books, cast: Cast) -> None:
    lesson = books.move((cast.alice, cast.bruno, 90), (cast.alice, cast.chloe, 90))
    first = books.post(lesson, key="lesson")
    assert (books.post(lesson, key="lesson").id, books.balance(cast.alice)) == (first.id, 180)
    for other in (
        books.move((cast.alice, cast.bruno, 90), (cast.alice, cast.chloe, 91)),
        books.move((cast.alice, cast.chloe, 90), (cast.alice, cast.bruno, 90)),
        books.move((cast.alice, cast.bruno, 90), (cast.alice, cast.chloe, 90), on=FRIDAY),
    ):
        with pytest.raises(KeyReused) as refused, books.undone():
            books.post(other, key="lesson")
        assert refused.value.facts == {"entry": first.id}
    assert books.balance(cast.alice) == 180


@pytest.mark.parametrize("side", ["from", "to"])
@pytest.mark.parametrize("stranger", ["nobody's", "another community's"])
def test_a_class_of_which_one_account_is_not_of_these_books_is_refused(
    books: Books, cast: Cast, side: str, stranger: str
) -> None:
    other = 10**9
    if stranger != "nobody's":
        with as_owner(books.session):
            sel = members.open_community(books.session, name="SEL d’à côté", system_name="Autre", at=NOON)
        found = reading.account_of(books.session, sel.id, sel.party_id)
        assert found is not None
        other = found.id
    alice, bruno = books.account(cast.alice).id, books.account(cast.bruno).id
    odd = Transfer(other, alice, 10) if side == "from" else Transfer(bruno, other, 10)
    with pytest.raises(AccountUnknown), books.undone():
        books.post(Entry("exchange", (Transfer(bruno, alice, 10), odd), SATURDAY))


@pytest.mark.parametrize(("kind", "at"), [("given", "now()"), (None, "now()"), ("released", "NULL::timestamptz")])
def test_a_resolution_of_no_kind_or_of_no_instant_is_refused(
    books: Books, cast: Cast, kind: str | None, at: str
) -> None:
    hold = books.hold(cast.bruno, cast.alice, 60)
    asked = text(
        "SELECT books.resolve_hold(:community, :hold, :kind, NULL, 'loan', CAST(:on AS date),"
        f" {at}, NULL, :party, NULL, '')"
    )
    values = {"community": books.community, "hold": hold, "kind": kind, "party": cast.system.party, "on": SATURDAY}
    with pytest.raises(DBAPIError, match="entry-malformed"), books.undone():
        books.session.execute(asked, values)
    assert books.account(cast.bruno).held == 60


def test_a_ceiling_refuses_nobody(books: Books, cast: Cast) -> None:
    books.give(cast.alice, cast.bruno, 1500)
    books.give(cast.alice, cast.chloe, 1500)
    assert books.balance(cast.alice) == 3000


def test_below_its_floor_an_account_only_comes_up(books: Books, cast: Cast) -> None:
    books.give(cast.alice, cast.bruno, 1500)
    books.exception(cast.bruno, -100)
    books.give(cast.bruno, cast.alice, 50)
    with pytest.raises(FloorReached), books.undone():
        books.give(cast.alice, cast.bruno, 1)
    healthy(books)


def test_nothing_moves_on_a_closed_account(books: Books, cast: Cast) -> None:
    move = books.move((cast.alice, cast.chloe, 60))
    books.close(cast.chloe)
    with pytest.raises(AccountClosed), books.undone():
        books.post(move)


@pytest.mark.parametrize("who", ["alice", "bruno", "chloe"])
def test_a_class_with_a_closed_account_is_refused_whatever_its_place(books: Books, cast: Cast, who: str) -> None:
    books.close(getattr(cast, who))
    with pytest.raises(AccountClosed) as refused, books.undone():
        books.post(books.move((cast.alice, cast.bruno, 10), (cast.alice, cast.chloe, 10)))
    assert refused.value.facts["account"] == books.account(getattr(cast, who)).id
    healthy(books)


def test_another_communitys_account_is_unknown(books: Books, cast: Cast) -> None:
    from exchange.members import operations as members

    with as_owner(books.session):
        other = members.open_community(books.session, name="SEL voisin", system_name="Voisin", at=NOON)
    theirs = reading.account_of(books.session, other.id, other.party_id)
    assert theirs is not None
    entry = Entry("exchange", (Transfer(books.account(cast.bruno).id, theirs.id, 60),), SATURDAY)
    with pytest.raises(AccountUnknown), books.undone():
        books.post(entry)
    with pytest.raises(AccountUnknown), books.undone():
        books.post(Entry("exchange", (Transfer(books.account(cast.bruno).id, 999_999, 60),), SATURDAY))


@pytest.mark.parametrize("days", [-60_000, 2, 400])
def test_a_day_that_cannot_be_is_refused(books: Books, cast: Cast, days: int) -> None:
    with pytest.raises(EntryMalformed), books.undone():
        books.post(books.move((cast.alice, cast.bruno, 60), on=SATURDAY + timedelta(days=days)))


def test_when_the_clock_goes_back_the_books_do_not(books: Books, cast: Cast) -> None:
    books.give(cast.alice, cast.bruno, 60)
    late = books.post(books.move((cast.bruno, cast.chloe, 30), on=FRIDAY), at=LATER - timedelta(days=1))
    assert late.recorded_at == LATER
    healthy(books)


def test_an_entry_of_several_is_recorded_after_what_each_of_its_accounts_knows(books: Books, cast: Cast) -> None:
    for latest in (cast.alice, cast.chloe, cast.denise):
        tomorrow = LATER + timedelta(days=1 + latest.party.id)
        books.post(books.move((cast.bruno, latest, 10), on=SATURDAY), at=tomorrow)
        others = [each for each in (cast.alice, cast.chloe, cast.denise) if each is not latest]
        late = books.post(books.move(*((latest, other, 1) for other in others)))
        assert late.recorded_at == tomorrow
    healthy(books)


def test_words_that_no_database_keeps_are_refused(books: Books, cast: Cast) -> None:
    move = books.move((cast.alice, cast.bruno, 60))
    for note in ("\x00", "\ud800"):
        with pytest.raises(EntryMalformed), books.undone():
            books.post(Entry(move.kind, move.transfers, move.happened_on, None, note))


# -- one key


def test_the_same_key_and_content_answer_the_first_entry(books: Books, cast: Cast) -> None:
    first = books.post(books.move((cast.alice, cast.bruno, 60)), key="once")
    again = books.post(books.move((cast.alice, cast.bruno, 60)), key="once", at=LATER + timedelta(days=3))
    assert (again.id, again.recorded_at, again.replayed) == (first.id, first.recorded_at, True)
    assert books.balance(cast.alice) == 60


def test_the_first_answer_comes_even_when_the_account_could_not_pay_again(books: Books, cast: Cast) -> None:
    first = books.post(books.move((cast.alice, cast.bruno, 2000)), key="once")
    assert books.post(books.move((cast.alice, cast.bruno, 2000)), key="once").id == first.id


def test_the_same_key_with_other_content_is_refused(books: Books, cast: Cast) -> None:
    first = books.post(books.move((cast.alice, cast.bruno, 60)), key="once")
    for move in ((cast.alice, cast.bruno, 61), (cast.chloe, cast.denise, 60)):
        with pytest.raises(KeyReused) as refused, books.undone():
            books.post(books.move(move), key="once")
        assert refused.value.facts == {"entry": first.id}


def test_a_refused_attempt_frees_its_key(books: Books, cast: Cast) -> None:
    with pytest.raises(FloorReached), books.undone():
        books.post(books.move((cast.alice, cast.bruno, 2001)), key="once")
    assert not books.post(books.move((cast.alice, cast.bruno, 60)), key="once").replayed


def test_two_parties_may_use_one_key(books: Books, cast: Cast) -> None:
    books.post(books.move((cast.alice, cast.bruno, 60)), key="mine", by=cast.bruno.by)
    assert not books.post(books.move((cast.alice, cast.chloe, 60)), key="mine", by=cast.chloe.by).replayed


# -- corrections


def test_a_correction_is_the_mirror_and_comes_once(books: Books, cast: Cast) -> None:
    number = books.post(books.move((cast.alice, cast.bruno, 60), (cast.alice, cast.chloe, 30))).id
    assert number is not None
    first = books.reverse(number, key="fix")
    assert books.reverse(number, key="fix").id == first.id
    assert [books.balance(one) for one in (cast.alice, cast.bruno, cast.chloe)] == [0, 0, 0]
    with pytest.raises(EntryCorrectedAlready), books.undone():
        books.reverse(number)
    with pytest.raises(CorrectionOfCorrection), books.undone():
        books.reverse(first.id or 0)
    healthy(books)


def test_a_correction_may_leave_an_account_below_its_floor(books: Books, cast: Cast) -> None:
    number = books.give(cast.bruno, cast.alice, 1000)
    books.give(cast.chloe, cast.bruno, 1500)
    books.give(cast.denise, cast.bruno, 1400)
    books.reverse(number)
    assert books.balance(cast.bruno) == -2900
    healthy(books)


def test_who_gains_does_not_correct(books: Books, cast: Cast) -> None:
    number = books.give(cast.alice, cast.bruno, 60)
    with pytest.raises(CorrectionGains), books.undone():
        books.reverse(number, by=cast.bruno.by)
    books.reverse(number, by=cast.alice.by)


def test_the_communitys_own_account_is_nobodys_gain(books: Books, cast: Cast) -> None:
    sel = reading.account_of(books.session, books.community, cast.community.party_id)
    assert sel is not None
    opening = Entry("opening", (Transfer(sel.id, books.account(cast.alice).id, 120),), SATURDAY)
    number = books.post(opening).id
    administrator = cast.aicha.by._replace(party=cast.community.party_id)
    books.reverse(number or 0, by=administrator)
    assert books.balance(cast.alice) == 0


def test_a_correction_says_why_and_of_what(books: Books, cast: Cast) -> None:
    number = books.give(cast.alice, cast.bruno, 60)
    for reason in ("", "  ", "...", "\u00a0"):
        with pytest.raises(ReasonMissing), books.undone():
            writing.reverse(books.session, number, community=books.community, key="k", reason=reason,
                            happened_on=SATURDAY, by=cast.system, at=LATER)  # fmt: skip
    with pytest.raises(EntryUnknown), books.undone():
        books.reverse(number + 1)


# -- holds


def test_held_minutes_count_for_the_floor_until_they_are_given_back(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 1500)
    with pytest.raises(FloorReached), books.undone():
        books.give(cast.chloe, cast.bruno, 501)
    with pytest.raises(FloorReached), books.undone():
        books.hold(cast.bruno, cast.chloe, 501)
    books.release(hold)
    books.give(cast.chloe, cast.bruno, 501)
    assert books.account(cast.bruno).held == 0
    healthy(books)


def test_who_leaves_sets_aside_no_more_than_they_have_and_nothing_is_set_aside_for_them(
    books: Books, cast: Cast
) -> None:
    books.give(cast.bruno, cast.alice, 60)
    books.leave(cast.bruno)
    books.leave(cast.chloe)
    first = books.hold(cast.bruno, cast.alice, 40)
    with pytest.raises(AccountLeaving), books.undone():
        books.hold(cast.bruno, cast.alice, 21)
    books.hold(cast.bruno, cast.alice, 20)
    for payer in (cast.alice, cast.fanny):  # below and above the other's place among accounts
        with pytest.raises(AccountLeaving), books.undone():
            books.hold(payer, cast.chloe, 1)
    with pytest.raises(AccountLeaving), books.undone():
        books.hold(cast.chloe, cast.alice, 1)
    books.release(first)
    books.hold(cast.bruno, cast.alice, 40)
    healthy(books)


def test_a_hold_posts_less_and_releases_the_rest(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 120)
    books.post_hold(hold, 45)
    assert (books.balance(cast.bruno), books.account(cast.bruno).held) == (-45, 0)
    healthy(books)


CALLS = {
    "hold": "books.hold(:community, 'k', NULL, NULL, CAST(:at AS timestamptz), NULL, :party, NULL,"
    " :payer, :payee, :minutes)",
    "close_month": "books.close_month(:community, CAST(:month AS date), CAST(:at AS timestamptz), NULL, :party, NULL)",
    "leave_account": "books.leave_account(:community, :payer, CAST(:at AS timestamptz), 'Part', NULL, :party, NULL)",
}  # the functions as somebody would call them who holds the web role's password and writes what they like


@pytest.mark.parametrize(
    ("function", "wrong"),
    [("hold", {"at": None}), ("hold", {"payee": "payer"}), ("hold", {"payee": None}), ("hold", {"minutes": 0}),
     ("hold", {"minutes": None}), ("close_month", {"at": None}), ("close_month", {"month": None}),
     ("close_month", {"month": "2026-10-02"}), ("leave_account", {"at": None})],
)  # fmt: skip
def test_a_call_that_makes_no_sense_is_refused_and_the_same_made_whole_is_not(
    books: Books, cast: Cast, function: str, wrong: dict[str, object]
) -> None:
    whole: dict[str, object] = {
        "community": books.community, "party": cast.system.party, "at": LATER, "minutes": 10, "month": "2026-10-01",
        "payer": books.account(cast.bruno).id, "payee": books.account(cast.alice).id,
    }  # fmt: skip
    call = text(f"SELECT {CALLS[function]}")
    values = whole | {name: whole["payer"] if value == "payer" else value for name, value in wrong.items()}
    with pytest.raises(DBAPIError), books.undone():
        books.session.execute(call, values)
    books.session.execute(call, whole)


def test_who_leaves_does_so_after_what_their_account_knows(books: Books, cast: Cast) -> None:
    late = LATER + timedelta(days=1)
    books.give(cast.alice, cast.bruno, 10, at=late)
    books.leave(cast.bruno)
    assert books.account(cast.bruno).leaving_at == late
    assert books.post(books.move((cast.bruno, cast.alice, 5))).recorded_at == late
    healthy(books)


def test_a_class_counts_what_its_pupils_have_set_aside(books: Books, cast: Cast) -> None:
    books.hold(cast.bruno, cast.chloe, 1900)
    for minutes, right in ((101, False), (100, True)):
        moves = books.move((cast.alice, cast.bruno, minutes), (cast.alice, cast.chloe, 10))
        if right:
            books.post(moves)
        else:
            with pytest.raises(FloorReached) as refused, books.undone():
                books.post(moves)
            assert refused.value.facts["held"] == 1900
    healthy(books)


def test_of_a_hold_one_minute_is_posted_no_less_and_no_more_than_all(books: Books, cast: Cast) -> None:
    for minutes, right in ((0, False), (1, True), (120, True), (121, False)):
        hold = books.hold(cast.bruno, cast.alice, 120)
        if right:
            books.post_hold(hold, minutes)
        else:
            with pytest.raises(HoldExceeded), books.undone():
                books.post_hold(hold, minutes)
    healthy(books)


def test_a_resolution_is_never_recorded_before_what_its_accounts_know(books: Books, cast: Cast) -> None:
    first, second = books.hold(cast.bruno, cast.alice, 60), books.hold(cast.bruno, cast.alice, 60)
    late = LATER + timedelta(days=1)
    books.give(cast.alice, cast.chloe, 10, at=late)
    assert books.post_hold(first, 30).recorded_at == late
    later = late + timedelta(hours=1)
    assert books.post_hold(second, 30, at=later).recorded_at == later
    other, latest = books.hold(cast.bruno, cast.alice, 60, at=later), later + timedelta(hours=1)
    books.give(cast.chloe, cast.bruno, 10, at=latest)  # this time the payer knows more than who is paid
    assert books.post_hold(other, 30).recorded_at == latest
    healthy(books)


def test_posting_a_hold_never_fails_on_a_limit(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 1500)
    books.exception(cast.bruno, 0)
    books.post_hold(hold, 1500)
    assert books.balance(cast.bruno) == -1500
    healthy(books)


def test_a_hold_has_one_resolution_and_a_retry_finds_it(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 120)
    first = books.post_hold(hold, 100)
    assert books.post_hold(hold, 100).id == first.id
    with pytest.raises(HoldResolved), books.undone():
        books.post_hold(hold, 99)
    for expired in (False, True):
        with pytest.raises(HoldResolved), books.undone():
            books.release(hold, expired=expired)
    assert books.balance(cast.bruno) == -100


def test_a_hold_expires_once(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 120)
    books.release(hold, expired=True)
    assert books.release(hold, expired=True).replayed
    with pytest.raises(HoldResolved), books.undone():
        books.release(hold)


@pytest.mark.parametrize("minutes", [0, -5, 121])
def test_a_hold_posts_what_it_set_aside_at_most(books: Books, cast: Cast, minutes: int) -> None:
    hold = books.hold(cast.bruno, cast.alice, 120)
    with pytest.raises(HoldExceeded), books.undone():
        books.post_hold(hold, minutes)


def test_a_hold_that_is_not_there_and_a_key_used_again(books: Books, cast: Cast) -> None:
    with pytest.raises(HoldUnknown), books.undone():
        books.release(12345)
    hold = books.hold(cast.bruno, cast.alice, 120, key="booking:1")
    assert books.hold(cast.bruno, cast.alice, 120, key="booking:1") == hold
    with pytest.raises(KeyReused), books.undone():
        books.hold(cast.bruno, cast.alice, 121, key="booking:1")


def test_an_entry_that_took_the_key_of_a_hold_is_not_mistaken_for_it(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 120)
    books.post(books.move((cast.alice, cast.bruno, 120)), key=f"hold:{hold}")
    with pytest.raises(KeyReused), books.undone():
        books.post_hold(hold, 120)


# -- accounts


def test_an_account_closes_at_zero_with_nothing_held_on_it_or_for_it(books: Books, cast: Cast) -> None:
    number = books.give(cast.alice, cast.bruno, 60)
    with pytest.raises(AccountNotSettled) as refused, books.undone():
        books.close(cast.alice)
    assert refused.value.facts == {"balance": 60, "held": 0, "awaited": 0}
    books.reverse(number)
    hold = books.hold(cast.bruno, cast.alice, 30)
    for who in (cast.alice, cast.bruno):
        with pytest.raises(AccountNotSettled), books.undone():
            books.close(who)
    books.release(hold)
    books.close(cast.alice)
    with pytest.raises(AccountClosed), books.undone():
        books.close(cast.alice)
    healthy(books)


def test_an_account_is_never_closed_before_what_it_knows(books: Books, cast: Cast) -> None:
    tomorrow = LATER + timedelta(days=1)
    books.reverse(books.give(cast.alice, cast.bruno, 60, at=tomorrow), at=tomorrow)
    books.close(cast.alice)
    assert books.account(cast.alice).closed_at == tomorrow
    closed = text("SELECT recorded_at FROM books.account_events WHERE kind = 'closed'")
    assert books.session.scalar(closed) == tomorrow


def test_a_party_has_one_account_in_a_community(books: Books, cast: Cast) -> None:
    with pytest.raises(AccountExists), books.undone():
        writing.open_account(
            books.session, community=books.community, party=cast.alice.party.id, kind="person",
            holder="Alice", at=LATER,
        )


def test_an_account_opened_after_the_clock_went_back_is_under_the_defaults_all_the_same(
    books: Books, cast: Cast
) -> None:
    writing.open_account(
        books.session, community=books.community, party=cast.zoe.party.id, kind="person", holder="Zoé",
        at=NOON - timedelta(days=2),
    )
    assert books.account(cast.zoe).floor == -2000
    healthy(books)


# -- limits


def test_an_exception_holds_between_its_dates_and_then_no_more(books: Books, cast: Cast) -> None:
    starts, ends = LATER + timedelta(days=1), LATER + timedelta(days=3)
    books.exception(cast.bruno, -3000, starts=starts, ends=ends)
    move = books.move((cast.alice, cast.bruno, 2500))
    with pytest.raises(FloorReached), books.undone():
        books.post(move, at=starts - timedelta(seconds=1))
    with pytest.raises(FloorReached), books.undone():
        books.post(move, at=ends)
    books.post(move, at=starts)
    assert books.account(cast.bruno).floor == -3000
    books.give(cast.bruno, cast.alice, 1, at=ends)
    assert books.account(cast.bruno).floor == -2000
    healthy(books)


def test_a_hold_too_is_judged_by_the_limits_of_its_day(books: Books, cast: Cast) -> None:
    books.exception(cast.bruno, 0, ends=LATER + timedelta(days=1))
    with pytest.raises(FloorReached), books.undone():
        books.hold(cast.bruno, cast.alice, 1)
    books.hold(cast.bruno, cast.alice, 2000, at=LATER + timedelta(days=1))
    healthy(books)


def test_a_new_default_binds_every_account_of_its_kind(books: Books, cast: Cast) -> None:
    writing.set_limit(books.session, Limits(-60), community=books.community, kind="person", starts_at=LATER,
                      reason="Assemblée", by=cast.system, at=LATER)  # fmt: skip
    with pytest.raises(FloorReached), books.undone():
        books.give(cast.alice, cast.denise, 61)
    healthy(books)


def test_a_default_decided_in_advance_binds_from_its_day(books: Books, cast: Cast) -> None:
    books.give(cast.alice, cast.denise, 1)  # who knows its limits does not ask for them again before they change
    starts = LATER + timedelta(days=1)
    writing.set_limit(books.session, Limits(-60), community=books.community, kind="person", starts_at=starts,
                      reason="Assemblée", by=cast.system, at=LATER)  # fmt: skip
    books.give(cast.alice, cast.denise, 60)
    with pytest.raises(FloorReached) as refused, books.undone():
        books.give(cast.alice, cast.denise, 1, at=starts)
    assert refused.value.facts["floor"] == -60
    healthy(books)


def test_a_limit_never_begins_in_the_past(books: Books, cast: Cast) -> None:
    books.give(cast.alice, cast.bruno, 1500)
    books.exception(cast.bruno, 0, starts=LATER - timedelta(days=9), ends=LATER + timedelta(days=1))
    healthy(books)


def test_an_exception_ends_after_it_begins_and_says_why(books: Books, cast: Cast) -> None:
    with pytest.raises(LimitEndsBefore), books.undone():
        books.exception(cast.bruno, 0, ends=LATER)
    with pytest.raises(ReasonMissing), books.undone():
        writing.set_limit(books.session, Limits(0), community=books.community, kind="person", starts_at=LATER,
                          reason=" ", by=cast.system, at=LATER)  # fmt: skip
    with pytest.raises(AccountUnknown), books.undone():
        writing.set_limit(books.session, Limits(0), community=books.community, account=99999, starts_at=LATER,
                          ends_at=LATER + timedelta(days=1), reason="x", by=cast.system, at=LATER)  # fmt: skip


# -- months


def test_a_late_fact_counts_in_the_month_that_follows_the_last_one_closed(books: Books, cast: Cast) -> None:
    def close(month: int) -> tuple[int, int, int]:
        writing.close_month(books.session, date(2026, month, 1), community=books.community, by=cast.system, at=december)
        figures = text("SELECT entries, minutes, late FROM books.months WHERE month = :month")
        return tuple(books.session.execute(figures, {"month": date(2026, month, 1)}).one())

    december = LATER + timedelta(days=20)
    books.post(books.move((cast.alice, cast.bruno, 30), on=date(2026, 9, 5)))
    assert close(9) == (1, 30, 0)
    assert close(10) == (0, 0, 0)
    books.post(books.move((cast.alice, cast.bruno, 20), on=date(2026, 9, 6)))
    books.give(cast.alice, cast.bruno, 10)
    assert close(11) == (2, 30, 1)
