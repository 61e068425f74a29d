// Pools of bfloat16, and averages of bytes, up to three columns wide: a column of cells is reduced once for all windows that it is in. Of 32
// channels of bfloat16 those in the lower and in the upper halves of the dwords are floats after a shift and after a mask. Sums of bytes are
// exact, so their order does not matter. After tail.h, AVX-512.

typedef struct {
    vector first, second;
} pool_pair;

INLINE pool_pair load_pool_pair(const kaption_element element, __mmask32 mask, const uint8_t *from) {
    if (element == KAPTION_UINT8) {
        const __m512i words = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, from));
        return (pool_pair){_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(words))),
                           _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(words, 1)))};
    }
    const __m512i halves = _mm512_maskz_loadu_epi16(mask, from);
    return (pool_pair){_mm512_castsi512_ps(_mm512_slli_epi32(halves, 16)),
                       _mm512_castsi512_ps(_mm512_and_si512(halves, _mm512_set1_epi32((int)0xffff0000)))};
}

INLINE void store_pool_pair(const narrow_tail *tail, const kaption_element element, __mmask32 mask, uint8_t *to, pool_pair x) {
    if (element == KAPTION_BFLOAT16) {
        const __m512i order = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
        const vector first = _mm512_permutex2var_ps(x.first, order, x.second);
        x.second = _mm512_permutex2var_ps(x.first, _mm512_add_epi32(order, _mm512_set1_epi32(8)), x.second);
        x.first = first;
    }
    store_activated(tail, element, (lane_mask)mask, to, x.first);
    store_activated(tail, element, (lane_mask)(mask >> LANES), to + LANES * kaption_element_bytes(element), x.second);
}

INLINE pool_pair reduced_pair(pool_pair a, pool_pair b, const int is_max) {
    if (is_max) return (pool_pair){greater_or_nan(b.first, a.first), greater_or_nan(b.second, a.second)};
    return (pool_pair){add(a.first, b.first), add(a.second, b.second)};
}

INLINE void pool_by_columns(const kaption_layer *layer, const int is_max, const kaption_element element, const size_t width,
                            const size_t stride) {
    const kaption_window *window = &layer->window;
    const narrow_tail tail = narrow_tail_of(layer);
    const size_t channels = layer->output.channels, bytes = kaption_element_bytes(element);
    const size_t down = window->dilation_height * layer->input.width * layer->input.stride * bytes;
    const float zero_point = element == KAPTION_UINT8 ? layer->input_numbers.zero : 0.0f;
    const float scale = element == KAPTION_UINT8 ? layer->input_numbers.scale : 1.0f;
    const vector neutral = is_max ? repeated(-INFINITY) : zero();
    for (size_t y = layer->row_begin; y < layer->row_end; y++) {
        const narrow_span rows = narrow_span_of(y * window->stride_height, window->pad_top, window->dilation_height,
                                                window->kernel_height, layer->input.height);
        const narrow_span padded_rows = narrow_span_of(y * window->stride_height, 0, window->dilation_height, window->kernel_height,
                                                       window->pad_top + layer->input.height + window->pad_bottom);
        for (size_t j = 0; j < channels; j += 2 * LANES) {
            const __mmask32 mask = channels - j < 2 * LANES ? (__mmask32)((1u << (channels - j)) - 1) : 0xffffffffu;
            const uint8_t *row = narrow_pixel(&layer->input, element, rows.first, 0) + j * bytes;
            pool_pair columns[3];
            for (size_t x = 0; x < layer->output.width; x++) {
                size_t inside = 0, padded = 0;
#pragma clang loop unroll(full)
                for (size_t t = 0; t < width; t++) {
                    // Wraps below zero, and then is not less than the width.
                    const size_t in_x = x * stride + t - window->pad_left;
                    const int is_inside = in_x < layer->input.width;
                    inside += (size_t)is_inside;
                    padded += x * stride + t < window->pad_left + layer->input.width + window->pad_right;
                    if (t + stride < width && x > 0) {
                        columns[t] = columns[t + stride];
                        continue;
                    }
                    columns[t] = (pool_pair){neutral, neutral};
                    const uint8_t *cell = row + (is_inside ? in_x * layer->input.stride * bytes : 0);
                    for (size_t i = 0; is_inside && i < rows.count; i++, cell += down)
                        columns[t] = reduced_pair(columns[t], load_pool_pair(element, mask, cell), is_max);
                }
                pool_pair value = columns[0];
#pragma clang loop unroll(full)
                for (size_t t = 1; t < width; t++) value = reduced_pair(value, columns[t], is_max);
                if (!is_max) {
                    inside *= rows.count;
                    const float cells = (float)(layer->counts_padding ? padded_rows.count * padded : inside);
                    const vector factor = repeated(scale / cells), shift = repeated(-((float)inside * zero_point));
                    value.first = multiply(add(value.first, shift), factor);
                    value.second = multiply(add(value.second, shift), factor);
                }
                store_pool_pair(&tail, element, mask, narrow_output(layer, y, x) + j * bytes, value);
            }
        }
    }
}

// Returns 0 where the pool is another one.
static int pool_pairs(const kaption_layer *layer, const int is_max) {
    const kaption_window *window = &layer->window;
    const kaption_element element = layer->input_numbers.element;
    const size_t width = window->kernel_width, stride = window->stride_width;
    if (element != layer->output_numbers.element || window->dilation_width != 1) return 0;
#define POOL(is_max, element)                                                                      \
    do {                                                                                           \
        if (width == 3 && stride == 1) return pool_by_columns(layer, is_max, element, 3, 1), 1;    \
        if (width == 3 && stride == 2) return pool_by_columns(layer, is_max, element, 3, 2), 1;    \
        if (width == 2 && stride == 2) return pool_by_columns(layer, is_max, element, 2, 2), 1;    \
        return 0;                                                                                  \
    } while (0)
    if (element == KAPTION_BFLOAT16 && is_max) POOL(1, KAPTION_BFLOAT16);
    if (element == KAPTION_BFLOAT16) POOL(0, KAPTION_BFLOAT16);
    if (element == KAPTION_UINT8 && !is_max) POOL(0, KAPTION_UINT8);
#undef POOL
    return 0;
}
