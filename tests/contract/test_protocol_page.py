"""PROTOCOL.md by itself: its tables are the code's, and its worked examples come out as it says."""

from __future__ import annotations

import json
import re
from typing import Any

from chat.errors import CODES
from chatproject.schema import generated
from chatproject.schema.tables import TABLES
from streaming import closes
from streaming.answer import Change
from streaming.commands import Resume, parse_command
from streaming.events import checksum, decode
from streaming.transcript import Transcript

PAGE = generated.PROTOCOL.read_text("utf-8")
EXAMPLES = PAGE.split("### Worked examples")[1].split("## Coming back")[0]
BLOCKS = [block.strip().split("\n") for block in re.findall(r"```json\n(.*?)```", EXAMPLES, re.DOTALL)]
MESSAGE = "5f3c2a10-7d44-4c1b-8e21-000000000003"
COMMON = {"requestId": "req-0000-0001", "roomId": "0b8f6d0e-6c0b-4d8e-9a51-2f7a3c1d0001", "messageId": MESSAGE}
END = {"usage": {}, "latency": {"firstMs": 1.0, "totalMs": 2.0}, "finishReason": "stop"}


def test_every_table_stands_in_the_page_once() -> None:
    assert sorted(re.findall(r"<!-- table: ([\w-]+) -->", PAGE)) == sorted(TABLES)
    assert PAGE.count("<!-- end -->") == len(TABLES)


def rows(name: str) -> dict[str, list[str]]:
    """First cell of a table's rows → the others."""
    body = PAGE.split(f"<!-- table: {name} -->\n")[1].split("<!-- end -->")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.strip().split("\n")[2:]]
    return {first.strip("`"): rest for first, *rest in cells}


def test_every_close_code_is_in_the_page_with_its_policy_and_meaning() -> None:
    told = rows("close-codes")
    numbers = {value for name, value in vars(closes).items() if name.isupper() and isinstance(value, int)}
    assert set(told) == {str(number) for number in numbers} == {str(number) for number in closes.CLOSE_CODES}
    for number, meaning in closes.CLOSE_CODES.items():
        comes_back, name, said = told[str(number)]
        assert (comes_back, said) == ("yes" if number % 1000 < 500 else "no", meaning)
        assert name.strip("`") == closes.CODE_OF_CLOSE.get(number, "")


def test_codes_that_only_close_a_socket_name_the_close_code() -> None:
    told = rows("error-codes")
    assert set(told) == set(CODES)
    assert told["too_many_sockets"][:2] == ["close 4029", "yes"]
    assert told["slow_reader"][:2] == ["close 4008", "yes"]
    assert set(closes.CODE_OF_CLOSE.values()) <= set(CODES)


def test_the_checksum_that_is_shown_is_true() -> None:
    text, value = re.findall(r"`(\w+)` has length 2 and checksum\s+`(\w{8})`", PAGE)[0]
    assert (len(text), checksum(text)) == (2, value)


def test_merged_chunks_come_out_as_shown() -> None:
    transcript = begun([])
    changes = [change for line in BLOCKS[0] for change in transcript.apply(decode(filled(line)))]
    assert kinds(changes) == ["appended", "appended", "status"]
    assert transcript.messages[-1].text == "안녕, 어서 와."


def test_a_takeover_comes_out_as_shown() -> None:
    transcript = begun(["ab", "cd"])
    changes = [change for line in BLOCKS[1] for change in transcript.apply(decode(filled(line)))]
    assert kinds(changes) == ["appended", "replaced", "appended"]
    assert transcript.messages[-1].text == "abcdother words"


def test_a_gap_comes_out_as_shown() -> None:
    transcript = begun(["a"])
    second, fourth, resume, replay = BLOCKS[2]
    assert kinds(transcript.apply(decode(filled(second)))) == ["appended"]
    assert kinds(transcript.apply(decode(filled(fourth)))) == ["gap"]
    asked = parse_command(resume.removeprefix("→ ").replace("…", MESSAGE))
    assert isinstance(asked, Resume)
    assert asked.known == transcript.known()
    assert kinds(transcript.apply(decode(filled(replay)))) == ["appended"]
    assert transcript.messages[-1].text == "abcd"


def begun(texts: list[str]) -> Transcript:
    """A reader who has seen an answer begin, and these texts."""
    transcript = Transcript()
    start = {"type": "ai_message_start", **COMMON, "seq": 0, "attempt": 1, "replyTo": None, "position": 2}
    transcript.apply(decode(json.dumps(start)))
    for seq, text in enumerate(texts, start=1):
        chunk = {"type": "ai_message_chunk", **COMMON, "seq": seq, "attempt": 1, "chunk": text}
        transcript.apply(decode(json.dumps(chunk)))
    return transcript


def filled(line: str) -> str:
    """An example's frame with the fields that the page leaves out."""
    event: dict[str, Any] = json.loads(line)
    return json.dumps({**event, **COMMON, **(END if event["type"] == "ai_message_end" else {})})


def kinds(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes]
