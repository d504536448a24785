"""Figures, hours and names as they are written in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from exchange.formats import decision_of, elided
from exchange.i18n import spell
from exchange.imports.forms import in_words
from exchange.imports.reasons import Reason
from exchange.messages import brought_up_to, forms, found

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _in_french(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        yield


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Annaïg", "Compte d’Annaïg"), ("Association de la Source", "Compte d’Association de la Source"),
        ("Élodie", "Compte d’Élodie"), ("Œuvres sociales", "Compte d’Œuvres sociales"), ("Yves", "Compte d’Yves"),
        ("Yann", "Compte de Yann"), ("Solenn", "Compte de Solenn"), ("Hervé", "Compte de Hervé"),
        ("Hans", "Compte de Hans"), ("4L Club", "Compte de 4L Club"), ("", "Compte de "),
        ("100 %s", "Compte de 100 %s"),
    ],
)  # fmt: skip
def test_de_loses_its_vowel_before_another(name: str, said: str) -> None:
    assert elided("Compte de %(name)s", name=name) == said


def test_each_name_of_a_sentence_is_elided_by_itself() -> None:
    said = "En confirmant, ces marrons passent tout de suite du compte de %(from)s à celui de %(to)s."
    assert "compte de Bruno à celui d’Alice" in elided(said, **{"from": "Bruno", "to": "Alice"})
    assert elided("Demande de %(name)s\u00a0: %(what)s", name="Olga", what="Halle") == "Demande d’Olga\u00a0: Halle"


def test_an_article_is_joined_to_what_precedes_it() -> None:
    assert elided("Compte de %(name)s", name="Les Amis du 100%") == "Compte des Amis du 100%"
    assert elided("De %(name)s", name="Le Relais") == "Du Relais"
    assert elided("Compte de %(name)s", name="Lesly Le Goff") == "Compte de Lesly Le Goff"
    assert elided("Compte de %(name)s", name="Les") == "Compte de Les"


def test_other_languages_are_left_as_they_translate_it() -> None:
    with force_locale("en"):
        assert elided("Compte de %(name)s", name="Annaïg") == "Annaïg’s account"


PEOPLE = r"\b[Dd]e %\((name|party|holder|giver|receiver|lender|other|from|to)\)s"
NOT_PEOPLE = {"Rapport de l’import de %(name)s"}  # a file


def test_no_page_says_de_before_a_name_without_eliding_it() -> None:
    sentences = {message.id for message in found() if isinstance(message.id, str) and re.search(PEOPLE, message.id)}
    assert len(sentences) >= 10
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("exchange", "templates") for file in (ROOT / folder).rglob("*.*")
        if file.suffix in (".py", ".html", ".txt")
    )  # fmt: skip
    elsewhere = {said for said in sentences if code.count(f'"{said}"') != code.count(f'elided("{said}"')}
    assert elsewhere == NOT_PEOPLE


@pytest.mark.parametrize(("language", "said"), [("fr", "−2\u202f400\u00a0h\u00a005"), ("en", "−2,400\u00a0h\u00a005")])
def test_thousands_of_hours_are_parted_as_the_language_does(language: str, said: str) -> None:
    with force_locale(language):
        assert spell(-144_005) == said


@pytest.mark.parametrize(("language", "said"), [("fr", "2024-31, 5 déc. 2024"), ("en", "2024-31, 5 Dec 2024")])
def test_the_day_of_a_decision_cannot_be_taken_for_another(language: str, said: str) -> None:
    with force_locale(language):
        assert decision_of("2024-31", date(2024, 12, 5)) == said
        assert decision_of("2024-31", "2024-12-05") == said
        assert decision_of("2024-31, 05/12/2024", None) == "2024-31, 05/12/2024"


def test_the_line_of_a_report_names_a_day_in_the_language_of_the_page() -> None:
    kept = {"code": "quantity-booked", "params": {"peak": "3", "day": "2024-12-05"}}
    assert in_words(kept).endswith("le 5 déc. 2024.")
    with force_locale("en"):
        assert in_words(kept).endswith("on 5 Dec 2024.")
    assert in_words(Reason("quantity-booked", {"peak": "3", "day": "28/11/2026"})).endswith("le 28/11/2026.")


FRENCH_SPACING = re.compile("[ \u00a0\u202f][:;?!](?= |$)|[«»]")


def test_english_is_written_with_the_signs_of_english() -> None:
    english = brought_up_to(found(), "en")
    said = [form for message in english if message.id for form in forms(message.string)]
    assert len(said) > 1000
    assert [sentence for sentence in said if FRENCH_SPACING.search(sentence) or "'" in sentence] == []


def test_no_page_puts_french_signs_between_two_sentences() -> None:
    """A colon that stands in the template itself would have its French space in every language."""
    wrong = []
    for file in (ROOT / "templates").rglob("*.*"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", "", re.sub(r"\{\{.*?\}\}", "{{}}", text, flags=re.DOTALL))
        wrong += [(file.name, text[max(0, at.start() - 30) : at.end()]) for at in FRENCH_SPACING.finditer(text)]
    assert wrong == []
