"""The application, with one route beside it that does what the least of signed-in pages does: one SELECT."""

from __future__ import annotations

import os

from flask_login import current_user
from sqlalchemy import text

from exchange.db import db
from exchange.factory import create_app
from exchange.security import auth_required

# tests forget the settings of an operator; these are the bench's own
os.environ["DATABASE_URL"], os.environ["MARRONNIER_VAR"] = os.environ["BENCH_URL"], os.environ["BENCH_VAR"]
os.environ["MARRONNIER_PASSWORD_SALT"] = os.environ["BENCH_SALT"]  # the cast's passwords were hashed with it
app = create_app()


@app.get("/bench")
@auth_required()
def one_select() -> str:
    """One SELECT for who is signed in."""
    return str(db.session.execute(text("SELECT name FROM parties WHERE id = :id"), {"id": current_user.id}).scalar())
