// The training kernels' plain twins: one element at a time, with the C library's functions.
#pragma clang fp contract(off)
#include "training_tables.h"
#include <math.h>

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

static void lstm_forward(size_t size, const float *input, const float *bias, float *gates, const float *before,
                         float *cell, float *hidden) {
    for (size_t j = 0; j < size; j++) {
        float sum[4];
        for (size_t g = 0; g < 4; g++) sum[g] = gates[g * size + j] + (input[g * size + j] + bias[g * size + j]);
        float entering = sigmoid(sum[0]), kept = sigmoid(sum[1]), candidate = tanhf(sum[2]), leaving = sigmoid(sum[3]);
        float next = fmaf(kept, before == NULL ? 0.0f : before[j], entering * candidate);
        gates[j] = entering;
        gates[size + j] = kept;
        gates[2 * size + j] = candidate;
        gates[3 * size + j] = leaving;
        cell[j] = next;
        hidden[j] = leaving * tanhf(next);
    }
}

static void lstm_backward(size_t size, float *gates, const float *before, const float *cell,
                          const float *hidden_gradient, float *cell_gradient) {
    for (size_t j = 0; j < size; j++) {
        float entering = gates[j], kept = gates[size + j], candidate = gates[2 * size + j], leaving = gates[3 * size + j];
        float squashed = tanhf(cell[j]);
        float by_cell = cell_gradient[j] + hidden_gradient[j] * leaving * (1.0f - squashed * squashed);
        gates[j] = by_cell * candidate * entering * (1.0f - entering);
        gates[size + j] = by_cell * (before == NULL ? 0.0f : before[j]) * kept * (1.0f - kept);
        gates[2 * size + j] = by_cell * entering * (1.0f - candidate * candidate);
        gates[3 * size + j] = hidden_gradient[j] * squashed * leaving * (1.0f - leaving);
        cell_gradient[j] = by_cell * kept;
    }
}

static float softmax_loss(size_t count, float *logits, const float *bias, size_t target, float smoothing, float weight) {
    float largest = -INFINITY, total = 0.0f, sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        logits[i] += bias[i];
        largest = logits[i] > largest ? logits[i] : largest;
        total += logits[i];
    }
    float wanted = logits[target];
    for (size_t i = 0; i < count; i++) sum += logits[i] = expf(logits[i] - largest);
    float spread = smoothing / (float)count;
    for (size_t i = 0; i < count; i++) logits[i] = fmaf(logits[i], weight / sum, -weight * spread);
    logits[target] -= weight * (1.0f - smoothing);
    return largest + logf(sum) - (1.0f - smoothing) * wanted - spread * total;
}

static void dropout(size_t count, uint64_t key, float share, const float *from, float *to) {
    const uint32_t threshold = kaption_dropout_threshold(share);
    const float scale = 1.0f / (1.0f - share);
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = (uint32_t)i;
        KAPTION_DROPOUT_HASH(hash, key);
        to[i] = hash < threshold ? 0.0f : from[i] * scale;
    }
}

static void adam(size_t count, const kaption_adam_step *step, const float *gradients, float *mean, float *variance,
                 float *weights) {
    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i] * step->gradient_scale;
        mean[i] = fmaf(1.0f - step->beta1, gradient - mean[i], mean[i]);
        variance[i] = fmaf(1.0f - step->beta2, gradient * gradient, step->beta2 * variance[i]);
        weights[i] -= step->rate * mean[i] / fmaf(sqrtf(variance[i]), step->inverse_variance, step->epsilon);
    }
}

static double sum_of_squares(size_t count, const float *values) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += (double)values[i] * (double)values[i];
    return sum;
}

const kaption_training_table kaption_training_plain = {lstm_forward, lstm_backward, softmax_loss,
                                                       dropout,      adam,          sum_of_squares};
