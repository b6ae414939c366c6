"""Why an event can never be taken as it is."""

from ..errors import BadInput


class Refused(BadInput):
    """An event that can never be right: what is wrong, where in it, and the HTTP status that says so."""

    remedy = "correct the event at its producer and send it again"

    def __init__(self, reason: str, path: str = "$", status: int = 422) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.status = status
