"""`python -m tests.faults.table --write`: docs/FAULTS.md, from the matrix that the tests run."""

from __future__ import annotations

import sys
from pathlib import Path as File

from tests.faults.cells import FAULTS, HELD, NOT_PASSING_YET, ON_DAPHNE, Calls, Fault, Moment, Path

PAGE = File(__file__).parents[2] / "docs" / "FAULTS.md"
HEAD = """\
# Faults

Generated from `tests/faults/cells.py` by `python -m tests.faults.table --write`; a test holds this page to it.

Every row is one incident in `tests/faults/test_matrix.py`: two real workers that take themselves for two machines, a
real Postgres and a real Redis, a front door that sticks no session to a worker, a scripted model that stands still
where it is told. All conversations of the row are brought to their moments at the same time, the fault strikes once,
and all go on. The workers are uvicorn's; {on_daphne} strike daphne's as well.

Each cell asserts:

- the whole answer, **character for character** the same at the reader, at a second reader in the room on the other
  worker, in the event log and in the database; no checksum mismatch anywhere;
- exactly one user's message and one answer in the room, `complete`;
- as many calls to the model as the cell says: 1 wherever the owner lives, 2 where another one had to go on;
- its terminal event within the bound, counted from the fault.
"""


def page() -> str:
    head = HEAD.format(on_daphne=", ".join(f"*{name}*" for name in ON_DAPHNE))
    return "\n".join([head, "## Moments", "", *_moments(), "", "## Matrix", "", *_matrix(), "", *_notes()])


def _moments() -> list[str]:
    return ["| moment | how it is held |", "| --- | --- |", *(f"| {moment} | {HELD[moment]} |" for moment in Moment)]


def _matrix() -> list[str]:
    head = ["fault", "what happens", *Moment, "end within"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(_row(fault))} |" for fault in FAULTS)]


def _row(fault: Fault) -> list[str]:
    return [fault.name, fault.what, *(_cell(fault, moment) for moment in Moment), f"{fault.bound_seconds:g} s"]


def _cell(fault: Fault, moment: Moment) -> str:
    paths = [path for path in Path if fault.reason_against(path, moment) is None]
    return f"{', '.join(paths)}: {_calls(fault.calls_at(moment))}" if paths else "–"


def _calls(calls: Calls) -> str:
    least, most = calls
    return f"{least} call{'s' if least > 1 else ''}" if least == most else f"{least} or {most} calls"


def _notes() -> list[str]:
    reasons: dict[str, list[str]] = {}
    for fault in FAULTS:
        for (_, moment), reason in fault.left_out.items():
            reasons.setdefault(f"{moment}: {reason}", []).append(fault.name)
    left_out = [f"- {', '.join(dict.fromkeys(names))}, {why}." for why, names in reasons.items()]
    failing = [f"- {name}: {why}" for name, why in NOT_PASSING_YET.items()] or ["Nothing."]
    return ["## Left out", "", *left_out, "", "## Not passing yet", "", *failing, ""]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), "utf-8")
    else:
        sys.stdout.write(page())
