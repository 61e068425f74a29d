#include "CRdKafka.h"

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
