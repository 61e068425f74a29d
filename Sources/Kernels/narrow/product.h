// Products of narrow rows: rows of pointers as in simd/product.h, but k runs through dwords, four bytes or two bfloat16, and a
// tile's sums stay in registers over all of it. The commonest tails (finish_tile.h) write the output from there; for others the sums go to
// a small buffer. Included once for each element after DOT(name) gives the names of:
//
//   sums, start(start, offset), store(), multiply(sums, input, weights) and multiply_half, input(dword, part), IS_INTEGER, and the tile: TILE,
//   PANEL, PARTS.

// AHEAD: dwords from the weights in use to those to fetch into the second-level cache.
enum { DOT(POINTERS) = 2048, DOT(BLOCK_TILES) = 16, DOT(AHEAD) = 2048 };

typedef struct {
    const uint8_t *const *rows;  // [tap][TILE]
    size_t taps, dwords;         // of each tap
    const uint32_t *panel;
    const int32_t *start;
    uint32_t *sums;  // [TILE][PANEL · LANES]
    // Where the output is written.
    const narrow_product *product;
    size_t row, filter, used;
} DOT(tile);

// `half`: the last vector's filters are in its lower half, which a CPU may multiply in half the time.
INLINE void DOT(run_tile)(const DOT(tile) *tile, tile_output *to, const int rows, const int vectors, const int tail, const int half) {
    DOT(sums) sums[DOT(TILE)][DOT(PANEL)];
    const uint32_t *w = tile->panel;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) sums[i][v] = DOT(start)(tile->start + v * LANES, tail == TILE_TO_MEMORY ? NULL : to->offset + v * LANES);
    for (size_t t = 0; t < tile->taps; t++) {
        const uint8_t *a[DOT(TILE)];
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) a[i] = tile->rows[t * DOT(TILE) + i];
#pragma clang loop unroll(disable)
        for (size_t p = 0; p < tile->dwords; p++) {
#pragma clang loop unroll(full)
            for (int part = 0; part < DOT(PARTS); part++, w += vectors * LANES) {
                integers weights[DOT(PANEL)];
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors; v++) {
                    weights[v] = load_integers(w + v * LANES);
                    // A single row is done with a weight too soon for that.
                    if (rows > 1) __builtin_prefetch(w + v * LANES + DOT(AHEAD), 0, 2);
                }
                // Keeps the compiler from holding all inputs of one part for the next, for which there are no registers.
                if (DOT(PARTS) > 1) __asm__ volatile("" ::: "memory");
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) {
                    const integers x = DOT(input)(repeated_dword(a[i] + 4 * p), part);
#pragma clang loop unroll(full)
                    for (int v = 0; v < vectors; v++)
                        sums[i][v] = half && v == vectors - 1 ? DOT(multiply_half)(sums[i][v], x, weights[v]) : DOT(multiply)(sums[i][v], x, weights[v]);
                }
            }
        }
    }
    if (tail != TILE_TO_MEMORY) {
        finish_tile(to, (tile_tail)tail, DOT(IS_INTEGER), rows, vectors, DOT(PANEL), (const integers *)sums[0]);
        return;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) DOT(store)(tile->sums + (i * vectors + v) * LANES, sums[i][v]);
}

// Runs `count` tiles of so many rows one after the other.
typedef void (*DOT(function))(const DOT(tile) *, size_t count);
INLINE void DOT(run_tiles)(const DOT(tile) *first, size_t count, const int rows, const int vectors, const int tail, const int half) {
    DOT(tile) tile = *first;
    tile_output to = tile_output_of(tile.product, (tile_tail)tail, DOT(IS_INTEGER), tile.row, tile.filter, tile.used);
    for (; count > 0; count--, tile.rows += tile.taps * DOT(TILE)) DOT(run_tile)(&tile, &to, rows, vectors, tail, half);
}
#define TILE_NAME(rows, vectors, tail) DOT(tile_##rows##_##vectors##_##tail)
#define NARROW_TILE(rows, vectors, tail) \
    static void TILE_NAME(rows, vectors, tail)(const DOT(tile) *tile, size_t count) { DOT(run_tiles)(tile, count, rows, vectors, tail, 0); }
#define NARROW_TILES(vectors, tail)                                                                      \
    NARROW_TILE(1, vectors, tail) NARROW_TILE(2, vectors, tail) NARROW_TILE(3, vectors, tail)            \
    NARROW_TILE(4, vectors, tail) NARROW_TILE(5, vectors, tail)
#define NARROW_NAMES(vectors, tail)                                                                      \
    TILE_NAME(1, vectors, tail), TILE_NAME(2, vectors, tail), TILE_NAME(3, vectors, tail),               \
    TILE_NAME(4, vectors, tail), TILE_NAME(5, vectors, tail)
