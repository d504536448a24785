"""The two forms of who begins to lend."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional

from exchange import hours
from exchange.catalogue.policy import WHOLE_DAY
from exchange.forms import WRONG_OPENING, Days, HourField, KeyedForm, LongText, PhotoField, Text, Whole, say

DAY = 1440  # minutes


class ThingForm(KeyedForm):
    """What somebody lends."""

    lender = RadioField(_("Qui prête ?"), validators=[InputRequired(_("Choisissez une réponse."))])
    name = Text(
        _("Qu’est-ce que c’est ?"), most=200, validators=[DataRequired(_("Dites ce que vous prêtez."))],
        description=_("Par exemple : perceuse, échelle de 3 mètres, tables de jardin."),
    )  # fmt: skip
    kind = RadioField(
        _("Combien y en a-t-il ?"), default="thing",
        choices=[SelectChoice("thing", _("Un seul objet")), SelectChoice("pool", _("Plusieurs pareils"))],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    quantity = Whole(
        _("Combien, s’il y en a plusieurs ?"),
        validators=[Optional(), NumberRange(1, 100_000, _("Écrivez un nombre, par exemple 12."))],
    )
    description = LongText(
        _("Description"), most=4000, validators=[Optional()],
        description=_("La taille, l’état, ce qui va avec. Quelques mots suffisent."),
    )  # fmt: skip
    file = PhotoField(_("Photo"))
    words = Text(
        _("Ce qu’on voit sur la photo"), most=200, validators=[Optional()],
        description=_("Pour qui ne voit pas la photo. Rien : le nom de ce que vous prêtez."),
    )  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        """Several are counted."""
        valid = super().validate(extra_validators)
        if self.kind.data == "pool" and self.quantity.data is None and not self.quantity.errors:
            say(self.quantity, str(_("Indiquez combien il y en a.")))
            return False
        return bool(valid)


class TermsForm(KeyedForm):
    """On which conditions, when and where."""

    when = RadioField(
        _("Quand peut-on vous l’emprunter ?"), default="free",
        choices=[
            SelectChoice("free", _("N’importe quel jour, à l’heure que l’on veut")),
            SelectChoice("day", _("À la journée entière")),
            SelectChoice("hours", _("Certains jours, entre deux heures")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    hours_days = Days(_("Quels jours ?"))
    hours_from = HourField(_("De"), validators=[Optional()])
    hours_to = HourField(_("À"), validators=[Optional()])
    most_minutes = SelectField(
        _("Pour combien de temps, au plus ?"), coerce=int, default=0,
        choices=[
            SelectChoice(0, _("Un mois, comme pour tout")), SelectChoice(DAY, _("Un jour")),
            SelectChoice(2 * DAY, _("Deux jours")), SelectChoice(7 * DAY, _("Une semaine")),
            SelectChoice(14 * DAY, _("Deux semaines")),
        ],
    )  # fmt: skip
    conditions = LongText(
        _("Vos conditions"), most=4000, validators=[Optional()],
        description=_("Par exemple : à rendre propre, les forets ne sont pas fournis. Tout le monde les lira."),
    )  # fmt: skip
    decided_by = RadioField(
        _("Qui répond aux demandes ?"), default="officer",
        choices=[
            SelectChoice("officer", _("Je réponds à chaque demande")),
            SelectChoice("nobody", _("Une demande possible est acceptée aussitôt")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    address = Text(
        _("Où vient-on le chercher ?"), most=300,
        validators=[DataRequired(_("Dites où l’on vient le chercher."))],
    )  # fmt: skip
    town = Text(_("Commune"), most=100, validators=[DataRequired(_("Indiquez la commune."))])
    open_hours = ""  # in the syntax of the catalogue, once the form is valid

    def validate(self, extra_validators: Any = None) -> bool:
        """Certain hours are those of certain days."""
        valid = super().validate(extra_validators)
        if self.when.data != "hours" or any(field.errors for field in (self.hours_from, self.hours_to)):
            return bool(valid)
        try:
            found = hours.opening(self.hours_days.data or (), [(self.hours_from.data, self.hours_to.data)])
            if found is None:
                raise hours.NotAnOpening("days-missing")
        except hours.NotAnOpening as wrong:
            name, said = WRONG_OPENING[wrong.why]
            say(self[f"hours_{name}"], str(said))
            return False
        self.open_hours = hours.written(hours.Week((found,)))
        return bool(valid)

    @property
    def facts(self) -> dict[str, Any]:
        """What a valid form says, as the catalogue keeps it."""
        return {
            "conditions": self.conditions.data or "", "decided_by": self.decided_by.data,
            "opening_hours": self.open_hours, "slots": WHOLE_DAY if self.when.data == "day" else "",
            "most_minutes": self.most_minutes.data or None,
        }  # fmt: skip
