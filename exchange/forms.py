"""What every form shares: clean text, durations as people say them, the key that makes a double click harmless."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import date, time
from functools import cache
from typing import Any

from flask import request
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField as UploadField
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import DateField as WTFormsDateField
from wtforms import Field, FileField, HiddenField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.i18n import get_translations
from wtforms.validators import DataRequired, Length, StopValidation, ValidationError
from wtforms.widgets import TextInput, TimeInput

from exchange.i18n import spell
from exchange.sentences import sentence_of
from ledger import minutes
from ledger.errors import Refused

LINES = "\n\r\t"


def unprintable(text: str) -> bool:
    """Whether a text holds something that no keyboard types: controls, lone surrogates, overrides of direction."""
    return any(unicodedata.category(sign) in {"Cc", "Cs", "Cf"} and sign not in LINES and sign not in ALLOWED
               for sign in text)  # fmt: skip


ALLOWED = "\u200c\u200d\u00ad"  # joiners that emoji and some languages need


class AtMost(Length):
    """Refuses a text that is too long, and looks no further into it."""

    def __init__(self, most: int) -> None:
        super().__init__(max=most, message=lazy_gettext("%(max)d caractères au plus."))

    def __call__(self, form: Any, field: Field) -> None:
        try:
            super().__call__(form, field)
        except ValidationError as long:
            raise StopValidation(str(long)) from long


class Printable:
    """Refuses what can't be printed; a database can't even keep some of it."""

    def __call__(self, _form: Any, field: Field) -> None:
        if isinstance(field.data, str) and unprintable(field.data):
            raise StopValidation(_("Ce texte contient des caractères invisibles : effacez-le et récrivez-le."))


def trimmed(text: Any) -> Any:
    """The text without the spaces around it, its lines ended in one way."""
    return text.replace("\r\n", "\n").strip() if isinstance(text, str) else text


def on_one_line(text: Any) -> Any:
    """The text on one line, its words one space apart."""
    return " ".join(text.split()) if isinstance(text, str) else text


class Text(StringField):
    """One line of text, trimmed; ``most`` characters at most."""

    def __init__(self, label: Any, *, most: int = 200, validators: Any = (), **more: Any) -> None:
        super().__init__(label, validators=[AtMost(most), Printable(), *validators], filters=[on_one_line], **more)


class LongText(TextAreaField):
    """Several lines of text, trimmed; ``most`` characters at most."""

    def __init__(self, label: Any, *, most: int = 2000, validators: Any = (), **more: Any) -> None:
        super().__init__(label, validators=[AtMost(most), Printable(), *validators], filters=[trimmed], **more)


class DayField(WTFormsDateField):
    """A day, from the browser's calendar or typed as 14/11/2026."""

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, format=["%Y-%m-%d", "%d/%m/%Y"], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as wrong:
            raise ValueError(_("Écrivez une date qui existe, par exemple 14/11/2026.")) from wrong
        if self.data is not None and not date(1900, 1, 1) <= self.data <= date(2200, 1, 1):
            raise ValueError(_("Écrivez une date qui existe, par exemple 14/11/2026."))


class Whole(IntegerField):
    """A whole number; what isn't one is said in our words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not typed:
            return
        if not typed.isascii() or not typed.lstrip("+-").isdigit() or len(typed) > 9:
            raise ValueError(_("Écrivez un nombre entier, par exemple 40."))
        self.data = int(typed)


MOST_BYTES = 10 * 1024 * 1024
MOST_SENT = 40 * 1024 * 1024  # bytes: more than cameras give; what is too large is refused beside its field


class PhotoField(UploadField):
    """A photograph from somebody's device, of MOST_BYTES at most."""

    def __init__(self, label: Any, **more: Any) -> None:
        said = lazy_gettext(
            "JPEG, PNG ou WebP, 10 Mo au plus. Le lieu et l’heure que l’appareil y a écrits sont effacés."
        )
        super().__init__(label, description=said, render_kw={"accept": "image/jpeg,image/png,image/webp"}, **more)

    def given(self) -> bytes | None:
        """What was uploaded; None when nothing was, or when it is too heavy, which is then said beside the field."""
        upload = self.data
        if not upload or not upload.filename:
            return None
        data: bytes = upload.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            said = _("Cette photo est trop lourde\u00a0: 10\u00a0Mo au plus. Réduisez-la, ou prenez-la plus petite.")
            say(self, said)
            return None
        return data


