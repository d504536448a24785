"""Line by line: what would be published, what waits for a tick, what is wrong, and the words for it."""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import exchange.imports.policy as policy
from exchange.imports.layouts import ERP_HEADER, SCDL_HEADER, mapped, recognise
from exchange.imports.policy import (
    SENTENCES,
    Access,
    Address,
    Candidate,
    DryRun,
    LegalLimit,
    Line,
    Reason,
    Status,
    dry_run,
    read,
    sentence,
    year_in,
)

# Four rows as the city publishes them: a hall of the town's, another body's, nobody's, and the empty one at the end.
# ruff: noqa: E501 - rows are left as they are
HALL = "1692;MAISON POUR TOUS SAINT EXUPERY;MPT;MAISON POUR TOUS;IV;4ème catégorie (effectif <= 300);L;Salles usage auditions, conférences, ...;5;130;ALLEE DU BRIOL;NULL;NULL;VILLE;2259;simple;ASSOCIATIF"
COLLEGE = "39124;COLLEGE JOFFRE;SCO;SCOLAIRE;II;2ème catégorie (700 < effectif <= 1500);R;Etab. d'enseignement sans hébergement;6;211;ALL HENRI II MONTMORENCY;NULL;NULL;CG 34;1211;lourde;ENSEIGNEMENT"
THEATRE = "41503;THEATRE JEAN VILAR;CULTURE;EQUIPEMENT CULTUREL;III;3ème catégorie (300 < effectif <= 700);L;Salles usage auditions, conférences, ...;7;155;AVENUE DE BOLOGNE;NULL;NULL;NULL;603;complexe;TOUT PUBLIC"
NOTHING = ";".join(["NULL"] * 17)


def erp(**changed: str) -> str:
    """The hall's row with some columns changed, as {"LIB_ACCESS": "conforme"}."""
    cells = dict(zip(ERP_HEADER, HALL.split(";"), strict=True))
    cells |= {title.replace("_", " "): text for title, text in changed.items()}
    return ";".join(cells.values())


def run(*rows: str, header: str = ";".join(ERP_HEADER), year: int | None = 2014) -> DryRun:
    table = read("\n".join((header, *rows)).encode())
    layout = recognise(table.header)
    assert layout is not None, "the test's header is one we know"
    return dry_run(table, layout, owner_words={"VILLE"}, as_of_year=year)


def only(ran: DryRun) -> Line:
    (line,) = ran.lines
    return line


def candidate(ran: DryRun) -> Candidate:
    found = only(ran).candidate
    assert found is not None
    return found


def said(line: Line) -> list[str]:
    return [reason.code for reason in (*line.reasons, *line.remarks)]


# A building.


def test_the_hall_becomes_a_place_with_one_room() -> None:
    line = only(run(HALL))
    assert line == Line(2, Status.READY, line.candidate, (), (), "Maison pour tous", "VILLE")
    assert line.candidate == Candidate(
        kind="place-with-room",
        source_ref="1692",
        name="Maison pour tous Saint Exupery",
        category="Maison pour tous",
        owner="VILLE",
        address=Address(number="130", street="Allee du Briol"),
        erp_type="L",
        erp_type_words="Salles usage auditions, conférences, ...",
        erp_category="IV",
        legal_limit=LegalLimit(None, 300),
        access=Access.WORKS_NEEDED,
        access_words="travaux simples à prévoir (2014)",
        capacity=None,
    )


@pytest.mark.parametrize(
    ("numeral", "limit"),
    [
        ("I", LegalLimit(1501, None)),
        ("II", LegalLimit(701, 1500)),
        ("III", LegalLimit(301, 700)),
        ("IV", LegalLimit(None, 300)),
        ("V", None),
        ("NULL", None),
    ],
)
def test_the_safety_category_bounds_the_building_and_never_gives_the_rooms_capacity(
    numeral: str, limit: LegalLimit | None
) -> None:
    hall = candidate(run(erp(CODE_CAT_ERP=numeral, CATEGORIE_ERP="NULL")))
    assert (hall.legal_limit, hall.capacity) == (limit, None)
    assert hall.erp_category == (None if numeral == "NULL" else numeral)


def test_a_safety_category_that_disagrees_with_its_words_waits_for_the_officer() -> None:
    line = only(run(erp(CODE_CAT_ERP="V")))
    assert (line.status, said(line)) == (Status.WARNED, ["erp-category-disagrees"])
    assert line.candidate is not None
    assert (line.candidate.erp_category, line.candidate.legal_limit) == (None, None)


