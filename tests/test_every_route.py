"""Every address of the service, as each person meets it: who may (T18), with which headers (T25), a GET that changes
nothing (T26), and never more than twelve queries.

A route that is not in the table fails: who adds one says who may use it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, url_for
from freezegun import freeze_time
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from exchange.config import WEB_ROLE
from exchange.factory import create_app
from exchange.headers import HEADERS
from exchange.members.operations import create_access_token
from tests.cast import NOON, PASSWORD
from tests.counting import counted
from tests.databases import Database, Postgres
from tests.papers import CERTIFICATE
from tests.world import World

PEOPLE = ("zoe", "chloe", "bruno", "fanny", "tibo", "aicha", "olga", "alice")

EVERYBODY = "everybody"
SIGNED_IN = "signed in"
ALICE = {"alice"}  # hers: for the others it is not found
ALICE_OR_FANNY = {"alice", "fanny"}  # hers, and the counter's
ALICE_OR_OLGA = {"alice", "olga"}  # the two sides of a loan
ALICE_OR_CHLOE = {"alice", "chloe"}  # the two sides of a thread
COMMUNITY = {"alice", "bruno", "chloe", "fanny", "tibo", "aicha"}  # its members and offices
TOWN = ["olga"]  # an office: the others are told who can
ADMINISTRATOR = ["aicha"]
BOOKS = ["tibo", "aicha"]
COUNTER = ["fanny"]

# endpoint -> who may; a set hides what it guards (404), a list says who can (403)
MAY: dict[str, str | set[str] | list[str]] = {
    "home": EVERYBODY, "accessibility": EVERYBODY, "legal_notice": EVERYBODY, "privacy": EVERYBODY,
    "site_map": EVERYBODY, "help": EVERYBODY, "healthz": EVERYBODY, "readyz": EVERYBODY,
    "files.static_file": EVERYBODY, "languages.choose": EVERYBODY,
    "security.login": EVERYBODY, "security.logout": EVERYBODY, "security.forgot_password": EVERYBODY,
    "security.reset_password": EVERYBODY, "security.link_sent": EVERYBODY, "security.change_password": SIGNED_IN,
    "security.logout_elsewhere": SIGNED_IN,
    "members.join": EVERYBODY, "members.joined": EVERYBODY,
    "members.me": SIGNED_IN, "members.tokens": SIGNED_IN, "members.language": SIGNED_IN, "members.mine": SIGNED_IN,
    "members.revoke": ALICE, "members.show": COMMUNITY, "members.edit": ALICE, "members.card": ALICE,
    "bookings.week": EVERYBODY, "bookings.on_map": EVERYBODY,
    "members.directory": COMMUNITY, "statements.year": ALICE_OR_FANNY, "statements.community_year": COMMUNITY,
    "members.applications": ADMINISTRATOR, "members.application": ADMINISTRATOR, "members.accept": ADMINISTRATOR,
    "members.decline": ADMINISTRATOR, "members.counter": COUNTER,
    "organisations.index": EVERYBODY, "organisations.show": EVERYBODY, "organisations.edit": {"bruno"},
    "adverts.mine": SIGNED_IN, "adverts.search": COMMUNITY, "adverts.show": COMMUNITY,
    "adverts.write": COMMUNITY - {"alice"},  # nobody writes to themselves

    "adverts.new": ALICE_OR_FANNY, "adverts.edit": ALICE_OR_FANNY, "adverts.close": ALICE_OR_FANNY,
    "adverts.categories": ADMINISTRATOR, "adverts.threads": SIGNED_IN, "adverts.thread": ALICE_OR_CHLOE,
    "adverts.answer": ALICE_OR_CHLOE,
    "declarations.begin": SIGNED_IN,
    "declarations.new": ALICE_OR_FANNY, "declarations.check": ALICE_OR_FANNY, "declarations.create": ALICE_OR_FANNY,
    "declarations.show": ALICE_OR_FANNY, "declarations.confirm": ALICE, "declarations.refuse": ALICE,
    "declarations.withdraw": {"fanny"},  # who helped has no sign-in
    "seals.index": EVERYBODY, "seals.head": EVERYBODY, "seals.head_of": EVERYBODY, "seals.export": ADMINISTRATOR,
    "seals.proof": ALICE, "seals.opening": ADMINISTRATOR,
    "statements.mine": SIGNED_IN, "statements.show": ALICE_OR_FANNY, "statements.export": ALICE,
    "bookings.search": EVERYBODY, "bookings.resource": EVERYBODY, "bookings.new": SIGNED_IN,
    "bookings.check": SIGNED_IN, "bookings.create": SIGNED_IN, "bookings.mine": SIGNED_IN, "bookings.show": ALICE,
    "bookings.cancel": ALICE, "bookings.change": ALICE, "bookings.check_change": ALICE, "bookings.ask_change": ALICE,
    "bookings.take_option": SIGNED_IN, "bookings.confirm_option": ALICE, "bookings.release_option": ALICE,
    "bookings.new_wish": SIGNED_IN, "bookings.join": SIGNED_IN, "bookings.wishes_": SIGNED_IN, "bookings.leave": ALICE,
    "bookings.waiting_": TOWN,
    "bookings.requests": TOWN, "bookings.decided": TOWN,
    "bookings.answer_many": TOWN, "bookings.decide_many": TOWN,
    "bookings.request_": TOWN, "bookings.accept": TOWN, "bookings.decline": TOWN,
    "bookings.handing_over": TOWN, "bookings.taking_back": TOWN,
    "bookings.hand_over": TOWN, "bookings.take_back": TOWN, "bookings.note_no_show": TOWN,
    "bookings.open_damages": TOWN, "bookings.new_damage": TOWN, "bookings.propose_damage": TOWN,
    "bookings.note_received": TOWN, "bookings.agreeing": TOWN, "bookings.agree": TOWN,
    "bookings.accept_damage": ALICE, "bookings.contest_damage": ALICE,
    "bookings.disputes": COUNTER, "bookings.dispute": COUNTER, "bookings.mediate": COUNTER,
    "bookings.extending_": ALICE, "bookings.extend": ALICE, "bookings.extending_for": TOWN,
    "bookings.extend_for": TOWN, "bookings.grant_extension": TOWN, "bookings.decline_extension": TOWN,
    "bookings.count_people": TOWN, "bookings.tell_people": ALICE, "bookings.pictures": TOWN,
    "bookings.add_picture": TOWN, "bookings.remove_picture": TOWN, "bookings.picture": ALICE_OR_OLGA,
    "keys.index": TOWN, "keys.create": TOWN, "keys.show": TOWN, "keys.update": TOWN, "keys.note_lost": TOWN,
    "keys.note_found": TOWN, "keys.retire": TOWN,
    "bookings.new_series": SIGNED_IN, "bookings.check_series": SIGNED_IN, "bookings.create_series": SIGNED_IN,
    "bookings.show_series": ALICE, "bookings.cancel_series": ALICE, "bookings.asked_series": TOWN,
    "bookings.accept_series": TOWN, "bookings.decline_series": TOWN,
    "lending.begin": SIGNED_IN, "lending.terms": TOWN, "lending.lent": TOWN,
    "labels.index": TOWN, "labels.sheet": TOWN,
    "feeds.follow": EVERYBODY, "feeds.event": ALICE, "feeds.index": SIGNED_IN, "feeds.renew": ALICE,
    "feeds.close": ALICE, "feeds.of_resource": EVERYBODY,
    "bookings.day": EVERYBODY, "bookings.month": EVERYBODY, "bookings.lender_week": EVERYBODY,
    "pictures.show": EVERYBODY, "pictures.index": TOWN, "pictures.create": TOWN, "pictures.remove": TOWN,
    "authorisations.index": TOWN, "authorisations.give": TOWN, "authorisations.withdraw": TOWN,
    "bookings.closed": TOWN, "bookings.closing": TOWN, "bookings.check_closing": TOWN, "bookings.close": TOWN,
    "bookings.closure": TOWN, "bookings.lift": TOWN,
    "documents.index": TOWN, "documents.new": TOWN, "documents.create": TOWN, "documents.edit": TOWN,
    "documents.rewrite": TOWN, "documents.suggest": TOWN,
    "bookings.my_documents": SIGNED_IN, "bookings.giving_document": ALICE, "bookings.give_document": ALICE,
    "bookings.document": ALICE_OR_OLGA, "bookings.request_paper": TOWN, "bookings.verify_paper": TOWN,
    "bookings.refuse_paper": TOWN, "bookings.note_paper_seen": TOWN,
    "charters.show": EVERYBODY, "charters.index": TOWN, "charters.new": TOWN, "charters.create": TOWN,
    "charters.edit": TOWN, "charters.rewrite": TOWN,
    "circuits.index": TOWN, "circuits.new": TOWN, "circuits.create": TOWN, "circuits.edit": TOWN,
    "circuits.settle": TOWN, "bookings.give_opinion": TOWN, "bookings.give_opinion_of_series": TOWN,
    "api_bookings.give_opinion": TOWN,
    "agreements.index": TOWN, "agreements.new_template": TOWN, "agreements.write_template": TOWN,
    "agreements.edit_template": TOWN, "agreements.rewrite_template": TOWN, "agreements.of_loan": TOWN,
    "agreements.make": TOWN, "agreements.note_paper": TOWN, "agreements.euros": TOWN, "agreements.receive": TOWN,
    "agreements.end_receipt": TOWN, "agreements.paid": ALICE, "agreements.receipt": {"alice", "olga"},
    "agreements.show": {"alice", "olga"}, "agreements.accept_": {"alice", "olga"},
    "agreements.printed": {"alice", "olga"},
    "bookings.offering": TOWN, "bookings.offer": TOWN, "bookings.withdraw_offer": TOWN, "bookings.revoking": TOWN,
    "bookings.revoke": TOWN, "bookings.consent": ALICE, "bookings.dismiss": ALICE,
    "catalogue.index": TOWN, "catalogue.new": TOWN, "catalogue.create": TOWN, "catalogue.edit": TOWN,
    "catalogue.update": TOWN, "catalogue.change_state": TOWN, "catalogue.make_of": TOWN, "catalogue.publish": TOWN,
    "catalogue.edit_many": TOWN, "catalogue.edit_ticked": TOWN, "catalogue.check_many": TOWN,
    "catalogue.change_many": TOWN,
    "catalogue.special_hours": TOWN, "catalogue.add_special_hours": TOWN, "catalogue.remove_special_hours": TOWN,
    "catalogue.publish_one": TOWN, "catalogue.edit_place": TOWN, "catalogue.update_place": TOWN,
    "rulebook.index": TOWN, "rulebook.new": TOWN, "rulebook.create": TOWN, "rulebook.end": TOWN,
    "reports.loans": TOWN, "reports.loans_sheet": TOWN, "reports.loans_paper": TOWN, "reports.use": TOWN,
    "reports.use_sheet": TOWN, "reports.refusals": TOWN, "reports.refusals_sheet": TOWN, "reports.rates": TOWN,
    "reports.write_rate": TOWN, "reports.statement": ALICE, "reports.statement_paper": ALICE,
    "imports.index": TOWN, "imports.create": TOWN, "imports.show": TOWN, "imports.choose": TOWN,
    "imports.columns": TOWN, "imports.map_columns": TOWN, "imports.read_as": TOWN, "imports.export": TOWN,
    "imports.resume": TOWN,
    "audit.trial_balance": BOOKS, "audit.trial_balance_sheet": BOOKS, "audit.account": BOOKS, "audit.entries": BOOKS,
    "audit.entries_sheet": BOOKS, "audit.entry": BOOKS, "audit.exceptions": BOOKS, "audit.verification": BOOKS,
    "audit.recompute": BOOKS, "audit.letters": ADMINISTRATOR,
    "stewardship.correct": BOOKS, "stewardship.levy": BOOKS, "stewardship.write_levy": BOOKS,
    "stewardship.leave": ADMINISTRATOR, "stewardship.settle": ADMINISTRATOR, "stewardship.approve": ADMINISTRATOR,
    "stewardship.months": BOOKS,
    "stewardship.limits": ADMINISTRATOR, "stewardship.exception": ADMINISTRATOR,
    "stewardship.open_account": ADMINISTRATOR, "stewardship.close_account": ADMINISTRATOR,
    # the API: the same people, with a token
    "api.index": EVERYBODY, "api.shapes": EVERYBODY, "api.openapi": EVERYBODY, "api.rules": EVERYBODY,
    "api_members.me": SIGNED_IN,
    "api_members.neighbours": COMMUNITY, "api_members.profile": COMMUNITY,
    "api_accounts.show": ALICE_OR_FANNY, "api_accounts.statement": ALICE_OR_FANNY,
    "api_adverts.search": COMMUNITY, "api_adverts.categories": COMMUNITY, "api_adverts.show": COMMUNITY,
    "api_adverts.create": ALICE_OR_FANNY, "api_adverts.close": ALICE_OR_FANNY, "api_adverts.write": COMMUNITY,
    "api_adverts.threads": SIGNED_IN, "api_adverts.thread": ALICE_OR_CHLOE, "api_adverts.answer": ALICE_OR_CHLOE,
    "api_declarations.create": ALICE_OR_FANNY, "api_declarations.waiting": ALICE_OR_FANNY,
    "api_declarations.show": ALICE_OR_FANNY, "api_declarations.confirm": ALICE, "api_declarations.refuse": ALICE,
    "api_declarations.withdraw": {"fanny"},
    "api_bookings.search": SIGNED_IN, "api_bookings.resource": SIGNED_IN, "api_bookings.availability": SIGNED_IN,
    "api_bookings.quote": SIGNED_IN, "api_bookings.create": SIGNED_IN, "api_bookings.mine": SIGNED_IN,
    "api_bookings.show": ALICE, "api_bookings.cancel": ALICE, "api_bookings.change": ALICE,
    "api_bookings.requests": TOWN, "api_bookings.loans": TOWN, "api_bookings.asked": TOWN,
    "api_bookings.decide": TOWN, "api_bookings.hand_over": TOWN, "api_bookings.take_back": TOWN,
    "api_bookings.extend": ALICE, "api_bookings.extend_for": TOWN, "api_bookings.decide_extension": TOWN,
    "api_bookings.note_no_show": TOWN, "api_bookings.count_people": TOWN, "api_bookings.tell_people": ALICE,
    "api_bookings.look": SIGNED_IN, "api_bookings.create_series": SIGNED_IN, "api_bookings.show_series": ALICE,
    "api_bookings.cancel_series": ALICE, "api_bookings.asked_series": TOWN, "api_bookings.decide_series": TOWN,
    "api_documents.kinds": SIGNED_IN, "api_documents.mine": SIGNED_IN, "api_documents.give": SIGNED_IN,
    "api_documents.show": ALICE_OR_OLGA, "api_documents.of_booking": ALICE, "api_documents.of_request": TOWN,
    "api_documents.verify": TOWN, "api_documents.refuse": TOWN, "api_documents.note_paper": TOWN,
    "api_charters.show": SIGNED_IN, "api_charters.accept": SIGNED_IN,
    "api_agreements.show": ALICE, "api_agreements.accept": ALICE,
    "api_bookings.closed": TOWN, "api_bookings.closure": TOWN, "api_bookings.displaces": TOWN,
    "api_bookings.close": TOWN, "api_bookings.lift": TOWN,
    "api_bookings.offer": TOWN, "api_bookings.withdraw_offer": TOWN, "api_bookings.revoke": TOWN,
    "api_bookings.consent": ALICE, "api_bookings.dismiss": ALICE,
    "api_bookings.take_option": SIGNED_IN, "api_bookings.confirm_option": ALICE, "api_bookings.release_option": ALICE,
    "api_bookings.wishes_": SIGNED_IN, "api_bookings.join": SIGNED_IN, "api_bookings.leave": ALICE,
    "api_bookings.take_turn": ALICE, "api_bookings.decline_turn": ALICE, "api_bookings.waiting_": TOWN,
    "api_pictures.pictures": SIGNED_IN,
    "api_catalogue.kept": TOWN, "api_catalogue.one": TOWN, "api_catalogue.publish": TOWN, "api_catalogue.add": TOWN,
    "api_catalogue.edit": TOWN, "api_catalogue.withdraw": TOWN, "api_catalogue.retire": TOWN,
    "api_catalogue.restore": TOWN, "api_catalogue.places": TOWN, "api_catalogue.add_place": TOWN,
    "api_authorisations.authorised": TOWN, "api_authorisations.give": TOWN, "api_authorisations.end": TOWN,
    "api_lending.begin": TOWN,
    "api_reports.loans": TOWN, "api_reports.use": TOWN, "api_reports.refusals": TOWN,
    "api_feeds.mine": SIGNED_IN, "api_feeds.show": {"bruno"}, "api_feeds.create": SIGNED_IN,
    "api_feeds.renew": {"bruno"}, "api_feeds.end": {"bruno"}, "api_feeds.of_resource": SIGNED_IN,
}  # fmt: skip

# values that only some endpoints want
OTHERWISE: dict[str, dict[str, str]] = {
    "bookings.confirm_option": {"booking": "option"}, "bookings.release_option": {"booking": "option"},
    "api_bookings.confirm_option": {"booking": "option"}, "api_bookings.release_option": {"booking": "option"},
    "bookings.consent": {"booking": "offered"}, "bookings.dismiss": {"booking": "offered"},
    "bookings.withdraw_offer": {"booking": "had"}, "bookings.handing_over": {"booking": "ready"},
    "bookings.taking_back": {"booking": "out"}, "bookings.extending_": {"booking": "out"},
    "bookings.extending_for": {"booking": "out"}, "bookings.new_damage": {"booking": "out"},
    "bookings.picture": {"picture": "shown"},
    **{f"bookings.{name}": {"booking": "filed"}
       for name in ("request_paper", "verify_paper", "refuse_paper", "note_paper_seen")},
    "api_documents.": {"booking": "filed"},
    "keys.retire": {"key": "spare"},
    "bookings.remove_picture": {"picture": "blurred", "booking": "out"}, "bookings.pictures": {"booking": "out"},
    **{f"agreements.{name}": {"booking": "papered"}
       for name in ("of_loan", "make", "note_paper", "euros", "receive", "end_receipt", "paid")},
    "api_agreements.": {"booking": "papered"},
    "bookings.give_opinion": {"booking": "weighed"}, "api_bookings.give_opinion": {"booking": "weighed"},
    "bookings.give_opinion_of_series": {"series": "weighed_days"},
    "charters.edit": {"charter": "chartered"}, "charters.rewrite": {"charter": "chartered"},
    "api_bookings.withdraw_offer": {"booking": "had"}, "api_bookings.consent": {"booking": "offered"},
    "api_bookings.dismiss": {"booking": "offered"},
    "api_feeds.end": {"feed": "followed"},
    "lending.terms": {"resource": "sander"}, "lending.lent": {"resource": "drill"},
    "organisations.": {"party": "club"}, "catalogue.": {"resource": "attic"}, "api_catalogue.": {"resource": "attic"},
}  # fmt: skip

MOST_QUERIES = 12


def _routes() -> list[tuple[str, str]]:
    """Every endpoint and method of the application, as it is put together: no route can hide from this file."""
    app = create_app({"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nobody@/nothing", "SECRET_KEY": "x" * 40,
                      "SECURITY_PASSWORD_SALT": "1", "OWNER_URL": "", "RATELIMIT_ENABLED": False})  # fmt: skip
    return sorted({
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    })  # fmt: skip


ROUTES = _routes()
PAGES = [endpoint for endpoint, method in ROUTES if method == "GET"]


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


class Place:
    """A database with one of everything, committed once for all these tests, and the keys of each person."""

    def __init__(self, database: Database, **settings: object) -> None:
        self.app: Flask = database.app(WTF_CSRF_ENABLED=False, **settings)
        self.keys: dict[str | None, tuple[str, str]] = {None: ("", "")}
        engine = create_engine(
            database.superuser_url, poolclass=NullPool, connect_args={"options": f"-c role={WEB_ROLE} -c timezone=UTC"}
        )
        with freeze_time(NOON), self.app.app_context(), Session(engine, expire_on_commit=False) as session:
            self.world = World(session)
            for name in PEOPLE:
                sign_in = getattr(self.world.cast, name).sign_in
                _made, secret = create_access_token(session, sign_in=sign_in.id, name=name, days=1, at=NOON)
                self.keys[name] = (sign_in.user_name, secret)
            session.commit()
        with freeze_time(NOON):
            self.cookies = {name: self._cookie(user_name) for name, (user_name, _secret) in self.keys.items() if name}
        self.engine = engine

    def _cookie(self, user_name: str) -> str:
        client = self.app.test_client()
        answer = client.post("/connexion", data={"username": user_name, "password": PASSWORD})
        assert answer.status_code in {302, 303}, answer.text
        cookie = client.get_cookie("session")
        assert cookie is not None
        return cookie.value

    def ask(self, name: str | None, method: str, path: str, endpoint: str = "") -> TestResponse:
        """One request of somebody (None: a visitor), with nothing in it but what the address says."""
        client = self.app.test_client()
        if not path.startswith("/api/"):
            if name:
                client.set_cookie("session", self.cookies[name], secure=True)
            answer = self._whole(client.open(path, method=method, base_url="https://localhost"))
            if name and path.startswith("/deconnexion"):
                self.cookies[name] = self._cookie(self.keys[name][0])  # signed out for good: in again, for the others
            return answer
        headers = {"Idempotency-Key": f"{name} {method} {path}"[:100]}
        if name:
            headers["Authorization"] = f"Bearer {self.keys[name][1]}"
        body = {"json": self.body(endpoint, name)} if method == "POST" else {}
        return self._whole(client.open(path, method=method, headers=headers, base_url="https://localhost", **body))

    @staticmethod
    def _whole(answer: TestResponse) -> TestResponse:
        """The answer, read to its end: a file that is served is closed."""
        answer.get_data()
        answer.close()
        return answer

    def body(self, endpoint: str, name: str | None) -> dict[str, Any]:
        """A body that the API understands, so that its answer is about who asks and not about what."""
        cast = self.world.cast
        mine = getattr(cast, name or "zoe").party.token
        bodies: dict[str, dict[str, Any]] = {
            "api_authorisations.give": {"party": mine},
            "api_bookings.close": {"kind": "works", "starts_at": "2027-12-15T14:00:00+01:00"},
            "api_bookings.displaces": {"starts_at": "2027-12-15T14:00:00+01:00"},
            "api_bookings.offer": {
                "items": [{"resource": self.world.values["resource"]}], "word": "Le chauffage",
                "starts_at": "2026-12-16T14:00:00+01:00", "ends_at": "2026-12-16T18:00:00+01:00",
            },
            "api_bookings.give_opinion": {"favourable": True},
            "api_bookings.revoke": {"ground": "services", "text": "Une fuite"},
            "api_catalogue.add": {"kind": "thing", "name": "Barnum"},
            "api_catalogue.add_place": {"name": "Halle"},
            "api_lending.begin": {"name": "Barnum"},
            "api_feeds.create": {"party": mine, "of": "bookings"},
            "api_adverts.answer": {"text": "Bonjour"},
            "api_adverts.create": {"kind": "offer", "category": "Jardin", "title": "Taille"},
            "api_adverts.write": {"text": "Bonjour", "party": mine},
            "api_charters.accept": {"party": mine},
            "api_documents.give": {"party": mine, "kind": self.world.insurance, "valid_until": "2027-06-30",
                                   "files": [b64encode(CERTIFICATE).decode()]},
            "api_documents.verify": {"document": self.world.document},
            "api_documents.refuse": {"document": self.world.document, "reason": "Floue"},
            "api_documents.note_paper": {"valid_until": "2027-06-30"},
            "api_agreements.accept": {"digest": self.world.digest},
            "api_bookings.change": {
                "items": [{"resource": self.world.values["resource"]}], "purpose": "Goûter",
                "starts_at": "2026-12-15T14:00:00+01:00", "ends_at": "2026-12-15T18:00:00+01:00",
            },
            "api_bookings.extend": {"until": "2026-12-15T18:00:00+01:00"},
            "api_bookings.extend_for": {"until": "2026-12-15T18:00:00+01:00"},
            "api_bookings.decide_extension": {"verdict": "granted"},
            "api_bookings.count_people": {"people": 40}, "api_bookings.tell_people": {"people": 40},
            "api_bookings.decide": {"verdict": "accepted"},
            "api_bookings.decide_series": {"verdict": "accepted"},
            "api_declarations.create": {
                "direction": "received", "other": cast.bruno.party.token, "minutes": 5,
                "happened_on": "2026-11-21", "description": "Pain",
            },
            "api_declarations.refuse": {"reason": "Non"},
        }  # fmt: skip
        return bodies.get(endpoint, {})

    def address(self, endpoint: str) -> str:
        """The address of an endpoint, filled with the world's values."""
        values = dict(self.world.values)
        for prefix, wanted in OTHERWISE.items():
            if endpoint.startswith(prefix):
                known = {"club": self.world.cast.club.token, "attic": self.world.unpublished.token,
                         "offered": self.world.offered, "had": self.world.had, "ready": self.world.ready,
                         "out": self.world.out, "shown": self.world.shown, "blurred": self.world.blurred,
                         "weighed": self.world.weighed, "weighed_days": self.world.weighed_days,
                         "spare": self.world.spare, "papered": self.world.papered, "followed": self.world.followed,
                         "option": self.world.option, "sander": self.world.sander,
                         "drill": self.world.lent.drill.token, "chartered": self.world.chartered,
                         "filed": self.world.filed}  # fmt: skip
                values |= {name: known[value] for name, value in wanted.items()}
        rule: Rule = next(rule for rule in self.app.url_map.iter_rules() if rule.endpoint == endpoint)
        with self.app.test_request_context():
            return url_for(endpoint, **{name: values[name] for name in rule.arguments})


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Iterator[Place]:
    database = postgres.copy()
    made = Place(database)
    yield made
    postgres.drop(database)


