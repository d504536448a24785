"""Who may do what. Mandates are the only rights, and this table the only place that reads them as permissions.

A page never asks "may this person see that row?": it loads the row through the parties that the person acts for, so
that another's row is simply not found. A page of an office (a lender's, a community's) says who can instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from flask import g
from flask_login import current_user
from flask_security.decorators import auth_required as _auth_required

from exchange import clock
from exchange.db import db
from exchange.errors import NotAllowed, NotFound
from exchange.keeping import kept
from exchange.members import queries as members
from ledger.entries import Acting
from ledger.store import reading
from ledger.store.reading import AccountView

__all__ = [
    "OFFICES", "OWN", "Counter", "Office", "Scope", "acts_for", "auth_required", "counter_of", "held", "office", "own",
]  # fmt: skip

# What people do with what is theirs, or with what they were asked to do for others: permission -> roles.
OWN: dict[str, frozenset[str]] = {
    "account.read": frozenset({"member", "delegate", "facilitator"}),
    "account.export": frozenset({"member", "delegate"}),
    "exchange.declare": frozenset({"member", "delegate", "facilitator"}),
    "exchange.answer": frozenset({"member", "delegate", "facilitator"}),
    "advert.publish": frozenset({"member", "delegate", "facilitator"}),
    "advert.read": frozenset({"member", "delegate", "facilitator", "treasurer", "auditor", "administrator"}),
    "thread.write": frozenset({"member", "delegate"}),
    "profile.edit": frozenset({"member", "delegate", "facilitator"}),
    "member.read": frozenset({"member", "delegate", "facilitator", "treasurer", "auditor", "administrator"}),
    "organisation.edit": frozenset({"delegate", "officer"}),
    "booking.ask": frozenset({"member", "delegate", "facilitator", "administrator"}),
    "booking.read": frozenset({"member", "delegate", "facilitator", "administrator"}),
}

# What is done for an office, in the name of the party that it belongs to.
OFFICES: dict[str, frozenset[str]] = {
    "catalogue.manage": frozenset({"officer"}),
    "booking.decide": frozenset({"officer"}),
    "rules.write": frozenset({"officer"}),
    "import.run": frozenset({"officer"}),
    "rates.write": frozenset({"officer"}),
    "reports.read": frozenset({"officer", "treasurer", "auditor"}),
    "community.admit": frozenset({"administrator"}),
    "counter.serve": frozenset({"facilitator"}),
    "community.letters": frozenset({"administrator"}),
    "books.read": frozenset({"treasurer", "auditor", "administrator"}),
    "books.export": frozenset({"auditor", "administrator"}),  # members too, where the assembly opened the books
    "books.open": frozenset({"administrator"}),
    "books.correct": frozenset({"treasurer", "administrator"}),
    "books.levy": frozenset({"treasurer", "administrator"}),
    "books.limits": frozenset({"administrator"}),
    "books.accounts": frozenset({"administrator"}),
}


F = TypeVar("F", bound=Callable[..., Any])


def auth_required() -> Callable[[F], F]:
    """Only for who is signed in on this browser; others are sent to sign in, and come back."""
    decorator: Callable[[F], F] = _auth_required("session")
    return decorator


class Office(NamedTuple):
    """The party whose office it is, and who acts for it."""

    party: members.PartyView
    by: Acting


@dataclass(frozen=True)
class Scope:
    """Everything that the signed-in person may do under one permission, today."""

    mandates: tuple[members.Held, ...]

    @property
    def parties(self) -> list[int]:
        """The parties that the person acts for in their own name or as a delegate."""
        return [held.party_id for held in self.mandates if held.role != "facilitator"]

    @property
    def communities(self) -> list[int]:
        """The communities in which the person acts for any member: the facilitator's counter."""
        return [held.community_id for held in self.mandates if held.role == "facilitator" and held.community_id]

    def acting(self, party: int, community: int | None = None) -> Acting:
        """Who acts, for ``party``: by its own mandate, else by that of the facilitator of ``community``.

        Raises NotFound when the person has neither.
        """
        for held in self.mandates:
            if held.party_id == party and held.role != "facilitator":
                return Acting(held.sign_in_id, party, held.id)
        for held in self.mandates:
            if held.role == "facilitator" and community is not None and held.community_id == community:
                return Acting(held.sign_in_id, party, held.id)
        raise NotFound


