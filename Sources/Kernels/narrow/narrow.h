// What the tables of narrow kernels share. Private to this target.
#ifndef KAPTION_NARROW_TABLES_H
#define KAPTION_NARROW_TABLES_H

#include <math.h>
#include <string.h>

#include "../window_places.h"
#include "kaption_narrow.h"

// Weights of a product lie in panels of vectors of columns; within a panel come the chunks of dwords of k (four bytes or two bfloat16), of
// each its parts, of each its vectors, of each its dwords. Chunks are equal; the last one begins early enough for that, and has zeros for what
// the one before it has.
typedef struct {
    size_t lanes, tile_vectors;
    size_t parts;  // vectors that a dword of k takes: 2 where a table widens the elements
    size_t most_chunk;  // dwords of k that are multiplied at once
    // What part `part` of the dword becomes.
    uint32_t (*expand)(uint32_t dword, size_t part);
} narrow_packing;

typedef enum { NARROW_TAPS, NARROW_DOTS, NARROW_WIDENED } narrow_depthwise_kernels;

typedef struct {
    narrow_packing packing[2];  // of KAPTION_UINT8, of KAPTION_BFLOAT16
    // `row_scales`: a factor for each row of the product, or NULL.
    void (*convolution)(const kaption_layer *layer, const float *row_scales);
    // Which depthwise kernels it has beside those of single taps (narrow_depthwise_form_of).
    narrow_depthwise_kernels depthwise;
    // Whether weights are those of narrow_row_view where narrow_joins_rows.
    int joins_rows;
    int has_winograd;  // narrow_goes_by_winograd
    void (*rows)(kaption_element element, size_t k, const float *a, void *row, float *scale);
    void (*layers[KAPTION_OPERATION_COUNT])(const kaption_layer *layer);
} narrow_table;

extern const narrow_table narrow_table_plain;
#if defined(__x86_64__)
extern const narrow_table narrow_table_avx2;
extern const narrow_table narrow_table_avx512;
extern const narrow_table narrow_table_vnni;
// Has convolutions alone.
extern const narrow_table narrow_table_amx;
// A product of rows: a convolution of 1×1 of which the pixels are the rows, without a tail.
void narrow_rows_amx(const kaption_layer *layer, const float *row_scales);
#endif

// A convolution's constants: each array 64-byte aligned, those by filter as long as the filters rounded up to 16.
typedef struct {
    const int32_t *start;      // what sums begin with: −zero · Σ weights, and more where inputs are taken less something (winograd.h)
    const float *multiplier;   // of a sum
    const float *offset;       // added to it
    const uint8_t *border;     // an input pixel outside the image
    const uint32_t *weights;
} narrow_constants;

static inline size_t narrow_border_floats(const kaption_layer *layer) {
    return kaption_round_up((layer->input.channels * kaption_element_bytes(layer->input_numbers.element) + 3) / 4 + 4);
}

static inline narrow_constants narrow_constants_of(const kaption_layer *layer) {
    const size_t filters = kaption_round_up(layer->output.channels);
    const float *at = layer->weights;
    return (narrow_constants){
        .start = (const int32_t *)(const void *)at,
        .multiplier = at + filters,
        .offset = at + 2 * filters,
        .border = (const uint8_t *)(at + 3 * filters),
        .weights = (const uint32_t *)(const void *)(at + 3 * filters + narrow_border_floats(layer)),
    };
}

// Vectors of the next panel where `columns` are left.
static inline size_t narrow_panel_vectors(size_t columns, size_t lanes, size_t most) {
    const size_t vectors = (columns + lanes - 1) / lanes;
    if (vectors <= most) return vectors;
    return vectors == most + 1 ? (vectors + 1) / 2 : most;
}

// Elements in a dword, and dwords of a tap's channels.
static inline size_t narrow_dword_elements(kaption_element element) { return element == KAPTION_UINT8 ? 4 : 2; }
static inline size_t narrow_tap_dwords(const kaption_layer *layer) {
    const size_t elements = narrow_dword_elements(layer->input_numbers.element);
    return (layer->input.channels / layer->groups + elements - 1) / elements;
}
// Windows of more taps than the vector kernels keep pointers of are left to the plain ones.
enum { NARROW_MOST_TAPS = 256 };

// Whether a product's rows are the input's pixels as they lie.
static inline int narrow_reads_pixels(const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    return window->kernel_height * window->kernel_width == 1 && window->stride_height * window->stride_width == 1 &&
           layer->input.height == layer->output.height && layer->input.width == layer->output.width;
}
// Whether the taps of a kernel's row are read as one piece where windows are copied: fewer tiles than if each began anew.
static inline int narrow_joins_taps(const kaption_layer *layer) {
    enum { TILE_DWORDS = 16 };
    const size_t width = layer->window.kernel_width, tap = narrow_tap_dwords(layer);
    return layer->window.dilation_width == 1 &&
           (width * tap + TILE_DWORDS - 1) / TILE_DWORDS < width * ((tap + TILE_DWORDS - 1) / TILE_DWORDS);
}

