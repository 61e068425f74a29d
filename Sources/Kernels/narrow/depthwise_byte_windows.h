// Depthwise convolutions of bytes over windows of 3×3 without dilation: the three columns of a window, put in order, stay in registers from one
// output to the next, which takes over those that it shares. Part of depthwise_bytes.h.
#include "window_rows.h"

// Column `column` of the padded input, in order.
INLINE void window_column(const window_rows *in, size_t column, __mmask64 mask, __m512i to[4], const int is_half) {
    __m512i taps[4];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 3; i++) taps[i] = load_masked_bytes(mask, window_pixel(in, column, i), is_half);
    taps[3] = _mm512_setzero_si512();
    in_order(taps, to, is_half);
}

// The sums of `outputs` neighbours from `columns`, those of all their windows.
INLINE void window_sums(const __m512i start[4], const int8_t *weights, __m512i columns[][4], const size_t stride, __m512i sums[2][4],
                        const size_t outputs, const int is_half) {
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < outputs; i++) sums[i][v] = start[v];
#pragma clang loop unroll(full)
        for (size_t c = 0; c < 3; c++) {
            const __m512i w = load_whole_bytes(weights + c * 256 + 64 * v, is_half);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < outputs; i++) sums[i][v] = add_dot_products(sums[i][v], columns[c + i * stride][v], w, is_half);
        }
    }
}

// Output row y. What stores of bytes could change, as far as the compiler knows, is kept in variables.
INLINE void multiply_window_row(const byte_columns *p, size_t y, const size_t stride, const byte_tail_kind kind, const int is_half) {
    const window_rows in = window_rows_of(p->layer, p->constants.border, y, p->channel);
    const __mmask64 mask = ~(__mmask64)0 >> (64 - p->count);
    const byte_constants of = p->of;
    const narrow_tail tail = p->tail;
    const int8_t *weights = p->weights;
    const size_t step = p->layer->output.stride, count = p->layer->output.width;
    // Half vectors go by two outputs, which share a tail, and leave registers enough to share weights.
    const size_t outputs = is_half ? 2 : 1, kept = 3 - stride, held = 3 + (outputs - 1) * stride;
    uint8_t *out = narrow_output(p->layer, y, 0) + p->channel;
    __m512i columns[5][4], sums[2][4];
    size_t column = 0;
#pragma clang loop unroll(full)
    for (size_t c = held - kept; c < held; c++) window_column(&in, column++, mask, columns[c], is_half);
    for (size_t x = 0; x < count; x += outputs, out += outputs * step) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < held; c++) {
            // Beyond the last output are columns of border.
            if (c >= kept) window_column(&in, column++, mask, columns[c], is_half);
            else for (int v = 0; v < 4; v++) columns[c][v] = columns[c + held - kept][v];
        }
        window_sums(of.start, weights, columns, stride, sums, outputs, is_half);
        if (is_half) finish_halves(p, &of, &tail, kind, sums[0], sums[1], out, x + 1 < count ? out + step : NULL);
        else _mm512_mask_storeu_epi8(out, mask, finished_bytes(&of, &tail, kind, sums[0]));
    }
}

// The channels at hand; 0 where another way must be taken.
static int multiply_byte_windows(const byte_columns *p) {
    const kaption_window *window = &p->layer->window;
    if (p->kind == BYTE_TAIL_OTHER || !narrow_is_square(window, 3) || !narrow_slides(window)) return 0;
    for (size_t y = p->layer->row_begin; y < p->layer->row_end; y++) {
        const int is_clip = p->kind == BYTE_TAIL_CLIP;
#define WINDOW_ROW(stride, kind) \
    (p->is_half ? multiply_window_row(p, y, stride, kind, 1) : multiply_window_row(p, y, stride, kind, 0))
        if (window->stride_width == 1) is_clip ? WINDOW_ROW(1, BYTE_TAIL_CLIP) : WINDOW_ROW(1, BYTE_TAIL_SILU);
        else is_clip ? WINDOW_ROW(2, BYTE_TAIL_CLIP) : WINDOW_ROW(2, BYTE_TAIL_SILU);
#undef WINDOW_ROW
    }
    return 1;
}
