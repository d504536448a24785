"""The town asks for a certificate of insurance; Bruno's club gives it, Olga looks, and requests are decided in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import changes, offers, series
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.models import Booking, BookingDecision
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Wanted
from exchange.catalogue.models import Resource
from exchange.catalogue.queries import ResourceView
from exchange.db import signed
from exchange.documents import operations, policy, queries
from exchange.documents.models import Document, DocumentFile, DocumentVersion
from exchange.documents.operations import Wording
from exchange.documents.queries import File, KindView
from exchange.errors import (
    AlreadyAnswered,
    DocumentExpired,
    DocumentsFull,
    DocumentUndated,
    FileIncomplete,
    TemplateChanged,
    refusal_of,
)
from ledger.entries import Acting
from tests.cast import NOON, SATURDAY, Cast
from tests.databases import as_owner
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent
from tests.papers import CERTIFICATE

ZONE = "Europe/Paris"
EVENT = NEXT_WEEK.date()
LATER = NOON + timedelta(hours=1)
INSURANCE = Wording("Attestation d’assurance")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


Kind = Callable[..., KindView]
Ask = Callable[..., Booking]
Give = Callable[..., Document]


@pytest.fixture
def kind(session: Session, cast: Cast, lent: Lent) -> Kind:
    """The town asks for a kind of document."""

    def write(**more: object) -> KindView:
        operations.write(session, INSURANCE._replace(**more), lender=cast.town.id, by=cast.olga.by, at=NOON - DAY)
        return queries.kinds_of(session, cast.town.id)[-1]

    return write


@pytest.fixture
def ask(session: Session, cast: Cast, lent: Lent) -> Ask:
    """The club, or somebody else, asks for half of the hall."""

    def asked(it: ResourceView | None = None, *, by: Acting | None = None, at: datetime = NOON,
              **more: object) -> Booking:  # fmt: skip
        who = by or cast.delegate
        return bookings.ask(session, wanting(who.party, it or lent.half, **more), zone=ZONE, by=who, at=at)

    return asked


@pytest.fixture
def give(session: Session, cast: Cast) -> Give:
    """The club, or somebody else, gives a document."""
    clean = operations.cleaned([CERTIFICATE])

    def given(of: KindView, until: date | None = date(2027, 6, 30), *, by: Acting | None = None,
              at: datetime = LATER) -> Document:  # fmt: skip
        who = by or cast.delegate
        return operations.give(session, of, clean, party=who.party, valid_until=until, today=SATURDAY, by=who, at=at)

    return given


@pytest.fixture
def by_itself(session: Session, lent: Lent) -> ResourceView:
    """Half of the hall, which nobody has to decide about."""
    with as_owner(session):
        session.get_one(Resource, lent.half.id).decided_by = "nobody"
        session.flush()
    return lent.half._replace(decided_by="nobody")


def accept(session: Session, cast: Cast, booking: Booking, *, at: datetime = LATER) -> None:
    bookings.accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=at)


def state(session: Session, booking: Booking, *, at: datetime = LATER) -> str:
    return booked.view(session, booking.id, at=at).state


def states(file: File) -> list[str]:
    return [paper.state for paper in file.papers]


# -- what is asked


def test_a_request_is_not_accepted_without_what_it_asks_for(
    session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    asked = ask()
    with pytest.raises(FileIncomplete) as refused:
        accept(session, cast, asked)
    assert refused.value.facts == {"missing": ["Attestation d’assurance"]}
    give(insurance)
    accept(session, cast, asked)
    assert state(session, asked) == "accepted"


def test_the_database_itself_refuses_a_decision_without_its_file(
    session: Session, cast: Cast, kind: Kind, ask: Ask
) -> None:
    kind()
    asked = ask()
    session.add(BookingDecision(booking_id=asked.id, verdict="accepted", decided_at=NOON, **signed(cast.olga.by)))
    with pytest.raises(DBAPIError) as refused:
        session.flush()
    error = refusal_of(refused.value)
    assert isinstance(error, FileIncomplete)
    assert error.facts == {"missing": ["Attestation d’assurance"]}


def test_what_is_asked_afterwards_never_reaches_a_request_that_was_made(
    session: Session, cast: Cast, kind: Kind, ask: Ask
) -> None:
    before = ask()
    insurance = kind()
    after = ask(starts=NEXT_WEEK + DAY)
    assert states(queries.file(session, before.id)) == []
    assert states(queries.file(session, after.id)) == ["lacking"]
    operations.write(session, INSURANCE._replace(asked=False), lender=cast.town.id, after=insurance, by=cast.olga.by,
                     at=NOON)  # fmt: skip
    assert states(queries.file(session, after.id)) == ["lacking"]
    assert states(queries.file(session, ask(starts=NEXT_WEEK + 2 * DAY).id)) == []
    accept(session, cast, before)


def test_it_is_asked_of_whom_and_for_what_the_town_says(
    session: Session, cast: Cast, lent: Lent, kind: Kind, ask: Ask
) -> None:
    kind(name="Statuts", classes=["local-association"])
    kind(name="Permis", categories=["Outil"])
    kind(name="Plan", resources=[lent.chairs.id])

    def names(booking: Booking) -> list[str]:
        return [paper.name for paper in queries.file(session, booking.id).papers]

    assert names(ask()) == ["Statuts"]
    assert names(ask(lent.other_half, by=cast.alice.by)) == []
    assert names(ask(lent.drill, by=cast.alice.by)) == ["Permis"]
    both = bookings.ask(session, wanting(cast.club.id, (lent.chairs, 2), lent.other_half, starts=NEXT_WEEK + 9 * DAY),
                        zone=ZONE, by=cast.delegate, at=NOON)  # fmt: skip
    assert names(both) == ["Statuts", "Plan"]
    own = bookings.ask(session, wanting(cast.town.id, lent.half, starts=NEXT_WEEK + 20 * DAY), zone=ZONE,
                       by=cast.olga.by, at=NOON)  # fmt: skip
    assert names(own) == []


def test_two_officers_who_word_the_same_kind_are_told(session: Session, cast: Cast, kind: Kind) -> None:
    read = kind()
    operations.write(session, INSURANCE, lender=cast.town.id, after=read, by=cast.olga.by, at=NOON)
    with pytest.raises(TemplateChanged):
        operations.write(session, INSURANCE, lender=cast.town.id, after=read, by=cast.olga.by, at=NOON)


def test_another_lender_s_kind_is_not_asked_with_a_request(session: Session, cast: Cast, kind: Kind, ask: Ask) -> None:
    operations.write(session, INSURANCE, lender=cast.club.id, by=cast.delegate, at=NOON)
    asked = ask(by=cast.alice.by)
    assert states(queries.file(session, asked.id)) == []
    version = session.query(DocumentVersion).one()
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        session.execute(text("INSERT INTO booking_documents VALUES (:booking, :kind, :version)"),
                        {"booking": asked.id, "kind": version.kind_id, "version": version.id})  # fmt: skip
    assert "another lender's" in str(refused.value)


# -- dates


@pytest.mark.parametrize(("days", "met"), [(-1, "expired"), (0, "good"), (1, "good")])
def test_a_document_covers_the_last_day_of_the_event(
    session: Session, kind: Kind, ask: Ask, give: Give, days: int, met: str
) -> None:
    insurance = kind()
    asked = ask(hours=24 * 2 + 3)  # until Monday afternoon
    give(insurance, EVENT + timedelta(days=2 + days))
    assert states(queries.file(session, asked.id)) == [met]


def test_midnight_is_of_the_day_that_it_ends_in_the_town_s_own_time(
    session: Session, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    evening = ask(starts=datetime(2026, 11, 28, 19, 0, tzinfo=UTC), hours=4)  # until midnight in Paris
    give(insurance, date(2026, 11, 28))
    assert states(queries.file(session, evening.id)) == ["good"]


def test_one_certificate_serves_all_until_its_date(session: Session, kind: Kind, ask: Ask, give: Give) -> None:
    insurance = kind()
    soon, far = ask(), ask(starts=NEXT_WEEK + timedelta(days=60))
    give(insurance, EVENT + timedelta(days=30))
    assert states(queries.file(session, soon.id)) == ["good"]
    [paper] = queries.file(session, far.id).papers
    assert (paper.state, paper.valid_until) == ("expired", EVENT + timedelta(days=30))


def test_what_is_over_or_undated_is_not_taken(kind: Kind, give: Give) -> None:
    insurance = kind()
    with pytest.raises(DocumentUndated):
        give(insurance, None)
    with pytest.raises(DocumentExpired):
        give(insurance, SATURDAY - DAY)
    give(insurance, SATURDAY)
    give(kind(name="Statuts", expires=False), None)


def test_a_party_doesn_t_fill_the_disk(kind: Kind, give: Give, cast: Cast) -> None:
    insurance = kind()
    for _time in range(policy.MOST_GIVEN):
        give(insurance)
    with pytest.raises(DocumentsFull):
        give(insurance)
    give(insurance, by=cast.alice.by)
    give(insurance, at=LATER + policy.MONTH)


# -- in turn


def test_requests_come_in_the_order_in_which_their_files_became_complete(
    session: Session, cast: Cast, lent: Lent, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind(expires=False)
    first = ask(by=cast.alice.by)
    second = ask(lent.other_half, by=cast.chloe.by, at=NOON + timedelta(minutes=5))
    third = ask(lent.drill, by=cast.zoe.by, at=NOON + timedelta(minutes=10))
    give(insurance, None, by=cast.chloe.by, at=NOON + timedelta(hours=2))
    give(insurance, None, by=cast.zoe.by, at=NOON + timedelta(hours=1))

    def order() -> list[int]:
        return [view.id for view in booked.to_decide(session, cast.town.id, at=LATER)]

    assert order() == [third.id, second.id, first.id]
    waiting, _in_all = booked.undecided(
        session, [cast.town.id], sign_in=cast.olga.by.sign_in or 0, on=NOON.date()
    )
    assert [due.token for due in waiting] == [third.token, second.token, first.token]
    found = queries.files(session, [first.id, second.id, third.id])
    assert [found[each.id].complete_at for each in (first, second, third)] == [
        None, NOON + timedelta(hours=2), NOON + timedelta(hours=1),
    ]  # fmt: skip


def test_who_gave_before_asking_is_complete_when_asking(session: Session, kind: Kind, ask: Ask, give: Give) -> None:
    give(kind(), at=NOON - timedelta(hours=3))
    asked = ask()
    assert queries.file(session, asked.id).complete_at == asked.asked_at


def test_an_office_that_takes_its_time_doesn_t_change_somebody_s_place(
    session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind(verified=True)
    asked = ask()
    given = give(insurance)
    assert queries.file(session, asked.id).complete_at == LATER
    with pytest.raises(FileIncomplete):
        accept(session, cast, asked)
    seen = queries.by_token(session, given.token)
    assert seen is not None
    operations.verify(session, seen, by=cast.olga.by, at=LATER + timedelta(days=2))
    assert queries.file(session, asked.id).complete_at == LATER
    accept(session, cast, asked, at=LATER + timedelta(days=2))


def test_what_is_refused_lacks_again_and_says_why(
    session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind(verified=True)
    asked = ask()
    given = queries.by_token(session, give(insurance).token)
    assert given is not None
    operations.verify(session, given, by=cast.olga.by, at=LATER)
    operations.refuse(session, given, reason="Ce n’est pas le bon contrat", by=cast.olga.by, at=LATER)
    file = queries.file(session, asked.id)
    assert (states(file), file.papers[0].reason, file.complete_at) == (["refused"], "Ce n’est pas le bon contrat", None)
    again = give(insurance, at=LATER + DAY)
    file = queries.file(session, asked.id)
    assert (states(file), file.papers[0].document, file.complete_at) == (["unverified"], again.token, LATER + DAY)
    with pytest.raises(DBAPIError) as twice, session.begin_nested():
        operations.refuse(session, given, reason="Encore", by=cast.olga.by, at=LATER)
    assert isinstance(refusal_of(twice.value), AlreadyAnswered)


def test_paper_that_the_office_saw_counts_as_given_and_verified(
    session: Session, cast: Cast, kind: Kind, ask: Ask
) -> None:
    insurance = kind(verified=True)
    asked = ask()
    operations.note_paper(session, insurance, party=cast.club.id, valid_until=EVENT, today=SATURDAY, by=cast.olga.by,
                          at=LATER)  # fmt: skip
    assert states(queries.file(session, asked.id)) == ["good"]
    assert queries.file(session, asked.id).papers[0].source == "paper"
    accept(session, cast, asked)


# -- what nobody has to decide


def test_what_nobody_decides_waits_for_its_file_and_is_had_with_it(
    session: Session, cast: Cast, by_itself: ResourceView, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    asked = ask(by_itself)
    assert state(session, asked) == "pending"
    assert bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER) == []
    give(insurance)
    done = bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER)
    assert [view.id for view in done] == [asked.id]
    view = booked.view(session, asked.id, at=LATER)
    assert (view.state, view.answered) == ("accepted", LATER)
    assert state(session, ask(by_itself, starts=NEXT_WEEK + DAY)) == "accepted"  # its file is complete already


def test_an_officer_s_own_requests_are_not_accepted_by_a_document(
    session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    asked = ask()
    give(insurance)
    assert bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER) == []
    assert state(session, asked) == "pending"


def test_what_is_to_be_verified_waits_for_that_too(
    session: Session, cast: Cast, by_itself: ResourceView, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind(verified=True)
    asked = ask(by_itself)
    given = queries.by_token(session, give(insurance).token)
    assert given is not None
    assert bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER) == []
    operations.verify(session, given, by=cast.olga.by, at=LATER)
    assert len(bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.olga.by, at=LATER)) == 1
    assert state(session, asked) == "accepted"


def test_each_day_of_a_series_asks_and_is_had_as_far_as_the_date_goes(
    session: Session, cast: Cast, by_itself: ResourceView, kind: Kind, give: Give
) -> None:
    insurance = kind()
    asked = wanting(cast.club.id, by_itself)
    weeks = [asked._replace(starts_at=asked.starts_at + n * timedelta(weeks=1),
                            ends_at=asked.ends_at + n * timedelta(weeks=1)) for n in range(3)]  # fmt: skip
    made = series.ask(session, weeks, Rhythm("week", EVENT, EVENT + timedelta(weeks=2)), zone=ZONE, by=cast.delegate,
                      at=NOON)  # fmt: skip
    give(insurance, EVENT + timedelta(weeks=1))
    bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER)
    assert [view.state for view in booked.of_series(session, made.id, at=LATER)] == ["accepted", "accepted", "pending"]


# -- changed, or moved


def test_a_change_asks_for_what_is_asked_now_and_what_stood_stands_until_it_is_given(
    session: Session, cast: Cast, by_itself: ResourceView, kind: Kind, ask: Ask, give: Give
) -> None:
    had = ask(by_itself)
    assert state(session, had) == "accepted"
    insurance = kind()
    wanted = wanting(cast.club.id, by_itself, hours=5)
    changed = changes.change(session, had.token, wanted, parties=[cast.club.id], by=cast.delegate, at=NOON)
    assert (state(session, had), state(session, changed)) == ("accepted", "pending")
    give(insurance)
    bookings.accept_complete(session, cast.club.id, insurance.id, by=cast.delegate, at=LATER)
    assert (state(session, had), state(session, changed)) == ("cancelled", "accepted")


def test_what_a_lender_offers_instead_asks_for_what_it_replaces_did_and_no_more(
    session: Session, cast: Cast, lent: Lent, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    asked = ask()
    kind(name="Statuts", expires=False)
    give(insurance, EVENT)
    later = NEXT_WEEK + timedelta(days=3)
    offer = offers.offer(session, asked.token, lender=cast.town.id, wanted=[Wanted(lent.half)], starts_at=later,
                         ends_at=later + timedelta(hours=2), word="Travaux", by=cast.olga.by, at=LATER)  # fmt: skip
    assert [paper.name for paper in queries.file(session, offer.id).papers] == ["Attestation d’assurance"]
    with pytest.raises(FileIncomplete), session.begin_nested():
        offers.consent(session, offer.token, parties=[cast.club.id], by=cast.delegate, at=LATER)
    give(insurance, later.date())
    offers.consent(session, offer.token, parties=[cast.club.id], by=cast.delegate, at=LATER)
    assert state(session, offer) == "accepted"


# -- kept for a time only


def kept(session: Session) -> int:
    return session.query(DocumentFile).count()


def test_files_go_some_time_after_they_serve(session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give) -> None:
    insurance, statutes = kind(), kind(name="Statuts", expires=False)
    ask()
    refused = queries.by_token(session, give(insurance, date(2027, 12, 31)).token)
    assert refused is not None
    operations.refuse(session, refused, reason="Floue", by=cast.olga.by, at=LATER)
    give(insurance, date(2026, 12, 31))
    give(statutes, None)

    def gone(days: int) -> int:
        at = NOON + timedelta(days=days)
        return operations.discard(session, today=at.date(), at=at)

    assert gone(29) == 0
    assert gone(31) == 1  # what was refused
    assert gone(40 + 182) == 0
    assert gone(40 + 185) == 1  # six months after its date
    assert gone(730) == 0
    assert gone(740) == 1  # two years after the last loan that asked for it
    assert kept(session) == 0


def test_a_file_that_is_deleted_counts_no_more(session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give) -> None:
    insurance = kind()
    asked = ask()
    give(insurance)
    assert operations.erase(session, cast.alice.party.id) == 0
    assert operations.erase(session, cast.club.id) == 1
    assert states(queries.file(session, asked.id)) == ["lacking"]
    assert session.query(Document).count() == 1  # that it was given stays


# -- reminders


def test_who_lacks_something_is_reminded_once_a_week_and_once_two_days_before(
    session: Session, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    asked = ask(starts=NOON + timedelta(days=10))

    def due(days: float) -> int | None:
        at = NOON + timedelta(days=days)
        found = queries.incomplete(session, at=at)
        if found:
            assert found[0] == asked.id
            operations.note_reminded(session, *found, at=at)
        return found[1] if found else None

    assert [due(days) for days in (2, 3.5, 4, 7, 8.5, 9, 10.5)] == [None, 7, None, None, 2, None, None]
    other = ask(starts=NOON + timedelta(days=12))
    give(insurance)
    assert queries.incomplete(session, at=NOON + timedelta(days=6)) is None
    assert states(queries.file(session, other.id)) == ["good"]


def test_an_unanswered_request_is_reminded_before_it_lapses(session: Session, kind: Kind, ask: Ask) -> None:
    kind()
    asked = ask(starts=NOON + timedelta(days=90))  # held for fifteen days
    assert queries.incomplete(session, at=NOON + timedelta(days=7)) is None
    assert queries.incomplete(session, at=NOON + timedelta(days=9)) == (asked.id, 7)


def test_who_uses_a_document_is_told_before_it_expires(
    session: Session, cast: Cast, kind: Kind, ask: Ask, give: Give
) -> None:
    insurance = kind()
    give(insurance, date(2027, 1, 31), by=cast.alice.by)  # never asked for anything
    ask()
    given = give(insurance, date(2027, 1, 31))

    def due(on: date, **more: object) -> list[int]:
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        return [each.id for each in queries.expiring(session, today=on, at=at, **more)]  # type: ignore[arg-type]

    assert due(date(2026, 12, 31)) == []
    assert due(date(2027, 1, 1), once=True) == [given.id]
    operations.note_told(session, given.id, at=NOON)
    assert (due(date(2027, 1, 2), once=True), due(date(2027, 1, 2))) == ([], [given.id])
    give(insurance, date(2028, 1, 31))
    assert due(date(2027, 1, 2)) == []
