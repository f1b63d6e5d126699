"""The laws of the house: who may import whom, and how long things may be."""

from __future__ import annotations

import ast
import statistics

import pytest

from chat.errors import CODES
from chatproject.schema.codes import SOCKET_ONLY, status_of
from tests.source_code import PRODUCT, Module, reaches

FILE_MAX_LINES = 300
FILE_MEDIAN_LINES = 80
FUNCTION_MAX_LINES = 45

#: Modules that must not reach a Django model, also not through others.
WITHOUT_MODELS = (
    "streaming.events", "streaming.commands", "streaming.closes", "streaming.run", "streaming.reader",
    "streaming.answer", "streaming.transcript", "streaming.hub", "streaming.instrumentation", "streaming.metrics",
    "streaming.providers", "streaming.local_model", "chat.prompts", "chat.errors", "chat.macros", "chat.excerpts",
    "chat.rollout.sequences", "chat.rollout.verdicts", "chat.rollout.evidence", "chat.rollout.simulation",
)
#: Those that must not even know Django.
WITHOUT_DJANGO = (
    "streaming.events", "streaming.commands", "streaming.closes", "streaming.run", "streaming.reader",
    "streaming.answer", "streaming.transcript", "streaming.hub", "streaming.instrumentation", "streaming.providers",
    "chat.prompts", "chat.errors", "chat.sayings", "chat.rollout", "chat.kpi.intervals", "chat.stages.cohorts",
    "streaming.loadtest.tails", "streaming.loadtest.model_server", "streaming.loadtest.ladder",
)
#: Where something begins: a process, a request, a socket, a command. Each with those that may name it.
ENTRY_POINTS: dict[str, tuple[str, ...]] = {
    "manage": (),
    "chatproject.asgi": (),
    "chatproject.celery": (),
    "chatproject.urls": (),
    "chat.urls": (),
    "chat.page_urls": (),
    "chat.views": ("chat.urls",),
    "chat.pages": ("chat.page_urls",),
    "chat.account_views": ("chatproject.urls",),
    "chatproject.schema_views": ("chatproject.urls",),
    "streaming.consumer": ("streaming.routing",),
    "streaming.routing": ("chatproject.asgi",),
}


def is_command(name: str) -> bool:
    return ".management.commands." in name


def is_below(name: str, *roots: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def importers(target: str) -> set[str]:
    return {module.name for module in PRODUCT.values() if any(is_below(name, target) for name in module.imports)}


def test_from_chat_only_views_and_commands_import_streaming() -> None:
    ours = {name for name in importers("streaming") if is_below(name, "chat") and not is_command(name)}
    assert ours == {"chat.views"}


def test_no_room_imports_the_wiring() -> None:
    rooms = {name for name in importers("chatproject") if is_below(name, "chat", "streaming")}
    assert {name for name in rooms if not is_command(name)} == set()


@pytest.mark.parametrize("root", WITHOUT_MODELS)
def test_it_knows_no_model(root: str) -> None:
    for module in below(root):
        assert not {name for name in reaches(module) if is_below(name, "chat.models", "django.db")}, module.name


@pytest.mark.parametrize("root", WITHOUT_DJANGO)
def test_it_knows_no_django(root: str) -> None:
    for module in below(root):
        assert not {name for name in reaches(module) if is_below(name, "django", "channels")}, module.name


def below(root: str) -> list[Module]:
    found = [module for module in PRODUCT.values() if is_below(module.name, root)]
    assert found, f"{root} is not there any more"
    return found


@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_nothing_imports_an_entry_point(entry: str) -> None:
    assert entry in PRODUCT, f"{entry} is not there any more"
    # A command is an entry point itself: `up` hands the application to its server.
    assert {name for name in importers(entry) if not is_command(name)} <= {*ENTRY_POINTS[entry], entry}


def test_nothing_imports_a_command() -> None:
    assert {name for module in PRODUCT.values() for name in module.imports if is_command(name)} == set()


def test_the_product_does_not_know_its_tests() -> None:
    assert importers("tests") == set()


@pytest.mark.parametrize("module", PRODUCT.values(), ids=lambda module: module.name)
def test_no_file_is_too_long(module: Module) -> None:
    assert len(module.text.splitlines()) <= FILE_MAX_LINES


def test_most_files_are_short() -> None:
    lengths = [len(module.text.splitlines()) for module in PRODUCT.values() if module.text.strip()]
    assert statistics.median(lengths) <= FILE_MEDIAN_LINES


@pytest.mark.parametrize("module", PRODUCT.values(), ids=lambda module: module.name)
def test_no_function_is_too_long_and_all_are_annotated(module: Module) -> None:
    for function in module.functions():
        assert (function.end_lineno or 0) - function.lineno < FUNCTION_MAX_LINES, function.name
        assert function.returns is not None, function.name
        assert not [one.arg for one in unannotated(function)], function.name


def unannotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    rest = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one for one in [*named, *rest] if one.annotation is None and one.arg not in ("self", "cls")]


@pytest.mark.parametrize("module", [m for m in PRODUCT.values() if list(m.functions())], ids=lambda m: m.name)
def test_a_module_that_does_something_says_what(module: Module) -> None:
    has_class_docstrings = any(ast.get_docstring(node) for node in module.tree.body if isinstance(node, ast.ClassDef))
    assert ast.get_docstring(module.tree) or has_class_docstrings or len(module.tree.body) < 8
    assert "from __future__ import annotations" in module.text


#: The errors of chat/errors.py, as they are raised with a code, with their HTTP status.
STATUS_OF_ERROR = {
    "BadCommand": 400, "NotSignedIn": 401, "NotFound": 404, "Refused": 409, "TooMany": 429, "Unavailable": 503,
}


def raised() -> set[tuple[str, str, str]]:
    """(module, error, code) wherever an error is made with a literal code."""
    return {
        (module.name, node.func.id, node.args[0].value)
        for module in PRODUCT.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
        and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        and node.func.id in (*STATUS_OF_ERROR, "ProviderError")
    }


def test_only_stable_codes_are_raised() -> None:
    assert {code for _, _, code in raised()} <= set(CODES)


def test_codes_have_the_status_that_is_published() -> None:
    wrong = {
        (where, error, code) for where, error, code in raised()
        if error in STATUS_OF_ERROR and code not in SOCKET_ONLY and status_of(code) != STATUS_OF_ERROR[error]
        # A provider's code before an answer exists is our own trouble: 503 instead of the answer's 502.
        and not code.startswith("provider_") and where != "chat.prompts.build"
    }
    assert wrong == set()


def test_every_code_is_used_somewhere() -> None:
    """Those of sockets that are closed are told by the close code; the name is for the client's own use."""
    texts = "".join(module.text for name, module in PRODUCT.items() if not is_below(name, "chatproject.schema"))
    assert {code for code in CODES if texts.count(f'"{code}"') < 2} <= set(SOCKET_ONLY)
