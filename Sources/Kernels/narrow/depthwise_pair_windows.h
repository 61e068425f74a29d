// Depthwise convolutions of bfloat16 over windows of 3×3 as dot products of two rows at a time: the three columns of a window, put in order, stay
// in registers from one output to the next, which takes over those that it shares. After window_rows.h; weights as narrow.c's pack_windows has
// them.

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
    const uint32_t *weights;  // of the 32 channels at hand: [column][two pairs of rows][two vectors]
    // Of the two vectors of sums: lanes 4·l to 4·l + 3 hold the channels from 8·l on and from 8·l + 4 on, as unpacking leaves them.
    vector offset[2];
} pair_windows;

// Column `column` of the padded input: the first two rows' elements side by side, then those of the third with zeros.
INLINE void pair_column(const window_rows *in, size_t column, __mmask32 mask, __m512i to[4]) {
    __m512i rows[3];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 3; i++) rows[i] = _mm512_maskz_loadu_epi16(mask, window_pixel(in, column, i));
    to[0] = _mm512_unpacklo_epi16(rows[0], rows[1]);
    to[1] = _mm512_unpackhi_epi16(rows[0], rows[1]);
    to[2] = _mm512_unpacklo_epi16(rows[2], _mm512_setzero_si512());
    to[3] = _mm512_unpackhi_epi16(rows[2], _mm512_setzero_si512());
}

// Output row y of the channels from j on.
INLINE void pair_window_row(const pair_windows *p, size_t y, size_t j, __mmask32 mask, const size_t stride) {
    const kaption_layer *layer = p->layer;
    const window_rows in = window_rows_of(layer, p->constants.border, y, 2 * j);
    const narrow_tail tail = p->tail;
    const vector first_offset = p->offset[0], second_offset = p->offset[1];
    const uint32_t *weights = p->weights;
    const __m512i order = _mm512_set_epi16(31, 30, 29, 28, 15, 14, 13, 12, 27, 26, 25, 24, 11, 10, 9, 8, 23, 22, 21, 20, 7, 6, 5, 4, 19, 18, 17, 16,
                                           3, 2, 1, 0);
    uint8_t *out = narrow_output(layer, y, 0) + 2 * j;
    __m512i columns[3][4];
    size_t column = 0;
#pragma clang loop unroll(full)
    for (size_t c = stride; c < 3; c++) pair_column(&in, column++, mask, columns[c]);
    for (size_t x = 0; x < layer->output.width; x++, out += 2 * layer->output.stride) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c + stride < 3; c++)
            for (int v = 0; v < 4; v++) columns[c][v] = columns[c + stride][v];
#pragma clang loop unroll(full)
        for (size_t c = 3 - stride; c < 3; c++) pair_column(&in, column++, mask, columns[c]);
        vector sums[2] = {zero(), zero()};
#pragma clang loop unroll(full)
        for (int c = 0; c < 3; c++)
#pragma clang loop unroll(full)
            for (int v = 0; v < 4; v++)
                sums[v % 2] = _mm512_dpbf16_ps(sums[v % 2], (__m512bh)columns[c][v], (__m512bh)load_integers(weights + (4 * c + v) * LANES));
        const __m512i halves =
            (__m512i)_mm512_cvtne2ps_pbh(finished(&tail, add(sums[1], second_offset)), finished(&tail, add(sums[0], first_offset)));
        _mm512_mask_storeu_epi16(out, mask, _mm512_permutexvar_epi16(order, halves));
    }
}

static void depthwise_pair_windows(const kaption_layer *layer) {
    const size_t channels = layer->output.channels;
    const __m512i lower = _mm512_set_epi32(27, 26, 25, 24, 19, 18, 17, 16, 11, 10, 9, 8, 3, 2, 1, 0);
    pair_windows p = {.layer = layer, .constants = narrow_constants_of(layer), .tail = narrow_tail_of(layer)};
    for (size_t j = 0; j < channels; j += 32) {
        const size_t next = channels - j > LANES ? j + LANES : j;
        const vector first = load(p.constants.offset + j), second = load(p.constants.offset + next);
        p.offset[0] = _mm512_permutex2var_ps(first, lower, second);
        p.offset[1] = _mm512_permutex2var_ps(first, _mm512_or_si512(lower, _mm512_set1_epi32(4)), second);
        p.weights = p.constants.weights + j / 32 * NARROW_PAIR_WINDOW_DWORDS;
        const __mmask32 mask = channels - j < 32 ? (__mmask32)((1u << (channels - j)) - 1) : 0xffffffffu;
        for (size_t y = layer->row_begin; y < layer->row_end; y++) {
            if (layer->window.stride_width == 1) pair_window_row(&p, y, j, mask, 1);
            else pair_window_row(&p, y, j, mask, 2);
        }
    }
}
