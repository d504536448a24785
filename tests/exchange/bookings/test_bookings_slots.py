"""What is lent in slots: half-days, whole days, evenings."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import ask
from exchange.bookings.policy import instant
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import policy, queries
from exchange.catalogue.policy import NotSlots, slots_around, slots_of, slots_typed
from exchange.catalogue.queries import ResourceView
from exchange.errors import NotASlot
from tests.cast import NOON, Cast, sign_in
from tests.lent import Lent

PARIS = "Europe/Paris"
SATURDAY = date(2026, 11, 28)
HALVES = "08:00-13:00,13:00-18:00,18:00-24:00"


def given(session: Session, cast: Cast, it: ResourceView, slots: str) -> ResourceView:
    """Olga lends it in these slots."""
    row = queries.row_of(session, it.lender_id, it.token)
    assert row is not None
    catalogue.edit(session, row, {"slots": slots}, by=cast.olga.by, at=NOON)
    return it._replace(slots=slots)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("8h-13h, 13h-18h, 18h-minuit", HALVES),
        ("de 8h à 12h et de 13h30 à 18h", "08:00-12:00,13:30-18:00"),
        ("8:00-12:00;14:00-18:00", "08:00-12:00,14:00-18:00"),
        ("0h-24h", policy.WHOLE_DAY),
        ("8 h 30 – 12 h", "08:30-12:00"),
    ],
)
def test_slots_are_understood_as_people_write_them(typed: str, kept: str) -> None:
    assert slots_typed(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "unreadable"), ("le matin", "unreadable"), ("8h-25h", "unreadable"), ("8h-12h30h", "unreadable"),
        ("8h-24h30", "unreadable"), ("8h", "unreadable"), (",".join(f"{n}h-{n + 1}h" for n in range(13)), "unreadable"),
        ("12h-8h", "order"), ("8h-13h, 12h-18h", "order"), ("14h-18h, 8h-12h", "order"), ("8h-8h", "order"),
    ],
)  # fmt: skip
def test_what_makes_no_slots_says_why(typed: str, why: str) -> None:
    with pytest.raises(NotSlots) as wrong:
        slots_typed(typed)
    assert wrong.value.why == why


@pytest.mark.parametrize(
    ("starts", "ends", "around"),
    [
        ((28, 9), (28, 11), ((28, 8), (28, 13))),
        ((28, 9), (28, 14), ((28, 8), (28, 18))),
        ((28, 18), (28, 23), ((28, 18), (29, 0))),
        ((28, 18), (29, 0), ((28, 18), (29, 0))),
        ((28, 20), (29, 10), ((28, 18), (29, 13))),
        ((28, 7), (28, 9), None),
    ],
)
def test_the_slots_around_a_span_are_whole(
    starts: tuple[int, int], ends: tuple[int, int], around: tuple[tuple[int, int], tuple[int, int]] | None
) -> None:
    def at(when: tuple[int, int]) -> datetime:
        return instant(date(2026, 11, when[0]), time(when[1]), PARIS)

    found = slots_around(slots_of(HALVES), at(starts), at(ends))
    assert found == (around and (at(around[0]), at(around[1])))


def wants(cast: Cast, wanted: tuple[Wanted, ...], starts: int, ends: int) -> Request:
    """Alice asks for it next Saturday."""
    last = SATURDAY.replace(day=29) if ends == 24 else SATURDAY
    return Request(cast.alice.party.id, wanted, instant(SATURDAY, time(starts), PARIS),
                   instant(last, time(ends % 24), PARIS), "Goûter")  # fmt: skip


@pytest.mark.parametrize(("starts", "ends"), [(8, 13), (8, 18), (13, 24), (18, 24)])
def test_whole_slots_are_lent(session: Session, cast: Cast, lent: Lent, starts: int, ends: int) -> None:
    half = given(session, cast, lent.half, HALVES)
    ask(session, wants(cast, (Wanted(half),), starts, ends), zone=PARIS, by=cast.alice.by, at=NOON)


@pytest.mark.parametrize(("starts", "ends"), [(9, 13), (8, 12), (8, 14), (12, 18)])
def test_a_piece_of_a_slot_is_not(session: Session, cast: Cast, lent: Lent, starts: int, ends: int) -> None:
    half = given(session, cast, lent.half, HALVES)
    with pytest.raises(NotASlot) as refused:
        ask(session, wants(cast, (Wanted(half),), starts, ends), zone=PARIS, by=cast.alice.by, at=NOON)
    assert refused.value.facts == {"slots": HALVES, "name": "Demi-salle sud"}


def test_what_comes_beside_keeps_the_hours_of_the_room(session: Session, cast: Cast, lent: Lent) -> None:
    drill, chairs = (given(session, cast, it, policy.WHOLE_DAY) for it in (lent.drill, lent.chairs))
    both = (Wanted(lent.half), Wanted(drill), Wanted(chairs, 2))
    ask(session, wants(cast, both, 14, 16), zone=PARIS, by=cast.alice.by, at=NOON)
    rooms = (Wanted(lent.other_half), Wanted(given(session, cast, lent.half, HALVES)))
    with pytest.raises(NotASlot):
        ask(session, wants(cast, rooms, 14, 16), zone=PARIS, by=cast.alice.by, at=NOON)


def asks(cast: Cast, **said: str) -> dict[str, Any]:
    return {"party": cast.alice.party.token, "day": "2026-11-28", "purpose": "Goûter", "key": "one", **said}


def test_hours_are_chosen_among_those_of_the_slots(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    given(session, cast, lent.half, HALVES)
    address = f"/salles/{lent.half.token}"
    with freeze_time(NOON):
        alice = sign_in(app.test_client(), cast.alice)
        form = alice.get(f"{address}/reserver?jour=2026-11-28&de=14:00&a=16:00").text
        assert '<option selected value="13:00">13\u00a0h</option>' in form
        assert '<option selected value="18:00">18\u00a0h</option>' in form
        assert '<option value="00:00">24\u00a0h</option>' in form
        odd = alice.post(f"{address}/verification", data=asks(cast, starts="14:00", ends="18:00"))
        assert odd.status_code == 422
        assert "Choisissez une heure de la liste." in odd.text
        evening = alice.post(f"{address}/verification", data=asks(cast, starts="18:00", ends="00:00")).text
        assert "de 18\u00a0h à 24\u00a0h" in evening
        assert alice.post(f"{address}/reservations", data=asks(cast, starts="18:00", ends="00:00")).status_code == 303


def test_by_the_day_only_the_days_are_asked(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    given(session, cast, lent.drill, policy.WHOLE_DAY)
    address = f"/salles/{lent.drill.token}"
    with freeze_time(NOON):
        alice = sign_in(app.test_client(), cast.alice)
        form = alice.get(f"{address}/reserver").text
        assert 'name="starts"' not in form
        assert "se prête à la journée" in form
        checked = alice.post(f"{address}/verification", data=asks(cast, end_day="2026-11-29")).text
        assert "du samedi 28 novembre 2026 à 0\u00a0h au dimanche 29 novembre 2026 à 24\u00a0h" in checked
        weekly = asks(cast, every="week", until="2026-12-19")
        days = alice.post(f"{address}/serie/dates", data=weekly)
        assert days.status_code == 200
        assert days.text.count('name="days"') == 4


def test_the_week_shows_slots_and_a_search_finds_the_one_around(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    given(session, cast, lent.half, HALVES)
    with freeze_time(NOON):
        page = app.test_client().get(f"/salles/{lent.half.token}?semaine=2026-11-28").text
        assert "8\u00a0h – 13\u00a0h" in page
        assert "?jour=2026-11-28&amp;de=18:00&amp;a=00:00" in page
        assert "Par créneaux\u00a0: de 8\u00a0h à 13\u00a0h, de 13\u00a0h à 18\u00a0h, de 18\u00a0h à 24\u00a0h" in page
        search = "/salles?day=2026-11-28&starts=14:00&ends=16:00"
        assert "Demi-salle sud" in app.test_client().get(search).text.partition("pris ou fermé")[0]
    ask(session, wants(cast, (Wanted(lent.half),), 17, 20), zone=PARIS, by=cast.alice.by, at=NOON)
    with freeze_time(NOON):  # the hall is taken, and so is the slot of which somebody has an hour
        free = app.test_client().get(search).text.partition("pris ou fermé")[0]
    assert "Demi-salle sud" not in free


def test_midnight_ends_the_evening(app: Flask, cast: Cast, lent: Lent) -> None:
    with freeze_time(NOON):
        alice = sign_in(app.test_client(), cast.alice)
        said = asks(cast, starts="20:00", ends="00:00")
        checked = alice.post(f"/salles/{lent.half.token}/verification", data=said).text
    assert "samedi 28 novembre 2026, de 20\u00a0h à 24\u00a0h" in checked