def test_a_safety_category_that_nobody_knows_waits_for_the_officer() -> None:
    assert said(only(run(erp(CODE_CAT_ERP="VI")))) == ["erp-category-unknown"]


@pytest.mark.parametrize(
    ("word", "access", "words"),
    [
        ("conforme", Access.ACCESSIBLE, "conforme (2014)"),
        ("simple", Access.WORKS_NEEDED, "travaux simples à prévoir (2014)"),
        ("lourde", Access.WORKS_NEEDED, "travaux lourds à prévoir (2014)"),
        ("complexe", Access.WORKS_NEEDED, "travaux complexes à prévoir (2014)"),
        ("NULL", Access.UNKNOWN, None),
        ("partiellement conforme", Access.UNKNOWN, "partiellement conforme"),
        ("non conforme", Access.UNKNOWN, "non conforme"),
        ("oui", Access.UNKNOWN, "oui"),
    ],
)
def test_only_what_is_declared_compliant_is_accessible(word: str, access: Access, words: str | None) -> None:
    hall = candidate(run(erp(LIB_ACCESS=word)))
    assert (hall.access, hall.access_words) == (access, words)


def test_the_year_is_said_only_when_it_is_known() -> None:
    assert candidate(run(HALL, year=None)).access_words == "travaux simples à prévoir"
    assert year_in("montpellier-erp-2014.csv") == 2014
    assert year_in("salles.csv") is year_in("salles-2013-2014.csv") is year_in("id20140604.csv") is None


@pytest.mark.parametrize("number", ["0", "9999"])
def test_a_street_number_that_means_unknown_is_not_printed_on_an_agreement(number: str) -> None:
    line = only(run(erp(NUM_VOIRIE=number)))
    assert (line.status, said(line)) == (Status.READY, ["street-number-placeholder"])
    assert candidate(run(erp(NUM_VOIRIE=number))).address == Address(street="Allee du Briol")


def test_a_line_of_nothing_is_blank_and_no_error() -> None:
    assert [line.status for line in run(HALL, NOTHING, "", ";" * 16).lines] == [
        Status.READY,
        Status.BLANK,
        Status.BLANK,
        Status.BLANK,
    ]


# Whose is it?


def test_another_bodys_building_and_nobodys_wait_for_a_tick() -> None:
    ran = run(HALL, COLLEGE, THEATRE)
    assert [line.status for line in ran.lines] == [Status.READY, Status.WARNED, Status.WARNED]
    assert ran.lines[1].reasons == (Reason("owner-differs", {"owner": "CG 34"}, "owner"),)
    assert ran.lines[2].reasons == (Reason("owner-missing", {}, "owner"),)
    assert [line.number for line in ran.chosen] == [2]


def test_a_line_ticked_is_imported_and_still_counted_as_warned() -> None:
    ran = run(HALL, COLLEGE, THEATRE).choosing(ticked={3})
    assert [line.number for line in ran.chosen] == [2, 3]
    assert (ran.counts.warned, ran.counts.left_out) == (2, 1)


def test_the_lenders_words_are_compared_whole() -> None:
    assert only(run(erp(PROPRIO="Ville"))).status is Status.READY
    assert only(run(erp(PROPRIO="VILLE DE LATTES"))).status is Status.WARNED


def test_ticking_a_line_in_error_changes_nothing() -> None:
    ran = run(erp(DESIGNATION="NULL")).choosing(ticked={2})
    assert (ran.chosen, ran.counts.in_error) == ((), 1)


# Choosing by category.


def test_the_officer_keeps_the_categories_she_chooses() -> None:
    ran = run(HALL, erp(CODE="2", CATEGORIE="SCOLAIRE"), erp(CODE="3", CATEGORIE="NULL"))
    assert [line.number for line in ran.choosing(categories={"Maison pour tous"}).chosen] == [2]
    assert [line.number for line in ran.choosing(categories={"Scolaire", None}).chosen] == [3, 4]
    assert ran.choosing(categories=set()).chosen == ()


def test_each_category_shows_its_figures() -> None:
    ran = run(HALL, erp(CODE="2"), COLLEGE, erp(CODE="4", CATEGORIE="SCOLAIRE", DESIGNATION=""))
    figures = [(each.category, each.read, each.ready, each.warned, each.in_error) for each in ran.by_category]
    assert figures == [("Maison pour tous", 2, 2, 0, 0), ("Scolaire", 2, 0, 1, 1)]
    assert ran.by_owner == (("VILLE", 3), ("CG 34", 1))


