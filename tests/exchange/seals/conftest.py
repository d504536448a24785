"""The cast, in a transaction that is undone."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.cast import Cast, gather
from tests.databases import as_owner


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)
