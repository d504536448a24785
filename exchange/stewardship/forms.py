"""Forms of stewardship: each says why."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional

from exchange.forms import DayField, DurationField, KeyedForm, LongText

MOST = 1_000_000  # minutes
REASON = DataRequired(_("Dites pourquoi : cette raison reste dans les comptes."))
OUT_OF_BOUNDS = _("Écrivez un nombre entier de minutes, de 0 à 1 000 000, ou rien.")
KINDS = {"person": _("Membre"), "organisation": _("Structure"), "authority": _("Collectivité")}


class Bound(IntegerField):
    """A number of minutes from zero, or nothing for no limit."""

    def __init__(self, label: object, **more: object) -> None:
        super().__init__(label, validators=[Optional(), NumberRange(0, MOST, message=OUT_OF_BOUNDS)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(["".join(text.split()) for text in valuelist[:1]])
        except ValueError as wrong:
            raise ValueError(OUT_OF_BOUNDS) from wrong


class ReasonForm(KeyedForm):
    """Why something is put right, or closed."""

    reason = LongText(_("Pourquoi ?"), most=400, validators=[REASON])


class MonthForm(KeyedForm):
    """Which month is closed: the page shows one."""

    month = HiddenField(validators=[InputRequired()])


class LevyForm(ReasonForm):
    """The same minutes for many, at once."""

    kind = RadioField(
        _("Que voulez-vous écrire ?"),
        choices=[
            SelectChoice("dues", _("Une cotisation : chacun donne au compte commun")),
            SelectChoice("opening", _("Un crédit d’ouverture : chacun reçoit du compte commun")),
            SelectChoice("work", _("Une journée d’entraide : chacun de ceux qui ont aidé reçoit du compte commun")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )
    whom = RadioField(
        _("Pour qui ?"),
        choices=[
            SelectChoice("person", _("Tous les membres")),
            SelectChoice("organisation", _("Toutes les structures")),
            SelectChoice("everybody", _("Les membres et les structures")),
            SelectChoice("chosen", _("Seulement ceux que je coche plus bas")),
        ],
        default="person",
        validators=[InputRequired(_("Choisissez une réponse."))],
    )
    people = SelectMultipleField(_("Ceux que je coche"))
    minutes = DurationField(
        _("Combien de temps chacun ?"), validators=[InputRequired(_("Écrivez une durée, par exemple 1h30 ou 45 min."))]
    )
    leave_out = BooleanField(_("Laisser de côté les comptes qui ne peuvent pas donner autant"))


class LimitsForm(ReasonForm):
    """How far below and above zero a balance may go."""

    floor = Bound(_("Jusqu’à combien de minutes sous zéro ?"))
    ceiling = Bound(_("À partir de combien de minutes prévenir ?"))


class DefaultForm(LimitsForm):
    """The limits of every account of a kind."""

    kind = RadioField(
        _("Pour quels comptes ?"),
        choices=[SelectChoice(value, label) for value, label in KINDS.items()],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )


class ExceptionForm(LimitsForm):
    """The limits of one account, for a time."""

    until = DayField(_("Jusqu’à quel jour compris ?"), validators=[InputRequired(_("Indiquez le dernier jour."))])


class OpeningForm(KeyedForm):
    """Whose account is opened."""

    party = SelectField(
        _("Pour qui ?"), validate_choice=False, validators=[InputRequired(_("Choisissez dans la liste."))]
    )
    kind = RadioField(
        _("Quel genre de compte ?"),
        choices=[SelectChoice(value, label) for value, label in KINDS.items()],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )
