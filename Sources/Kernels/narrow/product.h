// Products of narrow rows: rows of pointers as in simd/product.h, but k runs through dwords, four bytes or two bfloat16, and a
// tile's sums stay in registers over all of it; they go to a small buffer, from which the tail writes the output. Included once for
// each element after DOT(name) gives the names of:
//
//   sums, start(), store(), multiply(sums, input, weights), input(dword, part), IS_INTEGER, and the tile: TILE, PANEL, PARTS.

enum { DOT(POINTERS) = 2048, DOT(BLOCK_TILES) = 16 };

typedef struct {
    const uint8_t *const *rows;  // [tap][TILE]
    size_t taps, dwords;         // of each tap
    const uint32_t *panel;
    const int32_t *start;
    uint32_t *sums;  // [TILE][PANEL · LANES]
} DOT(tile);

INLINE void DOT(run_tile)(const DOT(tile) *tile, const int rows, const int vectors) {
    DOT(sums) sums[DOT(TILE)][DOT(PANEL)];
    const uint32_t *w = tile->panel;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) sums[i][v] = DOT(start)(tile->start + v * LANES);
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
                for (int v = 0; v < vectors; v++) weights[v] = load_integers(w + v * LANES);
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) {
                    const integers x = DOT(input)(repeated_dword(a[i] + 4 * p), part);
#pragma clang loop unroll(full)
                    for (int v = 0; v < vectors; v++) sums[i][v] = DOT(multiply)(sums[i][v], x, weights[v]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) DOT(store)(tile->sums + (i * vectors + v) * LANES, sums[i][v]);
}

typedef void (*DOT(function))(const DOT(tile) *);
#define TILE_NAME(rows, vectors) DOT(tile_##rows##_##vectors)
#define NARROW_TILE(rows, vectors) \
    static void TILE_NAME(rows, vectors)(const DOT(tile) *tile) { DOT(run_tile)(tile, rows, vectors); }
#define NARROW_TILES(vectors) \
    NARROW_TILE(1, vectors) NARROW_TILE(2, vectors) NARROW_TILE(3, vectors) NARROW_TILE(4, vectors) NARROW_TILE(5, vectors)
#define NARROW_NAMES(vectors)                                                                                         \
    TILE_NAME(1, vectors), TILE_NAME(2, vectors), TILE_NAME(3, vectors), TILE_NAME(4, vectors), TILE_NAME(5, vectors)
NARROW_TILES(1) NARROW_TILES(2)
#ifdef NARROW_TILES_8_3
NARROW_TILES(3)
NARROW_TILE(6, 1) NARROW_TILE(7, 1) NARROW_TILE(8, 1) NARROW_TILE(6, 2) NARROW_TILE(7, 2) NARROW_TILE(8, 2)
NARROW_TILE(6, 3) NARROW_TILE(7, 3) NARROW_TILE(8, 3)
#define NARROW_ROWS(vectors) \
    {NARROW_NAMES(vectors), TILE_NAME(6, vectors), TILE_NAME(7, vectors), TILE_NAME(8, vectors)}
static const DOT(function) DOT(tiles)[DOT(PANEL)][DOT(TILE)] = {NARROW_ROWS(1), NARROW_ROWS(2), NARROW_ROWS(3)};
#undef NARROW_ROWS
#else
static const DOT(function) DOT(tiles)[DOT(PANEL)][DOT(TILE)] = {{NARROW_NAMES(1)}, {NARROW_NAMES(2)}};
#endif
#undef TILE_NAME
#undef NARROW_TILE
#undef NARROW_TILES
#undef NARROW_NAMES

// Pointers of all taps for `rows` output pixels from `pixel` on.
static void DOT(fill_pointers)(const narrow_product *p, size_t pixel, size_t rows, const uint8_t **pointers) {
    const size_t width = p->layer->output.width;
    const size_t height = p->layer->window.kernel_height, across = p->layer->window.kernel_width;
    size_t y = pixel / width, x = pixel % width;
    for (size_t i = 0; i < rows; i++) {
        const uint8_t **to = pointers + i;
        for (size_t row = 0; row < height; row++)
            for (size_t column = 0; column < across; column++, to += DOT(TILE)) *to = narrow_tap(p, y, x, row, column);
        if (++x == width) {
            x = 0;
            y++;
        }
    }
}

static void DOT(run_product)(const narrow_product *p, const uint32_t *packed) {
    const kaption_layer *layer = p->layer;
    const size_t taps = layer->window.kernel_height * layer->window.kernel_width, dwords = narrow_tap_dwords(layer);
    const size_t count = (p->pixels + DOT(TILE) - 1) / DOT(TILE), small = p->pixels / count, larger = p->pixels % count;
    size_t block_tiles = DOT(POINTERS) / (taps * DOT(TILE));
    if (block_tiles > DOT(BLOCK_TILES)) block_tiles = DOT(BLOCK_TILES);
    const uint8_t *pointers[DOT(POINTERS)];
    uint32_t sums[DOT(TILE) * DOT(PANEL) * LANES];
    DOT(tile) tile = {.taps = taps, .dwords = dwords, .sums = sums};
    for (size_t first = 0; first < count; first += block_tiles) {
        const size_t end = first + block_tiles < count ? first + block_tiles : count;
        for (size_t i = first; i < end; i++)
            DOT(fill_pointers)(p, p->first_pixel + i * small + (i < larger ? i : larger), small + (i < larger),
                               pointers + (i - first) * taps * DOT(TILE));
        tile.panel = packed;
        for (size_t j = 0; j < p->filters;) {
            size_t vectors = (p->filters - j + LANES - 1) / LANES;
            if (vectors > DOT(PANEL)) vectors = DOT(PANEL);
            const size_t width = vectors * LANES, used = p->filters - j < width ? p->filters - j : width;
            tile.start = p->constants.start + p->first_filter + j;
            for (size_t i = first; i < end; i++) {
                const size_t row = i * small + (i < larger ? i : larger), rows = small + (i < larger);
                tile.rows = pointers + (i - first) * taps * DOT(TILE);
                DOT(tiles)[vectors - 1][rows - 1](&tile);
                finish_rows(p, DOT(IS_INTEGER), sums, row, rows, j, used);
            }
            tile.panel += taps * dwords * DOT(PARTS) * width;
            j += width;
        }
    }
}

static void DOT(convolution)(const kaption_layer *layer, const float *row_scales) {
    const size_t groups = layer->groups, taps = layer->window.kernel_height * layer->window.kernel_width;
    narrow_product p = narrow_product_of(layer, row_scales);
    const size_t group_dwords = kaption_round_up((p.filters + LANES - 1) / LANES * LANES * taps * narrow_tap_dwords(layer) * DOT(PARTS));
    if (p.pixels == 0) return;
    for (size_t group = 0; group < groups; group++) {
        p.first_filter = group * p.filters;
        p.group_bytes = group * (layer->input.channels / groups) * kaption_element_bytes(layer->input_numbers.element);
        DOT(run_product)(&p, p.constants.weights + group * group_dwords);
    }
}
