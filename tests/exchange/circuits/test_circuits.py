"""The technical service gives its opinion of the hall, then the elected member decides; nobody jumps the queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import changes, opinions, options, series
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.models import Booking, BookingDecision
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Wanted
from exchange.catalogue import queries as resources
from exchange.circuits import operations, queries
from exchange.circuits.models import Opinion, Step
from exchange.circuits.queries import CircuitView
from exchange.db import db, signed, transaction
from exchange.errors import AlreadyAnswered, NotYourStep, OpinionAwaited, WrongState, refusal_of
from exchange.members import queries as members
from exchange.members.models import Mandate
from ledger.entries import Acting
from ledger.errors import Refused
from tests.cast import NOON, Cast, Person, committed, sign_in
from tests.databases import Database
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent, lend

ZONE = "Europe/Paris"
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def officer(session: Session, person: Person, town: int, *, until: date | None = None) -> Acting:
    """The person acts for the town from now on."""
    assert person.sign_in is not None
    mandate = Mandate(sign_in_id=person.sign_in.id, party_id=town, role="officer", starts_on=date(2026, 1, 1),
                      ends_on=until, granted_at=NOON, granted_by=None)  # fmt: skip
    session.add(mandate)
    session.flush()
    return Acting(person.sign_in.id, town, mandate.id)


@pytest.fixture
def chloe(session: Session, cast: Cast) -> Acting:
    """Chloé is the elected member: an officer of the town too."""
    return officer(session, cast.chloe, cast.town.id)


@pytest.fixture
def circuit(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> CircuitView:
    """For the hall: Olga's service speaks, Chloé decides."""
    return written(session, cast, [("Service technique", [cast.olga.by.sign_in or 0]), ("Élue", [chloe.sign_in or 0])],
                   lent.hall.id)  # fmt: skip


def written(session: Session, cast: Cast, steps: list[tuple[str, list[int]]], *resources: int) -> CircuitView:
    made = operations.write(session, lender=cast.town.id, name=f"Circuit de {len(steps)}", steps=steps,
                            by=cast.olga.by, at=NOON)  # fmt: skip
    operations.decide_on(session, made.id, before=(), after=resources, by=cast.olga.by, at=NOON)
    found = queries.of_token(session, cast.town.id, made.token)
    assert found is not None
    return found


def asked(session: Session, cast: Cast, *things: Wanted) -> Booking:
    wish = wanting(cast.alice.party.id, things[0].resource)._replace(wanted=things)
    return bookings.ask(session, wish, zone=ZONE, by=cast.alice.by, at=NOON)


def opine(session: Session, cast: Cast, of: Booking, by: Acting, *, favourable: bool = True, text: str = "") -> None:
    opinions.give(session, of.token, lender=cast.town.id, favourable=favourable, text=text, by=by, at=NOON)


def accept(session: Session, cast: Cast, of: Booking, by: Acting) -> None:
    bookings.accept(session, of.token, lender=cast.town.id, by=by, at=NOON)


def state(session: Session, of: Booking) -> str:
    return booked.view(session, of.id, at=NOON).state


# -- the way of a request


@pytest.mark.usefixtures("circuit")
def test_nobody_decides_before_the_first_step_has_spoken(
    session: Session, cast: Cast, lent: Lent, chloe: Acting
) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    for by in (cast.olga.by, chloe):
        with pytest.raises(OpinionAwaited) as refused:
            accept(session, cast, booking, by)
        assert refused.value.facts == {"step": "Service technique"}
    with pytest.raises(OpinionAwaited):
        bookings.decline(session, booking.token, lender=cast.town.id, ground="services", text="Non", by=chloe, at=NOON)
    assert state(session, booking) == "pending"


