"""Reads of the catalogue: for whoever looks for something, only what is published; for an office, what is its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, Select, and_, case, false, func, literal_column, or_, select, true
from sqlalchemy.orm import Session

from exchange.catalogue import policy
from exchange.catalogue.models import Place, Resource, ResourceAct, ResourceUnit

PAGE = 50
LIKELY = 0.5  # of what is typed, in what is named: a slip of the hand


class ResourceView(NamedTuple):
    """A resource with what is known of its place. ``legal_min`` and ``legal_max`` bound the whole building (people).

    ``value_cents`` (euros) and ``photo_address``, where a file says that its picture is, are for the office alone.

    ``access`` is "accessible", "works-needed" or "unknown", explained by ``access_note``; positions are often unknown.
    """

    id: int
    token: str
    lender_id: int
    kind: str
    name: str
    sort_name: str
    category: str
    description: str
    conditions: str
    capacity: int | None
    quantity: int | None
    opening_hours: str
    buffer_minutes: int
    decided_by: str
    reserved: bool
    option_days: int | None
    option_call_days: int
    turn_hours: int
    inventory_number: str
    notice_hours: int
    ahead_days: int | None
    least_minutes: int | None
    most_minutes: int | None
    lent_from: date | None
    lent_until: date | None
    slots: str
    value_cents: int | None
    photo_address: str
    source: str | None
    published_at: datetime | None
    retired_at: datetime | None
    place_id: int | None
    place_token: str | None
    place_name: str | None
    address: str | None
    postcode: str | None
    town: str | None
    erp_type: str | None
    erp_category: str | None
    legal_min: int | None
    legal_max: int | None
    access: str | None
    access_note: str | None
    latitude: float | None
    longitude: float | None

    @property
    def status(self) -> str:
        """retired, published, ready or incomplete."""
        return policy.status(
            self.kind, capacity=self.capacity, published=self.published_at is not None,
            retired=self.retired_at is not None,
        )  # fmt: skip

    @property
    def terms(self) -> policy.Terms:
        """How long before it is asked for, for how long, and when it is lent at all."""
        return policy.Terms(*(getattr(self, name) for name in policy.Terms._fields))

    @property
    def lendable(self) -> Lendable:
        """What says when it is lent."""
        return Lendable(*(getattr(self, name) for name in Lendable._fields))

    def without_home(self) -> ResourceView:
        """As everybody may read what a person lends: the town where it is, and not whose door to knock at."""
        return self._replace(place_name=None, address=None, postcode=None, latitude=None, longitude=None)

    @property
    def accessible(self) -> bool:
        """Whether a wheelchair comes in: declared compliant, nothing less."""
        return self.access == "accessible"

    @property
    def above_limit(self) -> bool:
        """Whether its capacity exceeds what the building may hold, since a later file lowered it."""
        return self.capacity is not None and self.legal_max is not None and self.capacity > self.legal_max

    @property
    def where(self) -> str:
        """Address, postcode and town on one line."""
        town = " ".join(filter(None, [self.postcode, self.town]))
        return ", ".join(filter(None, [self.address, town]))


class Lendable(NamedTuple):
    """What says when a resource is lent and by whom, and nothing else: a search looks at thousands."""

    id: int
    token: str
    lender_id: int
    kind: str
    category: str
    capacity: int | None
    quantity: int | None
    buffer_minutes: int
    opening_hours: str
    terms: policy.Terms


class Listing(NamedTuple):
    """A page of a lender's resources, by category then name."""

    rows: list[ResourceView]
    total: int
    page: int
    pages: int


class ActView(NamedTuple):
    """Who did what to a resource."""

    act: str
    by_sign_in: int | None
    acted_at: datetime


_ROWS: Select[*tuple[Any, ...]] = select(
    Resource.id, Resource.token, Resource.lender_id, Resource.kind, Resource.name, Resource.sort_name,
    Resource.category, Resource.description, Resource.conditions, Resource.capacity, Resource.quantity,
    Resource.opening_hours, Resource.buffer_minutes, Resource.decided_by, Resource.reserved, Resource.option_days,
    Resource.option_call_days, Resource.turn_hours, Resource.inventory_number,
    Resource.notice_hours, Resource.ahead_days, Resource.least_minutes, Resource.most_minutes, Resource.lent_from,
    Resource.lent_until, Resource.slots, Resource.value_cents, Resource.photo_address,
    Resource.source, Resource.published_at, Resource.retired_at,
    Place.id, Place.token, Place.name, Place.address, Place.postcode, Place.town, Place.erp_type, Place.erp_category,
    Place.legal_min, Place.legal_max, Place.access, Place.access_note, Place.latitude, Place.longitude,
).outerjoin(Place, Place.id == Resource.place_id)  # fmt: skip

