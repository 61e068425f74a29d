// The decoder kernels' tables, one per instruction set, and what they share.
#ifndef KAPTION_DECODER_TABLES_H
#define KAPTION_DECODER_TABLES_H

#include "kaption_decoder.h"
#include <math.h>

typedef struct {
    void (*lstm_cell)(size_t size, const float *input, const float *recurrent, float *cell, float *hidden);
    // Adds words to the sum; returns the greatest logit.
    float (*add_words)(size_t count, const float *logits, kaption_word_scan *scan);
    // Offers the words from `first` on to the best ones.
    void (*choose_words)(size_t first, size_t count, const float *logits, kaption_word_scan *scan);
} kaption_decoder_table;

extern const kaption_decoder_table kaption_decoder_plain;
#if defined(__x86_64__)
extern const kaption_decoder_table kaption_decoder_avx2;
extern const kaption_decoder_table kaption_decoder_avx512;
#endif

// What a word's logit must exceed to be kept.
static inline float kaption_scan_threshold(const kaption_word_scan *scan) {
    return scan->kept < scan->capacity ? -INFINITY : scan->best[scan->capacity - 1].logit;
}

// Puts a word that exceeds the threshold in its place, behind those with the same logit.
static inline void kaption_keep_word(float logit, uint32_t word, kaption_word_scan *scan) {
    if (scan->kept < scan->capacity) scan->kept++;
    size_t place = scan->kept - 1;
    for (; place > 0 && scan->best[place - 1].logit < logit; place--) scan->best[place] = scan->best[place - 1];
    scan->best[place] = (kaption_scored_word){logit, word};
}

// Makes the sum one beside the greatest logit so far, `largest` among them. Returns what is to be subtracted from logits: that, or 0
// where all are −∞.
static inline float kaption_raise_greatest(float largest, kaption_word_scan *scan) {
    if (largest > scan->greatest) {
        const float factor = expf(scan->greatest - largest);
        for (size_t lane = 0; lane < KAPTION_SUM_LANES; lane++) scan->sums[lane] *= factor;
        scan->greatest = largest;
    }
    return scan->greatest == -INFINITY ? 0.0f : scan->greatest;
}

#endif
