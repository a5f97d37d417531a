"""The page of `unspin serve`, in a browser: what stands in the text, and how it is taken away."""

import json

import pytest

from tests.browser import copied, downloaded, example, expect, printed, restored, word

pytest_plugins = ["tests.browser"]

AROUND, COME, SAY = 21, 36, 28  # words of the example; the second one stands in a quotation


@pytest.fixture
def card(page):
    return page.locator("#card")


@pytest.fixture
def reading(page):
    """The example's reading, which is shown."""
    return example(page, "news")


def choose(page, number, option):
    """Choose by mouse what stands in a word's place."""
    word(page, number).click()
    page.locator("#card label", has_text=option).click()


# --- the card beside a word


def test_pointing_at_a_word_shows_what_else_it_may_have_been(page, reading, card):
    word(page, AROUND).hover()
    expect(card).to_be_visible()
    expect(card.locator(".printed-word")).to_have_text("printed astir")
    options = card.locator("label").all_inner_texts()
    assert [option.split("\n") for option in options] == [
        ["around", "54\u00a0%"],
        ["about", "43\u00a0%"],
        ["most", "2\u00a0%"],
        ["astir as printed", "< 1\u00a0%"],
    ]
    expect(card.get_by_role("radio", name="around")).to_be_checked()
    explained = f"explained by {reading['edits'][AROUND]['reason']}"
    expect(card.locator(".why")).to_have_text(explained)
    page.hover("#verdict")
    expect(card).to_be_hidden()


@pytest.mark.usefixtures("reading")
def test_pointing_at_a_word_lights_it_up_on_both_sides(page, card):
    printed(page, AROUND).hover()
    expect(card).to_be_visible()
    assert set(page.locator(".lit").all_text_contents()) == {"astir", "around"}
    page.hover("#verdict")
    expect(page.locator(".lit")).to_have_count(0)


@pytest.mark.usefixtures("reading")
def test_a_word_in_focus_shows_its_card(page, card):
    page.focus("#downloads summary")
    page.keyboard.press("Tab")
    expect(word(page, 0)).to_be_focused()
    expect(card.locator(".printed-word")).to_have_text("printed successful")
    page.keyboard.press("Shift+Tab")
    expect(card).to_be_hidden()


@pytest.mark.usefixtures("reading")
def test_an_opened_card_stays_until_it_is_left(page, card):
    word(page, AROUND).click()
    page.hover("#verdict")
    expect(card).to_be_visible()
    page.click("#reason")
    expect(card).to_be_hidden()


# --- choosing


def test_the_text_to_copy_is_the_restored_one(page, reading):
    assert copied(page) == reading["text"] == restored(reading)


def test_a_chosen_alternative_stands_in_the_text_and_in_what_is_copied(page, reading, card):
    choose(page, AROUND, "about")
    expect(word(page, AROUND)).to_have_text("about")
    expect(word(page, AROUND)).to_contain_class("chosen")
    expect(printed(page, AROUND)).to_have_text("astir")
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(word(page, AROUND)).to_be_focused()
    assert copied(page) == restored(reading, {AROUND: "about"})


def test_a_word_can_be_left_as_printed(page, reading):
    choose(page, AROUND, "as printed")
    expect(word(page, AROUND)).to_have_text("astir")
    expect(word(page, AROUND)).to_have_accessible_name("astir, left as printed")
    expect(page.locator("#count")).to_have_text("130 of 131 changes")
    assert copied(page) == restored(reading, {AROUND: "astir"})


@pytest.mark.usefixtures("reading")
def test_a_choice_stands_in_the_quotation_too(page):
    quoted = page.locator(f"#quotations .edit[data-edit='{COME}']")
    expect(quoted).to_have_text("come")
    choose(page, COME, "follow")
    expect(quoted).to_have_text("follow")
    expect(quoted).to_have_accessible_name("follow, printed travel")


