"""The forms of lending: look for something free, ask for it, answer a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional, StopValidation, ValidationError

from exchange.bookings.rhythm import Rhythm
from exchange.catalogue.policy import slots_of
from exchange.catalogue.queries import ResourceView
from exchange.euros import Euros
from exchange.formats import clock_hour
from exchange.forms import DAYS, DayField, Days, DurationField, Form, HourField, KeyedForm, LongText, Text, Whole
from exchange.sentences import GROUNDS

F = TypeVar("F", bound="AskForm")
MANY = NumberRange(1, 100_000, _("Écrivez un nombre entre 1 et 100 000."))


class SearchForm(Form):
    """What is free, when, for how many."""

    class Meta:
        csrf = False  # it is a GET: nothing is written

    q = Text(_("Quoi ?"), most=100, validators=[Optional()])
    day = DayField(_("Quel jour ?"), validators=[Optional()])
    starts = HourField(_("De"), validators=[Optional()])
    ends = HourField(_("À"), validators=[Optional()])
    people = Whole(_("Pour combien de personnes ?"), validators=[Optional(), MANY])
    accessible = BooleanField(_("Accessible en fauteuil roulant"))
    end_day = DayField(_("Jusqu’à quel jour ?"), validators=[Optional()])
    each_day = BooleanField(_("Chaque jour à ces heures, plutôt que sans interruption"))
    things = Text(
        _("Avec quel matériel ?"), most=200, validators=[Optional()],
        description=_("Par exemple : 40 chaises, un vidéoprojecteur."),
    )  # fmt: skip
    near = Text(
        _("Près de quel lieu ?"), most=100, validators=[Optional()],
        description=_("Le nom d’une salle ou d’une rue d’ici."),
    )  # fmt: skip
    most = DurationField(
        _("Pour combien au plus ?"), validators=[Optional()],
        description=_("En minutes de votre compte, par exemple 2 h."),
    )  # fmt: skip

    qui = SelectField(
        _("Au nom de qui ?"), validate_choice=False, choices=[], description=_("Le prix n’est pas le même pour tous."),
    )

    def timed(self) -> bool:
        """Whether more than a day is given: hours, or another day to end on."""
        return bool(self.starts.data or self.ends.data or self.end_day.data)

    def narrowed(self) -> bool:
        """Whether something is asked for besides what most people ask."""
        more = (self.end_day, self.each_day, self.things, self.near, self.most)
        return any(field.data or field.errors for field in more)


class AskForm(KeyedForm):
    """For whom, when, what for."""

    party = SelectField(_("Au nom de qui ?"), validate_choice=False, validators=[InputRequired(_("Choisissez."))])
    day = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    starts = HourField(_("À partir de"), validators=[InputRequired(_("Indiquez l’heure de début."))])
    ends = HourField(_("Jusqu’à"), validators=[InputRequired(_("Indiquez l’heure de fin."))])
    end_day = DayField(_("Jusqu’au jour"), validators=[Optional()])
    people = Whole(_("Combien de personnes ?"), validators=[Optional(), MANY])
    charters = SelectMultipleField(_("Charte"), choices=[], validate_choice=False)
    purpose = Text(_("Pour quoi faire ?"), most=400, validators=[DataRequired(_("Dites en quelques mots pour quoi."))])


BESIDE = "with_"


def beside(it: ResourceView) -> str:
    """The name of the field that asks for something else in the same request."""
    return f"{BESIDE}{it.token}"


class SlotField(SelectField):
    """One of the hours at which slots start, or end, where midnight is 24 h. A single one goes without saying."""

    def __init__(self, label: Any, *, hours: Sequence[time], ends: bool = False, **more: Any) -> None:
        choices = [SelectChoice(f"{at:%H:%M}", clock_hour(at, ends=ends)) for at in dict.fromkeys(hours)]
        super().__init__(label, choices=choices, coerce=_clock, **more)
        self.alone = hours[0] if len(choices) == 1 else None

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as wrong:
            raise ValueError(_("Choisissez une heure de la liste.")) from wrong
        if self.alone:
            self.data = self.alone

    def pre_validate(self, form: Any) -> None:
        """An hour of another slot, or of none."""
        try:
            super().pre_validate(form)
        except ValidationError as wrong:
            raise StopValidation("" if self.process_errors else _("Choisissez une heure de la liste.")) from wrong


def _clock(given: str | time) -> time:
    """The hour of a choice, or of what a form sends."""
    return given if isinstance(given, time) else time.fromisoformat(given)


def ask_form(resource: ResourceView, others: Sequence[ResourceView], kind: type[F]) -> type[F]:
    """The form for one resource and what may come with it: a pool is asked in a quantity, anything else is or isn't."""
    fields: dict[str, Any] = {}
    if resource.kind == "pool":
        fields["quantity"] = Whole(_("Combien ?"), default=1, validators=[InputRequired(_("Dites combien.")), MANY])
    if slots := slots_of(resource.slots):
        fields["starts"] = SlotField(_("À partir de"), hours=[start for start, _end in slots])
        fields["ends"] = SlotField(_("Jusqu’à"), hours=[end for _start, end in slots], ends=True)
    for it in others:
        is_pool = it.kind == "pool"
        fields[beside(it)] = Whole(it.name, validators=[Optional(), MANY]) if is_pool else BooleanField(it.name)
    return type("FormWithThings", (kind,), fields)


