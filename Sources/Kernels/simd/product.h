// The packed product: C[m×n] = A[m×k] · Wᵀ, each row of A given by a pointer per tap, so that a convolution needs no copy of
// its input (Dukhan, "The Indirect Convolution Algorithm", 2019, section 3).
//
// W lies in panels of at most TILE_VECTORS vectors of columns; within a panel the columns of one k are adjacent. Register tiles
// of TILE_ROWS × a panel are summed over blocks of k, the sums waiting in C between blocks. Tiles and blocks are cut by shape
// alone, and each sum runs through k in order, so its bits depend on neither.

enum {
    BLOCK_TILES = 16,      // tiles of rows that share a panel's block while it is in the first-level cache
    BLOCK_K = 192,         // k of a block: a panel's block takes 36 KiB with AVX-512, 12 KiB with AVX2
    BLOCK_POINTERS = 2048  // rows × taps of a block at most
};

// Vectors of the next panel where `columns` are left.
INLINE size_t panel_vectors(size_t columns) {
    size_t vectors = (columns + LANES - 1) / LANES;
    if (vectors <= TILE_VECTORS) return vectors;
    return vectors == TILE_VECTORS + 1 ? (vectors + 1) / 2 : TILE_VECTORS;
}

static size_t product_packed_floats(size_t n, size_t k) {
    return kaption_round_up((n + LANES - 1) / LANES * LANES * k);
}

static void product_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    for (size_t j = 0; j < n;) {
        size_t width = panel_vectors(n - j) * LANES;
        for (size_t p = 0; p < k; p++)
            for (size_t l = 0; l < width; l++) *packed++ = j + l < n ? w[(j + l) * ldw + p] : 0.0f;
        j += width;
    }
}

// One register tile.
typedef struct {
    const float *const *rows;  // [tap][TILE_ROWS]
    size_t taps;
    size_t first, count;  // the channels of each tap to sum
    const float *panel;
    float *c;
    size_t ldc;
    int accumulate;  // start from what is in C
    int is_last;     // no block of k follows: bias, residual and clip
    lane_mask mask;  // of the last vector's columns
    const float *bias;
    const float *residual;
    size_t residual_stride;
    const kaption_activation *activation;
} product_tile;

INLINE void run_tile(const product_tile *tile, const int rows, const int vectors) {
    const int last = vectors - 1;
    vector sums[TILE_ROWS][TILE_VECTORS];
    const float *w = tile->panel;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            sums[i][v] = !tile->accumulate ? zero() : v == last ? load_first(tile->mask, c) : load(c);
        }
    for (size_t t = 0; t < tile->taps; t++) {
        const float *a[TILE_ROWS];
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) a[i] = tile->rows[t * TILE_ROWS + i] + tile->first;
#pragma clang loop unroll(disable)
        for (size_t p = 0; p < tile->count; p++, w += vectors * LANES) {
            vector weights[TILE_VECTORS];
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) weights[v] = load(w + v * LANES);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                vector x = repeated(a[i][p]);
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(x, weights[v], sums[i][v]);
            }
        }
    }
    if (tile->is_last) {
        const vector low = clip_low(tile->activation), high = clip_high(tile->activation);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const float *bias = tile->bias + v * LANES;
            vector shift = tile->bias == NULL ? zero() : v == last ? load_first(tile->mask, bias) : load(bias);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                vector sum = tile->bias == NULL ? sums[i][v] : add(sums[i][v], shift);
                if (tile->residual != NULL) {
                    const float *other = tile->residual + (size_t)i * tile->residual_stride + v * LANES;
                    sum = add(sum, v == last ? load_first(tile->mask, other) : load(other));
                }
                sums[i][v] = clipped(sum, low, high);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            if (v == last) store_first(tile->mask, c, sums[i][v]);
            else store(c, sums[i][v]);
        }
}

#define TILE(rows, vectors) \
    static void tile_##rows##_##vectors(const product_tile *tile) { run_tile(tile, rows, vectors); }
#define TILES(vectors) \
    TILE(1, vectors) TILE(2, vectors) TILE(3, vectors) TILE(4, vectors) TILE(5, vectors) TILE(6, vectors)
