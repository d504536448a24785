"""Everybody reads the page of an organisation; who acts for it writes it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.organisations import operations, queries
from tests.cast import NOON, Cast, sign_in


def test_a_visitor_reads_what_organisations_say_of_themselves(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    operations.edit(session, cast.club.id, about="La gym pour tous.", contact="02 99 71 00 00")
    assert "Club de gymnastique" in client.get("/structures").text
    page = client.get(f"/structures/{cast.club.token}").text
    assert "La gym pour tous." in page
    assert "Association" in page
    assert "02 99 71 00 00" in page


def test_the_list_is_searched_without_accents_and_goes_on_by_fifty(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    for number in range(55):
        operations.add(session, name=f"École {number:02d}", kind="school", class_="local-association", at=NOON)
    first, after = queries.organisations(session)
    assert (len(first), after is not None) == (50, True)
    page = client.get("/structures?q=ecole+54").text
    assert "École 54" in page
    assert "École 53" not in page
    assert f'apres={after}"' in client.get("/structures").text


def test_a_delegate_writes_the_page_and_nobody_else(app: Flask, session: Session, cast: Cast) -> None:
    address = f"/structures/{cast.club.token}/modifier"
    said = {"about": "La gym pour tous.", "contact": "Au gymnase"}
    for person in (cast.alice, cast.aicha, cast.olga, cast.zoe):
        assert sign_in(app.test_client(), person).post(address, data=said).status_code == 404
    assert sign_in(app.test_client(), cast.bruno).post(address, data=said).status_code == 303
    found = queries.organisation(session, cast.club.token)
    assert found is not None
    assert (found.about, found.contact) == ("La gym pour tous.", "Au gymnase")


def test_an_officer_writes_the_page_of_the_town(client: FlaskClient, session: Session, cast: Cast) -> None:
    sign_in(client, cast.olga)
    assert client.post(f"/structures/{cast.town.token}/modifier", data={"about": "Bonjour"}).status_code == 303


@pytest.mark.parametrize("wrong", [{"about": "x" * 2001}, {"contact": "x" * 255}, {"about": "a\x00b"}])
def test_what_is_too_long_or_invisible_is_refused(client: FlaskClient, cast: Cast, wrong: dict[str, str]) -> None:
    sign_in(client, cast.bruno)
    assert client.post(f"/structures/{cast.club.token}/modifier", data=wrong).status_code == 422


def test_a_person_has_no_page_of_an_organisation(client: FlaskClient, cast: Cast) -> None:
    assert client.get(f"/structures/{cast.alice.party.token}").status_code == 404
    assert client.get("/structures/nowhere").status_code == 404
