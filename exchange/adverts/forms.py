"""Forms of adverts and of the relay."""

from __future__ import annotations

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from exchange.formats import elided
from exchange.forms import KeyedForm, LongText, Text

KINDS = {"offer": _("Je propose"), "want": _("Je cherche")}
NATURES = {"service": _("Un service, un coup de main"), "knowledge": _("Un savoir"), "goods": _("Un objet, un bien")}


class AdvertForm(KeyedForm):
    """What somebody offers or looks for."""

    kind = RadioField(
        _("Votre annonce"), choices=[SelectChoice(value, label) for value, label in KINDS.items()],
        validators=[DataRequired(_("Dites si c’est une offre ou une recherche."))],
    )  # fmt: skip
    nature = RadioField(
        _("De quoi s’agit-il ?"), choices=[SelectChoice(value, label) for value, label in NATURES.items()],
        default="service", validators=[DataRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    category = SelectField(_("Catégorie"), choices=[], validators=[DataRequired(_("Choisissez une catégorie."))])
    title = Text(
        _("Titre"), most=120, description=_("En quelques mots : « Taille de haies », « Cours de couture »."),
        validators=[DataRequired(_("Donnez un titre.")), Length(min=3, message=_("3 lettres au moins."))],
    )  # fmt: skip
    text = LongText(_("Précisions"), most=4000, validators=[Optional()],
                    description=_("Quand, où, avec quel outil. N’écrivez pas d’adresse."))  # fmt: skip

    def ask_of(self, name: str) -> None:
        """Ask about somebody who is served at the counter, by their name."""
        self.kind.label.text = elided("Annonce de %(name)s", name=name)
        self.kind.choices = [
            SelectChoice("offer", gettext("%(name)s propose", name=name)),
            SelectChoice("want", gettext("%(name)s cherche", name=name)),
        ]


class CategoryForm(KeyedForm):
    """One more category."""

    name = Text(_("Nouvelle catégorie"), most=80, validators=[DataRequired(_("Écrivez son nom."))])


class MessageForm(KeyedForm):
    """Write about an advert, in the name of one of the parties that one acts for."""

    party = RadioField(_("En quel nom écrivez-vous ?"), choices=[],
                       validators=[DataRequired(_("Choisissez au nom de qui vous écrivez."))])  # fmt: skip
    text = LongText(_("Votre message"), most=4000, validators=[DataRequired(_("Écrivez votre message."))])


class AnswerForm(KeyedForm):
    """Answer in a thread."""

    text = LongText(_("Votre réponse"), most=4000, validators=[DataRequired(_("Écrivez votre réponse."))])
