"""The form of an organisation's page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms.validators import Optional

from exchange.forms import Form, LongText, Text


class OrganisationForm(Form):
    """What an organisation says of itself, to everybody."""

    about = LongText(_("Présentation"), validators=[Optional()],
                     description=_("Ce que fait votre structure, pour qui, où."))  # fmt: skip
    contact = Text(
        _("Contact"), most=254, validators=[Optional()],
        description=_("Un téléphone, un courriel ou une adresse, que tout le monde pourra lire."),
    )  # fmt: skip
