"""A studio in the browser: one folder that any web server can serve, in which photos never leave the machine.

    python scripts/studio.py --serve                                # open it, with the model that comes with the code
    python scripts/studio.py --output studio/                       # write the folder
    python scripts/studio.py --output studio/ --name portraits      # with a model of your own

The folder holds a page, the model as ONNX and onnxruntime-web, which runs it. docs/studio.md says what it can do.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from options.test_options import PRETRAINED
from scripts.studio_sources import is_made_of, sources
from util.errors import UserError, command_line
from util.files import cache_folder
from util.ranges import RangedParser, port_or_any

# Browsers give threads to pages alone that no other site can look into.
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder with the headers that threads need; says nothing."""

    def guess_type(self, path: str) -> str:  # type: ignore[override]
        """By the suffix alone: what the machine has registered for it may be wrong, and browsers refuse that."""
        return TYPES.get(Path(path).suffix, "application/octet-stream")

    def end_headers(self) -> None:
        for name, value in ISOLATION.items():
            self.send_header(name, value)
        # A studio that was built anew is seen at once.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


def serve(folder: Path, port: int, show: bool = True) -> None:
    """Serve `folder` to this machine alone until Ctrl-C, and show it in the user's browser.

    Raises:
        UserError: the port can't be had.
    """
    import webbrowser

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
    """Read the command line.

    Raises:
        UserError: nothing was asked for.
    """
    parser = RangedParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--output", type=Path, help="folder to write; with --serve default: one in the cache")
    add("--serve", action="store_true", help="open the studio in your browser")
    add("--port", type=port_or_any, default=0, help="of --serve; 0 = any that is free")
    add("--no_browser", action="store_true", help="with --serve: print the address, open nothing")
    add("--name", default="", help="name of the experiment; default: the model that comes with the code")
    add("--checkpoints_dir", default="./checkpoints", help="where checkpoints are kept")
    add("--epoch", default="latest", help="which checkpoint")
    add(
        "--masks",
        default="auto",
        choices=("auto", "rvm", "selfie"),
        help="who tells the subject to a generator that was trained with --mask_input; auto = rvm, or selfie where "
        "rvm can't be had",
    )
    add(
        "--radius",
        default="",
        help="as of test.py: latest_net_P.pth of --model radius; default: the one beside the weights, where there is "
        "one; none = one blur for the whole background",
    )
    add("--runtime", type=Path, help="archive of onnxruntime-web; default: fetched from npm, once")
    args = parser.parse_args(argv)
    if not (args.output or args.serve):
        raise UserError("nothing to do: give --output FOLDER, --serve, or both")
    if not args.name:
        args.name, args.checkpoints_dir = "portrait", str(PRETRAINED)
    return args


def check_packages() -> None:
    """Raise a `UserError` for a package that building takes and that is not installed, without importing one."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(name) is None:
            raise UserError(f"{name} is not installed; run: pip install -e '.[studio]'")


@command_line
def main(argv: Sequence[str] | None = None) -> None:
    """Build the studio, unless it is there already, and serve it if asked to."""
    args = parse(argv)
    folder = args.output or cache_folder() / "studio"
    made_of = sources(args)
    if not is_made_of(folder, made_of):
        check_packages()
        # Here: PyTorch takes seconds.
        from scripts.studio_build import build

        print("building the studio, which takes half a minute", flush=True)
        build(args, folder, made_of)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6
    print(f"{folder}: {size:.1f} MB, and the runtime in {folder / 'runtime'}")
    if args.serve:
        serve(folder, args.port, not args.no_browser)


if __name__ == "__main__":
    main()
