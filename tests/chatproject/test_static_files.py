"""Static files are collected when they changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from chatproject.launch.static_files import collect_static


@pytest.fixture
def source(tmp_path: Path, settings: Settings) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a {}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [str(source)], str(tmp_path / "root")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    return source


def test_a_second_start_collects_nothing(source: Path, tmp_path: Path) -> None:
    collect_static()
    collected = tmp_path / "root" / "a.css"
    collected.unlink()
    collect_static()
    assert not collected.exists()


def test_a_changed_and_a_new_file_are_collected(source: Path, tmp_path: Path) -> None:
    collect_static()
    (source / "a.css").write_text("a { color: red }")
    (source / "b.css").write_text("b {}")
    collect_static()
    assert (tmp_path / "root" / "a.css").read_text() == "a { color: red }"
    assert (tmp_path / "root" / "b.css").exists()


def test_another_kind_of_storage_collects_again(source: Path, tmp_path: Path, settings: Settings) -> None:
    (source / "a.css").write_text("a { color: red }\n" * 100)
    collect_static()
    settings.STORAGES = {
        **settings.STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}
    }
    collect_static()
    assert (tmp_path / "root" / "a.css.gz").exists()


def test_an_interrupted_collection_is_done_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    collect_static()
    (source / "b.css").write_text("b {}")
    with monkeypatch.context() as patch:
        patch.setattr("chatproject.launch.static_files.call_command", fail)
        with pytest.raises(OSError, match="disk full"):
            collect_static()
    collect_static()
    assert (tmp_path / "root" / "b.css").exists()
