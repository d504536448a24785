"""What every migration needs: run SQL, install a function from its file, grant to the roles of this install."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import op

SQL = Path(__file__).parent / "sql"
WEB = os.environ.get("MARRONNIER_WEB_ROLE", "marronnier_web")
LEDGER = os.environ.get("MARRONNIER_LEDGER_ROLE", "marronnier_ledger")


def run(sql: str) -> None:
    """Execute several statements; percent signs and colons are taken as they are."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(sql)
    cursor.close()


def grant(rights: str, *tables: str) -> None:
    """Let the web role do ``rights`` ("SELECT, INSERT"...) on these tables, and nothing else."""
    for table in tables:
        run(f'GRANT {rights} ON {table} TO "{WEB}"')


def install(name: str, version: int) -> None:
    """Create or replace a function of the books from ``migrations/sql/<name>.v<version>.sql``."""
    run((SQL / f"{name}.v{version}.sql").read_text(encoding="utf-8"))
