"""The town's drill is for whoever was shown how it works: Olga says who, and until when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.authorisations import operations, queries
from exchange.bookings.operations import accept, ask
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.queries import ResourceView
from exchange.errors import InThePast, NotFound, RuleRefuses, WrongState
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent

PARIS = "Europe/Paris"
NEXT_SATURDAY = NEXT_WEEK.date()


@pytest.fixture
def drill(session: Session, cast: Cast, lent: Lent) -> ResourceView:
    """The drill, reserved."""
    row = resources.row_of(session, lent.drill.lender_id, lent.drill.token)
    assert row is not None
    catalogue.edit(session, row, {"reserved": True}, by=cast.olga.by, at=NOON)
    return lent.drill._replace(reserved=True)


def allow(session: Session, cast: Cast, it: ResourceView, who: Person, until: date | None = None) -> str:
    """Olga lets somebody borrow it."""
    given = operations.give(session, it, who.party.id, until=until, today=SATURDAY, by=cast.olga.by, at=NOON)
    return given.token


def said_to(session: Session, who: Person, it: ResourceView) -> list[str]:
    """Which rules refuse it to somebody."""
    try:
        with session.begin_nested():
            ask(session, wanting(who.party.id, it), zone=PARIS, by=who.by, at=NOON)
    except RuleRefuses as refused:
        return [finding["code"] for finding in refused.facts["findings"]]
    return []


def test_only_who_is_authorised_may_borrow_it(session: Session, cast: Cast, drill: ResourceView) -> None:
    assert said_to(session, cast.alice, drill) == ["authorised"]
    allow(session, cast, drill, cast.bruno)
    assert said_to(session, cast.alice, drill) == ["authorised"]
    assert said_to(session, cast.bruno, drill) == []


def test_its_lender_needs_no_authorisation(session: Session, cast: Cast, drill: ResourceView) -> None:
    ask(session, wanting(cast.town.id, drill), zone=PARIS, by=cast.olga.by, at=NOON)


@pytest.mark.parametrize(
    ("until", "refused"), [(NEXT_SATURDAY, []), (NEXT_SATURDAY - timedelta(days=1), ["authorised"])]
)
def test_the_last_day_is_one_of_them(
    session: Session, cast: Cast, drill: ResourceView, until: date, refused: list[str]
) -> None:
    allow(session, cast, drill, cast.alice, until)
    assert said_to(session, cast.alice, drill) == refused


def test_given_again_it_counts_with_its_own_last_day(session: Session, cast: Cast, drill: ResourceView) -> None:
    allow(session, cast, drill, cast.alice)
    allow(session, cast, drill, cast.alice, SATURDAY)
    assert said_to(session, cast.alice, drill) == ["authorised"]
    (seen,) = queries.of_resource(session, drill.id, on=SATURDAY)
    assert (seen.party_id, seen.until) == (cast.alice.party.id, SATURDAY)
    assert queries.of_resource(session, drill.id, on=SATURDAY + timedelta(days=1)) == []


def test_withdrawn_it_holds_no_more_and_what_waits_is_refused(
    session: Session, cast: Cast, drill: ResourceView
) -> None:
    given = allow(session, cast, drill, cast.alice)
    waiting = ask(session, wanting(cast.alice.party.id, drill), zone=PARIS, by=cast.alice.by, at=NOON)
    operations.withdraw(session, given, lender=cast.town.id, by=cast.olga.by, at=NOON)
    with pytest.raises(RuleRefuses):
        accept(session, waiting.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    with pytest.raises(WrongState):
        operations.withdraw(session, given, lender=cast.town.id, by=cast.olga.by, at=NOON)


def test_what_is_wrong_has_a_name(session: Session, cast: Cast, drill: ResourceView) -> None:
    given = allow(session, cast, drill, cast.alice)
    with pytest.raises(NotFound):
        operations.withdraw(session, given, lender=cast.club.id, by=cast.bruno.by, at=NOON)
    with pytest.raises(InThePast):
        allow(session, cast, drill, cast.alice, SATURDAY - timedelta(days=1))


def test_an_authorisation_of_a_lender_opens_nothing_of_another(
    session: Session, cast: Cast, lent: Lent, drill: ResourceView
) -> None:
    session.execute(text("UPDATE resources SET reserved = true WHERE id = :id"), {"id": lent.dojo.id})
    allow(session, cast, drill, cast.alice)
    assert said_to(session, cast.alice, lent.dojo._replace(reserved=True)) == ["authorised"]


def test_olga_authorises_by_user_name_or_whole_name_and_withdraws(
    app: Flask, session: Session, cast: Cast, drill: ResourceView
) -> None:
    address = f"/preteurs/{cast.town.token}/ressources/{drill.token}/autorisations"
    with freeze_time(NOON):
        olga = sign_in(app.test_client(), cast.olga)
        assert "Personne encore" in olga.get(address).text
        for key, who in (("one", "alice"), ("two", cast.club.name.upper())):
            answer = olga.post(address, data={"who": who, "until": "2027-06-30", "key": key})
            assert answer.status_code == 303, answer.text
        page = olga.get(address).text
        assert cast.alice.party.name in page
        assert cast.club.name in page
        assert "jusqu’au mercredi 30 juin 2027" in page
        unknown = olga.post(address, data={"who": "personne", "key": "three"})
        assert unknown.status_code == 422
        assert "Personne ne s’appelle ainsi." in unknown.text
        past = olga.post(address, data={"who": "alice", "until": "2026-11-01", "key": "four"})
        assert past.status_code == 422
        given = queries.of_resource(session, drill.id, on=SATURDAY)[-1].token
        assert olga.post(f"/preteurs/{cast.town.token}/autorisations/{given}/retrait").status_code == 303
        assert cast.alice.party.name not in olga.get(address).text.partition("Autoriser quelqu’un")[0]


def test_the_page_of_the_request_says_why_and_what_to_do(
    app: Flask, cast: Cast, drill: ResourceView
) -> None:
    said = {"party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
            "purpose": "Étagère", "key": "one"}  # fmt: skip
    with freeze_time(NOON):
        alice = sign_in(app.test_client(), cast.alice)
        assert "Réservé aux personnes autorisées" in alice.get(f"/salles/{drill.token}").text
        page = alice.post(f"/salles/{drill.token}/verification", data=said).text
        assert "C’est réservé aux personnes autorisées." in page
        assert alice.post(f"/salles/{drill.token}/reservations", data=said).status_code == 422
