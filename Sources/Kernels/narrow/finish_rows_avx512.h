// Rows of a tile to bytes and to bfloat16: AVX-512. Part of finish_tile.h.

// Four vectors at a time are packed: those of one, two or four rows.
INLINE void finish_byte_rows(const tile_output *to, const tile_tail kind, const int rows, const int vectors, const int stride,
                             const integers *sums) {
    const int together = vectors > 2 ? 1 : 4 / vectors;
    const __m512i low = _mm512_set1_epi8((char)(int)to->tail.low), high = _mm512_set1_epi8((char)(int)to->tail.high);
    const __mmask64 mask = ~(__mmask64)0 >> (64 - to->used);
    vector multiplier[3], offset[3];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        multiplier[v] = load(to->multiplier + v * LANES);
        offset[v] = load(to->offset + v * LANES);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i += together) {
        __m512i x[4];
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) {
            const int row = i + q / vectors, v = q % vectors;
            // What is not stored may be anything.
            x[q] = q == 0 ? zero_integers() : x[0];
            if (q >= together * vectors || row >= rows) continue;
            const vector sum =
                with_other(to, kind, KAPTION_UINT8, row, v, multiply_add(floats_of(sums[row * stride + v]), multiplier[v], offset[v]));
            x[q] = _mm512_cvtps_epi32(kind == TILE_SILU ? silu_in_units(&to->tail, sum) : sum);
        }
        const __m512i bytes = _mm512_min_epu8(high, _mm512_max_epu8(low, packed_bytes(x[0], x[1], x[2], x[3])));
        uint8_t *out = to->out + (size_t)i * to->out_stride;
        if (together == 1) {
            _mm512_mask_storeu_epi8(out, mask, bytes);
        } else if (together == 2) {
            _mm256_mask_storeu_epi8(out, (__mmask32)mask, _mm512_castsi512_si256(bytes));
            if (i + 1 < rows) _mm256_mask_storeu_epi8(out + to->out_stride, (__mmask32)mask, _mm512_extracti64x4_epi64(bytes, 1));
        } else {
            __m512i left = bytes;
#pragma clang loop unroll(full)
            for (int q = 0; q < 4; q++, left = _mm512_alignr_epi32(left, left, 4))
                if (i + q < rows) _mm_mask_storeu_epi8(out + (size_t)q * to->out_stride, (__mmask16)mask, _mm512_castsi512_si128(left));
        }
    }
}

// Sums of bfloat16 began with their offsets, and their multiplier is one.
INLINE void finish_pair_rows(const tile_output *to, const tile_tail kind, const int rows, const int vectors, const int stride,
                             const vector *sums) {
    const vector low = repeated(to->tail.low), high = repeated(to->tail.high);
    const lane_mask mask = first_lanes(to->used - (size_t)(vectors - 1) * LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        uint8_t *out = to->out + (size_t)i * to->out_stride;
        vector x[3];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const vector sum = with_other(to, kind, KAPTION_BFLOAT16, i, v, sums[i * stride + v]);
            x[v] = kind == TILE_SILU ? rounded_silu(sum) : clipped(sum, low, high);
        }
        const int last = vectors - 1;
        if (vectors > 1) store_two_bfloat16(vectors == 2 ? (__mmask32)mask << 16 | 0xffff : 0xffffffffu, out, x[0], x[1]);
        if (vectors != 2) store_bfloat16(mask, out + (size_t)last * 2 * LANES, x[last]);
    }
}