_LENDABLE: Select[*tuple[Any, ...]] = select(
    *(getattr(Resource, name) for name in Lendable._fields[:-1]),
    *(getattr(Resource, name) for name in policy.Terms._fields),
).outerjoin(Place, Place.id == Resource.place_id)  # fmt: skip

_STATUS = case(
    (Resource.retired_at.is_not(None), "retired"),
    (Resource.published_at.is_not(None), "published"),
    (and_(Resource.kind == "room", Resource.capacity.is_(None)), "incomplete"),
    else_="ready",
)


def published_by_token(session: Session, token: str) -> ResourceView | None:
    """The published resource of this random identifier."""
    row = session.execute(_ROWS.where(Resource.token == token, _is_published())).one_or_none()
    return ResourceView(*row) if row else None


class Sought(NamedTuple):
    """What is looked for. ``capacity`` is people: a room must take them; a thing has none and is not left out.

    ``text`` is found without accents or exact words.
    """

    text: str | None = None
    category: str | None = None
    capacity: int | None = None
    kind: str | None = None
    accessible: bool | None = None
    lender: int | None = None


def published(session: Session, *, limit: int = 1000, **sought: Any) -> list[ResourceView]:
    """Published resources that answer to what is ``Sought``: the smallest that fits first, unknown capacities last."""
    rows = session.execute(_that_answer(_ROWS, Sought(**sought)).limit(limit))
    return [ResourceView(*row) for row in rows]


def lendable(session: Session, *, limit: int = 10_000, **sought: Any) -> list[Lendable]:
    """The same, in the same order, with what a search reads of each."""
    rows = session.execute(_that_answer(_LENDABLE, Sought(**sought)).limit(limit))
    return [_lendable(row) for row in rows]


def _lendable(row: Sequence[Any]) -> Lendable:
    return Lendable._make([*row[: len(Lendable._fields) - 1], policy.Terms(*row[len(Lendable._fields) - 1 :])])


def named(session: Session, texts: Sequence[str]) -> list[list[Lendable]]:
    """The published things and pools, not rooms, that each of these texts may mean; in one query."""
    means = [_named_like(text) for text in texts]
    query = _LENDABLE.add_columns(*means).where(_is_published(), Resource.kind != "room", or_(*means))
    rows = session.execute(query.order_by(Resource.sort_name, Resource.id)).all() if texts else []
    return [[_lendable(row[: -len(texts)]) for row in rows if row[number - len(texts)]] for number in range(len(texts))]


class Spot(NamedTuple):
    """A place of a lender, and where it is."""

    lender_id: int
    name: str
    latitude: float | None
    longitude: float | None


def spots(session: Session, text: str, *, size: int = 20) -> list[Spot]:
    """Places of what is published, of known position, that a name or a street may mean: the likeliest first."""
    told = func.sort_key(func.concat_ws(" ", Place.name, Place.address, Place.town))
    likely = func.word_similarity(func.sort_key(text), told)
    rows = session.execute(
        select(Place.lender_id, Place.name, Place.latitude, Place.longitude)
        .join(Resource, Resource.place_id == Place.id)
        .where(_is_published(), Place.latitude.is_not(None), likely >= LIKELY)
        .group_by(Place.id)
        .order_by(likely.desc(), Place.id)
        .limit(size)
    )
    return [Spot(*row) for row in rows]


def _that_answer(query: Select[*tuple[Any, ...]], sought: Sought) -> Select[*tuple[Any, ...]]:
    query = query.where(_is_published())
    if sought.text:
        query = query.where(_named_like(sought.text))
    if sought.category:
        query = query.where(Resource.category == sought.category)
    first: list[ColumnElement[Any]] = [Resource.capacity.is_(None)]
    if sought.capacity is not None:
        query = query.where(or_(Resource.capacity >= sought.capacity, Resource.capacity.is_(None)))
        first.append(Resource.capacity.asc())
    if sought.kind:
        query = query.where(Resource.kind == sought.kind)
    if sought.accessible:
        query = query.where(Place.access == "accessible")
    if sought.lender is not None:
        query = query.where(Resource.lender_id == sought.lender)
    return query.order_by(*first, Resource.sort_name, Resource.id)


