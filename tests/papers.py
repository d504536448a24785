"""Documents, written here, as insurers, telephones and hostile people send them."""

from __future__ import annotations

import zlib
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

PAGE = b"BT /F1 24 Tf 72 720 Td (Attestation d'assurance) Tj ET"


def opened(data: bytes) -> Pdf:
    """A document to read."""
    return pikepdf.open(BytesIO(data))


def written(pdf: Pdf, **how: object) -> bytes:
    """A document as a file."""
    out = BytesIO()
    pdf.save(out, **how)  # type: ignore[arg-type]
    return out.getvalue()


def certificate(pages: int = 1) -> Pdf:
    """What an insurer sends: some words on each page."""
    made = pikepdf.new()
    font = made.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for _page in range(pages):
        page = made.add_blank_page(page_size=(595, 842))
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = Stream(made, PAGE)
    return made


def with_everything_that_acts() -> bytes:
    """A script that runs when it opens, another on its page, a file within, a form, words about who made it."""
    made = certificate()
    script = Dictionary(S=Name.JavaScript, JS="app.alert('T21')")
    made.Root.OpenAction = script
    made.Root.AA = Dictionary(WC=script)
    made.attachments["facture.exe"] = b"MZ-T21"
    made.Root.Names.JavaScript = Dictionary(Names=Array(["T21", script]))
    made.Root.AcroForm = Dictionary(Fields=Array(), XFA=Stream(made, b"<xdp>T21</xdp>"))
    page = made.pages[0]
    page.AA = Dictionary(O=script)
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 500, 500]),
                      A=Dictionary(S=Name.Launch, F="T21.exe"))  # fmt: skip
    page.Annots = Array([made.make_indirect(link)])
    page.PieceInfo = Dictionary(T21=Stream(made, b"T21"))
    picture = Stream(made, b"\0", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, BitsPerComponent=8,
                     ColorSpace=Name.DeviceGray)  # fmt: skip
    picture.Metadata = Stream(made, b"GPS T21")
    picture.T21 = Stream(made, b"T21")
    page.Resources.XObject = Dictionary(Photo=picture)
    made.docinfo["/Author"] = "T21"
    return written(made)


def locked() -> bytes:
    """Protected by a password."""
    return written(certificate(), encryption=pikepdf.Encryption(owner="secret", user="secret"))


def polyglot() -> bytes:
    """A PDF that a browser could take for a page, before and after what it says."""
    data = written(certificate())
    head, _line, rest = data.partition(b"\n")
    return head + b"\n%<script>alert('T21')</script>\n" + rest + b"\n<html><script>alert('T21')</script></html>"


def bomb() -> bytes:
    """A few kilobytes that unpack to two billion bytes, in what its page draws."""
    made = certificate()
    packer, zeros = zlib.compressobj(9), b"\0" * (1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(2048)) + packer.flush()
    made.pages[0].Contents = Stream(made, packed, Filter=Name.FlateDecode)
    return written(made)


def structural_bomb() -> bytes:
    """The same in the table of its objects, which a reader unpacks before anything else."""
    packer, zeros = zlib.compressobj(9), b"\0" * (1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(1536)) + packer.flush()
    head = b"%PDF-1.5\n"
    facts = b"/Type /XRef /Size 1000000000 /W [1 4 2] /Root 2 0 R /Filter /FlateDecode /Length %d" % len(packed)
    table = b"1 0 obj\n<< " + facts + b" >>\nstream\n" + packed + b"\nendstream\nendobj\n"
    return head + table + b"startxref\n%d\n%%%%EOF\n" % len(head)


def filled_form() -> bytes:
    """What somebody typed in the boxes of a form, which a reader draws over its page."""
    made = certificate()
    look = Stream(made, b"0 0 40 12 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 20]))
    box = made.make_indirect(Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="nom", V="Club", F=4, Rect=Array([72, 600, 172, 620]),
        DA="/F1 12 Tf 0 g", AP=Dictionary(N=made.make_indirect(look)),
    ))  # fmt: skip
    made.pages[0].Annots = Array([box])
    made.Root.AcroForm = Dictionary(Fields=Array([box]), DA="/F1 12 Tf 0 g",
                                    DR=Dictionary(Font=made.pages[0].Resources.Font))  # fmt: skip
    return written(made)


CERTIFICATE = written(certificate())
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
