// The commonest tail, from integer sums to bytes with at most a clip between them: 64 bytes packed at once, AVX-512. Bounds that are integers
// may be taken after the rounding, and packing takes 0...255 by itself. `filter` counts from the layer's first.

INLINE vector sum_at(const uint32_t *sums) { return floats_of(load_integers(sums)); }
INLINE __m512i rounded_sum(const narrow_tail *tail, vector sum, vector multiplier, vector offset, const uint8_t *other) {
    vector x = multiply_add(sum, multiplier, offset);
    if (other != NULL) x = multiply_add(load_uint8(other), repeated(tail->other_factor), x);
    return _mm512_cvtps_epi32(lesser(x, repeated(tail->high)));
}

// The same with SiLU.
INLINE __m512i rounded_silu_sum(const narrow_tail *tail, vector sum, vector multiplier, vector offset) {
    const vector x = silu_by_pieces(multiply_add(sum, multiplier, offset));
    return _mm512_cvtps_epi32(clipped_integer(multiply_add(x, repeated(tail->factor), repeated(tail->zero))));
}

// 64 bytes: the four vectors one after the other.
INLINE __m512i packed_bytes(__m512i a, __m512i b, __m512i c, __m512i d) {
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}

// Two pixels of two vectors at a time.
INLINE void finish_pairs(const narrow_product *p, const uint32_t *sums, size_t row, size_t rows, size_t filter, size_t used,
                         const int has_other) {
    const vector first_multiplier = load(p->constants.multiplier + filter), first_offset = load(p->constants.offset + filter);
    const vector second_multiplier = load(p->constants.multiplier + filter + LANES);
    const vector second_offset = load(p->constants.offset + filter + LANES);
    const __m512i low = _mm512_set1_epi8((char)(int)p->tail.low);
    const __mmask32 mask = (__mmask32)(0xffffffffu >> (32 - used));
    for (size_t i = 0; i < rows; i += 2) {
        const size_t next = i + 1 < rows ? i + 1 : i;
        const uint8_t *other = has_other ? narrow_product_other(p, row + i, filter) : NULL;
        const uint8_t *next_other = has_other ? narrow_product_other(p, row + next, filter) : NULL;
        const uint32_t *from = sums + i * 2 * LANES, *next_from = sums + next * 2 * LANES;
        const __m512i bytes = _mm512_max_epu8(
            low, packed_bytes(
                     rounded_sum(&p->tail, sum_at(from), first_multiplier, first_offset, other),
                     rounded_sum(&p->tail, sum_at(from + LANES), second_multiplier, second_offset, has_other ? other + LANES : NULL),
                     rounded_sum(&p->tail, sum_at(next_from), first_multiplier, first_offset, next_other),
                     rounded_sum(&p->tail, sum_at(next_from + LANES), second_multiplier, second_offset,
                                 has_other ? next_other + LANES : NULL)));
        _mm256_mask_storeu_epi8(narrow_product_output(p, row + i, filter), mask, _mm512_castsi512_si256(bytes));
        _mm256_mask_storeu_epi8(narrow_product_output(p, row + next, filter), mask, _mm512_extracti64x4_epi64(bytes, 1));
    }
}

// A pixel of up to four vectors at a time.
INLINE void finish_pixels(const narrow_product *p, const uint32_t *sums, size_t row, size_t rows, size_t filter, size_t used,
                          const size_t vectors, const int has_other) {
    const __m512i low = _mm512_set1_epi8((char)(int)p->tail.low);
    const __mmask64 mask = ~(__mmask64)0 >> (64 - used);
    vector multiplier[4], offset[4];
    for (size_t v = 0; v < vectors; v++) {
        multiplier[v] = load(p->constants.multiplier + filter + v * LANES);
        offset[v] = load(p->constants.offset + filter + v * LANES);
    }
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *other = has_other ? narrow_product_other(p, row + i, filter) : NULL;
        __m512i x[4] = {0};
        for (size_t v = 0; v < vectors; v++)
            x[v] = rounded_sum(&p->tail, sum_at(sums + (i * vectors + v) * LANES), multiplier[v], offset[v],
                               has_other ? other + v * LANES : NULL);
        const __m512i bytes = _mm512_max_epu8(low, packed_bytes(x[0], x[1], x[2], x[3]));
        _mm512_mask_storeu_epi8(narrow_product_output(p, row + i, filter), mask, bytes);
    }
}

// Returns 0 where the tail is another one.
INLINE int finish_bytes(const narrow_product *p, const uint32_t *sums, size_t row, size_t rows, size_t filter, size_t used) {
    const kaption_layer *layer = p->layer;
    const int has_other = layer->has_other;
    if (!p->tail.is_folded || layer->output_numbers.element != KAPTION_UINT8 || p->row_scales != NULL ||
        (has_other && layer->other_numbers.element != KAPTION_UINT8))
        return 0;
    switch ((used + LANES - 1) / LANES * 2 + (size_t)(has_other != 0)) {
    case 2: finish_pixels(p, sums, row, rows, filter, used, 1, 0); break;
    case 3: finish_pixels(p, sums, row, rows, filter, used, 1, 1); break;
    case 4: finish_pairs(p, sums, row, rows, filter, used, 0); break;
    case 5: finish_pairs(p, sums, row, rows, filter, used, 1); break;
    case 6: finish_pixels(p, sums, row, rows, filter, used, 3, 0); break;
    case 7: finish_pixels(p, sums, row, rows, filter, used, 3, 1); break;
    default: return 0;
    }
    return 1;
}
