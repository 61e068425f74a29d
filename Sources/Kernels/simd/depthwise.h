// Depthwise convolution: a sum per channel. The usual kernels (3×3 and 5×5, stride 1 and 2) compute up to OUTPUTS
// neighbouring pixels at once, so that an input vector, once loaded, serves all of them; any other goes pixel by pixel.

enum { OUTPUTS = 7 };  // widths of 7·2ⁿ, the usual ones, fall into whole tiles

// Where row y of the input lies.
INLINE size_t in_ring(const kaption_layer *layer, size_t y) { return layer->input_ring == 0 ? y : y % layer->input_ring; }

typedef struct {
    const float *const *pixels;  // [kernel row][column]: edge tiles, where a column may be outside the image
    const float *rows[5];        // else the first column of each kernel row,
    size_t row_strides[5];       // and the distance of its columns
    size_t channels, weight_stride;
    const float *weights, *bias;
    float *out;
    size_t out_stride;
    const kaption_activation *activation;
} depthwise_tile;

INLINE vector load_part(int whole, lane_mask mask, const float *from) { return whole ? load(from) : load_first(mask, from); }

// `whole`: all lanes from channel j on are there.
INLINE void depthwise_vector(const depthwise_tile *tile, size_t j, const int whole, lane_mask mask, const int kernel,
                             const int stride, const int outputs, const int is_edge) {
    const int columns = (outputs - 1) * stride + kernel;
    vector sums[OUTPUTS];
    const vector bias = tile->bias == NULL ? zero() : load_part(whole, mask, tile->bias + j);
#pragma clang loop unroll(full)
    for (int o = 0; o < outputs; o++) sums[o] = bias;
#pragma clang loop unroll(full)
    for (int i = 0; i < kernel; i++) {
        vector weights[5];
#pragma clang loop unroll(full)
        for (int l = 0; l < kernel; l++) weights[l] = load(tile->weights + (size_t)(i * kernel + l) * tile->weight_stride + j);
        const float *in = is_edge ? NULL : tile->rows[i] + j;
        const size_t row_stride = tile->row_strides[i];
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) {
            vector x = load_part(whole, mask, is_edge ? tile->pixels[i * columns + c] + j : in);
            if (!is_edge) in += row_stride;
#pragma clang loop unroll(full)
            for (int o = 0; o < outputs; o++) {
                const int l = c - o * stride;
                if (l >= 0 && l < kernel) sums[o] = multiply_add(x, weights[l], sums[o]);
            }
        }
    }
    const vector low = clip_low(tile->activation), high = clip_high(tile->activation);
#pragma clang loop unroll(full)
    for (int o = 0; o < outputs; o++) {
        vector sum = clipped(sums[o], low, high);
        float *out = tile->out + (size_t)o * tile->out_stride + j;
        if (whole) store(out, sum);
        else store_first(mask, out, sum);
    }
}

INLINE void run_depthwise_tile(const depthwise_tile *tile, const int kernel, const int stride, const int outputs,
                               const int is_edge) {
    size_t j = 0;
    for (; j + LANES <= tile->channels; j += LANES)
        depthwise_vector(tile, j, 1, first_lanes(LANES), kernel, stride, outputs, is_edge);
    if (j < tile->channels)
        depthwise_vector(tile, j, 0, first_lanes(tile->channels - j), kernel, stride, outputs, is_edge);
    if (!is_clip(tile->activation))
        activate_rows(tile->activation, tile->out, (size_t)outputs, tile->channels, tile->out_stride);
}

typedef void (*depthwise_function)(const depthwise_tile *);
#define DEPTHWISE(k, s, n)                                                                                             \
    static void depthwise_##k##_##s##_##n(const depthwise_tile *tile) { run_depthwise_tile(tile, k, s, n, 0); }        \
    static void depthwise_edge_##k##_##s##_##n(const depthwise_tile *tile) { run_depthwise_tile(tile, k, s, n, 1); }
#define DEPTHWISE_OUTPUTS(k, s)                                                                                        \
    DEPTHWISE(k, s, 1) DEPTHWISE(k, s, 2) DEPTHWISE(k, s, 3) DEPTHWISE(k, s, 4) DEPTHWISE(k, s, 5) DEPTHWISE(k, s, 6)  \
    DEPTHWISE(k, s, 7)
