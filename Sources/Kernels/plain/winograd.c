#pragma clang fp contract(off)
#include <math.h>

#include "../winograd.h"
#include "plain.h"

enum { SIDE = KAPTION_WINOGRAD_SIDE, OUTPUTS = KAPTION_WINOGRAD_OUTPUTS };

static inline float sum_of(float a, float b) { return a + b; }
static inline float difference_of(float a, float b) { return a - b; }
static inline float product_of(float a, float b) { return a * b; }
static inline float itself(float x) { return x; }
KAPTION_WINOGRAD_FORWARD(forward, float, static, sum_of, difference_of, product_of, fmaf, itself)
KAPTION_WINOGRAD_BACKWARD(backward, float, static, sum_of, difference_of, product_of, fmaf, itself)

typedef struct {
    kaption_winograd_axis down, across;
    size_t height, width;  // its points
} tile_shape;

// The points of one channel of the tile whose first output is (y, x).
static void points_of_tile(const kaption_layer *layer, const tile_shape *shape, size_t y, size_t x, size_t channel,
                           float points[SIDE][SIDE]) {
    float half[SIDE][SIDE], column[SIDE], transformed[SIDE];
    for (size_t j = 0; j < shape->width; j++) {
        for (size_t i = 0; i < shape->height; i++) {
            const float *in = kaption_plain_tap(layer, y, x, i, j);
            column[i] = in == NULL ? 0.0f : in[channel];
        }
        forward(shape->down, column, transformed);
        for (size_t i = 0; i < shape->height; i++) half[i][j] = transformed[i];
    }
    for (size_t i = 0; i < shape->height; i++) forward(shape->across, half[i], points[i]);
}

static void sums_of_tile(const tile_shape *shape, float products[SIDE][SIDE], float sums[OUTPUTS][OUTPUTS]) {
    float half[OUTPUTS][SIDE], column[SIDE], transformed[OUTPUTS];
    for (size_t j = 0; j < shape->width; j++) {
        for (size_t i = 0; i < shape->height; i++) column[i] = products[i][j];
        backward(shape->down, column, transformed);
        for (size_t i = 0; i < shape->down.outputs; i++) half[i][j] = transformed[i];
    }
    for (size_t i = 0; i < shape->down.outputs; i++) backward(shape->across, half[i], sums[i]);
}

// One tile: its points for all channels go to scratch, then each filter's products come back.
static void run_tile(const kaption_layer *layer, const tile_shape *shape, size_t y, size_t x) {
    const size_t in = layer->input.channels, out = layer->output.channels, count = shape->height * shape->width;
    const size_t weights = kaption_plain_packed_floats(out, in);
    float block[SIDE][SIDE], sums[OUTPUTS][OUTPUTS];
    for (size_t c = 0; c < in; c++) {
        points_of_tile(layer, shape, y, x, c, block);
        for (size_t p = 0; p < count; p++) layer->scratch[p * in + c] = block[p / shape->width][p % shape->width];
    }
    for (size_t j = 0; j < out; j++) {
        for (size_t p = 0; p < count; p++) {
            const float *w = layer->weights + p * weights + j * in, *points = layer->scratch + p * in;
            float sum = 0.0f;
            for (size_t c = 0; c < in; c++) sum = fmaf(points[c], w[c], sum);
            block[p / shape->width][p % shape->width] = sum;
        }
        sums_of_tile(shape, block, sums);
        for (size_t i = y; i < y + shape->down.outputs; i++) {
            for (size_t l = x; l < x + shape->across.outputs && l < layer->output.width; l++) {
                if (i < layer->row_begin || i >= layer->row_end) continue;
                float sum = sums[i - y][l - x] + (layer->bias == NULL ? 0.0f : layer->bias[j]);
                if (layer->has_other) sum += kaption_pixel(&layer->other, i, l)[j];
                kaption_pixel(&layer->output, i, l)[j] = kaption_plain_activate(&layer->activation, sum);
            }
        }
    }
}

void kaption_plain_winograd(const kaption_layer *layer) {
    const kaption_winograd_axis down = kaption_winograd_down(&layer->window, layer->tile);
    const kaption_winograd_axis across = kaption_winograd_across(&layer->window, layer->tile);
    const tile_shape shape = {down, across, kaption_winograd_side(down), kaption_winograd_side(across)};
    for (size_t y = layer->row_begin / down.outputs * down.outputs; y < layer->row_end; y += down.outputs)
        for (size_t x = 0; x < layer->output.width; x += across.outputs) run_tile(layer, &shape, y, x);
}
