"""``/style``, in development: each part that pages are made of, as it looks and as it is written."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from flask import Flask, current_app, render_template, render_template_string
from markupsafe import Markup
from wtforms import RadioField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput

from exchange.forms import DayField, DurationField, Form, LongText, Text

SOURCE = "style/parts.html"
_PART = re.compile(r"^\{# (?P<name>.+?) #\}\n(?P<code>.*?)(?=^\{# |\Z)", re.MULTILINE | re.DOTALL)


class Part(NamedTuple):
    """One part: what it is for, how it is written, how it looks."""

    name: str
    code: str
    shown: Markup


class SampleForm(Form):
    """One field of each kind; the parts show it as it is, and as it comes back with its errors."""

    words = Text("En quelques mots", most=80, description="Par exemple : taille de la haie.")
    minutes = DurationField("Combien de temps ?", validators=[InputRequired("Indiquez une durée.")])
    on = DayField("Quel jour ?")
    answer = RadioField(
        "Qui a aidé ?", choices=[SelectChoice("given", "J’ai aidé"), SelectChoice("received", "J’ai été aidé")],
        validators=[InputRequired("Choisissez une réponse.")],
    )  # fmt: skip
    shown = SelectMultipleField(
        "Que montrer ?", choices=[SelectChoice("phone", "Le téléphone"), SelectChoice("area", "Le quartier")],
        option_widget=CheckboxInput(),
    )  # fmt: skip
    remarks = LongText("Remarques", most=400)


def parts() -> list[Part]:
    """Each part of the source, in its order."""
    environment = current_app.jinja_env
    source, _path, _fresh = environment.loader.get_source(environment, SOURCE)  # type: ignore[union-attr]
    head, _separator, body = source.partition("{# -- #}\n")
    wrong = SampleForm(meta={"csrf": False}, data={"on": date(2026, 11, 23)})
    wrong.validate()
    given = {"sample": SampleForm(formdata=None, meta={"csrf": False}), "wrong": wrong}
    return [
        Part(part["name"], part["code"].strip(), Markup(render_template_string(head + part["code"], **given)))  # noqa: S704
        for part in _PART.finditer(body)
    ]


def page() -> str:
    """All parts."""
    return render_template("style/page.html", parts=parts())


def init(app: Flask) -> None:
    """Bind to the application, where it is developed."""
    if app.config.get("STYLE_PAGE"):
        app.add_url_rule("/style", "style", page)
