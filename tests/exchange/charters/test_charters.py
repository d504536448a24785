"""Olga writes a charter; Alice accepts it with her request, once for each version."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import changes, offers, series
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.models import Resource
from exchange.charters import operations, queries
from exchange.charters.models import CharterAcceptance
from exchange.charters.queries import CharterView
from exchange.errors import CharterExists, CharterNotAccepted, TemplateChanged
from tests.cast import NOON, Cast, sign_in
from tests.databases import as_owner
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent

ZONE = "Europe/Paris"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def charter(session: Session, cast: Cast, lent: Lent) -> CharterView:
    """The town's, for everything that it lends."""
    operations.write(session, lender=cast.town.id, title="Charte des salles", text="Rendre propre.", by=cast.olga.by,
                     at=NOON - timedelta(days=9))  # fmt: skip
    return queries.of_lender(session, cast.town.id)[0]


def written_again(session: Session, cast: Cast, charter: CharterView, *, asked: bool = True) -> CharterView:
    operations.write(session, lender=cast.town.id, title="Charte", text="Et sans bruit.", asked=asked, after=charter,
                     by=cast.olga.by, at=NOON)  # fmt: skip
    return queries.of_lender(session, cast.town.id)[0]


def test_what_is_not_accepted_is_refused_with_the_charter(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    with pytest.raises(CharterNotAccepted) as refused:
        bookings.ask(session, wanting(cast.alice.party.id, lent.hall), zone=ZONE, by=cast.alice.by, at=NOON)
    assert (refused.value.facts["charter"], refused.value.facts["title"]) == (charter.token, "Charte des salles")


def test_it_is_accepted_with_the_request_once_for_all(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    wish = wanting(cast.alice.party.id, lent.hall)._replace(accepts=frozenset({charter.token}))
    asked = bookings.ask(session, wish, zone=ZONE, by=cast.alice.by, at=NOON)
    [kept] = queries.acceptances(session, charter.id)[0]
    assert (kept.party_id, kept.by_sign_in, kept.accepted_at) == (cast.alice.party.id, cast.alice.by.sign_in, NOON)
    finding = next(each for each in asked.explanation["findings"] if each["code"] == "charter")
    assert (finding["holds"], finding["title"]) == (True, "Charte des salles")
    bookings.ask(session, wanting(cast.alice.party.id, lent.drill), zone=ZONE, by=cast.alice.by, at=NOON)
    with pytest.raises(CharterNotAccepted):
        bookings.ask(session, wanting(cast.chloe.party.id, lent.chairs), zone=ZONE, by=cast.chloe.by, at=NOON)


def test_another_lender_s_charter_accepts_nothing(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    other = operations.write(session, lender=cast.club.id, title="Dojo", text="Pieds nus.", by=cast.delegate, at=NOON)
    wish = wanting(cast.alice.party.id, lent.hall)._replace(accepts=frozenset({other.token}))
    with pytest.raises(CharterNotAccepted):
        bookings.ask(session, wish, zone=ZONE, by=cast.alice.by, at=NOON)


def test_a_new_version_is_accepted_again_and_what_was_asked_before_is_decided_with_its_own(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    operations.accept(session, cast.alice.party.id, [charter], by=cast.alice.by, at=NOON - timedelta(days=2))
    earlier = NOON - timedelta(days=1)
    asked = bookings.ask(session, wanting(cast.alice.party.id, lent.hall), zone=ZONE, by=cast.alice.by, at=earlier)
    written_again(session, cast, charter)
    bookings.accept(session, asked.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    with pytest.raises(CharterNotAccepted):
        bookings.ask(session, wanting(cast.alice.party.id, lent.drill), zone=ZONE, by=cast.alice.by, at=NOON)
    wish = wanting(cast.alice.party.id, lent.hall, starts=NEXT_WEEK + timedelta(hours=1))
    with pytest.raises(CharterNotAccepted):
        changes.change(session, asked.token, wish, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)


def test_a_place_with_its_own_charter_asks_for_that_one(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    place = catalogue.add_place(session, lender=cast.town.id, name="Ateliers", at=NOON)
    session.get_one(Resource, lent.drill.id).place_id = place.id
    session.flush()
    operations.write(session, lender=cast.town.id, title="Ateliers", text="Gants.", place=place.id, by=cast.olga.by,
                     at=NOON)  # fmt: skip
    drill = resources.views(session, [lent.drill.id])[lent.drill.id]
    found = queries.of_lender(session, cast.town.id)
    titles = [each.title for each in queries.binding_all(found, [lent.hall, drill, lent.chairs])]
    assert titles == ["Charte des salles", "Ateliers"]


def test_a_charter_that_is_asked_no_more_binds_nobody(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    written_again(session, cast, charter, asked=False)
    bookings.ask(session, wanting(cast.alice.party.id, lent.hall), zone=ZONE, by=cast.alice.by, at=NOON)


def test_a_lender_is_not_held_by_its_own(session: Session, cast: Cast, lent: Lent, charter: CharterView) -> None:
    bookings.ask(session, wanting(cast.town.id, lent.hall), zone=ZONE, by=cast.olga.by, at=NOON)


def test_what_the_lender_offers_instead_asks_for_no_other_charter(
    session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    operations.accept(session, cast.alice.party.id, [charter], by=cast.alice.by, at=NOON)
    asked = bookings.ask(session, wanting(cast.alice.party.id, lent.half), zone=ZONE, by=cast.alice.by, at=NOON)
    written_again(session, cast, charter)
    starts = NEXT_WEEK + timedelta(days=1)
    offered = offers.offer(session, asked.token, lender=cast.town.id, wanted=[Wanted(lent.other_half)],
                           starts_at=starts, ends_at=starts + timedelta(hours=2), word="Travaux", by=cast.olga.by,
                           at=NOON)  # fmt: skip
    offers.consent(session, offered.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert booked.view(session, offered.id, at=NOON).state == "accepted"


def test_a_series_is_asked_with_its_charter(session: Session, cast: Cast, lent: Lent, charter: CharterView) -> None:
    wishes = [wanting(cast.alice.party.id, lent.half, starts=NEXT_WEEK + timedelta(weeks=n))
              ._replace(accepts=frozenset({charter.token})) for n in range(3)]  # fmt: skip
    days = Rhythm("week", wishes[0].starts_at.date(), wishes[-1].starts_at.date())
    series.ask(session, wishes, days, zone=ZONE, by=cast.alice.by, at=NOON)
    assert session.query(CharterAcceptance).count() == 1


def test_one_charter_for_a_place_and_one_colleague_at_a_time(
    session: Session, cast: Cast, charter: CharterView
) -> None:
    write = {"lender": cast.town.id, "title": "Autre", "text": "x", "by": cast.olga.by, "at": NOON}
    with pytest.raises(CharterExists):
        operations.write(session, **write)
    written_again(session, cast, charter)
    with pytest.raises(TemplateChanged):
        operations.write(session, after=charter, **write)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE charter_versions SET text = 'x'", "DELETE FROM charter_versions", "UPDATE charters SET place_id = NULL",
     "UPDATE charter_acceptances SET accepted_at = now()", "DELETE FROM charter_acceptances"],
)  # fmt: skip
def test_nothing_of_it_is_rewritten(
    session: Session, cast: Cast, charter: CharterView, statement: str
) -> None:
    operations.accept(session, cast.alice.party.id, [charter], by=cast.alice.by, at=NOON)
    with as_owner(session), pytest.raises(DBAPIError, match="written-once"), session.begin_nested():
        session.execute(text(statement))


# -- pages


def words(page: str) -> str:
    return html.unescape(" ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]).split()))


def request_form(cast: Cast, **changed: object) -> dict[str, object]:
    return {"key": "k", "party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
            "purpose": "Fête", **changed}  # fmt: skip


@pytest.fixture
def alice(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.alice)


def test_the_form_shows_the_text_and_a_box_to_tick(
    alice: FlaskClient, session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    at = f"/salles/{lent.hall.token}"
    assert "Rendre propre." in alice.get(f"{at}/reserver").text
    assert alice.get(f"/chartes/{charter.token}").status_code == 200
    refused = alice.post(f"{at}/verification", data=request_form(cast))
    assert refused.status_code == 422
    assert "puis cochez la case pour l’accepter" in html.unescape(refused.text)
    checked = alice.post(f"{at}/verification", data=request_form(cast, charters=charter.token))
    assert checked.status_code == 200
    assert f'name="charters" value="{charter.token}"' in checked.text
    assert "est acceptée" in words(checked.text)
    assert session.query(CharterAcceptance).count() == 0
    done = alice.post(f"{at}/reservations", data=request_form(cast, charters=charter.token))
    assert done.status_code == 303
    assert session.query(CharterAcceptance).count() == 1
    assert "Rendre propre." not in alice.get(f"{at}/reserver").text
    assert alice.post(f"{at}/verification", data=request_form(cast, day="2026-11-29")).status_code == 200


def test_a_version_that_was_replaced_meanwhile_is_not_accepted(
    alice: FlaskClient, session: Session, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    newer = written_again(session, cast, charter)
    page = alice.post(f"/salles/{lent.hall.token}/reservations", data=request_form(cast, charters=charter.token))
    assert page.status_code == 422
    assert "Et sans bruit." in page.text
    assert newer.token in page.text
    assert session.query(CharterAcceptance).count() == 0


def test_the_form_of_a_series_asks_for_it_too(
    alice: FlaskClient, cast: Cast, lent: Lent, charter: CharterView
) -> None:
    at = f"/salles/{lent.hall.token}/serie"
    assert "Rendre propre." in alice.get(at).text
    says = request_form(cast, every="week", until="2026-12-20", weekdays=[])
    assert alice.post(f"{at}/dates", data=says).status_code == 422
    assert alice.post(f"{at}/dates", data=says | {"charters": charter.token}).status_code == 200


def test_the_office_writes_it_and_sees_who_accepted(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    olga, desk = sign_in(app.test_client(), cast.olga), f"/preteurs/{cast.town.token}/chartes"
    assert "Pas de charte" in olga.get(desk).text
    says = {"key": "a", "title": "Charte", "text": "# Charte\n\nRendre propre.", "asked": "y"}
    assert olga.post(f"{desk}/nouvelle", data=says).status_code == 303
    again = olga.post(f"{desk}/nouvelle", data=says | {"key": "b"})
    assert again.status_code == 409
    assert "Ce lieu a déjà sa charte" in html.unescape(again.text)
    [charter] = queries.of_lender(session, cast.town.id)
    operations.accept(session, cast.alice.party.id, [charter], by=cast.alice.by, at=NOON)
    page = words(olga.get(f"{desk}/{charter.of}").text)
    assert "1 a accepté cette version" in page
    assert "Alice, samedi 21 novembre 2026" in page
    assert olga.post(f"{desk}/{charter.of}", data=says | {"version": "1", "key": "c"}).status_code == 303
    assert olga.post(f"{desk}/{charter.of}", data=says | {"version": "1", "key": "d"}).status_code == 409
    assert sign_in(app.test_client(), cast.alice).get(desk).status_code == 403


def test_another_lender_s_place_has_no_charter_of_ours(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    place = catalogue.add_place(session, lender=cast.club.id, name="Dojo", at=NOON)
    olga = sign_in(app.test_client(), cast.olga)
    answer = olga.post(f"/preteurs/{cast.town.token}/chartes/nouvelle",
                       data={"key": "a", "title": "Charte", "text": "x", "place": place.token})  # fmt: skip
    assert answer.status_code == 422
    with pytest.raises(DBAPIError, match="another lender"):
        operations.write(session, lender=cast.town.id, title="x", text="x", place=place.id, by=cast.olga.by, at=NOON)
