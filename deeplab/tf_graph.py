"""The published DeepLabv3 graphs (PASCAL VOC) run by TensorFlow, frozen as they are."""

import tarfile
from pathlib import Path

import numpy as np

from deeplab.quiet_tensorflow import tf
from deeplab.segmenter import InputSize, Segmenter
from deeplab.weights import deeplab_archive
from util.errors import UserError
from util.present import present

GRAPH = "frozen_inference_graph.pb"
PERSON = 15  # class of PASCAL VOC


class DeepLabGraph(Segmenter):
    """Hard masks: 1 where the graph's class is person. The longer side of its input is `input_size` pixels."""

    def __init__(
        self, weights: str | Path | None = None, model: str | None = None, input_size: int = 513
    ) -> None:
        self.input_size = InputSize(input_size, keep_aspect=True)
        path = Path(weights) if weights else deeplab_archive(model)
        content = _read_graph(path)
        try:
            graph = tf.compat.v1.GraphDef.FromString(content)
            wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
            self._run = wrapped.prune("ImageTensor:0", "SemanticPredictions:0")
        except Exception as error:  # protobuf and TensorFlow raise a dozen kinds for a bad file
            reason = str(error).partition("\n")[0]
            raise UserError(f"{path}: not a DeepLab graph that TensorFlow can run ({reason})") from None

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N,h,w,3] -> float32 [N,h,w], each 0 or 1; one at a time, the graphs have no batches."""
        classes = [self._run(tf.constant(image[None])).numpy()[0] for image in images]
        return (np.stack(classes) == PERSON).astype(np.float32)


def _read_graph(path: Path) -> bytes:
    """The frozen graph in a `.pb` file, or in an archive as published."""
    if not path.is_file():
        raise UserError(f"--weights {path}: no such file")
    if path.suffix == ".pb":
        return path.read_bytes()
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and Path(member.name).name == GRAPH:
                    return present(archive.extractfile(member)).read()
    except (tarfile.TarError, OSError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path}: damaged ({reason}); delete it and run the same command again") from None
    raise UserError(f"{path}: holds no {GRAPH}; give one of the published .tar.gz archives, or a .pb file")
