"""Every exception that Ductile raises on purpose.

    DuctileError
    ├── ConfigurationError        the files are wrong (exit code 3)
    ├── UsageError                the caller asked wrongly (exit code 2)
    │   └── NotFound              nothing goes by that name or id
    ├── StorageError              the database cannot do what was asked
    │   ├── DatabaseTooNew        written by a later program
    │   ├── DatabaseLocked        another gateway has it open
    │   ├── LeaseLost             the job was given to somebody else
    │   ├── Overloaded            too many jobs wait already
    │   └── Violation             what was to be written breaks a rule of the schema
    │       └── DuplicateJob      this step already has a job for this parent and event
    ├── WorkspaceError            a workspace cannot be made, opened or sealed
    │   ├── SourceUnusable        the workspace that another one is made from is missing
    │   └── Tainted               inherited files were changed in place (in ductile.workspace)
    ├── PluginError               a plugin cannot be started or broke the protocol
    ├── MissingPath               a path leads nowhere (in ductile.expressions)
    └── Refused                   a response breaks a rule of the core; never retried

The first line of a class docstring says what happened; the text of an instance says what
was expected, what was found and what to do.
"""

from __future__ import annotations


class DuctileError(Exception):
    """Something that Ductile knows how to explain."""


class ConfigurationError(DuctileError):
    """The configuration cannot be used."""


class UsageError(DuctileError):
    """The request makes no sense as it was put."""


class NotFound(UsageError):
    """Nothing goes by that name or id."""


class StorageError(DuctileError):
    """The database cannot do what was asked."""


class DatabaseTooNew(StorageError):
    """The database was written by a later version of the program."""


class DatabaseLocked(StorageError):
    """Another gateway has this database open."""


class LeaseLost(StorageError):
    """The job was given to another worker, or is settled already; nothing was written."""


class Overloaded(StorageError):
    """As many jobs wait as are allowed to; nothing was accepted."""


class Violation(StorageError):
    """What was to be written breaks a rule of the schema; to try again is no use."""


class DuplicateJob(Violation):
    """This run, step, parent job and event already have a job."""


class WorkspaceError(DuctileError):
    """A workspace cannot be made, opened, sealed or deleted."""


class SourceUnusable(WorkspaceError):
    """The workspace that another one is made from is missing, or is no directory."""


class PluginError(DuctileError):
    """A plugin cannot be started, or its answer breaks the protocol."""


class Refused(DuctileError):
    """A response breaks a rule of the core; the job fails and is not tried again."""
