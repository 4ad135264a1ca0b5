"""The parts of wandb and trackio that the loggers use, for machines that have neither. They keep what they are sent.

Names, keywords and rules are those of wandb 0.31 and trackio 0.43; the tests run against these too where they are.
"""

import math
import types


class WandbServer:
    """Runs by id. Steps never go back, as wandb's do not; `resume_from` drops what is newer than its step."""

    def __init__(self) -> None:
        self.runs: dict[str, dict] = {}
        self.refuses = ""

    def module(self) -> types.ModuleType:
        module = types.ModuleType("wandb")
        module.Error = type("Error", (Exception,), {})
        module.Settings = lambda *, console: types.SimpleNamespace(console=console)
        module.Image = lambda data, *, caption: ("image", data.size)

        def init(*, project, name, dir, config, settings, id=None, resume_from=None):
            if self.refuses:
                raise module.Error(self.refuses)
            if resume_from:
                id, _, step = resume_from.partition("?_step=")
                kept = {at: values for at, values in self.runs[id]["history"].items() if at <= int(step)}
                self.runs[id] |= {"history": kept, "config": config}
            else:
                assert id not in self.runs
                self.runs[id] = {"project": project, "name": name, "config": config, "history": {}}
            return WandbRun(self.runs[id]["history"])

        module.init = init
        return module


class WandbRun:
    def __init__(self, history: dict[int, dict]) -> None:
        self.history = history

    def log(self, data: dict, step: int) -> None:
        if step >= max(self.history, default=0):
            self.history.setdefault(step, {}).update(data)

    def finish(self) -> None:
        pass


class TrackioDatabase:
    """Rows of runs by their id; several may have one name, and points are never overwritten."""

    def __init__(self, folder) -> None:
        self.file = folder / "trackio.db"
        self.rows: list[dict] = []
        self.runs: dict[str, tuple[str, str, dict]] = {}

    def modules(self) -> dict[str, types.ModuleType]:
        module, storage = types.ModuleType("trackio"), types.ModuleType("trackio.sqlite_storage")
        module.Image = lambda value, caption: {"_type": "trackio.image", "size": value.size}
        module.init = self.init
        module.Api = lambda: types.SimpleNamespace(runs=self.runs_of)
        storage.SQLiteStorage = types.SimpleNamespace(
            get_project_db_path=lambda project: self.file, get_logs=self.get_logs
        )
        return {"trackio": module, "trackio.sqlite_storage": storage}

    def init(self, *, project, name, config):
        self.file.touch()
        number = str(len(self.runs))
        self.runs[number] = (project, name, config)

        def log(metrics: dict, step: int) -> None:
            self.rows.append({"run": number, "step": step, **metrics})

        return types.SimpleNamespace(log=log, finish=lambda: None)

    def runs_of(self, project):
        def delete(number):
            self.rows = [row for row in self.rows if row["run"] != number]
            del self.runs[number]

        return [
            types.SimpleNamespace(name=name, id=number, delete=lambda number=number: delete(number))
            for number, (of, name, _) in self.runs.items()
            if of == project
        ]

    def get_logs(self, project, run, run_id):
        return [dict(row) for row in self.rows if row["run"] == run_id]


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
