"""What is wanted, before anything is written: whether it can be had, and what it would cost under the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from exchange.authorisations import queries as authorisations
from exchange.bookings import policy, queries
from exchange.bookings.availability import Timetable
from exchange.bookings.queries import BookingView
from exchange.catalogue import policy as terms
from exchange.catalogue.queries import ResourceView
from exchange.charters import queries as charters
from exchange.charters.queries import CharterView
from exchange.errors import BorrowerCannotPay, CharterNotAccepted, Closed, NotBookable, RuleRefuses, TooManyPeople
from exchange.hours import open_throughout
from exchange.organisations import queries as organisations
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import IN_EUROS, Charter, Evaluation, Facts, Item, Rule, Span, Standing, evaluate
from ledger.store import reading


class Wanted(NamedTuple):
    """One resource that is asked for, and how many of it when it is a pool."""

    resource: ResourceView
    quantity: int = 1


class Request(NamedTuple):
    """Who asks what, when, what for."""

    party: int
    wanted: tuple[Wanted, ...]
    starts_at: datetime
    ends_at: datetime
    purpose: str
    people: int | None = None
    accepts: frozenset[str] = frozenset()  # charters that are accepted with it


def request_of(view: BookingView, resources: Mapping[int, ResourceView]) -> Request:
    """What was asked for, with what its resources are now."""
    wanted = tuple(Wanted(resources[item.resource_id], item.quantity) for item in view.items)
    return Request(view.party_id, wanted, view.starts_at, view.ends_at, view.purpose, view.people)


def one_lender(wanted: Sequence[Wanted]) -> int:
    lenders = {each.resource.lender_id for each in wanted}
    if len(lenders) != 1:
        raise NotBookable
    return lenders.pop()


def at_once(request: Request) -> bool:
    """Whether nobody has to decide."""
    return all(each.resource.decided_by == "nobody" for each in request.wanted)


def check(request: Request, *, zone: str, at: datetime, instead_of: BookingView | None = None) -> None:
    """Raise what a request meets before any rule: its span, the days and hours, the room's size, the lender's terms.

    What stays within the hours of what it is asked ``instead_of`` is not too late to ask for.
    """
    policy.check_span(request.starts_at, request.ends_at, at=at)
    check_fitness(request, zone=zone)
    within = instead_of and instead_of.starts_at <= request.starts_at and request.ends_at <= instead_of.ends_at
    _check_terms(request, zone=zone, at=None if within else at)


def check_fitness(request: Request, *, zone: str) -> None:
    """Raise NotLentThen or Closed when a resource isn't lent throughout, TooManyPeople when rooms are too small."""
    there = ZoneInfo(zone)
    for resource, _quantity in request.wanted:
        days = request.starts_at.astimezone(there), request.ends_at.astimezone(there)
        if refused := terms.refusal_of_days(resource.terms, *days):
            refused.facts["name"] = resource.name
            raise refused
        if not open_throughout(resource.opening_hours, zone, request.starts_at, request.ends_at):
            raise Closed(name=resource.name)
    _check_people(request)


def _check_people(request: Request) -> None:
    """Raise TooManyPeople; several rooms take together what each of them takes, when that is known of all."""
    rooms = [each.resource for each in request.wanted if each.resource.kind == "room"]
    places = [room.capacity for room in rooms if room.capacity is not None]
    if rooms and len(places) == len(rooms) and (request.people or 0) > sum(places):
        raise TooManyPeople(name=" + ".join(room.name for room in rooms), capacity=sum(places))


def _check_terms(request: Request, *, zone: str, at: datetime | None) -> None:
    """Raise AskedTooLate, AskedTooEarly, NotASlot, ShorterThanLent, LongerThanLent; a lender isn't held by its own."""
    there = ZoneInfo(zone)
    span = request.starts_at.astimezone(there), request.ends_at.astimezone(there)
    for number, (resource, _quantity) in enumerate(request.wanted):
        if resource.lender_id == request.party:
            continue
        said = resource.terms
        if number and resource.kind != "room":  # what comes beside keeps the hours of what it comes with
            said = said._replace(slots="")
        refused = terms.refusal_of_moment(said, request.starts_at, at=at) if at else None
        if refused := refused or terms.refusal_of_length(said, *span):
            refused.facts["name"] = resource.name
            raise refused


def check_all(session: Session, request: Request, *, zone: str, at: datetime) -> None:
    """Raise what ``check`` and ``check_free`` do."""
    check(request, zone=zone, at=at)
    check_free(session, request)


