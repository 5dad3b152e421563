"""Waiting for a page whose policy forbids the evaluation of strings, which Playwright's own way needs."""

from __future__ import annotations

import time

from playwright.sync_api import Page


def until(page: Page, expression: str, seconds: float = 30.0) -> None:
    """Return once an expression of JavaScript holds in the page; fail after some seconds."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"it never was so: {expression}"
        page.wait_for_timeout(15)
