// Depthwise convolutions in exact floats, layers that map each pixel by itself, pools, and rows for products. Elements are widened to
// floats, and what goes out is narrowed again.

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
                in[t] = inside ? narrow_pixel(&layer->input, element, in_y, in_x) : constants.border;
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

#define NARROW_POINTWISE(name, is_binary, expression)                                                                 \
    static void name(const kaption_layer *layer) {                                                                    \
        const kaption_numbers numbers = layer->input_numbers, other_numbers = layer->other_numbers;                   \
        const size_t bytes = kaption_element_bytes(numbers.element), other_bytes = kaption_element_bytes(other_numbers.element); \
        const size_t out_bytes = kaption_element_bytes(layer->output_numbers.element);                                \
        const narrow_tail tail = narrow_tail_of(layer);                                                               \
        const int repeats = is_binary && layer->other.height * layer->other.width == 1;                               \
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {                                                  \
            for (size_t x = 0; x < layer->output.width; x++) {                                                        \
                const uint8_t *in = narrow_pixel(&layer->input, numbers.element, y, x);                               \
                const uint8_t *other =                                                                                \
                    is_binary ? narrow_pixel(&layer->other, other_numbers.element, repeats ? 0 : y, repeats ? 0 : x) : NULL; \
                uint8_t *out = narrow_output(layer, y, x);                                                            \
                for (size_t j = 0; j < layer->output.channels; j += LANES) {                                          \
                    const lane_mask mask = first_lanes(layer->output.channels - j);                                   \
                    const vector a = load_values(numbers, mask, in + j * bytes);                                      \
                    const vector b = is_binary ? load_values(other_numbers, mask, other + j * other_bytes) : a;       \
                    store_activated(&tail, layer->output_numbers.element, mask, out + j * out_bytes, expression);     \
                    (void)b;                                                                                          \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

NARROW_POINTWISE(add_narrow, 1, add(a, b))
NARROW_POINTWISE(multiply_narrow, 1, multiply(a, b))
NARROW_POINTWISE(scale_shift_narrow, 0,
                 multiply_add(a, load_first(mask, layer->weights + j), load_first(mask, layer->bias + j)))
NARROW_POINTWISE(activation_narrow, 0, a)

// An image's pixels lie so close that each of them would be a vector of its own: its rows are written as one pixel.
static void convert_narrow(const kaption_layer *layer) {
    kaption_layer flat = *layer;
    if (layer->input.stride == 4 && layer->output.stride == 4) {
        flat.input.channels = flat.output.channels = 4 * layer->output.width;
        flat.input.stride = flat.output.stride = 4 * layer->output.width;
        flat.input.width = flat.output.width = 1;
    }
    activation_narrow(&flat);
}

// The greatest bytes of windows, for an output of the input's numbers.
static void max_pool_bytes(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < layer->output.channels; j += 16) {
                uint8_t best[16] = {0};
                for (size_t i = 0; i < window->kernel_height; i++) {
                    const size_t row = y * window->stride_height + i * window->dilation_height - window->pad_top;
                    if (row >= layer->input.height) continue;
                    for (size_t l = 0; l < window->kernel_width; l++) {
                        const size_t column = x * window->stride_width + l * window->dilation_width - window->pad_left;
                        if (column >= layer->input.width) continue;
                        greater_bytes(best, narrow_pixel(&layer->input, KAPTION_UINT8, row, column) + j);
                    }
                }
                const size_t left = layer->output.channels - j;
                if (left >= 16) memcpy(out + j, best, 16);
                else memcpy(out + j, best, left);
            }
        }
    }
}

INLINE void pool_narrow(const kaption_layer *layer, const int is_max) {
    const kaption_window *window = &layer->window;
    const kaption_numbers numbers = layer->input_numbers;
    const size_t channels = layer->output.channels, bytes = kaption_element_bytes(numbers.element);
    const size_t out_bytes = kaption_element_bytes(layer->output_numbers.element);
    const size_t padded_height = window->pad_top + layer->input.height + window->pad_bottom;
    const size_t padded_width = window->pad_left + layer->input.width + window->pad_right;
    const narrow_tail tail = narrow_tail_of(layer);
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < channels; j += LANES) {
                const lane_mask mask = first_lanes(channels - j);
                vector value = is_max ? repeated(-INFINITY) : zero();
                size_t inside = 0, padded = 0;
                for (size_t i = 0; i < window->kernel_height; i++) {
                    const size_t from_top = y * window->stride_height + i * window->dilation_height;
                    for (size_t l = 0; l < window->kernel_width; l++) {
                        const size_t from_left = x * window->stride_width + l * window->dilation_width;
                        const size_t row = from_top - window->pad_top, column = from_left - window->pad_left;
                        padded += from_top < padded_height && from_left < padded_width;
                        if (row >= layer->input.height || column >= layer->input.width) continue;
                        inside++;
                        const vector cell =
                            load_values(numbers, mask, narrow_pixel(&layer->input, numbers.element, row, column) + j * bytes);
                        value = is_max ? greater_or_nan(cell, value) : add(value, cell);
                    }
                }
                if (!is_max) value = divide(value, repeated((float)(layer->counts_padding ? padded : inside)));
                store_activated(&tail, layer->output_numbers.element, mask, out + j * out_bytes, value);
            }
        }
    }
}

static void max_pool_narrow(const kaption_layer *layer) {
    const int is_bytes = layer->input_numbers.element == KAPTION_UINT8 && layer->activation.kind == KAPTION_LINEAR &&
                         narrow_same_numbers(layer->input_numbers, layer->output_numbers);
    if (is_bytes) max_pool_bytes(layer);
    else pool_narrow(layer, 1);
}
static void average_pool_narrow(const kaption_layer *layer) { pool_narrow(layer, 0); }

static void global_average_pool_narrow(const kaption_layer *layer) {
    kaption_layer pool = *layer;
    pool.window = (kaption_window){layer->input.height, layer->input.width, 1, 1, 1, 1, 0, 0, 0, 0};
    pool.counts_padding = 0;
    pool_narrow(&pool, 0);
}

static void write_row(kaption_element element, size_t k, const float *a, void *row, float *scale) {
    const size_t padded = kaption_narrow_row_stride(k), bytes = kaption_element_bytes(element);
    float factor = 1.0f;
    if (element == KAPTION_UINT8) {
        vector greatest = zero();
        for (size_t j = 0; j < k; j += LANES)
            greatest = greater_or_nan(magnitude(load_first(first_lanes(k - j), a + j)), greatest);
        // What is not a number makes the product with zero none.
        vector none = multiply(greatest, zero());
        float magnitudes = 0.0f;
        float lanes[LANES];
        store(lanes, none);
        for (int l = 0; l < LANES; l++) magnitudes += lanes[l];
        magnitudes += greatest_lane(greatest);
        *scale = magnitudes / 127.0f;
        factor = magnitudes > 0.0f ? 127.0f / magnitudes : 0.0f;
    }
    for (size_t j = 0; j < padded; j += LANES) {
        vector x = j < k ? load_first(first_lanes(k - j), a + j) : zero();
        if (element == KAPTION_UINT8) x = clipped_integer(multiply_add(x, repeated(factor), repeated(128.0f)));
        store_numbers(element, first_lanes(LANES), (uint8_t *)row + j * bytes, x);
    }
}
