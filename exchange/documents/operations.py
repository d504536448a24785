"""The verbs of documents: say what is asked, give, look at, refuse; remind, and delete in time."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.documents import policy, queries
from exchange.documents.cleaning import Clean, cleaned
from exchange.documents.models import (
    Document,
    DocumentCheck,
    DocumentFile,
    DocumentKind,
    DocumentReason,
    DocumentReminder,
    DocumentVersion,
    DocumentVersionResource,
    FileReminder,
)
from exchange.documents.queries import DocumentView, KindView
from exchange.errors import DocumentExpired, DocumentsFull, DocumentUndated, FileIncomplete, TemplateChanged
from ledger.entries import Acting

__all__ = ["Clean", "Document", "Wording", "cleaned"]  # how a file becomes a document, for whoever receives one


class Wording(NamedTuple):
    """What a kind is called, whom it is asked of and for what; see ``queries.KindView``."""

    name: str
    help: str = ""
    expires: bool = True
    verified: bool = False
    classes: Collection[str] = ()
    categories: Collection[str] = ()
    resources: Collection[int] = ()
    asked: bool = True


def write(
    session: Session, wording: Wording, *, lender: int, after: KindView | None = None, by: Acting, at: datetime
) -> DocumentVersion:
    """Ask for a kind of document from now on; or word it otherwise, ``after`` the version that was read.

    What was asked for before it keeps what it asks. Raises TemplateChanged when somebody else wrote meanwhile.
    """
    if after:
        known = queries.kinds(session, [after.id])[after.id]
        if known.number != after.number:
            raise TemplateChanged
    made = DocumentVersion(
        kind_id=after.id if after else _new(session, lender), number=after.number + 1 if after else 1,
        name=wording.name, help=wording.help, expires=wording.expires, verified=wording.verified,
        classes=sorted(wording.classes), categories=sorted(wording.categories), asked=wording.asked, written_at=at,
        **signed(by),
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(DocumentVersionResource(version_id=made.id, resource_id=each) for each in set(wording.resources))
    session.flush()
    return made


def _new(session: Session, lender: int) -> int:
    made = DocumentKind(token=secrets.token_urlsafe(16), lender_id=lender)
    session.add(made)
    session.flush()
    return made.id


_FREEZE = text(
    """
    INSERT INTO booking_documents (booking_id, kind_id, version_id)
    SELECT b.id, k.id, v.id
      FROM bookings b
      JOIN document_kinds k ON k.lender_id = b.lender_id
      JOIN document_versions v ON v.kind_id = k.id
       AND v.number = (SELECT max(number) FROM document_versions WHERE kind_id = k.id)
     WHERE b.id = :booking AND b.party_id <> b.lender_id AND v.asked
       AND (v.classes = '{}' OR coalesce(
            (SELECT o.class FROM organisations o WHERE o.party_id = b.party_id), 'inhabitant') = ANY (v.classes))
       AND (v.categories = '{}' AND NOT EXISTS (SELECT FROM document_version_resources r WHERE r.version_id = v.id)
            OR EXISTS (SELECT FROM booking_items i JOIN resources r ON r.id = i.resource_id
                        WHERE i.booking_id = b.id AND (r.category = ANY (v.categories) OR EXISTS (
                              SELECT FROM document_version_resources x
                               WHERE x.version_id = v.id AND x.resource_id = r.id))))
    """
)
_CARRY = text(
    """
    INSERT INTO booking_documents (booking_id, kind_id, version_id)
    SELECT :booking, kind_id, version_id FROM booking_documents WHERE booking_id = :before
    """
)


def freeze(session: Session, booking: int, *, replaces: int | None) -> None:
    """Keep what a request asks for, as it is today; what its lender offers instead asks for what that one did."""
    if replaces is None:
        session.execute(_FREEZE, {"booking": booking})
    else:
        session.execute(_CARRY, {"booking": booking, "before": replaces})


def check_complete(session: Session, booking: int) -> None:
    """Raise FileIncomplete when something that a request asks for doesn't count yet."""
    missing = [paper.name for paper in queries.file(session, booking).papers if paper.state != "good"]
    if missing:
        raise FileIncomplete(missing=missing)


