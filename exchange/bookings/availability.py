"""What is free: of rooms in a tree, of things and of pools, with hours, closures and the time to put them in order.

Two ways to one answer, held equal by a test to each other and to a count minute by minute: ``free_among`` asks the
database once about everything that is lent; a ``Timetable`` reads once what surrounds a few things, then looks at as
many spans as are needed. Neither holds anything: what decides is the request itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import policy, queries
from exchange.catalogue import policy as terms
from exchange.catalogue.queries import ResourceView
from exchange.errors import OutOfService, PoolExhausted, SlotTaken
from exchange.hours import open_throughout
from ledger.errors import Refused

Some = tuple[ResourceView, int]
"""A resource, and how many of it when it is a pool."""

# A unit's claims never overlap: the one that begins last before the end of a span is the one that ends last.
_BUSY = text(
    """
    SELECT wanted.id
      FROM unnest(CAST(:ids AS bigint[]), CAST(:buffers AS integer[])) AS wanted (id, buffer)
     CROSS JOIN LATERAL tstzrange(:starts_at, CAST(:ends_at AS timestamptz) + make_interval(mins => buffer)) AS span
     WHERE EXISTS (
           SELECT FROM resource_units u
            CROSS JOIN LATERAL (
                  SELECT upper(o.during) AS until FROM occupancy o
                   WHERE o.unit_id = u.unit_id AND lower(o.during) < upper(span)
                   ORDER BY lower(o.during) DESC LIMIT 1) AS last
            WHERE u.resource_id = wanted.id AND last.until > lower(span))
        OR EXISTS (
           SELECT FROM resource_units u JOIN closed_units c ON c.unit_id = u.unit_id
            WHERE u.resource_id = wanted.id AND c.during && span)
    """
)


def free_among(
    session: Session, found: Sequence[ResourceView], starts_at: datetime, ends_at: datetime, *, zone: str,
    at: datetime,
) -> list[ResourceView]:  # fmt: skip
    """Those that can be asked for during a whole span, in the order given; of a pool, at least one thing."""
    lent: dict[tuple[terms.Terms, str], policy.Span | None] = {}  # most share their terms and their hours with others
    spans: dict[policy.Span, list[ResourceView]] = {}
    for it in found:
        key = it.terms, it.opening_hours
        if key not in lent:
            lent[key] = _lent(*key, starts_at, ends_at, zone=zone, at=at)
        if span := lent[key]:
            spans.setdefault(span, []).append(it)
    free: set[int] = set()
    for span, those in spans.items():  # one, or a few where some are lent in slots
        free |= _free(session, those, span)
    return [it for it in found if it.id in free]


def _lent(
    said: terms.Terms, opening_hours: str, starts_at: datetime, ends_at: datetime, *, zone: str, at: datetime
) -> policy.Span | None:
    """The span that one would ask for: that one, or the slots around it; None when it is closed or not lent then."""
    span = lent_around(said, starts_at, ends_at, zone=zone)
    if span is None or terms.refusal_to_ask(said, *span, at=at) or not open_throughout(opening_hours, zone, *span):
        return None
    return span


def lent_around(said: terms.Terms, starts_at: datetime, ends_at: datetime, *, zone: str) -> policy.Span | None:
    """The slots that hold a span, or the span itself for what is lent at any hour; in the time of the territory."""
    there = ZoneInfo(zone)
    span = starts_at.astimezone(there), ends_at.astimezone(there)
    return terms.slots_around(terms.slots_of(said.slots), *span) if said.slots else span


def _free(session: Session, those: Sequence[ResourceView], span: policy.Span) -> set[int]:
    """The ids of those of which nothing stands in the way of a span."""
    alone, pools = ([it for it in those if (it.kind == "pool") is pool] for pool in (False, True))
    values = {"ids": [it.id for it in alone], "buffers": [it.buffer_minutes for it in alone],
              "starts_at": span[0], "ends_at": span[1]}  # fmt: skip
    taken = set(session.scalars(_BUSY, values)) if alone else set()
    left = queries.left_in(session, [it.id for it in pools], *span)
    return {it.id for it in alone} - taken | {pool for pool, many in left.items() if many > 0}


# What is taken of a few resources, and what is closed: of a pool, how many things.
_AROUND = text(
    """
    SELECT u.resource_id, 'taken' AS kind, 1 AS quantity, lower(o.during), upper(o.during)
      FROM resource_units u
      JOIN occupancy o ON o.unit_id = u.unit_id AND o.during && tstzrange(:starts_at, :ends_at)
      JOIN booking_items i ON i.id = o.booking_item_id JOIN bookings b ON b.id = i.booking_id
     WHERE u.resource_id = ANY (:ids) AND b.token IS DISTINCT FROM :apart_from
     UNION ALL
    SELECT u.resource_id, c.kind, 1, lower(x.during), upper(x.during)
      FROM resource_units u
      JOIN closed_units x ON x.unit_id = u.unit_id AND x.during && tstzrange(:starts_at, :ends_at)
      JOIN closures c ON c.id = x.closure_id
     WHERE u.resource_id = ANY (:ids)
     UNION ALL
    SELECT o.pool_id, 'taken', o.quantity, lower(o.during), upper(o.during)
      FROM pool_occupancy o
      JOIN booking_items i ON i.id = o.booking_item_id JOIN bookings b ON b.id = i.booking_id
     WHERE o.pool_id = ANY (:ids) AND o.during && tstzrange(:starts_at, :ends_at)
       AND b.token IS DISTINCT FROM :apart_from
     UNION ALL
    SELECT x.pool_id, 'closed', x.quantity, lower(x.during), upper(x.during)
      FROM closed_things x WHERE x.pool_id = ANY (:ids) AND x.during && tstzrange(:starts_at, :ends_at)
     ORDER BY 5 DESC NULLS FIRST
    """
)


class Timetable:
    """What is taken or closed of a few resources between two instants, read at once.

    What a booking holds itself is left ``apart_from`` it (its token): it can have that again.
    """

    def __init__(
        self, session: Session, resources: Iterable[ResourceView], starts_at: datetime, ends_at: datetime, *,
        apart_from: str | None = None,
    ) -> None:  # fmt: skip
        looked_at = {it.id: it for it in resources}
        until = max((policy.held_until(ends_at, it.buffer_minutes) for it in looked_at.values()), default=ends_at)
        values = {"ids": list(looked_at), "starts_at": starts_at, "ends_at": until, "apart_from": apart_from}
        self._taken: dict[int, list[policy.Hold]] = {id_: [] for id_ in looked_at}
        self._shut: dict[int, list[tuple[str, datetime, datetime | None]]] = {id_: [] for id_ in looked_at}
        for id_, kind, quantity, begins, ends in session.execute(_AROUND, values):
            if kind == "taken" or looked_at[id_].kind == "pool":
                self._taken[id_].append(policy.Hold(begins, ends or until, quantity))
            else:
                self._shut[id_].append((kind, begins, ends))

    def refusal(self, wanted: Iterable[Some], starts_at: datetime, ends_at: datetime) -> Refused | None:
        """Why one of these can't be had during a span within what was read: OutOfService, SlotTaken, PoolExhausted."""
        starts_at = starts_at.astimezone(UTC)  # two hours of one zone would be compared as clocks show them
        for it, quantity in wanted:
            until = policy.held_until(ends_at, it.buffer_minutes)
            refused = (
                self._too_few(it, quantity, starts_at, until) if it.kind == "pool" else
                self._closed(it, starts_at, until) or self._busy(it, starts_at, until)
            )  # fmt: skip
            if refused is not None:
                return refused
        return None

    def _closed(self, it: ResourceView, starts_at: datetime, until: datetime) -> Refused | None:
        for kind, begins, ends in self._shut[it.id]:
            if begins < until and (ends is None or starts_at < ends):
                return OutOfService(name=it.name, resource=it.id, kind=kind, until=ends.isoformat() if ends else None)
        return None

    def _busy(self, it: ResourceView, starts_at: datetime, until: datetime) -> Refused | None:
        if policy.most_held(self._taken[it.id], starts_at, until):
            return SlotTaken(name=it.name, resource=it.id)
        return None

    def _too_few(self, it: ResourceView, quantity: int, starts_at: datetime, until: datetime) -> Refused | None:
        left = (it.quantity or 0) - policy.most_held(self._taken[it.id], starts_at, until)
        if quantity > left:
            return PoolExhausted(name=it.name, resource=it.id, asked=quantity, left=max(left, 0))
        return None
