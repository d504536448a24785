"""Every form of the site: who sends it, exactly what it reads, and values with which it is accepted.

A form that isn't in ``FORMS`` fails ``test_every_form``: who adds one says what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from flask import Flask, Request, Response, request, url_for
from flask_security.recoverable import generate_reset_link
from freezegun import freeze_time
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool, StaticPool
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from exchange.agreements import operations as agreements
from exchange.agreements import queries as agreements_of
from exchange.agreements import telling as papers
from exchange.bookings import damages, extending
from exchange.bookings import operations as bookings
from exchange.bookings import queries as loans
from exchange.bookings.wanted import Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.queries import ResourceView
from exchange.config import WEB_ROLE
from exchange.db import db
from exchange.imports import operations as imports
from exchange.imports.plan import Choices
from exchange.keys import operations as keys
from exchange.members.models import SignIn
from ledger.entries import Acting
from tests.cast import NOON, PASSWORD, Cast, Person
from tests.databases import Database
from tests.lent import Lent
from tests.papers import CERTIFICATE
from tests.photos import PHOTO
from tests.world import World, account

ROLES = (None, "alice", "olga", "fanny", "tibo", "aicha")  # a visitor, a member, an officer, and the SEL's offices
PEOPLE = ("alice", "bruno", "chloe", "fanny", "tibo", "aicha", "olga", "zoe")
EVERYTHING = "*"  # a form that goes through whatever was sent, and keeps what it knows
OF_ONE = re.compile(r"[a-z]+_[\w-]{22}")  # a field that is named after something's random identifier


class File(NamedTuple):
    """A file, as a form sends it."""

    name: str
    content: bytes


class Sent(NamedTuple):
    """A form that is accepted. In names, values and addresses, ``{hall}`` stands for the identifier of the hall..."""

    endpoint: str
    who: str | None  # None: a visitor
    says: dict[str, Any]
    at: dict[str, str] = {}  # what its address names besides the values of the world
    besides: frozenset[str] = frozenset()  # what it reads too, and that is not sent here: other buttons...
    status: int = 303
    readers: Collection[str | None] | None = None  # who it is read for, when that is not everybody who may send it
    writes: bool = True
    narrows: frozenset[str] = frozenset()  # what says which rows its page shows: others are out of sight
    unshown: frozenset[str] = frozenset()  # what its page doesn't always ask for, and that nobody types


KEY = {"key": "une-cle"}
PLACE = {
    "place_name": "Halle", "address": "1 place du Marché", "postcode": "35480", "town": "Saint-Marron",
    "erp_category": "IV", "access": "accessible", "access_note": "Rampe à l’arrière",
}  # fmt: skip
THING = KEY | PLACE | {
    "name": "Petite halle", "category": "Salles", "description": "Claire", "conditions": "À rendre propre",
    "opening_hours": "", "hours_shown": "", "hours_days": ["Mo", "Fr"], "hours_from": "8h30", "hours_to": "12h",
    "hours_again": "14:00", "hours_until": "22:00", "others_days": ["Sa"], "others_from": "9h", "others_to": "18h",
    "others_again": "", "others_until": "", "holidays_off": "y", "buffer_minutes": "30", "decided_by": "officer",
    "schools_off": "y", "lent_by": "slots", "slots_typed": "8h30-12h, 14h à 18h", "reserved": "y",
    "option_days": "10", "option_call_days": "3", "turn_hours": "24",
    "notice_hours": "48", "ahead_days": "90", "least_minutes": "1h", "most_minutes": "2 jours",
    "lent_from": "2026-11-01", "lent_until": "2027-10-31",
    "place": "nouveau", "photo_address": "https://ville.example/p.jpg",
}  # fmt: skip
VALUED = THING | {"value": "1\u202f234,50 €"}
MANY = KEY | {
    "among": "{attic} {cellar}", "ligne": "{attic}",
    "changes": ["category", "conditions", "opening_hours", "buffer_minutes", "slots", "notice_hours", "ahead_days",
                "least_minutes", "most_minutes", "lent_from", "lent_until", "decided_by", "reserved", "act"],
    "forgets_specials": "y", "act": "retired",
} | {name: THING[name] for name in (
    "category", "conditions", "opening_hours", "hours_shown", "hours_days", "hours_from", "hours_to", "hours_again",
    "hours_until", "others_days", "others_from", "others_to", "others_again", "others_until", "holidays_off",
    "schools_off", "buffer_minutes", "lent_by", "slots_typed", "notice_hours", "ahead_days", "least_minutes",
    "most_minutes", "lent_from", "lent_until", "decided_by",
)} | {"reserved": "authorised"}  # fmt: skip
ADVERT = KEY | {"kind": "offer", "nature": "service", "category": "Jardin", "title": "Taille de rosiers",
                "text": "En février."}  # fmt: skip
CLOSED = KEY | {
    "kind": "works", "day": "2026-12-12", "starts": "8h", "end_day": "2026-12-18", "ends": "18h",
    "reason": "Réfection du parquet",
}  # fmt: skip
EVE = {
    "day": "2026-12-24", "hours_from": "8h", "hours_to": "12h", "hours_again": "14h", "hours_until": "16h",
}  # fmt: skip
OFFERED = KEY | {
    "resource": "{hall}", "day": "2026-12-03", "starts": "14h", "ends": "18h", "end_day": "2026-12-03",
    "word": "Des travaux ce jour-là",
}  # fmt: skip
DECLARATION = KEY | {
    "direction": "received", "other": "{bruno}", "minutes": "1h30", "happened_on": "2026-11-20", "nature": "service",
    "description": "Désherbage", "slip": "B-12",
}  # fmt: skip
SPEAKERS = {
    "speakers1": ["{olga_types}"], "speakers2": [], "speakers3": [], "speakers4": [], "resources": ["{hall}"],
}  # fmt: skip
CHARTERS = frozenset({"charters"})
ASKED = KEY | {
    "party": "{alice}", "day": "2026-12-15", "starts": "14h", "ends": "18h", "end_day": "", "people": "20",
    "purpose": "Goûter", "charters": "",
}  # fmt: skip
SERIES = {name: value for name, value in ASKED.items() if name != "end_day"} | {
    "every": "fortnight", "weekdays": ["Tu", "Fr"], "until": "2027-02-05", "without_school_holidays": "y",
    "without_public_holidays": "y", "shown": ["2026-12-15", "2026-12-18"], "days": ["2026-12-15", "2027-01-15"],
}  # fmt: skip
OPENED = KEY | {"whom": "members", "decided_on": "2026-10-03", "decision": "Résolution 4, à l’unanimité"}
RULE = KEY | {"title": "Règle d’hiver", "on": "", "class_": "firm", "starts_on": "2026-12-01", "ends_on": "2027-03-01"}
LIMITS = KEY | {"floor": "300", "ceiling": "900", "reason": "Décidé en assemblée"}
LEVY = KEY | {"kind": "dues", "whom": "person", "minutes": "30 min", "leave_out": "y",
              "people": "{of_alice}", "reason": "Cotisation votée"}  # fmt: skip
IN_EUROS = {"cents": "300,50", "first": "y", "decision_number": "2026-31", "decision_date": "2026-06-01"}
CHARTER = KEY | {"title": "Charte des salles", "text": "# Charte\n\nRendre propre.", "asked": "y", "version": ""}
DOCUMENT = KEY | {
    "name": "Attestation", "help": "Votre assureur l’envoie.", "expires": "y", "verified": "y", "asked": "y",
    "classes": ["local-association", "inhabitant"], "categories": "Salle", "resources": "{other_half}", "version": "",
}  # fmt: skip
AGREEMENT = KEY | {
    "title": "Convention", "text": "# Convention {{numero}}\n\n{{demandeur}}", "covers": "chosen",
    "resources": "{hall}", "first": "borrower", "automatic": "y", "booking": "{accepted}", "version": "",
}  # fmt: skip
CORRECT = frozenset({"correct"})  # the button that goes back to the form
WITH = frozenset({EVERYTHING})  # what is asked for beside a room has a field of its own, named after it
AMONG = frozenset({"among"})
LISTED = {"categorie": "", "etat": "", "q": "", "page": "1"}

FORMS: tuple[Sent, ...] = (
    Sent("security.login", None, {"username": "alice", "password": PASSWORD, "remember": "y", "next": "/moi"},
         readers={None}),
    Sent("security.logout", "alice", {}),
    Sent("security.logout_elsewhere", "alice", {}),
    Sent("security.forgot_password", None, {"name": "alice"}),
    Sent("security.reset_password", None, {"new": "noix et noisettes"}, {"token": "{link}"}),
    Sent("security.change_password", "alice", {"password": PASSWORD, "new": "noix et noisettes"}),
    Sent("members.join", None, KEY | {"community": "{sel}", "name": "Yves Le Goff", "email": "yves@example.org",
                                      "phone": "02 99 00 00 00", "message": "Bonjour à tous"}),
    Sent("members.accept", "aicha", {}),
    Sent("members.decline", "aicha", {"reason": "Hors de notre territoire"}),
    Sent("members.edit", "alice", {
        "about": "J’aime les haies", "about_shown": "y", "area": "Le bourg", "area_shown": "y",
        "phone": "02 99 11 11 11", "phone_shown": "y", "email": "alice@example.org", "email_shown": "y",
    }),
    Sent("members.language", "alice", {"language": "en"}),
    Sent("members.tokens", "alice", KEY | {"name": "Mon tableur", "days": "30"}, status=200),
    Sent("members.revoke", "alice", {}),
    Sent("feeds.renew", "alice", {}),
    Sent("feeds.close", "alice", {}),
    Sent("organisations.edit", "bruno", {"about": "De la gymnastique", "contact": "02 99 22 22 22"},
         {"party": "{club}"}),
    Sent("adverts.new", "alice", ADVERT),
    Sent("adverts.edit", "alice", ADVERT),
    Sent("adverts.close", "alice", {}),
    Sent("adverts.categories", "aicha", KEY | {"name": "Cuisine"}),
    Sent("adverts.write", "chloe", KEY | {"party": "{chloe}", "text": "Toujours libre samedi ?"}),
    Sent("adverts.answer", "alice", KEY | {"text": "Oui, à dix heures."}),
    Sent("declarations.check", "alice", DECLARATION, besides=CORRECT, status=200, writes=False),
    Sent("declarations.create", "alice", DECLARATION),
    Sent("declarations.confirm", "alice", {}),
    Sent("declarations.refuse", "alice", {"reason": "Ce n’était pas moi"}),
    Sent("declarations.withdraw", "fanny", {}),
    Sent("seals.export", "aicha", {}, status=200),
    Sent("seals.opening", "aicha", OPENED),
    Sent("audit.recompute", "tibo", {}),
    Sent("bookings.check", "alice", ASKED | {"with_{chairs}": "4"}, besides=CORRECT | WITH,
         status=200, writes=False, unshown=CHARTERS),
    Sent("bookings.create", "alice", ASKED | {"with_{chairs}": "4"}, besides=WITH, unshown=CHARTERS),
    Sent("bookings.create", "alice", ASKED | {"quantity": "3"}, {"resource": "{chairs}"}, besides=WITH,
         unshown=CHARTERS),
    Sent("bookings.take_option", "alice", ASKED | {"with_{chairs}": "4"}, besides=WITH, unshown=CHARTERS),
    Sent("bookings.confirm_option", "alice", {}, {"booking": "{option}"}),
    Sent("bookings.release_option", "alice", {}, {"booking": "{option}"}),
    Sent("bookings.join", "alice", ASKED | {"day": "2026-12-24", "starts": "12h", "ends": "15h", "with_{chairs}": "1"},
         besides=WITH, unshown=CHARTERS),
    Sent("bookings.leave", "alice", {}),
    Sent("bookings.cancel", "alice", {"remarks": "La fête est remise"}),
    Sent("bookings.check_change", "alice", ASKED | {"with_{chairs}": "4"}, besides=CORRECT | WITH,
         status=200, writes=False, unshown=CHARTERS),
    Sent("bookings.ask_change", "alice", ASKED | {"with_{chairs}": "4"}, besides=WITH, unshown=CHARTERS),
    Sent("bookings.accept", "olga", {}),
    Sent("bookings.decide_many", "olga", {
        "chosen": ["{asked}"], "verdict": "declined", "ground": "services", "text": "La salle est en travaux",
    }),
    Sent("bookings.decline", "olga", {"ground": "services", "text": "La salle est en travaux"}),
    Sent("bookings.hand_over", "olga", {"remarks": "Deux clés", "note_{hall}": "Propre", "keys": "{key}"},
         {"booking": "{accepted}"}),
    Sent("bookings.hand_over", "olga", {
        "remarks": "Deux de moins", "out_{chairs}": "2", "note_{chairs}": "Une est rayée", "other_keys": "{key}",
    }, {"booking": "{many}"}),
    Sent("bookings.take_back", "olga", {"remarks": "Tout est là", "note_{hall}": ""}, {"booking": "{out}"}),
    Sent("bookings.take_back", "olga", {
        "remarks": "Le reste demain", "back_{chairs}": "0", "broken_{chairs}": "1", "lost_{chairs}": "0",
        "note_{chairs}": "Un pied tordu", "keys": "{badge}",
    }, {"booking": "{lent_out}"}, besides=frozenset({"lost_keys"})),
    Sent("bookings.propose_damage", "olga", KEY | {"words": "Un pied cassé", "minutes": "1h30", "cents": ""},
         {"booking": "{lent_out}"}),
    Sent("bookings.note_received", "olga", {}, {"damage": "{owed}"}),
    Sent("bookings.accept_damage", "alice", {}),
    Sent("bookings.contest_damage", "alice", {"text": "Il était déjà tordu"}),
    Sent("bookings.mediate", "fanny", {"outcome": "lowered", "amount": "10 min", "text": "Moitié-moitié"},
         {"damage": "{contested}"}),
    Sent("bookings.agree", "olga", {"outcome": "dropped", "amount": "", "text": "On en a parlé"},
         {"damage": "{between_two}"}),
    Sent("bookings.extend", "alice", {"day": "2026-11-24", "ends": "18h", "reason": "Il pleut"},
         {"booking": "{lent_out}"}),
    Sent("bookings.extend_for", "olga", {"day": "2026-11-24", "ends": "18h", "reason": "Il pleut"},
         {"booking": "{lent_out}"}),
    Sent("bookings.grant_extension", "olga", {}, {"booking": "{longer}"}),
    Sent("bookings.decline_extension", "olga", {"text": "C’est attendu"}, {"booking": "{longer}"}),
    Sent("bookings.count_people", "olga", {"people": "40"}, {"booking": "{used}"}),
    Sent("bookings.tell_people", "alice", {"people": "40"}, {"booking": "{used}"}),
    Sent("bookings.add_picture", "olga", KEY | {
        "file": File("chaises.jpg", PHOTO), "words": "Deux chaises", "moment": "back",
    }, {"booking": "{lent_out}"}),
    Sent("bookings.remove_picture", "olga", {}, {"booking": "{lent_out}", "picture": "{shown}"}),
    Sent("keys.create", "olga", KEY | {
        "label": "Badge 13", "place": "{place}", "opens": "{hall}", "note": "Portail du fond",
    }),
    Sent("keys.update", "olga", KEY | {"label": "Badge 14", "place": "", "opens": "{hall}", "note": "Au fond"}),
    Sent("keys.note_lost", "olga", {}),
    Sent("keys.note_found", "olga", {}, {"key": "{lost}"}),
    Sent("keys.retire", "olga", {}),
    Sent("bookings.note_no_show", "olga", {"remarks": "Personne n’est venu"}, {"booking": "{missed}"}),
    Sent("bookings.check_series", "alice", SERIES | {"with_{chairs}": "4"}, besides=CORRECT | WITH,
         status=200, writes=False, unshown=CHARTERS),
    Sent("bookings.create_series", "alice", SERIES | {"with_{chairs}": "4"}, besides=WITH, unshown=CHARTERS),
    Sent("bookings.cancel_series", "alice", {"remarks": "La chorale se repose"}),
    Sent("bookings.accept_series", "olga", {}),
    Sent("bookings.give_opinion", "olga", {"favourable": "no", "words": "Trop de monde"}, {"booking": "{weighed}"}),
    Sent("bookings.give_opinion_of_series", "olga", {"favourable": "yes", "words": "Bien"},
         {"series": "{weighed_days}"}),
    Sent("circuits.create", "olga", SPEAKERS | {
        "key": "une-cle", "name": "Petites salles", "step1": "Gardien", "step2": "Maire", "step3": "", "step4": "",
    }),
    Sent("circuits.settle", "olga", SPEAKERS, {"circuit": "{circuit}"}, unshown=frozenset({"speakers3", "speakers4"})),
    Sent("bookings.decline_series", "olga", {"ground": "services", "text": "La salle est en travaux"}),
    Sent("documents.create", "olga", DOCUMENT),
    Sent("documents.rewrite", "olga", DOCUMENT | {"version": "1"}),
    Sent("documents.suggest", "olga", {"which": "commitment"}),
    Sent("bookings.give_document", "alice", KEY | {"files": File("attestation.pdf", CERTIFICATE),
                                                   "valid_until": "2027-06-30", "booking": "{filed}"}),
    Sent("bookings.verify_paper", "olga", {"document": "{given}"}, {"booking": "{filed}"}),
    Sent("bookings.refuse_paper", "olga", {"document": "{given}", "reason": "On ne lit pas la date"},
         {"booking": "{filed}"}),
    Sent("bookings.note_paper_seen", "olga", KEY | {"valid_until": "2027-06-30"}, {"booking": "{filed}"}),
    Sent("charters.create", "olga", CHARTER | {"place": "{place}"}),
    Sent("charters.rewrite", "olga", CHARTER | {"version": "1", "place": ""}, {"charter": "{chartered}"},
         unshown=frozenset({"place"})),
    Sent("agreements.write_template", "olga", AGREEMENT, besides=frozenset({"preview"})),
    Sent("agreements.rewrite_template", "olga", AGREEMENT | {"version": "1"}, besides=frozenset({"preview"})),
    Sent("agreements.make", "olga", KEY | {"insurance": "MAIF, contrat 12"}, {"booking": "{accepted}"}),
    Sent("agreements.accept_", "olga", {"digest": "{digest}", "read": "y"}, unshown=frozenset({"digest"})),
    Sent("agreements.note_paper", "olga", {"name": "Alice", "signed_on": "2026-11-20"}, {"booking": "{on_paper}"}),
    Sent("agreements.receive", "olga", KEY | {"kind": "deposit", "cents": "100", "means": "cheque", "reference": "123",
                                              "received_on": "2026-11-20"}, {"booking": "{papered}"}),
    Sent("agreements.end_receipt", "olga", KEY | {"outcome": "kept", "cents": "20", "ended_on": "2026-11-21",
                                                  "reason": "Une chaise cassée"}, {"booking": "{papered}"}),
    Sent("bookings.check_closing", "olga", CLOSED, status=200, writes=False),
    Sent("bookings.close", "olga", CLOSED),
    Sent("bookings.close", "olga", CLOSED | {"quantity": "2"}, {"resource": "{chairs}"}),
    Sent("bookings.lift", "olga", {}),
    Sent("authorisations.give", "olga", KEY | {"who": "bruno", "until": "2027-06-30"}),
    Sent("authorisations.withdraw", "olga", {}),
    Sent("catalogue.add_special_hours", "olga", EVE),
    Sent("catalogue.remove_special_hours", "olga", {}, {"resource": "{attic}"}),
    Sent("bookings.offer", "olga", OFFERED),
    Sent("bookings.withdraw_offer", "olga", {}, {"booking": "{had}"}),
    Sent("bookings.revoke", "olga", {"ground": "services", "text": "Une fuite d’eau"}, {"booking": "{accepted}"}),
    Sent("bookings.consent", "alice", {}, {"booking": "{offered}"}),
    Sent("bookings.dismiss", "alice", {}, {"booking": "{offered}"}),
    Sent("catalogue.create", "olga", THING | {"capacity": "80"}, {"kind": "salle"}),
    Sent("catalogue.create", "olga", VALUED | {"inventory_number": "A-12"}, {"kind": "objet"}),
    Sent("catalogue.create", "olga", VALUED | {"quantity": "12"}, {"kind": "lot"}),
    Sent("catalogue.update", "olga", THING | {"capacity": "80"}),
    Sent("catalogue.update", "olga", VALUED | {"inventory_number": "A-12"}, {"resource": "{drill}"}),
    Sent("catalogue.update", "olga", VALUED | {"quantity": "12"}, {"resource": "{chairs}"}),
    Sent("catalogue.change_state", "olga", {}, {"act": "retrait"}),
    Sent("catalogue.change_state", "olga", {}, {"act": "fin"}),
    Sent("catalogue.change_state", "olga", {}, {"act": "reprise", "resource": "{retired}"}),
    Sent("catalogue.make_of", "olga", {"parts": "{cellar}"}, {"resource": "{attic}"}),
    Sent("catalogue.publish", "olga", LISTED | {"ligne": "{attic}", "capacite-{attic}": "30"},
         besides=frozenset({EVERYTHING}), narrows=frozenset(LISTED)),
    Sent("catalogue.edit_ticked", "olga", LISTED | {"ligne": "{attic}", "capacite-{attic}": "30"}, status=200,
         besides=frozenset({EVERYTHING}), writes=False, narrows=frozenset(LISTED)),
    Sent("catalogue.check_many", "olga", MANY, besides=CORRECT, status=200, writes=False, narrows=AMONG),
    Sent("catalogue.change_many", "olga", MANY, narrows=AMONG),
    Sent("catalogue.publish_one", "olga", {}, {"resource": "{cellar}"}),
    Sent("catalogue.update_place", "olga", PLACE),
    Sent("rulebook.create", "olga", RULE | {"minutes": "60", "per": "hour", "decision_number": "2026-31",
                                            "decision_date": "2026-06-01"}),
    Sent("rulebook.create", "olga", RULE | {"gate": "balance", "least_balance": "-60"}, {"shape": "condition"}),
    Sent("rulebook.create", "olga", RULE | IN_EUROS | {"per": "day"}, {"shape": "euros"}),
    Sent("rulebook.create", "olga", RULE | IN_EUROS, {"shape": "caution"}),
    Sent("rulebook.end", "olga", KEY | {"ends_on": "2026-12-31"}),
    Sent("reports.write_rate", "olga", KEY | {
        "on": "resource:{hall}", "cents": "1\u202f234,50 €", "per": "day", "starts_on": "2026-01-01",
        "decision": "2025-88", "decided_on": "2025-12-11",
    }),
    Sent("lending.begin", "alice", KEY | {
        "lender": "{alice}", "name": "Tables de jardin", "kind": "pool", "quantity": "4", "description": "En bois",
        "file": File("tables.jpg", PHOTO), "words": "Les tables, pliées",
    }),
    Sent("lending.terms", "olga", KEY | {
        "when": "hours", "hours_days": ["Mo", "Sa"], "hours_from": "9h", "hours_to": "18h", "most_minutes": "2880",
        "conditions": "À rendre propre", "decided_by": "nobody", "address": "1 place du Marché", "town": "Redon",
    }, {"resource": "{sander}"}),
    Sent("pictures.create", "olga", KEY | {"file": File("salle.jpg", PHOTO), "words": "La salle, vide"}),
    Sent("pictures.remove", "olga", {}),
    Sent("imports.create", "olga", KEY | {"file": File("salles.csv", b"nom;capacite\nSalle du haut;40\n")}),
    Sent("imports.read_as", "olga", {"encoding": "utf-8", "delimiter": ";"}),
    Sent("imports.map_columns", "olga", {"colonne-0": "name", "colonne-1": "quantity", "genre": "thing"}),
    Sent("imports.choose", "olga", {
        "owner_words": "VILLE, Mairie", "owner": "Ville", "categorie": "", "shown": "2", "ticked": "2", "statut": "",
        "page": "1", "importer": "1",
    }, besides=frozenset({"tick_all", "untick_all", "vers"})),
    Sent("imports.resume", "olga", {}, {"job": "{started}"}),
    Sent("stewardship.correct", "tibo", KEY | {"reason": "Saisi deux fois"}),
    Sent("stewardship.levy", "tibo", LEVY, besides=CORRECT, status=200, writes=False),
    Sent("stewardship.write_levy", "tibo", LEVY | {"kind": "work", "whom": "chosen"}),
    Sent("stewardship.limits", "aicha", LIMITS | {"kind": "person"}),
    Sent("stewardship.exception", "aicha", LIMITS | {"until": "2027-01-31"}),
    Sent("stewardship.leave", "aicha", KEY | {"reason": "Elle déménage"}, {"account": "{of_chloe}"}),
    Sent("stewardship.settle", "aicha", KEY | {"reason": "Partie sans adresse"}, {"account": "{leaving}"}),
    Sent("stewardship.approve", "aicha", KEY, {"account": "{leaving}", "settlement": "{proposed}"}),
    Sent("stewardship.months", "tibo", KEY | {"month": "2026-10-01"}),
    Sent("stewardship.open_account", "aicha", KEY | {"party": "{zoe}", "kind": "person"}),
    Sent("stewardship.close_account", "aicha", KEY | {"reason": "Elle a déménagé"}, {"account": "{of_chloe}"}),
)  # fmt: skip


class Heard(ImmutableMultiDict[str, Any]):
    """What a request says; it remembers the names that were looked for."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        object.__setattr__(self, "asked", set())

    asked: set[str]

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def getlist(self, name: str, *more: Any, **named: Any) -> list[Any]:
        self.asked.add(name)
        return super().getlist(name, *more, **named)

    def get(self, name: str, *more: Any, **named: Any) -> Any:
        self.asked.add(name)
        return super().get(name, *more, **named)

    def items(self, *more: Any, **named: Any) -> Any:
        self.asked.add(EVERYTHING)
        return super().items(*more, **named)

    def lists(self) -> Any:
        self.asked.add(EVERYTHING)
        return super().lists()

    def values(self, *more: Any) -> Any:
        self.asked.add(EVERYTHING)
        return super().values(*more)

    def keys(self) -> Any:
        self.asked.add(EVERYTHING)
        return super().keys()

    def __iter__(self) -> Iterator[str]:
        self.asked.add(EVERYTHING)
        return super().__iter__()


