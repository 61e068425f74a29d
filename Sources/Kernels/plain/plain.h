// The plain twins: every kernel written as its definition reads, the order of sums and the FMAs of the vector kernels included.
#ifndef KAPTION_PLAIN_H
#define KAPTION_PLAIN_H

#include "../table.h"

size_t kaption_plain_packed_floats(size_t n, size_t k);
void kaption_plain_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed);
void kaption_plain_gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                        const float *bias, int accumulate, float *c, size_t ldc);
void kaption_plain_convolution(const kaption_layer *layer);
void kaption_plain_depthwise(const kaption_layer *layer);
void kaption_plain_winograd(const kaption_layer *layer);
void kaption_plain_add(const kaption_layer *layer);
void kaption_plain_multiply(const kaption_layer *layer);
void kaption_plain_scale_shift(const kaption_layer *layer);
void kaption_plain_activation(const kaption_layer *layer);
void kaption_plain_max_pool(const kaption_layer *layer);
void kaption_plain_average_pool(const kaption_layer *layer);
void kaption_plain_global_average_pool(const kaption_layer *layer);

float kaption_plain_activate(const kaption_activation *activation, float x);

// The input pixel that tap (i, j) of output pixel (y, x) reads, or NULL outside the image.
static inline const float *kaption_plain_tap(const kaption_layer *layer, size_t y, size_t x, size_t i, size_t j) {
    const kaption_window *window = &layer->window;
    size_t row = y * window->stride_height + i * window->dilation_height;
    size_t column = x * window->stride_width + j * window->dilation_width;
    if (row < window->pad_top || column < window->pad_left) return NULL;
    row -= window->pad_top;
    column -= window->pad_left;
    if (row >= layer->input.height || column >= layer->input.width) return NULL;
    if (layer->input_ring != 0) row %= layer->input_ring;
    return kaption_pixel(&layer->input, row, column);
}

#endif
