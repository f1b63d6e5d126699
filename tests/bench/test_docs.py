"""The page about performance is what the result beside it renders to, and can be read anywhere."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from tests.bench import docs
from tests.bench.plot import plot
from tests.bench.result import Result
from tests.bench.test_report import BARE, FLOOR, OURS, like


@pytest.fixture(scope="module")
def result() -> Result:
    return Result.read(docs.DATA)


def test_the_page_and_the_plot_are_of_the_committed_result(result: Result) -> None:
    assert docs.PAGE.read_text("utf-8") == docs.page(result), "python -m tests.bench --write-docs docs/performance.json"
    assert docs.PLOT.read_text("utf-8") == plot(result.cells)


def test_the_page_judges_every_target_of_the_result(result: Result) -> None:
    words = [line.split(" | ")[0].strip("| *") for line in docs.page(result).split("## ")[1].splitlines()]
    assert {"reached", "NOT REACHED", "UNSURE", "FAULTY", "NO FIGURES"} & set(words)


def test_the_plot_is_whole_for_any_cells() -> None:
    few = [like(one, streams=streams) for one in (FLOOR, BARE, OURS) for streams in (50, 200)]
    for cells in (few, few[:1], []):
        root = Xml.fromstring(plot(cells))  # noqa: S314 - our own text
        assert root.tag.endswith("svg")
    curves = [node for node in Xml.fromstring(plot(few)).iter() if node.get("points", "").count(" ") == 1]  # noqa: S314
    # Three subjects in the legend, and in each of three panels.
    assert len(curves) == 3 + 3 * 3
