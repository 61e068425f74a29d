// Depthwise convolutions of bytes (depthwise_bytes.h) over at most 32 channels, as the last of a layer are: half vectors, where a CPU has more
// of their instructions a cycle. Two outputs share a tail.

INLINE void order_half_column(const uint8_t *const *rows, const size_t height, __mmask32 mask, uint8_t *to) {
    __m256i taps[4];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++)
        taps[i] = i < height ? _mm256_maskz_loadu_epi8(mask, rows[i]) : _mm256_setzero_si256();
    const __m256i low = _mm256_unpacklo_epi8(taps[0], taps[1]), high = _mm256_unpackhi_epi8(taps[0], taps[1]);
    const __m256i next_low = _mm256_unpacklo_epi8(taps[2], taps[3]), next_high = _mm256_unpackhi_epi8(taps[2], taps[3]);
    _mm256_store_si256((__m256i *)(void *)to, _mm256_unpacklo_epi16(low, next_low));
    _mm256_store_si256((__m256i *)(void *)(to + 64), _mm256_unpackhi_epi16(low, next_low));
    _mm256_store_si256((__m256i *)(void *)(to + 128), _mm256_unpacklo_epi16(high, next_high));
    _mm256_store_si256((__m256i *)(void *)(to + 192), _mm256_unpackhi_epi16(high, next_high));
}

// The tail of two outputs, the second of which may be none.
INLINE void finish_halves(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const byte_tail_kind kind,
                          const __m256i first[4], const __m256i second[4], uint8_t *out, uint8_t *next) {
    __m512i sums[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < 4; v++) sums[v] = _mm512_inserti64x4(_mm512_castsi256_si512(first[v]), second[v], 1);
    const __m512i bytes = finished_bytes(of, tail, kind, sums);
    const __mmask32 mask = ~(__mmask32)0 >> (32 - p->count);
    _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
    if (next != NULL) _mm256_mask_storeu_epi8(next, mask, _mm512_extracti64x4_epi64(bytes, 1));
}

INLINE void multiply_half_outputs(const byte_columns *p, const byte_constants *of, const narrow_tail *tail, const uint8_t *columns,
                                  size_t across, size_t dilation, uint8_t *out, size_t stride, const size_t outputs, const size_t width,
                                  const size_t quads, const byte_tail_kind kind) {
    __m256i sums[BYTE_OUTPUTS][4];
    const int8_t *w = p->weights;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < outputs; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) sums[i][v] = _mm512_castsi512_si256(of->start[v]);
    for (size_t column = 0; column < width; column++)
        for (size_t quad = 0; quad < quads; quad++, w += 256) {
            const uint8_t *in = columns + column * dilation + quad * 256;
#pragma clang loop unroll(full)
            for (int v = 0; v < 4; v++) {
                const __m256i weights = _mm256_loadu_si256((const __m256i *)(const void *)(w + 64 * v));
#pragma clang loop unroll(full)
                for (size_t i = 0; i < outputs; i++) {
                    const __m256i x = _mm256_load_si256((const __m256i *)(const void *)(in + i * across + 64 * v));
                    sums[i][v] = _mm256_dpbusd_epi32(sums[i][v], x, weights);
                }
            }
        }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < outputs; i += 2) {
        const size_t next = i + 1 < outputs ? i + 1 : i;
        finish_halves(p, of, tail, kind, sums[i], sums[next], out + i * stride, next == i ? NULL : out + next * stride);
    }
}
