#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
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

static int stop_signal_pipe = -1;

static void write_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe means that nobody has read for thousands of signals: one less tells nothing new.
    ssize_t written = write(stop_signal_pipe, &byte, 1);
    (void)written;
    errno = saved;
}

int kaption_open_stop_signals(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    stop_signal_pipe = ends[1];
    struct sigaction action = {.sa_handler = write_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0) return -errno;
    return ends[0];
}
