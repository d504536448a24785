"""The statement as a member reads it: lines of the books with names and words put beside them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.declarations import queries as declarations
from exchange.members import queries as members
from ledger.statements import Line
from ledger.store import reading


class Row(NamedTuple):
    """One line, with whom it was and what it was about."""

    line: Line
    other: members.PartyView
    declaration: declarations.Said | None
    typed_by: str | None  # the person, when they acted for somebody


class Page(NamedTuple):
    """A page of a statement, newest first."""

    rows: list[Row]
    newer: bool
    older: int | None  # the seq before which the next page starts


def page(session: Session, account: int, *, before: int | None = None, size: int = 25) -> Page:
    """A page of the statement in four queries, however long the account's life."""
    lines = reading.statement(session, account, before=before, size=size + 1)
    more, lines = len(lines) > size, lines[:size]
    people = members.parties(session, [line.other_party for line in lines])
    said = declarations.descriptions(
        session, [line.cause_id for line in lines if line.cause_kind == "declaration" and line.cause_id]
    )
    typed = _typed_for_others(session, lines)
    rows = [
        Row(
            line,
            people[line.other_party],
            said.get(line.cause_id or 0) if line.cause_kind == "declaration" else None,
            typed.get(line.by_mandate or 0),
        )
        for line in lines
    ]
    return Page(rows, before is not None, lines[-1].seq if more else None)


# Read by its SQL: a mandate is told apart here by its role alone, and is nobody's row to see.
_FACILITATORS = text(
    """
    SELECT m.id, coalesce(
               (SELECT p.name FROM mandates own JOIN parties p ON p.id = own.party_id AND p.kind = 'person'
                 WHERE own.sign_in_id = s.id AND own.role = 'member' ORDER BY own.id LIMIT 1),
               s.user_name::text) AS name
      FROM mandates m JOIN sign_ins s ON s.id = m.sign_in_id
     WHERE m.id = ANY (:mandates) AND m.role = 'facilitator'
    """
)


def _typed_for_others(session: Session, lines: list[Line]) -> dict[int, str]:
    """Who typed for somebody at the counter: mandate -> name."""
    mandates = [line.by_mandate for line in lines if line.by_mandate]
    return {row.id: row.name for row in session.execute(_FACILITATORS, {"mandates": mandates})}
