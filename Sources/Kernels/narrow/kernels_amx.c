// Convolutions by AMX: a tile holds 16 rows of 64 bytes, and one instruction multiplies 16 pixels by 16 filters over 64 bytes of channels. A
// block is 2×2 tiles of sums. Pixels are read where they lie if a window is one pixel, else from planes (planes.h). While a block's tiles
// multiply, the vector units finish the sums of the one before it. The integers' sums are exact, so they are those of every other table.
#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>

#include "planes.h"

#pragma clang attribute push(                                                                                             \
    __attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma"))), \
    apply_to = function)
#include "../simd/vector_avx512.h"
#include "../simd/activation.h"
#define NARROW_HAS_BFLOAT16
#include "elements_avx512.h"
#include "tail.h"
#include "finish.h"
#include "copy_planes.h"
#include "amx_tiles.h"
#include "amx_tail.h"

enum { BLOCK = 2 * TILE };

// Output pixels that go over the weights together, and where their windows are. Places are output pixels and those between the rows of the
// planes, which are not written. Where places do not come out even, the last block overlaps the one before it.
typedef struct {
    const uint8_t *pixels;
    size_t step;                 // bytes from one place's window to the next
    size_t row_places, row_pixels;
    size_t places, blocks, rows;  // rows: places of a block
    size_t together;             // blocks that go over the weights together
    size_t first_rows;           // of them in the first tile; the others are in the second
    size_t first_pixel;          // of the product
} amx_strip;

// What a layer's strips and blocks share.
typedef struct {
    const narrow_product *p;
    narrow_cut cut;
    size_t offsets[NARROW_MOST_TAPS];  // of the runs in the windows
    size_t rows;                       // of a block, as the tiles are configured; 0: not yet
    size_t quantum;                    // pixels of the last block that are finished with each multiplication
    size_t next_lines, next_distance;  // weights that are fetched with each multiplication, and how far ahead, in bytes
    amx_tail tail;
    uint32_t *sums, *last_sums;
} amx_run;

typedef struct {
    const uint8_t *pixels;
    const uint32_t *panel;
    const uint8_t *next;  // weights to fetch
    const int32_t *start;
} amx_block;

INLINE void run_tiles(amx_run *run, const amx_strip *strip, amx_block *block, const int is_integer, const int pixel_tiles,
                      const int filter_tiles, const amx_tail_kind kind) {
    const narrow_cut *cut = &run->cut;
    const size_t tile = TILE * cut->chunk, below = strip->first_rows * strip->step, quantum = run->quantum;
    const uint32_t *w = block->panel;
    AMX_START(0, block->start);
    if (filter_tiles == 2) AMX_START(1, block->start + TILE);
    if (pixel_tiles == 2) AMX_START(2, block->start);
    if (pixel_tiles == 2 && filter_tiles == 2) AMX_START(3, block->start + TILE);
    for (size_t chunk = 0; chunk < cut->chunks; chunk++) {
        const uint8_t *pixels = block->pixels + 4 * narrow_chunk_begin(cut, chunk);
        for (size_t i = 0; i < cut->runs; i++, w += (size_t)filter_tiles * tile) {
            const uint8_t *first = pixels + run->offsets[i];
            _tile_loadd(4, first, strip->step);
            _tile_loadd(6, w, 64);
            AMX_MULTIPLY(0, 4, 6);
            if (filter_tiles == 2) {
                _tile_loadd(7, w + tile, 64);
                AMX_MULTIPLY(1, 4, 7);
            }
            if (pixel_tiles == 2) {
                _tile_loadd(5, first + below, strip->step);
                AMX_MULTIPLY(2, 5, 6);
                if (filter_tiles == 2) AMX_MULTIPLY(3, 5, 7);
            }
            for (size_t line = 0; line < run->next_lines; line++, block->next += 64) _mm_prefetch(block->next, _MM_HINT_T1);
            amx_finish_some(run->p, &run->tail, quantum, kind);
        }
    }
    amx_finish_some(run->p, &run->tail, BLOCK, kind);
    const size_t width = (size_t)filter_tiles * TILE;
    uint32_t *second = run->sums + strip->first_rows * width;
    _tile_stored(0, run->sums, 4 * width);
    if (filter_tiles == 2) _tile_stored(1, run->sums + TILE, 4 * width);
    if (pixel_tiles == 2) _tile_stored(2, second, 4 * width);
    if (pixel_tiles == 2 && filter_tiles == 2) _tile_stored(3, second + TILE, 4 * width);
}

