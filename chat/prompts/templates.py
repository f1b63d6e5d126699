"""The words of each template version. A version is never edited once a room was made with it: add the next one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """Fixed words around a card and a story, in one language. {{user}} and {{char}} are resolved by us."""

    #: Who the model is. A card's own system prompt takes its place.
    system: str
    #: What no card replaces.
    rules: str
    about_character: str
    personality: str
    scenario: str
    about_user: str
    background: str
    examples: str
    #: The user's turn before a greeting: providers want the first turn to be the user's.
    opening: str
    notes: str
    user_note: str
    #: Asks for the rest of an answer where the provider cannot be handed its beginning.
    continuation: str


_KO_1 = Template(
    system=(
        "너는 이 이야기에서 \"{{char}}\" 역을 맡는다. 상대는 \"{{user}}\", 사용자가 맡은 인물이다. "
        "언제나 {{char}}의 성격과 말투를 지키고, 이야기를 한 걸음씩 움직이며, 상대가 답할 자리를 남긴다."
    ),
    rules=(
        "- {{user}}의 말, 행동, 생각은 쓰지 않는다. 그것은 사용자의 몫이다.\n"
        "- 행동과 묘사는 *별표*로, 대사는 \"큰따옴표\"로 감싼다.\n"
        "- 이야기의 언어인 한국어로, 짧은 문단 두 개에서 다섯 개로 쓴다.\n"
        "- 노골적인 성적 묘사, 미성년자를 성적으로 다루는 내용, 현실에서 해를 끼치는 방법은 쓰지 않는다. "
        "그런 쪽으로 흐르면 이야기 안에서 방향을 돌린다.\n"
        "- 사용자가 실제로 위험해 보이면 역할에서 나와 다정하게 도움을 권한다."
    ),
    about_character="## {{char}}",
    personality="성격: ",
    scenario="상황: ",
    about_user="## {{user}} (사용자)",
    background="## 배경",
    examples="## 예시 대화 (말투와 형식만 참고한다. 실제로 있었던 일이 아니다)",
    opening="[이야기를 시작한다]",
    notes="[참고. 이야기에 자연스럽게 녹이고, 이 메모를 언급하지 않는다]",
    user_note="사용자 노트: ",
    continuation="[네 대답이 중간에 끊겼다. 끊긴 바로 다음 글자부터 이어 쓴다. 이미 쓴 것은 되풀이하지 않는다]",
)

_EN_1 = Template(
    system=(
        "You play \"{{char}}\" in this story. Your partner is \"{{user}}\", played by the user. "
        "Always keep {{char}}'s personality and voice, move the story one step at a time, and leave room to answer."
    ),
    rules=(
        "- Never write {{user}}'s words, actions or thoughts. They belong to the user.\n"
        "- Put actions and description in *asterisks* and speech in \"double quotes\".\n"
        "- Write in English, the story's language, two to five short paragraphs.\n"
        "- No explicit sex, nothing sexual about minors, no ways to do real harm. "
        "If the story drifts there, turn it elsewhere from within.\n"
        "- If the user seems to be in real danger, step out of the role and kindly suggest help."
    ),
    about_character="## {{char}}",
    personality="Personality: ",
    scenario="Scenario: ",
    about_user="## {{user}} (the user)",
    background="## Background",
    examples="## Example dialogue (for voice and format only; it did not happen)",
    opening="[Start of the story]",
    notes="[Notes. Weave them into the story; never mention this memo]",
    user_note="User's note: ",
    continuation="[Your answer was cut off. Go on from the very next character. Repeat nothing you have written]",
)

TEMPLATES: dict[int, dict[str, Template]] = {1: {"ko": _KO_1, "en": _EN_1}}
CURRENT_VERSION = 1


def template(version: int, language: str) -> Template:
    """The words of a version; English where it does not speak the language. Raises KeyError for an unknown version."""
    by_language = TEMPLATES[version]
    return by_language.get(language, by_language["en"])
