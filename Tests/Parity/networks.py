"""The torchvision networks of the parity test: random weights, batch-norm statistics calibrated on noise, heads cut off."""
import warnings

import torch
from torch import nn

# torchvision's wheel from PyPI does not load its own operators beside a CPU build of torch; its import needs two declared.
_operators = torch.library.Library("torchvision", "DEF")
_operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import models  # noqa: E402  (after the declarations above)

warnings.filterwarnings("ignore")


def _without(model, attribute):
    setattr(model, attribute, nn.Identity())
    return model


def _vgg16():
    model = models.vgg16(weights=None)
    model.classifier = model.classifier[:5]  # to the second dense layer's ReLU, Keras's "fc2"
    return model


def _inception(transform_input):
    model = models.inception_v3(
        weights=None, aux_logits=True, init_weights=False, transform_input=transform_input)
    model.aux_logits, model.AuxLogits = False, None
    return _without(model, "fc")


# Name: (how it is built, height and width).
NETWORKS = {
    "mobilenet_v2": (lambda: _without(models.mobilenet_v2(weights=None), "classifier"), 224),
    "mobilenet_v3_large": (lambda: _without(models.mobilenet_v3_large(weights=None), "classifier"), 224),
    "mobilenet_v3_small": (lambda: _without(models.mobilenet_v3_small(weights=None), "classifier"), 224),
    "efficientnet_b0": (lambda: _without(models.efficientnet_b0(weights=None), "classifier"), 224),
    "resnet50": (lambda: _without(models.resnet50(weights=None), "fc"), 224),
    "densenet121": (lambda: _without(models.densenet121(weights=None), "classifier"), 224),
    "inception_v3": (lambda: _inception(False), 299),
    "inception_v3_transform_input": (lambda: _inception(True), 299),
    "vgg16": (_vgg16, 224),
}


def build(name):
    """The network in evaluation mode, and the side of its input."""
    torch.manual_seed(0)
    make, size = NETWORKS[name]
    model = make()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    if norms:
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        for module in norms:
            module.momentum = None  # a plain average over the batches
            module.reset_running_stats()
        with torch.no_grad():
            for _ in range(2):
                model(torch.randn(4, 3, size, size))
    return model.eval(), size


def export(model, size, path, dynamo):
    """Writes ONNX with a symbolic batch; `dynamo` picks the newer exporter, with its external data file."""
    example = torch.randn(2, 3, size, size)
    if dynamo:
        batch = torch.export.Dim("batch", min=1, max=64)
        torch.onnx.export(
            model, (example,), path, dynamo=True, external_data=True, input_names=["image"],
            output_names=["features"], dynamic_shapes=({0: batch},), verbose=False)
    else:
        torch.onnx.export(
            model, (example,), path, dynamo=False, input_names=["image"], output_names=["features"],
            dynamic_axes={"image": {0: "batch"}, "features": {0: "batch"}})
