"""The roles of the database, made once by who administers the server, never by a migration.

``owner`` owns the tables and migrates; ``ledger`` owns the books and their functions and can't sign in; ``web`` serves.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from exchange.config import LEDGER_ROLE, OWNER_ROLE, WEB_ROLE


def libpq(url: str) -> str:
    """An address as psycopg itself wants it, from SQLAlchemy's."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def make_roles(superuser: psycopg.Connection, database: str | None = None) -> None:
    """Make the three roles where they are missing; with ``database``, make it too, owned by the owner."""
    superuser.autocommit = True
    for role, can in ((LEDGER_ROLE, "NOLOGIN"), (OWNER_ROLE, "LOGIN"), (WEB_ROLE, "LOGIN")):
        known = superuser.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known is None:
            superuser.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), sql.SQL(can)))
    superuser.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(LEDGER_ROLE), sql.Identifier(OWNER_ROLE)))
    if database is None:
        return
    if superuser.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        superuser.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(database), sql.Identifier(OWNER_ROLE)
            )
        )


def set_password(superuser: psycopg.Connection, role: str, password: str) -> None:
    """Let a role sign in with a password."""
    superuser.autocommit = True
    superuser.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
