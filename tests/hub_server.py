"""The part of Hugging Face's hub that publishing and fetching a model uses, on this machine."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from tests.local_server import LocalServer, Reply, Request, local_server


class Hub:
    """Models by name, each a dict of files; the revision is a hash of them, as with git."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.gated: set[str] = set()
        self.server: LocalServer

    def revision(self, model: str) -> str:
        digest = hashlib.sha1()
        for name, content in sorted(self.models[model].items()):
            digest.update(name.encode() + content)
        return digest.hexdigest()

    def answer(self, request: Request) -> Reply:
        words = unquote(urlsplit(request.path).path).strip("/").split("/")
        if words == ["api", "repos", "create"]:
            return self.create(json.loads(request.body))
        if words == ["api", "validate-yaml"]:
            return as_json({"errors": [], "warnings": []})
        if words[:2] == ["api", "models"]:
            model, action = "/".join(words[2:4]), words[4] if len(words) > 4 else "revision"
            if model not in self.models:
                return refused(401, "RepoNotFound")
            actions = {
                "revision": self.info,
                "tree": self.tree,
                "preupload": self.preupload,
                "commit": self.commit,
            }
            return actions[action](model, request)
        model, file = "/".join(words[:2]), "/".join(words[4:])
        if model in self.gated:
            return refused(403, "GatedRepo")
        if file not in self.models.get(model, {}):
            return refused(404, "EntryNotFound")
        content = self.models[model][file]
        etag = hashlib.sha1(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": self.revision(model), "Accept-Ranges": "bytes"}
        return Reply(content, headers=headers)

    def create(self, asked: dict) -> Reply:
        model = f"{asked.get('organization', 'me')}/{asked['name']}"
        self.models.setdefault(model, {".gitattributes": b""})
        self.private[model] = asked.get("visibility") == "private"
        return as_json({"url": f"{self.server.url}/{model}", "name": model, "id": model})

    def info(self, model: str, request: Request) -> Reply:
        siblings = [{"rfilename": name} for name in self.models[model]]
        return as_json({"id": model, "sha": self.revision(model), "siblings": siblings})

    def preupload(self, model: str, request: Request) -> Reply:
        names = [file["path"] for file in json.loads(request.body)["files"]]
        return as_json(
            {"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]}
        )

    def commit(self, model: str, request: Request) -> Reply:
        for line in request.body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                self.models[model][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        revision = self.revision(model)
        url = f"{self.server.url}/{model}/commit/{revision}"
        return as_json({"success": True, "commitOid": revision, "commitUrl": url})

    def tree(self, model: str, request: Request) -> Reply:
        return as_json(
            [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in self.models[model].items()
            ]
        )


def as_json(content: object) -> Reply:
    return Reply(json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def refused(status: int, code: str) -> Reply:
    return Reply(
        b"{}", status, {"X-Error-Code": code, "X-Error-Message": code, "Content-Type": "application/json"}
    )


@contextmanager
def hub_server() -> Iterator[Hub]:
    """A hub on a free port of this machine."""
    hub = Hub()
    with local_server(hub.answer) as server:
        hub.server = server
        yield hub
