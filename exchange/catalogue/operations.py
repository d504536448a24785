"""The verbs of a catalogue: add a place, a room, a thing or a pool, edit it, publish it, withdraw it, retire it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, and_, cast, delete, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.catalogue import policy
from exchange.catalogue.models import Place, Resource, ResourceAct, ResourceUnit
from exchange.db import signed
from exchange.errors import NotFound, PartsFixed, TooManyAtOnce, refusal_of
from ledger.entries import Acting

PLACE_FIELDS = frozenset(
    {
        "name", "address", "postcode", "town", "erp_type", "erp_category", "legal_min", "legal_max", "access",
        "access_note", "latitude", "longitude",
    }
)  # fmt: skip
RESOURCE_FIELDS = frozenset(
    {
        "place_id", "name", "category", "description", "conditions", "capacity", "quantity", "opening_hours",
        "buffer_minutes", "decided_by", "reserved", *policy.HOLDING, "value_cents", "photo_address", "inventory_number",
        *policy.Terms._fields,
    }
)  # fmt: skip


def add_place(session: Session, *, lender: int, name: str, at: datetime, source: tuple[str, str] | None = None,
              **facts: Any) -> Place:  # fmt: skip
    """A building or a site of a lender; ``facts`` are among PLACE_FIELDS, ``source`` a layout and its reference."""
    _known(facts, PLACE_FIELDS)
    place = Place(token=secrets.token_urlsafe(16), lender_id=lender, name=name, created_at=at, **facts)
    if source:
        place.source, place.source_ref = source
    session.add(place)
    session.flush()
    return place


def place_named(session: Session, *, lender: int, name: str, at: datetime) -> Place:
    """The place that a lender calls so, whatever its accents and capitals; a new one when there is none."""
    found = session.scalar(
        select(Place)
        .where(Place.lender_id == lender, func.sort_key(Place.name) == func.sort_key(name))
        .order_by(Place.id)
        .limit(1)
    )
    return found or add_place(session, lender=lender, name=name, at=at)


def edit_place(session: Session, place: Place, facts: Mapping[str, Any]) -> bool:
    """Change what is known of a place; return whether something did. A room's own capacity is left to its lender."""
    _known(facts, PLACE_FIELDS)
    return _set(session, place, facts)


def add_resource(
    session: Session, *, lender: int, kind: str, name: str, by: Acting, at: datetime, parts: Collection[int] = (),
    source: tuple[str, str] | None = None, **facts: Any,
) -> Resource:  # fmt: skip
    """A room, a thing or a pool of a lender, not published yet; ``facts`` are among RESOURCE_FIELDS.

    ``parts`` are the ids of rooms that a hall is made of: taking it takes them all. Raises NotFound for a place or a
    part of another lender, CapacityAboveLimit (the building's legal maximum), QuantityMissing for a pool.
    """
    _known(facts, RESOURCE_FIELDS)
    resource = Resource(
        token=secrets.token_urlsafe(16), lender_id=lender, kind=kind, name=name, created_at=at, **facts
    )
    if source:
        resource.source, resource.source_ref = source
    _check(session, resource, facts)
    session.add(resource)
    _flush(session)
    _occupies(session, resource, parts)
    _trace(session, [resource.id], "added", by=by, at=at)
    return resource


def edit(session: Session, resource: Resource, facts: Mapping[str, Any], *, by: Acting, at: datetime) -> bool:
    """Change a resource; return whether something did.

    Raises NotFound for another lender's place, CapacityAboveLimit, CapacityMissing for a published room left without
    one, and QuantityBooked for a pool left with less than what is booked of it (the database counts, under the pool's
    lock).
    """
    _known(facts, RESOURCE_FIELDS)
    changed = {name: value for name, value in facts.items() if getattr(resource, name) != value}
    if not changed:
        return False
    _check(session, resource, facts)
    for name, value in changed.items():
        setattr(resource, name, value)
    _flush(session)
    _trace(session, [resource.id], "edited", by=by, at=at)
    return True


def _flush(session: Session) -> None:
    """Write, and raise what the database refuses by its name: QuantityBooked, NumberedAlready."""
    try:
        session.flush()
    except DBAPIError as refused:
        if (error := refusal_of(refused)) is not None:
            raise error from refused
        raise


def lock_pools(session: Session, pools: Iterable[int]) -> None:
    """Take the locks of several pools in the order in which bookings take them, before changing more than one.

    Who took them in another order would wait for a booking that waits for them.
    """
    for pool in sorted(pools):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("pool"), cast(pool, Integer))))


