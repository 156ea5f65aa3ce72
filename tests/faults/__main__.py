"""`python -m tests.faults [--only NAME] [--seed N]`: every fault, against the real processes.

After each fault all that clients were told must be in the log, and all invariants of design §7
must hold. Prints a table; ends with 0 if every verdict is ok. `--soak MINUTES` does faults at
random instead, and then looks at memory and file descriptors.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tests.faults.catalogue  # noqa: F401 - fills the catalogue
from libs.runtime.clock import monotonic
from tests.e2e.world import World, running
from tests.faults.conftest import REPLICAS, SHORT_LEASES
from tests.faults.scene import CATALOGUE, SETTINGS, Fault, Scene
from tests.faults.soak import soak
from tests.faults.stacks import NeedsRoot

RECOVERY_SECONDS = 5.0
MOST_SECONDS = 600.0
OFTEN = (0.1,) * 200  # services crash more often here than the stack would put up with

console = Console(width=None if sys.stdout.isatty() else 160)


@dataclass(frozen=True)
class Verdict:
    """What one fault came to."""

    fault: Fault
    recovery: float | None
    lost: int
    doubled: int
    seconds: float
    evidence: str
    failure: str = ""

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of its row in the table."""
        recovery = "-" if self.recovery is None else f"{self.recovery:.1f}"
        figures = (recovery, str(self.lost), str(self.doubled), f"{self.seconds:.0f}")
        return (self.fault.name, *figures, self.failure or "ok", self.evidence)


def failure_of(scene: Scene, fault: Fault) -> str:
    """Say why a fault that kept all invariants still does not count as survived."""
    if not scene.evidence:
        return "nothing shows that the fault happened"
    if scene.recovery is None:
        return "the recovery was not measured"
    if scene.recovery > RECOVERY_SECONDS:
        return f"slow: recovered after {scene.recovery:.1f} s"
    if scene.lost():
        return f"{scene.lost()} lost"
    if scene.doubled() and not fault.may_double:
        return f"{scene.doubled()} doubled, and no result was lost"
    return ""


async def suffer(world: World, fault: Fault, seed: int) -> Verdict:
    """Do one fault, and check everything."""
    scene = Scene(world, random.Random(f"{fault.name} {seed}"))
    began = monotonic()
    failure = ""
    try:
        async with asyncio.timeout(MOST_SECONDS):
            await fault.run(scene)
            assert world.down() == []
            await world.check()
        failure = failure_of(scene, fault)
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        console.print_exception(max_frames=8)
    seconds, evidence = monotonic() - began, "; ".join(scene.evidence)
    verdict = Verdict(
        fault, scene.recovery, scene.lost(), scene.doubled(), seconds, evidence, failure
    )
    console.print("  ".join(verdict.row), markup=False)
    return verdict


async def suffer_all(faults: Sequence[Fault], seed: int) -> list[Verdict]:
    """Do the faults, those of one setting on one stack; a new one after each failure."""
    verdicts: list[Verdict] = []
    order = list(SETTINGS)
    ordered = sorted(faults, key=lambda each: order.index(each.setting))
    for setting, group in groupby(ordered, key=lambda each: each.setting):
        left = list(group)
        while left:
            verdicts += await _on_one_stack(setting, left, seed)
    return verdicts


async def _on_one_stack(setting: str, left: list[Fault], seed: int) -> list[Verdict]:
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="cueapi-faults-") as folder:
        options = {"replicas": REPLICAS, "env": SHORT_LEASES, "restart_waits": OFTEN}
        try:
            async with running(Path(folder), kind=SETTINGS[setting], **options) as world:
                while left and not (verdicts and verdicts[-1].failure):
                    verdicts.append(await suffer(world, left.pop(0), seed))
                if verdicts[-1].failure:
                    console.print(world.last_words(), markup=False)
        except NeedsRoot as error:
            verdicts += [Verdict(each, None, 0, 0, 0.0, "", str(error)) for each in left]
            left.clear()
    return verdicts


def table(verdicts: Sequence[Verdict], seed: int) -> Table:
    """Show what came of each fault."""
    shown = Table(title=f"faults with --seed {seed}; lost and doubled: executions")
    for column in ("fault", "recovery s", "lost", "doubled", "took s", "verdict", "it happened"):
        shown.add_column(column, overflow="fold")
    for verdict in verdicts:
        shown.add_row(*verdict.row)
    return shown


def chosen(only: Sequence[str], *, quick: bool) -> Iterator[Fault]:
    """Choose from the catalogue, in its order."""
    for name, fault in CATALOGUE.items():
        if (name in only) if only else not (quick and fault.long):
            yield fault


def main() -> int:
    """Read the arguments and do what they say."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", default=[], choices=list(CATALOGUE))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--quick", action="store_true", help="without those that last minutes")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="random faults for so long")
    arguments = parser.parse_args()
    if arguments.list:
        for fault in CATALOGUE.values():
            console.print(f"{fault.name:36} {fault.what}", markup=False, highlight=False)
        return 0
    console.print(f"--seed {arguments.seed}")
    if arguments.soak:
        asyncio.run(soak(arguments.soak * 60, arguments.seed))
        return 0
    verdicts = asyncio.run(
        suffer_all(list(chosen(arguments.only, quick=arguments.quick)), arguments.seed)
    )
    console.print(table(verdicts, arguments.seed))
    return int(any(verdict.failure for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
