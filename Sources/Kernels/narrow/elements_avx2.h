// Narrow elements in vectors of 8: AVX2. After simd/vector_avx2.h.
typedef __m256i integers;

INLINE integers zero_integers(void) { return _mm256_setzero_si256(); }
INLINE integers load_integers(const void *from) { return _mm256_loadu_si256((const __m256i *)from); }
INLINE void store_integers(void *to, integers x) { _mm256_storeu_si256((__m256i *)to, x); }
// The integer part of what is not negative, at most count − 1, which numbers beyond 32 bits and what is no number become, too.
INLINE integers truncated_below(unsigned count, vector x) {
    return _mm256_min_epu32(_mm256_cvttps_epi32(x), _mm256_set1_epi32((int)count - 1));
}
// One of 16 floats for each index of 0...15.
INLINE vector chosen(const float from[16], integers index) {
    const vector low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), index);
    const vector high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from + 8), index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}
INLINE vector floats_of(integers x) { return _mm256_cvtepi32_ps(x); }
// Four bytes, repeated.
INLINE integers repeated_dword(const uint8_t *from) {
    int dword;
    memcpy(&dword, from, 4);
    return _mm256_set1_epi32(dword);
}

// 16-bit words, twice as many as a vector has floats. Of a part of them more may be read, and what is beyond may be anything.
INLINE integers load_bytes_as_words(size_t count, const uint8_t *from) {
    (void)count;
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
}
INLINE integers repeated_word(int x) { return _mm256_set1_epi16((short)x); }
INLINE integers add_words(integers a, integers b) { return _mm256_add_epi16(a, b); }
INLINE integers subtract_words(integers a, integers b) { return _mm256_sub_epi16(a, b); }
INLINE integers shifted_words(integers a, int bits) { return _mm256_slli_epi16(a, bits); }
INLINE integers repeated_integer(int x) { return _mm256_set1_epi32(x); }
INLINE integers add_integers(integers a, integers b) { return _mm256_add_epi32(a, b); }
INLINE integers subtract_integers(integers a, integers b) { return _mm256_sub_epi32(a, b); }
INLINE integers multiply_integers(integers a, integers b) { return _mm256_mullo_epi32(a, b); }
INLINE integers shifted_integers(integers a, int bits) { return _mm256_slli_epi32(a, bits); }
INLINE integers shifted_down(integers a, int bits) { return _mm256_srai_epi32(a, bits); }
// To each 32-bit sum the products of two words.
INLINE integers add_word_products(integers sum, integers x, integers w) { return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w)); }

INLINE vector load_uint8(const uint8_t *from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from)));
}
INLINE vector load_bfloat16(const uint8_t *from) {
    const __m128i bits = _mm_loadu_si128((const __m128i *)(const void *)from);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
// How many of the first lanes a mask has.
INLINE int lane_count(lane_mask mask) { return __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(mask))); }
// Zeros behind the first lanes of each four.
INLINE vector first_of_fours(size_t count, vector x) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3);
    return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes)));
}
// x in 0...255.
INLINE void store_uint8(lane_mask mask, uint8_t *to, vector x) {
    const __m256i whole = _mm256_cvtps_epi32(x);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    const int count = lane_count(mask);
    if (count == LANES) memcpy(to, &bytes, LANES);
    else memcpy(to, &bytes, (size_t)count);
}
INLINE void store_bfloat16(lane_mask mask, uint8_t *to, vector x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i high = _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
    high = _mm256_blendv_epi8(high, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
    const int count = lane_count(mask);
    if (count == LANES) _mm_storeu_si128((__m128i *)(void *)to, words);
    else memcpy(to, &words, 2 * (size_t)count);
}
// The greater bytes of up to 16; 16 are read.
enum { BYTE_LANES = 16 };
typedef __m128i byte_vector;
INLINE byte_vector no_bytes(void) { return _mm_setzero_si128(); }
INLINE byte_vector greater_bytes(byte_vector best, const uint8_t *from, size_t count) {
    (void)count;
    return _mm_max_epu8(best, _mm_loadu_si128((const __m128i *)(const void *)from));
}
INLINE void store_bytes(uint8_t *to, byte_vector x, size_t count) {
    if (count == BYTE_LANES) _mm_storeu_si128((__m128i *)(void *)to, x);
    else memcpy(to, &x, count);
}
INLINE float greatest_lane(vector x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// x · sigmoid(x) for an output of bfloat16.
INLINE vector rounded_silu(vector x) { return divide(x, one_and_exponential_of_negated(x)); }
