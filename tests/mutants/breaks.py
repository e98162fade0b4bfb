"""Small breaks of one module: a comparison turned, a condition negated, a number off by one."""

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Break:
    """One change: where, and in words. `place` is the node's number in a walk of the module."""

    path: str
    line: int
    place: int
    what: str
    code: str


def breaks_of(path: str, source: str) -> list[Break]:
    """Every break of the module."""
    tree, lines = ast.parse(source), source.splitlines()
    found = []
    skipped = _untested(tree)
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in skipped or not hasattr(node, "lineno"):
            continue
        line = node.lineno
        found += [
            Break(path, line, place, what, lines[line - 1].strip()[:90]) for what in _ways(node)
        ]
    return found


def broken(source: str, one: Break) -> str:
    """The module with that break in it."""
    tree = ast.parse(source)
    node = next(node for place, node in enumerate(ast.walk(tree)) if place == one.place)
    parent, name, at = _holder(tree, node)
    changed = _changed(node, one.what)
    if at is None:
        setattr(parent, name, changed)
    else:
        getattr(parent, name)[at] = changed
    return ast.unparse(ast.fix_missing_locations(tree))


def sample(breaks: list[Break], count: int, seed: int) -> list[Break]:
    """So many of them, by chance but always the same."""
    if count >= len(breaks):
        return breaks
    return sorted(random.Random(seed).sample(breaks, count), key=lambda one: (one.path, one.place))


def _untested(tree: ast.Module) -> set[int]:
    """What changes nothing when it runs: annotations, docstrings, messages to programmers."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        idle: list[ast.AST | None] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            idle.append(node.annotation)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            idle += [node.returns, *node.decorator_list]
        if isinstance(node, ast.ClassDef):
            idle += [*node.decorator_list, *node.bases]
        if isinstance(node, ast.Expr) and (
            isinstance(node.value, ast.Constant) or _logs(node.value)
        ):
            idle.append(node)
        for one in idle:
            skipped |= {id(each) for each in ast.walk(one)} if one is not None else set()
    return skipped


def _logs(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"log", "logger", "logging"}
    )


def _ways(node: ast.AST) -> Iterator[str]:
    """The ways in which this node can be broken."""
    yield from _operators(node)
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare):
        yield "condition"
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        yield "min/max"
    if isinstance(node, ast.Return) and node.value is not None and _is_telling(node.value):
        yield "return"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield "call left out"


def _operators(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        yield "comparison"
    if isinstance(node, ast.BoolOp):
        yield "and/or"
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield "operator"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not"


def _constant(node: ast.Constant) -> Iterator[str]:
    if isinstance(node.value, bool):
        yield "true/false"
    elif isinstance(node.value, int | float):
        yield "number"


def _is_telling(value: ast.expr) -> bool:
    """Not None, "", 0 or False: whoever asks for such a value takes the one like the other."""
    return not isinstance(value, ast.Constant) or bool(value.value)


def _changed(node: ast.AST, what: str) -> ast.AST:
    new: ast.AST = copy.copy(node)
    if isinstance(new, ast.Compare):
        new.ops = [COMPARISONS[type(new.ops[0])]()]
    elif isinstance(new, ast.BoolOp):
        new.op = ast.Or() if isinstance(new.op, ast.And) else ast.And()
    elif isinstance(new, ast.BinOp | ast.AugAssign):
        new.op = OPERATORS[type(new.op)]()
    elif isinstance(new, ast.UnaryOp):
        return new.operand
    elif isinstance(new, ast.If | ast.While | ast.IfExp):
        new.test = ast.UnaryOp(ast.Not(), new.test)
    elif isinstance(new, ast.Constant):
        new.value = (not new.value) if what == "true/false" else _next(new.value)
    elif isinstance(new, ast.Call) and isinstance(new.func, ast.Name):
        new.func = ast.Name(SWAPPED[new.func.id], ast.Load())
    elif isinstance(new, ast.Return):
        new.value = ast.Constant(None)
    elif isinstance(new, ast.Expr):
        return ast.Pass()
    return new


def _next(value: object) -> int | float:
    assert isinstance(value, int | float)
    return value + 1


def _holder(tree: ast.AST, node: ast.AST) -> tuple[ast.AST, str, int | None]:
    """Where the node hangs: its parent, the field, and the place in it where that is a list."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                return parent, name, None
            if isinstance(value, list) and any(each is node for each in value):
                return parent, name, next(n for n, each in enumerate(value) if each is node)
    raise LookupError("the node is not in the tree")