# The same twice.


def test_a_line_said_again_word_for_word_is_skipped_as_a_repeat() -> None:
    ran = run(HALL, COLLEGE, HALL)
    assert ran.lines[2].status is Status.REPEATED
    assert ran.lines[2].reasons == (Reason("line-repeated", {"line": "2"}),)
    assert [line.number for line in ran.choosing(ticked={3, 4}).chosen] == [2, 3]


def test_a_reference_with_other_words_is_an_error_that_names_the_first_line() -> None:
    ran = run(HALL, "", erp(DESIGNATION="MAISON POUR TOUS BIS"))
    assert ran.lines[2].status is Status.ERROR
    assert ran.lines[2].reasons == (Reason("reference-twice", {"reference": "1692", "line": "2"}, "source_ref"),)


def test_a_third_line_is_compared_with_the_first() -> None:
    ran = run(HALL, erp(RUE="RUE A"), HALL)
    assert [line.status for line in ran.lines] == [Status.READY, Status.ERROR, Status.REPEATED]


# Hostile and careless cells.


def test_a_line_without_a_name_or_a_reference_is_in_error_in_words() -> None:
    nameless, unreferenced = run(erp(DESIGNATION="NULL")), run(erp(CODE=""))
    assert sentence(only(nameless).reasons[0]) == "Le nom (colonne « DESIGNATION ») manque."
    assert said(only(unreferenced)) == ["reference-missing"]


def test_a_name_of_two_hundred_letters_passes_and_one_more_is_an_error() -> None:
    assert only(run(erp(DESIGNATION="a" * 200))).status is Status.READY
    assert said(only(run(erp(DESIGNATION="a" * 201)))) == ["text-too-long"]


@pytest.mark.parametrize("name", ["=1+1", "+33 salle", "-salle", "@salle", "=HYPERLINK('http://x')"])
def test_a_text_that_looks_like_a_formula_is_kept_as_it_is(name: str) -> None:
    assert candidate(run(erp(DESIGNATION=name))).name == name


def test_what_cannot_be_seen_is_taken_out_and_said() -> None:
    line = only(run(erp(DESIGNATION="Salle\u202e etrev\u200b\x07")))
    assert line.candidate is not None
    assert line.candidate.name == "Salle etrev"
    assert sentence(line.remarks[0]) == "Des caractères invisibles ont été retirés de la colonne « DESIGNATION »."


def test_a_name_of_invisible_letters_is_no_name() -> None:
    assert only(run(erp(DESIGNATION="\u202e\u200b"))).status is Status.ERROR


def test_a_line_that_could_not_be_read_stands_among_the_others() -> None:
    ran = run(HALL, "1;2;3", COLLEGE)
    assert [(line.number, line.status) for line in ran.lines] == [
        (2, Status.READY),
        (3, Status.ERROR),
        (4, Status.WARNED),
    ]
    assert sentence(ran.lines[1].reasons[0]) == "Il manque des cellules : 3 au lieu de 17."


def test_a_name_on_two_lines_of_a_cell_comes_on_one() -> None:
    assert candidate(run(erp(DESIGNATION='"Salle\n  verte"'))).name == "Salle verte"


# Figures.


def test_the_figures_add_up_and_blank_lines_are_no_errors() -> None:
    counts = run(HALL, COLLEGE, THEATRE, NOTHING, HALL, erp(CODE="9", DESIGNATION="")).choosing(ticked={3}).counts
    assert (counts.read, counts.ready, counts.warned, counts.in_error, counts.repeated) == (5, 1, 2, 1, 1)
    assert (counts.left_out, counts.blank, counts.chosen) == (2, 1, 2)
    assert sentence(counts.summary) == (
        "Lignes lues : 5 ; prêtes : 1 ; à vérifier : 2 ; laissées de côté : 2 ; en erreur : 1."
    )


