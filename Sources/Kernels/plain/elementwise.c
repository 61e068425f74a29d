#pragma clang fp contract(off)
#include <math.h>
#include <string.h>

#include "plain.h"

static float clip(float x, float low, float high) {
    // Written so that NaN stays NaN.
    if (x < low) return low;
    if (x > high) return high;
    return x;
}

float kaption_plain_activate(const kaption_activation *activation, float x) {
    switch (activation->kind) {
    case KAPTION_CLIP:
        return clip(x, activation->alpha, activation->beta);
    case KAPTION_SIGMOID:
        return 1.0f / (1.0f + expf(-x));
    case KAPTION_HARD_SIGMOID:
        return clip(fmaf(activation->alpha, x, activation->beta), 0.0f, 1.0f);
    case KAPTION_HARD_SWISH:
        return x * clip(fmaf(x, 1.0f / 6.0f, 0.5f), 0.0f, 1.0f);
    case KAPTION_SILU:
        return x / (1.0f + expf(-x));
    case KAPTION_GELU:
        return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    default:
        return x;
    }
}

// The pixel of the second operand that belongs to (y, x): its own, or the only one.
static const float *operand(const kaption_layer *layer, size_t y, size_t x) {
    if (layer->other.height * layer->other.width == 1) return layer->other.data;
    return kaption_pixel(&layer->other, y, x);
}

#define KAPTION_PLAIN_POINTWISE(name, expression)                                     \
    void name(const kaption_layer *layer) {                                           \
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {                  \
            for (size_t x = 0; x < layer->output.width; x++) {                        \
                const float *a = kaption_pixel(&layer->input, y, x);                  \
                const float *b = layer->has_other ? operand(layer, y, x) : NULL;      \
                float *out = kaption_pixel(&layer->output, y, x);                     \
                for (size_t j = 0; j < layer->output.channels; j++)                   \
                    out[j] = kaption_plain_activate(&layer->activation, expression);  \
                (void)b;                                                              \
            }                                                                         \
        }                                                                             \
    }

KAPTION_PLAIN_POINTWISE(kaption_plain_add, a[j] + b[j])
KAPTION_PLAIN_POINTWISE(kaption_plain_multiply, a[j] * b[j])
KAPTION_PLAIN_POINTWISE(kaption_plain_scale_shift, fmaf(a[j], layer->weights[j], layer->bias[j]))
KAPTION_PLAIN_POINTWISE(kaption_plain_activation, a[j])

void kaption_copy(const kaption_layer *layer) {
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++)
            memcpy(kaption_pixel(&layer->output, y, x), kaption_pixel(&layer->input, y, x),
                   layer->output.channels * sizeof(float));
}

void kaption_gather_channels(const kaption_layer *layer) {
    const uint32_t *indices = (const uint32_t *)(const void *)layer->weights;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            const float *in = kaption_pixel(&layer->input, y, x);
            float *out = kaption_pixel(&layer->output, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) out[j] = in[indices[j]];
        }
    }
}
