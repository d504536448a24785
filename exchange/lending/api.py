"""Beginning to lend, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import NotAllowed, NotFound
from exchange.lending import operations, queries
from exchange.lending.schemas import NewThing
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import held, today
from exchange.sentences import N
from ledger.entries import Acting

resources = Resources("lending", N("Commencer à prêter"))


@resources.acts("/lenders/<lender>/things", N("Prêter quelque chose"), takes=NewThing, gives=shapes.ResourceShape,
                status=201)  # fmt: skip
def begin(given: dict[str, Any], lender: str) -> Deed:
    """For oneself, or an association as its delegate; nobody sees it before it is published, as the lender's office."""
    session = db.session()
    party = members.party_by_token(session, lender)
    if party is None:
        raise NotFound
    through = next((each for each in queries.lenders(session, held(), on=today()) if each.party_id == party.id), None)
    if through is None:
        raise NotAllowed(roles=["officer"], party=party.name)
    it = operations.Thing(given["name"], given["description"], given.get("quantity"))

    def keep(work: Session, at: datetime) -> Done:
        token = operations.begin(work, through, it, today=today(), at=at)
        kept = catalogue.mine_by_token(work, party.id, token)
        assert kept is not None, "it was added a moment ago"
        here = url_for("api_catalogue.one", lender=lender, resource=token)
        return Done(shapes.resource(kept, party), here)

    return Deed(Acting(through.sign_in_id, party.id, through.id), keep)
