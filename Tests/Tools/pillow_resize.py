"""Resizes image files with Pillow as an encoder's preprocessing does, for the tests to compare with.

usage: pillow_resize.py MODE WIDTH HEIGHT SIDE IMAGE... > PIXELS

Writes HEIGHT x WIDTH x 3 bytes (R, G, B) for each image, one after another. MODE is stretch, or short-side-crop
(torchvision's Resize(SIDE) and CenterCrop). Exif's orientation is applied, alpha goes over white.
"""
import sys

from PIL import Image, ImageOps


def opened(path):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def resized(image, mode, width, height, side):
    if mode == "stretch":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    short, long = sorted(image.size)
    long = int(side * long / short)
    size = (side, long) if image.width <= image.height else (long, side)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = int(round((size[0] - width) / 2.0)), int(round((size[1] - height) / 2.0))
    return image.crop((left, top, left + width, top + height))


mode, width, height, side = sys.argv[1], *map(int, sys.argv[2:5])
for path in sys.argv[5:]:
    sys.stdout.buffer.write(resized(opened(path), mode, width, height, side).tobytes())
