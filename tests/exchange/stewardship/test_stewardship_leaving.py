"""Who leaves only goes back to zero; two administrators decide about the rest. A closed month stays closed."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from exchange.members import operations as members
from exchange.members.models import Party
from ledger.errors import AccountLeaving
from ledger.store import auditing, browsing, reading
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.audit.test_audit_pages import help_given

pytestmark = pytest.mark.usefixtures("at_noon")
KEYS = count(1)


@pytest.fixture
def at_noon() -> Any:
    with freeze_time(NOON, ignore=["psycopg", "sqlalchemy"]):
        yield


@pytest.fixture
def office(session: Session, cast: Cast) -> str:
    return f"/administration/{session.get_one(Party, cast.community.party_id).token}"


@pytest.fixture
def aicha(client: FlaskClient, cast: Cast) -> FlaskClient:
    """The administrator."""
    return sign_in(client, cast.aicha)


@pytest.fixture
def chloe(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    """Another administrator."""
    assert cast.chloe.sign_in is not None
    members.grant(session, sign_in=cast.chloe.sign_in.id, party=cast.community.party_id, role="administrator",
                  starts_on=date(2026, 1, 1), granted_by=None, at=NOON)  # fmt: skip
    return sign_in(app.test_client(), cast.chloe)


def of(session: Session, person: Person) -> reading.AccountView:
    assert person.account is not None
    found = reading.account(session, person.account.community_id, person.account.id)
    assert found is not None
    return found


def send(client: FlaskClient, address: str, **said: str) -> tuple[int, str]:
    answer = client.post(address, data={"key": said.pop("key", f"test:{next(KEYS)}"), **said})
    return answer.status_code, answer.text


def proposed(session: Session) -> str:
    token = session.scalar(text("SELECT token FROM settlements ORDER BY id DESC LIMIT 1"))
    return str(token)


def test_bruno_leaves_and_two_administrators_settle_and_close_his_account(
    session: Session, cast: Cast, office: str, aicha: FlaskClient, chloe: FlaskClient
) -> None:
    help_given(session, cast.bruno, cast.alice, 90)
    his = f"{office}/comptes/{of(session, cast.bruno).token}"
    assert "Noter un départ" in aicha.get(his).text
    assert send(aicha, f"{his}/depart", reason="Il déménage")[0] == 303
    assert "Départ noté le samedi 21 novembre 2026" in aicha.get(his).text
    assert send(aicha, f"{his}/solde", reason="Il le demande")[0] == 303
    assert send(aicha, f"{his}/solde", reason="Il l’a demandé")[0] == 303
    page = aicha.get(f"{his}/solde").text
    assert "Un autre administrateur que vous doit l’approuver" in page
    assert "Approuver et solder" not in page
    assert "Approuver et solder" in chloe.get(f"{his}/solde").text
    assert send(chloe, f"{his}/soldes/{proposed(session)}/accord")[0] == 303
    now = of(session, cast.bruno)
    assert (now.balance, now.closed_at is not None) == (0, True)
    page = chloe.get(f"{his}/solde").text  # the first proposal was never approved
    assert ("Ce compte est clos" in page, "Approuver et solder" in page) == (True, False)
    [entry] = browsing.entries(session, cast.community.id, browsing.Sought(kind="settlement"))
    assert (entry.note, entry.moved[0].minutes, entry.moved[0].from_account) == ("Il l’a demandé", 90, now.id)
    assert [finding for finding in auditing.run(session, auditing.CHECKS) if finding.wrong] == []


def test_a_debt_that_is_left_comes_from_the_common_account(
    session: Session, cast: Cast, office: str, aicha: FlaskClient, chloe: FlaskClient
) -> None:
    help_given(session, cast.alice, cast.bruno, 90)
    his = f"{office}/comptes/{of(session, cast.bruno).token}"
    send(aicha, f"{his}/depart", reason="Il déménage")
    send(aicha, f"{his}/solde", reason="Sans nouvelles")
    send(chloe, f"{his}/soldes/{proposed(session)}/accord")
    assert of(session, cast.bruno).closed_at is not None
    common = reading.account_of(session, cast.community.id, cast.community.party_id)
    assert common is not None
    assert common.balance == -90


def test_nobody_settles_alone_even_with_two_tabs(
    session: Session, cast: Cast, office: str, aicha: FlaskClient
) -> None:
    help_given(session, cast.bruno, cast.alice, 90)
    his = f"{office}/comptes/{of(session, cast.bruno).token}"
    send(aicha, f"{his}/depart", reason="Il déménage")
    send(aicha, f"{his}/solde", reason="Il l’a demandé")
    status, page = send(aicha, f"{his}/soldes/{proposed(session)}/accord")
    assert (status, "une autre personne doit l’approuver" in page) == (422, True)
    assert of(session, cast.bruno).balance == 90


def test_the_database_itself_wants_two_people(session: Session, cast: Cast, office: str, aicha: FlaskClient) -> None:
    number = help_given(session, cast.bruno, cast.alice, 90)
    his = f"{office}/comptes/{of(session, cast.bruno).token}"
    send(aicha, f"{his}/depart", reason="Il déménage")
    send(aicha, f"{his}/solde", reason="Il l’a demandé")
    alone = text(
        "INSERT INTO settlement_approvals (settlement_id, proposed_by, entry_id, approved_at, by_sign_in, by_party,"
        " by_mandate) SELECT id, by_sign_in, :entry, :at, by_sign_in, by_party, by_mandate FROM settlements"
    )
    with pytest.raises(IntegrityError, match="settlement_approvals_by_another"), session.begin_nested():
        session.execute(alone, {"entry": number, "at": NOON})


def test_a_balance_that_moved_since_wants_another_proposal(
    session: Session, cast: Cast, office: str, aicha: FlaskClient, chloe: FlaskClient
) -> None:
    help_given(session, cast.bruno, cast.alice, 90)
    his = f"{office}/comptes/{of(session, cast.bruno).token}"
    send(aicha, f"{his}/depart", reason="Il déménage")
    send(aicha, f"{his}/solde", reason="Il l’a demandé")
    first = proposed(session)
    help_given(session, cast.chloe, cast.bruno, 30)
    status, page = send(chloe, f"{his}/soldes/{first}/accord")
    assert (status, "Le solde a changé" in page) == (422, True)
    send(aicha, f"{his}/solde", reason="Il l’a demandé de nouveau")
    assert send(chloe, f"{his}/soldes/{proposed(session)}/accord")[0] == 303
    assert of(session, cast.bruno).balance == 0
    assert send(chloe, f"{his}/soldes/{first}/accord")[0] == 422


def test_who_leaves_is_helped_only_until_zero(session: Session, cast: Cast, office: str, aicha: FlaskClient) -> None:
    help_given(session, cast.bruno, cast.alice, 60)
    send(aicha, f"{office}/comptes/{of(session, cast.bruno).token}/depart", reason="Il déménage")
    help_given(session, cast.chloe, cast.bruno, 20)
    with pytest.raises(AccountLeaving), session.begin_nested():
        help_given(session, cast.chloe, cast.bruno, 41)
    with pytest.raises(AccountLeaving), session.begin_nested():
        help_given(session, cast.bruno, cast.chloe, 10)
    help_given(session, cast.chloe, cast.bruno, 40)
    assert of(session, cast.bruno).balance == 0


def test_an_account_that_nobody_leaves_is_not_settled(
    session: Session, cast: Cast, office: str, aicha: FlaskClient
) -> None:
    help_given(session, cast.bruno, cast.alice, 60)
    address = f"{office}/comptes/{of(session, cast.bruno).token}/solde"
    assert "Notez d’abord le départ" in aicha.get(address).text
    status, page = send(aicha, address, reason="Pressé")
    assert (status, "Notez d’abord son départ" in page) == (422, True)


# -- months


def month_of(session: Session, cast: Cast) -> list[tuple[int, int, int]]:
    return [(m.entries, m.minutes, m.late) for m in browsing.closed_months(session, cast.community.id)]


def test_a_closed_month_keeps_its_figures_and_what_comes_late_counts_in_the_next(
    session: Session, cast: Cast, office: str, app: Flask
) -> None:
    october, september = date(2026, 10, 12), date(2026, 9, 30)
    help_given(session, cast.alice, cast.bruno, 90, happened_on=october)
    help_given(session, cast.alice, cast.chloe, 30, happened_on=date(2026, 11, 20))
    tibo = sign_in(app.test_client(), cast.tibo)
    assert "Clore octobre 2026" in tibo.get(f"{office}/mois").text
    assert send(tibo, f"{office}/mois", month="2026-10-01")[0] == 303
    assert month_of(session, cast) == [(1, 90, 0)]
    help_given(session, cast.alice, cast.bruno, 45, happened_on=october)
    help_given(session, cast.alice, cast.bruno, 15, happened_on=september)
    page = tibo.get(f"{office}/mois").text
    assert "Clore novembre" not in page  # November isn't over
    assert month_of(session, cast) == [(1, 90, 0)]
    with freeze_time(NOON + timedelta(days=20), ignore=["psycopg", "sqlalchemy"]):
        again = sign_in(app.test_client(), cast.tibo)
        assert send(again, f"{office}/mois", month="2026-11-01")[0] == 303
    assert month_of(session, cast) == [(3, 90, 2), (1, 90, 0)]


@pytest.mark.parametrize("month", ["2026-11-01", "2026-09-01", "2026-10-02", "hier", "", "9" * 50])
def test_only_the_month_that_the_page_shows_is_closed(
    session: Session, cast: Cast, office: str, app: Flask, month: str
) -> None:
    help_given(session, cast.alice, cast.bruno, 90, happened_on=date(2026, 10, 12))
    assert send(sign_in(app.test_client(), cast.tibo), f"{office}/mois", month=month)[0] == 422
    assert month_of(session, cast) == []


def test_a_member_closes_no_month(session: Session, cast: Cast, office: str, app: Flask) -> None:
    help_given(session, cast.alice, cast.bruno, 90, happened_on=date(2026, 10, 12))
    assert send(sign_in(app.test_client(), cast.alice), f"{office}/mois", month="2026-10-01")[0] == 403
    assert month_of(session, cast) == []
