// What Linux offers and glibc does not wrap.
#ifndef KAPTION_CLINUX_H
#define KAPTION_CLINUX_H

#include <stdint.h>

// Stores a word after everything that was stored before it, for whoever reads the mapped file when this process is dead.
static inline void kaption_store_release(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

// From now on a signal that this process causes itself (abort, a wrong address or instruction) writes `mark` to `word` and
// then does what it did before. One that somebody else sends writes nothing. Once a process; `word` must stay. Returns 0, or minus
// errno.
int kaption_note_crashes(uint32_t *word, uint32_t mark);

// Opens `path` beneath the directory `root`, for reading and without blocking (a FIFO opens at once, a terminal is never
// taken over): the kernel follows no `..`, absolute path, symbolic link or magic link that would leave `root`. A path that
// a concurrent rename disturbs (EAGAIN) is tried again, a bounded number of times.
// Returns a file descriptor, or minus errno: -EXDEV when the path would leave the root, -ENOSYS or -EPERM for "." when
// the kernel (before 5.6) or a container's seccomp filter does not offer openat2.
int kaption_open_beneath(int root, const char *path);

// Which file a descriptor is of: its file system's device and its number there. A network file system is made to ask its
// server, and not to answer from what it remembers. Returns 0, or minus errno.
int kaption_identify(int descriptor, uint64_t *device, uint64_t *inode);

// Names the calling thread, as debuggers and `top -H` show it; 15 bytes are kept.
void kaption_name_thread(const char *name);

// Turns SIGTERM and SIGINT into bytes, the signal's number each, that can be read from the file descriptor returned (or
// minus errno). The handlers only write to a pipe: blocking the signals would not do, because threads that libraries start
// when they are loaded (OpenBLAS) do not inherit the mask. SIGPIPE is ignored. Once a process,
// on its first thread.
int kaption_open_stop_signals(void);

#endif
