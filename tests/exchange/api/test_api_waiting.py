"""Programs take options, wait, and have their turn, as pages do."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from exchange.bookings import wishes
from tests.cast import NOON, SATURDAY, Cast
from tests.exchange.api.conftest import JSON, Program, refusal
from tests.exchange.bookings.holding import with_options
from tests.lent import Lent

AFTERNOON = {"starts_at": "2026-11-28T14:00:00+01:00", "ends_at": "2026-11-28T18:00:00+01:00"}


@pytest.fixture
def lent(session: Session, lent: Lent) -> Lent:
    return with_options(session, lent)


@pytest.fixture
def mine(cast: Cast, lent: Lent) -> JSON:
    """Alice would have the hall."""
    return {"party": cast.alice.party.token, "items": [{"resource": lent.hall.token}], "purpose": "Loto", **AFTERNOON}


@pytest.fixture
def theirs(mine: JSON, cast: Cast) -> JSON:
    """Bruno would have it too."""
    return mine | {"party": cast.bruno.party.token}


def test_an_option_is_taken_confirmed_and_seen_by_others_as_held(
    alice: Program, bruno: Program, olga: Program, cast: Cast, lent: Lent, mine: JSON, theirs: JSON
) -> None:
    option = alice.do("/options", mine)
    assert (option["state"], option["held_until"], option["option"]) == ("option", "2026-11-26T11:00:00Z", "taken")
    (taken,) = bruno.read(f"/resources/{lent.half.token}/availability", **AFTERNOON)["taken"]
    assert taken["held_until"] == "2026-11-26T11:00:00Z"
    assert refusal(bruno.post("/bookings", theirs)) == (409, "under-option")
    assert olga.read(f"/lenders/{cast.town.token}/requests")["items"] == []
    confirmed = alice.do(f"/bookings/{option['id']}/confirmation")
    assert (confirmed["state"], confirmed["held_until"], confirmed["option"]) == ("pending", None, "taken")
    assert len(olga.read(f"/lenders/{cast.town.token}/requests")["items"]) == 1
    assert refusal(alice.post(f"/bookings/{option['id']}/release")) == (409, "wrong-state")


def test_who_waits_is_told_how_many_come_before_and_has_a_turn(
    alice: Program, bruno: Program, olga: Program, session: Session, cast: Cast, mine: JSON, theirs: JSON
) -> None:
    option = alice.do("/options", mine)
    place = bruno.do("/waiting-list", theirs)
    assert (place["before"], place["booking"], place["outcome"]) == (0, None, None)
    assert alice.read(f"/bookings/{option['id']}")["held_until"] == "2026-11-23T11:00:00Z"
    assert refusal(bruno.post(f"/waiting-list/{place['id']}/acceptance")) == (409, "wrong-state")
    assert [one["id"] for one in olga.read(f"/lenders/{cast.town.token}/waiting-list")["items"]] == [place["id"]]
    alice.do(f"/bookings/{option['id']}/release")
    again = mine | {"purpose": "Encore"}
    assert refusal(alice.post("/bookings", again)) == (409, "slot-awaited")
    wishes.give_turns(session, cast.town.id, by=cast.system, at=NOON, today=SATURDAY)
    session.commit()
    (place,) = bruno.read("/waiting-list")["items"]
    assert place["held_until"] == "2026-11-23T11:00:00Z"
    taken = bruno.do(f"/waiting-list/{place['id']}/acceptance")
    assert (taken["id"], taken["state"], taken["option"]) == (place["booking"], "pending", "turn")
    assert bruno.read("/waiting-list")["items"] == []
    (ended,) = bruno.read("/waiting-list", ended="true")["items"]
    assert ended["outcome"] == "taken"


def test_what_cannot_be_waited_for(alice: Program, bruno: Program, mine: JSON, theirs: JSON) -> None:
    assert refusal(bruno.post("/waiting-list", theirs)) == (409, "still-free")
    alice.do("/bookings", mine)
    bruno.do("/waiting-list", theirs)
    assert refusal(bruno.post("/waiting-list", theirs)) == (409, "waits-already")


def test_what_belongs_to_others_is_not_found(
    alice: Program, bruno: Program, cast: Cast, mine: JSON, theirs: JSON
) -> None:
    option, place = alice.do("/options", mine)["id"], bruno.do("/waiting-list", theirs)["id"]
    for program, path in ((bruno, f"/bookings/{option}/confirmation"), (bruno, f"/bookings/{option}/release"),
                          *((alice, f"/waiting-list/{place}/{act}") for act in ("departure", "acceptance", "refusal")),
                          (alice, "/waiting-list/%00/departure"), (alice, "/waiting-list/1/departure")):  # fmt: skip
        assert program.post(path).status_code == 404, path
    assert refusal(alice.post("/options", theirs)) == (422, "wrong-fields")
    assert refusal(alice.post("/waiting-list", theirs)) == (422, "wrong-fields")
    assert refusal(alice.get(f"/lenders/{cast.town.token}/waiting-list")) == (403, "not-allowed")
