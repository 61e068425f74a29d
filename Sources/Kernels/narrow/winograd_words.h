// 3×3 convolutions of bytes by Winograd's algorithm (winograd.h): a block of tiles to their points, for a panel of filters a product a point, and
// back, where the tails of all products follow. After finish.h and add_word_products.
#include "winograd.h"

// WINOGRAD_AHEAD: dwords from the weights in use to those to fetch, for weights come from the last-level cache or from memory.
enum { WORDS = 2 * LANES, WINOGRAD_AHEAD = 2048, WINOGRAD_PIXELS = NARROW_WINOGRAD_OUTPUTS * NARROW_WINOGRAD_OUTPUTS };

// Bᵀ: the inputs of a tile along an axis to its points.
INLINE void words_forward(const integers d[NARROW_WINOGRAD_SIDE], integers to[NARROW_WINOGRAD_SIDE]) {
    const integers far = subtract_words(d[4], d[2]), odd_far = subtract_words(d[3], d[1]);
    const integers even = subtract_words(d[4], shifted_words(d[2], 2)), odd = subtract_words(d[3], shifted_words(d[1], 2));
    const integers twice = add_words(odd_far, odd_far);
    to[0] = add_words(shifted_words(subtract_words(d[0], d[2]), 2), far);
    to[1] = add_words(even, odd);
    to[2] = subtract_words(even, odd);
    to[3] = add_words(far, twice);
    to[4] = subtract_words(far, twice);
    to[5] = subtract_words(subtract_words(d[5], d[3]), shifted_words(odd_far, 2));
}

// Aᵀ: the points of a tile along an axis to 24, 12, 6 and 6 times its outputs.
INLINE void integers_backward(const integers m[NARROW_WINOGRAD_SIDE], integers to[NARROW_WINOGRAD_OUTPUTS]) {
    const integers sum_1 = add_integers(m[1], m[2]), difference_1 = subtract_integers(m[1], m[2]);
    const integers sum_2 = add_integers(m[3], m[4]), difference_2 = subtract_integers(m[3], m[4]);
    to[0] = add_integers(add_integers(m[0], shifted_integers(sum_1, 2)), sum_2);
    to[1] = add_integers(add_integers(difference_1, difference_1), difference_2);
    to[2] = add_integers(sum_1, sum_2);
    to[3] = add_integers(add_integers(difference_1, m[5]), add_integers(difference_2, difference_2));
}
// The powers of two in 24, 12, 6 and 6.
#define WINOGRAD_TWOS(i) ((i) == 0 ? 3 : (i) == 1 ? 2 : 1)

// The points of a tile for WORDS channels, `count` of which are there: point p goes to to + p · plane.
INLINE void scatter_words(const uint8_t *const *pixels, size_t c, size_t count, uint8_t *to, size_t plane) {
    enum { SIDE = NARROW_WINOGRAD_SIDE };
    integers half[SIDE][SIDE];
#pragma clang loop unroll(full)
    for (int j = 0; j < SIDE; j++) {
        integers d[SIDE], points[SIDE];
#pragma clang loop unroll(full)
        for (int i = 0; i < SIDE; i++) d[i] = load_bytes_as_words(count, pixels[i * SIDE + j] + c);
        words_forward(d, points);
#pragma clang loop unroll(full)
        for (int i = 0; i < SIDE; i++) half[i][j] = points[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < SIDE; i++) {
        integers points[SIDE];
        words_forward(half[i], points);
        // Of a tile of ones all points are nought but this, which is (−6)².
        if (i == 1) points[1] = subtract_words(points[1], repeated_word(36 * NARROW_WINOGRAD_MIDDLE));
#pragma clang loop unroll(full)
        for (int j = 0; j < SIDE; j++) store_integers(to + (size_t)(i * SIDE + j) * plane + 2 * c, points[j]);
    }
}

// Tile (row, column) to its points.
static void winograd_scatter(const kaption_layer *layer, const uint8_t *border, size_t row, size_t column, uint8_t *to, size_t plane) {
    enum { SIDE = NARROW_WINOGRAD_SIDE };
    // Wraps below zero, and then is not less than the image's size.
    const size_t top = row * NARROW_WINOGRAD_OUTPUTS - layer->window.pad_top, left = column * NARROW_WINOGRAD_OUTPUTS - layer->window.pad_left;
    const uint8_t *pixels[NARROW_WINOGRAD_POINTS];
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++)
            pixels[i * SIDE + j] = top + i < layer->input.height && left + j < layer->input.width
                                       ? narrow_pixel(&layer->input, KAPTION_UINT8, top + i, left + j)
                                       : border;
    const size_t channels = layer->input.channels;
    size_t c = 0;
    for (; c + WORDS <= channels; c += WORDS) scatter_words(pixels, c, WORDS, to, plane);
    if (c < channels) scatter_words(pixels, c, channels - c, to, plane);
}

