"""Forms of what an office lends."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional, StopValidation, ValidationError
from wtforms.widgets import TextInput

from exchange import hours
from exchange.catalogue import policy
from exchange.euros import Euros
from exchange.formats import length_of_time
from exchange.forms import (
    DAYS,
    WRONG_OPENING,
    DayField,
    Days,
    DurationField,
    Form,
    HourField,
    KeyedForm,
    LongText,
    Text,
    Whole,
    say,
)
from exchange.security import territory

MOST = 100_000
DAY = 1440  # minutes
MOST_LENT = 31 * DAY
_IN_DAYS = re.compile(r"([0-9]{1,3})[ \u00a0\u202f]?(?:j|jours?|d|days?)")

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


WRONG_SLOTS = {
    "unreadable": lazy_gettext("Écrivez des heures deux à deux, par exemple 8h-13h, 13h-18h."),
    "order": lazy_gettext("Les créneaux se suivent dans la journée, sans se chevaucher."),
}
GROUPS = ("hours", "others")  # some days with their hours, then other days with other hours


def wrong_hours(wrong: hours.NotHours) -> str:
    """What to say of hours that can't be read."""
    if wrong.why == "schools":
        return str(_('Dites de quelle zone sont les vacances scolaires, par exemple SH off "zone B".'))
    return str(_(
        "Ces heures ne sont pas comprises à partir du signe %(position)s. Écrivez par exemple"
        " Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00.",
        position=wrong.position,
    ))  # fmt: skip


class Hours(Text):
    """Opening hours in the OpenStreetMap syntax."""

    def post_validate(self, _form: Any, _stopped: bool) -> None:
        if not self.data or self.errors:
            return
        try:
            hours.check(self.data, territory().zone)
        except hours.NotHours as wrong:
            raise ValidationError(wrong_hours(wrong)) from wrong


class Length(DurationField):
    """How long something is lent, in minutes: typed as a duration, or in days; nothing is None."""

    def _value(self) -> str:
        if self.typed is None and self.data and self.data % DAY == 0:
            return length_of_time(self.data)
        return super()._value()

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.typed, self.data = typed, None
        if days := _IN_DAYS.fullmatch(" ".join(typed.lower().split())):
            self.data = int(days[1]) * DAY
        elif typed:
            super().process_formdata(valuelist)
        if self.data is not None and self.data > MOST_LENT:
            raise ValueError(_("31 jours au plus."))