def make_of(session: Session, resource: Resource, parts: Collection[int], *, by: Acting, at: datetime) -> None:
    """Say which rooms a hall is made of; none makes it a simple room again.

    Raises PartsFixed once either was published: what was booked then is written on the parts of that time.
    """
    session.execute(select(Resource.id).where(Resource.id == resource.id).with_for_update())
    within_another = select(ResourceUnit.resource_id).where(
        ResourceUnit.unit_id == resource.id, ResourceUnit.resource_id != resource.id
    )
    published = select(ResourceAct.id).where(ResourceAct.resource_id == resource.id, ResourceAct.act == "published")
    if session.scalar(published.limit(1)) or (parts and session.scalar(within_another.limit(1))):
        raise PartsFixed
    session.execute(delete(ResourceUnit).where(ResourceUnit.resource_id == resource.id))
    _occupies(session, resource, parts)
    _trace(session, [resource.id], "edited", by=by, at=at)


def publish(
    session: Session, *, lender: int, capacities: Mapping[int, int | None], by: Acting, at: datetime
) -> list[Resource]:
    """Publish resources of a lender by id, each room with the capacity given here, or that it has.

    All or nothing. Raises NotFound, CapacityMissing or CapacityAboveLimit (facts: resource).
    """
    rows = _mine(session, lender, capacities)
    limits = _legal_limits(session, rows)
    for row in rows:
        capacity = capacities[row.id] or row.capacity
        if refused := policy.refusal_to_publish(row.kind, capacity=capacity, legal_max=limits.get(row.place_id)):
            refused.facts["resource"] = row.id
            raise refused
    for row in rows:
        row.capacity = capacities[row.id] or row.capacity
        row.published_at = row.published_at or at
        row.retired_at = None
    session.flush()
    _trace(session, [row.id for row in rows], "published", by=by, at=at)
    return rows


def change(
    session: Session, *, lender: int, ids: Collection[int], change: policy.Change, by: Acting, at: datetime
) -> list[Resource]:
    """Change the same things of several resources of a lender; return those that weren't so already.

    All or nothing. Only what the change names is written: what colleagues wrote meanwhile of the rest stays. Raises
    NotFound, TooManyAtOnce, and what stands against one of them (facts: resource).
    """
    _known(change.facts, RESOURCE_FIELDS)
    if len(ids) > policy.MOST_AT_ONCE:
        raise TooManyAtOnce(most=policy.MOST_AT_ONCE)
    rows = _mine(session, lender, ids)
    for row in rows:
        if refused := change.refusal(row):
            refused.facts["resource"] = row.id
            raise refused
    edited = [row for row in rows if _wrote(row, change.of(row))]
    moved = [row for row in rows if change.moves(row)]
    for row in moved:
        _move(row, change.act, at)
    session.flush()
    _trace(session, [row.id for row in edited], "edited", by=by, at=at)
    _trace(session, [row.id for row in moved], change.act, by=by, at=at)
    return [row for row in rows if row in edited or row in moved]


def _wrote(row: Resource, facts: Mapping[str, Any]) -> bool:
    for name, value in facts.items():
        setattr(row, name, value)
    return bool(facts)


def withdraw(session: Session, resource: Resource, *, by: Acting, at: datetime) -> None:
    """Show a resource no more, so that nobody asks for it; what is booked stays booked."""
    _move_one(session, resource, "withdrawn", by=by, at=at)


def retire(session: Session, resource: Resource, *, by: Acting, at: datetime) -> None:
    """Lend a resource no more: out of the lists, kept for the records."""
    _move_one(session, resource, "retired", by=by, at=at)


def restore(session: Session, resource: Resource, *, by: Acting, at: datetime) -> None:
    """Bring back a retired resource, to be published again."""
    _move_one(session, resource, "restored", by=by, at=at)


def _move_one(session: Session, resource: Resource, act: str, *, by: Acting, at: datetime) -> None:
    _move(resource, act, at)
    session.flush()
    _trace(session, [resource.id], act, by=by, at=at)


def _move(row: Resource, act: str, at: datetime) -> None:
    if act == "restored":
        row.retired_at = None
        return
    row.published_at = None
    if act == "retired":
        row.retired_at = at


def note(session: Session, resource: int, act: str, *, lender: int, by: Acting, at: datetime) -> None:
    """Write that something was done around a resource of the lender, whose row is locked. Raises NotFound."""
    _mine(session, lender, [resource])
    _trace(session, [resource], act, by=by, at=at)