ROWS = st.lists(
    st.sampled_from(
        [HALL, COLLEGE, THEATRE, NOTHING, "", "1;2", '"', erp(DESIGNATION=""), erp(RUE="RUE B"), erp(CODE="")]
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: any(row not in (NOTHING, "", '"') for row in rows))  # two marks enclose an empty line


@given(ROWS, st.sets(st.integers(2, 13)), st.sets(st.sampled_from(["Scolaire", "Maison pour tous", None])) | st.none())
def test_every_line_is_counted_once_whatever_is_ticked_or_chosen(
    rows: list[str], ticked: set[int], categories: set[str | None] | None
) -> None:
    ran = run(*rows).choosing(ticked=ticked, categories=categories)
    counts = ran.counts
    assert counts.read == counts.ready + counts.warned + counts.in_error + counts.repeated
    assert counts.read == len(ran.chosen) + counts.left_out + counts.in_error
    assert counts.read == sum(each.read for each in ran.by_category) == sum(number for _, number in ran.by_owner)
    assert counts.read + counts.blank == len(ran.lines)
    assert len({line.candidate.source_ref for line in ran.chosen if line.candidate}) == len(ran.chosen)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30), min_size=17, max_size=17))
def test_no_cell_makes_a_dry_run_fail(cells: list[str]) -> None:
    quoted = ";".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    for line in run(HALL, quoted).lines:
        assert all(sentence(reason) for reason in (*line.reasons, *line.remarks))
        assert line.status is not Status.READY or line.candidate is not None


# The national layout.

SCDL = dict(
    zip(
        SCDL_HEADER,
        [
            "Ville de Redon", "21350236400017", "35236-E-12", "Culture", "C101", "Salle polyvalente", "Salle des Calèches",
            "4 bis", "rue Thiers", "35600", "Redon", "35236_0910_00004_bis", "L", "3", "47,6512", "-2.0837",
            "Mo-Fr 08:30-12:00,13:30-17:30; Sa 08:30-12:00", "+33 2 99 71 05 27", "salles@redon.fr", "https://www.redon.fr",
        ],
        strict=True,
    )
)  # fmt: skip


def scdl(**changed: str) -> str:
    return ";".join(f'"{text}"' for text in (SCDL | changed).values())


def equipment(*rows: str) -> DryRun:
    return run(*rows, header=";".join(SCDL_HEADER))


def test_a_row_of_the_national_layout_becomes_a_place() -> None:
    assert candidate(equipment(scdl())) == Candidate(
        kind="place-with-room",
        source_ref="35236-E-12",
        name="Salle des Calèches",
        category="Salle polyvalente",
        address=Address("4 bis", "rue Thiers", None, "35600", "Redon", "35236_0910_00004_bis"),
        erp_type="L",
        erp_category="III",
        legal_limit=LegalLimit(301, 700),
        latitude=47.6512,
        longitude=-2.0837,
        opening_hours="Mo-Fr 08:30-12:00,13:30-17:30; Sa 08:30-12:00",
        phone="+33 2 99 71 05 27",
        email="salles@redon.fr",
        web="https://www.redon.fr",
        theme="Culture",
        collectivity="Ville de Redon",
        collectivity_number="21350236400017",
    )


def test_a_file_of_one_authority_is_ready_and_one_of_several_waits() -> None:
    other = scdl(EQUIP_UID="2", COLL_NOM="Ville d'Allaire", COLL_SIRET="21560001700018")
    assert [line.status for line in equipment(scdl(), scdl(EQUIP_UID="3")).lines] == [Status.READY, Status.READY]
    assert [said(line) for line in equipment(scdl(), other).lines] == [["collectivity-differs"]] * 2
    assert [said(line) for line in equipment(scdl(COLL_NOM="VILLE"), other).lines] == [[], ["collectivity-differs"]]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("91", "2"), ("47,6", ""), ("", "2"), ("0", "0"), ("nan", "inf"), ("47 N", "2"), ("47.6", "181")],
)
def test_a_position_that_is_none_waits_and_is_never_half_taken(latitude: str, longitude: str) -> None:
    line = only(equipment(scdl(EQUIP_LAT=latitude, EQUIP_LONG=longitude)))
    assert (line.status, said(line)) == (Status.WARNED, ["position-unusable"])
    assert line.candidate is not None
    assert (line.candidate.latitude, line.candidate.longitude) == (None, None)


def test_a_place_without_a_position_is_ready() -> None:
    assert only(equipment(scdl(EQUIP_LAT="", EQUIP_LONG="NULL"))).status is Status.READY


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("ADR_CODEPOSTAL", "1000", "postcode-odd"),
        ("EQUIP_EMAIL", "mairie", "email-odd"),
        ("EQUIP_WEB", "javascript:alert(1)", "link-odd"),
        ("EQUIP_TYPE", "", "category-missing"),
    ],
)
def test_a_small_oddity_is_a_remark_and_the_line_stays_ready(column: str, text: str, code: str) -> None:
    line = only(equipment(scdl(**{column: text})))
    assert (line.status, said(line)) == (Status.READY, [code])


