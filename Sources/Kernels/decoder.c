#pragma clang fp contract(off)
#include "decoder_tables.h"

static const kaption_decoder_table *table(kaption_isa isa) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512) return &kaption_decoder_avx512;
    if (isa == KAPTION_ISA_AVX2) return &kaption_decoder_avx2;
#endif
    (void)isa;
    return &kaption_decoder_plain;
}

void kaption_lstm_cell(kaption_isa isa, size_t rows, size_t size, const float *const *inputs, const float *recurrent,
                       size_t recurrent_stride, float *cell, float *hidden, size_t state_stride) {
    const kaption_decoder_table *kernels = table(isa);
    for (size_t row = 0; row < rows; row++) {
        kernels->lstm_cell(size, inputs[row], recurrent == NULL ? NULL : recurrent + row * recurrent_stride,
                           cell + row * state_stride, hidden + row * state_stride);
    }
}

void kaption_word_scan_begin(size_t capacity, kaption_word_scan *scan) {
    *scan = (kaption_word_scan){.greatest = -INFINITY, .capacity = (uint32_t)capacity};
}

void kaption_scan_words(kaption_isa isa, size_t rows, size_t first, size_t count, float *logits, size_t stride,
                        const uint32_t *excluded, size_t excluded_count, kaption_word_scan *scans) {
    const kaption_decoder_table *kernels = table(isa);
    for (size_t row = 0; row < rows; row++, logits += stride, scans++) {
        const float largest = kernels->add_words(count, logits, scans);
        if (!(largest > kaption_scan_threshold(scans))) continue;
        for (size_t i = 0; i < excluded_count; i++)
            if (excluded[i] >= first && excluded[i] - first < count) logits[excluded[i] - first] = -INFINITY;
        kernels->choose_words(first, count, logits, scans);
    }
}

float kaption_word_scan_normaliser(const kaption_word_scan *scan) {
    float sum = 0.0f;
    for (size_t lane = 0; lane < KAPTION_SUM_LANES; lane++) sum += scan->sums[lane];
    return scan->greatest + logf(sum);
}

size_t kaption_keep_best(const kaption_word_scan *scan, float base, uint32_t beam, size_t capacity, size_t kept,
                         kaption_continuation *best) {
    const float normaliser = kaption_word_scan_normaliser(scan);
    for (size_t i = 0; i < scan->kept; i++) {
        const kaption_continuation entry = {base + (scan->best[i].logit - normaliser), beam, scan->best[i].word};
        const float threshold = kept < capacity ? -INFINITY : best[capacity - 1].log_probability;
        if (!(entry.log_probability > threshold)) continue;
        if (kept < capacity) kept++;
        size_t place = kept - 1;
        for (; place > 0 && best[place - 1].log_probability < entry.log_probability; place--) best[place] = best[place - 1];
        best[place] = entry;
    }
    return kept;
}
