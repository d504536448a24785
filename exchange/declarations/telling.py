"""What the pages and the API of declarations share: one loaded through who asks, its other side, letters."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from sqlalchemy.orm import Session

from exchange import outbox
from exchange.db import db
from exchange.declarations import operations, queries
from exchange.declarations.models import Declaration
from exchange.errors import CounterGains, NotFound, PaysThemselves
from exchange.members import queries as members
from exchange.security import Counter, Scope, own, today
from ledger.entries import Acting
from ledger.store import reading
from ledger.store.reading import AccountView


def tell_other(counter: Counter, said: operations.Exchange, declaration: Declaration, *, posted: bool) -> None:
    """Write to the other side: what was said of them, or what waits for their word."""
    session = db.session()
    other = said.giver if posted else said.receiver
    recipients = members.e_mails_of(session, other.party_id, on=today())
    outbox.write(
        session, recipients, "declared" if posted else "to_confirm", at=declaration.declared_at,
        declaration=declaration, counter=counter, typed_by=served_by(counter),
        address=url_for("declarations.show", declaration=declaration.token, _external=True),
    )  # fmt: skip


def other_side(counter: Counter, token: str | None) -> AccountView | None:
    """The open account of the party that is named, in the community of ``counter``; None when it has none."""
    if not token or not token.isprintable():
        return None
    account = members.account_of(db.session(), counter.community.id, token)
    return account if account and account.closed_at is None and account.id != counter.account.id else None


class Shown(NamedTuple):
    """A declaration as one of its two sides reads it."""

    declaration: Declaration
    answer: Any
    community: members.CommunityView
    giver: members.PartyView
    receiver: members.PartyView
    scope: Scope

    @property
    def own_account(self) -> str | None:
        """The account of theirs that it is about; None at the counter."""
        sides = {self.declaration.giver_account, self.declaration.receiver_account}
        mine = reading.accounts_of(db.session(), self.scope.parties)
        return next((account.token for account in mine if account.id in sides and not account.closed_at), None)

    @property
    def mine_to_answer(self) -> bool:
        """Whether the word of who was helped is waited for, and the person may give it."""
        return self.answer is None and (not self.at_the_counter or (self.counter_may_answer and not self.counter_gains))

    @property
    def counter_gains(self) -> bool:
        """Whether who serves the counter would be paid by the answer: somebody else gives it."""
        return self.at_the_counter and self.giver.id in own("account.read").parties

    @property
    def at_the_counter(self) -> bool:
        """Whether the person isn't who was helped, nor acts for them by a mandate of theirs."""
        return self.receiver.id not in self.scope.parties

    @property
    def counter_may_answer(self) -> bool:
        """Whether the counter answers: for who has no sign-in, on this community's books."""
        return self._counter_serves(self.receiver)

    @property
    def mine_to_withdraw(self) -> bool:
        """Whether nobody answered yet, and the person may take back what was declared."""
        return self.answer is None and (self.giver.id in self.scope.parties or self._counter_serves(self.giver))

    def _counter_serves(self, party: members.PartyView) -> bool:
        served = self.community.id in own("exchange.answer").communities
        return served and not members.reads_letters(db.session(), party.id, on=today())

    def answering(self) -> Acting:
        """Who answers for the one who was helped. Raises NotFound when they answer themselves."""
        if self.at_the_counter and not self.counter_may_answer:
            raise NotFound
        return self.scope.acting(self.receiver.id, self.community.id)


    def withdrawing(self) -> Acting:
        """Who takes it back for the one who helped. Raises NotFound for anybody else."""
        if self.giver.id not in self.scope.parties and not self._counter_serves(self.giver):
            raise NotFound
        return self.scope.acting(self.giver.id, self.community.id)


def tell_withdrawn(session: Session, shown: Shown, *, at: datetime) -> None:
    """Tell who was helped that nothing is asked of them any more."""
    readers = members.e_mails_of(session, shown.receiver.id, on=today())
    outbox.write(session, readers, "withdrawn", at=at, shown=shown)


def check_counter(counter: Counter, *, payer: int, payee: int) -> None:
    """Raise what the counter refuses: PaysThemselves for a payer who has a sign-in, CounterGains."""
    check_gain(counter.by, payer=payer, payee=payee)
    if served_by(counter) and counter.by.party == payer and members.reads_letters(db.session(), payer, on=today()):
        raise PaysThemselves(name=counter.holder.name)


def served_by(counter: Counter) -> str | None:
    """Who types at the counter for the holder of the account; None when the holder acts by a mandate of their own."""
    if not counter.served:
        return None
    typed = counter.by.sign_in or 0
    return members.sign_in_names(db.session(), [typed]).get(typed)


def check_gain(by: Acting, *, payer: int, payee: int) -> None:
    """Raise CounterGains when somebody who acts for the payer at the counter would be paid."""
    mine = own("account.read").parties
    if by.party == payer and payer not in mine and payee in mine:
        raise CounterGains


def shown_declaration(token: str, permission: str = "account.read") -> Shown:
    """Load a declaration through the accounts of the parties that the person acts for, or NotFound."""
    session, scope = db.session(), own(permission)
    mine = reading.ids_within(session, parties=scope.parties, communities=scope.communities)
    declaration = queries.within(session, token, mine)
    if declaration is None:
        raise NotFound
    holders = reading.parties_of(session, [declaration.giver_account, declaration.receiver_account])
    people = members.parties(session, holders.values())
    return Shown(
        declaration,
        queries.answer(session, declaration.id),
        members.community(session, declaration.community_id),
        people[holders[declaration.giver_account]],
        people[holders[declaration.receiver_account]],
        scope,
    )
