"""Ten lines, without PyTorch: python scripts/use_onnx.py portraits.onnx photo.jpg result.png"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model, photo, result = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
pixels = np.asarray(ImageOps.exif_transpose(Image.open(photo)).convert("RGB"), dtype=np.float32)
image = pixels.transpose(2, 0, 1)[None] / 127.5 - 1
output = session.run(None, {"image": image})[0][0].transpose(1, 2, 0)
Image.fromarray(((output + 1) * 127.5).round().clip(0, 255).astype(np.uint8)).save(result)
