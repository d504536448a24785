"""Reads of templates and agreements. Who may read one is said by the pages, through its loan."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session, aliased

from exchange.agreements import policy
from exchange.agreements.models import (
    Agreement,
    AgreementText,
    Signature,
    SignatureName,
    Template,
    Version,
    VersionResource,
)
from exchange.blocks import Block, read


class VersionView(NamedTuple):
    """A template as it was written one day; ``resources`` are those that it covers, when they are chosen."""

    id: int
    template_id: int
    token: str  # of the template
    lender_id: int
    number: int
    title: str
    text: str
    covers: str
    first: str
    automatic: bool
    by_sign_in: int | None
    written_at: datetime
    resources: frozenset[int] = frozenset()


_OTHERS = aliased(Version)
_VERSIONS: Select[*tuple[Any, ...]] = select(
    Version.id, Version.template_id, Template.token, Template.lender_id, Version.number, Version.title, Version.text,
    Version.covers, Version.first, Version.automatic, Version.by_sign_in, Version.written_at,
    select(func.coalesce(func.array_agg(VersionResource.resource_id), []))
    .where(VersionResource.version_id == Version.id).scalar_subquery(),
).join(Template, Template.id == Version.template_id)  # fmt: skip


def templates(session: Session, lender: int) -> list[VersionView]:
    """The last version of each template of a lender, those in use first."""
    return sorted(_last(session, Template.lender_id == lender), key=lambda each: each.covers == "none")


def template(session: Session, lender: int, token: str) -> VersionView | None:
    """The last version of one template of a lender."""
    found = _last(session, (Template.lender_id == lender) & (Template.token == token))
    return found[0] if found else None


def _last(session: Session, condition: Any) -> list[VersionView]:
    last = select(func.max(_OTHERS.number)).where(_OTHERS.template_id == Version.template_id).scalar_subquery()
    query = _VERSIONS.where(condition, Version.number == last).order_by(Version.template_id)
    return [VersionView(*row)._replace(resources=frozenset(row[-1])) for row in session.execute(query)]


def last_number(session: Session, template_id: int) -> int:
    """The number of the last version of a template."""
    return session.execute(select(func.max(Version.number)).where(Version.template_id == template_id)).scalar_one()


def template_for(session: Session, lender: int, resources: Collection[int]) -> VersionView | None:
    """The template that covers a loan of these resources: one that names one of them, else one for all; the newest."""
    covering = [
        each for each in templates(session, lender) if each.covers == "all" or each.resources & set(resources)
    ]
    return max(covering, key=lambda each: (each.covers == "chosen", each.written_at, each.id), default=None)


class SignatureView(NamedTuple):
    """One side's acceptance; ``name`` and ``sentence`` are None once the person is erased."""

    side: str
    how: str
    signed_on: date
    signed_at: datetime
    by_sign_in: int | None
    name: str | None
    sentence: str | None


class AgreementView(NamedTuple):
    """An agreement with its text (None once erased), its signatures by side, and whether another took its place."""

    id: int
    token: str
    lender_id: int
    booking_id: int
    version_id: int
    year: int
    number: int
    digest: bytes
    made_at: datetime
    by_sign_in: int | None
    title: str
    first: str
    version: int
    text: str | None
    replaced_by: str | None
    signatures: dict[str, SignatureView] = {}

    @property
    def called(self) -> str:
        """Its number as people write it."""
        return policy.called(self.year, self.number)

    @property
    def blocks(self) -> list[Block]:
        """Its text, piece by piece."""
        return read(self.text or "")

    @property
    def turn(self) -> str | None:
        """Whose turn it is to accept."""
        return policy.turn(self.first, frozenset(self.signatures))

    def state(self, cancelled: str | None) -> str:
        """What became of it; ``cancelled`` as ``policy.state`` wants it."""
        return policy.state(erased=self.text is None, cancelled=cancelled, replaced=self.replaced_by is not None,
                            signed=frozenset(self.signatures))  # fmt: skip


_NEXT = aliased(Agreement)
_AGREEMENTS: Select[*tuple[Any, ...]] = (
    select(Agreement.id, Agreement.token, Agreement.lender_id, Agreement.booking_id, Agreement.version_id,
           Agreement.year, Agreement.number, Agreement.digest, Agreement.made_at, Agreement.by_sign_in, Version.title,
           Version.first, Version.number, AgreementText.text, _NEXT.token)
    .join(Version, Version.id == Agreement.version_id)
    .outerjoin(AgreementText, AgreementText.agreement_id == Agreement.id)
    .outerjoin(_NEXT, _NEXT.replaces_id == Agreement.id)
)  # fmt: skip


