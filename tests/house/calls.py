"""Who refers to whom in the product, read from the source without importing it.

A node is `module.name`: a function, a class or a table. An edge means "mentions": a function that is handed on, put
into a table or wrapped is as good as called, and mentioning a class mentions all its methods. So what is not reached
here is surely not called; what is reached nearly surely is.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from coordinator.core.settings import ROOT

SOURCE = ROOT / "coordinator"
#: The tables of `wiring.py`, each with what stands in it.
TABLES = {"coordinator.wiring.HANDLERS": "handler", "coordinator.wiring.JOBS": "job"}

#: What a function wears that is a way in.
WORN = {("permitted",): "verb", ("blp", "route"): "view"}

Chain = tuple[str, ...]


@dataclass
class Module:
    """One file: what it defines, and under which names it knows what others define."""

    name: str
    #: Local name -> full dotted name of what was imported under it.
    imports: dict[str, str] = field(default_factory=dict)
    #: Own names -> node in the tree.
    defines: dict[str, ast.AST] = field(default_factory=dict)


@dataclass(frozen=True)
class Door:
    """A way in: a verb that names its permission, a view, a handler of an event, or a job."""

    kind: str
    node: str


@dataclass
class Calls:
    modules: dict[str, Module]
    mentions: dict[str, set[str]]
    doors: set[Door]

    def reached_from(self, starts: Iterable[str]) -> set[str]:
        """Everything that is mentioned, directly or by way of others, from `starts` (with them)."""
        seen, waiting = set(starts), list(starts)
        while waiting:
            for other in self.mentions.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _read(path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = Module(_module_name(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            module.defines[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    module.defines[target.id] = node
    return module


def chain(node: ast.AST) -> Chain | None:
    """`a.b.c` as ("a", "b", "c"); None when it begins with anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _resolve(modules: dict[str, Module], home: Module, path: Chain) -> str | None:
    """The node that `path` means inside `home`, or None if it is nobody of this product."""
    if path[0] in home.defines:
        return f"{home.name}.{path[0]}"
    if path[0] not in home.imports:
        return None
    words = ".".join((home.imports[path[0]], *path[1:])).split(".")
    for _ in range(10):  # an import of an import of ...
        for cut in range(len(words), 0, -1):
            module = modules.get(".".join(words[:cut]))
            if module is not None:
                break
        else:
            return None
        if cut == len(words):
            return None  # the module itself
        name = words[cut]
        if name in module.defines:
            return f"{module.name}.{name}"
        if name not in module.imports:
            return None
        words = [*module.imports[name].split("."), *words[cut + 1 :]]
    return None


def chains(node: ast.AST) -> Iterator[Chain]:
    """Every longest dotted name in a piece of source, decorators left out: they register, they do not ask."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for name, value in ast.iter_fields(node):
            if name != "decorator_list":
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        yield from chains(part)
        return
    found = chain(node) if isinstance(node, ast.Name | ast.Attribute) else None
    if found:
        yield found
        return
    for child in ast.iter_child_nodes(node):
        yield from chains(child)


@cache
def calls() -> Calls:
    """The graph of the whole product."""
    modules = {module.name: module for module in map(_read, sorted(SOURCE.rglob("*.py")))}
    mentions: dict[str, set[str]] = defaultdict(set)
    doors: set[Door] = set()
    for module in modules.values():
        for name, node in module.defines.items():
            full = f"{module.name}.{name}"
            for path in chains(node):
                other = _resolve(modules, module, path)
                if other and other != full:
                    mentions[full].add(other)
            if isinstance(node, ast.FunctionDef):
                worn = {chain(one.func) for one in node.decorator_list if isinstance(one, ast.Call)}
                doors |= {Door(kind, full) for mark, kind in WORN.items() if mark in worn}
    for table, kind in TABLES.items():
        assert mentions[table], table
        doors |= {Door(kind, node) for node in mentions[table] if ".domain." not in node}
    return Calls(modules, mentions, doors)


def node_of(function: str) -> ast.AST:
    """The source of a rule's function by its dotted name."""
    module, _, name = function.rpartition(".")
    return calls().modules[module].defines[name]
