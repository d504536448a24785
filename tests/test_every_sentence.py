"""Every sentence of every page goes through the catalogue of translations: in a language that puts each of them between
brackets, what stands outside brackets is what people wrote, figures and dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from freezegun import freeze_time
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from exchange import messages
from exchange.config import ROOT
from tests.cast import NOON
from tests.databases import Database, Postgres
from tests.test_every_route import PAGES, PEOPLE, Place, allowed

BRACKETED = "en_GB"  # for its dates and figures; its sentences are ours
SPOKEN = ("title", "alt", "aria-label", "aria-description", "placeholder", "summary", "label", "content")
UNSPOKEN = {"script", "style", "code", "pre", "kbd", "samp", "title"}  # a title repeats what the page says
INSIDE = re.compile(r"⟦[^⟦⟧]*⟧")
JINJA = re.compile(r"\{([{%#]).*?[}%#]\}", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
NO_SENTENCE = {"marrons", "marron", "marronnier", "min", "api", "pdf", "csv", "html", "json", "utf", "windows", "iso"}
ADDRESS = re.compile(r"\S+@\S+|(https?://|www\.)\S+")
DATES = re.compile(
    r"\b((Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tue|Wed|Thu|Fri|Sat|Sun"
    r"|January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Oct|Nov|Dec|at|UTC)\b(?!-)"
)


def bracketed(catalog: Catalog) -> Catalog:
    """The catalogue of a language that says every sentence between brackets."""
    made = Catalog(locale=BRACKETED)
    for message in catalog:
        if message.id:
            several = not isinstance(message.id, str)
            said: Any = tuple(f"⟦{form}⟧" for form in message.id) if several else f"⟦{message.id}⟧"
            made.add(message.id, said, context=message.context, flags=message.flags)
    return made


class Words(HTMLParser):
    """What somebody sees or hears of a page, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The attributes that are read to people; what another language or a program says is left out."""
        given = dict(attrs)
        elsewhere = tag in UNSPOKEN or (tag != "html" and "lang" in given)
        if tag == self.silent[-1] if self.silent else elsewhere:
            self.silent.append(tag)
        if not self.silent:
            self.found += [value for name, value in attrs if name in SPOKEN and value and tag != "meta"]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                self.found.append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        """The end of what is left out."""
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        if not self.silent:
            self.found.append(data)


def outside(page: str, written: str) -> list[str]:
    """The pieces of a page that are between no brackets, and that nobody wrote."""
    words = Words()
    words.feed(page)
    # brackets first, over the whole: a sentence may hold a link or a line's end
    whole = "\x1f".join(words.found)
    while INSIDE.search(whole):
        whole = INSIDE.sub("\x1f", whole)
    pieces = {" ".join(DATES.sub(" ", piece).split()) for piece in re.split(r"\x1f|, | – ", ADDRESS.sub("", whole))}
    return sorted(piece for piece in pieces if _is_sentence(piece, written))


def _is_sentence(piece: str, written: str) -> bool:
    words = [word.casefold() for word in WORD.findall(piece)]
    return bool(set(words) - NO_SENTENCE) and piece.strip(" .,;:·–()«»\u00a0").casefold() not in written


class Bracketed(NamedTuple):
    """A place that speaks the language of brackets, and all that people wrote there."""

    place: Place
    written: str

    def page(self, who: str | None, endpoint: str) -> str:
        """A page as somebody reads it."""
        client = self.place.app.test_client()
        if who:
            client.set_cookie("session", self.place.cookies[who], secure=True)
        client.get(f"/langue/{BRACKETED}", base_url="https://localhost")
        answer = client.get(self.place.address(endpoint), base_url="https://localhost")
        return answer.text if answer.status_code == 200 and answer.mimetype == "text/html" else ""


@pytest.fixture(scope="module")
def there(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bracketed]:
    folder = tmp_path_factory.mktemp("translations")
    file = Path(folder, BRACKETED, "LC_MESSAGES", "messages.mo")
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        write_mo(out, bracketed(messages.found()))
    database = postgres.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARRONNIER_LANGUAGES", BRACKETED)
        place = Place(database, BABEL_TRANSLATION_DIRECTORIES=f"translations;{folder}")
        yield Bracketed(place, written_in(database))
    postgres.drop(database)


def written_in(database: Database) -> str:
    """Every text of every table, as one."""
    engine = create_engine(database.superuser_url, poolclass=NullPool)
    with engine.connect() as connection:
        columns = connection.execute(text(
            "SELECT format('SELECT %I::text FROM %I.%I', column_name, table_schema, table_name)"
            " FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema IN ('public', 'books') AND table_type = 'BASE TABLE'"
            " AND data_type IN ('text', 'jsonb', 'ARRAY', 'character varying')"
        )).scalars().all()  # fmt: skip
        found = {value for column in columns for value in connection.execute(text(column)).scalars() if value}
    return "\n".join(found).casefold()


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.mark.parametrize("endpoint", PAGES)
def test_every_sentence_of_a_page_is_translated(endpoint: str, there: Bracketed) -> None:
    assert outside(there.page(allowed(endpoint), endpoint), there.written) == []


@pytest.mark.parametrize("who", [None, *PEOPLE])
def test_every_sentence_of_the_first_page_is_translated_for_each_role(who: str | None, there: Bracketed) -> None:
    page = there.page(who, "home")
    assert page.count("⟦") > 20
    assert outside(page, there.written) == []


def test_control_a_sentence_that_was_forgotten_is_noticed(there: Bracketed) -> None:
    forgotten = '<p>⟦Bonjour Alice⟧</p><p>Votre solde <b>90</b></p><img alt="Un dessin"><p>Alice</p>'
    assert outside(forgotten, there.written) == ["Un dessin", "Votre solde"]


@pytest.mark.parametrize("letter", sorted((ROOT / "templates" / "mail").iterdir()), ids=lambda file: file.stem)
def test_every_sentence_of_a_letter_is_translated(letter: Path) -> None:
    said_as_it_is = JINJA.sub("", letter.read_text(encoding="utf-8"))
    assert WORD.findall(said_as_it_is) == []


def test_control_a_sentence_that_was_forgotten_in_a_letter_is_noticed() -> None:
    assert WORD.findall(JINJA.sub("", '{{ _("Bonjour") }},\n{% if told %}À bientôt{% endif %}')) == ["bientôt"]