@pytest.mark.usefixtures("circuit")
def test_the_last_step_decides_and_it_alone(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    with pytest.raises(NotYourStep) as refused:
        opine(session, cast, booking, chloe)
    assert refused.value.facts == {"step": "Service technique"}
    opine(session, cast, booking, cast.olga.by, text="Le chauffage suffit.")
    with pytest.raises(NotYourStep) as refused:
        accept(session, cast, booking, cast.olga.by)
    assert refused.value.facts == {"step": "Élue"}
    accept(session, cast, booking, chloe)
    assert state(session, booking) == "accepted"
    assert [(each.step, each.favourable, each.text) for each in queries.said_of(session, booking.id)] == [
        ("Service technique", True, "Le chauffage suffit."), ("Élue", None, ""),
    ]  # fmt: skip


@pytest.mark.usefixtures("circuit")
def test_an_opinion_against_doesn_t_decide(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    opine(session, cast, booking, cast.olga.by, favourable=False, text="Trop tard le soir.")
    accept(session, cast, booking, chloe)
    assert state(session, booking) == "accepted"


@pytest.mark.usefixtures("circuit")
def test_a_step_speaks_once_and_the_last_one_never(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    opine(session, cast, booking, cast.olga.by)
    for by in (cast.olga.by, chloe):
        with pytest.raises(AlreadyAnswered):
            opine(session, cast, booking, by)
    bookings.cancel(session, booking.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    with pytest.raises(WrongState):
        opine(session, cast, booking, cast.olga.by)


def test_what_no_circuit_decides_on_is_for_the_whole_office(
    session: Session, cast: Cast, lent: Lent, circuit: CircuitView, chloe: Acting
) -> None:
    drill = asked(session, cast, Wanted(lent.chairs))
    assert queries.turns(session, [drill.id], sign_in=chloe.sign_in, on=TODAY) == {}
    with pytest.raises(AlreadyAnswered):
        opine(session, cast, drill, chloe)
    accept(session, cast, drill, chloe)
    assert circuit.resources == {lent.hall.id}


def test_of_several_things_the_longest_way_counts(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    written(session, cast, [("Magasin", [])], lent.chairs.id)
    longest = written(session, cast, [("Service technique", []), ("Élue", [])], lent.hall.id)
    booking = asked(session, cast, Wanted(lent.hall), Wanted(lent.chairs, 4))
    turn = queries.turns(session, [booking.id], sign_in=chloe.sign_in, on=TODAY)[booking.id]
    assert (turn.step_id, turn.last, turn.mine) == (longest.steps[0].id, False, True)


def test_an_expired_request_waits_for_no_step(session: Session, cast: Cast, lent: Lent, circuit: CircuitView) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    later = booking.answer_before + timedelta(minutes=1)
    assert bookings.expire(session, by=None, at=later) == 1
    assert booked.view(session, booking.id, at=later).state == "expired"
    assert len(circuit.steps) == 2


@pytest.mark.usefixtures("circuit")
def test_an_option_passes_the_steps_once_it_is_confirmed(session: Session, cast: Cast, lent: Lent) -> None:
    session.execute(text("UPDATE resources SET option_days = 5 WHERE id = :hall"), {"hall": lent.hall.id})
    hall = resources.views(session, [lent.hall.id])[lent.hall.id]
    option = options.take(session, wanting(cast.alice.party.id, hall), zone=ZONE, by=cast.alice.by, at=NOON)
    assert queries.said_of(session, option.id) == []
    options.confirm(session, option.token, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    with pytest.raises(OpinionAwaited):
        accept(session, cast, option, cast.olga.by)


# -- who speaks


def test_a_colleague_who_takes_over_answers_what_waits(
    session: Session, cast: Cast, lent: Lent, circuit: CircuitView, chloe: Acting
) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    first, last = circuit.steps
    operations.settle(session, circuit, speakers={first.id: [chloe.sign_in or 0], last.id: last.speakers},
                      resources=circuit.resources, by=cast.olga.by, at=NOON)  # fmt: skip
    with pytest.raises(NotYourStep):
        opine(session, cast, booking, cast.olga.by)
    opine(session, cast, booking, chloe)
    accept(session, cast, booking, chloe)
    assert state(session, booking) == "accepted"


def test_when_nobody_named_is_in_office_the_whole_office_is(session: Session, cast: Cast, lent: Lent) -> None:
    gone = officer(session, cast.bruno, cast.town.id, until=date(2026, 11, 20))
    written(session, cast, [("Élu", [gone.sign_in or 0])], lent.hall.id)
    booking = asked(session, cast, Wanted(lent.hall))
    with pytest.raises(NotYourStep):
        accept(session, cast, booking, gone)
    accept(session, cast, booking, cast.olga.by)
    assert state(session, booking) == "accepted"


def test_a_request_keeps_the_circuit_that_it_met(
    session: Session, cast: Cast, lent: Lent, circuit: CircuitView
) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    operations.settle(session, circuit, speakers={step.id: step.speakers for step in circuit.steps}, resources=[],
                      by=cast.olga.by, at=NOON)  # fmt: skip
    assert queries.by_resource(session, cast.town.id) == {}
    with pytest.raises(OpinionAwaited):
        accept(session, cast, booking, cast.olga.by)


def test_a_change_passes_every_step_again(
    session: Session, cast: Cast, lent: Lent, circuit: CircuitView, chloe: Acting
) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    opine(session, cast, booking, cast.olga.by)
    accept(session, cast, booking, chloe)
    wish = wanting(cast.alice.party.id, lent.hall)
    longer = wish._replace(ends_at=wish.ends_at + timedelta(hours=1))
    changed = changes.change(session, booking.token, longer, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    with pytest.raises(OpinionAwaited):
        accept(session, cast, changed, chloe)
    opine(session, cast, changed, cast.olga.by)
    accept(session, cast, changed, chloe)
    assert (state(session, booking), state(session, changed)) == ("cancelled", "accepted")
    assert [step.name for step in circuit.steps] == ["Service technique", "Élue"]


@pytest.mark.usefixtures("circuit")
def test_the_days_of_a_series_are_spoken_of_together(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    wish = wanting(cast.alice.party.id, lent.hall)
    days = [wish._replace(starts_at=wish.starts_at + timedelta(weeks=n), ends_at=wish.ends_at + timedelta(weeks=n))
            for n in range(3)]  # fmt: skip
    of = series.ask(session, days, Rhythm("week", days[0].starts_at.date(), days[2].starts_at.date()), zone=ZONE,
                    by=cast.alice.by, at=NOON)  # fmt: skip
    outcome = series.accept(session, of, by=chloe, at=NOON)
    assert (outcome.done, {error.rule for _view, error in outcome.refused}) == ([], {"opinion-awaited"})
    with pytest.raises(NotYourStep):
        series.give_opinion(session, of, favourable=True, text="", by=chloe, at=NOON)
    assert len(series.give_opinion(session, of, favourable=True, text="", by=cast.olga.by, at=NOON)) == 3
    assert len(series.accept(session, of, by=chloe, at=NOON).done) == 3


# -- the database is the second wall


@pytest.mark.usefixtures("circuit")
def test_the_database_lets_nobody_jump_the_queue(session: Session, cast: Cast, lent: Lent, chloe: Acting) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    step = session.get_one(Step, queries.turns(session, [booking.id], sign_in=None, on=TODAY)[booking.id].step_id)
    decision = insert(BookingDecision).values(
        booking_id=booking.id, verdict="declined", ground="services", text="Non", decided_at=NOON, **signed(chloe)
    )
    opinion = insert(Opinion).values(
        booking_id=booking.id, step_id=step.id, favourable=True, text="", given_at=NOON, **signed(chloe)
    )
    for statement, rule in ((decision, "opinion-awaited"), (opinion, "not-your-step")):
        with pytest.raises(DBAPIError) as refused, session.begin_nested():
            session.execute(statement)
        found = refusal_of(refused.value)
        assert found is not None
        assert found.rule == rule


def test_another_lender_s_circuit_decides_on_nothing(session: Session, cast: Cast, lent: Lent) -> None:
    club = operations.write(session, lender=cast.club.id, name="Du club", steps=[("Bureau", [])], by=cast.olga.by,
                            at=NOON)  # fmt: skip
    with pytest.raises(DBAPIError, match="another lender"):
        operations.decide_on(session, club.id, before=(), after=[lent.hall.id], by=cast.olga.by, at=NOON)


def test_of_two_who_speak_at_once_one_is_heard(database: Database) -> None:
    app = database.app()
    cast = committed(app)
    with app.app_context(), transaction() as session:
        lent = lend(session, cast)
        written(session, cast, [("Service technique", []), ("Élue", [])], lent.hall.id)
        token = asked(session, cast, Wanted(lent.hall)).token
    together, heard = Barrier(4), []

    def speak() -> None:
        with app.app_context():
            together.wait()
            try:
                with transaction() as session:
                    opinions.give(session, token, lender=cast.town.id, favourable=True, text="", by=cast.olga.by,
                                  at=NOON)  # fmt: skip
            except Refused as refused:
                heard.append(refused.rule)
            else:
                heard.append("heard")

    threads = [Thread(target=speak) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == ["already-answered"] * 3 + ["heard"]
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM booking_opinions")) == 1


# -- pages


@pytest.mark.usefixtures("circuit")
def test_each_sees_what_waits_for_them(
    app: Flask, session: Session, cast: Cast, lent: Lent, chloe: Acting, client: FlaskClient
) -> None:
    booking = asked(session, cast, Wanted(lent.hall))
    desk, page = f"/preteurs/{cast.town.token}/demandes", f"/preteurs/{cast.town.token}/reservations/{booking.token}"
    olga, elected = sign_in(client, cast.olga), sign_in(app.test_client(), cast.chloe)
    assert "À une autre étape" in elected.get(desk).text
    assert "À une autre étape" not in olga.get(desk).text
    assert f"{booking.token}" in olga.get("/").text
    assert f"{booking.token}" not in elected.get("/").text
    assert "acceptation" not in olga.get(page).text
    refused = olga.post(f"{page}/avis", data={"favourable": "no", "words": ""})
    assert refused.status_code == 422
    assert "Dites pourquoi" in refused.text
    assert elected.post(f"{page}/avis", data={"favourable": "yes"}).status_code == 403
    assert olga.post(f"{page}/avis", data={"favourable": "yes", "words": "Rien à signaler"}).status_code == 303
    letter = session.execute(text("SELECT recipient, body FROM outbox ORDER BY id DESC LIMIT 1")).one()
    assert letter.recipient == "chloe@example.org"
    assert "Service technique : avis favorable. Rien à signaler" in letter.body.replace("\u00a0", " ")
    assert olga.post(f"{page}/acceptation").status_code == 403
    shown = elected.get(page).text
    assert "Rien à signaler" in shown
    assert elected.post(f"{page}/acceptation").status_code == 303
    assert "Rien à signaler" not in sign_in(app.test_client(), cast.alice).get(f"/reservations/{booking.token}").text


def test_an_officer_writes_a_circuit_on_one_page(
    session: Session, cast: Cast, lent: Lent, chloe: Acting, client: FlaskClient
) -> None:
    olga, where = sign_in(client, cast.olga), f"/preteurs/{cast.town.token}/circuits"
    assert "Pas de circuit" in olga.get(where).text
    form = {"key": "une-cle", "name": "Grandes salles", "step1": "Service technique", "step2": "Élue",
            "speakers2": [str(chloe.sign_in), "987654"], "resources": [lent.hall.token, lent.dojo.token]}  # fmt: skip
    assert olga.post(f"{where}/nouveau", data=form).status_code == 303
    assert olga.post(f"{where}/nouveau", data=form).status_code == 303
    [found] = queries.of_lender(session, cast.town.id)
    assert [(step.name, step.speakers) for step in found.steps] == [
        ("Service technique", frozenset()), ("Élue", frozenset({chloe.sign_in})),
    ]  # fmt: skip
    assert found.resources == {lent.hall.id}
    again = olga.post(f"{where}/nouveau", data=form | {"key": "autre", "name": "grandes SALLES"})
    assert (again.status_code, "Vous avez déjà un circuit de ce nom" in again.text) == (409, True)
    nameless = olga.post(f"{where}/nouveau", data=form | {"key": "autre", "name": "Autre", "step2": ""})
    assert (nameless.status_code, "Donnez un nom à cette étape." in nameless.text) == (422, True)
    assert "checked" in olga.get(f"{where}/{found.token}").text
    assert olga.post(f"{where}/{found.token}", data={"speakers1": [str(chloe.sign_in)]}).status_code == 303
    [kept] = queries.of_lender(session, cast.town.id)
    assert ([step.speakers for step in kept.steps], kept.resources) == (
        [frozenset({chloe.sign_in}), frozenset()], frozenset(),
    )  # fmt: skip
    assert list(members.officers(session, cast.town.id, on=TODAY).values()) == ["Chloé", "Olga"]
