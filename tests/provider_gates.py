"""Gates of the scripted model server: an answer stands still where its behaviour says until a test lets it go.

One gate an id. What is held when it opens goes on, or gets into trouble there; whoever comes later passes.
"""

from __future__ import annotations

import asyncio

GO = "go"


class Gates:
    def __init__(self) -> None:
        self._held: dict[str, list[asyncio.Future[str]]] = {}
        self._opened: set[str] = set()

    async def wait(self, name: str) -> str:
        """Until the gate opens: GO, or the trouble to get into."""
        if name in self._opened:
            return GO
        here: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._held.setdefault(name, []).append(here)
        try:
            return await here
        finally:
            self._held[name].remove(here)

    def open(self, name: str, how: str) -> None:
        self._opened.add(name)
        for here in self._held.get(name, []):
            if not here.done():
                here.set_result(how)

    @property
    def held(self) -> list[str]:
        """Ids of the answers that stand still, once for each call."""
        return [name for name, waiting in self._held.items() for _ in waiting]
