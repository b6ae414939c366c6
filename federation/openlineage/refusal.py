"""Why an event can't be taken."""


class Refused(Exception):
    """An event that can never be right: `reason`, the JSON `path` that is wrong, and the HTTP `status` that says so."""

    def __init__(self, reason: str, path: str = "$", status: int = 422) -> None:
        super().__init__(f"{reason} at {path}")
        self.reason = reason
        self.path = path
        self.status = status
