"""graphql-core on finished data, behind the same server: `python -m bench.reference PORT FILE`.

`FILE` holds a JSON object: the text of a query -> the data that answers it. Each query is parsed and validated once,
every field is a member of a dict, nothing is resolved, nobody is authenticated: what is left is what graphql-core takes
to execute, and the server to answer. A gateway that executes with graphql-core can come near it and not beyond."""

import sys
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from graphql import DocumentNode, ExecutionResult, build_schema, execute, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SDL = Path(__file__).parent.parent / "schema.graphql"


class Reference:
    def __init__(self, answers: dict[str, Any]) -> None:
        self._schema = build_schema(SDL.read_text(encoding="utf-8"))
        self._answers = answers
        self._documents: dict[str, DocumentNode] = {}

    async def serve(self, request: Request) -> Response:
        query = orjson.loads(await request.body())["query"]
        result = execute(self._schema, self._document(query), root_value=self._answers[query])
        assert isinstance(result, ExecutionResult)
        assert result.errors is None, result.errors
        return Response(orjson.dumps({"data": result.data}), media_type="application/json")

    def _document(self, query: str) -> DocumentNode:
        if query not in self._documents:
            document = parse(query)
            assert validate(self._schema, document) == []
            self._documents[query] = document
        return self._documents[query]


async def alive(_: Request) -> Response:
    return PlainTextResponse("ok")


def create_app(answers: dict[str, Any]) -> Starlette:
    reference = Reference(answers)
    return Starlette(routes=[Route("/graphql", reference.serve, methods=["POST"]), Route("/healthz", alive)])


def main(port: int, file: Path) -> None:
    app = create_app(orjson.loads(file.read_bytes()))
    uvicorn.run(app, port=port, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
