"""Three screens to say what was exchanged, and the pages of who answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.store import writing
from tests.cast import NOON, Cast, Person, sign_in

pytestmark = [pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def at_noon() -> Any:
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        yield


@pytest.fixture
def alice(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.alice)


@pytest.fixture
def bruno(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.bruno)


def path(person: Person, end: str = "declarations") -> str:
    assert person.account is not None
    return f"/comptes/{person.account.token}/{end}"


def said(person: Person, **changed: str) -> dict[str, str]:
    return {
        "direction": "received", "other": person.party.token, "minutes": "1h30", "happened_on": "2026-11-21",
        "nature": "service", "description": "Taille de la haie", "slip": "", "key": "a-key", **changed,
    }  # fmt: skip


def written(session: Session) -> tuple[int, int]:
    return (
        session.scalar(text("SELECT count(*) FROM declarations")) or 0,
        session.scalar(text("SELECT count(*) FROM books.entries")) or 0,
    )


def waiting(alice: FlaskClient, cast: Cast, minutes: str = "1h30") -> str:
    """Alice helped Bruno and says so; the address of what waits for him."""
    answer = alice.post(path(cast.alice), data=said(cast.bruno, direction="given", minutes=minutes))
    return "/declarations/" + answer.location.partition("fait=")[2]


def test_alice_says_that_bruno_helped_her_in_three_screens(alice: FlaskClient, cast: Cast, session: Session) -> None:
    assert alice.get(path(cast.alice, "echanges/nouveau")).status_code == 200
    check = alice.post(path(cast.alice, "echanges/verification"), data=said(cast.bruno))
    assert "Bruno a donné 90\u00a0marrons (1\u00a0h\u00a030) à Alice" in check.text
    assert written(session) == (0, 0)
    done = alice.post(path(cast.alice), data=said(cast.bruno))
    assert done.status_code == 303
    assert "C’est enregistré" in alice.get(done.location).text
    assert written(session) == (1, 1)


def test_what_happened_before_is_declared_again_in_two_screens(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    new = path(cast.alice, "echanges/nouveau")
    assert "Refaire un échange" not in alice.get(new).text
    for key, words in enumerate(("Ménage", "Courses", "Ménage", "Bois")):
        minutes = {"Ménage": "1h", "Courses": "30", "Bois": "2h"}[words]
        alice.post(path(cast.alice), data=said(cast.bruno, key=str(key), minutes=minutes, description=words))
    again = re.findall(r'href="([^"]+comme=[^"]+)">Bruno vous a aidé, ([^<]+)<', alice.get(new).text)
    said_again = [words.replace("\u00a0", " ") for _href, words in again]
    assert said_again == ["1 h : Ménage", "2 h : Bois", "30 min : Courses"]
    begun = alice.get(again[0][0]).text
    assert re.search(r'value="received"[^>]* checked', begun)
    assert 'value="1 h"' in begun
    assert 'value="Ménage"' in begun
    assert f'selected value="{cast.bruno.party.token}"' in begun
    token = again[0][0].partition("comme=")[2]
    assert "Refaire le même échange" in alice.get(f"/declarations/{token}").text
    his = bruno.get(path(cast.bruno, "echanges/nouveau") + f"?comme={token}").text
    assert re.search(r'value="given"[^>]* checked', his)  # the other way round, for him


def test_an_exchange_of_others_begins_no_form(app: Flask, alice: FlaskClient, cast: Cast, session: Session) -> None:
    alice.post(path(cast.alice), data=said(cast.bruno, description="Notre secret"))
    token = session.execute(text("SELECT token FROM declarations")).scalar_one()
    chloe = sign_in(app.test_client(), cast.chloe)
    for wild in (token, "x", "\0", "é" * 300):
        page = chloe.get(path(cast.chloe, "echanges/nouveau"), query_string={"comme": wild, "avec": wild})
        assert (page.status_code in {200, 422}, "Notre secret" in page.text) == (True, False)


def test_what_was_refused_does_not_happen_again(alice: FlaskClient, bruno: FlaskClient, cast: Cast) -> None:
    address = waiting(alice, cast)
    bruno.post(f"{address}/refus", data={"reason": "Ce n’était pas moi"})
    assert "Refaire" not in alice.get(path(cast.alice, "echanges/nouveau")).text
    assert "Refaire" not in alice.get(address).text


def choices(page: str) -> dict[str, list[str]]:
    """The names that a list of people offers, group by group; the ones above the groups under the empty name."""
    select = page.partition('name="other"')[2].partition("</select>")[0]
    above, *groups = re.split(r'<optgroup label="([^"]*)">', select)
    found = {"": above} | dict(zip(groups[::2], groups[1::2], strict=True))
    return {label: re.findall(r"<option[^>]*>([^<]*)</option>", part) for label, part in found.items()}


def test_those_one_exchanged_with_lately_are_offered_first(alice: FlaskClient, cast: Cast, session: Session) -> None:
    everybody = ["Aïcha", "Bruno", "Chloé", "Club de gymnastique", "Denise", "Fanny", "Tibo", "Ville de Saint-Marron"]
    before = choices(alice.get(path(cast.alice, "echanges/nouveau")).text)
    assert "Récemment" not in before
    assert [name for name in before[""] if name in everybody] == everybody
    for key, other in (("1", cast.bruno), ("2", cast.denise), ("3", cast.bruno), ("4", cast.chloe)):
        alice.post(path(cast.alice), data=said(other, key=key, direction="given"))
    after = choices(alice.get(path(cast.alice, "echanges/nouveau")).text)
    assert after["Récemment"] == ["Chloé", "Bruno", "Denise"]
    assert [name for name in after["Tous"] if name in everybody] == everybody
    assert after[""] == ["Choisissez"]


def test_who_is_in_both_lists_is_chosen_once(alice: FlaskClient, cast: Cast, session: Session) -> None:
    alice.post(path(cast.alice), data=said(cast.bruno))
    page = alice.get(path(cast.alice, f"echanges/nouveau?avec={cast.bruno.party.token}")).text
    assert page.count("<option selected") == 1


def test_who_left_is_not_offered_again(alice: FlaskClient, cast: Cast, session: Session) -> None:
    assert cast.bruno.account is not None
    alice.post(path(cast.alice), data=said(cast.bruno, direction="given"))
    writing.close_account(session, cast.bruno.account.id, community=cast.community.id, reason="Déménage",
                          by=cast.system, at=NOON)  # fmt: skip
    assert "Bruno" not in str(choices(alice.get(path(cast.alice, "echanges/nouveau")).text))


def test_a_double_click_and_the_back_button_write_once(alice: FlaskClient, cast: Cast, session: Session) -> None:
    first = alice.post(path(cast.alice), data=said(cast.bruno))
    again = alice.post(path(cast.alice), data=said(cast.bruno))
    assert (again.status_code, again.location) == (303, first.location)
    assert written(session) == (1, 1)


def test_the_same_form_with_other_content_is_refused_and_shows_what_was_written(
    alice: FlaskClient, cast: Cast, session: Session
) -> None:
    first = alice.post(path(cast.alice), data=said(cast.bruno))
    other = alice.post(path(cast.alice), data=said(cast.bruno, minutes="2h"))
    assert other.status_code == 409
    assert first.location.replace("&", "&amp;") in other.text
    assert written(session) == (1, 1)


def test_two_tabs_are_two_exchanges(alice: FlaskClient, cast: Cast, session: Session) -> None:
    alice.post(path(cast.alice), data=said(cast.bruno, key="one"))
    alice.post(path(cast.alice), data=said(cast.bruno, key="two"))
    assert written(session) == (2, 2)


def test_two_is_asked_back(alice: FlaskClient, cast: Cast, session: Session) -> None:
    answer = alice.post(path(cast.alice, "echanges/verification"), data=said(cast.bruno, minutes="2"))
    assert answer.status_code == 422
    assert "2\u00a0h ou 2\u00a0min" in answer.text
    assert 'value="2"' in answer.text


def test_the_floor_refuses_with_a_sentence_and_what_was_typed_is_kept(
    alice: FlaskClient, cast: Cast, session: Session
) -> None:
    answer = alice.post(path(cast.alice), data=said(cast.bruno, minutes="40h", description="Toiture"))
    assert answer.status_code == 422
    assert "sous sa limite" in answer.text
    assert 'value="Toiture"' in answer.text
    assert written(session) == (0, 0)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("direction", ""), ("direction", "stolen"), ("other", ""), ("other", "nobody"), ("other", "\x00"),
        ("other", "é" * 500), ("minutes", ""), ("minutes", "-5"), ("minutes", "9" * 5000), ("minutes", "1h30\x00"),
        ("happened_on", ""), ("happened_on", "2026-02-30"), ("happened_on", "2026-11-22"),
        ("happened_on", "0001-01-01"), ("description", " \u00a0 "),
        ("happened_on", "99999-01-01"), ("nature", "magic"), ("description", ""), ("description", "x" * 401),
        ("description", "a\x00b"), ("description", "a\u202eb"), ("slip", "s" * 41), ("key", ""), ("key", "k" * 500),
        ("key", "é"),
    ],
)  # fmt: skip
def test_each_field_says_what_is_wrong(
    alice: FlaskClient, cast: Cast, session: Session, field: str, typed: str
) -> None:
    for end in ("declarations", "echanges/verification"):
        answer = alice.post(path(cast.alice, end), data=said(cast.bruno, **{field: typed}))
        assert answer.status_code == 422
        assert "error" in answer.text
    assert written(session) == (0, 0)


def test_a_slip_keyed_twice_says_so_beside_its_field(alice: FlaskClient, cast: Cast) -> None:
    alice.post(path(cast.alice), data=said(cast.bruno, slip="A-17"))
    answer = alice.post(path(cast.alice), data=said(cast.chloe, slip="A-17", key="other"))
    assert answer.status_code == 422
    assert 'href="#slip"' in answer.text


def test_another_persons_account_and_exchange_are_not_found(
    alice: FlaskClient, app: Flask, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    chloe = sign_in(app.test_client(), cast.chloe)
    assert chloe.get(path(cast.alice, "echanges/nouveau")).status_code == 404
    assert chloe.post(path(cast.alice), data=said(cast.bruno)).status_code == 404
    for method, end in (("get", ""), ("post", "/confirmation"), ("post", "/refus")):
        assert getattr(chloe, method)(address + end, data={"reason": "Non"}).status_code == 404
    assert alice.post(address + "/confirmation").status_code == 404


def test_bruno_reads_what_waits_and_confirms(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    assert "À vous de répondre" in bruno.get(path(cast.bruno, "")[:-1]).text
    assert "Oui, c’est bien cela" in bruno.get(address).text
    assert "Oui, c’est bien cela" not in alice.get(address).text
    assert bruno.post(address + "/confirmation").status_code == 303
    assert "Confirmé" in alice.get(address).text
    assert written(session) == (1, 1)


def test_confirming_twice_leads_to_the_same_page(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    for _click in range(2):
        answer = bruno.post(address + "/confirmation")
        assert (answer.status_code, answer.location) == (303, address)
    assert written(session) == (1, 1)


def test_bruno_refuses_with_a_reason_and_alice_is_told(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    assert bruno.post(address + "/refus", data={"reason": " "}).status_code == 422
    for _click in range(2):
        assert bruno.post(address + "/refus", data={"reason": "C'était lundi"}).status_code == 303
    assert "C&#39;était lundi" in alice.get(address).text
    letters = session.execute(text("SELECT recipient FROM outbox WHERE subject LIKE '%%reconna%%'")).all()
    assert [letter.recipient for letter in letters] in ([], ["alice@example.org"])
    late = bruno.post(address + "/confirmation")
    assert late.status_code == 409
    assert "Une réponse a déjà été donnée" in late.text
    assert written(session) == (1, 0)


def test_alice_takes_back_what_she_declared_by_mistake_and_bruno_is_told(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    assert "Retirer cette déclaration" in alice.get(address).text
    assert "Retirer cette déclaration" not in bruno.get(address).text
    assert bruno.post(address + "/retrait").status_code == 404
    for _click in range(2):
        assert alice.post(address + "/retrait").status_code == 303
    assert "Retiré" in bruno.get(address).text
    assert "Oui, c’est bien cela" not in bruno.get(address).text
    letters = session.execute(text("SELECT recipient FROM outbox WHERE subject LIKE '%%retire%%'")).all()
    assert [letter.recipient for letter in letters] == ["bruno@example.org"]
    late = bruno.post(address + "/confirmation")
    assert late.status_code == 409
    assert written(session) == (1, 0)


def test_what_was_answered_is_not_taken_back(alice: FlaskClient, bruno: FlaskClient, cast: Cast) -> None:
    address = waiting(alice, cast)
    bruno.post(address + "/confirmation")
    late = alice.post(address + "/retrait")
    assert late.status_code == 409
    assert "Une réponse a déjà été donnée" in late.text
    assert "Retirer cette déclaration" not in late.text


def test_confirming_below_the_floor_says_so_and_still_waits(
    alice: FlaskClient, bruno: FlaskClient, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast, "40h")
    answer = bruno.post(address + "/confirmation")
    assert answer.status_code == 422
    assert "sous sa limite" in answer.text
    assert "Oui, c’est bien cela" in answer.text


def test_the_facilitator_declares_for_denise_and_both_names_are_read(
    app: Flask, cast: Cast, session: Session
) -> None:
    fanny = sign_in(app.test_client(), cast.fanny)
    done = fanny.post(path(cast.denise), data=said(cast.alice))
    assert done.status_code == 303
    page = fanny.get(done.location)
    assert "saisi par Fanny" in page.text
    assert fanny.get("/declarations/" + done.location.partition("fait=")[2]).status_code == 200


def test_the_facilitator_answers_for_denise_who_has_no_sign_in(
    alice: FlaskClient, app: Flask, cast: Cast, session: Session
) -> None:
    made = alice.post(path(cast.alice), data=said(cast.denise, direction="given"))
    address = "/declarations/" + made.location.partition("fait=")[2]
    fanny = sign_in(app.test_client(), cast.fanny)
    assert "Vous répondez pour Denise" in fanny.get(address).text
    assert fanny.post(address + "/confirmation").status_code == 303
    row = session.execute(text("SELECT answer, by_sign_in, by_party FROM declaration_answers")).one()
    assert cast.fanny.sign_in is not None
    assert tuple(row) == ("confirmed", cast.fanny.sign_in.id, cast.denise.party.id)


def test_the_facilitator_answers_for_nobody_who_can_answer_themselves(
    alice: FlaskClient, app: Flask, cast: Cast, session: Session
) -> None:
    address = waiting(alice, cast)
    fanny = sign_in(app.test_client(), cast.fanny)
    assert "Oui, c’est bien cela" not in fanny.get(address).text
    assert fanny.post(address + "/confirmation").status_code == 404
    assert fanny.post(address + "/refus", data={"reason": "Non"}).status_code == 404
    assert written(session) == (1, 0)


def test_who_has_a_sign_in_pays_by_their_own_act_and_never_at_the_counter(
    app: Flask, cast: Cast, session: Session
) -> None:
    fanny = sign_in(app.test_client(), cast.fanny)
    refused = fanny.post(path(cast.alice), data=said(cast.bruno))
    assert refused.status_code == 422
    assert "Alice a son propre accès" in refused.text
    assert written(session) == (0, 0)
    asked = fanny.post(path(cast.bruno), data=said(cast.alice, direction="given"))
    assert asked.status_code == 303
    assert written(session) == (1, 0)
    letter = session.execute(text("SELECT recipient, body FROM outbox")).one()
    assert letter.recipient == "alice@example.org"
    assert "Saisi au comptoir par Fanny" in letter.body


def test_the_facilitator_is_never_paid_by_who_she_acts_for(app: Flask, cast: Cast, session: Session) -> None:
    fanny = sign_in(app.test_client(), cast.fanny)
    refused = fanny.post(path(cast.denise), data=said(cast.fanny))
    assert refused.status_code == 422
    assert "Vous seriez payé" in refused.text
    asked = fanny.post(path(cast.fanny), data=said(cast.denise, direction="given", key="another"))
    address = "/declarations/" + asked.location.partition("fait=")[2]
    answer = fanny.post(address + "/confirmation")
    assert answer.status_code == 422
    assert "Vous seriez payé" in answer.text
    assert written(session) == (1, 0)


def test_a_closed_account_declares_nothing_more(alice: FlaskClient, cast: Cast, session: Session) -> None:
    assert cast.alice.account is not None
    writing.close_account(session, cast.alice.account.id, community=cast.community.id, reason="Déménage",
                          by=cast.system, at=NOON)  # fmt: skip
    assert alice.get(path(cast.alice, "echanges/nouveau")).status_code == 404
    assert alice.post(path(cast.alice), data=said(cast.bruno)).status_code == 404
    assert "Ce compte est clos" in alice.get(path(cast.alice, "")[:-1]).text
