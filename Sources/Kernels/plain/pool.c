#pragma clang fp contract(off)
#include <math.h>

#include "plain.h"

void kaption_plain_max_pool(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            float *out = kaption_pixel(&layer->output, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) {
                float best = -INFINITY;
                for (size_t i = 0; i < window->kernel_height; i++) {
                    for (size_t l = 0; l < window->kernel_width; l++) {
                        const float *in = kaption_plain_tap(layer, y, x, i, l);
                        if (in != NULL && (in[j] > best || isnan(in[j]))) best = in[j];
                    }
                }
                out[j] = kaption_plain_activate(&layer->activation, best);
            }
        }
    }
}

// How many of a window's cells along one axis lie below `end`, the padding before the image counted from 0.
static size_t cells_below(size_t start, size_t kernel, size_t dilation, size_t end) {
    size_t cells = 0;
    while (cells < kernel && start + cells * dilation < end) cells++;
    return cells;
}

void kaption_plain_average_pool(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    size_t padded_height = layer->input.height + window->pad_top + window->pad_bottom;
    size_t padded_width = layer->input.width + window->pad_left + window->pad_right;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        size_t rows = cells_below(y * window->stride_height, window->kernel_height, window->dilation_height, padded_height);
        for (size_t x = 0; x < layer->output.width; x++) {
            size_t columns =
                cells_below(x * window->stride_width, window->kernel_width, window->dilation_width, padded_width);
            float *out = kaption_pixel(&layer->output, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) {
                float sum = 0.0f;
                size_t inside = 0;
                for (size_t i = 0; i < window->kernel_height; i++) {
                    for (size_t l = 0; l < window->kernel_width; l++) {
                        const float *in = kaption_plain_tap(layer, y, x, i, l);
                        if (in == NULL) continue;
                        sum += in[j];
                        inside++;
                    }
                }
                size_t cells = layer->counts_padding ? rows * columns : inside;
                out[j] = kaption_plain_activate(&layer->activation, sum / (float)cells);
            }
        }
    }
}

void kaption_plain_global_average_pool(const kaption_layer *layer) {
    size_t pixels = layer->input.height * layer->input.width;
    for (size_t j = 0; j < layer->output.channels; j++) {
        float sum = 0.0f;
        for (size_t p = 0; p < pixels; p++) sum += layer->input.data[p * layer->input.stride + j];
        layer->output.data[j] = kaption_plain_activate(&layer->activation, sum / (float)pixels);
    }
}
