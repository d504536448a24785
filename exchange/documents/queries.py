"""Reads of documents: the kinds that a lender asks for, what a party gave, and the file of a request."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session, aliased

from exchange.catalogue.queries import ResourceView
from exchange.documents import policy
from exchange.documents.models import (
    Document,
    DocumentFile,
    DocumentKind,
    DocumentVersion,
    DocumentVersionResource,
)


class KindView(NamedTuple):
    """A kind as it is worded now. No class: of everybody; no category and no resource: for all that is lent."""

    id: int
    token: str
    lender_id: int
    version_id: int
    number: int
    name: str
    help: str
    expires: bool
    verified: bool
    classes: list[str]
    categories: list[str]
    asked: bool
    by_sign_in: int | None
    written_at: datetime
    resources: frozenset[int] = frozenset()

    def binds(self, class_: str, resources: Iterable[ResourceView]) -> bool:
        """Whether it is asked of this class of party, for one of these resources."""
        if not self.asked or (self.classes and class_ not in self.classes):
            return False
        everything = not (self.categories or self.resources)
        return everything or any(it.id in self.resources or it.category in self.categories for it in resources)


_OTHERS = aliased(DocumentVersion)
_KINDS: Select[*tuple[Any, ...]] = (
    select(
        DocumentKind.id, DocumentKind.token, DocumentKind.lender_id, DocumentVersion.id, DocumentVersion.number,
        DocumentVersion.name, DocumentVersion.help, DocumentVersion.expires, DocumentVersion.verified,
        DocumentVersion.classes, DocumentVersion.categories, DocumentVersion.asked, DocumentVersion.by_sign_in,
        DocumentVersion.written_at,
        select(func.array_agg(DocumentVersionResource.resource_id))
        .where(DocumentVersionResource.version_id == DocumentVersion.id).scalar_subquery(),
    )
    .join(DocumentVersion, DocumentVersion.kind_id == DocumentKind.id)
    .where(DocumentVersion.number == select(func.max(_OTHERS.number))
           .where(_OTHERS.kind_id == DocumentKind.id).scalar_subquery())
    .order_by(DocumentKind.id)
)  # fmt: skip


def _kinds(session: Session, query: Select[*tuple[Any, ...]]) -> list[KindView]:
    return [KindView._make((*row[:-1], frozenset(row[-1] or ()))) for row in session.execute(query)]


def kinds_of(session: Session, lender: int) -> list[KindView]:
    """What a lender asks for, and what it asked for once, in the order in which it began to."""
    return _kinds(session, _KINDS.where(DocumentKind.lender_id == lender))


def kinds(session: Session, ids: Collection[int]) -> dict[int, KindView]:
    """These kinds, by id."""
    return {each.id: each for each in _kinds(session, _KINDS.where(DocumentKind.id.in_(ids)))} if ids else {}


def asked_now(session: Session) -> list[KindView]:
    """All that the lenders of the territory ask for."""
    return _kinds(session, _KINDS.where(DocumentVersion.asked))


def kind_by_token(session: Session, token: str) -> KindView | None:
    """One kind."""
    return next(iter(_kinds(session, _KINDS.where(DocumentKind.token == token))), None)


class Paper(NamedTuple):
    """What a request asks for, with the document that serves it best.

    ``state``: lacking, refused (``reason``), expired (before ``last_day``, that of the event), unverified (given, the
    office is to look at it) or good. ``source``: "file", or "paper" that the office has seen.
    """

    booking_id: int
    lender_id: int
    party_id: int
    kind_id: int
    kind: str
    name: str
    help: str
    expires: bool
    verified: bool
    last_day: date
    document: str | None
    source: str | None
    valid_until: date | None
    given_at: datetime | None
    state: str
    reason: str | None

    @property
    def lacking(self) -> bool:
        """Whether something is still to be given."""
        return self.state in policy.LACKING


class File(NamedTuple):
    """What a request asks for, and since when all of it is given; None while something lacks."""

    papers: tuple[Paper, ...]
    complete_at: datetime | None

    @property
    def lacking(self) -> list[str]:
        """The names of what is still to be given."""
        return [paper.name for paper in self.papers if paper.lacking]

    @property
    def unverified(self) -> list[str]:
        """The names of what the office is to look at."""
        return [paper.name for paper in self.papers if paper.state == "unverified"]


NOTHING_ASKED = File((), None)
_PAPERS = text(
    """
    SELECT p.booking_id, p.lender_id, p.party_id, p.kind_id, p.kind, p.name, p.help, p.expires, p.verified, p.last_day,
           p.document, p.source, p.valid_until, p.given_at, p.state, r.reason, file_complete_at(p.booking_id)
      FROM booking_papers p
      LEFT JOIN document_reasons r ON r.document_id = p.document_id
     WHERE p.booking_id = ANY (:bookings) ORDER BY p.booking_id, p.kind_id
    """
)


def files(session: Session, bookings: Collection[int]) -> dict[int, File]:
    """The file of each of these requests that asks for documents, in one query."""
    found: dict[int, File] = {}
    for row in session.execute(_PAPERS, {"bookings": list(bookings)}) if bookings else ():
        before = found.get(row.booking_id, NOTHING_ASKED)
        found[row.booking_id] = File((*before.papers, Paper(*row[:-1])), row[-1])
    return found


def file(session: Session, booking: int) -> File:
    """The file of one request."""
    return files(session, [booking]).get(booking, NOTHING_ASKED)


def ready(session: Session, booking: int) -> bool:
    """Whether all that a request asks for counts: given, valid throughout, and looked at where the office wants to."""
    return all(paper.state == "good" for paper in file(session, booking).papers)


_WAITING = text(
    """
    SELECT b.token FROM bookings b
     WHERE b.party_id = :party AND b.replaces_id IS NULL AND b.starts_at > :at
       AND EXISTS (SELECT FROM booking_documents d WHERE d.booking_id = b.id AND d.kind_id = :kind)
       AND NOT EXISTS (SELECT FROM booking_papers p WHERE p.booking_id = b.id AND p.state <> 'good')
       AND NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
     ORDER BY b.id
    """
)


def waiting_for(session: Session, party: int, kind: int, *, at: datetime) -> list[str]:
    """The requests of a party that wait for an answer, ask for this kind, and lack nothing now."""
    return list(session.scalars(_WAITING, {"party": party, "kind": kind, "at": at}))


class DocumentView(NamedTuple):
    """A document, without its bytes. ``pages`` is None for what was seen on paper, and once its file is deleted."""

    id: int
    token: str
    party_id: int
    kind_id: int
    source: str
    valid_until: date | None
    given_at: datetime
    by_sign_in: int | None
    pages: int | None
    verified: bool
    refused: bool
    reason: str | None

    @property
    def there(self) -> bool:
        """Whether it can still serve: its file is kept, or the office saw the paper."""
        return self.source == "paper" or self.pages is not None


_DOCUMENTS = """
    SELECT d.id, d.token, d.party_id, d.kind_id, d.source, d.valid_until, d.given_at, d.by_sign_in, f.pages,
           d.source = 'paper' OR v.document_id IS NOT NULL, x.document_id IS NOT NULL, r.reason
      FROM documents d
      LEFT JOIN document_files f ON f.document_id = d.id
      LEFT JOIN document_checks v ON v.document_id = d.id AND v.verdict = 'verified'
      LEFT JOIN document_checks x ON x.document_id = d.id AND x.verdict = 'refused'
      LEFT JOIN document_reasons r ON r.document_id = d.id