TILES(1) TILES(2)
#define TILE_NAMES(vectors) \
    tile_1_##vectors, tile_2_##vectors, tile_3_##vectors, tile_4_##vectors, tile_5_##vectors, tile_6_##vectors
typedef void (*tile_function)(const product_tile *);
#ifdef KAPTION_TILES_8_3
TILES(3)
TILE(7, 1) TILE(8, 1) TILE(7, 2) TILE(8, 2) TILE(7, 3) TILE(8, 3)
static const tile_function tiles[TILE_VECTORS][TILE_ROWS] = {{TILE_NAMES(1), tile_7_1, tile_8_1},
                                                             {TILE_NAMES(2), tile_7_2, tile_8_2},
                                                             {TILE_NAMES(3), tile_7_3, tile_8_3}};
#else
static const tile_function tiles[TILE_VECTORS][TILE_ROWS] = {{TILE_NAMES(1)}, {TILE_NAMES(2)}};
#endif

// A product whose rows are the pixels of a convolution's output, or of a plain matrix.
typedef struct {
    size_t m, n, taps, channels;  // k = taps · channels
    const kaption_layer *layer;   // NULL: the rows are a + i·lda
    size_t first_pixel;           // of the layer's output
    size_t group_offset;          // the first of the layer's input channels
    const float *a;
    size_t lda;
    const float *packed;
    product_tile tile;  // C, tail; the rest is filled in tile by tile
} product;

// Pointers of taps first..<first + taps for `rows` output pixels from `pixel` on.
static void fill_pointers(const product *p, size_t pixel, size_t rows, size_t first, size_t taps, const float **pointers) {
    if (p->layer == NULL) {
        for (size_t i = 0; i < rows; i++) pointers[i] = p->a + (pixel + i) * p->lda;
        return;
    }
    const kaption_layer *layer = p->layer;
    const kaption_window *window = &layer->window;
    const size_t width = layer->output.width, input_stride = layer->input.stride;
    size_t y = (p->first_pixel + pixel) / width, x = (p->first_pixel + pixel) % width;
    for (size_t i = 0; i < rows; i++) {
        // Wraps below zero, and then is not less than the size of the image.
        const size_t top = y * window->stride_height - window->pad_top;
        const size_t left = x * window->stride_width - window->pad_left;
        size_t row = first / window->kernel_width, column = first % window->kernel_width;
        for (size_t t = 0; t < taps; t++) {
            const size_t in_y = top + row * window->dilation_height, in_x = left + column * window->dilation_width;
            const int inside = in_y < layer->input.height && in_x < layer->input.width;
            const float *in = layer->input.data + (in_y * layer->input.width + in_x) * input_stride;
            pointers[t * TILE_ROWS + i] = (inside ? in : layer->zeros) + p->group_offset;
            if (++column == window->kernel_width) {
                column = 0;
                row++;
            }
        }
        if (++x == width) {
            x = 0;
            y++;
        }
    }
}

