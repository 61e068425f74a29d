// A decoder's products by AMX: few rows, weights packed as for convolutions (kernels_amx.c) that come from the last-level cache or from memory
// each time. All rows go over a panel of weights while it is near; the first of them fetch what comes next.
#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow.h"

#pragma clang attribute push(                                                                                             \
    __attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma"))), \
    apply_to = function)
#include "../simd/vector_avx512.h"
#include "amx_tiles.h"

// Two tiles of rows by two of columns; bytes from the weights in use to those that are fetched.
enum { ROWS = 2 * TILE, AHEAD = 1024 };

typedef struct {
    size_t chunk, chunks;  // dwords of k that a tile takes, and how often
    size_t last;           // where the last chunk begins, in bytes
    size_t row_bytes;
    size_t rows, first_rows;  // of a block, and in its first tile
    size_t m, n;
    narrow_constants constants;
    const float *scales;  // of rows, or NULL
    float *c;
    size_t ldc;
} rows_product;

INLINE void multiply_block(const rows_product *p, const uint8_t *first, const uint32_t *w, const int32_t *start, uint32_t *sums,
                           const int is_integer, const int row_tiles, const int column_tiles, const int fetches) {
    const size_t tile = TILE * p->chunk, stride = p->row_bytes;
    const uint8_t *second = first + p->first_rows * stride;
    AMX_START(0, start);
    if (column_tiles == 2) AMX_START(1, start + TILE);
    if (row_tiles == 2) AMX_START(2, start);
    if (row_tiles == 2 && column_tiles == 2) AMX_START(3, start + TILE);
    for (size_t i = 0; i < p->chunks; i++, w += (size_t)column_tiles * tile) {
        const size_t at = i + 1 < p->chunks ? i * 4 * p->chunk : p->last;
        if (fetches) {
#pragma clang loop unroll(full)
            for (int line = 0; line < column_tiles * TILE; line++)
                __builtin_prefetch((const uint8_t *)w + AHEAD + 64 * line);
        }
        _tile_loadd(4, first + at, stride);
        _tile_loadd(6, w, 64);
        AMX_MULTIPLY(0, 4, 6);
        if (column_tiles == 2) {
            _tile_loadd(7, w + tile, 64);
            AMX_MULTIPLY(1, 4, 7);
        }
        if (row_tiles == 2) {
            _tile_loadd(5, second + at, stride);
            AMX_MULTIPLY(2, 5, 6);
            if (column_tiles == 2) AMX_MULTIPLY(3, 5, 7);
        }
    }
    uint32_t *below = sums + p->first_rows * COLUMNS;
    _tile_stored(0, sums, 4 * COLUMNS);
    if (column_tiles == 2) _tile_stored(1, sums + TILE, 4 * COLUMNS);
    if (row_tiles == 2) _tile_stored(2, below, 4 * COLUMNS);
    if (row_tiles == 2 && column_tiles == 2) _tile_stored(3, below + TILE, 4 * COLUMNS);
}

// What follows the sums: the same operations as in finish.h.
INLINE void finish_block(const rows_product *p, const uint32_t *sums, size_t row, size_t j, const int is_integer, const int column_tiles) {
#pragma clang loop unroll(full)
    for (int v = 0; v < column_tiles; v++) {
        const size_t at = j + (size_t)v * TILE;
        const lane_mask mask = first_lanes(p->n - at);
        const vector multiplier = load(p->constants.multiplier + at), offset = load(p->constants.offset + at);
        const uint32_t *from = sums + v * TILE;
        float *to = p->c + row * p->ldc + at;
        for (size_t i = 0; i < p->rows; i++, from += COLUMNS, to += p->ldc) {
            vector x = load((const float *)(const void *)from);
            if (is_integer) x = multiply(_mm512_cvtepi32_ps(_mm512_castps_si512(x)), repeated(p->scales[row + i]));
            store_first(mask, to, multiply_add(x, multiplier, offset));
        }
    }
}

INLINE void run_panel(const rows_product *p, const uint8_t *rows, const uint32_t *w, size_t j, const int is_integer,
                      const int column_tiles) {
    uint32_t sums[ROWS * COLUMNS] __attribute__((aligned(64)));
    const int32_t *start = p->constants.start + j;
    for (size_t row = 0;;) {
        const uint8_t *first = rows + row * p->row_bytes;
        const int fetches = row == 0, row_tiles = p->rows > p->first_rows ? 2 : 1;
        if (fetches && row_tiles == 2) multiply_block(p, first, w, start, sums, is_integer, 2, column_tiles, 1);
        else if (fetches) multiply_block(p, first, w, start, sums, is_integer, 1, column_tiles, 1);
        else multiply_block(p, first, w, start, sums, is_integer, 2, column_tiles, 0);
        finish_block(p, sums, row, j, is_integer, column_tiles);
        if (row + p->rows == p->m) break;
        // The last block overlaps the one before it where rows do not come out even.
        row = row + 2 * p->rows <= p->m ? row + p->rows : p->m - p->rows;
    }
}

INLINE void run_panels(const rows_product *p, const uint8_t *rows, const int is_integer) {
    const uint32_t *w = p->constants.weights;
    for (size_t j = 0; j < p->n; j += COLUMNS) {
        const int column_tiles = p->n - j > TILE ? 2 : 1;
        if (column_tiles == 2) run_panel(p, rows, w, j, is_integer, 2);
        else run_panel(p, rows, w, j, is_integer, 1);
        w += p->chunks * p->chunk * TILE * (size_t)column_tiles;
    }
}

void narrow_rows_amx(const kaption_layer *layer, const float *scales) {
    const kaption_element element = layer->input_numbers.element;
    const narrow_cut cut = narrow_cut_of(&narrow_table_amx.packing[0], layer);
    const size_t m = layer->output.width, blocks = (m + ROWS - 1) / ROWS;
    rows_product p = {
        .m = m, .n = layer->output.channels, .chunk = cut.chunk, .chunks = cut.chunks,
        .last = 4 * narrow_chunk_begin(&cut, cut.chunks - 1),
        .row_bytes = layer->input.stride * kaption_element_bytes(element), .rows = (m + blocks - 1) / blocks,
        .constants = narrow_constants_of(layer), .scales = scales, .c = layer->output.data, .ldc = layer->output.stride,
    };
    p.first_rows = p.rows <= TILE ? p.rows : p.rows - p.rows / 2;
    configure_tiles(p.chunk, p.first_rows, p.rows - p.first_rows);
    if (element == KAPTION_UINT8) run_panels(&p, (const uint8_t *)layer->input.data, 1);
    else run_panels(&p, (const uint8_t *)layer->input.data, 0);
    // Leaves the tiles as they begin, so that they need not be kept when threads change.
    _tile_release();
}
#pragma clang attribute pop
#endif
