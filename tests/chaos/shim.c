/* Stands between a gateway and its C library: counts what passes each named point, and there
 * kills the gateway, or makes the call fail, when the control file says so.
 *
 * Loaded with LD_PRELOAD. The points are numbered by points.h, which shim.py writes from its
 * table. The control file is shared memory, so what is counted outlives a kill, and what is
 * asked for may change while the gateway runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "points.h"

enum { NOTHING, KILL_BEFORE, KILL_AFTER, FAIL };

/* The same fields, in the same order, as in shim.py. */
struct control {
    uint32_t action;
    uint32_t point;
    uint64_t left; /* Passages until it happens. */
    uint32_t error;
    uint32_t fired;
    uint64_t passed[POINTS];
};

static struct control nowhere;
static struct control *control = &nowhere;
static pid_t gateway;

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("CHAOS_CONTROL");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *shared = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (shared != MAP_FAILED) control = shared;
        close(fd);
    }
    gateway = getpid();
    /* Plugins are none of this. */
    unsetenv("LD_PRELOAD");
    unsetenv("CHAOS_CONTROL");
}

static void end_it(void)
{
    control->fired = 1;
    kill(gateway, SIGKILL);
    /* Nothing more may happen here; a child that shares the memory of the gateway goes on. */
    while (getpid() == gateway) pause();
}

/* Whether the action that is asked for happens in this passage. */
static int due(int point, uint32_t action)
{
    if (control->action != action) return 0;
    if (control->point != (uint32_t)point && control->point != POINTS) return 0;
    uint64_t left = __atomic_load_n(&control->left, __ATOMIC_SEQ_CST);
    if (action == FAIL) return left == 0;
    return left && __atomic_sub_fetch(&control->left, 1, __ATOMIC_SEQ_CST) == 0;
}

/* Before the call; 0 if it is to fail. */
static int enter(int point)
{
    if (point < 0) return 1;
    if (due(point, KILL_BEFORE)) end_it();
    if (due(point, FAIL)) {
        __atomic_store_n(&control->fired, 1, __ATOMIC_SEQ_CST);
        errno = (int)control->error;
        return 0;
    }
    return 1;
}

/* After it. */
static void leave(int point)
{
    if (point < 0) return;
    int kept = errno;
    __atomic_add_fetch(&control->passed[point], 1, __ATOMIC_SEQ_CST);
    if (due(point, KILL_AFTER)) end_it();
    errno = kept;
}

#define PASS(type, point, call)                                                                    \
    do {                                                                                           \
        int at = (point);                                                                          \
        if (!enter(at)) return -1;                                                                 \
        type result = (call);                                                                      \
        leave(at);                                                                                 \
        return result;                                                                             \
    } while (0)

static int ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && !strcmp(text + size - tail, end);
}

enum { OTHER, DATABASE, LOG };

static int kind_of(int fd)
{
    char link[64], name[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0) return OTHER;
    name[size] = 0;
    if (ends_with(name, ".db-wal")) return LOG;
    return ends_with(name, ".db") ? DATABASE : OTHER;
}

static int writing(int fd)
{
    int kind = kind_of(fd);
    return kind == LOG ? LOG_WRITE : kind == DATABASE ? DATABASE_WRITE : -1;
}

static int syncing(int fd)
{
    int kind = kind_of(fd);
    return kind == LOG ? LOG_SYNC : kind == DATABASE ? DATABASE_SYNC : -1;
}

/* --- the database ------------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *data, size_t size, off_t at_)
{
    REAL(pwrite);
    PASS(ssize_t, writing(fd), real(fd, data, size, at_));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at_)
{
    REAL(pwrite64);
    PASS(ssize_t, writing(fd), real(fd, data, size, at_));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    PASS(int, syncing(fd), real(fd));
}

int fsync(int fd)
{
    REAL(fsync);
    PASS(int, syncing(fd), real(fd));
}

/* --- workspaces --------------------------------------------------------------------------- */

static int temporary(const char *name) { return !strncmp(name, ".tmp-", 5); }

