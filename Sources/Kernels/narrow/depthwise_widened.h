// Depthwise convolutions of bytes over windows of 3×3 and 5×5 with AVX2: 16 channels widened to 16 bits and multiplied two rows at a time, exactly.
// A column is put in order once and added to the sums of all windows that it is in.
#include "window_rows.h"

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
} widened_windows;

// Column `column` of the padded input: two rows' words side by side, the last ones with zeros. Of each pair the first vector has the channels 0 to 3
// and 8 to 11, the second the others.
INLINE void widened_column(const window_rows *in, size_t column, integers *to, const size_t side) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < side; i += 2) {
        integers rows[2] = {zero_integers(), zero_integers()};
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 2 && i + k < side; k++)
            rows[k] = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)window_pixel(in, column, i + k)));
        to[i] = _mm256_unpacklo_epi16(rows[0], rows[1]);
        to[i + 1] = _mm256_unpackhi_epi16(rows[0], rows[1]);
    }
}

// Adds a column to the sums of the windows that it is in: it is `place` columns after the first of window 0, and the others are `stride` apart.
// `weights`: [column][pair of rows][two vectors].
INLINE void add_column(const integers *column, const size_t place, const integers *weights, const integers start[2], integers sums[][2],
                       const size_t side, const size_t stride) {
    const size_t vectors = (side + 1) / 2 * 2;
#pragma clang loop unroll(full)
    for (size_t k = 0; k * stride <= place; k++) {
        const size_t tap = place - k * stride;
        if (tap >= side) continue;
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            const integers products = _mm256_madd_epi16(column[v], weights[tap * vectors + v]);
            sums[k][v % 2] = _mm256_add_epi32(tap == 0 && v < 2 ? start[v] : sums[k][v % 2], products);
        }
    }
}

// The tail of `count` of 16 channels from j on.
INLINE void finish_widened(const narrow_constants *constants, const narrow_tail *tail, kaption_element element, size_t j, size_t count,
                           const integers sums[2], uint8_t *out, const byte_tail_kind kind) {
    const integers first = _mm256_permute2x128_si256(sums[0], sums[1], 0x20), second = _mm256_permute2x128_si256(sums[0], sums[1], 0x31);
    const vector x = scaled_sum(constants, j, floats_of(first)), y = scaled_sum(constants, j + LANES, floats_of(second));
    if (kind == BYTE_TAIL_CLIP) {
        store_sixteen_bytes(tail, x, y, out);
        return;
    }
    if (kind == BYTE_TAIL_SILU) {
        store_sixteen_bytes(tail, silu_in_units(tail, x), silu_in_units(tail, y), out);
        return;
    }
    store_finished(tail, element, first_lanes(count), out, x);
    if (count > LANES) store_finished(tail, element, first_lanes(count - LANES), out + LANES * kaption_element_bytes(element), y);
}

// Output row y of the channels from j on, of which there are 16 unless the tail is BYTE_TAIL_OTHER. What stores of bytes could change, as far as
// the compiler knows, is kept in variables.
INLINE void widened_row(const widened_windows *p, size_t y, size_t j, const size_t side, const size_t stride, const byte_tail_kind kind) {
    const kaption_layer *layer = p->layer;
    const window_rows in = window_rows_of(layer, p->constants.border, y, j);
    const narrow_constants constants = p->constants;
    const narrow_tail tail = p->tail;
    const kaption_element element = layer->output_numbers.element;
    const integers *weights = (const integers *)(const void *)constants.weights + j / 16 * (side * (side + 1) / 2 * 2);
    const integers starts[2] = {load_integers(constants.start + j), load_integers(constants.start + j + LANES)};
    const integers start[2] = {_mm256_permute2x128_si256(starts[0], starts[1], 0x20), _mm256_permute2x128_si256(starts[0], starts[1], 0x31)};
    const size_t left = layer->output.channels - j, count = left < 16 ? left : 16;
    const size_t step = layer->output.stride * kaption_element_bytes(element), width = layer->output.width;
    uint8_t *out = narrow_output(layer, y, 0) + j * kaption_element_bytes(element);
    // Of the window at hand and of those that begin before it ends.
    integers sums[MOST_WINDOW_ROWS][2], column[MOST_WINDOW_ROWS + 1];
    const size_t windows = (side - 1) / stride + 1;
    size_t next = 0;
#pragma clang loop unroll(full)
    for (size_t place = 0; place < side - stride; place++) {
        widened_column(&in, next++, column, side);
        add_column(column, place, weights, start, sums, side, stride);
    }
    for (size_t x = 0; x < width; x++, out += step) {
#pragma clang loop unroll(full)
        for (size_t place = side - stride; place < side; place++) {
            widened_column(&in, next++, column, side);
            add_column(column, place, weights, start, sums, side, stride);
        }
        finish_widened(&constants, &tail, element, j, count, sums[0], out, kind);
#pragma clang loop unroll(full)
        for (size_t k = 0; k + 1 < windows; k++)
            for (int v = 0; v < 2; v++) sums[k][v] = sums[k + 1][v];
    }
}

INLINE void widened_rows(const widened_windows *p, size_t j, const size_t side, const size_t stride, const byte_tail_kind kind) {
    for (size_t y = p->layer->row_begin; y < p->layer->row_end; y++) widened_row(p, y, j, side, stride, kind);
}

static void depthwise_widened(const kaption_layer *layer) {
    if (narrow_depthwise_form_of(NARROW_WIDENED, layer) != NARROW_WIDENED_WINDOWS) {
        depthwise_narrow(layer);
        return;
    }
    const widened_windows p = {layer, narrow_constants_of(layer), narrow_tail_of(layer)};
    for (size_t j = 0; j < layer->output.channels; j += 16) {
        const byte_tail_kind kind = layer->output.channels - j < 16 ? BYTE_TAIL_OTHER : byte_tail_of(layer, &p.tail);
#define WIDENED_ROWS(side, stride)                                                        \
    (kind == BYTE_TAIL_CLIP   ? widened_rows(&p, j, side, stride, BYTE_TAIL_CLIP)         \
     : kind == BYTE_TAIL_SILU ? widened_rows(&p, j, side, stride, BYTE_TAIL_SILU)         \
                              : widened_rows(&p, j, side, stride, BYTE_TAIL_OTHER))
        if (layer->window.kernel_width == 3) layer->window.stride_width == 1 ? WIDENED_ROWS(3, 1) : WIDENED_ROWS(3, 2);
        else layer->window.stride_width == 1 ? WIDENED_ROWS(5, 1) : WIDENED_ROWS(5, 2);
#undef WIDENED_ROWS
    }
}
