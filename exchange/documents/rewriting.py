"""A process of its own, with little memory and little time, that writes a PDF again: its pages and nothing else.

What it reads comes from anybody. Nothing of the first document is kept but what its pages show: no script, no action,
no file within, no form, no remark, no word about who made it. It answers a word, then the new document.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

MEMORY = 1024 * 1024 * 1024
SECONDS = 15
MOST_UNPACKED = 400 * 1024 * 1024
"""Bytes of all that is packed in a document, once unpacked: of what unpacks to more, a reader would choke."""

OF_A_PAGE = {"/Type", "/Parent", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group"}
OF_RESOURCES = {"/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/XObject", "/Font", "/ProcSet"}
# what draws: pictures, forms, patterns, shadings, functions, fonts, colours
OF_A_STREAM = {
    "/Length", "/Filter", "/DecodeParms", "/Type", "/Subtype", "/FormType", "/BBox", "/Matrix", "/Resources", "/Group",
    "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Intent", "/ImageMask", "/Mask", "/Decode",
    "/Interpolate", "/SMask", "/SMaskInData", "/Matte", "/PatternType", "/PaintType", "/TilingType", "/XStep", "/YStep",
    "/ShadingType", "/Background", "/AntiAlias", "/BitsPerCoordinate", "/BitsPerFlag", "/VerticesPerRow", "/Function",
    "/FunctionType", "/Domain", "/Range", "/Size", "/BitsPerSample", "/Order", "/Encode", "/Length1", "/Length2",
    "/Length3", "/CMapName", "/CIDSystemInfo", "/UseCMap", "/WMode", "/N", "/Alternate",
}  # fmt: skip
PACKERS = {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}


class Refused(Exception):
    """One word says why."""


def rewritten(data: bytes, most_pages: int) -> bytes:
    """The pages of a document. Raises Refused: locked, long or heavy; and whatever a broken one makes pikepdf raise."""
    import pikepdf  # here, once the limits hold

    try:
        read = pikepdf.open(BytesIO(data))
    except pikepdf.PasswordError as locked:
        raise Refused("locked") from locked
    if read.is_encrypted:
        raise Refused("locked")
    if not 0 < _pages(read, most_pages + 1) <= most_pages:
        raise Refused("long")
    _flatten(read)
    for page in read.pages:
        _keep(page.obj, OF_A_PAGE)
    made = pikepdf.new()
    made.pages.extend(read.pages)
    _check_weight(pikepdf, made)
    for found in _objects(pikepdf, made):
        if isinstance(found, pikepdf.Stream):
            _keep(found, OF_A_STREAM)
        if isinstance(kept := found.get("/Resources"), pikepdf.Dictionary):
            _keep(kept, OF_RESOURCES)
    out = BytesIO()
    made.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def _pages(read: Any, most: int) -> int:
    """How many pages there are, looked at no further than needed."""
    return min(len(read.pages), most)


def _flatten(read: Any) -> None:
    """What was typed in a form is drawn on its page; the rest of what floats over pages goes."""
    if "/AcroForm" in read.Root:
        read.generate_appearance_streams()
        read.flatten_annotations("print")


def _objects(pikepdf: Any, made: Any) -> Iterator[Any]:
    return (each for each in made.objects if isinstance(each, pikepdf.Dictionary | pikepdf.Stream))


def _keep(found: Any, known: set[str]) -> None:
    for name in set(found.keys()) - known:
        del found[name]


def _check_weight(pikepdf: Any, made: Any) -> None:
    left = MOST_UNPACKED
    for found in _objects(pikepdf, made):
        if isinstance(found, pikepdf.Stream):
            left -= _weight(pikepdf, found)
            if left < 0:
                raise Refused("heavy")


def _weight(pikepdf: Any, found: Any) -> int:
    filters = found.get("/Filter", [])
    names = [str(filters)] if isinstance(filters, pikepdf.Name) else [str(each) for each in filters]
    if sum(name in PACKERS for name in names) > 1:  # packed twice
        raise Refused("heavy")
    if not PACKERS.intersection(names):
        return len(found.read_raw_bytes())
    try:
        return len(found.read_bytes())
    except pikepdf.PdfError:  # of a picture, which a reader draws at its size
        return len(found.read_raw_bytes())


def main() -> None:
    """Read a document, write a word and the new one."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        made = rewritten(sys.stdin.buffer.read(), int(sys.argv[1]))
    except Refused as why:
        made, word = b"", str(why)
    except MemoryError:
        made, word = b"", "heavy"
    except Exception:  # decoders meet hostile files with errors of every kind
        made, word = b"", "broken"
    else:
        word = "done"
    sys.stdout.buffer.write(word.encode() + b"\n" + made)


if __name__ == "__main__":
    main()
