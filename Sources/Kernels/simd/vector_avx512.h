// Vectors of 16 floats: AVX-512 F, BW, DQ, VL. Included by kernels_avx512.c only, before the kernels.
#include "sixteenths.h"

typedef __m512 vector;
typedef __mmask16 lane_mask;

// Lanes of a vector, and the register tile of a product in rows and vectors: 24 sums, 3 weights and 1 input of 32 registers.
enum { LANES = 16, TILE_ROWS = 8, TILE_VECTORS = 3 };

#define INLINE static inline __attribute__((always_inline))

INLINE lane_mask first_lanes(size_t count) { return count >= LANES ? (lane_mask)0xffff : (lane_mask)((1u << count) - 1); }
INLINE vector zero(void) { return _mm512_setzero_ps(); }
INLINE vector repeated(float x) { return _mm512_set1_ps(x); }
INLINE vector load(const float *from) { return _mm512_loadu_ps(from); }
INLINE vector load_first(lane_mask mask, const float *from) { return _mm512_maskz_loadu_ps(mask, from); }
INLINE void store(float *to, vector x) { _mm512_storeu_ps(to, x); }
INLINE void store_first(lane_mask mask, float *to, vector x) { _mm512_mask_storeu_ps(to, mask, x); }
INLINE vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
INLINE vector subtract(vector a, vector b) { return _mm512_sub_ps(a, b); }
INLINE vector multiply(vector a, vector b) { return _mm512_mul_ps(a, b); }
INLINE vector divide(vector a, vector b) { return _mm512_div_ps(a, b); }
INLINE vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
// Vectors of the lower 8 lanes: a CPU of 256-bit units takes half the time for them.
typedef __m256 half_vector;
enum { HAS_HALVES = 1 };
INLINE half_vector lower_half(vector a) { return _mm512_castps512_ps256(a); }
INLINE vector from_lower_half(half_vector a) { return _mm512_castps256_ps512(a); }
INLINE half_vector multiply_add_halves(half_vector a, half_vector b, half_vector c) { return _mm256_fmadd_ps(a, b, c); }
// The greater and the lesser one; b where either is NaN.
INLINE vector greater(vector a, vector b) { return _mm512_max_ps(a, b); }
INLINE vector lesser(vector a, vector b) { return _mm512_min_ps(a, b); }
// The greater one, NaN where either is.
INLINE vector greater_or_nan(vector a, vector b) {
    return _mm512_mask_mov_ps(greater(a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
}
INLINE vector negated(vector a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
INLINE vector magnitude(vector a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
INLINE vector with_sign_of(vector a, vector sign) { return _mm512_or_ps(a, _mm512_and_ps(_mm512_set1_ps(-0.0f), sign)); }
// 2^(n/16) for the n in the low bits of each lane.
INLINE vector sixteenth_power_of_two(vector n) {
    const __m512i bits = _mm512_castps_si512(n), power = _mm512_permutexvar_epi32(bits, _mm512_load_si512(sixteenths_of_two));
    return _mm512_castsi512_ps(_mm512_add_epi32(power, _mm512_slli_epi32(bits, 19)));
}
