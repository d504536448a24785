"""The first page: for a visitor, for a member, and for each office that somebody holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from flask import render_template
from flask_login import current_user
from sqlalchemy.orm import Session

from exchange import clock
from exchange.adverts import queries as adverts
from exchange.audit import queries as audit
from exchange.audit.queries import Health
from exchange.bookings import queries as bookings
from exchange.bookings.queries import Due
from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.declarations import queries as declarations
from exchange.keeping import kept
from exchange.members import queries as members
from exchange.navigation import offices, own_loans
from exchange.pictures import queries as pictures
from exchange.security import communities, held, own, today, tomorrow
from ledger.store import reading
from ledger.store.reading import AccountView

NEWEST = 3  # of each list on the first page


class Purse(NamedTuple):
    """One account on the first page: whose, where, and what waits for its holder's word."""

    account: AccountView
    community: members.CommunityView
    holder: members.PartyView


@dataclass(frozen=True)
class Lending:
    """What waits for the officers of one or several lenders."""

    to_decide: list[Due]
    undecided: int
    today: list[Due]
    of_today: int

    @property
    def all(self) -> list[Due]:
        """Both."""
        return self.to_decide + self.today


def home() -> str:
    """The first page, for whoever comes."""
    if not current_user.is_authenticated:
        return _for_visitors()
    return _for_people()


def _for_visitors() -> str:
    session = db.session()
    lent, published = catalogue.newest(session, size=2 * NEWEST), catalogue.published_number(session)
    figures = kept("figures", lambda: members.figures(session, since=today() - timedelta(days=365)))
    return render_template(
        "home/visitor.html", figures=figures, lent=lent,
        lenders=members.parties(session, {each.lender_id for each in lent}), published=published,
        pictures=pictures.firsts(session, [each.id for each in lent]),
    )  # fmt: skip


def _for_people() -> str:
    """Balances, what waits for an answer, messages, bookings, what each office has to do: at most twelve queries."""
    work, scope = db.session(), own("account.read")
    accounts = sorted(reading.accounts_of(work, scope.parties), key=lambda account: account.kind != "person")
    waiting = declarations.waiting(work, [account.id for account in accounts]) if accounts else []
    talks, _older = adverts.threads(work, own("thread.write").parties, size=NEWEST)
    by_id = {community.id: community for community in communities("member.read")}
    ideas = adverts.newest_of_others(work, by_id, mine=scope.parties, size=NEWEST) if by_id else []
    holders = reading.parties_of(work, [a for each in waiting for a in (each.giver_account, each.receiver_account)])
    spoken = {party for talk in talks for party in (talk.thread.author_party, talk.thread.asking_party)}
    lending = _lending(work)
    due = lending.all if lending else []
    people = members.parties(work, {
        *holders.values(), *spoken, *(idea.party_id for idea in ideas), *(account.party_id for account in accounts),
        *(party for each in due for party in (each.party_id, each.lender_id)),
    })  # fmt: skip
    mine = {account.id for account in accounts}
    coming = bookings.coming(work, own("booking.read").parties, at=clock.now())
    return render_template(
        "home/person.html",
        purses=[Purse(each, by_id[each.community_id], people[each.party_id]) for each in accounts],
        to_answer=[each for each in waiting if each.receiver_account in mine],
        expected=[each for each in waiting if each.receiver_account not in mine],
        talks=talks, ideas=ideas, mine=set(scope.parties), holders=holders, people=people, communities=by_id,
        offices=offices(held()), own_loans=own_loans(held()), coming=coming, lending=lending,
        health=_health(work, by_id),
        lent=catalogue.views(work, [*(each.resource_id for each in coming), *(each.resource_id for each in due)]),
    )  # fmt: skip


def _lending(session: Session) -> Lending | None:
    """What the lenders have to do whose officer this person is; None who is none, or a neighbour with nothing to do."""
    mandates = [mandate for mandate in held() if mandate.role == "officer"]
    if not mandates:
        return None
    lenders = [mandate.party_id for mandate in mandates]
    to_decide, undecided = bookings.undecided(
        session, lenders, sign_in=mandates[0].sign_in_id, on=today(), size=NEWEST
    )
    of_today, many = bookings.of_the_day(session, lenders, at=clock.now(), until=tomorrow())
    at_home = all(mandate.party_kind == "person" for mandate in mandates)
    return None if at_home and not undecided and not many else Lending(to_decide, undecided, of_today, many)


def _health(session: Session, by_id: dict[int, members.CommunityView]) -> list[Health]:
    """How the communities are that this person administers; and to who keeps or checks their books, how these are."""
    roles: dict[int, set[str]] = {}
    for mandate in held():
        roles.setdefault(mandate.party_id, set()).add(mandate.role)
    found = []
    for community in by_id.values():
        here = roles.get(community.party_id, set())
        if here & {"administrator", "treasurer", "auditor"}:
            one = audit.health(session, community.id, today=today(), at=clock.now())
            mine = "administrator" in here
            found.append(one if mine else one._replace(applications=0, lost_letters=0))  # others answer these
    return found
