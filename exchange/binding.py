"""What a rule or a rate binds: all that a lender lends, what is of one category, or one resource."""

from __future__ import annotations

from flask_babel import gettext as _

from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import Invalid


def choices(lender: int) -> list[tuple[str, str]]:
    """The choices of a field that says what is bound."""
    session = db.session()
    categories = catalogue.categories(session, lender=lender)
    return [
        ("", _("Tout ce que nous prêtons")),
        *((f"category:{name}", _("Catégorie %(name)s", name=name)) for name in categories if name),
        *((f"resource:{row.token}", row.name) for row in catalogue.of_lender(session, lender).rows),
    ]


def bound(lender: int, on: str) -> tuple[int | None, str | None]:
    """The resource or the category that was chosen; neither for all. Raises Invalid."""
    kind, _colon, name = on.partition(":")
    if kind == "category" and name in catalogue.categories(db.session(), lender=lender):
        return None, name
    if kind == "resource" and (row := catalogue.mine_by_token(db.session(), lender, name)):
        return row.id, None
    if on:
        raise Invalid(field="on", why="unknown")
    return None, None
