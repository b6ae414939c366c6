"""How a server writes its log: one JSON object a line, on stderr, with the request's id and without secrets."""

import logging
import sys

import structlog


def log_as_json() -> None:
    """Make every log line of ours and of the libraries a JSON object on stderr."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A trace without its locals: they may hold a question, an event or a secret.
    trace = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    structlog.configure(
        processors=[*shared, trace, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_stderr,
        cache_logger_on_first_use=False,  # what was stderr when a module was first used may be closed by now
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                trace,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def _stderr(*_: object) -> structlog.PrintLogger:
    """Whatever stderr is at present."""
    return structlog.PrintLogger(sys.stderr)
