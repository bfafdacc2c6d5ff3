"""The laws of the house as functions of a folder of Python: each gives what breaks it, as lines of text."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

FLOORS = (
    "errors", "surface", "progress", "foreign", "later", "interning", "affine", "index", "graph", "functions",
    "simplify", "calculus", "writing", "engine", "layout", "equality", "views", "drawing", "reading", "interop",
    "checking", "explaining", "page", "__main__", "__init__", "testing",
)  # fmt: skip
"""The rooms from below: a module imports from rooms below its own, and within its room without a circle."""
LATE = "later"
"""The table of what is imported when first used: what it names counts for whoever asks, not for the table."""
NAMED_TUPLE = {"_replace", "_asdict", "_fields", "_make"}

LONGEST = {"folder": 12, "module": 500, "class": 300, "function": 60}
"""Modules in a folder; lines of a module, a class, a function."""


class House:
    """A package, read: the syntax tree of each module, by its dotted name without the package's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trees: dict[str, ast.Module] = {}
        self.lines: dict[str, int] = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
            text = path.read_text("utf-8")
            self.trees[name], self.lines[name] = ast.parse(text), len(text.splitlines())

    def imports(self, name: str) -> Iterator[tuple[str, str]]:
        """What a module imports from the package, wherever it does: the module, and the name (or nothing)."""
        for node in ast.walk(self.trees[name]):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == self.root.name:
                        yield self.module(alias.name), ""
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == self.root.name:
                for alias in node.names:
                    module = self.module(f"{node.module}.{alias.name}")
                    yield module, "" if f"{node.module}.{alias.name}".endswith(f".{module}") else alias.name

    def module(self, dotted: str) -> str:
        """The module that a dotted name lies in."""
        parts = dotted.split(".")[1:]
        while parts and ".".join(parts) not in self.trees:
            parts.pop()
        return ".".join(parts) or "__init__"


# ------------------------------------------------------------------ 1: floors, and no circle


def upward(house: House, floors: Sequence[str] = FLOORS) -> list[str]:
    """Law 1: imports from a floor above."""
    level = {room: number for number, room in enumerate(floors)}
    found = set()
    for name in house.trees:
        for other, _ in house.imports(name):
            if name != LATE and level[other.split(".")[0]] > level[name.split(".")[0]]:
                found.add(f"{name} imports {other}")
    return sorted(found)


