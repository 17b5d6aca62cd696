"""Writes exchanges until it is killed, and says on stdout what was acknowledged: `kind id` a line.

Run as `python crash_writer.py FOLDER FIRST` by test_store_crash.py.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.drivers.store import Ledger
from tests.ledger.factory import make_intent, make_outcome, start

WRITERS = 4


async def write(ledger: Ledger, numbers: itertools.count[int]) -> None:
    for number in numbers:
        await ledger.open(make_intent(number))
        os.write(1, f"intent {make_intent(number).id}\n".encode())
        await ledger.close(make_outcome(number))
        os.write(1, f"outcome {make_intent(number).id}\n".encode())


async def main() -> None:
    ledger = await start(Path(sys.argv[1]))
    os.write(1, b"ready\n")
    numbers = itertools.count(int(sys.argv[2]))
    await asyncio.gather(*(write(ledger, numbers) for _ in range(WRITERS)))


asyncio.run(main())
