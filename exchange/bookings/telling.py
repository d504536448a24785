"""What the pages and the API of lending share: loading a row through who asks, and telling it with its names."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.bookings import operations, policy, queries
from exchange.bookings.operations import Request
from exchange.bookings.queries import BookingView, SeriesView
from exchange.catalogue import policy as terms
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import NotFound, PoolExhausted, SlotTaken
from exchange.hours import open_throughout
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


def split(
    found: list[ResourceView], span: tuple[datetime, datetime]
) -> tuple[list[ResourceView], list[ResourceView]]:
    """Those that are lent, open and free during the whole span, and until they are put in order; and the others."""
    session, zone = db.session(), territory().zone
    units = catalogue.units_of(session, [r.id for r in found if r.kind != "pool"])
    busy = {}
    for minutes in {r.buffer_minutes for r in found if r.kind != "pool"}:  # a few lengths, whatever the town lends
        leaves = [unit for r in found if r.kind != "pool" and r.buffer_minutes == minutes for unit in units[r.id]]
        busy[minutes] = queries.busy_units(session, leaves, span[0], policy.held_until(span[1], minutes))
    left = queries.left_in(session, [r.id for r in found if r.kind == "pool"], *span)

    def is_free(resource: ResourceView) -> bool:
        if resource.kind == "pool":
            return left[resource.id] > 0
        return not busy[resource.buffer_minutes].intersection(units[resource.id])

    there, at = ZoneInfo(zone), clock.now()
    days = span[0].astimezone(there), span[1].astimezone(there)

    def is_lent(resource: ResourceView) -> bool:
        refused = terms.refusal_to_ask(resource.terms, *days, at=at)
        return refused is None and open_throughout(resource.opening_hours, zone, *span)

    free = [r for r in found if is_free(r) and is_lent(r)]
    ids = {resource.id for resource in free}
    return free, [resource for resource in found if resource.id not in ids]


def check_still_free(wanted: Request) -> None:
    """A courtesy before the last screen: what decides is the request itself.

    Raises OutOfService, SlotTaken or PoolExhausted.
    """
    session = db.session()
    operations.check_not_closed(session, wanted)
    pools = [each for each in wanted.wanted if each.resource.kind == "pool"]
    for resource, _quantity in wanted.wanted:
        if resource.kind == "pool":
            continue
        units = catalogue.units_of(session, [resource.id])[resource.id]
        until = policy.held_until(wanted.ends_at, resource.buffer_minutes)
        if queries.busy_units(session, units, wanted.starts_at, until):
            raise SlotTaken(name=resource.name, resource=resource.id)
    left = queries.left_in(session, [each.resource.id for each in pools], wanted.starts_at, wanted.ends_at)
    for resource, quantity in pools:
        if quantity > left[resource.id]:
            raise PoolExhausted(name=resource.name, resource=resource.id, asked=quantity,
                                left=max(left[resource.id], 0))  # fmt: skip


def community_of(evaluation: Evaluation) -> members.CommunityView | None:
    """Whose books a price is written in; None for a free loan."""
    return members.community(db.session(), evaluation.community) if evaluation.community else None


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


def write_to(session: Session, party: int, template: str, found: BookingView, *, at: datetime) -> None:
    """Write a letter about a booking to one of its two sides."""
    outbox.write(session, members.e_mails_of(session, party, on=today()), template, at=at, told=tell([found])[0])


def write_no_show(session: Session, found: BookingView, *, at: datetime) -> None:
    """Tell both sides that nobody came for the things, and what becomes of the minutes."""
    write_to(session, found.party_id, "booking_no_show", found, at=at)
    write_to(session, found.lender_id, "booking_no_show_lender", found, at=at)
