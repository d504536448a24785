"""The form of a key."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import SelectField, SelectMultipleField
from wtforms.validators import DataRequired, Optional

from exchange.forms import KeyedForm, Text


class KeyForm(KeyedForm):
    """What is written on it, and what it opens."""

    label = Text(
        _("Nom ou numéro"), most=80, validators=[DataRequired(_("Donnez-lui un nom ou un numéro."))],
        description=_("Ce qui est écrit dessus. Par exemple : Badge 12, ou Salle des fêtes B."),
    )  # fmt: skip
    place = SelectField(_("Le lieu qu’elle ouvre en entier"), choices=[], validators=[Optional()])
    opens = SelectMultipleField(_("Ou seulement ces salles"), choices=[], validators=[Optional()])
    note = Text(
        _("Remarque"), validators=[Optional()], description=_("Par exemple : portail du fond, à tourner deux fois.")
    )
