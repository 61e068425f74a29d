#include "CRdKafka.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// librdkafka takes a null pointer for a null value, so an empty one needs an address.
static const char empty[1] = "";

rd_kafka_resp_err_t kaption_rdkafka_produce(rd_kafka_t *client, const char *topic, int32_t partition,
                                            const void *key, ssize_t key_length, const void *value,
                                            ssize_t value_length, int64_t timestamp, rd_kafka_headers_t *headers,
                                            void *opaque) {
    const void *key_bytes = key_length < 0 ? NULL : key_length == 0 ? empty : key;
    const void *value_bytes = value_length < 0 ? NULL : value_length == 0 ? empty : value;
    size_t key_size = key_length < 0 ? 0 : (size_t)key_length;
    size_t value_size = value_length < 0 ? 0 : (size_t)value_length;
    return rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key_bytes, key_size),
                             RD_KAFKA_V_VALUE((void *)value_bytes, value_size), RD_KAFKA_V_TIMESTAMP(timestamp),
                             RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

static const uint64_t one = 1;

int kaption_rdkafka_make_event(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void kaption_rdkafka_close_event(int event) { close(event); }

void kaption_rdkafka_wait_event(int event, int milliseconds) {
    struct pollfd descriptor = {.fd = event, .events = POLLIN};
    uint64_t count;
    if (poll(&descriptor, 1, milliseconds) > 0) {
        // Nothing to read is no error: another wait was quicker.
        ssize_t ignored = read(event, &count, sizeof count);
        (void)ignored;
    }
}

void kaption_rdkafka_set_event(int event) {
    // It only fails when the counter is full, and then it is set.
    ssize_t ignored = write(event, &one, sizeof one);
    (void)ignored;
}

void kaption_rdkafka_signal_arrivals(rd_kafka_queue_t *queue, int event) {
    rd_kafka_queue_io_event_enable(queue, event, &one, sizeof one);
}