def beside(
    session: Session, it: ResourceView, *, named: Collection[str] = (), size: int = 24
) -> list[ResourceView]:
    """What may come with a resource in one request: what is ``named`` (tokens), then some of each kind.

    Of the same lender, by name: pools, things, then the rooms of the same place that can be had with it.
    """
    mine = select(ResourceUnit.unit_id).where(ResourceUnit.resource_id == it.id)
    shared = select(ResourceUnit.resource_id).where(ResourceUnit.unit_id.in_(mine))
    asked = Resource.token.in_(named)
    same_place = Resource.place_id == it.place_id if it.place_id is not None else false()
    around = or_(Resource.kind != "room", same_place, asked)
    turn = func.row_number().over(partition_by=Resource.kind, order_by=[Resource.sort_name, Resource.id])
    rows = session.execute(
        _ROWS.where(_is_published(), Resource.lender_id == it.lender_id, Resource.id.not_in(shared), around)
        .order_by(asked.desc(), turn)
        .limit(size)
    )
    order = ("pool", "thing", "room").index
    return sorted((ResourceView(*row) for row in rows), key=lambda row: (order(row.kind), row.sort_name, row.id))


def newest(session: Session, *, size: int) -> list[ResourceView]:
    """What was published last, some of each kind."""
    turn = func.row_number().over(partition_by=Resource.kind, order_by=[Resource.published_at.desc(), Resource.id])
    query = _ROWS.where(_is_published()).order_by(turn, Resource.kind)
    return [ResourceView(*row) for row in session.execute(query.limit(size))]


def published_number(session: Session) -> int:
    """How many resources are published."""
    return session.scalar(select(func.count()).select_from(Resource).where(_is_published())) or 0


def views(session: Session, ids: Iterable[int]) -> dict[int, ResourceView]:
    """These resources by id, published or not, in one query: what bookings name."""
    wanted = set(ids)
    rows = session.execute(_ROWS.where(Resource.id.in_(wanted))) if wanted else ()
    return {row[0]: ResourceView(*row) for row in rows}


