#define _GNU_SOURCE
#include "CMicroHTTPD.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint16_t port_of(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static int open_listener(const struct addrinfo *address, unsigned int user_timeout, uint16_t *bound_port) {
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    const int yes = 1;
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    // A listening socket's options pass to the sockets that it accepts.
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout) == 0 &&
        bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(descriptor, SOMAXCONN) == 0 &&
        getsockname(descriptor, (struct sockaddr *)&bound, &length) == 0) {
        *bound_port = port_of(&bound);
        return descriptor;
    }
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int kaption_http_listen(const char *host, uint16_t port, unsigned int user_timeout, uint16_t *bound_port,
                        const char **reason) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[sizeof "65535"];
    snprintf(service, sizeof service, "%u", port);
    // A name that has both is taken by its IPv4 address.
    int error = getaddrinfo(host, service, &hints, &found);
    if (error != 0) {
        hints.ai_family = AF_INET6;
        error = getaddrinfo(host, service, &hints, &found);
    }
    if (error != 0) {
        *reason = gai_strerror(error);
        return -1;
    }
    int descriptor = open_listener(found, user_timeout, bound_port);
    if (descriptor < 0) {
        const char *text = strerrordesc_np(errno);
        *reason = text != NULL ? text : "unknown error";
    }
    freeaddrinfo(found);
    return descriptor;
}

/// Escapes are decoded in Swift, strictly: the library's own decoder lets broken ones and NUL through.
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

struct MHD_Daemon *kaption_http_start(unsigned int threads, unsigned int connections, size_t memory,
                                      const struct kaption_http_callbacks *callbacks) {
    const struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
        callbacks->handle, callbacks->context, MHD_OPTION_CONNECTION_LIMIT, connections * threads,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED,
        callbacks->completed, callbacks->context, MHD_OPTION_NOTIFY_CONNECTION, callbacks->connection_changed,
        callbacks->context, MHD_OPTION_URI_LOG_CALLBACK, callbacks->request_began, callbacks->context,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

int kaption_http_accept(struct MHD_Daemon *daemon, int listener) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int client = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return errno;
    return MHD_add_connection(daemon, client, (const struct sockaddr *)&address, length) == MHD_YES ? 0 : errno;
}

void kaption_http_end_by_closing(struct MHD_Response *response) {
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

int kaption_http_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

void *kaption_http_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}
