#!/usr/bin/env python3
"""Prints a PNG in a terminal, two pixels a character, in 24-bit colour. For scripts/demo.

    python3 tools/show_picture.py chart.png [columns]

Needs nothing but Python; knows 8-bit RGB without interlacing, as the charts here are stored.
"""
import struct
import sys
import zlib


def chunks(data):
    at = 8
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += size + 12


def paeth(left, up, corner):
    estimate = left + up - corner
    distances = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return (left, up, corner)[distances.index(min(distances))]


def unfilter(kind, row, above):
    """A row's bytes from its differences (PNG, section 9)."""
    for i in range(len(row)):
        left = row[i - 3] if i >= 3 else 0
        corner = above[i - 3] if i >= 3 else 0
        guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
        row[i] = (row[i] + guess) & 255
    return row


def read_png(file):
    """Rows of bytes, red, green and blue of each pixel."""
    with open(file, "rb") as stream:
        data = stream.read()
    parts = list(chunks(data)) if data.startswith(b"\x89PNG\r\n\x1a\n") else []
    if not parts or parts[0][0] != b"IHDR":
        raise ValueError(f"{file} is no PNG")
    width, height, *form = struct.unpack(">IIBBBBB", parts[0][1])
    if form != [8, 2, 0, 0, 0]:
        raise ValueError(f"{file}: only 8-bit RGB without interlacing can be shown")
    raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    stride, above, rows = 3 * width, bytearray(3 * width), []
    for start in range(0, height * (stride + 1), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        above = unfilter(raw[start], row, above)
        rows.append(above)
    return rows


def shrink(rows, columns):
    """Means over blocks; as wide as `columns` characters, square pixels."""
    width, height = len(rows[0]) // 3, len(rows)
    columns = min(columns, width)
    lines = 2 * max(1, round(height * columns / width / 2))
    ys = [height * i // lines for i in range(lines + 1)]
    xs = [width * i // columns for i in range(columns + 1)]

    def mean(top, bottom, left, right, channel):
        values = [row[3 * x + channel] for row in rows[top:bottom] for x in range(left, right)]
        return sum(values) // len(values)

    return [
        [
            tuple(mean(top, max(bottom, top + 1), left, right, channel) for channel in range(3))
            for left, right in zip(xs, xs[1:])
        ]
        for top, bottom in zip(ys, ys[1:])
    ]


def text(pixels):
    """One character for two pixels: the upper half block in one colour on the other."""
    lines = []
    for upper, lower in zip(pixels[::2], pixels[1::2]):
        cells = (
            "\033[38;2;{};{};{}m\033[48;2;{};{};{}m\u2580".format(*above, *below)
            for above, below in zip(upper, lower)
        )
        lines.append("".join(cells) + "\033[0m")
    return "\n".join(lines)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(text(shrink(read_png(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 80)))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, zlib.error) as error:
        sys.exit(f"show_picture: {error}")
