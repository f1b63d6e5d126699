"""One attempt's pieces: timed, joined to the text that is already there, measured. Knows no route and no other attempt.

One generator for all three, because each that a piece goes through is woken and left again for every piece.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streaming.instrumentation import Meter
from streaming.providers.base import Finished, Limits, Piece, ProviderError, Text
from streaming.providers.continuation import Seam
from streaming.providers.timers import Watch


class Joint:
    """What of an attempt is new. `is_fresh`: there is no text yet that it goes on from."""

    __slots__ = ("_has_text", "_seam")

    def __init__(self, seam: Seam, *, is_fresh: bool) -> None:
        self._seam = seam
        self._has_text = not is_fresh

    def new(self, text: str) -> str:
        """What may be shown now; perhaps nothing."""
        new = self._seam.feed(text)
        if not self._has_text:
            new = new.lstrip()  # blank lines before the first word are no part of an answer
            self._has_text = bool(new)
        return new

    def close(self, finished: Finished) -> str:
        """What was held back. Raises ProviderError for a fresh answer without text."""
        held = self._seam.close()
        if not held and not self._has_text:
            raise _empty(finished)
        return held


async def attempted(
    pieces: AsyncGenerator[Piece], limits: Limits, joint: Joint, meter: Meter
) -> AsyncGenerator[Piece]:
    """Only what is new, in time; an end without its marker is an error. Raises ProviderError; closes `pieces`."""
    # Within the meter: an answer without text is an error of its route.
    with meter:
        async with aclosing(pieces):
            with Watch(limits) as watch:
                async for piece in pieces:
                    watch.rest()
                    if isinstance(piece, Finished):
                        if held := joint.close(piece):
                            meter.wrote(held)
                            yield Text(held)
                        meter.finish(piece)
                        yield piece
                        return
                    if new := joint.new(piece.text):
                        meter.wrote(new)
                        yield piece if new is piece.text else Text(new)
                    watch.wait()
        raise ProviderError("provider_incomplete", "The stream ended without its marker.", retryable=True)


def _empty(finished: Finished) -> ProviderError:
    if finished.reason == "content_filter":
        return ProviderError("content_filtered", "The content filter left nothing.", retryable=False)
    return ProviderError("provider_empty", "The model ended without writing anything.", retryable=True)
