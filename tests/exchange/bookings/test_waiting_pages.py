"""Options and waiting lists as people meet them, and the letters that the worker writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange import tasks
from exchange.bookings import queries, waiting
from exchange.bookings.operations import ask, cancel
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK
from tests.exchange.bookings.holding import DAY, PARIS, join, outcome, take, wish, with_options
from tests.exchange.bookings.test_bookings_offered import spend_all
from tests.lent import Lent

NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def lent(session: Session, lent: Lent) -> Lent:
    return with_options(session, lent)


def form(person: Person, **more: str) -> dict[str, str]:
    """Next Saturday, from noon to four in Paris."""
    return {
        "party": person.party.token, "day": "2026-11-28", "starts": "12:00", "ends": "16:00", "purpose": "Loto",
        "people": "40", "key": "one-form", **more,
    }  # fmt: skip


def send(client: FlaskClient, it: ResourceView, page: str, person: Person, **more: str) -> TestResponse:
    return sign_in(client, person).post(f"/salles/{it.token}/{page}", data=form(person, **more))


def letters(session: Session) -> list[tuple[str, str]]:
    """Who was written what; then they are forgotten."""
    rows = session.execute(text("DELETE FROM outbox RETURNING recipient, subject, id"))
    return [(row[0], row[1]) for row in sorted(rows, key=lambda row: row[2])]


def night(session: Session, at: datetime) -> list[tuple[str, str]]:
    """The worker comes, twice; what it wrote."""
    session.commit()
    with freeze_time(at):
        tasks.follow_waiting(0)
        tasks.follow_waiting(1)
    return letters(session)


def test_who_checks_a_request_may_take_an_option_instead(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    page = unescape(send(client, lent.hall, "verification", cast.alice).text)
    assert f"Une option garde le créneau jusqu’au jeudi 26 novembre 2026 à 12{NBSP}h" in page
    assert f"/salles/{lent.hall.token}/options" in page
    first, second = (send(client, lent.hall, "options", cast.alice) for _twice in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    shown = unescape(client.get(first.headers["Location"]).text)
    assert f"Option jusqu’au jeudi 26 novembre 2026 à 12{NBSP}h" in shown
    assert all(word in shown for word in ("Confirmer", "Renoncer"))
    assert "Je n’en ai plus besoin" not in shown
    confirmed = client.post(f"{first.headers['Location']}/confirmation", follow_redirects=True)
    assert "En attente de décision" in confirmed.text
    assert letters(session) == [("olga@example.org", "Demande d’Alice : Salle des fêtes".replace(" :", f"{NBSP}:"))]


def test_where_nothing_is_held_so_no_option_is_offered(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    session.execute(text("UPDATE resources SET option_days = NULL"))
    assert "Prendre une option" not in send(client, lent.hall, "verification", cast.alice).text
    answer = send(client, lent.hall, "options", cast.alice)
    assert answer.status_code == 422
    assert "ne se prend pas en option" in unescape(answer.text)


def test_given_up_it_is_free(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    option = take(session, cast.alice, lent.hall)
    page = sign_in(client, cast.alice).post(f"/reservations/{option.token}/renoncement", follow_redirects=True)
    assert "Annulé" in page.text
    assert client.post(f"/reservations/{option.token}/confirmation").status_code == 409


def test_who_comes_too_late_is_told_and_waits_with_one_button(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    option = take(session, cast.alice, lent.hall, at=NOON)
    page = unescape(send(client, lent.half, "verification", cast.bruno).text)
    assert f"est sous option jusqu’au jeudi 26 novembre 2026 à 12{NBSP}h" in page
    assert f'formaction="/salles/{lent.half.token}/attente"' in page
    joined = send(client, lent.half, "attente", cast.bruno)
    assert joined.headers["Location"] == "/reservations/liste-d-attente"
    assert "En tête de la liste" in client.get(joined.headers["Location"]).text
    assert "1 liste d’attente" in unescape(client.get("/reservations").text)
    assert letters(session) == [("alice@example.org", f"Quelqu’un d’autre le voudrait{NBSP}: Salle des fêtes")]
    alice = sign_in(client.application.test_client(), cast.alice)
    called = unescape(alice.get(f"/reservations/{option.token}").text)
    assert f"confirmez avant le lundi 23 novembre 2026 à 12{NBSP}h" in called


def test_a_taken_slot_of_the_week_leads_to_the_list(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    take(session, cast.alice, lent.half)
    there = f"/salles/{lent.half.token}/attente?jour=2026-11-28&de=12:00"
    page = unescape(sign_in(client, cast.bruno).get(f"/salles/{lent.half.token}?jour=2026-11-28").text)
    assert there in page
    assert "Sous option" in page
    filled = client.get(there).text
    assert 'value="2026-11-28"' in filled
    assert 'value="12:00"' in filled
    found = unescape(client.get("/salles?q=demi-salle+sud&day=2026-11-28&starts=12:00&ends=16:00").text)
    assert "Me prévenir si ça se libère" in found


def test_for_what_is_free_one_asks(client: FlaskClient, cast: Cast, lent: Lent) -> None:
    answer = send(client, lent.hall, "attente", cast.bruno)
    assert answer.status_code == 422
    assert "C’est libre" in unescape(answer.text)
    assert 'value="Loto"' in answer.text


def test_when_it_frees_the_worker_writes_and_the_turn_is_on_the_first_page(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    had = ask(session, wish(cast.chloe, lent.hall), zone=PARIS, by=cast.chloe.by, at=NOON)
    first, second = join(session, cast.alice, lent.hall), join(session, cast.bruno, lent.hall)
    cancel(session, had.token, parties=[cast.chloe.party.id], reason="", by=cast.chloe.by, at=NOON)
    assert night(session, NOON) == [("alice@example.org", f"C’est libre, et gardé pour vous{NBSP}: Salle des fêtes")]
    home = unescape(sign_in(client, cast.alice).get("/").text)
    assert f"À confirmer avant le lundi 23 novembre 2026 à 12{NBSP}h" in home
    assert "Je prends" in client.get("/reservations/liste-d-attente").text
    turn = waiting.by_ids(session, [first.id], at=NOON)[0].turn
    page = client.get(f"/reservations/{turn}").text
    assert all(word in page for word in ("Vous attendiez ce créneau", "Je prends", "Non merci"))
    assert night(session, NOON + 2 * DAY) == [
        ("bruno@example.org", f"C’est libre, et gardé pour vous{NBSP}: Salle des fêtes"),
        ("alice@example.org", f"Ce n’est plus gardé pour vous{NBSP}: Salle des fêtes"),
    ]
    assert (outcome(session, first), outcome(session, second)) == ("expired", None)
    with freeze_time(NOON + 2 * DAY):
        assert "Sans réponse à temps" in sign_in(client, cast.alice).get("/reservations/liste-d-attente").text


def test_an_option_is_remembered_two_days_before_and_told_when_it_is_over(
    session: Session, cast: Cast, lent: Lent
) -> None:
    option = take(session, cast.alice, lent.hall)
    assert night(session, NOON + 3 * DAY - timedelta(minutes=1)) == []
    for at, subject in ((NOON + 3 * DAY, "Votre option finit bientôt"), (NOON + 5 * DAY, "Votre option est finie")):
        assert night(session, at) == [("alice@example.org", f"{subject}{NBSP}: Salle des fêtes")]
    assert queries.view(session, option.id, at=NOON).state == "expired"


def test_whom_a_rule_refuses_reads_which(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    had = ask(session, wish(cast.chloe, lent.dojo), zone=PARIS, by=cast.chloe.by, at=NOON)
    join(session, cast.alice, lent.dojo)
    spend_all(session, cast)
    cancel(session, had.token, parties=[cast.chloe.party.id], reason="", by=cast.chloe.by, at=NOON)
    session.commit()
    with freeze_time(NOON):
        tasks.follow_waiting(0)
    body = str(session.scalar(text("SELECT body FROM outbox ORDER BY id DESC LIMIT 1")))
    assert "vous ne pouvez plus le demander" in body
    assert "limite" in body
    assert "Refusé" in sign_in(client, cast.alice).get("/reservations/liste-d-attente").text


def test_the_office_reads_who_waits_in_order_and_refuses_an_option_on_a_ground(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    option = take(session, cast.alice, lent.hall)
    join(session, cast.bruno, lent.hall)
    join(session, cast.chloe, lent.half)
    desk = f"/preteurs/{cast.town.token}"
    page = sign_in(client, cast.olga).get(f"{desk}/liste-d-attente").text
    assert page.index("Bruno") < page.index("Chloé")
    requests = unescape(client.get(f"{desk}/demandes").text)
    assert "Gardé sans demande ferme" in requests
    assert "Aucune demande n’attend." in requests
    request = unescape(client.get(f"{desk}/reservations/{option.token}").text)
    assert "Alice a pris une option" in request
    assert "Sur liste d’attente" in request
    assert ">Accepter<" not in request
    assert "2 personnes sur liste d’attente" in unescape(client.get(f"/salles/{lent.hall.token}").text)
    given = {"ground": "services", "text": "Un vote a lieu ce jour-là."}
    assert client.post(f"{desk}/reservations/{option.token}/refus", data=given).status_code == 303
    assert queries.view(session, option.id, at=NOON).state == "declined"


def test_a_public_page_names_nobody_who_waits(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    join(session, cast.bruno, lent.hall)
    there = f"/salles/{lent.hall.token}"
    for page in (client.get(there), sign_in(client, cast.chloe).get(there)):
        assert "Bruno" not in page.text
        assert "sur liste d’attente" not in unescape(page.text)


def test_what_is_others_is_not_there(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    option, place = take(session, cast.alice, lent.hall), join(session, cast.bruno, lent.hall)
    chloe = sign_in(client, cast.chloe)
    for path in (f"/reservations/{option.token}/confirmation", f"/reservations/{option.token}/renoncement",
                 f"/reservations/liste-d-attente/{place.token}/depart", "/reservations/liste-d-attente/%00/depart",
                 "/reservations/liste-d-attente/nothing/depart"):  # fmt: skip
        assert chloe.post(path).status_code == 404, path
    assert chloe.get(f"/preteurs/{cast.town.token}/liste-d-attente").status_code == 403
    assert queries.view(session, option.id, at=NOON).state == "option"
    assert outcome(session, place) is None


def test_one_leaves_by_a_button(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    place = join(session, cast.bruno, lent.hall)
    button = f"/reservations/liste-d-attente/{place.token}/depart"
    page = sign_in(client, cast.bruno).post(button, follow_redirects=True)
    assert "Vous n’attendez rien" in page.text
    assert outcome(session, place) == "left"
    assert client.post(button).status_code == 409


def test_places_are_forgotten_a_month_after_their_day(session: Session, cast: Cast, lent: Lent) -> None:
    take(session, cast.alice, lent.hall)
    join(session, cast.bruno, lent.hall)
    session.commit()
    for at, left in ((NEXT_WEEK + 30 * DAY, 1), (NEXT_WEEK + 31 * DAY, 0)):
        with freeze_time(at):
            tasks.forget(0)
        assert session.scalar(text("SELECT count(*) FROM wishes")) == left
