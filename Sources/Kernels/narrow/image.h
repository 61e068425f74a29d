// Convolutions over few channels, as an image has: a tap of a window would be a dword or two, less than it costs to begin one. The input rows of
// an output row are copied with their borders and without what lies between the pixels, so that a row of a window is one piece (narrow_row_view).
// Where that is an odd number of bfloat16 the next pixel's first channel is multiplied with a weight of zero, so an image must be finite.

INLINE size_t image_rows_read(const kaption_window *window) { return (window->kernel_height - 1) * window->dilation_height + 1; }
INLINE size_t image_columns_read(const kaption_window *window, size_t columns) {
    return (columns - 1) * window->stride_width + window->kernel_width;
}

// Copies `columns` pixels of row y of the padded input from `left` on, four elements a pixel: what is too much is overwritten by the next one,
// and the last one's goes beyond the end, where zeros follow.
static void copy_image_row(const kaption_layer *layer, const uint8_t border, size_t y, size_t left, size_t columns, uint8_t *to) {
    const kaption_window *window = &layer->window;
    const size_t bytes = kaption_element_bytes(layer->input_numbers.element), pixel = layer->input.channels * bytes;
    const size_t pad = window->pad_left, right = pad + layer->input.width;
    size_t begin = left < pad ? pad - left : 0, end = right > left ? right - left : 0;
    begin = begin < columns ? begin : columns;
    end = end < columns ? end : columns;
    // Wraps below zero, and then is not less than the height.
    y -= window->pad_top;
    if (y >= layer->input.height || begin >= end) {
        memset(to, border, columns * pixel);
        memset(to + columns * pixel, 0, 8);
        return;
    }
    memset(to, border, begin * pixel);
    const uint8_t *from = narrow_pixel(&layer->input, layer->input_numbers.element, y, left + begin - pad);
    const size_t step = layer->input.stride * bytes;
    uint8_t *out = to + begin * pixel;
    if (bytes == 1)
        for (size_t j = begin; j < end; j++, from += step, out += pixel) memcpy(out, from, 4);
    else
        for (size_t j = begin; j < end; j++, from += step, out += pixel) memcpy(out, from, 8);
    memset(out, border, (columns - end) * pixel);
    memset(to + columns * pixel, 0, 8);
}

// Calls `run` for the outputs of a layer, a piece of a row at a time.
INLINE void run_image(const narrow_product *whole, const uint32_t *packed, void (*run)(const narrow_product *, const uint32_t *)) {
    uint8_t image[NARROW_IMAGE_BYTES];
    const kaption_layer *layer = whole->layer;
    const kaption_window *window = &layer->window;
    const kaption_layer view = narrow_row_view(layer);
    const size_t pixel = layer->input.channels * kaption_element_bytes(layer->input_numbers.element);
    size_t columns = layer->output.width;
    while (narrow_image_bytes(layer, columns) > NARROW_IMAGE_BYTES) columns = (columns + 1) / 2;
    const size_t line = narrow_image_line(layer, columns);
    narrow_product part = *whole;
    part.taps = window->kernel_height;
    part.dwords = narrow_tap_dwords(&view);
    part.rows = image;
    part.row_step = window->stride_width * pixel;
    part.tap_step = window->dilation_height * line;
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x += columns) {
            part.pixels = layer->output.width - x < columns ? layer->output.width - x : columns;
            part.first_pixel = y * layer->output.width + x;
            const size_t read = image_columns_read(window, part.pixels);
            for (size_t i = 0; i < image_rows_read(window); i += window->dilation_height)
                copy_image_row(layer, *whole->constants.border, y * window->stride_height + i, x * window->stride_width, read,
                               image + i * line);
            run(&part, packed);
        }
}
