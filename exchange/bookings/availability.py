"""What is free: of rooms in a tree, of things and of pools, with hours, closures and the time to put them in order.

Two ways to one answer, held equal by a test to each other and to a count minute by minute: ``free_among`` asks the
database once about everything that is lent; a ``Timetable`` reads once what surrounds a few things, then looks at as
many spans as are needed. Neither holds anything: what decides is the request itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from exchange.bookings import policy
from exchange.bookings.queries import LAPSED
from exchange.catalogue import policy as terms
from exchange.catalogue.queries import Lendable, ResourceView
from exchange.errors import OutOfService, PoolExhausted, SlotTaken
from exchange.hours import intervals, open_throughout
from ledger.errors import Refused

A_DAY = timedelta(days=1)  # slots around some hours are of the same days
Some = tuple[ResourceView, int]
"""A resource, and how many of it when it is a pool."""
Many = tuple[Lendable, int]
"""The same, as a search reads it."""

# What can't be had during a span. A unit's claims never overlap: the one that begins last before the end of a span is
# the one that ends last. Of a pool, the peak is at most the sum: where even that leaves some, nobody looks for it.
_TAKEN = text(
    f"""
    WITH wanted AS (
        SELECT id, kind, quantity, CAST(:ends_at AS timestamptz) + make_interval(mins => buffer_minutes) AS until
          FROM resources WHERE id = ANY (:ids))
    SELECT w.id
      FROM wanted w JOIN resource_units u ON u.resource_id = w.id
     CROSS JOIN LATERAL (
           SELECT upper(o.during) AS until FROM occupancy o
            WHERE o.unit_id = u.unit_id AND lower(o.during) < w.until AND o.booking_item_id <> ALL ({LAPSED})
            ORDER BY lower(o.during) DESC LIMIT 1) AS last
     WHERE last.until > :starts_at
     UNION ALL
    SELECT w.id
      FROM wanted w JOIN resource_units u ON u.resource_id = w.id
      JOIN closed_units c ON c.unit_id = u.unit_id AND c.during && tstzrange(:starts_at, w.until)
     UNION ALL
    SELECT w.id
      FROM wanted w
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(held.quantity), 0) AS quantity FROM (
                  SELECT quantity FROM pool_occupancy o
                   WHERE o.pool_id = w.id AND o.during && tstzrange(:starts_at, w.until)
                     AND o.booking_item_id <> ALL ({LAPSED})
                   UNION ALL
                  SELECT quantity FROM closed_things c
                   WHERE c.pool_id = w.id AND c.during && tstzrange(:starts_at, w.until)) held) AS all_of_it
     WHERE w.kind = 'pool'
       AND CASE WHEN all_of_it.quantity < w.quantity THEN false
                ELSE pool_peak(w.id, tstzrange(:starts_at, w.until), {LAPSED}) >= w.quantity END
    """  # noqa: S608 - a constant
)


def free_among(
    session: Session, found: Iterable[Lendable], starts_at: datetime, ends_at: datetime, *, zone: str, at: datetime
) -> set[int]:
    """The ids of those that can be asked for during a whole span; of a pool, at least one thing."""
    lent: dict[tuple[terms.Terms, str], policy.Span | None] = {}  # most share their terms and their hours with others
    spans: dict[policy.Span, set[int]] = {}  # one, or a few where some are lent in slots
    for it in found:
        key = it.terms, it.opening_hours
        if key not in lent:
            lent[key] = _lent(*key, starts_at, ends_at, zone=zone, at=at)
        if span := lent[key]:
            spans.setdefault(span, set()).add(it.id)
    free: set[int] = set()
    for (starts, ends), ids in spans.items():
        values = {"ids": list(ids), "starts_at": starts, "ends_at": ends, "at": at}
        free |= ids - set(session.scalars(_TAKEN, values))
    return free


def free_throughout(
    session: Session, wanted: Iterable[Many], spans: Sequence[policy.Span], *, zone: str, at: datetime
) -> list[Many]:
    """Those that can be asked for, so many of each, during each of a few spans, which are in order."""
    looked_at = [(it, quantity) for it, quantity in wanted if quantity <= (it.quantity or 1)]
    table = Timetable(session, [it for it, _quantity in looked_at], spans[0][0] - A_DAY, spans[-1][1] + A_DAY,
                      at=at)  # fmt: skip

    def free(it: Lendable, quantity: int, span: policy.Span) -> bool:
        lent = _lent(it.terms, it.opening_hours, *span, zone=zone, at=at)
        return lent is not None and table.has(it, quantity, *lent)

    return [(it, quantity) for it, quantity in looked_at if all(free(it, quantity, span) for span in spans)]


def _lent(
    said: terms.Terms, opening_hours: str, starts_at: datetime, ends_at: datetime, *, zone: str, at: datetime
) -> policy.Span | None:
    """The span that one would ask for: that one, or the slots around it; None when it is closed or not lent then."""
    there = ZoneInfo(zone)
    asked = starts_at.astimezone(there), ends_at.astimezone(there)
    span = terms.slots_around(terms.slots_of(said.slots), *asked) if said.slots else asked
    if span is None or terms.refusal_to_ask(said, *span, at=at) or not open_throughout(opening_hours, zone, *span):
        return None
    return span


def left_on(
    session: Session, found: Iterable[Lendable], starts_at: datetime, ends_at: datetime, *, zone: str, at: datetime
) -> dict[int, list[policy.Span]]:
    """What one could still ask for of each on a day: its free spans, or its free slots; of a pool, when one is left."""
    looked_at = list(found)
    table = Timetable(session, looked_at, starts_at, ends_at, at=at)
    opened: dict[str, list[policy.Span]] = {}
    left: dict[int, list[policy.Span]] = {}
    for it in looked_at:
        if it.opening_hours not in opened:
            hours = intervals(it.opening_hours, zone, starts_at, ends_at)
            spans = [(each.starts_at.astimezone(UTC), each.ends_at.astimezone(UTC)) for each in hours if each.open]
            opened[it.opening_hours] = spans
        free = policy.left_of(_askable(it.terms, opened[it.opening_hours], zone=zone, at=at), table.full(it))
        if it.terms.slots:
            slots = policy.hours_of(starts_at.astimezone(ZoneInfo(zone)).date(), zone, terms.slots_of(it.terms.slots))
            free = [slot for slot in slots if any(begins <= slot[0] and slot[1] <= ends for begins, ends in free)]
        least = timedelta(minutes=it.terms.least_minutes or 1)
        if free := [span for span in free if span[1] - span[0] >= least]:
            left[it.id] = free
    return left


def _askable(said: terms.Terms, opened: list[policy.Span], *, zone: str, at: datetime) -> list[policy.Span]:
    """The open spans as far as one may ask for them now."""
    there, soonest = ZoneInfo(zone), at + timedelta(hours=said.notice_hours)
    spans = [(max(begins, soonest), ends) for begins, ends in opened if soonest < ends]
    return [
        span for span in spans
        if not terms.refusal_of_days(said, span[0].astimezone(there), span[1].astimezone(there))
        and not terms.refusal_of_moment(said, span[0], at=at)
    ]  # fmt: skip


_SPAN = "tstzrange(:starts_at, :ends_at)"
_STANDS = f"o.booking_item_id <> ALL ({LAPSED})"
_BY_OTHERS = """
      JOIN booking_items i ON i.id = o.booking_item_id
      JOIN bookings b ON b.id = i.booking_id AND b.token <> ALL (:apart_from)"""
_OF_ROOMS = """
    SELECT u.resource_id, 'taken' AS kind, 1 AS quantity, lower(o.during), upper(o.during)
      FROM resource_units u JOIN occupancy o ON o.unit_id = u.unit_id AND o.during && {span}{by_others}
     WHERE u.resource_id = ANY (:ids) AND {stands}
     UNION ALL
    SELECT u.resource_id, c.kind, 1, lower(x.during), upper(x.during)
      FROM resource_units u JOIN closed_units x ON x.unit_id = u.unit_id AND x.during && {span}
      JOIN closures c ON c.id = x.closure_id
     WHERE u.resource_id = ANY (:ids)"""
_OF_POOLS = """
    SELECT o.pool_id, 'taken', o.quantity, lower(o.during), upper(o.during)
      FROM pool_occupancy o{by_others}
     WHERE o.pool_id = ANY (:ids) AND o.during && {span} AND {stands}
     UNION ALL
    SELECT x.pool_id, 'closed', x.quantity, lower(x.during), upper(x.during)
      FROM closed_things x WHERE x.pool_id = ANY (:ids) AND x.during && {span}"""


@cache
def _around(*, rooms: bool, pools: bool, apart: bool) -> TextClause:
    """What is taken of a few resources and what is closed, of a pool how many things: no more than is asked, since
    planning such a question takes longer than answering it.
    """
    parts = ([_OF_ROOMS] if rooms else []) + ([_OF_POOLS] if pools else [])
    asked = "\n     UNION ALL".join(parts).format(
        span=_SPAN, by_others=_BY_OTHERS if apart else "", stands=_STANDS
    )
    return text(f"{asked}\n     ORDER BY 5 DESC NULLS FIRST")


class Timetable:
    """What is taken or closed of a few resources between two instants, read at once; ``at`` another, when options
    that are over by then hold nothing.

    What some bookings hold is left ``apart_from`` them (their tokens): they can have that again.
    """

    def __init__(
        self, session: Session, resources: Iterable[ResourceView | Lendable], starts_at: datetime, ends_at: datetime, *,
        at: datetime, apart_from: Sequence[str] = (),
    ) -> None:  # fmt: skip
        looked_at = {it.id: it for it in resources}
        until = max((policy.held_until(ends_at, it.buffer_minutes) for it in looked_at.values()), default=ends_at)
        values = {"ids": list(looked_at), "starts_at": starts_at, "ends_at": until, "at": at}
        values |= {"apart_from": list(apart_from)} if apart_from else {}
        pools = {it.kind == "pool" for it in looked_at.values()}
        self._taken: dict[int, list[policy.Hold]] = {id_: [] for id_ in looked_at}
        self._shut: dict[int, list[tuple[str, datetime, datetime | None]]] = {id_: [] for id_ in looked_at}
        asked = _around(rooms=False in pools, pools=True in pools, apart=bool(apart_from))
        for id_, kind, quantity, begins, ends in session.execute(asked, values) if pools else ():
            if kind == "taken" or looked_at[id_].kind == "pool":
                self._taken[id_].append(policy.Hold(begins, ends or until, quantity))
            else:
                self._shut[id_].append((kind, begins, ends))

    def take(self, id_: int, hold: policy.Hold) -> None:
        """Count something as held besides what was read, where it is among what is looked at."""
        if id_ in self._taken:
            self._taken[id_].append(hold)

    def full(self, it: Lendable) -> list[policy.Span]:
        """When nothing of it can be taken, in order: that lasts until it is in order, and begins as long before."""
        shut = [policy.Hold(begins, ends or policy.FOREVER, 1) for _kind, begins, ends in self._shut[it.id]]
        ready = timedelta(minutes=it.buffer_minutes)
        full = policy.too_many([*self._taken[it.id], *shut], (it.quantity or 1) - 1)
        return [(begins.astimezone(UTC) - ready, ends) for begins, ends in full]

    def left_of(self, it: ResourceView, spans: Sequence[policy.Span]) -> dict[policy.Span, int]:
        """How many things of a pool one could have during each of these spans, which are in order."""
        ready = timedelta(minutes=it.buffer_minutes)
        bounds = [(starts.astimezone(UTC), ends.astimezone(UTC) + ready) for starts, ends in spans]
        held: list[list[policy.Hold]] = [[] for _span in spans]
        ends_of = [ends for _starts, ends in bounds]
        for hold in self._taken[it.id]:
            number = bisect_right(ends_of, hold.starts_at)
            while number < len(bounds) and bounds[number][0] < hold.ends_at:
                held[number].append(hold)
                number += 1
        most = (policy.most_held(of, *bound) for of, bound in zip(held, bounds, strict=True))
        return {span: (it.quantity or 0) - many for span, many in zip(spans, most, strict=True)}

    def has(self, it: Lendable, quantity: int, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether so many of it can be had during a span within what was read."""
        starts_at, until = starts_at.astimezone(UTC), policy.held_until(ends_at, it.buffer_minutes)
        shut = any(begins < until and (ends is None or starts_at < ends) for _kind, begins, ends in self._shut[it.id])
        return not shut and quantity <= (it.quantity or 1) - policy.most_held(self._taken[it.id], starts_at, until)

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
