"""A page of a list, which fetches the pages after it while it is iterated over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from cueapi.models.model import Model

Item = TypeVar("Item", bound=Model)


class Follow(Protocol):
    """Fetches the page at an offset: a page itself, or an awaitable of it."""

    def __call__(self, offset: int) -> Any:
        """Fetch."""


class Page(Model, Generic[Item]):
    """One page of a list: `total` matches in all, this page's own in `items`.

    `for item in page` goes on over all later pages; on an async client it is `async for`.
    """

    _follow: Follow | None = None
    _plural: ClassVar[str]
    _kind: ClassVar[type[Model]]

    total: int
    limit: int
    offset: int

    @property
    def items(self) -> list[Item]:
        """What is on this page."""
        make: Callable[[Any], Any] = self._kind.from_dict
        return [make(each) for each in self[self._plural]]

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return bool(self[self._plural]) and self._next_offset < self.total

    def __len__(self) -> int:
        """Count what is on this page."""
        return len(self[self._plural])

    def __bool__(self) -> bool:
        """Be true, also when the page is empty."""
        return True

    def __iter__(self) -> Iterator[Item]:
        """Go over this page and all after it. Raises the errors of the calls for those."""
        page = self
        while True:
            yield from page.items
            if not page.has_next:
                return
            page = page._following()
            if not isinstance(page, Page):
                page.close()
                raise TypeError("this page is of an async client: use `async for`")

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Go over this page and all after it. Raises the errors of the calls for those."""
        page = self
        while True:
            for item in page.items:
                yield item
            if not page.has_next:
                return
            page = await page._following()

    @property
    def _next_offset(self) -> int:
        return self.offset + len(self)

    def _following(self) -> Any:
        if self._follow is None:
            raise TypeError("this page came from no client, so there is none to fetch the next")
        return self._follow(self._next_offset)

    def followed_by(self, follow: Follow) -> None:
        """Let later pages be fetched so; clients call it."""
        object.__setattr__(self, "_follow", follow)
