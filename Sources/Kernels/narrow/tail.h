// Reading and writing of elements of any kind, and what follows a sum.
#include "silu.h"

// The numbers at `from` as they are: 8-bit integers without scale and zero.
INLINE vector load_numbers(kaption_element element, lane_mask mask, const uint8_t *from) {
    if (element == KAPTION_UINT8) return load_uint8(from);
    if (element == KAPTION_BFLOAT16) return load_bfloat16(from);
    return load_first(mask, (const float *)(const void *)from);
}

// The values at `from`.
INLINE vector load_values(kaption_numbers numbers, lane_mask mask, const uint8_t *from) {
    const vector x = load_numbers(numbers.element, mask, from);
    if (numbers.element != KAPTION_UINT8) return x;
    return multiply(add(x, repeated(-numbers.zero)), repeated(numbers.scale));
}

INLINE void store_numbers(kaption_element element, lane_mask mask, uint8_t *to, vector x) {
    if (element == KAPTION_UINT8) store_uint8(mask, to, x);
    else if (element == KAPTION_BFLOAT16) store_bfloat16(mask, to, x);
    else store_first(mask, (float *)(void *)to, x);
}

// Within 0...255; 0 where x is NaN.
INLINE vector clipped_integer(vector x) { return lesser(greater(x, zero()), repeated(255.0f)); }

// narrow_silu of each lane.
INLINE vector silu_by_pieces(vector x) {
    const vector a = magnitude(x);
    const integers piece = truncated_below(NARROW_SILU_PIECES, multiply(a, repeated(NARROW_SILU_PIECES_PER_UNIT)));
    vector sum = chosen(narrow_silu_powers[3], piece);
    sum = multiply_add(sum, a, chosen(narrow_silu_powers[2], piece));
    sum = multiply_add(sum, a, chosen(narrow_silu_powers[1], piece));
    sum = multiply_add(sum, a, chosen(narrow_silu_powers[0], piece));
    return multiply_add(repeated(0.5f), x, sum);
}

// SiLU of what has everything but the activation, in the units of 8-bit integers.
INLINE vector silu_in_units(const narrow_tail *tail, vector x) {
    return multiply_add(silu_by_pieces(x), repeated(tail->factor), repeated(tail->zero));
}

// The activation of what will be written as `element`.
INLINE vector activated_for(kaption_element element, const kaption_activation *activation, vector x) {
    if (element == KAPTION_BFLOAT16 && activation->kind == KAPTION_SILU) return rounded_silu(x);
    if (element == KAPTION_UINT8 && activation->kind == KAPTION_SILU) return silu_by_pieces(x);
    return activated(activation, x);
}

// Writes the activated values.
INLINE void store_activated(const narrow_tail *tail, kaption_element element, lane_mask mask, uint8_t *to, vector x) {
    x = activated_for(element, &tail->activation, x);
    if (element == KAPTION_UINT8) x = clipped_integer(multiply_add(x, repeated(tail->factor), repeated(tail->zero)));
    store_numbers(element, mask, to, x);
}

// Writes what has everything but the activation: in the output's units where the tail is folded.
INLINE void store_finished(const narrow_tail *tail, kaption_element element, lane_mask mask, uint8_t *to, vector x) {
    if (!tail->is_folded) {
        store_activated(tail, element, mask, to, x);
        return;
    }
    const vector low = repeated(tail->low), high = repeated(tail->high);
    // An integer has no NaN to keep.
    x = element == KAPTION_UINT8 ? lesser(greater(x, low), high) : clipped(x, low, high);
    store_numbers(element, mask, to, x);
}

// The tail of a layer's sums, number(sum) in `x`, for filters from j on.
INLINE vector scaled_sum(const narrow_constants *constants, size_t j, vector x) {
    return multiply_add(x, load(constants->multiplier + j), load(constants->offset + j));
}

// The commonest tails to bytes: a clip at most, or SiLU.
typedef enum { BYTE_TAIL_OTHER, BYTE_TAIL_CLIP, BYTE_TAIL_SILU } byte_tail_kind;
static byte_tail_kind byte_tail_of(const kaption_layer *layer, const narrow_tail *tail) {
    if (layer->output_numbers.element != KAPTION_UINT8) return BYTE_TAIL_OTHER;
    if (tail->is_folded) return BYTE_TAIL_CLIP;
    return tail->activation.kind == KAPTION_SILU ? BYTE_TAIL_SILU : BYTE_TAIL_OTHER;
}
