"""What the pages and the API of lending share: loading a row through who asks, and telling it with its names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.bookings import availability, operations, opinions, options, queries, waiting
from exchange.bookings.extending import Outcome, Reminder
from exchange.bookings.geography import ON_MAPS
from exchange.bookings.models import Booking, Series
from exchange.bookings.operations import on_the_day
from exchange.bookings.queries import BookingView, SeriesView
from exchange.bookings.waiting import WishView
from exchange.bookings.wanted import request_of
from exchange.bookings.wishes import Joined, Turns
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import Lendable, ResourceView
from exchange.circuits import queries as circuits
from exchange.db import db
from exchange.dues import queries as dues
from exchange.dues.policy import Due
from exchange.errors import NotFound
from exchange.formats import described, explain, local
from exchange.members import queries as members
from exchange.reciprocity.policy import Evaluation
from exchange.security import Scope, office, own, territory, today
from ledger.entries import Acting

# -- what is lent


def published(token: str) -> ResourceView:
    """What everybody may ask for. Raises NotFound."""
    found = catalogue.published_by_token(db.session(), token)
    if found is None:
        raise NotFound
    return found


def for_all(it: ResourceView, lender: members.PartyView) -> ResourceView:
    """What everybody may read of something that is lent."""
    return it if lender.kind in ON_MAPS else it.without_home()


def free_of(found: Iterable[Lendable], span: tuple[datetime, datetime]) -> set[int]:
    """The ids of those that this person could ask for during the whole span."""
    return availability.free_among(db.session(), found, *span, zone=territory().zone, at=clock.now())


def community_of(evaluation: Evaluation) -> members.CommunityView | None:
    """Whose books a price is written in; None for a free loan."""
    return members.community(db.session(), evaluation.community) if evaluation.community else None


# -- who waits


class Waited(NamedTuple):
    """A place on a waiting list with the names that its page tells."""

    wish: WishView
    lender: members.PartyView
    party: members.PartyView
    resources: dict[int, ResourceView]

    @property
    def day(self) -> date:
        """The day that is waited for, in the territory."""
        return local(self.wish.starts_at).date()

    @property
    def what(self) -> str:
        """All that is waited for."""
        return described(self.wish.request(self.resources).wanted)

    @property
    def first(self) -> ResourceView:
        """What it started from."""
        return self.resources[self.wish.items[0][0]]


def waited(found: list[WishView]) -> list[Waited]:
    """Places with their names, in two queries however many they are."""
    session = db.session()
    parties = members.parties(session, {id_ for wish in found for id_ in (wish.lender_id, wish.party_id)})
    resources = catalogue.views(session, {id_ for wish in found for id_, _many in wish.items})
    return [Waited(wish, parties[wish.lender_id], parties[wish.party_id], resources) for wish in found]


def own_wish(token: str) -> tuple[WishView, Scope]:
    """A place of mine, or of those I act for. Raises NotFound."""
    scope = own("booking.read")
    found = waiting.within(db.session(), token, scope.parties, at=clock.now())
    if found is None:
        raise NotFound
    return found, scope


# -- bookings


class Told(NamedTuple):
    """A booking with the names that its page tells."""

    booking: BookingView
    lender: members.PartyView
    party: members.PartyView
    resources: dict[int, ResourceView]
    community: members.CommunityView | None
    series: SeriesView | None
    typed_by: str | None
    closed_by: str | None  # who noted that nobody came; None when the worker did

    @property
    def first(self) -> ResourceView:
        """What the request started from."""
        return self.resources[self.booking.items[0].resource_id]

    @property
    def title(self) -> str:
        """What is booked, in short."""
        return self.first.name

    @property
    def what(self) -> str:
        """All that is booked."""
        return described(request_of(self.booking, self.resources).wanted)

    @property
    def counted(self) -> int:
        """The minutes that are counted though nobody came for the things: those of the rooms."""
        return operations.minutes_of_rooms(self.booking, self.resources)


def tell(found: list[BookingView], *, typed_by: bool = True) -> list[Told]:
    """Bookings with their names, in four queries however many they are; one less without who typed them."""
    session = db.session()
    parties = members.parties(session, [id_ for b in found for id_ in (b.lender_id, b.party_id)])
    resources = catalogue.views(session, [item.resource_id for b in found for item in b.items])
    communities = {c.id: c for c in members.communities(session)} if any(b.community_id for b in found) else {}
    series = queries.series_of(session, {b.series_id for b in found if b.series_id is not None})
    noted = {b.id: b.no_show.by_sign_in for b in found if b.no_show}
    typed = members.sign_in_names(session, [*(b.by_sign_in for b in found if typed_by), *noted.values()])
    return [
        Told(b, parties[b.lender_id], parties[b.party_id], resources, communities.get(b.community_id or 0),
             series.get(b.series_id or 0), typed.get(b.by_sign_in or 0), typed.get(noted.get(b.id) or 0))
        for b in found
    ]  # fmt: skip


def own_booking(token: str) -> tuple[BookingView, Scope]:
    """A booking of mine, or of those I act for. Raises NotFound."""
    scope = own("booking.read")
    found = queries.within(db.session(), token, scope.parties, at=clock.now())
    if found is None:
        raise NotFound
    return found, scope


def asked_of(lender: str, token: str) -> tuple[BookingView, Acting, members.PartyView]:
    """A booking asked of a lender, for its office: who acts, and for which lender. Raises NotFound, NotAllowed."""
    desk = office("booking.decide", lender)
    found = queries.of_lender(db.session(), token, desk.party.id, at=clock.now())
    if found is None:
        raise NotFound
    return found, desk.by, desk.party


def still_due(found: BookingView) -> list[Due]:
    """What is due in euros and not received, while the loan is still to be handed over."""
    asked = found.state in {"accepted", "past"} and any(found.euros.values())
    return dues.missing(db.session(), [found.id]).get(found.id, []) if asked else []


def own_series(token: str) -> Series:
    """A series of mine, or of those I act for. Raises NotFound."""
    found = queries.series_within(db.session(), token, own("booking.read").parties)
    if found is None:
        raise NotFound
    return found


def asked_series_of(lender: str, token: str) -> tuple[Series, Acting, members.PartyView]:
    """A series asked of a lender, for its office: who acts, and for which lender. Raises NotFound, NotAllowed."""
    desk = office("booking.decide", lender)
    found = queries.series_of_lender(db.session(), token, desk.party.id)
    if found is None:
        raise NotFound
    return found, desk.by, desk.party


def days_of(session: Session, of: Series, *, at: datetime) -> list[Told]:
    """The days of a series, in order."""
    return tell(queries.of_series(session, of.id, at=at))


def write_series(
    session: Session, party: int, template: str, of: Series, told: list[Told], *, at: datetime, **facts: Any
) -> None:
    """Write a letter about days of a series to one of its two sides."""
    outbox.write(session, members.e_mails_of(session, party, on=today()), template, at=at, told=told, series=of,
                 **facts)  # fmt: skip


def write_to(session: Session, party: int, template: str, found: BookingView, *, at: datetime) -> None:
    """Write a letter about a booking to one of its two sides."""
    outbox.write(session, members.e_mails_of(session, party, on=today()), template, at=at, told=tell([found])[0])


def write_accepted(session: Session, found: list[BookingView], *, at: datetime) -> None:
    """Tell who asked what is accepted: a letter for each request, and one for the days of a series."""
    for of, views in _by_series(session, found):
        if of:
            write_series(session, of.party_id, "series_accepted", of, tell(views), at=at)
        else:
            write_to(session, views[0].party_id, "booking_accepted", views[0], at=at)


def write_all_declined(session: Session, found: list[BookingView], *, ground: str, text: str, at: datetime) -> None:
    """The same of what is refused, with its ground and the remedy."""
    for of, views in _by_series(session, found):
        if of:
            write_series(session, of.party_id, "series_declined", of, tell(views), at=at, ground=ground, text=text)
        else:
            write_declined(session, views[0], ground=ground, text=text, at=at)


def _by_series(session: Session, found: list[BookingView]) -> list[tuple[Series | None, list[BookingView]]]:
    days: dict[int, list[BookingView]] = {}
    for view in found:
        days.setdefault(view.series_id or -view.id, []).append(view)
    return [(session.get(Series, key) if key > 0 else None, views) for key, views in days.items()]


def write_turn(session: Session, found: list[BookingView], *, by: Acting, at: datetime) -> None:
    """Tell who speaks next of one request, or of the days of one series."""
    turn = opinions.turns(session, found[:1], by=by, at=at).get(found[0].id) if found else None
    if turn is not None:
        to = members.of_sign_ins(session, circuits.speakers_of(session, turn.step_id, on=on_the_day(found[0], at)))
        said = circuits.said_of(session, turn.booking_id)
        outbox.write(session, to, "booking_turn", at=at, told=tell(found[:1])[0], turn=turn, days=len(found),
                     said=[each for each in said if each.given_at])  # fmt: skip


def write_asked(session: Session, booking: Booking, *, at: datetime) -> None:
    """Tell the lender what is asked of it, and until when it answers."""
    told = tell([queries.view(session, booking.id, at=at)])[0]
    outbox.write(
        session, members.e_mails_of(session, booking.lender_id, on=today()), "booking_asked", at=at, booking=booking,
        party=told.party, resource=told.first, lender=told.lender,
    )  # fmt: skip


def write_called(session: Session, joined: Joined, *, at: datetime) -> None:
    """Tell those who hold an option that somebody else wants it, and until when they may confirm it."""
    for view in joined.called:
        write_to(session, view.party_id, "option_called", view, at=at)


def write_turns(session: Session, turns: Turns, *, at: datetime) -> None:
    """Tell those whose turn it is, and those whom a rule refuses by now."""
    for view in turns.given:
        write_to(session, view.party_id, "wish_turn", view, at=at)
    for wish, told in zip(turns.refused, waited(turns.refused), strict=True):
        assert wish.finding is not None
        outbox.write(session, members.e_mails_of(session, wish.party_id, on=today()), "wish_refused", at=at, told=told,
                     said=explain(wish.finding))  # fmt: skip


def write_option(session: Session, due: options.Reminder, *, at: datetime) -> None:
    """Remind who holds an option of its end, or tell them that it is over."""
    kind = "turn" if due.kind == "over" and due.view.option == "turn" else "option"
    write_to(session, due.view.party_id, f"{kind}_{due.kind}", due.view, at=at)


def write_part_back(session: Session, after: BookingView, *, at: datetime) -> None:
    """Tell who borrows what was counted at a return, when something is missing or damaged."""
    if after.back is None or any(item.broken or item.lost for item in after.items):
        write_to(session, after.party_id, "booking_part_back", after, at=at)


def write_extension_asked(session: Session, outcome: Outcome, *, reason: str, at: datetime) -> None:
    """Tell the lender that more time was had at once, or is asked."""
    told = tell([outcome.view])[0]
    outbox.write(session, members.e_mails_of(session, told.lender.id, on=today()), "extension_asked", at=at, told=told,
                 granted=outcome.granted, until=outcome.until, reason=reason)  # fmt: skip


def write_extension_answered(session: Session, outcome: Outcome, *, text: str, at: datetime) -> None:
    """Tell who borrows what the office answered."""
    told = tell([outcome.view])[0]
    outbox.write(session, members.e_mails_of(session, told.party.id, on=today()), "extension_answered", at=at,
                 told=told, granted=outcome.granted, until=outcome.until, text=text)  # fmt: skip


def write_reminder(session: Session, due: Reminder, *, at: datetime) -> None:
    """Remind who borrows of the end; when it has passed, both sides are told."""
    write_to(session, due.view.party_id, f"loan_{due.kind}", due.view, at=at)
    if due.kind == "late":
        write_to(session, due.view.lender_id, "loan_late_lender", due.view, at=at)


def write_changed(session: Session, changed: int, before: Told, *, at: datetime) -> None:
    """Tell the lender what was asked ``before``, and what it is or would be now."""
    told = tell([queries.view(session, changed, at=at)])[0]
    outbox.write(session, members.e_mails_of(session, before.lender.id, on=today()), "booking_changed", at=at,
                 told=told, before=before)  # fmt: skip


def write_declined(session: Session, found: BookingView, *, ground: str, text: str, at: datetime) -> None:
    """Tell who asked why it is refused, what can be done about it, and that what it would have changed stands."""
    stands = found.changes_id and queries.view(session, found.changes_id, at=at).state == "accepted"
    outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_declined", at=at,
                 told=tell([found])[0], ground=ground, text=text, stands=stands)  # fmt: skip


def write_no_show(session: Session, found: BookingView, *, at: datetime) -> None:
    """Tell both sides that nobody came for the things, and what becomes of the minutes."""
    write_to(session, found.party_id, "booking_no_show", found, at=at)
    write_to(session, found.lender_id, "booking_no_show_lender", found, at=at)
