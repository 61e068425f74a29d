// Vectors of 16 floats: AVX-512 F, BW, DQ, VL. Included by kernels_avx512.c only, before the kernels.
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
// 1 / a, about 1 ulp: a guess of 14 bits and a step of Newton's.
INLINE vector reciprocal(vector a) {
    const vector guess = _mm512_rcp14_ps(a);
    return _mm512_fmadd_ps(guess, _mm512_fnmadd_ps(a, guess, _mm512_set1_ps(1.0f)), guess);
}
INLINE vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
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
// x · 2^n for an integral n that keeps x normal.
INLINE vector scaled(vector x, vector n) { return _mm512_scalef_ps(x, n); }
INLINE vector rounded(vector x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