def _views(session: Session, query: Select[*tuple[Any, ...]]) -> list[AgreementView]:
    """Agreements with who accepted them, in two queries however many they are."""
    rows = session.execute(query).all()
    under: dict[int, dict[str, SignatureView]] = {row[0]: {} for row in rows}
    wanted = (
        select(Signature.agreement_id, Signature.side, Signature.how, Signature.signed_on, Signature.signed_at,
               Signature.by_sign_in, SignatureName.name, SignatureName.sentence)
        .outerjoin(SignatureName, (SignatureName.agreement_id == Signature.agreement_id)
                   & (SignatureName.side == Signature.side))
        .where(Signature.agreement_id.in_(under))
        .order_by(Signature.signed_at)
    )  # fmt: skip
    for row in session.execute(wanted) if rows else ():
        under[row[0]][row[1]] = SignatureView(*row[1:])
    return [AgreementView(*row)._replace(signatures=under[row[0]]) for row in rows]


def by_token(session: Session, token: str) -> AgreementView | None:
    """One agreement; its reader is checked through its loan."""
    return next(iter(_views(session, _AGREEMENTS.where(Agreement.token == token))), None)


def of_booking(session: Session, booking: int) -> AgreementView | None:
    """The agreement of a loan that nothing took the place of."""
    query = _AGREEMENTS.where(Agreement.booking_id == booking, _NEXT.id.is_(None))
    return next(iter(_views(session, query)), None)


class Standing(NamedTuple):
    """The agreement of a loan in a line: its number, and whose turn it is to accept it."""

    token: str
    called: str
    turn: str | None


def standing(session: Session, booking: int) -> Standing | None:
    """The agreement of a loan that nothing took the place of, in one query."""
    sides = select(func.array_agg(Signature.side)).where(Signature.agreement_id == Agreement.id).scalar_subquery()
    row = session.execute(
        select(Agreement.token, Agreement.year, Agreement.number, Version.first, sides)
        .join(Version, Version.id == Agreement.version_id)
        .outerjoin(_NEXT, _NEXT.replaces_id == Agreement.id)
        .where(Agreement.booking_id == booking, _NEXT.id.is_(None))
    ).first()
    if row is None:
        return None
    return Standing(row[0], policy.called(row[1], row[2]), policy.turn(row[3], frozenset(row[4] or ())))


def all_of(session: Session, booking: int) -> list[AgreementView]:
    """Every agreement of a loan, the last made first."""
    return _views(session, _AGREEMENTS.where(Agreement.booking_id == booking).order_by(Agreement.id.desc()))


def of_lender(
    session: Session, lender: int, *, before: int | None = None, size: int = 25
) -> list[AgreementView]:
    """What a lender made, the last first."""
    query = _AGREEMENTS.where(Agreement.lender_id == lender)
    if before is not None:
        query = query.where(Agreement.id < before)
    return _views(session, query.order_by(Agreement.id.desc()).limit(size))


_AWAITED = text(
    """
    SELECT b.id FROM bookings b
      JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'accepted'
     WHERE b.starts_at > :at AND b.series_id IS NULL
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM agreements a WHERE a.booking_id = b.id)
       AND EXISTS (
           SELECT FROM agreement_templates t
            CROSS JOIN LATERAL (SELECT v.* FROM agreement_versions v WHERE v.template_id = t.id
                                 ORDER BY v.number DESC LIMIT 1) v
            WHERE t.lender_id = b.lender_id AND v.automatic AND d.decided_at >= v.written_at
              AND (v.covers = 'all' OR v.covers = 'chosen' AND EXISTS (
                   SELECT FROM agreement_version_resources r JOIN booking_items i ON i.resource_id = r.resource_id
                    WHERE r.version_id = v.id AND i.booking_id = b.id)))
       AND b.id > :after
     ORDER BY b.id LIMIT 1
    """
)


def awaited(session: Session, *, at: datetime, after: int = 0) -> int | None:
    """The next accepted loan to come, in the order of their ids, that an automatic template may cover and that has no
    agreement yet. The days of a series are left to the office: thirty agreements for one choir are nobody's wish.
    """
    return session.execute(_AWAITED, {"at": at, "after": after}).scalar()
