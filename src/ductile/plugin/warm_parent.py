"""What a warm parent runs: imports once, then forks one process for every job."""

# Executed by the plugin's own interpreter, not the gateway's, so it needs nothing but Python 3.8,
# and few modules: whatever it imports is there for the plugin too.

from __future__ import annotations

import _io
import _socket
import atexit
import builtins
import gc
import os
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import NoReturn

# What both sides say, one message each. `warm.py` says the same; this file cannot import it.
FORK = b"F"
REAP = b"R"
DONE = b"+"
STALE = b"~"
REFUSED = b"!"

#: stdin, stdout, stderr and the working directory of a job.
_DESCRIPTORS = 4
_MESSAGE_BYTES = 4096
#: The module `signal` would be there for the plugin too.
_SIGKILL = 9
_MARK = b"DUCTILE_JOB_ID="


class _Mark:
    """The place in this process's memory that /proc shows as its environment.

    A forked process has the environment of its parent there, whatever `os.environ` says. So the
    id of the job is written into the parent before the fork, and taken back after it: there is
    no moment in which the new process cannot be found by it.
    """

    def __init__(self) -> None:
        self._none = _MARK + os.environ["DUCTILE_JOB_ID"].encode()
        self._memory = os.open("/proc/self/mem", os.O_RDWR)
        with open("/proc/self/stat", "rb") as file:
            # The name in parentheses may hold anything: field 3 follows the last one.
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[47]), int(fields[48])
        found = (b"\0" + os.pread(self._memory, end - start, start)).find(b"\0" + self._none)
        if found < 0:
            raise OSError("its environment cannot be found in /proc/self/mem")
        self._place = start + found
        self.put(self._none[len(_MARK) :])

    def put(self, job_id: bytes) -> None:
        os.pwrite(self._memory, _MARK + job_id, self._place)

    def clear(self) -> None:
        os.pwrite(self._memory, self._none, self._place)

    def close(self) -> None:
        os.close(self._memory)