def give(
    session: Session, kind: KindView, clean: Clean, *, party: int, valid_until: date | None, today: date, by: Acting,
    at: datetime,
) -> Document:  # fmt: skip
    """A party gives a document. Raises DocumentUndated, DocumentExpired, DocumentsFull."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("documents"), party)))
    if queries.given_since(session, party, kind.id, at - policy.MONTH) >= policy.MOST_GIVEN:
        raise DocumentsFull(most=policy.MOST_GIVEN)
    made = _write(session, kind, "file", party=party, valid_until=valid_until, today=today, by=by, at=at)
    session.add(DocumentFile(document_id=made.id, data=clean.data, pages=clean.pages))
    session.flush()
    return made


def note_paper(
    session: Session, kind: KindView, *, party: int, valid_until: date | None, today: date, by: Acting, at: datetime
) -> Document:
    """The lender's office saw it on paper, which counts as given and looked at. Raises as ``give``."""
    return _write(session, kind, "paper", party=party, valid_until=valid_until, today=today, by=by, at=at)


def _write(
    session: Session, kind: KindView, source: str, *, party: int, valid_until: date | None, today: date, by: Acting,
    at: datetime,
) -> Document:  # fmt: skip
    if kind.expires and valid_until is None:
        raise DocumentUndated
    if kind.expires and valid_until is not None and valid_until < today:
        raise DocumentExpired
    made = Document(
        token=secrets.token_urlsafe(16), party_id=party, kind_id=kind.id, source=source,
        valid_until=valid_until, given_at=at, **signed(by),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def verify(session: Session, document: DocumentView, *, by: Acting, at: datetime) -> None:
    """The office looked at it, and it is what was asked for. Raises AlreadyAnswered (by the table's own key)."""
    session.add(DocumentCheck(document_id=document.id, verdict="verified", checked_at=at, **signed(by)))
    session.flush()


def refuse(session: Session, document: DocumentView, *, reason: str, by: Acting, at: datetime) -> None:
    """The office says why it won't do; another is to be given. Raises AlreadyAnswered."""
    session.add(DocumentCheck(document_id=document.id, verdict="refused", checked_at=at, **signed(by)))
    session.flush()
    session.add(DocumentReason(document_id=document.id, reason=reason))
    session.flush()


def note_reminded(session: Session, booking: int, days: int, *, at: datetime) -> None:
    """A letter is written about what a request lacks."""
    session.add(FileReminder(booking_id=booking, days=days, written_at=at))
    session.flush()


def note_told(session: Session, document: int, *, at: datetime) -> None:
    """A letter is written about a document that expires."""
    session.add(DocumentReminder(document_id=document, written_at=at))
    session.flush()


# What expired, what was refused, and what nobody asks for any more; each with its delay.
_OVER = text(
    """
    SELECT d.id FROM documents d JOIN document_files f ON f.document_id = d.id
     WHERE d.valid_until < :expired
        OR EXISTS (SELECT FROM document_checks c
                    WHERE c.document_id = d.id AND c.verdict = 'refused' AND c.checked_at < :refused)
        OR d.given_at < :unused AND d.valid_until IS NULL AND NOT EXISTS (
           SELECT FROM booking_documents x JOIN bookings b ON b.id = x.booking_id
            WHERE x.kind_id = d.kind_id AND b.party_id = d.party_id AND b.ends_at >= :unused)
    """
)


def discard(session: Session, *, today: date, at: datetime) -> int:
    """Delete the files that serve nobody any more, with why they were refused; return how many."""
    since = {"expired": today - policy.KEPT_AFTER_EXPIRY, "refused": at - policy.KEPT_REFUSED,
             "unused": at - policy.KEPT_UNUSED}  # fmt: skip
    return _erase(session, list(session.scalars(_OVER, since)))


def erase(session: Session, party: int) -> int:
    """Erase every file that a party gave, with why one was refused; return how many. What they were stays counted."""
    return _erase(session, list(session.scalars(select(Document.id).where(Document.party_id == party))))


def _erase(session: Session, documents: Collection[int]) -> int:
    session.execute(delete(DocumentReason).where(DocumentReason.document_id.in_(documents)))
    gone = session.execute(delete(DocumentFile).where(DocumentFile.document_id.in_(documents)))
    return int(gone.rowcount)  # type: ignore[attr-defined]
