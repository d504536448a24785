"""The database session, and the one place where something is committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Table, Text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, registry

from exchange.errors import refusal_of
from ledger.store.tables import metadata

Id = Annotated[int, mapped_column(BigInteger, primary_key=True)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    registry = registry(
        metadata=metadata,  # one description of the whole database, books included
        type_annotation_map={str: Text, int: BigInteger, datetime: DateTime(timezone=True)},
    )


def table_of(model: type[Base]) -> Table:
    """The table of a model, for the statements that neither read nor write an object."""
    return cast(Table, model.__table__)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: everything inside is written, or nothing is.

    What the database itself refuses comes out as the domain error of the constraint's name.
    """
    session = db.session()
    try:
        yield session
        session.commit()
    except DBAPIError as refused:
        session.rollback()
        if (error := refusal_of(refused)) is not None:
            raise error from refused
        raise
    except BaseException:
        session.rollback()
        raise
