// Convolutions by AMX: a tile holds 16 rows of 64 bytes, and one instruction multiplies 16 pixels by 16 filters over 64 bytes of channels. A
// block is 2×2 tiles of sums. Pixels are read where they lie if a window is one pixel; otherwise their windows are copied, as many as the
// second-level cache holds well. The integers' sums are exact, so they are those of every other table.
#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow.h"

#pragma clang attribute push(                                                                                             \
    __attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma"))), \
    apply_to = function)
#include "../simd/vector_avx512.h"
#include "../simd/activation.h"
#define NARROW_HAS_BFLOAT16
#include "elements_avx512.h"
#include "tail.h"
#include "finish.h"

enum { TILE = 16, COLUMNS = 2 * TILE };

// How a layer is cut. Where channels or pixels do not come out even, the last chunk or block overlaps the one before it: its weights for what
// was there already are zeros, its pixels are written twice.
typedef struct {
    size_t chunk, chunks;         // dwords of channels that a tile takes, and how often
    size_t last;                  // where the last chunk begins, in bytes
    size_t blocks, rows;          // of pixels
    size_t first_rows;            // of them in the first tile; the others are in the second
    size_t row_bytes;             // from one pixel's channels to the next
    size_t together;              // blocks that go over the weights together
} amx_cut;

typedef struct {
    const uint8_t *pixels;
    const uint32_t *panel;
    const int32_t *start;
    uint32_t *sums;
} amx_block;

static void configure(const amx_cut *cut) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } settings = {.palette = 1};
    const size_t second_rows = cut->rows - cut->first_rows;
    for (size_t i = 0; i < 8; i++) settings.row_bytes[i] = 64;
    settings.row_bytes[4] = settings.row_bytes[5] = (uint16_t)(4 * cut->chunk);
    settings.rows[0] = settings.rows[1] = settings.rows[4] = (uint8_t)cut->first_rows;
    settings.rows[2] = settings.rows[3] = settings.rows[5] = (uint8_t)(second_rows > 0 ? second_rows : 1);
    settings.rows[6] = settings.rows[7] = (uint8_t)cut->chunk;
    _tile_loadconfig(&settings);
}

// Tiles 0 to 3 are sums, 4 and 5 pixels, 6 and 7 weights.
#define AMX_MULTIPLY(sum, pixels, weights)                     \
    do {                                                       \
        if (is_integer) _tile_dpbusd(sum, pixels, weights);    \
        else _tile_dpbf16ps(sum, pixels, weights);             \
    } while (0)
#define AMX_START(sum, from)                                   \
    do {                                                       \
        if (is_integer) _tile_loadd(sum, from, 0);             \
        else _tile_zero(sum);                                  \
    } while (0)

INLINE void run_tiles(const amx_cut *cut, const amx_block *block, const int is_integer, const int pixel_tiles, const int filter_tiles) {
    const size_t chunk_bytes = 4 * cut->chunk, stride = cut->row_bytes, tile = TILE * cut->chunk;
    const uint8_t *first = block->pixels, *second = first + cut->first_rows * stride;
    const uint32_t *w = block->panel;
    AMX_START(0, block->start);
    if (filter_tiles == 2) AMX_START(1, block->start + TILE);
    if (pixel_tiles == 2) AMX_START(2, block->start);
    if (pixel_tiles == 2 && filter_tiles == 2) AMX_START(3, block->start + TILE);
    for (size_t i = 0; i < cut->chunks; i++, w += (size_t)filter_tiles * tile) {
        const size_t at = i + 1 < cut->chunks ? i * chunk_bytes : cut->last;
        _tile_loadd(4, first + at, stride);
        _tile_loadd(6, w, 64);
        AMX_MULTIPLY(0, 4, 6);
        if (filter_tiles == 2) {
            _tile_loadd(7, w + tile, 64);
            AMX_MULTIPLY(1, 4, 7);
        }
        if (pixel_tiles == 2) {
            _tile_loadd(5, second + at, stride);
            AMX_MULTIPLY(2, 5, 6);
            if (filter_tiles == 2) AMX_MULTIPLY(3, 5, 7);
        }
    }
    const size_t width = (size_t)filter_tiles * TILE;
    uint32_t *below = block->sums + cut->first_rows * width;
    _tile_stored(0, block->sums, 4 * width);
    if (filter_tiles == 2) _tile_stored(1, block->sums + TILE, 4 * width);
    if (pixel_tiles == 2) _tile_stored(2, below, 4 * width);
    if (pixel_tiles == 2 && filter_tiles == 2) _tile_stored(3, below + TILE, 4 * width);
}