def test_hours_that_the_catalogue_does_not_understand_wait() -> None:
    table = read("\n".join((";".join(SCDL_HEADER), scdl())).encode())
    layout = recognise(table.header)
    assert layout is not None
    ran = dry_run(table, layout, owner_words=(), hours_fault=lambda hours: 4)
    assert said(only(ran)) == ["hours-unreadable-from"]
    assert "à partir du caractère 4 (« Fr 08:30-12:00,13:30 »)" in sentence(only(ran).reasons[0])


def test_hours_that_break_off_are_not_pointed_at() -> None:
    table = read("\n".join((";".join(SCDL_HEADER), scdl(EQUIP_OUVERTURE="Mo-Fr 08:30-"))).encode())
    layout = recognise(table.header)
    assert layout is not None
    assert said(only(dry_run(table, layout, owner_words=(), hours_fault=lambda hours: len(hours) + 1))) == [
        "hours-unreadable"
    ]


# Mapped by a person.


def halls(row: str) -> Line:
    table = read(f"Salle;Adresse;Places;Classement\n{row}\n".encode())
    columns = {"name": "Salle", "street": "Adresse", "capacity": "Places", "erp_category": "Classement"}
    return only(dry_run(table, mapped(columns, table.header), owner_words=()))


def test_a_mapped_list_may_give_the_rooms_own_capacity() -> None:
    line = halls("Salle des fêtes;1 place de la Mairie;120;4ème catégorie")
    assert line.candidate is not None
    assert (line.status, line.candidate.capacity, line.candidate.erp_category) == (Status.READY, 120, "IV")


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ("301", "capacity-above-limit"),
        ("1.200", "number-ambiguous"),
        ("cent", "number-unreadable"),
        ("0", "number-unreadable"),
    ],
)
def test_a_capacity_that_cannot_be_waits_and_is_not_taken(places: str, code: str) -> None:
    line = halls(f"Salle des fêtes;1 place de la Mairie;{places};4")
    assert said(line) == [code]
    assert line.candidate is not None
    assert line.candidate.capacity is None


def test_without_references_the_same_hall_keeps_the_same_one() -> None:
    once, again = halls("SALLE DES FETES;1 RUE A;120;4"), halls("Salle des fêtes;1 rue a;90;4")
    other = halls("Salle des fêtes;2 rue A;120;4")
    assert once.candidate
    assert again.candidate
    assert other.candidate
    assert once.candidate.source_ref == again.candidate.source_ref != other.candidate.source_ref


# Things.

THINGS = "Nom;Catégorie;Quantité;N° d'inventaire;Lieu;Propriétaire;Valeur;Photo;Date d'achat"


def thing(row: str) -> Line:
    return only(run(row, header=THINGS))


def test_the_drill_is_a_thing_with_its_number() -> None:
    drill = thing("Perceuse;OUTILLAGE;1;INV-7;Atelier;;1 234,50 €;https://sel.fr/p.jpg;04/06/2014").candidate
    assert drill == Candidate(
        kind="thing",
        source_ref="INV-7",
        name="Perceuse",
        category="Outillage",
        quantity=1,
        inventory_numbers=("INV-7",),
        place="Atelier",
        value=Decimal("1234.50"),
        photo="https://sel.fr/p.jpg",
        acquired_on=date(2014, 6, 4),
    )


def test_twenty_chairs_are_a_pool_and_three_numbers_are_three_things() -> None:
    chairs, tables = thing("Chaises;Mobilier;20;;Préau;;;;"), thing("Tables;Mobilier;;T1, T2, T3;Préau;;;;")
    assert chairs.candidate
    assert tables.candidate
    assert (chairs.candidate.kind, chairs.candidate.quantity, chairs.candidate.inventory_numbers) == ("pool", 20, ())
    assert (tables.candidate.kind, tables.candidate.quantity) == ("thing", 3)
    assert tables.candidate.inventory_numbers == ("T1", "T2", "T3")


def test_a_thing_with_no_owner_named_is_the_lenders_and_brunos_waits() -> None:
    assert thing("Scie;;1;;;;;;").status is Status.READY
    assert thing("Scie;;1;;;Bruno;;;").reasons == (Reason("owner-differs", {"owner": "Bruno"}, "owner"),)


