"""CONFIGURATION.md: every variable that the code reads, found by reading the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.core.management import find_commands

from chat.routes import EXTRAS, SERVICES
from chatproject.schema.meanings import COMPUTED_DEFAULTS, ROUTE_OPTIONS, ROUTE_SUFFIXES, SECTIONS, SOCIAL_SUFFIXES
from chatproject.schema.tables import table
from chatproject.social import SOCIAL_PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
READERS = ("chatproject/settings.py", "chatproject/watching.py", "chatproject/launch/preflight.py")
APPS_WITH_COMMANDS = ("chat", "streaming")
INTRODUCTION = """# Configuration

Everything is a variable of the environment; none is needed for `make run`. Units stand in the names. This page is
generated from the code (`manage.py protocol --write`).
"""
OPTIONS_HEAD = """Options that are more than a field of the request, of `…_OPTIONS` and of a route made in the admin:

"""
COMMANDS_HEAD = "## Commands\n\nOf `manage.py`, beside Django's own; each tells more with `--help`.\n\n"


def read_variables() -> dict[str, str]:
    """Name → default, as the code says it, of every variable that settings and `manage.py up` read."""
    found: dict[str, str] = {}
    for reader in READERS:
        for name, default in _reads(ast.parse((ROOT / reader).read_text("utf-8"))):
            found.setdefault(name, default)
    return found


def _reads(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Of `env.kind("NAME", default)` and `os.environ.get("NAME", default)`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        source, name = ast.unparse(node.func.value), node.args[0]
        if source in ("env", "os.environ") and isinstance(name, ast.Constant) and node.func.attr != "setdefault":
            yield str(name.value), _default(node.args[1]) if len(node.args) > 1 else ""


def _default(node: ast.expr) -> str:
    """Texts as one would write them in a shell, the rest as the code has it."""
    text = str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
    return "" if text in ("", "[]", "None") else f"`{text}`"


def build_configuration() -> str:
    defaults = {**read_variables(), **COMPUTED_DEFAULTS}
    parts = [INTRODUCTION]
    for title, meanings in SECTIONS.items():
        rows = [(f"`{name}`", defaults[name], meaning) for name, meaning in meanings.items()]
        parts.append(f"## {title}\n\n{table(('variable', 'default', 'meaning'), rows)}")
    parts.append(_families("Ways to a model", [service.prefix for service in SERVICES], ROUTE_SUFFIXES))
    parts.append(OPTIONS_HEAD + table(("kind", "option", "what it does"), _options()))
    parts.append(_families("Social sign-in", [name.upper() for name in SOCIAL_PROVIDERS], SOCIAL_SUFFIXES))
    parts.append(COMMANDS_HEAD + table(("command", "what it does"), _commands()))
    return "\n".join(parts)


def _families(title: str, prefixes: list[str], suffixes: dict[str, str]) -> str:
    names = ", ".join(f"`{prefix}_`" for prefix in prefixes)
    rows = [(f"`…_{suffix}`", meaning) for suffix, meaning in suffixes.items()]
    return f"## {title}\n\nThe beginning of each name: {names}.\n\n{table(('variable', 'meaning'), rows)}"


def _options() -> list[tuple[str, ...]]:
    return [(kind, f"`{name}`", meaning) for (kind, name), meaning in ROUTE_OPTIONS.items()]


def _commands() -> list[tuple[str, ...]]:
    return [(f"`{name}`", import_module(f"{app}.management.commands.{name}").Command.help) for app, name in commands()]


def commands() -> list[tuple[str, str]]:
    """(app, name) of each management command of ours."""
    found = [(app, name) for app in APPS_WITH_COMMANDS for name in find_commands(str(ROOT / app / "management"))]
    return sorted(found, key=lambda command: command[1])


def route_suffixes() -> set[str]:
    """What chat/routes.py reads of a family."""
    return {"BASE_URL", "API_KEY", "MODEL", "KIND", *EXTRAS}
