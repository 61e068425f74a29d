// Windows without a copy for each tap: the rows that a strip of output looks at are copied once, with their borders, so that output pixels that
// follow each other read pixels that do, and every tap is a distance. Between rows of pixels lies the border, which the end of one shares with
// the beginning of the next; the output pixels that would begin in it are computed too, and not written. Input row r of the strip lies in
// plane r mod the vertical stride, so that output rows are a row of a plane apart.
#ifndef KAPTION_NARROW_PLANES_H
#define KAPTION_NARROW_PLANES_H

#include "narrow.h"

typedef struct {
    size_t pixel_bytes;
    size_t columns;       // pixels of a row, borders included
    size_t column_step;   // of the input's columns that are copied
    size_t step;          // pixels from one output pixel to the next
    size_t places;        // output pixels from one output row to the next
    size_t planes, reach;  // rows that a plane has more than the strip's output
    size_t strip_rows;    // of output, at most
} narrow_planes;

static inline size_t narrow_greater(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t narrow_lesser(size_t a, size_t b) { return a < b ? a : b; }

// Bytes of a plane for `rows` output rows; the last one's windows may end in a border behind it.
static inline size_t narrow_plane_bytes(const kaption_layer *layer, const narrow_planes *planes, size_t rows) {
    return ((rows + planes->reach) * planes->columns + layer->window.pad_left) * planes->pixel_bytes / 64 * 64 + 64;
}

static inline narrow_planes narrow_planes_of(const kaption_layer *layer) {
    // Bytes of the strips' planes: they and the weights of some filters should stay in the second-level cache. Where the weights are more than
    // that cache they come from further away for each strip.
    enum { BYTES = 1 << 19, LARGE_WEIGHTS = 1 << 20 };
    const kaption_window *window = &layer->window;
    const size_t tap = 4 * narrow_tap_dwords(layer), width = layer->input.width, outputs = layer->output.width;
    const size_t taps = window->kernel_height * window->kernel_width;
    const int is_column = window->kernel_width == 1;
    narrow_planes planes = {
        .pixel_bytes = narrow_joins_taps(layer) ? tap : (tap + 63) / 64 * 64,
        .column_step = is_column ? window->stride_width : 1,
        .step = is_column ? 1 : window->stride_width,
        .planes = narrow_lesser(window->stride_height, (window->kernel_height - 1) * window->dilation_height + 1),
        .reach = (window->kernel_height - 1) * window->dilation_height / window->stride_height,
    };
    // Pixels a power of two apart would share few lines of the first-level cache.
    if (planes.pixel_bytes % 256 == 0) planes.pixel_bytes += 64;
    if (is_column) {
        planes.columns = outputs;
    } else {
        const size_t end = (outputs - 1) * window->stride_width + (window->kernel_width - 1) * window->dilation_width + 1;
        const size_t right = end > window->pad_left + width ? end - window->pad_left - width : 0;
        planes.columns = narrow_greater(width + narrow_greater(window->pad_left, right), outputs * planes.step);
        planes.columns = (planes.columns + planes.step - 1) / planes.step * planes.step;
    }
    planes.places = planes.columns / planes.step;
    const size_t bytes = taps * tap * layer->output.channels / layer->groups > LARGE_WEIGHTS ? 2 * BYTES : BYTES;
    const size_t rows = bytes / planes.planes / (planes.columns * planes.pixel_bytes);
    const size_t most = rows > planes.reach ? rows - planes.reach : 1;
    const size_t height = narrow_greater(layer->output.height, 1), strips = (height + most - 1) / most;
    planes.strip_rows = (height + strips - 1) / strips;
    return planes;
}

#endif