static void run_product(const product *p) {
    const size_t k = p->taps * p->channels;
    const size_t tile_count = (p->m + TILE_ROWS - 1) / TILE_ROWS;
    const size_t small = p->m / tile_count, larger = p->m % tile_count;  // the first `larger` tiles have a row more
    size_t block_taps = p->channels >= BLOCK_K ? 1 : BLOCK_K / p->channels;
    if (block_taps > p->taps) block_taps = p->taps;
    if (block_taps > BLOCK_POINTERS / TILE_ROWS) block_taps = BLOCK_POINTERS / TILE_ROWS;
    size_t block_tiles = BLOCK_POINTERS / (block_taps * TILE_ROWS);
    if (block_tiles > BLOCK_TILES) block_tiles = BLOCK_TILES;
    const float *pointers[BLOCK_POINTERS];
    product_tile tile = p->tile;
    for (size_t first_tile = 0; first_tile < tile_count; first_tile += block_tiles) {
        const size_t end_tile = first_tile + block_tiles < tile_count ? first_tile + block_tiles : tile_count;
        // With a single tile a panel is used once, and blocks of k would only take its sums to memory and back.
        const size_t block_k = end_tile - first_tile == 1 && p->taps == 1 ? p->channels : BLOCK_K;
        for (size_t tap = 0; tap < p->taps; tap += block_taps) {
            tile.taps = tap + block_taps < p->taps ? block_taps : p->taps - tap;
            for (size_t i = first_tile; i < end_tile; i++) {
                const size_t row = i * small + (i < larger ? i : larger);
                fill_pointers(p, row, small + (i < larger), tap, tile.taps,
                              pointers + (i - first_tile) * block_taps * TILE_ROWS);
            }
            for (size_t channel = 0; channel < p->channels; channel += block_k) {
                tile.first = channel;
                tile.count = channel + block_k < p->channels ? block_k : p->channels - channel;
                tile.accumulate = p->tile.accumulate || tap > 0 || channel > 0;
                tile.is_last = tap + tile.taps == p->taps && channel + tile.count == p->channels;
                for (size_t j = 0; j < p->n;) {
                    const size_t vectors = panel_vectors(p->n - j), columns = p->n - j;
                    const size_t used = columns < vectors * LANES ? columns : vectors * LANES;
                    tile.panel = p->packed + j * k + (tap * p->channels + channel) * vectors * LANES;
                    tile.mask = first_lanes(used - (vectors - 1) * LANES);
                    tile.bias = p->tile.bias == NULL ? NULL : p->tile.bias + j;
                    for (size_t i = first_tile; i < end_tile; i++) {
                        const size_t row = i * small + (i < larger ? i : larger), rows = small + (i < larger);
                        tile.rows = pointers + (i - first_tile) * block_taps * TILE_ROWS;
                        tile.c = p->tile.c + row * tile.ldc + j;
                        tile.residual =
                            p->tile.residual == NULL ? NULL : p->tile.residual + row * tile.residual_stride + j;
                        tiles[vectors - 1][rows - 1](&tile);
                        if (tile.is_last && !is_clip(tile.activation))
                            activate_rows(tile.activation, tile.c, rows, used, tile.ldc);
                    }
                    j += vectors * LANES;
                }
            }
        }
    }
}

static void gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                 int accumulate, float *c, size_t ldc) {
    const kaption_activation linear = {KAPTION_LINEAR, 0.0f, 0.0f};
    const product p = {
        .m = m, .n = n, .taps = 1, .channels = k, .a = a, .lda = lda, .packed = packed,
        .tile = {.c = c, .ldc = ldc, .accumulate = accumulate, .bias = bias, .activation = &linear},
    };
    run_product(&p);
}

static void convolution(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const size_t taps = window->kernel_height * window->kernel_width;
    const size_t channels = layer->input.channels / layer->groups, filters = layer->output.channels / layer->groups;
    const size_t first_pixel = layer->row_begin * layer->output.width;
    const size_t pixels = (layer->row_end - layer->row_begin) * layer->output.width;
    const int is_matrix = taps == 1 && window->stride_height == 1 && window->stride_width == 1 &&
                          layer->input.height == layer->output.height && layer->input.width == layer->output.width;
    if (pixels == 0) return;
    for (size_t group = 0; group < layer->groups; group++) {
        const product p = {
            .m = pixels, .n = filters, .taps = taps, .channels = channels,
            .layer = is_matrix ? NULL : layer, .first_pixel = first_pixel, .group_offset = group * channels,
            .a = layer->input.data + first_pixel * layer->input.stride + group * channels, .lda = layer->input.stride,
            .packed = layer->weights + group * product_packed_floats(filters, taps * channels),
            .tile = {
                .c = layer->output.data + first_pixel * layer->output.stride + group * filters,
                .ldc = layer->output.stride,
                .bias = layer->bias == NULL ? NULL : layer->bias + group * filters,
                .residual = !layer->has_other ? NULL
                                              : layer->other.data + first_pixel * layer->other.stride + group * filters,
                .residual_stride = layer->other.stride,
                .activation = &layer->activation,
            },
        };
        run_product(&p);
    }
}
