"""Structured logs: one JSON object a line, on standard error. Secrets print as stars wherever they turn up."""

import logging
import sys
from typing import Any

import orjson
import structlog
from pydantic import SecretStr

from connectors.base import Secret

SILENT = logging.CRITICAL


def configure(level: int = logging.INFO) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_serialize),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _serialize(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=_plain).decode()


def _plain(value: Any) -> str:
    return "***" if isinstance(value, Secret | SecretStr) else repr(value)
