"""What the user does in the chat pane, in a real browser and under the page's real Content-Security-Policy."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import Fixture, Trouble

type Show = Callable[..., Page]


def composer(page: Page) -> Locator:
    return page.get_by_label("Message to the agent")


def test_the_code_signs_in_and_leaves_the_address(show: Show) -> None:
    page = show()
    assert "code=" not in page.url
    assert page.evaluate("sessionStorage.getItem('twinseat.token')") == "fixture"
    assert page.evaluate("document.cookie") == ""
    expect(composer(page)).to_be_focused()


def test_writing_begins_before_the_workspaces_are_known(show: Show) -> None:
    page = show()
    page.evaluate("localStorage.clear()")
    held: list[Route] = []
    page.route("**/api/workspaces", lambda route: held.append(route))  # noqa: PLW0108 -- it needs a function
    page.goto(page.url.split("?")[0] + "?pane=chat")
    expect(composer(page)).to_be_focused()
    page.keyboard.type("Add a health")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    held[0].continue_()
    expect(page.get_by_text("What shall it do in shop-api?")).to_be_visible()
    expect(composer(page)).to_be_focused()
    page.keyboard.type(" route")
    expect(composer(page)).to_have_value("Add a health route")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_signed_out_without_a_code(show: Show, backend: Fixture) -> None:
    page = show()
    page.evaluate("sessionStorage.clear()")
    page.goto(f"{backend.url}/?pane=chat")
    expect(page.get_by_role("heading", name="Sign in to Twinseat")).to_be_visible()
    page.get_by_label("Code or link").fill("http://127.0.0.1:1/#code=abc")
    page.get_by_role("button", name="Sign in").click()
    composer(page).wait_for()
    assert {"code": "abc"} in backend.calls("POST /api/session")


def test_a_message_starts_a_task_and_its_answer_streams(show: Show, backend: Fixture) -> None:
    page = show()
    composer(page).fill("Add a health route.")
    composer(page).press("Shift+Enter")
    assert composer(page).input_value() == "Add a health route.\n"
    composer(page).press("Enter")
    expect(page.get_by_role("log").get_by_text("Add a health route.")).to_have_count(1)
    expect(page.get_by_role("log").get_by_text("before anything is changed")).to_be_visible()
    expect(page.get_by_role("region", name="Finished")).to_be_visible()
    expect(page.get_by_role("log").get_by_text("I start with a look")).to_have_count(1)
    [task] = backend.calls("POST /api/tasks")
    assert task["workspace_id"] == "shop"
    assert task["message"]["text"] == "Add a health route."
    assert composer(page).input_value() == ""


def test_a_message_sent_while_it_works_waits_in_line(show: Show) -> None:
    page = show("running")
    expect(page.get_by_role("button", name="Stop the agent")).to_be_enabled()
    composer(page).fill("Also update the docs.")
    expect(page.get_by_role("button", name="Send; it waits in line")).to_be_enabled()
    composer(page).press("Enter")
    expect(page.get_by_text("In line: the agent reads it after this step")).to_be_visible()
    expect(page.get_by_text("Also update the docs.")).to_have_count(1)


def test_escape_interrupts(show: Show, backend: Fixture) -> None:
    page = show("running")
    composer(page).press("Escape")
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    assert len(backend.calls("POST /api/tasks/running/interrupt")) == 1


def test_the_question_takes_no_focus_and_is_deaf_at_first(show: Show, backend: Fixture) -> None:
    page = show()
    composer(page).fill("A draft, and then an")
    page.evaluate("performance.now = () => window.instant; window.instant = 1000")
    page.get_by_role("button", name=re.compile("Push the branch")).click()
    card = page.get_by_role("group", name="The agent asks for your approval")
    card.wait_for()
    expect(card).not_to_be_focused()
    composer(page).press("a")
    assert composer(page).input_value() == "a"
    page.keyboard.press("Alt+a")
    expect(card).to_be_focused()
    page.evaluate("window.instant = 1499")
    page.keyboard.press("a")
    page.keyboard.press("r")
    expect(page.get_by_label("Why not, for the agent")).to_have_count(0)
    page.evaluate("window.instant = 1500")
    page.keyboard.press("Escape")
    expect(composer(page)).to_be_focused()
    page.keyboard.press("Alt+a")
    page.keyboard.press("a")
    expect(page.get_by_text("You approved it")).to_be_visible()
    assert len(backend.calls("POST /api/tasks/approval/actions")) == 1


def test_rejecting_gives_the_reason(show: Show, backend: Fixture) -> None:
    page = show("approval")
    page.get_by_role("button", name="Reject with a reason").click()
    page.get_by_label("Why not, for the agent").fill("Not before the review.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You rejected it")).to_be_visible()
    assert backend.calls("POST /api/tasks/approval/actions") == [{"reason": "Not before the review."}]


def test_asking_stops_only_after_a_second_yes(show: Show, backend: Fixture) -> None:
    page = show("approval")
    card = page.get_by_role("group", name="The agent asks for your approval")
    card.get_by_role("button", name="Stop asking in this task").click()
    expect(card.get_by_text("The agent will do everything in this task without a question.")).to_be_visible()
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    assert backend.calls("PATCH /api/tasks/approval") == []
    assert backend.calls("POST /api/tasks/approval/actions") == []
    card.get_by_role("button", name="Stop asking in this task").click()
    card.get_by_role("button", name="Stop asking", exact=True).click()
    expect(card).to_have_count(0)
    assert backend.calls("PATCH /api/tasks/approval") == [{"mode": "ask_never"}]
    assert len(backend.calls("POST /api/tasks/approval/actions")) == 1


def test_no_line_is_lost_or_doubled_over_a_reconnect(show: Show, backend: Fixture, trouble: Trouble) -> None:
    trouble.expected = ("WebSocket",)
    page = show("paused")
    page.get_by_role("log").get_by_text("Interrupted").wait_for()
    for _ in range(3):
        backend.ask("append/paused", {"count": 2})
        backend.ask("drop")
        backend.ask("append/paused", {"count": 2})
    lines = page.get_by_role("log").locator("code").filter(has_text=re.compile("^echo"))
    expect(lines).to_have_count(12)
    numbers = [int(text.split()[1]) for text in lines.all_inner_texts()]
    assert numbers == sorted(set(numbers))


def test_ten_thousand_events_open_at_the_end_and_stay_bounded(show: Show, backend: Fixture) -> None:
    page = show("long")
    log = page.get_by_role("log")
    log.get_by_text("src/module_4999.py").wait_for()
    size = "document.querySelectorAll('*').length"
    assert page.evaluate(size) < 1000
    expect(page.get_by_role("button", name="New messages")).to_have_count(0)
    for _ in range(40):
        log.evaluate("element => element.scrollBy(0, -500)")
        page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    assert page.evaluate(size) < 1000
    seen = "e => [...e.querySelectorAll('code')].map(c => [c.textContent, Math.round(c.getBoundingClientRect().top)])"
    page.wait_for_function("() => document.querySelectorAll('[role=log] code').length > 5")
    before = log.evaluate(seen)
    backend.ask("append/long", {"count": 3})
    page.get_by_role("button", name="New messages").wait_for()
    assert [line for line in log.evaluate(seen) if 60 < line[1] < 400] == [
        line for line in before if 60 < line[1] < 400
    ]
    page.get_by_role("button", name="New messages").click()
    log.get_by_text("echo 10004").wait_for()
    backend.ask("append/long", {"count": 3})
    expect(log.get_by_text("echo 10010")).to_be_in_viewport()


def test_a_failure_opens_by_itself_and_its_buttons_fit(show: Show) -> None:
    page = show("running")
    expect(page.get_by_text("assert 51 == 50")).to_be_visible()
    expect(page.get_by_text("Exit code 1")).to_be_visible()
    page = show("failed")
    expect(page.get_by_text("The name api.example.com does not resolve.")).to_have_count(1)
    expect(page.get_by_role("button", name="Model settings")).to_be_visible()


def test_a_diff_shows_at_most_a_dozen_lines_then_the_editor(show: Show, backend: Fixture) -> None:
    page = show("finished")
    page.get_by_role("button", name="Edited orders/api.py").first.click()
    expect(page.get_by_role("button", name=re.compile("more lines?: open in editor"))).to_be_visible()
    assert page.get_by_text("Open in editor", exact=True).count() == 1
    page.get_by_text("Open in editor", exact=True).click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert backend.calls("POST /api/workspaces/shop/editor/open")[0]["path"] == "orders/api.py"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_code_takes_its_languages_colours_and_stays_readable(show: Show, theme: str) -> None:
    page = show("finished", theme=theme)
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => /worker/.test(e.name)).length") == 0
    page.get_by_role("button", name="Edited orders/api.py").first.click()
    added = page.get_by_role("log").locator(".bg-added").filter(has_text="from orders.cursor import decode")
    expect(added.locator(".token").first).to_have_text("from")
    expect(added).to_contain_text("from orders.cursor import decode, encode")
    assert added.locator(".token").evaluate_all("all => new Set(all.map(e => getComputedStyle(e).color)).size") > 1
    assert page.evaluate(CONTRAST) == []
    page = show("mixed", theme=theme)
    expect(page.get_by_role("log").locator("pre .token").first).to_be_visible()
    assert page.evaluate(CONTRAST) == []


def test_a_read_file_folds_and_its_places_open(show: Show, backend: Fixture) -> None:
    page = show("mixed")
    page.get_by_role("button", name="Read src/settings.py").click()
    log = page.get_by_role("log")
    expect(log.get_by_text("option_16 = 16")).to_be_visible()
    expect(log.get_by_text("option_17 = 17")).to_have_count(0)
    page.get_by_role("button", name="Show all 40 lines").click()
    expect(log.get_by_text("option_40 = 40")).to_have_count(1)
    page.get_by_role("button", name="Show less").click()
    expect(log.get_by_text("option_17 = 17")).to_have_count(0)
    page = show("running")
    page.get_by_role("button", name="tests/orders/test_cursor.py:44").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    [opened] = backend.calls("POST /api/workspaces/shop/editor/open")
    assert (opened["path"], opened["line"]) == ("tests/orders/test_cursor.py", 44)


def test_the_review_opens_each_change_as_a_diff(show: Show, backend: Fixture) -> None:
    page = show("finished")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="modified orders/api.py").click()
    page.wait_for_function("() => document.querySelector('[aria-current=true]')")
    page.get_by_role("button", name="Next change").click()
    expect(page.get_by_text("2 of 3")).to_be_visible()
    page.wait_for_timeout(100)
    [shown] = backend.calls("POST /api/workspaces/shop/editor/diff")
    assert shown == {"path": "orders/api.py", "before": "old\n"}


def test_the_task_list_searches_renames_and_deletes(show: Show, backend: Fixture) -> None:
    page = show("running")
    page.keyboard.press("Alt+t")
    page.get_by_label("Search tasks").fill("invoices")
    rows = page.get_by_role("dialog", name="Task list").get_by_role("listitem")
    expect(rows).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("F2")
    page.get_by_label("Task title").fill("Invoices on the new queue")
    page.keyboard.press("Enter")
    expect(rows.get_by_text("Invoices on the new queue")).to_be_visible()
    assert backend.calls("PATCH /api/tasks/failed") == [{"title": "Invoices on the new queue"}]
    rows.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete this task?").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No task matches")).to_be_visible()
    page.keyboard.press("Escape")
    expect(composer(page)).to_be_focused()


def test_a_workspace_is_opened_by_keyboard_alone(show: Show) -> None:
    page = show()
    page.keyboard.press("Alt+t")
    page.get_by_role("button", name="Open a workspace…").press("Enter")
    dialog = page.get_by_role("dialog", name="Open a workspace")
    expect(dialog.get_by_role("textbox", name="Folder")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="A repository to clone")).to_be_checked()
    expect(dialog.get_by_role("textbox", name="Repository")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_model_is_chosen_by_arrows(show: Show) -> None:
    page = show()
    page.keyboard.press("Control+,")
    settings = page.get_by_role("dialog", name="Settings")
    expect(settings.get_by_role("button", name="General")).to_be_focused()
    settings.get_by_role("button", name="Models").click()
    settings.get_by_role("button", name="Add a model").click()
    field = settings.get_by_role("combobox", name="Model")
    field.press("ArrowDown")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("model-b")
    models = settings.get_by_role("listbox", name="Models")
    expect(models.get_by_role("option", selected=True)).to_have_text("model-b")
    eye = settings.get_by_role("button", name="Show the key")
    key = settings.get_by_label("Key", exact=True)
    middle = "e => { const b = e.getBoundingClientRect(); return b.top + b.height / 2 }"
    assert abs(eye.evaluate(middle) - key.evaluate(middle)) < 1


def test_a_draft_outlives_a_reload(show: Show) -> None:
    page = show("finished")
    composer(page).fill("Half a thought")
    page.reload()
    expect(composer(page)).to_have_value("Half a thought")


def test_a_file_is_attached_from_the_keyboard(show: Show, backend: Fixture) -> None:
    page = show("finished")
    composer(page).press_sequentially("Look at @orders/cur")
    expect(page.get_by_role("option", name="cursor.py")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Attached").get_by_text("cursor.py")).to_be_visible()
    composer(page).press_sequentially("please")
    page.keyboard.press("Enter")
    page.get_by_role("list", name="Attached").wait_for(state="detached")
    [message] = backend.calls("POST /api/tasks/finished/messages")
    assert message["text"] == "Look at please"
    assert [one["path"] for one in message["attachments"]] == ["orders/cursor.py"]


def test_trust_and_git_are_asked_once(show: Show, backend: Fixture) -> None:
    page = show(workspace="untrusted")
    page.get_by_role("button", name="Stay restricted").click()
    expect(page.get_by_text("Do you trust this project?")).to_have_count(0)
    assert backend.calls("POST /api/workspaces/untrusted/trust") == [{"trusted": False}]
    page = show(workspace="plain")
    page.get_by_role("button", name="Leave it as it is").click()
    expect(page.get_by_text("Run git init")).to_have_count(0)
    assert backend.calls("POST /api/workspaces/plain/git") == [{"init": False}]


def test_a_workspace_that_is_gone_stays_readable(show: Show) -> None:
    page = show("gone", workspace="gone")
    expect(page.get_by_text("Its history stays readable", exact=False)).to_be_visible()
    expect(page.get_by_role("log").get_by_text("now pages by an opaque")).to_be_visible()
    expect(composer(page)).to_be_disabled()


def test_in_a_browser_one_page_holds_both_panes(show: Show) -> None:
    page = show("finished", width=1200, pane="")
    expect(page.get_by_title("Editor: shop-api")).to_be_visible()
    edge = page.get_by_role("separator", name="Width of the chat")
    before = int(edge.get_attribute("aria-valuenow") or 0)
    edge.press("ArrowLeft")
    assert int(edge.get_attribute("aria-valuenow") or 0) == before + 16


TASKS = ("running", "approval", "finished", "failed", "mixed", "starting", "gone", "paused", "")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_is_readable_and_nothing_overflows(show: Show, theme: str) -> None:
    """WCAG's 4.5:1 for all text that is not disabled, and no sideways scrolling at 300 pixels."""
    for task in TASKS:
        page = show(task, workspace={"starting": "starting", "gone": "gone"}.get(task, "shop"), width=300, theme=theme)
        page.wait_for_timeout(300)
        page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished)).then(() => 0)")
        assert page.evaluate(CONTRAST) == [], task
        assert page.evaluate("document.documentElement.scrollWidth") <= 300, task
        page.context.close()


def test_every_control_has_a_name(show: Show) -> None:
    for task in ("approval", "finished", "mixed"):
        page = show(task)
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, input, textarea, [role=log]')]"
            ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
            ".map(e => e.outerHTML)"
        )
        assert nameless == []


def test_the_first_load_is_small(show: Show) -> None:
    page = show("finished")
    page.get_by_role("log").get_by_role("table").wait_for()
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => /assets/.test(e.name)).map(e => e.encodedBodySize)"
    )
    assert 0 < sum(sizes) <= 250_000


CONTRAST = """() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number);
    const scale = text.startsWith('color(') ? 255 : 1;
    return [n[0] * scale, n[1] * scale, n[2] * scale, n[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (element) => { const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const words = walk.currentNode.textContent.trim();
    const box = element.getBoundingClientRect();
    if (!words || box.width < 2 || element.closest(':disabled, .sr-only, [aria-hidden=true]')) continue;
    let alpha = 1;
    for (let e = element; e; e = e.parentElement) alpha *= Number(getComputedStyle(e).opacity);
    const back = behind(element);
    const color = parse(getComputedStyle(element).color);
    const front = over([color[0], color[1], color[2], color[3] * alpha], back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${words.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
