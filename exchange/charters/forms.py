"""The form of a charter."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.validators import DataRequired

from exchange.blocks import LARGEST
from exchange.forms import KeyedForm, LongText, Text


class CharterForm(KeyedForm):
    """What is asked to be accepted, and where."""

    place = SelectField(_("Pour quel lieu ?"), choices=[], validate_choice=False)
    title = Text(_("Titre de la charte"), most=200, validators=[DataRequired(_("Donnez un titre."))])
    text = LongText(
        _("Texte"), most=LARGEST, validators=[DataRequired(_("Écrivez le texte de la charte."))],
        description=_(
            "Une ligne vide sépare deux paragraphes. « # » devant une ligne en fait un titre, « ## » un sous-titre,"
            " « - » un point de liste."
        ),
        render_kw={"rows": 14},
    )  # fmt: skip
    asked = BooleanField(_("Demander de l’accepter avant toute demande"), default=True)
    version = HiddenField()  # the number that was read, so that a colleague's words are not lost
