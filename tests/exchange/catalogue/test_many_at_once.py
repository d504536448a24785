"""Olga changes the same things of many rooms at once: what is written, what is refused, and what stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.catalogue import operations, queries
from exchange.catalogue.models import Resource
from exchange.catalogue.policy import MOST_AT_ONCE, Change
from exchange.db import transaction
from exchange.errors import HoursTooLong, LastBeforeFirst, LeastAboveMost, NotFound, TooManyAtOnce
from exchange.imports import operations as imports
from exchange.imports.plan import Choices
from exchange.tasks import import_resources
from tests.cast import NOON, Cast, sign_in
from tests.counting import counted
from tests.exchange.catalogue.conftest import Add
from tests.exchange.imports.conftest import town_path
from tests.hostile import Controls

NBSP, THIN = "\u00a0", "\u202f"
LATER = NOON.replace(hour=15)
WEEK = "Mo-Fr 08:00-18:00"
EVE = "2026 Dec 24 09:00-12:00"


@pytest.fixture
def three(cast: Cast, session: Session, add: Add) -> list[Resource]:
    """Two rooms and a drill; the first room is published, and has hours of its own on Christmas Eve."""
    rows = [
        add("room", "Salle A", capacity=20, opening_hours=f"{WEEK}; {EVE}", least_minutes=120,
            lent_from=date(2026, 6, 1)),
        add("room", "Salle B", description="Claire"),
        add("thing", "Perceuse", category="Outils", most_minutes=2880),
    ]  # fmt: skip
    operations.publish(session, lender=cast.town.id, capacities={rows[0].id: None}, by=cast.olga.by, at=NOON)
    return rows


Make = Callable[..., list[Resource]]


@pytest.fixture
def make(session: Session, cast: Cast, three: list[Resource]) -> Make:
    """Change facts of the three: ``make(category="Salles")``."""

    def made(*, act: str = "", forgets_specials: bool = False, **facts: Any) -> list[Resource]:
        change = Change(facts, forgets_specials, act)
        ids = [row.id for row in three]
        return operations.change(session, lender=cast.town.id, ids=ids, change=change, by=cast.olga.by, at=LATER)

    return made


def acts(session: Session, row: Resource) -> list[str]:
    return [act.act for act in queries.acts(session, row.id)][::-1]


# What is written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "Salles"), ("conditions", "À rendre propre"), ("buffer_minutes", 30), ("notice_hours", 48),
        ("ahead_days", 90), ("least_minutes", 60), ("most_minutes", 240), ("slots", "08:00-13:00,13:00-18:00"),
        ("lent_from", date(2026, 9, 1)), ("lent_until", date(2026, 12, 31)), ("decided_by", "nobody"),
        ("reserved", True), ("opening_hours", "Sa 09:00-12:00"),
    ],
)  # fmt: skip
def test_each_thing_becomes_the_same_and_nothing_else_moves(
    name: str, value: object, make: Make, session: Session, cast: Cast, three: list[Resource]
) -> None:
    ids = [row.id for row in three]
    before = queries.views(session, ids)
    assert make(**{name: value}) == three
    session.expire_all()
    after = queries.views(session, ids)
    for id_ in ids:
        kept = f"{value}; {EVE}" if name == "opening_hours" and EVE in before[id_].opening_hours else value
        assert after[id_] == before[id_]._replace(**{name: kept})
    written = session.execute(
        text("SELECT by_sign_in, by_party, acted_at FROM resource_acts WHERE act = 'edited' ORDER BY resource_id")
    ).all()
    assert [tuple(row) for row in written] == [(cast.olga.by.sign_in, cast.olga.by.party, LATER)] * 3


def test_nothing_is_changed_nor_signed_of_what_is_so_already(
    make: Make, session: Session, three: list[Resource]
) -> None:
    assert make(category="Outils") == three[:2]
    assert acts(session, three[2]) == ["added"]
    assert make(category="Outils") == []


def test_an_empty_value_is_a_value(make: Make, session: Session, three: list[Resource]) -> None:
    make(category="", least_minutes=None, most_minutes=None, lent_from=None)
    session.expire_all()
    assert {(row.category, row.least_minutes, row.most_minutes, row.lent_from) for row in three} == {
        ("", None, None, None)
    }


def test_special_hours_stay_with_other_weeks_unless_they_are_to_be_forgotten(
    make: Make, session: Session, three: list[Resource]
) -> None:
    make(opening_hours="Sa 10:00-12:00")
    assert [row.opening_hours for row in three] == [f"Sa 10:00-12:00; {EVE}", *["Sa 10:00-12:00"] * 2]
    make(opening_hours="")  # always, but that day
    assert [row.opening_hours for row in three] == [f"24/7; {EVE}", "", ""]
    make(opening_hours="Sa 10:00-12:00; 2026 Dec 24 20:00-23:00")
    assert {row.opening_hours for row in three} == {"Sa 10:00-12:00; 2026 Dec 24 20:00-23:00"}
    make(opening_hours=WEEK, forgets_specials=True)
    assert {row.opening_hours for row in three} == {WEEK}


def test_many_are_withdrawn_retired_and_lent_again(make: Make, session: Session, three: list[Resource]) -> None:
    assert make(act="withdrawn") == three[:1]
    assert make(act="retired", category="Réserve") == three
    assert all((row.published_at, row.retired_at) == (None, LATER) for row in three)
    assert make(act="retired") == []
    assert make(act="restored") == three
    assert {row.retired_at for row in three} == {None}
    assert acts(session, three[0]) == ["added", "published", "withdrawn", "edited", "retired", "restored"]
    assert acts(session, three[1]) == ["added", "edited", "retired", "restored"]


# All or nothing


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"most_minutes": 60}, LeastAboveMost), ({"least_minutes": 4320}, LeastAboveMost),
        ({"lent_until": date(2026, 1, 1)}, LastBeforeFirst),
        ({"opening_hours": "Mo-Fr 08:00-18:00; " * 52 + "PH off"}, HoursTooLong),
    ],
)  # fmt: skip
def test_one_row_that_cannot_be_so_keeps_all_back(
    facts: dict[str, Any], refusal: type[Exception], make: Make, session: Session, three: list[Resource]
) -> None:
    before = queries.views(session, [row.id for row in three])
    with pytest.raises(refusal) as refused:
        make(category="Salles", **facts)
    assert refused.value.facts["resource"] in before
    session.flush()
    session.expire_all()
    assert queries.views(session, [row.id for row in three]) == before
    assert "edited" not in acts(session, three[0])


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [("most_minutes", 60, LeastAboveMost), ("lent_until", date(2026, 1, 1), LastBeforeFirst)],
)
def test_it_is_refused_of_one_edited_alone_too_and_by_the_database_itself(
    name: str, value: object, refusal: type[Exception], session: Session, cast: Cast, three: list[Resource]
) -> None:
    with pytest.raises(refusal):
        operations.edit(session, three[0], {name: value}, by=cast.olga.by, at=NOON)
    written = text(f"UPDATE resources SET {name} = :value WHERE id = :id")
    with pytest.raises(refusal), transaction() as same:
        same.execute(written, {"value": value, "id": three[0].id})


def test_what_is_another_lender_s_keeps_all_back(session: Session, cast: Cast, add: Add) -> None:
    mine, theirs = add("thing", "Perceuse"), add("thing", "Tatami", lender=cast.club.id)
    for ids in ([mine.id, theirs.id], [mine.id, 10**12]):
        with pytest.raises(NotFound):
            operations.change(session, lender=cast.town.id, ids=ids, change=Change({"category": "X"}), by=cast.olga.by,
                              at=NOON)  # fmt: skip
    assert (mine.category, theirs.category) == ("", "")


def test_two_hundred_and_one_are_too_many(session: Session, cast: Cast) -> None:
    with pytest.raises(TooManyAtOnce):
        operations.change(session, lender=cast.town.id, ids=range(1, MOST_AT_ONCE + 2), change=Change({}),
                          by=cast.olga.by, at=NOON)  # fmt: skip


def test_a_fact_that_is_none_of_the_catalogue_is_a_fault_of_ours(make: Make) -> None:
    with pytest.raises(TypeError):
        make(lender_id=1)


# Pages


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/preteurs/{cast.town.token}"


def said(rows: list[Resource], *changes: str, **more: Any) -> dict[str, Any]:
    """A form in which these rows, all ticked, have these changes."""
    tokens = [row.token for row in rows]
    return {"among": " ".join(tokens), "ligne": tokens, "changes": list(changes), "key": "one-form", **more}


def sent_again(page: str) -> dict[str, list[str]]:
    """What the last form of a page says when its button is pressed."""
    shown = Controls(page.rpartition("<form")[2]).shown
    return {name: values for name, values in shown.items() if name != "csrf_token"}


def test_the_rows_that_are_ticked_are_on_the_page_all_ticked_and_nothing_is_to_be_changed_yet(
    olga: FlaskClient, at: str, three: list[Resource]
) -> None:
    page = olga.post(f"{at}/modifications/lignes", data={"ligne": [three[0].token, three[2].token], "etat": "ready"})
    assert page.status_code == 200
    assert "Modifier 2 ressources" in page.text
    shown = Controls(page.text).shown
    assert sorted(shown["ligne"]) == sorted([three[0].token, three[2].token])
    assert "changes" not in shown
    assert f'action="{at}/modifications/verification?etat=ready"' in page.text
    assert f'href="{at}/ressources?etat=ready"' in page.text


def test_capacities_that_were_typed_on_the_list_are_there_when_one_comes_back(
    olga: FlaskClient, at: str, session: Session, three: list[Resource]
) -> None:
    room, drill = three[1], three[2]
    typed = {f"capacite-{room.token}": "80", "capacite-ailleurs\0": "7", "capacite-x": "beaucoup trop"}
    page = olga.post(f"{at}/modifications/lignes", data=typed | {"ligne": drill.token}).text
    back = next(unescape(each) for each in re.findall(r'href="([^"]*ressources\?[^"]*)"', page) if "capacite" in each)
    assert (room.token in back, "ailleurs" in back, "beaucoup" in back) == (True, False, False)
    assert Controls(olga.get(back).text).shown[f"capacite-{room.token}"] == ["80"]
    check = next(unescape(found) for found in re.findall(r'action="([^"]*verification[^"]*)"', page))
    said = {"among": drill.token, "ligne": drill.token, "changes": "conditions", "conditions": "Propre", "key": "k"}
    confirm = next(unescape(found) for found in re.findall(r'action="([^"]*modifications\?[^"]*)"',
                                                           olga.post(check, data=said).text))  # fmt: skip
    done = olga.post(confirm, data=said)
    assert done.status_code == 303
    assert Controls(olga.get(done.location).text).shown[f"capacite-{room.token}"] == ["80"]
    assert room.capacity is None, "nothing is written before it is published"
    other = olga.post(f"{at}/modifications/lignes", data=typed)
    assert Controls(other.text).shown[f"capacite-{room.token}"] == ["80"], "nothing was ticked"


def test_what_is_published_with_its_capacity_is_carried_no_further(
    olga: FlaskClient, at: str, three: list[Resource]
) -> None:
    room = three[1]
    done = olga.post(f"{at}/publications", data={f"capacite-{room.token}": "80", "ligne": room.token})
    assert (done.status_code, "capacite" in done.location) == (303, False)


def test_all_that_a_filter_shows_is_changed_from_one_link(olga: FlaskClient, at: str, three: list[Resource]) -> None:
    listed = olga.get(f"{at}/ressources?q=salle").text
    assert f'href="{at}/modifications?q=salle">Modifier d’un coup les 2 de cette liste' in listed
    shown = Controls(olga.get(f"{at}/modifications?q=salle").text).shown
    assert sorted(shown["ligne"]) == sorted(row.token for row in three[:2])


def test_every_row_of_the_list_can_be_ticked_published_ones_too(
    olga: FlaskClient, at: str, three: list[Resource]
) -> None:
    page = olga.get(f"{at}/ressources").text
    assert sorted(Controls(page).offered["ligne"]) == sorted(row.token for row in three)
    assert f'formaction="{at}/modifications/lignes"' in page


def test_a_row_that_is_published_already_and_ticked_is_not_published_twice(
    olga: FlaskClient, session: Session, at: str, three: list[Resource]
) -> None:
    tokens = [row.token for row in three]
    given = {"ligne": tokens, f"capacite-{tokens[1]}": "30"}
    answer = olga.post(f"{at}/publications", data=given, follow_redirects=True)
    assert "2 ressources sont publiées." in answer.text
    assert acts(session, three[0]).count("published") == 1
    again = olga.post(f"{at}/publications", data={"ligne": tokens})
    assert again.status_code == 422
    assert "Cochez au moins une ligne à publier." in again.text


def test_what_changes_is_checked_then_written_once_for_two_presses(
    olga: FlaskClient, session: Session, at: str, three: list[Resource]
) -> None:
    form = said(three, "category", "notice_hours", "decided_by", category="Outils", notice_hours="48",
                decided_by="nobody", buffer_minutes="60", least_minutes="n’importe quoi")  # fmt: skip
    page = olga.post(f"{at}/modifications/verification?q=a", data=form)
    assert page.status_code == 200
    for sentence in ("3 ressources seront modifiées", "2 jours avant", "Une demande possible est acceptée aussitôt",
                     "change pour 2 ressources"):  # fmt: skip
        assert sentence in page.text
    assert acts(session, three[2]) == ["added"]
    again = sent_again(page.text)
    answers = [olga.post(f"{at}/modifications?q=a", data=again) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert {answer.headers["Location"] for answer in answers} == {f"{at}/ressources?categorie=Outils"}
    session.expire_all()
    assert {(row.category, row.notice_hours, row.decided_by) for row in three} == {("Outils", 48, "nobody")}
    assert {row.buffer_minutes for row in three} == {0}  # typed, and not ticked
    assert [acts(session, row).count("edited") for row in three] == [1, 1, 1]
    told = olga.get(answers[0].headers["Location"]).text
    assert f"3 ressources sont modifiées{NBSP}: la catégorie, combien de temps avant il faut demander, qui r" in told
    assert olga.post(f"{at}/modifications", data=again | {"notice_hours": "24"}).status_code == 409


def test_the_row_that_stands_against_it_is_named_and_the_others_go_on_without_it(
    olga: FlaskClient, session: Session, at: str, three: list[Resource]
) -> None:
    form = said(three, "most_minutes", most_minutes="1 h")
    page = olga.post(f"{at}/modifications/verification", data=form)
    assert "Ces modifications ne peuvent pas toutes se faire" in page.text
    assert f"Salle A</a> – Ce serait prêté 2{NBSP}h au moins, et 1{NBSP}h au plus." in page.text
    pressed = olga.post(f"{at}/modifications", data=form)  # as if there had been nothing to check
    assert pressed.status_code == 422
    assert "Salle A</a> – Ce serait prêté" in pressed.text
    session.expire_all()
    assert [row.most_minutes for row in three] == [None, None, 2880]
    without = olga.post(f"{at}/modifications/verification", data=sent_again(page.text))
    assert "2 ressources seront modifiées" in without.text
    assert olga.post(f"{at}/modifications", data=sent_again(without.text)).status_code == 303
    session.expire_all()
    assert [row.most_minutes for row in three] == [None, 60, 60]


def test_correcting_shows_the_form_as_it_was_and_the_row_left_out_can_be_ticked_again(
    olga: FlaskClient, at: str, three: list[Resource]
) -> None:
    form = said(three, "most_minutes", most_minutes="1 h", conditions="Pas ticked")
    refused = sent_again(olga.post(f"{at}/modifications/verification", data=form).text)
    page = olga.post(f"{at}/modifications/verification", data=refused | {"correct": "1"})
    assert page.status_code == 200
    controls = Controls(page.text)
    assert sorted(controls.offered["ligne"]) == sorted(row.token for row in three)
    assert sorted(controls.shown["ligne"]) == sorted(row.token for row in three[1:])
    assert (controls.shown["changes"], controls.shown["most_minutes"]) == (["most_minutes"], ["1 h"])
    assert controls.shown["conditions"][0].strip() == "Pas ticked"


def test_hours_that_say_more_than_can_be_ticked_are_told_before_they_are_lost(
    olga: FlaskClient, session: Session, at: str, add: Add, three: list[Resource]
) -> None:
    chapel = add("room", "Chapelle", opening_hours="Sa[1] 09:00-18:00")
    days = {"hours_days": ["Mo", "Tu"], "hours_from": "9h", "hours_to": "17h", "holidays_off": "y"}
    page = olga.post(f"{at}/modifications/verification", data=said([*three, chapel], "opening_hours", **days))
    assert f"lundi, mardi de 9{NBSP}h à 17{NBSP}h" in page.text
    assert "Fermé les jours fériés" in page.text
    assert "Chacune garde ses heures exceptionnelles." in page.text
    lost = page.text.partition("1 ressource a des heures plus détaillées")[2].partition("</ul>")[0]
    assert re.findall("<li>(.*?)</li>", lost) == ["Chapelle"]
    assert olga.post(f"{at}/modifications", data=sent_again(page.text)).status_code == 303
    session.expire_all()
    assert three[0].opening_hours == f"Mo,Tu 09:00-17:00; PH off; {EVE}"
    assert chapel.opening_hours == "Mo,Tu 09:00-17:00; PH off"


@pytest.mark.parametrize(
    ("changes", "act", "leads", "left"),
    [
        (["act"], "retired", "?etat=retired&q=e", {"retired": 3}),
        (["act", "category"], "retired", "?categorie=-&etat=retired", {"retired": 3}),
        (["act"], "withdrawn", "?q=e", {"ready": 2, "incomplete": 1}),
    ],
)
def test_what_is_lent_no_more_is_shown_where_it_is_now(
    changes: list[str], act: str, leads: str, left: dict[str, int], olga: FlaskClient, session: Session, cast: Cast,
    at: str, three: list[Resource],
) -> None:  # fmt: skip
    answer = olga.post(f"{at}/modifications?q=e&page=2", data=said(three, *changes, act=act, category=""))
    assert answer.headers["Location"] == f"{at}/ressources{leads}"
    assert queries.counts(session, cast.town.id) == left
    assert olga.get(answer.headers["Location"]).text.count('name="ligne"') == 3


def test_a_row_said_twice_is_changed_once(
    olga: FlaskClient, session: Session, at: str, three: list[Resource]
) -> None:
    form = said([*three, three[0]], "category", category="Bourg")
    assert "3 ressources seront modifiées" in olga.post(f"{at}/modifications/verification", data=form).text
    assert olga.post(f"{at}/modifications", data=form).status_code == 303
    assert acts(session, three[0]).count("edited") == 1


def test_nothing_new_is_said_to_be_nothing(olga: FlaskClient, at: str, three: list[Resource]) -> None:
    form = said(three, "buffer_minutes", buffer_minutes="0")
    page = olga.post(f"{at}/modifications/verification", data=form).text
    assert "3 ressources sont déjà ainsi" in page
    assert "Corriger" in page
    assert "Modifier 3 ressources</button>" not in page
    assert "Rien n’a changé" in olga.post(f"{at}/modifications", data=form, follow_redirects=True).text


@pytest.mark.parametrize(
    ("changes", "wrong", "field", "why"),
    [
        ([], {}, "changes", "Cochez au moins une chose à changer."),
        (["lender_id"], {}, "changes", "Choisissez une des réponses proposées."),
        (["category"], {"ligne": []}, "ligne", "Gardez au moins une ressource cochée."),
        (["category"], {"ligne": ["ailleurs"]}, "ligne", "Choisissez une des réponses proposées."),
        (["category"], {"category": "x" * 81}, "category", "80 caractères au plus."),
        (["buffer_minutes"], {"buffer_minutes": "jamais"}, "buffer_minutes", "Choisissez une des réponses proposées."),
        (["ahead_days"], {"ahead_days": "551"}, "ahead_days", "Écrivez un nombre de jours, de 1 à 550."),
        (["least_minutes"], {"least_minutes": "2"}, "least_minutes", "Écrivez l’unité."),
        (["least_minutes", "most_minutes"], {"least_minutes": "2 h", "most_minutes": "1 h"}, "most_minutes",
         "C’est moins que"),
        (["lent_from", "lent_until"], {"lent_from": "2026-06-01", "lent_until": "2026-05-01"}, "lent_until",
         "Le dernier jour vient avant le premier."),
        (["slots"], {"lent_by": "slots", "slots_typed": "le matin"}, "slots_typed", "Écrivez des heures deux à deux"),
        (["slots"], {}, "lent_by", "Choisissez une réponse."),
        (["opening_hours"], {"hours_days": ["Mo"]}, "hours_from", "Indiquez de quelle heure à quelle heure"),
        (["opening_hours"], {"opening_hours": "lundi"}, "opening_hours", "Ces heures ne sont pas comprises"),
        (["act"], {}, "act", "Choisissez une réponse."),
        (["reserved"], {"reserved": "y"}, "reserved", "Choisissez une des réponses proposées."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_written(
    changes: list[str], wrong: dict[str, Any], field: str, why: str, olga: FlaskClient, session: Session, at: str,
    three: list[Resource],
) -> None:  # fmt: skip
    for step in ("/verification", ""):
        answer = olga.post(f"{at}/modifications{step}", data=said(three, *changes) | wrong)
        assert answer.status_code == 422
        _before, _id, after = answer.text.partition(f'id="{field}-error"')
        assert why in after.partition("</p>")[0]
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}"' in answer.text
    assert all("edited" not in acts(session, row) for row in three)


def test_lengths_that_cross_only_where_one_is_not_to_be_changed_are_no_matter(
    olga: FlaskClient, session: Session, at: str, three: list[Resource]
) -> None:
    form = said(three, "most_minutes", least_minutes="10 h", most_minutes="3 h", lent_from="2027-01-01",
                lent_until="2026-01-01")  # fmt: skip
    assert olga.post(f"{at}/modifications", data=form).status_code == 303
    session.expire_all()
    assert {row.most_minutes for row in three} == {180}


def test_two_officers_each_change_something_else_and_both_are_kept(
    olga: FlaskClient, session: Session, cast: Cast, at: str, three: list[Resource]
) -> None:
    checked = olga.post(f"{at}/modifications/verification", data=said(three, "notice_hours", notice_hours="48"))
    by = cast.olga.by
    operations.edit(session, three[0], {"name": "Salle Ambroise", "opening_hours": ""}, by=by, at=NOON)
    operations.change(session, lender=cast.town.id, ids=[row.id for row in three], change=Change({"category": "Bourg"}),
                      by=by, at=NOON)  # fmt: skip
    assert olga.post(f"{at}/modifications", data=sent_again(checked.text)).status_code == 303
    session.expire_all()
    assert {(row.category, row.notice_hours) for row in three} == {("Bourg", 48)}
    assert (three[0].name, three[0].opening_hours) == ("Salle Ambroise", "")


def test_a_day_that_a_colleague_gave_hours_meanwhile_keeps_them(
    olga: FlaskClient, session: Session, cast: Cast, at: str, three: list[Resource]
) -> None:
    form = said(three, "opening_hours", opening_hours="Mo-Su 08:00-23:00")
    checked = olga.post(f"{at}/modifications/verification", data=form)
    operations.edit(session, three[1], {"opening_hours": f"Sa 08:00-12:00; {EVE}"}, by=cast.olga.by, at=NOON)
    assert olga.post(f"{at}/modifications", data=sent_again(checked.text)).status_code == 303
    session.expire_all()
    assert three[1].opening_hours == f"Mo-Su 08:00-23:00; {EVE}"


def test_nothing_ticked_and_an_empty_filter_are_said_on_the_list(
    olga: FlaskClient, at: str, three: list[Resource]
) -> None:
    ticked = olga.post(f"{at}/modifications/lignes", data={"q": "salle"})
    assert (ticked.status_code, "Cochez au moins une ligne à modifier." in ticked.text) == (422, True)
    assert "Perceuse" not in ticked.text
    assert three[0].token in ticked.text
    empty = olga.get(f"{at}/modifications?q=château")
    assert (empty.status_code, "Rien ne correspond à ce filtre." in empty.text) == (422, True)


def test_another_lender_s_row_and_a_made_up_one_are_not_found(
    olga: FlaskClient, client: FlaskClient, cast: Cast, add: Add, at: str, three: list[Resource]
) -> None:
    dojo = add("room", "Dojo", lender=cast.club.id)
    for token in (dojo.token, "personne", "a\0b", "\u202e"):
        form = said(three, "category") | {"among": f"{three[0].token} {token}"}
        for step in ("/verification", ""):
            assert olga.post(f"{at}/modifications{step}", data=form).status_code == 404
        assert olga.post(f"{at}/modifications/lignes", data={"ligne": [three[0].token, token]}).status_code == 404
    for step in ("/verification", ""):
        nothing = olga.post(f"{at}/modifications{step}", data={"changes": "category"})
        assert (nothing.status_code, "Cochez au moins une ligne à modifier." in nothing.text) == (422, True)
    assert (dojo.category, three[0].category) == ("", "")


# Two hundred


@pytest.fixture
def town(session: Session, cast: Cast, add: Add) -> list[Resource]:
    """The rooms of a real town's file, imported, and as many more as make two hundred."""
    job = imports.receive(session, lender=cast.town.id, choices=Choices(("VILLE",)), file_name="erp-2014.csv",
                          data=town_path().read_bytes(), by=cast.olga.by, at=NOON)  # fmt: skip
    imports.start(session, job, zone="Europe/Paris", at=NOON)
    import_resources(job.id)
    imported = session.query(Resource).filter_by(lender_id=cast.town.id).all()
    assert len(imported) == 160
    return imported + [add("room", f"Annexe {n}", opening_hours=f"{WEEK}; {EVE}") for n in range(MOST_AT_ONCE - 160)]


