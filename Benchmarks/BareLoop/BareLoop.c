#include "BareLoop.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int64_t delivered;
    int64_t failed;
} Deliveries;

static void report_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    Deliveries *deliveries = opaque;
    if (message->err) {
        deliveries->failed++;
    } else {
        deliveries->delivered++;
    }
}

static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *const *properties, Deliveries *deliveries, char *error,
                               size_t error_size) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    for (; properties[0]; properties += 2) {
        if (rd_kafka_conf_set(configuration, properties[0], properties[1], error, error_size) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(configuration);
            return NULL;
        }
    }
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_opaque(configuration, deliveries);
        rd_kafka_conf_set_dr_msg_cb(configuration, report_delivery);
    }
    rd_kafka_t *client = rd_kafka_new(type, configuration, error, error_size);
    if (!client) rd_kafka_conf_destroy(configuration);
    return client;
}

/// Produces one record, waiting while the producer's queue is full.
static rd_kafka_resp_err_t forward(const kaption_bare_loop *loop, rd_kafka_t *producer, rd_kafka_message_t *record,
                                   char *value) {
    memcpy(value, record->payload, record->len < loop->value_size ? record->len : loop->value_size);
    while (1) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(loop->header_count);
        for (size_t i = 0; i < loop->header_count; i++) {
            rd_kafka_header_add(headers, loop->header_names[i], -1, loop->header_values[i], -1);
        }
        rd_kafka_resp_err_t code = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(loop->output), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(record->key, record->key_len), RD_KAFKA_V_VALUE(value, loop->value_size),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return code;
        rd_kafka_headers_destroy(headers);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return code;
        rd_kafka_poll(producer, 10);
    }
}

static int run(const kaption_bare_loop *loop, rd_kafka_t *consumer, rd_kafka_t *producer, Deliveries *deliveries,
               char *error, size_t error_size) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, loop->input, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    char *value = calloc(1, loop->value_size + 1);
    int64_t taken = 0;
    int64_t next_commit = milliseconds() + 1000;
    while (!code && !deliveries->failed && deliveries->delivered < loop->records) {
        rd_kafka_message_t *record = rd_kafka_consumer_poll(consumer, taken < loop->records ? 10 : 1);
        if (record && !record->err && taken < loop->records) {
            code = forward(loop, producer, record, value);
            taken++;
        }
        if (record) rd_kafka_message_destroy(record);
        // Not for every record: that is what such a loop would spare itself.
        if (!record || taken % 64 == 0) {
            rd_kafka_poll(producer, 0);
            if (milliseconds() >= next_commit) {
                next_commit = milliseconds() + 1000;
                rd_kafka_commit(consumer, NULL, 1);
            }
        }
    }
    if (!code && !deliveries->failed) code = rd_kafka_commit(consumer, NULL, 0);
    free(value);
    if (!code && !deliveries->failed) return 0;
    snprintf(error, error_size, "%s", code ? rd_kafka_err2str(code) : "a record was not delivered");
    return -1;
}

int kaption_run_bare_loop(const kaption_bare_loop *loop, char *error, size_t error_size) {
    const char *consuming[] = {"bootstrap.servers", loop->bootstrap_servers, "group.id", loop->group,
                               "enable.auto.commit", "false", "auto.offset.reset", "earliest",
                               "isolation.level", "read_committed", "partition.assignment.strategy",
                               "cooperative-sticky", NULL};
    const char *producing[] = {"bootstrap.servers", loop->bootstrap_servers, "enable.idempotence", "true",
                               "acks", "all", "linger.ms", "5", "partitioner", "murmur2_random", NULL};
    Deliveries deliveries = {0, 0};
    rd_kafka_t *consumer = make_client(RD_KAFKA_CONSUMER, consuming, &deliveries, error, error_size);
    if (!consumer) return -1;
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_t *producer = make_client(RD_KAFKA_PRODUCER, producing, &deliveries, error, error_size);
    int code = producer ? run(loop, consumer, producer, &deliveries, error, error_size) : -1;
    if (producer) rd_kafka_destroy(producer);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return code;
}
