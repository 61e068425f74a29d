// Layers that map each pixel by itself, and pools.

#define POINTWISE(name, is_binary, expression)                                                              \
    static void name(const kaption_layer *layer) {                                                          \
        const size_t channels = layer->output.channels;                                                     \
        const int repeats = is_binary && layer->other.height * layer->other.width == 1;                     \
        const float *const weights = layer->weights, *const bias = layer->bias;                             \
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {                                        \
            for (size_t x = 0; x < layer->output.width; x++) {                                              \
                const float *in = kaption_pixel(&layer->input, y, x);                                       \
                const float *other = repeats     ? layer->other.data                                        \
                                     : is_binary ? kaption_pixel(&layer->other, y, x)                       \
                                                 : NULL;                                                    \
                float *out = kaption_pixel(&layer->output, y, x);                                           \
                size_t j = 0;                                                                               \
                for (; j + LANES <= channels; j += LANES) {                                                 \
                    const lane_mask mask = first_lanes(LANES);                                              \
                    store(out + j, activated(&layer->activation, expression(1)));                           \
                    (void)mask;                                                                             \
                }                                                                                           \
                if (j < channels) {                                                                         \
                    const lane_mask mask = first_lanes(channels - j);                                       \
                    store_first(mask, out + j, activated(&layer->activation, expression(0)));               \
                }                                                                                           \
                (void)other, (void)weights, (void)bias;                                                     \
            }                                                                                               \
        }                                                                                                   \
    }

#define PART(whole, from) load_part(whole, mask, (from) + j)
#define SUM(whole) add(PART(whole, in), PART(whole, other))
#define PRODUCT(whole) multiply(PART(whole, in), PART(whole, other))
#define SCALED_AND_SHIFTED(whole) multiply_add(PART(whole, in), PART(whole, weights), PART(whole, bias))
#define SAME(whole) PART(whole, in)

POINTWISE(add_layers, 1, SUM)
POINTWISE(multiply_layers, 1, PRODUCT)
POINTWISE(scale_shift, 0, SCALED_AND_SHIFTED)
POINTWISE(activation, 0, SAME)

// The range of a window's cells along one axis that are in the image.
INLINE void cells_inside(size_t start, size_t pad, size_t size, size_t kernel, size_t dilation, size_t *first, size_t *end) {
    *first = start >= pad ? 0 : (pad - start + dilation - 1) / dilation;
    size_t cells = start >= pad + size ? 0 : (pad + size - start + dilation - 1) / dilation;
    *end = cells < kernel ? cells : kernel;
}

INLINE void pool(const kaption_layer *layer, const int is_max) {
    const kaption_window *window = &layer->window;
    const kaption_tensor *input = &layer->input;
    const size_t channels = layer->output.channels;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        size_t top, bottom, padded_top, padded_bottom;
        const size_t start_y = y * window->stride_height;
        cells_inside(start_y, window->pad_top, input->height, window->kernel_height, window->dilation_height, &top, &bottom);
        cells_inside(start_y, 0, window->pad_top + input->height + window->pad_bottom, window->kernel_height,
                     window->dilation_height, &padded_top, &padded_bottom);
        for (size_t x = 0; x < layer->output.width; x++) {
            size_t left, right, padded_left, padded_right;
            const size_t start_x = x * window->stride_width;
            cells_inside(start_x, window->pad_left, input->width, window->kernel_width, window->dilation_width, &left, &right);
            cells_inside(start_x, 0, window->pad_left + input->width + window->pad_right, window->kernel_width,
                         window->dilation_width, &padded_left, &padded_right);
            const size_t inside = bottom > top && right > left ? (bottom - top) * (right - left) : 0;
            const size_t cells = layer->counts_padding ? padded_bottom * padded_right : inside;
            const vector divisor = repeated((float)cells);
            float *out = kaption_pixel(&layer->output, y, x);
            const float *corner = input->data;
            if (inside > 0)
                corner = kaption_pixel(input, start_y + top * window->dilation_height - window->pad_top,
                                       start_x + left * window->dilation_width - window->pad_left);
            const size_t down = window->dilation_height * input->width * input->stride, across = window->dilation_width * input->stride;
            for (size_t j = 0; j < channels; j += LANES) {
                const lane_mask mask = first_lanes(channels - j);
                vector value = is_max ? repeated(-INFINITY) : zero();
                const float *row = corner + j;
                for (size_t i = top; i < bottom; i++, row += down) {
                    const float *cell = row;
                    for (size_t l = left; l < right; l++, cell += across) {
                        const vector x = load_first(mask, cell);
                        value = is_max ? greater_or_nan(x, value) : add(value, x);
                    }
                }
                if (!is_max) value = divide(value, divisor);
                store_first(mask, out + j, activated(&layer->activation, value));
            }
        }
    }
}

static void max_pool(const kaption_layer *layer) { pool(layer, 1); }
static void average_pool(const kaption_layer *layer) { pool(layer, 0); }

static void global_average_pool(const kaption_layer *layer) {
    enum { VECTORS = 4 };
    const size_t pixels = layer->input.height * layer->input.width, channels = layer->output.channels;
    const vector divisor = repeated((float)pixels);
    for (size_t first = 0; first < channels; first += VECTORS * LANES) {
        vector sums[VECTORS] = {zero(), zero(), zero(), zero()};
        lane_mask masks[VECTORS];
        for (size_t v = 0; v < VECTORS; v++) {
            const size_t j = first + v * LANES;
            masks[v] = first_lanes(j < channels ? channels - j : 0);
        }
        for (size_t pixel = 0; pixel < pixels; pixel++) {
            const float *in = layer->input.data + pixel * layer->input.stride + first;
#pragma clang loop unroll(full)
            for (size_t v = 0; v < VECTORS; v++) sums[v] = add(sums[v], load_first(masks[v], in + v * LANES));
        }
        for (size_t v = 0; v < VECTORS; v++)
            store_first(masks[v], layer->output.data + first + v * LANES,
                        activated(&layer->activation, divide(sums[v], divisor)));
    }
}
