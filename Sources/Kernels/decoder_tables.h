// The decoder kernels' tables, one per instruction set, and what they share.
#ifndef KAPTION_DECODER_TABLES_H
#define KAPTION_DECODER_TABLES_H

#include "kaption_decoder.h"

typedef struct {
    void (*lstm_cell)(size_t size, const float *input, const float *recurrent, float *cell, float *hidden);
    float (*log_sum_exp)(size_t count, const float *values);
    size_t (*keep_best)(size_t words, const float *logits, float normaliser, float base, uint32_t beam,
                        size_t capacity, size_t kept, kaption_continuation *best);
} kaption_decoder_table;

extern const kaption_decoder_table kaption_decoder_plain;
#if defined(__x86_64__)
extern const kaption_decoder_table kaption_decoder_avx2;
extern const kaption_decoder_table kaption_decoder_avx512;
#endif

// Puts a continuation in its place in a list that has room for it or whose last entry is worse.
static inline size_t kaption_insert_continuation(kaption_continuation entry, size_t capacity, size_t kept,
                                                 kaption_continuation *best) {
    size_t place = kept < capacity ? kept : capacity - 1;
    size_t held = place + 1;
    while (place > 0 && best[place - 1].log_probability < entry.log_probability) {
        best[place] = best[place - 1];
        place--;
    }
    best[place] = entry;
    return held;
}

#endif
