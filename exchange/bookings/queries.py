"""Reads of bookings: through the parties of who asks, or for the lender's office."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import Range, aggregate_order_by
from sqlalchemy.orm import Session, aliased

from exchange.bookings import policy
from exchange.bookings.models import (
    Attendance,
    Booking,
    BookingCancellation,
    BookingDecision,
    BookingItem,
    Extension,
    ExtensionDecision,
    HandedItem,
    HandOver,
    NoShow,
    Occupancy,
    Option,
    OptionCall,
    PoolOccupancy,
    Return,
    ReturnItem,
    Series,
)
from exchange.closures import queries as closures
from ledger.store.tables import hold_resolutions, holds


class ItemView(NamedTuple):
    """One resource of a booking."""

    resource_id: int
    quantity: int
    minutes: int
    id: int = 0
    out: int | None = None  # how many left in fact, once they did
    back: int = 0
    broken: int = 0
    lost: int = 0

    @property
    def still_out(self) -> int:
        """How many left and are not accounted for."""
        return (self.out or 0) - self.back - self.broken - self.lost


class BookingView(NamedTuple):
    """A booking with its state and the records behind it."""

    id: int
    token: str
    lender_id: int
    party_id: int
    community_id: int | None
    purpose: str
    people: int | None
    starts_at: datetime
    ends_at: datetime
    zone: str
    minutes: int
    explanation: dict[str, Any]
    asked_at: datetime
    answer_before: datetime
    replaces_id: int | None
    replaces: str | None  # the same, by its random identifier
    word: str
    changes_id: int | None
    changes: str | None  # the same, by its random identifier
    series_id: int | None
    by_sign_in: int | None
    state: str
    decision: BookingDecision | None
    cancellation: BookingCancellation | None
    hand_over: HandOver | None
    back: Return | None
    no_show: NoShow | None
    attendance: Attendance | None
    wanted_until: datetime | None  # more time is asked for, and waits for an answer
    held_until: datetime | None  # while nobody asks for it firmly
    option: str | None  # how it began: "taken" as an option, or the "turn" of who waited
    called_at: datetime | None  # since when somebody else wants what an option holds
    circuit_id: int | None  # the steps that it passes
    items: tuple[ItemView, ...]

    @property
    def hold_id(self) -> int | None:
        """The minutes set aside for it, when it has a price and was accepted."""
        return self.decision.hold_id if self.decision else None

    @property
    def euros(self) -> dict[str, int]:
        """What was due in euro cents when it was asked for: "deposit", "fee"."""
        return self.explanation.get("euros") or {"deposit": 0, "fee": 0}

    @property
    def answered(self) -> datetime | None:
        """When it was decided."""
        return self.decision.decided_at if self.decision else None


_CHANGED, _REPLACED = aliased(Booking), aliased(Booking)
_NOT_ANSWERED = ~select(ExtensionDecision.extension_id).where(ExtensionDecision.extension_id == Extension.id).exists()
_COUNTED = (
    select(
        ReturnItem.item_id, func.sum(ReturnItem.back).label("back"), func.sum(ReturnItem.broken).label("broken"),
        func.sum(ReturnItem.lost).label("lost"),
    )
    .where(ReturnItem.item_id == BookingItem.id)
    .group_by(ReturnItem.item_id)
    .lateral()
)  # fmt: skip
_ITEMS = (
    select(func.json_agg(aggregate_order_by(
        func.json_build_array(
            BookingItem.resource_id, BookingItem.quantity, BookingItem.minutes, BookingItem.id, HandedItem.quantity,
            func.coalesce(_COUNTED.c.back, 0), func.coalesce(_COUNTED.c.broken, 0), func.coalesce(_COUNTED.c.lost, 0),
        ),
        BookingItem.id,
    )))
    .select_from(BookingItem)
    .outerjoin(HandedItem, HandedItem.item_id == BookingItem.id)
    .outerjoin(_COUNTED, true())
    .where(BookingItem.booking_id == Booking.id)
    .correlate(Booking)
    .scalar_subquery()
)  # fmt: skip
_CIRCUIT: ColumnElement[int | None] = literal_column(
    "(SELECT w.circuit_id FROM booking_circuits w WHERE w.booking_id = bookings.id)", BigInteger()
)
_BOOKINGS: Select[*tuple[Any, ...]] = (
    select(Booking, BookingDecision, BookingCancellation, HandOver, Return, NoShow, Attendance,
           select(_CHANGED.token).where(_CHANGED.id == Booking.changes_id).scalar_subquery(),
           select(Extension.until).where(Extension.booking_id == Booking.id, _NOT_ANSWERED).correlate(Booking)
           .scalar_subquery(),
           select(_REPLACED.token).where(_REPLACED.id == Booking.replaces_id).scalar_subquery(),
           select(Option.kind).where(Option.booking_id == Booking.id).correlate(Booking).scalar_subquery(),
           select(OptionCall.called_at).where(OptionCall.booking_id == Booking.id).correlate(Booking)
           .scalar_subquery(), _CIRCUIT, _ITEMS)
    .outerjoin(BookingDecision, BookingDecision.booking_id == Booking.id)
    .outerjoin(BookingCancellation, BookingCancellation.booking_id == Booking.id)
    .outerjoin(HandOver, HandOver.booking_id == Booking.id)
    .outerjoin(Return, Return.booking_id == Booking.id)
    .outerjoin(NoShow, NoShow.booking_id == Booking.id)
    .outerjoin(Attendance, Attendance.booking_id == Booking.id)
)

# Things are handed over; a room is used from its start.
_HAS_THINGS = (
    "EXISTS (SELECT FROM booking_items i JOIN resources r ON r.id = i.resource_id"
    " WHERE i.booking_id = {0}.id AND r.kind <> 'room')"
)
_WITH_THINGS: ColumnElement[bool] = literal_column(_HAS_THINGS.format("bookings"), Boolean())


# Of a series, one day stands for all in a list: the first, or the first that waits for a decision.
_LEADS: ColumnElement[bool] = literal_column(
    "(bookings.series_id IS NULL OR NOT EXISTS (SELECT FROM bookings s WHERE s.series_id = bookings.series_id"
    " AND s.id < bookings.id))",
    Boolean(),
)
_WAITING_BEFORE = (
    "NOT EXISTS (SELECT FROM bookings s WHERE s.series_id = {0}.series_id AND s.id < {0}.id"
    " AND NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = s.id)"
    " AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = s.id))"
)
_LEADS_WAITING: ColumnElement[bool] = literal_column(f"({_WAITING_BEFORE.format('bookings')})", Boolean())


def _views(session: Session, query: Select[*tuple[Any, ...]], *, at: datetime) -> list[BookingView]:
    """Bookings with their records and items, in one query however many they are."""
    return [_view(row, at=at) for row in session.execute(query.execution_options(populate_existing=True))]


def _view(row: Any, *, at: datetime) -> BookingView:
    (booking, decision, cancellation, hand_over, back, no_show, attendance, changes, wanted_until, replaces, option,
     called_at, circuit, items) = row  # fmt: skip
    return BookingView(
        booking.id, booking.token, booking.lender_id, booking.party_id, booking.community_id, booking.purpose,
        booking.people, booking.starts_at, booking.ends_at, booking.zone, booking.minutes, booking.explanation,
        booking.asked_at, booking.answer_before, booking.replaces_id, replaces, booking.word, booking.changes_id,
        changes, booking.series_id, booking.by_sign_in,
        policy.state(
            verdict=decision.verdict if decision else None, offered=booking.replaces_id is not None,
            cancelled=cancellation is not None, no_show=no_show is not None, handed_over=hand_over is not None,
            returned=back is not None, ends_at=booking.ends_at, at=at, held_until=booking.held_until,
        ),
        decision, cancellation, hand_over, back, no_show, attendance, wanted_until, booking.held_until, option,
        called_at, circuit,
        tuple(ItemView(*item) for item in items or ()),
    )  # fmt: skip


def view(session: Session, id_: int, *, at: datetime) -> BookingView:
    """One booking by id."""
    return _views(session, _BOOKINGS.where(Booking.id == id_), at=at)[0]


def views(session: Session, ids: Collection[int], *, at: datetime) -> list[BookingView]:
    """These bookings, in no order."""
    return _views(session, _BOOKINGS.where(Booking.id.in_(ids)), at=at) if ids else []


def within(session: Session, token: str, parties: Collection[int], *, at: datetime) -> BookingView | None:
    """The booking of this random identifier, if one of these parties asked for it."""
    query = _BOOKINGS.where(Booking.token == token, Booking.party_id.in_(parties))
    return next(iter(_views(session, query, at=at)), None)


def of_lender(session: Session, token: str, lender: int, *, at: datetime) -> BookingView | None:
    """The booking of this random identifier, if it is asked of this lender."""
    query = _BOOKINGS.where(Booking.token == token, Booking.lender_id == lender)
    return next(iter(_views(session, query, at=at)), None)


def ids_of_party(session: Session, party: int) -> Sequence[int]:
    """Everything that a party ever asked for."""
    return session.scalars(select(Booking.id).where(Booking.party_id == party)).all()


def offers_for(session: Session, bookings: Collection[int], *, at: datetime) -> dict[int, BookingView]:
    """What a lender offers in place of each of these bookings, and that nobody has answered yet."""
    query = _BOOKINGS.where(Booking.replaces_id.in_(bookings), BookingDecision.booking_id.is_(None))
    return {offer.replaces_id: offer for offer in _views(session, query, at=at) if offer.replaces_id is not None}


class Around(NamedTuple):
    """The bookings that go with one: what is offered in its place, and nobody has answered yet; the last change that
    was asked of it, unless that was refused or given up: it waits, or took its place; what it would take the place of.
    """

    offer: BookingView | None
    change: BookingView | None
    before: BookingView | None


NOTHING_AROUND = Around(None, None, None)


def around(session: Session, of: BookingView, *, at: datetime) -> Around:
    """The bookings that go with one, in one query."""
    before = of.replaces_id or of.changes_id
    query = _BOOKINGS.where(or_(Booking.replaces_id == of.id, Booking.changes_id == of.id, Booking.id == before))
    found = _views(session, query.order_by(Booking.id.desc()), at=at)

    def first(those: Iterable[BookingView]) -> BookingView | None:
        return next(iter(those), None)

    return Around(
        first(each for each in found if each.replaces_id == of.id and each.decision is None),
        first(each for each in found if each.changes_id == of.id and each.cancellation is None
              and (each.decision is None or each.decision.verdict == "accepted")),
        first(each for each in found if each.id == before),
    )  # fmt: skip


def of_parties(
    session: Session, parties: Collection[int], *, at: datetime, before: int | None = None, size: int = 25
) -> list[BookingView]:
    """What these parties asked for, the last asked first; of a series, its first day."""
    query = _BOOKINGS.where(Booking.party_id.in_(parties), _LEADS)
    if before is not None:
        query = query.where(Booking.id < before)
    return _views(session, query.order_by(Booking.id.desc()).limit(size), at=at)


def between(
    session: Session, first: datetime, last: datetime, *, at: datetime, parties: Collection[int] = (),
    lenders: Collection[int] = (), size: int = 3000,
) -> list[BookingView]:  # fmt: skip
    """What these parties have, and what is asked of these lenders, between two instants: what is over comes last, so
    that what is ahead is there even when there is too much of it.
    """
    query = _BOOKINGS.where(or_(Booking.party_id.in_(parties), Booking.lender_id.in_(lenders)))
    over = Booking.ends_at <= at
    query = query.where(Booking.starts_at < last, Booking.ends_at > first)
    order = (over, func.abs(func.extract("epoch", Booking.starts_at - at)), Booking.id)
    return _views(session, query.order_by(*order).limit(size), at=at)


def prolonged(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """When more time was last granted to those of these bookings that had some."""
    rows = session.execute(
        select(Extension.booking_id, func.max(ExtensionDecision.decided_at))
        .join(ExtensionDecision, ExtensionDecision.extension_id == Extension.id)
        .where(Extension.booking_id.in_(ids), ExtensionDecision.verdict == "granted")
        .group_by(Extension.booking_id)
    ) if ids else ()  # fmt: skip
    return {row[0]: row[1] for row in rows}


def of_series(session: Session, series: int, *, at: datetime) -> list[BookingView]:
    """The days of a series, in order."""
    return _views(session, _BOOKINGS.where(Booking.series_id == series).order_by(Booking.starts_at, Booking.id), at=at)


class SeriesView(NamedTuple):
    """The series that a day belongs to, and how many days it has."""

    token: str
    days: int


def series_of(session: Session, ids: Collection[int]) -> dict[int, SeriesView]:
    """These series, by id."""
    rows = session.execute(
        select(Series.id, Series.token, func.count(Booking.id))
        .join(Booking, Booking.series_id == Series.id)
        .where(Series.id.in_(ids))
        .group_by(Series.id)
    ) if ids else ()  # fmt: skip
    return {row[0]: SeriesView(*row[1:]) for row in rows}


def series_within(session: Session, token: str, parties: Collection[int]) -> Series | None:
    """The series of this random identifier, if one of these parties asked for it."""
    return session.scalar(select(Series).where(Series.token == token, Series.party_id.in_(parties)))


def series_of_lender(session: Session, token: str, lender: int) -> Series | None:
    """The series of this random identifier, if it is asked of this lender."""
    return session.scalar(select(Series).where(Series.token == token, Series.lender_id == lender))


class Coming(NamedTuple):
    """What somebody has ahead of them, in a line."""

    token: str
    resource_id: int
    starts_at: datetime
    ends_at: datetime
    pending: bool
    held_until: datetime | None  # until when it is held without being asked for firmly


def coming(session: Session, parties: Collection[int], *, at: datetime, size: int = 3) -> list[Coming]:
    """What these parties have ahead of them, in one query: what they must still confirm, then what is pending or
    accepted, the nearest first.
    """
    first_item = (
        select(BookingItem.resource_id).where(BookingItem.booking_id == Booking.id).order_by(BookingItem.id).limit(1)
    )
    rows = session.execute(
        select(Booking.token, first_item.scalar_subquery(), Booking.starts_at, Booking.ends_at,
               BookingDecision.booking_id.is_(None), Booking.held_until)
        .outerjoin(BookingDecision, BookingDecision.booking_id == Booking.id)
        .outerjoin(BookingCancellation, BookingCancellation.booking_id == Booking.id)
        .outerjoin(Return, Return.booking_id == Booking.id)
        .outerjoin(NoShow, NoShow.booking_id == Booking.id)
        .where(Booking.party_id.in_(parties), Booking.ends_at > at, BookingCancellation.booking_id.is_(None))
        .where(func.coalesce(BookingDecision.verdict, "accepted") == "accepted", Return.booking_id.is_(None))
        .where(BookingDecision.booking_id.is_not(None) | Booking.replaces_id.is_(None))
        .where(NoShow.booking_id.is_(None), or_(Booking.held_until.is_(None), Booking.held_until > at))
        .order_by(Booking.held_until.is_(None), Booking.starts_at, Booking.id)
        .limit(size)
    )  # fmt: skip
    return [Coming(*row) for row in rows]


class Due(NamedTuple):
    """What an office has to do for a booking, in a line: "decide", "take-back" (out, ``late`` or not), "hand-over" (of
    things) or "open" (a room).
    """

    token: str
    lender_id: int
    party_id: int
    resource_id: int
    starts_at: datetime
    ends_at: datetime
    act: str
    late: bool


_FIRST_ITEM = "(SELECT i.resource_id FROM booking_items i WHERE i.booking_id = b.id ORDER BY i.id LIMIT 1)"
_UNDECIDED = text(
    f"""
    SELECT b.token, b.lender_id, b.party_id, {_FIRST_ITEM}, b.starts_at, b.ends_at, 'decide', false, count(*) OVER ()
      FROM bookings b
     WHERE b.lender_id = ANY (:lenders) AND b.replaces_id IS NULL AND b.held_until IS NULL
       AND NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
       AND {_WAITING_BEFORE.format("b")}
       AND (NOT EXISTS (SELECT FROM booking_circuits w WHERE w.booking_id = b.id)
            OR :sign_in IN (SELECT speakers(step_of(b.id), :on)))
     ORDER BY file_complete_at(b.id) NULLS LAST, b.asked_at, b.id LIMIT :size
    """  # noqa: S608 - a constant
)
_TODAY = text(
    f"""
    SELECT b.token, b.lender_id, b.party_id, {_FIRST_ITEM}, b.starts_at, b.ends_at,
           CASE WHEN h.booking_id IS NOT NULL THEN 'take-back' WHEN things THEN 'hand-over' ELSE 'open' END,
           h.booking_id IS NOT NULL AND b.ends_at < :at, count(*) OVER ()
      FROM bookings b
      JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'accepted'
      LEFT JOIN hand_overs h ON h.booking_id = b.id
     CROSS JOIN LATERAL (
           SELECT EXISTS (SELECT FROM booking_items i JOIN resources r ON r.id = i.resource_id
                           WHERE i.booking_id = b.id AND r.kind <> 'room') AS things) what
     WHERE b.lender_id = ANY (:lenders)
       AND (CAST(:units AS bigint[]) IS NULL OR EXISTS (
           SELECT FROM booking_items i JOIN resource_units u ON u.resource_id = i.resource_id
            WHERE i.booking_id = b.id AND u.unit_id = ANY (:units)))
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM returns r WHERE r.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM no_shows n WHERE n.booking_id = b.id)
       AND CASE WHEN h.booking_id IS NULL THEN b.starts_at < :until AND (b.ends_at > :at OR things)
                ELSE b.ends_at < :back_by END
     ORDER BY CASE WHEN h.booking_id IS NULL THEN b.starts_at ELSE b.ends_at END, b.id LIMIT :size
    """  # noqa: S608 - a constant
)


def undecided(
    session: Session, lenders: Collection[int], *, sign_in: int, on: date, size: int = 3
) -> tuple[list[Due], int]:
    """The requests of these lenders that wait for somebody's word, those whose file was complete first, and how many
    wait in all.
    """
    wanted = {"lenders": list(lenders), "sign_in": sign_in, "on": on, "size": size}
    return _due(session.execute(_UNDECIDED, wanted))


def of_the_day(
    session: Session, lenders: Collection[int], *, at: datetime, until: datetime, size: int = 6
) -> tuple[list[Due], int]:
    """What these lenders open, hand over or take back before ``until``, what is late included; and how much in all."""
    values = {"lenders": list(lenders), "units": None, "at": at, "until": until, "back_by": until, "size": size}
    return _due(session.execute(_TODAY, values))


def at_hand(
    session: Session, units: Collection[int], lender: int, *, at: datetime, until: datetime, size: int = 6
) -> list[Due]:
    """What a lender does with something: opens or hands it over before ``until``; takes it back, whenever it ends."""
    values = {"lenders": [lender], "units": list(units), "at": at, "until": until, "back_by": policy.FOREVER,
              "size": size}  # fmt: skip
    return _due(session.execute(_TODAY, values))[0]


def _due(rows: Iterable[Any]) -> tuple[list[Due], int]:
    found = list(rows)
    return [Due(*row[:-1]) for row in found], found[0][-1] if found else 0


# Since when the file of a request holds all that is asked for: the order in which requests are decided.
_COMPLETE_AT: ColumnElement[datetime] = func.file_complete_at(Booking.id)


def to_decide(session: Session, lender: int, *, at: datetime, size: int = 100) -> list[BookingView]:
    """The requests that wait for this lender's decision, those whose file was complete first before the others, and
    what is incomplete last; of a series, its first day.
    """
    query = (
        _BOOKINGS.where(Booking.lender_id == lender, BookingDecision.booking_id.is_(None), _LEADS_WAITING)
        .where(BookingCancellation.booking_id.is_(None), Booking.replaces_id.is_(None), Booking.held_until.is_(None))
        .order_by(_COMPLETE_AT.nulls_last(), Booking.asked_at, Booking.id)
        .limit(size)
    )
    return _views(session, query, at=at)


class OptionOver(NamedTuple):
    """An option that is in the way of something."""

    id: int
    token: str
    party_id: int
    kind: str
    held_until: datetime


_OPTIONS_OVER = """
    SELECT b.id, b.token, b.party_id, p.kind, b.held_until FROM bookings b JOIN options p ON p.booking_id = b.id
     WHERE b.held_until {0} CAST(:at AS timestamptz) AND EXISTS (
           SELECT FROM booking_items i JOIN resource_units u ON u.resource_id = i.resource_id
             JOIN resource_units mine ON mine.unit_id = u.unit_id JOIN resources r ON r.id = mine.resource_id
            WHERE i.booking_id = b.id AND mine.resource_id = ANY (:resources)
              AND b.starts_at < CAST(:ends_at AS timestamptz) + make_interval(mins => r.buffer_minutes)
              AND b.ends_at + make_interval(mins => i.buffer_minutes) > :starts_at)
     ORDER BY b.id
