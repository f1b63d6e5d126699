"""`make screenshots`: the pictures of the README, taken of the running product with a scripted model."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.chromium import find_chromium
from tests.live import ROOT, LiveServer

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {390: 844, 1280: 800}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHARACTER = "haneul"
QUESTIONS = {
    "en": "I saw your light from the road. Are you out here alone?",
    "ko": "길에서 불빛이 보여서 왔어요. 여기 혼자 계세요?",
}
#: A word in the middle of the answer.
MIDDLE = {"en": "talking", "ko": "멈추지"}
ANSWERS = {
    "en": (
        '*She lifts the lantern a little, as if to see whether you are real.* "Alone? No. There is the sea, '
        'and it never stops talking." *A gust rattles the door; she sets her shoulder to it without looking.* '
        '"Come in before the next one. You can hold the lamp while I find you something dry, and then you tell '
        'me why anybody walks this road at night."'
    ),
    "ko": (
        '*등불을 조금 들어 올려, 당신이 정말 사람인지 확인하듯 바라본다.* '
        '"혼자요? 아니요. 바다가 있잖아요. 잠시도 말을 멈추지 않거든요." '
        '*바람이 문을 흔들자 그쪽은 보지도 않고 어깨로 밀어 닫는다.* '
        '"다음 바람이 오기 전에 들어오세요. 마른 수건을 찾는 동안 이 등불 좀 들어 주시고요. '
        '그다음엔, 이 밤길을 왜 걸어오셨는지 얘기해 주세요."'
    ),
}


def main() -> int:
    chromium = find_chromium()
    if chromium is None:
        print("There is no Chromium here, and it could not be installed.", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        for language in ANSWERS:
            with _site(language) as url:
                _portray(browser, url, language)
        browser.close()
    return 0


@contextmanager
def _site(language: str) -> Iterator[str]:
    """A new site whose model tells this language's answer, slowly enough to be caught at it."""
    options = {"text": ANSWERS[language], "chunk_chars": 2, "chunks_per_second": 25}
    with tempfile.TemporaryDirectory() as folder:
        env = {"PROVIDER_KIND": "scripted", "PROVIDER_OPTIONS": json.dumps(options), "LOG_LEVEL": "WARNING"}
        server = LiveServer(Path(folder), env={**env, "CHAT_GUESTS_PER_HOUR": "100"})
        server.start()
        try:
            yield server.url
        finally:
            server.end()


def _portray(browser: Browser, url: str, language: str) -> None:
    for width, height in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(
                base_url=url, locale={"en": "en-US", "ko": "ko-KR"}[language], color_scheme=theme,
                viewport={"width": width, "height": height},
            )
            _visit(context, f"{width}-{language}-{theme}")
            context.close()


def _visit(context: BrowserContext, name: str) -> None:
    page = context.new_page()
    page.goto("/", wait_until="networkidle")
    _take(page, f"home-{name}")
    page.goto(f"/characters/{CHARACTER}/", wait_until="networkidle")
    _take(page, f"character-{name}")
    page.locator("[data-start] button").click()
    page.wait_for_url("**/rooms/**")
    page.locator("#composer-text").fill(QUESTIONS[name.split("-")[1]])
    page.locator("[data-send]").click()
    answer = page.locator(".message--character").last
    expect(answer).to_have_attribute("data-status", "writing")
    expect(answer.locator(".message__body")).to_contain_text(MIDDLE[name.split("-")[1]])
    _take(page, f"room-{name}")
    context.set_offline(True)
    page.locator("[data-status=recovering]").wait_for()
    _take(page, f"recovering-{name}")


def _take(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=72, animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
