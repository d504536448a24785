"""Writing to the author of an advert: who reads, and what nobody sees."""

from __future__ import annotations

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.adverts import operations, queries
from exchange.adverts.models import Advert, Message, Thread
from exchange.errors import AdvertClosed, NotAllowed, WithOneself
from exchange.outbox import Letter
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.adverts.conftest import Say


@pytest.fixture
def haies(cast: Cast, say: Say) -> Advert:
    return say(cast.alice, "Taille de haies")


def write(browser: FlaskClient, advert: Advert, who: Person, text: str = "Samedi ?", key: str = "k"):
    return browser.post(f"/annonces/{advert.token}/messages", data={"party": who.party.token, "text": text, "key": key})


def letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def number_of(session: Session, what: type[Thread] | type[Message]) -> int:
    return session.scalar(select(func.count()).select_from(what)) or 0


def test_alice_gets_a_letter_and_answers_and_neither_sees_an_address(
    client: FlaskClient, app: Flask, session: Session, cast: Cast, haies: Advert
) -> None:
    bruno, alice = sign_in(client, cast.bruno), sign_in(app.test_client(), cast.alice)
    thread = write(bruno, haies, cast.bruno).location
    answer = alice.post(f"{thread}/reponses", data={"text": "Oui, à dix heures.", "key": "k"})
    assert answer.location == thread
    pages = [browser.get(address).text for browser in (alice, bruno) for address in (thread, "/messages", "/")]
    assert all("alice@example.org" not in page and "bruno@example.org" not in page for page in pages)
    assert "Oui, à dix heures." in bruno.get(thread).text
    to_alice, to_bruno = letters(session)
    assert (to_alice.recipient, to_bruno.recipient) == ("alice@example.org", "bruno@example.org")
    assert "Bruno vous écrit" in to_alice.subject
    assert "Samedi ?" in to_alice.body
    assert thread in to_alice.body
    assert "bruno@example.org" not in to_alice.subject + to_alice.body
    assert "alice@example.org" not in to_bruno.subject + to_bruno.body


def test_a_thread_of_others_is_not_found(app: Flask, session: Session, cast: Cast, haies: Advert) -> None:
    thread = write(sign_in(app.test_client(), cast.bruno), haies, cast.bruno).location
    for person in (cast.chloe, cast.aicha, cast.tibo, cast.fanny, cast.zoe):
        browser = sign_in(app.test_client(), person)
        assert browser.get(thread).status_code == 404
        assert browser.post(f"{thread}/reponses", data={"text": "Moi aussi", "key": "k"}).status_code == 404
        assert "Taille de haies" not in browser.get("/messages").text
    assert number_of(session, Message) == 1


def test_writing_again_continues_the_same_thread(
    client: FlaskClient, session: Session, cast: Cast, haies: Advert
) -> None:
    sign_in(client, cast.bruno)
    assert write(client, haies, cast.bruno).location == write(client, haies, cast.bruno, "Ou dimanche ?", "k2").location
    assert (number_of(session, Thread), number_of(session, Message)) == (1, 2)


def test_a_double_click_sends_one_message_and_one_letter(
    client: FlaskClient, session: Session, cast: Cast, haies: Advert
) -> None:
    sign_in(client, cast.bruno)
    thread = {write(client, haies, cast.bruno).location for _ in range(2)}.pop()
    for _ in range(2):
        client.post(f"{thread}/reponses", data={"text": "Alors ?", "key": "again"})
    assert (number_of(session, Message), len(letters(session))) == (2, 2)


def test_one_writes_only_in_a_name_that_one_acts_for(
    client: FlaskClient, session: Session, cast: Cast, haies: Advert
) -> None:
    sign_in(client, cast.bruno)
    for party in (cast.chloe.party.token, cast.town.token, "nobody", "", "\x00"):
        answer = client.post(f"/annonces/{haies.token}/messages", data={"party": party, "text": "Bonjour", "key": "k"})
        assert answer.status_code == 422
    said = {"party": cast.club.token, "text": "Bonjour", "key": "k"}
    assert client.post(f"/annonces/{haies.token}/messages", data=said).status_code == 303
    assert "Club de gymnastique vous écrit" in letters(session)[0].subject


def test_nobody_writes_to_themselves_nor_from_elsewhere(
    app: Flask, session: Session, cast: Cast, haies: Advert
) -> None:
    assert write(sign_in(app.test_client(), cast.alice), haies, cast.alice).status_code == 404
    assert write(sign_in(app.test_client(), cast.zoe), haies, cast.zoe).status_code == 404
    with pytest.raises(WithOneself):
        operations.write_about(session, haies, "Bonjour", by=cast.alice.by, at=NOON)
    assert number_of(session, Thread) == 0


def test_a_closed_advert_is_written_about_no_more_but_its_threads_go_on(
    session: Session, cast: Cast, haies: Advert
) -> None:
    thread = operations.write_about(session, haies, "Bonjour", by=cast.bruno.by, at=NOON)
    operations.close(session, haies, by=cast.alice.by, at=NOON)
    operations.answer(session, thread, "Trop tard !", by=cast.alice.by, at=NOON)
    assert operations.write_about(session, haies, "Tant pis", by=cast.bruno.by, at=NOON).id == thread.id
    with pytest.raises(AdvertClosed):
        operations.write_about(session, haies, "Et moi ?", by=cast.chloe.by, at=NOON)
    with pytest.raises(NotAllowed):
        operations.answer(session, thread, "Et moi ?", by=cast.chloe.by, at=NOON)


def test_the_newest_thread_comes_first_and_the_list_goes_on(session: Session, cast: Cast, say: Say) -> None:
    for number in range(7):
        operations.write_about(session, say(cast.alice, f"Aide {number}"), "Bonjour", by=cast.bruno.by, at=NOON)
    first, before = queries.threads(session, [cast.bruno.party.id], size=4)
    rest, end = queries.threads(session, [cast.bruno.party.id], before=before, size=4)
    assert [talk.title for talk in [*first, *rest]] == [f"Aide {number}" for number in range(6, -1, -1)]
    assert end is None
    assert queries.threads(session, [cast.chloe.party.id]) == ([], None)


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "a\x00b", "\u202egauche"])
def test_a_message_that_cant_be_sent_says_why_and_is_kept(
    client: FlaskClient, session: Session, cast: Cast, haies: Advert, text: str
) -> None:
    sign_in(client, cast.bruno)
    page = write(client, haies, cast.bruno, text)
    assert page.status_code == 422
    assert "Il y a un problème" in page.text
    assert text.strip()[:50] in unescape(page.text)
    assert number_of(session, Message) == 0


def test_a_text_is_shown_as_it_was_typed_and_never_obeyed(
    client: FlaskClient, session: Session, cast: Cast, haies: Advert
) -> None:
    sign_in(client, cast.bruno)
    thread = write(client, haies, cast.bruno, "<b>Bonjour</b>\nÀ samedi {{ 7*7 }}").location
    page = client.get(thread).text
    assert "&lt;b&gt;Bonjour&lt;/b&gt;<br>À samedi {{ 7*7 }}" in page
    assert "<b>Bonjour</b>\nÀ samedi {{ 7*7 }}" in letters(session)[0].body
