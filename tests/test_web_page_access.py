"""The page of `unspin serve`, in a browser: by keyboard, by ear, on a phone and in the dark."""

import pytest

from tests.browser import (
    AXE,
    EXAMPLES,
    PHONE,
    copied,
    example,
    expect,
    printed,
    reading_of,
    restored,
    width_beyond_the_screen,
    word,
)

pytest_plugins = ["tests.browser"]

SPUN = (EXAMPLES / "news.txt").read_text("utf-8")
# What axe cannot judge is text on a gradient; those behind words have one colour each.
FLAT = """() => {
    const flat = new CSSStyleSheet();
    flat.replaceSync(".edit, .specimen ins { background: var(--wash, var(--restored-wash)) }");
    document.adoptedStyleSheets = [flat];
}"""
AROUND = 21  # a word of the example that may have been another one, too
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
}


def tab_to(page, selector, most=60):
    """Go on with the Tab key until an element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not reach {selector}")


def is_outlined(page):
    return page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# --- by keyboard


def test_an_example_is_read_and_a_word_of_it_chosen_by_keyboard_alone(page):
    tab_to(page, "[data-example=news]")
    assert is_outlined(page)
    reading = reading_of(page, lambda: page.keyboard.press("Enter"))
    expect(page.locator("#verdict")).to_be_focused()
    tab_to(page, "#texts .edit")
    expect(word(page, 0)).to_be_focused()
    assert is_outlined(page)
    for _ in range(AROUND + 1):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(word(page, AROUND)).to_be_focused()
    expect(word(page, AROUND)).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="around")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(word(page, AROUND)).to_have_text("about")
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    expect(word(page, AROUND)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(word(page, AROUND + 1)).to_be_focused()
    assert copied(page) == restored(reading, {AROUND: "about"})


def test_a_text_is_pasted_moved_along_the_slider_and_downloaded_by_keyboard_alone(page):
    tab_to(page, "#page")
    page.keyboard.insert_text(SPUN)
    tab_to(page, "#read")
    reading = reading_of(page, lambda: page.keyboard.press("Enter"))
    tab_to(page, "#slider")
    page.keyboard.press("End")
    expect(page.locator("#count")).to_have_text(f"0 of {len(reading['edits'])} changes")
    tab_to(page, "#downloads summary")
    page.keyboard.press("Enter")
    tab_to(page, "[data-download=txt]")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "restored.txt"
    expect(page.locator("#downloads .menu")).to_be_hidden()


def test_words_are_one_stop_of_the_tab_key(page):
    example(page, "news")
    tab_to(page, "#texts .edit")
    page.keyboard.press("Tab")
    inside = "document.activeElement.closest('#texts .row') !== null"
    assert not page.evaluate(inside)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(inside)


def test_the_arrows_stop_at_the_first_and_the_last_word(page):
    reading = example(page, "paper")
    tab_to(page, "#texts .edit")
    page.keyboard.press("ArrowLeft")
    expect(word(page, 0)).to_be_focused()
    for _ in range(len(reading["edits"]) + 3):
        page.keyboard.press("ArrowRight")
    expect(word(page, len(reading["edits"]) - 1)).to_be_focused()


def test_the_menu_of_downloads_closes_with_escape(page):
    example(page, "clean")
    tab_to(page, "#downloads summary")
    page.keyboard.press("Enter")
    expect(page.locator("#downloads .menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#downloads .menu")).to_be_hidden()
    expect(page.locator("#downloads summary")).to_be_focused()


def test_the_focus_stays_near_where_something_was_closed(page):
    example(page, "news")
    page.click("#downloads summary")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("#downloads summary")).to_be_focused()
    printed(page, AROUND).click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(word(page, AROUND)).to_be_focused()
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#copy")).to_be_focused()


def test_the_first_stop_of_the_tab_key_skips_to_the_text(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


# --- by ear


def test_everything_has_a_name_and_a_role(page):
    reading = example(page, "news")
    word(page, AROUND).click()
    for role, name in (
        ("meter", "Probability of being spun"),
        ("heading", "This text is spun"),
        ("toolbar", "View and export"),
        ("group", "View"),
        ("radio", "Side by side"),
        ("slider", "Replace words"),
        ("button", "Copy text"),
        ("button", "around, printed astir"),
        ("dialog", "Choose a word"),
        ("group", "What stands in the text"),
        ("radio", "astir as printed"),
        ("heading", "Quotations"),
    ):
        assert page.get_by_role(role, name=name).count() > 0, (role, name)
    assert page.locator("#texts").get_by_role("button").count() == len(reading["edits"])


def test_what_happens_is_said(page):
    status = page.locator("#status[role=status]")
    example(page, "news")
    expect(status).to_have_text("This text is spun. > 99.9\u00a0%, as good as certain.")
    page.click("#copy")
    expect(status).to_have_text("The text is copied")


# --- on a phone


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_is_wider_than_a_phone(visit, indexed, width):
    page = visit(indexed, **PHONE | {"viewport": {"width": width, "height": 700}})
    assert width_beyond_the_screen(page) == 0
    example(page, "news")
    expect(page.locator("#source")).to_be_visible()
    assert width_beyond_the_screen(page) == 0
    word(page, AROUND).tap()
    expect(page.locator("#card")).to_be_in_viewport(ratio=1)
    assert width_beyond_the_screen(page) == 0


def test_on_a_phone_one_text_stands_below_the_other(visit, address):
    page = visit(address, **PHONE)
    example(page, "news")
    expect(page.get_by_role("radio", name="Stacked")).to_be_checked()
    printed = page.locator("#texts .printed").nth(1).bounding_box()
    restored = page.locator("#texts .restored").nth(1).bounding_box()
    assert printed["y"] + printed["height"] <= restored["y"]


def test_on_a_phone_a_word_is_chosen_by_touch(visit, address):
    page = visit(address, **PHONE)
    example(page, "news")
    word(page, AROUND).tap()
    page.locator("#card label", has_text="about").tap()
    expect(word(page, AROUND)).to_have_text("about")
    page.locator("#verdict").tap()
    expect(page.locator("#card")).to_be_hidden()


# --- in the dark


def test_the_page_is_dark_where_the_screen_is(page):
    lightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert min(page.evaluate(lightness)) > 200
    page.emulate_media(color_scheme="dark")
    assert max(page.evaluate(lightness)) < 50


# --- by the rules that axe knows


def start(_):
    """The page as it opens."""


def spun(page):
    example(page, "news")


def tortured(page):
    example(page, "paper")


def clean(page):
    example(page, "clean")


def source(page):
    example(page, "news")
    expect(page.locator("#source")).to_be_visible()


def card(page):
    example(page, "news")
    word(page, AROUND).click()
    page.locator("#card label", has_text="about").click()


def complaint(page):
    page.click("#read")
    expect(page.get_by_role("alert")).to_contain_text("nothing to read")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", [start, spun, tortured, clean, source, card, complaint])
def test_axe_finds_no_problem(visit, address, indexed, state, look):
    if not AXE.exists():
        pytest.skip(f"no axe-core: npm install --prefix {AXE.parents[2]} axe-core")
    page = visit(indexed if state is source else address, reduced_motion="reduce", **LOOKS[look])
    state(page)
    page.evaluate(FLAT)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [
        (violation["impact"], violation["id"], node["html"], node["failureSummary"])
        for violation in found["violations"]
        for node in violation["nodes"]
    ] == []
