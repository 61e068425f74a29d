#ifndef KAPTION_CMICROHTTPD_H
#define KAPTION_CMICROHTTPD_H
#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>

/// What a content reader returns at its end; libmicrohttpd's macros for them are casts, which Swift does not see.
static const ssize_t kaption_http_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t kaption_http_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;

/// Binds and listens on an IPv4 address given as a name or in dots. Port 0 is the system's choice. Data that a client leaves
/// unacknowledged for `user_timeout` milliseconds ends its connection. Returns the descriptor, and sets `bound_port`;
/// otherwise returns −1 and sets `reason` to a static text.
int kaption_http_listen(const char *host, uint16_t port, unsigned int user_timeout, uint16_t *bound_port,
                        const char **reason);

/// The functions that libmicrohttpd calls from its own threads. `context` is the first argument of each.
struct kaption_http_callbacks {
    void *context;
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection_changed;
    /// Called with the target as it stands in the request line; what it returns is the request's context.
    void *(*request_began)(void *context, const char *target, struct MHD_Connection *connection);
};

/// Starts `threads` threads of epoll, which serve what `kaption_http_accept` gives them. Escapes in targets are left as they are,
/// protocol errors are answered strictly, and nothing is logged. `connections` is for each thread, and must not be reached:
/// 0.9.75 forgets to unlock a mutex then. `memory` is in bytes for each connection. Returns NULL with errno set if that fails.
struct MHD_Daemon *kaption_http_start(unsigned int threads, unsigned int connections, size_t memory,
                                      const struct kaption_http_callbacks *callbacks);

/// Waits for the listening socket's next connection and hands it to the daemon. Returns 0, or errno: EINVAL once the listening
/// socket has been shut down.
int kaption_http_accept(struct MHD_Daemon *daemon, int listener);

/// Marks a response of unknown size to end with its connection, not with a last chunk.
void kaption_http_end_by_closing(struct MHD_Response *response);

/// The connection's socket.
int kaption_http_descriptor(struct MHD_Connection *connection);

/// What `connection_changed` stored for the connection.
void *kaption_http_connection_context(struct MHD_Connection *connection);

#endif