DEPTHWISE_OUTPUTS(3, 1) DEPTHWISE_OUTPUTS(3, 2) DEPTHWISE_OUTPUTS(5, 1) DEPTHWISE_OUTPUTS(5, 2)
#define DEPTHWISE_NAMES(prefix, k, s)                                                                        \
    {prefix##_##k##_##s##_1, prefix##_##k##_##s##_2, prefix##_##k##_##s##_3, prefix##_##k##_##s##_4,         \
     prefix##_##k##_##s##_5, prefix##_##k##_##s##_6, prefix##_##k##_##s##_7}
// [is edge][kernel 5][stride 2][outputs - 1]
static const depthwise_function depthwise_tiles[2][2][2][OUTPUTS] = {
    {{DEPTHWISE_NAMES(depthwise, 3, 1), DEPTHWISE_NAMES(depthwise, 3, 2)},
     {DEPTHWISE_NAMES(depthwise, 5, 1), DEPTHWISE_NAMES(depthwise, 5, 2)}},
    {{DEPTHWISE_NAMES(depthwise_edge, 3, 1), DEPTHWISE_NAMES(depthwise_edge, 3, 2)},
     {DEPTHWISE_NAMES(depthwise_edge, 5, 1), DEPTHWISE_NAMES(depthwise_edge, 5, 2)}},
};

static void depthwise_square(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t kernel = window->kernel_height, stride = window->stride_height, width = layer->output.width;
    const size_t tile_count = (width + OUTPUTS - 1) / OUTPUTS, small = width / tile_count, larger = width % tile_count;
    const float *pixels[5 * ((OUTPUTS - 1) * 2 + 5)];
    depthwise_tile tile = {
        .pixels = pixels, .channels = layer->output.channels, .weight_stride = kaption_round_up(layer->output.channels),
        .weights = layer->weights, .bias = layer->bias, .out_stride = layer->output.stride,
        .activation = &layer->activation,
    };
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        // Rows and columns outside the image wrap below zero, and then are not less than its size.
        const size_t top = y * stride - window->pad_top;
        for (size_t i = 0, x = 0; i < tile_count; i++) {
            const size_t outputs = small + (i < larger), columns = (outputs - 1) * stride + kernel;
            const size_t left = x * stride - window->pad_left;
            const int is_edge = left >= layer->input.width || left + columns > layer->input.width;
            for (size_t row = 0; row < kernel; row++) {
                const int has_row = top + row < layer->input.height;
                const size_t in_y = in_ring(layer, top + row);
                if (!is_edge) {
                    tile.rows[row] = has_row ? kaption_pixel(&layer->input, in_y, left) : layer->zeros;
                    tile.row_strides[row] = has_row ? layer->input.stride : 0;
                    continue;
                }
                for (size_t column = 0; column < columns; column++) {
                    const int inside = has_row && left + column < layer->input.width;
                    pixels[row * columns + column] =
                        inside ? kaption_pixel(&layer->input, in_y, left + column) : layer->zeros;
                }
            }
            tile.out = kaption_pixel(&layer->output, y, x);
            depthwise_tiles[is_edge][kernel == 5][stride == 2][outputs - 1](&tile);
            x += outputs;
        }
    }
}

// Any window: the taps of one pixel that are in the image.
static void depthwise_any(const kaption_layer *layer) {
    enum { TAPS = 256 };  // at a time; the sums wait in the output
    const kaption_window *window = &layer->window;
    const size_t channels = layer->output.channels, weight_stride = kaption_round_up(channels);
    const size_t taps = window->kernel_height * window->kernel_width;
    const vector low = clip_low(&layer->activation), high = clip_high(&layer->activation);
    const float *in[TAPS], *weights[TAPS];
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        for (size_t x = 0; x < layer->output.width; x++) {
            float *out = kaption_pixel(&layer->output, y, x);
            size_t t = 0;
            do {
                const int is_first = t == 0;
                size_t count = 0;
                for (; t < taps && count < TAPS; t++) {
                    const size_t in_y = y * window->stride_height - window->pad_top +
                                        t / window->kernel_width * window->dilation_height;
                    const size_t in_x = x * window->stride_width - window->pad_left +
                                        t % window->kernel_width * window->dilation_width;
                    if (in_y >= layer->input.height || in_x >= layer->input.width) continue;
                    in[count] = kaption_pixel(&layer->input, in_ring(layer, in_y), in_x);
                    weights[count++] = layer->weights + t * weight_stride;
                }
                for (size_t j = 0; j < channels; j += LANES) {
                    const lane_mask mask = first_lanes(channels - j);
                    vector sum = !is_first ? load_first(mask, out + j)
                                           : layer->bias == NULL ? zero() : load_first(mask, layer->bias + j);
                    for (size_t i = 0; i < count; i++)
                        sum = multiply_add(load_first(mask, in[i] + j), load(weights[i] + j), sum);
                    store_first(mask, out + j, t < taps ? sum : clipped(sum, low, high));
                }
            } while (t < taps);
            if (!is_clip(&layer->activation)) activate_rows(&layer->activation, out, 1, channels, channels);
        }
    }
}

static void depthwise(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t kernel = window->kernel_height, stride = window->stride_height;
    const int is_square = (kernel == 3 || kernel == 5) && window->kernel_width == kernel && (stride == 1 || stride == 2) &&
                          window->stride_width == stride && window->dilation_height == 1 && window->dilation_width == 1;
    if (is_square) depthwise_square(layer);
    else depthwise_any(layer);
}