// Whether a convolution's input is copied row by row, where a table joins rows (image.h): one over few channels, as an image has.
enum { NARROW_IMAGE_CHANNELS = 4, NARROW_IMAGE_BYTES = 1 << 15 };
// Bytes of an input row that `columns` outputs of a row look at, and of all such rows: pixels are copied eight bytes at a time, and dwords end
// behind the last row's.
static inline size_t narrow_image_line(const kaption_layer *layer, size_t columns) {
    const size_t read = (columns - 1) * layer->window.stride_width + layer->window.kernel_width;
    return read * layer->input.channels * kaption_element_bytes(layer->input_numbers.element) + 8;
}
static inline size_t narrow_image_bytes(const kaption_layer *layer, size_t columns) {
    return ((layer->window.kernel_height - 1) * layer->window.dilation_height + 1) * narrow_image_line(layer, columns) + 64;
}
static inline int narrow_joins_rows(const kaption_layer *layer) {
    return layer->operation == KAPTION_CONVOLUTION && layer->groups == 1 && layer->input.channels <= NARROW_IMAGE_CHANNELS &&
           layer->input.stride >= NARROW_IMAGE_CHANNELS && layer->window.kernel_width > 1 && layer->window.dilation_width == 1 &&
           narrow_image_bytes(layer, 1) <= NARROW_IMAGE_BYTES;
}
// The layer with the rows of its windows as taps, for its weights alone: where its pixels lie is not told.
static inline kaption_layer narrow_row_view(const kaption_layer *layer) {
    kaption_layer view = *layer;
    view.window.kernel_width = 1;
    view.input.channels *= layer->window.kernel_width;
    return view;
}

// How a window is cut for a product: `runs` pieces of `run` dwords, each into equal chunks. Products go chunk by chunk, and through all runs for
// each, so that neighbouring windows find in the nearest cache what they share.
typedef struct {
    size_t runs, run, chunk, chunks;
} narrow_cut;

static inline narrow_cut narrow_cut_of(const narrow_packing *packing, const kaption_layer *layer) {
    const size_t height = layer->window.kernel_height, width = layer->window.kernel_width, tap = narrow_tap_dwords(layer);
    narrow_cut cut = {.runs = 1, .run = height * width * tap};
    if (packing->most_chunk > 1 && !narrow_reads_pixels(layer)) {
        cut.runs = narrow_joins_taps(layer) ? height : height * width;
        cut.run /= cut.runs;
    }
    cut.chunks = (cut.run + packing->most_chunk - 1) / packing->most_chunk;
    cut.chunk = (cut.run + cut.chunks - 1) / cut.chunks;
    return cut;
}
// Where a chunk begins in its run.
static inline size_t narrow_chunk_begin(const narrow_cut *cut, size_t i) {
    return (i + 1) * cut->chunk <= cut->run ? i * cut->chunk : cut->run - cut->chunk;
}
// Dwords of the packed weights of `n` columns.
static inline size_t narrow_panel_dwords(const narrow_packing *packing, const narrow_cut *cut, size_t n) {
    const size_t dwords = cut->runs * cut->chunks * cut->chunk;
    return kaption_round_up((n + packing->lanes - 1) / packing->lanes * packing->lanes * dwords * packing->parts);
}

// How a depthwise convolution is computed, and its weights are packed (depthwise_packing.c).
typedef enum {
    NARROW_SINGLE_TAPS,      // depthwise.h
    NARROW_ORDERED_COLUMNS,  // depthwise_bytes.h: NARROW_COLUMNS of four rows must hold a window
    NARROW_WIDENED_WINDOWS,  // depthwise_widened.h
    NARROW_PAIRS,            // depthwise_pairs.h
    NARROW_PAIR_WINDOWS,     // depthwise_pair_windows.h
} narrow_depthwise_form;
enum { NARROW_COLUMNS = 128, NARROW_BYTE_HEIGHT = 16, NARROW_PAIR_HEIGHT = 8 };

// Whether neighbouring windows share columns in turn, as those kernels take them that keep columns in registers.
static inline int narrow_slides(const kaption_window *window) { return window->dilation_width == 1 && window->stride_width <= 2; }
static inline int narrow_is_square(const kaption_window *window, size_t side) {
    return window->kernel_width == side && window->kernel_height == side;
}

