"""Asks at each mutation and subscription whether the caller may, and writes down what is changed."""

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from graphql import GraphQLSchema

from ...config.address import masked
from ...federation.errors import Forbidden, WatersmeetError
from ..access import Caller, check
from .context import Context
from .errors import code_of

Resolve = Callable[..., Any]


def guard_doors(schema: GraphQLSchema) -> None:
    """Put a guard before each field by which something is changed or watched; questions are guarded at `/graphql`."""
    if schema.mutation_type is not None:
        for name, field in schema.mutation_type.fields.items():
            field.resolve = _changing(f"Mutation.{name}", _given(field.resolve))
    if schema.subscription_type is not None:
        for name, field in schema.subscription_type.fields.items():
            field.subscribe = _watching(f"Subscription.{name}", _given(field.subscribe))


def _given(resolve: Resolve | None) -> Resolve:
    assert resolve is not None, "strawberry gives each of these fields a resolver"
    return resolve


def _changing(door: str, resolve: Resolve) -> Resolve:
    async def guarded(root: Any, info: Any, **arguments: Any) -> Any:
        context: Context = info.context
        caller = await _admitted(context, door)
        await _record(context, caller, "mutation", {"field": door, "arguments": masked(_plain(arguments))})
        try:
            answer = resolve(root, info, **arguments)
            return await answer if isawaitable(answer) else answer
        except Exception as error:
            code = code_of(error) if isinstance(error, WatersmeetError) else "INTERNAL"
            await _record(context, caller, "mutation.failed", {"field": door, "code": code})
            raise

    return guarded


def _watching(door: str, subscribe: Resolve) -> Resolve:
    async def guarded(root: Any, info: Any, **arguments: Any) -> Any:
        await _admitted(info.context, door)
        watched = subscribe(root, info, **arguments)
        return await watched if isawaitable(watched) else watched

    return guarded


async def _admitted(context: Context, door: str) -> Caller:
    """The caller, who may. Raises `Forbidden`."""
    caller = context.caller
    try:
        check(caller.role, door)
    except Forbidden as error:
        await context.access.forbid(caller, error, door)
        raise
    return caller


async def _record(context: Context, caller: Caller, what: str, detail: dict[str, Any]) -> None:
    """Before anything is changed: what cannot be written down is not done. Raises `StoreUnavailable`."""
    audit = context.services.store.audit
    await context.call(audit.record, what, by=caller.name, address=caller.address, detail=detail)


def _plain(value: Any) -> Any:
    """Arguments as JSON knows them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return value if isinstance(value, str | int | float | bool | None) else str(value)
