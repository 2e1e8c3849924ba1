/* Stands between a process and the C library, and counts, records, fails or kills at single calls that change files below one folder.
 *
 * Loaded by LD_PRELOAD and steered from Python through the functions at the end. A call that the C library makes inside of itself is
 * not seen; the recorder's self-check (`powercut.py`) would notice a write that was missed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, NAME = 4, CREATE = 8 };                  /* classes of calls */
enum { OFF, COUNT, KILL, FAIL_ONCE, FAIL_ON };                        /* what happens at the chosen call */
enum { OP_CREATE = 1, OP_WRITE, OP_TRUNCATE, OP_MKDIR, OP_RENAME, OP_LINK, OP_UNLINK, OP_RMDIR, OP_SYNC, OP_SYNC_FAILED, OP_NOTE };

static char root[PATH_MAX];
static size_t root_size;
static int mode, classes, error_number, log_file = -1, torn;
static long chosen, seen;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static int inside(const char *path) {
    return mode && !strncmp(path, root, root_size) && (path[root_size] == '/' || !path[root_size]);
}

static int path_of(int fd, char *path) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size < 0 ? 0 : size] = 0;
    return size > 0 && inside(path);
}

static int path_at(int folder, const char *name, char *path) {
    if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
    else {
        char base[PATH_MAX];
        if (folder == AT_FDCWD) { if (!getcwd(base, sizeof base)) base[0] = 0; }
        else path_of(folder, base);
        if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return 0;
    }
    return inside(path);
}

/* Counts one call. Gives 0 to let it happen, -1 to fail it; does not come back when the process is to die here. */
static int point(int class) {
    if (!(class & classes)) return 0;
    long now = ++seen;
    if (mode == KILL && now == chosen) { kill(getpid(), SIGKILL); pause(); }
    if ((mode == FAIL_ONCE && now == chosen) || (mode == FAIL_ON && now >= chosen)) { errno = error_number; return -1; }
    return 0;
}

/* How much of a write happens before the chosen call fails or kills: all of it unless `torn`. */
static size_t allowed(size_t size) {
    return torn && size > 1 && (mode == KILL || mode == FAIL_ON || mode == FAIL_ONCE) && (WRITE & classes) && seen + 1 == chosen ? size / 2 : size;
}

static void record(long op, long inode, long offset, const char *first, const char *second, const void *data, size_t size) {
    if (log_file < 0) return;
    long head[6] = {op, inode, offset, first ? strlen(first) : 0, second ? strlen(second) : 0, (long)size};
    struct iovec parts[4] = {{head, sizeof head}, {(void *)first, head[3]}, {(void *)second, head[4]}, {(void *)data, size}};
    if (syscall(SYS_writev, log_file, parts, 4) != (long)(sizeof head + head[3] + head[4] + size)) abort();
}

static long inode_of(int fd) { struct stat found; return fstat(fd, &found) ? 0 : (long)found.st_ino; }
static long inode_at(const char *path) { struct stat found; return lstat(path, &found) ? 0 : (long)found.st_ino; }

#define ENTER(condition) \
    if (!mode) goto plain; \
    pthread_mutex_lock(&lock); \
    if (!(condition)) { pthread_mutex_unlock(&lock); goto plain; }
#define LEAVE(value) do { __typeof__(value) result_ = (value); int kept_ = errno; pthread_mutex_unlock(&lock); errno = kept_; return result_; } while (0)

/* -- opening */

static int opened(int (*real)(int, const char *, int, ...), int folder, const char *name, int flags, mode_t access) {
    char path[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE) goto plain;
    ENTER(path_at(folder, name, path));
    long before = inode_at(path);
    if (before && (flags & O_EXCL)) { errno = EEXIST; LEAVE(-1); }
    if (!before && point(CREATE)) LEAVE(-1);
    int fd = real(folder, name, flags, access);
    if (fd >= 0 && !before) record(OP_CREATE, inode_of(fd), 0, path, 0, 0, 0);
    if (fd >= 0 && before && (flags & O_TRUNC)) record(OP_TRUNCATE, before, 0, 0, 0, 0, 0);
    LEAVE(fd);
plain:
    return real(folder, name, flags, access);
}

