"""How text reaches the page: at once at first, then by frames; only its tail is ever touched; nothing but text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.look.visitor import Visitor

pytestmark = pytest.mark.browser
HARNESS = (Path(__file__).parent / "rendering.js").read_text(encoding="utf-8")
STORY = '*그가 등불을 든다.* "오늘 밤은 바람이 다르네." He turns. “I never thought you would come back.”\n\n'

#: Counts changes to lines that were done when they happened, and flushes, while the text is poured in.
POUR_AND_WATCH = """async ([pieces, perSecond]) => {
  const touched = new Set();
  let flushes = 0;
  const done = new WeakSet();
  const observer = new MutationObserver((records) => {
    flushes += 1;
    for (const { target } of records) {
      const line = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target).closest(".markup__line");
      if (line && done.has(line)) touched.add(line.textContent);
    }
    for (const line of [...load.body().children].slice(0, -1)) done.add(line);
  });
  observer.observe(load.body(), { subtree: true, childList: true, characterData: true });
  const startedAt = performance.now();
  const worst = await load.worstFrame(() => load.pour(pieces, perSecond));
  await load.shown(pieces.join("").length);
  observer.disconnect();
  return { touched: [...touched], flushes, worst, ms: performance.now() - startedAt };
}"""
LOOK_OVER = """([text]) => {
  load.chunk(text);
  load.renderer.viewOf("answer").replace({ ...load.store.find("answer"), status: "complete" });
}"""
SHORTEST_FLUSH_MS = 33


@pytest.fixture
def run(visitor: Visitor) -> Callable[..., Any]:
    """Evaluates on a room's page that holds our own store and renderer, and one answer that has begun."""
    visitor.open_room()
    visitor.page.evaluate(HARNESS)
    return visitor.page.evaluate


def pieces_of(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_the_first_words_are_on_the_page_before_the_event_is_done(run: Callable[..., Any]) -> None:
    assert run("() => { load.chunk('Once'); return load.body().textContent; }") == "Once"
    assert run("load.firstPaints") == ["Once"]


def test_later_words_wait_for_a_frame_and_come_together(run: Callable[..., Any]) -> None:
    run("load.chunk('Once')")
    assert run("() => { load.chunk(' upon'); load.chunk(' a time'); return load.body().textContent; }") == "Once"
    run("load.shown('Once upon a time'.length)")


def test_a_hidden_page_has_no_frames_and_is_written_all_the_same(run: Callable[..., Any]) -> None:
    run("() => { globalThis.requestAnimationFrame = () => 0; load.chunk('Once'); load.chunk(' upon'); }")
    run("load.shown('Once upon'.length)")
    assert run("load.body().textContent") == "Once upon"


@pytest.mark.slow
def test_a_long_fast_answer_touches_no_line_that_is_done(
    run: Callable[..., Any], record_property: Callable[[str, object], None]
) -> None:
    text = (STORY * 300)[:20_000]
    seen = run(POUR_AND_WATCH, [pieces_of(text, 20), 200])
    assert seen["touched"] == []
    assert run("load.renderer.shownLength('answer')") == len(text)
    # A thousand chunks came. The first is written at once, and so is what is left at the end.
    assert seen["flushes"] <= 2 + seen["ms"] / SHORTEST_FLUSH_MS
    record_property("worst_frame_ms", seen["worst"])


def test_the_text_is_the_same_however_it_is_cut(run: Callable[..., Any]) -> None:
    text = STORY * 3
    run("([pieces]) => load.pour(pieces, 100000)", [pieces_of(text, 1)])
    run("([length]) => load.shown(length)", [len(text)])
    assert run("load.body().textContent") == text.replace("\n", "").replace("*", "")
    assert run("load.body().querySelectorAll('em.markup__action').length") == 3
    assert run("load.body().querySelectorAll('.markup__speech').length") == 6


def test_an_unclosed_mark_is_styled_while_it_is_open(run: Callable[..., Any]) -> None:
    run("load.chunk('*she smi')")
    assert run("load.body().querySelector('em').textContent") == "she smi"


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "[click](javascript:alert(1)) javascript:alert(1)",
        "![pixel](https://evil.example/p.png)",
        '<a href="https://evil.example" onclick="alert(1)">x</a>',
    ],
)
def test_what_a_model_writes_becomes_text_and_plain_links_at_most(run: Callable[..., Any], text: str) -> None:
    run(LOOK_OVER, [text])
    assert run("load.body().textContent") == text
    assert run("[...load.body().querySelectorAll('*')].map(node => node.localName)") == run(
        "[...load.body().querySelectorAll('p, span.markup__speech, a')].map(node => node.localName)"
    )
    for link in run("[...load.body().querySelectorAll('a')].map(a => [a.protocol, a.rel, a.target])"):
        assert link == ["https:", "noopener noreferrer nofollow", "_blank"]