/* A job's id, with or without the number of an attempt. */
static int job(const char *name)
{
    return strlen(name) >= 36 && name[8] == '-' && name[13] == '-' && name[23] == '-';
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    REAL(mkdirat);
    int point = temporary(name) ? CLONE_BEGIN : job(name) ? WORKSPACE_CREATE : CLONE_DIRECTORY;
    PASS(int, point, real(dir, name, mode));
}

int linkat(int from, const char *old, int to, const char *name, int flags)
{
    REAL(linkat);
    PASS(int, CLONE_LINK, real(from, old, to, name, flags));
}

int symlinkat(const char *text, int dir, const char *name)
{
    REAL(symlinkat);
    PASS(int, CLONE_SYMLINK, real(text, dir, name));
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned f)
{
    REAL(copy_file_range);
    PASS(ssize_t, CLONE_COPY, real(in, in_at, out, out_at, size, f));
}

int renameat(int from, const char *old, int to, const char *name)
{
    REAL(renameat);
    PASS(int, temporary(old) ? CLONE_COMMIT : JANITOR_RENAME, real(from, old, to, name));
}

int fchmod(int fd, mode_t mode)
{
    REAL(fchmod);
    PASS(int, SEAL_MODE, real(fd, mode));
}

int futimens(int fd, const struct timespec times[2])
{
    REAL(futimens);
    PASS(int, SEAL_TIME, real(fd, times));
}

int unlinkat(int dir, const char *name, int flags)
{
    REAL(unlinkat);
    /* A temporary file is what the health check tries to write. */
    int file = temporary(name) ? -1 : JANITOR_UNLINK;
    PASS(int, flags & AT_REMOVEDIR ? JANITOR_RMDIR : file, real(dir, name, flags));
}

/* --- plugins ------------------------------------------------------------------------------ */

int pipe2(int ends[2], int flags)
{
    REAL(pipe2);
    PASS(int, PLUGIN_PIPE, real(ends, flags));
}

int posix_spawn(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    REAL(posix_spawn);
    /* Unlike others, it returns what went wrong. */
    if (!enter(PLUGIN_START)) return (int)control->error;
    int result = real(child, file, actions, attributes, arguments, environment);
    leave(PLUGIN_START);
    return result;
}

/* The C library has no pidfd_open that Python uses; it asks the kernel directly. */
long syscall(long number, ...)
{
    REAL(syscall);
    va_list given;
    va_start(given, number);
    long a = va_arg(given, long), b = va_arg(given, long), c = va_arg(given, long);
    long d = va_arg(given, long), e = va_arg(given, long), f = va_arg(given, long);
    va_end(given);
    PASS(long, number == SYS_pidfd_open ? PLUGIN_WATCH : -1, real(number, a, b, c, d, e, f));
}

static int pipe_of_a_plugin(int fd)
{
    struct stat found;
    return fd > 2 && !fstat(fd, &found) && S_ISFIFO(found.st_mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    PASS(ssize_t, pipe_of_a_plugin(fd) ? PLUGIN_FEED : -1, real(fd, data, size));
}

ssize_t read(int fd, void *data, size_t size)
{
    REAL(read);
    PASS(ssize_t, pipe_of_a_plugin(fd) ? PLUGIN_READ : -1, real(fd, data, size));
}

int killpg(pid_t group, int number)
{
    REAL(killpg);
    PASS(int, number == SIGKILL ? PLUGIN_KILL : -1, real(group, number));
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    REAL(waitpid);
    PASS(pid_t, PLUGIN_REAP, real(pid, status, options));
}

/* --- the network -------------------------------------------------------------------------- */

static int network(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size)) return 0;
    return domain == AF_INET || domain == AF_INET6;
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
    REAL(accept4);
    PASS(int, HTTP_ACCEPT, real(fd, address, size, flags));
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    REAL(recv);
    PASS(ssize_t, network(fd) ? HTTP_RECEIVE : -1, real(fd, data, size, flags));
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    REAL(send);
    PASS(ssize_t, network(fd) ? HTTP_ANSWER : -1, real(fd, data, size, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    PASS(ssize_t, network(fd) ? HTTP_ANSWER : -1, real(fd, message, flags));
}
