"""Documents for programs: what lenders ask for, what one gave, the file of a request, and the office's word on it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange.bookings import filing
from exchange.bookings.api import party_of
from exchange.bookings.filing import Asked, asked_paper
from exchange.bookings.papers_schemas import (
    DocumentContent,
    DocumentKinds,
    DocumentShape,
    DocumentsShape,
    FileShape,
    NewDocument,
    RefusedDocument,
    SeenDocument,
    VerifiedDocument,
)
from exchange.bookings.telling import asked_of, own_booking
from exchange.db import db
from exchange.documents import operations, queries
from exchange.documents.queries import DocumentView, File, KindView
from exchange.errors import AlreadyAnswered, NotFound, WrongFields
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import own
from exchange.sentences import N

resources = Resources("documents", N("Documents"))


@resources.reads("/lenders/<lender>/document-kinds", N("Les documents qu’un prêteur demande"), gives=DocumentKinds)
def kinds(lender: str) -> dict[str, Any]:
    """Those that it asks for now, and of whom; everybody may read them."""
    party = members.party_by_token(db.session(), lender)
    if party is None:
        raise NotFound
    return {"items": [_kind(each) for each in queries.kinds_of(db.session(), party.id) if each.asked]}


def _kind(kind: KindView) -> dict[str, Any]:
    return {"id": kind.token, "name": kind.name, "help": kind.help, "expires": kind.expires, "verified": kind.verified,
            "classes": list(kind.classes), "categories": list(kind.categories)}  # fmt: skip


@resources.reads("/documents", N("Mes documents"), gives=DocumentsShape)
def mine() -> dict[str, Any]:
    """What I, and those that I act for, gave and is still kept, the last given first."""
    session, scope = db.session(), own("booking.read")
    found = queries.of_parties(session, scope.parties)
    kinds = queries.kinds(session, {each.kind_id for each in found})
    parties = members.parties(session, [each.party_id for each in found])
    return {"items": [_told(each, kinds[each.kind_id], parties[each.party_id]) for each in found]}


def _told(found: DocumentView, kind: KindView, party: members.PartyView) -> dict[str, Any]:
    return {
        "id": found.token, "kind": kind.token, "name": kind.name, "party": shapes.party(party), "source": found.source,
        "valid_until": found.valid_until, "given_at": found.given_at, "pages": found.pages, "verified": found.verified,
        "refused": found.refused, "reason": found.reason,
    }  # fmt: skip


@resources.reads("/documents/<document>", N("Un document, avec son fichier"), gives=DocumentContent)
def show(document: str) -> dict[str, Any]:
    """One of mine, or one that a request asks for, for its lender's office. ``file`` is a PDF in base64."""
    session = db.session()
    found, kind = filing.readable(document)
    data = queries.data_of(session, found.id)
    party = members.parties(session, [found.party_id])[found.party_id]
    return {**_told(found, kind, party), "file": b64encode(data).decode() if data else None}


@resources.acts("/documents", N("Donner un document"), takes=NewDocument, gives=DocumentShape, status=201)
def give(given: dict[str, Any]) -> Deed:
    """One PDF, or photographs of a paper, in base64; what is kept is a PDF without anything but its pages."""
    by, party = party_of(given)
    kind = queries.kind_by_token(db.session(), given["kind"])
    if kind is None:
        raise NotFound
    clean = operations.cleaned([_bytes(number, each) for number, each in enumerate(given["files"])])

    def write(session: Session, at: datetime) -> Done:
        made = filing.give(session, party.id, kind, clean, valid_until=given["valid_until"], by=by, at=at)
        found = queries.by_token(session, made.token)
        assert found is not None
        return Done(_told(found, kind, party), f"/api/v1/documents/{made.token}")

    return Deed(by, write)


def _bytes(number: int, said: str) -> bytes:
    try:
        return b64decode(said, validate=True)
    except (NotBase64, ValueError) as wrong:
        raise WrongFields(errors={f"files.{number}": [_("Il faut ici un fichier écrit en base64.")]}) from wrong


# -- the file of a request


@resources.reads("/bookings/<booking>/documents", N("Le dossier d’une de mes réservations"), gives=FileShape)
def of_booking(booking: str) -> dict[str, Any]:
    """What it asks for, where each document stands, and since when all of it is given."""
    found, _scope = own_booking(booking)
    return _file(queries.file(db.session(), found.id))


def _file(file: File) -> dict[str, Any]:
    return {
        "complete_at": file.complete_at,
        "items": [
            {"kind": paper.kind, "name": paper.name, "state": paper.state, "needed_until": paper.last_day,
             "document": paper.document, "source": paper.source, "valid_until": paper.valid_until,
             "given_at": paper.given_at, "reason": paper.reason}
            for paper in file.papers
        ],
    }  # fmt: skip


@resources.reads("/lenders/<lender>/bookings/<booking>/documents", N("Le dossier d’une demande"), gives=FileShape)
def of_request(lender: str, booking: str) -> dict[str, Any]:
    """As its lender's office reads it."""
    found, _by, _party = asked_of(lender, booking)
    return _file(queries.file(db.session(), found.id))


def _read(asked: Asked, token: str) -> DocumentView:
    found = queries.by_token(db.session(), token) if token == asked.paper.document else None
    if found is None or found.refused or found.source != "file":
        raise AlreadyAnswered
    return found


@resources.acts("/lenders/<lender>/bookings/<booking>/documents/<document_kind>/verification",
                N("Vérifier un document"), takes=VerifiedDocument, gives=FileShape)  # fmt: skip
def verify(given: dict[str, Any], lender: str, booking: str, document_kind: str) -> Deed:
    """The office looked at it, and it is what was asked for."""
    asked = asked_paper(lender, booking, document_kind)

    def write(session: Session, at: datetime) -> Done:
        filing.verify(session, asked, _read(asked, given["document"]), at=at)
        return Done(_file(queries.file(session, asked.booking.id)))

    return Deed(asked.by, write)


@resources.acts("/lenders/<lender>/bookings/<booking>/documents/<document_kind>/refusal",
                N("Refuser un document"), takes=RefusedDocument, gives=FileShape)  # fmt: skip
def refuse(given: dict[str, Any], lender: str, booking: str, document_kind: str) -> Deed:
    """The office says why; its party is told, and may give another."""
    asked = asked_paper(lender, booking, document_kind)

    def write(session: Session, at: datetime) -> Done:
        filing.refuse(session, asked, _read(asked, given["document"]), reason=given["reason"], at=at)
        return Done(_file(queries.file(session, asked.booking.id)))

    return Deed(asked.by, write)


@resources.acts("/lenders/<lender>/bookings/<booking>/documents/<document_kind>/paper",
                N("Noter un document vu sur papier"), takes=SeenDocument, gives=FileShape)  # fmt: skip
def note_paper(given: dict[str, Any], lender: str, booking: str, document_kind: str) -> Deed:
    """The office has it in its hands: it counts as given and verified."""
    asked = asked_paper(lender, booking, document_kind)

    def write(session: Session, at: datetime) -> Done:
        filing.note_paper(session, asked, valid_until=given["valid_until"], at=at)
        return Done(_file(queries.file(session, asked.booking.id)))

    return Deed(asked.by, write)
