"""The waiting list: who waits for what, in which order, and how a place on it ends; see ``docs/adr/0014``.

The verbs of who waits are in ``wishes``. What is here is what a request must know of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, cast, func, select, text
from sqlalchemy.orm import Session

from exchange.bookings import policy
from exchange.bookings.availability import Timetable
from exchange.bookings.models import WishEnd, WishTurn
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import signed
from exchange.errors import SlotAwaited
from ledger.entries import Acting


class WishView(NamedTuple):
    """A place on a waiting list: what is waited for, by (resource, quantity); ``turn`` is the booking that is held for
    it, ``outcome`` how it ended, ``before`` how many wait longer for something of it.
    """

    id: int
    token: str
    lender_id: int
    party_id: int
    purpose: str
    people: int | None
    starts_at: datetime
    ends_at: datetime
    zone: str
    by_sign_in: int | None
    joined_at: datetime
    items: tuple[tuple[int, int], ...]
    turn: str | None
    turn_until: datetime | None
    outcome: str | None
    finding: dict[str, Any] | None
    ended_at: datetime | None
    before: int

    def request(self, resources: Mapping[int, ResourceView]) -> Request:
        """What would be asked for."""
        wanted = tuple(Wanted(resources[id_], quantity) for id_, quantity in self.items)
        return Request(self.party_id, wanted, self.starts_at, self.ends_at, self.purpose, self.people)


_OPEN = "NOT EXISTS (SELECT FROM wish_ends e WHERE e.wish_id = {0}.id) AND {0}.starts_at > :at"
_SHARED = """
    EXISTS (SELECT FROM wish_items i JOIN resource_units u ON u.resource_id = i.resource_id
              JOIN resource_units v ON v.unit_id = u.unit_id {0})"""
_WISHES = f"""
    SELECT w.id, w.token, w.lender_id, w.party_id, w.purpose, w.people, w.starts_at, w.ends_at, w.zone, w.by_sign_in,
           w.joined_at,
           (SELECT json_agg(json_build_array(i.resource_id, i.quantity) ORDER BY i.position)
              FROM wish_items i WHERE i.wish_id = w.id),
           b.token, b.held_until, e.outcome, e.finding, e.ended_at,
           (SELECT count(*) FROM wishes o
             WHERE o.lender_id = w.lender_id AND o.id < w.id AND o.starts_at < w.ends_at AND w.starts_at < o.ends_at
               AND {_OPEN.format("o")}
               AND {_SHARED.format('''JOIN wish_items theirs ON theirs.resource_id = v.resource_id
                 WHERE i.wish_id = w.id AND theirs.wish_id = o.id''')})
      FROM wishes w
      LEFT JOIN wish_turns t ON t.wish_id = w.id
      LEFT JOIN bookings b ON b.id = t.booking_id
      LEFT JOIN wish_ends e ON e.wish_id = w.id
"""  # noqa: S608 - a constant


def _read(session: Session, condition: str, **values: Any) -> list[WishView]:
    rows = session.execute(text(f"{_WISHES} WHERE {condition} ORDER BY w.id"), values)
    return [WishView._make([*row[:11], tuple((id_, many) for id_, many in row[11]), *row[12:]]) for row in rows]


def of_parties(session: Session, parties: Collection[int], *, at: datetime) -> list[WishView]:
    """Where these parties wait for something to come, and how their other places ended; the first joined first."""
    return _read(session, "w.party_id = ANY (:parties) AND w.ends_at > :at", parties=list(parties), at=at)


def within(session: Session, token: str, parties: Collection[int], *, at: datetime) -> WishView | None:
    """The place of this random identifier, if it is one of these parties'."""
    values = {"token": token, "parties": list(parties), "at": at}
    found = _read(session, "w.token = :token AND w.party_id = ANY (:parties)", **values)
    return found[0] if found else None


def by_ids(session: Session, ids: Collection[int], *, at: datetime) -> list[WishView]:
    """These places, in order."""
    return _read(session, "w.id = ANY (:ids)", ids=list(ids), at=at) if ids else []


def of_lender(session: Session, lender: int, *, at: datetime) -> list[WishView]:
    """Who waits for what this lender lends, in order."""
    return _read(session, f"w.lender_id = :lender AND {_OPEN.format('w')}", lender=lender, at=at)


def over(
    session: Session, resources: Collection[int], starts_at: datetime, ends_at: datetime, *, at: datetime
) -> list[WishView]:
    """Who waits for some of these resources at an overlapping time, in order."""
    shared = _SHARED.format("WHERE i.wish_id = w.id AND v.resource_id = ANY (:resources)")
    condition = f"{_OPEN.format('w')} AND w.starts_at < :ends_at AND w.ends_at > :starts_at AND {shared}"
    return _read(session, condition, resources=list(resources), starts_at=starts_at, ends_at=ends_at, at=at)


