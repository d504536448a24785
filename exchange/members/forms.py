"""Forms about people."""

from __future__ import annotations

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Optional, StopValidation
from wtforms.widgets import EmailInput, TelInput

from exchange.errors import ContactMissing
from exchange.formats import elided
from exchange.forms import Form, KeyedForm, LongText, Text

LIFETIMES = {30: _("30 jours"), 90: _("3 mois"), 365: _("un an")}


class Reachable:
    """An e-mail address that could exist; nobody is asked whether it does."""

    def __call__(self, _form: Any, field: Any) -> None:
        try:
            field.data = validate_email(field.data, check_deliverability=False).normalized
        except EmailNotValidError as wrong:
            raise StopValidation(
                gettext("Cette adresse ne ressemble pas à un courriel. Écrivez par exemple alice@exemple.fr.")
            ) from wrong


class Dialled:
    """A telephone number: figures, with the signs that people put between them."""

    def __call__(self, _form: Any, field: Any) -> None:
        if not re.fullmatch(r"\+?[0-9 .()\-\u00a0]+", field.data) or not 6 <= sum(map(str.isdigit, field.data)) <= 15:
            raise StopValidation(gettext("Ce numéro ne se compose pas. Écrivez par exemple 02 99 00 00 00."))


class Email(Text):
    """An e-mail address."""

    widget = EmailInput()

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, most=254, validators=[Optional(), Reachable()], **more)


class Phone(Text):
    """A telephone number."""

    widget = TelInput()

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, most=40, validators=[Optional(), Dialled()], **more)


class JoinForm(KeyedForm):
    """Somebody asks to join."""

    community = RadioField(
        _("Quel groupe ?"), choices=[], validators=[DataRequired(_("Choisissez un groupe."))],
    )  # fmt: skip
    name = Text(_("Votre nom"), validators=[DataRequired(_("Écrivez votre nom."))],
                description=_("Votre prénom et votre nom, comme vos voisins vous connaissent."))  # fmt: skip
    email = Email(_("Votre courriel"), description=_("Pour recevoir la réponse, puis pour vous connecter."))
    phone = Phone(_("Votre téléphone"), description=_("Si vous n’avez pas de courriel, nous vous appellerons."))
    message = LongText(_("Un mot pour vous présenter"), validators=[Optional()])

    def validate(self, extra_validators: Any = None) -> bool:
        """Say at once everything that is wrong, that nobody could answer included."""
        valid = bool(super().validate(extra_validators))
        if not self.email.data and not self.phone.data:
            self.refuse(ContactMissing())
            return False
        return valid


class DeclineForm(Form):
    """Why an application is declined."""

    reason = LongText(
        _("Pourquoi ?"),
        validators=[DataRequired(_("Dites pourquoi : cette personne lira votre raison."))],
    )


class ProfileForm(Form):
    """What somebody says of themselves, and field by field, whether the other members see it."""

    about = LongText(_("Quelques mots sur vous"), validators=[Optional()],
                     description=_("Ce que vous aimez faire, ce que vous pouvez offrir."))  # fmt: skip
    about_shown = BooleanField(_("Visible des autres membres"))
    area = Text(_("Votre quartier ou votre village"), validators=[Optional()],
                description=_("Jamais d’adresse : un quartier, un lieu-dit."))  # fmt: skip
    area_shown = BooleanField(_("Visible des autres membres"))
    phone = Phone(_("Votre téléphone"))
    phone_shown = BooleanField(_("Visible des autres membres"))
    email = Email(_("Votre courriel"))
    email_shown = BooleanField(_("Visible des autres membres"))

    def ask_of(self, name: str) -> None:
        """Ask about somebody who is served at the counter, by their name."""
        self.about.label.text = gettext("Quelques mots sur %(name)s", name=name)
        self.about.description = gettext("Ce que cette personne aime faire, ce qu’elle peut offrir.")
        self.area.label.text = elided("Quartier ou village de %(name)s", name=name)
        self.phone.label.text = elided("Téléphone de %(name)s", name=name)
        self.email.label.text = elided("Courriel de %(name)s", name=name)


class LanguageForm(Form):
    """The language of pages and letters."""

    language = RadioField(_("Langue de vos pages et de vos courriels"), choices=[],
                          validators=[DataRequired(_("Choisissez une langue."))])  # fmt: skip


class AccessTokenForm(KeyedForm):
    """A key for a program."""

    name = Text(_("À quoi servira cette clé ?"), most=80, validators=[DataRequired(_("Donnez-lui un nom."))],
                description=_("Par exemple : mon tableur, le site de l’association."))  # fmt: skip
    days = SelectField(
        _("Valable pendant"), coerce=int, default=90,
        choices=[SelectChoice(days, label) for days, label in LIFETIMES.items()],
    )  # fmt: skip
