// Where the windows of a few output pixels one behind the other begin, so that what a tap of each reads is an addition away. `count`, at most
// MOST_PLACES, is known when it is compiled: the loops over them become vectors.
#ifndef KAPTION_WINDOW_PLACES_H
#define KAPTION_WINDOW_PLACES_H

#include "table.h"

enum { MOST_PLACES = 8 };

typedef struct {
    size_t height, width;  // of the input
    size_t step;           // bytes from pixel to pixel
    uintptr_t border;      // what taps outside read
    // Of the first tap: row, column and address. Rows and columns wrap below zero, and then are not less than the size of the image.
    uintptr_t y[MOST_PLACES], x[MOST_PLACES], at[MOST_PLACES];
} window_places;

// The places of output pixels from `pixel` on, over an input of pixels of `step` bytes from `origin` on.
static inline __attribute__((always_inline)) window_places window_places_of(
    const kaption_layer *layer, size_t pixel, const void *origin, const void *border, size_t step, const size_t count) {
    const kaption_window *window = &layer->window;
    window_places places = {.height = layer->input.height, .width = layer->input.width, .step = step, .border = (uintptr_t)border};
    size_t y = pixel / layer->output.width, x = pixel % layer->output.width;
    for (size_t i = 0; i < count; i++) {
        places.y[i] = y * window->stride_height - window->pad_top;
        places.x[i] = x * window->stride_width - window->pad_left;
        places.at[i] = (uintptr_t)origin + (places.y[i] * places.width + places.x[i]) * step;
        const int is_last = ++x == layer->output.width;
        x = is_last ? 0 : x;
        y += (size_t)is_last;
    }
    return places;
}

// What the tap of a window's row and column reads at place i.
static inline __attribute__((always_inline)) uintptr_t window_tap(
    const kaption_layer *layer, const window_places *places, size_t row, size_t column, size_t i) {
    const size_t down = row * layer->window.dilation_height, across = column * layer->window.dilation_width;
    const int inside = (places->y[i] + down < places->height) & (places->x[i] + across < places->width);
    return inside ? places->at[i] + (down * places->width + across) * places->step : places->border;
}

#endif
