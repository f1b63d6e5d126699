"""The shipped Grafana dashboard and alert rules: they parse, and name only what this code really counts.

Held to Prometheus' own grammar (promql-parser) and to Grafana's own model of a dashboard (grafana-foundation-sdk,
which drops what Grafana does not know). Not checked: that a rule fires. What it compares with is the KPI's own limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import combinations
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from chat.alarms.rules import ACK_TIMEOUT_SHARE_MOST, OUTBOX_LAG_SECONDS_MOST, RULES
from chat.kpi import live
from chat.kpi.definitions import COMPLETION_LIMIT_MS, FAILED_SHARE_MOST, LATE_SHARE_MOST, TTFT_LIMIT_MS
from tests.source_code import PRODUCT, ROOT

FOLDER = ROOT / "docs" / "observability"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
#: Prometheus' own, and what Grafana puts in place of its variables.
FOREIGN = {"up": {"job", "instance"}}
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$cohort": ".*"}
GRID_COLUMNS = 24


def metrics() -> dict[str, set[str]]:
    """What each sample of ours may be labelled with, by its name at /metrics."""
    for name, module in PRODUCT.items():
        if re.search(r"^from prometheus_client import .*(Counter|Gauge|Histogram)", module.text, re.MULTILINE):
            import_module(name)
    found = dict(FOREIGN)
    for metric in REGISTRY._collector_to_names:
        if not isinstance(metric, MetricWrapperBase):
            continue
        name, labels = metric._name, set(metric._labelnames)
        match metric._type:
            case "counter":
                found[f"{name}_total"] = labels
            case "histogram":
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
            case _:
                found[name] = labels
    return found


def panels() -> list[dict[str, Any]]:
    return list(DASHBOARD["panels"])


def expressions() -> Iterator[tuple[str, str]]:
    for panel in panels():
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    yield from ((rule["alert"], rule["expr"]) for rule in ALERTS)


def parsed(text: str) -> promql_parser.Expr:
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    assert "$" not in text
    return promql_parser.parse(text)


each_expression = pytest.mark.parametrize(("where", "text"), list(expressions()))


def nodes(expression: promql_parser.Expr) -> list[Any]:
    found: list[Any] = []

    def note(node: Any) -> bool:
        found.append(node)
        return True

    promql_parser.walk(expression, note)
    return found


def selectors(expression: promql_parser.Expr) -> list[Any]:
    return [node for node in nodes(expression) if isinstance(node, promql_parser.VectorSelector)]


def grouped(expression: promql_parser.Expr) -> list[Any]:
    """Aggregations with a `by`."""
    return [node for node in nodes(expression) if isinstance(node, promql_parser.AggregateExpr) and node.modifier]


@each_expression
def test_every_metric_is_counted_by_this_code_with_these_labels(where: str, text: str) -> None:
    known = metrics()
    found = selectors(parsed(text))
    assert found, text
    for selector in found:
        assert selector.name in known, selector.name
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name], selector.name


@each_expression
def test_what_is_grouped_by_is_a_label_of_what_is_below(where: str, text: str) -> None:
    known = metrics()
    for node in grouped(parsed(text)):
        below = [known[selector.name] for selector in selectors(node.expr)]
        assert set(node.modifier.labels) <= set.intersection(*below), text


@each_expression
def test_counters_are_read_as_rates_and_buckets_that_exist(where: str, text: str) -> None:
    expression = parsed(text)
    ranged = {node.args[0].vector_selector.name for node in nodes(expression)
              if isinstance(node, promql_parser.Call) and node.func.name in ("rate", "increase")}
    for selector in selectors(expression):
        assert (selector.name in ranged) == selector.name.endswith(("_total", "_bucket", "_count")), selector.name
        for matcher in selector.matchers.matchers:
            if matcher.name == "le":
                buckets = live.WORDS_BUCKETS if "first_words" in selector.name else live.WHOLE_BUCKETS
                assert matcher.value in {str(bound) for bound in buckets}


def test_a_metric_that_does_not_exist_would_be_found() -> None:
    assert "soksak_answers" not in metrics()
    assert {"soksak_answers_total", "soksak_route_open", "soksak_stage_seconds_bucket"} <= metrics().keys()


# --- the dashboard --------------------------------------------------------------------------------


def test_grafana_knows_every_field_of_the_dashboard() -> None:
    # Also of each kind of panel, and of Prometheus' queries.
    plugins.register_default_plugins()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(DASHBOARD)))
    assert list(missing(DASHBOARD, again)) == []


def missing(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where `theirs` lacks or changed what `ours` says."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from missing(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from missing(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {ours!r} became {theirs!r}"


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= GRID_COLUMNS
    for one, other in combinations((panel["gridPos"] for panel in panels()), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_queries_of_a_panel_are_told_apart_and_legends_name_labels_they_have() -> None:
    for panel in panels():
        targets = panel.get("targets", [])
        assert len({target["refId"] for target in targets}) == len(targets)
        for target in targets:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert named <= {label for node in grouped(parsed(target["expr"])) for label in node.modifier.labels}


# --- the rules ------------------------------------------------------------------------------------


def test_every_alert_is_told_apart_graded_and_explained_in_the_runbook() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for language in ("", ".ko"):
        runbook = (ROOT / f"RUNBOOK{language}.md").read_text("utf-8")
        for rule in ALERTS:
            assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert f"`{rule['labels']['alarm']}" in runbook, rule["alert"]
            assert rule["annotations"]["summary"]
            assert re.fullmatch(r"\d+m", rule.get("for", "1m"))


def test_what_the_product_raises_is_seen_from_outside_too() -> None:
    # The gate's own acts, and jobs that are rows, are no metrics.
    from_inside_only = {"rolled_back", "periodic_jobs"}
    assert {rule.name for rule in RULES} - {rule["labels"]["alarm"] for rule in ALERTS} == from_inside_only


@pytest.mark.parametrize(("alarm", "limit"), [
    ("failed_sends", FAILED_SHARE_MOST), ("ack_timeouts", ACK_TIMEOUT_SHARE_MOST), ("first_words", LATE_SHARE_MOST),
    ("completion", LATE_SHARE_MOST), ("outbox_lag", OUTBOX_LAG_SECONDS_MOST),
])
def test_the_limits_are_the_products_own(alarm: str, limit: float) -> None:
    [rule] = [rule for rule in ALERTS if rule["labels"]["alarm"] == alarm]
    assert f"> {limit:g}" in rule["expr"]


def test_late_is_what_the_definitions_call_late() -> None:
    texts = "".join(text for _, text in expressions())
    assert set(re.findall(r'first_words_seconds_bucket\{[^}]*le="([^"]+)"', texts)) == {str(TTFT_LIMIT_MS / 1000)}
    assert set(re.findall(r'completion_seconds_bucket\{[^}]*le="([^"]+)"', texts)) == {str(COMPLETION_LIMIT_MS / 1000)}
