#ifndef KAPTION_CRDKAFKA_H
#define KAPTION_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/types.h>

/// Enqueues one message; bytes are copied before it returns. A negative length means a null key or value; a length of 0
/// is an empty one. `timestamp` is in milliseconds, 0 for now. `headers` may be NULL; it becomes librdkafka's only when
/// RD_KAFKA_RESP_ERR_NO_ERROR is returned, otherwise it stays the caller's to destroy.
///
/// It goes by rd_kafka_producev with a whole header list: single headers (RD_KAFKA_V_HEADER) are freed twice by
/// librdkafka 2.0.2 when the partition is unknown, and variadic functions cannot be called from Swift.
rd_kafka_resp_err_t kaption_rdkafka_produce(rd_kafka_t *client, const char *topic, int32_t partition,
                                            const void *key, ssize_t key_length, const void *value,
                                            ssize_t value_length, int64_t timestamp, rd_kafka_headers_t *headers,
                                            void *opaque);

/// A counter of the kernel's (eventfd) that `poll` can wait on, non-blocking and closed on exec; −1 if there are none left.
int kaption_rdkafka_make_event(void);

/// Waits at most so many milliseconds until the event was set, and clears it.
void kaption_rdkafka_wait_event(int event, int milliseconds);

void kaption_rdkafka_close_event(int event);

/// Sets the event. Any thread.
void kaption_rdkafka_set_event(int event);

/// Sets the event whenever something comes into the empty queue; −1 ends that.
void kaption_rdkafka_signal_arrivals(rd_kafka_queue_t *queue, int event);

#endif