class HourField(Field):
    """An hour of the day, from the browser's clock or typed as 14h, 14h30 or 14:30."""

    widget = TimeInput()
    typed: str | None = None

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return f"{self.data:%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not self.typed:
            return
        match = re.fullmatch(r"(\d{1,2})(?: ?[h:] ?(\d{2})?)?(?::\d{2})?", self.typed.lower(), re.ASCII)
        if not match or int(match[1]) > 23 or int(match[2] or 0) > 59:
            raise ValueError(_("Écrivez une heure, par exemple 14h30."))
        self.data = time(int(match[1]), int(match[2] or 0))


WRONG_DURATION = {
    "empty": lazy_gettext("Écrivez une durée, par exemple 1h30 ou 45 min."),
    "unreadable": lazy_gettext("Nous n’avons pas compris cette durée. Écrivez par exemple 1h30 ou 45 min."),
    "fraction": lazy_gettext("Cette durée ne tombe pas sur une minute entière."),
    "sixty": lazy_gettext("Après les heures, les minutes vont de 0 à 59."),
    "zero": lazy_gettext("La durée est d’une minute au moins."),
    "too-long": lazy_gettext("Cette durée est trop longue : 100 000 minutes au plus."),
}


class DurationField(Field):
    """A duration in minutes, typed as people say it: "1h30", "45 min", "90"."""

    widget = TextInput()
    typed: str | None = None

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return minutes.spell(self.data).replace("\u00a0", " ").replace(minutes.THOUSANDS, "") if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed = valuelist[0] if valuelist else ""
        self.data = None
        if self.flags.optional and not self.typed.strip():
            return
        try:
            self.data = minutes.parse(self.typed)
        except minutes.NotADuration as wrong:
            raise ValueError(WRONG_DURATION[wrong.reason]) from wrong
        except minutes.Ambiguous as two:
            raise ValueError(_ask_back(two)) from two

    def pre_validate(self, _form: Any) -> None:
        """What wasn't understood is said once, not followed by "required"."""
        if self.process_errors:
            raise StopValidation


def _ask_back(two: minutes.Ambiguous) -> str:
    readings = [spell(reading) for reading in (two.as_hours, two.as_minutes) if reading]
    if len(readings) == 2:
        return str(_("%(hours)s ou %(minutes)s ? Écrivez l’unité.", hours=readings[0], minutes=readings[1]))
    if readings:
        return str(_("Voulez-vous dire %(reading)s ? Écrivez l’unité.", reading=readings[0]))
    return str(WRONG_DURATION["fraction"])


WRONG_CHOICE = lazy_gettext("Choisissez une des réponses proposées.")
OF_CHOICES = frozenset({
    "Not a valid choice.", "Invalid Choice: could not coerce.",
    "Invalid choice(s): one or more data inputs could not be coerced.",
    "'%(value)s' is not a valid choice for this field.",
})  # fmt: skip


