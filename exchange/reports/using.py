"""How much of what is lent is used, when it is open, by whom, and how many people came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import queries as closures
from exchange.closures.queries import ClosureView
from exchange.hours import intervals
from exchange.organisations import queries as organisations
from exchange.reports import policy, queries
from exchange.reports.policy import Span
from exchange.reports.queries import Fact


class Attended(NamedTuple):
    """Bookings that begin in a period, and who came: ``people`` were expected; ``came`` to those that are counted."""

    bookings: int
    people: int
    came: int
    counted: int

    @property
    def uncounted(self) -> int:
        """Of how many nobody said who came."""
        return self.bookings - self.counted


class OfResource(NamedTuple):
    """The use of one resource, in minutes: of a pool, those of each thing add up.

    ``opened`` is when it was published, open and not closed; ``taken`` the part of that in which it couldn't be had by
    others, a hall with its halves and they with it.
    """

    resource: ResourceView
    minutes: int
    opened: int
    taken: int
    attended: Attended

    @property
    def share(self) -> float:
        """Which part of the open time was taken, from 0 to 1."""
        return self.taken / self.opened if self.opened else 0.0


class OfClass(NamedTuple):
    """The use of those of one class, in minutes: a booking of several things counts its time once."""

    class_: str
    minutes: int
    attended: Attended


class Use(NamedTuple):
    """The use of all that a lender lends, in a period that ends now at the latest."""

    resources: list[OfResource]
    classes: list[OfClass]
    minutes: int
    attended: Attended


def of_lender(
    session: Session, lender: int, span: Span, classes: Sequence[str], *, zone: str, at: datetime
) -> Use:
    """The use of each resource that could be had or was, retired or not; and of each of these classes, in order."""
    since, until = span[0], max(span[0], min(span[1], at))
    facts = [fact for fact in queries.facts_of_lender(session, lender, since, until, at=at) if fact.had]
    resources = catalogue.all_of(session, lender)
    table = _Table(session, lender, resources, facts, (since, until), zone=zone)
    rows = [table.row(it) for it in resources]
    of = organisations.classes_of(session, list({fact.party for fact in facts}))
    by_class = [_of_class(class_, [fact for fact in facts if of[fact.party] == class_], since, until)
                for class_ in classes]  # fmt: skip
    return Use(
        [row for row in rows if row.opened or row.minutes or row.attended.bookings],
        [each for each in by_class if each.minutes or each.attended.bookings],
        sum(each.minutes for each in by_class), _attended(facts, since),
    )  # fmt: skip


def _of_class(class_: str, facts: list[Fact], since: datetime, until: datetime) -> OfClass:
    once = {fact.booking: fact for fact in facts}.values()
    return OfClass(class_, sum(_inside(fact, since, until) for fact in once), _attended(facts, since))


def _inside(fact: Fact, since: datetime, until: datetime) -> int:
    """The minutes of a loan that fall in a period."""
    return policy.minutes_of((max(fact.starts_at, since), min(fact.ends_at, until)))


def _attended(facts: Iterable[Fact], since: datetime) -> Attended:
    begun = {fact.booking: fact for fact in facts if fact.starts_at >= since}.values()
    return Attended(len(begun), sum(fact.people or 0 for fact in begun), sum(fact.came or 0 for fact in begun),
                    sum(fact.came is not None for fact in begun))  # fmt: skip


class _Table:
    """What is open, closed and taken in a period, read once for all of a lender's resources."""

    def __init__(
        self, session: Session, lender: int, resources: list[ResourceView], facts: list[Fact], span: Span, *, zone: str
    ) -> None:
        self._span, self._zone = span, zone
        self._acts = catalogue.acts_of(session, lender)
        self._units = catalogue.units_of(session, [it.id for it in resources])
        self._open: dict[str, list[Span]] = {}
        self._had: dict[int, list[Fact]] = {}
        self._on_unit: dict[int, list[Span]] = {}
        for fact in facts:
            self._had.setdefault(fact.resource, []).append(fact)
            for unit in self._units[fact.resource]:
                self._on_unit.setdefault(unit, []).append((fact.starts_at, fact.ends_at))
        self._closed: dict[int, list[Span]] = {}
        self._closed_things: dict[int, list[ClosureView]] = {}
        for closure in closures.during(session, lender, *span):
            if closure.quantity is not None:
                self._closed_things.setdefault(closure.resource_id, []).append(closure)
            for unit in self._units[closure.resource_id] if closure.quantity is None else ():
                self._closed.setdefault(unit, []).append(self._of(closure))

    def _of(self, closure: ClosureView) -> Span:
        """When it was closed in fact, within the period."""
        ends = [end for end in (closure.ends_at, closure.lifted_at, self._span[1]) if end is not None]
        return max(closure.starts_at, self._span[0]), min(ends)

    def row(self, it: ResourceView) -> OfResource:
        """The use of one resource."""
        facts = self._had.get(it.id, [])
        minutes = sum(fact.had * _inside(fact, *self._span) for fact in facts)
        opened, taken = self._of_pool(it, facts) if it.kind == "pool" else self._of_room(it)
        return OfResource(it, minutes, opened, taken, _attended(facts, self._span[0]))

    def _of_room(self, it: ResourceView) -> tuple[int, int]:
        units = self._units[it.id]
        closed = policy.merged(span for unit in units for span in self._closed.get(unit, ()))
        opened = policy.without(self._lent(it), closed)
        held = policy.merged(span for unit in units for span in self._on_unit.get(unit, ()))
        return policy.minutes_of(*opened), policy.minutes_of(*policy.shared(opened, held))

    def _of_pool(self, it: ResourceView, facts: list[Fact]) -> tuple[int, int]:
        lent = self._lent(it)
        closed = sum(
            (closure.quantity or 0) * policy.minutes_of(*policy.shared(lent, policy.merged([self._of(closure)])))
            for closure in self._closed_things.get(it.id, ())
        )
        taken = sum(fact.had * policy.minutes_of(*policy.shared(lent, policy.merged([(fact.starts_at, fact.ends_at)])))
                    for fact in facts)  # fmt: skip
        return max((it.quantity or 0) * policy.minutes_of(*lent) - closed, 0), taken

    def _lent(self, it: ResourceView) -> list[Span]:
        """When it was published and its hours say that it is open."""
        if it.opening_hours not in self._open:
            found = intervals(it.opening_hours, self._zone, *self._span) if self._span[0] < self._span[1] else []
            self._open[it.opening_hours] = policy.merged(
                (each.starts_at.astimezone(UTC), each.ends_at.astimezone(UTC)) for each in found if each.open
            )
        published = policy.published_spans(self._acts.get(it.id, ()), self._span[1])
        return policy.shared(self._open[it.opening_hours], published)
