"""Structured logs: one JSON object a line, on standard error. Secrets print as stars wherever they turn up.

What libraries log goes the same way, from warnings upwards."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

import httpx2
import orjson
import structlog
from pydantic import SecretStr
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from connectors.base import Secret

NAME = "vendgraph"
SECRETS = (Secret, SecretStr, httpx2.Headers)
AS_TEXT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_NON_STR_KEYS
SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(level: int = logging.INFO, *, expected: tuple[type[BaseException], ...] = ()) -> None:
    """`expected`: exceptions that are no news."""
    logger = logging.getLogger(NAME)
    structlog.configure(
        processors=[*SHARED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: logger,
        cache_logger_on_first_use=True,
    )
    logger.setLevel(level)
    _take_over(logging.getLogger(), max(level, logging.WARNING), expected)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a line that cannot be written is lost, and nothing else is


def _take_over(root: logging.Logger, level: int, expected: tuple[type[BaseException], ...]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], expected)))
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=serialized),
            ],
        )
    )
    root.handlers[:] = [handler]
    root.setLevel(level)


def serialized(event: Any, **_: Any) -> str:
    """By orjson, or, where it will not have a text with half a surrogate pair or a long number, by the slower way."""
    try:
        return orjson.dumps(event, default=_plain, option=AS_TEXT).decode()
    except TypeError:
        return json.dumps(event, default=_plain, skipkeys=True)


def _plain(value: Any) -> str:
    return "***" if isinstance(value, SECRETS) else repr(value)