def outcome(answer: TestResponse) -> str:
    """What an answer means for who asked."""
    if answer.status_code in {302, 303} and answer.headers["Location"].startswith("/connexion"):
        return "sign in"
    if answer.status_code == 401:
        return "sign in"
    return {404: "not found", 403: "told who can"}.get(answer.status_code, f"{answer.status_code // 100}xx")


def expected(who: str | set[str] | list[str], name: str | None) -> set[str]:
    """What somebody should meet: a page or a refused form where they may."""
    let_in = {"2xx", "3xx", "4xx"}
    if who == EVERYBODY:
        return let_in | {"not found"}
    if name is None:
        return {"sign in"}
    if who == SIGNED_IN or name in who:
        return let_in
    return {"not found"} if isinstance(who, set) else {"told who can"}


def test_every_route_says_who_may() -> None:
    endpoints = {endpoint for endpoint, _method in ROUTES}
    assert endpoints - MAY.keys() == set(), "not in the table"
    assert MAY.keys() - endpoints == set(), "gone from the service"


@pytest.mark.parametrize(("endpoint", "method"), ROUTES)
def test_each_person_meets_what_is_meant_for_them(endpoint: str, method: str, place: Place) -> None:
    path, who = place.address(endpoint), MAY[endpoint]
    met = {None: outcome(place.ask(None, method, path, endpoint))}
    for name in sorted(PEOPLE, key=lambda name: name in who):  # who may comes last: what they do may change it
        answer = place.ask(name, method, path, endpoint)
        assert answer.status_code < 500, (name, path, answer.text)
        met[name] = outcome(answer)
    unexpected = {name: seen for name, seen in met.items() if seen not in expected(who, name)}
    assert unexpected == {}, path


