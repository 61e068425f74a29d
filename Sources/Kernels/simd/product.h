// The packed product: C[m×n] = A[m×k] · Wᵀ, each row of A given by a pointer per tap, so that a convolution needs no copy of
// its input (Dukhan, "The Indirect Convolution Algorithm", 2019, section 3).
//
// W lies in panels of at most TILE_VECTORS vectors of columns; within a panel the columns of one k are adjacent. Register tiles
// of TILE_ROWS × a panel are summed over blocks of k, the sums waiting in C between blocks. Tiles and blocks are cut by shape
// alone, and each sum runs through k in order, so its bits depend on neither.
//
// A layer's weights come from the last-level cache or from memory each time. While the first tiles of a block run, they fetch the
// panel's block that comes next; a product of a single tile uses each weight once and fetches a fixed way ahead. Both into the second-level
// cache: the first holds no second block.

#include "../window_places.h"

enum {
    BLOCK_TILES = 16,      // tiles of rows that share a panel's block while it is in the first-level cache
    BLOCK_K = 192,         // k of a block: a panel's block takes 36 KiB with AVX-512, 12 KiB with AVX2
    BLOCK_POINTERS = 2048, // rows × taps of a block at most
    STREAM_AHEAD = 1024    // floats that a single tile fetches ahead
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
    ptrdiff_t ahead;  // from the weights in use to those to fetch
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

// The sums of a tile of `rows` by `vectors` at its beginning. Row i's are sums[i · stride...].
INLINE void begin_sums(const product_tile *tile, const int rows, const int vectors, const int stride, vector *sums) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            sums[i * stride + v] = !tile->accumulate ? zero() : v == vectors - 1 ? load_first(tile->mask, c) : load(c);
        }
}

// Writes the sums, with the tail where they are whole.
INLINE void end_sums(const product_tile *tile, const int rows, const int vectors, const int stride, vector *sums) {
    const int last = vectors - 1;
    if (tile->is_last) {
        const vector low = clip_low(tile->activation), high = clip_high(tile->activation);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const float *bias = tile->bias == NULL ? NULL : tile->bias + v * LANES;
            vector shift = bias == NULL ? zero() : v == last ? load_first(tile->mask, bias) : load(bias);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                vector sum = bias == NULL ? sums[i * stride + v] : add(sums[i * stride + v], shift);
                if (tile->residual != NULL) {
                    const float *other = tile->residual + (size_t)i * tile->residual_stride + v * LANES;
                    sum = add(sum, v == last ? load_first(tile->mask, other) : load(other));
                }
                sums[i * stride + v] = clipped(sum, low, high);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            if (v == last) store_first(tile->mask, c, sums[i * stride + v]);
            else store(c, sums[i * stride + v]);
        }
}

// `half`: the last vector's columns are in its lower half, which a CPU may multiply in half the time.
INLINE void run_tile(const product_tile *tile, const int rows, const int vectors, const int streams, const int half) {
    vector sums[TILE_ROWS][TILE_VECTORS];
    const float *w = tile->panel;
    const int last = vectors - 1;
    begin_sums(tile, rows, vectors, TILE_VECTORS, sums[0]);
    half_vector half_sums[TILE_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) half_sums[i] = lower_half(sums[i][last]);
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
            for (int v = 0; v < (streams ? vectors : 1); v++) __builtin_prefetch(w + tile->ahead + v * LANES, 0, 2);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                vector x = repeated(a[i][p]);
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors - half; v++) sums[i][v] = multiply_add(x, weights[v], sums[i][v]);
                if (half) half_sums[i] = multiply_add_halves(lower_half(x), lower_half(weights[last]), half_sums[i]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; half && i < rows; i++) sums[i][last] = from_lower_half(half_sums[i]);
    end_sums(tile, rows, vectors, TILE_VECTORS, sums[0]);
}

typedef void (*tile_function)(const product_tile *);
#define TILE(rows, vectors)                                                                                \
    static void tile_##rows##_##vectors(const product_tile *tile) { run_tile(tile, rows, vectors, 0, 0); } \
    static void half_##rows##_##vectors(const product_tile *tile) { run_tile(tile, rows, vectors, 0, 1); } \
    static void stream_##rows##_##vectors(const product_tile *tile) { run_tile(tile, rows, vectors, 1, 0); }
