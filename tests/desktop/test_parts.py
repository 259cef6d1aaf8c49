"""The window's parts that need no window: what is remembered, what may be opened, the line to the backend."""

import json
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.desktop import layout, links, pages, requirements
from app.desktop.instance import AlreadyRunning, Instance, raise_first
from app.desktop.layout import Layout, Screen
from app.desktop.link import Link, Lost
from app.desktop.watch import Editor, read_editor
from app.server.endpoint import Backend
from tests.desktop.standin import Server, Stage, raise_curtain

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


# ── What is remembered ────────────────────────────────────────────────────────────────────────────


@given(st.dictionaries(st.sampled_from([*Layout.__annotations__, "other"]), json_values) | json_values)
def test_a_broken_layout_costs_only_what_it_held(stored: object) -> None:
    path = Path(tempfile.mkstemp(suffix=".json")[1])
    path.write_text(json.dumps(stored))
    known = layout.load(path)
    layout.save(path, known)
    assert layout.load(path) == known
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()


numbers = st.integers(-30_000, 30_000)
sizes = st.integers(400, 8_000)


@given(
    st.builds(Layout, width=sizes, height=sizes, x=st.none() | numbers, y=st.none() | numbers),
    st.lists(st.builds(Screen, numbers, numbers, sizes, sizes), min_size=1, max_size=3),
)
def test_a_window_always_fits_a_screen_and_its_title_bar_is_in_reach(known: Layout, screens: list[Screen]) -> None:
    fitted = layout.fit(known, screens)
    assert any(fitted.width <= one.width and fitted.height <= one.height for one in screens)
    if fitted.x is not None and fitted.y is not None:
        assert any(
            one.x - 200 <= fitted.x < one.x + one.width and one.y - 10 <= fitted.y < one.y + one.height
            for one in screens
        )
    assert layout.fit(fitted, screens) == fitted


# ── What may be opened and where downloads land ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("https://example.com/a?b#c", True),
        ("mailto:a@example.com", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("vscode://x", False),
        ("https://", False),
        ("https://example.com/\n--flag", False),
        ("--flag", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_only_web_and_mail_addresses_open_outside(url: str, outside: bool) -> None:
    assert links.may_open_outside(url) is outside


def test_origins() -> None:
    assert links.same_origin("http://127.0.0.1:1/a", "http://127.0.0.1:1/b?c")
    for other in ("http://127.0.0.1:2/", "https://127.0.0.1:1/", "http://localhost:1/", "http://127.0.0.1:1@x/", ""):
        assert not links.same_origin("http://127.0.0.1:1/", other)
    assert not links.same_origin("data:a", "data:a")


@given(st.text(max_size=400))
def test_a_page_s_file_name_stays_one_plain_name(name: str) -> None:
    safe = links.safe_name(name)
    assert safe
    assert Path(safe).name == safe
    assert safe not in (".", "..")
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 255
    assert safe.isprintable()


def test_a_download_never_lands_on_another_file(tmp_path: Path) -> None:
    for wanted in ("a.txt", "a (2).txt", "a (3).txt"):
        path = links.free_path(tmp_path, "../../a.txt")
        assert path == tmp_path / wanted
        path.touch()
    (tmp_path / "b").symlink_to("/nowhere")
    assert links.free_path(tmp_path, "b").name == "b (2)"


# ── The line to the backend ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[tuple[Stage, list[Server], Backend]]:
    stage, servers = raise_curtain(tmp_path)
    yield stage, servers, Backend(**json.loads((tmp_path / "endpoint.json").read_text()))
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_secret_waits_for_the_proof(standin: tuple[Stage, list[Server], Backend]) -> None:
    stage, _, backend = standin
    link = Link(backend)
    assert link.ask("GET", "/api/workspaces") == (200, [])
    assert link.ask("GET", "/api/nothing")[0] == 404
    # The backend is gone and a squatter has its port: it is asked for the proof again, and for nothing else.
    stage.secret = "a squatter's"
    asked = len(stage.asked)
    link.close()
    with pytest.raises(Lost, match="Another program answers"):
        link.ask("GET", "/api/workspaces")
    assert len(stage.asked) == asked


def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(Lost, match=r"The backend at http://127.0.0.1:9 does not answer"):
        Link(Backend("http://127.0.0.1:9", 1, "s", "0", "")).ask("GET", "/api/workspaces")


@given(json_values)
def test_odd_answers_read_as_an_editor_that_starts_or_worse(answer: object) -> None:
    assert read_editor("w1", answer).state in ("starting", "failed", "gone", "ready")  # type: ignore[arg-type]


def test_a_folder_that_is_gone_is_said() -> None:
    editor = read_editor("w1", {"name": "demo", "path": "/demo", "exists": False})
    assert editor == Editor("gone", "w1", "demo", title=editor.title, detail=editor.detail, remedy=editor.remedy)
    assert "/demo is not there any more" in editor.detail


def test_pages_escape_what_they_show() -> None:
    page = pages.problem("dark", "editor", "<b>", "<em>", "<u>", "<script>")
    assert not any(tag in page for tag in ("<b>", "<em>", "<u>", "<script>"))
    assert "default-src 'none'" in page


# ── One window for a data directory ───────────────────────────────────────────────────────────────


def test_a_second_launch_raises_the_first(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 40)  # longer than a socket's path may be
    data.mkdir(mode=0o700)
    first = Instance.claim(data)
    with pytest.raises(AlreadyRunning):
        Instance.claim(data)
    raised: list[int] = []
    # The second launch may come before the first one listens.
    threading.Timer(0.3, lambda: first.listen(lambda: raised.append(1))).start()
    assert raise_first(data)
    assert raised == [1]
    first.release()
    assert not raise_first(data, patience=0.3)
    Instance.claim(data).release()


def test_the_socket_is_its_owner_s(tmp_path: Path) -> None:
    first = Instance.claim(Path("/tmp") if len(str(tmp_path)) > 80 else tmp_path)
    first.listen(lambda: None)
    assert stat.S_IMODE(Path(first._address).stat().st_mode) == 0o600
    first.release()


# ── What a window needs ───────────────────────────────────────────────────────────────────────────


def test_missing_libraries_are_named_by_package() -> None:
    assert "libxcb-cursor0" in requirements.missing_sentence(["libxcb-cursor.so.0"])
    assert "libegl1" in requirements.explain("ImportError: libEGL.so.1: cannot open shared object file: No such file")
    said = requirements.explain('qt.qpa.plugin: Could not load the Qt platform plugin "xcb"')
    assert "apt-get install libxcb-cursor0" in said
    assert requirements.explain("something else") == "something else"


def test_no_display_and_a_dead_display_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert requirements.choose("qt")[1].startswith("There is no display here")
    monkeypatch.setenv("DISPLAY", ":987")
    assert requirements.choose("qt") == (None, "The display :987 can't be reached, so no window can be shown.")


def test_the_window_s_process_imports_no_framework() -> None:
    code = "import app.desktop.window, sys; print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    heavy = ["fastapi", "pydantic", "sqlalchemy", "starlette", "uvicorn", "aiohttp", "openhands", "litellm"]
    answer = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
