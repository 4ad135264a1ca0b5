"""Search Flickr and download photos, a list of links and a manifest beside them.

    export FLICKR_API_KEY=...      # https://www.flickr.com/services/apps/create/
    python datasets/download_flickr.py --preset selfie --output downloads/selfie --prefix a
    python datasets/download_flickr.py --preset bokeh --output downloads/bokeh --prefix b
    python datasets/download_flickr.py --text "street portrait" --license 4,5,9 --n 500 --output downloads/street
    python datasets/download_flickr.py --tags portrait,bokeh --tag_mode all --links bokeh.csv   # only the list
    python datasets/download_flickr.py --links bokeh.csv --output downloads/bokeh               # no key needed

Stopped and started again it goes on where it was, with the list that the first run saved. Respect the licences
in manifest.csv: most photos are not free to publish.
"""

import argparse
import json
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path

import httpx
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets.flickr_api import SIZES, Query, search
from datasets.photo_list import Manifest, WebPhoto, file_names, read_links, write_links
from util.download import Fetcher, FetchError, GaveUp
from util.errors import UserError, command_line
from util.files import atomic_path
from util.images import ImageError, TooLargeError, read_image
from util.ranges import RangedParser, positive, positive_int

PRESETS = {  # the published queries
    "selfie": Query(text="portrait", camera="apple/iphone_7"),
    "bokeh": Query(text="portrait bokeh -blackandwhite -BW -monochrome -animal -cat -dog -bird -flower"),
}
TOO_MANY_FAILURES = 20  # photos in a row given up: the network is away, not the photos


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: options that don't go together.
    """
    parser = RangedParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    query = parser.add_argument_group("search")
    query.add_argument(
        "--preset", choices=PRESETS, help="one of the published queries; other options narrow it"
    )
    query.add_argument("--text", help="free text; words after a minus are excluded")
    query.add_argument("--tags", help="tags, separated by commas")
    query.add_argument(
        "--tag_mode", choices=("any", "all"), help="photos with any (default) or all of the tags"
    )
    query.add_argument("--license", help="Flickr's licence numbers, separated by commas: 4,5,9")
    query.add_argument("--camera", help="as in the address of a camera's page: apple/iphone_7")
    query.add_argument("--size", choices=SIZES, help="letter of Flickr's sizes; default h, 1600 pixels")
    query.add_argument("--n", type=positive_int, default=4000, help="photos wanted at most")
    query.add_argument("--key_file", type=Path, help="file with the API key, in place of FLICKR_API_KEY")
    files = parser.add_argument_group("files")
    files.add_argument("--output", type=Path, help="folder for the photos and manifest.csv")
    files.add_argument("--prefix", default="", help="beginning of the photos' names, before their id")
    files.add_argument("--links", type=Path, help="list to read, or to save; default: links.csv in --output")
    files.add_argument("--rate", type=positive, default=5, help="requests per second at most, all together")
    files.add_argument("--num_threads", type=positive_int, default=8, help="downloads at the same time")
    args = parser.parse_args(argv)
    if not args.output and not args.links:
        raise UserError("say where the photos go with --output, or where the list goes with --links")
    return args


def make_query(args: argparse.Namespace) -> Query | None:
    """What the command line searches for; None if it names nothing."""
    given = {name: value for name in asdict(Query()) if (value := getattr(args, name)) is not None}
    if args.preset:
        return replace(PRESETS[args.preset], **given)
    return Query(**given) if args.text or args.tags or args.camera else None


def find_photos(args: argparse.Namespace, fetcher: Fetcher) -> list[WebPhoto]:
    """The photos of the list of links; it is made by a search if it isn't there.

    Raises:
        UserError: there is neither list nor query, or the list answers another query.
    """
    query = make_query(args)
    links = args.links or args.output / "links.csv"
    asked = {**asdict(query), "n": args.n} if query else None
    if links.exists():
        photos, answered = read_links(links)
        if asked and asked != answered:
            raise UserError(
                f"{links}: answers another query ({json.dumps(answered)}); delete it to search anew, or leave "
                "the query out to go on with it"
            )
        print(f"{len(photos)} photos in {links}")
        return photos
    if query is None:
        raise UserError(
            "say what to search for: --preset, --text, --tags or --camera; or a list with --links"
        )
    found = search(fetcher, _read_key(args.key_file), query)
    photos = list(tqdm(islice(found, args.n), total=args.n, unit="photo", desc="searching"))
    write_links(links, photos, asked)
    print(f"{len(photos)} photos found, listed in {links}")
    return photos


def _read_key(file: Path | None) -> str:
    try:
        key = file.read_text().strip() if file else os.environ.get("FLICKR_API_KEY", "").strip()
    except OSError as error:
        raise UserError(f"--key_file {file}: can't be read ({error.strerror})") from None
    if not key:
        raise UserError(
            "no API key; get one at https://www.flickr.com/services/apps/create/ and put it into the "
            "environment variable FLICKR_API_KEY, or into a file for --key_file"
        )
    return key


@dataclass
class Downloads:
    """What became of the photos of a list."""

    downloaded: int = 0
    there: int = 0
    failed: list[str] = field(default_factory=list)


def download_photo(photo: WebPhoto, path: Path, fetcher: Fetcher, manifest: Manifest) -> None:
    """Fetch one photo to `path`, check that it decodes, and enter it in the manifest.

    Raises:
        FetchError: it is gone, too large to decode, or what comes is never a whole image.
    """
    with atomic_path(path) as temporary:

        def check(response: httpx.Response) -> None:
            if "photo_unavailable" in response.url.path:  # where Flickr sends for photos taken away
                raise FetchError("the photo is gone")
            temporary.write_bytes(response.content)
            try:
                read_image(temporary)
            except TooLargeError as error:
                raise FetchError(str(error).removeprefix(f"{temporary}: ")) from None
            except ImageError:
                raise ValueError("what came is not a whole image") from None

        fetcher.fetch(photo.url, check=check)
    manifest.add(path, photo)


def download_all(photos: list[WebPhoto], args: argparse.Namespace, fetcher: Fetcher) -> Downloads:
    """Fetch all photos that are not there yet.

    Raises:
        UserError: too many in a row had to be given up.
    """
    args.output.mkdir(parents=True, exist_ok=True)
    for leftover in args.output.glob(".*.tmp.*"):  # of a run that was killed
        leftover.unlink()
    manifest = Manifest(args.output / "manifest.csv")
    wanted = []
    for photo, name in zip(photos, file_names(photos, args.prefix), strict=True):
        path = args.output / name
        if not path.exists():
            wanted.append((photo, path))
        elif name not in manifest:
            manifest.add(path, photo)  # files are whole or not there; only its row was lost
    summary = Downloads(there=len(photos) - len(wanted))
    with ThreadPoolExecutor(args.num_threads) as pool:
        futures = {pool.submit(download_photo, *task, fetcher, manifest): task[0] for task in wanted}
        try:
            _collect(futures, summary)
        except BaseException:
            fetcher.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return summary


def _collect(futures: dict[Future, WebPhoto], summary: Downloads) -> None:
    """Wait for all downloads and count them."""
    given_up = 0
    for future in tqdm(as_completed(futures), total=len(futures), unit="photo", disable=not futures):
        error = future.exception()
        if error is None:
            summary.downloaded += 1
            given_up = 0
        elif isinstance(error, FetchError):
            summary.failed.append(f"{futures[future].id}: {error}")
            given_up += isinstance(error, GaveUp)
            if given_up == TOO_MANY_FAILURES:
                raise UserError(f"{given_up} photos in a row failed, the last one so: {error}")
        else:
            raise error


@command_line
def main(argv: list[str] | None = None) -> None:
    """Search, save the list, download, say what was done."""
    args = parse(argv)
    with Fetcher(rate=args.rate) as fetcher:
        photos = find_photos(args, fetcher)
        if not args.output:
            return
        summary = download_all(photos, args, fetcher)
    for line in sorted(summary.failed):
        print(f"failed: {line}")
    print(
        f"{summary.downloaded} downloaded, {summary.there} there already, {len(summary.failed)} failed"
        + ("; run the same command again for those" if summary.failed else "")
    )


if __name__ == "__main__":
    main()