// Notes what is to be finished of the sums of places from `start` on, of which `known` are finished already. They follow each other in the
// output. Other tails are done at once.
INLINE void note_tail(amx_run *run, const amx_strip *strip, size_t start, size_t known, size_t filter, size_t used, const int is_integer,
                      const amx_tail_kind kind) {
    const narrow_product *p = run->p;
    amx_tail *tail = &run->tail;
    const size_t width = used > TILE ? COLUMNS : TILE;
    const __m256i ascending = _mm256_set_epi8(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
                                              7, 6, 5, 4, 3, 2, 1, 0);
    size_t y = 0, x = start + known, count = 0;
    // One row is the commonest case, and a division takes as long as some pixels.
    if (x >= strip->row_places) {
        y = x / strip->row_places;
        x %= strip->row_places;
    }
    size_t pixel = strip->first_pixel + y * strip->row_pixels + narrow_lesser(x, strip->row_pixels);
    if (kind != TAIL_OTHER) {
        tail->sums = run->sums;
        tail->width = width;
        tail->second = used > TILE ? TILE : 0;
        tail->done = 0;
        tail->mask = 0xffffffffu >> (COLUMNS - used);
        tail->out = narrow_product_output(p, pixel, p->first_filter + filter);
        if (kind == TAIL_BFLOAT16_SUM || kind == TAIL_BYTES_SUM) tail->other = narrow_product_other(p, pixel, p->first_filter + filter);
    }
    for (size_t i = known; i < strip->rows; x = 0) {
        const size_t here = narrow_lesser(strip->rows - i, strip->row_places - x);
        const size_t pixels = x < strip->row_pixels ? narrow_lesser(here, strip->row_pixels - x) : 0;
        if (kind == TAIL_OTHER) {
            if (pixels > 0) finish_rows(p, is_integer, run->sums + i * width, pixel, pixels, filter, used);
            pixel += pixels;
        } else {
            _mm256_storeu_si256((__m256i *)(void *)(tail->rows + count), _mm256_add_epi8(ascending, _mm256_set1_epi8((char)i)));
        }
        count += pixels;
        i += here;
    }
    tail->count = kind == TAIL_OTHER ? 0 : count;
    uint32_t *next = run->last_sums;
    run->last_sums = run->sums;
    run->sums = next;
}

INLINE void start_filters(amx_run *run, size_t filter) {
    const narrow_constants *constants = &run->p->constants;
    const size_t at = run->p->first_filter + filter;
    run->tail.first_multiplier = load(constants->multiplier + at);
    run->tail.first_offset = load(constants->offset + at);
    run->tail.second_multiplier = load(constants->multiplier + at + LANES);
    run->tail.second_offset = load(constants->offset + at + LANES);
}

INLINE void run_strip(amx_run *run, const amx_strip *strip, const uint32_t *packed, const int is_integer, const amx_tail_kind kind) {
    const narrow_product *p = run->p;
    for (size_t first = 0; first < strip->blocks; first += strip->together) {
        const size_t end = narrow_lesser(first + strip->together, strip->blocks);
        amx_block block = {.panel = packed};
        for (size_t j = 0; j < p->filters; j += COLUMNS) {
            const size_t used = narrow_lesser(p->filters - j, COLUMNS);
            block.start = p->constants.start + p->first_filter + j;
            block.next = (const uint8_t *)block.panel + run->next_distance;
            for (size_t i = first; i < end; i++) {
                const size_t start = narrow_lesser(i * strip->rows, strip->places - strip->rows);
                block.pixels = strip->pixels + start * strip->step;
                if (used > TILE && strip->rows > strip->first_rows) run_tiles(run, strip, &block, is_integer, 2, 2, kind);
                else if (used > TILE) run_tiles(run, strip, &block, is_integer, 1, 2, kind);
                else if (strip->rows > strip->first_rows) run_tiles(run, strip, &block, is_integer, 2, 1, kind);
                else run_tiles(run, strip, &block, is_integer, 1, 1, kind);
                if (i == first) start_filters(run, j);
                note_tail(run, strip, start, i * strip->rows - start, j, used, is_integer, kind);
            }
            block.panel += run->cut.runs * run->cut.chunks * run->cut.chunk * (used > TILE ? COLUMNS : TILE);
        }
    }
}

static void run_strip_of_kind(amx_run *run, amx_strip *strip, const uint32_t *packed) {
    const int is_integer = run->p->layer->input_numbers.element == KAPTION_UINT8;
    strip->blocks = (strip->places + BLOCK - 1) / BLOCK;
    strip->together = narrow_lesser(strip->together, strip->blocks);
    strip->rows = (strip->places + strip->blocks - 1) / strip->blocks;
    strip->first_rows = strip->rows <= TILE ? strip->rows : strip->rows - strip->rows / 2;
    if (strip->rows != run->rows) configure_tiles(run->cut.chunk, strip->first_rows, strip->rows - strip->first_rows);
    run->rows = strip->rows;
    // A step reads 32 lines of weights. While blocks share them, the next filters' are fetched, a part with each step; a single block fetches its
    // own, somewhat ahead.
    run->next_lines = (2 * TILE + strip->together - 1) / strip->together;
    run->next_distance = strip->together > 1 ? run->cut.runs * run->cut.chunks * run->cut.chunk * COLUMNS * 4 : 8192;
    switch (amx_tail_kind_of(run->p, is_integer)) {
    case TAIL_BFLOAT16: run_strip(run, strip, packed, 0, TAIL_BFLOAT16); break;
    case TAIL_BFLOAT16_SUM: run_strip(run, strip, packed, 0, TAIL_BFLOAT16_SUM); break;
    case TAIL_BYTES: run_strip(run, strip, packed, 1, TAIL_BYTES); break;
    case TAIL_BYTES_SUM: run_strip(run, strip, packed, 1, TAIL_BYTES_SUM); break;
    case TAIL_BYTES_SILU: run_strip(run, strip, packed, 1, TAIL_BYTES_SILU); break;
    case TAIL_OTHER:
        if (is_integer) run_strip(run, strip, packed, 1, TAIL_OTHER);
        else run_strip(run, strip, packed, 0, TAIL_OTHER);
    }
}