def check_free(session: Session, request: Request, *, apart_from: Sequence[str] = ()) -> None:
    """Raise OutOfService, SlotTaken or PoolExhausted for what is closed or taken; bookings (tokens) may have again what
    they hold themselves. A courtesy before a claim is tried, and all that protects what is held when things are closed.
    """
    wanted = [each.resource for each in request.wanted]
    table = Timetable(session, wanted, request.starts_at, request.ends_at, apart_from=apart_from)
    if refused := table.refusal(request.wanted, request.starts_at, request.ends_at):
        raise refused


class Quotes:
    """What requests of one party to one lender would cost; what is known of the two is read once.

    ``instead_of`` is what they would replace: the minutes that are set aside for it count as given back. The charters
    are those of ``asked_at``, when that was before; what the lender itself ``offers`` asks for none.
    """

    def __init__(
        self, session: Session, party: int, lender: int, *, zone: str, at: datetime,
        instead_of: BookingView | None = None, asked_at: datetime | None = None, offers: bool = False,
    ) -> None:  # fmt: skip
        self._there, self._lender = ZoneInfo(zone), lender
        self._rules = rules.rules_of(session, [lender])[lender]
        waived = offers or party == lender
        self._charters = [] if waived else charters.of_lender(session, lender, at=asked_at or at)
        self._facts = _facts(session, party, lender, self._charters, instead_of=instead_of, at=at)

    def of(self, request: Request) -> Evaluation:
        """The price of a request and what every rule of its first day says of it."""
        span = Span(request.starts_at.astimezone(self._there), request.ends_at.astimezone(self._there))
        items = [
            Item(it.id, it.category, quantity, it.reserved and it.lender_id != request.party, self._charter(it))
            for it, quantity in request.wanted
        ]  # fmt: skip
        facts = self._facts._replace(accepted=self._facts.accepted | request.accepts)
        return evaluate(self._rules_for(request.party), items, span, facts)

    def _rules_for(self, party: int) -> list[Rule]:
        """A lender owes itself nothing in euros."""
        own = party == self._lender
        return [rule for rule in self._rules if rule.shape not in IN_EUROS] if own else self._rules

    def _charter(self, it: ResourceView) -> Charter | None:
        found = charters.binding(self._charters, it)
        return Charter(found.token, found.title, found.number) if found else None


def quote(
    session: Session, request: Request, *, zone: str, at: datetime, instead_of: BookingView | None = None,
    asked_at: datetime | None = None, offers: bool = False,
) -> Evaluation:  # fmt: skip
    """What one request would cost, and whether the rules let it through; nothing is written."""
    lender = request.wanted[0].resource.lender_id
    quotes = Quotes(session, request.party, lender, zone=zone, at=at, instead_of=instead_of, asked_at=asked_at,
                    offers=offers)  # fmt: skip
    return quotes.of(request)


def _facts(
    session: Session, party: int, lender: int, found: Sequence[CharterView], *, instead_of: BookingView | None,
    at: datetime,
) -> Facts:  # fmt: skip
    accounts = reading.accounts_of(session, [party, lender])
    mine = {account.community_id: account for account in accounts if account.party_id == party}
    back = {instead_of.community_id: instead_of.minutes} if instead_of and instead_of.hold_id else {}

    def standing(of: reading.AccountView) -> Standing:
        returned, available = back.get(of.community_id, 0), of.core().available
        return Standing(of.balance - of.held + returned, None if available is None else available + returned)

    return Facts(
        class_=organisations.class_of(session, party),
        standings={community: standing(account) for community, account in mine.items()},
        lender_communities=frozenset(a.community_id for a in accounts if a.party_id == lender),
        overdue=queries.overdue(session, party, at=at, apart_from=instead_of.id if instead_of else 0),
        authorised=authorisations.of_party(session, party, lender=lender),
        accepted=_accepted(session, party, found),
    )


def _accepted(session: Session, party: int, found: Sequence[CharterView]) -> frozenset[str]:
    """The charters, among these, that a party accepted."""
    ids = {version for _party, version in charters.accepted(session, [party], found)}
    return frozenset(each.token for each in found if each.id in ids)


def let_through(evaluation: Evaluation) -> None:
    """Raise RuleRefuses, or CharterNotAccepted when that is what is to be done first."""
    if not evaluation.allowed:
        first = evaluation.refusals[0]
        findings = [
            {"code": f.code, "holds": f.holds, "title": f.title, "facts": dict(f.facts)} for f in evaluation.refusals
        ]  # fmt: skip
        if first.code == "charter":
            raise CharterNotAccepted(findings=findings, title=first.title, charter=first.facts["charter"])
        raise RuleRefuses(findings=findings)


def let_through_again(evaluation: Evaluation) -> None:
    """As when it was asked for, but what a balance refuses is told to the lender's office without its figures."""
    if any(finding.code in {"balance", "within-floor", "account-needed"} for finding in evaluation.refusals):
        raise BorrowerCannotPay
    let_through(evaluation)
