"""Searching Flickr: the method flickr.photos.search of its REST API (https://www.flickr.com/services/api/)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from datasets.photo_list import WebPhoto
from util.download import Fetcher, FetchError

ENDPOINT = "https://api.flickr.com/services/rest/"
PER_PAGE = 500  # the most that a page holds
PER_QUERY = 4000  # Flickr repeats itself beyond this many photos of one query
BUSY_CODES = (105, 106)  # "service currently unavailable", "write operation failed"

SIZES = ("sq", "q", "t", "s", "n", "w", "m", "z", "c", "l", "h", "k", "o")
LICENCES = {
    "0": "All Rights Reserved",
    "1": "CC BY-NC-SA 2.0",
    "2": "CC BY-NC 2.0",
    "3": "CC BY-NC-ND 2.0",
    "4": "CC BY 2.0",
    "5": "CC BY-SA 2.0",
    "6": "CC BY-ND 2.0",
    "7": "No known copyright restrictions",
    "8": "United States Government Work",
    "9": "CC0 1.0",
    "10": "Public Domain Mark 1.0",
}


@dataclass(frozen=True)
class Query:
    """What to search for; empty fields don't narrow the search."""

    text: str = ""
    tags: str = ""  # separated by commas
    tag_mode: str = "any"  # or "all"
    license: str = ""  # Flickr's numbers, separated by commas
    camera: str = ""  # as in the address of a camera's page: apple/iphone_7
    size: str = "h"  # letter of the size whose address is wanted; h is 1600 pixels on the longer side


def search(fetcher: Fetcher, key: str, query: Query) -> Iterator[WebPhoto]:
    """Yield the photos that answer `query`, newest first, each once, those without the wanted size left out.

    Beyond 4000 photos the search goes on from the upload date reached. The key travels in the body of a POST:
    addresses end up in logs.

    Raises:
        FetchError: Flickr refuses the key or the query, or can't be reached.
    """
    seen: set[str] = set()
    before = oldest = ""
    last_page = PER_QUERY // PER_PAGE
    while True:
        known = len(seen)
        for page in range(1, last_page + 1):
            result = _call(fetcher, key, query, page, before)
            for item in result["photo"]:
                new = item["id"] not in seen
                seen.add(item["id"])
                oldest = str(item.get("dateupload", ""))
                if new and item.get(f"url_{query.size}"):
                    yield _photo(item, query)
            if page >= int(result["pages"]):
                break
        if page < last_page or len(seen) == known:
            return
        before = oldest  # not of the last page: Flickr may have filtered all of that away


def _photo(item: dict, query: Query) -> WebPhoto:
    licence = str(item.get("license", ""))
    return WebPhoto(
        id=str(item["id"]),
        url=item[f"url_{query.size}"],
        owner=_text(item.get("ownername") or item.get("owner", "")),
        licence=LICENCES.get(licence, f"Flickr licence {licence}"),
        camera=query.camera,
        title=_text(item.get("title", "")),
    )


def _text(value: object) -> str:
    """`value` as text that a file can hold: JSON may hold half a surrogate pair, UTF-8 may not."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _call(fetcher: Fetcher, key: str, query: Query, page: int, before: str) -> dict:
    """One page of results."""
    form = {
        "method": "flickr.photos.search",
        "api_key": key,
        "format": "json",
        "nojsoncallback": "1",
        "media": "photos",
        "content_types": "0",  # photos, no screenshots or drawings
        "safe_search": "1",
        "sort": "date-posted-desc",
        "per_page": str(PER_PAGE),
        "page": str(page),
        "extras": f"license,owner_name,date_upload,url_{query.size}",
        "text": query.text,
        "tags": query.tags,
        "tag_mode": query.tag_mode if query.tags else "",
        "license": query.license,
        "camera": query.camera,
        "max_upload_date": before,
    }
    body = fetcher.fetch(ENDPOINT, {name: value for name, value in form.items() if value}, check=_check)
    answer = json.loads(body)
    if answer["stat"] != "ok":
        raise FetchError(
            f"Flickr refuses the search: {answer.get('message')} (code {answer.get('code')}); "
            "check the key in FLICKR_API_KEY or --key_file, and the query"
        )
    return answer["photos"]


def _check(response: httpx.Response) -> None:
    """ValueError, so that it is asked for again, if the answer is an error page or Flickr is busy."""
    try:
        answer = json.loads(response.content)
        ok = answer["stat"] == "ok"
        broken = ok and not (
            isinstance(answer["photos"]["photo"], list) and int(answer["photos"]["pages"]) >= 0
        )
    except (ValueError, KeyError, TypeError):
        broken = True
    if broken:
        raise ValueError("the answer is no search result")
    if answer["stat"] != "ok" and answer.get("code") in BUSY_CODES:
        raise ValueError("Flickr is busy")