#define TILES(vectors) \
    TILE(1, vectors) TILE(2, vectors) TILE(3, vectors) TILE(4, vectors) TILE(5, vectors) TILE(6, vectors)
#define NAMES(kind, vectors) \
    kind##_1_##vectors, kind##_2_##vectors, kind##_3_##vectors, kind##_4_##vectors, kind##_5_##vectors, kind##_6_##vectors
TILES(1) TILES(2)
// [kind][vectors - 1][rows - 1]
enum { TILE_PLAIN, TILE_HALF, TILE_STREAM, TILE_KINDS };
#ifdef KAPTION_TILES_8_3
TILES(3) TILE(7, 1) TILE(8, 1) TILE(7, 2) TILE(8, 2) TILE(7, 3) TILE(8, 3)
#define ROW_NAMES(kind, vectors) {NAMES(kind, vectors), kind##_7_##vectors, kind##_8_##vectors}
#define ALL_NAMES(kind) {ROW_NAMES(kind, 1), ROW_NAMES(kind, 2), ROW_NAMES(kind, 3)}
#else
#define ALL_NAMES(kind) {{NAMES(kind, 1)}, {NAMES(kind, 2)}}
#endif
static const tile_function tiles[TILE_KINDS][TILE_VECTORS][TILE_ROWS] = {ALL_NAMES(tile), ALL_NAMES(half), ALL_NAMES(stream)};

// A product whose rows are the pixels of a convolution's output, or of a plain matrix.
typedef struct {
    size_t m, n, taps, channels;  // k = taps · channels
    const kaption_layer *layer;   // NULL: the rows are a + i·lda, their taps tap_stride apart
    size_t first_pixel;           // of the layer's output
    size_t group_offset;          // the first of the layer's input channels
    const float *a;
    size_t lda, tap_stride;
    const float *packed;
    product_tile tile;  // C, tail; the rest is filled in tile by tile
} product;

INLINE window_places window_places_of_product(const product *p, size_t pixel, const size_t count) {
    const kaption_layer *layer = p->layer;
    return window_places_of(layer, p->first_pixel + pixel, layer->input.data + p->group_offset, layer->zeros + p->group_offset,
                            layer->input.stride * sizeof(float), count);
}

// Pointers of taps first..<first + taps for a tile's rows, from `pixel` on.
static void fill_pointers(const product *p, size_t pixel, size_t first, size_t taps, const float **pointers) {
    if (p->layer == NULL) {
        const uintptr_t at = (uintptr_t)(p->a + pixel * p->lda);
        for (size_t t = first; t < first + taps; t++, pointers += TILE_ROWS)
#pragma clang loop unroll(full)
            for (size_t i = 0; i < TILE_ROWS; i++)
                pointers[i] = (const float *)(at + (i * p->lda + t * p->tap_stride) * sizeof(float));
        return;
    }
    const window_places places = window_places_of_product(p, pixel, TILE_ROWS);
    const size_t across = p->layer->window.kernel_width;
    size_t row = first / across, column = first % across;
    for (size_t t = 0; t < taps; t++, pointers += TILE_ROWS) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < TILE_ROWS; i++) pointers[i] = (const float *)window_tap(p->layer, &places, row, column, i);
        if (++column == across) {
            column = 0;
            row++;
        }
    }
}

// How many rows the tiles have: the first `larger` of them one more than `small`.
typedef struct {
    size_t count, small, larger;
} row_tiles;

INLINE size_t first_row(const row_tiles *tiles, size_t i) {
    return i * tiles->small + (i < tiles->larger ? i : tiles->larger);
}
INLINE size_t row_count(const row_tiles *tiles, size_t i) { return tiles->small + (i < tiles->larger); }