static inline narrow_depthwise_form narrow_depthwise_form_of(narrow_depthwise_kernels kernels, const kaption_layer *layer) {
    const kaption_window *window = &layer->window;
    const int is_bytes = layer->input_numbers.element == KAPTION_UINT8;
    if (kernels == NARROW_WIDENED && is_bytes && narrow_slides(window) && (narrow_is_square(window, 3) || narrow_is_square(window, 5)))
        return NARROW_WIDENED_WINDOWS;
    if (kernels != NARROW_DOTS) return NARROW_SINGLE_TAPS;
    const size_t columns = (window->kernel_width - 1) * window->dilation_width + 1, quads = (window->kernel_height + 3) / 4;
    if (is_bytes && window->kernel_height <= NARROW_BYTE_HEIGHT && window->dilation_width <= 8 && columns * quads <= NARROW_COLUMNS)
        return NARROW_ORDERED_COLUMNS;
    const int are_pairs = layer->input_numbers.element == KAPTION_BFLOAT16 && layer->output_numbers.element == KAPTION_BFLOAT16;
    if (!are_pairs || !narrow_slides(window)) return NARROW_SINGLE_TAPS;
    if (narrow_is_square(window, 3)) return NARROW_PAIR_WINDOWS;
    const int is_pairs_width = window->kernel_width == 3 || window->kernel_width == 5;
    return is_pairs_width && window->kernel_height <= NARROW_PAIR_HEIGHT ? NARROW_PAIRS : NARROW_SINGLE_TAPS;
}

// Dwords of weights that 32 channels take, vectors of eight dwords that 16 take, and how many channels have weights.
enum { NARROW_PAIR_WINDOW_DWORDS = 3 * 4 * 16 };
static inline size_t narrow_widened_vectors(const kaption_layer *layer) {
    return layer->window.kernel_width * ((layer->window.kernel_height + 1) / 2) * 2;
}
static inline size_t narrow_pair_channels(size_t channels) { return (channels + 31) / 32 * 32; }

size_t narrow_depthwise_floats(narrow_depthwise_form form, const kaption_layer *layer);
// `scales`: those of a filter's weights as 8-bit integers.
void narrow_pack_depthwise(narrow_depthwise_form form, const kaption_layer *layer, const float *w, const float *scales, float *to);

// The nearest integer in ±127, ties to even; adding 1.5 · 2²³ leaves no bits below one. A scale of 0 is of zeros alone. Weights
// that are not finite make some integer here: the layer is refused once it is packed.
static inline int8_t narrow_quantised(float w, float scale) {
    if (!(scale > 0.0f)) return 0;
    return (int8_t)fmaxf(-127.0f, fminf(127.0f, (w / scale + 12582912.0f) - 12582912.0f));
}

// What follows a sum: x = number(sum) · multiplier + offset, + number(other) · other_factor; then, if the activation is folded, a clip in the
// output's own units; else the activation, · factor + zero, and the clip to 0...255 of KAPTION_UINT8.
typedef struct {
    int is_folded;
    float other_factor;
    float low, high;
    float factor, zero;
    kaption_activation activation;
} narrow_tail;

narrow_tail narrow_tail_of(const kaption_layer *layer);

// The nearest bfloat16, ties to even; NaN stays NaN.
static inline uint16_t narrow_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    if (x != x) return (uint16_t)((bits >> 16) | 0x40);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
static inline float narrow_widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline const uint8_t *narrow_pixel(const kaption_tensor *tensor, kaption_element element, size_t y, size_t x) {
    return (const uint8_t *)tensor->data + (y * tensor->width + x) * tensor->stride * kaption_element_bytes(element);
}
// Where row y of a depthwise convolution's input lies, which may be in a ring.
static inline size_t narrow_ring_row(const kaption_layer *layer, size_t y) {
    return layer->input_ring == 0 ? y : y % layer->input_ring;
}
// Where the rows of the window over output row y of a depthwise convolution begin; NULL for those beyond the border.
static inline void narrow_window_rows(const kaption_layer *layer, size_t y, const uint8_t *rows[]) {
    const kaption_window *window = &layer->window;
    for (size_t row = 0; row < window->kernel_height; row++) {
        const size_t in_y = y * window->stride_height + row * window->dilation_height - window->pad_top;
        const int inside = in_y < layer->input.height;
        rows[row] = inside ? narrow_pixel(&layer->input, layer->input_numbers.element, narrow_ring_row(layer, in_y), 0) : NULL;
    }
}
static inline uint8_t *narrow_output(const kaption_layer *layer, size_t y, size_t x) {
    return (uint8_t *)layer->output.data +
           (y * layer->output.width + x) * layer->output.stride * kaption_element_bytes(layer->output_numbers.element);
}
static inline int narrow_same_numbers(kaption_numbers a, kaption_numbers b) {
    return a.element == b.element && (a.element != KAPTION_UINT8 || (a.scale == b.scale && a.zero == b.zero));
}

// Zeros behind the channels of an image's pixels.
void narrow_clear_gaps(const kaption_layer *layer);
// Kernels that move elements only are the same in every table.
void narrow_copy(const kaption_layer *layer);
void narrow_gather_channels(const kaption_layer *layer);

#endif
