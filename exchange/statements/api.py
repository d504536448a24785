"""Accounts for programs: the balance, and what moved."""

from __future__ import annotations

from typing import Any

from exchange.db import db
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, number
from exchange.rest.resources import Resources
from exchange.sentences import N
from exchange.statements import queries
from exchange.statements.queries import Row
from exchange.statements.schemas import LinePage
from exchange.statements.views import _account

resources = Resources("accounts", N("Comptes"))


@resources.reads("/accounts/<account>", N("Un compte et son solde"), gives=shapes.AccountShape)
def show(account: str) -> dict[str, Any]:
    """For who acts for its holder, or serves the counter of its community."""
    session, found = db.session(), _account(account, "account.read")
    holder = members.parties(session, [found.party_id])[found.party_id]
    return shapes.account(found, holder, members.community(session, found.community_id))


@resources.reads("/accounts/<account>/statement", N("Le relevé d’un compte"), query=PageQuery, gives=LinePage)
def statement(query: dict[str, Any], account: str) -> dict[str, Any]:
    """What moved, the newest first."""
    found, before = _account(account, "account.read"), number(query.get("cursor"))
    page = queries.page(db.session(), found.id, before=before, size=query["limit"])
    return {"items": [_line(row) for row in page.rows], "next": str(page.older) if page.older else None}


def _line(row: Row) -> dict[str, Any]:
    line, declared = row.line, row.declaration
    return {
        "number": line.seq,
        "kind": line.kind,
        "happened_on": line.happened_on,
        "recorded_at": line.recorded_at,
        "minutes": line.minutes,
        "balance": line.balance,
        "other": shapes.party(row.other),
        "declaration": declared.token if declared else None,
        "description": declared.description if declared else None,
        "corrects": line.corrects is not None,
        "corrected": line.corrected_by is not None,
        "typed_by": row.typed_by,
    }