INLINE void run_block(const amx_cut *cut, const amx_block *block, const int is_integer, const int filter_tiles) {
    if (cut->rows > cut->first_rows) run_tiles(cut, block, is_integer, 2, filter_tiles);
    else run_tiles(cut, block, is_integer, 1, filter_tiles);
}

// Copies `bytes`, a multiple of four, in pieces that may overlap: stores under a mask are slow.
INLINE void copy_bytes(uint8_t *to, const uint8_t *from, size_t bytes) {
    size_t at = 0;
    for (; at + 64 <= bytes; at += 64) memcpy(to + at, from + at, 64);
    to += at;
    from += at;
    bytes -= at;
#define KAPTION_COPY_ENDS(size)                            \
    if (bytes >= size) {                                   \
        memcpy(to, from, size);                            \
        memcpy(to + bytes - size, from + bytes - size, size); \
        return;                                            \
    }
    KAPTION_COPY_ENDS(32)
    KAPTION_COPY_ENDS(16)
    KAPTION_COPY_ENDS(8)
    KAPTION_COPY_ENDS(4)
#undef KAPTION_COPY_ENDS
}

// The windows of output pixels from `pixel` on, one behind the other.
static void copy_windows(const narrow_product *p, size_t pixel, size_t pixels, uint8_t *to) {
    const kaption_layer *layer = p->layer;
    const kaption_window *window = &layer->window;
    const size_t tap = 4 * narrow_tap_dwords(layer), height = window->kernel_height, width = window->kernel_width;
    const size_t pixel_bytes = layer->input.stride * kaption_element_bytes(layer->input_numbers.element);
    const size_t row_bytes = layer->input.width * pixel_bytes, dilation = window->dilation_height;
    // Whether the taps of a row lie side by side.
    const int is_dense = window->dilation_width == 1 && pixel_bytes == tap;
    size_t y = pixel / layer->output.width, x = pixel % layer->output.width;
    for (size_t i = 0; i < pixels; i++) {
        // Wrap below zero, and then are not less than the size of the image.
        const size_t left = x * window->stride_width - window->pad_left, top = y * window->stride_height - window->pad_top;
        const int is_inside = left < layer->input.width && left + (width - 1) * window->dilation_width < layer->input.width &&
                              top < layer->input.height && top + (height - 1) * dilation < layer->input.height;
        if (is_inside) {
            const uint8_t *from = (const uint8_t *)layer->input.data + top * row_bytes + left * pixel_bytes + p->group_bytes;
            const size_t runs = is_dense ? 1 : width, run = is_dense ? width * tap : tap;
            for (size_t row = 0; row < height; row++, from += dilation * row_bytes)
                for (size_t j = 0; j < runs; j++, to += run) copy_bytes(to, from + j * window->dilation_width * pixel_bytes, run);
        } else {
            for (size_t row = 0; row < height; row++)
                for (size_t column = 0; column < width; column++, to += tap) copy_bytes(to, narrow_tap(p, y, x, row, column), tap);
        }
        if (++x == layer->output.width) {
            x = 0;
            y++;
        }
    }
}

static size_t block_start(const narrow_product *p, const amx_cut *cut, size_t block) {
    const size_t start = block * cut->rows, last = p->pixels - cut->rows;
    return start < last ? start : last;
}

