"""What pages, API and worker share of documents: loading them through who asks, giving them, and the letters."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from exchange import outbox
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import asked_of, tell, write_to
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.documents import operations, queries
from exchange.documents.operations import Clean, Document
from exchange.documents.queries import DocumentView, KindView, Paper
from exchange.errors import NotFound
from exchange.members import queries as members
from exchange.organisations import queries as organisations
from exchange.security import in_office, own, today
from ledger.entries import Acting


class Mine(NamedTuple):
    """A kind of document for a party: the last that was given, and one that still counts meanwhile, if any."""

    party: members.PartyView
    kind: KindView
    lender: members.PartyView
    last: DocumentView | None
    former: DocumentView | None = None

    def state(self, on: date) -> str:
        """asked (nothing is given), refused, expired, unverified or good."""
        if self.last is None:
            return "asked"
        if self.last.refused:
            return "refused"
        if self.last.valid_until and self.last.valid_until < on:
            return "expired"
        return "unverified" if self.kind.verified and not self.last.verified else "good"


class Papers(NamedTuple):
    """The documents of somebody's parties: those that were asked for or given, and those that may be asked for."""

    known: list[Mine]
    possible: list[Mine]


def mine() -> Papers:
    """The documents of those that the signed-in person acts for."""
    session, scope = db.session(), own("booking.read")
    asked, given = queries.asked_of(session, scope.parties), queries.of_parties(session, scope.parties)
    now = {each.id: each for each in queries.asked_now(session)}
    known = asked | {(each.party_id, each.kind_id) for each in given}
    kinds = now | queries.kinds(session, {kind for _party, kind in known if kind not in now})
    parties = members.parties(session, [*scope.parties, *(each.lender_id for each in kinds.values())])
    classes = organisations.classes_of(session, scope.parties)

    def row(party: int, kind: int) -> Mine:
        last, former = _serving([each for each in given if (each.party_id, each.kind_id) == (party, kind)])
        return Mine(parties[party], kinds[kind], parties[kinds[kind].lender_id], last, former)

    possible = [
        row(party, kind.id) for party in scope.parties for kind in now.values()
        if (party, kind.id) not in known and kind.lender_id != party
        and (not kind.classes or classes.get(party, "inhabitant") in kind.classes)
    ]  # fmt: skip
    return Papers(sorted((row(*each) for each in known), key=_by_name), sorted(possible, key=_by_name))


def _serving(given: list[DocumentView]) -> tuple[DocumentView | None, DocumentView | None]:
    """Of one kind, the last given first: that one, and the last that wasn't refused when it was."""
    if not given:
        return None, None
    former = next((each for each in given if not each.refused), None) if given[0].refused else None
    return given[0], former


def _by_name(each: Mine) -> tuple[bool, str, str, int]:
    return each.party.kind != "person", each.party.sort_name, each.lender.sort_name, each.kind.id


def party_and_kind(party: str, kind: str) -> tuple[members.PartyView, KindView, Acting]:
    """For whom a document is given, what it is, and who acts. Raises NotFound."""
    session, scope = db.session(), own("booking.ask")
    whose, found = members.party_by_token(session, party), queries.kind_by_token(session, kind)
    if whose is None or found is None or whose.id not in scope.parties:
        raise NotFound
    return whose, found, scope.acting(whose.id)


def readable(token: str) -> tuple[DocumentView, KindView]:
    """A document of a party that one acts for, or that an office of ours is shown with a request. Raises NotFound."""
    session = db.session()
    found = queries.by_token(session, token)
    kind = queries.kinds(session, [found.kind_id])[found.kind_id] if found else None
    if found is None or kind is None:
        raise NotFound
    shown = in_office("booking.decide", kind.lender_id) and queries.asks_for(session, found.party_id, kind.id)
    if found.party_id not in own("booking.read").parties and not shown:
        raise NotFound
    return found, kind


class Asked(NamedTuple):
    """A document of a request, for the lender's office."""

    booking: BookingView
    paper: Paper
    kind: KindView
    by: Acting
    lender: members.PartyView


def asked_paper(lender: str, booking: str, kind: str) -> Asked:
    """What a request asks for. Raises NotFound, NotAllowed."""
    session = db.session()
    found, by, party = asked_of(lender, booking)
    paper = next((each for each in queries.file(session, found.id).papers if each.kind == kind), None)
    if paper is None:
        raise NotFound
    return Asked(found, paper, queries.kinds(session, [paper.kind_id])[paper.kind_id], by, party)


