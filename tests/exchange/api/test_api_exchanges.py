"""Neighbours exchange through programs of their own."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.cast import Cast
from tests.exchange.api.conftest import JSON, Held, Program, account_of, refusal


def letters(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM outbox")).scalar_one())


def entries(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM books.entries")).scalar_one())


def test_alice_says_that_bruno_helped_her_and_the_minutes_move(
    alice: Program, bruno: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    answer = alice.post(f"{account_of(cast.alice)}/declarations", gardening)
    assert answer.status_code == 201
    assert answer.json["state"] == "confirmed"
    assert (answer.json["giver"]["name"], answer.json["receiver"]["name"]) == ("Bruno", "Alice")
    assert alice.read(answer.headers["Location"].removeprefix("/api/v1")) == answer.json
    assert alice.read(account_of(cast.alice))["balance"] == -90
    assert bruno.read(account_of(cast.bruno))["balance"] == 90
    assert letters(session) == 1


def test_bruno_says_that_he_helped_and_alice_confirms(
    alice: Program, bruno: Program, cast: Cast, gardening: JSON
) -> None:
    said = gardening | {"direction": "given", "other": cast.alice.party.token, "slip": "A-12"}
    declared = bruno.do(f"{account_of(cast.bruno)}/declarations", said)
    assert declared["state"] == "waiting"
    waiting = alice.read(f"{account_of(cast.alice)}/declarations")["items"]
    assert waiting == [declared]
    confirmed = alice.do(f"/declarations/{declared['id']}/confirmation")
    assert confirmed["state"] == "confirmed"
    assert confirmed["answered_at"] == "2026-11-21T11:00:00Z"
    assert alice.read(f"{account_of(cast.alice)}/declarations")["items"] == []
    assert refusal(alice.post(f"/declarations/{declared['id']}/confirmation")) == (409, "already-answered")


def test_alice_refuses_and_bruno_reads_why(
    alice: Program, bruno: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    said = gardening | {"direction": "given", "other": cast.alice.party.token}
    declared = bruno.do(f"{account_of(cast.bruno)}/declarations", said)
    alice.do(f"/declarations/{declared['id']}/refusal", {"reason": "C'était une heure."})
    seen = bruno.read(f"/declarations/{declared['id']}")
    assert (seen["state"], seen["reason"]) == ("refused", "C'était une heure.")
    assert entries(session) == 0
    assert letters(session) == 2


def test_bruno_takes_back_what_he_declared(alice: Program, bruno: Program, cast: Cast, gardening: JSON) -> None:
    said = gardening | {"direction": "given", "other": cast.alice.party.token}
    declared = bruno.do(f"{account_of(cast.bruno)}/declarations", said)
    assert refusal(alice.post(f"/declarations/{declared['id']}/withdrawal"))[0] == 404
    assert bruno.do(f"/declarations/{declared['id']}/withdrawal")["state"] == "withdrawn"
    assert alice.read(f"{account_of(cast.alice)}/declarations")["items"] == []
    assert refusal(alice.post(f"/declarations/{declared['id']}/confirmation")) == (409, "already-answered")


def test_bruno_does_not_confirm_in_the_place_of_alice(bruno: Program, cast: Cast, gardening: JSON) -> None:
    said = gardening | {"direction": "given", "other": cast.alice.party.token}
    declared = bruno.do(f"{account_of(cast.bruno)}/declarations", said)
    assert refusal(bruno.post(f"/declarations/{declared['id']}/confirmation")) == (404, "not-found")


def test_fanny_declares_at_the_counter_for_denise_and_it_shows(
    held_by: Held, cast: Cast, gardening: JSON
) -> None:
    fanny = held_by(cast.fanny)
    fanny.do(f"{account_of(cast.denise)}/declarations", gardening)
    line = fanny.read(f"{account_of(cast.denise)}/statement")["items"][0]
    assert (line["minutes"], line["typed_by"]) == (-90, "Fanny")


def test_a_statement_is_read_page_by_page(alice: Program, cast: Cast, gardening: JSON) -> None:
    for minutes in range(1, 6):
        alice.do(f"{account_of(cast.alice)}/declarations", gardening | {"minutes": minutes})
    path, read, cursor = f"{account_of(cast.alice)}/statement", [], {}
    while True:
        page = alice.read(path, limit=2, **cursor)
        assert len(page["items"]) <= 2
        read += [line["minutes"] for line in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert read == [-5, -4, -3, -2, -1]


def test_what_waits_is_read_page_by_page(alice: Program, bruno: Program, cast: Cast, gardening: JSON) -> None:
    said = gardening | {"direction": "given", "other": cast.alice.party.token}
    declared = [bruno.do(f"{account_of(cast.bruno)}/declarations", said)["id"] for _ in range(3)]
    path = f"{account_of(cast.alice)}/declarations"
    first = alice.read(path, limit=2)
    second = alice.read(path, limit=2, cursor=first["next"])
    assert [row["id"] for row in (*first["items"], *second["items"])] == declared
    assert second["next"] is None


def test_a_cursor_of_somebody_else_leads_nowhere(alice: Program, bruno: Program, cast: Cast, gardening: JSON) -> None:
    said = gardening | {"direction": "given", "other": cast.chloe.party.token}
    declared = bruno.do(f"{account_of(cast.bruno)}/declarations", said)["id"]
    answer = alice.get(f"{account_of(cast.alice)}/declarations", cursor=declared)
    assert refusal(answer) == (422, "wrong-cursor")
    assert refusal(alice.get(f"{account_of(cast.alice)}/statement", cursor="abc")) == (422, "wrong-cursor")


def test_the_floor_is_named_and_nothing_is_written(
    alice: Program, cast: Cast, gardening: JSON, session: Session
) -> None:
    answer = alice.post(f"{account_of(cast.alice)}/declarations", gardening | {"minutes": 2001})
    assert refusal(answer) == (422, "floor-reached")
    assert "limite" in answer.json["detail"]
    assert entries(session) == 0
    assert session.execute(text("SELECT count(*) FROM declarations")).scalar_one() == 0


def test_a_rule_that_a_field_can_mend_names_it(alice: Program, cast: Cast, gardening: JSON) -> None:
    answer = alice.post(f"{account_of(cast.alice)}/declarations", gardening | {"happened_on": "2026-11-22"})
    assert refusal(answer) == (422, "happens-later")
    assert list(answer.json["errors"]) == ["happened_on"]
    answer = alice.post(f"{account_of(cast.alice)}/declarations", gardening | {"other": cast.zoe.party.token})
    assert refusal(answer) == (422, "other-unknown")


def test_alice_knows_who_she_is(alice: Program, bruno: Program, cast: Cast) -> None:
    me = alice.read("/me")
    assert me["user_name"] == "alice"
    assert [party["name"] for party in me["parties"]] == ["Alice"]
    assert [account["id"] for account in me["accounts"]] == [cast.alice.account.token]
    assert {account["party"]["name"] for account in bruno.read("/me")["accounts"]} == {"Bruno", "Club de gymnastique"}


def test_alice_finds_a_neighbour_and_what_they_chose_to_show(alice: Program, cast: Cast, held_by: Held) -> None:
    community = alice.read("/me")["communities"][0]["id"]
    first = alice.read(f"/communities/{community}/members", limit=2)
    second = alice.read(f"/communities/{community}/members", limit=2, cursor=first["next"])
    assert len({row["party"]["id"] for row in (*first["items"], *second["items"])}) == 4
    found = alice.read(f"/communities/{community}/members", q="chloe")["items"]
    assert [row["party"]["name"] for row in found] == ["Chloé"]
    profile = alice.read(f"/communities/{community}/members/{found[0]['party']['id']}")
    assert profile["phone"] == profile["email"] == ""
    assert refusal(held_by(cast.zoe).get(f"/communities/{community}/members")) == (404, "not-found")
    assert refusal(alice.get(f"/communities/{community}/members/{cast.zoe.party.token}")) == (404, "not-found")
    assert refusal(alice.get(f"/communities/{community}/members", cursor=cast.zoe.party.token)) == (422, "wrong-cursor")


def test_alice_publishes_an_advert_and_bruno_writes_to_her(
    alice: Program, bruno: Program, cast: Cast, session: Session
) -> None:
    said = {"kind": "offer", "category": "Jardin", "title": "Taille de haies", "text": "Le samedi."}
    advert = alice.do(f"{account_of(cast.alice)}/adverts", said)
    community = advert["community"]
    assert bruno.read(f"/communities/{community}/categories") == {"items": ["Jardin"]}
    assert bruno.read(f"/communities/{community}/adverts", q="haie", kind="offer")["items"] == [advert]
    talk = bruno.do(f"/adverts/{advert['id']}/messages", {"party": cast.bruno.party.token, "text": "Demain ?"})
    alice.do(f"/threads/{talk['id']}/messages", {"text": "Oui."})
    seen = alice.read(f"/threads/{talk['id']}")
    assert [(one["mine"], one["text"]) for one in seen["messages"]] == [(False, "Demain ?"), (True, "Oui.")]
    assert bruno.read("/threads")["items"][0]["text"] == "Oui."
    assert letters(session) == 2
    closed = alice.do(f"/adverts/{advert['id']}/closure")
    assert closed["closed_at"] == "2026-11-21T11:00:00Z"
    assert bruno.read(f"/communities/{community}/adverts")["items"] == []
    assert bruno.read(f"/adverts/{advert['id']}") == closed


def test_adverts_and_threads_are_read_page_by_page(alice: Program, bruno: Program, cast: Cast) -> None:
    said = {"kind": "want", "category": "Jardin", "title": "Bêcher"}
    made = [alice.do(f"{account_of(cast.alice)}/adverts", said) for _ in range(3)]
    community = made[0]["community"]
    first = bruno.read(f"/communities/{community}/adverts", limit=2)
    second = bruno.read(f"/communities/{community}/adverts", limit=2, cursor=first["next"])
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 3
    for advert in made:
        bruno.do(f"/adverts/{advert['id']}/messages", {"party": cast.bruno.party.token, "text": "Moi."})
    first = alice.read("/threads", limit=2)
    second = alice.read("/threads", limit=2, cursor=first["next"])
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 3
    assert refusal(alice.get(f"/communities/{community}/adverts", cursor="nobody")) == (422, "wrong-cursor")
    assert refusal(alice.get("/threads", cursor="nobody")) == (422, "wrong-cursor")


def test_an_advert_is_of_a_category_and_a_message_of_a_party_of_ones_own(alice: Program, cast: Cast) -> None:
    said = {"kind": "want", "category": "Astres", "title": "Bêcher"}
    answer = alice.post(f"{account_of(cast.alice)}/adverts", said)
    assert refusal(answer) == (422, "wrong-fields")
    assert list(answer.json["errors"]) == ["category"]
    advert = alice.do(f"{account_of(cast.alice)}/adverts", said | {"category": "Jardin"})
    body = {"party": cast.bruno.party.token, "text": "Moi."}
    assert list(alice.post(f"/adverts/{advert['id']}/messages", body).json["errors"]) == ["party"]
