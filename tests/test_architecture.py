"""The directions of ``architecture.md``, read from the imports themselves.

Each rule is a function from a module's name and source to its faults; each is shown to turn red on a small example.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# capability -> those right below it; it may use them, and those below them
BELOW: dict[str, set[str]] = {
    "members": set(),
    "organisations": {"members"},
    "adverts": {"members"},
    "declarations": {"members"},
    "statements": {"declarations"},
    "catalogue": {"organisations"},
    "reciprocity": {"organisations"},
    "authorisations": {"catalogue"},
    "charters": {"catalogue"},
    "circuits": {"catalogue"},
    "dues": {"reciprocity"},
    "closures": {"catalogue"},
    "keys": {"catalogue"},
    "labels": {"catalogue"},
    "pictures": {"catalogue"},
    "lending": {"pictures"},
    "documents": {"pictures"},
    "bookings": {"documents", "dues", "authorisations", "charters", "circuits", "closures", "keys", "pictures"},
    "rulebook": {"bookings"},
    "feeds": {"bookings"},
    "agreements": {"bookings"},
    "reports": {"bookings"},
    "imports": {"catalogue"},
    "seals": {"members"},
    "stewardship": {"statements"},
    "audit": {"statements", "seals"},
}
USED_BY_OTHERS = {"operations", "queries", "policy"}  # never another's models, forms or pages

# modules beside the capabilities: where they are put together, and where the web begins
EDGE = {
    "binding", "blocks", "calendars", "cli", "clock", "config", "db", "demo", "embedded", "errors", "euros", "factory",
    "faults",
    "forgetting", "formats", "forms", "guide", "headers", "home", "hours", "i18n", "idempotency", "installing",
    "jobs", "keeping",
    "messages", "navigation", "outbox", "pages", "paging", "paper", "rates", "rest", "roles", "sealing", "security",
    "sentences", "serving", "sheets", "sign_in", "style", "tasks", "upgrading",
}  # fmt: skip

# what each kind of file may import of the edge; views, api and the like stand at the edge themselves: anything
PURE = {"blocks", "calendars", "errors", "hours"}
EDGE_FOR: dict[str, set[str]] = {
    "policy": PURE,
    "models": {"db"},
    "operations": PURE | {"db", "jobs", "outbox"},  # no clock: ``at`` is told; no security: ``by`` is told
    "queries": PURE | {"db"},
}
AT_THE_EDGE = {"forms", "schemas", "views", "office", "telling", "api", "commands"}
KINDS = {*EDGE_FOR, *AT_THE_EDGE, "__init__"}
# files that have another name than their kind, and obey it all the same
NAMED_OTHERWISE: dict[str, dict[str, str]] = {
    "agreements": {"receipts": "views"},
    "audit": {"wording": "forms"},
    "bookings": {
        "weeks": "telling", "moving": "queries", "closing": "views", "offering": "views", "claims": "operations",
        "offers": "operations", "series": "operations", "wanted": "queries", "availability": "queries",
        "searching": "telling", "narrowing": "telling",
        "rhythm": "policy", "asking": "telling", "repeating": "views", "changes": "operations", "changing": "views",
        "agenda": "views", "sheets": "telling",
        "inventory": "operations", "inventories": "queries", "handing": "views", "counting": "forms",
        "extending": "operations", "prolonging": "views", "damages": "operations", "damaging": "views",
        "geography": "policy", "mapping": "views", "api_series": "api", "api_loans": "api", "api_searching": "api",
        "api_closures": "api", "api_offers": "api", "opinions": "operations",
        "answering": "views", "waiting": "operations",
        "options": "operations", "wishes": "operations", "wishing": "views", "api_wishes": "api",
        "api_documents": "api", "filing": "telling", "giving": "views",
        "verifying": "views", "papers": "forms", "papers_schemas": "schemas",
    },
    "catalogue": {"many": "views"},
    "feeds": {"writing": "telling"},
    "members": {"qr": "telling", "outlines": "policy"},
    "documents": {"cleaning": "operations", "rewriting": "operations"},
    "pictures": {"drawing": "operations"},
    "reports": {"using": "queries", "valuing": "queries"},
    "statements": {"pictures": "queries"},
    "imports": {
        # reading a file that somebody has is long, and all of it is pure
        **dict.fromkeys(
            ("candidates", "filling", "layouts", "places", "plan", "reading", "reasons", "rows", "things", "values",
             "wording"),
            "policy",
        ),
        "running": "commands",  # the work of an import step by step, for the worker and for the command
    },
}  # fmt: skip

WEB = ("flask", "wtforms", "marshmallow", "werkzeug", "webargs", "jinja2")
# Flask-Login asks the signed-in object four questions, and this class answers them; nothing of a request comes with it
ALLOWED = {("exchange.members.models", "flask_security.UserMixin")}


def imports(module: str, source: str) -> set[str]:
    """Every name that a module imports, wherever in it: "exchange.members.queries", "sqlalchemy.orm.Session"."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            near = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*near, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found - {name for name in found if name.startswith("__future__")}


