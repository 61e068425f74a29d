// Narrow elements in vectors of 16: AVX-512. After simd/vector_avx512.h.
#define NARROW_PACKS_BYTES
typedef __m512i integers;

INLINE integers zero_integers(void) { return _mm512_setzero_si512(); }
INLINE integers load_integers(const void *from) { return _mm512_loadu_si512(from); }
INLINE void store_integers(void *to, integers x) { _mm512_storeu_si512(to, x); }
// The integer part of what is not negative, at most count − 1, which numbers beyond 32 bits and what is no number become, too.
INLINE integers truncated_below(unsigned count, vector x) {
    return _mm512_min_epu32(_mm512_cvttps_epi32(x), _mm512_set1_epi32((int)count - 1));
}
// One of 16 floats for each index of 0...15.
INLINE vector chosen(const float from[16], integers index) { return _mm512_permutexvar_ps(index, _mm512_loadu_ps(from)); }
INLINE vector floats_of(integers x) { return _mm512_cvtepi32_ps(x); }
// Four bytes, repeated.
INLINE integers repeated_dword(const uint8_t *from) {
    int dword;
    memcpy(&dword, from, 4);
    return _mm512_set1_epi32(dword);
}

// 16-bit words, twice as many as a vector has floats. What is beyond a part of them may be anything.
INLINE integers load_bytes_as_words(size_t count, const uint8_t *from) {
    return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(~(__mmask32)0 >> (32 - count), from));
}
INLINE integers repeated_word(int x) { return _mm512_set1_epi16((short)x); }
INLINE integers add_words(integers a, integers b) { return _mm512_add_epi16(a, b); }
INLINE integers subtract_words(integers a, integers b) { return _mm512_sub_epi16(a, b); }
INLINE integers shifted_words(integers a, unsigned bits) { return _mm512_slli_epi16(a, bits); }
INLINE integers repeated_integer(int x) { return _mm512_set1_epi32(x); }
INLINE integers add_integers(integers a, integers b) { return _mm512_add_epi32(a, b); }
INLINE integers subtract_integers(integers a, integers b) { return _mm512_sub_epi32(a, b); }
INLINE integers multiply_integers(integers a, integers b) { return _mm512_mullo_epi32(a, b); }
INLINE integers shifted_integers(integers a, unsigned bits) { return _mm512_slli_epi32(a, bits); }
INLINE integers shifted_down(integers a, unsigned bits) { return _mm512_srai_epi32(a, bits); }
// To each 32-bit sum the products of two words.
INLINE integers add_word_products(integers sum, integers x, integers w) {
#ifdef NARROW_HAS_DOTS
    // Not the intrinsic, of which clang makes a multiplication and an addition.
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(x, w));
#endif
}

INLINE vector load_uint8(const uint8_t *from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from)));
}
INLINE vector load_bfloat16(const uint8_t *from) {
    const __m256i bits = _mm256_loadu_si256((const __m256i *)(const void *)from);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
// Zeros behind the first lanes of each four.
INLINE vector first_of_fours(size_t count, vector x) {
    return _mm512_maskz_mov_ps((lane_mask)(((1u << count) - 1) * 0x1111u), x);
}
// x in 0...255.
INLINE void store_uint8(lane_mask mask, uint8_t *to, vector x) {
    _mm512_mask_cvtepi32_storeu_epi8(to, mask, _mm512_cvtps_epi32(x));
}
#ifdef NARROW_HAS_BFLOAT16
// Denormals become zeros.
INLINE void store_bfloat16(lane_mask mask, uint8_t *to, vector x) {
    _mm256_mask_storeu_epi16(to, mask, (__m256i)_mm512_cvtneps_pbh(x));
}
INLINE void store_two_bfloat16(__mmask32 mask, uint8_t *to, vector x, vector next) {
    _mm512_mask_storeu_epi16(to, mask, (__m512i)_mm512_cvtne2ps_pbh(next, x));
}
#else
INLINE void store_bfloat16(lane_mask mask, uint8_t *to, vector x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i high = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd), 16);
    const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
    high = _mm512_mask_mov_epi32(high, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), quiet);
    _mm512_mask_cvtepi32_storeu_epi16(to, mask, high);
}
INLINE void store_two_bfloat16(__mmask32 mask, uint8_t *to, vector x, vector next) {
    store_bfloat16((lane_mask)mask, to, x);
    store_bfloat16((lane_mask)(mask >> 16), to + 32, next);
}
#endif
// The greater bytes of up to 64.
enum { BYTE_LANES = 64 };
typedef __m512i byte_vector;
INLINE byte_vector no_bytes(void) { return _mm512_setzero_si512(); }
INLINE byte_vector greater_bytes(byte_vector best, const uint8_t *from, size_t count) {
    return _mm512_max_epu8(best, _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (64 - count), from));
}
INLINE void store_bytes(uint8_t *to, byte_vector x, size_t count) {
    _mm512_mask_storeu_epi8(to, ~(__mmask64)0 >> (64 - count), x);
}
INLINE float greatest_lane(vector x) { return _mm512_reduce_max_ps(x); }

// x · sigmoid(x) for an output of bfloat16: 2^−x·log₂e = 2^floor · p(fraction), with a cubic p of least greatest relative error, 7.5e-5
// (Remez), and a reciprocal within 2⁻¹⁴, where half a step of the output is 2⁻⁹.
INLINE vector rounded_silu(vector x) {
    const vector t = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f));
    const vector fraction = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    vector power = _mm512_set1_ps(0.07802449f);
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.22606727f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.69583346f));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.99992523f));
    return _mm512_mul_ps(x, _mm512_rcp14_ps(_mm512_add_ps(_mm512_scalef_ps(power, t), _mm512_set1_ps(1.0f))));
}
