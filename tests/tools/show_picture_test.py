"""The picture in the terminal: its pixels, and what it says of files that it cannot show."""
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/show_picture.py"
RED, WHITE, BLACK = bytes([255, 0, 0]), b"\xff" * 3, b"\0" * 3


def png(rows, filters, color_type=2):
    """`rows` as they are stored: behind their filter's number, as differences."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, color_type, 0, 0, 0)
    raw = b"".join(bytes([kind]) + row for kind, row in zip(filters, rows))
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


class ShowPicture(unittest.TestCase):
    def show(self, data):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "picture.png"
            file.write_bytes(data)
            return subprocess.run([sys.executable, TOOL, file], capture_output=True, text=True)

    def test_prints_two_rows_of_pixels_in_one_line(self):
        got = self.show(png([RED + WHITE, BLACK + RED], [0, 0]))
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(
            got.stdout,
            "\033[38;2;255;0;0m\033[48;2;0;0;0m\u2580"
            "\033[38;2;255;255;255m\033[48;2;255;0;0m\u2580\033[0m\n",
        )

    def test_undoes_every_filter(self):
        plain = self.show(png([RED + WHITE, RED + WHITE], [0, 0])).stdout
        from_left = bytes([255, 0, 0, 0, 255, 255])
        from_above = bytes(6)
        from_mean = bytes([255 - 127, 0, 0, 255 - 255, 255 - 127, 255 - 127])
        self.assertEqual(self.show(png([from_left, from_above], [1, 2])).stdout, plain)
        self.assertEqual(self.show(png([from_left, from_mean], [1, 3])).stdout, plain)
        self.assertEqual(self.show(png([from_left, from_above], [1, 4])).stdout, plain)

    def test_says_what_it_cannot_show(self):
        got = self.show(b"GIF89a")
        self.assertEqual(got.returncode, 1)
        self.assertIn("is no PNG", got.stderr)
        got = self.show(png([RED], [0], color_type=3))
        self.assertIn("only 8-bit RGB without interlacing can be shown", got.stderr)


if __name__ == "__main__":
    unittest.main()
