// The rows of input under an output row of a depthwise convolution over windows of at most five.
enum { MOST_WINDOW_ROWS = 5 };
typedef struct {
    const uint8_t *rows[MOST_WINDOW_ROWS], *border;  // the first pixels, of the channels at hand
    size_t steps[MOST_WINDOW_ROWS];                  // bytes from pixel to pixel; 0 for a row of border
    size_t pad, width;
} window_rows;

// `offset`: bytes to the first of the channels.
INLINE window_rows window_rows_of(const kaption_layer *layer, const uint8_t *border, size_t y, size_t offset) {
    window_rows in = {.border = border + offset, .pad = layer->window.pad_left, .width = layer->input.width};
    narrow_window_rows(layer, y, in.rows);
    for (size_t i = 0; i < layer->window.kernel_height; i++) {
        in.steps[i] = in.rows[i] == NULL ? 0 : layer->input.stride * kaption_element_bytes(layer->input_numbers.element);
        in.rows[i] = in.rows[i] == NULL ? in.border : in.rows[i] + offset;
    }
    return in;
}

// Row i's pixel in column `column` of the padded input.
INLINE const uint8_t *window_pixel(const window_rows *in, size_t column, size_t i) {
    // Wraps below zero, and then is not less than the width.
    const size_t x = column - in->pad;
    return x < in->width ? in->rows[i] + x * in->steps[i] : in->border;
}
