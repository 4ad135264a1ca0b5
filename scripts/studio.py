"""A studio in the browser: one folder that any web server can serve, in which photos never leave the machine.

    python scripts/studio.py --serve                                # open it, with the model that comes with the code
    python scripts/studio.py --output studio/                       # write the folder
    python scripts/studio.py --output studio/ --name portraits      # with a model of your own

The folder holds a page, the model as ONNX and onnxruntime-web, which runs it. docs/studio.md says what it can do.
"""

import argparse
import json
import sys
import webbrowser
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import load_generator
from models.inference.generator import GeneratorSettings
from models.inference.looking import looking
from options.test_options import PRETRAINED
from scripts.export import TOLERANCE, export_program, largest_difference, run_onnx, write_onnx
from scripts.studio_runtime import VERSION, write_runtime
from util.errors import UserError, command_line, say
from util.files import atomic_path, cache_folder, write_bytes, write_text
from util.ranges import RangedParser, port_or_any

PAGE = Path(__file__).resolve().parents[1] / "util" / "assets" / "studio"

# Browsers give threads to pages alone that no other site can look into.
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder with the headers that threads need; says nothing."""

    extensions_map = {  # noqa: RUF012 - the base class's own, completed
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
    }

    def end_headers(self) -> None:
        for name, value in ISOLATION.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


def write_model(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Write the generator's network into `folder`; returns what the page must know of it."""
    folder_of_weights = Path(args.checkpoints_dir) / args.name
    generator = load_generator(folder_of_weights, args.epoch, settings=GeneratorSettings(radius="none"))
    if (folder_of_weights / f"{args.epoch}_net_P.pth").is_file():
        say(f"{folder_of_weights}: the studio blurs by the lens alone, as test.py --radius none does")
    net, described = looking(generator)
    with atomic_path(folder / "generator.onnx") as temporary:
        write_onnx(export_program(net, described["channels"]), temporary)
        difference = largest_difference(
            run_onnx(temporary), torch.no_grad()(net), described["channels"], described["divisor"]
        )
        if not difference <= TOLERANCE[False]:
            raise UserError(f"{generator.file}: as ONNX its weights differ by {difference:.1e}; not written")
    return {"file": "generator.onnx", **described}


def write_masks(name: str, folder: Path) -> dict[str, Any]:
    """Write the segmenter that tells the generator its subject; returns what the page must know of it."""
    from deeplab.browser_models import write_segmenter

    def write(name: str) -> dict[str, Any]:
        with atomic_path(folder / f"{name}.onnx") as temporary:
            return {"file": f"{name}.onnx", "name": name, **write_segmenter(name, temporary)}

    if name != "auto":
        return write(name)
    try:
        return write("rvm")
    except (UserError, ImportError) as error:
        say(f"--masks auto: {error}. The segmenter selfie takes its place; it is made for one person nearby")
        return write("selfie")


def build(args: argparse.Namespace, folder: Path) -> None:
    """Write the whole studio into `folder`."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "studio.json").is_file():
        raise UserError(f"--output {folder}: is not empty and not a studio; choose another folder")
    described = {
        "name": args.name,
        "generator": write_model(args, folder),
        "segmenter": None,
        "runtime": f"onnxruntime-web {VERSION}, Microsoft, MIT",
    }
    if described["generator"]["channels"] == 4:
        described["segmenter"] = write_masks(args.masks, folder)
    write_runtime(folder / "runtime", args.runtime)
    for file in sorted(PAGE.iterdir()):
        write_bytes(folder / file.name, file.read_bytes())
    write_text(folder / "studio.json", json.dumps(described, indent=1))


def serve(folder: Path, port: int, show: bool = True) -> None:
    """Serve `folder` on this machine alone until Ctrl-C, and show it in the user's browser."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise UserError(f"--port {port}: {error.strerror}; give another one, or 0 for any") from None
    with server:
        url = f"http://127.0.0.1:{server.server_port}/"
        print(f"the studio is at {url} (Ctrl-C ends it)", flush=True)
        if show:
            webbrowser.open(url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = RangedParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder to write; with --serve default: one in the cache")
    parser.add_argument("--serve", action="store_true", help="open the studio in your browser")
    parser.add_argument("--port", type=port_or_any, default=0, help="of --serve; 0 = any that is free")
    parser.add_argument(
        "--no_browser", action="store_true", help="with --serve: print the address, open nothing"
    )
    parser.add_argument(
        "--name", default="", help="name of the experiment; default: the model that comes with the code"
    )
    parser.add_argument("--checkpoints_dir", default="./checkpoints", help="where checkpoints are kept")
    parser.add_argument("--epoch", default="latest", help="which checkpoint")
    parser.add_argument(
        "--masks",
        default="auto",
        help="for a generator that is told the subject: rvm, selfie, or auto, the best there is",
    )
    parser.add_argument(
        "--runtime", type=Path, help="archive of onnxruntime-web; default: fetched from npm, once"
    )
    args = parser.parse_args(argv)
    if not args.name:
        args.name, args.checkpoints_dir = "portrait", str(PRETRAINED)
    return args


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Build the studio, and serve it if asked to."""
    args = parse(argv)
    if not (args.output or args.serve):
        raise UserError("nothing to do: give --output FOLDER, --serve, or both")
    folder = args.output or cache_folder() / "studio"
    build(args, folder)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6
    print(f"{folder}: {size:.1f} MB, and the runtime in {folder / 'runtime'}")
    if args.serve:
        serve(folder, args.port, not args.no_browser)


if __name__ == "__main__":
    main()
