"""The mutants of T29 are what they say: one change each, put in place and told apart from the original."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from exchange.config import ROOT
from tests.mutants import database, python

SOURCE = '''
"""A module."""
from functools import cached_property

LIMIT = 3


def least(a, b=1):
    """A docstring is no code."""
    if a < b and a > 0:
        raise ValueError("a")
    return a + 2


class Tree:
    @property
    def size(self):
        return len(self.rows) - 1

    @cached_property
    def rows(self):
        rows = [1]
        rows.append(5)
        return rows

    @classmethod
    def empty(cls):
        return not cls
'''


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "small.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("small", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_each_thing_of_a_body_is_changed_alone(module: ModuleType, tmp_path: Path) -> None:
    found = [(mutant.function.__qualname__, mutant.what) for mutant in python.mutants(module, tmp_path)]
    assert sorted(found) == sorted([
        ("least", "Lt became LtE"), ("least", "Lt became GtE"), ("least", "Gt became GtE"), ("least", "Gt became LtE"),
        ("least", "And became the other"), ("least", "the condition was turned"), ("least", "0 became 1"),
        ("least", "left out: raise ValueError('a')"), ("least", "'a' became another text"),
        ("least", "it returns None"), ("least", "Add became another operator"), ("least", "2 became 3"),
        ("Tree.size", "it returns None"), ("Tree.size", "Sub became another operator"), ("Tree.size", "1 became 2"),
        ("Tree.rows", "1 became 2"), ("Tree.rows", "left out: rows.append(5)"), ("Tree.rows", "5 became 6"),
        ("Tree.rows", "it returns None"),
        ("Tree.empty", "it returns None"), ("Tree.empty", "not was dropped"),
    ])  # fmt: skip


def test_a_mutant_lives_wherever_the_function_was_already_taken(module: ModuleType, tmp_path: Path) -> None:
    held, tree = module.least, module.Tree()
    for mutant in python.mutants(module, tmp_path):
        if mutant.what in {"Add became another operator", "left out: rows.append(5)"}:
            mutant.live()
    assert (held(5), tree.size) == (3, 0)


def test_a_function_of_the_database_loses_one_condition_at_a_time() -> None:
    file = ROOT / "migrations" / "sql" / "books_post.v1.sql"
    found = list(database.mutants(file, ROOT))
    source = file.read_text(encoding="utf-8")
    assert all(mutant.sql != source and mutant.sql.count("\n") <= source.count("\n") for mutant in found)
    assert len({mutant.sql for mutant in found}) == len(found) > 60
    said = {mutant.what for mutant in found}
    assert {"< became '<='", "OR became 'AND'", "greatest( became 'least('"} <= said
    assert any(one.startswith("left out: PERFORM refuse('floor-reached'") for one in said)


def test_the_tests_of_a_function_are_those_of_whatever_calls_it(tmp_path: Path) -> None:
    def made(name: str, body: str, returns: str = "bigint") -> Path:
        file = tmp_path / f"books_{name}.v1.sql"
        file.write_text(f"CREATE FUNCTION books.{name}() RETURNS {returns} AS $$ BEGIN {body} END $$")
        return file

    inner, outer = made("inner", ""), made("outer", "PERFORM inner(1);")
    around, guard = made("around", "x := outer (2);"), made("guard", "", "trigger")
    functions = [inner, outer, around, guard]
    assert database.callers(str(inner), functions) == {"inner", "outer", "around"}
    assert database.callers(str(around), functions) == {"around"}
    assert database.callers(str(guard), functions) == {"inner", "outer", "around", "guard"}