static amx_cut cut_of(const narrow_product *p) {
    const kaption_layer *layer = p->layer;
    const size_t dwords = layer->window.kernel_height * layer->window.kernel_width * narrow_tap_dwords(layer);
    amx_cut cut = {.chunk = narrow_chunk(&narrow_table_amx.packing[0], dwords), .blocks = (p->pixels + 31) / 32};
    cut.chunks = (dwords + cut.chunk - 1) / cut.chunk;
    cut.last = 4 * (dwords - cut.chunk);
    cut.rows = (p->pixels + cut.blocks - 1) / cut.blocks;
    cut.first_rows = cut.rows <= TILE ? cut.rows : cut.rows - cut.rows / 2;
    cut.row_bytes = narrow_reads_pixels(layer) ? layer->input.stride * kaption_element_bytes(layer->input_numbers.element) : 4 * dwords;
    cut.together = narrow_amx_pixels(layer) / cut.rows;
    if (cut.together == 0) cut.together = 1;
    return cut;
}

static void run_group(const narrow_product *p, const amx_cut *cut, const uint32_t *packed, const int is_integer) {
    const kaption_layer *layer = p->layer;
    const int is_direct = narrow_reads_pixels(layer);
    uint32_t sums[2 * TILE * COLUMNS] __attribute__((aligned(64)));
    amx_block block = {.sums = sums};
    for (size_t first = 0; first < cut->blocks; first += cut->together) {
        const size_t end = first + cut->together < cut->blocks ? first + cut->together : cut->blocks;
        const size_t start = block_start(p, cut, first);
        const uint8_t *pixels = (const uint8_t *)layer->scratch;
        if (is_direct) pixels = (const uint8_t *)layer->input.data + (p->first_pixel + start) * cut->row_bytes + p->group_bytes;
        else copy_windows(p, p->first_pixel + start, block_start(p, cut, end - 1) + cut->rows - start, (uint8_t *)layer->scratch);
        block.panel = packed;
        for (size_t j = 0; j < p->filters; j += COLUMNS) {
            const size_t used = p->filters - j < COLUMNS ? p->filters - j : COLUMNS;
            const int filter_tiles = used > TILE ? 2 : 1;
            block.start = p->constants.start + p->first_filter + j;
            for (size_t i = first; i < end; i++) {
                const size_t row = block_start(p, cut, i);
                block.pixels = pixels + (row - start) * cut->row_bytes;
                if (filter_tiles == 2) run_block(cut, &block, is_integer, 2);
                else run_block(cut, &block, is_integer, 1);
                finish_rows(p, is_integer, sums, row, cut->rows, j, used);
            }
            block.panel += cut->chunks * cut->chunk * TILE * (size_t)filter_tiles;
        }
    }
}

static void convolution(const kaption_layer *layer, const float *row_scales) {
    narrow_product p = narrow_product_of(layer, row_scales);
    if (p.pixels == 0) return;
    const amx_cut cut = cut_of(&p);
    const size_t k = layer->window.kernel_height * layer->window.kernel_width * narrow_tap_dwords(layer);
    const size_t group_dwords = narrow_panel_dwords(&narrow_table_amx.packing[0], p.filters, k);
    configure(&cut);
    for (size_t group = 0; group < layer->groups; group++) {
        p.first_filter = group * p.filters;
        p.group_bytes = group * (layer->input.channels / layer->groups) * kaption_element_bytes(layer->input_numbers.element);
        const uint32_t *packed = p.constants.weights + group * group_dwords;
        if (layer->input_numbers.element == KAPTION_UINT8) run_group(&p, &cut, packed, 1);
        else run_group(&p, &cut, packed, 0);
    }
    // Leaves the tiles as they begin, so that they need not be kept when threads change.
    _tile_release();
}

static void convolution_layer(const kaption_layer *layer) { convolution(layer, NULL); }

static uint32_t same(uint32_t dword, size_t part) {
    (void)part;
    return dword;
}

const narrow_table narrow_table_amx = {
    .packing = {{LANES, 2, 1, TILE, same}, {LANES, 2, 1, TILE, same}},
    .convolution = convolution,
    .layers = {[KAPTION_CONVOLUTION] = convolution_layer},
};
#pragma clang attribute pop
#endif