class Counter(NamedTuple):
    """The account that somebody acts on, with its community and its holder, and who acts."""

    account: AccountView
    community: members.CommunityView
    holder: members.PartyView
    by: Acting

    @property
    def served(self) -> bool:
        """Whether it is somebody else's: the person serves them, at the facilitator's counter."""
        return not acts_for(self.holder.id)


def territory() -> members.TerritoryView:
    """What this install serves; kept, since every page names it and almost nobody renames it."""
    return kept("territory", lambda: members.territory(db.session()))


def today() -> date:
    """The day on the calendar of the territory."""
    return clock.local_date(clock.now(), territory().zone)


def tomorrow() -> datetime:
    """The midnight that ends this day in the territory."""
    return datetime.combine(today() + timedelta(days=1), time.min, ZoneInfo(territory().zone))


def held() -> tuple[members.Held, ...]:
    """The mandates of the signed-in person in force today; one query for each request."""
    if "mandates" not in g:
        g.mandates = ()
        if current_user.is_authenticated:
            g.mandates = tuple(members.mandates_of(db.session(), current_user.id, on=today()))
    mandates: tuple[members.Held, ...] = g.mandates
    return mandates


def own_name() -> str:
    """The name of the signed-in person; their user name while they act for no person."""
    for mandate in held():
        if mandate.role == "member" and mandate.party_kind == "person":
            return mandate.party_name
    return str(current_user.user_name)


def own(permission: str) -> Scope:
    """The scope of a permission over one's own things; empty when the person has no mandate for it."""
    return Scope(tuple(mandate for mandate in held() if mandate.role in OWN[permission]))


def acts_for(party: int) -> bool:
    """Whether the signed-in person is this party, or its delegate; who only serves it at the counter isn't."""
    return party in own("account.read").parties


def counter_of(permission: str, token: str) -> Counter:
    """An open account, loaded through the parties that the person acts for. Raises NotFound for any other."""
    scope = own(permission)
    found = members.standing(db.session(), token, parties=scope.parties, communities=scope.communities)
    if found is None or found.account.closed_at is not None:
        raise NotFound
    acting = scope.acting(found.holder.id, found.community.id)
    return Counter(found.account, found.community, found.holder, acting)


def counters(permission: str) -> list[Counter]:
    """The open accounts of the parties that the person acts for, people's first."""
    session, scope = db.session(), own(permission)
    found = reading.accounts_of(session, scope.parties)
    holders = {mandate.party_id: mandate.party for mandate in scope.mandates}
    known = {community.id: community for community in members.communities(session)} if found else {}
    return [
        Counter(account, known[account.community_id], holders[account.party_id], scope.acting(account.party_id))
        for account in sorted(found, key=lambda account: account.kind != "person")
    ]


def communities(permission: str) -> list[members.CommunityView]:
    """The communities in which the signed-in person has an account or an office, the first opened first."""
    return members.communities_of(db.session(), {mandate.party_id for mandate in own(permission).mandates})


def community_of(permission: str, token: str) -> members.CommunityView:
    """One of those communities, by its random identifier. Raises NotFound for any other."""
    for community in communities(permission):
        if community.token == token:
            return community
    raise NotFound


def office(permission: str, token: str) -> Office:
    """The office of the party named in the address.

    Raises NotFound for an unknown party, NotAllowed (which says who can) without the mandate.
    """
    for mandate in held():
        if mandate.party_token == token and mandate.role in OFFICES[permission]:
            return Office(mandate.party, Acting(mandate.sign_in_id, mandate.party_id, mandate.id))
    party = members.party_by_token(db.session(), token)
    if party is None:
        raise NotFound
    raise NotAllowed(roles=sorted(OFFICES[permission]), party=party.name)


def in_office(permission: str, party: int) -> bool:
    """Whether the signed-in person may do that for this party's office."""
    return any(mandate.party_id == party and mandate.role in OFFICES[permission] for mandate in held())
