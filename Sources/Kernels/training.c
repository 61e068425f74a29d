#pragma clang fp contract(off)
#include "training_tables.h"

static const kaption_training_table *table(kaption_isa isa) {
#if defined(__x86_64__)
    if (isa >= KAPTION_ISA_AVX512) return &kaption_training_avx512;
    if (isa == KAPTION_ISA_AVX2) return &kaption_training_avx2;
#endif
    (void)isa;
    return &kaption_training_plain;
}

void kaption_lstm_forward(kaption_isa isa, size_t rows, size_t size, const float *const *inputs, const float *bias,
                          float *gates, const float *before, float *cell, float *hidden) {
    const kaption_training_table *kernels = table(isa);
    for (size_t row = 0; row < rows; row++) {
        kernels->lstm_forward(size, inputs[row], bias, gates + row * 4 * size,
                              before == NULL ? NULL : before + row * size, cell + row * size, hidden + row * size);
    }
}

void kaption_lstm_backward(kaption_isa isa, size_t rows, size_t size, float *gates, const float *before,
                           const float *cell, const float *hidden_gradient, float *cell_gradient) {
    const kaption_training_table *kernels = table(isa);
    for (size_t row = 0; row < rows; row++) {
        kernels->lstm_backward(size, gates + row * 4 * size, before == NULL ? NULL : before + row * size,
                               cell + row * size, hidden_gradient + row * size, cell_gradient + row * size);
    }
}

float kaption_softmax_loss(kaption_isa isa, size_t count, float *logits, const float *bias, size_t target,
                           float smoothing, float weight) {
    return table(isa)->softmax_loss(count, logits, bias, target, smoothing, weight);
}

void kaption_dropout(kaption_isa isa, size_t count, uint64_t key, float share, const float *from, float *to) {
    table(isa)->dropout(count, key, share, from, to);
}

void kaption_adam(kaption_isa isa, size_t count, const kaption_adam_step *step, const float *gradients, float *mean,
                  float *variance, float *weights) {
    table(isa)->adam(count, step, gradients, mean, variance, weights);
}

double kaption_sum_of_squares(kaption_isa isa, size_t count, const float *values) {
    return table(isa)->sum_of_squares(count, values);
}
