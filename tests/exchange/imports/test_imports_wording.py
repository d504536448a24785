"""Names as French writes them, from the capitals of a town's list; nothing is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.imports.wording import common_words, fold, one_line, proper_name, street_name, without_invisible


@pytest.mark.parametrize(
    ("capitals", "name"),
    [
        ("MAISON POUR TOUS GEORGES BRASSENS", "Maison pour tous Georges Brassens"),
        ("ENSEMBLE MPT PAULINE LAFONT", "Ensemble MPT Pauline Lafont"),
        ("CLUB AGE D'OR CCAS JACQUELINE BEGUIN", "Club age d'or CCAS Jacqueline Beguin"),
        ("EHPAD FRANCOISE GAUFFIER", "EHPAD Francoise Gauffier"),
        ("LYCEE PROFESSIONNEL E.R.E.A.", "Lycee professionnel E.R.E.A."),
        ("CHAPELLE SAINT CHARLES - MAISON DES CHOEURS", "Chapelle Saint Charles - Maison des choeurs"),
        ("HALLE HENRI IV", "Halle Henri IV"),
        ("SALLE LOUIS XIV", "Salle Louis XIV"),
        ("GYMNASE VIC", "Gymnase Vic"),
        ("ECOLE MATERNELLE AGRIPPA D'AUBIGNE", "Ecole maternelle Agrippa d'Aubigne"),
        ("MAISON DE QUARTIER JEAN-PIERRE CHABROL", "Maison de quartier Jean-Pierre Chabrol"),
        ("ECOLE ELEMENTAIRE LEO MALET (COTE COUR)", "Ecole elementaire Leo Malet (cote cour)"),
        ("UM1 RICHTER BATIMENT B", "UM1 Richter batiment B"),
        ("PARKING DU NOMBRE D'OR (DSP)", "Parking du nombre d'or (DSP)"),
        ("ÉCOLE DE LODÈVE", "École de Lodève"),
        ("GYMNASE ST EXUPERY", "Gymnase St Exupery"),
        ("", ""),
    ],
)
def test_a_name_in_capitals_is_written_as_in_french(capitals: str, name: str) -> None:
    assert proper_name(capitals) == name


def test_a_name_written_with_care_is_left_alone() -> None:
    assert proper_name("salle iPad de l'école McCartney") == "salle iPad de l'école McCartney"


@pytest.mark.parametrize(
    ("capitals", "street"),
    [
        ("RUE DES ECOLES", "Rue des Ecoles"),
        ("AVENUE EMILE BERTIN-SANS", "Avenue Emile Bertin-Sans"),
        ("PLACE ALBERT 1ER", "Place Albert 1er"),
        ("ALL HENRI II MONTMORENCY", "All Henri II Montmorency"),
        ("SAINT-JEAN-DE-VEDAS", "Saint-Jean-de-Vedas"),
        ("AVENUE DE LODÈVE", "Avenue de Lodève"),
    ],
)
def test_a_street_keeps_its_capitals_but_for_what_links(capitals: str, street: str) -> None:
    assert street_name(capitals) == street


def test_a_category_is_a_sentence() -> None:
    assert common_words("EQUIPEMENT SPORTIFS") == "Equipement sportifs"
    assert common_words("MULTI - AFFECTATION") == "Multi - affectation"
    assert common_words("CCAS AUTRES LOCAUX") == "CCAS autres locaux"


def test_titles_are_compared_without_accents_case_or_marks() -> None:
    assert fold("N° d'Inventaire") == fold("n d inventaire") == "n d inventaire"
    assert fold("  Catégorie_ERP ") == "categorie erp"


def test_what_cannot_be_seen_is_taken_out_and_line_breaks_stay() -> None:
    assert without_invisible("Salle\u202e etrev\u2066\u200b\x07\ufeff\nA") == "Salle etrev\nA"


@given(st.text(max_size=60))
def test_casing_changes_no_letter_but_its_case(text: str) -> None:
    for recased in (proper_name, street_name, common_words):
        assert fold(recased(text)) == fold(text)


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = one_line(without_invisible(text))
    assert one_line(without_invisible(once)) == once
    assert proper_name(proper_name(text)) == proper_name(text)
