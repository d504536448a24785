"""The cast, what it offers and looks for, in a transaction that is undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from exchange.adverts import operations
from exchange.adverts.models import Advert, Category
from exchange.members.models import Party
from tests.cast import NOON, Cast, Person, gather
from tests.databases import as_owner

Say = Callable[..., Advert]


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture
def garden(session: Session, cast: Cast) -> Category:
    return operations.add_category(session, community=cast.community.id, name="Jardin")


@pytest.fixture
def say(session: Session, cast: Cast, garden: Category) -> Say:
    """Publish an advert in one line, each a minute after the one before."""
    said: list[Advert] = []

    def publish(who: Person, title: str, text: str = "", *, kind: str = "offer", nature: str = "service") -> Advert:
        assert who.account is not None
        content = operations.Content(kind, nature, garden.id, title, text)
        at = NOON + timedelta(minutes=len(said))
        said.append(operations.publish(session, content, account=who.account, by=who.by, at=at))
        return said[-1]

    return publish


@pytest.fixture
def sel(session: Session, cast: Cast) -> str:
    """The identifier of the community in addresses."""
    return session.get_one(Party, cast.community.party_id).token
