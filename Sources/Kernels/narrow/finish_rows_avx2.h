// Rows of a tile to bytes and to bfloat16: AVX2. Part of finish_tile.h; tiles are at most two vectors wide.

// 16 bytes of what has everything but the clip, in the output's units.
INLINE void store_sixteen_bytes(const narrow_tail *tail, vector x, vector y, uint8_t *out) {
    const vector low = repeated(tail->low), high = repeated(tail->high);
    const integers first = _mm256_cvtps_epi32(lesser(greater(x, low), high)), second = _mm256_cvtps_epi32(lesser(greater(y, low), high));
    const integers words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xd8);
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

INLINE void finish_byte_rows(const tile_output *to, const tile_tail kind, const int rows, const int vectors, const int stride,
                             const integers *sums) {
    const vector low = repeated(to->tail.low), high = repeated(to->tail.high);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        uint8_t *out = to->out + (size_t)i * to->out_stride;
        vector x[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const vector sum =
                multiply_add(floats_of(sums[i * stride + v]), load(to->multiplier + v * LANES), load(to->offset + v * LANES));
            x[v] = kind == TILE_SILU ? silu_in_units(&to->tail, sum) : with_other(to, kind, KAPTION_UINT8, i, v, sum);
        }
        if (vectors == 2 && to->used == 2 * LANES) {
            store_sixteen_bytes(&to->tail, x[0], x[1], out);
            continue;
        }
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            store_uint8(first_lanes(to->used - (size_t)v * LANES), out + v * LANES, lesser(greater(x[v], low), high));
    }
}

// Sums of bfloat16 began with their offsets, and their multiplier is one.
INLINE void finish_pair_rows(const tile_output *to, const tile_tail kind, const int rows, const int vectors, const int stride,
                             const vector *sums) {
    const vector low = repeated(to->tail.low), high = repeated(to->tail.high);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const vector x = with_other(to, kind, KAPTION_BFLOAT16, i, v, sums[i * stride + v]);
            uint8_t *out = to->out + (size_t)i * to->out_stride + (size_t)v * LANES * 2;
            store_bfloat16(first_lanes(to->used - (size_t)v * LANES), out, kind == TILE_SILU ? rounded_silu(x) : clipped(x, low, high));
        }
}