"""
_OPEN_OVER, _LAPSED_OVER = text(_OPTIONS_OVER.format(">")), text(_OPTIONS_OVER.format("<="))


def options_over(
    session: Session, resources: Collection[int], starts_at: datetime, ends_at: datetime, *, at: datetime,
    lapsed: bool = False,
) -> list[OptionOver]:  # fmt: skip
    """The open options that hold something of these resources during a span; ``lapsed``, those whose day has passed and
    that nobody has closed yet.
    """
    values = {"resources": list(resources), "starts_at": starts_at, "ends_at": ends_at, "at": at}
    return [OptionOver(*row) for row in session.execute(_LAPSED_OVER if lapsed else _OPEN_OVER, values)]


_OPTION_TO_REMIND = text(
    """
    SELECT due.kind, b.id FROM bookings b JOIN options p ON p.booking_id = b.id
      LEFT JOIN booking_decisions d ON d.booking_id = b.id
     CROSS JOIN LATERAL (
        SELECT CASE WHEN b.held_until IS NOT NULL THEN 'soon' ELSE 'over' END AS kind) due
     WHERE NOT EXISTS (SELECT FROM option_letters l WHERE l.booking_id = b.id AND l.kind = due.kind)
       AND CASE due.kind
           WHEN 'soon' THEN p.kind = 'taken' AND b.held_until > CAST(:at AS timestamptz)
                AND b.held_until <= CAST(:at AS timestamptz) + make_interval(hours => :soon)
                AND b.held_until - p.taken_at > make_interval(hours => :soon)
                AND NOT EXISTS (SELECT FROM option_calls c WHERE c.booking_id = b.id)
           ELSE d.verdict = 'expired' AND d.decided_at > CAST(:at AS timestamptz) - interval '2 days'
                AND NOT EXISTS (SELECT FROM option_confirmations c WHERE c.booking_id = b.id) END
     ORDER BY b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED
    """
)


def option_to_remind(session: Session, *, at: datetime, soon: int) -> tuple[str, int] | None:
    """An option about which a letter is due, under its row's lock: "soon", so many hours before its end, or "over"; and
    its id. Who was called by somebody else's wish, or took it for less than that, was told its end then.
    """
    row = session.execute(_OPTION_TO_REMIND, {"at": at, "soon": soon}).one_or_none()
    return (row[0], row[1]) if row else None


def to_follow(session: Session, lender: int, *, at: datetime, until: datetime, size: int = 100) -> list[BookingView]:
    """What this lender hands over or takes back: out, late, or starting before ``until``; the nearest end first.

    Things that nobody came for stay there until that is noted.
    """
    query = _BOOKINGS.where(Booking.lender_id == lender, _followed(at, until))
    return _views(session, query.order_by(Booking.ends_at, Booking.id).limit(size), at=at)


def _followed(at: datetime, until: datetime) -> ColumnElement[bool]:
    expected = (Booking.starts_at < until) & ((Booking.ends_at > at) | _WITH_THINGS)
    return and_(
        BookingDecision.verdict == "accepted", BookingCancellation.booking_id.is_(None), Return.booking_id.is_(None),
        NoShow.booking_id.is_(None), HandOver.booking_id.is_not(None) | expected,
    )  # fmt: skip


def at_the_desk(
    session: Session, lender: int, *, at: datetime, until: datetime, size: int = 200
) -> tuple[list[BookingView], list[BookingView]]:
    """What is held of this lender's without a firm request, what ends first before the rest; and what it follows, as
    ``to_follow`` says, in one query.
    """
    query = _BOOKINGS.where(Booking.lender_id == lender, _followed(at, until) | (Booking.held_until > at))
    found = _views(session, query.order_by(Booking.ends_at, Booking.id).limit(size), at=at)
    held = sorted((view for view in found if view.held_until), key=lambda view: (view.held_until or at, view.id))
    return held, [view for view in found if not view.held_until]


def decided(
    session: Session, lender: int, *, at: datetime, before: int | None = None, size: int = 25
) -> list[BookingView]:
    """What this lender decided, the last asked first."""
    query = _BOOKINGS.where(Booking.lender_id == lender, BookingDecision.booking_id.is_not(None))
    if before is not None:
        query = query.where(Booking.id < before)
    return _views(session, query.order_by(Booking.id.desc()).limit(size), at=at)


def overdue(session: Session, party: int, *, at: datetime, apart_from: int = 0) -> int:
    """How many loans a party should have brought back, apart from one."""
    return session.execute(
        select(func.count())
        .select_from(Booking)
        .join(HandOver, HandOver.booking_id == Booking.id)
        .outerjoin(Return, Return.booking_id == Booking.id)
        .where(Booking.party_id == party, Booking.ends_at < at, Return.booking_id.is_(None), Booking.id != apart_from)
    ).scalar_one()


def rooms_to_settle(session: Session, community: int, *, at: datetime, size: int = 100) -> list[BookingView]:
    """Accepted bookings of rooms alone, started, whose minutes are still set aside."""
    resolved = select(hold_resolutions.c.hold_id)
    query = (
        _BOOKINGS.where(Booking.community_id == community, Booking.starts_at <= at)
        .where(BookingDecision.hold_id.is_not(None), BookingDecision.hold_id.not_in(resolved), ~_WITH_THINGS)
        .where(BookingCancellation.booking_id.is_(None))
        .order_by(Booking.id)
        .limit(size)
        .with_for_update(of=Booking, skip_locked=True)
    )
    return _views(session, query, at=at)


def uncollected(session: Session, *, before: datetime, at: datetime, size: int = 100) -> list[BookingView]:
    """Accepted bookings with things that ended before an instant without any hand-over, under their rows' locks.

    What was read before a lock was had may have changed since: it is read again under it.
    """
    locked = session.scalars(
        select(Booking.id)
        .join(BookingDecision, BookingDecision.booking_id == Booking.id)
        .where(BookingDecision.verdict == "accepted", Booking.ends_at <= before, _WITH_THINGS)
        .where(Booking.id.not_in(select(HandOver.booking_id)), Booking.id.not_in(select(NoShow.booking_id)))
        .where(Booking.id.not_in(select(BookingCancellation.booking_id)))
        .order_by(Booking.id)
        .limit(size)
        .with_for_update(of=Booking, skip_locked=True)
    ).all()
    again = _views(session, _BOOKINGS.where(Booking.id.in_(locked)).order_by(Booking.id), at=at) if locked else []
    return [view for view in again if view.state == "past"]


def with_things(session: Session, booking: int) -> bool:
    """Whether there is something to hand over: a thing or a pool, not a room alone."""
    return session.scalar(select(Booking.id).where(Booking.id == booking, _WITH_THINGS)) is not None


def hold_resolved(session: Session, hold: int) -> bool:
    """Whether minutes that were set aside have been posted or given back."""
    return session.scalar(select(hold_resolutions.c.hold_id).where(hold_resolutions.c.hold_id == hold)) is not None


class Taken(NamedTuple):
    """A unit held for a span, by a booking of a party."""

    unit_id: int
    starts_at: datetime
    ends_at: datetime
    booking_token: str
    party_id: int
    pending: bool
    held_until: datetime | None


# What an option holds beyond its day: anybody may have it, whether the worker has freed it yet or not.
LAPSED = (
    "ARRAY(SELECT i.id FROM bookings b JOIN booking_items i ON i.booking_id = b.id"
    " WHERE b.held_until <= CAST(:at AS timestamptz))"
)


def taken(
    session: Session, units: Iterable[int], starts_at: datetime, ends_at: datetime, *, at: datetime
) -> Sequence[Taken]:
    """What occupies these units between two instants."""
    query = (
        select(
            Occupancy.unit_id, func.lower(Occupancy.during), func.upper(Occupancy.during), Booking.token,
            Booking.party_id, BookingDecision.booking_id.is_(None), Booking.held_until,
        )
        .join(BookingItem, BookingItem.id == Occupancy.booking_item_id)
        .join(Booking, Booking.id == BookingItem.booking_id)
        .outerjoin(BookingDecision, BookingDecision.booking_id == Booking.id)
        .where(Occupancy.unit_id.in_(list(units)))
        .where(Occupancy.during.overlaps(Range(starts_at, ends_at)))
        .where(or_(Booking.held_until.is_(None), Booking.held_until > at))
        .order_by(Occupancy.during)
    )  # fmt: skip
    return [Taken(*row) for row in session.execute(query)]


class TakenBy(NamedTuple):
    """A unit held for a span by a booking, with what only its lender's office reads of it."""

    unit_id: int
    starts_at: datetime
    ends_at: datetime
    token: str
    party_id: int
    purpose: str
    pending: bool


