"""What pages do for a lender, done by programs: searching closely, closing, offering, authorising, cataloguing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.catalogue.models import Resource
from exchange.organisations.models import Organisation
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.entries import Acting
from tests.cast import NOON, SATURDAY, Cast
from tests.exchange.api.conftest import JSON, Held, Program, refusal
from tests.lent import Lent

EVENING = {"starts_at": "2026-12-01T18:00:00+01:00", "ends_at": "2026-12-01T20:00:00+01:00"}


@pytest.fixture
def desk(cast: Cast) -> str:
    return f"/lenders/{cast.town.token}"


def names(found: JSON) -> list[str]:
    return [each["name"] for each in found["items"]]


def wanted(cast: Cast, *what: Any, **more: Any) -> JSON:
    items = [{"resource": it.token} for it in what]
    return {"party": cast.alice.party.token, "items": items, "purpose": "Bal"} | EVENING | more


# -- searching


def test_things_come_with_a_room_and_are_told(alice: Program, cast: Cast, lent: Lent) -> None:
    found = alice.read("/resources", things="4 chaises", **EVENING)
    assert set(names(found)) == {"Salle des fêtes", "Demi-salle nord", "Demi-salle sud"}, "rooms of who has chairs"
    assert found["items"][0]["beside"] == [
        {"resource": {"id": lent.chairs.token, "kind": "pool", "name": "Chaises pliantes"}, "quantity": 4}
    ]
    assert names(alice.read("/resources", things="40 chaises", **EVENING)) == []
    assert refusal(alice.get("/resources", things="a,b,c,d,e")) == (422, "wrong-fields")


def test_a_price_is_told_for_whom_it_is_and_bounds_what_is_found(
    session: Session, bruno: Program, cast: Cast, lent: Lent
) -> None:
    dear = Rule("", "tariff", "Entreprises", starts_on=SATURDAY, community=cast.community.id, minutes=60, per="hour",
                class_="firm")  # fmt: skip
    rules.write_rule(session, dear, lender=cast.club.id, by=Acting(None, cast.club.id), at=NOON)

    def dojo(**more: Any) -> int | None:
        items = bruno.read("/resources", q="dojo", **EVENING, **more)["items"]
        return items[0]["minutes"] if items else None

    assert (dojo(), dojo(most=60), dojo(most=59)) == (60, 60, None)
    session.get_one(Organisation, cast.club.id).class_ = "firm"
    session.flush()
    assert (dojo(party=cast.club.token), dojo(party=cast.bruno.party.token)) == (120, 60)
    assert refusal(bruno.get("/resources", party=cast.alice.party.token)) == (422, "wrong-fields")
    assert refusal(bruno.get("/resources", most=60)) == (422, "wrong-fields"), "a price is that of a span"


def test_the_nearest_come_first_and_nobodys_home_is_a_place(
    session: Session, alice: Program, cast: Cast, lent: Lent
) -> None:
    for it, name, position in ((lent.drill, "Ateliers", (47.7, -2.0)), (lent.hall, "Bourg", (47.6, -2.0))):
        here = catalogue.add_place(session, lender=cast.town.id, name=name, latitude=position[0], longitude=position[1],
                                   at=NOON)  # fmt: skip
        session.get_one(Resource, it.id).place_id = here.id
    home = catalogue.add_place(session, lender=cast.alice.party.id, name="Lilas", latitude=47.6, longitude=-2.0,
                               at=NOON)  # fmt: skip
    saw = catalogue.add_resource(session, lender=cast.alice.party.id, kind="thing", name="Scie", place_id=home.id,
                                 by=cast.alice.by, at=NOON)  # fmt: skip
    catalogue.publish(session, lender=cast.alice.party.id, capacities={saw.id: None}, by=cast.alice.by, at=NOON)
    found = alice.read("/resources", near="bourg")["items"]
    assert [(each["name"], each["metres"]) for each in found[:2]] == [("Salle des fêtes", 0), ("Perceuse", 11120)]
    assert {each["metres"] for each in found[2:]} == {None}
    for nowhere in ("lilas", "Katmandou"):
        assert refusal(alice.get("/resources", near=nowhere)) == (422, "wrong-fields")


def test_the_same_hours_each_day_keep_the_clocks_of_the_territory(alice: Program, cast: Cast, lent: Lent) -> None:
    days = EVENING | {"each_day_until": "2026-12-03"}
    alice.do("/bookings", wanted(cast, lent.half, starts_at="2026-12-03T18:30:00+01:00",
                                 ends_at="2026-12-03T19:00:00+01:00"))  # fmt: skip
    assert "Demi-salle sud" in names(alice.read("/resources", **EVENING))
    assert not {"Demi-salle sud", "Salle des fêtes"} & {*names(alice.read("/resources", **days))}
    assert "Demi-salle nord" in names(alice.read("/resources", **days))
    for wrong in ({"each_day_until": "2026-11-30"}, {"each_day_until": "2026-12-31"},
                  {"each_day_until": "2026-12-03", "ends_at": "2026-12-03T20:00:00+01:00"}):  # fmt: skip
        assert refusal(alice.get("/resources", **EVENING | wrong)) == (422, "wrong-fields"), wrong
    assert refusal(alice.get("/resources", each_day_until="2026-12-03")) == (422, "wrong-fields")


# -- closing, and what is offered instead


def test_a_closure_tells_whom_it_displaces_and_each_is_offered_something_else(
    alice: Program, olga: Program, session: Session, cast: Cast, lent: Lent, desk: str
) -> None:
    had = alice.do("/bookings", wanted(cast, lent.half))["id"]
    closes, here = {"starts_at": EVENING["starts_at"]}, f"{desk}/resources/{lent.half.token}/closures"
    assert [each["id"] for each in olga.do(f"{here}/quotes", closes)["bookings"]] == [had]
    assert olga.read(f"{desk}/closures")["items"] == [], "nothing is closed by looking"
    made = olga.do(here, closes | {"kind": "works", "reason": "Parquet"}, key="once")
    assert olga.do(here, closes | {"kind": "works", "reason": "Parquet"}, key="once") == made
    assert refusal(alice.post("/bookings", wanted(cast, lent.half))) == (409, "out-of-service")
    offered = olga.do(f"{desk}/bookings/{had}/offer", {
        "items": [{"resource": lent.other_half.token}], "word": "Le parquet est refait."} | EVENING)  # fmt: skip
    assert (offered["state"], offered["replaces"], offered["word"]) == ("offered", had, "Le parquet est refait.")
    assert alice.read(f"/bookings/{offered['id']}")["replaces"] == had
    assert alice.do(f"/bookings/{offered['id']}/consent")["state"] == "accepted"
    assert alice.read(f"/bookings/{had}")["state"] == "cancelled"
    assert olga.read(f"{desk}/closures/{made['id']}")["bookings"] == []
    assert olga.do(f"{desk}/closures/{made['id']}/end")["lifted_at"] is not None
    assert [each["id"] for each in olga.read(f"{desk}/closures", over="true")["items"]] == [made["id"]]
    letters = session.scalars(text("SELECT subject FROM outbox ORDER BY id")).all()
    assert len(letters) == 3, letters  # asked, offered, moved


def test_of_a_pool_some_are_closed_and_of_a_thing_no_number_is_said(olga: Program, lent: Lent, desk: str) -> None:
    since = {"starts_at": EVENING["starts_at"], "kind": "repair"}
    made = olga.do(f"{desk}/resources/{lent.chairs.token}/closures", since | {"quantity": 2})
    assert made["quantity"] == 2
    for it, many in ((lent.chairs, 6), (lent.drill, 1)):
        answer = olga.post(f"{desk}/resources/{it.token}/closures", since | {"quantity": many})
        assert answer.status_code == 422
        assert "quantity" in answer.json["errors"]


def test_an_offer_is_left_or_withdrawn_and_what_was_accepted_is_revoked_with_its_ground(
    alice: Program, olga: Program, cast: Cast, lent: Lent, desk: str
) -> None:
    had = alice.do("/bookings", wanted(cast, lent.half))["id"]
    offer = {"items": [{"resource": lent.other_half.token}], "word": "Une fuite"} | EVENING
    first = olga.do(f"{desk}/bookings/{had}/offer", offer)["id"]
    assert refusal(olga.post(f"{desk}/bookings/{had}/offer", offer)) == (409, "already-offered")
    assert alice.do(f"/bookings/{first}/dismissal")["state"] in {"cancelled", "expired"}
    assert alice.read(f"/bookings/{had}")["state"] == "pending"
    olga.do(f"{desk}/bookings/{had}/offer", offer)
    assert olga.do(f"{desk}/bookings/{had}/offer/withdrawal")["state"] == "pending"
    olga.do(f"{desk}/bookings/{had}/decision", {"verdict": "accepted"})
    revoked = olga.do(f"{desk}/bookings/{had}/revocation", {"ground": "services", "text": "Une fuite"})
    assert revoked["state"] == "cancelled"
    missing = olga.post(f"{desk}/bookings/{had}/revocation", {"ground": "services"})
    assert refusal(missing) == (422, "wrong-fields")


def test_nobody_answers_an_offer_for_somebody_else(
    alice: Program, bruno: Program, olga: Program, cast: Cast, lent: Lent, desk: str
) -> None:
    had = alice.do("/bookings", wanted(cast, lent.half))["id"]
    offer = {"items": [{"resource": lent.other_half.token}], "word": "Une fuite"} | EVENING
    assert bruno.post(f"{desk}/bookings/{had}/offer", offer).status_code == 403
    offered = olga.do(f"{desk}/bookings/{had}/offer", offer)["id"]
    for act in ("consent", "dismissal"):
        assert bruno.post(f"/bookings/{offered}/{act}").status_code == 404
        assert olga.post(f"/bookings/{offered}/{act}").status_code == 404


# -- authorising


def test_who_may_borrow_what_is_reserved_is_said_and_taken_back(
    alice: Program, olga: Program, session: Session, cast: Cast, lent: Lent, desk: str
) -> None:
    here = f"{desk}/resources/{lent.drill.token}"
    olga.do(f"{here}/edition", {"reserved": True})
    assert refusal(alice.post("/bookings", wanted(cast, lent.drill))) == (422, "rule-refuses")
    made = olga.do(f"{here}/authorisations", {"party": cast.alice.party.token, "until": "2027-06-30"})
    assert (made["party"]["name"], made["until"], made["given_by"]) == ("Alice", "2027-06-30", "Olga")
    alice.do("/bookings", wanted(cast, lent.drill))
    assert olga.do(f"{desk}/authorisations/{made['id']}/end")["items"] == []
    assert refusal(olga.post(f"{desk}/authorisations/{made['id']}/end")) == (409, "wrong-state")
    for wrong in ({"party": "personne"}, {"party": cast.alice.party.token, "until": "2026-01-01"}):
        assert olga.post(f"{here}/authorisations", wrong).status_code == 422
    assert alice.get(f"{here}/authorisations").status_code == 403


# -- cataloguing


def test_an_office_adds_edits_publishes_and_retires(alice: Program, olga: Program, cast: Cast, desk: str) -> None:
    place = olga.do(f"{desk}/places", {"name": "Halle", "erp_category": "IV", "town": "Redon"})
    assert place["legal_max"] == 300
    made = olga.do(f"{desk}/resources", {
        "kind": "room", "name": "Petite halle", "place": place["id"], "capacity": 80, "slots": "8h-12h, 14h à 18h",
        "opening_hours": "Mo-Fr 08:00-22:00",
    })  # fmt: skip
    assert (made["status"], made["slots"], made["place"]["id"]) == ("ready", "08:00-12:00,14:00-18:00", place["id"])
    here = f"{desk}/resources/{made['id']}"
    assert refusal(olga.post(f"{here}/edition", {"capacity": 301})) == (422, "capacity-above-limit")
    edited = olga.do(f"{here}/edition", {"conditions": "À rendre propre"})
    assert (edited["conditions"], edited["capacity"]) == ("À rendre propre", 80), "what isn't named stays"
    assert alice.get(f"/resources/{made['id']}").status_code == 404
    olga.do(f"{here}/publication")
    assert alice.read(f"/resources/{made['id']}")["name"] == "Petite halle"
    states = [olga.do(f"{here}/{act}")["status"] for act in ("withdrawal", "retirement", "restoration")]
    assert states == ["ready", "retired", "ready"]


@pytest.mark.parametrize(("wrong", "field"), [
    ({"quantity": 4}, "quantity"), ({"inventory_number": "A-12"}, "inventory_number"),
    ({"opening_hours": "demain"}, "opening_hours"), ({"slots": "18h-8h"}, "slots"),
    ({"photo_address": "ftp://ville.fr"}, "photo_address"), ({"place": "ailleurs"}, "place"),
    ({"published_at": "2026-11-21"}, "published_at"), ({"buffer_minutes": 2000}, "buffer_minutes"),
])  # fmt: skip
def test_what_a_room_cannot_have_is_said_beside_its_name(
    olga: Program, lent: Lent, desk: str, wrong: JSON, field: str
) -> None:
    for answer in (olga.post(f"{desk}/resources", {"kind": "room", "name": "Halle"} | wrong),
                   olga.post(f"{desk}/resources/{lent.hall.token}/edition", wrong)):  # fmt: skip
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]


def test_a_neighbour_begins_to_lend_and_goes_on_as_their_own_office(
    alice: Program, bruno: Program, cast: Cast
) -> None:
    mine = f"/lenders/{cast.alice.party.token}"
    assert alice.get(f"{mine}/resources").status_code == 403
    made = alice.do(f"{mine}/things", {"name": "Tables de jardin", "quantity": 4})
    assert (made["kind"], made["quantity"]) == ("pool", 4)
    alice.do(f"{mine}/resources/{made['id']}/edition", {"conditions": "À deux pour les porter"})
    alice.do(f"{mine}/resources/{made['id']}/publication")
    assert bruno.read(f"/resources/{made['id']}")["place"] is None
    assert bruno.post(f"{mine}/things", {"name": "Barnum"}).status_code == 403
    assert alice.post("/lenders/personne/things", {"name": "Barnum"}).status_code == 404
    assert [each["role"] for each in alice.read("/me")["mandates"]] == ["member", "officer"]
    other = bruno.do(f"/lenders/{cast.club.token}/things", {"name": "Tapis"})
    assert other["lender"]["name"] == "Club de gymnastique"


def test_a_token_of_a_towns_delegate_is_no_officer(held_by: Held, cast: Cast) -> None:
    assert held_by(cast.aicha).post(f"/lenders/{cast.town.token}/things", {"name": "Barnum"}).status_code == 403