// What is left when there is no next block.
static void finish_last(amx_run *run) {
    const int is_integer = run->p->layer->input_numbers.element == KAPTION_UINT8;
    switch (amx_tail_kind_of(run->p, is_integer)) {
    case TAIL_BFLOAT16: amx_finish_some(run->p, &run->tail, BLOCK, TAIL_BFLOAT16); break;
    case TAIL_BFLOAT16_SUM: amx_finish_some(run->p, &run->tail, BLOCK, TAIL_BFLOAT16_SUM); break;
    case TAIL_BYTES: amx_finish_some(run->p, &run->tail, BLOCK, TAIL_BYTES); break;
    case TAIL_BYTES_SUM: amx_finish_some(run->p, &run->tail, BLOCK, TAIL_BYTES_SUM); break;
    case TAIL_BYTES_SILU: amx_finish_some(run->p, &run->tail, BLOCK, TAIL_BYTES_SILU); break;
    case TAIL_OTHER: break;
    }
}

// Pixels where they lie.
static void run_pixels(amx_run *run, const uint32_t *packed) {
    const narrow_product *p = run->p;
    const size_t step = p->layer->input.stride * kaption_element_bytes(p->layer->input_numbers.element);
    // Few blocks at a time write whole pixels soon; many, where the weights are more than the cache holds well.
    const size_t weights = p->filters * run->cut.run * 4, most_pixels = weights <= 1 << 17 ? 2 * BLOCK : (1 << 19) / (4 * run->cut.run);
    amx_strip strip = {
        .pixels = (const uint8_t *)p->layer->input.data + p->first_pixel * step + p->group_bytes,
        .step = step, .row_places = p->pixels, .row_pixels = p->pixels, .places = p->pixels,
        .together = narrow_greater(most_pixels / BLOCK, 1),
    };
    run->offsets[0] = 0;
    run_strip_of_kind(run, &strip, packed);
}

// Windows, from planes.
static void run_windows(amx_run *run, const uint32_t *packed) {
    const kaption_layer *layer = run->p->layer;
    const kaption_window *window = &layer->window;
    const narrow_planes planes = narrow_planes_of(layer);
    const size_t across = run->cut.runs / window->kernel_height;
    for (size_t row = layer->row_begin; row < layer->row_end; row += planes.strip_rows) {
        const size_t rows = narrow_lesser(planes.strip_rows, layer->row_end - row);
        const size_t plane_bytes = narrow_plane_bytes(layer, &planes, rows), row_bytes = planes.columns * planes.pixel_bytes;
        for (size_t i = 0; i < run->cut.runs; i++) {
            const size_t y = i / across * window->dilation_height, x = i % across * window->dilation_width;
            run->offsets[i] = y % window->stride_height * plane_bytes + y / window->stride_height * row_bytes + x * planes.pixel_bytes;
        }
        copy_planes(run->p, &planes, row, rows);
        amx_strip strip = {
            .pixels = (const uint8_t *)layer->scratch, .step = planes.step * planes.pixel_bytes, .row_places = planes.places,
            .row_pixels = layer->output.width, .places = (rows - 1) * planes.places + layer->output.width,
            .first_pixel = (row - layer->row_begin) * layer->output.width,
            .together = SIZE_MAX,
        };
        run_strip_of_kind(run, &strip, packed);
    }
}

static void convolution(const kaption_layer *layer, const float *row_scales) {
    narrow_product p = narrow_product_of(layer, row_scales);
    if (p.pixels == 0) return;
    uint32_t sums[2][BLOCK * COLUMNS] __attribute__((aligned(64)));
    amx_run run = {.p = &p, .cut = narrow_cut_of(&narrow_table_amx.packing[0], layer), .sums = sums[0], .last_sums = sums[1]};
    const size_t steps = run.cut.runs * run.cut.chunks, group_dwords = narrow_panel_dwords(&narrow_table_amx.packing[0], &run.cut, p.filters);
    run.quantum = ((BLOCK + steps - 1) / steps + 1) / 2 * 2;
    run.tail.stride = layer->output.stride * kaption_element_bytes(layer->output_numbers.element);
    run.tail.other_stride = layer->other.stride * kaption_element_bytes(layer->other_numbers.element);
    for (size_t group = 0; group < layer->groups; group++) {
        p.first_filter = group * p.filters;
        p.group_bytes = group * (layer->input.channels / layer->groups) * kaption_element_bytes(layer->input_numbers.element);
        const uint32_t *packed = p.constants.weights + group * group_dwords;
        if (narrow_reads_pixels(layer)) run_pixels(&run, packed);
        else run_windows(&run, packed);
        finish_last(&run);
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
