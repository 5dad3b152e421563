"""`UserError` and `UnusableError`: errors told in one sentence."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: one sentence that names the file or key and says what to do.

    It is printed without a traceback, and the program exits with status 1.
    """


class UnusableError(Exception):
    """Why a file gives no phrases: one plain reason for `rejects.csv`."""
