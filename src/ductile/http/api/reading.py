"""What the API tells: jobs, runs, chains, pipelines and plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ductile.documents.problems import BadValue, quoted
from ductile.http.api.answers import answer
from ductile.http.api.parts import ApiParts
from ductile.http.api.shapes import pipeline_json, plugin_json
from ductile.insights.shapes import chain_json, job_json, run_json
from ductile.model.ids import JobId, RunId, is_id
from ductile.model.job import Job, JobStatus
from ductile.model.run import Run, RunStatus

MAX_PAGE: Final = 200

T = TypeVar("T", Job, Run)


def _id(text: str) -> str:
    if not is_id(text):
        raise BadValue(f"{quoted(text)} is no id", 'write the "next" of the page before')
    return text


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    before: Annotated[str, AfterValidator(_id)] | None = None


class JobQuery(_Page):
    """Which jobs are asked for."""

    status: JobStatus | None = None
    plugin: str | None = None


class RunQuery(_Page):
    """Which runs are asked for."""

    status: RunStatus | None = None
    pipeline: str | None = None


class Reading:
    """The routes that change nothing. Each runs on a thread, and reads one snapshot."""

    def __init__(self, parts: ApiParts) -> None:
        self._insights = parts.insights
        self._current = parts.current

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(redirect_slashes=False)
        router.get("/jobs", tags=["jobs"])(self.jobs)
        router.get("/jobs/{job_id}", tags=["jobs"])(self.job)
        router.get("/jobs/{job_id}/chain", tags=["jobs"])(self.chain)
        router.get("/runs", tags=["runs"])(self.runs)
        router.get("/runs/{run_id}", tags=["runs"])(self.run)
        router.get("/pipelines", tags=["pipelines"])(self.pipelines)
        router.get("/plugins", tags=["plugins"])(self.plugins)
        return router

    def jobs(self, query: Annotated[JobQuery, Query()]) -> Response:
        """Jobs, newest first; `next`, if not null, is the `before` of the page that follows."""
        found = self._insights.job_list(
            limit=query.limit + 1,
            status=query.status,
            plugin=query.plugin,
            before=None if query.before is None else JobId(query.before),
        )
        page, following = _cut(found, query.limit)
        return answer({"jobs": [job_json(each) for each in page], "next": following})

    def job(self, job_id: str) -> Response:
        """A job as it stands."""
        return answer(job_json(self._insights.job(job_id)))

    def chain(self, job_id: str) -> Response:
        """Everything that descends from the event that led to a job."""
        return answer(chain_json(self._insights.chain_of(job_id)))

    def runs(self, query: Annotated[RunQuery, Query()]) -> Response:
        """Runs, newest first; `next`, if not null, is the `before` of the page that follows."""
        found = self._insights.run_list(
            limit=query.limit + 1,
            status=query.status,
            pipeline=query.pipeline,
            before=None if query.before is None else RunId(query.before),
        )
        page, following = _cut(found, query.limit)
        return answer({"runs": [run_json(each) for each in page], "next": following})

    def run(self, run_id: str) -> Response:
        """A run as it stands."""
        return answer(run_json(self._insights.run(run_id)))

    def pipelines(self) -> Response:
        """The pipelines that are in force."""
        found = self._current().catalogue.pipelines.values()
        return answer({"pipelines": [pipeline_json(each) for each in found]})

    def plugins(self) -> Response:
        """The plugins that there are."""
        current = self._current()
        plugins = [
            plugin_json(manifest, enabled=current.settings.plugin(name).enabled)
            for name, manifest in sorted(current.registry.plugins.items())
        ]
        return answer({"plugins": plugins})


def _cut(found: Sequence[T], limit: int) -> tuple[Sequence[T], str | None]:
    """A page, of which one more was asked for than fits, and what follows it."""
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None
