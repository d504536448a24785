"""Olga's import, page by page: the file, the columns, the choices, the report."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from exchange.catalogue import queries as resources
from exchange.imports import operations, queries
from exchange.imports.models import Import
from exchange.imports.plan import Choices
from exchange.tasks import import_resources
from tests.cast import NOON, Cast, gather, sign_in
from tests.counting import counted
from tests.databases import as_owner

NBSP, THIN = "\u00a0", "\u202f"
STOCK = "Nom;Quantité;Lieu\nChaise;40;Hangar\nTable;12;Cave\n".encode()


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/preteurs/{cast.town.token}/imports"


def give(olga: FlaskClient, at: str, data: bytes, name: str = "batiments-2014.csv", key: str = "a-key") -> TestResponse:
    return sent(olga, at, key=key, file=FileStorage(io.BytesIO(data), name))


def sent(olga: FlaskClient, at: str, **form: object) -> TestResponse:
    """A form with a file, encoded in memory: the client's own way leaves a temporary file behind for large ones."""
    boundary, body = encode_multipart(form)
    return olga.post(at, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def given(olga: FlaskClient, at: str, data: bytes, **more: str) -> str:
    """Give a file; return the address of its import."""
    answer = give(olga, at, data, **more)
    assert answer.status_code == 303, words(answer)
    return answer.headers["Location"]


def job_of(session: Session, cast: Cast) -> Import:
    return queries.of_lender(session, cast.town.id)[0]


def words(answer: TestResponse) -> str:
    """The page, its apostrophes as people read them."""
    return html.unescape(answer.text)


def figure(page: str, label: str) -> int:
    found = re.search(rf"<dt>{label}</dt>\s*<dd class=\"stat-value\">(\d+)</dd>", page)
    assert found, label
    return int(found[1])


# Giving a file


def test_the_town_s_file_is_understood_as_it_is(olga: FlaskClient, at: str, town_file: bytes) -> None:
    page = olga.get(given(olga, at, town_file, name="C:/Documents/montpellier-erp-2014.csv")).text
    assert "montpellier-erp-2014.csv" in page
    assert "C:" not in page
    assert "ISO-8859-1" in page
    assert "point-virgule" in page
    assert "liste de bâtiments recevant du public (ERP)" in page
    labels = ("Lignes lues", "À importer", "À vérifier", "Laissées de côté", "En erreur")
    assert [figure(page, label) for label in labels] == [211, 160, 51, 51, 0]
    assert "Maison pour tous (12 lignes)" in page
    assert "CG 34 (2 lignes)" in page
    assert 'value="VILLE, Ville de Saint-Marron"' in page


def test_a_second_click_gives_the_same_import(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    assert given(olga, at, STOCK) == given(olga, at, STOCK)
    assert len(queries.of_lender(session, cast.town.id)) == 1
    assert give(olga, at, STOCK + b"Banc;2;Cave\n").status_code == 409


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (b"", "Le fichier est vide."),
        (b"PK\x03\x04" + b"." * 60 + b"xl/workbook.xml", "C’est un classeur Excel (.xlsx)."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "C’est un ancien document Excel"),
        (bytes(range(256)), "octets nuls"),
        (b"Nom;Lieu\nSalle\x00;Ici\n", "octets nuls"),
        (b"Nom;" * 100_000 + b"\nSalle\n", "La ligne des titres (ligne 1) est illisible."),
        (b"Nom;Lieu\n" + b"x" * 5_242_880, "plus de 5 Mo"),
        (b"Nom;Lieu\n" + b"a;b\n" * 20_001, "plus de 20000 lignes"),
        (b"Nom;Lieu\n", "rien à importer"),
        (b'"Nom;Lieu\nSalle;Ici\n', "La ligne des titres (ligne 1) est illisible."),
    ],
    ids=["empty", "xlsx", "xls", "bytes", "nul", "columns", "5 Mo", "lines", "titles", "quote"],
)
def test_a_file_that_is_no_table_is_refused_beside_its_field(
    hostile: bytes, said: str, olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    answer = give(olga, at, hostile)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'id="file-error"' in words(answer)
    assert queries.of_lender(session, cast.town.id) == []


def test_six_megabytes_are_refused_in_words(olga: FlaskClient, at: str) -> None:
    answer = give(olga, at, b"x" * 6_500_000)
    assert answer.status_code == 422
    assert "Le fichier pèse plus de 5" in words(answer)


def test_twelve_are_not_even_received(olga: FlaskClient, at: str) -> None:
    answer = give(olga, at, b"x" * 12_500_000)
    assert answer.status_code == 413
    assert "Cet envoi est trop lourd" in words(answer)


def test_no_file_is_said(olga: FlaskClient, at: str) -> None:
    for nothing in ({}, {"file": "texte"}, {"file": FileStorage(io.BytesIO(b"a;b\n1;2"), "")}):
        answer = sent(olga, at, key="k", **nothing)
        assert answer.status_code == 422
        assert "Choisissez un fichier" in words(answer)


def test_titles_twice_formulas_and_reversed_text_do_no_harm(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    data = "Nom;Quantité;Lieu;Lieu\n=cmd|'/C calc'!A1;2;Ici;\n\u202eelbaT;1;\u200bCave;\n<script>alert()</script>;1;;\n"
    address = given(olga, at, data.encode(), name="=1+1<b>.csv")
    page = words(olga.get(address))
    assert f"Plusieurs colonnes s’appellent «{NBSP}Lieu{NBSP}»" in words(olga.get(address, follow_redirects=True))
    said = {"genre": "thing", "colonne-0": "name", "colonne-1": "quantity", "colonne-2": "place"}
    olga.post(f"{address}/colonnes", data=said)
    assert "<script>alert" not in olga.get(address).text
    page = words(olga.get(address))
    assert "\u202e" not in page
    assert f"Des caractères invisibles ont été retirés de la colonne «{NBSP}Nom{NBSP}»." in page
    olga.post(f"{address}/choix", data={"owner_words": "VILLE, Ville de Saint-Marron", "importer": "1"})
    import_resources(job_of(session, cast).id)
    report = olga.get(f"{address}/rapport.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(report), delimiter=";"))
    assert rows[0] == ["Ligne", "Nom", "Résultat", "Pourquoi"]
    assert rows[1][1].startswith("'=cmd")
    assert {row[2] for row in rows[1:]} == {"créée"}


# Reading it otherwise


def test_a_wrong_guess_is_corrected(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    address = given(olga, at, "Nom,Quantité\nScène mobile; noire,2\n".encode())
    assert olga.post(f"{address}/lecture", data={"encoding": "windows-1252", "delimiter": ","}).status_code == 303
    assert "Windows-1252" in words(olga.get(address, follow_redirects=True))
    assert olga.post(f"{address}/lecture", data={"encoding": "", "delimiter": ""}).status_code == 303
    assert "Scène mobile; noire" in words(olga.get(address))
    for odd in ({"encoding": "ebcdic", "delimiter": ""}, {"encoding": "", "delimiter": "|"}):
        answer = olga.post(f"{address}/lecture", data=odd)
        assert answer.status_code == 422
        assert "Choisissez une des réponses proposées." in words(answer)


def test_a_file_that_cannot_be_read_so_says_why(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    address = given(olga, at, "Nom;Quantité\nSalle Ángel;2\n".encode())
    answer = olga.post(f"{address}/lecture", data={"encoding": "windows-1252", "delimiter": ""})
    assert answer.status_code == 422
    assert "Les lettres accentuées de ce fichier ne sont pas reconnues." in words(answer)
    assert Choices.from_json(job_of(session, cast).choices).encoding is None


# Columns


def test_columns_are_said_once_and_remembered(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    data = b"Objet;Combien;Range\nChaise;40;Hangar\n"
    address = given(olga, at, data)
    assert olga.get(address).headers["Location"].endswith("/colonnes")
    page = words(olga.get(f"{address}/colonnes"))
    assert "Par exemple\u00a0: Hangar" in page
    assert '<option value="name" selected>' in page  # "Objet" speaks for itself
    twice = {"genre": "thing", "colonne-0": "name", "colonne-1": "name"}
    answer = olga.post(f"{address}/colonnes", data=twice)
    assert answer.status_code == 422
    assert "Deux colonnes ne peuvent pas donner la même chose" in words(answer)
    nameless = olga.post(f"{address}/colonnes", data={"genre": "thing", "colonne-1": "quantity"})
    assert nameless.status_code == 422
    assert "Indiquez quelle colonne contient le nom." in words(nameless)
    good = {"genre": "thing", "colonne-0": "name", "colonne-1": "quantity", "colonne-2": "place", "colonne-9": "x"}
    assert olga.post(f"{address}/colonnes", data=good).status_code == 303
    assert "colonnes indiquées par vous" in words(olga.get(address))
    again = given(olga, at, data + b"Table;2;Cave\n", key="another")
    assert figure(words(olga.get(again)), "À importer") == 2


def test_a_file_of_rooms_may_be_mapped_too(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    address = given(olga, at, b"Ident;Libell\xe9;Jauge\n1;Salle A;50\n2;Salle B;1.500\n")
    said = {"genre": "place-with-room", "colonne-0": "source_ref", "colonne-1": "name", "colonne-2": "capacity"}
    assert olga.post(f"{address}/colonnes", data=said).status_code == 303
    page = words(olga.get(address))
    assert (figure(page, "À importer"), figure(page, "À vérifier")) == (1, 1)
    assert "peut se lire de deux façons" in page


# Choosing


def choices(**said: object) -> dict[str, object]:
    return {"owner_words": "VILLE, Ville de Saint-Marron", **said}


def test_categories_are_chosen_and_the_count_follows(olga: FlaskClient, at: str, town_file: bytes) -> None:
    address = given(olga, at, town_file)
    olga.post(f"{address}/choix", data=choices(categorie=["Maison pour tous", "Equipement sportifs"]))
    page = words(olga.get(address))
    assert figure(page, "À importer") == 27
    assert "Importer 27 lignes" in page
    assert f"La catégorie «{NBSP}Scolaire{NBSP}» n’a pas été choisie." in page
    olga.post(f"{address}/choix", data=choices())
    assert figure(words(olga.get(address)), "À importer") == 160


def test_an_owner_s_word_is_added_from_the_list_of_the_file(olga: FlaskClient, at: str, town_file: bytes) -> None:
    address = given(olga, at, town_file)
    olga.post(f"{address}/choix", data=choices(owner=["CG 34", "VILLE DE MONTPELLIER"]))
    page = words(olga.get(address))
    assert figure(page, "À importer") == 163
    assert "VILLE, Ville de Saint-Marron, CG 34, VILLE DE MONTPELLIER" in page


def test_warned_lines_are_ticked_by_hand_page_by_page_or_all(olga: FlaskClient, at: str, town_file: bytes) -> None:
    address = given(olga, at, town_file)
    page = words(olga.get(f"{address}?statut=warned"))
    assert page.count('name="ticked"') == 50
    assert words(olga.get(f"{address}?statut=warned&page=2")).count('name="ticked"') == 1
    assert "Le propriétaire n’est pas indiqué." in page
    olga.post(f"{address}/choix", data=choices(shown="5,9,11", ticked=["5", "9", "4000", "²"]))
    assert figure(words(olga.get(address)), "À importer") == 162
    olga.post(f"{address}/choix", data=choices(shown="9,11", ticked=["11"]))  # 5 was not on that page: it stays
    assert figure(words(olga.get(address)), "À importer") == 162
    olga.post(f"{address}/choix", data=choices(tick_all="1"))
    assert figure(words(olga.get(address)), "À importer") == 211
    olga.post(f"{address}/choix", data=choices(untick_all="1"))
    assert figure(words(olga.get(address)), "À importer") == 160


def test_what_was_ticked_on_a_page_is_kept_on_the_way_to_another(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    address = given(olga, at, town_file)
    following = olga.post(
        f"{address}/choix",
        data=choices(shown="5,9,11", ticked=["5", "9"], categorie=["Scolaire"], statut="warned", vers="warned 2"),
    )
    assert following.location == f"{address}?statut=warned&page=2#lignes"
    back = olga.post(f"{address}/choix", data=choices(shown="", categorie=["Scolaire"], page="2", vers="ready 1"))
    assert back.location == f"{address}?statut=ready&page=1#lignes"
    kept = Choices.from_json(job_of(session, cast).choices)
    assert (kept.ticked, kept.categories) == ({5, 9}, {"Scolaire"})
    page = words(olga.get(f"{address}?statut=warned"))
    assert [number for number in ("5", "9", "11") if f'value="{number}" checked' in page] == ["5", "9"]


@pytest.mark.parametrize("wild", ["", " ", "warned", "magic 2", "warned -1", "warned " + "9" * 50, "é \x00"])
def test_a_wild_button_leads_to_a_page_all_the_same(olga: FlaskClient, at: str, wild: str) -> None:
    address = given(olga, at, STOCK)
    assert olga.get(olga.post(f"{address}/choix", data=choices(vers=wild)).location).status_code == 200


def test_lines_in_error_come_first_then_those_to_check(olga: FlaskClient, at: str) -> None:
    many = "".join(f"Objet {n};2;Cave\n" for n in range(60))
    address = given(olga, at, ("Nom;Quantité;Lieu\n" + many + "Banc;beaucoup;Cave\n;3;Cave\n").encode())
    lines = re.findall(r"<strong>([^<]+)</strong>\s*</?(?:p|label)", words(olga.get(address)))
    assert len(lines) == 50
    statuses = re.findall(r'<strong class="tag (\w+)">', words(olga.get(address)).partition('id="lignes"')[2])
    assert statuses == sorted(statuses, key=["bad", "warn", "good", "neutral"].index)
    assert statuses[0] == "bad"
    filters = re.findall(r'name="vers" value="(\w*) 1"', words(olga.get(address)))
    assert filters[0] == "error"
    assert filters[-1] == ""


def test_nothing_is_imported_that_was_not_shown_before(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    address = given(olga, at, town_file)
    answer = olga.post(f"{address}/choix", data=choices(categorie=["Maison pour tous"], importer="1"))
    assert answer.status_code == 303
    assert job_of(session, cast).started_at is None
    assert "Vos choix ont changé" in words(olga.get(address))
    olga.post(f"{address}/choix", data=choices(categorie=["Maison pour tous"], importer="1"))
    assert job_of(session, cast).started_at == NOON


def test_nothing_chosen_is_said(olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes) -> None:
    address = given(olga, at, town_file)
    none = choices(categorie=["Salles de bal"])
    olga.post(f"{address}/choix", data=none)
    answer = olga.post(f"{address}/choix", data={**none, "importer": "1"})
    assert answer.status_code == 422
    assert "Aucune ligne n’est choisie" in words(answer)
    assert job_of(session, cast).started_at is None


@pytest.mark.parametrize(
    "odd",
    [{"shown": "9" * 5000}, {"categorie": ["\x00", "a" * 9999]}, {"owner_words": "\u202e,\x00,;,,"}, {"page": "-1"}],
)
def test_odd_choices_give_no_fault(odd: dict[str, object], olga: FlaskClient, at: str, town_file: bytes) -> None:
    address = given(olga, at, town_file)
    assert olga.post(f"{address}/choix", data=choices(**odd)).status_code in {303, 422}
    assert olga.get(address).status_code == 200


# The work and its report


def start(olga: FlaskClient, address: str, **said: object) -> TestResponse:
    olga.post(f"{address}/choix", data=choices(**said))
    return olga.post(f"{address}/choix", data=choices(**said, importer="1"))


def test_the_job_is_queued_with_the_start_and_once(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    address = given(olga, at, town_file)
    for _ in range(3):
        assert start(olga, address).status_code == 303
    jobs = session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'import_resources'")).all()
    assert jobs == [({"import_": job_of(session, cast).id},)]


def test_progress_comes_again_by_itself_unless_somebody_stops_it(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    address = given(olga, at, town_file)
    start(olga, address)
    answer = olga.get(address)
    assert answer.headers["Refresh"] == "3"
    assert "Aucune ligne n’est encore faite, sur 211" in words(answer)
    job_of(session, cast).done = 1
    assert "1 ligne faite sur 211" in words(olga.get(address))
    job_of(session, cast).done = 0
    assert "Reprendre" not in words(answer)
    assert "Refresh" not in olga.get(f"{address}?fixe=1").headers
    with freeze_time("2026-11-21 11:02"):
        assert "Reprendre l’import" in words(olga.get(address))
        assert olga.post(f"{address}/suite").status_code == 303
        import_resources(job_of(session, cast).id)
        answer = olga.get(address)
        assert "L’import est terminé" in words(answer)
        assert "Refresh" not in answer.headers


def test_the_report_says_each_line_and_leads_to_publishing(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    address = given(olga, at, town_file)
    start(olga, address, categorie=["Maison pour tous"])
    import_resources(job_of(session, cast).id)
    page = words(olga.get(address))
    assert [figure(page, label) for label in ("Créées", "Laissées de côté", "Refusées")] == [12, 199, 0]
    created = words(olga.get(f"{address}?resultat=created"))
    room = resources.of_lender(session, cast.town.id).rows[0]
    assert f"/ressources/{room.token}" in created
    assert "College Joffre" not in created
    assert "etat=incomplete" in created
    assert olga.get(f"{address}?resultat=volé&page=99").status_code == 200
    report = olga.get(f"{address}/rapport.csv")
    assert report.headers["Content-Type"].startswith("text/csv")
    assert len(report.data.decode("utf-8-sig").splitlines()) == 212
    again = given(olga, at, town_file, key="another")
    olga.post(f"{again}/choix", data=choices(categorie=["Maison pour tous"]))
    assert "dont 12 déjà dans votre liste" in words(olga.get(again))


def test_an_import_that_can_no_longer_be_read_says_so(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    address = given(olga, at, STOCK)
    start(olga, address)
    job = job_of(session, cast)
    job.data = b"\x00"
    session.flush()
    import_resources(job.id)
    page = words(olga.get(address))
    assert "L’import s’est arrêté" in page
    assert "octets nuls" in page


def test_once_started_its_choices_are_no_longer_pages(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    address = given(olga, at, STOCK)
    start(olga, address)
    for path, data in (
        ("choix", choices(tick_all="1")), ("lecture", {"encoding": "", "delimiter": ""}),
        ("colonnes", {"genre": "thing", "colonne-0": "name"}),
    ):  # fmt: skip
        assert olga.post(f"{address}/{path}", data=data).status_code == 303
    assert olga.get(f"{address}/colonnes").status_code == 303
    assert Choices.from_json(job_of(session, cast).choices).ticked == frozenset()


# Who may


def test_other_people_are_told_who_can(client: FlaskClient, cast: Cast, at: str) -> None:
    sign_in(client, cast.alice)
    answer = client.get(at)
    assert answer.status_code == 403
    assert "les agents du prêteur" in words(answer)
    assert give(client, at, STOCK).status_code == 403


def test_another_lender_s_import_is_not_found(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    theirs = operations.receive(
        session, lender=cast.club.id, choices=Choices(), file_name="a.csv", data=STOCK, by=cast.delegate, at=NOON
    )
    session.commit()
    for path in ("", "/colonnes", "/rapport.csv"):
        assert olga.get(f"{at}/{theirs.token}{path}").status_code == 404
        assert olga.get(f"/preteurs/{cast.club.token}/imports/{theirs.token}{path}").status_code == 403
    for path in ("choix", "lecture", "colonnes", "suite"):
        assert olga.post(f"{at}/{theirs.token}/{path}").status_code == 404
    assert olga.get(f"{at}/inconnu").status_code == 404


def test_a_page_asks_as_few_questions_for_many_lines_as_for_few(
    olga: FlaskClient, session: Session, cast: Cast, at: str, town_file: bytes
) -> None:
    asked: list[list[int]] = []
    for number, data in enumerate((STOCK, town_file)):
        address = given(olga, at, data, key=f"key-{number}")
        counts = [_questions(olga, address)]
        start(olga, address)
        counts.append(_questions(olga, address))
        import_resources(job_of(session, cast).id)
        asked.append([*counts, _questions(olga, address), _questions(olga, at)])
    few, many = asked
    assert all(count <= 12 for count in many), many
    assert all(large <= small + 1 for small, large in zip(few, many, strict=True)), asked


def _questions(olga: FlaskClient, address: str) -> int:
    olga.get(address)  # what is kept for a minute is read by now
    with counted() as made:
        assert olga.get(address).status_code == 200
    return len(made)
