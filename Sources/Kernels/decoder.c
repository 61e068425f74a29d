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

float kaption_log_sum_exp(kaption_isa isa, size_t count, const float *values) {
    return table(isa)->log_sum_exp(count, values);
}

size_t kaption_keep_best(kaption_isa isa, size_t words, const float *logits, float normaliser, float base,
                         uint32_t beam, size_t capacity, size_t kept, kaption_continuation *best) {
    return table(isa)->keep_best(words, logits, normaliser, base, beam, capacity, kept, best);
}
