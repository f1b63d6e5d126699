"""One streamed answer, read: batches of bytes → events → content. Knows no dialect and no HTTP status."""

from __future__ import annotations

import asyncio
from typing import Protocol

from streaming.providers import refusals
from streaming.providers.base import Finished, Mark, ProviderError, unmarked
from streaming.providers.batches import Batches
from streaming.providers.content import Content
from streaming.providers.pace import Pace
from streaming.providers.sse import EventParser

#: Once the model has said that it is done, how long its usage and marker may take, seconds.
TAIL_SECONDS = 2.0


class Decoder(Protocol):
    """One stream's payloads → content and end."""

    content: Content

    @property
    def is_ending(self) -> bool:
        """The model has said that it is done; usage and marker may follow."""
        ...

    @property
    def is_over(self) -> bool:
        """The terminal marker was there: nothing follows."""
        ...

    def take(self, payload: bytes) -> None:
        """One event's data. Raises ProviderError."""
        ...

    def finished(self) -> Finished:
        """The end, if there was one. Raises `provider_incomplete`."""
        ...


class Reading:
    def __init__(self, body: Batches, decoder: Decoder, pace: Pace, mark: Mark) -> None:
        self._body = body
        self._decoder = decoder
        self._pace = pace
        self._mark = mark
        self._parser = EventParser()
        self._rest_seconds = 0.0
        self._error: ProviderError | None = None
        self._is_at_end = False

    async def text(self) -> str:
        """The next batch's content, empty at the end. What came before an error is given before it is raised."""
        decoder, body = self._decoder, self._body
        while self._error is None and not decoder.is_over and not self._is_at_end:
            try:
                batch = await (self._tail() if decoder.is_ending else body.read(rest_seconds=self._rest_seconds))
            except refusals.NETWORK_ERRORS as error:
                batch = self._broken(error)
            self._take(batch)
            text, pieces = decoder.content.take()
            # The batch with the end never waits, and neither does what follows it.
            self._rest_seconds = 0.0 if decoder.is_ending else self._pace.rest_after(pieces, body.age_seconds)
            if text:
                return text
        if self._error is not None:
            raise self._error
        return ""

    def finished(self) -> Finished:
        """The end, once `text` was empty. Raises `provider_incomplete`."""
        return self._decoder.finished()

    # Internal

    async def _tail(self) -> bytes:
        async with asyncio.timeout(TAIL_SECONDS):
            return await self._body.read()

    def _broken(self, error: Exception) -> bytes:
        """The text is whole once the model has said so: a marker that never came is no failure."""
        if self._decoder.is_ending:
            return b""
        raise refusals.of_break(error) from error

    def _take(self, data: bytes) -> None:
        self._mark("first_byte")
        self._mark = unmarked
        try:
            if not data:
                self._take_rest()
            for payload in self._parser.feed(data):
                self._decoder.take(payload)
        except ProviderError as error:
            if self._decoder.is_ending:
                # The text is whole: what is wrong with its usage, or with anything after it, spoils none of it.
                self._is_at_end = True
            else:
                self._error = error

    def _take_rest(self) -> None:
        """The bytes have ended. An event they cut short is no garbage: the stream is merely incomplete."""
        self._is_at_end = True
        for payload in self._parser.close():
            try:
                self._decoder.take(payload)
            except ProviderError as error:
                if error.code != "provider_garbage":
                    raise
