/* Records what a process does to the files below PL_ROOT, for the power loss test.
 *
 * A record is: kind (1 byte), path length (2), offset (8), data length (8), path, data; numbers in
 * the byte order of this machine. Kinds: W write, T truncate, S synced, N rename (data is the new
 * path), U unlink, C create, A written to standard output. sync_file_range is deliberately not
 * recorded: it promises nothing about a power cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define FDS 1024
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *path_of[FDS];
static off_t place_of[FDS];
static int trace = -1;
static const char *root;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void put(const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, trace, at, length);
        if (done <= 0) abort();
        at += done;
        length -= (size_t)done;
    }
}

static void record(char kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
    uint16_t path_length = path ? (uint16_t)strlen(path) : 0;
    put(&kind, 1);
    put(&path_length, 2);
    put(&offset, 8);
    put(&length, 8);
    if (path_length) put(path, path_length);
    if (length) put(data, length);
}

__attribute__((constructor)) static void begin(void) {
    root = getenv("PL_ROOT");
    const char *to = getenv("PL_TRACE");
    if (root && to) trace = (int)syscall(SYS_openat, AT_FDCWD, to, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND, 0644);
}

static int watched(int fd) { return trace >= 0 && fd >= 0 && fd < FDS && path_of[fd]; }

static int opened(int fd, const char *path, int flags) {
    if (trace < 0 || fd < 0 || fd >= FDS) return fd;
    pthread_mutex_lock(&lock);
    free(path_of[fd]);
    path_of[fd] = strncmp(path, root, strlen(root)) == 0 ? strdup(path) : NULL;
    place_of[fd] = 0;
    if (path_of[fd] && (flags & O_CREAT)) record('C', path, (flags & O_TRUNC) != 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                                \
    int name(const char *path, int flags, ...) {                  \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                             \
        return opened(NEXT(name)(path, flags, mode), path, flags); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (watched(fd)) {
        pthread_mutex_lock(&lock);
        free(path_of[fd]);
        path_of[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return NEXT(close)(fd);
}

static void wrote(int fd, const void *data, ssize_t length, off_t offset) {
    if (length <= 0) return;
    pthread_mutex_lock(&lock);
    record('W', path_of[fd], (uint64_t)offset, data, (uint64_t)length);
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    ssize_t done = NEXT(pwrite64)(fd, data, length, offset);
    if (watched(fd)) wrote(fd, data, done, offset);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    if (fd == 1 && trace >= 0) {
        pthread_mutex_lock(&lock);
        record('A', NULL, 0, data, length);
        pthread_mutex_unlock(&lock);
        return (ssize_t)length;
    }
    ssize_t done = NEXT(write)(fd, data, length);
    if (watched(fd) && done > 0) {
        wrote(fd, data, done, place_of[fd]);
        place_of[fd] += done;
    }
    return done;
}

static void synced(int fd) {
    pthread_mutex_lock(&lock);
    record('S', path_of[fd], 0, NULL, 0);
    pthread_mutex_unlock(&lock);
}
int fsync(int fd) {
    int result = NEXT(fsync)(fd);
    if (watched(fd) && result == 0) synced(fd);
    return result;
}
int fdatasync(int fd) {
    int result = NEXT(fdatasync)(fd);
    if (watched(fd) && result == 0) synced(fd);
    return result;
}

int ftruncate64(int fd, off64_t length) {
    int result = NEXT(ftruncate64)(fd, length);
    if (watched(fd) && result == 0) {
        pthread_mutex_lock(&lock);
        record('T', path_of[fd], (uint64_t)length, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int rename(const char *from, const char *to) {
    int result = NEXT(rename)(from, to);
    if (trace >= 0 && result == 0 && strncmp(from, root, strlen(root)) == 0) {
        pthread_mutex_lock(&lock);
        record('N', from, 0, to, strlen(to));
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int unlink(const char *path) {
    int result = NEXT(unlink)(path);
    if (trace >= 0 && result == 0 && strncmp(path, root, strlen(root)) == 0) {
        pthread_mutex_lock(&lock);
        record('U', path, 0, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}
