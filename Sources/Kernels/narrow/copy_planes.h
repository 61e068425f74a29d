// Fills the planes (planes.h) for a strip of output rows.

// Copies `bytes`, a multiple of four, in pieces that may overlap: stores under a mask are slow.
INLINE void copy_bytes(uint8_t *to, const uint8_t *from, size_t bytes) {
    size_t at = 0;
    for (; at + 64 <= bytes; at += 64) memcpy(to + at, from + at, 64);
    to += at;
    from += at;
    bytes -= at;
#define KAPTION_COPY_ENDS(size)                            \
    if (bytes >= size) {                                   \
        memcpy(to, from, size);                            \
        memcpy(to + bytes - size, from + bytes - size, size); \
        return;                                            \
    }
    KAPTION_COPY_ENDS(32)
    KAPTION_COPY_ENDS(16)
    KAPTION_COPY_ENDS(8)
    KAPTION_COPY_ENDS(4)
#undef KAPTION_COPY_ENDS
}

// Pixels of `tap` bytes to others `to_step` apart.
INLINE void copy_pixels(uint8_t *to, size_t to_step, const uint8_t *from, size_t from_step, size_t tap, size_t pixels) {
    if (to_step == tap && from_step == tap) {
        copy_bytes(to, from, pixels * tap);
        return;
    }
    for (size_t i = 0; i < pixels; i++) copy_bytes(to + i * to_step, from + i * from_step, tap);
}

static void copy_planes(const narrow_product *p, const narrow_planes *planes, size_t first_row, size_t rows) {
    const kaption_layer *layer = p->layer;
    const kaption_window *window = &layer->window;
    const size_t tap = 4 * narrow_tap_dwords(layer), row_bytes = planes->columns * planes->pixel_bytes;
    const size_t pixel = layer->input.stride * kaption_element_bytes(layer->input_numbers.element);
    const size_t plane_bytes = narrow_plane_bytes(layer, planes, rows), plane_rows = rows + planes->reach;
    const uint8_t *border = p->constants.border + p->group_bytes;
    // Columns of the border before the first pixel, and pixels.
    const size_t before = narrow_lesser((window->pad_left + planes->column_step - 1) / planes->column_step, planes->columns);
    const size_t all = (layer->input.width + window->pad_left + planes->column_step - 1) / planes->column_step;
    const size_t inside = narrow_lesser(all, planes->columns) - before;
    const size_t first_column = before * planes->column_step - window->pad_left;
    for (size_t plane = 0; plane < planes->planes; plane++) {
        uint8_t *to = (uint8_t *)layer->scratch + plane * plane_bytes;
        for (size_t i = 0; i < plane_rows; i++, to += row_bytes) {
            // Wraps below zero, and then is not less than the height.
            const size_t y = (first_row + i) * window->stride_height + plane - window->pad_top;
            const size_t pixels = y < layer->input.height ? inside : 0, gap = pixels > 0 ? before : planes->columns;
            copy_pixels(to, planes->pixel_bytes, border, 0, tap, gap);
            if (pixels == 0) continue;
            const uint8_t *from = narrow_pixel(&layer->input, layer->input_numbers.element, y, first_column) + p->group_bytes;
            copy_pixels(to + before * planes->pixel_bytes, planes->pixel_bytes, from, planes->column_step * pixel, tap, pixels);
            const size_t end = before + pixels;
            copy_pixels(to + end * planes->pixel_bytes, planes->pixel_bytes, border, 0, tap, planes->columns - end);
        }
        copy_pixels(to, planes->pixel_bytes, border, 0, tap, window->pad_left);
    }
}
