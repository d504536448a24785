"""The forms of reports: which period, what of it; and a rate that the council voted."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Optional, ValidationError

from exchange.euros import Euros
from exchange.forms import DayField, Form, KeyedForm, Text
from exchange.reports.policy import FIRST_YEAR, LAST_YEAR, LONGEST
from exchange.sentences import GROUNDS

PERS = {"hour": _("par heure"), "half-day": _("par demi-journée"), "day": _("par jour")}


class PeriodForm(Form):
    """From a day to another, both included."""

    class Meta:
        csrf = False  # it is a GET: nothing is written

    du = DayField(_("Du"), validators=[InputRequired(_("Indiquez le premier jour."))])
    au = DayField(_("Au"), validators=[InputRequired(_("Indiquez le dernier jour."))])

    def validate_du(self, field: Any) -> None:
        """A day of a year that the territory may have lived."""
        if field.data is not None and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
            raise ValidationError(_("Écrivez une date qui existe, par exemple 14/11/2026."))

    def validate_au(self, field: Any) -> None:
        """Not before the first day, nor too long after it."""
        if field.data is None or self.du.data is None:
            return
        if field.data < self.du.data:
            raise ValidationError(_("Le dernier jour vient après le premier."))
        if field.data - self.du.data > LONGEST:
            raise ValidationError(_("Choisissez cinq ans au plus."))


class LogForm(PeriodForm):
    """What was refused: when, of what, on which ground."""

    quoi = SelectField(_("De quoi ?"), validators=[Optional()])
    motif = SelectField(
        _("Pour quel motif ?"), validators=[Optional()],
        choices=[SelectChoice("", _("Tous les motifs")), *(SelectChoice(*pair) for pair in GROUNDS.items())],
    )  # fmt: skip


class RateForm(KeyedForm):
    """What the council voted."""

    on = SelectField(_("Sur quoi ?"), validate_choice=False)
    cents = Euros(
        _("Combien d’euros ?"), validators=[InputRequired(_("Écrivez une somme en euros, 0 si elle ne vaut rien."))],
        description=_("Pour une salle, un objet ou une pièce d’un lot."),
    )  # fmt: skip
    per = RadioField(
        _("Comptés"), choices=[SelectChoice(*pair) for pair in PERS.items()], default="half-day",
        validators=[InputRequired(_("Choisissez comment la valeur se compte."))],
    )  # fmt: skip
    starts_on = DayField(_("Pour les prêts à partir du"), validators=[InputRequired(_("Indiquez le premier jour."))])
    decision = Text(
        _("Numéro de la délibération"), most=80, validators=[DataRequired(_("Indiquez le numéro de la délibération."))]
    )
    decided_on = DayField(
        _("Date de la délibération"), validators=[InputRequired(_("Indiquez la date de la délibération."))]
    )
