"""The documents: complete where they list something, and true where they point somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat.models import ModelRoute
from chat.routes import SERVICES
from chatproject.schema.configuration import build_configuration, commands, read_variables, route_suffixes
from chatproject.schema.meanings import (
    COMPUTED_DEFAULTS,
    ROUTE_OPTIONS,
    ROUTE_SUFFIXES,
    SECTIONS,
    SOCIAL_SUFFIXES,
)
from streaming.providers.openai_compatible import Switches
from tests.source_code import PRODUCT, ROOT

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:chat|chatproject|streaming|frontend_static|tests)/[\w./]+\.\w+)`")
#: Folders of somebody's own machine.
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|tmp|root|home|Users|mnt)/")
#: What a person who runs the product should find.
EXPECTED = ("README", "README.ko", "ARCHITECTURE", "PROTOCOL", "CONFIGURATION", "RUNBOOK", "CHANGELOG")

each_document = pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))


def test_the_documents_are_there() -> None:
    assert set(EXPECTED) <= {path.stem for path in DOCS}


def test_every_variable_of_the_settings_has_a_meaning_and_no_other_has() -> None:
    told = {name for meanings in SECTIONS.values() for name in meanings}
    assert told == set(read_variables())
    assert set(COMPUTED_DEFAULTS) <= told


def test_the_families_of_variables_are_told_as_they_are_read() -> None:
    assert set(ROUTE_SUFFIXES) == route_suffixes()
    read = set(re.findall(r"_(CLIENT_\w+)\"", PRODUCT["chatproject.social"].text))
    assert set(SOCIAL_SUFFIXES) == read


def test_every_option_that_a_service_has_or_that_a_dialect_reads_is_told() -> None:
    assert {("openai", name) for name in Switches.__struct_fields__} <= set(ROUTE_OPTIONS)
    assert {(service.kind, name) for service in SERVICES for name in service.options} <= set(ROUTE_OPTIONS)
    assert all(f"`{name}`" in build_configuration() for _, name in ROUTE_OPTIONS)


def test_every_kind_of_route_is_named() -> None:
    assert all(kind in ROUTE_SUFFIXES["KIND"] for kind in ModelRoute.Kind.values)


def test_no_other_module_reads_a_variable_unseen() -> None:
    """Whole environments are handed on as values; single variables are read where CONFIGURATION.md looks."""
    named = re.compile(r"os\.(?:getenv\(|environ\.get\(|environ\[)f?[\"']")
    readers = {module.name for module in PRODUCT.values() if named.search(module.text)}
    assert readers <= {"chatproject.settings", "chatproject.launch.preflight", "chatproject.schema.configuration"}


def test_every_command_is_in_the_configuration_page() -> None:
    page = build_configuration()
    assert [name for _, name in commands() if f"`{name}`" not in page] == []


def test_every_check_id_has_a_hint() -> None:
    text = PRODUCT["chatproject.checks"].text
    assert len(re.findall(r"id=\"chatproject\.\w+\"", text)) == len(re.findall(r"\bhint=", text)) > 0


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file) if file else path
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def anchors(path: Path) -> set[str]:
    """Headings as they are linked to: small letters, hyphens, nothing else."""
    headings = HEADING.findall(path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_no_document_names_a_path_of_somebodys_machine(path: Path) -> None:
    assert MACHINE_PATH.findall(path.read_text("utf-8")) == []


@each_document
def test_files_that_are_named_are_there(path: Path) -> None:
    assert [name for name in NAMED_FILE.findall(path.read_text("utf-8")) if not (ROOT / name).exists()] == []