def taken_by(
    session: Session, units: Collection[int], lender: int, starts_at: datetime, ends_at: datetime, *, at: datetime
) -> list[TakenBy]:
    """Who has these units of a lender between two instants, without the time to put them back in order."""
    query = (
        select(Occupancy.unit_id, Booking.starts_at, Booking.ends_at, Booking.token, Booking.party_id, Booking.purpose,
               BookingDecision.booking_id.is_(None))
        .join(BookingItem, BookingItem.id == Occupancy.booking_item_id)
        .join(Booking, Booking.id == BookingItem.booking_id)
        .outerjoin(BookingDecision, BookingDecision.booking_id == Booking.id)
        .where(Occupancy.unit_id.in_(units), Booking.lender_id == lender)
        .where(Occupancy.during.overlaps(Range(starts_at, ends_at)))
        .where(or_(Booking.held_until.is_(None), Booking.held_until > at))
        .order_by(Booking.starts_at, Booking.id)
    )  # fmt: skip
    return [TakenBy(*row) for row in session.execute(query)]


class TakenOf(NamedTuple):
    """Some of a pool held for a span, by an item of a booking."""

    item_id: int
    hold: policy.Hold


def taken_of(session: Session, pool: int, starts_at: datetime, ends_at: datetime | None) -> list[TakenOf]:
    """What is held of a pool between two instants; without a second, from the first on."""
    rows = session.execute(
        select(PoolOccupancy.booking_item_id, func.lower(PoolOccupancy.during), func.upper(PoolOccupancy.during),
               PoolOccupancy.quantity)
        .where(PoolOccupancy.pool_id == pool, PoolOccupancy.during.overlaps(Range(starts_at, ends_at)))
    )  # fmt: skip
    return [TakenOf(row[0], policy.Hold(*row[1:])) for row in rows]


