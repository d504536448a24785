"""What the API refuses: no token, no key, anything that is not exactly what is expected."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import rates
from exchange.members import operations as members
from exchange.rest.fields import Minutes, Shape
from tests.cast import NOON, Cast, sign_in
from tests.exchange.api.conftest import JSON, Held, Program, account_of, refusal
from tests.lent import Lent

# -- who asks


def test_without_a_token_nothing_is_told(app: Flask, session: Session, cast: Cast) -> None:
    answer = Program(app, None).get("/me")
    assert refusal(answer) == (401, "token-missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_cookie_of_a_browser_opens_nothing(app: Flask, session: Session, cast: Cast, gardening: JSON) -> None:
    browser = sign_in(app.test_client(), cast.alice)
    assert browser.get("/moi").status_code == 200
    assert refusal(browser.get("/api/v1/me")) == (401, "token-missing")
    path = f"/api/v1{account_of(cast.alice)}/declarations"
    answer = browser.post(path, json=gardening, headers={"Idempotency-Key": "one"})
    assert refusal(answer) == (401, "token-missing")


def test_the_token_counts_and_not_the_cookie_beside_it(
    app: Flask, session: Session, cast: Cast, held_by: Held
) -> None:
    program = held_by(cast.bruno)
    program.client = sign_in(app.test_client(), cast.alice)
    assert program.read("/me")["user_name"] == "bruno"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "bearer \u00e9\ud83c", "Bearer " + "x" * 5000]
)
def test_a_token_that_is_none_is_refused(app: Flask, session: Session, cast: Cast, header: str) -> None:
    raw = header.encode("utf-8", "surrogatepass").decode("latin-1")
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": raw})
    assert refusal(answer) == (401, "token-missing")


def test_a_token_out_of_date_or_revoked_is_refused(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.alice.sign_in is not None
    old, secret = members.create_access_token(
        session, sign_in=cast.alice.sign_in.id, name="vieux", days=30, at=NOON - timedelta(days=30)
    )
    assert refusal(Program(app, secret).get("/me")) == (401, "token-missing")
    kept, secret = members.create_access_token(session, sign_in=cast.alice.sign_in.id, name="neuf", days=30, at=NOON)
    assert Program(app, secret).get("/me").status_code == 200
    members.revoke_access_token(session, kept, at=NOON)
    assert refusal(Program(app, secret).get("/me")) == (401, "token-missing")
    assert old.id != kept.id


def test_whoever_may_not_sign_in_any_more_asks_nothing(alice: Program, cast: Cast, session: Session) -> None:
    assert cast.alice.sign_in is not None
    cast.alice.sign_in.active = False
    session.flush()
    assert refusal(alice.get("/me")) == (401, "token-missing")


def test_a_program_in_a_hurry_is_told_to_wait(
    alice: Program, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(*_who: Any) -> None:
        raise rates.TooOften(minutes=1)

    monkeypatch.setattr(rates, "at_most", too_many)
    answer = alice.get("/me")
    assert refusal(answer) == (429, "too-often")
    assert answer.headers["Retry-After"] == "60"


# -- once for a key


def test_the_same_request_again_gets_the_first_answer(
    alice: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    path = f"{account_of(cast.alice)}/declarations"
    first, again = (alice.post(path, gardening, key='"a key"') for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert session.execute(text("SELECT count(*) FROM books.entries")).scalar_one() == 1
    reordered = json.dumps(dict(reversed(gardening.items())), indent=2)
    third = alice.post(path, key="a key", data=reordered, content_type="application/json; charset=utf-8")
    assert third.data == first.data


def test_the_same_key_for_something_else_is_a_conflict_that_shows_the_first(
    alice: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    path = f"{account_of(cast.alice)}/declarations"
    first = alice.post(path, gardening, key="a key")
    answer = alice.post(path, gardening | {"minutes": 91}, key="a key")
    assert refusal(answer) == (409, "key-reused")
    assert answer.json["location"] == first.headers["Location"]
    assert session.execute(text("SELECT count(*) FROM books.entries")).scalar_one() == 1


def test_a_refused_attempt_frees_its_key(alice: Program, cast: Cast, gardening: JSON) -> None:
    path = f"{account_of(cast.alice)}/declarations"
    assert alice.post(path, gardening | {"minutes": 2001}, key="a key").status_code == 422
    assert alice.post(path, gardening, key="a key").status_code == 201


def test_the_same_key_of_two_people_is_two_keys(
    alice: Program, bruno: Program, cast: Cast, gardening: JSON
) -> None:
    alice.do(f"{account_of(cast.alice)}/declarations", gardening, key="a key")
    mine = gardening | {"other": cast.alice.party.token}
    assert bruno.do(f"{account_of(cast.bruno)}/declarations", mine, key="a key")["receiver"]["name"] == "Bruno"


@pytest.mark.parametrize("key", [None, "", " ", '""', "x" * 101, "\u00e9"])
def test_a_post_without_a_key_is_refused(alice: Program, cast: Cast, gardening: JSON, key: str | None) -> None:
    headers = alice.headers | ({} if key is None else {"Idempotency-Key": key})
    path = f"/api/v1{account_of(cast.alice)}/declarations"
    assert refusal(alice.client.post(path, json=gardening, headers=headers)) == (400, "key-missing")


# -- strict bodies


WRONG_FIELDS: list[tuple[str, Any]] = [
    ("minutes", 5.7), ("minutes", 5.0), ("minutes", "5"), ("minutes", True), ("minutes", 0), ("minutes", -1),
    ("minutes", 100_001), ("minutes", 10**300), ("minutes", None), ("minutes", []), ("minutes", {}),
    ("happened_on", "2026-11-31"), ("happened_on", "20261120"), ("happened_on", "2026-W47-5"),
    ("happened_on", "0000-00-00"), ("happened_on", 20261120), ("happened_on", "2026-11-20T00:00:00Z"),
    ("direction", "sideways"), ("direction", ["given"]), ("nature", None), ("nature", {}),
    ("other", "no such\u0000one"), ("other", 12), ("other", "x" * 65), ("other", ""),
    ("description", ""), ("description", "  \n "), ("description", "x" * 401), ("description", "a\u0000b"),
    ("description", "a\ud800b"), ("description", "a\u202eb"), ("description", 4), ("description", ["haie"]),
    ("slip", None), ("slip", "x" * 41), ("community_id", 1), ("id", "x"), ("by_party", 1), ("\u0000", 1),
    ("\ud800", 1), ("__proto__", {}),
]  # fmt: skip


def test_a_field_that_is_not_what_is_expected_is_named(
    alice: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    for field, value in WRONG_FIELDS:
        answer = alice.post(f"{account_of(cast.alice)}/declarations", gardening | {field: value})
        assert refusal(answer) == (422, "wrong-fields"), (field, value)
        assert list(answer.json["errors"]) == [field]
        assert all(isinstance(said, str) and said for said in answer.json["errors"][field])
    assert session.execute(text("SELECT count(*) FROM declarations")).scalar_one() == 0


def test_a_field_that_is_missing_is_named(alice: Program, cast: Cast, gardening: JSON) -> None:
    for field in gardening:
        without = {name: value for name, value in gardening.items() if name != field}
        answer = alice.post(f"{account_of(cast.alice)}/declarations", without)
        assert list(answer.json["errors"]) == [field]


NO_INSTANTS: list[Any] = [
    "2026-11-28T14:00:00", "2026-11-28 14:00:00Z", "2026-11-28", "2026-11-28T24:00:00Z", "2026-02-30T10:00:00Z",
    "2026-11-28T14:00:00+25:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-28T14:00Z",
    1_795_000_000, None, "20261128T140000Z", "2026-11-28T14:00:60Z", "٢٠٢٦-11-28T14:00:00Z",
]  # fmt: skip


def test_an_instant_says_its_offset(alice: Program, cast: Cast, lent: Lent) -> None:
    body = {
        "party": cast.alice.party.token, "items": [{"resource": lent.drill.token}], "ends_at": "2026-11-28T18:00:00Z"
    }  # fmt: skip
    for starts_at in NO_INSTANTS:
        answer = alice.post("/quotes", body | {"starts_at": starts_at})
        assert refusal(answer) == (422, "wrong-fields"), starts_at
        assert list(answer.json["errors"]) == ["starts_at"]


NO_BODIES: list[tuple[bytes, tuple[int, str]]] = [
    (b"{", (400, "malformed-json")), (b'{"minutes": NaN}', (400, "malformed-json")),
    (b'{"a": 1, "a": 2}', (400, "malformed-json")), (b"\xff\xfe{}", (400, "malformed-json")),
    (b"[" * 50_000, (400, "malformed-json")), (b'{"minutes": ' + b"9" * 5000 + b"}", (400, "malformed-json")),
    (b"{\"a\":" * 10_000 + b"1" + b"}" * 10_000, (400, "malformed-json")), (b" " * 70_000, (413, "too-big")),
    (b"[]", (422, "wrong-fields")), (b'"text"', (422, "wrong-fields")), (b"null", (422, "wrong-fields")),
    (b"", (422, "wrong-fields")), (b"1e999", (422, "wrong-fields")),
]  # fmt: skip


def test_a_body_that_is_no_object_of_json_is_refused(alice: Program, cast: Cast) -> None:
    for body, expected in NO_BODIES:
        answer = alice.post(f"{account_of(cast.alice)}/declarations", data=body, content_type="application/json")
        assert refusal(answer) == expected, body[:40]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "a/b"])
def test_only_json_is_read(alice: Program, cast: Cast, gardening: JSON, kind: str) -> None:
    path = f"{account_of(cast.alice)}/declarations"
    answer = alice.post(path, data=json.dumps(gardening), content_type=kind)
    assert refusal(answer) == (415, "not-json")


NO_QUERIES = [
    "limit=0", "limit=101", "limit=2.5", "limit=-1", "limit=", "limit=1&limit=2", "limt=2", "limit=%00", "cursor=",
    "cursor=a%00b", "cursor=" + "9" * 65, "limit=%EF%BC%91", "cursor=%ED%A0%80",
]  # fmt: skip


def test_a_parameter_that_is_not_expected_is_refused(alice: Program, cast: Cast) -> None:
    for query in NO_QUERIES:
        answer = alice.client.get(f"/api/v1{account_of(cast.alice)}/statement?{query}", headers=alice.headers)
        assert refusal(answer) == (422, "wrong-fields"), query


def test_a_cursor_too_large_for_any_account_ends_nothing(alice: Program, cast: Cast) -> None:
    assert alice.read(f"{account_of(cast.alice)}/statement", cursor="9" * 18)["items"] == []
    assert refusal(alice.get(f"{account_of(cast.alice)}/statement", cursor="9" * 19)) == (422, "wrong-cursor")


def test_another_method_is_answered_with_those_allowed(alice: Program, cast: Cast) -> None:
    answer = alice.client.delete(f"/api/v1{account_of(cast.alice)}", headers=alice.headers)
    assert refusal(answer)[0] == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/nothing", "/accounts/1", "/accounts/%00", "/accounts/a%20b", "/declarations/é"])
def test_an_address_of_nothing_is_not_found(alice: Program, path: str) -> None:
    assert refusal(alice.get(path))[0] == 404


def test_minutes_are_json_integers() -> None:
    class Wanted(Shape):
        minutes = Minutes(required=True)

    assert Wanted().load({"minutes": 1}) == {"minutes": 1}
    assert Wanted().validate({"minutes": True}).keys() == {"minutes"}


# -- what belongs to others


def test_what_belongs_to_others_is_not_found(
    alice: Program, bruno: Program, held_by: Held, cast: Cast, gardening: JSON, lent: Lent
) -> None:
    chloe, zoe, olga = held_by(cast.chloe), held_by(cast.zoe), held_by(cast.olga)
    declared = bruno.do(
        f"{account_of(cast.bruno)}/declarations", gardening | {"direction": "given", "other": cast.alice.party.token}
    )
    advert = alice.do(
        f"{account_of(cast.alice)}/adverts", {"kind": "offer", "category": "Jardin", "title": "Taille de haies"}
    )
    talk = bruno.do(f"/adverts/{advert['id']}/messages", {"party": cast.bruno.party.token, "text": "Demain ?"})
    booking = alice.do("/bookings", {
        "party": cast.alice.party.token, "items": [{"resource": lent.drill.token}], "purpose": "Étagères",
        "starts_at": "2026-11-28T14:00:00Z", "ends_at": "2026-11-28T18:00:00Z",
    })  # fmt: skip
    for program in (chloe, zoe, olga):
        for path in (
            account_of(cast.alice), f"{account_of(cast.alice)}/statement", f"{account_of(cast.alice)}/declarations",
            f"/declarations/{declared['id']}", f"/threads/{talk['id']}", f"/bookings/{booking['id']}",
        ):  # fmt: skip
            assert refusal(program.get(path)) == (404, "not-found"), path
        for path, body in (
            (f"{account_of(cast.alice)}/declarations", gardening), (f"/declarations/{declared['id']}/confirmation", {}),
            (f"/declarations/{declared['id']}/refusal", {"reason": "Non."}), (f"/adverts/{advert['id']}/closure", {}),
            (f"/threads/{talk['id']}/messages", {"text": "Moi !"}), (f"/bookings/{booking['id']}/cancellation", {}),
        ):  # fmt: skip
            assert refusal(program.post(path, body)) == (404, "not-found"), path
    assert refusal(zoe.get(f"/adverts/{advert['id']}")) == (404, "not-found")
    assert zoe.read("/me")["accounts"] == zoe.read("/bookings")["items"] == zoe.read("/threads")["items"] == []
    as_alice = {"party": cast.alice.party.token, "items": [{"resource": lent.drill.token}],
                "starts_at": "2026-12-05T14:00:00Z", "ends_at": "2026-12-05T18:00:00Z"}  # fmt: skip
    assert list(zoe.post("/quotes", as_alice).json["errors"]) == ["party"]
