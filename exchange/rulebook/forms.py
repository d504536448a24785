"""The forms of a rule: a tariff, or a gate."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Optional

from exchange.euros import Euros
from exchange.forms import DayField, KeyedForm, Text, Whole

CLASSES = {
    "": _("Tout le monde"),
    "town": _("La ville"),
    "local-association": _("Les associations d’ici"),
    "inhabitant": _("Les habitants"),
    "firm": _("Les entreprises"),
    "outside": _("Ceux d’ailleurs"),
}
PERS = {
    "hour": _("par heure"),
    "half-day": _("par demi-journée"),
    "day": _("par jour"),
    "item": _("par objet"),
    "flat": _("au forfait"),
}
GATES = {
    "nothing-overdue": _("N’avoir aucun prêt en retard"),
    "balance": _("Avoir un solde d’au moins…"),
}


class RuleForm(KeyedForm):
    """What binds: which resources, whom, from when, until when."""

    title = Text(_("Nom de la règle"), most=200, validators=[DataRequired(_("Donnez un nom à la règle."))])
    on = SelectField(_("Sur quoi ?"), validate_choice=False)
    class_ = SelectField(_("Pour qui ?"), choices=[SelectChoice(value, label) for value, label in CLASSES.items()])
    starts_on = DayField(_("À partir du"), validators=[InputRequired(_("Indiquez le premier jour."))])
    ends_on = DayField(_("Jusqu’au"), validators=[Optional()])


class TariffForm(RuleForm):
    """A price in minutes; zero is a price too."""

    minutes = Whole(
        _("Combien de minutes ?"), validators=[InputRequired(_("Écrivez un nombre de minutes, 0 si c’est gratuit."))]
    )
    per = RadioField(
        _("Comptées"), choices=[SelectChoice(value, label) for value, label in PERS.items()], default="hour"
    )
    decision_number = Text(_("Numéro de la délibération"), most=80, validators=[Optional()])
    decision_date = DayField(_("Date de la délibération"), validators=[Optional()])


class EuroForm(RuleForm):
    """A sum in euros, which this service records and never takes."""

    cents = Euros(_("Combien d’euros ?"), validators=[InputRequired(_("Écrivez une somme, 0 si rien n’est demandé."))])
    first = BooleanField(_("À recevoir avant la remise : sans cela, elle ne se note pas"))
    decision_number = Text(_("Numéro de la délibération"), most=80, validators=[Optional()])
    decision_date = DayField(_("Date de la délibération"), validators=[Optional()])


class EuroTariffForm(EuroForm):
    """A price in euros."""

    per = RadioField(
        _("Comptés"), choices=[SelectChoice(value, label) for value, label in PERS.items()], default="flat"
    )


class DepositForm(EuroForm):
    """What is given back after the loan."""


class GateForm(RuleForm):
    """A condition to meet."""

    gate = RadioField(
        _("Condition"), choices=[SelectChoice(value, label) for value, label in GATES.items()],
        validators=[InputRequired(_("Choisissez la condition."))],
    )  # fmt: skip
    least_balance = Whole(_("Solde minimal, en minutes"), validators=[Optional()])


class EndForm(KeyedForm):
    """The last day of a rule."""

    ends_on = DayField(_("Dernier jour"), validators=[InputRequired(_("Indiquez le dernier jour."))])
