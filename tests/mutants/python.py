"""Small changes to Python functions, put in place of the original without touching a file."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

OF_HELP = {"help", "metavar", "description", "prog", "flush"}  # what a command says of itself, and when it is shown
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One function with one thing changed."""

    file: str
    line: int
    what: str
    function: FunctionType
    code: CodeType

    def live(self) -> None:
        """Whoever holds the function runs the changed code from now on."""
        self.function.__code__ = self.code


def functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions and methods that the module defines, whatever they are wrapped in."""
    for thing in vars(module).values():
        held = vars(thing).values() if inspect.isclass(thing) and thing.__module__ == module.__name__ else [thing]
        for each in held:
            found = _unwrapped(each)
            if found is not None and found.__code__.co_filename == module.__file__:
                yield found


def _unwrapped(thing: Any) -> FunctionType | None:
    if isinstance(thing, property):
        thing = thing.fget
    elif isinstance(thing, functools.cached_property):
        thing = thing.func
    elif isinstance(thing, classmethod | staticmethod):
        thing = thing.__func__
    thing = inspect.unwrap(thing) if callable(thing) else thing
    return thing if isinstance(thing, FunctionType) else None


def mutants(module: ModuleType, root: Path) -> Iterator[Mutant]:
    """Every change of one thing in the body of a function of the module."""
    path = Path(str(module.__file__))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {_place(found.__code__): found for found in functions(module)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        function = known.get((node.name, first))
        if function is None:  # inside another function, whose changes hold it
            continue
        for line, what, change, undo in changes(node.body):
            change()
            code = _find(compile(ast.fix_missing_locations(tree), str(path), "exec"), (node.name, first))
            undo()
            if code is not None and code.co_freevars == function.__code__.co_freevars:
                yield Mutant(str(path.relative_to(root)), line, what, function, code)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _find(code: CodeType, place: tuple[str, int]) -> CodeType | None:
    if _place(code) == place:
        return code
    inside = (_find(each, place) for each in code.co_consts if isinstance(each, CodeType))
    return next((each for each in inside if each is not None), None)


Change = tuple[int, str, Callable[[], None], Callable[[], None]]


def changes(body: list[ast.stmt]) -> Iterator[Change]:
    """Line, what, how to do it and how to undo it, for each change of one thing in these statements."""
    yield from _without(body)
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    todo: list[ast.AST] = list(body[documented:])
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FormattedValue):
            todo.append(node.value)  # how it is shown is not changed
            continue
        if isinstance(node, ast.keyword) and node.arg in OF_HELP:
            continue
        yield from _of_one(node)
        for name, value in ast.iter_fields(node):
            declared = isinstance(node, ast.FunctionDef | ast.AnnAssign)
            if declared and name in {"annotation", "returns", "decorator_list", "args"}:
                continue
            many = value if isinstance(value, list) else [value]
            todo += [each for each in many if isinstance(each, ast.AST)]
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield from _without(value)


def _of_one(node: ast.AST) -> Iterator[Change]:
    line = getattr(node, "lineno", 0)

    def swap(name: str, new: Any, what: str) -> Change:
        old = getattr(node, name)
        return line, what, lambda: setattr(node, name, new), lambda: setattr(node, name, old)

    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARED[type(operator)]:
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield swap("ops", ops, f"{_named(operator)} became {_named(other())}")
    elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        yield swap("op", _COMPUTED[type(node.op)](), f"{_named(node.op)} became another operator")
    elif isinstance(node, ast.AugAssign) and type(node.op) in _COMPUTED:
        yield swap("op", _COMPUTED[type(node.op)](), f"{_named(node.op)}= became another operator")
    elif isinstance(node, ast.BoolOp):
        yield swap("op", ast.Or() if isinstance(node.op, ast.And) else ast.And(), f"{_named(node.op)} became the other")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield swap("operand", ast.UnaryOp(ast.Not(), node.operand), "not was dropped")
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield swap("test", ast.UnaryOp(ast.Not(), node.test), "the condition was turned")
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield swap("value", ast.Constant(None), "it returns None")
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield swap("value", not node.value, f"{node.value} became {not node.value}")
        elif isinstance(node.value, int):
            yield swap("value", node.value + 1, f"{node.value} became {node.value + 1}")
        elif isinstance(node.value, str):
            yield swap("value", node.value + "XX", f"{node.value[:20]!r} became another text")
        elif isinstance(node.value, bytes):
            yield swap("value", node.value + b"XX", f"{node.value[:20]!r} became other bytes")


def _without(statements: list[ast.stmt]) -> Iterator[Change]:
    """Changes that leave out one statement that does something without giving a name to it."""
    for place, statement in enumerate(list(statements)):
        done = isinstance(statement, ast.Raise | ast.AugAssign | ast.Continue | ast.Break) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Yield | ast.YieldFrom)
        )
        if done:
            what = f"left out: {ast.unparse(statement)[:50]}"
            yield (
                statement.lineno, what,
                functools.partial(statements.__setitem__, place, ast.copy_location(ast.Pass(), statement)),
                functools.partial(statements.__setitem__, place, statement),
            )  # fmt: skip


def _named(operator: ast.AST) -> str:
    return type(operator).__name__


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