class PlaceFields:
    """A building: where it is, how many people the law allows in it, who can come in."""

    place_name = Text(lazy_gettext("Nom du bâtiment ou du lieu"), most=200, validators=[Optional()])
    address = Text(lazy_gettext("Adresse"), most=300, validators=[Optional()])
    postcode = Text(lazy_gettext("Code postal"), most=10, validators=[Optional()])
    town = Text(lazy_gettext("Commune"), most=100, validators=[Optional()])
    erp_category = SelectField(
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


class NamedFields:
    """What something is called, and how it is described."""

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
    photo_address = Text(
        lazy_gettext("Adresse de la photo"), most=500, validators=[Optional()],
        description=lazy_gettext("Par exemple\u00a0: https://ville.fr/photos/perceuse.jpg. Vous seuls la lisez."),
    )  # fmt: skip


class LendingForm(KeyedForm):
    """When something is lent, for how long, and who answers."""

    hours_days = Days(lazy_gettext("Jours d’ouverture"))
    hours_from = HourField(lazy_gettext("De"), validators=[Optional()])
    hours_to = HourField(lazy_gettext("À"), validators=[Optional()])
    hours_again = HourField(lazy_gettext("Puis de"), validators=[Optional()])
    hours_until = HourField(lazy_gettext("À"), validators=[Optional()])
    others_days = Days(lazy_gettext("Autres jours"))
    others_from = HourField(lazy_gettext("De"), validators=[Optional()])
    others_to = HourField(lazy_gettext("À"), validators=[Optional()])
    others_again = HourField(lazy_gettext("Puis de"), validators=[Optional()])
    others_until = HourField(lazy_gettext("À"), validators=[Optional()])
    holidays_off = BooleanField(lazy_gettext("Fermé les jours fériés"))
    schools_off = BooleanField(lazy_gettext("Fermé pendant les vacances scolaires"))
    opening_hours = Hours(
        lazy_gettext("Heures d’ouverture, en abrégé"), most=1000, validators=[Optional()],
        description=lazy_gettext(
            "L’écriture d’OpenStreetMap, par exemple Mo-Fr 08:30-22:00; Sa[1] 09:00-18:00; PH off."
        ),
    )  # fmt: skip
    hours_shown = HiddenField()  # as they were when the page was made: what was changed since is what counts
    buffer_minutes = SelectField(
        lazy_gettext("Temps gardé libre après chaque prêt"), coerce=int, default=0,
        choices=[
            SelectChoice(0, lazy_gettext("aucun")), SelectChoice(15, "15 min"), SelectChoice(30, "30 min"),
            SelectChoice(60, "1 h"), SelectChoice(120, "2 h"), SelectChoice(1440, lazy_gettext("un jour")),
        ],
    )  # fmt: skip
    notice_hours = SelectField(
        lazy_gettext("À demander au moins"), coerce=int, default=0,
        choices=[
            SelectChoice(0, lazy_gettext("sans délai")), SelectChoice(2, lazy_gettext("2 h avant")),
            SelectChoice(24, lazy_gettext("un jour avant")), SelectChoice(48, lazy_gettext("2 jours avant")),
            SelectChoice(72, lazy_gettext("3 jours avant")), SelectChoice(168, lazy_gettext("7 jours avant")),
            SelectChoice(336, lazy_gettext("14 jours avant")), SelectChoice(720, lazy_gettext("30 jours avant")),
        ],
    )  # fmt: skip
    ahead_days = Whole(
        lazy_gettext("Combien de jours avant, au plus ?"),
        validators=[Optional(), NumberRange(1, 550, lazy_gettext("Écrivez un nombre de jours, de 1 à 550."))],
        description=lazy_gettext("Rien : dix-huit mois, comme pour tout."),
    )  # fmt: skip
    least_minutes = Length(lazy_gettext("Se prête au moins"), validators=[Optional()])
    most_minutes = Length(
        lazy_gettext("Se prête au plus"), validators=[Optional()],
        description=lazy_gettext("Par exemple 4 h, ou 2 jours. Rien : sans limite, jusqu’à 31 jours."),
    )  # fmt: skip
    lent_by = RadioField(
        lazy_gettext("À quelles heures se prête-t-on cela\u00a0?"), default="free",
        choices=[
            SelectChoice("free", lazy_gettext("À l’heure que l’on veut")),
            SelectChoice("day", lazy_gettext("À la journée")),
            SelectChoice("slots", lazy_gettext("Par créneaux entiers\u00a0: demi-journées, soirées…")),
        ],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip
    slots_typed = Text(
        lazy_gettext("Créneaux"), most=200,
        description=lazy_gettext("Par exemple\u00a0: 8h-13h, 13h-18h, 18h-minuit. Un créneau ne se partage pas."),
    )  # fmt: skip
    slots = ""  # as they are kept, once the form is valid
    lent_from = DayField(lazy_gettext("Se prête à partir du"), validators=[Optional()])
    lent_until = DayField(
        lazy_gettext("Se prête jusqu’au"), validators=[Optional()],
        description=lazy_gettext("Pour un essai : un jardin prêté d’avril à septembre."),
    )  # fmt: skip
    decided_by = RadioField(
        lazy_gettext("Qui répond aux demandes\u00a0?"), default="officer",
        choices=[
            SelectChoice("officer", lazy_gettext("Nous répondons à chaque demande")),
            SelectChoice("nobody", lazy_gettext("Une demande possible est acceptée aussitôt")),
        ],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip
    reserved = BooleanField(
        lazy_gettext("Réservé aux personnes autorisées"),
        description=lazy_gettext("Pour une machine que l’on apprend d’abord à utiliser. Vous direz qui le peut."),
    )  # fmt: skip
    open_hours = ""  # in the syntax, once the form is valid

    def validate_slots_typed(self, field: Text) -> None:
        if self.lent_by.data != "slots":
            return
        try:
            self.slots = policy.slots_typed(field.data or "")
        except policy.NotSlots as wrong:
            raise ValidationError(WRONG_SLOTS[wrong.why]) from wrong

    def validate_most_minutes(self, field: Length) -> None:
        if self.least_minutes.data and field.data and field.data < self.least_minutes.data:
            raise ValidationError(_("C’est moins que « se prête au moins »."))

    def validate_lent_until(self, field: DayField) -> None:
        if self.lent_from.data and field.data and field.data < self.lent_from.data:
            raise ValidationError(_("Le dernier jour vient avant le premier."))

    @property
    def kept_slots(self) -> str:
        """The slots as they are kept, once the form is valid; nothing for any hour."""
        return {"free": "", "day": policy.WHOLE_DAY}.get(self.lent_by.data, self.slots)

    @property
    def school_zone(self) -> str:
        """The zone of the schools whose holidays may close it: the one already written, else the territory's."""
        shown = hours.understood(self.hours_shown.data or "")
        return (shown.schools_off if shown else "") or territory().school_zone or ""

    @property
    def by_hand(self) -> bool:
        """Whether the hours can only be written in full: they say more than can be ticked."""
        return hours.understood(self.opening_hours.data or "") is None

    def validate(self, extra_validators: Any = None) -> bool:
        """What is ticked and what is written in full say the same, or only one of them was changed."""
        valid = super().validate(extra_validators)
        week = self._week()
        if week is None:
            return False
        full, shown = self.opening_hours.data or "", self.hours_shown.data or ""
        specials = hours.specials_of(full)[1]
        ticked = hours.written(week._replace(specials=specials))
        was_ticked = hours.written((hours.understood(shown) or hours.Week())._replace(specials=specials))
        if full not in (shown, ticked) and ticked != was_ticked:
            say(self.opening_hours, _(
                "Les jours cochés et cette écriture ne disent pas la même chose\u00a0: ne changez que l’un des deux."
            ))  # fmt: skip
            return False
        self.open_hours = full if ticked == was_ticked else ticked
        return bool(valid)

    def _week(self) -> hours.Week | None:
        """What is ticked, or None with what is wrong beside its field."""
        openings = [self._opening(group) for group in GROUPS]
        days = [set(opening.days) if opening else set() for opening in openings]
        if twice := ", ".join(str(DAYS[day]) for day in hours.DAYS if day in days[0] & days[1]):
            say(self.others_days, _("Un jour ne se coche qu’une fois\u00a0: %(days)s.", days=twice))
        if any(self[f"{group}_{name}"].errors for group in GROUPS for name in ("days", "from", "to", "again", "until")):
            return None
        return hours.Week(tuple(each for each in openings if each), bool(self.holidays_off.data),
                          self.school_zone if self.schools_off.data else "")  # fmt: skip

    def _opening(self, group: str) -> hours.Opening | None:
        days, start, end, again, until = (self[f"{group}_{name}"] for name in ("days", "from", "to", "again", "until"))
        if any(field.errors for field in (start, end, again, until)):
            return None
        try:
            return hours.opening(days.data or (), [(start.data, end.data), (again.data, until.data)])
        except hours.NotAnOpening as wrong:
            name, said = WRONG_OPENING[wrong.why]
            say(self[f"{group}_{name}"], str(said))
            return None


class ResourceForm(NamedFields, LendingForm):
    """What rooms, things and pools have in common."""

    place = SelectField(lazy_gettext("Où est-ce\u00a0?"))
    option_days = Whole(
        lazy_gettext("Une option garde le créneau"),
        validators=[Optional(), NumberRange(1, 90, lazy_gettext("Écrivez un nombre de jours, de 1 à 90."))],
        description=lazy_gettext("Sans demande ferme, et sans rien compter. Rien : pas d’option."),
    )  # fmt: skip
    option_call_days = Whole(
        lazy_gettext("Pour confirmer, si quelqu’un d’autre le demande"), default=2,
        validators=[Optional(), NumberRange(1, 30, lazy_gettext("Écrivez un nombre de jours, de 1 à 30."))],
        description=lazy_gettext("Rien : 2 jours."),
    )  # fmt: skip
    turn_hours = SelectField(
        lazy_gettext("Ce qui se libère est gardé pour qui attendait"), coerce=int, default=48,
        choices=[
            SelectChoice(2, "2 h"), SelectChoice(12, "12 h"),
            SelectChoice(24, lazy_gettext("un jour")), SelectChoice(48, lazy_gettext("2 jours")),
            SelectChoice(72, lazy_gettext("3 jours")), SelectChoice(168, lazy_gettext("7 jours")),
        ],
        description=lazy_gettext("Moins longtemps quand le jour est proche."),
    )  # fmt: skip
    photo_kept = ""  # what an import kept may not be https: it stays until somebody writes another

    def validate_photo_address(self, field: Text) -> None:
        if field.data != self.photo_kept and not policy.HTTPS.fullmatch(field.data or ""):
            raise ValidationError(_("Écrivez une adresse entière, qui commence par https://."))


class SpecialHoursForm(Form):
    """A day that has hours of its own."""

    day = DayField(lazy_gettext("Quel jour\u00a0?"), validators=[InputRequired(lazy_gettext("Indiquez le jour."))])
    hours_from = HourField(lazy_gettext("De"), validators=[Optional()])
    hours_to = HourField(lazy_gettext("À"), validators=[Optional()])
    hours_again = HourField(lazy_gettext("Puis de"), validators=[Optional()])
    hours_until = HourField(lazy_gettext("À"), validators=[Optional()])
    special: hours.Special | None = None  # once the form is valid

    def validate(self, extra_validators: Any = None) -> bool:
        """Hours that follow each other."""
        if not super().validate(extra_validators):
            return False
        spans = [(self.hours_from.data, self.hours_to.data), (self.hours_again.data, self.hours_until.data)]
        try:
            found = hours.opening([hours.DAYS[0]], spans)
        except hours.NotAnOpening as wrong:
            name, said = WRONG_OPENING[wrong.why]
            say(self[f"hours_{name}"], str(said))
            return False
        assert found is not None, "a day was ticked"
        self.special = hours.Special(self.day.data, found.spans)
        return True


def ticked(expression: str) -> dict[str, Any]:
    """The fields that show opening hours: ticked when they can be, written in full always."""
    week = hours.understood(expression)
    shown: dict[str, Any] = {"opening_hours": expression, "hours_shown": expression}
    if week is None:
        return shown
    shown |= {"holidays_off": week.holidays_off, "schools_off": bool(week.schools_off)}
    for group, opening in zip(GROUPS, week.openings, strict=False):
        shown[f"{group}_days"] = list(opening.days)
        for (start, end), names in zip(opening.spans, (("from", "to"), ("again", "until")), strict=False):
            shown |= {f"{group}_{names[0]}": start, f"{group}_{names[1]}": end}
    return shown


def slots_shown(kept: str) -> dict[str, str]:
    """The fields that show the slots of a resource."""
    if kept in ("", policy.WHOLE_DAY):
        return {"lent_by": "day" if kept else "free", "slots_typed": ""}
    return {"lent_by": "slots", "slots_typed": kept.replace(",", ", ")}


class RoomForm(PlaceFields, ResourceForm):
    """A room; its place is one that is known, or described here."""

    capacity = Number(
        lazy_gettext("Capacité, en personnes"),
        description=lazy_gettext("Nécessaire pour publier la salle. Vous pouvez la donner plus tard."),
    )


class Valued:
    """What is worth something."""

    value = Euros(
        lazy_gettext("Valeur, en euros"), validators=[Optional()],
        description=lazy_gettext("Pour l’assurance, ou en cas de perte. Vous seuls la lisez."),
    )  # fmt: skip


class ThingForm(Valued, PlaceFields, ResourceForm):
    """A thing lent alone."""

    inventory_number = Text(
        lazy_gettext("Numéro d’inventaire"), most=60, validators=[Optional()],
        description=lazy_gettext("Celui qui est écrit dessus. Vous seuls le lisez."),
    )  # fmt: skip


class PoolForm(Valued, PlaceFields, ResourceForm):
    """Like things, lent by number."""

    quantity = Number(
        lazy_gettext("Combien y en a-t-il\u00a0?"),
        validators=[InputRequired(lazy_gettext("Indiquez combien il y en a."))],
    )


CHANGES = {  # what may be changed of many at once
    "category": lazy_gettext("La catégorie"),
    "conditions": lazy_gettext("Les conditions du prêt"),
    "opening_hours": lazy_gettext("Les heures d’ouverture"),
    "buffer_minutes": lazy_gettext("Le temps gardé libre après chaque prêt"),
    "slots": lazy_gettext("Les créneaux"),
    "notice_hours": lazy_gettext("Combien de temps avant il faut demander"),
    "ahead_days": lazy_gettext("Combien de jours avant on peut déjà demander"),
    "least_minutes": lazy_gettext("La durée la plus courte"),
    "most_minutes": lazy_gettext("La durée la plus longue"),
    "lent_from": lazy_gettext("Le premier jour où cela se prête"),
    "lent_until": lazy_gettext("Le dernier jour où cela se prête"),
    "decided_by": lazy_gettext("Qui répond aux demandes"),
    "reserved": lazy_gettext("À qui c’est réservé"),
    "act": lazy_gettext("Ce qui est publié, ce qui est prêté"),
}
FIELDS_OF = {  # where what is to be said of a change has another name, or several
    "opening_hours": (
        *(f"{group}_{name}" for group in GROUPS for name in ("days", "from", "to", "again", "until")), "holidays_off",
        "schools_off", "opening_hours", "forgets_specials",
    ),
    "slots": ("lent_by", "slots_typed"),
}  # fmt: skip
ALWAYS_READ = frozenset({"key", "csrf_token", "among", "ligne", "changes"})


class ManyForm(LendingForm):
    """What becomes the same for many resources: only what is ticked among the changes."""

    among = HiddenField()  # the tokens of the rows that the list sent, of which some may be unticked here
    ligne = SelectMultipleField(
        lazy_gettext("Les ressources à modifier"),
        validators=[InputRequired(lazy_gettext("Gardez au moins une ressource cochée."))],
    )
    changes = SelectMultipleField(
        lazy_gettext("Que voulez-vous changer ?"),
        choices=[SelectChoice(value, label) for value, label in CHANGES.items()],
        validators=[InputRequired(lazy_gettext("Cochez au moins une chose à changer."))],
    )
    category = NamedFields.category
    conditions = NamedFields.conditions
    forgets_specials = BooleanField(
        lazy_gettext("Oublier aussi les heures exceptionnelles"),
        description=lazy_gettext("Sans cocher, chacune garde les jours qui ont leurs propres heures."),
    )
    reserved = RadioField(
        lazy_gettext("Qui peut les demander ?"), default="everybody",
        choices=[
            SelectChoice("everybody", lazy_gettext("Tout le monde")),
            SelectChoice("authorised", lazy_gettext("Seulement les personnes autorisées")),
        ],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip
    act = RadioField(
        lazy_gettext("Que deviennent-elles ?"),
        choices=[
            SelectChoice("withdrawn", lazy_gettext("Plus publiées")),
            SelectChoice("retired", lazy_gettext("Plus prêtées")),
            SelectChoice("restored", lazy_gettext("Prêtées de nouveau, à publier")),
        ],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip

    def validate_most_minutes(self, field: Length) -> None:
        if self.wants("least_minutes"):
            super().validate_most_minutes(field)

    def validate_lent_until(self, field: DayField) -> None:
        if self.wants("lent_from"):
            super().validate_lent_until(field)

    def wants(self, change: str) -> bool:
        """Whether this is to be changed."""
        return change in (self.changes.data or ())

    def validate(self, extra_validators: Any = None) -> bool:
        """What isn't to be changed may say anything: nobody looks at it."""
        super().validate(extra_validators)
        wanted = {name for change in self.changes.data or () for name in FIELDS_OF.get(change, (change,))}
        for field in self:
            if field.name not in wanted | ALWAYS_READ:
                field.errors = []
        return not self.errors

    @property
    def change(self) -> policy.Change:
        """What a valid form says."""
        said: dict[str, Any] = {
            "category": self.category.data or "", "conditions": self.conditions.data or "",
            "opening_hours": self.open_hours, "slots": self.kept_slots, "buffer_minutes": self.buffer_minutes.data,
            "decided_by": self.decided_by.data, "reserved": self.reserved.data == "authorised",
            **{name: self[name].data for name in policy.Terms._fields if name != "slots"},
        }  # fmt: skip
        facts = {name: value for name, value in said.items() if self.wants(name)}
        return policy.Change(facts, bool(self.forgets_specials.data), self.act.data if self.wants("act") else "")


class PartsForm(Form):
    """The rooms that a hall is made of."""

    parts = SelectMultipleField(lazy_gettext("Elle est faite de"))


FORMS: dict[str, type[ResourceForm]] = {"room": RoomForm, "thing": ThingForm, "pool": PoolForm}
