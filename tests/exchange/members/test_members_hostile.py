"""Whatever is sent to a form of these pages, the answer is a page in words."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.members.models import Party
from tests.cast import Cast, sign_in

FORMS = {
    "/connexion": ("username", "password", "remember", "next"),
    "/mot-de-passe/oublie": ("name",),
    "/rejoindre": ("community", "name", "email", "phone", "message", "key"),
    "/mot-de-passe": ("password", "new"),
    "/moi/langue": ("language",),
    "/moi/cles": ("name", "days", "key"),
    "/membres/{alice}/modifier": ("about", "area", "phone", "email", "email_shown"),
    "/administration/{sel}/categories": ("name", "key"),
    "/structures/{club}/modifier": ("about", "contact"),
    "/comptes/{account}/annonces/nouvelle": ("kind", "nature", "category", "title", "text", "key"),
}
HOSTILE = {
    "NUL": "a\x00b",
    "surrogate": b"\xed\xa0\x80abc",
    "not UTF-8": b"\xff\xfe\xfa",
    "megabyte": "x" * 900_000,
    "override": "abc\u202edef",
    "spaces": " \t\n ",
    "zero width": "\u200b",
    "SQL": "'; DROP TABLE parties; --",
    "markup": "<script>alert(1)</script>",
    "braces": "{{ 7 * 7 }} %(name)s %s",
    "number": "9" * 400,
    "emoji": "🌰👩‍🌾",
}


BYTES = {name: said if isinstance(said, bytes) else said.encode() for name, said in HOSTILE.items()}


def places(session: Session, cast: Cast) -> dict[str, str]:
    assert cast.alice.account is not None
    sel = session.get_one(Party, cast.community.party_id).token
    return {"alice": cast.alice.party.token, "sel": sel, "club": cast.club.token, "account": cast.alice.account.token}


@pytest.mark.parametrize("address", FORMS)
def test_no_input_breaks_a_form(client: FlaskClient, session: Session, cast: Cast, address: str) -> None:
    if not address.startswith(("/connexion", "/mot-de-passe/oublie", "/rejoindre")):
        sign_in(client, cast.aicha if "{sel}" in address else cast.bruno if "{club}" in address else cast.alice)
    fine = {303, 422} | ({200} if address == "/moi/cles" else set())  # a key is shown in the answer that makes it
    for field in FORMS[address]:
        for name, said in BYTES.items():
            sent = f"{field}={quote_from_bytes(said)}"
            answer = client.post(address.format(**places(session, cast)), data=sent,
                                 content_type="application/x-www-form-urlencoded")  # fmt: skip
            assert answer.status_code in fine | {413}, (field, name)
            assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "address",
    ["/structures?q=", "/structures?apres=", "/communautes/{sel}/membres?q=", "/communautes/{sel}/annonces?q=",
     "/communautes/{sel}/annonces?apres=", "/communautes/{sel}/annonces?categorie=",
     "/communautes/{sel}/annonces?sorte=", "/messages?avant=", "/connexion?next="],
)  # fmt: skip
def test_no_address_breaks_a_page(client: FlaskClient, session: Session, cast: Cast, address: str) -> None:
    if not address.startswith("/connexion"):
        sign_in(client, cast.alice)
    for name, said in BYTES.items():
        if len(said) < 10_000:  # no server reads a longer address
            answer = client.get(address.format(**places(session, cast)) + quote_from_bytes(said))
            assert answer.status_code == 200, name
            assert "<script>alert" not in answer.text
