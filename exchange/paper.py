"""Paper: PDF documents that screen readers read too (PDF/UA), set by Typst from ``templates/**.typ``.

Typst runs in a process of its own, which gives its memory back when the document is made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Literal

from exchange.config import ROOT

PATIENCE = 30
"""Seconds; a sheet of labels takes a tenth of one."""


def pdf(template: str, told: Mapping[str, Any]) -> bytes:
    """The document of a template ("labels/sheet"), which reads ``told`` as JSON."""
    command = [sys.executable, "-m", "exchange.paper", template]
    made = subprocess.run(command, input=json.dumps(told).encode(), capture_output=True, timeout=PATIENCE, check=True,
                          cwd=ROOT)  # fmt: skip
    return made.stdout


def main() -> None:
    """Read what is told, write the document."""
    import typst  # here, so that no process of the web loads it

    template, told = ROOT / "templates" / f"{sys.argv[1]}.typ", sys.stdin.read()

    def compiled(standard: Literal["ua-1", "1.7"]) -> bytes:
        return bytes(typst.compile(template, format="pdf", pdf_standards=standard, ignore_system_fonts=True,
                                   sys_inputs={"told": told}))  # fmt: skip

    try:
        made = compiled("ua-1")
    except typst.TypstError as refused:
        if "could not be displayed" not in str(refused):
            raise
        # a sign that our letters lack, an emoji in a name: an empty box, and no promise to readers
        made = compiled("1.7")
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
