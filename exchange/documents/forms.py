"""The form of a kind of document."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Optional

from exchange.documents.operations import Wording
from exchange.forms import KeyedForm, LongText, Text

CLASSES = {
    "local-association": _("Les associations d’ici"),
    "inhabitant": _("Les habitants"),
    "firm": _("Les entreprises"),
    "outside": _("Ceux d’ailleurs"),
}


class Suggestion(NamedTuple):
    """A kind that most lenders ask for, in one click."""

    name: Any  # in the language of who reads it
    words: Any
    expires: bool = False
    classes: tuple[str, ...] = ()

    def wording(self) -> Wording:
        """As it is written for a lender, in the language of who asks for it."""
        return Wording(str(self.name), str(self.words), expires=self.expires, classes=self.classes)


SUGGESTIONS = {
    "insurance": Suggestion(
        _("Attestation d’assurance"),
        _("Responsabilité civile, pour ce que vous organisez. Votre assureur l’envoie gratuitement ; la date de fin est"
          " écrite dessus."),
        expires=True,
    ),
    "commitment": Suggestion(
        _("Contrat d’engagement républicain"),
        _("Signé par la personne qui représente l’association."), classes=("local-association",),
    ),
    "statutes": Suggestion(
        _("Statuts de l’association"), _("La dernière version, déposée en préfecture."), classes=("local-association",),
    ),
    "identity": Suggestion(
        _("Justificatif de domicile"), _("De moins de trois mois : une facture d’eau, d’électricité ou de téléphone."),
        classes=("inhabitant",),
    ),
}  # fmt: skip


class KindForm(KeyedForm):
    """What a document is called, and who is asked for it."""

    name = Text(_("Quel document ?"), most=120, validators=[DataRequired(_("Donnez son nom à ce document."))])
    help = LongText(
        _("Comment l’avoir, en quelques mots"), most=1000, validators=[Optional()], render_kw={"rows": 3},
        description=_("Par exemple : votre assureur l’envoie gratuitement, en deux jours."),
    )  # fmt: skip
    expires = BooleanField(
        _("Il a une date de fin"),
        description=_("On la demande avec le document. Elle doit couvrir toute la réservation."),
    )
    verified = BooleanField(
        _("À vérifier par nous"),
        description=_("Il ne compte qu’une fois que vous l’avez regardé. Sinon, il compte dès qu’il est donné."),
    )
    classes = SelectMultipleField(
        _("À qui le demander ?"), choices=[SelectChoice(*pair) for pair in CLASSES.items()], validate_choice=False,
        description=_("Rien de coché : à tout le monde."),
    )  # fmt: skip
    categories = SelectMultipleField(
        _("Pour quelle sorte de prêt ?"), choices=[], validate_choice=False,
        description=_("Rien de coché, ni ici ni plus bas : pour tout ce que nous prêtons."),
    )  # fmt: skip
    resources = SelectMultipleField(_("Pour quoi précisément ?"), choices=[], validate_choice=False)
    asked = BooleanField(_("Le demander à partir de maintenant"), default=True)
    version = HiddenField()  # the number that was read, so that a colleague's words are not lost

    def wording(self, resources: dict[str, int]) -> Wording:
        """What was typed; ``resources`` are the lender's, by their random identifiers."""
        categories = {choice[0] for choice in self.categories.choices or ()}
        return Wording(
            self.name.data or "", self.help.data or "", expires=bool(self.expires.data),
            verified=bool(self.verified.data), classes=[each for each in self.classes.data or () if each in CLASSES],
            categories=[each for each in self.categories.data or () if each in categories],
            resources=[resources[token] for token in self.resources.data or () if token in resources],
            asked=bool(self.asked.data),
        )  # fmt: skip
