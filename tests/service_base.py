"""What every private server for tests is."""

from __future__ import annotations

from typing import Protocol


class Unavailable(Exception):
    """It cannot be had on this machine; the message says what is missing."""


class Service(Protocol):
    def start(self) -> str:
        """Its URL, once it answers. Raises Unavailable."""
        ...

    def stop(self) -> None:
        """Returns when it is gone."""
        ...
