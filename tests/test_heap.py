"""The option is the C library's own: whether it took it is what it says."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from chatproject.heap import share_one_heap

IN_A_PROCESS_OF_ITS_OWN = "from chatproject.heap import share_one_heap; print(share_one_heap())"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has another allocator")
def test_glibc_takes_it() -> None:
    told = subprocess.run([sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "True"


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not share_one_heap()
