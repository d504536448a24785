"""The database session, and the one place where something is committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, cast

from flask import g, has_request_context
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import BigInteger, DateTime, ForeignKey, Table, Text, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry

from exchange.errors import refusal_of
from ledger.entries import Acting
from ledger.store.tables import metadata

Id = Annotated[int, mapped_column(BigInteger, primary_key=True)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    registry = registry(
        metadata=metadata,  # one description of the whole database, books included
        type_annotation_map={str: Text, int: BigInteger, datetime: DateTime(timezone=True)},
    )


class Signed:
    """A record that says who made it: the sign-in that typed, the party it acted for, the mandate it used."""

    by_sign_in: Mapped[int | None] = mapped_column(ForeignKey("sign_ins.id"))
    by_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    by_mandate: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))


def signed(by: Acting) -> dict[str, int | None]:
    """The columns of ``Signed``, for who acts."""
    return {"by_sign_in": by.sign_in, "by_party": by.party, "by_mandate": by.mandate}


def table_of(model: type[Base]) -> Table:
    """The table of a model, for the statements that neither read nor write an object."""
    return cast(Table, model.__table__)


class Sturdy(FlaskSession):
    """A session that can always be given back: when its connection is lost, so is what it had not committed, and
    nothing is left to undo. The answer that is ready is then given, or the refusal that is on its way.
    """

    def rollback(self) -> None:
        """Undo what was not committed."""
        with self._lost_already():
            super().rollback()

    def close(self) -> None:
        """Give the connection back."""
        with self._lost_already():
            super().close()

    @contextmanager
    def _lost_already(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as lost:
            if not lost.connection_invalidated:
                raise
            self.invalidate()


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"class_": Sturdy})

# How long a request waits before it is told to come back: well under the 30 seconds of the least patient proxy.
CONNECTING = 5  # seconds: for the server, and for one of our connections to it to be free
WAITS = {
    "lock_timeout": "5s",  # locks are held for milliseconds: who waits longer waits for something that is stuck
    "statement_timeout": "15s",  # and so are statements; those that read everything are ``unhurried``
    "idle_in_transaction_session_timeout": "30s",  # a process of ours that is stuck doesn't keep its locks
}


def engine_options(*, patient: bool = False) -> dict[str, Any]:
    """How SQLAlchemy connects: as the web, which keeps nobody waiting; ``patient``, as the worker and the commands."""
    settings = {"timezone": "UTC"} if patient else {"timezone": "UTC", **WAITS}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return {
        "pool_pre_ping": True,
        "hide_parameters": True,  # what people write, and who they are, is no business of a journal
        "pool_timeout": CONNECTING,
        "connect_args": {"options": options, "connect_timeout": CONNECTING},
    }


def unhurried(session: Session) -> None:
    """What this transaction reads next may take its time: all the books, for who checks or takes them."""
    session.execute(text("SET LOCAL statement_timeout = 0"))


class InDoubt(OperationalError):
    """The database went away during the commit: it may have been done, or not."""


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: everything inside is written, or nothing is.

    What the database itself refuses comes out as the domain error of the constraint's name. Raises InDoubt when the
    database went away before it said whether it had written.
    """
    session, committing = db.session(), False
    try:
        yield session
        session.flush()
        committing = True
        session.commit()
        if has_request_context():
            g.committed = True  # whatever happens to this request later, nobody may say that nothing was written
    except DBAPIError as refused:
        session.rollback()
        if (error := refusal_of(refused)) is not None:
            raise error from refused
        if committing and refused.connection_invalidated:
            raise InDoubt(refused.statement, refused.params, refused.orig or refused) from refused
        raise
    except BaseException:
        session.rollback()
        raise
