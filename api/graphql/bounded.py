"""How an answer is put together: object by object, and no further than its size and its time allow."""

from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Bounded(StrawberryGraphQLCoreExecutionContext):
    """Counts every object of an answer with its request's context."""

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:
        """The fields of one object. Raises `LimitExceeded`."""
        self.context_value.count()
        return super().execute_fields(*args, **kwargs)

    def execute_fields_serially(self, *args: Any, **kwargs: Any) -> Any:
        """The fields of a mutation, in their order. Raises `LimitExceeded`."""
        self.context_value.count()
        return super().execute_fields_serially(*args, **kwargs)
