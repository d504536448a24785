"""What a member shows, to whom; the list of a community; the counter; one's access tokens."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.members import operations, queries
from exchange.members.models import Party
from exchange.members.qr import picture
from ledger.store import writing
from tests.cast import NOON, Cast, Person, sign_in

EVERYTHING = {"about": "Je couds.", "area": "Les Landes", "phone": "02 99 71 00 00", "email": "alice@home.example"}
SECRETS = ("02 99 71 00 00", "alice@home.example")


def show_some(session: Session, cast: Cast, *shown: str) -> None:
    operations.edit_profile(session, cast.alice.party.id, **EVERYTHING, shown=shown, by=cast.alice.by, at=NOON)


def seen_by(app: Flask, person: Person, page: str) -> str:
    answer = sign_in(app.test_client(), person).get(page)
    return unescape(answer.text) if answer.status_code == 200 else str(answer.status_code)


def sel(session: Session, cast: Cast) -> str:
    return session.get_one(Party, cast.community.party_id).token


def test_others_see_the_fields_that_were_chosen_and_no_other(app: Flask, session: Session, cast: Cast) -> None:
    show_some(session, cast, "about", "area")
    page = seen_by(app, cast.bruno, f"/membres/{cast.alice.party.token}")
    assert "Je couds." in page
    assert "Les Landes" in page
    assert not [secret for secret in SECRETS if secret in page]


def test_alice_sees_all_of_her_own(app: Flask, session: Session, cast: Cast) -> None:
    show_some(session, cast)
    page = seen_by(app, cast.alice, f"/membres/{cast.alice.party.token}")
    assert all(value in page for value in EVERYTHING.values())


def test_who_scans_a_card_declares_an_exchange_with_whom_it_names(app: Flask, session: Session, cast: Cast) -> None:
    alice, bruno = (sign_in(app.test_client(), who) for who in (cast.alice, cast.bruno))
    page = alice.get(f"/membres/{cast.alice.party.token}/carte").text
    assert '<svg' in page
    assert "style=" not in page
    address = f"https://localhost/echanges/nouveau?avec={cast.alice.party.token}"
    assert address in page
    assert picture(address) in page
    chosen = bruno.get(address)
    assert chosen.status_code == 200  # he has an account of his own, and the club's: he chooses
    assert f"avec={cast.alice.party.token}" in chosen.text
    begun = sign_in(app.test_client(), cast.chloe).get(address, follow_redirects=True).text
    assert f'selected value="{cast.alice.party.token}"' in begun
    for person, status in ((cast.bruno, 404), (cast.zoe, 404)):
        assert seen_by(app, person, f"/membres/{cast.alice.party.token}/carte") == str(status)


def test_a_stranger_finds_nobody_and_a_visitor_signs_in_first(
    client: FlaskClient, app: Flask, session: Session, cast: Cast
) -> None:
    for address in (f"/membres/{cast.alice.party.token}", f"/communautes/{sel(session, cast)}/membres"):
        assert seen_by(app, cast.zoe, address) == "404"
        assert seen_by(app, cast.olga, address) == "404"  # the town has an account; its officer reads no members
        assert client.get(address).status_code == 303


@pytest.mark.parametrize("who", ["tibo", "aicha", "fanny"])
def test_who_holds_an_office_of_the_community_reads_its_members(
    app: Flask, session: Session, cast: Cast, who: str
) -> None:
    assert "Chloé" in seen_by(app, getattr(cast, who), f"/communautes/{sel(session, cast)}/membres")


def test_a_profile_is_edited_field_by_field(client: FlaskClient, session: Session, cast: Cast) -> None:
    sign_in(client, cast.alice)
    answer = client.post(
        f"/membres/{cast.alice.party.token}/modifier",
        data=EVERYTHING | {"about": "Première ligne\r\nseconde", "area_shown": "y", "phone_shown": "y", "phone": ""},
    )
    assert answer.status_code == 303
    kept = queries.profile(session, cast.alice.party.id)
    assert kept is not None
    assert (kept.about, kept.shown) == ("Première ligne\nseconde", ["area", "phone"])
    seen = queries.seen(session, queries.parties(session, [cast.alice.party.id])[cast.alice.party.id])
    assert (seen.about, seen.area, seen.phone) == ("", "Les Landes", "")


def test_nobody_edits_anothers_profile(app: Flask, session: Session, cast: Cast) -> None:
    for person in (cast.bruno, cast.tibo, cast.aicha, cast.zoe):
        browser = sign_in(app.test_client(), person)
        assert browser.post(f"/membres/{cast.alice.party.token}/modifier", data=EVERYTHING).status_code == 404
    assert queries.last_edit(session, cast.alice.party.id) is None


def test_the_counter_edits_for_denise_and_its_name_stays_beside_what_it_did(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    sign_in(client, cast.fanny)
    page = client.get(f"/comptoir/{sel(session, cast)}?q=denis").text
    assert "Denise" in page
    assert "Chloé" not in page
    assert client.post(f"/membres/{cast.denise.party.token}/modifier", data=EVERYTHING).status_code == 303
    assert "par Fanny" in client.get(f"/membres/{cast.denise.party.token}").text
    edit = queries.last_edit(session, cast.denise.party.id)
    assert edit is not None
    assert cast.fanny.sign_in is not None
    assert (edit.by_sign_in, edit.by_party) == (cast.fanny.sign_in.id, cast.denise.party.id)


def test_the_counter_is_the_facilitators(app: Flask, session: Session, cast: Cast) -> None:
    for person in (cast.alice, cast.tibo, cast.aicha, cast.zoe):
        assert seen_by(app, person, f"/comptoir/{sel(session, cast)}") == "403"


def test_the_counter_declares_an_exchange_in_the_name_of_who_stands_at_it(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    assert cast.denise.account is not None
    account = f"/comptes/{cast.denise.account.token}"
    assert f'"{account}"' in sign_in(client, cast.fanny).get(f"/comptoir/{sel(session, cast)}").text
    page = client.get(account).text
    assert f"{account}/echanges/nouveau" in page
    assert f"/membres/{cast.denise.party.token}/modifier" in page
    assert client.get(f"{account}/echanges/nouveau").status_code == 200


def test_the_counter_is_told_who_does_these_things_by_themselves(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    assert cast.alice.account is not None
    page = sign_in(client, cast.fanny).get(f"/comptes/{cast.alice.account.token}").text
    assert "Alice a son propre accès" in page
    assert f"/membres/{cast.alice.party.token}/modifier" not in page


@pytest.mark.parametrize(
    ("searched", "found"), [("chloe", True), ("CHLO", True), ("éé", False), ("%", True), ("_", True)]
)
def test_the_list_is_searched_by_name_without_accents(
    client: FlaskClient, session: Session, cast: Cast, searched: str, found: bool
) -> None:
    page = sign_in(client, cast.alice).get(f"/communautes/{sel(session, cast)}/membres", query_string={"q": searched})
    assert page.status_code == 200
    assert ("Chloé" in page.text) is found


def test_the_list_goes_on_by_fifty_in_alphabetical_order(session: Session, cast: Cast) -> None:
    for number in range(60):
        party = operations.add_party(session, kind="person", name=f"Voisin {number:02d}", at=NOON)
        writing.open_account(session, community=cast.community.id, party=party.id, kind="person", holder=party.name,
                             at=NOON)  # fmt: skip
    first, after = queries.directory(session, cast.community.id)
    assert after is not None
    rest, end = queries.directory(session, cast.community.id, after=queries.party_by_token(session, after))
    names = [one.party.sort_name for one in [*first, *rest]]
    assert names == sorted(set(names))
    assert (len(first), end) == (50, None)
    assert names[:3] == ["aicha", "alice", "bruno"]


@pytest.mark.parametrize("cursor", ["nowhere", "\x00", "\ud800", "é" * 500])
def test_an_invented_cursor_starts_from_the_first_page(
    client: FlaskClient, session: Session, cast: Cast, cursor: str
) -> None:
    address = f"/communautes/{sel(session, cast)}/membres?apres=" + quote(cursor, errors="surrogatepass")
    page = sign_in(client, cast.alice).get(address)
    assert page.status_code == 200
    assert "Alice" in page.text


def test_an_access_token_is_shown_once_and_known_by_its_digest_only(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    sign_in(client, cast.alice)
    given = {"name": "mon tableur", "days": "30", "key": "a-key"}
    page = client.post("/moi/cles", data=given).text
    secret = page.partition('value="mrr_')[2].partition('"')[0]
    assert len(secret) > 40
    holder = queries.sign_in_of_token(session, f"mrr_{secret}", NOON)
    assert holder is not None
    assert holder.user_name == "alice"
    assert secret not in client.get("/moi/cles").text
    again = client.post("/moi/cles", data=given)
    assert again.status_code == 303
    assert cast.alice.sign_in is not None
    assert len(queries.access_tokens(session, cast.alice.sign_in.id)) == 1


def test_a_token_opens_nothing_once_revoked_or_out_of_date_or_its_holder_gone(
    client: FlaskClient, app: Flask, session: Session, cast: Cast
) -> None:
    assert cast.alice.sign_in is not None
    made, secret = operations.create_access_token(session, sign_in=cast.alice.sign_in.id, name="x", days=30, at=NOON)

    def opens(days: int = 0) -> bool:
        return queries.sign_in_of_token(session, secret, NOON + timedelta(days=days)) is not None

    assert [opens(), opens(29), opens(30)] == [True, True, False]
    cast.alice.sign_in.active = False
    assert not opens()
    cast.alice.sign_in.active = True
    address = f"/moi/cles/{made.digest.hex()}/revocation"
    assert sign_in(app.test_client(), cast.bruno).post(address).status_code == 404
    assert opens()
    assert sign_in(client, cast.alice).post(address).status_code == 303
    assert not opens()


@pytest.mark.parametrize("token", ["", "mrr_x", "\x00", "\ud800", "🌰" * 1000])
def test_an_invented_token_is_nobodys(session: Session, cast: Cast, token: str) -> None:
    assert queries.sign_in_of_token(session, token, NOON) is None


@pytest.mark.parametrize(
    "wrong", [{"days": "31"}, {"days": "x"}, {"days": ""}, {"name": ""}, {"name": "x" * 81}, {"name": "a\x00b"}]
)
def test_a_token_that_cant_be_made_says_why(client: FlaskClient, cast: Cast, wrong: dict[str, str]) -> None:
    sign_in(client, cast.alice)
    assert client.post("/moi/cles", data={"name": "x", "days": "30", "key": "k"} | wrong).status_code == 422
