"""A real browser: Chromium without a window, driven from tests; and an application for it to look at."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any

import pytest

_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (found) =>
  window.violations.push(found.violatedDirective + " " + found.blockedURI));
"""


def need(what: object, why: str) -> None:
    """Skip a test that lacks something; fail where everything has to be there."""
    if not what:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)


@contextmanager
def chromium() -> Iterator[Any]:
    """Give a running Chromium, as Playwright knows it."""
    where = shutil.which("chromium") or shutil.which("chromium-browser")
    need(where, "needs the browser chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        need(None, "needs the package playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def axe(page: Any) -> list[str]:
    """Return what axe finds wrong with a page, for each kind of fault the first place that has it."""
    page.evaluate(_axe())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


@cache
def _axe() -> str:
    try:
        return (resources.files("axe_playwright_python") / "axe.min.js").read_text()
    except ImportError:
        need(None, "needs the package axe-playwright-python")
        raise


class Tab:
    """A page of a browser that remembers what it asked for, and what its policy forbade.

    Attributes
    ----------
    page : Playwright's page
    asked : address of each request
    errors : what the page complained about
    """

    def __init__(self, browser: Any, **options: Any) -> None:
        self._context = browser.new_context(**options)
        self._context.add_init_script(_VIOLATIONS)
        self.page = self._context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda each: self.asked.append(each.url))
        self.page.on("pageerror", lambda each: self.errors.append(str(each)))

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations ?? []")
        return found

    def close(self) -> None:
        self._context.close()
