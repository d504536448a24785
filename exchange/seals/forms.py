"""The form that takes the whole books away."""

from __future__ import annotations

from exchange.forms import Form


class ExportForm(Form):
    """Nothing to fill in: it only has to come from our page."""
