"""A QR reader of our own, from ISO/IEC 18004: it finds the code in a picture and reads its bytes.

It shares nothing with what draws the codes.  Every block is checked by its Reed-Solomon
syndromes, so one wrong module is seen.
"""

from __future__ import annotations

#: (version, level) -> (codewords for correction in a block, data codewords of each block).
BLOCKS = {
    (3, "M"): (26, [44]), (3, "Q"): (18, [17] * 2),
    (4, "M"): (18, [32] * 2), (4, "Q"): (26, [24] * 2),
    (5, "M"): (24, [43] * 2), (5, "Q"): (18, [15] * 2 + [16] * 2),
    (6, "M"): (16, [27] * 4), (6, "Q"): (24, [19] * 4),
}  # fmt: skip
LEVELS = {1: "L", 0: "M", 3: "Q", 2: "H"}
MASKS = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, c: r % 2 == 0,
    lambda r, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)


def picture(image, box):
    """The modules inside ``box`` (left, top, right, bottom) that hold nothing but one code."""
    dark = image.convert("L").crop(box).point(lambda v: 255 * (v < 128))
    left, top, right, bottom = dark.getbbox()
    pixels, y = dark.load(), top
    while pixels[left, y] and y < bottom:  # the left edge of the finder is seven modules long
        y += 1
    size = round((right - left) / ((y - top) / 7))
    step = (right - left) / size
    middle = [(n + 0.5) * step for n in range(size)]
    return [[bool(pixels[int(left + x), int(top + y)]) for x in middle] for y in middle]


def read(rows):
    """The text of a code's modules; AssertionError for any fault."""
    size = len(rows)
    version = (size - 17) // 4
    level, mask = _format(rows)
    bits = []
    for down, column in _path(size):
        if not _fixed(down, column, size, version):
            bits.append(rows[down][column] ^ MASKS[mask](down, column))
    words = [_number(bits[at : at + 8]) for at in range(0, len(bits) - 7, 8)]
    data = _blocks(words, *BLOCKS[version, level])
    stream = [word >> shift & 1 for word in data for shift in range(7, -1, -1)]
    assert _number(stream[:4]) == 4, "byte mode"
    length = _number(stream[4:12])
    body = [_number(stream[12 + 8 * n : 20 + 8 * n]) for n in range(length)]
    return bytes(body).decode("ascii"), version, level


def _number(bits):
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _format(rows):
    spots = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    found = _number([rows[r][c] for r, c in spots]) ^ 0b101010000010010
    rest = found
    for shift in range(4, -1, -1):
        if rest >> shift + 10 & 1:
            rest ^= 0b10100110111 << shift
    assert rest == 0, "format information"
    return LEVELS[found >> 13], found >> 10 & 7


def _path(size):
    up, column = True, size - 1
    while column > 0:
        if column == 6:
            column -= 1
        for down in range(size - 1, -1, -1) if up else range(size):
            yield down, column
            yield down, column - 1
        up, column = not up, column - 2


def _fixed(r, c, size, version):
    if r == 6 or c == 6 or (r < 9 and (c < 9 or c >= size - 8)) or (r >= size - 8 and c < 9):
        return True
    at = size - 7  # versions 2 to 6 have one alignment pattern besides those under the finders
    return 2 <= version <= 6 and abs(r - at) <= 2 and abs(c - at) <= 2


def _blocks(words, extra, sizes):
    assert len(words) == sum(sizes) + extra * len(sizes)
    parts = [[] for _ in sizes]
    stream = iter(words)
    for n in range(max(sizes)):
        for part, size in zip(parts, sizes, strict=True):
            if n < size:
                part.append(next(stream))
    data = [word for part in parts for word in part]
    for _ in range(extra):
        for part in parts:
            part.append(next(stream))
    for part in parts:
        for power in range(extra):
            assert _at(part, power) == 0, "Reed-Solomon syndrome"
    return data


def _at(block, power):
    value = 0
    for word in block:
        for _ in range(power):
            value = value << 1 ^ (0x11D if value & 0x80 else 0)
        value ^= word
    return value