@pytest.mark.parametrize(("endpoint", "method"), ROUTES)
def test_every_answer_has_the_headers_of_safety(endpoint: str, method: str, place: Place) -> None:
    path = place.address(endpoint)
    for asked in (method, "PATCH"):
        for answer in (place.ask(None, asked, path), place.ask("zoe", asked, path)):
            lacking = {name for name, value in HEADERS.items() if answer.headers.get(name) != value}
            assert lacking == set(), (asked, path, answer.status_code)
            assert "Cache-Control" in answer.headers


def test_error_pages_have_them_too(place: Place) -> None:
    for path in ("/nulle-part", "/api/v1/nowhere", "/fichiers/0/../../pyproject.toml"):
        answer = place.ask(None, "GET", path)
        assert answer.status_code == 404
        assert {name for name, value in HEADERS.items() if answer.headers.get(name) != value} == set()


def digest(session: Session) -> list[tuple[str, str]]:
    """What every table of the database holds, in short: the counters of rates apart, which are made to change."""
    tables = session.execute(text(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'books')"
        " AND tablename <> 'rates' ORDER BY 1"
    )).scalars().all()  # fmt: skip
    rows = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
    return [(table, str(session.execute(text(rows.format(table))).scalar())) for table in tables]


@pytest.mark.parametrize("name", PEOPLE)
def test_reading_changes_nothing(name: str, place: Place) -> None:
    with Session(place.engine) as session:
        before = digest(session)
    for endpoint in PAGES:
        place.ask(name, "GET", place.address(endpoint))
    with Session(place.engine) as session:
        assert digest(session) == before


def test_the_digest_sees_one_letter_that_changed(place: Place) -> None:
    with Session(place.engine) as session:
        before = digest(session)
        alice = place.world.cast.alice.party.id
        session.execute(text("UPDATE profiles SET about = about || 'x' WHERE party_id = :id"), {"id": alice})
        assert digest(session) != before


def allowed(endpoint: str) -> str:
    """Somebody who may read a page."""
    who = MAY[endpoint]
    return "alice" if isinstance(who, str) or "alice" in who else sorted(who)[0]


@pytest.mark.parametrize("endpoint", PAGES)
def test_no_page_asks_the_database_more_than_twelve_times(endpoint: str, place: Place) -> None:
    path = place.address(endpoint)
    place.app.extensions.pop("kept", None)  # what is kept for a minute is asked for too
    with counted() as asked:
        answer = place.ask(allowed(endpoint), "GET", path)
    assert answer.status_code < 500
    assert len(asked) <= MOST_QUERIES, "\n".join(asked)
