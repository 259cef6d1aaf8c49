"""The docs can't fall behind: every route, setting, command and link is where a reader looks for it."""

import re
from pathlib import Path

import pytest
from starlette.routing import WebSocketRoute

from app import cli, config
from app.server.application import routes

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
PICTURES = {"images/window-dark.png"}


def test_every_route_is_documented():
    told = (ROOT / "docs/api.md").read_text()
    api = routes()
    found = {f"`{method.upper()} {path}`" for path, methods in api.openapi()["paths"].items() for method in methods} | {
        f"`{route.path}`" for route in api.routes if isinstance(route, WebSocketRoute)
    }
    assert not {route for route in found if route not in told}


def test_no_route_is_documented_that_is_gone():
    told = set(re.findall(r"^\| `([A-Z]+) (/api[^`]*)`", (ROOT / "docs/api.md").read_text(), re.M))
    served = {(method.upper(), path) for path, methods in routes().openapi()["paths"].items() for method in methods}
    assert told - {("GET", "/api/openapi.json")} == served


def test_the_page_of_settings_is_the_generated_one():
    assert (ROOT / "docs/configuration.md").read_text() == config.documentation(), (
        "run: python -m app.config --docs > docs/configuration.md"
    )


def test_the_example_file_has_every_setting():
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.M))
    assert named == set(config.names())


def test_the_example_file_sets_nothing(tmp_path: Path):
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    empty = config.load(environ={}, directory=tmp_path)
    assert empty.model_copy(update={"files": ()}) == config.load(environ={}, directory=tmp_path / "nowhere")
    assert empty.warnings == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in link and not any(link.endswith(picture) for picture in PICTURES):
            assert (page.parent / link).exists(), link


def test_the_exit_codes_are_those_of_the_command():
    told = (ROOT / "docs/example-tasks.md").read_text()
    for code in re.findall(r"\b(\d+)  ", cli.EXIT_CODES):
        assert re.search(rf"\b{code} [a-z]", told), code
