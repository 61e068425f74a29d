// Depthwise convolutions in exact floats: elements are widened, and what goes out is narrowed again.

// A sum of products of 8-bit integers is an integer below 2²⁴ for up to 518 taps, and so exact in floats.
enum { DEPTHWISE_TAPS = 512 };

// The outputs of one pixel, two vectors at a time.
INLINE void depthwise_pixel(const kaption_layer *layer, const narrow_constants *constants, const narrow_tail *tail, const uint8_t *const *in,
                            uint8_t *out, const size_t taps, const kaption_element element, const kaption_element out_element) {
    const size_t channels = layer->output.channels, weight_stride = kaption_round_up(channels);
    const size_t bytes = kaption_element_bytes(element), out_bytes = kaption_element_bytes(out_element);
    for (size_t j = 0; j < channels; j += 2 * LANES) {
        const size_t next = channels - j > LANES ? j + LANES : j;
        const float *weights = (const float *)(const void *)constants->weights;
        vector sum = floats_of(load_integers(constants->start + j)), next_sum = floats_of(load_integers(constants->start + next));
        for (size_t t = 0; t < taps; t++, weights += weight_stride) {
            const uint8_t *at = in[t];
            sum = multiply_add(load_numbers(element, first_lanes(LANES), at + j * bytes), load(weights + j), sum);
            next_sum = multiply_add(load_numbers(element, first_lanes(LANES), at + next * bytes), load(weights + next), next_sum);
        }
        store_finished(tail, out_element, first_lanes(channels - j), out + j * out_bytes, scaled_sum(constants, j, sum));
        if (next != j)
            store_finished(tail, out_element, first_lanes(channels - next), out + next * out_bytes, scaled_sum(constants, next, next_sum));
    }
}

INLINE void depthwise_known(const kaption_layer *layer, const size_t taps, const kaption_element element, const kaption_element out_element,
                            const int is_folded) {
    const kaption_window *window = &layer->window;
    const narrow_constants constants = narrow_constants_of(layer);
    narrow_tail tail = narrow_tail_of(layer);
    tail.is_folded = is_folded;
    const uint8_t *in[DEPTHWISE_TAPS];
    for (size_t y = layer->row_begin; y < layer->row_end; y++)
        for (size_t x = 0; x < layer->output.width; x++) {
            size_t t = 0;
            for (size_t row = 0; row < window->kernel_height; row++) {
                const size_t in_y = y * window->stride_height - window->pad_top + row * window->dilation_height;
                const int is_row = in_y < layer->input.height;
                const uint8_t *line = is_row ? narrow_pixel(&layer->input, element, narrow_ring_row(layer, in_y), 0) : NULL;
                for (size_t column = 0; column < window->kernel_width; column++, t++) {
                    const size_t in_x = x * window->stride_width - window->pad_left + column * window->dilation_width;
                    const int inside = is_row && in_x < layer->input.width;
                    in[t] = inside ? line + in_x * layer->input.stride * kaption_element_bytes(element) : constants.border;
                }
            }
            depthwise_pixel(layer, &constants, &tail, in, narrow_output(layer, y, x), taps, element, out_element);
        }
}

static void depthwise_narrow(const kaption_layer *layer) {
    const kaption_element element = layer->input_numbers.element, out_element = layer->output_numbers.element;
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width;
    const int is_folded = narrow_tail_of(layer).is_folded, is_bytes = element == KAPTION_UINT8 && out_element == KAPTION_UINT8;
    if (is_bytes && taps == 9 && is_folded) depthwise_known(layer, 9, KAPTION_UINT8, KAPTION_UINT8, 1);
    else if (is_bytes && taps == 9) depthwise_known(layer, 9, KAPTION_UINT8, KAPTION_UINT8, 0);
    else if (is_bytes && taps == 25 && is_folded) depthwise_known(layer, 25, KAPTION_UINT8, KAPTION_UINT8, 1);
    else if (is_bytes && taps == 25) depthwise_known(layer, 25, KAPTION_UINT8, KAPTION_UINT8, 0);
    else depthwise_known(layer, taps, element, out_element, is_folded);
}