def test_a_whole_town_is_changed_in_few_statements_and_one_more_is_too_many(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str, town: list[Resource]
) -> None:
    with counted() as asked:
        begun = olga.get(f"{at}/modifications")
    assert len(Controls(begun.text).shown["ligne"]) == MOST_AT_ONCE
    assert len(asked) <= 12
    form = said(town, "notice_hours", "opening_hours", "decided_by", notice_hours="48", decided_by="nobody",
                opening_hours=WEEK)  # fmt: skip
    with counted() as asked:
        page = olga.post(f"{at}/modifications/verification", data=form)
    assert "200 ressources seront modifiées" in page.text
    assert "160 ressources" in page.text  # those that had other hours
    assert len(asked) <= 12
    with counted() as asked:
        assert olga.post(f"{at}/modifications", data=sent_again(page.text)).status_code == 303
    assert len(asked) <= 20, "\n".join(asked)
    signed = session.execute(text("SELECT count(*) FROM resource_acts WHERE act = 'edited'")).scalar()
    assert signed == MOST_AT_ONCE
    add("room", "Et une de plus")
    for answer in (
        olga.get(f"{at}/modifications"),
        olga.post(f"{at}/modifications/lignes", data={"ligne": [row.token for row in session.query(Resource)]}),
    ):
        assert answer.status_code == 422
        assert "On ne modifie pas plus de 200 ressources à la fois. Filtrez d’abord la liste" in answer.text
    among = " ".join(row.token for row in session.query(Resource))
    form = said(town, "category", category="X") | {"among": among}
    assert olga.post(f"{at}/modifications", data=form).status_code == 422
    assert "filtrez-la d’abord" in olga.get(f"{at}/ressources").text
    assert "Modifier d’un coup" not in olga.get(f"{at}/ressources").text
    assert session.query(Resource).filter_by(category="X").count() == 0
