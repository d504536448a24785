"""The pages of lending, as each person meets them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange.bookings.office import PAGE
from exchange.bookings.operations import accept, ask, decline
from exchange.bookings.queries import to_decide
from exchange.catalogue.queries import ResourceView
from exchange.members.models import Party
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

PARIS = "Europe/Paris"


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def form(lent: Lent, cast: Cast, **more: str) -> dict[str, str]:
    return {
        "party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00", "purpose": "Fête",
        "people": "60", "key": "one-form", **more,
    }  # fmt: skip


def asked(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM bookings")).scalar_one())


def test_a_visitor_finds_what_is_free_on_saturday_afternoon_for_sixty(client: FlaskClient, lent: Lent) -> None:
    page = client.get("/salles?day=2026-11-28&starts=14:00&ends=18:00&people=61").text
    assert "Salle des fêtes" in page
    assert "Demi-salle" not in page
    assert "Dojo" not in page


def test_what_somebody_has_is_no_longer_free(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    starts = NOON + timedelta(days=7, hours=2)
    ask(session, wanting(cast.alice.party.id, lent.half, starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    page = client.get("/salles?day=2026-11-28&starts=14:00&ends=18:00").text
    free, _taken, others = page.partition("pris ou fermé")
    assert "Demi-salle nord" in free
    assert "Salle des fêtes" not in free
    assert "Salle des fêtes" in others


def test_a_day_without_hours_shows_what_is_left_of_it(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    starts = NOON + timedelta(days=7, hours=2)
    ask(session, wanting(cast.alice.party.id, lent.half, starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    ask(session, wanting(cast.alice.party.id, (lent.chairs, 5), starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    given = text("UPDATE resources SET least_minutes = :least, buffer_minutes = 30 WHERE id = :id")
    session.execute(given, {"least": 60, "id": lent.half.id})
    page = unescape(client.get("/salles?day=2026-11-28").text)
    assert "— samedi 28 novembre 2026" in page
    cards = {name: page.partition(f">{name}<")[2].partition("</article>")[0] for name in (
        "Demi-salle sud", "Demi-salle nord", "Chaises pliantes")}  # fmt: skip
    assert "Libre de 8\u00a0h à 13\u00a0h\u00a030, de 18\u00a0h à 22\u00a0h" in cards["Demi-salle sud"]
    assert "Libre de 8\u00a0h à 22\u00a0h" in cards["Demi-salle nord"]
    assert "Libre de 8\u00a0h à 14\u00a0h, de 18\u00a0h à 22\u00a0h" in cards["Chaises pliantes"]
    session.execute(given, {"least": 6 * 60, "id": lent.half.id})
    free, _taken, others = unescape(client.get("/salles?day=2026-11-28").text).partition("pris ou fermé")
    assert "Demi-salle sud" not in free, "what is left is shorter than it is lent"
    assert "Demi-salle sud" in others


def test_of_today_only_what_is_to_come_is_left(client: FlaskClient, lent: Lent) -> None:
    page = unescape(client.get("/salles?day=2026-11-21").text)
    assert "Libre de 12\u00a0h à 22\u00a0h" in page
    assert client.get("/salles?day=2026-11-20").status_code == 422


def test_when_nothing_is_free_the_nearest_hours_and_other_rooms_are_shown(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    starts = NOON + timedelta(days=7, hours=2)  # until six in the evening in Paris
    ask(session, wanting(cast.alice.party.id, lent.hall, starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    page = unescape(client.get("/salles?q=fêtes&day=2026-11-28&starts=15:00&ends=19:00").text)
    assert "Rien n’est libre à ce moment-là" in page
    near, _h3, elsewhere = page.partition("Libre à un autre moment")[2].partition("Libre ailleurs")
    assert "samedi 28 novembre 2026, de 18\u00a0h à 22\u00a0h" in near, "when it is free again"
    href = re.findall(r'href="(/salles/[^"]+/reserver[^"]+)"', near)[0]
    assert "jour=2026-11-28&de=18:00&a=22:00" in href.replace("%3A", ":")
    assert "Dojo" in elsewhere
    assert "Demi-salle" not in elsewhere, "taken with the hall"
    form = sign_in(client, cast.alice).get(href).text
    assert 'value="22:00"' in form
    free = wanting(cast.bruno.party.id, lent.hall, starts=starts + timedelta(hours=4))
    assert ask(session, free, zone=PARIS, by=cast.bruno.by, at=NOON)


def test_hours_that_are_proposed_obey_the_lenders_terms(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    starts = NOON + timedelta(days=7, hours=2)
    ask(session, wanting(cast.alice.party.id, lent.hall, starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    session.execute(text("UPDATE resources SET ahead_days = 6 WHERE id = :hall"), {"hall": lent.hall.id})
    page = unescape(client.get("/salles?q=fêtes&day=2026-11-28&starts=15:00&ends=19:00").text)
    near = page.partition("Libre à un autre moment")[2].partition("Libre ailleurs")[0]
    assert "jeudi 26 novembre 2026, de 15\u00a0h à 19\u00a0h" in near, "no later than six days ahead"


def test_a_visitor_who_asks_is_sent_to_sign_in_and_comes_back(client: FlaskClient, lent: Lent) -> None:
    answer = client.get(f"/salles/{lent.hall.token}/reserver?jour=2026-11-28")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/connexion?next=")


def test_a_visitor_reads_who_can_borrow_before_and_at_the_door(client: FlaskClient, cast: Cast, lent: Lent) -> None:
    room = client.get(f"/salles/{lent.hall.token}?jour=2026-11-28").text
    assert "Pour réserver, il faut un identifiant" in room
    assert f"/connexion?next=/salles/{lent.hall.token}/reserver?jour%3D2026-11-28" in unquote_slashes(room)
    door = client.get(client.get(f"/salles/{lent.hall.token}/reserver").location).text
    for page in (room, door):
        assert 'href="/rejoindre">Demandez à rejoindre' in page
    assert "Demandez à rejoindre" not in client.get("/connexion?next=/moi").text
    member = sign_in(client, cast.alice).get(f"/salles/{lent.hall.token}").text
    assert "Pour réserver, il faut un identifiant" not in member


def unquote_slashes(page: str) -> str:
    """The page with the slashes and question marks of its addresses as one reads them."""
    return page.replace("%2F", "/").replace("%3F", "?")


def test_the_two_lists_of_requests_have_each_their_title(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    booked(session, cast, lent)
    page = sign_in(client, cast.olga).get(f"/preteurs/{cast.town.token}/demandes").text
    assert "<title>Demandes de réservation –" in page
    assert "Alice\u00a0:" in page
    assert "<table" not in page
    sel = session.get_one(Party, cast.community.party_id).token
    other = sign_in(client.application.test_client(), cast.aicha).get(f"/administration/{sel}/demandes").text
    assert "<title>Demandes d’adhésion –" in other


def test_what_was_decided_leaves_what_waits_for_a_page_of_its_own(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    waiting = f"/preteurs/{cast.town.token}/demandes"
    made = []
    for _again in range(PAGE + 1):
        refuse_all(session, cast)
        made.append(booked(session, cast, lent))
    sign_in(client, cast.olga)
    assert made[-1] in client.get(waiting).text
    refuse_all(session, cast)
    assert made[-1] not in client.get(waiting).text
    newest = client.get(f"{waiting}/decidees").text
    assert (made[-1] in newest, made[0] in newest) == (True, False)
    older = client.get(unescape(re.findall(r'href="([^"]+avant=\d+)"', newest)[0])).text
    assert (made[-1] in older, made[0] in older) == (False, True)


def refuse_all(session: Session, cast: Cast) -> None:
    """Olga refuses what waits, so that the hall is free again."""
    for waiting in to_decide(session, cast.town.id, at=NOON):
        decline(session, waiting.token, lender=cast.town.id, ground="order", text="", by=cast.olga.by, at=NOON)


def test_alice_checks_then_asks_and_a_second_click_finds_the_first(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    sign_in(client, cast.alice)
    path = f"/salles/{lent.hall.token}"
    check = client.post(f"{path}/verification", data=form(lent, cast))
    assert check.status_code == 200
    assert "samedi 28 novembre 2026" in check.text
    assert asked(session) == 0
    first = client.post(f"{path}/reservations", data=form(lent, cast))
    second = client.post(f"{path}/reservations", data=form(lent, cast))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert asked(session) == 1
    other = client.post(f"{path}/reservations", data=form(lent, cast, ends="19:00"))
    assert other.status_code == 409
    assert first.headers["Location"] in other.text


def test_what_was_typed_is_kept_and_explained(client: FlaskClient, cast: Cast, lent: Lent, session: Session) -> None:
    sign_in(client, cast.alice)
    wrong = {"day": "31/02/2026", "starts": "25h", "ends": "", "people": "beaucoup", "purpose": "\x00"}
    answer = client.post(f"/salles/{lent.hall.token}/reservations", data=form(lent, cast, **wrong))
    assert answer.status_code == 422
    for kept in ("31/02/2026", "25h", "beaucoup"):
        assert kept in answer.text
    assert asked(session) == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ends": "13:00"}, "La fin doit venir après le début"),
        ({"day": "2026-11-20"}, "Ce moment est déjà passé"),
        ({"people": "121"}, "reçoit 120 personnes au plus"),
        ({"day": "2027-03-28", "starts": "02:30"}, "n’existe pas"),
        ({"day": "2029-01-01"}, "trop lointain"),
        ({"people": "-3"}, "entre 1 et 100"),
        ({"party": "somebody-else"}, "au nom de qui"),
    ],
)
def test_each_refusal_says_which_rule(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, wrong: dict[str, str], sentence: str
) -> None:
    sign_in(client, cast.alice)
    for step in ("verification", "reservations"):
        answer = client.post(f"/salles/{lent.hall.token}/{step}", data=form(lent, cast, **wrong))
        assert answer.status_code == 422
        assert sentence in answer.text.replace("&#39;", "'")
    assert asked(session) == 0


def test_nobody_asks_in_anothers_name(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    sign_in(client, cast.bruno)
    answer = client.post(f"/salles/{lent.hall.token}/reservations", data=form(lent, cast))
    assert answer.status_code == 422
    assert asked(session) == 0


def test_bruno_asks_for_the_club_with_five_chairs(client: FlaskClient, cast: Cast, lent: Lent) -> None:
    sign_in(client, cast.bruno)
    assert f'name="with_{lent.chairs.token}"' in client.get(f"/salles/{lent.hall.token}/reserver").text
    data = form(lent, cast, party=cast.club.token, **{f"with_{lent.chairs.token}": "5"})
    answer = client.post(f"/salles/{lent.hall.token}/reservations", data=data)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).text
    assert "5 × Chaises pliantes" in page
    assert "Club de gymnastique" in page


def refused_of(answer: TestResponse, field: str) -> str:
    """What stands beside a field of a refused form, to which the summary leads too."""
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text.partition('class="error-summary"')[2].partition("</div>")[0]
    return answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0].rpartition("</span>")[2]


STEPS = pytest.mark.parametrize("step", ["verification", "reservations"])


@STEPS
def test_more_chairs_than_there_are_is_said_beside_the_chairs(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, step: str
) -> None:
    sign_in(client, cast.alice)
    name = f"with_{lent.chairs.token}"
    answer = client.post(f"/salles/{lent.hall.token}/{step}", data=form(lent, cast, **{name: "500"}))
    assert refused_of(answer, name).startswith("Il n’en reste que 5 à ce moment-là.")
    assert 'value="500"' in answer.text
    assert asked(session) == 0


@STEPS
def test_chairs_that_bruno_has_at_that_time_are_promised_to_nobody_else(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, step: str
) -> None:
    has(session, cast, (lent.chairs, 3))
    sign_in(client, cast.alice)
    path = f"/salles/{lent.chairs.token}/{step}"
    answer = client.post(path, data=form(lent, cast, quantity="3"))
    assert refused_of(answer, "quantity").startswith("Il n’en reste que 2 à ce moment-là. Demandez-en moins")
    has(session, cast, (lent.chairs, 2))
    none = refused_of(client.post(path, data=form(lent, cast, quantity="1")), "quantity")
    assert none == "Il n’en reste plus à ce moment-là. Choisissez un autre moment."
    assert client.post(path, data=form(lent, cast, quantity="3", day="2026-11-29")).status_code in {200, 303}


@STEPS
def test_the_time_to_put_things_back_in_order_counts_before_who_comes_next(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent, step: str
) -> None:
    session.execute(text("UPDATE resources SET buffer_minutes = 30"))
    has(session, cast, lent.half, (lent.chairs, 5), hours=6)
    sign_in(client, cast.alice)
    for resource, more in ((lent.hall, {}), (lent.chairs, {"quantity": "1"})):
        path = f"/salles/{resource.token}/{step}"
        late = client.post(path, data=form(lent, cast, ends="17:45", **more))
        assert late.status_code == 422
        assert ("est déjà pris" in late.text) or ("Il n’en reste plus" in late.text)
        soon = form(lent, cast, ends="17:30", key=f"soon-{resource.kind}", **more)
        assert client.post(path, data=soon).status_code in {200, 303}


def test_a_search_counts_the_time_to_put_a_room_back_in_order(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    session.execute(text("UPDATE resources SET buffer_minutes = 30"))
    has(session, cast, lent.half, hours=6)
    found = {ends: client.get(f"/salles?day=2026-11-28&starts=14:00&ends={ends}").text for ends in ("17:45", "17:30")}
    free = {ends: page.partition("pris ou fermé")[0] for ends, page in found.items()}
    assert lent.hall.name in free["17:30"]
    assert lent.hall.name not in free["17:45"]


def has(session: Session, cast: Cast, *wanted: ResourceView | tuple[ResourceView, int], hours: int = 2) -> None:
    """Bruno asked for it for that Saturday, from so many hours after noon."""
    request = wanting(cast.bruno.party.id, *wanted, starts=NOON + timedelta(days=7, hours=hours))
    ask(session, request, zone=PARIS, by=cast.bruno.by, at=NOON)


def test_who_may_not_is_told_why_before_asking(client: FlaskClient, cast: Cast, lent: Lent) -> None:
    sign_in(client, cast.zoe)
    data = form(lent, cast, party=cast.zoe.party.token, people="20")
    answer = client.post(f"/salles/{lent.dojo.token}/verification", data=data)
    assert answer.status_code == 200
    assert "il faut un compte dans la communauté" in answer.text
    assert "Confirmer" not in answer.text


def booked(session: Session, cast: Cast, lent: Lent) -> str:
    return ask(session, wanting(cast.alice.party.id, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON).token


def test_the_same_is_asked_for_again_on_another_day(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    request = wanting(cast.alice.party.id, lent.hall, people=40)._replace(purpose="Loto de la chorale & goûter")
    token = ask(session, request, zone=PARIS, by=cast.alice.by, at=NOON).token
    sign_in(client, cast.alice)
    page = client.get(f"/reservations/{token}").text
    href = unescape(re.findall(r'href="([^"]+)">Demander la même chose', page)[0])
    form = client.get(href).text
    for kept in ('value="12:00"', 'value="16:00"', 'value="40"', 'value="Loto de la chorale &amp; goûter"'):
        assert kept in form
    session.execute(text("UPDATE resources SET retired_at = now() WHERE id = :hall"), {"hall": lent.hall.id})
    assert "Demander la même chose" not in client.get(f"/reservations/{token}").text


def test_a_booking_is_found_by_who_asked_and_by_the_lender_only(
    app: object, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = booked(session, cast, lent)
    sign_in(client, cast.alice)
    assert client.get(f"/reservations/{token}").status_code == 200
    stranger = sign_in(client.application.test_client(), cast.chloe)
    assert stranger.get(f"/reservations/{token}").status_code == 404
    assert stranger.post(f"/reservations/{token}/annulation", data={}).status_code == 404
    desk = f"/preteurs/{cast.town.token}/reservations/{token}"
    assert stranger.get(desk).status_code == 403
    for act in ("acceptation", "refus", "remise", "retour"):
        assert stranger.post(f"{desk}/{act}", data={}).status_code == 403
    olga = sign_in(client.application.test_client(), cast.olga)
    assert olga.get(desk).status_code == 200
    assert olga.get(f"/preteurs/{cast.club.token}/reservations/{token}").status_code == 403
    bruno = sign_in(client.application.test_client(), cast.bruno)
    assert bruno.get(desk).status_code == 403


def test_the_officer_reads_no_balance(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    token = booked(session, cast, lent)
    olga = sign_in(client, cast.olga)
    page = olga.get(f"/preteurs/{cast.town.token}/reservations/{token}").text
    assert "alice@example.org" in page
    assert "solde" in page  # "condition met", in words
    assert "marrons" not in page


def test_the_officer_accepts_once_and_is_told_the_second_time(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = booked(session, cast, lent)
    olga = sign_in(client, cast.olga)
    desk = f"/preteurs/{cast.town.token}/reservations/{token}"
    assert olga.post(f"{desk}/acceptation").status_code == 303
    again = olga.post(f"{desk}/acceptation")
    assert again.status_code == 409
    assert olga.post(f"{desk}/refus", data={"ground": "order", "text": "Trop tard"}).status_code == 409
    assert olga.post(f"{desk}/remise", data={}).status_code == 303
    assert olga.post(f"{desk}/retour", data={"remarks": "Propre"}).status_code == 303


def test_a_refusal_without_a_ground_is_asked_for_one(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = booked(session, cast, lent)
    olga = sign_in(client, cast.olga)
    desk = f"/preteurs/{cast.town.token}/reservations/{token}"
    answer = olga.post(f"{desk}/refus", data={"ground": "because", "text": "Non"})
    assert answer.status_code == 422
    assert "Non" in answer.text
    assert olga.post(f"{desk}/refus", data={"ground": "services", "text": "Vaccination ce jour-là"}).status_code == 303


def test_remarks_that_are_too_long_are_named_first_thing_and_lead_to_their_field(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = booked(session, cast, lent)
    olga = sign_in(client, cast.olga)
    desk = f"/preteurs/{cast.town.token}/reservations/{token}"
    olga.post(f"{desk}/acceptation")
    for act in ("remise", "absence", "retour"):
        if act == "retour":
            olga.post(f"{desk}/remise", data={})
        answer = olga.post(f"{desk}/{act}", data={"remarks": "a" * 2001})
        assert answer.status_code == 422
        assert "<title>Erreur\u00a0: " in answer.text
        summary = answer.text.partition('class="error-summary"')[2].partition("</div>")[0]
        assert '<a href="#remarks">2000 caractères au plus.</a>' in summary
        assert 'id="remarks"' in answer.text


def test_the_letters_tell_both_sides(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    sign_in(client, cast.alice)
    client.post(f"/salles/{lent.hall.token}/reservations", data=form(lent, cast))
    olga = sign_in(client.application.test_client(), cast.olga)
    token = session.execute(text("SELECT token FROM bookings")).scalar_one()
    olga.post(f"/preteurs/{cast.town.token}/reservations/{token}/refus", data={"ground": "services", "text": "Vote"})
    letters = session.execute(text("SELECT recipient, body FROM outbox ORDER BY id")).all()
    assert [letter.recipient for letter in letters] == ["olga@example.org", "alice@example.org"]
    assert "Fonctionnement des services" in letters[1].body
    assert "tribunal administratif dans les deux mois" in letters[1].body


def test_a_letter_of_what_was_cancelled_leads_to_it(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    sign_in(client, cast.alice)
    client.post(f"/salles/{lent.hall.token}/reservations", data=form(lent, cast))
    token = session.execute(text("SELECT token FROM bookings")).scalar_one()
    client.post(f"/reservations/{token}/annulation", data={"remarks": "Reportée"})
    body = session.execute(text("SELECT body FROM outbox ORDER BY id DESC LIMIT 1")).scalar_one()
    path = f"/preteurs/{cast.town.token}/reservations/{token}"
    assert f"https://localhost{path}" in body
    assert sign_in(client.application.test_client(), cast.olga).get(path).status_code == 200


def test_who_books_for_somebody_reads_whose_minutes_are_set_aside(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for who, whose, said in (
        (cast.alice, cast.alice.party, "votre compte met de côté"), (cast.bruno, cast.club, "sur le compte de Club"),
    ):  # fmt: skip
        page = sign_in(client.application.test_client(), who).post(
            f"/salles/{lent.dojo.token}/verification", data=form(lent, cast, party=whose.token, people="20")
        )
        assert (page.status_code, said in page.text) == (200, True)


def test_an_unknown_room_or_a_wild_address_is_no_fault_of_ours(client: FlaskClient, lent: Lent) -> None:
    for path in ("/salles/nope", "/salles/%00", "/salles/nope/reserver", "/reservations/x", "/preteurs/x/demandes"):
        assert client.get(path).status_code in {303, 404}
    for query in ("day=x", "people=99999999999", "starts=99", "q=%00", "semaine=9999-12-31", "q=%F0%9F%8E%89"):
        assert client.get(f"/salles?{query}").status_code in {200, 422}
        assert client.get(f"/salles/{lent.hall.token}?{query}").status_code == 200


def test_accepting_needs_the_rules_to_hold_still(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.dojo), zone=PARIS, by=cast.alice.by, at=NOON)
    accept(session, booking.token, lender=cast.club.id, by=cast.delegate, at=NOON)
    sign_in(client, cast.alice)
    page = client.get(f"/reservations/{booking.token}").text
    assert "120\u00a0marrons (2\u00a0h)" in page
    answer = client.post(f"/reservations/{booking.token}/annulation", data={"remarks": "Reporté"})
    assert answer.status_code == 303
    assert "Annulé" in client.get(f"/reservations/{booking.token}").text
