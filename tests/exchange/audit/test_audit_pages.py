"""Tibo the treasurer reads the books, and nobody else does."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import outbox
from exchange.audit import views as audit
from exchange.declarations import operations
from exchange.members import operations as members
from exchange.members.models import Party
from exchange.seals import operations as seals
from ledger.signatures import SigningKey
from ledger.store import writing
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.counting import counted
from tests.databases import as_owner
from tests.exchange.declarations.test_declarations_operations import said

PAGES = ("/comptes", "/comptes.csv", "/ecritures", "/ecritures.csv", "/verification")


@pytest.fixture
def office(session: Session, cast: Cast) -> str:
    """The address under which the books of the SEL are read."""
    return f"/administration/{session.get_one(Party, cast.community.party_id).token}"


@pytest.fixture
def tibo(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.tibo)


def help_given(session: Session, giver: Person, receiver: Person, minutes: int = 90, **other: object) -> int:
    """Said by who was helped, so written at once; the number of its entry."""
    from exchange.declarations import queries

    declared = operations.declare(session, said(giver, receiver, minutes, **other), answer_days=30, today=SATURDAY,
                                  by=receiver.by, at=NOON)  # fmt: skip
    answer = queries.answer(session, declared.id)
    assert answer is not None
    assert answer.entry_id is not None
    return answer.entry_id


def sheet(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


# -- who may


@pytest.mark.parametrize("who", ["alice", "fanny", "olga", "zoe"])
def test_only_the_office_reads_the_books(client: FlaskClient, cast: Cast, office: str, who: str) -> None:
    """An officer of the town in particular never sees a balance."""
    browser = sign_in(client, getattr(cast, who))
    for page in (*PAGES, "/ecritures/1", "/lettres"):
        answer = browser.get(office + page)
        assert answer.status_code == 403
        assert "les trésoriers" in answer.text or page == "/lettres"


def test_a_party_that_is_no_community_has_no_books(tibo: FlaskClient, cast: Cast) -> None:
    assert tibo.get("/administration/nobody/comptes").status_code == 404
    assert tibo.get(f"/administration/{cast.club.token}/comptes").status_code == 403


def test_a_treasurer_reads_no_letter(tibo: FlaskClient, office: str) -> None:
    assert tibo.get(f"{office}/lettres").status_code == 403


# -- the trial balance


def test_the_sum_is_zero_and_said_in_words(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    help_given(session, cast.alice, cast.bruno)
    page = tibo.get(f"{office}/comptes").text
    assert "La somme de tous les soldes est zéro" in page
    assert "1\u00a0h\u00a030" in page


def test_on_a_telephone_the_balance_is_two_columns_and_the_sum_stands_under_them(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    table = tibo.get(f"{office}/comptes").text.partition("<table")[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd]([^>]*)>", row) for row in table.split("<tr>")[1:]]
    assert len({len(cells) for cells in rows}) == 1
    assert {tuple("wide-only" in cell for cell in cells) for cells in rows} == {(False, True, False, True, True)}


def test_a_long_balance_comes_by_pages_or_whole_and_its_sum_is_of_all(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    with as_owner(session):
        for number in range(audit.PAGE):
            party = members.add_party(session, kind="person", name=f"Zélie {number:02}", at=NOON)
            writing.open_account(session, community=cast.community.id, party=party.id, kind="person",
                                 holder=party.name, at=NOON)  # fmt: skip

    def names(query: str) -> list[str]:
        table = tibo.get(f"{office}/comptes{query}").text.partition("<tbody>")[2].partition("</tbody>")[0]
        return re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', table)

    first, second, whole = names(""), names("?page=2"), names("?tout=1")
    assert len(first) == audit.PAGE
    assert first + second == whole
    assert names("?page=99") == second
    assert "page=2" in tibo.get(f"{office}/comptes?le=2026-11-21").text
    assert "le=2026-11-21" in tibo.get(f"{office}/comptes?le=2026-11-21").text


def test_an_account_outside_its_limits_is_pointed_at(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    help_given(session, cast.alice, cast.bruno, 1500)
    help_given(session, cast.alice, cast.chloe, 1500)
    page = tibo.get(f"{office}/comptes").text
    assert "au-dessus de 2\u202f000" in page or "au-dessus de 2\u00a0000" in page
    assert "hors limites" in page


def test_an_evening_past_is_read_as_it_was_recorded(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    help_given(session, cast.alice, cast.bruno)
    later = NOON + timedelta(days=2)
    operations.declare(session, said(cast.chloe, cast.bruno, 30), answer_days=30, today=later.date(), by=cast.bruno.by,
                       at=later)  # fmt: skip
    balances = {}
    for day in ("2026-11-20", "2026-11-21", "2026-11-23"):
        rows = sheet(tibo.get(f"{office}/comptes.csv?le={day}").text)
        balances[day] = {row[0]: row[2] for row in rows[1:]}
        assert sum(int(row[2]) for row in rows[1:]) == 0
    assert balances["2026-11-20"] == {}
    assert (balances["2026-11-21"]["Bruno"], balances["2026-11-23"]["Bruno"]) == ("-90", "-120")
    assert "Aucun compte ce jour-là" in tibo.get(f"{office}/comptes?le=2026-11-20").text


@pytest.mark.parametrize("day", ["2026-02-30", "hier", "99999-01-01", "0001-01-01", "\x00", "2026-11-21' OR 1=1"])
def test_a_day_that_does_not_exist_is_refused_beside_its_field(tibo: FlaskClient, office: str, day: str) -> None:
    answer = tibo.get(f"{office}/comptes", query_string={"le": day})
    assert answer.status_code == 422
    assert 'href="#le"' in answer.text


# -- entries


def test_an_entry_says_what_moved_who_typed_it_and_what_it_was(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    for page in (f"/ecritures/{number}", "/ecritures"):
        shown = tibo.get(office + page).text
        for word in ("Bruno", "Alice", "Taille de la haie", "saisie par Bruno" if page == "/ecritures" else "bruno"):
            assert word in shown
    assert tibo.get(f"{office}/ecritures/{number + 1}").status_code == 404
    assert tibo.get(f"{office}/ecritures/{'9' * 30}").status_code == 404


def test_entries_are_narrowed_by_kind_by_who_typed_for_others_and_by_day(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    mine = help_given(session, cast.alice, cast.bruno)
    by = cast.fanny.by._replace(party=cast.denise.party.id, mandate=_mandate(session, cast.fanny, "facilitator"))
    operations.declare(session, said(cast.alice, cast.denise, 45, description="Courses"), answer_days=30,
                       today=SATURDAY, by=by, at=NOON)  # fmt: skip

    def found(**query: str) -> set[str]:
        return {row[12] for row in sheet(tibo.get(f"{office}/ecritures.csv", query_string=query).text)[1:]}

    assert found() == {"Taille de la haie", "Courses"}
    assert found(pour="y") == {"Courses"}
    assert found(par="fanny") == {"Courses"}
    assert found(par="BRUNO") == {"Taille de la haie"}
    assert found(par="personne") == found(nature="loan") == found(le="2026-11-20") == set()
    assert found(le="2026-11-21", nature="exchange") == {"Taille de la haie", "Courses"}
    assert "Fanny, pour Denise" in tibo.get(f"{office}/ecritures?pour=y").text
    assert mine
    assert {(row[7], row[13]) for row in sheet(tibo.get(f"{office}/ecritures.csv").text)[1:]} == {
        ("Fanny", "fanny"), ("Bruno", "bruno"),
    }  # fmt: skip


def _mandate(session: Session, person: Person, role: str) -> int:
    from exchange.members.models import Mandate

    assert person.sign_in is not None
    return session.query(Mandate).filter_by(sign_in_id=person.sign_in.id, role=role).one().id


@pytest.mark.parametrize(
    "query", [{"nature": "magic"}, {"le": "2026-13-01"}, {"par": "\x00"}, {"par": "a" * 500}], ids=str
)
def test_what_cannot_be_looked_for_is_said(tibo: FlaskClient, office: str, query: dict[str, str]) -> None:
    assert tibo.get(f"{office}/ecritures", query_string=query).status_code == 422


def test_pages_of_entries_follow_each_other(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    numbers = [help_given(session, cast.alice, cast.bruno, 1 + place) for place in range(30)]
    first = tibo.get(f"{office}/ecritures").text
    assert f"avant={numbers[5]}" in first
    second = tibo.get(f"{office}/ecritures?avant={numbers[5]}").text
    assert f"/ecritures/{numbers[4]}" in second
    assert f"/ecritures/{numbers[5]}\"" not in second


def test_the_life_of_an_account_is_told(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    help_given(session, cast.alice, cast.bruno)
    assert cast.alice.account is not None
    page = tibo.get(f"{office}/comptes/{cast.alice.account.token}")
    assert page.status_code == 200
    assert "Ouvert le" in page.text
    assert "avec Bruno" in page.text
    assert tibo.get(f"{office}/comptes/unknown").status_code == 404


def test_a_correction_and_what_it_corrects_lead_to_each_other(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    mirror = writing.reverse(session, number, community=cast.community.id, key="k", reason="Deux fois",
                             happened_on=SATURDAY, by=cast.system, at=NOON).id  # fmt: skip
    assert f"/ecritures/{mirror}" in tibo.get(f"{office}/ecritures/{number}").text
    page = tibo.get(f"{office}/ecritures/{mirror}").text
    assert f"/ecritures/{number}" in page
    assert "Deux fois" in page


def test_no_page_of_the_books_costs_more_with_more_rows(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno, 1)
    assert cast.alice.account is not None
    pages = [*PAGES, f"/ecritures/{number}", f"/comptes/{cast.alice.account.token}"]

    def asked(page: str) -> int:
        with counted() as seen:
            assert tibo.get(office + page).status_code == 200
        return len(seen)

    asked(pages[0])  # what is kept for a minute is known from now on
    before = {page: asked(page) for page in pages}
    for place in range(30):
        help_given(session, (cast.alice, cast.chloe, cast.denise)[place % 3], cast.bruno, 1 + place)
    assert {page: asked(page) for page in pages} == before
    assert max(before.values()) <= 12


# -- exports, letters


def test_a_name_that_is_a_formula_stays_a_name(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    help_given(session, cast.alice, cast.bruno, description="=1+1")
    cast.alice.party.name = "@SUM(A1)"
    session.flush()
    assert any(row[0] == "'@SUM(A1)" for row in sheet(tibo.get(f"{office}/comptes.csv").text))
    [row] = sheet(tibo.get(f"{office}/ecritures.csv").text)[1:]
    assert (row[5], row[12]) == ("'@SUM(A1)", "'=1+1")


def test_the_administrator_reads_the_letters_of_this_community_alone(
    client: FlaskClient, app: Flask, session: Session, cast: Cast, office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for recipient in ("alice@example.org", "zoe@example.org"):
        session.add(outbox.Letter(recipient=recipient, subject=f"À {recipient}", body="<b>Secret</b>", written_at=NOON))
    session.flush()
    aicha = sign_in(client, cast.aicha)
    page = aicha.get(f"{office}/lettres").text
    assert "alice@example.org" in page
    assert "zoe@example.org" not in page
    assert "&lt;b&gt;Secret" in page
    monkeypatch.setitem(app.config, "MAIL_BACKEND", "smtp")
    assert "Secret" not in aicha.get(f"{office}/lettres").text


# -- the first page of who administers


def test_the_administrator_reads_on_the_first_page_how_the_group_is(
    app: Flask, session: Session, cast: Cast
) -> None:
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        aicha, alice = (sign_in(app.test_client(), who) for who in (cast.aicha, cast.alice))
        help_given(session, cast.alice, cast.bruno, 90)
        page = aicha.get("/").text
        assert "Le groupe se porte bien" in page
        assert "dont 2 ont échangé depuis trois mois" in page
        assert ("1 h 30" in page.replace("\u00a0", " "), "Le groupe" in alice.get("/").text) == (True, False)
        with as_owner(session):
            session.execute(text("UPDATE books.accounts SET floor = -10 WHERE party_id = :bruno"),
                            {"bruno": cast.bruno.party.id})  # fmt: skip
            assert cast.alice.sign_in is not None
            for to in (cast.alice.sign_in.email, "a-stranger@example.org"):
                lost = outbox.Letter(recipient=to, subject="Bonjour", body="…", written_at=NOON)
                lost.failure = "refused"
                session.add(lost)
        page = aicha.get("/").text
        assert "Le groupe demande votre attention" in page
        assert "1 compte est hors de ses limites" in page
        assert "1 lettre n’a pas pu partir" in page
        assert "ne sont plus scellées" not in page
        treasurer = sign_in(app.test_client(), cast.tibo).get("/").text
        assert "1 compte est hors de ses limites" in treasurer
        assert "lettre n’a pas pu partir" not in treasurer, "nor may he read letters"
    with freeze_time(NOON + timedelta(minutes=6), ignore=["psycopg", "sqlalchemy"]):
        assert "Les écritures ne sont plus scellées" in aicha.get("/").text
        seals.seal(session, SigningKey.generate("localhost/livre"), at=NOON)
        assert "ne sont plus scellées" not in aicha.get("/").text