class Listening(Request):
    """A request that knows what was looked for in it."""

    parameter_storage_class = Heard


RANDOM = re.compile(r"[A-Za-z0-9_+/$.-]{16,}")  # identifiers, digests, passwords: other ones each time
State = dict[str, list[str]]


class Ground:
    """The site on one connection, with one of everything; each request is undone once its answer is read."""

    def __init__(self, database: Database) -> None:
        self.app: Flask = database.app(WTF_CSRF_ENABLED=False)
        self.app.request_class = Listening
        self.app.after_request(self._listen)
        self.read: set[str] = set()  # of the form, by the last request
        self.asked: set[str] = set()  # of the address
        options = {"options": f"-c role={WEB_ROLE} -c timezone=UTC"}
        engine = create_engine(database.superuser_url, poolclass=NullPool, connect_args=options)
        with self.app.app_context(), Session(engine, expire_on_commit=False) as session:
            self.world = World(session)
            self.names = self._names(session)
            session.commit()
            forgetful = session.get_one(SignIn, self._sign_in("alice"))
            with self.app.test_request_context():
                _address, self.names["link"] = generate_reset_link(forgetful)
        self._cookie("alice")  # she is signed in elsewhere too
        self.cookies = {name: self._cookie(name) for name in PEOPLE}
        self._engine = create_engine(database.superuser_url, poolclass=StaticPool, connect_args=options)
        self.connection = self._engine.connect()
        self._kept = self.connection.begin()
        make = sessionmaker(bind=self.connection, join_transaction_mode="create_savepoint")
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(db, "session", scoped_session(make, scopefunc=lambda: 0))
        self._rows, self._counters = self._tables()

    def close(self) -> None:
        """Undo everything."""
        db.session.remove()
        self._patch.undo()
        self._kept.rollback()
        self.connection.close()
        self._engine.dispose()

    def _sign_in(self, name: str) -> int:
        sign_in = getattr(self.world.cast, name).sign_in
        assert sign_in is not None
        return int(sign_in.id)

    def _cookie(self, name: str) -> str:
        client = self.app.test_client()
        answer = client.post("/connexion", data={"username": name, "password": PASSWORD}, base_url="https://localhost")
        assert answer.status_code == 303, answer.text
        cookie = client.get_cookie("session")
        assert cookie is not None
        return cookie.value

    def _names(self, session: Session) -> dict[str, str]:
        """What ``{...}`` stands for."""
        cast, lent, values = self.world.cast, self.world.lent, self.world.values
        people = [name for name, one in cast._asdict().items() if isinstance(one, Person)]
        attic = resources.mine_by_token(session, cast.town.id, self.world.unpublished.token)
        assert attic is not None
        town = Acting(None, cast.town.id)
        add = {"lender": cast.town.id, "by": town, "at": NOON}
        cellar = catalogue.add_resource(session, kind="room", name="Cave", place_id=attic.place_id, capacity=10, **add)
        retired = catalogue.add_resource(session, kind="thing", name="Vieux vidéoprojecteur", **add)
        catalogue.retire(session, retired, by=town, at=NOON)
        started = imports.receive(session, lender=cast.town.id, choices=Choices(), file_name="objets.csv",
                                  data=b"nom;quantite\nBancs;4\n", by=cast.olga.by, at=NOON)  # fmt: skip
        imports.start(session, started, zone="Europe/Paris", at=NOON)
        # the file that is still to be chosen from
        waiting = imports.receive(session, lender=cast.town.id, choices=Choices(), file_name="tables.csv",
                                  data=b"nom;quantite\nTables;12\n", by=cast.olga.by, at=NOON)  # fmt: skip
        values["job"] = waiting.token
        return {
            **{name: getattr(cast, name).party.token for name in people},
            **{f"of_{name}": account(getattr(cast, name)).token for name in people if getattr(cast, name).account},
            **{name: resource.token for name, resource in lent._asdict().items()},
            "club": cast.club.token, "town": cast.town.token, "sel": values["community"],
            "attic": attic.token, "cellar": cellar.token, "retired": retired.token,
            "started": started.token, "waiting": waiting.token, "asked": values["booking"],
            "sander": self.world.sander,
            "accepted": self._lent(session, cast, lent.hall, 14),
            "out": self._lent(session, cast, lent.hall, 11, out=True),
            "missed": self._lent(session, cast, lent.drill, -1),
            "weighed": self.world.weighed, "weighed_days": self.world.weighed_days, "circuit": values["circuit"],
            "olga_types": str(cast.olga.by.sign_in),
            "papered": self.world.papered, "chartered": self.world.chartered, "filed": self.world.filed,
            "given": self.world.document, "digest": self.world.digest,
            "on_paper": self._papered(session),
            "used": self._lent(session, cast, lent.hall, -2),
            **self._damages(session, cast, lent),
            "longer": self._longer(session, cast, lent),
            "many": self._lent(session, cast, lent.chairs, 9, many=3),
            "key": self.world.key, "badge": self.world.badge, "lost": self._lost(session, cast),
            "lent_out": self.world.out, "shown": self.world.shown, "place": values["place"],
            "offered": self.world.offered, "had": self.world.had, "option": self.world.option,
            "leaving": account(cast.fanny).token, "proposed": self.world.proposed,
            "declaration": values["declaration"], "advert": values["advert"], "thread": values["thread"],
        }  # fmt: skip

    def _papered(self, session: Session) -> str:
        """A loan whose agreement the town accepted."""
        cast = self.world.cast
        token = self._lent(session, cast, self.world.lent.hall, 16)
        found = loans.of_lender(session, token, cast.town.id, at=NOON)
        assert found is not None
        papers.make(session, papers.loans(session, [found])[0], by=cast.olga.by, at=NOON)
        made = agreements_of.of_booking(session, found.id)
        assert made is not None
        agreements.accept(session, made, "lender", digest=made.digest, name="Olga", sentence="Oui", on=NOON.date(),
                          by=cast.olga.by, at=NOON)  # fmt: skip
        return token

    def _damages(self, session: Session, cast: Cast, lent: Lent) -> dict[str, str]:
        """Alice owes the town some euros, and contests something; Zoé, who is in no community, contests too."""
        def proposed(booking: str, **what: Any) -> str:
            return damages.propose(session, booking, lender=cast.town.id, words="Un pied", by=cast.olga.by, at=NOON,
                                   **({"minutes": None, "cents": None} | what)).token  # fmt: skip

        mine: dict[str, Any] = {"parties": [cast.alice.party.id], "by": cast.alice.by, "at": NOON}
        owed, contested = proposed(self.world.out, cents=500), proposed(self.world.out, minutes=20)
        damages.accept(session, owed, **mine)
        damages.contest(session, contested, text="Non", **mine)
        asked = bookings.Request(cast.zoe.party.id, (Wanted(lent.chairs),), NOON + timedelta(days=8),
                                 NOON + timedelta(days=8, hours=2), "Fête")  # fmt: skip
        token = bookings.ask(session, asked, zone="Europe/Paris", by=cast.zoe.by, at=NOON).token
        bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
        bookings.hand_over(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=NOON)
        between_two = proposed(token, cents=900)
        damages.contest(session, between_two, text="Non", parties=[cast.zoe.party.id], by=cast.zoe.by, at=NOON)
        return {"owed": owed, "contested": contested, "between_two": between_two}

    def _longer(self, session: Session, cast: Cast, lent: Lent) -> str:
        """Alice has the drill, and asks for longer while Bruno follows; then he doesn't."""
        token = self._lent(session, cast, lent.drill, 6, out=True)
        after = bookings.Request(cast.bruno.party.id, (Wanted(lent.drill),), NOON + timedelta(days=6, hours=6),
                                 NOON + timedelta(days=6, hours=9), "Fête", 60)  # fmt: skip
        follows = bookings.ask(session, after, zone="Europe/Paris", by=cast.bruno.by, at=NOON).token
        extending.ask(session, token, NOON + timedelta(days=7), parties=[cast.alice.party.id], reason="",
                      by=cast.alice.by, at=NOON)  # fmt: skip
        bookings.cancel(session, follows, parties=[cast.bruno.party.id], reason="", by=cast.bruno.by, at=NOON)
        return token

    def _lost(self, session: Session, cast: Cast) -> str:
        made = keys.add(session, lender=cast.town.id, label="Clé perdue", note="", place=None, opens=[],
                        by=cast.olga.by, at=NOON)  # fmt: skip
        keys.note_lost(session, made.token, lender=cast.town.id, at=NOON)
        return made.token

    def _lent(
        self, session: Session, cast: Cast, it: ResourceView, days: int, *, out: bool = False, many: int = 1
    ) -> str:
        starts, town = NOON + timedelta(days=days), Acting(None, cast.town.id)
        asked_at = min(NOON, starts - timedelta(days=10))
        asked = bookings.Request(cast.alice.party.id, (Wanted(it, many),), starts,
                                 starts + timedelta(hours=4), "Fête", 60)  # fmt: skip
        token = bookings.ask(session, asked, zone="Europe/Paris", by=cast.alice.by, at=asked_at).token
        session.flush()
        bookings.accept(session, token, lender=cast.town.id, by=town, at=asked_at)
        if out:
            bookings.hand_over(session, token, lender=cast.town.id, remarks="", by=town, at=NOON)
        return str(token)

    def _tables(self) -> tuple[str, str]:
        found = self.connection.execute(text(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'books')"
            " AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"
        )).scalars().all()  # fmt: skip
        rows = " UNION ALL ".join(f"SELECT '{table}', t::text FROM {table} t" for table in found)
        self.connection.execute(text("SET ROLE NONE"))
        counters = self.connection.execute(text(
            "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value),"
            " last_value IS NOT NULL FROM pg_sequences"
        )).all()  # fmt: skip
        self.connection.execute(text(f"SET ROLE {WEB_ROLE}"))
        again = ", ".join(f"setval('{name}', {last}, {called})" for name, last, called in counters)
        return rows, f"SET ROLE NONE; SELECT {again}; SET ROLE {WEB_ROLE}"

    def _listen(self, answer: Response) -> Response:
        said = [request.__dict__.get(name) for name in ("form", "files")]
        read = set().union(*(each.asked for each in said if isinstance(each, Heard)))
        self.read = {name for name in read if not (EVERYTHING in read and OF_ONE.fullmatch(name))}
        self.asked = request.args.asked if isinstance(request.args, Heard) else set()
        return answer

    def named(self, value: Any) -> Any:
        """The value, with real identifiers."""
        if isinstance(value, list):
            return [self.named(each) for each in value]
        return value.format_map(self.names) if isinstance(value, str) else value

    def says(self, sent: Sent) -> dict[str, Any]:
        """What an accepted form says, with real identifiers."""
        return {self.named(name): self.named(value) for name, value in sent.says.items()}

    def reads(self, sent: Sent) -> set[str]:
        """Everything that a form reads. Who goes through what was sent finds there the names that end with a token."""
        named = [name for name in sent.says if not (EVERYTHING in sent.besides and "{" in name)]
        return {self.named(name) for name in (*named, *sent.besides)}

    def address(self, endpoint: str, at: Mapping[str, str]) -> str:
        """The address of an endpoint, filled with the world's values and with these."""
        values = self.world.values | {name: self.named(value) for name, value in at.items()}
        rule: Rule = next(rule for rule in self.app.url_map.iter_rules() if rule.endpoint == endpoint)
        with self.app.test_request_context():
            return url_for(endpoint, **{name: values[name] for name in rule.arguments})

    def ask(self, who: str | None, method: str, path: str, **more: Any) -> TestResponse:
        """One request of somebody; what it writes stays until the end of ``undone``."""
        client = self.app.test_client()
        if who:
            client.set_cookie("session", self.cookies[who], secure=True)
        answer = client.open(path, method=method, base_url="https://localhost", **more)
        answer.get_data()
        answer.close()
        return answer

    @contextmanager
    def undone(self, *, renumbered: bool = False) -> Iterator[None]:
        """What is done inside never was; ``renumbered``: numbers are given from where they were at first."""
        if renumbered:
            self.connection.exec_driver_sql(self._counters)
        inside = self.connection.begin_nested()
        try:
            yield
            self.connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # what a real commit would have checked
        finally:
            db.session.remove()
            inside.rollback()

    def columns(self) -> set[str]:
        """The name of every column of the database."""
        found = text("SELECT DISTINCT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
                     " WHERE relkind = 'r' AND attnum > 0 AND relnamespace::regnamespace::text IN ('public', 'books')")
        return set(self.connection.execute(found).scalars())

    def state(self) -> State:
        """Every row of the database, but for what is drawn at random."""
        kept: State = {}
        for table, row in self.connection.execute(text(self._rows)):
            kept.setdefault(table, []).append(RANDOM.sub("*", row))
        return {table: sorted(rows) for table, rows in kept.items()}


@contextmanager
def ground_of(database: Database) -> Iterator[Ground]:
    """The ground of a module's tests, on Saturday at noon."""
    with freeze_time(NOON):
        made = Ground(database)
        yield made
        made.close()
