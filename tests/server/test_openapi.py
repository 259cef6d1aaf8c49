"""The OpenAPI document is complete, and the API does what it says, also for what a fuzzer makes up."""

import os
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.paths import Paths
from app.server import application, endpoint, openapi

# Left out: what would ask real providers, start the real agent, or (by a made-up path) touch this machine's folders.
ELSEWHERE = r"^/api/(models/(list|test|providers)|daytona/test|demo|folders)$"


def test_every_operation_is_described() -> None:
    document = application.routes().openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["security"] == ([] if (path, method) in openapi.OPEN else [{"bearer": []}]), where
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert good, where
            bad = [answer for status, answer in operation["responses"].items() if not status.startswith("2")]
            assert all(answer["content"] == openapi.PROBLEM for answer in bad), where
            if method == "post" and not path.startswith("/api/session"):
                assert any(one["name"] == "Idempotency-Key" for one in operation["parameters"]), where
            names = [operation["operationId"] for one in document["paths"].values() for operation in one.values()]
            assert len(names) == len(set(names))


def test_every_shape_that_is_sent_or_returned_has_an_example_that_fits() -> None:
    import jsonschema

    document = application.routes().openapi()
    shapes = document["components"]["schemas"]
    used: set[str] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                for content in body.get("content", {}).values():
                    schema = content.get("schema", {})
                    for one in (schema, schema.get("items", {}), *schema.get("anyOf", [])):
                        if "$ref" in one:
                            used.add(one["$ref"].rpartition("/")[2])
    assert {name for name in used if "examples" not in shapes[name]} == set()
    for name in used:
        for example in shapes[name]["examples"]:
            jsonschema.validate(example, {"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[endpoint.Backend]:
    base = tmp_path_factory.mktemp("fuzz")
    changed = {
        "TWINSEAT_DATA_DIR": str(base / "data"),
        "TWINSEAT_CACHE_DIR": str(base / "cache"),
        "WORKSPACE_BASE": str(base / "base"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    found = endpoint.attach(Paths.find(), arguments=("--started-by-window",))
    ours = {child.pid: child for child in psutil.Process().children(recursive=True)}
    (base / "folder").mkdir()
    endpoint.call(found, "POST", "/api/workspaces", {"path": str(base / "folder")})
    yield found
    if found.pid in ours:
        ours[found.pid].terminate()
        ours[found.pid].wait(30)
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _operations() -> list[Any]:
    found = schemathesis.openapi.from_dict(application.routes().openapi()).exclude(path_regex=ELSEWHERE)
    return [result.ok() for result in found.get_all_operations()]


@pytest.mark.parametrize("operation", _operations(), ids=lambda operation: operation.label)
def test_the_api_does_what_it_says(operation: Any, backend: endpoint.Backend) -> None:
    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        if case.operation.path == "/api/workspaces" and isinstance(case.body, dict):
            case.body.pop("create", None)
            case.body.pop("clone", None)
        case.call_and_validate(
            base_url=backend.url,
            headers={"Authorization": f"Bearer {backend.secret}"},
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
            timeout=30,
        )

    check()
