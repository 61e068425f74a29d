// Depthwise convolutions of bytes over windows of 3×3 with AVX2: 16 channels widened to 16 bits and multiplied two rows at a time, exactly. A
// column is put in order once and added to the sums of all windows that it is in.
#include "window_rows.h"

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
} widened_windows;

// Column `column` of the padded input: the first two rows' words side by side, then those of the third with zeros. Of each the first vector has
// the channels 0 to 3 and 8 to 11, the second the others.
INLINE void widened_column(const window_rows *in, size_t column, integers to[4]) {
    integers rows[3];
#pragma clang loop unroll(full)
    for (int i = 0; i < 3; i++)
        rows[i] = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)window_pixel(in, column, i)));
    to[0] = _mm256_unpacklo_epi16(rows[0], rows[1]);
    to[1] = _mm256_unpackhi_epi16(rows[0], rows[1]);
    to[2] = _mm256_unpacklo_epi16(rows[2], zero_integers());
    to[3] = _mm256_unpackhi_epi16(rows[2], zero_integers());
}

// `sums` and a column's products with its weights.
INLINE void add_column(const integers column[4], const integers weights[4], const integers sums[2], integers to[2]) {
#pragma clang loop unroll(full)
    for (int v = 0; v < 2; v++) {
        const integers products = _mm256_add_epi32(_mm256_madd_epi16(column[v], weights[v]), _mm256_madd_epi16(column[v + 2], weights[v + 2]));
        to[v] = _mm256_add_epi32(sums[v], products);
    }
}

// The tail of `count` of 16 channels from j on.
INLINE void finish_widened(const narrow_constants *constants, const narrow_tail *tail, kaption_element element, size_t j, size_t count,
                           const integers sums[2], uint8_t *out, const int is_whole) {
    const integers first = _mm256_permute2x128_si256(sums[0], sums[1], 0x20), second = _mm256_permute2x128_si256(sums[0], sums[1], 0x31);
    const vector x = scaled_sum(constants, j, floats_of(first)), y = scaled_sum(constants, j + LANES, floats_of(second));
    if (is_whole) {
        store_sixteen_bytes(tail, x, y, out);
        return;
    }
    store_finished(tail, element, first_lanes(count), out, x);
    if (count > LANES) store_finished(tail, element, first_lanes(count - LANES), out + LANES * kaption_element_bytes(element), y);
}

// Output row y of the channels from j on; `is_whole`: 16 of them as bytes, with a clip at most. What stores of bytes could change, as far as the compiler knows, is kept in variables.
INLINE void widened_row(const widened_windows *p, size_t y, size_t j, const size_t stride, const int is_whole) {
    const kaption_layer *layer = p->layer;
    const window_rows in = window_rows_of(layer, p->constants.border, y, j);
    const narrow_constants constants = p->constants;
    const narrow_tail tail = p->tail;
    const kaption_element element = layer->output_numbers.element;
    const integers *weights = (const integers *)(const void *)constants.weights + j / 16 * NARROW_WIDENED_VECTORS;
    const integers starts[2] = {load_integers(constants.start + j), load_integers(constants.start + j + LANES)};
    const integers start[2] = {_mm256_permute2x128_si256(starts[0], starts[1], 0x20), _mm256_permute2x128_si256(starts[0], starts[1], 0x31)};
    const size_t left = layer->output.channels - j, count = left < 16 ? left : 16;
    const size_t step = layer->output.stride * kaption_element_bytes(element), width = layer->output.width;
    uint8_t *out = narrow_output(layer, y, 0) + j * kaption_element_bytes(element);
    // Of the window at hand and, with a stride of 1, of the next one.
    integers column[4], sums[2], next_sums[2], whole[2];
    size_t next = 0;
    widened_column(&in, next++, column);
    add_column(column, weights, start, sums);
    if (stride == 1) {
        widened_column(&in, next++, column);
        add_column(column, weights + 4, sums, sums);
        add_column(column, weights, start, next_sums);
    }
    for (size_t x = 0; x < width; x++, out += step) {
        if (stride == 2) {
            widened_column(&in, next++, column);
            add_column(column, weights + 4, sums, sums);
        }
        widened_column(&in, next++, column);
        add_column(column, weights + 8, sums, whole);
        if (stride == 2) {
            add_column(column, weights, start, sums);
        } else {
            add_column(column, weights + 4, next_sums, sums);
            add_column(column, weights, start, next_sums);
        }
        finish_widened(&constants, &tail, element, j, count, whole, out, is_whole);
    }
}

static void depthwise_widened(const kaption_layer *layer) {
    if (!narrow_widens_windows(layer)) {
        depthwise_narrow(layer);
        return;
    }
    const widened_windows p = {layer, narrow_constants_of(layer), narrow_tail_of(layer)};
    const int are_bytes = p.tail.is_folded && layer->output_numbers.element == KAPTION_UINT8;
    for (size_t j = 0; j < layer->output.channels; j += 16) {
        const int is_whole = are_bytes && layer->output.channels - j >= 16;
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {
            if (layer->window.stride_width == 1) is_whole ? widened_row(&p, y, j, 1, 1) : widened_row(&p, y, j, 1, 0);
            else is_whole ? widened_row(&p, y, j, 2, 1) : widened_row(&p, y, j, 2, 0);
        }
    }
}
