"""The verbs of a damage: propose, accept, contest, mediate, pay; and its reads.

Minutes leave an account only by its holder's act, also when a mediator maintained them: they wait for it. What is in
euros is paid elsewhere, and the lender's office notes that it received it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from exchange.bookings import queries
from exchange.bookings.models import Booking, Damage, DamageAnswer, DamageOutcome, DamagePayment
from exchange.bookings.operations import lock, locked
from exchange.bookings.queries import BookingView
from exchange.db import signed
from exchange.errors import DamageUncountable, Invalid, MediatesOwn, NotFound, WrongState
from ledger.entries import Acting, Cause, Entry, Transfer
from ledger.store import reading, writing

AFTER_HAND_OVER = ("out", "late", "returned")
OUTCOMES = ("maintained", "lowered", "dropped")


class DamageView(NamedTuple):
    """A damage with what became of it; ``minutes`` or ``cents`` are what is asked now."""

    id: int
    token: str
    booking_id: int
    lender_id: int
    party_id: int
    booking: str  # its random identifier
    community_id: int | None
    words: str
    minutes: int | None
    cents: int | None
    first_minutes: int | None
    first_cents: int | None
    proposed_at: datetime
    answer: DamageAnswer | None
    outcome: DamageOutcome | None
    payment: DamagePayment | None

    @property
    def state(self) -> str:
        """proposed, contested, due (accepted or maintained, and not paid), dropped or paid."""
        if self.payment:
            return "paid"
        if self.outcome:
            return "dropped" if self.outcome.outcome == "dropped" else "due"
        if self.answer:
            return "due" if self.answer.answer == "accepted" else "contested"
        return "proposed"


_DAMAGES: Select[*tuple[Any, ...]] = (
    select(Damage, DamageAnswer, DamageOutcome, DamagePayment, Booking.lender_id, Booking.party_id, Booking.token)
    .join(Booking, Booking.id == Damage.booking_id)
    .outerjoin(DamageAnswer, DamageAnswer.damage_id == Damage.id)
    .outerjoin(DamageOutcome, DamageOutcome.damage_id == Damage.id)
    .outerjoin(DamagePayment, DamagePayment.damage_id == Damage.id)
    .order_by(Damage.id)
)


def _views(session: Session, query: Select[*tuple[Any, ...]]) -> list[DamageView]:
    return [_view(*row) for row in session.execute(query.execution_options(populate_existing=True))]


def _view(
    damage: Damage, answer: DamageAnswer | None, outcome: DamageOutcome | None, payment: DamagePayment | None,
    lender: int, party: int, booking: str,
) -> DamageView:  # fmt: skip
    lowered = outcome is not None and outcome.outcome == "lowered"
    return DamageView(
        damage.id, damage.token, damage.booking_id, lender, party, booking, damage.community_id, damage.words,
        outcome.minutes if outcome and lowered else damage.minutes,
        outcome.cents if outcome and lowered else damage.cents, damage.minutes, damage.cents, damage.proposed_at,
        answer, outcome, payment,
    )  # fmt: skip


def of_booking(session: Session, booking: int) -> list[DamageView]:
    """The damages of a loan, the first proposed first."""
    return _views(session, _DAMAGES.where(Damage.booking_id == booking))


def open_of(session: Session, lender: int) -> list[DamageView]:
    """The damages of a lender that are neither paid nor dropped."""
    found = _views(session, _DAMAGES.where(Booking.lender_id == lender, DamagePayment.damage_id.is_(None)))
    return [each for each in found if each.state != "dropped"]


def disputes(session: Session, community: int) -> list[DamageView]:
    """The damages that a community's facilitator has to settle."""
    query = _DAMAGES.where(Damage.community_id == community, DamageAnswer.answer == "contested")
    return _views(session, query.where(DamageOutcome.damage_id.is_(None)))


def within(session: Session, token: str, parties: Collection[int]) -> DamageView:
    """The damage of this random identifier, of a loan of one of these parties. Raises NotFound."""
    return _one(session, _DAMAGES.where(Damage.token == token, Booking.party_id.in_(parties)))


def of_lender(session: Session, token: str, lender: int) -> DamageView:
    """The damage of this random identifier, proposed by this lender. Raises NotFound."""
    return _one(session, _DAMAGES.where(Damage.token == token, Booking.lender_id == lender))


def of_community(session: Session, token: str, community: int) -> DamageView:
    """The damage of this random identifier, that this community's facilitator mediates. Raises NotFound."""
    return _one(session, _DAMAGES.where(Damage.token == token, Damage.community_id == community))


def _one(session: Session, query: Select[*tuple[Any, ...]]) -> DamageView:
    found = _views(session, query)
    if not found:
        raise NotFound
    return found[0]


class Common(NamedTuple):
    """A community in which both sides of a loan have an account, and these accounts."""

    community: int
    account: int
    lender_account: int