def calls(source: str) -> Iterator[tuple[str, str]]:
    """Every method call as (what it is called on, its name): ("session", "commit")."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr


def top(name: str) -> str:
    """The package at the root of an imported name."""
    return name.partition(".")[0]


def reach(capability: str) -> set[str]:
    """A capability and everything below it."""
    return {capability}.union(*(reach(under) for under in BELOW[capability]))


def of_capability(module: str) -> tuple[str, str] | None:
    """("members", "queries") for ``exchange.members.queries``; None for a module of the edge."""
    parts = module.split(".")
    return (parts[1], parts[2] if len(parts) > 2 else "__init__") if parts[1:] and parts[1] in BELOW else None


def kind_of(capability: str, file: str) -> str:
    """What a file must obey."""
    return NAMED_OTHERWISE.get(capability, {}).get(file, file)


# The rules


def ledger_stands_alone(module: str, source: str) -> list[str]:
    """Rule 1: the core of the ledger imports itself and the standard library."""
    allowed = {"ledger", *sys.stdlib_module_names}
    core = not module.startswith("ledger.store")
    if not core:
        allowed |= {"sqlalchemy", "psycopg"}
    elif module == "ledger.signatures":
        allowed |= {"cryptography"}
    return [
        f"{module}: {name}"
        for name in imports(module, source)
        if top(name) not in allowed or (core and name.startswith("ledger.store"))
    ]


def web_stays_at_the_edge(module: str, source: str) -> list[str]:
    """Rule 2: Flask, WTForms and marshmallow only in views, api, forms, schemas and the edge."""
    where = of_capability(module)
    if where is None or kind_of(*where) in AT_THE_EDGE - {"commands"}:
        return []
    names = {name for name in imports(module, source) if top(name).startswith(WEB)}
    return [f"{module}: {name}" for name in names if (module, name) not in ALLOWED]


def arrows_point_down(module: str, source: str) -> list[str]:
    """Rule 3: a capability uses what others do and answer, along the arrows, and never their models or forms."""
    where = of_capability(module)
    if where is None:
        return []
    capability, file = where
    wrong = []
    for name in imports(module, source):
        used = of_capability(name)
        if used is None or used[0] == capability:
            continue
        if used[0] not in reach(capability) or used[1] not in USED_BY_OTHERS:
            wrong.append(f"{module}: {name}")
        elif kind_of(capability, file) in {"policy", "models"}:
            wrong.append(f"{module}: {name} (a {file} knows its own capability alone)")
    return wrong


def files_import_what_their_kind_may(module: str, source: str) -> list[str]:
    """The table of ``architecture.md``: what policy, models, operations and queries may import."""
    where = of_capability(module)
    if where is None or kind_of(*where) not in EDGE_FOR:
        return []
    capability, file = where
    kind = kind_of(capability, file)
    own = f"exchange.{capability}."
    wrong = []
    for name in imports(module, source):
        _, second, third = (*name.split("."), "", "")[:3]
        of_the_edge = top(name) == "exchange" and second not in BELOW and second not in EDGE_FOR[kind]
        upwards = name.startswith(own) and third in AT_THE_EDGE
        impure = kind == "policy" and (
            top(name) not in {"exchange", "ledger", *sys.stdlib_module_names}
            or name.startswith(("ledger.store", own + "models", own + "operations", own + "queries"))
        )
        if of_the_edge or upwards or impure:
            wrong.append(f"{module}: {name}")
    return wrong


def one_place_commits(module: str, source: str) -> list[str]:
    """Rule 4: only ``exchange.db`` commits."""
    if module == "exchange.db":
        return []
    return [f"{module}: {on}.commit()" for on, name in calls(source) if name == "commit"]


def one_place_asks_the_time(module: str, source: str) -> list[str]:
    """Rule 4: only ``exchange.clock`` asks what time it is; the database is not asked either."""
    if module == "exchange.clock":
        return []
    clocks = {
        ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
        ("datetime.datetime", "now"), ("datetime.date", "today"), ("func", "now"), ("func", "current_timestamp"),
    }  # fmt: skip
    return [f"{module}: {on}.{name}()" for on, name in calls(source) if (on, name) in clocks]


def migrations_stand_alone(module: str, source: str) -> list[str]:
    """A migration says for ever what it did: it doesn't import code that changes."""
    if not module.startswith("migrations."):
        return []
    return [f"{module}: {name}" for name in imports(module, source) if top(name) in {"exchange", "ledger"}]


