"""Reading: whatever an officer drops on the page becomes a table or one clear sentence."""

import contextlib
import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.imports.reading import (
    DELIMITERS,
    ENCODINGS,
    MAX_BYTES,
    MAX_CELL,
    MAX_LINES,
    ReadError,
    Table,
    read,
)
from exchange.imports.reasons import sentence
from exchange.imports.wording import fold

HALLS = "Nom;Adresse\nSalle des fêtes;1 place de la Mairie\nGymnase Léo Lagrange;2 rue du Stade\n"


def written(rows: list[list[str]], encoding: str, delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    """The rows as the standard library writes them: another hand than the one that reads."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(rows)
    return text.getvalue().encode(encoding)


def cells(table: Table) -> list[list[str]]:
    return [list(table.header), *(list(record.cells) for record in table.records)]


def refusal(data: bytes) -> str:
    with pytest.raises(ReadError) as refused:
        read(data)
    return refused.value.reason.code


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason.code) for problem in read(text.encode()).problems]


# Letters.


@pytest.mark.parametrize(
    ("written_in", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("windows-1252", "iso-8859-1"),  # the same bytes, as long as nothing of Windows alone is used
        ("iso-8859-1", "iso-8859-1"),
    ],
)
def test_the_hall_keeps_its_accents_in_every_encoding(written_in: str, found: str) -> None:
    table = read(HALLS.encode(written_in))
    assert table.header == ("Nom", "Adresse")
    assert table.records[0].cells[0] == "Salle des fêtes"
    assert table.encoding == found


def test_the_euro_sign_and_the_curly_apostrophe_give_windows_away() -> None:
    table = read("Nom;Valeur\nPerceuse d’Alice;80 €\n".encode("windows-1252"))
    assert table.records[0].cells == ("Perceuse d’Alice", "80 €")
    assert table.encoding == "windows-1252"


def test_a_windows_text_that_happens_to_be_valid_utf8_is_read_as_french() -> None:
    table = read("Nom;Adresse\n“CAFÉ”;Lodève\n".encode("windows-1252"))
    assert table.records[0].cells == ("“CAFÉ”", "Lodève")
    assert read("Nom;Adresse\nCAFÉ”;Redon\n".encode("windows-1252")).records[0].cells[0] == "CAFÉ”"


def test_greek_and_smileys_in_utf8_stay_what_they_are() -> None:
    assert read("Nom;Note\nΑθήνα;🙂\n".encode()).records[0].cells == ("Αθήνα", "🙂")


def test_one_line_pasted_in_another_encoding_loses_that_line_only() -> None:
    data = "Nom;Ville\nSalle des fêtes;Sète\nÉcole;Nîmes\n".encode() + "Préau;Alès\n".encode("iso-8859-1")
    table = read(data + "Théâtre;Béziers\n".encode())
    assert [(problem.line, problem.reason.code) for problem in table.problems] == [(4, "line-bad-bytes")]
    assert [record.cells[0] for record in table.records] == ["Salle des fêtes", "École", "Théâtre"]


def test_letters_that_no_encoding_knows_are_refused() -> None:
    assert refusal(b"Nom;Ville\n\x81\x8d\x8f\x90\xe9;Redon\n") == "encoding-unknown"


def test_the_officer_may_correct_the_guess() -> None:
    data = HALLS.encode("utf-8")
    assert read(data, encoding="windows-1252").records[0].cells[0] == "Salle des fÃªtes"
    assert read(b"a,b;c\n1,2;3\n", delimiter=",").header == ("a", "b;c")


def test_an_encoding_or_a_delimiter_that_nobody_offers_is_refused() -> None:
    with pytest.raises(ReadError):
        read(HALLS.encode(), encoding="utf-7")
    with pytest.raises(ReadError):
        read(HALLS.encode(), delimiter="|")


# Marks between cells.


def test_commas_inside_the_cells_do_not_hide_the_semicolons() -> None:
    table = read(b"CODE;TYPE\n1;Administrations, banques, bureaux\n2;Salles, auditions, ...\n")
    assert table.delimiter == ";"
    assert table.header == ("CODE", "TYPE")


def test_commas_inside_the_lines_of_a_cell_do_not_hide_the_semicolons_between_quoted_titles() -> None:
    """Read with commas the titles are no row at all, and the four lines with a comma agree with each other."""
    table = read(b'"Nom";"Ville"\n"une salle";"Redon"\n"a\nb,c\nd,e\nf,g\nh,i\nj";""\n')
    assert (table.delimiter, table.header) == (";", ("Nom", "Ville"))
    assert [record.cells for record in table.records] == [("une salle", "Redon"), ("a\nb,c\nd,e\nf,g\nh,i\nj", "")]


def test_excel_may_say_its_separator_on_the_first_line() -> None:
    table = read(b"sep=,\nNom,Ville\nSalle A;B,Redon\n")
    assert table.header == ("Nom", "Ville")
    assert (table.header_line, table.records[0].line) == (2, 3)


def test_a_single_column_is_a_table_too() -> None:
    table = read(b"Nom\nPerceuse\nScie\n")
    assert cells(table) == [["Nom"], ["Perceuse"], ["Scie"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_ending_gives_the_same_lines(newline: str) -> None:
    table = read(HALLS.replace("\n", newline).encode())
    assert [record.line for record in table.records] == [2, 3]
    assert table.records[1].cells == ("Gymnase Léo Lagrange", "2 rue du Stade")


def test_a_quoted_cell_may_hold_newlines_and_the_line_numbers_stay_physical() -> None:
    table = read(b'Nom;Adresse\n"Salle ""verte""";"1 rue A\nBatiment B"\n\nGymnase;2 rue C\n')
    assert table.records[0].cells == ('Salle "verte"', "1 rue A\nBatiment B")
    assert [(record.line, record.is_blank) for record in table.records] == [(2, False), (4, True), (5, False)]


def test_an_inch_sign_in_the_middle_of_a_cell_is_an_inch_sign() -> None:
    assert read(b'Nom;Ville\nEcran 24" large;Redon\n').records[0].cells == ('Ecran 24" large', "Redon")


# A bad line never stops the others.


def test_a_quotation_mark_left_open_loses_its_line_only() -> None:
    text = 'Nom;Ville\nSalle A;Redon\n"Salle B;Redon\nSalle C;Redon\n"Salle D";Redon\n'
    assert problems(text) == [(3, "quote-unclosed")]
    assert [record.cells[0] for record in read(text.encode()).records] == ["Salle A", "Salle C", "Salle D"]


def test_a_quotation_mark_left_open_on_the_last_line_is_said_too() -> None:
    assert problems('Nom;Ville\nSalle A;Redon\n"Salle B;Redon') == [(3, "quote-unclosed")]


def test_words_after_a_closing_quotation_mark_are_not_guessed_at() -> None:
    assert problems('Nom;Ville\n"Salle "verte"";Redon\nSalle B;Redon\n') == [(2, "quote-misplaced")]


def test_lines_too_long_or_too_short_are_said_with_their_line() -> None:
    text = "Nom;Ville\nSalle A\nSalle B;Redon\nSalle C;Redon;35600\n"
    assert problems(text) == [(2, "line-too-short"), (4, "line-too-long")]
    assert sentence(read(text.encode()).problems[1].reason) == "Il y a trop de cellules : 3 au lieu de 2."


def test_empty_cells_beyond_the_titles_are_what_spreadsheets_leave_behind() -> None:
    table = read(b"Nom;Ville;;\nSalle A;Redon;;\nSalle B;Redon;;;;\n")
    assert cells(table) == [["Nom", "Ville"], ["Salle A", "Redon"], ["Salle B", "Redon"]]
    assert table.problems == ()


def test_a_cell_longer_than_ten_thousand_letters_loses_its_line_only() -> None:
    exact, beyond = "a" * MAX_CELL, "a" * (MAX_CELL + 1)
    assert problems(f"Nom;Ville\n{exact};Redon\n{beyond};Redon\n") == [(3, "cell-too-long")]
    assert problems(f'Nom;Ville\n"{exact}";Redon\n"{beyond}";Redon\n') == [(3, "cell-too-long")]


# Titles.


def test_two_columns_of_the_same_name_are_told_apart() -> None:
    table = read(b"Nom;Adresse;adresse\nSalle;1 rue A;2 rue B\n")
    assert table.header == ("Nom", "Adresse", "adresse (2)")
    assert [note.code for note in table.notes] == ["header-duplicated"]


def test_a_column_without_a_title_is_numbered_when_it_holds_something() -> None:
    table = read(b"Nom;;Ville\nSalle;verte;Redon\n")
    assert table.header == ("Nom", "Colonne 2", "Ville")
    assert [note.code for note in table.notes] == ["header-empty"]


def test_numbered_titles_never_take_a_name_that_is_there() -> None:
    header = read(b"Nom;;Nom;Colonne 2;Nom (2)\n1;2;3;4;5\n").header
    assert header == ("Nom", "Colonne 2 (2)", "Nom (3)", "Colonne 2", "Nom (2)")


def test_blank_lines_before_the_titles_are_passed_over() -> None:
    table = read(b"\n;;\nNom;Ville\nSalle;Redon\n")
    assert (table.header, table.header_line) == (("Nom", "Ville"), 3)


# Refused with a sentence.


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file-empty"),
        (b"\xef\xbb\xbf \r\n\n", "file-empty"),
        (b";;;\n;;;\n", "file-empty"),
        (b"Nom;Ville\n", "header-only"),
        (b"Nom;Ville\n;\nNULL;NULL\n", "header-only"),
        (b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml", "file-excel"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "file-opendocument"),
        (b"PK\x03\x04photos/salle.jpg", "file-archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "file-excel-old"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "file-pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file-image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "file-image"),
        (b"GIF89a\x01\x00", "file-image"),
        (b"\x1f\x8b\x08\x00", "file-archive"),
        (b"<!DOCTYPE html><html>", "file-web-page"),
        (b"{\\rtf1 Salles}", "file-rich-text"),
        ("Nom;Ville\nSalle;Redon\n".encode("utf-16"), "file-utf16"),
        ("Nom;Ville\nSalle;Redon\n".encode("utf-16-le"), "file-binary"),
        (b"Nom;Ville\nSalle\x00;Redon\n", "file-binary"),
        (b'"Nom;Ville\nSalle;Redon\n', "header-unreadable"),
        (";".join(f"c{n}" for n in range(101)).encode() + b"\n1\n", "too-many-columns"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_the_officer_who_drops_an_excel_file_is_told_what_to_do() -> None:
    with pytest.raises(ReadError, match=r"C’est un classeur Excel .* « Enregistrer sous », puis le format CSV"):
        read(b"PK\x03\x04 xl/worksheets/sheet1.xml")


def test_five_megabytes_pass_and_one_byte_more_does_not() -> None:
    lines = b"Nom\n" + (b"a" * 9_999 + b"\n") * 600
    assert read(lines[:MAX_BYTES]).header == ("Nom",)
    assert refusal(lines[: MAX_BYTES + 1]) == "file-too-big"


def test_twenty_thousand_lines_pass_and_one_more_does_not() -> None:
    assert len(read(b"Nom\n" + b"a\n" * (MAX_LINES - 1)).records) == MAX_LINES - 1
    assert refusal(b"Nom\n" + b"a\n" * MAX_LINES) == "too-many-lines"


@pytest.mark.parametrize(
    "hostile",
    [
        b";" * MAX_BYTES,
        b'a;b\n"";' + b";" * (MAX_BYTES - 10),
        b"a;b\n" + b'"";' * 1_700_000,
        b'"' * MAX_BYTES,
        b"a;b\n" + b'"a;""b\n' * 15_000,
        b"a;b\n" + b'x;"' * 1_000_000,
        b"a" + b"," * 4_000_000 + b"\n" + b"1,2\n" * 15_000,
        b"a;b\n" + (b'"";' + b";" * 250 + b"\n") * 19_000,
    ],
    ids=["marks", "wide", "quoted", "quotes", "open", "opened-again", "titles", "many-cells"],
)
def test_a_hostile_file_costs_seconds_not_minutes(hostile: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(ReadError):
        read(hostile)
    assert time.process_time() - start < 20


# Properties.

WORD = st.text("abcdefghéèàçùôîABCÉ 0123456789", min_size=1, max_size=12).map(str.strip).filter(bool)
TITLES = st.lists(WORD, min_size=2, max_size=6, unique_by=fold)
CELL = st.text("abc éèàçÉÔ'\",;\t\n0=+-@", max_size=12)


@given(st.binary(max_size=400))
def test_reading_arbitrary_bytes_gives_a_table_or_the_named_error(data: bytes) -> None:
    try:
        table = read(data)
    except ReadError:
        return
    assert table.header
    assert all(len(record.cells) == len(table.header) for record in table.records)


@given(st.text('a;,\t"\r\n é', max_size=80))
def test_no_line_is_lost_or_counted_twice_whatever_the_marks(text: str) -> None:
    try:
        table = read(text.encode())
    except ReadError:
        return
    lines = [record.line for record in table.records] + [problem.line for problem in table.problems]
    assert len(lines) == len(set(lines))
    assert table.header_line < min(lines)
    assert max(lines) <= text.count("\n") + text.count("\r") + 1


@given(
    titles=TITLES,
    data=st.data(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "windows-1252", "iso-8859-1"]),
    delimiter=st.sampled_from(DELIMITERS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_written_in_any_encoding_and_delimiter_reads_the_same(
    titles: list[str], data: st.DataObject, encoding: str, delimiter: str, quoting: int
) -> None:
    row = st.lists(CELL, min_size=len(titles), max_size=len(titles))
    rows = [titles, ["une salle"] * len(titles), *data.draw(st.lists(row, max_size=5))]
    table = read(written(rows, encoding, delimiter, quoting))
    assert cells(table) == [[" ".join(title.split()) for title in titles], *rows[1:]]
    assert not table.problems


def test_the_encodings_offered_are_those_that_are_read() -> None:
    for encoding in ENCODINGS:
        assert read(HALLS.encode(encoding), encoding=encoding).records[0].cells[0] == "Salle des fêtes"
