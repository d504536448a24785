"""The log of refusals: grounds, delays, who decided; how each class was answered; and what it forgets with people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import offers
from exchange.members import operations as members
from exchange.reports import policy, queries
from exchange.reports.queries import Answers, Refusal, Sought
from exchange.sentences import CLASSES
from tests.cast import NOON, Cast, sign_in
from tests.databases import as_owner
from tests.exchange.reports.conftest import ZONE, Had, on
from tests.lent import Lent


@pytest.fixture(autouse=True)
def _december() -> Iterator[None]:
    with freeze_time(NOON + timedelta(days=30)):
        yield


YEAR = Sought(*policy.year(2026, ZONE))


def log(session: Session, cast: Cast, sought: Sought = YEAR, ground: str | None = None) -> list[Refusal]:
    return queries.refusals(session, cast.town.id, sought, ground=ground, size=100)


def answers(session: Session, cast: Cast) -> dict[str, Answers]:
    return {each.class_: each for each in queries.answers(session, cast.town.id, YEAR, list(CLASSES))}


def test_a_refusal_says_its_ground_its_words_who_decided_and_how_soon(
    session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    had(cast.club.id, lent.hall, (lent.chairs, 5), starts=on("2026-03-07"), then="declined", ground="order",
        after=timedelta(hours=30))  # fmt: skip
    (refused,) = log(session, cast)
    assert (refused.act, refused.ground, refused.text, refused.class_) == (
        "declined", "order", "Non, désolée.", "local-association",
    )  # fmt: skip
    assert refused.resources == ["Salle des fêtes", "Chaises pliantes"]
    assert refused.by_sign_in == cast.olga.by.sign_in
    assert refused.decided_at - refused.asked_at == timedelta(hours=30)


def test_what_was_taken_back_from_somebody_is_there_too(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    token = had(cast.club.id, lent.hall, starts=on("2026-03-07"))
    offers.revoke(session, token, lender=cast.town.id, ground="property", text="Une fuite.", by=cast.olga.by,
                  at=on("2026-03-05"))  # fmt: skip
    had(cast.club.id, lent.hall, starts=on("2026-03-09"), then="cancelled")
    assert [(each.act, each.ground, each.text) for each in log(session, cast)] == [
        ("revoked", "property", "Une fuite."),
    ]  # fmt: skip
    club = answers(session, cast)["local-association"]
    assert (club.accepted, club.declined, club.revoked) == (2, 0, 1)


def test_it_is_narrowed_by_day_by_resource_and_by_ground(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.hall, starts=on("2026-03-07"), then="declined", ground="order")
    had(cast.club.id, lent.drill, starts=on("2026-04-07"), then="declined", ground="rule")
    assert [each.ground for each in log(session, cast)] == ["rule", "order"]
    assert [each.ground for each in log(session, cast, ground="order")] == ["order"]
    assert [each.ground for each in log(session, cast, YEAR._replace(resource=lent.drill.id))] == ["rule"]
    days = policy.days(on("2026-03-01").date(), on("2026-03-03").date(), ZONE)  # decided four days before
    assert [each.ground for each in log(session, cast, Sought(*days))] == ["order"]
    assert log(session, cast, Sought(days[0], days[1] - timedelta(days=1))) == []


def test_each_class_is_told_how_its_requests_were_answered(
    session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    """Counted apart in the lines below."""
    told = [
        (cast.club.id, "past"), (cast.club.id, "past"), (cast.club.id, "declined"), (cast.alice.party.id, "declined"),
        (cast.chloe.party.id, "declined"), (cast.chloe.party.id, "past"), (cast.alice.party.id, "expired"),
        (cast.alice.party.id, "pending"),
    ]  # fmt: skip
    for number, (party, then) in enumerate(told):
        had(party, lent.hall, starts=on("2026-05-02") + timedelta(days=number), then=then)
    found = answers(session, cast)
    assert found == {
        "local-association": Answers("local-association", 2, 1, 0, 0, {"services": 1}),
        "inhabitant": Answers("inhabitant", 1, 2, 0, 1, {"services": 2}),
    }
    assert round(found["inhabitant"].share, 3) == 0.667


def test_the_club_does_not_find_the_refusals_of_the_town(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.hall, starts=on("2026-03-07"), then="declined")
    assert queries.refusals(session, cast.club.id, YEAR, size=10) == []


def page(client: FlaskClient, cast: Cast, kind: str = "") -> str:
    answer = client.get(f"/preteurs/{cast.town.token}/bilan/refus{kind}?du=2026-01-01&au=2026-12-31")
    assert answer.status_code == 200
    return answer.text


def test_an_auditor_of_the_town_reads_it_without_the_names_of_inhabitants(
    app: Flask, session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    had(cast.alice.party.id, lent.hall, starts=on("2026-03-07"), then="declined")
    had(cast.club.id, lent.hall, starts=on("2026-03-08"), then="declined")
    assert cast.zoe.sign_in is not None
    members.grant(session, sign_in=cast.zoe.sign_in.id, party=cast.town.id, role="auditor", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    officer, auditor = sign_in(app.test_client(), cast.olga), sign_in(app.test_client(), cast.zoe)
    assert "Alice" in page(officer, cast)
    told = page(auditor, cast)
    assert "Alice" not in told
    assert cast.club.name in told
    assert "Bilans" in told
    assert auditor.get(f"/preteurs/{cast.town.token}/bilan").status_code == 200
    assert auditor.post(f"/preteurs/{cast.town.token}/bilan/taux").status_code == 403
    assert auditor.get(f"/preteurs/{cast.town.token}/demandes").status_code == 403


def test_the_file_names_no_inhabitant(app: Flask, session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.alice.party.id, lent.hall, starts=on("2026-03-07"), then="declined")
    told = page(sign_in(app.test_client(), cast.olga), cast, ".csv")
    assert "Alice" not in told
    assert "Un habitant" in told


def test_who_is_erased_leaves_the_log_whole_and_nameless(
    app: Flask, session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    """The names are read where they are kept: nothing here remembers them."""
    had(cast.alice.party.id, lent.hall, starts=on("2026-03-07"), then="declined")
    with as_owner(session):
        session.execute(text("UPDATE parties SET name = 'Personne partie' WHERE id = :id"), {"id": cast.alice.party.id})
    told = page(sign_in(app.test_client(), cast.olga), cast)
    assert "Alice" not in told
    assert "Personne partie" in told
    assert "Fonctionnement des services" in told
    assert len(log(session, cast)) == 1
