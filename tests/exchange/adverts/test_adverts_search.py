"""Offers and wants are found by people who don't spell as their neighbours do."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.adverts import operations
from exchange.adverts.queries import Page, Wanted, search
from tests.cast import NOON, Cast
from tests.exchange.adverts.conftest import Say

TITLES = (
    "Entretien de jardin", "Cours de guitare", "Confitures de mûres", "Prêt d'un vélo électrique",
    "Plomberie : conseils", "Garde de chats", "Pain au levain", "Main tendue aux nouveaux",
    "Couture et œuvres en tissu", "Sorties à l'île d'Yeu",
)  # fmt: skip


@pytest.fixture
def board(cast: Cast, say: Say) -> None:
    for title in TITLES:
        say(cast.alice, title)


def found(session: Session, cast: Cast, searched: str) -> list[str]:
    return [row.advert.title for row in search(session, cast.community.id, Wanted(searched)).rows]


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(
    ("searched", "first"),
    [
        ("jardinage", "Entretien de jardin"), ("jardins", "Entretien de jardin"), ("JARDIN", "Entretien de jardin"),
        ("velo", "Prêt d'un vélo électrique"), ("vélos electriques", "Prêt d'un vélo électrique"),
        ("guittare", "Cours de guitare"), ("cours guitare", "Cours de guitare"), ("mures", "Confitures de mûres"),
        ("confiture", "Confitures de mûres"), ("plonberie", "Plomberie : conseils"), ("chat", "Garde de chats"),
        ("pain", "Pain au levain"), ("oeuvre", "Couture et œuvres en tissu"), ("œuvres", "Couture et œuvres en tissu"),
        ("ile d'yeu", "Sorties à l'île d'Yeu"), ("je cherche un coup de main pour le jardin", "Entretien de jardin"),
    ],
)  # fmt: skip
def test_accents_plurals_and_small_mistakes_are_forgiven(
    session: Session, cast: Cast, searched: str, first: str
) -> None:
    assert first in found(session, cast, searched)[:2]


@pytest.mark.usefixtures("board")
def test_what_has_nothing_to_do_with_it_is_not_found(session: Session, cast: Cast) -> None:
    assert found(session, cast, "jardinage") == ["Entretien de jardin"]
    assert found(session, cast, "pain") == ["Pain au levain"]
    assert found(session, cast, "xylophone") == []
    assert found(session, cast, "% _ '") == found(session, cast, "")


def test_a_word_of_the_title_comes_before_a_word_of_the_text(session: Session, cast: Cast, say: Say) -> None:
    say(cast.alice, "Taille de haies")
    say(cast.bruno, "Coups de main", "Je peux aussi tailler une haie, ou porter des meubles, ou garder des chats.")
    assert found(session, cast, "haies")[0] == "Taille de haies"


@pytest.mark.usefixtures("board")
def test_when_no_advert_holds_every_word_the_nearest_are_given_and_said_to_be(session: Session, cast: Cast) -> None:
    page = search(session, cast.community.id, Wanted("guitare électrique"))
    assert page.nearest
    assert {row.advert.title for row in page.rows} == {"Cours de guitare", "Prêt d'un vélo électrique"}
    assert not search(session, cast.community.id, Wanted("guitare")).nearest


def test_filters_narrow_the_list(session: Session, cast: Cast, say: Say) -> None:
    say(cast.alice, "Perceuse", nature="goods")
    say(cast.alice, "Perceuse cherchée", kind="want", nature="goods")
    closed = say(cast.bruno, "Perceuse vendue", nature="goods")
    operations.close(session, closed, by=cast.bruno.by, at=NOON)

    def titles(wanted: Wanted) -> list[str]:
        return [row.advert.title for row in search(session, cast.community.id, wanted).rows]

    assert titles(Wanted("perceuse", kind="want")) == ["Perceuse cherchée"]
    assert titles(Wanted(kind="offer", nature="goods", category="Jardin")) == ["Perceuse"]
    assert titles(Wanted(nature="knowledge")) == titles(Wanted(category="Ailleurs")) == []


@pytest.mark.parametrize("searched", ["", "aide", "aide au jardin"])
def test_pages_follow_one_another_without_loss_or_repetition(
    session: Session, cast: Cast, say: Say, searched: str
) -> None:
    for number in range(23):
        say(cast.alice, f"Aide {number}", "au jardin" if number % 3 else "")
    pages: list[Page] = []
    after: str | None = None
    while not pages or after:
        pages.append(search(session, cast.community.id, Wanted(searched), after=after, size=5))
        after = pages[-1].after
    titles = [row.advert.title for page in pages for row in page.rows]
    expected = 23 if searched != "aide au jardin" else 15
    assert len(titles) == len(set(titles)) == expected
    assert max(len(page.rows) for page in pages) == 5


def test_without_words_the_newest_come_first(session: Session, cast: Cast, say: Say) -> None:
    for number in range(3):
        say(cast.alice, f"Aide {number}")
    assert found(session, cast, "") == ["Aide 2", "Aide 1", "Aide 0"]


def test_the_index_serves_the_search(session: Session, cast: Cast, say: Say) -> None:
    say(cast.alice, "Jardin")
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(text(
        "EXPLAIN SELECT FROM adverts WHERE searched LIKE '%jardinage%' OR 'jardinage' <% searched"
    )).scalars().all()  # fmt: skip
    assert "adverts_searched_idx" in " ".join(plan)