def test_a_word_can_be_chosen_in_the_quotation(page, reading, card):
    quoted = page.locator(f"#quotations .edit[data-edit='{COME}']")
    quoted.click()
    card.get_by_role("radio", name="follow").check()
    expect(word(page, COME)).to_have_text("follow")
    page.keyboard.press("Escape")
    expect(quoted).to_be_focused()
    assert copied(page) == restored(reading, {COME: "follow"})


def test_choices_can_be_forgotten(page, reading):
    expect(page.locator("#undo")).to_be_hidden()
    choose(page, AROUND, "about")
    expect(page.locator("#undo")).to_have_text("Forget 1 choice")
    choose(page, SAY, "as printed")
    page.get_by_role("button", name="Forget 2 choices").click()
    expect(word(page, AROUND)).to_have_text("around")
    expect(page.locator("#undo")).to_be_hidden()
    assert copied(page) == reading["text"]


# --- the slider


def test_only_words_that_are_sure_enough_are_replaced(page, reading):
    page.fill("#slider", "80")
    made = sum(edit["confidence"] >= 0.8 for edit in reading["edits"])
    expect(page.locator("#count")).to_have_text(f"{made} of 131 changes")
    expect(word(page, AROUND)).to_have_text("astir")
    assert copied(page) == restored(reading, least=0.8)


def test_at_the_end_of_the_slider_nothing_is_replaced(page, reading):
    page.fill("#slider", "100")
    expect(page.locator("#count")).to_have_text("0 of 131 changes")
    assert copied(page) == reading["source_text"]
    page.fill("#slider", "50")
    assert copied(page) == reading["text"]


def test_a_choice_stands_wherever_the_slider_is(page, reading):
    choose(page, AROUND, "about")
    page.fill("#slider", "100")
    assert copied(page) == restored(reading, {AROUND: "about"}, least=2)


def test_what_was_left_as_printed_by_hand_stays_so_wherever_the_slider_is(page, reading):
    page.locator("#slider").fill("100")
    choose(page, AROUND, "about")
    choose(page, AROUND, "as printed")
    page.locator("#slider").fill("50")
    expect(word(page, AROUND)).to_have_text("astir")
    assert copied(page) == restored(reading, {AROUND: "astir"})


def test_a_choice_is_marked_as_one_even_if_it_is_the_likeliest_word(page, reading):
    page.locator("#slider").fill("100")
    choose(page, AROUND, "around")
    [edit] = json.loads(downloaded(page, "json")[1])["edits"]
    assert (edit["original"], edit["start"]) == ("around", reading["edits"][AROUND]["start"])
    assert edit["reason"] == "element; chosen by a reader"


# --- taking it away


@pytest.mark.usefixtures("reading")
def test_the_text_is_downloaded_as_it_is_copied(page):
    choose(page, AROUND, "about")
    page.fill("#slider", "80")
    assert downloaded(page, "txt") == ("restored.txt", copied(page))


def test_the_downloaded_json_is_the_reading_as_it_stands_now(page, reading):
    choose(page, AROUND, "about")
    choose(page, SAY, "as printed")
    page.fill("#slider", "80")
    name, content = downloaded(page, "json")
    told = json.loads(content)
    assert name == "unspin.json"
    assert told["text"] == copied(page)
    left = {edit["start"] for edit in reading["edits"] if edit["confidence"] < 0.8}
    left -= {reading["edits"][AROUND]["start"]}
    chosen = reading["edits"][AROUND] | {"original": "about"}
    made = [edit for edit in reading["edits"] if edit["start"] not in left]
    assert [(edit["start"], edit["original"]) for edit in told["edits"]] == [
        (
            edit["start"],
            chosen["original"] if edit["start"] == chosen["start"] else edit["original"],
        )
        for edit in made
    ]
    [edit] = [edit for edit in told["edits"] if edit["start"] == chosen["start"]]
    assert edit["reason"] == "element; chosen by a reader"
    assert round(edit["confidence"], 3) == 0.435
    # What a reader left as printed is not suspected either.
    suspected = {suspect["start"] for suspect in told["suspects"]}
    assert suspected >= left - {reading["edits"][SAY]["start"]}
    assert reading["edits"][SAY]["start"] not in suspected


