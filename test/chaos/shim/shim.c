/*
 * Stands between a node and libc (LD_PRELOAD): keeps a ledger of what is durable, and makes disks and clocks misbehave.
 *
 * Ledger: one line per event, fields separated by tabs, each with a sequence number of this process.
 *   C seq inode path             a file was made
 *   M seq path                   a directory was made
 *   R seq from to shadow         renamed; shadow: number of the link that keeps what was at `to`, or -
 *   U seq path shadow            a file was removed; the link keeps it
 *   D seq path                   a directory was removed
 *   P seq inode offset hex       bytes that are about to be overwritten or cut off
 *   S seq inode size begin       a file was synced, as it was when the sync began
 *   Y seq path begin             a directory was synced
 * An event is durable when its number is below `begin` of a later sync of its file or directory.
 * Links are in $CHAOS_SHADOW and keep their inodes, so that numbers of inodes stay unique while they matter.
 *
 * Control: $CHAOS_CONTROL, mapped, int32 each: see `struct control`. Only what lies below $CHAOS_DATA is concerned, but for
 * the clock. fwrite and fflush go around `write` inside libc, hence their own wrappers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int32_t write_errno;
  int32_t sync_errno;
  int32_t sync_delay_ms;
  int32_t read_errno;
  int32_t clock_offset_s;
  int32_t refused; /* how many calls were refused, for the report */
};

#undef fwrite_unlocked
#undef fflush_unlocked

#define FILES_MAX 65536
#define PIECE 4096

static struct control none, *control = &none;
static const char *data_root, *shadow_root;
static size_t data_length;
static int ledger = -1;
static atomic_long sequence, shadows;
/* Inode of what was opened last as each descriptor; libuv closes some by a bare system call, so this alone proves nothing. */
static atomic_ulong watched[FILES_MAX];

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }
#define CACHED(name) \
  static __typeof__(&name) next; \
  if (!next) next = REAL(name)

__attribute__((constructor)) static void begin(void) {
  data_root = getenv("CHAOS_DATA");
  shadow_root = getenv("CHAOS_SHADOW");
  data_length = data_root ? strlen(data_root) : 0;
  const char *path = getenv("CHAOS_LEDGER");
  if (path) ledger = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const char *file = getenv("CHAOS_CONTROL");
  int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0) : -1;
  if (fd < 0) return;
  void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) control = map;
}

static long next_number(void) { return atomic_fetch_add(&sequence, 1) + 1; }

static void emit(const char *format, ...) {
  int saved = errno;
  char line[3 * PATH_MAX + 2 * PIECE];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (ledger >= 0 && length > 0) syscall(SYS_write, ledger, line, (size_t)length);
  errno = saved;
}

static int is_data(const char *path) {
  return data_length > 0 && path && strncmp(path, data_root, data_length) == 0 &&
         (path[data_length] == '/' || path[data_length] == 0);
}

/* The path of `name` relative to the directory `dir`; as given when it is absolute. */
static const char *absolute(int dir, const char *name, char *buffer) {
  if (name[0] == '/' || dir == AT_FDCWD) return name;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return name;
  snprintf(buffer + length, (size_t)(PATH_MAX - length), "/%s", name);
  return buffer;
}

static int is_watched(int fd) {
  struct stat st;
  int saved = errno;
  unsigned long inode = fd >= 0 && fd < FILES_MAX ? atomic_load(&watched[fd]) : 0;
  int is_it = inode != 0 && fstat(fd, &st) == 0 && st.st_ino == inode && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
  errno = saved;
  return is_it;
}
static int exists(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0;
}

static int refuse(int32_t number) {
  if (number == 0) return 0;
  __atomic_add_fetch(&control->refused, 1, __ATOMIC_RELAXED);
  errno = number;
  return 1;
}

static void opened(int fd, const char *path, int was_there) {
  struct stat st;
  if (fd < 0 || fd >= FILES_MAX || fstat(fd, &st) != 0) return;
  atomic_store(&watched[fd], st.st_ino);
  if (!was_there)
    emit("C\t%ld\t%lu\t%s\n", next_number(), (unsigned long)st.st_ino, path);
}

