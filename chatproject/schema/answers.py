"""What the server answers to each command, in the contract's words: one line a command."""

from __future__ import annotations

from streaming.events import Ack, CommandError, End, Failure, RoomChanged, Snapshot, Start, UserMessage, Wire

TURN = (Ack, UserMessage, Start, End, Failure, CommandError)

#: Command type → the events that answer it.
ANSWERS: dict[str, tuple[type[Wire], ...]] = {
    "send_message": TURN,
    "regenerate": TURN,
    "continue_message": TURN,
    "stop": (End, CommandError),
    "resume": (Start, Snapshot, End, Failure, CommandError),
    "select_variant": (RoomChanged, CommandError),
    "edit_message": (RoomChanged, CommandError),
    "rewind": (RoomChanged, CommandError),
    "received": (),
    "timing": (),
    "typing": (),
}
#: The same for people.
SENTENCES: dict[str, str] = {
    "send_message": "`ack` accepted, `user_message`, then the answer's events, at last `ack` done",
    "regenerate": "the same, without `user_message`",
    "continue_message": "the same, without `user_message`; the first chunk is the text so far",
    "stop": "`ai_message_end` with `finishReason` stopped; its text is clamped to `seenLength`",
    "resume": "what is missing, or `ai_message_start` and `ai_message_snapshot`, or the end; then live",
    "select_variant": "`room_changed`, to every tab",
    "edit_message": "`room_changed`, to every tab",
    "rewind": "`room_changed`, to every tab",
    "received": "nothing: it moves the credit window",
    "timing": "nothing",
    "typing": "nothing",
}
