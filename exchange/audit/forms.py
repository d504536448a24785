"""What the pages of an audit are narrowed to."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional

from exchange.forms import DayField, Form, Text

KINDS = {
    "exchange": _("Échange"),
    "loan": _("Prêt"),
    "dues": _("Cotisation"),
    "opening": _("Ouverture de compte"),
    "correction": _("Correction"),
    "settlement": _("Solde d’un compte"),
}
ACCOUNT_KINDS = {
    "person": _("Membre"),
    "organisation": _("Structure"),
    "authority": _("Collectivité"),
    "community": _("Communauté"),
    "transit": _("Passage"),
}


class DateForm(Form):
    """The day whose evening is looked at."""

    class Meta:
        csrf = False

    le = DayField(_("Au soir du"), validators=[Optional()])


class EntriesForm(Form):
    """Which entries are shown."""

    class Meta:
        csrf = False

    nature = SelectField(
        _("Nature"),
        choices=[SelectChoice("", _("Toutes")), *(SelectChoice(value, label) for value, label in KINDS.items())],
        validators=[Optional()],
    )
    par = Text(_("Saisies par l’identifiant"), most=60, validators=[Optional()])
    le = DayField(_("Enregistrées le"), validators=[Optional()])
    pour = BooleanField(_("Seulement celles saisies pour quelqu’un d’autre"))
