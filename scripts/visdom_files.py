"""Gives visdom's server the JavaScript, style sheets and fonts of its page without its own downloads.

The visdom package leaves them out, and at its first start the server fetches them from CDNs, one by one;
where those can't be reached it dies. The same files are in npm's packages: this program has npm fetch and
verify those and puts each file where visdom looks for it. After that the server needs no network.

    python scripts/visdom_files.py
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from util.errors import UserError, command_line, missing_package
from util.files import write_bytes, write_text
from util.present import present

# The release that visdom 0.2.4 asks its CDNs for -> {file in the npm package: place below visdom/static}.
# The odd names in fonts/ are visdom's own; its list is in visdom/server/build.py.
_GLYPHS = "glyphicons-halflings-regular"
_MATHJAX = (
    "MathJax.js",
    "config/Safe.js",
    "config/TeX-AMS-MML_HTMLorMML.js",
    "extensions/Safe.js",
    "jax/output/SVG/config.js",
    "jax/output/SVG/jax.js",
    "jax/output/SVG/fonts/TeX/fontdata.js",
    "jax/output/SVG/fonts/TeX/Size1/Regular/Main.js",
)
PACKAGES: dict[str, dict[str, str]] = {
    "bootstrap@3.3.7": {
        "dist/js/bootstrap.min.js": "js/bootstrap.min.js",
        "dist/css/bootstrap.min.css": "css/bootstrap.min.css",
        **{
            f"dist/fonts/{_GLYPHS}.{end}": f"fonts/{_GLYPHS}.{end}" for end in ("eot", "ttf", "woff", "woff2")
        },
        f"dist/fonts/{_GLYPHS}.svg": f"fonts/{_GLYPHS}.svg#glyphicons_halflingsregular",
    },
    "classnames@2.2.5": {"index.js": "fonts/classnames"},
    "d3@3.5.17": {"d3.min.js": "js/d3.v3.min.js"},
    "d3-selection-multi@1.0.1": {"build/d3-selection-multi.js": "js/d3-selection-multi.v1.js"},
    "jquery@3.1.1": {"dist/jquery.min.js": "js/jquery.min.js"},
    "layout-bin-packer@1.4.0": {
        "dist/layout-bin-packer.js": "js/layout_bin_packer.js",
        "dist/layout-bin-packer.js.map": "js/layout-bin-packer.js.map",
    },
    "mathjax@2.7.5": {name: f"js/mathjax/2.7.5/{name}" for name in _MATHJAX},
    "plotly.js-dist-min@2.11.1": {"plotly.min.js": "js/plotly-plotly.min.js"},
    "react@16.2.0": {"umd/react.production.min.js": "js/react-react.min.js"},
    "react-dom@16.2.0": {"umd/react-dom.production.min.js": "js/react-dom.min.js"},
    "react-grid-layout@0.16.3": {"css/styles.css": "css/react-grid-layout-styles.css"},
    "react-modal@3.1.10": {"dist/react-modal.min.js": "js/react-modal.min.js"},
    "react-resizable@1.4.6": {"css/styles.css": "css/react-resizable-styles.css"},
    "save-svg-as-png@1.4.17": {"lib/saveSvgAsPng.js": "js/saveSvgAsPng.js"},
    "sjcl@1.0.7": {"sjcl.js": "js/sjcl.js"},
}


def static_folder() -> Path:
    """The installed visdom's folder of static files.

    Raises:
        UserError: visdom is not installed.
    """
    spec = importlib.util.find_spec("visdom")
    if spec is None or spec.origin is None:
        raise UserError(missing_package("visdom"))
    return Path(spec.origin).with_name("static")


def is_complete(static: Path, version: str) -> bool:
    """True if visdom's server of this `version` would download nothing."""
    built = static / "version.built"
    wanted = (static / place for files in PACKAGES.values() for place in files.values())
    return built.is_file() and built.read_text().strip() == version and all(path.is_file() for path in wanted)


def fetch_package(package: str, folder: Path) -> Path:
    """Have npm put the archive of `package` (`name@version`) into `folder`; returns its path.

    Raises:
        UserError: there is no npm, or it can't get the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("visdom's page needs files from npm; install npm (Debian: apt-get install npm)")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), package]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"npm can't fetch {package} ({reason}); check the network and run it again")
    return folder / result.stdout.split()[-1]


def install(static: Path, version: str) -> None:
    """Fill `static` with the files of all packages, then mark it as built for visdom's `version`."""
    with tempfile.TemporaryDirectory() as folder:
        for package, files in tqdm(PACKAGES.items(), desc="visdom's page", unit="package"):
            with tarfile.open(fetch_package(package, Path(folder))) as archive:
                for name, place in files.items():
                    # npm's archives hold everything in one folder that is called package
                    write_bytes(static / place, present(archive.extractfile(f"package/{name}")).read())
    write_text(static / "version.built", version)


@command_line
def main() -> None:
    static, version = static_folder(), importlib.metadata.version("visdom")
    if not is_complete(static, version):
        install(static, version)


if __name__ == "__main__":
    main()
