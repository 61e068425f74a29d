// Kernels of training: the LSTM's cell forward and backward, softmax with its loss and gradient in one pass, dropout, and
// Adam. They keep the rules of kaption_kernels.h. Rows lie one behind the other without gaps.
#ifndef KAPTION_TRAINING_H
#define KAPTION_TRAINING_H

#include "kaption_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// One step of an LSTM that keeps what its gradient needs (gates in PyTorch's order i, f, g, o).
//   gates   [rows × 4·size]: the recurrent product on entry, the activated gates on return;
//   inputs  inputs[r] points to 4·size floats, which are added, and so is bias [4·size];
//   before  [rows × size]: the cells of the step before, NULL for zeros;
//   cell, hidden [rows × size]: written.
void kaption_lstm_forward(kaption_isa isa, size_t rows, size_t size, const float *const *inputs, const float *bias,
                          float *gates, const float *before, float *cell, float *hidden);

// The same step backward.
//   gates           the activated gates on entry, on return the loss's gradient by the sums that went into them;
//   hidden_gradient [rows × size]: the loss's gradient by `hidden`;
//   cell_gradient   [rows × size]: its gradient by `cell` through the next step on entry, by `before` on return.
void kaption_lstm_backward(kaption_isa isa, size_t rows, size_t size, float *gates, const float *before,
                           const float *cell, const float *hidden_gradient, float *cell_gradient);

// Cross-entropy of softmax(logits + bias) against `target`, with label smoothing: the wanted distribution is (1 − smoothing)
// at the target plus smoothing ÷ count everywhere (Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7).
// Returns the loss; `logits` become weight × its gradient. Not finite if a logit is NaN or +∞.
float kaption_softmax_loss(kaption_isa isa, size_t count, float *logits, const float *bias, size_t target,
                           float smoothing, float weight);

// to[i] = from[i] ÷ (1 − share), or 0 for about that share of them. Which, follows from key and i alone, so that the same
// call passes the gradient back. `from` may be `to`. 0 ≤ share < 1.
void kaption_dropout(kaption_isa isa, size_t count, uint64_t key, float share, const float *from, float *to);

typedef struct {
    float gradient_scale;  // of clipping
    float beta1, beta2, epsilon;
    float rate;              // learning rate ÷ (1 − beta1^step)
    float inverse_variance;  // 1 ÷ √(1 − beta2^step)
} kaption_adam_step;

// One step of Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1).
void kaption_adam(kaption_isa isa, size_t count, const kaption_adam_step *step, const float *gradients, float *mean,
                  float *variance, float *weights);

// Σ x² over `count` values, in double precision.
double kaption_sum_of_squares(kaption_isa isa, size_t count, const float *values);

#ifdef __cplusplus
}
#endif
#endif
