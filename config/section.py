"""One part of the settings: frozen, knows its keys, and tells all that is wrong with it at once."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self, cast

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

_OURS = "watersmeet"


class Conflict(NamedTuple):
    """Keys that are right by themselves and wrong together; `at` leads from the section to the one to mend."""

    at: tuple[str | int, ...]
    reason: str
    example: str = ""


class Section(BaseModel):
    """A part of the settings. Inputs never appear in its errors: any of them may be a secret in the wrong place."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """What is wrong between the keys as they were given, before any of them is judged by itself."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _tell_all_at_once(cls, given: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        found = list(map(_detail, cls.conflicts(cast(Mapping[str, object], given)))) if _is_mapping(given) else []
        try:
            section = handler(given)
        except ValidationError as error:
            raise _together(cls, [*_again(error), *found]) from error
        if found:
            raise _together(cls, found)
        return section


def wrong(reason: str, example: str = "") -> PydanticCustomError:
    """The error of one key by itself, for validators to raise; `example` replaces the field's own one."""
    return PydanticCustomError(_OURS, "{reason}", {"reason": reason, "example": example})


def told(given: Mapping[str, object], *keys: str) -> list[str]:
    """Which of the keys hold something; a key set to null says nothing."""
    return [key for key in keys if given.get(key) not in (None, "", (), [])]


def _is_mapping(given: object) -> bool:
    return isinstance(given, Mapping)


def _detail(conflict: Conflict) -> InitErrorDetails:
    return InitErrorDetails(type=wrong(conflict.reason, conflict.example), loc=conflict.at, input=None)


def _again(error: ValidationError) -> list[InitErrorDetails]:
    return [
        InitErrorDetails(
            type=PydanticCustomError(
                found["type"],  # pyright: ignore[reportArgumentType]  # LiteralString asked, the type of a real error given
                "{reason}",
                {"reason": found["msg"], "example": found.get("ctx", {}).get("example", "")},
            ),
            loc=found["loc"],
            input=None,
        )
        for found in error.errors(include_url=False, include_input=False)
    ]


def _together(section: type[Section], details: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data(section.__name__, details, hide_input=True)
