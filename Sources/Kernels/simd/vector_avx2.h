// Vectors of 8 floats: AVX2 and FMA. Included by kernels_avx2.c only, before the kernels.
#include "sixteenths.h"

typedef __m256 vector;
typedef __m256i lane_mask;

// Lanes of a vector, and the register tile of a product in rows and vectors: 12 sums, 2 weights and 1 input of 16 registers.
enum { LANES = 8, TILE_ROWS = 6, TILE_VECTORS = 2 };

#define INLINE static inline __attribute__((always_inline))

INLINE lane_mask first_lanes(size_t count) {
    int lanes = count >= LANES ? LANES : (int)count;
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vector zero(void) { return _mm256_setzero_ps(); }
INLINE vector repeated(float x) { return _mm256_set1_ps(x); }
INLINE vector load(const float *from) { return _mm256_loadu_ps(from); }
INLINE vector load_first(lane_mask mask, const float *from) { return _mm256_maskload_ps(from, mask); }
INLINE void store(float *to, vector x) { _mm256_storeu_ps(to, x); }
INLINE void store_first(lane_mask mask, float *to, vector x) { _mm256_maskstore_ps(to, mask, x); }
INLINE vector add(vector a, vector b) { return _mm256_add_ps(a, b); }
INLINE vector subtract(vector a, vector b) { return _mm256_sub_ps(a, b); }
INLINE vector multiply(vector a, vector b) { return _mm256_mul_ps(a, b); }
INLINE vector divide(vector a, vector b) { return _mm256_div_ps(a, b); }
INLINE vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_ps(a, b, c); }
// Vectors of the lower 4 lanes.
typedef __m128 half_vector;
enum { HAS_HALVES = 0 };
INLINE half_vector lower_half(vector a) { return _mm256_castps256_ps128(a); }
INLINE vector from_lower_half(half_vector a) { return _mm256_castps128_ps256(a); }
INLINE half_vector multiply_add_halves(half_vector a, half_vector b, half_vector c) { return _mm_fmadd_ps(a, b, c); }
// The greater and the lesser one; b where either is NaN.
INLINE vector greater(vector a, vector b) { return _mm256_max_ps(a, b); }
INLINE vector lesser(vector a, vector b) { return _mm256_min_ps(a, b); }
// The greater one, NaN where either is.
INLINE vector greater_or_nan(vector a, vector b) {
    return _mm256_blendv_ps(greater(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
INLINE vector negated(vector a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
INLINE vector magnitude(vector a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE vector with_sign_of(vector a, vector sign) { return _mm256_or_ps(a, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign)); }
// 2^(n/16) for the n in the low bits of each lane.
INLINE vector sixteenth_power_of_two(vector n) {
    const __m256i bits = _mm256_castps_si256(n);
    const vector low = _mm256_permutevar8x32_ps(_mm256_load_ps((const float *)sixteenths_of_two), bits);
    const vector high = _mm256_permutevar8x32_ps(_mm256_load_ps((const float *)sixteenths_of_two + 8), bits);
    const vector power = _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(bits, 28)));
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(power), _mm256_slli_epi32(bits, 19)));
}
