#ifndef KAPTION_BARE_LOOP_H
#define KAPTION_BARE_LOOP_H

#include <stddef.h>
#include <stdint.h>

/// What the loop forwards: each record of the input topic becomes one of the output topic, with its own key, a value of
/// `value_size` bytes that begins with the record's, and these headers.
typedef struct {
    const char *bootstrap_servers;
    const char *group;
    const char *input;
    const char *output;
    int64_t records;
    size_t value_size;
    const char *const *header_names;
    const char *const *header_values;
    size_t header_count;
} kaption_bare_loop;

/// Consumes, copies, produces idempotently, and commits every second, with nothing around it: what librdkafka allows at
/// most. Returns when `records` were delivered and committed, 0; else −1, with the reason in `error`.
int kaption_run_bare_loop(const kaption_bare_loop *loop, char *error, size_t error_size);

#endif