@pytest.mark.parametrize(
    ("row", "status", "code"),
    [
        ("Scie;Outils;0;;;;;;", Status.ERROR, "quantity-wrong"),
        ("Scie;Outils;1.200;;;;;;", Status.ERROR, "quantity-wrong"),
        ("Scie;Outils;10001;;;;;;", Status.ERROR, "quantity-wrong"),
        ("Scie;Outils;;T1 à T20;;;;;", Status.ERROR, "inventory-range"),
        ("Scie;Outils;;T1..T20;;;;;", Status.ERROR, "inventory-range"),
        ("Scie;Outils;;T1, T1;;;;;", Status.ERROR, "inventory-twice"),
        ("Scie;Outils;3;T1, T2;;;;;", Status.WARNED, "quantity-differs"),
        ("Scie;Outils;1;;;;1.500;;", Status.WARNED, "number-ambiguous"),
        ("Scie;Outils;1;;;;cher;;", Status.WARNED, "number-unreadable"),
        ("Scie;Outils;1;;;;-5;;", Status.WARNED, "number-unreadable"),
        ("Scie;Outils;1;;;;;;4/6/14", Status.WARNED, "date-unreadable"),
        ("Scie;Outils;1;;;;;photo.jpg;", Status.READY, "link-odd"),
        ("Scie;Outils;;;;;;;", Status.READY, "quantity-assumed"),
        ("Scie;NULL;1;;;;;;", Status.READY, "category-missing"),
    ],
)
def test_what_is_said_of_a_thing(row: str, status: Status, code: str) -> None:
    assert (thing(row).status, said(thing(row))) == (status, [code])


def test_an_inventory_number_is_on_one_thing_only() -> None:
    ran = run("Scie;Outils;;T1, T2;;;;;", "Marteau;Outils;;T3, T2;;;;;", "Lime;Outils;;T1;;;;;", header=THINGS)
    assert [line.status for line in ran.lines] == [Status.READY, Status.ERROR, Status.ERROR]
    assert ran.lines[1].reasons == (Reason("inventory-taken", {"number": "T2", "line": "2"}, "inventory"),)
    assert ran.lines[2].reasons == (Reason("inventory-taken", {"number": "T1", "line": "2"}, "inventory"),)


def test_two_like_things_without_numbers_are_asked_to_be_told_apart() -> None:
    ran = run("Scie;Outils;1;;Cave;;;;", "Scie;Outils;2;;Cave;;;;", "Scie;Outils;1;;Grenier;;;;", header=THINGS)
    assert [line.status for line in ran.lines] == [Status.READY, Status.ERROR, Status.READY]
    assert said(ran.lines[1]) == ["likeness-twice"]


# The words.


FOLDER = Path(policy.__file__).parent
PURE = ("candidates", "layouts", "places", "policy", "reading", "reasons", "rows", "things", "values", "wording")
SPEAKERS = ("Reason", "error", "doubt", "remark")


def nodes_of(*modules: str) -> Iterator[ast.AST]:
    for module in modules:
        yield from ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8")))


def test_every_sentence_is_said_somewhere() -> None:
    strings = {node.value for node in nodes_of(*set(PURE) - {"reasons"}, "plan", "operations") if isinstance(node, ast.Constant)}
    assert set(SENTENCES) - strings == set()


def test_every_reason_given_has_its_sentence() -> None:
    calls = [node for node in nodes_of(*PURE) if isinstance(node, ast.Call) and node.args]
    spoken = [call for call in calls if (getattr(call.func, "id", None) or getattr(call.func, "attr", "")) in SPEAKERS]
    codes = {call.args[0].value for call in spoken if isinstance(call.args[0], ast.Constant)}
    assert len(codes) > 30
    assert codes - set(SENTENCES) == set()


def test_the_sentences_are_french_and_end_with_a_full_stop() -> None:
    for words in SENTENCES.values():
        assert words[0] in "«ABCDEFGHIJLMNOPQRSTUVÉ"
        assert words.endswith(".")
        assert not re.search(r"%(?!\([a-z_]+\)s)", words)


def test_the_pure_part_imports_only_itself_and_the_standard_library() -> None:
    imports = [node for node in nodes_of(*PURE) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    beyond = {name for name in names if (name or "").split(".")[0] not in sys.stdlib_module_names}
    assert beyond <= {"exchange.imports", *(f"exchange.imports.{module}" for module in PURE)}