"""
_OF_PARTIES = text(
    f"""
    SELECT * FROM ({_DOCUMENTS} WHERE d.party_id = ANY (:parties)) found WHERE source = 'paper' OR pages IS NOT NULL
     ORDER BY id DESC
    """  # noqa: S608 - a constant
)
_BY_TOKEN = text(f"{_DOCUMENTS} WHERE d.token = :token")


def of_parties(session: Session, parties: Collection[int]) -> list[DocumentView]:
    """What these parties gave and is still kept, the last given first."""
    rows = session.execute(_OF_PARTIES, {"parties": list(parties)}) if parties else ()
    return [DocumentView(*row) for row in rows]


def by_token(session: Session, token: str) -> DocumentView | None:
    """One document; its reader is checked through its party or its kind's lender."""
    row = session.execute(_BY_TOKEN, {"token": token}).one_or_none()
    return DocumentView(*row) if row else None


def data_of(session: Session, document: int) -> bytes | None:
    """The file of a document; None once it is deleted."""
    return session.scalar(select(DocumentFile.data).where(DocumentFile.document_id == document))


_ASKED = text(
    """
    SELECT DISTINCT b.party_id, d.kind_id FROM booking_documents d JOIN bookings b ON b.id = d.booking_id
     WHERE b.party_id = ANY (:parties)
    """
)


def asked_of(session: Session, parties: Collection[int]) -> set[tuple[int, int]]:
    """What these parties were ever asked for with a request: (party id, kind id)."""
    return {(row[0], row[1]) for row in session.execute(_ASKED, {"parties": list(parties)})} if parties else set()


def asks_for(session: Session, party: int, kind: int) -> bool:
    """Whether a request of this party asks for this kind: its lender may then read what the party gave of it."""
    return (party, kind) in asked_of(session, [party])


class ToVerify(NamedTuple):
    """A document that an office is to look at, with a request that asks for it."""

    booking: str
    kind: str
    name: str
    party_id: int
    given_at: datetime
    in_all: int


