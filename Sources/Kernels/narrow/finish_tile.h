// The commonest tails of a product's tile while its sums are still in registers: from integers to bytes, from floats to bfloat16, and from both
// to floats. What they do to a sum is what finish_known does.

// Whether all that a product's tail makes of its sums can be rounded to 32 bits, so that nothing needs a bound before it is packed. SiLU makes
// nothing greater.
static int rounds_in_range(const narrow_product *p) {
    const float channels = (float)(p->layer->input.channels / p->layer->groups);
    const float taps = (float)(p->layer->window.kernel_height * p->layer->window.kernel_width);
    vector greatest = zero();
    const size_t end = p->first_filter + p->filters;
    for (size_t j = p->first_filter; j < end; j += LANES) {
        const lane_mask mask = first_lanes(end - j);
        const vector multiplier = magnitude(load_first(mask, p->constants.multiplier + j));
        const vector offset = magnitude(load_first(mask, p->constants.offset + j));
        greatest = greater(greatest, multiply_add(multiplier, repeated(channels * taps * 255.0f * 127.0f), offset));
    }
    const float units = p->tail.is_folded ? 1.0f : p->tail.factor;
    return (greatest_lane(greatest) + 255.0f * fabsf(p->tail.other_factor)) * units < 2e9f;
}

INLINE tile_tail tile_tail_of(const narrow_product *p, const int is_integer) {
    const kaption_element element = p->layer->output_numbers.element, other_element = p->layer->other_numbers.element;
    const int has_other = p->layer->has_other;
    if (p->row_scales != NULL || (has_other && other_element != element)) return TILE_TO_MEMORY;
    if (element == KAPTION_FLOAT32) return !p->tail.is_folded ? TILE_TO_MEMORY : has_other ? TILE_FLOATS_OF_SUM : TILE_FLOATS;
    if (element != (is_integer ? KAPTION_UINT8 : KAPTION_BFLOAT16)) return TILE_TO_MEMORY;
    if (is_integer && !rounds_in_range(p)) return TILE_TO_MEMORY;
    if (has_other) return p->tail.is_folded ? TILE_CLIP_OF_SUM : TILE_TO_MEMORY;
    if (p->tail.is_folded) return TILE_CLIP;
    return p->tail.activation.kind == KAPTION_SILU ? TILE_SILU : TILE_TO_MEMORY;
}

// Where a tile's outputs go, the rows' first filters, and what makes them: the values themselves, for what stores of bytes could change, as far
// as the compiler knows, is read again and again.
typedef struct {
    narrow_tail tail;
    const float *multiplier, *offset;
    size_t used;  // filters
    uint8_t *out;
    size_t out_stride;
    const uint8_t *other;
    size_t other_stride;
} tile_output;

INLINE tile_output tile_output_of(const narrow_product *p, const tile_tail kind, const int is_integer, size_t row, size_t filter, size_t used) {
    const int is_float = kind == TILE_FLOATS || kind == TILE_FLOATS_OF_SUM, has_other = kind == TILE_CLIP_OF_SUM || kind == TILE_FLOATS_OF_SUM;
    const size_t bytes = is_float ? 4 : is_integer ? 1 : 2;
    return (tile_output){
        .tail = p->tail, .multiplier = p->constants.multiplier + filter, .offset = p->constants.offset + filter, .used = used,
        .out = narrow_product_output(p, row, filter), .out_stride = p->layer->output.stride * bytes,
        .other = has_other ? narrow_product_other(p, row, filter) : NULL, .other_stride = p->layer->other.stride * bytes,
    };
}

INLINE vector with_other(const tile_output *to, const tile_tail kind, const kaption_element element, int i, int v, vector x) {
    if (kind != TILE_CLIP_OF_SUM && kind != TILE_FLOATS_OF_SUM) return x;
    const uint8_t *other = to->other + (size_t)i * to->other_stride + (size_t)v * LANES * kaption_element_bytes(element);
    const lane_mask mask = first_lanes(to->used - (size_t)v * LANES);
    return multiply_add(load_numbers(element, mask, other), repeated(to->tail.other_factor), x);
}

#ifdef NARROW_PACKS_BYTES
#include "finish_rows_avx512.h"
#else
#include "finish_rows_avx2.h"
#endif

INLINE void finish_float_rows(const tile_output *to, const tile_tail kind, const int is_integer, const int rows, const int vectors,
                              const int stride, const integers *sums) {
    const vector low = repeated(to->tail.low), high = repeated(to->tail.high);
    const lane_mask mask = first_lanes(to->used - (size_t)(vectors - 1) * LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            vector x = (vector)sums[i * stride + v];
            if (is_integer)
                x = multiply_add(floats_of(sums[i * stride + v]), load(to->multiplier + v * LANES), load(to->offset + v * LANES));
            x = clipped(with_other(to, kind, KAPTION_FLOAT32, i, v, x), low, high);
            float *out = (float *)(void *)(to->out + (size_t)i * to->out_stride) + v * LANES;
            if (v == vectors - 1) store_first(mask, out, x);
            else store(out, x);
        }
}

// `sums`: [rows][stride], integers or floats, of which the first `vectors` of a row count. Then the next rows are at hand.
INLINE void finish_tile(tile_output *to, const tile_tail kind, const int is_integer, const int rows, const int vectors, const int stride,
                        const integers *sums) {
    if (kind == TILE_FLOATS || kind == TILE_FLOATS_OF_SUM) finish_float_rows(to, kind, is_integer, rows, vectors, stride, sums);
    else if (is_integer) finish_byte_rows(to, kind, rows, vectors, stride, sums);
    else finish_pair_rows(to, kind, rows, vectors, stride, (const vector *)sums);
    to->out += (size_t)rows * to->out_stride;
    if (to->other != NULL) to->other += (size_t)rows * to->other_stride;
}
