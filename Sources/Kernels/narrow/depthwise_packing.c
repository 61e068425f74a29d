// Weights of depthwise convolutions as their kernels read them.
#pragma clang fp contract(off)
#include "narrow.h"

// Depthwise weights tap by tap, as floats.
static void pack_taps(const kaption_layer *layer, const float *w, const float *scales, float *to) {
    const size_t channels = layer->output.channels, padded = kaption_round_up(channels);
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    for (size_t j = 0; j < channels; j++)
        for (size_t t = 0; t < taps; t++) {
            const float x = w[j * taps + t];
            to[t * padded + j] = layer->input_numbers.element == KAPTION_UINT8 ? (float)narrow_quantised(x, scales[j])
                                                                               : narrow_widened(narrow_bfloat16(x));
        }
}

// Depthwise weights as depthwise_pairs.h reads them: of each 32 channels the even ones, then the odd ones.
static void pack_pairs(const kaption_layer *layer, const float *w, float *to) {
    const size_t channels = layer->output.channels, padded = narrow_pair_channels(channels);
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    for (size_t j = 0; j < channels; j++)
        for (size_t t = 0; t < taps; t++)
            to[t * padded + j / 32 * 32 + j % 2 * 16 + j % 32 / 2] = narrow_widened(narrow_bfloat16(w[j * taps + t]));
}

// Depthwise weights as depthwise_pair_windows.h reads them: [32 channels][column][two pairs of rows][two vectors][lane][row].
static void pack_pair_windows(const kaption_layer *layer, const float *w, uint16_t *to) {
    for (size_t j = 0; j < layer->output.channels; j++) {
        const size_t vector = j % 8 / 4, lane = j % 32 / 8 * 4 + j % 4;
        for (size_t row = 0; row < 3; row++)
            for (size_t column = 0; column < 3; column++) {
                const size_t dword = (column * 2 + row / 2) * 32 + vector * 16 + lane;
                to[2 * (j / 32 * NARROW_PAIR_WINDOW_DWORDS + dword) + row % 2] = narrow_bfloat16(w[(j * 3 + row) * 3 + column]);
            }
    }
}

// Depthwise weights as depthwise_bytes.h reads them: [64 channels][column][four rows][vector][lane][row].
static void pack_columns(const kaption_layer *layer, const float *w, const float *scales, int8_t *to) {
    const size_t height = layer->window.kernel_height, width = layer->window.kernel_width, quads = (height + 3) / 4;
    for (size_t j = 0; j < layer->output.channels; j++) {
        const size_t in_lane = j % 16, vector = in_lane / 4, lane = j % 64 / 16 * 4 + in_lane % 4;
        for (size_t row = 0; row < height; row++)
            for (size_t column = 0; column < width; column++)
                to[((j / 64 * width + column) * quads + row / 4) * 256 + vector * 64 + lane * 4 + row % 4] =
                    narrow_quantised(w[(j * height + row) * width + column], scales[j]);
    }
}

// Depthwise weights as depthwise_widened.h reads them: [16 channels][column][pair of rows][two vectors][lane][row].
static void pack_widened(const kaption_layer *layer, const float *w, const float *scales, int16_t *to) {
    const size_t side = layer->window.kernel_width, pairs = (side + 1) / 2;
    for (size_t j = 0; j < layer->output.channels; j++) {
        const size_t vector = j % 8 / 4, lane = j % 16 / 8 * 4 + j % 4;
        for (size_t row = 0; row < side; row++)
            for (size_t column = 0; column < side; column++) {
                const size_t at = (j / 16 * narrow_widened_vectors(layer) + (column * pairs + row / 2) * 2 + vector) * 8 + lane;
                to[2 * at + row % 2] = narrow_quantised(w[(j * side + row) * side + column], scales[j]);
            }
    }
}

size_t narrow_depthwise_floats(narrow_depthwise_form form, const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t channels = layer->output.channels, taps = window->kernel_height * window->kernel_width;
    switch (form) {
    case NARROW_PAIR_WINDOWS: return (channels + 31) / 32 * NARROW_PAIR_WINDOW_DWORDS;
    case NARROW_PAIRS: return taps * narrow_pair_channels(channels);
    case NARROW_ORDERED_COLUMNS: return (channels + 63) / 64 * window->kernel_width * ((window->kernel_height + 3) / 4) * 64;
    case NARROW_WIDENED_WINDOWS: return (channels + 15) / 16 * narrow_widened_vectors(layer) * 8;
    case NARROW_SINGLE_TAPS: return taps * kaption_round_up(channels);
    }
}

void narrow_pack_depthwise(narrow_depthwise_form form, const kaption_layer *layer, const float *w, const float *scales, float *to) {
    void *weights = to;
    switch (form) {
    case NARROW_PAIR_WINDOWS: pack_pair_windows(layer, w, weights); break;
    case NARROW_PAIRS: pack_pairs(layer, w, weights); break;
    case NARROW_ORDERED_COLUMNS: pack_columns(layer, w, scales, weights); break;
    case NARROW_WIDENED_WINDOWS: pack_widened(layer, w, scales, weights); break;
    case NARROW_SINGLE_TAPS: pack_taps(layer, w, scales, weights); break;
    }
}
