"""Reads an export as JSON, or verifies it, in a process that loads nothing else; says its seconds and megabytes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from ledger import verify

if __name__ == "__main__":
    way, path = sys.argv[1], Path(sys.argv[2])
    started = time.perf_counter()
    if way == "json":
        with path.open("rb") as file:
            for line in file:
                json.loads(line)
    else:
        report = verify.verify(path)
        assert report.finding is None, report.finding
    seconds = time.perf_counter() - started
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(seconds, int(peak.split()[1]) / 1024)
