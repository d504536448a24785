"""Random identifiers that are the same each time: a demonstration has no secret, and its addresses can be kept."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.db import Base

_RENAME = (
    "UPDATE {table} SET token = rtrim(translate(encode(substring(sha256(convert_to("
    "concat_ws(':', CAST(:seed AS text), CAST(:name AS text), id), 'UTF8')) FOR 16), 'base64'), '+/', '-_'), '=')"
)
_WRITTEN_ONCE = text("SELECT true FROM pg_trigger WHERE tgname = 'written_once' AND tgrelid = CAST(:table AS regclass)")


def rename_from(session: Session, seed: str) -> None:
    """Give every row the random identifier that ``seed`` and its number make.

    The operations draw theirs from the system's source of chance, and know nothing of this. What a sign-in proves
    itself with (sessions, access tokens) is left as it was drawn.
    """
    for table in Base.metadata.sorted_tables:
        if "token" in table.columns and "id" in table.columns:
            once = session.scalar(_WRITTEN_ONCE, {"table": table.fullname})
            if once:
                session.execute(text(f"ALTER TABLE {table.fullname} DISABLE TRIGGER written_once"))
            session.execute(text(_RENAME.format(table=table.fullname)), {"seed": seed, "name": table.fullname})
            if once:
                session.execute(text(f"ALTER TABLE {table.fullname} ENABLE TRIGGER written_once"))
