"""What the OpenAPI document says of an endpoint, held against the endpoint with made-up requests.

Schemathesis makes requests that fit the document and requests that do not, and compares what is
answered with what the document promises.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import load_all_checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.target import Account

load_all_checks()

REQUEST_SECONDS = 30
# What waits, or goes on for ever: tested by hand elsewhere.
_SLOW_FIELDS = ("wait_seconds",)
_ENDLESS = "text/event-stream"


class BrokenPromiseError(AssertionError):
    """The api did not do as its document says."""


def no_server_error(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """No input may produce a 5xx; that Stripe is not configured here is no input's fault."""
    if response.status_code >= 500 and _code(response) != "billing_unavailable":
        raise BrokenPromiseError(f"{case.method} {case.path}: {response.status_code}")


def what_fits_is_not_called_misshapen(
    ctx: CheckContext, response: Response, case: Case[Any]
) -> None:
    """A request that fits the document is refused for a reason that the document can't express.

    Such a refusal names fields together, or a rule of values; it never is about one field's shape.
    """
    assert case.meta is not None
    if not case.meta.generation.mode.is_positive or _code(response) != "validation_error":
        return
    for detail in response.json()["error"]["details"]:
        if not any(words in detail["message"] for words in BEYOND_SCHEMAS):
            raise BrokenPromiseError(f"{case.method} {case.path}: {detail}")


BEYOND_SCHEMAS = (
    "U+0000",
    "this date or time does not exist",
    "the years 2 to 9998",
    "e-mail address",
    "short form",
    "either cron or at",
    "required for the webhook transport",
    "bytes of JSON",
    "header",
    "later than until",
    "begins too early",
    "before the year 9999",
    "http or https URL",
    "spaces or control characters",
)

CHECKS = [
    no_server_error,
    what_fits_is_not_called_misshapen,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
]


def operations_of(document: dict[str, Any]) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """The endpoints of a document by their operation ids; those that answer for ever left out."""
    schema: BaseSchema = schemathesis.openapi.from_dict(document)
    found = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()
        raw = operation.definition.raw
        if _ENDLESS not in raw["responses"].get("200", {}).get("content", {}):
            found[raw["operationId"]] = operation
    return found


def fuzz(
    operation: APIOperation[Any, Any, Any, Any],
    url: str,
    account: Account,
    *,
    examples: int,
    seed: int,
) -> None:
    """Send `examples` requests that fit the document and as many that do not.

    Raises what the first broken promise raises; the same `seed` sends the same requests.
    """
    with requests.Session() as session:
        session.headers.update(account.headers)
        session.trust_env = False
        _fuzz(operation, url, account, session, GenerationMode.POSITIVE, examples, seed)
        # Where nothing is taken, nothing can be wrong with it.
        with suppress(Unsatisfiable):
            _fuzz(operation, url, account, session, GenerationMode.NEGATIVE, examples, seed)


def _fuzz(
    operation: APIOperation[Any, Any, Any, Any],
    url: str,
    account: Account,
    session: requests.Session,
    mode: GenerationMode,
    examples: int,
    seed: int,
) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), owns_it=st.booleans())
    def holds(case: Case[Any], owns_it: bool) -> None:
        if owns_it and not _is_wrong(case, ParameterLocation.PATH):
            _put_in(case, account)
        if isinstance(case.body, dict):
            for field in _SLOW_FIELDS:
                case.body.pop(field, None)
        response = case.call(url, session=session, timeout=REQUEST_SECONDS)
        checks = CHECKS[:-1] if _asks_for_more(case) else CHECKS
        case.validate_response(response, checks=checks)

    holds()


def _is_wrong(case: Case[Any], where: ParameterLocation) -> bool:
    assert case.meta is not None
    component = case.meta.components.get(where)
    return component is not None and component.mode.is_negative


def _asks_for_more(case: Case[Any]) -> bool:
    # Unknown query parameters are ignored (contract §1), and an unknown header is nobody's fault.
    known = {parameter.name for parameter in case.operation.query}
    return bool(set(case.query or ()) - known) or _is_wrong(case, ParameterLocation.HEADER)


def _put_in(case: Case[Any], account: Account) -> None:
    for name in case.path_parameters or ():
        case.path_parameters[name] = account.ids[name]


def _code(response: Response) -> str | None:
    if "json" not in response.headers.get("content-type", [""])[0] or response.status_code < 400:
        return None
    return str(response.json().get("error", {}).get("code"))