def held_by(session: Session, booking: int) -> dict[int, policy.Hold]:
    """What a booking holds now, by unit and by pool."""
    mine = select(BookingItem.id).where(BookingItem.booking_id == booking)
    units = select(
        Occupancy.unit_id, func.lower(Occupancy.during), func.upper(Occupancy.during), literal_column("1")
    ).where(Occupancy.booking_item_id.in_(mine))
    pools = select(
        PoolOccupancy.pool_id, func.lower(PoolOccupancy.during), func.upper(PoolOccupancy.during),
        PoolOccupancy.quantity,
    ).where(PoolOccupancy.booking_item_id.in_(mine))  # fmt: skip
    return {row[0]: policy.Hold(*row[1:]) for row in session.execute(union_all(units, pools))}


def held_until(session: Session, booking: int) -> dict[tuple[int, int], datetime]:
    """Until when each item of a booking holds each of its units, or its pool; nothing of what is back."""
    mine = select(BookingItem.id).where(BookingItem.booking_id == booking)
    rows = session.execute(union_all(
        select(Occupancy.booking_item_id, Occupancy.unit_id, func.upper(Occupancy.during))
        .where(Occupancy.booking_item_id.in_(mine)),
        select(PoolOccupancy.booking_item_id, PoolOccupancy.pool_id, func.upper(PoolOccupancy.during))
        .where(PoolOccupancy.booking_item_id.in_(mine)),
    ))  # fmt: skip
    found: dict[tuple[int, int], datetime] = {}
    for item, unit, ends in rows:
        found[item, unit] = max(ends, found.get((item, unit), ends))
    return found


