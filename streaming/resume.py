"""A reader came back: go on from the buffer, rewind, snapshot, or the end — never a hole.

Reads the same buffer as the live path. "Too old to replay" is an explicit snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from streaming.commands import Known
from streaming.events import CommandError, encode
from streaming.reader import SocketReader
from streaming.run import Run, Terminal
from streaming.running import Running


async def resume(
    running: Running, reader: SocketReader, *, user_id: int, room_id: UUID, known: Sequence[Known]
) -> None:
    """Attach `reader` to everything that runs in the room, from where `known` says it is."""
    for run in running.in_room(room_id):
        match = next((item for item in known if item.message_id == run.key.message_id), None)
        join(reader, run, match)
    for item in known:
        # One that runs in another room is as unknown here as one that does not exist.
        found = await running.find(user_id, item.message_id, room_id)
        if not isinstance(found, Run):
            reader.post(_ended(found, item))
        elif not reader.follows(found):
            join(reader, found, item)


def join(reader: SocketReader, run: Run, known: Known | None) -> None:
    """One reader, one live run: the shortest introduction that leaves no hole."""
    if known is None:
        frame, seq = run.snapshot()
        reader.attach(run, after=seq, opening=[run.start_frame(), frame])
    elif run.covers(known.attempt, known.seq) and run.length_at(known.seq) == known.length:
        reader.attach(run, after=known.seq, opening=[])
    elif _can_rewind(run, known):
        reader.attach(run, after=run.first_seq, opening=[run.rewind_frame()])
    else:
        frame, seq = run.snapshot()
        reader.attach(run, after=seq, opening=[frame])


def _can_rewind(run: Run, known: Known) -> bool:
    """The reader has at least the text that the new owner began with.

    Only of the owner right before it: an owner in between may have logged other words under the reader's seqs.
    """
    follows = run.is_whole and 1 <= known.attempt == run.key.attempt - 1
    return follows and known.seq >= run.first_seq - 1 and known.length >= run.base_length


def _ended(ending: Terminal | None, known: Known) -> str:
    if ending is not None:
        return encode(ending)
    return encode(CommandError(
        code="message_not_found", message="There is no such message in this room.", message_id=known.message_id
    ))
