"""The verbs of an agreement: write a template, make the agreement of a loan, accept it; erase its words.

Each is serialised on the row of the loan by the database, which refuses what comes too late, twice or out of turn.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from exchange.agreements import policy, queries
from exchange.agreements.models import (
    Agreement,
    AgreementText,
    Signature,
    SignatureName,
    Template,
    Version,
    VersionResource,
)
from exchange.agreements.queries import AgreementView, VersionView
from exchange.bookings import operations as loans
from exchange.bookings import queries as bookings
from exchange.bookings.queries import BookingView
from exchange.db import signed
from exchange.errors import AgreementExists, AnotherText, Invalid, TemplateChanged
from ledger.entries import Acting

STANDS = ("accepted", "out", "late", "past", "returned")


class Wording(NamedTuple):
    """What a version of a template says, and which loans it is for: ``covers`` is "all", "chosen" or "none"."""

    title: str
    text: str
    covers: str = "all"
    resources: Collection[int] = ()
    first: str = "lender"
    automatic: bool = False


def write_template(
    session: Session, wording: Wording, *, lender: int, after: VersionView | None = None, by: Acting, at: datetime
) -> Version:
    """Write a template, or another version ``after`` the one that was read; agreements made before keep their own.

    Raises FieldUnknown or BraceAlone, and TemplateChanged when somebody else wrote a version meanwhile.
    """
    policy.check(wording.text)
    template = after.template_id if after else _new_template(session, lender)
    if after and queries.last_number(session, template) != after.number:
        raise TemplateChanged
    version = Version(
        template_id=template, number=after.number + 1 if after else 1, title=wording.title, text=wording.text,
        covers=wording.covers, first=wording.first, automatic=wording.automatic, written_at=at, **signed(by),
    )  # fmt: skip
    session.add(version)
    session.flush()
    if wording.covers == "chosen":
        session.add_all(VersionResource(version_id=version.id, resource_id=id_) for id_ in sorted(wording.resources))
    session.flush()
    return version


def _new_template(session: Session, lender: int) -> int:
    made = Template(token=secrets.token_urlsafe(16), lender_id=lender)
    session.add(made)
    session.flush()
    return made.id


def make(
    session: Session, view: BookingView, version: VersionView, values: Mapping[str, str], *, year: int,
    replaces: AgreementView | None = None, by: Acting, at: datetime,
) -> Agreement:  # fmt: skip
    """Make the agreement of an accepted loan; its number is the next of its lender for the year.

    Raises WrongState when the loan doesn't stand any more, AgreementExists when it has one that isn't replaced.
    """
    loans.locked(session, view.token, lender=view.lender_id, states=STANDS, at=at)
    last = queries.of_booking(session, view.id)
    if (last.id if last else None) != (replaces.id if replaces else None):
        raise AgreementExists
    number = session.execute(select(func.last_agreement_number(view.lender_id, year))).scalar_one() + 1
    text = policy.filled(version.text, {**values, "numero": policy.called(year, number)})
    agreement = Agreement(
        token=secrets.token_urlsafe(16), lender_id=view.lender_id, booking_id=view.id, version_id=version.id,
        replaces_id=replaces.id if replaces else None, year=year, number=number, digest=policy.digest(text),
        made_at=at, **signed(by),
    )  # fmt: skip
    session.add(agreement)
    session.flush()
    session.add(AgreementText(agreement_id=agreement.id, text=text))
    session.flush()
    return agreement


def accept(
    session: Session, agreement: AgreementView, side: str, *, digest: bytes, name: str, sentence: str, on: date,
    by: Acting, at: datetime,
) -> None:  # fmt: skip
    """One side accepts on line the text that it read.

    Raises AnotherText, NotYourTurn, AgreementVoid, AlreadyAnswered.
    """
    if digest != agreement.digest:
        raise AnotherText
    _sign(session, agreement, side, "online", name=name, sentence=sentence, on=on, by=by, at=at)


def note_paper(
    session: Session, agreement: AgreementView, *, name: str, sentence: str, on: date, today: date, by: Acting,
    at: datetime,
) -> None:  # fmt: skip
    """The office notes that the borrower signed on paper. Raises Invalid for a day to come, and as ``accept`` does."""
    if on > today:
        raise Invalid(field="signed_on", why="to-come")
    _sign(session, agreement, "borrower", "paper", name=name, sentence=sentence, on=on, by=by, at=at)


def _sign(
    session: Session, agreement: AgreementView, side: str, how: str, *, name: str, sentence: str, on: date, by: Acting,
    at: datetime,
) -> None:  # fmt: skip
    session.add(Signature(agreement_id=agreement.id, side=side, how=how, signed_on=on, signed_at=at, **signed(by)))
    session.flush()
    session.add(SignatureName(agreement_id=agreement.id, side=side, name=name, sentence=sentence))
    session.flush()


def erase(session: Session, party: int) -> int:
    """Erase the words of every agreement of a borrower, and the names under them; return how many agreements.

    Only the owner of the tables may. Numbers, digests and dates stay: a copy that somebody kept can still be checked.
    """
    mine = bookings.ids_of_party(session, party)
    ids = session.scalars(select(Agreement.id).where(Agreement.booking_id.in_(mine))).all()
    session.execute(delete(SignatureName).where(SignatureName.agreement_id.in_(ids)))
    gone = session.execute(delete(AgreementText).where(AgreementText.agreement_id.in_(ids)))
    return int(gone.rowcount)  # type: ignore[attr-defined]
