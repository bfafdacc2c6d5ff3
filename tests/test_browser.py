"""The page in a real browser: typed, derived, laid out, checked, copied, linked, by the keyboard too."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from indexcalc.page.server import PageServer

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="it runs a system Chromium, not installed here: CONTRIBUTING says how"),
]
expect.set_options(timeout=30_000)
LAYER = "#formula=Y+%3D+X%40W+%2B+B&by=dL%2FdW"


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    made = PageServer(seconds=30.0)
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    """The empty page; whatever goes wrong in it, or is asked of another machine, fails the test."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    made = context.new_page()
    trouble: list[str] = []
    made.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: trouble.append(str(error)))
    made.on(
        "request", lambda asked: None if asked.url.startswith((server.address, "data:")) else trouble.append(asked.url)
    )
    made.goto(server.address)
    yield made
    context.close()
    assert not trouble, trouble


def derived(page: Page, formula: str, by: str) -> None:
    """Type a question, and ask it."""
    page.get_by_label("Formula", exact=True).fill(formula)
    page.get_by_label("Derived by").fill(by)
    page.get_by_role("button", name="Derive", exact=True).click()
    expect(page.locator("#status")).to_contain_text("derived by")


def test_type_derive_choose_a_layout_and_copy(page: Page, server: PageServer) -> None:
    derived(page, "Y = X@W + B", "dL/dW")
    expect(page.locator("#formula-out .katex")).to_be_visible()
    expect(page.locator("#formula-text")).to_have_text("X.T @ G")
    page.get_by_role("button", name="Copy LaTeX").click()
    assert page.evaluate("navigator.clipboard.readText()") == r"X^{\mathsf{T}} \, G"
    page.get_by_label("Layout", exact=True).select_option("numerator")
    expect(page.locator("#formula-text")).to_have_text("G.T @ X")
    page.get_by_role("button", name="Copy LaTeX").click()
    expect(page.locator("#status")).to_have_text("LaTeX copied")
    assert page.evaluate("navigator.clipboard.readText()") == r"G^{\mathsf{T}} \, X"
    page.get_by_role("button", name="Show above: magnus-neudecker").click()
    expect(page.locator("#formula-text")).to_have_text("vec(X.T @ G).T")
    address = page.url
    page.goto("about:blank")
    page.goto(address)  # a link is an answer
    expect(page.locator("#formula-text")).to_have_text("vec(X.T @ G).T")
    expect(page.get_by_label("Derived by")).to_have_value("dL/dW")


def test_layouts_stand_beside_each_other(page: Page, server: PageServer) -> None:
    page.goto(f"{server.address}{LAYER}")
    pair = page.locator("#panel-layouts .beside.cards > .card")
    expect(pair).to_have_count(2)
    expect(pair.locator("h3")).to_have_text(["numerator", "denominator"])
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        one, other = (pair.nth(k).bounding_box() for k in range(2))
        assert one and other and one["y"] == other["y"] and one["x"] + one["width"] <= other["x"]
    expect(pair.nth(1)).to_contain_text("also mixed, cookbook, gradient, jax")
    page.goto(f"{server.address}#formula=y+%3D+tanh(W+x)&by=x")
    expect(page.locator("figcaption").first).to_have_text("vectors as columns")
    expect(page.locator("figcaption").nth(1)).to_have_text("vectors as rows")
    page.goto(f"{server.address}#formula=S+x&by=x&let=S%3An%2520n%3Asymmetric")
    expect(page.locator("#panel-layouts .beside.cards > .card")).to_have_count(1)  # its transpose is itself


def test_a_wrong_formula(page: Page, server: PageServer) -> None:
    page.goto(f"{server.address}{LAYER}&tab=check")
    mine = page.get_by_label("Your formula")
    for formula, kind, words in (
        ("X' G", "right", "right"), ("2 X' G", "partly", "right but for a factor"), ("X' exp(G)", "wrong", "wrong"),
    ):  # fmt: skip
        mine.fill(formula)
        mine.press("Enter")
        expect(page.locator(f"#verdict .verdict.{kind} strong")).to_have_text(words)
    expect(page.locator("#verdict")).to_contain_text("and should be")
    assert page.locator("#verdict .verdict").evaluate("e => getComputedStyle(e).color") == "rgb(171, 31, 31)"


