"""The form of a sheet of labels."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, ValidationError

from exchange.forms import Form, Whole
from exchange.labels.policy import SHEETS

SIZES = {
    "21": _("21 étiquettes de 63,5 × 38,1 mm"),
    "24": _("24 étiquettes de 70 × 37 mm"),
    "8": _("8 étiquettes de 99,1 × 67,7 mm"),
}


class SheetForm(Form):
    """Labels of what, on which sheet, from which label on."""

    class Meta:
        csrf = False  # it is a GET: nothing is written

    what = SelectField(_("Pour quoi ?"))
    sheet = RadioField(
        _("Quelle planche ?"), choices=[SelectChoice(*pair) for pair in SIZES.items()], default="21",
        validators=[InputRequired(_("Choisissez une planche."))],
    )  # fmt: skip
    copies = Whole(
        _("Combien de chacune ?"), default=1,
        validators=[InputRequired(_("Indiquez combien.")), NumberRange(1, 100)],
    )  # fmt: skip
    first = Whole(
        _("À partir de quelle étiquette ?"), default=1,
        description=_("1 sur une planche neuve. Sur une planche entamée, comptez de gauche à droite, ligne par ligne."),
        validators=[InputRequired(_("Indiquez laquelle."))],
    )  # fmt: skip

    def validate_first(self, field: Any) -> None:
        """A label that the sheet has."""
        most = SHEETS[self.sheet.data].labels if self.sheet.data in SHEETS else 1
        if field.data is not None and not 1 <= field.data <= most:
            raise ValidationError(_("Cette planche a %(most)d étiquettes.", most=most))
