"""What an output file says about itself: that its colours are predicted, and by which model.

The statement is an XMP packet with the IPTC digital source type that picture agencies and platforms read, and
one plain sentence. OpenCV writes XMP into a JPEG without the header that readers look for, so the packet is
put into PNG and JPEG files here; both formats allow a block to be inserted behind their first one.
"""

import os
import struct
import zlib
from dataclasses import dataclass
from html import escape  # that of xml.sax loads urllib, which takes longer than all else here
from pathlib import Path

import ircolor
from ircolor.media.intact import PNG_SIGNATURE

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_JPEG_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP_KEYWORD = b"XML:com.adobe.xmp"
_PNG_IHDR_END = len(PNG_SIGNATURE) + 25
# What the packet and the sentence have in every file.
_MARKS = (b"urn:ircolor:provenance", b"Colours predicted from an infrared image by")
_LOOKED_AT_BYTES = 1 << 16  # of the beginning and the end


@dataclass(frozen=True)
class Provenance:
    """Where the colours of an image come from.

    Attributes:
        model: name of the network, from its card.
        model_version: its version, from its card.
        model_sha256: digest of the model file, hexadecimal, as `sha256sum FILE.onnx` prints it.
        low: stored infrared value that became black.
        high: stored infrared value that became white.
        rule: how they were found: auto, full, percentile or LOW:HIGH, as --intensity takes it.
        remark: what else people should know, in whole sentences; empty for nothing.
    """

    model: str
    model_version: str
    model_sha256: str
    low: float
    high: float
    rule: str
    remark: str = ""

    @property
    def sentence(self) -> str:
        """For people: what the colours are."""
        return (
            f"Colours predicted from an infrared image by {self.model} {self.model_version}; they are not a "
            f"measurement. Infrared {self.low:g} to {self.high:g} shown as black to white "
            f"(intensity {self.rule}). {self.remark}".rstrip()
        )

    def xmp(self) -> bytes:
        """The XMP packet, UTF-8, of at most a few kilobytes."""
        attributes = {
            "Iptc4xmpExt:DigitalSourceType": DIGITAL_SOURCE_TYPE,
            "xmp:CreatorTool": f"ircolor {ircolor.__version__}",
            "ircolor:Model": self.model,
            "ircolor:ModelVersion": self.model_version,
            "ircolor:ModelSHA256": self.model_sha256,
            "ircolor:InfraredLow": f"{self.low:g}",
            "ircolor:InfraredHigh": f"{self.high:g}",
            "ircolor:IntensityRule": self.rule,
        }
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
            ' xmlns:ircolor="urn:ircolor:provenance:1.0:" '
            + " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
            + '><dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
            + escape(self.sentence)
            + "</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
            '<?xpacket end="w"?>'
        ).encode()

    def png_chunks(self) -> bytes:
        """The XMP packet and, as a text chunk, the sentence: for behind the header chunk of a PNG file."""
        sentence = self.sentence.encode("latin-1", "replace")
        xmp = png_chunk(b"iTXt", _PNG_XMP_KEYWORD + b"\0\0\0\0\0" + self.xmp())
        return png_chunk(b"tEXt", b"Description\0" + sentence) + xmp

    def into_png(self, png: bytes) -> bytes:
        """Insert `png_chunks` into the bytes of a PNG file."""
        return png[:_PNG_IHDR_END] + self.png_chunks() + png[_PNG_IHDR_END:]

    def into_jpeg(self, jpeg: bytes) -> bytes:
        """Insert the XMP packet as an APP1 segment behind the JFIF segment."""
        (jfif_length,) = struct.unpack_from(">H", jpeg, 4)
        payload = _JPEG_XMP_HEADER + self.xmp()
        segment = b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
        return jpeg[: 4 + jfif_length] + segment + jpeg[4 + jfif_length :]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk of a PNG file with its length and checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def is_result(path: Path) -> bool:
    """Whether a file says of itself that it was colorized here; false where it cannot be read."""
    try:
        with path.open("rb") as file:
            begin = file.read(_LOOKED_AT_BYTES)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOOKED_AT_BYTES))
            end = file.read()
    except OSError:
        return False
    return any(mark in part for mark in _MARKS for part in (begin, end))