def placed(module: str, _source: str = "") -> list[str]:
    """Every module stands in a table above."""
    parts = module.split(".")
    if parts[0] != "exchange" or len(parts) < 2:
        return []
    if parts[1] in EDGE:
        return []
    if parts[1] not in BELOW:
        return [f"{module} is in no table"]
    if len(parts) > 3 or (len(parts) == 3 and kind_of(parts[1], parts[2]) not in KINDS):
        return [f"{module} is not named as its kind"]
    return []


Rule = Callable[[str, str], list[str]]
LEDGER: tuple[Rule, ...] = (ledger_stands_alone,)
EXCHANGE: tuple[Rule, ...] = (
    web_stays_at_the_edge, arrows_point_down, files_import_what_their_kind_may, one_place_commits,
    one_place_asks_the_time, placed,
)  # fmt: skip


def modules(*packages: str) -> Iterator[tuple[str, str]]:
    """Every module of these packages, with its source."""
    for package in packages:
        for file in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), file.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", LEDGER, ids=lambda rule: rule.__name__)
def test_the_ledger_obeys(rule: Rule) -> None:
    assert sorted(fault for module, source in modules("ledger") for fault in rule(module, source)) == []


@pytest.mark.parametrize("rule", EXCHANGE, ids=lambda rule: rule.__name__)
def test_the_exchange_obeys(rule: Rule) -> None:
    assert sorted(fault for module, source in modules("exchange") for fault in rule(module, source)) == []


def test_the_books_and_the_migrations_obey_too() -> None:
    found = [
        *(fault for module, source in modules("ledger") for fault in one_place_asks_the_time(module, source)),
        *(fault for module, source in modules("ledger") for fault in one_place_commits(module, source)),
        *(fault for module, source in modules("migrations") for fault in migrations_stand_alone(module, source)),
    ]
    assert found == []


def test_nothing_points_back_up() -> None:
    """The arrows have no loop: nothing is below itself."""
    for capability, below in BELOW.items():
        assert all(capability not in reach(under) for under in below), capability


