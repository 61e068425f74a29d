#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int kaption_open_beneath(int root, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    // The kernel answers EAGAIN when a rename or mount elsewhere raced with a `..` of the path. Whoever renames without
    // end must not hold the caller without end.
    enum { attempts = 128 };
    for (int attempt = 0;; attempt++) {
        long descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (descriptor >= 0) return (int)descriptor;
        if (errno != EINTR && (errno != EAGAIN || attempt >= attempts)) return -errno;
    }
}

void kaption_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
