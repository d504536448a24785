"""The form of an authorisation."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms.validators import DataRequired, Optional

from exchange.forms import DayField, KeyedForm, Text


class AuthorisationForm(KeyedForm):
    """Who, until when."""

    who = Text(
        _("Qui ?"), most=200, validators=[DataRequired(_("Dites qui."))],
        description=_("Le nom d’utilisateur de la personne, ou son nom entier ; le nom entier d’une structure."),
    )  # fmt: skip
    until = DayField(
        _("Jusqu’à quel jour ?"), validators=[Optional()], description=_("Ce jour compris. Rien : sans limite."),
    )  # fmt: skip