class ToGive(NamedTuple):
    """What a request would ask for, with what its party gave of it last, and the last day that it must cover."""

    kind: KindView
    given: DocumentView | None
    until: date

    @property
    def given_already(self) -> bool:
        """Whether nothing is left to do for it."""
        if self.given is None or self.given.refused or (self.kind.verified and not self.given.verified):
            return False
        return not self.kind.expires or (self.given.valid_until is not None and self.given.valid_until >= self.until)


def asked_for(party: int, resources: list[ResourceView], *, until: date) -> list[ToGive]:
    """What a request of a party would ask for."""
    session = db.session()
    lender = resources[0].lender_id
    if party == lender:
        return []
    class_ = organisations.class_of(session, party)
    kinds = [each for each in queries.kinds_of(session, lender) if each.binds(class_, resources)]
    given = queries.of_parties(session, [party]) if kinds else []
    return [ToGive(kind, _serving([each for each in given if each.kind_id == kind.id])[0], until) for kind in kinds]


# -- acts


def give(
    session: Session, party: int, kind: KindView, clean: Clean, *, valid_until: date | None, by: Acting, at: datetime
) -> Document:
    """Give a document; what waited for it alone, and that nobody has to decide, is accepted with it."""
    made = operations.give(session, kind, clean, party=party, valid_until=valid_until, today=today(), by=by, at=at)
    _accept_complete(session, party, kind, by=by, at=at)
    return made


def verify(session: Session, asked: Asked, document: DocumentView, *, at: datetime) -> None:
    """The office looked at it; what waited for that alone is accepted."""
    operations.verify(session, document, by=asked.by, at=at)
    _accept_complete(session, document.party_id, asked.kind, by=asked.by, at=at)


def note_paper(session: Session, asked: Asked, *, valid_until: date | None, at: datetime) -> None:
    """The office saw it on paper; what waited for that alone is accepted."""
    party = asked.booking.party_id
    operations.note_paper(session, asked.kind, party=party, valid_until=valid_until, today=today(), by=asked.by, at=at)
    _accept_complete(session, party, asked.kind, by=asked.by, at=at)


def refuse(session: Session, asked: Asked, document: DocumentView, *, reason: str, at: datetime) -> None:
    """The office says why it won't do, and its party is told."""
    operations.refuse(session, document, reason=reason, by=asked.by, at=at)
    outbox.write(
        session, members.e_mails_of(session, document.party_id, on=today()), "document_refused", at=at,
        told=tell([asked.booking])[0], name=asked.paper.name, kind=asked.kind.token, reason=reason,
    )  # fmt: skip


def _accept_complete(session: Session, party: int, kind: KindView, *, by: Acting, at: datetime) -> None:
    for view in bookings.accept_complete(session, party, kind.id, by=by, at=at):
        write_to(session, party, "booking_accepted", view, at=at)


# -- the worker


def remind_incomplete(session: Session, *, at: datetime) -> int:
    """Write one letter about what a request lacks; 0 when there is none to write."""
    due = queries.incomplete(session, at=at)
    if due is None:
        return 0
    booking, days = due
    operations.note_reminded(session, booking, days, at=at)
    told, file = tell([booked.view(session, booking, at=at)])[0], queries.file(session, booking)
    outbox.write(session, members.e_mails_of(session, told.party.id, on=today()), "file_incomplete", at=at, told=told,
                 lacking=[paper for paper in file.papers if paper.lacking])  # fmt: skip
    return 1


def remind_expiring(session: Session, *, at: datetime) -> int:
    """Write one letter about a document that expires soon; 0 when there is none to write."""
    for due in queries.expiring(session, today=today(), at=at, once=True, size=1):
        operations.note_told(session, due.id, at=at)
        names = members.parties(session, [due.party_id, due.lender_id])
        outbox.write(
            session, members.e_mails_of(session, due.party_id, on=today()), "document_expiring", at=at,
            party=names[due.party_id], lender=names[due.lender_id],
            kind=queries.kinds(session, [due.kind_id])[due.kind_id], until=due.valid_until,
        )  # fmt: skip
        return 1
    return 0
