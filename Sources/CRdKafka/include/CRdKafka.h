#ifndef KAPTION_CRDKAFKA_H
#define KAPTION_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#endif
