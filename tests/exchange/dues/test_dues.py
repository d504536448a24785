"""The town asks for a deposit and a fee in euros; Olga notes what she receives and gives back. Nothing is processed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import changes
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.models import Booking
from exchange.catalogue.queries import ResourceView
from exchange.dues import operations, queries
from exchange.dues.models import BookingDue
from exchange.dues.policy import Due
from exchange.errors import CouncilDecisionMissing, EurosMissing, Invalid, MoreThanReceived, refusal_of
from exchange.reciprocity import operations as rules
from exchange.reciprocity import queries as written
from exchange.reciprocity.policy import Rule
from tests.cast import NOON, SATURDAY, Cast, sign_in
from tests.databases import Database, as_owner
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.ledger.racing import RACERS, Track
from tests.lent import Lent, lend

VOTED = {"decision_number": "2026-12", "decision_date": date(2026, 6, 1)}
ZONE = "Europe/Paris"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def rule(session: Session, cast: Cast, shape: str, cents: int, **more: object) -> None:
    of = Rule("", shape, {"deposit": "Caution", "euro-tariff": "Location"}[shape], cents=cents,
              starts_on=date(2026, 1, 1))._replace(**more)  # fmt: skip
    rules.write_rule(session, of, lender=cast.town.id, by=cast.olga.by, at=NOON, **VOTED)


Ask = Callable[..., Booking]


@pytest.fixture
def ask(session: Session, cast: Cast, lent: Lent) -> Ask:
    """Alice, or somebody else, asks for something of the town."""

    def do(
        *wanted: ResourceView | tuple[ResourceView, int], party: int = 0, hours: float = 4, days: int = 0
    ) -> Booking:
        wish = wanting(party or cast.alice.party.id, *(wanted or (lent.hall,)), hours=hours,
                       starts=NEXT_WEEK + timedelta(days=days))  # fmt: skip
        return bookings.ask(session, wish, zone=ZONE, by=cast.alice.by, at=NOON)

    return do


def due(session: Session, booking: Booking) -> dict[str, int]:
    return {each.kind: each.cents for each in session.query(BookingDue).filter_by(booking_id=booking.id)}


# -- what is due


@pytest.mark.parametrize(
    ("per", "hours", "cents"), [("flat", 4, 1000), ("hour", 2.5, 2500), ("half-day", 4, 2000), ("day", 26, 2000)]
)
def test_a_tariff_in_euros_counts_as_one_in_minutes_does(
    session: Session, cast: Cast, ask: Ask, per: str, hours: float, cents: int
) -> None:
    rule(session, cast, "euro-tariff", 1000, per=per)
    assert due(session, ask(hours=hours)) == {"fee": cents}


def test_each_item_has_its_fee_and_a_deposit_counts_once(session: Session, cast: Cast, lent: Lent, ask: Ask) -> None:
    rule(session, cast, "euro-tariff", 50, per="item", resource=lent.chairs.id)
    rule(session, cast, "euro-tariff", 2000, resource=lent.hall.id)
    rule(session, cast, "deposit", 30_000)
    rule(session, cast, "deposit", 5_000, resource=lent.drill.id)
    assert due(session, ask(lent.hall, (lent.chairs, 4))) == {"fee": 2200, "deposit": 30_000}
    assert due(session, ask(lent.hall, lent.drill, days=1)) == {"fee": 2000, "deposit": 35_000}


def test_the_class_of_who_asks_decides(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "euro-tariff", 5000)
    rule(session, cast, "euro-tariff", 0, class_="local-association")
    assert due(session, ask()) == {"fee": 5000}
    assert due(session, ask(party=cast.club.id, days=1)) == {}
    assert due(session, ask(party=cast.town.id, days=2)) == {}  # nobody owes oneself anything


def test_no_minute_comes_from_a_euro(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "euro-tariff", 5000)
    rule(session, cast, "deposit", 30_000)
    booking = ask()
    assert (booking.minutes, booking.community_id) == (0, None)
    both = pytest.raises(DBAPIError, match=r"rules_never_both|rules_tariff_check")
    with as_owner(session), both, session.begin_nested():
        session.execute(text("UPDATE rules SET minutes = 30 WHERE shape = 'euro-tariff'"))


def test_a_public_tariff_in_euros_names_its_decision(session: Session, cast: Cast, lent: Lent) -> None:
    of = Rule("", "euro-tariff", "Location", cents=100, starts_on=SATURDAY)
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        rules.write_rule(session, of, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert isinstance(refusal_of(refused.value), CouncilDecisionMissing)
    rules.write_rule(session, of._replace(cents=0), lender=cast.town.id, by=cast.olga.by, at=NOON)
    rules.write_rule(session, of._replace(shape="deposit"), lender=cast.town.id, by=cast.olga.by, at=NOON)


def test_what_was_due_when_it_was_asked_stays(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "deposit", 30_000)
    booking = ask()
    for each in written.rows_of(session, cast.town.id):
        rules.end_rule(session, each, on=SATURDAY)
    rule(session, cast, "deposit", 90_000, starts_on=SATURDAY)
    assert due(session, booking) == {"deposit": 30_000}
    assert booked.view(session, booking.id, at=NOON).euros == {"deposit": 30_000, "fee": 0}
    with as_owner(session), pytest.raises(DBAPIError, match="written-once"), session.begin_nested():
        session.execute(text("UPDATE booking_dues SET cents = 1"))


# -- what is received


def receive(session: Session, cast: Cast, booking: Booking, cents: int, **more: object) -> queries.ReceiptView:
    said = {"kind": "deposit", "means": "cheque", "reference": "0012", "on": SATURDAY} | more
    made = operations.receive(session, booking.id, lender=cast.town.id, cents=cents, today=SATURDAY, by=cast.olga.by,
                              at=NOON, **said)  # fmt: skip
    found = queries.receipt(session, made.token)
    assert found is not None
    return found


def finish(session: Session, cast: Cast, receipt: queries.ReceiptView, outcome: str, cents: int, reason: str = "",
           on: date = SATURDAY) -> None:  # fmt: skip
    try:
        operations.end(session, receipt, outcome=outcome, cents=cents, on=on, today=SATURDAY, reason=reason,
                       by=cast.olga.by, at=NOON)  # fmt: skip
    except DBAPIError as refused:
        raise refusal_of(refused) or refused from refused


def test_what_is_missing_is_what_was_not_received(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "deposit", 30_000, first=True)
    rule(session, cast, "euro-tariff", 2000)
    booking, other = ask(), ask(days=1)
    receive(session, cast, booking, 10_000)
    receive(session, cast, booking, 2000, kind="fee", means="cash")
    assert queries.missing(session, [booking.id, other.id]) == {
        booking.id: [Due("deposit", 20_000, first=True)],
        other.id: [Due("deposit", 30_000, first=True), Due("fee", 2000, first=False)],
    }  # fmt: skip
    whole = receive(session, cast, booking, 20_000)
    assert queries.missing(session, [booking.id]) == {}
    finish(session, cast, whole, "returned", 20_000)
    assert queries.missing(session, [booking.id]) == {booking.id: [Due("deposit", 20_000, first=True)]}


def test_nothing_is_handed_over_before_what_blocks_is_received(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "deposit", 30_000, first=True)
    rule(session, cast, "euro-tariff", 2000)
    booking = ask()
    bookings.accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    hand = {"lender": cast.town.id, "remarks": "", "by": cast.olga.by, "at": NOON}
    with pytest.raises(EurosMissing) as refused:
        bookings.hand_over(session, booking.token, **hand)
    assert refused.value.facts == {"kind": "deposit", "cents": 30_000}
    receive(session, cast, booking, 30_000)
    bookings.hand_over(session, booking.token, **hand)  # the fee is missing, and blocks nothing


def test_what_was_received_counts_for_what_the_loan_became(
    session: Session, cast: Cast, lent: Lent, ask: Ask
) -> None:
    rule(session, cast, "deposit", 30_000)
    booking = ask()
    received = receive(session, cast, booking, 30_000)
    wish = wanting(cast.alice.party.id, lent.hall, starts=NEXT_WEEK + timedelta(hours=1))
    changed = changes.change(session, booking.token, wish, parties=[cast.alice.party.id], by=cast.alice.by, at=NOON)
    assert queries.missing(session, [changed.id]) == {}
    assert queries.receipts(session, changed.id) == [received]


def test_no_more_is_given_back_or_kept_than_was_received(session: Session, cast: Cast, ask: Ask) -> None:
    rule(session, cast, "deposit", 30_000)
    receipt = receive(session, cast, ask(), 30_000)
    with pytest.raises(Invalid):
        finish(session, cast, receipt, "kept", 4_000)
    finish(session, cast, receipt, "kept", 4_000, "Une chaise cassée")
    with pytest.raises(MoreThanReceived) as refused, session.begin_nested():
        finish(session, cast, receipt, "returned", 26_001)
    assert refused.value.facts == {"left": 26_000}
    finish(session, cast, receipt, "returned", 26_000)
    again = queries.receipt(session, receipt.token)
    assert again is not None
    assert (again.left, [end.outcome for end in again.ends]) == (0, ["kept", "returned"])
    with pytest.raises(Invalid):
        finish(session, cast, receipt, "returned", 1, on=SATURDAY + timedelta(days=1))


def test_receipts_are_numbered_without_a_gap(session: Session, cast: Cast, ask: Ask) -> None:
    booking = ask()
    assert [receive(session, cast, booking, 100).called for _n in range(2)] == ["R-2026-0001", "R-2026-0002"]
    with pytest.raises(DBAPIError, match="not the next number"), session.begin_nested():
        session.execute(text(
            "INSERT INTO euro_receipts (token, lender_id, booking_id, year, number, kind, means, cents, received_on,"
            " by_party, noted_at) SELECT 'x', lender_id, booking_id, year, 9, kind, means, cents, received_on,"
            " by_party, noted_at FROM euro_receipts LIMIT 1"
        ))  # fmt: skip
    with pytest.raises(DBAPIError, match="another lender"):
        operations.receive(session, booking.id, lender=cast.club.id, kind="fee", means="cash", reference="", cents=1,
                           on=SATURDAY, today=SATURDAY, by=cast.delegate, at=NOON)  # fmt: skip


@pytest.mark.race
def test_receipts_and_returns_at_once_leave_no_number_out_and_give_back_no_more(database: Database) -> None:
    from tests.cast import committed

    cast = committed(database.app(), at=NOON)
    with Track(database) as track:
        with track.make() as session:
            wish = wanting(cast.alice.party.id, lend(session, cast).hall)
            booking = bookings.ask(session, wish, zone=ZONE, by=cast.alice.by, at=NOON)
            session.commit()
            of = booking.id

        def note(session: Session) -> int:
            made = operations.receive(session, of, lender=cast.town.id, kind="deposit", means="cash", reference="",
                                      cents=100, on=SATURDAY, today=SATURDAY, by=cast.olga.by, at=NOON)  # fmt: skip
            return made.number

        assert sorted(track.race([note] * RACERS)) == list(range(1, RACERS + 1))
        with track.make() as session:
            receipt = queries.receipts(session, of)[0]

        def give(session: Session) -> bool:
            finish(session, cast, receipt, "returned", 30)
            return True

        given = track.race([give] * RACERS)
    assert sum(each is True for each in given) == 3


# -- pages


@pytest.fixture
def olga(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.olga)


@pytest.fixture
def alice(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.alice)


def words(page: str) -> str:
    said = html.unescape(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]))
    return re.sub(r"[ \n]+", " ", said)


def test_who_asks_reads_what_is_due_before_and_after(
    alice: FlaskClient, session: Session, cast: Cast, lent: Lent, ask: Ask
) -> None:
    rule(session, cast, "deposit", 30_000)
    rule(session, cast, "euro-tariff", 1250, per="half-day")
    page = words(alice.get(f"/salles/{lent.hall.token}").text)
    assert "Caution\u00a0: caution de 300,00\u00a0€, rendue après le prêt, délibération 2026-12" in page
    assert "12,50\u00a0€ par demi-journée" in page
    checked = words(alice.post(f"/salles/{lent.hall.token}/verification", data={
        "key": "k", "party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
        "purpose": "Fête"}).text)  # fmt: skip
    assert "Redevance de 12,50\u00a0€\u202f; caution de 300,00\u00a0€, rendue après le prêt" in checked
    assert "se règle auprès du prêteur" in checked
    booking = ask(days=1)
    receive(session, cast, booking, 30_000)
    assert "Redevance de 25,00" in words(alice.get(f"/reservations/{booking.token}").text)
    paid = words(alice.get(f"/reservations/{booking.token}/euros").text)
    assert "Pas encore reçu\u00a0: redevance de 25,00\u00a0€" in paid
    assert "R-2026-0001" in paid


def test_the_office_sees_what_is_missing_and_notes_it(
    olga: FlaskClient, session: Session, cast: Cast, lent: Lent, ask: Ask
) -> None:
    rule(session, cast, "deposit", 30_000, first=True)
    booking, desk = ask(hours=2, days=-1), f"/preteurs/{cast.town.token}"
    bookings.accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    at = f"{desk}/reservations/{booking.token}"
    assert "Pas encore reçu\u00a0: caution de 300,00" in words(olga.get(f"{desk}/demandes").text)
    page = words(olga.get(at).text)
    assert "Pas encore reçu\u00a0: caution de 300,00" in page
    assert "La remise ne se note qu’ensuite." in page
    refused = olga.post(f"{at}/remise", data={"remarks": ""})
    assert refused.status_code == 409
    assert "La caution n’est pas reçue\u00a0: il manque 300,00" in words(refused.text)
    form = olga.get(f"{at}/euros").text
    assert 'value="300,00"' in form
    says = {"key": "a", "kind": "deposit", "cents": "300", "means": "cheque", "reference": "778",
            "received_on": "2026-11-21"}  # fmt: skip
    for wrong in ({"cents": ""}, {"cents": "0"}, {"cents": "x"}, {"received_on": "2026-11-22"}, {"means": "gold"}):
        assert olga.post(f"{at}/euros", data=says | wrong).status_code == 422
    assert olga.post(f"{at}/euros", data=says).status_code == 303
    assert olga.post(f"{at}/euros", data=says).status_code == 303  # the same form twice
    assert "Tout est reçu" in words(olga.get(f"{at}/euros").text)
    assert "Pas encore reçu" not in olga.get(f"{desk}/demandes").text
    [receipt] = queries.receipts(session, booking.id)
    end = {"key": "b", "outcome": "kept", "cents": "20", "ended_on": "2026-11-21", "reason": ""}
    assert olga.post(f"{at}/euros/{receipt.token}", data=end).status_code == 422
    assert olga.post(f"{at}/euros/{receipt.token}", data=end | {"reason": "Chaise"}).status_code == 303
    more = olga.post(f"{at}/euros/{receipt.token}", data=end | {"key": "c", "outcome": "returned", "cents": "281"})
    assert more.status_code == 422
    assert "Il ne reste que 280,00" in words(more.text)
    assert "Gardé\u00a0: 20,00\u00a0€, le samedi 21 novembre 2026 – Chaise" in words(olga.get(f"{at}/euros").text)


def test_the_receipt_is_for_its_two_sides(
    app: Flask, olga: FlaskClient, alice: FlaskClient, session: Session, cast: Cast, ask: Ask
) -> None:
    booking = ask()
    receipt = receive(session, cast, booking, 30_000, reference='#panic("x")')
    finish(session, cast, receipt, "kept", 4_000, "$Chaise$ *cassée*")
    for client in (olga, alice):
        answer = client.get(f"/recus/{receipt.token}")
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        page = "".join("".join(each.extract_text() for each in PdfReader(BytesIO(answer.data)).pages).split())
        assert "ReçuR-2026-0001" in page
        assert '#panic("x")' in page
        assert "$Chaise$*cassée*" in page
    for somebody in (cast.bruno, cast.fanny, cast.tibo):
        client = sign_in(app.test_client(), somebody)
        assert client.get(f"/recus/{receipt.token}").status_code == 404
        assert client.get(f"/reservations/{booking.token}/euros").status_code == 404
        assert client.get(f"/preteurs/{cast.town.token}/reservations/{booking.token}/euros").status_code == 403


def test_the_office_writes_a_tariff_and_a_deposit(olga: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    desk = f"/preteurs/{cast.town.token}/regles"
    says = {"key": "a", "title": "Location", "on": f"resource:{lent.hall.token}", "class_": "firm", "per": "day",
            "cents": "1 250,50 €", "starts_on": "2026-12-01"}  # fmt: skip
    refused = olga.post(f"{desk}/euros", data=says)
    assert refused.status_code == 422
    assert "délibération" in refused.text
    voted = {"decision_number": "2026-12", "decision_date": "2026-06-01"}
    assert olga.post(f"{desk}/euros", data=says | voted).status_code == 303
    deposit = says | voted | {"key": "b", "title": "Caution", "first": "y"}
    assert olga.post(f"{desk}/caution", data=deposit).status_code == 303
    page = words(olga.get(desk).text)
    assert "1\u202f250,50\u00a0€ par jour" in page
    assert "Caution de 1\u202f250,50\u00a0€" in page
    assert "à recevoir d’abord" in page
    assert session.query(BookingDue).count() == 0
