"""Counters and gauges of the live path, by name. Scraped at /metrics.

A gauge's mode says what it comes to over several processes; those that are gone do not count.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge

RUNNING = Gauge("soksak_answers_running", "Answers being written here.", multiprocess_mode="livesum")
SOCKETS = Gauge("soksak_sockets_open", "Open sockets.", multiprocess_mode="livesum")
ANSWERS = Counter("soksak_answers_total", "Answers that ended.", ["path", "outcome", "code"])
REFUSED = Counter("soksak_commands_refused_total", "Commands refused.", ["code"])
TAKEOVERS = Counter("soksak_takeovers_total", "Answers continued for a process that had gone.")
SETTLE_RETRIES = Counter("soksak_settle_retries_total", "Ends that could not be committed at once.")
CHECKPOINT_FAILURES = Counter("soksak_checkpoint_failures_total", "Checkpoints that could not be written.")
CHECKPOINT_LAG = Gauge(
    "soksak_checkpoint_behind", "1 while running text is not resumable after a crash.", multiprocess_mode="livemax"
)
TRACES_LOST = Counter("soksak_traces_lost_total", "Traces that could not be written.")
# Not `up`: a process that has no event log must not look like one whose log is away.
LOG_DOWN = Gauge(
    "soksak_event_log_down", "1 while running answers can be resumed at their own process only.",
    multiprocess_mode="livemax",
)
LOG_FENCED = Counter("soksak_event_log_fenced_total", "Writes refused because another owner had written since.")
LOG_FOREIGN = Counter("soksak_event_log_foreign_total", "Entries of the log that nobody of ours wrote whole.")
LOG_GAPS = Counter("soksak_event_log_gaps_total", "Holes in the log that a reader of this process met.")
HINTS_IGNORED = Counter("soksak_hints_ignored_total", "Hints of unknown kind, damaged or too large.")
HINTS_DROPPED = Counter("soksak_hints_dropped_total", "Hints that were not sent: Redis was away or slow.")
MIRRORS = Gauge(
    "soksak_answers_mirrored", "Answers of other processes that are read here.", multiprocess_mode="livesum"
)
