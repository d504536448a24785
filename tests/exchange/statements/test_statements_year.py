"""A year of an account, and of a community, in pictures that say what the books say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.declarations import operations, queries
from exchange.declarations.operations import Exchange
from exchange.members.models import Party
from exchange.statements import pictures
from ledger.store import reading, writing
from tests.cast import NOON, SATURDAY, Cast, Person, gather, sign_in
from tests.databases import as_owner

PARIS = "Europe/Paris"


@pytest.fixture
def cast(session: Session) -> Cast:
    """The cast, who opened their accounts long before: nothing is recorded before its account."""
    with as_owner(session):
        return gather(session, at=datetime(2025, 1, 1, 10, tzinfo=UTC))


def helped(
    session: Session, giver: Person, receiver: Person, minutes: int, on: datetime, nature: str = "service"
) -> int:
    """Said by who was helped, that day."""
    assert giver.account is not None
    assert receiver.account is not None
    said = Exchange(giver.account, receiver.account, minutes, on.date(), nature, "Haie")
    made = operations.declare(session, said, answer_days=30, today=on.date(), by=receiver.by, at=on)
    answer = queries.answer(session, made.id)
    assert answer is not None
    assert answer.entry_id is not None
    return answer.entry_id


def in_month(number: int, day: int = 10) -> datetime:
    return datetime(2026, number, day, 10, tzinfo=UTC)


@pytest.fixture
def autumn(session: Session, cast: Cast) -> int:
    """Alice and Bruno from September on; the number of what was a mistake."""
    helped(session, cast.alice, cast.bruno, 90, in_month(9))
    helped(session, cast.bruno, cast.alice, 30, in_month(9, 20), "knowledge")
    helped(session, cast.alice, cast.bruno, 60, in_month(11, 2))
    return helped(session, cast.alice, cast.bruno, 500, in_month(11, 3))


def year_of(session: Session, person: Person) -> pictures.Year:
    assert person.account is not None
    account = reading.account_within(session, person.account.token, parties=[person.party.id])
    assert account is not None
    return pictures.of_account(session, account.id, seq=account.seq, today=SATURDAY, zone=PARIS)


def test_each_month_has_what_came_and_went_and_the_balance_at_its_end(
    session: Session, cast: Cast, autumn: int
) -> None:
    year = year_of(session, cast.alice)
    assert [month.first for month in year.months][::12] == [date(2025, 11, 1), date(2026, 11, 1)]
    assert [month[1:] for month in year.months[-3:]] == [(90, 30, 60), (0, 0, 60), (560, 0, 620)]
    assert {month[1:] for month in year.months[:-3]} == {(0, 0, 0)}
    assert year.shares == [("service", 650), ("knowledge", 30)]


def test_what_was_corrected_is_no_longer_what_time_was_for(session: Session, cast: Cast, autumn: int) -> None:
    writing.reverse(session, autumn, community=cast.community.id, key="x", reason="Erreur", happened_on=SATURDAY,
                    by=cast.system, at=NOON)  # fmt: skip
    year = year_of(session, cast.alice)
    assert year.shares == [("service", 150), ("knowledge", 30)]
    assert year.months[-1].balance == 120
    flows, shares = pictures.of_community(session, cast.community.id, today=SATURDAY)
    assert [flow.minutes for flow in flows[-3:]] == [120, 0, 60]
    assert shares == [("service", 150), ("knowledge", 30)]


def test_a_balance_of_before_the_year_is_kept_through_the_months_without_an_exchange(
    session: Session, cast: Cast
) -> None:
    helped(session, cast.alice, cast.bruno, 90, datetime(2025, 3, 1, 10, tzinfo=UTC))
    assert {month.balance for month in year_of(session, cast.alice).months} == {90}


def test_a_year_goes_back_to_the_same_month_of_the_year_before() -> None:
    assert pictures.months_before(date(2026, 1, 31))[0] == date(2025, 1, 1)
    assert pictures.months_before(date(2026, 12, 1))[-1] == date(2026, 12, 1)
    assert len(pictures.months_before(date(2024, 2, 29))) == 13


def test_the_pages_say_it_in_tables_and_an_empty_year_invites(app: Flask, session: Session, cast: Cast) -> None:
    desk = session.get_one(Party, cast.community.party_id).token
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        alice = sign_in(app.test_client(), cast.alice)
        assert cast.alice.account is not None
        pages = (f"/comptes/{cast.alice.account.token}/annee", f"/communautes/{desk}/annee")
        assert all("Rien encore cette année" in alice.get(page).text for page in pages)
        helped(session, cast.alice, cast.bruno, 90, in_month(9))
        mine, all_ = (alice.get(page).text.replace("\u00a0", " ") for page in pages)
        assert "<td>90 marrons (1 h 30)</td>" in mine.replace(' class="number"', "")
        assert "septembre 2026" in all_
        assert "Bruno" not in all_
        assert "style=" not in mine + all_
