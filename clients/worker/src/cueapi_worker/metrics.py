"""What the worker has done, counted; written as Prometheus reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from threading import Lock
from time import monotonic


class Metrics:
    """Counts from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._answered_at: float | None = None

    def job_ended(self, task: str, result: str, seconds: float) -> None:
        """Count a job; `result` is `success`, `failure` or `lost`."""
        with self._lock:
            self._jobs[task, result] += 1
            self._seconds[task] += seconds  # type: ignore[assignment]

    def api_answered(self, status: int) -> None:
        """Count an answer of the API."""
        with self._lock:
            self._answers[str(status)] += 1
            if status < 500:
                self._answered_at = monotonic()

    @property
    def seconds_since_answer(self) -> float | None:
        """How long ago the API last answered; None if it never has."""
        at = self._answered_at
        return None if at is None else monotonic() - at

    def text(self, running: int, spooled: int) -> str:
        """Write all of it in Prometheus's text format."""
        with self._lock:
            return "\n".join(self._lines(running, spooled)) + "\n"

    def _lines(self, running: int, spooled: int) -> Iterator[str]:
        yield "# TYPE cueapi_worker_jobs_total counter"
        for (task, result), count in sorted(self._jobs.items()):
            yield f'cueapi_worker_jobs_total{{task="{_label(task)}",result="{result}"}} {count}'
        yield "# TYPE cueapi_worker_job_seconds_total counter"
        for task, seconds in sorted(self._seconds.items()):
            yield f'cueapi_worker_job_seconds_total{{task="{_label(task)}"}} {seconds:.6f}'
        yield "# TYPE cueapi_worker_api_answers_total counter"
        for status, count in sorted(self._answers.items()):
            yield f'cueapi_worker_api_answers_total{{status="{status}"}} {count}'
        yield "# TYPE cueapi_worker_jobs_running gauge"
        yield f"cueapi_worker_jobs_running {running}"
        yield "# TYPE cueapi_worker_outcomes_spooled gauge"
        yield f"cueapi_worker_outcomes_spooled {spooled}"


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
