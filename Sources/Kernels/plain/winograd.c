#pragma clang fp contract(off)
#include <math.h>

#include "../winograd.h"
#include "plain.h"

static inline float sum_of(float a, float b) { return a + b; }
static inline float difference_of(float a, float b) { return a - b; }
static inline float product_of(float a, float b) { return a * b; }
static inline float itself(float x) { return x; }
KAPTION_WINOGRAD_FORWARD(forward, float, static, sum_of, difference_of, product_of, fmaf, itself)
KAPTION_WINOGRAD_BACKWARD(backward, float, static, sum_of, difference_of, product_of, fmaf, itself)

// The points of one channel of the tile whose first output is (y, x).
static void points_of_tile(const kaption_layer *layer, int side, size_t y, size_t x, size_t channel, float points[6][6]) {
    float half[6][6], column[6], transformed[6];
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++) {
            const float *in = kaption_plain_tap(layer, y, x, (size_t)i, (size_t)j);
            column[i] = in == NULL ? 0.0f : in[channel];
        }
        forward(side, column, transformed);
        for (int i = 0; i < side; i++) half[i][j] = transformed[i];
    }
    for (int i = 0; i < side; i++) forward(side, half[i], points[i]);
}

static void sums_of_tile(int side, float products[6][6], float sums[4][4]) {
    float half[4][6], column[6], transformed[4];
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++) column[i] = products[i][j];
        backward(side, column, transformed);
        for (int i = 0; i < side - 2; i++) half[i][j] = transformed[i];
    }
    for (int i = 0; i < side - 2; i++) backward(side, half[i], sums[i]);
}

// One tile: its points for all channels go to scratch, then each filter's products come back.
static void run_tile(const kaption_layer *layer, int side, size_t y, size_t x) {
    const size_t outputs = (size_t)side - 2, in = layer->input.channels, out = layer->output.channels;
    const size_t weights = kaption_plain_packed_floats(out, in);
    float block[6][6], sums[4][4];
    for (size_t c = 0; c < in; c++) {
        points_of_tile(layer, side, y, x, c, block);
        for (int p = 0; p < side * side; p++) layer->scratch[(size_t)p * in + c] = block[p / side][p % side];
    }
    for (size_t j = 0; j < out; j++) {
        for (int p = 0; p < side * side; p++) {
            const float *w = layer->weights + (size_t)p * weights + j * in, *points = layer->scratch + (size_t)p * in;
            float sum = 0.0f;
            for (size_t c = 0; c < in; c++) sum = fmaf(points[c], w[c], sum);
            block[p / side][p % side] = sum;
        }
        sums_of_tile(side, block, sums);
        for (size_t i = y; i < y + outputs; i++) {
            for (size_t l = x; l < x + outputs && l < layer->output.width; l++) {
                if (i < layer->row_begin || i >= layer->row_end) continue;
                float sum = sums[i - y][l - x] + (layer->bias == NULL ? 0.0f : layer->bias[j]);
                if (layer->has_other) sum += kaption_pixel(&layer->other, i, l)[j];
                kaption_pixel(&layer->output, i, l)[j] = kaption_plain_activate(&layer->activation, sum);
            }
        }
    }
}

void kaption_plain_winograd(const kaption_layer *layer) {
    const size_t outputs = layer->winograd_outputs;
    for (size_t y = layer->row_begin / outputs * outputs; y < layer->row_end; y += outputs)
        for (size_t x = 0; x < layer->output.width; x += outputs) run_tile(layer, (int)outputs + 2, y, x);
}