SEEN: list[tuple[Rule, str, str]] = [
    (ledger_stands_alone, "ledger.entries", "import sqlalchemy"),
    (ledger_stands_alone, "ledger.entries", "def f():\n    from exchange import clock"),
    (ledger_stands_alone, "ledger.entries", "from ledger.store import writing"),
    (ledger_stands_alone, "ledger.entries", "from cryptography.hazmat import primitives"),
    (ledger_stands_alone, "ledger.store.writing", "from flask import g"),
    (ledger_stands_alone, "ledger.store.writing", "import exchange.db"),
    (web_stays_at_the_edge, "exchange.members.operations", "from flask import g"),
    (web_stays_at_the_edge, "exchange.members.queries", "from flask_login import current_user"),
    (web_stays_at_the_edge, "exchange.members.models", "from flask_security import RoleMixin"),
    (web_stays_at_the_edge, "exchange.members.policy", "import wtforms.validators"),
    (web_stays_at_the_edge, "exchange.members.commands", "from flask import current_app"),
    (web_stays_at_the_edge, "exchange.imports.running", "from flask import current_app"),
    (arrows_point_down, "exchange.members.views", "from exchange.adverts import queries"),
    (arrows_point_down, "exchange.reciprocity.queries", "from exchange.bookings.queries import past_use"),
    (arrows_point_down, "exchange.bookings.operations", "from exchange.catalogue.models import Resource"),
    (arrows_point_down, "exchange.bookings.views", "from exchange.catalogue.forms import SearchForm"),
    (arrows_point_down, "exchange.bookings.views", "from ..catalogue import models"),
    (arrows_point_down, "exchange.bookings.policy", "from exchange.catalogue import policy"),
    (arrows_point_down, "exchange.adverts.operations", "from exchange.declarations import operations"),
    (files_import_what_their_kind_may, "exchange.members.operations", "from exchange import clock"),
    (files_import_what_their_kind_may, "exchange.members.operations", "from exchange.security import own"),
    (files_import_what_their_kind_may, "exchange.members.queries", "from exchange.members.forms import ProfileForm"),
    (files_import_what_their_kind_may, "exchange.members.policy", "from sqlalchemy import select"),
    (files_import_what_their_kind_may, "exchange.members.policy", "from exchange.members.models import Party"),
    (files_import_what_their_kind_may, "exchange.members.policy", "from ledger.store import reading"),
    (files_import_what_their_kind_may, "exchange.imports.reading", "from exchange.db import db"),
    (one_place_commits, "exchange.members.views", "db.session.commit()"),
    (one_place_asks_the_time, "exchange.members.views", "at = datetime.now(UTC)"),
    (one_place_asks_the_time, "exchange.members.queries", "select(func.now())"),
    (migrations_stand_alone, "migrations.versions.0009_more", "from exchange.members.models import Party"),
    (placed, "exchange.newcomer.views", ""),
    (placed, "exchange.newcomer", ""),
    (placed, "exchange.members.helpers", ""),
    (placed, "exchange.members.deep.policy", ""),
]


@pytest.mark.parametrize(("rule", "module", "source"), SEEN)
def test_a_fault_is_seen(rule: Rule, module: str, source: str) -> None:
    assert len(rule(module, source)) == 1


FINE: list[tuple[str, str]] = [
    ("exchange.bookings.operations", "from exchange.members import queries; from exchange.errors import NotFound"),
    ("exchange.bookings.views", "from flask import request; from exchange import clock; from exchange.db import db"),
    ("exchange.members.models", "from flask_security import UserMixin; from exchange.db import Base"),
    ("exchange.members.policy", "import re; from ledger.minutes import spell"),
    ("exchange.imports.reading", "import csv; from exchange.imports.reasons import Reason"),
    ("exchange.security", "from flask import g; from exchange.members.models import Territory"),
]


@pytest.mark.parametrize(("module", "source"), FINE)
def test_what_is_allowed_is_left_alone(module: str, source: str) -> None:
    assert [fault for rule in EXCHANGE for fault in rule(module, source)] == []
