"""What a calendar tells: to everybody, when something is taken; to who booked it and to its lender, all of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from flask import current_app, url_for
from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _

from exchange import clock
from exchange.bookings import policy as rules
from exchange.bookings import queries as bookings
from exchange.bookings.queries import BookingView
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import queries as closures
from exchange.db import db
from exchange.errors import NotFound
from exchange.feeds import policy, queries
from exchange.feeds.queries import FeedView
from exchange.feeds.writing import Event, calendar
from exchange.formats import described
from exchange.members import queries as members
from exchange.members.queries import Held, PartyView
from exchange.security import OFFICES, OWN, today

HELD = {"accepted", "out", "late", "returned", "past"}
UNSURE = {"option", "pending", "offered"}
SAID = {
    "option": lazy_gettext("Option : %(what)s"),
    "pending": lazy_gettext("En attente : %(what)s"), "offered": lazy_gettext("À vous de répondre : %(what)s"),
    "declined": lazy_gettext("Refusé : %(what)s"), "expired": lazy_gettext("Sans réponse à temps : %(what)s"),
    "cancelled": lazy_gettext("Annulé : %(what)s"), "no-show": lazy_gettext("Non retiré : %(what)s"),
}  # fmt: skip


# -- addresses


def key() -> str:
    """What addresses are signed with."""
    return str(current_app.config["SECRET_KEY"])


def address_of(secret: str) -> str:
    """The whole address of a calendar, for a telephone: of somebody's, or of a resource's by its token."""
    return url_for("feeds.follow", address=policy.address_of(secret, key()), _external=True)


def sides_of(held: Iterable[Held]) -> dict[tuple[int, str], Held]:
    """What these mandates let one follow: sides of parties, each through its first mandate.

    What people lend in their own name goes with what they book: they have one calendar.
    """
    found: dict[tuple[int, str], Held] = {}
    for each in held:
        if each.role in OWN["booking.read"] - {"facilitator"}:
            found.setdefault((each.party_id, "bookings"), each)
        elif each.role in OFFICES["booking.decide"] and each.party_kind != "person":
            found.setdefault((each.party_id, "loans"), each)
    return found


def _lends_too(held: Iterable[Held], party: int) -> bool:
    return any(each.party_id == party and each.role in OFFICES["booking.decide"] for each in held)


# -- calendars


def followed(address: str) -> bytes:
    """The calendar at an address. Raises NotFound for a guessed one, and for what nobody may follow any more."""
    secret, session = policy.secret_of(address, key()), db.session()
    if secret is None:
        raise NotFound
    feed = queries.by_secret(session, secret)
    if feed is not None:
        return _of_feed(feed)
    it = catalogue.published_by_token(session, secret)
    if it is None:
        raise NotFound
    return of_resource(it)


def _of_feed(feed: FeedView) -> bytes:
    session, at = db.session(), clock.now()
    language = members.language_of(session, feed.sign_in_id)
    held = members.mandates_of(session, feed.sign_in_id, on=today())
    through = sides_of(held).get((feed.party_id, feed.side))
    if language is None or through is None:
        raise NotFound
    lends = feed.side == "loans" or _lends_too(held, feed.party_id)
    found = bookings.between(
        session, *policy.window(at), at=at, parties=[feed.party_id] if feed.side == "bookings" else [],
        lenders=[feed.party_id] if lends else [],
    )  # fmt: skip
    with force_locale(language):
        name = _("Prêts : %(name)s", name=through.party_name) if feed.side == "loans" else through.party_name
        return calendar(name, of_bookings(found, lender=feed.party_id if lends else None))


def of_resource(it: ResourceView) -> bytes:
    """When something is taken or closed, without a name or a reason."""
    session, at = db.session(), clock.now()
    first, last = policy.window(at)
    if it.kind == "pool":
        return calendar(it.name, [_public(it, "full", span, _("Tout est pris")) for span in _full(it, first, last)])
    units = catalogue.units_of(session, [it.id])[it.id]
    taken = {(each.booking_token, each.starts_at): each for each in bookings.taken(session, units, first, last, at=at)}
    shut = {each.starts_at: each for each in closures.shut(session, units, first, last)}
    return calendar(it.name, [
        *(_public(it, name, (each.starts_at, each.ends_at), _("Occupé"), pending=each.pending)
          for (name, _starts), each in taken.items()),
        *(_public(it, "shut", (each.starts_at, each.ends_at or last), _("Fermé")) for each in shut.values()),
    ])  # fmt: skip


def _full(it: ResourceView, first: datetime, last: datetime) -> list[rules.Span]:
    """When no more of a pool is to be had."""
    session = db.session()
    held = [each.hold for each in bookings.taken_of(session, it.id, first, last)]
    closed = closures.closed_things(session, [it.id], first, last)
    held += [rules.Hold(each.starts_at, each.ends_at or last, each.quantity) for each in closed]
    return rules.too_many(held, (it.quantity or 0) - 1)


def _public(
    it: ResourceView, name: str, span: tuple[datetime, datetime], title: str, *, pending: bool = False
) -> Event:
    of = policy.pseudonym(f"{it.token} {name} {span[0].isoformat()}", key())
    first, _last = policy.window(clock.now())
    status = "TENTATIVE" if pending else "CONFIRMED"
    return Event(_uid(of), *span, first + policy.BEHIND, 0 if pending else 1, status, title)


class Some(NamedTuple):
    """So many of something."""

    quantity: int
    resource: ResourceView


class Names(NamedTuple):
    """Those that bookings name, by id."""

    parties: dict[int, PartyView]
    resources: dict[int, ResourceView]
    prolonged: dict[int, datetime]

    def what(self, of: BookingView) -> list[Some]:
        """All that is booked; the request started from the first."""
        return [Some(item.quantity, self.resources[item.resource_id]) for item in of.items]


def of_bookings(found: list[BookingView], *, lender: int | None = None) -> list[Event]:
    """Bookings as who has them reads them; as the office does, for those asked of ``lender``."""
    session = db.session()
    names = Names(
        members.parties(session, {id_ for each in found for id_ in (each.lender_id, each.party_id)}),
        catalogue.views(session, {item.resource_id for each in found for item in each.items}),
        bookings.prolonged(session, [each.id for each in found]),
    )
    return [_told(each, names, office=each.lender_id == lender) for each in found]


def _told(it: BookingView, names: Names, *, office: bool) -> Event:
    what, lender, changed = names.what(it), names.parties[it.lender_id], _changed(it, names.prolonged.get(it.id))
    first = what[0].resource
    borrower = names.parties[it.party_id].name
    title = _("%(what)s, pour %(name)s", what=first.name, name=borrower) if office else first.name
    status = "CONFIRMED" if it.state in HELD else "TENTATIVE" if it.state in UNSURE else "CANCELLED"
    where = [first.place_name, first.where] if office or it.state in HELD else []
    page = (url_for("bookings.request_", lender=lender.token, booking=it.token, _external=True) if office
            else url_for("bookings.show", booking=it.token, _external=True))  # fmt: skip
    return Event(
        _uid(it.token), it.starts_at, it.ends_at, changed, int((changed - it.asked_at).total_seconds()), status,
        str(SAID[it.state]) % {"what": title} if it.state in SAID else title,
        "\n".join([described(what), it.purpose, _("Prêté par %(name)s", name=lender.name)]),
        ", ".join(filter(None, where)), page,
    )  # fmt: skip


def _changed(it: BookingView, prolonged: datetime | None) -> datetime:
    """When what is told of it last became otherwise."""
    records = (
        it.answered, prolonged, it.cancellation.cancelled_at if it.cancellation else None,
        it.hand_over.handed_over_at if it.hand_over else None, it.back.returned_at if it.back else None,
        it.no_show.noted_at if it.no_show else None,
    )  # fmt: skip
    return max([it.asked_at, *(at for at in records if at is not None)])


def _uid(token: str) -> str:
    return f"{token}@{current_app.config['SERVER_NAME']}"
