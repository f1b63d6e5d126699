"""What a long, fast answer costs the page: 200 chunks a second into a reply of 20,000 characters.

The room is the real one, from the real server, with every module of the browser's; only the answer is scripted
(scripted_socket.js). Reported: every interval between two frames while it is written, every long task, and the
page's own processor time a task, which tells a slow page from a busy machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from playwright.async_api import Page, async_playwright

from streaming.events import Ack, Chunk, End, Latency, Start, Usage, UserMessage, checksum, encode
from tests.bench.measure import BenchError, percentile
from tests.bench.page_trace import PageTrace, traced
from tests.chromium import find_chromium

CHUNKS_A_SECOND = 200
REPLY_CHARS = 20_000
CHUNK_CHARS = 10
WORST_FRAME_TARGET_MS = 50.0
#: A phone's processor against this machine's, as Chromium's own tools simulate it.
PHONE_SLOWDOWN = 4
PAINT_SECONDS = 1.0
POLL_SECONDS = 1.0
END_SECONDS = 30.0
QUESTION = "Tell me everything."
_PROSE = (
    '*She sets the lamp down and listens to the rain.* "You came back," she says, "and the tide is still out." '
    "The shop smells of oil and **brass**; somewhere a clock is a minute late.\n\n"
    "*그녀는 등불을 내려놓고 빗소리에 귀를 기울인다.* 「돌아왔구나.」 시계 하나가 일 분 늦게 울린다. "
    "See https://example.org/harbour for the tides.\n"
)
_SCRIPTED_SOCKET = Path(__file__).with_name("scripted_socket.js")


@dataclass(frozen=True, slots=True)
class Rendered:
    """Milliseconds, ascending: intervals between frames, tasks of 50 ms and more, processor time of all tasks.

    `is_whole`: every character of the answer is on the page at the end.
    """

    slowdown: int
    seconds: float
    frames: list[float]
    long_tasks: list[float]
    task_cpu: list[float]
    is_whole: bool


def reply_text() -> str:
    return (_PROSE * (REPLY_CHARS // len(_PROSE) + 1))[:REPLY_CHARS]


def answer_frames(room_id: UUID, text: str) -> list[str]:
    """An answer in the contract's own frames. The page fills in its requestId and the room's head."""
    message_id, user_message_id = uuid4(), uuid4()
    shared: dict[str, Any] = {"request_id": "", "room_id": room_id, "message_id": message_id, "attempt": 1}
    pieces = [text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS)]
    events = [
        Ack(request_id="", stage="accepted", message_id=message_id),
        UserMessage(
            request_id="", room_id=room_id, message_id=user_message_id, text=QUESTION, position=1,
            created_at="2026-01-01T00:00:00Z",
        ),
        Start(**shared, seq=0, reply_to=user_message_id, position=2, head=0),
        *(Chunk(**shared, seq=seq, chunk=piece) for seq, piece in enumerate(pieces, 1)),
        End(
            **shared, seq=len(pieces) + 1, content=text, usage=Usage(), latency=Latency(first_ms=1.0, total_ms=1.0),
            length=len(text), checksum=checksum(text), finish_reason="stop",
        ),
    ]
    return [encode(event) for event in events]


async def render(url: str, cookie: tuple[str, str], room_path: str, slowdown: int) -> Rendered:
    """One answer in a fresh browser."""
    text = reply_text()
    frames = answer_frames(UUID(room_path.strip("/").rsplit("/", 1)[1]), text)
    async with _page(url, cookie) as page:
        await page.goto(url + room_path)
        await page.evaluate("([answer, rate]) => Object.assign(bench, { answer, rate })", [frames, CHUNKS_A_SECOND])
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        assert page.context.browser is not None
        async with traced(page.context.browser, page) as trace:
            await _read_answer(page, len(frames) / CHUNKS_A_SECOND * slowdown)
        return await _seen(page, text, slowdown, trace)


async def _read_answer(page: Page, seconds: float) -> None:
    field = page.locator("#composer-text")
    await field.fill(QUESTION)
    await field.press("Enter")
    async with asyncio.timeout(seconds + END_SECONDS):
        # Asked from outside and seldom: the page's security policy forbids to wait for an expression inside it.
        while not await page.evaluate("bench.ended"):
            await page.wait_for_timeout(POLL_SECONDS * 1000)
    await page.wait_for_timeout(PAINT_SECONDS * 1000)


@asynccontextmanager
async def _page(url: str, cookie: tuple[str, str]) -> AsyncIterator[Page]:
    chromium = find_chromium()
    if chromium is None:
        raise BenchError("There is no Chromium here.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = await browser.new_context(viewport={"width": 412, "height": 915}, locale="en-US")
        await context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
        page = await context.new_page()
        await page.add_init_script(path=_SCRIPTED_SOCKET)
        yield page
        await browser.close()


async def _seen(page: Page, text: str, slowdown: int, trace: PageTrace) -> Rendered:
    seen = await page.evaluate("({ ...bench, answer: [] })")
    body = await page.locator(".message--character .message__body").last.text_content()
    began = seen["began"]
    stamps = [stamp for stamp in seen["stamps"] if stamp >= began]
    return Rendered(
        slowdown=slowdown,
        seconds=(stamps[-1] - stamps[0]) / 1000,
        frames=sorted(after - before for before, after in pairwise(stamps)),
        long_tasks=sorted(duration for start, duration in seen["longTasks"] if start >= began),
        task_cpu=trace.task_ms,
        is_whole=_letters(body or "") == _letters(text),
    )


def _letters(text: str) -> str:
    """What markup neither shows nor moves."""
    return "".join(character for character in text if not character.isspace() and character != "*")


def run(url: str, seats: list[tuple[tuple[str, str], str]], say: Callable[[str], None], *, rounds: int) -> None:
    """Print the figures of `rounds` answers at full speed and as many as slow as a phone."""
    chosen = cycle(seats)
    say(f"{CHUNKS_A_SECOND} chunks a second of {CHUNK_CHARS} characters into a reply of {REPLY_CHARS}")
    for slowdown in (1, PHONE_SLOWDOWN):
        for _ in range(rounds):
            cookie, room_path = next(chosen)
            for line in _lines(asyncio.run(render(url, cookie, room_path, slowdown))):
                say(line)


def _lines(seen: Rendered) -> Iterator[str]:
    worst, own = max(seen.frames, default=0.0), max(seen.task_cpu, default=0.0)
    late = sum(frame > WORST_FRAME_TARGET_MS for frame in seen.frames)
    is_good = seen.is_whole and bool(seen.frames) and worst <= WORST_FRAME_TARGET_MS
    # A frame may be late because the page was slow, or because something else had the processor.
    blame = "" if is_good or own > WORST_FRAME_TARGET_MS else " - the machine was busy, the page was not"
    yield f"{'reached' if is_good else 'NOT REACHED'}, processor ÷ {seen.slowdown}{blame}"
    yield (
        f"    {len(seen.frames)} frames in {seen.seconds:.1f} s: p50 {percentile(seen.frames, 50):.1f}, "
        f"p95 {percentile(seen.frames, 95):.1f}, p99 {percentile(seen.frames, 99):.1f}, worst {worst:.1f} ms; "
        f"{late} over {WORST_FRAME_TARGET_MS:g} ms; long tasks {len(seen.long_tasks)}"
    )
    yield (
        f"    the page's own thread: worst task {own:.1f} ms of processor time, "
        f"busy {sum(seen.task_cpu) / seen.seconds / 10:.0f} %; text {'whole' if seen.is_whole else 'NOT WHOLE'}"
    )
