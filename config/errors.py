"""The root of the error tree, and the one error that configuration itself can raise.

WatersmeetError
├── Misconfigured          a key, a file or a setting is wrong: the message names it, the place looked and an example
├── SourceUnavailable      again later (federation.errors)
├── SourceRefused          a credential or a grant is missing
├── SourceChanged          the platform answers in a way our mapping does not know
├── StoreUnavailable       the store cannot be opened, read or written now
├── OutOfTime              whoever asked waits no longer
├── NotFound               nothing by that name
├── Ambiguous              more than one thing by that name
├── BadInput               an argument that can never be right (`Unfit`: a value that no store can hold)
├── Forbidden              the caller's role is not enough
└── AlreadyRunning         somebody else holds the lock
"""


class WatersmeetError(Exception):
    """Anything that Watersmeet itself reports; the message says what, where and what to do."""


class Misconfigured(WatersmeetError):
    """A wrong key, file or setting."""
