"""Declared exchanges for programs: declare, read what waits, confirm, refuse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from exchange import outbox
from exchange.db import db
from exchange.declarations import operations, queries
from exchange.declarations.models import Declaration
from exchange.declarations.schemas import DeclarationPage, DeclarationShape, NewDeclaration, Reason
from exchange.declarations.telling import (
    Shown,
    check_counter,
    check_gain,
    other_side,
    shown_declaration,
    tell_other,
    tell_withdrawn,
)
from exchange.errors import OtherUnknown
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, sliced
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import Counter, counter_of, today
from exchange.sentences import N
from ledger.store import reading

MOST_WAITING = 1000

resources = Resources("declarations", N("Échanges"))


@resources.acts(
    "/accounts/<account>/declarations", N("Déclarer un échange"), takes=NewDeclaration, gives=DeclarationShape,
    status=201,
)  # fmt: skip
def create(given: dict[str, Any], account: str) -> Deed:
    """By who was helped, the minutes move now; by who helped, it waits for the other's word."""
    counter = counter_of("exchange.declare", account)
    said = _said(counter, given)

    def declare(session: Session, at: datetime) -> Done:
        made = operations.declare(
            session, said, answer_days=counter.community.answer_days, today=today(), by=counter.by, at=at
        )
        posted = counter.by.party == said.receiver.party_id
        tell_other(counter, said, made, posted=posted)
        people = members.parties(session, [said.giver.party_id, said.receiver.party_id])
        body = _body(made, queries.answer(session, made.id), counter.community, people[said.giver.party_id],
                     people[said.receiver.party_id])  # fmt: skip
        return Done(body, url_for("api_declarations.show", declaration=made.token), posted)

    return Deed(counter.by, declare)


def _said(counter: Counter, given: dict[str, Any]) -> operations.Exchange:
    other, mine = other_side(counter, given["other"]), counter.account
    if other is None:
        raise OtherUnknown
    giver, receiver = (mine, other) if given["direction"] == "given" else (other, mine)
    check_counter(counter, payer=receiver.party_id, payee=giver.party_id)
    return operations.Exchange(
        giver, receiver, given["minutes"], given["happened_on"], given["nature"], given["description"],
        given.get("slip"),
    )  # fmt: skip


@resources.reads(
    "/accounts/<account>/declarations", N("Les échanges qui attendent une réponse"), query=PageQuery,
    gives=DeclarationPage,
)  # fmt: skip
def waiting(query: dict[str, Any], account: str) -> dict[str, Any]:
    """Those to answer come first."""
    counter = counter_of("account.read", account)
    found = queries.waiting(db.session(), [counter.account.id], limit=MOST_WAITING)
    page = sliced(found, query, lambda declaration: declaration.token)
    return {"items": _told(page.rows, counter.community), "next": page.last.token if page.last else None}


def _told(found: Sequence[Declaration], community: members.CommunityView) -> list[dict[str, Any]]:
    """Declarations of one community that nobody answered, with the names of their two sides, in two queries."""
    session = db.session()
    holders = reading.parties_of(session, [side for row in found for side in (row.giver_account, row.receiver_account)])
    people = members.parties(session, holders.values())
    return [
        _body(row, None, community, people[holders[row.giver_account]], people[holders[row.receiver_account]])
        for row in found
    ]


@resources.reads("/declarations/<declaration>", N("Un échange déclaré"), gives=DeclarationShape)
def show(declaration: str) -> dict[str, Any]:
    """As one of its two sides reads it."""
    return _as_told(shown_declaration(declaration))


@resources.acts("/declarations/<declaration>/confirmation", N("Confirmer un échange"), gives=DeclarationShape)
def confirm(_given: dict[str, Any], declaration: str) -> Deed:
    """Who was helped agrees: the minutes move."""
    shown = shown_declaration(declaration, "exchange.answer")
    by = shown.answering()
    check_gain(by, payer=shown.receiver.id, payee=shown.giver.id)

    def agree(session: Session, at: datetime) -> Done:
        operations.confirm(session, shown.declaration, payer_party=shown.receiver.id, by=by, at=at)
        return Done(_as_told(shown_declaration(declaration)), has_entry=True)

    return Deed(by, agree)


@resources.acts(
    "/declarations/<declaration>/refusal", N("Refuser un échange"), takes=Reason, gives=DeclarationShape
)
def refuse(given: dict[str, Any], declaration: str) -> Deed:
    """Who was helped doesn't agree: nothing moves, and the other side is told why."""
    shown = shown_declaration(declaration, "exchange.answer")
    by = shown.answering()

    def disagree(session: Session, at: datetime) -> Done:
        reason = given["reason"]
        operations.refuse(session, shown.declaration, payer_party=shown.receiver.id, reason=reason, by=by, at=at)
        outbox.write(session, members.e_mails_of(session, shown.giver.id, on=today()), "refused", at=at, shown=shown,
                     reason=reason)  # fmt: skip
        return Done(_as_told(shown_declaration(declaration)))

    return Deed(by, disagree)


@resources.acts("/declarations/<declaration>/withdrawal", N("Retirer un échange déclaré"), gives=DeclarationShape)
def withdraw(_given: dict[str, Any], declaration: str) -> Deed:
    """Who helped takes back what they declared, while nobody has answered."""
    shown = shown_declaration(declaration, "exchange.answer")
    by = shown.withdrawing()

    def take_back(session: Session, at: datetime) -> Done:
        operations.withdraw(session, shown.declaration, giver_party=shown.giver.id, by=by, at=at)
        tell_withdrawn(session, shown, at=at)
        return Done(_as_told(shown_declaration(declaration)))

    return Deed(by, take_back)


def _as_told(shown: Shown) -> dict[str, Any]:
    return _body(shown.declaration, shown.answer, shown.community, shown.giver, shown.receiver)


def _body(
    row: Declaration, answer: Any, community: members.CommunityView, giver: members.PartyView,
    receiver: members.PartyView,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": row.token,
        "state": answer.answer if answer else "waiting",
        "community": community.token,
        "giver": shapes.party(giver),
        "receiver": shapes.party(receiver),
        "minutes": row.minutes,
        "happened_on": row.happened_on,
        "nature": row.nature,
        "description": row.description,
        "slip": row.slip,
        "declared_at": row.declared_at,
        "answer_before": row.answer_before,
        "answered_at": answer.answered_at if answer else None,
        "reason": answer.reason or None if answer else None,
    }
