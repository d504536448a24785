"""The real file of a town, exactly as it is: 211 buildings open to the public of Montpellier."""

import csv
import io

import pytest

from exchange.imports.policy import Access, DryRun, Status, dry_run, read, recognise, sentence, year_in


def ran(data: bytes, *owner_words: str) -> DryRun:
    table = read(data)
    layout = recognise(table.header)
    assert layout is not None, "the town's layout is one we know"
    assert layout.code == "erp"
    year = year_in("montpellier-erp-2014.csv")
    return dry_run(table, layout, owner_words=owner_words or ("VILLE",), as_of_year=year)


def test_the_file_is_understood_without_a_question(town_file: bytes) -> None:
    table = read(town_file)
    assert (table.encoding, table.delimiter, len(table.header)) == ("iso-8859-1", ";", 17)
    assert (len(table.records), table.problems, table.notes) == (212, (), ())
    assert [record.line for record in table.records] == list(range(2, 214))


def test_211_buildings_are_read_and_the_empty_line_is_no_error(town_file: bytes) -> None:
    counts = ran(town_file).counts
    assert (counts.read, counts.ready, counts.warned, counts.left_out, counts.in_error) == (211, 160, 51, 51, 0)
    assert (counts.repeated, counts.blank, counts.chosen) == (0, 1, 160)
    assert sentence(counts.summary) == (
        "Lignes lues : 211 ; prêtes : 160 ; à vérifier : 51 ; laissées de côté : 51 ; en erreur : 0."
    )


def test_a_second_name_of_the_town_makes_one_building_more_ready(town_file: bytes) -> None:
    counts = ran(town_file, "VILLE", "Ville de Montpellier").counts
    assert (counts.read, counts.ready, counts.warned, counts.in_error) == (211, 161, 50, 0)


def test_the_owners_are_counted_so_that_the_officer_sees_her_own_words(town_file: bytes) -> None:
    assert ran(town_file).by_owner == (
        ("VILLE", 160),
        (None, 43),
        ("ACM", 3),
        ("CG 34", 2),
        ("ENSAM", 1),
        ("UNIVERSITE MONTPELLIER 1", 1),
        ("VILLE DE MONTPELLIER", 1),
    )


def test_the_reasons_are_the_owners_and_nothing_else(town_file: bytes) -> None:
    codes = [reason.code for line in ran(town_file).lines for reason in line.reasons]
    assert (codes.count("owner-missing"), codes.count("owner-differs"), len(codes)) == (43, 8, 51)


def test_three_remarks_are_made(town_file: bytes) -> None:
    remarks = [(line.number, remark.code) for line in ran(town_file).lines for remark in line.remarks]
    assert remarks == [(32, "street-number-placeholder"), (32, "category-missing"), (142, "street-number-placeholder")]


def test_the_officer_chooses_by_category(town_file: bytes) -> None:
    figures = {each.category: (each.read, each.ready, each.warned) for each in ran(town_file).by_category}
    assert figures == {
        "Scolaire elementaire": (38, 37, 1),
        "Scolaire maternelle": (35, 33, 2),
        "Scolaire": (33, 13, 20),
        "Equipement sportifs": (20, 15, 5),
        "Multi - affectation": (17, 15, 2),
        "Maison pour tous": (12, 12, 0),
        "CCAS autres locaux": (7, 0, 7),
        "CCAS clubs age d or": (7, 1, 6),
        "Creche": (7, 7, 0),
        "Equipement culturel": (7, 6, 1),
        "Locaux cultuels": (7, 5, 2),
        "Parking public": (7, 7, 0),
        "Locaux commerciaux": (4, 4, 0),
        "Locaux administratifs": (3, 1, 2),
        "Association": (1, 1, 0),
        "Domaine": (1, 0, 1),
        "Halte garderie": (1, 1, 0),
        "Locaux protocole": (1, 1, 0),
        "Mairie annexe": (1, 1, 0),
        "Poste de police municipal": (1, 0, 1),
        None: (1, 0, 1),
    }
    halls = ran(town_file).choosing(categories={"Maison pour tous", "Multi - affectation", "Equipement sportifs"})
    assert len(halls.chosen) == 42


def test_ten_buildings_are_accessible_and_no_other(town_file: bytes) -> None:
    access = [line.candidate.access for line in ran(town_file).lines if line.candidate]
    assert (access.count(Access.ACCESSIBLE), access.count(Access.WORKS_NEEDED), access.count(Access.UNKNOWN)) == (
        10,
        201,
        0,
    )
    words = {line.candidate.access_words for line in ran(town_file).lines if line.candidate}
    assert words == {
        "conforme (2014)",
        "travaux simples à prévoir (2014)",
        "travaux lourds à prévoir (2014)",
        "travaux complexes à prévoir (2014)",
    }


def test_the_safety_categories_bound_the_buildings_and_no_room_has_a_capacity(town_file: bytes) -> None:
    places = [line.candidate for line in ran(town_file).lines if line.candidate]
    numerals = [place.erp_category for place in places]
    assert [numerals.count(numeral) for numeral in ("I", "II", "III", "IV", "V")] == [7, 18, 49, 84, 53]
    assert all(place.capacity is None and place.latitude is None for place in places)
    assert all((place.legal_limit is None) == (place.erp_category == "V") for place in places)


@pytest.mark.parametrize(
    ("line", "name", "street"),
    [
        (13, "Maison pour tous Saint Exupery", "Allee du Briol"),
        (44, "College du Jeu de Mail", "Avenue Emile Bertin-Sans"),
        (79, "Ensemble maison pour tous Georges Brassens", "Place Jacque Brel"),
        (93, "EHPAD Francoise Gauffier", "Rue Andre Puig-Aubert"),
        (152, "Ecole maternelle Agrippa d'Aubigne", "Rue des Quatre Seigneurs"),
        (174, "Ex ensemble MPT Francois de Malherbe", "Rue Francois Malherbe"),
    ],
)
def test_the_capitals_become_names(town_file: bytes, line: int, name: str, street: str) -> None:
    (place,) = [each.candidate for each in ran(town_file).lines if each.number == line]
    assert place is not None
    assert place.address is not None
    assert (place.name, place.address.street) == (name, street)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "iso-8859-1"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_saved_again_in_another_way_it_gives_the_same_dry_run(town_file: bytes, encoding: str, delimiter: str) -> None:
    rows = csv.reader(io.StringIO(town_file.decode("iso-8859-1"), newline=""), delimiter=";")
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    assert ran(text.getvalue().encode(encoding)) == ran(town_file)


def test_given_twice_in_one_file_the_second_half_repeats_the_first(town_file: bytes) -> None:
    titles, _, rows = town_file.partition(b"\n")
    counts = ran(titles + b"\n" + rows + rows).counts
    assert (counts.read, counts.ready, counts.warned, counts.repeated, counts.in_error) == (422, 160, 51, 211, 0)


def test_a_quotation_mark_left_open_in_the_middle_loses_one_building(town_file: bytes) -> None:
    spoilt = town_file.replace(b"41772;POSTE", b'"41772;POSTE', 1)
    lines = ran(spoilt)
    assert (lines.counts.read, lines.counts.in_error) == (211, 1)
    assert [line.number for line in lines.having(Status.ERROR)] == [61]
