/* The control: starts one program again and again, as cheaply as this machine can.
 *
 * usage: control PARALLEL COUNT DIRECTORY REQUEST PROGRAM
 *
 * PARALLEL threads start PROGRAM COUNT times altogether, each time with vfork, in a session of its
 * own, in DIRECTORY, with the bytes of the file REQUEST on stdin, and read its stdout and stderr to
 * their end. Prints the seconds that all of it took. Nothing is checked, stored or decided: no
 * gateway that runs the same program at the same parallelism can be faster.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *directory, *program;
static char request[1 << 16];
static size_t request_size;
static atomic_long left;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void drain(int fd) {
    char chunk[1 << 16];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
    }
    if (got < 0) fail("read");
    close(fd);
}

static void start_one(void) {
    int in[2], out[2], err[2], status;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) fail("pipe2");
    char *const arguments[] = {(char *)program, NULL};
    char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        if (setsid() < 0 || chdir(directory) || dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 ||
            dup2(err[1], 2) < 0)
            _exit(126);
        execve(program, arguments, environment);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (write(in[1], request, request_size) < 0 && errno != EPIPE) fail("write");
    close(in[1]);
    drain(out[0]);
    drain(err[0]);
    if (waitpid(child, &status, 0) < 0) fail("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "control: %s ended with status %d\n", program, status);
        exit(1);
    }
}

static void *work(void *unused) {
    while (atomic_fetch_sub(&left, 1) > 0) start_one();
    return unused;
}

static double now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec + moment.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count != 6) {
        fprintf(stderr, "usage: control PARALLEL COUNT DIRECTORY REQUEST PROGRAM\n");
        return 2;
    }
    long parallel = atol(words[1]);
    left = atol(words[2]);
    directory = words[3];
    program = words[5];
    signal(SIGPIPE, SIG_IGN);
    int file = open(words[4], O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, request, sizeof request);
    if (size < 0) fail(words[4]);
    request_size = (size_t)size;
    pthread_t threads[64];
    if (parallel < 1 || parallel > 64) {
        fprintf(stderr, "control: expected PARALLEL from 1 to 64, found %s\n", words[1]);
        return 2;
    }
    double begun = now();
    for (long n = 0; n < parallel; n++)
        if (pthread_create(&threads[n], NULL, work, NULL)) fail("pthread_create");
    for (long n = 0; n < parallel; n++) pthread_join(threads[n], NULL);
    printf("%.6f\n", now() - begun);
    return 0;
}
