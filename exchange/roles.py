"""The roles of the database, made once by who administers the server, never by a migration.

``owner`` owns the tables and migrates; ``ledger`` owns the books and their functions and can't sign in; ``web`` serves.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from exchange.config import LEDGER_ROLE, OWNER_ROLE, WEB_ROLE


def make_roles(connection: psycopg.Connection, database: str | None = None) -> None:
    """Make the three roles where they are missing; with ``database``, make it too, owned by the owner."""
    connection.autocommit = True
    for role, can in ((LEDGER_ROLE, "NOLOGIN"), (OWNER_ROLE, "LOGIN"), (WEB_ROLE, "LOGIN")):
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), sql.SQL(can)))
    connection.execute(
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(LEDGER_ROLE), sql.Identifier(OWNER_ROLE))
    )
    if database is None:
        return
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(database), sql.Identifier(OWNER_ROLE)
            )
        )
