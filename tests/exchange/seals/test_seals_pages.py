"""What left the server is checked by who has it, with nothing of the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange.members import operations as members
from exchange.members.models import Party
from exchange.seals import operations, queries
from ledger import verify
from ledger.__main__ import main
from ledger.signatures import SigningKey
from ledger.store import sealing, writing
from tests.cast import NOON, Cast, sign_in
from tests.databases import as_owner
from tests.exchange.audit.test_audit_pages import help_given

pytestmark = pytest.mark.usefixtures("at_noon")
KEY = SigningKey.generate("localhost/livre")


@pytest.fixture
def at_noon() -> Any:
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        yield


@pytest.fixture
def alice(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.alice)


def line_of(cast: Cast, seq: int) -> str:
    assert cast.alice.account is not None
    return f"/comptes/{cast.alice.account.token}/lignes/{seq}/preuve"


def test_a_visitor_reads_the_head_and_a_sum_of_zero(client: FlaskClient, session: Session, cast: Cast) -> None:
    assert "Rien n’est encore scellé" in client.get("/livre").text
    assert client.get("/livre/tete").status_code == 404
    help_given(session, cast.alice, cast.bruno, 90)
    head = operations.seal(session, KEY, at=NOON)
    assert head is not None
    page = client.get("/livre").text
    assert head.note.splitlines()[2] in page
    assert str(KEY.public) in page.replace("&#43;", "+")
    assert "Télécharger" not in page
    given = client.get("/livre/tete")
    assert (given.text, given.mimetype) == (head.note, "text/plain")
    assert client.get(f"/livre/tetes/{head.size}").text == head.note
    assert client.get("/livre/tetes/1").status_code == 404


def test_alice_proves_her_line_with_nothing_of_the_server(
    alice: FlaskClient, session: Session, cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    early = operations.seal(session, KEY, at=NOON)
    help_given(session, cast.chloe, cast.alice, 30)
    operations.seal(session, KEY, at=NOON)
    assert early is not None
    assert "Preuve de la ligne 1" in alice.get(line_of(cast, 1).partition("/lignes")[0]).text
    proof, head = tmp_path / "preuve.json", tmp_path / "tete.txt"
    proof.write_text(alice.get(f"{line_of(cast, 1)}?depuis={early.size}").text)
    head.write_text(early.note)
    assert main(["verify-entry", str(proof), "--key", str(KEY.public), "--head", str(head)]) == 0
    assert "1 h 30" in capsys.readouterr().out.replace("\xa0", " ")
    other = SigningKey.generate("localhost/livre").public
    assert main(["verify-entry", str(proof), "--key", str(other)]) == 1


def test_a_line_that_is_not_sealed_yet_says_when_it_will_be(alice: FlaskClient, session: Session, cast: Cast) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    answer = alice.get(line_of(cast, 1))
    assert (answer.status_code, "dans une minute" in answer.text) == (409, True)
    assert "<title>Pas encore scellé" in answer.text
    assert alice.get(line_of(cast, 2)).status_code == 404
    assert alice.get(line_of(cast, 2**70)).status_code == 404


def test_nobody_takes_the_proof_of_anothers_line(app: Flask, session: Session, cast: Cast) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    operations.seal(session, KEY, at=NOON)
    for person in (cast.bruno, cast.fanny, cast.aicha):
        assert sign_in(app.test_client(), person).get(line_of(cast, 1)).status_code == 404


def test_the_administrator_takes_the_whole_books_and_it_is_noted(
    app: Flask, session: Session, cast: Cast, tmp_path: Path
) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    head = operations.seal(session, KEY, at=NOON)
    aicha = sign_in(app.test_client(), cast.aicha)
    assert "Qui l’a pris" not in aicha.get("/livre").text
    taken = tmp_path / "livre.jsonl"
    with aicha.post("/livre/exports") as answer:
        taken.write_bytes(answer.data)
    report = verify.verify(taken, keys=[KEY.public])
    assert head is not None
    assert (report.finding, report.size, report.trusted) == (None, head.size, True)
    told = taken.read_text()
    assert not [name for name in ("Alice", "Bruno", "Saint-Marron", "Taille") if name in told]
    assert "Qui l’a pris" in aicha.get("/livre").text
    assert session.execute(text("SELECT size, by_party FROM ledger_downloads")).all() == [
        (head.size, cast.community.party_id)
    ]


def test_who_has_no_such_mandate_takes_nothing(app: Flask, session: Session, cast: Cast) -> None:
    operations.seal(session, KEY, at=NOON)
    for person in (cast.alice, cast.fanny, cast.tibo, cast.olga):
        client = sign_in(app.test_client(), person)
        assert client.post("/livre/exports").status_code == 403
        assert "Télécharger le livre" not in client.get("/livre").text


def decided(client: FlaskClient, session: Session, cast: Cast, key: str, **said: str) -> TestResponse:
    desk = session.get_one(Party, cast.community.party_id).token
    said = {"whom": "members", "decided_on": "2026-10-03", "decision": "Résolution 4", "key": key, **said}
    return client.post(f"/administration/{desk}/livre", data=said)


def take(client: FlaskClient) -> int:
    with client.post("/livre/exports") as answer:
        return answer.status_code


def test_every_member_takes_the_books_that_the_assembly_opened_and_nobody_once_it_closed_them(
    app: Flask, session: Session, cast: Cast
) -> None:
    operations.seal(session, KEY, at=NOON)
    aicha, alice, olga = (sign_in(app.test_client(), one) for one in (cast.aicha, cast.alice, cast.olga))
    assert decided(aicha, session, cast, "opened").status_code == 303
    assert "ouvert à tous les membres" in alice.get("/livre").text.lower()
    assert take(alice) == 200
    assert [row.by_sign_in for row in queries.downloads(session)] == [cast.alice.sign_in.id]
    assert take(olga) == 403  # an officer of the town, and no member
    assert take(app.test_client()) == 303
    assert decided(aicha, session, cast, "closed", whom="offices", decision="Résolution 9").status_code == 303
    assert take(alice) == 403
    assert take(aicha) == 200


def test_an_older_assembly_noted_later_changes_nothing_that_is_in_force(
    app: Flask, session: Session, cast: Cast
) -> None:
    operations.seal(session, KEY, at=NOON)
    aicha = sign_in(app.test_client(), cast.aicha)
    decided(aicha, session, cast, "closed", whom="offices", decided_on="2026-10-03", decision="Résolution 9")
    decided(aicha, session, cast, "before", whom="members", decided_on="2025-10-04", decision="Résolution 4")
    assert take(sign_in(app.test_client(), cast.alice)) == 403
    desk = session.get_one(Party, cast.community.party_id).token
    now, before = aicha.get(f"/administration/{desk}/livre").text.split("Les décisions d’avant")
    assert ("Résolution 9" in now, "Résolution 4" in now, "Résolution 4" in before) == (True, False, True)
    decided(aicha, session, cast, "the same day", whom="members", decided_on="2026-10-03", decision="Résolution 10")
    assert take(sign_in(app.test_client(), cast.alice)) == 200


def test_the_books_of_two_communities_open_only_to_who_may_read_both(
    app: Flask, session: Session, cast: Cast
) -> None:
    with as_owner(session):
        other = members.open_community(session, name="SEL d’à côté", system_name="Autre", at=NOON)
        party = members.add_party(session, kind="person", name="Zélie", at=NOON)
    writing.open_account(session, community=other.id, party=party.id, kind="person", holder=party.name, at=NOON)
    operations.seal(session, KEY, at=NOON)
    assert decided(sign_in(app.test_client(), cast.aicha), session, cast, "opened").status_code == 303
    for person in (cast.alice, cast.aicha):
        assert take(sign_in(app.test_client(), person)) == 403


def test_a_decision_of_a_day_to_come_or_without_a_name_is_refused_and_nobody_else_writes_one(
    app: Flask, session: Session, cast: Cast
) -> None:
    aicha = sign_in(app.test_client(), cast.aicha)
    for said in ({"decided_on": "2027-01-01"}, {"decision": " "}, {"whom": "world"}, {"decided_on": "le 30 février"}):
        answer = decided(aicha, session, cast, "bad", **said)
        assert (answer.status_code, "Il y a un problème" in answer.text) == (422, True)
    assert queries.openings(session) == {}
    assert decided(sign_in(app.test_client(), cast.alice), session, cast, "hers").status_code == 403
    assert decided(aicha, session, cast, "once").status_code == 303
    assert decided(aicha, session, cast, "once").status_code == 303
    assert session.scalar(text("SELECT count(*) FROM ledger_openings")) == 1


def test_two_tabs_and_a_garbled_address_are_no_fault(alice: FlaskClient, session: Session, cast: Cast) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    operations.seal(session, KEY, at=NOON)
    for since in ("-1", "99999", "x", "1e3", "²", str(2**80)):
        assert alice.get(f"{line_of(cast, 1)}?depuis={since}").status_code == 404
    assert json.loads(alice.get(f"{line_of(cast, 1)}?depuis=").text)["place"] >= 0
    assert sealing.waiting(session) == 0
