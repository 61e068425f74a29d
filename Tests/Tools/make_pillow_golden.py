"""Writes pillow_golden.json: what Pillow makes of pictures that a formula gives, for the tests of the resize.

usage: "$(Tests/Tools/pillow-venv.sh)" Tests/Tools/make_pillow_golden.py

The Swift test draws the same pictures by the same formula (ResizeTests.swift), so that no picture need be stored.
"""
import base64
import json
import pathlib

import PIL
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR
# Source width and height, target width and height, the shorter side for a crop (0: stretched).
CASES = [
    (97, 61, 32, 24, 0),
    (61, 97, 24, 32, 0),
    (40, 160, 30, 20, 0),
    (160, 40, 20, 30, 0),
    (50, 50, 50, 50, 0),
    (9, 7, 33, 21, 0),
    (1, 1, 5, 4, 0),
    (1, 300, 6, 10, 0),
    (300, 1, 10, 6, 0),
    (31, 8, 8, 31, 0),
    (500, 3, 7, 3, 0),
    (90, 60, 28, 28, 32),
    (60, 91, 28, 28, 32),
    (60, 61, 29, 27, 33),
    (33, 77, 32, 32, 32),
]


def source(width, height):
    image = Image.new("RGB", (width, height))
    image.putdata([
        ((x * 37 + y * 11 + x * y % 29 * 5) % 256, (x * x + 3 * y * y) // 7 % 256, 255 * ((x // 3 + y // 2) % 2))
        for y in range(height) for x in range(width)
    ])
    return image


def resized(image, width, height, side):
    if side == 0:
        return image.resize((width, height), BILINEAR)
    short, long = sorted(image.size)
    long = int(side * long / short)
    size = (side, long) if image.width <= image.height else (long, side)
    left, top = int(round((size[0] - width) / 2.0)), int(round((size[1] - height) / 2.0))
    return image.resize(size, BILINEAR).crop((left, top, left + width, top + height))


def case(width, height, target_width, target_height, side):
    pixels = resized(source(width, height), target_width, target_height, side).tobytes()
    return {
        "source": [width, height], "target": [target_width, target_height], "side": side,
        "pixels": base64.b64encode(pixels).decode(),
    }


golden = {"pillow": PIL.__version__, "cases": [case(*values) for values in CASES]}
path = pathlib.Path(__file__).with_name("pillow_golden.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