def test_each_tab_by_the_keyboard(page: Page, server: PageServer) -> None:
    page.goto(f"{server.address}{LAYER}")
    page.get_by_role("tab", name="Layouts").focus()
    for name, words in (
        ("Steps", "chain rule"), ("Source", "import numpy"), ("Picture", "diagram of X.T"), ("Check", "Your formula"),
        ("Numbers", "agrees with finite differences"), ("Layouts", "numerator"),
    ):  # fmt: skip
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel")).to_contain_text(words)
    page.get_by_role("tab", name="Picture").click()
    expect(page.get_by_role("img")).to_have_js_property("complete", True)
    assert page.get_by_role("img").evaluate("image => image.naturalWidth") > 0
    page.keyboard.press("Home")
    expect(page.get_by_role("tab", name="Layouts")).to_be_focused()
    page.get_by_role("tab", name="Source").click()
    for target in ("jax", "torch"):
        page.get_by_label(target).check()
        expect(page.locator("#panel-source pre")).to_contain_text(f"import {target}")


def test_asking_by_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("x'S x")
    page.keyboard.press("Tab")
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    expect(page.locator("#formula-text")).to_have_text("(S + S.T) @ x")
    page.locator("#variables-part > summary").press("Enter")
    page.locator("details[data-name=S] > summary").press("Enter")
    box = page.locator("#symmetric-S")
    box.press("Space")
    expect(page.locator("#formula-text")).to_have_text("2*S @ x")
    expect(box).to_be_focused()
    assert "let=S%3An%2520n%3Asymmetric" in page.url


def test_an_error_and_the_way_out(page: Page, server: PageServer) -> None:
    page.goto(f"{server.address}#formula=x+W+%2B+b&by=W&vectors=column")
    expect(page.get_by_role("alert")).to_contain_text("column 3")
    page.get_by_role("button", name="Read it with vectors as rows").click()
    expect(page.locator("#formula-out .katex")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    page.get_by_label("Formula", exact=True).fill("<img src=x onerror=alert(1)> + x'x")
    page.get_by_label("Formula", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("column")
    assert page.locator("main img").count() == 0


def test_another_page_gets_nothing(page: Page, browser: Browser, server: PageServer) -> None:
    """A page from elsewhere, which asks the server of this machine: it is refused."""
    other = browser.new_context().new_page()
    other.route("http://elsewhere.example/", lambda route: route.fulfill(body="<p>other</p>", content_type="text/html"))
    other.goto("http://elsewhere.example/")
    ask = """async (address) => {
      try { return (await fetch(address + "api/derive", {method: "POST", body: '{"formula": "x"}'})).status; }
      catch (error) { return "refused"; }
    }"""
    assert other.evaluate(ask, server.address) == "refused"
    other.context.close()


def axe() -> str:
    """The rules of axe-core, where npm has put them: below the folder INDEXCALC_AXE, this one, or for all."""
    folders = [Path(os.environ.get("INDEXCALC_AXE", "")), Path(__file__).resolve().parent.parent]
    if npm := shutil.which("npm"):
        found = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, timeout=60)
        folders.append(Path(found.stdout.strip()).parent)
    for folder in folders:
        path = folder / "node_modules" / "axe-core" / "axe.min.js"
        if path.is_file():
            return path.read_text("utf-8")
    pytest.skip("it runs axe-core, not installed here: npm install axe-core, CONTRIBUTING says where")


SOFTMAX = "#formula=softmax(x+W+%2B+b)&by=W&check=x"


@pytest.mark.parametrize(
    ("width", "scheme", "asked"),
    [(360, "light", LAYER), (360, "dark", SOFTMAX), (1280, "light", SOFTMAX), (1280, "dark", LAYER)],
)
def test_axe_finds_nothing(browser: Browser, server: PageServer, width: int, scheme: Any, asked: str) -> None:
    """No rule of the web's accessibility guidelines is broken, on any tab of an answer, nor by an error."""
    rules = axe()
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server.address}{asked}")
    page.evaluate(rules)

    def broken() -> list[Any]:
        found = page.evaluate("axe.run(document)")
        assert len(found["passes"]) > 10
        return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found["violations"]]

    for tab in ("layouts", "steps", "source", "picture", "check", "numbers"):
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#panel-{tab}:not([aria-busy]) > *").first).to_be_visible()
        assert broken() == [], tab
    page.locator("#variables-part > summary").click()
    page.get_by_label("Formula", exact=True).fill("x W + ")
    page.get_by_label("Formula", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("column")
    assert broken() == []
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")])
def test_it_fits_the_screen(browser: Browser, server: PageServer, width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server.address}#formula=softmax(X+W+%2B+b)&by=W")
    for tab in ("layouts", "steps", "source", "check", "numbers"):
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#panel-{tab}:not([aria-busy]) > *").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    context.close()
