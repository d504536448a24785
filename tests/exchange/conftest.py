"""The cast, and what is lent to it; a folder that wants others has its own."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.cast import Cast, gather
from tests.databases import as_owner
from tests.lent import Lent, lend


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture
def lent(session: Session, cast: Cast) -> Lent:
    return lend(session, cast)
