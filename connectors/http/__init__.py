"""The one way to a platform over HTTP: who we are there, how patient we are, what of an answer is believed."""

from .address import path
from .answer import Answer
from .auth import Anonymous, Auth, Basic, Token
from .client import Http
from .paging import Ask, by_offset, by_token
from .patience import Limits
from .trouble import Absent, Denied, Failing, Redirected, Rejected, TooMuch

__all__ = [
    "Absent",
    "Anonymous",
    "Answer",
    "Ask",
    "Auth",
    "Basic",
    "Denied",
    "Failing",
    "Http",
    "Limits",
    "Redirected",
    "Rejected",
    "Token",
    "TooMuch",
    "by_offset",
    "by_token",
    "path",
]
