"""Two small stories and the exact prompts they make. To write them anew: `python -m tests.chat.golden_prompts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chat.prompts import Budget, BuiltPrompt, Head, Tail, Turn, build_prompt, render_head, tail_for
from chat.tokens import count_tokens

FOLDER = Path(__file__).parent / "golden"
SEED = 20261123
NAMES = {"ko": "민준", "en": "Sam"}

CARDS: dict[str, dict[str, Any]] = {
    "ko": {
        "name": "하늘",
        "description": (
            "{{char}}은 바닷가 헌책방의 주인이다.\r\n말수가 적고 {{random:귤,오래된 지도,비 오는 날}}을 좋아한다."
        ),
        "personality": "차분하고 눈썰미가 좋다",
        "scenario": "비 오는 저녁, {{user}}가 책방 문을 연다.",
        "mes_example": (
            "<START>\n{{user}}: 추천할 책 있어요?\n{{char}}: *책장을 훑는다* \"오늘은 이거요.\"\n<start>\n{{char}}: …"
        ),
        "post_history_instructions": "{{original}}대사는 짧게.",
        "character_book": {
            "scan_depth": 3,
            "entries": [
                {"keys": [], "constant": True, "content": "책방 이름은 '느린 오후'다.", "insertion_order": 2},
                {"keys": ["등대 지기"], "content": "등대지기는 {{char}}의 할아버지다.", "insertion_order": 5},
                {"keys": ["고래"], "enabled": False, "content": "쓰이지 않는다."},
            ],
        },
    },
    "en": {
        "name": "Captain Mira",
        "nickname": "Mira",
        "description": "{{char}} commands the freighter Gilded Heron.",
        "system_prompt": "{{original}} Keep the tone dry.",
        "mes_example": "",
        "character_book": {
            "entries": [
                {"keys": ["elf"], "content": "@@depth 4\nElves owe {{char}} a debt.", "name": "elves"},
                {"keys": ["storm"], "secondary_keys": ["lamp"], "selective": True, "content": "Lamps draw lightning."},
            ],
        },
    },
}

STORIES: dict[str, list[str]] = {
    "ko": [
        "*고개를 든다* \"어서 와요.\"", "안녕하세요. 저 등대는 뭐예요?",
        "\"등대지기가 살던 곳이에요.\"", "등대 지기는 누구였어요?",
    ],
    "en": [
        "\"You're late.\"", "Sorry. The elves held me up in the storm.",
        "*She sighs.* \"Of course.\"", "Elf's honour!",
    ],
}


def turns(language: str, count: int) -> list[Turn]:
    """The first `count` messages: greeting, user, answer, user."""
    return [
        Turn("user" if index % 2 else "assistant", text, count_tokens(text), index)
        for index, text in enumerate(STORIES[language][:count])
    ]


def head(language: str) -> Head:
    return render_head(
        CARDS[language], persona_name=NAMES[language], persona_about="{{char}}: ?", language=language,
        seed=SEED, version=1,
    )


def tail(language: str, user_note: str = "") -> Tail:
    return tail_for(CARDS[language], user_note=user_note, persona_name=NAMES[language], seed=SEED)


def built(language: str, count: int, user_note: str = "", **options: Any) -> BuiltPrompt:
    return build_prompt(
        head(language), turns(language, count), tail=tail(language, user_note), budget=Budget(8192, 512),
        window_start=0, language=language, cache_key="room", **options,
    )


def golden(language: str) -> dict[str, Any]:
    """The second turn with a note, as it goes out."""
    story = built(language, 4, user_note="{{user}} 1.7 m")
    return {
        "messages": [{"role": message.role, "content": message.content} for message in story.prompt.messages],
        "lore": list(story.lore),
        "prefixHash": story.prefix_hash,
    }


if __name__ == "__main__":
    for _language in CARDS:
        _text = json.dumps(golden(_language), ensure_ascii=False, indent=1)
        (FOLDER / f"prompt_v1_{_language}.json").write_text(_text + "\n", "utf-8")