def of_lender(
    session: Session, lender: int, *, category: str | None = None, status: str | None = None, text: str | None = None,
    kind: str | None = None, page: int = 1, size: int = PAGE,
) -> Listing:  # fmt: skip
    """A page of what a lender has; retired ones only when they are asked for. ``category`` "" is without one."""
    wanted: list[ColumnElement[bool]] = [Resource.lender_id == lender]
    wanted.append(_STATUS.in_([status]) if status else Resource.retired_at.is_(None))
    if category is not None:
        wanted.append(Resource.category == category)
    if kind:
        wanted.append(Resource.kind == kind)
    if text:
        wanted.append(_named_like(text))
    counted = select(func.count()).select_from(Resource).outerjoin(Place, Place.id == Resource.place_id)
    total = session.scalar(counted.where(*wanted)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    order = (func.sort_key(Resource.category), Resource.category, Resource.sort_name, Resource.id)
    rows = session.execute(_ROWS.where(*wanted).order_by(*order).limit(size).offset((page - 1) * size))
    return Listing([ResourceView(*row) for row in rows], total, page, pages)


def all_of(session: Session, lender: int) -> list[ResourceView]:
    """Everything that a lender has or had, by name."""
    rows = session.execute(_ROWS.where(Resource.lender_id == lender).order_by(Resource.sort_name, Resource.id))
    return [ResourceView(*row) for row in rows]


def mine_by_token(session: Session, lender: int, token: str) -> ResourceView | None:
    """One resource of a lender, published or not."""
    row = session.execute(_ROWS.where(Resource.token == token, Resource.lender_id == lender)).one_or_none()
    return ResourceView(*row) if row else None


def row_of(session: Session, lender: int, token: str) -> Resource | None:
    """The row to change of one resource of a lender, locked until the transaction ends."""
    return session.scalar(
        select(Resource).where(Resource.token == token, Resource.lender_id == lender).with_for_update()
    )


def mine_by_tokens(session: Session, lender: int, tokens: Collection[str]) -> dict[str, ResourceView]:
    """Resources of a lender by token, in one query."""
    rows = session.execute(_ROWS.where(Resource.token.in_(tokens), Resource.lender_id == lender)) if tokens else ()
    return {row[1]: ResourceView(*row) for row in rows}


def units_of(session: Session, resource_ids: Iterable[int]) -> dict[int, list[int]]:
    """The leaf units that each of these resources takes, in ascending order: itself, or the parts of a hall."""
    wanted = set(resource_ids)
    found: dict[int, list[int]] = {id_: [] for id_ in wanted}
    if wanted:
        rows = session.execute(
            select(ResourceUnit.resource_id, ResourceUnit.unit_id)
            .where(ResourceUnit.resource_id.in_(wanted))
            .order_by(ResourceUnit.resource_id, ResourceUnit.unit_id)
        )
        for resource, unit in rows:
            found[resource].append(unit)
    return found


def count_from(session: Session, *, lender: int, source: str, refs: Collection[str]) -> int:
    """How many of these references of a file a lender already has."""
    known = select(func.count()).where(
        Resource.lender_id == lender, Resource.source == source, Resource.source_ref.in_(refs)
    )
    return session.scalar(known) or 0


def categories(session: Session, *, lender: int | None = None) -> list[str]:
    """The categories of what is published; with ``lender``, of all that this lender keeps."""
    kept = and_(Resource.lender_id == lender, Resource.retired_at.is_(None)) if lender is not None else _is_published()
    rows = session.scalars(select(Resource.category).where(kept, Resource.category != "").distinct())
    return sorted(rows, key=str.casefold)


def counts(session: Session, lender: int) -> dict[str, int]:
    """How many resources of a lender stand where: by status."""
    rows = session.execute(
        select(_STATUS, func.count()).where(Resource.lender_id == lender).group_by(_STATUS)
    )
    return {row[0]: row[1] for row in rows}


def places_of(session: Session, lender: int) -> Sequence[Place]:
    """The places of a lender, by name."""
    return session.scalars(
        select(Place).where(Place.lender_id == lender).order_by(func.sort_key(Place.name), Place.id)
    ).all()


def place_by_token(session: Session, lender: int, token: str) -> Place | None:
    """One place of a lender."""
    return session.scalar(select(Place).where(Place.token == token, Place.lender_id == lender))


def neighbours(session: Session, resource: ResourceView) -> list[ResourceView]:
    """The other rooms of the same place, of which a hall may be made."""
    if resource.place_id is None:
        return []
    rows = session.execute(
        _ROWS.where(Resource.place_id == resource.place_id, Resource.kind == "room", Resource.id != resource.id)
        .where(Resource.retired_at.is_(None))
        .order_by(Resource.sort_name, Resource.id)
        .limit(100)
    )
    return [ResourceView(*row) for row in rows]


def acts(session: Session, resource: int, *, limit: int = 20) -> list[ActView]:
    """What was done to a resource, the latest first."""
    rows = session.execute(
        select(ResourceAct.act, ResourceAct.by_sign_in, ResourceAct.acted_at)
        .where(ResourceAct.resource_id == resource)
        .order_by(ResourceAct.id.desc())
        .limit(limit)
    )
    return [ActView(*row) for row in rows]


def acts_of(session: Session, lender: int) -> dict[int, list[tuple[str, datetime]]]:
    """What was done to each resource of a lender and when, in order."""
    rows = session.execute(
        select(ResourceAct.resource_id, ResourceAct.act, ResourceAct.acted_at)
        .join(Resource, Resource.id == ResourceAct.resource_id)
        .where(Resource.lender_id == lender)
        .order_by(ResourceAct.id)
    )
    found: dict[int, list[tuple[str, datetime]]] = {}
    for resource, act, at in rows:
        found.setdefault(resource, []).append((act, at))
    return found


def was_published(session: Session, resource: int) -> bool:
    """Whether it was ever published."""
    acted = select(ResourceAct.id).where(ResourceAct.resource_id == resource, ResourceAct.act == "published")
    return session.scalar(select(acted.exists())) or False


_AT_HOME: ColumnElement[bool] = literal_column(
    "EXISTS (SELECT FROM parties p WHERE p.id = resources.lender_id AND p.kind = 'person')", Boolean()
)


def _is_published() -> ColumnElement[bool]:
    return and_(Resource.published_at.is_not(None), Resource.retired_at.is_(None))


def _named_like(text: str) -> ColumnElement[bool]:
    """Each word is in the name, the category or the address, or nearly: accents and a slip of the hand don't count.

    Of where a person lives only the town is searched: an address that is found is an address that is told.
    """
    where = case((_AT_HOME, Place.town), else_=func.concat_ws(" ", Place.name, Place.address, Place.town))
    told = func.sort_key(func.concat_ws(" ", Resource.name, Resource.category, where))
    each = [
        or_(func.strpos(told, func.sort_key(word)) > 0, func.word_similarity(func.sort_key(word), told) >= LIKELY)
        for word in text.split()[:10]
    ]
    return and_(true(), *each)
