"""What leaves is counted until it is back: fewer than booked, in several returns, broken, lost, with its keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.errors import CheckViolation
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import inventory, operations, policy, queries
from exchange.bookings.operations import count_people, hand_over, take_back
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView
from exchange.closures import queries as closures
from exchange.errors import (
    AlreadyAnswered,
    KeyNotThere,
    KeyOut,
    MoreThanBooked,
    MoreThanOut,
    NotBegun,
    NotFound,
    NothingBack,
    NothingLeaves,
    PicturesFull,
    WrongState,
    refusal_of,
)
from exchange.keys import operations as keys
from exchange.pictures.operations import drawn
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_bookings_uncollected import accepted, balance, for_drill, voted_prices
from tests.lent import Lent
from tests.photos import PHOTO

ENDS = NEXT_WEEK + timedelta(hours=4)
DURING = NEXT_WEEK + timedelta(hours=1)


def by_olga(cast: Cast) -> dict[str, Any]:
    return {"lender": cast.town.id, "remarks": "", "by": cast.olga.by}


def chairs_out(session: Session, cast: Cast, lent: Lent, leaving: int = 5, booked: int = 5) -> str:
    token = accepted(session, cast, wanting(cast.alice.party.id, (lent.chairs, booked)))
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK, items={lent.chairs.id: Handed(leaving)})
    return token


def seen(session: Session, cast: Cast, token: str) -> BookingView:
    found = queries.of_lender(session, token, cast.town.id, at=DURING)
    assert found is not None
    return found


def left(session: Session, lent: Lent) -> int:
    return queries.left_in(session, [lent.chairs.id], DURING, ENDS, at=NOON)[lent.chairs.id]


def test_eighteen_leave_of_twenty_and_the_others_are_free_at_once(session: Session, cast: Cast, lent: Lent) -> None:
    token = chairs_out(session, cast, lent, leaving=3)
    assert left(session, lent) == 2
    (item,) = seen(session, cast, token).items
    assert (item.quantity, item.out, item.still_out) == (5, 3, 3)


def test_it_comes_back_in_parts_and_is_over_when_all_is_accounted_for(
    session: Session, cast: Cast, lent: Lent
) -> None:
    voted_prices(session, cast, lent)
    token = chairs_out(session, cast, lent)
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(2)})
    assert (seen(session, cast, token).state, left(session, lent), balance(session, cast)) == ("out", 2, (0, 60))
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(1, broken=1)})
    assert (seen(session, cast, token).state, left(session, lent)) == ("out", 3)
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(lost=1)})
    assert (seen(session, cast, token).state, balance(session, cast)) == ("returned", (-60, 0))
    (item,) = seen(session, cast, token).items
    assert (item.back, item.broken, item.lost, item.still_out) == (3, 1, 1, 0)
    out_of_stock = closures.of_lender(session, cast.town.id, at=DURING)
    assert {(each.kind, each.quantity) for each in out_of_stock} == {("repair", 1), ("lost", 1)}
    assert left(session, lent) == 3


def test_a_broken_drill_is_lent_no_more_until_it_is_repaired(session: Session, cast: Cast, lent: Lent) -> None:
    token = for_drill(session, cast, lent)
    hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.drill.id: Back(broken=1)})
    (closure,) = closures.of_units(session, [lent.drill.id], at=DURING)
    assert (closure.kind, closure.ends_at) == ("repair", None)


def test_what_comes_back_is_counted_although_its_chairs_were_closed_meanwhile(
    session: Session, cast: Cast, lent: Lent
) -> None:
    from exchange.closures.operations import close

    token = chairs_out(session, cast, lent)
    close(session, lent.chairs, kind="repair", reason="", starts_at=NEXT_WEEK, ends_at=None, quantity=3,
          by=cast.olga.by, at=NEXT_WEEK)  # fmt: skip
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(1)})
    assert seen(session, cast, token).items[0].still_out == 4


@pytest.mark.parametrize("leaving", [6, -1])
def test_no_more_leaves_than_was_booked(session: Session, cast: Cast, lent: Lent, leaving: int) -> None:
    with pytest.raises(MoreThanBooked):
        chairs_out(session, cast, lent, leaving=leaving)


def test_something_leaves_or_nobody_came(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(NothingLeaves):
        chairs_out(session, cast, lent, leaving=0)


@pytest.mark.parametrize("said", [Back(4), Back(3, lost=1), Back(-1, broken=2), Back(2, 2, 2)])
def test_no_more_comes_back_than_is_out(session: Session, cast: Cast, lent: Lent, said: Back) -> None:
    token = chairs_out(session, cast, lent, leaving=3)
    with pytest.raises(MoreThanOut):
        take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: said})


def test_nothing_comes_back_of_what_was_not_lent(session: Session, cast: Cast, lent: Lent) -> None:
    token = chairs_out(session, cast, lent)
    with pytest.raises(MoreThanOut):
        take_back(session, token, **by_olga(cast), at=DURING, items={lent.drill.id: Back(1)})
    with pytest.raises(NothingBack):
        take_back(session, token, **by_olga(cast), at=DURING, items={})


def test_the_database_itself_counts_and_ends_no_loan_too_early(session: Session, cast: Cast, lent: Lent) -> None:
    token = chairs_out(session, cast, lent)
    take_back(session, token, **by_olga(cast), at=DURING, items={lent.chairs.id: Back(4)})
    id_ = seen(session, cast, token).id
    said = "INSERT INTO return_items (part_id, item_id, booking_id, back) SELECT {} FROM {} WHERE booking_id = :id"
    for wrong in (
        "INSERT INTO returns (booking_id, by_party, returned_at) VALUES (:id, :town, now())",
        "WITH p AS (INSERT INTO return_parts (booking_id, by_party, noted_at) VALUES (:id, :town, now())"
        " RETURNING id, booking_id) "
        + said.format("p.id, h.item_id, p.booking_id, 2", "p JOIN handed_items h USING (booking_id)"),
    ):
        with pytest.raises(DBAPIError) as refused, session.begin_nested():
            session.execute(text(wrong), {"id": id_, "town": cast.town.id})
        found = refusal_of(refused.value)
        assert found is None or found.rule in {"still-out", "more-than-out"}
    assert not isinstance(refused.value.orig, CheckViolation)


@settings(max_examples=200)
@given(st.dictionaries(st.integers(1, 3), st.integers(0, 5)),
       st.lists(st.dictionaries(st.integers(1, 3), st.tuples(*[st.integers(0, 4)] * 3), max_size=3), max_size=6))
def test_however_it_is_said_no_more_is_counted_than_left(
    out: dict[int, int], said: list[dict[int, tuple[int, int, int]]]
) -> None:
    still, counted = dict(out), dict.fromkeys(out, 0)
    for each in said:
        try:
            came = policy.coming_back(still, {id_: Back(*told) for id_, told in each.items()})
        except MoreThanOut:
            continue
        for id_, back in came.items():
            still[id_] -= back.counted
            counted[id_] += back.counted
    assert all(counted[id_] <= out[id_] and still[id_] == out[id_] - counted[id_] for id_ in out)


# Keys


def badge(session: Session, cast: Cast, label: str = "Badge 12") -> str:
    return keys.add(session, lender=cast.town.id, label=label, note="", place=None, opens=[], by=cast.olga.by,
                    at=NOON).token  # fmt: skip


def test_a_key_is_out_once_and_the_loan_lasts_until_it_is_back(session: Session, cast: Cast, lent: Lent) -> None:
    key, drill = badge(session, cast), for_drill(session, cast, lent)
    hand_over(session, drill, **by_olga(cast), at=NEXT_WEEK, keys=[key])
    other = accepted(session, cast, wanting(cast.bruno.party.id, lent.chairs))
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        hand_over(session, other, **by_olga(cast), at=NEXT_WEEK, keys=[key])
    assert isinstance(refusal_of(refused.value), KeyOut)
    take_back(session, drill, **by_olga(cast), at=DURING, items=None, keys=[])
    assert seen(session, cast, drill).state == "out"
    take_back(session, drill, **by_olga(cast), at=DURING, items={}, keys=[key])
    assert seen(session, cast, drill).state == "returned"
    hand_over(session, other, **by_olga(cast), at=NEXT_WEEK, keys=[key])


def test_a_lost_key_is_given_no_more_until_it_is_found(session: Session, cast: Cast, lent: Lent) -> None:
    key, drill = badge(session, cast), for_drill(session, cast, lent)
    hand_over(session, drill, **by_olga(cast), at=NEXT_WEEK, keys=[key])
    with pytest.raises(KeyOut):
        keys.retire(session, key, lender=cast.town.id, at=DURING)
    take_back(session, drill, **by_olga(cast), at=DURING, keys=[], lost_keys=[key])
    assert seen(session, cast, drill).state == "returned"
    other = accepted(session, cast, wanting(cast.bruno.party.id, lent.chairs))
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        hand_over(session, other, **by_olga(cast), at=NEXT_WEEK, keys=[key])
    assert isinstance(refusal_of(refused.value), KeyNotThere)
    keys.note_found(session, key, lender=cast.town.id)
    hand_over(session, other, **by_olga(cast), at=NEXT_WEEK, keys=[key])
    with pytest.raises(KeyNotThere):
        take_back(session, other, **by_olga(cast), at=DURING, keys=["not-a-key"])


# How many came


def test_how_many_came_is_noted_once_by_either_side(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, lent.hall, people=60))
    id_ = seen(session, cast, token).id
    with pytest.raises(NotBegun):
        count_people(session, id_, 55, by=cast.alice.by, at=NOON)
    count_people(session, id_, 55, by=cast.alice.by, at=ENDS)
    found = seen(session, cast, token)
    assert found.attendance is not None
    assert (found.people, found.attendance.people, found.attendance.by_party) == (60, 55, cast.alice.party.id)
    with pytest.raises(AlreadyAnswered):
        count_people(session, id_, 54, by=cast.olga.by, at=ENDS)


def test_nobody_is_counted_at_what_was_cancelled(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, lent.hall))
    operations.cancel(session, token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    with pytest.raises(WrongState):
        count_people(session, seen(session, cast, token).id, 5, by=cast.alice.by, at=ENDS)


# Pictures


def test_twelve_pictures_and_no_more(session: Session, cast: Cast, lent: Lent) -> None:
    id_ = seen(session, cast, for_drill(session, cast, lent)).id
    picture = drawn(PHOTO)
    made = [inventory.add_picture(session, id_, picture, moment="out", words="Vue", by=cast.olga.by, at=NOON)
            for _number in range(12)]  # fmt: skip
    with pytest.raises(PicturesFull):
        inventory.add_picture(session, id_, picture, moment="back", words="Vue", by=cast.olga.by, at=NOON)
    inventory.remove_picture(session, made[3].token, booking=id_)
    with pytest.raises(NotFound):
        inventory.remove_picture(session, made[3].token, booking=id_)
    again = inventory.add_picture(session, id_, picture, moment="back", words="Vue", by=cast.olga.by, at=NOON)
    assert again.position == 4


# Pages


def test_the_officer_counts_on_her_telephone_and_alice_reads_it(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    key = badge(session, cast)
    token = accepted(session, cast, wanting(cast.alice.party.id, lent.hall, (lent.chairs, 5)))
    desk, chairs, hall = f"/preteurs/{cast.town.token}/reservations/{token}", lent.chairs.token, lent.hall.token
    with freeze_time(DURING):
        olga = sign_in(client, cast.olga)
        assert 'value="5"' in olga.get(f"{desk}/remise").text
        many = olga.post(f"{desk}/remise", data={f"out_{hall}": "y", f"out_{chairs}": "6"})
        assert many.status_code == 422
        assert "Il n’y en a que 5 de réservés." in many.text
        assert f'href="#out_{chairs}"' in many.text
        good = {f"out_{hall}": "y", f"out_{chairs}": "4", f"note_{chairs}": "Une rayée", "other_keys": key}
        assert olga.post(f"{desk}/remise", data=good).status_code == 303
        assert olga.post(f"{desk}/remise", data=good).status_code == 409
        over = olga.post(f"{desk}/retour", data={f"back_{hall}": "still", f"back_{chairs}": "4", f"lost_{chairs}": "1"})
        assert over.status_code == 409
        assert "Il n’en reste que 4 à rendre." in over.text
        part = {f"back_{hall}": "back", f"back_{chairs}": "2", f"broken_{chairs}": "1", "people": "48"}
        assert olga.post(f"{desk}/retour", data=part).status_code == 303
        alice = sign_in(client.application.test_client(), cast.alice)
        mine = alice.get(f"/reservations/{token}").text
        for page in (mine, olga.get(desk).text):
            assert "4 sortis sur 5 réservés" in page
            assert "2 rendus, 1 abîmé" in page
            assert "1 encore sorti" in page
            assert "Une rayée" in page
            assert "Badge 12" in page
            assert "Personnes venues\u00a0: 48." in page
        last = {f"lost_{chairs}": "1", f"back_{chairs}": "0", "keys": key}
        assert olga.post(f"{desk}/retour", data=last).status_code == 303
        assert "Rendu" in alice.get(f"/reservations/{token}").text
    subjects = session.scalars(text("SELECT subject FROM outbox WHERE subject LIKE 'Retour noté%'")).all()
    assert subjects == ["Retour noté\u00a0: Salle des fêtes"] * 2


@pytest.mark.parametrize("wrong", ["-1", "1,5", "deux", "9999999999"])
def test_a_number_that_is_none_is_said_beside_its_field(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, wrong: str
) -> None:
    token = chairs_out(session, cast, lent)
    with freeze_time(DURING):
        olga = sign_in(client, cast.olga)
        answer = olga.post(f"/preteurs/{cast.town.token}/reservations/{token}/retour",
                           data={f"back_{lent.chairs.token}": wrong})  # fmt: skip
    assert answer.status_code == 422
    assert f'href="#back_{lent.chairs.token}"' in answer.text
    assert seen(session, cast, token).items[0].still_out == 5


def test_a_label_leads_its_officer_to_what_is_out(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = for_drill(session, cast, lent)
    page = f"/salles/{lent.drill.token}"
    with freeze_time(NEXT_WEEK):
        olga, alice = sign_in(client, cast.olga), sign_in(client.application.test_client(), cast.alice)
        assert f"reservations/{token}/remise" in olga.get(page).text
        hand_over(session, token, **by_olga(cast), at=NEXT_WEEK)
        assert f"reservations/{token}/retour" in olga.get(page).text
        assert "Pour vous, qui le prêtez" not in alice.get(page).text
        take_back(session, token, **by_olga(cast), at=NEXT_WEEK)
        assert "Rien n’est sorti, et rien ne part aujourd’hui." in olga.get(page).text


def test_pictures_of_an_inventory_are_for_its_two_sides(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    id_ = seen(session, cast, for_drill(session, cast, lent)).id
    picture = inventory.add_picture(session, id_, drawn(PHOTO), moment="out", words="La mèche", by=cast.olga.by,
                                    at=NOON).token  # fmt: skip
    address = f"/etats-des-lieux/{picture}/petite"
    with freeze_time(NOON):
        said = {}
        for name in ("alice", "olga", "bruno"):
            browser = sign_in(client.application.test_client(), getattr(cast, name))
            answer = browser.get(address)
            said[name] = answer.status_code, answer.headers.get("Cache-Control", "")
    assert {name: status for name, (status, _kept) in said.items()} == {"alice": 200, "olga": 200, "bruno": 404}
    assert "public" not in said["alice"][1]
