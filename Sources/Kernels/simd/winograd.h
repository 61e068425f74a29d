// Winograd's convolution: a block of tiles to their points, a product a point, and back.

enum { SIDE = KAPTION_WINOGRAD_SIDE, MOST_OUTPUTS = KAPTION_WINOGRAD_OUTPUTS };

KAPTION_WINOGRAD_FORWARD(winograd_forward, vector, INLINE, add, subtract, multiply, multiply_add, repeated)
KAPTION_WINOGRAD_BACKWARD(winograd_backward, vector, INLINE, add, subtract, multiply, multiply_add, repeated)

// The inputs of a tile. Where all lie in the image they are rows and columns apart, else each has its own pointer.
typedef struct {
    const float *first;
    size_t row, column;
    const float *const *edge;
} winograd_inputs;

// The points of a tile for a vector of channels from c on: point p goes to to + p · plane.
INLINE void scatter_vector(const winograd_inputs *in, const kaption_winograd_axis down, const kaption_winograd_axis across,
                           const int is_edge, const int whole, lane_mask mask, size_t c, float *to, size_t plane) {
    const size_t height = kaption_winograd_side(down), width = kaption_winograd_side(across);
    vector half[SIDE][SIDE];
#pragma clang loop unroll(full)
    for (size_t j = 0; j < width; j++) {
        vector d[SIDE], points[SIDE];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < height; i++) {
            const float *from = is_edge ? in->edge[i * width + j] : in->first + i * in->row + j * in->column;
            d[i] = load_part(whole, mask, from + c);
        }
        winograd_forward(down, d, points);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < height; i++) half[i][j] = points[i];
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < height; i++) {
        vector points[SIDE];
        winograd_forward(across, half[i], points);
#pragma clang loop unroll(full)
        for (size_t j = 0; j < width; j++) store(to + (i * width + j) * plane + c, points[j]);
    }
}

INLINE void scatter_channels(const winograd_inputs *in, const kaption_winograd_axis down, const kaption_winograd_axis across,
                             const int is_edge, size_t channels, float *to, size_t plane) {
    size_t c = 0;
    for (; c + LANES <= channels; c += LANES) scatter_vector(in, down, across, is_edge, 1, first_lanes(LANES), c, to, plane);
    if (c < channels) scatter_vector(in, down, across, is_edge, 0, first_lanes(channels - c), c, to, plane);
}

// Tile (row, column) to its points.
INLINE void winograd_scatter(const kaption_layer *layer, const kaption_winograd_axis down, const kaption_winograd_axis across, size_t row,
                             size_t column, float *to, size_t plane) {
    const size_t height = kaption_winograd_side(down), width = kaption_winograd_side(across);
    // Wraps below zero, and then is not less than the image's size.
    const size_t top = row * down.outputs - layer->window.pad_top;
    const size_t left = column * across.outputs - layer->window.pad_left;
    winograd_inputs in = {.row = layer->input.width * layer->input.stride, .column = layer->input.stride};
    if (top < layer->input.height && top + height <= layer->input.height && left < layer->input.width &&
        left + width <= layer->input.width) {
        in.first = kaption_pixel(&layer->input, top, left);
        scatter_channels(&in, down, across, 0, layer->input.channels, to, plane);
        return;
    }
    const float *edge[SIDE * SIDE];
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++)
            edge[i * width + j] = top + i < layer->input.height && left + j < layer->input.width
                                      ? kaption_pixel(&layer->input, top + i, left + j)
                                      : layer->zeros;
    in.edge = edge;
    scatter_channels(&in, down, across, 1, layer->input.channels, to, plane);
}

