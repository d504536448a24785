"""Layouts: a known header is recognised, any other is mapped once by a person and remembered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.imports.layouts import (
    ERP_HEADER,
    PLACE_FIELDS,
    SCDL_HEADER,
    THING_FIELDS,
    MappingError,
    fingerprint,
    mapped,
    mapping_as_json,
    mapping_from_json,
    recognise,
    suggested,
)

HALLS = ("Intitulé", "Où", "Téléphone", "CP")


def code_of(header: tuple[str, ...]) -> str | None:
    layout = recognise(header)
    return layout.code if layout else None


def refusal(text: str, header: tuple[str, ...] = HALLS) -> str:
    with pytest.raises(MappingError) as refused:
        mapping_from_json(text, header)
    return refused.value.reason.code


def test_the_national_layout_has_its_twenty_columns() -> None:
    assert (len(SCDL_HEADER), SCDL_HEADER[0], SCDL_HEADER[-1]) == (20, "COLL_NOM", "EQUIP_WEB")
    assert code_of(SCDL_HEADER) == "scdl-equipements"


def test_the_layout_of_montpellier_has_seventeen_columns() -> None:
    assert len(ERP_HEADER) == 17
    assert code_of(ERP_HEADER) == "erp"


def test_a_layout_is_known_in_any_order_case_and_company() -> None:
    assert code_of(tuple(reversed(ERP_HEADER))) == "erp"
    assert code_of(tuple(title.lower() for title in SCDL_HEADER)) == "scdl-equipements"
    assert code_of((*SCDL_HEADER, "REMARQUES")) == "scdl-equipements"


def test_a_layout_with_a_column_missing_or_twice_is_not_guessed() -> None:
    assert code_of(ERP_HEADER[1:]) is None
    assert code_of((*ERP_HEADER, "CODE (2)")) is None


@pytest.mark.parametrize(
    "header",
    [
        ("Nom", "Catégorie", "Quantité", "Lieu", "Propriétaire", "Valeur", "Photo"),
        ("Désignation", "N° d'inventaire", "Emplacement"),
        ("name", "category", "quantity", "inventory numbers", "place", "owner", "value", "photo address"),
    ],
)
def test_a_list_of_things_is_known_in_french_and_in_english(header: tuple[str, ...]) -> None:
    assert code_of(header) == "things"


def test_two_titles_for_the_same_field_are_left_to_the_person() -> None:
    assert code_of(("Nom", "Désignation", "Quantité")) is None
    assert "name" not in suggested(("Nom", "Désignation", "Quantité"), "thing")


def test_titles_that_say_nothing_of_ours_are_left_unread() -> None:
    layout = recognise(("Nom", "Quantité", "Date de naissance", "Sexe"))
    assert layout is not None
    assert set(layout.columns) == {"name", "quantity"}


def test_no_field_holds_a_gender_or_a_date_of_birth() -> None:
    words = ("gender", "sex", "birth", "naissance")
    assert not [name for name in PLACE_FIELDS | THING_FIELDS if any(word in name for word in words)]
    assert refusal('{"name": "Intitulé", "date_of_birth": "CP"}') == "mapping-field-unknown"


def test_the_form_is_filled_with_what_titles_say() -> None:
    assert suggested(HALLS, "place-with-room") == {"name": "Intitulé", "phone": "Téléphone", "postcode": "CP"}


def test_a_mapping_file_gives_a_layout() -> None:
    layout = mapping_from_json('{"name": "Intitulé", "street": "Où", "postcode": "cp"}', HALLS)
    assert (layout.code, layout.kind) == ("mapped", "place-with-room")
    assert layout.columns == {"name": "Intitulé", "street": "Où", "postcode": "CP"}


def test_a_mapping_is_of_a_thing_as_soon_as_a_field_belongs_to_things_alone() -> None:
    header = ("Objet", "Combien")
    assert mapping_from_json('{"name": "Objet", "quantity": "Combien"}', header).kind == "thing"
    assert mapping_from_json('{"name": "Objet"}', header).kind == "place-with-room"
    assert mapping_from_json('{"kind": "thing", "name": "Objet"}', header).kind == "thing"


def test_a_mapping_written_out_reads_back_the_same() -> None:
    layout = mapped({"name": "Intitulé", "street": "Où"}, HALLS)
    assert mapping_from_json(mapping_as_json(layout), HALLS) == layout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "mapping-not-json"),
        ("{name: Intitulé}", "mapping-not-json"),
        ("[" * 100_000, "mapping-not-json"),
        ('["Intitulé"]', "mapping-not-pairs"),
        ('{"name": 3}', "mapping-not-pairs"),
        ('{"kind": "person", "name": "Intitulé"}', "mapping-kind-unknown"),
        ('{"name": "Intitulé", "password": "CP"}', "mapping-field-unknown"),
        ('{"name": "Intitulé", "quantity": "CP", "street": "Où"}', "mapping-field-unknown"),
        ('{"name": "Nom"}', "mapping-column-missing"),
        ('{"street": "Où"}', "mapping-name-missing"),
        ("{}", "mapping-name-missing"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(text: str, code: str) -> None:
    assert refusal(text) == code


def test_a_mapping_is_remembered_for_the_same_titles_in_another_order() -> None:
    assert fingerprint(HALLS) == fingerprint(("CP", "INTITULE", "telephone", "ou"))
    assert fingerprint(HALLS) != fingerprint(HALLS[:-1])
    assert fingerprint(("a b",)) != fingerprint(("a", "b"))


@given(st.text(max_size=40))
def test_no_text_makes_a_mapping_raise_anything_else(text: str) -> None:
    try:
        layout = mapping_from_json(text, HALLS)
    except MappingError:
        return
    assert "name" in layout.columns


@given(st.dictionaries(st.sampled_from(sorted(PLACE_FIELDS)), st.sampled_from(HALLS)))
def test_every_mapping_onto_columns_that_exist_is_taken_or_lacks_the_name(columns: dict[str, str]) -> None:
    if "name" in columns:
        assert mapping_from_json(json.dumps(columns), HALLS).columns == columns
    else:
        assert refusal(json.dumps(columns)) == "mapping-name-missing"