def common(session: Session, view: BookingView) -> Common | None:
    """Where minutes could be counted between both sides: in the loan's community first."""
    found = reading.accounts_of(session, [view.party_id, view.lender_id])
    accounts = [each for each in found if each.closed_at is None]
    mine = {each.community_id: each.id for each in accounts if each.party_id == view.party_id}
    theirs = {each.community_id: each.id for each in accounts if each.party_id == view.lender_id}
    both = sorted(mine.keys() & theirs.keys(), key=lambda community: (community != view.community_id, community))
    return Common(both[0], mine[both[0]], theirs[both[0]]) if both else None


def propose(
    session: Session, token: str, *, lender: int, words: str, minutes: int | None, cents: int | None, by: Acting,
    at: datetime,
) -> DamageView:  # fmt: skip
    """The lender's officer says what was damaged, and what it would cost: in minutes, or in euros paid elsewhere.

    Raises WrongState before anything left, and DamageUncountable for minutes without a common community.
    """
    booking, view = locked(session, token, lender=lender, states=AFTER_HAND_OVER, at=at)
    where = common(session, view)
    if minutes and where is None:
        raise DamageUncountable
    made = Damage(
        token=secrets.token_urlsafe(16), booking_id=booking.id, words=words, minutes=minutes, cents=cents,
        community_id=where.community if where else None, account_id=where.account if where and minutes else None,
        lender_account_id=where.lender_account if where and minutes else None, proposed_at=at, **signed(by),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return of_lender(session, made.token, lender)


def accept(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> DamageView:
    """Who borrowed accepts, or pays what was maintained: minutes are counted once; euros are then due.

    Raises WrongState, FloorReached.
    """
    view = _under_lock(session, within(session, token, parties))
    if view.state not in {"proposed", "due"} or (view.state == "due" and view.minutes is None):
        raise WrongState(state=view.state)
    if view.state == "proposed":
        session.add(DamageAnswer(damage_id=view.id, answer="accepted", answered_at=at, **signed(by)))
        session.flush()
    if view.minutes is not None:
        _pay(session, view, by=by, at=at)
    return within(session, token, parties)


def contest(
    session: Session, token: str, *, parties: Collection[int], text: str, by: Acting, at: datetime
) -> DamageView:
    """Who borrowed doesn't agree, and says why: nothing moves until it is settled. Raises WrongState."""
    view = _under_lock(session, within(session, token, parties))
    if view.state != "proposed":
        raise WrongState(state=view.state)
    session.add(DamageAnswer(damage_id=view.id, answer="contested", text=text, answered_at=at, **signed(by)))
    session.flush()
    return within(session, token, parties)


def mediate(
    session: Session, view: DamageView, outcome: str, *, amount: int | None, text: str, own: Collection[int],
    by: Acting, at: datetime,
) -> DamageView:  # fmt: skip
    """Settle what is contested: maintain, lower (``amount``: minutes or cents) or drop it.

    ``own`` are the parties that the mediator acts for: nobody settles their own. Raises WrongState, MediatesOwn,
    Invalid.
    """
    view = _under_lock(session, view)
    if view.state != "contested":
        raise WrongState(state=view.state)
    if {view.party_id, view.lender_id} & set(own):
        raise MediatesOwn
    most = view.minutes or view.cents or 0
    if (outcome == "lowered") != (amount is not None) or (amount is not None and not 1 <= amount < most):
        raise Invalid(field="amount", why="not-lower")
    lowered = {"minutes": amount if view.minutes else None, "cents": None if view.minutes else amount}
    session.add(DamageOutcome(damage_id=view.id, outcome=outcome, text=text, settled_at=at, **lowered, **signed(by)))
    session.flush()
    return of_lender(session, view.token, view.lender_id)


def note_received(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> DamageView:
    """The office received the euros. Raises WrongState."""
    view = _under_lock(session, of_lender(session, token, lender))
    if view.state != "due" or view.cents is None:
        raise WrongState(state=view.state)
    session.add(DamagePayment(damage_id=view.id, paid_at=at, **signed(by)))
    session.flush()
    return of_lender(session, token, lender)


def _under_lock(session: Session, view: DamageView) -> DamageView:
    """The damage as it is once nobody else acts on its loan."""
    lock(session, view.booking_id)
    return of_lender(session, view.token, view.lender_id)


def _pay(session: Session, view: DamageView, *, by: Acting, at: datetime) -> None:
    damage = session.get_one(Damage, view.id)
    assert view.minutes is not None
    assert damage.community_id is not None
    assert damage.account_id is not None
    assert damage.lender_account_id is not None
    loan = queries.view(session, view.booking_id, at=at)
    entry = Entry("loan", (Transfer(damage.account_id, damage.lender_account_id, view.minutes),),
                  at.astimezone(ZoneInfo(loan.zone)).date(), Cause("booking", view.booking_id))  # fmt: skip
    written = writing.post(session, entry, community=damage.community_id, key=f"damage:{view.id}", by=by, at=at)
    session.add(DamagePayment(damage_id=view.id, entry_id=written.id, paid_at=at, **signed(by)))
    session.flush()
