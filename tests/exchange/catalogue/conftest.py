"""The cast, and the town's catalogue in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.catalogue import operations
from exchange.catalogue.models import Resource
from tests.cast import NOON, Cast, gather
from tests.databases import as_owner

Add = Callable[..., Resource]


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture
def add(session: Session, cast: Cast) -> Add:
    """Add something of the town's: ``add("room", "Petite salle", capacity=30)``."""

    def added(kind: str, name: str, **facts: object) -> Resource:
        lender = facts.pop("lender", cast.town.id)
        return operations.add_resource(session, lender=lender, kind=kind, name=name, by=cast.olga.by, at=NOON, **facts)

    return added
