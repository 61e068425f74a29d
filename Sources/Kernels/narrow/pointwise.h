// Layers that map each pixel by itself, pools, and rows for products. Elements are widened to
// floats, and what goes out is narrowed again.

#define NARROW_POINTWISE(name, is_binary, expression)                                                                 \
    INLINE void name##_known(const kaption_layer *layer, const kaption_element element, const kaption_element other_element, \
                             const kaption_element out_element) {                                                     \
        const kaption_numbers numbers = {element, layer->input_numbers.scale, layer->input_numbers.zero};             \
        const kaption_numbers other_numbers = {other_element, layer->other_numbers.scale, layer->other_numbers.zero}; \
        const size_t bytes = kaption_element_bytes(element), other_bytes = kaption_element_bytes(other_element);      \
        const size_t out_bytes = kaption_element_bytes(out_element);                                                  \
        const narrow_tail tail = narrow_tail_of(layer);                                                               \
        const int repeats = is_binary && layer->other.height * layer->other.width == 1;                               \
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {                                                  \
            for (size_t x = 0; x < layer->output.width; x++) {                                                        \
                const uint8_t *in = narrow_pixel(&layer->input, element, y, x);                                       \
                const uint8_t *other =                                                                                \
                    is_binary ? narrow_pixel(&layer->other, other_element, repeats ? 0 : y, repeats ? 0 : x) : NULL;  \
                uint8_t *out = narrow_output(layer, y, x);                                                            \
                for (size_t j = 0; j < layer->output.channels; j += LANES) {                                          \
                    const lane_mask mask = first_lanes(layer->output.channels - j);                                   \
                    const vector a = load_values(numbers, mask, in + j * bytes);                                      \
                    const vector b = is_binary ? load_values(other_numbers, mask, other + j * other_bytes) : a;       \
                    store_activated(&tail, out_element, mask, out + j * out_bytes, expression);                       \
                    (void)b;                                                                                          \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static void name(const kaption_layer *layer) {                                                                    \
        const kaption_element element = layer->input_numbers.element, out_element = layer->output_numbers.element;    \
        const kaption_element other_element = is_binary ? layer->other_numbers.element : element;                     \
        if (element == KAPTION_BFLOAT16 && other_element == KAPTION_BFLOAT16 && out_element == KAPTION_BFLOAT16)      \
            name##_known(layer, KAPTION_BFLOAT16, KAPTION_BFLOAT16, KAPTION_BFLOAT16);                                \
        else if (element == KAPTION_FLOAT32 && other_element == KAPTION_FLOAT32 && out_element == KAPTION_BFLOAT16)   \
            name##_known(layer, KAPTION_FLOAT32, KAPTION_FLOAT32, KAPTION_BFLOAT16);                                  \
        else if (element == KAPTION_FLOAT32 && other_element == KAPTION_FLOAT32 && out_element == KAPTION_UINT8)      \
            name##_known(layer, KAPTION_FLOAT32, KAPTION_FLOAT32, KAPTION_UINT8);                                     \
        else if (element == KAPTION_UINT8 && other_element == KAPTION_UINT8 && out_element == KAPTION_UINT8)          \
            name##_known(layer, KAPTION_UINT8, KAPTION_UINT8, KAPTION_UINT8);                                         \
        else                                                                                                          \
            name##_known(layer, element, other_element, out_element);                                                 \
    }

NARROW_POINTWISE(add_narrow, 1, add(a, b))
NARROW_POINTWISE(multiply_pixels, 1, multiply(a, b))
NARROW_POINTWISE(scale_shift_narrow, 0,
                 multiply_add(a, load_first(mask, layer->weights + j), load_first(mask, layer->bias + j)))
NARROW_POINTWISE(activation_narrow, 0, a)

#ifdef NARROW_PACKS_BYTES
#include "multiply_bytes.h"
#endif
static void multiply_narrow(const kaption_layer *layer) {
#ifdef NARROW_PACKS_BYTES
    if (multiply_bytes(layer)) return;
#endif
    multiply_pixels(layer);
}

// An image to bfloat16, zeros behind its channels.
static void convert_image(const kaption_layer *layer) {
    const size_t count = 4 * layer->output.width;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        const float *in = (const float *)(const void *)narrow_pixel(&layer->input, KAPTION_FLOAT32, y, 0);
        uint8_t *out = narrow_output(layer, y, 0);
        for (size_t j = 0; j < count; j += LANES) {
            const lane_mask mask = first_lanes(count - j);
            store_bfloat16(mask, out + 2 * j, first_of_fours(layer->output.channels, load_first(mask, in + j)));
        }
    }
}

// Pixels without anything between them are written a row at a time, as one pixel; so are an image's, each of which would be a vector of its own.
static void convert_narrow(const kaption_layer *layer) {
    const size_t stride = layer->input.stride;
    const int is_image = stride == 4 && layer->output.stride == 4;
    if (is_image && layer->input_numbers.element == KAPTION_FLOAT32 && layer->output_numbers.element == KAPTION_BFLOAT16) {
        convert_image(layer);
        return;
    }
    kaption_layer flat = *layer;
    if (layer->output.stride == stride && (is_image || layer->output.channels == stride)) {
        flat.input.channels = flat.output.channels = flat.input.stride = flat.output.stride = stride * layer->output.width;
        flat.input.width = flat.output.width = 1;
    }
    activation_narrow(&flat);
    if (is_image) narrow_clear_gaps(layer);
}

// The taps of a window that lie in the image, along one side.
typedef struct {
    size_t first, count;  // the image's row or column of the first one
} narrow_span;
static narrow_span narrow_span_of(size_t at, size_t pad, size_t dilation, size_t taps, size_t size) {
    const size_t skipped = at < pad ? (pad - at + dilation - 1) / dilation : 0;
    const size_t first = at + skipped * dilation - pad;
    if (skipped >= taps || first >= size) return (narrow_span){0, 0};
    const size_t fit = (size - first + dilation - 1) / dilation;
    return (narrow_span){first, fit < taps - skipped ? fit : taps - skipped};
}

#ifdef NARROW_PACKS_BYTES
#include "pools.h"
#else
static int pool_pairs(const kaption_layer *layer, const int is_max) {
    (void)layer;
    (void)is_max;
    return 0;
}
#endif

// The greatest bytes of windows, for an output of the input's numbers.
static void max_pool_bytes(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t channels = layer->output.channels;
    const size_t across = window->dilation_width * layer->input.stride;
    const size_t down = window->dilation_height * layer->input.width * layer->input.stride;
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        const narrow_span rows = narrow_span_of(y * window->stride_height, window->pad_top, window->dilation_height,
                                                window->kernel_height, layer->input.height);
        for (size_t x = 0; x < layer->output.width; x++) {
            const narrow_span columns = narrow_span_of(x * window->stride_width, window->pad_left, window->dilation_width,
                                                       window->kernel_width, layer->input.width);
            const uint8_t *first = rows.count * columns.count == 0
                                       ? NULL
                                       : narrow_pixel(&layer->input, KAPTION_UINT8, rows.first, columns.first);
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < channels; j += BYTE_LANES) {
                const size_t count = channels - j < BYTE_LANES ? channels - j : BYTE_LANES;
                byte_vector best = no_bytes();
                for (size_t i = 0; i < rows.count; i++)
                    for (size_t l = 0; l < columns.count; l++)
                        best = greater_bytes(best, first + i * down + l * across + j, count);
                store_bytes(out + j, best, count);
            }
        }
    }
}

// An average of bytes is that of their sum, which is exact.
INLINE void pool_narrow(const kaption_layer *layer, const int is_max, const kaption_element element) {
    const kaption_window *window = &layer->window;
    const kaption_numbers numbers = {element, layer->input_numbers.scale, layer->input_numbers.zero};
    const size_t channels = layer->output.channels, bytes = kaption_element_bytes(element);
    const size_t out_bytes = kaption_element_bytes(layer->output_numbers.element);
    const size_t across = window->dilation_width * layer->input.stride * bytes;
    const size_t down = window->dilation_height * layer->input.width * layer->input.stride * bytes;
    const narrow_tail tail = narrow_tail_of(layer);
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        const narrow_span rows = narrow_span_of(y * window->stride_height, window->pad_top, window->dilation_height,
                                                window->kernel_height, layer->input.height);
        const narrow_span padded_rows = narrow_span_of(y * window->stride_height, 0, window->dilation_height, window->kernel_height,
                                                       window->pad_top + layer->input.height + window->pad_bottom);
        for (size_t x = 0; x < layer->output.width; x++) {
            const narrow_span columns = narrow_span_of(x * window->stride_width, window->pad_left, window->dilation_width,
                                                       window->kernel_width, layer->input.width);
            const narrow_span padded = narrow_span_of(x * window->stride_width, 0, window->dilation_width, window->kernel_width,
                                                      window->pad_left + layer->input.width + window->pad_right);
            const size_t inside = rows.count * columns.count;
            const float cells = (float)(layer->counts_padding ? padded_rows.count * padded.count : inside);
            const vector shift = repeated(-((float)inside * numbers.zero));
            const uint8_t *first = inside == 0 ? NULL : narrow_pixel(&layer->input, element, rows.first, columns.first);
            uint8_t *out = narrow_output(layer, y, x);
            for (size_t j = 0; j < channels; j += LANES) {
                const lane_mask mask = first_lanes(channels - j);
                vector value = is_max ? repeated(-INFINITY) : zero();
                for (size_t i = 0; i < rows.count; i++)
                    for (size_t l = 0; l < columns.count; l++) {
                        const uint8_t *at = first + i * down + l * across + j * bytes;
                        const vector cell = is_max ? load_values(numbers, mask, at) : load_numbers(element, mask, at);
                        value = is_max ? greater_or_nan(cell, value) : add(value, cell);
                    }
                if (!is_max && element == KAPTION_UINT8) value = multiply(add(value, shift), repeated(numbers.scale / cells));
                else if (!is_max) value = divide(value, repeated(cells));
                store_activated(&tail, layer->output_numbers.element, mask, out + j * out_bytes, value);
            }
        }
    }
}

static void max_pool_narrow(const kaption_layer *layer) {
    const int is_bytes = layer->input_numbers.element == KAPTION_UINT8 && layer->activation.kind == KAPTION_LINEAR &&
                         narrow_same_numbers(layer->input_numbers, layer->output_numbers);
    if (pool_pairs(layer, 1)) return;
    if (is_bytes) max_pool_bytes(layer);
    else if (layer->input_numbers.element == KAPTION_BFLOAT16) pool_narrow(layer, 1, KAPTION_BFLOAT16);
    else pool_narrow(layer, 1, layer->input_numbers.element);
}
static void average_pool_narrow(const kaption_layer *layer) {
    if (pool_pairs(layer, 0)) return;
    if (layer->input_numbers.element == KAPTION_BFLOAT16) pool_narrow(layer, 0, KAPTION_BFLOAT16);
    else pool_narrow(layer, 0, layer->input_numbers.element);
}

static void global_average_pool_narrow(const kaption_layer *layer) {
    kaption_layer pool = *layer;
    pool.window = (kaption_window){layer->input.height, layer->input.width, 1, 1, 1, 1, 0, 0, 0, 0};
    pool.counts_padding = 0;
    average_pool_narrow(&pool);
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
