/* A disk that fails: preloaded, it lets the n-th write, sync, cut or renaming below a folder fail, once or from then on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_long steps, fail_from, fail_until;
static int failure, cut_short;

/* Fail steps begin to end (both within, counted from 1) below a folder; a write may do half of its work first. */
void disk_fails(const char *below, long begin, long end, int error, int half)
{
    strncpy(folder, below, sizeof folder - 1);
    failure = error;
    cut_short = half;
    fail_from = begin;
    fail_until = end;
    steps = 0;
}

/* Say how many steps there were since the last call of disk_fails. */
long disk_steps(void) { return steps; }

static int path_matters(const char *path) { return folder[0] && !strncmp(path, folder, strlen(folder)); }

static int file_matters(int descriptor)
{
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    /* The shared memory of a database is no file that must last. */
    return path_matters(path) && !(length > 4 && !strcmp(path + length - 4, "-shm"));
}

static int step_fails(void)
{
    long step = ++steps;
    return step >= fail_from && step <= fail_until;
}

static int refuse(void) { errno = failure; return -1; }

#define REAL(name, type, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int file, const void *data, size_t size)
{
    REAL("write", ssize_t, int, const void *, size_t);
    if (file_matters(file) && step_fails()) return cut_short && size > 1 ? real(file, data, size / 2) : refuse();
    return real(file, data, size);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int file, const void *data, size_t size, offset_type place) \
    { \
        REAL(#name, ssize_t, int, const void *, size_t, offset_type); \
        if (file_matters(file) && step_fails()) \
            return cut_short && size > 1 ? real(file, data, size / 2, place) : refuse(); \
        return real(file, data, size, place); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FILE(name) \
    int name(int file) \
    { \
        REAL(#name, int, int); \
        return file_matters(file) && step_fails() ? refuse() : real(file); \
    }
ON_FILE(fsync)
ON_FILE(fdatasync)

#define CUT(name, offset_type) \
    int name(int file, offset_type size) \
    { \
        REAL(#name, int, int, offset_type); \
        return file_matters(file) && step_fails() ? refuse() : real(file, size); \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

int rename(const char *from, const char *to)
{
    REAL("rename", int, const char *, const char *);
    return path_matters(from) && step_fails() ? refuse() : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int, const char *, mode_t);
    return path_matters(path) && step_fails() ? refuse() : real(path, mode);
}

/* A cut-short write is one that a caller repeats: the repetition must fail, too, so the window is two steps wide. */