class Known(NamedTuple):
    """What a lender already has from files of one layout, by the reference that the file gives."""

    resources: dict[str, Resource]
    places: dict[str, Place]
    place_of: dict[int, Place]  # by its id, of those resources


def known_from(session: Session, *, lender: int, source: str, refs: Collection[str]) -> Known:
    """The rows of a lender that came with these references from files of one layout, in two queries.

    They are read anew: what is in memory may be that of a line that was undone.
    """
    anew = {"populate_existing": True}
    resources = session.scalars(
        select(Resource)
        .where(Resource.lender_id == lender, Resource.source == source, Resource.source_ref.in_(refs))
        .execution_options(**anew)
    ).all()
    ids = {row.place_id for row in resources if row.place_id is not None}
    from_file = and_(Place.source == source, Place.source_ref.in_(refs))
    places = session.scalars(
        select(Place).where(Place.lender_id == lender, or_(from_file, Place.id.in_(ids))).execution_options(**anew)
    ).all()
    return Known(
        {row.source_ref: row for row in resources if row.source_ref is not None},
        {row.source_ref: row for row in places if row.source == source and row.source_ref is not None},
        {row.id: row for row in places},
    )


def _known(facts: Mapping[str, Any], fields: frozenset[str]) -> None:
    if unknown := facts.keys() - fields:
        raise TypeError(f"not a fact of the catalogue: {', '.join(sorted(unknown))}")


def _set(session: Session, row: Place, facts: Mapping[str, Any]) -> bool:
    changed = False
    for name, value in facts.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    if changed:
        session.flush()
    return changed


def _check(session: Session, resource: Resource, facts: Mapping[str, Any]) -> None:
    """Raise what stands against the figures that a resource would have, or NotFound for another lender's place."""
    figures = ("place_id", "capacity", "quantity")
    place_id, capacity, quantity = (facts.get(name, getattr(resource, name)) for name in figures)
    legal_max = None
    if place_id is not None:
        place = session.get(Place, place_id)
        if place is None or place.lender_id != resource.lender_id:
            raise NotFound
        legal_max = place.legal_max
    wrong = policy.refusal(resource.kind, capacity=capacity, legal_max=legal_max, quantity=quantity)
    if wrong is None and resource.published_at is not None:
        wrong = policy.refusal_to_publish(resource.kind, capacity=capacity, legal_max=legal_max)
    wrong = wrong or policy.refusal_of_terms(policy.terms_of(resource, facts))
    if wrong is not None:
        raise wrong


def _occupies(session: Session, resource: Resource, parts: Collection[int]) -> None:
    """Write what taking the resource takes: itself, or the leaves of its parts, which are rooms of the same lender."""
    leaves = [resource.id]
    if parts:
        rooms = set(session.scalars(
            select(Resource.id).where(
                Resource.id.in_(parts), Resource.lender_id == resource.lender_id, Resource.kind == "room",
                Resource.id != resource.id,
            )
        ))  # fmt: skip
        if rooms != set(parts) or resource.kind != "room":
            raise NotFound
        found = select(ResourceUnit.unit_id).where(ResourceUnit.resource_id.in_(rooms)).distinct()
        leaves = sorted(session.scalars(found))
    session.add_all(ResourceUnit(resource_id=resource.id, unit_id=leaf) for leaf in leaves)
    session.flush()


def _mine(session: Session, lender: int, ids: Collection[int]) -> list[Resource]:
    """These resources of the lender, locked in order of id. Raises NotFound."""
    rows = session.scalars(
        select(Resource)
        .where(Resource.id.in_(ids), Resource.lender_id == lender)
        .order_by(Resource.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(set(ids)):
        raise NotFound
    return list(rows)


def _legal_limits(session: Session, rows: Iterable[Resource]) -> dict[int | None, int | None]:
    ids = {row.place_id for row in rows if row.place_id is not None}
    found = session.execute(select(Place.id, Place.legal_max).where(Place.id.in_(ids))) if ids else ()
    return {row.id: row.legal_max for row in found}


def _trace(session: Session, ids: Iterable[int], act: str, *, by: Acting, at: datetime) -> None:
    """Write who did it, in the same transaction."""
    session.add_all(
        ResourceAct(
            resource_id=id_, act=act, **signed(by), acted_at=at
        )
        for id_ in ids
    )
    session.flush()
