/* Stands before libc's calls that change the disk. Those that touch the watched folder are counted, and the n-th one
 * kills the process (a write: after its first half), or fails as a full disk does from there on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char watched[PATH_MAX];
static char boundaries[4][64];
static long at, error_number;
static long seen;
static int is_armed;

/* Begin to count; at the n-th call kill (error 0), or fail with an error from there on. `only`, if it is not empty, are
 * up to four pieces of names, with commas between: then only those calls count that give a file such a name. */
void faulty_arm(const char *folder, long n, long error, const char *only) {
    strncpy(watched, folder, sizeof watched - 1);
    memset(boundaries, 0, sizeof boundaries);
    for (int i = 0; i < 4 && *only; i++) {
        size_t length = strcspn(only, ",");
        strncpy(boundaries[i], only, length < 63 ? length : 63);
        only += length + (only[length] == ',');
    }
    at = n, error_number = error;
    __atomic_store_n(&seen, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&is_armed, 1, __ATOMIC_SEQ_CST);
}

/* Stop, and return how many calls came. */
long faulty_disarm(void) {
    __atomic_store_n(&is_armed, 0, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&seen, __ATOMIC_SEQ_CST);
}

static int below(const char *path) {
    size_t length = strlen(watched);
    char whole[2 * PATH_MAX];
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    if (strncmp(path, watched, length) != 0) return 0;
    if (!boundaries[0][0]) return 1;
    for (int i = 0; i < 4 && boundaries[i][0]; i++)
        if (strstr(path, boundaries[i])) return 1;
    return 0;
}

static int of(int descriptor) {
    char link[64], path[PATH_MAX];
    if (descriptor < 3 || boundaries[0][0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

enum turn { GO, DIE, FAIL };

static enum turn turn(void) {
    long n = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (!at || n < at) return GO;
    return error_number ? FAIL : DIE;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }

#define ARMED __atomic_load_n(&is_armed, __ATOMIC_SEQ_CST)
#define NEXT(name)                   \
    static __typeof__(&name) next;   \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
/* what makes room or shows what is there works on a full disk, too */
#define STEP(is_ours, fails, call)                                                    \
    int saved = errno;                                                                \
    if (ARMED && (is_ours)) {                                                         \
        enum turn now = turn();                                                       \
        if (now == DIE) die();                                                        \
        if (now == FAIL && (fails)) { errno = (int)error_number; return -1; }         \
    }                                                                                 \
    errno = saved;                                                                    \
    return call

ssize_t write(int descriptor, const void *from, size_t count) {
    NEXT(write);
    int saved = errno;
    if (ARMED && of(descriptor)) {
        enum turn now = turn();
        if (now != GO && count > 1) next(descriptor, from, count / 2);
        if (now == DIE) die();
        if (now == FAIL) { errno = (int)error_number; return -1; }
    }
    errno = saved;
    return next(descriptor, from, count);
}
ssize_t pwrite64(int descriptor, const void *from, size_t count, off64_t where) {
    NEXT(pwrite64); STEP(of(descriptor), 1, next(descriptor, from, count, where));
}
ssize_t pwrite(int descriptor, const void *from, size_t count, off_t where) {
    NEXT(pwrite); STEP(of(descriptor), 1, next(descriptor, from, count, where));
}
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    NEXT(writev); STEP(of(descriptor), 1, next(descriptor, parts, count));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    NEXT(copy_file_range); STEP(of(out), 1, next(in, from, out, to, length, flags));
}
ssize_t sendfile(int out, int in, off_t *from, size_t count) {
    NEXT(sendfile); STEP(of(out), 1, next(out, in, from, count));
}
ssize_t sendfile64(int out, int in, off64_t *from, size_t count) {
    NEXT(sendfile64); STEP(of(out), 1, next(out, in, from, count));
}
int ftruncate64(int descriptor, off64_t length) { NEXT(ftruncate64); STEP(of(descriptor), 0, next(descriptor, length)); }
int ftruncate(int descriptor, off_t length) { NEXT(ftruncate); STEP(of(descriptor), 0, next(descriptor, length)); }
int fsync(int descriptor) { NEXT(fsync); STEP(of(descriptor), 0, next(descriptor)); }
int syncfs(int descriptor) { NEXT(syncfs); STEP(of(descriptor), 0, next(descriptor)); }
int fdatasync(int descriptor) { NEXT(fdatasync); STEP(of(descriptor), 0, next(descriptor)); }
int rename(const char *from, const char *to) { NEXT(rename); STEP(below(to), 0, next(from, to)); }
int renameat(int a, const char *from, int b, const char *to) {
    NEXT(renameat); STEP(below(to), 0, next(a, from, b, to));
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    NEXT(renameat2); STEP(below(to) || boundaries[0][0], 0, next(a, from, b, to, flags));
}
int link(const char *from, const char *to) { NEXT(link); STEP(below(to), 1, next(from, to)); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    NEXT(linkat); STEP(below(to), 1, next(a, from, b, to, flags));
}
int unlink(const char *path) { NEXT(unlink); STEP(below(path), 0, next(path)); }
int unlinkat(int a, const char *path, int flags) {
    NEXT(unlinkat); STEP(a == AT_FDCWD ? below(path) : of(a), 0, next(a, path, flags));
}
int rmdir(const char *path) { NEXT(rmdir); STEP(below(path), 0, next(path)); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); STEP(below(path), 1, next(path, mode)); }
int mkdirat(int a, const char *path, mode_t mode) { NEXT(mkdirat); STEP(below(path), 1, next(a, path, mode)); }

#define OPENS(name)                                                                   \
    int name(const char *path, int flags, ...) {                                      \
        NEXT(name);                                                                   \
        va_list more;                                                                 \
        va_start(more, flags);                                                        \
        mode_t mode = va_arg(more, mode_t);                                           \
        va_end(more);                                                                 \
        STEP((flags & (O_CREAT | O_TRUNC)) && below(path), 1, next(path, flags, mode)); \
    }
OPENS(open)
OPENS(open64)