#define OPEN_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        static int (*real)(int, const char *, int, ...); \
        if (!real) real = dlsym(RTLD_NEXT, "openat64"); \
        va_list rest; va_start(rest, flags); mode_t access = va_arg(rest, mode_t); va_end(rest); \
        return opened(real, folder, path, flags, access); \
    }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        static int (*real)(int, const char *, int, ...); \
        if (!real) real = dlsym(RTLD_NEXT, "openat64"); \
        va_list rest; va_start(rest, flags); mode_t access = va_arg(rest, mode_t); va_end(rest); \
        return opened(real, AT_FDCWD, path, flags, access); \
    }
OPEN(open) OPEN(open64) OPEN_AT(openat) OPEN_AT(openat64)

/* -- content */

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    char path[PATH_MAX];
    ENTER(fd != log_file && path_of(fd, path));
    if (point(WRITE)) LEAVE((ssize_t)-1);
    ssize_t done = real(fd, data, allowed(size));
    if (done > 0) record(OP_WRITE, inode_of(fd), lseek(fd, 0, SEEK_CUR) - done, 0, 0, data, done);
    LEAVE(done);
plain:
    return real(fd, data, size);
}

#define PWRITE(name) \
    ssize_t name(int fd, const void *data, size_t size, off_t offset) { \
        REAL(ssize_t, pwrite64, int, const void *, size_t, off_t); \
        char path[PATH_MAX]; \
        ENTER(path_of(fd, path)); \
        if (point(WRITE)) LEAVE((ssize_t)-1); \
        ssize_t done = real(fd, data, allowed(size), offset); \
        if (done > 0) record(OP_WRITE, inode_of(fd), offset, 0, 0, data, done); \
        LEAVE(done); \
    plain: \
        return real(fd, data, size, offset); \
    }
PWRITE(pwrite) PWRITE(pwrite64)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    char path[PATH_MAX];
    ENTER(count > 0 && path_of(fd, path));
    pthread_mutex_unlock(&lock);
    return write(fd, parts[0].iov_base, parts[0].iov_len); /* a short write, which callers expect */
plain:
    return real(fd, parts, count);
}

#define TRUNCATE(name) \
    int name(int fd, off_t size) { \
        REAL(int, ftruncate64, int, off_t); \
        char path[PATH_MAX]; \
        ENTER(path_of(fd, path)); \
        if (point(WRITE)) LEAVE(-1); \
        int failed = real(fd, size); \
        if (!failed) record(OP_TRUNCATE, inode_of(fd), size, 0, 0, 0, 0); \
        LEAVE(failed); \
    plain: \
        return real(fd, size); \
    }
TRUNCATE(ftruncate) TRUNCATE(ftruncate64)

#define ALLOCATE(name) \
    int name(int fd, off_t offset, off_t size) { \
        REAL(int, posix_fallocate64, int, off_t, off_t); \
        char path[PATH_MAX]; \
        ENTER(path_of(fd, path)); \
        if (point(WRITE)) { pthread_mutex_unlock(&lock); return error_number; } \
        int failed = real(fd, offset, size); \
        struct stat found; \
        if (!failed && !fstat(fd, &found)) record(OP_TRUNCATE, found.st_ino, found.st_size, 0, 0, 0, 0); \
        LEAVE(failed); \
    plain: \
        return real(fd, offset, size); \
    }
ALLOCATE(posix_fallocate) ALLOCATE(posix_fallocate64)

/* Copies inside of the system fall back to reading and writing, which is seen. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    char path[PATH_MAX];
    if (path_of(out, path)) { errno = ENOSYS; return -1; }
    return real(in, from, out, to, size, flags);
}
#define SENDFILE(name) \
    ssize_t name(int out, int in, off_t *from, size_t size) { \
        REAL(ssize_t, sendfile64, int, int, off_t *, size_t); \
        char path[PATH_MAX]; \
        if (path_of(out, path)) { errno = EINVAL; return -1; } \
        return real(out, in, from, size); \
    }
SENDFILE(sendfile) SENDFILE(sendfile64)

#define SYNCING(name) \
    int name(int fd) { \
        REAL(int, name, int); \
        char path[PATH_MAX]; \
        ENTER(path_of(fd, path)); \
        if (point(SYNC)) { record(OP_SYNC_FAILED, inode_of(fd), 0, 0, 0, 0, 0); errno = error_number; LEAVE(-1); } \
        record(OP_SYNC, inode_of(fd), 0, 0, 0, 0, 0); \
        LEAVE(0); /* the page cache is the test's disk: nothing here is cut from the power for real */ \
    plain: \
        return real(fd); \
    }