@pytest.mark.usefixtures("reading")
def test_the_reading_is_downloaded_as_markdown_and_as_a_page(page, visit, tmp_path):
    choose(page, AROUND, "about")
    name, content = downloaded(page, "md")
    assert name == "unspin.md"
    assert "about" in content
    assert "14 miles" in content
    name, content = downloaded(page, "html")
    assert name == "unspin.html"
    report = tmp_path / name
    report.write_text(content, "utf-8")
    opened = visit(report.as_uri())
    expect(opened.locator("body")).to_contain_text("have had to drive about 14 miles")


def test_the_copy_button_says_what_it_does_after_it_was_pressed_twice(visit, address):
    page = visit("about:blank")
    page.clock.install()
    page.goto(address)
    example(page, "news")
    button = page.locator("#copy")
    button.click()
    expect(button).to_have_text("Copied")
    page.clock.run_for(1000)
    page.evaluate("document.querySelector('#status').textContent = ''")
    button.click()
    expect(page.locator("#status")).to_have_text("The text is copied")
    page.clock.run_for(1000)
    expect(button).to_have_text("Copied")  # a second time, for as long again
    page.clock.run_for(1000)
    expect(button).to_have_text("Copy text")


# --- with the article that it was taken from


@pytest.fixture
def sourced(visit, indexed):
    """The page of a server with an index, with the example read and its source shown."""
    page = visit(indexed)
    with page.expect_response("**/v1/trace") as answer:
        reading = example(page, "news")
    expect(page.locator("#source")).to_be_visible()
    return page, reading, answer.value.json()


def test_the_source_is_named_and_stands_beside_the_text(sourced):
    page, _, found = sourced
    [match] = found["matches"]
    expect(page.locator("#taken")).to_contain_text(f"Taken from “{match['title']}”")
    expect(page.locator("#source h3")).to_have_text(f"“{match['title']}”")
    link = page.locator("#source .facts a")
    assert link.get_attribute("href") == match["url"]
    assert link.get_attribute("rel") == "noreferrer noopener"
    swaps = [swap for swap in match["substitutions"] if not swap["is_protected"]]
    assert page.locator("#source .sides .was").all_text_contents() == [
        swap["spun"] for swap in swaps
    ]
    assert page.locator("#source .sides .edit").all_text_contents() == [
        swap["original"] for swap in swaps
    ]


def test_pointing_at_a_substituted_word_lights_up_the_sources(sourced):
    page, _, found = sourced
    page.locator("#source .sides .was").first.hover()
    lit = page.locator("#source .lit").all_text_contents()
    first = found["matches"][0]["substitutions"][0]
    assert lit == [first["spun"], first["original"]]


def test_the_sources_own_words_can_be_put_back_and_taken_out_again(sourced):
    page, reading, found = sourced
    own = page.get_by_role("button", name="Put the source’s own words back")
    own.click()
    expect(own).to_have_attribute("aria-pressed", "true")
    assert copied(page) == found["reading"]["text"] != reading["text"]
    own.click()
    expect(own).to_have_attribute("aria-pressed", "false")
    assert copied(page) == reading["text"]


def test_the_comparison_can_be_downloaded(sourced, visit, tmp_path):
    page, _, found = sourced
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the comparison").click()
    assert download.value.suggested_filename == "source.html"
    report = tmp_path / "source.html"
    download.value.save_as(report)
    expect(visit(report.as_uri()).locator("body")).to_contain_text(found["matches"][0]["title"])


def test_a_text_that_no_article_has_says_so(visit, indexed):
    page = visit(indexed)
    example(page, "clean")
    expect(page.locator("#taken")).to_have_text("No article of the index is its source.")
    expect(page.locator("#source")).to_be_hidden()
