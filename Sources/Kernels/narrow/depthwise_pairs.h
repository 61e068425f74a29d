// Depthwise convolutions of bfloat16 by four outputs at a time: of 32 channels those in the lower and those in the upper halves of the dwords are
// floats after a shift and after a mask, and each column is widened once for all windows that it is in. Sums run in the order of the taps, as in
// depthwise.h.
enum { PAIR_OUTPUTS = 4 };

typedef struct {
    const kaption_layer *layer;
    narrow_constants constants;
    narrow_tail tail;
} pair_product;

INLINE vector finished(const narrow_tail *tail, vector x) {
    return tail->is_folded ? clipped(x, repeated(tail->low), repeated(tail->high)) : activated_for(KAPTION_BFLOAT16, &tail->activation, x);
}

// `count` outputs of a row, 32 channels from j on. `in` has the pixels of the windows' columns, [row][column].
INLINE void multiply_pairs(const pair_product *p, const uint8_t *const *in, size_t j, uint8_t *out, size_t count, const size_t width,
                           const size_t stride) {
    const kaption_layer *layer = p->layer;
    const size_t columns = (PAIR_OUTPUTS - 1) * stride + width, channels = layer->output.channels;
    const size_t weight_stride = narrow_pair_channels(channels);
    const __mmask32 mask = channels - j < 32 ? (__mmask32)((1u << (channels - j)) - 1) : 0xffffffffu;
    const float *w = (const float *)(const void *)p->constants.weights + j;
    vector even[PAIR_OUTPUTS], odd[PAIR_OUTPUTS];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < PAIR_OUTPUTS; i++) even[i] = odd[i] = zero();
    for (size_t row = 0; row < layer->window.kernel_height; row++, in += columns, w += width * weight_stride) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < columns; c++) {
            const __m512i pair = _mm512_maskz_loadu_epi16(mask, in[c] + 2 * j);
            const vector low = _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16));
            const vector high = _mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32((int)0xffff0000)));
#pragma clang loop unroll(full)
            for (size_t i = 0; i < PAIR_OUTPUTS; i++) {
                const size_t tap = c - i * stride;
                if (c < i * stride || tap >= width) continue;
                even[i] = multiply_add(low, load(w + tap * weight_stride), even[i]);
                odd[i] = multiply_add(high, load(w + tap * weight_stride + LANES), odd[i]);
            }
        }
    }
    const __m512i evens = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const vector first = load(p->constants.offset + j), second = load(p->constants.offset + j + LANES);
    const vector even_offset = _mm512_permutex2var_ps(first, evens, second);
    const vector odd_offset = _mm512_permutex2var_ps(first, _mm512_or_si512(evens, _mm512_set1_epi32(1)), second);
    // Takes from the first and the second half in turn.
    const __m512i words = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i alternate = _mm512_or_si512(words, _mm512_slli_epi32(_mm512_add_epi32(words, _mm512_set1_epi32(LANES)), 16));
    const size_t pixel = layer->output.stride * 2;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < PAIR_OUTPUTS; i++) {
        const vector low = finished(&p->tail, add(even[i], even_offset)), high = finished(&p->tail, add(odd[i], odd_offset));
        const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(high, low);
        _mm512_mask_storeu_epi16(out + i * pixel + 2 * j, i < count ? mask : 0, _mm512_permutexvar_epi16(alternate, halves));
    }
}

INLINE void run_pairs(const pair_product *p, const size_t width, const size_t stride) {
    enum { MOST_COLUMNS = NARROW_PAIR_HEIGHT * ((PAIR_OUTPUTS - 1) * 2 + 5) };
    const kaption_layer *layer = p->layer;
    const kaption_window *window = &layer->window;
    const size_t columns = (PAIR_OUTPUTS - 1) * stride + width;
    const uint8_t *in[MOST_COLUMNS];
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        const uint8_t *rows[NARROW_PAIR_HEIGHT];
        narrow_window_rows(layer, y, rows);
        for (size_t x = 0; x < layer->output.width; x += PAIR_OUTPUTS) {
            for (size_t row = 0; row < window->kernel_height; row++)
                for (size_t c = 0; c < columns; c++) {
                    const size_t in_x = x * stride + c - window->pad_left;
                    in[row * columns + c] =
                        rows[row] != NULL && in_x < layer->input.width ? rows[row] + in_x * layer->input.stride * 2 : p->constants.border;
                }
            const size_t count = layer->output.width - x < PAIR_OUTPUTS ? layer->output.width - x : PAIR_OUTPUTS;
            for (size_t j = 0; j < layer->output.channels; j += 32)
                multiply_pairs(p, in, j, narrow_output(layer, y, x), count, width, stride);
        }
    }
}

static void depthwise_pairs(const kaption_layer *layer) {
    const pair_product p = {layer, narrow_constants_of(layer), narrow_tail_of(layer)};
    const size_t width = layer->window.kernel_width, stride = layer->window.stride_width;
    if (width == 3 && stride == 1) run_pairs(&p, 3, 1);
    else if (width == 3) run_pairs(&p, 3, 2);
    else if (stride == 1) run_pairs(&p, 5, 1);
    else run_pairs(&p, 5, 2);
}