SYNCING(fsync) SYNCING(fdatasync)

/* A stream of the C library writes by a call inside of it. So one that is made of a file below the folder gets functions of ours. */
static ssize_t stream_read(void *fd, char *data, size_t size) { return read((int)(long)fd, data, size); }
static ssize_t stream_write(void *fd, const char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t now = write((int)(long)fd, data + done, size - done);
        if (now < 0) return done ? (ssize_t)done : 0; /* 0 says that it failed, with errno */
        done += now;
    }
    return (ssize_t)done;
}
static int stream_seek(void *fd, off64_t *offset, int whence) {
    off64_t now = lseek64((int)(long)fd, *offset, whence);
    if (now < 0) return -1;
    *offset = now;
    return 0;
}
static int stream_close(void *fd) { return close((int)(long)fd); }

FILE *fdopen(int fd, const char *how) {
    REAL(FILE *, fdopen, int, const char *);
    char path[PATH_MAX];
    if (!strpbrk(how, "wa+") || !path_of(fd, path)) return real(fd, how);
    cookie_io_functions_t functions = {stream_read, stream_write, stream_seek, stream_close};
    return fopencookie((void *)(long)fd, how, functions);
}

/* -- names */

static int renamed(int from, const char *old, int to, const char *new, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    char source[PATH_MAX], target[PATH_MAX];
    ENTER(path_at(from, old, source) & path_at(to, new, target));
    if (point(NAME)) LEAVE(-1);
    int failed = real(from, old, to, new, flags);
    if (!failed) record(OP_RENAME, 0, 0, source, target, 0, 0);
    LEAVE(failed);
plain:
    return real(from, old, to, new, flags);
}
int rename(const char *old, const char *new) { return renamed(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return renamed(from, old, to, new, 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) { return renamed(from, old, to, new, flags); }

int linkat(int from, const char *old, int to, const char *new, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    char source[PATH_MAX], target[PATH_MAX];
    ENTER(path_at(from, old, source) & path_at(to, new, target));
    if (point(NAME)) LEAVE(-1);
    int failed = real(from, old, to, new, flags);
    if (!failed) record(OP_LINK, 0, 0, source, target, 0, 0);
    LEAVE(failed);
plain:
    return real(from, old, to, new, flags);
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int folder, const char *name, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    char path[PATH_MAX];
    ENTER(path_at(folder, name, path));
    if (point(NAME)) LEAVE(-1);
    int failed = real(folder, name, flags);
    if (!failed) record(flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK, 0, 0, path, 0, 0, 0);
    LEAVE(failed);
plain:
    return real(folder, name, flags);
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t access) {
    REAL(int, mkdirat, int, const char *, mode_t);
    char path[PATH_MAX];
    ENTER(path_at(folder, name, path));
    if (!inode_at(path) && point(CREATE)) LEAVE(-1);
    int failed = real(folder, name, access);
    if (!failed) record(OP_MKDIR, inode_at(path), 0, path, 0, 0, 0);
    LEAVE(failed);
plain:
    return real(folder, name, access);
}
int mkdir(const char *name, mode_t access) { return mkdirat(AT_FDCWD, name, access); }

/* -- how Python steers this */

void torture_arm(const char *folder, int what, long at, int which, int number, int tear, const char *log) {
    pthread_mutex_lock(&lock);
    root_size = (size_t)snprintf(root, sizeof root, "%s", folder);
    seen = 0, chosen = at, classes = which, error_number = number, torn = tear;
    mode = OFF;
    if (log_file >= 0) close(log_file);
    log_file = log && log[0] ? open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    mode = what;
    pthread_mutex_unlock(&lock);
}

long torture_seen(void) { return seen; }

void torture_note(const char *text) {
    pthread_mutex_lock(&lock);
    if (mode) record(OP_NOTE, 0, 0, text, 0, 0, 0);
    pthread_mutex_unlock(&lock);
}
