"""What a declared exchange becomes: written at once, confirmed, refused or left without an answer, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from exchange.declarations import operations, queries
from exchange.declarations.models import Declaration
from exchange.declarations.operations import Exchange
from exchange.errors import AlreadyAnswered, HappensLater, NotAllowed, SlipKeyedTwice, TooOld, WithOneself, refusal_of
from ledger.errors import FloorReached
from ledger.store import reading
from tests.cast import NOON, SATURDAY, Cast, Person


def said(giver: Person, receiver: Person, minutes: int = 90, **other: object) -> Exchange:
    assert giver.account is not None
    assert receiver.account is not None
    usual = {"happened_on": SATURDAY, "nature": "service", "description": "Taille de la haie"}
    return Exchange(giver.account, receiver.account, minutes, **{**usual, **other})


def declare(session: Session, what: Exchange, who: Person) -> Declaration:
    return operations.declare(session, what, answer_days=30, today=SATURDAY, by=who.by, at=NOON)


def balance(session: Session, who: Person) -> int:
    assert who.account is not None
    found = reading.account(session, who.account.community_id, who.account.id)
    assert found is not None
    return found.balance


def answer(session: Session, declaration: Declaration) -> str | None:
    given = queries.answer(session, declaration.id)
    return given.answer if given else None


def test_who_was_helped_says_so_and_the_minutes_move(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno), cast.bruno)
    assert answer(session, declaration) == "confirmed"
    assert (balance(session, cast.alice), balance(session, cast.bruno)) == (90, -90)


def test_who_helped_waits_for_the_others_word(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno), cast.alice)
    assert answer(session, declaration) is None
    assert balance(session, cast.alice) == 0
    operations.confirm(session, declaration, payer_party=cast.bruno.party.id, by=cast.bruno.by, at=NOON)
    assert balance(session, cast.alice) == 90


def test_only_who_was_helped_answers(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno), cast.alice)
    for other in (cast.alice, cast.chloe):
        with pytest.raises(NotAllowed):
            operations.confirm(session, declaration, payer_party=cast.bruno.party.id, by=other.by, at=NOON)
        with pytest.raises(NotAllowed):
            operations.refuse(session, declaration, payer_party=cast.bruno.party.id, reason="Non", by=other.by, at=NOON)
    for other in (cast.bruno, cast.chloe):
        with pytest.raises(NotAllowed):
            operations.withdraw(session, declaration, giver_party=cast.alice.party.id, by=other.by, at=NOON)


def test_an_answer_is_given_once(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno), cast.alice)
    payer = cast.bruno.party.id
    operations.refuse(session, declaration, payer_party=payer, reason="C'était lundi", by=cast.bruno.by, at=NOON)
    with pytest.raises(AlreadyAnswered) as second:
        operations.confirm(session, declaration, payer_party=payer, by=cast.bruno.by, at=NOON)
    assert second.value.facts == {"answer": "refused"}
    assert balance(session, cast.alice) == 0


def test_without_an_answer_it_expires_once_and_not_before(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno), cast.alice)
    late = declaration.answer_before
    community = cast.community.id
    assert operations.expire(session, by=cast.system, community=community, at=late - timedelta(seconds=1)) == 0
    assert operations.expire(session, by=cast.system, community=community, at=late) == 1
    assert operations.expire(session, by=cast.system, community=community, at=late) == 0
    assert answer(session, declaration) == "expired"
    with pytest.raises(AlreadyAnswered):
        operations.confirm(session, declaration, payer_party=cast.bruno.party.id, by=cast.bruno.by, at=late)


def test_confirming_below_the_floor_is_refused_and_still_waits(session: Session, cast: Cast) -> None:
    declaration = declare(session, said(cast.alice, cast.bruno, 2001), cast.alice)
    with pytest.raises(FloorReached), session.begin_nested():
        operations.confirm(session, declaration, payer_party=cast.bruno.party.id, by=cast.bruno.by, at=NOON)
    assert answer(session, declaration) is None


def test_a_day_to_come_and_a_day_of_another_year_are_refused(session: Session, cast: Cast) -> None:
    with pytest.raises(HappensLater):
        declare(session, said(cast.alice, cast.bruno, happened_on=SATURDAY + timedelta(days=1)), cast.bruno)
    with pytest.raises(TooOld):
        declare(session, said(cast.alice, cast.bruno, happened_on=SATURDAY - timedelta(days=367)), cast.bruno)


def test_nobody_helps_themselves(session: Session, cast: Cast) -> None:
    with pytest.raises(WithOneself):
        declare(session, said(cast.bruno, cast.bruno), cast.bruno)


def test_a_slip_is_keyed_once(session: Session, cast: Cast) -> None:
    declare(session, said(cast.alice, cast.bruno, slip="A-17"), cast.bruno)
    with pytest.raises(Exception) as met, session.begin_nested():
        declare(session, said(cast.chloe, cast.denise, slip="A-17"), cast.chloe)
    assert isinstance(refusal_of(met.value), SlipKeyedTwice)