// Products of a point: rows of tiles with a panel of filters.
INLINE void winograd_product_tile(const uint8_t *a, size_t row_bytes, const uint32_t *w, size_t pairs, int32_t *to, const int rows,
                                  const int vectors) {
    integers sums[int8_TILE][int8_PANEL];
    const uint8_t *at[int8_TILE];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        at[i] = a + (size_t)i * row_bytes;
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[i][v] = zero_integers();
    }
#pragma clang loop unroll(disable)
    for (size_t p = 0; p < pairs; p++, w += vectors * LANES) {
        integers weights[int8_PANEL];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            weights[v] = load_integers(w + v * LANES);
            __builtin_prefetch(w + v * LANES + WINOGRAD_AHEAD, 0, 2);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            const integers x = repeated_dword(at[i] + 4 * p);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sums[i][v] = add_word_products(sums[i][v], x, weights[v]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) store_integers(to + (i * vectors + v) * LANES, sums[i][v]);
}

INLINE void winograd_products_of(const uint8_t *a, size_t row_bytes, size_t rows, const uint32_t *w, size_t pairs, int32_t *to,
                                 const int vectors) {
    const size_t count = (rows + int8_TILE - 1) / int8_TILE;
    for (size_t i = 0, row = 0; i < count; i++) {
        const size_t used = rows / count + (i < rows % count);
        switch (used) {
#define ROWS(n) case n: winograd_product_tile(a + row * row_bytes, row_bytes, w, pairs, to + row * (size_t)vectors * LANES, n, vectors); break;
            ROWS(1) ROWS(2) ROWS(3) ROWS(4)
#if defined(NARROW_TILES_8_3)
            ROWS(5) ROWS(6) ROWS(7)
#endif
        default: winograd_product_tile(a + row * row_bytes, row_bytes, w, pairs, to + row * (size_t)vectors * LANES, int8_TILE, vectors);
#undef ROWS
        }
        row += used;
    }
}

// One vector of filters of a tile's products back to sums[pixel][vectors].
INLINE void winograd_gather(const int32_t *from, size_t plane, const int accumulates, integers start, integers *sums, const int vectors) {
    enum { SIDE = NARROW_WINOGRAD_SIDE, OUTPUTS = NARROW_WINOGRAD_OUTPUTS };
    integers half[OUTPUTS][SIDE];
#pragma clang loop unroll(full)
    for (int j = 0; j < SIDE; j++) {
        integers m[SIDE], outputs[OUTPUTS];
#pragma clang loop unroll(full)
        for (int i = 0; i < SIDE; i++) m[i] = load_integers(from + (size_t)(i * SIDE + j) * plane);
        integers_backward(m, outputs);
#pragma clang loop unroll(full)
        for (int i = 0; i < OUTPUTS; i++) half[i][j] = outputs[i];
    }
    const integers ninth = repeated_integer(0x38e38e39);  // · 9 = 1 modulo 2³²
#pragma clang loop unroll(full)
    for (int i = 0; i < OUTPUTS; i++) {
        integers outputs[OUTPUTS];
        integers_backward(half[i], outputs);
#pragma clang loop unroll(full)
        for (int j = 0; j < OUTPUTS; j++) {
            integers *sum = sums + (i * OUTPUTS + j) * vectors;
            const integers whole = shifted_down(multiply_integers(outputs[j], ninth), WINOGRAD_TWOS(i) + WINOGRAD_TWOS(j));
            *sum = add_integers(accumulates ? *sum : start, whole);
        }
    }
}

// The outputs of a tile from (y, x) on that lie in the rows to compute and in the image.
INLINE void winograd_finish_known(const narrow_product *p, size_t y, size_t x, size_t j, size_t used, const integers *sums,
                                  const tile_tail kind, const int vectors) {
    enum { OUTPUTS = NARROW_WINOGRAD_OUTPUTS };
    const kaption_layer *layer = p->layer;
    const size_t count = layer->output.width - x < OUTPUTS ? layer->output.width - x : OUTPUTS;
    for (size_t i = 0; i < OUTPUTS; i++, sums += OUTPUTS * vectors) {
        if (y + i < layer->row_begin || y + i >= layer->row_end) continue;
        const size_t row = (y + i - layer->row_begin) * layer->output.width + x;
        if (kind == TILE_TO_MEMORY) {
            finish_rows(p, 1, (const uint32_t *)(const void *)sums, row, count, j, used);
            continue;
        }
        tile_output to = tile_output_of(p, kind, 1, row, j, used);
        if (count == OUTPUTS) finish_tile(&to, kind, 1, OUTPUTS, vectors, vectors, sums);
        else
            for (size_t k = 0; k < count; k++) finish_tile(&to, kind, 1, 1, vectors, vectors, sums + k * (size_t)vectors);
    }
}
INLINE void winograd_finish(const narrow_product *p, size_t y, size_t x, size_t j, size_t used, const integers *sums, tile_tail kind,
                            const int vectors) {
    switch (kind) {
#define KIND(name) case name: winograd_finish_known(p, y, x, j, used, sums, name, vectors); break;
        KIND(TILE_CLIP) KIND(TILE_CLIP_OF_SUM) KIND(TILE_SILU) KIND(TILE_FLOATS) KIND(TILE_FLOATS_OF_SUM)
    default: winograd_finish_known(p, y, x, j, used, sums, TILE_TO_MEMORY, vectors);
#undef KIND
    }
}

