"""Fixtures of the contract's tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.contract.browser_store import BrowserStore

# A shared machine is slow at times: what counts is the number of stories, not how long each takes.
settings.register_profile(
    "contract", deadline=None, max_examples=50, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.fixture(scope="module")
def browser_store() -> Generator[BrowserStore]:
    store = BrowserStore()
    yield store
    store.close()
