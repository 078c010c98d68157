"""The OpenAPI document: it is sound, and whoever reads it finds an example of every body."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from coordinator.core.http import Coordinator

METHODS = {"get", "post", "put", "patch", "delete"}
#: Fewer bodies than this, and the tests below have looked at the wrong document.
LEAST_BODIES = 70


@pytest.fixture(scope="module")
def document(bare_app: Coordinator) -> dict[str, Any]:
    found: dict[str, Any] = bare_app.test_client().get("/openapi.json").json
    return found


def _bodies(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every JSON request body by its operation."""
    return [
        (f"{method.upper()} {path}", operation["requestBody"]["content"]["application/json"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS and "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _has_example(document: dict[str, Any], content: dict[str, Any]) -> bool:
    """Whether the body or one of its own fields shows what to send; examples of fields within fields do not count."""
    schema = _resolved(document, content["schema"])
    places = [content, schema, *schema.get("properties", {}).values()]
    return any("example" in place or "examples" in place for place in places)


def test_the_document_is_sound(document: dict[str, Any]) -> None:
    validate(document)


def test_every_body_shows_what_to_send(document: dict[str, Any]) -> None:
    bodies = _bodies(document)
    assert len(bodies) >= LEAST_BODIES
    assert [name for name, content in bodies if not _has_example(document, content)] == []


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    silent = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS and not operation.get("summary", "").strip()
    ]
    assert silent == []