static int open_at(int (*next)(int, const char *, int, ...), int dir, const char *name, int flags, mode_t mode) {
  char buffer[PATH_MAX];
  const char *path = absolute(dir, name, buffer);
  if (!is_data(path)) return next(dir, name, flags, mode);
  int was_there = !(flags & O_CREAT) || exists(path);
  if (!was_there && control->write_errno == ENOSPC && refuse(ENOSPC)) return -1;
  int fd = next(dir, name, flags, mode);
  opened(fd, path, was_there);
  return fd;
}

#define MODE \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list list; \
    va_start(list, flags); \
    mode = va_arg(list, mode_t); \
    va_end(list); \
  }
int open(const char *path, int flags, ...) { CACHED(openat); MODE return open_at(next, AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { CACHED(openat); MODE return open_at(next, AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { CACHED(openat); MODE return open_at(next, dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { CACHED(openat); MODE return open_at(next, dir, path, flags, mode); }

static FILE *fopen_with(FILE *(*next)(const char *, const char *), const char *path, const char *mode) {
  if (!is_data(path)) return next(path, mode);
  int was_there = mode[0] == 'r' || exists(path);
  if (!was_there && control->write_errno == ENOSPC && refuse(ENOSPC)) return NULL;
  FILE *file = next(path, mode);
  if (file) opened(fileno(file), path, was_there);
  return file;
}
FILE *fopen(const char *path, const char *mode) { CACHED(fopen); return fopen_with(next, path, mode); }
FILE *fopen64(const char *path, const char *mode) { CACHED(fopen64); return fopen_with(next, path, mode); }

int close(int fd) {
  CACHED(close);
  if (fd >= 0 && fd < FILES_MAX) atomic_store(&watched[fd], 0);
  return next(fd);
}
int fclose(FILE *file) {
  CACHED(fclose);
  int fd = fileno(file);
  if (fd >= 0 && fd < FILES_MAX) atomic_store(&watched[fd], 0);
  return next(file);
}

/* Notes the bytes of [from, to) as far as the file has any. */
static void keep(int fd, off_t from, off_t to) {
  struct stat st;
  if (ledger < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return;
  if (to > st.st_size) to = st.st_size;
  while (from < to) {
    unsigned char bytes[PIECE];
    char hex[2 * PIECE + 1];
    ssize_t count = syscall(SYS_pread64, fd, bytes, to - from < PIECE ? to - from : PIECE, from);
    if (count <= 0) return;
    for (ssize_t i = 0; i < count; i++) {
      hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
      hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    hex[2 * count] = 0;
    emit("P\t%ld\t%lu\t%ld\t%s\n", next_number(), (unsigned long)st.st_ino, (long)from, hex);
    from += count;
  }
}

static off_t size_of(const struct iovec *parts, int count) {
  off_t size = 0;
  for (int i = 0; i < count; i++) size += (off_t)parts[i].iov_len;
  return size;
}

static off_t position(int fd) {
  off_t at = lseek(fd, 0, SEEK_CUR);
  return at < 0 ? 0 : at;
}

/* True when the write must fail. */
static int before_write(int fd, off_t at, off_t size) {
  if (refuse(control->write_errno)) return 1;
  keep(fd, at, at + size);
  return 0;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  CACHED(write);
  if (is_watched(fd) && before_write(fd, position(fd), (off_t)size)) return -1;
  return next(fd, bytes, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  CACHED(writev);
  if (is_watched(fd) && before_write(fd, position(fd), size_of(parts, count))) return -1;
  return next(fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  CACHED(pwrite);
  if (is_watched(fd) && before_write(fd, at, (off_t)size)) return -1;
  return next(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  CACHED(pwritev);
  if (is_watched(fd) && before_write(fd, at, size_of(parts, count))) return -1;
  return next(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }

size_t fwrite_unlocked(const void *bytes, size_t size, size_t count, FILE *file) {
  CACHED(fwrite_unlocked);
  return is_watched(fileno(file)) && refuse(control->write_errno) ? 0 : next(bytes, size, count, file);
}
size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file) {
  CACHED(fwrite);
  return is_watched(fileno(file)) && refuse(control->write_errno) ? 0 : next(bytes, size, count, file);
}
int fflush_unlocked(FILE *file) {
  CACHED(fflush_unlocked);
  return file && is_watched(fileno(file)) && refuse(control->write_errno) ? EOF : next(file);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
  CACHED(pread64);
  return is_watched(fd) && refuse(control->read_errno) ? -1 : next(fd, bytes, size, at);
}

int ftruncate64(int fd, off64_t size) {
  CACHED(ftruncate64);
  if (is_watched(fd) && before_write(fd, size, LONG_MAX - size)) return -1;
  return next(fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int sync_with(int (*next)(int), int fd) {
  if (!is_watched(fd)) return next(fd);
  long number = next_number();
  struct stat st;
  int known = fstat(fd, &st) == 0;
  int delay = control->sync_delay_ms;
  if (delay > 0) usleep((useconds_t)delay * 1000);
  if (refuse(control->sync_errno)) return -1;
  int result = next(fd);
  if (result != 0 || !known) return result;
  if (S_ISDIR(st.st_mode)) {
    char buffer[PATH_MAX];
    const char *path = absolute(fd, ".", buffer);
    size_t length = strlen(path);
    emit("Y\t%ld\t%.*s\t%ld\n", next_number(), (int)(length > 2 ? length - 2 : length), path, number);
  } else
    emit("S\t%ld\t%lu\t%ld\t%ld\n", next_number(), (unsigned long)st.st_ino, (long)st.st_size, number);
  return result;
}
int fsync(int fd) { CACHED(fsync); return sync_with(next, fd); }
int fdatasync(int fd) { CACHED(fdatasync); return sync_with(next, fd); }

/* Keeps what is at `path` by a link; gives its number, or 0 when nothing is there. */
static long shadow(const char *path) {
  if (!shadow_root || !exists(path)) return 0;
  char to[PATH_MAX];
  long number = atomic_fetch_add(&shadows, 1) + 1;
  snprintf(to, sizeof to, "%s/%d-%ld", shadow_root, (int)getpid(), number);
  return link(path, to) == 0 ? number : 0;
}

static void name_shadow(long number, char *buffer) {
  if (number == 0) strcpy(buffer, "-");
  else sprintf(buffer, "%d-%ld", (int)getpid(), number);
}

int rename(const char *from, const char *to) {
  CACHED(rename);
  if (!is_data(from) && !is_data(to)) return next(from, to);
  if (refuse(control->write_errno)) return -1;
  char name[64];
  name_shadow(shadow(to), name);
  int result = next(from, to);
  if (result == 0) emit("R\t%ld\t%s\t%s\t%s\n", next_number(), from, to, name);
  return result;
}

int unlink(const char *path) {
  CACHED(unlink);
  if (!is_data(path)) return next(path);
  char name[64];
  name_shadow(shadow(path), name);
  int result = next(path);
  if (result == 0) emit("U\t%ld\t%s\t%s\n", next_number(), path, name);
  return result;
}

int rmdir(const char *path) {
  CACHED(rmdir);
  int result = next(path);
  if (result == 0 && is_data(path)) emit("D\t%ld\t%s\n", next_number(), path);
  return result;
}

int unlinkat(int dir, const char *name, int flags) {
  CACHED(unlinkat);
  char buffer[PATH_MAX], link[64];
  const char *path = absolute(dir, name, buffer);
  if (!is_data(path)) return next(dir, name, flags);
  name_shadow(flags & AT_REMOVEDIR ? 0 : shadow(path), link);
  int result = next(dir, name, flags);
  if (result != 0) return result;
  if (flags & AT_REMOVEDIR) emit("D\t%ld\t%s\n", next_number(), path);
  else emit("U\t%ld\t%s\t%s\n", next_number(), path, link);
  return result;
}

int remove(const char *path) {
  struct stat st;
  if (lstat(path, &st) != 0) return -1;
  return S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}

int mkdir(const char *path, mode_t mode) {
  CACHED(mkdir);
  if (!is_data(path)) return next(path, mode);
  if (refuse(control->write_errno)) return -1;
  int result = next(path, mode);
  if (result == 0) emit("M\t%ld\t%s\n", next_number(), path);
  return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  CACHED(clock_gettime);
  int result = next(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += control->clock_offset_s;
  return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  CACHED(gettimeofday);
  int result = next(time, zone);
  if (result == 0) time->tv_sec += control->clock_offset_s;
  return result;
}
time_t time(time_t *out) {
  CACHED(time);
  time_t now = next(NULL) + control->clock_offset_s;
  if (out) *out = now;
  return now;
}