_NEXT_OF_UNIT = text(
    """
    SELECT min(lower(during)) FROM (
        SELECT during FROM occupancy WHERE unit_id = :unit AND during && tstzrange(:starts_at, :ends_at)
         UNION ALL
        SELECT during FROM closed_units WHERE unit_id = :unit AND during && tstzrange(:starts_at, :ends_at)) taken
    """
)


def unit_free_until(session: Session, unit: int, starts_at: datetime, ends_at: datetime) -> datetime:
    """Until when a unit is neither booked nor closed, from an instant on; another at most."""
    values = {"unit": unit, "starts_at": starts_at, "ends_at": ends_at}
    found: datetime | None = session.scalar(_NEXT_OF_UNIT, values)
    return ends_at if found is None else max(found, starts_at)


def pool_free_until(session: Session, pool: int, owned: int, more: policy.Hold) -> datetime:
    """Until when so many more of a pool can be held, from the beginning of a span on; its end at most."""
    taken = [each.hold for each in taken_of(session, pool, more.starts_at, more.ends_at)]
    closed = closures.closed_things(session, [pool], more.starts_at, more.ends_at)
    taken += [policy.Hold(each.starts_at, each.ends_at or more.ends_at, each.quantity) for each in closed
              if each.starts_at < (each.ends_at or more.ends_at)]  # fmt: skip
    over = policy.too_many([*taken, more], owned)
    first = min((max(start, more.starts_at) for start, end in over if end > more.starts_at), default=more.ends_at)
    return min(first, more.ends_at)


