"""Fixtures of the contract's tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import Phase, settings

from tests.contract.browser_store import BrowserStore

settings.register_profile(
    "contract", settings.get_profile("suite"), max_examples=50,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.fixture(scope="module")
def browser_store() -> Generator[BrowserStore]:
    store = BrowserStore()
    yield store
    store.close()
