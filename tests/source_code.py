"""The project's own Python files, read without importing them: modules, what they import, their functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("chat", "chatproject", "streaming")


@dataclass(frozen=True)
class Module:
    """A Python file and its dotted name; a package's file is the package."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path.name)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Dotted names, at the top or inside a function; `from a import b` counts as a and as a.b."""
        return frozenset(self._imports())

    def _imports(self) -> Iterator[str]:
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = f"{package}.{node.module or ''}".rstrip(".") if node.level else str(node.module)
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def modules(*folders: str) -> dict[str, Module]:
    """Every module below `folders`, by dotted name. Migrations are Django's."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {_name(path): Module(_name(path), path) for path in files if "migrations" not in path.parts}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PRODUCT = modules(*ROOMS) | {"manage": Module("manage", ROOT / "manage.py")}


def reaches(module: Module) -> set[str]:
    """Everything that `module` imports, directly or through modules of ours, and itself."""
    seen: set[str] = set()
    waiting = [module.name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in PRODUCT:
            waiting += PRODUCT[name].imports
    return seen
