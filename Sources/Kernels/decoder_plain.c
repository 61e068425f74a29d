// The decoder kernels' plain twins: one element at a time, with the C library's functions.
#pragma clang fp contract(off)
#include "decoder_tables.h"
#include <math.h>

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

static void lstm_cell(size_t size, const float *input, const float *recurrent, float *cell, float *hidden) {
    for (size_t j = 0; j < size; j++) {
        float gate[4];
        for (size_t g = 0; g < 4; g++) gate[g] = input[g * size + j] + (recurrent ? recurrent[g * size + j] : 0.0f);
        float next = fmaf(sigmoid(gate[1]), cell[j], sigmoid(gate[0]) * tanhf(gate[2]));
        cell[j] = next;
        hidden[j] = sigmoid(gate[3]) * tanhf(next);
    }
}

static float log_sum_exp(size_t count, const float *values) {
    float largest = -INFINITY;
    for (size_t i = 0; i < count; i++) largest = values[i] > largest ? values[i] : largest;
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) sum += expf(values[i] - largest);
    return largest + logf(sum);
}

static size_t keep_best(size_t words, const float *logits, float normaliser, float base, uint32_t beam,
                        size_t capacity, size_t kept, kaption_continuation *best) {
    for (size_t word = 0; word < words; word++) {
        float threshold = kept < capacity ? -INFINITY : best[capacity - 1].log_probability;
        float log_probability = base + (logits[word] - normaliser);
        if (!(log_probability > threshold)) continue;
        kaption_continuation entry = {log_probability, beam, (uint32_t)word};
        kept = kaption_insert_continuation(entry, capacity, kept, best);
    }
    return kept;
}

const kaption_decoder_table kaption_decoder_plain = {lstm_cell, log_sum_exp, keep_best};
