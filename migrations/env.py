"""How Alembic runs here: as the owner of the tables, one transaction for each migration."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out what the job queue keeps for itself."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def described(_object: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """An index that only the database knows (a GiST, an expression) is written in the migrations alone."""
    return not (kind == "index" and reflected and compare_to is None and not (name or "").endswith("_key"))


def migrate() -> None:
    url = current_app.config["OWNER_URL"]
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["migrate"].db.metadata,
            transaction_per_migration=True,
            include_schemas=True,
            include_name=ours,
            include_object=described,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate()
