"""Reads of the books, as values of the core. Amounts are minutes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, or_, select, text
from sqlalchemy.orm import Session

from ledger.accounts import Account
from ledger.limits import Limits
from ledger.statements import Line
from ledger.store.tables import accounts


class AccountView(NamedTuple):
    """An account as its holder may see it. Amounts are minutes."""

    id: int
    token: str
    community_id: int
    party_id: int
    kind: str
    balance: int
    held: int
    seq: int
    floor: int | None
    ceiling: int | None
    leaving_at: datetime | None
    closed_at: datetime | None

    def core(self) -> Account:
        """The account as the rules see it."""
        limits = Limits(self.floor, self.ceiling)
        leaving, closed = self.leaving_at is not None, self.closed_at is not None
        return Account(self.id, self.balance, self.held, limits, leaving, closed)


ACCOUNT = tuple(accounts.c[field] for field in AccountView._fields)
_ACCOUNT: Select[Any] = select(*ACCOUNT)
_HELD = accounts.c.kind != "transit"  # what a party holds itself

# Asked by nearly every request. Building a statement costs more than running it: these are built once.
_WITHIN = _ACCOUNT.where(accounts.c.token == bindparam("token")).where(
    or_(
        accounts.c.party_id.in_(bindparam("parties", expanding=True)),
        accounts.c.community_id.in_(bindparam("communities", expanding=True)),
    )
)
_OF_PARTIES = (
    _ACCOUNT.where(accounts.c.party_id.in_(bindparam("parties", expanding=True)))
    .where(accounts.c.closed_at.is_(None), _HELD)
    .order_by(accounts.c.id)
)
_OF_PARTY = _ACCOUNT.where(accounts.c.community_id == bindparam("community")).where(
    accounts.c.party_id == bindparam("party"), _HELD
)


def account_within(
    session: Session, token: str, *, parties: Collection[int], communities: Collection[int] = ()
) -> AccountView | None:
    """The account of this random identifier, if it is of one of these parties, or in one of these communities."""
    within = {"token": token, "parties": list(parties), "communities": list(communities)}
    row = session.execute(_WITHIN, within).one_or_none()
    return AccountView(*row) if row else None


def accounts_of(session: Session, parties: Collection[int]) -> list[AccountView]:
    """The open accounts of these parties, in the order of their opening (transit accounts apart)."""
    return [AccountView(*row) for row in session.execute(_OF_PARTIES, {"parties": list(parties)})]


def ids_within(session: Session, *, parties: Collection[int], communities: Collection[int] = ()) -> list[int]:
    """Every account of these parties and in these communities, closed ones too: what they hold stays readable."""
    within = or_(accounts.c.party_id.in_(parties), accounts.c.community_id.in_(communities))
    return list(session.scalars(select(accounts.c.id).where(within)))


def account(session: Session, community: int, id_: int) -> AccountView | None:
    """One account of a community by id."""
    row = session.execute(_ACCOUNT.where(accounts.c.community_id == community, accounts.c.id == id_)).one_or_none()
    return AccountView(*row) if row else None


def account_of(session: Session, community: int, party: int) -> AccountView | None:
    """The account of a party in a community, open or closed."""
    row = session.execute(_OF_PARTY, {"community": community, "party": party}).one_or_none()
    return AccountView(*row) if row else None


def open_accounts(session: Session, community: int) -> list[AccountView]:
    """Every open account of a community (transit accounts apart)."""
    rows = session.execute(
        _ACCOUNT.where(accounts.c.community_id == community, accounts.c.closed_at.is_(None))
        .where(_HELD).order_by(accounts.c.id)
    )  # fmt: skip
    return [AccountView(*row) for row in rows]


def parties_of(session: Session, account_ids: Iterable[int]) -> dict[int, int]:
    """The holder of each of these accounts: account id -> party id, in one query."""
    wanted = set(account_ids)
    if not wanted:
        return {}
    rows = session.execute(select(accounts.c.id, accounts.c.party_id).where(accounts.c.id.in_(wanted)))
    return {row.id: row.party_id for row in rows}


# Each half reads its own index backwards and stops at the page's size: the cost doesn't grow with the account's life.
_STATEMENT = text(
    """
    SELECT l.seq, l.entry_id, e.kind, e.cause_kind, e.cause_id, e.happened_on, e.recorded_at, l.minutes, l.balance,
           l.other_account, a.party_id AS other_party, e.by_sign_in, e.by_party, e.reverses_id,
           (SELECT c.id FROM books.entries c WHERE c.reverses_id = e.id), e.by_mandate
      FROM (
        (SELECT t.from_seq AS seq, t.entry_id, -t.minutes AS minutes, t.from_balance AS balance,
                t.to_account AS other_account
           FROM books.transfers t WHERE t.from_account = :account AND t.from_seq < :before
          ORDER BY t.from_seq DESC LIMIT :size)
        UNION ALL
        (SELECT t.to_seq, t.entry_id, t.minutes, t.to_balance, t.from_account
           FROM books.transfers t WHERE t.to_account = :account AND t.to_seq < :before
          ORDER BY t.to_seq DESC LIMIT :size)
        ORDER BY seq DESC LIMIT :size
      ) l
      JOIN books.entries e ON e.id = l.entry_id
      JOIN books.accounts a ON a.id = l.other_account
     ORDER BY l.seq DESC
    """
)
_FIRST_PAGE = 2**62


def statement(session: Session, account_id: int, *, before: int | None = None, size: int = 25) -> list[Line]:
    """A page of the statement, newest first; ``before`` is the seq under which it starts."""
    values = {"account": account_id, "before": _FIRST_PAGE if before is None else before, "size": size}
    return [Line(*row) for row in session.execute(_STATEMENT, values)]
