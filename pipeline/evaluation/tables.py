"""Numbers and tables as the Markdown of a report has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with a heading."""
    lines = [" | ".join(names), "|".join("---" for _ in names), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def show(value: Any) -> str:
    """A number, or an estimate with its interval; a dash for what there is not."""
    if isinstance(value, Mapping):
        if value["value"] is None:
            return "-"
        if value["low"] is None:
            return number(value["value"])
        return f"{number(value['value'])} ({number(value['low'])} to {number(value['high'])})"
    return "-" if value is None else number(value)


def number(value: float) -> str:
    """Three decimals, one from 10 on; a dash for infinity and NaN."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def percent(value: Any) -> str:
    """A share as whole percent, with its interval where it has one."""
    if isinstance(value, Mapping):
        if value["low"] is None:
            return percent(value["value"])
        return f"{100 * value['value']:.0f} % ({100 * value['low']:.0f} to {100 * value['high']:.0f})"
    return "-" if value is None else f"{100 * value:.0f} %"