def lenders(session: Session, *, at: datetime) -> list[int]:
    """The lenders for whose things somebody waits, or has waited until the day had passed."""
    return list(session.scalars(text(
        "SELECT DISTINCT w.lender_id FROM wishes w WHERE NOT EXISTS (SELECT FROM wish_ends e WHERE e.wish_id = w.id)"
        " AND w.ends_at > CAST(:at AS timestamptz) - interval '1 day' ORDER BY 1"
    ), {"at": at}))  # fmt: skip


def lock(session: Session, lender: int) -> None:
    """One at a time joins, leaves and has a turn on the lists of a lender: nobody overtakes because of a race."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("waiting"), cast(lender, Integer))))


# -- nobody overtakes


def refuse_overtaking(session: Session, request: Request, *, at: datetime, apart_from: Sequence[str] = ()) -> None:
    """Raise SlotAwaited when who waits could have it now, and could not any more.

    Between the moment at which something frees and the one at which it is held for who waits, nobody slips in. Who
    can't be satisfied with what is free is no obstacle.
    """
    ahead = _ahead(session, request, at=at)
    if not ahead:
        return
    ids = {id_ for wish in ahead for id_, _many in wish.items} | {it.id for it, _quantity in request.wanted}
    resources, units = catalogue.views(session, ids), catalogue.units_of(session, ids)
    first, last = (choose(span) for choose, span in (
        (min, [request.starts_at, *(wish.starts_at for wish in ahead)]),
        (max, [request.ends_at, *(wish.ends_at for wish in ahead)]),
    ))  # fmt: skip
    as_it_is = Timetable(session, resources.values(), first, last, at=at)
    theirs = as_it_is
    if apart_from:
        theirs = Timetable(session, resources.values(), first, last, at=at, apart_from=apart_from)
    for wish in ahead:
        wanted = wish.request(resources)
        if too_late(wanted, at=at) or as_it_is.refusal(wanted.wanted, wish.starts_at, wish.ends_at):
            continue
        for table in {id(each): each for each in (as_it_is, theirs)}.values():
            _place(table, wanted, units)
    if refused := theirs.refusal(request.wanted, request.starts_at, request.ends_at):
        raise SlotAwaited(name=refused.facts.get("name"), resource=refused.facts.get("resource"))


def _ahead(session: Session, request: Request, *, at: datetime) -> list[WishView]:
    """Who waits for something of a request, and longer than who asks when they wait too."""
    found = over(session, [it.id for it, _quantity in request.wanted], request.starts_at, request.ends_at, at=at)
    mine = min((wish.id for wish in found if wish.party_id == request.party), default=None)
    return [wish for wish in found if wish.party_id != request.party and wish.turn is None
            and (mine is None or wish.id < mine)]  # fmt: skip


def too_late(wanted: Request, *, at: datetime) -> bool:
    """Whether nobody could answer in time any more, or it isn't lent any more."""
    return any(it.status != "published" for it, _quantity in wanted.wanted) or until(wanted, at=at) is None


def until(wanted: Request, *, at: datetime) -> datetime | None:
    """Until when what frees would be held for who waits."""
    return policy.turn_until(
        wanted.starts_at, at, hours=min(it.turn_hours for it, _quantity in wanted.wanted),
        notice_hours=max(it.notice_hours for it, _quantity in wanted.wanted),
    )  # fmt: skip


def _place(table: Timetable, wanted: Request, units: Mapping[int, Iterable[int]]) -> None:
    """Count a wish as if it was held: of a hall, its halves are taken too."""
    for it, quantity in wanted.wanted:
        hold = policy.Hold(wanted.starts_at, policy.held_until(wanted.ends_at, it.buffer_minutes), quantity)
        for id_, leaves in units.items():
            if set(leaves) & set(units[it.id]):
                table.take(id_, hold)


# -- how a place ends


def end(
    session: Session, wish: int, outcome: str, *, by: Acting, at: datetime, finding: dict[str, Any] | None = None
) -> None:
    """Write how a place on a waiting list ended. Raises AlreadyAnswered (by the table's own key)."""
    session.add(WishEnd(wish_id=wish, outcome=outcome, finding=finding, ended_at=at, **signed(by)))
    session.flush()


def end_of_turn(session: Session, booking: int, outcome: str, *, by: Acting, at: datetime) -> None:
    """Write how the place ended for which a booking was held, if it was."""
    wish = session.scalar(select(WishTurn.wish_id).where(WishTurn.booking_id == booking))
    if wish is not None:
        end(session, wish, outcome, by=by, at=at)


def fulfil(session: Session, request: Request, *, by: Acting, at: datetime) -> None:
    """Who has now what they waited for waits for it no more."""
    ids = {it.id for it, _quantity in request.wanted}
    for wish in over(session, ids, request.starts_at, request.ends_at, at=at):
        if wish.party_id == request.party and wish.turn is None and {id_ for id_, _many in wish.items} <= ids:
            end(session, wish.id, "taken", by=by, at=at)
