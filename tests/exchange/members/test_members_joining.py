"""Somebody asks to join; an administrator accepts or declines."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.errors import AlreadyAnswered
from exchange.members import operations, queries
from exchange.members.models import Application, Party
from exchange.outbox import Letter
from ledger.store import reading
from tests.cast import NOON, SATURDAY, Cast, sign_in

LENA = {"name": "Léna Le Goff", "email": "lena@example.org", "phone": "", "message": "Je couds.", "key": "a-key"}


def community(cast: Cast, session: Session) -> str:
    return session.get_one(Party, cast.community.party_id).token


def ask(client: FlaskClient, session: Session, cast: Cast, **said: str):
    return client.post("/rejoindre", data=LENA | {"community": community(cast, session)} | said)


def asked(session: Session) -> list[Application]:
    return list(session.scalars(select(Application).order_by(Application.id)))


def letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def page_of(cast: Cast, session: Session, end: str = "") -> str:
    return f"/administration/{community(cast, session)}/demandes/{asked(session)[0].token}{end}"


def test_who_asks_is_thanked_and_the_administrator_is_told(client: FlaskClient, session: Session, cast: Cast) -> None:
    answer = ask(client, session, cast)
    assert (answer.status_code, answer.location) == (303, "/rejoindre/merci")
    assert "votre demande est envoyée" in client.get(answer.location).text
    assert [(letter.recipient, "Léna Le Goff" in letter.subject) for letter in letters(session)] == [
        ("aicha@example.org", True)
    ]


def test_a_double_click_asks_once(client: FlaskClient, session: Session, cast: Cast) -> None:
    assert [ask(client, session, cast).status_code for _ in range(2)] == [303, 303]
    assert len(asked(session)) == 1
    assert len(letters(session)) == 1


def test_a_telephone_is_enough_and_neither_is_refused_with_what_was_typed(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    refused = ask(client, session, cast, email="")
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert "Je couds." in refused.text
    assert ask(client, session, cast, email="", phone="02 99 71 00 00").status_code == 303


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("name", ""), ("name", "x" * 201), ("name", "L\u202eéna"), ("email", "lena"), ("email", "a@b@c"),
     ("email", "x" * 300 + "@example.org"), ("phone", "appelle-moi"), ("phone", "12"), ("message", "x" * 2001),
     ("community", "elsewhere"), ("community", ""), ("key", ""), ("key", "é")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_kept(
    client: FlaskClient, session: Session, cast: Cast, field: str, wrong: str
) -> None:
    # with one community the page has nothing to choose, and whatever came instead of it changes nothing
    expected = 303 if field == "community" else 422
    assert ask(client, session, cast, **{field: wrong}).status_code == expected
    assert len(asked(session)) == (expected == 303)


def test_accepted_they_have_an_account_at_zero_and_a_letter_that_lets_them_in(
    client: FlaskClient, app: Flask, session: Session, cast: Cast
) -> None:
    ask(client, session, cast)
    sign_in(client, cast.aicha)
    answer = client.post(page_of(cast, session, "/acceptation"))
    assert answer.location == page_of(cast, session)
    assert "lena.le.goff" in client.get(answer.location).text
    letter = letters(session)[-1]
    assert letter.recipient == "lena@example.org"
    assert "lena.le.goff" in letter.body
    link = re.search(r"https?://[^/]+(/mot-de-passe/oublie/\S+)", letter.body)
    assert link is not None
    lena = app.test_client()
    assert lena.post(link[1], data={"new": "trois sabots au grenier"}).location == "/"
    assert "Votre solde" in lena.get("/").text


def test_without_e_mail_they_are_accepted_and_the_administrator_learns_that_the_counter_serves_them(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    ask(client, session, cast, email="", phone="02 99 71 00 00")
    before = len(letters(session))
    page = sign_in(client, cast.aicha).post(page_of(cast, session, "/acceptation"), follow_redirects=True)
    assert "elle n’a pas d’identifiant" in unescape(page.text)
    assert len(letters(session)) == before
    party = session.scalar(select(Party).where(Party.name == "Léna Le Goff"))
    assert party is not None
    assert reading.account_of(session, cast.community.id, party.id) is not None


def test_declined_they_read_the_reason(client: FlaskClient, session: Session, cast: Cast) -> None:
    ask(client, session, cast)
    sign_in(client, cast.aicha)
    assert client.post(page_of(cast, session, "/refus"), data={"reason": " "}).status_code == 422
    client.post(page_of(cast, session, "/refus"), data={"reason": "Vous habitez trop loin."})
    assert "Refusée" in client.get(page_of(cast, session)).text
    assert "Vous habitez trop loin." in letters(session)[-1].body
    assert session.scalar(select(Party).where(Party.name == "Léna Le Goff")) is None


def test_a_second_answer_changes_nothing(client: FlaskClient, session: Session, cast: Cast) -> None:
    ask(client, session, cast)
    sign_in(client, cast.aicha)
    for end, data in (("/acceptation", {}), ("/acceptation", {}), ("/refus", {"reason": "Non."})):
        assert client.post(page_of(cast, session, end), data=data).status_code == 303
    assert session.scalar(select(func.count()).select_from(Party).where(Party.name == "Léna Le Goff")) == 1
    with pytest.raises(AlreadyAnswered):
        operations.accept(session, asked(session)[0], today=SATURDAY, by=cast.aicha.by, at=NOON)


def test_two_people_of_one_name_have_two_user_names(session: Session, cast: Cast) -> None:
    given = []
    for _ in range(3):
        application = operations.apply(
            session, community=cast.community.id, name="Léna Le Goff", email="l@example.org", phone="", message="",
            at=NOON,
        )  # fmt: skip
        _party, made = operations.accept(session, application, today=SATURDAY, by=cast.aicha.by, at=NOON)
        assert made is not None
        given.append(made.user_name)
    assert given == ["lena.le.goff", "lena.le.goff2", "lena.le.goff3"]


@pytest.mark.parametrize("name", ["🌰", "É", "李", "." * 40, "a" * 200, "<script>alert(1)</script>"])
def test_any_name_has_a_user_name(session: Session, cast: Cast, name: str) -> None:
    free = operations.free_user_name(session, name)
    assert operations.add_sign_in(session, user_name=free, email=None, at=NOON).id


def test_only_an_administrator_reads_and_answers(client: FlaskClient, app: Flask, session: Session, cast: Cast) -> None:
    ask(client, session, cast)
    for person in (cast.alice, cast.tibo, cast.fanny, cast.zoe):
        browser = sign_in(app.test_client(), person)
        for page in (f"/administration/{community(cast, session)}/demandes", page_of(cast, session)):
            assert browser.get(page).status_code == 403
        assert browser.post(page_of(cast, session, "/acceptation")).status_code == 403
    assert queries.decision(session, asked(session)[0].id) is None


def test_an_application_of_nowhere_is_not_found(client: FlaskClient, session: Session, cast: Cast) -> None:
    sign_in(client, cast.aicha)
    base = f"/administration/{community(cast, session)}/demandes"
    for address in (f"{base}/x", f"{base}/%00", "/administration/x/demandes"):
        assert client.get(address).status_code == 404
    assert client.get(f"/administration/{cast.alice.party.token}/demandes").status_code == 403
    assert client.post(f"{base}/x/acceptation").status_code == 404

