"""A JPEG's bytes to a normalised tensor, 3×224×224 unless said, bilinear, antialiased: stretched, or the shorter side to 256 and
the middle of that, as the bundles do it."""
import glob
import io
import os
import subprocess
import tempfile

import numpy

SIDE = 224
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32) * 255
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32) * 255


def resized(width, height, side):
    """torchvision's Resize and CenterCrop: the sides before the crop, and its first column and row."""
    short = side * 256 // 224
    width, height = (short, height * short // width) if width <= height else (width * short // height, short)
    return width, height, (width - side) // 2, (height - side) // 2


class Pillow:
    """With draft mode, which decodes a large JPEG at a part of its size."""

    def __init__(self, side=SIDE, mean=MEAN, std=STD):
        from PIL import Image
        self.library, self.side, self.mean, self.std = Image, side, mean, std

    def read(self, data, resize="stretch"):
        picture = self.library.open(io.BytesIO(data))
        picture.draft("RGB", (2 * self.side, 2 * self.side))
        picture, side, box = picture.convert("RGB"), self.side, None
        if resize == "short-side-crop":
            # Only the crop is computed.
            width, height, left, top = resized(*picture.size, side)
            across, down = picture.size[0] / width, picture.size[1] / height
            box = (left * across, top * down, (left + side) * across, (top + side) * down)
        picture = picture.resize((side, side), self.library.Resampling.BILINEAR, box=box)
        pixels = numpy.asarray(picture).astype(numpy.float32)
        pixels -= self.mean
        pixels /= self.std
        return numpy.ascontiguousarray(pixels.transpose(2, 0, 1))


class TorchVision:
    """torchvision.io's decoder and torch's antialiased resize of 8-bit pixels."""

    def __init__(self, side=SIDE, mean=MEAN, std=STD):
        import torch
        torch.set_num_threads(1)
        self.torch, self.side = torch, side
        load_decoder(torch)
        self.shift = torch.from_numpy(mean).view(1, 3, 1, 1)
        self.scale = torch.from_numpy(1 / std).view(1, 3, 1, 1)

    def read(self, data, resize="stretch"):
        torch, side = self.torch, self.side
        with torch.inference_mode():
            pixels = torch.ops.image.decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), 3, False)
            width, height, left, top = side, side, 0, 0
            if resize == "short-side-crop":
                width, height, left, top = resized(pixels.shape[2], pixels.shape[1], side)
            small = torch.nn.functional.interpolate(
                pixels[None], size=(height, width), mode="bilinear", antialias=True, align_corners=False)
            small = small[:, :, top:top + side, left:left + side]
            return small.to(torch.float32).sub_(self.shift).mul_(self.scale).numpy()


def load_decoder(torch):
    """torchvision's wheel is built for CUDA: its decoder asks for two libraries that a CPU build of torch lacks. Empty ones that define
    the names that it misses let it load; the JPEG decoder calls none of them."""
    root = os.path.dirname(os.path.dirname(torch.__file__))
    library = glob.glob(os.path.join(root, "torchvision", "image.so"))[0]
    listing = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True).stdout
    names = [line.split()[-1] for line in listing.splitlines() if "4cuda" in line or "cuda" in line.split()[-1].lower()]
    folder = tempfile.mkdtemp()
    source = os.path.join(folder, "stub.c")
    with open(source, "w") as file:
        for index, name in enumerate(names):
            file.write(f'void *stub{index}[64] __asm__("{name.split("@")[0]}");\n')
    import ctypes
    for stub in ("libc10_cuda.so", "libtorch_cuda.so"):
        path = os.path.join(folder, stub)
        subprocess.run(["cc", "-shared", "-fPIC", f"-Wl,-soname,{stub}", source, "-o", path], check=True)
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    torch.ops.load_library(library)


READERS = {"pillow": Pillow, "torchvision": TorchVision}
