"""The gallery in a browser: accessible by day and night, and as wide as a laptop's screen and a phone's."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from pipeline.pages.gallery.page import write_gallery
from tests.pages.gallery.outputs import write_album, write_outputs
from tests.studio.page.conftest import browser

__all__ = ["browser"]


@pytest.mark.slow
def test_the_page_is_accessible_and_fits_the_screen(browser: Browser, tmp_path: Path) -> None:
    write_outputs(tmp_path)
    write_album(tmp_path / "again")  # of the same title
    address = write_gallery(tmp_path).as_uri()
    for scheme, width in (("light", 1400), ("dark", 360)):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        page.locator("summary").first.click()
        assert page.locator("pre").first.is_visible(), "the command that makes it again"
        found = Axe().run(page).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
