"""The forms of an agreement: its template, what the office adds, and the word of who accepts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional

from exchange.agreements.operations import Wording
from exchange.blocks import LARGEST
from exchange.euros import MOST_CENTS, Euros
from exchange.forms import DayField, Form, KeyedForm, LongText, Text

COVERS = {
    "all": _("Tous nos prêts"),
    "chosen": _("Seulement les prêts de ce qui est coché plus bas"),
    "none": _("Plus aucun prêt : ce modèle ne sert plus"),
}
FIRST = {
    "lender": _("Le prêteur, puis le demandeur"),
    "borrower": _("Le demandeur, puis le prêteur"),
}


class TemplateForm(KeyedForm):
    """What an agreement says, for which loans, and in which order it is accepted."""

    title = Text(_("Titre de la convention"), most=200, validators=[DataRequired(_("Donnez un titre."))])
    text = LongText(
        _("Texte"), most=LARGEST, validators=[DataRequired(_("Écrivez le texte de la convention."))],
        description=_(
            "Une ligne vide sépare deux paragraphes. « # » devant une ligne en fait un titre, « ## » un sous-titre,"
            " « - » un point de liste. Un champ s’écrit entre accolades, comme {demandeur}."
        ),
        render_kw={"rows": 18},
    )  # fmt: skip
    covers = RadioField(
        _("Pour quels prêts ?"), choices=[SelectChoice(*pair) for pair in COVERS.items()], default="all",
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    resources = SelectMultipleField(_("De quoi ?"), choices=[], validate_choice=False)
    first = RadioField(
        _("Qui accepte en premier ?"), choices=[SelectChoice(*pair) for pair in FIRST.items()], default="lender",
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    automatic = BooleanField(_("Faire la convention toute seule, dès qu’une réservation est acceptée"))
    booking = SelectField(_("Voir ce qu’elle donnerait pour quel prêt ?"), choices=[], validate_choice=False)
    version = HiddenField()  # the number that was read, so that a colleague's words are not lost

    def wording(self, resources: dict[str, int]) -> Wording:
        """What was typed; ``resources`` are the lender's, by their random identifiers."""
        ticked = [resources[token] for token in self.resources.data or () if token in resources]
        return Wording(self.title.data or "", self.text.data or "", self.covers.data, ticked, self.first.data,
                       bool(self.automatic.data))  # fmt: skip


class MakingForm(KeyedForm):
    """What the office knows besides the request."""

    insurance = Text(
        _("Assurance du demandeur"), most=200, validators=[Optional()],
        description=_("La compagnie et le numéro du contrat. Rien : « attestation à remettre avant le prêt »."),
    )  # fmt: skip


class AcceptForm(Form):
    """Somebody has read it, and accepts."""

    digest = HiddenField()
    read = BooleanField(_("J’ai lu cette convention en entier"), validators=[
        DataRequired(_("Cochez la case quand vous avez lu la convention."))])  # fmt: skip


class PaperForm(Form):
    """The borrower signed on paper: who, and when."""

    name = Text(_("Qui a signé ?"), most=200, validators=[DataRequired(_("Écrivez le nom de qui a signé."))])
    signed_on = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])


KINDS = {"deposit": _("Caution"), "fee": _("Redevance")}
MEANS = {"cheque": _("Chèque"), "cash": _("Espèces"), "transfer": _("Virement")}
OUTCOMES = {"returned": _("Rendu à l’emprunteur"), "kept": _("Gardé")}
SOME = NumberRange(1, MOST_CENTS, _("Écrivez une somme plus grande que zéro."))


class ReceiptForm(KeyedForm):
    """A sum that the office received."""

    kind = RadioField(
        _("Pour quoi ?"), choices=[SelectChoice(*pair) for pair in KINDS.items()],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    cents = Euros(_("Combien d’euros ?"), validators=[InputRequired(_("Écrivez la somme.")), SOME])
    means = RadioField(
        _("Comment ?"), choices=[SelectChoice(*pair) for pair in MEANS.items()], default="cheque",
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    reference = Text(
        _("Numéro"), most=80, validators=[Optional()],
        description=_("Du chèque, du virement, ou du reçu de votre régie."),
    )  # fmt: skip
    received_on = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])


class EndForm(KeyedForm):
    """What became of it."""

    outcome = RadioField(
        _("Qu’en est-il ?"), choices=[SelectChoice(*pair) for pair in OUTCOMES.items()],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    cents = Euros(_("Combien d’euros ?"), validators=[InputRequired(_("Écrivez la somme.")), SOME])
    ended_on = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    reason = Text(_("Pourquoi, si vous en gardez"), most=400, validators=[Optional()])
