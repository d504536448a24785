"""Sums in euros, as people type them; they are recorded, never processed."""

from __future__ import annotations

import re

from babel.numbers import get_decimal_symbol
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import Field
from wtforms.widgets import TextInput

MOST_CENTS = 1_000_000_000  # ten million euros
_EUROS = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,2}))?")
_GROUPED = re.compile(r"[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})*(?!\1)[.,][0-9]{2}")  # 1.234,50 or 1,234.50


def cents(text: str) -> int | None:
    """A sum in euros as people type it, "1 234,50 €", in cents; None for nothing. Raises ValueError."""
    bare = re.sub(r"(?:€|EUR|euros?)$", "", "".join(text.split()), flags=re.IGNORECASE)
    if not bare:
        return None
    if grouped := _GROUPED.fullmatch(bare):
        bare = bare.replace(grouped[1], "")
    match = _EUROS.fullmatch(bare)
    if match is None or len(bare) > 20 or (found := int(match[1] + (match[2] or "").ljust(2, "0"))) > MOST_CENTS:
        raise ValueError(_("Écrivez une somme en euros, par exemple 1 234,50."))
    return found


class Euros(Field):
    """A sum typed in euros and kept in cents; what was typed is shown again when it is none."""

    widget = TextInput()
    typed: str | None = None

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        if self.data is None:
            return ""
        point = get_decimal_symbol(get_locale() or "fr")
        return f"{self.data // 100}{point}{self.data % 100:02d}"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed, self.data = (valuelist[0] if valuelist else ""), None
        self.data = cents(self.typed)
