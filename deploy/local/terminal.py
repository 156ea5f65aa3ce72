"""What the person who started the stack sees."""

import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.rule import Rule
from rich.text import Text

from deploy.local.errors import StackError
from deploy.local.logs import as_json, parse, readable
from libs.runtime.clock import monotonic, utc_now

_HELD_LINES = 25


class Terminal:
    """Progress and results for people; log lines below them, or raw with `raw_logs`.

    With `raw_logs` only log lines go to stdout, all else to stderr.
    """

    def __init__(self, *, raw_logs: bool) -> None:
        self.console = Console(stderr=raw_logs, highlight=False)
        self._raw = raw_logs
        self._streaming = raw_logs
        self._held: deque[str] = deque(maxlen=_HELD_LINES)

    def on_line(self, process: str, line: str) -> None:
        """Take a log line: show it, or hold it back while something else is shown."""
        if self._raw:
            if self._streaming:
                self._print(as_json(process, line))
            return
        color = self.console.is_terminal and not self.console.no_color
        text = readable(parse(process, line), now=utc_now().isoformat(), color=color)
        if self._streaming:
            self._print(text)
        else:
            self._held.append(text)

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            # Nobody reads any more (`| head`): end as if told to.
            self.silence()
            signal.raise_signal(signal.SIGTERM)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show that `what` is going on, and how long it took."""
        started = monotonic()
        # No spinner amid log lines: they would break each other.
        spinner = nullcontext() if self._streaming else self.console.status(f"{what} ...")
        with spinner:
            yield
        self.console.print(f"[green]ok[/green]  {what} [dim]({monotonic() - started:.1f} s)[/dim]")

    def show(self, *renderables: RenderableType) -> None:
        """Show something, set off by empty lines."""
        for renderable in renderables:
            self.console.print()
            self.console.print(renderable)

    def show_verbatim(self, text: str) -> None:
        """Show text that people copy: no wrapping, no colour."""
        self.console.print()
        self.console.print(Text(text), soft_wrap=True)

    def stream_logs(self, headline: str) -> None:
        """From now on show log lines as they come, below `headline`; drop what was held back."""
        self.console.print(Rule(Text(headline)))
        self._streaming = True
        self._held.clear()

    @contextmanager
    def logs_on_error(self) -> Iterator[None]:
        """Show the latest of the log lines that were held back, if this ends in an error."""
        try:
            yield
        except StackError:
            for line in self._held:
                print(line, file=sys.stderr)
            raise

    def silence(self) -> None:
        """Show nothing more: there is nobody to see it."""
        self.console.quiet = True
        self._streaming = False

    def show_error(self, error: StackError) -> None:
        """Say what went wrong and what to do."""
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        stderr.print(f"\n[bold red]error:[/bold red] {escape(error.problem)}")
        stderr.print(f"[bold]what to do:[/bold] {escape(error.what_to_do)}")
