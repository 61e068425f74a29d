// A product of narrow rows, and what follows its sums. After tail.h.

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
    const float *row_scales;
    size_t first_pixel, pixels;
    size_t group_bytes;   // the group's first input channel
    size_t first_filter;  // of the group
    size_t filters;
    size_t taps, dwords;  // of each tap
    // Where rows lie as far apart as each other, and a row's taps; NULL: the layer's pixels, wherever its window takes them from.
    const uint8_t *rows;
    size_t row_step, tap_step;
} narrow_product;

static narrow_product narrow_product_of(const kaption_layer *layer, const float *row_scales) {
    const kaption_element element = layer->input_numbers.element;
    return (narrow_product){
        .layer = layer, .constants = narrow_constants_of(layer), .tail = narrow_tail_of(layer), .row_scales = row_scales,
        .first_pixel = layer->row_begin * layer->output.width,
        .pixels = (layer->row_end - layer->row_begin) * layer->output.width, .filters = layer->output.channels / layer->groups,
        .taps = layer->window.kernel_height * layer->window.kernel_width, .dwords = narrow_tap_dwords(layer),
        .rows = narrow_reads_pixels(layer) ? narrow_pixel(&layer->input, element, layer->row_begin, 0) : NULL,
        .row_step = layer->input.stride * kaption_element_bytes(element),
    };
}

INLINE uint8_t *narrow_product_output(const narrow_product *p, size_t row, size_t filter) {
    const kaption_tensor *output = &p->layer->output;
    return (uint8_t *)output->data +
           ((p->first_pixel + row) * output->stride + filter) * kaption_element_bytes(p->layer->output_numbers.element);
}
INLINE const uint8_t *narrow_product_other(const narrow_product *p, size_t row, size_t filter) {
    const kaption_tensor *other = &p->layer->other;
    return (const uint8_t *)other->data +
           ((p->first_pixel + row) * other->stride + filter) * kaption_element_bytes(p->layer->other_numbers.element);
}

// How a tile of a product ends. TILE_TO_MEMORY: the sums are written, and finish_rows reads them; all others write the output from registers.
typedef enum { TILE_TO_MEMORY, TILE_CLIP, TILE_CLIP_OF_SUM, TILE_SILU, TILE_FLOATS, TILE_FLOATS_OF_SUM, TILE_TAIL_COUNT } tile_tail;
#ifdef NARROW_PACKS_BYTES
#include "finish_bytes.h"
#endif
#include "finish_tile.h"

// The tail where elements and what is there are known; what is added is written as the output is.
INLINE void finish_known(const narrow_product *p, const int is_integer, const uint32_t *sums, size_t row, size_t rows, size_t filter,
                         size_t used, const kaption_element element, const kaption_element other_element, const int has_other,
                         const int is_folded, const int has_scales) {
    const size_t vectors = (used + LANES - 1) / LANES;
    const size_t stride = p->layer->output.stride * kaption_element_bytes(element);
    const size_t other_stride = p->layer->other.stride * kaption_element_bytes(other_element);
    narrow_tail tail = p->tail;
    tail.is_folded = is_folded;
    for (size_t v = 0; v < vectors; v++) {
        const lane_mask mask = first_lanes(used - v * LANES);
        const size_t at = filter + v * LANES;
        const vector multiplier = load(p->constants.multiplier + at), offset = load(p->constants.offset + at);
        const uint32_t *from = sums + v * LANES;
        uint8_t *out = narrow_product_output(p, row, at);
        const uint8_t *other = has_other ? narrow_product_other(p, row, at) : NULL;
        for (size_t i = 0; i < rows; i++, from += vectors * LANES, out += stride) {
            vector x = is_integer ? floats_of(load_integers(from)) : load((const float *)(const void *)from);
            if (has_scales) x = multiply(x, repeated(p->row_scales[row + i]));
            x = multiply_add(x, multiplier, offset);
            if (has_other) {
                x = multiply_add(load_numbers(other_element, mask, other), repeated(tail.other_factor), x);
                other += other_stride;
            }
            store_finished(&tail, element, mask, out, x);
        }
    }
}

// The tail of rows of the product from `row` on, filters from j on; `sums` are integers or floats, [rows][whole vectors].
INLINE void finish_rows(const narrow_product *p, const int is_integer, const uint32_t *sums, size_t row, size_t rows, size_t j,
                        size_t used) {
    const kaption_element element = p->layer->output_numbers.element, other_element = p->layer->other_numbers.element;
    const size_t filter = p->first_filter + j;
#define FINISH(element, other_element, has_other, is_folded, has_scales)                                                              \
    finish_known(p, is_integer, sums, row, rows, filter, used, element, other_element, has_other, is_folded, has_scales)
    const int has_other = p->layer->has_other, is_folded = p->tail.is_folded;
    if (p->row_scales != NULL && element == KAPTION_FLOAT32 && !has_other && is_folded)
        FINISH(KAPTION_FLOAT32, KAPTION_FLOAT32, 0, 1, 1);
    else if (p->row_scales != NULL)
        FINISH(element, other_element, has_other, is_folded, 1);
    else if (element == KAPTION_BFLOAT16 && is_folded && !has_other)
        FINISH(KAPTION_BFLOAT16, KAPTION_BFLOAT16, 0, 1, 0);
    else if (element == KAPTION_BFLOAT16 && is_folded && other_element == KAPTION_BFLOAT16)
        FINISH(KAPTION_BFLOAT16, KAPTION_BFLOAT16, 1, 1, 0);
    else if (element == KAPTION_BFLOAT16 && !has_other)
        FINISH(KAPTION_BFLOAT16, KAPTION_BFLOAT16, 0, 0, 0);
    else if (element == KAPTION_UINT8 && !has_other && is_folded)
        FINISH(KAPTION_UINT8, KAPTION_UINT8, 0, 1, 0);
    else if (element == KAPTION_UINT8 && !has_other)
        FINISH(KAPTION_UINT8, KAPTION_UINT8, 0, 0, 0);
    else if (element == KAPTION_UINT8 && is_folded && other_element == KAPTION_UINT8)
        FINISH(KAPTION_UINT8, KAPTION_UINT8, 1, 1, 0);
    else if (element == KAPTION_FLOAT32 && is_folded && !has_other)
        FINISH(KAPTION_FLOAT32, KAPTION_FLOAT32, 0, 1, 0);
    else
        FINISH(element, other_element, has_other, is_folded, 0);
#undef FINISH
}
