#pragma clang fp contract(off)
#include <math.h>

#include "plain.h"

void kaption_plain_convolution(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    size_t taps = window->kernel_height * window->kernel_width;
    size_t channels = layer->input.channels / layer->groups;
    size_t filters = layer->output.channels / layer->groups;
    size_t group_floats = kaption_plain_packed_floats(filters, taps * channels);
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            float *out = kaption_pixel(&layer->output, y, x);
            for (size_t j = 0; j < layer->output.channels; j++) {
                size_t group = j / filters;
                const float *w = layer->weights + group * group_floats + (j % filters) * taps * channels;
                float sum = 0.0f;
                for (size_t t = 0; t < taps; t++) {
                    const float *in = kaption_plain_tap(layer, y, x, t / window->kernel_width, t % window->kernel_width);
                    if (in == NULL) in = layer->zeros;
                    else in += group * channels;
                    for (size_t p = 0; p < channels; p++) sum = fmaf(in[p], w[t * channels + p], sum);
                }
                if (layer->bias != NULL) sum += layer->bias[j];
                if (layer->has_other) sum += kaption_pixel(&layer->other, y, x)[j];
                out[j] = kaption_plain_activate(&layer->activation, sum);
            }
        }
    }
}

void kaption_plain_depthwise(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    size_t channels = layer->output.channels, stride = kaption_round_up(channels);
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            float *out = kaption_pixel(&layer->output, y, x);
            for (size_t j = 0; j < channels; j++) {
                float sum = layer->bias == NULL ? 0.0f : layer->bias[j];
                for (size_t t = 0; t < window->kernel_height * window->kernel_width; t++) {
                    const float *in = kaption_plain_tap(layer, y, x, t / window->kernel_width, t % window->kernel_width);
                    if (in != NULL) sum = fmaf(in[j], layer->weights[t * stride + j], sum);
                }
                out[j] = kaption_plain_activate(&layer->activation, sum);
            }
        }
    }
}
