#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
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

int kaption_identify(int descriptor, uint64_t *device, uint64_t *inode) {
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_INO, &status) == 0) {
        *device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
        *inode = status.stx_ino;
        return 0;
    }
    if (errno != ENOSYS) return -errno;
    struct stat plain;
    if (fstat(descriptor, &plain) != 0) return -errno;
    *device = (uint64_t)major(plain.st_dev) << 32 | minor(plain.st_dev);
    *inode = plain.st_ino;
    return 0;
}

void kaption_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

static const int crash_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
enum { crash_signal_count = sizeof crash_signals / sizeof crash_signals[0] };
static struct sigaction earlier_actions[crash_signal_count];
static uint32_t *crash_word;
static uint32_t crash_mark;

static void note_crash(int number, siginfo_t *info, void *context) {
    (void)context;
    int is_own = info->si_code > 0 || info->si_pid == getpid();
    if (is_own) __atomic_store_n(crash_word, crash_mark, __ATOMIC_RELEASE);
    for (int i = 0; i < crash_signal_count; i++) {
        if (crash_signals[i] == number) sigaction(number, &earlier_actions[i], NULL);
    }
    // A fault comes again by itself when this returns; a signal that was sent has to be sent again.
    if (info->si_code <= 0) raise(number);
}

int kaption_note_crashes(uint32_t *word, uint32_t mark) {
    crash_word = word;
    crash_mark = mark;
    struct sigaction action = {.sa_sigaction = note_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < crash_signal_count; i++) {
        if (sigaction(crash_signals[i], &action, &earlier_actions[i]) != 0) return -errno;
    }
    return 0;
}

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
    // A parent may have left them blocked, and then nobody could end this process in good order.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    return ends[0];
}
