// The commonest tails, from integer sums to bytes with at most a clip or SiLU between them, of which 64 bytes are packed at once: AVX-512. Bounds
// that are integers may be taken after the rounding, and packing takes 0...255 by itself.

INLINE vector sum_at(const uint32_t *sums) { return floats_of(load_integers(sums)); }

INLINE __m512i rounded_sum(const narrow_tail *tail, vector sum, vector multiplier, vector offset, const uint8_t *other) {
    vector x = multiply_add(sum, multiplier, offset);
    if (other != NULL) x = multiply_add(load_uint8(other), repeated(tail->other_factor), x);
    return _mm512_cvtps_epi32(lesser(x, repeated(tail->high)));
}
INLINE __m512i rounded_silu_sum(const narrow_tail *tail, vector sum, vector multiplier, vector offset) {
    // What is no number stays none, and becomes 0 when it is packed.
    return _mm512_cvtps_epi32(lesser(repeated(255.0f), silu_in_units(tail, multiply_add(sum, multiplier, offset))));
}

// 64 bytes: the four vectors one after the other.
INLINE __m512i packed_bytes(__m512i a, __m512i b, __m512i c, __m512i d) {
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}