// The outputs of tile (row, column) that lie in the image and in the rows to compute.
INLINE void winograd_gather(const kaption_layer *layer, const kaption_winograd_axis down, const kaption_winograd_axis across, size_t row,
                            size_t column, const float *from, size_t plane) {
    const size_t height = kaption_winograd_side(down), width = kaption_winograd_side(across), filters = layer->output.channels;
    const vector low = clip_low(&layer->activation), high = clip_high(&layer->activation);
    const size_t x_end = at_most(across.outputs, layer->output.width - column * across.outputs);
    for (size_t f = 0; f < filters; f += LANES) {
        const lane_mask mask = first_lanes(filters - f);
        const vector bias = layer->bias == NULL ? zero() : load_first(mask, layer->bias + f);
        vector half[MOST_OUTPUTS][SIDE];
#pragma clang loop unroll(full)
        for (size_t j = 0; j < width; j++) {
            vector m[SIDE], sums[MOST_OUTPUTS];
#pragma clang loop unroll(full)
            for (size_t i = 0; i < height; i++) m[i] = load(from + (i * width + j) * plane + f);
            winograd_backward(down, m, sums);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < down.outputs; i++) half[i][j] = sums[i];
        }
#pragma clang loop unroll(full)
        for (size_t i = 0; i < down.outputs; i++) {
            const size_t y = row * down.outputs + i;
            if (y < layer->row_begin || y >= layer->row_end) continue;
            vector sums[MOST_OUTPUTS];
            winograd_backward(across, half[i], sums);
#pragma clang loop unroll(full)
            for (size_t j = 0; j < across.outputs; j++) {
                if (j >= x_end) break;
                const size_t x = column * across.outputs + j;
                vector sum = add(sums[j], bias);
                if (layer->has_other) sum = add(sum, load_first(mask, kaption_pixel(&layer->other, y, x) + f));
                sum = is_clip(&layer->activation) ? clipped(sum, low, high) : activated(&layer->activation, sum);
                store_first(mask, kaption_pixel(&layer->output, y, x) + f, sum);
            }
        }
    }
}

typedef void (*product_function)(size_t, size_t, size_t, const float *, size_t, const float *, const float *, int, float *, size_t);

INLINE void run_winograd(const kaption_layer *layer, const kaption_winograd_axis down, const kaption_winograd_axis across) {
    const size_t points = kaption_winograd_side(down) * kaption_winograd_side(across);
    const size_t in = layer->input.channels, out = layer->output.channels;
    const size_t columns = (layer->output.width + across.outputs - 1) / across.outputs;
    const size_t all = (layer->output.height + down.outputs - 1) / down.outputs * columns;
    const size_t block = kaption_winograd_block(points, all, in, out);
    const size_t plane = kaption_winograd_plane(block, in), out_plane = kaption_winograd_plane(block, out);
    const size_t stride = kaption_round_up(in), out_stride = kaption_round_up(out), weights = product_packed_floats(out, in);
    const size_t end = (layer->row_end + down.outputs - 1) / down.outputs * columns;
    float *const to = layer->scratch, *const back = to + points * plane;
    const product_function run = out >= KAPTION_WINOGRAD_GATHERED || is_gathered(out, in) ? gathered_product : matrix_product;
    for (size_t first = layer->row_begin / down.outputs * columns; first < end; first += block) {
        const size_t tiles = at_most(block, end - first);
        for (size_t i = 0; i < tiles; i++)
            winograd_scatter(layer, down, across, (first + i) / columns, (first + i) % columns, to + i * stride, plane);
        for (size_t p = 0; p < points; p++)
            run(tiles, out, in, to + p * plane, stride, layer->weights + p * weights, NULL, 0, back + p * out_plane, out_stride);
        for (size_t i = 0; i < tiles; i++)
            winograd_gather(layer, down, across, (first + i) / columns, (first + i) % columns, back + i * out_stride, out_plane);
    }
}

#define AXIS(taps, outputs) ((kaption_winograd_axis){taps, outputs})
#define ALONG_BOTH(taps, outputs)                                          \
    static void winograd_##taps##_##outputs(const kaption_layer *layer) {  \
        run_winograd(layer, AXIS(taps, outputs), AXIS(taps, outputs));     \
    }
#define ALONG_ONE(taps, outputs)                                                                                           \
    static void winograd_down_##taps(const kaption_layer *layer) { run_winograd(layer, AXIS(taps, outputs), AXIS(1, 1)); } \
    static void winograd_across_##taps(const kaption_layer *layer) { run_winograd(layer, AXIS(1, 1), AXIS(taps, outputs)); }
ALONG_BOTH(3, 4) ALONG_BOTH(3, 2) ALONG_BOTH(5, 2)
ALONG_ONE(3, 4) ALONG_ONE(7, 3)

static void winograd(const kaption_layer *layer) {
    const size_t down = layer->window.kernel_height, across = layer->window.kernel_width;
    if (across == 1) (down == 3 ? winograd_down_3 : winograd_down_7)(layer);
    else if (down == 1) (across == 3 ? winograd_across_3 : winograd_across_7)(layer);
    else if (down == 5) winograd_5_2(layer);
    else (layer->tile.height == 4 ? winograd_3_4 : winograd_3_2)(layer);
}