def circles(house: House, allowed: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """Law 1: files that import each other in a circle, those in functions and for type checkers alone included."""
    edges: dict[str, set[str]] = {name: set() for name in house.trees}
    for name in house.trees:
        if name != LATE:
            edges[name] = {o for o, _ in house.imports(name) if o != name and (name, o) not in (allowed or {})}
    return [f"{' and '.join(sorted(part))} import each other" for part in _components(edges) if len(part) > 1]


def _components(edges: dict[str, set[str]]) -> list[set[str]]:
    """The strongly connected components: what reaches each other."""

    @cache
    def below(start: str) -> frozenset[str]:
        seen, stack = {start}, [start]
        while stack:
            for other in edges[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        return frozenset(seen)

    parts = {frozenset(other for other in below(name) if name in below(other)) for name in edges}
    return [set(part) for part in parts]


def inside(house: House, allowed: Mapping[tuple[str, str], str]) -> list[str]:
    """Law 1: imports of the package's own modules that do not stand at the top of a file."""
    found = []
    for name, tree in house.trees.items():
        top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and id(node) not in top and name != LATE:
                module = node.module or ""
                own = module.split(".")[0] == house.root.name
                if own and (name, module.partition(".")[2]) not in allowed and not _for_types(tree, node):
                    found.append(f"{name} imports {module} inside")
    return found


def _for_types(tree: ast.Module, wanted: ast.AST) -> bool:
    """Does an import stand under `if TYPE_CHECKING` at the top of the package, for names that it has late?"""
    return any(isinstance(node, ast.If) and wanted in node.body for node in tree.body)


# ------------------------------------------------------------------ 2: what is private stays private


def reached(house: House) -> list[str]:
    """Law 2: names with a leading underscore that are imported, or reached, from another module."""
    found = []
    for name, tree in house.trees.items():
        own = {*_defined(tree), *NAMED_TUPLE}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == house.root.name:
                found += [f"{name} imports {alias.name}" for alias in node.names if _is_private(alias.name)]
            elif isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in own:
                found += [] if _is_own(node.value) else [f"{name} reaches {ast.unparse(node)}"]
    return found


def _is_own(value: ast.AST) -> bool:
    """Is this `self` or `super()`? What a class has from its bases is its own."""
    return ast.unparse(value) in ("self", "super()")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def _defined(tree: ast.AST) -> Iterator[str]:
    """The names that a module gives to functions, methods, attributes and slots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# ------------------------------------------------------------------ 3: no room is a hall


def oversize(house: House) -> dict[str, int]:
    """Law 3: folders, modules, classes and functions that are too long, with their lengths."""
    found = {}
    folders: dict[str, int] = defaultdict(int)
    for name, tree in house.trees.items():
        path = house.root.joinpath(*name.split("."))
        if not path.is_dir() and name != "__init__":
            folders[name.rpartition(".")[0]] += 1
        sizes = [("module", name, house.lines[name])]
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                sizes.append((kind, f"{name}.{node.name}", _span(node)))
        found |= {f"{kind} {what}": size for kind, what, size in sizes if size > LONGEST[kind]}
    return found | {f"folder {room}": count for room, count in folders.items() if count > LONGEST["folder"]}


def _span(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or first) - first + 1


# ------------------------------------------------------------------ 4: one name, one thing


def twice(house: House, aside: Sequence[str] = ("__init__", "text", "latex")) -> list[str]:
    """Law 4: names of classes that mean two things; names of modules that stand twice on a floor."""
    classes: dict[str, list[str]] = defaultdict(list)
    stems: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, tree in house.trees.items():
        floor, _, stem = name.partition(".")
        if stem and not house.root.joinpath(*name.split(".")).is_dir():
            stems[floor, name.rpartition(".")[2]].append(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(name)
    found = [f"class {what}: {', '.join(where)}" for what, where in classes.items() if len(where) > 1]
    return found + [
        f"module {stem}: {', '.join(where)}"
        for (_, stem), where in stems.items()
        if len(where) > 1 and stem not in aside
    ]


# ------------------------------------------------------------------ 5: closed unions


def unclosed(house: House, kinds: set[str]) -> list[str]:
    """Law 5: `match` statements over these classes that let what they don't name pass in silence.

    The last case, or the line after them, has to be `assert_never` or an error.
    """
    found = []
    for name, tree in house.trees.items():
        bodies = [body for node in ast.walk(tree) for body in _bodies(node)]
        for node, after in [pair for body in bodies for pair in zip(body, [*body[1:], None], strict=False)]:
            if isinstance(node, ast.Match):
                patterns = [p for c in node.cases for p in ast.walk(c.pattern) if isinstance(p, ast.MatchClass)]
                classes = {p.cls.id for p in patterns if isinstance(p.cls, ast.Name)} & kinds
                if classes and not _is_refusal(node.cases[-1].body[-1]) and not _is_refusal(after):
                    found.append(f"{name}:{node.lineno} matches {', '.join(sorted(classes))}")
    return found


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        if isinstance(body, list):
            yield body


def _is_refusal(node: ast.stmt | None) -> bool:
    return node is not None and ("assert_never" in ast.unparse(node) or isinstance(node, ast.Raise))


# ------------------------------------------------------------------ 6: a function is one row


def spelled(house: House, functions: set[str], rooms: Sequence[str]) -> dict[str, int]:
    """Law 6: how often a module writes the name of a function as a string, outside the rooms where rows are."""
    found: dict[str, int] = {}
    for name, tree in house.trees.items():
        if name.startswith(tuple(rooms)):
            continue
        docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        words = [
            n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value in functions and id(n) not in docs
        ]
        if words:
            found[name] = len(words)
    return found


# ------------------------------------------------------------------ 8: numbers say what they are


def unexplained(house: House) -> list[str]:
    """Law 8: numbers at module level without a sentence below them."""
    found = []
    for name, tree in house.trees.items():
        for node, after in zip(tree.body, [*tree.body[1:], None], strict=False):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name) and _is_number(getattr(node, "value", None)) and not _is_text(after):
                found.append(f"{name}.{target.id}")
    return found


def _is_number(value: ast.AST | None) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    if isinstance(value, ast.UnaryOp):
        return _is_number(value.operand)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# ------------------------------------------------------------------ 7, 9: what later work brings down


def without_example(house: House, rooms: Sequence[str]) -> list[str]:
    """Law 7: public functions of these rooms, rewrites and rules among them, without an example that runs."""
    found = []
    for name, tree in house.trees.items():
        if name.startswith(tuple(rooms)):
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and not _is_private(node.name):
                    found += [] if ">>> " in (ast.get_docstring(node) or "") else [f"{name}.{node.name}"]
    return found


def gives_any(house: House, rooms: Sequence[str]) -> list[str]:
    """Law 9: public functions and methods of these rooms whose value is `Any` to a type checker, which reads overloads.

    What an overload takes that is no expression may come out as anything.
    """
    found = []
    for name, tree in house.trees.items():
        if name.startswith(tuple(rooms)):
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.returns is not None]
            told = {id(node) for node in nodes if _is_overload(node)}
            overloaded = {node.name for node in nodes if id(node) in told}
            for node in nodes:
                if ast.unparse(node.returns or node) == "Any" and not _is_private(node.name):
                    found += [f"{name}.{node.name}"] if node.name not in overloaded else []
    return found


def _is_overload(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)


def takes_anything(house: House, rooms: Sequence[str]) -> list[str]:
    """Law 10: public functions and methods of these rooms that take any keyword and hand it on."""
    found = []
    for name, tree in house.trees.items():
        if name.startswith(tuple(rooms)):
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and not _is_private(node.name) and node.args.kwarg is not None:
                    found += [f"{name}.{node.name}"] if ast.unparse(node.args.kwarg.annotation or node) == "Any" else []
    return found
