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

static float add_words(size_t count, const float *logits, kaption_word_scan *scan) {
    float largest = -INFINITY;
    for (size_t i = 0; i < count; i++) largest = logits[i] > largest ? logits[i] : largest;
    const float reference = kaption_raise_greatest(largest, scan);
    for (size_t i = 0; i < count; i++) scan->sums[i % KAPTION_SUM_LANES] += expf(logits[i] - reference);
    return largest;
}

static void choose_words(size_t first, size_t count, const float *logits, kaption_word_scan *scan) {
    for (size_t i = 0; i < count; i++)
        if (logits[i] > kaption_scan_threshold(scan)) kaption_keep_word(logits[i], (uint32_t)(first + i), scan);
}

const kaption_decoder_table kaption_decoder_plain = {lstm_cell, add_words, choose_words};
