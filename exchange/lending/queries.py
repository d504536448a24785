"""For whom somebody may lend."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy.orm import Session

from exchange.members import queries as members
from exchange.members.queries import Held
from exchange.organisations import queries as organisations


def lenders(session: Session, mandates: Iterable[Held], *, on: date) -> list[Held]:
    """The mandates by which somebody may lend, one for each party: their own things first.

    An officer lends for whoever they are the officer of; a person lends what is theirs; a delegate lends for an
    association or a firm, as long as that has no officer. A local authority names its officers, and so does whoever has
    some: nobody becomes one of theirs by themself.
    """
    held = list(mandates)
    offices = {each.party_id for each in held if each.role == "officer"}
    delegated = {each.party_id for each in held if each.role == "delegate"} - offices
    kinds = organisations.kinds_of(session, delegated)
    settled = members.with_officers(session, delegated, on=on)

    def may(each: Held) -> bool:
        if each.party_id in offices:
            return each.role == "officer"
        if each.role == "member":
            return each.party_kind == "person"
        known = kinds.get(each.party_id, "authority")
        return each.role == "delegate" and known != "authority" and each.party_id not in settled

    found = {each.party_id: each for each in held if may(each)}
    return sorted(found.values(), key=lambda each: (each.party_kind != "person", each.party_sort_name, each.id))
