// Winograd's convolution: a block of tiles to their points, a product a point, and back.

INLINE vector subtract(vector a, vector b) { return add(a, negated(b)); }
KAPTION_WINOGRAD_FORWARD(winograd_forward, vector, INLINE, add, subtract, multiply, multiply_add, repeated)
KAPTION_WINOGRAD_BACKWARD(winograd_backward, vector, INLINE, add, subtract, multiply, multiply_add, repeated)

// Points of tile (row, column) for all channels: point p goes to to + p · plane.
INLINE void winograd_scatter(const kaption_layer *layer, const int side, size_t row, size_t column, float *to, size_t plane) {
    const size_t outputs = (size_t)side - 2, channels = layer->input.channels;
    const size_t top = row * outputs - layer->window.pad_top, left = column * outputs - layer->window.pad_left;
    const float *in[36];
    for (size_t i = 0; i < (size_t)side; i++)
        for (size_t j = 0; j < (size_t)side; j++)
            in[i * (size_t)side + j] = top + i < layer->input.height && left + j < layer->input.width
                                           ? kaption_pixel(&layer->input, top + i, left + j)
                                           : layer->zeros;
    for (size_t c = 0; c < channels; c += LANES) {
        const lane_mask mask = first_lanes(channels - c);
        vector half[6][6];
#pragma clang loop unroll(full)
        for (int j = 0; j < side; j++) {
            vector d[6], points[6];
#pragma clang loop unroll(full)
            for (int i = 0; i < side; i++) d[i] = load_first(mask, in[i * side + j] + c);
            winograd_forward(side, d, points);
#pragma clang loop unroll(full)
            for (int i = 0; i < side; i++) half[i][j] = points[i];
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < side; i++) {
            vector points[6];
            winograd_forward(side, half[i], points);
#pragma clang loop unroll(full)
            for (int j = 0; j < side; j++) store(to + (size_t)(i * side + j) * plane + c, points[j]);
        }
    }
}

// The outputs of tile (row, column) that lie in the image and in the rows to compute.
INLINE void winograd_gather(const kaption_layer *layer, const int side, size_t row, size_t column, const float *from,
                            size_t plane) {
    const size_t outputs = (size_t)side - 2, filters = layer->output.channels;
    const vector low = clip_low(&layer->activation), high = clip_high(&layer->activation);
    const size_t x_end = at_most(outputs, layer->output.width - column * outputs);
    for (size_t f = 0; f < filters; f += LANES) {
        const lane_mask mask = first_lanes(filters - f);
        const vector bias = layer->bias == NULL ? zero() : load_first(mask, layer->bias + f);
        vector half[4][6];
#pragma clang loop unroll(full)
        for (int j = 0; j < side; j++) {
            vector m[6], sums[4];
#pragma clang loop unroll(full)
            for (int i = 0; i < side; i++) m[i] = load(from + (size_t)(i * side + j) * plane + f);
            winograd_backward(side, m, sums);
#pragma clang loop unroll(full)
            for (int i = 0; i < side - 2; i++) half[i][j] = sums[i];
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < side - 2; i++) {
            const size_t y = row * outputs + (size_t)i;
            if (y < layer->row_begin || y >= layer->row_end) continue;
            vector sums[4];
            winograd_backward(side, half[i], sums);
#pragma clang loop unroll(full)
            for (size_t j = 0; j < (size_t)side - 2; j++) {
                if (j >= x_end) break;
                const size_t x = column * outputs + j;
                vector sum = add(sums[j], bias);
                if (layer->has_other) sum = add(sum, load_first(mask, kaption_pixel(&layer->other, y, x) + f));
                sum = is_clip(&layer->activation) ? clipped(sum, low, high) : activated(&layer->activation, sum);
                store_first(mask, kaption_pixel(&layer->output, y, x) + f, sum);
            }
        }
    }
}

typedef void (*product_function)(size_t, size_t, size_t, const float *, size_t, const float *, const float *, int, float *, size_t);

INLINE void run_winograd(const kaption_layer *layer, const int side) {
    const size_t outputs = (size_t)side - 2, points = (size_t)(side * side);
    const size_t in = layer->input.channels, out = layer->output.channels;
    const size_t block = kaption_winograd_tiles(outputs, layer->output.height, layer->output.width, in, out);
    const size_t plane = kaption_winograd_plane(block, in), out_plane = kaption_winograd_plane(block, out);
    const size_t stride = kaption_round_up(in), out_stride = kaption_round_up(out);
    const size_t weights = product_packed_floats(out, in), columns = (layer->output.width + outputs - 1) / outputs;
    const size_t end = (layer->row_end + outputs - 1) / outputs * columns;
    float *const to = layer->scratch, *const back = to + points * plane;
    const product_function run = out >= KAPTION_WINOGRAD_GATHERED || is_gathered(out, in) ? gathered_product : matrix_product;
    for (size_t first = layer->row_begin / outputs * columns; first < end; first += block) {
        const size_t tiles = at_most(block, end - first);
        for (size_t i = 0; i < tiles; i++)
            winograd_scatter(layer, side, (first + i) / columns, (first + i) % columns, to + i * stride, plane);
        for (size_t p = 0; p < points; p++)
            run(tiles, out, in, to + p * plane, stride, layer->weights + p * weights, NULL, 0, back + p * out_plane, out_stride);
        for (size_t i = 0; i < tiles; i++)
            winograd_gather(layer, side, (first + i) / columns, (first + i) % columns, back + i * out_stride, out_plane);
    }
}

static void winograd_4(const kaption_layer *layer) { run_winograd(layer, 6); }
static void winograd_2(const kaption_layer *layer) { run_winograd(layer, 4); }

static void winograd(const kaption_layer *layer) {
    if (layer->winograd_outputs == 4) winograd_4(layer);
    else winograd_2(layer);
}