// [tail][vectors - 1][rows - 1]
#ifdef NARROW_TILES_8_3
_Static_assert(TILE_TAIL_COUNT == 6, "a tile for each tail");
#define NARROW_MORE_TILES(vectors, tail) \
    NARROW_TILES(vectors, tail) NARROW_TILE(6, vectors, tail) NARROW_TILE(7, vectors, tail) NARROW_TILE(8, vectors, tail)
#define NARROW_TILES_OF(tail) NARROW_MORE_TILES(1, tail) NARROW_MORE_TILES(2, tail) NARROW_MORE_TILES(3, tail)
#define NARROW_ROWS(vectors, tail) \
    {NARROW_NAMES(vectors, tail), TILE_NAME(6, vectors, tail), TILE_NAME(7, vectors, tail), TILE_NAME(8, vectors, tail)}
#define NARROW_NAMES_OF(tail) {NARROW_ROWS(1, tail), NARROW_ROWS(2, tail), NARROW_ROWS(3, tail)}
NARROW_TILES_OF(0) NARROW_TILES_OF(1) NARROW_TILES_OF(2) NARROW_TILES_OF(3) NARROW_TILES_OF(4) NARROW_TILES_OF(5)
static const DOT(function) DOT(tiles)[TILE_TAIL_COUNT][DOT(PANEL)][DOT(TILE)] = {
    NARROW_NAMES_OF(0), NARROW_NAMES_OF(1), NARROW_NAMES_OF(2), NARROW_NAMES_OF(3), NARROW_NAMES_OF(4), NARROW_NAMES_OF(5)};
#undef NARROW_MORE_TILES
#undef NARROW_TILES_OF
#undef NARROW_ROWS
#undef NARROW_NAMES_OF
#else
#define NARROW_TILES_OF(tail) NARROW_TILES(1, tail) NARROW_TILES(2, tail)
#define NARROW_NAMES_OF(tail) {{NARROW_NAMES(1, tail)}, {NARROW_NAMES(2, tail)}}
NARROW_TILES_OF(0) NARROW_TILES_OF(1) NARROW_TILES_OF(2) NARROW_TILES_OF(3) NARROW_TILES_OF(4) NARROW_TILES_OF(5)
static const DOT(function) DOT(tiles)[TILE_TAIL_COUNT][DOT(PANEL)][DOT(TILE)] = {
    [TILE_TO_MEMORY] = NARROW_NAMES_OF(0), [TILE_CLIP] = NARROW_NAMES_OF(1), [TILE_CLIP_OF_SUM] = NARROW_NAMES_OF(2),
    [TILE_SILU] = NARROW_NAMES_OF(3), [TILE_FLOATS] = NARROW_NAMES_OF(4), [TILE_FLOATS_OF_SUM] = NARROW_NAMES_OF(5)};
#undef NARROW_TILES_OF
#undef NARROW_NAMES_OF
#endif
#ifdef NARROW_HALF_TILES
// The larger tiles of filters that leave half a vector: [tail][vectors - 2][rows - HALF_ROWS].
enum { DOT(HALF_ROWS) = 7 };
#define HALF_NAME(rows, vectors, tail) DOT(half_##rows##_##vectors##_##tail)
#define HALF_TILE(rows, vectors, tail) \
    static void HALF_NAME(rows, vectors, tail)(const DOT(tile) *tile, size_t count) { DOT(run_tiles)(tile, count, rows, vectors, tail, 1); }
#define HALF_TILES(tail) HALF_TILE(7, 2, tail) HALF_TILE(8, 2, tail) HALF_TILE(7, 3, tail) HALF_TILE(8, 3, tail)
#define HALF_NAMES(tail) {{HALF_NAME(7, 2, tail), HALF_NAME(8, 2, tail)}, {HALF_NAME(7, 3, tail), HALF_NAME(8, 3, tail)}}
HALF_TILES(1) HALF_TILES(2) HALF_TILES(4) HALF_TILES(5)
static const DOT(function) DOT(half_tiles)[TILE_TAIL_COUNT][2][2] = {
    [TILE_CLIP] = HALF_NAMES(1), [TILE_CLIP_OF_SUM] = HALF_NAMES(2), [TILE_FLOATS] = HALF_NAMES(4), [TILE_FLOATS_OF_SUM] = HALF_NAMES(5)};
#undef HALF_NAME
#undef HALF_TILE
#undef HALF_TILES
#undef HALF_NAMES
INLINE DOT(function) DOT(tile_function)(tile_tail tail, size_t rows, size_t vectors, size_t used) {
    const DOT(function) half = rows < DOT(HALF_ROWS) || vectors < 2 || vectors * LANES - used < LANES / 2
                                   ? NULL
                                   : DOT(half_tiles)[tail][vectors - 2][rows - DOT(HALF_ROWS)];
    return half != NULL ? half : DOT(tiles)[tail][vectors - 1][rows - 1];
}
#else
INLINE DOT(function) DOT(tile_function)(tile_tail tail, size_t rows, size_t vectors, size_t used) {
    (void)used;
    return DOT(tiles)[tail][vectors - 1][rows - 1];
}
#endif
#undef TILE_NAME
#undef NARROW_TILE
#undef NARROW_TILES
#undef NARROW_NAMES

