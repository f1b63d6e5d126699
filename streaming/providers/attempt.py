"""One attempt's pieces, joined to the text that is already there. Knows no route and no other attempt."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from streaming.providers.base import Finished, Piece, ProviderError, Text
from streaming.providers.continuation import Seam


async def joined(pieces: AsyncGenerator[Piece], seam: Seam, *, is_fresh: bool) -> AsyncGenerator[Piece]:
    """Only what is new; an end without its marker, or a fresh answer without text, is an error."""
    has_text = not is_fresh
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Finished):
                if held := seam.close():
                    yield Text(held)
                elif not has_text:
                    raise _empty(piece)
                yield piece
                return
            new = seam.feed(piece.text)
            if not has_text:
                new = new.lstrip()  # blank lines before the first word are no part of an answer
                has_text = bool(new)
            if new:
                yield piece if new is piece.text else Text(new)
    raise ProviderError("provider_incomplete", "The stream ended without its marker.", retryable=True)


def _empty(finished: Finished) -> ProviderError:
    if finished.reason == "content_filter":
        return ProviderError("content_filtered", "The content filter left nothing.", retryable=False)
    return ProviderError("provider_empty", "The model ended without writing anything.", retryable=True)
