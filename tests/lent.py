"""What is lent in the tests: the town's hall in two halves, its chairs, its drill; the club's dojo, at a price."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.catalogue.models import Resource
from exchange.catalogue.queries import ResourceView
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.entries import Acting
from tests.cast import NOON, Cast


class Lent(NamedTuple):
    """Resources, published."""

    hall: ResourceView  # made of the two halves
    half: ResourceView
    other_half: ResourceView
    chairs: ResourceView  # five
    drill: ResourceView
    dojo: ResourceView  # the club's: 30 minutes an hour, 60 for firms


def lend(session: Session, cast: Cast, *, at: datetime = NOON, chairs: int = 5) -> Lent:
    """Publish everything, and write the club's tariff and the town's gate."""
    town, club = Acting(None, cast.town.id), Acting(None, cast.club.id)

    def add(kind: str, name: str, by: Acting, **facts: object) -> Resource:
        return catalogue.add_resource(session, lender=by.party, kind=kind, name=name, by=by, at=at, **facts)

    half = add("room", "Demi-salle sud", town, capacity=60, category="Salle")
    other_half = add("room", "Demi-salle nord", town, capacity=60, category="Salle")
    hall = add("room", "Salle des fêtes", town, capacity=120, category="Salle", parts=[half.id, other_half.id])
    five = add("pool", "Chaises pliantes", town, quantity=chairs, category="Mobilier")
    drill = add("thing", "Perceuse", town, category="Outil")
    dojo = add("room", "Dojo", club, capacity=40, category="Salle", opening_hours="Mo-Sa 08:00-22:00")
    towns = {row.id: None for row in (half, other_half, hall, five, drill)}
    catalogue.publish(session, lender=cast.town.id, capacities=towns, by=town, at=at)
    catalogue.publish(session, lender=cast.club.id, capacities={dojo.id: None}, by=club, at=at)
    since = date(2026, 1, 1)
    price = Rule("", "tariff", "Participation", starts_on=since, community=cast.community.id, minutes=30, per="hour")
    rules.write_rule(session, price, lender=cast.club.id, by=club, at=at)
    gate = Rule("", "gate", "Rien en retard", starts_on=since, gate="nothing-overdue")
    rules.write_rule(session, gate, lender=cast.town.id, by=town, at=at)
    rows = (hall, half, other_half, five, drill, dojo)
    views = queries.views(session, [row.id for row in rows])
    return Lent(*(views[row.id] for row in rows))