class Words:
    """WTForms' own sentences, but for what it says of a choice: ours is kinder, and doesn't repeat what was sent."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    def gettext(self, said: str) -> str:
        """A sentence."""
        return str(WRONG_CHOICE if said in OF_CHOICES else self._theirs.gettext(said))

    def ngettext(self, one: str, many: str, number: int) -> str:
        """A sentence in which things are counted."""
        return str(WRONG_CHOICE if one in OF_CHOICES else self._theirs.ngettext(one, many, number))


@cache
def _words(language: str) -> Words:
    """Flask-WTF would read the file of a language again at each request."""
    return Words(get_translations([language]))


class Form(FlaskForm):
    """A form that can be refused by a rule, and says so beside the field that can mend it."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, _form: Any) -> Words:
            """WTForms' sentences in the language of the page."""
            return _words(str(get_locale()))

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was typed, and files only where one is asked for: else text fields would be given them, or JSON."""
            if formdata is None or hasattr(formdata, "getlist"):
                return formdata  # chosen by the page
            if request.method != "POST":
                return None
            wanted = [field.name for field in form if isinstance(field, FileField)]
            files = [(name, file) for name in wanted for file in request.files.getlist(name)]
            return CombinedMultiDict((MultiDict(files), request.form)) if files else request.form

    def refuse(self, error: Refused) -> None:
        """Show a domain error: beside its field when it names one of this form, else above."""
        said = sentence_of(error)
        sentence = " ".join(filter(None, said))
        name = error.facts.get("field") or getattr(error, "field", None)
        if name and name in self:
            self[name].errors = [*self[name].errors, sentence]
        else:
            self.form_errors.append(sentence)


class KeyedForm(Form):
    """A form that writes once: its key is made with the page, so that a second sending finds the first."""

    key = HiddenField(default=lambda: secrets.token_urlsafe(16))

    def validate_key(self, field: HiddenField) -> None:
        key = field.data if field.raw_data else ""  # what was not sent has the default, another one at each sending
        if not key or len(key) > 100 or not key.isascii() or not key.isprintable():
            field.data = secrets.token_urlsafe(16)
            raise ValidationError(_("Ce formulaire était incomplet : vérifiez-le et envoyez-le de nouveau."))


DAYS = {
    "Mo": lazy_gettext("lundi"), "Tu": lazy_gettext("mardi"), "We": lazy_gettext("mercredi"),
    "Th": lazy_gettext("jeudi"), "Fr": lazy_gettext("vendredi"), "Sa": lazy_gettext("samedi"),
    "Su": lazy_gettext("dimanche"),
}  # fmt: skip


# what makes no sense in days and hours: the field that mends it, and what to say there
WRONG_OPENING = {
    "days-missing": ("days", lazy_gettext("Cochez les jours où c’est ouvert à ces heures.")),
    "hours-missing": ("from", lazy_gettext("Indiquez de quelle heure à quelle heure, par exemple de 8h30 à 12h.")),
    "closes-first": ("to", lazy_gettext("La fermeture vient après l’ouverture, au plus tard à 6\u00a0h le lendemain.")),
    "overlap": ("again", lazy_gettext("La seconde ouverture de la journée vient après la première fermeture.")),
}


def say(field: Field, wrong: str) -> None:
    """Say what is wrong beside a field, after what is said there already."""
    field.errors = [*field.errors, wrong]


class Days(SelectMultipleField):
    """Days of the week, ticked."""

    def __init__(self, label: Any, **more: Any) -> None:
        choices = [SelectChoice(value, name) for value, name in DAYS.items()]
        super().__init__(label, choices=choices, validate_choice=False, **more)


class PictureForm(KeyedForm):
    """A picture and what it shows."""

    file = PhotoField(lazy_gettext("Photo"))
    words = StringField(
        lazy_gettext("Ce qu’on y voit"),
        description=lazy_gettext("Pour qui ne voit pas la photo. Par exemple\u00a0: la salle vide, la scène au fond."),
        validators=[DataRequired(lazy_gettext("Dites en quelques mots ce qu’on y voit.")), Length(max=200)],
    )

    def given(self) -> bytes | None:
        """What was uploaded; when nothing was, that is said beside the field."""
        data = self.file.given()
        if data is None and not self.file.errors:
            say(self.file, _("Choisissez une photo sur votre appareil."))
        return data
