"""Rooms and things are asked for, decided, handed over and brought back through programs."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.pictures import operations as pictures
from tests.cast import NOON, Cast
from tests.exchange.api.conftest import JSON, Held, Program, refusal
from tests.lent import Lent
from tests.photos import PHOTO

AFTERNOON = {"starts_at": "2026-11-28T14:00:00+01:00", "ends_at": "2026-11-28T18:00:00+01:00"}

FRIDAY = {"starts_at": "2026-11-27T18:00:00+01:00", "ends_at": "2026-11-27T22:00:00+01:00"}


@pytest.fixture
def party(cast: Cast, lent: Lent) -> JSON:
    """Alice asks for the hall with four chairs."""
    items = [{"resource": lent.hall.token}, {"resource": lent.chairs.token, "quantity": 4}]
    return {"party": cast.alice.party.token, "items": items, "purpose": "Fête", "people": 60, **AFTERNOON}


def desk(cast: Cast) -> str:
    return f"/lenders/{cast.town.token}"


def test_alice_looks_for_a_room_on_saturday_for_sixty(alice: Program, lent: Lent) -> None:
    found = alice.read("/resources", kind="room", people=60, **AFTERNOON)["items"]
    assert [row["name"] for row in found] == ["Demi-salle nord", "Demi-salle sud", "Salle des fêtes"]
    assert found[0]["lender"]["name"] == "Ville de Saint-Marron"
    assert alice.read(f"/resources/{found[0]['id']}").items() <= found[0].items()
    assert (found[0]["minutes"], found[0]["beside"]) == (0, [])
    assert alice.read("/resources", q="perceuze")["items"][0]["name"] == "Perceuse"


def test_the_pictures_of_a_hall_are_named_and_fetched(
    alice: Program, client: FlaskClient, cast: Cast, lent: Lent, session: Session
) -> None:
    pictures.add(session, lent.hall.id, lender=cast.town.id, data=PHOTO, words="La scène", by=cast.olga.by, at=NOON)
    (told,) = alice.read(f"/resources/{lent.hall.token}/pictures")["items"]
    assert (told["words"], told["width"], told["height"]) == ("La scène", 64, 48)
    for scale in ("large", "small"):
        assert client.get(told[scale]).mimetype == "image/jpeg"
    assert client.get(told["miniature"]).mimetype == "image/webp"
    assert alice.read(f"/resources/{lent.drill.token}/pictures") == {"items": []}
    assert alice.get("/resources/nothing/pictures").status_code == 404


def test_a_list_of_resources_is_read_page_by_page(alice: Program, lent: Lent) -> None:
    first = alice.read("/resources", limit=4)
    second = alice.read("/resources", limit=4, cursor=first["next"])
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 6
    assert second["next"] is None
    assert refusal(alice.get("/resources", cursor="nothing")) == (422, "wrong-cursor")


def test_a_span_has_two_ends(alice: Program, lent: Lent) -> None:
    answer = alice.get("/resources", starts_at=AFTERNOON["starts_at"])
    assert refusal(answer) == (422, "wrong-fields")
    assert list(answer.json["errors"]) == ["ends_at"]


def test_the_town_only(alice: Program, cast: Cast, lent: Lent) -> None:
    names = {row["name"] for row in alice.read("/resources", lender=cast.club.token)["items"]}
    assert names == {"Dojo"}
    assert alice.read("/resources", lender="nobody")["items"] == []


def test_a_quote_says_the_price_and_takes_nothing(alice: Program, party: JSON, lent: Lent, cast: Cast) -> None:
    wanted = {name: value for name, value in party.items() if name != "purpose"}
    told = alice.do("/quotes", wanted)
    assert (told["allowed"], told["minutes"], told["community"]) == (True, 0, None)
    assert alice.read("/bookings")["items"] == []
    told = alice.do("/quotes", wanted | {"items": [{"resource": lent.dojo.token}], "people": 10})
    assert told["minutes"] == 120
    assert told["community"] == alice.read("/me")["communities"][0]["id"]
    assert "30 min par heure" in told["findings"][0]["detail"].replace("\u00a0", " ")


def test_alice_asks_and_olga_accepts_hands_over_and_takes_back(
    alice: Program, olga: Program, cast: Cast, party: JSON
) -> None:
    answer = alice.post("/bookings", party | FRIDAY)
    assert answer.status_code == 201, answer.text
    booking = answer.json
    assert booking["state"] == "pending"
    assert [(item["resource"]["name"], item["quantity"]) for item in booking["items"]] == [
        ("Salle des fêtes", 1), ("Chaises pliantes", 4),
    ]  # fmt: skip
    assert alice.read(answer.headers["Location"].removeprefix("/api/v1")) == booking
    assert [row["id"] for row in olga.read(f"{desk(cast)}/requests")["items"]] == [booking["id"]]
    path = f"{desk(cast)}/bookings/{booking['id']}"
    assert olga.read(path)["contact"]["e_mails"] == ["alice@example.org"]
    assert olga.do(f"{path}/decision", {"verdict": "accepted"})["state"] == "accepted"
    assert olga.read(f"{desk(cast)}/requests")["items"] == []
    assert olga.do(f"{path}/hand-over", {"remarks": "Deux clés"})["state"] == "out"
    assert [row["id"] for row in olga.read(f"{desk(cast)}/loans")["items"]] == [booking["id"]]
    assert olga.do(f"{path}/return")["state"] == "returned"
    assert alice.read(f"/bookings/{booking['id']}")["returned_at"] == "2026-11-21T11:00:00Z"


def test_a_program_is_told_why_nothing_can_be_noted(
    alice: Program, olga: Program, cast: Cast, party: JSON, lent: Lent
) -> None:
    paths = []
    for thing in (lent.hall, lent.drill):
        booking = alice.do("/bookings", party | {"items": [{"resource": thing.token}]})
        paths.append(f"{desk(cast)}/bookings/{booking['id']}")
        olga.do(f"{paths[-1]}/decision", {"verdict": "accepted"})
    room, drill = (olga.post(f"{path}/no-show") for path in paths)
    assert refusal(room) == (422, "room-alone")
    assert refusal(drill) == (422, "not-begun")
    assert "samedi 28 novembre 2026 à 14\u00a0h" in drill.json["detail"]


def test_a_refusal_names_its_ground(alice: Program, olga: Program, cast: Cast, party: JSON) -> None:
    booking = alice.do("/bookings", party)
    path = f"{desk(cast)}/bookings/{booking['id']}/decision"
    answer = olga.post(path, {"verdict": "declined"})
    assert refusal(answer) == (422, "wrong-fields")
    assert set(answer.json["errors"]) == {"ground", "text"}
    assert set(olga.post(path, {"verdict": "accepted", "ground": "rule"}).json["errors"]) == {"ground"}
    olga.do(path, {"verdict": "declined", "ground": "services", "text": "Travaux."})
    seen = alice.read(f"/bookings/{booking['id']}")
    assert (seen["state"], seen["ground"], seen["text"]) == ("declined", "services", "Travaux.")
    assert refusal(olga.post(path, {"verdict": "accepted"})) == (409, "wrong-state")


def test_what_is_asked_is_no_longer_free_and_cancelled_it_is(
    alice: Program, bruno: Program, cast: Cast, party: JSON, lent: Lent
) -> None:
    booking = alice.do("/bookings", party)
    there = bruno.read(f"/resources/{lent.half.token}/availability", **AFTERNOON)
    assert (there["open"], there["free"], there["left"]) == (True, False, None)
    assert there["taken"] == [
        {"starts_at": "2026-11-28T13:00:00Z", "ends_at": "2026-11-28T17:00:00Z", "pending": True,
         "held_until": None}
    ]
    assert bruno.read(f"/resources/{lent.chairs.token}/availability", **AFTERNOON)["left"] == 1
    mine = party | {"party": cast.bruno.party.token}
    assert refusal(bruno.post("/bookings", mine)) == (409, "slot-taken")
    mine["items"] = [{"resource": lent.drill.token}, {"resource": lent.chairs.token, "quantity": 2}]
    quote = {name: value for name, value in mine.items() if name != "purpose"}
    for short in (bruno.post("/quotes", quote), bruno.post("/bookings", mine)):
        assert refusal(short) == (409, "pool-exhausted")
        assert short.json["errors"] == {"items.1.quantity": ["Il n’en reste que 1 à ce moment-là."]}
    assert alice.do(f"/bookings/{booking['id']}/cancellation", {"reason": "Il pleut"})["state"] == "cancelled"
    assert bruno.read(f"/resources/{lent.half.token}/availability", **AFTERNOON)["free"] is True


def test_bruno_books_for_the_club_that_he_acts_for(bruno: Program, cast: Cast, party: JSON) -> None:
    bruno.do("/bookings", party | {"party": cast.club.token})
    bruno.do("/bookings", party | {"party": cast.bruno.party.token, "starts_at": "2026-12-05T14:00:00Z",
                                   "ends_at": "2026-12-05T15:00:00Z"})  # fmt: skip
    first = bruno.read("/bookings", limit=1)
    second = bruno.read("/bookings", limit=1, cursor=first["next"])
    assert [row["party"]["name"] for row in (*first["items"], *second["items"])] == ["Bruno", "Club de gymnastique"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"people": 121}, (422, "too-many-people")),
        ({"starts_at": "2026-11-20T14:00:00Z"}, (422, "in-the-past")),
        ({"ends_at": "2026-11-28T13:00:00+01:00"}, (422, "ends-before-start")),
        ({"ends_at": "2027-02-28T13:00:00+01:00"}, (422, "too-long")),
        ({"items": [{"resource": "unknown"}]}, (404, "not-bookable")),
        ({"items": []}, (422, "wrong-fields")),
        ({"party": "nobody"}, (422, "wrong-fields")),
    ],
)
def test_what_cannot_be_booked_is_refused_by_its_rule(
    alice: Program, party: JSON, change: JSON, expected: tuple[int, str]
) -> None:
    assert refusal(alice.post("/bookings", party | change)) == expected
    if "purpose" not in change:
        quote = {name: value for name, value in (party | change).items() if name != "purpose"}
        assert refusal(alice.post("/quotes", quote)) == expected


def test_one_thing_is_asked_once_and_one_room_is_one(alice: Program, party: JSON, lent: Lent) -> None:
    twice = [{"resource": lent.drill.token}, {"resource": lent.drill.token}]
    assert list(alice.post("/bookings", party | {"items": twice}).json["errors"]) == ["items"]
    several = [{"resource": lent.drill.token, "quantity": 2}]
    assert list(alice.post("/bookings", party | {"items": several}).json["errors"]) == ["items.0.quantity"]


def test_olga_sees_what_the_town_has_and_publishes(olga: Program, cast: Cast, lent: Lent) -> None:
    first = olga.read(f"{desk(cast)}/resources", limit=3)
    second = olga.read(f"{desk(cast)}/resources", limit=3, cursor=first["next"])
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 5
    assert olga.read(f"{desk(cast)}/resources", status="incomplete")["items"] == []
    told = olga.do(f"{desk(cast)}/resources/{lent.half.token}/publication", {"capacity": 50})
    assert (told["status"], told["capacity"]) == ("published", 50)
    assert olga.read(f"{desk(cast)}/resources/{lent.half.token}") == told


def test_others_offices_say_who_can(alice: Program, olga: Program, cast: Cast, lent: Lent) -> None:
    for path in ("/requests", "/loans", "/resources", f"/resources/{lent.hall.token}", "/bookings/whichever"):
        answer = alice.get(f"{desk(cast)}{path}")
        assert refusal(answer) == (403, "not-allowed")
        assert "Ville de Saint-Marron" in answer.json["detail"]
    assert refusal(olga.get(f"{desk(cast)}/bookings/unknown")) == (404, "not-found")
    assert refusal(olga.get(f"{desk(cast)}/resources/{lent.dojo.token}")) == (404, "not-found")
    assert refusal(olga.get("/lenders/nobody/requests")) == (404, "not-found")


def test_an_officer_is_told_that_a_condition_is_not_met_and_no_figure(
    alice: Program, held_by: Held, cast: Cast, lent: Lent, gardening: JSON, party: JSON, officer_of_club: Program
) -> None:
    wanted = party | {"items": [{"resource": lent.dojo.token}], "people": 10}
    booking = alice.do("/bookings", wanted)
    assert booking["minutes"] == 120
    account = f"/accounts/{cast.alice.account.token}"
    alice.do(f"{account}/declarations", gardening | {"minutes": 1950})
    answer = officer_of_club.post(
        f"/lenders/{cast.club.token}/bookings/{booking['id']}/decision", {"verdict": "accepted"}
    )
    assert refusal(answer) == (422, "borrower-cannot-pay")
    assert not any(sign.isdigit() for sign in answer.json["detail"])
