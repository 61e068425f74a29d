// Kernels of the caption decoder: the LSTM's cell, the normaliser over the vocabulary and the choice of the best
// continuations. They keep the rules of kaption_kernels.h; in addition nothing here depends on how rows are grouped.
#ifndef KAPTION_DECODER_H
#define KAPTION_DECODER_H

#include "kaption_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// One step of an LSTM after its recurrent product (gates in PyTorch's order i, f, g, o):
//   i, f, o = sigmoid, g = tanh of inputs[r] + recurrent[r];  cell = f·cell + i·g;  hidden = o·tanh(cell).
// inputs[r] points to 4·size floats. `recurrent` may be NULL, which stands for zeros. Cells are updated in place; `hidden` is
// only written. Any size ≥ 1; a stride counts floats from one row to the next. A NaN among the gates ends up in `hidden`.
void kaption_lstm_cell(kaption_isa isa, size_t rows, size_t size, const float *const *inputs, const float *recurrent,
                       size_t recurrent_stride, float *cell, float *hidden, size_t state_stride);

// log Σ e^x over `count` ≥ 1 values. Not finite if any value is NaN or +∞, or if all are −∞.
float kaption_log_sum_exp(kaption_isa isa, size_t count, const float *values);

// A beam carried on by one word.
typedef struct {
    float log_probability;
    uint32_t beam;
    uint32_t word;
} kaption_continuation;

// Offers every word of a beam to the list `best`, which holds `kept` entries, best first, of at most `capacity` ≥ 1.
// The log-probability of a continuation is base + (logits[word] − normaliser). Ties keep the one that came first, so offering
// beams in rising order lets the lower beam win, then the lower word. −∞ and NaN are never kept. Returns the entries now held.
size_t kaption_keep_best(kaption_isa isa, size_t words, const float *logits, float normaliser, float base,
                         uint32_t beam, size_t capacity, size_t kept, kaption_continuation *best);

#ifdef __cplusplus
}
#endif
#endif
