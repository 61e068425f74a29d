// The training kernels' tables, one per instruction set, and what they share.
#ifndef KAPTION_TRAINING_TABLES_H
#define KAPTION_TRAINING_TABLES_H

#include "kaption_training.h"

typedef struct {
    void (*lstm_forward)(size_t size, const float *input, const float *bias, float *gates, const float *before,
                         float *cell, float *hidden);
    void (*lstm_backward)(size_t size, float *gates, const float *before, const float *cell,
                          const float *hidden_gradient, float *cell_gradient);
    float (*softmax_loss)(size_t count, float *logits, const float *bias, size_t target, float smoothing, float weight);
    void (*dropout)(size_t count, uint64_t key, float share, const float *from, float *to);
    void (*adam)(size_t count, const kaption_adam_step *step, const float *gradients, float *mean, float *variance,
                 float *weights);
    double (*sum_of_squares)(size_t count, const float *values);
} kaption_training_table;

extern const kaption_training_table kaption_training_plain;
#if defined(__x86_64__)
extern const kaption_training_table kaption_training_avx2;
extern const kaption_training_table kaption_training_avx512;
#endif

// The hash of dropout: two rounds of multiply and shift (as in Mueller's and Wellons' integer hashes) over the index, with half
// of the key before each.
#define KAPTION_DROPOUT_HASH(x, key)             \
    do {                                         \
        (x) ^= (uint32_t)(key);                  \
        (x) ^= (x) >> 16, (x) *= 0x7feb352du;    \
        (x) ^= (x) >> 15, (x) *= 0x846ca68bu;    \
        (x) += (uint32_t)((key) >> 32);          \
        (x) ^= (x) >> 16, (x) *= 0x7feb352du;    \
        (x) ^= (x) >> 15, (x) *= 0x846ca68bu;    \
        (x) ^= (x) >> 16;                        \
    } while (0)

// A hash below it is dropped.
static inline uint32_t kaption_dropout_threshold(float share) { return (uint32_t)((double)share * 4294967296.0); }

#endif
