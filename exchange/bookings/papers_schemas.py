"""Documents in JSON."""

from __future__ import annotations

from exchange.documents.policy import CLASSES, MOST_PHOTOS
from exchange.rest.fields import Choice, Day, Figure, Flag, Inside, Instant, Several, Shape, Text, Token
from exchange.rest.shapes import PartyShape

STATES = ("lacking", "refused", "expired", "unverified", "good")
SOURCES = ("file", "paper")
MOST_SENT = 10 * 1024 * 1024
"""Bytes of a body that holds a document: base64 takes a third more."""


class DocumentKindShape(Shape):
    """What a lender asks for. No class: of everybody. ``expires``: it is given with the last day of its validity;
    ``verified``: it counts once the office has looked at it.
    """

    id = Token(required=True)
    name = Text(required=True, most=120)
    help = Text(required=True, most=1000, least=0)
    expires = Flag(required=True)
    verified = Flag(required=True)
    classes = Several(Choice(CLASSES), required=True)
    categories = Several(Text(), required=True)


class DocumentKinds(Shape):
    """All that a lender asks for."""

    items = Several(Inside(DocumentKindShape), required=True)


class DocumentShape(Shape):
    """A document that a party gave, or that an office saw on paper, which has no page."""

    id = Token(required=True)
    kind = Token(required=True)
    name = Text(required=True, most=120)
    party = Inside(PartyShape, required=True)
    source = Choice(SOURCES, required=True)
    valid_until = Day(required=True, allow_none=True)
    given_at = Instant(required=True)
    pages = Figure(required=True, allow_none=True)
    verified = Flag(required=True)
    refused = Flag(required=True)
    reason = Text(required=True, allow_none=True, most=400)


class DocumentContent(DocumentShape):
    """With its file, a PDF in base64; null once it is deleted, and for what was seen on paper."""

    file = Text(required=True, allow_none=True, most=20_000_000)


class DocumentsShape(Shape):
    """Those of several parties."""

    items = Several(Inside(DocumentShape), required=True)


class NewDocument(Shape):
    """One PDF, or photographs of a paper."""

    most_bytes = MOST_SENT
    party = Token(required=True)
    kind = Token(required=True)
    valid_until = Day(load_default=None, allow_none=True)
    files = Several(Text(most=MOST_SENT), required=True, least=1, most=MOST_PHOTOS)


class PaperShape(Shape):
    """What a request asks for, with the document that serves it best. ``needed_until`` is the last day of the event."""

    kind = Token(required=True)
    name = Text(required=True, most=120)
    state = Choice(STATES, required=True)
    needed_until = Day(required=True)
    document = Token(required=True, allow_none=True)
    source = Choice(SOURCES, required=True, allow_none=True)
    valid_until = Day(required=True, allow_none=True)
    given_at = Instant(required=True, allow_none=True)
    reason = Text(required=True, allow_none=True, most=400)


class FileShape(Shape):
    """The file of a request. ``complete_at`` is null while something lacks, and when nothing is asked for."""

    complete_at = Instant(required=True, allow_none=True)
    items = Several(Inside(PaperShape), required=True)


class VerifiedDocument(Shape):
    """The document that was read."""

    document = Token(required=True)


class RefusedDocument(VerifiedDocument):
    """And why it won't do."""

    reason = Text(required=True, most=400)


class SeenDocument(Shape):
    """Until when the paper says that it is valid."""

    valid_until = Day(load_default=None, allow_none=True)
