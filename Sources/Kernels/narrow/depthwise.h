// Depthwise convolutions in exact floats: elements are widened, and what goes out is narrowed again.

// A sum of products of 8-bit integers is an integer below 2²⁴ for up to 518 taps, and so exact in floats.
static void depthwise_narrow(const kaption_layer *layer) {
    enum { TAPS = 512 };
    const kaption_window *window = &layer->window;
    const narrow_constants constants = narrow_constants_of(layer);
    const narrow_tail tail = narrow_tail_of(layer);
    const kaption_element element = layer->input_numbers.element, out_element = layer->output_numbers.element;
    const size_t channels = layer->output.channels, weight_stride = kaption_round_up(channels);
    const size_t taps = window->kernel_height * window->kernel_width;
    const size_t bytes = kaption_element_bytes(element), out_bytes = kaption_element_bytes(out_element);
    const float *weights = (const float *)(const void *)constants.weights;
    const uint8_t *in[TAPS];
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t t = 0; t < taps; t++) {
                const size_t in_y = y * window->stride_height - window->pad_top +
                                    t / window->kernel_width * window->dilation_height;
                const size_t in_x = x * window->stride_width - window->pad_left +
                                    t % window->kernel_width * window->dilation_width;
                const int inside = in_y < layer->input.height && in_x < layer->input.width;
                in[t] = inside ? narrow_pixel(&layer->input, element, narrow_ring_row(layer, in_y), in_x) : constants.border;
            }
            for (size_t j = 0; j < channels; j += LANES) {
                const lane_mask mask = first_lanes(channels - j);
                vector sum = floats_of(load_integers(constants.start + j));
                if (element == KAPTION_UINT8)
                    for (size_t t = 0; t < taps; t++)
                        sum = multiply_add(load_uint8(in[t] + j), load(weights + t * weight_stride + j), sum);
                else
                    for (size_t t = 0; t < taps; t++)
                        sum = multiply_add(load_bfloat16(in[t] + j * bytes), load(weights + t * weight_stride + j), sum);
                store_finished(&tail, out_element, mask, out + j * out_bytes, scaled_sum(&constants, j, sum));
            }
        }
    }
}