// A block of tiles at hand, and where its products and sums go.
typedef struct {
    const narrow_product *product;
    tile_tail kind;
    narrow_winograd cut;
    size_t first, tiles;
    const uint8_t *points;
    int32_t *products;
    integers *sums;  // of all tiles where there are several chunks, else of one
} winograd_block;

// `used` filters from j on. Returns the weights behind theirs.
INLINE const uint32_t *winograd_panel(const winograd_block *block, const uint32_t *w, size_t j, size_t used, const int vectors) {
    const narrow_winograd *cut = &block->cut;
    const int32_t *start = block->product->constants.start + j;
    const size_t width = (size_t)vectors * LANES, plane = narrow_winograd_product_plane(cut, width);
    for (size_t begin = 0; begin < cut->pairs; begin += cut->chunk) {
        const int is_last = cut->pairs - begin <= cut->chunk;
        const size_t pairs = is_last ? cut->pairs - begin : cut->chunk;
        for (size_t p = 0; p < NARROW_WINOGRAD_POINTS; p++, w += pairs * width)
            winograd_products_of(block->points + p * cut->plane_bytes + begin * sizeof(uint32_t), cut->row_bytes, block->tiles, w, pairs,
                                 block->products + p * plane, vectors);
        for (size_t i = 0; i < block->tiles; i++) {
            integers *sums = block->sums + (cut->chunk < cut->pairs ? i * WINOGRAD_PIXELS * (size_t)vectors : 0);
            for (int v = 0; v < vectors; v++) {
                const int32_t *from = block->products + i * width + (size_t)v * LANES;
                const integers first = load_integers(start + v * LANES);
                if (begin > 0) winograd_gather(from, plane, 1, first, sums + v, vectors);
                else winograd_gather(from, plane, 0, first, sums + v, vectors);
            }
            const size_t tile = block->first + i;
            if (is_last)
                winograd_finish(block->product, tile / cut->columns * NARROW_WINOGRAD_OUTPUTS, tile % cut->columns * NARROW_WINOGRAD_OUTPUTS, j,
                                used, sums, block->kind, vectors);
        }
    }
    return w;
}

#define WINOGRAD_PANEL(n)                                                                                                               \
    static const uint32_t *winograd_panel_##n(const winograd_block *block, const uint32_t *w, size_t j, size_t used) {                  \
        return winograd_panel(block, w, j, used, n);                                                                                    \
    }
WINOGRAD_PANEL(1) WINOGRAD_PANEL(2)
#if defined(NARROW_TILES_8_3)
WINOGRAD_PANEL(3)
#else
#define winograd_panel_3 winograd_panel_2
#endif

static void winograd_words(const kaption_layer *layer) {
    const narrow_product product = narrow_product_of(layer, NULL);
    winograd_block block = {.product = &product, .kind = tile_tail_of(&product, 1), .cut = narrow_winograd_of(layer)};
    const narrow_winograd *cut = &block.cut;
    const size_t outputs = NARROW_WINOGRAD_OUTPUTS, filters = layer->output.channels, width = LANES * int8_PANEL;
    uint8_t *points = (uint8_t *)layer->scratch;
    block.points = points;
    block.products = (int32_t *)(void *)(points + narrow_winograd_point_bytes(cut));
    block.sums = (integers *)(void *)(block.products + NARROW_WINOGRAD_POINTS * narrow_winograd_product_plane(cut, width));
    const size_t end = (layer->row_end + outputs - 1) / outputs * cut->columns;
    for (block.first = layer->row_begin / outputs * cut->columns; block.first < end; block.first += cut->block) {
        block.tiles = end - block.first < cut->block ? end - block.first : cut->block;
        for (size_t i = 0; i < block.tiles; i++)
            winograd_scatter(layer, product.constants.border, (block.first + i) / cut->columns, (block.first + i) % cut->columns,
                             points + i * cut->row_bytes, cut->plane_bytes);
        const uint32_t *w = product.constants.weights;
        for (size_t j = 0; j < filters;) {
            const size_t vectors = narrow_panel_vectors(filters - j, LANES, int8_PANEL);
            const size_t used = filters - j < vectors * LANES ? filters - j : vectors * LANES;
            w = (vectors == 1 ? winograd_panel_1 : vectors == 2 ? winograd_panel_2 : winograd_panel_3)(&block, w, j, used);
            j += vectors * LANES;
        }
    }
}
