"""Colour profiles (ICC.1:2010), written byte by byte, for the tests."""

import struct

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
ADOBE_GAMMA = 2.19921875
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087))
ADOBE += ((0.14919, 0.06322, 0.74457),)
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189))
P3 += ((0.15710, 0.06657, 0.78407),)
D50 = (0.9642, 1.0, 0.8249)
INKS = {  # which of cyan, magenta and yellow are printed -> CIE Lab
    (0, 0, 0): (100, 0, 0),
    (1, 0, 0): (55, -37, -50),
    (0, 1, 0): (48, 74, -3),
    (0, 0, 1): (89, -5, 93),
    (1, 1, 0): (24, 22, -46),
    (1, 0, 1): (50, -65, 27),
    (0, 1, 1): (47, 68, 48),
    (1, 1, 1): (23, 0, 0),
}


def pack_fixed(*numbers):
    """Return numbers as s15Fixed16."""
    return b"".join(struct.pack(">i", round(n * 65536)) for n in numbers)


def make_xyz(xyz):
    return b"XYZ " + bytes(4) + pack_fixed(*xyz)


def make_curve(curve):
    """Return a tone curve: a gamma, or sRGB's five parameters."""
    if isinstance(curve, tuple):
        return (
            b"para" + bytes(4) + struct.pack(">HH", 3, 0) + pack_fixed(*curve)
        )
    gamma = round(curve * 256)
    return b"curv" + bytes(4) + struct.pack(">IH", 1, gamma) + bytes(2)


def make_name(name):
    text = name.encode("utf-16-be")
    head = struct.pack(">IIHHII", 1, 12, 0x656E, 0x5553, len(text), 28)
    return b"mluc" + bytes(4) + head + text


def assemble(kind, space, connection, name, tags):
    """Return the bytes of a profile: a header, a table of tags, the tags."""
    tags = {"desc": make_name(name), "wtpt": make_xyz(D50), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for key, content in tags.items():
        content += bytes(-len(content) % 4)
        place = start + len(body)
        table += struct.pack(">4sII", key.encode(), place, len(content))
        body += content
    head = struct.pack(">I4xI", start + len(body), 0x04300000)
    head += (kind + space + connection).encode()
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + pack_fixed(*D50)
    return head.ljust(128, b"\0") + table + body


def make_rgb_profile(name, primaries, curve):
    """Return a profile of a screen's or a camera's RGB."""
    tags = {}
    for letter, xyz in zip("rgb", primaries, strict=True):
        tags[f"{letter}XYZ"] = make_xyz(xyz)
        tags[f"{letter}TRC"] = make_curve(curve)
    return assemble("mntr", "RGB ", "XYZ ", name, tags)


def make_grey_profile(gamma):
    """Return a profile of greys."""
    tags = {"kTRC": make_curve(gamma)}
    return assemble("mntr", "GRAY", "XYZ ", "a grey", tags)


def make_ink_profile():
    """Return a profile of a press that prints the colours of INKS."""
    nodes = bytearray()
    for i in range(16):
        *inks, black = (i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1)
        light, a, b = (0, 0, 0) if black else INKS[tuple(inks)]
        nodes += bytes((round(light * 2.55), a + 128, b + 128))
    identity = pack_fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    linear = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity
    table += 4 * linear + bytes(nodes) + 3 * linear
    return assemble("prtr", "CMYK", "Lab ", "a press", {"A2B0": table})


ADOBE_RGB = make_rgb_profile("Adobe RGB (1998)", ADOBE, ADOBE_GAMMA)
DISPLAY_P3 = make_rgb_profile("Display P3", P3, SRGB_CURVE)
