"""What was broken may cost something: only its holder's act takes minutes, and a mediator settles what is contested."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.audit import queries as audit
from exchange.bookings import damages
from exchange.bookings.damages import DamageView
from exchange.bookings.operations import accept, ask, hand_over
from exchange.errors import DamageUncountable, Invalid, MediatesOwn, NotFound, WrongState, refusal_of
from ledger.errors import FloorReached
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_bookings_handed_over import by_olga
from tests.exchange.bookings.test_bookings_uncollected import balance, for_drill
from tests.lent import Lent
from tests.world import members_token

AT = NEXT_WEEK


@pytest.fixture
def drill(session: Session, cast: Cast, lent: Lent) -> str:
    token = for_drill(session, cast, lent)
    hand_over(session, token, **by_olga(cast), at=AT)
    return token


def propose(session: Session, cast: Cast, booking: str, *, minutes: int | None = 60, cents: int | None = None) -> str:
    return damages.propose(session, booking, lender=cast.town.id, words="Un mandrin cassé", minutes=minutes,
                           cents=cents, by=cast.olga.by, at=AT).token  # fmt: skip


def by(who: Person) -> dict[str, Any]:
    return {"parties": [who.party.id], "by": who.by, "at": AT}


def contest(session: Session, cast: Cast, token: str) -> DamageView:
    return damages.contest(session, token, text="Il était déjà cassé", **by(cast.alice))


def settle(session: Session, cast: Cast, token: str, outcome: str, amount: int | None = None) -> DamageView:
    seen = damages.of_lender(session, token, cast.town.id)
    return damages.mediate(session, seen, outcome, amount=amount, text="Entendu", own=[cast.fanny.party.id],
                           by=cast.fanny.by, at=AT)  # fmt: skip


def test_nothing_moves_before_its_holder_accepts_and_then_once(session: Session, cast: Cast, drill: str) -> None:
    token = propose(session, cast, drill)
    assert balance(session, cast) == (0, 0)
    assert damages.accept(session, token, **by(cast.alice)).state == "paid"
    assert balance(session, cast) == (-60, 0)
    with pytest.raises(WrongState):
        damages.accept(session, token, **by(cast.alice))
    with pytest.raises(WrongState):
        contest(session, cast, token)
    assert balance(session, cast) == (-60, 0)
    assert [said for finding in audit.checks(session, at=AT) for said in finding.wrong] == []


def test_what_is_maintained_waits_for_its_holder_too(session: Session, cast: Cast, drill: str) -> None:
    token = propose(session, cast, drill)
    assert contest(session, cast, token).state == "contested"
    with pytest.raises(WrongState):
        damages.accept(session, token, **by(cast.alice))
    assert settle(session, cast, token, "maintained").state == "due"
    assert balance(session, cast) == (0, 0)
    assert [each.token for each in damages.open_of(session, cast.town.id)] == [token]
    damages.accept(session, token, **by(cast.alice))
    assert balance(session, cast) == (-60, 0)
    assert damages.open_of(session, cast.town.id) == []


def test_what_is_lowered_costs_less_and_what_is_dropped_nothing(session: Session, cast: Cast, drill: str) -> None:
    lowered, dropped = propose(session, cast, drill), propose(session, cast, drill)
    for token in (lowered, dropped):
        contest(session, cast, token)
    for wrong in (60, 61, 0, None):
        with pytest.raises(Invalid):
            settle(session, cast, lowered, "lowered", wrong)
    assert settle(session, cast, lowered, "lowered", 20).minutes == 20
    assert settle(session, cast, dropped, "dropped").state == "dropped"
    with pytest.raises(WrongState):
        damages.accept(session, dropped, **by(cast.alice))
    damages.accept(session, lowered, **by(cast.alice))
    assert balance(session, cast) == (-20, 0)


def test_euros_are_noted_and_move_no_minute(session: Session, cast: Cast, drill: str) -> None:
    token = propose(session, cast, drill, minutes=None, cents=1250)
    with pytest.raises(WrongState):
        damages.note_received(session, token, lender=cast.town.id, by=cast.olga.by, at=AT)
    assert damages.accept(session, token, **by(cast.alice)).state == "due"
    assert damages.note_received(session, token, lender=cast.town.id, by=cast.olga.by, at=AT).state == "paid"
    assert balance(session, cast) == (0, 0)


def test_without_a_common_community_only_euros_and_the_two_agree(session: Session, cast: Cast, lent: Lent) -> None:
    request = wanting(cast.zoe.party.id, lent.chairs)
    token = ask(session, request, zone="Europe/Paris", by=cast.zoe.by, at=NOON).token
    accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    hand_over(session, token, **by_olga(cast), at=AT)
    with pytest.raises(DamageUncountable):
        propose(session, cast, token)
    proposed = propose(session, cast, token, minutes=None, cents=500)
    assert damages.of_lender(session, proposed, cast.town.id).community_id is None


def test_nobody_settles_their_own_nor_another_community_s(session: Session, cast: Cast, drill: str) -> None:
    token = propose(session, cast, drill)
    seen = contest(session, cast, token)
    with pytest.raises(MediatesOwn):
        damages.mediate(session, seen, "dropped", amount=None, text="Non", own=[cast.alice.party.id], by=cast.fanny.by,
                        at=AT)  # fmt: skip
    with pytest.raises(NotFound):
        damages.of_community(session, token, cast.community.id + 1)


def test_a_floor_keeps_it_waiting(session: Session, cast: Cast, drill: str) -> None:
    token = propose(session, cast, drill, minutes=5000)
    with pytest.raises(FloorReached), session.begin_nested():
        damages.accept(session, token, **by(cast.alice))
    assert damages.of_lender(session, token, cast.town.id).state == "proposed"


@pytest.mark.parametrize("wrong", [
    "INSERT INTO damage_payments (damage_id, by_party, paid_at) VALUES (:id, :town, now())",
    "INSERT INTO damage_outcomes (damage_id, outcome, minutes, text, by_party, settled_at)"
    " VALUES (:id, 'lowered', 61, 'Non', :town, now())",
])  # fmt: skip
def test_the_database_keeps_their_turns(session: Session, cast: Cast, drill: str, wrong: str) -> None:
    token = propose(session, cast, drill)
    id_ = contest(session, cast, token).id
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        session.execute(text(wrong), {"id": id_, "town": cast.town.id})
    assert isinstance(refusal_of(refused.value), WrongState)


def test_from_the_page_of_the_loan_to_the_facilitator_s(
    client: FlaskClient, session: Session, cast: Cast, drill: str
) -> None:
    desk = f"/preteurs/{cast.town.token}"
    sel = f"/communautes/{members_token(session, cast.community.party_id)}"
    with freeze_time(AT):
        olga, alice, fanny = (
            sign_in(client.application.test_client(), who) for who in (cast.olga, cast.alice, cast.fanny)
        )
        page = f"{desk}/reservations/{drill}/degats"
        said = {"key": "un", "words": "Le mandrin est cassé"}
        for wrong in ({}, {"minutes": "1h", "cents": "12"}, {"cents": "0"}, {"cents": "douze"}, {"minutes": "-5"}):
            assert olga.post(page, data=said | wrong).status_code == 422
        for _twice in range(2):
            assert olga.post(page, data=said | {"minutes": "1h"}).status_code == 303
        (damage,) = damages.open_of(session, cast.town.id)
        assert "Le mandrin est cassé" in alice.get(f"/reservations/{drill}").text
        contested = f"/degats/{damage.token}/contestation"
        assert fanny.post(contested, data={"text": "Non"}).status_code == 404
        assert alice.post(contested, data={"text": "Il l’était déjà"}).status_code == 303
        assert "Il l’était déjà" in fanny.get(f"{sel}/desaccords/{damage.token}").text
        decided = {"outcome": "lowered", "amount": "30 min", "text": "Chacun la moitié"}
        assert fanny.post(f"{sel}/desaccords/{damage.token}", data=decided).status_code == 303
        assert "Chacun la moitié" in olga.get(f"{desk}/degats").text
        assert alice.post(f"/degats/{damage.token}/acceptation").status_code == 303
        assert "Réglé" in alice.get(f"/reservations/{drill}").text
    assert balance(session, cast) == (-30, 0)
    letters = session.scalars(text("SELECT recipient FROM outbox WHERE subject LIKE '%saccord%' ORDER BY id")).all()
    assert letters == ["fanny@example.org", "alice@example.org", "olga@example.org"]