// Pointers of all taps for a tile's rows, from `row` on.
static void DOT(fill_pointers)(const narrow_product *p, size_t row, const uint8_t **pointers) {
    if (p->rows != NULL) {
        const uintptr_t at = (uintptr_t)(p->rows + p->group_bytes + row * p->row_step);
        for (size_t t = 0; t < p->taps; t++, pointers += DOT(TILE))
#pragma clang loop unroll(full)
            for (size_t i = 0; i < DOT(TILE); i++) pointers[i] = (const uint8_t *)(at + i * p->row_step + t * p->tap_step);
        return;
    }
    const kaption_layer *layer = p->layer;
    const window_places places = window_places_of(
        layer, p->first_pixel + row, (const uint8_t *)layer->input.data + p->group_bytes, p->constants.border + p->group_bytes,
        layer->input.stride * kaption_element_bytes(layer->input_numbers.element), DOT(TILE));
    for (size_t tap_row = 0; tap_row < layer->window.kernel_height; tap_row++)
        for (size_t column = 0; column < layer->window.kernel_width; column++, pointers += DOT(TILE))
#pragma clang loop unroll(full)
            for (size_t i = 0; i < DOT(TILE); i++) pointers[i] = (const uint8_t *)window_tap(layer, &places, tap_row, column, i);
}

static void DOT(run_product)(const narrow_product *p, const uint32_t *packed) {
    const size_t taps = p->taps, dwords = p->dwords;
    const size_t count = (p->pixels + DOT(TILE) - 1) / DOT(TILE), small = p->pixels / count, larger = p->pixels % count;
    size_t block_tiles = DOT(POINTERS) / (taps * DOT(TILE));
    if (block_tiles > DOT(BLOCK_TILES)) block_tiles = DOT(BLOCK_TILES);
    const uint8_t *pointers[DOT(POINTERS)];
    uint32_t sums[DOT(TILE) * DOT(PANEL) * LANES];
    DOT(tile) tile = {.taps = taps, .dwords = dwords, .sums = sums, .product = p};
    const tile_tail tail = tile_tail_of(p, DOT(IS_INTEGER));
    for (size_t first = 0; first < count; first += block_tiles) {
        const size_t end = first + block_tiles < count ? first + block_tiles : count;
        for (size_t i = first; i < end; i++)
            DOT(fill_pointers)(p, i * small + (i < larger ? i : larger), pointers + (i - first) * taps * DOT(TILE));
        tile.panel = packed;
        for (size_t j = 0; j < p->filters;) {
            const size_t vectors = narrow_panel_vectors(p->filters - j, LANES, DOT(PANEL)), width = vectors * LANES;
            const size_t used = p->filters - j < width ? p->filters - j : width;
            tile.start = p->constants.start + p->first_filter + j;
            tile.filter = p->first_filter + j;
            tile.used = used;
            for (size_t i = first, next; i < end; i = next) {
                const size_t rows = small + (i < larger);
                // All tiles with as many rows.
                next = tail == TILE_TO_MEMORY ? i + 1 : i < larger && larger < end ? larger : end;
                tile.row = i * small + (i < larger ? i : larger);
                tile.rows = pointers + (i - first) * taps * DOT(TILE);
                DOT(tile_function)(tail, rows, vectors, used)(&tile, next - i);
                if (tail == TILE_TO_MEMORY) finish_rows(p, DOT(IS_INTEGER), sums, tile.row, rows, j, used);
            }
            tile.panel += taps * dwords * DOT(PARTS) * width;
            j += width;
        }
    }
}

static void DOT(convolution)(const kaption_layer *layer, const float *row_scales) {
    const size_t groups = layer->groups;
    narrow_product p = narrow_product_of(layer, row_scales);
    const size_t group_dwords = kaption_round_up((p.filters + LANES - 1) / LANES * LANES * p.taps * p.dwords * DOT(PARTS));
    if (p.pixels == 0) return;
    if (narrow_joins_rows(layer)) {
        run_image(&p, p.constants.weights, DOT(run_product));
        return;
    }
    for (size_t group = 0; group < groups; group++) {
        p.first_filter = group * p.filters;
        p.group_bytes = group * (layer->input.channels / groups) * kaption_element_bytes(layer->input_numbers.element);
        DOT(run_product)(&p, p.constants.weights + group * group_dwords);
    }
}