def extra_minutes(session: Session, booking: int) -> int:
    """What the time that was granted to a loan costs besides."""
    asked = select(Extension.id).where(Extension.booking_id == booking)
    total = select(func.coalesce(func.sum(ExtensionDecision.minutes), 0)).where(
        ExtensionDecision.extension_id.in_(asked)
    )
    return int(session.execute(total).scalar_one())


def holds_of_extensions(session: Session, booking: int) -> list[tuple[int, int, int]]:
    """What is set aside for the time that was granted and not resolved: hold, community, minutes."""
    rows = session.execute(
        select(holds.c.id, holds.c.community_id, holds.c.minutes)
        .join(ExtensionDecision, ExtensionDecision.hold_id == holds.c.id)
        .join(Extension, Extension.id == ExtensionDecision.extension_id)
        .where(Extension.booking_id == booking, holds.c.id.not_in(select(hold_resolutions.c.hold_id)))
        .order_by(holds.c.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


_TO_REMIND = text(
    f"""
    SELECT due.kind, b.id FROM bookings b JOIN hand_overs h ON h.booking_id = b.id
     CROSS JOIN LATERAL (
        SELECT CASE WHEN b.ends_at > :at THEN 'soon' ELSE 'late' END AS kind) due
     WHERE NOT EXISTS (SELECT FROM returns r WHERE r.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM loan_reminders l WHERE l.booking_id = b.id AND l.kind = due.kind
                          AND l.ends_at = b.ends_at)
       AND CASE due.kind WHEN 'soon' THEN b.ends_at <= :soon AND b.ends_at - b.starts_at >= :long_enough
                ELSE b.ends_at <= CASE WHEN {_HAS_THINGS.format("b")} THEN CAST(:things AS timestamptz)
                                       ELSE CAST(:rooms AS timestamptz) END END
     ORDER BY b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED
    """  # noqa: S608 - a constant
)


def to_remind(
    session: Session, *, at: datetime, soon: timedelta, long_enough: timedelta, late_by: Mapping[str, timedelta]
) -> tuple[str, int] | None:
    """A loan that is out and about which a letter is due, under its row's lock: its kind ("soon" or "late") and id."""
    values = {"at": at, "soon": at + soon, "long_enough": long_enough,
              **{name: at - delay for name, delay in late_by.items()}}  # fmt: skip
    row = session.execute(_TO_REMIND, values).one_or_none()
    return (row[0], row[1]) if row else None


_LEFT = text(
    "SELECT r.id, r.quantity - pool_peak(r.id, tstzrange(:starts_at,"  # noqa: S608 - a constant
    f" CAST(:ends_at AS timestamptz) + make_interval(mins => r.buffer_minutes)), {LAPSED})"
    " FROM resources r WHERE r.id IN :pools"
).bindparams(bindparam("pools", expanding=True))


def left_in(
    session: Session, pools: Collection[int], starts_at: datetime, ends_at: datetime, *, at: datetime
) -> dict[int, int]:
    """How many things of each pool can be asked for during a span.

    They stay free until they are put back in order too: a request takes them until then (``policy.held_until``).
    """
    if not pools:
        return {}
    rows = session.execute(_LEFT, {"pools": list(pools), "starts_at": starts_at, "ends_at": ends_at, "at": at})
    return {row[0]: int(row[1]) for row in rows}
