"""Putting right, setting limits, opening and closing: with a reason, once, and never to one's own gain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.audit.queries import checks
from exchange.members import operations as members
from exchange.members.models import Party
from exchange.stewardship.policy import check_nobody_gains
from ledger.errors import CorrectionGains
from ledger.limits import Limits
from ledger.store import auditing, reading, writing
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.exchange.audit.test_audit_pages import help_given
from tests.hostile import Controls

pytestmark = pytest.mark.usefixtures("at_noon")


@pytest.fixture
def at_noon() -> Any:
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        yield


@pytest.fixture
def office(session: Session, cast: Cast) -> str:
    return f"/administration/{session.get_one(Party, cast.community.party_id).token}"


@pytest.fixture
def tibo(client: FlaskClient, cast: Cast) -> FlaskClient:
    """The treasurer."""
    return sign_in(client, cast.tibo)


@pytest.fixture
def aicha(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    """The administrator."""
    return sign_in(app.test_client(), cast.aicha)


def balance(session: Session, who: Person | Party) -> int:
    party = who.party.id if isinstance(who, Person) else who.id
    found = session.scalar(text("SELECT balance FROM books.accounts WHERE party_id = :party"), {"party": party})
    assert found is not None
    return int(found)


def entries(session: Session) -> int:
    return session.scalar(text("SELECT count(*) FROM books.entries")) or 0


def account(who: Person) -> str:
    assert who.account is not None
    return who.account.token


def healthy(session: Session) -> bool:
    return all(finding.wrong == [] for finding in auditing.run(session, auditing.CHECKS))


# -- corrections


def test_the_treasurer_sees_what_will_be_written_then_writes_it_once(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    page = tibo.get(f"{office}/ecritures/{number}/correction").text
    assert "de Bruno à Alice" in page
    assert "d’Alice à Bruno" in page
    assert entries(session) == 1
    sent = {"reason": "Saisi deux fois", "key": "fix"}
    done = [tibo.post(f"{office}/ecritures/{number}/correction", data=sent) for _click in range(2)]
    assert {(answer.status_code, answer.location) for answer in done} == {(303, f"{office}/ecritures/{number + 1}")}
    assert entries(session) == 2
    assert balance(session, cast.alice) == 0
    told = session.scalars(text("SELECT recipient FROM outbox WHERE body LIKE '%%Saisi deux fois%%'")).all()
    assert sorted(told) == ["alice@example.org", "bruno@example.org"]
    assert healthy(session)


def test_an_entry_is_corrected_once_and_a_correction_never(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    tibo.post(f"{office}/ecritures/{number}/correction", data={"reason": "Deux fois", "key": "one"})
    for of, sentence in ((number, "déjà corrigée"), (number + 1, "Une correction ne se corrige pas")):
        answer = tibo.post(f"{office}/ecritures/{of}/correction", data={"reason": "Encore", "key": f"again{of}"})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert entries(session) == 2


@pytest.mark.parametrize("reason", ["", "   ", "\u00a0", "...", "x" * 401, "a\x00b"])
def test_a_correction_says_why(tibo: FlaskClient, session: Session, cast: Cast, office: str, reason: str) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    answer = tibo.post(f"{office}/ecritures/{number}/correction", data={"reason": reason, "key": "k"})
    assert answer.status_code == 422
    assert "error" in answer.text
    assert entries(session) == 1


def test_who_gains_does_not_correct(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    number = help_given(session, cast.alice, cast.tibo)
    answer = tibo.post(f"{office}/ecritures/{number}/correction", data={"reason": "Je préfère", "key": "k"})
    assert answer.status_code == 422
    assert "Vous gagneriez des minutes" in answer.text
    assert entries(session) == 1


def test_nor_through_an_association_that_they_act_for(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    """Tibo becomes a delegate of the club, which was helped."""
    assert cast.tibo.sign_in is not None
    members.grant(session, sign_in=cast.tibo.sign_in.id, party=cast.club.id, role="delegate", starts_on=SATURDAY,
                  granted_by=None, at=NOON)  # fmt: skip
    club = Person(cast.club, None, reading.account_of(session, cast.community.id, cast.club.id), cast.delegate)
    number = help_given(session, cast.alice, club)
    answer = tibo.post(f"{office}/ecritures/{number}/correction", data={"reason": "Je préfère", "key": "k"})
    assert answer.status_code == 422
    assert balance(session, cast.club) == -90


def test_who_loses_may_correct(tibo: FlaskClient, session: Session, cast: Cast, office: str) -> None:
    number = help_given(session, cast.tibo, cast.alice)
    answer = tibo.post(f"{office}/ecritures/{number}/correction", data={"reason": "Par erreur", "key": "k"})
    assert answer.status_code == 303
    assert balance(session, cast.tibo) == 0


def test_the_rule_itself() -> None:
    check_nobody_gains({1: 60, 2: -60}, acts_for={2, 3})
    with pytest.raises(CorrectionGains):
        check_nobody_gains({1: 60, 2: -60}, acts_for={1})


# -- who may


@pytest.mark.parametrize("who", ["alice", "fanny", "olga", "zoe", "tibo"])
def test_only_the_administrator_sets_limits_opens_and_closes(
    client: FlaskClient, session: Session, cast: Cast, office: str, who: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    browser = sign_in(client, getattr(cast, who))
    pages = ["/limites", "/ouverture-de-compte", f"/comptes/{account(cast.alice)}/limites",
             f"/comptes/{account(cast.alice)}/cloture"]  # fmt: skip
    if who != "tibo":
        pages.append(f"/ecritures/{number}/correction")
    for page in pages:
        for method in ("get", "post"):
            assert getattr(browser, method)(office + page).status_code == 403


def test_another_communitys_rows_are_not_found(aicha: FlaskClient, cast: Cast, office: str) -> None:
    for page in ("/comptes/unknown/limites", "/comptes/unknown/cloture", "/ecritures/999/correction",
                 f"/ecritures/{'9' * 25}/correction"):  # fmt: skip
        assert aicha.get(office + page).status_code == 404
        assert aicha.post(office + page).status_code == 404


# -- limits


def test_the_assembly_changes_the_limits_of_everybody(
    aicha: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    sent = {"kind": "person", "floor": "3 000", "ceiling": "", "reason": "Assemblée du 12 mars", "key": "k"}
    for _click in range(2):
        assert aicha.post(f"{office}/limites", data=sent).status_code == 303
    page = aicha.get(f"{office}/limites").text
    assert page.count("Assemblée du 12 mars") == 1
    assert "Aïcha" in page
    assert set(session.scalars(text("SELECT floor FROM books.accounts WHERE kind = 'person'"))) == {-3000}
    assert healthy(session)


def test_an_exception_has_its_reason_and_its_end(
    aicha: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    sent = {"floor": "0", "ceiling": "100", "until": "2026-12-24", "reason": "Accord avec Bruno", "key": "k"}
    answer = aicha.post(f"{office}/comptes/{account(cast.bruno)}/limites", data=sent)
    assert answer.status_code == 303
    assert "Accord avec Bruno" in aicha.get(answer.location).text
    ends = session.execute(text("SELECT ends_at FROM books.limits WHERE account_id IS NOT NULL")).scalar_one()
    assert ends.isoformat() == "2026-12-24T23:00:00+00:00"  # midnight in Paris, the day included
    assert healthy(session)


@pytest.mark.parametrize(
    ("field", "typed"),
    [("floor", "-5"), ("floor", "douze"), ("floor", "9" * 30), ("floor", "1.5"), ("ceiling", "1000001"), ("until", ""),
     ("until", "2026-11-20"), ("until", "2026-02-30"), ("reason", ""), ("reason", " "), ("key", "")],
)  # fmt: skip
def test_a_wrong_limit_is_said_beside_its_field(
    aicha: FlaskClient, session: Session, cast: Cast, office: str, field: str, typed: str
) -> None:
    sent = {"floor": "10", "ceiling": "", "until": "2026-12-24", "reason": "Accord", "key": "k", field: typed}
    answer = aicha.post(f"{office}/comptes/{account(cast.bruno)}/limites", data=sent)
    assert answer.status_code == 422
    assert "error" in answer.text
    assert session.scalar(text("SELECT count(*) FROM books.limits WHERE account_id IS NOT NULL")) == 0


# -- accounts


def test_an_account_is_opened_for_who_has_none(
    aicha: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    assert "Zoé" in aicha.get(f"{office}/ouverture-de-compte").text
    sent = {"party": cast.zoe.party.token, "kind": "person", "key": "k"}
    done = [aicha.post(f"{office}/ouverture-de-compte", data=sent) for _click in range(2)]
    assert {answer.status_code for answer in done} == {303}
    page = aicha.get(done[0].location).text
    assert "par Aïcha" in page
    again = aicha.post(f"{office}/ouverture-de-compte", data={**sent, "key": "other"})
    assert again.status_code == 422
    assert "déjà un compte" in again.text
    assert healthy(session)


@pytest.mark.parametrize(
    "sent", [{"party": "nobody"}, {"party": "\x00é"}, {"party": ""}, {"kind": "authority"}, {"kind": "community"}],
    ids=str,
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused(
    aicha: FlaskClient, session: Session, cast: Cast, office: str, sent: dict[str, str]
) -> None:
    whole = {"party": cast.zoe.party.token, "kind": "person", "key": "k", **sent}
    answer = aicha.post(f"{office}/ouverture-de-compte", data=whole)
    assert answer.status_code == 422
    assert "error" in answer.text


def test_an_account_closes_at_zero_and_stays_readable(
    aicha: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    number = help_given(session, cast.alice, cast.bruno)
    where, sent = f"{office}/comptes/{account(cast.alice)}/cloture", {"reason": "Déménage à Nantes", "key": "k"}
    refused = aicha.post(where, data=sent)
    assert refused.status_code == 422
    assert "Un compte se clôt à zéro" in refused.text
    aicha.post(f"{office}/ecritures/{number}/correction", data={"reason": "Erreur", "key": "c"})
    done = aicha.post(where, data=sent)
    assert done.status_code == 303
    page = aicha.get(done.location).text
    assert "Déménage à Nantes" in page
    assert "par Aïcha" in page
    again = aicha.post(where, data={**sent, "key": "again"})
    assert again.status_code == 422
    assert healthy(session)


# -- dues and opening credits


def levied(**changed: str) -> dict[str, str]:
    return {
        "kind": "dues", "whom": "person", "minutes": "2 h", "reason": "Cotisation votée", "key": "dues", **changed,
    }  # fmt: skip


def balances(session: Session) -> dict[str, int]:
    rows = session.execute(
        text("SELECT p.name, a.balance FROM books.accounts a JOIN parties p ON p.id = a.party_id ORDER BY a.id")
    )
    return {row.name: row.balance for row in rows}


def test_dues_are_shown_first_then_written_once_for_everybody(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    page = tibo.post(f"{office}/ecritures/pour-tous", data=levied())
    members_ = session.scalar(text("SELECT count(*) FROM books.accounts WHERE kind = 'person'"))
    assert f"{members_} comptes donnent chacun" in page.text
    assert (page.status_code, entries(session)) == (200, 0)
    done = [tibo.post(f"{office}/ecritures/pour-tous/ecriture", data=levied()) for _click in range(2)]
    assert {(answer.status_code, answer.location) for answer in done} == {(303, done[0].location)}
    assert entries(session) == 1
    assert "existe déjà aujourd’hui" in tibo.post(f"{office}/ecritures/pour-tous", data=levied(key="second tab")).text
    found = balances(session)
    assert (found["Alice"], found["Bruno"]) == (-120, -120)
    assert sum(found.values()) == 0
    assert "Cotisation à" in tibo.get(f"/comptes/{account(cast.tibo)}").text
    assert healthy(session)


def test_one_who_cannot_give_stops_everybody_until_they_are_left_out(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    help_given(session, cast.alice, cast.bruno, 1990)
    asked = tibo.post(f"{office}/ecritures/pour-tous/ecriture", data=levied())
    assert asked.status_code == 422
    assert "7 comptes devraient donner chacun" in asked.text
    assert "<strong>1 compte ne le peut pas.</strong>" in asked.text
    assert "En tout" not in asked.text
    assert "Bruno : son solde est de −1" in asked.text.replace("\u202f", "").replace("\xa0", " ")
    assert "c’est pour tous, ou pour personne" in asked.text
    assert entries(session) == 1
    again = tibo.post(f"{office}/ecritures/pour-tous", data=levied(leave_out="y")).text
    assert "6 comptes donnent chacun" in again
    assert "1 compte qui ne le peut pas est laissé de côté." in again
    done = tibo.post(f"{office}/ecritures/pour-tous/ecriture", data=levied(leave_out="y"))
    assert done.status_code == 303
    assert (balances(session)["Bruno"], balances(session)["Chloé"]) == (-1990, -120)
    assert healthy(session)


def test_an_opening_credit_comes_from_the_common_account(
    aicha: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    sent = levied(kind="opening", whom="everybody", minutes="30 min")
    assert aicha.post(f"{office}/ecritures/pour-tous/ecriture", data=sent).status_code == 303
    found = balances(session)
    assert found["Alice"] == 30
    assert sum(found.values()) == 0


def test_a_common_account_that_cannot_give_stops_everybody_whoever_is_left_out(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    common = next(each for each in reading.open_accounts(session, cast.community.id) if each.kind == "community")
    writing.set_limit(session, Limits(0, None), community=cast.community.id, account=common.id, starts_at=NOON,
                      ends_at=NOON + timedelta(days=30), reason="Assembly", by=cast.system, at=NOON)  # fmt: skip
    for left_out in ({}, {"leave_out": "y"}):
        sent = levied(kind="opening", **left_out)
        page = tibo.post(f"{office}/ecritures/pour-tous", data=sent).text
        assert "7 comptes devraient recevoir chacun" in page
        assert "Le compte commun ne le peut pas\u00a0: rien ne peut être écrit." in page
        assert "laisser de côté" not in page
        assert tibo.post(f"{office}/ecritures/pour-tous/ecriture", data=sent).status_code == 422
    assert entries(session) == 0


def test_who_goes_back_from_a_list_that_is_stopped_has_left_nobody_out(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    help_given(session, cast.alice, cast.bruno, 1990)
    check = Controls(tibo.post(f"{office}/ecritures/pour-tous", data=levied()).text)
    assert "leave_out" not in check.shown


def test_who_corrects_what_they_typed_finds_it_again(tibo: FlaskClient, office: str, cast: Cast) -> None:
    page = tibo.post(f"{office}/ecritures/pour-tous", data=levied(correct="1"))
    assert page.status_code == 200
    assert 'value="2 h"' in page.text
    assert tibo.post(f"{office}/ecritures/pour-tous", data=levied(minutes="deux")).status_code == 422
    nobody = tibo.post(f"{office}/ecritures/pour-tous", data=levied(whom="martians"))
    assert nobody.status_code == 422


def test_a_day_of_work_is_given_to_those_who_came_and_to_nobody_else(
    tibo: FlaskClient, session: Session, cast: Cast, office: str
) -> None:
    page = f"{office}/ecritures/pour-tous"
    said = {"kind": "work", "whom": "chosen", "minutes": "3 h", "reason": "Nettoyage du lavoir", "key": "work"}
    assert "Chloé" in tibo.get(page).text
    assert tibo.post(page, data=said).status_code == 422  # nobody is ticked
    assert tibo.post(page, data={**said, "people": ["nobody-has-this"]}).status_code == 422
    ticked = {**said, "people": [account(cast.alice), account(cast.chloe)]}
    shown = tibo.post(page, data=ticked).text
    assert "2 comptes reçoivent chacun 180" in shown
    assert shown.count('name="people"') == 2
    assert tibo.post(f"{page}/ecriture", data=ticked).status_code == 303
    assert [balance(session, who) for who in (cast.alice, cast.chloe, cast.bruno)] == [180, 180, 0]
    assert healthy(session)
    assert [found for found in checks(session, at=NOON) if found.wrong] == []


def test_members_cannot_levy(app: Flask, session: Session, cast: Cast, office: str) -> None:
    bruno = sign_in(app.test_client(), cast.bruno)
    assert bruno.get(f"{office}/ecritures/pour-tous").status_code == 403
    assert bruno.post(f"{office}/ecritures/pour-tous/ecriture", data=levied()).status_code == 403
    assert entries(session) == 0
