"""What a tick adds to the streams, as one command with one reply: hundreds of commands are packed, and their replies
read, one by one, and that costs ten times as much. Knows keys and bytes, no run.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

#: KEYS: the store's name, then a stream for each entry. ARGV: a new name for the store, the field, the most entries of
#: a stream, then four for each entry: as in Addition. An entry is added, or with an attempt is all of it: in place of
#: whatever lies there, unless a newer attempt does; then it is refused, as XADD would.
#: Returns the store's name, then the number of each entry that was refused, counted from 0, with the refusal.
_ADD = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local told, refused = {redis.call('GET', KEYS[1])}, nil
local field, most = ARGV[2], ARGV[3]
for number = 0, #KEYS - 2 do
  local key, at = KEYS[number + 2], 4 + 4 * number
  local attempt, id, body, seconds = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if attempt == '' then
    refused = redis.pcall('XADD', key, 'MAXLEN', '~', most, id, field, body)
  else
    local last = nil
    if redis.call('TYPE', key).ok == 'stream' then
      last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    end
    if last and tonumber(string.match(last[1], '^(%d+)')) > tonumber(attempt) then
      refused = {err = 'FENCED by a newer attempt'}
    else
      redis.call('DEL', key)
      refused = redis.pcall('XADD', key, id, field, body)
    end
  end
  if type(refused) == 'table' and refused.err then
    told[#told + 1] = number
    told[#told + 1] = refused.err
  elseif seconds ~= '' then
    redis.call('EXPIRE', key, seconds)
  end
end
return told
"""


class Addition(NamedTuple):
    """`attempt`: where `body` is all of it, else empty. `seconds`: the stream's life from now; empty: as it is."""

    key: str
    attempt: str
    identifier: str
    body: bytes
    seconds: str


class _Redis(Protocol):
    async def execute_command(self, *args: Any) -> Any: ...


async def add(
    redis: _Redis, store_key: str, new_name: str, field: bytes, most: int, additions: list[Addition]
) -> tuple[bytes, dict[int, str]]:
    """(the store's name, refusals by the entry's number). Raises RedisError where nothing can be known."""
    keys = [addition.key for addition in additions]
    values = [value for addition in additions for value in addition[1:]]
    told = await redis.execute_command("EVAL", _ADD, 1 + len(keys), store_key, *keys, new_name, field, most, *values)
    refused = zip(told[1::2], told[2::2], strict=True)
    return told[0], {number: refusal.decode().removeprefix("ERR ") for number, refusal in refused}
