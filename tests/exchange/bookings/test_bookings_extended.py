"""More time for what is out; what is late keeps its place, and those who wait for it are in danger."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import tasks
from exchange.bookings import extending, inventories, queries
from exchange.bookings.operations import accept, ask, hand_over, take_back
from exchange.bookings.policy import Back
from exchange.errors import ExtensionWaits, NotLater, PoolExhausted, SlotTaken, TooLong, WrongState
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.entries import Acting
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_bookings_handed_over import by_olga, seen
from tests.exchange.bookings.test_bookings_uncollected import accepted, balance, for_drill
from tests.lent import Lent

PARIS = "Europe/Paris"
ENDS = NEXT_WEEK + timedelta(hours=4)
DURING = NEXT_WEEK + timedelta(hours=1)
LATER = ENDS + timedelta(hours=3)


@pytest.fixture
def drill(session: Session, cast: Cast, lent: Lent) -> str:
    """Alice has the drill until four."""
    token = for_drill(session, cast, lent)
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
    return token


def longer(session: Session, cast: Cast, token: str, until: datetime = LATER, at: datetime = DURING) -> bool:
    outcome = extending.ask(session, token, until, parties=[cast.alice.party.id], reason="Il pleut", by=cast.alice.by,
                            at=at)  # fmt: skip
    return outcome.granted


def bruno_follows(session: Session, cast: Cast, lent: Lent, hours: int = 1) -> str:
    wish = wanting(cast.bruno.party.id, lent.drill, starts=ENDS + timedelta(hours=hours))
    token = ask(session, wish, zone=PARIS, by=cast.bruno.by, at=NOON).token
    accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    return token


def free(session: Session, lent: Lent, starts: datetime, who: Person, cast: Cast) -> bool:
    try:
        with session.begin_nested():
            ask(session, wanting(who.party.id, lent.drill, starts=starts, hours=1), zone=PARIS, by=who.by, at=DURING)
    except SlotTaken:
        return False
    return True


def test_when_nobody_follows_it_is_had_at_once_and_its_place_with_it(
    session: Session, cast: Cast, lent: Lent, drill: str
) -> None:
    assert longer(session, cast, drill)
    assert seen(session, cast, drill).ends_at == LATER
    assert not free(session, lent, LATER - timedelta(hours=1), cast.bruno, cast)
    assert free(session, lent, LATER, cast.bruno, cast)


def test_when_somebody_follows_the_officer_is_asked(session: Session, cast: Cast, lent: Lent, drill: str) -> None:
    bruno_follows(session, cast, lent)
    assert not longer(session, cast, drill)
    found = seen(session, cast, drill)
    assert (found.ends_at, found.wanted_until) == (ENDS, LATER)
    with pytest.raises(ExtensionWaits), session.begin_nested():
        longer(session, cast, drill)
    with pytest.raises(SlotTaken), session.begin_nested():
        extending.grant(session, drill, lender=cast.town.id, by=cast.olga.by, at=DURING)
    extending.decline(session, drill, lender=cast.town.id, text="Bruno l’attend", by=cast.olga.by, at=DURING)
    (told,) = inventories.of(session, seen(session, cast, drill)).extensions
    assert (told.verdict, told.text) == ("declined", "Bruno l’attend")
    with pytest.raises(WrongState):
        extending.decline(session, drill, lender=cast.town.id, text="", by=cast.olga.by, at=DURING)


def test_what_costs_by_the_hour_costs_more_and_is_counted_with_the_last_return(
    session: Session, cast: Cast, lent: Lent
) -> None:
    price = Rule("", "tariff", "Usure", resource=lent.dojo.id, starts_on=NOON.date(), community=cast.community.id,
                 minutes=30, per="hour")  # fmt: skip
    club = Acting(None, cast.club.id)
    rules.write_rule(session, price, lender=cast.club.id, by=club, at=NOON)
    token = ask(session, wanting(cast.alice.party.id, lent.dojo), zone=PARIS, by=cast.alice.by, at=NOON).token
    accept(session, token, lender=cast.club.id, by=club, at=NOON)
    hand_over(session, token, lender=cast.club.id, remarks="", by=club, at=NEXT_WEEK)
    held = balance(session, cast)[1]
    assert longer(session, cast, token, ENDS + timedelta(hours=2))
    assert balance(session, cast) == (0, held + held // 2)
    take_back(session, token, lender=cast.club.id, remarks="", by=club, at=DURING)
    assert balance(session, cast) == (-(held + held // 2), 0)


def test_only_what_is_still_out_is_kept_longer(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, (lent.chairs, 5)))
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(3)})
    assert longer(session, cast, token)
    assert queries.left_in(session, [lent.chairs.id], ENDS, LATER, at=NOON)[lent.chairs.id] == 3
    wish = wanting(cast.bruno.party.id, (lent.chairs, 4), starts=ENDS, hours=1)
    with pytest.raises(PoolExhausted):
        ask(session, wish, zone=PARIS, by=cast.bruno.by, at=DURING)


@pytest.mark.parametrize(
    ("until", "refused"), [(ENDS, NotLater), (DURING, NotLater), (ENDS + timedelta(days=32), TooLong)]
)
def test_more_time_is_later_and_not_for_ever(
    session: Session, cast: Cast, drill: str, until: datetime, refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        longer(session, cast, drill, until)


def test_what_has_come_back_is_extended_no_more(session: Session, cast: Cast, lent: Lent, drill: str) -> None:
    bruno_follows(session, cast, lent)
    longer(session, cast, drill)
    take_back(session, drill, **by_olga(cast), at=DURING)
    with pytest.raises(WrongState):
        longer(session, cast, drill)
    (told,) = inventories.of(session, seen(session, cast, drill)).extensions
    assert told.verdict == "lapsed"


# What is late


def follow(session: Session, at: datetime) -> None:
    session.commit()
    with freeze_time(at):
        tasks.follow_bookings(0)


def test_what_is_late_keeps_its_place_a_week_ahead_or_until_the_next(
    session: Session, cast: Cast, lent: Lent, drill: str
) -> None:
    bruno_follows(session, cast, lent, hours=48)
    follow(session, ENDS + timedelta(minutes=5))
    assert not free(session, lent, ENDS + timedelta(hours=2), cast.chloe, cast)
    assert not free(session, lent, ENDS + timedelta(hours=47), cast.chloe, cast)
    assert free(session, lent, ENDS + timedelta(hours=60), cast.chloe, cast)
    take_back(session, drill, **by_olga(cast), at=LATER)
    assert free(session, lent, ENDS + timedelta(hours=4), cast.chloe, cast)


def test_of_a_pool_only_so_many_as_are_late_keep_their_place(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, (lent.chairs, 3)))
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
    tomorrow = ENDS + timedelta(days=1)
    other = accepted(session, cast, wanting(cast.bruno.party.id, (lent.chairs, 4), starts=tomorrow))
    follow(session, ENDS + timedelta(minutes=5))
    assert queries.left_in(session, [lent.chairs.id], ENDS, LATER, at=NOON)[lent.chairs.id] == 2
    (found,) = inventories.endangered(session, cast.town.id, at=LATER)
    assert (found.loan, found.token, found.holder) == (token, other, "Alice")
    take_back(session, token, **by_olga(cast), at=LATER, items={lent.chairs.id: Back(2)})
    assert inventories.endangered(session, cast.town.id, at=LATER) == []


def test_granting_time_to_what_was_late_gives_the_rest_back(
    session: Session, cast: Cast, lent: Lent, drill: str
) -> None:
    at = ENDS + timedelta(minutes=5)
    follow(session, at)
    assert longer(session, cast, drill, LATER, at=at)
    assert free(session, lent, LATER, cast.chloe, cast)


def letters(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT recipient || ' ' || subject FROM outbox WHERE subject LIKE 'En retard%'"
                                     " OR subject LIKE 'À rendre%' ORDER BY id")))  # fmt: skip


def test_letters_remind_the_day_before_and_when_late_once_each(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, lent.drill, hours=72))
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
    ends = NEXT_WEEK + timedelta(hours=72)
    follow(session, ends - timedelta(hours=25))
    assert letters(session) == []
    for _round in range(2):
        follow(session, ends - timedelta(hours=23))
    soon = "alice@example.org À rendre bientôt\u00a0: Perceuse"
    assert letters(session) == [soon]
    for _round in range(2):
        follow(session, ends + timedelta(hours=3))
    assert letters(session) == [
        soon, "alice@example.org En retard\u00a0: Perceuse", "olga@example.org En retard chez Alice\u00a0: Perceuse",
    ]  # fmt: skip


# Pages


def test_alice_asks_on_her_page_and_olga_answers_on_hers(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, drill: str
) -> None:
    bruno_follows(session, cast, lent)
    desk = f"/preteurs/{cast.town.token}"
    with freeze_time(DURING):
        alice, olga = sign_in(client, cast.alice), sign_in(client.application.test_client(), cast.olga)
        page = f"/reservations/{drill}/prolongation"
        assert alice.post(page, data={"day": "2026-11-28", "ends": "10h"}).status_code == 422
        assert alice.post(page, data={"day": "2026-11-28", "ends": "20h", "reason": "Il pleut"}).status_code == 303
        again = alice.post(page, data={"day": "2026-11-28", "ends": "21h"})
        assert (again.status_code, "déjà demandée" in again.text) == (409, True)
        assert "Plus de temps demandé" in olga.get(f"{desk}/demandes").text
        answer = f"{desk}/reservations/{drill}/prolongation"
        assert "Il pleut" in olga.get(answer).text
        refused = olga.post(f"{answer}/accord")
        assert refused.status_code == 409
        assert "« Perceuse » est déjà pris" in refused.text.replace("\u00a0", " ")
        assert olga.post(f"{answer}/refus", data={"text": ""}).status_code == 422
        assert olga.post(f"{answer}/refus", data={"text": "Bruno l’attend"}).status_code == 303
        assert "Bruno l’attend" in alice.get(f"/reservations/{drill}").text
    with freeze_time(ENDS + timedelta(minutes=10)):
        listed = olga.get(f"{desk}/demandes").text
        assert "Réservations en danger" in listed
        assert "Encore chez Alice." in listed

