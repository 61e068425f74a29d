// Vectors of 64 bytes of which, where `is_half`, the lower 32 alone count: a CPU may have more of the instructions for those a cycle.

#define BYTE_HALVES(name, half, whole)                                                                                         \
    INLINE __m512i name(__m512i a, __m512i b, const int is_half) {                                                             \
        return is_half ? _mm512_castsi256_si512(half(_mm512_castsi512_si256(a), _mm512_castsi512_si256(b))) : whole(a, b);     \
    }
BYTE_HALVES(low_bytes_in_turn, _mm256_unpacklo_epi8, _mm512_unpacklo_epi8)
BYTE_HALVES(high_bytes_in_turn, _mm256_unpackhi_epi8, _mm512_unpackhi_epi8)
BYTE_HALVES(low_pairs_in_turn, _mm256_unpacklo_epi16, _mm512_unpacklo_epi16)
BYTE_HALVES(high_pairs_in_turn, _mm256_unpackhi_epi16, _mm512_unpackhi_epi16)
#undef BYTE_HALVES

INLINE __m512i load_masked_bytes(__mmask64 mask, const uint8_t *from, const int is_half) {
    return is_half ? _mm512_castsi256_si512(_mm256_maskz_loadu_epi8((__mmask32)mask, from)) : _mm512_maskz_loadu_epi8(mask, from);
}
INLINE __m512i load_whole_bytes(const void *from, const int is_half) {
    return is_half ? _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)from)) : _mm512_loadu_si512(from);
}
INLINE void store_whole_bytes(void *to, __m512i x, const int is_half) {
    if (is_half) _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(x));
    else _mm512_storeu_si512(to, x);
}
INLINE __m512i add_dot_products(__m512i sums, __m512i x, __m512i w, const int is_half) {
    if (!is_half) return _mm512_dpbusd_epi32(sums, x, w);
    return _mm512_castsi256_si512(
        _mm256_dpbusd_epi32(_mm512_castsi512_si256(sums), _mm512_castsi512_si256(x), _mm512_castsi512_si256(w)));
}