_TO_VERIFY = text(
    """
    SELECT booking, kind, name, party_id, given_at, count(*) OVER () FROM (
        SELECT DISTINCT ON (p.document_id) b.token AS booking, p.kind, p.name, p.party_id, p.given_at
          FROM booking_papers p JOIN bookings b ON b.id = p.booking_id
         WHERE p.lender_id = :lender AND p.state = 'unverified' AND b.ends_at > :at
           AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
           AND NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = b.id AND d.verdict <> 'accepted')
         ORDER BY p.document_id, b.starts_at) found
     ORDER BY given_at LIMIT 50
    """
)


def to_verify(session: Session, lender: int, *, at: datetime) -> list[ToVerify]:
    """What a lender is to look at, the first given first."""
    return [ToVerify(*row) for row in session.execute(_TO_VERIFY, {"lender": lender, "at": at})]


class Expiring(NamedTuple):
    """The last document of a kind that a party gave, which expires soon."""

    id: int
    token: str
    party_id: int
    kind_id: int
    name: str
    lender_id: int
    valid_until: date


_EXPIRING = text(
    """
    SELECT d.id, d.token, d.party_id, d.kind_id, v.name, k.lender_id, d.valid_until
      FROM documents d
      JOIN document_kinds k ON k.id = d.kind_id
      JOIN document_versions v ON v.kind_id = k.id
       AND v.number = (SELECT max(number) FROM document_versions WHERE kind_id = k.id)
     WHERE v.asked AND v.expires AND d.valid_until BETWEEN :today AND :until
       AND (CAST(:lender AS bigint) IS NULL OR k.lender_id = :lender)
       AND (d.source = 'paper' OR EXISTS (SELECT FROM document_files f WHERE f.document_id = d.id))
       AND NOT EXISTS (SELECT FROM document_checks c WHERE c.document_id = d.id AND c.verdict = 'refused')
       AND NOT EXISTS (
           SELECT FROM documents o WHERE o.party_id = d.party_id AND o.kind_id = d.kind_id AND o.id <> d.id
              AND (o.valid_until > d.valid_until OR o.valid_until = d.valid_until AND o.id > d.id)
              AND (o.source = 'paper' OR EXISTS (SELECT FROM document_files f WHERE f.document_id = o.id))
              AND NOT EXISTS (SELECT FROM document_checks c WHERE c.document_id = o.id AND c.verdict = 'refused'))
       AND EXISTS (
           SELECT FROM booking_documents bd JOIN bookings b ON b.id = bd.booking_id
            WHERE bd.kind_id = d.kind_id AND b.party_id = d.party_id AND b.ends_at > :used
              AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
              AND NOT EXISTS (SELECT FROM booking_decisions x WHERE x.booking_id = b.id AND x.verdict <> 'accepted'))
       AND (NOT :once OR NOT EXISTS (SELECT FROM document_reminders r WHERE r.document_id = d.id))
     ORDER BY d.valid_until, d.id LIMIT :size
    """
)


def expiring(
    session: Session, *, today: date, at: datetime, lender: int | None = None, once: bool = False, size: int = 50
) -> list[Expiring]:
    """What expires soon and served lately or is to serve, and has nothing after it; ``once``: nobody was told yet."""
    rows = session.execute(_EXPIRING, {"today": today, "until": today + policy.EXPIRING, "used": at - policy.USED,
                                       "lender": lender, "once": once, "size": size})  # fmt: skip
    return [Expiring(*row) for row in rows]


_INCOMPLETE = text(
    """
    SELECT b.id, n.days FROM bookings b
      CROSS JOIN unnest(CAST(:days AS integer[])) AS n(days)
      LEFT JOIN booking_decisions d ON d.booking_id = b.id
     CROSS JOIN LATERAL (
           SELECT CASE WHEN d.booking_id IS NULL THEN least(b.starts_at, b.answer_before) ELSE b.starts_at END
                  AS until) last
     WHERE b.starts_at > :at AND last.until > :at AND last.until <= :at + make_interval(days => n.days)
       AND b.asked_at < last.until - make_interval(days => n.days)
       AND b.replaces_id IS NULL AND (d.booking_id IS NULL OR d.verdict = 'accepted')
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
       AND EXISTS (SELECT FROM booking_papers p WHERE p.booking_id = b.id
                      AND p.state IN ('lacking', 'refused', 'expired'))
       AND NOT EXISTS (SELECT FROM file_reminders r WHERE r.booking_id = b.id AND r.days <= n.days)
     ORDER BY n.days, b.id LIMIT 1
    """
)


def incomplete(session: Session, *, at: datetime) -> tuple[int, int] | None:
    """A request whose party is to be reminded of what lacks, and how many days before: (booking id, days)."""
    row = session.execute(_INCOMPLETE, {"at": at, "days": list(policy.REMINDED)}).one_or_none()
    return (row[0], row[1]) if row else None


def given_since(session: Session, party: int, kind: int, since: datetime) -> int:
    """How many documents of a kind a party gave since then."""
    return session.scalar(
        select(func.count()).where(Document.party_id == party, Document.kind_id == kind, Document.given_at > since,
                                   Document.source == "file")
    ) or 0  # fmt: skip