class _Code:
    """The entrypoint, compiled when it has changed and not before."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: object = None
        self._code: CodeType | None = None

    def current(self) -> CodeType | None:
        """The code object; None if compiling it says anything, which is for the job to say."""
        seen = _identity(self._path)
        if seen != self._seen:
            self._code = self._compiled()
            self._seen = seen
        return self._code

    def _compiled(self) -> CodeType | None:
        try:
            with open(self._path, "rb") as file:
                source = file.read()
            # Bytes in another encoding are no error to `compile` where they are in a comment.
            source.decode()
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                code: CodeType = compile(source, self._path, "exec", dont_inherit=True)
        except Exception:
            return None
        return code


def _identity(path: str) -> object:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_ino, stat.st_dev, stat.st_size, stat.st_mtime_ns)


def _files() -> dict[str, object]:
    """What was imported, as it is on disk: all but the standard library, which goes as one."""
    library = os.path.dirname(os.__file__) + os.sep
    others = (library + "site-packages" + os.sep, library + "dist-packages" + os.sep)
    paths = {os.__file__, sys.executable}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or path == __file__:
            continue
        if not path.startswith(library) or path.startswith(others):
            paths.add(path)
    return {path: _identity(path) for path in paths}


class _Parent:
    """Answers one message after the other, until there are no more."""

    def __init__(self, control: _socket.socket, entrypoint: str) -> None:
        self._control = control
        self._mark = _Mark()
        self._code = _Code(entrypoint)
        self._files = _files()
        self._children: set[int] = set()

    def serve(self) -> CodeType | None:
        """Returns in the processes that were forked, with the code that they are to run."""
        while True:
            message, ancillary, _, _ = self._control.recvmsg(
                _MESSAGE_BYTES, _socket.CMSG_SPACE(4 * _DESCRIPTORS)
            )
            if message[:1] == FORK:
                descriptors = _descriptors(ancillary)
                changed = self._changed()
                if changed is not None:
                    self._control.send(STALE + changed.encode())
                elif self._fork(message[1:], descriptors):
                    return self._code.current()
                for each in descriptors:
                    os.close(each)
            elif message[:1] == REAP:
                pid = int(message[1:])
                self._children.discard(pid)
                self._control.send(DONE + str(os.waitpid(pid, 0)[1]).encode())
            else:
                self._end()

    def _fork(self, job_id: bytes, descriptors: list[int]) -> bool:
        """Whether this is the new process."""
        self._code.current()
        self._mark.put(job_id)
        try:
            pid = os.fork()
        except OSError as error:
            self._mark.clear()
            self._control.send(REFUSED + str(error.strerror).encode())
            return False
        if pid == 0:
            self._become(job_id, descriptors)
            return True
        self._mark.clear()
        self._children.add(pid)
        self._control.send(DONE + str(pid).encode())
        return False

    def _become(self, job_id: bytes, descriptors: list[int]) -> None:
        os.setsid()
        self._control.close()
        self._mark.close()
        os.fchdir(descriptors[3])
        for stream in (0, 1, 2):
            os.dup2(descriptors[stream], stream)
        for each in descriptors:
            os.close(each)
        os.environ["DUCTILE_JOB_ID"] = job_id.decode()

    def _changed(self) -> str | None:
        for path, identity in self._files.items():
            if _identity(path) != identity:
                return os.path.basename(path)
        return None

    def _end(self) -> None:
        """The gateway is gone, or wants no more: nothing that was forked outlives this."""
        for pid in self._children:
            _kill(pid)
        for pid in self._children:
            os.waitpid(pid, 0)
        os._exit(0)


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, _SIGKILL)
    except OSError:
        # Just forked: it does not lead its group yet. It is not reaped, so it is there.
        os.kill(pid, _SIGKILL)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = []
    for _, _, data in ancillary:
        for start in range(0, len(data) - len(data) % 4, 4):
            found.append(int.from_bytes(data[start : start + 4], sys.byteorder))
    return found


def _prepare(entrypoint: str, modules: list[str]) -> None:
    """Look like an interpreter that runs the entrypoint, then import the modules."""
    # The streams stay objects on pipes, as a plugin's are; what an import prints goes nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    if hasattr(sys, "orig_argv"):
        own = sys.orig_argv.index(__file__)
        sys.orig_argv[own:] = [entrypoint]
    sys.argv = [entrypoint]
    if not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(entrypoint)
    for name in modules:
        try:
            __import__(name)
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            raise ImportError(f"cannot import {name}: {reason}") from None
    if len(os.listdir("/proc/self/task")) > 1:
        raise ImportError("what it imports beforehand starts a thread, which no fork takes along")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    gc.collect()
    gc.freeze()


def _start() -> CodeType | None:
    descriptor, entrypoint, modules = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    os.set_inheritable(descriptor, False)
    control = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, descriptor)
    try:
        _prepare(entrypoint, modules)
        parent = _Parent(control, entrypoint)
    except Exception as error:
        control.send(REFUSED + str(error).encode("utf-8", "replace")[: _MESSAGE_BYTES - 1])
        os._exit(1)
    control.send(DONE)
    return parent.serve()


def _execute(entrypoint: str) -> NoReturn:
    """Become the entrypoint as if nothing had been forked."""
    import signal

    # Python ignores these, and what is ignored stays so across an exec.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execv(entrypoint, [entrypoint])


def _fresh_main(entrypoint: str) -> dict[str, object]:
    main = type(sys)("__main__")
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", entrypoint)
    main.__dict__.update(
        __builtins__=builtins, __file__=entrypoint, __cached__=None, __loader__=loader
    )
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={})
    sys.modules["__main__"] = main
    return main.__dict__


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The hook for exceptions that was there, with tracebacks that begin in the entrypoint."""
    sys.excepthook = _hook
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    _hook(kind, error.with_traceback(trace), trace)


class _Leaving:
    """The end of a process like the interpreter's, without taking apart what the parent imported.

    That would copy nearly all memory that both still share, and cost more than all else. Done is
    what others may see: threads are waited for, exit handlers called, objects of the job
    released, files written out.
    """

    def __init__(self) -> None:
        self._imported = set(sys.modules) - {"__main__"}

    def leave(self, status: int) -> None:
        """Returns where the interpreter itself has to do it, or has to say what goes wrong."""
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        if len(os.listdir("/proc/self/task")) > 1:
            # It stops threads that are still at work before it releases anything.
            return
        try:
            atexit._run_exitfuncs()
            # Before as well: a file in a circle of garbage may be closed before it is flushed.
            self._write_out()
            for name in set(sys.modules) - self._imported:
                del sys.modules[name]
            gc.collect()
            self._write_out()
        except Exception:
            return
        os._exit(status & 0xFF)

    def _write_out(self) -> None:
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            if stream is None:
                raise ValueError
            stream.flush()
        # All that the job made; what was there before is frozen, and not listed.
        for each in gc.get_objects():
            if issubclass(type(each), _io._IOBase) and not each.closed:
                each.flush()


def _run(code: CodeType, entrypoint: str) -> None:
    leaving = _Leaving()
    try:
        exec(code, _fresh_main(entrypoint))
        status = 0
    except SystemExit as end:
        # Anything but a small number has to be shown, or is an error.
        if end.code is not None and not (type(end.code) is int and abs(end.code) < 1 << 31):
            raise
        status = end.code or 0
    leaving.leave(status)
    raise SystemExit(status)


if __name__ == "__main__":
    _code = _start()
    if _code is None:
        _execute(sys.argv[0])
    try:
        _run(_code, sys.argv[0])
    except SystemExit:
        raise
    except BaseException:
        # Raised again, so that the interpreter ends as it always does after an exception.
        _hook, sys.excepthook = sys.excepthook, _show
        raise
