// What the vector kernels of decoder and training share: loads, stores and the exponential functions over vectors of
// VECTOR_WIDTH floats, which the file that includes this defines first, with VECTOR_FUNCTION (the attributes that name the
// instruction set).
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float floats __attribute__((vector_size(4 * VECTOR_WIDTH)));
typedef int32_t masks __attribute__((vector_size(4 * VECTOR_WIDTH)));
typedef uint32_t bits __attribute__((vector_size(4 * VECTOR_WIDTH)));

#define VECTOR_INLINE VECTOR_FUNCTION static inline __attribute__((always_inline))

VECTOR_INLINE floats repeated(float x) { return (floats){0} + x; }

VECTOR_INLINE floats multiply_add(floats a, floats b, floats c) { return __builtin_elementwise_fma(a, b, c); }

// a where the mask is set, else b. A comparison with NaN is false, so `chosen(x < limit, limit, x)` keeps a NaN.
VECTOR_INLINE floats chosen(masks mask, floats a, floats b) {
    return (floats)((mask & (masks)a) | (~mask & (masks)b));
}

// `count` floats, and `filler` in the lanes beyond them.
VECTOR_INLINE floats loaded(const float *from, size_t count, float filler) {
    floats vector = repeated(filler);
    if (count >= VECTOR_WIDTH) {
        memcpy(&vector, from, sizeof vector);
    } else {
        memcpy(&vector, from, count * sizeof(float));
    }
    return vector;
}

VECTOR_INLINE void stored(floats vector, float *to, size_t count) {
    memcpy(to, &vector, count >= VECTOR_WIDTH ? sizeof vector : count * sizeof(float));
}

// ---- e^x --------------------------------------------------------------------------------------------------------
// e^x = scale · (1 + rest), scale = 2^n with n = round(x / ln 2). With |r| = |x − n·ln 2| ≤ ln 2 / 2 the series of e^r − 1 to
// its seventh power is within 6e-9. x must be within ±87.
VECTOR_INLINE void exponential_within(floats x, floats *scale, floats *rest) {
    const float shift = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer, which then stands in the low bits
    floats shifted = multiply_add(x, repeated(1.44269504f), repeated(shift));
    floats n = shifted - shift;
    floats r = multiply_add(n, repeated(-0.693145752f), x);  // ln 2 in two parts; the first times n is exact
    r = multiply_add(n, repeated(-1.42860677e-6f), r);
    floats series = repeated(1.0f / 5040);
    series = multiply_add(series, r, repeated(1.0f / 720));
    series = multiply_add(series, r, repeated(1.0f / 120));
    series = multiply_add(series, r, repeated(1.0f / 24));
    series = multiply_add(series, r, repeated(1.0f / 6));
    series = multiply_add(series, r, repeated(0.5f));
    *rest = multiply_add(r * r, series, r);
    *scale = (floats)(((bits)shifted << 23) + 0x3f800000u);
}

// Beyond ±87 the argument is held there.
VECTOR_INLINE void exponential(floats x, floats *scale, floats *rest) {
    x = chosen(x < -87.0f, repeated(-87.0f), x);
    x = chosen(x > 87.0f, repeated(87.0f), x);
    exponential_within(x, scale, rest);
}

VECTOR_INLINE floats sigmoid(floats x) {
    floats scale, rest;
    exponential(-x, &scale, &rest);
    return 1.0f / (1.0f + multiply_add(scale, rest, scale));
}

// (e^2x − 1) / (e^2x + 1); e^2x − 1 is taken without cancellation, so small arguments keep their precision.
VECTOR_INLINE floats hyperbolic_tangent(floats x) {
    floats scale, rest;
    exponential(x + x, &scale, &rest);
    floats less_one = multiply_add(scale, rest, scale - 1.0f);
    return less_one / (less_one + 2.0f);
}

// sigmoid(x) · tanh(y) with one division: (e^2y − 1) / ((1 + e^−x) · (e^2y + 1)). Beyond ±10 the tangent is ±1 in single precision, so 2y is
// held at ±20, and the divisor overflows only where the result is below e^−68.
VECTOR_INLINE floats sigmoid_times_tangent(floats x, floats y) {
    floats scale, rest, y_scale, y_rest, twice = y + y;
    twice = chosen(twice < -20.0f, repeated(-20.0f), twice);
    twice = chosen(twice > 20.0f, repeated(20.0f), twice);
    exponential(-x, &scale, &rest);
    exponential_within(twice, &y_scale, &y_rest);
    floats less_one = multiply_add(y_scale, y_rest, y_scale - 1.0f);
    return less_one / ((1.0f + multiply_add(scale, rest, scale)) * (less_one + 2.0f));
}
