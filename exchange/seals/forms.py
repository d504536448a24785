"""The form that takes the whole books away, and the one that says who may."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired

from exchange.forms import DayField, Form, KeyedForm, Text


class ExportForm(Form):
    """Nothing to fill in: it only has to come from our page."""


class OpeningForm(KeyedForm):
    """What the assembly decided."""

    whom = RadioField(
        _("Qui peut prendre tout le livre ?"),
        choices=[
            SelectChoice("offices", _("Les vérificateurs et l’administration seulement")),
            SelectChoice("members", _("Tous les membres")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )
    decided_on = DayField(_("Jour de l’assemblée"), validators=[InputRequired(_("Indiquez le jour de l’assemblée."))])
    decision = Text(
        _("Quelle décision ?"), description=_("Par exemple : résolution 4, votée à l’unanimité."), most=200,
        validators=[DataRequired(_("Dites quelle décision."))],
    )  # fmt: skip
