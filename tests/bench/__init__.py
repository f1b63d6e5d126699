"""The benchmark: `python -m tests.bench` (what `make bench` runs); `--help` says what each figure is.

A paced provider and a load client, each a process of its own, around one server process pinned to one core:
`soksak` (this project), `bare` (the smallest ASGI relay on the same server, with the same HTTP client and
encoder) and `floor` (raw sockets on uvloop). It prints figures; it asserts nothing about speed.
"""