// The panels of one block of k, over the tiles first..<end. `depth` is how far into k the block begins.
static void run_panels(const product *p, const row_tiles *rows, size_t first, size_t end, size_t depth,
                       const float *const *pointers, size_t pointer_taps, product_tile tile) {
    const size_t k = p->taps * p->channels, block = tile.taps * tile.count;
    const int streams = end - first == 1;
    for (size_t j = 0; j < p->n;) {
        const size_t vectors = panel_vectors(p->n - j), width = vectors * LANES;
        const size_t used = p->n - j < width ? p->n - j : width;
        const int kind = streams ? TILE_STREAM : HAS_HALVES && width - used >= LANES / 2 ? TILE_HALF : TILE_PLAIN;
        tile.panel = p->packed + j * k + depth * width;
        tile.mask = first_lanes(used - (vectors - 1) * LANES);
        tile.bias = p->tile.bias == NULL ? NULL : p->tile.bias + j;
        // What comes after this block of the panel: the same k of the next one, or the next k of the first one.
        const float *next = p->packed + (depth + block) * panel_vectors(p->n) * LANES;
        if (j + width < p->n) next = p->packed + (j + width) * k + depth * panel_vectors(p->n - j - width) * LANES;
        for (size_t i = first; i < end; i++) {
            const size_t row = first_row(rows, i);
            tile.rows = pointers + (i - first) * pointer_taps * TILE_ROWS;
            tile.c = p->tile.c + row * tile.ldc + j;
            tile.residual = p->tile.residual == NULL ? NULL : p->tile.residual + row * tile.residual_stride + j;
            tile.ahead = streams ? STREAM_AHEAD : i - first < vectors ? next - tile.panel + (ptrdiff_t)((i - first) * LANES) : 0;
            tiles[kind][vectors - 1][row_count(rows, i) - 1](&tile);
            if (tile.is_last && !is_clip(tile.activation))
                activate_rows(tile.activation, tile.c, row_count(rows, i), used, tile.ldc);
        }
        j += width;
    }
}

INLINE size_t at_most(size_t value, size_t limit) { return value < limit ? value : limit; }

static void run_product(const product *p) {
    const size_t count = (p->m + TILE_ROWS - 1) / TILE_ROWS;
    const row_tiles rows = {count, p->m / count, p->m % count};
    size_t block_taps = p->channels >= BLOCK_K ? 1 : at_most(BLOCK_K / p->channels, p->taps);
    block_taps = at_most(block_taps, BLOCK_POINTERS / TILE_ROWS);
    const size_t block_tiles = at_most(BLOCK_POINTERS / (block_taps * TILE_ROWS), BLOCK_TILES);
    const float *pointers[BLOCK_POINTERS];
    product_tile tile = p->tile;
    for (size_t first = 0; first < count; first += block_tiles) {
        const size_t end = at_most(first + block_tiles, count);
        // A single tile uses a panel once, and blocks of k would only take its sums to memory and back. Where these take the place of what
        // they are added to, they cannot wait there.
        const int is_whole = (end - first == 1 && p->taps == 1) || p->tile.residual == p->tile.c;
        const size_t block_k = is_whole ? p->channels : BLOCK_K;
        for (size_t tap = 0; tap < p->taps; tap += block_taps) {
            tile.taps = at_most(block_taps, p->taps - tap);
            for (size_t i = first; i < end; i++)
                fill_pointers(p, first_row(&rows, i), tap, tile.taps, pointers + (i - first) * block_taps * TILE_ROWS);
            for (size_t channel = 0; channel < p->channels; channel += block_k) {
                tile.first = channel;
                tile.count = at_most(block_k, p->channels - channel);
                tile.accumulate = p->tile.accumulate || tap > 0 || channel > 0;
                tile.is_last = tap + tile.taps == p->taps && channel + tile.count == p->channels;
                run_panels(p, &rows, first, end, tap * p->channels + channel, pointers, block_taps, tile);
            }
        }
    }
}

// C[m×n] = A[m×k] · Wᵀ, and more as kaption_gemm says.
static product matrix(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                      int accumulate, float *c, size_t ldc) {
    static const kaption_activation linear = {KAPTION_LINEAR, 0.0f, 0.0f};
    return (product){
        .m = m, .n = n, .taps = 1, .channels = k, .a = a, .lda = lda, .packed = packed,
        .tile = {.c = c, .ldc = ldc, .accumulate = accumulate, .bias = bias, .activation = &linear},
    };
}

static void matrix_product(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                           int accumulate, float *c, size_t ldc) {
    const product p = matrix(m, n, k, a, lda, packed, bias, accumulate, c, ldc);
    run_product(&p);
}