class SeriesForm(AskForm):
    """And how it comes back."""

    end_day = None  # type: ignore[assignment]  # so that WTForms leaves the field out: days are one by one
    every = RadioField(
        _("Quand cela revient-il ?"), default="week",
        choices=[
            SelectChoice("week", _("Chaque semaine")), SelectChoice("fortnight", _("Une semaine sur deux")),
            SelectChoice("month", _("Chaque mois, le même jour : par exemple chaque deuxième mardi")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    weekdays = Days(
        _("Quels jours de la semaine ?"),
        description=_("Rien : le même jour que la première fois. Chaque mois, ces cases ne comptent pas."),
    )
    until = DayField(_("Jusqu’à quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    without_school_holidays = BooleanField(_("Pas pendant les vacances scolaires"))
    without_public_holidays = BooleanField(_("Pas les jours fériés"))

    def rhythm(self) -> Rhythm:
        """What was typed, once it is valid."""
        ticked = tuple(sorted(number for number, day in enumerate(DAYS) if day in (self.weekdays.data or ())))
        assert self.day.data is not None
        assert self.until.data is not None
        return Rhythm(self.every.data, self.day.data, self.until.data, ticked)


class DeclineForm(Form):
    """A refusal names its ground."""

    ground = RadioField(
        _("Motif"),
        choices=[SelectChoice(value, label) for value, label in GROUNDS.items()],
        validators=[InputRequired(_("Choisissez le motif."))],
    )
    text = LongText(
        _("Explication pour le demandeur"), validators=[DataRequired(_("Expliquez le refus en quelques mots."))]
    )


class ManyForm(Form):
    """Several requests answered at once, by the button that is pressed: accepted, or declined on one ground."""

    chosen = SelectMultipleField(
        _("Les demandes"), choices=[], validate_choice=False,
        validators=[InputRequired(_("Cochez au moins une demande."))],
    )  # fmt: skip
    verdict = HiddenField()
    ground = RadioField(
        _("Motif"), choices=[SelectChoice(value, label) for value, label in GROUNDS.items()], validate_choice=False
    )
    text = LongText(_("Explication pour les demandeurs"))

    @property
    def declines(self) -> bool:
        """Whether the other button was pressed."""
        return bool(self.verdict.data == "declined")

    def validate_ground(self, field: RadioField) -> None:
        """A refusal names its ground."""
        if self.declines and field.data not in GROUNDS:
            raise ValidationError(_("Choisissez le motif."))

    def validate_text(self, field: LongText) -> None:
        """A refusal is explained."""
        if self.declines and not field.data:
            raise ValidationError(_("Expliquez le refus en quelques mots."))


class OpinionForm(Form):
    """What a step thinks of a request, before the last one decides."""

    favourable = RadioField(
        _("Votre avis"),
        choices=[SelectChoice("yes", _("Favorable")), SelectChoice("no", _("Défavorable"))],
        validators=[InputRequired(_("Choisissez votre avis."))],
    )
    words = LongText(
        _("Quelques mots pour qui décide"), most=1000,
        description=_("Le demandeur ne les lit pas."),
    )  # fmt: skip

    def validate_words(self, field: LongText) -> None:
        """Who is against says why."""
        if self.favourable.data == "no" and not field.data:
            raise StopValidation(_("Dites pourquoi, en quelques mots."))

    def said(self) -> dict[str, Any]:
        """As ``opinions.give`` takes it."""
        return {"favourable": self.favourable.data == "yes", "text": self.words.data or ""}


class RemarksForm(Form):
    """Remarks at a hand-over, a return or a cancellation."""

    remarks = LongText(_("Remarques"), validators=[Optional()])


class ExtensionForm(Form):
    """Until when a loan would last."""

    day = DayField(_("Jusqu’à quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    ends = HourField(_("Jusqu’à quelle heure ?"), validators=[InputRequired(_("Indiquez l’heure de fin."))])
    reason = LongText(_("Un mot pour l’expliquer"), validators=[Optional()])


class NotExtendedForm(Form):
    """Why a loan lasts no longer."""

    text = LongText(
        _("Explication pour le demandeur"), validators=[DataRequired(_("Expliquez le refus en quelques mots."))]
    )


class DamageForm(KeyedForm):
    """What was damaged, and what it would cost in euros."""

    words = LongText(
        _("Qu’est-ce qui est abîmé ou perdu ?"),
        validators=[DataRequired(_("Dites ce qui est abîmé ou perdu."))],
    )
    cents = Euros(
        _("En euros"),
        description=_("La somme se paie ailleurs, au guichet par exemple : ici, elle est seulement notée."),
    )

    @property
    def duration(self) -> int | None:
        """What it would cost in minutes."""
        found: int | None = self["minutes"].data if "minutes" in self else None
        return found

    def validate_cents(self, field: Euros) -> None:
        """One of both, and not both."""
        if (field.data is None) == (self.duration is None) or field.data == 0:
            raise ValidationError(_("Donnez une durée ou une somme en euros, l’une des deux."))


class CountedDamageForm(DamageForm):
    """Or in minutes, between two who have an account in a same community."""

    minutes = DurationField(
        _("En minutes"), validators=[Optional()],
        description=_("Le temps de réparer, par exemple 1h30. La personne doit l’accepter."),
    )  # fmt: skip


class ContestForm(Form):
    """Why somebody doesn't agree."""

    text = LongText(
        _("Pourquoi n’êtes-vous pas d’accord ?"), validators=[DataRequired(_("Dites pourquoi en une phrase."))]
    )


class MediationForm(Form):
    """What becomes of what is contested."""

    outcome = RadioField(
        _("Qu’est-ce qui est décidé ?"),
        choices=[
            SelectChoice("maintained", _("C’est maintenu")), SelectChoice("lowered", _("C’est baissé")),
            SelectChoice("dropped", _("C’est abandonné")),
        ],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    text = LongText(
        _("Pourquoi ? Les deux côtés le liront."), validators=[DataRequired(_("Dites pourquoi en une phrase."))]
    )


class MinutesMediationForm(MediationForm):
    """To how many minutes it is lowered."""

    amount = DurationField(_("À combien de temps ?"), validators=[Optional()], description=_("Si c’est baissé."))


class EurosMediationForm(MediationForm):
    """To how many euros it is lowered."""

    amount = Euros(_("À combien d’euros ?"), description=_("Si c’est baissé."))


CLOSING = {
    "works": _("Travaux"),
    "repair": _("En réparation"),
    "own-use": _("Notre propre usage"),
    "lost": _("Perdu"),
    "other": _("Autre raison"),
}


class ClosingForm(KeyedForm):
    """From when to when something is not lent, and why. Without a last day, until it is lifted."""

    kind = RadioField(
        _("Pourquoi ?"), choices=[SelectChoice(value, label) for value, label in CLOSING.items()],
        validators=[InputRequired(_("Choisissez une réponse."))],
    )  # fmt: skip
    day = DayField(_("À partir de quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    starts = HourField(_("À quelle heure ?"), validators=[Optional()])
    end_day = DayField(
        _("Jusqu’à quel jour ?"), validators=[Optional()],
        description=_("Ce jour compris. Rien : jusqu’à ce que vous le rouvriez."),
    )  # fmt: skip
    ends = HourField(_("Jusqu’à quelle heure ?"), validators=[Optional()])
    reason = Text(
        _("Ce que tout le monde lira"), most=400, validators=[Optional()],
        description=_("Par exemple : réfection du parquet."),
    )  # fmt: skip


class PoolClosingForm(ClosingForm):
    """And how many things of a pool."""

    quantity = Whole(
        _("Combien ?"), validators=[Optional(), MANY],
        description=_("Par exemple les 8 chaises cassées. Laissez vide pour tout le lot."),
    )  # fmt: skip


class OfferForm(KeyedForm):
    """Something else in place of a booking: what, when, and a word for who had it."""

    resource = SelectField(_("Quoi ?"), choices=[], validators=[InputRequired(_("Choisissez."))])
    day = DayField(_("Quel jour ?"), validators=[InputRequired(_("Indiquez le jour."))])
    starts = HourField(_("À partir de"), validators=[InputRequired(_("Indiquez l’heure de début."))])
    ends = HourField(_("Jusqu’à"), validators=[InputRequired(_("Indiquez l’heure de fin."))])
    end_day = DayField(_("Jusqu’au jour"), validators=[Optional()])
    word = LongText(_("Un mot pour l’expliquer"), validators=[DataRequired(_("Dites pourquoi, en quelques mots."))])


class JumpForm(Form):
    """A day of a calendar to go to."""

    class Meta:
        csrf = False  # it is a GET: nothing is written

    jour = DayField(_("Aller au jour"), validators=[Optional()])

    def day_typed(self) -> str | None:
        """The day that was typed, as addresses write it; None for none, or for one that doesn't exist."""
        return self.jour.data.isoformat() if self.jour.data else None


class SheetForm(JumpForm):
    """The week of a lender's rooms: from which day, and of which place."""

    jour = DayField(_("À partir du"), validators=[Optional()])
    lieu = SelectField(_("Où"), validators=[Optional()])
