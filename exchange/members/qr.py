"""An address as a picture that a telephone reads."""

from __future__ import annotations

from io import BytesIO

import segno
from markupsafe import Markup

MARGIN = 4  # modules left white around it, as the standard wants


def picture(address: str) -> Markup:
    """The address as SVG: squares alone, coloured by the style sheet, so that no policy of content is bent."""
    out = BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(out, kind="svg", xmldecl=False, svgns=True, nl=False, omitsize=True, border=MARGIN, svgclass="qr",
              lineclass="qr-squares", unit=None)  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn here, from numbers
