"""Strict fields: what comes in is exactly what the document says, or is refused in words beside its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from flask_babel import lazy_gettext as _
from marshmallow import RAISE, Schema, fields, validate

from exchange.forms import trimmed, unprintable

MOST_MINUTES = 100_000
MOST = 100_000  # people, or like things
IDENTIFIER = "^[A-Za-z0-9_-]{1,64}$"


class Shape(Schema):
    """A JSON object with these keys and no other."""

    class Meta:
        unknown = RAISE

    error_messages = {
        "unknown": _("Ce champ n’existe pas ici."),
        "type": _("Il faut ici un objet JSON."),
        "twice": _("Ce paramètre ne se donne qu’une fois."),
    }


class Said:
    """What every field says when it is missing or null."""

    default_error_messages = {
        "required": _("Ce champ est nécessaire."),
        "null": _("Ce champ ne peut pas être vide."),
        "invalid": _("Cette valeur n’est pas de la forme attendue."),
    }


class Text(Said, fields.String):
    """Text of ``least`` to ``most`` characters, trimmed, that can be printed."""

    default_error_messages = {
        "invalid": _("Il faut ici du texte."),
        "unprintable": _("Ce texte contient des caractères invisibles."),
        "short": _("Ce champ ne peut pas être vide."),
        "long": _("%(most)d caractères au plus.", most=0),
    }

    def __init__(self, *, most: int = 200, least: int = 1, **more: Any) -> None:
        metadata = {"minLength": least, "maxLength": most, **more.pop("metadata", {})}
        super().__init__(metadata=metadata, **more)
        self.most, self.least = most, least
        self.error_messages = {**self.error_messages, "long": _("%(most)d caractères au plus.", most=most)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if type(value) is not str:
            raise self.make_error("invalid")
        text: str = trimmed(value)
        if unprintable(text):
            raise self.make_error("unprintable")
        if len(text) < self.least:
            raise self.make_error("short")
        if len(text) > self.most:
            raise self.make_error("long")
        return text


class Token(Said, fields.String):
    """The random identifier of a party, an account, a resource..."""

    default_error_messages = {"invalid": _("Ce n’est pas un identifiant.")}

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"pattern": IDENTIFIER, **more.pop("metadata", {})}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if type(value) is not str or not re.fullmatch(IDENTIFIER.strip("^$"), value):
            raise self.make_error("invalid")
        return value


class Choice(Said, fields.String):
    """One of a few words."""

    default_error_messages = {"invalid": _("Choisissez l’une des valeurs permises.")}

    def __init__(self, choices: Sequence[str], **more: Any) -> None:
        # null, where it may be, is one of the values too
        listed = [*choices, None] if more.get("allow_none") else list(choices)
        super().__init__(metadata={"enum": listed, **more.pop("metadata", {})}, **more)
        self.choices = frozenset(choices)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if type(value) is not str or value not in self.choices:
            raise self.make_error("invalid")
        return value


class Count(Said, fields.Integer):
    """A whole number between two bounds, as a JSON integer: never 5.7, "5" nor true."""

    default_error_messages = {"invalid": _("Il faut ici un nombre entier, sans guillemets.")}

    def __init__(self, *, least: int = 1, most: int = MOST, **more: Any) -> None:
        metadata = {"minimum": least, "maximum": most, **more.pop("metadata", {})}
        super().__init__(metadata=metadata, **more)
        self.least, self.most = least, most
        bounds = _("Il faut ici un nombre entre %(least)s et %(most)s.", least=least, most=most)
        self.error_messages = {**self.error_messages, "bounds": bounds}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        if not self.least <= value <= self.most:
            raise self.make_error("bounds")
        return value


class Minutes(Count):
    """A duration in whole minutes, one at least."""

    def __init__(self, **more: Any) -> None:
        super().__init__(least=1, most=MOST_MINUTES, **more)


class Figure(Said, fields.Integer):
    """A whole number that is only told: a balance in minutes, a position in a list."""


class Number(Said, fields.Float):
    """A number that is only told: a latitude, a longitude."""


class Digits(Count):
    """A whole number in an address, written in figures."""

    default_error_messages = {"invalid": _("Il faut ici un nombre entier.")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if type(value) is not str or not re.fullmatch("[0-9]{1,9}", value):
            raise self.make_error("invalid")
        return super()._deserialize(int(value), attr, data, **more)


class Flag(Said, fields.Boolean):
    """Yes or no: true or false, nothing that resembles them."""

    default_error_messages = {"invalid": _("Répondez true ou false.")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if value is True or value is False:
            return value
        raise self.make_error("invalid")


class Word(Flag):
    """Yes or no in an address: the words true and false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if value in ("true", "false"):
            return bool(value == "true")
        raise self.make_error("invalid")


class Day(Said, fields.Date):
    """A day of the calendar, 2026-11-21."""

    default_error_messages = {"invalid": _("Il faut ici un jour qui existe, par exemple 2026-11-21.")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> date:
        if type(value) is not str or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise self.make_error("invalid")
        try:
            day = date.fromisoformat(value)
        except ValueError as wrong:
            raise self.make_error("invalid") from wrong
        if not date(1900, 1, 1) <= day <= date(2200, 1, 1):
            raise self.make_error("invalid")
        return day


class Clock(Said, fields.String):
    """An hour on the clocks of the territory, 14:30."""

    FORM = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
    default_error_messages = {"invalid": _("Il faut ici une heure, par exemple 14:30.")}

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"pattern": self.FORM, **more.pop("metadata", {})}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if type(value) is not str or not re.fullmatch(self.FORM.strip("^$"), value):
            raise self.make_error("invalid")
        return time.fromisoformat(value)


class Instant(Said, fields.DateTime):
    """An instant with its offset (RFC 3339), told in UTC: 2026-11-21T13:00:00Z."""

    default_error_messages = {
        "invalid": _("Il faut ici un instant avec son décalage, par exemple 2026-11-21T14:00:00+01:00."),
    }
    FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> datetime:
        if type(value) is not str or not self.FORM.fullmatch(value):
            raise self.make_error("invalid")
        try:
            at = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as wrong:
            raise self.make_error("invalid") from wrong
        if not 1900 <= at.year <= 2200:
            raise self.make_error("invalid")
        return at

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **more: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Inside(Said, fields.Nested):
    """An object inside another."""


class Several(Said, fields.List[Any]):
    """A list of ``least`` to ``most`` values."""

    default_error_messages = {
        "invalid": _("Il faut ici une liste."),
        "validator_failed": _("Cette liste est trop courte ou trop longue."),
    }

    def __init__(self, inner: fields.Field[Any], *, least: int = 0, most: int | None = None, **more: Any) -> None:
        length = validate.Length(min=least, max=most, error=_("Cette liste est trop courte ou trop longue."))
        super().__init__(inner, validate=length, **more)
