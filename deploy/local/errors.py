"""What the embedded stack says when it cannot go on."""

from typing_extensions import override


class StackError(Exception):
    """The stack cannot start or cannot go on, for a reason its user can remove."""

    def __init__(self, problem: str, what_to_do: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.what_to_do = what_to_do

    @override
    def __str__(self) -> str:
        return f"{self.problem}\n  -> {self.what_to_do}"
