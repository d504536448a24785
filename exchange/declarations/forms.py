"""The form of a declared exchange."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.fields.choices import Choice
from wtforms.validators import DataRequired, InputRequired, Optional

from exchange.forms import DayField, DurationField, Form, KeyedForm, LongText, Text

NATURES = {"service": _("Un service"), "knowledge": _("Un savoir"), "goods": _("Un objet, un bien")}


class OtherField(SelectField):
    """Somebody, among the few met lately and then among all: who is in both is chosen once."""

    def iter_groups(self) -> Iterator[tuple[str | None, list[Choice]]]:
        chosen = False
        for label, choices in super().iter_groups():
            once = [choice._replace(selected=choice.selected and not chosen) for choice in choices]
            chosen = chosen or any(choice.selected for choice in once)
            yield label, once


class DeclarationForm(KeyedForm):
    """Who helped whom, how long, when, at what."""

    direction = RadioField(
        _("Que s’est-il passé ?"),
        choices=[SelectChoice("received", _("J’ai été aidé")), SelectChoice("given", _("J’ai aidé"))],
        validators=[InputRequired(_("Dites qui a aidé l’autre."))],
    )
    other = OtherField(
        _("Avec qui ?"), validate_choice=False, validators=[InputRequired(_("Choisissez une personne."))]
    )
    minutes = DurationField(
        _("Combien de temps ?"), validators=[InputRequired(_("Écrivez une durée, par exemple 1h30 ou 45 min."))]
    )
    happened_on = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    nature = RadioField(
        _("Qu’est-ce qui a été échangé ?"),
        choices=[SelectChoice(value, label) for value, label in NATURES.items()],
        default="service",
        validators=[InputRequired(_("Choisissez une réponse."))],
    )
    description = Text(
        _("En quelques mots"), most=400, validators=[DataRequired(_("Dites en quelques mots ce que c’était."))]
    )
    slip = Text(_("Numéro du bon d’échange"), most=40, validators=[Optional()])

    def ask_of(self, name: str) -> None:
        """Ask about somebody who is served at the counter, by their name."""
        self.direction.choices = [
            SelectChoice("received", gettext("%(name)s a reçu de l’aide", name=name)),
            SelectChoice("given", gettext("%(name)s a aidé", name=name)),
        ]


class RefusalForm(Form):
    """Why an exchange isn't recognised."""

    reason = LongText(
        _("Pourquoi ?"), most=400, validators=[DataRequired(_("Dites pourquoi, pour que l’autre personne comprenne."))]
    )
