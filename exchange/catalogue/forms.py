"""Forms of what an office lends."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Optional, StopValidation, ValidationError
from wtforms.widgets import TextInput

from exchange import hours
from exchange.forms import Form, KeyedForm, LongText, Text
from exchange.security import territory

MOST = 100_000

ERP_CATEGORIES = {
    "": lazy_gettext("Je ne sais pas"),
    "I": lazy_gettext("1re catégorie : plus de 1 500 personnes"),
    "II": lazy_gettext("2e catégorie : 701 à 1 500 personnes"),
    "III": lazy_gettext("3e catégorie : 301 à 700 personnes"),
    "IV": lazy_gettext("4e catégorie : jusqu’à 300 personnes"),
    "V": lazy_gettext("5e catégorie : sans chiffre dans la loi"),
}
ACCESS = {
    "unknown": lazy_gettext("Je ne sais pas"),
    "accessible": lazy_gettext("Conforme : on y entre et on y circule en fauteuil roulant"),
    "works-needed": lazy_gettext("Pas encore : des travaux sont à prévoir"),
}
NEW_PLACE = "nouveau"


class NotWholeError(ValueError):
    """A text that is no whole number between 1 and MOST."""


def whole(text: str) -> int | None:
    """A number as people type it, "1 200" included; None for nothing. Raises NotWholeError."""
    bare = "".join(text.split())
    if not bare:
        return None
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 9 and 1 <= int(bare) <= MOST):
        raise NotWholeError
    return int(bare)


def wrong_number() -> str:
    """What to say of a number that isn't one."""
    return str(_("Écrivez un nombre entier entre 1 et 100 000, par exemple 60."))


class Number(Field):
    """A whole number of people or of things; what was typed is shown again when it is none."""

    widget = TextInput()
    typed: str | None = None

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed, self.data = (valuelist[0] if valuelist else ""), None
        try:
            self.data = whole(self.typed)
        except NotWholeError as wrong:
            raise ValueError(wrong_number()) from wrong

    def pre_validate(self, _form: Any) -> None:
        """What wasn't understood is said once."""
        if self.process_errors:
            raise StopValidation


class Choice(SelectField):
    """One of a list; a value that isn't in it is refused in our words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None  # in no list: refused below

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except ValidationError as wrong:
            raise ValidationError(_("Choisissez une réponse dans la liste.")) from wrong


class Hours(Text):
    """Opening hours in the OpenStreetMap syntax."""

    def post_validate(self, _form: Any, _stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            hours.parse(self.data, territory().zone)
        except hours.NotHours as wrong:
            raise ValidationError(
                _(
                    "Ces heures ne sont pas comprises à partir du signe %(position)s. Écrivez par exemple"
                    " Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00.",
                    position=wrong.position,
                )
            ) from wrong


class PlaceFields:
    """A building: where it is, how many people the law allows in it, who can come in."""

    place_name = Text(lazy_gettext("Nom du bâtiment ou du lieu"), most=200, validators=[Optional()])
    address = Text(lazy_gettext("Adresse"), most=300, validators=[Optional()])
    postcode = Text(lazy_gettext("Code postal"), most=10, validators=[Optional()])
    town = Text(lazy_gettext("Commune"), most=100, validators=[Optional()])
    erp_category = Choice(
        lazy_gettext("Catégorie de sécurité du bâtiment"),
        choices=[SelectChoice(value, label) for value, label in ERP_CATEGORIES.items()], default="",
        description=lazy_gettext("Elle est écrite sur l’avis de la commission de sécurité."),
    )  # fmt: skip
    access = RadioField(
        lazy_gettext("Accessibilité"), choices=[SelectChoice(value, label) for value, label in ACCESS.items()],
        default="unknown", validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip
    access_note = Text(
        lazy_gettext("Précision sur l’accès"), most=300, validators=[Optional()],
        description=lazy_gettext("Par exemple\u00a0: rampe à l’arrière, ascenseur."),
    )  # fmt: skip


class PlaceForm(PlaceFields, Form):
    """A place to correct."""

    place_name = Text(
        lazy_gettext("Nom du bâtiment ou du lieu"), most=200,
        validators=[DataRequired(lazy_gettext("Donnez un nom à ce lieu."))],
    )  # fmt: skip


class ResourceForm(KeyedForm):
    """What rooms, things and pools have in common."""

    name = Text(lazy_gettext("Nom"), most=200, validators=[DataRequired(lazy_gettext("Donnez un nom."))])
    category = Text(
        lazy_gettext("Catégorie"), most=80, validators=[Optional()],
        description=lazy_gettext("Pour ranger et retrouver\u00a0: Salles, Gymnases, Mobilier, Sonorisation…"),
    )  # fmt: skip
    description = LongText(lazy_gettext("Description"), most=4000, validators=[Optional()])
    conditions = LongText(
        lazy_gettext("Conditions du prêt"), most=4000, validators=[Optional()],
        description=lazy_gettext("Ce que l’emprunteur doit savoir avant de demander."),
    )  # fmt: skip
    opening_hours = Hours(
        lazy_gettext("Heures d’ouverture"), most=1000, validators=[Optional()],
        description=lazy_gettext(
            "Laissez vide si c’est toujours ouvert. Sinon, en abrégé anglais\u00a0: Mo-Fr 08:30-22:00; Sa 09:00-18:00."
        ),
    )  # fmt: skip
    buffer_minutes = Choice(
        lazy_gettext("Temps gardé libre après chaque prêt"), coerce=int, default=0,
        choices=[
            SelectChoice(0, lazy_gettext("aucun")), SelectChoice(15, "15 min"), SelectChoice(30, "30 min"),
            SelectChoice(60, "1 h"), SelectChoice(120, "2 h"), SelectChoice(1440, lazy_gettext("un jour")),
        ],
    )  # fmt: skip
    decided_by = RadioField(
        lazy_gettext("Qui répond aux demandes\u00a0?"), default="officer",
        choices=[
            SelectChoice("officer", lazy_gettext("Nous répondons à chaque demande")),
            SelectChoice("nobody", lazy_gettext("Une demande possible est acceptée aussitôt")),
        ],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip
    place = Choice(lazy_gettext("Où est-ce\u00a0?"))


class RoomForm(PlaceFields, ResourceForm):
    """A room; its place is one that is known, or described here."""

    capacity = Number(
        lazy_gettext("Capacité, en personnes"),
        description=lazy_gettext("Nécessaire pour publier la salle. Vous pouvez la donner plus tard."),
    )


class ThingForm(PlaceFields, ResourceForm):
    """A thing lent alone."""


class PoolForm(PlaceFields, ResourceForm):
    """Like things, lent by number."""

    quantity = Number(
        lazy_gettext("Combien y en a-t-il\u00a0?"),
        validators=[InputRequired(lazy_gettext("Indiquez combien il y en a."))],
    )


class PartsForm(Form):
    """The rooms that a hall is made of."""

    parts = SelectMultipleField(lazy_gettext("Elle est faite de"))


FORMS: dict[str, type[ResourceForm]] = {"room": RoomForm, "thing": ThingForm, "pool": PoolForm}
