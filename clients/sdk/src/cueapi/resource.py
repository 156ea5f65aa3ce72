"""How the calls of a resource become methods, sync and async.

Each operation is written once, as a method that returns a `Call`. On a resource of a sync client
it gives the call's result; on one of an async client it gives an awaitable of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import replace
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from cueapi.calls import Call
from cueapi.models.model import Model
from cueapi.models.page import Page

P = ParamSpec("P")
T = TypeVar("T")
ItemT = TypeVar("ItemT", bound=Model)
PageT = TypeVar("PageT", bound=Page[Any])
PageT_co = TypeVar("PageT_co", bound=Page[Any], covariant=True)


class Runs(Protocol):
    """A client that carries calls out."""

    def run(self, call: Call[T], /) -> T:
        """Carry out."""


class RunsAsync(Protocol):
    """A client that carries calls out, awaited."""

    def run(self, call: Call[T], /) -> Awaitable[T]:
        """Carry out."""


class Resource:
    """The calls about one thing, of a sync client."""

    def __init__(self, client: Runs) -> None:
        self._client = client


class AsyncResource:
    """The calls about one thing, of an async client."""

    def __init__(self, client: RunsAsync) -> None:
        self._client = client


class operation(Generic[P, T]):  # noqa: N801  # a decorator
    """Make a method that carries out the call which the decorated method returns."""

    def __init__(self, call: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, resource: None, owner: type) -> operation[P, T]: ...
    @overload
    def __get__(self, resource: Resource, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: AsyncResource, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, resource: Resource | AsyncResource | None, owner: type) -> Any:
        """Bind to a resource."""
        if resource is None:
            return self

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return resource._client.run(self.call(resource, *args, **kwargs))

        return update_wrapper(method, self.call)


class listing(Generic[P, PageT]):  # noqa: N801  # a decorator
    """As `operation`, for calls that give a page, which can then fetch the pages after it."""

    def __init__(self, call: Callable[Concatenate[Any, P], Call[PageT]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, resource: None, owner: type) -> listing[P, PageT]: ...
    @overload
    def __get__(self, resource: Resource, owner: type) -> Callable[P, PageT]: ...
    @overload
    def __get__(self, resource: AsyncResource, owner: type) -> Callable[P, Listing[PageT]]: ...
    def __get__(self, resource: Resource | AsyncResource | None, owner: type) -> Any:
        """Bind to a resource."""
        if resource is None:
            return self
        run: Callable[[Call[Any]], Any] = resource._client.run
        done = run if isinstance(resource, Resource) else partial(_listed, run)

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return done(_leading_on(self.call(resource, *args, **kwargs), run))

        return update_wrapper(method, self.call)


class Listing(Generic[PageT_co]):
    """A list not yet asked for: `await` it for its first page, or go over all with `async for`."""

    def __init__(self, fetch: Callable[[], Awaitable[PageT_co]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, None, PageT_co]:
        """Fetch the first page."""
        return self._fetch().__await__()

    async def __aiter__(self: Listing[Page[ItemT]]) -> AsyncIterator[ItemT]:
        """Go over all pages."""
        async for item in await self:
            yield item


def _listed(run: Callable[[Call[PageT]], Awaitable[PageT]], call: Call[PageT]) -> Listing[PageT]:
    return Listing(partial(run, call))


def _leading_on(call: Call[PageT], run: Callable[[Call[Any]], Any]) -> Call[PageT]:
    def follow(offset: int) -> Any:
        return run(_leading_on(replace(call, query={**call.query, "offset": str(offset)}), run))

    def parse(document: Any) -> PageT:
        page = parse_page(document)
        page.followed_by(follow)
        return page

    parse_page = call.parse
    return replace(call, parse=parse)
