"""Reads of charters: those that bind what is asked for, who accepted them, and the text of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from exchange.blocks import Block, read
from exchange.catalogue.queries import ResourceView
from exchange.charters.models import Charter, CharterAcceptance, CharterVersion


class CharterView(NamedTuple):
    """A charter as it was written one day; ``token`` is that of this version, ``of`` that of the charter."""

    id: int
    token: str
    charter_id: int
    of: str
    lender_id: int
    place_id: int | None
    number: int
    title: str
    text: str
    asked: bool
    by_sign_in: int | None
    written_at: datetime

    @property
    def blocks(self) -> list[Block]:
        """Its text, piece by piece."""
        return read(self.text)


_OTHERS = aliased(CharterVersion)
_CHARTERS: Select[*tuple[Any, ...]] = select(
    CharterVersion.id, CharterVersion.token, Charter.id, Charter.token, Charter.lender_id, Charter.place_id,
    CharterVersion.number, CharterVersion.title, CharterVersion.text, CharterVersion.asked, CharterVersion.by_sign_in,
    CharterVersion.written_at,
).join(Charter, Charter.id == CharterVersion.charter_id)  # fmt: skip


def of_lender(session: Session, lender: int, *, at: datetime | None = None) -> list[CharterView]:
    """The charters of a lender in their last version, or in the one of an instant; that of all places first."""
    last = select(func.max(_OTHERS.number)).where(_OTHERS.charter_id == CharterVersion.charter_id)
    if at is not None:
        last = last.where(_OTHERS.written_at <= at)
    query = _CHARTERS.where(Charter.lender_id == lender, CharterVersion.number == last.scalar_subquery())
    return [CharterView(*row) for row in session.execute(query.order_by(Charter.place_id.nulls_first()))]


def of_token(session: Session, lender: int, token: str) -> CharterView | None:
    """The last version of one charter of a lender."""
    return next((each for each in of_lender(session, lender) if each.of == token), None)


def version(session: Session, token: str) -> CharterView | None:
    """One version, which everybody may read."""
    found = session.execute(_CHARTERS.where(CharterVersion.token == token)).first()
    return CharterView(*found) if found else None


def binding(found: Collection[CharterView], it: ResourceView) -> CharterView | None:
    """The charter that is asked for a resource: its place's own, else the one for all places."""
    asked = {each.place_id: each for each in found if each.asked}
    return asked.get(it.place_id) or asked.get(None)


def binding_all(found: Collection[CharterView], resources: Iterable[ResourceView]) -> list[CharterView]:
    """Those that are asked for several resources, each once."""
    every = [charter for it in resources if (charter := binding(found, it))]
    return list({each.id: each for each in every}.values())


def accepted(session: Session, parties: Collection[int], found: Collection[CharterView]) -> set[tuple[int, int]]:
    """Which of these parties accepted which of these versions: (party id, version id)."""
    if not parties or not found:
        return set()
    rows = session.execute(
        select(CharterAcceptance.party_id, CharterAcceptance.version_id)
        .where(CharterAcceptance.party_id.in_(parties))
        .where(CharterAcceptance.version_id.in_([each.id for each in found]))
    )
    return {(row[0], row[1]) for row in rows}


class AcceptanceView(NamedTuple):
    """Who accepted a version, who ticked it for them, and when."""

    party_id: int
    by_sign_in: int | None
    accepted_at: datetime


def acceptances(session: Session, version_id: int, *, size: int = 50) -> tuple[list[AcceptanceView], int]:
    """The last who accepted a version, and how many did in all."""
    rows = session.execute(
        select(CharterAcceptance.party_id, CharterAcceptance.by_sign_in, CharterAcceptance.accepted_at,
               func.count().over())
        .where(CharterAcceptance.version_id == version_id)
        .order_by(CharterAcceptance.accepted_at.desc(), CharterAcceptance.party_id)
        .limit(size)
    ).all()  # fmt: skip
    return [AcceptanceView(*row[:3]) for row in rows], rows[0][3] if rows else 0
